//! Threat C02: an action that is granted is granted on its target alone, and the target is what is
//! stored, not what the request calls it.

use bailiwick_testkit::{HOME, Rights, World, plausible};
use bailiwick_wire::Value;
use bailiwick_wire::schema::{Kind, Operation};

use crate::operations::{allow_asks, asks, asks_with, denial, full_name, implemented};

/// Members that name an entity of the caller's account.
const NAMES: &[&str] = &["UserName", "GroupName", "RoleName", "InstanceProfileName"];

/// The request with its names changed; `None` when it names nothing that exists.
fn renamed(
    operation: &Operation,
    request: &Value,
    change: impl Fn(&str) -> String,
) -> Option<Value> {
    let creates = ["CreateUser", "CreateGroup", "CreateRole", "CreateInstanceProfile"]
        .contains(&operation.name);
    let members = operation.input?.members;
    let mut slots = request.slots().to_vec();
    let mut named = false;
    for (member, slot) in members.iter().zip(&mut slots) {
        if creates || !NAMES.contains(&member.wire) || !matches!(member.shape.kind, Kind::String(_))
        {
            continue;
        }
        if let Some(Value::String(name)) = slot {
            *name = change(name);
            named = true;
        }
    }
    named.then_some(Value::Struct(slots))
}

fn swap_case(text: &str) -> String {
    let swap = |letter: char| {
        if letter.is_ascii_lowercase() {
            letter.to_ascii_uppercase()
        } else {
            letter.to_ascii_lowercase()
        }
    };
    text.chars().map(swap).collect()
}

/// Who may do it to one may not do it to another.
#[test]
fn tm_c02_another_target_is_denied() {
    let (world, one, two) = World::furnished(200);
    let narrow = world.user("Narrow", Rights::None);
    let mut seen = 0;
    for operation in implemented() {
        let (own, other) = (asks(&world, operation, &one).asks, asks(&world, operation, &two).asks);
        if own == other {
            continue;
        }
        seen += 1;
        world.put_user_policy("Narrow", &allow_asks(&own));
        let before = world.revision();
        let reply = narrow.send(operation, &plausible(operation, &two));
        let (_, denied) = denial(operation);
        assert_eq!(reply.code, denied, "{}: {}", full_name(operation), reply.message);
        assert_eq!(world.revision(), before, "{}", full_name(operation));
    }
    assert!(seen > 70, "{seen}");
}

/// The resource is built from the stored entity: its path and the case of its name.
#[test]
fn tm_c02_the_stored_name_and_path_count() {
    let (world, one, _) = World::furnished(201);
    let mut seen = 0;
    for operation in implemented() {
        let request = plausible(operation, &one);
        let Some(odd) = renamed(operation, &request, swap_case) else { continue };
        seen += 1;
        let (plain, odd) = (asks(&world, operation, &one), asks_with(&world, operation, &odd));
        let name = full_name(operation);
        assert!(odd.reply.is_ok(), "{name}: {}: {}", odd.reply.code, odd.reply.message);
        assert_eq!(odd.asks, plain.asks, "{name}");
    }
    assert!(seen > 50, "{seen}");
}

/// What is missing is denied to those who may not see whether it is there, and told to those who may.
#[test]
fn tm_c02_missing_targets_are_no_way_around() {
    let (world, one, _) = World::furnished(202);
    let narrow = world.user("Narrow", Rights::None);
    let mut seen = 0;
    for operation in implemented() {
        let request = plausible(operation, &one);
        let Some(absent) = renamed(operation, &request, |_| "Nobody-here".into()) else { continue };
        seen += 1;
        let name = full_name(operation);
        world.put_user_policy("Narrow", &allow_asks(&asks(&world, operation, &one).asks));
        let before = world.revision();
        let reply = narrow.send(operation, &absent);
        let (_, denied) = denial(operation);
        assert_eq!(reply.code, denied, "{name}: {}", reply.message);
        let reply = world.admin.send(operation, &absent);
        assert_eq!(
            (reply.status, &*reply.code),
            (404, "NoSuchEntity"),
            "{name}: {}",
            reply.message
        );
        assert_eq!(world.revision(), before, "{name}");
    }
    assert!(seen > 50, "{seen}");
}

/// ARNs in requests name what they name exactly: path, case, account.
#[test]
fn tm_c02_arns_are_exact() {
    let (world, one, _) = World::furnished(203);
    let arn = one.arn("policy", "Held");
    world.admin.iam("GetPolicy", &[("PolicyArn", &arn)]).ok();
    for odd in [
        arn.replace("Held", "HELD"),
        arn.replace("/team/", "/"),
        arn.replace("/team/", "/Team/"),
        arn.replace(HOME, "210987654321"),
        arn.replace("arn:aws:", "arn:aws-cn:"),
    ] {
        let reply = world.admin.iam("GetPolicy", &[("PolicyArn", &odd)]);
        assert!(matches!(reply.status, 403 | 404 | 400), "{odd}: {}", reply.status);
    }
    let role = one.arn("role", "Worker");
    for odd in [
        role.replace("Worker", "WORKER"),
        role.replace("/team/", "/"),
        role.replace("role/", "user/"),
    ] {
        let parameters = [("RoleArn", &*odd), ("RoleSessionName", "x1")];
        let reply = world.admin.sts("AssumeRole", &parameters);
        assert!(matches!(reply.status, 403 | 400), "{odd}: {}", reply.status);
    }
}

/// The key of one user is not to be had under the name of another.
#[test]
fn tm_c02_a_key_belongs_to_its_user() {
    let (world, one, two) = World::furnished(204);
    let (user, key) = (two.name("Ann"), one.key.clone());
    for operation in ["UpdateAccessKey", "DeleteAccessKey"] {
        let mut parameters = vec![("UserName", &*user), ("AccessKeyId", &*key)];
        parameters.extend((operation == "UpdateAccessKey").then_some(("Status", "Inactive")));
        world.admin.iam(operation, &parameters).refused("NoSuchEntity");
    }
    // A key of another account is not there at all.
    let neighbour = world.account("210987654321");
    let reply = neighbour.iam("GetAccessKeyLastUsed", &[("AccessKeyId", &key)]);
    assert_eq!(reply.code, "AccessDenied");
}
