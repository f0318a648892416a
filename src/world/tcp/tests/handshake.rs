//! How two ends come together, whatever of it is lost.

use super::super::{Effects, Flags, Linger, TcpError, TcpState};
use super::wire::{
    Client, Fate, LATENCIES, MILLISECOND, SECOND, Server, Wire, is_bare, is_data, is_reset, is_syn,
};

#[test]
fn three_segments_connect_two_ends() {
    for latency in LATENCIES {
        let mut wire = Wire::connected(latency);
        assert_eq!(wire.sent.len(), 3);
        let flags = [Flags::SYN, Flags::SYN | Flags::ACK, Flags::ACK];
        assert_eq!([0, 1, 2].map(|index: usize| wire.sent[index].segment.flags), flags);
        assert_eq!(wire.take_effects(Client), Effects::CONNECTED | Effects::WRITABLE);
        assert_eq!(wire.take_effects(Server), Effects::ACCEPTABLE);
        assert_eq!(wire.next_at(), None, "an idle connection has no timer");
    }
}

#[test]
fn a_lost_syn_is_sent_again() {
    for latency in LATENCIES {
        let mut wire = Wire::new(latency);
        wire.script(|number, _, _| if number == 0 { Fate::Lose } else { Fate::Pass });
        wire.connect(Client);
        wire.run_until(SECOND + 3 * latency);
        assert_eq!(wire.state(Server), TcpState::Established);
        assert_eq!(wire.times(Client, is_syn), [0, 1000]);
    }
}

#[test]
fn a_lost_answer_to_the_syn_is_sent_again() {
    for latency in LATENCIES {
        let mut wire = Wire::new(latency);
        wire.script(|number, _, _| if number == 1 { Fate::Lose } else { Fate::Pass });
        wire.connect(Client);
        wire.run_until(SECOND + 5 * latency);
        assert_eq!(wire.state(Client), TcpState::Established);
        assert_eq!(wire.state(Server), TcpState::Established);
        assert!(wire.take_effects(Server).has(Effects::ACCEPTABLE));
    }
}

#[test]
fn a_server_that_speaks_first_is_heard_though_the_last_ack_is_lost() {
    for latency in LATENCIES {
        let mut wire = Wire::new(latency);
        wire.script(|number, _, _| if number == 2 { Fate::Lose } else { Fate::Pass });
        wire.connect(Client);
        wire.run_until(3 * latency);
        assert_eq!(
            (wire.state(Client), wire.state(Server)),
            (TcpState::Established, TcpState::SynReceived)
        );
        assert_eq!(wire.write(Server, 10), 0, "it is not established");
        wire.run_until(SECOND + 4 * latency);
        assert_eq!(wire.state(Server), TcpState::Established);
        assert_eq!(wire.write(Server, 10), 10);
        wire.run_until(SECOND + 5 * latency);
        assert_eq!(wire.read_all(Client), 10);
    }
}

#[test]
fn data_of_the_client_stands_in_for_the_lost_last_ack() {
    let mut wire = Wire::new(MILLISECOND);
    wire.script(|number, _, _| if number == 2 { Fate::Lose } else { Fate::Pass });
    wire.connect(Client);
    wire.run_until(3 * MILLISECOND);
    wire.write(Client, 10);
    wire.run_until(4 * MILLISECOND);
    assert_eq!((wire.state(Server), wire.read_all(Server)), (TcpState::Established, 10));
}

#[test]
fn a_syn_that_nobody_answers_is_given_up_after_131_seconds() {
    let mut wire = Wire::new(MILLISECOND);
    wire.cut(true);
    wire.connect(Client);
    wire.run_until_still(100);
    let times = [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67].map(|seconds| seconds * 1000);
    assert_eq!(wire.times(Client, is_syn), times);
    assert_eq!((wire.now, wire.state(Client)), (131 * SECOND, TcpState::Closed));
    assert!(wire.take_effects(Client).has(Effects::REFUSED));
    assert_eq!(wire.machine_mut(Client).take_error(), Some(TcpError::TimedOut));
}

#[test]
fn an_answer_to_a_syn_is_sent_five_times_more_and_then_forgotten() {
    let mut wire = Wire::new(MILLISECOND);
    wire.script(|_, from, _| if from == Server { Fate::Lose } else { Fate::Pass });
    wire.connect(Client);
    wire.run_until(MILLISECOND);
    wire.end_mut(Client).machine = None;
    // The client is gone: its machine sends nothing, and no RST either.
    let machine = wire.machine_mut(Server);
    assert_eq!(machine.state(), TcpState::SynReceived);
    wire.run_until_still(100);
    let times = [0, 1, 3, 7, 15, 31].map(|seconds| seconds * 1000 + 1);
    assert_eq!(wire.times(Server, is_syn), times);
    assert_eq!(wire.now, 63 * SECOND + MILLISECOND);
    assert_eq!(wire.take_effects(Server), Effects::RELEASED);
}

#[test]
fn a_connect_across_a_cut_that_heals_after_six_seconds_succeeds_at_seven() {
    let mut wire = Wire::new(MILLISECOND);
    wire.cut(true);
    wire.connect(Client);
    wire.run_until(6 * SECOND);
    wire.cut(false);
    wire.run_until(7 * SECOND + 2 * MILLISECOND);
    assert_eq!(wire.state(Client), TcpState::Established);
    assert_eq!(wire.times(Client, is_bare), [7002]);
}

#[test]
fn a_port_without_a_listener_refuses() {
    for latency in LATENCIES {
        let mut wire = Wire::new(latency);
        wire.is_listening = false;
        wire.connect(Client);
        wire.run_until_still(10);
        assert_eq!((wire.now, wire.state(Client)), (2 * latency, TcpState::Closed));
        assert!(wire.take_effects(Client).has(Effects::REFUSED));
        assert_eq!(wire.machine_mut(Client).take_error(), Some(TcpError::Refused));
        assert_eq!(wire.machine_mut(Client).take_error(), None, "it is told once");
    }
}

#[test]
fn a_lost_refusal_is_asked_for_again() {
    let mut wire = Wire::new(MILLISECOND);
    wire.is_listening = false;
    wire.script(|number, _, _| if number == 1 { Fate::Lose } else { Fate::Pass });
    wire.connect(Client);
    wire.run_until_still(10);
    assert_eq!(wire.now, SECOND + 2 * MILLISECOND);
    assert_eq!(wire.machine_mut(Client).take_error(), Some(TcpError::Refused));
}

#[test]
fn two_ends_that_connect_at_once_are_connected() {
    for (latency, lost) in LATENCIES.into_iter().flat_map(|latency| {
        [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)].map(|lost| (latency, lost))
    }) {
        let mut wire = Wire::new(latency);
        wire.script(move |number, _, _| match lost {
            Some(lost) if lost == number => Fate::Lose,
            _ => Fate::Pass,
        });
        wire.connect(Client);
        wire.connect(Server);
        wire.run_until(10 * SECOND);
        for side in [Client, Server] {
            assert_eq!(wire.state(side), TcpState::Established, "{latency} {lost:?}");
            assert!(wire.take_effects(side).has(Effects::CONNECTED));
        }
        assert_eq!((wire.write(Client, 5), wire.write(Server, 7)), (5, 7));
        wire.run_until(20 * SECOND);
        assert_eq!((wire.read_all(Client), wire.read_all(Server)), (7, 5));
    }
}

#[test]
fn a_late_syn_of_the_same_connection_changes_nothing() {
    let mut wire = Wire::new(MILLISECOND);
    wire.script(|number, _, _| match number {
        0 => Fate::Twice(5 * SECOND),
        _ => Fate::Pass,
    });
    wire.connect(Client);
    wire.run_until(SECOND);
    wire.write(Client, 100);
    wire.run_until(6 * SECOND);
    assert_eq!(wire.state(Server), TcpState::Established);
    assert_eq!(wire.count(Server, is_syn), 1);
    wire.write(Client, 100);
    wire.run_until(7 * SECOND);
    assert_eq!(wire.read_all(Server), 200);
    assert_eq!(wire.count(Client, is_reset) + wire.count(Server, is_reset), 0);
}

#[test]
fn a_syn_that_comes_twice_is_answered_twice() {
    let mut wire = Wire::new(10 * MILLISECOND);
    wire.script(|number, _, _| if number == 0 { Fate::Twice(1) } else { Fate::Pass });
    wire.connect(Client);
    wire.run_until(SECOND);
    assert_eq!(wire.count(Server, is_syn), 2);
    assert_eq!(
        (wire.state(Client), wire.state(Server)),
        (TcpState::Established, TcpState::Established)
    );
}

#[test]
fn a_connect_that_is_dropped_sends_nothing_and_its_answer_is_reset() {
    let mut wire = Wire::new(10 * MILLISECOND);
    wire.connect(Client);
    assert_eq!(wire.close(Client, Linger::Background), Effects::RELEASED);
    wire.run_until_still(10);
    assert_eq!(wire.count(Client, is_reset), 1, "it answers the SYN+ACK");
    assert_eq!(wire.take_effects(Server), Effects::RELEASED);
    assert_eq!(wire.count(Client, is_data), 0);
}

#[test]
fn an_unreachable_host_ends_a_connect_at_once() {
    let mut wire = Wire::new(MILLISECOND);
    wire.connect(Client);
    let effects = wire.machine_mut(Client).on_unreachable();
    assert!(effects.has(Effects::REFUSED));
    assert_eq!(wire.machine_mut(Client).take_error(), Some(TcpError::Unreachable));
}

#[test]
fn an_acknowledgement_of_nothing_is_reset_in_the_handshake() {
    let mut wire = Wire::new(10 * MILLISECOND);
    wire.connect(Client);
    let mut stray = wire.sent[0].segment;
    (stray.flags, stray.ack) = (Flags::ACK, 77);
    assert_eq!(wire.machine_mut(Client).on_segment(1, &stray), Effects::RESET_PEER);
    assert_eq!(wire.state(Client), TcpState::SynSent);
    wire.run_until(10 * MILLISECOND);
    let now = wire.now;
    assert_eq!(wire.machine_mut(Server).on_segment(now, &stray), Effects::NONE, "out of window");
    stray.seq = 1;
    assert_eq!(wire.machine_mut(Server).on_segment(now, &stray), Effects::RESET_PEER);
    assert_eq!(wire.state(Server), TcpState::SynReceived);
}
