//! See `bailiwick_fuzz::simulator`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bailiwick_fuzz::simulator::check(data));
