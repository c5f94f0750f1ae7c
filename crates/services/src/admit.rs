//! From bytes to an operation of a known caller: decode, authenticate, parse.
//!
//! The signature and the hash of the body are checked before anything in the body is read, and the
//! bytes that were checked are the bytes that are read (rule R3 of the threat model).

use std::sync::Arc;

use bailiwick_identifiers::AccountId;
use bailiwick_model::Account;
use bailiwick_wire::query::{self, Form};
use bailiwick_wire::schema::{Operation, Protocol, Service};
use bailiwick_wire::sigv4::{self, AuthError, Family};
use bailiwick_wire::{Value, generated, json, rest, route, validate};
use http::Method;
use http::request::Parts;

use crate::authenticate::{self, Authentic};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::node::Node;
use crate::operation::{Entry, Running};
use crate::origin::Origin;
use crate::table;

/// Marks a request whose body was longer than the process takes; it was cut.
#[derive(Clone, Copy, Debug)]
pub struct BodyTooLarge;

/// What is known of a call so far: enough to record and answer it wherever it ends.
pub(crate) struct Progress {
    pub(crate) protocol: Protocol,
    pub(crate) claimed_key: Option<String>,
    /// The account to which the presented key belongs.
    pub(crate) recipient: Option<AccountId>,
    pub(crate) caller: Option<(Caller, Arc<Account>)>,
    pub(crate) service: Option<&'static Service>,
    pub(crate) operation: Option<&'static Operation>,
    /// The name of the operation, for the event.
    pub(crate) name: String,
    pub(crate) request: Option<Value>,
}

/// A call that may be authorized and run.
pub(crate) struct Admitted {
    pub(crate) authentic: Authentic,
    pub(crate) entry: &'static Entry,
    pub(crate) running: Box<dyn Running>,
}

impl Progress {
    /// What the headers alone tell.
    pub(crate) fn new(parts: &Parts, body: &[u8]) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let addressed = addressed(parts);
        let protocol = if parts.headers.contains_key("x-amz-target") {
            Protocol::Json11
        } else if addressed.is_some() {
            Protocol::RestJson
        } else {
            Protocol::Query
        };
        let claimed = target.and_then(|target| target.rsplit('.').next()).map(str::to_owned);
        let claimed =
            claimed.or_else(|| claimed_action(parts.uri.query().unwrap_or_default().as_bytes()));
        let claimed = claimed.or_else(|| claimed_action(body));
        // Only a name that exists is repeated in an event.
        let known = match addressed {
            Some(service) => rest::operation(service, &parts.method, parts.uri.path()).ok(),
            None => claimed.and_then(|name| {
                generated::SERVICES.iter().find_map(|service| service.operation(&name))
            }),
        };
        Self {
            protocol,
            claimed_key: None,
            recipient: None,
            caller: None,
            service: known.map(|operation| operation.service).or(addressed),
            operation: None,
            name: known.map_or("UnknownOperation", |operation| operation.name).to_owned(),
            request: None,
        }
    }
}

impl Progress {
    /// What is known of a call that came in without a signature of its own.
    pub(crate) fn of(operation: &'static Operation, account: AccountId, value: &Value) -> Self {
        Self {
            protocol: Protocol::Json11,
            claimed_key: None,
            recipient: Some(account),
            caller: None,
            service: Some(operation.service),
            operation: Some(operation),
            name: operation.name.to_owned(),
            request: Some(value.clone()),
        }
    }
}

/// The REST-JSON service that a request is for: by its scope, or by its path when it has none. Their
/// paths are never `/`, which is all that others use.
fn addressed(parts: &Parts) -> Option<&'static Service> {
    if parts.uri.path() == "/" || parts.headers.contains_key("x-amz-target") {
        return None;
    }
    match sigv4::parse(parts) {
        Ok(Some(presented)) => route::rest_service(presented.scope().service()),
        _ => route::rest_service_at(parts.uri.path()),
    }
}

/// The `Action` that a form claims, found without decoding it: a label for the event of a call that
/// is refused before its body is read.
fn claimed_action(form: &[u8]) -> Option<String> {
    let head = form.get(..4096).unwrap_or(form);
    let field =
        head.split(|byte| *byte == b'&').find_map(|field| field.strip_prefix(b"Action="))?;
    std::str::from_utf8(field).ok().map(str::to_owned)
}

/// Decodes, authenticates and parses a request. What is learnt on the way stays in `progress`.
pub(crate) fn admit(
    node: &Node,
    parts: &Parts,
    body: &[u8],
    origin: &mut Origin,
    progress: &mut Progress,
) -> Result<Admitted, Fault> {
    if parts.extensions.get::<BodyTooLarge>().is_some() {
        return Err(Fault::common("RequestEntityTooLarge", 413, "The request body is too large."));
    }
    check_framing(parts, progress.protocol)?;
    let family = family(progress.protocol);
    let refused = |error: AuthError| {
        metrics::counter!("bailiwick_signature_failures_total", "code" => error.code(family))
            .increment(1);
        Fault::common(error.code(family), error.status(family).as_u16(), error.message())
    };
    let presented = sigv4::parse(parts).map_err(refused)?;
    let Some(presented) = presented else {
        let fault = unsigned(parts, body, progress);
        return Err(fault.unwrap_or_else(|| refused(AuthError::MissingAuthenticationToken)));
    };
    progress.claimed_key = Some(presented.access_key_id().chars().take(128).collect());
    presented.scope().region().clone_into(&mut origin.region);
    let wall = node.clock().wall();
    let authentic = authenticate::authenticate(node, &presented, parts, body, origin.now, wall)
        .map_err(|error| {
            // The refusal belongs into the trail of the account whose key it is.
            progress.recipient = authenticate::account_of(node, &presented);
            refused(error)
        })?;
    let account = authentic.shard.account();
    progress.recipient = Some(account.id());
    let caller = authentic.caller(&account).map_err(refused)?;
    let (caller, _) = progress.caller.insert((caller, Arc::clone(&account)));

    let form = match progress.protocol {
        Protocol::Query => Some(form(parts, body)?),
        _ => None,
    };
    let (service, operation) =
        route::target(parts, Some(presented.scope().service()), form.as_ref()).map_err(
            |error| {
                progress.service = error.service();
                Fault::common(error.code(), error.status(), error.to_string())
            },
        )?;
    progress.service = Some(service);
    progress.operation = Some(operation);
    operation.name.clone_into(&mut progress.name);
    if service.name == "iam" {
        account.partition().global_region().clone_into(&mut origin.region);
    }
    let action = (service.signing_name, operation.name);
    authentic.note_use(caller, origin.now, &origin.region, action);

    let value = decode(operation, parts, form.as_ref(), body)?;
    progress.request = Some(value.clone());
    let (entry, running) = operation_of(operation, value)?;
    Ok(Admitted { authentic, entry, running })
}

/// Validates and parses a decoded request.
pub(crate) fn operation_of(
    operation: &'static Operation,
    value: Value,
) -> Result<(&'static Entry, Box<dyn Running>), Fault> {
    let service = operation.service;
    let violations = validate::check(operation, &value);
    if !violations.is_empty() {
        let text = validate::message(service, &violations);
        let fault = Fault::common(validate::code(service), 400, text);
        if service.protocol != Protocol::RestJson {
            return Err(fault);
        }
        let fields = violations.iter().map(|violation| {
            let text = validate::rule_text(service, violation);
            serde_json::json!({ "name": violation.path, "message": text })
        });
        let fields: Vec<_> = fields.collect();
        return Err(fault.with("reason", "fieldValidationFailed").with("fieldList", fields));
    }
    let entry = table::entry(operation).ok_or_else(|| not_built(operation))?;
    let running = entry.parse(value)?;
    Ok((entry, running))
}

/// How failures of signatures are told in a protocol.
pub(crate) fn family(protocol: Protocol) -> Family {
    match protocol {
        Protocol::Query => Family::Query,
        Protocol::RestJson => Family::RestJson,
        Protocol::Json10 | Protocol::Json11 => Family::Json,
    }
}

fn check_framing(parts: &Parts, protocol: Protocol) -> Result<(), Fault> {
    let rest = protocol == Protocol::RestJson;
    if !rest && !matches!(parts.method, Method::POST | Method::GET) {
        return Err(Fault::common(
            "MethodNotAllowed",
            405,
            format!("The method {} is not allowed.", parts.method),
        ));
    }
    if !rest && parts.uri.path() != "/" {
        return Err(Fault::common(
            "UnknownOperationException",
            404,
            "There is nothing at this path.",
        ));
    }
    // Compressed bodies are not taken (threat G05).
    match parts.headers.get("content-encoding") {
        Some(encoding) if encoding.as_bytes() != b"identity" => {
            Err(Fault::common("UnsupportedMediaType", 415, "Content encodings are not supported."))
        }
        _ => Ok(()),
    }
}

/// The parameters: the body of a POST, the query string of a GET.
fn form(parts: &Parts, body: &[u8]) -> Result<Form, Fault> {
    let bytes = if parts.method == Method::GET {
        parts.uri.query().unwrap_or_default().as_bytes()
    } else {
        body
    };
    Form::parse(bytes)
        .map_err(|error| Fault::common("MalformedQueryString", 400, error.to_string()))
}

fn decode(
    operation: &'static Operation,
    parts: &Parts,
    form: Option<&Form>,
    body: &[u8],
) -> Result<Value, Fault> {
    if operation.service.protocol == Protocol::RestJson {
        return rest::decode(operation, parts, body).map_err(|error| {
            Fault::common("ValidationException", 400, error.message).with("reason", "cannotParse")
        });
    }
    let Some(input) = operation.input else { return Ok(Value::Struct(Vec::new())) };
    match form {
        Some(form) => query::decode(form, input)
            .map_err(|error| Fault::common(error.code, 400, error.message)),
        None => json::decode(body, input)
            .map_err(|error| Fault::common("SerializationException", 400, error.to_string())),
    }
}

/// The refusal of an unsigned call to an operation that clients send unsigned and that is not
/// written: they are told so. Every other unsigned call lacks its signature (threat A14).
fn unsigned(parts: &Parts, body: &[u8], progress: &Progress) -> Option<Fault> {
    if progress.protocol != Protocol::Query {
        return None;
    }
    let form = form(parts, body).ok()?;
    let (_, operation) = route::target(parts, None, Some(&form)).ok()?;
    (operation.unsigned && table::entry(operation).is_none()).then(|| not_built(operation))
}

fn not_built(operation: &Operation) -> Fault {
    Fault::common(
        "NotImplemented",
        400,
        format!(
            "The operation {}:{} is not implemented by this server.",
            operation.service.name, operation.name
        ),
    )
}
