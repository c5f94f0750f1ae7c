//! Facts beside the rules: multivalued context keys, and the services that take RCPs.

/// Keys declared with several values, one a line: the global ones, and those of services that the
/// service authorization reference calls `ArrayOf...` (2026). `<issuer>:amr` is another.
const MULTIVALUED: &str = include_str!("multivalued.txt");

/// KEY-8, CO-9: declared so, or sent with two or more values. The rule says it of undeclared keys;
/// two values of a key declared with one are no better.
pub(super) fn is_multivalued(key: &str, sent: usize) -> bool {
    let key = key.to_ascii_lowercase();
    let named = |line: &str| match line.split_once("${") {
        Some((head, _)) => key.len() > head.len() && key.starts_with(head),
        None => line == key,
    };
    sent > 1 || key.ends_with(":amr") || MULTIVALUED.lines().any(named)
}

/// RCP-4: the prefixes of actions on which resource control policies have a say (2026).
const WITH_RCPS: &str = "
    aoss appconfig appstream autoscaling autoscaling-plans budgets clouddirectory cloudfront
    cloudsearch cloudtrail-data codeartifact codebuild codecommit codepipeline cognito-identity
    cognito-idp comprehend comprehendmedical compute-optimizer cost-optimization-hub dax dsql
    dynamodb ecr ecr-public events firehose fis fms gamelift health inspector-scan kendra
    kinesisvideo kms logs memorydb networkmonitor notifications opensearch pca-connector-ad
    personalize polly pricing resource-groups rolesanywhere s3 secretsmanager servicediscovery
    signin sqs sts support swf textract timestream-influxdb transcribe transfer translate wafv2
    workspaces xray";

/// Whether the service of a lower-case action prefix supports resource control policies.
pub(super) fn supports_rcps(prefix: &str) -> bool {
    WITH_RCPS.split_whitespace().any(|service| service == prefix)
}
