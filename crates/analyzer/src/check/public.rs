//! CheckNoPublicAccess: does a resource policy let in somebody whom it does not know?
//!
//! # What is public
//! AWS documents the meaning for the services that block public access themselves, S3 and DynamoDB
//! in most detail. `Asker::letting_public` follows it, for all types of resources:
//! - A policy that names its principals, without `*`, is not public, nor is a service principal or
//!   an identity provider that is named.
//! - A statement for everybody is public unless it, or a Deny, binds the request to *fixed* values
//!   of a key that tells who or where from, such as `aws:PrincipalOrgID` or `aws:SourceVpce`. A fixed
//!   value has neither a wildcard nor a variable.
//! - AWS services are not the public. Whom they act for is the matter of the validation code
//!   `RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL`.
//! - Ranges of `aws:SourceIp` are fixed up to /8 for IPv4 and /32 for IPv6; wider ones are public.
//!
//! So the question is exact: a policy is public if it allows an action of the type's service to a
//! caller whom it does not name, with none of the fixed values that it knows. Actions of other
//! services are nothing that a resource of the type can be asked for.
//!
//! Left out, as in AWS's check: ACLs, settings that block public access, and whether a named
//! provider of identities lets everybody in.

use bailiwick_policy::{Document, DocumentKind, Effect, Statement};
use bailiwick_symbolic::{Asker, Finding};
use serde_json::json;

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
    let open: Vec<usize> =
        (0..policy.statements().len()).filter(|at| is_open(&policy, *at)).collect();
    let found = match strangers(&policy, &open, resource_type) {
        Some(strangers) => Asker::default().letting_public(&strangers),
        None => Vec::new(),
    };
    // Back to the places in the whole policy.
    let placed = found.into_iter().filter_map(|finding| {
        Some(Finding { statement: *open.get(finding.statement)?, ..finding })
    });
    Ok(conclude(
        placed.collect(),
        &policy,
        &Words {
            pass: "The resource policy does not grant public access for the given resource type.",
            fail: "The resource policy grants public access for the given resource type.",
            reason: "Public access granted in the following statement",
        },
    ))
}

/// The statements that count for strangers, with a refusal of what the type knows nothing of.
/// Nothing if none of them allows.
fn strangers(policy: &Document, open: &[usize], resource_type: PublicResource) -> Option<Document> {
    let allows =
        |at: &usize| policy.statements().get(*at).is_some_and(|one| one.effect() == Effect::Allow);
    if !open.iter().any(allows) {
        return None;
    }
    let actions: Vec<String> =
        resource_type.prefixes().iter().map(|prefix| format!("{prefix}:*")).collect();
    let others = json!({"Effect": "Deny", "Principal": "*", "NotAction": actions}).to_string();
    Parts::of(policy).with(|at, _| open.contains(&at), &[others])
}

/// Whether a statement is for more than named principals, or denies.
fn is_open(policy: &Document, at: usize) -> bool {
    let Some(one) = Parts::of(policy).with(|place, _| place == at, &[]) else { return true };
    let counts = |one: &Statement| one.effect() == Effect::Deny || one.is_not_principal();
    one.statements().iter().any(counts)
        || one.principals().any(|entry| entry.text.contains(['*', '?']))
}
