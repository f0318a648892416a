//! Things sent once and things kept, over connections that break.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::*;

fn take_all(outgoing: &mut Outgoing<u32>) -> Vec<(Option<u64>, u32)> {
    std::iter::from_fn(|| outgoing.take())
        .map(|item| match item {
            Item::Once(value) => (None, value),
            Item::Kept(number, value) => (Some(number), value),
        })
        .collect()
}

#[test]
fn what_is_kept_is_sent_again_in_front_of_the_rest_and_what_is_not_is_gone() {
    let mut outgoing = Outgoing::new();
    outgoing.push_kept(10);
    outgoing.push_once(11);
    outgoing.push_kept(12);
    assert_eq!(take_all(&mut outgoing), [(Some(0), 10), (None, 11), (Some(1), 12)]);
    outgoing.push_once(13);
    outgoing.push_kept(14);
    assert_eq!(outgoing.count(), 4);
    outgoing.rewind();
    let again = [(Some(0), 10), (Some(1), 12), (None, 13), (Some(2), 14)];
    assert_eq!(take_all(&mut outgoing), again);
}

#[test]
fn what_is_acknowledged_is_forgotten() {
    let mut outgoing = Outgoing::new();
    for value in 0..5 {
        outgoing.push_kept(value);
    }
    for _ in 0..3 {
        outgoing.take();
    }
    assert_eq!(outgoing.acknowledge(2), Some(vec![0, 1]));
    assert_eq!(outgoing.count(), 3);
    // An old acknowledgement changes nothing.
    assert_eq!(outgoing.acknowledge(1), Some(vec![]));
    outgoing.rewind();
    assert_eq!(take_all(&mut outgoing), [(Some(2), 2), (Some(3), 3), (Some(4), 4)]);
    assert_eq!(outgoing.acknowledge(5), Some(vec![2, 3, 4]));
    assert_eq!(outgoing.count(), 0);
}

#[test]
fn what_was_not_sent_cannot_be_acknowledged() {
    let mut outgoing = Outgoing::new();
    outgoing.push_kept(0);
    outgoing.push_kept(1);
    outgoing.take();
    assert_eq!(outgoing.acknowledge(2), None);
    assert_eq!(outgoing.acknowledge(1), Some(vec![0]));
    assert_eq!(outgoing.acknowledge(2), None);
    outgoing.take();
    assert_eq!(outgoing.acknowledge(2), Some(vec![1]));
    assert_eq!(outgoing.acknowledge(3), None);
}

#[test]
fn another_process_gets_what_stays_numbered_anew() {
    let mut outgoing = Outgoing::new();
    for value in 0..6 {
        outgoing.push_kept(value);
    }
    outgoing.push_once(6);
    for _ in 0..3 {
        outgoing.take();
    }
    assert_eq!(outgoing.acknowledge(1), Some(vec![0]));
    assert_eq!(outgoing.restart(|value| value % 2 == 1), [2, 4, 6]);
    assert_eq!(take_all(&mut outgoing), [(Some(0), 1), (Some(1), 3), (Some(2), 5)]);
    assert_eq!(outgoing.push_kept(9), 3);
}

#[test]
fn each_number_is_new_once() {
    let mut incoming = Incoming::default();
    let arrivals = [0, 0, 1, 3, 2, 1, 3].map(|number| incoming.on(number));
    use Arrival::{Again, New, TooEarly};
    assert_eq!(arrivals, [New, Again, New, TooEarly, New, Again, New]);
    assert_eq!(incoming.expected(), 4);
}

/// A stream that breaks at any place, any number of times, and loses what is under way in both directions.
#[test]
fn over_connections_that_break_everything_kept_arrives_once_and_in_order() {
    for seed in 0..2_000 {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |below: u32| chance.next_u32() % below;
        let (mut outgoing, mut incoming) = (Outgoing::new(), Incoming::default());
        let (mut flight, mut acknowledgements) = (VecDeque::new(), VecDeque::new());
        let (mut sent, mut arrived, mut kept) = (0_u32, Vec::new(), Vec::new());
        while kept.len() < 20 || outgoing.count() > 0 {
            match draw(if kept.len() < 20 { 6 } else { 5 }) {
                0 => drop(outgoing.take().map(|item| flight.push_back(item))),
                1 => match flight.pop_front() {
                    Some(Item::Kept(number, value)) => {
                        let arrival = incoming.on(number);
                        assert_ne!(arrival, Arrival::TooEarly);
                        if arrival == Arrival::New {
                            arrived.push(value);
                        }
                        acknowledgements.push_back(incoming.expected());
                    }
                    Some(Item::Once(value)) => arrived.push(value),
                    None => {}
                },
                2 | 3 => {
                    if let Some(expected) = acknowledgements.pop_front() {
                        assert!(outgoing.acknowledge(expected).is_some());
                    }
                }
                4 if draw(4) == 0 => {
                    // Some of what is under way may still arrive before it breaks.
                    flight.clear();
                    acknowledgements.clear();
                    outgoing.rewind();
                }
                5 if draw(2) == 0 => {
                    kept.push(sent);
                    outgoing.push_kept(sent);
                    sent += 1;
                }
                5 => {
                    outgoing.push_once(sent);
                    sent += 1;
                }
                _ => {}
            }
        }
        assert!(arrived.is_sorted_by(|a, b| a < b), "seed {seed}: {arrived:?}");
        assert!(kept.iter().all(|value| arrived.contains(value)), "seed {seed}");
    }
}

#[test]
fn credit_is_spent_one_by_one_and_never_falls() {
    let mut credit = Credit::default();
    assert!(!credit.is_there());
    credit.grant(2);
    credit.grant(1);
    credit.spend();
    credit.spend();
    assert!(!credit.is_there());
    credit.grant(3);
    assert!(credit.is_there());
}

#[test]
fn a_window_grants_what_there_is_room_for() {
    let mut window = Window::new(4);
    assert_eq!(window.grant(0), Some(4));
    assert_eq!(window.grant(0), None, "nothing is new");
    for _ in 0..4 {
        assert!(window.receive());
    }
    assert!(!Window::new(4).receive(), "nothing was granted");
    // All four are held, then three, then two: half of the window is worth a frame.
    assert_eq!(window.grant(4), None);
    assert_eq!(window.grant(3), Some(5), "the sender has none, so one is worth it");
    assert_eq!(window.grant(2), None);
    assert_eq!(window.grant(1), Some(7));
}

#[test]
fn what_is_held_from_before_is_not_granted_again() {
    let mut window = Window::new(4);
    assert_eq!(window.grant(3), Some(1));
    assert!(window.receive());
    assert!(!window.receive(), "more than was granted");
}

/// Never more in memory than the window, and never a sender without credit while there is room.
#[test]
fn a_window_bounds_what_is_held_and_does_not_starve() {
    for seed in 0..500 {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let limit = u64::from(1 + chance.next_u32() % 5);
        let (mut window, mut credit, mut held) = (Window::new(limit), Credit::default(), 0);
        let mut flight = 0;
        let mut done = 0;
        while done < 50 {
            if let Some(granted) = window.grant(held) {
                credit.grant(granted);
            }
            match chance.next_u32() % 3 {
                0 if credit.is_there() => {
                    credit.spend();
                    flight += 1;
                }
                1 if flight > 0 => {
                    flight -= 1;
                    assert!(window.receive());
                    held += 1;
                }
                2 if held > 0 => {
                    held -= 1;
                    done += 1;
                }
                _ => assert!(held + flight > 0 || credit.is_there(), "seed {seed}: starved"),
            }
            assert!(held + flight <= limit, "seed {seed}");
        }
    }
}

#[test]
fn what_would_be_sent_once_can_be_taken_out() {
    let mut outgoing = Outgoing::new();
    outgoing.push_once(0);
    outgoing.push_kept(1);
    outgoing.push_once(2);
    assert_eq!(outgoing.drop_once(), [0, 2]);
    assert_eq!(take_all(&mut outgoing), [(Some(0), 1)]);
}

#[test]
fn what_was_never_sent_is_told_from_what_is_sent_again() {
    let mut outgoing = Outgoing::new();
    for value in 0..3 {
        outgoing.push_kept(value);
    }
    outgoing.take();
    outgoing.rewind();
    let (mut kept, mut unsent) = (Vec::new(), Vec::new());
    outgoing.for_each_kept(|value| kept.push(*value));
    outgoing.for_each_unsent(|value| unsent.push(*value));
    assert_eq!((kept, unsent), (vec![0, 1, 2], vec![1, 2]));
}

#[test]
fn an_acknowledgement_that_was_lost_saves_sending_again() {
    let mut outgoing = Outgoing::new();
    for value in 0..3 {
        outgoing.push_kept(value);
    }
    outgoing.take();
    outgoing.take();
    outgoing.rewind();
    assert_eq!(outgoing.acknowledge(1), Some(vec![0]));
    assert_eq!(take_all(&mut outgoing), [(Some(1), 1), (Some(2), 2)]);
}
