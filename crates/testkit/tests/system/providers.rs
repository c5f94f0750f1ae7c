//! OIDC and SAML providers.

use bailiwick_services::Quotas;
use bailiwick_testkit::certificates::{LEAF_KEY, RSA_KEY, RSA_KEY_PKCS8, saml_metadata};
use bailiwick_testkit::{HOME, Reply, Rights, World, allow_on};
use bailiwick_wire::Value;
use serde_json::json;

/// A call that is refused and writes nothing.
#[track_caller]
fn refused(world: &World, reply: impl FnOnce() -> Reply, code: &str) -> String {
    let before = world.revision();
    let message = reply().refused(code).message.clone();
    assert_eq!(world.revision(), before, "{code}: something was written");
    message
}

const URL: &str = "https://token.example.com/id/A1";

fn oidc(path: &str) -> String {
    format!("arn:aws:iam::{HOME}:oidc-provider/{path}")
}

fn saml(name: &str) -> String {
    format!("arn:aws:iam::{HOME}:saml-provider/{name}")
}

fn create_oidc(world: &World, url: &str) -> Reply {
    world.admin.iam("CreateOpenIDConnectProvider", &[("Url", url)])
}

#[test]
fn an_oidc_provider_from_birth_to_death() {
    let world = World::new(1100);
    let print = "0123456789abcdef0123456789abcdef01234567";
    let made = world.admin.iam(
        "CreateOpenIDConnectProvider",
        &[
            ("Url", URL),
            ("ClientIDList.member.1", "one"),
            ("ClientIDList.member.2", "one"),
            ("ThumbprintList.member.1", print),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blue"),
        ],
    );
    let made = made.ok();
    let arn = made.text("OpenIDConnectProviderArn");
    assert_eq!(arn, oidc("token.example.com/id/A1"));
    assert_eq!(made.text("Tags.0.Key"), "team");
    let words = refused(&world, || create_oidc(&world, URL), "EntityAlreadyExists");
    assert_eq!(words, format!("Provider with url {URL} already exists."));
    // Case and a slash at the end make another provider.
    create_oidc(&world, "https://token.example.com/id/a1").ok();
    create_oidc(&world, "https://token.example.com/id/A1/").ok();
    let by_arn = ("OpenIDConnectProviderArn", &*arn);
    let call = |name: &str, more: &[(&str, &str)]| {
        let parameters: Vec<_> = std::iter::once(by_arn).chain(more.iter().copied()).collect();
        world.admin.iam(name, &parameters)
    };
    let shown = call("GetOpenIDConnectProvider", &[]).ok();
    assert_eq!(shown.text("Url"), "token.example.com/id/A1");
    assert_eq!((shown.len("ClientIDList"), shown.len("ThumbprintList")), (1, 1));
    // Both are done again without an error and without a write.
    for (name, id) in [
        ("AddClientIDToOpenIDConnectProvider", "two"),
        ("RemoveClientIDFromOpenIDConnectProvider", "one"),
    ] {
        call(name, &[("ClientID", id)]).ok();
        let before = world.records();
        call(name, &[("ClientID", id)]).ok();
        assert_eq!(world.records_of(HOME).len(), before_of(&before), "{name}");
    }
    let other = "f".repeat(40);
    let update = [("ThumbprintList.member.1", &*other)];
    call("UpdateOpenIDConnectProviderThumbprint", &update).ok();
    let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    call("TagOpenIDConnectProvider", &tag).ok();
    let fork = world.fork();
    let shown = fork.admin.iam("GetOpenIDConnectProvider", &[by_arn]).ok();
    assert_eq!(shown.text("ClientIDList.0"), "two");
    assert_eq!(shown.text("ThumbprintList.0"), other);
    let tags = fork.admin.iam("ListOpenIDConnectProviderTags", &[by_arn]).ok();
    assert_eq!((tags.len("Tags"), tags.text("Tags.0.Value")), (1, "red".into()));
    call("UntagOpenIDConnectProvider", &[("TagKeys.member.1", "team")]).ok();
    assert_eq!(call("ListOpenIDConnectProviderTags", &[]).ok().len("Tags"), 0);
    let listed = world.admin.iam("ListOpenIDConnectProviders", &[]).ok();
    assert_eq!(listed.len("OpenIDConnectProviderList"), 3);
    let summary = world.admin.iam("GetAccountSummary", &[]).ok();
    let Some(Value::Map(summary)) = summary.at("SummaryMap") else { panic!("no map") };
    assert_eq!(summary["Providers"], Value::Integer(3));
    call("DeleteOpenIDConnectProvider", &[]).ok();
    call("DeleteOpenIDConnectProvider", &[]).ok();
    let words = refused(&world, || call("GetOpenIDConnectProvider", &[]), "NoSuchEntity");
    assert_eq!(words, format!("OpenIDConnect Provider not found for arn {arn}"));
}

fn before_of(records: &std::collections::BTreeMap<Vec<u8>, Vec<u8>>) -> usize {
    let prefix = format!("account/{HOME}/");
    records.keys().filter(|key| key.starts_with(prefix.as_bytes())).count()
}

#[test]
fn tm_g02_what_is_no_oidc_provider_is_refused() {
    let world = World::new(1101);
    for (url, code) in [
        ("token.example.com", "ValidationError"),
        ("https://", "ValidationError"),
        ("", "ValidationError"),
        (&*format!("https://{}", "a".repeat(250)), "ValidationError"),
        ("http://token.example.com", "InvalidInput"),
        ("https://token.example.com?a=b", "InvalidInput"),
        ("https://token.example.com:8443", "InvalidInput"),
        ("https://token.example.com/*", "InvalidInput"),
    ] {
        refused(&world, || create_oidc(&world, url), code);
    }
    let create = |member: &str, text: &str| {
        let parameters = [("Url", URL), (member, text)];
        world.admin.iam("CreateOpenIDConnectProvider", &parameters)
    };
    refused(&world, || create("ThumbprintList.member.1", "abc"), "ValidationError");
    refused(&world, || create("ThumbprintList.member.1", &"g".repeat(40)), "InvalidInput");
    refused(&world, || create("ClientIDList.member.1", ""), "ValidationError");
    for (arn, code) in [
        ("arn:aws:iam::123456789012:role/aaaaa", "InvalidInput"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ValidationError"),
        (&*oidc("token.example.com"), "NoSuchEntity"),
        (&*oidc("*"), "NoSuchEntity"),
    ] {
        let get = || {
            let parameters = [("OpenIDConnectProviderArn", arn)];
            world.admin.iam("GetOpenIDConnectProvider", &parameters)
        };
        refused(&world, get, code);
    }
}

#[test]
fn tm_g07_quotas_of_providers() {
    let quotas = Quotas {
        oidc_providers: 2,
        saml_providers: 1,
        client_ids_per_oidc_provider: 2,
        ..Quotas::default()
    };
    let world = World::with_quotas(1102, quotas);
    for number in 0..2 {
        create_oidc(&world, &format!("https://a{number}.example.com")).ok();
    }
    let words = refused(&world, || create_oidc(&world, "https://a3.example.com"), "LimitExceeded");
    assert_eq!(words, "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 2");
    let add = |id: &str| {
        let arn = oidc("a0.example.com");
        let parameters = [("OpenIDConnectProviderArn", &*arn), ("ClientID", id)];
        world.admin.iam("AddClientIDToOpenIDConnectProvider", &parameters)
    };
    add("one").ok();
    add("two").ok();
    let words = refused(&world, || add("three"), "LimitExceeded");
    assert_eq!(words, "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 2");
    add("two").ok();
    let prints: Vec<(String, String)> = (1..=6)
        .map(|place| (format!("ThumbprintList.member.{place}"), format!("{place:040}")))
        .collect();
    let update = |count: usize| {
        let arn = oidc("a0.example.com");
        let mut parameters = vec![("OpenIDConnectProviderArn", &*arn)];
        parameters.extend(prints.iter().take(count).map(|(key, text)| (&**key, &**text)));
        world.admin.iam("UpdateOpenIDConnectProviderThumbprint", &parameters)
    };
    update(5).ok();
    refused(&world, || update(6), "InvalidInput");
    create_saml(&world, "One").ok();
    let words = refused(&world, || create_saml(&world, "Two"), "LimitExceeded");
    assert_eq!(words, "Cannot exceed quota for SAMLProvidersPerAccount: 1");
}

fn create_saml(world: &World, name: &str) -> Reply {
    let metadata = saml_metadata("https://idp.example.com");
    let parameters = [("Name", name), ("SAMLMetadataDocument", &*metadata)];
    world.admin.iam("CreateSAMLProvider", &parameters)
}

#[test]
fn a_saml_provider_from_birth_to_death() {
    let world = World::new(1103);
    let metadata = saml_metadata("https://idp.example.com");
    let made = world.admin.iam(
        "CreateSAMLProvider",
        &[
            ("Name", "Corp"),
            ("SAMLMetadataDocument", &metadata),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blue"),
        ],
    );
    let arn = made.ok().text("SAMLProviderArn");
    assert_eq!(arn, saml("Corp"));
    let event = world.last_event();
    assert_eq!(event["requestParameters"]["sAMLMetadataDocument"], json!(metadata));
    refused(&world, || create_saml(&world, "corp"), "EntityAlreadyExists");
    let call = |world: &World, name: &str, more: &[(&str, &str)]| {
        let by_arn = ("SAMLProviderArn", &*arn);
        let parameters: Vec<_> = std::iter::once(by_arn).chain(more.iter().copied()).collect();
        world.admin.iam(name, &parameters)
    };
    let get = |world: &World| call(world, "GetSAMLProvider", &[]).ok();
    let shown = get(&world);
    assert_eq!(shown.text("SAMLMetadataDocument"), metadata);
    assert_eq!(shown.instant("ValidUntil"), "2099-01-02T03:04:05Z".parse().unwrap());
    let uuid = shown.text("SAMLProviderUUID");
    assert!((22..=64).contains(&uuid.len()), "{uuid}");
    let listed = world.admin.iam("ListSAMLProviders", &[]).ok();
    assert_eq!(listed.text("SAMLProviderList.0.Arn"), arn);
    // Longer metadata stand in parts; shorter ones leave nothing of them behind.
    let parts = |world: &World| {
        let records = world.records_of(HOME);
        let is_part = |key: &&Vec<u8>| String::from_utf8_lossy(key).contains("saml-metadata/");
        records.keys().filter(is_part).count()
    };
    let words = format!("<!-- {} -->", "é\"".repeat(70_000));
    let long = metadata.replace("</EntityDescriptor>", &format!("{words}</EntityDescriptor>"));
    let long = long.replace("validUntil=\"2099-01-02T03:04:05Z\"", "");
    call(&world, "UpdateSAMLProvider", &[("SAMLMetadataDocument", &long)]).ok();
    assert!(parts(&world) > 1);
    for world in [&world, &world.fork()] {
        let shown = get(world);
        assert_eq!(shown.text("SAMLMetadataDocument"), long);
        let created = shown.instant("CreateDate");
        let days = shown.instant("ValidUntil").duration_since(created).as_hours() / 24;
        assert!((36_524..=36_525).contains(&days), "a hundred years: {days}");
        assert_eq!(shown.text("SAMLProviderUUID"), uuid);
    }
    call(&world, "UpdateSAMLProvider", &[("SAMLMetadataDocument", &metadata)]).ok();
    assert_eq!(parts(&world), 1);
    call(&world, "TagSAMLProvider", &[("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")])
        .ok();
    call(&world, "UntagSAMLProvider", &[("TagKeys.member.1", "team")]).ok();
    let tags = call(&world, "ListSAMLProviderTags", &[]).ok();
    assert_eq!((tags.len("Tags"), tags.text("Tags.0.Key")), (1, "a".into()));
    call(&world, "DeleteSAMLProvider", &[]).ok();
    let words = refused(&world, || call(&world, "DeleteSAMLProvider", &[]), "NoSuchEntity");
    assert_eq!(words, format!("Manifest not found for arn {arn}"));
    let left = world.records_of(HOME);
    let leaves = |key: &Vec<u8>| String::from_utf8_lossy(key).contains("saml-");
    assert!(!left.keys().any(leaves), "something is left");
}

/// Private keys go in, are sealed, and never come out.
#[test]
fn tm_l01_keys_of_saml_providers() {
    let world = World::new(1104);
    create_saml(&world, "Corp").ok();
    let arn = saml("Corp");
    let update = |more: &[(&str, &str)]| {
        let by_arn = ("SAMLProviderArn", &*arn);
        let parameters: Vec<_> = std::iter::once(by_arn).chain(more.iter().copied()).collect();
        world.admin.iam("UpdateSAMLProvider", &parameters)
    };
    let required = ("AssertionEncryptionMode", "Required");
    refused(&world, || update(&[required]), "InvalidInput");
    refused(&world, || update(&[("AssertionEncryptionMode", "required")]), "ValidationError");
    for key in ["words", LEAF_KEY] {
        refused(&world, || update(&[("AddPrivateKey", key)]), "InvalidInput");
    }
    update(&[("AddPrivateKey", RSA_KEY), required]).ok();
    assert!(!world.last_event().to_string().contains("PRIVATE KEY"));
    update(&[("AddPrivateKey", RSA_KEY_PKCS8)]).ok();
    let words = refused(&world, || update(&[("AddPrivateKey", RSA_KEY)]), "LimitExceeded");
    assert_eq!(words, "Cannot exceed quota for PrivateKeysPerSAMLProvider: 2");
    let shown = world.admin.iam("GetSAMLProvider", &[("SAMLProviderArn", &arn)]).ok();
    assert_eq!(shown.text("AssertionEncryptionMode"), "Required");
    assert_eq!(shown.len("PrivateKeyList"), 2);
    assert!(!shown.text_body().contains("PRIVATE KEY"));
    let ids = [0, 1].map(|place| shown.text(&format!("PrivateKeyList.{place}.KeyId")));
    assert_ne!(ids[0], ids[1]);
    let secret = RSA_KEY.lines().nth(3).unwrap();
    let held = world.records();
    let holds = |value: &Vec<u8>| String::from_utf8_lossy(value).contains(secret);
    assert!(!held.values().any(holds), "the store holds the key");
    let both = [("AddPrivateKey", RSA_KEY), ("RemovePrivateKey", &*ids[0])];
    refused(&world, || update(&both), "InvalidInput");
    let absent = "A".repeat(32);
    refused(&world, || update(&[("RemovePrivateKey", &absent)]), "NoSuchEntity");
    update(&[("RemovePrivateKey", &ids[0])]).ok();
    refused(&world, || update(&[("RemovePrivateKey", &ids[1])]), "InvalidInput");
    update(&[("RemovePrivateKey", &ids[1]), ("AssertionEncryptionMode", "Allowed")]).ok();
}

/// G01: what is no metadata of an identity provider is refused, with AWS's words in front.
#[test]
fn tm_g01_what_is_no_metadata_is_refused() {
    let world = World::new(1105);
    let good = saml_metadata("https://idp.example.com");
    let dtd = "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>";
    let deep = "<a>".repeat(2_000) + &"</a>".repeat(2_000);
    for (metadata, code) in [
        ("x".repeat(999), "ValidationError"),
        ("x".repeat(1_000), "InvalidInput"),
        (good.replace("IDPSSO", "SPSSO"), "InvalidInput"),
        (good.replace("use=\"signing\"", "use=\"encryption\""), "InvalidInput"),
        (good.replace("entityID", "id"), "InvalidInput"),
        (good.replace("</EntityDescriptor>", ""), "InvalidInput"),
        (good.replace("<EntityDescriptor", &format!("{dtd}<EntityDescriptor")), "InvalidInput"),
        (good.replace("</EntityDescriptor>", "&b;</EntityDescriptor>"), "InvalidInput"),
        (
            good.replace("</EntityDescriptor>", &format!("{deep}</EntityDescriptor>")),
            "InvalidInput",
        ),
        (deep, "InvalidInput"),
    ] {
        let create = || {
            let parameters = [("Name", "Corp"), ("SAMLMetadataDocument", &*metadata)];
            world.admin.iam("CreateSAMLProvider", &parameters)
        };
        let words = refused(&world, create, code);
        let fits = code != "InvalidInput" || words.starts_with("Could not parse metadata (");
        assert!(fits, "{words}");
    }
    for name in ["a+b", "a b", "é", ""] {
        refused(&world, || create_saml(&world, name), "ValidationError");
    }
}

/// Trust policies may name providers that are there, that are not, and that are gone.
#[test]
fn trust_in_providers_outlives_them() {
    let world = World::new(1106);
    create_oidc(&world, URL).ok();
    create_saml(&world, "Corp").ok();
    let roles = [
        ("Oidc", oidc("token.example.com/id/A1"), "sts:AssumeRoleWithWebIdentity"),
        ("Saml", saml("Corp"), "sts:AssumeRoleWithSAML"),
        ("Later", saml("Later"), "sts:AssumeRoleWithSAML"),
        ("Google", "accounts.google.com".into(), "sts:AssumeRoleWithWebIdentity"),
    ];
    for (name, provider, action) in &roles {
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": action},
            ],
        })
        .to_string();
        let parameters = [("RoleName", *name), ("AssumeRolePolicyDocument", &*document)];
        world.admin.iam("CreateRole", &parameters).ok();
    }
    let (one, two) = (oidc("token.example.com/id/A1"), saml("Corp"));
    world.admin.iam("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &one)]).ok();
    world.admin.iam("DeleteSAMLProvider", &[("SAMLProviderArn", &two)]).ok();
    for (name, provider, _) in &roles {
        let shown = world.admin.iam("GetRole", &[("RoleName", name)]).ok();
        let document = shown.text("Role.AssumeRolePolicyDocument");
        let last = provider.rsplit('/').next().unwrap();
        assert!(document.contains(last), "{document}");
    }
}

/// The tags of a provider count in decisions about it.
#[test]
fn tags_of_providers_are_resource_tags() {
    let world = World::new(1107);
    let policy = |team: &str| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Action": "iam:GetOpenIDConnectProvider", "Resource": "*",
                "Condition": {"StringEquals": {"aws:ResourceTag/team": team}},
            }],
        })
        .to_string()
    };
    let parameters = [("Url", URL), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    world.admin.iam("CreateOpenIDConnectProvider", &parameters).ok();
    let ann = world.user("Ann", Rights::None);
    let arn = oidc("token.example.com/id/A1");
    let get = || ann.iam("GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &arn)]);
    for (document, allowed) in [
        (policy("blue"), true),
        (policy("red"), false),
        (allow_on(&["iam:*"], &[&arn]), true),
        (allow_on(&["iam:*"], &[&oidc("token.example.com")]), false),
    ] {
        world.put_user_policy("Ann", &document);
        assert_eq!(get().is_ok(), allowed, "{document}");
    }
    // Keys that differ in case alone are two tags and one condition key: neither value counts.
    let more = [
        ("OpenIDConnectProviderArn", &*arn),
        ("Tags.member.1.Key", "TEAM"),
        ("Tags.member.1.Value", "red"),
    ];
    world.admin.iam("TagOpenIDConnectProvider", &more).ok();
    for team in ["blue", "red"] {
        world.put_user_policy("Ann", &policy(team));
        get().refused("AccessDenied");
    }
    // A provider of another account is that account's.
    let theirs = "arn:aws:iam::210987654321:oidc-provider/token.example.com";
    let parameters = [("OpenIDConnectProviderArn", theirs)];
    world.admin.iam("GetOpenIDConnectProvider", &parameters).refused("AccessDenied");
}
