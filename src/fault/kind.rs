//! The kinds of faults.

use std::fmt;

/// What kind of fault it is: what is counted, switched on and off, and reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// Links lose everything.
    Cut,
    /// Links keep everything, and deliver it in the end.
    Clog,
    /// Links are cut and open in turn.
    Flap,
    /// Links lose packets by chance.
    Loss,
    /// Links deliver packets twice by chance.
    Duplication,
    /// Links hold packets up by chance, so that others overtake them.
    Reordering,
    /// Links turn bits over by chance.
    Corruption,
    /// Links take longer.
    Latency,
    /// Connections are reset.
    Reset,
    /// A process dies; its kernel closes its sockets.
    Kill,
    /// A machine loses its power; nothing is sent.
    PowerOff,
    /// A process is frozen.
    Pause,
    /// A machine computes more slowly.
    Slow,
    /// A wall clock jumps.
    ClockStep,
    /// A clock runs fast or slow.
    ClockDrift,
    /// Messages to actors are lost.
    MessageLoss,
    /// Messages to actors come later, without regard to their order.
    MessageDelay,
    /// Messages to actors come twice.
    MessageDuplication,
    /// Of messages of several senders one is taken that did not come first.
    MessageReordering,
    /// Actors take longer for a message.
    SlowActors,
    /// An actor panics instead of handling a message.
    ActorCrash,
}

impl FaultKind {
    /// All of them, in order.
    pub const ALL: [Self; 21] = [
        Self::Cut,
        Self::Clog,
        Self::Flap,
        Self::Loss,
        Self::Duplication,
        Self::Reordering,
        Self::Corruption,
        Self::Latency,
        Self::Reset,
        Self::Kill,
        Self::PowerOff,
        Self::Pause,
        Self::Slow,
        Self::ClockStep,
        Self::ClockDrift,
        Self::MessageLoss,
        Self::MessageDelay,
        Self::MessageDuplication,
        Self::MessageReordering,
        Self::SlowActors,
        Self::ActorCrash,
    ];

    /// Returns its name: `power off`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Clog => "clog",
            Self::Flap => "flap",
            Self::Loss => "loss",
            Self::Duplication => "duplication",
            Self::Reordering => "reordering",
            Self::Corruption => "corruption",
            Self::Latency => "latency",
            Self::Reset => "reset",
            Self::Kill => "kill",
            Self::PowerOff => "power off",
            Self::Pause => "pause",
            Self::Slow => "slow",
            Self::ClockStep => "clock step",
            Self::ClockDrift => "clock drift",
            Self::MessageLoss => "message loss",
            Self::MessageDelay => "message delay",
            Self::MessageDuplication => "message duplication",
            Self::MessageReordering => "message reordering",
            Self::SlowActors => "slow actors",
            Self::ActorCrash => "actor crash",
        }
    }

    /// Tells whether it is done to actors and the messages to them, and not to machines and links.
    #[must_use]
    pub const fn is_of_actors(self) -> bool {
        matches!(
            self,
            Self::MessageLoss
                | Self::MessageDelay
                | Self::MessageDuplication
                | Self::MessageReordering
                | Self::SlowActors
                | Self::ActorCrash
        )
    }

    /// Tells whether a machine cannot serve while it has this fault: what a budget counts.
    #[must_use]
    pub const fn is_absence(self) -> bool {
        matches!(self, Self::Kill | Self::PowerOff | Self::Pause)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
