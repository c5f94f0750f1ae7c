//! Last accesses: what counts as a use, whose it is, and how the reports of it are made and kept.

use bailiwick_testkit::{Client, HOME, Reply, Rights, World, allow, allow_all, allow_on, deny};
use jiff::Timestamp;

const OTHER: &str = "210987654321";

fn arn(resource: &str) -> String {
    format!("arn:aws:iam::{HOME}:{resource}")
}

/// Asks for a report; it is not made yet.
fn ask(client: &Client, about: &str, granularity: &str) -> String {
    let parameters = [("Arn", about), ("Granularity", granularity)];
    client.iam("GenerateServiceLastAccessedDetails", &parameters).ok().text("JobId")
}

fn read(client: &Client, job: &str) -> Reply {
    client.iam("GetServiceLastAccessedDetails", &[("JobId", job), ("MaxItems", "1000")])
}

fn users_of(client: &Client, job: &str, service: &str) -> Reply {
    let parameters = [("JobId", job), ("ServiceNamespace", service)];
    client.iam("GetServiceLastAccessedDetailsWithEntities", &parameters)
}

/// Makes the reports that wait. What was made is seen when a later change is answered.
fn make(world: &World) {
    world.node.make_reports();
    let parameters = [("UserName", "admin"), ("NewPath", "/")];
    world.admin.iam("UpdateUser", &parameters).ok();
}

/// The report about an entity.
fn report(world: &World, about: &str, granularity: &str) -> Reply {
    let job = ask(&world.admin, about, granularity);
    make(world);
    let reply = read(&world.admin, &job).ok();
    assert_eq!(reply.text("JobStatus"), "COMPLETED");
    reply
}

/// The path of a service in a report.
fn service(reply: &Reply, namespace: &str) -> Option<String> {
    let paths =
        (0..reply.len("ServicesLastAccessed")).map(|place| format!("ServicesLastAccessed.{place}"));
    let mut paths =
        paths.filter(|path| reply.text(&format!("{path}.ServiceNamespace")) == namespace);
    paths.next()
}

/// When a service was used last; none if it never was. The report must have it.
fn used(reply: &Reply, namespace: &str) -> Option<Timestamp> {
    let path = service(reply, namespace).unwrap_or_else(|| panic!("no {namespace}"));
    let path = format!("{path}.LastAuthenticated");
    reply.at(&path).map(|_| reply.instant(&path))
}

/// The actions of a service with the time of their last use, as a report tells of them.
fn actions(reply: &Reply, namespace: &str) -> Vec<(String, Option<Timestamp>)> {
    let path = format!("{}.TrackedActionsLastAccessed", service(reply, namespace).unwrap());
    let action = |place: usize| {
        let path = format!("{path}.{place}");
        let last = format!("{path}.LastAccessedTime");
        (reply.text(&format!("{path}.ActionName")), reply.at(&last).map(|_| reply.instant(&last)))
    };
    (0..reply.len(&path)).map(action).collect()
}

fn used_actions(reply: &Reply, namespace: &str) -> Vec<String> {
    let all = actions(reply, namespace).into_iter();
    all.filter(|(_, last)| last.is_some()).map(|(name, _)| name).collect()
}

fn now(world: &World) -> Timestamp {
    bailiwick_services::Clock::now(world.clock.as_ref())
}

/// Attempts count, allowed or not, and failed ones too; what is not authenticated does not.
#[test]
fn every_attempt_of_a_known_caller_counts() {
    let world = World::new(1600);
    let ann = world.user("Ann", Rights::Inline(&allow(&["iam:GetUser", "sts:*", "s3:GetObject"])));
    let about = arn("user/Ann");
    let found = report(&world, &about, "SERVICE_LEVEL");
    let names: Vec<String> = (0..found.len("ServicesLastAccessed"))
        .map(|place| found.text(&format!("ServicesLastAccessed.{place}.ServiceNamespace")))
        .collect();
    assert_eq!(names, ["iam", "s3", "sts"], "what her policies grant, in order");
    assert_eq!([used(&found, "iam"), used(&found, "s3"), used(&found, "sts")], [None; 3]);
    let path = service(&found, "iam").unwrap();
    assert_eq!(
        found.text(&format!("{path}.ServiceName")),
        "AWS Identity and Access Management (IAM)"
    );

    let mut forged = ann.clone();
    forged.credentials.as_mut().unwrap().secret.push('x');
    forged.iam("GetUser", &[]).refused("SignatureDoesNotMatch");
    world.anonymous().iam("GetUser", &[]).refused("MissingAuthenticationToken");
    assert_eq!(used(&report(&world, &about, "SERVICE_LEVEL"), "iam"), None);

    for (code, call) in [
        ("", &["GetUser"][..]),
        ("AccessDenied", &["DeleteUser", "UserName", "Ann"]),
        ("ValidationError", &["GetUser", "UserName", "*"]),
    ] {
        world.advance(10);
        let parameters: Vec<(&str, &str)> =
            call[1..].chunks(2).map(|pair| (pair[0], pair[1])).collect();
        assert_eq!(ann.iam(call[0], &parameters).code, code);
        let at = now(&world);
        world.advance(10);
        let found = report(&world, &about, "SERVICE_LEVEL");
        assert_eq!(used(&found, "iam"), Some(at), "{code}");
        assert_eq!(used(&found, "sts"), None);
        let path = service(&found, "iam").unwrap();
        assert_eq!(found.text(&format!("{path}.LastAuthenticatedEntity")), about);
        assert_eq!(found.text(&format!("{path}.LastAuthenticatedRegion")), "us-east-1");
        assert!(found.at(&format!("{path}.TrackedActionsLastAccessed")).is_none());
    }
    // The policies say what is told: what they grant no more is left out, used or not.
    world.put_user_policy("Ann", &allow(&["sts:*"]));
    let found = report(&world, &about, "SERVICE_LEVEL");
    assert!(service(&found, "iam").is_none());
    // And a boundary does not count.
    let bound = [("PolicyName", "Bound"), ("PolicyDocument", &*allow(&["s3:*"]))];
    let bound = world.admin.iam("CreatePolicy", &bound).ok().text("Policy.Arn");
    let bounded = [("UserName", "Ann"), ("PermissionsBoundary", &*bound)];
    world.admin.iam("PutUserPermissionsBoundary", &bounded).ok();
    assert!(service(&report(&world, &about, "SERVICE_LEVEL"), "sts").is_some());
}

/// Each granted action is told of, those too that a call asks for besides its own.
#[test]
fn actions_are_told_of_one_by_one() {
    let world = World::new(1601);
    let role = world.role("Worker", HOME, Rights::None);
    let rights = allow(&["sts:AssumeRole", "sts:TagSession", "iam:Get*", "ec2:*"]);
    let ann = world.user("Ann", Rights::Inline(&rights));
    ann.iam("GetRole", &[("RoleName", "Worker")]).ok();
    let first = now(&world);
    world.advance(5);
    ann.iam("ListRoles", &[]).refused("AccessDenied");
    ann.iam("GetUser", &[("UserName", "nobody")]).refused("NoSuchEntity");
    let tagged = [
        ("RoleArn", &*role),
        ("RoleSessionName", "one"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "b"),
    ];
    let session = ann.sts("AssumeRole", &tagged).ok();
    let second = now(&world);
    let found = report(&world, &arn("user/Ann"), "ACTION_LEVEL");
    assert_eq!(found.text("JobType"), "ACTION_LEVEL");
    assert_eq!(used_actions(&found, "iam"), ["GetRole", "GetUser"]);
    let iam = actions(&found, "iam");
    assert!(iam.contains(&("GetRole".into(), Some(first))), "{iam:?}");
    assert!(iam.contains(&("GetUser".into(), Some(second))));
    assert!(iam.contains(&("GetPolicy".into(), None)), "granted and never used");
    // Denied, so that the service was used, but not granted, so that nothing is told of the action.
    assert!(iam.iter().all(|(name, _)| name.starts_with("Get")));
    assert_eq!(
        actions(&found, "sts"),
        [("AssumeRole".into(), Some(second)), ("TagSession".into(), Some(second))]
    );
    // Of services that this server does not answer nothing is known action by action.
    let path = service(&found, "ec2").unwrap();
    assert!(found.at(&format!("{path}.TrackedActionsLastAccessed")).is_none());

    // The session's calls are its role's.
    let session = ann.as_issued(&session);
    session.iam("GetUser", &[("UserName", "Ann")]).refused("AccessDenied");
    let all = [("RoleName", "Worker"), ("PolicyName", "all"), ("PolicyDocument", &*allow_all())];
    world.admin.iam("PutRolePolicy", &all).ok();
    let found = report(&world, &role, "ACTION_LEVEL");
    assert_eq!(used_actions(&found, "iam"), ["GetUser"]);
    assert_eq!(used(&found, "sts"), None);
    assert!(used_actions(&report(&world, &arn("user/Ann"), "ACTION_LEVEL"), "sts").len() == 2);

    // A federated user's calls are those of the user who made it.
    let bob = world.user("Bob", Rights::Inline(&allow(&["sts:*", "iam:*"])));
    let federated = [("Name", "Fred"), ("Policy", &*allow(&["sts:*"]))];
    let fred = bob.as_issued(&bob.sts("GetFederationToken", &federated).ok());
    fred.sts("GetCallerIdentity", &[]).ok();
    let found = report(&world, &arn("user/Bob"), "ACTION_LEVEL");
    assert_eq!(used_actions(&found, "sts"), ["GetCallerIdentity", "GetFederationToken"]);
    // A denial everywhere takes a grant away, in whichever policy it stands.
    let no = deny(&["iam:*"]);
    let denial = [("UserName", "Bob"), ("PolicyName", "no"), ("PolicyDocument", &*no)];
    world.admin.iam("PutUserPolicy", &denial).ok();
    let found = report(&world, &arn("user/Bob"), "ACTION_LEVEL");
    assert!(service(&found, "iam").is_none() && service(&found, "s3").is_some());
}

/// Groups and policies are judged by their users and roles.
#[test]
fn groups_and_policies_are_used_by_others() {
    let world = World::new(1602);
    let admin = &world.admin;
    let document = [("PolicyName", "Look"), ("PolicyDocument", &*allow(&["iam:*", "sts:*"]))];
    let policy = admin.iam("CreatePolicy", &document).ok().text("Policy.Arn");
    admin.iam("CreateGroup", &[("GroupName", "Crew"), ("Path", "/team/")]).ok();
    let [ann, bob, _] = ["Ann", "Bob", "Eve"].map(|name| {
        let client = world.user(name, Rights::None);
        admin.iam("AddUserToGroup", &[("GroupName", "Crew"), ("UserName", name)]).ok();
        client
    });
    let role = world.role("Worker", HOME, Rights::None);
    admin.iam("AttachGroupPolicy", &[("GroupName", "Crew"), ("PolicyArn", &policy)]).ok();
    admin.iam("AttachRolePolicy", &[("RoleName", "Worker"), ("PolicyArn", &policy)]).ok();
    // A user that has it twice is one user.
    admin.iam("AttachUserPolicy", &[("UserName", "Ann"), ("PolicyArn", &policy)]).ok();
    bob.iam("ListUsers", &[]).ok();
    let by_bob = now(&world);
    world.advance(5);
    ann.iam("ListUsers", &[]).ok();
    let by_ann = now(&world);

    let group = arn("group/team/Crew");
    let job = ask(admin, &group, "ACTION_LEVEL");
    make(&world);
    let found = read(admin, &job).ok();
    let path = service(&found, "iam").unwrap();
    assert_eq!(found.text(&format!("{path}.LastAuthenticatedEntity")), arn("user/Ann"));
    assert_eq!(used(&found, "iam"), Some(by_ann));
    let total = |reply: &Reply, namespace: &str| {
        let path = service(reply, namespace).unwrap();
        match reply.at(&format!("{path}.TotalAuthenticatedEntities")) {
            Some(bailiwick_wire::Value::Integer(total)) => *total,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((total(&found, "iam"), total(&found, "sts")), (2, 0));
    assert_eq!(used_actions(&found, "iam"), ["ListUsers"]);
    let listed = users_of(admin, &job, "iam").ok();
    let names: Vec<String> = (0..listed.len("EntityDetailsList"))
        .map(|place| listed.text(&format!("EntityDetailsList.{place}.EntityInfo.Name")))
        .collect();
    assert_eq!(names, ["Ann", "Bob", "Eve"], "the latest first, and last who never did");
    assert_eq!(listed.instant("EntityDetailsList.1.LastAuthenticated"), by_bob);
    assert!(listed.at("EntityDetailsList.2.LastAuthenticated").is_none());
    let info = |member: &str| listed.text(&format!("EntityDetailsList.0.EntityInfo.{member}"));
    let id = admin.iam("GetUser", &[("UserName", "Ann")]).ok().text("User.UserId");
    assert_eq!(
        (info("Arn"), info("Type"), info("Path"), info("Id")),
        (arn("user/Ann"), "USER".into(), "/".into(), id)
    );
    assert_eq!(users_of(admin, &job, "s3").ok().len("EntityDetailsList"), 0, "not granted");
    users_of(admin, &job, "no-service").refused("InvalidInput");

    let session = admin.assume(&role, "one");
    world.advance(5);
    session.iam("ListUsers", &[]).ok();
    let job = ask(admin, &policy, "SERVICE_LEVEL");
    make(&world);
    let found = read(admin, &job).ok();
    let path = service(&found, "iam").unwrap();
    assert_eq!(found.text(&format!("{path}.LastAuthenticatedEntity")), role);
    assert_eq!(total(&found, "iam"), 3);
    let listed = users_of(admin, &job, "iam").ok();
    assert_eq!(listed.len("EntityDetailsList"), 4);
    assert_eq!(listed.text("EntityDetailsList.0.EntityInfo.Type"), "ROLE");
    // A policy of AWS, which nobody has here.
    let found = report(&world, "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "SERVICE_LEVEL");
    assert_eq!(used(&found, "s3"), None);
    // A report about a user lists that user.
    let job = ask(admin, &arn("user/Bob"), "SERVICE_LEVEL");
    make(&world);
    assert_eq!(users_of(admin, &job, "iam").ok().len("EntityDetailsList"), 1);
}

/// A report waits, is made, stays what it was, and ends; a restart neither loses nor changes it.
#[test]
fn a_report_is_a_job() {
    let world = World::new(1603);
    let ann = world.user("Ann", Rights::Inline(&allow_all()));
    ann.iam("GetUser", &[]).ok();
    let first = now(&world);
    let job = ask(&ann, &arn("user/Ann"), "SERVICE_LEVEL");
    let event = world.last_event();
    assert_eq!(event["eventName"], "GenerateServiceLastAccessedDetails");
    assert_eq!(event["readOnly"], true);
    let waiting = read(&ann, &job).ok();
    assert_eq!(waiting.text("JobStatus"), "IN_PROGRESS");
    assert_eq!(waiting.instant("JobCreationDate"), first);
    assert!(waiting.at("JobCompletionDate").is_none());
    assert_eq!(waiting.len("ServicesLastAccessed"), 0);
    assert_eq!(users_of(&ann, &job, "iam").ok().text("JobStatus"), "IN_PROGRESS");
    // What was noted before a crash is lost if no flush came between; the job is not.
    world.node.flush();
    world.advance(3);
    let there = world.fork();
    let again = there.adopt(&ann);
    assert_eq!(read(&again, &job).ok().text("JobStatus"), "IN_PROGRESS");
    make(&there);
    let made = read(&again, &job).ok();
    assert_eq!(made.text("JobStatus"), "COMPLETED");
    assert_eq!(made.instant("JobCompletionDate"), now(&there));
    assert!(used(&made, "iam") >= Some(first));
    // It is of its moment.
    there.advance(60);
    again.iam("GetUser", &[]).ok();
    make(&there);
    let later = read(&again, &job).ok();
    assert_eq!(later.value(), made.value());
}

/// Who may read a report: who asked for it, and for its entities the account.
#[test]
fn tm_c02_a_report_is_for_who_asked() {
    let world = World::new(1604);
    let ann = world.user("Ann", Rights::Inline(&allow_all()));
    let job = ask(&ann, &arn("user/Ann"), "SERVICE_LEVEL");
    make(&world);
    read(&ann, &job).ok();
    let token = ann.as_issued(&ann.sts("GetSessionToken", &[]).ok());
    let root = world.root(HOME);
    let neighbour = world.account(OTHER);
    assert_eq!(token.key().get(..4), Some("ASIA"));
    for client in [&world.admin, &root] {
        read(client, &job).refused("NoSuchEntity");
        users_of(client, &job, "iam").ok();
    }
    read(&neighbour, &job).refused("NoSuchEntity");
    users_of(&neighbour, &job, "iam").refused("NoSuchEntity");
    neighbour
        .iam("GenerateServiceLastAccessedDetails", &[("Arn", &arn("user/Ann"))])
        .refused("AccessDenied");
    let unknown = "00000000-0000-4000-8000-000000000000";
    let reply = read(&ann, unknown).refused("NoSuchEntity");
    assert_eq!(reply.status, 404);
    read(&ann, "short").refused("ValidationError");
    // Root may ask too.
    let job = ask(&root, &arn("user/Ann"), "SERVICE_LEVEL");
    make(&world);
    read(&root, &job).ok();
    read(&ann, &job).refused("NoSuchEntity");
    // And the sessions of one role share theirs.
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    let [one, two] = ["one", "two"].map(|name| world.admin.assume(&role, name));
    let job = ask(&one, &role, "SERVICE_LEVEL");
    make(&world);
    read(&two, &job).ok();
    let eve = world.user("Eve", Rights::None);
    eve.iam("GenerateServiceLastAccessedDetails", &[("Arn", &role)]).refused("AccessDenied");
    read(&eve, &job).refused("AccessDenied");
    users_of(&eve, &job, "iam").refused("AccessDenied");
    // The permission may be limited to an entity.
    let action = "iam:GenerateServiceLastAccessedDetails";
    world.put_user_policy("Eve", &allow_on(&[action], &[&role]));
    ask(&eve, &role, "SERVICE_LEVEL");
    eve.iam("GenerateServiceLastAccessedDetails", &[("Arn", &arn("user/Ann"))])
        .refused("AccessDenied");
}

#[test]
fn what_names_nothing_is_refused() {
    let world = World::new(1605);
    let ask = |arn: &str| world.admin.iam("GenerateServiceLastAccessedDetails", &[("Arn", arn)]);
    for (about, code, words) in [
        (arn("user/Nobody"), "NoSuchEntity", "The user with name Nobody cannot be found."),
        (arn("group/Nobody"), "NoSuchEntity", "The group with name Nobody cannot be found."),
        (arn("role/Nobody"), "NoSuchEntity", "The role with name Nobody cannot be found."),
        (arn("user/other/admin"), "NoSuchEntity", "The user with name admin cannot be found."),
        (
            arn("policy/Nothing"),
            "NoSuchEntity",
            "Policy arn:aws:iam::123456789012:policy/Nothing was not found.",
        ),
        ("arn:aws:iam::aws:policy/Nothing".into(), "NoSuchEntity", ""),
        ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess".into(), "NoSuchEntity", ""),
        (arn("instance-profile/x"), "InvalidInput", ""),
        (arn("user/"), "InvalidInput", ""),
        (format!("arn:aws:iam::{HOME}:root"), "InvalidInput", ""),
        (format!("arn:aws:sts::{HOME}:assumed-role/a/b"), "InvalidInput", ""),
        ("arn:aws:iam::aws:user/admin".into(), "InvalidInput", ""),
        ("not an arn, but long enough".into(), "InvalidInput", ""),
        ("short".into(), "ValidationError", ""),
    ] {
        let before = world.revision();
        let reply = ask(&about).refused(code);
        assert!(reply.message.contains(words), "{about}: {}", reply.message);
        assert_eq!(world.revision(), before);
    }
    let parameters = [("Arn", &*arn("user/admin")), ("Granularity", "NONE")];
    world.admin.iam("GenerateServiceLastAccessedDetails", &parameters).refused("ValidationError");
}

/// Pages of services and of entities; a marker is good for its own list alone.
#[test]
fn reports_come_in_pages() {
    let world = World::new(1606);
    let admin = &world.admin;
    admin.iam("CreateGroup", &[("GroupName", "Crew")]).ok();
    let rights = allow(&["iam:*", "s3:*", "sts:*", "ec2:*", "sqs:*"]);
    let policy = [("GroupName", "Crew"), ("PolicyName", "p"), ("PolicyDocument", &*rights)];
    admin.iam("PutGroupPolicy", &policy).ok();
    for number in 0..5 {
        let user = format!("User{number}");
        admin.iam("CreateUser", &[("UserName", &*user)]).ok();
        admin.iam("AddUserToGroup", &[("GroupName", "Crew"), ("UserName", &*user)]).ok();
    }
    let job = ask(admin, &arn("group/Crew"), "SERVICE_LEVEL");
    make(&world);
    let pages = |operation: &str, list: &str, name: &str, more: &[(&str, &str)]| {
        let (mut found, mut marker) = (Vec::new(), None::<String>);
        loop {
            let mut parameters = vec![("JobId", &*job), ("MaxItems", "2")];
            parameters.extend(more);
            parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
            let page = admin.iam(operation, &parameters).ok();
            assert!(page.len(list) <= 2);
            found.extend((0..page.len(list)).map(|at| page.text(&format!("{list}.{at}.{name}"))));
            if page.at("IsTruncated") == Some(&bailiwick_wire::Value::Bool(false)) {
                return found;
            }
            marker = Some(page.text("Marker"));
            let other = [("Marker", marker.as_deref().unwrap())];
            admin.iam("ListUsers", &other).refused("ValidationError");
        }
    };
    let services =
        pages("GetServiceLastAccessedDetails", "ServicesLastAccessed", "ServiceNamespace", &[]);
    assert_eq!(services, ["ec2", "iam", "s3", "sqs", "sts"]);
    let entities = pages(
        "GetServiceLastAccessedDetailsWithEntities",
        "EntityDetailsList",
        "EntityInfo.Name",
        &[("ServiceNamespace", "iam")],
    );
    assert_eq!(entities, ["User0", "User1", "User2", "User3", "User4"]);
}

/// G07: reports end after a week, and so many wait at most.
#[test]
fn tm_g07_reports_do_not_pile_up() {
    let world = World::new(1607);
    let about = arn("user/admin");
    let kept = |world: &World| {
        let records = world.records();
        records.keys().filter(|key| String::from_utf8_lossy(key).contains("access-report/")).count()
    };
    let job = ask(&world.admin, &about, "ACTION_LEVEL");
    make(&world);
    assert!(kept(&world) >= 2);
    world.advance(7 * 86_400);
    read(&world.admin, &job).ok();
    world.advance(1);
    read(&world.admin, &job).refused("NoSuchEntity");
    make(&world);
    assert_eq!(kept(&world), 0, "nothing is left of it");
    for _ in 0..1000 {
        ask(&world.admin, &about, "SERVICE_LEVEL");
    }
    world
        .admin
        .iam("GenerateServiceLastAccessedDetails", &[("Arn", &*about)])
        .refused("Throttling");
    make(&world);
    ask(&world.admin, &about, "SERVICE_LEVEL");
}

/// A report about what is gone fails, and says why.
#[test]
fn a_report_about_nothing_fails() {
    let world = World::new(1608);
    world.admin.iam("CreateUser", &[("UserName", "Ann")]).ok();
    let job = ask(&world.admin, &arn("user/Ann"), "SERVICE_LEVEL");
    world.admin.iam("DeleteUser", &[("UserName", "Ann")]).ok();
    make(&world);
    let reply = read(&world.admin, &job).ok();
    assert_eq!(reply.text("JobStatus"), "FAILED");
    assert_eq!(reply.text("Error.Code"), "NoSuchEntity");
    assert!(reply.at("JobCompletionDate").is_some());
    assert_eq!(users_of(&world.admin, &job, "iam").ok().text("JobStatus"), "FAILED");
}

/// Uses are told of for 400 days, live through a restart, and die with their user.
#[test]
fn uses_are_tracked_for_400_days() {
    let world = World::new(1609);
    let ann = world.user("Ann", Rights::Inline(&allow_all()));
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    ann.iam("GetUser", &[]).ok();
    world.admin.assume(&role, "one").iam("ListUsers", &[]).ok();
    let at = now(&world);
    world.node.flush();
    // A change after it, so that what was flushed is seen.
    world.admin.iam("CreateGroup", &[("GroupName", "Last")]).ok();
    let there = world.fork();
    for world in [&world, &there] {
        assert_eq!(used(&report(world, &arn("user/Ann"), "SERVICE_LEVEL"), "iam"), Some(at));
        assert_eq!(used(&report(world, &role, "SERVICE_LEVEL"), "iam"), Some(at));
    }
    let last_used = |world: &World| {
        let shown = world.admin.iam("GetRole", &[("RoleName", "Worker")]).ok();
        let details =
            world.admin.iam("GetAccountAuthorizationDetails", &[("Filter.member.1", "Role")]).ok();
        let listed = world.admin.iam("ListRoles", &[]).ok();
        assert!(listed.at("Roles.0.RoleLastUsed").is_none());
        let (one, two) = ("Role.RoleLastUsed", "RoleDetailList.0.RoleLastUsed");
        let of = |reply: &Reply, path: &str| {
            let date = format!("{path}.LastUsedDate");
            reply.at(&date).map(|_| (reply.instant(&date), reply.text(&format!("{path}.Region"))))
        };
        assert_eq!(of(&shown, one), of(&details, two));
        of(&shown, one)
    };
    assert_eq!(last_used(&world), Some((at, "us-east-1".into())));
    assert_eq!(last_used(&there), Some((at, "us-east-1".into())));
    world.advance(400 * 86_400);
    assert!(used(&report(&world, &arn("user/Ann"), "SERVICE_LEVEL"), "iam").is_some());
    assert!(last_used(&world).is_some());
    world.advance(1);
    assert_eq!(used(&report(&world, &arn("user/Ann"), "SERVICE_LEVEL"), "iam"), None);
    assert_eq!(used(&report(&world, &role, "SERVICE_LEVEL"), "iam"), None);
    assert_eq!(last_used(&world), None);
    // The key's last use is told of for ever.
    let last = world.admin.iam("GetAccessKeyLastUsed", &[("AccessKeyId", ann.key())]).ok();
    assert_eq!(last.instant("AccessKeyLastUsed.LastUsedDate"), at);

    for (operation, parameters) in [
        ("DeleteRolePolicy", &[("RoleName", "Worker"), ("PolicyName", "rights")][..]),
        ("DeleteRole", &[("RoleName", "Worker")]),
        ("DeleteUserPolicy", &[("UserName", "Ann"), ("PolicyName", "rights")]),
        ("DeleteAccessKey", &[("UserName", "Ann"), ("AccessKeyId", ann.key())]),
        ("DeleteUser", &[("UserName", "Ann")]),
    ] {
        world.admin.iam(operation, parameters).ok();
    }
    world.node.flush();
    let uses = |world: &World| {
        let records = world.records_of(HOME);
        let keys = records.keys().map(|key| String::from_utf8_lossy(key).into_owned());
        keys.filter(|key| key.contains("/action-use/")).count()
    };
    let admins = uses(&world);
    // One who takes the name has not used anything.
    world.user("Ann", Rights::Inline(&allow_all()));
    assert_eq!(used(&report(&world, &arn("user/Ann"), "SERVICE_LEVEL"), "iam"), None);
    assert!(admins > 0);
    let id = world.admin.iam("GetUser", &[]).ok().text("User.UserId");
    let records = world.records_of(HOME);
    let mut keys = records.keys().map(|key| String::from_utf8_lossy(key).into_owned());
    assert!(keys.all(|key| !key.contains("/action-use/") || key.contains(&id)));
}
