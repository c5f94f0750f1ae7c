//! The operator's socket: one request line, one reply line, in JSON.
//!
//! Who may enter the data directory (its owner, by mode 0700) may use the socket; the kernel
//! tells the peer's user besides, and anybody but the server's own user and root is refused.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use zeroize::{Zeroize, Zeroizing};

use crate::data_dir::DataDir;
use crate::files::Passing;
use crate::operator::Operator;
use crate::verb::{Verb, execute};

/// No verb needs more, and no answer with a secret in it.
const MAX_LINE: usize = 64 * 1024;
/// A list of accounts may be long.
const MAX_REPLY: u64 = 16 * 1024 * 1024;
/// Loading examples or sealing anew takes its time.
const PATIENCE: Duration = Duration::from_mins(10);
const READ_TIME: Duration = Duration::from_secs(10);

/// What a verb came to. The answer may hold the secrets of a forward access session, so its texts
/// are wiped on drop.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done(Value),
    Failed(String),
}

impl Drop for Outcome {
    fn drop(&mut self) {
        if let Self::Done(value) = self {
            wipe(value);
        }
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The listening socket; its file goes away with it.
pub struct Control {
    listener: UnixListener,
    _file: Passing,
}

impl Control {
    /// Opens the socket in the data directory. The caller holds the store open, so a socket file
    /// found there is left over from a server that is gone.
    pub fn open(data_dir: &DataDir) -> anyhow::Result<Self> {
        let path = data_dir.socket();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove `{}`", path.display()));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot listen on `{}`", path.display()))?;
        Ok(Self { listener, _file: Passing(path) })
    }

    /// Answers verbs, one after another, until it is dropped.
    pub async fn serve(&self, operator: Arc<dyn Operator>, data_dir: DataDir) {
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept on the control socket");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            if let Err(error) = answer(stream, &operator, &data_dir).await {
                tracing::warn!(%error, "an operator's request failed");
            }
        }
    }
}

async fn answer(
    mut stream: tokio::net::UnixStream,
    operator: &Arc<dyn Operator>,
    data_dir: &DataDir,
) -> anyhow::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    if peer != own && peer != 0 {
        bail!("user {peer} is not the server's");
    }
    let (read, mut write) = stream.split();
    let line = tokio::time::timeout(READ_TIME, line_of(read)).await??;
    let outcome = match serde_json::from_slice::<Verb>(&line) {
        Ok(Verb::Rekey) => Outcome::Failed(
            "a running server holds the master key: stop the server first, then `bailiwick rekey`"
                .into(),
        ),
        Ok(verb) => {
            let (operator, data_dir) = (Arc::clone(operator), data_dir.clone());
            let done = tokio::task::spawn_blocking(move || execute(&verb, &*operator, &data_dir));
            match done.await {
                Ok(Ok(value)) => Outcome::Done(value),
                Ok(Err(error)) => Outcome::Failed(error.to_string()),
                Err(_) => {
                    Outcome::Failed("the request failed inside the server: see its log".into())
                }
            }
        }
        // The parser's message could quote the line, and the line may hold a secret.
        Err(_) => Outcome::Failed(
            "the server does not know this request: are it and this command of one version?".into(),
        ),
    };
    write.write_all(&reply(&outcome)?).await?;
    Ok(())
}

/// The first line, read without a buffer in between that would keep its secrets.
async fn line_of(mut from: impl AsyncRead + Unpin) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(vec![0; MAX_LINE]);
    let mut held = 0;
    while let Some(rest) = line.get_mut(held..).filter(|rest| !rest.is_empty()) {
        let count = from.read(rest).await?;
        let end = rest.iter().take(count).position(|byte| *byte == b'\n');
        held += end.unwrap_or(count);
        if count == 0 || end.is_some() {
            break;
        }
    }
    line.truncate(held);
    Ok(line)
}

/// The line that answers. It has its room from the start: to grow would leave a copy behind.
fn reply(outcome: &Outcome) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    serde_json::to_writer(&mut *line, outcome)?;
    line.push(b'\n');
    Ok(line)
}

/// Asks a running server. Nothing when none runs.
pub fn ask(socket: &Path, verb: &Verb) -> anyhow::Result<Option<Value>> {
    let mut stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot reach `{}`", socket.display()));
        }
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = Zeroizing::new(serde_json::to_vec(verb)?);
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    stream.take(MAX_REPLY).read_to_end(&mut reply)?;
    let Ok(mut outcome) = serde_json::from_slice::<Outcome>(&reply) else {
        bail!("the server closed the connection without an answer: see its log");
    };
    match &mut outcome {
        Outcome::Done(value) => Ok(Some(value.take())),
        Outcome::Failed(reason) => Err(anyhow!(std::mem::take(reason))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Secrets are wiped where they were (L04): in the answer, and in the line that carries it.
    #[test]
    fn tm_l04_answers_are_wiped() {
        let mut value = json!({
            "secret_access_key": "canary", "list": [{"session_token": "canary"}, 1, null, true],
        });
        let line: Zeroizing<Vec<u8>> = reply(&Outcome::Done(value.clone())).unwrap();
        assert!(line.ends_with(b"}\n") && line.capacity() == MAX_LINE);
        wipe(&mut value);
        let wiped =
            json!({"secret_access_key": "", "list": [{"session_token": ""}, 1, null, true]});
        assert_eq!(value, wiped);
        // The longest token fits without a move of the line.
        let token = "x".repeat(12_288);
        let long = Outcome::Done(json!({"session_token": token, "secret_access_key": token}));
        assert_eq!(reply(&long).unwrap().capacity(), MAX_LINE);
    }

    #[tokio::test]
    async fn a_request_is_one_line_of_bounded_length() {
        let long = vec![b'x'; MAX_LINE + 7];
        for (sent, taken) in [
            (&b"{}\n{}\n"[..], &b"{}"[..]),
            (b"{}", b"{}"),
            (b"\n", b""),
            (b"", b""),
            (&long, long.get(..MAX_LINE).unwrap()),
        ] {
            assert_eq!(line_of(sent).await.unwrap().as_slice(), taken);
        }
    }
}
