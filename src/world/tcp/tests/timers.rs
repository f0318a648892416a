//! Delayed acknowledgements, small segments, keep-alive, the program's patience.

use super::super::{Flags, KeepAlive, Shutdown, TcpError, TcpState};
use super::wire::{
    Client, LATENCIES, MILLISECOND, SECOND, Server, Side, Wire, is_bare, is_data, is_reset,
};
use crate::executor::Weight;

/// Two ends that have talked: acknowledgements wait for something to ride on.
fn talked(latency: u64) -> Wire {
    let mut wire = Wire::connected(latency);
    for _ in 0..3 {
        for side in [Client, Server] {
            wire.write(side, 10);
            wire.run_until(wire.now + latency);
            wire.read_all(side.other());
        }
    }
    wire.run_until(wire.now + SECOND);
    wire
}

#[test]
fn a_dialogue_has_no_segments_but_its_messages() {
    let mut wire = talked(MILLISECOND);
    let before = wire.sent.len();
    for _ in 0..100 {
        for side in [Client, Server] {
            wire.write(side, 16);
            wire.run_until(wire.now + MILLISECOND);
            assert_eq!(wire.read_all(side.other()), 16);
        }
    }
    // After the silence the first answer is acknowledged at once: who knows whether another comes.
    assert_eq!(wire.sent.len() - before, 201);
}

#[test]
fn an_acknowledgement_waits_forty_milliseconds_for_something_to_ride_on() {
    let mut wire = talked(MILLISECOND);
    let start = wire.now;
    let before = wire.count(Server, is_bare);
    wire.write(Client, 10);
    wire.run_until(start + MILLISECOND);
    assert_eq!(
        wire.machine(Server).deadline(),
        Some((start + 41 * MILLISECOND, Weight::Foreground))
    );
    wire.run_until(start + 41 * MILLISECOND);
    assert_eq!(wire.count(Server, is_bare), before + 1);
}

#[test]
fn hearing_more_does_not_put_off_an_acknowledgement() {
    let mut wire = talked(MILLISECOND);
    wire.end_mut(Client).tuning.nodelay = true;
    let tuning = wire.end(Client).tuning;
    wire.machine_mut(Client).set_tuning(&tuning);
    let start = wire.now;
    wire.write(Client, 10);
    wire.run_until(start + 20 * MILLISECOND);
    wire.write(Client, 10);
    wire.run_until(start + 30 * MILLISECOND);
    wire.write(Client, 10);
    wire.run_until(start + 31 * MILLISECOND);
    assert_eq!(
        wire.machine(Server).deadline(),
        Some((start + 41 * MILLISECOND, Weight::Foreground))
    );
}

#[test]
fn what_fills_a_gap_is_acknowledged_at_once() {
    let mut wire = talked(MILLISECOND);
    wire.end_mut(Client).tuning.nodelay = true;
    let tuning = wire.end(Client).tuning;
    wire.machine_mut(Client).set_tuning(&tuning);
    wire.lose_first(1, Client, is_data);
    for _ in 0..2 {
        wire.write(Client, 10);
        wire.run_until(wire.now + 5 * MILLISECOND);
    }
    wire.run_until(wire.now + SECOND);
    let again = wire.times(Client, is_data).pop().unwrap();
    assert_eq!(wire.times(Server, is_bare).pop(), Some(again + 1));
}

#[test]
fn two_full_segments_are_acknowledged_at_once() {
    let mut wire = talked(MILLISECOND);
    let start = wire.now;
    wire.write(Client, 1460);
    wire.run_until(start + 10 * MILLISECOND);
    assert_eq!(wire.machine(Client).unsettled(), 1460);
    wire.write(Client, 1460);
    wire.run_until(start + 12 * MILLISECOND);
    assert_eq!(wire.machine(Client).unsettled(), 0);
}

#[test]
fn sixteen_segments_are_acknowledged_at_once_before_there_is_a_dialogue() {
    let mut wire = Wire::connected(MILLISECOND);
    for count in 1..=17 {
        wire.run_until(wire.now + SECOND);
        let before = wire.count(Server, is_bare);
        wire.write(Client, 10);
        wire.run_until(wire.now + 2 * MILLISECOND);
        assert_eq!(wire.count(Server, is_bare) - before, usize::from(count <= 16), "{count}");
    }
}

/// Writes two small pieces and reads an answer to both, again and again; returns how long each took.
fn write_write_read(wire: &mut Wire) -> Vec<u64> {
    let mut times = Vec::new();
    for _ in 0..5 {
        let start = wire.now;
        wire.write(Client, 10);
        wire.write(Client, 10);
        let mut come = 0;
        while come < 20 {
            come += wire.read_all(Server);
            assert!(come == 20 || wire.step());
        }
        wire.write(Server, 5);
        while wire.read_all(Client) == 0 {
            assert!(wire.step());
        }
        times.push((wire.now - start) / MILLISECOND);
    }
    times
}

#[test]
fn two_small_writes_and_a_read_take_forty_milliseconds_but_the_first_time() {
    let mut wire = Wire::connected(MILLISECOND);
    assert_eq!(write_write_read(&mut wire), [4, 44, 44, 44, 44]);
}

#[test]
fn without_delay_two_small_writes_and_a_read_take_a_round_trip() {
    let mut wire = Wire::new(MILLISECOND);
    wire.end_mut(Client).tuning.nodelay = true;
    wire.connect(Client);
    wire.run_until(SECOND);
    assert_eq!(write_write_read(&mut wire), [2; 5]);
}

#[test]
fn the_small_rest_of_a_large_write_does_not_wait() {
    let mut wire = talked(50 * MILLISECOND);
    let start = wire.now / MILLISECOND;
    wire.write(Client, 2 * 1460 + 100);
    let times = wire.times(Client, is_data);
    assert_eq!(times[times.len() - 3..], [start; 3]);
    // Another small one waits for it, what is of full size goes.
    wire.write(Client, 1560);
    assert_eq!(wire.count(Client, is_data), times.len() + 1);
    assert_eq!(wire.sent.last().unwrap().segment.len, 1460);
}

#[test]
fn a_small_rest_does_not_wait_when_the_end_follows() {
    let mut wire = talked(50 * MILLISECOND);
    wire.write(Client, 10);
    wire.write(Client, 10);
    let before = wire.count(Client, is_data);
    wire.shutdown(Client, Shutdown::Write).unwrap();
    assert_eq!(wire.count(Client, is_data), before + 1);
    assert!(wire.sent.last().unwrap().segment.has(Flags::FIN));
}

/// How many segments go out at once after a megabyte and a silence.
fn burst_after(silence: u64) -> usize {
    let mut wire = Wire::connected(10 * MILLISECOND);
    while wire.end(Client).written < 1 << 20 {
        wire.write(Client, 60_000);
        wire.run_until(wire.now + 10 * MILLISECOND);
        wire.read_all(Server);
    }
    wire.run_until(wire.now + silence);
    wire.read_all(Server);
    let before = wire.count(Client, is_data);
    wire.write(Client, 200_000);
    wire.count(Client, is_data) - before
}

#[test]
fn a_silence_makes_the_sender_careful_again() {
    assert!(burst_after(100 * MILLISECOND) > 20, "it has learnt that the path carries more");
    assert_eq!(burst_after(SECOND), 10);
}

fn with_keepalive(side: Side) -> Wire {
    let mut wire = Wire::new(MILLISECOND);
    wire.end_mut(side).tuning.keepalive = Some(KeepAlive::default());
    wire.connect(Client);
    wire.run_until(SECOND);
    wire
}

#[test]
fn keep_alive_finds_out_that_the_peer_has_no_power() {
    let mut wire = with_keepalive(Client);
    let heard = 2 * MILLISECOND;
    wire.end_mut(Server).machine = None;
    wire.cut(true);
    wire.machine_mut(Client).doubt();
    assert_eq!(wire.weight(Client), Some(Weight::Foreground));
    while wire.state(Client) != TcpState::Closed {
        assert!(wire.step());
    }
    assert_eq!(wire.now, heard + (7200 + 9 * 75) * SECOND);
    let probes: Vec<u64> = (0..9).map(|probe| (7200 + 75 * probe) * 1000 + 2).collect();
    assert_eq!(wire.times(Client, |segment| is_bare(segment) && segment.seq == 0), probes);
    assert_eq!(wire.count(Client, is_reset), 1);
    assert_eq!(wire.try_read(Client), Some(Err(TcpError::TimedOut)));
}

#[test]
fn keep_alive_of_a_peer_that_lives_goes_on_in_the_background() {
    for side in [Client, Server] {
        let mut wire = with_keepalive(side);
        assert_eq!(wire.weight(side), Some(Weight::Background));
        wire.run_until(100_000 * SECOND);
        assert_eq!(wire.state(side), TcpState::Established);
        assert_eq!(wire.weight(side), Some(Weight::Background));
        assert_eq!(wire.times(side.other(), is_bare).len(), 13 + usize::from(side == Server));
    }
}

#[test]
fn keep_alive_of_a_peer_that_was_restarted_is_answered_by_a_reset() {
    let mut wire = with_keepalive(Client);
    wire.end_mut(Server).machine = None;
    wire.run_until(8000 * SECOND);
    assert_eq!(wire.try_read(Client), Some(Err(TcpError::Reset)));
}

#[test]
fn patience_bounds_retransmissions() {
    for latency in LATENCIES {
        let mut wire = Wire::new(latency);
        wire.end_mut(Client).tuning.user_timeout = 5 * SECOND;
        wire.connect(Client);
        wire.run_until(10 * SECOND);
        wire.cut(true);
        let timeout = 2 * latency + (4 * latency).max(200 * MILLISECOND);
        wire.write(Client, 10);
        while wire.state(Client) != TcpState::Closed {
            assert!(wire.step());
        }
        assert_eq!(wire.now, 15 * SECOND + timeout, "from the first retransmission on");
        assert_eq!(wire.try_read(Client), Some(Err(TcpError::TimedOut)));
    }
}

#[test]
fn patience_bounds_connecting_and_probing_too() {
    let mut wire = Wire::new(MILLISECOND);
    wire.end_mut(Client).tuning.user_timeout = 2500 * MILLISECOND;
    wire.cut(true);
    wire.connect(Client);
    wire.run_until_still(100);
    assert_eq!(wire.now, 2500 * MILLISECOND);
    assert_eq!(wire.machine_mut(Client).take_error(), Some(TcpError::TimedOut));

    let mut wire = Wire::new(MILLISECOND);
    wire.end_mut(Client).tuning.user_timeout = 30 * SECOND;
    wire.connect(Client);
    for _ in 0..200 {
        wire.run_until(wire.now + MILLISECOND);
        wire.write(Client, usize::MAX);
    }
    wire.run_until(60 * SECOND);
    assert_eq!(wire.try_write(Client), Some(Err(TcpError::TimedOut)), "though it is answered");
}

#[test]
fn patience_bounds_keep_alive() {
    let mut wire = Wire::new(MILLISECOND);
    let tuning = &mut wire.end_mut(Client).tuning;
    (tuning.user_timeout, tuning.keepalive) = (100 * SECOND, Some(KeepAlive::default()));
    wire.connect(Client);
    wire.run_until(SECOND);
    wire.cut(true);
    while wire.state(Client) != TcpState::Closed {
        assert!(wire.step());
    }
    assert_eq!(wire.now, 7275 * SECOND + 2 * MILLISECOND);
}

#[test]
fn a_timer_that_comes_too_early_does_nothing() {
    let mut wire = talked(MILLISECOND);
    wire.cut(true);
    wire.write(Client, 10);
    let (due, _) = wire.machine(Client).deadline().unwrap();
    let sent = wire.sent.len();
    for early in [wire.now, due - 1] {
        wire.now = early;
        let effects = wire.machine_mut(Client).on_timer(early);
        assert!(effects.is_none());
        wire.pump(Client);
    }
    assert_eq!(wire.sent.len(), sent);
    wire.run_until(due);
    assert_eq!(wire.sent.len(), sent + 1);
}

#[test]
fn a_path_that_comes_to_carry_more_does_not_stop_a_sender_in_recovery() {
    let mut wire = Wire::new(MILLISECOND);
    wire.path.mss = 536;
    wire.path.burst = 536;
    wire.connect(Client);
    wire.run_until(SECOND);
    wire.cut(true);
    wire.write(Client, 100_000);
    wire.run_until(2 * SECOND);
    wire.path.mss = 1460;
    wire.path.burst = 1460;
    wire.cut(false);
    wire.run_until(10 * SECOND);
    assert_eq!(wire.read_all(Server), 100_000);
}
