//! Resources that have policies of their own, and what else is known of buckets.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_identifiers::AccountId;
use bailiwick_model::Found;
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::account::AccountPublicAccess;
use super::part::{Missing, Part};
use super::text::{Fault, Text};
use crate::estate::ResourcePolicy;

/// The kinds of resources whose policies are gathered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ResourceKind {
    Bucket,
    Key,
    Queue,
    Topic,
    Secret,
    Function,
    Repository,
}

/// The block of public access of a bucket.
pub type PublicAccessBlock = AccountPublicAccess;

/// A resource.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// The policy; `None`: known to have none; `Err`: its text cannot be read, which denies (IN-6).
    pub policy: Part<Option<Result<Arc<Document>, String>>>,
    /// The policy as it was written, if there is one.
    pub text: Option<Arc<str>>,
    /// What else is known of a bucket.
    pub bucket: BucketFacts,
}

/// What is known of a bucket beside its policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BucketFacts {
    /// Its block of public access; `None`: it has none.
    pub public_access_block: Part<Option<PublicAccessBlock>>,
    /// Whether its accesses are logged.
    pub logging: Part<bool>,
    /// Whether versions are kept, and whether deleting one needs MFA.
    pub versioning: Part<(bool, bool)>,
    /// Whether objects can be locked.
    pub object_lock: Part<bool>,
}

impl Resource {
    fn new(kind: ResourceKind) -> Self {
        Self { kind, policy: Part::default(), text: None, bucket: BucketFacts::default() }
    }
}

/// Where a file about a resource lies.
pub(super) struct Place<'a> {
    /// The partition of ARNs.
    pub(super) partition: &'a str,
    /// The account.
    pub(super) account: &'a str,
    /// The region; empty for buckets.
    pub(super) region: &'a str,
}

/// The files of resources under way.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) found: Part<BTreeMap<String, Resource>>,
}

impl Gathered {
    /// Reads a file by its path: `s3/NAME/...`, or within a region `sqs/N.json` and so on.
    pub(super) fn file(
        &mut self,
        place: &Place<'_>,
        path: &[&str],
        text: &Text<'_>,
    ) -> Result<bool, Fault> {
        match path {
            ["s3", "buckets.json"] => {
                for name in buckets(text)? {
                    self.at(&bucket_arn(place, &name), ResourceKind::Bucket);
                }
                // An account without buckets is known all the same.
                self.found.gather();
            }
            ["s3", name, what] => return self.bucket(place, name, what, text),
            ["kms", file] => {
                let policy = wrapped(text)?;
                self.policy(&key_arn(place, file), ResourceKind::Key, policy);
            }
            ["lambda", file] => {
                let policy = wrapped(text)?;
                self.policy(&function_arn(place, file), ResourceKind::Function, policy);
            }
            ["sqs", _] => {
                let (arn, policy) = attributes(text, "QueueArn")?;
                own(place, text, &arn)?;
                self.policy(&arn, ResourceKind::Queue, policy);
            }
            ["sns", _] => {
                let (arn, policy) = attributes(text, "TopicArn")?;
                own(place, text, &arn)?;
                self.policy(&arn, ResourceKind::Topic, policy);
            }
            ["secretsmanager", _] => {
                let (arn, policy) = secret(text)?;
                own(place, text, &arn)?;
                self.policy(&arn, ResourceKind::Secret, policy);
            }
            ["ecr", _] => {
                let (arn, policy) = repository(place, text)?;
                self.policy(&arn, ResourceKind::Repository, policy);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A call that failed. Some errors mean that there is none.
    pub(super) fn refused(
        &mut self,
        place: &Place<'_>,
        path: &[&str],
        missing: &Missing,
        text: &str,
    ) -> bool {
        let none = [
            "NoSuchBucketPolicy",
            "NoSuchPublicAccessBlockConfiguration",
            "ObjectLockConfigurationNotFound",
            "ResourceNotFoundException",
            "RepositoryPolicyNotFound",
        ];
        let absent = none.iter().any(|code| text.contains(code));
        match path {
            ["s3", "buckets.json"] => self.found = Part::Missing(missing.clone()),
            ["s3", name, what] => {
                let Some(resource) = self.at(&bucket_arn(place, name), ResourceKind::Bucket) else {
                    return true;
                };
                match *what {
                    "policy.json" if absent => resource.policy = Part::Known(None),
                    "policy.json" => resource.policy = Part::Missing(missing.clone()),
                    "public-access-block.json" if absent => {
                        resource.bucket.public_access_block = Part::Known(None);
                    }
                    "public-access-block.json" => {
                        resource.bucket.public_access_block = Part::Missing(missing.clone());
                    }
                    "object-lock.json" if absent => {
                        resource.bucket.object_lock = Part::Known(false);
                    }
                    "object-lock.json" => {
                        resource.bucket.object_lock = Part::Missing(missing.clone());
                    }
                    "logging.json" => resource.bucket.logging = Part::Missing(missing.clone()),
                    "versioning.json" => {
                        resource.bucket.versioning = Part::Missing(missing.clone());
                    }
                    _ => return false,
                }
            }
            ["kms", file] => {
                self.lacking(&key_arn(place, file), ResourceKind::Key, absent, missing);
            }
            ["lambda", file] => {
                self.lacking(&function_arn(place, file), ResourceKind::Function, absent, missing);
            }
            // Without an answer their ARN is not known; the file's name stands for it.
            [service @ ("sqs" | "sns" | "secretsmanager" | "ecr"), file] => {
                if !absent {
                    let about = format!("{service} {} {file}", place.region);
                    let kind = match *service {
                        "sqs" => ResourceKind::Queue,
                        "sns" => ResourceKind::Topic,
                        "ecr" => ResourceKind::Repository,
                        _ => ResourceKind::Secret,
                    };
                    self.lacking(&about, kind, false, missing);
                }
            }
            _ => return false,
        }
        true
    }

    fn at(&mut self, arn: &str, kind: ResourceKind) -> Option<&mut Resource> {
        let all = self.found.gather()?;
        Some(all.entry(arn.to_owned()).or_insert_with(|| Resource::new(kind)))
    }

    fn policy(&mut self, arn: &str, kind: ResourceKind, policy: Option<String>) {
        if let Some(resource) = self.at(arn, kind) {
            resource.policy = Part::Known(policy.as_deref().map(parsed));
            resource.text = policy.map(Arc::from);
        }
    }

    fn lacking(&mut self, arn: &str, kind: ResourceKind, absent: bool, missing: &Missing) {
        if let Some(resource) = self.at(arn, kind) {
            resource.policy =
                if absent { Part::Known(None) } else { Part::Missing(missing.clone()) };
        }
    }

    fn bucket(
        &mut self,
        place: &Place<'_>,
        name: &str,
        what: &str,
        text: &Text<'_>,
    ) -> Result<bool, Fault> {
        let arn = bucket_arn(place, name);
        match what {
            "policy.json" => {
                let policy = wrapped(text)?;
                self.policy(&arn, ResourceKind::Bucket, policy);
            }
            "public-access-block.json" => {
                let block = super::account::public_access(text)?;
                if let Some(resource) = self.at(&arn, ResourceKind::Bucket) {
                    resource.bucket.public_access_block = Part::Known(Some(block));
                }
            }
            "logging.json" => {
                let on = has(text, "LoggingEnabled")?;
                if let Some(resource) = self.at(&arn, ResourceKind::Bucket) {
                    resource.bucket.logging = Part::Known(on);
                }
            }
            "versioning.json" => {
                let found = versioning(text)?;
                if let Some(resource) = self.at(&arn, ResourceKind::Bucket) {
                    resource.bucket.versioning = Part::Known(found);
                }
            }
            "object-lock.json" => {
                let on = has(text, "ObjectLockConfiguration")?;
                if let Some(resource) = self.at(&arn, ResourceKind::Bucket) {
                    resource.bucket.object_lock = Part::Known(on);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The policies as the estate takes them: those that are known.
pub(super) fn for_estate(
    resources: &BTreeMap<String, Resource>,
    account: AccountId,
) -> BTreeMap<String, ResourcePolicy> {
    let mut found = BTreeMap::new();
    for (arn, resource) in resources {
        let Some(Some(policy)) = resource.policy.known() else { continue };
        let source = Source::new(arn.as_str(), SourceKind::Resource);
        let policy = match policy {
            Ok(document) => Ok(Found { source, document: Arc::clone(document) }),
            Err(_) => Err(source),
        };
        let owner = (resource.kind == ResourceKind::Bucket).then_some(account);
        found.insert(arn.clone(), ResourcePolicy { policy, owner });
    }
    found
}

fn parsed(text: &str) -> Result<Arc<Document>, String> {
    Document::parse(text, DocumentKind::Resource)
        .map(Arc::new)
        .map_err(|error| format!("the policy cannot be read: {error}"))
}

fn bucket_arn(place: &Place<'_>, name: &str) -> String {
    format!("arn:{}:s3:::{name}", place.partition)
}

fn key_arn(place: &Place<'_>, file: &str) -> String {
    let Place { partition, account, region } = place;
    format!("arn:{partition}:kms:{region}:{account}:key/{}", stem(file))
}

fn function_arn(place: &Place<'_>, file: &str) -> String {
    let Place { partition, account, region } = place;
    format!("arn:{partition}:lambda:{region}:{account}:function:{}", stem(file))
}

/// Files of two accounts make no account.
fn own(place: &Place<'_>, text: &Text<'_>, arn: &str) -> Result<(), Fault> {
    let account = arn.split(':').nth(4).unwrap_or_default();
    if account.is_empty() || account == place.account {
        return Ok(());
    }
    let at = text.whole.find(arn).unwrap_or_default();
    let expected = place.account;
    let problem = format!("`{arn}` is of another account, and account {expected} was expected");
    Err(text.fault(at, &problem))
}

fn stem(file: &str) -> &str {
    file.strip_suffix(".json").unwrap_or(file)
}

fn buckets(text: &Text<'_>) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Bucket {
        name: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `s3api list-buckets` prints")]
    struct Form {
        buckets: Vec<Bucket>,
    }
    Ok(text.json::<Form>()?.buckets.into_iter().map(|bucket| bucket.name).collect())
}

/// `{"Policy": "..."}`, as `get-bucket-policy`, `get-key-policy` and `lambda get-policy` print.
fn wrapped(text: &Text<'_>) -> Result<Option<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(expecting = "the answer of a call for a policy")]
    struct Form {
        #[serde(rename = "Policy")]
        policy: String,
    }
    Ok(Some(text.json::<Form>()?.policy))
}

/// `{"Attributes": {"QueueArn": ..., "Policy": ...}}`.
fn attributes(text: &Text<'_>, arn: &str) -> Result<(String, Option<String>), Fault> {
    #[derive(Deserialize)]
    #[serde(expecting = "the attributes of a queue or a topic")]
    struct Form {
        #[serde(rename = "Attributes")]
        attributes: BTreeMap<String, String>,
    }
    let mut attributes = text.json::<Form>()?.attributes;
    let found = attributes.remove(arn);
    let found = found.ok_or_else(|| text.fault(0, &format!("`{arn}` is not there")))?;
    Ok((found, attributes.remove("Policy").filter(|policy| !policy.is_empty())))
}

fn secret(text: &Text<'_>) -> Result<(String, Option<String>), Fault> {
    #[derive(Deserialize)]
    #[serde(expecting = "what `secretsmanager get-resource-policy` prints")]
    struct Form {
        #[serde(rename = "ARN")]
        arn: String,
        #[serde(rename = "ResourcePolicy", default)]
        policy: Option<String>,
    }
    let form: Form = text.json()?;
    Ok((form.arn, form.policy))
}

fn repository(place: &Place<'_>, text: &Text<'_>) -> Result<(String, Option<String>), Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", expecting = "what `ecr get-repository-policy` prints")]
    struct Form {
        repository_name: String,
        policy_text: String,
    }
    let form: Form = text.json()?;
    let Place { partition, account, region } = place;
    let arn = format!("arn:{partition}:ecr:{region}:{account}:repository/{}", form.repository_name);
    Ok((arn, Some(form.policy_text)))
}

fn versioning(text: &Text<'_>) -> Result<(bool, bool), Fault> {
    #[derive(Deserialize)]
    #[serde(expecting = "what `get-bucket-versioning` prints")]
    struct Form {
        #[serde(rename = "Status", default)]
        status: Option<String>,
        #[serde(rename = "MFADelete", alias = "MfaDelete", default)]
        mfa_delete: Option<String>,
    }
    // A bucket without versions answers nothing at all.
    if text.whole.trim().is_empty() {
        return Ok((false, false));
    }
    let form: Form = text.json()?;
    let on = |word: Option<String>| word.as_deref() == Some("Enabled");
    Ok((on(form.status), on(form.mfa_delete)))
}

/// Whether an answer has a member; an empty answer has none.
fn has(text: &Text<'_>, member: &str) -> Result<bool, Fault> {
    if text.whole.trim().is_empty() {
        return Ok(false);
    }
    let form: BTreeMap<String, Option<IgnoredAny>> = text.json()?;
    Ok(form.get(member).is_some_and(Option::is_some))
}
