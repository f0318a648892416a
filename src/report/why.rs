//! Why a failure happens, as sections of a report.

use super::detail::Detail;
use super::page::{Page, clipped, counted, first_line, number};
use super::story::Sentence;
use crate::executor::{Happening, Log, LogEntry};
use crate::explore::{
    Change, Explanation, Finding, Likelihood, NearestPass, Part, ValueRange, Without,
};
use crate::kernel::EventKind;

/// Adds what is known of why a finding's failure happens, under the numbers of its story's sentences.
pub(super) fn draw(page: &mut Page, finding: &Finding, story: &[Sentence], detail: Detail) {
    let Some(explanation) = finding.explanation() else { return };
    let why = Why { log: finding.log(), explanation, story };
    why.parts(page, detail);
    if let Some(nearest) = &explanation.nearest {
        why.nearest(page, nearest);
    }
    match &explanation.likelihood {
        Some(likelihood) => why.likelihood(page, likelihood),
        None if explanation.missing_runs > 0 => {
            let missing = counted(explanation.missing_runs, "more run");
            page.section("likely", &format!("not known: it takes {missing}"));
        }
        None => {}
    }
    why.past(page, detail);
}

#[derive(Debug)]
struct Why<'a> {
    log: &'a Log,
    explanation: &'a Explanation,
    story: &'a [Sentence],
}

impl Why<'_> {
    fn parts(&self, page: &mut Page, detail: Detail) {
        let Explanation { runs, is_cut, .. } = self.explanation;
        let cut = if *is_cut { "; the budget of runs was used up" } else { "" };
        page.section("why", &format!("in {}{cut}", counted(*runs, "run")));
        let shown = if detail.is_complete { usize::MAX } else { PARTS_MAX };
        for (place, sentence) in self.story.iter().enumerate().take(shown) {
            let part = self.explanation.parts.iter().find(|part| part.key == sentence.key);
            if let Some(part) = part {
                self.part(page, place + 1, part);
            }
        }
    }

    fn part(&self, page: &mut Page, number: usize, part: &Part) {
        let what = match &part.without {
            Without::Passes(_) => "without it the run passes".to_owned(),
            Without::FailsOtherwise(other, _) => {
                format!("without it the run fails otherwise: {}", first_line(other))
            }
            Without::FailsAlike => "it fails without it, too".to_owned(),
            Without::Untried => "not tried without it".to_owned(),
        };
        let range = part.range.as_ref().map_or_else(String::new, |range| format!(" ({range})"));
        page.indented(&clipped(&format!("{number}. {what}{range}"), WIDTH_MAX));
        for order in &part.orders {
            page.indented(&clipped(&format!("   this first: {}", order.first), WIDTH_MAX));
            page.indented(&clipped(&format!("   then this:  {}", order.then), WIDTH_MAX));
        }
        let Some(difference) = part.without.difference() else { return };
        if !part.orders.is_empty() {
            // It says the same, and less exactly.
            return;
        }
        let [here, there] = [&difference.failing, &difference.other].map(|lines| &lines[0]);
        page.indented(&clipped(&format!("   first difference: {here}"), WIDTH_MAX));
        page.indented(&clipped(&format!("   instead of:       {there}"), WIDTH_MAX));
    }

    /// Shows the run that passes and goes the same way for longest, beside the failing one.
    fn nearest(&self, page: &mut Page, nearest: &NearestPass) {
        let part = &self.explanation.parts[nearest.part];
        let place = self.story.iter().position(|sentence| sentence.key == part.key);
        let number = place.map_or(0, |place| place + 1);
        let change = match nearest.change {
            Change::LeftOut => format!("without {number}"),
            Change::Value(value) => {
                let space = part.range.map(|ValueRange { space, .. }| space);
                let shown = space.map_or_else(|| value.to_string(), |space| space.show(value));
                format!("with {shown} for {number}")
            }
        };
        let difference = &nearest.difference;
        let text = format!("{change} the run passes; it is the same until {}:", difference.time);
        page.section("nearest", &text);
        let row = |left: &str, right: &str| {
            let left = clipped(left, COLUMN_WIDTH);
            format!("{left:COLUMN_WIDTH$} │ {}", clipped(right, COLUMN_WIDTH))
        };
        page.indented(&row("this run fails", "that run passes"));
        let rows = difference.failing.len().max(difference.other.len());
        for index in 0..rows {
            let line = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
            page.indented(&row(&line(&difference.failing), &line(&difference.other)));
        }
    }

    fn likelihood(&self, page: &mut Page, likelihood: &Likelihood) {
        let mut steps: Vec<(u32, u64)> = Vec::new();
        for point in &likelihood.points {
            let percent = likelihood.percent(point);
            if steps.last().is_none_or(|(last, _)| *last != percent) {
                steps.push((percent, point.events));
            }
        }
        let told = steps.iter().map(|(percent, events)| match events {
            0 => format!("{percent} % of all runs"),
            events => format!("{percent} % after event {}", number(*events)),
        });
        page.section("likely", &told.collect::<Vec<_>>().join(" │ "));
        let endings = u64::from(likelihood.endings);
        match likelihood.decided_at.and_then(|entry| self.log.entries.get(entry)) {
            Some(entry) => page.indented(&format!(
                "all of {} fail once it has come to: {}",
                counted(endings, "ending"),
                self.log.describe(entry)
            )),
            None => page.indented(&format!(
                "no event was found after which all of {} fail",
                counted(endings, "ending")
            )),
        }
    }

    /// Lists what happened before the failure, the last of it.
    fn past(&self, page: &mut Page, detail: Detail) {
        let past = &self.explanation.past;
        let said: Vec<&LogEntry> = past
            .iter()
            .filter_map(|index| self.log.entries.get(*index))
            .filter(|entry| says_something(&entry.what))
            .collect();
        let all = self.log.entries.iter().filter(|entry| says_something(&entry.what)).count();
        let text = format!(
            "{} of {} happened before the failure and may have had a part in it",
            number(said.len() as u64),
            counted(all as u64, "thing")
        );
        page.section("past", &text);
        let shown = if detail.is_complete { said.len() } else { PAST_MAX };
        let left_out = said.len().saturating_sub(shown);
        if left_out > 0 {
            page.indented(&format!("… {} before …", number(left_out as u64)));
        }
        for entry in &said[left_out..] {
            page.indented(&clipped(&self.log.describe(entry), WIDTH_MAX));
        }
    }
}

/// Tells whether an entry is worth a line of its own.
fn says_something(what: &Happening) -> bool {
    match what {
        Happening::Event(event) => !matches!(
            event.kind,
            EventKind::Draw
                | EventKind::TimerSet
                | EventKind::Time
                | EventKind::Poll
                | EventKind::Operation
                | EventKind::End
        ),
        Happening::Yielded | Happening::Woken { .. } => false,
        _ => true,
    }
}

const PARTS_MAX: usize = 12;
const PAST_MAX: usize = 12;
const WIDTH_MAX: usize = 140;
const COLUMN_WIDTH: usize = 56;
