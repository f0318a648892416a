//! How two machines come to know each other, sans-io: a mutual challenge and response with a shared key.
//!
//! ```text
//! dialer                                               listener
//!   | -- Hello     { who, whom, nonce } ------------------> |
//!   | <- Challenge { who, nonce } ------------------------- |
//!   | -- Proof     { HMAC("dialer",   transcript) } ------> |   the key, then the list, is looked at
//!   | <- Welcome   { HMAC("listener", transcript) } ------- |   the key is looked at
//!   | == frames, sealed with HMAC("session", transcript) == |
//! ```
//!
//! The transcript holds the version, both names and incarnations, and both nonces. So an answer is of use for
//! these two processes and this one connection only: what was heard on another connection, or is sent
//! back to whom it came from, proves nothing. The dialer proves itself first: a stranger gets nothing from a
//! listener that depends on the key.
//!
//! Nonces are numbers of [`rng`](crate::rng::rng()) under an HMAC of the key. That generator has 64 bits of the system's
//! chance, which alone would be too few: whoever guesses a nonce can collect the answer to it ahead of time.
//!
//! # Source
//! H. Krawczyk, "SIGMA: the SIGn-and-MAc approach to authenticated Diffie-Hellman", 2003, on what has to be under
//! the MAC; R. Bird and others, "Systematic design of two-party authentication protocols", 1991, on reflection.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::error::{LinkError, Refusal};
use super::frame::{Seal, VERSION};

/// Who a process is: a name, and a number that no other process of this name has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) incarnation: u64,
}

/// The frames before both know each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Greeting {
    Hello(Hello),
    Challenge(Challenge),
    Proof(Proof),
    Welcome(Proof),
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) who: Identity,
    pub(super) nonce: Nonce,
    pub(super) call: Call,
}

/// Which connection of a dialer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    /// One for each address that it dials: two of them may lead to one machine.
    pub(super) line: u64,
    /// Counts the connections of the line: of two, the later one is in force.
    pub(super) attempt: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Challenge {
    pub(super) who: Identity,
    pub(super) nonce: Nonce,
}

pub(super) type Nonce = [u8; 32];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof([u8; 32]);

/// What frames are sealed with from now on, and who is at the other end.
#[derive(Debug)]
pub(super) struct Established {
    pub(super) peer: Identity,
    pub(super) call: Call,
    pub(super) sending: Seal,
    pub(super) receiving: Seal,
}

/// A key that all machines of a system have. It is not shown.
#[derive(Clone)]
pub(super) struct Key(Vec<u8>);

impl Key {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Makes a nonce of random bytes.
    pub(super) fn nonce(&self, random: &[u8; 32]) -> Nonce {
        self.mac(b"parcae nonce", random).finalize().into_bytes().into()
    }

    fn mac(&self, purpose: &[u8], content: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key may have any length");
        // With its length, so that no purpose and content are those of others.
        mac.update(&length(purpose));
        mac.update(purpose);
        mac.update(content);
        mac
    }

    fn prove(&self, side: &[u8], transcript: &[u8]) -> Proof {
        Proof(self.mac(side, transcript).finalize().into_bytes().into())
    }

    /// Compares in constant time.
    fn proves(&self, side: &[u8], transcript: &[u8], proof: &Proof) -> bool {
        self.mac(side, transcript).verify_slice(&proof.0).is_ok()
    }

    fn established(
        &self,
        side: Side,
        peer: Identity,
        call: Call,
        transcript: &[u8],
    ) -> Established {
        let session = self.mac(b"parcae session", transcript).finalize().into_bytes();
        let [dialer, listener] = [DIALER, LISTENER].map(|sender| Seal::new(&session, sender));
        let (sending, receiving) = match side {
            Side::Dialer => (dialer, listener),
            Side::Listener => (listener, dialer),
        };
        Established { peer, call, sending, receiving }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

#[derive(Clone, Copy)]
enum Side {
    Dialer,
    Listener,
}

/// The side that connected; made with what it says first.
#[derive(Debug)]
pub(super) struct Dialer {
    hello: Hello,
    state: DialerState,
}

#[derive(Debug)]
enum DialerState {
    Greeted,
    Proved { peer: Identity, transcript: Vec<u8> },
}

/// What a side does next.
#[derive(Debug)]
pub(super) enum Step {
    Answer(Greeting),
    /// The dialer is done. (The listener is when it has sent its welcome.)
    Done(Box<Established>),
    /// The listener is done when it has sent this.
    AnswerAndDone(Greeting, Box<Established>),
}

impl Dialer {
    pub(super) fn new(who: Identity, nonce: Nonce, call: Call) -> (Self, Greeting) {
        let hello = Hello { who, nonce, call };
        let greeting = Greeting::Hello(hello.clone());
        (Self { hello, state: DialerState::Greeted }, greeting)
    }

    /// Takes what the listener says.
    pub(super) fn on(&mut self, key: &Key, greeting: Greeting) -> Result<Step, LinkError> {
        match (&self.state, greeting) {
            (_, Greeting::Refused(refusal)) => Err(refusal.into()),
            (DialerState::Greeted, Greeting::Challenge(challenge)) => {
                // Somebody sends back what this side says, or it has dialed itself.
                if challenge.who == self.hello.who || challenge.nonce == self.hello.nonce {
                    return Err(LinkError::Refused(Refusal::Oneself));
                }
                let transcript = transcript(&self.hello, &challenge);
                let proof = key.prove(DIALER, &transcript);
                self.state = DialerState::Proved { peer: challenge.who, transcript };
                Ok(Step::Answer(Greeting::Proof(proof)))
            }
            (DialerState::Proved { peer, transcript }, Greeting::Welcome(proof)) => {
                if !key.proves(LISTENER, transcript, &proof) {
                    return Err(LinkError::NotAuthentic);
                }
                let call = self.hello.call;
                let established = key.established(Side::Dialer, peer.clone(), call, transcript);
                Ok(Step::Done(Box::new(established)))
            }
            _ => Err(LinkError::OutOfTurn),
        }
    }
}

/// The side that accepted.
#[derive(Debug)]
pub(super) struct Acceptor {
    challenge: Challenge,
    hello: Option<Hello>,
}

impl Acceptor {
    pub(super) fn new(who: Identity, nonce: Nonce) -> Self {
        Self { challenge: Challenge { who, nonce }, hello: None }
    }

    /// Takes what the dialer says. `is_allowed` is asked about names of those who have the key only.
    pub(super) fn on(
        &mut self,
        key: &Key,
        greeting: Greeting,
        is_allowed: impl FnOnce(&str) -> bool,
    ) -> Result<Step, Refusal> {
        match (&self.hello, greeting) {
            (None, Greeting::Hello(hello)) => {
                if hello.who == self.challenge.who || hello.nonce == self.challenge.nonce {
                    return Err(Refusal::Oneself);
                }
                self.hello = Some(hello);
                Ok(Step::Answer(Greeting::Challenge(self.challenge.clone())))
            }
            (Some(hello), Greeting::Proof(proof)) => {
                let transcript = transcript(hello, &self.challenge);
                if !key.proves(DIALER, &transcript, &proof) {
                    return Err(Refusal::WrongKey);
                }
                if !is_allowed(&hello.who.name) {
                    return Err(Refusal::NotAllowed);
                }
                let (peer, call) = (hello.who.clone(), hello.call);
                let established = key.established(Side::Listener, peer, call, &transcript);
                let welcome = Greeting::Welcome(key.prove(LISTENER, &transcript));
                Ok(Step::AnswerAndDone(welcome, Box::new(established)))
            }
            _ => Err(Refusal::Malformed),
        }
    }
}

/// What both have said, each part with its length before it.
fn transcript(hello: &Hello, challenge: &Challenge) -> Vec<u8> {
    let mut transcript = vec![VERSION];
    for (who, nonce) in [(&hello.who, &hello.nonce), (&challenge.who, &challenge.nonce)] {
        transcript.extend(length(who.name.as_bytes()));
        transcript.extend(who.name.as_bytes());
        transcript.extend(who.incarnation.to_le_bytes());
        transcript.extend(nonce);
    }
    transcript.extend(hello.call.line.to_le_bytes());
    transcript.extend(hello.call.attempt.to_le_bytes());
    transcript
}

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).expect("64 bits hold a length").to_le_bytes()
}

const DIALER: &[u8] = b"parcae dialer";
const LISTENER: &[u8] = b"parcae listener";

#[cfg(test)]
mod tests;
