//! Threats C11 and C14: a right ends when what gave it ends, and passes to nobody else.

use bailiwick_testkit::{HOME, Rights, World, allow, trust};
use serde_json::json;

use crate::operations::parallel;

const NEIGHBOUR: &str = "210987654321";

/// A principal that is deleted and made again under its name gets nothing of what the old one had.
#[test]
fn tm_c11_a_namesake_inherits_nothing() {
    let world = World::new(109);
    let admin = &world.admin;
    // A user that a trust policy names.
    let old = world.user("Ghost", Rights::Inline(&allow(&["sts:AssumeRole"])));
    let role = world.role("Haunted", &format!("arn:aws:iam::{HOME}:user/Ghost"), Rights::None);
    old.assume(&role, "before");
    let shown =
        admin.iam("GetRole", &[("RoleName", "Haunted")]).ok().text("Role.AssumeRolePolicyDocument");
    assert!(shown.contains("Ghost"), "{shown}");
    admin.iam("DeleteUserPolicy", &[("UserName", "Ghost"), ("PolicyName", "rights")]).ok();
    admin.iam("DeleteAccessKey", &[("UserName", "Ghost"), ("AccessKeyId", old.key())]).ok();
    admin.iam("DeleteUser", &[("UserName", "Ghost")]).ok();
    let shown =
        admin.iam("GetRole", &[("RoleName", "Haunted")]).ok().text("Role.AssumeRolePolicyDocument");
    assert!(!shown.contains("Ghost") && shown.contains("AIDA"), "{shown}");
    let new = world.user("Ghost", Rights::Inline(&allow(&["sts:AssumeRole"])));
    let parameters = [("RoleArn", &*role), ("RoleSessionName", "after")];
    new.sts("AssumeRole", &parameters).refused("AccessDenied");
    old.sts("GetCallerIdentity", &[]).refused("InvalidClientTokenId");
    // Written anew, the trust means the new one.
    let document = trust(&format!("arn:aws:iam::{HOME}:user/Ghost"));
    let update = [("RoleName", "Haunted"), ("PolicyDocument", &*document)];
    admin.iam("UpdateAssumeRolePolicy", &update).ok();
    new.sts("AssumeRole", &parameters).ok();
}

/// A grant follows its principal through a change of name, and does not pass to who takes the name.
#[test]
fn tm_c11_a_grant_follows_its_principal() {
    let world = World::new(117);
    let old = world.user("Before", Rights::Inline(&allow(&["sts:AssumeRole"])));
    let role = world.role("Kept", &format!("arn:aws:iam::{HOME}:user/Before"), Rights::None);
    world
        .admin
        .iam("UpdateUser", &[("UserName", "Before"), ("NewUserName", "After"), ("NewPath", "/x/")])
        .ok();
    old.assume(&role, "renamed");
    let taker = world.user("Before", Rights::Inline(&allow(&["sts:AssumeRole"])));
    let parameters = [("RoleArn", &*role), ("RoleSessionName", "taker")];
    taker.sts("AssumeRole", &parameters).refused("AccessDenied");
    let shown = world.admin.iam("GetRole", &[("RoleName", "Kept")]).ok();
    assert!(shown.text("Role.AssumeRolePolicyDocument").contains("After"));
}

#[test]
fn tm_c11_groups_and_roles_made_again_are_empty() {
    let world = World::new(110);
    let admin = &world.admin;
    let member = world.user("Member", Rights::None);
    let group = [("GroupName", "Club")];
    admin.iam("CreateGroup", &group).ok();
    admin.iam("AddUserToGroup", &[("GroupName", "Club"), ("UserName", "Member")]).ok();
    let document = allow(&["iam:ListUsers"]);
    let put = [("GroupName", "Club"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    admin.iam("PutGroupPolicy", &put).ok();
    member.iam("ListUsers", &[]).ok();
    admin.iam("RemoveUserFromGroup", &[("GroupName", "Club"), ("UserName", "Member")]).ok();
    admin.iam("DeleteGroupPolicy", &[("GroupName", "Club"), ("PolicyName", "p")]).ok();
    admin.iam("DeleteGroup", &group).ok();
    admin.iam("CreateGroup", &group).ok();
    assert_eq!(admin.iam("GetGroup", &group).ok().len("Users"), 0);
    assert_eq!(admin.iam("ListGroupPolicies", &group).ok().len("PolicyNames"), 0);
    member.iam("ListUsers", &[]).refused("AccessDenied");
    // A role that is trusted by another, and a session of it.
    let first = world.role("First", HOME, Rights::Inline(&allow(&["sts:AssumeRole"])));
    let second = world.role("Second", &first, Rights::None);
    let session = admin.assume(&first, "old");
    session.assume(&second, "chained");
    admin.iam("DeleteRolePolicy", &[("RoleName", "First"), ("PolicyName", "rights")]).ok();
    admin.iam("DeleteRole", &[("RoleName", "First")]).ok();
    let first = world.role("First", HOME, Rights::Inline(&allow(&["sts:AssumeRole"])));
    session.sts("GetCallerIdentity", &[]).refused("InvalidClientTokenId");
    let parameters = [("RoleArn", &*second), ("RoleSessionName", "again")];
    admin.assume(&first, "new").sts("AssumeRole", &parameters).refused("AccessDenied");
}

/// No decision outlives what it rests on.
#[test]
fn tm_c14_each_kind_of_change_acts_on_the_next_call() {
    let world = World::new(111);
    let admin = &world.admin;
    let caller = world.user("Caller", Rights::None);
    let may = |expected: bool, why: &str| {
        assert_eq!(caller.iam("ListUsers", &[]).is_ok(), expected, "{why}");
    };
    may(false, "nothing yet");
    let user = ("UserName", "Caller");
    let document = allow(&["iam:ListUsers"]);
    let other = allow(&["iam:ListRoles"]);
    world.put_user_policy("Caller", &document);
    may(true, "inline policy put");
    world.put_user_policy("Caller", &other);
    may(false, "inline policy replaced");
    let policy = [("PolicyName", "Managed"), ("PolicyDocument", &*document)];
    let arn = admin.iam("CreatePolicy", &policy).ok().text("Policy.Arn");
    let attachment = [user, ("PolicyArn", &*arn)];
    admin.iam("AttachUserPolicy", &attachment).ok();
    may(true, "managed policy attached");
    let version = [("PolicyArn", &*arn), ("PolicyDocument", &*other), ("SetAsDefault", "true")];
    admin.iam("CreatePolicyVersion", &version).ok();
    may(false, "new default version");
    admin.iam("SetDefaultPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]).ok();
    may(true, "old default version");
    let boundary = format!("arn:aws:iam::{HOME}:policy/Bound");
    let policy = [("PolicyName", "Bound"), ("PolicyDocument", &*other)];
    admin.iam("CreatePolicy", &policy).ok();
    admin.iam("PutUserPermissionsBoundary", &[user, ("PermissionsBoundary", &boundary)]).ok();
    may(false, "bounded");
    admin.iam("DeleteUserPermissionsBoundary", &[user]).ok();
    may(true, "boundary gone");
    admin.iam("DetachUserPolicy", &attachment).ok();
    may(false, "managed policy detached");
    admin.iam("CreateGroup", &[("GroupName", "Club")]).ok();
    admin.iam("AttachGroupPolicy", &[("GroupName", "Club"), ("PolicyArn", &arn)]).ok();
    may(false, "not a member");
    admin.iam("AddUserToGroup", &[("GroupName", "Club"), user]).ok();
    may(true, "a member");
    admin.iam("DetachGroupPolicy", &[("GroupName", "Club"), ("PolicyArn", &arn)]).ok();
    may(false, "the group lost its policy");
    let tagged = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
        }],
    });
    world.put_user_policy("Caller", &tagged.to_string());
    may(false, "not tagged");
    admin
        .iam("TagUser", &[user, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")])
        .ok();
    may(true, "tagged");
    admin.iam("UntagUser", &[user, ("TagKeys.member.1", "team")]).ok();
    may(false, "untagged");
}

/// Principals of the same shape do not share an answer.
#[test]
fn tm_c14_decisions_are_not_shared() {
    let world = World::new(112);
    let neighbour = world.account(NEIGHBOUR);
    let yes = world.user("Same", Rights::Inline(&allow(&["iam:ListUsers"])));
    let no = world.user("Same2", Rights::None);
    let user = [("UserName", "Same")];
    neighbour.iam("CreateUser", &user).ok();
    let foreign = neighbour.as_created(&neighbour.iam("CreateAccessKey", &user).ok());
    let role = world.role("Worker", HOME, Rights::Inline(&allow(&["iam:ListUsers"])));
    let whole = world.admin.assume(&role, "same");
    let document = allow(&["iam:ListRoles"]);
    let narrow = [("RoleArn", &*role), ("RoleSessionName", "same"), ("Policy", &*document)];
    let narrow = world.admin.assume_with(&narrow);
    for _ in 0..20 {
        yes.iam("ListUsers", &[]).ok();
        no.iam("ListUsers", &[]).refused("AccessDenied");
        foreign.iam("ListUsers", &[]).refused("AccessDenied");
        whole.iam("ListUsers", &[]).ok();
        narrow.iam("ListUsers", &[]).refused("AccessDenied");
    }
}

/// Under load, no call begun after a right was acknowledged as gone succeeds.
#[test]
fn tm_c14_rights_end_under_load() {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    let world = World::new(113);
    let caller = world.user("Caller", Rights::Inline(&allow(&["iam:ListUsers"])));
    let gone = AtomicBool::new(false);
    let (before, late, after) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    parallel(9, |number| {
        if number == 0 {
            while before.load(Ordering::SeqCst) < 100 {
                std::thread::yield_now();
            }
            let policy = [("UserName", "Caller"), ("PolicyName", "rights")];
            world.admin.iam("DeleteUserPolicy", &policy).ok();
            gone.store(true, Ordering::SeqCst);
            return;
        }
        while after.load(Ordering::SeqCst) < 100 {
            let begun_after = gone.load(Ordering::SeqCst);
            let reply = caller.iam("ListUsers", &[]);
            if begun_after {
                after.fetch_add(1, Ordering::SeqCst);
                late.fetch_add(u64::from(reply.is_ok()), Ordering::SeqCst);
            } else {
                before.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    assert_eq!(late.load(Ordering::SeqCst), 0);
}
