//! Work on many things of a kind, on several threads.
//!
//! The results stand in the order of the things, so that nothing tells how many threads there were.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// So few things are not worth a thread.
const FEW: usize = 32;
/// The most threads.
const MOST: usize = 8;

/// What becomes of each thing, in their order. The work must hang on nothing but the thing.
pub fn each<T: Sync, U: Send>(things: &[T], work: impl Fn(&T) -> U + Sync) -> Vec<U> {
    if things.len() < FEW {
        return things.iter().map(work).collect();
    }
    // More parts than threads, as some are slower than others.
    in_parts(things, things.len().div_ceil(MOST * 8), &work)
}

/// The same of a few things of which each is much work; those that come first are begun first.
pub fn few<T: Sync, U: Send>(things: &[T], work: impl Fn(&T) -> U + Sync) -> Vec<U> {
    in_parts(things, 1, &work)
}

fn in_parts<T: Sync, U: Send>(
    things: &[T],
    size: usize,
    work: &(impl Fn(&T) -> U + Sync),
) -> Vec<U> {
    let parts: Vec<&[T]> = things.chunks(size.max(1)).collect();
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = threads.min(MOST).min(parts.len());
    if threads < 2 {
        return things.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(at) else { return done };
            done.push((at, part.iter().map(work).collect::<Vec<U>>()));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        done.extend(others.into_iter().flat_map(joined));
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    let mut out = Vec::with_capacity(things.len());
    out.extend(done.into_iter().flat_map(|(_, part)| part));
    out
}

/// Two pieces of work at once.
pub fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (joined(one), other)
    })
}

/// What a thread has made; a panic goes on here.
fn joined<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_things() {
        for count in [0, 1, FEW, 1_000, 1_001] {
            let things: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = things.iter().map(|thing| thing * 2).collect();
            assert_eq!(each(&things, |thing| thing * 2), doubled, "{count}");
            assert_eq!(few(&things, |thing| thing * 2), doubled, "{count}");
        }
        assert_eq!(both(|| 1, || "b"), (1, "b"));
    }
}
