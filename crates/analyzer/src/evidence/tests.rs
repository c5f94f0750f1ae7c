//! What bad input gets: a fault with its place, a part that is missing, and the rest read.

use bailiwick_catalog::Catalog;

use super::*;

fn read_all(files: &[(&str, &[u8])]) -> Result<Evidence, Vec<Fault>> {
    let files: Vec<File<'_>> =
        files.iter().map(|(path, bytes)| File { name: path, path, bytes }).collect();
    read(&files, Catalog::embedded())
}

const OWN: (&str, &[u8]) = (
    "collected.json",
    br#"{"account": "123456789012", "arn": "arn:aws:iam::123456789012:user/a"}"#,
);

#[test]
fn a_file_that_cannot_be_read_is_a_fault_and_its_part_is_missing() {
    let deep = [b"{\"PasswordPolicy\": ".as_slice(), "[".repeat(500).as_bytes()].concat();
    let wide = [b"\xFF\xFE{".as_slice()].concat();
    for (bytes, line, column, part) in [
        (b"{\"PasswordPolicy\": {\n  \"MinimumPasswordLength\": \"x\"}}".as_slice(), 2, 30, "u32"),
        (b"{\"PasswordPolicy\": {".as_slice(), 1, 20, "EOF"),
        (b"[]".as_slice(), 1, 2, "get-account-password-policy"),
        (b"\xC3\x28".as_slice(), 1, 1, "not UTF-8"),
        (&deep, 1, 83, "deeper than 64"),
        (&wide, 1, 1, "UTF-16"),
    ] {
        let found = read_all(&[
            OWN,
            ("password-policy.json", bytes),
            ("account-summary.json", br#"{"SummaryMap": {"Users": 1}}"#),
        ])
        .unwrap();
        let [fault] = found.faults.as_slice() else { panic!("{:?}", found.faults) };
        assert!(fault.problem.contains(part), "{fault}");
        assert_eq!((fault.line, fault.column), (line, column), "{fault}");
        assert!(fault.rest.contains("not assessed"), "{fault}");
        let missing = Missing::Unreadable("password-policy.json".to_owned());
        assert_eq!(found.password_policy.missing(), Some(&missing));
        assert!(found.account_summary.known().is_some());
    }
}

#[test]
fn a_call_that_failed_is_told_as_such() {
    let found = read_all(&[
        OWN,
        ("password-policy.json.error", b"An error occurred (NoSuchEntity) when calling"),
        ("account-summary.json.error", b"An error occurred (AccessDenied) when calling"),
    ])
    .unwrap();
    assert_eq!(found.password_policy, Part::Known(None));
    assert!(
        matches!(found.account_summary.missing(), Some(Missing::Refused(text)) if text.contains("AccessDenied"))
    );
    assert_eq!(found.server_certificates.missing(), Some(&Missing::NotGiven));
}

#[test]
fn files_of_two_accounts_are_no_evidence() {
    let other = br#"{"account": "210987654321"}"#;
    let details = br#"{"UserDetailList": [{"Path": "/", "UserName": "a", "UserId": "x",
        "Arn": "arn:aws:iam::123456789012:user/a"}]}"#;
    let faults = read_all(&[("authorization-details.json", details), ("collected.json", other)]);
    let faults = faults.unwrap_err();
    assert!(faults[0].problem.contains("210987654321"), "{faults:?}");
}

#[test]
fn nothing_that_tells_an_account_is_an_error() {
    for files in [
        [("password-policy.json", br#"{"PasswordPolicy": {}}"#.as_slice())],
        [("authorization-details.json", b"{\"UserDetailList\": [".as_slice())],
        [("", b"\x00\x01".as_slice())],
    ] {
        assert!(!read_all(&files).unwrap_err().is_empty());
    }
}

#[test]
fn details_that_cannot_be_read_are_missing_beside_the_rest() {
    let found =
        read_all(&[OWN, ("authorization-details.json", b"{\"UserDetailList\": [")]).unwrap();
    assert!(matches!(found.details.missing(), Some(Missing::Unreadable(_))));
    assert_eq!(found.faults.len(), 1);
}

#[test]
fn pages_that_end_too_early_are_a_fault() {
    let details = br#"{"UserDetailList": [{"Path": "/", "UserName": "a", "UserId": "x",
        "Arn": "arn:aws:iam::123456789012:user/a"}], "IsTruncated": true, "Marker": "m"}"#;
    let found = read_all(&[("authorization-details.json", details)]).unwrap();
    assert!(found.details.known().unwrap().cut_off);
    assert_eq!(found.faults.len(), 1, "{:?}", found.faults);
}

#[test]
fn files_are_known_by_what_they_hold() {
    let details = br#"{"UserDetailList": [{"Path": "/", "UserName": "a", "UserId": "x",
        "Arn": "arn:aws:iam::123456789012:user/a"}]}"#;
    let found = read_all(&[
        ("gaad.json", details.as_slice()),
        ("policy-of-passwords.json", br#"{"PasswordPolicy": {"MinimumPasswordLength": 8}}"#),
        ("notes.txt", b"hello"),
    ])
    .unwrap();
    assert_eq!(found.estate.account.users().len(), 1);
    assert!(found.password_policy.known().is_some());
    assert!(found.notes[0].contains("notes.txt"), "{:?}", found.notes);
}

#[test]
fn a_bucket_whose_policy_was_refused_is_not_one_without() {
    let found = read_all(&[
        OWN,
        ("s3/buckets.json", br#"{"Buckets": [{"Name": "a"}, {"Name": "b"}, {"Name": "c"}]}"#),
        ("s3/a/policy.json.error", b"(AccessDenied)"),
        ("s3/b/policy.json.error", b"(NoSuchBucketPolicy)"),
        ("s3/c/policy.json", br#"{"Policy": "{"}"#),
    ])
    .unwrap();
    let of = |name: &str| &found.resources.known().unwrap()[&format!("arn:aws:s3:::{name}")];
    assert!(of("a").policy.missing().is_some());
    assert!(matches!(of("b").policy, Part::Known(None)));
    assert!(matches!(of("c").policy, Part::Known(Some(Err(_)))));
    let estate = found.estate.resource_policies.as_ref().unwrap();
    assert_eq!(estate.len(), 1);
    assert!(estate["arn:aws:s3:::c"].policy.is_err());
}
