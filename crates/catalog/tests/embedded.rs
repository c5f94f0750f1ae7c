//! The embedded data file: it reads whole, and the facts that others lean on are in it.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_catalog::{AccessLevel, Catalog, CatalogError, KeyType};
use serde_json::Value;

fn catalog() -> &'static Catalog {
    Catalog::embedded()
}

#[test]
fn the_whole_file_reads_and_counts_are_true() {
    let whole = Catalog::from_bytes(Catalog::embedded_bytes()).expect("the embedded file reads");
    let counts = whole.counts();
    let sum = |lens: Vec<usize>| lens.into_iter().sum::<usize>();
    assert_eq!(whole.services().len(), counts.services as usize);
    assert_eq!(
        sum(whole.services().map(|service| service.actions().len()).collect()),
        counts.actions as usize
    );
    assert_eq!(
        sum(whole.services().map(|service| service.resource_types().len()).collect()),
        counts.resource_types as usize
    );
    assert!(whole.condition_keys().len() >= counts.condition_keys as usize);
    assert_eq!(whole.managed_policies().len(), counts.managed_policies as usize);
    assert_eq!(
        sum(whole.managed_policies().map(|policy| policy.versions.len()).collect()),
        counts.policy_versions as usize
    );
    assert!(counts.actions > 20_000 && counts.services > 400, "{counts:?}");
    assert!(whole.date() >= jiff::civil::date(2026, 10, 1));
    assert_eq!(whole.sources().len(), 4);
}

#[test]
fn the_embedded_file_stays_small() {
    assert!(Catalog::embedded_bytes().len() < 1_000_000, "{}", Catalog::embedded_bytes().len());
}

/// Every service of the program that has operations of its own must find them as actions.
#[test]
fn operations_are_actions() {
    for (prefix, names) in [
        (
            "iam",
            &[
                "CreateUser",
                "GetUser",
                "ListUsers",
                "PassRole",
                "PutRolePolicy",
                "SimulatePrincipalPolicy",
            ][..],
        ),
        (
            "sts",
            &[
                "AssumeRole",
                "AssumeRoleWithSAML",
                "AssumeRoleWithWebIdentity",
                "AssumeRoot",
                "GetCallerIdentity",
            ],
        ),
        (
            "sts",
            &[
                "DecodeAuthorizationMessage",
                "GetAccessKeyInfo",
                "GetFederationToken",
                "GetSessionToken",
            ],
        ),
        ("sts", &["SetSourceIdentity", "TagSession"]),
        ("organizations", &["CreateAccount", "AttachPolicy"]),
        ("access-analyzer", &["ValidatePolicy", "CheckNoNewAccess"]),
        ("cloudtrail", &["LookupEvents", "CreateTrail"]),
    ] {
        for name in names {
            let action =
                catalog().action(prefix, name).unwrap_or_else(|| panic!("no {prefix}:{name}"));
            assert_eq!(&*action.name, *name);
            assert!(!action.levels.is_empty(), "{prefix}:{name}");
        }
    }
    assert!(catalog().service("iam").expect("iam").actions().len() >= 170);
}

/// Rule ACT-1: prefix and name are compared without regard to case.
#[test]
fn case_is_not_regarded_in_actions() {
    let action = catalog().action("IAM", "createuser").expect("found");
    assert_eq!(&*action.name, "CreateUser");
    assert_eq!(catalog().action("iam", "CreateUsers"), None);
    assert_eq!(catalog().action("iam", "Create*"), None);
    assert_eq!(catalog().action("*", "CreateUser"), None);
    assert_eq!(catalog().action("", ""), None);
}

#[test]
fn assume_role_is_asked_of_a_role() {
    let action = catalog().action("sts", "AssumeRole").expect("found");
    let role = action.resource_type("role").expect("has the type");
    assert!(role.required);
    assert!(action.condition_keys.iter().any(|key| &**key == "sts:ExternalId"));
    let kind = catalog().service("sts").and_then(|sts| sts.resource_type("ROLE")).expect("defined");
    assert_eq!(&*kind.arn_pattern, "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}");
}

#[test]
fn access_levels_are_sets() {
    for (prefix, name, levels) in [
        ("iam", "ListUsers", "List"),
        ("iam", "GetUser", "Read"),
        ("iam", "CreateUser", "Write"),
        ("iam", "AttachUserPolicy", "Permissions management, Write"),
        ("iam", "TagUser", "Tagging, Write"),
    ] {
        assert_eq!(
            catalog().action(prefix, name).expect(name).levels,
            levels.parse().expect(levels),
            "{name}"
        );
    }
    let combined = catalog()
        .services()
        .flat_map(|service| service.actions().collect::<Vec<_>>())
        .filter(|action| action.levels.iter().count() > 1)
        .inspect(|action| assert!(action.levels.contains(AccessLevel::Write), "{}", action.name))
        .count();
    assert!(combined > 1_000, "{combined}");
}

/// Rule IN-3: dependent actions are known actions.
#[test]
fn what_actions_name_is_known() {
    for service in catalog().services() {
        for action in service.actions() {
            let resources = action.resource_types.iter();
            let dependent =
                resources.clone().flat_map(|resource| resource.dependent_actions.iter());
            for name in dependent.chain(action.dependent_actions.iter()) {
                let known =
                    name.split_once(':').and_then(|(prefix, name)| catalog().action(prefix, name));
                assert!(known.is_some(), "{name} of {}:{}", service.prefix(), action.name);
            }
            for resource in resources {
                assert!(
                    service.resource_type(&resource.name).is_some(),
                    "{}:{}",
                    service.prefix(),
                    action.name
                );
            }
        }
    }
    let dependents = |prefix: &str, name: &str| -> BTreeSet<String> {
        let action = catalog().action(prefix, name).expect(name);
        let resources =
            action.resource_types.iter().flat_map(|resource| resource.dependent_actions.iter());
        resources.chain(action.dependent_actions.iter()).map(ToString::to_string).collect()
    };
    for (prefix, name) in
        [("lambda", "CreateFunction"), ("ec2", "RunInstances"), ("ecs", "RunTask")]
    {
        assert!(dependents(prefix, name).contains("iam:PassRole"), "{prefix}:{name}");
    }
}

/// Rule KEY-8: every key that a table names has a type.
#[test]
fn every_condition_key_has_a_type() {
    let mut missing = BTreeSet::new();
    let mut check = |name: &str| {
        if catalog().condition_key(name).is_none() {
            missing.insert(name.to_owned());
        }
    };
    for service in catalog().services() {
        service.condition_keys().for_each(&mut check);
        service
            .resource_types()
            .flat_map(|kind| kind.condition_keys.iter())
            .for_each(|name| check(name));
        for action in service.actions() {
            let resources =
                action.resource_types.iter().flat_map(|resource| resource.condition_keys.iter());
            resources.chain(action.condition_keys.iter()).for_each(|name| check(name));
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// Rules CO-2, KEY-1 to KEY-5 and KEY-8, with keys of the file and of our own table side by side.
#[test]
fn condition_keys_are_found_as_requests_write_them() {
    for (name, found, kind, multivalued) in [
        ("aws:SourceIp", "aws:SourceIp", KeyType::IpAddress, false),
        ("AWS:sourceip", "aws:SourceIp", KeyType::IpAddress, false),
        ("aws:requesttag/Team", "aws:RequestTag/${TagKey}", KeyType::String, false),
        ("aws:PrincipalTag/a/b", "aws:PrincipalTag/${TagKey}", KeyType::String, false),
        ("aws:TagKeys", "aws:TagKeys", KeyType::String, true),
        ("iam:PolicyArn", "iam:PolicyARN", KeyType::Arn, false),
        ("iam:PassedToService", "iam:PassedToService", KeyType::String, false),
        ("iam:ResourceTag/x", "iam:ResourceTag/${TagKey}", KeyType::String, false),
        ("sts:TransitiveTagKeys", "sts:TransitiveTagKeys", KeyType::String, true),
        ("sts:DurationSeconds", "sts:DurationSeconds", KeyType::Numeric, false),
        ("identitystore:UserId", "identitystore:UserId", KeyType::String, false),
        ("saml:aud", "saml:aud", KeyType::String, false),
        ("s3:ExistingObjectTag/colour", "s3:ExistingObjectTag/<key>", KeyType::String, false),
        (
            "events:Metadata/k/matcher",
            "events:Metadata/${MetadataKey}/Matcher",
            KeyType::String,
            false,
        ),
    ] {
        let key = catalog().condition_key(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!((&*key.name, key.kind, key.multivalued), (found, kind, multivalued), "{name}");
    }
    for name in ["aws:RequestTag", "aws:RequestTag/", "aws:Unheard", "", ":", "iam:"] {
        assert_eq!(catalog().condition_key(name), None, "{name}");
    }
}

/// The index of templates leans on this: no variable stands in the first word of a key.
#[test]
fn templates_stand_for_keys_with_their_variables_filled_in() {
    let mut templates = 0;
    for key in catalog().condition_keys().filter(|key| key.name.contains("${")) {
        let filled: String =
            key.name.split("${").enumerate().fold(String::new(), |filled, (at, part)| {
                let literal = if at == 0 {
                    part
                } else {
                    part.split_once('}').map_or(part, |(_, literal)| literal)
                };
                if at == 0 { literal.to_owned() } else { format!("{filled}Some-Thing{literal}") }
            });
        let found = catalog().condition_key(&filled.to_ascii_uppercase());
        assert_eq!(found.map(|found| &found.name), Some(&key.name), "{filled}");
        templates += 1;
    }
    assert!(templates > 80, "{templates}");
}

#[test]
fn well_known_managed_policies_have_their_documents() {
    let anything = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    });
    let policy = catalog().managed_policy("AdministratorAccess").expect("found");
    assert_eq!(&*policy.arn, "arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!((&*policy.path, &*policy.default_version, policy.attachable), ("/", "v1", true));
    assert_eq!(policy.created.to_string(), "2015-02-06T18:39:46Z");
    assert_eq!(serde_json::from_str::<Value>(&policy.default_document()).expect("JSON"), anything);
    assert!(
        policy
            .default_document()
            .starts_with("{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        {")
    );

    let full = catalog().managed_policy("arn:aws:iam::aws:policy/IAMFullAccess").expect("found");
    assert!(full.default_document().contains("\"iam:*\""));
    let read = catalog().managed_policy("ReadOnlyAccess").expect("found");
    assert!(read.versions.len() > 100 && read.default_document().contains("\"a4b:Get*\""));
    let billing =
        catalog().managed_policy("arn:aws:iam::aws:policy/job-function/Billing").expect("found");
    assert_eq!((&*billing.name, &*billing.path), ("Billing", "/job-function/"));
    assert!(catalog().managed_policy("arn:aws-cn:iam::aws:policy/job-function/Billing").is_some());
    assert_eq!(billing.arn_in("aws-cn"), "arn:aws-cn:iam::aws:policy/job-function/Billing");

    for absent in [
        "arn:aws:iam::aws:policy/Billing",
        "arn:aws:iam::123456789012:policy/AdministratorAccess",
        "arn:aws:iam::aws:role/AdministratorAccess",
        "arn:aws:iam::aws:policyAdministratorAccess",
        "arn:aws:iam::aws:policy/",
        "arn:",
        "administratoraccess",
        "",
    ] {
        assert!(catalog().managed_policy(absent).is_none(), "{absent:?}");
    }
}

#[test]
fn managed_policies_are_many_sorted_and_distinct() {
    let policies: Vec<_> = catalog().managed_policies().collect();
    assert!(policies.len() >= 1_000, "{}", policies.len());
    assert!(policies.windows(2).all(|pair| matches!(pair, [a, b] if a.name < b.name)));
    let ids: BTreeSet<_> = policies.iter().map(|policy| &policy.id).collect();
    assert_eq!(ids.len(), policies.len());
    for policy in &policies {
        assert!(policy.id.len() == 21 && policy.id.starts_with("ANPA"), "{}", policy.id);
        assert!(policy.created <= policy.updated, "{}", policy.name);
        assert!(policy.version(&policy.default_version).is_some(), "{}", policy.name);
        assert_eq!(
            catalog().managed_policy(&policy.arn).map(|found| &found.name),
            Some(&policy.name)
        );
    }
    assert!(policies.iter().filter(|policy| policy.is_for_service_linked_roles()).count() > 300);
    assert!(policies.iter().any(|policy| !policy.attachable));
}

/// Every document of every version is a policy: an object with statements, laid out as AWS writes it.
#[test]
fn every_document_is_a_policy() {
    for policy in catalog().managed_policies() {
        let mut texts = BTreeMap::new();
        for version in &policy.versions {
            let document = version.document();
            let value: Value = serde_json::from_str(&document).unwrap_or_else(|error| {
                panic!("{} {}: {error}", policy.name, version.id);
            });
            assert!(value.get("Statement").is_some(), "{} {}", policy.name, version.id);
            texts.insert(version.id.clone(), document);
        }
        assert_eq!(texts.len(), policy.versions.len(), "{}", policy.name);
    }
}

#[test]
fn damaged_files_are_refused() {
    let good = Catalog::embedded_bytes();
    let refused = |bytes: &[u8]| Catalog::from_bytes(bytes).map(drop).expect_err("refused");

    assert_eq!(refused(b""), CatalogError::NotACatalog);
    assert_eq!(refused(b"PK\x03\x04 something else"), CatalogError::NotACatalog);
    for cut in [8, 9, 17, 21, 22, 100, good.len() / 2, good.len() - 1] {
        let error = refused(&good[..cut]);
        assert!(!matches!(error, CatalogError::NotACatalog), "{cut}: {error}");
    }
    let mut longer = good.to_vec();
    longer.push(0);
    assert!(matches!(refused(&longer), CatalogError::Length { .. }));
    for at in [18, 22, 60, good.len() / 2, good.len() - 1] {
        let mut flipped = good.to_vec();
        flipped[at] ^= 0x10;
        assert!(matches!(refused(&flipped), CatalogError::Checksum { .. }), "{at}");
    }
    let mut newer = good.to_vec();
    newer[8] = 2;
    let error = refused(&newer);
    assert_eq!(
        error.to_string(),
        "the data file has format 2, but this version reads only format 1"
    );
}
