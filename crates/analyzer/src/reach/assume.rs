//! Who can assume each role, all roles at once.

use std::collections::{BTreeMap, HashMap};

use bailiwick_policy::{Effect, Principal, PrincipalType, Statement};
use serde::Serialize;

use super::answer::{Access, Certainty};
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

/// What a subject's policies let it assume, loosely: no role that it may is left out.
struct Grant {
    at: usize,
    /// How the ARN of a role must begin, or be whole where nothing stands for anything.
    patterns: Vec<(String, bool)>,
}

/// Whom a trust policy may mean.
enum Meant {
    /// These, and, where it names the account, whoever's policies allow it.
    Some { named: Vec<usize>, account: bool },
    /// Anybody.
    Any,
}

impl Reach<'_> {
    /// Who can assume each role directly, by the ARN of the role; what is undecided is among them.
    pub fn assumers_of_roles(&self) -> BTreeMap<String, Vec<Assumer>> {
        let grants = self.grants_of_assuming();
        let ids: HashMap<String, usize> = self
            .subjects
            .iter()
            .enumerate()
            .filter_map(|(at, (_, subject, _))| match &subject.principal {
                Principal::User { id, .. } | Principal::Role { id, .. } => {
                    Some((id.to_string(), at))
                }
                _ => None,
            })
            .collect();
        let roles = self.estate.account.roles();
        let all = roles.map(|role| {
            let arn = self.estate.account.role_arn(role).to_string();
            let found = self.assumers_of(&arn, role, &grants, &ids);
            (arn, found)
        });
        all.collect()
    }

    fn assumers_of(
        &self,
        arn: &str,
        role: &bailiwick_model::Role,
        grants: &[Grant],
        ids: &HashMap<String, usize>,
    ) -> Vec<Assumer> {
        let mut out = Vec::new();
        let mut candidates: Vec<usize> = match self.meant_by(role, ids) {
            Meant::Any => (0..self.subjects.len()).collect(),
            Meant::Some { named, account } => {
                let by_policy = grants.iter().filter(|grant| account && grant.may_mean(arn));
                by_policy.map(|grant| grant.at).chain(named).collect()
            }
        };
        candidates.sort_unstable();
        candidates.dedup();
        for at in candidates {
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

    /// Whom identity policies allow to assume some role.
    fn grants_of_assuming(&self) -> Vec<Grant> {
        let action = [ASSUME.to_ascii_lowercase()];
        let of = |(at, (_, subject, _)): (usize, &(Kind, crate::estate::Subject, _))| {
            let mut patterns = Vec::new();
            for found in &subject.effective.identity {
                for statement in found.document.statements() {
                    if statement.effect() == Effect::Allow
                        && statement.meant_of("sts", &action).next().is_some()
                    {
                        patterns.extend(beginnings(statement));
                    }
                }
            }
            (!patterns.is_empty()).then_some(Grant { at, patterns })
        };
        self.subjects.iter().enumerate().filter_map(of).collect()
    }

    /// Whom of the account the trust policy of a role may mean.
    fn meant_by(&self, role: &bailiwick_model::Role, ids: &HashMap<String, usize>) -> Meant {
        // IN-6: a policy that cannot be read lets nobody in.
        let nobody = Meant::Some { named: Vec::new(), account: false };
        let Ok(document) = role.trust.document() else { return nobody };
        if document.statements().iter().any(Statement::is_not_principal) {
            return Meant::Any;
        }
        let (mut named, mut account) = (Vec::new(), false);
        for entry in document.principals() {
            let text = entry.text;
            match entry.kind {
                PrincipalType::Bare => return Meant::Any,
                PrincipalType::Aws if text.contains(['*', '?']) => return Meant::Any,
                PrincipalType::Aws
                    if text.ends_with(":root") || text.bytes().all(|b| b.is_ascii_digit()) =>
                {
                    account = true;
                }
                PrincipalType::Aws => {
                    named.extend(self.place(text).or_else(|| ids.get(text).copied()));
                }
                _ => {}
            }
        }
        Meant::Some { named, account }
    }
}

impl Grant {
    fn may_mean(&self, arn: &str) -> bool {
        self.patterns.iter().any(|(text, whole)| {
            let head = arn.get(..text.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(text))
                && (!whole || arn.len() == text.len())
        })
    }
}

/// How the resources of a statement begin, and whether that is all of them.
fn beginnings(statement: &Statement) -> Vec<(String, bool)> {
    if statement.is_not_resource() {
        return vec![(String::new(), false)];
    }
    let resources = statement.resources();
    let all = resources.map(|text| match text.find(['*', '?', '$']) {
        Some(end) => (text.get(..end).unwrap_or_default().to_owned(), false),
        None => (text.to_owned(), true),
    });
    all.collect()
}

/// The action by which a caller from outside assumes a role.
fn by_which(outsider: &Outsider) -> &'static str {
    if outsider.kind != Kind::Provider {
        ASSUME
    } else if outsider.name.contains(":saml-provider/") {
        "sts:AssumeRoleWithSAML"
    } else {
        "sts:AssumeRoleWithWebIdentity"
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
        assert_eq!(all.len(), 7);
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
    }
}
