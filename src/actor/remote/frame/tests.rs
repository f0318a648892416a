//! Frames, wherever the stream is cut and whatever was changed.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Body {
    Nothing,
    Text(String),
    Numbers(Vec<u64>),
}

const LIMIT: usize = 1 << 20;

fn bodies() -> Vec<Body> {
    vec![
        Body::Text("one".to_owned()),
        Body::Nothing,
        Body::Numbers((0..300).map(|n| n * 0x0123_4567_89AB).collect()),
        Body::Text(String::new()),
    ]
}

fn bytes_of(bodies: &[Body], mut seal: Option<Seal>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for body in bodies {
        encode(body, LIMIT, seal.as_mut(), &mut bytes).unwrap();
    }
    bytes
}

fn read_all(reader: &mut FrameReader) -> Result<Vec<Body>, FrameError> {
    let mut bodies = Vec::new();
    while let Some(body) = reader.next()? {
        bodies.push(decode(body)?);
    }
    Ok(bodies)
}

fn seal() -> Seal {
    Seal::new(b"key", b"dialer")
}

#[test]
fn a_frame_is_its_length_its_version_and_its_body() {
    let bytes = bytes_of(&[Body::Text("ab".to_owned())], None);
    assert_eq!(bytes, [5, 0, 0, 0, VERSION, 1, 2, b'a', b'b']);
}

#[test]
fn frames_are_read_wherever_the_stream_is_cut() {
    for sealed in [false, true] {
        let bytes = bytes_of(&bodies(), sealed.then(seal));
        for cut in 0..=bytes.len() {
            let mut reader = FrameReader::new(LIMIT);
            if sealed {
                reader.expect(LIMIT, seal());
            }
            reader.push(&bytes[..cut]);
            let mut read = read_all(&mut reader).unwrap();
            reader.push(&bytes[cut..]);
            read.extend(read_all(&mut reader).unwrap());
            assert_eq!(read, bodies(), "cut at {cut}");
            assert!(reader.is_between_frames());
        }
    }
}

#[test]
fn frames_are_read_byte_by_byte() {
    let mut reader = FrameReader::new(LIMIT);
    let mut read = Vec::new();
    for byte in bytes_of(&bodies(), None) {
        reader.push(&[byte]);
        read.extend(read_all(&mut reader).unwrap());
    }
    assert_eq!(read, bodies());
}

#[test]
fn a_stream_that_ends_within_a_frame_is_seen() {
    let bytes = bytes_of(&bodies()[..1], None);
    for cut in 1..bytes.len() {
        let mut reader = FrameReader::new(LIMIT);
        reader.push(&bytes[..cut]);
        assert_eq!(reader.next(), Ok(None));
        assert!(!reader.is_between_frames(), "cut at {cut}");
    }
}

#[test]
fn what_is_too_long_is_refused_at_its_length_and_not_sent() {
    let mut reader = FrameReader::new(10);
    reader.push(&11_u32.to_le_bytes());
    assert_eq!(reader.next(), Err(FrameError::TooLarge { size: 11, limit: 10 }));

    let mut bytes = b"before".to_vec();
    let body = Body::Text("twelve bytes".to_owned());
    // Version, variant, length and the text.
    let result = encode(&body, 14, None, &mut bytes);
    assert_eq!(result, Err(FrameError::TooLarge { size: 15, limit: 14 }));
    assert_eq!(bytes, b"before");
    assert_eq!(encode(&body, 15, None, &mut bytes), Ok(()));
    // Of a sealed one the seal counts, and one that was refused takes no number.
    let mut seals = seal();
    let result = encode(&body, 30, Some(&mut seals), &mut bytes);
    assert_eq!(result, Err(FrameError::TooLarge { size: 31, limit: 30 }));
    assert_eq!(seals.number, 0);
}

#[test]
fn another_version_is_named_before_its_frame_is_there() {
    let mut bytes = bytes_of(&bodies(), None);
    bytes[LENGTH_SIZE] = 9;
    let mut reader = FrameReader::new(LIMIT);
    reader.push(&bytes[..=LENGTH_SIZE]);
    assert_eq!(reader.next(), Err(FrameError::Version { found: 9, supported: VERSION }));
}

#[test]
fn a_frame_without_room_for_its_version_or_seal_is_malformed() {
    for (size, is_sealed) in [(0, false), (0, true), (16, true)] {
        let mut reader = FrameReader::new(LIMIT);
        if is_sealed {
            reader.expect(LIMIT, seal());
        }
        let mut bytes = u32::try_from(size).unwrap().to_le_bytes().to_vec();
        bytes.extend([VERSION; 32]);
        reader.push(&bytes);
        assert_eq!(reader.next(), Err(FrameError::Malformed { size }));
    }
}

#[test]
fn a_body_with_something_behind_it_or_missing_is_malformed() {
    let body = postcard::to_allocvec(&Body::Text("abc".to_owned())).unwrap();
    for size in 0..body.len() {
        let error = decode::<Body>(&body[..size]).unwrap_err();
        assert_eq!(error, FrameError::Malformed { size });
    }
    let longer = [&body[..], &[0]].concat();
    assert_eq!(decode::<Body>(&longer), Err(FrameError::Malformed { size: body.len() + 1 }));
}

/// Reads sealed bytes of which something was changed.
fn read_sealed(bytes: &[u8]) -> Result<Vec<Body>, FrameError> {
    let mut reader = FrameReader::new(LIMIT);
    reader.expect(LIMIT, seal());
    reader.push(bytes);
    read_all(&mut reader)
}

#[test]
fn every_changed_bit_of_a_sealed_frame_is_found() {
    let bytes = bytes_of(&bodies()[..1], Some(seal()));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match read_sealed(&changed) {
            // A longer length waits for what never comes.
            Ok(bodies) => assert!(bodies.is_empty() && bit < LENGTH_SIZE * 8, "bit {bit}"),
            Err(error) => assert_ne!(error, FrameError::CutOff),
        }
    }
}

#[test]
fn a_sealed_frame_that_is_repeated_left_out_or_moved_is_found() {
    let parts: Vec<Vec<u8>> = {
        let mut seal = seal();
        let bytes = bodies().into_iter().map(|body| {
            let mut bytes = Vec::new();
            encode(&body, LIMIT, Some(&mut seal), &mut bytes).unwrap();
            bytes
        });
        bytes.collect()
    };
    let join =
        |order: &[usize]| order.iter().flat_map(|at| parts[*at].clone()).collect::<Vec<u8>>();
    assert_eq!(read_sealed(&join(&[0, 1, 2, 3])), Ok(bodies()));
    for order in [&[0, 0][..], &[1], &[0, 2], &[1, 0]] {
        assert_eq!(read_sealed(&join(order)), Err(FrameError::Forged), "{order:?}");
    }
}

#[test]
fn what_the_other_side_or_another_key_has_sealed_is_refused() {
    for seal in [Seal::new(b"key", b"listener"), Seal::new(b"kex", b"dialer")] {
        assert_eq!(read_sealed(&bytes_of(&bodies(), Some(seal))), Err(FrameError::Forged));
    }
}

/// Bytes that nobody has made: an error or nothing, never a panic, and never more memory than came.
#[test]
fn random_bytes_are_errors_or_incomplete() {
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..20_000 {
        let mut bytes = vec![0; usize::try_from(chance.next_u32() % 64).unwrap()];
        chance.fill_bytes(&mut bytes);
        // Else all lengths would be too long.
        for byte in bytes.iter_mut().take(LENGTH_SIZE).skip(1) {
            *byte = 0;
        }
        let mut reader = FrameReader::new(48);
        while !bytes.is_empty() {
            let size = 1 + usize::try_from(chance.next_u32()).unwrap() % bytes.len();
            reader.push(&bytes.drain(..size).collect::<Vec<_>>());
            if read_all(&mut reader).is_err() {
                break;
            }
        }
        assert!(reader.bytes.capacity() <= 256);
    }
}

#[test]
fn what_was_read_does_not_pile_up() {
    let bytes = bytes_of(&bodies(), None);
    let mut reader = FrameReader::new(LIMIT);
    for _ in 0..1_000 {
        reader.push(&bytes);
        assert_eq!(read_all(&mut reader).unwrap().len(), 4);
    }
    assert!(reader.bytes.capacity() < bytes.len() * 4);
}
