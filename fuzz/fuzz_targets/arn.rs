//! See `bailiwick_fuzz::arn`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bailiwick_fuzz::arn::check(data));
