//! How many times a decision asks for memory.
//!
//! The allocator beneath is mimalloc, for all engines alike: it favours those that allocate much.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

use mimalloc::MiMalloc;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Counts allocations and growths of the calling thread, and hands them on.
pub struct Counting;

#[allow(unsafe_code, reason = "an allocator cannot be written without it; every call is handed on")]
// SAFETY: every method hands its arguments unchanged to mimalloc and keeps its contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { MiMalloc.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { MiMalloc.realloc(at, layout, size) }
    }
}

fn count() {
    // A thread that ends has no counter any more; nothing is measured there.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

/// Allocations and growths of this thread so far.
pub fn so_far() -> u64 {
    CALLS.with(Cell::get)
}
