//! The credential report tells of root and every user what they can sign in with.

use bailiwick_testkit::{HOME, PASSWORD, Rights, World};
use bailiwick_wire::Value;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

fn fetch(world: &World) -> String {
    let reply = world.admin.iam("GetCredentialReport", &[]).ok();
    assert_eq!(reply.text("ReportFormat"), "text/csv");
    match reply.at("Content") {
        Some(Value::Blob(bytes)) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("no content: {other:?}"),
    }
}

/// The fields of a row.
fn row<'a>(report: &'a str, begin: &str) -> Vec<&'a str> {
    let row = report.lines().find(|line| line.starts_with(begin)).unwrap();
    row.split(',').collect()
}

fn state(world: &World) -> String {
    world.admin.iam("GenerateCredentialReport", &[]).ok().text("State")
}

#[test]
fn a_report_tells_of_every_credential() {
    let world = World::new(1500);
    let made = "2026-11-21T22:00:00+00:00";
    let bob = world.user("Bob", Rights::None);
    world.admin.iam("CreateLoginProfile", &[("UserName", "Bob"), ("Password", PASSWORD)]).ok();
    let second = world.admin.iam("CreateAccessKey", &[("UserName", "Bob")]).ok();
    let second = second.text("AccessKey.AccessKeyId");
    let off = [("UserName", "Bob"), ("AccessKeyId", &*second), ("Status", "Inactive")];
    world.admin.iam("UpdateAccessKey", &off).ok();
    let pem = bailiwick_testkit::certificates::SIGNING[0];
    let upload = [("UserName", "Bob"), ("CertificateBody", pem)];
    world.admin.iam("UploadSigningCertificate", &upload).ok();
    world.admin.iam("CreateUser", &[("UserName", "ann,a"), ("Path", "/team/")]).ok();
    world.admin.iam("UpdateAccountPasswordPolicy", &[("MaxPasswordAge", "90")]).ok();
    drop(world.root(HOME));
    bob.iam("GetUser", &[]).refused("AccessDenied");
    let reply = world.admin.iam("GenerateCredentialReport", &[]).ok();
    assert_eq!(reply.text("State"), "STARTED");
    let report = fetch(&world);
    assert_eq!(report.lines().next().unwrap(), HEADER);
    assert!(!report.ends_with('\n'));
    let width = HEADER.split(',').count();
    assert_eq!(width, 22);
    let root = row(&report, "<root_account>,");
    assert_eq!(root.len(), width);
    assert_eq!(report.lines().nth(1).unwrap().split(',').next(), Some("<root_account>"));
    assert_eq!(root[1], format!("arn:aws:iam::{HOME}:root"));
    assert_eq!(
        root[3..8],
        ["not_supported", "no_information", "not_supported", "not_supported", "false"]
    );
    assert_eq!(root[8], "true");
    let found = row(&report, "Bob,");
    assert_eq!(found.len(), width);
    let arn = format!("arn:aws:iam::{HOME}:user/Bob");
    assert!(found[2].ends_with("+00:00") && found[2].len() == made.len(), "{}", found[2]);
    assert_eq!(found[..2], ["Bob", &*arn]);
    assert_eq!(found[3..5], ["true", "no_information"]);
    let changed: jiff::Timestamp = found[5].parse().unwrap();
    let next: jiff::Timestamp = found[6].parse().unwrap();
    assert_eq!(next.duration_since(changed).as_hours(), 90 * 24);
    assert_eq!(found[7], "false");
    // The two keys come in the order of their ids.
    let keys = [&found[8..13], &found[13..18]];
    let (used, idle) = if bob.key() < &*second { (keys[0], keys[1]) } else { (keys[1], keys[0]) };
    assert_eq!(used[0], "true");
    assert_eq!(used[3..], ["us-east-1", "iam"]);
    assert_eq!((idle[0], &idle[2..]), ("false", &["N/A", "N/A", "N/A"][..]));
    assert!(idle[1].ends_with("+00:00"), "{}", idle[1]);
    assert_eq!((found[18], &found[20..]), ("true", &["false", "N/A"][..]));
    // A comma in a name stays in its field.
    let quoted = format!("\"ann,a\",\"arn:aws:iam::{HOME}:user/team/ann,a\",");
    let line = report.lines().find(|line| line.starts_with("\"ann")).unwrap();
    let rest = line.strip_prefix(&*quoted).unwrap();
    let rest: Vec<_> = rest.split(',').collect();
    assert_eq!(rest[1..6], ["false", "N/A", "N/A", "N/A", "false"]);
    assert_eq!(
        rest[6..],
        [
            "false", "N/A", "N/A", "N/A", "N/A", "false", "N/A", "N/A", "N/A", "N/A", "false",
            "N/A", "false", "N/A",
        ]
    );
    // No secret and no hash is in it.
    assert!(!report.contains("argon2"));
}

#[test]
fn a_report_is_of_its_moment_for_four_hours() {
    let world = World::new(1501);
    let reply = world.admin.iam("GetCredentialReport", &[]).refused("ReportNotPresent");
    assert_eq!(reply.status, 410);
    let reply = world.admin.iam("GenerateCredentialReport", &[]).ok();
    assert_eq!(reply.text("State"), "STARTED");
    assert_eq!(
        reply.text("Description"),
        "No report exists. Starting a new report generation task"
    );
    let event = world.last_event();
    assert_eq!(
        (&event["eventName"], &event["readOnly"]),
        (&"GenerateCredentialReport".into(), &true.into())
    );
    assert_eq!(state(&world), "COMPLETE");
    let first = fetch(&world);
    world.admin.iam("CreateUser", &[("UserName", "Late")]).ok();
    world.advance(4 * 3600 - 1);
    let before = world.records_of(HOME);
    assert_eq!(state(&world), "COMPLETE");
    assert_eq!(world.records_of(HOME), before);
    assert_eq!(fetch(&world), first);
    // It stands after a restart.
    let there = world.fork();
    there.adopt(&world.admin).iam("GetCredentialReport", &[]).ok();
    world.advance(2);
    let reply = world.admin.iam("GetCredentialReport", &[]).refused("ReportExpired");
    assert_eq!(reply.status, 410);
    assert_eq!(state(&world), "STARTED");
    assert_eq!(fetch(&world).lines().count(), first.lines().count() + 1);
    let eve = world.user("Eve", Rights::None);
    eve.iam("GenerateCredentialReport", &[]).refused("AccessDenied");
    eve.iam("GetCredentialReport", &[]).refused("AccessDenied");
}

/// A report of more users than a record holds is written and replaced whole.
#[test]
fn a_long_report_is_kept_in_parts() {
    let world = World::new(1502);
    for number in 0..200 {
        world.admin.iam("CreateUser", &[("UserName", &*format!("User{number}"))]).ok();
    }
    let parts = |world: &World| {
        let records = world.records_of(HOME);
        records
            .keys()
            .filter(|key| String::from_utf8_lossy(key).contains("credential-report/"))
            .count()
    };
    assert_eq!(state(&world), "STARTED");
    assert_eq!(parts(&world), 2);
    let report = fetch(&world);
    assert_eq!(report.lines().count(), 203);
    assert!(report.lines().all(|line| line.split(',').count() == 22));
    for number in 0..200 {
        world.admin.iam("DeleteUser", &[("UserName", &*format!("User{number}"))]).ok();
    }
    world.advance(5 * 3600);
    assert_eq!(state(&world), "STARTED");
    assert_eq!(parts(&world), 1);
    assert_eq!(fetch(&world).lines().count(), 3);
}
