//! From the details of an export to an [`Account`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccountId, Arn, Folded, GroupName, IdKind, Partition, UniqueId};
use jiff::Timestamp;
use serde::Deserialize;

use super::form::{Instant, Item, Pages};
use super::members::{self, MAX_KINDS};
use super::place::Text;
use super::texts;
use super::{ExportError, ExportProblem, Imported, Note, NoteKind, NotePlace};
use crate::account::Account;
use crate::entity::AccountInfo;
use crate::managed::ManagedPolicies;
use crate::text::{IdentityText, TrustText};

/// Puts the account of all pages together.
pub(super) fn account(
    texts: &[Text<'_>],
    pages: Pages<'_>,
    members: &members::Found<'_>,
    catalog: &'static Catalog,
) -> Result<Imported, ExportError> {
    let owner = owner(texts, &pages)?;
    let mut builder = Builder {
        texts,
        account: Account::new(AccountInfo {
            id: owner.account,
            name: None,
            partition: owner.partition,
            created: Timestamp::UNIX_EPOCH,
            alias: None,
        }),
        notes: Vec::new(),
        seen: HashMap::new(),
        ids: HashSet::new(),
        identity_texts: texts::identity(&pages),
        trust_texts: HashMap::new(),
        principals: HashMap::new(),
        missing_groups: BTreeSet::new(),
        missing_principals: BTreeSet::new(),
    };
    if pages.cut_off {
        builder.notes.push(Note {
            kind: NoteKind::CutOff,
            place: None,
            about: owner.account.to_string(),
            text: "every page says that another one follows, and none is there".to_owned(),
        });
    }
    builder.name_unknown_members(members);
    let mut of_aws = HashMap::new();
    builder.policies(pages.policies, &mut of_aws)?;
    builder.groups(pages.groups)?;
    builder.users(pages.users)?;
    builder.roles(pages.roles)?;
    let managed = ManagedPolicies::preferring(catalog, of_aws);
    builder.name_missing_policies(&managed, catalog);
    Ok(Imported { account: builder.account, managed, notes: builder.notes })
}

/// Whose export it is.
#[derive(Clone, Copy)]
struct Owner {
    account: AccountId,
    partition: Partition,
}

/// The account of the first entity that has one.
fn owner(texts: &[Text<'_>], pages: &Pages<'_>) -> Result<Owner, ExportError> {
    let users = pages.users.iter().map(|item| &item.detail.arn);
    let groups = pages.groups.iter().map(|item| &item.detail.arn);
    let roles = pages.roles.iter().map(|item| &item.detail.arn);
    let policies = pages.policies.iter().map(|item| &item.detail.arn);
    let owner = users.chain(groups).chain(roles).chain(policies).find_map(|arn| {
        let (account, partition) = (arn.account_id()?, arn.partition().parse().ok()?);
        Some(Owner { account, partition })
    });
    let nowhere = Text::new("", "");
    let first = texts.first().unwrap_or(&nowhere);
    owner.ok_or_else(|| ExportError::at(first, 0, ExportProblem::Empty))
}

/// Where an entity stands.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: usize,
    pub(super) raw: &'a str,
}

impl<'a> At<'a> {
    pub(super) fn of<T>(item: &Item<'a, T>) -> Self {
        Self { file: item.file, raw: item.raw }
    }
}

/// What an entity says of itself.
pub(super) struct Claim<'a> {
    pub(super) kind: IdKind,
    pub(super) name: Folded,
    pub(super) found: &'a Arn,
    pub(super) expected: Arn,
    pub(super) id: Option<&'a str>,
}

pub(super) struct Builder<'t, 'a> {
    pub(super) texts: &'t [Text<'a>],
    pub(super) account: Account,
    pub(super) notes: Vec<Note>,
    /// The text of each entity by kind and name.
    pub(super) seen: HashMap<(IdKind, Folded), &'a str>,
    pub(super) ids: HashSet<UniqueId>,
    /// Equal texts are one document in memory.
    pub(super) identity_texts: HashMap<Cow<'a, str>, IdentityText>,
    pub(super) trust_texts: HashMap<Cow<'a, str>, TrustText>,
    /// The ids of users and roles by ARN.
    pub(super) principals: HashMap<Arn, UniqueId>,
    pub(super) missing_groups: BTreeSet<GroupName>,
    pub(super) missing_principals: BTreeSet<Arn>,
}

impl<'a> Builder<'_, 'a> {
    pub(super) fn partition(&self) -> Partition {
        self.account.partition()
    }

    pub(super) fn error(&self, at: At<'_>, problem: ExportProblem) -> ExportError {
        let nowhere = Text::new("", "");
        let text = self.texts.get(at.file).unwrap_or(&nowhere);
        ExportError::at(text, text.offset_of(at.raw), problem)
    }

    /// A part of an entity, read by itself.
    pub(super) fn form<T: Deserialize<'a>>(&self, at: At<'a>) -> Result<T, ExportError> {
        serde_json::from_str(at.raw).map_err(|error| {
            let nowhere = Text::new("", "");
            self.texts.get(at.file).unwrap_or(&nowhere).json_error(at.raw, &error)
        })
    }

    pub(super) fn place(&self, file: usize, part: &str) -> Option<NotePlace> {
        let text = self.texts.get(file)?;
        let place = text.place(text.offset_of(part));
        Some(NotePlace { file: text.name.to_owned(), line: place.line, column: place.column })
    }

    /// The id of an entity that belongs to the account and is there for the first time; none for
    /// one that is there already.
    pub(super) fn admit(
        &mut self,
        at: At<'a>,
        claim: Claim<'_>,
    ) -> Result<Option<UniqueId>, ExportError> {
        let arn = claim.found;
        if arn.account_id() != Some(self.account.id())
            || arn.partition() != self.partition().as_str()
        {
            let account = self.account.root_arn().to_string();
            let problem = ExportProblem::OtherAccount { arn: arn.to_string(), account };
            return Err(self.error(at, problem));
        }
        if *arn != claim.expected {
            let expected = claim.expected.to_string();
            let problem = ExportProblem::WrongArn { found: arn.to_string(), expected };
            return Err(self.error(at, problem));
        }
        match self.seen.insert((claim.kind, claim.name), at.raw) {
            Some(before) if before == at.raw => {
                let place = self.place(at.file, at.raw);
                self.notes.push(Note {
                    kind: NoteKind::Repeated,
                    place,
                    about: arn.to_string(),
                    text: "it stands twice with the same content, and counts once".to_owned(),
                });
                return Ok(None);
            }
            Some(_) => return Err(self.error(at, ExportProblem::Conflict(arn.to_string()))),
            None => {}
        }
        let given = claim.id.and_then(|id| id.parse::<UniqueId>().ok());
        let id = match given.filter(|id| id.kind() == claim.kind) {
            Some(id) => id,
            None => self.derive(at, claim.kind, arn, claim.id),
        };
        if !self.ids.insert(id) {
            return Err(self.error(at, ExportProblem::Conflict(id.to_string())));
        }
        Ok(Some(id))
    }

    fn derive(&mut self, at: At<'_>, kind: IdKind, arn: &Arn, given: Option<&str>) -> UniqueId {
        let id = derived_id(kind, arn.as_str());
        let place = self.place(at.file, at.raw);
        let text = match given {
            Some(given) => format!("its id `{given}` has not the form of AWS's; it counts as {id}"),
            None => format!("it has no id; it counts as {id}"),
        };
        self.notes.push(Note { kind: NoteKind::Derived, place, about: arn.to_string(), text });
        id
    }

    /// What the account has no place for.
    pub(super) fn passed_over(&mut self, at: At<'_>, about: &Arn, text: String) {
        let place = self.place(at.file, at.raw);
        let about = about.to_string();
        self.notes.push(Note { kind: NoteKind::PassedOver, place, about, text });
    }

    fn name_unknown_members(&mut self, found: &members::Found<'_>) {
        let export = self.account.id().to_string();
        for (file, unknown) in &found.unknown {
            let place = match &unknown.name {
                Cow::Borrowed(name) => self.place(*file, name),
                Cow::Owned(_) => None,
            };
            let times = match unknown.times {
                1 => String::new(),
                times => format!("; it stands {times} times in all"),
            };
            let text = format!(
                "`{}` is no member of {} that is known here, and is passed over{times}",
                unknown.name, unknown.of
            );
            let about = unknown.arn.clone().unwrap_or_else(|| export.clone());
            self.notes.push(Note { kind: NoteKind::PassedOver, place, about, text });
        }
        if found.more {
            let text = format!("there are more than {MAX_KINDS} kinds of unknown members");
            let note = Note { kind: NoteKind::PassedOver, place: None, about: export, text };
            self.notes.push(note);
        }
    }

    /// Tells which attached policies and boundaries are nowhere, and whether the catalog stands in.
    fn name_missing_policies(&mut self, managed: &ManagedPolicies, catalog: &Catalog) {
        let account = &self.account;
        let owners = account.users().map(|user| (user.id, user.boundary.as_ref()));
        let owners = owners.chain(account.groups().map(|group| (group.id, None)));
        let owners = owners.chain(account.roles().map(|role| (role.id, role.boundary.as_ref())));
        let mut used: BTreeMap<&Arn, usize> = BTreeMap::new();
        for (owner, boundary) in owners {
            for arn in account.attached(owner).chain(boundary) {
                *used.entry(arn).or_default() += 1;
            }
        }
        let mut from_catalog = 0_usize;
        let mut notes = Vec::new();
        for (arn, times) in used {
            let known = if arn.account() == "aws" {
                let is_catalogs = !managed.is_preferred(arn);
                let known = arn.partition() == account.partition().as_str()
                    && (!is_catalogs || managed.document(arn).is_some());
                from_catalog += usize::from(known && is_catalogs);
                known
            } else {
                account.policy_with_arn(arn).is_some()
            };
            if !known {
                notes.push(Note {
                    kind: NoteKind::Missing,
                    place: None,
                    about: arn.to_string(),
                    text: format!(
                        "the policy is not there, and is used {times} times; whoever it applies \
                         to is denied"
                    ),
                });
            }
        }
        if from_catalog > 0 {
            notes.push(Note {
                kind: NoteKind::Catalog,
                place: None,
                about: "AWS managed policies".to_owned(),
                text: format!(
                    "{from_catalog} are used and not in the export; their text is the catalog's \
                     of {}",
                    catalog.date()
                ),
            });
        }
        self.notes.extend(notes);
    }
}

/// An instant that decides nothing; the epoch where the export does not tell it.
pub(super) fn instant(told: Option<Instant>) -> Timestamp {
    told.map_or(Timestamp::UNIX_EPOCH, |told| told.0)
}

/// An id in AWS's form from the 128-bit FNV-1a hash of an ARN: the same for the same entity in
/// every reading.
pub(super) fn derived_id(kind: IdKind, arn: &str) -> UniqueId {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let step = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(PRIME);
    let hash = arn.bytes().fold(BASIS, step);
    // The last bytes have reached the low bits alone; once more, so that they reach the high ones.
    let hash = (hash ^ (hash >> 64)).wrapping_mul(PRIME);
    let mut random = [0; 11];
    for (slot, byte) in random.iter_mut().zip(hash.to_be_bytes()) {
        *slot = byte;
    }
    UniqueId::from_random(kind, random)
}
