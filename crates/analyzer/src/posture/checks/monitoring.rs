//! MON, and ROOT-07: what leads to an alarm.
//!
//! A filter is not compared with a text: it is evaluated on an event of each kind that must be seen.
//! It counts when its log group receives a trail of all regions, and an alarm with an action stands
//! on its metric.

mod pattern;

use crate::evidence::{Alarm, Data, MetricFilter, Part, Trail};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::shell;
use pattern::Pattern;

const NEEDS: &[Need] = &[Need::Of(Data::Alarms), Need::Of(Data::Trails)];
const REMEDY: &str = "make a metric filter for these events on the log group of the trail of all \
                      regions, and an alarm with an action on its metric";

macro_rules! watch {
    ($id:literal, $events:expr) => {
        Check {
            id: $id,
            needs: NEEDS,
            remedy: REMEDY,
            run: |audit, results| watched(audit, results, $events),
        }
    };
}

pub(super) const CHECKS: &[Check] = &[
    watch!("ROOT-07", &[Event::Whole("root", ROOT)]),
    watch!(
        "MON-01",
        &[
            Event::Whole("AccessDenied", DENIED),
            Event::Whole("UnauthorizedOperation", UNAUTHORIZED)
        ]
    ),
    watch!("MON-02", &[Event::Whole("ConsoleLogin without MFA", NO_MFA)]),
    watch!("MON-03", &[Event::Calls("iam.amazonaws.com", POLICY_CHANGES)]),
    watch!("MON-04", &[Event::Calls("cloudtrail.amazonaws.com", TRAIL_CHANGES)]),
    watch!("MON-05", &[Event::Whole("ConsoleLogin that fails", FAILED_LOGIN)]),
    watch!("MON-06", &[Event::Calls("kms.amazonaws.com", &["DisableKey", "ScheduleKeyDeletion"])]),
    watch!("MON-07", &[Event::Calls("s3.amazonaws.com", BUCKET_CHANGES)]),
    watch!("MON-08", &[Event::Calls("config.amazonaws.com", RECORDER_CHANGES)]),
    watch!("MON-09", &[Event::Calls("ec2.amazonaws.com", NETWORK_CHANGES)]),
    watch!("MON-10", &[Event::Calls("organizations.amazonaws.com", ORGANIZATION_CHANGES)]),
    Check {
        id: "MON-11",
        needs: &[Need::Of(Data::Alarms)],
        remedy: "switch the alarm's actions on, and let somebody confirm a subscription of its topic",
        run: working_actions,
    },
];

/// Events that must be seen: calls of a service by name, or one with its fields.
enum Event {
    Calls(&'static str, &'static [&'static str]),
    Whole(&'static str, Fields),
}

type Fields = &'static [(&'static str, &'static str)];

const ROOT: Fields = &[
    ("userIdentity.type", "Root"),
    ("eventType", "AwsApiCall"),
    ("eventName", "CreateUser"),
    ("eventSource", "iam.amazonaws.com"),
];
const DENIED: Fields = &[
    ("errorCode", "AccessDenied"),
    ("eventName", "ListUsers"),
    ("eventSource", "iam.amazonaws.com"),
    ("eventType", "AwsApiCall"),
    ("sourceIPAddress", "203.0.113.7"),
    ("userIdentity.type", "IAMUser"),
];
const UNAUTHORIZED: Fields = &[
    ("errorCode", "Client.UnauthorizedOperation"),
    ("eventName", "RunInstances"),
    ("eventSource", "ec2.amazonaws.com"),
    ("eventType", "AwsApiCall"),
    ("sourceIPAddress", "203.0.113.7"),
    ("userIdentity.type", "IAMUser"),
];
const NO_MFA: Fields = &[
    ("eventName", "ConsoleLogin"),
    ("eventSource", "signin.amazonaws.com"),
    ("eventType", "AwsConsoleSignIn"),
    ("additionalEventData.MFAUsed", "No"),
    ("userIdentity.type", "IAMUser"),
    ("responseElements.ConsoleLogin", "Success"),
];
const FAILED_LOGIN: Fields = &[
    ("eventName", "ConsoleLogin"),
    ("eventSource", "signin.amazonaws.com"),
    ("eventType", "AwsConsoleSignIn"),
    ("errorMessage", "Failed authentication"),
    ("userIdentity.type", "IAMUser"),
    ("responseElements.ConsoleLogin", "Failure"),
];
const POLICY_CHANGES: &[&str] = &[
    "DeleteGroupPolicy",
    "DeleteRolePolicy",
    "DeleteUserPolicy",
    "PutGroupPolicy",
    "PutRolePolicy",
    "PutUserPolicy",
    "CreatePolicy",
    "DeletePolicy",
    "CreatePolicyVersion",
    "DeletePolicyVersion",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "AttachUserPolicy",
    "DetachUserPolicy",
    "AttachGroupPolicy",
    "DetachGroupPolicy",
];
const TRAIL_CHANGES: &[&str] =
    &["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"];
const BUCKET_CHANGES: &[&str] = &[
    "PutBucketAcl",
    "PutBucketPolicy",
    "PutBucketCors",
    "PutBucketLifecycle",
    "PutBucketReplication",
    "DeleteBucketPolicy",
    "DeleteBucketCors",
    "DeleteBucketLifecycle",
    "DeleteBucketReplication",
];
const RECORDER_CHANGES: &[&str] = &[
    "StopConfigurationRecorder",
    "DeleteDeliveryChannel",
    "PutDeliveryChannel",
    "PutConfigurationRecorder",
];
const NETWORK_CHANGES: &[&str] = &[
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
    "CreateSecurityGroup",
    "DeleteSecurityGroup",
    "CreateNetworkAcl",
    "CreateNetworkAclEntry",
    "DeleteNetworkAcl",
    "DeleteNetworkAclEntry",
    "ReplaceNetworkAclEntry",
    "ReplaceNetworkAclAssociation",
    "CreateCustomerGateway",
    "DeleteCustomerGateway",
    "AttachInternetGateway",
    "CreateInternetGateway",
    "DeleteInternetGateway",
    "DetachInternetGateway",
    "CreateRoute",
    "CreateRouteTable",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "DeleteRouteTable",
    "DeleteRoute",
    "DisassociateRouteTable",
    "CreateVpc",
    "DeleteVpc",
    "ModifyVpcAttribute",
    "AcceptVpcPeeringConnection",
    "CreateVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    "RejectVpcPeeringConnection",
];
const ORGANIZATION_CHANGES: &[&str] = &[
    "AcceptHandshake",
    "AttachPolicy",
    "CreateAccount",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "DeclineHandshake",
    "DeleteOrganization",
    "DeleteOrganizationalUnit",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "InviteAccountToOrganization",
    "LeaveOrganization",
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "UpdatePolicy",
    "UpdateOrganizationalUnit",
];

/// Every event leads to an alarm.
fn watched(audit: &Audit<'_>, results: &mut Results, events: &[Event]) {
    let (Some(alarms), Some(trails)) =
        (audit.evidence.alarms.known(), audit.evidence.trails.known())
    else {
        return;
    };
    let unknown = trails.iter().any(|trail| trail.multi_region && trail.logging.known().is_none());
    let live = |filter: &MetricFilter| {
        trails.iter().any(|trail| receives(trail, filter))
            && alarms.alarms.iter().any(|alarm| acts_on(alarm, filter))
    };
    let patterns: Vec<Pattern> = alarms
        .filters
        .iter()
        .filter(|filter| live(filter))
        .filter_map(|filter| Pattern::read(&filter.pattern))
        .collect();
    let seen = |event: &[(&str, &str)]| patterns.iter().any(|pattern| pattern.fits(event));
    let mut lacking = Vec::new();
    for event in events {
        match event {
            Event::Whole(name, fields) if !seen(fields) => lacking.push(*name),
            Event::Whole(..) => {}
            Event::Calls(source, names) => {
                lacking.extend(names.iter().filter(|name| {
                    let fields = [
                        ("eventSource", *source),
                        ("eventName", **name),
                        ("eventType", "AwsApiCall"),
                        ("userIdentity.type", "IAMUser"),
                    ];
                    !seen(&fields)
                }));
            }
        }
    }
    if !lacking.is_empty() && unknown {
        results.not_assessed(&audit.account, "the status of the trail of all regions");
        return;
    }
    results.judge(lacking.is_empty(), || {
        Found::new(&audit.account, format!("no alarm goes off for {}", lacking.join(", ")))
    });
}

/// Whether a filter's log group receives a trail of all regions that records.
fn receives(trail: &Trail, filter: &MetricFilter) -> bool {
    let group = trail.log_group.as_deref().and_then(|arn| {
        let mut fields = arn.splitn(7, ':');
        Some((fields.nth(3)?, fields.nth(2)?.trim_end_matches(":*")))
    });
    trail.multi_region
        && trail.logging == Part::Known(true)
        && group == Some((filter.region.as_str(), filter.log_group.as_str()))
}

/// Whether an alarm stands on a filter's metric and does something.
fn acts_on(alarm: &Alarm, filter: &MetricFilter) -> bool {
    alarm.region == filter.region
        && alarm.actions_enabled
        && !alarm.actions.is_empty()
        && filter.metrics.contains(&alarm.metric)
}

/// MON-11.
fn working_actions(audit: &Audit<'_>, results: &mut Results) {
    let Some(alarms) = audit.evidence.alarms.known() else { return };
    let own = audit.evidence.account_id().to_string();
    for alarm in &alarms.alarms {
        if !alarm.actions_enabled || alarm.actions.is_empty() {
            results.fail(Found::new(&alarm.arn, "the alarm does nothing when it goes off").cli(
                format!(
                    "aws cloudwatch enable-alarm-actions --alarm-names {}",
                    shell::quoted(name(alarm))
                ),
            ));
            continue;
        }
        let topics = alarm.actions.iter().filter(|arn| arn.contains(":sns:"));
        let (own, foreign): (Vec<_>, Vec<_>) =
            topics.partition(|arn| arn.split(':').nth(4) == Some(own.as_str()));
        let heard = |arn: &&String| {
            alarms.topics.iter().any(|topic| topic.arn == **arn && topic.confirmed > 0)
        };
        let others = alarm.actions.len() > own.len() + foreign.len();
        if others || own.iter().any(heard) {
            results.pass();
        } else if foreign.is_empty() {
            let why = "nobody has confirmed a subscription of the alarm's topic";
            results.fail(Found::new(&alarm.arn, why));
        } else {
            results.not_assessed(&alarm.arn, "who listens to a topic of another account");
        }
    }
    if alarms.alarms.is_empty() {
        results.not_applicable();
    }
}

fn name(alarm: &Alarm) -> &str {
    alarm.arn.rsplit(':').next().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{ACCOUNT, Case, Folder, folder};
    use super::*;
    use serde_json::json;

    /// A trail, a filter, an alarm and a topic, each as it should be.
    pub(crate) fn alarmed(pattern: &str) -> Folder {
        folder(|f| {
            let group = format!("arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:trail:*");
            let trail = json!({
                "TrailARN": format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t"), "Name": "t",
                "HomeRegion": "eu-west-1", "IsMultiRegionTrail": true,
                "CloudWatchLogsLogGroupArn": group,
            });
            f.put("regions/eu-west-1/trails.json", &json!({"trailList": [trail]}));
            f.put("regions/eu-west-1/trails/t/status.json", &json!({"IsLogging": true}));
            let filter = json!({
                "filterName": "f", "filterPattern": pattern, "logGroupName": "trail",
                "metricTransformations": [{"metricName": "m", "metricNamespace": "n"}],
            });
            f.put("regions/eu-west-1/metric-filters.json", &json!({"metricFilters": [filter]}));
            f.put("regions/eu-west-1/alarms.json", &alarm(true, "n"));
            f.put("regions/eu-west-1/subscriptions.json", &subscription("arn:aws:sns:x"));
        })
    }

    fn alarm(enabled: bool, namespace: &str) -> serde_json::Value {
        let topic = format!("arn:aws:sns:eu-west-1:{ACCOUNT}:alarms");
        let arn = format!("arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:a");
        json!({"MetricAlarms": [{
            "AlarmArn": arn, "Namespace": namespace, "MetricName": "m", "ActionsEnabled": enabled,
            "AlarmActions": [topic],
        }]})
    }

    fn subscription(arn: &str) -> serde_json::Value {
        let topic = format!("arn:aws:sns:eu-west-1:{ACCOUNT}:alarms");
        json!({"Subscriptions": [{"TopicArn": topic, "SubscriptionArn": arn}]})
    }

    fn names(list: &[&str]) -> String {
        let tests: Vec<String> =
            list.iter().map(|name| format!("($.eventName = {name})")).collect();
        format!("{{ {} }}", tests.join(" || "))
    }

    pub(crate) fn cases() -> Vec<Case> {
        let root = "{ $.userIdentity.type = Root && $.userIdentity.invokedBy NOT EXISTS }";
        let denied = "{ ($.errorCode = *UnauthorizedOperation) || ($.errorCode = AccessDenied*) }";
        let no_mfa = "{ ($.eventName = ConsoleLogin) && ($.additionalEventData.MFAUsed != Yes) }";
        let failed =
            "{ ($.eventName = ConsoleLogin) && ($.errorMessage = \"Failed authentication\") }";
        let mut patterns = vec![
            ("ROOT-07", root.to_owned()),
            ("MON-01", denied.to_owned()),
            ("MON-02", no_mfa.to_owned()),
            ("MON-05", failed.to_owned()),
        ];
        for (id, list) in [
            ("MON-03", POLICY_CHANGES),
            ("MON-04", TRAIL_CHANGES),
            ("MON-06", &["DisableKey", "ScheduleKeyDeletion"]),
            ("MON-07", BUCKET_CHANGES),
            ("MON-08", RECORDER_CHANGES),
            ("MON-09", NETWORK_CHANGES),
            ("MON-10", ORGANIZATION_CHANGES),
        ] {
            patterns.push((id, names(list)));
        }
        let alarms = "regions/eu-west-1/alarms.json";
        let status = "regions/eu-west-1/trails/t/status.json";
        let mut cases: Vec<Case> = patterns
            .iter()
            .map(|(id, pattern)| {
                Case::new(
                    id,
                    &alarmed(pattern),
                    &[
                        &|f| *f = alarmed("{ $.eventName = Nothing }"),
                        &|f| *f = alarmed("Root AccessDenied ConsoleLogin"),
                        &|f| {
                            f.put(alarms, &alarm(false, "n"));
                        },
                        &|f| {
                            f.put(alarms, &alarm(true, "other"));
                        },
                        &|f| {
                            f.put(status, &json!({"IsLogging": false}));
                        },
                    ],
                )
            })
            .collect();
        // One event of the list left out is enough.
        let short = names(POLICY_CHANGES.get(1..).unwrap());
        cases.push(Case::new(
            "MON-03",
            &alarmed(&names(POLICY_CHANGES)),
            &[&|f| *f = alarmed(&short)],
        ));
        cases.push(Case::new(
            "MON-11",
            &alarmed(root),
            &[
                &|f| {
                    f.put(alarms, &alarm(false, "n"));
                },
                &|f| {
                    let waiting = subscription("PendingConfirmation");
                    f.put("regions/eu-west-1/subscriptions.json", &waiting);
                },
            ],
        ));
        cases
    }
}
