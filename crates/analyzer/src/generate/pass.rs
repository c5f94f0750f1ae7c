//! `iam:PassRole`, which has no event: inferred from the roles in the parameters of a call.

use std::collections::BTreeSet;

use bailiwick_catalog::{AccessLevel, AccessLevels};

use super::names::Meant;
use super::resources::Scene;
use super::target::Target;

/// The service that gets the role, where it is another than the one that is called: service, the
/// beginning of operations or nothing, the end of the parameter's name or nothing, the host.
const PASSED_TO: &[(&str, &str, &str, &str)] = &[
    ("apigateway", "", "", "apigateway.amazonaws.com"),
    ("apprunner", "", "accessrolearn", "build.apprunner.amazonaws.com"),
    ("apprunner", "", "", "tasks.apprunner.amazonaws.com"),
    ("appsync", "", "", "appsync.amazonaws.com"),
    ("backup", "", "", "backup.amazonaws.com"),
    ("batch", "RegisterJobDefinition", "", "ecs-tasks.amazonaws.com"),
    ("batch", "", "servicerole", "batch.amazonaws.com"),
    ("bedrock", "", "", "bedrock.amazonaws.com"),
    ("bedrock-agentcore", "", "", "bedrock-agentcore.amazonaws.com"),
    ("braket", "", "", "braket.amazonaws.com"),
    ("cloudformation", "", "", "cloudformation.amazonaws.com"),
    ("cloudtrail", "", "", "cloudtrail.amazonaws.com"),
    ("codebuild", "", "", "codebuild.amazonaws.com"),
    ("codedeploy", "", "", "codedeploy.amazonaws.com"),
    ("codepipeline", "", "", "codepipeline.amazonaws.com"),
    ("cognito-identity", "", "", "cognito-identity.amazonaws.com"),
    ("cognito-idp", "", "", "cognito-idp.amazonaws.com"),
    ("config", "", "", "config.amazonaws.com"),
    ("dms", "", "", "dms.amazonaws.com"),
    ("ec2", "CreateFlowLogs", "", "vpc-flow-logs.amazonaws.com"),
    ("ec2", "", "", "ec2.amazonaws.com"),
    ("ecs", "CreateService", "rolearn", "ecs.amazonaws.com"),
    ("ecs", "", "taskrolearn", "ecs-tasks.amazonaws.com"),
    ("ecs", "", "executionrolearn", "ecs-tasks.amazonaws.com"),
    ("eks", "CreateNodegroup", "noderole", "ec2.amazonaws.com"),
    ("eks", "CreateFargateProfile", "", "eks-fargate-pods.amazonaws.com"),
    ("eks", "", "", "eks.amazonaws.com"),
    ("elasticmapreduce", "", "servicerole", "elasticmapreduce.amazonaws.com"),
    ("emr-serverless", "", "", "emr-serverless.amazonaws.com"),
    ("events", "", "", "events.amazonaws.com"),
    ("firehose", "", "", "firehose.amazonaws.com"),
    ("gamelift", "", "", "gamelift.amazonaws.com"),
    ("glue", "", "", "glue.amazonaws.com"),
    ("iam", "AddRoleToInstanceProfile", "", "ec2.amazonaws.com"),
    ("iot", "", "", "iot.amazonaws.com"),
    ("kinesisanalytics", "", "", "kinesisanalytics.amazonaws.com"),
    ("lambda", "", "", "lambda.amazonaws.com"),
    ("logs", "", "", "logs.amazonaws.com"),
    ("omics", "", "", "omics.amazonaws.com"),
    ("pipes", "", "", "pipes.amazonaws.com"),
    ("rds", "", "monitoringrolearn", "monitoring.rds.amazonaws.com"),
    ("rds", "", "", "rds.amazonaws.com"),
    ("redshift", "", "", "redshift.amazonaws.com"),
    ("sagemaker", "", "", "sagemaker.amazonaws.com"),
    ("scheduler", "", "", "scheduler.amazonaws.com"),
    ("ssm", "", "", "ssm.amazonaws.com"),
    ("states", "", "", "states.amazonaws.com"),
    ("transfer", "", "", "transfer.amazonaws.com"),
];

/// A role that a call hands to a service.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Passed {
    pub(super) role: Target,
    /// The service that gets it, where that is known.
    pub(super) to: Option<&'static str>,
}

/// What the parameters of a call tell of roles that it passes.
#[derive(Debug, Default)]
pub(super) struct Passing {
    pub(super) roles: BTreeSet<Passed>,
    /// Names of instance profiles, whose roles the event does not tell.
    pub(super) profiles: BTreeSet<String>,
    /// Whether the catalog says that the call may pass a role, and none is to be seen.
    pub(super) unseen: bool,
}

/// The roles that a call passes.
pub(super) fn passed(scene: &Scene<'_>, meant: &Meant<'_>) -> Passing {
    let mut found = Passing::default();
    let prefix = meant.service.prefix();
    let changing = AccessLevels::NONE
        .with(AccessLevel::Write)
        .with(AccessLevel::PermissionsManagement)
        .with(AccessLevel::Tagging);
    if !meant.action.levels.intersects(changing) || meant.source {
        return found;
    }
    let dependent = depends(meant);
    if prefix == "iam" && scene.record.event_name == "AddRoleToInstanceProfile" {
        let head = format!("arn:{}:iam::{}:role/", scene.actor.partition(), scene.actor.account);
        if let Some(name) = scene.params.first("rolename") {
            let role = Target::exact(&format!("{head}{name}"));
            found.roles.insert(Passed { role, to: receiver(scene, prefix, "") });
        }
        return found;
    }
    if matches!(prefix, "iam" | "sts") {
        return found;
    }
    let own = scene.actor.account.to_string();
    for (name, arn) in scene.params.arns() {
        let mut fields = arn.splitn(6, ':').skip(2);
        let is_role = fields.next() == Some("iam")
            && fields.nth(1) == Some(own.as_str())
            && fields.next().is_some_and(|resource| resource.starts_with("role/"));
        // The parameter says that it is a role for somebody, or the action is known to pass one.
        let meant_so = name.contains("role")
            || (dependent && !name.contains("principal"))
            || name.ends_with("credentials")
            || name.ends_with("callerarn");
        if is_role && meant_so && arn.len() <= 2_048 {
            let role = Target::exact(arn);
            found.roles.insert(Passed { role, to: receiver(scene, prefix, name) });
        }
        if arn.contains(":instance-profile/") {
            found.profiles.extend(arn.rsplit('/').next().map(str::to_owned));
        }
    }
    if prefix == "ec2" && dependent || matches!(prefix, "autoscaling" | "elasticmapreduce") {
        let pointers = ["/iamInstanceProfile/name", "/iamInstanceProfile", "/instanceProfile"];
        for pointer in pointers {
            let named = scene.record.request_parameters.pointer(pointer);
            let name = named.and_then(serde_json::Value::as_str);
            found.profiles.extend(name.filter(|n| !n.starts_with("arn:")).map(str::to_owned));
        }
    }
    found.unseen = dependent && found.roles.is_empty() && found.profiles.is_empty();
    found
}

/// Whether the catalog knows that the action passes roles.
fn depends(meant: &Meant<'_>) -> bool {
    let of_types = meant.action.resource_types.iter().flat_map(|one| one.dependent_actions.iter());
    meant
        .action
        .dependent_actions
        .iter()
        .chain(of_types)
        .any(|name| name.eq_ignore_ascii_case("iam:PassRole"))
}

fn receiver(scene: &Scene<'_>, prefix: &str, parameter: &str) -> Option<&'static str> {
    let event = &scene.record.event_name;
    let row = PASSED_TO.iter().find(|(of, begins, ends, _)| {
        *of == prefix && event.starts_with(begins) && parameter.ends_with(ends)
    })?;
    Some(row.3)
}

#[cfg(test)]
mod tests {
    use super::super::actor::Actor;
    use super::super::names;
    use super::super::params::Params;
    use super::super::record::Record;
    use super::*;
    use bailiwick_catalog::Catalog;
    use serde_json::{Value, json};

    fn of(source: &str, name: &str, params: &Value) -> Vec<String> {
        let record: Record = serde_json::from_value(json!({
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name,
            "awsRegion": "eu-west-1", "recipientAccountId": "123456789012",
            "requestParameters": params,
        }))
        .unwrap();
        let params = Params::of(&record.request_parameters);
        let actor = Actor::parse("arn:aws:iam::123456789012:user/alice").unwrap();
        let catalog = Catalog::embedded();
        let scene = Scene { record: &record, params: &params, actor: &actor };
        let mut found = Vec::new();
        for meant in names::actions(catalog, &record.event_source, name, &params) {
            let passing = passed(&scene, &meant);
            for one in passing.roles {
                let role = one.role.arn.rsplit('/').next().unwrap_or_default().to_owned();
                found.push(format!("{role} {}", one.to.unwrap_or("?")));
            }
            found.extend(passing.profiles.iter().map(|name| format!("profile {name}")));
            found.extend(passing.unseen.then(|| "unseen".to_owned()));
        }
        found
    }

    #[test]
    fn roles_that_calls_pass() {
        let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
        for (source, name, params, expected) in [
            (
                "lambda",
                "CreateFunction20150331",
                json!({"functionName": "f", "role": role("run")}),
                vec!["run lambda.amazonaws.com"],
            ),
            (
                "ecs",
                "RegisterTaskDefinition",
                json!({"family": "x", "taskRoleArn": role("t"), "executionRoleArn": role("e")}),
                vec!["e ecs-tasks.amazonaws.com", "t ecs-tasks.amazonaws.com"],
            ),
            (
                "ec2",
                "RunInstances",
                json!({"iamInstanceProfile": {"name": "web"}}),
                vec!["profile web"],
            ),
            (
                "iam",
                "AddRoleToInstanceProfile",
                json!({"roleName": "r", "instanceProfileName": "p"}),
                vec!["r ec2.amazonaws.com"],
            ),
            // A role of another account cannot be passed, one that is only looked at is not, and to
            // assume a role is to pass nothing.
            (
                "lambda",
                "CreateFunction20150331",
                json!({"role": "arn:aws:iam::999999999999:role/x"}),
                vec!["unseen"],
            ),
            ("iam", "GetRole", json!({"roleName": "r", "roleArn": role("r")}), vec![]),
            ("sts", "AssumeRole", json!({"roleArn": role("r")}), vec![]),
            ("cloudformation", "DescribeStacks", json!({"roleARN": role("r")}), vec![]),
            (
                "cloudformation",
                "CreateStack",
                json!({"stackName": "s", "roleARN": role("r")}),
                vec!["r cloudformation.amazonaws.com"],
            ),
        ] {
            assert_eq!(of(source, name, &params), expected, "{source} {name} {params}");
        }
    }
}
