//! What events say together, however they come.

use super::super::read;
use super::*;

const ANN: &str = r#"{"type":"IAMUser","arn":"arn:aws:iam::123456789012:user/ann","accountId":"123456789012","accessKeyId":"AKIAIOSFODNN7EXAMPLE"}"#;
const DEPLOY: &str = r#"{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/deploy/x","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::123456789012:role/deploy"}}}"#;
const ROOT: &str = r#"{"type":"Root","arn":"arn:aws:iam::123456789012:root"}"#;
const OTHER: &str = r#"{"type":"AWSAccount","accountId":"210987654321"}"#;

fn event(identity: &str, time: &str, source: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"userIdentity":{identity},"eventTime":"2026-07-{time}Z","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.1 md/x","recipientAccountId":"123456789012"{more}}}"#
    )
}

fn uses(events: &[String]) -> Uses {
    let mut uses = Uses::default();
    let text = events.join("\n");
    let told = read("f", text.as_bytes(), &mut |event| uses.add(event, Catalog::embedded()));
    assert!(told.faults.is_empty(), "{:?}", told.faults);
    uses.file("a/f", 10, text.len() as u64, &told);
    uses
}

fn events() -> Vec<String> {
    let role = r#","requestParameters":{"roleArn":"arn:aws:iam::123456789012:role/deploy"}"#;
    let login = |mfa: &str| {
        format!(
            r#","responseElements":{{"ConsoleLogin":"Success"}},"additionalEventData":{{"MFAUsed":"{mfa}"}}"#
        )
    };
    let refused = event(
        ANN,
        "02T10:00:00",
        "iam",
        "CreateUser",
        r#","errorCode":"AccessDenied","eventID":"e-1""#,
    );
    vec![
        event(ANN, "01T10:00:00", "s3", "ListObjects", ""),
        event(ANN, "03T10:00:00", "s3", "HeadBucket", r#","errorCode":"NoSuchBucket""#),
        event(ANN, "02T10:00:00", "iam", "CreateUser", r#","errorCode":"AccessDenied""#),
        // Nobody knows whose call it was.
        event(ANN, "02T10:00:00", "iam", "ListUsers", r#","errorCode":"ExpiredToken""#),
        // The trails of an account and of an organization have the same refusal.
        refused.clone(),
        refused,
        event(DEPLOY, "02T10:00:00", "monitoring", "PutMetricAlarm", ""),
        event(DEPLOY, "02T10:00:00", "kms", "ReEncrypt", ""),
        event(
            DEPLOY,
            "02T10:00:00",
            "s3",
            "GetObject",
            r#","requestParameters":{"bucketName":"b","versionId":"1"}"#,
        ),
        event(ROOT, "02T11:00:00", "iam", "AttachRolePolicy", ""),
        event(ANN, "02T10:30:00", "sts", "AssumeRole", role),
        event(OTHER, "02T10:40:00", "sts", "AssumeRole", role),
        event(ANN, "02T10:00:00", "signin", "ConsoleLogin", &login("Yes")),
        event(ANN, "02T10:00:00", "signin", "ConsoleLogin", &login("No")),
        event(ANN, "02T10:00:00", "signin", "ConsoleLogin", r#","errorMessage":"x""#),
    ]
}

fn check(uses: &Uses) {
    let told: Vec<String> = uses
        .used()
        .iter()
        .map(|used| {
            let name = used.principal.rsplit([':', '/']).next().unwrap();
            format!("{name} {}:{} {}", used.action.service, used.action.name, used.count)
        })
        .collect();
    assert_eq!(
        told,
        [
            "210987654321 sts:AssumeRole 1",
            "deploy cloudwatch:PutMetricAlarm 1",
            "deploy kms:ReEncryptFrom 1",
            "deploy kms:ReEncryptTo 1",
            "deploy s3:GetObjectVersion 1",
            "root iam:AttachRolePolicy 1",
            "ann s3:ListBucket 2",
            "ann signin:ConsoleLogin 3",
            "ann sts:AssumeRole 1",
        ]
    );
    let denied = uses.denied();
    assert_eq!((denied.len(), &*denied[0].action.name), (1, "CreateUser"));
    assert_eq!(denied[0].count, 2);
    let bucket = uses.used().into_iter().find(|one| &*one.action.name == "ListBucket").unwrap();
    assert_eq!(bucket.first.to_string(), "2026-07-01T10:00:00Z");
    assert_eq!(bucket.last.to_string(), "2026-07-03T10:00:00Z");
    assert_eq!(bucket.regions, ["eu-west-1"]);
    let ann = "arn:aws:iam::123456789012:user/ann";
    assert_eq!(uses.owner("AKIAIOSFODNN7EXAMPLE"), Some(ann));
    assert_eq!(uses.keys().iter().map(|used| used.count).sum::<u64>(), 9);
    assert!(uses.keys().iter().all(|used| used.kind == CallerKind::User));
    let logins = uses.logins()[ann];
    assert_eq!((logins.with_mfa, logins.without_mfa, logins.failed), (1, 1, 1));
    assert_eq!(uses.root().len(), 1);
    let assumed: Vec<_> = uses.assumed().iter().map(|a| (a.by, a.from_outside)).collect();
    assert_eq!(assumed, [("210987654321", true), (ann, false)]);
    assert_eq!(uses.privileged().len(), 1);
    assert_eq!(uses.networks()[ann].iter().copied().collect::<Vec<_>>(), ["192.0.2.7"]);
    let covered = uses.covered("123456789012").unwrap();
    assert_eq!((covered.events, covered.first), (15, bucket.first));
    assert!(uses.covered("210987654321").is_none());
    assert_eq!(uses.hours("123456789012")["eu-west-1"].len(), 4);
    assert_eq!(uses.totals().events, 15);
}

#[test]
fn what_events_say_together() {
    check(&uses(&events()));
}

// The same is told however the events are spread and in which order they are merged.
#[test]
fn order_does_not_matter() {
    let events = events();
    for cut in 0..events.len() {
        let (one, two) = events.split_at(cut);
        for (first, second) in [(one, two), (two, one)] {
            let mut all = Uses::default();
            for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
                all.merge(uses(part));
            }
            check(&all);
        }
    }
}

#[test]
fn patterns_are_found() {
    let busy: Vec<String> = ["CreateAccessKey", "AttachUserPolicy", "PutUserPolicy", "ListUsers"]
        .iter()
        .map(|name| event(ANN, "02T10:00:00", "iam", name, r#","errorCode":"AccessDenied""#))
        .collect();
    let found = uses(&busy).patterns(24, 3, 10);
    assert_eq!(found[0].escalation.len(), 3);
    assert_eq!(found[0].enumeration, ["iam:ListUsers"]);
    assert!(uses(&busy).patterns(24, 4, 10).is_empty());
}

#[test]
fn digests_tell_what_is_lacking() {
    let digest = r#"{"awsAccountId":"123456789012","digestStartTime":"2026-07-01T10:00:00Z","digestEndTime":"2026-07-01T11:00:00Z","digestS3Object":"AWSLogs/1/CloudTrail-Digest/eu-west-1/d.gz","logFiles":[{"s3Object":"x/f"},{"s3Object":"x/gone"}]}"#;
    let uses = uses(&[digest.to_owned()]);
    assert_eq!(uses.digest_hours("123456789012")["eu-west-1"].len(), 1);
    assert_eq!(uses.not_given("123456789012").values().sum::<u64>(), 1);
    assert_eq!(uses.totals().digests, 1);
}
