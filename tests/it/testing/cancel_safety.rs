//! Every public async function may be cancelled wherever it waits: nothing is lost, and others are served.
//!
//! A function that documents its cancel safety and is in no table here fails
//! [`every_function_that_says_that_it_is_cancel_safe_is_in_the_table`].

mod channels;
mod locks;
mod queues;

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
    /// As `Type::function`, with the module before it where the type has a common name. Several cases
    /// may be about one.
    name: &'static str,
    check: fn(CancelAtEveryAwait) -> CancelReport,
}

fn all_cases() -> impl Iterator<Item = &'static Case> {
    [locks::CASES, channels::CASES, queues::CASES].into_iter().flatten()
}

/// Folders of which every async function is to be in the table.
const FOLDERS: [&str; 1] = ["src/sync"];

#[track_caller]
fn check_all(cases: &[Case]) {
    let mut failures = Vec::new();
    for Case { name, check } in cases {
        for (strategy, seeds) in [(Strategy::Fifo, 1), (Strategy::Random, 200)] {
            let report = check(CancelAtEveryAwait::new().strategy(strategy).seeds(seeds));
            failures
                .extend(report.failure.map(|failure| format!("{name} ({strategy}): {failure}")));
            if report.await_points == 0 {
                failures.push(format!("{name} ({strategy}): it never waits"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn whoever_waits_for_a_lock_may_be_cancelled() {
    check_all(locks::CASES);
}

#[test]
fn whoever_waits_at_a_channel_may_be_cancelled() {
    check_all(channels::CASES);
}

#[test]
fn whoever_waits_at_a_queue_may_be_cancelled() {
    check_all(queues::CASES);
}

#[test]
fn every_function_that_says_that_it_is_cancel_safe_is_in_the_table() {
    let tested: BTreeSet<&str> = all_cases().map(|case| case.name).collect();
    let mut missing = Vec::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let module = path.file_stem().unwrap().to_str().unwrap();
            let said = cancel_safe_functions(module, &fs::read_to_string(&path).unwrap());
            missing.extend(said.into_iter().filter(|name| !tested.contains(name.as_str())));
        }
    }
    assert_eq!(missing, [""; 0], "not in the tables of {}", file!());
}

/// Modules whose types have names that others have too.
const MODULES_NAMED: [&str; 3] = ["broadcast", "oneshot", "watch"];

/// Finds the public functions whose docs have a section on cancel safety, as [`Case::name`] has them.
fn cancel_safe_functions(module: &str, text: &str) -> Vec<String> {
    let (mut owners, mut is_said, mut found) = (Vec::new(), false, Vec::new());
    for line in text.lines() {
        let code = line.trim_start();
        let header = code.strip_prefix("impl").filter(|rest| rest.starts_with(['<', ' ']));
        let function = ["pub fn ", "pub async fn "].iter().find_map(|it| code.strip_prefix(it));
        if code.starts_with("/// # Cancel safety") {
            is_said = true;
        } else if let Some(header) = header {
            owners = owners_of(header);
        } else if let Some(function) = function {
            let function = function.split(['(', '<']).next().unwrap();
            let is_free = !line.starts_with(' ');
            let names = owners.iter().map(|owner| match MODULES_NAMED.contains(&module) {
                true => format!("{module}::{owner}::{function}"),
                false => format!("{owner}::{function}"),
            });
            match (is_said, is_free) {
                (true, true) => found.push(function.to_owned()),
                (true, false) => found.extend(names),
                (false, _) => {}
            }
            is_said = false;
        } else if !code.starts_with("//") && !code.starts_with("#[") {
            is_said = false;
        }
    }
    found
}

/// Returns the types that an `impl` is for: one, or those that a macro is called with.
fn owners_of(header: &str) -> Vec<&str> {
    let header = without_parameters(header);
    let header = header.split_once(" for ").map_or(header, |(_, owner)| owner);
    match header.split(['<', ' ', '{']).find(|word| !word.is_empty()) {
        Some("$Queue") => vec!["PriorityQueue", "LifoQueue"],
        name => name.into_iter().collect(),
    }
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
    assert_eq!(cancel_safe_functions("lock", &text), ["Lock::lock", "Event::wait", "free"]);
    let of_module = ["watch::Lock::lock", "watch::Event::wait", "free"];
    assert_eq!(cancel_safe_functions("watch", &text), of_module);
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
