//! Who can assume each role, all roles at once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::{Access, Certainty};
use super::chain::{Assumers, by_which};
use super::outside::Outsider;
use super::who::{Kind, Reach, told};

/// The action by which principals of accounts assume roles.
const ASSUME: &str = "sts:AssumeRole";

/// Somebody who can assume a role.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assumer {
    /// Its ARN, or its name where it has none.
    pub principal: String,
    /// What it is.
    pub kind: Kind,
    /// Whether this rests on policies of its own account, which are not known.
    pub if_its_account_allows: bool,
    /// Under what, and why.
    pub access: Access,
}

impl Reach<'_> {
    /// Who can assume each role directly, by the ARN of the role; what is undecided is among them.
    pub fn assumers_of_roles(&self) -> BTreeMap<String, Vec<Assumer>> {
        let assumers = Assumers::new(&self.subjects);
        let roles = self.estate.account.roles();
        let all = roles.map(|role| {
            let arn = self.estate.account.role_arn(role).to_string();
            let found = self.assumers_of(&arn, &assumers);
            (arn, found)
        });
        all.collect()
    }

    fn assumers_of(&self, arn: &str, assumers: &Assumers) -> Vec<Assumer> {
        let mut out = Vec::new();
        for at in self.may_assume(arn, assumers) {
            let Some((kind, subject, context)) = self.subjects.get(at) else { continue };
            // ROOT-7: the root user assumes no role.
            if *kind == Kind::Root || subject.principal.describe() == arn {
                continue;
            }
            let judged = self.judge(subject, context, ASSUME, arn);
            if let Some(access) = told(ASSUME, vec![judged], true, true) {
                out.push(Assumer {
                    principal: subject.principal.describe(),
                    kind: *kind,
                    if_its_account_allows: false,
                    access,
                });
            }
        }
        for outsider in self.outsiders(ASSUME, arn) {
            let action = by_which(&outsider);
            let judged = self.judge_outsider(&outsider, action, arn);
            if let Some(access) = told(action, vec![judged], true, true) {
                let if_its_account_allows = outsider.is_assumed();
                let access = Outsider::without_assumption(access);
                let Outsider { name: principal, kind, .. } = outsider;
                out.push(Assumer { principal, kind, if_its_account_allows, access });
            }
        }
        out.sort_by(|left, right| {
            let rank = |one: &Assumer| (one.kind, one.access.certainty == Certainty::Undecided);
            rank(left).cmp(&rank(right)).then_with(|| left.principal.cmp(&right.principal))
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_catalog::Catalog;
    use bailiwick_model::export::{ExportFile, read};
    use serde_json::{Value, json};

    use super::super::Question;
    use super::*;
    use crate::estate::Estate;

    fn estate() -> Estate {
        let policy = |statement: Value| json!([{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": statement}}]);
        let user = |name: &str, policies: Value| {
            let letter = name.as_bytes()[0].to_ascii_uppercase() as char;
            json!({
                "Path": "/", "UserName": name, "UserId": format!("AIDAEXAMPLE{}", letter.to_string().repeat(10)),
                "Arn": format!("arn:aws:iam::123456789012:user/{name}"), "CreateDate": "2025-01-01T00:00:00Z",
                "GroupList": [], "AttachedManagedPolicies": [], "UserPolicyList": policies, "Tags": [],
            })
        };
        let role = |name: &str, principal: Value, condition: Value| {
            let letter = name.as_bytes()[0].to_ascii_uppercase() as char;
            let mut statement =
                json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
            if principal.get("Federated").is_some() {
                statement["Action"] = json!("sts:AssumeRoleWithSAML");
            }
            if !condition.is_null() {
                statement["Condition"] = condition;
            }
            json!({
                "Path": "/", "RoleName": name, "RoleId": format!("AROAEXAMPLE{}", letter.to_string().repeat(10)),
                "Arn": format!("arn:aws:iam::123456789012:role/{name}"), "CreateDate": "2025-01-01T00:00:00Z",
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [],
            })
        };
        let own = json!({"AWS": "arn:aws:iam::123456789012:root"});
        let text = json!({
            "UserDetailList": [
                user("ann", policy(json!({"Effect": "Allow", "Action": "sts:*", "Resource": "arn:aws:iam::123456789012:role/a*"}))),
                user("bob", policy(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::123456789012:role/beta"}))),
                user("cid", json!([])),
                user("dan", policy(json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*",
                    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}))),
                user("eve", policy(json!({"Effect": "Deny", "Action": "*", "Resource": "*"}))),
            ],
            "GroupDetailList": [], "Policies": [],
            "RoleDetailList": [
                role("alpha", own.clone(), Value::Null),
                role("beta", own.clone(), json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
                role("gamma", json!({"AWS": ["arn:aws:iam::123456789012:user/cid", "arn:aws:iam::123456789012:user/eve"]}), Value::Null),
                role("delta", json!({"Service": "ec2.amazonaws.com"}), Value::Null),
                role("zeta", json!({"AWS": "222222222222"}), json!({"StringEquals": {"sts:ExternalId": "x"}})),
                role("open", json!("*"), Value::Null),
                role("kappa", json!({"AWS": "arn:aws:iam::123456789012:role/alpha"}), Value::Null),
                role("lambda", json!({"AWS": "arn:aws:sts::123456789012:assumed-role/alpha/visit"}), Value::Null),
                role("mu", json!({"AWS": "AIDAEXAMPLECCCCCCCCCC"}), Value::Null),
                role("saml", json!({"Federated": "arn:aws:iam::123456789012:saml-provider/idp"}), Value::Null),
            ],
        });
        let text = text.to_string();
        let file = ExportFile { name: "export.json", bytes: text.as_bytes() };
        let imported = read(&[file], Catalog::embedded()).unwrap();
        Estate::new(imported.account, imported.managed)
    }

    // The same as `who_can` says of each role one by one.
    #[test]
    fn all_roles_at_once_are_as_each_by_itself() {
        let estate = estate();
        let reach = Reach::new(&estate);
        let all = reach.assumers_of_roles();
        assert_eq!(all.len(), 10);
        for (role, found) in &all {
            let action =
                if role.ends_with("/saml") { "sts:AssumeRoleWithSAML" } else { "sts:AssumeRole" };
            let expected = reach.who_can(&Question::new(action, role).unwrap());
            let mut expected: Vec<_> = expected
                .iter()
                .filter(|who| who.principal != *role)
                .map(|who| (who.principal.as_str(), who.certainty(), who.if_its_account_allows))
                .collect();
            let mut found: Vec<_> = found
                .iter()
                .map(|one| {
                    (one.principal.as_str(), one.access.certainty, one.if_its_account_allows)
                })
                .collect();
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{role}");
        }
        let of = |name: &str| {
            let found = &all[&format!("arn:aws:iam::123456789012:role/{name}")];
            found.iter().map(|one| one.principal.rsplit('/').next().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of("alpha"), ["ann", "dan"]);
        assert_eq!(of("beta"), ["bob", "dan"]);
        assert_eq!(of("gamma"), ["cid"]);
        assert_eq!(of("delta"), ["ec2.amazonaws.com"]);
        assert_eq!(of("zeta"), ["222222222222"]);
        assert_eq!(of("saml"), ["idp"]);
        // A session of the role is let in with it.
        assert_eq!(of("kappa"), ["alpha", "visit"]);
        assert_eq!(of("lambda"), ["visit"]);
        assert_eq!(of("mu"), ["cid"]);
    }
}
