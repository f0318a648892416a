//! What one can ask of a supervisor that runs.

use std::rc::Rc;

use super::child_info::{ChildCounts, ChildInfo};
use super::error::ChildError;
use super::keeper::{Answer, ChildName, Command, Event};
use super::slot::ChildSlot;
use super::spec::ChildSpec;
use super::tree::Tree;
use crate::actor::{Actor, AnyRef};
use crate::sync::oneshot;

/// A supervisor, to be asked and told on the thread that it runs on.
///
/// Dropping it leaves the supervisor alone. [`SupervisorRef::any`] can be sent to other threads; so can the
/// references of children.
#[derive(Clone, Debug)]
pub struct SupervisorRef {
    tree: Rc<Tree>,
}

impl SupervisorRef {
    pub(super) fn new(tree: Rc<Tree>) -> Self {
        Self { tree }
    }

    /// Returns the actor that it is: to be stopped, killed, watched or linked to.
    ///
    /// A supervisor that is stopped stops its children, last first, and ends when all are gone. One that is
    /// killed kills them, and ends when all are gone too.
    pub fn any(&self) -> AnyRef {
        self.tree.any()
    }

    /// Starts another child, after all that it has. A temporary one is forgotten when it has ended.
    ///
    /// # Errors
    /// When there is a child of this name, when its `start` fails (it is forgotten then), or when the
    /// supervisor ends.
    ///
    /// # Cancel safety
    /// The child is started all the same.
    pub async fn start_child<A: Actor>(
        &self,
        name: impl Into<String>,
        spec: ChildSpec<A>,
    ) -> Result<ChildSlot<A>, ChildError> {
        let seat = Box::new(spec.into_seat(name.into()));
        let reference = seat.reference.clone();
        self.command(|answer| Command::Add(seat, answer)).await?;
        Ok(ChildSlot::new(reference))
    }

    /// Stops a child, and returns when it is gone. It stays down until [`SupervisorRef::restart_child`], or
    /// until it is started again with a sibling. A temporary one is forgotten.
    ///
    /// # Errors
    /// When there is no such child, or the supervisor has ended.
    ///
    /// # Cancel safety
    /// The child is stopped all the same.
    pub async fn terminate_child(&self, name: &str) -> Result<(), ChildError> {
        self.command(|answer| Command::Terminate(ChildName::Name(name.to_owned()), answer)).await
    }

    /// Starts a child that is down, and returns when it has started.
    ///
    /// # Errors
    /// When there is no such child, when it is not down, when its `start` fails (it is down again then, and
    /// that is no restart), or when the supervisor ends.
    ///
    /// # Cancel safety
    /// The child is started all the same.
    pub async fn restart_child(&self, name: &str) -> Result<(), ChildError> {
        self.command(|answer| Command::Restart(ChildName::Name(name.to_owned()), answer)).await
    }

    /// Forgets a child that is down.
    ///
    /// # Errors
    /// When there is no such child, when it is not down, or when the supervisor has ended.
    ///
    /// # Cancel safety
    /// The child is forgotten all the same.
    pub async fn delete_child(&self, name: &str) -> Result<(), ChildError> {
        self.command(|answer| Command::Delete(ChildName::Name(name.to_owned()), answer)).await
    }

    /// Returns what there is, in the order in which it is started.
    ///
    /// # Errors
    /// When the supervisor has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn which_children(&self) -> Result<Vec<ChildInfo>, ChildError> {
        ask(&self.tree, Command::Which).await
    }

    /// Returns how many children there are.
    ///
    /// # Errors
    /// When the supervisor has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn count_children(&self) -> Result<ChildCounts, ChildError> {
        ask(&self.tree, Command::Count).await
    }

    async fn command(&self, command: impl FnOnce(Answer<()>) -> Command) -> Result<(), ChildError> {
        ask(&self.tree, command).await?
    }
}

/// Puts a command to a supervisor and waits for the answer.
pub(super) async fn ask<T>(
    tree: &Tree,
    command: impl FnOnce(oneshot::Sender<T>) -> Command,
) -> Result<T, ChildError> {
    let (answer, answered) = oneshot::channel();
    tree.put(Event::Command(command(answer))).map_err(|_| ChildError::Ending)?;
    answered.await.map_err(|_| ChildError::Ending)
}
