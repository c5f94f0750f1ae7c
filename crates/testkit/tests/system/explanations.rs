//! Explanations and decoded messages of calls on another account's role: what the owner of the caller's
//! account may read of them.

use bailiwick_testkit::{Client, Furniture, HOME, World};
use serde_json::{Value as Json, json};

const NEIGHBOUR: &str = "210987654321";

/// A user of the neighbour, and how its administrator reads what becomes of its calls.
struct Prober {
    admin: Client,
    client: Client,
}

impl Prober {
    fn new(world: &World) -> Self {
        let admin = world.account(NEIGHBOUR);
        admin.iam("CreateUser", &[("UserName", "prober")]).ok();
        let key = admin.iam("CreateAccessKey", &[("UserName", "prober")]).ok();
        let client = admin.as_created(&key);
        Self { admin, client }
    }

    /// Gives the prober these statements.
    fn put(&self, statements: &Json) {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let parameters =
            [("UserName", "prober"), ("PolicyName", "probe"), ("PolicyDocument", &*policy)];
        self.admin.iam("PutUserPolicy", &parameters).ok();
    }

    /// What is told of an attempt to take on a role, without the name of the role.
    fn told(&self, role: &str) -> (Json, Json) {
        let reply = self.client.sts("AssumeRole", &[("RoleArn", role), ("RoleSessionName", "ss")]);
        let id = reply.decision_id().unwrap();
        let read = |text: &str| {
            let text = text.replace(role, "ROLE");
            serde_json::from_str::<Json>(&text).unwrap()
        };
        let found = self.admin.call("bailiwick", "ExplainDecision", &[("DecisionId", &id)]).ok();
        let explained = read(&found.text("Explanation"));
        let found = self.admin.sts("DecodeAuthorizationMessage", &[("EncodedMessage", &id)]);
        let mut decoded = read(&found.ok().text("DecodedMessage"));
        // When it was asked, and under which ids.
        decoded["context"]["conditions"] = Json::Null;
        let mut explained = explained[0].clone();
        explained["message"] = Json::Null;
        (explained, decoded)
    }
}

fn allow_if(conditions: &Json) -> Json {
    json!([{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*", "Condition": conditions,
    }])
}

fn world(seed: u64) -> (World, Furniture, Prober) {
    let (world, one, _) = World::furnished(seed);
    let prober = Prober::new(&world);
    (world, one, prober)
}

/// A guess at a tag of another account's role tells nothing, right or wrong, nor does a role that is
/// not there.
#[test]
fn tm_k02_tags_of_another_account_cannot_be_guessed() {
    let (_world, one, prober) = world(1501);
    let (worker, gone) = (one.arn("role", "Worker"), format!("arn:aws:iam::{HOME}:role/gone"));
    for (right, wrong) in [
        (
            json!({"StringEquals": {"aws:ResourceTag/team": "blue"}}),
            json!({"StringEquals": {"aws:ResourceTag/team": "red"}}),
        ),
        (
            json!({"StringLike": {"iam:ResourceTag/team": "b*"}}),
            json!({"StringLike": {"iam:ResourceTag/team": "r*"}}),
        ),
        (
            json!({"StringEquals": {"sts:RoleSessionName": "ss", "AWS:resourcetag/team": "blue"}}),
            json!({"StringEquals": {"sts:RoleSessionName": "ss", "AWS:resourcetag/team": "bluer"}}),
        ),
        (
            json!({"Null": {"aws:ResourceTag/team": "false"}}),
            json!({"Null": {"aws:ResourceTag/team": "true"}}),
        ),
        (
            json!({"StringEquals": {"sts:RoleSessionName": "${aws:ResourceTag/team, 'ss'}"}}),
            json!({"StringNotEquals": {"sts:RoleSessionName": "${aws:ResourceTag/team, 'ss'}"}}),
        ),
    ] {
        prober.put(&allow_if(&right));
        let found = prober.told(&worker);
        assert!(!found.0.to_string().contains("blue"), "{}", found.0);
        assert_eq!(found, prober.told(&gone), "{right}");
        prober.put(&allow_if(&wrong));
        assert_eq!(found, prober.told(&worker), "{wrong}");
        for condition in [&right, &wrong] {
            let (allow, mut deny) = (allow_if(&json!({})), allow_if(condition));
            deny[0]["Effect"] = "Deny".into();
            prober.put(&json!([allow[0], deny[0]]));
            let told = prober.told(&worker);
            assert_eq!(told.0["decision"]["verdict"], "implicitDeny", "{}", told.0);
            assert_eq!(told, prober.told(&gone), "{condition}");
        }
    }
}

/// How another account refuses is not told: by a Deny, by silence, or because the role is not there.
#[test]
fn tm_k02_another_account_gives_one_verdict() {
    let (world, _, prober) = world(1502);
    let principal = format!("arn:aws:iam::{NEIGHBOUR}:user/prober");
    let statement = |effect: &str, principal: &str| json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
    let trusts = [
        json!([statement("Deny", &principal)]),
        json!([statement("Allow", HOME)]),
        json!([statement("Allow", HOME), statement("Allow", &principal), statement("Deny", "*")]),
    ];
    let mut roles: Vec<String> = Vec::new();
    for (place, statements) in trusts.iter().enumerate() {
        let name = format!("Trusting{place}");
        let trust = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let made = [("RoleName", &*name), ("AssumeRolePolicyDocument", &*trust)];
        roles.push(world.admin.iam("CreateRole", &made).ok().text("Role.Arn"));
    }
    roles.push(format!("arn:aws:iam::{HOME}:role/gone"));
    let allows = allow_if(&json!({}));
    let other = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let denies = json!([{
        "Sid": "Never", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*",
    }]);
    for (own, test, kind) in [
        (&allows, "missing-allow", "trust"),
        (&other, "missing-allow", "identity"),
        (&denies, "explicit-deny", "identity"),
    ] {
        prober.put(own);
        let first = prober.told(&roles[0]);
        let reason = &first.0["decision"]["reason"];
        assert_eq!((&reason["test"], &reason["kind"]), (&json!(test), &json!(kind)), "{}", first.0);
        assert_eq!(first.0["layers"][0]["kind"], "trust");
        assert_eq!(first.0["layers"][0]["verdict"], "implicitDeny");
        assert_eq!(first.0["layers"][0]["policies"], json!([]));
        for role in &roles {
            assert_eq!(prober.told(role), first, "{role}");
        }
    }
}

/// In the own account everything is told.
#[test]
fn own_denials_are_told_whole() {
    let (world, one, _) = world(1503);
    let user = world.user("insider", bailiwick_testkit::Rights::None);
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}},
    }]});
    world.put_user_policy("insider", &policy.to_string());
    let worker = one.arn("role", "Worker");
    let reply = user.sts("AssumeRole", &[("RoleArn", &*worker), ("RoleSessionName", "ss")]);
    let id = reply.decision_id().unwrap();
    let found = world.admin.call("bailiwick", "ExplainDecision", &[("DecisionId", &id)]).ok();
    let explained: Json = serde_json::from_str(&found.text("Explanation")).unwrap();
    let text = explained.to_string();
    assert!(text.contains("blue") && text.contains("\"trust\""), "{text}");
}
