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
    assert_eq!(
        found,
        [
            0x3547_2ec1_cd6f_defe,
            0x5089_b818_751d_3ea7,
            0x715f_77be_109e_95c1,
            0x602b_901b_a571_79fc,
            0xbf4b_2bfc_438b_6214,
            0x2434_ecac_04b7_21fb
        ],
        "{found:#018x?}"
    );
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
    assert_eq!(
        found,
        [
            0,
            0xcc4e_3d80_2c58_4e32,
            0xcfbd_83bc_9f92_0221,
            0x50df_b2ca_4b20_3732,
            0xedb7_69e3_d060_f418,
            0xeade_a592_0cca_0485,
            0xe4ad_3700_bac0_7a03
        ],
        "{found:#018x?}"
    );
}

#[test]
fn the_numbers_of_sites_are_frozen() {
    let found = ["", "choose", "rng", "schedule", "strategy"].map(|name| Site::new(name).id());
    assert_eq!(
        found,
        [0xba99_2926, 0xaebe_871f, 0xbd60_fe3c, 0xc6d6_5219, 0xb7dd_2df6],
        "{found:#010x?}"
    );
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
    assert_eq!(found, [0x5899_65cc_7537_4cc3, 0x6b68_c5fb_aa91_a9a4], "{found:#018x?}");
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
    assert_eq!(
        found,
        [
            0x8bd1_a4e3_d930_f23e,
            0x9f28_8122_8e06_177d,
            0x6392_7bc4,
            0x98f4_cf72_b31f_18fe,
            0x1fb3_34b6_4e8b_5d38,
            0xb05a_cab8_e907_3ac3,
            0xdb15_a7c4_8fdb_18da,
            0xfcc6_a267_6fe6_8d66
        ],
        "{found:#018x?}"
    );
}

#[test]
fn the_chain_of_a_run_is_frozen() {
    let chains = [Strategy::Fifo, Strategy::Random].map(|strategy| {
        let sim = Sim::builder().seed(7).strategy(strategy).build().unwrap();
        let outcome = sim.run(crate::executor::mixed_program);
        assert!(outcome.is_ok(), "{:?}", outcome.failure());
        outcome.chain().get()
    });
    assert_eq!(chains, [0xb374_66be_1819_ad31, 0xe538_bcb3_b194_c22a], "{chains:#018x?}");
}
