//! The AWS managed policies: what every account can attach without having written it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::bytes::Reader;
use crate::container::Container;
use crate::documents::{Documents, Place};
use crate::error::CatalogError;

/// An AWS managed policy. It belongs to no account; for reading and attaching it counts as owned by the
/// caller's account (rule IN-9).
#[derive(Debug)]
pub struct ManagedPolicy {
    /// The name, such as `ReadOnlyAccess`.
    pub name: Box<str>,
    /// The path, with both slashes, such as `/job-function/`.
    pub path: Box<str>,
    /// The ARN in partition `aws`; see [`ManagedPolicy::arn_in`] for others.
    pub arn: Box<str>,
    /// The unique id: `ANPA` and 17 characters. AWS's own where the file has it; else derived from the ARN, so
    /// that it is the same on every server and in every edition.
    pub id: Box<str>,
    /// When AWS published the policy.
    pub created: Timestamp,
    /// When AWS changed it last.
    pub updated: Timestamp,
    /// The id of the version in force, such as `v12`. That version is always among `versions`.
    pub default_version: Box<str>,
    /// The known versions, newest first. Numbers may be missing: the sources have not seen every version.
    pub versions: Box<[ManagedPolicyVersion]>,
    /// False when AWS has retired the policy: attachments stay in force, new ones are refused.
    pub attachable: bool,
}

impl ManagedPolicy {
    /// The policy's ARN in another partition, such as `aws-cn`.
    pub fn arn_in(&self, partition: &str) -> String {
        format!("arn:{partition}:iam::aws:policy{}{}", self.path, self.name)
    }

    /// The version `id`, such as `v3`.
    pub fn version(&self, id: &str) -> Option<&ManagedPolicyVersion> {
        self.versions.iter().find(|version| &*version.id == id)
    }

    /// The text of the version in force. Empty if it cannot be read; an empty text is no policy and is denied.
    pub fn default_document(&self) -> String {
        self.version(&self.default_version).map(ManagedPolicyVersion::document).unwrap_or_default()
    }

    /// Whether the policy is made for service-linked roles, so that it cannot be attached to anything else.
    pub fn is_for_service_linked_roles(&self) -> bool {
        &*self.path == "/aws-service-role/"
    }
}

/// One version of an AWS managed policy.
#[derive(Debug)]
pub struct ManagedPolicyVersion {
    /// The id: `v` and a number.
    pub id: Box<str>,
    /// When AWS published the version.
    pub created: Timestamp,
    documents: Arc<Documents>,
    place: usize,
}

impl ManagedPolicyVersion {
    /// The document's text: members and values in the order and spelling of the source, four blanks to a level,
    /// as `GetPolicyVersion` returns it. It is put together on each call: some microseconds for most documents,
    /// up to some milliseconds for an old version of a long history. Keep what you parse from it.
    ///
    /// Empty if the text cannot be read, which a checked file rules out; an empty text is no policy and is denied.
    pub fn document(&self) -> String {
        self.documents.text(self.place).unwrap_or_default()
    }
}

/// All AWS managed policies, sorted by name, found by name or by path and name.
#[derive(Debug, Default)]
pub(crate) struct PolicyTable {
    policies: Vec<ManagedPolicy>,
    by_name: HashMap<Box<str>, usize>,
    documents: Option<Arc<Documents>>,
}

impl PolicyTable {
    /// Reads the table; `first_block` is the section of the first block of documents.
    pub(crate) fn read(
        bytes: &[u8],
        container: &Arc<Container>,
        first_block: usize,
    ) -> Result<Self, CatalogError> {
        let mut reader = Reader::new(bytes, "managed policies");
        let mut paths = Vec::new();
        for _ in 0..reader.count()? {
            paths.push(reader.text()?);
        }
        let mut heads = Vec::new();
        let mut places = Places::default();
        for _ in 0..reader.count()? {
            heads.push(Head::read(&mut reader, &paths, &mut places)?);
        }
        let documents = Arc::new(Documents::new(Arc::clone(container), first_block, places.all));
        let policies: Vec<ManagedPolicy> =
            heads.into_iter().map(|head| head.finish(&documents)).collect();
        let by_name =
            policies.iter().enumerate().map(|(at, policy)| (policy.name.clone(), at)).collect();
        Ok(Self { policies, by_name, documents: Some(documents) })
    }

    /// Reads every document, as a check.
    pub(crate) fn verify(&self) -> Result<(), CatalogError> {
        if self.by_name.len() != self.policies.len() {
            return Err(CatalogError::malformed("managed policies", "a name stands twice"));
        }
        self.documents.as_ref().map_or(Ok(()), |documents| documents.verify())
    }

    pub(crate) fn find(&self, arn_or_name: &str) -> Option<&ManagedPolicy> {
        let Some(tail) = arn_or_name.strip_prefix("arn:") else { return self.named(arn_or_name) };
        let (_partition, tail) = tail.split_once(':')?;
        let path_and_name = tail.strip_prefix("iam::aws:policy")?;
        let (path, name) = path_and_name.split_at_checked(path_and_name.rfind('/')? + 1)?;
        self.named(name).filter(|policy| &*policy.path == path)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, ManagedPolicy> {
        self.policies.iter()
    }

    fn named(&self, name: &str) -> Option<&ManagedPolicy> {
        self.policies.get(*self.by_name.get(name)?)
    }
}

/// A policy as read, before the documents have been put together.
struct Head {
    name: Box<str>,
    path: Box<str>,
    id: Box<str>,
    attachable: bool,
    created: Timestamp,
    updated: Timestamp,
    default_version: Box<str>,
    versions: Vec<(Box<str>, Timestamp, usize)>,
}

impl Head {
    fn read(
        reader: &mut Reader<'_>,
        paths: &[&str],
        places: &mut Places,
    ) -> Result<Self, CatalogError> {
        let name: Box<str> = reader.text()?.into();
        let path = reader.size()?;
        let path: Box<str> =
            paths.get(path).copied().ok_or_else(|| reader.error("a path is not there"))?.into();
        let id = reader.text()?;
        let id = if id.is_empty() {
            derived_id(&format!("arn:aws:iam::aws:policy{path}{name}"))
        } else {
            id.into()
        };
        let attachable = reader.byte()? != 0;
        let default_version = version_id(reader.number()?);
        // An instant is stored as its distance from the one before, in seconds.
        let updated = instant(reader, 0)?;
        let mut last = updated.as_second();
        let first = places.all.len();
        let mut versions = Vec::new();
        for _ in 0..reader.count()? {
            let version = version_id(reader.number()?);
            let published = instant(reader, last)?;
            last = published.as_second();
            versions.push((version, published, places.all.len()));
            places.read(reader, first)?;
        }
        let created = instant(reader, last)?;
        if !versions.iter().any(|(version, ..)| *version == default_version) {
            return Err(reader.error("the default version is not there"));
        }
        Ok(Self { name, path, id, attachable, created, updated, default_version, versions })
    }

    fn finish(self, documents: &Arc<Documents>) -> ManagedPolicy {
        let Self { name, path, id, attachable, created, updated, default_version, versions } = self;
        let versions = versions
            .into_iter()
            .map(|(id, created, place)| ManagedPolicyVersion {
                id,
                created,
                documents: Arc::clone(documents),
                place,
            })
            .collect();
        let arn = format!("arn:aws:iam::aws:policy{path}{name}").into();
        ManagedPolicy {
            name,
            path,
            arn,
            id,
            created,
            updated,
            default_version,
            versions,
            attachable,
        }
    }
}

/// Where the documents lie. They fill their blocks without gaps, so only blocks and lengths are stored.
#[derive(Default)]
struct Places {
    all: Vec<Place>,
    ends: HashMap<usize, usize>,
}

impl Places {
    /// Reads one place; its base must not lie before `first`, the policy's own first document.
    fn read(&mut self, reader: &mut Reader<'_>, first: usize) -> Result<(), CatalogError> {
        let (block, len, back) = (reader.size()?, reader.size()?, reader.size()?);
        let base = match back {
            0 => None,
            back => Some(self.all.len().checked_sub(back).filter(|base| *base >= first))
                .ok_or_else(|| reader.error("a version has no base"))?,
        };
        let end = self.ends.entry(block).or_default();
        let start = *end;
        *end = start.checked_add(len).ok_or_else(|| reader.error("a document is too long"))?;
        self.all.push(Place { block, start, len, base });
        Ok(())
    }
}

fn version_id(number: u32) -> Box<str> {
    format!("v{number}").into()
}

fn instant(reader: &mut Reader<'_>, from: i64) -> Result<Timestamp, CatalogError> {
    let second = reader.signed()?.checked_add(from);
    let instant = second.and_then(|second| Timestamp::from_second(second).ok());
    instant.ok_or_else(|| reader.error("an instant is out of range"))
}

/// An id in AWS's form: `ANPA` and 17 base32 characters from the 128-bit FNV-1a hash of the ARN.
///
/// Deviation: AWS's own ids are random, and the sources do not carry them.
pub(crate) fn derived_id(arn: &str) -> Box<str> {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let hash = arn.bytes().fold(BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    // The last bytes have reached only the low bits; mix once more before taking 85 bits.
    let hash = (hash ^ hash >> 64).wrapping_mul(PRIME) ^ hash >> 43;
    let body = (0..17).map(|at| {
        char::from(DIGITS.get((hash >> (5 * at)) as usize & 31).copied().unwrap_or(b'A'))
    });
    "ANPA".chars().chain(body).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Derived ids are stored in answers and audit events, so they must never change.
    #[test]
    fn derived_ids_are_stable() {
        let id = derived_id("arn:aws:iam::aws:policy/AdministratorAccess");
        assert_eq!(id.len(), 21);
        assert_eq!(&*id, DERIVED);
        assert_ne!(id, derived_id("arn:aws:iam::aws:policy/AdministratorAccesS"));
    }

    const DERIVED: &str = "ANPA3EMGN7IXGEQXTGRUT";
}
