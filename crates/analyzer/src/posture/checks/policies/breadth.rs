//! Policies that give more than anybody needs: POL-01 to POL-05, POL-08 to POL-10, POL-12 to POL-15
//! and POL-17.

use bailiwick_policy::{Document, Statement};
use serde_json::{Map, Value, json};

use super::fix::{add_condition, change, detach, put, removal};
use super::reach::{PolicyReach, Summary, grants};
use super::table::{CLASSES, Class, Table, is_star};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Origin, PolicyUse};
use crate::posture::settings::fits;

/// How many actions are named in a finding.
const NAMED: usize = 5;
/// So many holders get a command that takes a policy from them.
const MOST_DETACHED: usize = 50;

fn policies<'a>(
    audit: &'a Audit<'_>,
) -> impl Iterator<Item = (&'a PolicyUse, &'a PolicyReach)> + use<'a> {
    audit.policies().iter().zip(&audit.reach().policies)
}

/// Tells of a policy that cannot be read, which is no pass; answers whether it can.
pub(super) fn is_readable(policy: &PolicyUse, results: &mut Results) -> bool {
    if policy.document.is_none() {
        let missing = format!("the policy `{}` cannot be read", policy.policy);
        results.not_assessed(policy.subject(), missing);
    }
    policy.document.is_some()
}

/// Those of the account's own policies that can be read.
pub(super) fn own<'a>(
    audit: &'a Audit<'_>,
    results: &mut Results,
) -> Vec<(&'a PolicyUse, &'a PolicyReach)> {
    let own = policies(audit).filter(|(policy, _)| policy.origin != Origin::Aws);
    own.filter(|(policy, _)| is_readable(policy, results)).collect()
}

/// A finding of a statement.
pub(super) fn found_at(
    policy: &PolicyUse,
    number: usize,
    why: String,
    diff: impl FnOnce(&Document, &Statement) -> Option<String>,
) -> Found {
    let mut found = Found::new(policy.subject(), why).at(policy.place(number)).cli(put(policy));
    found.fix.diff = policy
        .document
        .as_ref()
        .and_then(|document| diff(document, document.statements().get(number)?));
    found
}

const EVERYTHING: &str = "it allows every action on every resource, without a condition that limits \
                          plain requests, and no statement of it takes that back";

/// POL-01.
pub(super) fn attached_administration(audit: &Audit<'_>, results: &mut Results) {
    administration(audit, results, |policy| {
        policy.origin == Origin::Customer && !policy.holders.is_empty()
    });
}

/// POL-03.
pub(super) fn inline_administration(audit: &Audit<'_>, results: &mut Results) {
    administration(audit, results, |policy| policy.origin == Origin::Inline);
}

/// POL-04. A policy that only bounds is in use: it gives nothing.
pub(super) fn unattached_administration(audit: &Audit<'_>, results: &mut Results) {
    administration(audit, results, |policy| {
        policy.origin == Origin::Customer && policy.holders.is_empty() && policy.bounds == 0
    });
}

fn administration(audit: &Audit<'_>, results: &mut Results, concerns: impl Fn(&PolicyUse) -> bool) {
    let mut any = false;
    for (policy, reach) in policies(audit).filter(|(policy, _)| concerns(policy)) {
        any = true;
        if !is_readable(policy, results) {
            continue;
        }
        let Some(number) = reach.administrative else {
            results.pass();
            continue;
        };
        let mut found = found_at(policy, number, EVERYTHING.to_owned(), removal);
        let alone = policy.statements().count() == 1;
        if policy.holders.is_empty() {
            found.fix.commands.clear();
            found = found.cli(format!("aws iam delete-policy --policy-arn {}", policy.policy));
        } else if alone {
            // Of the policy nothing would be left.
            found.fix.commands.clear();
            for holder in policy.holders.iter().take(MOST_DETACHED) {
                found = found.cli(detach(policy, holder));
            }
        }
        results.fail(found);
    }
    if !any {
        results.pass();
    }
}

/// POL-02: by what the policy of AWS says, not by its name.
pub(super) fn aws_administrator(audit: &Audit<'_>, results: &mut Results) {
    let mut any = false;
    for (policy, reach) in policies(audit).filter(|(policy, _)| policy.origin == Origin::Aws) {
        any = true;
        if policy.document.is_none() {
            for holder in &policy.holders {
                let missing = format!("the policy `{}` is not known", policy.policy);
                results.not_assessed(&holder.arn, missing);
            }
            continue;
        }
        let Some(number) = reach.administrative else {
            results.pass();
            continue;
        };
        for holder in &policy.holders {
            let known = audit.settings.administrators.iter().any(|one| fits(one, &holder.arn));
            results.judge(known, || {
                let why = format!(
                    "`{}`, which allows everything, is attached, and the holder is not on the list \
                     of administrators",
                    policy.policy
                );
                Found::new(&holder.arn, why).at(policy.place(number)).cli(detach(policy, holder))
            });
        }
    }
    if !any {
        results.pass();
    }
}

/// A check of single statements of the account's own policies.
fn each(
    audit: &Audit<'_>,
    results: &mut Results,
    fails: impl Fn(&Summary) -> bool,
    tell: impl Fn(&PolicyUse, &Summary) -> Found,
) {
    let all = own(audit, results);
    for (policy, reach) in &all {
        let mut clean = true;
        for grant in reach.grants.iter().filter(|grant| fails(grant)) {
            clean = false;
            results.fail(tell(policy, grant));
        }
        if clean {
            results.pass();
        }
    }
    if all.is_empty() {
        results.pass();
    }
}

/// Names a few actions of a class that the statement gives on everything.
fn named(table: &Table, policy: &PolicyUse, number: usize, class: Class) -> (usize, String) {
    let Some(document) = &policy.document else { return (0, String::new()) };
    let grants = grants(table, document);
    let Some(grant) = grants.iter().find(|grant| grant.number == number) else {
        return (0, String::new());
    };
    let set = grant.on_all.with(table.class(class));
    let mut names: Vec<&str> = set.iter().take(NAMED).map(|place| table.name(place)).collect();
    if set.len() > NAMED {
        names.push("...");
    }
    (set.len(), names.join(", "))
}

fn narrowed(document: &Document, statement: &Statement) -> Option<String> {
    change(document, statement, |map| {
        map.remove("NotResource");
        map.insert("Resource".to_owned(), json!(["ARNs of the resources that are needed"]));
    })
}

/// POL-05.
pub(super) fn service_wildcard(audit: &Audit<'_>, results: &mut Results) {
    each(
        audit,
        results,
        |grant| grant.service.is_some() && !grant.limits.narrows,
        |policy, grant| {
            let service = grant.service.as_deref().unwrap_or_default();
            let why =
                format!("every action of a service, such as `{service}:*`, on every resource");
            found_at(policy, grant.number, why, |document, statement| {
                change(document, statement, |map| {
                    map.remove("NotAction");
                    map.insert("Action".to_owned(), json!(["the actions that are needed"]));
                })
            })
        },
    );
}

fn class_on_all(audit: &Audit<'_>, results: &mut Results, class: Class) {
    each(
        audit,
        results,
        |grant| grant.has(class) && !grant.limits.narrows,
        |policy, grant| {
            let (count, names) = named(&audit.reach().table, policy, grant.number, class);
            let why = match count {
                1 => format!("{names} on every resource"),
                _ => format!("{count} actions on every resource: {names}"),
            };
            found_at(policy, grant.number, why, narrowed)
        },
    );
}

/// POL-08.
pub(super) fn all_decryption(audit: &Audit<'_>, results: &mut Results) {
    class_on_all(audit, results, Class::Decrypts);
}

/// POL-10.
pub(super) fn marketplace(audit: &Audit<'_>, results: &mut Results) {
    class_on_all(audit, results, Class::Marketplace);
}

/// POL-12.
pub(super) fn writes_on_all(audit: &Audit<'_>, results: &mut Results) {
    class_on_all(audit, results, Class::Writes);
}

/// POL-15.
pub(super) fn assume_on_all(audit: &Audit<'_>, results: &mut Results) {
    class_on_all(audit, results, Class::AssumeRole);
}

/// POL-09: by all statements of the document together.
pub(super) fn trail_control(audit: &Audit<'_>, results: &mut Results) {
    let all = own(audit, results);
    for (policy, reach) in &all {
        match reach.trail {
            None => results.pass(),
            Some(number) => {
                let why = "it allows every action of the audit trail on every trail: whoever holds \
                           it can stop the trail and delete it";
                results.fail(found_at(policy, number, why.to_owned(), |document, statement| {
                    change(document, statement, |map| {
                        map.remove("NotAction");
                        let reads = ["cloudtrail:Describe*", "cloudtrail:Get*", "cloudtrail:List*"];
                        map.insert("Action".to_owned(), json!(reads));
                    })
                }));
            }
        }
    }
    if all.is_empty() {
        results.pass();
    }
}

/// POL-13: bounded by a condition, or by boundaries or an SCP that list what they allow.
pub(super) fn inverted(audit: &Audit<'_>, results: &mut Results) {
    let lists = |document: &Document| {
        document.statements().iter().all(|statement| {
            statement.effect() == bailiwick_policy::Effect::Deny
                || !statement.is_not_action()
                    && !statement.is_not_resource()
                    && !statement.actions().any(|entry| matches!(entry, "*" | "*:*"))
        })
    };
    let organization = audit.evidence.estate.organization.as_ref().filter(|one| !one.management);
    let guarded = organization.is_some_and(|organization| {
        let mut levels = organization.scps.iter();
        levels.any(|level| level.iter().all(|policy| lists(&policy.document)))
    });
    let account = &audit.evidence.estate.account;
    let managed = &audit.evidence.estate.managed;
    let bounded = |policy: &PolicyUse| {
        let mut holders = policy.holders.iter();
        !policy.holders.is_empty()
            && holders.all(|holder| {
                let user = account.user(&holder.id).and_then(|user| user.boundary.as_ref());
                let role = account.role(&holder.id).and_then(|role| role.boundary.as_ref());
                let document =
                    user.or(role).and_then(|arn| bailiwick_model::document(account, managed, arn));
                document.is_some_and(|document| lists(&document))
            })
    };
    let all = own(audit, results);
    for (policy, reach) in &all {
        let open = reach.grants.iter().filter(|grant| grant.inverted && !grant.limits.any);
        let open: Vec<&Summary> = open.collect();
        if open.is_empty() || guarded || bounded(policy) {
            results.pass();
            continue;
        }
        for grant in open {
            let why = "it allows all but what it names, so that whatever AWS adds is allowed too, \
                       and neither a condition nor a guardrail bounds it";
            results.fail(found_at(policy, grant.number, why.to_owned(), |document, statement| {
                change(document, statement, |map| {
                    if map.remove("NotAction").is_some() {
                        map.insert("Action".to_owned(), json!(["the actions that are needed"]));
                    }
                    if map.remove("NotResource").is_some() {
                        let arns = json!(["ARNs of the resources that are needed"]);
                        map.insert("Resource".to_owned(), arns);
                    }
                })
            }));
        }
    }
    if all.is_empty() {
        results.pass();
    }
}

/// POL-14: a condition that narrows is one on the service or on the role.
pub(super) fn pass_role(audit: &Audit<'_>, results: &mut Results) {
    each(
        audit,
        results,
        |grant| grant.has(Class::PassRole) && !grant.limits.narrows,
        |policy, grant| {
            let why = "iam:PassRole on every role, to any service: whoever holds it can give a \
                       service of their own the strongest role";
            found_at(policy, grant.number, why.to_owned(), |document, statement| {
                change(document, statement, |map| pass_to_one(map, statement))
            })
        },
    );
}

fn pass_to_one(map: &mut Map<String, Value>, statement: &Statement) {
    if statement.actions().any(is_star) || statement.is_not_action() {
        map.remove("NotAction");
        map.insert("Action".to_owned(), json!("iam:PassRole"));
    }
    map.insert("Resource".to_owned(), json!(["ARNs of the roles that are passed"]));
    let service = json!("the service, such as ec2.amazonaws.com");
    add_condition(map, "StringEquals", "iam:PassedToService", &service);
}

/// POL-17.
pub(super) fn unguarded_permissions(audit: &Audit<'_>, results: &mut Results) {
    each(
        audit,
        results,
        |grant| grant.has(Class::Permissions) && !grant.limits.guards,
        |policy, grant| {
            let table = &audit.reach().table;
            let (count, names) = named(table, policy, grant.number, Class::Permissions);
            let why = format!(
                "{count} actions that change permissions on every resource, with no condition on the \
                 source, MFA or tags: {names}"
            );
            found_at(policy, grant.number, why, |document, statement| {
                change(document, statement, |map| {
                    add_condition(map, "Bool", "aws:MultiFactorAuthPresent", &json!("true"));
                })
            })
        },
    );
}

const _: () = assert!(CLASSES.len() <= 16, "a class has a bit of a `u16`");
