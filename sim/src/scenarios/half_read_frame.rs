//! A connection on which frames come in, each with its length first, and a heart-beat that goes out in
//! between.
//!
//! What is wrong: the loop waits for a frame, and when none is complete in time it sends a heart-beat
//! and waits anew. What had been read of the frame was in the future that is dropped: the rest of the
//! frame is read as if it were a new one.
//!
//! The repair keeps what has been read outside of the future, in a reader that goes on where it
//! stopped.

use std::time::Duration;

use parcae::rng::choose_for;
use parcae::spawn_named;
use parcae::sync::{GetError, Queue};
use parcae::time::{sleep, timeout};
use tracing::info;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "half-read-frame",
    summary: "Frames are read byte by byte, and every 50 ms without a frame a heart-beat is sent.",
    defect: "A frame half read at the heart-beat is out of step; the twin's reader keeps what it has.",
    source: "tokio's `read_exact` in `select!`; pgwire-replication#5, sprockets#73",
    failure_kind: "panic",
    seeds_until_found: 100,
    buggy: || Box::pin(buggy()),
    fixed: || Box::pin(fixed()),
};

const FRAMES: [&[u8]; 3] = [b"tea", b"cake", b"jam"];
const HEARTBEAT: Duration = Duration::from_millis(50);

/// What one end writes and the other one reads.
type Pipe = Queue<u8>;

async fn buggy() {
    let pipe = Pipe::unbounded().named("pipe");
    let writer = spawn_named("writer", write_frames(pipe.clone()));
    let mut frames = Vec::new();
    loop {
        match timeout(HEARTBEAT, read_frame(&pipe)).await {
            Ok(Ok(frame)) => frames.push(frame),
            Ok(Err(_closed)) => break,
            Err(_) => info!("heart-beat"),
        }
    }
    writer.await;
    assert_eq!(frames, FRAMES, "frames have come out of step");
}

async fn read_frame(pipe: &Pipe) -> Result<Vec<u8>, GetError> {
    let length = pipe.get().await?;
    let mut frame = Vec::new();
    for _ in 0..length {
        frame.push(pipe.get().await?);
    }
    Ok(frame)
}

async fn fixed() {
    let pipe = Pipe::unbounded().named("pipe");
    let writer = spawn_named("writer", write_frames(pipe.clone()));
    let mut reader = FrameReader::default();
    let mut frames = Vec::new();
    loop {
        match timeout(HEARTBEAT, reader.read_frame(&pipe)).await {
            Ok(Ok(frame)) => frames.push(frame),
            Ok(Err(_closed)) => break,
            Err(_) => info!("heart-beat"),
        }
    }
    writer.await;
    assert_eq!(frames, FRAMES, "frames have come out of step");
}

/// What has been read of the next frame, its length first.
#[derive(Default)]
struct FrameReader {
    bytes: Vec<u8>,
}

impl FrameReader {
    async fn read_frame(&mut self, pipe: &Pipe) -> Result<Vec<u8>, GetError> {
        loop {
            if let Some((length, frame)) = self.bytes.split_first()
                && frame.len() == usize::from(*length)
            {
                let frame = frame.to_vec();
                self.bytes.clear();
                return Ok(frame);
            }
            self.bytes.push(pipe.get().await?);
        }
    }
}

async fn write_frames(pipe: Pipe) {
    for (number, frame) in (1..).zip(FRAMES) {
        let length = u8::try_from(frame.len()).expect("frames are short");
        pipe.put(length).await.expect("it is open");
        sleep(Duration::from_millis(choose_for("pause in frame", number, 1..=100))).await;
        for byte in frame {
            pipe.put(*byte).await.expect("it is open");
        }
    }
    pipe.close();
}
