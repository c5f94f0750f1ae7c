//! Principals as accounts have them, none of which leads anywhere.

use serde_json::{Value, json};

use super::{ACCOUNT, Planted, allow, arn, deny, policy, service_trust, trust, with};

const SERVICES: [&str; 5] = [
    "lambda.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "glue.amazonaws.com",
    "states.amazonaws.com",
];

const READERS: [&str; 4] = [
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "arn:aws:iam::aws:policy/SecurityAudit",
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess",
];

pub(super) fn fill(world: &mut Planted, principals: usize) {
    let shared: Vec<String> = (0..40).map(|at| shared(world, at)).collect();
    let groups: Vec<String> = (0..30)
        .map(|at| {
            let group =
                world.group(&format!("team-{at}"), &statements(world.seed as usize % 97, at));
            world.attach(&group, &shared[at % shared.len()]);
            world.attach(&group, READERS[at % READERS.len()]);
            group
        })
        .collect();
    let planted = world.users.len() + world.roles.len();
    for at in 0..principals.saturating_sub(planted) {
        let number = world.roll(1_000_000);
        let who = if at % 5 < 2 {
            let who = world.user(&format!("person-{at}"), &statements(number, at));
            world.join(&who, &groups[number % groups.len()]);
            world.join(&who, &groups[(number / 31 + 1) % groups.len()]);
            who
        } else {
            let trusted = match at % 3 {
                0 => trust(&arn("root")),
                1 => service_trust(SERVICES[number % SERVICES.len()]),
                _ => with(
                    trust("arn:aws:iam::999988887777:root"),
                    json!({"StringEquals": {"sts:ExternalId": format!("x-{number}")}}),
                ),
            };
            world.role(&format!("task-{at}"), &[trusted], &statements(number, at))
        };
        world.attach(&who, &shared[number % shared.len()]);
        if number.is_multiple_of(7) {
            world.attach(&who, READERS[number % READERS.len()]);
        }
        world.tag(&who, "team", &format!("team-{}", number % 30));
    }
}

/// A customer managed policy of some length.
fn shared(world: &mut Planted, at: usize) -> String {
    let old = policy(&statements(at * 3, at));
    let now = policy(&statements(at * 7, at + 1));
    world.managed(&format!("shared-{at}"), &[old, now], 2)
}

/// What a team's policy may say: data, queues, logs, passing a small role under conditions.
fn statements(number: usize, at: usize) -> Vec<Value> {
    let bucket = format!("arn:aws:s3:::team-{}-{}", number % 30, number % 900);
    let objects = format!("{bucket}/${{aws:username}}/*");
    let table = |n: usize| format!("arn:aws:dynamodb:*:{ACCOUNT}:table/app-{}-{n}", number % 500);
    let queue = format!("arn:aws:sqs:*:{ACCOUNT}:app-{}-*", number % 500);
    let tables: Vec<String> = (0..12).map(table).collect();
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    let mut all = vec![
        allow(
            &["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
            &[&bucket, &objects],
        ),
        allow(
            &[
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "dynamodb:BatchGetItem",
            ],
            &tables,
        ),
        allow(&["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"], &[&queue]),
        allow(&["logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData"], &["*"]),
        allow(&["iam:Get*", "iam:List*", "ec2:Describe*"], &["*"]),
        with(
            allow(&["ec2:StartInstances", "ec2:StopInstances"], &["*"]),
            json!({"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}),
        ),
        with(
            allow(&["kms:Decrypt", "kms:GenerateDataKey"], &["*"]),
            json!({"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}, "Bool": {"aws:SecureTransport": "true"}}),
        ),
    ];
    if number.is_multiple_of(4) {
        // A way that would be one with more than is here.
        all.push(with(
            allow(&["iam:PassRole"], &[&arn(&format!("role/task-{}", number % 300))]),
            json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        ));
        all.push(allow(&["lambda:GetFunction", "lambda:ListFunctions"], &["*"]));
    }
    if number.is_multiple_of(5) {
        all.push(allow(
            &["sts:AssumeRole"],
            &[&arn(&format!("role/task-{}", at % 400)), "arn:aws:iam::999988887777:role/*"],
        ));
    }
    if number.is_multiple_of(6) {
        all.push(deny(&["s3:DeleteBucket", "dynamodb:DeleteTable"], &["*"]));
        all.push(allow(
            &["iam:ChangePassword", "iam:CreateVirtualMFADevice"],
            &[&arn("user/${aws:username}"), &arn("mfa/*")],
        ));
    }
    all
}
