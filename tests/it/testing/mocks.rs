//! `mock::AsyncFn`.

use futures::executor::block_on;
use parcae::Sim;
use parcae::testing::mock::{AsyncFn, CallState};
use parcae::time::{Instant, timeout};

use crate::runs::{Journal, SEEDS, discard, panic_of, panicked, poll_once, random, secs};

#[test]
fn calls_are_answered_in_the_order_in_which_they_are_made() {
    let mock = AsyncFn::new().returns(1).then(|text: &&str| text.len()).returns(3);
    let (first, second, third) = (mock.call("a"), mock.call("four"), mock.call("c"));
    assert_eq!(block_on(async { (third.await, second.await, first.await) }), (3, 4, 1));
}

#[test]
fn an_answer_can_be_late_an_error_or_never_come() {
    let outcome = Sim::new(7).run(|| async {
        let mock = AsyncFn::new().returns(Ok(1)).after(secs(2)).error("no").after(secs(3)).hangs();
        let start = Instant::now();
        assert_eq!(mock.call(()).await, Ok(1));
        assert_eq!(start.elapsed(), secs(2));
        assert_eq!(mock.call(()).await, Err("no"));
        assert_eq!(start.elapsed(), secs(5));
        assert!(timeout(secs(60), mock.call(())).await.is_err());
        assert_eq!(start.elapsed(), secs(65));
        let states: Vec<_> = mock.calls().into_iter().map(|call| call.state).collect();
        assert_eq!(states, [CallState::Completed, CallState::Completed, CallState::Cancelled]);
    });
    outcome.unwrap();
}

#[test]
fn the_delay_counts_from_the_first_poll_and_several_calls_wait_at_once() {
    let outcome = Sim::new(7).run(|| async {
        let mock = AsyncFn::new().returns(1).after(secs(5)).returns(2).after(secs(5));
        let (first, second) = (mock.call(()), mock.call(()));
        parcae::time::sleep(secs(1)).await;
        let start = Instant::now();
        assert_eq!(futures::join!(first, second), (1, 2));
        start.elapsed()
    });
    assert_eq!(outcome.unwrap(), secs(5));
}

#[test]
fn a_call_beyond_the_script_panics_where_it_is_made_or_is_answered_otherwise() {
    let outcome = Sim::new(7).run(|| async {
        let mock = AsyncFn::new().named("charge").returns(());
        mock.call((17, "tea")).await;
        mock.call((18, "cake")).await;
    });
    panicked(&outcome, "`charge` has no answer for call 2, with (18, \"cake\")");
    assert!(outcome.failure().unwrap().to_string().contains(file!()));
    let empty = AsyncFn::<u32, ()>::new();
    assert_eq!(panic_of(|| discard(empty.call(1))), "the mock has no answer for call 1, with 1");

    let mock = AsyncFn::new().returns(0).otherwise(|number: &u32| number + 1);
    let answers = block_on(async { [mock.call(5).await, mock.call(5).await, mock.call(7).await] });
    assert_eq!(answers, [0, 6, 8]);

    let mock = AsyncFn::<(), ()>::new().otherwise_hangs();
    assert!(poll_once(&mut mock.call(())).is_pending());
}

#[test]
fn a_call_is_told_from_an_await_and_an_end_from_a_cancellation() {
    let mock = AsyncFn::<u32, ()>::new().returns(()).hangs().hangs().hangs();
    let mut kept = vec![mock.call(0), mock.call(1), mock.call(2), mock.call(3)];
    let counts =
        || [mock.call_count(), mock.await_count(), mock.completed_count(), mock.cancelled_count()];
    assert_eq!(counts(), [4, 0, 0, 0]);
    for call in &mut kept[..3] {
        discard(poll_once(call));
    }
    assert_eq!(counts(), [4, 3, 1, 0]);
    let last = kept.pop();
    let waiting = kept.pop();
    drop(kept);
    assert_eq!(counts(), [4, 3, 1, 1]);
    drop(last);
    let states: Vec<_> = mock.calls().into_iter().map(|call| (call.args, call.state)).collect();
    let wanted = [
        (0, CallState::Completed),
        (1, CallState::Cancelled),
        (2, CallState::Awaited),
        (3, CallState::NeverAwaited),
    ];
    assert_eq!(states, wanted);
    drop(waiting);
}

#[test]
fn assertions_pass_when_they_hold() {
    let mock = AsyncFn::new().returns(()).returns(());
    mock.assert_not_called();
    mock.assert_not_awaited();
    mock.assert_calls_are(&[]);
    let call = mock.call(1);
    mock.assert_called_once_with(&1);
    mock.assert_not_awaited();
    block_on(call);
    mock.assert_awaited_once_with(&1);
    let second = mock.call(2);
    mock.assert_awaited_once_with(&1);
    mock.assert_any_call(&2);
    mock.assert_any_await(&1);
    mock.assert_calls_are(&[1, 2]);
    drop(second);
}

#[test]
fn assertions_that_do_not_hold_say_what_there_was() {
    let mock = AsyncFn::new().named("send").returns(()).returns(()).hangs();
    let line = line!() + 1;
    block_on(mock.call(1));
    drop(mock.call(2));
    let mut last = mock.call(1);
    assert!(poll_once(&mut last).is_pending());
    let listed = format!(
        "; its calls were\n    1. 1 at {file}:{line}: completed\n    2. 2 at {file}:{}: dropped \
         without having been awaited\n    3. 1 at {file}:{}: awaited, has not ended",
        line + 1,
        line + 2,
        file = file!(),
    );
    let check = |assertion: &dyn Fn(), wanted: &str| {
        assert_eq!(panic_of(assertion), format!("`send` was {wanted}{listed}"));
    };
    check(&|| mock.assert_called_once_with(&1), "to be called once with 1");
    check(&|| mock.assert_awaited_once_with(&1), "to be awaited once with 1");
    check(&|| mock.assert_any_call(&3), "to be called with 3");
    check(&|| mock.assert_any_await(&2), "to be awaited with 2");
    check(&|| mock.assert_not_called(), "not to be called");
    check(&|| mock.assert_not_awaited(), "not to be awaited");
    check(&|| mock.assert_calls_are(&[1, 1, 2]), "to be called with [1, 1, 2], in this order");
    let never = AsyncFn::<u32, ()>::new();
    let message = panic_of(|| never.assert_called_once_with(&1));
    assert_eq!(message, "the mock was to be called once with 1; it was never called");
}

#[test]
fn each_call_is_a_point_and_one_that_hangs_is_named_in_a_deadlock() {
    let is_between = |outcome: parcae::Outcome<Vec<&str>>| outcome.unwrap()[1] == "other";
    let mut runs = random(SEEDS, || async {
        let (mock, journal) = (AsyncFn::new().returns(()), Journal::new());
        let own = journal.clone();
        let other = parcae::spawn(async move { own.add("other") });
        journal.add("before");
        mock.call(()).await;
        journal.add("after");
        other.await;
        journal.take()
    });
    assert!(runs.any(is_between), "nobody goes first at the call");

    let outcome = Sim::new(7).run(|| async {
        AsyncFn::<(), ()>::new().named("fetch").hangs().call(()).await;
    });
    let failure = outcome.failure().unwrap().to_string();
    let wanted = format!("`main` waits for AsyncFn call of `fetch` at {}", file!());
    assert!(failure.contains(&wanted), "{failure}");
}

#[test]
fn a_mock_is_named_before_it_is_shared_and_delayed_after_it_is_answered() {
    let mock = AsyncFn::<(), ()>::new();
    let other = mock.clone();
    assert!(panic_of(|| discard(other.named("late"))).contains("before it is cloned or called"));
    assert!(panic_of(|| discard(mock.after(secs(1)))).contains("say first how it is answered"));
}
