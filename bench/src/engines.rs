//! The engines that are measured, each behind the same few calls.

mod bailiwick;
mod cedar;
mod iam_rs;
mod iam_simulate;
mod regorus;

pub use bailiwick::context_alone;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use crate::measure::thread_time;
use crate::workload::{Call, Shape, Verdict};

/// Whether an engine can say what a shape says.
#[derive(Clone, Copy, Debug)]
pub enum Loaded {
    Ready,
    /// It cannot, and this is why.
    Inexpressible(&'static str),
}

/// An engine: policies are read and compiled once, requests are built anew for each decision.
pub trait Engine {
    fn name(&self) -> &'static str;

    /// Takes these policies in place of those it holds.
    fn load(&mut self, shape: &Shape) -> anyhow::Result<Loaded>;

    /// Builds a request and decides it.
    fn decide(&mut self, call: &Call) -> anyhow::Result<Verdict>;

    /// Decides all calls, so many times over, and answers the processor time it took.
    fn round(&mut self, calls: &[Call], times: u32) -> anyhow::Result<Duration> {
        let began = thread_time();
        for _ in 0..times {
            for call in calls {
                // Answers were checked before; an error costs what it costs.
                let _ = black_box(self.decide(black_box(call)));
            }
        }
        Ok(thread_time().saturating_sub(began))
    }

    /// Whether its allocations can be counted.
    fn in_process(&self) -> bool {
        true
    }
}

/// All engines, ours first. `folder` holds the driver of the one that is no Rust crate; the second
/// part of the answer says why that one is left out, if it is.
pub fn all(folder: &Path) -> (Vec<Box<dyn Engine>>, Option<String>) {
    let mut engines: Vec<Box<dyn Engine>> = vec![
        Box::new(bailiwick::Bailiwick::default()),
        Box::new(cedar::Cedar::default()),
        Box::new(iam_rs::IamRs::default()),
        Box::new(regorus::Regorus::default()),
    ];
    match iam_simulate::IamSimulate::start(folder) {
        Ok(engine) => {
            engines.push(Box::new(engine));
            (engines, None)
        }
        Err(error) => (engines, Some(format!("iam-simulate is left out: {error:#}"))),
    }
}
