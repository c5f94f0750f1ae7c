//! One claim for each part of the language but conditions, with its answer.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

mod claim;

use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{diff, disjoint, empty, equivalent, implies};
use claim::{check, identity, resource, when, word};

fn actions(effect: &str, element: &str, list: &str) -> String {
    format!(r#"{{"Effect": "{effect}", "{element}": [{list}], "Resource": "*"}}"#)
}

#[test]
fn actions_and_their_complements() {
    for (existing, new, expected) in [
        (
            actions("Allow", "Action", r#""s3:*""#),
            actions("Allow", "Action", r#""S3:Get*""#),
            "holds",
        ),
        (
            actions("Allow", "Action", r#""s3:Get*""#),
            actions("Allow", "Action", r#""s3:G*""#),
            "fails",
        ),
        (
            actions("Allow", "Action", r#""s3:G?t*""#),
            actions("Allow", "Action", r#""s3:Get?""#),
            "holds",
        ),
        (
            actions("Allow", "NotAction", r#""iam:*""#),
            actions("Allow", "Action", r#""s3:*""#),
            "holds",
        ),
        (
            actions("Allow", "NotAction", r#""s3:P*""#),
            actions("Allow", "Action", r#""s3:*""#),
            "fails",
        ),
        (
            actions("Allow", "NotAction", r#""iam:*", "s3:*""#),
            actions("Allow", "NotAction", r#""iam:*""#),
            "fails",
        ),
        (
            actions("Allow", "NotAction", r#""iam:*""#),
            actions("Allow", "NotAction", r#""iam:*", "s3:*""#),
            "holds",
        ),
        (actions("Allow", "Action", r#""*""#), actions("Allow", "Action", r#""*:*""#), "holds"),
        // ACT-3
        (
            actions("Allow", "Action", r#""s3:*""#),
            actions("Allow", "Action", r#""s*:Get*""#),
            "holds",
        ),
        (
            actions("Allow", "Action", r#""s3:*Object", "s3:*Bucket""#),
            actions("Allow", "Action", r#""s3:Get*Object", "s3:Put*Bucket""#),
            "holds",
        ),
        // Only together do they cover it.
        (
            format!(
                "{},{}",
                actions("Allow", "Action", r#""s3:Get*""#),
                actions("Allow", "NotAction", r#""s3:Get*""#)
            ),
            actions("Allow", "Action", r#""*""#),
            "holds",
        ),
        (
            actions("Allow", "Action", r#""s3:*""#),
            format!(
                "{},{}",
                actions("Allow", "Action", r#""*""#),
                actions("Deny", "NotAction", r#""s3:Get*""#)
            ),
            "holds",
        ),
        (
            format!(
                "{},{}",
                actions("Allow", "Action", r#""*""#),
                actions("Deny", "Action", r#""s3:GetObject""#)
            ),
            actions("Allow", "Action", r#""s3:Get*""#),
            "fails",
        ),
        (
            format!(
                "{},{}",
                actions("Allow", "Action", r#""*""#),
                actions("Deny", "Action", r#""s3:GetObject""#)
            ),
            actions("Allow", "Action", r#""s3:Put*""#),
            "holds",
        ),
    ] {
        check(&identity(&existing), &identity(&new), expected, &format!("{existing} / {new}"));
    }
}

#[test]
fn resources_and_their_complements() {
    let allow = |element: &str, list: &str| {
        identity(&format!(r#"{{"Effect": "Allow", "Action": "s3:*", "{element}": [{list}]}}"#))
    };
    for (existing, new, expected) in [
        (("Resource", r#""arn:aws:s3:::b/*""#), ("Resource", r#""arn:aws:s3:::b/x/*""#), "holds"),
        (("Resource", r#""arn:aws:s3:::b/*""#), ("Resource", r#""arn:aws:s3:::b*""#), "fails"),
        (("Resource", r#""*""#), ("Resource", r#""arn:aws:s3:::b*""#), "holds"),
        // IN-4: the resource `*` itself.
        (("Resource", r#""arn:*:s3:*:*:*""#), ("Resource", r#""*""#), "fails"),
        // RES-1, RES-5
        (("Resource", r#""arn:aws:sqs""#), ("Resource", r#""arn:aws:sqs:*:*:q""#), "holds"),
        (
            ("Resource", r#""arn:aws:dynamodb:*:table/p-*""#),
            ("Resource", r#""arn:aws:dynamodb:eu-west-1:123456789012:table/p-1""#),
            "holds",
        ),
        (("NotResource", r#""arn:aws:s3:::b/*""#), ("Resource", r#""arn:aws:s3:::c/*""#), "holds"),
        (
            ("NotResource", r#""arn:aws:s3:::b/secret*""#),
            ("Resource", r#""arn:aws:s3:::b/*""#),
            "fails",
        ),
        (
            ("Resource", r#""arn:aws:s3:::b/${aws:username}/*""#),
            ("Resource", r#""arn:aws:s3:::b/${aws:username}/x""#),
            "holds",
        ),
        (
            ("Resource", r#""arn:aws:s3:::b/*""#),
            ("Resource", r#""arn:aws:s3:::b/${aws:username}/x""#),
            "holds",
        ),
        (
            ("Resource", r#""arn:aws:s3:::b/${aws:username}/*""#),
            ("Resource", r#""arn:aws:s3:::b/*""#),
            "fails",
        ),
        (
            ("Resource", r#""arn:aws:s3:::b/${aws:username}/*""#),
            ("Resource", r#""arn:aws:s3:::b/${aws:userid}/*""#),
            "fails",
        ),
        (
            ("NotResource", r#""arn:aws:s3:::b/bob""#),
            ("Resource", r#""arn:aws:s3:::b/${aws:username}""#),
            "undecided",
        ),
        (("Resource", r#""arn:aws:s3:::b/${*}""#), ("Resource", r#""arn:aws:s3:::b/x""#), "fails"),
    ] {
        check(
            &allow(existing.0, existing.1),
            &allow(new.0, new.1),
            expected,
            &format!("{existing:?} / {new:?}"),
        );
    }
}

#[test]
fn denies_and_allows_are_complements() {
    for (condition, complement) in [
        (r#""StringEquals": {"k:k": "a"}"#, r#""StringNotEquals": {"k:k": "a"}"#),
        (r#""StringLike": {"k:k": ["a*", "*b"]}"#, r#""StringNotLike": {"k:k": ["a*", "*b"]}"#),
        (
            r#""IpAddress": {"aws:SourceIp": "10.0.0.0/8"}"#,
            r#""NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}"#,
        ),
        (
            r#""ArnLike": {"aws:SourceArn": "arn:aws:s3:::b*"}"#,
            r#""ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::b*"}"#,
        ),
        (r#""NumericEquals": {"k:n": "1"}"#, r#""NumericNotEquals": {"k:n": "1.0"}"#),
        (r#""DateEquals": {"k:d": "2020"}"#, r#""DateNotEquals": {"k:d": "2020-01-01"}"#),
        (r#""Null": {"k:k": "true"}"#, r#""Null": {"k:k": "false"}"#),
        (
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a", ""]}"#,
        ),
        (
            r#""BoolIfExists": {"aws:SecureTransport": "true"}"#,
            r#""Bool": {"aws:SecureTransport": "false"}"#,
        ),
    ] {
        let positive = identity(&when("Allow", condition));
        let all = when("Allow", "");
        let negative = identity(&format!("{all},{}", when("Deny", complement)));
        let answer = equivalent(&positive, &negative);
        assert!(answer.holds(), "{condition}: {answer:?}");
        let both = identity(&format!("{},{}", when("Allow", condition), when("Deny", condition)));
        assert!(empty(&both).holds(), "{condition}");
        let apart = disjoint(&positive, &identity(&when("Allow", complement)));
        assert!(apart.holds(), "{condition}: {apart:?}");
    }
}

#[test]
fn principals() {
    let allow = |principal: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "s3:*", "Resource": "*"}}"#
        )
    };
    let when = |principal: &str, condition: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "s3:*", "Resource": "*",
            "Condition": {{{condition}}}}}"#
        )
    };
    let user = r#"{"AWS": "arn:aws:iam::111111111111:user/a"}"#;
    let role = r#"{"AWS": "arn:aws:iam::111111111111:role/p/r"}"#;
    let account = r#"{"AWS": "111111111111"}"#;
    let root = r#"{"AWS": "arn:aws:iam::111111111111:root"}"#;
    let service = r#"{"Service": "s3.amazonaws.com"}"#;
    let of_account = r#""StringEquals": {"aws:PrincipalAccount": "111111111111"}"#;
    for (existing, new, expected) in [
        (allow(account), allow(user), "holds"),
        (allow(account), allow(root), "holds"),
        (allow(user), allow(account), "fails"),
        (allow(r#""*""#), allow(service), "holds"),
        // PR-8
        (allow(r#"{"AWS": "*"}"#), allow(service), "fails"),
        (allow(r#"{"AWS": "*"}"#), allow(account), "holds"),
        (allow(user), allow(role), "fails"),
        (allow(role), allow(r#"{"AWS": "arn:aws:sts::111111111111:assumed-role/r/s"}"#), "fails"),
        (allow(account), allow(r#"{"AWS": "222222222222"}"#), "fails"),
        // What follows from the caller.
        (allow(account), when(r#""*""#, of_account), "holds"),
        (when(r#""*""#, of_account), allow(account), "holds"),
        (
            allow(user),
            when(
                r#""*""#,
                r#""ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/a"}"#,
            ),
            "holds",
        ),
        (
            allow(account),
            when(
                r#""*""#,
                r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}"#,
            ),
            "holds",
        ),
        (
            allow(user),
            when(
                r#""*""#,
                r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/*"}"#,
            ),
            "fails",
        ),
        (
            when(r#"{"AWS": "*"}"#, r#""StringEquals": {"aws:PrincipalOrgID": "o-1"}"#),
            when(r#""*""#, r#""StringEquals": {"aws:PrincipalOrgID": "o-1"}"#),
            "holds",
        ),
        (
            // NP-2: a session made by the user is not excepted.
            format!(
                r#"{},{{"Effect": "Deny", "NotPrincipal": {user}, "Action": "*", "Resource": "*"}}"#,
                allow(r#""*""#)
            ),
            allow(user),
            "fails",
        ),
        (
            format!(
                r#"{},{{"Effect": "Deny", "NotPrincipal": {service}, "Action": "*", "Resource": "*"}}"#,
                allow(r#""*""#)
            ),
            allow(service),
            "holds",
        ),
    ] {
        check(&resource(&existing), &resource(&new), expected, &format!("{existing} / {new}"));
    }
}

#[test]
fn old_versions_have_no_variables() {
    let with = |version: &str| {
        let text = format!(
            r#"{{"Version": "{version}", "Statement": {{"Effect": "Allow", "Action": "s3:*",
            "Resource": "arn:aws:s3:::b/${{aws:username}}"}}}}"#
        );
        Document::parse(&text, DocumentKind::Identity).unwrap()
    };
    assert_eq!(word(&implies(&with("2012-10-17"), &with("2008-10-17"))), "fails");
    assert!(implies(&with("2008-10-17"), &with("2008-10-17")).holds());
}

#[test]
fn differences_come_with_examples() {
    let old = identity(&format!(
        "{},{}",
        actions("Allow", "Action", r#""s3:Get*""#),
        actions("Deny", "Action", r#""s3:GetObject""#)
    ));
    let new = identity(&actions("Allow", "Action", r#""s3:GetObject", "s3:PutObject""#));
    let change = diff(&old, &new);
    let gained: Vec<&str> = change.gained.iter().map(|w| w.action.as_str()).collect();
    assert!(gained.contains(&"s3:PutObject") && gained.contains(&"s3:GetObject"), "{change:?}");
    assert_eq!(change.lost.len(), 1, "{change:?}");
    assert!(change.undecided.is_empty());
}

#[test]
fn lists_of_words_between_stars_are_answered() {
    let words = [
        "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india",
        "juliet", "kilo", "lima", "mike", "november",
    ];
    let list = |end: &str| {
        let each = words.iter().map(|word| format!(r#""arn:aws:s3:::*{word}{end}*""#));
        each.collect::<Vec<_>>().join(",")
    };
    let one = |element: &str, list: &str| {
        format!(r#"{{"Effect": "Allow", "Action": "s3:*", "{element}": [{list}]}}"#)
    };
    let each_not: Vec<String> = words
        .iter()
        .map(|word| one("NotResource", &format!(r#""arn:aws:s3:::*{word}*""#)))
        .collect();
    let in_order = format!(r#""arn:aws:s3:::*{}*""#, words.join("*"));
    for (existing, new, expected) in [
        (one("Resource", &list("")), one("Resource", &list("x")), "holds"),
        (one("Resource", &list("x")), one("Resource", &list("")), "fails"),
        (one("NotResource", &list("")), one("NotResource", &list("x")), "fails"),
        (one("NotResource", &list("x")), one("NotResource", &list("")), "holds"),
        // Allowed unless all words are there.
        (each_not.join(","), one("Resource", r#""*""#), "fails"),
        (each_not.join(","), one("NotResource", &in_order), "fails"),
    ] {
        let begun = std::time::Instant::now();
        check(&identity(&existing), &identity(&new), expected, &format!("{existing} / {new}"));
        println!("{:?}", begun.elapsed());
    }
}
