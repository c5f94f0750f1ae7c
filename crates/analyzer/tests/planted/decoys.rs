//! What looks like a way and is none, and what is one under conditions only.

use serde_json::{Value, json};

use super::{ADMIN, Expect, Planted, allow, arn, deny, policy, service_trust, trust, with};

/// Four kinds of way that the blocks are laid over.
fn ways(world: &mut Planted, name: &str) -> Vec<(String, Vec<Value>)> {
    let role = world.admin_of(&format!("for-{name}-lambda"), "lambda.amazonaws.com");
    let target = world.user(&format!("for-{name}-target"), &[]);
    world.attach(&target, ADMIN);
    let open = world.role(&format!("for-{name}-open"), &[trust(&arn("root"))], &[]);
    world.attach(&open, ADMIN);
    vec![
        (
            format!("{name}-self"),
            vec![allow(&["iam:PutUserPolicy", "iam:AttachUserPolicy"], &["*"])],
        ),
        (format!("{name}-key"), vec![allow(&["iam:CreateAccessKey"], &[&target])]),
        (
            format!("{name}-pass"),
            vec![
                allow(&["iam:PassRole"], &[&role]),
                allow(&["lambda:CreateFunction", "lambda:InvokeFunction"], &["*"]),
            ],
        ),
        (format!("{name}-assume"), vec![allow(&["sts:AssumeRole"], &[&open])]),
    ]
}

pub(super) fn plant(world: &mut Planted) {
    let data = world.managed("data-only", &[policy(&[allow(&["s3:*", "dynamodb:*"], &["*"])])], 1);
    for (name, statements) in ways(world, "boundary") {
        let who = world.user(&name, &statements);
        world.bound(&who, &data);
        world.expect(&who, Expect::Nothing);
    }
    for (name, statements) in ways(world, "scp") {
        let who = world.user(&name, &statements);
        world.expect(&who, Expect::Nothing);
    }
    for (name, mut statements) in ways(world, "deny") {
        statements.push(deny(&["iam:*", "sts:Assume*"], &["*"]));
        let who = world.user(&name, &statements);
        world.expect(&who, Expect::Nothing);
    }
    let guarded = world.group("guarded", &[deny(&["IAM:*", "STS:*", "Lambda:Create*"], &["*"])]);
    for (name, statements) in ways(world, "group-deny") {
        let who = world.user(&name, &statements);
        world.join(&who, &guarded);
        world.expect(&who, Expect::Nothing);
    }
    for (name, statements) in ways(world, "not-action") {
        let who = world.user(&name, &statements);
        let limit =
            json!({"Effect": "Deny", "NotAction": ["s3:*", "ec2:Describe*"], "Resource": "*"});
        let list = world.last(&who)["UserPolicyList"].as_array_mut().unwrap();
        list.push(json!({"PolicyName": "limit", "PolicyDocument": policy(&[limit])}));
        world.expect(&who, Expect::Nothing);
    }
    scopes(world);
    conditions(world);
}

/// Resources, trust policies and service names that do not fit.
fn scopes(world: &mut Planted) {
    let nothing = |world: &mut Planted, name: &str, statements: &[Value]| {
        let who = world.user(name, statements);
        world.expect(&who, Expect::Nothing);
        who
    };
    let weak = world.user("weak", &[allow(&["s3:ListAllMyBuckets"], &["*"])]);
    nothing(world, "scope-key", &[allow(&["iam:CreateAccessKey"], &[&weak])]);
    nothing(world, "scope-self", &[allow(&["iam:PutUserPolicy"], &[&arn("user/scope-self-")])]);
    nothing(
        world,
        "scope-own-name",
        &[allow(&["iam:PutUserPolicy"], &[&arn("user/x-${aws:username}")])],
    );
    nothing(world, "scope-case", &[allow(&["iam:PutUserPolicy"], &[&arn("user/SCOPE-CASE")])]);
    nothing(
        world,
        "scope-not",
        &[json!({"Effect": "Allow", "Action": "iam:PutUserPolicy", "NotResource": arn("user/*")})],
    );
    nothing(
        world,
        "scope-foreign",
        &[allow(&["iam:PutUserPolicy"], &["arn:aws:iam::999988887777:user/*"])],
    );
    nothing(
        world,
        "scope-role-actions",
        &[allow(&["iam:PutRolePolicy", "iam:AttachRolePolicy"], &["*"])],
    );
    let lambda = world.admin_of("scoped-lambda", "lambda.amazonaws.com");
    let small = world.role(
        "small-lambda",
        &[service_trust("lambda.amazonaws.com")],
        &[allow(&["logs:PutLogEvents"], &["*"])],
    );
    let run = allow(&["lambda:CreateFunction", "lambda:InvokeFunction"], &["*"]);
    nothing(world, "scope-pass", &[allow(&["iam:PassRole"], &[&small]), run.clone()]);
    nothing(
        world,
        "scope-create",
        &[
            allow(&["iam:PassRole"], &[&lambda]),
            allow(&["lambda:CreateFunction"], &["arn:aws:lambda:*:999988887777:function:*"]),
        ],
    );
    nothing(world, "pass-only", &[allow(&["iam:PassRole"], &["*"])]);
    nothing(world, "create-only", std::slice::from_ref(&run));
    nothing(
        world,
        "passed-to-another",
        &[
            with(
                allow(&["iam:PassRole"], &[&lambda]),
                json!({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}),
            ),
            run.clone(),
        ],
    );
    let ec2 = world.admin_of("trusts-ec2", "ec2.amazonaws.com");
    nothing(world, "trust-another-service", &[allow(&["iam:PassRole"], &[&ec2]), run.clone()]);
    let closed = world.role("closed", &[trust("arn:aws:iam::999988887777:root")], &[]);
    world.attach(&closed, ADMIN);
    nothing(world, "trust-closed", &[allow(&["sts:AssumeRole"], &[&closed])]);
    let named = world.role("named", &[trust(&weak)], &[]);
    world.attach(&named, ADMIN);
    world.expect(&weak, Expect::Certain(Some(26)));
    nothing(world, "trust-names-another", &[allow(&["sts:AssumeRole"], &[&named])]);
    // The key now leads on: its user may assume an administrator.
    world.expect(&arn("user/scope-key"), Expect::Chain(2));
    let refused = world.role("refused", &[
        trust(&arn("root")),
        json!({"Effect": "Deny", "Principal": {"AWS": arn("user/trust-refuses")}, "Action": "sts:AssumeRole"}),
    ], &[]);
    world.attach(&refused, ADMIN);
    let linked = world.id("AROA");
    world.roles.push(json!({
        "Path": "/aws-service-role/lambda.amazonaws.com/", "RoleName": "AWSServiceRoleForLambda",
        "RoleId": linked,
        "Arn": arn("role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda"),
        "CreateDate": "2024-03-01T10:00:00+00:00",
        "AssumeRolePolicyDocument": policy(&[service_trust("lambda.amazonaws.com")]),
        "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": policy(&[allow(&["*"], &["*"])])}],
        "AttachedManagedPolicies": [], "Tags": [],
    }));
    let path = arn("role/aws-service-role/*");
    nothing(
        world,
        "linked-pass",
        &[
            allow(&["iam:PassRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"], &[&path]),
            run,
        ],
    );
    nothing(world, "trust-refuses", &[allow(&["sts:AssumeRole"], &[&refused])]);
    // A policy that nobody has, an old version, and a group without rights.
    let idle = world.managed("idle", &[policy(&[allow(&["*"], &["*"])])], 1);
    nothing(world, "version-of-an-idle-policy", &[allow(&["iam:CreatePolicyVersion"], &[&idle])]);
    let old = world.managed(
        "old",
        &[policy(&[allow(&["iam:*"], &["*"])]), policy(&[allow(&["s3:GetObject"], &["*"])])],
        2,
    );
    let who = nothing(world, "old-version", &[]);
    world.attach(&who, &old);
    let poor = world.group("poor", &[allow(&["s3:GetObject"], &["*"])]);
    nothing(world, "joins-a-poor-group", &[allow(&["iam:AddUserToGroup"], &[&poor])]);
    nothing(
        world,
        "group-of-others",
        &[allow(&["iam:PutGroupPolicy", "iam:AttachGroupPolicy"], &["*"])],
    );
}

/// Ways that need something of the request.
fn conditions(world: &mut Planted) {
    let allows: [(&str, &str, Value); 8] = [
        (
            "mfa",
            "aws:multifactorauthpresent",
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        ),
        (
            "mfa-age",
            "aws:multifactorauthage",
            json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}),
        ),
        (
            "mfa-null",
            "aws:multifactorauthage",
            json!({"Null": {"aws:MultiFactorAuthAge": "false"}}),
        ),
        (
            "address",
            "aws:sourceip",
            json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"]}}),
        ),
        ("vpc", "aws:sourcevpc", json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}})),
        (
            "time",
            "aws:currenttime",
            json!({"DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}),
        ),
        (
            "organization",
            "aws:principalorgid",
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}),
        ),
        (
            "via",
            "aws:calledvia",
            json!({"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}),
        ),
    ];
    for (name, key, condition) in allows {
        for (name, statements) in ways(world, name) {
            let statements: Vec<Value> = statements
                .into_iter()
                .map(|statement| with(statement, condition.clone()))
                .collect();
            let who = world.user(&name, &statements);
            world.expect(&who, Expect::Conditional(key));
        }
    }
    let denies = [
        (
            "deny-mfa",
            "aws:multifactorauthpresent",
            json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        ),
        ("deny-address", "aws:sourceip", json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        (
            "deny-no-mfa",
            "aws:multifactorauthage",
            json!({"Null": {"aws:MultiFactorAuthAge": "true"}}),
        ),
    ];
    for (name, key, condition) in denies {
        for (name, mut statements) in ways(world, name) {
            statements.push(with(deny(&["*"], &["*"]), condition.clone()));
            let who = world.user(&name, &statements);
            world.expect(&who, Expect::Conditional(key));
        }
    }
    for (name, key, condition) in [
        (
            "trust-mfa",
            "aws:multifactorauthpresent",
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        ),
        (
            "trust-external-id",
            "sts:externalid",
            json!({"StringEquals": {"sts:ExternalId": "secret-word"}}),
        ),
        (
            "trust-tag",
            "aws:requesttag/team",
            json!({"StringEquals": {"aws:RequestTag/team": "ops"}}),
        ),
    ] {
        let role =
            world.role(&format!("{name}-role"), &[with(trust(&arn("root")), condition)], &[]);
        world.attach(&role, ADMIN);
        let who = world.user(name, &[allow(&["sts:AssumeRole"], &[&role])]);
        world.expect(&who, Expect::Conditional(key));
    }
    // Conditions that can never hold, or always do.
    let me = arn("user/never-*");
    for (name, condition) in [
        ("never-name", json!({"StringEquals": {"aws:username": "somebody-else"}})),
        ("never-tag", json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}})),
        ("never-arn", json!({"ArnEquals": {"aws:PrincipalArn": arn("role/x")}})),
        (
            "never-both",
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}, "Null": {"aws:MultiFactorAuthPresent": "true"}}),
        ),
        ("never-ended", json!({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})),
        ("never-insecure", json!({"Bool": {"aws:SecureTransport": "false"}})),
    ] {
        let who = world.user(name, &[with(allow(&["iam:PutUserPolicy"], &[&me]), condition)]);
        world.expect(&who, Expect::Nothing);
    }
    for (name, condition) in [
        ("always-tag", json!({"StringEquals": {"aws:PrincipalTag/team": "ops"}})),
        ("always-https", json!({"Bool": {"aws:SecureTransport": "true"}})),
        ("always-name", json!({"StringLike": {"aws:username": "always-*"}})),
        ("always-if-exists", json!({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}})),
    ] {
        let own = arn("user/${aws:username}");
        let who = world.user(name, &[with(allow(&["iam:PutUserPolicy"], &[&own]), condition)]);
        world.tag(&who, "team", "ops");
        world.expect(&who, Expect::Certain(Some(10)));
    }
}
