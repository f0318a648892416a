use parcae::sync::{LifoQueue, TryGetError};

use super::Hand;
use super::queue_kinds::on_300_seeds;

#[test]
fn the_last_item_goes_first() {
    on_300_seeds(|| async {
        let queue = LifoQueue::bounded(4);
        for item in [1, 3, 2] {
            queue.put(item).await.unwrap();
        }
        assert_eq!([(); 3].map(|()| queue.try_get()), [Ok(2), Ok(3), Ok(1)]);
    });
}

#[test]
fn a_getter_takes_the_last_item_there_is_when_it_runs() {
    let queue = LifoQueue::unbounded();
    let mut first = Hand::waiting(queue.get());
    let mut second = Hand::waiting(queue.get());
    for item in [1, 2, 3] {
        queue.try_put(item).unwrap();
    }
    assert_eq!((first.wake_count(), second.wake_count()), (1, 1));
    assert_eq!(queue.try_get(), Ok(3), "the third item is nobody's, and the last is taken");
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    assert_eq!(second.ready(), Ok(2));
    assert_eq!(first.ready(), Ok(1));
}

#[test]
fn waiters_are_served_in_the_order_of_their_arrival() {
    let queue = LifoQueue::unbounded();
    let mut first = Hand::waiting(queue.get());
    let mut second = Hand::waiting(queue.get());
    queue.try_put(1).unwrap();
    assert_eq!((first.wake_count(), second.wake_count()), (1, 0));
    assert!(second.poll().is_pending());
    assert_eq!(first.ready(), Ok(1));
    drop(first);
    queue.try_put(2).unwrap();
    assert_eq!(second.ready(), Ok(2));
}

#[test]
fn puts_are_let_in_in_the_order_of_their_arrival() {
    let queue = LifoQueue::bounded(1);
    queue.try_put(0).unwrap();
    let mut first = Hand::waiting(queue.put(1));
    let mut second = Hand::waiting(queue.put(2));
    assert_eq!(queue.try_get(), Ok(0));
    assert!(second.poll().is_pending());
    first.ready().unwrap();
    assert_eq!(queue.try_get(), Ok(1));
    second.ready().unwrap();
}
