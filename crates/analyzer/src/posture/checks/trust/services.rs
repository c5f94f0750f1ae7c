//! Trust in services: TRU-04.

use serde_json::json;

use super::super::policies::fix::add_condition;
use super::super::policies::table::ANY;
use super::statement::{Allow, Trust, all};
use crate::posture::audit::Audit;
use crate::posture::check::Results;

/// Services that say for whom they assume a role. *Documented*: the guide of each shows
/// `aws:SourceArn` or `aws:SourceAccount` in the trust policy of a role of its own, under
/// "cross-service confused deputy prevention". Others, EC2 and Lambda among them, send neither, so
/// that a condition would shut them out.
const SUPPORTING: [&str; 62] = [
    "airflow",
    "airflow-env",
    "appsync",
    "bedrock",
    "bedrock-agentcore",
    "billingconductor",
    "build.apprunner",
    "codebuild",
    "codepipeline",
    "comprehend",
    "config",
    "databrew",
    "dataexchange",
    "datasync",
    "dms",
    "ecs-tasks",
    "elasticmapreduce",
    "emr-serverless",
    "events",
    "finspace",
    "firehose",
    "fis",
    "forecast",
    "frauddetector",
    "geo",
    "grafana",
    "greengrass",
    "hooks.cloudformation",
    "imagebuilder",
    "iot",
    "iotevents",
    "iotsitewise",
    "kendra",
    "kinesisanalytics",
    "lakeformation",
    "logs",
    "lookoutmetrics",
    "m2",
    "mediaconnect",
    "monitoring.rds",
    "omics",
    "osis-pipelines",
    "personalize",
    "pipes",
    "qbusiness",
    "rekognition",
    "resources.cloudformation",
    "rolesanywhere",
    "sagemaker",
    "scheduler",
    "schemas",
    "ssm",
    "ssm-incidents",
    "states",
    "synthetics",
    "tasks.apprunner",
    "textract",
    "transcribe",
    "transfer",
    "translate",
    "vpc-flow-logs",
    "workspaces",
];

/// The keys that say for whom a service acts.
const SOURCES: [&str; 4] =
    ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];

/// Whether a service says for whom it assumes a role.
fn supports(service: &str) -> bool {
    let head = service
        .strip_suffix(".amazonaws.com.cn")
        .or_else(|| service.strip_suffix(".amazonaws.com"))
        .unwrap_or_default();
    SUPPORTING.contains(&head)
}

/// TRU-04.
pub(super) fn confused_deputy(audit: &Audit<'_>, results: &mut Results) {
    let roles = all(audit, results);
    let mut any = false;
    for trust in &roles {
        let mut concerned = false;
        let mut clean = true;
        for allow in &trust.allows {
            for one in allow.named.iter().filter(|one| one.kind == "Service" && supports(&one.text))
            {
                concerned = true;
                if !is_open(audit, trust, allow, one) {
                    continue;
                }
                clean = false;
                let why = format!(
                    "`{}` may assume the role for whichever account: neither aws:SourceArn nor \
                     aws:SourceAccount pins the account that it acts for",
                    one.text
                );
                let found = trust.found(allow.number, why, |map| {
                    let id = audit.evidence.account_id().to_string();
                    add_condition(map, "StringEquals", "aws:SourceAccount", &json!(id));
                });
                results.fail(found.detail(one.text.clone()));
            }
        }
        any |= concerned;
        if concerned && clean {
            results.pass();
        } else if !concerned {
            results.not_applicable();
        }
    }
    if !any {
        results.note("no role trusts a service that tells for whom it acts");
    }
}

/// Whether the service gets in for an account that nothing names, by the engine.
fn is_open(
    audit: &Audit<'_>,
    trust: &Trust<'_>,
    allow: &Allow<'_>,
    one: &super::statement::Named,
) -> bool {
    let Some(caller) = one.caller("aws") else { return false };
    let mut bare = Trust::fitting(audit, allow, &caller);
    for key in SOURCES {
        bare.remove(key);
    }
    let mut stranger = bare.clone();
    // Documentation account numbers; none is the account's own.
    let own = audit.evidence.account_id().to_string();
    let foreign = if own == "111122223333" { "444455556666" } else { "111122223333" };
    stranger.put("aws:SourceAccount", foreign);
    stranger.put("aws:SourceOrgID", ANY);
    let service = one.text.split('.').next().unwrap_or_default();
    let mut arns = vec![format!("arn:aws:{service}:{ANY}:{foreign}:{ANY}/{ANY}")];
    for condition in allow.statement.conditions() {
        if condition.key.eq_ignore_ascii_case("aws:SourceArn") {
            arns.extend(condition.values.iter().filter_map(|value| of_stranger(value, foreign)));
        }
    }
    let action = "sts:AssumeRole";
    trust.lets_in(audit, &caller, action, &bare)
        || arns.iter().any(|arn| {
            stranger.put("aws:SourceArn", arn);
            trust.lets_in(audit, &caller, action, &stranger)
        })
}

/// An ARN of a foreign account that a pattern takes; nothing if the pattern pins account or name.
fn of_stranger(pattern: &str, foreign: &str) -> Option<String> {
    let fields: Vec<&str> = pattern.splitn(6, ':').collect();
    let [_, _, _, _, account, resource] = fields.as_slice() else {
        return pattern.contains('*').then(|| pattern.replace('*', foreign));
    };
    let free = account.contains('*') || account.is_empty() && resource.starts_with('*');
    free.then(|| {
        let mut own: Vec<String> =
            fields.iter().map(|field| field.replace(['*', '?'], ANY)).collect();
        if account.contains('*')
            && let Some(field) = own.get_mut(4)
        {
            foreign.clone_into(field);
        }
        own.join(":")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_of_heads() {
        assert!(SUPPORTING.is_sorted());
        assert!(supports("states.amazonaws.com") && !supports("ec2.amazonaws.com"));
        assert!(!supports("states.example.com") && supports("states.amazonaws.com.cn"));
    }
}
