//! Properties of a program, its rare branches and the faults it met: what a report says of them; properties as lines of JSON
//! for other tools.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::artefact::SaveError;
use super::page::{Page, counted, number};
use crate::explore::{CheckReport, Finding};
use crate::fault::{FaultSummary, KindCount, STRENGTH};
use crate::kernel::Place;
use crate::oracle::{
    Aim, Details, Example, Guidance, Number, Property, PropertyKind, PropertySummary, Subject,
};

// Text

/// Returns the headline of a check in which no seed failed, but something was to happen and did not.
pub(super) fn unmet_headline(report: &CheckReport) -> String {
    let seeds = counted(report.seeds_run(), "seed");
    let name = report.name();
    match report.unmet() {
        [one] => format!("parcae: {name} failed: {} in {seeds}", unmet_text(one)),
        unmet => {
            let count = number(unmet.len() as u64);
            format!("parcae: {name} failed: {count} properties are unmet in {seeds}")
        }
    }
}

/// Adds the properties that nothing has met.
pub(super) fn unmet(page: &mut Page, report: &CheckReport, is_complete: bool) {
    let unmet = report.unmet();
    if unmet.is_empty() || unmet.len() == 1 && report.fails_for_unmet() {
        return;
    }
    let lines = unmet.iter().map(unmet_text).collect();
    listed(page, "unmet", lines, is_complete);
}

fn unmet_text(summary: &PropertySummary) -> String {
    let property = summary.property();
    match summary.failed() {
        0 => format!("{property} was never come to"),
        1 => format!("{property} was evaluated once, and not true"),
        count => format!("{property} was evaluated {} times, and never true", number(count)),
    }
}

/// Adds the kinds of faults that were on and never met anything: they have tested nothing.
pub(super) fn faults_without_effect(page: &mut Page, report: &CheckReport) {
    let idle = report.faults().iter().filter(|summary| summary.is_without_effect());
    let lines = idle.map(|FaultSummary { kind, seeds, .. }| {
        format!("`{kind}` was on in {} and met nothing", counted(*seeds, "seed"))
    });
    listed(page, "idle", lines.collect(), true);
}

/// Adds what the program's properties, knobs and rare branches have to do with a failure.
pub(super) fn of_failure(
    page: &mut Page,
    report: Option<&CheckReport>,
    finding: &Finding,
    is_complete: bool,
) {
    let knobs = finding.knobs().iter().filter(|knob| is_complete || !knob.is_default());
    listed(page, "knobs", knobs.map(ToString::to_string).collect(), is_complete);
    let fired = finding.buggified().iter().filter(|place| place.fired() > 0);
    let firings = fired.map(|place| match place.fired() {
        1 => format!("{} fired once", place.name()),
        count => format!("{} fired {} times", place.name(), number(count)),
    });
    listed(page, "fired", firings.collect(), is_complete);
    let begun: Vec<String> = finding.faults().iter().map(fault_text).collect();
    if !begun.is_empty() {
        page.section("faults", &begun.join(", "));
    }
    if !finding.nemeses().is_empty() {
        page.section("swarm", &swarm_text(finding.nemeses()));
    }
    let Some(report) = report.filter(|report| !report.properties().is_empty()) else { return };
    let (properties, seeds) = (report.properties(), counted(report.seeds_run(), "seed"));
    let open: Vec<String> = properties
        .iter()
        .filter(|summary| summary.is_unmet())
        .map(|summary| summary.property().to_string())
        .collect();
    let count = match properties.len() {
        1 => "1 property".to_owned(),
        count => format!("{} properties", number(count as u64)),
    };
    let text = format!("{count} in {seeds}");
    let open_mark = if open.is_empty() { "" } else { "; not met by any of them so far:" };
    page.section("checked", &format!("{text}{open_mark}"));
    shown(page, open, is_complete);
}

fn fault_text(KindCount { kind, begun, fired, .. }: &KindCount) -> String {
    match fired {
        0 => format!("{begun} {kind}"),
        _ => format!("{begun} {kind} ({})", counted(*fired, "effect")),
    }
}

/// Says which nemeses were left out, and which were not as strong as usual.
fn swarm_text(nemeses: &[(&'static str, u32)]) -> String {
    let named = |is_named: &dyn Fn(u32) -> bool, show: &dyn Fn(&str, u32) -> String| {
        let named = nemeses.iter().filter(|(_, strength)| is_named(*strength));
        let named: Vec<String> = named.map(|(name, strength)| show(name, *strength)).collect();
        named.join(", ")
    };
    let left_out = named(&|strength| strength == 0, &|name, _| name.to_owned());
    let is_unusual = |strength: u32| strength != 0 && strength != STRENGTH;
    let unusual = named(&is_unusual, &|name, strength| format!("{name} {strength}/16"));
    let left_out = (!left_out.is_empty()).then(|| format!("without {left_out}"));
    let unusual = (!unusual.is_empty()).then(|| format!("{unusual} (usually {STRENGTH}/16)"));
    let parts: Vec<String> = left_out.into_iter().chain(unusual).collect();
    if parts.is_empty() { "all as usual".to_owned() } else { parts.join("; ") }
}

/// Adds a section with a line for each text, if there is one.
fn listed(page: &mut Page, label: &str, lines: Vec<String>, is_complete: bool) {
    match lines.as_slice() {
        [] => {}
        [line] => page.section(label, line),
        _ => {
            page.section(label, "");
            shown(page, lines, is_complete);
        }
    }
}

fn shown(page: &mut Page, lines: Vec<String>, is_complete: bool) {
    let count = if is_complete { lines.len() } else { LINES_MAX };
    let more = lines.len().saturating_sub(count);
    lines.iter().take(count).for_each(|line| page.indented(line));
    if more > 0 {
        page.indented(&format!("… and {} more", number(more as u64)));
    }
}

// Lines of JSON

/// Returns the properties of a check as lines of JSON, in the format of the SDK of Antithesis (protocol
/// 1.1.0): who reads that reads this.
///
/// First a line about the library; then the catalogue: an entry for each property, and one for each that
/// compares numbers or lists conditions. Then of each property its first
/// evaluation that was true and its first that was false, with their details if the check kept them
/// ([`Check::property_details`](crate::explore::Check::property_details)), and the numbers that came
/// nearest to what it aims at. Those are the first of the check, where the SDK gives those of a process.
///
/// # Examples
/// ```
/// use parcae::explore::Check;
///
/// let report = Check::new("sums").property_details(true).seeds(10).run(|| async {
///     parcae::always!(1 + 1 == 2, "sums are right", sum = 2);
/// });
/// let lines = parcae::report::properties_json(&report);
/// let last = lines.lines().last().expect("there are three");
/// assert!(last.starts_with(r#"{"antithesis_assert":{"assert_type":"always""#));
/// assert!(last.ends_with(r#""details":{"sum":2}}}"#));
/// ```
#[must_use]
pub fn properties_json(report: &CheckReport) -> String {
    let mut lines = format!(
        "{{\"antithesis_sdk\":{{\"language\":{{\"name\":\"Rust\",\"version\":{}}},\
         \"sdk_version\":{},\"protocol_version\":\"1.1.0\"}}}}\n",
        text(env!("CARGO_PKG_RUST_VERSION")),
        text(env!("CARGO_PKG_VERSION")),
    );
    let properties = report.properties();
    properties.iter().for_each(|summary| assertion(&mut lines, summary.property(), None));
    for property in properties.iter().map(PropertySummary::property) {
        if let Some(subject) = property.subject() {
            guidance(&mut lines, property, (subject, "null", false));
        }
    }
    for summary in properties {
        for (condition, example) in [(true, summary.first_held()), (false, summary.first_failed())]
        {
            if let Some(example) = example {
                assertion(&mut lines, summary.property(), Some((condition, example)));
            }
        }
        if let Some(found) = &summary.guidance {
            let (subject, data) = guidance_data(found);
            guidance(&mut lines, summary.property(), (subject, &data, true));
        }
    }
    lines
}

/// Adds the properties of a check to the end of a file, as [`properties_json`] gives them. The file is made
/// if it is not there.
///
/// # Errors
/// [`SaveError`] when the file system refuses.
pub fn append_properties(report: &CheckReport, path: &Path) -> Result<(), SaveError> {
    let lines = properties_json(report);
    let file = OpenOptions::new().append(true).create(true).open(path);
    // At once, so that the lines of two checks stay apart.
    file.and_then(|mut file| file.write_all(lines.as_bytes()))
        .map_err(|source| SaveError::File { path: path.to_owned(), source })
}

fn assertion(lines: &mut String, property: &Property, hit: Option<(bool, &Example)>) {
    let (assert_type, display_type) = match property.kind() {
        PropertyKind::Always => ("always", "Always"),
        PropertyKind::AlwaysOrUnreached => ("always", "AlwaysOrUnreachable"),
        PropertyKind::Sometimes => ("sometimes", "Sometimes"),
        PropertyKind::Reachable => ("reachability", "Reachable"),
        PropertyKind::Unreachable => ("reachability", "Unreachable"),
    };
    let details = match hit {
        None => "null".to_owned(),
        Some((_, example)) => details_object(example.details.as_ref()),
    };
    let _ = writeln!(
        lines,
        "{{\"antithesis_assert\":{{\"assert_type\":\"{assert_type}\",\
         \"display_type\":\"{display_type}\",\"condition\":{},\"hit\":{},\"must_hit\":{},{},\
         \"details\":{details}}}}}",
        hit.is_some_and(|(condition, _)| condition),
        hit.is_some(),
        property.kind().must_be_hit(),
        identity(property),
    );
}

/// Returns what was looked at, and what was seen.
fn guidance_data(found: &Guidance) -> (Subject, String) {
    match found {
        Guidance::Numbers { left, right } => {
            let (left, right) = (json_number(*left), json_number(*right));
            (Subject::Numbers, format!("{{\"left\":{left},\"right\":{right}}}"))
        }
        Guidance::Conditions(list) => {
            let each = list.iter().map(|(name, is_true)| format!("{}:{is_true}", text(name)));
            let each = each.collect::<Vec<_>>().join(",");
            (Subject::Conditions, format!("{{{each}}}"))
        }
    }
}

fn guidance(
    lines: &mut String,
    property: &Property,
    (subject, data, is_hit): (Subject, &str, bool),
) {
    let kind = match subject {
        Subject::Numbers => "numeric",
        Subject::Conditions => "boolean",
    };
    let _ = writeln!(
        lines,
        "{{\"antithesis_guidance\":{{\"guidance_type\":\"{kind}\",{},\"maximize\":{},\
         \"guidance_data\":{data},\"hit\":{is_hit}}}}}",
        identity(property),
        property.aim() == Some(Aim::Greatest),
    );
}

/// Returns a number; an infinite one, or what is none, as JSON has it: not at all.
fn json_number(number: Number) -> String {
    match number {
        Number::Whole(whole) => whole.to_string(),
        Number::Real(real) if real.is_finite() => format!("{real:?}"),
        Number::Real(_) => "null".to_owned(),
    }
}

/// Returns the members that say which property it is.
fn identity(property: &Property) -> String {
    let message = text(property.message());
    let Place { file, line, column } = property.place();
    format!(
        "\"id\":{message},\"message\":{message},\"location\":{{\"class\":{},\"function\":{},\
         \"file\":{},\"begin_line\":{line},\"begin_column\":{column}}}",
        text(property.module()),
        text(property.function()),
        text(&file),
    )
}

fn details_object(details: Option<&Details>) -> String {
    let members = details.into_iter().flat_map(Details::iter);
    let members = members.map(|(name, value)| format!("{}:{}", text(name), json_value(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Returns a number or a truth value as such, and anything else as text.
fn json_value(value: &str) -> String {
    let is_whole = value.parse::<i128>().is_ok_and(|number| number.to_string() == value);
    let is_real = || {
        let real = value.parse::<f64>().ok().filter(|real| real.is_finite());
        real.is_some_and(|real| format!("{real:?}") == value)
    };
    let is_number = is_whole || is_real();
    if is_number || matches!(value, "true" | "false") { value.to_owned() } else { text(value) }
}

/// Returns a text in quotation marks.
fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

const LINES_MAX: usize = 10;
