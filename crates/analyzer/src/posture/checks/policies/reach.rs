//! What policies allow on everything, by meaning: `NotAction`, `NotResource`, wildcards, denies of
//! the same document and conditions that limit nothing are seen through.

use std::sync::Arc;

use bailiwick_policy::{ConditionText, Document, Effect, Statement};

use super::set::ActionSet;
use super::table::{ANY, CLASSES, Class, Table, held, is_star};
use crate::posture::audit::Audit;
use crate::posture::facts::PolicyUse;

/// The reach of all policies of an audit, worked out once.
#[derive(Debug)]
pub(in crate::posture) struct Reach {
    /// The actions.
    pub(in crate::posture::checks) table: Table,
    /// One of each of [`Audit::policies`], in that order.
    pub(super) policies: Vec<PolicyReach>,
}

/// What a policy gives on everything.
#[derive(Debug, Default)]
pub(super) struct PolicyReach {
    /// Its Allow statements that give something on everything, or say what they do not give.
    pub(super) grants: Vec<Summary>,
    /// The statement by which it gives all there is.
    pub(super) administrative: Option<usize>,
    /// The statement by which it gives all of the audit trail.
    pub(super) trail: Option<usize>,
}

/// What an Allow statement gives on everything, in short.
#[derive(Debug)]
pub(super) struct Summary {
    /// Its place in the document.
    pub(super) number: usize,
    classes: u16,
    /// Whether it is written as what it does not allow.
    pub(super) inverted: bool,
    /// A service all of whose actions one entry covers, or `NotAction` leaves.
    pub(super) service: Option<String>,
    /// What limits it.
    pub(super) limits: Limits,
}

/// What the conditions of a statement limit, those that hold for plain requests left out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::posture::checks) struct Limits {
    /// There is one.
    pub(in crate::posture::checks) any: bool,
    /// One is about the resource, or about the action's own keys.
    pub(in crate::posture::checks) narrows: bool,
    /// One is about the source of the call, MFA, or tags.
    pub(in crate::posture::checks) guards: bool,
}

/// An Allow statement with what it gives on everything after the denies of its document.
pub(in crate::posture::checks) struct Grant<'d> {
    pub(in crate::posture::checks) number: usize,
    pub(in crate::posture::checks) statement: &'d Statement,
    pub(in crate::posture::checks) on_all: ActionSet,
    pub(in crate::posture::checks) limits: Limits,
}

/// Which resources a statement is about.
enum Scope {
    All,
    Types(Vec<usize>),
    AllBut(Vec<usize>),
}

impl Reach {
    pub(in crate::posture) fn new(audit: &Audit<'_>) -> Self {
        let table = Table::new(audit);
        let policies = audit.policies().iter().map(|policy| summary(&table, policy)).collect();
        Self { table, policies }
    }
}

impl Summary {
    pub(super) fn has(&self, class: Class) -> bool {
        let place = CLASSES.iter().position(|one| *one == class);
        place.is_some_and(|place| self.classes >> place & 1 == 1)
    }
}

fn summary(table: &Table, policy: &PolicyUse) -> PolicyReach {
    let Some(document) = &policy.document else { return PolicyReach::default() };
    let grants = grants(table, document);
    let trail: Vec<usize> = table
        .services()
        .filter(|(prefix, _)| *prefix == "cloudtrail")
        .flat_map(|(_, places)| places)
        .collect();
    let mut given = table.nothing();
    for grant in grants.iter().filter(|grant| !grant.limits.narrows) {
        given.add(&grant.on_all);
    }
    let trail = (!trail.is_empty() && trail.iter().all(|place| given.has(*place)))
        .then(|| grants.iter().find(|grant| trail.iter().any(|place| grant.on_all.has(*place))))
        .flatten()
        .map(|grant| grant.number);
    PolicyReach {
        administrative: administrative(table, document, &grants),
        trail,
        grants: grants.iter().map(|grant| grant.summary(table)).collect(),
    }
}

/// What an administrator may do to any user, role and policy.
const CONTROL: [(&str, &str); 4] = [
    ("iam:PutUserPolicy", "user"),
    ("iam:AttachRolePolicy", "role"),
    ("iam:UpdateAssumeRolePolicy", "role"),
    ("iam:CreatePolicyVersion", "policy"),
];

/// The statement by which a document gives all there is to plain requests: all of IAM's control,
/// and all but at most a twentieth of all actions, on everything.
pub(in crate::posture::checks) fn administrative(
    table: &Table,
    document: &Document,
    grants: &[Grant<'_>],
) -> Option<usize> {
    let mut given = table.nothing();
    let plain = || grants.iter().filter(|grant| !grant.limits.any);
    plain().for_each(|grant| given.add(&grant.on_all));
    if given.len() * 20 < table.len() * 19 {
        return None;
    }
    let account = table.caller.account()?;
    let controls = CONTROL.iter().all(|(action, kind)| {
        let resource = format!("arn:aws:iam::{account}:{kind}/{ANY}");
        table.allows(document, action, &resource, &table.plain)
    });
    controls.then(|| plain().max_by_key(|grant| grant.on_all.len()))?.map(|grant| grant.number)
}

/// The Allow statements of a document with what each gives on everything.
pub(in crate::posture::checks) fn grants<'d>(
    table: &Table,
    document: &'d Document,
) -> Vec<Grant<'d>> {
    let statements = || document.statements().iter().enumerate();
    let mut denied: Option<ActionSet> = None;
    for (_, statement) in statements().filter(|(_, one)| one.effect() == Effect::Deny) {
        if statement.conditions().next().is_none() {
            let set = on_all(table, statement);
            denied.get_or_insert_with(|| table.nothing()).add(&set);
        }
    }
    let mut found = Vec::new();
    for (number, statement) in statements().filter(|(_, one)| one.effect() == Effect::Allow) {
        let mut on_all = on_all(table, statement);
        if let Some(denied) = &denied {
            on_all.remove(denied);
        }
        let inverted = statement.is_not_action() || statement.is_not_resource();
        // The service may be one that the catalog does not know.
        if on_all.is_empty() && !inverted && !statement.actions().any(|one| one.ends_with(":*")) {
            continue;
        }
        found.push(Grant { number, statement, on_all, limits: limits(table, statement) });
    }
    found
}

/// The actions that the statement without conditions denies on everything.
pub(in crate::posture::checks) fn denied(table: &Table, document: &Document) -> ActionSet {
    let mut set = table.nothing();
    for statement in document.statements() {
        if statement.effect() == Effect::Deny && statement.conditions().next().is_none() {
            set.add(&on_all(table, statement));
        }
    }
    set
}

/// The actions that a statement covers, whatever its resources.
pub(in crate::posture::checks) fn actions(table: &Table, statement: &Statement) -> Arc<ActionSet> {
    if statement.actions().nth(LONG).is_none() {
        return worked_out(table, statement);
    }
    let key = std::ptr::from_ref(statement).addr();
    if let Some(found) = held(&table.long).get(&key) {
        return Arc::clone(found);
    }
    let found = worked_out(table, statement);
    held(&table.long).insert(key, Arc::clone(&found));
    found
}

/// How many entries a statement may have that is worked out each time.
const LONG: usize = 32;

fn worked_out(table: &Table, statement: &Statement) -> Arc<ActionSet> {
    let denies = statement.effect() == Effect::Deny;
    if statement.is_not_action() {
        let texts: Vec<&str> = statement.actions().collect();
        let left_out = table.covered(texts.iter().copied(), !denies);
        Arc::new(left_out.complement(table.len()))
    } else {
        let texts: Vec<&str> = statement.actions().collect();
        // What has no plain service grants nothing in AWS, but somebody meant it to: it is told.
        table.covered(texts.iter().copied(), true)
    }
}

fn on_all(table: &Table, statement: &Statement) -> ActionSet {
    let scope = scope(table, statement);
    if matches!(&scope, Scope::Types(types) if types.is_empty()) {
        return table.nothing();
    }
    let actions = actions(table, statement);
    match scope {
        Scope::All => ActionSet::clone(&actions),
        Scope::Types(types) => {
            let whole = actions.iter().filter(|action| table.is_whole(*action, &types));
            ActionSet::of(table.len(), whole)
        }
        Scope::AllBut(types) => {
            let whole = actions.iter().filter(|action| !table.is_whole(*action, &types));
            ActionSet::of(table.len(), whole)
        }
    }
}

fn scope(table: &Table, statement: &Statement) -> Scope {
    match (statement.is_not_resource(), table.types(statement.resources())) {
        (false, None) => Scope::All,
        (false, Some(types)) => Scope::Types(types),
        (true, None) => Scope::Types(Vec::new()),
        (true, Some(types)) => Scope::AllBut(types),
    }
}

/// What the conditions of a statement limit.
pub(in crate::posture::checks) fn limits(table: &Table, statement: &Statement) -> Limits {
    let mut limits = Limits::default();
    for condition in statement.conditions() {
        if is_open(condition)
            || table.holds_plainly(&condition.operator, &condition.key, &condition.values)
        {
            continue;
        }
        let key = condition.key.to_ascii_lowercase();
        limits.any = true;
        limits.narrows |= !is_circumstance(&key);
        limits.guards |= is_guard(&key);
    }
    limits
}

/// Whether a condition takes every value that its key may have, where the key is there.
fn is_open(condition: &ConditionText) -> bool {
    let operator = condition.operator.to_ascii_lowercase();
    let plain = operator.rsplit(':').next().unwrap_or_default();
    let plain = plain.strip_suffix("ifexists").unwrap_or(plain);
    match plain {
        "ipaddress" => condition.values.iter().any(|value| value.ends_with("/0")),
        "stringlike" | "arnlike" | "arnequals" => {
            operator.ends_with("ifexists") && condition.values.iter().any(|value| is_star(value))
        }
        _ => false,
    }
}

/// Keys that say who calls, when and from where, but not on what.
fn is_circumstance(key: &str) -> bool {
    const KEYS: [&str; 17] = [
        "aws:currenttime",
        "aws:epochtime",
        "aws:tokenissuetime",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:sourceip",
        "aws:vpcsourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:securetransport",
        "aws:useragent",
        "aws:referer",
        "aws:userid",
        "aws:username",
        "aws:requestedregion",
        "aws:sourceidentity",
        "aws:federatedprovider",
    ];
    KEYS.contains(&key) || key.starts_with("aws:principal")
}

/// Keys of the source of a call, of MFA, and of tags.
fn is_guard(key: &str) -> bool {
    const KEYS: [&str; 11] = [
        "aws:sourceip",
        "aws:vpcsourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourcevpcarn",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:tagkeys",
    ];
    KEYS.contains(&key)
        || key.contains("resourcetag/")
        || key.contains("requesttag/")
        || key.starts_with("aws:principaltag/")
}

impl Grant<'_> {
    fn summary(&self, table: &Table) -> Summary {
        let mut classes = 0;
        for (place, class) in CLASSES.iter().enumerate() {
            if self.on_all.meets(table.class(*class)) {
                classes |= 1 << place;
            }
        }
        Summary {
            number: self.number,
            classes,
            inverted: self.statement.is_not_action() || self.statement.is_not_resource(),
            service: self.service(table),
            limits: self.limits,
        }
    }

    /// A service that the statement gives whole, by one entry with a wildcard or by `NotAction`.
    fn service(&self, table: &Table) -> Option<String> {
        let whole = |set: &ActionSet| {
            let mut services = table.services();
            let found = services.find(|(_, places)| {
                set.has_all(places.clone()) && self.on_all.has_all(places.clone())
            });
            found.map(|(prefix, _)| prefix.to_owned())
        };
        if self.statement.is_not_action() {
            return whole(&self.on_all);
        }
        let mut entries = self.statement.actions().filter(|entry| entry.contains('*'));
        entries.find_map(|entry| {
            let known = whole(&table.covered(std::iter::once(entry), true));
            // A service that the catalog does not know is given whole by its plain wildcard.
            known.or_else(|| {
                let (prefix, rest) = entry.split_once(':')?;
                let unknown = !prefix.contains('*')
                    && table.services().all(|(known, _)| !known.eq_ignore_ascii_case(prefix));
                let everything = self.statement.resources().any(is_star);
                (unknown && is_star(rest) && everything).then(|| prefix.to_owned())
            })
        })
    }
}
