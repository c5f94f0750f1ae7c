//! The policies of a simulation: texts that come with the call, and those of a user, group or role.

use std::sync::Arc;

use bailiwick_identifiers::{AccountId, Arn, UniqueId};
use bailiwick_model::{Effective, Found, document};
use bailiwick_policy::simulate::reported_source;
use bailiwick_policy::{Attached, Document, DocumentKind, Problem, Source, SourceKind};
use bailiwick_wire::generated::iam as api;

use super::holder::Kind;
use crate::call::Call;
use crate::fault::Fault;

/// A policy text of the call, with the name that results give it (SIM-5).
pub(super) struct Input {
    source: Source,
    document: Document,
}

impl Input {
    /// As the engine takes it.
    pub(super) fn attached(&self) -> Attached<'_> {
        Attached { source: &self.source, document: &self.document }
    }

    /// What it says.
    pub(super) fn document(&self) -> &Document {
        &self.document
    }
}

/// Reads a list of texts, named `NAME.1` and so on. They are checked as they would be at write, but
/// for the version, which may be old as in stored policies (GR-2).
pub(super) fn inputs(
    name: &str,
    kind: DocumentKind,
    texts: &[String],
) -> Result<Vec<Input>, Fault> {
    let read =
        |(place, text): (usize, &String)| input(&format!("{name}.{}", place + 1), kind, text);
    texts.iter().enumerate().map(read).collect()
}

/// Reads one text.
pub(super) fn input(name: &str, kind: DocumentKind, text: &str) -> Result<Input, Fault> {
    let read = match Document::parse_strict(text, kind) {
        Err(error) if error.problem == Problem::OldVersion => Document::parse(text, kind),
        read => read,
    };
    let document = read.map_err(|error| {
        Fault::invalid_input(format!("{name}: {}", crate::policy_message(&error)))
    })?;
    let used = match kind {
        DocumentKind::Resource => SourceKind::Resource,
        DocumentKind::Boundary => SourceKind::Boundary,
        DocumentKind::ServiceControl => SourceKind::Scp,
        _ => SourceKind::UserInline,
    };
    Ok(Input { source: Source::new(name, used), document })
}

/// A user, group or role whose policies are asked about.
pub(super) struct PolicySource {
    pub(super) kind: Kind,
    pub(super) arn: Arn,
    /// The account in the ARN.
    pub(super) account: AccountId,
    name: String,
}

impl PolicySource {
    /// Reads an ARN of a user, group or role. AWS's words (*observed*).
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let unclear = || {
            Fault::invalid_input(format!(
                "Invalid Entity Arn: {text} does not clearly define entity type and name."
            ))
        };
        let arn: Arn = text.parse().map_err(|_| unclear())?;
        let (kind, path) = arn.resource().split_once('/').ok_or_else(unclear)?;
        let kind = match kind {
            "user" => Kind::User,
            "group" => Kind::Group,
            "role" => Kind::Role,
            _ => return Err(unclear()),
        };
        let name = path.rsplit('/').next().filter(|name| !name.is_empty()).ok_or_else(unclear)?;
        let name = name.to_owned();
        let account = arn.account_id().ok_or_else(unclear)?;
        if arn.service() != "iam" || !arn.region().is_empty() {
            return Err(unclear());
        }
        Ok(Self { kind, arn, account, name })
    }

    /// Refuses an entity of another account. AWS's words (*observed*).
    pub(super) fn require_own(&self, call: &Call<'_>) -> Result<(), Fault> {
        let own = call.account().id();
        if self.arn.account_id() == Some(own) {
            return Ok(());
        }
        Err(Fault::invalid_input(format!(
            "Invalid Policy Source Arn: caller's account {own} does not have access to policies in \
             account {}",
            self.arn.account()
        )))
    }

    /// The id of the entity, if it is there under this very ARN.
    pub(super) fn find(&self, call: &Call<'_>) -> Option<UniqueId> {
        let holder = self.kind.named(call.account(), &self.name)?;
        (holder.arn == self.arn).then_some(holder.id)
    }

    /// Its policies, with those of its groups and its boundary, as the simulator names them.
    pub(super) fn policies(&self, call: &Call<'_>) -> Result<Effective, Fault> {
        let id = self.find(call).ok_or_else(|| Fault::no_such(self.kind.word(), &self.name))?;
        let (account, managed) = (call.account(), call.node().managed());
        let mut found = match self.kind {
            Kind::User => Effective::of_user(account, managed, id),
            Kind::Role => Effective::of_role(account, managed, id),
            Kind::Group => self.of_group(call, id),
        };
        for policy in &mut found.identity {
            policy.source = reported_source(&policy.source, &self.name);
        }
        Ok(found)
    }

    fn of_group(&self, call: &Call<'_>, id: UniqueId) -> Effective {
        let (account, managed) = (call.account(), call.node().managed());
        let group: Arc<str> = self.name.as_str().into();
        let inline = account.inline_policies(id).map(|policy| {
            let kind = SourceKind::GroupInline { group: Arc::clone(&group) };
            let document = policy.document.document().ok().cloned();
            (Source::new(policy.name.as_str(), kind), document)
        });
        let attached = account.attached(id).map(|arn| {
            let kind = if arn.account() == "aws" {
                SourceKind::AwsManaged
            } else {
                SourceKind::GroupManaged { group: Arc::clone(&group) }
            };
            (Source::managed(arn.as_str(), kind), document(account, managed, arn))
        });
        let mut effective = Effective::default();
        for (source, document) in inline.chain(attached) {
            match document {
                Some(document) => effective.identity.push(Found { source, document }),
                None => effective.unreadable = Some(source),
            }
        }
        effective
    }
}

/// Which attached policies a simulation leaves out (SIM-14).
pub(super) enum Exclusion {
    /// All inline policies.
    Inline,
    /// All policies that AWS manages.
    AwsManaged,
    /// All policies that the customer manages.
    UserManaged,
    /// The permissions boundary.
    Boundary,
    /// The managed policy of this ARN, in whatever use.
    Managed(Arn),
    /// The inline policy that results name so.
    Named(String),
    /// Nothing that is attached here: policies of the organization.
    Nothing,
}

impl Exclusion {
    /// Reads an entry. Validation has checked that it names its policies in one way.
    pub(super) fn parse(given: api::PolicyIdentifier) -> Result<Self, Fault> {
        if let Some(arn) = given.policy_arn {
            let read = arn.parse::<Arn>().ok().filter(|arn| arn.resource().starts_with("policy/"));
            let arn =
                read.ok_or_else(|| Fault::invalid_input(format!("Invalid Policy Arn: {arn}")))?;
            return Ok(Self::Managed(arn));
        }
        if let Some(inline) = given.inline_policy_identifier {
            let api::InlinePolicyIdentifierType { policy_name, attachment_type, attachment_name } =
                inline;
            return Ok(Self::Named(format!("{attachment_type}_{attachment_name}_{policy_name}")));
        }
        match given.policy_type.as_deref() {
            Some("inline") => Ok(Self::Inline),
            Some("aws-managed") => Ok(Self::AwsManaged),
            Some("user-managed") => Ok(Self::UserManaged),
            Some("permission-boundary") => Ok(Self::Boundary),
            Some("scp" | "rcp") => Ok(Self::Nothing),
            _ => Err(Fault::invalid_input("Invalid Policy Identifier: no policy is named")),
        }
    }

    /// Takes the policies out.
    pub(super) fn apply(&self, effective: &mut Effective) {
        let arn =
            |found: &Found, wanted: &Arn| found.source.arn.as_deref() == Some(wanted.as_str());
        let identity = &mut effective.identity;
        match self {
            Self::Inline => identity.retain(|found| found.source.arn.is_some()),
            Self::AwsManaged => {
                identity.retain(|found| found.source.kind != SourceKind::AwsManaged);
            }
            Self::UserManaged => identity.retain(|found| {
                found.source.arn.is_none() || found.source.kind == SourceKind::AwsManaged
            }),
            Self::Boundary => effective.boundary = None,
            Self::Managed(wanted) => {
                identity.retain(|found| !arn(found, wanted));
                effective.boundary = effective.boundary.take().filter(|held| !arn(held, wanted));
            }
            Self::Named(name) => identity.retain(|found| {
                found.source.arn.is_some() || !found.source.id.eq_ignore_ascii_case(name)
            }),
            Self::Nothing => {}
        }
    }
}
