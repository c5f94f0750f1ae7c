//! Service-linked roles, and settings of the whole account.

use bailiwick_testkit::{HOME, Reply, Rights, World, allow, allow_on, trust};
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

/// The entry of a map in an answer.
fn held<'a>(reply: &'a Reply, map: &str, key: &str) -> Option<&'a Value> {
    match reply.at(map) {
        Some(Value::Map(entries)) => entries.get(key),
        _ => None,
    }
}

fn create(world: &World, service: &str, suffix: Option<&str>) -> Reply {
    let mut parameters = vec![("AWSServiceName", service)];
    parameters.extend(suffix.map(|suffix| ("CustomSuffix", suffix)));
    world.admin.iam("CreateServiceLinkedRole", &parameters)
}

const NAME: &str = "AWSServiceRoleForECS";

#[test]
fn a_service_linked_role_from_birth_to_death() {
    let world = World::new(1200);
    let made = create(&world, "ecs.amazonaws.com", None).ok();
    assert_eq!(made.text("Role.RoleName"), NAME);
    let arn = format!("arn:aws:iam::{HOME}:role/aws-service-role/ecs.amazonaws.com/{NAME}");
    assert_eq!(made.text("Role.Arn"), arn);
    let by_name = ("RoleName", NAME);
    let shown = world.admin.iam("GetRole", &[by_name]).ok();
    let document = shown.text("Role.AssumeRolePolicyDocument");
    assert!(document.contains("ecs.amazonaws.com") && document.contains("sts%3AAssumeRole"));
    let attached = world.admin.iam("ListAttachedRolePolicies", &[by_name]).ok();
    assert_eq!(
        attached.text("AttachedPolicies.0.PolicyArn"),
        "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"
    );
    // Nobody else assumes it, the administrator neither.
    let assume = [("RoleArn", &*arn), ("RoleSessionName", "me")];
    world.admin.sts("AssumeRole", &assume).refused("AccessDenied");
    let words = refused(&world, || create(&world, "ecs.amazonaws.com", None), "InvalidInput");
    assert_eq!(
        words,
        "Service role name AWSServiceRoleForECS has been taken in this account, please try a \
         different suffix."
    );
    let gone = world.admin.iam("DeleteServiceLinkedRole", &[by_name]).ok();
    let task = gone.text("DeletionTaskId");
    let head = format!("task/aws-service-role/ecs.amazonaws.com/{NAME}/");
    assert!(task.starts_with(&head), "{task}");
    for world in [&world, &world.fork()] {
        world.admin.iam("GetRole", &[by_name]).refused("NoSuchEntity");
        let status = [("DeletionTaskId", &*task)];
        let status = world.admin.iam("GetServiceLinkedRoleDeletionStatus", &status).ok();
        assert_eq!(status.text("Status"), "SUCCEEDED");
    }
    let delete = || world.admin.iam("DeleteServiceLinkedRole", &[by_name]);
    refused(&world, delete, "NoSuchEntity");
    create(&world, "ecs.amazonaws.com", None).ok();
}

#[test]
fn what_service_linked_roles_refuse() {
    let world = World::new(1201);
    for (service, suffix, words) in [
        ("nothing.amazonaws.com", None, "is not known to have a service-linked role."),
        ("ECS.amazonaws.com", None, "is not known to have a service-linked role."),
        ("ecs", None, "is not known to have a service-linked role."),
        ("ecs.amazonaws.com", Some("mine"), "Custom suffix is not allowed for ecs.amazonaws.com"),
        (
            "autoscaling.amazonaws.com",
            Some("a-suffix-that-makes-the-name-longer-than-names-can-be"),
            "is too long.",
        ),
    ] {
        let found = refused(&world, || create(&world, service, suffix), "InvalidInput");
        assert!(found.ends_with(words), "{found}");
    }
    create(&world, "autoscaling.amazonaws.com", None).ok();
    let one = create(&world, "autoscaling.amazonaws.com", Some("one")).ok();
    assert_eq!(one.text("Role.RoleName"), "AWSServiceRoleForAutoScaling_one");
    // An ordinary role is deleted in the ordinary way.
    world.role("Plain", HOME, Rights::None);
    let delete = || world.admin.iam("DeleteServiceLinkedRole", &[("RoleName", "Plain")]);
    refused(&world, delete, "NoSuchEntity");
    for (id, code) in [
        ("words", "InvalidInput"),
        ("task/aws-service-role/a/b", "InvalidInput"),
        ("task/aws-service-role/*/b/c", "InvalidInput"),
        ("task/aws-service-role/a.amazonaws.com/b/c", "NoSuchEntity"),
    ] {
        let parameters = [("DeletionTaskId", id)];
        let status = || world.admin.iam("GetServiceLinkedRoleDeletionStatus", &parameters);
        refused(&world, status, code);
    }
}

/// Of what the role may do the account changes nothing; its description and tags are its own.
#[test]
fn a_service_linked_role_cannot_be_changed() {
    let world = World::new(1202);
    create(&world, "ecs.amazonaws.com", None).ok();
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    let own = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy";
    let role = ("RoleName", NAME);
    let document = allow(&["s3:GetObject"]);
    let trusting = trust(HOME);
    let profile = ("InstanceProfileName", "Profile");
    world.admin.iam("CreateInstanceProfile", &[profile]).ok();
    for (name, parameters) in [
        ("DeleteRole", vec![role]),
        ("UpdateRole", vec![role, ("MaxSessionDuration", "7200")]),
        ("UpdateAssumeRolePolicy", vec![role, ("PolicyDocument", &trusting)]),
        ("AttachRolePolicy", vec![role, ("PolicyArn", policy)]),
        ("DetachRolePolicy", vec![role, ("PolicyArn", own)]),
        ("PutRolePolicy", vec![role, ("PolicyName", "p"), ("PolicyDocument", &document)]),
        ("DeleteRolePolicy", vec![role, ("PolicyName", "p")]),
        ("PutRolePermissionsBoundary", vec![role, ("PermissionsBoundary", policy)]),
        ("DeleteRolePermissionsBoundary", vec![role]),
        ("AddRoleToInstanceProfile", vec![role, profile]),
    ] {
        let words = refused(&world, || world.admin.iam(name, &parameters), "UnmodifiableEntity");
        assert_eq!(
            words,
            "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this \
             role is only modifiable by AWS",
            "{name}"
        );
    }
    world.admin.iam("UpdateRoleDescription", &[role, ("Description", "one")]).ok();
    world.admin.iam("UpdateRole", &[role, ("Description", "two")]).ok();
    world
        .admin
        .iam("TagRole", &[role, ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")])
        .ok();
    let shown = world.admin.iam("GetRole", &[role]).ok();
    assert_eq!(shown.text("Role.Description"), "two");
    // Nobody makes one by hand, and nothing else gets its policy.
    let made = [
        ("RoleName", "Mine"),
        ("Path", "/aws-service-role/ecs.amazonaws.com/"),
        ("AssumeRolePolicyDocument", &*trusting),
    ];
    refused(&world, || world.admin.iam("CreateRole", &made), "InvalidInput");
    world.role("Plain", HOME, Rights::None);
    let attach = [("RoleName", "Plain"), ("PolicyArn", own)];
    refused(&world, || world.admin.iam("AttachRolePolicy", &attach), "PolicyNotAttachable");
}

/// `iam:AWSServiceName` tells for which service, as the usual policies ask.
#[test]
fn the_service_is_a_condition_key() {
    let world = World::new(1203);
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "iam:CreateServiceLinkedRole",
            "Resource": format!("arn:aws:iam::{HOME}:role/aws-service-role/*"),
            "Condition": {"StringLike": {"iam:AWSServiceName": "ecs.amazonaws.com"}},
        }],
    });
    let ann = world.user("Ann", Rights::Inline(&policy.to_string()));
    let create = |service: &str| ann.iam("CreateServiceLinkedRole", &[("AWSServiceName", service)]);
    create("ecs.amazonaws.com").ok();
    let words = create("eks.amazonaws.com").refused("AccessDenied").message.clone();
    let arn = "role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS";
    assert!(words.contains(arn), "{words}");
    create("nothing.amazonaws.com").refused("AccessDenied");
}

#[test]
fn policies_that_grant_access_to_a_service() {
    let world = World::new(1204);
    let admin = &world.admin;
    let ann = ("UserName", "Ann");
    admin.iam("CreateUser", &[ann]).ok();
    admin.iam("CreateGroup", &[("GroupName", "Crew")]).ok();
    admin.iam("AddUserToGroup", &[("GroupName", "Crew"), ann]).ok();
    let put = |kind: &str, holder: &str, name: &str, document: &str| {
        let member = format!("{kind}Name");
        let parameters = [(&*member, holder), ("PolicyName", name), ("PolicyDocument", document)];
        admin.iam(&format!("Put{kind}Policy"), &parameters).ok();
    };
    put("User", "Ann", "zeta", &allow(&["s3:Get*", "sqs:*"]));
    put("User", "Ann", "nothing", &allow(&["s3:NoSuchAction"]));
    put("Group", "Crew", "crew", &allow_on(&["S3:listbucket"], &["arn:aws:s3:::b"]));
    let read_only = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    for (kind, holder) in [("User", "Ann"), ("Group", "Crew")] {
        let member = format!("{kind}Name");
        let parameters = [(&*member, holder), ("PolicyArn", read_only)];
        admin.iam(&format!("Attach{kind}Policy"), &parameters).ok();
    }
    let boundary = [ann, ("PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess")];
    admin.iam("PutUserPermissionsBoundary", &boundary).ok();
    let list = |arn: &str, services: &[&str]| {
        let keys: Vec<String> =
            (1..=services.len()).map(|place| format!("ServiceNamespaces.member.{place}")).collect();
        let mut parameters = vec![("Arn", arn)];
        parameters.extend(keys.iter().map(|key| &**key).zip(services.iter().copied()));
        admin.iam("ListPoliciesGrantingServiceAccess", &parameters)
    };
    let named = |reply: &Reply, place: usize| {
        let list = format!("PoliciesGrantingServiceAccess.{place}.Policies");
        let name = |at: usize| reply.text(&format!("{list}.{at}.PolicyName"));
        (0..reply.len(&list)).map(name).collect::<Vec<_>>()
    };
    let user = format!("arn:aws:iam::{HOME}:user/Ann");
    let found = list(&user, &["sqs", "s3", "ec2", "s3"]).ok();
    assert_eq!(found.len("PoliciesGrantingServiceAccess"), 3);
    let service =
        |at: usize| found.text(&format!("PoliciesGrantingServiceAccess.{at}.ServiceNamespace"));
    assert_eq!([service(0), service(1), service(2)], ["ec2", "s3", "sqs"]);
    assert_eq!(named(&found, 0), [""; 0]);
    assert_eq!(named(&found, 1), ["AmazonS3ReadOnlyAccess", "crew", "zeta"]);
    assert_eq!(named(&found, 2), ["zeta"]);
    let first = "PoliciesGrantingServiceAccess.1.Policies";
    assert_eq!(found.text(&format!("{first}.0.PolicyArn")), read_only);
    assert_eq!(found.text(&format!("{first}.0.PolicyType")), "MANAGED");
    assert_eq!(found.text(&format!("{first}.1.EntityType")), "GROUP");
    assert_eq!(found.text(&format!("{first}.1.EntityName")), "Crew");
    assert_eq!(found.text(&format!("{first}.2.PolicyType")), "INLINE");
    let group = format!("arn:aws:iam::{HOME}:group/Crew");
    assert_eq!(named(&list(&group, &["s3"]).ok(), 0), ["AmazonS3ReadOnlyAccess", "crew"]);
    world.role("Worker", HOME, Rights::Inline(&allow(&["*"])));
    let role = format!("arn:aws:iam::{HOME}:role/Worker");
    assert_eq!(named(&list(&role, &["ec2"]).ok(), 0).len(), 1);
    refused(&world, || list(&user, &["no-such-service"]), "InvalidInput");
    refused(&world, || list(&format!("arn:aws:iam::{HOME}:user/Nobody"), &["s3"]), "NoSuchEntity");
    refused(&world, || list(&format!("arn:aws:iam::{HOME}:policy/p"), &["s3"]), "InvalidInput");
    refused(&world, || list(&user, &[]), "ValidationError");
}

/// Every service at once is answered, in pages.
#[test]
fn policies_for_every_service() {
    let world = World::new(1205);
    world.user("Ann", Rights::Inline(&allow(&["*"])));
    let services: Vec<&str> = bailiwick_catalog::Catalog::embedded()
        .services()
        .map(bailiwick_catalog::Service::prefix)
        .take(200)
        .collect();
    let keys: Vec<String> =
        (1..=services.len()).map(|place| format!("ServiceNamespaces.member.{place}")).collect();
    let arn = format!("arn:aws:iam::{HOME}:user/Ann");
    let (mut marker, mut seen) = (None::<String>, Vec::new());
    loop {
        let mut parameters = vec![("Arn", &*arn)];
        parameters.extend(keys.iter().map(|key| &**key).zip(services.iter().copied()));
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = world.admin.iam("ListPoliciesGrantingServiceAccess", &parameters).ok();
        for at in 0..page.len("PoliciesGrantingServiceAccess") {
            let entry = format!("PoliciesGrantingServiceAccess.{at}");
            seen.push(page.text(&format!("{entry}.ServiceNamespace")));
            assert_eq!(page.len(&format!("{entry}.Policies")), 1, "{seen:?}");
        }
        if page.at("IsTruncated") == Some(&Value::Bool(false)) {
            break;
        }
        marker = Some(page.text("Marker"));
    }
    assert!(seen.is_sorted());
    assert_eq!(seen.len(), services.len());
}

#[test]
fn settings_of_the_account() {
    let world = World::new(1206);
    let admin = &world.admin;
    let version = |world: &World| {
        let summary = world.admin.iam("GetAccountSummary", &[]).ok();
        held(&summary, "SummaryMap", "GlobalEndpointTokenVersion").cloned()
    };
    assert_eq!(version(&world), Some(Value::Integer(1)));
    let set = |text: &str| {
        let parameters = [("GlobalEndpointTokenVersion", text)];
        admin.iam("SetSecurityTokenServicePreferences", &parameters)
    };
    set("v2Token").ok();
    refused(&world, || set("v3Token"), "ValidationError");
    assert_eq!(version(&world.fork()), Some(Value::Integer(2)));
    let put = |pairs: &[(&str, &str)]| {
        let keys: Vec<[String; 2]> = (1..=pairs.len())
            .map(|at| ["key", "value"].map(|part| format!("Properties.entry.{at}.{part}")))
            .collect();
        let entries = keys.iter().zip(pairs);
        let parameters: Vec<(&str, &str)> = entries
            .flat_map(|([key, value], pair)| [(&**key, pair.0), (&**value, pair.1)])
            .collect();
        admin.iam("PutAccountProperties", &parameters)
    };
    put(&[("RoleManager/Enabled", "true"), ("RoleManager/Mode", "a")]).ok();
    put(&[("RoleManager/Mode", "b")]).ok();
    refused(&world, || put(&[("A/x", "1"), ("B/y", "2")]), "InvalidInput");
    refused(&world, || put(&[("A", "1")]), "InvalidInput");
    let shown = world.fork().admin.iam("GetAccountProperties", &[]).ok();
    for (key, value) in [("RoleManager/Mode", "b"), ("RoleManager/Enabled", "true")] {
        let found = held(&shown, "Properties", key);
        assert_eq!(found, Some(&Value::String(value.into())), "{key}");
    }
    for number in 0..98 {
        put(&[(&format!("N/p{number}"), "x")]).ok();
    }
    refused(&world, || put(&[("N/more", "x")]), "InvalidInput");
}

#[test]
fn outbound_federation_is_switched() {
    let world = World::new(1207);
    let (enable, disable, info) = (
        "EnableOutboundWebIdentityFederation",
        "DisableOutboundWebIdentityFederation",
        "GetOutboundWebIdentityFederationInfo",
    );
    let call = |name: &str| world.admin.iam(name, &[]);
    refused(&world, || call(disable), "FeatureDisabled");
    refused(&world, || call(info), "FeatureDisabled");
    let issuer = call(enable).ok().text("IssuerIdentifier");
    assert!(issuer.starts_with("http://localhost/tokens/"), "{issuer}");
    refused(&world, || call(enable), "FeatureEnabled");
    let shown = world.fork().admin.iam(info, &[]).ok();
    assert_eq!(shown.text("IssuerIdentifier"), issuer);
    assert_eq!(shown.at("JwtVendingEnabled"), Some(&Value::Bool(true)));
    call(disable).ok();
    refused(&world, || call(info), "FeatureDisabled");
    assert_eq!(call(enable).ok().text("IssuerIdentifier"), issuer, "the issuer stays");
}

#[test]
fn root_access_needs_an_organization() {
    let world = World::new(1208);
    for name in [
        "EnableOrganizationsRootCredentialsManagement",
        "DisableOrganizationsRootCredentialsManagement",
        "EnableOrganizationsRootSessions",
        "DisableOrganizationsRootSessions",
        "ListOrganizationsFeatures",
    ] {
        refused(&world, || world.admin.iam(name, &[]), "OrganizationNotFoundException");
    }
}
