//! The binary as an operator meets it: started, asked, stopped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn bailiwick() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") || name.starts_with("BAILIWICK_") {
            command.env_remove(name);
        }
    }
    command
}

/// A server and what it wrote to standard error up to the end of its banner.
struct Serving {
    child: Child,
    told: String,
    _rest: std::thread::JoinHandle<()>,
}

impl Serving {
    fn start(arguments: &[&str], dir: Option<&Path>) -> Self {
        let mut command = bailiwick();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        if let Some(dir) = dir {
            command.arg("--data-dir").arg(dir);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = String::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            told.push_str(&line);
            told.push('\n');
            if line.trim_start().starts_with("clock ") {
                break;
            }
        }
        let rest = std::thread::spawn(move || lines.for_each(drop));
        Self { child, told, _rest: rest }
    }

    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

fn ask(arguments: &[&str], dir: &Path) -> Output {
    bailiwick().args(arguments).arg("--data-dir").arg(dir).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// F10, P04: a first start shows the settings in effect and where the credentials are, and no
/// secret; clients of the command line find the server; a stop leaves nothing that says it runs.
#[test]
fn tm_f10_a_server_starts_is_asked_and_stops() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let serving = Serving::start(&[], Some(&dir));
    for part in
        ["First start: account", "enforcement", "off (loopback only)", "trusted proxies  none"]
    {
        assert!(serving.told.contains(part), "{part}: {}", serving.told);
    }
    let credentials = std::fs::read_to_string(dir.join("credentials")).unwrap();
    let secret = credentials.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = "));
    assert!(!serving.told.contains(secret.unwrap()));

    let lines = ask(&["env"], &dir);
    assert!(text(&lines.stdout).contains("export AWS_ENDPOINT_URL='http://127.0.0.1:"));
    let events = ask(&["events", "--format", "json"], &dir);
    assert_eq!(events.status.code(), Some(0), "{}", text(&events.stderr));
    assert!(text(&events.stdout).contains("\"CreateAccount\""), "{}", text(&events.stdout));
    let unknown = ask(&["why", "d-00000000"], &dir);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("NoSuchDecision"), "{}", text(&unknown.stderr));
    assert_eq!(ask(&["account", "create"], &dir).status.code(), Some(0));
    // Another server on the same directory is refused, and harms nothing.
    let second = bailiwick()
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&dir)
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert_eq!(ask(&["account", "list"], &dir).status.code(), Some(0));

    assert_eq!(serving.stop(), Some(0));
    assert!(!dir.join("endpoint").exists() && !dir.join("control.sock").exists());
    let accounts = ask(&["account", "list", "--format", "json"], &dir);
    assert_eq!(text(&accounts.stdout).matches("\"account\"").count(), 2);
}

/// P04: a development server says what it is, and prints the variables with its random key.
#[test]
fn tm_p04_a_development_server_says_so() {
    let serving = Serving::start(&["--dev"], None);
    assert!(serving.told.contains("clock            settable"), "{}", serving.told);
    assert!(serving.told.contains("123456789012"), "{}", serving.told);
    assert_eq!(serving.stop(), Some(0));
    for refused in
        [&["serve", "--dev", "--listen", "0.0.0.0:0"][..], &["serve", "--listen", "0.0.0.0:0"]]
    {
        let base = tempfile::tempdir().unwrap();
        let output = bailiwick().current_dir(base.path()).args(refused).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{refused:?}");
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0, "{refused:?} left files");
    }
}
