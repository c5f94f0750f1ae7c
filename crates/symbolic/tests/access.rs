//! Access that must not be granted, and the public: each case with its answer.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{Access, Answer, Asker, not_granted, not_public};

fn parse(statements: &str, kind: DocumentKind) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Document::parse(&text, kind).unwrap()
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Holds => "holds",
        Answer::Fails(_) => "fails",
        Answer::Undecided(_) => "undecided",
    }
}

#[test]
fn listed_access_is_granted_or_not() {
    let policy = parse(
        r#"{"Effect": "Allow", "Action": ["s3:Get*", "s3:Put*"], "Resource": "arn:aws:s3:::a/*"},
           {"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"},
           {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
           {"Effect": "Deny", "Action": "ec2:Terminate*", "Resource": "*"}"#,
        DocumentKind::Identity,
    );
    for (actions, resources, expected) in [
        (&["s3:GetObject"][..], &[][..], "fails"),
        (&["s3:GetObject"], &["arn:aws:s3:::b/*"], "holds"),
        (&["s3:GetObject"], &["arn:aws:s3:::b/*", "arn:aws:s3:::*/x"], "fails"),
        (&["s3:DeleteObject", "s3:List*"], &[], "holds"),
        (&["s3:DeleteObject", "s3:*Object"], &[], "fails"),
        (&["iam:CreateUser"], &[], "fails"),
        (&["iam:CreateRole"], &[], "holds"),
        (&["ec2:TerminateInstances"], &[], "holds"),
        (&["ec2:*"], &[], "fails"),
        (&[], &["arn:aws:s3:::b"], "fails"),
        (&[], &["arn:aws:iam::123456789012:role/admin"], "fails"),
        // A dollar sign is text here.
        (&["s3:GetObject"], &["arn:aws:s3:::a/${aws:username}"], "fails"),
    ] {
        let answer = not_granted(&policy, &[Access { actions, resources }]).unwrap();
        assert_eq!(word(&answer), expected, "{actions:?} {resources:?}: {answer:?}");
    }
    let nothing = not_granted(&policy, &[]).unwrap();
    assert!(nothing.holds());
    assert!(not_granted(&policy, &[Access { actions: &["s3"], resources: &[] }]).is_err());
    let asked = Access { actions: &["s3:*", "iam:*"], resources: &[] };
    let found = Asker::default().granting(std::slice::from_ref(&policy), &[asked]).unwrap();
    let places: Vec<usize> = found.iter().map(|finding| finding.statement).collect();
    assert_eq!(places, [0, 2]);
}

#[test]
fn accesses_of_resource_policies() {
    let policy = parse(
        r#"{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sqs:SendMessage",
            "Resource": "*"},
           {"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": "*",
            "Resource": "arn:aws:sqs:*:*:x*"}"#,
        DocumentKind::Resource,
    );
    for (action, resource, expected) in [
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:q", "fails"),
        ("sqs:ReceiveMessage", "*", "holds"),
    ] {
        let access = Access { actions: &[action], resources: &[resource] };
        let answer = not_granted(&policy, &[access]).unwrap();
        assert_eq!(word(&answer), expected, "{action} {resource}: {answer:?}");
    }
}

#[test]
fn the_public_is_let_in_or_not() {
    let allow = |principal: &str, condition: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::notes/*", "Condition": {{{condition}}}}}"#
        )
    };
    let deny =
        |principal: &str, condition: &str| allow(principal, condition).replace("Allow", "Deny");
    let all = r#""*""#;
    for (statements, expected) in [
        (allow(all, ""), "fails"),
        (allow(r#"{"AWS": "*"}"#, ""), "fails"),
        (allow(r#"{"AWS": "123456789012"}"#, ""), "holds"),
        (allow(r#"{"AWS": ["123456789012", "*"]}"#, ""), "fails"),
        (allow(r#"{"AWS": "arn:aws:iam::123456789012:role/r"}"#, ""), "holds"),
        (allow(r#"{"Service": "sns.amazonaws.com"}"#, ""), "holds"),
        (allow(all, r#""StringEquals": {"aws:SourceVpc": "vpc-1"}"#), "holds"),
        (allow(all, r#""StringLike": {"aws:SourceVpc": "vpc-1"}"#), "holds"),
        (allow(all, r#""StringLike": {"aws:SourceVpc": "vpc-*"}"#), "fails"),
        (allow(all, r#""StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}"#), "fails"),
        (allow(all, r#""StringNotEquals": {"aws:SourceVpc": "vpc-1"}"#), "fails"),
        (allow(all, r#""StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}"#), "holds"),
        (allow(all, r#""StringLike": {"aws:PrincipalOrgID": "o-*"}"#), "fails"),
        (
            allow(
                all,
                r#""ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-abcdefghij/r-1/*"}"#,
            ),
            "holds",
        ),
        (
            allow(all, r#""ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-abcdefghij/*"}"#),
            "fails",
        ),
        (
            allow(all, r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}"#),
            "holds",
        ),
        (allow(all, r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}"#), "fails"),
        (
            allow(all, r#""ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:t"}"#),
            "holds",
        ),
        (allow(all, r#""ArnLike": {"aws:SourceArn": "arn:aws:s3:::notes*"}"#), "fails"),
        (
            allow(
                all,
                r#""StringEquals": {"aws:SourceAccount": ["123456789012", "210987654321"]}"#,
            ),
            "holds",
        ),
        (
            allow(
                all,
                r#""StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:123456789012:accesspoint/*"}"#,
            ),
            "holds",
        ),
        (
            allow(
                all,
                r#""StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-west-2:*:accesspoint/*"}"#,
            ),
            "fails",
        ),
        (allow(all, r#""StringEquals": {"aws:userid": "AIDAEXAMPLEEXAMPLE123"}"#), "holds"),
        (allow(all, r#""StringLike": {"aws:userid": "AROAEXAMPLEEXAMPLE123:*"}"#), "fails"),
        (allow(all, r#""IpAddress": {"aws:SourceIp": "192.0.2.0/24"}"#), "holds"),
        (allow(all, r#""IpAddress": {"aws:SourceIp": ["8.0.0.0/8", "2001:db8::/32"]}"#), "holds"),
        (allow(all, r#""IpAddress": {"aws:SourceIp": "0.0.0.0/1"}"#), "fails"),
        (allow(all, r#""IpAddress": {"aws:SourceIp": "8.0.0.0/7"}"#), "fails"),
        (allow(all, r#""IpAddress": {"aws:SourceIp": "2001:d00::/24"}"#), "fails"),
        (allow(all, r#""IpAddress": {"aws:SourceIp": "::ffff:0:0/97"}"#), "fails"),
        (allow(all, r#""NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}"#), "fails"),
        (allow(all, r#""Bool": {"aws:SecureTransport": "true"}"#), "fails"),
        (allow(all, r#""StringEquals": {"aws:SourceVpc": "${aws:PrincipalTag/vpc}"}"#), "fails"),
        // Denials that leave fixed values only.
        (
            format!(
                "{},{}",
                allow(all, ""),
                deny(all, r#""StringNotEquals": {"aws:SourceVpce": "vpce-1"}"#)
            ),
            "holds",
        ),
        (
            format!(
                "{},{}",
                allow(all, ""),
                deny(all, r#""NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}"#)
            ),
            "holds",
        ),
        (
            format!(
                "{},{}",
                allow(all, ""),
                deny(all, r#""StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}"#)
            ),
            "holds",
        ),
        (
            format!(
                "{},{}",
                allow(all, ""),
                deny(all, r#""StringEquals": {"aws:SourceVpce": "vpce-1"}"#)
            ),
            "fails",
        ),
        (format!("{},{}", allow(all, ""), deny(all, "")), "holds"),
        (
            format!(
                "{},{}",
                allow(all, ""),
                deny(
                    r#"{"AWS": "*"}"#,
                    r#""StringNotEquals": {"aws:PrincipalAccount": "123456789012"}"#
                )
            ),
            "holds",
        ),
    ] {
        let answer = not_public(&parse(&statements, DocumentKind::Resource));
        assert_eq!(word(&answer), expected, "{statements}: {answer:?}");
    }
}

#[test]
fn many_narrow_ranges_are_wide() {
    let ranges: Vec<String> = (1..200).map(|first| format!(r#""{first}.0.0.0/8""#)).collect();
    let statement = format!(
        r#"{{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*",
            "Condition": {{"IpAddress": {{"aws:SourceIp": [{}]}}}}}}"#,
        ranges.join(",")
    );
    assert_eq!(word(&not_public(&parse(&statement, DocumentKind::Resource))), "fails");
}

#[test]
fn public_trust() {
    let trust = |principal: &str, condition: &str| {
        parse(
            &format!(
                r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole",
                    "Condition": {{{condition}}}}}"#
            ),
            DocumentKind::Trust,
        )
    };
    for (policy, expected) in [
        (trust(r#"{"AWS": "*"}"#, ""), "fails"),
        (trust(r#"{"AWS": "*"}"#, r#""StringEquals": {"sts:ExternalId": "x"}"#), "fails"),
        (trust(r#"{"AWS": "*"}"#, r#""StringEquals": {"aws:PrincipalOrgID": "o-1"}"#), "holds"),
        (trust(r#"{"AWS": "123456789012"}"#, ""), "holds"),
        (trust(r#"{"Service": "ec2.amazonaws.com"}"#, ""), "holds"),
    ] {
        let answer = not_public(&policy);
        assert_eq!(word(&answer), expected, "{}: {answer:?}", policy.source());
    }
}

#[test]
fn statements_that_let_the_public_in_are_told() {
    let policy = parse(
        r#"{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"},
           {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"},
           {"Effect": "Allow", "Principal": {"CanonicalUser": "abc"}, "Action": "*", "Resource": "*"}"#,
        DocumentKind::Resource,
    );
    let found = Asker::default().letting_public(&policy);
    let told: Vec<(usize, &str)> =
        found.iter().map(|finding| (finding.statement, word(&finding.answer))).collect();
    assert_eq!(told, [(0, "undecided"), (1, "fails"), (2, "undecided")]);
}

#[test]
fn a_caller_that_is_not_modelled_is_never_taken_for_nobody() {
    let statement = r#"{"Effect": "Allow", "Principal": {"CanonicalUser": "abc"}, "Action": "*",
        "Resource": "*"}"#;
    let policy = parse(statement, DocumentKind::Resource);
    let nobody = parse(
        r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#,
        DocumentKind::Resource,
    );
    assert_eq!(word(&bailiwick_symbolic::implies(&nobody, &policy)), "undecided");
}
