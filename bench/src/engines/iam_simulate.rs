//! iam-simulate: an npm package, run as a process of its own that times itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value as Json, json};

use super::{Engine, Loaded};
use crate::workload::{ACCOUNT, Call, Shape, Verdict, attachments, documents};

/// One answer may take this long; then the process is ended and started anew.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct IamSimulate {
    driver: std::path::PathBuf,
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl IamSimulate {
    /// Starts the driver, `iam-simulate.mjs` in `folder`.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let driver = folder.join("iam-simulate.mjs");
        let (child, input, answers) = spawn(&driver)?;
        let mut engine = Self { driver, child, input, answers };
        engine.ask(&json!({"ready": true}))?;
        Ok(engine)
    }

    fn ask(&mut self, question: &Json) -> anyhow::Result<Json> {
        let written = writeln!(self.input, "{question}").and_then(|()| self.input.flush());
        written.context("the process has ended")?;
        let line = match self.answers.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.child.kill();
                let _ = self.child.wait();
                (self.child, self.input, self.answers) = spawn(&self.driver)?;
                anyhow::bail!("no answer in {} s", PATIENCE.as_secs());
            }
            Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the process has ended"),
        };
        let answer: Json = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => anyhow::bail!("{error}"),
            None => Ok(answer),
        }
    }
}

impl Drop for IamSimulate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(driver: &Path) -> anyhow::Result<(Child, ChildStdin, Receiver<String>)> {
    let mut child = Command::new("node")
        .arg(driver)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("node does not start")?;
    let input = child.stdin.take().context("no way in")?;
    let output = child.stdout.take().context("no way out")?;
    let (tell, answers) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    Ok((child, input, answers))
}

impl Engine for IamSimulate {
    fn name(&self) -> &'static str {
        "iam-simulate"
    }

    fn load(&mut self, shape: &Shape) -> anyhow::Result<Loaded> {
        let policies: Vec<Json> = documents(shape)
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect::<Result<_, _>>()?;
        self.ask(&json!({"policies": policies, "attached": attachments(shape)}))?;
        Ok(Loaded::Ready)
    }

    fn decide(&mut self, call: &Call) -> anyhow::Result<Verdict> {
        let answer = self.ask(&json!({"decide": question(call)}))?;
        match answer["verdict"].as_str() {
            Some("Allowed") => Ok(Verdict::Allowed),
            Some("ExplicitlyDenied") => Ok(Verdict::ExplicitDeny),
            Some("ImplicitlyDenied") => Ok(Verdict::ImplicitDeny),
            other => anyhow::bail!("the answer {other:?}"),
        }
    }

    fn round(&mut self, calls: &[Call], times: u32) -> anyhow::Result<Duration> {
        let questions: Vec<Json> = calls.iter().map(question).collect();
        let answer = self.ask(&json!({"round": questions, "times": times}))?;
        let nanoseconds = answer["nanoseconds"].as_f64().context("no time was told")?;
        Ok(Duration::from_secs_f64(nanoseconds / 1e9))
    }

    fn in_process(&self) -> bool {
        false
    }
}

fn question(call: &Call) -> Json {
    let context: serde_json::Map<String, Json> =
        call.context().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    json!({
        "place": call.principal,
        "principal": call.arn,
        "action": call.action,
        "resource": call.resource,
        "account": ACCOUNT,
        "context": context,
    })
}
