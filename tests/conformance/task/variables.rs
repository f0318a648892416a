//! Variables of tasks.

use std::future::pending;

use parcae::spawn;
use parcae::task::{Builder, ContextVar, settle, yield_now};
use parcae::time::call_after;

use crate::clock::beats;
use crate::journal::Journal;

static REQUEST: ContextVar<u32> = ContextVar::new(|| 0);
static TENANT: ContextVar<String> = ContextVar::new(|| "nobody".to_owned());

conformance! {
    async fn a_task_begins_with_the_variables_of_its_maker() {
        assert_eq!((REQUEST.get(), TENANT.get()), (0, "nobody".to_owned()));
        REQUEST.set(17);
        let child = spawn(async { (REQUEST.get(), TENANT.get()) });
        REQUEST.set(18);
        assert_eq!(child.await, (17, "nobody".to_owned()));
    }

    async fn what_a_task_sets_does_not_reach_its_maker() {
        REQUEST.set(17);
        spawn(async { REQUEST.set(18) }).await;
        assert_eq!(REQUEST.get(), 17);
    }

    async fn tasks_that_take_turns_each_see_their_own() {
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                spawn(async move {
                    REQUEST.set(number);
                    for _ in 0..5 {
                        yield_now().await;
                        assert_eq!(REQUEST.get(), number);
                    }
                    REQUEST.get()
                })
            })
            .collect();
        for (number, task) in (0..).zip(tasks) {
            assert_eq!(task.await, number);
        }
    }

    async fn a_scope_is_seen_inside_of_it_and_ends_with_it() {
        REQUEST.set(1);
        let inner = REQUEST.scope(2, async {
            yield_now().await;
            let seen = REQUEST.get();
            REQUEST.set(3);
            (seen, REQUEST.get(), spawn(async { REQUEST.get() }).await)
        });
        assert_eq!(inner.await, (2, 3, 3));
        assert_eq!(REQUEST.get(), 1);
    }

    async fn a_scope_is_seen_by_the_destructors_of_what_it_awaits() {
        struct Witness(Journal<u32>);
        impl Drop for Witness {
            fn drop(&mut self) {
                self.0.add(REQUEST.get());
            }
        }
        let journal = Journal::new();
        let witness = Witness(journal.clone());
        let task = spawn(REQUEST.scope(7, async move {
            let _witness = witness;
            pending::<()>().await;
        }));
        settle().await;
        task.cancel().await;
        assert_eq!(journal.take(), [7]);
    }

    async fn eager_tasks_and_calls_have_variables_too() {
        REQUEST.set(5);
        let journal = Journal::new();
        let entries = journal.clone();
        let eager = Builder::new().eager().spawn(async {
            let seen = REQUEST.get();
            REQUEST.set(6);
            seen
        });
        assert_eq!((eager.await, REQUEST.get()), (5, 5));
        drop(call_after(beats(1), move || entries.add(REQUEST.get())));
        REQUEST.set(9);
        parcae::time::sleep(beats(2)).await;
        assert_eq!(journal.take(), [5]);
    }

    async fn the_destructor_of_a_value_that_is_replaced_may_look_at_variables() {
        #[derive(Clone)]
        struct Reader;
        impl Drop for Reader {
            fn drop(&mut self) {
                assert_eq!(REQUEST.get(), 7);
            }
        }
        static READER: ContextVar<Option<Reader>> = ContextVar::new(|| None);
        REQUEST.set(7);
        READER.set(Some(Reader));
        READER.set(None);
        assert_eq!(REQUEST.get(), 7);
    }
}
