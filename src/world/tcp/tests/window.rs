//! How much the peer may send, and what happens when it may send nothing.

use super::super::{Segment, Shutdown, TcpError, TcpState};
use super::wire::{
    Client, Fate, LATENCIES, MILLISECOND, SECOND, Server, Side, Wire, is_bare, is_data, is_fin,
};
use crate::executor::Weight;

const BUFFER: usize = 256 * 1024;

/// The client has filled both buffers, and the server has read nothing.
fn full(latency: u64) -> Wire {
    let mut wire = Wire::connected(latency);
    for _ in 0..200 {
        wire.write(Client, usize::MAX);
        wire.run_until(wire.now + latency);
    }
    // What is less than a segment of the window is used after a time-out only.
    wire.run_until(wire.now + 350 * MILLISECOND);
    wire.write(Client, usize::MAX);
    assert_eq!(wire.end(Client).written, 2 * BUFFER as u64);
    assert_eq!(wire.machine(Server).readable(), BUFFER);
    wire
}

/// A probe, or a question whether the peer is alive.
fn is_probe_of(wire: &Wire, from: Side) -> Vec<u64> {
    let una = wire.machine(from.other()).expected();
    wire.times(from, move |segment| segment.len == 0 && segment.seq + 1 == una)
}

#[test]
fn who_does_not_read_stops_the_writer_at_the_size_of_both_buffers() {
    let wire = full(MILLISECOND);
    assert_eq!(wire.machine(Client).send_room(), 0);
}

#[test]
fn reading_lets_the_writer_go_on_however_little_is_read_at_a_time() {
    for chunk in [1, 100, 1024, 1460, 10_000] {
        let mut wire = full(MILLISECOND);
        let start = wire.now;
        while wire.end(Server).read < 2 * BUFFER as u64 {
            if wire.read(Server, chunk) == 0 {
                assert!(wire.step(), "it stalls at {}", wire.end(Server).read);
            }
        }
        assert!(wire.now - start < SECOND, "{chunk}: it waited for probes");
    }
}

#[test]
fn a_window_opens_by_two_segments_at_least() {
    let mut wire = full(MILLISECOND);
    let before = wire.count(Server, is_bare);
    wire.read(Server, 2 * 1460 - 1);
    assert_eq!(wire.count(Server, is_bare), before, "it would be a silly window");
    wire.read(Server, 1);
    assert_eq!(wire.count(Server, is_bare), before + 1);
    wire.run_until(wire.now + 10 * MILLISECOND);
    let small = |segment: &Segment| segment.len > 0 && segment.len < 1460;
    let before = wire.count(Client, small);
    while wire.end(Server).read < 200_000 {
        wire.read(Server, 10);
        wire.run_until(wire.now + 10_000);
    }
    assert_eq!(wire.count(Client, small), before, "small windows make no small segments");
}

#[test]
fn a_probe_after_a_small_read_is_told_that_the_window_is_closed() {
    let mut wire = full(MILLISECOND);
    wire.read(Server, 1459);
    wire.run_until(wire.now + SECOND);
    let told = |wire: &Wire| wire.sent.iter().rev().find(|sent| sent.from == Server).cloned();
    assert_eq!(told(&wire).unwrap().segment.window, 0, "a silly window");
    wire.read(Server, 1);
    wire.run_until(wire.now + 2 * SECOND);
    assert_eq!(wire.machine(Server).readable(), BUFFER, "a whole segment came");
}

#[test]
fn reading_while_the_window_is_wide_sends_nothing() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Client, 10 * 1460);
    wire.run_until(SECOND);
    let before = wire.sent.len();
    wire.read_all(Server);
    assert_eq!(wire.sent.len(), before);
}

#[test]
fn a_closed_window_is_asked_about_for_an_hour_and_then_opens() {
    let mut wire = full(MILLISECOND);
    wire.run_until(3600 * SECOND);
    assert_eq!(wire.state(Client), TcpState::Established);
    let times = is_probe_of(&wire, Client);
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The smallest time-out, doubled each time up to two minutes.
    assert!((400..420).contains(&gaps[0]), "{gaps:?}");
    assert!(gaps.windows(2).all(|pair| pair[1] == (2 * pair[0]).min(120_000)), "{gaps:?}");
    assert_eq!(gaps.last(), Some(&120_000));
    wire.read_all(Server);
    wire.run_until(wire.now + SECOND);
    assert_eq!(wire.machine(Server).readable(), BUFFER);
    assert_eq!(wire.machine(Client).unsettled(), 0);
    assert_eq!(wire.next_at(), None, "there is nothing left to ask about");
}

#[test]
fn a_lost_window_update_is_made_up_for_by_a_probe() {
    for latency in LATENCIES {
        let mut wire = full(latency);
        wire.lose_first(1, Server, is_bare);
        wire.read_all(Server);
        assert!(wire.sent.last().unwrap().is_lost);
        wire.run_until(wire.now + 240 * SECOND);
        assert_eq!(wire.machine(Server).readable(), BUFFER, "{latency}");
    }
}

#[test]
fn asking_about_a_window_is_background_once_it_was_answered() {
    let mut wire = full(MILLISECOND);
    wire.run_until(wire.now + SECOND);
    assert_eq!(wire.weight(Client), Some(Weight::Background));
    // A rule has changed, or a segment to it was lost: it has to find out.
    wire.machine_mut(Client).doubt();
    assert_eq!(wire.weight(Client), Some(Weight::Foreground));
    wire.run_until(wire.now + 10 * SECOND);
    assert_eq!(wire.weight(Client), Some(Weight::Background));
    // Nobody answers any more: that ends with an error.
    wire.cut(true);
    wire.run_until(wire.now + 200 * SECOND);
    assert_eq!(wire.weight(Client), Some(Weight::Foreground));
}

#[test]
fn fifteen_probes_without_an_answer_end_the_connection() {
    let mut wire = full(MILLISECOND);
    wire.cut(true);
    let before = is_probe_of(&wire, Client).len();
    wire.run_until_still(100);
    assert_eq!(is_probe_of(&wire, Client).len() - before, 15);
    assert_eq!(wire.try_write(Client), Some(Err(TcpError::TimedOut)));
}

#[test]
fn two_writers_that_do_not_read_hear_each_other() {
    let mut wire = Wire::connected(MILLISECOND);
    for _ in 0..200 {
        wire.write(Client, usize::MAX);
        wire.write(Server, usize::MAX);
        wire.run_until(wire.now + MILLISECOND);
    }
    wire.run_until(wire.now + SECOND);
    wire.write(Client, usize::MAX);
    wire.write(Server, usize::MAX);
    wire.run_until(wire.now + SECOND);
    for side in [Client, Server] {
        assert_eq!(wire.machine(side).readable(), BUFFER);
        assert_eq!(wire.weight(side), Some(Weight::Background), "a deadlock is told at once");
    }
    let before = wire.sent.len();
    wire.run_until(wire.now + 100 * SECOND);
    assert!(wire.sent.len() - before < 60, "{} segments of nothing", wire.sent.len() - before);
    wire.read_all(Server);
    wire.read_all(Client);
    wire.run_until(wire.now + SECOND);
    assert_eq!(
        (wire.machine(Client).readable(), wire.machine(Server).readable()),
        (BUFFER, BUFFER)
    );
}

#[test]
fn two_full_windows_with_a_hole_in_each_do_not_answer_each_other_for_ever() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    let mut lost = [0; 2];
    wire.script(move |_, from, segment| {
        let lost = &mut lost[from as usize];
        let is_lost = is_data(segment) && segment.seq > 150_000 && *lost < 3;
        *lost += usize::from(is_lost);
        if is_lost { Fate::Lose } else { Fate::Pass }
    });
    for _ in 0..200 {
        wire.write(Client, usize::MAX);
        wire.write(Server, usize::MAX);
        wire.run_until(wire.now + 10 * MILLISECOND);
    }
    for side in [Client, Server] {
        assert_eq!(wire.machine(side).readable(), BUFFER);
    }
    assert!(wire.sent.len() < 2000, "{} segments", wire.sent.len());
}

#[test]
fn small_buffers_bound_it_tighter_and_are_used_well() {
    for (send, receive) in [(4608, 2304), (4608, 65_536), (65_536, 2304)] {
        let mut wire = Wire::new(MILLISECOND);
        for side in [Client, Server] {
            wire.end_mut(side).tuning.send_buffer = send;
            wire.end_mut(side).tuning.receive_buffer = receive;
        }
        wire.connect(Client);
        wire.run_until(SECOND);
        for _ in 0..100 {
            wire.write(Client, usize::MAX);
            wire.run_until(wire.now + MILLISECOND);
        }
        wire.run_until(wire.now + SECOND);
        wire.write(Client, usize::MAX);
        assert_eq!(wire.end(Client).written, u64::from(send + receive));
        let start = wire.now;
        while wire.end(Server).read < 1 << 20 {
            wire.write(Client, usize::MAX);
            if wire.read_all(Server) == 0 {
                assert!(wire.step());
            }
        }
        // A round trip each two segments at worst.
        assert!(wire.now - start < 2 * SECOND, "{send} {receive}: {}", wire.now - start);
    }
}

#[test]
fn a_smaller_buffer_takes_effect_without_taking_back_a_window() {
    let mut wire = Wire::connected(MILLISECOND);
    let mut tuning = wire.machine(Server).tuning();
    tuning.receive_buffer = 10_000;
    wire.machine_mut(Server).set_tuning(&tuning);
    for _ in 0..400 {
        wire.write(Client, usize::MAX);
        wire.run_until(wire.now + MILLISECOND);
    }
    assert_eq!(wire.machine(Server).readable(), BUFFER, "what was promised is kept");
    wire.read_all(Server);
    for _ in 0..400 {
        wire.write(Client, usize::MAX);
        wire.run_until(wire.now + MILLISECOND);
    }
    assert_eq!(wire.machine(Server).readable(), 10_000);
}

#[test]
fn no_segment_is_larger_than_half_of_a_small_buffer() {
    let mut wire = Wire::new(MILLISECOND);
    wire.end_mut(Server).tuning.receive_buffer = 2000;
    wire.connect(Client);
    wire.run_until(SECOND);
    wire.write(Client, 10_000);
    let mut total = 0;
    while total < 10_000 {
        wire.run_until(wire.now + SECOND);
        total += wire.read_all(Server);
    }
    let sizes = wire.sent.iter().filter(|sent| sent.from == Client).map(|sent| sent.segment.len);
    assert_eq!(sizes.max(), Some(1000), "else one of two would wait for a window");
}

#[test]
fn the_end_is_not_sent_while_the_window_is_closed() {
    let mut wire = Wire::connected(MILLISECOND);
    while wire.end(Client).written < BUFFER as u64 {
        let left = BUFFER - usize::try_from(wire.end(Client).written).unwrap();
        wire.write(Client, left);
        wire.run_until(wire.now + MILLISECOND);
    }
    wire.run_until(wire.now + SECOND);
    assert_eq!((wire.machine(Client).unsettled(), wire.machine(Server).readable()), (0, BUFFER));
    wire.shutdown(Client, Shutdown::Write).unwrap();
    wire.run_until(wire.now + 10 * SECOND);
    assert_eq!(wire.count(Client, is_fin), 0);
    assert_eq!(wire.read_all(Server), BUFFER);
    wire.run_until(wire.now + SECOND);
    assert_eq!((wire.count(Client, is_fin), wire.try_read(Server)), (1, Some(Ok(0))));
}

#[test]
fn the_end_waits_for_room_in_the_window_too() {
    let mut wire = full(MILLISECOND);
    wire.shutdown(Client, Shutdown::Write).unwrap();
    wire.run_until(wire.now + 10 * SECOND);
    let mut total = 0;
    while total < 2 * BUFFER {
        total += wire.read_all(Server);
        assert!(total == 2 * BUFFER || wire.step(), "{total} bytes have come");
    }
    wire.run_until(wire.now + MILLISECOND);
    assert_eq!(wire.try_read(Server), Some(Ok(0)));
    assert_eq!(wire.state(Server), TcpState::CloseWait);
}
