//! Variables that belong to a task and that its children begin with.

use std::any::Any;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::backend;

/// A variable of which each task has its own value; a task that is spawned begins with those of its
/// maker.
///
/// What either sets later does not reach the other. It is declared as a static, and each task sees the
/// default until it, or a maker before the spawn, sets something else.
///
/// **When not to use it**: for what a function needs to do its work, which belongs into its
/// parameters. It is for what goes along with a request without concerning those it passes: a
/// trace id, a tenant.
///
/// # Examples
/// ```
/// use parcae::task::ContextVar;
///
/// static REQUEST: ContextVar<u32> = ContextVar::new(|| 0);
///
/// # parcae::Sim::new(7).run(|| async {
/// REQUEST.set(17);
/// let child = parcae::spawn(async {
///     let inherited = REQUEST.get();
///     REQUEST.set(18);
///     inherited
/// });
/// assert_eq!(child.await, 17);
/// assert_eq!(REQUEST.get(), 17);
/// # }).unwrap();
/// ```
///
/// # Source
/// Python's `contextvars`; `scope` is that of tokio's `task_local!`.
pub struct ContextVar<T: 'static> {
    default: fn() -> T,
}

impl<T: Clone + 'static> ContextVar<T> {
    /// Makes a variable with a default.
    #[must_use]
    pub const fn new(default: fn() -> T) -> Self {
        Self { default }
    }

    /// Returns the value of the running task; the default outside of a task.
    #[must_use]
    pub fn get(&'static self) -> T {
        variables().find(self).unwrap_or_else(self.default)
    }

    /// Sets the value of the running task and of the tasks that it spawns from now on.
    ///
    /// # Panics
    /// Outside of a task.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.put(Some(value));
    }

    /// Awaits a future in which the variable has this value; outside of it, it keeps its own. What the
    /// future sets is seen inside of it until it ends, also by its destructors and by what they leave
    /// behind to clean up.
    ///
    /// # Panics
    /// When it is polled outside of a task, or again when it has ended.
    ///
    /// # Cancel safety
    /// As cancel safe as the future itself.
    ///
    /// # Examples
    /// ```
    /// # use parcae::task::ContextVar;
    /// static DEPTH: ContextVar<u32> = ContextVar::new(|| 0);
    ///
    /// # parcae::Sim::new(7).run(|| async {
    /// let inner = DEPTH.scope(DEPTH.get() + 1, async { DEPTH.get() });
    /// assert_eq!((inner.await, DEPTH.get()), (1, 0));
    /// # }).unwrap();
    /// ```
    pub fn scope<F: IntoFuture>(
        &'static self,
        value: T,
        future: F,
    ) -> ContextScope<T, F::IntoFuture> {
        ContextScope { future: Some(future.into_future()), variable: self, value: Some(value) }
    }

    /// Sets or unsets the value of the running task and returns the one before.
    #[track_caller]
    fn put(&'static self, value: Option<T>) -> Option<T> {
        let mut variables = variables();
        let replaced = variables.find(self);
        variables.put(self, value);
        let is_set = backend::set_variables("ContextVar::set", Some(Rc::new(variables)));
        assert!(is_set, "a context variable was set while no task runs");
        replaced
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ContextVar").finish_non_exhaustive()
    }
}

pin_project! {
    /// Future of [`ContextVar::scope`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ContextScope<T, F>
    where
        T: Clone,
        T: 'static,
    {
        // None when it has ended.
        #[pin]
        future: Option<F>,
        variable: &'static ContextVar<T>,
        // The value inside while it is not polled.
        value: Option<T>,
    }

    impl<T, F> PinnedDrop for ContextScope<T, F>
    where
        T: Clone,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() && backend::has_variables() {
                let _swapped = SwapBack::enter(this.variable, this.value);
                this.future.set(None);
            }
        }
    }
}

impl<T: Clone + 'static, F: Future> Future for ContextScope<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _swapped = SwapBack::enter(this.variable, this.value);
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("a scope is not polled again when it has ended");
        let output = ready!(future.poll(context));
        this.future.set(None);
        Poll::Ready(output)
    }
}

impl<T: Clone, F: fmt::Debug> fmt::Debug for ContextScope<T, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ContextScope").field(&self.future).finish()
    }
}

/// Puts the value of outside back when dropped: also when the future panics, for the task may catch
/// that and go on.
struct SwapBack<'a, T: Clone + 'static> {
    variable: &'static ContextVar<T>,
    outside: Option<T>,
    inside: &'a mut Option<T>,
}

impl<'a, T: Clone + 'static> SwapBack<'a, T> {
    #[track_caller]
    fn enter(variable: &'static ContextVar<T>, inside: &'a mut Option<T>) -> Self {
        let outside = variable.put(inside.take());
        Self { variable, outside, inside }
    }
}

impl<T: Clone + 'static> Drop for SwapBack<'_, T> {
    fn drop(&mut self) {
        *self.inside = self.variable.put(self.outside.take());
    }
}

/// The variables of one task that are set. Few at a time: a search is as fast as anything.
#[derive(Clone, Default)]
struct Variables(Vec<(*const u8, Rc<dyn Any>)>);

impl Variables {
    fn find<T: Clone>(&self, variable: &'static ContextVar<T>) -> Option<T> {
        let place = place_of(variable);
        let (_, value) = self.0.iter().find(|(other, _)| ptr::eq(*other, place))?;
        value.downcast_ref::<T>().cloned()
    }

    fn put<T>(&mut self, variable: &'static ContextVar<T>, value: Option<T>) {
        let place = place_of(variable);
        self.0.retain(|(other, _)| !ptr::eq(*other, place));
        if let Some(value) = value {
            self.0.push((place, Rc::new(value)));
        }
    }
}

/// Returns what tells a variable from others. It is compared for equality only.
fn place_of<T>(variable: &'static ContextVar<T>) -> *const u8 {
    ptr::from_ref(variable).cast()
}

fn variables() -> Variables {
    let of_task = backend::variables();
    let of_task = of_task.and_then(|variables| variables.downcast::<Variables>().ok());
    of_task.map_or_else(Variables::default, Rc::unwrap_or_clone)
}
