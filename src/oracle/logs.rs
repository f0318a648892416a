//! Histories from elsewhere, and ours for others: Jepsen's EDN, its log lines, and the texts of porcupine.
//!
//! | what | looks like | read by | written by |
//! |---|---|---|---|
//! | EDN: maps, one after the other or in one vector | `{:process 0, :type :invoke, :f :read, :value nil}` | [`from_edn`] | [`to_edn`] |
//! | lines of a log, fields between tabs | `INFO  jepsen.util - 0 :invoke :read nil` | [`from_lines`] | [`to_lines`] |
//!
//! porcupine's key-value logs are EDN with a `:key`, its logs of etcd are such lines. Either way a log is a list of [`Event`]s;
//! what they say of an object is the matter of [`Logged`], which there is for the inputs of some
//! [`models`](super::models) and can be written for others:
//!
//! | asked | functions | model or checker |
//! |---|---|---|
//! | [`CasInput`](super::models::CasInput) of numbers | `:read`, `:write`, `:cas` with `[expected new]` | [`CasRegister`](super::models::CasRegister) of `None` |
//! | [`TextInput`](super::models::TextInput) | `:get`, `:put`, `:append`, with a `:key` | [`TextStore`](super::models::TextStore) |
//! | by [`list_transactions`] | `:txn` with `[[:append x 1] [:r y nil]]` | [`list_append`](super::transactions::list_append) |
//! | by [`value_transactions`] | `:txn` with `[[:w x 1] [:r y nil]]` | [`read_write`](super::transactions::read_write) |
//!
//! | `:type` | what a checker makes of it |
//! |---|---|
//! | `:ok` | [`Effect::Returned`](super::Effect::Returned) |
//! | `:fail` | [`Effect::Failed`](super::Effect::Failed); of a `:cas` without a keyword as its value: it was not what was expected |
//! | `:info`, and none at all | [`Effect::Unknown`](super::Effect::Unknown), never "it was not done" |
//!
//! Events whose process is no number are of those who make trouble (`:nemesis`), and no operations.
//!
//! # Errors
//! Nothing is guessed: what cannot be read is a [`LogError`] with its line. A text has at most 256 MiB, values within each other
//! go 64 deep.
//!
//! # Examples
//! ```
//! use parcae::oracle::logs;
//! use parcae::oracle::models::{CasInput, CasRegister};
//! use parcae::oracle::linearizable;
//!
//! let text = "{:process 0, :type :invoke, :f :write, :value 3}
//!             {:process 0, :type :ok, :f :write, :value 3}
//!             {:process 1, :type :invoke, :f :read, :value nil}
//!             {:process 1, :type :ok, :f :read, :value 4}";
//! let operations = logs::operations::<CasInput<Option<i64>>>(&logs::from_edn(text)?)?;
//! assert!(linearizable(&CasRegister::new(None), &operations).is_violated());
//! # Ok::<(), logs::LogError>(())
//! ```

mod error;
mod event;
mod lines;
mod logged;
mod pairs;
mod reader;
mod transactions;
mod value;

pub use self::error::LogError;
pub use self::event::{Event, EventKind, Process, from_edn, to_edn};
pub use self::lines::{from_lines, to_lines};
pub use self::logged::Logged;
pub use self::pairs::{Operations, events, operations};
pub use self::transactions::{
    LoggedTransaction, list_transaction_events, list_transactions, value_transaction_events,
    value_transactions,
};
pub use self::value::Value;
