//! Pooled buffers: the bytes of streams and of large datagrams.
//!
//! The buffer that was given back last is taken first: the next write hits the cache.

/// Names a buffer of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChunkId(u32);

/// Bytes in a buffer that somebody owns. Not `Clone`: it is given back once.
#[derive(Debug)]
pub(crate) struct ChunkRange {
    chunk: ChunkId,
    pub(crate) len: u32,
}

/// All buffers of a run.
#[derive(Debug, Default)]
pub(crate) struct ChunkPool {
    buffers: Vec<Box<[u8]>>,
    /// Those that nobody owns, by their size.
    free: [Vec<ChunkId>; SIZES.len()],
}

impl ChunkPool {
    /// Puts bytes, at most 65,536 of them, into a buffer.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> ChunkRange {
        assert!(bytes.len() <= CHUNK_MAX, "a buffer has at most {CHUNK_MAX} bytes");
        let mut range = self.take(bytes.len());
        self.append(&mut range, bytes);
        range
    }

    /// Returns an empty range of a buffer that has room for so much, or for as much as a buffer can.
    pub(super) fn take(&mut self, room: usize) -> ChunkRange {
        let class = SIZES.iter().position(|size| room <= *size).unwrap_or(SIZES.len() - 1);
        let chunk = self.free[class].pop().unwrap_or_else(|| {
            let number = u32::try_from(self.buffers.len()).expect("there is not so much memory");
            self.buffers.push(vec![0; SIZES[class]].into_boxed_slice());
            ChunkId(number)
        });
        ChunkRange { chunk, len: 0 }
    }

    /// Adds as many bytes to a range as its buffer has room for; returns how many.
    #[inline]
    pub(super) fn append(&mut self, range: &mut ChunkRange, bytes: &[u8]) -> usize {
        let start = range.len as usize;
        let buffer = &mut self.buffers[range.chunk.0 as usize];
        let count = bytes.len().min(buffer.len() - start);
        buffer[start..start + count].copy_from_slice(&bytes[..count]);
        range.len += u32::try_from(count).expect("a buffer has at most 65,536 bytes");
        count
    }

    #[inline]
    pub(crate) fn bytes(&self, range: &ChunkRange) -> &[u8] {
        &self.buffers[range.chunk.0 as usize][..range.len as usize]
    }

    pub(crate) fn bytes_mut(&mut self, range: &ChunkRange) -> &mut [u8] {
        &mut self.buffers[range.chunk.0 as usize][..range.len as usize]
    }

    #[inline]
    pub(crate) fn give_back(&mut self, range: ChunkRange) {
        let size = self.buffers[range.chunk.0 as usize].len();
        let class = SIZES.iter().position(|known| *known == size).expect("one of the sizes");
        self.free[class].push(range.chunk);
    }

    /// Returns how many buffers are in use.
    #[cfg(test)]
    pub(crate) fn used_count(&self) -> usize {
        self.buffers.len() - self.free.iter().map(Vec::len).sum::<usize>()
    }
}

/// Sizes of buffers: a message, a page, a large write.
const SIZES: [usize; 3] = [256, 4_096, CHUNK_MAX];

/// Size of the largest buffer: the largest datagram, and the largest segment, fits.
const CHUNK_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_as_large_as_needed_and_is_used_again() {
        let mut pool = ChunkPool::default();
        for len in [0, 1, 256, 257, 4_096, 4_097, 65_507, 65_536] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let range = pool.store(&bytes);
            assert_eq!(pool.bytes(&range), bytes);
            pool.give_back(range);
        }
        assert_eq!((pool.used_count(), pool.buffers.len()), (0, 3));
    }

    #[test]
    fn a_buffer_takes_what_fits_into_it() {
        let mut pool = ChunkPool::default();
        let mut range = pool.take(10);
        assert_eq!(pool.append(&mut range, &[1; 200]), 200);
        assert_eq!(pool.append(&mut range, &[2; 200]), 56);
        assert_eq!(pool.append(&mut range, &[3; 200]), 0);
        assert_eq!(pool.bytes(&range), [[1; 200].as_slice(), &[2; 56]].concat());
        assert_eq!(pool.used_count(), 1);
    }
}
