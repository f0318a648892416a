//! Wakers that do more than to note that they were woken: they run the task at once, or use what they
//! were given for. That is code of the user's: none of it runs while the state of a primitive is held.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Poll, Wake, Waker};

use parcae::sync::{
    Barrier, Condition, Event, Mutex, Notify, OnceCell, Queue, RwLock, Semaphore, broadcast,
    oneshot, watch,
};

type Waits = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task that runs inside of the call that wakes it.
struct AtOnce {
    /// None when it has ended. Locked while it runs.
    future: StdMutex<Option<Waits>>,
    is_woken: AtomicBool,
}

impl AtOnce {
    /// Runs a task as far as it gets.
    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let future: Waits = Box::pin(future);
        let (future, is_woken) = (StdMutex::new(Some(future)), AtomicBool::new(false));
        let task = Arc::new(Self { future, is_woken });
        Waker::from(task.clone()).wake();
        task
    }

    fn has_ended(&self) -> bool {
        self.future.try_lock().expect("it does not run").is_none()
    }
}

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        // If it runs already, it runs once more after that.
        while let Ok(mut future) = self.future.try_lock() {
            let Some(running) =
                future.as_mut().filter(|_| self.is_woken.swap(false, Ordering::SeqCst))
            else {
                return;
            };
            let waker = Waker::from(self.clone());
            if running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *future = None;
            }
        }
    }
}

/// So many tasks of one kind, each run as far as it gets.
fn spawn_all<F>(count: usize, make: impl Fn(usize) -> F) -> Vec<Arc<AtOnce>>
where
    F: Future<Output = ()> + Send + 'static,
{
    (0..count).map(|number| AtOnce::spawn(make(number))).collect()
}

#[track_caller]
fn assert_all_ended(tasks: &[Arc<AtOnce>]) {
    let ended: Vec<_> = tasks.iter().map(|task| task.has_ended()).collect();
    assert!(ended.iter().all(|ended| *ended), "{ended:?}");
}

#[test]
fn what_is_held_goes_from_task_to_task_when_each_runs_at_once() {
    let lock = Arc::new(Mutex::new(Vec::new()));
    let guard = lock.try_lock().unwrap();
    let tasks = spawn_all(5, |number| {
        let lock = lock.clone();
        async move {
            for round in 0..2 {
                lock.lock().await.push((round, number));
            }
        }
    });
    drop(guard);
    assert_all_ended(&tasks);
    assert_eq!(lock.try_lock().unwrap().len(), 10);

    let slots = Arc::new(Semaphore::new(3));
    let permit = slots.try_acquire_many(3).unwrap();
    let tasks = spawn_all(8, |number| {
        let slots = slots.clone();
        async move { drop(slots.acquire_many_owned(number % 4).await.unwrap()) }
    });
    drop(permit);
    assert_all_ended(&tasks);
    assert_eq!(slots.available_permits(), 3);

    let lock = Arc::new(RwLock::new(0));
    let guard = lock.try_write().unwrap();
    let tasks = spawn_all(8, |number| {
        let lock = lock.clone();
        async move {
            if number % 3 == 0 {
                let mut guard = lock.write().await;
                *guard += 1;
                drop(guard.downgrade());
            } else {
                let _guard = lock.read().await;
            }
        }
    });
    drop(guard.downgrade());
    assert_all_ended(&tasks);
    assert_eq!(*lock.try_write().unwrap(), 3);
}

#[test]
fn rounds_conditions_and_cells_go_on_when_each_task_runs_at_once() {
    let barrier = Arc::new(Barrier::new(3));
    let leaders = Arc::new(AtomicUsize::new(0));
    let tasks = spawn_all(3, |_| {
        let (barrier, leaders) = (barrier.clone(), leaders.clone());
        async move {
            for _ in 0..3 {
                let result = barrier.wait().await.unwrap();
                leaders.fetch_add(usize::from(result.is_leader()), Ordering::SeqCst);
            }
        }
    });
    assert_all_ended(&tasks);
    assert_eq!((leaders.load(Ordering::SeqCst), barrier.n_waiting()), (3, 0));

    let shelf = Arc::new((Mutex::new(0), Condition::new()));
    let tasks = spawn_all(4, |_| {
        let shelf = shelf.clone();
        async move {
            let guard = shelf.0.lock().await;
            *shelf.1.wait_for(guard, |count| *count > 0).await -= 1;
        }
    });
    let mut guard = shelf.0.try_lock().unwrap();
    *guard = 3;
    shelf.1.notify_all();
    drop(guard);
    assert_eq!(tasks.iter().filter(|task| task.has_ended()).count(), 3);
    *shelf.0.try_lock().unwrap() += 1;
    shelf.1.notify_one();
    assert_all_ended(&tasks);

    let (cell, start) = (Arc::new(OnceCell::new()), Arc::new(Event::new()));
    let tasks = spawn_all(4, |number| {
        let (cell, start) = (cell.clone(), start.clone());
        async move {
            let make = async || {
                start.wait().await;
                if number < 2 { Err(number) } else { Ok(number) }
            };
            let _made = cell.get_or_try_init(make).await;
            if number == 3 {
                cell.wait().await;
            }
        }
    });
    start.set();
    assert_all_ended(&tasks);
    assert_eq!(cell.get(), Some(&2));
}

#[test]
fn values_go_from_task_to_task_when_each_runs_at_once() {
    let queue = Queue::<usize>::bounded(1);
    let received = Arc::new(StdMutex::new(Vec::new()));
    let mut tasks = spawn_all(2, |_| {
        let (queue, received) = (queue.clone(), received.clone());
        async move {
            while let Ok(job) = queue.get_job().await {
                let item = job.done();
                received.lock().unwrap().push(item);
            }
        }
    });
    tasks.extend(spawn_all(2, |number| {
        let queue = queue.clone();
        async move {
            for item in 0..5 {
                queue.put(number * 5 + item).await.unwrap();
            }
            queue.join().await;
        }
    }));
    assert_eq!(tasks.iter().filter(|task| task.has_ended()).count(), 2);
    queue.close();
    assert_all_ended(&tasks);
    assert_eq!(received.lock().unwrap().len(), 10);

    let (request, asked) = oneshot::channel::<oneshot::Sender<usize>>();
    let server = AtOnce::spawn(async move { asked.await.unwrap().send(7).unwrap() });
    let client = AtOnce::spawn(async move {
        let (sender, answer) = oneshot::channel();
        request.send(sender).unwrap();
        assert_eq!(answer.await, Ok(7));
    });
    assert_all_ended(&[server, client]);

    let notify = Arc::new(Notify::new());
    let tasks = spawn_all(4, |_| {
        let notify = notify.clone();
        async move {
            notify.notified().await;
            // The next runs inside of this.
            notify.notify_one();
        }
    });
    notify.notify_one();
    assert_all_ended(&tasks);
}

#[test]
fn who_watches_or_listens_may_answer_when_it_runs_at_once() {
    let (sender, receiver) = watch::channel(0);
    let sender = Arc::new(sender);
    let tasks = spawn_all(3, |number| {
        let (sender, mut receiver) = (sender.clone(), receiver.clone());
        async move {
            if number > 0 {
                receiver.wait_for(|value| *value == 4).await.unwrap();
                return;
            }
            loop {
                receiver.changed().await.unwrap();
                let value = *receiver.borrow_and_update();
                match value {
                    4 => return,
                    // While whoever changed it before still wakes the others.
                    1 | 3 => sender.send(value + 1).unwrap(),
                    _ => {}
                }
            }
        }
    });
    sender.send(1).unwrap();
    sender.send(3).unwrap();
    assert_all_ended(&tasks);

    let (sender, receiver) = broadcast::channel(8);
    let tasks = spawn_all(3, |number| {
        let (sender, mut receiver) = (sender.clone(), receiver.resubscribe());
        async move {
            let mut sum = 0;
            while sum < 3 {
                sum += receiver.recv().await.unwrap();
                if number == 0 && sum < 3 {
                    sender.send(1).unwrap();
                }
            }
        }
    });
    drop(receiver);
    sender.send(1).unwrap();
    assert_all_ended(&tasks);
    assert_eq!((sender.receiver_count(), sender.len()), (0, 0));
}

/// Calls a function when it is woken and when it is dropped.
struct Touching(Box<dyn Fn() + Send + Sync>);

impl Wake for Touching {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

impl Drop for Touching {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Lets a future wait with such a waker, and with another one; then ends what it waits for, or the
/// future.
#[track_caller]
fn touch<P: Send + Sync + 'static>(make: fn() -> (Arc<P>, Waits), touch: fn(&P), end: fn(&P)) {
    for has_end in [true, false] {
        let (shared, mut future) = make();
        let touches = Arc::new(AtomicUsize::new(0));
        let mut poll = || {
            let (shared, touches) = (shared.clone(), touches.clone());
            let touching = Touching(Box::new(move || {
                touch(&shared);
                touches.fetch_add(1, Ordering::SeqCst);
            }));
            let waker = Waker::from(Arc::new(touching));
            future.as_mut().poll(&mut Context::from_waker(&waker))
        };
        assert!(poll().is_pending());
        assert_eq!(touches.load(Ordering::SeqCst), 0, "it is kept");
        assert!(poll().is_pending());
        assert_eq!(touches.load(Ordering::SeqCst), 1, "the first one was dropped");
        if has_end {
            end(&shared);
            assert_eq!(touches.load(Ordering::SeqCst), 3, "the second one was woken and dropped");
            assert!(matches!(poll(), Poll::Ready(())));
        } else {
            drop(future);
            assert_eq!(touches.load(Ordering::SeqCst), 2, "the second one was dropped");
        }
    }
}

/// Something, and a future that waits for it.
fn waiting<P: Send + Sync + 'static, F>(shared: P, wait: fn(Arc<P>) -> F) -> (Arc<P>, Waits)
where
    F: Future<Output = ()> + Send + 'static,
{
    let shared = Arc::new(shared);
    let future = Box::pin(wait(shared.clone()));
    (shared, future)
}

#[test]
fn a_waker_may_use_the_lock_that_it_waits_for() {
    touch(
        || {
            waiting(Semaphore::new(0), |slots| async move {
                slots.acquire().await.unwrap().forget();
            })
        },
        |slots| drop(slots.try_acquire()),
        |slots| slots.add_permits(1),
    );
    touch(
        || waiting(Event::new(), |event| async move { event.wait().await }),
        |event| assert!(event.is_set() || !event.is_set()),
        Event::set,
    );
    touch(
        || waiting(Notify::new(), |notify| async move { notify.notified().await }),
        |notify| drop(format!("{notify:?}")),
        Notify::notify_one,
    );
    touch(
        || {
            waiting(
                Barrier::new(2),
                |barrier| async move { assert!(barrier.wait().await.is_err()) },
            )
        },
        |barrier| assert!(barrier.n_waiting() < 2),
        Barrier::abort,
    );
    touch(
        || waiting(OnceCell::new(), |cell| async move { assert_eq!(*cell.wait().await, 1) }),
        |cell| assert!(cell.get().is_none_or(|value| *value == 1)),
        |cell| cell.set(1).unwrap(),
    );
    touch(
        || {
            waiting((Mutex::new(0), Condition::new()), |shared| async move {
                drop(shared.1.wait(shared.0.try_lock().unwrap()).await);
            })
        },
        |(mutex, condition)| {
            condition.notify(0);
            drop(mutex.try_lock());
        },
        |(_, condition)| condition.notify_one(),
    );
}

#[test]
fn a_waker_may_use_the_channel_that_it_waits_for() {
    touch(
        || {
            waiting(Queue::bounded(1), |queue| async move {
                assert_eq!(queue.get().await, Ok(1));
            })
        },
        |queue| assert!(queue.try_get().is_err() || queue.is_empty()),
        |queue| queue.try_put(1).unwrap(),
    );
    touch(
        || {
            let (sender, receiver) = oneshot::channel();
            let future = Box::pin(async move { assert_eq!(receiver.await, Ok(1)) });
            (Arc::new(StdMutex::new(Some(sender))), future)
        },
        |sender| {
            if let Ok(mut sender) = sender.try_lock() {
                assert!(sender.as_mut().is_none_or(|sender| !sender.is_closed()));
            }
        },
        |sender| sender.try_lock().unwrap().take().unwrap().send(1).unwrap(),
    );
    touch(
        || {
            let (sender, mut receiver) = watch::channel(0);
            let wait = async move { drop(receiver.wait_for(|value| *value == 1).await.unwrap()) };
            (Arc::new(sender), Box::pin(wait))
        },
        |sender| assert!(*sender.borrow() < 2 && !sender.send_if_modified(|_| false)),
        |sender| assert_eq!(sender.send_replace(1), 0),
    );
    touch(
        || {
            let (sender, mut receiver) = broadcast::channel(2);
            let wait = async move { assert_eq!(receiver.recv().await, Ok(1)) };
            (Arc::new(sender), Box::pin(wait))
        },
        |sender| assert!(sender.len() < 2),
        |sender| assert_eq!(sender.send(1), Ok(1)),
    );
}
