//! Events of a layer, between the timers and the steps of tasks.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::context;
use crate::executor::{
    Attachment, DomainId, EventId, Executor, Failure, Layer, Phrase, Phrases, Plan, Point,
    Resource, Watch, Weight, note_wait,
};
use crate::executor::{Limits, TimerKey};
use crate::kernel::{
    Access, Choices, Event, EventKind, Fill, Key, Overrides, Seed, Site, Space, StreamId, Verb,
    VirtualTime,
};

/// Writes down what it is told of, and wakes who waits.
#[derive(Default)]
struct Journal {
    told: RefCell<Vec<(u64, Vec<u64>)>>,
    wakers: RefCell<Vec<Waker>>,
    /// Sets this event again, 1 ns later, whenever it comes.
    again: Cell<Option<u64>>,
    ended: Cell<u32>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Journal")
    }
}

impl Layer for Journal {
    fn fire(&self, _: &Executor, events: &[EventId]) {
        let now = executor(Executor::now).as_nanos();
        let events = events.iter().map(|event| event.0).collect();
        self.told.borrow_mut().push((now, events));
        if let Some(event) = self.again.get() {
            set(now + 1, event, Weight::Foreground);
        }
        self.wakers.take().into_iter().for_each(Waker::wake);
    }

    fn name_of(&self, resource: u64) -> Option<String> {
        Some(format!("resource {}", resource % 2))
    }

    fn phrases(&self) -> &'static [&'static Phrases] {
        static ALL: [&Phrases; 1] = [&PHRASES];
        &ALL
    }

    fn end(&self) -> Vec<Attachment> {
        self.ended.set(self.ended.get() + 1);
        vec![Attachment::new("journal", vec![7])]
    }
}

const LOSS: Site = Site::new("loss");

static PHRASES: Phrases = Phrases {
    draws: &[Phrase { site: LOSS, text: |ordinal, value| format!("packet {ordinal}: {value}") }],
    event: |event: &Event| {
        (event.kind == EventKind::Send).then(|| format!("sends {}", event.subject))
    },
};

fn executor<R>(call: impl FnOnce(&Executor) -> R) -> R {
    context::expect("a test", call)
}

fn set(at: u64, event: u64, weight: Weight) -> TimerKey {
    executor(|executor| executor.set_event(VirtualTime::from_nanos(at), EventId(event), weight))
}

fn attach() -> Rc<Journal> {
    let journal = Rc::new(Journal::default());
    executor(|executor| executor.attach(journal.clone()));
    journal
}

fn plan(is_logged: bool, limits: Limits, overrides: Overrides) -> Plan {
    Plan {
        choices: Choices::new(Seed::new(7), Fill::Default, overrides),
        reseed: None,
        picker: None,
        limits,
        watch: Watch::default(),
        is_logged,
        is_traced: false,
        is_capturing: false,
        epoch_nanos: 0,
        attach: crate::executor::Attach::default(),
    }
}

fn run<F>(program: impl FnOnce() -> F + 'static) -> crate::executor::run::Finished<F::Output>
where
    F: Future + 'static,
{
    plan(true, Limits::default(), Overrides::new()).run(program).expect("not nested")
}

async fn sleep(nanos: u64) {
    crate::time::sleep(Duration::from_nanos(nanos)).await;
}

#[test]
fn events_of_one_instant_come_together_in_the_order_of_setting() {
    let finished = run(|| async {
        let journal = attach();
        for (at, event) in [(20, 1), (10, 2), (20, 3), (10, 4)] {
            set(at, event, Weight::Foreground);
        }
        let gone = set(20, 5, Weight::Foreground);
        executor(|executor| executor.cancel_event(gone));
        sleep(30).await;
        executor(|executor| executor.cancel_event(gone));
        journal.told.take()
    });
    assert_eq!(finished.result.expect("it ends well"), [(10, vec![2, 4]), (20, vec![1, 3])]);
}

#[test]
fn at_one_instant_timers_wake_then_events_come_then_tasks_run() {
    let finished = run(|| async {
        let journal = attach();
        let order = Rc::new(RefCell::new(Vec::new()));
        let task = crate::spawn({
            let (order, journal) = (order.clone(), journal.clone());
            async move {
                sleep(10).await;
                order.borrow_mut().push(journal.told.borrow().len());
            }
        });
        crate::task::yield_now().await;
        set(10, 1, Weight::Foreground);
        task.await;
        order.take()
    });
    assert_eq!(finished.result.expect("it ends well"), [1], "the event came before the task ran");
}

#[test]
fn an_event_that_is_late_comes_now_and_time_stands_still() {
    let finished = run(|| async {
        let journal = attach();
        sleep(50).await;
        set(10, 1, Weight::Foreground);
        sleep(50).await;
        journal.told.take()
    });
    assert_eq!(finished.result.expect("it ends well"), [(50, vec![1])]);
}

/// Waits for the journal to wake it, for ever if that never does.
async fn wait(journal: Rc<Journal>) {
    let resource = Resource::new("Link");
    let mut point = Point::new();
    let mut polls = 0;
    poll_fn(move |context| {
        std::task::ready!(point.poll(context, &resource, &WAIT, std::panic::Location::caller()));
        polls += 1;
        if polls > 1 {
            return Poll::Ready(());
        }
        note_wait(&resource, &WAIT, std::panic::Location::caller());
        journal.wakers.borrow_mut().push(context.waker().clone());
        Poll::Pending
    })
    .await;
}

static WAIT: Verb = Verb::new("wait", Access::Read);

#[test]
fn a_foreground_event_wakes_who_waits_and_a_background_one_is_a_deadlock() {
    let finished = run(|| async {
        let journal = attach();
        set(1_000, 1, Weight::Foreground);
        wait(journal).await;
    });
    assert_eq!(finished.elapsed.as_nanos(), 1_000);
    finished.result.expect("it is woken");

    let finished = run(|| async {
        let journal = attach();
        set(1_000, 1, Weight::Background);
        wait(journal).await;
    });
    assert_eq!(finished.elapsed.as_nanos(), 0);
    let Err(Failure::Deadlock { tasks, .. }) = finished.result else { panic!("no deadlock") };
    let wait = tasks[0].wait.as_ref().expect("it waits");
    let name = wait.name.as_deref().expect("the layer names it");
    assert!(name.starts_with("resource "), "{name}");
}

#[test]
fn background_events_come_while_something_else_keeps_the_run_going() {
    let finished = run(|| async {
        let journal = attach();
        set(10, 1, Weight::Background);
        let raised = set(70, 2, Weight::Background);
        let lowered = set(20, 3, Weight::Foreground);
        executor(|executor| executor.set_weight(raised, Weight::Foreground));
        executor(|executor| executor.set_weight(lowered, Weight::Background));
        sleep(5).await;
        wait(journal.clone()).await;
        // The first wakes it; the second is background and comes before the third, which is not.
        wait(journal.clone()).await;
        wait(journal.clone()).await;
        journal.told.take()
    });
    let told = finished.result.expect("it is woken");
    assert_eq!(told, [(10, vec![1]), (20, vec![3]), (70, vec![2])]);
}

#[test]
fn events_that_only_set_each_other_are_bounded_by_steps() {
    let limits = Limits { steps: 10_000, ..Limits::default() };
    let finished = plan(false, limits, Overrides::new()).run(|| async {
        let journal = attach();
        journal.again.set(Some(1));
        set(1, 1, Weight::Foreground);
        std::future::pending::<()>().await;
    });
    let finished = finished.expect("not nested");
    assert!(matches!(finished.result, Err(Failure::StepLimit { .. })), "{:?}", finished.result);
}

#[test]
fn nothing_is_told_when_the_program_has_ended_and_the_layer_ends_once() {
    let journal = Rc::new(RefCell::new(None));
    let finished = run({
        let journal = journal.clone();
        || async move {
            *journal.borrow_mut() = Some(attach());
            set(10, 1, Weight::Foreground);
        }
    });
    assert_eq!(finished.elapsed.as_nanos(), 0);
    assert_eq!(finished.attachments, [Attachment::new("journal", vec![7])]);
    let journal = journal.take().expect("it ran");
    assert_eq!((journal.told.take(), journal.ended.get()), (vec![], 1));
    assert_eq!(Rc::strong_count(&journal), 1, "the run has let go of it");
}

#[test]
fn a_draw_of_an_object_is_its_own_and_an_override_is_told_in_its_words() {
    let link = StreamId::ROOT.child("link", 3);
    let space = Space::Integer { low: 0, high: 9, default: 1 };
    let draw = move || async move {
        attach();
        executor(|executor| {
            executor.name_object(link, || "c1->r0".to_owned());
            let drawn = executor.draw_for(link, LOSS, 17, space);
            let kind = EventKind::Send;
            executor.record(Event { kind, task: link, subject: 17, value: 0 });
            drawn
        })
    };
    let overrides = Overrides::from([(Key::new(link, LOSS, 17), 4)]);
    let finished = plan(true, Limits::default(), overrides).run(draw).expect("not nested");
    assert_eq!(finished.result.expect("it ends well"), 4);
    let log = finished.log.expect("it was logged");
    let told = log.describe_override(Key::new(link, LOSS, 17), 4);
    assert_eq!(told, "c1->r0: packet 17: 4");
    let lines: Vec<String> = log.entries.iter().map(|entry| log.describe(entry)).collect();
    for line in ["at 0.000 s: `c1->r0` packet 17: 4", "at 0.000 s: `c1->r0` sends 17"] {
        assert!(lines.iter().any(|found| found == line), "{lines:?}");
    }
    // Another run draws the default, of which only the chain knows.
    let other = run(draw);
    assert_eq!(other.result.expect("it ends well"), 1);
    assert_ne!(other.chain, finished.chain);
}

#[test]
fn a_time_on_the_clock_of_a_domain_is_translated() {
    let finished = run(|| async {
        let domain = DomainId::create("fast", 0);
        domain.set_clock_rate(1_000_000);
        sleep(100).await;
        executor(|executor| {
            let after = |domain| executor.global_after(domain, 1_000).as_nanos();
            (after(DomainId::ROOT), after(domain))
        })
    });
    assert_eq!(finished.result.expect("it ends well"), (1_100, 600));
}

#[test]
fn a_run_is_of_a_quick_size_of_malloc() {
    // With the two counts of its `Rc`.
    assert!(size_of::<Executor>() + 16 <= 1_032, "{} bytes", size_of::<Executor>() + 16);
}

#[test]
fn a_failure_in_the_middle_of_a_step_counts_when_that_is_over() {
    let finished = run(|| async {
        executor(|executor| {
            let _step = executor.core.borrow_mut();
            for call in ["first", "second"] {
                let backtrace = String::new();
                executor.fail_when_free(Failure::ForeignCall { call, backtrace });
            }
        });
        sleep(100).await;
    });
    let failure = finished.result.expect_err("it has been refused something");
    assert!(matches!(failure, Failure::ForeignCall { call: "first", .. }), "{failure}");
    assert_eq!(finished.elapsed.as_nanos(), 0, "no step came after it");
}
