//! Planted accounts: all that was planted is found, and no decoy is.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod planted;

use std::collections::BTreeMap;

use bailiwick_analyzer::escalation::{
    Dependence, Finding, Goal, Options, PathId, Report, escalations, replay,
};
use bailiwick_analyzer::estate::Estate;
use bailiwick_policy::Decision;
use planted::{ADMIN, Expect, Planted, allow, arn, trust, with};
use serde_json::{Value, json};

fn options() -> Options {
    Options { now: Some("2026-01-01T00:00:00Z".parse().unwrap()), ..Options::default() }
}

/// What is wrong with a finding, if it is not as it was planted.
fn wrong(expect: &Expect, finding: Option<&Finding>) -> Option<String> {
    let told = finding.map(|f| {
        (f.certain, f.ways.iter().map(|w| (&w.paths, w.steps.len(), &w.on)).collect::<Vec<_>>())
    });
    let fine = match (expect, finding) {
        (Expect::Nothing, finding) => finding.is_none(),
        (_, None) => false,
        (Expect::Certain(row), Some(finding)) => {
            let of_row = row.is_none_or(|row| {
                finding.ways.iter().any(|way| way.certain && way.paths.contains(&PathId(row)))
            });
            finding.certain && of_row
        }
        (Expect::Chain(steps), Some(finding)) => {
            finding.certain
                && finding.ways.iter().any(|way| way.certain && way.steps.len() == *steps)
        }
        (Expect::Conditional(key), Some(finding)) => {
            !finding.certain
                && finding
                    .on
                    .iter()
                    .any(|on| matches!(on, Dependence::Key { key: held, .. } if held == key))
        }
        (Expect::Potential(row), Some(finding)) => {
            !finding.certain && finding.ways.iter().any(|way| way.paths == [PathId(*row)])
        }
    };
    (!fine).then(|| format!("{expect:?}: {told:?}"))
}

fn check(world: &Planted, report: &Report) {
    let found: BTreeMap<&str, &Finding> =
        report.findings.iter().map(|finding| (finding.principal.as_str(), finding)).collect();
    let mut all = Vec::new();
    for (who, expect) in &world.truth {
        if let Some(what) = wrong(expect, found.get(who.as_str()).copied()) {
            all.push(format!("{who}: {what}"));
        }
    }
    for (who, finding) in &found {
        if !world.truth.contains_key(*who) {
            all.push(format!("{who}: background: {:?}", finding.ways.first()));
        }
    }
    assert!(all.is_empty(), "{} wrong:\n{}", all.len(), all.join("\n"));
    assert!(!report.cut_short);
}

fn planted_at(seed: u64, principals: usize) -> (Estate, Report) {
    let world = Planted::new(seed, principals);
    let estate = world.estate();
    let report = escalations(&estate, &options());
    check(&world, &report);
    (estate, report)
}

#[test]
fn all_planted_and_no_decoy_at_100() {
    for seed in 0..8 {
        let world = Planted::new(seed, 100);
        assert_eq!(world.users.len() + world.roles.len(), 100, "{seed}");
        assert!(world.truth.len() > 30, "{seed}");
        check(&world, &escalations(&world.estate(), &options()));
    }
}

#[test]
fn all_planted_replay_and_cuts_close() {
    let (estate, report) = planted_at(1, 500);
    replays(&estate, &report);
    cuts_close(&report);
    // The same account gives the same report.
    let again = escalations(&estate, &options());
    assert_eq!(serde_json::to_string(&report).unwrap(), serde_json::to_string(&again).unwrap());
}

#[test]
fn all_planted_and_no_decoy_at_1000() {
    planted_at(2, 1_000);
}

#[test]
#[ignore = "slow without optimization: run it in release"]
fn all_planted_and_no_decoy_at_10000() {
    planted_at(3, 10_000);
}

// One principal may be the goal, whatever it may do itself and however many administrators there are.
#[test]
fn one_principal_is_reached_among_administrators() {
    for administrators in [0, 1, 5] {
        let mut world = Planted::default();
        for number in 0..administrators {
            let name = format!("chief-{number}");
            let role = world.role(&name, &[trust(&arn("root"))], &[]);
            world.attach(&role, ADMIN);
        }
        let reads = allow(&["s3:GetObject"], &["*"]);
        let role = world.role("target", &[trust(&arn("root"))], std::slice::from_ref(&reads));
        let user = world.user("reader", &[reads]);
        let assumes = world.user("assumes", &[allow(&["sts:AssumeRole"], &["*"])]);
        let makes = world.user("makes", &[allow(&["iam:CreateAccessKey"], &["*"])]);
        world.user("stands", &[allow(&["sts:AssumeRole"], &[&arn("role/nobody")])]);
        for (to, from) in [(&role, &assumes), (&user, &makes)] {
            let to = Goal::Principal(to.clone());
            let report = escalations(&world.estate(), &Options { to, ..options() });
            let found: Vec<_> = report.findings.iter().filter(|one| one.certain).collect();
            let own = found.iter().find(|one| one.principal == *from).unwrap();
            assert!(own.ways.iter().any(|way| way.steps.len() == 1), "{administrators} {own:?}");
            assert!(!found.iter().any(|one| one.principal == arn("user/stands")));
            // Each administrator gets there, and who becomes one.
            let chiefs = found.iter().filter(|one| one.principal.contains("chief")).count();
            assert_eq!(chiefs, administrators, "{:?}", report.findings);
        }
    }
}

// A fix that takes the last statement takes the policy; what stays is written with what is left.
#[test]
fn a_fix_writes_no_empty_policy() {
    let world = Planted::new(1, 500);
    let report = escalations(&world.estate(), &options());
    let export = world.export();
    let lists =
        [("UserDetailList", "User"), ("RoleDetailList", "Role"), ("GroupDetailList", "Group")];
    let statements = |document: &Value| document["Statement"].as_array().map_or(1, Vec::len);
    let (mut taken, mut written) = (0, 0);
    for fix in report.findings.iter().filter_map(|finding| finding.fix.as_ref()) {
        let (_, name) = fix.owner.split_once(' ').unwrap();
        let inline = lists.iter().find_map(|(list, kind)| {
            let owners = export[*list].as_array()?;
            let owner = owners.iter().find(|owner| owner[format!("{kind}Name")] == name)?;
            let held = owner[format!("{kind}PolicyList")].as_array()?;
            held.iter()
                .find(|held| held["PolicyName"] == *fix.policy)
                .map(|held| &held["PolicyDocument"])
        });
        let managed = export["Policies"].as_array().unwrap().iter().find_map(|held| {
            (held["Arn"] == *fix.policy).then(|| &held["PolicyVersionList"][0]["Document"])
        });
        let Some(document) = inline.or(managed) else { continue };
        let gone = fix.after.is_empty() && statements(document) == 1;
        let ends = [" delete-", " detach-"].iter().any(|word| fix.command.contains(word));
        assert_eq!(ends, gone, "{fix:?}");
        assert_eq!(fix.command.contains("file://policy.json"), !gone, "{}", fix.command);
        *if gone { &mut taken } else { &mut written } += 1;
    }
    assert!(taken > 10 && written > 10, "{taken} {written}");
}

// Where a list of what could be tried is cut, and nothing certain was found, the report says so.
#[test]
fn what_is_not_tried_is_told() {
    let report = |tags: usize, rest: &[Value]| {
        let mut world = Planted::default();
        let me = planted::arn("user/ann");
        let values: Vec<String> = (0..tags).map(|at| format!("v{at}")).collect();
        let asked = json!({"StringEquals": {"aws:PrincipalTag/grade": values}});
        let mut all =
            vec![allow(&["iam:TagUser"], &[&me]), with(allow(&["iam:PassRole"], &["*"]), asked)];
        all.extend_from_slice(rest);
        world.user("ann", &all);
        escalations(&world.estate(), &options())
    };
    assert!(!report(20, &[]).cut_short);
    assert!(report(90, &[]).cut_short);
    // Who gets there in another way is told anyhow.
    let whole = report(90, &[allow(&["iam:PutUserPolicy"], &[&planted::arn("user/ann")])]);
    assert!(!whole.cut_short);
    assert_eq!(whole.findings.len(), 1);
    // Policies that may be attached, more than are tried.
    for (policies, cut) in [(20, false), (60, true)] {
        let mut world = Planted::default();
        let me = planted::arn("user/ann");
        for at in 0..policies {
            let passes = planted::policy(&[allow(&["iam:PassRole"], &["*"])]);
            world.managed(&format!("open-{at}"), &[passes], 1);
        }
        let only = json!({"ArnLike": {"iam:PolicyARN": planted::arn("policy/open-*")}});
        world.user("ann", &[with(allow(&["iam:AttachUserPolicy"], &[&me]), only)]);
        assert_eq!(escalations(&world.estate(), &options()).cut_short, cut, "{policies}");
    }
}

/// Every request of every way is allowed when it is decided anew.
fn replays(estate: &Estate, report: &Report) {
    let mut requests = 0;
    for way in report.findings.iter().flat_map(|finding| &finding.ways) {
        for replayed in replay(estate, way) {
            let allowed = replayed.decision.as_ref().is_some_and(Decision::is_allowed);
            assert!(allowed, "{:?} {:?}", replayed.ask, replayed.decision);
            requests += 1;
        }
    }
    assert!(requests > 500, "{requests}");
}

fn cuts_close(report: &Report) {
    let ways = report.findings.iter().map(|finding| finding.ways.len()).sum::<usize>();
    assert_eq!(report.cuts.iter().map(|cut| cut.closes).sum::<usize>(), ways);
    let closing: Vec<_> = report.cuts.iter().map(|cut| &report.edges[cut.edge]).collect();
    for way in report.findings.iter().flat_map(|finding| &finding.ways) {
        let closed = way.steps.iter().any(|step| {
            closing
                .iter()
                .any(|edge| edge.from == step.at && edge.to == step.to && edge.paths == step.paths)
        });
        assert!(closed);
    }
}
