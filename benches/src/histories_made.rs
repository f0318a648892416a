//! Histories of a store in a simulation, for the files of tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use parcae::Sim;
use parcae::oracle::logs::{self, Logged};
use parcae::oracle::models::{CasInput, CasOutput, CasRegister, TextInput, TextStore};
use parcae::oracle::{History, Model, Operation, linearizable};
use parcae::task::{gather, spawn};
use parcae::time::sleep;

use crate::histories_large::answer_text;

type Operations<I, O> = Vec<Operation<I, O>>;

/// Returns the files for tests by name: histories, each behind a comment that says its seed and whether it is right.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    vec![
        (
            "registers.log",
            file(&CasRegister::new(None), logs::to_lines, |seed| {
                simulated(seed, None, ask_register, answer_register)
            }),
        ),
        (
            "texts.edn",
            file(&TextStore, logs::to_edn, |seed| {
                simulated(seed, BTreeMap::new(), ask_text, answer_text)
            }),
        ),
    ]
}

/// Takes the first of both kinds until there are enough.
fn file<M: Model>(
    model: &M,
    write: impl Fn(&[logs::Event]) -> String,
    make: impl Fn(u64) -> Operations<M::Input, M::Output>,
) -> String
where
    M::Input: Logged<Output = M::Output>,
{
    let mut text = String::new();
    let mut missing = [("good", EACH), ("bad", EACH)];
    for seed in 0.. {
        if missing.iter().all(|(_, count)| *count == 0) {
            break;
        }
        let operations = make(seed);
        let (word, count) =
            &mut missing[usize::from(!linearizable(model, &operations).is_consistent())];
        if *count > 0 {
            *count -= 1;
            let _ = write!(text, "; {seed} {word}\n{}", write(&logs::events(&operations)));
        }
    }
    text
}

/// What three clients see of an object with a copy that follows late. In runs of odd seeds some answers are of the copy; a
/// request may time out, before or after it took effect.
fn simulated<S, I, O>(
    seed: u64,
    initial: S,
    ask: fn(u64) -> I,
    answer: fn(&mut S, &I) -> O,
) -> Operations<I, O>
where
    S: Clone + 'static,
    I: Clone + 'static,
    O: Clone + 'static,
{
    let run = Sim::new(seed).run(move || async move {
        let history = History::new();
        let object = Rc::new(RefCell::new((initial.clone(), initial)));
        let client = |number: u64| {
            let (history, object) = (history.clone(), object.clone());
            spawn(async move {
                let mut name = number;
                for turn in 0..CALLS_EACH {
                    let input = ask(number * 100 + turn);
                    let call = history.invoke(name, input.clone());
                    let is_stale = seed % 2 == 1 && parcae::choose(0..3) == 0;
                    match requested(&object, &input, answer, is_stale).await {
                        Some(output) => call.returned(output),
                        // Nobody knows: the client goes on as another.
                        None => name += CLIENTS,
                    }
                }
            })
        };
        gather((0..CLIENTS).map(client)).await;
        // The last copies are on their way.
        sleep(Duration::from_secs(1)).await;
        history.operations()
    });
    run.unwrap()
}

/// Asks the object, or its copy; none if the answer does not come in time.
async fn requested<S: Clone + 'static, I, O>(
    object: &Rc<RefCell<(S, S)>>,
    input: &I,
    answer: fn(&mut S, &I) -> O,
    is_stale: bool,
) -> Option<O> {
    wait(10).await;
    let is_lost = parcae::choose(0..12) == 0;
    if is_lost {
        wait(30).await;
    }
    let (output, version) = {
        let (now, copy) = &mut *object.borrow_mut();
        let old = answer(&mut copy.clone(), input);
        let new = answer(now, input);
        (if is_stale { old } else { new }, now.clone())
    };
    let copied = object.clone();
    spawn(async move {
        wait(20).await;
        copied.borrow_mut().1 = version;
    })
    .detach();
    wait(10).await;
    (!is_lost).then_some(output)
}

async fn wait(millis_max: u64) {
    sleep(Duration::from_millis(parcae::choose(0..=millis_max))).await;
}

fn ask_register(_: u64) -> CasInput<Option<i64>> {
    let value = || Some(parcae::choose(0..4));
    match parcae::choose(0..3) {
        0 => CasInput::Write(value()),
        1 => CasInput::CompareAndSwap(value(), value()),
        _ => CasInput::Read,
    }
}

fn answer_register(
    state: &mut Option<i64>,
    input: &CasInput<Option<i64>>,
) -> CasOutput<Option<i64>> {
    match *input {
        CasInput::Read => CasOutput::Value(*state),
        CasInput::Write(value) => {
            *state = value;
            CasOutput::Written
        }
        CasInput::CompareAndSwap(expected, new) => {
            let is_swapped = *state == expected;
            if is_swapped {
                *state = new;
            }
            CasOutput::Swapped(is_swapped)
        }
    }
}

fn ask_text(number: u64) -> TextInput {
    let key = parcae::choose(0..3).to_string();
    match parcae::choose(0..5) {
        0 => TextInput::Put(key, number.to_string()),
        1 | 2 => TextInput::Append(key, format!(" {number}")),
        _ => TextInput::Get(key),
    }
}

const EACH: u32 = 32;
const CLIENTS: u64 = 3;
const CALLS_EACH: u64 = 6;
