//! A caller with the policies that apply to it, and the questions one may ask about it.
//!
//! Each question becomes a case (the form of `--batch` and of the decision vectors), so that what
//! is shown here and what a batch answers come from one place. What the host of a live decision
//! would compute from the caller and the resource is filled in here: see [`Setting::context_for`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_identifiers::{AccountId, Arn, Partition};
use bailiwick_policy::{Answer, Case, CaseProblem, Documents, Explanation, Position};
use serde_json::{Value as Json, json};

use super::account::World;

/// A policy with the name by which a reader knows it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// A file, or words such as "managed policy `Read`".
    pub(crate) label: Arc<str>,
    /// The document, byte for byte.
    pub(crate) text: Arc<str>,
    /// The line of the file on which the document begins, from 1; none where it has no file.
    pub(crate) first_line: Option<u32>,
}

impl Named {
    /// The policy that a whole file holds.
    pub(crate) fn file(label: &str, text: &str) -> Self {
        Self { label: label.into(), text: text.into(), first_line: Some(1) }
    }

    /// A place in the policy: `read.json:4`, or "managed policy `Read`, line 4".
    pub(crate) fn place(&self, at: Position) -> String {
        match self.first_line {
            Some(first) => format!("{}:{}", self.label, first.saturating_add(at.line) - 1),
            None => format!("{}, line {}", self.label, at.line),
        }
    }
}

/// The policies that apply, by the fields of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) identity: Vec<Named>,
    pub(crate) boundary: Option<Named>,
    pub(crate) session: Option<Vec<Named>>,
    pub(crate) resource: Option<Named>,
    /// The entities that its principals are bound to (PR-12), where that is known.
    pub(crate) entities: BTreeMap<String, String>,
    pub(crate) scps: Vec<Vec<Named>>,
    pub(crate) rcps: Vec<Vec<Named>>,
    pub(crate) endpoints: Vec<Named>,
}

/// Context keys in their order, each once without regard to case (CO-2).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Keys(Vec<(String, Vec<String>)>);

impl Keys {
    /// Gives a key these values instead of those it had.
    pub(crate) fn set(&mut self, key: &str, values: Vec<String>) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, held)) => *held = values,
            None => self.0.push((key.to_owned(), values)),
        }
    }

    /// Gives a key one more value.
    pub(crate) fn push(&mut self, key: &str, value: String) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            Some((_, held)) => held.push(value),
            None => self.0.push((key.to_owned(), vec![value])),
        }
    }

    /// Takes all keys of another list; they win.
    pub(crate) fn extend(&mut self, others: &Self) {
        for (key, values) in &others.0 {
            self.set(key, values.clone());
        }
    }

    fn one(&mut self, key: &str, value: impl Into<String>) {
        self.set(key, vec![value.into()]);
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(key))
    }

    /// The keys and their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// As an object: a string, or a list where there is not exactly one value.
    pub(crate) fn to_json(&self) -> Json {
        let member = |(key, values): &(String, Vec<String>)| {
            let value = match values.as_slice() {
                [one] => json!(one),
                several => json!(several),
            };
            (key.clone(), value)
        };
        self.0.iter().map(member).collect::<serde_json::Map<_, _>>().into()
    }
}

/// A caller, what applies to it, and the circumstances of its calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    /// The caller's ARN or service name; none is an anonymous caller.
    pub(crate) principal: Option<String>,
    /// The ARN of a session's role, path included, where it is known.
    pub(crate) role_arn: Option<String>,
    /// The unique id of the user or role, where it is known.
    pub(crate) id: Option<String>,
    /// The tags of the caller.
    pub(crate) tags: Vec<(String, String)>,
    /// The policies that apply.
    pub(crate) policies: Policies,
    /// The owner of resources whose ARN names no account.
    pub(crate) resource_account: Option<AccountId>,
    /// The region that calls go to.
    pub(crate) region: Option<String>,
    /// The context keys that were given; they win over what is filled in.
    pub(crate) context: Keys,
    /// The account in which resources and their policies are found.
    pub(crate) world: Option<Arc<World>>,
}

/// One answered question.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// The whole context: what was given and what was filled in.
    pub(crate) context: Keys,
    pub(crate) answer: Answer,
    pub(crate) explanation: Explanation,
    /// The policies that applied, by the names of the explanation.
    pub(crate) policies: Policies,
}

impl Asked {
    /// Whether the request is allowed.
    pub(crate) fn is_allowed(&self) -> bool {
        self.answer.decision == "allowed"
    }

    /// The policy that an explanation means.
    pub(crate) fn policy(&self, id: &str) -> Option<&Named> {
        self.policies.find(id)
    }
}

impl Setting {
    /// Asks whether the caller may do `action` on `resource`, and why.
    ///
    /// # Errors
    /// What is wrong with the question itself, such as a principal that is none.
    pub(crate) fn ask(
        &self,
        action: &str,
        resource: &str,
        documents: &mut Documents,
    ) -> Result<Asked, CaseProblem> {
        let (policies, context) =
            (self.policies_for(action, resource), self.context_for(action, resource));
        let case = self.case(action, resource, &policies, &context, documents)?;
        Ok(Asked {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context,
            answer: case.decide(),
            explanation: case.explain(),
            policies: policies.into_owned(),
        })
    }

    /// The answer alone, which is much faster.
    ///
    /// # Errors
    /// What is wrong with the question itself, such as a principal that is none.
    pub(crate) fn decide(
        &self,
        action: &str,
        resource: &str,
        documents: &mut Documents,
    ) -> Result<Answer, CaseProblem> {
        let (policies, context) =
            (self.policies_for(action, resource), self.context_for(action, resource));
        Ok(self.case(action, resource, &policies, &context, documents)?.decide())
    }

    /// The policies of a request: those of the caller, and the trust policy of a role in the same
    /// account that is to be assumed.
    fn policies_for(&self, action: &str, resource: &str) -> Cow<'_, Policies> {
        if self.policies.resource.is_none()
            && let Some(world) = &self.world
            && let Some((trust, entities)) = world.trust_policy(action, resource)
        {
            let policies = Policies { resource: Some(trust), entities, ..self.policies.clone() };
            return Cow::Owned(policies);
        }
        Cow::Borrowed(&self.policies)
    }

    fn case(
        &self,
        action: &str,
        resource: &str,
        policies: &Policies,
        context: &Keys,
        documents: &mut Documents,
    ) -> Result<Case, CaseProblem> {
        let mut case = policies.to_json();
        let request = json!({
            "principal": self.principal,
            "roleArn": self.role_arn,
            "action": action,
            "resource": resource,
            "resourceAccount": self.resource_account,
            "context": context.to_json(),
        });
        case.insert("request".to_owned(), request);
        Case::from_value(&Json::from(case), documents).map_err(|error| error.problem)
    }

    /// The context of a request: the keys that follow from the caller (KEY-1), from the resource
    /// (KEY-4) and from the region; above them those that were given.
    pub(crate) fn context_for(&self, action: &str, resource: &str) -> Keys {
        let mut keys = Keys::default();
        self.principal_keys(&mut keys);
        for (key, value) in &self.tags {
            keys.one(&format!("aws:PrincipalTag/{key}"), value);
        }
        let arn: Option<Arn> = resource.parse().ok();
        let owner = arn.as_ref().and_then(Arn::account_id).or(self.resource_account);
        if let Some(owner) = owner {
            keys.one("aws:ResourceAccount", owner.to_string());
        }
        if let Some(world) = &self.world {
            for (key, value) in world.resource_tags(resource) {
                keys.one(&format!("aws:ResourceTag/{key}"), value.clone());
                keys.one(&format!("iam:ResourceTag/{key}"), value);
            }
        }
        if let Some(region) = &self.region {
            let partition = self.principal.as_deref().and_then(|arn| arn.split(':').nth(1));
            keys.one("aws:RequestedRegion", requested_region(action, region, partition));
        }
        keys.extend(&self.context);
        self.service_between(&mut keys);
        keys
    }

    /// `aws:ViaAWSService`, which every request has (KEY-5): false where the caller itself calls,
    /// true where it is said by which services the call comes. A service as caller tells neither.
    fn service_between(&self, keys: &mut Keys) {
        let service = self.principal.as_deref().is_some_and(is_service);
        if service || keys.has("aws:ViaAWSService") {
            return;
        }
        let chain = ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"];
        let between = chain.iter().any(|key| keys.has(key));
        keys.one("aws:ViaAWSService", if between { "true" } else { "false" });
    }

    fn principal_keys(&self, keys: &mut Keys) {
        let Some(principal) = self.principal.as_deref() else {
            keys.one("aws:PrincipalType", "Anonymous");
            keys.one("aws:PrincipalIsAWSService", "false");
            keys.one("aws:userid", "anonymous");
            return;
        };
        let service = is_service(principal);
        keys.one("aws:PrincipalIsAWSService", if service { "true" } else { "false" });
        if service {
            keys.one("aws:PrincipalServiceName", principal);
            keys.one("aws:PrincipalServiceNamesList", principal);
            return;
        }
        let Ok(arn) = principal.parse::<Arn>() else { return };
        let account = arn.account();
        let whole = || principal.to_owned();
        let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
        let (shown, kind, id) = match arn.resource().split_once('/') {
            _ if arn.resource() == "root" => (whole(), "Account", Some(account.to_owned())),
            Some(("user", name)) => {
                keys.one("aws:username", last(name));
                (whole(), "User", self.id.clone())
            }
            Some(("role", _)) => (whole(), "AssumedRole", self.id.clone()),
            Some(("assumed-role", session)) => {
                let (role, name) = session.split_once('/').unwrap_or((session, ""));
                let plain = format!("arn:{}:iam::{account}:role/{role}", arn.partition());
                let id = self.id.as_ref().map(|id| format!("{id}:{name}"));
                (self.role_arn.clone().unwrap_or(plain), "AssumedRole", id)
            }
            Some(("federated-user", name)) => {
                (whole(), "FederatedUser", Some(format!("{account}:{name}")))
            }
            _ => return,
        };
        keys.one("aws:PrincipalAccount", account);
        keys.one("aws:PrincipalArn", shown);
        keys.one("aws:PrincipalType", kind);
        if let Some(id) = id {
            keys.one("aws:userid", id);
        }
    }
}

fn is_service(principal: &str) -> bool {
    principal.ends_with(".amazonaws.com") || principal.ends_with(".amazonaws.com.cn")
}

/// Services with one endpoint for all regions. Evidence: documented, in the example of a policy
/// that denies by `aws:RequestedRegion` (`reference_policies_examples_aws_deny-requested-region`)
/// and in the services' endpoint tables.
const GLOBAL: [&str; 11] = [
    "account",
    "budgets",
    "ce",
    "cloudfront",
    "iam",
    "organizations",
    "route53",
    "route53domains",
    "shield",
    "support",
    "waf",
];

/// The value of `aws:RequestedRegion` for a call in `region`: calls to a global service count as
/// calls to the region in which it lives.
fn requested_region(action: &str, region: &str, partition: Option<&str>) -> String {
    let service = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if !GLOBAL.contains(&service.as_str()) {
        return region.to_owned();
    }
    let partition: Option<Partition> = partition.and_then(|name| name.parse().ok());
    partition.unwrap_or(Partition::Aws).global_region().to_owned()
}

impl Policies {
    fn to_json(&self) -> serde_json::Map<String, Json> {
        let text = |policy: &Named| json!(policy.text);
        let list = |policies: &[Named]| policies.iter().map(text).collect::<Vec<_>>();
        let levels = |levels: &[Vec<Named>]| levels.iter().map(|all| list(all)).collect::<Vec<_>>();
        let mut case = serde_json::Map::new();
        let mut put = |name: &str, value: Json| case.insert(name.to_owned(), value);
        put("identityPolicies", json!(list(&self.identity)));
        if let Some(boundary) = &self.boundary {
            put("permissionsBoundary", text(boundary));
        }
        if let Some(session) = &self.session {
            put("sessionPolicies", json!(list(session)));
        }
        if let Some(resource) = &self.resource {
            put("resourcePolicy", text(resource));
        }
        if !self.entities.is_empty() {
            put("entities", json!(self.entities));
        }
        put("scps", json!(levels(&self.scps)));
        put("rcps", json!(levels(&self.rcps)));
        put("endpointPolicies", json!(list(&self.endpoints)));
        case
    }

    /// The policy with this name in a case, such as `scps/1/0`.
    fn find(&self, id: &str) -> Option<&Named> {
        let mut parts = id.split('/');
        let field = parts.next()?;
        let numbers: Vec<usize> = parts.filter_map(|part| part.parse().ok()).collect();
        let first = numbers.first().copied().unwrap_or_default();
        let second = numbers.get(1).copied().unwrap_or_default();
        match field {
            "identityPolicies" => self.identity.get(first),
            "permissionsBoundary" => self.boundary.as_ref(),
            "sessionPolicies" => self.session.as_ref()?.get(first),
            "resourcePolicy" => self.resource.as_ref(),
            "scps" => self.scps.get(first)?.get(second),
            "rcps" => self.rcps.get(first)?.get(second),
            "endpointPolicies" => self.endpoints.get(first),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::my-specific-bucket/*"}}"#;

    fn alice(policies: &[&str]) -> Setting {
        Setting {
            principal: Some("arn:aws:iam::123456789012:user/team/alice".into()),
            policies: Policies {
                identity: policies.iter().map(|text| Named::file("p.json", text)).collect(),
                ..Policies::default()
            },
            ..Setting::default()
        }
    }

    fn decide(setting: &Setting, action: &str, resource: &str) -> &'static str {
        setting.ask(action, resource, &mut Documents::default()).unwrap().answer.decision
    }

    // Mission row M14.
    #[test]
    fn m14_a_bucket_policy_of_two_actions() {
        let alice = alice(&[READ]);
        for (action, resource, expected) in [
            ("s3:GetObject", "arn:aws:s3:::my-specific-bucket/a/b", "allowed"),
            ("S3:putobject", "arn:aws:s3:::my-specific-bucket/x", "allowed"),
            ("s3:GetObject", "arn:aws:s3:::my-other-bucket/x", "implicitDeny"),
            ("s3:DeleteObject", "arn:aws:s3:::my-specific-bucket/x", "implicitDeny"),
            ("s3:GetObject", "arn:aws:s3:::my-specific-bucket", "implicitDeny"),
        ] {
            assert_eq!(decide(&alice, action, resource), expected, "{action} {resource}");
        }
    }

    // Mission row M15: values are alternatives, and global services live in one region.
    #[test]
    fn m15_requested_region() {
        let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Action": ["ec2:*", "iam:*"], "Resource": "*", "Condition":
            {"StringEquals": {"aws:RequestedRegion": ["us-west-2", "us-east-1"]}}}}"#;
        for (region, ec2, iam) in [
            ("us-west-2", "allowed", "allowed"),
            ("us-east-1", "allowed", "allowed"),
            ("eu-west-1", "implicitDeny", "allowed"),
        ] {
            let alice = Setting { region: Some(region.into()), ..alice(&[policy]) };
            assert_eq!(decide(&alice, "ec2:RunInstances", "*"), ec2, "{region}");
            assert_eq!(decide(&alice, "iam:ListUsers", "*"), iam, "{region}");
        }
        assert_eq!(requested_region("IAM:X", "eu-west-1", Some("aws-cn")), "cn-north-1");
    }

    // KEY-1, KEY-4: what follows from the caller and the resource is there; what was given wins.
    #[test]
    fn contexts_are_filled_in() {
        let mut alice = alice(&[]);
        alice.tags = vec![("team".into(), "blue".into())];
        alice.context.set("AWS:username", vec!["bob".into()]);
        let keys = alice.context_for("sqs:X", "arn:aws:sqs:eu-west-1:210987654321:q");
        let keys = keys.to_json();
        for (key, expected) in [
            ("aws:PrincipalArn", "arn:aws:iam::123456789012:user/team/alice"),
            ("aws:PrincipalAccount", "123456789012"),
            ("aws:PrincipalType", "User"),
            ("aws:PrincipalIsAWSService", "false"),
            ("aws:PrincipalTag/team", "blue"),
            ("aws:ResourceAccount", "210987654321"),
            ("aws:ViaAWSService", "false"),
            ("aws:username", "bob"),
        ] {
            assert_eq!(keys[key], expected, "{key}");
        }
        assert!(keys.get("aws:userid").is_none(), "the id is not known");
        for (principal, key, expected) in [
            (
                "arn:aws:sts::123456789012:assumed-role/Dev/s1",
                "aws:PrincipalArn",
                "arn:aws:iam::123456789012:role/Dev",
            ),
            ("arn:aws:iam::123456789012:root", "aws:userid", "123456789012"),
            ("arn:aws:sts::123456789012:federated-user/f", "aws:userid", "123456789012:f"),
            ("ec2.amazonaws.com", "aws:PrincipalServiceName", "ec2.amazonaws.com"),
        ] {
            let setting = Setting { principal: Some(principal.into()), ..Setting::default() };
            assert_eq!(setting.context_for("s3:X", "*").to_json()[key], expected, "{principal}");
        }
    }

    // KEY-5, EV-10
    #[test]
    fn whether_a_service_is_between() {
        let user = "arn:aws:iam::123456789012:user/alice";
        for (principal, given, expected) in [
            (Some(user), None, Some("false")),
            (None, None, Some("false")),
            (Some(user), Some(("AWS:viaawsservice", "true")), None),
            (Some(user), Some(("aws:CalledViaLast", "athena.amazonaws.com")), Some("true")),
            (Some("s3.amazonaws.com"), None, None),
        ] {
            let principal = principal.map(ToOwned::to_owned);
            let mut setting = Setting { principal, ..Setting::default() };
            if let Some((key, value)) = given {
                setting.context.set(key, vec![value.to_owned()]);
            }
            let keys = setting.context_for("s3:X", "*").to_json();
            let found = keys.get("aws:ViaAWSService").and_then(Json::as_str);
            assert_eq!(found, expected, "{:?} {given:?}", setting.principal);
        }
    }

    #[test]
    fn a_caller_that_is_none_is_told() {
        let setting = Setting { principal: Some("alice".into()), ..Setting::default() };
        let problem = setting.ask("s3:X", "*", &mut Documents::default()).unwrap_err();
        assert!(problem.to_string().contains("principal"), "{problem}");
    }
}
