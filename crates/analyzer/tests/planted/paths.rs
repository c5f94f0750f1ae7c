//! A way of every row of the table, and chains.

use bailiwick_analyzer::escalation::{Class, ROWS};
use serde_json::json;

use super::{ADMIN, Expect, Planted, allow, arn, policy, service_trust, trust, with};

pub(super) fn plant(world: &mut Planted) {
    own(world);
    others(world);
    for row in ROWS {
        match row.class {
            Class::NewPassrole | Class::ExistingPassrole => service(world, row.id.0),
            Class::Directory => {
                let who =
                    world.user(&format!("esc-{:03}", row.id.0), &[allow(row.actions, &["*"])]);
                world.expect(&who, Expect::Potential(row.id.0));
            }
            _ => {}
        }
    }
    chains(world);
}

fn own(world: &mut Planted) {
    for (row, action) in [(4, "iam:AttachUserPolicy"), (10, "iam:PutUserPolicy")] {
        let name = format!("esc-{row:03}");
        let me = arn(&format!("user/{name}"));
        let who = world.user(&name, &[allow(&[action], &[&me])]);
        world.expect(&who, Expect::Certain(Some(row)));
    }
    for (row, action) in [(3, "iam:AttachRolePolicy"), (9, "iam:PutRolePolicy")] {
        let name = format!("esc-{row:03}");
        let me = arn(&format!("role/{name}"));
        let who =
            world.role(&name, &[service_trust("ec2.amazonaws.com")], &[allow(&[action], &[&me])]);
        world.expect(&who, Expect::Certain(Some(row)));
    }
    for (row, action) in [(2, "iam:AttachGroupPolicy"), (8, "iam:PutGroupPolicy")] {
        let name = format!("esc-{row:03}");
        let group = world.group(&format!("of-{name}"), &[]);
        let who = world.user(&name, &[allow(&[action], &[&group])]);
        world.join(&who, &group);
        world.expect(&who, Expect::Certain(Some(row)));
    }
    let admins = world.group("administrators", &[]);
    world.attach(&admins, ADMIN);
    let who = world.user("esc-001", &[allow(&["iam:AddUserToGroup"], &[&admins])]);
    world.expect(&who, Expect::Certain(Some(1)));

    let small = policy(&[allow(&["s3:ListAllMyBuckets"], &["*"])]);
    let large = policy(&[allow(&["*"], &["*"])]);
    let own = world.managed("of-esc-005", std::slice::from_ref(&small), 1);
    let who = world.user("esc-005", &[allow(&["iam:CreatePolicyVersion"], &[&own])]);
    world.attach(&who, &own);
    world.expect(&who, Expect::Certain(Some(5)));
    let own = world.managed("of-esc-011", &[large.clone(), small.clone()], 2);
    let who = world.user("esc-011", &[allow(&["iam:SetDefaultPolicyVersion"], &[&own])]);
    world.attach(&who, &own);
    world.expect(&who, Expect::Certain(Some(11)));

    let limit = world.managed(
        "limit",
        &[policy(&[allow(
            &[
                "s3:*",
                "iam:DeleteUserPermissionsBoundary",
                "iam:DeleteRolePermissionsBoundary",
                "sts:AssumeRole",
            ],
            &["*"],
        )])],
        1,
    );
    let who = world.user("esc-007", &[allow(&["*"], &["*"])]);
    world.bound(&who, &limit);
    world.expect(&who, Expect::Certain(Some(7)));
    let held =
        world.role("held-by-a-boundary", &[trust(&arn("root"))], &[allow(&["s3:*"], &["*"])]);
    world.attach(&held, ADMIN);
    let none = world.managed("almost-nothing", &[policy(&[allow(&["s3:GetObject"], &["*"])])], 1);
    world.bound(&held, &none);
    world.expect(&held, Expect::Nothing);
    let who = world.user(
        "esc-006",
        &[allow(&["iam:DeleteRolePermissionsBoundary", "sts:AssumeRole"], &[&held])],
    );
    world.expect(&who, Expect::Certain(Some(6)));
}

/// Rows of takeover: an administrator to become, or a weak one to give policies to.
fn others(world: &mut Planted) {
    for row in ROWS.iter().filter(|row| row.class == Class::PrincipalAccess) {
        let number = row.id.0;
        let name = format!("esc-{number:03}");
        let user = row.actions.iter().any(|a| {
            a.contains("AccessKey") || a.contains("LoginProfile") || a.contains("UserPolicy")
        });
        let gives = row.actions.iter().any(|a| a.contains("Policy") && !a.contains("Assume"));
        let versions = row.actions.contains(&"iam:CreatePolicyVersion");
        let target = if user {
            world.user(&format!("target-{number:03}"), &[])
        } else {
            // Who rewrites the trust policy needs none before.
            let open = row.actions.contains(&"sts:AssumeRole");
            let open = open && !row.actions.contains(&"iam:UpdateAssumeRolePolicy");
            let trusted =
                if open { trust(&arn("root")) } else { service_trust("s3.amazonaws.com") };
            world.role(&format!("target-{number:03}"), &[trusted], &[])
        };
        if !gives {
            world.attach(&target, ADMIN);
        }
        let mut statements = vec![allow(row.actions, &[&target])];
        if versions {
            let held = world.managed(
                &format!("of-target-{number:03}"),
                &[policy(&[allow(&["sqs:ListQueues"], &["*"])])],
                1,
            );
            world.attach(&target, &held);
            statements.push(allow(&["iam:CreatePolicyVersion"], &[&held]));
        }
        let who = world.user(&name, &statements);
        world.expect(&who, Expect::Certain(Some(number)));
        if !gives {
            // An administrator is no finding.
            continue;
        }
        world.expect(&target, Expect::Nothing);
    }
}

fn service(world: &mut Planted, number: u8) {
    let row = &ROWS[usize::from(number) - 1];
    let service = row.services[0];
    let role = world.admin_of(&format!("service-{number:03}"), service);
    let rest: Vec<&str> = row.actions.iter().copied().filter(|a| *a != "iam:PassRole").collect();
    let mut statements = vec![allow(&rest, &["*"])];
    if row.class == Class::NewPassrole {
        let pass = allow(&["iam:PassRole"], &[&role]);
        // By turns without condition, with the very service, and with a pattern of it.
        statements.push(match number % 3 {
            0 => pass,
            1 => with(pass, json!({"StringEquals": {"iam:PassedToService": service}})),
            _ => with(pass, json!({"StringLike": {"iam:PassedToService": "*.amazonaws.com"}})),
        });
    }
    let who = world.user(&format!("esc-{number:03}"), &statements);
    world.expect(
        &who,
        match row.class {
            Class::NewPassrole => Expect::Certain(Some(number)),
            _ => Expect::Potential(number),
        },
    );
}

fn chains(world: &mut Planted) {
    for hops in 2..=4 {
        for variant in 0..3 {
            let name = |at: usize| format!("chain-{hops}-{variant}-{at}");
            let first = world.user(&name(0), &[]);
            let mut before = first.clone();
            // Roles that are assumed in turn, each named by the one before or by the account.
            for at in 1..hops {
                let next = arn(&format!("role/{}", name(at)));
                let step = allow(&["sts:AssumeRole"], &[&next]);
                grant(world, &before, step);
                let who = if variant == 0 { before.clone() } else { arn("root") };
                world.role(&name(at), &[trust(&who)], &[]);
                world.expect(&next, Expect::Chain(hops - at));
                before = next;
            }
            let end = match variant {
                0 => {
                    let own = before.clone();
                    allow(&["iam:PutRolePolicy"], &[&own])
                }
                1 => {
                    let role = world.admin_of(&name(9), "lambda.amazonaws.com");
                    let all = ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"];
                    let function =
                        format!("arn:aws:lambda:eu-west-1:{}:function:team-*", super::ACCOUNT);
                    allow(&all, &[&role, &function])
                }
                _ => {
                    let target = world.user(&name(9), &[]);
                    world.attach(&target, ADMIN);
                    allow(&["iam:CreateAccessKey"], &[&target])
                }
            };
            grant(world, &before, end);
            world.expect(&first, Expect::Chain(hops));
        }
    }
}

/// Adds a statement to the inline policies of a user or role.
fn grant(world: &mut Planted, who: &str, statement: serde_json::Value) {
    let list = if who.contains(":user/") { "UserPolicyList" } else { "RolePolicyList" };
    let held = &mut world.last(who)[list];
    held.as_array_mut()
        .unwrap()
        .push(json!({"PolicyName": "step", "PolicyDocument": policy(&[statement])}));
}
