//! Reports as text.

use std::error::Error as _;
use std::path::Path;

use super::artefact::SaveError;
use super::command::{ReplayCommand, explain_line, replay_line, seed_line};
use super::detail::Detail;
use super::page::{Page, clipped, counted, first_line, number, wall_time};
use super::properties;
use super::story::{Sentence, story};
use super::style::Ink;
use super::sweep;
use super::timeline::{self, UNKNOWN_WAIT};
use super::why;
use crate::executor::{Failure, StalledTask, Warning};
use crate::explore::{
    CheckReport, Exhaustion, Finding, LostSeed, Recurrence, Replay, RunSize, Shard, ShrinkSummary,
    Stop, Unexplored,
};

/// Returns the report of a check as plain text.
///
/// One that found nothing is one line; a failure is followed by how it was found and shrunk, what
/// its world forces, a timeline, and the line that runs it again.
///
/// # Examples
/// ```
/// use parcae::explore::Check;
/// use parcae::report::{self, ReplayCommand};
///
/// let command = ReplayCommand::from_prefix("cargo test -p kv");
/// let report = Check::new("kv::starts").seeds(10).run(|| async {});
/// assert!(report::text(&report, &command).starts_with("parcae: kv::starts ok: 10 seeds (portfolio)"));
///
/// let report = Check::new("kv::starts").seeds(10).run(|| async { Err::<(), _>("no config") });
/// let text = report::text(&report, &command);
/// assert!(text.starts_with("parcae: kv::starts failed: error from `main`: \"no config\""));
/// assert!(text.contains("PARCAE_REPLAY=v1:"));
/// ```
#[must_use]
pub fn text(report: &CheckReport, command: &ReplayCommand) -> String {
    text_with(report, command, Detail::default(), None)
}

/// Returns the report of a check as text, with what `detail` asks for.
///
/// `saved` says where [`super::save`] has put it, or why it could not; the report shows either.
#[must_use]
pub fn text_with(
    report: &CheckReport,
    command: &ReplayCommand,
    detail: Detail,
    saved: Option<Result<&Path, &SaveError>>,
) -> String {
    let mut page = Page::new(detail.style);
    match report.finding() {
        None if report.fails_for_unmet() => {
            page.headline(Ink::Failure, &properties::unmet_headline(report));
            properties::unmet(&mut page, report, detail.is_complete);
        }
        None => {
            page.headline(Ink::Success, &passing(report, detail));
            properties::unmet(&mut page, report, detail.is_complete);
            properties::faults_without_effect(&mut page, report);
        }
        Some(finding) => failing(&mut page, report, finding, detail),
    }
    if let Some(finding) = report.finding() {
        let file = saved.and_then(Result::ok);
        match finding.token() {
            Some(token) => {
                page.section("replay", &replay_line(command, token, file));
                if finding.can_be_explained() {
                    page.section("explain", explain_line(command));
                }
            }
            None if matches!(finding.failure(), Failure::Process { .. }) => {
                page.section("replay", &seed_line(command, finding.seed()));
            }
            None => no_token(&mut page),
        }
    }
    match saved {
        Some(Ok(path)) => page.section("report", &path.display().to_string()),
        Some(Err(error)) => {
            let cause = error.source().map_or_else(String::new, |source| format!(": {source}"));
            page.section("report", &format!("not saved: {error}{cause}"));
        }
        None => {}
    }
    sweep::failing(&mut page, report, command, detail.is_complete);
    page.into_text()
}

/// Returns the report of a replay as plain text.
///
/// # Examples
/// ```
/// use parcae::explore::{Check, ReplayMode};
/// use parcae::report::{self, ReplayCommand};
///
/// let check = Check::new("kv::starts").seeds(10);
/// let report = check.clone().run(|| async { Err::<(), _>("no config") });
/// let token = report.finding().and_then(|finding| finding.token()).expect("it can be replayed");
///
/// let replay = check.replay(token, ReplayMode::Strict, || async { /* repaired */ })?;
/// let text = report::replay_text(&replay, &ReplayCommand::of_cli("parcae"));
/// assert!(text.starts_with("parcae: kv::starts replayed: it does not fail any more"));
/// # Ok::<(), parcae::explore::ReplayError>(())
/// ```
#[must_use]
pub fn replay_text(replay: &Replay, command: &ReplayCommand) -> String {
    replay_text_with(replay, command, Detail::default())
}

/// Returns the report of a replay as text, with what `detail` asks for.
#[must_use]
pub fn replay_text_with(replay: &Replay, command: &ReplayCommand, detail: Detail) -> String {
    let mut page = Page::new(detail.style);
    let is_repaired = replay.recurrence == Recurrence::Absent;
    let ink = if is_repaired { Ink::Success } else { Ink::Failure };
    page.headline(ink, &format!("parcae: {} replayed: {}", replay.name, verdict(replay)));
    if let Some(finding) = &replay.finding {
        page.section("failure", &finding.failure().to_string());
        if let Some(hint) = hint(finding.failure()) {
            page.section("hint", hint);
        }
    }
    if replay.has_other_settings {
        page.section("note", "limits or epoch are not those of the record");
    }
    if replay.is_renumbered {
        page.section(
            "note",
            "an unnamed task was taken to have been added or removed since the record,",
        );
        page.indented("which renumbers the others; tasks with names keep theirs");
    }
    let mut stale = replay.stale.iter();
    if let Some(first) = stale.next() {
        page.section("stale", first);
        stale.for_each(|text| page.indented(&format!("       {text}")));
        page.indented(
            "Nothing in this run asked for what is stale, as after an edit of the program.",
        );
    }
    if let Some(divergence) = &replay.divergence {
        let (from, to) = (divergence.from_event, divergence.to_event);
        page.section(
            "differs",
            &format!("from the record, first between events {from} and {to}; there this run did:"),
        );
        for event in &divergence.events {
            page.indented(event);
        }
    }
    if let Some(finding) = &replay.finding {
        warnings(&mut page, finding, detail);
        properties::of_failure(&mut page, None, finding, detail.is_complete);
        let mut sentences = story(finding);
        sentences.retain(|sentence| sentence.entry.is_some());
        if !sentences.is_empty() {
            page.section("forced", "");
            list(&mut page, &sentences, detail);
        }
        timeline::draw(&mut page, finding, &sentences, detail.is_complete);
        why::draw(&mut page, finding, &sentences, detail);
        if let Some(token) = finding.token() {
            page.section("replay", &replay_line(command, token, None));
        }
    }
    if !replay.trace.is_empty() {
        page.section("trace", "");
        replay.trace.iter().for_each(|line| page.indented(line));
    }
    page.into_text()
}

fn verdict(replay: &Replay) -> &'static str {
    let is_same_run = replay.divergence.is_none();
    match replay.recurrence {
        Recurrence::Absent => "it does not fail any more",
        Recurrence::Same if is_same_run => "it fails again, event for event as recorded",
        Recurrence::Same => "it fails again with the same failure, by another way than recorded",
        Recurrence::Other if is_same_run => {
            "it takes the recorded way, event for event, but fails otherwise"
        }
        Recurrence::Other => "it fails, but otherwise than recorded",
    }
}

/// Returns the one line of a check that found nothing.
fn passing(report: &CheckReport, detail: Detail) -> String {
    let strategy = report.strategy();
    if let Some(exhaustion) = report.exhaustion() {
        return exhausted(report, exhaustion, detail);
    }
    let seeds = counted(report.seeds_run(), "seed");
    let steps = counted(report.steps(), "step");
    let time = wall_time(report.wall_time(), detail.times);
    let name = report.name();
    let planned = number(report.seeds_planned());
    let shard = match report.shard() {
        Shard::WHOLE => String::new(),
        shard => format!(", shard {shard}"),
    };
    let stopped = |by| {
        format!(
            "parcae: {name} stopped early by {by}: no failure in {seeds} of {planned} \
             ({strategy}{shard}), {steps}{time}"
        )
    };
    match report.stop() {
        None => format!("parcae: {name} ok: {seeds} ({strategy}{shard}), {steps}{time}"),
        Some(Stop::NothingNew) => {
            format!("parcae: {name} ok: {seeds} of {planned} ({strategy}{shard}), {steps}{time}")
        }
        Some(Stop::TimeLimit) => stopped("the time limit"),
        Some(Stop::Interrupted) => stopped("request"),
    }
}

/// Returns the one line of a check of all runs that found nothing.
fn exhausted(report: &CheckReport, exhaustion: Exhaustion, detail: Detail) -> String {
    let name = report.name();
    let runs = counted(exhaustion.runs, "run");
    let (steps, time) =
        (counted(report.steps(), "step"), wall_time(report.wall_time(), detail.times));
    let why = match exhaustion.unexplored {
        None => return format!("parcae: {name} ok in all runs: {runs}, {steps}{time}"),
        Some(Unexplored::Failure) => "one failed",
        Some(Unexplored::Runs) => "a limit ended the search",
        Some(Unexplored::Depth) => "runs have more decisions than are taken otherwise",
        Some(Unexplored::Values) => "draws of many values had one",
        Some(Unexplored::Candidates) => "a decision had more than 32 candidates",
        Some(_) => "a log was too long",
    };
    format!("parcae: {name} ok in {runs}, which are not all: {why}; {steps}{time}")
}

fn failing(page: &mut Page, report: &CheckReport, finding: &Finding, detail: Detail) {
    let name = report.name();
    page.headline(Ink::Failure, &format!("parcae: {name} failed: {}", finding.failure()));
    if let Some(hint) = hint(finding.failure()) {
        page.section("hint", hint);
    }
    page.section("found", &found(report, finding, detail));
    let sentences = story(finding);
    match finding.shrink() {
        Some(summary) => {
            page.section("shrunk", &shrunk(summary, detail));
            list(page, &sentences, detail);
            others(page, summary, detail);
        }
        // What the seed draws is all there is; no sentence stands out.
        None if finding.token().is_some() => {
            page.section("shrunk", "no: this is the run of the seed as it was found");
        }
        None => {}
    }
    lost(page, report, finding);
    warnings(page, finding, detail);
    properties::of_failure(page, Some(report), finding, detail.is_complete);
    if finding.token().is_some() {
        timeline::draw(page, finding, &sentences, detail.is_complete);
    }
    why::draw(page, finding, &sentences, detail);
    let backtrace = match finding.failure() {
        Failure::ForeignWake { backtrace, .. } => {
            Some(("woken by", "another thread, which was here:", backtrace))
        }
        Failure::ForeignCall { backtrace, .. } => Some(("called", "here:", backtrace)),
        _ => None,
    };
    if let (Some((title, line, backtrace)), true) = (backtrace, detail.times) {
        page.section(title, line);
        let lines = if detail.is_complete { usize::MAX } else { BACKTRACE_LINES_MAX };
        backtrace.lines().take(lines).for_each(|line| page.indented(line));
    }
}

/// Names the seeds that ended their process, beside the one that the report is about.
fn lost(page: &mut Page, report: &CheckReport, finding: &Finding) {
    // With those that keep going, all seeds that fail are listed.
    if report.keeps_going() {
        return;
    }
    let others = report.lost().iter().filter(|lost| lost.seed != finding.seed());
    for (index, LostSeed { seed, failure, .. }) in others.enumerate() {
        let line = format!("seed {seed}: {}", first_line(failure));
        match index {
            0 => page.section("also lost", &line),
            _ => page.indented(&line),
        }
    }
}

/// Returns what to do about a failure whose cause is outside of the simulation, where that shows.
fn hint(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::Deadlock { tasks, .. } if tasks.iter().any(waits_for_unknown) => Some(
            "is that future of a thread, a socket or another runtime? No simulation sees those: use \
             parcae::time, parcae::sync",
        ),
        Failure::Panic { message, .. } if message.contains(TOKIO_IS_MISSING) => Some(
            "a simulation has no Tokio runtime: use parcae::time and parcae::spawn (tokio::sync, which \
             needs none, works)",
        ),
        _ => None,
    }
}

fn waits_for_unknown(task: &StalledTask) -> bool {
    task.wait.as_ref().is_some_and(|wait| wait.kind == UNKNOWN_WAIT)
}

/// Returns by what the failure was found.
fn found(report: &CheckReport, finding: &Finding, detail: Detail) -> String {
    let planned = report.seeds_planned();
    let run = if report.keeps_going() {
        String::new()
    } else if planned > 1 {
        format!(", run {} of {}", number(report.seeds_run()), number(planned))
    } else {
        String::new()
    };
    let found = finding.found();
    format!(
        "seed {}{run} ({}), {}, {}{}",
        finding.seed(),
        finding.strategy(),
        size(found),
        counted(found.steps, "step"),
        wall_time(finding.search_time(), detail.times),
    )
}

/// Returns how many choices differ from those of the default world.
fn size(size: RunSize) -> String {
    let RunSize { choices, switches, faults, .. } = size;
    let mut all = counted(choices as u64, "choice");
    if faults > 0 {
        all = format!("{all}, {} among them", counted(faults as u64, "fault"));
    }
    match (choices, switches) {
        (_, 0) => all,
        (1, _) => format!("{all} (a switch)"),
        (_, switches) if switches == choices => format!("{all} (all switches)"),
        (_, 1) => format!("{all} (1 a switch)"),
        (_, switches) => format!("{all} ({} switches)", number(switches as u64)),
    }
}

/// Returns what shrinking came to.
fn shrunk(summary: &ShrinkSummary, detail: Detail) -> String {
    let count = summary.size.choices;
    let spent = format!(
        "to {} in {}{}",
        counted(count as u64, "choice"),
        counted(summary.runs, "run"),
        wall_time(summary.wall_time, detail.times)
    );
    let sense = match (count, summary.is_minimal, summary.is_cut) {
        (0, _, _) => "it fails in the default world, no choice is needed",
        (1, true, _) => "it is necessary:",
        (_, true, _) => "each one is necessary:",
        (_, false, true) => {
            "cut short by the time limit, by request or for want of a thread, may not be minimal:"
        }
        (_, false, false) => "the budget of runs was used up, may not be minimal:",
    };
    format!("{spent}; {sense}")
}

/// Adds the sentences of a story, numbered.
fn list(page: &mut Page, sentences: &[Sentence], detail: Detail) {
    let shown = if detail.is_complete { sentences.len() } else { SENTENCES_MAX };
    for (number, sentence) in (1..).zip(sentences.iter().take(shown)) {
        page.indented(&format!("{number}. {}", sentence.text));
    }
    if let Some(more) = sentences.len().checked_sub(shown).filter(|more| *more > 0) {
        page.indented(&format!("… and {} more", number(more as u64)));
    }
}

/// Adds the other failures that shrinking met.
fn others(page: &mut Page, summary: &ShrinkSummary, detail: Detail) {
    let others = &summary.others;
    if others.is_empty() {
        return;
    }
    let shown = if detail.is_complete { others.len() } else { OTHERS_MAX };
    page.section("also", "seen while shrinking (# stands for any number):");
    for other in others.iter().take(shown) {
        page.indented(&clipped(&first_line(other), OTHER_WIDTH_MAX));
    }
    if let Some(more) = others.len().checked_sub(shown).filter(|more| *more > 0) {
        page.indented(&format!("… and {} more", number(more as u64)));
    }
}

/// Adds the bad habits that were seen on the way.
fn warnings(page: &mut Page, finding: &Finding, detail: Detail) {
    // One that failed the run stands in the headline.
    let is_failure = |warning: &Warning| matches!(finding.failure(), Failure::Warning { warning: fatal } if **fatal == *warning);
    let seen: Vec<_> = finding.warnings().iter().filter(|warning| !is_failure(warning)).collect();
    if seen.is_empty() {
        return;
    }
    let shown = if detail.is_complete { seen.len() } else { WARNINGS_MAX };
    page.section("warnings", "");
    seen.iter().take(shown).for_each(|warning| page.indented(&warning.to_string()));
    if let Some(more) = seen.len().checked_sub(shown).filter(|more| *more > 0) {
        page.indented(&format!("… and {} more", number(more as u64)));
    }
}

/// Adds what to do about a failure that the seed does not decide.
fn no_token(page: &mut Page) {
    page.section("replay", "none: the seed does not decide this run, something outside of it does");
    page.indented("Look, at the event above, for what the simulation does not control:");
    page.indented("* hash maps and sets of std, whose order is random: use BTreeMap, BTreeSet;");
    page.indented("* real time, threads, files, sockets, the environment, addresses as keys;");
    page.indented("* statics and thread-locals that keep something from run to run;");
    page.indented(
        "* generators seeded by the system: draw from parcae::rng() or parcae::choose().",
    );
}

/// What tokio's panics say when there is no runtime.
const TOKIO_IS_MISSING: &str = "Tokio 1.x runtime";
const SENTENCES_MAX: usize = 20;
const OTHERS_MAX: usize = 5;
const WARNINGS_MAX: usize = 10;
const OTHER_WIDTH_MAX: usize = 100;
const BACKTRACE_LINES_MAX: usize = 24;
