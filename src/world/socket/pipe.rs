//! The bytes of one direction of a connection.
//!
//! The writer's kernel keeps what it may have to send again, the reader's what was not read. In a
//! simulation both are one queue: the writer appends, the reader reads as far as segments were
//! delivered, and what both are done with is given back. Segments carry numbers, not bytes.
//!
//! A pipe exists while there is something in it, and for a while after that. May not know TCP: whoever calls says how far an end is.

use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::num::NonZeroU32;

use super::chunk::{ChunkPool, ChunkRange};
use super::table::SocketKey;

/// Names a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PipeId(NonZeroU32);

/// One direction. Places are counted in bytes from the beginning of the stream.
#[derive(Debug)]
pub(super) struct Pipe {
    chunks: VecDeque<ChunkRange>,
    /// Place of the first byte that is kept.
    start: u64,
    /// Place after the last byte that was written.
    end: u64,
    /// Place of the next byte that is read; the end of all places when nobody will read.
    read: u64,
    /// Place of the first byte that may have to be sent again; the end of all places when none will be.
    needed: u64,
    /// Both ends, while they exist.
    pub(super) writer: Option<SocketKey>,
    pub(super) reader: Option<SocketKey>,
    /// Whether it is among those that have become empty.
    is_idle: bool,
}

/// All pipes of a run.
///
/// A pipe that is empty stays open until so many others have become empty after it: who sends and
/// waits for an answer, again and again, opens one once. Those that are free keep their memory.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    pipes: Vec<Pipe>,
    free: Vec<PipeId>,
    /// Pipes that have become empty, the oldest first.
    idle: VecDeque<PipeId>,
}

impl Pipe {
    /// Returns the place of the next byte that is read.
    pub(super) fn read_place(&self) -> u64 {
        self.read
    }

    /// Returns the place of the next byte that is written.
    pub(super) fn write_place(&self) -> u64 {
        self.end
    }
}

impl Pipes {
    /// Opens an empty pipe at a place of its stream.
    pub(super) fn open(&mut self, at: u64, writer: SocketKey, reader: Option<SocketKey>) -> PipeId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.pipes.push(Pipe {
                chunks: VecDeque::new(),
                start: 0,
                end: 0,
                read: 0,
                needed: 0,
                writer: None,
                reader: None,
                is_idle: false,
            });
            let number = u32::try_from(self.pipes.len()).ok().and_then(NonZeroU32::new);
            PipeId(number.expect("a run has fewer than 2^32 connections"))
        });
        let pipe = self.get_mut(id);
        (pipe.start, pipe.end, pipe.needed) = (at, at, at);
        pipe.read = if reader.is_some() { at } else { NEVER };
        (pipe.writer, pipe.reader) = (Some(writer), reader);
        id
    }

    #[inline]
    pub(super) fn get(&self, id: PipeId) -> &Pipe {
        &self.pipes[id.0.get() as usize - 1]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: PipeId) -> &mut Pipe {
        &mut self.pipes[id.0.get() as usize - 1]
    }

    /// The reader has read so many bytes.
    #[inline]
    pub(super) fn advance(&mut self, pool: &mut ChunkPool, id: PipeId, count: usize) {
        let pipe = self.get_mut(id);
        pipe.advance(pool, count);
        self.rest(id);
    }

    /// What is before a place will not be sent again; the end of all places is after the last time.
    #[inline]
    pub(super) fn settle(&mut self, pool: &mut ChunkPool, id: PipeId, needed: u64) {
        let pipe = self.get_mut(id);
        if needed > pipe.needed {
            pipe.settle(pool, needed);
            self.rest(id);
        }
    }

    /// Takes note of a pipe that has become empty.
    #[inline]
    fn rest(&mut self, id: PipeId) {
        let pipe = self.get_mut(id);
        if pipe.is_empty() && !pipe.is_idle {
            pipe.is_idle = true;
            self.idle.push_back(id);
        }
    }

    /// Tells whether more of them have become empty than are kept.
    #[inline]
    pub(super) fn has_too_many(&self) -> bool {
        self.idle.len() > IDLE_MAX
    }

    /// Returns a pipe that is empty and has been longest, if there are more of them than are kept.
    pub(super) fn one_too_many(&mut self) -> Option<PipeId> {
        while self.has_too_many() {
            let id = self.idle.pop_front().expect("there are some");
            let pipe = self.get_mut(id);
            if std::mem::take(&mut pipe.is_idle) && pipe.is_empty() {
                return Some(id);
            }
        }
        None
    }

    /// Gives a pipe back that has nothing in it.
    pub(super) fn close(&mut self, id: PipeId) {
        let pipe = self.get_mut(id);
        pipe.is_idle = false;
        assert!(pipe.chunks.is_empty(), "a pipe that is closed is empty");
        (pipe.writer, pipe.reader) = (None, None);
        self.free.push(id);
    }

    /// Returns how many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.pipes.len() - self.free.len()
    }
}

impl Pipe {
    /// Appends bytes.
    #[inline]
    pub(super) fn write(&mut self, pool: &mut ChunkPool, mut bytes: &[u8]) {
        self.end += bytes.len() as u64;
        if let Some(last) = self.chunks.back_mut() {
            bytes = &bytes[pool.append(last, bytes)..];
        }
        while !bytes.is_empty() {
            // The more there is, the larger the next buffer: a writer of single bytes does not make a
            // thousand small ones.
            let held = usize::try_from(self.end - self.start).unwrap_or(usize::MAX);
            let mut range = pool.take(if self.chunks.is_empty() { bytes.len() } else { held });
            bytes = &bytes[pool.append(&mut range, bytes)..];
            self.chunks.push_back(range);
        }
    }

    /// Copies the next `count` bytes to the reader's buffers, which have room for them. They stay.
    #[inline]
    pub(super) fn copy_to(&self, pool: &ChunkPool, count: usize, buffers: &mut [IoSliceMut<'_>]) {
        let (mut buffers, mut at) = (buffers.iter_mut(), 0);
        let mut buffer = buffers.next();
        self.visit(pool, self.read, count, |mut bytes| {
            while !bytes.is_empty() {
                let current = buffer.as_mut().expect("the buffers have room for it");
                let room = &mut current[at..];
                let part = room.len().min(bytes.len());
                room[..part].copy_from_slice(&bytes[..part]);
                (bytes, at) = (&bytes[part..], at + part);
                if part == room.len() {
                    (buffer, at) = (buffers.next(), 0);
                }
            }
        });
    }

    /// Appends `count` bytes from a place on to a vector.
    pub(super) fn copy_range(&self, pool: &ChunkPool, from: u64, count: usize) -> Vec<u8> {
        let mut copied = Vec::with_capacity(count);
        self.visit(pool, from, count, |bytes| copied.extend_from_slice(bytes));
        copied
    }

    /// Hands out `count` bytes from a place on, piece by piece.
    #[inline]
    fn visit(&self, pool: &ChunkPool, from: u64, count: usize, mut visit: impl FnMut(&[u8])) {
        assert!(
            from >= self.start && from + count as u64 <= self.end,
            "bytes {from} and {count} more are not in a pipe of {}..{}",
            self.start,
            self.end
        );
        let mut skip = usize::try_from(from - self.start).expect("what is kept fits into memory");
        let mut left = count;
        for chunk in &self.chunks {
            if left == 0 {
                return;
            }
            let bytes = pool.bytes(chunk);
            if skip >= bytes.len() {
                skip -= bytes.len();
                continue;
            }
            let piece = &bytes[skip..bytes.len().min(skip + left)];
            visit(piece);
            (skip, left) = (0, left - piece.len());
        }
    }

    #[inline]
    fn advance(&mut self, pool: &mut ChunkPool, count: usize) {
        self.read += count as u64;
        self.release(pool);
    }

    /// Nobody will read any more.
    pub(super) fn leave_reader(&mut self, pool: &mut ChunkPool) {
        (self.read, self.reader) = (NEVER, None);
        self.release(pool);
    }

    #[inline]
    fn settle(&mut self, pool: &mut ChunkPool, needed: u64) {
        if needed > self.needed {
            self.needed = needed;
            self.release(pool);
        }
    }

    /// Nothing will be written or sent any more.
    pub(super) fn leave_writer(&mut self, pool: &mut ChunkPool) {
        self.writer = None;
        self.settle(pool, NEVER);
    }

    /// Tells whether nothing is kept.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Gives back what both ends are done with.
    #[inline]
    fn release(&mut self, pool: &mut ChunkPool) {
        let done = self.read.min(self.needed).min(self.end);
        while let Some(first) = self.chunks.front() {
            let after = self.start + u64::from(first.len);
            if after > done {
                return;
            }
            self.start = after;
            pool.give_back(self.chunks.pop_front().expect("there is one"));
        }
    }
}

/// The end of all places.
const NEVER: u64 = u64::MAX;

/// Pipes that are kept open though they are empty.
const IDLE_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::super::arena::Arena;
    use super::*;

    fn key() -> SocketKey {
        SocketKey(Arena::default().insert(()))
    }

    fn size(count: u64) -> usize {
        usize::try_from(count).expect("a pipe fits into memory")
    }

    /// Bytes as their places say.
    fn content(from: u64, count: usize) -> Vec<u8> {
        (from..from + count as u64).map(|place| (place % 251) as u8).collect()
    }

    /// Writes, reads and acknowledgements of all sizes, in any order: what is read is what was written,
    /// and in the end no buffer is kept.
    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut state = 3_u64;
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % limit.max(1)
        };
        for round in 0..200 {
            let (mut pipes, mut pool) = (Pipes::default(), ChunkPool::default());
            let begin = below(1 << 40);
            let id = pipes.open(begin, key(), Some(key()));
            let pipe = pipes.get_mut(id);
            let (mut read, mut needed, mut written) = (begin, begin, begin);
            let most = [20, 700, 30_000, 200_000][round % 4];
            for _ in 0..60 {
                let count = size(below(most));
                pipe.write(&mut pool, &content(written, count));
                written += count as u64;
                let count = size(below((written - read).min(most) + 1));
                let split = size(below(count as u64 + 1));
                let mut bytes = vec![0; count];
                let (one, two) = bytes.split_at_mut(split);
                let mut empty = [];
                let mut buffers =
                    [one, &mut empty, two].map(|slice: &mut [u8]| IoSliceMut::new(slice));
                pipe.copy_to(&pool, count, &mut buffers);
                assert_eq!(bytes, content(read, count));
                pipe.advance(&mut pool, count);
                read += count as u64;
                needed += below(written - needed + 1);
                pipe.settle(&mut pool, needed);
                let kept = size(written - needed);
                assert_eq!(pipe.copy_range(&pool, needed, kept), content(needed, kept));
            }
            pipe.settle(&mut pool, written);
            assert_eq!(pipe.is_empty(), read == written);
            pipe.leave_reader(&mut pool);
            assert!(pipe.is_empty());
            pipes.close(id);
            assert_eq!((pool.used_count(), pipes.count()), (0, 0));
        }
    }

    #[test]
    fn bytes_are_kept_for_whoever_needs_them_still() {
        let (mut pipes, mut pool) = (Pipes::default(), ChunkPool::default());
        let id = pipes.open(0, key(), Some(key()));
        let pipe = pipes.get_mut(id);
        pipe.write(&mut pool, &content(0, 100));
        pipe.leave_writer(&mut pool);
        let mut bytes = [0; 100];
        pipe.copy_to(&pool, 100, &mut [IoSliceMut::new(&mut bytes)]);
        assert_eq!(bytes.as_slice(), content(0, 100));
        pipe.advance(&mut pool, 99);
        assert!(!pipe.is_empty());
        pipe.advance(&mut pool, 1);
        assert!(pipe.is_empty());

        let id = pipes.open(100, key(), Some(key()));
        let pipe = pipes.get_mut(id);
        pipe.write(&mut pool, &content(100, 50));
        pipe.leave_reader(&mut pool);
        assert_eq!(pipe.copy_range(&pool, 100, 50), content(100, 50));
        pipe.settle(&mut pool, 149);
        assert!(!pipe.is_empty());
        pipe.settle(&mut pool, 150);
        assert!(pipe.is_empty());
    }

    #[test]
    fn many_small_writes_share_buffers() {
        let (mut pipes, mut pool) = (Pipes::default(), ChunkPool::default());
        let id = pipes.open(0, key(), Some(key()));
        let pipe = pipes.get_mut(id);
        for place in 0..262_144 {
            pipe.write(&mut pool, &content(place, 1));
        }
        assert!(pool.used_count() <= 8, "{} buffers", pool.used_count());
    }
}
