//! What policies hang on: POL-06, POL-07, POL-11, POL-23 and POL-25.

use std::collections::BTreeMap;

use bailiwick_policy::Document;

use super::fix::{attach, detach};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{HolderKind, Origin, PolicyUse};
use crate::posture::finding::Place;
use crate::posture::settings::fits;

fn place(policy: &PolicyUse) -> Place {
    Place {
        policy: policy.policy.clone(),
        version: policy.version.map(|version| format!("v{version}")),
        ..Place::default()
    }
}

/// POL-06.
pub(super) fn inline(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let mut any = false;
    for policy in audit.policies().iter().filter(|policy| policy.origin == Origin::Inline) {
        any = true;
        let why = format!("the policy `{}` is embedded, and hangs on this alone", policy.policy);
        let mut found = Found::new(policy.subject(), why).at(place(policy)).cli(format!(
            "aws iam create-policy --policy-name {} --policy-document file://policy.json",
            policy.policy
        ));
        if let Some(holder) = policy.holders.first() {
            let arn = format!(
                "arn:{}:iam::{}:policy/{}",
                account.partition(),
                account.id(),
                policy.policy
            );
            found = found.cli(attach(holder, &arn)).cli(detach(policy, holder));
        }
        results.fail(found);
    }
    if !any {
        results.pass();
    }
}

/// POL-07.
pub(super) fn unattached(audit: &Audit<'_>, results: &mut Results) {
    let mut any = false;
    for policy in audit.policies().iter().filter(|policy| policy.origin == Origin::Customer) {
        any = true;
        results.judge(!policy.holders.is_empty() || policy.bounds > 0, || {
            let why = "it is attached to nothing and bounds nobody";
            Found::new(policy.subject(), why)
                .at(place(policy))
                .cli(format!("aws iam delete-policy --policy-arn {}", policy.policy))
        });
    }
    if !any {
        results.pass();
    }
}

/// Policies that are attached and fit fail, each holder for itself.
fn banned(
    audit: &Audit<'_>,
    results: &mut Results,
    is_banned: impl Fn(&PolicyUse) -> bool,
    why: &str,
) {
    let mut any = false;
    for policy in audit.policies().iter().filter(|policy| is_banned(policy)) {
        for holder in &policy.holders {
            any = true;
            let why = format!("`{}` {why}", policy.policy);
            let found = Found::new(&holder.arn, why).at(place(policy)).cli(detach(policy, holder));
            results.fail(found);
        }
    }
    if !any {
        results.pass();
    }
}

/// POL-11.
pub(super) fn cloud_shell(audit: &Audit<'_>, results: &mut Results) {
    let is = |policy: &PolicyUse| {
        policy.origin == Origin::Aws && policy.policy.ends_with(":policy/AWSCloudShellFullAccess")
    };
    banned(audit, results, is, "lets files out and in, and is attached");
}

/// POL-25.
pub(super) fn blocked(audit: &Audit<'_>, results: &mut Results) {
    let blocked = &audit.settings.blocked_policies;
    if blocked.is_empty() {
        results.note("no policies are blocked: `blocked-policies` of the settings is empty");
        results.not_applicable();
        return;
    }
    let is = |policy: &PolicyUse| {
        let name = policy.policy.rsplit('/').next().unwrap_or_default();
        blocked.iter().any(|one| fits(one, &policy.policy) || fits(one, name))
    };
    banned(audit, results, is, "is on the list of blocked policies");
}

/// What counts against a quota: how many there are, the quota, and what it is.
struct Use {
    subject: String,
    used: u64,
    quota: u64,
    what: String,
}

/// POL-23: nine tenths of a quota are told.
pub(super) fn quotas(audit: &Audit<'_>, results: &mut Results) {
    let uses = uses(audit);
    let none = uses.is_empty();
    for used in uses {
        results.judge(used.used * 10 < used.quota * 9, || {
            let why = format!("{} of {} {}", used.used, used.quota, used.what);
            Found::new(used.subject, why)
                .detail(used.what)
                .cli("aws service-quotas list-service-quotas --service-code iam --region us-east-1")
        });
    }
    if none {
        results.pass();
    }
}

fn uses(audit: &Audit<'_>) -> Vec<Use> {
    let account = &audit.evidence.estate.account;
    let summary = audit.evidence.account_summary.known();
    let quota = |name: &str, usual: u64| {
        summary.and_then(|map| map.get(name)).copied().filter(|quota| *quota > 0).unwrap_or(usual)
    };
    let mut found = Vec::new();
    let mut add = |subject: &str, used: u64, quota: u64, what: &str| {
        if used > 0 {
            let subject = subject.to_owned();
            found.push(Use { subject, used, quota, what: what.to_owned() });
        }
    };
    let groups_per_user = quota("GroupsPerUserQuota", 10);
    for user in account.users() {
        let groups = account.groups_of(user.id).count() as u64;
        add(account.user_arn(user).as_str(), groups, groups_per_user, "groups of a user");
    }
    let mut holders = BTreeMap::new();
    for policy in audit.policies() {
        for holder in &policy.holders {
            let (attached, size, _) =
                holders.entry(&holder.arn).or_insert_with(|| (0, 0, holder.kind));
            match policy.origin {
                Origin::Inline => *size += size_of(policy),
                Origin::Customer | Origin::Aws => *attached += 1,
            }
        }
    }
    for (arn, (attached, size, kind)) in holders {
        let (attached_quota, size_quota) = match kind {
            HolderKind::User => {
                (quota("AttachedPoliciesPerUserQuota", 10), quota("UserPolicySizeQuota", 2_048))
            }
            HolderKind::Group => {
                (quota("AttachedPoliciesPerGroupQuota", 10), quota("GroupPolicySizeQuota", 5_120))
            }
            HolderKind::Role => {
                (quota("AttachedPoliciesPerRoleQuota", 10), quota("RolePolicySizeQuota", 10_240))
            }
        };
        add(arn, attached, attached_quota, "attached policies");
        add(arn, size, size_quota, "characters of embedded policies");
    }
    let policy_size = quota("PolicySizeQuota", 6_144);
    for policy in audit.policies().iter().filter(|policy| policy.origin == Origin::Customer) {
        add(&policy.policy, size_of(policy), policy_size, "characters of a managed policy");
    }
    if let Some(map) = summary {
        for (name, what) in [
            ("Users", "users"),
            ("Groups", "groups"),
            ("Roles", "roles"),
            ("Policies", "customer managed policies"),
            ("InstanceProfiles", "instance profiles"),
            ("ServerCertificates", "server certificates"),
            ("PolicyVersionsInUse", "policy versions in use"),
        ] {
            let used = map.get(name).copied().unwrap_or_default();
            if let Some(quota) = map.get(&format!("{name}Quota")).filter(|quota| **quota > 0) {
                add(&audit.account, used, *quota, what);
            }
        }
    }
    found
}

fn size_of(policy: &PolicyUse) -> u64 {
    let size = |document: &Document| Document::size_without_white_space(document.source());
    policy.document.as_ref().map_or(0, |document| size(document) as u64)
}
