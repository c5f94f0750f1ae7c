//! Each form of an export, and what is wrong in one.

use std::sync::Arc;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::IdKind;
use bailiwick_model::Binding;
use bailiwick_model::export::{ExportFile, ExportProblem, Imported, NoteKind, details, read};
use bailiwick_policy::{
    Attached, Context, Document, DocumentKind, Principal, Request, Source, SourceKind, decide,
};
use serde_json::{Value, json};

use crate::{ACCOUNT, arn, as_user, ask, ask_in, good, import, pretty};

/// An export in the command line's form, as a value to be changed.
pub(crate) fn export() -> Value {
    json!({
        "UserDetailList": [{
            "Path": "/team/",
            "UserName": "alice",
            "UserId": "AIDAQQQQQQQQQQQQQQQQA",
            "Arn": "arn:aws:iam::123456789012:user/team/alice",
            "CreateDate": "2026-01-02T03:04:05+00:00",
            "UserPolicyList": [{
                "PolicyName": "own",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
                },
            }],
            "GroupList": ["devs"],
            "AttachedManagedPolicies": [],
            "PermissionsBoundary": {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/limit",
            },
            "Tags": [{"Key": "dept", "Value": "eng"}],
        }],
        "GroupDetailList": [{
            "Path": "/",
            "GroupName": "devs",
            "GroupId": "AGPAQQQQQQQQQQQQQQQQA",
            "Arn": "arn:aws:iam::123456789012:group/devs",
            "CreateDate": "2026-01-02T03:04:05Z",
            "GroupPolicyList": [],
            "AttachedManagedPolicies": [{
                "PolicyName": "AmazonSQSFullAccess",
                "PolicyArn": "arn:aws:iam::aws:policy/AmazonSQSFullAccess",
            }],
        }],
        "RoleDetailList": [{
            "Path": "/svc/",
            "RoleName": "worker",
            "RoleId": "AROAQQQQQQQQQQQQQQQQA",
            "Arn": "arn:aws:iam::123456789012:role/svc/worker",
            "CreateDate": "2026-01-02 03:04:05+00:00",
            "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2Fteam%2Falice%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D",
            "InstanceProfileList": [{
                "Path": "/",
                "InstanceProfileName": "worker",
                "InstanceProfileId": "AIPAQQQQQQQQQQQQQQQQA",
                "Arn": "arn:aws:iam::123456789012:instance-profile/worker",
                "CreateDate": "2026-01-02T03:04:05Z",
                "Roles": [{"anything": "is passed over"}],
            }],
            "RolePolicyList": [],
            "AttachedManagedPolicies": [],
            "Tags": [{"Key": "aws:reserved", "Value": "kept"}],
            "RoleLastUsed": {"LastUsedDate": "2026-02-03T04:05:06Z", "Region": "eu-west-1"},
        }],
        "Policies": [{
            "PolicyName": "limit",
            "PolicyId": "ANPAQQQQQQQQQQQQQQQQA",
            "Arn": "arn:aws:iam::123456789012:policy/limit",
            "Path": "/",
            "DefaultVersionId": "v2",
            "CreateDate": "2026-01-02T03:04:05Z",
            "UpdateDate": "2026-01-03T03:04:05Z",
            "PolicyVersionList": [
                {
                    "Document": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
                    "VersionId": "v2",
                    "IsDefaultVersion": true,
                    "CreateDate": "2026-01-03T03:04:05Z",
                },
                {
                    "Document": {"Version": "2012-10-17", "Statement": []},
                    "VersionId": "v1",
                    "IsDefaultVersion": false,
                    "CreateDate": "2026-01-02T03:04:05Z",
                },
            ],
        }],
    })
}

#[test]
fn reads_each_kind_of_entity() {
    let imported = good(&[&pretty(&export())]);
    let account = &imported.account;
    assert_eq!(account.id().to_string(), ACCOUNT);
    let user = account.user_with_arn(&arn("arn:aws:iam::123456789012:user/team/alice")).unwrap();
    assert_eq!(user.created, "2026-01-02T03:04:05Z".parse().unwrap());
    assert_eq!(user.tags.value("dept").unwrap().as_str(), "eng");
    assert_eq!(account.groups_of(user.id).count(), 1);
    let role = account.role_with_arn(&arn("arn:aws:iam::123456789012:role/svc/worker")).unwrap();
    assert_eq!(role.created, user.created);
    assert_eq!(role.tags.value("aws:reserved").unwrap().as_str(), "kept");
    assert_eq!(account.role_use(&role.id).unwrap().region, "eu-west-1");
    assert_eq!(account.instance_profiles_of(role.id).count(), 1);
    assert!(account.group_with_arn(&arn("arn:aws:iam::123456789012:group/devs")).is_some());
    // PR-10: path and case count.
    assert!(account.user_with_arn(&arn("arn:aws:iam::123456789012:user/alice")).is_none());
    assert!(account.role_with_arn(&arn("arn:aws:iam::123456789012:role/svc/Worker")).is_none());
    // PR-12: the trust policy means the user's id.
    assert_eq!(
        role.trust.bindings(),
        [Binding { arn: arn("arn:aws:iam::123456789012:user/team/alice"), id: user.id }]
    );
    let alice = as_user(account, user);
    let resource = "arn:aws:iam::123456789012:role/svc/worker";
    let managed = &imported.managed;
    assert!(ask_in(account, managed, &alice, "sts:AssumeRole", resource, Some(role)).is_allowed());
    assert!(ask(&imported, &alice, "s3:GetObject").is_allowed());
    // By the group, from the catalog.
    assert!(ask(&imported, &alice, "sqs:SendMessage").is_allowed());
    assert!(!ask(&imported, &alice, "ec2:RunInstances").is_allowed());
    let [note] = imported.notes.as_slice() else { panic!("{:?}", imported.notes) };
    assert_eq!(note.kind, NoteKind::Catalog);
}

#[test]
fn pages_come_as_files_as_a_list_and_one_after_another() {
    let whole = export();
    let mut first =
        json!({"UserDetailList": whole["UserDetailList"], "IsTruncated": true, "Marker": "m"});
    let second = json!({
        "GroupDetailList": whole["GroupDetailList"],
        "RoleDetailList": whole["RoleDetailList"],
        "Policies": whole["Policies"],
        "IsTruncated": false,
    });
    let (one, two) = (first.to_string(), second.to_string());
    let expected = details(&good(&[&whole.to_string()]).account);
    for files in [
        vec![one.clone(), two.clone()],
        vec![two.clone(), one.clone()],
        vec![format!("[{one},{two}]")],
        vec![format!("{one}\n{two}\n")],
        vec![format!("\u{feff}{whole}")],
    ] {
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        let imported = good(&files);
        assert_eq!(details(&imported.account), expected, "{files:?}");
        assert!(imported.notes.iter().all(|note| note.kind == NoteKind::Catalog), "{files:?}");
    }
    // The rest is not there: the group is a riddle, and so alice is denied (IN-6).
    let imported = good(&[&one]);
    let kinds: Vec<_> = imported.notes.iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [NoteKind::CutOff, NoteKind::Missing, NoteKind::Missing]);
    let alice = imported.account.user_named("alice").unwrap();
    let who = as_user(&imported.account, alice);
    assert!(!ask(&imported, &who, "s3:GetObject").is_allowed());
    // The command line marks an end that is none with a token.
    first["IsTruncated"] = Value::Null;
    first["NextToken"] = json!("t");
    assert_eq!(good(&[&first.to_string()]).notes[0].kind, NoteKind::CutOff);
}

#[test]
fn the_place_of_an_unreadable_document_is_told() {
    let mut export = export();
    export["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"] = json!({"Statement": 1});
    let text = pretty(&export);
    let line = 1 + text.lines().position(|line| line.contains("\"PolicyDocument\"")).unwrap();
    let imported = good(&[&text]);
    let place = imported.notes[0].place.as_ref().unwrap();
    assert_eq!((place.file.as_str(), place.line), ("page1.json", line));
}

/// A policy of AWS as the export shows it stands before the catalog's.
#[test]
fn the_exports_text_of_an_aws_policy_is_used() {
    let mut export = export();
    export["Policies"].as_array_mut().unwrap().push(json!({
        "PolicyName": "AmazonSQSFullAccess",
        "Arn": "arn:aws:iam::aws:policy/AmazonSQSFullAccess",
        "PolicyVersionList": [{"VersionId": "v9", "IsDefaultVersion": true, "Document": {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"},
        }}],
    }));
    let imported = good(&[&pretty(&export)]);
    assert_eq!(imported.notes, []);
    let who = as_user(&imported.account, imported.account.user_named("alice").unwrap());
    assert!(ask(&imported, &who, "sns:Publish").is_allowed());
    assert!(!ask(&imported, &who, "sqs:SendMessage").is_allowed());
}

/// PR-12, PR-13: ids of the gone stay ids; principals of other accounts match by ARN.
#[test]
fn trust_policies_mean_ids_where_they_can() {
    let trusting = |principal: &str| {
        let mut export = export();
        export["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!({
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"},
        });
        good(&[&pretty(&export)])
    };
    let user = |account: &str, id: &str| Principal::User {
        arn: format!("arn:aws:iam::{account}:user/team/alice").into(),
        id: id.parse().unwrap(),
        account: account.parse().unwrap(),
        name: "alice".into(),
    };
    let (own, again) = ("AIDAQQQQQQQQQQQQQQQQA", "AIDAQQQQQQQQQQQQQQQQZ");
    for (principal, who, expected) in [
        ("arn:aws:iam::123456789012:user/team/alice", user(ACCOUNT, own), true),
        // A new user of the old name.
        ("arn:aws:iam::123456789012:user/team/alice", user(ACCOUNT, again), false),
        ("arn:aws:iam::123456789012:user/team/nobody", user(ACCOUNT, own), false),
        (own, user(ACCOUNT, own), true),
        (again, user(ACCOUNT, own), false),
        ("arn:aws:iam::210987654321:user/team/alice", user("210987654321", again), true),
        ("arn:aws:iam::210987654321:user/alice", user("210987654321", again), false),
    ] {
        let imported = trusting(principal);
        let role = Arc::clone(imported.account.role_named("worker").unwrap());
        let resource = "arn:aws:iam::123456789012:role/svc/worker";
        let source = Source::new("trust", SourceKind::Trust);
        let text = "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}";
        let all = Document::parse(text, DocumentKind::Identity).unwrap();
        let own_source = Source::new("all", SourceKind::UserInline);
        let is_foreign = who.account() != Some(imported.account.id());
        let own = is_foreign.then_some(Attached { source: &own_source, document: &all });
        let mut applicable = bailiwick_policy::Applicable::identity(own);
        let document = role.trust.document().unwrap();
        applicable.resource = Some(Attached { source: &source, document });
        let mut context = Context::new();
        context.put_principal(&who);
        let decision = decide(
            &Request {
                principal: &who,
                action: "sts:AssumeRole",
                resource,
                resource_account: Some(imported.account.id()),
                context: &context,
                delegated: true,
            },
            &applicable,
        );
        assert_eq!(decision.is_allowed(), expected, "{principal} {who:?}: {decision:?}");
    }
}

/// A session stands for its role, whose path its ARN does not show (PR-11).
#[test]
fn a_session_principal_is_bound_to_its_role() {
    let mut export = export();
    export["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/worker/s1"},
            "Action": "sts:AssumeRole",
        },
    });
    let imported = good(&[&pretty(&export)]);
    let role = imported.account.role_named("worker").unwrap();
    let bound = arn("arn:aws:iam::123456789012:role/worker");
    assert_eq!(role.trust.bindings(), [Binding { arn: bound, id: role.id }]);
}

#[test]
fn ids_of_another_form_are_derived_and_told() {
    let mut export = export();
    export["UserDetailList"][0]["UserId"] = json!("aaabbbccc");
    export["GroupDetailList"][0]["GroupId"] = json!("AIDAQQQQQQQQQQQQQQQQB");
    export["RoleDetailList"][0]["RoleId"] = Value::Null;
    let (one, two) = (good(&[&export.to_string()]), good(&[&pretty(&export)]));
    let derived = one.notes.iter().filter(|note| note.kind == NoteKind::Derived).count();
    assert_eq!(derived, 3);
    let id = |imported: &Imported| imported.account.user_named("alice").unwrap().id;
    assert_eq!(id(&one), id(&two));
    assert_eq!(id(&one).kind(), IdKind::User);
}

#[test]
fn an_entity_may_stand_twice_if_it_is_the_same() {
    let whole = export().to_string();
    let imported = good(&[&whole, &whole]);
    let repeated = imported.notes.iter().filter(|note| note.kind == NoteKind::Repeated).count();
    assert_eq!(repeated, 4);
    assert_eq!(imported.account.users().len(), 1);
    let mut other = export();
    other["UserDetailList"][0]["Tags"] = json!([]);
    let error = import(&[&whole, &other.to_string()]).unwrap_err();
    assert_eq!(error.file, "page2.json");
    assert!(matches!(error.problem, ExportProblem::Conflict(_)), "{error}");
}

#[test]
fn what_is_no_export_is_refused_with_its_place() {
    let text = pretty(&export());
    let swap = |from: &str, to: &str| text.replacen(from, to, 1);
    let deep = "[".repeat(65);
    let place = |needle: &str| {
        let at = text.find(needle).unwrap();
        let line = text[..at].lines().count();
        (line, text[..at].lines().last().unwrap().len() + 1)
    };
    let (name_line, _) = place("\"alice\"");
    for (text, line, column, says) in [
        (String::new(), 1, None, "no account export"),
        ("nonsense".to_owned(), 1, Some(2), "expected ident"),
        ("{}".to_owned(), 1, Some(1), "no account export"),
        ("[{}]".to_owned(), 1, Some(1), "no account export"),
        ("7".to_owned(), 1, Some(1), "an account export: an object"),
        (
            "{\"UserDetailList\": [],\n \"Policies\": 4}".to_owned(),
            2,
            Some(14),
            "expected a list of entities",
        ),
        ("{\"UserDetailList\": []}".to_owned(), 1, Some(1), "holds no entity"),
        (deep.clone(), 1, Some(65), "deeper than 64"),
        (swap("\"alice\"", "\"al ice\""), name_line, None, "` ` at byte 2 is not allowed"),
        (swap("\"alice\"", "17"), name_line, None, "expected a string"),
        (swap("user/team/alice\"", "user/alice\""), 0, None, "path and name make it"),
        (
            swap("::123456789012:group/devs", "::210987654321:group/devs"),
            0,
            None,
            "is not of account",
        ),
        (swap("\"VersionId\": \"v2\"", "\"VersionId\": \"2\""), 0, None, "has the form `v1`"),
        (
            swap("\"DefaultVersionId\": \"v2\"", "\"DefaultVersionId\": \"v1\""),
            0,
            None,
            "two versions",
        ),
        (swap("\"VersionId\": \"v1\"", "\"VersionId\": \"v2\""), 0, None, "stands twice"),
    ] {
        let error = import(&[&text]).unwrap_err();
        assert!(error.to_string().contains(says), "{says}: {error}");
        assert!(line == 0 || error.line == line, "{says}: {error}");
        assert!(column.is_none_or(|column| error.column == column), "{says}: {error}");
    }
    let bytes = b"{\"UserDetailList\":\n \xff";
    let error = read(&[ExportFile { name: "f", bytes }], Catalog::embedded()).unwrap_err();
    assert_eq!(error.to_string(), "f:2:2: the text is not UTF-8");
    assert!(matches!(import(&[]).unwrap_err().problem, ExportProblem::Empty));
}

/// Every text that is cut off somewhere is an error and not a panic.
#[test]
fn a_cut_text_is_an_error() {
    let text = export().to_string();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        assert!(import(&[&text[..end]]).is_err(), "{end}");
    }
}
