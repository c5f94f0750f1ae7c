//! One question, and the policies that bear on it.

use bailiwick_identifiers::AccountId;
use smallvec::SmallVec;

use crate::{Context, Document, Grant, PolicySet, Principal, Source};

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

/// Policies that apply together: a union (SCP-2, SES-1).
#[derive(Clone, Debug)]
pub enum Policies<'a> {
    /// Gathered for this request.
    Listed(SmallVec<[Attached<'a>; 8]>),
    /// Compiled before.
    Compiled(&'a PolicySet),
}

/// The policies by level of an organization's tree, root first: root, units, account.
#[derive(Clone, Debug)]
pub enum Levels<'a> {
    /// Gathered for this request.
    Listed(Vec<Policies<'a>>),
    /// Compiled before.
    Compiled(&'a [PolicySet]),
}

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
    pub identity: Policies<'a>,
    /// The permissions boundary of the user or role (PB-2).
    pub boundary: Option<Attached<'a>>,
    /// Session policies, taken as a union. `None`: the session has none and is not limited.
    /// `Some` of nothing: a federated user without policy, who is allowed nothing (SES-5).
    pub session: Option<Policies<'a>>,
    /// The policy of the resource: trust policy, bucket policy, key policy.
    pub resource: Option<Attached<'a>>,
    /// The live grants on the KMS key that is asked for (DLG-5).
    pub grants: &'a [Grant],
    /// SCPs by level; empty where SCPs do not apply. A level without policies denies.
    pub scps: Levels<'a>,
    /// RCPs by level of the resource owner's organization. Only their Denies count (RCP-2).
    pub rcps: Levels<'a>,
    /// The policies of the VPC endpoints by which the call came, usually one: each must allow.
    pub endpoints: SmallVec<[Endpoint<'a>; 1]>,
    /// A policy that applies but could not be read. The request is denied (IN-6).
    pub unreadable: Option<&'a Source>,
}

impl<'a> Applicable<'a> {
    /// Just these identity policies.
    pub fn identity(policies: impl IntoIterator<Item = Attached<'a>>) -> Self {
        Self { identity: policies.into_iter().collect(), ..Self::default() }
    }

    /// All policies, of every kind but those of endpoints.
    pub fn policies(&self) -> impl Iterator<Item = Attached<'a>> {
        self.identity
            .iter()
            .chain(self.boundary)
            .chain(self.session.iter().flat_map(Policies::iter))
            .chain(self.resource)
            .chain(self.scps.policies())
            .chain(self.rcps.policies())
    }
}

impl<'a> Policies<'a> {
    /// The policies, in order.
    pub fn iter(&self) -> impl Iterator<Item = Attached<'a>> {
        let (listed, compiled) = match self {
            Self::Listed(list) => (Some(list), None),
            Self::Compiled(set) => (None, Some(set.iter())),
        };
        listed.into_iter().flatten().copied().chain(compiled.into_iter().flatten())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Listed(list) => list.is_empty(),
            Self::Compiled(set) => set.is_empty(),
        }
    }

    /// Adds a policy.
    pub fn push(&mut self, policy: Attached<'a>) {
        if let Self::Compiled(set) = self {
            *self = set.iter().collect();
        }
        if let Self::Listed(list) = self {
            list.push(policy);
        }
    }
}

impl Default for Policies<'_> {
    fn default() -> Self {
        Self::Listed(SmallVec::new())
    }
}

impl<'a> FromIterator<Attached<'a>> for Policies<'a> {
    fn from_iter<I: IntoIterator<Item = Attached<'a>>>(policies: I) -> Self {
        Self::Listed(policies.into_iter().collect())
    }
}

impl<'a> From<&'a PolicySet> for Policies<'a> {
    fn from(set: &'a PolicySet) -> Self {
        Self::Compiled(set)
    }
}

impl<'a> Levels<'a> {
    /// How many levels there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Listed(list) => list.len(),
            Self::Compiled(sets) => sets.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a level below the others.
    pub fn push(&mut self, level: Policies<'a>) {
        if let Self::Compiled(sets) = self {
            *self = sets.iter().map(Policies::Compiled).collect();
        }
        if let Self::Listed(list) = self {
            list.push(level);
        }
    }

    /// Whether a level has no policy, so that it allows nothing (SCP-2).
    pub fn has_empty_level(&self) -> bool {
        match self {
            Self::Listed(list) => list.iter().any(Policies::is_empty),
            Self::Compiled(sets) => sets.iter().any(PolicySet::is_empty),
        }
    }

    /// The levels, root first.
    pub fn iter(&self) -> impl Iterator<Item = Policies<'a>> {
        let (listed, compiled): (&[Policies<'a>], &'a [PolicySet]) = match self {
            Self::Listed(list) => (list, &[]),
            Self::Compiled(sets) => (&[], sets),
        };
        listed.iter().cloned().chain(compiled.iter().map(Policies::Compiled))
    }

    /// The policies of all levels.
    pub fn policies(&self) -> impl Iterator<Item = Attached<'a>> {
        let (listed, compiled) = match self {
            Self::Listed(list) => (Some(list), None),
            Self::Compiled(sets) => (None, Some(*sets)),
        };
        let listed = listed.into_iter().flatten().flat_map(Policies::iter);
        listed.chain(compiled.into_iter().flatten().flat_map(PolicySet::iter))
    }
}

impl Default for Levels<'_> {
    fn default() -> Self {
        Self::Compiled(&[])
    }
}

impl<'a> FromIterator<Policies<'a>> for Levels<'a> {
    fn from_iter<I: IntoIterator<Item = Policies<'a>>>(levels: I) -> Self {
        Self::Listed(levels.into_iter().collect())
    }
}

/// Whether the policy of this resource must let the account in before identity policies count
/// (DLG-1): the trust policies of roles for the actions of role assumption, and the policies of
/// KMS keys.
pub fn is_delegated(action: &str, resource: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return false };
    let fields: SmallVec<[&str; 6]> = resource.splitn(6, ':').collect();
    let ["arn", _, owner, _, _, part] = fields.as_slice() else { return false };
    let assumes = |name: &str| {
        name.get(..10).is_some_and(|head| head.eq_ignore_ascii_case("AssumeRole"))
            || ["TagSession", "SetSourceIdentity", "SetContext"]
                .iter()
                .any(|other| name.eq_ignore_ascii_case(other))
    };
    match *owner {
        "iam" => service.eq_ignore_ascii_case("sts") && part.starts_with("role/") && assumes(name),
        "kms" => service.eq_ignore_ascii_case("kms") && part.starts_with("key/"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // DLG-1
    #[test]
    fn delegated_are_role_trust_and_kms_keys_alone() {
        let role = "arn:aws:iam::123456789012:role/team/Dev";
        let key = "arn:aws-cn:kms:cn-north-1:123456789012:key/1";
        for (action, resource, expected) in [
            ("sts:AssumeRole", role, true),
            ("STS:assumerolewithsaml", role, true),
            ("sts:TagSession", role, true),
            ("sts:SetSourceIdentity", role, true),
            ("sts:SetContext", role, true),
            ("sts:AssumeRoot", role, false),
            ("sts:DecodeAuthorizationMessage", "*", false),
            ("iam:GetRole", role, false),
            ("iam:PassRole", role, false),
            ("sts:AssumeRole", "*", false),
            ("sts:TagSession", "arn:aws:sts::123456789012:federated-user/bob", false),
            ("kms:Decrypt", key, true),
            ("KMS:decrypt", key, true),
            ("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:alias/a", false),
            ("kms:ListKeys", "*", false),
            ("s3:GetObject", "arn:aws:s3:::key/1", false),
        ] {
            assert_eq!(is_delegated(action, resource), expected, "{action} on {resource}");
        }
    }
}
