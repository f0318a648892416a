//! Queues in other orders.

use std::cmp::Reverse;

use parcae::spawn;
use parcae::sync::{GetError, LifoQueue, PriorityQueue};
use parcae::task::settle;

conformance! {
    async fn the_last_item_is_taken_first() {
        let stack = LifoQueue::unbounded();
        for item in 1..=3 {
            stack.put(item).await.unwrap();
        }
        assert_eq!(stack.get().await, Ok(3));
        stack.put(4).await.unwrap();
        assert_eq!((stack.get().await, stack.get().await), (Ok(4), Ok(2)));
    }

    async fn the_least_item_is_taken_first_and_of_equals_the_one_that_was_put_first() {
        let queue = PriorityQueue::unbounded();
        #[derive(Debug, PartialEq, Eq)]
        struct Job(u32, &'static str);
        impl Ord for Job {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.cmp(&other.0)
            }
        }
        impl PartialOrd for Job {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        for job in [Job(2, "a"), Job(1, "b"), Job(2, "c"), Job(1, "d")] {
            queue.put(job).await.unwrap();
        }
        let mut names = Vec::new();
        queue.close();
        while let Ok(Job(_, name)) = queue.get().await {
            names.push(name);
        }
        assert_eq!(names, ["b", "d", "a", "c"]);
    }

    async fn reverse_turns_the_order_round() {
        let queue = PriorityQueue::unbounded();
        for number in [1, 3, 2] {
            queue.put(Reverse(number)).await.unwrap();
        }
        assert_eq!(queue.get().await, Ok(Reverse(3)));
    }

    async fn both_keep_their_bounds_and_ends() {
        let (stack, heap) = (LifoQueue::bounded(1), PriorityQueue::bounded(1));
        stack.put(1).await.unwrap();
        heap.put(1).await.unwrap();
        let blocked = spawn({
            let (stack, heap) = (stack.clone(), heap.clone());
            async move {
                stack.put(2).await.unwrap();
                heap.put(0).await.unwrap();
            }
        });
        settle().await;
        assert!(!blocked.is_finished());
        assert_eq!(stack.get().await, Ok(1));
        assert_eq!(heap.get().await, Ok(1));
        blocked.await;
        assert_eq!((stack.get().await, heap.get().await), (Ok(2), Ok(0)));
        stack.close();
        heap.close();
        assert_eq!(stack.get().await, Err(GetError::Closed));
        assert_eq!(heap.get().await, Err(GetError::Closed));
    }
}
