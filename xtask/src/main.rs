//! Generation, tidiness checks, tests and benches: `cargo xtask COMMAND`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

mod bench;
mod bench_engine;
mod catalog;
mod codegen;
mod coverage;
mod differential;
mod fuzz;
mod models;
mod rules;
mod test;
mod tidy;

const USAGE: &str = "usage: cargo xtask COMMAND [ARGUMENTS]

  models     trim the service models of botocore into models/*.json
  codegen    write crates/wire/src/generated/*.rs from models/ (--check: verify only)
  catalog    build the data file of actions, condition keys and managed policies
  tidy       check arrows between crates, report file sizes, verify generated files
  coverage   print implemented / total operations per service
  rules      list rules of policy evaluation without a decision vector
  differential
             decide random cases with the engine and another evaluator, and compare
  fuzz       run the fuzz targets: fuzz [--seconds N] [TARGET]...
  test       everything CI runs: format, lint, tests, tidy, outside clients, a browser
  bench      run the benches beside their peers and print ratios
             (bench engine: the decision engine alone, beside other engines)";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        println!("{USAGE}");
        return Ok(());
    };
    match command.as_str() {
        "models" => models::run(rest),
        "codegen" => codegen::run(rest),
        "catalog" => catalog::run(rest),
        "tidy" => tidy::run(rest),
        "rules" => rules::run(rest),
        "coverage" => coverage::run(rest),
        "differential" => differential::run(rest),
        "fuzz" => fuzz::run(rest),
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => anyhow::bail!("unknown command `{other}`\n\n{USAGE}"),
    }
}
