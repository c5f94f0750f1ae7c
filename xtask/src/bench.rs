//! `cargo xtask bench`: whole signed requests beside the bare HTTP stack, in one run, and the
//! micro-benches of the rooms. Prints ratios and medians; absolute figures belong to a machine.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value as Json;

const ROUNDS: usize = 3;

/// Stops a server when the bench ends, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the command. `requests` limits it to whole requests; `engine` runs the decision engine
/// beside its peers.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let Some(("engine", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return crate::bench_engine::run(rest);
    }
    build()?;
    requests()?;
    if !args.iter().any(|argument| argument == "requests") {
        for (package, bench) in [
            ("bailiwick-wire", "sigv4"),
            ("bailiwick-wire", "query"),
            ("bailiwick-testkit", "pipeline"),
            ("bailiwick-policy", "decide"),
            ("bailiwick-store", "store"),
        ] {
            println!("\n== {package} {bench}");
            cargo(&["bench", "--quiet", "--package", package, "--bench", bench])?;
        }
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO")).args(arguments).status()?;
    anyhow::ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}

fn build() -> anyhow::Result<()> {
    cargo(&["build", "--release", "--quiet", "--package", "bailiwick"])?;
    cargo(&["build", "--release", "--quiet", "--package", "bailiwick-server", "--examples"])
}

fn requests() -> anyhow::Result<()> {
    let folder = std::env::current_dir()?.join("target/bench");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let target = std::env::current_dir()?.join("target/release");
    let (bare, ours) = (free_port()?, free_port()?);
    let _bare = spawn(Command::new(target.join("examples/constant")).arg(&bare))?;
    let data = folder.join("data");
    // More users than AWS's quota, for one run makes some twenty thousand.
    let config = folder.join("bailiwick.toml");
    std::fs::write(&config, "[quotas]\nusers = 1000000\n")?;
    let _ours = spawn(
        Command::new(target.join("bailiwick"))
            .args(["serve", "--listen", &ours, "--data-dir"])
            .arg(&data)
            .arg("--config")
            .arg(&config),
    )?;
    wait(&format!("nothing listens at {bare}"), || TcpStream::connect(&bare).is_ok())?;
    // The file names the address once calls are answered.
    wait("the server does not start", || data.join("endpoint").exists())?;
    let key = credential(&data, "aws_access_key_id")?;
    let secret = credential(&data, "aws_secret_access_key")?;
    let load = target.join("examples/load");
    println!("| request | bare stack, 1/s | bailiwick, 1/s | ratio | median, us | p99, us |");
    println!("|---|---|---|---|---|---|");
    for (scenario, requests) in [("get-user", 1000), ("assume-role", 1000), ("create-user", 200)] {
        let (mut stack, mut mine) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let tag = format!("bench{round}");
            let measure = |address: &str, bare: bool| {
                fire(&load, address, &key, &secret, scenario, requests, &tag, bare)
            };
            stack.push(measure(&bare, true)?);
            mine.push(measure(&ours, false)?);
        }
        let rate = |runs: &[Json], field: &str| median(runs, field);
        let (bare_rate, our_rate) = (rate(&stack, "per_second"), rate(&mine, "per_second"));
        println!(
            "| {scenario}, 32 clients | {bare_rate:.0} | {our_rate:.0} | {:.2} | {:.0} | {:.0} |",
            our_rate / bare_rate,
            rate(&mine, "median_us"),
            rate(&mine, "p99_us"),
        );
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "one call, named by its arguments")]
fn fire(
    load: &Path,
    address: &str,
    key: &str,
    secret: &str,
    scenario: &str,
    requests: usize,
    tag: &str,
    bare: bool,
) -> anyhow::Result<Json> {
    let mut command = Command::new(load);
    command
        .args(["--address", address, "--scenario", scenario, "--tag", tag, "--clients", "32"])
        .args(["--requests", &requests.to_string()])
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret);
    if bare {
        command.arg("--bare");
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "the load `{scenario}` failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn median(runs: &[Json], field: &str) -> f64 {
    let mut values: Vec<f64> = runs.iter().filter_map(|run| run[field].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn free_port() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn spawn(command: &mut Command) -> anyhow::Result<Running> {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok(Running(child))
}

fn wait(otherwise: &str, ready: impl Fn() -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("{otherwise}")
}

fn credential(data: &Path, name: &str) -> anyhow::Result<String> {
    let path: PathBuf = data.join("credentials");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value =
        line.and_then(|line| line.trim().strip_prefix('=')).context("no such credential")?;
    Ok(value.trim().to_owned())
}
