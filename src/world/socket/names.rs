//! Names of the network: name to addresses, with a time to live, failures and delays.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

/// Why a name cannot be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum NameError {
    /// Nobody has that name.
    NotFound,
    /// No answer came.
    Temporary,
}

/// What is known of a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameEntry {
    pub(crate) addresses: Vec<IpAddr>,
}

/// All names that were told. Those of machines and groups need not be.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    names: BTreeMap<Rc<str>, NameEntry>,
}
