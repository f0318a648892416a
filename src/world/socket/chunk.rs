//! Pooled buffers: 256 B, 4 KiB, 64 KiB.

/// Names a buffer of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChunkId(pub(crate) u32);

/// Bytes in a buffer that somebody owns. Not `Clone`: it is given back once.
#[derive(Debug)]
pub(crate) struct ChunkRange {
    pub(crate) chunk: ChunkId,
    pub(crate) len: u32,
}

/// All buffers of a run.
#[derive(Debug, Default)]
pub(crate) struct ChunkPool {
    _part_d: (),
}

impl ChunkPool {
    /// Puts bytes, at most 65,536 of them, into a buffer.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> ChunkRange {
        panic!("part D")
    }

    pub(crate) fn bytes(&self, range: &ChunkRange) -> &[u8] {
        panic!("part D")
    }

    pub(crate) fn bytes_mut(&mut self, range: &ChunkRange) -> &mut [u8] {
        panic!("part D")
    }

    pub(crate) fn give_back(&mut self, range: ChunkRange) {
        panic!("part D")
    }

    /// Returns how many buffers are in use.
    pub(crate) fn used_count(&self) -> usize {
        panic!("part D")
    }
}
