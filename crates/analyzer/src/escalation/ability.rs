//! Which of the table's actions a document could allow at all: a quick filter before the engine is
//! asked.
//!
//! The answer is never too small. Whether a request is allowed is for the engine alone.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use bailiwick_model::Effective;
use bailiwick_policy::{Document, Effect, Statement};

use super::common::covers;
use super::table::ROWS;
use crate::estate::Organization;

/// A set of the actions of interest.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Actions([u64; 3]);

impl Actions {
    pub(super) const ALL: Self = Self([u64::MAX; 3]);

    pub(super) fn has(self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(super) fn put(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        let mut all = self.0;
        all.iter_mut().zip(other.0).for_each(|(word, with)| *word &= with);
        Self(all)
    }

    pub(super) fn or(self, other: Self) -> Self {
        let mut all = self.0;
        all.iter_mut().zip(other.0).for_each(|(word, with)| *word |= with);
        Self(all)
    }

    fn without(self, other: Self) -> Self {
        let mut all = self.0;
        all.iter_mut().zip(other.0).for_each(|(word, with)| *word &= !with);
        Self(all)
    }

    /// Whether all of `other` are here.
    pub(super) fn covers(self, other: Self) -> bool {
        self.and(other) == other
    }

    /// How many of `other` are here.
    pub(super) fn common(self, other: Self) -> u32 {
        self.and(other).0.iter().map(|word| word.count_ones()).sum()
    }

    /// How many there are.
    pub(super) fn len(self) -> u32 {
        self.common(Self::ALL)
    }

    /// Whether it can do this action.
    pub(super) fn can(self, action: &str) -> bool {
        number(action).is_some_and(|at| self.has(at))
    }
}

/// Actions beside those of the table that a step may need.
const HELPERS: [&str; 4] =
    ["iam:CreatePolicy", "iam:CreateRole", "iam:CreateUser", "iam:DeletePolicyVersion"];

/// Actions by which a principal takes away what holds it back.
const LIFTERS: [&str; 15] = [
    "iam:DeleteGroupPolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachGroupPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:RemoveUserFromGroup",
    "iam:TagRole",
    "iam:TagUser",
    "iam:UntagRole",
    "iam:UntagUser",
];

/// The same as a set.
pub(super) static LIFTING: LazyLock<Actions> = LazyLock::new(|| set(&LIFTERS));

/// Actions of many services, of which whoever may do everything may do most.
pub(super) const BREADTH: [&str; 9] = [
    "cloudwatch:PutMetricData",
    "dynamodb:DeleteTable",
    "ec2:TerminateInstances",
    "kms:CreateKey",
    "logs:DeleteLogGroup",
    "rds:DeleteDBInstance",
    "s3:DeleteBucket",
    "sns:Publish",
    "sqs:PurgeQueue",
];

/// In lower case, sorted, each once.
static UNIVERSE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let rows = ROWS.iter().flat_map(|row| row.actions.iter());
    let all = rows
        .chain(&HELPERS)
        .chain(&LIFTERS)
        .chain(&BREADTH)
        .map(|action| action.to_ascii_lowercase());
    let mut all: Vec<String> = all.collect();
    all.sort_unstable();
    all.dedup();
    all
});

/// The number of an action in the sets, whatever its case.
pub(super) fn number(action: &str) -> Option<usize> {
    let folded = action.to_ascii_lowercase();
    UNIVERSE.binary_search(&folded).ok()
}

/// The set of some actions.
pub(super) fn set(actions: &[&str]) -> Actions {
    let mut set = Actions::default();
    for at in actions.iter().filter_map(|action| number(action)) {
        set.put(at);
    }
    set
}

/// The sets of what the rows need, in their order.
pub(super) static NEEDS: LazyLock<Vec<Actions>> =
    LazyLock::new(|| ROWS.iter().map(|row| set(row.actions)).collect());

/// What documents could allow, each looked at once.
#[derive(Debug, Default)]
pub(super) struct Abilities {
    known: HashMap<usize, Actions>,
}

impl Abilities {
    /// What the identity policies could allow within the boundary.
    pub(super) fn of(&mut self, effective: &Effective) -> Actions {
        if effective.unreadable.is_some() {
            return Actions::default();
        }
        let mut all = Actions::default();
        for found in &effective.identity {
            all = all.or(self.of_document(&found.document));
        }
        match &effective.boundary {
            Some(boundary) => all.and(self.of_document(&boundary.document)),
            None => all,
        }
    }

    /// What the SCPs of an organization leave to anybody whom they bind: each level has to allow it, and none
    /// may deny it whatever the request is.
    pub(super) fn left_by(&mut self, organization: Option<&Organization>) -> Actions {
        let mut left = Actions::ALL;
        for level in organization.filter(|o| !o.management).iter().flat_map(|o| &o.scps) {
            let mut allowed = Actions::default();
            for found in level {
                allowed = allowed.or(self.of_document(&found.document));
                let statements = found.document.statements().iter();
                for denied in statements.filter(|s| denies_always(s)).map(surely_of) {
                    left = left.without(denied);
                }
            }
            left = left.and(allowed);
        }
        left
    }

    pub(super) fn of_document(&mut self, document: &Arc<Document>) -> Actions {
        let place = Arc::as_ptr(document) as usize;
        *self.known.entry(place).or_insert_with(|| {
            let allows = document.statements().iter().filter(|s| s.effect() == Effect::Allow);
            allows.map(of_statement).fold(Actions::default(), Actions::or)
        })
    }
}

fn of_statement(statement: &Statement) -> Actions {
    let mut named = Actions::default();
    for entry in statement.actions() {
        named = named.or(of_entry(entry, statement.is_not_action()));
    }
    if !statement.is_not_action() {
        return named;
    }
    let mut all = Actions::default();
    for at in (0..UNIVERSE.len()).filter(|at| !named.has(*at)) {
        all.put(at);
    }
    all
}

/// Whether a Deny hangs on nothing but the action.
fn denies_always(statement: &Statement) -> bool {
    statement.effect() == Effect::Deny
        && !statement.is_not_resource()
        && statement.resources().any(|resource| resource == "*")
        && statement.conditions().next().is_none()
}

/// The actions that a statement speaks of for certain.
fn surely_of(statement: &Statement) -> Actions {
    let named = statement
        .actions()
        .map(|entry| of_entry(entry, !statement.is_not_action()))
        .fold(Actions::default(), Actions::or);
    if statement.is_not_action() { Actions::ALL.without(named) } else { named }
}

/// The actions of an entry. An entry that excludes must not be read too widely: one without a literal
/// service excludes nothing here.
fn of_entry(entry: &str, excludes: bool) -> Actions {
    let mut found = Actions::default();
    let folded = entry.to_ascii_lowercase();
    if folded == "*" || folded == "*:*" {
        return Actions::ALL;
    }
    let Some((service, _)) = folded.split_once(':') else { return found };
    if service.contains(['*', '?']) && excludes {
        return found;
    }
    if !folded.contains(['*', '?']) {
        if let Ok(at) = UNIVERSE.binary_search(&folded) {
            found.put(at);
        }
        return found;
    }
    let start = UNIVERSE.partition_point(|action| action.as_str() < service);
    for (at, action) in UNIVERSE.iter().enumerate().skip(start) {
        if !action.starts_with(service) {
            break;
        }
        if covers(&folded, action) {
            found.put(at);
        }
    }
    found
}

/// Whether a statement speaks of an action, which is given in lower case.
pub(super) fn speaks_of(statement: &Statement, folded: &str) -> bool {
    let first = folded.as_bytes().first().copied().unwrap_or_default();
    let named = statement.actions().any(|entry| {
        // Most entries are of other services, which their first letter tells.
        let head = entry.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
        (head == first || matches!(head, b'*' | b'?'))
            && (entry == "*" || entry == "*:*" || covers(&entry.to_ascii_lowercase(), folded))
    });
    named != statement.is_not_action()
}

/// Whether a statement speaks of an action of interest on identities.
pub(super) fn speaks_of_identities(statement: &Statement) -> bool {
    let mut all = UNIVERSE.iter().filter(|action| {
        let service = action.split(':').next();
        matches!(service, Some("iam" | "sts"))
    });
    all.any(|action| speaks_of(statement, action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_model::Found;
    use bailiwick_policy::{DocumentKind, Source, SourceKind};

    #[test]
    fn statements_are_read_by_action() {
        for (element, can, cannot) in [
            (r#""Action": "iam:pass*""#, "iam:PassRole", "iam:CreateUser"),
            (r#""Action": "IAM:CREATEUSER""#, "iam:CreateUser", "iam:PassRole"),
            (r#""NotAction": "iam:*""#, "lambda:CreateFunction", "iam:PassRole"),
            (r#""Action": "*""#, "sqs:PurgeQueue", "x:Y"),
            (r#""Action": "ec2:*""#, "ec2:RunInstances", "ec2-instance-connect:SendSSHPublicKey"),
        ] {
            let text = format!(
                r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {element}, "Resource": "*"}}}}"#
            );
            let document = Arc::new(Document::parse(&text, DocumentKind::Identity).unwrap());
            let found = Abilities::default().of_document(&document);
            assert!(found.can(can), "{element}");
            assert!(!found.can(cannot), "{element}");
        }
        assert!(UNIVERSE.len() <= 192, "{}", UNIVERSE.len());
    }

    #[test]
    fn an_organization_takes_away_what_it_denies_always() {
        let all = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
        let left = |levels: &[&[&str]], management| {
            let level = |texts: &&[&str]| {
                texts
                    .iter()
                    .map(|statement| {
                        let text =
                            format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
                        let document =
                            Document::parse(&text, DocumentKind::ServiceControl).unwrap();
                        let source = Source::new("scp", SourceKind::Scp);
                        Found { source, document: Arc::new(document) }
                    })
                    .collect()
            };
            let scps = levels.iter().map(level).collect();
            let organization = Organization { management, scps, ..Organization::default() };
            Abilities::default().left_by(Some(&organization))
        };
        let pass = "iam:PassRole";
        assert_eq!(Abilities::default().left_by(None), Actions::ALL);
        assert_eq!(left(&[&[all]], false), Actions::ALL);
        // A level without an Allow; a Deny of everything; the management account is not bound.
        assert_eq!(left(&[&[all], &[]], false).len(), 0);
        let nothing = r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#;
        assert_eq!(left(&[&[all, nothing]], false).len(), 0);
        assert_eq!(left(&[&[all, nothing]], true), Actions::ALL);
        let but = r#"{"Effect": "Deny", "NotAction": ["iam:Pass*", "s3:*"], "Resource": "*"}"#;
        let found = left(&[&[all], &[all, but]], false);
        assert!(found.can(pass) && found.can("s3:DeleteBucket") && !found.can("iam:CreateUser"));
        // What hangs on more than the action takes nothing away here.
        for some in [
            r#"{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:iam::*:role/x"}"#,
            r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:x": "true"}}}"#,
            r#"{"Effect": "Deny", "Action": "ia*:PassRole", "Resource": "*"}"#,
        ] {
            assert!(left(&[&[all, some]], false).can(pass), "{some}");
        }
    }
}
