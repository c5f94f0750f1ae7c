//! Account exports: each of their forms, what is wrong or missing in them, and the round trip.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod forms;
mod gaps;
mod round_trip;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::Arn;
use bailiwick_model::export::{ExportError, ExportFile, Imported, read};
use bailiwick_model::{Account, Effective, ManagedPolicies, Role, User};
use bailiwick_policy::{
    Attached, Context, Decision, Principal, Request, Source, SourceKind, decide,
};
use serde_json::Value;

const ACCOUNT: &str = "123456789012";

fn import(files: &[&str]) -> Result<Imported, ExportError> {
    let names: Vec<String> = (1..=files.len()).map(|number| format!("page{number}.json")).collect();
    let files: Vec<_> = names
        .iter()
        .zip(files)
        .map(|(name, text)| ExportFile { name, bytes: text.as_bytes() })
        .collect();
    read(&files, Catalog::embedded())
}

fn good(files: &[&str]) -> Imported {
    import(files).unwrap()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn arn(text: &str) -> Arn {
    text.parse().unwrap()
}

/// What the policies of a principal say to an action on any resource.
fn ask(imported: &Imported, who: &Principal, action: &str) -> Decision {
    ask_in(&imported.account, &imported.managed, who, action, "*", None)
}

fn ask_in(
    account: &Account,
    managed: &ManagedPolicies,
    who: &Principal,
    action: &str,
    resource: &str,
    trust: Option<&Role>,
) -> Decision {
    let effective = match who {
        Principal::User { id, .. } => Effective::of_user(account, managed, *id),
        Principal::Role { id, .. } | Principal::Session { role_id: id, .. } => {
            Effective::of_role(account, managed, *id)
        }
        _ => Effective::default(),
    };
    let source = Source::new("trust", SourceKind::Trust);
    let mut applicable = effective.applicable();
    if let Some(role) = trust {
        match role.trust.document() {
            Ok(document) => applicable.resource = Some(Attached { source: &source, document }),
            Err(_) => applicable.unreadable = Some(&source),
        }
    }
    let mut context = Context::new();
    context.put_principal(who);
    context.put("aws:CurrentTime", "2026-05-05T00:00:00Z");
    decide(
        &Request {
            principal: who,
            action,
            resource,
            resource_account: Some(account.id()),
            context: &context,
            delegated: trust.is_some(),
        },
        &applicable,
    )
}

fn as_user(account: &Account, user: &User) -> Principal {
    Principal::User {
        arn: account.user_arn(user).as_str().into(),
        id: user.id,
        account: account.id(),
        name: user.name.as_str().into(),
    }
}

fn as_role(account: &Account, role: &Role) -> Principal {
    Principal::Role {
        arn: account.role_arn(role).as_str().into(),
        id: role.id,
        account: account.id(),
        name: role.name.as_str().into(),
    }
}
