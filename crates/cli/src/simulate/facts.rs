//! What the catalog knows about a question: names that no service has, resources that an action
//! does not take, keys that it does not know. Notes, never errors: services are newer than any
//! catalog, and the decision stands.

use std::collections::BTreeSet;

use bailiwick_catalog::{Action, Catalog, ResourceType, Service};

use super::nearest::nearest;

/// Why a text is no action that can be asked about.
///
/// # Errors
/// It has no service prefix, or a wildcard.
pub(crate) fn check_action(action: &str) -> Result<(), String> {
    if action.contains(['*', '?']) {
        return Err(format!("`{action}`: a request has one action, without wildcards"));
    }
    match action.split_once(':') {
        Some((service, name)) if !service.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(format!("`{action}` is no action: write it as `s3:GetObject`")),
    }
}

/// Whether the catalog has an action.
///
/// # Errors
/// What there is to say about one that it does not have.
pub(crate) fn known_action(action: &str) -> Result<(), String> {
    find(action).map(drop)
}

/// What there is to say about a context key that nobody documents. Keys of identity providers are
/// named after their hosts, and any host may be one.
pub(crate) fn unknown_key(key: &str) -> Option<String> {
    let catalog = Catalog::embedded();
    let provider = key.split_once(':').is_some_and(|(head, _)| head.contains(['.', '/']));
    if provider || catalog.condition_key(key).is_some() {
        return None;
    }
    let names = catalog.condition_keys().map(|key| &*key.name);
    Some(unknown(&format!("there is no context key `{key}`"), nearest(key, names)))
}

/// The most notes of one question or test: to look for the nearest of many names takes time.
pub(crate) const MOST_NOTES: usize = 100;

/// What there is to say about these actions on these resources with these keys. `naming` is how a
/// resource is given, such as `--resource`.
pub(crate) fn notes(
    actions: &[String],
    resources: &[String],
    keys: &BTreeSet<&str>,
    naming: &str,
) -> BTreeSet<String> {
    let mut notes = BTreeSet::new();
    for action in actions {
        match find(action) {
            // An action that is not known is not known on any resource.
            Err(note) => notes.extend([note]),
            Ok((service, found)) => {
                let about = |one: &String| about_resource(service, found, one, naming);
                notes.extend(resources.iter().filter_map(about).take(MOST_NOTES));
            }
        }
        if notes.len() >= MOST_NOTES {
            break;
        }
        for key in keys {
            notes.extend(about_key(action, key));
            if notes.len() >= MOST_NOTES {
                return notes;
            }
        }
    }
    notes
}

/// The catalog's entry of an action.
///
/// # Errors
/// What there is to say about one that it does not have.
fn find(action: &str) -> Result<(&'static Service, &'static Action), String> {
    let catalog = Catalog::embedded();
    let (prefix, name) = action.split_once(':').unwrap_or((action, ""));
    let Some(service) = catalog.service(prefix) else {
        let known = catalog.services().map(Service::prefix);
        let meant = nearest(prefix, known).map(|found| format!("{found}:{name}"));
        return Err(unknown(&format!("no service has the prefix `{prefix}`"), meant.as_deref()));
    };
    let Some(found) = service.action(name) else {
        let known = service.actions().map(|action| &*action.name);
        let meant = nearest(name, known).map(|found| format!("{}:{found}", service.prefix()));
        return Err(unknown(&format!("{prefix} has no action `{name}`"), meant.as_deref()));
    };
    Ok((service, found))
}

/// What there is to say about a context key in a request for an action.
fn about_key(action: &str, key: &str) -> Option<String> {
    let catalog = Catalog::embedded();
    let Some(known) = catalog.condition_key(key) else {
        let names = catalog.condition_keys().map(|key| &*key.name);
        return Some(unknown(&format!("there is no context key `{key}`"), nearest(key, names)));
    };
    // A global key may come with any action; which do is not written down for all.
    if known.is_global() {
        return None;
    }
    let (prefix, name) = action.split_once(':')?;
    let service = catalog.service(prefix)?;
    let found = service.action(name)?;
    let same = |other: &str| other.eq_ignore_ascii_case(&known.name);
    let direct = found.condition_keys.iter().any(|key| same(key));
    let through = found.resource_types.iter().any(|resource| {
        let kind = service.resource_type(&resource.name);
        resource.condition_keys.iter().any(|key| same(key))
            || kind.is_some_and(|kind| kind.condition_keys.iter().any(|key| same(key)))
    });
    let by_service =
        !known.name.to_ascii_lowercase().starts_with(&format!("{}:", prefix.to_ascii_lowercase()));
    // Keys of other services, such as those of federation, live in the session.
    if direct || through || by_service {
        return None;
    }
    let keys = keys_of(service, found);
    let meant = nearest(key, keys.iter().map(|key| &**key).filter(|key| !same(key)));
    Some(unknown(
        &format!("{}:{} does not know the context key `{key}`", service.prefix(), found.name),
        meant,
    ))
}

/// The keys that a request for an action may carry.
fn keys_of<'a>(service: &'a Service, action: &'a Action) -> Vec<&'a str> {
    let of_types = action.resource_types.iter().flat_map(|resource| {
        let kind = service.resource_type(&resource.name);
        resource
            .condition_keys
            .iter()
            .chain(kind.into_iter().flat_map(|kind| kind.condition_keys.iter()))
    });
    action.condition_keys.iter().chain(of_types).map(|key| &**key).collect()
}

/// Actions that name no resource in the catalog and are not decided on `*` (IN-4, IN-8), with what
/// the sixth field of their resource begins with.
const LISTS: [(&str, &str, &str); 7] = [
    ("iam", "ListGroups", "group/"),
    ("iam", "ListInstanceProfiles", "instance-profile/"),
    ("iam", "ListRoles", "role/"),
    ("iam", "ListServerCertificates", "server-certificate/"),
    ("iam", "ListUsers", "user/"),
    ("iam", "ListVirtualMFADevices", "mfa/"),
    ("s3", "ListAllMyBuckets", "*"),
];

/// What there is to say about an action on a resource.
fn about_resource(
    service: &Service,
    action: &Action,
    resource: &str,
    naming: &str,
) -> Option<String> {
    let (prefix, name) = (service.prefix(), &action.name);
    let listed = |(of, list, _): &&(&str, &str, &str)| *of == prefix && *list == &**name;
    if let Some((_, _, head)) = LISTS.iter().find(listed) {
        return about_list(prefix, name, head, resource, naming);
    }
    if resource == "*" && prefix == "sts" && name.starts_with("AssumeRole") {
        return Some(format!(
            "{prefix}:{name} is asked on `*`, where no trust policy applies: name the role with \
             {naming} ROLE_ARN"
        ));
    }
    let types: Vec<&ResourceType> = action
        .resource_types
        .iter()
        .filter_map(|resource| service.resource_type(&resource.name))
        .collect();
    if action.resource_types.is_empty() {
        // IN-4
        let note = format!("{prefix}:{name} names no resource: its requests are for `*`");
        return (resource != "*").then_some(note);
    }
    if resource == "*"
        || types.is_empty()
        || types.iter().any(|kind| fits(&kind.arn_pattern, resource))
    {
        return None;
    }
    let mut told: Vec<_> = action.resource_types.iter().collect();
    told.sort_by_key(|resource| !resource.required);
    let told = told.iter().filter_map(|resource| service.resource_type(&resource.name));
    let mut shapes: Vec<String> =
        told.take(2).map(|kind| format!("{} ({})", kind.name, kind.arn_pattern)).collect();
    if types.len() > shapes.len() {
        shapes.push(format!("{} more", types.len() - shapes.len()));
    }
    Some(format!("`{resource}` is not what {prefix}:{name} works on: {}", shapes.join(" or ")))
}

/// What there is to say about the resource of a list.
fn about_list(
    prefix: &str,
    name: &str,
    head: &str,
    resource: &str,
    naming: &str,
) -> Option<String> {
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    let fine = match fields.as_slice() {
        ["arn", _, service, _, _, rest] if head == "*" => *service == prefix && *rest == head,
        ["arn", _, service, _, _, rest] => *service == prefix && rest.starts_with(head),
        _ => false,
    };
    let meant = if head == "*" {
        format!("`arn:aws:{prefix}:::*`")
    } else {
        format!("the path that is listed, such as `arn:aws:{prefix}::ACCOUNT:{head}`")
    };
    let note = format!("{prefix}:{name} is decided on {meant}: name it with {naming}");
    (!fine).then_some(note)
}

/// Whether an ARN has the shape of a pattern such as `arn:${Partition}:s3:::${BucketName}`. A
/// variable stands for one character or more, and not for a colon before the last field.
fn fits(pattern: &str, arn: &str) -> bool {
    let mut fields = arn.splitn(6, ':');
    let mut shapes = Vec::new();
    let mut rest = pattern;
    // Colons inside variables do not separate fields.
    for _ in 0..5 {
        let Some(at) = colon(rest) else { break };
        let (head, tail) = rest.split_at(at);
        shapes.push(head);
        rest = tail.get(1..).unwrap_or_default();
    }
    shapes.push(rest);
    shapes.iter().all(|shape| fields.next().is_some_and(|field| like(shape, field)))
        && fields.next().is_none()
}

fn colon(text: &str) -> Option<usize> {
    let mut inside = false;
    text.char_indices().find_map(|(at, c)| {
        inside = (inside || c == '{') && c != '}';
        (c == ':' && !inside).then_some(at)
    })
}

/// One field: literal texts with a variable between each two of them.
fn like(shape: &str, field: &str) -> bool {
    let mut literals = Vec::new();
    let mut rest = shape;
    while let Some((literal, tail)) = rest.split_once("${") {
        literals.push(literal);
        rest = tail.split_once('}').map_or("", |(_, tail)| tail);
    }
    let Some(found) = field.strip_prefix(literals.first().copied().unwrap_or(rest)) else {
        return false;
    };
    if literals.is_empty() {
        return found.is_empty();
    }
    let mut found = found;
    for literal in literals.iter().skip(1) {
        // The variable before the literal takes one character at least.
        let mut chars = found.chars();
        if chars.next().is_none() {
            return false;
        }
        let Some(at) = chars.as_str().find(literal) else { return false };
        found = chars.as_str().get(at + literal.len()..).unwrap_or_default();
    }
    let last = found.strip_suffix(rest);
    last.is_some_and(|last| !last.is_empty())
}

fn unknown(what: &str, meant: Option<&str>) -> String {
    let known = format!("{what} in the catalog of {}", Catalog::embedded().date());
    match meant {
        Some(meant) => format!("{known}; did you mean `{meant}`?"),
        None => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Mission row M23: every service of the service authorization reference is known.
    #[test]
    fn m23_names_and_resources_of_any_service() {
        for (action, resource, expected) in [
            ("s3:GetObject", "arn:aws:s3:::bucket/key", None),
            ("S3:getobject", "*", None),
            ("s3:GetObjct", "*", Some("did you mean `s3:GetObject`?")),
            ("s4:GetObject", "*", Some("no service has the prefix `s4`")),
            ("iam:CreateUsr", "*", Some("did you mean `iam:CreateUser`?")),
            ("bedrock:InvokeModl", "*", Some("did you mean `bedrock:InvokeModel`?")),
            ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:q", None),
            ("sqs:SendMessage", "arn:aws:sns:eu-west-1:123456789012:q", Some("works on")),
            ("ec2:DescribeInstances", "arn:aws:s3:::bucket", Some("requests are for `*`")),
            ("s3:ListAllMyBuckets", "arn:aws:s3:::bucket", Some("decided on `arn:aws:s3:::*`")),
            ("s3:ListAllMyBuckets", "arn:aws:s3:::*", None),
            ("iam:ListRoles", "*", Some("such as `arn:aws:iam::ACCOUNT:role/`: name it with -r")),
            ("iam:ListRoles", "arn:aws:iam::123456789012:role/team/", None),
            ("iam:ListRoles", "arn:aws:iam::123456789012:user/", Some("the path that is listed")),
            ("iam:ListPolicies", "*", None),
            ("sts:AssumeRoleWithSAML", "*", Some("name the role with -r ROLE_ARN")),
            ("sts:AssumeRole", "arn:aws:iam::123456789012:role/r", None),
            ("iam:GetUser", "arn:aws:iam::123456789012:user/team/alice", None),
            ("iam:GetUser", "arn:aws:iam::123456789012:role/alice", Some("works on")),
        ] {
            let found = match find(action) {
                Ok((service, found)) => about_resource(service, found, resource, "-r"),
                Err(note) => Some(note),
            };
            match expected {
                None => assert_eq!(found, None, "{action}"),
                Some(part) => {
                    assert!(
                        found.clone().unwrap_or_default().contains(part),
                        "{action}: {found:?}"
                    );
                }
            }
        }
        assert!(check_action("s3:Get*").is_err() && check_action("GetObject").is_err());
        assert!(check_action("s3:GetObject").is_ok());
    }

    #[test]
    fn m23_keys_are_known_for_each_action() {
        for (action, key, expected) in [
            ("s3:ListBucket", "s3:prefix", None),
            ("s3:ListBucket", "AWS:sourceip", None),
            ("s3:ListBucket", "aws:SourcIp", Some("did you mean `aws:SourceIp`?")),
            ("s3:ListBucket", "s3:x-amz-storage-class", Some("does not know")),
            ("ec2:RunInstances", "ec2:InstanceType", None),
            ("ec2:RunInstances", "ec2:ResourceTag/team", None),
            ("ec2:RunInstances", "ec2:InstnceType", Some("did you mean `ec2:InstanceType`?")),
            ("s3:GetObject", "accounts.google.com:sub", None),
        ] {
            let found = about_key(action, key);
            match expected {
                None => assert_eq!(found, None, "{action} {key}"),
                Some(part) => {
                    assert!(found.clone().unwrap_or_default().contains(part), "{key}: {found:?}");
                }
            }
        }
    }
}
