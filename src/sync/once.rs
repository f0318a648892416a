//! What is to be done once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::once_cell::{GetOrInit, GetOrTryInit, OnceCell, OnceCellWait};

/// Something that is to be done once, by whoever comes first, and that all others wait for.
///
/// It is a [`OnceCell`] without a value: if whoever does it is cancelled, fails or panics, the next who
/// waits does it.
///
/// **When not to use it**: when what is done has a result that others need ([`OnceCell`]), or is done
/// without an await ([`std::sync::Once`]).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::sync::Once;
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// let shared = Rc::new((Once::new().named("migration"), Cell::new(0)));
/// let tasks = [(); 3].map(|()| {
///     let shared = shared.clone();
///     parcae::spawn(async move {
///         let (migration, count) = &*shared;
///         let migrate = async || {
///             parcae::time::sleep(Duration::from_secs(1)).await;
///             count.set(count.get() + 1);
///         };
///         migration.call_once(migrate).await;
///         assert_eq!(count.get(), 1);
///     })
/// });
/// for task in tasks {
///     task.await;
/// }
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Once {
    cell: OnceCell<()>,
}

impl Once {
    /// Makes one that has not been done.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self { cell: OnceCell::of_kind("Once") }
    }

    /// Gives it a name for reports.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { cell: self.cell.named(name) }
    }

    /// Calls the function and awaits its future, unless that has been done; waits while another task
    /// does it.
    ///
    /// # Cancel safety
    /// Cancel safe as far as the future of the function is: it is dropped, and the turn goes to the next
    /// who waits.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let greeting = parcae::sync::Once::new();
    /// let count = std::cell::Cell::new(0);
    /// for _ in 0..2 {
    ///     greeting.call_once(async || count.set(count.get() + 1)).await;
    /// }
    /// assert_eq!(count.get(), 1);
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn call_once<F, Fut>(&self, call: F) -> CallOnce<'_, F, Fut>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = ()>,
    {
        CallOnce { inner: self.cell.get_or_init(call) }
    }

    /// Does as [`Once::call_once`]; if the future fails, it has not been done and the turn goes to the
    /// next who waits.
    ///
    /// # Errors
    /// The error of the future.
    ///
    /// # Cancel safety
    /// As [`Once::call_once`].
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let greeting = parcae::sync::Once::new();
    /// assert_eq!(greeting.try_call_once(async || Err("mute")).await, Err("mute"));
    /// assert!(!greeting.is_completed());
    /// assert_eq!(greeting.try_call_once(async || Ok::<_, &str>(())).await, Ok(()));
    /// greeting.wait().await;
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn try_call_once<F, Fut, E>(&self, call: F) -> TryCallOnce<'_, F, Fut>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<(), E>>,
    {
        TryCallOnce { inner: self.cell.get_or_try_init(call) }
    }

    /// Waits until it has been done, and does not do it.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    #[track_caller]
    pub fn wait(&self) -> OnceWait<'_> {
        OnceWait { inner: self.cell.wait() }
    }

    /// Tells whether it has been done.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.cell.get().is_some()
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

pin_project! {
    /// Future of [`Once::call_once`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct CallOnce<'a, F, Fut> {
        #[pin]
        inner: GetOrInit<'a, (), F, Fut>,
    }
}

impl<F, Fut> Future for CallOnce<'_, F, Fut>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = ()>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let () = ready!(self.project().inner.poll(context));
        Poll::Ready(())
    }
}

pin_project! {
    /// Future of [`Once::try_call_once`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct TryCallOnce<'a, F, Fut> {
        #[pin]
        inner: GetOrTryInit<'a, (), F, Fut>,
    }
}

impl<F, Fut, E> Future for TryCallOnce<'_, F, Fut>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), E>> {
        let done = ready!(self.project().inner.poll(context));
        Poll::Ready(done.copied())
    }
}

/// Future of [`Once::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OnceWait<'a> {
    inner: OnceCellWait<'a, ()>,
}

impl Future for OnceWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.inner).poll(context).map(|()| ())
    }
}
