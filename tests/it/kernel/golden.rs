//! Values that must not change: a change of one breaks seeds, tokens and recorded failures, and
//! needs a line "breaks seeds" in the CHANGELOG.

use parcae::explore::Strategy;
use parcae::kernel::{Chain, Event, EventKind, Key, Site, StreamId, prf};
use parcae::{Seed, Sim};

#[test]
fn the_bits_of_keys_are_frozen() {
    let draw = |seed, stream: StreamId, site, ordinal| {
        prf(Seed::new(seed), Key::new(stream, Site::new(site), ordinal))
    };
    let main = StreamId::ROOT.child("main", 0);
    let found = [
        draw(0, StreamId::ROOT, "", 0),
        draw(0, StreamId::ROOT, "choose", 0),
        draw(0, StreamId::ROOT, "choose", 1),
        draw(1, StreamId::ROOT, "choose", 0),
        draw(0, main, "choose", 0),
        draw(u64::MAX, main, "strategy", u64::MAX),
    ];
    assert_eq!(found, [0; 6], "{found:#018x?}");
}

#[test]
fn the_numbers_of_streams_are_frozen() {
    let main = StreamId::ROOT.child("main", 0);
    let found = [
        StreamId::ROOT.get(),
        main.get(),
        main.child("task", 0).get(),
        main.child("task", 1).get(),
        main.child("worker", u32::MAX).get(),
        StreamId::ROOT.child("", 0).get(),
        StreamId::ROOT.child("узел", 3).get(),
    ];
    assert_eq!(found, [0; 7], "{found:#018x?}");
}

#[test]
fn the_numbers_of_sites_are_frozen() {
    let found = ["", "choose", "rng", "schedule", "strategy"].map(|name| Site::new(name).id());
    assert_eq!(found, [0; 5], "{found:#010x?}");
}

#[test]
fn the_chain_of_a_history_is_frozen() {
    let task = StreamId::ROOT.child("main", 0);
    let kinds = [
        EventKind::Spawn,
        EventKind::Poll,
        EventKind::Operation,
        EventKind::Complete,
        EventKind::Cancel,
        EventKind::Panic,
        EventKind::Draw,
        EventKind::TimerSet,
        EventKind::Time,
        EventKind::Domain,
        EventKind::End,
    ];
    let mut chain = Chain::EMPTY;
    for (subject, kind) in (0..).zip(kinds) {
        chain = chain.with(Event { kind, task, subject, value: subject * subject });
    }
    let found = [Chain::EMPTY.get(), chain.get()];
    assert_eq!(found, [0; 2], "{found:#018x?}");
}

#[test]
fn what_a_task_draws_is_frozen() {
    let outcome = Sim::new(7).run(|| async {
        let mut main = parcae::rng();
        let child = parcae::spawn_named("child", async { parcae::rng().next_u64() });
        let unnamed = parcae::spawn(async { parcae::rng().next_u64() });
        [
            main.next_u64(),
            main.next_u64(),
            main.next_u32().into(),
            child.await,
            unnamed.await,
            parcae::choose(0..=u64::MAX),
            parcae::choose(0..=u64::MAX),
            parcae::rng::choose_for("size", 3, 0..=u64::MAX),
        ]
    });
    let found = outcome.unwrap();
    assert_eq!(found, [0; 8], "{found:#018x?}");
}

#[test]
fn the_chain_of_a_run_is_frozen() {
    let chains = [Strategy::Fifo, Strategy::Random].map(|strategy| {
        let sim = Sim::builder().seed(7).strategy(strategy).build().unwrap();
        let outcome = sim.run(crate::executor::mixed_program);
        assert!(outcome.is_ok(), "{:?}", outcome.failure());
        outcome.chain().get()
    });
    assert_eq!(chains, [0; 2], "{chains:#018x?}");
}
