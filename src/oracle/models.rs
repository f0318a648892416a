//! Models of the usual objects, for [`linearizable`](super::linearizable).
//!
//! | object | model | asked | answered |
//! |---|---|---|---|
//! | one value | [`Register`] | [`RegisterInput`] | the value that was read |
//! | one value with compare-and-swap | [`CasRegister`] | [`CasInput`] | [`CasOutput`] |
//! | values by key | [`KeyValue`] | [`KeyValueInput`] | the value that was there |
//! | texts by key that are appended to | [`TextStore`] | [`TextInput`] | the text |
//! | first in, first out | [`Queue`] | [`QueueInput`] | the item that was taken |
//! | a set | [`Set`] | [`SetInput`] | whether that changed it, or it was there |
//! | a lock | [`Lock`] | [`LockInput`] | whether it was given or taken back |
//! | a counter | [`Counter`] | [`CounterInput`] | the value behind it |

mod containers;
mod counters;
mod registers;
mod texts;

pub use self::{
    containers::{Queue, QueueInput, Set, SetInput},
    counters::{Counter, CounterInput, Lock, LockInput},
    registers::{
        CasInput, CasOutput, CasRegister, KeyValue, KeyValueInput, Register, RegisterInput,
    },
    texts::{TextInput, TextStore},
};
