//! What is wrong with a policy document, and where.

use std::fmt;

use super::position::place;
use super::{DocumentKind, Position};

/// The first thing that is wrong with a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocumentError {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in Unicode scalars.
    pub column: u32,
    /// What is wrong.
    pub problem: Problem,
    /// What the document was to be.
    pub kind: DocumentKind,
}

/// What is wrong with a document. Texts are those of the document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// Not JSON.
    #[error("{0}")]
    Json(&'static str),
    /// Nested deeper than 64 levels (threat G01).
    #[error("nested deeper than 64 levels")]
    TooDeep,
    /// Longer than one MiB (threat G01).
    #[error("longer than 1,048,576 bytes")]
    TooLong,
    /// The same name twice in one object (ST-4).
    #[error("`{0}` stands twice in one object")]
    DuplicateKey(String),
    /// A character that policies may not have (GR-1).
    #[error("the character U+{:04X} is not allowed in a policy", u32::from(*.0))]
    Character(char),
    /// An element that the language does not have (ST-6).
    #[error("unknown element `{0}`")]
    UnknownElement(String),
    /// An element of the wrong JSON type.
    #[error("`{element}` must be {expected}")]
    WrongType {
        /// The element.
        element: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An element that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// An element and its negation.
    #[error("`{0}` and `Not{0}` exclude each other")]
    Both(&'static str),
    /// No statement at all (ST-3).
    #[error("`Statement` is empty")]
    NoStatement,
    /// A date that is no version (GR-2).
    #[error("unknown version `{0}`")]
    Version(String),
    /// The old version where the new one is needed (GR-2).
    #[error("the version must be `2012-10-17`")]
    OldVersion,
    /// Neither Allow nor Deny (ST-2).
    #[error("the effect must be `Allow` or `Deny`, not `{0}`")]
    Effect(String),
    /// A value of a Date operator that is no date (OP-D5).
    #[error("`{0}` is not a date")]
    Date(String),
    /// An ARN that lacks partition or service (GR-7).
    #[error("`{0}` is not a whole ARN")]
    ArnShape(String),
    /// A Sid with other characters than letters and digits (ST-5).
    #[error("a Sid has letters and digits only, unlike `{0}`")]
    Sid(String),
    /// The same Sid twice (ST-5).
    #[error("the Sid `{0}` stands twice")]
    DuplicateSid(String),
    /// A statement without actions (RES-10).
    #[error("a statement needs actions")]
    NoActions,
    /// A statement without resources (RES-10).
    #[error("a statement needs resources")]
    NoResources,
    /// A resource that is neither an ARN nor `*` (RES-11).
    #[error("the resource `{0}` is neither an ARN nor `*`")]
    Resource(String),
    /// A partition that does not exist (GR-7).
    #[error("the partition `{partition}` of `{resource}` does not exist")]
    Partition {
        /// The partition.
        partition: String,
        /// The whole resource.
        resource: String,
    },
    /// A resource of a global service with a region (GR-7).
    #[error("the resource `{0}` may not have a region")]
    Region(String),
    /// A wildcard in the service of a resource (RES-3).
    #[error("the service of the resource `{0}` may not have wildcards")]
    ServiceWildcard(String),
    /// An action without a prefix (ACT-7).
    #[error("the action `{0}` has no service prefix")]
    NoVendor(String),
    /// An action prefix with other characters than letters, digits, `.` and `-` (ACT-3, ACT-7).
    #[error("the action prefix `{0}` is not valid")]
    Vendor(String),
    /// An action with more than one colon (ACT-7).
    #[error("the action `{0}` has more than one colon")]
    Colons(String),
    /// An operator that does not exist, or not in that spelling (OP-X1, ST-6).
    #[error("unknown condition operator `{0}`")]
    Operator(String),
    /// A value of Null, Bool or another typed operator that can never match (CO-12).
    #[error("`{value}` is not a value for {operator}")]
    Value {
        /// The operator.
        operator: String,
        /// The value.
        value: String,
    },
    /// An element that this kind of document may not have.
    #[error("`{0}` is not allowed here")]
    Prohibited(&'static str),
    /// A principal in a policy that belongs to its principal (PR-15).
    #[error("a policy of this kind does not name principals")]
    PrincipalPresent,
    /// A principal that cannot be one (PR-7, PR-9).
    #[error("`{text}` is not a principal of the type `{kind}`")]
    Principal {
        /// The type as written, such as `AWS`.
        kind: String,
        /// The entry.
        text: String,
    },
    /// NotPrincipal with Allow (NP-1).
    #[error("`NotPrincipal` goes with `Deny` only")]
    NotPrincipalAllows,
    /// An action that a trust policy may not have (TR-11).
    #[error("a trust policy takes actions of role assumption only, not `{0}`")]
    TrustAction(String),
    /// Trust in a provider that many share, without a word on whom (TR-12).
    #[error("trust in `{issuer}` needs a condition on `{issuer}:{claim}` that names the tenant")]
    SharedIssuer {
        /// The provider.
        issuer: &'static str,
        /// The claim that tells its tenants apart.
        claim: &'static str,
    },
    /// A resource control policy that allows (RCP-3).
    #[error("a resource control policy only denies")]
    ResourceControlAllows,
    /// A resource control policy for some principals (RCP-3).
    #[error("the principal of a resource control policy is `*`")]
    ResourceControlPrincipal,
}

impl DocumentError {
    pub(super) fn new(text: &str, kind: DocumentKind, byte: u32, problem: Problem) -> Self {
        let Position { line, column } = place(text, byte);
        Self { line, column, problem, kind }
    }

    /// AWS's words for the problem, as clients read them in `MalformedPolicyDocument`. Where AWS
    /// has no words that are known, its general ones.
    pub fn aws_message(&self) -> String {
        let trust = self.kind == DocumentKind::Trust;
        let syntax = || {
            if trust { "This policy contains invalid Json" } else { "Syntax errors in policy." }
                .to_owned()
        };
        match &self.problem {
            Problem::UnknownElement(name) if trust => format!("Unknown field {name}"),
            Problem::Missing(name) if trust => format!("Missing required field {name}"),
            Problem::NoActions if trust => "Missing required field Action".to_owned(),
            Problem::OldVersion => {
                "Policy document must be version 2012-10-17 or greater.".to_owned()
            }
            Problem::Effect(_) | Problem::Date(_) | Problem::ArnShape(_) => {
                "The policy failed legacy parsing".to_owned()
            }
            Problem::Sid(_) => "Statement IDs (SID) must be alpha-numeric. Check that your input \
                 satisfies the regular expression [0-9A-Za-z]*"
                .to_owned(),
            Problem::DuplicateSid(_) => {
                "Statement IDs (SID) in a single policy must be unique.".to_owned()
            }
            Problem::NoActions => "Policy statement must contain actions.".to_owned(),
            Problem::NoResources => "Policy statement must contain resources.".to_owned(),
            Problem::Resource(resource) => {
                format!("Resource {resource} must be in ARN format or \"*\".")
            }
            Problem::Partition { partition, resource } => {
                format!("Partition \"{partition}\" is not valid for resource \"{resource}\".")
            }
            Problem::Region(resource) if resource.split(':').nth(2) == Some("iam") => {
                format!("IAM resource {resource} cannot contain region information.")
            }
            Problem::Region(resource) => {
                format!("Resource {resource} can not contain region information.")
            }
            Problem::ServiceWildcard(resource) => {
                let vendor = resource.split(':').nth(2).unwrap_or_default();
                format!("Vendor {vendor} is not valid")
            }
            Problem::NoVendor(_) => {
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                    .to_owned()
            }
            Problem::Vendor(vendor) => format!("Vendor {vendor} is not valid"),
            Problem::Colons(_) => "Actions/Condition can contain only one colon.".to_owned(),
            Problem::Prohibited(element) => format!("Has prohibited field {element}"),
            Problem::PrincipalPresent => {
                "Policy document should not specify a principal.".to_owned()
            }
            Problem::Principal { kind, text } => {
                format!("Invalid principal in policy: \"{kind}\":\"{text}\"")
            }
            Problem::NotPrincipalAllows => "Allow with NotPrincipal is not allowed.".to_owned(),
            Problem::SharedIssuer { issuer, claim } => format!(
                "Trust policy for {issuer} must have a condition on {issuer}:{claim} that names the tenant."
            ),
            Problem::TrustAction(_) => {
                "AssumeRole policy may only specify STS AssumeRole actions.".to_owned()
            }
            _ => syntax(),
        }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for DocumentError {}
