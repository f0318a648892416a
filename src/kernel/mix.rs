//! The one pseudo-random function of a run.

use super::{Key, Seed};

/// Returns 64 bits that depend on the seed and on all of the key, and on nothing else.
///
/// Equal arguments give equal bits on every platform and in every version of this minor release;
/// golden values in the tests freeze them. Not for secrets.
///
/// # Source
/// The 64x64 to 128 bit multiply-and-fold of wyhash (Wang Yi), finished with the 64-bit finalizer
/// of `MurmurHash3` (Austin Appleby).
#[must_use]
pub fn prf(seed: Seed, key: Key) -> u64 {
    let (seed, stream) = (seed.get(), key.stream.get());
    // A fold with a zero operand is zero and forgets the other: both are added once more.
    let seeded = fold(seed ^ PRIMES[0], stream ^ PRIMES[1]) ^ seed ^ stream.rotate_left(32);
    let placed = fold(seeded ^ u64::from(key.site), key.ordinal ^ PRIMES[2]);
    finish(fold(placed ^ PRIMES[3], seeded ^ PRIMES[0]))
}

/// Folds the 128-bit product of two words into one.
#[inline]
pub(crate) const fn fold(left: u64, right: u64) -> u64 {
    let product = left as u128 * right as u128;
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// Returns a 64-bit hash of a text, the same in a `const` and at run time (FNV-1a, finished).
pub(crate) const fn hash_text(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut index = 0;
    while index < bytes.len() {
        state = (state ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    finish(state)
}

const fn finish(word: u64) -> u64 {
    let word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// Odd words with as many ones as zeros in every byte position pattern (from wyhash's secret).
pub(super) const PRIMES: [u64; 4] =
    [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3];
