//! What the tests over all operations share: which there are, who may call them, and what they ask.

use bailiwick_testkit::{Client, Furniture, Reply, Rights, World, allow_all, plausible};
use bailiwick_wire::Value;
use bailiwick_wire::generated::SERVICES;
use bailiwick_wire::schema::Operation;
use serde_json::json;

/// Every operation that is written.
pub fn implemented() -> Vec<&'static Operation> {
    let services = SERVICES.iter();
    let written = services.flat_map(|service| {
        let names = bailiwick_services::implemented(service.name);
        names.into_iter().map(|name| service.operation(name).unwrap())
    });
    written.collect()
}

/// Every operation of every service.
pub fn all() -> Vec<&'static Operation> {
    SERVICES.iter().flat_map(|service| service.operations.iter().copied()).collect()
}

/// Every operation that is not written.
pub fn missing() -> Vec<&'static Operation> {
    let written = implemented();
    let is_written = |one: &Operation| written.iter().any(|other| std::ptr::eq(one, *other));
    all().into_iter().filter(|one| !is_written(one)).collect()
}

/// `iam:CreateUser`.
pub fn full_name(operation: &Operation) -> String {
    format!("{}:{}", operation.service.name, operation.name)
}

/// Operations that need no permission, and from which none can be taken away (EV-11).
pub const FREE: &[&str] = &["sts:GetCallerIdentity", "sts:GetSessionToken"];

/// Makes a caller that may be the one to call `operation` plausibly, with these rights.
pub fn caller(world: &World, operation: &Operation, name: &str, rights: Rights<'_>) -> Client {
    let client = world.user(name, rights);
    if operation.name == "ChangePassword" {
        let login = [("UserName", name), ("Password", bailiwick_testkit::PASSWORD)];
        world.admin.iam("CreateLoginProfile", &login).ok();
    }
    client
}

/// What an operation asks when it is called plausibly by one who may do everything, and the answer.
pub fn asks(world: &World, operation: &'static Operation, set: &Furniture) -> Asked {
    asks_with(world, operation, &plausible(operation, set))
}

/// As [`asks`], with another request.
pub fn asks_with(world: &World, operation: &'static Operation, request: &Value) -> Asked {
    let world = world.fork();
    let caller = caller(&world, operation, "Caller", Rights::Inline(&allow_all()));
    let reply = caller.send(operation, request);
    Asked { asks: world.last_asks(), reply }
}

/// See [`asks`].
pub struct Asked {
    /// Pairs of action and resource.
    pub asks: Vec<(String, String)>,
    /// The answer.
    pub reply: Reply,
}

/// A policy that allows these very asks and nothing else.
pub fn allow_asks(asks: &[(String, String)]) -> String {
    let statements = asks.iter().map(
        |(action, resource)| json!({"Effect": "Allow", "Action": action, "Resource": resource}),
    );
    json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()}).to_string()
}

/// A policy that allows everything but one action.
pub fn allow_all_but(action: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "NotAction": action, "Resource": "*"}],
    })
    .to_string()
}

/// Runs `work` on so many threads at once.
pub fn parallel(threads: usize, work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..threads {
            let work = &work;
            scope.spawn(move || work(number));
        }
    });
}
