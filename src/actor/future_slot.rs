//! Memory of messages and of the futures that handle them, with unsafe code.
//!
//! An actor handles one message at a time, so the futures of its handlers can take turns in one piece of
//! memory; and most messages are small, so that they have a place in the mailbox itself. So a message
//! costs no allocation, where a `Box<dyn Future>` and one of its envelope would make it two.
//!
//! ```text
//!   slot:    free -> a future lives in it -> dropped, at its end or before -> free
//!   message: sealed -> handled, refused or dropped
//! ```
#![expect(
    unsafe_code,
    reason = "what is placed in memory of ours is moved out and dropped by hand"
)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use super::behaviour::Actor;
use super::context::Context as ActorContext;
use super::envelope::{Envelope, Handling};
use super::error::AskError;

/// The memory. It has room for the largest future that was in it.
pub(crate) struct FutureSlot {
    /// Null before the first one that needs any.
    memory: Option<NonNull<u8>>,
    /// What it was allocated with; 0 and 1 where there is none.
    size: u32,
    align: u32,
}

impl FutureSlot {
    pub(crate) const fn new() -> Self {
        Self { memory: None, size: 0, align: 1 }
    }

    /// Puts a future into the memory, until what is returned is dropped.
    #[inline]
    pub(crate) fn place<'a, F, T>(&'a mut self, future: F) -> Placed<'a, T>
    where
        F: Future<Output = T> + 'a,
    {
        let wanted = Layout::new::<F>();
        if wanted.size() > self.size as usize || wanted.align() > self.align as usize {
            self.grow(wanted);
        }
        let place = match self.memory {
            Some(memory) => memory.cast::<F>(),
            // Of size 0, and of an alignment that dangling has.
            None => NonNull::dangling(),
        };
        // SAFETY: The memory has the size and the alignment of `F` (it was made for the greatest of
        // both), or `F` has size 0 and the pointer is aligned. Nothing lives in it: what `place`
        // returned before borrowed this slot as unique, and has been dropped, or leaked and is never
        // used again.
        unsafe { place.write(future) };
        let future: NonNull<dyn Future<Output = T> + 'a> = place;
        Placed { future, slot: PhantomData }
    }

    #[cold]
    fn grow(&mut self, wanted: Layout) {
        let size = wanted.size().max(self.size as usize).max(SIZE_MIN);
        let align = wanted.align().max(self.align as usize).max(ALIGN_MIN);
        let layout = layout_of(size, align);
        let fits = "a future has less than 4 GiB";
        let (size, align) = (u32::try_from(size).expect(fits), u32::try_from(align).expect(fits));
        self.release();
        // SAFETY: The size is not 0, being `SIZE_MIN` at least.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        (self.memory, self.size, self.align) = (Some(memory), size, align);
    }

    fn release(&mut self) {
        if let Some(memory) = self.memory.take() {
            let layout = layout_of(self.size as usize, self.align as usize);
            // SAFETY: It was allocated with this layout, and taken out, so that it is freed once. No
            // future lives in it, because that would borrow the slot.
            unsafe { dealloc(memory.as_ptr(), layout) };
            (self.size, self.align) = (0, 1);
        }
    }
}

impl Drop for FutureSlot {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for FutureSlot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FutureSlot").field("size", &self.size).finish()
    }
}

fn layout_of(size: usize, align: usize) -> Layout {
    match Layout::from_size_align(size, align) {
        Ok(layout) => layout,
        Err(_) => unreachable!("a type has this size, and another this alignment"),
    }
}

/// A future in a [`FutureSlot`].
pub(crate) struct Placed<'a, T> {
    future: NonNull<dyn Future<Output = T> + 'a>,
    slot: PhantomData<&'a mut FutureSlot>,
}

impl<T> Future for Placed<'_, T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // SAFETY: The future lives where this points to, until this is dropped, and this is its only
        // pointer, borrowed as unique.
        let future = unsafe { self.future.as_mut() };
        // SAFETY: It stays where it is until it is dropped: the memory is not moved, freed or used
        // again while this borrows the slot, and nothing hands the future out. If this is leaked, the
        // memory may be used again although the future was not dropped; that is why `Placed` is not
        // handed to code that could leak it: only the loop of an actor has one, in its own future.
        let future = unsafe { Pin::new_unchecked(future) };
        future.poll(context)
    }
}

impl<T> Drop for Placed<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The future lives there and is dropped once, here.
        unsafe { self.future.drop_in_place() };
    }
}

/// A message to an actor of this type, in its envelope: in place if it is small.
pub(crate) struct Sealed<A: Actor> {
    table: &'static Table<A>,
    /// An envelope of the type that the table is for.
    content: MaybeUninit<Words>,
}

/// What can be done with an envelope of one type. Each function is given where one lives; all but `view` take
/// it out, so that nothing lives there afterwards.
struct Table<A: Actor> {
    view: unsafe fn(*const Words) -> *const dyn Envelope<A>,
    handle: Handle<A>,
    refuse: unsafe fn(*mut Words, AskError),
    drop: unsafe fn(*mut Words),
}

type Handle<A> = for<'a> unsafe fn(
    *mut Words,
    &'a mut A,
    &'a mut ActorContext<A>,
    &'a mut FutureSlot,
) -> Handling<'a, A>;

// SAFETY: All that it holds is an envelope, and every envelope is `Send`.
unsafe impl<A: Actor> Send for Sealed<A> {}

impl<A: Actor> Sealed<A> {
    /// Puts an envelope in place, or into a box if it is too large.
    #[inline]
    pub(crate) fn new<E: Envelope<A> + 'static>(envelope: E) -> Self {
        if fits::<E>() { Self::in_place(envelope) } else { Self::in_place(Box::new(envelope)) }
    }

    #[inline]
    fn in_place<E: Envelope<A> + 'static>(envelope: E) -> Self {
        assert!(fits::<E>(), "a pointer has a place");
        let mut content = MaybeUninit::<Words>::uninit();
        // SAFETY: It has the size and the alignment of `E` or more, as was just checked.
        unsafe { content.as_mut_ptr().cast::<E>().write(envelope) };
        Self { table: Table::of::<E>(), content }
    }

    #[inline]
    fn view(&self) -> &dyn Envelope<A> {
        // SAFETY: An envelope of the table's type lives there.
        let view = unsafe { (self.table.view)(self.content.as_ptr()) };
        // SAFETY: It lives as long as this, which is borrowed.
        unsafe { &*view }
    }

    /// Returns what reports and faults call it.
    pub(crate) fn kind(&self) -> &'static str {
        self.view().kind()
    }

    pub(crate) fn message(&self) -> &dyn fmt::Debug {
        self.view().message()
    }

    /// Begins to handle it.
    #[inline]
    pub(crate) fn handle<'a>(
        self,
        actor: &'a mut A,
        context: &'a mut ActorContext<A>,
        slot: &'a mut FutureSlot,
    ) -> Handling<'a, A> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: An envelope of the table's type lives there, and what it leaves is never dropped.
        unsafe { (this.table.handle)(this.content.as_mut_ptr(), actor, context, slot) }
    }

    /// Lets whoever asked know that there will be no answer.
    pub(crate) fn refuse(self, error: AskError) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: An envelope of the table's type lives there, and what it leaves is never dropped.
        unsafe { (this.table.refuse)(this.content.as_mut_ptr(), error) }
    }
}

impl<A: Actor> Drop for Sealed<A> {
    fn drop(&mut self) {
        // SAFETY: An envelope of the table's type lives there: `handle` and `refuse`, which take it out,
        // forget this.
        unsafe { (self.table.drop)(self.content.as_mut_ptr()) }
    }
}

impl<A: Actor> fmt::Debug for Sealed<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sealed").field(&self.kind()).finish()
    }
}

impl<A: Actor> Table<A> {
    #[inline]
    fn of<E: Envelope<A> + 'static>() -> &'static Self {
        const {
            &Self {
                view: view::<A, E>,
                handle: handle::<A, E>,
                refuse: refuse::<A, E>,
                drop: drop_in::<E>,
            }
        }
    }
}

/// # Safety
/// An `E` lives there.
unsafe fn view<A: Actor, E: Envelope<A> + 'static>(place: *const Words) -> *const dyn Envelope<A> {
    place.cast::<E>()
}

/// # Safety
/// An `E` lives there, and nobody uses it after.
unsafe fn handle<'a, A: Actor, E: Envelope<A> + 'static>(
    place: *mut Words,
    actor: &'a mut A,
    context: &'a mut ActorContext<A>,
    slot: &'a mut FutureSlot,
) -> Handling<'a, A> {
    // SAFETY: The caller says so.
    let envelope = unsafe { place.cast::<E>().read() };
    envelope.handle(actor, context, slot)
}

/// # Safety
/// An `E` lives there, and nobody uses it after.
unsafe fn refuse<A: Actor, E: Envelope<A> + 'static>(place: *mut Words, error: AskError) {
    // SAFETY: The caller says so.
    let envelope = unsafe { place.cast::<E>().read() };
    envelope.refuse(error);
}

/// # Safety
/// An `E` lives there, and nobody uses it after.
unsafe fn drop_in<E>(place: *mut Words) {
    // SAFETY: The caller says so.
    unsafe { place.cast::<E>().drop_in_place() }
}

/// Tells whether values of a type can be kept in place.
const fn fits<E>() -> bool {
    size_of::<E>() <= size_of::<Words>() && align_of::<E>() <= align_of::<Words>()
}

/// Room for an ask whose message is a number, and for most of what is told: a place in the mailbox has 64 bytes then.
type Words = [usize; 5];

/// Room for most handlers, so that it is rarely made anew.
const SIZE_MIN: usize = 128;
const ALIGN_MIN: usize = 16;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use super::FutureSlot;

    /// Counts its drops.
    struct Counted(Rc<Cell<u32>>);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn futures_take_turns_and_each_is_dropped_once() {
        let drops = Rc::new(Cell::new(0));
        let mut slot = FutureSlot::new();
        let mut context = Context::from_waker(Waker::noop());
        for round in 0..3_u8 {
            let number = u64::from(round);
            let counted = Counted(drops.clone());
            // Of another size in each round, larger than what there is in the last.
            let filler = vec![[0_u64; 4]; round.into()];
            let large = [number; 64];
            {
                let mut placed = pin!(slot.place(async move {
                    let _counted = counted;
                    ready(()).await;
                    filler.len() as u64 + large[63]
                }));
                let expected = Poll::Ready(2 * number);
                assert_eq!(placed.as_mut().poll(&mut context), expected);
            }
            assert_eq!(drops.get(), 2 * u32::from(round) + 1);
            let counted = Counted(drops.clone());
            {
                let waiting = async move {
                    let _counted = counted;
                    pending::<()>().await;
                };
                assert_eq!(pin!(slot.place(waiting)).poll(&mut context), Poll::Pending);
            }
            assert_eq!(drops.get(), 2 * u32::from(round) + 2);
        }
        assert_eq!(pin!(slot.place(ready(7))).poll(&mut context), Poll::Ready(7));
    }

    #[test]
    fn a_future_of_no_size_and_one_of_a_large_alignment_have_a_place() {
        #[repr(align(64))]
        struct Wide(u8);
        let mut slot = FutureSlot::new();
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(pin!(slot.place(pending::<()>())).poll(&mut context), Poll::Pending);
        let wide = Wide(3);
        let wide = async move {
            let place = std::ptr::from_ref(&wide).addr();
            (wide.0, place % 64)
        };
        assert_eq!(pin!(slot.place(wide)).poll(&mut context), Poll::Ready((3, 0)));
    }

    /// Messages that have their place in the mailbox, and those that are too large for it.
    #[cfg(feature = "simulation")]
    mod messages {
        use std::convert::Infallible;
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU32, Ordering};

        use crate::Sim;
        use crate::actor::{self, Actor, AskError, Context, Handler, Message, dead_letters};

        #[derive(Debug)]
        struct Parcel<const N: usize> {
            words: [u64; N],
            drops: Arc<AtomicU32>,
        }

        impl<const N: usize> Drop for Parcel<N> {
            fn drop(&mut self) {
                self.drops.fetch_add(1, Ordering::Relaxed);
            }
        }

        impl<const N: usize> Message for Parcel<N> {
            type Reply = u64;
        }

        struct Scale;

        impl Actor for Scale {
            type Args = ();
            type Error = Infallible;

            async fn start((): (), _: &mut Context<Self>) -> Result<Self, Infallible> {
                Ok(Self)
            }
        }

        impl<const N: usize> Handler<Parcel<N>> for Scale {
            async fn handle(
                &mut self,
                parcel: Parcel<N>,
                _: &mut Context<Self>,
            ) -> Result<u64, Infallible> {
                crate::task::yield_now().await;
                Ok(parcel.words.iter().sum())
            }
        }

        fn send<const N: usize>() {
            let drops = Arc::new(AtomicU32::new(0));
            let counted = drops.clone();
            let program = move || async move {
                let parcel = || Parcel::<N> { words: [2; N], drops: drops.clone() };
                let scale = actor::spawn::<Scale>(());
                // Handled, twice: its future has the place of the last one.
                let weight = 2 * u64::try_from(N).expect("it is small");
                for _ in 0..2 {
                    assert_eq!(scale.ask(parcel()).await, Ok(weight));
                }
                assert_eq!(drops.load(Ordering::Relaxed), 2);
                // Dropped, in work and in the mailbox, and refused.
                scale.tell(parcel()).expect("there is room");
                scale.tell(parcel()).expect("there is room");
                let asked = crate::spawn(scale.ask(parcel()));
                crate::task::yield_now().await;
                scale.kill();
                scale.exited().await;
                assert!(matches!(asked.await, Err(AskError::Died(_) | AskError::NoProc)));
                let refused = scale.tell(parcel()).expect_err("it has ended");
                assert_eq!(drops.load(Ordering::Relaxed), 5);
                drop((refused, dead_letters().take()));
            };
            Sim::new(7).run(program).unwrap();
            assert_eq!(counted.load(Ordering::Relaxed), 6);
        }

        #[test]
        fn of_each_size_are_handled_refused_or_dropped_once() {
            send::<0>();
            send::<1>();
            send::<64>();
        }
    }
}
