//! Runs ahead in a process of their own, if the check asks for one.
//!
//! What may end its process is tried there first: pilots, worlds on the way to a smaller one, a world that is
//! replayed. One that comes to its end may be run here too, with its log.

#[cfg(target_os = "linux")]
use std::sync::Arc;

#[cfg(target_os = "linux")]
use super::fork::{self, Answer, Facts, Forks, Purpose, Request};
use super::signature::Signature;
use super::sim::Settings;
use super::strategy::Profile;
use super::world::World;
use crate::executor::Failure;

#[cfg(target_os = "linux")]
pub(super) use super::fork::NoProcess;
#[cfg(not(target_os = "linux"))]
pub(super) use super::host::NoThread as NoProcess;

/// The processes of a check; none if its runs are all in its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Processes {
    #[cfg(target_os = "linux")]
    forks: Option<Arc<Forks>>,
}

/// What became of a run in a process of its own.
#[derive(Debug)]
pub(super) enum Ahead<T> {
    /// It came to its end.
    Ran(T),
    /// Its process ended first.
    Ended(Failure),
}

#[cfg(target_os = "linux")]
impl Processes {
    pub(super) fn new(forks: Forks) -> Self {
        Self { forks: Some(Arc::new(forks)) }
    }

    pub(super) fn forks(&self) -> Option<&Forks> {
        self.forks.as_deref()
    }

    /// Runs a world and returns what its failure is compared by; none where runs have no process.
    pub(super) fn run(
        &self,
        world: &World,
        settings: &Settings,
    ) -> Result<Option<Ahead<Option<Signature>>>, NoProcess> {
        self.ask(world.clone(), settings, Purpose::Visit, |facts| facts.signature)
    }

    /// Runs a pilot; none where runs have no process.
    pub(super) fn pilot(
        &self,
        world: World,
        settings: &Settings,
    ) -> Result<Option<Ahead<Profile>>, NoProcess> {
        self.ask(world, settings, Purpose::Pilot, |facts| *facts.profile.unwrap_or_default())
    }

    /// Has all runs from here on know what pilots have shown.
    pub(super) fn know(&self, profile: &Profile) {
        self.forks.iter().for_each(|forks| forks.know(profile.clone()));
    }

    fn ask<T>(
        &self,
        world: World,
        settings: &Settings,
        purpose: Purpose,
        read: impl FnOnce(Facts) -> T,
    ) -> Result<Option<Ahead<T>>, NoProcess> {
        let Some(forks) = &self.forks else { return Ok(None) };
        Ok(Some(match forks.run(Request::new(world, settings, purpose))? {
            Answer::Ran(facts) => Ahead::Ran(read(facts)),
            Answer::Ended { end, output } => Ahead::Ended(fork::ended(end, output)),
        }))
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as where there are processes")]
impl Processes {
    pub(super) fn run(
        &self,
        _: &World,
        _: &Settings,
    ) -> Result<Option<Ahead<Option<Signature>>>, NoProcess> {
        Ok(None)
    }

    pub(super) fn pilot(
        &self,
        _: World,
        _: &Settings,
    ) -> Result<Option<Ahead<Profile>>, NoProcess> {
        Ok(None)
    }

    pub(super) fn know(&self, _: &Profile) {}
}
