//! Rounds, taken in turn by all engines, so that a machine whose speed drifts treats all alike.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::allocations;
use crate::engines::{Engine, Loaded};
use crate::workload::{Call, Expected, Shape, Verdict};

/// The time that a round of one engine should take.
const ROUND: Duration = Duration::from_millis(2);

/// The time that an engine in a process of its own may take to settle.
const SETTLING: Duration = Duration::from_millis(400);

/// What one engine needed for one decision.
#[derive(Clone, Debug)]
pub struct Figure {
    pub engine: &'static str,
    pub outcome: Outcome,
}

/// Figures, or why there are none.
#[derive(Clone, Debug)]
pub enum Outcome {
    Measured {
        /// Nanoseconds, over the rounds.
        median: f64,
        min: f64,
        rounds: usize,
        /// Allocations; none known for another process.
        allocations: Option<f64>,
        /// How many of the answers are the expected ones.
        right: usize,
        asked: usize,
        /// The first few of the others, in words.
        wrong: Vec<String>,
    },
    Missing(String),
}

/// How long a cell may take.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds wished for.
    pub rounds: usize,
    /// The time for one engine in one cell, after which fewer rounds must do.
    pub patience: Duration,
}

/// The processor time of this thread.
pub fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Loads the shape into every engine and asks the probes. Answers which engines may go on, or why
/// they may not: a wrong answer is not worth timing.
pub fn prepare(
    engines: &mut [Box<dyn Engine>],
    shape: &Shape,
    probes: &[Expected],
) -> Vec<Option<String>> {
    engines.iter_mut().map(|engine| fault(engine.as_mut(), shape, probes)).collect()
}

fn fault(engine: &mut dyn Engine, shape: &Shape, probes: &[Expected]) -> Option<String> {
    match engine.load(shape) {
        Ok(Loaded::Ready) => {}
        Ok(Loaded::Inexpressible(why)) => return Some(why.to_owned()),
        Err(error) => return Some(format!("{error:#}")),
    }
    probes.iter().find_map(|(call, expected)| match engine.decide(call) {
        Ok(verdict) if verdict == *expected => None,
        Ok(verdict) => Some(format!(
            "wrong: {} on {} is {expected:?}, not {verdict:?}",
            call.action, call.resource
        )),
        Err(error) => Some(format!("{error:#}")),
    })
}

/// Times every engine that is ready on the same calls. One that answers wrongly is timed only if
/// `tolerant`, and the number of its right answers is kept.
pub fn cell(
    engines: &mut [Box<dyn Engine>],
    faults: &[Option<String>],
    calls: &[Expected],
    effort: Effort,
    tolerant: bool,
) -> Vec<Figure> {
    let questions: Vec<Call> = calls.iter().map(|(call, _)| call.clone()).collect();
    let expected: Vec<Verdict> = calls.iter().map(|(_, verdict)| *verdict).collect();
    let mut lanes: Vec<Lane> = engines
        .iter_mut()
        .zip(faults)
        .map(|(engine, fault)| match fault {
            Some(why) => Lane::missing(why.clone()),
            None => Lane::open(engine.as_mut(), &questions, &expected, tolerant),
        })
        .collect();
    for _ in 0..effort.rounds {
        for (engine, lane) in engines.iter_mut().zip(&mut lanes) {
            lane.round(engine.as_mut(), &questions, effort);
        }
    }
    engines
        .iter()
        .zip(lanes)
        .map(|(engine, lane)| Figure { engine: engine.name(), outcome: lane.finish(calls.len()) })
        .collect()
}

struct Lane {
    missing: Option<String>,
    passes: u32,
    right: usize,
    wrong: Vec<String>,
    allocations: Option<f64>,
    spent: Duration,
    /// Nanoseconds a decision, one figure a round.
    figures: Vec<f64>,
}

impl Lane {
    fn missing(why: String) -> Self {
        Self {
            missing: Some(why),
            passes: 0,
            right: 0,
            wrong: Vec::new(),
            allocations: None,
            spent: Duration::ZERO,
            figures: Vec::new(),
        }
    }

    /// Checks the answers, counts allocations, and finds how many passes fill a round.
    fn open(engine: &mut dyn Engine, calls: &[Call], expected: &[Verdict], tolerant: bool) -> Self {
        let (mut right, mut wrong) = (0, Vec::new());
        for (call, expected) in calls.iter().zip(expected) {
            match engine.decide(call) {
                Ok(verdict) if verdict == *expected => right += 1,
                Ok(verdict) if tolerant => {
                    wrong.push(differs(call, *expected, &format!("{verdict:?}")));
                }
                Ok(verdict) => return Self::missing(format!("wrong: {verdict:?}")),
                // An engine that cannot answer has answered wrongly.
                Err(error) if tolerant => {
                    wrong.push(differs(call, *expected, &format!("{error:#}")));
                }
                Err(error) => return Self::missing(format!("{error:#}")),
            }
        }
        let before = allocations::so_far();
        if let Err(error) = engine.round(calls, 1) {
            return Self::missing(format!("{error:#}"));
        }
        let counted = allocations::so_far() - before;
        // Another process may compile as it goes: it is given time to settle.
        let mut settling = Duration::ZERO;
        while !engine.in_process() && settling < SETTLING {
            match engine.round(calls, 1) {
                Ok(time) => settling += time.max(Duration::from_micros(50)),
                Err(error) => return Self::missing(format!("{error:#}")),
            }
        }
        // The first passes run cold, so the number is found by trying.
        let mut passes: u32 = 1;
        while passes < 1 << 20 {
            match engine.round(calls, passes) {
                Ok(time) if time < ROUND / 2 => passes *= 2,
                Ok(_) => break,
                Err(error) => return Self::missing(format!("{error:#}")),
            }
        }
        Self {
            missing: None,
            passes,
            right,
            wrong: wrong.into_iter().take(10).collect(),
            allocations: engine.in_process().then(|| ratio(counted, calls.len())),
            spent: Duration::ZERO,
            figures: Vec::new(),
        }
    }

    fn round(&mut self, engine: &mut dyn Engine, calls: &[Call], effort: Effort) {
        let tired = self.spent > effort.patience && self.figures.len() >= 3;
        if self.missing.is_some() || tired {
            return;
        }
        match engine.round(calls, self.passes) {
            Ok(time) => {
                self.spent += time;
                let decisions = f64::from(self.passes) * ratio(calls.len() as u64, 1);
                self.figures.push(time.as_secs_f64() * 1e9 / decisions);
            }
            Err(error) => self.missing = Some(format!("{error:#}")),
        }
    }

    fn finish(mut self, asked: usize) -> Outcome {
        if let Some(why) = self.missing {
            return Outcome::Missing(why);
        }
        self.figures.sort_by(f64::total_cmp);
        let (Some(min), Some(median)) =
            (self.figures.first(), self.figures.get(self.figures.len() / 2))
        else {
            return Outcome::Missing("no round was taken".to_owned());
        };
        Outcome::Measured {
            median: *median,
            min: *min,
            rounds: self.figures.len(),
            allocations: self.allocations,
            right: self.right,
            asked,
            wrong: self.wrong,
        }
    }
}

fn differs(call: &Call, expected: Verdict, given: &str) -> String {
    let Call { arn, action, resource, .. } = call;
    format!("{arn}: {action} on {resource} is {expected:?}, not {given}")
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(count: u64, among: usize) -> f64 {
    count as f64 / among as f64
}
