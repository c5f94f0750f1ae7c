//! Limits that the caller takes away itself, and users and roles that it makes first.

use serde_json::{Value, json};

use super::{ADMIN, Expect, Planted, allow, arn, deny, policy, trust, with};

/// AWS's policy for leaked keys, which denies what one gains rights by.
const QUARANTINE: &str = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2";

pub(super) fn plant(world: &mut Planted) {
    times(world);
    groups(world);
    denies(world);
    denies_by_group(world);
    boundaries(world);
    tags(world);
    made(world);
}

fn inline(world: &mut Planted, who: &str, name: &str, statement: &Value) {
    let list = match who {
        who if who.contains(":user/") => "UserPolicyList",
        who if who.contains(":group/") => "GroupPolicyList",
        _ => "RolePolicyList",
    };
    let list = world.last(who)[list].as_array_mut().unwrap();
    list.push(
        json!({"PolicyName": name, "PolicyDocument": policy(std::slice::from_ref(statement))}),
    );
}

/// It is now: the tests' instant is in 2026. An address may be any.
fn times(world: &mut Planted) {
    for (name, effect, condition, expect) in [
        (
            "since-2021",
            "Deny",
            json!({"DateGreaterThan": {"aws:CurrentTime": "2021-01-01T00:00:00Z"}}),
            Expect::Nothing,
        ),
        (
            "until-2090",
            "Allow",
            json!({"DateLessThan": {"aws:CurrentTime": "2090-01-01T00:00:00Z"}}),
            Expect::Certain(Some(10)),
        ),
        (
            "from-2099",
            "Allow",
            json!({"DateGreaterThan": {"aws:CurrentTime": "2099-01-01"}}),
            Expect::Nothing,
        ),
        (
            "epoch-gone",
            "Allow",
            json!({"NumericLessThan": {"aws:EpochTime": "1400000000"}}),
            Expect::Nothing,
        ),
        (
            "epoch-still",
            "Allow",
            json!({"NumericGreaterThan": {"aws:EpochTime": "1400000000"}}),
            Expect::Certain(Some(10)),
        ),
        (
            "epoch-to-come",
            "Allow",
            json!({"NumericGreaterThan": {"aws:EpochTime": "1830297600"}}),
            Expect::Conditional("aws:epochtime"),
        ),
        (
            "epoch-to-end",
            "Deny",
            json!({"NumericLessThan": {"aws:EpochTime": "1830297600"}}),
            Expect::Conditional("aws:epochtime"),
        ),
        (
            "epoch-as-date",
            "Allow",
            json!({"DateGreaterThan": {"aws:EpochTime": "2028-01-01T00:00:00Z"}}),
            Expect::Conditional("aws:epochtime"),
        ),
        (
            "epoch-never",
            "Allow",
            json!({"NumericGreaterThan": {"aws:EpochTime": "4070908800"}}),
            Expect::Nothing,
        ),
        (
            "any-address",
            "Allow",
            json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
            Expect::Certain(Some(10)),
        ),
        (
            "any-agent",
            "Allow",
            json!({"StringLike": {"aws:UserAgent": "*console*"}}),
            Expect::Certain(Some(10)),
        ),
        (
            "no-such-session",
            "Deny",
            json!({"StringNotLike": {"aws:userid": "AROAX*"}}),
            Expect::Nothing,
        ),
    ] {
        let own = arn(&format!("user/{name}"));
        let rule = allow(&["iam:PutUserPolicy"], &[&own]);
        let mut limit = with(rule.clone(), condition);
        limit["Effect"] = json!(effect);
        let statements = if effect == "Deny" { vec![rule, limit] } else { vec![limit] };
        let who = world.user(name, &statements);
        world.expect(&who, expect);
    }
}

fn groups(world: &mut Planted) {
    let empty = world.group("empty-attach", &[]);
    let who =
        world.user("joins", &[allow(&["iam:AddUserToGroup", "iam:AttachGroupPolicy"], &[&empty])]);
    world.expect(&who, Expect::Certain(Some(1)));
    let empty = world.group("empty-apart", &[]);
    let who = world.user("joins-not", &[allow(&["iam:AttachGroupPolicy"], &[&empty])]);
    world.expect(&who, Expect::Nothing);
    // A small policy is attached, and then rewritten.
    let small = world.managed("small", &[policy(&[allow(&["s3:ListAllMyBuckets"], &["*"])])], 1);
    let only = json!({"ArnEquals": {"iam:PolicyARN": small}});
    let me = arn("user/rewrites");
    let attach = with(allow(&["iam:AttachUserPolicy"], &[&me]), only.clone());
    let who =
        world.user("rewrites", &[attach, allow(&["iam:CreatePolicyVersion"], &[small.as_str()])]);
    world.expect(&who, Expect::Certain(Some(4)));
    let me = arn("user/rewrites-not");
    let who = world.user("rewrites-not", &[with(allow(&["iam:AttachUserPolicy"], &[&me]), only)]);
    world.expect(&who, Expect::Nothing);
}

fn denies(world: &mut Planted) {
    let all_but = |spared: &str| json!({"Effect": "Deny", "NotAction": [spared], "Resource": "*"});
    for (name, spared, path) in [
        ("deletes-deny", "iam:DeleteUserPolicy", Some(7)),
        ("overwrites-deny", "iam:PutUserPolicy", Some(10)),
        ("keeps-deny", "iam:GetUser", None),
    ] {
        let who = world.user(name, &[]);
        world.attach(&who, ADMIN);
        inline(world, &who, "limit", &all_but(spared));
        world.expect(&who, path.map_or(Expect::Nothing, |path| Expect::Certain(Some(path))));
    }
    let limit = world.managed("limit-of-one", &[policy(&[all_but("iam:DetachRolePolicy")])], 1);
    let who = world.role("detaches-deny", &[trust("arn:aws:iam::999988887777:root")], &[]);
    world.attach(&who, ADMIN);
    world.attach(&who, &limit);
    world.expect(&who, Expect::Certain(Some(6)));
    let fence = world.group("fence", &[all_but("iam:RemoveUserFromGroup")]);
    let who = world.user("leaves-deny", &[]);
    world.attach(&who, ADMIN);
    world.join(&who, &fence);
    world.expect(&who, Expect::Certain(Some(7)));
    // A new version of a policy that denies all but that denies no longer.
    let limit =
        world.managed("limit-rewritten", &[policy(&[all_but("iam:CreatePolicyVersion")])], 1);
    let own = allow(&["iam:CreatePolicyVersion"], &[&limit]);
    let who = world.user("rewrites-deny", &[own]);
    world.attach(&who, &limit);
    world.expect(&who, Expect::Certain(Some(5)));
}

/// Whoever leaves a group leaves what it gives too, AWS's policies among that.
fn denies_by_group(world: &mut Planted) {
    let all_but = |spared: &str| json!({"Effect": "Deny", "NotAction": [spared], "Resource": "*"});
    let fence = world.group("fence-with-all", &[all_but("iam:RemoveUserFromGroup")]);
    world.attach(&fence, ADMIN);
    let who = world.user("leaves-all", &[]);
    world.join(&who, &fence);
    world.expect(&who, Expect::Nothing);
    // What another group gives as well stays.
    let more = world.group("more-of-all", &[]);
    world.attach(&more, ADMIN);
    let who = world.user("leaves-one-of-two", &[]);
    world.join(&who, &fence);
    world.join(&who, &more);
    world.expect(&who, Expect::Certain(Some(7)));
    // AWS's policy that denies hangs on the group alone, or on the user as well.
    for (name, lifts, both, expect) in [
        ("leaves-quarantine", "iam:RemoveUserFromGroup", false, Expect::Certain(Some(7))),
        ("frees-from-quarantine", "iam:DetachGroupPolicy", false, Expect::Certain(Some(7))),
        ("leaves-one-quarantine", "iam:RemoveUserFromGroup", true, Expect::Nothing),
        ("frees-from-one-quarantine", "iam:DetachGroupPolicy", true, Expect::Nothing),
        ("keeps-quarantine", "iam:GetGroup", false, Expect::Nothing),
    ] {
        let group = world.group(&format!("{name}-group"), &[]);
        world.attach(&group, QUARANTINE);
        let me = arn(&format!("user/{name}"));
        let who =
            world.user(name, &[allow(&["iam:PutUserPolicy"], &[&me]), allow(&[lifts], &[&group])]);
        world.join(&who, &group);
        if both {
            world.attach(&who, QUARANTINE);
        }
        world.expect(&who, expect);
    }
    // A policy of a group that is joined is the group's.
    for (name, spared, expect) in [
        ("joins-guarded", "iam:DeleteUserPolicy", Expect::Nothing),
        ("joins-unguarded", "iam:DeleteGroupPolicy", Expect::Certain(Some(1))),
    ] {
        let group = world.group(&format!("{name}-group"), &[allow(&["*"], &["*"])]);
        inline(world, &group, "guard", &all_but(spared));
        let who = world.user(name, &[allow(&["iam:AddUserToGroup"], &[&group])]);
        world.expect(&who, expect);
    }
}

fn boundaries(world: &mut Planted) {
    let bound = world.managed(
        "bound-to-put",
        &[policy(&[allow(&["s3:*", "iam:PutUserPermissionsBoundary"], &["*"])])],
        1,
    );
    let who = world.user("puts-boundary", &[]);
    world.attach(&who, ADMIN);
    world.bound(&who, &bound);
    world.expect(&who, Expect::Certain(Some(7)));
    let small = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let only = json!({"StringEquals": {"iam:PermissionsBoundary": small}});
    let bound = world.managed(
        "bound-to-small",
        &[policy(&[
            allow(&["s3:*"], &["*"]),
            with(allow(&["iam:PutUserPermissionsBoundary"], &["*"]), only),
        ])],
        1,
    );
    let who = world.user("puts-small-boundary", &[]);
    world.attach(&who, ADMIN);
    world.bound(&who, &bound);
    world.expect(&who, Expect::Nothing);
}

fn tags(world: &mut Planted) {
    for (name, tagged, expect) in [
        ("tags-itself", "user/tags-itself", Expect::Certain(None)),
        ("tags-another", "user/nobody-here", Expect::Nothing),
    ] {
        let me = arn(&format!("user/{name}"));
        let asked = json!({"StringEquals": {"aws:PrincipalTag/grade": "senior"}});
        let who = world.user(
            name,
            &[
                allow(&["iam:TagUser"], &[&arn(tagged)]),
                with(allow(&["iam:PutUserPolicy"], &[&me]), asked),
            ],
        );
        world.expect(&who, expect);
    }
    // More tags than are looked at: those come first that steps hang on.
    let grades: Vec<String> = (0..50).map(|at| format!("grade-{at}")).collect();
    let me = arn("user/tags-among-many");
    let who = world.user(
        "tags-among-many",
        &[
            with(
                allow(&["s3:GetObject"], &["*"]),
                json!({"StringEquals": {"aws:PrincipalTag/level": grades}}),
            ),
            allow(&["iam:TagUser"], &[&me]),
            with(
                allow(&["iam:PutUserPolicy"], &[&me]),
                json!({"StringEquals": {"aws:PrincipalTag/grade": "senior"}}),
            ),
        ],
    );
    world.expect(&who, Expect::Certain(None));
    for (name, tags, expect) in [
        ("tags-victim", true, Expect::Certain(Some(15))),
        ("tags-no-victim", false, Expect::Nothing),
    ] {
        let victim = world.user(&format!("{name}-victim"), &[]);
        world.attach(&victim, ADMIN);
        let asked = json!({"StringEquals": {"aws:ResourceTag/open": "yes"}});
        let mut rules = vec![with(allow(&["iam:CreateAccessKey"], &[&victim]), asked)];
        if tags {
            rules.push(allow(&["iam:TagUser"], &[&victim]));
        }
        let who = world.user(name, &rules);
        world.expect(&who, expect);
    }
}

fn made(world: &mut Planted) {
    // The one boundary of several with which it may do all the rest.
    let limits: Vec<String> = (0..8).map(|at| arn(&format!("policy/data-{at}"))).collect();
    let rest = with(
        allow(
            &["iam:AttachUserPolicy", "iam:DeleteUserPermissionsBoundary"],
            &[&arn("user/many/*")],
        ),
        json!({"StringEqualsIfExists": {"iam:PermissionsBoundary": limits[7]}}),
    );
    let who = world.user(
        "makes-with-one-of-many",
        &[
            with(
                allow(&["iam:CreateUser"], &[&arn("user/many/*")]),
                json!({"StringEquals": {"iam:PermissionsBoundary": limits}}),
            ),
            rest,
            allow(&["iam:CreateAccessKey"], &[&arn("user/many/*")]),
        ],
    );
    world.expect(&who, Expect::Certain(Some(14)));
    let limit = arn("policy/data-only");
    let bounded_by = |policy: &str| json!({"StringEquals": {"iam:PermissionsBoundary": policy}});
    let bounded = bounded_by(&limit);
    let users = arn("user/made/*");
    let roles = arn("role/made/*");
    for (name, statements, expect) in [
        (
            "makes-user",
            vec![allow(
                &["iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"],
                &[&users],
            )],
            Expect::Certain(Some(14)),
        ),
        (
            "makes-user-only",
            vec![allow(&["iam:CreateUser", "iam:AttachUserPolicy"], &[&users])],
            Expect::Nothing,
        ),
        (
            "makes-role",
            vec![allow(&["iam:CreateRole", "iam:PutRolePolicy"], &[&roles])],
            Expect::Certain(Some(22)),
        ),
        (
            "makes-bounded-role",
            vec![
                with(allow(&["iam:CreateRole"], &[&roles]), bounded.clone()),
                allow(&["iam:PutRolePolicy"], &[&roles]),
            ],
            Expect::Nothing,
        ),
        (
            "makes-unbound-role",
            vec![
                with(allow(&["iam:CreateRole"], &[&roles]), bounded),
                allow(&["iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"], &[&roles]),
            ],
            Expect::Certain(Some(22)),
        ),
        // A boundary that stays, and holds back little, much, or decides what may be given.
        (
            "makes-widely-bounded-user",
            vec![
                with(allow(&["iam:CreateUser"], &[&users]), bounded_by(ADMIN)),
                allow(&["iam:AttachUserPolicy", "iam:CreateAccessKey"], &[&users]),
            ],
            Expect::Certain(Some(14)),
        ),
        (
            "makes-and-gives-with-boundary",
            vec![
                with(
                    allow(&["iam:CreateUser", "iam:AttachUserPolicy"], &[&users]),
                    bounded_by(ADMIN),
                ),
                allow(&["iam:CreateAccessKey"], &[&users]),
            ],
            Expect::Certain(Some(14)),
        ),
        (
            "makes-widely-bounded-role",
            vec![
                with(allow(&["iam:CreateRole"], &[&roles]), bounded_by(ADMIN)),
                allow(&["iam:PutRolePolicy"], &[&roles]),
            ],
            Expect::Certain(Some(22)),
        ),
        (
            "makes-narrowly-bounded-user",
            vec![
                with(
                    allow(&["iam:CreateUser"], &[&users]),
                    bounded_by("arn:aws:iam::aws:policy/ReadOnlyAccess"),
                ),
                allow(&["iam:AttachUserPolicy", "iam:CreateAccessKey"], &[&users]),
            ],
            Expect::Nothing,
        ),
        (
            "makes-and-may-not-enter",
            vec![
                allow(&["iam:CreateRole", "iam:PutRolePolicy"], &[&roles]),
                deny(&["sts:AssumeRole"], &["*"]),
            ],
            Expect::Nothing,
        ),
    ] {
        let who = world.user(name, &statements);
        world.expect(&who, expect);
    }
}
