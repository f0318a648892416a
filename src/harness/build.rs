//! Which build of the program this is.

use std::fs::File;
use std::io;

use crate::explore;
use crate::kernel::fold;

/// Returns what tells this build of the program from others: `PARCAE_BUILD` if it is set, or else a hash of the
/// executable's content, in 16 digits.
///
/// Seeds of one build mean the same runs wherever it runs, those of two builds need not. Where the parts of a sweep
/// are run by builds that are made apart from one commit, their content may differ: set the variable to the
/// name of the commit.
#[must_use]
pub fn identity() -> String {
    if let Ok(Some(name)) = explore::variable("PARCAE_BUILD") {
        return name;
    }
    // A program that cannot read itself has no identity; it is not to be taken for another such.
    std::env::current_exe()
        .and_then(|path| hash(File::open(path)?))
        .unwrap_or_else(|error| format!("unknown ({error})"))
}

fn hash(mut file: impl io::Read) -> io::Result<String> {
    let mut block = vec![0; BLOCK_SIZE];
    let mut hash = 0;
    loop {
        let size = fill(&mut file, &mut block)?;
        let (words, rest) = block[..size].as_chunks::<8>();
        hash = words.iter().fold(hash, |hash, word| joined(hash, u64::from_le_bytes(*word)));
        hash = rest.iter().fold(hash, |hash, byte| joined(hash, u64::from(*byte)));
        if size < BLOCK_SIZE {
            return Ok(format!("{hash:016x}"));
        }
    }
}

fn joined(hash: u64, word: u64) -> u64 {
    fold(hash.rotate_left(8) ^ word ^ WORDS[0], WORDS[1])
}

/// Fills a block, or as much of it as there is.
fn fill(file: &mut impl io::Read, block: &mut [u8]) -> io::Result<usize> {
    let mut size = 0;
    while size < block.len() {
        match file.by_ref().read(&mut block[size..]) {
            Ok(0) => break,
            Ok(more) => size += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(size)
}

const BLOCK_SIZE: usize = 1 << 20;
const WORDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xa076_1d64_78bd_642f];

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn every_byte_counts_wherever_it_stands() {
        let mut content = vec![7; (1 << 20) + 13];
        let first = hash(content.as_slice()).unwrap();
        for place in [0, 8, (1 << 20) - 1, 1 << 20, (1 << 20) + 12] {
            content[place] = 8;
            assert_ne!(hash(content.as_slice()).unwrap(), first, "{place}");
            content[place] = 7;
        }
        assert_eq!(hash(content.as_slice()).unwrap(), first);
        content.push(0);
        assert_ne!(hash(content.as_slice()).unwrap(), first, "a byte more");
    }
}
