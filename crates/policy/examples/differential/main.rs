//! Decides random cases with the engine and with the reference evaluator, and compares.
//!
//! `--cases N --seed S --threads T --differences K`: after `K` different kinds of difference, one
//! unless said otherwise, it ends. Each is printed as a vector, made as small as it goes. The exit
//! code is 1 if there are any, or if many cases leave a cell of the coverage table out.
//!
//! `--foreign PROGRAM --script FILE` sets the engine against another evaluator, which runs as
//! `PROGRAM FILE`: see [`foreign`]. The exit code is 1 if a difference is not a known one.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

mod compare;
mod edit;
mod foreign;
mod known;
mod known_values;

use std::process::ExitCode;
use std::time::Instant;

use compare::Plan;

/// Cases are many small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// From so many cases on, every cell of the coverage table must come.
const MANY: u64 = 100_000;

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            println!(
                "{error}\nusage: differential [--cases N] [--seed S] [--threads T] \
                 [--differences K] [--foreign PROGRAM --script FILE]"
            );
            return ExitCode::from(2);
        }
    };
    let fine = match options.command {
        Some(command) => {
            let Plan { seed, cases, threads, differences } = options.plan;
            against(&foreign::Plan { seed, cases, processes: threads, differences, command })
        }
        None => within(options.plan),
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The engine and the reference evaluator.
fn within(plan: Plan) -> bool {
    let began = Instant::now();
    let (tally, differences) = compare::run(plan);
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", tally.coverage);
    println!("\nseed {}, {} threads", plan.seed, plan.threads);
    for ((decision, reason), count) in &tally.answers {
        println!("{count:>12}  {decision}, {reason}");
    }
    println!(
        "{} cases, {:.1} % allowed, {} cells reached, {seconds:.1} s, {:.0} cases/s",
        tally.cases,
        tally.share_allowed(),
        tally.coverage.reached(),
        rate(tally.cases, seconds),
    );
    for difference in &differences {
        println!("\nengine: {}\nreference: {}", difference.engine, difference.reference);
        println!("{}", difference.vector);
    }
    let missing = tally.coverage.missing();
    let gaps = plan.cases >= MANY && differences.is_empty() && !missing.is_empty();
    if gaps {
        println!("\ncells that never came: {}", missing.join(", "));
    }
    println!("{} differences", differences.len());
    differences.is_empty() && !gaps
}

/// The engine and an evaluator of somebody else's.
fn against(plan: &foreign::Plan) -> bool {
    let began = Instant::now();
    let tally = match foreign::run(plan) {
        Ok(tally) => tally,
        Err(error) => {
            println!("{error}");
            return false;
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    println!("seed {}, {} processes", plan.seed, plan.processes);
    for (decision, count) in &tally.agreed {
        println!("{count:>12}  both: {decision}");
    }
    for (name, count) in &tally.known {
        println!("{count:>12}  known difference: {name}");
    }
    for (ours, theirs, case) in &tally.unexplained {
        println!("\nengine: {ours}\nforeign: {theirs}\n{case}");
    }
    println!(
        "{} cases, {} unexplained differences, {seconds:.1} s, {:.0} cases/s",
        tally.cases,
        tally.unexplained_count,
        rate(tally.cases, seconds),
    );
    tally.unexplained_count == 0
}

#[allow(clippy::cast_precision_loss, reason = "a rate, for people")]
fn rate(cases: u64, seconds: f64) -> f64 {
    cases as f64 / seconds
}

struct Options {
    plan: Plan,
    command: Option<(String, String)>,
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut plan = Plan { seed: 1, cases: MANY, threads: 2, differences: 1 };
    let (mut program, mut script) = (None, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("`{value}` is no number"));
        match name.as_str() {
            "--cases" => plan.cases = number()?,
            "--seed" => plan.seed = number()?,
            "--threads" => plan.threads = number()?.max(1),
            "--differences" => plan.differences = usize::try_from(number()?).unwrap_or(1).max(1),
            "--foreign" => program = Some(value),
            "--script" => script = Some(value),
            _ => return Err(format!("unknown argument `{name}`")),
        }
    }
    Ok(Options { plan, command: program.zip(script) })
}
