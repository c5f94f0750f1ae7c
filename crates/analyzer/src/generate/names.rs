//! From the name of an event to the actions that it stands for.
//!
//! Most events bear the name of their action. What does not is listed here. Source: service
//! authorization reference, and for S3 the page on its operations and permissions.

use bailiwick_catalog::{Action, Catalog, Service};

use super::params::Params;

/// Hosts of services whose actions begin otherwise.
const HOSTS: &[(&str, &str)] = &[
    ("agreement-marketplace", "aws-marketplace"),
    ("appstream2", "appstream"),
    ("bedrock-agent", "bedrock"),
    ("bedrock-agent-runtime", "bedrock"),
    ("bedrock-runtime", "bedrock"),
    ("catalog.marketplace", "aws-marketplace"),
    ("cloudcontrolapi", "cloudformation"),
    ("cloudhsmv2", "cloudhsm"),
    ("contact-lens", "connect"),
    ("data-ats.iot", "iot"),
    ("email", "ses"),
    ("entitlement.marketplace", "aws-marketplace"),
    ("forecastquery", "forecast"),
    ("iotdata", "iot"),
    ("ivsrealtime", "ivs"),
    ("mail-manager", "ses"),
    ("memory-db", "memorydb"),
    ("metering.marketplace", "aws-marketplace"),
    ("models-v2-lex", "lex"),
    ("monitoring", "cloudwatch"),
    ("opensearch", "es"),
    ("personalize-events", "personalize"),
    ("personalize-runtime", "personalize"),
    ("pinpoint", "mobiletargeting"),
    ("runtime-v2-lex", "lex"),
    ("s3-control", "s3"),
    ("servicecatalog-appregistry", "servicecatalog"),
    ("tagging", "tag"),
];

/// Events that need other actions than their name says.
const NAMES: &[(&str, &str, &[&str])] = &[
    ("bedrock", "Converse", &["InvokeModel"]),
    ("bedrock", "ConverseStream", &["InvokeModelWithResponseStream"]),
    ("bedrock", "StartAsyncInvoke", &["InvokeModel"]),
    ("budgets", "CreateBudget", &["ModifyBudget"]),
    ("budgets", "DeleteBudget", &["ModifyBudget"]),
    ("budgets", "DescribeBudget", &["ViewBudget"]),
    ("budgets", "DescribeBudgets", &["ViewBudget"]),
    ("budgets", "UpdateBudget", &["ModifyBudget"]),
    ("cloudfront", "CreateDistributionWithTags", &["CreateDistribution", "TagResource"]),
    ("kms", "ReEncrypt", &["ReEncryptFrom", "ReEncryptTo"]),
    ("lambda", "GetLayerVersionByArn", &["GetLayerVersion"]),
    ("lambda", "Invoke", &["InvokeFunction"]),
    ("lambda", "InvokeWithResponseStream", &["InvokeFunction"]),
    ("s3", "CompleteMultipartUpload", &["PutObject"]),
    ("s3", "CopyObject", &["PutObject"]),
    ("s3", "CreateMultipartUpload", &["PutObject"]),
    ("s3", "DeleteBucketAnalyticsConfiguration", &["PutAnalyticsConfiguration"]),
    ("s3", "DeleteBucketCors", &["PutBucketCORS"]),
    ("s3", "DeleteBucketEncryption", &["PutEncryptionConfiguration"]),
    ("s3", "DeleteBucketIntelligentTieringConfiguration", &["PutIntelligentTieringConfiguration"]),
    ("s3", "DeleteBucketInventoryConfiguration", &["PutInventoryConfiguration"]),
    ("s3", "DeleteBucketLifecycle", &["PutLifecycleConfiguration"]),
    ("s3", "DeleteBucketLifecycleConfiguration", &["PutLifecycleConfiguration"]),
    ("s3", "DeleteBucketMetricsConfiguration", &["PutMetricsConfiguration"]),
    ("s3", "DeleteBucketOwnershipControls", &["PutBucketOwnershipControls"]),
    ("s3", "DeleteBucketPublicAccessBlock", &["PutBucketPublicAccessBlock"]),
    ("s3", "DeleteBucketReplication", &["PutReplicationConfiguration"]),
    ("s3", "DeleteBucketTagging", &["PutBucketTagging"]),
    ("s3", "DeleteObjects", &["DeleteObject"]),
    ("s3", "DeletePublicAccessBlock", &["PutBucketPublicAccessBlock"]),
    ("s3", "GetBucketAccelerateConfiguration", &["GetAccelerateConfiguration"]),
    ("s3", "GetBucketAnalyticsConfiguration", &["GetAnalyticsConfiguration"]),
    ("s3", "GetBucketEncryption", &["GetEncryptionConfiguration"]),
    ("s3", "GetBucketIntelligentTieringConfiguration", &["GetIntelligentTieringConfiguration"]),
    ("s3", "GetBucketInventoryConfiguration", &["GetInventoryConfiguration"]),
    ("s3", "GetBucketLifecycle", &["GetLifecycleConfiguration"]),
    ("s3", "GetBucketLifecycleConfiguration", &["GetLifecycleConfiguration"]),
    ("s3", "GetBucketMetricsConfiguration", &["GetMetricsConfiguration"]),
    ("s3", "GetBucketNotificationConfiguration", &["GetBucketNotification"]),
    ("s3", "GetBucketReplication", &["GetReplicationConfiguration"]),
    ("s3", "GetObjectLockConfiguration", &["GetBucketObjectLockConfiguration"]),
    ("s3", "GetPublicAccessBlock", &["GetBucketPublicAccessBlock"]),
    ("s3", "HeadBucket", &["ListBucket"]),
    ("s3", "HeadObject", &["GetObject"]),
    ("s3", "ListBucketAnalyticsConfigurations", &["GetAnalyticsConfiguration"]),
    ("s3", "ListBucketIntelligentTieringConfigurations", &["GetIntelligentTieringConfiguration"]),
    ("s3", "ListBucketInventoryConfigurations", &["GetInventoryConfiguration"]),
    ("s3", "ListBucketMetricsConfigurations", &["GetMetricsConfiguration"]),
    ("s3", "ListBuckets", &["ListAllMyBuckets"]),
    ("s3", "ListMultipartUploads", &["ListBucketMultipartUploads"]),
    ("s3", "ListObjectVersions", &["ListBucketVersions"]),
    ("s3", "ListObjects", &["ListBucket"]),
    ("s3", "ListObjectsV2", &["ListBucket"]),
    ("s3", "ListParts", &["ListMultipartUploadParts"]),
    ("s3", "PutBucketAccelerateConfiguration", &["PutAccelerateConfiguration"]),
    ("s3", "PutBucketAnalyticsConfiguration", &["PutAnalyticsConfiguration"]),
    ("s3", "PutBucketEncryption", &["PutEncryptionConfiguration"]),
    ("s3", "PutBucketIntelligentTieringConfiguration", &["PutIntelligentTieringConfiguration"]),
    ("s3", "PutBucketInventoryConfiguration", &["PutInventoryConfiguration"]),
    ("s3", "PutBucketLifecycle", &["PutLifecycleConfiguration"]),
    ("s3", "PutBucketLifecycleConfiguration", &["PutLifecycleConfiguration"]),
    ("s3", "PutBucketMetricsConfiguration", &["PutMetricsConfiguration"]),
    ("s3", "PutBucketNotificationConfiguration", &["PutBucketNotification"]),
    ("s3", "PutBucketReplication", &["PutReplicationConfiguration"]),
    ("s3", "PutObjectLockConfiguration", &["PutBucketObjectLockConfiguration"]),
    ("s3", "PutPublicAccessBlock", &["PutBucketPublicAccessBlock"]),
    ("s3", "SelectObjectContent", &["GetObject"]),
    ("s3", "UploadPart", &["PutObject"]),
    ("s3", "UploadPartCopy", &["PutObject"]),
    ("sns", "PublishBatch", &["Publish"]),
    ("sqs", "ChangeMessageVisibilityBatch", &["ChangeMessageVisibility"]),
    ("sqs", "DeleteMessageBatch", &["DeleteMessage"]),
    ("sqs", "SendMessageBatch", &["SendMessage"]),
    ("timestream", "Query", &["Select"]),
];

/// Actions that have a twin for a version of an object.
const VERSIONED: &[(&str, &str)] = &[
    ("DeleteObject", "DeleteObjectVersion"),
    ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
    ("GetObject", "GetObjectVersion"),
    ("GetObjectAcl", "GetObjectVersionAcl"),
    ("GetObjectAttributes", "GetObjectVersionAttributes"),
    ("GetObjectTagging", "GetObjectVersionTagging"),
    ("PutObjectAcl", "PutObjectVersionAcl"),
    ("PutObjectTagging", "PutObjectVersionTagging"),
];

/// What the parts of a transaction need.
const PARTS: &[(&str, &str)] = &[
    ("conditioncheck", "ConditionCheckItem"),
    ("delete", "DeleteItem"),
    ("get", "GetItem"),
    ("put", "PutItem"),
    ("update", "UpdateItem"),
];

/// What the first word of a PartiQL statement needs.
const PARTIQL: &[(&str, &str)] = &[
    ("delete", "PartiQLDelete"),
    ("insert", "PartiQLInsert"),
    ("select", "PartiQLSelect"),
    ("update", "PartiQLUpdate"),
];

/// The methods and paths of API Gateway's operations, from its API description.
const GATEWAY: &str = include_str!("gateway.tsv");

/// An action that an event stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meant<'c> {
    pub(super) service: &'c Service,
    pub(super) action: &'c Action,
    /// The path of the resource, with members in braces, where it is one.
    pub(super) path: Option<&'static str>,
    /// Whether it is about the source of a copy.
    pub(super) source: bool,
}

/// The service of an event source.
pub(super) fn service<'c>(catalog: &'c Catalog, source: &str) -> Option<&'c Service> {
    let host = source.trim_end_matches(".cn").trim_end_matches(".amazonaws.com");
    let renamed = HOSTS.iter().find(|(given, _)| *given == host).map(|(_, prefix)| *prefix);
    let labels = [host.rsplit('.').next(), host.split('.').next()];
    renamed
        .into_iter()
        .chain([host])
        .chain(labels.into_iter().flatten())
        .find_map(|prefix| catalog.service(prefix))
}

/// The actions of an event; none if the catalog has no such action.
pub(super) fn actions<'c>(
    catalog: &'c Catalog,
    source: &str,
    name: &str,
    params: &Params<'_>,
) -> Vec<Meant<'c>> {
    let Some(service) = service(catalog, source) else { return Vec::new() };
    let prefix = service.prefix();
    let by_name = |name: &str| service.action(name).map(|action| plain(service, action));
    if prefix == "apigateway"
        && let Some(meant) = gateway(service, name, params)
    {
        return vec![meant];
    }
    if prefix == "dynamodb" && name.starts_with("Transact") {
        let parts = PARTS.iter().filter(|(part, _)| params.mentions(part));
        return parts.filter_map(|(_, action)| by_name(action)).collect();
    }
    if prefix == "dynamodb" && name.contains("ExecuteStatement") || name == "ExecuteTransaction" {
        let texts = params.named("statement");
        let first = |text: &&str| text.split_whitespace().next().map(str::to_ascii_lowercase);
        let words: Vec<String> = texts.iter().filter_map(first).collect();
        let meant = PARTIQL.iter().filter(|(word, _)| words.iter().any(|one| one == word));
        return meant.filter_map(|(_, action)| by_name(action)).collect();
    }
    let listed =
        NAMES.iter().find(|(of, event, _)| *of == prefix && event.eq_ignore_ascii_case(name));
    let mut found: Vec<Meant<'c>> = match listed {
        Some((_, _, actions)) => actions.iter().filter_map(|name| by_name(name)).collect(),
        None => by_name(name).or_else(|| by_name(undated(name))).into_iter().collect(),
    };
    if found.is_empty() {
        // Such as `Invoke20150331`.
        let name = undated(name);
        let listed = NAMES.iter().find(|(of, event, _)| *of == prefix && *event == name);
        let actions = listed.map_or(&[][..], |(_, _, actions)| actions);
        found = actions.iter().filter_map(|name| by_name(name)).collect();
    }
    if prefix == "s3" {
        more_of_s3(service, name, params, &mut found);
    }
    found
}

fn plain<'c>(service: &'c Service, action: &'c Action) -> Meant<'c> {
    Meant { service, action, path: None, source: false }
}

/// What S3 asks beside: versions, the source of a copy, and what comes in headers.
fn more_of_s3<'c>(
    service: &'c Service,
    name: &str,
    params: &Params<'_>,
    found: &mut Vec<Meant<'c>>,
) {
    let versioned = params.has("versionid");
    for meant in found.iter_mut() {
        let twin = VERSIONED.iter().find(|(name, _)| versioned && *name == &*meant.action.name);
        if let Some(action) = twin.and_then(|(_, twin)| service.action(twin)) {
            meant.action = action;
        }
    }
    if matches!(name, "CopyObject" | "UploadPartCopy")
        && let Some(action) = service.action("GetObject")
    {
        found.push(Meant { service, action, path: None, source: true });
    }
    for (header, action) in [("xamzacl", "PutObjectAcl"), ("xamztagging", "PutObjectTagging")] {
        let writes = matches!(name, "PutObject" | "CopyObject" | "CreateMultipartUpload");
        if writes && params.has(header) {
            found.extend(service.action(action).map(|action| plain(service, action)));
        }
    }
}

/// A method of API Gateway and the path for which it is asked.
fn gateway<'c>(service: &'c Service, name: &str, params: &Params<'_>) -> Option<Meant<'c>> {
    let line = GATEWAY.lines().find(|line| line.split('\t').next() == Some(name))?;
    let ways: Vec<(&str, &str)> =
        line.split('\t').skip(1).filter_map(|way| way.split_once(' ')).collect();
    let known = |path: &str| {
        let members = path.split('{').skip(1).filter_map(|part| part.split('}').next());
        members.filter(|member| params.has(&super::params::plain(member))).count()
    };
    // Both generations of the service have some names: the one whose members are there.
    let (method, path) = ways.iter().copied().rev().max_by_key(|(_, path)| known(path))?;
    let action = service.action(method)?;
    Some(Meant { service, action, path: Some(path), source: false })
}

/// A name without the version of the API: `CreateFunction20150331`, `AddPermission20150331v2`,
/// `CreateDistribution2020_05_31`.
fn undated(name: &str) -> &str {
    let bare = name.strip_suffix("v2").unwrap_or(name);
    let short = bare.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let date = bare.get(short.len()..).unwrap_or_default();
    if date.chars().filter(char::is_ascii_digit).count() == 8 { short } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn mapped(source: &str, name: &str, params: &Value) -> Vec<String> {
        let params = Params::of(params);
        let meant = actions(Catalog::embedded(), source, name, &params);
        meant
            .iter()
            .map(|one| {
                let path = one.path.map(|path| format!(" {path}")).unwrap_or_default();
                format!("{}:{}{path}", one.service.prefix(), one.action.name)
            })
            .collect()
    }

    #[test]
    fn events_and_their_actions() {
        let none = json!({});
        for (source, name, params, expected) in [
            ("iam.amazonaws.com", "CreateUser", &none, &["iam:CreateUser"][..]),
            ("s3.amazonaws.com", "ListObjectsV2", &none, &["s3:ListBucket"]),
            ("s3.amazonaws.com", "HeadBucket", &none, &["s3:ListBucket"]),
            ("s3.amazonaws.com", "HeadObject", &none, &["s3:GetObject"]),
            ("s3.amazonaws.com", "GetObject", &json!({"versionId": "1"}), &["s3:GetObjectVersion"]),
            ("s3.amazonaws.com", "CopyObject", &none, &["s3:PutObject", "s3:GetObject"]),
            ("s3.amazonaws.com", "DeleteObjects", &none, &["s3:DeleteObject"]),
            ("s3.amazonaws.com", "CompleteMultipartUpload", &none, &["s3:PutObject"]),
            (
                "s3.amazonaws.com",
                "PutObject",
                &json!({"x-amz-acl": "private"}),
                &["s3:PutObject", "s3:PutObjectAcl"],
            ),
            ("lambda.amazonaws.com", "CreateFunction20150331", &none, &["lambda:CreateFunction"]),
            ("lambda.amazonaws.com", "AddPermission20150331v2", &none, &["lambda:AddPermission"]),
            ("lambda.amazonaws.com", "Invoke", &none, &["lambda:InvokeFunction"]),
            (
                "cloudfront.amazonaws.com",
                "CreateDistribution2020_05_31",
                &none,
                &["cloudfront:CreateDistribution"],
            ),
            ("monitoring.amazonaws.com", "PutMetricAlarm", &none, &["cloudwatch:PutMetricAlarm"]),
            ("email.amazonaws.com", "SendEmail", &none, &["ses:SendEmail"]),
            ("api.ecr.amazonaws.com", "PutImage", &none, &["ecr:PutImage"]),
            ("ec2.amazonaws.com.cn", "RunInstances", &none, &["ec2:RunInstances"]),
            ("kms.amazonaws.com", "ReEncrypt", &none, &["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
            (
                "dynamodb.amazonaws.com",
                "TransactWriteItems",
                &json!({"transactItems": [{"put": {"tableName": "t"}}]}),
                &["dynamodb:PutItem"],
            ),
            (
                "dynamodb.amazonaws.com",
                "ExecuteStatement",
                &json!({"statement": "SELECT * FROM t"}),
                &["dynamodb:PartiQLSelect"],
            ),
            ("apigateway.amazonaws.com", "CreateRestApi", &none, &["apigateway:POST /restapis"]),
            (
                "apigateway.amazonaws.com",
                "CreateStage",
                &json!({"apiId": "x"}),
                &["apigateway:POST /apis/{apiId}/stages"],
            ),
            (
                "apigateway.amazonaws.com",
                "CreateStage",
                &json!({"restApiId": "x"}),
                &["apigateway:POST /restapis/{restApiId}/stages"],
            ),
            ("iam.amazonaws.com", "DoSomethingElse", &none, &[]),
            ("nobody.example", "CreateUser", &none, &[]),
        ] {
            assert_eq!(mapped(source, name, params), expected, "{source} {name}");
        }
    }

    // A name that the catalog does not have would drop the call without a word.
    #[test]
    fn tables_name_what_the_catalog_has() {
        let catalog = Catalog::embedded();
        for (host, prefix) in HOSTS {
            assert!(catalog.service(prefix).is_some(), "{host} {prefix}");
        }
        for (prefix, event, actions) in NAMES {
            for action in *actions {
                assert!(catalog.action(prefix, action).is_some(), "{prefix} {event} {action}");
            }
        }
        let twins = VERSIONED.iter().flat_map(|(one, other)| [("s3", *one), ("s3", *other)]);
        let parts = PARTS.iter().chain(PARTIQL).map(|(_, action)| ("dynamodb", *action));
        for (prefix, action) in twins.chain(parts) {
            assert!(catalog.action(prefix, action).is_some(), "{prefix} {action}");
        }
        for line in GATEWAY.lines() {
            for way in line.split('\t').skip(1) {
                let method = way.split(' ').next().unwrap();
                assert!(catalog.action("apigateway", method).is_some(), "{line}");
            }
        }
    }
}
