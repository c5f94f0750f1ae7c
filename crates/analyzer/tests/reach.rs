//! Effective access against the decision engine, on random small accounts: whoever the engine
//! allows in some context is named, whoever is named has a request that it allows, and what is
//! said to be always so is so in every context that is tried.

#![allow(
    clippy::unwrap_used,
    clippy::similar_names,
    reason = "a test that fails is a test that tells"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_analyzer::estate::{Estate, Organization, ResourcePolicy};
use bailiwick_analyzer::reach::{Certainty, Question, Reach};
use bailiwick_catalog::Catalog;
use bailiwick_model::Found;
use bailiwick_model::export::{self, ExportFile};
use bailiwick_policy::{Context, Document, DocumentKind, Principal, Source, SourceKind};
use serde_json::{Value, json};

const ACCOUNT: &str = "123456789012";

/// A sequence that a seed begins.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    fn pick<'t, T: ?Sized>(&mut self, list: &[&'t T]) -> &'t T {
        list[self.roll(list.len())]
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }
}

const ACTIONS: [&str; 7] = [
    "s3:GetObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "kms:Decrypt",
    "sts:AssumeRole",
    "iam:ListUsers",
    "sts:GetCallerIdentity",
];
const PATTERNS: [&str; 9] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "sqs:*",
    "kms:*",
    "sts:AssumeRole",
    "iam:List*",
    "s3:P?t*",
];
const RESOURCES: [&str; 9] = [
    "arn:aws:s3:::data/alice/x",
    "arn:aws:s3:::data/b",
    "arn:aws:s3:::logs/1",
    "arn:aws:sqs:eu-west-1:123456789012:q",
    "arn:aws:sqs:eu-west-1:999900001111:q",
    "arn:aws:kms:eu-west-1:123456789012:key/1",
    "arn:aws:iam::123456789012:role/r0",
    "arn:aws:iam::123456789012:role/r1",
    "*",
];
const GLOBS: [&str; 10] = [
    "*",
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:s3:::data/${aws:username}/*",
    "arn:aws:s3:::data/${aws:PrincipalTag/team}",
    "arn:aws:s3:::*/?",
    "arn:aws:s3:::${aws:RequestTag/bucket}/*",
    "arn:aws:sqs:*:*:q",
    "arn:aws:kms:*:123456789012:key/*",
    "arn:aws:iam::123456789012:role/r*",
];

fn condition(dice: &mut Dice) -> Value {
    let (operator, key, value) = match dice.roll(22) {
        0 => ("Bool", "aws:MultiFactorAuthPresent", json!("true")),
        1 => ("BoolIfExists", "aws:MultiFactorAuthPresent", json!("false")),
        2 => ("IpAddress", "aws:SourceIp", json!(["203.0.113.0/24", "198.51.100.7"])),
        3 => ("NotIpAddress", "aws:SourceIp", json!("203.0.113.0/25")),
        4 => ("StringEquals", "aws:username", json!("u0")),
        5 => ("StringNotEquals", "aws:PrincipalTag/team", json!(["a", "b"])),
        6 => ("StringEquals", "aws:PrincipalTag/team", json!("${aws:username}")),
        7 => ("StringLike", "s3:prefix", json!(["home/*", "${aws:username}/*"])),
        8 => ("StringNotLike", "s3:prefix", json!("home/u*")),
        9 => ("ForAnyValue:StringEquals", "aws:TagKeys", json!(["a", "b"])),
        10 => ("ForAllValues:StringEquals", "aws:TagKeys", json!(["a"])),
        11 => ("Null", "aws:TagKeys", json!(dice.pick(&["true", "false"]))),
        12 => ("NumericLessThan", "s3:max-keys", json!("10")),
        13 => ("NumericGreaterThanEquals", "s3:max-keys", json!("10")),
        14 => ("DateGreaterThan", "aws:CurrentTime", json!("2026-01-01T00:00:00Z")),
        15 => ("StringEqualsIfExists", "aws:SourceVpc", json!("vpc-1")),
        16 => ("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::123456789012:user/*")),
        17 => ("StringEquals", "aws:PrincipalAccount", json!(ACCOUNT)),
        18 => ("StringEqualsIgnoreCase", "aws:RequestTag/bucket", json!("DATA")),
        19 => ("StringNotEquals", "aws:RequestTag/bucket", json!("data")),
        20 => ("StringEquals", "aws:ResourceAccount", json!(ACCOUNT)),
        _ => ("ForAnyValue:StringNotEquals", "aws:TagKeys", json!(["a"])),
    };
    json!({operator: {key: value}})
}

fn statement(dice: &mut Dice, deny_in: usize) -> Value {
    let effect = if dice.one_in(deny_in) { "Deny" } else { "Allow" };
    let mut out = json!({"Effect": effect});
    let action = dice.pick(&PATTERNS);
    let element = if dice.one_in(8) { "NotAction" } else { "Action" };
    out[element] = json!(action);
    let globs: Vec<&str> = (0..=dice.roll(2)).map(|_| dice.pick(&GLOBS)).collect();
    let element = if dice.one_in(8) { "NotResource" } else { "Resource" };
    out[element] = json!(globs);
    if dice.one_in(2) {
        let mut all = condition(dice);
        if dice.one_in(3)
            && let (Some(all), Value::Object(more)) = (all.as_object_mut(), condition(dice))
        {
            for (operator, keys) in more {
                all.entry(operator).or_insert(keys);
            }
        }
        out["Condition"] = all;
    }
    out
}

fn policy(dice: &mut Dice, deny_in: usize) -> Value {
    let statements: Vec<Value> = (0..=dice.roll(3)).map(|_| statement(dice, deny_in)).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A policy of a boundary or level: wide, and narrowed sometimes.
fn limit(dice: &mut Dice) -> Value {
    let mut out = policy(dice, 2);
    if !dice.one_in(4) {
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        out["Statement"].as_array_mut().unwrap().push(all);
    }
    out
}

fn resource_policy(dice: &mut Dice, trust: bool) -> Value {
    let mut out = Vec::new();
    for _ in 0..=dice.roll(2) {
        let mut one = statement(dice, 4);
        let one_ = one.as_object_mut().unwrap();
        one_.remove("NotResource");
        if trust {
            one_.remove("Resource");
            one_.remove("NotAction");
            one_.insert("Action".into(), json!("sts:AssumeRole"));
        } else {
            one_.insert("Resource".into(), json!("*"));
        }
        let principal = match dice.roll(if trust { 6 } else { 8 }) {
            0 => json!("*"),
            1 => json!({"AWS": ACCOUNT}),
            2 => json!({"AWS": "arn:aws:iam::123456789012:user/u0"}),
            3 => json!({"AWS": ["arn:aws:iam::123456789012:role/r0"]}),
            4 => json!({"AWS": "arn:aws:iam::123456789012:root"}),
            5 => json!({"Service": "ec2.amazonaws.com"}),
            6 => json!({"AWS": "arn:aws:sts::123456789012:assumed-role/r0/s"}),
            _ => json!({"AWS": "999900001111"}),
        };
        one_.insert("Principal".into(), principal);
        out.push(one);
    }
    json!({"Version": "2012-10-17", "Statement": out})
}

fn inline(name: &str, document: &Value) -> Value {
    json!([{"PolicyName": name, "PolicyDocument": document}])
}

fn estate(dice: &mut Dice) -> Estate {
    let boundary = "arn:aws:iam::123456789012:policy/limit";
    let mut users = Vec::new();
    for at in 0..3 {
        let mut user = json!({
            "Path": "/", "UserName": format!("u{at}"), "UserId": format!("AIDA{at:0>17}"),
            "Arn": format!("arn:aws:iam::{ACCOUNT}:user/u{at}"), "CreateDate": "2020-01-01T00:00:00Z",
            "GroupList": if at == 0 { vec!["g"] } else { vec![] }, "AttachedManagedPolicies": [],
            "Tags": if dice.one_in(2) { json!([{"Key": "team", "Value": dice.pick(&["a", "u0", "c"])}]) } else { json!([]) },
        });
        if !dice.one_in(4) {
            user["UserPolicyList"] = inline("own", &policy(dice, 4));
        }
        if dice.one_in(3) {
            user["PermissionsBoundary"] =
                json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary});
        }
        users.push(user);
    }
    let roles: Vec<Value> = (0..2)
        .map(|at| {
            json!({
                "Path": "/", "RoleName": format!("r{at}"), "RoleId": format!("AROA{at:0>17}"),
                "Arn": format!("arn:aws:iam::{ACCOUNT}:role/r{at}"), "CreateDate": "2020-01-01T00:00:00Z",
                "AssumeRolePolicyDocument": resource_policy(dice, true), "InstanceProfileList": [],
                "RolePolicyList": inline("own", &policy(dice, 4)), "AttachedManagedPolicies": [], "Tags": [],
            })
        })
        .collect();
    let text = json!({
        "UserDetailList": users, "RoleDetailList": roles,
        "GroupDetailList": [{
            "Path": "/", "GroupName": "g", "GroupId": "AGPA00000000000000000",
            "Arn": format!("arn:aws:iam::{ACCOUNT}:group/g"), "CreateDate": "2020-01-01T00:00:00Z",
            "GroupPolicyList": inline("ours", &policy(dice, 4)), "AttachedManagedPolicies": [],
        }],
        "Policies": [{
            "PolicyName": "limit", "PolicyId": "ANPA00000000000000000", "Arn": boundary, "Path": "/",
            "DefaultVersionId": "v1", "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 1,
            "IsAttachable": true, "CreateDate": "2020-01-01T00:00:00Z", "UpdateDate": "2020-01-01T00:00:00Z",
            "PolicyVersionList": [{
                "Document": limit(dice), "VersionId": "v1", "IsDefaultVersion": true,
                "CreateDate": "2020-01-01T00:00:00Z",
            }],
        }],
    })
    .to_string();
    let files = [ExportFile { name: "export.json", bytes: text.as_bytes() }];
    let found = export::read(&files, Catalog::embedded()).unwrap();
    let mut estate = Estate::new(found.account, found.managed);
    let found = |text: &Value, kind, source| Found {
        source: Source::new("p", source),
        document: Arc::new(Document::parse(&text.to_string(), kind).unwrap()),
    };
    if dice.one_in(2) {
        let mut organization = Organization { id: Some("o-1".into()), ..Organization::default() };
        for _ in 0..=dice.roll(2) {
            let scp = found(&limit(dice), DocumentKind::ServiceControl, SourceKind::Scp);
            organization.scps.push(vec![scp]);
        }
        if dice.one_in(2) {
            let mut one = statement(dice, 1);
            one["Principal"] = json!("*");
            let rcp = json!({"Version": "2012-10-17", "Statement": one});
            let rcp = found(&rcp, DocumentKind::ResourceControl, SourceKind::Rcp);
            organization.rcps.push(vec![rcp]);
        }
        estate.organization = Some(organization);
    }
    let mut policies = BTreeMap::new();
    for arn in RESOURCES {
        let has_policy = arn != "*" && !arn.contains(":role/");
        if has_policy && dice.one_in(2) {
            let policy = resource_policy(dice, false);
            let policy = found(&policy, DocumentKind::Resource, SourceKind::Resource);
            policies.insert(arn.to_owned(), ResourcePolicy { policy: Ok(policy), owner: None });
        }
    }
    estate.resource_policies = Some(policies);
    estate
}

/// Context keys of a request, beyond those that follow from the caller.
fn sampled(dice: &mut Dice, mut context: Context) -> Context {
    let texts: [(&str, &[&str]); 6] = [
        ("aws:MultiFactorAuthPresent", &["true", "false"]),
        ("aws:SourceIp", &["203.0.113.5", "203.0.113.200", "198.51.100.7", "192.0.2.1"]),
        ("s3:prefix", &["home/u1", "home/x", "u0/x", "", "other"]),
        ("s3:max-keys", &["1", "10", "11"]),
        ("aws:CurrentTime", &["2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
        ("aws:SourceVpc", &["vpc-1", "vpc-2"]),
    ];
    for (key, values) in texts {
        if dice.one_in(2) {
            context.put(key, dice.pick(values));
        }
    }
    if dice.one_in(2) {
        context.put("aws:RequestTag/bucket", dice.pick(&["data", "DATA", "logs", "x"]));
    }
    match dice.roll(4) {
        0 => context.put_list("aws:TagKeys", ["a"]),
        1 => context.put_list("aws:TagKeys", ["a", "c"]),
        2 => context.put_list("aws:TagKeys", ["b"]),
        _ => {}
    }
    context
}

fn with_facts(estate: &Estate, context: Context, principal: &Principal, resource: &str) -> Context {
    let mut context = context;
    let request = bailiwick_policy::Request {
        principal,
        action: "",
        resource,
        resource_account: None,
        context: &context.clone(),
        delegated: false,
    };
    if resource != "*"
        && let Some(owner) = bailiwick_policy::resource_owner(&request)
    {
        context.put("aws:ResourceAccount", &owner.to_string());
    }
    if let Some(id) = estate.organization.as_ref().and_then(|found| found.id.as_deref()) {
        context.put("aws:PrincipalOrgID", id);
    }
    context
}

fn restored(base: Context, keys: &BTreeMap<String, Vec<String>>) -> Context {
    let mut context = base;
    for (key, values) in keys {
        if key == "aws:tagkeys" {
            context.put_list(key.as_str(), values.iter().map(String::as_str));
        } else {
            context.put(key.as_str(), &values[0]);
        }
    }
    context
}

#[derive(Default)]
struct Count {
    cases: usize,
    always: usize,
    only_if: usize,
    undecided: usize,
    no: usize,
}

fn check(seed: u64, count: &mut Count) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let estate = estate(&mut dice);
    let reach = Reach::new(&estate);
    for action in ACTIONS {
        for resource in RESOURCES {
            // `*` is the resource of what names none, and anything to all others.
            let names_none = matches!(action, "iam:ListUsers" | "sts:GetCallerIdentity");
            if dice.one_in(2) || (resource == "*" && !names_none) {
                continue;
            }
            let question = Question::new(action, resource).unwrap();
            let who = reach.who_can(&question);
            let named: BTreeMap<&str, _> =
                who.iter().map(|who| (who.principal.as_str(), &who.access[0])).collect();
            let root = Principal::Root {
                partition: estate.account.partition(),
                account: estate.account.id(),
            };
            let subjects = std::iter::once(estate.caller(root)).chain(estate.subjects());
            for subject in subjects {
                let is_root = matches!(subject.principal, Principal::Root { .. });
                if is_root && action == "sts:AssumeRole" {
                    continue; // ROOT-7
                }
                count.cases += 1;
                let arn = subject.principal.describe();
                let place = format!("seed {seed}: {arn} {action} {resource}");
                let answer = named.get(arn.as_str());
                let base = with_facts(&estate, subject.context(), &subject.principal, resource);
                match answer.map(|answer| answer.certainty) {
                    Some(Certainty::Always) => count.always += 1,
                    Some(Certainty::OnlyIf) => count.only_if += 1,
                    Some(Certainty::Undecided) => count.undecided += 1,
                    None => count.no += 1,
                }
                if let Some(answer) = answer {
                    match &answer.witness {
                        Some(witness) => {
                            let context = restored(base.clone(), &witness.context);
                            let decision = estate.decide(&subject, action, resource, &context);
                            assert!(decision.is_allowed(), "{place}: {witness} {decision:?}");
                        }
                        None => assert_eq!(answer.certainty, Certainty::Undecided, "{place}"),
                    }
                }
                for _ in 0..12 {
                    let context = sampled(&mut dice, base.clone());
                    let allowed = estate.decide(&subject, action, resource, &context).is_allowed();
                    if allowed {
                        assert!(answer.is_some(), "{place} is missing: {context:?}");
                    } else {
                        let always = answer.is_some_and(|a| a.certainty == Certainty::Always);
                        assert!(!always, "{place} is not always so: {context:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn who_can_agrees_with_the_engine() {
    let mut count = Count::default();
    for seed in 1..=150 {
        check(seed, &mut count);
    }
    let Count { cases, always, only_if, undecided, no } = count;
    println!("{cases} cases: {always} always, {only_if} only if, {undecided} undecided, {no} no");
    assert!(cases > 10_000 && always > 500 && only_if > 500 && no > 2000);
    assert!(undecided * 50 < cases, "{undecided} of {cases} undecided");
}

/// Of a pattern of resources: whoever the engine allows on a resource of it is named, and the
/// action is among those that `can` tells.
#[test]
fn patterns_agree_with_the_engine() {
    let samples = [
        "arn:aws:s3:::data/alice/x",
        "arn:aws:s3:::data/b",
        "arn:aws:s3:::data/u0/x",
        "arn:aws:s3:::data/u1/",
        "arn:aws:s3:::data/a",
        "arn:aws:s3:::data/example",
    ];
    let mut named = 0;
    for seed in 1000..1060 {
        let mut dice = Dice(seed * 7919 + 1);
        let estate = estate(&mut dice);
        let reach = Reach::new(&estate);
        for action in ["s3:GetObject", "s3:PutObject"] {
            let question = Question::new(action, "arn:aws:s3:::data/*").unwrap();
            let who = reach.who_can(&question);
            let names: BTreeSet<&str> = who.iter().map(|who| who.principal.as_str()).collect();
            named += names.len();
            for subject in estate.subjects() {
                let arn = subject.principal.describe();
                let permissions = reach.can(&arn, action).unwrap().unwrap();
                for resource in samples {
                    let base = with_facts(&estate, subject.context(), &subject.principal, resource);
                    for _ in 0..8 {
                        let context = sampled(&mut dice, base.clone());
                        if estate.decide(&subject, action, resource, &context).is_allowed() {
                            let place = format!("seed {seed}: {arn} {action} {resource}");
                            assert!(names.contains(arn.as_str()), "{place} is missing");
                            assert!(!permissions.is_empty(), "{place} is not among permissions");
                        }
                    }
                }
                for access in who.iter().filter(|who| who.principal == arn).flat_map(|w| &w.access)
                {
                    if let Some(witness) = &access.witness {
                        let resource = &witness.resource;
                        let base =
                            with_facts(&estate, subject.context(), &subject.principal, resource);
                        let context = restored(base, &witness.context);
                        assert!(estate.decide(&subject, action, resource, &context).is_allowed());
                    }
                }
            }
        }
    }
    assert!(named > 100, "{named}");
}

/// Chains are those that one finds by asking everybody about every role: an account is the same
/// whether its trust policies tell whom to ask or not.
#[test]
fn chains_agree_with_asking_everybody() {
    let mut found = 0;
    for seed in 2000..2080 {
        let mut dice = Dice(seed * 7919 + 1);
        let estate = estate(&mut dice);
        let reach = Reach::new(&estate);
        let role = |at: usize| format!("arn:aws:iam::{ACCOUNT}:role/r{at}");
        let edges: Vec<(String, BTreeMap<String, Certainty>)> = (0..2)
            .map(|at| {
                let who = reach.who_can(&Question::new("sts:AssumeRole", &role(at)).unwrap());
                let who = who.into_iter().map(|who| (who.principal.clone(), who.certainty()));
                (role(at), who.filter(|(_, sure)| *sure != Certainty::Undecided).collect())
            })
            .collect();
        for (action, resource) in [
            ("s3:GetObject", RESOURCES[1]),
            ("sqs:SendMessage", RESOURCES[3]),
            ("kms:Decrypt", RESOURCES[5]),
        ] {
            let who = reach.who_can(&Question::new(action, resource).unwrap());
            let direct: BTreeMap<String, Certainty> =
                who.iter().map(|who| (who.principal.clone(), who.certainty())).collect();
            let mut expected: BTreeMap<String, Certainty> = BTreeMap::new();
            for worst in [Certainty::Always, Certainty::OnlyIf] {
                let fits = |sure: &Certainty| *sure <= worst;
                let mut roles: BTreeSet<String> =
                    (0..2).map(role).filter(|role| direct.get(role).is_some_and(fits)).collect();
                let mut chained: BTreeSet<String> = BTreeSet::new();
                for _ in 0..3 {
                    for (to, from) in &edges {
                        if roles.contains(to) {
                            let more = from.iter().filter(|(_, sure)| fits(sure));
                            chained.extend(more.map(|(name, _)| name.clone()));
                        }
                    }
                    let more =
                        chained.iter().filter(|name| edges.iter().any(|(to, _)| to == *name));
                    roles.extend(more.cloned().collect::<Vec<_>>());
                }
                for name in chained {
                    expected.entry(name).or_insert(worst);
                }
            }
            expected.retain(|name, sure| direct.get(name).is_none_or(|held| held > sure));
            let chains = reach.chains(&who);
            let chains: BTreeMap<String, Certainty> =
                chains.into_iter().map(|chain| (chain.principal, chain.certainty)).collect();
            assert_eq!(chains, expected, "seed {seed} {action}");
            found += chains.len();
        }
    }
    assert!(found > 50, "{found}");
}

/// Whom a trust policy lets in by itself: a role by its ARN, with its sessions, and nobody whom an
/// identity policy alone allows to assume it.
#[test]
fn a_trust_policy_tells_whom_to_ask() {
    let assume = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}});
    let read = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}});
    let chains = |trust: Value| {
        let role = |name: &str, principal: &Value, own: &Value| {
            json!({
                "Path": "/", "RoleName": name, "RoleId": format!("AROA{name:0>17}"),
                "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
                "CreateDate": "2020-01-01T00:00:00Z", "InstanceProfileList": [],
                "AttachedManagedPolicies": [], "Tags": [], "RolePolicyList": inline("own", own),
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {
                    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}},
            })
        };
        let user = json!({
            "Path": "/", "UserName": "u0", "UserId": "AIDA00000000000000000",
            "Arn": format!("arn:aws:iam::{ACCOUNT}:user/u0"), "CreateDate": "2020-01-01T00:00:00Z",
            "GroupList": [], "AttachedManagedPolicies": [], "Tags": [],
            "UserPolicyList": inline("own", &assume),
        });
        let nobody = json!({"Service": "ec2.amazonaws.com"});
        let text = json!({"UserDetailList": [user], "GroupDetailList": [], "Policies": [],
            "RoleDetailList": [role("r0", &nobody, &json!({"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})), role("r1", &trust, &read)]});
        let text = text.to_string();
        let files = [ExportFile { name: "export.json", bytes: text.as_bytes() }];
        let found = export::read(&files, Catalog::embedded()).unwrap();
        let mut estate = Estate::new(found.account, found.managed);
        // A policy names a session of the first role.
        let named = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "sqs:*", "Resource": "*",
            "Principal": {"AWS": format!("arn:aws:sts::{ACCOUNT}:assumed-role/r0/s")}}});
        let policy = Document::parse(&named.to_string(), DocumentKind::Resource).unwrap();
        let policy =
            Found { source: Source::new("p", SourceKind::Resource), document: Arc::new(policy) };
        let policy = ResourcePolicy { policy: Ok(policy), owner: None };
        estate.resource_policies = Some(BTreeMap::from([(RESOURCES[3].to_owned(), policy)]));
        let reach = Reach::new(&estate);
        let who = reach.who_can(&Question::new("s3:GetObject", RESOURCES[1]).unwrap());
        let chains = reach.chains(&who).into_iter();
        let own = chains.filter(|chain| chain.principal.contains(ACCOUNT));
        own.map(|chain| chain.principal.rsplit(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let r0 = format!("arn:aws:iam::{ACCOUNT}:role/r0");
    for (trust, expected) in [
        (json!({"Service": "ec2.amazonaws.com"}), vec![]),
        (json!({"AWS": "999900001111"}), vec![]),
        (json!({"AWS": root}), vec!["user/u0"]),
        (json!({"AWS": ACCOUNT}), vec!["user/u0"]),
        (json!({"AWS": r0}), vec!["role/r0", "assumed-role/r0/s"]),
        (json!({"AWS": [root, r0]}), vec!["user/u0", "role/r0", "assumed-role/r0/s"]),
        (json!("*"), vec!["user/u0", "role/r0", "assumed-role/r0/s"]),
    ] {
        assert_eq!(chains(trust.clone()), expected, "{trust}");
    }
}
