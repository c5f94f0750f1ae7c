//! Claims against the engine: random policies from a small grammar, random requests over the same
//! words. `BAILIWICK_SYMBOLIC_SAMPLES` sets how many requests are asked in all.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

mod dice;

use std::fmt::Write;

use bailiwick_policy::{
    Context, Document, DocumentKind, Principal, Request, Verdict, consult_alone,
};
use bailiwick_symbolic::{Answer, disjoint, empty, implies};
use dice::Dice;

fn quoted(list: &[&str]) -> String {
    let each: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", each.join(","))
}

const ACTIONS: [&str; 9] =
    ["*", "s3:*", "s3:Get*", "s3:GetA", "s3:?etA", "S3:*A", "ec2:RunA", "ec2:*", "s3:Put*"];
const RESOURCES: [&str; 10] = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::*/b",
    "arn:aws:s3:::a/?",
    "arn:aws:s3:*:b",
    "arn:aws:s3:::a/${aws:username}",
    "arn:aws:s3:::a/${aws:username, 'b'}",
    "arn:aws:s3:::${aws:username}*",
];
const TEXTS: [&str; 10] =
    ["a", "b", "A", "ab", "a*", "*b", "", "${aws:username}", "a?", "${aws:username}*"];
const NUMBERS: [&str; 6] = ["1", "2", "1.5", "-1", "02.0", "x"];
const DATES: [&str; 5] = ["2020", "2020-01-01T00:00:01Z", "1577836800", "2021-01", "x"];
const RANGES: [&str; 6] =
    ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "x"];
const ARNS: [&str; 5] =
    ["arn:aws:s3:::a*", "arn:aws:s3:::a", "*", "arn:aws:*:*:1:b", "arn:*:s3:::?"];

fn condition(dice: &mut Dice, taken: &mut Vec<(String, &'static str)>) -> Option<String> {
    let (key, operators, values): (_, &[&str], &[&str]) = match dice.roll(9) {
        0 => (
            "aws:TagKeys",
            &["StringEquals", "StringLike", "StringNotEquals", "StringNotLike"],
            &TEXTS,
        ),
        1 => (
            "k:n",
            &["NumericEquals", "NumericLessThan", "NumericGreaterThanEquals", "NumericNotEquals"],
            &NUMBERS,
        ),
        2 => (
            "aws:CurrentTime",
            &["DateLessThan", "DateGreaterThanEquals", "DateEquals", "DateNotEquals"],
            &DATES,
        ),
        3 => ("aws:SourceIp", &["IpAddress", "NotIpAddress"], &RANGES),
        4 => ("aws:SecureTransport", &["Bool"], &["true", "false"]),
        5 => ("aws:SourceArn", &["ArnLike", "ArnNotLike", "ArnEquals"], &ARNS),
        6 => ("k:set", &["StringEquals", "StringNotLike"], &TEXTS),
        _ => (
            "k:k",
            &[
                "StringEquals",
                "StringNotEquals",
                "StringLike",
                "StringNotLike",
                "StringEqualsIgnoreCase",
            ],
            &TEXTS,
        ),
    };
    let set = ["ForAllValues:", "ForAnyValue:"];
    let prefix = match key {
        "aws:TagKeys" | "k:set" if dice.roll(8) > 0 => dice.pick(&set),
        _ => "",
    };
    let (operator, list) = if dice.roll(7) == 0 {
        ("Null".to_owned(), quoted(&[dice.pick(&["true", "false"])]))
    } else {
        let suffix = if dice.roll(4) == 0 { "IfExists" } else { "" };
        (format!("{prefix}{}{suffix}", dice.pick(operators)), quoted(&dice.some(values, 3)))
    };
    if taken.contains(&(operator.clone(), key)) || taken.iter().any(|(held, _)| *held == operator) {
        return None;
    }
    taken.push((operator.clone(), key));
    Some(format!(r#""{operator}": {{"{key}": {list}}}"#))
}

const PRINCIPALS: [&str; 8] = [
    r#""*""#,
    r#"{"AWS": "*"}"#,
    r#"{"AWS": "111111111111"}"#,
    r#"{"AWS": "arn:aws:iam::111111111111:user/a"}"#,
    r#"{"AWS": "arn:aws:iam::111111111111:role/p/r"}"#,
    r#"{"AWS": "arn:aws:sts::111111111111:assumed-role/r/s"}"#,
    r#"{"Service": ["s3.amazonaws.com", "ec2.amazonaws.com"]}"#,
    r#"{"AWS": ["222222222222", "arn:aws:iam::222222222222:user/b"]}"#,
];

fn statement(dice: &mut Dice, principals: bool, conditions: usize) -> String {
    let deny = dice.roll(3) == 0;
    let mut out = format!(r#"{{"Effect": "{}""#, if deny { "Deny" } else { "Allow" });
    if principals {
        let element = if deny && dice.roll(4) == 0 { "NotPrincipal" } else { "Principal" };
        write!(out, r#","{element}": {}"#, dice.pick(&PRINCIPALS)).unwrap();
    }
    let element = if dice.roll(5) == 0 { "NotAction" } else { "Action" };
    write!(out, r#","{element}": {}"#, quoted(&dice.some(&ACTIONS, 3))).unwrap();
    let element = if dice.roll(5) == 0 { "NotResource" } else { "Resource" };
    write!(out, r#","{element}": {}"#, quoted(&dice.some(&RESOURCES, 3))).unwrap();
    let mut taken = Vec::new();
    let count = dice.roll(conditions + 1);
    let list: Vec<String> = (0..count).filter_map(|_| condition(dice, &mut taken)).collect();
    write!(out, r#","Condition": {{{}}}}}"#, list.join(",")).unwrap();
    out
}

fn parse(statements: &[String], kind: DocumentKind, old: bool) -> Document {
    let version = if old { "2008-10-17" } else { "2012-10-17" };
    let text = format!(r#"{{"Version": "{version}", "Statement": [{}]}}"#, statements.join(","));
    Document::parse(&text, kind).unwrap()
}

fn caller(dice: &mut Dice, resource: bool) -> Principal {
    let arn = if resource {
        dice.pick(&[
            "arn:aws:iam::111111111111:user/a",
            "arn:aws:iam::111111111111:user/z",
            "arn:aws:iam::222222222222:user/b",
            "arn:aws:iam::333333333333:root",
            "arn:aws:iam::111111111111:root",
            "arn:aws:sts::111111111111:assumed-role/r/s",
            "arn:aws:sts::111111111111:assumed-role/r/t",
            "arn:aws:sts::111111111111:federated-user/f",
            "",
            "service",
        ])
    } else {
        "arn:aws:iam::123456789012:user/a"
    };
    match arn {
        "service" => Principal::Service {
            names: [dice.pick(&["s3.amazonaws.com", "sns.amazonaws.com"]).into()].into(),
        },
        "" => Principal::Anonymous,
        arn => Principal::from_arn(arn).unwrap(),
    }
}

fn context(dice: &mut Dice, principal: &Principal) -> Context {
    let mut context = Context::new();
    context.put_principal(principal);
    let texts = ["a", "b", "A", "ab", "aa", "bb", "", "q", "AB", "${aws:username}", "a*"];
    if dice.roll(3) > 0 {
        context.put("aws:username", dice.pick(&["a", "b", "a/b", "q", "*"]));
    } else if dice.roll(2) == 0 {
        context.remove("aws:username");
    }
    for (key, values, most) in [
        ("aws:TagKeys", &texts[..], 3),
        ("k:set", &texts[..], 3),
        ("k:k", &texts[..], 0),
        ("k:n", &["1", "1.0", "1.2", "2", "3", "-1", "-2", "1.5", "1.75"][..], 0),
        (
            "aws:CurrentTime",
            &[
                "2019",
                "2020",
                "2020-01-01T00:00:00.5Z",
                "2020-01-01T00:00:01Z",
                "2022",
                "1577836801",
            ][..],
            0,
        ),
        (
            "aws:SourceIp",
            &["10.1.2.3", "10.1.2.4", "10.9.9.9", "9.9.9.9", "2001:db8::1", "::1"][..],
            0,
        ),
        ("aws:SecureTransport", &["true", "false", "TRUE"][..], 0),
        (
            "aws:SourceArn",
            &[
                "arn:aws:s3:::a",
                "arn:aws:s3:::ab",
                "arn:aws:sns:x:1:b",
                "arn:aws-cn:s3:::c",
                "arn:x:y:z:0:",
            ][..],
            0,
        ),
    ] {
        if dice.roll(4) == 0 {
            continue;
        }
        let chosen = dice.some(values, most);
        if most == 0 {
            context.put(key, chosen[0]);
        } else {
            context.put_list(key, chosen);
        }
    }
    context
}

struct Tally {
    holds: usize,
    fails: usize,
    undecided: usize,
    asked: usize,
}

#[test]
fn requests_never_contradict_what_holds() {
    let wanted: usize = std::env::var("BAILIWICK_SYMBOLIC_SAMPLES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let seed = std::env::var("BAILIWICK_SYMBOLIC_SEED").ok().and_then(|text| text.parse().ok());
    let mut dice = Dice(seed.unwrap_or(7));
    let mut tally = Tally { holds: 0, fails: 0, undecided: 0, asked: 0 };
    let mut slowest = std::time::Duration::ZERO;
    while tally.asked < wanted {
        let of_resource = dice.roll(4) == 0;
        let kind = if of_resource { DocumentKind::Resource } else { DocumentKind::Identity };
        let conditions = dice.roll(4);
        let old = dice.roll(8) == 0;
        let existing: Vec<String> =
            (0..=dice.roll(4)).map(|_| statement(&mut dice, of_resource, conditions)).collect();
        let mut new = existing.clone();
        match dice.roll(4) {
            0 => {
                new = (0..=dice.roll(3))
                    .map(|_| statement(&mut dice, of_resource, conditions))
                    .collect();
            }
            1 => {
                let at = dice.roll(new.len());
                new.remove(at);
            }
            2 => new.push(statement(&mut dice, of_resource, conditions)),
            _ => {
                let at = dice.roll(new.len());
                new[at] = statement(&mut dice, of_resource, conditions);
                new.push(statement(&mut dice, of_resource, conditions));
            }
        }
        let (existing, new) = (parse(&existing, kind, old), parse(&new, kind, old));
        let begun = std::time::Instant::now();
        let answer = implies(&existing, &new);
        slowest = slowest.max(begun.elapsed());
        let apart = disjoint(&existing, &new);
        let none = empty(&new);
        match &answer {
            Answer::Holds => tally.holds += 1,
            Answer::Fails(_) => tally.fails += 1,
            Answer::Undecided(reason) => {
                tally.undecided += 1;
                if std::env::var("BAILIWICK_SYMBOLIC_SHOW").is_ok() {
                    println!("{reason}\n  {}\n  {}", existing.source(), new.source());
                }
            }
        }
        for _ in 0..40 {
            tally.asked += 1;
            let principal = caller(&mut dice, of_resource);
            let context = context(&mut dice, &principal);
            let request = Request {
                principal: &principal,
                action: dice.pick(&[
                    "s3:GetA", "s3:GetB", "s3:PutA", "s3:LetA", "ec2:RunA", "ec2:Stop", "iam:A",
                ]),
                resource: dice.pick(&[
                    "*",
                    "arn:aws:s3:::a",
                    "arn:aws:s3:::a/b",
                    "arn:aws:s3:::a/a",
                    "arn:aws:s3:::a/a/b",
                    "arn:aws:s3:::b",
                    "arn:aws:s3:x:1:b",
                    "arn:aws:s3:::ab",
                    "arn:aws:sqs:x:1:q",
                ]),
                resource_account: None,
                context: &context,
                delegated: false,
            };
            let allows = |document| consult_alone(document, &request) == Verdict::Allow;
            let (held, asked) = (allows(&existing), allows(&new));
            let show = || format!("{}\n{}\n{request:?}", existing.source(), new.source());
            assert!(!(answer.holds() && asked && !held), "no new access, but:\n{}", show());
            assert!(!(apart.holds() && asked && held), "disjoint, but:\n{}", show());
            assert!(!(none.holds() && asked), "empty, but:\n{}", show());
        }
    }
    println!(
        "{} hold, {} fail, {} undecided of {} claims; {} requests; slowest {slowest:?}",
        tally.holds,
        tally.fails,
        tally.undecided,
        tally.holds + tally.fails + tally.undecided,
        tally.asked
    );
    let claims = tally.holds + tally.fails + tally.undecided;
    assert!(tally.undecided * 5 < claims, "{} of {claims} undecided", tally.undecided);
}
