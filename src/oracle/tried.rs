//! What searches of orders remember: what has taken effect, in which states, and what was tried.

mod states;
mod table;
mod taken;

pub(super) use self::states::States;
pub(super) use self::table::Table;
pub(super) use self::taken::Taken;
