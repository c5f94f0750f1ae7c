//! The workloads W1 and W2: policies that grow in number, and the questions asked of them.

use std::fmt::Write as _;

/// The caller's account.
pub const ACCOUNT: &str = "123456789012";
/// The number of policies that the curves are drawn over.
pub const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// What was decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

/// The policies of a world. Engines with a language of their own write them anew from this.
#[derive(Clone, Debug)]
pub enum Shape {
    /// W1: exact buckets, the organization, the address.
    Buckets(usize),
    /// W2: a wildcard before the team, the caller's name in the resource, a tag.
    Teams(usize),
    /// Texts of AWS managed policies, and who has which.
    Managed { texts: Vec<String>, attached: Vec<Vec<usize>> },
    /// One statement that allows this pattern of resources.
    Glob(String),
}

/// The context keys of every question.
pub const KEYS: [&str; 12] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:userid",
    "aws:username",
    "aws:PrincipalOrgID",
    "aws:PrincipalTag/dept",
    "aws:SourceIp",
    "aws:SecureTransport",
    "aws:MultiFactorAuthPresent",
    "aws:CurrentTime",
    "aws:RequestedRegion",
];

/// One question. An engine builds its own request from it, anew for each decision; only the caller
/// may be ready, as authentication would leave it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The place of the caller among the principals of the world.
    pub principal: usize,
    pub arn: String,
    pub action: String,
    pub resource: String,
    /// Whether the resource is of a kind whose policy must let the account in: roles to be assumed
    /// and KMS keys.
    pub delegated: bool,
    /// The values of [`KEYS`].
    pub values: [String; KEYS.len()],
}

/// The name of the principal at this place.
pub fn user(principal: usize) -> String {
    if principal == 0 { "alice".to_owned() } else { format!("user-{principal}") }
}

impl Call {
    pub fn new(principal: usize, action: &str, resource: &str) -> Self {
        let user = user(principal);
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{user}");
        let values = [
            arn.as_str(),
            ACCOUNT,
            "User",
            "AIDAQRSTUVWXYZ2345677",
            &user,
            "o-a1b2c3d4e5",
            "eng-storage",
            "10.20.30.40",
            "true",
            "false",
            "2026-11-22T03:30:00Z",
            "eu-west-1",
        ]
        .map(str::to_owned);
        let delegated = match action.split_once(':') {
            Some(("kms", _)) => resource.contains(":key/"),
            Some(("sts", name)) => {
                let trusting = ["TagSession", "SetSourceIdentity", "SetContext"];
                let assumes = name.starts_with("AssumeRole") || trusting.contains(&name);
                assumes && resource.contains(":role/")
            }
            _ => false,
        };
        let (action, resource) = (action.to_owned(), resource.to_owned());
        Self { principal, arn, action, resource, delegated, values }
    }

    fn alice(action: &str, resource: &str) -> Self {
        Self::new(0, action, resource)
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        for (held, old) in KEYS.iter().zip(&mut self.values) {
            if *held == key {
                value.clone_into(old);
            }
        }
        self
    }

    /// Keys and values.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        KEYS.into_iter().zip(self.values.iter().map(String::as_str))
    }
}

/// Whether policy `i` denies in place of allowing.
pub fn denies(i: usize) -> bool {
    i % 10 == 9
}

/// The policies of a shape as IAM documents, one statement each.
pub fn documents(shape: &Shape) -> Vec<String> {
    let one =
        |statement: String| format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    match shape {
        Shape::Buckets(count) => (0..*count).map(|i| one(bucket_statement(i))).collect(),
        Shape::Teams(count) => (0..*count).map(|i| one(team_statement(i))).collect(),
        Shape::Managed { texts, .. } => texts.clone(),
        Shape::Glob(pattern) => vec![one(format!(
            r#"{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{pattern}"}}"#
        ))],
    }
}

/// Which documents each principal has.
pub fn attachments(shape: &Shape) -> Vec<Vec<usize>> {
    match shape {
        Shape::Managed { attached, .. } => attached.clone(),
        Shape::Buckets(count) | Shape::Teams(count) => vec![(0..*count).collect()],
        Shape::Glob(_) => vec![vec![0]],
    }
}

fn bucket_statement(i: usize) -> String {
    let mut text = String::new();
    let _ = if denies(i) {
        write!(
            text,
            r#"{{"Effect":"Deny","Action":["s3:DeleteObject","s3:DeleteBucket"],"Resource":"arn:aws:s3:::bucket-{i}/*","Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"false"}}}}}}"#
        )
    } else {
        write!(
            text,
            r#"{{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-{i}/*","Condition":{{"StringEquals":{{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}},"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}}}}}"#
        )
    };
    text
}

fn team_statement(i: usize) -> String {
    let mut text = String::new();
    let _ = if denies(i) {
        write!(
            text,
            r#"{{"Effect":"Deny","NotAction":["s3:Get*","s3:List*","s3:PutObject"],"Resource":"arn:aws:s3:::*/team-{i}/*"}}"#
        )
    } else {
        write!(
            text,
            r#"{{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::*/team-{i}/${{aws:username}}/*","Condition":{{"StringLike":{{"aws:PrincipalTag/dept":["eng-*","ops-*"]}}}}}}"#
        )
    };
    text
}

/// A question with its answer.
pub type Expected = (Call, Verdict);

/// What is timed on W1 and W2: an object of policy N/2, and one that no policy names.
pub fn timed(shape: &Shape) -> [(&'static str, Expected); 2] {
    let (hit, miss) = match shape {
        Shape::Buckets(count) => (
            format!("arn:aws:s3:::bucket-{}/reports/2026/q3.csv", count / 2),
            "arn:aws:s3:::bucket-elsewhere/reports/2026/q3.csv".to_owned(),
        ),
        Shape::Teams(count) => (
            format!("arn:aws:s3:::data/team-{}/alice/reports/q3.csv", count / 2),
            "arn:aws:s3:::data/team-elsewhere/alice/reports/q3.csv".to_owned(),
        ),
        Shape::Managed { .. } | Shape::Glob(_) => Default::default(),
    };
    [
        ("hit", (Call::alice("s3:GetObject", &hit), Verdict::Allowed)),
        ("miss", (Call::alice("s3:GetObject", &miss), Verdict::ImplicitDeny)),
    ]
}

/// Further questions, asked once before the clock starts: conditions and Denies must count.
pub fn probes(shape: &Shape) -> Vec<Expected> {
    let [(_, (hit, _)), _] = timed(shape);
    let mut probes = match shape {
        Shape::Buckets(_) => vec![
            (hit.clone().with("aws:SourceIp", "11.20.30.40"), Verdict::ImplicitDeny),
            (hit.clone().with("aws:PrincipalOrgID", "o-other00000"), Verdict::ImplicitDeny),
        ],
        Shape::Teams(_) => vec![
            (hit.clone().with("aws:PrincipalTag/dept", "ops-night"), Verdict::Allowed),
            (hit.clone().with("aws:PrincipalTag/dept", "sales"), Verdict::ImplicitDeny),
        ],
        Shape::Managed { .. } | Shape::Glob(_) => Vec::new(),
    };
    if let Shape::Buckets(10..) = shape {
        let call = Call::alice("s3:DeleteObject", "arn:aws:s3:::bucket-9/reports/q3.csv");
        probes.push((call.clone(), Verdict::ExplicitDeny));
        probes.push((call.with("aws:MultiFactorAuthPresent", "true"), Verdict::ImplicitDeny));
    }
    if let Shape::Teams(10..) = shape {
        let at = "arn:aws:s3:::data/team-9/alice/reports/q3.csv";
        probes.push((Call::alice("s3:DeleteObject", at), Verdict::ExplicitDeny));
        probes.push((Call::alice("s3:PutObject", at), Verdict::ImplicitDeny));
    }
    probes
}
