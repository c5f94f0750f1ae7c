//! Finer points: delegated administration, boundaries that allow, names that have to be met.

use serde_json::json;

use super::{ACCOUNT, ADMIN, Expect, Planted, allow, arn, deny, policy, trust, with};

pub(super) fn plant(world: &mut Planted) {
    boundaries(world);
    attachments(world);
    names(world);
    regions(world);
    wildcards(world);
}

fn boundaries(world: &mut Planted) {
    let wide = world.managed("wide", &[policy(&[allow(&["*"], &["*"])])], 1);
    let me = arn("user/bounded-wide");
    let who = world.user("bounded-wide", &[allow(&["iam:PutUserPolicy"], &[&me])]);
    world.bound(&who, &wide);
    world.expect(&who, Expect::Certain(Some(10)));
    // The step is allowed, and what it gives is limited all the same.
    let narrow = world.managed(
        "narrow",
        &[policy(&[allow(
            &["s3:*", "iam:PutUserPolicy"],
            &[&arn("user/bounded-narrow"), "arn:aws:s3:::*"],
        )])],
        1,
    );
    let who = world
        .user("bounded-narrow", &[allow(&["iam:PutUserPolicy"], &[&arn("user/bounded-narrow")])]);
    world.bound(&who, &narrow);
    world.expect(&who, Expect::Nothing);
    // First the boundary, then the policy.
    let two = world.managed(
        "two-steps",
        &[policy(&[allow(
            &["s3:*", "iam:DeleteUserPermissionsBoundary", "iam:PutUserPolicy"],
            &["*"],
        )])],
        1,
    );
    let me = arn("user/two-steps");
    let who = world.user(
        "two-steps",
        &[allow(&["iam:DeleteUserPermissionsBoundary", "iam:PutUserPolicy"], &[&me])],
    );
    world.bound(&who, &two);
    world.expect(&who, Expect::Certain(None));
    // A role trusts a user whose boundary says nothing of assuming (TR-5).
    let data = arn("policy/data-only");
    let who = world.user("bounded-direct", &[]);
    world.bound(&who, &data);
    let role = world.role("trusts-bounded", &[trust(&who)], &[]);
    world.attach(&role, ADMIN);
    world.expect(&who, Expect::Nothing);
    // A role that is administrator but for its boundary is nobody's gain.
    let capped = world.role("capped", &[trust(&arn("root"))], &[]);
    world.attach(&capped, ADMIN);
    world.bound(&capped, &data);
    world.expect(&capped, Expect::Nothing);
    let who = world.user("to-capped", &[allow(&["sts:AssumeRole"], &[&capped])]);
    world.expect(&who, Expect::Nothing);
    // A direct trust needs no policy of the user.
    let who = world.user("trusted", &[]);
    let role = world.role("trusts-one", &[trust(&who)], &[]);
    world.attach(&role, ADMIN);
    world.expect(&who, Expect::Certain(Some(26)));
}

fn attachments(world: &mut Planted) {
    let me = |name: &str| arn(&format!("user/{name}"));
    for (name, condition, expect) in [
        (
            "attach-some",
            json!({"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}),
            Expect::Nothing,
        ),
        (
            "attach-admin",
            json!({"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/Admin*"}}),
            Expect::Certain(Some(4)),
        ),
        (
            "attach-not-admin",
            json!({"ArnNotEquals": {"iam:PolicyARN": ADMIN}}),
            Expect::Certain(Some(4)),
        ),
        (
            "attach-strong",
            json!({"ArnLike": {"iam:PolicyARN": arn("policy/team/*")}}),
            Expect::Certain(Some(4)),
        ),
    ] {
        let who =
            world.user(name, &[with(allow(&["iam:AttachUserPolicy"], &[&me(name)]), condition)]);
        world.expect(&who, expect);
    }
    let strong = world.managed("strong", &[policy(&[allow(&["*"], &["*"])])], 1);
    for policy in &mut world.policies {
        if policy["Arn"] == strong.as_str() {
            policy["Path"] = json!("/team/");
            policy["Arn"] = json!(arn("policy/team/strong"));
        }
    }
    // Delegated administration: only what has a boundary may be given policies.
    let data = arn("policy/data-only");
    let held = world.role("delegated-role", &[trust(&arn("root"))], &[]);
    world.bound(&held, &data);
    world.expect(&held, Expect::Nothing);
    let condition = json!({"StringEquals": {"iam:PermissionsBoundary": data}});
    let who = world.user(
        "delegate",
        &[
            with(allow(&["iam:PutRolePolicy", "iam:AttachRolePolicy"], &["*"]), condition),
            allow(&["sts:AssumeRole"], &[&arn("role/delegated-*")]),
        ],
    );
    world.expect(&who, Expect::Nothing);
}

fn names(world: &mut Planted) {
    let role = world.admin_of("app-admin", "lambda.amazonaws.com");
    let function = |pattern: &str| format!("arn:aws:lambda:*:{ACCOUNT}:function:{pattern}");
    let pass = allow(&["iam:PassRole"], &[&arn("role/app-*")]);
    let _ = role;
    for (name, create, invoke, expect) in [
        ("names-meet", "app-*", "*-job", Expect::Certain(Some(72))),
        ("names-never-meet", "app-*", "job-*", Expect::Certain(Some(71))),
    ] {
        let who = world.user(
            name,
            &[
                pass.clone(),
                allow(&["lambda:CreateFunction"], &[&function(create)]),
                allow(&["lambda:InvokeFunction"], &[&function(invoke)]),
            ],
        );
        world.expect(&who, expect);
    }
    let who = world.user(
        "names-spared",
        &[
            pass.clone(),
            allow(&["lambda:*"], &["*"]),
            json!({"Effect": "Deny", "Action": "lambda:*", "NotResource": function("sandbox-*")}),
        ],
    );
    world.expect(&who, Expect::Certain(Some(72)));
    let glue = world.admin_of("glue-admin", "glue.amazonaws.com");
    let job = |pattern: &str| format!("arn:aws:glue:*:{ACCOUNT}:job/{pattern}");
    let who = world.user(
        "names-apart",
        &[
            allow(&["iam:PassRole"], &[&glue]),
            allow(&["glue:CreateJob"], &[&job("a-*")]),
            allow(&["glue:StartJobRun"], &[&job("b-*")]),
        ],
    );
    world.expect(&who, Expect::Nothing);
}

fn regions(world: &mut Planted) {
    let role = world.admin_of("codebuild-admin", "codebuild.amazonaws.com");
    let build = ["codebuild:CreateProject", "codebuild:StartBuild"];
    let who = world.user(
        "one-region",
        &[
            allow(&["iam:PassRole"], &[&role]),
            allow(&build, &["*"]),
            with(
                deny(&["codebuild:*"], &["*"]),
                json!({"StringNotEquals": {"aws:RequestedRegion": "eu-north-1"}}),
            ),
        ],
    );
    world.expect(&who, Expect::Certain(Some(39)));
    let who = world.user(
        "no-region",
        &[
            allow(&["iam:PassRole"], &[&role]),
            allow(&build, &[&format!("arn:aws:codebuild:eu-west-1:{ACCOUNT}:project/*")]),
            with(
                deny(&["codebuild:*"], &["*"]),
                json!({"StringNotEquals": {"aws:RequestedRegion": "eu-north-1"}}),
            ),
        ],
    );
    world.expect(&who, Expect::Nothing);
}

fn wildcards(world: &mut Planted) {
    let me = arn("user/odd-case");
    let who = world.user("odd-case", &[allow(&["IAM:putuserPOLICY"], &[&me])]);
    world.expect(&who, Expect::Certain(Some(10)));
    let who = world.user("wild-action", &[allow(&["iam:?ut*Policy"], &[&arn("user/wild-*")])]);
    world.expect(&who, Expect::Certain(Some(10)));
    let who = world.user("iam-only", &[allow(&["iam:*"], &["*"])]);
    world.expect(&who, Expect::Certain(Some(4)));
    let who = world.user("all-but-iam", &[
        json!({"Effect": "Allow", "NotAction": ["iam:*", "sts:*", "organizations:*", "sso:*", "lambda:*", "ssm:*",
            "ec2:*", "ecs:*", "glue:*", "sagemaker:*", "cloudformation:*", "codebuild:*", "codedeploy:*",
            "apprunner:*", "batch:*", "bedrock-agentcore:*", "states:*", "ec2-instance-connect:*"], "Resource": "*"}),
    ]);
    world.expect(&who, Expect::Nothing);
    let who = world.user("administrator", &[allow(&["*"], &["*"])]);
    let _ = who;
    let who = world.user(
        "administrator-with-mfa",
        &[with(allow(&["*"], &["*"]), json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}))],
    );
    world.expect(&who, Expect::Nothing);
}
