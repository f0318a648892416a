//! One connection: the greeting, then reading, writing and listening for heartbeats until it ends.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures_io::{AsyncRead as _, AsyncWrite as _};
use futures_lite::future::or;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::detector::Detector;
use super::error::{FrameError, LinkError, Refusal};
use super::frame::{self, FrameReader, Seal};
use super::handshake::{Acceptor, Call, Dialer, Established, Greeting, Identity, Step};
use super::options::Options;
use crate::net::TcpStream;
use crate::rng::rng;
use crate::sync::Notify;
use crate::time::{Instant, sleep, timeout_at};

/// A connection whose sides know each other.
#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    reader: FrameReader,
    sending: Seal,
    pub(super) peer: Identity,
    pub(super) call: Call,
}

/// Greets as the side that connected.
pub(super) async fn greet(
    stream: TcpStream,
    who: Identity,
    call: Call,
    options: &Options,
) -> Result<Link, LinkError> {
    let (mut dialer, hello) = Dialer::new(who, nonce(options), call);
    let mut reader = FrameReader::new(GREETING_SIZE_MAX);
    write_greeting(&stream, &hello).await?;
    loop {
        let greeting = read_greeting(&stream, &mut reader).await?;
        match dialer.on(&options.key, greeting)? {
            Step::Answer(answer) => write_greeting(&stream, &answer).await?,
            Step::Done(established) | Step::AnswerAndDone(_, established) => {
                return Ok(Link::new(stream, reader, *established, options));
            }
        }
    }
}

/// Greets as the side that accepted. A peer that is refused is told why.
pub(super) async fn answer(
    stream: TcpStream,
    who: Identity,
    options: &Options,
) -> Result<Link, LinkError> {
    let mut acceptor = Acceptor::new(who, nonce(options));
    let mut reader = FrameReader::new(GREETING_SIZE_MAX);
    loop {
        let step = match read_greeting(&stream, &mut reader).await {
            Ok(greeting) => {
                acceptor.on(&options.key, greeting, |name| options.allows(name)).map_err(Into::into)
            }
            Err(LinkError::Frame(error)) => Err(LinkError::Frame(error)),
            Err(error) => return Err(error),
        };
        match step {
            Ok(Step::Answer(answer)) => write_greeting(&stream, &answer).await?,
            Ok(Step::AnswerAndDone(welcome, established)) => {
                write_greeting(&stream, &welcome).await?;
                return Ok(Link::new(stream, reader, *established, options));
            }
            Ok(Step::Done(_)) => unreachable!("the listener speaks last"),
            Err(error) => {
                let refusal = match &error {
                    LinkError::Refused(refusal) => *refusal,
                    LinkError::Frame(FrameError::Version { .. }) => Refusal::WrongVersion,
                    _ => Refusal::Malformed,
                };
                // Whoever does not read it has gone, which is as well.
                drop(write_greeting(&stream, &Greeting::Refused(refusal)).await);
                return Err(error);
            }
        }
    }
}

fn nonce(options: &Options) -> [u8; 32] {
    let mut random = [0; 32];
    rng().fill_bytes(&mut random);
    options.key.nonce(&random)
}

async fn write_greeting(stream: &TcpStream, greeting: &Greeting) -> Result<(), LinkError> {
    let mut bytes = Vec::new();
    frame::encode(greeting, GREETING_SIZE_MAX, None, &mut bytes)?;
    write_all(stream, &bytes).await?;
    Ok(())
}

async fn read_greeting(
    stream: &TcpStream,
    reader: &mut FrameReader,
) -> Result<Greeting, LinkError> {
    let mut buffer = [0; 1024];
    loop {
        if let Some(body) = reader.next()? {
            return Ok(frame::decode(body)?);
        }
        match read_some(stream, &mut buffer).await? {
            0 => return Err(LinkError::Closed),
            count => reader.push(&buffer[..count]),
        }
    }
}

/// What a connection carries.
pub(super) trait Traffic {
    type In: DeserializeOwned;
    type Out: Serialize;

    const HEARTBEAT: Self::Out;

    /// Says whether it is one.
    fn is_heartbeat(frame: &Self::In) -> bool;

    /// Takes a frame.
    fn receive(&self, frame: Self::In) -> Result<(), LinkError>;

    /// Adds what is to be sent now.
    fn send(&self, frames: &mut FrameWriter);

    /// Called with each heartbeat that is sent.
    fn tick(&self) {}

    /// Is notified when there is something to be sent.
    fn work(&self) -> &Notify;
}

/// Frames that are to be written.
#[derive(Debug)]
pub(super) struct FrameWriter {
    bytes: Vec<u8>,
    seal: Seal,
    limit: usize,
}

impl FrameWriter {
    /// Adds a frame.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`]; then nothing was added.
    pub(super) fn add<T: Serialize>(&mut self, frame: &T) -> Result<(), FrameError> {
        frame::encode(frame, self.limit, Some(&mut self.seal), &mut self.bytes)
    }

    /// The other side takes frames of so many bytes.
    pub(super) fn lower_limit(&mut self, limit: u64) {
        self.limit = self.limit.min(usize::try_from(limit).unwrap_or(usize::MAX));
    }

    /// Says whether it should be written before more is added.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= WRITE_SIZE
    }
}

impl Link {
    fn new(
        stream: TcpStream,
        mut reader: FrameReader,
        established: Established,
        options: &Options,
    ) -> Self {
        let Established { peer, call, sending, receiving } = established;
        reader.expect(options.frame, receiving);
        // Frames are gathered before they are written; what is written should go.
        drop(stream.set_nodelay(true));
        Self { stream, reader, sending, peer, call }
    }

    /// Carries frames until the connection ends, and returns why it did.
    pub(super) async fn carry<T: Traffic>(
        self,
        traffic: &T,
        detector: &RefCell<Detector>,
        options: &Options,
    ) -> LinkError {
        let Self { stream, reader, sending, .. } = self;
        let frames = FrameWriter { bytes: Vec::new(), seal: sending, limit: options.frame };
        let reading = read(&stream, reader, traffic, detector);
        let writing = write(&stream, frames, traffic, options.heartbeat);
        let listening = silence(detector);
        let Err(error) = or(listening, or(reading, writing)).await;
        error
    }
}

async fn read<T: Traffic>(
    stream: &TcpStream,
    mut reader: FrameReader,
    traffic: &T,
    detector: &RefCell<Detector>,
) -> Result<Infallible, LinkError> {
    let mut buffer = vec![0; READ_SIZE];
    loop {
        while let Some(body) = reader.next()? {
            let frame = frame::decode(body)?;
            if T::is_heartbeat(&frame) {
                detector.borrow_mut().heartbeat(Instant::now().nanos());
            } else {
                traffic.receive(frame)?;
            }
        }
        match read_some(stream, &mut buffer).await? {
            0 if reader.is_between_frames() => return Err(LinkError::Closed),
            0 => return Err(FrameError::CutOff.into()),
            count => reader.push(&buffer[..count]),
        }
    }
}

async fn write<T: Traffic>(
    stream: &TcpStream,
    mut frames: FrameWriter,
    traffic: &T,
    interval: Duration,
) -> Result<Infallible, LinkError> {
    let mut next_heartbeat = Instant::now();
    loop {
        let now = Instant::now();
        if now >= next_heartbeat {
            next_heartbeat = now.saturating_add(interval);
            frames.add(&T::HEARTBEAT)?;
            traffic.tick();
        }
        traffic.send(&mut frames);
        if frames.bytes.is_empty() {
            // Ended by either: there is work, or a heartbeat is due.
            let _ = timeout_at(next_heartbeat, traffic.work().notified()).await;
        } else {
            write_all(stream, &frames.bytes).await?;
            frames.bytes.clear();
        }
    }
}

/// Waits until the other side is suspected.
async fn silence(detector: &RefCell<Detector>) -> Result<Infallible, LinkError> {
    until_suspected(detector).await;
    Err(LinkError::Silent)
}

/// Waits until the other side is suspected.
pub(super) async fn until_suspected(detector: &RefCell<Detector>) {
    loop {
        let suspected_at = detector.borrow().suspected_at();
        let rest = suspected_at.saturating_sub(Instant::now().nanos());
        if rest == 0 {
            return;
        }
        sleep(Duration::from_nanos(rest)).await;
    }
}

async fn read_some(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    poll_fn(|context| Pin::new(&mut stream).poll_read(context, buffer)).await
}

async fn write_all(mut stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = poll_fn(|context| Pin::new(&mut stream).poll_write(context, bytes)).await?;
        bytes = &bytes[count..];
    }
    Ok(())
}

/// A greeting is short; nobody is known yet who could ask for more room.
const GREETING_SIZE_MAX: usize = 1 << 10;

const READ_SIZE: usize = 16 << 10;

/// So much is gathered before it is written.
const WRITE_SIZE: usize = 32 << 10;
