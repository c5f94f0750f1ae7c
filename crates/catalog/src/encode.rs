//! Building a data file. Only `cargo xtask catalog` and tests need this; servers only read.
//!
//! The same facts in whatever order give the same bytes.

mod difference;
mod policies;
mod services;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::access_level::AccessLevels;
use crate::bytes::Writer;
use crate::condition_key::ConditionKey;
use crate::container::{Counts, FORMAT_VERSION, MARK, PREFIX_LEN, Source, checksum};

/// All that goes into a data file.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The day of the newest fact.
    pub date: Date,
    /// Where the facts come from.
    pub sources: Vec<Source>,
    /// The services.
    pub services: Vec<ServiceFacts>,
    /// The condition keys of all services.
    pub condition_keys: Vec<ConditionKey>,
    /// The AWS managed policies.
    pub policies: Vec<PolicyFacts>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// The prefix of its actions.
    pub prefix: String,
    /// The display name.
    pub name: String,
    /// Whether resource control policies apply to it.
    pub resource_control_policies: bool,
    /// The names of the condition keys in its table.
    pub condition_keys: Vec<String>,
    /// The resource types.
    pub resource_types: Vec<ResourceTypeFacts>,
    /// The actions.
    pub actions: Vec<ActionFacts>,
}

/// A resource type of a service.
#[derive(Clone, Debug)]
pub struct ResourceTypeFacts {
    /// The name.
    pub name: String,
    /// The pattern of its ARNs.
    pub arn_pattern: String,
    /// The names of its condition keys.
    pub condition_keys: Vec<String>,
}

/// An action of a service.
#[derive(Clone, Debug)]
pub struct ActionFacts {
    /// The name without prefix.
    pub name: String,
    /// The access levels.
    pub levels: AccessLevels,
    /// The resource types it uses.
    pub resources: Vec<ActionResourceFacts>,
    /// The names of condition keys that hold for all resource types.
    pub condition_keys: Vec<String>,
    /// Other actions needed, with prefix.
    pub dependent_actions: Vec<String>,
}

/// A resource type as an action uses it.
#[derive(Clone, Debug)]
pub struct ActionResourceFacts {
    /// The name of one of the service's resource types.
    pub name: String,
    /// Whether a call always names one.
    pub required: bool,
    /// The names of condition keys.
    pub condition_keys: Vec<String>,
    /// Other actions needed, with prefix.
    pub dependent_actions: Vec<String>,
}

/// An AWS managed policy.
#[derive(Clone, Debug)]
pub struct PolicyFacts {
    /// The name.
    pub name: String,
    /// The path with both slashes.
    pub path: String,
    /// AWS's id, or empty when it is not known.
    pub id: String,
    /// When it was published.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// The number of the version in force; it must be among the versions.
    pub default_version: u32,
    /// Whether it can still be attached.
    pub attachable: bool,
    /// The versions.
    pub versions: Vec<VersionFacts>,
}

/// A version of an AWS managed policy.
#[derive(Clone, Debug)]
pub struct VersionFacts {
    /// The number, without `v`.
    pub number: u32,
    /// When it was published.
    pub created: Timestamp,
    /// The document's text, kept to the byte. It must be laid out one value a line with four blanks to a level.
    pub document: String,
}

/// Why facts cannot be written as a data file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EncodeError {
    /// An action names a resource type that its service lacks.
    #[error("action `{action}` names resource type `{resource}`, which its service does not have")]
    ResourceType {
        /// The action, with prefix.
        action: String,
        /// The resource type.
        resource: String,
    },
    /// Two things that must differ have the same name, disregarding case.
    #[error("`{0}` stands twice")]
    Twice(String),
    /// A name holds other than printable ASCII, so that it could not be found without regard to case.
    #[error("`{0}` is not printable ASCII")]
    NotAscii(String),
    /// A policy's default version is not among its versions.
    #[error("policy `{0}` has no default version")]
    DefaultVersion(String),
    /// A document is not laid out one value a line with four blanks to a level, or is too long or too deep.
    #[error("the document of `{0}` is not laid out as the file needs it")]
    Layout(String),
    /// A part could not be compressed.
    #[error("a part cannot be compressed: {0}")]
    Compression(String),
}

/// The data file for `facts`.
///
/// # Errors
///
/// [`EncodeError`] when the facts contradict themselves.
pub fn encode(mut facts: Facts) -> Result<Vec<u8>, EncodeError> {
    sort(&mut facts)?;
    let (policies, blocks) = policies::write(&facts.policies)?;
    let mut sections = vec![
        services::write(&facts.services)?,
        services::write_keys(&facts.condition_keys),
        policies,
    ];
    sections.extend(blocks);

    let mut head = Writer::default();
    head.text(&facts.date.to_string());
    head.size(facts.sources.len());
    for source in &facts.sources {
        head.text(&source.name);
        head.text(&source.version);
    }
    let counts = counts(&facts);
    for count in [
        counts.services,
        counts.actions,
        counts.resource_types,
        counts.condition_keys,
        counts.managed_policies,
        counts.policy_versions,
    ] {
        head.varint(count.into());
    }
    let stored = sections.iter().map(|section| compress(section)).collect::<Result<Vec<_>, _>>()?;
    head.size(sections.len());
    for (section, stored) in sections.iter().zip(&stored) {
        head.size(stored.len());
        head.size(section.len());
    }
    let mut body = head.0;
    for section in &stored {
        body.extend_from_slice(section);
    }

    let mut file = Vec::with_capacity(PREFIX_LEN + body.len());
    file.extend_from_slice(MARK);
    file.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    file.extend_from_slice(&((PREFIX_LEN + body.len()) as u64).to_le_bytes());
    file.extend_from_slice(&checksum(&body).to_le_bytes());
    file.extend_from_slice(&body);
    Ok(file)
}

/// Brings the facts into the one order that files have, and refuses names that stand twice.
fn sort(facts: &mut Facts) -> Result<(), EncodeError> {
    facts.services.sort_by(|a, b| a.prefix.cmp(&b.prefix));
    facts.condition_keys.sort_by_cached_key(|key| key.name.to_ascii_lowercase());
    facts.policies.sort_by(|a, b| a.name.cmp(&b.name));
    distinct(facts.services.iter().map(|service| &*service.prefix))?;
    distinct(facts.condition_keys.iter().map(|key| &*key.name))?;
    distinct(facts.policies.iter().map(|policy| &*policy.name))?;
    for service in &mut facts.services {
        service.actions.sort_by_cached_key(|action| action.name.to_ascii_lowercase());
        service.resource_types.sort_by_cached_key(|kind| kind.name.to_ascii_lowercase());
        distinct(service.actions.iter().map(|action| &*action.name))?;
        distinct(service.resource_types.iter().map(|kind| &*kind.name))?;
        service.condition_keys.sort();
        service.resource_types.iter_mut().for_each(|kind| kind.condition_keys.sort());
        for action in &mut service.actions {
            action.condition_keys.sort();
            action.dependent_actions.sort();
            action.resources.sort_by_cached_key(|resource| resource.name.to_ascii_lowercase());
            for resource in &mut action.resources {
                resource.condition_keys.sort();
                resource.dependent_actions.sort();
            }
        }
    }
    for policy in &mut facts.policies {
        policy.versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        if !policy.versions.iter().any(|version| version.number == policy.default_version) {
            return Err(EncodeError::DefaultVersion(policy.name.clone()));
        }
    }
    Ok(())
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), EncodeError> {
    let mut known = std::collections::BTreeSet::new();
    for name in names {
        if !name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(EncodeError::NotAscii(name.to_owned()));
        }
        if !known.insert(name.to_ascii_lowercase()) {
            return Err(EncodeError::Twice(name.to_owned()));
        }
    }
    Ok(())
}

fn counts(facts: &Facts) -> Counts {
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    Counts {
        services: count(facts.services.len()),
        actions: count(facts.services.iter().map(|service| service.actions.len()).sum()),
        resource_types: count(
            facts.services.iter().map(|service| service.resource_types.len()).sum(),
        ),
        condition_keys: count(facts.condition_keys.len()),
        managed_policies: count(facts.policies.len()),
        policy_versions: count(facts.policies.iter().map(|policy| policy.versions.len()).sum()),
    }
}

fn compress(section: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(section)
        .and_then(|()| encoder.finish())
        .map_err(|error| EncodeError::Compression(error.to_string()))
}
