//! The form of findings: names, paths and spans as the API has them.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::{Duration, Instant};

use bailiwick_analyzer::validate::{
    Finding, IssueCode, PolicyType, ResourceType, examine, validate,
};
use proptest::prelude::*;
use serde_json::json;

fn identity(text: &str) -> Vec<Finding> {
    validate(text, PolicyType::Identity, None)
}

#[test]
fn a_finding_reads_as_in_the_api() {
    let text = "{\"Version\":\"2012-10-17\",\n \"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:*\",\"s3:GetObjekt\"],\"Resource\":\"*\"}]}";
    let findings = identity(text);
    let found = findings.iter().find(|f| f.issue_code == IssueCode::InvalidAction).unwrap();
    let value = serde_json::to_value(found).unwrap();
    assert_eq!(
        value,
        json!({
            "findingType": "ERROR",
            "issueCode": "INVALID_ACTION",
            "findingDetails": "The action `s3:GetObjekt` does not exist. Did you mean `s3:GetObject`?",
            "learnMoreLink": "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-error-invalid-action",
            "locations": [{
                "path": [{"value": "Statement"}, {"index": 0}, {"value": "Action"}, {"index": 1}],
                "span": {
                    "start": {"line": 2, "column": 49, "offset": 74},
                    "end": {"line": 2, "column": 63, "offset": 88},
                },
            }],
        })
    );
}

/// A name is a `key`, a part of a text a `substring`.
#[test]
fn keys_and_parts_have_paths() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s33:Get","Resource":"*","Condition":{"Bool":{"aws:Secure":"true"}}}}"#;
    let paths: Vec<_> = identity(text)
        .iter()
        .map(|finding| serde_json::to_value(&finding.locations[0].path).unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            json!([{"value": "Statement"}, {"value": "Action"}, {"substring": {"start": 0, "length": 3}}]),
            json!([{"value": "Statement"}, {"value": "Condition"}, {"value": "Bool"}, {"key": "aws:Secure"}]),
        ]
    );
}

#[test]
fn a_syntax_error_names_its_place() {
    let findings = identity("{\n  \"Version\" \"2012-10-17\"}");
    assert_eq!(findings.len(), 1);
    let start = findings[0].locations[0].span.start;
    assert_eq!((start.line, start.column, start.offset), (2, 12, 14));
    assert!(findings[0].finding_details.contains("at index 14 line 2 column 12"));
}

// threat G01
#[test]
fn tm_g01_large_and_deep_texts_are_refused_at_once() {
    let start = Instant::now();
    for text in ["[".repeat(100 << 20), "{\"a\":".repeat(1 << 18), "\"".repeat(100 << 20)] {
        let findings = identity(&text);
        assert_eq!(findings[0].issue_code, IssueCode::JsonSyntaxError);
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

// threat C16: texts that would be dear without bounds, each up to the longest that is read.
#[test]
fn tm_c16_work_is_bounded() {
    let list_of = |bytes: usize, item: &dyn Fn(usize) -> String| {
        let each = item(0).len() + 8;
        serde_json::to_string(&(0..bytes / each).map(item).collect::<Vec<_>>()).unwrap()
    };
    let list = |item: &str| list_of(900_000, &|n| format!("{item}{n}"));
    let statement = |actions: &str, resources: &str, condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":{actions},"Resource":{resources},"Condition":{condition}}}}}"#
        )
    };
    let one = "\"*\"";
    let stars = "*a".repeat(400_000);
    let pad = |item: &str| format!("{item}{}", "*a".repeat(900));
    let many = |count: usize, condition: &dyn Fn(usize) -> String| {
        format!("{{{}}}", (0..count).map(condition).collect::<Vec<_>>().join(","))
    };
    let keys = many(9_000, &|n| format!(r#""s3:prefix{n}":"a""#));
    let tags = many(9_000, &|n| format!(r#""aws:ResourceTag/t{n}":"a""#));
    let few = list_of(400_000, &|n| format!("s3:GetObject{n}"));
    let statements = |count: usize, actions: &str| {
        let one =
            format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"*","Principal":"*"}}"#);
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, vec![one; count].join(","))
    };
    let mut longest = Duration::ZERO;
    for (name, text) in [
        ("services", statement(&list("q:"), one, "{}")),
        ("patterns of actions", statement(&list("ec2:*a*a*b"), one, "{}")),
        ("long patterns of actions", statement(&list(&pad("ec2:*b*")), one, "{}")),
        ("misspelt actions", statement(&list("ec2:DescribeInstance"), one, "{}")),
        ("resources", statement(one, &list("arn:aws:ec2:*:*:*a*b*c"), "{}")),
        ("long resources", statement(one, &list(&pad("arn:aws:s3:::*b*")), "{}")),
        (
            "long literal resources",
            statement(one, &list(&format!("arn:aws:s3:::{}", "a".repeat(1_900))), "{}"),
        ),
        ("equal resources", statement(one, &list("arn:aws:s3:::*"), "{}")),
        (
            "a long pattern",
            statement(one, one, &format!(r#"{{"StringLike":{{"aws:userid":"{stars}"}}}}"#)),
        ),
        (
            "patterns",
            statement(one, one, &format!(r#"{{"StringLike":{{"aws:userid":{}}}}}"#, list("*"))),
        ),
        ("keys and actions", statement(&few, one, &format!(r#"{{"StringEquals":{keys}}}"#))),
        ("tags and actions", statement(&few, one, &format!(r#"{{"StringEquals":{tags}}}"#))),
        (
            "addresses",
            statement(
                one,
                one,
                &format!(r#"{{"IpAddress":{{"aws:SourceIp":{}}}}}"#, list("10.0.0.0/8")),
            ),
        ),
        ("statements", statements(9_000, one)),
        ("statements with lists", statements(200, &list_of(4_000, &|n| format!("s3:*G*t{n}")))),
        (
            "names",
            format!(
                r#"{{"Version":"2012-10-17",{}}}"#,
                (0..40_000).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",")
            ),
        ),
        ("brackets", "[".repeat(1 << 20)),
    ] {
        assert!(text.len() <= 1 << 20, "{name} {}", text.len());
        for kind in PolicyType::ALL {
            let begun = Instant::now();
            let found = examine(&text, kind, Some(ResourceType::Bucket));
            let elapsed = begun.elapsed();
            assert!(!found.findings.is_empty(), "{name}");
            longest = longest.max(elapsed);
            println!("{name:<24} {kind:?}: {elapsed:?} {}", found.whole);
            // Some tens of milliseconds where the compiler optimizes.
            assert!(elapsed < Duration::from_secs(20), "{elapsed:?} for {name}");
        }
    }
    println!("{longest:?}");
}

/// A seed text, cut and joined with others at any character.
fn mutated() -> impl Strategy<Value = String> {
    let seeds: Vec<String> = include_str!("fixtures/validate.jsonl")
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| line["bad"].as_str().map(str::to_owned))
        .filter(|text| text.len() < 2_000)
        .collect();
    let pieces = prop_oneof![
        Just("${".to_owned()),
        Just("\u{e9}*".to_owned()),
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("\"\"".to_owned()),
        Just("\\ud83d\\ude00".to_owned()),
        Just(":".to_owned()),
        Just("arn:aws:s3:::".to_owned()),
        Just(String::new()),
    ];
    (
        proptest::sample::select(seeds),
        proptest::collection::vec((any::<usize>(), 0..6_usize, pieces), 0..4),
    )
        .prop_map(|(seed, edits)| {
            let mut chars: Vec<char> = seed.chars().collect();
            for (at, cut, piece) in edits {
                let at = at % (chars.len() + 1);
                let end = (at + cut).min(chars.len());
                chars.splice(at..end, piece.chars());
            }
            chars.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No text panics; places lie in the text; the same text gives the same findings.
    #[test]
    fn any_text_is_judged(text in mutated(), kind in 0..4_usize, resource in 0..7_usize) {
        let kind = PolicyType::ALL[kind];
        let resource = ResourceType::ALL.get(resource).copied();
        let findings = validate(&text, kind, resource);
        let length = text.chars().count();
        for finding in &findings {
            prop_assert!(!finding.locations.is_empty());
            for location in &finding.locations {
                prop_assert!(location.span.start <= location.span.end);
                prop_assert!(location.span.end.offset <= length);
            }
        }
        prop_assert_eq!(validate(&text, kind, resource), findings);
    }
}
