//! ORG: the organization and its guardrails.

use bailiwick_identifiers::{AccountId, Partition};
use bailiwick_model::Found as Policy;
use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Effect, PolicyKind, Reason, Request,
    Source, SourceKind, decide,
};

use super::exposure::stranger;
use crate::evidence::{Data, Organizations, Part};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::facts::{Administrative, HolderKind};

const NEEDS: &[Need] = &[Need::Of(Data::Organization)];
const SCP: &str = "SERVICE_CONTROL_POLICY";
const RCP: &str = "RESOURCE_CONTROL_POLICY";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "ORG-01",
        needs: NEEDS,
        remedy: "make an organization, or invite the account to yours",
        run: member,
    },
    Check {
        id: "ORG-02",
        needs: NEEDS,
        remedy: "switch all features and both policy types on",
        run: features,
    },
    Check {
        id: "ORG-03",
        needs: NEEDS,
        remedy: "attach an SCP that denies something beside full access",
        run: guarded,
    },
    Check {
        id: "ORG-04",
        needs: NEEDS,
        remedy: "deny to all but a few roles to stop logs and security tools and to leave the \
                 organization",
        run: protected,
    },
    Check {
        id: "ORG-05",
        needs: NEEDS,
        remedy: "attach an RCP that denies principals outside of the organization",
        run: perimeter,
    },
    Check {
        id: "ORG-06",
        needs: &[Need::Of(Data::Organization), Need::Of(Data::AuthorizationDetails)],
        remedy: "move the workload to a member account",
        run: no_workloads,
    },
    Check {
        id: "ORG-07",
        needs: NEEDS,
        remedy: "take the delegation back, or put the account on the list",
        run: delegated,
    },
    Check {
        id: "ORG-08",
        needs: NEEDS,
        remedy: "attach a tag policy and an opt-out policy of AI services",
        run: other_policies,
    },
    Check {
        id: "ORG-09",
        needs: &[Need::Of(Data::Contacts)],
        remedy: "set a contact each for security, billing and operations",
        run: contacts,
    },
];

/// The organization; an account known to be in none has nothing to check but ORG-01.
fn organization<'a>(audit: &Audit<'a>, results: &mut Results) -> Option<&'a Organizations> {
    let found = audit.evidence.organization.known()?.as_ref();
    if found.is_none() {
        results.not_applicable();
    }
    found
}

/// Each member account with its policies of a kind; what is not whole is told.
fn members(
    audit: &Audit<'_>,
    organization: &Organizations,
    kind: &str,
    results: &mut Results,
) -> Vec<(AccountId, String, Vec<Vec<Policy>>)> {
    let Some(accounts) = organization.accounts.known() else {
        results.not_assessed(&audit.account, "the accounts of the organization");
        return Vec::new();
    };
    let partition = audit.evidence.estate.account.partition().as_str();
    let mut found = Vec::new();
    for id in accounts.keys().filter(|id| **id != organization.management_account) {
        let subject = format!("arn:{partition}:iam::{id}:root");
        match (id.parse(), organization.levels(id, kind)) {
            (Ok(account), Some(levels)) => found.push((account, subject, levels)),
            _ => results
                .not_assessed(&subject, "policies of the account: tree or texts are not whole"),
        }
    }
    if found.is_empty() && accounts.len() < 2 {
        results.not_applicable();
    }
    found
}

/// ORG-01.
fn member(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = audit.evidence.organization.known() else { return };
    results.judge(organization.is_some(), || {
        Found::new(&audit.account, "the account belongs to no organization")
    });
}

/// ORG-02.
fn features(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = organization(audit, results) else { return };
    results.judge(organization.feature_set == "ALL", || {
        let why = format!("the organization has only the features {}", organization.feature_set);
        Found::new(&audit.account, why)
            .detail("features")
            .cli("aws organizations enable-all-features")
    });
    let Some(types) = organization.policy_types.known() else {
        results.not_assessed(&audit.account, "the policy types at the root");
        return;
    };
    for kind in [SCP, RCP] {
        results.judge(types.contains(kind), || {
            Found::new(&audit.account, format!("{kind} is off at the root")).detail(kind).cli(
                format!("aws organizations enable-policy-type --root-id ROOT --policy-type {kind}"),
            )
        });
    }
}

/// ORG-03: some Deny, or a level that does not allow everything.
fn guarded(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = organization(audit, results) else { return };
    for (_, subject, levels) in members(audit, organization, SCP, results) {
        let full = |policy: &Policy| {
            let mut statements = policy.document.statements().iter();
            statements.any(|statement| {
                statement.effect() == Effect::Allow
                    && statement.conditions().next().is_none()
                    && statement.actions().any(|action| action == "*")
                    && !statement.is_not_action()
            })
        };
        let denies = |policy: &Policy| {
            policy.document.statements().iter().any(|s| s.effect() == Effect::Deny)
        };
        let limited =
            levels.iter().any(|level| !level.iter().any(full) || level.iter().any(denies));
        results.judge(limited, || Found::new(&subject, "no SCP but full access applies"));
    }
}

/// What guardrails must keep from everybody but a few.
const PROTECTED: [(&str, &str); 7] = [
    ("cloudtrail:StopLogging", "arn:aws:cloudtrail:eu-west-1:ACCOUNT:trail/any"),
    ("cloudtrail:DeleteTrail", "arn:aws:cloudtrail:eu-west-1:ACCOUNT:trail/any"),
    ("config:StopConfigurationRecorder", "*"),
    ("config:DeleteConfigurationRecorder", "*"),
    ("guardduty:DeleteDetector", "arn:aws:guardduty:eu-west-1:ACCOUNT:detector/any"),
    ("securityhub:DisableSecurityHub", "arn:aws:securityhub:eu-west-1:ACCOUNT:hub/default"),
    ("organizations:LeaveOrganization", "*"),
];

/// ORG-04: for an administrator by a name that no list would hold, decided by the engine.
fn protected(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = organization(audit, results) else { return };
    for (account, subject, levels) in members(audit, organization, SCP, results) {
        let entry = format!("arn:{}:iam::{account}:role/bailiwick-any", Partition::Aws.as_str());
        let open: Vec<&str> = PROTECTED
            .iter()
            .filter(|(action, resource)| {
                let resource = resource.replace("ACCOUNT", &account.to_string());
                let ask = Ask {
                    account,
                    organization: &organization.id,
                    entry: &entry,
                    action,
                    resource: &resource,
                };
                let kind = PolicyKind::ServiceControl;
                !ask.denied_by(kind, &levels, &[], &organization.id)
            })
            .map(|(action, _)| *action)
            .collect();
        results.judge(open.is_empty(), || {
            Found::new(&subject, format!("no SCP denies {}", open.join(", ")))
        });
    }
}

/// One request of a probe.
struct Ask<'a> {
    account: AccountId,
    /// The organization of the resource.
    organization: &'a str,
    entry: &'a str,
    action: &'a str,
    resource: &'a str,
}

impl Ask<'_> {
    /// Whether a policy of this kind denies it, for a caller of an organization.
    fn denied_by(
        &self,
        kind: PolicyKind,
        scps: &[Vec<Policy>],
        rcps: &[Vec<Policy>],
        own: &str,
    ) -> bool {
        let caller = self.entry.split(':').nth(4).and_then(|id| id.parse().ok());
        let principal = stranger(caller.unwrap_or(self.account), self.entry);
        let mut context = Context::new();
        context.put_principal(&principal);
        context.put("aws:PrincipalOrgID", own);
        context.put("aws:ResourceOrgID", self.organization);
        context.put("aws:ResourceAccount", &self.account.to_string());
        let all = r#"{"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        let Ok(all) = Document::parse(all, DocumentKind::Identity) else { return false };
        let source = Source::new("any", SourceKind::UserInline);
        let applicable = Applicable {
            identity: [Attached { source: &source, document: &all }].into_iter().collect(),
            scps: of(scps),
            rcps: of(rcps),
            ..Applicable::default()
        };
        let request = Request {
            principal: &principal,
            action: self.action,
            resource: self.resource,
            resource_account: Some(self.account),
            context: &context,
            delegated: false,
        };
        let reason = decide(&request, &applicable).reason;
        matches!(
            reason,
            Reason::ExplicitDeny { kind: by, .. } | Reason::MissingAllow { kind: by } if by == kind
        )
    }
}

fn of(levels: &[Vec<Policy>]) -> bailiwick_policy::Levels<'_> {
    levels.iter().map(|level| level.iter().map(Policy::attached).collect()).collect()
}

/// Resources of services that RCPs guard.
const GUARDED: [(&str, &str); 5] = [
    ("s3:GetObject", "arn:aws:s3:::any/any"),
    ("sts:AssumeRole", "arn:aws:iam::ACCOUNT:role/any"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:ACCOUNT:key/any"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:ACCOUNT:any"),
    ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:ACCOUNT:secret:any"),
];

/// ORG-05: for a caller of another organization, decided by the engine.
fn perimeter(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = organization(audit, results) else { return };
    for (account, subject, levels) in members(audit, organization, RCP, results) {
        let open: Vec<&str> = GUARDED
            .iter()
            .filter(|(action, resource)| {
                let resource = resource.replace("ACCOUNT", &account.to_string());
                let entry = "arn:aws:iam::000000000001:role/any";
                let ask = Ask {
                    account,
                    organization: &organization.id,
                    entry,
                    action,
                    resource: &resource,
                };
                !ask.denied_by(PolicyKind::ResourceControl, &[], &levels, "o-outside")
            })
            .map(|(action, _)| *action)
            .collect();
        results.judge(open.is_empty(), || {
            let why = format!("no RCP denies strangers {}", open.join(", "));
            Found::new(&subject, why)
        });
    }
}

/// ORG-06: only where this account is the management account.
fn no_workloads(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = organization(audit, results) else { return };
    if organization.management_account != audit.evidence.account_id().to_string() {
        results.not_applicable();
        return;
    }
    let account = &audit.evidence.estate.account;
    let mut any = false;
    for access in audit.principals().iter().filter(|access| !access.holder.linked) {
        any = true;
        let holder = &access.holder;
        if let Administrative::Unknown(why) = &access.administrative {
            results.not_assessed(&holder.arn, why.clone());
            continue;
        }
        let compute = holder.kind == HolderKind::Role
            && account.role(&holder.id).is_some_and(|role| {
                let trust = role.trust.document();
                trust.is_ok_and(|trust| trust.principals().any(|p| COMPUTE.contains(&p.text)))
            });
        let reserved = holder.arn.contains(":role/aws-reserved/");
        results.judge(!compute && (reserved || access.administrative.is()), || {
            let why = if compute {
                "a role of a compute service lives in the management account"
            } else {
                "a principal that administers nothing lives in the management account"
            };
            Found::new(&holder.arn, why)
        });
    }
    if !any {
        results.pass();
    }
}

/// Services that run a workload's code.
const COMPUTE: [&str; 9] = [
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "codebuild.amazonaws.com",
    "batch.amazonaws.com",
    "sagemaker.amazonaws.com",
    "glue.amazonaws.com",
];

/// ORG-07.
fn delegated(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = organization(audit, results) else { return };
    let Some(found) = organization.delegated.known() else {
        results.not_assessed(&audit.account, "the delegated administrators");
        return;
    };
    let Some(expected) = &audit.settings.delegated_administrators else {
        results.not_assessed(&audit.account, "the settings name no `delegated-administrators`");
        return;
    };
    let odd = found.symmetric_difference(expected);
    let mut clean = true;
    for id in odd {
        clean = false;
        let why = if found.contains(id) {
            format!("{id} is a delegated administrator and not on the list")
        } else {
            format!("{id} is on the list and no delegated administrator")
        };
        results.fail(Found::new(&audit.account, why).detail(id));
    }
    if clean {
        results.pass();
    }
}

/// ORG-08: at least one of each kind hangs on something.
fn other_policies(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = organization(audit, results) else { return };
    for kind in ["TAG_POLICY", "AISERVICES_OPT_OUT_POLICY"] {
        let (true, Part::Known(policies)) =
            (organization.listed.contains(kind), &organization.policies)
        else {
            results.not_assessed(&audit.account, format!("the policies of type {kind}"));
            continue;
        };
        let own = || policies.values().filter(|policy| policy.kind == kind);
        let attached = own().any(|p| p.targets.known().is_some_and(|targets| !targets.is_empty()));
        if !attached && own().any(|policy| policy.targets.known().is_none()) {
            results.not_assessed(&audit.account, format!("what policies of type {kind} hang on"));
            continue;
        }
        results.judge(attached, || {
            Found::new(&audit.account, format!("no policy of type {kind} is attached")).detail(kind)
        });
    }
}

/// ORG-09: all three, and different.
fn contacts(audit: &Audit<'_>, results: &mut Results) {
    let Some(contacts) = audit.evidence.contacts.known() else { return };
    let kinds = ["SECURITY", "BILLING", "OPERATIONS"];
    let mut held = Vec::new();
    for kind in kinds {
        match contacts.get(kind) {
            None => results.not_assessed(&audit.account, format!("the contact for {kind}")),
            Some(None) => results.fail(
                Found::new(&audit.account, format!("there is no contact for {kind}"))
                    .detail(kind)
                    .cli(format!(
                        "aws account put-alternate-contact --alternate-contact-type {kind} ..."
                    )),
            ),
            Some(Some(contact)) => held.push(contact),
        }
    }
    let all = held.len();
    held.sort();
    held.dedup();
    results.judge(held.len() == all, || {
        Found::new(&audit.account, "two of the contacts are the same").detail("same")
    });
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]
pub(super) mod tests;
