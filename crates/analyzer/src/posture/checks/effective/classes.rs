//! Who has dangerous rights on everything: EFF-01 and EFF-03 to EFF-07.

use super::super::policies::fix::change;
use super::super::policies::table::Class;
use super::rights::Right;
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Access, Administrative, HolderKind};
use crate::posture::settings::fits;

/// The principals whose policies can be read; the others are told. Service-linked roles are AWS's.
pub(super) fn readable<'a>(audit: &'a Audit<'_>, results: &mut Results) -> Vec<&'a Access> {
    let mut found = Vec::new();
    for access in audit.principals() {
        if access.holder.linked {
            continue;
        }
        match &access.subject.effective.unreadable {
            Some(source) => {
                let missing = format!("the policy `{}` cannot be read", source.id);
                results.not_assessed(&access.holder.arn, missing);
            }
            None => found.push(access),
        }
    }
    found
}

pub(super) fn when(keys: &[String]) -> String {
    if keys.is_empty() { String::new() } else { format!(", when {} is as asked", keys.join(", ")) }
}

fn listing(access: &Access) -> String {
    let word = match access.holder.kind {
        HolderKind::User => "user",
        HolderKind::Group => "group",
        HolderKind::Role => "role",
    };
    format!("aws iam list-attached-{word}-policies --{word}-name {}", access.holder.name)
}

/// EFF-01: each administrator who is not on the list, and the whole list where it is too long.
pub(super) fn administrators(audit: &Audit<'_>, results: &mut Results) {
    let mut known = 0;
    let mut all = 0;
    for access in readable(audit, results) {
        let keys = match &access.administrative {
            Administrative::No => continue,
            Administrative::Unknown(why) => {
                results.not_assessed(&access.holder.arn, why.clone());
                continue;
            }
            Administrative::When(keys) => keys.as_slice(),
            Administrative::Always => &[],
        };
        all += 1;
        let arn = &access.holder.arn;
        if audit.settings.administrators.iter().any(|pattern| fits(pattern, arn)) {
            known += 1;
            results.pass();
            continue;
        }
        let why = format!(
            "it is an administrator by what it may do{}, and is not on the list of administrators",
            when(keys)
        );
        results.fail(Found::new(arn, why).cli(listing(access)));
    }
    let most = audit.settings.limits.administrators;
    if all > most {
        let why = format!("{all} administrators, {known} of them on the list; {most} are allowed");
        results.fail(Found::new(&audit.account, why).detail("number"));
    } else if all == 0 {
        results.pass();
    }
}

fn class(audit: &Audit<'_>, results: &mut Results, class: Class, what: &str) {
    let principals = readable(audit, results);
    for access in &principals {
        match audit.held().of(access, class) {
            None => results.pass(),
            Some(right) => results.fail(found(audit, access, right, what)),
        }
    }
    if principals.is_empty() {
        results.pass();
    }
}

fn found(audit: &Audit<'_>, access: &Access, right: &Right, what: &str) -> Found {
    let Right { count, names, keys, place } = right;
    let why = format!("it may {what} on every resource{}: {names} ({count} in all)", when(keys));
    let mut found = Found::new(&access.holder.arn, why).cli(listing(access));
    if let Some(place) = place {
        let policies = &access.subject.effective.identity;
        let policy = policies.iter().find(|policy| *policy.source.id == *place.policy);
        found.fix.diff = policy.and_then(|policy| {
            let statement = policy.document.statements().get(place.statement?)?;
            change(&policy.document, statement, |map| {
                map.remove("NotResource");
                let arns = serde_json::json!(["ARNs of the resources that are needed"]);
                map.insert("Resource".to_owned(), arns);
            })
        });
        let mut place = place.clone();
        let own = place.policy.parse().ok();
        let own = own.and_then(|arn| audit.evidence.estate.account.policy_with_arn(&arn));
        place.version = own.map(|policy| format!("v{}", policy.default_version));
        found = found.at(place);
    }
    found
}

/// EFF-03.
pub(super) fn data(audit: &Audit<'_>, results: &mut Results) {
    class(audit, results, Class::ReadsData, "read data");
}

/// EFF-04.
pub(super) fn exposure(audit: &Audit<'_>, results: &mut Results) {
    class(audit, results, Class::Permissions, "change permissions");
}

/// EFF-05.
pub(super) fn credentials(audit: &Audit<'_>, results: &mut Results) {
    class(audit, results, Class::GivesCredentials, "get credentials");
}

/// EFF-06.
pub(super) fn modification(audit: &Audit<'_>, results: &mut Results) {
    class(audit, results, Class::Modifies, "change what there is");
}

/// Services that run code of their users with a role.
const COMPUTE: [&str; 24] = [
    "ec2",
    "lambda",
    "edgelambda",
    "ecs-tasks",
    "ecs",
    "eks",
    "pods.eks",
    "eks-fargate-pods",
    "codebuild",
    "glue",
    "sagemaker",
    "states",
    "batch",
    "elasticmapreduce",
    "emr-serverless",
    "build.apprunner",
    "tasks.apprunner",
    "elasticbeanstalk",
    "lightsail",
    "robomaker",
    "databrew",
    "kinesisanalytics",
    "imagebuilder",
    "bedrock-agentcore",
];

/// EFF-07: escalation paths (EFF-02) are left to their own check.
pub(super) fn compute(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let mut any = false;
    for access in readable(audit, results) {
        let Some(role) = account.role(&access.holder.id) else { continue };
        let Ok(trust) = role.trust.document() else {
            results.not_assessed(&access.holder.arn, "the trust policy cannot be read");
            continue;
        };
        let services: Vec<&str> = trust
            .principals()
            .filter_map(|one| one.text.split_once(".amazonaws.com"))
            .map(|(head, _)| head)
            .filter(|head| COMPUTE.contains(head))
            .collect();
        let Some(service) = services.first() else { continue };
        any = true;
        let mut clean = true;
        let by = format!("code that {service} runs with the role");
        if access.administrative.is() {
            clean = false;
            let why = format!("{by} may change what anybody may do (EFF-01)");
            results.fail(Found::new(&access.holder.arn, why).detail("EFF-01").cli(listing(access)));
        }
        let told = [
            (Class::ReadsData, "EFF-03", "read data"),
            (Class::Permissions, "EFF-04", "change permissions"),
            (Class::GivesCredentials, "EFF-05", "get credentials"),
        ];
        for (class, id, what) in told {
            let Some(right) = audit.held().of(access, class) else { continue };
            clean = false;
            let mut found = found(audit, access, right, what);
            found.why = format!("{by}: {} ({id})", found.why);
            results.fail(found.detail(id));
        }
        if clean {
            results.pass();
        }
    }
    if !any {
        results.pass();
    }
}
