//! On real time properties do nothing but say what is violated.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parcae::kernel::Ratio;
use parcae::oracle::{eventually, invariant};
use parcae::{buggify, knob, real};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the messages of target `parcae`.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "parcae"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = event.metadata().level().to_string();
        event.record(&mut Message(&mut text));
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {value:?}");
    }
}

fn heard<T>(program: impl Future<Output = T> + 'static) -> (T, Vec<String>)
where
    T: 'static,
{
    let listener = Listener::default();
    let output = tracing::subscriber::with_default(listener.clone(), || real::run(program));
    let heard = listener.0.lock().unwrap().clone();
    (output, heard)
}

#[test]
fn a_violated_property_is_traced_and_the_program_goes_on() {
    let line = line!() + 3;
    let (output, heard) = heard(async {
        let used = 12;
        parcae::always!(used <= 10, "the limit is kept", used);
        parcae::always_less_than!(used, 12, "less than twelve");
        parcae::unreachable!("nobody comes here");
        parcae::always!(true, "it holds");
        parcae::sometimes!(false, "never true");
        parcae::reachable!("come to");
        used
    });
    assert_eq!(output, 12);
    let [first, second, third] = heard.as_slice() else { panic!("{heard:?}") };
    let file = file!();
    assert_eq!(
        *first,
        format!("ERROR violated: always!(\"the limit is kept\") at {file}:{line}: used=12")
    );
    assert!(second.ends_with(": left=12, right=12"), "{second}");
    assert!(third.contains("unreachable!(\"nobody comes here\")"), "{third}");
}

#[test]
fn an_invariant_is_not_looked_at() {
    let looked = Rc::new(Cell::new(0));
    let count = looked.clone();
    let ((), heard) = heard(async move {
        invariant("never", move || {
            looked.set(looked.get() + 1);
            false
        });
        parcae::time::sleep(Duration::from_millis(5)).await;
    });
    assert_eq!((count.get(), heard), (0, vec![]));
}

#[test]
fn what_does_not_happen_in_time_is_traced() {
    let ((held, lost), heard) = heard(async {
        let flag = Rc::new(Cell::new(false));
        let seen = flag.clone();
        let task = parcae::spawn(async move {
            parcae::time::sleep(Duration::from_millis(20)).await;
            flag.set(true);
        });
        let hour = Duration::from_secs(3600);
        let held = eventually("it happens", hour, move || seen.get()).await;
        task.await;
        (held, eventually("never", Duration::from_millis(1), || false).await)
    });
    assert_eq!((held, lost), (true, false));
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].starts_with("ERROR violated: eventually(\"never\") at "), "{heard:?}");
}

#[test]
fn nothing_fires_and_knobs_have_their_usual_values() {
    let ((fired, sizes), heard) = heard(async {
        let fired = (0..1_000).filter(|_| buggify!("real", Ratio::new(1, 1)) || buggify!()).count();
        (fired, (0..100).map(|_| knob!("real size", 8, 1..=64)).collect::<Vec<_>>())
    });
    assert_eq!((fired, sizes, heard), (0, vec![8; 100], vec![]));
}

#[test]
fn a_simulation_inside_of_a_program_on_real_time_counts_for_itself() {
    let (outcome, heard) = heard(async {
        parcae::Sim::new(7).run(|| async {
            parcae::sometimes!(true, "inside");
            parcae::always!(false, "inside, violated");
        })
    });
    assert_eq!(outcome.properties().len(), 2);
    assert!(outcome.into_result().is_err());
    assert_eq!(heard, Vec::<String>::new());
}
