//! How connections end, and what each program sees of it.

use super::super::{Effects, Flags, Linger, Shutdown, TcpError, TcpState, reset_for};
use super::wire::{
    Client, Fate, LATENCIES, MILLISECOND, SECOND, Server, Wire, is_bare, is_data, is_fin, is_reset,
};

const REFUSED_WRITE: Option<Result<usize, TcpError>> = Some(Err(TcpError::BrokenPipe));

const RESET: Option<Result<usize, TcpError>> = Some(Err(TcpError::Reset));

const END: Option<Result<usize, TcpError>> = Some(Ok(0));

fn settle(wire: &mut Wire) {
    wire.run_until(wire.now + 100 * MILLISECOND);
}

#[test]
fn data_and_then_the_end_arrive_after_a_drop() {
    for latency in LATENCIES {
        let mut wire = Wire::connected(latency);
        wire.write(Server, 100_000);
        wire.close(Server, Linger::Background);
        wire.run_until(wire.now + 10 * SECOND);
        assert_eq!(wire.try_read(Client), Some(Ok(100_000)));
        assert_eq!((wire.try_read(Client), wire.try_read(Client)), (END, END));
    }
}

#[test]
fn a_clean_drop_is_an_end_to_who_reads_and_a_broken_pipe_to_who_writes_twice() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.close(Server, Linger::Background);
    settle(&mut wire);
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (END, END));
    assert_eq!(wire.try_write(Client), Some(Ok(1)));
    settle(&mut wire);
    assert_eq!(wire.count(Server, is_reset), 1, "nobody can read it any more");
    assert_eq!(wire.try_write(Client), REFUSED_WRITE);
    assert_eq!(wire.try_read(Client), END);
    assert!(wire.end(Server).machine.is_none());
}

#[test]
fn the_error_after_such_a_write_is_told_once() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.close(Server, Linger::Background);
    settle(&mut wire);
    wire.try_write(Client);
    settle(&mut wire);
    assert_eq!(wire.machine_mut(Client).take_error(), Some(TcpError::BrokenPipe));
    assert_eq!(wire.machine_mut(Client).take_error(), None);
    assert_eq!(wire.try_write(Client), REFUSED_WRITE);
}

#[test]
fn a_drop_with_unread_data_resets_the_peer() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Client, 10);
    settle(&mut wire);
    assert_eq!(wire.close(Server, Linger::Background), Effects::RELEASED);
    assert_eq!(wire.count(Server, is_fin), 0);
    settle(&mut wire);
    assert!(wire.take_effects(Client).has(Effects::ENDED | Effects::READABLE));
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (RESET, END));
    assert_eq!(wire.try_write(Client), REFUSED_WRITE);
}

#[test]
fn whoever_comes_first_takes_the_error() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Client, 10);
    settle(&mut wire);
    wire.close(Server, Linger::Background);
    settle(&mut wire);
    assert_eq!((wire.try_write(Client), wire.try_write(Client)), (RESET, REFUSED_WRITE));
    assert_eq!(wire.try_read(Client), END);
}

#[test]
fn what_came_before_a_reset_is_still_read() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Server, 10);
    settle(&mut wire);
    wire.close(Server, Linger::Reset);
    settle(&mut wire);
    assert_eq!(wire.try_read(Client), Some(Ok(10)));
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (RESET, END));
}

#[test]
fn a_writer_that_takes_the_error_leaves_the_bytes_to_the_reader() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Server, 10);
    wire.close(Server, Linger::Reset);
    settle(&mut wire);
    assert_eq!((wire.try_write(Client), wire.try_write(Client)), (RESET, REFUSED_WRITE));
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (Some(Ok(10)), END));
}

#[test]
fn a_drop_with_linger_zero_resets_the_peer() {
    let mut wire = Wire::connected(MILLISECOND);
    assert_eq!(wire.close(Client, Linger::Reset), Effects::RELEASED);
    settle(&mut wire);
    assert_eq!((wire.try_read(Server), wire.try_read(Server)), (RESET, END));
}

#[test]
fn half_a_close_leaves_the_other_direction_open() {
    for latency in LATENCIES {
        let mut wire = Wire::connected(latency);
        wire.write(Client, 10);
        wire.shutdown(Client, Shutdown::Write).unwrap();
        wire.run_until(wire.now + 2 * SECOND);
        assert_eq!(
            (wire.state(Client), wire.state(Server)),
            (TcpState::FinWait2, TcpState::CloseWait)
        );
        assert_eq!(wire.try_write(Client), REFUSED_WRITE);
        assert_eq!((wire.try_read(Server), wire.try_read(Server)), (Some(Ok(10)), END));
        assert_eq!(wire.write(Server, 100_000), 100_000);
        wire.run_until(wire.now + 10 * SECOND);
        assert_eq!(wire.try_read(Client), Some(Ok(100_000)));
        wire.shutdown(Server, Shutdown::Write).unwrap();
        wire.run_until(wire.now + 2 * SECOND);
        assert_eq!(wire.try_read(Client), END);
        assert_eq!(
            (wire.state(Client), wire.state(Server)),
            (TcpState::TimeWait, TcpState::Closed)
        );
    }
}

#[test]
fn shutting_twice_is_fine_while_there_is_a_connection() {
    let mut wire = Wire::connected(MILLISECOND);
    assert_eq!(wire.shutdown(Client, Shutdown::Write), Ok(()));
    assert_eq!(wire.shutdown(Client, Shutdown::Write), Ok(()));
    settle(&mut wire);
    assert_eq!(wire.shutdown(Client, Shutdown::Both), Ok(()));
    wire.shutdown(Server, Shutdown::Write).unwrap();
    settle(&mut wire);
    assert_eq!(wire.shutdown(Client, Shutdown::Write), Err(TcpError::NotConnected));
    assert_eq!(wire.shutdown(Server, Shutdown::Write), Err(TcpError::NotConnected));
    assert_eq!(wire.count(Client, is_fin), 1);
}

#[test]
fn a_half_close_and_then_a_reset_is_an_end_and_a_broken_pipe() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Client, 10);
    settle(&mut wire);
    wire.shutdown(Server, Shutdown::Write).unwrap();
    settle(&mut wire);
    wire.close(Server, Linger::Background);
    settle(&mut wire);
    assert_eq!(wire.count(Server, is_reset), 1, "there was unread data");
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (END, END));
    assert_eq!(wire.try_write(Client), REFUSED_WRITE);
}

#[test]
fn reading_that_is_shut_ends_and_still_gives_what_comes() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.shutdown(Client, Shutdown::Read).unwrap();
    assert_eq!(wire.try_read(Client), END);
    wire.write(Server, 10);
    settle(&mut wire);
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (Some(Ok(10)), END));
    assert_eq!(wire.try_write(Client), Some(Ok(1)));
}

#[test]
fn data_for_an_end_that_is_shut_both_ways_is_reset() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.shutdown(Client, Shutdown::Both).unwrap();
    settle(&mut wire);
    wire.write(Server, 10);
    settle(&mut wire);
    assert_eq!(wire.count(Client, is_reset), 1);
    assert_eq!(wire.try_write(Server), REFUSED_WRITE, "it had seen the end");
}

#[test]
fn two_ends_that_close_at_once_both_wait() {
    for lost in [None, Some(0), Some(1), Some(2), Some(3)] {
        let mut wire = Wire::connected(10 * MILLISECOND);
        wire.run_until(SECOND);
        let first = wire.sent.len() as u64;
        wire.script(move |number, _, _| match lost {
            Some(lost) if first + lost == number => Fate::Lose,
            _ => Fate::Pass,
        });
        wire.shutdown(Client, Shutdown::Write).unwrap();
        wire.shutdown(Server, Shutdown::Write).unwrap();
        wire.run_until(SECOND + 10 * MILLISECOND);
        if lost.is_none() {
            assert_eq!(
                (wire.state(Client), wire.state(Server)),
                (TcpState::Closing, TcpState::Closing)
            );
        }
        wire.run_until(10 * SECOND);
        assert_eq!(
            (wire.state(Client), wire.state(Server)),
            (TcpState::TimeWait, TcpState::TimeWait)
        );
        assert_eq!((wire.try_read(Client), wire.try_read(Server)), (END, END));
        assert_eq!(wire.try_write(Client), REFUSED_WRITE);
    }
}

#[test]
fn a_lost_fin_is_sent_again() {
    for latency in LATENCIES {
        let mut wire = Wire::connected(latency);
        wire.lose_first(2, Client, is_fin);
        let start = wire.now;
        wire.close(Client, Linger::Background);
        let timeout = 2 * latency + (4 * latency).max(200 * MILLISECOND);
        wire.run_until(start + 3 * timeout + latency);
        assert_eq!(wire.try_read(Server), END);
        assert_eq!(wire.count(Client, is_fin), 3);
    }
}

#[test]
fn a_lost_acknowledgement_of_a_fin_is_asked_for() {
    for side in [Client, Server] {
        let mut wire = Wire::connected(10 * MILLISECOND);
        wire.close(Client, Linger::Background);
        wire.run_until(SECOND);
        wire.lose_first(1, side, is_bare);
        wire.close(Server, Linger::Background);
        wire.run_until(10 * SECOND);
        assert_eq!(wire.state(Client), TcpState::TimeWait);
        assert!(wire.end(Server).machine.is_none(), "its FIN is acknowledged");
        assert_eq!(wire.count(Server, is_fin), 1 + usize::from(side == Client));
    }
}

#[test]
fn time_wait_lasts_sixty_seconds_from_the_last_fin() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.close(Client, Linger::Background);
    settle(&mut wire);
    assert!(wire.take_effects(Client).has(Effects::TIME_WAIT), "FIN-WAIT-2 of an orphan");
    wire.run_until(10 * SECOND);
    wire.lose_first(1, Client, is_bare);
    wire.close(Server, Linger::Background);
    wire.run_until(20 * SECOND);
    let last = wire.sent.iter().rev().find(|sent| is_fin(&sent.segment)).unwrap().at;
    let over = last + MILLISECOND + 60 * SECOND;
    assert!(last > 10 * SECOND);
    assert_eq!(wire.machine(Client).expires_at(), Some(over));
    assert_eq!(wire.machine(Client).deadline(), None, "waiting costs nothing");
    assert_eq!(wire.machine_mut(Client).expire(over - 1), Effects::NONE);
    assert_eq!(wire.machine_mut(Client).expire(over), Effects::RELEASED);
}

#[test]
fn time_wait_does_not_take_the_end_from_who_has_not_closed() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Server, 10);
    wire.shutdown(Client, Shutdown::Write).unwrap();
    wire.close(Server, Linger::Background);
    settle(&mut wire);
    assert_eq!(wire.state(Client), TcpState::TimeWait);
    let over = wire.machine(Client).expires_at().unwrap();
    let effects = wire.machine_mut(Client).expire(over);
    assert!(!effects.has(Effects::RELEASED), "its program has it");
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (Some(Ok(10)), END));
    assert_eq!(wire.close(Client, Linger::Background), Effects::RELEASED);
}

#[test]
fn time_wait_ignores_a_reset() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.shutdown(Client, Shutdown::Write).unwrap();
    wire.shutdown(Server, Shutdown::Write).unwrap();
    settle(&mut wire);
    let mut reset = wire.sent[0].segment;
    (reset.flags, reset.seq) = (Flags::RST, wire.machine(Client).expected());
    let now = wire.now;
    assert!(wire.machine_mut(Client).on_segment(now, &reset).is_none());
    assert_eq!(wire.state(Client), TcpState::TimeWait);
}

#[test]
fn an_orphan_takes_a_fin_that_comes_with_bytes_it_had() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Server, 10);
    settle(&mut wire);
    wire.read_all(Client);
    wire.close(Client, Linger::Background);
    settle(&mut wire);
    let sent = wire.sent.iter().find(|sent| is_data(&sent.segment)).unwrap();
    let mut again = sent.segment;
    (again.flags, again.ack) = (again.flags | Flags::FIN, 2);
    let now = wire.now;
    assert_eq!(
        wire.machine_mut(Client).on_segment(now, &again),
        Effects::READABLE | Effects::TIME_WAIT
    );
    assert_eq!(wire.state(Client), TcpState::TimeWait);
}

#[test]
fn half_a_connection_without_an_owner_waits_for_sixty_seconds() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.shutdown(Client, Shutdown::Write).unwrap();
    wire.run_until(1000 * SECOND);
    assert_eq!(wire.state(Client), TcpState::FinWait2, "its owner may read for ever");
    assert_eq!(wire.machine(Client).expires_at(), None);
    assert_eq!(wire.close(Client, Linger::Background), Effects::TIME_WAIT);
    assert_eq!(wire.machine(Client).expires_at(), Some(1060 * SECOND));
    assert_eq!(wire.machine_mut(Client).expire(1060 * SECOND), Effects::RELEASED);
    wire.end_mut(Client).machine = None;
    wire.run_until(1060 * SECOND);
    wire.close(Server, Linger::Background);
    settle(&mut wire);
    assert_eq!(wire.count(Client, is_reset), 1);
    assert!(wire.end(Server).machine.is_none());
}

#[test]
fn an_orphan_sends_eight_times_again_and_is_gone() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.run_until(SECOND);
    wire.cut(true);
    wire.write(Client, 10);
    wire.close(Client, Linger::Background);
    wire.run_until_still(100);
    assert_eq!(wire.count(Client, |segment| is_data(segment) && segment.seq == 1), 9);
    assert_eq!(wire.now, SECOND + 202 * 511 * MILLISECOND);
    assert!(wire.end(Client).machine.is_none());
}

#[test]
fn an_orphan_does_not_wait_for_ever_for_a_reader() {
    let mut wire = Wire::connected(MILLISECOND);
    for _ in 0..200 {
        wire.write(Client, usize::MAX);
        wire.run_until(wire.now + MILLISECOND);
    }
    wire.close(Client, Linger::Background);
    wire.run_until(100 * SECOND);
    assert!(wire.end(Client).machine.is_some());
    wire.run_until(400 * SECOND);
    assert!(wire.end(Client).machine.is_none());
    // The reader finds out when it reads.
    wire.read_all(Server);
    settle(&mut wire);
    assert_eq!(wire.try_read(Server), RESET);
}

#[test]
fn an_orphan_delivers_all_to_a_slow_reader() {
    let mut wire = Wire::connected(MILLISECOND);
    let mut total = 0;
    for _ in 0..200 {
        total += wire.write(Client, usize::MAX);
        wire.run_until(wire.now + MILLISECOND);
    }
    wire.close(Client, Linger::Background);
    let mut come = 0;
    while come < total {
        wire.run_until(wire.now + SECOND);
        come += wire.read(Server, 20_000);
    }
    settle(&mut wire);
    assert_eq!(wire.try_read(Server), END);
}

/// The server's end of an idle connection gets a RST with this number.
fn reset_with(seq: impl Fn(u64) -> u64) -> (Wire, Effects) {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Client, 100);
    wire.run_until(SECOND);
    let expected = wire.machine(Server).expected();
    let mut reset = wire.sent[2].segment;
    (reset.flags, reset.seq) = (Flags::RST, seq(expected));
    let now = wire.now;
    let effects = wire.machine_mut(Server).on_segment(now, &reset);
    (wire, effects)
}

#[test]
fn a_reset_is_believed_only_with_the_very_number_that_is_expected() {
    let (wire, effects) = reset_with(|expected| expected);
    assert_eq!(wire.state(Server), TcpState::Closed);
    assert!(effects.has(Effects::ENDED));

    for beyond in [1, 1000, 262_044] {
        let (mut wire, effects) = reset_with(|expected| expected + beyond);
        assert_eq!((wire.state(Server), effects), (TcpState::Established, Effects::NONE));
        let before = wire.count(Server, is_bare);
        wire.pump(Server);
        assert_eq!(wire.count(Server, is_bare), before + 1, "it asks: {beyond}");
    }
    for outside in [-101_i64, -1, 262_045, 1 << 40] {
        let (mut wire, effects) = reset_with(|expected| expected.wrapping_add_signed(outside));
        assert_eq!((wire.state(Server), effects), (TcpState::Established, Effects::NONE));
        let before = wire.sent.len();
        wire.pump(Server);
        assert_eq!(wire.sent.len(), before, "it does not answer: {outside}");
    }
}

#[test]
fn a_reset_that_overtakes_lost_data_is_asked_about_and_confirmed() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    wire.lose_first(1, Client, is_data);
    wire.write(Client, 1000);
    wire.close(Client, Linger::Reset);
    settle(&mut wire);
    assert_eq!(wire.count(Client, is_reset), 2);
    assert_eq!(wire.try_read(Server), RESET);
}

#[test]
fn a_lost_reset_leaves_half_a_connection_until_somebody_sends() {
    for latency in LATENCIES {
        let mut wire = Wire::connected(latency);
        wire.lose_first(1, Client, is_reset);
        wire.close(Client, Linger::Reset);
        wire.run_until(1000 * SECOND);
        assert_eq!(wire.state(Server), TcpState::Established);
        assert_eq!(wire.try_read(Server), None);
        assert_eq!(wire.try_write(Server), Some(Ok(1)));
        wire.run_until(1001 * SECOND);
        assert_eq!(wire.try_read(Server), RESET);
    }
}

#[test]
fn a_reset_goes_to_who_waits_to_write_and_to_who_waits_to_read() {
    let (_, effects) = reset_with(|expected| expected);
    assert!(effects.has(Effects::READABLE | Effects::WRITABLE));
    assert!(!effects.has(Effects::RELEASED), "its program has not closed it");
}

#[test]
fn a_syn_in_a_connection_is_answered_and_changes_nothing() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.write(Client, 10);
    settle(&mut wire);
    let now = wire.now;
    for seq in [0, wire.machine(Server).expected(), 77, 1 << 30] {
        let mut syn = wire.sent[0].segment;
        syn.seq = seq;
        let before = wire.count(Server, is_bare);
        assert!(wire.machine_mut(Server).on_segment(now, &syn).is_none());
        wire.pump(Server);
        assert_eq!(
            (wire.count(Server, is_bare), wire.state(Server)),
            (before + 1, TcpState::Established)
        );
    }
}

#[test]
fn an_acknowledgement_of_what_was_not_sent_is_answered_and_ignored() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.run_until(SECOND);
    let mut wrong = wire.sent[2].segment;
    (wrong.ack, wrong.len) = (1000, 10);
    let now = wire.now;
    assert!(wire.machine_mut(Server).on_segment(now, &wrong).is_none());
    assert_eq!(wire.machine(Server).readable(), 0);
    let before = wire.count(Server, is_bare);
    wire.pump(Server);
    assert_eq!(wire.count(Server, is_bare), before + 1);
}

#[test]
fn a_reset_is_never_answered() {
    let mut segment = Wire::connected(MILLISECOND).sent[2].segment;
    let answer = reset_for(&segment).unwrap();
    assert_eq!((answer.seq, answer.flags), (segment.ack, Flags::RST));
    assert_eq!(reset_for(&answer), None);
    (segment.flags, segment.seq, segment.len) = (Flags::SYN, 0, 0);
    let answer = reset_for(&segment).unwrap();
    assert_eq!((answer.seq, answer.ack, answer.flags), (0, 1, Flags::RST | Flags::ACK));
}

#[test]
fn a_client_that_ends_before_it_is_accepted_is_found_as_it_left() {
    for (linger, seen) in [(Linger::Background, [END, END]), (Linger::Reset, [RESET, END])] {
        let mut wire = Wire::connected(MILLISECOND);
        wire.write(Client, 10);
        wire.close(Client, linger);
        settle(&mut wire);
        assert!(wire.take_effects(Server).has(Effects::ACCEPTABLE));
        assert!(wire.end(Server).machine.is_some(), "it stays in the queue");
        assert_eq!(wire.try_read(Server), Some(Ok(10)));
        assert_eq!([wire.try_read(Server), wire.try_read(Server)], seen);
    }
}

#[test]
fn a_listener_that_goes_resets_who_waits_in_its_queue() {
    let mut wire = Wire::connected(MILLISECOND);
    assert_eq!(wire.close(Server, Linger::Reset), Effects::RELEASED);
    settle(&mut wire);
    assert_eq!((wire.try_read(Client), wire.try_read(Client)), (RESET, END));
    assert_eq!(wire.try_write(Client), REFUSED_WRITE);
}

#[test]
fn a_connection_that_has_ended_does_nothing_any_more() {
    let mut wire = Wire::connected(MILLISECOND);
    wire.close(Client, Linger::Reset);
    settle(&mut wire);
    let stray = wire.sent[2].segment;
    let now = wire.now;
    assert!(wire.machine_mut(Server).on_segment(now, &stray).is_none());
    assert!(wire.machine_mut(Server).on_timer(now).is_none());
    assert_eq!(wire.machine(Server).deadline(), None);
    assert_eq!(wire.machine(Server).needed_from(), u64::MAX);
    assert_eq!(wire.machine(Server).send_room(), 0);
    assert_eq!(wire.close(Server, Linger::Background), Effects::RELEASED);
}

#[test]
fn closing_with_both_ends_said_resets_nobody() {
    let mut wire = Wire::connected(10 * MILLISECOND);
    wire.shutdown(Client, Shutdown::Write).unwrap();
    settle(&mut wire);
    wire.cut(true);
    wire.shutdown(Server, Shutdown::Write).unwrap();
    assert_eq!(wire.state(Server), TcpState::LastAck);
    assert_eq!(wire.close(Server, Linger::Reset), Effects::RELEASED);
    assert_eq!(wire.count(Server, is_reset), 0);
}
