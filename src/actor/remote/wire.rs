//! What two machines that know each other say, frame by frame.
//!
//! ```text
//! dialer                                          listener
//!   | -- Begin { session } -------------------------> |
//!   | <- Began { is_resumed } ----------------------- |
//!   | -- Open { channel, actor } -------------------> |   once for each actor that is written to
//!   | <- Grant { channel, granted, expected } ------- |   how many may come, and which have come
//!   | -- Parcel { channel, number, ... } -----------> |
//!   | -- Request { number, ... } -------------------> |   what must not wait for room in a mailbox
//!   | <- Report { number, ... } --------------------- |   answers, and who has ended
//! ```
//!
//! Numbers count what is kept until it is acknowledged ([`delivery`](super::delivery)), for each channel, for requests and
//! for reports on their own.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// A frame of the side that connected.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromDialer {
    Heartbeat,
    Begin {
        /// A session ends when the dialer takes the listener for dead.
        session: u64,
        /// Frames that the dialer takes may be so long.
        limit: u64,
        /// Number of the next report.
        expected: u64,
    },
    Open {
        channel: u32,
        actor: String,
    },
    Parcel {
        channel: u32,
        number: Option<u64>,
        parcel: Shared<Parcel>,
    },
    Request {
        number: u64,
        request: Shared<Request>,
    },
    /// Reports below this number have come.
    Received {
        expected: u64,
    },
}

/// A frame of the side that accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromListener {
    Heartbeat,
    Began {
        /// Whether the listener knows the session still, with what it watches and answers.
        is_resumed: bool,
        limit: u64,
        /// Number of the next request.
        expected: u64,
    },
    Grant {
        channel: u32,
        /// How many parcels may be sent on this channel over this connection, from its beginning on.
        granted: u64,
        /// Number of the next parcel that is kept.
        expected: u64,
    },
    Report {
        number: u64,
        report: Shared<Report>,
    },
    /// Requests below this number have come.
    Received {
        expected: u64,
    },
}

/// What goes to the mailbox of an actor, in order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Parcel {
    Tell {
        kind: String,
        body: Body,
    },
    Ask {
        id: u64,
        kind: String,
        body: Body,
    },
    Stop(Reason),
    Drain,
    /// Takes the place of what is not wanted any more.
    Nothing,
}

/// What is done at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Asks to be told, under this number, when the actor ends.
    Watch {
        id: u64,
        actor: String,
        /// The actor of the dialer that is linked to it: ended with its machine, too.
        linked: Option<String>,
    },
    Unwatch {
        id: u64,
    },
    /// Nobody waits for this answer any more.
    Forget {
        id: u64,
    },
    Kill {
        actor: String,
    },
    /// Somebody that is linked to it has ended.
    Exit {
        actor: String,
        from: String,
        reason: Reason,
    },
}

/// What comes of parcels and requests.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    Answer { id: u64, result: Result<Body, Unanswered> },
    Ended { id: u64, reason: Reason },
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unanswered {
    NoActor,
    UnknownMessage,
    Malformed,
    Full,
    Died(Reason),
    Dropped,
    TooLarge { size: u64, limit: u64 },
}

/// Why an actor has ended, as far as it can be told to another machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reason {
    Normal,
    Shutdown,
    ShutdownFor(String),
    Killed,
    Error(String),
    Panicked(String),
    NoActor,
    NodeDown,
    StartFailed(String),
    Overflow(u32),
}

/// A message as bytes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Body(pub(super) Vec<u8>);

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Body;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Body, E> {
                Ok(Body(bytes.to_vec()))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

/// A value that is kept while it is sent; on the wire it is just the value.
#[derive(Debug)]
pub(super) struct Shared<T>(pub(super) Arc<T>);

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// Returns the value; what came over the wire has no other owner.
    pub(super) fn into_inner(self) -> Option<T> {
        Arc::into_inner(self.0)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(&self.0, serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}
