//! What is lost, comes twice or late, and what is sent again for it.

use std::collections::BTreeSet;

use super::super::{Flags, Linger, Segment, Shutdown, TcpError, TcpState};
use super::wire::{
    Client, Fate, LATENCIES, MILLISECOND, SECOND, Server, Wire, is_bare, is_data, is_fin,
};

/// A dialogue of both ends that ends in both directions; returns how many segments it took.
fn converse(wire: &mut Wire) -> usize {
    wire.connect(Client);
    let (mut asked, mut answered) = (false, false);
    for _ in 0..10_000 {
        if wire.end(Client).machine.is_some() && !asked {
            asked = wire.write(Client, 4000) > 0;
        }
        if wire.end(Server).machine.is_some() {
            wire.read_all(Server);
            if wire.end(Server).read == 4000 && !answered {
                answered = true;
                assert_eq!(wire.write(Server, 3000), 3000);
                wire.close(Server, Linger::Background);
            }
        }
        if wire.end(Client).machine.is_some() {
            wire.read_all(Client);
            if wire.end(Client).read == 3000 && wire.machine_mut(Client).read_end().is_some() {
                wire.close(Client, Linger::Background);
            }
        }
        if !wire.step() {
            break;
        }
    }
    assert_eq!((wire.end(Server).read, wire.end(Client).read), (4000, 3000));
    assert!(wire.end(Client).machine.is_none(), "it is {:?}", wire.state(Client));
    assert_eq!(wire.state(Server), TcpState::TimeWait);
    wire.sent.len()
}

#[test]
fn a_dialogue_survives_each_pattern_of_losses() {
    let segments = converse(&mut Wire::new(MILLISECOND));
    assert!((14..22).contains(&segments), "{segments} segments");
    for first in [0, 7] {
        for pattern in 0..1_u32 << 13 {
            if pattern.count_ones() > 8 {
                continue; // An orphan, or a SYN, may well give up then.
            }
            let mut wire = Wire::new(MILLISECOND);
            wire.script(move |number, _, _| {
                let is_lost =
                    (first..first + 13).contains(&number) && pattern >> (number - first) & 1 == 1;
                if is_lost { Fate::Lose } else { Fate::Pass }
            });
            converse(&mut wire);
        }
    }
}

/// A link that loses these two segments.
fn losing(latency: u64, lost: [u64; 2]) -> Wire {
    let mut wire = Wire::new(latency);
    wire.script(move |number, _, _| if lost.contains(&number) { Fate::Lose } else { Fate::Pass });
    wire
}

#[test]
fn a_dialogue_survives_the_loss_of_any_two_segments_at_any_latency() {
    for latency in LATENCIES {
        for first in 0..20 {
            for second in first..20 {
                converse(&mut losing(latency, [first, second]));
            }
        }
    }
}

#[test]
fn a_dialogue_survives_copies_and_late_segments() {
    for number in 0..16 {
        for late in [1, MILLISECOND, 3 * MILLISECOND, 500 * MILLISECOND, 30 * SECOND] {
            for fate in [Fate::Twice(late), Fate::Delay(late)] {
                let mut wire = Wire::new(MILLISECOND);
                wire.script(
                    move |this, _, _| if this == number { fate.clone() } else { Fate::Pass },
                );
                converse(&mut wire);
            }
        }
    }
}

/// Twelve full segments, of which some are lost at first.
fn twelve(latency: u64, lost: &'static [u64]) -> Wire {
    let mut wire = Wire::connected(latency);
    let mut count = 0;
    wire.script(move |_, from, segment| {
        let is_first = from == Client && is_data(segment);
        count += u64::from(is_first);
        if is_first && lost.contains(&count) { Fate::Lose } else { Fate::Pass }
    });
    wire.run_until(SECOND);
    wire.write(Client, 12 * 1460);
    wire
}

#[test]
fn a_segment_that_three_later_ones_overtook_is_sent_again_at_once() {
    for latency in LATENCIES {
        let mut wire = twelve(latency, &[3]);
        wire.run_until(SECOND + 3 * latency);
        assert_eq!(wire.read_all(Server), 12 * 1460, "all has come after 1.5 round trips");
        let seq = 1 + 2 * 1460;
        let start = 1000;
        let again = start + 2 * latency / MILLISECOND;
        assert_eq!(wire.times(Client, move |segment| segment.seq == seq), [start, again]);
        assert_eq!(wire.count(Client, is_data), 13);
    }
}

#[test]
fn three_segments_lost_together_are_sent_again_together() {
    let mut wire = twelve(50 * MILLISECOND, &[2, 4, 5]);
    wire.run_until(SECOND + 250 * MILLISECOND);
    assert_eq!(wire.read_all(Server), 12 * 1460);
    assert_eq!(wire.count(Client, is_data), 15, "each of them once");
}

#[test]
fn a_few_segments_out_of_order_are_not_taken_as_lost() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    let mut count = 0;
    wire.script(move |_, from, segment| {
        count += u64::from(from == Client && is_data(segment));
        if count == 1 && is_data(segment) { Fate::Delay(2) } else { Fate::Pass }
    });
    wire.run_until(SECOND);
    // Two overtake it, which is less than three.
    wire.write(Client, 3 * 1460);
    wire.run_until(SECOND + 100 * MILLISECOND);
    assert_eq!((wire.read_all(Server), wire.count(Client, is_data)), (3 * 1460, 3));
}

#[test]
fn losing_halves_what_may_be_in_flight() {
    let mut wire = twelve(50 * MILLISECOND, &[1]);
    // Ten were in flight when it was noticed: five are, from then on.
    wire.run_until(SECOND + 400 * MILLISECOND);
    wire.read_all(Server);
    let before = wire.count(Client, is_data);
    wire.write(Client, 100 * 1460);
    assert_eq!(wire.count(Client, is_data) - before, 5);
}

#[test]
fn the_last_segment_is_sent_again_after_the_time_out_of_rfc_6298() {
    for latency in LATENCIES {
        let mut wire = Wire::connected(latency);
        wire.lose_first(1, Client, is_data);
        wire.write(Client, 10);
        // One sample, the handshake: the round trip, and half of it as its variance.
        let timeout = 2 * latency + (4 * latency).max(200 * MILLISECOND);
        wire.run_until(60 * SECOND);
        let times = wire.times(Client, is_data);
        assert_eq!(times[1] - times[0], timeout / MILLISECOND);
        assert_eq!((times.len(), wire.read_all(Server)), (2, 10));
    }
}

#[test]
fn the_estimate_follows_the_round_trip() {
    let mut wire = Wire::connected(50 * MILLISECOND);
    for _ in 0..50 {
        wire.write(Client, 2920);
        wire.run_until(wire.now + SECOND);
    }
    // The variance has gone: the least spread of 200 ms is left.
    wire.cut(true);
    let start = wire.now;
    wire.write(Client, 10);
    assert_eq!(wire.next_at(), Some(start + 300 * MILLISECOND));
    wire.cut(false);
    wire.run_until(start + 10 * SECOND);
    wire.latency = 200 * MILLISECOND;
    let start = wire.now;
    wire.write(Client, 2920);
    wire.run_until(start + 400 * MILLISECOND);
    assert_eq!(
        wire.times(Client, is_data).last(),
        Some(&(wire.now / MILLISECOND - 100)),
        "spurious"
    );
}

#[test]
fn what_was_sent_twice_is_not_measured() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    wire.lose_first(2, Client, is_data);
    wire.write(Client, 10);
    wire.run_until(10 * SECOND);
    assert_eq!(wire.count(Client, is_data), 3);
    // Had it been measured from its first sending, the time-out would have grown to seconds.
    wire.lose_first(1, Client, is_data);
    let start = wire.now;
    wire.write(Client, 10);
    assert_eq!(wire.next_at(), Some(start + 220 * MILLISECOND));
}

#[test]
fn what_was_sent_twice_at_once_is_not_measured_either() {
    // The first of twelve is measured, lost, and sent again before the timer expires.
    let mut wire = twelve(50 * MILLISECOND, &[1]);
    wire.run_until(SECOND + 220 * MILLISECOND);
    assert_eq!(wire.read_all(Server), 12 * 1460);
    wire.cut(true);
    let start = wire.now;
    wire.write(Client, 10);
    assert_eq!(wire.next_at(), Some(start + 300 * MILLISECOND), "only the handshake was");
}

#[test]
fn the_time_out_doubles_and_data_is_given_up_after_fifteen_times() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.run_until(SECOND);
    wire.cut(true);
    wire.write(Client, 10);
    wire.run_until_still(100);
    let mut expected = vec![1000];
    for attempt in 0..15 {
        expected.push(expected[attempt] + (202 << attempt).min(120_000));
    }
    assert_eq!(wire.times(Client, is_data), expected);
    // 924.6 s after the first expiry have passed at the sixteenth.
    assert_eq!(wire.now, SECOND + (202 * 1023 + 6 * 120_000) * MILLISECOND);
    assert_eq!(wire.try_read(Client), Some(Err(TcpError::TimedOut)));
    assert_eq!(wire.try_read(Client), Some(Ok(0)));
    assert_eq!(wire.try_write(Client), Some(Err(TcpError::BrokenPipe)));
    assert_eq!(wire.state(Server), TcpState::Established, "the other end does not know");
}

#[test]
fn data_is_given_up_as_unreachable_if_the_network_said_so() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.cut(true);
    wire.write(Client, 10);
    wire.run_until(10 * SECOND);
    assert!(wire.machine_mut(Client).on_unreachable().is_none());
    wire.run_until_still(100);
    assert_eq!(wire.try_write(Client), Some(Err(TcpError::Unreachable)));
}

#[test]
fn data_goes_on_when_a_cut_heals() {
    for seconds in [1, 10, 100, 800] {
        let mut wire = Wire::connected(10 * MILLISECOND);
        wire.cut(true);
        wire.write(Client, 100_000);
        wire.run_until(seconds * SECOND);
        wire.cut(false);
        wire.run_until((seconds + 121) * SECOND);
        assert_eq!(wire.read_all(Server), 100_000, "after {seconds} s");
    }
}

#[test]
fn a_lost_acknowledgement_is_made_up_for_by_the_next() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    wire.lose_first(1, Server, is_bare);
    wire.write(Client, 10);
    wire.write(Client, 1460);
    wire.run_until(SECOND);
    assert_eq!(wire.count(Client, is_data), 2, "nothing is sent again");
}

#[test]
fn a_lost_acknowledgement_of_the_last_data_is_asked_for() {
    for latency in LATENCIES {
        let mut wire = Wire::connected(latency);
        wire.lose_first(1, Server, is_bare);
        wire.write(Client, 10);
        wire.run_until(60 * SECOND);
        assert_eq!(wire.count(Client, is_data), 2);
        assert_eq!((wire.read_all(Server), wire.machine(Client).unsettled()), (10, 0));
        assert_eq!(wire.next_at(), None);
    }
}

#[test]
fn a_fin_that_overtakes_data_waits_for_it() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    wire.lose_first(1, Client, is_data);
    wire.write(Client, 10);
    wire.shutdown(Client, Shutdown::Write).unwrap();
    wire.run_until(wire.now + 15 * MILLISECOND);
    assert_eq!(wire.try_read(Server), None);
    wire.run_until(SECOND);
    assert_eq!(wire.try_read(Server), Some(Ok(10)));
    assert_eq!(wire.try_read(Server), Some(Ok(0)));
    assert_eq!(wire.count(Client, is_fin), 1, "the FIN had come");
}

#[test]
fn ranges_are_told_the_latest_first_and_all_in_time() {
    let mut wire = Wire::connected(50 * MILLISECOND);
    let mut count = 0;
    // Every second one of ten is lost: five ranges.
    wire.script(move |_, from, segment| {
        count += u64::from(from == Client && is_data(segment));
        let is_lost = from == Client && is_data(segment) && count <= 10 && count % 2 == 1;
        if is_lost { Fate::Lose } else { Fate::Pass }
    });
    wire.run_until(SECOND);
    wire.write(Client, 10 * 1460);
    wire.run_until(SECOND + 50 * MILLISECOND);
    let told: Vec<_> = wire.sent.iter().filter(|sent| sent.segment.sack_count > 0).collect();
    assert_eq!(told.len(), 5);
    for (index, sent) in (0..).zip(&told) {
        let latest = sent.segment.sacks[0];
        assert_eq!((latest.from, latest.len), (1460 + index * 2920, 1460));
        assert_eq!(u32::from(sent.segment.sack_count), (index + 1).min(3));
    }
    wire.run_until(SECOND + 400 * MILLISECOND);
    assert_eq!(wire.read_all(Server), 10 * 1460);
    assert_eq!(wire.count(Client, is_data), 15, "what was told is not sent again");
}

#[test]
fn a_path_that_comes_to_carry_more_than_may_be_in_flight_does_not_stall() {
    let mut wire = Wire::connected(MILLISECOND);
    let usual = wire.path;
    (wire.path.mss, wire.path.burst) = (536, 536);
    wire.lose_first(1, Client, is_data);
    wire.write(Client, 100);
    // After the time-out one segment may be in flight, of the size of that time.
    wire.run_until(5 * SECOND);
    wire.path = usual;
    wire.write(Client, 5000);
    wire.run_until(6 * SECOND);
    assert_eq!(wire.read_all(Server), 5100);
}

#[test]
fn ranges_that_grew_earlier_are_told_in_turn() {
    let mut wire = Wire::connected(50 * MILLISECOND);
    let mut count = 0;
    wire.script(move |_, from, segment| {
        count += u64::from(from == Client && is_data(segment));
        if from == Server || count % 2 == 1 { Fate::Lose } else { Fate::Pass }
    });
    wire.run_until(SECOND);
    wire.write(Client, 10 * 1460);
    wire.run_until(SECOND + 50 * MILLISECOND);
    // A probe is answered with three of five ranges: the latest, and two others.
    let (now, path) = (wire.now, wire.path);
    let probe = Segment { seq: 0, len: 0, flags: Flags::ACK, ..wire.sent.last().unwrap().segment };
    let mut told = BTreeSet::new();
    for _ in 0..2 {
        wire.machine_mut(Server).on_segment(now, &probe);
        let answer = wire.machine_mut(Server).transmit(now, &path).unwrap();
        assert_eq!((answer.sack_count, answer.sacks[0].from), (3, 9 * 1460));
        told.extend(answer.sacks[1..].iter().map(|sack| sack.from / 1460));
    }
    assert_eq!(told, BTreeSet::from([1, 3, 5, 7]));
}

#[test]
fn the_first_segment_that_is_lost_is_sent_again_whatever_is_in_flight() {
    let mut wire = Wire::connected(100 * MILLISECOND);
    wire.run_until(SECOND);
    wire.lose_first(1, Client, is_data);
    for _ in 0..10 {
        wire.write(Client, 1460);
        wire.run_until(wire.now + 10 * MILLISECOND);
    }
    wire.run_until(2 * SECOND);
    // Three have overtaken it, and six are on their way, which is more than half of ten.
    assert_eq!(wire.times(Client, |segment| segment.seq == 1 && is_data(segment)), [1000, 1230]);
}

#[test]
fn a_silent_segment_of_the_past_changes_nothing() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Client, 10);
    wire.run_until(SECOND);
    let old = wire.sent[2].segment;
    assert_eq!((old.flags, old.ack), (Flags::ACK, 1));
    wire.write(Client, 10);
    wire.run_until(2 * SECOND);
    let now = wire.now;
    let before = wire.machine(Server).expected();
    assert!(wire.machine_mut(Server).on_segment(now, &old).is_none());
    assert_eq!(wire.machine(Server).expected(), before);
}
