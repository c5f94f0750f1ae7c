//! All layers together: what each one grants or takes away, and random layers against the engine.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]
#![allow(clippy::print_stdout, reason = "figures for whoever asks for them")]

mod grammar;

use bailiwick_identifiers::AccountId;
use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Levels, Policies, Principal, Request,
    Source, SourceKind, decide, is_delegated,
};
use bailiwick_symbolic::{Access, Answer, Asker, Layers};
use grammar::dice::Dice;

const ALICE: &str = "arn:aws:iam::111111111111:user/alice";

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Holds => "out of reach",
        Answer::Fails(witness) if witness.context.is_empty() => "certain",
        Answer::Fails(_) => "conditional",
        Answer::Undecided(_) => "undecided",
    }
}

/// The policies of a case, parsed.
#[derive(Default)]
struct Case {
    identity: Vec<Document>,
    boundary: Option<Document>,
    session: Option<Vec<Document>>,
    resource: Option<Document>,
    scps: Vec<Vec<Document>>,
    rcps: Vec<Vec<Document>>,
    owner: Option<AccountId>,
}

impl Case {
    fn ask(&self, caller: &Principal, facts: &Context, access: Access<'_>) -> Answer {
        self.with(|applicable| {
            let owner = self.owner;
            let layers = Layers { principal: caller, facts, applicable, resource_account: owner };
            Asker::default().out_of_reach(&layers, &[access]).unwrap()
        })
    }

    fn with<T>(&self, take: impl FnOnce(&Applicable<'_>) -> T) -> T {
        let source = Source::new("policy", SourceKind::UserInline);
        let one = |document| attached(&source, document);
        take(&Applicable {
            identity: self.identity.iter().map(one).collect(),
            boundary: self.boundary.as_ref().map(one),
            session: self.session.as_ref().map(|list| list.iter().map(one).collect()),
            resource: self.resource.as_ref().map(one),
            scps: levels(&source, &self.scps),
            rcps: levels(&source, &self.rcps),
            ..Applicable::default()
        })
    }
}

fn attached<'a>(source: &'a Source, document: &'a Document) -> Attached<'a> {
    Attached { source, document }
}

fn levels<'a>(source: &'a Source, levels: &'a [Vec<Document>]) -> Levels<'a> {
    let level = |level: &'a Vec<Document>| -> Policies<'a> {
        level.iter().map(|document| attached(source, document)).collect()
    };
    levels.iter().map(level).collect()
}

fn policy(statements: &str, kind: DocumentKind) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Document::parse(&text, kind).unwrap()
}

fn allow(action: &str) -> Document {
    let statement = format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#);
    policy(&statement, DocumentKind::Identity)
}

fn deny(action: &str) -> Document {
    let statement = format!(r#"{{"Effect": "Deny", "Action": "{action}", "Resource": "*"}}"#);
    policy(&statement, DocumentKind::Identity)
}

fn resource(principal: &str, kind: DocumentKind) -> Document {
    let (action, resource) = match kind {
        DocumentKind::Trust => ("sts:AssumeRole", ""),
        _ => ("s3:*", r#","Resource": "*""#),
    };
    policy(
        &format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "{action}"{resource}}}"#
        ),
        kind,
    )
}

#[test]
fn ev_4_each_layer_grants_or_takes_away() {
    let alice = Principal::from_arn(ALICE).unwrap();
    let mut facts = Context::new();
    facts.put_principal(&alice);
    let identity = || vec![allow("s3:*")];
    let mfa = policy(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}/*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#,
        DocumentKind::Identity,
    );
    let everyone = |effect: &str| {
        policy(
            &format!(
                r#"{{"Effect": "{effect}", "Principal": "*", "Action": "*", "Resource": "*"}}"#
            ),
            DocumentKind::Resource,
        )
    };
    let key = "arn:aws:s3:::alice/key";
    for (what, case, resource, expected) in [
        ("nothing", Case::default(), key, "out of reach"),
        ("identity", Case { identity: identity(), ..Case::default() }, key, "certain"),
        (
            "other account",
            Case { identity: identity(), ..Case::default() },
            "arn:aws:s3:eu-west-1:222222222222:accesspoint/x",
            "out of reach",
        ),
        ("mfa", Case { identity: vec![mfa.clone()], ..Case::default() }, key, "conditional"),
        (
            "mfa or not",
            Case { identity: vec![mfa, allow("s3:Get*")], ..Case::default() },
            key,
            "certain",
        ),
        (
            "denied",
            Case { identity: vec![allow("*"), deny("s3:Get*")], ..Case::default() },
            key,
            "out of reach",
        ),
        (
            "PB-3",
            Case { identity: identity(), boundary: Some(allow("ec2:*")), ..Case::default() },
            key,
            "out of reach",
        ),
        (
            "PB-3 within",
            Case { identity: identity(), boundary: Some(allow("s3:G*")), ..Case::default() },
            key,
            "certain",
        ),
        (
            "SES-2",
            Case {
                identity: identity(),
                session: Some(vec![allow("ec2:*"), allow("s3:Put*")]),
                ..Case::default()
            },
            key,
            "out of reach",
        ),
        (
            "SCP-1 a level that does not allow",
            Case {
                identity: identity(),
                scps: vec![vec![allow("*")], vec![allow("ec2:*")]],
                ..Case::default()
            },
            key,
            "out of reach",
        ),
        (
            "SCP-2 a level of several",
            Case {
                identity: identity(),
                scps: vec![vec![allow("*")], vec![allow("ec2:*"), allow("s3:Get*")]],
                ..Case::default()
            },
            key,
            "certain",
        ),
        (
            "SCP-2 an empty level",
            Case { identity: identity(), scps: vec![vec![]], ..Case::default() },
            key,
            "out of reach",
        ),
        (
            "RCP-2",
            Case { identity: identity(), rcps: vec![vec![everyone("Deny")]], ..Case::default() },
            key,
            "out of reach",
        ),
    ] {
        let access = Access { actions: &["s3:GetObject"], resources: &[resource] };
        let answer = case.ask(&alice, &facts, access);
        assert_eq!(word(&answer), expected, "{what}: {answer:?}");
    }
    // RCP-4: a service that they do not govern.
    let case = Case {
        identity: vec![allow("ec2:*")],
        rcps: vec![vec![everyone("Deny")]],
        ..Case::default()
    };
    let access = Access { actions: &["ec2:StartInstances"], resources: &[] };
    assert_eq!(word(&case.ask(&alice, &facts, access)), "certain");
    // EV-11
    let free = Access { actions: &["sts:Get*"], resources: &[] };
    assert_eq!(word(&Case::default().ask(&alice, &facts, free)), "out of reach");
}

#[test]
fn pr_1_to_3_how_the_policy_of_a_resource_names_the_caller() {
    let alice = Principal::from_arn(ALICE).unwrap();
    let session = Principal::from_arn("arn:aws:sts::111111111111:assumed-role/r/s").unwrap();
    let nothing = || Some(allow("ec2:*"));
    for (what, caller, principal, bounded, expected) in [
        ("D", &alice, format!(r#"{{"AWS": "{ALICE}"}}"#), true, "certain"),
        ("everyone", &alice, r#""*""#.to_owned(), true, "certain"),
        ("account", &alice, r#"{"AWS": "111111111111"}"#.to_owned(), false, "out of reach"),
        ("other", &alice, r#"{"AWS": "222222222222"}"#.to_owned(), false, "out of reach"),
        (
            "R",
            &session,
            r#"{"AWS": "arn:aws:iam::111111111111:role/r"}"#.to_owned(),
            false,
            "certain",
        ),
        (
            "R within the boundary",
            &session,
            r#"{"AWS": "arn:aws:iam::111111111111:role/r"}"#.to_owned(),
            true,
            "out of reach",
        ),
    ] {
        let mut facts = Context::new();
        facts.put_principal(caller);
        let case = Case {
            resource: Some(resource(&principal, DocumentKind::Resource)),
            boundary: nothing().filter(|_| bounded),
            ..Case::default()
        };
        let access = Access { actions: &["s3:GetObject"], resources: &["arn:aws:s3:::a/b"] };
        let answer = case.ask(caller, &facts, access);
        assert_eq!(word(&answer), expected, "{what}: {answer:?}");
    }
}

#[test]
fn dlg_1_trust_and_ev_5_other_accounts() {
    let alice = Principal::from_arn(ALICE).unwrap();
    let mut facts = Context::new();
    facts.put_principal(&alice);
    let assume = || vec![allow("sts:AssumeRole")];
    let own = "arn:aws:iam::111111111111:role/r";
    let foreign = "arn:aws:iam::222222222222:role/r";
    let account = r#"{"AWS": "111111111111"}"#;
    let exact = format!(r#"{{"AWS": "{ALICE}"}}"#);
    for (what, identity, trust, role, expected) in [
        ("no trust", assume(), None, own, "out of reach"),
        ("account and identity", assume(), Some(account), own, "certain"),
        ("account alone", vec![], Some(account), own, "out of reach"),
        ("exact", vec![], Some(exact.as_str()), own, "certain"),
        ("exact elsewhere", vec![], Some(exact.as_str()), foreign, "out of reach"),
        ("both elsewhere", assume(), Some(account), foreign, "certain"),
    ] {
        let trust = trust.map(|principal| resource(principal, DocumentKind::Trust));
        let case = Case { identity, resource: trust, ..Case::default() };
        let access = Access { actions: &["sts:AssumeRole"], resources: &[role] };
        let answer = case.ask(&alice, &facts, access);
        assert_eq!(word(&answer), expected, "{what}: {answer:?}");
    }
}

/// Random layers, random accesses, random requests within them.
fn sample(seed: u64, rounds: usize) {
    let mut dice = Dice(seed);
    let (mut reached, mut not, mut undecided, mut allowed, mut asked) = (0, 0, 0, 0, 0);
    for _ in 0..rounds {
        let some = |dice: &mut Dice, resource: bool, kind: DocumentKind, deny: bool| {
            let count = dice.roll(3);
            let mut list: Vec<String> =
                (0..=count).map(|_| grammar::statement(dice, resource, 1)).collect();
            if dice.roll(3) > 0 {
                let principal = if resource { r#""Principal": "*","# } else { "" };
                let effect = if deny { "Deny" } else { "Allow" };
                let action = if deny { "s3:PutA" } else { "*" };
                list.push(format!(
                    r#"{{"Effect": "{effect}", {principal} "Action": "{action}", "Resource": "*"}}"#
                ));
            }
            grammar::parse(&list, kind, false)
        };
        let caller = grammar::caller(&mut dice, true);
        let identity = DocumentKind::Identity;
        let case = Case {
            identity: (0..dice.roll(3)).map(|_| some(&mut dice, false, identity, false)).collect(),
            boundary: (dice.roll(4) == 0).then(|| some(&mut dice, false, identity, false)),
            session: (dice.roll(4) == 0).then(|| {
                (0..dice.roll(3)).map(|_| some(&mut dice, false, identity, false)).collect()
            }),
            resource: (dice.roll(2) == 0)
                .then(|| some(&mut dice, true, DocumentKind::Resource, false)),
            scps: (0..dice.roll(3))
                .map(|_| vec![some(&mut dice, false, identity, false)])
                .collect(),
            rcps: (dice.roll(4) == 0)
                .then(|| vec![some(&mut dice, true, DocumentKind::Resource, true)])
                .into_iter()
                .collect(),
            owner: None,
        };
        let mut facts = Context::new();
        facts.put_principal(&caller);
        let action = dice.pick(&["s3:GetA", "s3:Get*", "s3:*", "*", "ec2:RunA", "iam:*"]);
        let at = dice.pick(&["*", "arn:aws:s3:::a/*", "arn:aws:s3:::a", "arn:aws:s3:*:*:b"]);
        let access = Access { actions: &[action], resources: &[at] };
        let answer = case.ask(&caller, &facts, access);
        match &answer {
            Answer::Holds => not += 1,
            Answer::Fails(_) => reached += 1,
            Answer::Undecided(reason) => {
                undecided += 1;
                if std::env::var("BAILIWICK_SYMBOLIC_SHOW").is_ok() {
                    println!("{reason}: {action} {at} {caller:?}");
                    case.with(|all| {
                        all.policies().for_each(|p| println!("  {}", p.document.source()));
                    });
                }
            }
        }
        for _ in 0..30 {
            let mut context = grammar::context(&mut dice, &caller);
            // What follows from the caller is fixed.
            context.remove("aws:username");
            for value in facts.values("aws:username") {
                context.put("aws:username", value);
            }
            let action = match action {
                "s3:GetA" => "s3:GetA",
                "s3:Get*" => dice.pick(&["s3:GetA", "s3:GetB"]),
                "s3:*" => dice.pick(&["s3:GetA", "s3:PutA", "s3:LetA"]),
                "ec2:RunA" => "ec2:RunA",
                "iam:*" => "iam:A",
                _ => dice.pick(&["s3:GetA", "s3:PutA", "ec2:RunA", "ec2:Stop", "iam:A"]),
            };
            let at = match at {
                "arn:aws:s3:::a/*" => dice.pick(&["arn:aws:s3:::a/b", "arn:aws:s3:::a/a"]),
                "arn:aws:s3:::a" => "arn:aws:s3:::a",
                "arn:aws:s3:*:*:b" => dice.pick(&[
                    "arn:aws:s3:::b",
                    "arn:aws:s3:x:111111111111:b",
                    "arn:aws:s3:x:1:b",
                ]),
                _ => dice.pick(&["*", "arn:aws:s3:::a/b", "arn:aws:s3:::ab", "arn:aws:sqs:x:1:q"]),
            };
            let request = Request {
                principal: &caller,
                action,
                resource: at,
                resource_account: None,
                context: &context,
                delegated: is_delegated(action, at),
            };
            asked += 1;
            let granted = case.with(|all| decide(&request, all).is_allowed());
            allowed += usize::from(granted);
            if granted && answer.holds() {
                case.with(|all| all.policies().for_each(|p| println!("  {}", p.document.source())));
                let asked = (access.actions, access.resources);
                assert!(!granted, "{asked:?} out of reach, but: {request:?}");
            }
        }
    }
    println!(
        "{reached} reached, {not} out of reach, {undecided} undecided; {asked} requests, {allowed} allowed"
    );
    assert!(undecided * 20 < rounds, "{undecided} of {rounds} undecided");
}

#[test]
fn layers_never_contradict_the_engine() {
    sample(3, 400);
}

#[test]
#[ignore = "a million requests"]
fn layers_never_contradict_the_engine_at_length() {
    sample(17, 33_400);
}

/// What asking about many callers costs: `cargo test --release -p bailiwick-symbolic --test layers
/// -- --ignored --nocapture many_callers`.
#[test]
#[ignore = "ten thousand callers"]
fn many_callers_in_figures() {
    let catalog = bailiwick_catalog::Catalog::embedded();
    let managed: Vec<Document> = catalog
        .managed_policies()
        .map(|policy| Document::parse(&policy.default_document(), DocumentKind::Identity).unwrap())
        .collect();
    let everything = allow("*");
    let region = policy(
        r#"{"Effect": "Deny", "NotAction": ["iam:*", "sts:*", "organizations:*"], "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}"#,
        DocumentKind::Identity,
    );
    let actions = [
        "iam:CreateAccessKey",
        "iam:PassRole",
        "iam:CreatePolicyVersion",
        "iam:AttachUserPolicy",
        "iam:PutUserPolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:CreateLoginProfile",
        "s3:GetObject",
        "s3:PutBucketPolicy",
        "lambda:CreateFunction",
        "lambda:UpdateFunctionCode",
        "ec2:RunInstances",
        "ssm:SendCommand",
        "cloudformation:CreateStack",
        "glue:CreateDevEndpoint",
        "secretsmanager:GetSecretValue",
        "sts:AssumeRole",
        "organizations:LeaveOrganization",
        "ecs:RunTask",
        "sagemaker:CreateNotebookInstance",
        "dynamodb:*",
        "rds:Delete*",
        "kms:ScheduleKeyDeletion",
        "cloudtrail:StopLogging",
    ];
    let mut dice = Dice(5);
    let source = Source::new("policy", SourceKind::UserInline);
    let begun = std::time::Instant::now();
    let (mut asked, mut reached, mut undecided) = (0, 0, 0);
    let callers = 10_000;
    for number in 0..callers {
        let arn = format!("arn:aws:iam::111111111111:user/u{number}");
        let caller = Principal::from_arn(&arn).unwrap();
        let mut facts = Context::new();
        facts.put_principal(&caller);
        let applicable = Applicable {
            identity: (0..=dice.roll(4))
                .map(|_| attached(&source, &managed[dice.roll(managed.len())]))
                .collect(),
            boundary: (dice.roll(5) == 0)
                .then(|| attached(&source, &managed[dice.roll(managed.len())])),
            scps: std::iter::once(
                [&everything, &region].map(|one| attached(&source, one)).into_iter().collect(),
            )
            .collect(),
            ..Applicable::default()
        };
        let layers = Layers {
            principal: &caller,
            facts: &facts,
            applicable: &applicable,
            resource_account: None,
        };
        for action in actions {
            let access = Access { actions: &[action], resources: &[] };
            asked += 1;
            match Asker::default().out_of_reach(&layers, &[access]).unwrap() {
                Answer::Holds => {}
                Answer::Fails(_) => reached += 1,
                Answer::Undecided(reason) => {
                    undecided += 1;
                    println!("{action}: {reason}");
                }
            }
        }
    }
    println!(
        "{callers} callers, {asked} questions, {reached} reached, {undecided} undecided, {:?}",
        begun.elapsed()
    );
    assert_eq!(undecided, 0);
}
