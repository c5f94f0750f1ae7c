//! A client in the same process: it signs, sends and reads.

use std::fmt::Write as _;
use std::sync::Arc;

use bailiwick_services::{Clock as _, Node, Peer};
use bailiwick_wire::schema::{Kind, Operation, Protocol, Sensitivity, Service};
use bailiwick_wire::sigv4::{PathForm, SecretKey, Signer, sign};
use bailiwick_wire::{Api, Secret, Shape as _, Value, generated, json, query, rest};
use bytes::Bytes;
use http::{Method, Request};

use crate::{Reply, SettableClock};

/// What a caller signs with.
#[derive(Clone)]
pub struct Credentials {
    /// The id of the access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret: String,
    /// The session token of temporary credentials.
    pub token: Option<String>,
}

/// A caller of one node. Without credentials its calls are not signed.
#[derive(Clone)]
pub struct Client {
    /// The node that is called.
    pub node: Arc<Node>,
    /// The clock by which calls are signed.
    pub clock: Arc<SettableClock>,
    /// What calls are signed with.
    pub credentials: Option<Credentials>,
    /// Where the calls seem to come from.
    pub peer: Peer,
}

/// The signing region of every call.
const REGION: &str = "us-east-1";

impl Client {
    /// A client with other credentials, or none.
    #[must_use]
    pub fn with(&self, credentials: Option<Credentials>) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// A client that does not sign.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        self.with(None)
    }

    /// The id of the key in use; empty for an anonymous client.
    pub fn key(&self) -> &str {
        self.credentials.as_ref().map_or("", |held| &held.access_key_id)
    }

    /// Calls an operation with parameters as the query protocol has them (`Tags.member.1.Key`), or as
    /// the members of a JSON object of texts, or as members of an input without structure.
    pub fn call(&self, service: &str, name: &str, parameters: &[(&str, &str)]) -> Reply {
        let operation = operation(service, name);
        self.exchange_for(Some(operation), self.request(service, name, parameters))
    }

    /// Calls an IAM operation.
    pub fn iam(&self, name: &str, parameters: &[(&str, &str)]) -> Reply {
        self.call("iam", name, parameters)
    }

    /// Calls an STS operation.
    pub fn sts(&self, name: &str, parameters: &[(&str, &str)]) -> Reply {
        self.call("sts", name, parameters)
    }

    /// Calls an operation with a value of its input.
    pub fn send(&self, operation: &'static Operation, value: &Value) -> Reply {
        self.exchange_for(Some(operation), self.request_of(operation, value))
    }

    /// Calls an operation by its types.
    pub fn ask<A: Api>(&self, request: A::Request) -> Result<A::Response, Box<Reply>> {
        let reply = self.send(A::OPERATION, &request.into_value());
        match reply.value() {
            Some(value) => Ok(A::Response::from_value(value.clone()).expect("a fitting answer")),
            None => Err(Box::new(reply)),
        }
    }

    /// Sends a request as it is.
    pub fn exchange(&self, request: Request<Bytes>) -> Reply {
        self.exchange_for(None, request)
    }

    /// Sends a request as it is, and reads the answer as one to `operation`.
    pub fn exchange_for(
        &self,
        operation: Option<&'static Operation>,
        request: Request<Bytes>,
    ) -> Reply {
        Reply::read(operation, bailiwick_services::handle(&self.node, request, self.peer))
    }

    /// A signed request, not sent.
    pub fn request(
        &self,
        service: &str,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Request<Bytes> {
        let operation = operation(service, name);
        let service = operation.service;
        if service.protocol == Protocol::RestJson {
            return self.request_of(operation, &flat(operation, parameters));
        }
        let body = if service.protocol == Protocol::Query {
            form(service, name, parameters)
        } else {
            let members = parameters.iter().map(|(key, text)| ((*key).to_owned(), (*text).into()));
            let object: serde_json::Map<String, serde_json::Value> = members.collect();
            serde_json::to_vec(&object).expect("an object of texts")
        };
        self.request_with(service, name, body)
    }

    /// A signed request with a value of the operation's input, not sent.
    pub fn request_of(&self, operation: &'static Operation, value: &Value) -> Request<Bytes> {
        if operation.service.protocol == Protocol::RestJson {
            return self.rest_request(operation.service, rest::encode_request(operation, value));
        }
        let body = match (operation.service.protocol, operation.input) {
            (Protocol::Query, _) => query::encode_request(operation, value),
            (_, Some(input)) => json::encode(input, value),
            (_, None) => b"{}".to_vec(),
        };
        self.request_with(operation.service, operation.name, body)
    }

    /// A signed request with any body, not sent.
    pub fn request_with(
        &self,
        service: &'static Service,
        name: &str,
        body: impl Into<Bytes>,
    ) -> Request<Bytes> {
        if service.protocol == Protocol::RestJson {
            let body = body.into().to_vec();
            return self.rest_request(service, labelled(service, name, body));
        }
        let mut builder = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header("host", "localhost:4680")
            .header("user-agent", "testkit");
        builder = if service.protocol == Protocol::Query {
            builder.header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        } else {
            builder
                .header("content-type", json::content_type(service.protocol))
                .header("x-amz-target", format!("{}.{name}", service.target_prefix))
        };
        let request = builder.body(body.into()).expect("a request");
        self.sign(service.signing_name, request)
    }

    fn rest_request(&self, service: &'static Service, sent: rest::Request) -> Request<Bytes> {
        let mut builder = Request::builder()
            .method(sent.method)
            .uri(&sent.target)
            .header("host", "localhost:4680")
            .header("user-agent", "testkit")
            .header("content-type", json::content_type(service.protocol));
        for (name, text) in &sent.headers {
            builder = builder.header(*name, text);
        }
        let request = builder.body(sent.body.into()).expect("a request");
        self.sign(service.signing_name, request)
    }

    /// Signs a request, or leaves it as it is for an anonymous client.
    pub fn sign(&self, signing_name: &str, request: Request<Bytes>) -> Request<Bytes> {
        let Some(credentials) = &self.credentials else { return request };
        let (mut parts, body) = request.into_parts();
        let secret = SecretKey::new(&credentials.secret).expect("a secret");
        let signer = Signer {
            access_key_id: &credentials.access_key_id,
            secret: &secret,
            session_token: credentials.token.as_deref(),
            region: REGION,
            service: signing_name,
            path_form: PathForm::default(),
        };
        sign(&signer, &mut parts, &body, self.clock.now()).expect("a signable request");
        Request::from_parts(parts, body)
    }

    /// Assumes a role, and is then its session.
    #[track_caller]
    pub fn assume(&self, role_arn: &str, session: &str) -> Self {
        self.assume_with(&[("RoleArn", role_arn), ("RoleSessionName", session)])
    }

    /// Assumes a role with these parameters.
    #[track_caller]
    pub fn assume_with(&self, parameters: &[(&str, &str)]) -> Self {
        self.as_issued(&self.sts("AssumeRole", parameters).ok())
    }

    /// A client with the credentials that an answer of STS holds.
    #[track_caller]
    #[must_use]
    pub fn as_issued(&self, reply: &Reply) -> Self {
        self.with(Some(Credentials {
            access_key_id: reply.text("Credentials.AccessKeyId"),
            secret: reply.text("Credentials.SecretAccessKey"),
            token: Some(reply.text("Credentials.SessionToken")),
        }))
    }

    /// A client with the key that an answer of CreateAccessKey holds.
    #[track_caller]
    #[must_use]
    pub fn as_created(&self, reply: &Reply) -> Self {
        self.with(Some(Credentials {
            access_key_id: reply.text("AccessKey.AccessKeyId"),
            secret: reply.text("AccessKey.SecretAccessKey"),
            token: None,
        }))
    }

    /// The ARN under which calls are made.
    #[track_caller]
    pub fn arn(&self) -> String {
        self.sts("GetCallerIdentity", &[]).ok().text("Arn")
    }
}

/// The operation of a service, both by name.
#[track_caller]
fn operation(service: &str, name: &str) -> &'static Operation {
    let service = generated::SERVICES.iter().find(|held| held.name == service);
    let operation = service.and_then(|service| service.operation(name));
    operation.unwrap_or_else(|| panic!("no operation {name}"))
}

/// An input of texts and numbers.
fn flat(operation: &Operation, parameters: &[(&str, &str)]) -> Value {
    let input = operation.input.expect("an input");
    let slot = |wire: &str, kind: Kind, secret: bool| {
        let (_, text) = parameters.iter().find(|(name, _)| *name == wire)?;
        Some(match kind {
            Kind::Integer | Kind::Long => Value::Integer(text.parse().expect("a number")),
            _ if secret => Value::Secret(Secret::new(*text)),
            _ => Value::String((*text).to_owned()),
        })
    };
    let slots = input.members.iter().map(|member| {
        let secret = member.shape.sensitivity == Sensitivity::Secret;
        slot(member.wire, member.shape.kind, secret)
    });
    Value::Struct(slots.collect())
}

/// A request with any body and the letter `a` for each label.
fn labelled(service: &Service, name: &str, body: Vec<u8>) -> rest::Request {
    let http = service.operation(name).expect("an operation").http;
    let segments = http.path.split('/').map(|part| if part.starts_with('{') { "a" } else { part });
    let target = segments.collect::<Vec<_>>().join("/");
    rest::Request { method: http.method, target, headers: Vec::new(), body }
}

fn form(service: &Service, name: &str, parameters: &[(&str, &str)]) -> Vec<u8> {
    let head = [("Action", name), ("Version", service.api_version)];
    let fields = head.iter().chain(parameters);
    let pieces: Vec<String> =
        fields.map(|(key, text)| format!("{}={}", escaped(key), escaped(text))).collect();
    pieces.join("&").into_bytes()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("text takes any text");
        }
    }
    out
}
