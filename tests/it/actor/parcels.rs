//! Messages that have their place in the mailbox, and those that are too large for it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parcae::Sim;
use parcae::actor::{self, Actor, AskError, Context, Handler, Message, dead_letters};

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
        parcae::task::yield_now().await;
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
        let weight = 2 * u64::try_from(N).unwrap();
        for _ in 0..2 {
            assert_eq!(scale.ask(parcel()).await, Ok(weight));
        }
        assert_eq!(drops.load(Ordering::Relaxed), 2);
        // Dropped, in work and in the mailbox, and refused.
        scale.tell(parcel()).unwrap();
        scale.tell(parcel()).unwrap();
        let asked = parcae::spawn(scale.ask(parcel()));
        parcae::task::yield_now().await;
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
fn parcels_of_each_size_are_handled_refused_or_dropped_once() {
    send::<0>();
    send::<1>();
    send::<64>();
}
