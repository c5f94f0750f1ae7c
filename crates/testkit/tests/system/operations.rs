//! What the tests over all operations share: which there are, who may call them, and what they ask.

use bailiwick_testkit::{Client, Furniture, Reply, Rights, World, allow_all, plausible};
use bailiwick_wire::generated::SERVICES;
use bailiwick_wire::schema::Operation;

/// Every operation that is written.
pub fn implemented() -> Vec<&'static Operation> {
    let services = SERVICES.iter();
    let written = services.flat_map(|service| {
        let names = bailiwick_services::implemented(service.name);
        names.into_iter().map(|name| service.operation(name).unwrap())
    });
    written.collect()
}

/// Every operation that is not.
pub fn missing() -> Vec<&'static Operation> {
    let written = implemented();
    let all = SERVICES.iter().flat_map(|service| service.operations.iter().copied());
    all.filter(|one| !written.iter().any(|other| std::ptr::eq(*one, *other))).collect()
}

/// `iam:CreateUser`.
pub fn full_name(operation: &Operation) -> String {
    format!("{}:{}", operation.service.name, operation.name)
}

/// Operations that need no permission (EV-11).
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
    let world = world.fork();
    let caller = caller(&world, operation, "Caller", Rights::Inline(&allow_all()));
    let reply = caller.send(operation, &plausible(operation, set));
    Asked { asks: world.last_asks(), reply }
}

/// See [`asks`].
pub struct Asked {
    /// Pairs of action and resource.
    pub asks: Vec<(String, String)>,
    /// The answer.
    pub reply: Reply,
}
