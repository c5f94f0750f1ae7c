//! `bailiwick test`: suites of expectations about policies.
//!
//! A suite names policies and principals and says what must be allowed and what must not, and which
//! checks of policies must pass. It is run by the engine that answers live calls; `docs/testing-policies.md` has the form.

mod checks;
mod fields;
mod read;
mod report;
pub(crate) mod yaml;

use std::io::{Write as _, stderr, stdout};
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::anyhow;
use bailiwick_policy::{CaseProblem, Documents};
use clap::{Args, ValueEnum};

use crate::simulate::fault::Findings;
use crate::simulate::question::Setting;
use crate::simulate::why;
use crate::terminal;
use checks::Check;
use yaml::At;

/// Flags of `test`.
#[derive(Args, Debug)]
pub struct TestArgs {
    /// The suites
    #[arg(value_name = "SUITE", required = true)]
    pub suites: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: TestFormat,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum TestFormat {
    /// For people: a line for each test, and what failed with reasons.
    #[default]
    Table,
    /// For programs: every expectation with its answer.
    Json,
    /// For build servers, as XML.
    Junit,
    /// For code scanning: failures with their places, SARIF 2.1.0.
    Sarif,
}

/// What is expected of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Expect {
    Allow,
    /// Either denial.
    Deny,
    Explicit,
    Implicit,
}

/// A suite as it was read.
struct Suite {
    file: String,
    name: String,
    tests: Vec<Test>,
    checks: Vec<Check>,
    notes: Vec<String>,
}

/// One entry of a suite: the same expectation of several requests.
struct Test {
    name: String,
    at: At,
    expect: Expect,
    /// The kind of policy that must decide, if the suite says so.
    reason: Option<String>,
    expectations: Vec<Expectation>,
}

/// One request of a test.
struct Expectation {
    /// The caller, as the suite names it.
    principal: String,
    setting: Rc<Setting>,
    action: String,
    resource: String,
    /// Which of several contexts, from 1.
    variant: Option<usize>,
}

/// The answer to an expectation.
struct Outcome {
    decision: &'static str,
    /// The kind of policy that decided.
    kind: &'static str,
    /// Why, in lines; nothing where all is as expected.
    why: Vec<String>,
    passed: bool,
}

/// The outcomes of a suite, by test and in the order of its expectations.
struct Run {
    suite: Suite,
    outcomes: Vec<Vec<Outcome>>,
}

pub(crate) fn run(args: &TestArgs) -> anyhow::Result<()> {
    let suites: Vec<Suite> =
        args.suites.iter().map(|path| read::suite(path)).collect::<Result<_, _>>()?;
    for note in suites.iter().flat_map(|suite| &suite.notes) {
        let _ = writeln!(stderr(), "note: {}", terminal::text(note));
    }
    let mut documents = Documents::default();
    let mut runs = Vec::new();
    for suite in suites {
        runs.push(Run::of(suite, &mut documents)?);
    }
    let mut out = stdout().lock();
    match args.format {
        TestFormat::Table => report::table(&mut out, &runs)?,
        TestFormat::Json => {
            writeln!(out, "{}", terminal::json(&format!("{:#}", report::json(&runs))))?;
        }
        TestFormat::Junit => report::junit(&mut out, &runs)?,
        TestFormat::Sarif => {
            writeln!(out, "{}", terminal::json(&format!("{:#}", report::sarif(&runs))))?;
        }
    }
    out.flush()?;
    if runs.iter().all(|run| run.failures() == 0) { Ok(()) } else { Err(Findings.into()) }
}

impl Run {
    fn of(suite: Suite, documents: &mut Documents) -> anyhow::Result<Self> {
        let mut outcomes = Vec::new();
        for test in &suite.tests {
            let mut answered = Vec::with_capacity(test.expectations.len());
            for one in &test.expectations {
                let outcome = test.judge(one, documents);
                let (file, line) = (&suite.file, test.at.0);
                answered.push(outcome.map_err(|problem| anyhow!("{file}:{line}: {problem}"))?);
            }
            outcomes.push(answered);
        }
        Ok(Self { suite, outcomes })
    }

    fn failures(&self) -> usize {
        let unmet = self.suite.checks.iter().filter(|check| !check.met()).count();
        unmet + self.outcomes.iter().flatten().filter(|outcome| !outcome.passed).count()
    }

    fn count(&self) -> usize {
        self.suite.checks.len() + self.outcomes.iter().map(Vec::len).sum::<usize>()
    }

    /// Each test with its expectations and their outcomes.
    fn tests(&self) -> impl Iterator<Item = (&Test, &[Outcome])> {
        self.suite.tests.iter().zip(self.outcomes.iter().map(Vec::as_slice))
    }
}

impl Test {
    fn judge(&self, one: &Expectation, documents: &mut Documents) -> Result<Outcome, CaseProblem> {
        let answer = one.setting.decide(&one.action, &one.resource, documents)?;
        let (decision, kind) = (answer.decision, answer.kind());
        let passed = self.expect.is_met_by(decision)
            && self.reason.as_deref().is_none_or(|wanted| wanted == kind);
        let mut why = Vec::new();
        if !passed {
            let asked = one.setting.ask(&one.action, &one.resource, documents)?;
            why.push(why::reason(&asked));
            why.extend(why::details(&asked));
        }
        Ok(Outcome { decision, kind, why, passed })
    }

    /// What is expected, in words.
    fn wanted(&self) -> String {
        match &self.reason {
            Some(kind) => format!("{} by {kind}", self.expect.word()),
            None => self.expect.word().to_owned(),
        }
    }
}

impl Expectation {
    /// The request in one line.
    fn title(&self) -> String {
        let variant = self.variant.map(|number| format!(" (context {number})"));
        let variant = variant.unwrap_or_default();
        format!("{} {} {}{variant}", self.principal, self.action, self.resource)
    }
}

impl Expect {
    const WORDS: [&'static str; 4] = ["allow", "deny", "explicit", "implicit"];

    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "allow" => Self::Allow,
            "deny" => Self::Deny,
            "explicit" => Self::Explicit,
            "implicit" => Self::Implicit,
            _ => return None,
        })
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Explicit => "explicit",
            Self::Implicit => "implicit",
        }
    }

    /// Whether a decision, in the words of an answer, is what is expected.
    fn is_met_by(self, decision: &str) -> bool {
        match self {
            Self::Allow => decision == "allowed",
            Self::Deny => decision != "allowed",
            Self::Explicit => decision == "explicitDeny",
            Self::Implicit => decision == "implicitDeny",
        }
    }
}

#[cfg(test)]
mod tests;
