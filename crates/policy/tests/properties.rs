//! Properties of the parser and the engine, over random policies and requests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Principal, Request, Source, SourceKind,
    Verdict, decide, explain,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const KINDS: [DocumentKind; 7] = [
    DocumentKind::Identity,
    DocumentKind::Trust,
    DocumentKind::Resource,
    DocumentKind::Boundary,
    DocumentKind::Session,
    DocumentKind::ServiceControl,
    DocumentKind::ResourceControl,
];

fn user(name: &str) -> Principal {
    Principal::User {
        arn: format!("arn:aws:iam::123456789012:user/{name}").into(),
        id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
        name: name.into(),
    }
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = prop::sample::subsequence(
        vec!["a:x", "A:Y", "b:x", "a:*", "*", "*:x", "a:?", "b:*", "c:x"],
        1..4,
    );
    let resources = prop::sample::subsequence(
        vec![
            "*",
            "arn:aws:a:::x",
            "arn:aws:a:::*",
            "arn:aws:b:::x/${aws:username}",
            "arn:aws:a:*",
            "arn:aws:*:::x",
            "x",
        ],
        1..4,
    );
    let condition = prop::sample::select(vec![
        json!({}),
        json!({"StringEquals": {"aws:username": "alice"}}),
        json!({"StringNotLike": {"aws:username": ["b*", "c?"]}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["t"]}}),
        json!({"Null": {"aws:SourceIp": "true"}}),
        json!({"NoSuchOperator": {"a:a": "b"}}),
    ]);
    (any::<bool>(), any::<bool>(), actions, any::<bool>(), resources, condition).prop_map(
        |(deny, not_action, actions, not_resource, resources, condition)| {
            json!({
                "Effect": if deny { "Deny" } else { "Allow" },
                if not_action { "NotAction" } else { "Action" }: actions,
                if not_resource { "NotResource" } else { "Resource" }: resources,
                "Condition": condition,
            })
        },
    )
}

fn document(statements: &[Value]) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Document::parse(&text, DocumentKind::Identity).unwrap()
}

fn asked(document: &Document, action: &str, resource: &str, context: &Context) -> Verdict {
    let source = Source::new("p", SourceKind::UserInline);
    let principal = user("alice");
    let request = Request {
        principal: &principal,
        action,
        resource,
        resource_account: None,
        context,
        delegated: false,
    };
    let applicable = Applicable::identity([Attached { source: &source, document }]);
    let decision = decide(&request, &applicable);
    let explanation = explain(&request, &applicable);
    assert_eq!(explanation.decision.verdict, decision.verdict, "{explanation}");
    decision.verdict
}

fn request() -> impl Strategy<Value = (&'static str, &'static str, Context)> {
    let actions = vec!["a:x", "a:y", "B:X", "c:xx", "c:x"];
    let resources = vec!["*", "arn:aws:a:::x", "arn:aws:b:::x/alice", "arn:aws:a:r:123456789012:y"];
    let contexts = vec![
        Context::new(),
        Context::new().set("aws:username", "alice").set("aws:SecureTransport", "true"),
        Context::new().set("aws:username", "bob").set("aws:SourceIp", "::1"),
        Context::new().set_list("aws:TagKeys", ["t", "u"]),
    ];
    (prop::sample::select(actions), prop::sample::select(resources), prop::sample::select(contexts))
}

/// Matching, written down for the small alphabet above.
fn naive_glob(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            naive_glob(&pattern[1..], text) || (!text.is_empty() && naive_glob(pattern, &text[1..]))
        }
        (Some('?'), Some(_)) => naive_glob(&pattern[1..], &text[1..]),
        (Some(p), Some(t)) => p == t && naive_glob(&pattern[1..], &text[1..]),
        _ => false,
    }
}

fn naive_match(statement: &Value, action: &str, resource: &str, context: &Context) -> bool {
    let deny = statement["Effect"] == "Deny";
    let texts = |name: &str| -> Option<Vec<String>> {
        let list = statement[name].as_array()?;
        Some(list.iter().map(|text| text.as_str().unwrap().to_owned()).collect())
    };
    let listed_action = |list: Vec<String>, irregular: bool| {
        list.iter().any(|entry| {
            let entry = entry.to_lowercase();
            let usable = irregular || entry == "*" || !entry.starts_with('*');
            usable && naive_glob(&entry, &action.to_lowercase())
        })
    };
    let listed_resource = |list: Vec<String>, irregular: bool| {
        list.iter().any(|entry| match entry.as_str() {
            "*" => true,
            "x" => false,
            "arn:aws:*:::x" => irregular && naive_glob(entry, resource),
            "arn:aws:b:::x/${aws:username}" => {
                let name = context.values("aws:username").next();
                name.is_some_and(|name| resource == format!("arn:aws:b:::x/{name}"))
            }
            entry => naive_glob(entry, resource),
        })
    };
    let action_fits = match texts("Action") {
        Some(list) => listed_action(list, deny),
        None => !listed_action(texts("NotAction").unwrap(), !deny),
    };
    let resource_fits = match texts("Resource") {
        Some(list) => listed_resource(list, deny),
        None => !listed_resource(texts("NotResource").unwrap(), !deny),
    };
    let value = |key: &str| context.values(key).next();
    let condition = statement["Condition"].as_object().unwrap();
    let condition_fits = match condition.keys().next().map(String::as_str) {
        None => true,
        Some("StringEquals") => value("aws:username") == Some("alice"),
        Some("StringNotLike") => {
            value("aws:username").is_none_or(|name| !name.starts_with('b') && name.len() != 2)
        }
        Some("Bool") => value("aws:SecureTransport") == Some("true"),
        Some("ForAllValues:StringEquals") => context.values("aws:TagKeys").all(|tag| tag == "t"),
        Some("Null") => value("aws:SourceIp").is_none(),
        Some(_) => deny,
    };
    action_fits && resource_fits && condition_fits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn tm_c15_the_parser_never_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        for kind in KINDS {
            let _ = Document::parse(&text, kind);
            let _ = Document::parse_strict(&text, kind);
        }
    }

    #[test]
    fn tm_c15_mutated_policies_never_panic(
        statements in prop::collection::vec(statement(), 1..4),
        at in any::<prop::sample::Index>(),
        junk in r#"[\[\]{}":,\\a*$\u{0}-\u{ff}]{0,6}"#,
        cut in 0usize..10,
    ) {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let start = at.index(text.len());
        let end = (start + cut).min(text.len());
        let text = format!("{}{junk}{}", &text[..start], &text[end..]);
        for kind in KINDS {
            if let Ok(document) = Document::parse(&text, kind) {
                let _ = asked(&document, "a:x", "arn:aws:a:::x", &Context::new());
            }
            if let Err(error) = Document::parse_strict(&text, kind) {
                prop_assert!(error.line >= 1 && error.column >= 1);
                prop_assert!(!error.aws_message().is_empty() && !error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn adding_a_deny_never_grants(
        statements in prop::collection::vec(statement(), 0..6),
        mut extra in statement(),
        (action, resource, context) in request(),
    ) {
        extra["Effect"] = "Deny".into();
        let before = asked(&document(&statements), action, resource, &context);
        let mut more = statements;
        more.push(extra);
        let after = asked(&document(&more), action, resource, &context);
        prop_assert!(after != Verdict::Allow || before == Verdict::Allow);
    }

    // EV-12. Eight statements and more are indexed, fewer are not.
    #[test]
    fn order_never_matters(
        statements in prop::collection::vec(statement(), 1..14),
        (action, resource, context) in request(),
    ) {
        let forward = asked(&document(&statements), action, resource, &context);
        let mut reversed = statements.clone();
        reversed.reverse();
        prop_assert_eq!(forward, asked(&document(&reversed), action, resource, &context));
        let doubled: Vec<Value> = statements.iter().chain(&statements).cloned().collect();
        prop_assert_eq!(forward, asked(&document(&doubled), action, resource, &context));
    }

    // An independent evaluator agrees, negated elements and indexed documents included.
    #[test]
    fn tm_c09_agrees_with_an_independent_evaluator(
        statements in prop::collection::vec(statement(), 0..12),
        (action, resource, context) in request(),
    ) {
        let matching: Vec<&Value> = statements
            .iter()
            .filter(|statement| naive_match(statement, action, resource, &context))
            .collect();
        let effect = |effect: &str| matching.iter().any(|s| s["Effect"] == effect);
        let unknown_allows = |s: &&Value| s["Condition"].get("NoSuchOperator").is_some();
        let expected = if effect("Deny") {
            Verdict::ExplicitDeny
        } else if matching.iter().any(|s| s["Effect"] == "Allow" && !unknown_allows(s)) {
            Verdict::Allow
        } else {
            Verdict::ImplicitDeny
        };
        prop_assert_eq!(asked(&document(&statements), action, resource, &context), expected);
    }
}

// threat C07: look-alike letters never stand for those of an action, a resource or a name.
#[test]
fn tm_c07_look_alikes_do_not_match() {
    let statement =
        json!({"Effect": "Allow", "Action": "iam:LinkUser", "Resource": "arn:aws:a:::k\u{e9}"});
    let document = document(&[statement]);
    let context = Context::new();
    for (action, resource, expected) in [
        ("iam:LinkUser", "arn:aws:a:::k\u{e9}", Verdict::Allow),
        ("IAM:linkuser", "arn:aws:a:::k\u{e9}", Verdict::Allow),
        ("iam:Lin\u{212a}User", "arn:aws:a:::k\u{e9}", Verdict::ImplicitDeny),
        ("iam:L\u{131}nkUser", "arn:aws:a:::k\u{e9}", Verdict::ImplicitDeny),
        ("iam:LinkU\u{17f}er", "arn:aws:a:::k\u{e9}", Verdict::ImplicitDeny),
        ("iam:LinkUser", "arn:aws:a:::ke\u{301}", Verdict::ImplicitDeny),
        ("iam:LinkUser", "arn:aws:a:::K\u{e9}", Verdict::ImplicitDeny),
    ] {
        assert_eq!(asked(&document, action, resource, &context), expected, "{action} {resource}");
    }
}

// threat C16: a whole decision over the worst patterns that fit the largest policies. It ends
// within the test's patience even unoptimized; backtracking would not.
#[test]
fn tm_c16_worst_policies_end() {
    let resource = format!("arn:aws:a:::{}", "a".repeat(2_000));
    let worst = [
        format!("arn:aws:a:::{}*b*", "*a".repeat(1_000)),
        format!("arn:aws:a:::*{}b*", "a?".repeat(1_000)),
        format!("arn:aws:a:::{}*?b*", "*a?".repeat(680)),
        format!("arn:aws:a:r{}x:1:b", "*a".repeat(1_000)),
        format!("arn:aws:a:::{}b*", "?*".repeat(1_000)),
    ];
    let statements: Vec<Value> = worst
        .iter()
        .flat_map(|pattern| {
            let action = format!("a:*{}b*", "a?".repeat(500));
            [
                json!({"Effect": "Deny", "Action": "*", "Resource": pattern}),
                json!({"Effect": "Allow", "Action": "*", "Resource": pattern}),
                json!({"Effect": "Deny", "Action": action, "Resource": "*"}),
                json!({"Effect": "Deny", "Action": "*", "Resource": "*",
                       "Condition": {"StringLike": {"a:key": pattern}}}),
            ]
        })
        .collect();
    let document = document(&statements);
    let context = Context::new().set("a:key", &resource);
    for _ in 0..20 {
        let action = format!("a:{}", "a".repeat(2_000));
        assert_eq!(asked(&document, &action, &resource, &context), Verdict::ImplicitDeny);
    }
}
