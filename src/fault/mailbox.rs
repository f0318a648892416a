//! Faults of mailboxes: what becomes of messages to actors.
//!
//! A message to an actor on the same machine is never lost by itself. Rules of this module lose, delay and
//! copy messages all the same, as a network or an overload would, and crash or slow the actor down: so a
//! protocol of actors is tested before it is spread over machines.
//!
//! Signals, stops, timers of the actor itself and what it pipes to itself are not touched.

mod board;
mod guard;

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

pub(super) use self::board::Effect;
use self::board::{Board, Rule, Scope};
pub use self::guard::MailboxFault;
use super::dice::Dice;
use crate::actor::Message;
use crate::actor::intercept::Interception;
use crate::executor::Executor;
use crate::kernel::Ratio;
use crate::{backend, context};

/// Returns the mailboxes of all actors of the run, for a fault on them.
///
/// # Determinism
/// Each message for which something may happen draws whether it does, of the task that sends or takes
/// it, by the rule and the number of messages that the rule has seen of that task. The default is that
/// nothing happens, to which failures shrink. [`Mailboxes::crash_at`] and [`Mailboxes::capacity`] draw
/// nothing.
///
/// # Examples
/// ```
/// use parcae::actor::{self, AskError, Context, Crash, Handler};
/// use parcae::fault::mailboxes;
/// use parcae::kernel::Ratio;
///
/// #[derive(Debug)]
/// struct Ping;
/// parcae::message!(Ping -> u32);
/// struct Echo;
/// parcae::actor!(Echo);
/// impl Handler<Ping> for Echo {
///     async fn handle(&mut self, _: Ping, _: &mut Context<Self>) -> Result<u32, Crash> {
///         Ok(7)
///     }
/// }
///
/// parcae::check(10, || async {
///     let echo = actor::spawn_named::<Echo>("echo", Echo).unwrap();
///     let lossy = mailboxes().of("echo").message::<Ping>().drop(Ratio::new(1, 1));
///     assert!(matches!(echo.ask(Ping).await, Err(AskError::Timeout { .. })));
///     assert_eq!(lossy.fired(), 1);
///     lossy.end();
///     assert_eq!(echo.ask(Ping).await, Ok(7));
/// });
/// ```
pub fn mailboxes() -> Mailboxes {
    Mailboxes { scope: Scope::default() }
}

/// Mailboxes and messages on which a fault is put. Made by [`mailboxes`].
///
/// When several faults fit a message, the first one that fires decides.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before a fault is put on them"]
pub struct Mailboxes {
    scope: Scope,
}

impl Mailboxes {
    /// Restricts it to the actors of this name, on whatever machine. Those without a name are known
    /// by what [`AnyRef::label`](crate::actor::AnyRef::label) returns.
    pub fn of(self, actor: impl Into<Cow<'static, str>>) -> Self {
        Self { scope: Scope { actor: Some(actor.into()), ..self.scope } }
    }

    /// Restricts it to the actors on these machines.
    pub fn on_machines<N: Into<Arc<str>>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let machines = Some(names.into_iter().map(Into::into).collect());
        Self { scope: Scope { machines, ..self.scope } }
    }

    /// Leaves the actors of these names alone.
    pub(super) fn except(self, spared: Vec<Arc<str>>) -> Self {
        Self { scope: Scope { spared, ..self.scope } }
    }

    /// Restricts it to messages of this [kind](Message::kind).
    pub fn kind(self, kind: impl Into<Cow<'static, str>>) -> Self {
        Self { scope: Scope { kind: Some(kind.into()), ..self.scope } }
    }

    /// As [`Mailboxes::kind`], by the type.
    pub fn message<M: Message>(self) -> Self {
        self.kind(M::kind())
    }

    /// Loses so many of the messages: they are dead letters, and whoever asks waits for his time-out.
    ///
    /// # Panics
    /// Outside of a simulation.
    #[track_caller]
    pub fn drop(self, share: Ratio) -> MailboxFault {
        self.begin(Effect::Drop(share))
    }

    /// Delivers so many of the messages later by a duration of this range, without regard to their order
    /// and the bound of the mailbox.
    ///
    /// # Panics
    /// Outside of a simulation, and when the range is empty.
    #[track_caller]
    pub fn delay(self, share: Ratio, duration: RangeInclusive<Duration>) -> MailboxFault {
        check_range(&duration);
        self.begin(Effect::Delay(share, duration))
    }

    /// Delivers so many of the messages twice, of those that [can be copied](Message::try_clone). Nobody
    /// waits for the answer to the second one.
    ///
    /// # Panics
    /// Outside of a simulation.
    #[track_caller]
    pub fn duplicate(self, share: Ratio) -> MailboxFault {
        self.begin(Effect::Duplicate(share))
    }

    /// At so many of the times when messages of several senders wait, has one handled that did not come
    /// first. The order of the messages of each sender stays.
    ///
    /// # Panics
    /// Outside of a simulation, and when it is restricted to a kind of messages.
    #[track_caller]
    pub fn reorder(self, share: Ratio) -> MailboxFault {
        self.check_no_kind("reorder");
        self.begin(Effect::Reorder(share))
    }

    /// Has an actor panic instead of handling the so-manieth message, counted from 1 over all that fit;
    /// once.
    ///
    /// # Panics
    /// Outside of a simulation, and when the number is 0.
    #[track_caller]
    pub fn crash_at(self, number: u64) -> MailboxFault {
        assert!(number > 0, "the first message is number 1");
        self.begin(Effect::CrashAt(number))
    }

    /// Before so many of the messages are handled, keeps the machine of the actor busy for a duration of
    /// this range.
    ///
    /// # Panics
    /// Outside of a simulation, and when the range is empty.
    #[track_caller]
    pub fn slow(self, share: Ratio, duration: RangeInclusive<Duration>) -> MailboxFault {
        check_range(&duration);
        self.begin(Effect::Slow(share, duration))
    }

    /// Gives mailboxes that are made from here on this capacity.
    ///
    /// # Panics
    /// Outside of a simulation, when the capacity is 0, and when it is restricted to a kind of messages.
    #[track_caller]
    pub fn capacity(self, capacity: u32) -> MailboxFault {
        assert!(capacity > 0, "a mailbox of capacity 0 takes no message");
        self.check_no_kind("capacity");
        self.begin(Effect::Capacity(capacity))
    }

    #[track_caller]
    fn check_no_kind(&self, verb: &str) {
        assert!(
            self.scope.kind.is_none(),
            "`{verb}` is of whole mailboxes, not of one kind of messages"
        );
    }

    #[track_caller]
    fn begin(self, effect: Effect) -> MailboxFault {
        self.begin_numbered(effect, Dice { at: Location::caller() }, None)
    }

    /// Begins a fault whose draws have a number of their own; the place among all others if there is none.
    #[track_caller]
    pub(super) fn begin_numbered(
        self,
        effect: Effect,
        dice: Dice,
        own_number: Option<u64>,
    ) -> MailboxFault {
        context::expect(CALL, |_: &Executor| ());
        let board = backend::shared_by_run(CALL, Arc::<Board>::default);
        let interception = backend::shared_by_run(CALL, Interception::default);
        let rule = board.add(|number| {
            Rule::new(own_number.map_or(number, Rule::own_number), self.scope, effect, dice)
        });
        backend::note(|| format!("begins {rule}"));
        interception.set(Some(board.clone()));
        MailboxFault::new(rule, board, interception)
    }
}

#[track_caller]
fn check_range(range: &RangeInclusive<Duration>) {
    assert!(!range.is_empty(), "no duration lies in {range:?}");
}

const CALL: &str = "parcae::fault::mailboxes";
