//! A second evaluator of AWS policies, and the tools that set it against the first.
//!
//! The decision engine is quick, and therefore long. This crate answers the same questions slowly,
//! in code short enough to be read beside the numbered rules, and shares nothing with the engine:
//! it depends on none of the other crates, so a mistake in one is not a mistake in both.

pub mod evaluate;
pub mod generate;
pub mod shrink;
