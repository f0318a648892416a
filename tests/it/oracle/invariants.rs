//! Conditions that hold between all steps of tasks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use parcae::explore::{Check, Strategy};
use parcae::oracle::{invariant, invariant_every};
use parcae::task::yield_now;
use parcae::time::sleep;
use parcae::{Failure, Outcome, Sim, spawn};

fn details<T>(outcome: Outcome<T>) -> (String, Vec<(&'static str, String)>) {
    match outcome.into_result().err().unwrap() {
        Failure::Property { violation, .. } => {
            assert_eq!(violation.rule, "invariant");
            (violation.message, violation.details)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_another_task_could_see_is_seen() {
    for seed in 0..200 {
        let outcome = Sim::new(seed).run(|| async {
            let sum = Rc::new(Cell::new(0));
            let seen = sum.clone();
            invariant("the sum is zero", move || seen.get() == 0);
            sleep(Duration::from_millis(3)).await;
            sum.set(1);
            yield_now().await;
            sum.set(0);
        });
        assert_eq!(outcome.elapsed(), Duration::from_millis(3));
        assert_eq!(details(outcome), ("the sum is zero".to_owned(), vec![]));
    }
}

#[test]
fn what_is_mended_before_the_next_await_is_not_seen() {
    for seed in 0..200 {
        let outcome = Sim::new(seed).run(|| async {
            let sum = Rc::new(Cell::new(0));
            let seen = sum.clone();
            invariant("the sum is zero", move || seen.get() == 0);
            for _ in 0..5 {
                sum.set(1);
                sum.set(0);
                yield_now().await;
            }
        });
        outcome.unwrap();
    }
}

#[test]
fn the_step_that_states_it_is_looked_at_too() {
    for seed in 0..200 {
        let outcome = Sim::new(seed).run(|| async {
            let sum = Rc::new(Cell::new(0));
            let seen = sum.clone();
            invariant("the sum is zero", move || seen.get() == 0);
            sum.set(1);
            yield_now().await;
            sum.set(0);
        });
        assert_eq!(details(outcome).0, "the sum is zero", "seed {seed}");
    }
}

#[test]
fn the_last_step_of_the_program_is_looked_at_too() {
    let outcome = Sim::new(7).run(|| async {
        let sum = Rc::new(Cell::new(0));
        let seen = sum.clone();
        invariant("the sum is zero", move || seen.get() == 0);
        sum.set(1);
    });
    assert_eq!(details(outcome).0, "the sum is zero");
}

#[test]
fn an_error_and_a_panic_say_more() {
    let error = Sim::new(7).run(|| async {
        invariant("fine", || Err::<(), _>("two leaders"));
        yield_now().await;
    });
    assert_eq!(details(error), ("fine".to_owned(), vec![("error", "two leaders".to_owned())]));
    let panic = Sim::new(7).run(|| async {
        invariant("fine", || assert_eq!(1, 1, "never"));
        invariant("not fine", || assert!(parcae::Backend::current().is_none(), "leads: {}", 2));
        yield_now().await;
    });
    assert_eq!(details(panic), ("not fine".to_owned(), vec![("panic", "leads: 2".to_owned())]));
}

#[test]
fn it_is_looked_at_after_every_event_or_every_so_many() {
    let calls = |events: u64| {
        let looked = Rc::new(Cell::new(0_u64));
        let calls = looked.clone();
        let sim = Sim::builder().strategy(Strategy::Fifo).build().unwrap();
        let outcome = sim.run(move || async move {
            let look = move || {
                looked.set(looked.get() + 1);
                true
            };
            match events {
                1 => invariant("it is looked at", look),
                _ => invariant_every(events, "it is looked at", look),
            }
            for _ in 0..100 {
                yield_now().await;
            }
        });
        (calls.get(), outcome.event_count())
    };
    let (each, events) = calls(1);
    assert!((100..=events).contains(&each), "{each} of {events}");
    let (tenth, _) = calls(10);
    assert!((events / 10 - 1..=events / 10 + 1).contains(&tenth), "{tenth} of {events}");
}

#[test]
fn it_may_compare_with_what_was_before() {
    let run = |terms: &'static [u32]| {
        Sim::new(7).run(move || async move {
            let term = Rc::new(Cell::new(0));
            let (seen, mut last) = (term.clone(), 0);
            invariant("the term never goes back", move || {
                let before = std::mem::replace(&mut last, seen.get());
                if before <= last { Ok(()) } else { Err(format!("{before} to {last}")) }
            });
            for next in terms {
                term.set(*next);
                yield_now().await;
            }
        })
    };
    run(&[1, 1, 2, 5]).unwrap();
    let failure = details(run(&[1, 3, 2, 4]));
    assert_eq!(failure.1, [("error", "3 to 2".to_owned())]);
}

#[test]
fn it_ends_with_the_run_and_can_state_another_one() {
    struct Dropped(Rc<RefCell<Vec<&'static str>>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.borrow_mut().push("dropped");
        }
    }
    let journal = Rc::new(RefCell::new(Vec::new()));
    let dropped = Dropped(journal.clone());
    let stated = journal.clone();
    let outcome = Sim::new(7).run(move || async move {
        let mut is_new = true;
        invariant("outer", move || {
            let _ = &dropped;
            if std::mem::take(&mut is_new) {
                let stated = stated.clone();
                invariant("inner", move || stated.borrow_mut().push("inner"));
            }
        });
        let task = spawn(async { yield_now().await });
        task.await;
    });
    outcome.unwrap();
    let journal = journal.borrow();
    assert_eq!(journal.last(), Some(&"dropped"));
    assert!(journal.len() > 2 && journal[..journal.len() - 1].iter().all(|it| *it == "inner"));
}

#[test]
fn a_violation_shrinks_to_the_switch_that_shows_it() {
    let report = Check::new("transfer").seeds(200).run(|| async {
        let accounts = Rc::new([Cell::new(10), Cell::new(0)]);
        let seen = accounts.clone();
        invariant("nothing is lost", move || seen[0].get() + seen[1].get() == 10);
        let transfer = spawn(async move {
            let is_rare = parcae::choose(0..20) > 12;
            accounts[0].set(accounts[0].get() - 3);
            if is_rare {
                yield_now().await;
            }
            accounts[1].set(accounts[1].get() + 3);
        });
        transfer.await;
    });
    let finding = report.finding().unwrap();
    let world = finding.world();
    assert_eq!(world.overrides.values().copied().collect::<Vec<_>>(), [13]);
}
