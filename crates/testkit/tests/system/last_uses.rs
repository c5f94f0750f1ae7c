//! Last uses of keys and roles: when they are told, and that they never go back.

use bailiwick_testkit::{HOME, Rights, World, trust};
use jiff::Timestamp;

fn now(world: &World) -> Timestamp {
    bailiwick_services::Clock::now(world.clock.as_ref())
}

/// A use that is being made durable is never told as an older one.
#[test]
fn a_last_use_never_goes_back() {
    let world = World::new(1610);
    let ann = world.user("Ann", Rights::None);
    let role = world.role_trusting("Worker", &trust(HOME), Rights::None);
    let session = world.admin.assume(&role, "one");
    for _ in 0..50 {
        world.advance(1);
        ann.iam("GetUser", &[]).refused("AccessDenied");
        session.iam("ListUsers", &[]).refused("AccessDenied");
        let at = now(&world);
        world.node.flush();
        // The transaction of the flush may or may not be through.
        let last = world.admin.iam("GetAccessKeyLastUsed", &[("AccessKeyId", ann.key())]).ok();
        assert_eq!(last.instant("AccessKeyLastUsed.LastUsedDate"), at);
        assert_eq!(last.text("AccessKeyLastUsed.ServiceName"), "iam");
        let shown = world.admin.iam("GetRole", &[("RoleName", "Worker")]).ok();
        assert_eq!(shown.instant("Role.RoleLastUsed.LastUsedDate"), at);
    }
}

/// Mission row M5: a key's last use is told per service and region, and `N/A` before the first.
#[test]
fn a_key_has_not_been_used_before_its_first_use() {
    let world = World::new(1611);
    let ann = world.user("Ann", Rights::None);
    let last =
        |world: &World| world.admin.iam("GetAccessKeyLastUsed", &[("AccessKeyId", ann.key())]).ok();
    let fresh = last(&world);
    assert_eq!(fresh.text("UserName"), "Ann");
    assert_eq!(fresh.text("AccessKeyLastUsed.ServiceName"), "N/A");
    assert_eq!(fresh.text("AccessKeyLastUsed.Region"), "N/A");
    assert!(fresh.at("AccessKeyLastUsed.LastUsedDate").is_none());
    ann.sts("GetCallerIdentity", &[]).ok();
    assert_eq!(last(&world).text("AccessKeyLastUsed.ServiceName"), "sts");
    // The credential report says the same.
    let at = last(&world).instant("AccessKeyLastUsed.LastUsedDate");
    world.admin.iam("GenerateCredentialReport", &[]).ok();
    let report = match world.admin.iam("GetCredentialReport", &[]).ok().at("Content") {
        Some(bailiwick_wire::Value::Blob(bytes)) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("no content: {other:?}"),
    };
    let row = report.lines().find(|line| line.starts_with("Ann,")).unwrap();
    let date = format!("{}+00:00", at.to_string().trim_end_matches('Z'));
    assert!(row.contains(&format!(",{date},us-east-1,sts,")), "{row}");
    // A session made with the key is not the key.
    let at = last(&world).instant("AccessKeyLastUsed.LastUsedDate");
    let session = ann.as_issued(&ann.sts("GetSessionToken", &[]).ok());
    world.advance(5);
    session.sts("GetCallerIdentity", &[]).ok();
    assert_eq!(last(&world).instant("AccessKeyLastUsed.LastUsedDate"), at);
}
