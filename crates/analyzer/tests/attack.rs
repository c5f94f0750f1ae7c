//! Attacks on planted accounts: each technique reached where it is planted, blocked where it is not.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod planted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_analyzer::attack::{
    Attempt, Layer, Options, Report, Tactic, Tally, Verdict, run, techniques,
};
use bailiwick_analyzer::escalation::ROWS;
use bailiwick_analyzer::estate::ResourcePolicy;
use bailiwick_model::Found;
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use planted::{ADMIN, Expect, Planted, allow, arn, deny, policy, service_trust, trust, with};
use serde_json::{Value, json};

fn play(world: &Planted, from: &[&str], ids: &[&str]) -> Report {
    let options = Options {
        from: from.iter().map(ToString::to_string).collect(),
        techniques: ids.iter().map(ToString::to_string).collect(),
        now: Some("2026-01-01T00:00:00Z".parse().unwrap()),
    };
    run(&world.estate(), &options)
}

fn one(world: &Planted, from: &str, id: &str) -> Attempt {
    let report = play(world, &[from], &[id]);
    assert_eq!(report.attempts.len(), 1, "{id} {from}");
    report.attempts.into_iter().next().unwrap()
}

/// An account where somebody passes an administrator's role to a machine.
fn machines(boundary: bool, scp: bool) -> (Planted, String) {
    let mut world = Planted::default();
    let role = world.admin_of("machine", "ec2.amazonaws.com");
    let who = world
        .user("eve", &[allow(&["iam:PassRole"], &[&role]), allow(&["ec2:RunInstances"], &["*"])]);
    if boundary {
        let limit = world.managed("limit", &[policy(&[allow(&["ec2:*"], &["*"])])], 1);
        world.bound(&who, &limit);
    }
    if scp {
        let full = policy(&[allow(&["*"], &["*"])]).to_string();
        let guard = policy(&[deny(&["ec2:RunInstances"], &["*"])]).to_string();
        world.scps = vec![vec![full.clone()], vec![full, guard]];
    }
    (world, who)
}

#[test]
fn m119_pass_role_and_run_instances_is_blocked_by_what_blocks_it() {
    let (world, who) = machines(false, false);
    let found = one(&world, &who, "ESC-049");
    assert_eq!(found.verdict, Verdict::Reached, "{found:?}");
    assert!(found.gains.contains("role/machine"), "{}", found.gains);
    let calls: Vec<&str> = found.steps.iter().map(|step| step.ask.action.as_str()).collect();
    assert_eq!(calls.first(), Some(&"iam:PassRole"));
    assert!(calls.contains(&"ec2:RunInstances") && calls.contains(&"sts:AssumeRole"), "{calls:?}");
    for step in &found.steps {
        assert_eq!(step.decision, "allowed");
        assert!(!step.by.is_empty(), "{step:?}");
    }
    let (world, who) = machines(true, false);
    let found = one(&world, &who, "ESC-049");
    assert_eq!(found.verdict, Verdict::Blocked);
    let by = found.blocked.unwrap();
    assert_eq!(by.by, Layer::Boundary, "{by:?}");
    assert!(by.why.contains("policy/limit"), "{by:?}");
    assert_eq!(found.steps.last().unwrap().ask.action, "iam:PassRole");
    let (world, who) = machines(false, true);
    let found = one(&world, &who, "ESC-049");
    let by = found.blocked.unwrap();
    assert_eq!(by.by, Layer::Scp, "{by:?}");
    assert_eq!(found.steps.last().unwrap().ask.action, "ec2:RunInstances");
    let said = by.statement.unwrap();
    assert_eq!((said.policy.as_str(), said.statement, said.level), ("guard", 0, Some(1)));
}

#[test]
fn m119_every_path_is_reached_where_it_is_planted_and_no_decoy_is() {
    let world = Planted::new(1, 500);
    let report = play(&world, &[], &[]);
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut conditional: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for attempt in &report.attempts {
        if !attempt.technique.starts_with("ESC-") {
            continue;
        }
        let list = match attempt.verdict {
            Verdict::Reached => &mut reached,
            Verdict::Conditional => &mut conditional,
            Verdict::Blocked => continue,
        };
        list.entry(&attempt.principal).or_default().insert(&attempt.technique);
    }
    let mut wrong = Vec::new();
    for (who, expect) in &world.truth {
        let sure = reached.get(who.as_str());
        let unsure = conditional.get(who.as_str());
        let fine = match expect {
            Expect::Certain(Some(row)) => {
                sure.is_some_and(|sure| sure.contains(format!("ESC-{row:03}").as_str()))
            }
            Expect::Certain(None) | Expect::Chain(_) => sure.is_some(),
            Expect::Conditional(_) => sure.is_none() && unsure.is_some(),
            Expect::Potential(row) => {
                sure.is_none()
                    && unsure.is_some_and(|set| set.contains(format!("ESC-{row:03}").as_str()))
            }
            Expect::Nothing => sure.is_none() && unsure.is_none(),
        };
        if !fine {
            wrong.push(format!("{who}: {expect:?}: {sure:?} {unsure:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let steps = report.attempts.iter().filter(|a| a.verdict != Verdict::Blocked);
    let steps: Vec<_> = steps.flat_map(|attempt| &attempt.steps).collect();
    assert!(steps.len() > 500 && steps.iter().all(|step| step.decision == "allowed"));
    for attempt in report.attempts.iter().filter(|a| a.verdict == Verdict::Blocked) {
        assert!(attempt.blocked.is_some(), "{attempt:?}");
    }
}

#[test]
fn m119_each_path_is_blocked_for_whom_a_deny_stops() {
    let mut world = Planted::default();
    ground(&mut world);
    let mut services: Vec<&str> = ROWS.iter().flat_map(|row| row.services).copied().collect();
    services.sort_unstable();
    services.dedup();
    for service in services {
        world.admin_of(&format!("admin-of-{service}"), service);
    }
    for row in ROWS {
        let statements = [allow(row.actions, &["*"]), deny(row.actions, &["*"])];
        world.user(&format!("stopped-{}", row.id), &statements);
    }
    let report = play(&world, &[], &[]);
    for row in ROWS {
        let (id, who) = (row.id.to_string(), arn(&format!("user/stopped-{}", row.id)));
        let mut of = report.attempts.iter();
        let found = of.find(|held| held.technique == id && held.principal == who).unwrap();
        assert_eq!(found.verdict, Verdict::Blocked, "{id} {found:?}");
        let by = found.blocked.as_ref().unwrap().by;
        assert!(matches!(by, Layer::ExplicitDeny | Layer::NothingThere), "{id} {by:?}");
    }
}

#[test]
fn m119_decoys_name_what_blocks_them() {
    let world = Planted::new(1, 500);
    let mut decoys: Vec<(String, &str, Layer)> = Vec::new();
    for (who, id, by) in [
        ("boundary-self", "ESC-010", Layer::Boundary),
        ("boundary-key", "ESC-015", Layer::Boundary),
        ("boundary-pass", "ESC-072", Layer::Boundary),
        ("scp-self", "ESC-010", Layer::Scp),
        ("scp-key", "ESC-015", Layer::Scp),
        ("scp-assume", "ESC-026", Layer::Scp),
        ("scp-pass", "ESC-072", Layer::Scp),
        ("deny-self", "ESC-004", Layer::ExplicitDeny),
        ("group-deny-key", "ESC-015", Layer::ExplicitDeny),
        ("trust-closed", "ESC-026", Layer::TrustPolicy),
        ("scope-own-name", "ESC-010", Layer::NoGrant),
        ("never-name", "ESC-010", Layer::Condition),
        ("passed-to-another", "ESC-072", Layer::Condition),
    ] {
        decoys.push((arn(&format!("user/{who}")), id, by));
    }
    let from: Vec<&str> = decoys.iter().map(|(who, ..)| who.as_str()).collect();
    let ids: Vec<&str> = decoys.iter().map(|(_, id, _)| *id).collect();
    let report = play(&world, &from, &ids);
    for (who, id, by) in &decoys {
        let mut of = report.attempts.iter();
        let found = of.find(|held| held.principal == *who && held.technique == *id).unwrap();
        assert_eq!(found.blocked.as_ref().map(|held| held.by), Some(*by), "{who} {id} {found:?}");
        assert!(!found.blocked.as_ref().unwrap().why.is_empty());
    }
}

/// What a principal needs to try a technique that is no path of escalation.
fn ground(world: &mut Planted) {
    let target = world.user("target", &[]);
    world.attach(&target, ADMIN);
    let role = world.role("target", &[trust(&arn("root"))], &[]);
    world.attach(&role, ADMIN);
    world.role("machine", &[service_trust("ec2.amazonaws.com")], &[]);
}

#[test]
fn m119_every_other_technique_is_reached_with_its_actions_and_blocked_without_one() {
    for technique in techniques().iter().filter(|t| t.tactic != Tactic::Escalation) {
        let mut world = Planted::default();
        ground(&mut world);
        let free = world.user("free", &[allow(&technique.actions, &["*"])]);
        let limit = world.managed("limit", &[policy(&[allow(&["health:*"], &["*"])])], 1);
        let bound = world.user("bound", &[allow(&technique.actions, &["*"])]);
        world.bound(&bound, &limit);
        let last = technique.actions.last().copied().unwrap();
        let refused =
            world.user("refused", &[allow(&technique.actions, &["*"]), deny(&[last], &["*"])]);
        let other = world.user("other", &[allow(&["health:DescribeEvents"], &["*"])]);
        let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        let careful = world.user("careful", &[with(allow(&technique.actions, &["*"]), mfa)]);
        let all = [&free, &bound, &refused, &other, &careful];
        let from: Vec<&str> = all.iter().map(|arn| arn.as_str()).collect();
        let report = play(&world, &from, &[&technique.id]);
        let found: BTreeMap<&str, &Attempt> =
            report.attempts.iter().map(|attempt| (attempt.principal.as_str(), attempt)).collect();
        let by = |who: &str| found[who].blocked.as_ref().map(|blocked| blocked.by);
        let id = &technique.id;
        // The policy of a key that is not known may let nobody in.
        let key = technique.services == ["kms"];
        let expected = if key { Verdict::Conditional } else { Verdict::Reached };
        assert_eq!(found[free.as_str()].verdict, expected, "{id} {:?}", found[free.as_str()]);
        assert_eq!(by(&bound), Some(Layer::Boundary), "{id} {:?}", found[bound.as_str()]);
        assert_eq!(by(&refused), Some(Layer::ExplicitDeny), "{id} {:?}", found[refused.as_str()]);
        assert_eq!(by(&other), Some(Layer::NoGrant), "{id} {:?}", found[other.as_str()]);
        assert_eq!(
            found[careful.as_str()].verdict,
            Verdict::Conditional,
            "{id} {:?}",
            found[careful.as_str()]
        );
    }
}

// Whoever is administrator with a second factor is no administrator for certain: what it could then
// do counts, though it is not told again for each technique.
#[test]
fn m119_administrators_under_conditions_are_counted() {
    let mut world = Planted::default();
    ground(&mut world);
    let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    world.user("careful", &[with(allow(&["*"], &["*"]), mfa)]);
    let report = play(&world, &[], &[]);
    let conditional = report.techniques.iter().filter(|tally| tally.conditional > 0).count();
    assert!(conditional > 100, "{conditional}");
    let played = |tally: &Tally| tally.reached + tally.conditional + tally.blocked;
    assert!(report.techniques.iter().all(|tally| played(tally) == report.played_from));
    let who = arn("user/careful");
    let told = |attempt: &Attempt| attempt.principal == who && attempt.verdict != Verdict::Reached;
    assert!(!report.attempts.iter().any(told));
}

/// What a resource policy refuses is refused, until a step has changed the policy.
#[test]
fn m119_changes_of_a_step_hold_for_the_next_and_for_nothing_else() {
    let mut world = Planted::default();
    let who = world.user("eve", &[allow(&["s3:PutBucketPolicy", "s3:GetObject"], &["*"])]);
    let mut estate = world.estate();
    let closed: Value =
        policy(&[json!({"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::payroll/*"})]);
    let document = Document::parse(&closed.to_string(), DocumentKind::Resource).unwrap();
    let source = Source::new("payroll", SourceKind::Resource);
    let found = Found { source, document: Arc::new(document) };
    estate.resource_policies = Some(BTreeMap::from([(
        "arn:aws:s3:::payroll".to_owned(),
        ResourcePolicy { policy: Ok(found), owner: None },
    )]));
    let options = Options {
        from: vec![who],
        techniques: vec!["COL-004".to_owned(), "EXP-005".to_owned()],
        now: None,
    };
    let report = run(&estate, &options);
    let [plain, rewritten] = report.attempts.as_slice() else { panic!("{report:?}") };
    // Another bucket may be there, and is what the technique is played on then.
    assert_eq!(plain.steps.first().unwrap().ask.resource, "arn:aws:s3:::any/any");
    assert_eq!(rewritten.verdict, Verdict::Reached, "{rewritten:?}");
    assert_eq!(rewritten.steps.len(), 2);
    assert_eq!(rewritten.steps.get(1).unwrap().ask.resource, "arn:aws:s3:::payroll/any");
    assert_eq!(run(&estate, &options).attempts, report.attempts, "nothing has changed");
}

#[test]
fn m119_administrators_are_played_only_by_name() {
    let mut world = Planted::default();
    ground(&mut world);
    let report = play(&world, &[], &["EVA-001"]);
    assert_eq!((report.administrators, report.played_from, report.attempts.len()), (2, 1, 0));
    assert_eq!(report.techniques.first().unwrap().blocked, 1);
    let found = one(&world, &arn("user/target"), "EVA-001");
    assert_eq!(found.verdict, Verdict::Reached);
}
