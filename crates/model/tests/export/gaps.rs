//! What is missing in an export, cannot be read or has no place in an account.

use bailiwick_model::export::{ExportProblem, Imported, NoteKind, details};
use bailiwick_policy::Principal;
use serde_json::{Value, json};

use crate::forms::export;
use crate::{ACCOUNT, as_user, ask, ask_in, good, import, pretty};

/// IN-6: what cannot be read, or is not there, denies.
#[test]
fn what_is_unreadable_or_missing_denies_and_is_told() {
    let unreadable = |document: Value| {
        let mut export = export();
        export["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"] = document;
        export
    };
    let attach = |policy: &str| {
        let mut export = export();
        export["UserDetailList"][0]["AttachedManagedPolicies"] =
            json!([{"PolicyName": "p", "PolicyArn": policy}]);
        export
    };
    let mut lost_version = export();
    lost_version["Policies"][0]["PolicyVersionList"].as_array_mut().unwrap().remove(0);
    let mut no_default = export();
    no_default["Policies"][0]["DefaultVersionId"] = Value::Null;
    no_default["Policies"][0]["PolicyVersionList"][0]["IsDefaultVersion"] = json!(false);
    let mut aws = export();
    aws["Policies"].as_array_mut().unwrap().push(json!({
        "PolicyName": "AmazonSQSFullAccess",
        "Arn": "arn:aws:iam::aws:policy/AmazonSQSFullAccess",
        "DefaultVersionId": "v9",
        "PolicyVersionList": [{"VersionId": "v9", "Document": {"Statement": 7}}],
    }));
    for (export, kind, about) in [
        (
            unreadable(json!({"Version": "2012-10-17", "Statement": [{"Efect": "Deny"}]})),
            NoteKind::Unreadable,
            "user/team/alice inline policy own",
        ),
        (unreadable(json!("no policy")), NoteKind::Unreadable, "inline policy own"),
        (unreadable(json!(17)), NoteKind::Unreadable, "inline policy own"),
        (unreadable(Value::Null), NoteKind::Unreadable, "inline policy own"),
        (attach("arn:aws:iam::123456789012:policy/gone"), NoteKind::Missing, "policy/gone"),
        (
            attach("arn:aws:iam::aws:policy/NoSuchPolicyAnywhere"),
            NoteKind::Missing,
            "NoSuchPolicyAnywhere",
        ),
        (lost_version, NoteKind::Missing, "policy/limit"),
        (no_default, NoteKind::Missing, "policy/limit"),
        (aws, NoteKind::Unreadable, "AmazonSQSFullAccess v9"),
    ] {
        let imported = good(&[&pretty(&export)]);
        let note = imported.notes.iter().find(|note| note.kind == kind);
        let note = note.unwrap_or_else(|| panic!("{about}: {:?}", imported.notes));
        assert!(note.about.ends_with(about), "{note:?}");
        let alice = imported.account.user_named("alice").unwrap();
        let who = as_user(&imported.account, alice);
        let decision = ask(&imported, &who, "s3:GetObject");
        assert!(!decision.is_allowed(), "{about}");
    }
}

/// IN-6: an account from an export with gaps can be written, and read with the same gaps.
#[test]
fn gaps_stay_gaps_when_written_again() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut export = export();
        change(&mut export);
        export
    };
    for (name, export) in [
        ("group", with(&|it| it["GroupDetailList"] = json!([]))),
        ("group", with(&|it| it["UserDetailList"][0]["GroupList"] = json!(["Devs", "gone"]))),
        ("policy", with(&|it| it["Policies"] = json!([]))),
        ("version", with(&|it| it["Policies"][0]["PolicyVersionList"] = json!([]))),
        (
            "version",
            with(&|it| {
                it["Policies"][0]["DefaultVersionId"] = Value::Null;
                it["Policies"][0]["PolicyVersionList"][0]["IsDefaultVersion"] = json!(false);
            }),
        ),
        (
            "document",
            with(&|it| it["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"] = json!(17)),
        ),
        (
            "document",
            with(&|it| {
                it["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"] = Value::Null;
            }),
        ),
        ("trust", with(&|it| it["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!("{"))),
        ("principal", with(&|it| it["UserDetailList"] = json!([]))),
    ] {
        let gaps = |imported: &Imported| {
            let gap = |kind| matches!(kind, NoteKind::Missing | NoteKind::Unreadable);
            let notes = imported.notes.iter().filter(|note| gap(note.kind));
            notes.map(|note| (note.about.clone(), note.kind)).collect::<Vec<_>>()
        };
        let first = good(&[&pretty(&export)]);
        let written = details(&first.account);
        let second = good(&[&pretty(&written)]);
        assert!(!gaps(&first).is_empty(), "{name}");
        assert_eq!(gaps(&second), gaps(&first), "{name}");
        assert_eq!(details(&second.account), written, "{name}");
        if let Some(alice) = second.account.user_named("alice") {
            let denied = ask(&second, &as_user(&second.account, alice), "s3:GetObject");
            assert_eq!(denied.is_allowed(), name == "trust", "{name}");
        }
    }
}

/// PR-10, PR-11, PR-12: a session is named by its role's name alone, a role by path and name, and a
/// user is neither. The name of one means no other.
#[test]
fn a_name_means_one_entity() {
    let named = |name: &str| format!("arn:aws:iam::123456789012:{name}");
    let session = "arn:aws:sts::123456789012:assumed-role/worker/s1".to_owned();
    let trusting = |principals: &[String]| {
        let mut export = export();
        // A user of the role's name and path.
        export["UserDetailList"][0]["UserName"] = json!("worker");
        export["UserDetailList"][0]["Path"] = json!("/svc/");
        export["UserDetailList"][0]["Arn"] = json!(named("user/svc/worker"));
        export["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!({
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole"},
        });
        good(&[&pretty(&export)])
    };
    let (role_arn, user_arn) = (named("role/svc/worker"), named("user/svc/worker"));
    let pathless = named("role/worker");
    let gone = |imported: &Imported| {
        let missing = imported.notes.iter().filter(|note| note.kind == NoteKind::Missing);
        missing.map(|note| note.about.clone()).collect::<Vec<_>>()
    };
    for (principals, user, role, s1, missing) in [
        (vec![user_arn.clone()], true, false, false, vec![]),
        (vec![role_arn.clone()], false, true, true, vec![]),
        (vec![session.clone()], false, false, true, vec![]),
        (vec![pathless.clone()], false, false, false, vec![pathless.clone()]),
        (vec![named("user/worker")], false, false, false, vec![named("user/worker")]),
        // The role without a path is not there; the session is of the one that is. In doubt nobody.
        (vec![pathless.clone(), session.clone()], false, false, false, vec![pathless.clone()]),
        (vec![session.clone(), pathless.clone()], false, false, false, vec![pathless.clone()]),
        (vec![role_arn.clone(), session.clone()], false, true, true, vec![]),
    ] {
        let imported = trusting(&principals);
        let account = &imported.account;
        let held = account.role_named("worker").unwrap();
        let session_of = |name: &str| Principal::Session {
            role_arn: role_arn.as_str().into(),
            role_id: held.id,
            role_name: "worker".into(),
            session_name: name.into(),
            account: account.id(),
            session_arn: format!("arn:aws:sts::123456789012:assumed-role/worker/{name}").into(),
        };
        let may = |who: &Principal| {
            let managed = &imported.managed;
            ask_in(account, managed, who, "sts:AssumeRole", &role_arn, Some(held)).is_allowed()
        };
        let who = as_user(account, account.user_named("worker").unwrap());
        assert_eq!(may(&who), user, "{principals:?}");
        assert_eq!(may(&session_of("other")), role, "{principals:?}");
        assert_eq!(may(&session_of("s1")), s1, "{principals:?}");
        assert_eq!(gone(&imported), missing, "{principals:?}");
    }
}

/// What the account has no place for is told, with its place: a limit under a wrong name above all.
#[test]
fn what_is_passed_over_is_told() {
    let with = |pointer: &str, member: &str, value: Value| {
        let mut export = export();
        export.pointer_mut(pointer).unwrap()[member] = value;
        export
    };
    let (user, role) = ("/UserDetailList/0", "/RoleDetailList/0");
    let profile = format!("{role}/InstanceProfileList/0");
    let mut misspelt = export();
    let members = misspelt["UserDetailList"][0].as_object_mut().unwrap();
    let limit = members.remove("PermissionsBoundary").unwrap();
    members.insert("PermissionBoundary".to_owned(), limit);
    for (export, about, says, at) in [
        (
            misspelt,
            "user/team/alice",
            "`PermissionBoundary` is no member of a user",
            Some("\"PermissionBoundary\""),
        ),
        (with("", "RoleDetails", json!([])), ACCOUNT, "member of a page", Some("\"RoleDetails\"")),
        (
            with(&format!("{user}/Tags/0"), "Val", json!("x")),
            "user/team/alice",
            "`Val` is no member of a tag",
            Some("\"Val\""),
        ),
        (
            with(&profile, "Role", json!("worker")),
            "instance-profile/worker",
            "`Role` is no member of an instance profile",
            Some("\"Role\""),
        ),
        (
            with("/Policies/0/PolicyVersionList/0", "Deny", json!([])),
            "policy/limit",
            "`Deny` is no member of a policy version",
            Some("\"Deny\""),
        ),
        (
            with(role, "RoleLastUsed", json!({"Region": "eu-west-1"})),
            "role/svc/worker",
            "its last use, in eu-west-1, has no date",
            None,
        ),
        (
            with(role, "RoleLastUsed", json!({"LastUsed": "2026-02-03T04:05:06Z"})),
            "role/svc/worker",
            "`LastUsed` is no member of a last use",
            Some("\"LastUsed\""),
        ),
        (
            with(user, "Tags", json!([{"Key": "A", "Value": "1"}, {"Key": "a", "Value": "2"}])),
            "user/team/alice",
            "`1` is passed over, `2` counts",
            None,
        ),
        (
            with(role, "Tags", json!([{"Key": "A", "Value": "1"}, {"Key": "A", "Value": "2"}])),
            "role/svc/worker",
            "`1` is passed over, `2` counts",
            None,
        ),
        (
            with(&profile, "Roles", json!([{"Arn": "arn:aws:iam::123456789012:role/other"}])),
            "instance-profile/worker",
            "role/other`, which it names, is passed over",
            None,
        ),
    ] {
        let text = pretty(&export);
        let notes = good(&[&text]).notes;
        let passed: Vec<_> =
            notes.iter().filter(|note| note.kind == NoteKind::PassedOver).collect();
        let [note] = passed.as_slice() else { panic!("{says}: {notes:?}") };
        assert!(note.about.ends_with(about) && note.text.contains(says), "{says}: {note:?}");
        let line = note.place.as_ref().unwrap().line;
        if let Some(at) = at {
            assert!(text.lines().nth(line - 1).unwrap().contains(at), "{says}: {note:?}");
        }
    }
    // What AWS writes is no surprise.
    let empty = with(role, "RoleLastUsed", json!({}));
    assert!(good(&[&pretty(&empty)]).notes.iter().all(|note| note.kind == NoteKind::Catalog));
}

/// IN-6: a boundary, instance profile, tag or use that cannot be read is an error or denies; none
/// just goes away.
#[test]
fn nothing_that_is_there_goes_away() {
    let with = |pointer: &str, value: Value| {
        let mut export = export();
        *export.pointer_mut(pointer).unwrap() = value;
        export
    };
    let role = "/RoleDetailList/0";
    for (export, says) in [
        (with(&format!("{role}/RoleLastUsed"), json!("never")), "expected the last use of a role"),
        (with(&format!("{role}/RoleLastUsed/LastUsedDate"), json!("once")), "is no instant"),
        (with(&format!("{role}/InstanceProfileList"), json!({})), "expected a sequence"),
        (
            with(&format!("{role}/InstanceProfileList/0"), json!("worker")),
            "expected an instance profile",
        ),
        (with(&format!("{role}/InstanceProfileList/0/Arn"), json!("worker")), "ARN"),
        (with(&format!("{role}/Tags/0"), json!({"Key": "k"})), "missing field `Value`"),
        (with(&format!("{role}/Tags/0/Key"), json!("")), "tag key"),
        (with("/UserDetailList/0/PermissionsBoundary", json!({})), "missing field"),
    ] {
        let found = import(&[&pretty(&export)]);
        let error = found.map(drop).expect_err(says).to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    let boundary = "/UserDetailList/0/PermissionsBoundary/PermissionsBoundaryArn";
    let imported =
        good(&[&pretty(&with(boundary, json!("arn:aws:iam::123456789012:policy/gone")))]);
    assert!(imported.notes.iter().any(|note| note.kind == NoteKind::Missing));
    let who = as_user(&imported.account, imported.account.user_named("alice").unwrap());
    assert!(!ask(&imported, &who, "s3:GetObject").is_allowed());
    // The same profile twice in one list, otherwise.
    let mut twice = export();
    let list = twice["RoleDetailList"][0]["InstanceProfileList"].as_array_mut().unwrap();
    let mut other = list[0].clone();
    other["Tags"] = json!([{"Key": "a", "Value": "b"}]);
    list.push(other);
    let error = import(&[&pretty(&twice)]).unwrap_err();
    assert!(matches!(error.problem, ExportProblem::Conflict(_)), "{error}");
}
