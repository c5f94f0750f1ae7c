use super::*;

fn policy(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

fn public(statements: &str, resource_type: &str) -> Checked {
    let kind = PublicResource::parse(resource_type).expect(resource_type);
    no_public_access(&policy(statements), kind).expect(statements)
}

#[test]
fn new_access_is_told_with_its_statement() {
    let one = policy(r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}"#);
    let two = policy(
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        {"Sid": "More", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "sqs:Del*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["iam:GetUser", "s3:GetObject"], "Resource": "*"}"#,
    );
    let checked = no_new_access(&one, &two, Kind::Identity).unwrap();
    assert!(!checked.passed && !checked.undecided);
    assert!(checked.witness.unwrap().action.starts_with("sqs:"));
    assert_eq!(
        checked.message,
        "The modified permissions grant new access compared to your existing policy."
    );
    let told: Vec<&str> = checked.reasons.iter().map(|one| one.description.as_str()).collect();
    assert_eq!(
        told,
        [
            "New access in the statement with sid: More.",
            "New access in the statement with index: 3."
        ]
    );
    assert_eq!(checked.reasons[0].statement_index, Some(1));
    assert!(no_new_access(&two, &two, Kind::Identity).unwrap().passed);
}

#[test]
fn granted_access_is_found() {
    let one = policy(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"},
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}"#,
    );
    let ask = |actions: &[&str], resources: &[&str]| {
        let own = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let access = Access { actions: own(actions), resources: own(resources) };
        access_not_granted(&one, &[access], Kind::Identity)
    };
    for (actions, resources, passes) in [
        (&["s3:GetObject"][..], &[][..], false),
        (&["s3:DeleteObject"], &[], true),
        (&["iam:*", "sqs:SendMessage"], &[], true),
        (&[], &["arn:aws:s3:::b/key"], false),
        (&[], &["arn:aws:s3:::other/*"], true),
        (&["s3:GetObject"], &["arn:aws:s3:::other/*", "arn:aws:s3:::b/x*"], false),
        (&["*"], &["*"], false),
    ] {
        let checked = ask(actions, resources).unwrap();
        assert_eq!(checked.passed, passes, "{actions:?} {resources:?}");
        assert_eq!(checked.witness.is_none(), passes);
        assert!(!checked.undecided);
    }
    let told = ask(&[], &["arn:aws:s3:::b/key"]).unwrap();
    assert_eq!(
        told.message,
        "The policy document grants access to perform one or more of the listed actions or resources."
    );
    let reason = "One or more of the listed actions or resources in the statement with index: 0.";
    assert_eq!(told.reasons[0].description, reason);
    for (actions, resources) in [
        (&[][..], &[][..]),
        (&["GetObject"], &[]),
        (&["s3:Get Object"], &[]),
        (&["s3:"], &[]),
        (&["*:*"], &[]),
        (&[], &["bucket"]),
        (&[], &["arn:aws:*:::b"]),
        (&[], &["arn:aws:s3:::"]),
    ] {
        let fault = ask(actions, resources);
        let fine = resources == ["arn:aws:s3:::"];
        assert_eq!(fault.is_ok(), fine, "{actions:?} {resources:?} {fault:?}");
    }
}

#[test]
fn limits_of_the_api_hold() {
    let one = policy(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#);
    let ask = |access: Vec<Access>| {
        access_not_granted(&one, &access, Kind::Identity).map(|_| ()).unwrap_err().code()
    };
    let actions = |count| vec!["s3:GetObject".to_owned(); count];
    let with = |count| Access { actions: actions(count), resources: Vec::new() };
    assert_eq!(ask(vec![with(101)]), FaultCode::Validation);
    assert_eq!(ask(vec![with(1), with(1)]), FaultCode::Validation);
    assert_eq!(ask(vec![]), FaultCode::InvalidParameter);
    assert_eq!(ask(vec![Access::default()]), FaultCode::InvalidParameter);
    let long = Access {
        actions: Vec::new(),
        resources: vec![format!("arn:aws:s3:::{}", "x".repeat(2_048))],
    };
    assert_eq!(ask(vec![long]), FaultCode::Validation);
    let fault = no_new_access("{", &one, Kind::Identity).unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidParameter);
    assert!(fault.to_string().contains("existingPolicyDocument"), "{fault}");
    let huge = " ".repeat(2_000_000);
    let fault = no_new_access(&one, &huge, Kind::Identity).unwrap_err();
    assert_eq!(fault.code(), FaultCode::UnprocessableEntity);
}

/// The examples of AWS's SDKs: statements without Resource.
#[test]
fn the_documented_examples_of_public_access() {
    let john = r#"{"Sid": "Bob", "Effect": "Allow", "Principal":
        {"AWS": "arn:aws:iam::111122223333:user/JohnDoe"}, "Action": ["s3:GetObject"]}"#;
    let passed = public(john, "AWS::S3::Bucket");
    assert!(passed.passed && passed.reasons.is_empty());
    let everybody =
        r#"{"Sid": "Bob", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"]}"#;
    let failed = public(everybody, "AWS::S3::Bucket");
    assert!(!failed.passed && failed.witness.is_some());
    assert_eq!(
        failed.reasons[0].description,
        "Public access granted in the following statement with sid: Bob."
    );
    assert_eq!(failed.reasons[0].statement_index, Some(0));
}

#[test]
fn fixed_values_keep_strangers_out() {
    let with = |condition: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {{"AWS": "*"}}, "Action": "s3:*",
            "Resource": "*", "Condition": {condition}}}"#
        )
    };
    for (condition, passes) in [
        (r#"{"StringEquals": {"aws:PrincipalOrgID": "o-abcdef1234"}}"#, true),
        (r#"{"StringLike": {"aws:PrincipalOrgID": "o-*"}}"#, false),
        (r#"{"StringEquals": {"aws:SourceVpce": ["vpce-1a2b3c4d", "vpce-2a2b3c4d"]}}"#, true),
        (r#"{"StringEquals": {"AWS:SourceVPC": "vpc-1a2b3c4d"}}"#, true),
        (r#"{"StringNotEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}}"#, false),
        (r#"{"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1a2b3c4d"}}"#, false),
        (r#"{"StringEquals": {"aws:UserAgent": "secret"}}"#, false),
        (r#"{"StringEquals": {"aws:Referer": "secret"}}"#, false),
        (r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#, true),
        (r#"{"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "10.0.0.0/8"]}}"#, true),
        (r#"{"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}"#, false),
        (r#"{"IpAddress": {"aws:SourceIp": "::/16"}}"#, false),
        (r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#, false),
        (r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/r"}}"#, true),
        (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/r"}}"#, false),
        (r#"{"StringEquals": {"aws:PrincipalAccount": "111122223333"}}"#, true),
        (r#"{"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}"#, false),
        (r#"{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-abcdef1234/r-ab12/*"}}"#, true),
        (r#"{"Bool": {"aws:SecureTransport": "true"}}"#, false),
        (
            r#"{"StringLike": {"s3:DataAccessPointArn":
            "arn:aws:s3:us-east-1:111122223333:accesspoint/*"}}"#,
            true,
        ),
        // PR-8: `AWS: *` means no services.
        (r#"{"Bool": {"aws:PrincipalIsAWSService": "true"}}"#, true),
    ] {
        let checked = public(&with(condition), "AWS::S3::Bucket");
        assert_eq!(checked.passed, passes, "{condition} {checked:?}");
        assert!(!checked.undecided, "{condition}");
        assert_eq!(checked.witness.is_none(), passes);
    }
}

#[test]
fn services_are_not_the_public() {
    let services = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}}"#;
    assert!(public(services, "AWS::S3::Bucket").passed);
}

#[test]
fn denies_keep_strangers_out() {
    let all = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
    for (deny, passes) in [
        (
            r#""Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1"}}"#,
            true,
        ),
        (r#""Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}"#, false),
        (r#""NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/u"}"#, true),
        (r#""Principal": "*""#, true),
        (r#""Principal": {"AWS": "arn:aws:iam::111122223333:user/u"}"#, false),
    ] {
        let text =
            format!(r#"{all}, {{"Effect": "Deny", {deny}, "Action": "*", "Resource": "*"}}"#);
        let checked = public(&text, "AWS::SQS::Queue");
        assert_eq!(checked.passed, passes, "{deny} {checked:?}");
    }
}

#[test]
fn the_type_of_the_resource_matters() {
    let service = r#"{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": "*"}"#;
    assert!(public(service, "AWS::SQS::Queue").passed);
    let trust = r#"{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}"#;
    assert!(!public(trust, "AWS::IAM::AssumeRolePolicyDocument").passed);
    let mount = r#"{"Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["elasticfilesystem:ClientMount"],
        "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}}"#;
    assert!(public(mount, "AWS::EFS::FileSystem").passed);
    let own = r#"{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*",
        "Resource": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "111122223333",
        "kms:ViaService": "s3.us-east-1.amazonaws.com"}}}"#;
    assert!(public(own, "AWS::KMS::Key").passed);
    let canonical = r#"{"Effect": "Allow", "Principal": {"CanonicalUser": "79a59df900b949e5"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}"#;
    assert!(public(canonical, "AWS::S3::Bucket").passed);
    for kind in PublicResource::all() {
        assert_eq!(PublicResource::parse(kind.as_str()), Some(kind));
        let open = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
        let checked = public(open, kind.as_str());
        assert!(!checked.passed && checked.witness.is_some(), "{}", kind.as_str());
    }
}

#[test]
fn differences_are_told_by_statement() {
    let old = policy(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Sid": "Keep", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}"#,
    );
    let new = policy(
        r#"{"Sid": "Narrow", "Effect": "Allow", "Action": ["s3:Get*", "s3:DeleteObject"], "Resource": "*"},
        {"Sid": "More", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}"#,
    );
    let found = difference(&old, &new, Kind::Identity).unwrap();
    let places: Vec<_> =
        found.gained.iter().map(|change| (change.allowed_by, change.denied_by)).collect();
    assert_eq!(places, [(Some(0), Some(1)), (Some(1), None)], "{found:?}");
    assert!(found.gained[0].witness.action.eq_ignore_ascii_case("s3:DeleteObject"));
    assert_eq!(
        (found.lost.len(), found.lost[0].allowed_by, found.lost[0].denied_by),
        (1, Some(0), None)
    );
    assert!(found.undecided.is_empty());
    assert_eq!(difference(&new, &new, Kind::Identity).unwrap(), Difference::default());
}
