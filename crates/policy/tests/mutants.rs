//! What mutation testing found untested: contexts, sets and explanations through their public face.
//!
//! The vectors of `corpus/decisions` come with whole contexts and never change one; a host does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::sync::Arc;

use bailiwick_identifiers::Partition;
use bailiwick_policy::{
    Applicable, Attached, Case, ConditionReport, Context, Document, DocumentKind, Documents, Miss,
    Outcome, Policies, PolicySet, Principal, Request, Source, SourceKind, Verdict, decide, explain,
    keys, record,
};
use bailiwick_reference::generate::{Profile, generate};
use serde_json::{Value, json};

fn document(statement: &Value) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    Document::parse(&text, DocumentKind::Identity).unwrap()
}

fn statement(effect: &str, condition: &Value) -> Value {
    json!({"Effect": effect, "Action": "a:B", "Resource": "*", "Condition": condition})
}

fn user() -> Principal {
    Principal::from_arn("arn:aws:iam::123456789012:user/alice").unwrap()
}

fn ask<'a>(principal: &'a Principal, context: &'a Context) -> Request<'a> {
    Request {
        principal,
        action: "a:B",
        resource: "*",
        resource_account: None,
        context,
        delegated: false,
    }
}

/// The verdict of one statement with this effect and condition.
fn verdict(effect: &str, condition: &Value, context: &Context) -> Verdict {
    let (document, principal) = (document(&statement(effect, condition)), user());
    let source = Source::new("p", SourceKind::UserInline);
    let applicable = Applicable::identity([Attached { source: &source, document: &document }]);
    decide(&ask(&principal, context), &applicable).verdict
}

fn held<'a>(context: &'a Context, key: &str) -> Vec<&'a str> {
    context.values(key).collect()
}

#[test]
fn a_context_holds_what_was_put_last() {
    let mut context = Context::with_capacity(2).set("a:One", "1").set_list("a:Two", ["1", "2"]);
    assert_eq!(held(&context, "A:ONE"), ["1"]);
    assert_eq!(held(&context, "a:two"), ["1", "2"]);
    context.put("A:two", "3");
    context.put_list("a:one", ["4", "5", "6"]);
    assert_eq!(held(&context, "a:Two"), ["3"]);
    assert_eq!(held(&context, "a:One"), ["4", "5", "6"]);
    assert_eq!(context.iter().count(), 2);
    let mut all: Vec<_> = context.iter().collect();
    all.sort_unstable();
    assert_eq!(all, [("a:one", vec!["4", "5", "6"]), ("a:two", vec!["3"])]);
    context.remove("a:one");
    assert!(!context.contains("a:One"));
    assert!(context.contains("a:Two"));
    assert_eq!(held(&context, "a:two"), ["3"]);
    context.clear();
    assert_eq!(context.iter().count(), 0);
    assert!(!context.contains("a:Two"));
    assert_eq!(held(&context.set("a:Two", "7"), "a:two"), ["7"]);
}

// CO-3: an empty list is an absent key, and takes away what was there.
#[test]
fn co_3_an_empty_list_is_an_absent_key() {
    let context = Context::new().set("a:k", "1").set_list("a:k", []);
    assert!(!context.contains("a:k"));
    assert!(context.iter().all(|(_, values)| values.is_empty()));
    let null = json!({"Null": {"a:k": "true"}});
    assert_eq!(verdict("Allow", &null, &context), Verdict::Allow);
}

// KEY-9: the host's keys stay, those of others may be replaced, and global ones are the host's.
#[test]
fn key_9_what_others_offer_never_replaces_what_the_host_set() {
    let mut context = Context::new().set("s3:prefix", "host").set_list("s3:l", ["host", "two"]);
    context.put_multivalued("s3:m", ["host"]);
    for key in ["S3:Prefix", "s3:L", "s3:m"] {
        assert_eq!(context.offer(key, ["other"]), Ok(false), "{key}");
        assert_eq!(context.values(key).next(), Some("host"), "{key}");
    }
    assert_eq!(context.offer("s3:delimiter", ["one"]), Ok(true));
    assert_eq!(held(&context, "s3:delimiter"), ["one"]);
    assert_eq!(context.offer("s3:Delimiter", ["two", "three"]), Ok(true));
    assert_eq!(held(&context, "s3:delimiter"), ["two", "three"]);
    for key in ["aws:username", "AWS:x", "aws:"] {
        assert!(context.offer(key, ["other"]).is_err(), "{key}");
        assert!(!context.contains(key), "{key}");
    }
    for key in ["aws", "awsx:y", "aw:s", "a", "\u{e9}\u{e9}:k"] {
        assert_eq!(context.offer(key, ["other"]), Ok(true), "{key}");
        assert_eq!(held(&context, key), ["other"], "{key}");
    }
}

// VAR-6, CO-9: a key that is declared multivalued is no variable, even with one value.
#[test]
fn key_8_a_declared_key_with_one_value_is_multivalued() {
    let like = json!({"StringLike": {"a:k": "${a:v}"}});
    let asked = |context: Context| verdict("Allow", &like, &context.set("a:k", "x"));
    assert_eq!(asked(Context::new().set("a:v", "x")), Verdict::Allow);
    assert_eq!(asked(Context::new().set_list("a:v", ["x"])), Verdict::Allow);
    assert_eq!(asked(Context::new().set_multivalued("a:v", ["x"])), Verdict::ImplicitDeny);
    assert_eq!(held(&Context::new().set_multivalued("a:v", ["x"]), "a:v"), ["x"]);
    assert_eq!(asked(Context::new().set_list("a:v", ["x", "y"])), Verdict::ImplicitDeny);
    let known = Context::new().set(keys::TAG_KEYS, "x");
    let like = json!({"StringLike": {"a:k": "${aws:TagKeys}"}});
    assert_eq!(verdict("Allow", &like, &known.set("a:k", "x")), Verdict::ImplicitDeny);
    let several = Context::new().set_multivalued("a:v", ["x", "y", "z"]);
    assert_eq!(held(&several, "a:v"), ["x", "y", "z"]);
}

/// Keys and their values.
type Keys<'a> = &'a [(&'a str, &'a [&'a str])];

// Section 12: the keys that follow from the caller.
#[test]
fn a_caller_brings_its_keys() {
    let account = "123456789012".parse().unwrap();
    let arn = |arn: &str| Principal::from_arn(arn).unwrap();
    let root = Principal::Root { partition: Partition::Aws, account };
    let session = Principal::Session {
        role_arn: "arn:aws:iam::123456789012:role/p/Dev".into(),
        role_id: "AROAAAAAAAAAAAAAAAAAA".parse().unwrap(),
        role_name: "Dev".into(),
        session_name: "s".into(),
        account,
        session_arn: "arn:aws:sts::123456789012:assumed-role/Dev/s".into(),
    };
    let names: Arc<[Arc<str>]> = ["a.amazonaws.com".into(), "b.amazonaws.com".into()].into();
    let federated = arn("arn:aws:sts::123456789012:federated-user/bob");
    let table: [(Principal, Keys<'_>); 6] = [
        (
            root,
            &[
                ("aws:PrincipalArn", &["arn:aws:iam::123456789012:root"]),
                ("aws:PrincipalAccount", &["123456789012"]),
                ("aws:PrincipalType", &["Account"]),
                ("aws:userid", &["123456789012"]),
                ("aws:PrincipalIsAWSService", &["false"]),
            ],
        ),
        (
            user(),
            &[
                ("aws:PrincipalArn", &["arn:aws:iam::123456789012:user/alice"]),
                ("aws:PrincipalAccount", &["123456789012"]),
                ("aws:PrincipalType", &["User"]),
                ("aws:username", &["alice"]),
                ("aws:PrincipalIsAWSService", &["false"]),
            ],
        ),
        (
            session,
            &[
                ("aws:PrincipalArn", &["arn:aws:iam::123456789012:role/p/Dev"]),
                ("aws:PrincipalType", &["AssumedRole"]),
                ("aws:userid", &["AROAAAAAAAAAAAAAAAAAA:s"]),
                ("aws:username", &[]),
            ],
        ),
        (
            federated,
            &[
                ("aws:PrincipalArn", &["arn:aws:sts::123456789012:federated-user/bob"]),
                ("aws:PrincipalType", &["FederatedUser"]),
                ("aws:userid", &["123456789012:bob"]),
            ],
        ),
        (
            Principal::Service { names },
            &[
                ("aws:PrincipalServiceName", &["a.amazonaws.com"]),
                ("aws:PrincipalServiceNamesList", &["a.amazonaws.com", "b.amazonaws.com"]),
                ("aws:PrincipalIsAWSService", &["true"]),
                ("aws:PrincipalAccount", &[]),
            ],
        ),
        (
            Principal::Anonymous,
            &[
                ("aws:PrincipalType", &["Anonymous"]),
                ("aws:userid", &["anonymous"]),
                ("aws:PrincipalArn", &[]),
            ],
        ),
    ];
    for (principal, expected) in table {
        let mut context = Context::new();
        context.put_principal(&principal);
        for (key, values) in expected {
            assert_eq!(held(&context, key), *values, "{key} of {}", principal.describe());
        }
    }
    let context = Context::new().set(keys::SOURCE_IP, "192.0.2.1");
    assert_eq!(held(&context, "AWS:sourceip"), ["192.0.2.1"]);
}

#[test]
fn a_set_counts_and_keeps_its_policies() {
    let policies: Vec<_> = (0..3)
        .map(|number| {
            let name = number.to_string();
            (Source::new(&*name, SourceKind::UserInline), document(&json!([])))
        })
        .collect();
    let set = PolicySet::new(policies);
    assert_eq!((set.len(), set.is_empty()), (3, false));
    let names: Vec<_> = set.iter().map(|policy| policy.source.id.to_string()).collect();
    assert_eq!(names, ["0", "1", "2"]);
    let none = PolicySet::new([]);
    assert_eq!((none.len(), none.is_empty()), (0, true));
}

// EV-12. A set of eight statements and more is indexed, a list of short documents is not.
#[test]
fn ev_12_a_set_decides_as_a_list_does() {
    let policies = |seed: u64, number: u64| -> Vec<Value> {
        let case = generate(seed, number, Profile::Whole).case;
        case["identityPolicies"].as_array().cloned().unwrap_or_default()
    };
    let mut documents = Documents::default();
    let mut verdicts = BTreeSet::new();
    for number in 0..600 {
        let mut case = generate(7, number, Profile::Whole).case;
        let more = (number + 1..number + 16).flat_map(|number| policies(7, number));
        let all: Vec<Value> = policies(7, number).into_iter().chain(more).collect();
        case["identityPolicies"] = Value::Array(all);
        let case = Case::from_value(&case, &mut documents).unwrap();
        let listed = case.applicable();
        let held = listed.identity.iter();
        let set = PolicySet::new(held.map(|held| (held.source.clone(), held.document.clone())));
        let applicable = Applicable {
            identity: Policies::Compiled(&set),
            boundary: listed.boundary,
            session: case.applicable().session,
            resource: listed.resource,
            grants: listed.grants,
            scps: case.applicable().scps,
            rcps: case.applicable().rcps,
            endpoints: case.applicable().endpoints,
            unreadable: listed.unreadable,
        };
        let decision = decide(&case.request(), &applicable);
        assert_eq!(decision, decide(&case.request(), &case.applicable()), "{number}");
        verdicts.insert(decision.verdict.as_str());
    }
    assert_eq!(verdicts.len(), 3);
}

/// How many statements of a thousand are asked, where each allows these actions on these resources.
fn asked(action: &dyn Fn(u32) -> String, resource: &dyn Fn(u32) -> Vec<String>) -> usize {
    let statements: Vec<Value> = (0..1_000)
        .map(|n| json!({"Effect": "Allow", "Action": action(n), "Resource": resource(n)}))
        .collect();
    let (document, principal, context) = (document(&json!(statements)), user(), Context::new());
    let source = Source::new("p", SourceKind::UserInline);
    let set = PolicySet::new([(source.clone(), document.clone())]);
    let request = Request {
        action: "a:Action-500",
        resource: "arn:aws:a:r-500:123456789012:x/n-500/y-500/z",
        ..ask(&principal, &context)
    };
    let counted = [
        Applicable::identity([Attached { source: &source, document: &document }]),
        Applicable { identity: Policies::Compiled(&set), ..Applicable::default() },
    ]
    .map(|applicable| {
        let explanation = record(&request, &applicable);
        assert_eq!(explanation.decision, decide(&request, &applicable));
        assert!(explanation.decision.is_allowed());
        let policies = explanation.layers.iter().flat_map(|layer| &layer.policies);
        policies.map(|policy| policy.statements.len()).sum::<usize>()
    });
    assert_eq!(counted[0], counted[1]);
    counted[0]
}

// What an index is for: few statements are asked, whatever tells them apart. Those that speak of
// other actions are not counted here, so all speak of the one.
#[test]
fn an_index_finds_the_statements_that_could_match() {
    let all = |_: u32| "a:Action-500".to_owned();
    let some =
        |n: u32| if n.is_multiple_of(100) { "a:Action-500".to_owned() } else { format!("a:A{n}") };
    let service = |_: u32| "a:*".to_owned();
    let any = |_: u32| "*".to_owned();
    let last = |n: u32| vec![format!("arn:aws:a:*:*:x/n-{n}/*")];
    let middle = |n: u32| vec![format!("arn:aws:a:*:*:x/*/y-{n}/*")];
    let region = |n: u32| vec![format!("arn:aws:a:r-{n}:123456789012:x/*")];
    let exact = |n: u32| vec![format!("arn:aws:a:r-500:123456789012:x/n-{n}/y-500/z")];
    let two = |n: u32| vec![format!("arn:aws:b:::c-{n}"), format!("arn:aws:a:*:*:*/n-{n}/*")];
    for resource in [&last as &dyn Fn(u32) -> Vec<String>, &middle, &region, &exact, &two] {
        for action in [&all as &dyn Fn(u32) -> String, &service, &any] {
            assert_eq!(asked(action, resource), 1);
        }
        assert!(asked(&some, resource) <= 10);
    }
    let everything = |n: u32| vec![format!("arn:aws:a:r-{}:123456789012:x/*", n % 501)];
    assert_eq!(asked(&all, &everything), 1);
}

// SIM-6: variables of every kind of value are keys that a document uses.
#[test]
fn sim_6_a_document_uses_the_keys_of_its_variables() {
    let document = document(&json!({
        "Effect": "Allow", "Action": "*", "Resource": "arn:aws:a:::${x:resource}/${X:Resource}",
        "Condition": {
            "StringEquals": {"k:equals": "${x:equals}"},
            "StringEqualsIgnoreCase": {"k:folded": "${x:folded}"},
            "Bool": {"k:bool": "${x:bool}"},
            "StringLike": {"k:like": ["a", "${x:like}*"]},
            "ArnLike": {
                "k:arn": ["arn:aws:iam::${x:account}:role/${x:role}", "${x:whole}"],
            },
            "NumericEquals": {"k:number": "${x:none}"},
        },
    }));
    let mut found = document.uses_keys();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "k:arn",
            "k:bool",
            "k:equals",
            "k:folded",
            "k:like",
            "k:number",
            "x:account",
            "x:bool",
            "x:equals",
            "x:folded",
            "x:like",
            "x:resource",
            "x:role",
            "x:whole"
        ]
    );
}

/// The condition that a statement fails, or that is unclear.
fn failed(effect: &str, condition: &Value, context: &Context) -> ConditionReport {
    let (document, principal) = (document(&statement(effect, condition)), user());
    let source = Source::new("p", SourceKind::UserInline);
    let applicable = Applicable::identity([Attached { source: &source, document: &document }]);
    let explanation = explain(&ask(&principal, context), &applicable);
    let statements = explanation.layers.iter().flat_map(|layer| &layer.policies);
    let mut outcomes = statements.flat_map(|policy| &policy.statements).map(|s| &s.outcome);
    match outcomes.next() {
        Some(Outcome::Missed(Miss::Condition(report)) | Outcome::Unclear { condition: report }) => {
            report.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_explanation_tells_what_a_condition_compared() {
    let context = Context::new().set("a:k", "no").set("a:v", "yes*");
    let some = |texts: &[&str]| -> Option<Vec<Option<String>>> {
        Some(texts.iter().map(|text| Some((*text).to_owned())).collect())
    };
    for (operator, values, resolved) in [
        ("StringEquals", json!(["${a:v}", "x"]), some(&["yes*", "x"])),
        ("StringEqualsIgnoreCase", json!("${a:v}"), some(&["yes*"])),
        ("StringLike", json!(["a?${a:v}b*"]), some(&["a?yes*b*"])),
        ("StringEquals", json!("${a:absent}"), Some(vec![None])),
        ("Bool", json!("true"), some(&["true"])),
        (
            "ArnLike",
            json!(["*", "arn:aws:iam::${a:v}:x", "${a:v}"]),
            some(&["*", "arn:aws:iam::yes*:x", "yes*"]),
        ),
        ("NumericEquals", json!("1"), None),
    ] {
        let report = failed("Allow", &json!({operator: {"A:K": values}}), &context);
        assert_eq!(report.resolved, resolved, "{operator} {values}");
        assert_eq!(report.found, Some(vec!["no".to_owned()]), "{operator}");
        assert_eq!((&*report.operator, &*report.key), (operator, "A:K"));
        assert!(!report.unknown_operator, "{operator}");
    }
    let unknown = json!({"NoSuchOperator": {"a:none": "x"}});
    for effect in ["Allow", "Deny"] {
        let report = failed(effect, &unknown, &context);
        assert!(report.unknown_operator, "{effect}");
        assert_eq!(report.found, None);
    }
}

// OP-D2 to OP-D4: the calendar, month by month.
#[test]
fn op_d2_days_that_are_and_days_that_are_not() {
    let equal = |policy: &str, value: &str| {
        let context = Context::new().set("a:d", value);
        verdict("Allow", &json!({"DateEquals": {"a:d": policy}}), &context) == Verdict::Allow
    };
    let days: [(&str, i64); 29] = [
        ("1970-01-31", 2_592_000),
        ("2023-02-28", 1_677_542_400),
        ("2024-02-29", 1_709_164_800),
        ("2000-02-29", 951_782_400),
        ("2400-02-29", 13_574_563_200),
        ("2026-03-31", 1_774_915_200),
        ("2026-04-30", 1_777_507_200),
        ("2026-05-31", 1_780_185_600),
        ("2026-06-30", 1_782_777_600),
        ("2026-07-31", 1_785_456_000),
        ("2026-08-31", 1_788_134_400),
        ("2026-09-30", 1_790_726_400),
        ("2026-10-31", 1_793_404_800),
        ("2026-11-30", 1_795_996_800),
        ("2026-12-31", 1_798_675_200),
        ("1969-12-31", -86_400),
        ("0001-01-01", -62_135_596_800),
        ("0000-03-01", -62_162_035_200),
        ("0000-01-01", -62_167_219_200),
        ("9999-12-31", 253_402_214_400),
        ("2100-03-01", 4_107_542_400),
        ("2000-03-01", 951_868_800),
        ("2026-01-01T23:59:59Z", 1_767_311_999),
        ("2026-01-01T23:59Z", 1_767_311_940),
        ("2026-01-01T00:00:00+23:59", 1_767_139_260),
        ("2026-01-01T00:00:00-23:59", 1_767_311_940),
        ("+1767225600", 1_767_225_600),
        ("-86400", -86_400),
        ("01970", 1_970),
    ];
    for (text, seconds) in days {
        // A plus sign, for four digits are a year.
        assert!(equal(&format!("{seconds:+}"), text), "{text} is {seconds}");
        assert!(!equal(&format!("{:+}", seconds + 1), text), "{text} is {seconds}");
    }
    for text in [
        "2023-02-29",
        "2024-02-30",
        "1900-02-29",
        "2100-02-29",
        "2026-01-32",
        "2026-03-32",
        "2026-04-31",
        "2026-05-32",
        "2026-06-31",
        "2026-07-32",
        "2026-08-32",
        "2026-09-31",
        "2026-10-32",
        "2026-11-31",
        "2026-12-32",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00ZZ",
        "2026-01-01T00:00:00+01:00Z",
        "2026-01-01T00:00:00x",
        "2026-01-01T00:00:00.Z",
        "2026-01-01 00:00:00Z",
        "2026-1-01",
        "2026-01-01T00Z",
        "",
        "+",
        "-",
        "202",
    ] {
        assert!(!equal(text, text), "{text} is no instant"); // CO-12
    }
    let (nine, more) = ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.1234567891Z");
    assert!(equal(nine, more));
    assert!(!equal(nine, "2026-01-01T00:00:00.12345678Z"));
    assert!(equal("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500Z"));
}

// OP-D5: what is taken at write, though evaluation may make nothing of it.
#[test]
fn op_d5_loose_dates_are_taken_at_write() {
    let taken = |text: &str| {
        let text = json!({
            "Version": "2012-10-17",
            "Statement": statement("Allow", &json!({"DateEquals": {"a:d": text}})),
        });
        Document::parse_strict(&text.to_string(), DocumentKind::Identity).is_ok()
    };
    for text in [
        "2026",
        "2026-01-01t00:00:00z",
        "2026-01-01T1:00:00Z",
        "2026-01-01T24:59:60Z",
        "2026-01-01T00:00:00+23",
        "2026-01-01T00:00:00+23:59",
        "2026-01-01T00:00:00.123Z",
        "-2026-01-01",
        "2026-1-1",
        "2026-12-31",
        "12026-01-01",
        "0",
        "9223372036854775807",
    ] {
        assert!(taken(text), "{text}");
    }
    for text in [
        "",
        "x",
        "x2026",
        "202-01-01",
        "2026-13",
        "2026-0-1",
        "2026-01-0",
        "2026-01-32",
        "2026-001-01",
        "2026-x-01",
        "2026-01-01-01",
        "2026-01-01T",
        "2026-01-01T25",
        "2026-01-01T00:60",
        "2026-01-01T00:00:61",
        "2026-01-01T00:00:00:00",
        "2026-01-01T00:00:00.xZ",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+60",
        "2026-01-01T00:00:00+x",
        "9223372036854775808",
    ] {
        assert!(!taken(text), "{text}");
    }
}

// OP-Y1: bytes have one text each; others parse on neither side (CO-12).
#[test]
fn op_y1_canonical_base64_equals_itself() {
    for (text, canonical) in [
        ("AAA=", true),
        ("AAE=", true),
        ("AAc=", true),
        ("AA4=", true),
        ("AA8=", true),
        ("A+A=", true),
        ("AAB=", false),
        ("AAa=", false),
        ("AA1=", false),
        ("AA/=", false),
        ("AA+=", false),
        ("AA==", true),
        ("Ag==", true),
        ("Aw==", true),
        ("AB==", false),
        ("Ah==", false),
        ("A1==", false),
        ("A/==", false),
        ("AAAA", true),
        ("zZ09", true),
        ("+/+/", true),
        ("AAA", false),
        ("AA-A", false),
        ("A===", false),
    ] {
        let context = Context::new().set("a:b", text);
        let equal = verdict("Allow", &json!({"BinaryEquals": {"a:b": text}}), &context);
        assert_eq!(equal == Verdict::Allow, canonical, "{text}");
    }
}

// OP-A2, VAR-8: a variable in the last field of an ARN may bring colons, elsewhere it may not.
#[test]
fn op_a2_a_variable_with_colons_fits_the_last_field() {
    for (pattern, value, matches) in [
        ("arn:aws:s3:::${a:v}", "arn:aws:s3:::b:c", true),
        ("arn:aws:s3:::x/${a:v}/y", "arn:aws:s3:::x/b:c/y", true),
        ("arn:aws:s3:::x:${a:v}:?", "arn:aws:s3:::x:b:c:y", true),
        ("arn:aws:s3::${a:v}:d", "arn:aws:s3::b:c:d", false),
        ("arn:aws:s3:${a:v}:1:d", "arn:aws:s3:b:c:1:d", false),
        ("arn:${a:v}::::d", "arn:b:c:::d", false),
        ("arn:aws:iam::${a:w}:d*", "arn:aws:iam::1:d:e", true),
    ] {
        let context = Context::new().set("a:v", "b:c").set("a:w", "1").set("a:arn", value);
        let found = verdict("Allow", &json!({"ArnLike": {"a:arn": pattern}}), &context);
        assert_eq!(found == Verdict::Allow, matches, "{pattern} {value}");
    }
}

// SES-5: who asks the engine and forgets that a federated user needs session policies grants nothing.
#[test]
fn ses_5_a_federated_user_without_session_policies_is_not_unlimited() {
    let bob = Principal::from_arn("arn:aws:sts::123456789012:federated-user/bob").unwrap();
    let document = document(&json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    let source = Source::new("p", SourceKind::UserInline);
    let held = Attached { source: &source, document: &document };
    let context = Context::new();
    let request = Request {
        principal: &bob,
        action: "a:Get",
        resource: "*",
        resource_account: None,
        context: &context,
        delegated: false,
    };
    let mut applicable = Applicable::identity([held]);
    assert_eq!(decide(&request, &applicable).verdict, Verdict::ImplicitDeny);
    applicable.session = Some([held].into_iter().collect());
    assert_eq!(decide(&request, &applicable).verdict, Verdict::Allow);
}
