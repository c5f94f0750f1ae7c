//! What an event's source and name are called in policies.

use std::borrow::Cow;

use bailiwick_catalog::{AccessLevels, Catalog};

/// An action as a policy names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Action {
    /// The service prefix, such as `cloudwatch`.
    pub service: Box<str>,
    /// The name, such as `ListBucket`.
    pub name: Box<str>,
    /// Whether the catalog knows it. What it does not know is as the event says it.
    pub known: bool,
}

impl Action {
    /// The action of an event, by its source (`monitoring.amazonaws.com`) and its name.
    pub fn of(event_source: &str, event_name: &str, catalog: &Catalog) -> Self {
        let host = host(event_source);
        let service = prefix(host);
        for name in names(service, event_name) {
            if let Some(action) = catalog.action(service, &name) {
                return Self { service: service.into(), name: action.name.clone(), known: true };
            }
        }
        Self { service: service.into(), name: event_name.into(), known: false }
    }

    /// The access levels; none for what the catalog does not know.
    pub fn levels(&self, catalog: &Catalog) -> AccessLevels {
        let action = catalog.action(&self.service, &self.name);
        action.map_or(AccessLevels::NONE, |action| action.levels)
    }
}

fn host(source: &str) -> &str {
    [".amazonaws.com.cn", ".amazonaws.com", ".amazon.com", ".api.aws"]
        .iter()
        .find_map(|end| source.strip_suffix(end))
        .unwrap_or(source)
}

/// Host names whose service has another prefix. Source: the endpoint and signing names of AWS's API
/// descriptions, and CloudTrail's integration topics.
const PREFIXES: &[(&str, &str)] = &[
    ("a2i-runtime.sagemaker", "sagemaker"),
    ("agreement-marketplace", "aws-marketplace"),
    ("api.detective", "detective"),
    ("api.ecr", "ecr"),
    ("api.ecr-public", "ecr-public"),
    ("api.mediatailor", "mediatailor"),
    ("api.pricing", "pricing"),
    ("api.sagemaker", "sagemaker"),
    ("api.tunneling.iot", "iot"),
    ("appstream2", "appstream"),
    ("bedrock-agent", "bedrock"),
    ("bedrock-agent-runtime", "bedrock"),
    ("bedrock-runtime", "bedrock"),
    ("cassandra-streams", "cassandra"),
    ("catalog.marketplace", "aws-marketplace"),
    ("cloudhsmv2", "cloudhsm"),
    ("cloudsearchdomain", "cloudsearch"),
    ("contact-lens", "connect"),
    ("cur", "cur"),
    ("data-signer", "signer"),
    ("data.iot", "iot"),
    ("data.mediastore", "mediastore"),
    ("deployment-marketplace", "aws-marketplace"),
    ("discovery-marketplace", "aws-marketplace"),
    ("edge.sagemaker", "sagemaker"),
    ("email", "ses"),
    ("entitlement.marketplace", "aws-marketplace"),
    ("featurestore-runtime.sagemaker", "sagemaker"),
    ("forecastquery", "forecast"),
    ("identity-chime", "chime"),
    ("ingest.timestream", "timestream"),
    ("iotdata", "iot"),
    ("ivsrealtime", "ivs"),
    ("logs-insights", "logs"),
    ("mail-manager", "ses"),
    ("media-pipelines-chime", "chime"),
    ("meetings-chime", "chime"),
    ("memory-db", "memorydb"),
    ("messaging-chime", "chime"),
    ("metering-marketplace", "aws-marketplace"),
    ("metering.marketplace", "aws-marketplace"),
    ("metrics.sagemaker", "sagemaker"),
    ("migrationhub", "mgh"),
    ("migrationhub-config", "mgh"),
    ("models-v2-lex", "lex"),
    ("models.lex", "lex"),
    ("monitoring", "cloudwatch"),
    ("personalize-events", "personalize"),
    ("personalize-runtime", "personalize"),
    ("pinpoint", "mobiletargeting"),
    ("query.timestream", "timestream"),
    ("reporting-marketplace", "aws-marketplace"),
    ("runtime-v2-lex", "lex"),
    ("runtime.lex", "lex"),
    ("runtime.sagemaker", "sagemaker"),
    ("s3-control", "s3"),
    ("servicecatalog-appregistry", "servicecatalog"),
    ("sms-voice.pinpoint", "sms-voice"),
    ("streams.dynamodb", "dynamodb"),
    ("tagging", "tag"),
    ("transcribestreaming", "transcribe"),
    ("voice-chime", "chime"),
    ("wafregional", "waf-regional"),
];

fn prefix(host: &str) -> &str {
    let found = PREFIXES.iter().find(|(name, _)| host.eq_ignore_ascii_case(name));
    found.map_or(host, |(_, prefix)| prefix)
}

/// Operations that ask for an action of another name. Source: the services' own tables of API operations
/// and required permissions.
const NAMES: &[(&str, &str, &str)] = &[
    ("bedrock", "Converse", "InvokeModel"),
    ("bedrock", "ConverseStream", "InvokeModelWithResponseStream"),
    ("dynamodb", "TransactGetItems", "GetItem"),
    ("dynamodb", "TransactWriteItems", "PutItem"),
    ("lambda", "Invoke", "InvokeFunction"),
    ("lambda", "InvokeExecution", "InvokeFunction"),
    ("s3", "CompleteMultipartUpload", "PutObject"),
    ("s3", "CopyObject", "PutObject"),
    ("s3", "CreateMultipartUpload", "PutObject"),
    ("s3", "DeleteBucketCors", "PutBucketCORS"),
    ("s3", "DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("s3", "DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("s3", "DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
    ("s3", "DeleteBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("s3", "DeleteBucketReplication", "PutReplicationConfiguration"),
    ("s3", "DeleteBucketTagging", "PutBucketTagging"),
    ("s3", "DeleteObjects", "DeleteObject"),
    ("s3", "DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("s3", "GetBucketAccelerate", "GetAccelerateConfiguration"),
    ("s3", "GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    ("s3", "GetBucketAnalyticsConfiguration", "GetAnalyticsConfiguration"),
    ("s3", "GetBucketCors", "GetBucketCORS"),
    ("s3", "GetBucketEncryption", "GetEncryptionConfiguration"),
    ("s3", "GetBucketInventoryConfiguration", "GetInventoryConfiguration"),
    ("s3", "GetBucketLifecycle", "GetLifecycleConfiguration"),
    ("s3", "GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("s3", "GetBucketMetricsConfiguration", "GetMetricsConfiguration"),
    ("s3", "GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("s3", "GetBucketReplication", "GetReplicationConfiguration"),
    ("s3", "GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    ("s3", "GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("s3", "HeadBucket", "ListBucket"),
    ("s3", "HeadObject", "GetObject"),
    ("s3", "InitiateMultipartUpload", "PutObject"),
    ("s3", "ListBuckets", "ListAllMyBuckets"),
    ("s3", "ListMultipartUploads", "ListBucketMultipartUploads"),
    ("s3", "ListObjectVersions", "ListBucketVersions"),
    ("s3", "ListObjects", "ListBucket"),
    ("s3", "ListObjectsV2", "ListBucket"),
    ("s3", "ListParts", "ListMultipartUploadParts"),
    ("s3", "PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
    ("s3", "PutBucketCors", "PutBucketCORS"),
    ("s3", "PutBucketEncryption", "PutEncryptionConfiguration"),
    ("s3", "PutBucketLifecycle", "PutLifecycleConfiguration"),
    ("s3", "PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("s3", "PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("s3", "PutBucketReplication", "PutReplicationConfiguration"),
    ("s3", "PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    ("s3", "PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("s3", "SelectObjectContent", "GetObject"),
    ("s3", "UploadPart", "PutObject"),
    ("s3", "UploadPartCopy", "PutObject"),
];

/// The names under which an operation may be an action, the likeliest first.
fn names<'a>(service: &str, event: &'a str) -> Vec<Cow<'a, str>> {
    let other = NAMES.iter().find(|(own, name, _)| *own == service && *name == event);
    if let Some((_, _, action)) = other {
        return vec![Cow::Borrowed(*action)];
    }
    let plain = unversioned(event);
    let mut names = vec![Cow::Borrowed(event)];
    if plain.len() < event.len() {
        names.push(Cow::Borrowed(plain));
        names.extend(
            NAMES
                .iter()
                .filter(|(own, name, _)| *own == service && *name == plain)
                .map(|(_, _, action)| Cow::Borrowed(*action)),
        );
    }
    // API Gateway's actions are the verbs of HTTP.
    if service == "apigateway" {
        names.extend(verb(plain).map(Cow::Borrowed));
    }
    names
}

fn verb(event: &str) -> Option<&'static str> {
    const VERBS: [(&str, &str); 9] = [
        ("Get", "GET"),
        ("List", "GET"),
        ("Create", "POST"),
        ("Import", "POST"),
        ("Generate", "POST"),
        ("Update", "PATCH"),
        ("Delete", "DELETE"),
        ("Put", "PUT"),
        ("TagResource", "PUT"),
    ];
    VERBS.iter().find(|(start, _)| event.starts_with(start)).map(|(_, verb)| *verb)
}

/// A name without the version that some services write behind it: `ListFunctions20150331`,
/// `UpdateFunctionCode20150331v2`, `CreateDistribution2020_05_31`.
fn unversioned(event: &str) -> &str {
    let name = match event.rsplit_once('v') {
        Some((name, version)) if matches!(version.as_bytes(), [b'0'..=b'9']) => name,
        _ => event,
    };
    let date = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let digits = name.len() - date.len();
    if digits == 8 || digits == 10 { date } else { event }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_as_actions() {
        for (source, event, expected, known) in [
            ("iam.amazonaws.com", "CreateUser", "iam:CreateUser", true),
            ("monitoring.amazonaws.com", "PutMetricAlarm", "cloudwatch:PutMetricAlarm", true),
            ("s3.amazonaws.com", "ListObjects", "s3:ListBucket", true),
            ("s3.amazonaws.com", "HeadObject", "s3:GetObject", true),
            ("s3.amazonaws.com", "GetObject", "s3:GetObject", true),
            ("s3.amazonaws.com", "ListBuckets", "s3:ListAllMyBuckets", true),
            ("lambda.amazonaws.com", "ListFunctions20150331", "lambda:ListFunctions", true),
            (
                "lambda.amazonaws.com",
                "UpdateFunctionCode20150331v2",
                "lambda:UpdateFunctionCode",
                true,
            ),
            ("lambda.amazonaws.com", "Invoke", "lambda:InvokeFunction", true),
            (
                "cloudfront.amazonaws.com",
                "CreateDistribution2020_05_31",
                "cloudfront:CreateDistribution",
                true,
            ),
            ("email.amazonaws.com", "SendEmail", "ses:SendEmail", true),
            ("tagging.amazonaws.com", "GetResources", "tag:GetResources", true),
            ("apigateway.amazonaws.com", "CreateRestApi", "apigateway:POST", true),
            ("ec2.amazonaws.com.cn", "RunInstances", "ec2:RunInstances", true),
            ("signin.amazonaws.com", "ConsoleLogin", "signin:ConsoleLogin", false),
            ("new.amazonaws.com", "DoThis20", "new:DoThis20", false),
        ] {
            let action = Action::of(source, event, Catalog::embedded());
            assert_eq!(format!("{}:{}", action.service, action.name), expected, "{source} {event}");
            assert_eq!(action.known, known, "{source} {event}");
        }
    }

    // The tables name nothing that the catalog lacks.
    #[test]
    fn tables_name_what_there_is() {
        for (service, event, action) in NAMES {
            assert!(Catalog::embedded().action(service, action).is_some(), "{service} {event}");
        }
        for (host, prefix) in PREFIXES {
            assert!(Catalog::embedded().service(prefix).is_some(), "{host} {prefix}");
        }
    }
}
