//! What several checks share: policies with their holders, and principals with what they may do.

use std::sync::Arc;

use bailiwick_identifiers::UniqueId;
use bailiwick_policy::{Context, Document, Principal, Statement};

use super::audit::Audit;
use super::finding::Place;
use crate::escalation::{Dependence, Search, Standing};
use crate::estate::{Subject, is_service_linked};

/// What holds policies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum HolderKind {
    User,
    Group,
    Role,
}

/// A user, group or role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holder {
    /// What it is.
    pub kind: HolderKind,
    /// Its unique id.
    pub id: UniqueId,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Whether it is a service-linked role, whose policies AWS alone can change.
    pub linked: bool,
}

/// A policy, once, with what it hangs on.
#[derive(Debug)]
pub struct PolicyUse {
    /// The ARN of a managed policy, or the name of an inline one.
    pub policy: String,
    /// The version in force of a customer managed policy.
    pub version: Option<u32>,
    /// Where it comes from.
    pub origin: Origin,
    /// What it says; nothing if it cannot be read.
    pub document: Option<Arc<Document>>,
    /// Who holds it: the one holder of an inline policy, or those a managed one is attached to.
    pub holders: Vec<Holder>,
    /// How many principals it bounds.
    pub bounds: usize,
}

/// The origins of identity policies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Embedded in its holder.
    Inline,
    /// Managed by the account.
    Customer,
    /// Managed by AWS.
    Aws,
}

/// A user or role with what it may do.
#[derive(Debug)]
pub struct Access {
    /// The user or role.
    pub holder: Holder,
    /// As the engine takes it, with its policies.
    pub subject: Arc<Subject>,
    /// Whether it is an administrator.
    pub administrative: Administrative,
}

/// Whether a principal is an administrator, decided by the engine with boundary, denies, SCPs and
/// RCPs: see [`Person::standing`](crate::escalation::Person).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Administrative {
    /// It is not.
    No,
    /// It is when these context keys are as its policies ask.
    When(Vec<String>),
    /// It is.
    Always,
    /// One of its policies cannot be read.
    Unknown(String),
}

impl Administrative {
    /// Whether it is, at least sometimes.
    pub fn is(&self) -> bool {
        matches!(self, Self::When(_) | Self::Always)
    }
}

impl PolicyUse {
    /// The subject of a finding about it: the holder of an inline policy, or the policy itself.
    pub fn subject(&self) -> &str {
        match (self.origin, self.holders.first()) {
            (Origin::Inline, Some(holder)) => &holder.arn,
            _ => &self.policy,
        }
    }

    /// Its statements with their numbers; none if it cannot be read.
    pub fn statements(&self) -> impl Iterator<Item = (usize, &Statement)> {
        self.document.iter().flat_map(|document| document.statements().iter().enumerate())
    }

    /// The place of a statement.
    pub fn place(&self, number: usize) -> Place {
        let statement = self.document.as_ref().and_then(|d| Some((d, d.statements().get(number)?)));
        let text = statement.map(|(document, statement)| excerpt(document, statement));
        Place {
            policy: self.policy.clone(),
            version: self.version.map(|version| format!("v{version}")),
            statement: Some(number),
            sid: statement.and_then(|(_, statement)| statement.sid().map(ToOwned::to_owned)),
            text: text.unwrap_or_default(),
        }
    }
}

/// How much of a statement is shown.
const EXCERPT: usize = 400;

/// A statement as it is written, on one line and cut where it is long.
pub fn excerpt(document: &Document, statement: &Statement) -> String {
    let bytes = statement.bytes();
    let (start, end) = (bytes.start as usize, bytes.end as usize);
    let whole = document.source().get(start..end).unwrap_or_default();
    // Some statements of AWS are long.
    let text = whole.get(..whole.floor_char_boundary(4 * EXCERPT)).unwrap_or(whole);
    let mut shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if shown.len() > EXCERPT || text.len() < whole.len() {
        shown.truncate(shown.floor_char_boundary(EXCERPT));
        shown.push('…');
    }
    shown
}

/// Every identity policy of the account: inline ones, customer managed ones, and those of AWS that
/// are attached.
pub(super) fn policies(audit: &Audit<'_>) -> Vec<PolicyUse> {
    let estate = &audit.evidence.estate;
    let account = &estate.account;
    let holders = holders(audit);
    let mut found = Vec::new();
    for holder in holders.values() {
        for policy in account.inline_policies(holder.id) {
            found.push(PolicyUse {
                policy: policy.name.as_str().to_owned(),
                version: None,
                origin: Origin::Inline,
                document: policy.document.document().ok().cloned(),
                holders: vec![holder.clone()],
                bounds: 0,
            });
        }
    }
    for policy in account.policies() {
        let arn = account.policy_arn(policy);
        let version = account.version(policy.id, policy.default_version);
        let attached = account.attached_to(&arn).filter_map(|id| holders.get(&id).cloned());
        found.push(PolicyUse {
            policy: arn.as_str().to_owned(),
            version: Some(policy.default_version),
            origin: Origin::Customer,
            document: version.and_then(|version| version.document.document().ok().cloned()),
            holders: attached.collect(),
            bounds: account.bounded_by(&arn).count(),
        });
    }
    let mut of_aws = std::collections::BTreeMap::new();
    for holder in holders.values() {
        for arn in account.attached(holder.id).filter(|arn| arn.account() == "aws") {
            let entry = of_aws.entry(arn.clone()).or_insert_with(Vec::new);
            entry.push(holder.clone());
        }
    }
    for (arn, holders) in of_aws {
        found.push(PolicyUse {
            policy: arn.as_str().to_owned(),
            version: None,
            origin: Origin::Aws,
            document: estate.managed.document(&arn),
            bounds: account.bounded_by(&arn).count(),
            holders,
        });
    }
    found
}

fn holders(audit: &Audit<'_>) -> std::collections::BTreeMap<UniqueId, Holder> {
    let account = &audit.evidence.estate.account;
    let holder = |kind, id, name: &str, arn: &str, linked| {
        (id, Holder { kind, id, name: name.to_owned(), arn: arn.to_owned(), linked })
    };
    let users = account.users().map(|user| {
        let arn = account.user_arn(user);
        holder(HolderKind::User, user.id, user.name.as_str(), arn.as_str(), false)
    });
    let groups = account.groups().map(|group| {
        let arn = account.group_arn(group);
        holder(HolderKind::Group, group.id, group.name.as_str(), arn.as_str(), false)
    });
    let roles = account.roles().map(|role| {
        let arn = account.role_arn(role);
        let linked = is_service_linked(role);
        holder(HolderKind::Role, role.id, role.name.as_str(), arn.as_str(), linked)
    });
    users.chain(groups).chain(roles).collect()
}

/// Every user and role with what it may do.
pub(super) fn principals(search: &Search<'_>) -> Vec<Access> {
    let each = search.people().map(|person| {
        let subject = person.subject;
        let (kind, name) = match &subject.principal {
            Principal::User { name, .. } => (HolderKind::User, name),
            Principal::Role { name, .. } => (HolderKind::Role, name),
            _ => return None,
        };
        let administrative = match (&subject.effective.unreadable, person.standing) {
            (Some(source), _) => {
                Administrative::Unknown(format!("the policy `{}` cannot be read", source.id))
            }
            (None, Standing::No) => Administrative::No,
            (None, Standing::Yes) => Administrative::Always,
            (None, Standing::Conditional(on)) => {
                let keys = on.into_iter().map(|on| match on {
                    Dependence::Key { key, .. } => key,
                    Dependence::Thing { exists } => exists,
                });
                Administrative::When(keys.collect())
            }
        };
        let (name, arn) = (name.to_string(), subject.arn().to_owned());
        let holder = Holder { kind, id: person.id, name, arn, linked: subject.linked };
        Some(Access { holder, subject: Arc::clone(subject), administrative })
    });
    each.flatten().collect()
}

/// Whether a pattern of `*` and `?` covers a text, without regard to case: an entry of Action an
/// action, say.
pub(crate) fn names(entry: &str, action: &str) -> bool {
    let (entry, action) = (entry.as_bytes(), action.as_bytes());
    let (mut e, mut a) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while a < action.len() {
        match (entry.get(e), action.get(a)) {
            (Some(b'*'), _) => {
                back = Some((e, a));
                e += 1;
            }
            (Some(p), Some(b)) if *p == b'?' || p.eq_ignore_ascii_case(b) => {
                e += 1;
                a += 1;
            }
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                e = star + 1;
                a = from + 1;
            }
        }
    }
    entry.get(e..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// Sets the keys that a request with MFA carries.
pub fn with_mfa(context: &mut Context) {
    context.put("aws:MultiFactorAuthPresent", "true");
    context.put("aws:MultiFactorAuthAge", "60");
}

/// Sets each key that a statement's conditions name to a value that fits, as far as one can be
/// read off; answers the keys.
pub fn satisfy(context: &mut Context, statement: &Statement, now: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for condition in statement.conditions() {
        let operator = condition.operator.rsplit(':').next().unwrap_or_default();
        let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
        let Some(value) = condition.values.first() else { continue };
        let value = match operator {
            "Null" if value.eq_ignore_ascii_case("true") => continue,
            "Null" => "true".to_owned(),
            "IpAddress" => value.split('/').next().unwrap_or_default().to_owned(),
            "NotIpAddress" => "192.0.2.1".to_owned(),
            "StringLike" | "ArnLike" | "ArnEquals" => value.replace(['*', '?'], "x"),
            "NumericLessThan" => "0".to_owned(),
            "NumericGreaterThan" => "2000000000".to_owned(),
            _ if operator.starts_with("Date") => now.to_owned(),
            "NumericNotEquals" => "-1".to_owned(),
            _ if operator.contains("Not") => "bailiwick-other".to_owned(),
            _ => value.to_string(),
        };
        context.put(&*condition.key, &value);
        keys.push(condition.key.to_string());
    }
    keys
}

/// Puts the caller's own keys in place of those that were set to fit: nobody is somebody else.
pub(super) fn own_caller(context: &mut Context, subject: &Subject) {
    let keys: Vec<String> = context.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        let folded = key.to_ascii_lowercase();
        if folded.starts_with("aws:principal") || matches!(&*folded, "aws:userid" | "aws:username")
        {
            context.remove(&key);
        }
    }
    let own = subject.context();
    for (key, values) in own.iter() {
        match values.as_slice() {
            [one] => context.put(key, one),
            many => context.put_list(key, many.iter().copied()),
        }
    }
}

/// Whether a resource pattern covers every resource of its service.
pub fn is_every_resource(pattern: &str) -> bool {
    let mut fields = pattern.splitn(6, ':');
    match (fields.next(), fields.nth(4)) {
        (Some("arn"), Some(resource)) => {
            pattern.splitn(6, ':').skip(3).take(2).all(|field| field.is_empty() || field == "*")
                && resource.trim_matches('*').is_empty()
        }
        (Some(whole), _) => !whole.is_empty() && whole.trim_matches('*').is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_actions() {
        for (entry, expected) in [
            ("*", true),
            ("iam:*", true),
            ("IAM:putuserpolicy", true),
            ("iam:Put*Policy", true),
            ("iam:Put?serPolicy", true),
            ("iam:Put*Role*", false),
            ("iam:PutUserPolic", false),
            ("s3:*", false),
            ("", false),
        ] {
            assert_eq!(names(entry, "iam:PutUserPolicy"), expected, "{entry}");
        }
    }

    #[test]
    fn patterns_of_all() {
        for (pattern, expected) in [
            ("*", true),
            ("**", true),
            ("arn:aws:s3:::*", true),
            ("arn:aws:kms:*:*:*", true),
            ("arn:aws:kms:*:123456789012:*", false),
            ("arn:aws:kms:*:*:key/*", false),
            ("arn:aws:s3:::b/*", false),
            ("", false),
        ] {
            assert_eq!(is_every_resource(pattern), expected, "{pattern}");
        }
    }
}
