//! The simulator and the server give one answer: the same policies, caller, action, resource and
//! context, asked live and simulated, are decided alike, for the same reason as far as both tell it.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_testkit::{Client, Dice, Furniture, HOME, Reply, Rights, World};
use bailiwick_wire::Value;
use serde_json::{Value as Json, json};

/// Cases of the property in an ordinary run; all of them by `--run-ignored`.
const CASES: usize = 1_000;
const ALL_CASES: usize = 10_000;
/// States of the policies in one world.
const STATES: usize = 8;

#[test]
fn live_and_simulated_decisions_agree() {
    agree(CASES, 1_400);
}

#[test]
#[ignore = "ten times as long; run by hand"]
fn live_and_simulated_decisions_agree_at_length() {
    agree(ALL_CASES, 14_000);
}

/// Puts random policies on users, groups and roles, and asks everything twice: live and simulated.
fn agree(cases: usize, seed: u64) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut done = 0;
    let mut round = 0;
    while done < cases {
        let mut scene = Scene::new(seed + round);
        for _ in 0..STATES {
            scene.shuffle();
            done += scene.ask_all(&mut counts);
            if done >= cases {
                break;
            }
        }
        round += 1;
    }
    // Each answer must be usual, or the property says little.
    for decision in ["allowed", "implicitDeny", "explicitDeny"] {
        let share = counts.get(decision).copied().unwrap_or_default() * 100 / done;
        assert!(share >= 10, "{decision}: {share} % of {done}: {counts:?}");
    }
}

/// A world with callers, targets and a pool of random managed policies.
struct Scene {
    world: World,
    dice: Dice,
    set: Furniture,
    callers: Vec<Caller>,
    managed: Vec<String>,
    attached: Vec<(&'static str, String, String)>,
}

/// One who calls, live and simulated.
struct Caller {
    client: Client,
    source: String,
    /// Context keys of the session, where it is one.
    session: Vec<(String, &'static str, String)>,
}

/// What a simulation answered.
#[derive(Debug)]
struct Simulated {
    decision: String,
    /// The policies of the statements that made the decision.
    policies: Vec<String>,
    /// What the boundary says, where there is one.
    within_boundary: Option<bool>,
}

/// A call that can be made live, and what it asks.
struct Question {
    operation: (&'static str, &'static str),
    parameters: Vec<(&'static str, String)>,
    action: &'static str,
    resource: String,
    /// Context keys of this question.
    context: Vec<(&'static str, &'static str, String)>,
}

const TEAM: [(&str, &str, &str); 2] =
    [("aws:ResourceTag/team", "string", "blue"), ("iam:ResourceTag/team", "string", "blue")];

impl Scene {
    fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let set = Furniture::set(&world, "One");
        let mut dice = Dice::new(seed);
        let mut callers = Vec::new();
        for (name, team) in [("Blue", Some("blue")), ("Red", Some("red")), ("Plain", None)] {
            let client = world.user(name, Rights::None);
            if let Some(team) = team {
                let tag = [
                    ("UserName", name),
                    ("Tags.member.1.Key", "team"),
                    ("Tags.member.1.Value", team),
                ];
                world.admin.iam("TagUser", &tag).ok();
            }
            let source = format!("arn:aws:iam::{HOME}:user/{name}");
            callers.push(Caller { client, source, session: Vec::new() });
        }
        for group in ["Left", "Right"] {
            world.admin.iam("CreateGroup", &[("GroupName", group)]).ok();
            for name in ["Blue", "Plain"] {
                world.admin.iam("AddUserToGroup", &[("GroupName", group), ("UserName", name)]).ok();
            }
        }
        let role = world.role("Actor", HOME, Rights::None);
        let client = world.admin.assume(&role, "as-actor");
        let id = client.sts("GetCallerIdentity", &[]).ok().text("UserId");
        let issued = bailiwick_wire::time::write_iso(bailiwick_services::Clock::now(&*world.clock));
        let session = vec![
            ("aws:userid".to_owned(), "string", id),
            ("aws:TokenIssueTime".to_owned(), "date", issued),
            ("aws:MultiFactorAuthPresent".to_owned(), "boolean", "false".to_owned()),
        ];
        callers.push(Caller { client, source: role, session });
        let managed = (0..12).map(|place| {
            let (name, document) = (format!("Random{place}"), policy(&mut dice));
            let made = [("PolicyName", &*name), ("PolicyDocument", &*document)];
            world.admin.iam("CreatePolicy", &made).ok().text("Policy.Arn")
        });
        let managed = managed.collect();
        Self { world, dice, set, callers, managed, attached: Vec::new() }
    }

    /// Puts other policies and boundaries on everybody.
    fn shuffle(&mut self) {
        let Self { world, dice, managed, attached, .. } = self;
        for (kind, name, arn) in attached.drain(..) {
            let member = format!("{kind}Name");
            let parameters = [(&*member, &*name), ("PolicyArn", &*arn)];
            world.admin.iam(&format!("Detach{kind}Policy"), &parameters).ok();
        }
        for (kind, name) in [
            ("User", "Blue"),
            ("User", "Red"),
            ("User", "Plain"),
            ("Group", "Left"),
            ("Group", "Right"),
            ("Role", "Actor"),
        ] {
            let member = format!("{kind}Name");
            let document = policy(dice);
            let inline =
                [(&*member, name), ("PolicyName", "Random"), ("PolicyDocument", &*document)];
            world.admin.iam(&format!("Put{kind}Policy"), &inline).ok();
            if dice.roll(2) == 0 {
                let arn = dice.pick(managed).clone();
                let parameters = [(&*member, name), ("PolicyArn", &*arn)];
                world.admin.iam(&format!("Attach{kind}Policy"), &parameters).ok();
                attached.push((kind, name.to_owned(), arn));
            }
            if kind == "Group" {
                continue;
            }
            let arn = dice.pick(managed).clone();
            let bounded = [(&*member, name), ("PermissionsBoundary", &*arn)];
            if dice.roll(3) == 0 {
                world.admin.iam(&format!("Put{kind}PermissionsBoundary"), &bounded).ok();
            } else {
                world.admin.iam(&format!("Delete{kind}PermissionsBoundary"), &bounded[..1]);
            }
        }
    }

    /// Asks every question of every caller, and answers how many they were.
    fn ask_all(&mut self, counts: &mut BTreeMap<String, usize>) -> usize {
        let questions = questions(&self.set);
        for caller in &self.callers {
            for question in &questions {
                let (service, name) = question.operation;
                let parameters: Vec<(&str, &str)> =
                    question.parameters.iter().map(|(key, text)| (*key, &**text)).collect();
                let live = caller.client.call(service, name, &parameters);
                let decision = decision(&live);
                let context = self.context(caller, question);
                let simulated = self.simulate(caller, question, &context);
                let told = || {
                    let Caller { source, .. } = caller;
                    let Question { action, resource, .. } = question;
                    let denied = (decision != "allowed").then(|| self.decoded(&live));
                    format!(
                        "{source} {action} on {resource}: {}\n{denied:#?}\n{simulated:#?}",
                        live.message
                    )
                };
                assert_eq!(simulated.decision, decision, "{}", told());
                if decision != "allowed" {
                    self.require_same_context(&live, &context, question);
                    self.require_same_reason(&live, &simulated, &told);
                }
                *counts.entry(decision).or_default() += 1;
            }
        }
        self.callers.len() * questions.len()
    }

    /// The whole context of a live call, but for what follows from the caller alone.
    fn context(&self, caller: &Caller, question: &Question) -> Vec<(String, String, String)> {
        let now = bailiwick_services::Clock::now(&*self.world.clock);
        let general = [
            ("aws:SourceIp", "ip", "192.0.2.10".to_owned()),
            ("aws:SecureTransport", "boolean", "true".to_owned()),
            ("aws:CurrentTime", "date", bailiwick_wire::time::write_iso(now)),
            ("aws:EpochTime", "numeric", now.as_second().to_string()),
            ("bailiwick:TimeOfDay", "numeric", now.strftime("%H%M%S").to_string()),
            ("aws:RequestedRegion", "string", "us-east-1".to_owned()),
            ("aws:ViaAWSService", "boolean", "false".to_owned()),
            ("aws:UserAgent", "string", "testkit".to_owned()),
            ("aws:ResourceAccount", "string", HOME.to_owned()),
        ];
        let own = |(key, kind, value): &(&str, &str, String)| {
            ((*key).to_owned(), (*kind).to_owned(), value.clone())
        };
        let session = caller.session.iter();
        general
            .iter()
            .map(own)
            .chain(session.map(|(key, kind, value)| (key.clone(), (*kind).into(), value.clone())))
            .chain(question.context.iter().map(own))
            .collect()
    }

    fn simulate(
        &self,
        caller: &Caller,
        question: &Question,
        context: &[(String, String, String)],
    ) -> Simulated {
        let mut parameters = vec![
            ("PolicySourceArn".to_owned(), caller.source.clone()),
            ("ActionNames.member.1".to_owned(), question.action.to_owned()),
            ("ResourceArns.member.1".to_owned(), question.resource.clone()),
        ];
        for (place, (key, kind, value)) in context.iter().enumerate() {
            let head = format!("ContextEntries.member.{}", place + 1);
            parameters.push((format!("{head}.ContextKeyName"), key.clone()));
            parameters.push((format!("{head}.ContextKeyType"), kind.clone()));
            parameters.push((format!("{head}.ContextKeyValues.member.1"), value.clone()));
        }
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(key, text)| (&**key, &**text)).collect();
        let reply = self.world.admin.iam("SimulatePrincipalPolicy", &parameters).ok();
        let decision = reply.text("EvaluationResults.0.EvalDecision");
        if question.resource != "*" {
            let each = "EvaluationResults.0.ResourceSpecificResults.0.EvalResourceDecision";
            assert_eq!(reply.text(each), decision);
        }
        let matched = "EvaluationResults.0.MatchedStatements";
        let within =
            "EvaluationResults.0.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary";
        Simulated {
            decision,
            policies: (0..reply.len(matched))
                .map(|at| reply.text(&format!("{matched}.{at}.SourcePolicyId")))
                .collect(),
            within_boundary: match reply.at(within) {
                Some(Value::Bool(within)) => Some(*within),
                _ => None,
            },
        }
    }

    /// What the live denial names is what the simulation shows: the kind of policy that denies or does
    /// not allow, the policy by its name, and as many statements.
    fn require_same_reason(&self, live: &Reply, simulated: &Simulated, told: &dyn Fn() -> String) {
        assert_eq!((live.status, &*live.code), (403, "AccessDenied"), "{}", told());
        let decoded = self.decoded(live);
        assert_eq!(decoded["explicitDeny"], simulated.decision == "explicitDeny", "{}", told());
        assert_eq!(decoded["failures"]["items"], json!([]), "{}", told());
        let items = decoded["matchedStatements"]["items"].as_array().unwrap();
        // The simulation tells a policy that is attached twice once.
        let distinct: BTreeSet<String> = items.iter().map(ToString::to_string).collect();
        let count = simulated.policies.len();
        assert!((distinct.len()..=items.len()).contains(&count), "{}", told());
        let denial = live.message.split_once("with an explicit deny in ").map(|(_, how)| how);
        if let Some((_, arn)) = denial.and_then(|how| how.split_once(": arn:")) {
            let name = arn.split(" (decision ").next().unwrap().rsplit('/').next().unwrap();
            assert!(simulated.policies.iter().any(|policy| policy == name), "{name}: {}", told());
        }
        let by_boundary = live.message.contains("permissions boundary");
        let within = simulated.within_boundary;
        assert!(!by_boundary || within == Some(false), "{}", told());
        let lacks_identity = live.message.contains("no identity-based policy allows");
        // The boundary is named where it alone is missing (SIM-15).
        let alone =
            simulated.decision == "implicitDeny" && !lacks_identity && within == Some(false);
        assert!(!alone || by_boundary || live.message.contains("trust policy"), "{}", told());
    }

    /// The live context, as the decision's record shows it, is the one that was simulated.
    fn require_same_context(
        &self,
        live: &Reply,
        context: &[(String, String, String)],
        question: &Question,
    ) {
        let decoded = self.decoded(live);
        let recorded = decoded["context"]["conditions"]["items"].as_array().unwrap();
        for held in recorded {
            let key = held["key"].as_str().unwrap();
            let values: Vec<&str> = held["values"]["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["value"].as_str().unwrap())
                .collect();
            let given = context.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(key));
            let derived = ["aws:principal", "aws:username", "aws:userid"];
            match given {
                Some((_, _, value)) => assert_eq!(values, [value], "{key}"),
                None => assert!(
                    derived.iter().any(|head| key.starts_with(head)),
                    "{}: {key} is not simulated",
                    question.action
                ),
            }
        }
    }

    fn decoded(&self, live: &Reply) -> Json {
        let id = live.decision_id().unwrap();
        let reply =
            self.world.admin.sts("DecodeAuthorizationMessage", &[("EncodedMessage", &id)]).ok();
        serde_json::from_str(&reply.text("DecodedMessage")).unwrap()
    }
}

/// What a live call's policies decided: an error that comes after the decision is an Allow.
fn decision(reply: &Reply) -> String {
    let denied = reply.code == "AccessDenied";
    match (denied, reply.message.contains("with an explicit deny")) {
        (false, _) => "allowed",
        (true, true) => "explicitDeny",
        (true, false) => "implicitDeny",
    }
    .to_owned()
}

/// Calls on several kinds of targets; those that write leave things as they are.
fn questions(set: &Furniture) -> Vec<Question> {
    let mut questions = Vec::new();
    let tagged = || TEAM.map(|(key, kind, value)| (key, kind, value.to_owned())).to_vec();
    let ann = |name: &'static str, action: &'static str| Question {
        operation: ("iam", name),
        parameters: vec![("UserName", set.name("Ann"))],
        action,
        resource: set.arn("user", "Ann"),
        context: tagged(),
    };
    for (name, action) in [
        ("GetUser", "iam:GetUser"),
        ("ListUserTags", "iam:ListUserTags"),
        ("ListUserPolicies", "iam:ListUserPolicies"),
        ("ListAttachedUserPolicies", "iam:ListAttachedUserPolicies"),
        ("ListGroupsForUser", "iam:ListGroupsForUser"),
        ("ListAccessKeys", "iam:ListAccessKeys"),
    ] {
        questions.push(ann(name, action));
    }
    let mut tag = ann("TagUser", "iam:TagUser");
    tag.parameters.push(("Tags.member.1.Key", "team".into()));
    tag.parameters.push(("Tags.member.1.Value", "blue".into()));
    tag.context.push(("aws:RequestTag/team", "string", "blue".into()));
    tag.context.push(("aws:TagKeys", "stringList", "team".into()));
    questions.push(tag);
    for (name, action, tells_boundary) in [
        ("GetRole", "iam:GetRole", true),
        ("ListRolePolicies", "iam:ListRolePolicies", false),
        ("ListRoleTags", "iam:ListRoleTags", false),
    ] {
        let boundary = ("iam:PermissionsBoundary", "string", set.arn("policy", "Held"));
        questions.push(Question {
            operation: ("iam", name),
            parameters: vec![("RoleName", set.name("Worker"))],
            action,
            resource: set.arn("role", "Worker"),
            context: tagged().into_iter().chain(tells_boundary.then_some(boundary)).collect(),
        });
    }
    questions.push(Question {
        operation: ("sts", "AssumeRole"),
        parameters: vec![
            ("RoleArn", set.arn("role", "Worker")),
            ("RoleSessionName", "a-session".into()),
        ],
        action: "sts:AssumeRole",
        resource: set.arn("role", "Worker"),
        context: [tagged(), vec![("sts:RoleSessionName", "string", "a-session".into())]].concat(),
    });
    questions.push(Question {
        operation: ("iam", "GetGroup"),
        parameters: vec![("GroupName", set.name("Crew"))],
        action: "iam:GetGroup",
        resource: set.arn("group", "Crew"),
        context: vec![],
    });
    questions.push(Question {
        operation: ("iam", "GetPolicy"),
        parameters: vec![("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess".into())],
        action: "iam:GetPolicy",
        resource: "arn:aws:iam::aws:policy/ReadOnlyAccess".into(),
        context: vec![],
    });
    for (name, action, kind) in
        [("ListUsers", "iam:ListUsers", "user"), ("ListRoles", "iam:ListRoles", "role")]
    {
        // IN-8
        questions.push(Question {
            operation: ("iam", name),
            parameters: vec![("PathPrefix", "/team/".into())],
            action,
            resource: format!("arn:aws:iam::{HOME}:{kind}/team/"),
            context: vec![],
        });
    }
    questions.push(Question {
        operation: ("iam", "GetAccountSummary"),
        parameters: vec![],
        action: "iam:GetAccountSummary",
        resource: "*".into(),
        context: vec![],
    });
    questions
}

/// A random identity policy about the questions' actions, resources and context.
fn policy(dice: &mut Dice) -> String {
    let count = 1 + dice.roll(4);
    let statements: Vec<Json> = (0..count).map(|_| statement(dice)).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn statement(dice: &mut Dice) -> Json {
    let actions = [
        json!("*"),
        json!("iam:*"),
        json!(["iam:Get*", "sts:AssumeRole"]),
        json!("iam:List*"),
        json!(["iam:*User*", "iam:GetPolicy"]),
        json!(["IAM:getROLE", "iam:TagUser"]),
        json!(["sts:*", "iam:*Role*"]),
        json!("s3:*"),
    ];
    let resources = [
        json!("*"),
        json!("*"),
        json!("arn:aws:iam::123456789012:user/*"),
        json!("arn:aws:iam::*:role/team/*"),
        json!(["arn:aws:iam::123456789012:user/${aws:username}", "arn:aws:iam::aws:policy/*"]),
        json!("arn:aws:iam::${aws:PrincipalAccount}:*/team/*One"),
        json!([
            "arn:aws:iam::123456789012:group/team/Crew*",
            "arn:aws:iam::123456789012:user/team/?nnOne"
        ]),
        json!("arn:aws:iam::123456789012:USER/*"),
    ];
    let conditions = [
        json!({"StringEquals": {"aws:username": ["Blue", "Red"]}}),
        json!({"StringNotEquals": {"aws:username": "Plain"}}),
        json!({"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}),
        json!({"StringEqualsIgnoreCase": {"iam:ResourceTag/Team": "BLUE"}}),
        json!({"StringLike": {"aws:userid": ["AIDA*", "AROA*:as-actor"]}}),
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}),
        json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/B*"}}),
        json!({"StringEquals": {"aws:PrincipalType": "User"}}),
        json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}}),
        json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/28"}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"Bool": {"aws:PrincipalIsAWSService": "false"}}),
        json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}),
        json!({"Null": {"aws:TokenIssueTime": "true"}}),
        json!({"DateLessThan": {"aws:CurrentTime": "2026-11-22T00:00:00Z"}}),
        json!({"DateGreaterThanIfExists": {"aws:TokenIssueTime": "2026-11-21T23:00:00Z"}}),
        json!({"NumericGreaterThan": {"aws:EpochTime": 1_795_298_400}}),
        json!({"NumericLessThanEquals": {"aws:EpochTime": "1795298400"}}),
        json!({"NumericGreaterThanEquals": {"bailiwick:TimeOfDay": "090000"}}),
        json!({"StringEquals": {"aws:RequestTag/team": "blue"}}),
        json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}}),
        json!({"ForAnyValue:StringLike": {"aws:TagKeys": "t*"}}),
        json!({"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}),
        json!({"StringEquals": {"sts:RoleSessionName": "a-session"}}),
        json!({"ArnLike": {"iam:PermissionsBoundary": "arn:aws:iam::*:policy/team/Held*"}}),
        json!({"StringLike": {"aws:UserAgent": "*kit"}, "Bool": {"aws:ViaAWSService": "false"}}),
        json!({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}),
        json!({"StringEquals": {"aws:username": "${aws:PrincipalTag/team, 'Plain'}"}}),
    ];
    let denies = dice.roll(7) == 0;
    let not_action = dice.roll(8) == 0;
    let not_resource = dice.roll(8) == 0;
    let mut made = json!({
        "Effect": if denies { "Deny" } else { "Allow" },
        (if not_action { "NotAction" } else { "Action" }): dice.pick(&actions),
        (if not_resource { "NotResource" } else { "Resource" }): dice.pick(&resources),
    });
    if dice.roll(5) < 2 {
        made["Condition"] = dice.pick(&conditions).clone();
    }
    made
}
