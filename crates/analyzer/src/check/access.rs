//! CheckAccessNotGranted: a policy against actions and resources.

use bailiwick_symbolic as symbolic;

use super::{CheckFault, Checked, Kind, Words, conclude, read};

/// Actions and resources that a policy must not grant: any of the actions on any of the resources.
/// No actions means any action, no resources any resource.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Access {
    /// Actions with their services, as in a policy, wildcards too. At most 100.
    pub actions: Vec<String>,
    /// ARNs as in a policy, or `*`. At most 100, of at most 2,048 characters.
    pub resources: Vec<String>,
}

/// How many sets of access the API takes.
const MAX_ACCESS: usize = 1;
/// How many actions or resources it takes.
const MAX_ENTRIES: usize = 100;
/// How long a resource may be.
const MAX_RESOURCE: usize = 2_048;

/// Checks that a policy allows nobody any of the actions on any of the resources.
///
/// # Errors
/// The text is no policy, `access` is not what a policy could have, or is more than the API takes.
pub fn access_not_granted(
    policy: &str,
    access: &[Access],
    kind: Kind,
) -> Result<Checked, CheckFault> {
    let at_most = |parameter, found, most| {
        if found > most { Err(CheckFault::TooMany { parameter, found, most }) } else { Ok(()) }
    };
    at_most("access", access.len(), MAX_ACCESS)?;
    let access = access.first().ok_or(CheckFault::NoAccess)?;
    at_most("actions", access.actions.len(), MAX_ENTRIES)?;
    at_most("resources", access.resources.len(), MAX_ENTRIES)?;
    let policy = read(policy, kind.document(), "policyDocument")?;
    if access.actions.is_empty() && access.resources.is_empty() {
        return Err(CheckFault::NoAccess);
    }
    for action in &access.actions {
        action_fits(action)?;
    }
    for resource in &access.resources {
        resource_fits(resource)?;
    }
    let actions: Vec<&str> = access.actions.iter().map(String::as_str).collect();
    let resources: Vec<&str> = access.resources.iter().map(String::as_str).collect();
    let asked = symbolic::Access { actions: &actions, resources: &resources };
    let found = symbolic::Asker::default().granting(std::slice::from_ref(&policy), &[asked]);
    let found = found.map_err(|error| CheckFault::Policy { parameter: "access", error })?;
    let words = if access.resources.is_empty() {
        Words {
            pass: "The policy document does not grant access to perform the listed actions or resources.",
            fail: "The policy document grants access to perform one or more of the listed actions.",
            reason: "One or more of the listed actions in the statement",
        }
    } else {
        Words {
            pass: "The policy document does not grant access to perform the listed actions or resources.",
            fail: "The policy document grants access to perform one or more of the listed actions or resources.",
            reason: "One or more of the listed actions or resources in the statement",
        }
    };
    Ok(conclude(found, &policy, &words))
}

fn action_fits(action: &str) -> Result<(), CheckFault> {
    let wrong = |problem| {
        Err(CheckFault::Entry { parameter: "actions", value: action.to_owned(), problem })
    };
    if action == "*" {
        return Ok(());
    }
    match action.split_once(':') {
        None => wrong("an action has a service prefix"),
        Some((service, name)) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
            let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '?');
            if service.is_empty() || !service.chars().all(plain) {
                wrong("the service prefix has letters, digits and hyphens only")
            } else if name.is_empty() || !name.chars().all(named) {
                wrong("the name of an action has letters, digits and wildcards only")
            } else {
                Ok(())
            }
        }
    }
}

/// Wildcards may stand in the resource's id only (documented).
fn resource_fits(resource: &str) -> Result<(), CheckFault> {
    let wrong = |problem| {
        Err(CheckFault::Entry { parameter: "resources", value: resource.to_owned(), problem })
    };
    let found = resource.chars().count();
    if found > MAX_RESOURCE {
        return Err(CheckFault::TooLong { found, most: MAX_RESOURCE });
    }
    if resource == "*" {
        return Ok(());
    }
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", head @ .., _] if head.len() == 4 => {
            if head.iter().any(|field| field.contains(['*', '?'])) {
                return wrong("wildcards may stand in the last part of an ARN only");
            }
            let [partition, service, ..] = head else { return Ok(()) };
            if partition.is_empty() || service.is_empty() {
                return wrong("an ARN names a partition and a service");
            }
            Ok(())
        }
        _ => wrong("it is neither an ARN nor `*`"),
    }
}
