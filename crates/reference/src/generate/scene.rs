//! Who asks for what: the caller, the action, the resource and the keys that follow from them.

use serde_json::{Map, Value};

use super::Profile;
use super::random::Random;

/// The account of most callers.
pub(super) const HOME: &str = "111122223333";
/// Another account.
pub(super) const AWAY: &str = "444455556666";
/// An account that owns nothing here.
pub(super) const THIRD: &str = "777788889999";

/// What kind of principal calls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum CallerKind {
    Root,
    #[default]
    User,
    Session,
    Role,
    FederatedUser,
    Service,
    Provider,
    Anonymous,
}

/// The caller of a case.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    pub(super) kind: CallerKind,
    /// As `request.principal` has it; nothing for an anonymous caller.
    pub(super) principal: Option<String>,
    /// Nothing for services, providers and anonymous callers.
    pub(super) account: Option<&'static str>,
    /// The unique id of the user or role, if it has one.
    pub(super) id: &'static str,
    /// The ARN of the role of a session, or of the user of a federated session.
    pub(super) parent: Option<String>,
    pub(super) partition: &'static str,
}

impl Caller {
    /// Whether identity policies and their kin concern it.
    pub(super) fn has_identity(&self) -> bool {
        self.account.is_some()
    }
}

/// A request before its policies are made.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    pub(super) caller: Caller,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) resource_account: Option<&'static str>,
    pub(super) context: Map<String, Value>,
    /// What the case tells of the caller beyond its ARN: `userArn` and `userId` of a federated
    /// user, `roleArn` of a session.
    pub(super) told: Vec<(&'static str, String)>,
    /// Whether the action is one of role assumption.
    pub(super) trust: bool,
}

/// Users: path and name, unique id.
pub(super) const USERS: [(&str, &str); 3] = [
    ("alice", "AIDAALICEAAAAAAAAAAAA"),
    ("team/bob", "AIDABOBBBBBBBBBBBBBBB"),
    ("Alice", "AIDAUPPERALICEAAAAAAA"),
];

/// Roles: path and name, unique id.
pub(super) const ROLES: [(&str, &str); 5] = [
    ("Dev", "AROADEVVVVVVVVVVVVVVV"),
    ("team/Ops", "AROAOPSSSSSSSSSSSSSSS"),
    ("team/Target", "AROATARGETAAAAAAAAAAA"),
    ("aws-service-role/s3.amazonaws.com/Linked", "AROALINKEDDDDDDDDDDDD"),
    // It only looks service-linked.
    ("x:role/aws-service-role/Odd", "AROAODDDDDDDDDDDDDDDD"),
];

pub(super) const SERVICES: [&str; 3] =
    ["lambda.amazonaws.com", "s3.amazonaws.com", "ec2.amazonaws.com"];

pub(super) const PROVIDERS: [&str; 3] = [
    "arn:aws:iam::111122223333:saml-provider/Corp",
    "arn:aws:iam::111122223333:oidc-provider/token.example.com",
    "accounts.google.com",
];

/// Actions with the resources that they are asked on; `@` stands for the owner's account.
const ASKS: [(&str, &[&str]); 30] = [
    ("app:Get", &["arn:aws:app:us-east-1:somebody:thing", "arn:aws:app:us-east-1:@:thing"]),
    ("s3:GetObject", OBJECTS),
    ("s3:GetObject", OBJECTS),
    ("s3:PutObject", OBJECTS),
    ("s3:GetBucketPolicy", BUCKETS),
    ("s3:ListBucket", BUCKETS),
    ("s3:PutBucketPolicy", BUCKETS),
    ("sqs:SetQueueAttributes", QUEUES),
    ("kms:RetireGrant", KEYS),
    ("secretsmanager:GetSecretValue", &["arn:aws:secretsmanager:us-east-1:@:secret:s-1"]),
    ("s3:ListAllMyBuckets", &["arn:aws:s3:::*"]),
    ("sqs:SendMessage", QUEUES),
    ("sqs:ReceiveMessage", QUEUES),
    ("dynamodb:GetItem", TABLES),
    ("ec2:RunInstances", &["arn:aws:ec2:us-east-1:@:instance/i-1"]),
    ("ec2:DescribeInstances", &["*"]),
    ("iam:GetUser", &["arn:aws:iam::@:user/alice", "arn:aws:iam::@:user/team/bob"]),
    ("iam:ListUsers", &["arn:aws:iam::@:user/", "arn:aws:iam::@:user/team/"]),
    ("iam:GetPolicy", &["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::@:policy/p"]),
    ("iam:PassRole", ROLE_ARNS),
    ("logs:PutLogEvents", &["arn:aws:logs:us-east-1:@:log-group:g1:log-stream:s1"]),
    ("kms:Decrypt", KEYS),
    ("kms:Encrypt", KEYS),
    ("sts:AssumeRole", ROLE_ARNS),
    ("sts:AssumeRole", ROLE_ARNS),
    ("sts:TagSession", ROLE_ARNS),
    ("sts:SetSourceIdentity", ROLE_ARNS),
    ("sts:GetCallerIdentity", &["*"]),
    ("sts:GetSessionToken", &["*"]),
    ("kms:Decrypt", &["arn:aws:kms:us-east-1:@:alias/a1"]),
];

const OBJECTS: &[&str] = &[
    "arn:aws:s3:::bucket/key",
    "arn:aws:s3:::bucket/team/alice/a.txt",
    "arn:aws:s3:::bucket/home/alice/x:y",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::Bucket/key",
    "arn:aws:s3:::b/${aws:username}/$",
];
const BUCKETS: &[&str] = &["arn:aws:s3:::bucket", "arn:aws:s3:::bucket-2"];
const QUEUES: &[&str] = &["arn:aws:sqs:us-east-1:@:queue-1", "arn:aws:sqs:eu-west-1:@:alice"];
const TABLES: &[&str] = &[
    "arn:aws:dynamodb:us-east-1:@:table/prod-1",
    "arn:aws:dynamodb:us-east-1:@:table/prod-1/index/i",
];
const KEYS: &[&str] = &["arn:aws:kms:us-east-1:@:key/1234", "arn:aws:kms:eu-west-1:@:key/mrk-5"];
const ROLE_ARNS: &[&str] = &[
    "arn:aws:iam::@:role/team/Target",
    "arn:aws:iam::@:role/Dev",
    "arn:aws:iam::@:role/team/Target",
    "arn:aws:iam::@:role/Dev",
    "arn:aws:iam::@:role/aws-service-role/s3.amazonaws.com/Linked",
];

/// Questions that do not turn on what only we model.
const FOREIGN_ASKS: [(&str, &[&str]); 11] = [
    ("s3:GetObject", PLAIN_OBJECTS),
    ("s3:PutObject", PLAIN_OBJECTS),
    ("s3:GetObject", PLAIN_OBJECTS),
    ("s3:ListBucket", BUCKETS),
    ("sqs:SendMessage", QUEUES),
    ("sqs:ReceiveMessage", QUEUES),
    ("dynamodb:GetItem", &["arn:aws:dynamodb:us-east-1:@:table/prod-1"]),
    ("iam:GetUser", &["arn:aws:iam::@:user/alice", "arn:aws:iam::@:user/team/bob"]),
    ("kms:Decrypt", KEYS),
    ("sts:AssumeRole", PLAIN_ROLES),
    ("ec2:DescribeInstances", &["*"]),
];

const PLAIN_OBJECTS: &[&str] = &[
    "arn:aws:s3:::bucket/key",
    "arn:aws:s3:::bucket/team/alice/a.txt",
    "arn:aws:s3:::bucket/home/alice/x:y",
];
const PLAIN_ROLES: &[&str] = &["arn:aws:iam::@:role/team/Target", "arn:aws:iam::@:role/Dev"];

/// Federation calls, which providers make.
const FEDERATION: [&str; 2] = ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];

/// Makes caller, question and context.
pub(super) fn scene(random: &mut Random, profile: Profile) -> Scene {
    let caller = caller(random, profile);
    let (action, template) = ask(random, &caller, profile);
    let home = caller.account.unwrap_or(HOME);
    let owner = if random.chance(62) { home } else { random.pick(&[AWAY, AWAY, HOME]) };
    let mut resource = template.replace('@', owner);
    if caller.partition != "aws" && random.chance(85) {
        resource = resource.replacen("arn:aws:", "arn:aws-cn:", 1);
    }
    let said = resource.split(':').nth(4).is_some_and(|field| !field.is_empty());
    let resource_account = match said {
        true if resource.contains(":aws:policy/") => None,
        // Beside an account in the ARN only the same one is said (IN-7).
        true => random.chance(15).then_some(owner),
        false => random.chance(85).then_some(owner),
    };
    let mut scene = Scene {
        trust: action.starts_with("sts:AssumeRole")
            || matches!(action, "sts:TagSession" | "sts:SetSourceIdentity"),
        action: respell(random, action),
        resource,
        resource_account,
        caller,
        context: Map::new(),
        told: Vec::new(),
    };
    tell(random, &mut scene, profile);
    fill(random, &mut scene, profile);
    scene
}

/// Tells more of the caller than its ARN does, or else forgets it.
fn tell(random: &mut Random, scene: &mut Scene, profile: Profile) {
    let Some(parent) = scene.caller.parent.clone() else { return };
    let whole = profile == Profile::Whole;
    match scene.caller.kind {
        CallerKind::FederatedUser if whole && random.chance(60) => {
            let id = USERS.iter().find(|(name, _)| parent.ends_with(&format!(":user/{name}")));
            if let (Some((_, id)), true) = (id, random.chance(50)) {
                scene.told.push(("userId", (*id).to_owned()));
                scene.caller.id = id;
            }
            scene.told.push(("userArn", parent));
        }
        CallerKind::FederatedUser => scene.caller.parent = None,
        CallerKind::Session if whole && random.chance(8) => scene.told.push(("roleArn", parent)),
        _ => {}
    }
}

/// The action as somebody may spell it (ACT-1).
fn respell(random: &mut Random, action: &str) -> String {
    if !random.chance(8) {
        return action.to_owned();
    }
    if random.chance(50) { action.to_lowercase() } else { action.to_uppercase() }
}

fn ask(random: &mut Random, caller: &Caller, profile: Profile) -> (&'static str, &'static str) {
    if profile == Profile::Foreign {
        let (action, resources) = random.pick(&FOREIGN_ASKS);
        return (action, random.pick(resources));
    }
    let federates = caller.kind == CallerKind::Provider;
    if federates && random.chance(85) || random.chance(1) {
        return (random.pick(&FEDERATION), random.pick(ROLE_ARNS));
    }
    let (action, resources) = random.pick(&ASKS);
    (action, random.pick(resources))
}

fn caller(random: &mut Random, profile: Profile) -> Caller {
    use CallerKind as K;
    let kind = match (profile, random.below(100)) {
        (_, 0..30) | (Profile::Foreign, 90..95) => K::User,
        (_, 30..62) => K::Session,
        (_, 62..72) => K::Root,
        (_, 72..76) => K::Role,
        (_, 76..84) => K::FederatedUser,
        (_, 84..90) => K::Service,
        (Profile::Whole, 90..95) => K::Provider,
        _ => K::Anonymous,
    };
    let partition = if profile == Profile::Whole && random.chance(3) { "aws-cn" } else { "aws" };
    let account = if random.chance(88) { HOME } else { AWAY };
    let plain = ROLES.get(..4).unwrap_or_default();
    let roles: &[_] = if profile == Profile::Whole { &ROLES } else { plain };
    let mut caller = Caller { kind, account: Some(account), partition, ..Caller::default() };
    match kind {
        K::Root => caller.principal = Some(format!("arn:{partition}:iam::{account}:root")),
        K::User => {
            let (name, id) = random.pick(&USERS);
            caller.principal = Some(format!("arn:{partition}:iam::{account}:user/{name}"));
            caller.id = id;
        }
        K::Role => {
            let (name, id) = random.pick(roles);
            caller.principal = Some(format!("arn:{partition}:iam::{account}:role/{name}"));
            caller.id = id;
        }
        K::Session => {
            let (name, id) = random.pick(roles);
            let last = name.rsplit('/').next().unwrap_or(name);
            let session = random.pick(&["s1", "s2"]);
            let arn = format!("arn:{partition}:sts::{account}:assumed-role/{last}/{session}");
            caller.principal = Some(arn);
            caller.parent = Some(format!("arn:{partition}:iam::{account}:role/{name}"));
            caller.id = id;
        }
        K::FederatedUser => {
            let (name, _) = random.pick(&USERS);
            caller.principal = Some(format!("arn:{partition}:sts::{account}:federated-user/fred"));
            caller.parent = Some(format!("arn:{partition}:iam::{account}:user/{name}"));
        }
        K::Service => {
            caller.account = None;
            caller.principal = Some(random.pick(&SERVICES).to_owned());
        }
        K::Provider => {
            caller.account = None;
            caller.principal = Some(random.pick(&PROVIDERS).to_owned());
        }
        K::Anonymous => caller.account = None,
    }
    caller
}

/// The keys of the caller (section 12 of the rules), most of them, and a few others for variables.
fn fill(random: &mut Random, scene: &mut Scene, profile: Profile) {
    use CallerKind as K;
    let mut put = |key: &str, value: &str| {
        scene.context.insert(key.to_owned(), Value::from(value));
    };
    let caller = &scene.caller;
    let arn = caller.principal.as_deref().unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    match caller.kind {
        K::Root => put("aws:PrincipalArn", arn),
        K::User => {
            put("aws:PrincipalArn", arn);
            put("aws:username", name);
            if random.chance(80) {
                put("aws:userid", caller.id);
            }
        }
        K::Role => {
            put("aws:PrincipalArn", arn);
            if random.chance(80) {
                put("aws:userid", caller.id);
            }
        }
        K::Session => {
            // Without it the role has no path that we know of (PR-11).
            let parent = caller.parent.as_deref().unwrap_or_default();
            match random.below(100) {
                _ if profile == Profile::Foreign => put("aws:PrincipalArn", parent),
                0..8 => {}
                8..10 => put("aws:PrincipalArn", "arn:aws:iam::111122223333:role/other/Dev"),
                _ => put("aws:PrincipalArn", parent),
            }
            if random.chance(80) {
                put("aws:userid", &format!("{}:{name}", caller.id));
            }
        }
        K::FederatedUser => {
            put("aws:PrincipalArn", arn);
            put("aws:userid", &format!("{}:fred", caller.account.unwrap_or_default()));
        }
        K::Service => {
            put("aws:PrincipalIsAWSService", "true");
            put("aws:PrincipalServiceName", arn);
        }
        K::Provider => put("token.example.com:sub", "repo:acme"),
        K::Anonymous => put("aws:userid", "anonymous"),
    }
    if let Some(account) = caller.account {
        put("aws:PrincipalAccount", account);
        put(
            "aws:PrincipalType",
            match caller.kind {
                K::Root => "Account",
                K::User => "User",
                K::FederatedUser => "FederatedUser",
                _ => "AssumedRole",
            },
        );
        if random.chance(40) {
            put(
                "aws:PrincipalTag/team",
                random.pick(&["team", "home", "t*", "${aws:username}", "x:y", ""]),
            );
        }
    }
    if random.chance(30) {
        put("aws:RequestedRegion", random.pick(&["us-east-1", "eu-west-1"]));
    }
    if caller.kind == K::Service && random.chance(60) {
        let names = [arn, "lambda.eu-west-1.amazonaws.com", "delivery.logs.amazonaws.com"];
        let some: Vec<Value> =
            names.iter().take(1 + random.below(3)).map(|n| Value::from(*n)).collect();
        scene.context.insert("aws:PrincipalServiceNamesList".to_owned(), Value::from(some));
    }
    if random.chance(10) {
        let keys = random.pick(&[&["team", "env"] as &[&str], &["team"]]);
        scene.context.insert("aws:TagKeys".to_owned(), Value::from(keys.to_vec()));
    }
}
