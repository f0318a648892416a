//! The run as a picture in text: a column for each task that matters, time in the margin.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{Page, clipped, counted, first_line, number};
use super::story::{Sentence, is_firing};
use super::style::Ink;
use crate::executor::{Failure, Happening, Log, LogEntry, ResourceInfo, StalledTask, Wait};
use crate::explore::Finding;
use crate::kernel::{Event, EventKind, Space, StreamId, VirtualTime};

/// Adds the timeline of a finding's run to a page. Rows of the story's sentences carry their
/// numbers, as `[1]`.
pub(super) fn draw(page: &mut Page, finding: &Finding, story: &[Sentence], is_complete: bool) {
    let log = finding.log();
    let end = end_of_run(log);
    let columns = Columns::of(finding, story, &log.entries[..end]);
    if columns.shown.is_empty() {
        return;
    }
    let picture = Picture { finding, columns: &columns, forced: &forced_entries(story) };
    let mut spans = picture.spans(end);
    let last_row = picture.last_row(&spans);
    let kept = match finding.failure() {
        _ if is_complete => COMPLETE_ROWS_MAX,
        // What spins does the same again and again.
        Failure::Livelock { .. } | Failure::StepLimit { .. } => SPINNING_ROWS_MAX,
        _ => ROWS_MAX,
    };
    let left_out =
        picture.leave_out(&mut spans, kept.saturating_sub(usize::from(last_row.is_some())));
    let gap = |(row, count): (usize, usize)| (row, format!("… {} …", counted(count as u64, "row")));
    let mut gaps: BTreeMap<usize, String> = left_out.into_iter().map(gap).collect();
    if log.dropped_count > 0 {
        let dropped = format!("… {} more entries were not kept …", number(log.dropped_count));
        gaps.insert(spans.len(), dropped);
    }
    let mut rows: Vec<Row> = spans.iter().map(|span| picture.row(span)).collect();
    rows.extend(last_row);
    page.section("timeline", &columns.note());
    render(page, log, &columns, &rows, &gaps);
}

/// The tasks that have a column, in the order in which they were seen.
#[derive(Debug)]
struct Columns {
    shown: Vec<StreamId>,
    /// How many others matter too, and how many do not.
    crowded_out: usize,
    others: usize,
}

impl Columns {
    fn of(finding: &Finding, story: &[Sentence], entries: &[LogEntry]) -> Self {
        let log = finding.log();
        let mut order: Vec<StreamId> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut touched: BTreeMap<u64, BTreeSet<StreamId>> = BTreeMap::new();
        let mut is_main_busy = false;
        let by_name: BTreeMap<&str, StreamId> =
            log.tasks.iter().map(|(task, info)| (info.name.as_str(), *task)).collect();
        let main = by_name.get(MAIN).copied();
        for entry in entries {
            let task = match &entry.what {
                Happening::Event(Event { kind: EventKind::Spawn, subject, .. }) => {
                    StreamId::from_bits(*subject)
                }
                _ => entry.task,
            };
            if log.tasks.contains_key(&task) && seen.insert(task) {
                order.push(task);
            }
            if let Happening::Operation { resource, .. }
            | Happening::Wait { resource, .. }
            | Happening::Preempted { resource, .. } = &entry.what
                && log.resources.contains_key(resource)
            {
                touched.entry(*resource).or_default().insert(task);
            }
            is_main_busy |= Some(task) == main && says_something(&entry.what);
        }
        // Most important first: what is forced, what the failure names, what meets in a resource.
        let mut wanted: Vec<StreamId> = Vec::new();
        wanted.extend(story.iter().flat_map(|sentence| sentence.tasks.iter().copied()));
        let names = names_of(finding.failure());
        wanted.extend(names.into_iter().filter_map(|name| by_name.get(name).copied()));
        wanted.extend(main.filter(|_| is_main_busy));
        let meeting: BTreeSet<StreamId> =
            touched.into_values().filter(|tasks| tasks.len() > 1).flatten().collect();
        wanted.extend(order.iter().copied().filter(|task| meeting.contains(task)));
        if order.len() <= FEW_TASKS {
            wanted.extend(order.iter().copied());
        }
        let mut is_wanted = BTreeSet::new();
        wanted.retain(|task| seen.contains(task) && is_wanted.insert(*task));
        let crowded_out = wanted.len().saturating_sub(COLUMNS_MAX);
        wanted.truncate(COLUMNS_MAX);
        let others = order.len() - wanted.len() - crowded_out;
        order.retain(|task| wanted.contains(task));
        Self { shown: order, crowded_out, others }
    }

    fn position(&self, task: StreamId) -> Option<usize> {
        self.shown.iter().position(|shown| *shown == task)
    }

    /// Returns what is not shown, in words.
    fn note(&self) -> String {
        let tasks = |count: usize| if count == 1 { "task" } else { "tasks" };
        match (self.crowded_out, self.others) {
            (0, 0) => String::new(),
            (0, others) => {
                format!("({others} other {} not shown)", tasks(others))
            }
            (crowded, others) => {
                let count = crowded + others;
                format!("({count} other {} not shown, for lack of room)", tasks(count))
            }
        }
    }
}

/// What a row is made from: one entry of the log, and those after it that complete it.
#[derive(Clone, Copy, Debug)]
struct Span {
    entry: usize,
    /// The last entry: a wait that the operation led to, or a value noted for it.
    last: usize,
    /// Whether the next entry may complete it.
    is_open: bool,
    column: usize,
}

/// One line: a time and the cells that are not empty.
#[derive(Debug)]
struct Row {
    time: VirtualTime,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    column: usize,
    text: String,
    /// Numbers of the sentences that force it: `[1]`.
    marks: String,
    ink: Ink,
}

impl Cell {
    fn width(&self) -> usize {
        self.text.chars().count() + self.marks.chars().count()
    }

    /// Returns its text, clipped to a width: first what only decorates it; the numbers of sentences
    /// stay.
    fn fitted(&self, width: usize) -> String {
        let room = width.saturating_sub(self.marks.chars().count());
        if self.text.chars().count() <= room {
            return format!("{}{}", self.text, self.marks);
        }
        let plain = self.text.replace(['`', '─'], "");
        format!("{}{}", clipped(plain.trim(), room), self.marks)
    }
}

#[derive(Clone, Copy, Debug)]
struct Picture<'a> {
    finding: &'a Finding,
    columns: &'a Columns,
    /// Numbers of sentences, by entry.
    forced: &'a BTreeMap<usize, Vec<usize>>,
}

impl Picture<'_> {
    fn log(&self) -> &Log {
        self.finding.log()
    }

    /// Finds the entries up to `end` that make a row.
    fn spans(&self, end: usize) -> Vec<Span> {
        let entries = &self.log().entries[..end];
        let mut spans: Vec<Span> = Vec::new();
        // What each column shows last.
        let mut shown: Vec<Option<&Happening>> = vec![None; self.columns.shown.len()];
        for (index, entry) in entries.iter().enumerate() {
            if let Some(last) = spans.last_mut() {
                let is_open = std::mem::take(&mut last.is_open);
                let before = &entries[last.entry];
                if is_open && before.task == entry.task && completes(&before.what, &entry.what) {
                    last.last = index;
                    last.is_open = matches!(entry.what, Happening::Note(_));
                    shown[last.column] = Some(&entry.what);
                    continue;
                }
            }
            let Some(column) = self.columns.position(entry.task) else { continue };
            // A task that waits for what it waited for before was woken in vain.
            let is_repeated =
                matches!(entry.what, Happening::Wait { .. }) && shown[column] == Some(&entry.what);
            if self.is_row(index, &entry.what) && !is_repeated {
                spans.push(Span { entry: index, last: index, is_open: true, column });
                // A wait with a timer is one wait: the timer ends it, and nothing is said twice.
                let is_bounded = matches!(shown[column], Some(Happening::Wait { .. }))
                    && matches!(
                        entry.what,
                        Happening::Event(Event { kind: EventKind::TimerSet, .. })
                    );
                if !is_bounded {
                    shown[column] = Some(&entry.what);
                }
            }
        }
        spans
    }

    fn is_row(&self, index: usize, what: &Happening) -> bool {
        if self.forced.contains_key(&index) {
            return true;
        }
        let is_shown = |task: StreamId| self.columns.position(task).is_some();
        match what {
            Happening::Event(event) => match event.kind {
                EventKind::Spawn => is_shown(StreamId::from_bits(event.subject)),
                EventKind::Poll | EventKind::Operation | EventKind::Time | EventKind::End => false,
                EventKind::Draw => !self.did_not_happen(index),
                _ => true,
            },
            // Who ends wakes who joins: the end says so.
            Happening::Woken { task } => is_shown(*task) && !self.follows_end(index),
            _ => true,
        }
    }

    /// Tells whether the draw of this entry was about something that could have happened, and did not.
    fn did_not_happen(&self, index: usize) -> bool {
        let draws = &self.log().draws;
        let found = draws.binary_search_by_key(&index, |drawn| drawn.entry);
        found.is_ok_and(|at| {
            let draw = &draws[at].draw;
            matches!(draw.space, Space::Chance { .. }) && draw.value == 0
        })
    }

    /// Tells whether the entry before this one is the end of the same task.
    fn follows_end(&self, index: usize) -> bool {
        let entries = &self.log().entries;
        let before = index.checked_sub(1).map(|before| &entries[before]);
        before.is_some_and(|before| {
            before.task == entries[index].task
                && matches!(before.what, Happening::Event(Event { kind, .. }) if is_end(kind))
        })
    }

    /// Leaves rows out of the middle until `count` are left; returns how many were left out before
    /// each row. What is forced stays, and so do the last rows, and those that led to the first panic.
    fn leave_out(&self, spans: &mut Vec<Span>, count: usize) -> BTreeMap<usize, usize> {
        let in_all = spans.len();
        let mut gaps = BTreeMap::new();
        if in_all <= count {
            return gaps;
        }
        let last = LAST_ROWS.min(count / 2);
        let tail = in_all.saturating_sub(last);
        // Who joins a task that panicked panics too, later.
        let panic = spans.iter().position(|span| self.is_panic(span));
        let led_to_panic = panic.map_or(0..0, |panic| panic.saturating_sub(last / 2)..panic + 1);
        let is_forced = |index: usize, span: &Span| {
            self.forced.contains_key(&span.entry) || led_to_panic.contains(&index)
        };
        let is_forced_before_tail =
            |(index, span): &(usize, &Span)| *index < tail && is_forced(*index, span);
        let forced = spans.iter().enumerate().filter(is_forced_before_tail).count();
        let mut free = count.saturating_sub(last + forced);
        let mut kept = Vec::new();
        let mut left_out = 0;
        for (index, span) in spans.iter().enumerate() {
            let is_kept = if index >= tail || is_forced(index, span) {
                true
            } else if free > 0 {
                free -= 1;
                true
            } else {
                false
            };
            if is_kept {
                if left_out > 0 {
                    gaps.insert(kept.len(), left_out);
                }
                left_out = 0;
                kept.push(*span);
            } else {
                left_out += 1;
            }
        }
        *spans = kept;
        gaps
    }

    fn row(&self, span: &Span) -> Row {
        let entry = &self.log().entries[span.entry];
        let (text, ink) = self.cell(span, entry);
        let numbers = self.forced.get(&span.entry).map_or(&[][..], Vec::as_slice);
        let marks: String = numbers.iter().map(|number| format!(" [{number}]")).collect();
        let ink = if marks.is_empty() { ink } else { Ink::Forced };
        let cell = Cell { column: span.column, text, marks, ink };
        Row { time: entry.time, cells: vec![cell] }
    }

    fn cell(&self, span: &Span, entry: &LogEntry) -> (String, Ink) {
        let log = self.log();
        let completion = &log.entries[span.last].what;
        match (&entry.what, completion) {
            (Happening::Operation { .. }, Happening::Wait { resource, verb })
            | (Happening::Wait { resource, verb }, _) => {
                (format!("waits: {verb} {}", self.thing(*resource)), Ink::Normal)
            }
            (Happening::Operation { resource, verb }, _) => {
                (self.operation(span, *resource, verb), Ink::Normal)
            }
            (Happening::Preempted { .. }, _) => ("── preempted ──".to_owned(), Ink::Forced),
            (Happening::Yielded, _) => ("yields".to_owned(), Ink::Quiet),
            (Happening::Note(note), _) => (first_line(note), Ink::Normal),
            (Happening::Event(event), _) => self.event(span, event),
            (what @ Happening::Woken { .. }, _) => (log.describe_what(what), Ink::Quiet),
        }
    }

    /// Returns an operation with the values that were noted for it.
    fn operation(&self, span: &Span, resource: u64, verb: &str) -> String {
        let thing = self.thing(resource);
        let noted = self.log().entries[span.entry..=span.last].iter().filter_map(|entry| {
            if let Happening::Note(note) = &entry.what { Some(first_line(note)) } else { None }
        });
        let notes: Vec<String> = noted.collect();
        match notes.first() {
            None => format!("{verb} {thing}"),
            // "reads 0" says what the verb "read" says.
            Some(first) if first.starts_with(verb) => format!("{thing}: {}", notes.join(", ")),
            Some(_) => format!("{verb} {thing}: {}", notes.join(", ")),
        }
    }

    fn event(&self, span: &Span, event: &Event) -> (String, Ink) {
        let log = self.log();
        match event.kind {
            // Shown only where it was forced.
            EventKind::Poll => ("goes on".to_owned(), Ink::Forced),
            EventKind::Draw => {
                let found = log.draws.binary_search_by_key(&span.entry, |drawn| drawn.entry);
                let drawn = found.ok().map(|at| &log.draws[at]);
                let text = drawn.map_or_else(
                    || format!("draws {}", event.value),
                    |drawn| {
                        if is_firing(drawn) {
                            return format!("{} fires", drawn.site);
                        }
                        let (site, ordinal) = (drawn.site, drawn.draw.key.ordinal);
                        if matches!(drawn.draw.space, Space::Chance { .. }) {
                            let verdict =
                                if drawn.draw.value == 0 { "does not happen" } else { "happens" };
                            return format!("{site} {ordinal} {verdict}");
                        }
                        let value = drawn.draw.space.show(drawn.draw.value);
                        format!("draws {value} for {site} {ordinal}")
                    },
                );
                (text, Ink::Normal)
            }
            EventKind::Panic => match self.finding.failure() {
                Failure::Panic { task, message, .. } if *task == log.task_name(event.task) => {
                    (ended("panics", message), Ink::Failure)
                }
                _ => ("panics".to_owned(), Ink::Normal),
            },
            EventKind::TimerSet => {
                (format!("timer {}", VirtualTime::from_nanos(event.subject)), Ink::Normal)
            }
            EventKind::Complete | EventKind::Spawn => {
                (log.describe_what(&Happening::Event(*event)), Ink::Quiet)
            }
            _ => (log.describe_what(&Happening::Event(*event)), Ink::Normal),
        }
    }

    /// Returns what a cell calls a resource: its name, or its kind and line.
    fn thing(&self, resource: u64) -> String {
        let log = self.log();
        match log.resources.get(&resource) {
            Some(ResourceInfo { name: Some(name), .. }) => format!("`{name}`"),
            _ if log.names.contains_key(&resource) => format!("`{}`", log.names[&resource]),
            Some(ResourceInfo { kind, made_at: Some(at), .. }) => {
                let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
                format!("{kind} of {file}:{}", at.line())
            }
            _ => log.resource_name(resource),
        }
    }

    /// Returns the row that says how the run failed; none when the last row says so.
    fn last_row(&self, spans: &[Span]) -> Option<Row> {
        let time = self.finding.elapsed();
        let cells = match self.finding.failure() {
            Failure::Panic { task, message, .. } => {
                if spans.iter().any(|span| self.is_failure(span)) {
                    return None;
                }
                self.cell_of(task, ended("panics", message))
            }
            Failure::Error { task, message } => self.cell_of(task, ended("error", message)),
            Failure::TaskLimit { spawner, .. } => {
                self.cell_of(spawner, "✗ spawns one more".to_owned())
            }
            Failure::ForeignWake { task, .. } => {
                self.cell_of(task, "✗ is woken by another thread".to_owned())
            }
            Failure::Warning { warning } => {
                self.cell_of(warning.task().unwrap_or_default(), format!("✗ {}", warning.kind()))
            }
            failure => failure.stalled_tasks().iter().flat_map(|task| self.stalled(task)).collect(),
        };
        (!cells.is_empty()).then_some(Row { time, cells })
    }

    /// Tells whether this is the panic that failed the run.
    fn is_failure(&self, span: &Span) -> bool {
        let task = self.log().entries[span.entry].task;
        self.is_panic(span)
            && matches!(self.finding.failure(), Failure::Panic { task: failed, .. }
                if *failed == self.log().task_name(task))
    }

    fn is_panic(&self, span: &Span) -> bool {
        let what = &self.log().entries[span.entry].what;
        matches!(what, Happening::Event(Event { kind: EventKind::Panic, .. }))
    }

    fn stalled(&self, task: &StalledTask) -> Vec<Cell> {
        let text = match &task.wait {
            Some(Wait { kind: UNKNOWN_WAIT, .. }) => "✗ waits".to_owned(),
            Some(Wait { kind: TIMER_WAIT, name: Some(time), .. }) => {
                format!("✗ waits until {time}")
            }
            Some(Wait { verb, name: Some(name), .. }) => format!("✗ waits: {verb} `{name}`"),
            Some(Wait { verb, kind, .. }) => format!("✗ waits: {verb} {kind}"),
            None if matches!(self.finding.failure(), Failure::Leak { .. }) => {
                "✗ is alive".to_owned()
            }
            None => format!("✗ has taken {}", counted(task.steps, "step")),
        };
        self.cell_of(&task.name, text)
    }

    fn cell_of(&self, name: &str, text: String) -> Vec<Cell> {
        let log = self.log();
        let column = self.columns.shown.iter().position(|task| log.task_name(*task) == name);
        let cell = |column| Cell { column, text, marks: String::new(), ink: Ink::Failure };
        column.map(cell).into_iter().collect()
    }
}

// Layout

fn render(
    page: &mut Page,
    log: &Log,
    columns: &Columns,
    rows: &[Row],
    gaps: &BTreeMap<usize, String>,
) {
    let heads: Vec<String> = columns.shown.iter().map(|task| log.task_name(*task)).collect();
    let margin = rows.iter().map(|row| row.time.to_string().chars().count()).max().unwrap_or(0);
    let widths = widths(&heads, rows, margin);
    let style = page.style();
    let head = |(column, text)| Cell { column, text, marks: String::new(), ink: Ink::Label };
    let heads: Vec<Cell> = heads.into_iter().enumerate().map(head).collect();
    let line = |time: &str, cells: &[Cell]| {
        let mut line = format!("    {time:>margin$} ");
        for (column, width) in widths.iter().enumerate() {
            let cell = cells.iter().find(|cell| cell.column == column);
            let text = cell.map_or_else(String::new, |cell| cell.fitted(*width));
            let space = width.saturating_sub(text.chars().count());
            let is_last = column + 1 == widths.len();
            line += if column == 0 { " " } else { " │ " };
            line += &style.paint(cell.map_or(Ink::Normal, |cell| cell.ink), &text);
            if !is_last {
                line.extend(std::iter::repeat_n(' ', space));
            }
        }
        line
    };
    page.line(&line("", &heads));
    let mut shown_time = None;
    for (index, row) in rows.iter().enumerate() {
        if let Some(gap) = gaps.get(&index) {
            page.line(&format!("    {:margin$}  {}", "", style.paint(Ink::Quiet, gap)));
            shown_time = None;
        }
        let time = row.time.to_string();
        let is_new = shown_time.replace(row.time) != Some(row.time);
        page.line(&line(if is_new { &time } else { "" }, &row.cells));
    }
    if let Some(gap) = gaps.get(&rows.len()) {
        page.line(&format!("    {:margin$}  {}", "", style.paint(Ink::Quiet, gap)));
    }
}

/// Divides the width of a line among columns: each gets what it needs, or an even share of what
/// those leave that need less.
fn widths(heads: &[String], rows: &[Row], margin: usize) -> Vec<usize> {
    let mut needs: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
    for cell in rows.iter().flat_map(|row| &row.cells) {
        needs[cell.column] = needs[cell.column].max(cell.width());
    }
    let count = needs.len();
    let mut left = WIDTH_MAX.saturating_sub(margin + 6 + 3 * count.saturating_sub(1));
    let mut widths = vec![0; count];
    let mut by_need: Vec<usize> = (0..count).collect();
    by_need.sort_by_key(|column| needs[*column]);
    for (done, column) in by_need.into_iter().enumerate() {
        widths[column] = needs[column].min(left / (count - done));
        left -= widths[column];
    }
    widths
}

// The log

/// Returns the number of entries up to the end of the run: what destructors do is not part of it.
fn end_of_run(log: &Log) -> usize {
    let is_end = |entry: &LogEntry| {
        matches!(entry.what, Happening::Event(Event { kind: EventKind::End, .. }))
    };
    log.entries.iter().position(is_end).unwrap_or(log.entries.len())
}

/// Returns the numbers of the story's sentences, from 1, by entry.
fn forced_entries(story: &[Sentence]) -> BTreeMap<usize, Vec<usize>> {
    let mut forced: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, sentence) in (1..).zip(story) {
        if let Some(entry) = sentence.entry {
            forced.entry(entry).or_default().push(number);
        }
    }
    forced
}

/// Tells whether an entry only says more of what the entry before it began.
fn completes(first: &Happening, second: &Happening) -> bool {
    match (first, second) {
        (Happening::Operation { resource, .. }, Happening::Wait { resource: awaited, .. }) => {
            resource == awaited
        }
        (Happening::Operation { .. }, Happening::Note(_)) => true,
        _ => false,
    }
}

/// Returns how a task failed, with the beginning of its message.
fn ended(how: &str, message: &str) -> String {
    clipped(&format!("✗ {how}: {}", first_line(message)), MESSAGE_WIDTH_MAX)
}

fn is_end(kind: EventKind) -> bool {
    matches!(kind, EventKind::Complete | EventKind::Cancel | EventKind::Panic)
}

fn says_something(what: &Happening) -> bool {
    match what {
        Happening::Event(event) => matches!(event.kind, EventKind::Draw | EventKind::TimerSet),
        Happening::Operation { .. } | Happening::Wait { .. } | Happening::Note(_) => true,
        _ => false,
    }
}

/// Returns the names of the tasks that a failure is about.
fn names_of(failure: &Failure) -> Vec<&str> {
    match failure {
        Failure::Panic { task, .. }
        | Failure::Error { task, .. }
        | Failure::ForeignWake { task, .. } => vec![task],
        Failure::TaskLimit { spawner, .. } => vec![spawner],
        Failure::Warning { warning } => warning.task().into_iter().collect(),
        failure => failure.stalled_tasks().iter().map(|task| task.name.as_str()).collect(),
    }
}

const MAIN: &str = "main";
/// Kind of a wait for a future that is not of this library.
pub(super) const UNKNOWN_WAIT: &str = "Future";
/// Kind of a wait for a time, which stands as its name.
const TIMER_WAIT: &str = "Timer";
/// The message stands in the headline too.
const MESSAGE_WIDTH_MAX: usize = 28;
/// Up to so many tasks all have a column.
const FEW_TASKS: usize = 4;
const COLUMNS_MAX: usize = 6;
const WIDTH_MAX: usize = 120;
const ROWS_MAX: usize = 60;
const COMPLETE_ROWS_MAX: usize = 2_000;
const SPINNING_ROWS_MAX: usize = 20;
const LAST_ROWS: usize = 20;
