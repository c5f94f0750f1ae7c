//! What every input must be true of: the checks behind the fuzz targets.
//!
//! Each module has one function `check`, which takes any bytes and panics on a finding. The targets
//! in `fuzz_targets/` feed them from libFuzzer; the test `corpus` feeds them the kept inputs of
//! `corpus/fuzz/`, so that these hold for ever.

pub mod arn;
pub mod evaluate;
pub mod policy_json;
pub mod recipe;
pub mod simulator;
pub mod wildcard;

/// A check of one input.
pub type Check = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Check); 5] = [
    ("policy_json", policy_json::check),
    ("evaluate", evaluate::check),
    ("wildcard", wildcard::check),
    ("arn", arn::check),
    ("simulator", simulator::check),
];
