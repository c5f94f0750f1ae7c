//! A bounded queue with one consumer, which takes all that has gathered in one go.
//!
//! That is the whole of group commit: while one batch is on its way to the disk, the next gathers.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

/// The queue. Producers wait while it is full.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    drained: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    /// An empty queue in which producers wait once `capacity` items have gathered.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State { items: VecDeque::new(), closed: false }),
            filled: Condvar::new(),
            drained: Condvar::new(),
            capacity,
        }
    }

    /// Adds an item; waits for room unless `urgent`, which the consumer itself must say. Gives the item
    /// back when the queue is closed.
    pub(crate) fn push(&self, item: T, urgent: bool) -> Result<(), T> {
        let mut state = self.state.lock();
        while !urgent && !state.closed && state.items.len() >= self.capacity {
            self.drained.wait(&mut state);
        }
        if state.closed {
            return Err(item);
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits until the queue has room or is closed.
    pub(crate) fn wait_for_room(&self) {
        let mut state = self.state.lock();
        while !state.closed && state.items.len() >= self.capacity {
            self.drained.wait(&mut state);
        }
    }

    /// Waits for items and takes at most `limit` of them, in order. `None` once the queue is closed and
    /// empty.
    pub(crate) fn take(&self, limit: usize) -> Option<VecDeque<T>> {
        let mut state = self.state.lock();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            self.filled.wait(&mut state);
        }
        let rest =
            if state.items.len() > limit { state.items.split_off(limit) } else { VecDeque::new() };
        let taken = std::mem::replace(&mut state.items, rest);
        drop(state);
        self.drained.notify_all();
        Some(taken)
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.state.lock().items.len()
    }

    /// Refuses further items. What has gathered can still be taken.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_limit() {
        let queue = Queue::new(8);
        for item in 0..5 {
            queue.push(item, false).unwrap();
        }
        assert_eq!(queue.take(3).unwrap(), [0, 1, 2]);
        queue.close();
        assert_eq!(queue.push(9, false), Err(9));
        assert_eq!(queue.take(3).unwrap(), [3, 4]);
        assert!(queue.take(3).is_none());
    }

    #[test]
    fn urgent_items_pass_a_full_queue() {
        let queue = Queue::new(1);
        queue.push(1, false).unwrap();
        queue.push(2, true).unwrap();
        assert_eq!(queue.take(9).unwrap(), [1, 2]);
    }
}
