//! How connections are made and tested.

/// Makes and tests the connections of a [`super::Pool`].
///
/// A connection is closed by dropping it. The futures need not be `Send`.
///
/// # Examples
/// ```
/// use parcae::pool::Manage;
///
/// struct Database;
///
/// impl Manage for Database {
///     type Connection = u32;
///     type Error = std::convert::Infallible;
///
///     async fn connect(&self) -> Result<u32, Self::Error> {
///         Ok(7)
///     }
///
///     async fn is_healthy(&self, connection: &mut u32) -> bool {
///         *connection == 7
///     }
/// }
/// ```
#[expect(async_fn_in_trait, reason = "the executor does not ask for `Send`")]
pub trait Manage {
    /// A connection.
    type Connection;
    /// Why a connection cannot be made.
    type Error;

    /// Makes a connection. It runs in a task of the pool's own, and no caller's time-out ends it: it
    /// needs one of its own where it might hang.
    ///
    /// # Errors
    /// Goes to the caller that has waited longest, as [`super::GetError::Connect`].
    async fn connect(&self) -> Result<Self::Connection, Self::Error>;

    /// Tests an idle connection before it is used again, if the pool is told to
    /// ([`super::PoolBuilder::test_on_acquire`]). One that is not healthy is closed.
    async fn is_healthy(&self, connection: &mut Self::Connection) -> bool;
}
