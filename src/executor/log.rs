//! The full record of a run, kept only when asked for.

use std::collections::BTreeMap;
use std::panic::Location;

use super::domains::Change;
use super::layer::{Phrase, Phrases};
use super::resource::ResourceInfo;
use crate::kernel::{Chain, Draw, Event, EventKind, Key, Site, Space, StreamId, VirtualTime};

/// Everything that a report, the shrinker and the determinism check need to know of a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Log {
    /// What happened, in order.
    pub entries: Vec<LogEntry>,
    /// Drawn choices, in order.
    pub draws: Vec<LoggedDraw>,
    /// Decisions about the schedule that had two candidates or more, in order.
    pub decisions: Vec<LoggedDecision>,
    /// All tasks.
    pub tasks: BTreeMap<StreamId, TaskInfo>,
    /// All resources that were used, by number.
    pub resources: BTreeMap<u64, ResourceInfo>,
    /// Names of resources that are known below the run only, by number: `test:32768->kv-1:80`.
    pub names: BTreeMap<u64, Box<str>>,
    /// Names of what draws and acts without being a task, such as links.
    pub objects: BTreeMap<StreamId, Box<str>>,
    /// Names of domains, by number.
    pub domains: BTreeMap<u64, Box<str>>,
    /// How the layer below the run tells what it draws and does.
    pub(crate) phrases: &'static [&'static Phrases],
    /// How many entries, draws and decisions were dropped because of
    /// [`super::Limits::logged_events`]. A run that dropped some cannot be shrunk.
    pub dropped_count: u64,
}

/// One entry: an event of the chain, or something for readers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// When it happened.
    pub time: VirtualTime,
    /// In which task.
    pub task: StreamId,
    /// What.
    pub what: Happening,
    /// Line of the user's program it comes from, where that is known.
    pub location: Option<&'static Location<'static>>,
    /// The chain after it.
    pub chain: Chain,
}

/// What an entry of the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// An event of the chain.
    Event(Event),
    /// The task did something to a resource.
    Operation {
        /// Number of the resource.
        resource: u64,
        /// Name of the verb.
        verb: &'static str,
    },
    /// The task was preempted before the operation it had come to.
    Preempted {
        /// Number of the resource.
        resource: u64,
        /// Name of the verb.
        verb: &'static str,
    },
    /// The task lets others go first: it pends and is ready again at once.
    Yielded,
    /// The task waits.
    Wait {
        /// Number of the resource.
        resource: u64,
        /// Name of the verb.
        verb: &'static str,
    },
    /// The task was woken by the running one.
    Woken {
        /// Which task was woken.
        task: StreamId,
    },
    /// A value that was read, written, sent or received.
    Note(Box<str>),
}

/// A drawn choice and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct LoggedDraw {
    /// The draw.
    pub draw: Draw,
    /// Name of its site.
    pub site: &'static str,
    /// Line of the user's program that drew.
    pub location: Option<&'static Location<'static>>,
    /// Index of its entry in [`Log::entries`].
    pub entry: usize,
}

/// A decision about the schedule.
#[derive(Clone, Debug)]
pub struct LoggedDecision {
    /// Its address: the task that ran last and the number of its step.
    pub key: Key,
    /// Who went on.
    pub chosen: StreamId,
    /// Who would have gone on by default.
    pub default: StreamId,
    /// The other candidates, the first 31 of them.
    pub alternatives: Vec<StreamId>,
    /// Whether the default was to stay on the running task.
    pub can_continue: bool,
    /// Whether an override at the key named a task that was no candidate.
    pub is_stale: bool,
    /// Index of the next entry in [`Log::entries`].
    pub entry: usize,
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInfo {
    /// Path of names: `worker#1/flush`.
    pub name: String,
    /// The last part of the path, without the number: `flush`.
    pub label: String,
    /// Number among the siblings of that label, from 0.
    pub ordinal: u32,
    /// Whether the label was not given but is the one of all unnamed tasks.
    pub is_unnamed: bool,
    /// Who spawned it.
    pub parent: StreamId,
    /// Where it was spawned.
    pub spawned_at: Option<&'static Location<'static>>,
}

impl Log {
    /// Returns the name of a task or an object, or its number when it is not known.
    #[must_use]
    pub fn task_name(&self, task: StreamId) -> String {
        match (self.tasks.get(&task), self.objects.get(&task)) {
            (Some(info), _) => info.name.clone(),
            (None, Some(name)) => name.to_string(),
            (None, None) => format!("task {task}"),
        }
    }

    /// Returns the space and value of the draw at a key.
    #[must_use]
    pub fn draw_at(&self, key: Key) -> Option<(Space, u64)> {
        let found = self.draws.iter().find(|logged| logged.draw.key == key)?;
        Some((found.draw.space, found.draw.value))
    }
}

impl Log {
    /// Says in words what an entry is, with its task, time and place.
    #[must_use]
    pub fn describe(&self, entry: &LogEntry) -> String {
        let what = self.describe_what(&entry.what);
        let place = entry.location.map_or_else(String::new, |location| {
            format!(" ({}:{})", location.file(), location.line())
        });
        if entry.task == StreamId::ROOT {
            format!("at {}: {what}{place}", entry.time)
        } else {
            format!("at {}: `{}` {what}{place}", entry.time, self.task_name(entry.task))
        }
    }

    /// Says in words what happened, without task, time and place.
    #[must_use]
    pub fn describe_what(&self, what: &Happening) -> String {
        match what {
            Happening::Event(event) => self.describe_event(event),
            Happening::Operation { resource, verb } => {
                format!("{verb} {}", self.resource_name(*resource))
            }
            Happening::Preempted { resource, verb } => {
                format!("is preempted before: {verb} {}", self.resource_name(*resource))
            }
            Happening::Yielded => "yields".to_owned(),
            Happening::Wait { resource, verb } => {
                format!("waits: {verb} {}", self.resource_name(*resource))
            }
            Happening::Woken { task } => format!("wakes `{}`", self.task_name(*task)),
            Happening::Note(text) => text.to_string(),
        }
    }

    /// Returns what a report calls a resource: ``Mutex `accounts` ``, or with where it was made.
    #[must_use]
    pub fn resource_name(&self, resource: u64) -> String {
        if let Some(task) = self.tasks.get(&StreamId::from_bits(resource)) {
            return format!("`{}`", task.name);
        }
        match self.resources.get(&resource) {
            Some(ResourceInfo { kind, name: Some(name), .. }) => format!("{kind} `{name}`"),
            Some(ResourceInfo { kind, .. }) if self.names.contains_key(&resource) => {
                format!("{kind} `{}`", self.names[&resource])
            }
            Some(ResourceInfo { kind, made_at: Some(at), .. }) => {
                format!("{kind} of {}:{}", at.file(), at.line())
            }
            Some(ResourceInfo { kind, .. }) => (*kind).to_owned(),
            None => "something".to_owned(),
        }
    }

    /// Says in words what an override asks for.
    #[must_use]
    pub fn describe_override(&self, key: Key, value: u64) -> String {
        if key.site == super::SCHEDULE.id() {
            let (task, next) = (key.stream, StreamId::from_bits(value));
            return format!(
                "after step {} of `{}`, `{}` goes on",
                key.ordinal,
                self.task_name(task),
                self.task_name(next)
            );
        }
        if let Some(phrase) = self.phrase_of(key.site) {
            let object = self.task_name(key.stream);
            return format!("{object}: {}", (phrase.text)(key.ordinal, value));
        }
        let site = self.draws.iter().find(|logged| logged.draw.key.site == key.site);
        let known = KNOWN_SITES.iter().find(|site| site.id() == key.site).map(|site| site.name());
        let site = site.map(|logged| logged.site).or(known);
        let site = site.map_or_else(|| format!("site {:08x}", key.site), str::to_owned);
        format!("`{}` draws {value} for {site} {}", self.task_name(key.stream), key.ordinal)
    }

    /// Returns how the layer below the run tells what is drawn at a site of its own.
    fn phrase_of(&self, site: u32) -> Option<&'static Phrase> {
        let mut all = self.phrases.iter().flat_map(|phrases| phrases.draws);
        all.find(|phrase| phrase.site.id() == site)
    }

    fn describe_event(&self, event: &Event) -> String {
        match event.kind {
            EventKind::Spawn => {
                format!("spawns `{}`", self.task_name(StreamId::from_bits(event.subject)))
            }
            EventKind::Poll => "runs".to_owned(),
            EventKind::Operation => "comes to an operation".to_owned(),
            EventKind::Complete => "ends".to_owned(),
            EventKind::Cancel => "is cancelled".to_owned(),
            EventKind::Panic => "panics".to_owned(),
            EventKind::Draw => {
                let is_it = |logged: &&LoggedDraw| logged.draw.key.folded() == event.subject;
                let drawn = self.draws.iter().find(is_it);
                if let Some(logged) = drawn
                    && let Some(phrase) = self.phrase_of(logged.draw.key.site)
                {
                    return (phrase.text)(logged.draw.key.ordinal, event.value);
                }
                let shown = |logged: &LoggedDraw| logged.draw.space.show(event.value);
                format!("draws {}", drawn.map_or_else(|| event.value.to_string(), shown))
            }
            EventKind::TimerSet => {
                format!("sets a timer at {}", VirtualTime::from_nanos(event.subject))
            }
            EventKind::Time => {
                format!("time moves to {}", VirtualTime::from_nanos(event.subject))
            }
            EventKind::Domain => {
                let name = self.domains.get(&event.subject).map_or("a domain", |name| name);
                format!("{} `{name}`", Change::phrase_of(event.value))
            }
            EventKind::End => "the run ends".to_owned(),
            EventKind::Send | EventKind::Deliver | EventKind::Fault | EventKind::Node => {
                let told = self.phrases.iter().find_map(|phrases| (phrases.event)(event));
                told.unwrap_or_else(|| format!("{:?} {}", event.kind, event.subject))
            }
        }
    }

    /// Returns the chain after each event, in order.
    #[must_use]
    pub fn chains(&self) -> Vec<Chain> {
        let mut chains: Vec<Chain> = self.entries.iter().map(|entry| entry.chain).collect();
        chains.dedup();
        chains
    }
}

/// Sites that have a name even in a run that never asked them.
const KNOWN_SITES: [Site; 1] = [Site::new("choose")];
