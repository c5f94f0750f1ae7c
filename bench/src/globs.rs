//! Adversarial globs: patterns made to send a matcher back again and again.
//!
//! Sizes grow until 2,048 characters are reached or a decision takes too long: a matcher that
//! doubles its work with every star would not come back at the full size.

use std::time::{Duration, Instant};

use crate::engines::{Engine, Loaded};
use crate::workload::{Call, Shape, Verdict};

/// Characters of pattern and of text at full size.
pub const FULL: usize = 2_048;
/// A decision longer than this ends the growing.
const ENOUGH: Duration = Duration::from_millis(60);

/// One way to be adversarial.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    pub name: &'static str,
    /// What the pattern repeats.
    unit: &'static str,
    /// What the pattern begins with.
    head: &'static str,
}

pub const ATTACKS: [Attack; 3] = [
    Attack { name: "`*a*a*a…*b`", head: "", unit: "*a" },
    Attack { name: "`*aaa…ab`", head: "*", unit: "a" },
    Attack { name: "`*a?*a?…*b`", head: "", unit: "*a?" },
];

const ARN: &str = "arn:aws:s3:::";

impl Attack {
    /// A pattern and two texts that it all but matches and matches.
    fn at(self, size: usize) -> (String, String, String) {
        let room = size.saturating_sub(ARN.len() + self.head.len() + 2);
        let body = self.unit.repeat(room / self.unit.len());
        let tail = if self.unit.len() == 1 { "b" } else { "*b" };
        let pattern = format!("{ARN}{}{body}{tail}", self.head);
        let misses = format!("{ARN}{}", "a".repeat(size - ARN.len()));
        let matches = format!("{ARN}{}b", "a".repeat(size - ARN.len() - 1));
        (pattern, misses, matches)
    }
}

/// How an engine fared.
#[derive(Clone, Debug)]
pub struct Fared {
    pub attack: &'static str,
    pub engine: &'static str,
    /// The size reached, the median time there in nanoseconds, and what stopped it before.
    pub reached: usize,
    pub nanoseconds: f64,
    pub stopped: Option<String>,
}

/// Lets every engine answer every attack.
pub fn run(engines: &mut [Box<dyn Engine>]) -> Vec<Fared> {
    let mut all = Vec::new();
    for attack in ATTACKS {
        for engine in engines.iter_mut() {
            all.push(fare(engine.as_mut(), attack));
        }
    }
    all
}

fn fare(engine: &mut dyn Engine, attack: Attack) -> Fared {
    let mut fared = Fared {
        attack: attack.name,
        engine: engine.name(),
        reached: 0,
        nanoseconds: f64::NAN,
        stopped: None,
    };
    let mut size = 32;
    loop {
        match ask(engine, attack, size) {
            Ok(Ok(time)) => {
                fared.reached = size;
                fared.nanoseconds = time.as_secs_f64() * 1e9;
            }
            Ok(Err(why)) => {
                fared.stopped = Some(why.to_owned());
                return fared;
            }
            Err(error) => {
                fared.stopped = Some(format!("{error:#}"));
                return fared;
            }
        }
        if size >= FULL {
            return fared;
        }
        if fared.nanoseconds > ENOUGH.as_secs_f64() * 1e9 {
            fared.stopped = Some("too long".to_owned());
            return fared;
        }
        size = (size + size / 5).min(FULL);
    }
}

/// The median time of a decision at this size, in processor time of the deciding thread.
fn ask(
    engine: &mut dyn Engine,
    attack: Attack,
    size: usize,
) -> anyhow::Result<Result<Duration, &'static str>> {
    let (pattern, misses, matches) = attack.at(size);
    if let Loaded::Inexpressible(why) = engine.load(&Shape::Glob(pattern))? {
        return Ok(Err(why));
    }
    let miss = Call::new(0, "s3:GetObject", &misses);
    let began = Instant::now();
    anyhow::ensure!(engine.decide(&miss)? == Verdict::ImplicitDeny, "wrong: it matches");
    if began.elapsed() < ENOUGH {
        let hit = Call::new(0, "s3:GetObject", &matches);
        anyhow::ensure!(engine.decide(&hit)? == Verdict::Allowed, "wrong: it does not match");
    }
    let rounds = if size == FULL && began.elapsed() < ENOUGH { 15 } else { 3 };
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..rounds {
        times.push(engine.round(std::slice::from_ref(&miss), 1)?);
        if times.iter().sum::<Duration>() > ENOUGH * 20 {
            break;
        }
    }
    times.sort();
    Ok(Ok(times.get(times.len() / 2).copied().unwrap_or_default()))
}
