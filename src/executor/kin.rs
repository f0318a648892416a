//! Names of tasks. What siblings of one name have in common is kept once, not in each of them.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::kernel::hash_text;

/// A name given at spawn.
#[derive(Clone, Debug)]
pub(crate) enum TaskName {
    /// None; the report says `task#3`.
    Unnamed,
    /// A literal.
    Static(&'static str),
    /// Made at run time.
    Shared(Rc<str>),
}

impl TaskName {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Unnamed => "task",
            Self::Static(name) => name,
            Self::Shared(name) => name,
        }
    }
}

impl From<&'static str> for TaskName {
    fn from(name: &'static str) -> Self {
        Self::Static(name)
    }
}

impl From<String> for TaskName {
    fn from(name: String) -> Self {
        Self::Shared(name.into())
    }
}

/// Tasks of one name that were spawned by one task, or into one domain.
#[derive(Debug)]
pub(super) struct Kin {
    /// None for children of the program.
    pub(super) parent_path: Option<Rc<str>>,
    pub(super) name: TaskName,
}

impl Kin {
    /// Returns the path of one of them, as reports show it.
    pub(super) fn path(&self, ordinal: u32) -> String {
        let ordinal = match (&self.name, ordinal) {
            (TaskName::Unnamed, ordinal) => format!("#{ordinal}"),
            (_, 0) => String::new(),
            (_, ordinal) => format!("#{ordinal}"),
        };
        let name = self.name.as_str();
        match self.parent_path.as_deref() {
            None | Some("") => format!("{name}{ordinal}"),
            Some(parent) => format!("{parent}/{name}{ordinal}"),
        }
    }
}

/// How many children of each name there were, by the hash of the name, and what those of a literal
/// name have in common.
#[derive(Debug, Default)]
pub(super) struct Children(BTreeMap<u64, Namesakes>);

#[derive(Debug, Default)]
pub(super) struct Namesakes {
    count: u32,
    kin: Option<Rc<Kin>>,
}

impl Children {
    /// Returns what is known of the children of a name.
    pub(super) fn of(&mut self, name: &TaskName) -> &mut Namesakes {
        self.0.entry(hash_text(name.as_str())).or_default()
    }
}

impl Namesakes {
    /// Returns how many there were, and counts one more.
    pub(super) fn next(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    /// Returns what they have in common.
    pub(super) fn kin(&mut self, name: TaskName, parent_path: Option<&Rc<str>>) -> Rc<Kin> {
        kept_kin(&mut self.kin, name, parent_path)
    }
}

/// Returns what children of this name have in common: what is kept for them, if it is of that name.
#[inline]
pub(super) fn kept_kin(
    kept: &mut Option<Rc<Kin>>,
    name: TaskName,
    parent_path: Option<&Rc<str>>,
) -> Rc<Kin> {
    match (kept.as_ref(), &name) {
        (Some(kin), TaskName::Unnamed) if matches!(kin.name, TaskName::Unnamed) => kin.clone(),
        (Some(kin), TaskName::Static(name)) if matches!(kin.name, TaskName::Static(known) if known == *name) => {
            kin.clone()
        }
        _ => new_kin(kept, name, parent_path),
    }
}

#[cold]
fn new_kin(kept: &mut Option<Rc<Kin>>, name: TaskName, parent_path: Option<&Rc<str>>) -> Rc<Kin> {
    // A name that was made at run time has one bearer, as a rule: keeping it would be a leak.
    let is_made = matches!(name, TaskName::Shared(_));
    let kin = Rc::new(Kin { parent_path: parent_path.cloned(), name });
    if !is_made {
        *kept = Some(kin.clone());
    }
    kin
}
