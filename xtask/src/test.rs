//! `cargo xtask test`: everything that CI runs.
//!
//! What the tests need from outside is installed here by package name. Where there is no root or no
//! network the outside client that is missing is named and skipped; in CI (`CI=true`) that is a
//! failure.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

/// The Python packages of the outside clients. AWS CLI v1 brings botocore.
const PYTHON: &[&str] =
    &["boto3", "awscli", "pytest", "cryptography", "pyjwt", "fido2", "z3-solver"];

/// What drives the browser that opens the reports, and looks for what people cannot use.
const BROWSER: &[&str] = &["pytest", "playwright", "axe-playwright-python"];

type Step = fn() -> anyhow::Result<()>;

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let only: Vec<&str> = args.iter().map(String::as_str).collect();
    let steps: &[(&str, Step)] = &[
        ("format", format),
        ("lint", lint),
        ("tidy", || crate::tidy::run(&[])),
        ("unit", unit),
        ("differential", differential),
        ("solver", solver),
        ("clients", clients),
        ("browser", browser),
    ];
    if let Some(unknown) = only.iter().find(|name| !steps.iter().any(|(known, _)| known == *name)) {
        bail!(
            "there is no step `{unknown}`; steps are format, lint, tidy, unit, differential, solver, clients, browser"
        );
    }
    for (name, step) in steps {
        if only.is_empty() || only.contains(name) {
            let began = Instant::now();
            println!("== {name}");
            step().with_context(|| format!("the step `{name}` failed"))?;
            println!("== {name}: {} s", began.elapsed().as_secs());
        }
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    command(env!("CARGO"), arguments)
}

fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> anyhow::Result<()> {
    let program = program.as_ref();
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("{} could not be started", program.to_string_lossy()))?;
    if !status.success() {
        bail!("{} {} failed", program.to_string_lossy(), arguments.join(" "));
    }
    Ok(())
}

fn works(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

fn format() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])
}

fn lint() -> anyhow::Result<()> {
    cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"])
}

fn unit() -> anyhow::Result<()> {
    if works(env!("CARGO"), &["nextest", "--version"]) {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--status-level", "fail"])?;
    } else {
        cargo(&["test", "--workspace", "--quiet", "--no-fail-fast"])?;
    }
    cargo(&["test", "--workspace", "--doc", "--quiet"])
}

/// The decision engine and the reference evaluator on 100,000 random cases.
fn differential() -> anyhow::Result<()> {
    let arguments = ["--cases", "100000", "--seed", "20261122"].map(ToOwned::to_owned);
    crate::differential::run(&arguments)
}

/// Claims about all requests, answered by Z3 too: random policies, and versions of AWS's.
fn solver() -> anyhow::Result<()> {
    let Ok(python) = environment().inspect_err(|error| println!("python: {error:#}")) else {
        return skip(&["z3-solver"]);
    };
    cargo(&["build", "--package", "bailiwick-symbolic", "--example", "questions", "--quiet"])?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    for (what, count) in [("random", "500"), ("managed", "300")] {
        let mut asking = Command::new(target.join("debug/examples/questions"))
            .args([what, "1", count])
            .stdout(Stdio::piped())
            .spawn()
            .context("the questions could not be asked")?;
        let questions = asking.stdout.take().context("the questions have no output")?;
        let mut oracle = Command::new(python.join("bin/python"));
        let answered = oracle.arg("tests/symbolic/oracle.py").stdin(questions).status()?.success();
        if !asking.wait()?.success() || !answered {
            bail!("Z3 answers otherwise, or too seldom");
        }
    }
    Ok(())
}

/// Tests with clients that are not ours, against a server built for release.
fn clients() -> anyhow::Result<()> {
    cargo(&["build", "--release", "--package", "bailiwick", "--quiet"])?;
    let mut skipped = Vec::new();
    let python = environment().inspect_err(|error| println!("python: {error:#}")).ok();
    let Some(python) = python else {
        return skip(&["boto3", "AWS CLI v1"]);
    };
    let second = second_cli();
    if second.is_none() {
        skipped.push("AWS CLI v2");
    }
    let binary = std::env::current_dir()?.join("target/release/bailiwick");
    let mut tests = Command::new(python.join("bin/python"));
    tests
        .args(["-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/clients"])
        .env("BAILIWICK", &binary)
        .env("AWS_CLI_V1", python.join("bin/aws"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(second) = second {
        tests.env("AWS_CLI_V2", second);
    }
    if !tests.status().context("pytest could not be started")?.success() {
        bail!("tests with outside clients failed");
    }
    skip(&skipped)
}

/// The reports for people, opened in a browser.
fn browser() -> anyhow::Result<()> {
    cargo(&["build", "--release", "--package", "bailiwick", "--quiet"])?;
    cargo(&["build", "--package", "bailiwick-analyzer", "--example", "planted", "--quiet"])?;
    let python = environment_with(BROWSER).inspect_err(|error| println!("python: {error:#}")).ok();
    let Some(python) = python else { return skip(&["playwright"]) };
    let chromium = Path::new("/usr/bin/chromium");
    if !chromium.exists()
        && let Err(error) = install("chromium")
    {
        println!("chromium: {error:#}");
        return skip(&["chromium"]);
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let target = std::env::current_dir()?.join(target);
    let mut tests = Command::new(python.join("bin/python"));
    tests
        .args(["-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/browser"])
        .env("BAILIWICK", target.join("release/bailiwick"))
        .env("PLANTED", target.join("debug/examples/planted"))
        .env("CHROMIUM", chromium)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if !tests.status().context("pytest could not be started")?.success() {
        bail!("the reports do not stand up in a browser");
    }
    Ok(())
}

fn skip(clients: &[&str]) -> anyhow::Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    let names = clients.join(", ");
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        bail!("outside clients could not be installed: {names}");
    }
    println!("skipped, because they could not be installed: {names}");
    Ok(())
}

/// A Python environment with the clients, made once.
fn environment() -> anyhow::Result<PathBuf> {
    environment_with(PYTHON)
}

fn environment_with(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = std::env::current_dir()?.join("target/clients");
    let python = folder.join("bin/python");
    let make = ["-m", "venv", &folder.to_string_lossy()];
    if !python.exists() && !works("python3", &make) {
        install("python3-venv")?;
        command("python3", &make)?;
    }
    let installed = packages
        .iter()
        .all(|name| works(&python.to_string_lossy(), &["-m", "pip", "show", "--quiet", name]));
    if !installed {
        let mut arguments = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        arguments.extend(packages);
        command(&python, &arguments)?;
    }
    Ok(folder)
}

/// AWS CLI v2 as Debian packages it, found or installed.
fn second_cli() -> Option<PathBuf> {
    let path = Path::new("/usr/bin/aws");
    if !is_second(path) {
        install("awscli").inspect_err(|error| println!("awscli: {error:#}")).ok()?;
    }
    is_second(path).then(|| path.to_owned())
}

fn is_second(path: &Path) -> bool {
    let output = Command::new(path).arg("--version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("aws-cli/2."))
}

fn install(package: &str) -> anyhow::Result<()> {
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--quiet", "--no-install-recommends", package])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null());
        apt.status().is_ok_and(|status| status.success())
    };
    if install() || (works("apt-get", &["update"]) && install()) {
        return Ok(());
    }
    bail!("apt-get could not install {package} (is this root, with a network?)")
}
