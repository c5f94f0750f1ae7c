//! The account that is asked about, from an export and the policies around it.

use std::collections::BTreeMap;
use std::io::{Write as _, stderr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use bailiwick_analyzer::estate::{Estate, Organization, ResourcePolicy};
use bailiwick_analyzer::reach::Reach;
use bailiwick_identifiers::AccountId;
use bailiwick_model::{Account, Found};
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use clap::Args;

use crate::audit::import::ServerArgs;
use crate::simulate::question::Named;
use crate::simulate::{files, levels, nearest};
use crate::terminal;

/// Where the account comes from.
#[derive(Args, Debug)]
pub struct WorldArgs {
    /// The account, as `aws iam get-account-authorization-details` prints it (its pages in order)
    #[arg(long, value_name = "EXPORT", num_args = 1.., required_unless_present = "server", conflicts_with = "server")]
    pub account: Vec<PathBuf>,
    /// Service control policies, root first, each a level; several of one level as LEVEL=FILE
    #[arg(long, value_name = "[LEVEL=]FILE", num_args = 1..)]
    pub scp: Vec<String>,
    /// Resource control policies, in the same way
    #[arg(long, value_name = "[LEVEL=]FILE", num_args = 1..)]
    pub rcp: Vec<String>,
    /// The id of the organization, for `aws:PrincipalOrgID`
    #[arg(long, value_name = "ID")]
    pub organization: Option<String>,
    /// The account is the organization's management account, which SCPs and RCPs do not bind
    #[arg(long)]
    pub management_account: bool,
    /// The policy of a resource, such as of a bucket or key
    #[arg(long, value_name = "ARN=FILE", num_args = 1..)]
    pub resource_policy: Vec<String>,
    /// The account that owns resources whose ARN names none and that have a policy here
    #[arg(long, value_name = "ID")]
    pub resource_account: Option<AccountId>,
    /// A live account in place of an export
    #[command(flatten)]
    pub server: ServerArgs,
}

impl WorldArgs {
    /// Reads all of it.
    ///
    /// # Errors
    /// A file cannot be read, is no export, or holds a policy that AWS would refuse.
    pub(super) fn read(&self) -> anyhow::Result<(Estate, Vec<String>)> {
        let (account, managed, mut notes) = self.server.world(&self.account)?.into_parts();
        let mut estate = Estate::new(account, managed);
        let scps = found(levels(&self.scp, DocumentKind::ServiceControl)?, true)?;
        let rcps = found(levels(&self.rcp, DocumentKind::ResourceControl)?, false)?;
        if !scps.is_empty()
            || !rcps.is_empty()
            || self.organization.is_some()
            || self.management_account
        {
            estate.organization = Some(Organization {
                id: self.organization.clone(),
                accounts: Vec::new(),
                management: self.management_account,
                scps,
                rcps,
            });
        }
        if self.resource_policy.is_empty() {
            notes.push(
                "no policies of resources were given, trust policies aside: whom a bucket, key or \
                 queue lets in by itself is not known (--resource-policy ARN=FILE)"
                    .to_owned(),
            );
            return Ok((estate, notes));
        }
        let mut policies = BTreeMap::new();
        for entry in &self.resource_policy {
            let Some((arn, file)) =
                entry.split_once('=').filter(|(arn, _)| arn.starts_with("arn:"))
            else {
                bail!("`{entry}`: write the resource and the file as ARN=FILE");
            };
            let text = files::policy(file.as_ref(), DocumentKind::Resource)?;
            let policy =
                one(&text, DocumentKind::Resource, Source::new(arn, SourceKind::Resource))?;
            let policy = ResourcePolicy { policy: Ok(policy), owner: self.resource_account };
            if policies.insert(arn.to_owned(), policy).is_some() {
                bail!("`{arn}` has two policies");
            }
        }
        estate.resource_policies = Some(policies);
        Ok((estate, notes))
    }
}

/// Tells what is missing.
pub(super) fn tell(notes: &[String]) {
    for note in notes {
        let _ = writeln!(stderr(), "note: {}", terminal::text(note));
    }
}

/// What the command comes to: an answer from an account with policies that cannot be read is told,
/// and is no whole answer.
///
/// # Errors
/// `done`, or policies cannot be read.
pub(crate) fn end(unreadable: usize, done: anyhow::Result<()>) -> anyhow::Result<()> {
    if unreadable > 0 {
        bail!(
            "{unreadable} policies cannot be read (see the notes): whoever they apply to is shown as \
             denied everything, the rest as it is"
        );
    }
    done
}

/// How many policies of the account cannot be read.
pub(crate) fn unreadable(account: &Account) -> usize {
    let owners = account
        .users()
        .map(|user| user.id)
        .chain(account.groups().map(|group| group.id))
        .chain(account.roles().map(|role| role.id));
    let inline = owners.flat_map(|id| account.inline_policies(id));
    let managed =
        account.policies().filter_map(|policy| account.version(policy.id, policy.default_version));
    let texts = inline
        .map(|policy| &policy.document)
        .chain(managed.map(|version| &version.document))
        .filter(|text| text.document().is_err());
    texts.count() + account.roles().filter(|role| role.trust.document().is_err()).count()
}

/// The ARN of a principal of the account, given by its ARN, or by the name of a user or role.
///
/// # Errors
/// There is none.
pub(super) fn principal(reach: &Reach<'_>, given: &str) -> anyhow::Result<String> {
    let all: Vec<&str> = reach.principals().map(|(_, arn)| arn).collect();
    if let Some(found) = all.iter().find(|arn| **arn == given) {
        return Ok((*found).to_owned());
    }
    let tail = format!("/{given}");
    let named: Vec<&&str> = all.iter().filter(|arn| arn.ends_with(&tail)).collect();
    match named.as_slice() {
        [one] => Ok((**one).to_owned()),
        [] => {
            let mut text = format!("the export has no principal `{given}`");
            let short = all.iter().filter_map(|arn| arn.rsplit('/').next());
            if let Some(advice) = nearest::advice(given, short.chain(all.iter().copied())) {
                text.push_str(": ");
                text.push_str(&advice);
            }
            Err(anyhow!(text))
        }
        several => {
            let list: Vec<&str> = several.iter().map(|arn| **arn).collect();
            Err(anyhow!("`{given}` may be any of {}", list.join(", ")))
        }
    }
}

fn found(levels: Vec<Vec<Named>>, scps: bool) -> anyhow::Result<Vec<Vec<Found>>> {
    let (kind, source) = if scps {
        (DocumentKind::ServiceControl, SourceKind::Scp)
    } else {
        (DocumentKind::ResourceControl, SourceKind::Rcp)
    };
    let level = |level: Vec<Named>| -> anyhow::Result<Vec<Found>> {
        level
            .iter()
            .map(|named| one(named, kind, Source::new(Arc::clone(&named.label), source.clone())))
            .collect()
    };
    levels.into_iter().map(level).collect()
}

fn one(named: &Named, kind: DocumentKind, source: Source) -> anyhow::Result<Found> {
    let document = Document::parse(&named.text, kind).map_err(|error| {
        anyhow!("{}:{}:{}: {}", named.label, error.line, error.column, error.problem)
    })?;
    Ok(Found { source, document: Arc::new(document) })
}
