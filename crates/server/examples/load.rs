//! A load of signed requests over kept connections, for `cargo xtask bench`: prints one line of
//! JSON with requests per second and the median and 99th percentile of the latency.
//!
//! Requests are signed ahead, so that the client costs the same whatever the server does with them.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bailiwick_wire::sigv4::{PathForm, SecretKey, Signer, sign};
use clap::{Parser, ValueEnum};

/// What is asked of the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Scenario {
    /// `iam:GetUser` on the caller.
    GetUser,
    /// `sts:AssumeRole` on a role that the tool makes first.
    AssumeRole,
    /// `iam:CreateUser`, each with a name of its own.
    CreateUser,
}

#[derive(Parser)]
struct Arguments {
    /// Host and port.
    #[arg(long)]
    address: String,
    /// Access key id.
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    key: String,
    /// Secret access key.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    secret: String,
    #[arg(long)]
    scenario: Scenario,
    /// Connections, each with a thread.
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Requests a connection.
    #[arg(long, default_value_t = 500)]
    requests: usize,
    /// Distinguishes the names of one run from those of another.
    #[arg(long, default_value = "load")]
    tag: String,
    /// Whether answers other than 200 are counted and not an error (the bare stack knows no roles).
    #[arg(long)]
    bare: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arc::new(Arguments::parse());
    if arguments.scenario == Scenario::AssumeRole && !arguments.bare {
        prepare_role(&arguments)?;
    }
    let barrier = Arc::new(Barrier::new(arguments.clients + 1));
    let clients: Vec<_> = (0..arguments.clients)
        .map(|client| {
            let (arguments, barrier) = (Arc::clone(&arguments), Arc::clone(&barrier));
            std::thread::spawn(move || run(&arguments, client, &barrier))
        })
        .collect();
    barrier.wait();
    let began = Instant::now();
    let mut latencies: Vec<Duration> = Vec::new();
    for client in clients {
        match client.join() {
            Ok(result) => latencies.extend(result?),
            Err(_) => bail!("a client panicked"),
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    latencies.sort();
    let at =
        |part: usize| latencies.get(latencies.len() * part / 100).map_or(0, Duration::as_micros);
    println!(
        "{}",
        serde_json::json!({
            "scenario": format!("{:?}", arguments.scenario),
            "requests": latencies.len(),
            "per_second": (f64::from(u32::try_from(latencies.len())?) / seconds).round(),
            "median_us": at(50),
            "p99_us": at(99),
        })
    );
    Ok(())
}

fn run(arguments: &Arguments, client: usize, barrier: &Barrier) -> anyhow::Result<Vec<Duration>> {
    let prepared = (0..arguments.requests)
        .map(|number| {
            let (service, body) = body(arguments, client, number);
            request(arguments, service, &body)
        })
        .collect::<anyhow::Result<Vec<_>>>();
    let stream = TcpStream::connect(&arguments.address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    barrier.wait();
    let mut latencies = Vec::with_capacity(arguments.requests);
    for request in prepared? {
        let began = Instant::now();
        writer.write_all(&request)?;
        let (status, body) = answer(&mut reader)?;
        if status != 200 && !arguments.bare {
            bail!("status {status}: {}", String::from_utf8_lossy(&body));
        }
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}

const ROLE: &str = "bench-role";

fn body(arguments: &Arguments, client: usize, number: usize) -> (&'static str, String) {
    match arguments.scenario {
        Scenario::GetUser => ("iam", "Action=GetUser&Version=2010-05-08".to_owned()),
        Scenario::AssumeRole => {
            let account = account(&arguments.key);
            (
                "sts",
                format!(
                    "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2F{ROLE}&RoleSessionName=bench{number}"
                ),
            )
        }
        Scenario::CreateUser => (
            "iam",
            format!(
                "Action=CreateUser&Version=2010-05-08&UserName={}-{client}-{number}",
                arguments.tag
            ),
        ),
    }
}

/// The account in a key id, or the one that the bare stack is asked about.
fn account(key: &str) -> String {
    let id = key.parse::<bailiwick_identifiers::AccessKeyId>().ok();
    id.and_then(|id| id.account()).map_or_else(|| "123456789012".to_owned(), |id| id.to_string())
}

fn prepare_role(arguments: &Arguments) -> anyhow::Result<()> {
    let account = account(&arguments.key);
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let trust = trust.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
    let body = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName={ROLE}&AssumeRolePolicyDocument={trust}"
    );
    let mut stream = TcpStream::connect(&arguments.address)?;
    stream.write_all(&request(arguments, "iam", &body)?)?;
    let (status, body) = answer(&mut BufReader::new(stream))?;
    if status != 200 && !String::from_utf8_lossy(&body).contains("EntityAlreadyExists") {
        bail!("the role could not be made: {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}

fn request(arguments: &Arguments, service: &str, body: &str) -> anyhow::Result<Vec<u8>> {
    let (mut parts, ()) = http::Request::post("/")
        .header("host", &arguments.address)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(())?
        .into_parts();
    let secret = SecretKey::new(arguments.secret.as_bytes())?;
    let signer = Signer {
        access_key_id: &arguments.key,
        secret: &secret,
        session_token: None,
        region: "us-east-1",
        service,
        path_form: PathForm::Normalized,
    };
    sign(&signer, &mut parts, body.as_bytes(), bailiwick_server::now())?;
    let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
    for (name, value) in &parts.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    write!(bytes, "content-length: {}\r\n\r\n{body}", body.len())?;
    Ok(bytes)
}

fn answer(reader: &mut BufReader<TcpStream>) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("no status line")?.parse()?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((status, body))
}
