//! Sets the engine against an evaluator that somebody else has written, which runs as a process of
//! its own: it reads a case a line and answers `{id, decision}` or `{id, error}`, a line each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bailiwick_policy::{Case, Documents};
use bailiwick_reference::generate::{Profile, generate};
use bailiwick_reference::shrink::shrink;
use serde_json::Value;

use super::known;

/// How many cases go to the process at once.
const BATCH: u64 = 500;
/// How often the shrinker may ask.
const SHRINKING: usize = 1500;

/// The cases that are asked about.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The seed of all cases.
    pub(crate) seed: u64,
    /// How many cases, numbered from 0.
    pub(crate) cases: u64,
    /// How many processes decide them.
    pub(crate) processes: u64,
    /// How many unexplained differences are shown.
    pub(crate) differences: usize,
    /// The program and its argument.
    pub(crate) command: (String, String),
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) cases: u64,
    /// Answers on which both agree, by decision.
    pub(crate) agreed: BTreeMap<String, u64>,
    /// Differences that are known, by name.
    pub(crate) known: BTreeMap<String, u64>,
    /// All others: what the engine says, what the process says, the case.
    pub(crate) unexplained: Vec<(String, String, Value)>,
    pub(crate) unexplained_count: u64,
}

/// The other evaluator.
struct Foreign {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Foreign {
    fn start((program, script): &(String, String)) -> Result<Self, String> {
        let mut child = Command::new(program)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{program} has no pipes"));
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// The answers to these lines, in their order.
    fn ask(&mut self, lines: &str, count: usize) -> Result<Vec<String>, String> {
        let Self { input, output, .. } = self;
        std::thread::scope(|scope| {
            let written =
                scope.spawn(|| input.write_all(lines.as_bytes()).and_then(|()| input.flush()));
            let mut answers = Vec::with_capacity(count);
            let mut line = String::new();
            while answers.len() < count {
                line.clear();
                if output.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                    return Err("the process has ended".to_owned());
                }
                answers.push(decision(&line));
            }
            match written.join() {
                Ok(Ok(())) => Ok(answers),
                _ => Err("the process reads no more".to_owned()),
            }
        })
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The decision in an answer, or its error.
fn decision(line: &str) -> String {
    let answer: Value = serde_json::from_str(line).unwrap_or_default();
    match (answer["decision"].as_str(), answer["error"].as_str()) {
        (Some(decision), _) => decision.to_owned(),
        (None, Some(error)) => format!("error: {error}"),
        (None, None) => "no answer".to_owned(),
    }
}

fn engine(text: &str, documents: &mut Documents) -> String {
    said(text, documents).0
}

/// The engine's decision and the kind of its reason.
fn said(text: &str, documents: &mut Documents) -> (String, &'static str) {
    match Case::parse(text, documents) {
        Ok(case) => {
            let answer = case.decide();
            (answer.decision.to_owned(), answer.kind())
        }
        Err(error) => (format!("error: {error}"), ""),
    }
}

/// Decides all cases of a plan.
pub(crate) fn run(plan: &Plan) -> Result<Tally, String> {
    let whole = Mutex::new(Tally::default());
    let next = AtomicU64::new(0);
    let worked: Result<Vec<()>, String> = std::thread::scope(|scope| {
        let work = || {
            let mut foreign = Foreign::start(&plan.command)?;
            loop {
                let from = next.fetch_add(BATCH, Ordering::Relaxed);
                if from >= plan.cases {
                    return Ok(());
                }
                let to = (from + BATCH).min(plan.cases);
                batch(plan, from..to, &mut foreign, &whole)?;
            }
        };
        let threads: Vec<_> = (0..plan.processes).map(|_| scope.spawn(work)).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<(), String>>| {
            thread.join().unwrap_or_else(|_| Err("a thread has ended early".to_owned()))
        };
        threads.into_iter().map(join).collect()
    });
    worked?;
    whole.into_inner().map_err(|error| error.to_string())
}

fn batch(
    plan: &Plan,
    numbers: std::ops::Range<u64>,
    foreign: &mut Foreign,
    whole: &Mutex<Tally>,
) -> Result<(), String> {
    let mut documents = Documents::with_capacity(1 << 20);
    let cases: Vec<Value> =
        numbers.map(|number| generate(plan.seed, number, Profile::Foreign).case).collect();
    let mut lines = String::new();
    for case in &cases {
        let _ = writeln!(lines, "{case}"); // writing to a string cannot fail
    }
    let answers = foreign.ask(&lines, cases.len())?;
    for (case, theirs) in cases.into_iter().zip(answers) {
        let ours = engine(&case.to_string(), &mut documents);
        let explained = if ours == theirs {
            None
        } else {
            Some(known::explain(&case, |case| both(case, foreign, &mut documents)))
        };
        let mut tally = whole.lock().map_err(|error| error.to_string())?;
        tally.cases += 1;
        match explained {
            None => *tally.agreed.entry(ours).or_default() += 1,
            Some(Some(name)) => *tally.known.entry(name).or_default() += 1,
            Some(None) => {
                tally.unexplained_count += 1;
                let seen =
                    |(one, other, _): &(String, String, Value)| *one == ours && *other == theirs;
                let alike = tally.unexplained.iter().filter(|found| seen(found)).count();
                if tally.unexplained.len() < plan.differences && alike < 8 {
                    drop(tally);
                    let small = smallest(&case, &theirs, foreign, &mut documents);
                    let mut tally = whole.lock().map_err(|error| error.to_string())?;
                    tally.unexplained.push((ours, theirs, small));
                }
            }
        }
    }
    Ok(())
}

/// Whether both decide a case alike.
fn both(case: &Value, foreign: &mut Foreign, documents: &mut Documents) -> bool {
    let theirs = foreign.ask(&format!("{case}\n"), 1).unwrap_or_default();
    theirs.first().is_some_and(|theirs| *theirs == engine(&case.to_string(), documents))
}

/// The case with all taken out that does not matter to the difference, and still unexplained.
/// Action and resource stay, for other patterns of resource are asked in another way.
fn smallest(case: &Value, theirs: &str, foreign: &mut Foreign, documents: &mut Documents) -> Value {
    let question = |case: &Value| {
        let request = &case["request"];
        (request["action"].clone(), request["resource"].clone(), request["principal"].clone())
    };
    let asked = question(case);
    let meant = said(&case.to_string(), documents);
    let mut small = shrink(case, SHRINKING, |case| {
        question(case) == asked
            && said(&case.to_string(), documents) == meant
            && foreign
                .ask(&format!("{case}\n"), 1)
                .is_ok_and(|a| a.first().is_some_and(|a| a == theirs))
            && known::explain(case, |case| both(case, foreign, documents)).is_none()
    });
    if let (Some(fields), Some(id)) = (small.as_object_mut(), case.get("id")) {
        fields.insert("id".to_owned(), id.clone());
    }
    small
}
