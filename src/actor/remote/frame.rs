//! Frames: how a stream of bytes is cut into pieces, sans-io.
//!
//! ```text
//! | length: u32 | version: u8 | body: postcard | seal: 16 bytes, once both sides know each other |
//!               `---------------- length bytes -------------------------------------------------'
//! ```
//!
//! Numbers are little endian. The length and the version stay as they are in all versions, so that a peer
//! of another one can be told of it. A frame that is too long is refused when its length is read, before
//! room is made for it.
//!
//! A seal is an HMAC over direction, number and content of the frame, under a key that both have agreed on
//! ([`handshake`](super::handshake)): a frame that was changed, left out, repeated or put in by somebody
//! between the two is found. It hides nothing.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use super::error::FrameError;

/// The version that this code speaks.
pub(super) const VERSION: u8 = 1;

/// Bytes of the length.
const LENGTH_SIZE: usize = 4;

/// Bytes of a seal: half of the hash, as is usual.
const SEAL_SIZE: usize = 16;

/// Adds a frame to the bytes that are to be written.
///
/// # Errors
/// [`FrameError::TooLarge`] when it is longer than the limit; then nothing was added.
pub(super) fn encode<T: Serialize>(
    body: &T,
    limit: usize,
    seal: Option<&mut Seal>,
    bytes: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let start = bytes.len();
    let mut filled = std::mem::take(bytes);
    filled.extend([0; LENGTH_SIZE]);
    filled.push(VERSION);
    *bytes =
        postcard::to_extend(body, filled).expect("a frame has no type that has no form in bytes");
    let sealed_size = if seal.is_some() { SEAL_SIZE } else { 0 };
    let size = bytes.len() - start - LENGTH_SIZE + sealed_size;
    let length = match u32::try_from(size) {
        Ok(length) if size <= limit => length,
        _ => {
            bytes.truncate(start);
            return Err(FrameError::TooLarge { size, limit });
        }
    };
    bytes[start..start + LENGTH_SIZE].copy_from_slice(&length.to_le_bytes());
    if let Some(seal) = seal {
        let tag = seal.next(&bytes[start..]);
        bytes.extend(tag);
    }
    Ok(())
}

/// Reads the body of a frame: all of it has to be used.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(FrameError::Malformed { size: body.len() }),
    }
}

/// Cuts what is read into frames, however it comes in pieces.
#[derive(Debug)]
pub(super) struct FrameReader {
    bytes: Vec<u8>,
    /// What of it has been returned.
    taken: usize,
    limit: usize,
    seal: Option<Seal>,
}

impl FrameReader {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), taken: 0, limit, seal: None }
    }

    /// From the next frame on, frames may be so long and have to bear these seals.
    pub(super) fn expect(&mut self, limit: usize, seal: Seal) {
        self.limit = limit;
        self.seal = Some(seal);
    }

    /// Takes what was read.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 && self.taken * 2 >= self.bytes.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the body of the next frame, if all of it is there.
    ///
    /// # Errors
    /// After an error, where frames begin is not known any more: the stream is of no use.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let rest = &self.bytes[self.taken..];
        let Some((length, after)) = rest.split_first_chunk::<LENGTH_SIZE>() else {
            return Ok(None);
        };
        let size = usize::try_from(u32::from_le_bytes(*length)).expect("64 bits hold 32");
        if size > self.limit {
            return Err(FrameError::TooLarge { size, limit: self.limit });
        }
        // Before the rest is waited for: a peer of another version may never send it.
        match after.first() {
            Some(&VERSION) | None => {}
            Some(&found) => return Err(FrameError::Version { found, supported: VERSION }),
        }
        let sealed_size = if self.seal.is_some() { SEAL_SIZE } else { 0 };
        let Some(body_size) = size.checked_sub(1 + sealed_size) else {
            return Err(FrameError::Malformed { size });
        };
        if after.len() < size {
            return Ok(None);
        }
        let body_start = self.taken + LENGTH_SIZE + 1;
        let (start, body_end) = (self.taken, body_start + body_size);
        self.taken = body_end + sealed_size;
        if let Some(seal) = &mut self.seal {
            seal.check(&self.bytes[start..body_end], &self.bytes[body_end..self.taken])?;
        }
        Ok(Some(&self.bytes[body_start..body_end]))
    }

    /// Says whether the stream may end here: not within a frame.
    pub(super) fn is_between_frames(&self) -> bool {
        self.taken == self.bytes.len()
    }
}

/// Seals the frames of one direction of one connection, or checks them.
pub(super) struct Seal {
    /// Has taken the key and the direction already.
    keyed: Hmac<Sha256>,
    /// Number of the next frame.
    number: u64,
}

impl Seal {
    /// Makes the seal of what one side sends; `sender` says which.
    pub(super) fn new(key: &[u8], sender: &[u8]) -> Self {
        let mut keyed = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
        keyed.update(sender);
        Self { keyed, number: 0 }
    }

    fn begin(&mut self, content: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(&self.number.to_le_bytes());
        mac.update(content);
        self.number += 1;
        mac
    }

    fn next(&mut self, content: &[u8]) -> [u8; SEAL_SIZE] {
        let hash = self.begin(content).finalize().into_bytes();
        *hash.first_chunk().expect("a hash is longer than a seal")
    }

    fn check(&mut self, content: &[u8], tag: &[u8]) -> Result<(), FrameError> {
        // In constant time.
        self.begin(content).verify_truncated_left(tag).map_err(|_| FrameError::Forged)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Seal").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
