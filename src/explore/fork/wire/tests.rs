//! What is sent is what is received.

use std::time::Duration;

use super::super::super::sim::Settings;
use super::super::super::strategy::Strategy;
use super::super::super::world::World;
use super::{Answer, Facts, Message, Purpose, Request, Signature};
use crate::executor::{Failure, Place, ProcessEnd};
use crate::fault::{BuggifyCount, FaultKind, KindCount};
use crate::kernel::{Fill, Key, Seed, Site, StreamId};

fn facts() -> Facts {
    let place = Some(Place { file: "a.rs".to_owned(), line: 7, column: 9 });
    let failure = Failure::Panic { task: "main".to_owned(), message: "a panic".to_owned(), place };
    Facts {
        chain: 1,
        event_count: 2,
        steps: 3,
        failure: Some("a panic".to_owned()),
        signature: Some(Signature::of(&failure)),
        properties: Vec::new(),
        faults: vec![KindCount { kind: FaultKind::ALL[3], planned: 4, begun: 3, fired: 2 }],
        buggified: vec![BuggifyCount::of_names(("slow disk", "module slow disk"), true, 5)],
        lines: vec!["one".to_owned(), String::new()],
        profile: Some(Box::default()),
    }
}

#[test]
fn an_answer_that_is_sent_is_what_is_received() {
    let limit = Duration::from_secs(7);
    let ends = [
        ProcessEnd::Signal { number: 6 },
        ProcessEnd::Exit { code: 3 },
        ProcessEnd::StackOverflow,
        ProcessEnd::OutOfMemory { limit_bytes: 9 },
        ProcessEnd::Stuck { limit },
    ];
    let ended = |end| Answer::Ended { end, output: "last words".to_owned() };
    for answer in ends.map(ended).into_iter().chain([Answer::Ran(facts())]) {
        let bytes = answer.encode();
        let received = Answer::decode(&bytes).unwrap();
        let show = |answer: &Answer| {
            let text = format!("{answer:?}");
            // Places of `buggify!` are numbered where they are.
            text.split("number:").next().unwrap_or_default().to_owned()
        };
        assert_eq!(show(&received), show(&answer));
        assert_eq!(received.encode(), bytes);
        assert!(Answer::decode(&bytes[..bytes.len() - 1]).is_none(), "cut short");
    }
}

#[test]
fn a_signature_that_was_sent_is_equal() {
    let bytes = Answer::Ran(facts()).encode();
    let Some(Answer::Ran(received)) = Answer::decode(&bytes) else { panic!("{bytes:?}") };
    assert_eq!(received.signature, facts().signature);
    assert!(received.is_same(&facts()));
}

#[test]
fn a_request_says_which_world_and_what_for() {
    let key = Key::new(StreamId::ROOT.child("a", 3), Site::new("schedule"), 1 << 40);
    let overrides: crate::kernel::Overrides = [(key, 17)].into_iter().collect();
    let mut settings = Settings { strategy: Strategy::PctMix, ..Settings::default() };
    settings.limits.steps = 99;
    for purpose in [Purpose::Visit, Purpose::Log, Purpose::Pilot] {
        for fill in [Fill::Seeded, Fill::Default] {
            let world = World { seed: Seed::new(u64::MAX - 1), fill, overrides: overrides.clone() };
            let request = Request::new(world, &settings, purpose);
            let bytes = Message::Run(request.clone()).encode();
            let Some(Message::Run(received)) = Message::decode(&bytes) else { panic!("{bytes:?}") };
            assert_eq!(received, request);
        }
    }
}

#[test]
fn names_that_were_received_are_kept_once() {
    let name = || {
        let mut bytes = super::Bytes::default();
        bytes.text("a name");
        super::Reader(&bytes.0).name().unwrap()
    };
    assert!(std::ptr::eq(name(), name()));
}
