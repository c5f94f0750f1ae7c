//! The operator's socket: one request line, one reply line, in JSON.
//!
//! Who may enter the data directory (its owner, by mode 0700) may use the socket; the kernel
//! tells the peer's user besides, and anybody but the server's own user and root is refused.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use zeroize::Zeroizing;

use crate::data_dir::DataDir;
use crate::files::Passing;
use crate::operator::Operator;
use crate::verb::{Verb, execute};

/// No verb needs more.
const MAX_LINE: u64 = 64 * 1024;
/// Loading examples or sealing anew takes its time.
const PATIENCE: Duration = Duration::from_mins(10);
const READ_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done(Value),
    Failed(String),
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
    let mut line = Zeroizing::new(Vec::new());
    let mut reader = tokio::io::BufReader::new(read.take(MAX_LINE));
    tokio::time::timeout(READ_TIME, reader.read_until(b'\n', &mut line)).await??;
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
    let mut reply = serde_json::to_vec(&outcome)?;
    reply.push(b'\n');
    write.write_all(&reply).await?;
    Ok(())
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
    let mut reply = String::new();
    BufReader::new(stream.take(16 * 1024 * 1024)).read_line(&mut reply)?;
    match serde_json::from_str(&reply) {
        Ok(Outcome::Done(value)) => Ok(Some(value)),
        Ok(Outcome::Failed(reason)) => Err(anyhow!(reason)),
        Err(_) => bail!("the server closed the connection without an answer: see its log"),
    }
}
