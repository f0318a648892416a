//! Asking for an end, along a tree.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::backend::{self, Point, Resource, WakeTarget, note_wait};
use crate::kernel::{Access, Verb};
use crate::time::{Instant, Sleep, sleep_until};

/// A request to end, seen by all who hold a token of the same node or of one below it.
///
/// Nothing is cancelled by force: whoever holds a token looks at it, waits for it, or runs a future
/// under it ([`CancelToken::run`]). A clone is the same node of the tree, and [`CancelToken::child`]
/// one below it: cancelling a node reaches all below it, with its reason, and none above. The first
/// reason stands. Tokens work on any executor and across threads, but for their deadlines.
///
/// **When not to use it**: to end a task whose handle is at hand, drop it; to bound one operation, use
/// [`timeout`](crate::time::timeout()); to end tasks that belong together, use [`group`](super::group()).
///
/// # Examples
/// ```
/// # parcae::Sim::new(7).run(|| async {
/// use parcae::task::{CancelReason, CancelToken};
///
/// let server = CancelToken::new();
/// let request = server.child();
/// let task = parcae::spawn(async move {
///     request.run(std::future::pending::<()>()).await.unwrap_err().reason
/// });
/// server.cancel("shutting down");
/// assert_eq!(task.await, CancelReason::Requested("shutting down".into()));
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct CancelToken {
    node: Arc<Node>,
}

/// Why a token is cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelReason {
    /// Somebody asked for it, for this reason.
    Requested(Cow<'static, str>),
    /// The deadline of the token, or of one above it, has passed.
    Deadline,
    /// A [`CancelGuard`] was dropped.
    GuardDropped,
}

struct Node {
    resource: Resource,
    /// None at the top of a tree.
    link: Option<Link>,
    /// The earliest of its own and those above it.
    deadline: Option<Instant>,
    state: Mutex<State>,
}

/// What a node knows of the one above it; the other one forgets it when this is dropped.
struct Link {
    /// None when it is being dropped.
    parent: Option<Arc<Node>>,
    /// The node's own number among the children.
    number: u64,
}

/// While it is held no code of the user's runs: wakers are called, cloned and dropped after. Nodes are
/// held one at a time but for a new child, which nobody else has.
#[derive(Default)]
struct State {
    reason: Option<CancelReason>,
    next: u64,
    children: BTreeMap<u64, Weak<Node>>,
    waiters: BTreeMap<u64, WakeTarget>,
}

impl CancelToken {
    /// Makes a token that belongs to no other.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let resource = Resource::new("CancelToken");
        Self {
            node: Arc::new(Node { resource, link: None, deadline: None, state: Mutex::default() }),
        }
    }

    /// Gives it a name for reports.
    ///
    /// # Panics
    /// When it was cloned or has children.
    #[must_use]
    #[track_caller]
    pub fn named(self, name: &'static str) -> Self {
        let node = Arc::into_inner(self.node);
        let node = node.expect("a token is named before it is cloned or has children");
        Self { node: Node { resource: node.resource.named(name), ..node }.attach() }
    }

    /// Makes a token below this one: what cancels this one cancels it, and not the other way. Below a
    /// cancelled token it is cancelled from the start.
    ///
    /// # Examples
    /// ```
    /// use parcae::task::CancelToken;
    ///
    /// let server = CancelToken::new();
    /// let (one, other) = (server.child(), server.child());
    /// one.cancel("a request was withdrawn");
    /// assert!(!server.is_cancelled() && !other.is_cancelled());
    /// server.cancel("shutting down");
    /// assert!(other.is_cancelled());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn child(&self) -> Self {
        self.child_until(Resource::new("CancelToken"), None)
    }

    /// Makes a token below this one that has a deadline too. When that has passed, on the clock of
    /// whoever looks, the token is cancelled for [`CancelReason::Deadline`], if it was not before.
    ///
    /// Deadlines need a parcae runtime: elsewhere they never pass, and waiting for one panics.
    #[must_use]
    #[track_caller]
    pub fn with_deadline(&self, deadline: Instant) -> Self {
        self.child_until(Resource::new("CancelToken"), Some(deadline))
    }

    /// Makes a token below this one that has a deadline so long from now; see
    /// [`CancelToken::with_deadline`]. Past the end of time (584 years) there is none that passes.
    ///
    /// # Panics
    /// Outside of a parcae runtime.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// use parcae::task::{CancelReason, CancelToken};
    /// use std::time::Duration;
    ///
    /// let request = CancelToken::new().with_timeout(Duration::from_secs(5));
    /// let query = request.child();
    /// assert_eq!(query.cancelled().await, CancelReason::Deadline);
    /// # }).unwrap();
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_timeout(&self, duration: Duration) -> Self {
        let resource = Resource::new("CancelToken");
        self.child_until(resource, Some(Instant::now().saturating_add(duration)))
    }

    fn child_until(&self, resource: Resource, deadline: Option<Instant>) -> Self {
        let (number, reason) = {
            let mut state = self.node.lock_now();
            state.next += 1;
            (state.next, state.reason.clone())
        };
        let node = Node {
            resource,
            link: Some(Link { parent: Some(self.node.clone()), number }),
            deadline: deadline.into_iter().chain(self.node.deadline).min(),
            state: Mutex::new(State { reason, ..State::default() }),
        };
        Self { node: node.attach() }
    }

    /// Cancels the token and all below it, and returns whether that is news: the first reason stands.
    pub fn cancel(&self, reason: impl Into<CancelReason>) -> bool {
        self.node.cancel(&reason.into())
    }

    /// Tells whether it is cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.reason().is_some()
    }

    /// Returns why it is cancelled, if it is.
    #[must_use]
    pub fn reason(&self) -> Option<CancelReason> {
        self.node.lock_now().reason.clone()
    }

    /// Returns the earliest deadline of the token and those above it.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline
    }

    /// Counts the tokens right below it that somebody holds; dropped ones are forgotten.
    #[must_use]
    pub fn child_count(&self) -> usize {
        self.node.lock().children.len()
    }

    /// Waits until it is cancelled, and returns why.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is taken.
    #[track_caller]
    pub fn cancelled(&self) -> CancelWait<'_> {
        CancelWait {
            node: &self.node,
            point: Point::new(),
            ticket: None,
            timer: None,
            at: Location::caller(),
        }
    }

    /// Runs a future until it is ready or the token is cancelled.
    ///
    /// The future is polled first: a value that is ready wins. So it is polled once under a token
    /// that was cancelled before; ask [`CancelToken::is_cancelled`] where it must not begin. A future
    /// that is cut short is dropped before the error is returned.
    ///
    /// # Errors
    /// [`Cancelled`] with the reason.
    ///
    /// # Cancel safety
    /// As cancel safe as the future itself.
    ///
    /// # Examples
    /// ```
    /// # parcae::Sim::new(7).run(|| async {
    /// let token = parcae::task::CancelToken::new();
    /// assert_eq!(token.run(async { 42 }).await.unwrap(), 42);
    /// token.cancel("enough");
    /// let error = token.run(std::future::pending::<()>()).await.unwrap_err();
    /// assert_eq!(error.to_string(), "cancelled: enough");
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn run<F: IntoFuture>(&self, future: F) -> CancelRun<'_, F::IntoFuture> {
        CancelRun { future: Some(future.into_future()), wait: self.cancelled() }
    }

    /// Returns what cancels the token when it is dropped.
    ///
    /// # Examples
    /// ```
    /// use parcae::task::{CancelReason, CancelToken};
    ///
    /// let token = CancelToken::new();
    /// let guard = token.clone().drop_guard();
    /// drop(guard);
    /// assert_eq!(token.reason(), Some(CancelReason::GuardDropped));
    /// ```
    #[must_use = "the token is cancelled when the guard is dropped"]
    pub fn drop_guard(self) -> CancelGuard {
        CancelGuard { token: Some(self) }
    }
}

impl Default for CancelToken {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without heeding a deadline: looking for a report changes nothing.
        formatter
            .debug_struct("CancelToken")
            .field("reason", &self.node.lock().reason)
            .finish_non_exhaustive()
    }
}

impl Node {
    /// Makes the node known to the one above it, which may have been cancelled since it was looked at.
    fn attach(self) -> Arc<Self> {
        let node = Arc::new(self);
        if let Some((parent, number)) = node.link() {
            let mut above = parent.lock();
            if let Some(reason) = above.reason.clone() {
                node.lock().reason.get_or_insert(reason);
            } else {
                above.children.insert(number, Arc::downgrade(&node));
            }
        }
        node
    }

    /// Returns the node above, and which of its children this one is.
    fn link(&self) -> Option<(&Arc<Self>, u64)> {
        let link = self.link.as_ref()?;
        Some((link.parent.as_ref()?, link.number))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds the state, after a deadline that has passed was heeded.
    fn lock_now(&self) -> MutexGuard<'_, State> {
        let state = self.lock();
        if state.reason.is_some() || !self.has_passed() {
            return state;
        }
        drop(state);
        self.expire();
        self.lock()
    }

    fn has_passed(&self) -> bool {
        self.deadline.is_some_and(|deadline| {
            backend::local_now_if_inside().is_some_and(|now| now >= deadline.nanos())
        })
    }

    /// Cancels all that a deadline which has passed reaches: from the highest such node on.
    fn expire(&self) {
        let mut highest = self;
        while let Some((parent, _)) = highest.link()
            && parent.has_passed()
        {
            highest = parent;
        }
        highest.cancel_tree(&CancelReason::Deadline);
    }

    /// Cancels the node and all below it, parents first; true if the node was not cancelled before.
    fn cancel(&self, reason: &CancelReason) -> bool {
        // What has passed unseen was first.
        if self.has_passed() {
            self.expire();
        }
        self.cancel_tree(reason)
    }

    fn cancel_tree(&self, reason: &CancelReason) -> bool {
        let mut wakes = Vec::new();
        let Some(below) = self.cancel_one(reason, &mut wakes) else { return false };
        let mut ahead = vec![(below, reason.clone())];
        while let Some((nodes, reason)) = ahead.last_mut() {
            let Some(node) = nodes.pop() else {
                ahead.pop();
                continue;
            };
            let Some(node) = node.upgrade() else { continue };
            let reason = if node.has_passed() { CancelReason::Deadline } else { reason.clone() };
            if let Some(below) = node.cancel_one(&reason, &mut wakes) {
                ahead.push((below, reason));
            }
        }
        // Whoever is woken finds the whole tree cancelled.
        wakes.into_iter().for_each(WakeTarget::wake);
        true
    }

    /// Cancels the node alone, and returns those right below it, the last one first; none if it was
    /// cancelled before.
    fn cancel_one(
        &self,
        reason: &CancelReason,
        wakes: &mut Vec<WakeTarget>,
    ) -> Option<Vec<Weak<Self>>> {
        let mut state = self.lock();
        if state.reason.is_some() {
            return None;
        }
        state.reason = Some(reason.clone());
        wakes.extend(std::mem::take(&mut state.waiters).into_values());
        Some(std::mem::take(&mut state.children).into_values().rev().collect())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut above = self.parent.take().map(|parent| (parent, self.number));
        while let Some((parent, number)) = above {
            let forgotten = parent.lock().children.remove(&number);
            drop(forgotten);
            // A parent that goes with its last child lets go of its own parent here, and not one call
            // deeper: the chain may be longer than the stack of the thread.
            above = Arc::into_inner(parent).and_then(|node| {
                let mut link = node.link?;
                Some((link.parent.take()?, link.number))
            });
        }
    }
}

/// Future of [`CancelToken::cancelled`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct CancelWait<'a> {
    node: &'a Node,
    point: Point,
    /// Its place among the waiters, once it has one.
    ticket: Option<u64>,
    timer: Option<Sleep>,
    at: &'static Location<'static>,
}

impl Future for CancelWait<'_> {
    type Output = CancelReason;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<CancelReason> {
        let this = self.get_mut();
        ready!(this.point.poll(context, &this.node.resource, &CANCELLED, this.at));
        // Before the state is held: a foreign waker is code of the user's.
        let target = WakeTarget::of(context.waker());
        let mut state = this.node.lock_now();
        if let Some(reason) = state.reason.clone() {
            drop(state);
            return Poll::Ready(reason);
        }
        let ticket = *this.ticket.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        let replaced = state.waiters.insert(ticket, target);
        drop(state);
        drop(replaced);
        note_wait(&this.node.resource, &CANCELLED, this.at);
        let Some(deadline) = this.node.deadline else { return Poll::Pending };
        let timer = this.timer.get_or_insert_with(|| sleep_until(deadline));
        Pin::new(timer).poll(context).map(|()| CancelReason::Deadline)
    }
}

impl Drop for CancelWait<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let target = self.node.lock().waiters.remove(&ticket);
            drop(target);
        }
    }
}

impl fmt::Debug for CancelWait<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CancelWait").finish_non_exhaustive()
    }
}

pin_project! {
    /// Future of [`CancelToken::run`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct CancelRun<'a, F> {
        // None when it has ended.
        #[pin]
        future: Option<F>,
        wait: CancelWait<'a>,
    }
}

impl<F: Future> Future for CancelRun<'_, F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(future) = this.future.as_mut().as_pin_mut()
            && let Poll::Ready(value) = future.poll(context)
        {
            this.future.set(None);
            return Poll::Ready(Ok(value));
        }
        // Preempted is not "not ready": the future has its say before the token.
        if backend::is_preempted() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let reason = ready!(Pin::new(this.wait).poll(context));
        this.future.set(None);
        Poll::Ready(Err(Cancelled { reason }))
    }
}

/// Cancels a token when it is dropped; made by [`CancelToken::drop_guard`].
#[derive(Debug)]
#[must_use = "the token is cancelled when the guard is dropped"]
pub struct CancelGuard {
    /// None when it was disarmed.
    token: Option<CancelToken>,
}

impl CancelGuard {
    /// Returns the token, which is not cancelled.
    #[must_use]
    pub fn disarm(mut self) -> CancelToken {
        self.token.take().expect("a guard has its token until it is used up")
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            token.cancel(CancelReason::GuardDropped);
        }
    }
}

/// The token was cancelled under which a future ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// Why.
    pub reason: CancelReason,
}

impl From<&'static str> for CancelReason {
    fn from(reason: &'static str) -> Self {
        Self::Requested(reason.into())
    }
}

impl From<String> for CancelReason {
    fn from(reason: String) -> Self {
        Self::Requested(reason.into())
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Requested(reason) => reason,
            Self::Deadline => "the deadline has passed",
            Self::GuardDropped => "the guard was dropped",
        })
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cancelled: {}", self.reason)
    }
}

impl std::error::Error for Cancelled {}

static CANCELLED: Verb = Verb::new("cancelled", Access::Read);
