//! See `bailiwick_fuzz::wildcard`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bailiwick_fuzz::wildcard::check(data));
