//! Validation of policies: what Access Analyzer's ValidatePolicy would say, decided offline.
//!
//! [`validate`] reads the text with a tolerant reader, so that it also looks into documents that
//! the engine refuses, and runs every check that suits the type of policy. It promises: no panic on
//! any input; bounded work (texts up to 1 MiB, nesting up to 64, 5,000 findings, a tenth of a second
//! of one core; [`Examined::whole`] says whether it sufficed); the same findings
//! for the same text and catalog, in the order of their places.
//!
//! Facts come from the catalog. What the catalog lacks but AWS's own managed policies name counts as
//! known: see `attested`. [`UNDECIDED`] lists the codes that cannot be found offline.

mod actions;
mod addresses;
mod attested;
mod code;
mod conditions;
mod document;
mod empties;
mod facts;
mod finding;
mod glob;
mod json;
mod keys;
mod operation;
mod place;
mod principals;
mod redundancy;
mod resource_control;
mod resources;
mod risks;
mod run;
mod sids;
mod size;
mod support;
mod trust;
mod values;
mod variables;
mod wildcards;

use std::sync::LazyLock;

use bailiwick_catalog::Catalog;

pub use code::IssueCode;
use facts::Facts;
pub use finding::{Finding, FindingType, Location, PathElement, Position, Span, Substring};
use run::Run;

/// The type of a policy, as ValidatePolicy takes it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PolicyType {
    /// Attached to a user, group or role, or a boundary or session policy.
    Identity,
    /// Attached to a resource; trust policies too, with [`ResourceType::AssumeRolePolicyDocument`].
    Resource,
    /// A service control policy of an organization.
    ServiceControl,
    /// A resource control policy of an organization.
    ResourceControl,
}

impl PolicyType {
    /// All types.
    pub const ALL: [Self; 4] =
        [Self::Identity, Self::Resource, Self::ServiceControl, Self::ResourceControl];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY_POLICY",
            Self::Resource => "RESOURCE_POLICY",
            Self::ServiceControl => "SERVICE_CONTROL_POLICY",
            Self::ResourceControl => "RESOURCE_CONTROL_POLICY",
        }
    }

    /// The type with this name in the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The resource that a resource policy belongs to. It switches on further checks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the API")]
pub enum ResourceType {
    Bucket,
    AccessPoint,
    MultiRegionAccessPoint,
    ObjectLambdaAccessPoint,
    AssumeRolePolicyDocument,
    Table,
}

impl ResourceType {
    /// All types.
    pub const ALL: [Self; 6] = [
        Self::Bucket,
        Self::AccessPoint,
        Self::MultiRegionAccessPoint,
        Self::ObjectLambdaAccessPoint,
        Self::AssumeRolePolicyDocument,
        Self::Table,
    ];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "AWS::S3::Bucket",
            Self::AccessPoint => "AWS::S3::AccessPoint",
            Self::MultiRegionAccessPoint => "AWS::S3::MultiRegionAccessPoint",
            Self::ObjectLambdaAccessPoint => "AWS::S3ObjectLambda::AccessPoint",
            Self::AssumeRolePolicyDocument => "AWS::IAM::AssumeRolePolicyDocument",
            Self::Table => "AWS::DynamoDB::Table",
        }
    }

    /// The type with this name in the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The codes that are never reported, with the reason.
pub const UNDECIDED: &[(IssueCode, &str)] = &[];

/// Validates policies against the facts of one catalog. Making one reads the catalog's resource
/// types, some milliseconds; keep it.
pub struct Validator<'c> {
    facts: Facts<'c>,
}

impl<'c> Validator<'c> {
    /// A validator with these facts.
    pub fn new(catalog: &'c Catalog) -> Self {
        Self { facts: Facts::new(catalog) }
    }

    /// What is wrong with a policy text, in the order of the places. `resource_type` matters for
    /// resource policies only.
    pub fn validate(
        &self,
        text: &str,
        policy_type: PolicyType,
        resource_type: Option<ResourceType>,
    ) -> Vec<Finding> {
        self.examine(text, policy_type, resource_type).findings
    }

    /// The same, and whether all of the text was checked.
    pub fn examine(
        &self,
        text: &str,
        policy_type: PolicyType,
        resource_type: Option<ResourceType>,
    ) -> Examined {
        Run::new(&self.facts, text, policy_type, resource_type).examined()
    }
}

/// What is wrong with a policy text, and whether that is all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Examined {
    /// The findings, in the order of their places.
    pub findings: Vec<Finding>,
    /// Whether every check was made to its end and every finding kept. No for texts that would take
    /// more work than any policy of use does, such as thousands of long patterns in one list.
    pub whole: bool,
}

/// What is wrong with a policy text, by the facts of the embedded catalog, in the order of the
/// places. `resource_type` matters for resource policies only.
pub fn validate(
    text: &str,
    policy_type: PolicyType,
    resource_type: Option<ResourceType>,
) -> Vec<Finding> {
    examine(text, policy_type, resource_type).findings
}

/// The same, and whether all of the text was checked.
pub fn examine(
    text: &str,
    policy_type: PolicyType,
    resource_type: Option<ResourceType>,
) -> Examined {
    static EMBEDDED: LazyLock<Validator<'static>> =
        LazyLock::new(|| Validator::new(Catalog::embedded()));
    EMBEDDED.examine(text, policy_type, resource_type)
}
