//! Accounts with ways to administrator planted in them, and with decoys that look like some.
//!
//! The same seed gives the same account. The truth is written down while planting, not found: every
//! row of the table once, chains of two to four steps, and decoys that a boundary, an SCP, a Deny, a
//! resource, a trust policy, a service name or a condition blocks.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "test data; each user of the module uses a part of it"
)]

mod background;
mod decoys;
mod lifts;
mod paths;
mod sample;
mod traps;

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_analyzer::estate::{Estate, Organization};
use bailiwick_catalog::Catalog;
use bailiwick_model::Found;
use bailiwick_model::export::{ExportFile, read};
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use serde_json::{Value, json};

/// The account of every planted world.
pub(crate) const ACCOUNT: &str = "111122223333";

/// What a finder must say of a principal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expect {
    /// A way for certain; of this row, where one is named.
    Certain(Option<u8>),
    /// A way for certain of so many steps.
    Chain(usize),
    /// A way, though none for certain, that names this key.
    Conditional(&'static str),
    /// A way of this row that depends on what an export does not show.
    Potential(u8),
    /// No way at all.
    Nothing,
}

/// A planted account with its truth.
#[derive(Debug, Default)]
pub(crate) struct Planted {
    pub(crate) users: Vec<Value>,
    pub(crate) groups: Vec<Value>,
    pub(crate) roles: Vec<Value>,
    pub(crate) policies: Vec<Value>,
    /// Texts of SCPs by level.
    pub(crate) scps: Vec<Vec<String>>,
    /// By ARN. Who is not here is background, of which nothing may be found.
    pub(crate) truth: BTreeMap<String, Expect>,
    ids: u64,
    seed: u64,
}

impl Planted {
    /// The account as a finder reads it, below its SCPs.
    pub(crate) fn estate(&self) -> Estate {
        let text = self.export().to_string();
        let file = ExportFile { name: "export.json", bytes: text.as_bytes() };
        let found = read(&[file], Catalog::embedded()).unwrap();
        let mut estate = Estate::new(found.account, found.managed);
        if !self.scps.is_empty() {
            let scp = |text: &String| Found {
                source: Source::new("guard", SourceKind::Scp),
                document: Arc::new(Document::parse(text, DocumentKind::ServiceControl).unwrap()),
            };
            let scps = self.scps.iter().map(|level| level.iter().map(scp).collect()).collect();
            estate.organization = Some(Organization { scps, ..Organization::default() });
        }
        estate
    }

    /// An account of so many principals; a small one holds a part of what is planted in a large one.
    pub(crate) fn new(seed: u64, principals: usize) -> Self {
        let mut world = Self { seed: seed.wrapping_add(1), ..Self::default() };
        world.guard();
        paths::plant(&mut world);
        decoys::plant(&mut world);
        traps::plant(&mut world);
        lifts::plant(&mut world);
        if world.users.len() + world.roles.len() > principals {
            world.keep_some(principals * 4 / 5);
        }
        background::fill(&mut world, principals);
        world
    }

    /// As `aws iam get-account-authorization-details` writes it.
    pub(crate) fn export(&self) -> Value {
        json!({
            "UserDetailList": self.users,
            "GroupDetailList": self.groups,
            "RoleDetailList": self.roles,
            "Policies": self.policies,
        })
    }

    /// The truth as JSON, for other programs.
    pub(crate) fn truth(&self) -> Value {
        self.truth.iter().map(|(arn, expect)| (arn.clone(), json!(format!("{expect:?}")))).collect()
    }

    /// The SCPs that block what begins with `scp-`.
    fn guard(&mut self) {
        let full = policy(&[allow(&["*"], &["*"])]);
        let guard = policy(&[
            json!({"Effect": "Deny", "Action": ["iam:*", "sts:AssumeRole", "lambda:*"], "Resource": "*",
                "Condition": {"ArnLike": {"aws:PrincipalArn": arn("*/scp-*")}}}),
            json!({"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}),
        ]);
        self.scps = vec![vec![full.to_string()], vec![full.to_string(), guard.to_string()]];
    }

    /// The next number of a stream that the seed begins (SplitMix64).
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides.max(1) as u64).unwrap()
    }

    fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        let mut text = String::new();
        let mut left = self.ids.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.ids;
        for _ in 0..17 {
            text.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(left & 31) as usize]));
            left = left.rotate_right(5) ^ self.ids;
        }
        format!("{prefix}{text}")
    }

    /// A user with an inline policy; answers its ARN.
    pub(crate) fn user(&mut self, name: &str, statements: &[Value]) -> String {
        let inline = match statements {
            [] => json!([]),
            _ => json!([{"PolicyName": "own", "PolicyDocument": policy(statements)}]),
        };
        let id = self.id("AIDA");
        self.users.push(json!({
            "Path": "/", "UserName": name, "UserId": id, "Arn": arn(&format!("user/{name}")),
            "CreateDate": "2024-03-01T10:00:00+00:00", "UserPolicyList": inline, "GroupList": [],
            "AttachedManagedPolicies": [], "Tags": [],
        }));
        arn(&format!("user/{name}"))
    }

    /// A role with a trust policy and an inline policy; answers its ARN.
    pub(crate) fn role(&mut self, name: &str, trust: &[Value], statements: &[Value]) -> String {
        let inline = match statements {
            [] => json!([]),
            _ => json!([{"PolicyName": "own", "PolicyDocument": policy(statements)}]),
        };
        let id = self.id("AROA");
        self.roles.push(json!({
            "Path": "/", "RoleName": name, "RoleId": id, "Arn": arn(&format!("role/{name}")),
            "CreateDate": "2024-03-01T10:00:00+00:00", "AssumeRolePolicyDocument": policy(trust),
            "InstanceProfileList": [], "RolePolicyList": inline, "AttachedManagedPolicies": [],
            "Tags": [],
        }));
        arn(&format!("role/{name}"))
    }

    /// A group with an inline policy; answers its ARN.
    pub(crate) fn group(&mut self, name: &str, statements: &[Value]) -> String {
        let inline = match statements {
            [] => json!([]),
            _ => json!([{"PolicyName": "own", "PolicyDocument": policy(statements)}]),
        };
        let id = self.id("AGPA");
        self.groups.push(json!({
            "Path": "/", "GroupName": name, "GroupId": id, "Arn": arn(&format!("group/{name}")),
            "CreateDate": "2024-03-01T10:00:00+00:00", "GroupPolicyList": inline,
            "AttachedManagedPolicies": [],
        }));
        arn(&format!("group/{name}"))
    }

    /// A managed policy with versions, the last one in force unless another is named.
    pub(crate) fn managed(&mut self, name: &str, versions: &[Value], default: usize) -> String {
        let id = self.id("ANPA");
        let list: Vec<Value> = versions
            .iter()
            .enumerate()
            .map(|(at, document)| {
                json!({"Document": document, "VersionId": format!("v{}", at + 1),
                    "IsDefaultVersion": at + 1 == default,
                    "CreateDate": "2024-03-01T10:00:00+00:00"})
            })
            .collect();
        let text = arn(&format!("policy/{name}"));
        self.policies.push(json!({
            "PolicyName": name, "PolicyId": id, "Arn": text, "Path": "/",
            "DefaultVersionId": format!("v{default}"), "AttachmentCount": 1,
            "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
            "CreateDate": "2024-03-01T10:00:00+00:00", "UpdateDate": "2024-03-01T10:00:00+00:00",
            "PolicyVersionList": list,
        }));
        text
    }

    fn last(&mut self, of: &str) -> &mut Value {
        let list = match of.split('/').next().unwrap().rsplit(':').next().unwrap() {
            "user" => &mut self.users,
            "role" => &mut self.roles,
            _ => &mut self.groups,
        };
        list.iter_mut().find(|held| held["Arn"] == of).unwrap()
    }

    /// Attaches a managed policy to a user, role or group.
    pub(crate) fn attach(&mut self, to: &str, policy: &str) {
        let name = policy.rsplit('/').next().unwrap().to_owned();
        let attached = json!({"PolicyName": name, "PolicyArn": policy});
        self.last(to)["AttachedManagedPolicies"].as_array_mut().unwrap().push(attached);
    }

    /// Puts a user into a group.
    pub(crate) fn join(&mut self, user: &str, group: &str) {
        let name = group.rsplit('/').next().unwrap();
        self.last(user)["GroupList"].as_array_mut().unwrap().push(json!(name));
    }

    /// Bounds a user or role by a managed policy.
    pub(crate) fn bound(&mut self, who: &str, policy: &str) {
        self.last(who)["PermissionsBoundary"] =
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy});
    }

    /// Tags a user or role.
    pub(crate) fn tag(&mut self, who: &str, key: &str, value: &str) {
        self.last(who)["Tags"].as_array_mut().unwrap().push(json!({"Key": key, "Value": value}));
    }

    /// What must be said of a principal.
    pub(crate) fn expect(&mut self, who: &str, expect: Expect) {
        self.truth.insert(who.to_owned(), expect);
    }

    /// A role with all rights that a service takes.
    pub(crate) fn admin_of(&mut self, name: &str, service: &str) -> String {
        let role = self.role(name, &[service_trust(service)], &[]);
        self.attach(&role, ADMIN);
        role
    }
}

/// AWS's policy that allows everything.
pub(crate) const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The ARN of an IAM entity of the account.
pub(crate) fn arn(rest: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{rest}")
}

pub(crate) fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

pub(crate) fn allow(actions: &[&str], resources: &[&str]) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resources})
}

pub(crate) fn deny(actions: &[&str], resources: &[&str]) -> Value {
    json!({"Effect": "Deny", "Action": actions, "Resource": resources})
}

pub(crate) fn with(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

pub(crate) fn trust(principal: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})
}

pub(crate) fn service_trust(service: &str) -> Value {
    if service.starts_with("cognito-identity") {
        return json!({"Effect": "Allow", "Principal": {"Federated": service},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:pool"}}});
    }
    json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
}
