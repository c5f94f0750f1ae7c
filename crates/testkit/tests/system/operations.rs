//! What the tests over all operations share: which there are, who may call them, and what they ask.

use std::collections::BTreeMap;

use bailiwick_testkit::{Client, Furniture, Reply, Rights, World, allow_all, plausible};
use bailiwick_wire::generated::SERVICES;
use bailiwick_wire::schema::{Kind, Operation, Protocol, Sensitivity, Structure, Type};
use bailiwick_wire::{Secret, SecretBytes, Value};
use serde_json::json;

/// Every operation that is written.
pub(crate) fn implemented() -> Vec<&'static Operation> {
    let services = SERVICES.iter();
    let written = services.flat_map(|service| {
        let names = bailiwick_services::implemented(service.name);
        names.into_iter().map(|name| service.operation(name).unwrap())
    });
    written.collect()
}

/// Every operation of every service.
pub(crate) fn all() -> Vec<&'static Operation> {
    SERVICES.iter().flat_map(|service| service.operations.iter().copied()).collect()
}

/// Every operation that is not written.
pub(crate) fn missing() -> Vec<&'static Operation> {
    let written = implemented();
    let is_written = |one: &Operation| written.iter().any(|other| std::ptr::eq(one, *other));
    all().into_iter().filter(|one| !is_written(one)).collect()
}

/// `iam:CreateUser`.
pub(crate) fn full_name(operation: &Operation) -> String {
    format!("{}:{}", operation.service.name, operation.name)
}

/// The service and name under which an operation stands in the trail: AWS's own, where its console
/// does the same without an operation.
pub(crate) fn recorded(operation: &'static Operation) -> (&'static str, &'static str) {
    match operation.name {
        "FinishPasskeyRegistration" => ("iam", "EnableMFADevice"),
        name => (operation.service.endpoint_prefix, name),
    }
}

/// The status and code of a denial, which each protocol has its own of.
pub(crate) fn denial(operation: &Operation) -> (u16, &'static str) {
    match operation.service.protocol {
        Protocol::Query => (403, "AccessDenied"),
        Protocol::RestJson => (403, "AccessDeniedException"),
        _ => (400, "AccessDeniedException"),
    }
}

/// Operations that need no permission, and from which none can be taken away (EV-11).
pub(crate) const FREE: &[&str] = &["sts:GetCallerIdentity", "sts:GetSessionToken"];

/// Operations that always answer so to an account like ours, though they are permitted.
pub(crate) const ANSWERED: &[(&str, &str)] = &[
    ("EnableOrganizationsRootCredentialsManagement", "OrganizationNotFoundException"),
    ("DisableOrganizationsRootCredentialsManagement", "OrganizationNotFoundException"),
    ("EnableOrganizationsRootSessions", "OrganizationNotFoundException"),
    ("DisableOrganizationsRootSessions", "OrganizationNotFoundException"),
    ("ListOrganizationsFeatures", "OrganizationNotFoundException"),
    ("AssumeRoot", "AccessDenied"),
    // Somebody else asked for the report.
    ("GetServiceLastAccessedDetails", "NoSuchEntity"),
];

/// Every operation that is written and that succeeds when it is permitted.
pub(crate) fn succeeding() -> Vec<&'static Operation> {
    let mut written = implemented();
    written.retain(|operation| !ANSWERED.iter().any(|(name, _)| *name == operation.name));
    written
}

/// Whether a permitted call was answered as it should be.
pub(crate) fn is_answered(operation: &Operation, reply: &Reply) -> bool {
    match ANSWERED.iter().find(|(name, _)| *name == operation.name) {
        Some((_, code)) => reply.code == *code,
        None => reply.is_ok(),
    }
}

/// Makes a caller that may be the one to call `operation` plausibly, with these rights.
pub(crate) fn caller(
    world: &World,
    operation: &Operation,
    name: &str,
    rights: Rights<'_>,
) -> Client {
    let client = world.user(name, rights);
    if operation.name == "ChangePassword" {
        let login = [("UserName", name), ("Password", bailiwick_testkit::PASSWORD)];
        world.admin.iam("CreateLoginProfile", &login).ok();
    }
    // It is off, and cannot be switched off or shown then.
    let outbound = [
        "DisableOutboundWebIdentityFederation",
        "GetOutboundWebIdentityFederationInfo",
        "GetWebIdentityToken",
    ];
    if outbound.contains(&operation.name) {
        world.admin.iam("EnableOutboundWebIdentityFederation", &[]).ok();
    }
    client
}

/// What an operation asks when it is called plausibly by one who may do everything, and the answer.
pub(crate) fn asks(world: &World, operation: &'static Operation, set: &Furniture) -> Asked {
    asks_with(world, operation, &plausible(operation, set))
}

/// As [`asks`], with another request.
pub(crate) fn asks_with(world: &World, operation: &'static Operation, request: &Value) -> Asked {
    let world = world.fork();
    let caller = caller(&world, operation, "Caller", Rights::Inline(&allow_all()));
    let reply = caller.send(operation, request);
    Asked { asks: world.last_asks(), reply }
}

/// See [`asks`].
pub(crate) struct Asked {
    /// Pairs of action and resource.
    pub(crate) asks: Vec<(String, String)>,
    /// The answer.
    pub(crate) reply: Reply,
}

/// A policy that allows these very asks and nothing else.
pub(crate) fn allow_asks(asks: &[(String, String)]) -> String {
    let statements = asks.iter().map(
        |(action, resource)| json!({"Effect": "Allow", "Action": action, "Resource": resource}),
    );
    json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()}).to_string()
}

/// A policy that allows everything but one action.
pub(crate) fn allow_all_but(action: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "NotAction": action, "Resource": "*"}],
    })
    .to_string()
}

/// Runs `work` on so many threads at once.
pub(crate) fn parallel(threads: usize, work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..threads {
            let work = &work;
            scope.spawn(move || work(number));
        }
    });
}

/// The least request that validation accepts: required members alone.
pub(crate) fn least(operation: &Operation) -> Value {
    operation.input.map_or(Value::Struct(Vec::new()), least_structure)
}

fn least_structure(structure: &Structure) -> Value {
    let members = structure.members.iter().enumerate();
    let wanted = |at: usize, required: bool| required || (structure.union && at == 0);
    let slots =
        members.map(|(at, held)| wanted(at, held.required).then(|| least_value(held.shape)));
    Value::Struct(slots.collect())
}

fn least_value(shape: &Type) -> Value {
    let secret = shape.sensitivity == Sensitivity::Secret;
    let length = usize::try_from(shape.constraints.min.unwrap_or(1).max(1)).unwrap();
    match shape.kind {
        Kind::Boolean => Value::Bool(true),
        Kind::Integer | Kind::Long => Value::Integer(shape.constraints.min.unwrap_or(1)),
        Kind::Double => Value::Double(1.0),
        Kind::String(words) => {
            let text = words.first().map_or_else(|| fitting(shape, length), |word| (*word).into());
            if secret { Value::Secret(Secret::from(text)) } else { Value::String(text) }
        }
        Kind::Blob if secret => Value::SecretBlob(SecretBytes::from(vec![b'a'; length])),
        Kind::Blob => Value::Blob(vec![b'a'; length]),
        Kind::Timestamp(_) => Value::Timestamp(jiff::Timestamp::UNIX_EPOCH),
        Kind::List(list) => Value::List(vec![least_value(list.shape); length]),
        Kind::Map(_) => Value::Map(BTreeMap::new()),
        Kind::Structure(inner) => least_structure(inner),
    }
}

/// A text of a length that its pattern takes.
fn fitting(shape: &Type, length: usize) -> String {
    let candidates = [
        "a",
        "1",
        "A",
        "/",
        "arn:aws:iam::123456789012:user/",
        "arn:aws:access-analyzer:us-east-1:123456789012:analyzer/a",
        "arn:aws:cloudtrail:us-east-1:123456789012:trail/a",
        "arn:aws:s3:us-east-1:123456789012:a",
        "01234567-0123-0123-0123-0123456789ab",
        "o-a1a1a1a1a1/r-a1a1",
        "v1",
    ];
    for candidate in candidates {
        let text: String = candidate.chars().chain("a1".repeat(length).chars()).collect();
        for end in [length, candidate.len(), candidate.len() + 1, length + 1, length + 2] {
            let text: String = text.chars().take(end.max(1)).collect();
            let long = text.chars().count() >= length;
            if long && shape.constraints.pattern.is_none_or(|pattern| pattern.matches(&text)) {
                return text;
            }
        }
        let text = candidate.repeat(length);
        if shape.constraints.pattern.is_none_or(|pattern| pattern.matches(&text)) {
            return text;
        }
    }
    panic!("no text for `{}`: {:?}", shape.name, shape.constraints)
}
