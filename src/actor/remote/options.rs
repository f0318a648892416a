//! How a machine takes part.

use std::sync::Arc;
use std::time::Duration;

use super::detector::Detection;
use super::entrance::Doors;
use super::handshake::Key;
use super::local::Exposed;
use super::protocol::RemoteActor;
use crate::retry::Backoff;

/// How a machine takes part in a system of machines whose actors talk to each other.
///
/// # Examples
/// ```
/// use parcae::actor::remote::{Detection, Options};
/// use std::time::Duration;
///
/// let options = Options::new("store-1", b"32 random bytes from a safe place")
///     .listen("[::]:7437")
///     .allow(["store-2", "store-3"])
///     .detection(Detection::phi().with_pause(Duration::from_secs(5)));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
#[must_use = "it says how and does nothing"]
pub struct Options {
    pub(super) name: String,
    pub(super) key: Key,
    pub(super) address: Option<String>,
    pub(super) allowed: Option<Vec<String>>,
    pub(super) detection: Detection,
    pub(super) heartbeat: Duration,
    pub(super) backoff: Backoff,
    pub(super) greeting: Duration,
    pub(super) linger: Duration,
    pub(super) frame: usize,
    pub(super) window: u32,
    pub(super) outgoing: u32,
    pub(super) doors: Doors,
}

impl Options {
    /// Makes options for a machine of this name, with the key that all machines of the system have.
    ///
    /// The name is the one that lists of allowed peers hold; addresses are another matter. By default it listens at
    /// port 7437 of all addresses, and lets everybody in who has the key.
    pub fn new(name: impl Into<String>, key: &[u8]) -> Self {
        Self {
            name: name.into(),
            key: Key::new(key),
            address: Some(format!("[::]:{PORT}")),
            allowed: None,
            detection: Detection::default(),
            heartbeat: Duration::from_secs(1),
            backoff: Backoff::exponential(Duration::from_millis(100), 2)
                .cap(Duration::from_secs(5)),
            greeting: Duration::from_secs(5),
            linger: Duration::from_secs(60),
            frame: 1 << 20,
            window: 64,
            outgoing: 256,
            doors: Doors::default(),
        }
    }

    /// Listens at this address, such as `"[::]:7437"`; port 0 is any that is free.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Listens nowhere: the machine reaches others and is not reached.
    pub fn dial_only(mut self) -> Self {
        self.address = None;
        self
    }

    /// Lets in those of these names only, and of those none without the key.
    pub fn allow<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.allowed = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Lets those actors of this type be reached that have a name. Others cannot be.
    pub fn expose<A: RemoteActor>(mut self) -> Self {
        self.doors.add(Arc::new(Exposed::<A>::new()));
        self
    }

    /// Sets when a machine is taken for dead.
    pub fn detection(mut self, detection: Detection) -> Self {
        self.detection = detection;
        self
    }

    /// Sends a heartbeat so often, when nothing keeps it from that. 1 second.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// Sets how long to wait before a machine is dialed again. From 100 ms to 5 s, doubled, with full jitter.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Gives a connection so long until both sides know each other. 5 seconds.
    pub fn greeting(mut self, limit: Duration) -> Self {
        self.greeting = limit;
        self
    }

    /// Remembers what a peer watches and waits for so long after its connection has gone. 1 minute.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Takes and sends frames of so many bytes at most. 1 MiB. Of two machines the smaller limit counts.
    ///
    /// # Panics
    /// Below 2,048 bytes, in which the frames of the protocol itself would not fit, and above 4 GiB.
    #[track_caller]
    pub fn frame(mut self, bytes: usize) -> Self {
        let least = usize::try_from(FRAME_MIN).expect("64 bits hold it");
        assert!((least..=u32::MAX as usize).contains(&bytes), "a frame of {bytes} bytes at most");
        self.frame = bytes;
        self
    }

    /// Lets so many messages of a peer to one actor come that its mailbox has no room for yet. 64.
    pub fn window(mut self, messages: u32) -> Self {
        self.window = messages.max(1);
        self
    }

    /// Holds so many messages to one actor that were not sent, or not acknowledged, yet. 256. One more is refused,
    /// or waits.
    pub fn outgoing(mut self, messages: u32) -> Self {
        self.outgoing = messages.max(1);
        self
    }

    pub(super) fn allows(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|other| other == name))
    }
}

/// The port that is taken where an address names none.
pub const PORT: u16 = 7437;

/// So many bytes have room for every frame of the protocol itself, whose names and words are bounded.
pub(super) const FRAME_MIN: u64 = 2 << 10;
