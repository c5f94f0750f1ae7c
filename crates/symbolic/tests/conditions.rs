//! One claim for each kind of condition, with its answer.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

mod claim;

use claim::{check, identity, when};

#[test]
fn conditions_one_by_one() {
    for (existing, new, expected) in [
        (r#""StringEquals": {"k:k": ["a", "b"]}"#, r#""StringEquals": {"K:k": "a"}"#, "holds"),
        (r#""StringEquals": {"k:k": ["a"]}"#, r#""StringEquals": {"k:k": ["a", "b"]}"#, "fails"),
        (r#""StringLike": {"k:k": "a*"}"#, r#""StringEquals": {"k:k": ["ab", "a"]}"#, "holds"),
        (r#""StringEquals": {"k:k": "a*"}"#, r#""StringLike": {"k:k": "a*"}"#, "fails"),
        (r#""StringEqualsIgnoreCase": {"k:k": "Ab"}"#, r#""StringEquals": {"k:k": "aB"}"#, "holds"),
        (
            r#""StringEquals": {"k:k": ["ab", "AB", "aB", "Ab"]}"#,
            r#""StringEqualsIgnoreCase": {"k:k": "Ab"}"#,
            "holds",
        ),
        (
            r#""StringEquals": {"k:k": ["ab", "AB", "aB"]}"#,
            r#""StringEqualsIgnoreCase": {"k:k": "Ab"}"#,
            "fails",
        ),
        // CO-3: absent
        (r#""StringNotEquals": {"k:k": "a"}"#, r#""StringEquals": {"k:k": "b"}"#, "holds"),
        (r#""StringNotEquals": {"k:k": "a"}"#, r#""Null": {"k:k": "true"}"#, "holds"),
        (r#""Null": {"k:k": "false"}"#, r#""StringNotEquals": {"k:k": "a"}"#, "fails"),
        (r#""Null": {"k:k": "false"}"#, r#""StringLike": {"k:k": "*"}"#, "holds"),
        (r#""StringLike": {"k:k": "*"}"#, r#""Null": {"k:k": "false"}"#, "holds"),
        (r#""StringEqualsIfExists": {"k:k": "a"}"#, r#""StringEquals": {"k:k": "a"}"#, "holds"),
        (r#""StringEquals": {"k:k": "a"}"#, r#""StringEqualsIfExists": {"k:k": "a"}"#, "fails"),
        (
            r#""StringEqualsIfExists": {"k:k": "a"}"#,
            r#""StringEquals": {"k:k": "a"}, "Null": {"k:k": "true"}"#,
            "holds",
        ),
        // numbers
        (
            r#""NumericLessThan": {"k:n": "10"}"#,
            r#""NumericLessThanEquals": {"k:n": "9.99"}"#,
            "holds",
        ),
        (
            r#""NumericLessThan": {"k:n": "10"}"#,
            r#""NumericLessThanEquals": {"k:n": "10.0"}"#,
            "fails",
        ),
        (r#""NumericNotEquals": {"k:n": "10"}"#, r#""NumericGreaterThan": {"k:n": "10"}"#, "holds"),
        (
            r#""NumericLessThanEquals": {"s3:max-keys": "10"}"#,
            r#""NumericEquals": {"s3:max-keys": ["1", "10.0"]}"#,
            "holds",
        ),
        // dates
        (
            r#""DateGreaterThan": {"aws:CurrentTime": "2020"}"#,
            r#""DateGreaterThan": {"aws:CurrentTime": "2020-01-02T00:00:00Z"}"#,
            "holds",
        ),
        (
            r#""DateGreaterThan": {"aws:CurrentTime": "2020"}"#,
            r#""DateGreaterThanEquals": {"aws:CurrentTime": "1577836800"}"#,
            "fails",
        ),
        // addresses
        (
            r#""IpAddress": {"aws:SourceIp": "10.0.0.0/8"}"#,
            r#""IpAddress": {"aws:SourceIp": ["10.1.0.0/16", "10.2.3.4"]}"#,
            "holds",
        ),
        (
            r#""IpAddress": {"aws:SourceIp": ["10.0.0.0/9", "10.128.0.0/9"]}"#,
            r#""IpAddress": {"aws:SourceIp": "10.0.0.0/8"}"#,
            "holds",
        ),
        (
            r#""IpAddress": {"aws:SourceIp": "10.0.0.0/8"}"#,
            r#""IpAddress": {"aws:SourceIp": "10.0.0.0/7"}"#,
            "fails",
        ),
        (
            r#""NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}"#,
            r#""IpAddress": {"aws:SourceIp": "2001:db8::/32"}"#,
            "holds",
        ),
        (
            r#""IpAddress": {"aws:SourceIp": "0.0.0.0/0"}"#,
            r#""IpAddress": {"aws:SourceIp": "::/0"}"#,
            "fails",
        ),
        // truth values
        (
            r#""Bool": {"aws:SecureTransport": "true"}"#,
            r#""Bool": {"aws:SecureTransport": "TRUE"}"#,
            "holds",
        ),
        (
            r#""Bool": {"aws:SecureTransport": ["true", "false"]}"#,
            r#""Null": {"aws:SecureTransport": "false"}"#,
            "holds",
        ),
        (
            r#""Bool": {"aws:SecureTransport": "true"}"#,
            r#""BoolIfExists": {"aws:SecureTransport": "true"}"#,
            "fails",
        ),
        // ARNs
        (
            r#""ArnLike": {"aws:SourceArn": "arn:aws:s3:::b*"}"#,
            r#""ArnEquals": {"aws:SourceArn": "arn:aws:s3:::bucket"}"#,
            "holds",
        ),
        (
            r#""ArnLike": {"aws:SourceArn": "arn:aws:sns:*:1:t"}"#,
            r#""StringLike": {"aws:SourceArn": "arn:aws:sns:*:1:t"}"#,
            "fails",
        ),
        (
            r#""StringLike": {"aws:SourceArn": "arn:aws:sns:*:1:t"}"#,
            r#""ArnLike": {"aws:SourceArn": "arn:aws:sns:*:1:t"}"#,
            "holds",
        ),
        (r#""ArnLike": {"aws:SourceArn": "*"}"#, r#""Null": {"aws:SourceArn": "false"}"#, "holds"),
        // bytes
        (r#""BinaryEquals": {"k:b": "Zm9v"}"#, r#""StringEquals": {"k:b": "Zm9v"}"#, "holds"),
        // variables
        (
            r#""StringEquals": {"k:k": "${aws:username}"}"#,
            r#""StringEquals": {"k:k": "${AWS:username}"}"#,
            "holds",
        ),
        (
            r#""StringLike": {"k:k": "${aws:username}*"}"#,
            r#""StringEquals": {"k:k": "${aws:username}/x"}"#,
            "holds",
        ),
        (
            r#""StringEquals": {"k:k": "${aws:username}"}"#,
            r#""StringLike": {"k:k": "${aws:username}*"}"#,
            "fails",
        ),
        // OP-X1
        (r#""StringEquals": {"k:k": "a"}"#, r#""StringMatches": {"k:k": "b"}"#, "holds"),
    ] {
        let (existing, new) = (identity(&when("Allow", existing)), identity(&when("Allow", new)));
        check(&existing, &new, expected, &format!("{existing:?} / {new:?}"));
    }
}

#[test]
fn sets_of_values() {
    // `aws:TagKeys` is declared multivalued, `k:k` is unknown.
    for (existing, new, expected) in [
        (
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}"#,
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"}"#,
            "holds",
        ),
        (
            r#""ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}"#,
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}"#,
            "holds",
        ),
        (
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"}"#,
            "fails",
        ),
        (
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}"#,
            "fails",
        ),
        (
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "ForAnyValue:StringLike": {"aws:TagKeys": "?*"}"#,
            "holds",
        ),
        // CO-5: blank values are dropped.
        (
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}"#,
            "fails",
        ),
        // CO-9
        (
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"}"#,
            r#""StringLike": {"aws:TagKeys": "*"}"#,
            "holds",
        ),
        (
            r#""ForAnyValue:StringLike": {"aws:TagKeys": "*"}"#,
            r#""Null": {"aws:TagKeys": "false"}"#,
            "holds",
        ),
        // CO-7
        (
            r#""ForAnyValue:StringNotEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "b"}"#,
            "holds",
        ),
        (
            r#""ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAnyValue:StringEquals": {"aws:TagKeys": "b"}"#,
            "fails",
        ),
        (
            r#""ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}"#,
            r#""ForAllValues:StringEquals": {"aws:TagKeys": ["b", "c"]}"#,
            "holds",
        ),
        // CO-8
        (
            r#""StringEquals": {"aws:SourceVpc": "a"}"#,
            r#""ForAnyValue:StringEquals": {"aws:SourceVpc": "a"}"#,
            "holds",
        ),
        (
            r#""ForAllValues:StringEquals": {"aws:SourceVpc": "a"}"#,
            r#""StringEquals": {"aws:SourceVpc": "a"}"#,
            "holds",
        ),
        (
            r#""ForAnyValue:IpAddress": {"k:ip": "10.0.0.0/8"}"#,
            r#""ForAnyValue:IpAddress": {"k:ip": "10.2.0.0/16"}"#,
            "holds",
        ),
        (
            r#""ForAllValues:NumericLessThan": {"k:n": "10"}"#,
            r#""ForAllValues:NumericLessThan": {"k:n": "11"}"#,
            "fails",
        ),
    ] {
        let (existing, new) = (identity(&when("Allow", existing)), identity(&when("Allow", new)));
        check(&existing, &new, expected, &format!("{existing:?} / {new:?}"));
    }
}
