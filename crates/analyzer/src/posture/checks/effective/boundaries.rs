//! Boundaries: EFF-10 and EFF-11.

use bailiwick_policy::{Context, Effect};

use super::super::policies::reach::actions;
use super::super::policies::table::{ANY, circumstances};
use super::classes::readable;
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Access, HolderKind, own_caller, satisfy};

/// EFF-10: makes a user or role without a boundary, or with one of its own choice.
pub(super) fn delegated(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let prefix = format!("arn:{}:iam::{}:", account.partition().as_str(), account.id());
    let mut any = false;
    for access in readable(audit, results) {
        if access.administrative.is() {
            results.not_applicable();
            continue;
        }
        any = true;
        let mut clean = true;
        for (action, kind) in [("iam:CreateRole", "role"), ("iam:CreateUser", "user")] {
            let boundaries = [None, Some(format!("{prefix}policy/{ANY}"))];
            let resource = format!("{prefix}{kind}/{ANY}");
            let open = boundaries.iter().find(|boundary| {
                let change = |context: &mut Context| {
                    context.remove("iam:PermissionsBoundary");
                    if let Some(boundary) = boundary {
                        context.put("iam:PermissionsBoundary", boundary);
                    }
                };
                may(audit, access, action, &resource, change)
            });
            let Some(boundary) = open else { continue };
            clean = false;
            let how = match boundary {
                None => "without a boundary",
                Some(_) => "with a boundary of its own choice",
            };
            let why = format!("it may call {action} {how}");
            let found = Found::new(&access.holder.arn, why).detail(action).diff(format!(
                "+ \"Condition\": {{\"StringEquals\": {{\"iam:PermissionsBoundary\": \
                 \"{prefix}policy/BOUNDARY\"}}}}"
            ));
            results.fail(found);
        }
        if clean {
            results.pass();
        }
    }
    if !any {
        results.pass();
    }
}

/// Whether an action is allowed on a resource, or on one that a statement names, in a plain context
/// or in one that fits a statement; `change` sets what is asked about.
fn may(
    audit: &Audit<'_>,
    access: &Access,
    action: &str,
    resource: &str,
    change: impl Fn(&mut Context),
) -> bool {
    let table = &audit.reach().table;
    let estate = &audit.evidence.estate;
    let Some(place) = table.place(action) else { return false };
    let identity = &access.subject.effective.identity;
    let statements = identity.iter().flat_map(|policy| policy.document.statements());
    let giving =
        statements.filter(|one| one.effect() == Effect::Allow && actions(table, one).has(place));
    giving.into_iter().any(|statement| {
        let named = statement.resources().filter(|_| !statement.is_not_resource());
        let mut resources: Vec<String> =
            named.take(8).map(|pattern| table.instance(pattern)).collect();
        resources.push(resource.to_owned());
        let mut plain = access.subject.context();
        circumstances(&mut plain, audit);
        let mut fitting = Context::new();
        circumstances(&mut fitting, audit);
        satisfy(&mut fitting, statement, &audit.now.to_string());
        own_caller(&mut fitting, &access.subject);
        [plain, fitting].into_iter().any(|mut context| {
            change(&mut context);
            let asks = |resource: &String| {
                estate.decide(&access.subject, action, resource, &context).is_allowed()
            };
            resources.iter().any(asks)
        })
    })
}

/// EFF-11: on itself, and on the policy that bounds it.
pub(super) fn fastened(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let mut any = false;
    for access in readable(audit, results) {
        let holder = &access.holder;
        let user = account.user(&holder.id).and_then(|user| user.boundary.as_ref());
        let role = account.role(&holder.id).and_then(|role| role.boundary.as_ref());
        let Some(boundary) = user.or(role) else {
            results.not_applicable();
            continue;
        };
        any = true;
        let (delete, put) = match holder.kind {
            HolderKind::User => {
                ("iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary")
            }
            _ => ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
        };
        let mut asked = vec![(delete, holder.arn.as_str()), (put, holder.arn.as_str())];
        if boundary.account() != "aws" {
            asked.push(("iam:CreatePolicyVersion", boundary.as_str()));
            asked.push(("iam:SetDefaultPolicyVersion", boundary.as_str()));
        }
        let other = format!("{}{ANY}", boundary.as_str());
        let loose = asked.into_iter().find(|(action, resource)| {
            exactly(audit, access, action, resource, |context| {
                if *action == put {
                    context.put("iam:PermissionsBoundary", &other);
                } else if *action == delete {
                    // *Documented*: the key holds the boundary that there is.
                    context.put("iam:PermissionsBoundary", boundary.as_str());
                }
            })
        });
        results.judge(loose.is_none(), || {
            let (action, resource) = loose.unwrap_or_default();
            let why = format!("it may call {action} on {resource}, and so loosen what bounds it");
            Found::new(&holder.arn, why).detail(action).diff(format!(
                "+ {{\"Effect\": \"Deny\", \"Action\": \"{action}\", \"Resource\": \"{resource}\"}}"
            ))
        });
    }
    if !any {
        results.pass();
    }
}

/// As [`may`], on this resource alone.
fn exactly(
    audit: &Audit<'_>,
    access: &Access,
    action: &str,
    resource: &str,
    change: impl Fn(&mut Context),
) -> bool {
    let table = &audit.reach().table;
    let Some(place) = table.place(action) else { return false };
    let identity = &access.subject.effective.identity;
    let statements = identity.iter().flat_map(|policy| policy.document.statements());
    let mut giving =
        statements.filter(|one| one.effect() == Effect::Allow && actions(table, one).has(place));
    giving.any(|statement| {
        let mut plain = access.subject.context();
        circumstances(&mut plain, audit);
        let mut fitting = Context::new();
        circumstances(&mut fitting, audit);
        satisfy(&mut fitting, statement, &audit.now.to_string());
        own_caller(&mut fitting, &access.subject);
        [plain, fitting].into_iter().any(|mut context| {
            change(&mut context);
            let estate = &audit.evidence.estate;
            estate.decide(&access.subject, action, resource, &context).is_allowed()
        })
    })
}
