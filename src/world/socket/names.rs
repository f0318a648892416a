//! Names of the network, as a test tells them: addresses, how long they are kept, failures, delays.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::node::{NodeId, Nodes, automatic_addresses};
use super::super::state::with_state;
use crate::context;
use crate::executor::{DomainState, Executor};
use crate::kernel::Ratio;

/// Why a name cannot be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// Nobody has that name.
    NotFound,
    /// No answer came; it may be asked again.
    Temporary,
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The texts of the standard library and of glibc behind it.
        formatter.write_str("failed to lookup address information: ")?;
        formatter.write_str(match self {
            Self::NotFound => "Name or service not known",
            Self::Temporary => "Temporary failure in name resolution",
        })
    }
}

impl std::error::Error for NameError {}

impl From<NameError> for io::Error {
    fn from(error: NameError) -> Self {
        // The standard library has no kind for it either.
        Self::other(error)
    }
}

/// What is told of a name. Those of machines and groups resolve without being told.
#[derive(Clone, Debug)]
pub(super) struct NameEntry {
    /// None is what the name stands for by itself.
    addresses: Option<Vec<IpAddr>>,
    /// How long a machine keeps an answer, in nanoseconds of its own clock.
    pub(super) ttl: u64,
    /// What goes wrong, and how often.
    pub(super) failure: Option<(NameError, Ratio)>,
    /// Nanoseconds until the answer comes.
    pub(super) delay: (u64, u64),
}

impl NameEntry {
    pub(super) const PLAIN: Self = Self { addresses: None, ttl: 0, failure: None, delay: (0, 0) };
}

/// All names that were told.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    names: BTreeMap<Box<str>, NameEntry>,
}

impl NameTable {
    pub(super) fn entry(&self, name: &str) -> &NameEntry {
        self.names.get(name).unwrap_or(&NameEntry::PLAIN)
    }

    /// Returns the addresses of a name: those that were told, or those of the machine or group.
    pub(super) fn addresses(&self, nodes: &Nodes, name: &str) -> Result<Vec<IpAddr>, NameError> {
        if let Some(told) = &self.entry(name).addresses {
            return Ok(told.clone());
        }
        if name == "localhost" {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let members = match (nodes.find(name), nodes.group(name)) {
            (Some(node), _) => vec![node],
            (None, Some(group)) => group.to_vec(),
            (None, None) => return Err(NameError::NotFound),
        };
        Ok(members.into_iter().flat_map(|node| of_node(nodes, node)).collect())
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut NameEntry)) {
        change(self.names.entry(name.into()).or_insert(NameEntry::PLAIN));
    }
}

/// Returns what the name of a machine stands for: the addresses that it was given, and its automatic
/// one of IPv4. With the one of IPv6 each connection that is refused would be tried twice.
fn of_node(nodes: &Nodes, node: NodeId) -> impl Iterator<Item = IpAddr> {
    let given = nodes.get(node).addresses.iter().copied();
    given.chain(automatic_addresses(node).into_iter().filter(IpAddr::is_ipv4))
}

/// Tells what a name of the network stands for, and how the resolvers of all machines treat it.
///
/// Each call changes the name at once; who has asked before and is not answered yet gets the answer of
/// later. What a destructor of a dead machine's task tells has no effect.
#[derive(Clone, Debug)]
pub struct NameBuilder {
    name: String,
}

impl NameBuilder {
    /// Begins to tell what a name stands for.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    #[track_caller]
    fn change(&self, change: impl FnOnce(&mut NameEntry)) -> &Self {
        let is_dead = context::with(|executor: &Executor| executor.domain_of_running().1)
            == Some(DomainState::Dead);
        if !is_dead {
            with_state("Network::name", |state, _| {
                state.sockets.resolver.names.change(&self.name, change);
            });
        }
        self
    }

    /// Sets its addresses, in the order in which they are tried; without any, it stands for nobody.
    #[track_caller]
    pub fn addresses(&self, addresses: impl IntoIterator<Item = IpAddr>) -> &Self {
        // Unborrowed: the iterator is code of the user's.
        let addresses = addresses.into_iter().collect();
        self.change(|entry| entry.addresses = Some(addresses))
    }

    /// Sets how long a machine keeps an answer, on its own clock. Default not at all.
    #[track_caller]
    pub fn ttl(&self, ttl: Duration) -> &Self {
        self.change(|entry| entry.ttl = nanos(ttl))
    }

    /// Has every lookup fail from now on.
    #[track_caller]
    pub fn fails(&self, error: NameError) -> &Self {
        self.fails_sometimes(error, Ratio::new(1, 1))
    }

    /// Has this share of all lookups fail from now on; none with [`Ratio::ZERO`].
    ///
    /// # Determinism
    /// Each lookup draws, site `dns failure`, unless the share is 0 or 1.
    #[track_caller]
    pub fn fails_sometimes(&self, error: NameError, share: Ratio) -> &Self {
        let failure = (share.numerator() > 0).then_some((error, share));
        self.change(|entry| entry.failure = failure)
    }

    /// Sets how long an answer takes. Default no time.
    ///
    /// # Panics
    /// When the range is empty.
    ///
    /// # Determinism
    /// Each lookup draws, site `dns delay`, unless the delay is fixed.
    #[track_caller]
    pub fn delay(&self, delay: RangeInclusive<Duration>) -> &Self {
        assert!(!delay.is_empty(), "an empty range of delays: {delay:?}");
        let delay = (nanos(*delay.start()), nanos(*delay.end()));
        self.change(|entry| entry.delay = delay)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
