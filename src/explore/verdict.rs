//! What a program may return.

use std::fmt::Debug;

/// What a program under check returns: nothing, or a `Result` whose error fails the run. A program
/// that never returns, as one that ends in `panic!()` or loops for ever, is one too.
#[diagnostic::on_unimplemented(
    message = "a program under check returns `()` or `Result<(), E>`, not `{Self}`",
    note = "the error of the result needs `Debug`",
    note = "a program that never returns has the type `!`: end it with `()`, or make it an `async fn`"
)]
pub trait Verdict: 'static {
    /// Returns the text of the error, if it is one.
    ///
    /// # Errors
    /// The error as `Debug` prints it.
    fn into_verdict(self) -> Result<(), String>;
}

impl Verdict for () {
    fn into_verdict(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Debug + 'static> Verdict for Result<(), E> {
    fn into_verdict(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// An `async` block that only panics returns `!` since edition 2024.
impl Verdict for Never {
    fn into_verdict(self) -> Result<(), String> {
        self
    }
}

/// The type `!`, which stable Rust names only as what a function returns.
type Never = <fn() -> ! as Returns>::Output;

/// What a function pointer returns.
#[expect(unnameable_types, reason = "a step to a type of the language, which has no other name")]
pub trait Returns {
    /// That type.
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}
