//! Bytes over a link that loses nothing: how much, how many segments, when.

use super::super::Path;
use super::wire::{Client, MILLISECOND, SECOND, Server, Wire, is_bare, is_data};

/// Writes `size` bytes and reads at most `chunk` at a time, as soon as there are any.
fn carry(wire: &mut Wire, size: u64, chunk: usize) {
    let mut steps = 0;
    while wire.end(Server).read < size {
        let left = usize::try_from(size - wire.end(Client).written).unwrap();
        if left > 0 {
            wire.write(Client, left);
        }
        while wire.read(Server, chunk) > 0 {}
        assert!(wire.step() || wire.end(Server).read == size, "it stalls at {}", wire.now);
        while wire.read(Server, chunk) > 0 {}
        steps += 1;
        assert!(steps < 1_000_000, "it does not end");
    }
}

#[test]
fn a_megabyte_is_carried_with_reads_of_any_size() {
    for chunk in [1000, 1460, 65_536, usize::MAX] {
        let mut wire = Wire::connected(10 * MILLISECOND);
        carry(&mut wire, 1 << 20, chunk);
        // One more where a write filled the buffer with what is no multiple of a segment.
        let (segments, least) = (wire.count(Client, is_data), (1_usize << 20).div_ceil(1460));
        assert!((least..least + 8).contains(&segments), "{segments} segments for {least}");
    }
}

#[test]
fn a_message_takes_one_segment_and_one_latency() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    wire.write(Client, 16);
    wire.run_until(40 * MILLISECOND);
    assert_eq!(wire.read_all(Server), 16);
    assert_eq!(wire.times(Client, is_data), [30]);
}

#[test]
fn a_super_segment_is_one_segment() {
    let mut wire = Wire::new(MILLISECOND);
    wire.path = Path { burst: 65_536, ..wire.path };
    wire.connect(Client);
    wire.run_until(SECOND);
    carry(&mut wire, 16 << 20, usize::MAX);
    let segments = wire.count(Client, is_data);
    assert!(segments < 340, "{segments} segments for 256 times 64 KiB");
    let answers = wire.count(Server, is_bare);
    assert!(answers <= segments + 8, "{answers} acknowledgements for {segments} segments");
}
