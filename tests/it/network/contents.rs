//! Bytes of streams as a function of stream and offset, so that one byte at a wrong place is seen.

use std::sync::LazyLock;

/// The longest piece that [`piece`] gives.
pub(super) const PIECE_MAX: usize = 64 * 1024;

/// Returns bytes of a stream.
pub(super) fn piece(stream: u64, offset: u64, count: usize) -> &'static [u8] {
    let start = usize::try_from((stream * STRIDE + offset) % PERIOD).unwrap();
    &TABLE[start..start + count]
}

/// Finds the first wrong byte of a piece that was read.
#[track_caller]
pub(super) fn check(stream: u64, offset: u64, read: &[u8]) {
    let wanted = piece(stream, offset, read.len());
    if read != wanted {
        let wrong = read.iter().zip(wanted).position(|(read, wanted)| read != wanted).unwrap();
        panic!("byte {} of stream {stream} is wrong", offset + wrong as u64);
    }
}

/// A prime, so that no power of two moves a piece onto itself.
const PERIOD: u64 = 65_521;

const STRIDE: u64 = 7919;

static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mixed = |index: u64| {
        let word = (index % PERIOD + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (word ^ word >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes()[0]
    };
    (0..PERIOD + PIECE_MAX as u64).map(mixed).collect()
});
