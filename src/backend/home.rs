//! Where something belongs: a simulated machine, or the process on real time.

use crate::context;
#[cfg(feature = "simulation")]
use crate::executor::{DomainId, DomainState, Executor};

/// The process that something was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    #[cfg(feature = "simulation")]
    Simulated { run: u16, domain: DomainId },
    #[cfg(feature = "real")]
    Real,
}

/// How whoever asks stands to a [`Home`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// At home, or where nobody can tell.
    Own,
    /// The test, which may use what belongs to any machine.
    #[cfg_attr(
        not(feature = "simulation"),
        expect(dead_code, reason = "only a simulation has several machines")
    )]
    Visitor,
    /// On another machine.
    #[cfg_attr(
        not(feature = "simulation"),
        expect(dead_code, reason = "only a simulation has several machines")
    )]
    Foreign,
    /// The process is gone, or its run is over.
    Dead,
}

impl Home {
    /// Returns that of the running task.
    #[track_caller]
    pub(crate) fn here(call: &str) -> Self {
        super::on!(context::backend(call),
            simulation: context::expect(call, |executor: &Executor| {
                Self::Simulated { run: executor.run(), domain: executor.running_domain() }
            }),
            real: Self::Real,
        )
    }

    /// Tells how the running task stands to it.
    #[inline]
    pub(crate) fn standing(self) -> Standing {
        self.standing_of_task().0
    }

    /// Tells how the running task stands to it, and which task that is: as
    /// [`running_task`](super::running_task).
    #[inline]
    pub(crate) fn standing_of_task(self) -> (Standing, u64) {
        match self {
            #[cfg(feature = "simulation")]
            Self::Simulated { run, domain } => {
                let stand = |executor: &Executor| {
                    let (running, task) = executor.running_place();
                    if executor.run() != run {
                        return (Standing::Dead, task);
                    }
                    (executor.standing_to(domain, running), task)
                };
                // A thread that is inside of no simulation cannot tell.
                context::with(stand).unwrap_or_else(|| (Standing::Own, super::running_task()))
            }
            #[cfg(feature = "real")]
            Self::Real => (Standing::Own, super::running_task()),
        }
    }
}

#[cfg(feature = "simulation")]
impl Executor {
    #[inline]
    fn standing_to(&self, domain: DomainId, running: DomainId) -> Standing {
        // The test itself never dies, and is most often asked.
        if domain == DomainId::ROOT {
            return if running == domain { Standing::Own } else { Standing::Foreign };
        }
        if self.domain_state(domain) == DomainState::Dead {
            return Standing::Dead;
        }
        if running == domain {
            Standing::Own
        } else if running == DomainId::ROOT {
            Standing::Visitor
        } else {
            Standing::Foreign
        }
    }
}
