//! USR: users, groups and direct grants.

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::finding::Place;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "USR-01",
    needs: &[Need::Of(Data::AuthorizationDetails)],
    remedy: "move the policy to a group or a role, and detach it from the user",
    run: no_direct_policy,
}];

/// USR-01: neither an inline nor an attached policy.
fn no_direct_policy(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    for user in account.users() {
        let arn = account.user_arn(user);
        let mut clean = true;
        for policy in account.inline_policies(user.id) {
            clean = false;
            let place = Place { policy: policy.name.as_str().to_owned(), ..Place::default() };
            results.fail(
                Found::new(
                    arn.as_str(),
                    format!("the inline policy `{}` is the user's own", policy.name),
                )
                .at(place)
                .cli(format!(
                    "aws iam delete-user-policy --user-name {} --policy-name {}",
                    user.name, policy.name
                )),
            );
        }
        for policy in account.attached(user.id) {
            clean = false;
            let place = Place { policy: policy.as_str().to_owned(), ..Place::default() };
            results.fail(
                Found::new(arn.as_str(), format!("`{policy}` is attached to the user"))
                    .at(place)
                    .cli(format!(
                        "aws iam detach-user-policy --user-name {} --policy-arn {policy}",
                        user.name
                    )),
            );
        }
        if clean {
            results.pass();
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{Case, allow, attached, folder, managed, policy, user};
    use serde_json::json;

    pub(crate) fn cases() -> Vec<Case> {
        let document = policy(json!([allow("s3:GetObject", "arn:aws:s3:::b/*")]));
        let policies = json!([managed("p", document.clone())]);
        let details = |more: serde_json::Value| {
            folder(|f| {
                f.details(
                    json!([user("alice", more.clone())]),
                    json!([]),
                    json!([]),
                    policies.clone(),
                );
            })
        };
        let inline =
            details(json!({"UserPolicyList": [{"PolicyName": "own", "PolicyDocument": document}]}));
        let direct = details(json!({"AttachedManagedPolicies": [attached("p")]}));
        vec![Case::new(
            "USR-01",
            &details(json!({})),
            &[&|f| *f = inline.clone(), &|f| *f = direct.clone()],
        )]
    }
}
