//! `bailiwick call`: one call of a query service, with the caller's credentials; or, with `--via`,
//! as services make it on the caller's behalf.
//!
//! A forward access session is the operator's to make, so `--via` asks for it on the control socket
//! of a server on this machine, and calls with what it gets.

use std::io::{ErrorKind, Read as _, Write as _, stdout};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bailiwick_wire::generated::SERVICES;
use bailiwick_wire::schema::{Kind, Operation, Protocol};
use bailiwick_wire::time;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use zeroize::{Zeroize, Zeroizing};

use crate::access::{Access, AccessArgs};
use crate::client::Client;
use crate::terminal;

const PATIENCE: Duration = Duration::from_mins(1);
/// The answer of the control socket is a key and a token.
const MAX_REPLY: usize = 64 * 1024;

/// Flags of `call`.
#[derive(Args, Debug)]
pub struct CallArgs {
    /// Call as this service does on the caller's behalf; several are a chain, in order
    #[arg(long, value_name = "SERVICE-PRINCIPAL")]
    pub via: Vec<String>,
    /// The address from which the caller called the first service [default: this one]
    #[arg(long, value_name = "ADDRESS", requires = "via")]
    pub source_ip: Option<IpAddr>,
    /// The service, such as `iam` or `sts`
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// The operation, such as `CreateUser`
    #[arg(value_name = "OPERATION")]
    pub operation: String,
    /// Parameters of the query protocol, such as `UserName=alice` or `Tags.member.1.Key=team`
    #[arg(value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// The server refused the call, in its own words. Exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
}

pub(crate) fn run(args: &CallArgs) -> anyhow::Result<()> {
    let operation = operation(&args.service, &args.operation)?;
    let body = form(operation, &args.parameters)?;
    let variable = |name: &str| std::env::var(name).ok();
    let mut access = Access::find(&args.access, variable)?;
    if !args.via.is_empty() {
        let dir = args.access.directory(variable);
        access = forwarded(access, &dir.join("control.sock"), &args.via, args.source_ip)?;
    }
    let answer = Client::new(access)?.query(operation, body)?;
    let mut answer = serde_json::from_slice(&answer).context("the answer cannot be read")?;
    if let Some(output) = operation.output {
        date(&Kind::Structure(output), &mut answer);
    }
    let mut out = stdout().lock();
    writeln!(out, "{}", terminal::json(&format!("{answer:#}")))?;
    out.flush()?;
    Ok(())
}

/// The operation of a service that speaks the query protocol.
pub(crate) fn operation(service: &str, name: &str) -> anyhow::Result<&'static Operation> {
    let query = || SERVICES.iter().filter(|service| service.protocol == Protocol::Query);
    let Some(found) = query().find(|known| known.name == service) else {
        let known: Vec<_> = query().map(|service| service.name).collect();
        bail!("there is no service `{service}` here: known are {}", known.join(", "));
    };
    found.operation(name).with_context(|| {
        let other = found.operations.iter().find(|known| known.name.eq_ignore_ascii_case(name));
        match other {
            Some(other) => {
                format!("{service} has no operation `{name}`: `{}` is meant?", other.name)
            }
            None => format!("{service} has no operation `{name}`"),
        }
    })
}

/// The parameters as the form that is sent.
pub(crate) fn form(operation: &Operation, parameters: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut form = format!("Action={}&Version={}", operation.name, operation.service.api_version);
    for parameter in parameters {
        let (name, value) = parameter
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .with_context(|| format!("a parameter has the form NAME=VALUE, not `{parameter}`"))?;
        if ["Action", "Version"].contains(&name) {
            bail!("`{name}` follows from the operation");
        }
        form.push('&');
        escape(name, &mut form);
        form.push('=');
        escape(value, &mut form);
    }
    Ok(form.into_bytes())
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn escape(text: &str, form: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            form.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
            form.push('%');
            form.push(digit(byte >> 4).to_ascii_uppercase());
            form.push(digit(byte & 0x0f).to_ascii_uppercase());
        }
    }
}

/// Writes the instants of an answer, which are seconds in JSON, as people read them.
pub(crate) fn date(kind: &Kind, answer: &mut Json) {
    match (kind, answer) {
        (Kind::Timestamp(_), answer) => {
            if let Some(instant) = answer.as_f64().and_then(time::from_epoch) {
                *answer = time::write_iso(instant).into();
            }
        }
        (Kind::List(list), Json::Array(items)) => {
            for item in items {
                date(&list.shape.kind, item);
            }
        }
        (Kind::Map(map), Json::Object(entries)) => {
            for value in entries.values_mut() {
                date(&map.value.kind, value);
            }
        }
        (Kind::Structure(structure), Json::Object(members)) => {
            for member in structure.members {
                if let Some(value) = members.get_mut(member.wire) {
                    date(&member.shape.kind, value);
                }
            }
        }
        _ => {}
    }
}

/// What is asked of the control socket.
#[derive(Serialize)]
#[serde(tag = "verb", rename = "forward-session")]
struct Wish<'a> {
    access_key_id: &'a str,
    session_token: Option<&'a str>,
    services: &'a [String],
    source_ip: Option<IpAddr>,
}

/// What it answers.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done(Made),
    Failed(String),
}

#[derive(Deserialize)]
struct Made {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
}

impl Drop for Made {
    fn drop(&mut self) {
        self.secret_access_key.zeroize();
        self.session_token.zeroize();
    }
}

/// The same server with the credentials of services that call on the caller's behalf.
fn forwarded(
    access: Access,
    socket: &Path,
    services: &[String],
    source_ip: Option<IpAddr>,
) -> anyhow::Result<Access> {
    let mut stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
        {
            bail!(
                "no server answers at `{}`: `--via` needs one on this machine; name its data \
                 directory with BAILIWICK_DATA_DIR",
                socket.display()
            );
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot reach `{}`", socket.display()));
        }
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let wish = Wish {
        access_key_id: &access.key_id,
        session_token: access.session_token.as_ref().map(bailiwick_wire::Secret::expose),
        services,
        source_ip,
    };
    let mut line = Zeroizing::new(serde_json::to_vec(&wish)?);
    line.push(b'\n');
    stream.write_all(&line)?;
    // All its room from the start, and no buffer in between: neither leaves a copy of the secrets.
    let mut reply = Zeroizing::new(Vec::with_capacity(MAX_REPLY));
    stream.take(MAX_REPLY as u64).read_to_end(&mut reply)?;
    match serde_json::from_slice(&reply) {
        Ok(Outcome::Done(made)) => Ok(Access {
            key_id: made.access_key_id.clone(),
            secret: made.secret_access_key.as_str().into(),
            session_token: Some(made.session_token.as_str().into()),
            ..access
        }),
        Ok(Outcome::Failed(reason)) => Err(anyhow!(reason)),
        Err(_) => bail!("the server closed the connection without an answer: see its log"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn operations_are_those_of_query_services() {
        for (service, name, expected) in [
            ("iam", "CreateUser", Ok("CreateUser")),
            ("sts", "GetCallerIdentity", Ok("GetCallerIdentity")),
            ("iam", "createuser", Err("`CreateUser` is meant?")),
            ("iam", "Nothing", Err("no operation `Nothing`")),
            ("bailiwick", "LookUpEvents", Err("known are iam, sts")),
            ("s3", "GetObject", Err("no service `s3`")),
        ] {
            match (operation(service, name), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.name, expected),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (found, _) => panic!("{service} {name}: {:?}", found.map(|found| found.name)),
            }
        }
    }

    #[test]
    fn parameters_become_a_form() {
        let operation = operation("iam", "CreateUser").unwrap();
        let form = |parameters: &[&str]| {
            let parameters: Vec<_> = parameters.iter().map(ToString::to_string).collect();
            form(operation, &parameters).map(|form| String::from_utf8(form).unwrap())
        };
        assert_eq!(
            form(&["UserName=a+b", "Tags.member.1.Key=é=&"]).unwrap(),
            "Action=CreateUser&Version=2010-05-08&UserName=a%2Bb&Tags.member.1.Key=%C3%A9%3D%26"
        );
        for bad in ["UserName", "=x", "Action=DeleteUser", "Version=1"] {
            assert!(form(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn instants_are_readable() {
        let output = operation("iam", "ListUsers").unwrap().output.unwrap();
        let mut answer =
            serde_json::json!({"Users": [{"UserName": "a", "CreateDate": 1_767_323_045}]});
        date(&Kind::Structure(output), &mut answer);
        assert_eq!(answer["Users"][0]["CreateDate"], "2026-01-02T03:04:05Z");
    }

    #[test]
    fn the_control_socket_is_asked_for_the_session() {
        let base = tempfile::tempdir().unwrap();
        let socket = base.path().join("control.sock");
        let access = || Access {
            endpoint: "http://127.0.0.1:1".into(),
            key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "s".into(),
            session_token: None,
            region: "us-east-1".into(),
            ca_bundle: None,
        };
        let services = ["cloudformation.amazonaws.com".to_owned()];
        let missing = forwarded(access(), &socket, &services, None).unwrap_err();
        assert!(missing.to_string().contains("no server answers"), "{missing}");
        let listener = UnixListener::bind(&socket).unwrap();
        for (reply, expected) in [
            (
                r#"{"done":{"access_key_id":"ASIA1","secret_access_key":"x","session_token":"t","expiration":"2026-01-01T00:00:00Z"}}"#,
                Ok("ASIA1"),
            ),
            (r#"{"failed":"there is no access key"}"#, Err("there is no access key")),
            ("", Err("without an answer")),
        ] {
            let found = std::thread::scope(|scope| {
                let listener = &listener;
                let server = scope.spawn(move || {
                    let (mut stream, _) = listener.accept().unwrap();
                    let mut line = String::new();
                    BufReader::new(&stream).read_line(&mut line).unwrap();
                    stream.write_all(reply.as_bytes()).unwrap();
                    line
                });
                let found = forwarded(access(), &socket, &services, None);
                let asked: serde_json::Value =
                    serde_json::from_str(&server.join().unwrap()).unwrap();
                assert_eq!(asked["verb"], "forward-session");
                assert_eq!(asked["services"][0], "cloudformation.amazonaws.com");
                found
            });
            match expected {
                Ok(key) => assert_eq!(found.unwrap().key_id, key),
                Err(text) => assert!(found.unwrap_err().to_string().contains(text)),
            }
        }
    }
}
