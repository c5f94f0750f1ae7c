//! Duties held together, and what is granted beside what is used.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod planted;

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_analyzer::blast::{Reach, Row, Use, Uses, overprivileged};
use bailiwick_analyzer::toxic::{Duty, Pair, Rule, attached, built_in, pairs};
use bailiwick_model::Found;
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use planted::{ADMIN, Planted, allow, arn, deny, policy, trust, with};
use serde_json::json;

fn found(world: &Planted) -> Vec<Pair> {
    pairs(&world.estate(), &built_in(), None).pairs
}

const MAKE: &[&str] = &["iam:CreateUser"];
const STOP: &[&str] = &["cloudtrail:StopLogging"];

#[test]
fn m129_a_pair_is_found_on_effective_rights_and_not_on_one_policy() {
    // In two policies, one of them a group's.
    let mut world = Planted::default();
    let group = world.group("operators", &[allow(STOP, &["*"])]);
    let who = world.user("anybody", &[allow(MAKE, &["*"])]);
    world.join(&who, &group);
    let one = world.user("other", &[allow(MAKE, &["*"])]);
    let all = found(&world);
    let pair = all.iter().find(|pair| pair.rule == "SOD-01").unwrap();
    assert_eq!(pair.principal, who);
    assert_eq!(
        (pair.one.action.as_str(), pair.other.action.as_str()),
        ("iam:CreateUser", "cloudtrail:StopLogging")
    );
    assert!(pair.one.through.is_empty() && pair.one.on.is_empty());
    assert!(!all.iter().any(|pair| pair.principal == one));
    // Taken away by a boundary, by a Deny, by an SCP.
    let limit = world.managed("limit", &[policy(&[allow(&["iam:*"], &["*"])])], 1);
    world.bound(&who, &limit);
    assert_eq!(found(&world), Vec::new());
    let mut world = Planted::default();
    world.user("denied", &[allow(MAKE, &["*"]), allow(STOP, &["*"]), deny(STOP, &["*"])]);
    assert_eq!(found(&world), Vec::new());
    let mut world = Planted::default();
    world.user("limited", &[allow(MAKE, &["*"]), allow(STOP, &["*"])]);
    assert_eq!(found(&world).len(), 1);
    let full = policy(&[allow(&["*"], &["*"])]).to_string();
    world.scps = vec![vec![full, policy(&[deny(STOP, &["*"])]).to_string()]];
    assert_eq!(found(&world), Vec::new());
}

#[test]
fn m129_roles_that_are_assumed_in_turn_count() {
    let mut world = Planted::default();
    let last = arn("role/last");
    let first =
        world.role("first", &[trust(&arn("root"))], &[allow(&["sts:AssumeRole"], &[&last])]);
    world.role("last", &[trust(&first)], &[allow(STOP, &["*"])]);
    let who = world.user("maker", &[allow(MAKE, &["*"]), allow(&["sts:AssumeRole"], &[&first])]);
    let stranger =
        world.user("stranger", &[allow(MAKE, &["*"]), allow(&["sts:AssumeRole"], &[&last])]);
    let all = found(&world);
    let pair = all.iter().find(|pair| pair.principal == who && pair.rule == "SOD-01").unwrap();
    assert_eq!(pair.other.through, [first.clone(), last.clone()]);
    assert!(pair.one.through.is_empty());
    // The last role lets the first one in alone.
    assert!(!all.iter().any(|pair| pair.principal == stranger), "{all:?}");
    assert!(!all.iter().any(|pair| pair.principal == first));
}

#[test]
fn m129_conditions_are_told_and_administrators_are_no_findings() {
    let mut world = Planted::default();
    let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let who = world.user("careful", &[allow(MAKE, &["*"]), with(allow(STOP, &["*"]), mfa)]);
    let admin = world.user("somebody", &[]);
    world.attach(&admin, ADMIN);
    let report = pairs(&world.estate(), &built_in(), None);
    assert_eq!(report.administrators, [admin]);
    let [pair] = report.pairs.as_slice() else { panic!("{report:?}") };
    assert_eq!(pair.principal, who);
    assert!(pair.one.on.is_empty() && pair.other.on.len() == 1, "{pair:?}");
}

#[test]
fn m129_every_built_in_pair_is_found_and_half_of_it_is_not() {
    for rule in built_in() {
        let mut world = Planted::default();
        let side = |duty: &Duty| duty.actions.last().cloned().unwrap();
        let (one, other) = (side(&rule.one), side(&rule.other));
        let both = world.user("both", &[allow(&[&one, &other], &["*"])]);
        world.user("one", &[allow(&[&one], &["*"])]);
        world.user("other", &[allow(&[&other], &["*"])]);
        let all = pairs(&world.estate(), std::slice::from_ref(&rule), None).pairs;
        let who: Vec<&str> = all.iter().map(|pair| pair.principal.as_str()).collect();
        assert_eq!(who, [both.as_str()], "{}", rule.id);
    }
}

#[test]
fn m129_rules_of_ones_own_with_patterns() {
    let duty =
        |name: &str, action: &str| Duty { name: name.to_owned(), actions: vec![action.to_owned()] };
    let rules = [Rule {
        id: "own".to_owned(),
        one: duty("order", "sqs:Send*"),
        other: duty("ship", "sns:Pub?ish"),
        reason: "nobody else would see it".to_owned(),
    }];
    let mut world = Planted::default();
    let who = world.user(
        "a",
        &[allow(&["sqs:*"], &["*"]), allow(&["sns:Publish"], &["arn:aws:sns:eu-west-1:*:shop"])],
    );
    world.user("b", &[allow(&["sqs:ReceiveMessage", "sns:*"], &["*"])]);
    let all = pairs(&world.estate(), &rules, None).pairs;
    let [pair] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((pair.principal.as_str(), pair.rule.as_str()), (who.as_str(), "own"));
    assert!(pair.other.resource.starts_with("arn:aws:sns:eu-west-1:"), "{pair:?}");
}

#[test]
fn m129_an_attachment_is_told_before_it_is_made() {
    let stop = |statements: &[serde_json::Value]| {
        let text = policy(statements).to_string();
        let document = Document::parse(&text, DocumentKind::Identity).unwrap();
        vec![Found {
            source: Source::new("new", SourceKind::UserInline),
            document: Arc::new(document),
        }]
    };
    let mut world = Planted::default();
    let role = world.role("keeper", &[trust(&arn("root"))], &[]);
    let who = world.user("maker", &[allow(MAKE, &["*"]), allow(&["sts:AssumeRole"], &[&role])]);
    let group = world.group("makers", &[]);
    world.join(&who, &group);
    let estate = world.estate();
    let names = |to: &str, statements: &[serde_json::Value]| -> Vec<String> {
        let report = attached(&estate, &built_in(), to, &stop(statements), None).unwrap();
        report.pairs.into_iter().map(|pair| pair.principal).collect()
    };
    // On the user, on its group, on a role that it may assume.
    let limited = [allow(STOP, &["*"])];
    for to in [&who, &group, &role] {
        assert_eq!(names(to, &limited), std::slice::from_ref(&who), "{to}");
    }
    assert_eq!(names(&who, &[allow(&["cloudtrail:LookupEvents"], &["*"])]), Vec::<String>::new());
    assert!(!names(&who, &[allow(&["*"], &["*"])]).is_empty());
    assert!(attached(&estate, &built_in(), &arn("user/nobody"), &stop(&limited), None).is_none());
    assert_eq!(pairs(&estate, &built_in(), None).pairs, Vec::new(), "nothing is attached");
}

fn row<'r>(rows: &'r [Row], who: &str) -> &'r Row {
    rows.iter().find(|row| row.principal == who).unwrap()
}

#[test]
fn m113_granted_beside_used_and_the_blast_radius() {
    let mut world = Planted::default();
    let admin = world.user("plain-name", &[allow(&["*"], &["*"])]);
    let target = world.user("target", &[]);
    let role = world.role("worker", &[trust(&arn("root"))], &[allow(&["sqs:*"], &["*"])]);
    let limit = world.managed("limit", &[policy(&[allow(&["s3:*"], &["*"])])], 1);
    // Its name says more than it may do.
    let bounded = world.user("AdministratorAccess", &[allow(&["*"], &["*"])]);
    world.bound(&bounded, &limit);
    let reader = world.user(
        "reader",
        &[
            allow(&["s3:GetObject", "sqs:ReceiveMessage"], &["*"]),
            allow(&["sts:AssumeRole"], &[&role]),
        ],
    );
    let keys = world.user("keys", &[allow(&["iam:CreateAccessKey"], &[&target])]);
    let estate = world.estate();
    let mut uses = Uses::default();
    let last = Some("2025-12-01T00:00:00Z".parse().unwrap());
    let seen = |services: &[(&str, Option<_>)]| Use {
        services: services.iter().map(|(name, last)| ((*name).to_owned(), *last)).collect(),
        actions: None,
    };
    uses.add(&reader, seen(&[("s3", last), ("sqs", None)]));
    uses.add(&bounded, seen(&[("s3", last), ("iam", None)]));
    let report = overprivileged(&estate, &uses, None);
    let rows = &report.rows;
    assert_eq!(report.uses_known, 2);
    let found = row(rows, &admin);
    assert_eq!((found.radius.reach, found.radius.score), (Reach::Administrator, 100));
    assert_eq!(found.services.len(), report.services);
    assert_eq!(found.used, None);
    assert_eq!(found.radius.principals, report.principals - 1);
    let found = row(rows, &bounded);
    assert_eq!(found.services.keys().copied().collect::<Vec<_>>(), ["s3"]);
    assert_eq!((found.radius.reach, found.ratio), (Reach::Nothing, Some(1.0)));
    assert_eq!(found.radius.principals, 0);
    let found = row(rows, &reader);
    assert_eq!(found.actions, 3);
    assert_eq!(found.levels, BTreeMap::from([("Read", 2), ("Write", 1)]));
    assert_eq!(found.used.as_deref(), Some(&["s3".to_owned()][..]));
    assert!(found.ratio.unwrap() < 0.34);
    assert_eq!(found.radius.roles, 1);
    let found = row(rows, &keys);
    assert_eq!((found.radius.principals, found.radius.roles), (1, 0));
    assert_eq!(rows.first().map(|row| row.principal.as_str()), Some(admin.as_str()));
}
