//! Rare branches taken on purpose.

use parcae::explore::{Check, CheckReport, ReplayMode, ReplayVerdict, Strategy};
use parcae::kernel::Ratio;
use parcae::task::yield_now;
use parcae::{Outcome, Sim, buggify, spawn};

const RUNS: u64 = 4_000;

/// Asks two places a hundred times each; returns how often they fired.
async fn program() -> [u32; 2] {
    let mut fired = [0; 2];
    for _ in 0..100 {
        fired[0] += u32::from(buggify!("one"));
        fired[1] += u32::from(buggify!());
    }
    fired
}

#[test]
fn places_are_active_and_fire_as_often_as_is_said() {
    let fired: Vec<[u32; 2]> = (0..RUNS).map(|seed| Sim::new(seed).run(program).unwrap()).collect();
    let share = |count: usize| count as f64 / RUNS as f64;
    for place in 0..2 {
        let active: Vec<u32> =
            fired.iter().map(|fired| fired[place]).filter(|count| *count > 0).collect();
        // 80 % of the runs, 25 % of the places.
        assert!((0.18..0.22).contains(&share(active.len())), "{}", share(active.len()));
        let mean = f64::from(active.iter().sum::<u32>()) / active.len() as f64;
        assert!((24.0..26.0).contains(&mean), "{mean} of 100");
    }
    let both = fired.iter().filter(|fired| fired[0] > 0 && fired[1] > 0).count();
    // 80 % of 25 % of 25 %: apart from the runs without any, one says nothing of the other.
    assert!((0.04..0.06).contains(&share(both)), "{}", share(both));
}

#[test]
fn in_a_fifth_of_the_runs_nothing_fires() {
    let fires_at_all = |seed| {
        Sim::new(seed)
            .run(|| async {
                // 40 places: that none is active by chance happens once in 100,000 runs.
                macro_rules! any {
                    ($($label:literal)*) => { [$(buggify!($label, Ratio::new(1, 1))),*] };
                }
                any!("0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "10" "11" "12" "13" "14" "15" "16" "17"
                     "18" "19" "20" "21" "22" "23" "24" "25" "26" "27" "28" "29" "30" "31" "32" "33"
                     "34" "35" "36" "37" "38" "39")
                .contains(&true)
            })
            .unwrap()
    };
    let quiet = (0..RUNS).filter(|seed| !fires_at_all(*seed)).count() as f64 / RUNS as f64;
    assert!((0.18..0.22).contains(&quiet), "{quiet}");
}

#[test]
fn a_place_with_its_own_probability_has_that() {
    for seed in 0..400 {
        let outcome = Sim::new(seed).run(|| async {
            let always = (0..20).filter(|_| buggify!("certain", Ratio::new(1, 1))).count();
            let never = (0..20).filter(|_| buggify!("impossible", Ratio::ZERO)).count();
            (always, never)
        });
        let is_active = outcome.buggified()[0].is_active();
        assert_eq!(outcome.buggified()[0].name(), "buggify `certain`");
        assert_eq!(outcome.unwrap(), (if is_active { 20 } else { 0 }, 0));
    }
}

#[test]
fn switched_off_nothing_fires_and_nothing_is_drawn() {
    let run = |seed, asks: bool, is_on: bool| -> Outcome<bool> {
        let sim = Sim::builder().seed(seed).buggify(is_on).build().unwrap();
        sim.run(move || async move { asks && (0..100).any(|_| buggify!("never")) })
    };
    for seed in 0..200 {
        let (off, plain) = (run(seed, true, false), run(seed, false, true));
        assert_eq!((off.chain(), off.event_count()), (plain.chain(), plain.event_count()));
        assert!(!off.unwrap());
    }
    assert!((0..200).any(|seed| run(seed, true, true).unwrap()));
    let report = Check::new("off").seeds(300).buggify(false).run(|| async {
        assert!((0..100).all(|_| !buggify!("never in a check")));
    });
    assert!(report.is_ok());
}

#[test]
fn tasks_draw_apart_so_the_schedule_changes_nothing() {
    let fired = |seed, strategy| {
        let sim = Sim::builder().seed(seed).strategy(strategy).build().unwrap();
        let ask = || async {
            let mut fired = Vec::new();
            for _ in 0..20 {
                fired.push(buggify!("apart"));
                yield_now().await;
            }
            fired
        };
        let outcome = sim.run(move || async move {
            let tasks = [spawn(ask()), spawn(ask())];
            let [one, two] = tasks;
            (one.await, two.await)
        });
        outcome.unwrap()
    };
    let mut differing = 0;
    for seed in 0..200 {
        let (one, two) = fired(seed, Strategy::Random);
        assert_eq!((&one, &two), (&fired(seed, Strategy::Fifo).0, &fired(seed, Strategy::Fifo).1));
        differing += u32::from(one != two);
    }
    assert!(differing > 20);
}

mod elsewhere {
    pub(super) fn asks() -> bool {
        parcae::buggify!("same label", parcae::kernel::Ratio::new(1, 1))
    }
}

#[test]
fn a_label_belongs_to_its_module() {
    let mut seen = [[0; 2]; 2];
    for seed in 0..400 {
        let outcome = Sim::new(seed).run(|| async {
            let here = buggify!("same label", Ratio::new(1, 1));
            assert_eq!(here, buggify!("same label", Ratio::new(1, 1)), "one place");
            [here, elsewhere::asks()]
        });
        let [here, there] = outcome.unwrap();
        seen[usize::from(here)][usize::from(there)] += 1;
    }
    assert!(seen.iter().flatten().all(|count| *count > 5), "{seen:?}");
}

/// Fails when the second of three writes is torn, whatever else happens.
async fn torn() {
    let mut written = 0;
    for write in 0..3 {
        if buggify!("slow write") {
            yield_now().await;
        }
        if !(buggify!("torn write") && write == 1) {
            written += 1;
        }
    }
    assert_eq!(written, 3, "a write is lost");
}

fn found(jobs: usize) -> CheckReport {
    Check::new("torn").seeds(1_000).jobs(jobs).run(torn)
}

#[test]
fn a_failure_shrinks_to_the_firings_that_it_needs() {
    let report = found(2);
    let finding = report.finding().unwrap();
    assert_eq!(finding.world().overrides.len(), 1, "{:?}", finding.world());
    assert_eq!(finding.shrink().unwrap().size.choices, 1);
    let fired: Vec<_> =
        finding.buggified().iter().map(|place| (place.name(), place.fired())).collect();
    assert_eq!(fired, [("buggify `slow write`", 0), ("buggify `torn write`", 1)]);
    assert!(!finding.buggified()[1].is_active(), "the firing alone is forced");
}

#[test]
fn a_firing_replays_by_its_token() {
    let token = found(2).finding().unwrap().token().unwrap().clone();
    let replay = Check::new("torn").replay(&token, ReplayMode::Strict, torn).unwrap();
    assert_eq!(replay.verdict, ReplayVerdict::Reproduced);
    assert_eq!(replay.stale, Vec::<String>::new());
    let off = Check::new("torn").buggify(false).replay(&token, ReplayMode::Lenient, torn).unwrap();
    assert_eq!((off.verdict, off.stale.len()), (ReplayVerdict::Passes, 1));
}

#[test]
fn the_seed_that_failed_fails_again_from_its_recorded_choices() {
    let report = found(1);
    let seed = report.finding().unwrap().seed();
    let logged = Sim::builder().seed(seed).log(true).build().unwrap().run(torn);
    let world = parcae::explore::World::of_log(seed, logged.log().unwrap());
    let sim = Sim::builder().seed(seed).overrides(world.fill, world.overrides).build().unwrap();
    let again = sim.run(torn);
    assert_eq!((again.chain(), again.event_count()), (logged.chain(), logged.event_count()));
}

#[test]
fn a_check_counts_firings_whatever_the_number_of_threads() {
    let counts = |jobs| {
        let report = Check::new("counted").seeds(400).jobs(jobs).run(|| async {
            program().await;
        });
        let of = |place: &parcae::fault::BuggifySummary| {
            (place.seeds(), place.seeds_active(), place.seeds_fired(), place.fired())
        };
        report.buggified().iter().map(of).collect::<Vec<_>>()
    };
    let alone = counts(1);
    assert_eq!((alone.len(), alone[0].0), (2, 400));
    assert!((60..100).contains(&alone[0].1) && alone[0].2 <= alone[0].1 && alone[0].3 > 1_000);
    assert_eq!((counts(3), counts(8)), (alone.clone(), alone));
}

#[test]
fn outside_of_a_runtime_nothing_fires() {
    assert!((0..1_000).all(|_| !buggify!() && !buggify!("outside", Ratio::new(1, 1))));
}

#[test]
fn rates_say_in_how_many_runs_at_how_many_places_and_how_often() {
    let counts = |rates: &str| {
        let rates: parcae::fault::BuggifyRates = rates.parse().unwrap();
        let check = Check::new("rates").seeds(100).buggify_rates(rates);
        let report = check.run(|| async {
            for _ in 0..100 {
                let _one = buggify!("one");
                let _own = buggify!("with its own", Ratio::new(1, 1));
            }
        });
        let of = |it: &parcae::fault::BuggifySummary| (it.seeds_active(), it.fired());
        let [one, own] = report.buggified() else { panic!("two places") };
        (of(one), of(own))
    };
    assert_eq!(counts("100,100,100"), ((100, 10_000), (100, 10_000)));
    assert_eq!(counts("0,100,100"), ((0, 0), (0, 0)));
    assert_eq!(counts("100,0,100"), ((0, 0), (0, 0)));
    assert_eq!(counts("100,100,0"), ((100, 0), (100, 10_000)));
    let ((active, fired), _) = counts("50,100,10");
    assert!(
        (30..70).contains(&active) && (active * 5..active * 15).contains(&fired),
        "{active} {fired}"
    );
}
