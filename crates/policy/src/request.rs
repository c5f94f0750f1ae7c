//! One question, and the policies that bear on it.

use bailiwick_identifiers::AccountId;
use smallvec::SmallVec;

use crate::{Context, Document, Principal, Source};

/// One action of one caller on one resource (IN-1). A call that touches several resources is
/// several requests (IN-3).
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// The action, such as `iam:CreateUser`; its case does not matter (ACT-1).
    pub action: &'a str,
    /// The ARN of the resource, or `*` where the action names none (IN-4).
    pub resource: &'a str,
    /// The owner of the resource where its ARN has no account (IN-7). If both are there and
    /// differ, the request counts as cross-account.
    pub resource_account: Option<AccountId>,
    /// The request context.
    pub context: &'a Context,
    /// Whether the resource is of a kind whose policy must let the account in: role trust and KMS
    /// keys (DLG-1).
    pub delegated: bool,
}

/// A policy that applies, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'a> {
    /// Where it comes from.
    pub source: &'a Source,
    /// What it says.
    pub document: &'a Document,
}

/// The policies at one level of an organization's tree: root, unit or account. A union (SCP-2).
pub type Level<'a> = SmallVec<[Attached<'a>; 2]>;

/// The policy of the endpoint by which a call came (EP-1).
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// The policy.
    pub policy: Attached<'a>,
    /// Whether it is a gateway endpoint, which takes no users or roles as principals (EP-3).
    pub gateway: bool,
}

/// All policies that apply to a request (IN-2). What does not apply is left empty: for example no
/// SCP levels for the management account (SCP-3).
#[derive(Clone, Debug, Default)]
pub struct Applicable<'a> {
    /// Identity policies of the caller: its own and its groups', or its role's.
    pub identity: SmallVec<[Attached<'a>; 8]>,
    /// The permissions boundary of the user or role (PB-2).
    pub boundary: Option<Attached<'a>>,
    /// Session policies, taken as a union. `None`: the session has none and is not limited.
    /// `Some` of nothing: a federated user without policy, who is allowed nothing (SES-5).
    pub session: Option<SmallVec<[Attached<'a>; 2]>>,
    /// The policy of the resource: trust policy, bucket policy, key policy.
    pub resource: Option<Attached<'a>>,
    /// SCPs by level, root first; empty where SCPs do not apply. A level without policies denies.
    pub scps: SmallVec<[Level<'a>; 4]>,
    /// RCPs by level of the resource owner's organization. Only their Denies count (RCP-2).
    pub rcps: SmallVec<[Level<'a>; 4]>,
    /// The policy of the VPC endpoint, if the call came through one.
    pub endpoint: Option<Endpoint<'a>>,
    /// A policy that applies but could not be read. The request is denied (IN-6).
    pub unreadable: Option<&'a Source>,
}

impl<'a> Applicable<'a> {
    /// Just these identity policies.
    pub fn identity(policies: impl IntoIterator<Item = Attached<'a>>) -> Self {
        Self { identity: policies.into_iter().collect(), ..Self::default() }
    }
}
