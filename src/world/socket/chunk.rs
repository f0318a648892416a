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
    buffers: Vec<Vec<u8>>,
    free: Vec<ChunkId>,
}

impl ChunkPool {
    /// Puts bytes, at most 65,536 of them, into a buffer.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> ChunkRange {
        let chunk = self.free.pop().unwrap_or_else(|| {
            self.buffers.push(Vec::new());
            ChunkId(u32::try_from(self.buffers.len() - 1).expect("a stub"))
        });
        bytes.clone_into(&mut self.buffers[chunk.0 as usize]);
        ChunkRange { chunk, len: u32::try_from(bytes.len()).expect("at most 65,536") }
    }

    pub(crate) fn bytes(&self, range: &ChunkRange) -> &[u8] {
        &self.buffers[range.chunk.0 as usize]
    }

    pub(crate) fn bytes_mut(&mut self, range: &ChunkRange) -> &mut [u8] {
        &mut self.buffers[range.chunk.0 as usize]
    }

    pub(crate) fn give_back(&mut self, range: ChunkRange) {
        self.free.push(range.chunk);
    }

    /// Returns how many buffers are in use.
    pub(crate) fn used_count(&self) -> usize {
        self.buffers.len() - self.free.len()
    }
}
