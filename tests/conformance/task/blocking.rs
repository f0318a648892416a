//! Calls that block a thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parcae::spawn;
use parcae::sync::{Queue, oneshot};
use parcae::task::{BlockingPool, JoinError, gather, settle, unblock};
use parcae::time::sleep;

use crate::backends::is_simulated;
use crate::clock::{beats, block_thread};

conformance! {
    async fn a_blocking_call_gives_its_value() {
        assert_eq!(unblock(|| (1..=20_u64).product::<u64>()).await, 2_432_902_008_176_640_000);
    }

    async fn a_panic_of_a_blocking_call_goes_on_in_who_awaits_it() {
        let task = spawn(async { unblock(|| panic!("out of cheese")).await });
        let end: Result<(), _> = task.join().await;
        match end {
            Err(JoinError::Panicked { message, .. }) => assert_eq!(message, "out of cheese"),
            end => panic!("another end: {end:?}"),
        }
    }

    async fn other_tasks_go_on_while_a_call_blocks() {
        let (sender, receiver) = std::sync::mpsc::channel();
        // The call cannot end before another task has gone on.
        let call = spawn(unblock(move || receiver.recv()));
        settle().await;
        let other = spawn(async move { sender.send(7).unwrap() });
        other.await;
        assert_eq!(call.await, Ok(7));
    }

    async fn so_many_calls_run_at_a_time_as_the_pool_has_threads() {
        let pool = BlockingPool::threads(2).named("workers");
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let calls: Vec<_> = (0..6)
            .map(|number| {
                let (now, most) = (now.clone(), most.clone());
                pool.unblock(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    block_thread(beats(1));
                    now.fetch_sub(1, Ordering::SeqCst);
                    number
                })
            })
            .collect();
        let mut sum = 0;
        for call in calls {
            sum += call.await;
        }
        assert_eq!(sum, 15);
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    async fn calls_of_one_thread_are_made_in_the_order_in_which_they_came() {
        let pool = BlockingPool::threads(1);
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for number in 0..5 {
            let order = order.clone();
            tasks.push(spawn(pool.unblock(move || {
                block_thread(beats(1) / 10);
                order.lock().unwrap().push(number);
            })));
            settle().await; // it has come
        }
        gather(tasks).await;
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    }

    async fn a_call_that_has_not_begun_is_not_made_when_it_is_dropped() {
        let pool = BlockingPool::threads(1);
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let first = pool.unblock(|| block_thread(beats(1)));
        let second = pool.unblock(move || counter.fetch_add(1, Ordering::SeqCst));
        drop(second);
        first.await;
        // The one thread makes this one after all that came before.
        pool.unblock(|| ()).await;
        assert_eq!(made.load(Ordering::SeqCst), 0);
    }

    async fn a_call_of_a_thread_that_has_begun_is_made_though_nobody_waits() {
        let pool = BlockingPool::threads(1);
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let (sender, mut begun) = oneshot::channel::<()>();
        let mut call = Box::pin(pool.unblock(move || {
            // Nobody listens any more if the call was dropped before.
            let _ = sender.send(());
            block_thread(beats(1));
            counter.fetch_add(1, Ordering::SeqCst);
        }));
        // In the simulation a call is made at the end of its time, and begins when it is polled.
        parcae::select! {
            () = &mut call => {}
            _ = &mut begun => {}
            () = settle(), if is_simulated() => {}
        }
        drop(call);
        pool.unblock(|| ()).await;
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    /// In production they are threads, which cannot be killed.
    async fn a_process_is_killed_when_nobody_waits_where_there_are_processes() {
        let pool = BlockingPool::processes(1);
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let (sender, begun) = oneshot::channel::<()>();
        let call = spawn(pool.unblock(move || {
            let _ = sender.send(());
            block_thread(beats(1));
            counter.fetch_add(1, Ordering::SeqCst);
        }));
        settle().await;
        if is_simulated() {
            drop(call);
            pool.unblock(|| ()).await;
            assert_eq!(made.load(Ordering::SeqCst), 0);
        } else {
            begun.await.unwrap();
            drop(call);
            while made.load(Ordering::SeqCst) == 0 {
                sleep(beats(1)).await;
            }
        }
    }

    async fn a_clone_of_a_pool_is_the_same_pool() {
        let pool = BlockingPool::threads(1);
        let clone = pool.clone();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let push = |number: u32| {
            let order = order.clone();
            move || order.lock().unwrap().push(number)
        };
        let one = spawn(pool.unblock(push(1)));
        settle().await;
        let two = clone.unblock(push(2));
        two.await;
        one.await;
        assert_eq!(*order.lock().unwrap(), [1, 2]);
    }

    async fn a_blocking_call_may_hand_values_to_tasks() {
        let queue = Queue::unbounded();
        let items = queue.clone();
        let call = unblock(move || {
            for item in 0..3 {
                items.try_put(item).unwrap();
            }
            items.close();
        });
        let consumer = spawn(async move {
            let mut sum = 0;
            while let Ok(item) = queue.get().await {
                sum += item;
            }
            sum
        });
        call.await;
        assert_eq!(consumer.await, 3);
    }

    async fn a_task_that_waits_for_a_call_is_cancelled_at_once() {
        let task = spawn(async { unblock(|| block_thread(beats(2))).await });
        settle().await;
        assert_eq!(task.cancel().await, None);
        sleep(beats(3)).await;
    }
}
