//! Separation of duties, roles that can be assumed included: EFF-09.

use std::collections::HashMap;

use bailiwick_model::parallel;
use bailiwick_policy::{Context, Effect};

use super::super::policies::reach::actions;
use super::super::policies::set::ActionSet;
use super::super::policies::table::{ANY, circumstances, glob};
use super::classes::readable;
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Access, own_caller, satisfy};

/// How many actions there may be in all pairs.
const MOST: usize = 128;

/// EFF-09.
pub(super) fn separated(audit: &Audit<'_>, results: &mut Results) {
    let pairs = &audit.settings.conflicting;
    if pairs.is_empty() {
        let missing = "no pairs are given: `conflicting` of the settings is empty";
        results.not_assessed(&audit.account, missing);
        return;
    }
    let mut asked: Vec<&str> = Vec::new();
    for action in pairs.iter().flat_map(|(one, other)| [one.as_str(), other.as_str()]) {
        if !asked.contains(&action) {
            asked.push(action);
        }
    }
    if asked.len() > MOST {
        results.not_assessed(&audit.account, format!("more than {MOST} actions in the pairs"));
        return;
    }
    let principals = readable(audit, results);
    let table = &audit.reach().table;
    let wanted: Vec<ActionSet> = asked
        .iter()
        .map(|pattern| ActionSet::clone(&table.covered(std::iter::once(*pattern), true)))
        .collect();
    let own: Vec<u128> = parallel::each(&principals, |access| held(audit, access, &wanted));
    let reach = assumable(audit, &principals, &own);
    let bit =
        |action: &str| asked.iter().position(|one| *one == action).map_or(0, |at| 1_u128 << at);
    for (at, access) in principals.iter().enumerate() {
        let mut clean = true;
        let Some((all, through)) = reach.get(at) else { continue };
        for (one, other) in pairs {
            if all & bit(one) == 0 || all & bit(other) == 0 {
                continue;
            }
            clean = false;
            let alone = own.get(at).is_some_and(|own| own & bit(one) != 0 && own & bit(other) != 0);
            let mut how = String::new();
            if !alone {
                let roles: Vec<&str> = through
                    .iter()
                    .filter(|role| {
                        let gives = own.get(**role).copied().unwrap_or_default();
                        gives & (bit(one) | bit(other)) != 0
                    })
                    .filter_map(|role| {
                        principals.get(*role).map(|access| access.holder.arn.as_str())
                    })
                    .take(3)
                    .collect();
                how = format!(", as it may assume {}", roles.join(", "));
            }
            let why = format!("it may call both {one} and {other}{how}");
            results.fail(Found::new(&access.holder.arn, why).detail(format!("{one} {other}")));
        }
        if clean {
            results.pass();
        }
    }
    if principals.is_empty() {
        results.pass();
    }
}

/// Which of the actions a principal may call on something.
fn held(audit: &Audit<'_>, access: &Access, asked: &[ActionSet]) -> u128 {
    let mut found = 0;
    for (at, wanted) in asked.iter().enumerate() {
        if calls(audit, access, wanted) {
            found |= 1 << at;
        }
    }
    found
}

fn calls(audit: &Audit<'_>, access: &Access, wanted: &ActionSet) -> bool {
    let table = &audit.reach().table;
    let estate = &audit.evidence.estate;
    let identity = &access.subject.effective.identity;
    let statements = identity.iter().flat_map(|policy| policy.document.statements());
    statements.filter(|one| one.effect() == Effect::Allow).any(|statement| {
        let given = actions(table, statement);
        if !given.meets(wanted) {
            return false;
        }
        let given = given.with(wanted);
        given.iter().take(8).any(|action| {
            let named = statement.resources().filter(|_| !statement.is_not_resource());
            let mut resources: Vec<String> =
                named.take(8).map(|pattern| table.instance(pattern)).collect();
            resources.push(table.resource(action));
            contexts(audit, access, statement).iter().any(|context| {
                resources.iter().any(|resource| {
                    let name = table.name(action);
                    estate.decide(&access.subject, name, resource, context).is_allowed()
                })
            })
        })
    })
}

/// A plain context and one that fits a statement.
fn contexts(
    audit: &Audit<'_>,
    access: &Access,
    statement: &bailiwick_policy::Statement,
) -> Vec<Context> {
    let mut plain = access.subject.context();
    circumstances(&mut plain, audit);
    let mut with_mfa = plain.clone();
    crate::posture::facts::with_mfa(&mut with_mfa);
    let mut all = vec![plain, with_mfa];
    if statement.conditions().next().is_some() {
        let mut fitting = Context::new();
        circumstances(&mut fitting, audit);
        satisfy(&mut fitting, statement, &audit.now.to_string());
        own_caller(&mut fitting, &access.subject);
        all.push(fitting);
    }
    all
}

/// For each principal, what it and the roles that it may assume hold, and those roles.
fn assumable(audit: &Audit<'_>, principals: &[&Access], own: &[u128]) -> Vec<(u128, Vec<usize>)> {
    let roles: Vec<usize> = principals
        .iter()
        .enumerate()
        .filter(|(_, access)| audit.evidence.estate.account.role(&access.holder.id).is_some())
        .map(|(at, _)| at)
        .collect();
    let by_arn: HashMap<&str, usize> = roles
        .iter()
        .filter_map(|at| Some((principals.get(*at)?.holder.arn.as_str(), *at)))
        .collect();
    let trusting = trusted(audit, principals, &roles);
    let edges: Vec<Vec<usize>> = parallel::each(principals, |access| {
        edges(audit, access, principals, &roles, &by_arn, &trusting)
    });
    (0..principals.len())
        .map(|start| {
            let mut seen = vec![start];
            let mut next = 0;
            while let Some(at) = seen.get(next).copied() {
                next += 1;
                for role in edges.get(at).into_iter().flatten() {
                    if !seen.contains(role) {
                        seen.push(*role);
                    }
                }
            }
            let all = seen.iter().filter_map(|at| own.get(*at)).fold(0, |all, one| all | one);
            seen.remove(0);
            (all, seen)
        })
        .collect()
}

/// The roles whose trust names a principal by its ARN.
fn trusted<'p>(
    audit: &Audit<'_>,
    principals: &[&'p Access],
    roles: &[usize],
) -> HashMap<&'p str, Vec<usize>> {
    let arns: HashMap<&str, &'p str> = principals
        .iter()
        .map(|access| (access.holder.arn.as_str(), access.holder.arn.as_str()))
        .collect();
    let mut found: HashMap<&'p str, Vec<usize>> = HashMap::new();
    for at in roles {
        let Some(access) = principals.get(*at) else { continue };
        let role = audit.evidence.estate.account.role(&access.holder.id);
        let Some(Ok(document)) = role.map(|role| role.trust.document()) else { continue };
        for named in document.principals() {
            if let Some(arn) = arns.get(named.text) {
                found.entry(arn).or_default().push(*at);
            }
        }
    }
    found
}

/// The roles that a principal may assume, by the engine.
fn edges(
    audit: &Audit<'_>,
    access: &Access,
    principals: &[&Access],
    roles: &[usize],
    by_arn: &HashMap<&str, usize>,
    trusting: &HashMap<&str, Vec<usize>>,
) -> Vec<usize> {
    let table = &audit.reach().table;
    let Some(assume) = table.place("sts:AssumeRole") else { return Vec::new() };
    let mut near: Vec<usize> =
        trusting.get(access.holder.arn.as_str()).cloned().unwrap_or_default();
    let identity = &access.subject.effective.identity;
    for statement in identity.iter().flat_map(|policy| policy.document.statements()) {
        if statement.effect() != Effect::Allow || !actions(table, statement).has(assume) {
            continue;
        }
        if statement.is_not_resource() {
            near.extend(roles);
            continue;
        }
        for pattern in statement.resources() {
            if pattern.contains(['*', '?', '$']) {
                let loose: String = pattern.split("${").next().unwrap_or_default().to_owned();
                let loose = if pattern.contains("${") { format!("{loose}*") } else { loose };
                near.extend(roles.iter().filter(|at| {
                    principals.get(**at).is_some_and(|role| glob(&loose, &role.holder.arn))
                }));
            } else {
                near.extend(by_arn.get(pattern));
            }
        }
    }
    near.sort_unstable();
    near.dedup();
    near.retain(|at| {
        let Some(role) = principals.get(*at) else { return false };
        role.holder.id != access.holder.id && enters(audit, access, role)
    });
    near
}

fn enters(audit: &Audit<'_>, access: &Access, role: &Access) -> bool {
    let estate = &audit.evidence.estate;
    let trust = estate.account.role(&role.holder.id).map(|role| role.trust.document());
    let Some(Ok(trust)) = trust else { return false };
    let allows = |context: &Context| {
        estate.decide(&access.subject, "sts:AssumeRole", &role.holder.arn, context).is_allowed()
    };
    let mut plain = access.subject.context();
    circumstances(&mut plain, audit);
    plain.put("sts:RoleSessionName", ANY);
    allows(&plain)
        || trust.statements().iter().filter(|one| one.effect() == Effect::Allow).any(|statement| {
            statement.conditions().next().is_some() && {
                let all = contexts(audit, access, statement);
                all.iter().any(allows)
            }
        })
}
