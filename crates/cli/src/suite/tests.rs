//! Suites from text to report.

use std::path::{Path, PathBuf};

use bailiwick_policy::Documents;

use super::*;

const READ: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
  "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/*"}]}"#;

const HEAD: &str = "policies:\n  read: read.json\nprincipals:\n  alice:\n    \
                    arn: arn:aws:iam::123456789012:user/alice\n    policies: read\n";

/// A folder with a suite and the policy `read.json`.
fn suite(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("read.json"), READ).unwrap();
    let path = folder.path().join("suite.yaml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn run(text: &str) -> Run {
    let (_folder, path) = suite(text);
    Run::of(read::suite(&path).unwrap(), &mut Documents::default()).unwrap()
}

fn fault(text: &str) -> String {
    let (_folder, path) = suite(text);
    match read::suite(&path) {
        Ok(_) => panic!("{text}"),
        Err(error) => error.to_string(),
    }
}

// Mission row M91, first half: allow and deny expectations.
#[test]
fn m91_expectations_are_met_or_not() {
    for (expect, resource, passed) in [
        ("allow", "arn:aws:s3:::b/k", true),
        ("deny", "arn:aws:s3:::b/k", false),
        ("implicit", "arn:aws:s3:::b/k", false),
        ("explicit", "arn:aws:s3:::b/k", false),
        ("allow", "arn:aws:s3:::c/k", false),
        ("deny", "arn:aws:s3:::c/k", true),
        ("implicit", "arn:aws:s3:::c/k", true),
        ("explicit", "arn:aws:s3:::c/k", false),
    ] {
        let text = format!(
            "{HEAD}tests:\n  - {{principal: alice, action: 's3:GetObject', resource: '{resource}', expect: {expect}}}\n"
        );
        let run = run(&text);
        assert_eq!((run.count(), run.failures() == 0), (1, passed), "{expect} {resource}");
    }
}

#[test]
fn a_reason_is_part_of_the_expectation() {
    for (reason, passed) in [("identity", true), ("boundary", false)] {
        let text = format!(
            "{HEAD}tests:\n  - {{principal: alice, action: 's3:PutObject', expect: deny, reason: {reason}}}\n"
        );
        assert_eq!(run(&text).failures() == 0, passed, "{reason}");
    }
}

#[test]
fn lists_multiply() {
    let text = format!(
        "{HEAD}  bob: {{arn: 'arn:aws:iam::123456789012:user/bob'}}\ntests:\n  - principal: [alice, \
         bob]\n    action: [s3:GetObject, s3:PutObject, s3:ListBucket]\n    resource: ['*', \
         'arn:aws:s3:::x']\n    contexts: [{{}}, {{aws:SourceIp: 10.0.0.1}}]\n    expect: implicit\n"
    );
    let run = run(&text);
    assert_eq!((run.count(), run.failures()), (24, 0));
    assert!(run.suite.tests[0].expectations[23].title().contains("(context 2)"));
}

#[test]
fn faults_have_places_and_advice() {
    let test = "{principal: alice, action: 's3:GetObject', expect: allow}";
    for (text, expected) in [
        ("tests: []".to_owned(), "suite.yaml:1:8: a suite needs `tests` or `checks`"),
        ("test: []".to_owned(), "suite.yaml:1:1: a suite has no field `test`"),
        ("test: []".to_owned(), "did you mean `tests`?"),
        ("- 1".to_owned(), "suite.yaml:1:1: a suite must be a mapping, not a list"),
        (format!("{HEAD}tests:\n  - {test}\n  - {{principal: alise, action: 'a:b', expect: deny}}\n"), "suite.yaml:9:17: there is no principal `alise`"),
        (format!("{HEAD}tests:\n  - {{principal: alise, action: 'a:b', expect: deny}}\n"), "did you mean `alice`?"),
        (format!("{HEAD}tests:\n  - {{principal: alice, expect: deny}}\n"), "suite.yaml:8:5: a test needs `action`"),
        (format!("{HEAD}tests:\n  - {{principal: alice, action: 's3:Get*', expect: deny}}\n"), "without wildcards"),
        (format!("{HEAD}tests:\n  - {{principal: alice, action: 'a:b', expect: allowed}}\n"), "did you mean `allow`?"),
        (format!("{HEAD}tests:\n  - {{principal: alice, action: 'a:b', resource: b/k, expect: deny}}\n"), "neither an ARN nor `*`"),
        (format!("{HEAD}tests:\n  - {{principal: alice, action: 'a:b', expect: deny, reason: bondary}}\n"), "did you mean `boundary`?"),
        (format!("{HEAD}tests:\n  - {{principal: alice, action: 'a:b', expect: deny, expect: allow}}\n"), "`expect` stands twice"),
        (format!("{HEAD}tests:\n  - {{principal: alice, action: 'a:b', context: {{a: 1, A: 2}}, expect: deny}}\n"), "`A` stands twice"),
        ("principals: {a: {arn: alice}}\ntests: []".to_owned(), "suite.yaml:1:23: `principal` must be"),
        ("principals: {a: {arn: 'arn:aws:iam::1:user/a'}}\ntests: []".to_owned(), "suite.yaml:1:23: `principal` must be"),
        ("principals:\n  a:\n    arn: arn:aws:iam::123456789012:user/a\n    policies: [raed]\npolicies: {read: read.json}\ntests: []".to_owned(), "suite.yaml:4:16: there is no policy `raed`"),
        ("policies: {read: nowhere.json}\ntests: []".to_owned(), "suite.yaml:1:18: "),
        ("principals:\n  a:\n    arn: arn:aws:iam::123456789012:user/a\n    attach: read.json\ntests: []".to_owned(), "suite.yaml:4:13: `attach` changes"),
        ("defaults: {resourceAccount: 12}\ntests: []".to_owned(), "suite.yaml:1:29: an account id has twelve digits"),
    ] {
        let found = fault(&text);
        assert!(found.contains(expected), "{text}\n{expected}\n{found}");
    }
}

// What stands in the suite is told by its place in the suite.
#[test]
fn faults_of_inline_policies_have_places_in_the_suite() {
    for (policy, expected) in [
        (
            "\n      Version: 2012-10-17\n      Statement:\n        - Efect: Allow\n          Action: '*'\n",
            "suite.yaml:7:1",
        ),
        (
            " |\n      {\"Version\": \"2012-10-17\",\n       \"Statement\": {\"Efect\": 1}}\n",
            "suite.yaml:6:22: unknown element `Efect`",
        ),
    ] {
        let text = format!(
            "principals:\n  a:\n    arn: arn:aws:iam::123456789012:user/a\n    policies:{policy}tests: []\n"
        );
        let found = fault(&text);
        assert!(found.contains(expected) && found.contains("did you mean `Effect`?"), "{found}");
    }
}

#[test]
fn tm_g01_no_more_than_a_hundred_thousand_expectations() {
    let many: Vec<String> = (0..1000).map(|at| format!("'s3:X{at}'")).collect();
    let actions = many.join(", ");
    let resources = actions.replace("s3:X", "arn:aws:s3:::b/");
    let text = format!(
        "{HEAD}tests:\n  - principal: alice\n    action: [{actions}]\n    resource: [{resources}]\n    expect: deny\n"
    );
    assert!(fault(&text).contains("suite.yaml:8:5: a suite has at most 100000 expectations"));
}

#[test]
fn reports_tell_the_same_story() {
    let text = format!(
        "name: a<b>&\u{1b}[1m\n{HEAD}tests:\n  - {{name: '\"q\"', principal: alice, action: \
         ['s3:GetObject', 's3:PutObject'], resource: 'arn:aws:s3:::b/k', expect: allow}}\n"
    );
    let runs = [run(&text.replace("\u{1b}[1m", "\u{9b}"))];
    let mut table = Vec::new();
    report::table(&mut table, &runs).unwrap();
    let table = String::from_utf8(table).unwrap();
    for part in [
        "a<b>&\\u{9b}",
        "FAILED  \"q\" (1 of 2)",
        "suite.yaml:9: expected allow, got implicitDeny",
        "2 expectations: 1 as expected, 1 not",
    ] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    let mut junit = Vec::new();
    report::junit(&mut junit, &runs).unwrap();
    let junit = String::from_utf8(junit).unwrap();
    for part in [
        "<testsuite name=\"a&lt;b&gt;&amp;\\u{9b}\" tests=\"2\" failures=\"1\"",
        "<testcase classname=\"&quot;q&quot;\" name=\"alice s3:GetObject arn:aws:s3:::b/k\"",
        "<failure message=\"expected allow, got implicitDeny\" type=\"decision\">",
    ] {
        assert!(junit.contains(part), "{part}\n{junit}");
    }
    let json = report::json(&runs);
    assert_eq!((&json["expectations"], &json["failures"]), (&2.into(), &1.into()));
    assert_eq!(json["suites"][0]["tests"][0]["results"][1]["decision"], "implicitDeny");
    let sarif = report::sarif(&runs);
    let result = &sarif["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&9.into(), &5.into()));
}

// The examples that the documentation shows.
#[test]
fn the_sample_suites_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/suite");
    for name in ["team.yaml", "account.yaml", "quickstart.yaml"] {
        let suite = read::suite(&folder.join(name)).unwrap();
        let run = Run::of(suite, &mut Documents::default()).unwrap();
        assert_eq!(run.failures(), 0, "{name}");
    }
}

const CHECKS: &str = "policies:\n  read: read.json\nchecks:\n";

// Mission row M91, second half: checks, whose answers are expected.
#[test]
fn m91_checks_are_met_or_not() {
    let wide =
        r"{Version: '2012-10-17', Statement: {Effect: Allow, Action: 's3:*', Resource: '*'}}";
    let public = r"{Version: '2012-10-17', Statement: {Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*'}}";
    for (body, met) in [
        (format!("no-new-access: {{existing: {wide}, new: read}}"), true),
        (format!("no-new-access: {{existing: read, new: {wide}}}"), false),
        (format!("no-new-access: {{existing: read, new: {wide}}}\n    expect: fail"), true),
        (format!("no-new-access: {{existing: {wide}, new: read}}\n    expect: fail"), false),
        ("access-not-granted: {policy: read, actions: 's3:PutObject'}".to_owned(), true),
        (
            "access-not-granted: {policy: read, actions: ['s3:PutObject', 's3:Get*']}".to_owned(),
            false,
        ),
        ("access-not-granted: {policy: read, resources: ['arn:aws:s3:::c/*']}".to_owned(), true),
        ("access-not-granted: {policy: read, resources: ['arn:aws:s3:::b/k']}".to_owned(), false),
        (
            format!("no-public-access: {{policy: {public}, resource-type: 'AWS::S3::Bucket'}}"),
            false,
        ),
        (
            format!(
                "no-public-access: {{policy: {public}, resource-type: 'AWS::S3::Bucket'}}\n    expect: fail"
            ),
            true,
        ),
    ] {
        let run = run(&format!("{CHECKS}  - {body}\n"));
        assert_eq!((run.count(), run.failures() == 0), (1, met), "{body}");
        let check = &run.suite.checks[0];
        // A check that fails has an example and a statement, with its place.
        if !check.checked.passed {
            assert!(check.why.iter().any(|line| line.starts_with("for example: ")), "{body}");
            assert!(check.why.iter().any(|line| line.contains(':')), "{:?}", check.why);
        }
    }
}

#[test]
fn checks_stand_among_tests_and_in_every_report() {
    let text = format!(
        "{HEAD}tests:\n  - {{principal: alice, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', expect: allow}}\n  \
         - {{name: <never>, access-not-granted: {{policy: read, actions: 's3:GetObject'}}}}\n"
    );
    let runs = [run(&text)];
    assert_eq!((runs[0].count(), runs[0].failures()), (2, 1));
    let mut out = Vec::new();
    report::table(&mut out, &runs).unwrap();
    let table = String::from_utf8(out).unwrap();
    assert!(table.contains("FAILED  <never> (access-not-granted)"), "{table}");
    assert!(table.contains("read.json:1:41: "), "{table}");
    assert!(table.contains("2 expectations: 1 as expected, 1 not"), "{table}");
    let mut out = Vec::new();
    report::junit(&mut out, &runs).unwrap();
    let junit = String::from_utf8(out).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"1\""), "{junit}");
    assert!(junit.contains("classname=\"&lt;never&gt;\""), "{junit}");
    let sarif = report::sarif(&runs);
    let results = &sarif["runs"][0]["results"];
    assert_eq!(results.as_array().unwrap().len(), 1);
    assert_eq!(results[0]["ruleId"], "access-not-granted");
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 9);
    let told = report::json(&runs);
    assert_eq!(told["suites"][0]["checks"][0]["result"], "fail");
    assert!(!told["suites"][0]["checks"][0]["witness"].is_null());
}

#[test]
fn faults_of_checks_have_places() {
    for (body, expected) in [
        ("no-new-access: {existing: read}", "suite.yaml:4:20: this check needs `new`"),
        ("no-new-access: {existing: read, new: reed}", "there is no policy `reed`"),
        ("no-new-access: {existing: read, new: read, tpe: x}", "has no field `tpe`"),
        ("no-new-access: {existing: read, new: read, type: role}", "neither `identity` nor"),
        ("access-not-granted: {policy: read}", "suite.yaml:4:25: `access` has neither"),
        ("no-public-access: {policy: read, resource-type: Bucket}", "no resource type"),
        ("name: x", "a check is one of"),
        ("no-new-acess: {}", "has no field `no-new-acess`"),
        (
            "no-new-access: {existing: read, new: read}\n    no-public-access: {}",
            "an entry is one check",
        ),
        ("no-new-access: {existing: read, new: read}\n    expect: allow", "neither `pass` nor"),
        (
            "no-new-access: {existing: read, new: {Version: '2012-10-17',\n      Statement: [{Efect: Allow}]}}",
            "suite.yaml:5:",
        ),
    ] {
        let told = fault(&format!("{CHECKS}  - {body}\n"));
        assert!(told.contains(expected), "{body}: {told}");
    }
    assert!(fault("name: nothing\n").contains("needs `tests` or `checks`"));
}
