//! Every public async function may be cancelled wherever it waits: nothing is lost, and others are served.
//!
//! A function that documents its cancel safety and is in no table here fails
//! [`every_function_that_says_that_it_is_cancel_safe_is_in_the_table`].

mod sync;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::rc::Rc;

use parcae::Task;
use parcae::explore::Strategy;
use parcae::task::{settle, spawn_named};
use parcae::testing::{CancelAtEveryAwait, CancelReport};

/// A function, and how it is seen that it may be cancelled.
struct Case {
    /// As `Type::function`; several cases may be about one.
    name: &'static str,
    check: fn(CancelAtEveryAwait) -> CancelReport,
}

fn all_cases() -> impl Iterator<Item = &'static Case> {
    [sync::CASES].into_iter().flatten()
}

/// Folders of which every async function is to be in the table.
const FOLDERS: [&str; 1] = ["src/sync"];

#[test]
fn every_async_function_is_safe_to_cancel_wherever_it_waits() {
    let strategies = [(Strategy::Fifo, 1), (Strategy::Random, 200)];
    for Case { name, check } in all_cases() {
        for (strategy, seeds) in strategies {
            let report = check(CancelAtEveryAwait::new().strategy(strategy).seeds(seeds));
            assert!(report.is_ok(), "{name} ({strategy}): {}", report.failure.unwrap());
            assert!(report.await_points > 0, "{name} ({strategy}) never waited");
        }
    }
}

#[test]
fn every_function_that_says_that_it_is_cancel_safe_is_in_the_table() {
    let tested: BTreeSet<&str> = all_cases().map(|case| case.name).collect();
    let mut missing = Vec::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let said = cancel_safe_functions(&text).into_iter();
            missing.extend(said.filter(|name| !tested.contains(name.as_str())));
        }
    }
    assert_eq!(missing, [""; 0], "not in the tables of {}", file!());
}

/// Finds the public functions whose docs have a section on cancel safety, as `Type::function`.
fn cancel_safe_functions(text: &str) -> Vec<String> {
    let (mut owner, mut is_said, mut found) = (String::new(), false, Vec::new());
    for line in text.lines() {
        let code = line.trim_start();
        if code.starts_with("/// # Cancel safety") {
            is_said = true;
        } else if let Some(header) = line.strip_prefix("impl") {
            let header = without_parameters(header);
            let header = header.split_once(" for ").map_or(header, |(_, owner)| owner);
            let name = header.split(['<', ' ', '{']).find(|word| !word.is_empty());
            name.unwrap_or_default().clone_into(&mut owner);
        } else if let Some(function) = code.strip_prefix("pub fn ") {
            let name = function.split(['(', '<']).next().unwrap();
            if is_said && line.starts_with(' ') {
                found.push(format!("{owner}::{name}"));
            } else if is_said {
                found.push(name.to_owned());
            }
            is_said = false;
        } else if !code.starts_with("//") && !code.starts_with("#[") {
            is_said = false;
        }
    }
    found
}

/// Returns what comes behind the parameters in angle brackets that an `impl` may begin with.
fn without_parameters(header: &str) -> &str {
    let mut depth = 0;
    for (place, character) in header.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if !header[..place].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return header[place..].trim_start_matches('>');
        }
    }
    header
}

#[test]
fn functions_that_say_that_they_are_cancel_safe_are_recognised() {
    let text = "
        impl<T: Clone, F: Fn() -> Box<T>> Lock<T> {
            /// Locks.
            ///
            /// # Cancel safety
            /// Cancel safe.
            #[track_caller]
            pub fn lock(&self) -> Locking<'_, T> {}

            /// Counts.
            pub fn count(&self) -> usize {}
        }

        impl<T> Drop for Other<T> {
        }

        impl Event<'_> {
            /// # Cancel safety
            /// # Examples
            pub fn wait<F>(&self) -> Wait {}
        }

        /// # Cancel safety
        pub fn free() -> Free {}
    ";
    let text: String =
        text.lines().map(|line| line.get(8..).unwrap_or("")).collect::<Vec<_>>().join("\n");
    assert_eq!(cancel_safe_functions(&text), ["Lock::lock", "Event::wait", "free"]);
}

// What the cases share

/// What an operation is tried on, with other tasks that use it too.
struct World<P> {
    it: Rc<P>,
    others: RefCell<Vec<Task<()>>>,
    /// Counts what the others and the operation write down here.
    done: Rc<Cell<u32>>,
}

/// What another task has: the thing itself, and a counter to write down what it has done.
type Own<P> = (Rc<P>, Rc<Cell<u32>>);

impl<P: 'static> World<P> {
    fn of(it: P) -> Self {
        Self { it: Rc::new(it), others: RefCell::new(Vec::new()), done: Rc::default() }
    }

    /// Lets another task use it too.
    fn beside(self, name: &'static str, other: impl AsyncFnOnce(Own<P>) + 'static) -> Self {
        let own = (self.it.clone(), self.done.clone());
        self.others.borrow_mut().push(spawn_named(name, async move { other(own).await }));
        self
    }

    /// Lets all others come to their waits, so that the operation comes behind them.
    async fn settled(self) -> Self {
        settle().await;
        self
    }

    /// Waits until all others have ended; a deadlock if one of them is not served.
    async fn others_end(&self) {
        let others = self.others.take();
        for other in others {
            other.await;
        }
    }
}

impl<P> Deref for World<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.it
    }
}

fn add_one(counter: &Cell<u32>) {
    counter.set(counter.get() + 1);
}
