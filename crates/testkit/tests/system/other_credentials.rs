//! SSH keys, signing and server certificates, and service-specific credentials.

use bailiwick_services::Quotas;
use bailiwick_testkit::certificates::{
    CHAIN, CHAIN_SWAPPED, EXPIRED, FUTURE, LEAF, LEAF_KEY, LEAF_KEY_SEC1, OTHER_KEY, P521,
    P521_KEY, RSA, RSA_KEY, RSA_KEY_PKCS8, SIGNING, SSH, SSH_FINGERPRINT, SSH_PEM, SSH_PKCS1,
    SSH_SHORT,
};
use bailiwick_testkit::{Client, HOME, Reply, Rights, World, allow, allow_on};

const GIT: &str = "codecommit.amazonaws.com";
const CQL: &str = "cassandra.amazonaws.com";
const KEYS: &str = "bedrock.amazonaws.com";

fn world(seed: u64) -> World {
    let world = World::new(seed);
    world.admin.iam("CreateUser", &[("UserName", "Ann")]).ok();
    world.admin.iam("CreateUser", &[("UserName", "Bob")]).ok();
    world
}

/// A call that is refused and writes nothing.
#[track_caller]
fn refused(world: &World, reply: impl FnOnce() -> Reply, code: &str) -> String {
    let before = world.revision();
    let message = reply().refused(code).message.clone();
    assert_eq!(world.revision(), before, "{code}: something was written");
    message
}

fn upload_ssh(world: &World, user: &str, body: &str) -> Reply {
    world.admin.iam("UploadSSHPublicKey", &[("UserName", user), ("SSHPublicKeyBody", body)])
}

#[test]
fn an_ssh_key_from_birth_to_death() {
    let world = world(1000);
    let made = upload_ssh(&world, "ann", SSH[0]).ok();
    let id = made.text("SSHPublicKey.SSHPublicKeyId");
    assert!(id.starts_with("APKA") && id.len() == 21, "{id}");
    assert_eq!(made.text("SSHPublicKey.Fingerprint"), SSH_FINGERPRINT);
    assert_eq!(made.text("SSHPublicKey.SSHPublicKeyBody"), SSH[0]);
    assert_eq!(made.text("SSHPublicKey.UserName"), "Ann");
    let get = |world: &World, encoding: &str| {
        let parameters = [("UserName", "Ann"), ("SSHPublicKeyId", &*id), ("Encoding", encoding)];
        world.admin.iam("GetSSHPublicKey", &parameters)
    };
    let body = |encoding: &str| get(&world, encoding).ok().text("SSHPublicKey.SSHPublicKeyBody");
    assert_eq!(body("SSH"), SSH[0].trim());
    assert_eq!(body("PEM"), SSH_PEM.trim());
    refused(&world, || get(&world, "DER"), "ValidationError");
    // The same key in another form, or with another comment, is the same key.
    let renamed = SSH[0].replace("ann@", "bob@");
    for body in [SSH[0], SSH_PEM, SSH_PKCS1, &renamed] {
        refused(&world, || upload_ssh(&world, "Ann", body), "DuplicateSSHPublicKey");
    }
    // It is another user's as well.
    let theirs = upload_ssh(&world, "Bob", SSH_PEM).ok().text("SSHPublicKey.SSHPublicKeyId");
    let update = |user: &str, id: &str, status: &str| {
        let parameters = [("UserName", user), ("SSHPublicKeyId", id), ("Status", status)];
        world.admin.iam("UpdateSSHPublicKey", &parameters)
    };
    update("Ann", &id, "Inactive").ok();
    refused(&world, || update("Ann", &id, "Expired"), "InvalidInput");
    refused(&world, || update("Ann", &theirs, "Inactive"), "NoSuchEntity");
    let fork = world.fork();
    assert_eq!(get(&fork, "SSH").ok().text("SSHPublicKey.Status"), "Inactive");
    let listed = fork.admin.iam("ListSSHPublicKeys", &[("UserName", "Ann")]).ok();
    assert_eq!(listed.text("SSHPublicKeys.0.SSHPublicKeyId"), id);
    assert_eq!(listed.len("SSHPublicKeys"), 1);
    let delete = |user: &str| {
        let parameters = [("UserName", user), ("SSHPublicKeyId", &*id)];
        world.admin.iam("DeleteSSHPublicKey", &parameters)
    };
    refused(&world, || delete("Bob"), "NoSuchEntity");
    let conflict = || world.admin.iam("DeleteUser", &[("UserName", "Ann")]);
    let words = refused(&world, conflict, "DeleteConflict");
    assert_eq!(words, "Cannot delete entity, must delete SSH public keys first.");
    delete("Ann").ok();
    refused(&world, || delete("Ann"), "NoSuchEntity");
    world.admin.iam("DeleteUser", &[("UserName", "Ann")]).ok();
}

#[test]
fn tm_g02_what_is_no_ssh_key_is_refused() {
    let world = world(1001);
    for (body, code) in [
        ("words", "UnrecognizedPublicKeyEncoding"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== ann", "UnrecognizedPublicKeyEncoding"),
        (LEAF, "UnrecognizedPublicKeyEncoding"),
        (SSH_SHORT, "InvalidPublicKey"),
        ("ssh-rsa AAAA", "InvalidPublicKey"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "InvalidPublicKey"),
        ("", "ValidationError"),
        (&"x".repeat(16_385), "ValidationError"),
    ] {
        refused(&world, || upload_ssh(&world, "Ann", body), code);
    }
    refused(&world, || upload_ssh(&world, "Nobody", SSH[0]), "NoSuchEntity");
}

/// What fills a user's quota of each kind, and the account's of server certificates.
#[test]
fn tm_g07_quotas_of_other_credentials() {
    let quotas = Quotas {
        ssh_public_keys_per_user: 2,
        signing_certificates_per_user: 2,
        server_certificates: 2,
        ..Quotas::default()
    };
    let world = World::with_quotas(1002, quotas);
    world.admin.iam("CreateUser", &[("UserName", "Ann")]).ok();
    for (place, body) in SSH.iter().enumerate() {
        let reply = upload_ssh(&world, "Ann", body);
        if place < 2 {
            reply.ok()
        } else {
            reply.refused("LimitExceeded")
        };
    }
    for (place, body) in SIGNING.iter().enumerate() {
        let reply = upload_signing(&world.admin, Some("Ann"), body);
        if place < 2 {
            reply.ok()
        } else {
            reply.refused("LimitExceeded")
        };
    }
    for (place, name) in ["a", "b", "c"].iter().enumerate() {
        let reply = upload_server(&world, name, LEAF, LEAF_KEY, None);
        if place < 2 {
            reply.ok()
        } else {
            reply.refused("LimitExceeded")
        };
    }
    for (place, service) in [GIT, CQL, GIT, CQL, GIT, CQL].iter().enumerate() {
        let reply = create(&world, "Ann", service);
        if place < 4 {
            reply.ok()
        } else {
            reply.refused("LimitExceeded")
        };
    }
}

fn upload_signing(client: &Client, user: Option<&str>, body: &str) -> Reply {
    let user = user.map(|user| ("UserName", user));
    let parameters: Vec<_> = user.into_iter().chain([("CertificateBody", body)]).collect();
    client.iam("UploadSigningCertificate", &parameters)
}

#[test]
fn a_signing_certificate_from_birth_to_death() {
    let world = world(1003);
    let made = upload_signing(&world.admin, Some("Ann"), SIGNING[0]).ok();
    let id = made.text("Certificate.CertificateId");
    assert!(id.len() == 32, "{id}");
    assert_eq!(made.text("Certificate.CertificateBody"), SIGNING[0]);
    assert_eq!(made.text("Certificate.Status"), "Active");
    for (user, body, code) in [
        ("Ann", SIGNING[0], "DuplicateCertificate"),
        ("Bob", SIGNING[0], "DuplicateCertificate"),
        ("Bob", EXPIRED, "InvalidCertificate"),
        ("Bob", FUTURE, "InvalidCertificate"),
        ("Bob", "words", "MalformedCertificate"),
        ("Bob", CHAIN, "MalformedCertificate"),
        ("Bob", LEAF_KEY, "MalformedCertificate"),
        ("Nobody", SIGNING[1], "NoSuchEntity"),
    ] {
        refused(&world, || upload_signing(&world.admin, Some(user), body), code);
    }
    // K04: a private key where a certificate belongs is not repeated in the trail.
    let trail = serde_json::to_string(&world.events(HOME)).unwrap();
    assert!(!trail.contains("PRIVATE KEY") && trail.contains("HIDDEN_DUE_TO_SECURITY_REASONS"));
    // Who names nobody means itself; root may have one too.
    let ann = world.user("Cid", Rights::Inline(&allow(&["iam:*"])));
    upload_signing(&ann, None, SIGNING[1]).ok();
    let root = world.root(HOME);
    upload_signing(&root, None, SIGNING[2]).ok();
    let summary = world.admin.iam("GetAccountSummary", &[]).ok();
    assert!(summary.text_body().contains("AccountSigningCertificatesPresent</key><value>1<"));
    assert_eq!(root.iam("ListSigningCertificates", &[]).ok().len("Certificates"), 1);
    let update = |world: &World, id: &str, status: &str| {
        let parameters = [("UserName", "Ann"), ("CertificateId", id), ("Status", status)];
        world.admin.iam("UpdateSigningCertificate", &parameters)
    };
    update(&world, &id, "Inactive").ok();
    refused(&world, || update(&world, &id, "Expired"), "InvalidInput");
    refused(&world, || update(&world, &"A".repeat(32), "Active"), "NoSuchEntity");
    refused(&world, || update(&world, &"a_".repeat(16), "Active"), "NoSuchEntity");
    let fork = world.fork();
    let listed = fork.admin.iam("ListSigningCertificates", &[("UserName", "Ann")]).ok();
    assert_eq!(listed.text("Certificates.0.Status"), "Inactive");
    assert_eq!(listed.text("Certificates.0.CertificateBody"), SIGNING[0]);
    let conflict = || world.admin.iam("DeleteUser", &[("UserName", "Ann")]);
    let words = refused(&world, conflict, "DeleteConflict");
    assert_eq!(words, "Cannot delete entity, must delete signing certificates first.");
    let delete = |user: &str| {
        let parameters = [("UserName", user), ("CertificateId", &*id)];
        world.admin.iam("DeleteSigningCertificate", &parameters)
    };
    refused(&world, || delete("Bob"), "NoSuchEntity");
    delete("Ann").ok();
    refused(&world, || delete("Ann"), "NoSuchEntity");
    world.admin.iam("DeleteUser", &[("UserName", "Ann")]).ok();
    upload_signing(&world.admin, Some("Bob"), SIGNING[0]).ok();
}

fn upload_server(world: &World, name: &str, body: &str, key: &str, chain: Option<&str>) -> Reply {
    let parameters = [
        ("ServerCertificateName", name),
        ("CertificateBody", body),
        ("PrivateKey", key),
        ("CertificateChain", chain.unwrap_or_default()),
    ];
    let used = if chain.is_some() { &parameters[..] } else { &parameters[..3] };
    world.admin.iam("UploadServerCertificate", used)
}

#[test]
fn a_server_certificate_from_birth_to_death() {
    let world = world(1004);
    let made = upload_server(&world, "Site", LEAF, LEAF_KEY, Some(CHAIN)).ok();
    let id = made.text("ServerCertificateMetadata.ServerCertificateId");
    assert!(id.starts_with("ASCA") && id.len() == 21, "{id}");
    let ends = made.instant("ServerCertificateMetadata.Expiration");
    assert_eq!(ends.to_string(), "2120-01-01T00:00:00Z");
    assert_eq!(
        made.text("ServerCertificateMetadata.Arn"),
        format!("arn:aws:iam::{HOME}:server-certificate/Site"),
    );
    let words = refused(
        &world,
        || upload_server(&world, "sITE", LEAF, LEAF_KEY, None),
        "EntityAlreadyExists",
    );
    assert_eq!(words, "The Server Certificate with name sITE already exists.");
    let update = |more: &[(&str, &str)]| {
        let name = [("ServerCertificateName", "site")];
        world.admin.iam("UpdateServerCertificate", &[&name[..], more].concat())
    };
    update(&[("NewPath", "/web/")]).ok();
    upload_server(&world, "Other", LEAF, LEAF_KEY, None).ok();
    let taken = || update(&[("NewServerCertificateName", "OTHER")]);
    refused(&world, taken, "EntityAlreadyExists");
    update(&[("NewServerCertificateName", "Shop")]).ok();
    refused(&world, || update(&[("NewPath", "/x/")]), "NoSuchEntity");
    let fork = world.fork();
    let name = [("ServerCertificateName", "Shop")];
    let found = fork.admin.iam("GetServerCertificate", &name).ok();
    let metadata = "ServerCertificate.ServerCertificateMetadata";
    assert_eq!(found.text(&format!("{metadata}.ServerCertificateId")), id);
    assert_eq!(
        found.text(&format!("{metadata}.Arn")),
        format!("arn:aws:iam::{HOME}:server-certificate/web/Shop"),
    );
    assert_eq!(found.text("ServerCertificate.CertificateBody"), LEAF.trim_end());
    assert_eq!(found.text("ServerCertificate.CertificateChain"), CHAIN.trim_end());
    assert!(!found.text_body().contains("PRIVATE KEY"));
    let below = [("PathPrefix", "/web/")];
    let listed = fork.admin.iam("ListServerCertificates", &below).ok();
    assert_eq!(listed.len("ServerCertificateMetadataList"), 1);
    let summary = fork.admin.iam("GetAccountSummary", &[]).ok().text_body();
    assert!(summary.contains("<key>ServerCertificates</key><value>2<"), "{summary}");
    // The old name is free, and the new one is not until its certificate goes.
    upload_server(&world, "Site", LEAF, LEAF_KEY, None).ok();
    world.admin.iam("DeleteServerCertificate", &name).ok();
    refused(&world, || world.admin.iam("DeleteServerCertificate", &name), "NoSuchEntity");
    upload_server(&world, "Shop", RSA, RSA_KEY, None).ok();
}

#[test]
fn server_certificates_fit_their_keys_and_chains() {
    let world = world(1005);
    for (place, (body, key, chain)) in [
        (LEAF, LEAF_KEY_SEC1, None),
        (LEAF, LEAF_KEY, Some(CHAIN)),
        (RSA, RSA_KEY, None),
        (RSA, RSA_KEY_PKCS8, Some(RSA)),
        (P521, P521_KEY, None),
    ]
    .into_iter()
    .enumerate()
    {
        upload_server(&world, &format!("good{place}"), body, key, chain).ok();
    }
    for (body, key, chain, code) in [
        (LEAF, OTHER_KEY, None, "KeyPairMismatch"),
        (LEAF, RSA_KEY, None, "KeyPairMismatch"),
        (RSA, LEAF_KEY, None, "KeyPairMismatch"),
        (LEAF, LEAF, None, "MalformedCertificate"),
        (LEAF, "words", None, "MalformedCertificate"),
        ("words", LEAF_KEY, None, "MalformedCertificate"),
        (CHAIN, LEAF_KEY, None, "MalformedCertificate"),
        (EXPIRED, LEAF_KEY, None, "MalformedCertificate"),
        (FUTURE, LEAF_KEY, None, "MalformedCertificate"),
        (LEAF, LEAF_KEY, Some("words"), "MalformedCertificate"),
        (LEAF, LEAF_KEY, Some(CHAIN_SWAPPED), "MalformedCertificate"),
        (LEAF, LEAF_KEY, Some(RSA), "MalformedCertificate"),
        (&"x".repeat(16_385), LEAF_KEY, None, "ValidationError"),
        (LEAF, &"x".repeat(16_385), None, "ValidationError"),
        (LEAF, LEAF_KEY, Some(&CHAIN.repeat(150)), "MalformedCertificate"),
    ] {
        refused(&world, || upload_server(&world, "bad", body, key, chain), code);
    }
    let swapped = upload_server(&world, "bad", LEAF, LEAF_KEY, Some(CHAIN_SWAPPED)).message;
    assert!(swapped.ends_with("The index within the chain of the invalid certificate is: 0"));
}

/// L01, L02: the private key is sealed in the store, and in no event.
#[test]
fn tm_l01_private_keys_and_passwords_are_not_in_the_store() {
    let world = world(1006);
    upload_server(&world, "Site", LEAF, LEAF_KEY, None).ok();
    let made = create(&world, "Ann", GIT).ok();
    let password = made.text("ServiceSpecificCredential.ServicePassword");
    verify(&world.admin, GIT, "Ann-at-123456789012", &password).ok();
    let line = LEAF_KEY.lines().nth(1).unwrap();
    let holds =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    for (key, value) in world.records() {
        let key = String::from_utf8_lossy(&key).into_owned();
        assert!(!holds(&value, line) && !holds(&value, &password), "{key}");
    }
    for event in world.lines(HOME) {
        assert!(!holds(&event, line) && !holds(&event, &password));
    }
}

fn create(world: &World, user: &str, service: &str) -> Reply {
    let parameters = [("UserName", user), ("ServiceName", service)];
    world.admin.iam("CreateServiceSpecificCredential", &parameters)
}

fn verify(client: &Client, service: &str, name: &str, password: &str) -> Reply {
    let parameters =
        [("ServiceName", service), ("ServiceUserName", name), ("ServicePassword", password)];
    client.call("bailiwick", "VerifyServiceSpecificCredential", &parameters)
}

/// Mission rows M44 and M46: the password that was issued is let in, and only that.
#[test]
fn a_service_credential_from_birth_to_death() {
    let world = world(1007);
    let made = create(&world, "Ann", GIT).ok();
    let of =
        |reply: &Reply, member: &str| reply.text(&format!("ServiceSpecificCredential.{member}"));
    let (id, name) = (of(&made, "ServiceSpecificCredentialId"), of(&made, "ServiceUserName"));
    let password = of(&made, "ServicePassword");
    assert!(id.starts_with("ACCA") && id.len() == 21, "{id}");
    assert_eq!((&*name, password.len()), ("Ann-at-123456789012", 44));
    let second = create(&world, "Ann", GIT).ok();
    assert_eq!(of(&second, "ServiceUserName"), "Ann+1-at-123456789012");
    let cql = create(&world, "Ann", CQL).ok();
    assert_eq!(of(&cql, "ServiceUserName"), name);

    let found = verify(&world.admin, GIT, &name, &password).ok();
    assert_eq!(found.text("UserName"), "Ann");
    assert_eq!(found.text("Arn"), format!("arn:aws:iam::{HOME}:user/Ann"));
    assert_eq!(found.text("ServiceSpecificCredentialId"), id);
    assert!(found.at("LastUsedDate").is_none(), "never used before");
    let first = world.last_event()["eventTime"].as_str().unwrap().to_owned();
    world.advance(60);
    world.node.flush();
    for at in [&world, &world.fork()] {
        let found = verify(&at.admin, GIT, &name, &password).ok();
        assert_eq!(found.instant("LastUsedDate").to_string(), first);
    }
    // A password is for its service and its name.
    for (service, name, password) in [
        (CQL, &*name, &*password),
        (GIT, "Ann+1-at-123456789012", &password),
        (GIT, "ann-at-123456789012", &password),
        (GIT, &name, &password[1..]),
        (GIT, "Bob-at-123456789012", &password),
        ("s3.amazonaws.com", &name, &password),
    ] {
        let reply = verify(&world.admin, service, name, password).refused("CredentialNotValid");
        assert_eq!(reply.status, 403);
    }
    let event = world.last_event();
    assert_eq!(event["eventName"], "VerifyServiceSpecificCredential");
    assert_eq!(event["errorCode"], "CredentialNotValid");

    let update = |status: &str| {
        let parameters =
            [("UserName", "Ann"), ("ServiceSpecificCredentialId", &*id), ("Status", status)];
        world.admin.iam("UpdateServiceSpecificCredential", &parameters)
    };
    update("Inactive").ok();
    verify(&world.admin, GIT, &name, &password).refused("CredentialNotValid");
    update("Active").ok();
    refused(&world, || update("Expired"), "ValidationError");
    verify(&world.admin, GIT, &name, &password).ok();

    // A reset kills the old password, and a new name of the user changes nothing.
    let parameters = [("UserName", "Ann"), ("ServiceSpecificCredentialId", &*id)];
    let reset = world.admin.iam("ResetServiceSpecificCredential", &parameters).ok();
    let fresh = of(&reset, "ServicePassword");
    assert_eq!(of(&reset, "ServiceUserName"), name);
    verify(&world.admin, GIT, &name, &password).refused("CredentialNotValid");
    world.admin.iam("UpdateUser", &[("UserName", "Ann"), ("NewUserName", "Eve")]).ok();
    let fork = world.fork();
    assert_eq!(verify(&fork.admin, GIT, &name, &fresh).ok().text("UserName"), "Eve");

    // Who takes the old name of the user gets names of its own.
    world.admin.iam("CreateUser", &[("UserName", "Ann")]).ok();
    let other = create(&world, "Ann", GIT).ok();
    assert_eq!(of(&other, "ServiceUserName"), "Ann+2-at-123456789012");

    let listed = |more: &[(&str, &str)]| {
        let reply = world.admin.iam("ListServiceSpecificCredentials", more).ok();
        assert!(!reply.text_body().contains("ServicePassword"));
        reply.len("ServiceSpecificCredentials")
    };
    assert_eq!(listed(&[("UserName", "Eve")]), 3);
    assert_eq!(listed(&[("UserName", "Eve"), ("ServiceName", CQL)]), 1);
    assert_eq!(listed(&[("AllUsers", "true")]), 4);
    let conflict = || world.admin.iam("DeleteUser", &[("UserName", "Eve")]);
    let words = refused(&world, conflict, "DeleteConflict");
    assert_eq!(words, "Cannot delete entity, must delete service specific credentials first.");
    for made in [&made, &second, &cql] {
        let id = of(made, "ServiceSpecificCredentialId");
        let parameters = [("UserName", "Eve"), ("ServiceSpecificCredentialId", &*id)];
        world.admin.iam("DeleteServiceSpecificCredential", &parameters).ok();
        let again = || world.admin.iam("DeleteServiceSpecificCredential", &parameters);
        refused(&world, again, "NoSuchEntity");
    }
    verify(&world.admin, GIT, &name, &fresh).refused("CredentialNotValid");
    world.admin.iam("DeleteUser", &[("UserName", "Eve")]).ok();
    world.node.flush();
    let _ = world.fork();
}

#[test]
fn services_that_have_no_credentials_are_refused() {
    let world = world(1008);
    refused(&world, || create(&world, "Ann", "s3.amazonaws.com"), "NotSupportedService");
    refused(&world, || create(&world, "Nobody", GIT), "NoSuchEntity");
    let list = |more: &[(&str, &str)]| world.admin.iam("ListServiceSpecificCredentials", more);
    list(&[("UserName", "Ann"), ("ServiceName", "s3.amazonaws.com")])
        .refused("NotSupportedService");
    list(&[("UserName", "Ann"), ("AllUsers", "true")]).refused("ValidationError");
    let aged = |service: &str, days: &str| {
        let parameters =
            [("UserName", "Ann"), ("ServiceName", service), ("CredentialAgeDays", days)];
        world.admin.iam("CreateServiceSpecificCredential", &parameters)
    };
    refused(&world, || aged(GIT, "30"), "ValidationError");
    refused(&world, || aged(KEYS, "0"), "ValidationError");
    refused(&world, || aged(KEYS, "36601"), "ValidationError");
}

/// A key with an age ends when it says.
#[test]
fn keys_end_at_their_age() {
    let world = world(1009);
    let parameters = [("UserName", "Ann"), ("ServiceName", KEYS), ("CredentialAgeDays", "2")];
    let made = world.admin.iam("CreateServiceSpecificCredential", &parameters).ok();
    let of = |member: &str| made.text(&format!("ServiceSpecificCredential.{member}"));
    let (alias, secret) = (of("ServiceCredentialAlias"), of("ServiceCredentialSecret"));
    assert!(alias.starts_with("BedrockAPIKey-") && alias.ends_with("-at-123456789012"), "{alias}");
    assert!(secret.starts_with("ABSK"));
    assert!(made.at("ServiceSpecificCredential.ServicePassword").is_none());
    verify(&world.admin, KEYS, &alias, &secret).ok();
    world.advance(2 * 24 * 60 * 60);
    verify(&world.admin, KEYS, &alias, &secret).refused("CredentialNotValid");
    let listed = world.admin.iam("ListServiceSpecificCredentials", &[("UserName", "Ann")]).ok();
    assert_eq!(listed.text("ServiceSpecificCredentials.0.Status"), "Expired");
}

/// Wrong guesses of a name wait, whether the name is there or not; the right password never does.
#[test]
fn tm_f02_guesses_at_service_passwords_are_slowed() {
    let world = world(1010);
    let made = create(&world, "Ann", GIT).ok();
    let password = made.text("ServiceSpecificCredential.ServicePassword");
    for name in ["Ann-at-123456789012", "Nobody-at-123456789012"] {
        for _ in 0..5 {
            verify(&world.admin, GIT, name, "wrong").refused("CredentialNotValid");
        }
        verify(&world.admin, GIT, name, "wrong").refused("Throttling");
    }
    verify(&world.admin, GIT, "Ann-at-123456789012", &password).ok();
    verify(&world.admin, GIT, "Ann-at-123456789012", "wrong").refused("CredentialNotValid");
    verify(&world.admin, GIT, "Nobody-at-123456789012", "wrong").refused("Throttling");
    world.advance(1);
    verify(&world.admin, GIT, "Nobody-at-123456789012", "wrong").refused("CredentialNotValid");
}

/// The condition keys of the service authorization reference, and everybody's list.
#[test]
fn tm_c01_policies_bound_service_credentials() {
    let world = world(1011);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
            "Action":"iam:CreateServiceSpecificCredential","Resource":"*",
            "Condition":{{"StringEquals":{{"iam:ServiceSpecificCredentialServiceName":"{KEYS}"}},
                "NumericLessThanEquals":{{"iam:ServiceSpecificCredentialAgeDays":"90"}}}}}}]}}"#
    );
    let cid = world.user("Cid", Rights::Inline(&policy));
    let create = |service: &str, days: Option<&str>| {
        let parameters = [("UserName", "Ann"), ("ServiceName", service)];
        let days = days.map(|days| ("CredentialAgeDays", days));
        let parameters: Vec<_> = parameters.into_iter().chain(days).collect();
        cid.iam("CreateServiceSpecificCredential", &parameters)
    };
    create(KEYS, Some("90")).ok();
    create(KEYS, Some("91")).refused("AccessDenied");
    create(KEYS, None).refused("AccessDenied");
    create(GIT, None).refused("AccessDenied");
    let own = format!("arn:aws:iam::{HOME}:user/Dan");
    let dan = world
        .user("Dan", Rights::Inline(&allow_on(&["iam:ListServiceSpecificCredentials"], &[&own])));
    dan.iam("ListServiceSpecificCredentials", &[]).ok();
    dan.iam("ListServiceSpecificCredentials", &[("AllUsers", "true")]).refused("AccessDenied");
    verify(&dan, GIT, "Ann-at-123456789012", "x").refused("AccessDeniedException");
}
