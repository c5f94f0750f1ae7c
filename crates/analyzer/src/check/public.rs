//! CheckNoPublicAccess: does a resource policy let in somebody whom it does not know?
//!
//! # What is public
//! AWS documents the meaning for the services that block public access themselves, S3 and DynamoDB
//! in most detail. What is followed here, for all types of resources:
//! - A policy that names its principals, without `*`, is not public, nor is a service principal or
//!   an identity provider that is named.
//! - A statement for everybody is public unless it, or a Deny, binds the request to *fixed* values
//!   of a key that tells who or where from: [`TRUSTED`]. A fixed value has neither a wildcard nor a
//!   variable.
//! - Ranges of `aws:SourceIp` are fixed up to /8 for IPv4 and /32 for IPv6; wider ones are public.
//! - `s3:DataAccessPointArn` may have wildcards after its account. Modelled: paths of organizations
//!   may end in a wildcard, because they begin with the organization.
//! - `aws:PrincipalIsAWSService` binds policies of DynamoDB, and
//!   `elasticfilesystem:AccessedViaMountTarget` those of file systems.
//!
//! So the question is exact: a policy is public if it allows a request of the type's service that
//! comes from a caller it does not name and has none of the fixed values that it knows.
//!
//! Left out, as in AWS's check: ACLs, settings that block public access, and whether a named
//! provider of identities lets everybody in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use bailiwick_policy::{Document, DocumentKind, Effect, PrincipalType, Statement};
use bailiwick_symbolic::{Answer, Asker};
use serde_json::{Value, json};

use super::parts::Parts;
use super::{CheckFault, Checked, Words, conclude, read};

/// The types of resources whose policies can be checked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub enum PublicResource {
    DynamoDbTable,
    DynamoDbStream,
    EfsFileSystem,
    OpenSearchDomain,
    KinesisStream,
    KinesisStreamConsumer,
    KmsKey,
    LambdaFunction,
    S3Bucket,
    S3AccessPoint,
    S3ExpressDirectoryBucket,
    S3Glacier,
    S3OutpostsBucket,
    S3OutpostsAccessPoint,
    SecretsManagerSecret,
    SnsTopic,
    SqsQueue,
    AssumeRolePolicyDocument,
    S3TablesTableBucket,
    ApiGatewayRestApi,
    CodeArtifactDomain,
    BackupVault,
    CloudTrailDashboard,
    CloudTrailEventDataStore,
    S3TablesTable,
    S3ExpressAccessPoint,
}

use PublicResource as P;

/// Types, their names in the API, and the prefixes of the actions that their policies grant.
const TYPES: [(PublicResource, &str, &[&str]); 26] = [
    (P::DynamoDbTable, "AWS::DynamoDB::Table", &["dynamodb"]),
    (P::DynamoDbStream, "AWS::DynamoDB::Stream", &["dynamodb"]),
    (P::EfsFileSystem, "AWS::EFS::FileSystem", &["elasticfilesystem"]),
    (P::OpenSearchDomain, "AWS::OpenSearchService::Domain", &["es"]),
    (P::KinesisStream, "AWS::Kinesis::Stream", &["kinesis"]),
    (P::KinesisStreamConsumer, "AWS::Kinesis::StreamConsumer", &["kinesis"]),
    (P::KmsKey, "AWS::KMS::Key", &["kms"]),
    (P::LambdaFunction, "AWS::Lambda::Function", &["lambda"]),
    (P::S3Bucket, "AWS::S3::Bucket", &["s3"]),
    (P::S3AccessPoint, "AWS::S3::AccessPoint", &["s3"]),
    (P::S3ExpressDirectoryBucket, "AWS::S3Express::DirectoryBucket", &["s3express"]),
    (P::S3Glacier, "AWS::S3::Glacier", &["glacier"]),
    (P::S3OutpostsBucket, "AWS::S3Outposts::Bucket", &["s3-outposts"]),
    (P::S3OutpostsAccessPoint, "AWS::S3Outposts::AccessPoint", &["s3-outposts"]),
    (P::SecretsManagerSecret, "AWS::SecretsManager::Secret", &["secretsmanager"]),
    (P::SnsTopic, "AWS::SNS::Topic", &["sns"]),
    (P::SqsQueue, "AWS::SQS::Queue", &["sqs"]),
    (P::AssumeRolePolicyDocument, "AWS::IAM::AssumeRolePolicyDocument", &["sts"]),
    (P::S3TablesTableBucket, "AWS::S3Tables::TableBucket", &["s3tables"]),
    (P::ApiGatewayRestApi, "AWS::ApiGateway::RestApi", &["execute-api", "apigateway"]),
    (P::CodeArtifactDomain, "AWS::CodeArtifact::Domain", &["codeartifact", "sts"]),
    (P::BackupVault, "AWS::Backup::BackupVault", &["backup", "backup-storage"]),
    (P::CloudTrailDashboard, "AWS::CloudTrail::Dashboard", &["cloudtrail"]),
    (P::CloudTrailEventDataStore, "AWS::CloudTrail::EventDataStore", &["cloudtrail"]),
    (P::S3TablesTable, "AWS::S3Tables::Table", &["s3tables"]),
    (P::S3ExpressAccessPoint, "AWS::S3Express::AccessPoint", &["s3express"]),
];

impl PublicResource {
    /// All types.
    pub fn all() -> impl Iterator<Item = Self> {
        TYPES.iter().map(|(kind, ..)| *kind)
    }

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        TYPES.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// The type with this name in the API.
    pub fn parse(text: &str) -> Option<Self> {
        TYPES.iter().find(|(_, name, _)| *name == text).map(|(kind, ..)| *kind)
    }

    fn prefixes(self) -> &'static [&'static str] {
        TYPES.iter().find(|(kind, ..)| *kind == self).map_or(&[], |(.., prefixes)| prefixes)
    }
}

/// Keys whose fixed values tell who is let in, or where from.
const TRUSTED: &[&str] = &[
    "aws:ec2instancesourcevpc",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:userid",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// Checks that a resource policy lets in nobody whom it does not know.
///
/// # Errors
/// The text is no policy.
pub fn no_public_access(
    policy: &str,
    resource_type: PublicResource,
) -> Result<Checked, CheckFault> {
    let kind = match resource_type {
        PublicResource::AssumeRolePolicyDocument => DocumentKind::Trust,
        _ => DocumentKind::Resource,
    };
    let policy = read(policy, kind, "policyDocument")?;
    let scope = everything(resource_type, kind)?;
    let scope = std::slice::from_ref(&scope);
    let known = known(&policy, resource_type);
    let ask = |asker: &Asker, part: &Document| match strangers(part, &known) {
        Some(strangers) => asker.disjoint(std::slice::from_ref(&strangers), scope),
        None => Answer::Holds,
    };
    Ok(conclude(
        &ask,
        &policy,
        &Words {
            pass: "The resource policy does not grant public access for the given resource type.",
            fail: "The resource policy grants public access for the given resource type.",
            reason: "Public access granted in the following statement",
        },
    ))
}

/// A policy that allows everybody everything that policies of the type are about.
fn everything(resource_type: PublicResource, kind: DocumentKind) -> Result<Document, CheckFault> {
    let actions: Vec<String> =
        resource_type.prefixes().iter().map(|prefix| format!("{prefix}:*")).collect();
    let statement = json!({"Effect": "Allow", "Principal": "*", "Action": actions});
    let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    read(&text, kind, "resourceType")
}

/// What is left of a policy for those whom it does not know: statements that are not for named
/// principals only, all that deny, and a refusal of all that is known. Nothing if none is left.
fn strangers(policy: &Document, known: &[String]) -> Option<Document> {
    let parts = Parts::of(policy);
    let open: Vec<usize> = parts.allows().into_iter().filter(|at| is_open(&parts, *at)).collect();
    if open.is_empty() {
        return None;
    }
    parts.with(|at, effect| effect == Effect::Deny || open.contains(&at), known)
}

/// Whether a statement is for more than named principals.
fn is_open(parts: &Parts<'_>, at: usize) -> bool {
    let Some(one) = parts.with(|place, _| place == at, &[]) else { return true };
    let negated = one.statements().iter().any(Statement::is_not_principal);
    negated || one.principals().any(|entry| entry.text.contains(['*', '?']))
}

/// Statements that refuse whoever is known: principals that a Deny leaves out, and requests with a
/// fixed value.
fn known(policy: &Document, resource_type: PublicResource) -> Vec<String> {
    let mut conditions: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for condition in policy.statements().iter().flat_map(Statement::conditions) {
        let key = condition.key.to_ascii_lowercase();
        let Some(operator) = operator(&key, resource_type) else { continue };
        let values = condition.values.iter().filter(|value| is_fixed(&key, value));
        conditions
            .entry((operator, key.clone()))
            .or_default()
            .extend(values.map(ToString::to_string));
    }
    let refuse = |principal: Value, condition: Value| {
        let refusal = json!({
            "Effect": "Deny", "Principal": principal, "Action": "*", "Condition": condition,
        });
        refusal.to_string()
    };
    let mut out: Vec<String> = conditions
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|((operator, key), values)| refuse(json!("*"), json!({operator: {key: values}})))
        .collect();
    let mut named: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let parts = Parts::of(policy);
    for (at, statement) in policy.statements().iter().enumerate() {
        if statement.effect() == Effect::Allow || !statement.is_not_principal() {
            continue;
        }
        let Some(one) = parts.with(|place, _| place == at, &[]) else { continue };
        for entry in one.principals().filter(|entry| !entry.text.contains(['*', '?'])) {
            if let Some(kind) = type_name(entry.kind) {
                named.entry(kind).or_default().insert(entry.text.to_owned());
            }
        }
    }
    out.extend(named.into_iter().map(|(kind, names)| refuse(json!({kind: names}), json!({}))));
    out
}

fn type_name(kind: PrincipalType) -> Option<&'static str> {
    Some(match kind {
        PrincipalType::Aws => "AWS",
        PrincipalType::Service => "Service",
        PrincipalType::Federated => "Federated",
        PrincipalType::CanonicalUser => "CanonicalUser",
        PrincipalType::Bare => return None,
    })
}

/// How a key's fixed values are recognised; nothing if they tell nothing.
fn operator(key: &str, resource_type: PublicResource) -> Option<&'static str> {
    let of_service = |prefix| resource_type.prefixes().contains(&prefix);
    Some(match key {
        "aws:sourceip" => "IpAddress",
        "aws:principalorgpaths"
        | "aws:sourceorgpaths"
        | "aws:vpceorgpaths"
        | "aws:principalservicenameslist" => "ForAnyValue:StringLike",
        "aws:principalisawsservice" if of_service("dynamodb") => "Bool",
        "elasticfilesystem:accessedviamounttarget" if of_service("elasticfilesystem") => "Bool",
        "s3:dataaccesspointarn" => "StringLike",
        _ if TRUSTED.contains(&key) => "StringEquals",
        _ => return None,
    })
}

fn is_fixed(key: &str, value: &str) -> bool {
    let wild = |text: &str| text.is_empty() || text.contains(['*', '?', '$']);
    match key {
        "aws:sourceip" => is_narrow(value),
        "aws:principalisawsservice" | "elasticfilesystem:accessedviamounttarget" => {
            value.eq_ignore_ascii_case("true")
        }
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => {
            value.split_once('/').is_some_and(|(org, _)| org.starts_with("o-") && !wild(org))
        }
        "s3:dataaccesspointarn" => value.split(':').nth(4).is_some_and(|owner| !wild(owner)),
        _ => !wild(value),
    }
}

/// Whether a range of addresses is narrow enough: /8 and /32, as documented.
fn is_narrow(range: &str) -> bool {
    let (address, bits) = match range.split_once('/') {
        Some((address, bits)) => (address, bits.parse::<u8>().ok()),
        None => (range, Some(u8::MAX)),
    };
    match (address.parse::<IpAddr>(), bits) {
        (Ok(IpAddr::V4(_)), Some(bits)) => bits >= 8,
        (Ok(IpAddr::V6(long)), Some(bits)) if long.to_ipv4_mapped().is_some() => bits >= 104,
        (Ok(IpAddr::V6(_)), Some(bits)) => bits >= 32,
        _ => false,
    }
}
