//! What a right system does, one operation after the other.

use std::fmt;
use std::hash::Hash;

/// A specification: the states that a system has, and what each operation may answer and leave behind.
///
/// There is one for each usual kind of object in [`models`](super::models). A step is a function: what may go more than one
/// way (an element that is taken from a set) shows the way in its output.
///
/// # Examples
/// A ticket machine, that must not give a number twice:
/// ```
/// use parcae::oracle::{Effect, Model, Operation, linearizable};
///
/// #[derive(Debug)]
/// struct Tickets;
/// impl Model for Tickets {
///     type Input = ();
///     type Output = u64;
///     type State = u64;
///     type Key = ();
///     fn initial(&self) -> u64 {
///         1
///     }
///     fn step(&self, next: &u64, _: &(), output: Option<&u64>) -> Option<u64> {
///         output.is_none_or(|number| number == next).then_some(next + 1)
///     }
///     fn key(&self, _: &()) {}
/// }
///
/// let twice = [
///     Operation::new(1, (), 0, Some((2, Effect::Returned(1)))),
///     Operation::new(2, (), 1, Some((3, Effect::Returned(1)))),
/// ];
/// assert!(linearizable(&Tickets, &twice).is_violated());
/// ```
pub trait Model {
    /// What is asked for.
    type Input: fmt::Debug;
    /// What is answered.
    type Output: fmt::Debug;
    /// What the object remembers.
    type State: Clone + Eq + Hash + fmt::Debug;
    /// What tells independent parts of the object apart. `()` if there is but one.
    type Key: Ord;

    /// Returns the first state of a part.
    fn initial(&self) -> Self::State;

    /// Returns the state after the operation took effect with this output, or none if a right system could not answer so in
    /// this state. Without an output nobody knows the answer: any that is right.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// Returns the part that the operation is about. Parts are checked one by one, which is right when no operation touches
    /// two of them, and much faster (Horn and Kroening, "Faster linearizability checking via P-compositionality", 2015).
    fn key(&self, input: &Self::Input) -> Self::Key;

    /// Tells whether the operation, where it can answer so, leaves every state as it is: a read. By default none does.
    ///
    /// Checkers are much faster when they know: a read that is right now need not be tried later. One that is said to keep the
    /// state and does not makes verdicts wrong.
    fn keeps_state(&self, input: &Self::Input, output: Option<&Self::Output>) -> bool {
        let _ = (input, output);
        false
    }
}
