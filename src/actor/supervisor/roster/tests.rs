//! What a supervisor does about what happens, step by step.

use std::time::Duration;

use super::super::policy::*;
use super::*;
use crate::retry::{Backoff, Jitter};

/// A roster whose children have names: `a`, `b`, `c` in the order of their keys.
struct Bench {
    roster: Roster,
    now: Duration,
    next_token: u64,
}

fn rules(strategy: Strategy) -> Rules {
    let period = Duration::from_secs(5);
    let auto_shutdown = AutoShutdown::Never;
    Rules { strategy, auto_shutdown, intensity: 1, period, is_dynamic: false }
}

fn policy() -> Policy {
    Policy {
        restart: Restart::Permanent,
        shutdown: Shutdown::Timeout(Duration::from_secs(5)),
        is_significant: false,
        kind: ChildKind::Worker,
        backoff: None,
    }
}

fn with(restart: Restart) -> Policy {
    Policy { restart, ..policy() }
}

fn significant(restart: Restart) -> Policy {
    Policy { is_significant: true, ..with(restart) }
}

fn key(name: char) -> ChildKey {
    ChildKey(u64::from(u32::from(name) - u32::from('a')))
}

fn name(key: ChildKey) -> char {
    char::from(b'a' + u8::try_from(key.0).expect("few children"))
}

fn text(actions: Vec<Action>) -> String {
    let words = actions.into_iter().map(|action| match action {
        Action::Start(key) => format!("start {}", name(key)),
        Action::Stop(key) => format!("stop {}", name(key)),
        Action::Kill(key) => format!("kill {}", name(key)),
        Action::Arm(key, after) => format!("arm {} {after:?}", name(key)),
        Action::Disarm(key) => format!("disarm {}", name(key)),
        Action::Close(key) => format!("close {}", name(key)),
        Action::Forget(key) => format!("forget {}", name(key)),
        Action::Reply(token, reply) => format!("reply {} {reply:?}", token.0),
        Action::Ready => "ready".to_owned(),
        Action::End(End::Stopped) => "end: stopped".to_owned(),
        Action::End(End::StartFailed(key)) => format!("end: {} did not start", name(key)),
        Action::End(End::TooManyRestarts(key)) => format!("end: too many of {}", name(key)),
        Action::End(End::AutoShutdown(key)) => format!("end: {} has ended", name(key)),
    });
    words.collect::<Vec<_>>().join(", ")
}

impl Bench {
    /// Nothing is started yet.
    fn cold(rules: Rules, policies: &[Policy]) -> Self {
        let mut roster = Roster::new(rules);
        for &policy in policies {
            roster.add_first(policy);
        }
        Self { roster, now: Duration::ZERO, next_token: 0 }
    }

    /// All are started.
    fn up(rules: Rules, policies: &[Policy]) -> Self {
        let mut bench = Self::cold(rules, policies);
        bench.roster.begin();
        for name in ('a'..).take(policies.len()) {
            bench.started(name);
        }
        assert_eq!(bench.roster.phase, Phase::Up);
        bench
    }

    fn begin(&mut self) -> String {
        text(self.roster.begin())
    }

    fn started(&mut self, name: char) -> String {
        text(self.roster.started(key(name), self.now))
    }

    fn failed(&mut self, name: char) -> String {
        self.crashed(name)
    }

    fn ignored(&mut self, name: char) -> String {
        text(self.roster.ignored(key(name)))
    }

    fn crashed(&mut self, name: char) -> String {
        text(self.roster.ended(key(name), Exit::Abnormal, self.now))
    }

    fn ended(&mut self, name: char) -> String {
        text(self.roster.ended(key(name), Exit::Normal, self.now))
    }

    fn due(&mut self, name: char) -> String {
        text(self.roster.time_is_over(key(name)))
    }

    fn stop(&mut self) -> String {
        text(self.roster.stop())
    }

    fn token(&mut self) -> Token {
        self.next_token += 1;
        Token(self.next_token)
    }

    fn add(&mut self, policy: Policy) -> String {
        let token = self.token();
        text(self.roster.add(policy, token).1)
    }

    fn restart(&mut self, name: char) -> Result<String, Refusal> {
        let token = self.token();
        self.roster.restart(key(name), token).map(text)
    }

    fn terminate(&mut self, name: char) -> Result<String, Refusal> {
        let token = self.token();
        self.roster.terminate(key(name), token).map(text)
    }

    fn delete(&mut self, name: char) -> Result<String, Refusal> {
        self.roster.delete(key(name)).map(text)
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self
    }
}

#[test]
fn children_start_one_after_the_other_and_stop_in_reverse() {
    let mut bench = Bench::cold(rules(Strategy::OneForOne), &[policy(), policy(), policy()]);
    assert_eq!(bench.begin(), "start a");
    assert_eq!(bench.started('a'), "start b");
    assert_eq!(bench.started('b'), "start c");
    assert_eq!(bench.started('c'), "ready");
    assert_eq!(bench.stop(), "stop c, arm c 5s");
    assert_eq!(bench.ended('c'), "disarm c, stop b, arm b 5s");
    assert_eq!(bench.ended('b'), "disarm b, stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, end: stopped");
}

#[test]
fn a_supervisor_without_children_is_ready_at_once() {
    let mut bench = Bench::cold(rules(Strategy::OneForAll), &[]);
    assert_eq!(bench.begin(), "ready");
    assert_eq!(bench.stop(), "end: stopped");
    assert_eq!(bench.stop(), "");
}

#[test]
fn a_child_that_does_not_start_ends_the_start() {
    let mut bench = Bench::cold(rules(Strategy::OneForOne), &[policy(), policy(), policy()]);
    bench.begin();
    bench.started('a');
    assert_eq!(bench.failed('b'), "stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, end: b did not start");
}

#[test]
fn a_stop_while_a_child_starts_is_heard_at_once() {
    let nested = Policy { kind: ChildKind::Supervisor, shutdown: Shutdown::Infinite, ..policy() };
    let mut bench = Bench::cold(rules(Strategy::OneForOne), &[policy(), policy()]);
    bench.begin();
    bench.started('a');
    assert_eq!(bench.stop(), "kill b");
    // It was faster than the kill.
    assert_eq!(bench.started('b'), "");
    assert_eq!(bench.ended('b'), "stop a, arm a 5s");

    let mut bench = Bench::cold(rules(Strategy::OneForOne), &[nested]);
    bench.begin();
    assert_eq!(bench.stop(), "stop a");
    assert_eq!(bench.ended('a'), "end: stopped");
}

#[test]
fn a_child_that_is_not_needed_is_passed_over() {
    let policies = [policy(), with(Restart::Temporary), policy()];
    let mut bench = Bench::cold(rules(Strategy::OneForOne), &policies);
    assert_eq!(bench.begin(), "start a");
    assert_eq!(bench.ignored('a'), "close a, start b");
    assert_eq!(bench.ignored('b'), "forget b, start c");
    assert_eq!(bench.started('c'), "ready");
    assert_eq!(bench.roster.counts().specs, 2);
    assert_eq!(bench.roster.counts().active, 1);
}

#[test]
fn each_kind_of_restart_has_its_rule() {
    let (permanent, transient, temporary) =
        (with(Restart::Permanent), with(Restart::Transient), with(Restart::Temporary));
    for (policy, exit, expected) in [
        (permanent, Exit::Normal, "start a"),
        (permanent, Exit::Abnormal, "start a"),
        (transient, Exit::Normal, "close a"),
        (transient, Exit::Abnormal, "start a"),
        (temporary, Exit::Normal, "forget a"),
        (temporary, Exit::Abnormal, "forget a"),
    ] {
        let mut bench = Bench::up(rules(Strategy::OneForOne), &[policy]);
        let actions = bench.roster.ended(key('a'), exit, Duration::ZERO);
        assert_eq!(text(actions), expected, "{:?} {exit:?}", policy.restart);
    }
}

#[test]
fn one_for_all_stops_all_before_it_starts_any() {
    let mut bench = Bench::up(rules(Strategy::OneForAll), &[policy(), policy(), policy()]);
    assert_eq!(bench.crashed('b'), "stop c, arm c 5s");
    assert_eq!(bench.ended('c'), "disarm c, stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, start a");
    assert_eq!(bench.started('a'), "start b");
    assert_eq!(bench.started('b'), "start c");
    assert_eq!(bench.started('c'), "");
}

#[test]
fn rest_for_one_leaves_those_before_alone() {
    let mut bench = Bench::up(rules(Strategy::RestForOne), &[policy(), policy(), policy()]);
    assert_eq!(bench.crashed('b'), "stop c, arm c 5s");
    assert_eq!(bench.ended('c'), "disarm c, start b");
    assert_eq!(bench.started('b'), "start c");
    assert_eq!(bench.started('c'), "");
}

#[test]
fn a_sibling_that_ends_while_it_waits_to_be_stopped_is_no_second_restart() {
    let mut bench = Bench::up(rules(Strategy::OneForAll), &[policy(), policy(), policy()]);
    assert_eq!(bench.crashed('b'), "stop c, arm c 5s");
    assert_eq!(bench.crashed('a'), "");
    assert_eq!(bench.crashed('c'), "disarm c, start a");
}

#[test]
fn a_temporary_sibling_is_stopped_and_forgotten() {
    let policies = [with(Restart::Temporary), policy(), with(Restart::Temporary)];
    let mut bench = Bench::up(rules(Strategy::OneForAll), &policies);
    assert_eq!(bench.crashed('b'), "stop c, arm c 5s");
    assert_eq!(bench.ended('c'), "disarm c, forget c, stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, forget a, start b");
}

#[test]
fn a_restart_that_fails_is_another_restart() {
    let mut bench = Bench::up(
        Rules { intensity: 2, ..rules(Strategy::RestForOne) },
        &[policy(), policy(), policy()],
    );
    bench.crashed('b');
    assert_eq!(bench.ended('c'), "disarm c, start b");
    assert_eq!(bench.failed('b'), "start b");
    assert_eq!(bench.failed('b'), "stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, end: too many of b");
}

#[test]
fn a_sibling_that_does_not_start_again_begins_one_for_all_anew() {
    let loose = Rules { intensity: 9, ..rules(Strategy::OneForAll) };
    let mut bench = Bench::up(loose, &[policy(), policy(), policy()]);
    bench.crashed('a');
    bench.ended('c');
    assert_eq!(bench.ended('b'), "disarm b, start a");
    assert_eq!(bench.started('a'), "start b");
    assert_eq!(bench.failed('b'), "stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, start a");
    assert_eq!(bench.started('a'), "start b");
}

#[test]
fn one_for_one_does_not_wait_for_a_start_that_takes_long() {
    let loose = Rules { intensity: 9, ..rules(Strategy::OneForOne) };
    let mut bench = Bench::up(loose, &[policy(), policy()]);
    assert_eq!(bench.crashed('a'), "start a");
    assert_eq!(bench.crashed('b'), "start b");
    assert_eq!(bench.started('b'), "");
    assert_eq!(bench.started('a'), "");
}

#[test]
fn a_child_that_dies_while_others_start_for_the_first_time_is_restarted_at_once() {
    let mut bench = Bench::cold(rules(Strategy::OneForOne), &[policy(), policy()]);
    bench.begin();
    bench.started('a');
    assert_eq!(bench.crashed('a'), "start a");
    assert_eq!(bench.started('b'), "");
    assert_eq!(bench.started('a'), "ready");

    let mut bench = Bench::cold(rules(Strategy::RestForOne), &[policy(), policy()]);
    bench.begin();
    bench.started('a');
    assert_eq!(bench.crashed('a'), "kill b");
    assert_eq!(bench.crashed('b'), "start a");
    assert_eq!(bench.started('a'), "start b");
    // Its first start was interrupted, so this one is its first.
    assert_eq!(bench.failed('b'), "stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, end: b did not start");
}

#[test]
fn too_many_restarts_end_the_supervisor() {
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[policy(), policy()]);
    assert_eq!(bench.crashed('a'), "start a");
    bench.started('a');
    assert_eq!(bench.after(5).crashed('a'), "stop b, arm b 5s");
    assert_eq!(bench.ended('b'), "disarm b, end: too many of a");
}

#[test]
fn restarts_of_all_children_count_together() {
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[policy(), policy()]);
    bench.crashed('a');
    bench.started('a');
    assert_eq!(bench.crashed('b'), "stop a, arm a 5s");
}

#[test]
fn restarts_far_apart_are_never_too_many() {
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[policy()]);
    for _ in 0..100 {
        assert_eq!(bench.after(6).crashed('a'), "start a");
        bench.started('a');
    }
    assert_eq!(bench.roster.status(key('a')), Some((ChildStatus::Running, 100)));
}

#[test]
fn a_back_off_delays_the_restart_and_grows_while_the_child_fails() {
    let backoff = Backoff::exponential(Duration::from_secs(1), 2).jitter(Jitter::None);
    let policies = [Policy { backoff: Some(backoff), ..policy() }, policy()];
    let loose = Rules { intensity: 9, ..rules(Strategy::RestForOne) };
    let mut bench = Bench::up(loose, &policies);
    assert_eq!(bench.crashed('a'), "arm a 1s, stop b, arm b 5s");
    assert_eq!(bench.ended('b'), "disarm b");
    assert_eq!(bench.due('a'), "start a");
    assert_eq!(bench.failed('a'), "arm a 2s");
    assert_eq!(bench.due('a'), "start a");
    assert_eq!(bench.started('a'), "start b");
    bench.started('b');
    // It has not run for longer than the period.
    assert_eq!(bench.after(5).crashed('a'), "arm a 4s, stop b, arm b 5s");
    bench.ended('b');
    bench.due('a');
    bench.started('a');
    bench.started('b');
    assert_eq!(bench.after(6).crashed('a'), "arm a 1s, stop b, arm b 5s");
}

#[test]
fn a_stop_ends_a_back_off() {
    let backoff = Some(Backoff::constant(Duration::from_secs(9)));
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[Policy { backoff, ..policy() }]);
    assert_eq!(bench.crashed('a'), "arm a 9s");
    assert_eq!(bench.stop(), "disarm a, end: stopped");
}

#[test]
fn each_kind_of_shutdown_has_its_way() {
    let stopped =
        |shutdown| Bench::up(rules(Strategy::OneForOne), &[Policy { shutdown, ..policy() }]).stop();
    assert_eq!(stopped(Shutdown::Kill), "kill a");
    assert_eq!(stopped(Shutdown::Timeout(Duration::from_millis(20))), "stop a, arm a 20ms");
    assert_eq!(stopped(Shutdown::Infinite), "stop a");

    let mut bench = Bench::up(rules(Strategy::OneForOne), &[policy()]);
    bench.stop();
    assert_eq!(bench.due('a'), "kill a");
    assert_eq!(bench.crashed('a'), "end: stopped");
}

#[test]
fn a_dynamic_supervisor_stops_all_at_once() {
    let dynamic = Rules { is_dynamic: true, ..rules(Strategy::OneForOne) };
    let mut bench = Bench::up(dynamic, &[]);
    for name in 'a'..='c' {
        bench.add(Policy { shutdown: Shutdown::Infinite, ..with(Restart::Temporary) });
        bench.started(name);
    }
    assert_eq!(bench.stop(), "stop c, stop b, stop a");
    assert_eq!(bench.ended('b'), "");
    assert_eq!(bench.ended('c'), "");
    assert_eq!(bench.ended('a'), "end: stopped");
}

#[test]
fn one_significant_child_that_ends_can_end_the_supervisor() {
    for (restart, exit, is_over) in [
        (Restart::Transient, Exit::Normal, true),
        (Restart::Transient, Exit::Abnormal, false),
        (Restart::Temporary, Exit::Normal, true),
        (Restart::Temporary, Exit::Abnormal, true),
    ] {
        let any = Rules { auto_shutdown: AutoShutdown::Any, ..rules(Strategy::OneForOne) };
        let mut bench = Bench::up(any, &[policy(), significant(restart)]);
        let actions = text(bench.roster.ended(key('b'), exit, Duration::ZERO));
        assert_eq!(actions.ends_with("stop a, arm a 5s"), is_over, "{restart:?} {exit:?}");
        if is_over {
            assert_eq!(bench.ended('a'), "disarm a, end: b has ended");
        }
    }
}

#[test]
fn the_last_significant_child_that_ends_can_end_the_supervisor() {
    let all = Rules { auto_shutdown: AutoShutdown::All, ..rules(Strategy::OneForOne) };
    let child = significant(Restart::Transient);
    let mut bench = Bench::up(all, &[child, with(Restart::Transient), child]);
    assert_eq!(bench.ended('c'), "close c");
    assert_eq!(bench.ended('a'), "close a, stop b, arm b 5s");
    assert_eq!(bench.ended('b'), "disarm b, end: a has ended");
}

#[test]
fn a_significant_child_that_was_stopped_ends_nobody() {
    let any = Rules { auto_shutdown: AutoShutdown::Any, ..rules(Strategy::OneForAll) };
    let mut bench = Bench::up(any, &[significant(Restart::Temporary), policy()]);
    assert_eq!(bench.crashed('b'), "stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, forget a, start b");

    let mut bench = Bench::up(any, &[significant(Restart::Transient), policy()]);
    assert_eq!(bench.terminate('a').unwrap(), "stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, close a, reply 1 Gone");
}

#[test]
fn commands_are_refused_where_they_make_no_sense() {
    let backoff = Some(Backoff::constant(Duration::from_secs(9)));
    let mut bench =
        Bench::up(rules(Strategy::OneForOne), &[policy(), Policy { backoff, ..policy() }]);
    bench.crashed('b');
    assert_eq!(bench.restart('a'), Err(Refusal::Running));
    assert_eq!(bench.delete('a'), Err(Refusal::Running));
    assert_eq!(bench.restart('b'), Err(Refusal::Restarting));
    assert_eq!(bench.delete('b'), Err(Refusal::Restarting));
    assert_eq!(bench.restart('c'), Err(Refusal::Unknown));
    assert_eq!(bench.delete('c'), Err(Refusal::Unknown));
    assert_eq!(bench.terminate('c'), Err(Refusal::Unknown));
}

#[test]
fn a_child_is_stopped_started_and_forgotten_by_hand() {
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[policy()]);
    assert_eq!(bench.terminate('a').unwrap(), "stop a, arm a 5s");
    assert_eq!(bench.ended('a'), "disarm a, close a, reply 1 Gone");
    assert_eq!(bench.terminate('a').unwrap(), "close a, reply 2 Gone");
    assert_eq!(bench.restart('a').unwrap(), "start a");
    assert_eq!(bench.started('a'), "reply 3 Started");
    bench.terminate('a').unwrap();
    bench.ended('a');
    assert_eq!(bench.delete('a').unwrap(), "forget a");
    assert_eq!(bench.restart('a'), Err(Refusal::Unknown));
}

#[test]
fn a_child_that_fails_to_start_by_hand_is_no_restart() {
    let mut bench = Bench::up(Rules { intensity: 0, ..rules(Strategy::OneForOne) }, &[policy()]);
    assert_eq!(bench.add(policy()), "start b");
    assert_eq!(bench.failed('b'), "reply 1 Failed, forget b");
    bench.terminate('a').unwrap();
    bench.ended('a');
    assert_eq!(bench.restart('a').unwrap(), "start a");
    assert_eq!(bench.failed('a'), "reply 3 Failed, close a");
    assert_eq!(bench.restart('a').unwrap(), "start a");
}

#[test]
fn a_back_off_ends_when_the_child_is_stopped_by_hand() {
    let backoff = Some(Backoff::constant(Duration::from_secs(9)));
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[Policy { backoff, ..policy() }]);
    bench.crashed('a');
    assert_eq!(bench.terminate('a').unwrap(), "disarm a, close a, reply 1 Gone");
    assert_eq!(bench.delete('a').unwrap(), "forget a");
}

#[test]
fn whoever_waits_for_a_start_hears_that_the_supervisor_ends() {
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[]);
    assert_eq!(bench.add(policy()), "start a");
    assert_eq!(bench.stop(), "reply 1 Stopped, kill a");
    assert_eq!(bench.crashed('a'), "end: stopped");
}

#[test]
fn a_child_stopped_by_hand_comes_back_with_its_siblings() {
    let mut bench = Bench::up(rules(Strategy::OneForAll), &[policy(), policy()]);
    bench.terminate('b').unwrap();
    assert_eq!(bench.crashed('a'), "");
    assert_eq!(bench.ended('b'), "disarm b, reply 1 Gone, start a");
    assert_eq!(bench.started('a'), "start b");
}

#[test]
fn counts_say_what_there_is() {
    let nested = Policy { kind: ChildKind::Supervisor, ..policy() };
    let mut bench = Bench::up(rules(Strategy::OneForOne), &[policy(), nested, policy()]);
    bench.terminate('c').unwrap();
    bench.ended('c');
    bench.crashed('a');
    let expected = ChildCounts { specs: 3, active: 1, restarting: 1, supervisors: 1, workers: 2 };
    assert_eq!(bench.roster.counts(), expected);
}

/// What really is, as the actions say and the events answer.
#[derive(Default)]
struct World {
    starting: Vec<ChildKey>,
    running: Vec<ChildKey>,
    stopping: Vec<ChildKey>,
    armed: Vec<ChildKey>,
    ended: Option<End>,
    /// Whether children are started and stopped by hand, in any order.
    has_commands: bool,
}

impl World {
    fn is_alive(&self, key: ChildKey) -> bool {
        [&self.starting, &self.running, &self.stopping].iter().any(|keys| keys.contains(&key))
    }

    fn obey(&mut self, actions: Vec<Action>, rules: Rules) {
        let is_ordered = rules.strategy != Strategy::OneForOne;
        for action in actions {
            assert_eq!(self.ended, None, "{action:?} after the end");
            match action {
                Action::Start(key) => {
                    assert!(!self.is_alive(key), "{key:?} is started twice");
                    assert!(!is_ordered || self.stopping.is_empty(), "before siblings are gone");
                    let mut others = self.running.iter().chain(&self.starting);
                    let is_last = others.all(|&other| other < key && self.running.contains(&other));
                    assert!(!is_ordered || self.has_commands || is_last, "out of order");
                    self.starting.push(key);
                }
                Action::Stop(key) | Action::Kill(key) if !self.stopping.contains(&key) => {
                    assert!(self.is_alive(key), "{key:?} is stopped and not there");
                    self.starting.retain(|&other| other != key);
                    self.running.retain(|&other| other != key);
                    self.stopping.push(key);
                }
                Action::Stop(key) => panic!("{key:?} is stopped twice"),
                Action::Arm(key, _) => {
                    assert!(!self.armed.contains(&key), "{key:?} has two timers");
                    self.armed.push(key);
                }
                Action::Disarm(key) => self.armed.retain(|&other| other != key),
                Action::Close(key) | Action::Forget(key) => {
                    assert!(!self.is_alive(key), "{key:?} is there");
                }
                Action::Kill(_) | Action::Reply(..) | Action::Ready => {}
                Action::End(end) => self.ended = Some(end),
            }
        }
    }

    fn remove(&mut self, key: ChildKey) {
        for keys in [&mut self.starting, &mut self.running, &mut self.stopping] {
            keys.retain(|&other| other != key);
        }
    }
}

/// Draws without end, the same for the same seed.
fn draws(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % below
    }
}

fn live_at_random(seed: u64) -> World {
    let mut draw = draws(seed);
    let strategy = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne][draw(3)];
    let auto_shutdown = [AutoShutdown::Never, AutoShutdown::Any, AutoShutdown::All][draw(3)];
    let is_dynamic = strategy == Strategy::OneForOne && draw(2) == 0;
    let rules =
        Rules { strategy, auto_shutdown, is_dynamic, intensity: draw(9), ..rules(strategy) };
    let mut any_policy = {
        let mut draw = draws(seed + 1);
        move || Policy {
            restart: [Restart::Permanent, Restart::Transient, Restart::Temporary][draw(3)],
            shutdown: [Shutdown::Kill, Shutdown::default(), Shutdown::Infinite][draw(3)],
            is_significant: draw(4) == 0,
            kind: [ChildKind::Worker, ChildKind::Supervisor][draw(2)],
            backoff: (draw(3) == 0).then(|| Backoff::constant(Duration::from_secs(1))),
        }
    };
    let mut roster = Roster::new(rules);
    for _ in 0..draw(5) {
        roster.add_first(any_policy());
    }
    let mut world = World { has_commands: draw(2) == 0, ..World::default() };
    let mut now = Duration::ZERO;
    world.obey(roster.begin(), rules);
    for step in 0..900 {
        now += Duration::from_millis(100) * u32::try_from(draw(20)).expect("few");
        if world.ended.is_some() {
            break;
        }
        let pick =
            |keys: &[ChildKey], index: usize| (!keys.is_empty()).then(|| keys[index % keys.len()]);
        let any_key = ChildKey(u64::try_from(draw(8)).expect("few"));
        let (kind, index) = (if step < 150 { draw(12) } else { [0, 2, 4, 11][draw(4)] }, draw(9));
        let actions = match kind {
            0 | 1 => pick(&world.starting, index).map(|key| {
                world.remove(key);
                world.running.push(key);
                roster.started(key, now)
            }),
            2 => pick(&world.stopping, index).map(|key| {
                world.remove(key);
                roster.ended(key, Exit::Normal, now)
            }),
            3 => pick(&world.starting, index).map(|key| {
                world.remove(key);
                if index < 7 { roster.ended(key, Exit::Abnormal, now) } else { roster.ignored(key) }
            }),
            4 => pick(&world.armed, index).map(|key| {
                world.armed.retain(|&other| other != key);
                roster.time_is_over(key)
            }),
            5 | 6 => pick(&world.running, index).map(|key| {
                world.remove(key);
                let exit = [Exit::Normal, Exit::Abnormal][index % 2];
                roster.ended(key, exit, now)
            }),
            7..=9 if !world.has_commands => None,
            7 => roster.terminate(any_key, Token(step)).ok(),
            8 => roster.restart(any_key, Token(step)).ok(),
            9 => roster.delete(any_key).ok(),
            10 if !roster.is_ending() => Some(roster.add(any_policy(), Token(step)).1),
            _ if step >= 150 => Some(roster.stop()),
            _ => None,
        };
        world.obey(actions.unwrap_or_default(), rules);
    }
    world
}

#[test]
fn whatever_happens_the_order_is_kept_and_the_end_is_the_end() {
    let mut ends = [0; 4];
    for seed in 0..5_000 {
        let world = live_at_random(seed);
        let end = world.ended.unwrap_or_else(|| panic!("seed {seed} does not end"));
        assert!(world.starting.is_empty() && world.running.is_empty() && world.stopping.is_empty());
        assert_eq!(world.armed, [], "seed {seed} leaves timers");
        ends[match end {
            End::Stopped => 0,
            End::StartFailed(_) => 1,
            End::TooManyRestarts(_) => 2,
            End::AutoShutdown(_) => 3,
        }] += 1;
    }
    assert!(ends.iter().all(|&count| count > 100), "{ends:?}");
}
