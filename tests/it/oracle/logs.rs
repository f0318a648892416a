//! Logs of histories: what is read, what is refused, and the logs of others and of our own with their verdicts.

use std::fs;
use std::path::{Path, PathBuf};

use parcae::oracle::logs::{
    self, Event, EventKind, LogError, Process, Value, from_edn, from_lines, to_edn, to_lines,
};
use parcae::oracle::models::{CasInput, CasOutput, CasRegister, TextInput, TextStore};
use parcae::oracle::transactions::{AnomalyKind, Isolation, list_append, read_write};
use parcae::oracle::{Effect, HistoryVerdict, linearizable};

pub(super) type RegisterInput = CasInput<Option<i64>>;

pub(super) fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data").join(folder)
}

#[test]
fn a_history_in_edn_is_read_and_written() {
    let text = "; a comment\n\
        {:process 0, :type :invoke, :f :put, :key \"x\", :value \"a \\\"b\\\"\", :time 12}\n\
        {:index 1 :process :nemesis, :type :info, :f :start, :value {:n1 #{:n2}}}\n\
        #jepsen.history.Op{:process 0, :type :ok, #_#_:old 1 :f :put, :key \"x\", :value nil}\n\
        {:process 3, :type :fail, :f read, :value [1 (2.5 -3N) true \\a \\space foo/bar]}\n";
    let events = from_edn(text).unwrap();
    assert_eq!(events.iter().map(|event| event.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
    let put = &events[0];
    assert_eq!((&put.process, put.kind), (&Process::Client(0), EventKind::Invoke));
    assert_eq!((put.function.as_str(), put.time), ("put", Some(12)));
    assert_eq!(put.key, Some(Value::Text("x".into())));
    assert_eq!(put.value, Value::Text("a \"b\"".into()));
    assert_eq!(events[1].process, Process::Other("nemesis".into()));
    assert_eq!(events[2].value, Value::Nil);
    assert_eq!(events[3].value.to_string(), "[1 (2.5 -3) true \\a \\space foo/bar]");
    let numbers = Value::List(vec![Value::Decimal("2.5".into()), Value::Integer(-3)]);
    assert_eq!(events[3].value.as_items().unwrap()[1], numbers);
    let written = to_edn(&events);
    assert_eq!(
        written.lines().next(),
        Some("{:process 0, :type :invoke, :f :put, :key \"x\", :value \"a \\\"b\\\"\", :time 12}")
    );
    let without_lines = |events: Vec<Event>| -> Vec<Event> {
        let without = |mut event: Event| {
            event.line = 0;
            event
        };
        events.into_iter().map(without).collect()
    };
    let again = without_lines(from_edn(&written).unwrap());
    assert_eq!(again, without_lines(events.clone()));
    let in_a_vector = format!(" [{}] ; the end", written.replace('\n', " "));
    assert_eq!(without_lines(from_edn(&in_a_vector).unwrap()), again);
    assert_eq!(from_edn(" ; nothing").unwrap(), []);
}

#[track_caller]
fn refused(text: &str, message: &str) {
    let error = from_edn(text).and_then(|events| logs::operations::<RegisterInput>(&events));
    assert_eq!(error.unwrap_err().to_string(), message);
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    refused(
        "{:process 1}\n",
        "line 1: expected :type with one of :invoke, :ok, :fail, :info, found \"a map without\"",
    );
    refused("\n\n:a", "line 3: expected a map, which is an event, found \":a\"");
    refused(
        "[\n{:a 1}",
        "line 2: expected :process with a number or a keyword, found \"a map without\"",
    );
    refused("[] {}", "line 1: expected the end, found \"{}\"");
    refused("[\n", "line 2: expected a map, which is an event, found the end");
    refused("{:a\n}", "line 2: expected a value, found \"}\"");
    refused("{:a \"b\n\n", "line 1: expected the end of the text that begins here, found the end");
    refused(
        "{:a \"\\q\"}",
        "line 1: expected one of \" \\ n r t behind a backslash, found \"q\\\"}\"",
    );
    refused(
        "{:a 9223372036854775808}",
        "line 1: expected a number in the range of i64, found \"9223372036854775808}\"",
    );
    refused("{:a \\moon}", "line 1: expected a character or its name, found \"moon}\"");
    let nested = |depth| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        from_edn(&format!("{{:process 1, :type :ok, :f :x, :value {open}{close}}}"))
    };
    assert_eq!(nested(64).unwrap().len(), 1);
    assert_eq!(nested(65), Err(LogError::TooDeep { line: 1, limit: 64 }));
    let deep = format!("{{:a {}", "[".repeat(100_000));
    assert_eq!(from_edn(&deep), Err(LogError::TooDeep { line: 1, limit: 64 }));
    let deep = format!("{{:a {}", "#_ [".repeat(100_000));
    assert_eq!(from_edn(&deep), Err(LogError::TooDeep { line: 1, limit: 64 }));
    let large = " ".repeat((256 << 20) + 1);
    let error = LogError::TooLarge { size: large.len(), limit: 256 << 20 };
    assert_eq!(from_edn(&large), Err(error.clone()));
    assert_eq!(from_lines(&large), Err(error));
    let read = |kind| format!("{{:process 4, :type :{kind}, :f :read, :value nil}}\n");
    refused(&read("ok"), "line 1: process 4 ends what it has not invoked");
    refused(&read("invoke").repeat(2), "line 2: process 4 has something under way");
    refused(
        &read("invoke").replace("read", "write").replace("nil", "\"a\""),
        "line 1: function \"write\" with no such value here",
    );
    let error = from_lines("INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\tok")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2: expected one of :invoke, :ok, :fail, :info, found \"ok\""
    );
}

#[test]
fn an_end_that_nobody_knows_is_never_one_that_was_not_done() {
    let line = |process, rest: &str| format!("INFO  jepsen.util - {process}\t{rest}\n");
    let text = [
        line(0, ":invoke\t:write\t1"),
        "INFO  jepsen.core - something else\n".into(),
        line(0, ":info\t:write\t:timed-out"),
        line(1, ":invoke\t:cas\t[1 2]"),
        line(1, ":fail\t:cas\t[1 2]"),
        line(2, ":invoke\t:cas\t[1 2]"),
        line(2, ":fail\t:cas\t:refused"),
        line(3, ":invoke\t:read\tnil"),
        line(3, ":fail\t:read\t:timed-out"),
        line(4, ":invoke\t:read\tnil"),
        line(4, ":ok\t:read\t7"),
        line(5, ":invoke\t:read\tnil"),
    ];
    let events = from_lines(&text.concat()).unwrap();
    let operations = logs::operations::<RegisterInput>(&events).unwrap();
    let effects: Vec<_> = operations.iter().map(|operation| operation.effect.clone()).collect();
    assert_eq!(
        effects,
        [
            Effect::Unknown,
            Effect::Returned(CasOutput::Swapped(false)),
            Effect::Failed,
            Effect::Failed,
            Effect::Returned(CasOutput::Value(Some(7))),
            Effect::Unknown,
        ]
    );
    let ends: Vec<_> =
        operations.iter().map(|operation| operation.ended.map(|at| at.order)).collect();
    assert_eq!(ends, [None, Some(3), Some(5), Some(7), Some(9), None]);
}

#[test]
fn transactions_in_edn_are_read_judged_and_written() {
    let text = "\
        {:process 0, :type :invoke, :f :txn, :value [[:append :x 1] [:r :y nil]]}\n\
        {:process 1, :type :invoke, :f :txn, :value [[:append :y 2] [:r :x nil]]}\n\
        {:process 2, :type :invoke, :f :txn, :value [[:append :y 3]]}\n\
        {:process 0, :type :ok, :f :txn, :value [[:append :x 1] [:r :y [2]]]}\n\
        {:process 1, :type :ok, :f :txn, :value [[:append :y 2] [:r :x [1]]]}\n\
        {:process 2, :type :fail, :f :txn, :value :failed}\n";
    let transactions = logs::list_transactions(&from_edn(text).unwrap()).unwrap();
    let HistoryVerdict::Violated(witness) = list_append(&transactions, Isolation::ReadCommitted)
    else {
        panic!("each reads the other");
    };
    assert_eq!(witness.anomalies[0].kind, AnomalyKind::G1c);
    assert_eq!(to_edn(&logs::list_transaction_events(&transactions)), text);
    let text = text.replace(":append", ":w").replace("[2]", "2").replace("[1]", "1");
    let transactions = logs::value_transactions(&from_edn(&text).unwrap()).unwrap();
    assert!(read_write(&transactions, Isolation::ReadCommitted).is_violated());
    assert_eq!(to_edn(&logs::value_transaction_events(&transactions)), text);
    for (wrong, line) in [
        (text.replacen(":f :txn", ":f :other", 1), 1),
        (text.replacen("[:r :y nil]", "[:q :y nil]", 1), 1),
        (text.replace("[:r :y 2]", "[:r :z 2]"), 4),
        (text.replace(" [:r :y 2]", ""), 4),
        (text.replace("[:r :y 2]", "[:r :y [2]]"), 4),
    ] {
        let error = logs::value_transactions(&from_edn(&wrong).unwrap()).unwrap_err();
        assert!(matches!(error, LogError::Meaningless { line: at, .. } if at == line), "{error}");
    }
}

/// Those of porcupine's logs of etcd that are right, after its own test.
const RIGHT: [u32; 23] =
    [2, 5, 7, 18, 25, 31, 38, 45, 48, 49, 51, 53, 56, 67, 75, 76, 80, 87, 92, 98, 100, 101, 102];

#[test]
fn the_logs_of_porcupine_have_the_verdicts_that_it_gives_them() {
    let (mut right, mut wrong, mut lines) = (0, 0, 0);
    for number in (0..=102).filter(|number| *number != 95) {
        let path = data("porcupine").join(format!("etcd_{number:03}.log"));
        let text = fs::read_to_string(path).unwrap();
        let events = from_lines(&text).unwrap();
        assert_eq!(from_lines(&to_lines(&events)).unwrap(), events, "{number}");
        lines += events.len();
        let operations = logs::operations::<RegisterInput>(&events).unwrap();
        let verdict = linearizable(&CasRegister::new(None), &operations);
        assert_eq!(verdict.is_consistent(), RIGHT.contains(&number), "{number}: {verdict}");
        assert_eq!(verdict.is_violated(), !RIGHT.contains(&number), "{number}: {verdict}");
        *(if verdict.is_consistent() { &mut right } else { &mut wrong }) += 1;
    }
    assert_eq!((right, wrong, lines), (23, 79, 17_046));
}

#[test]
fn key_value_logs_of_porcupine_are_judged_where_they_are_placed() {
    let (mut seen, mut missing) = (Vec::new(), Vec::new());
    for name in ["c01-ok", "c01-bad", "c10-ok", "c10-bad", "c50-ok", "c50-bad"] {
        let Ok(text) = fs::read_to_string(data("porcupine").join(format!("{name}.txt"))) else {
            missing.push(name);
            continue;
        };
        let operations = logs::operations::<TextInput>(&from_edn(&text).unwrap()).unwrap();
        let verdict = linearizable(&TextStore, &operations);
        assert_eq!(verdict.is_consistent(), name.ends_with("ok"), "{name}: {verdict}");
        assert_eq!(verdict.is_violated(), name.ends_with("bad"), "{name}: {verdict}");
        seen.push(name);
    }
    tracing::info!(?seen, ?missing, "key-value logs of porcupine");
    assert_eq!(seen.len() + missing.len(), 6);
}
