//! The managed policies of an export, the customer's and AWS's.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bailiwick_identifiers::{Arn, IdKind, Path, TagSet};
use bailiwick_policy::Document;
use serde_json::value::RawValue;

use super::build::{At, Builder, Claim, instant};
use super::form::{Item, PolicyDetail, VersionForm};
use super::{ExportError, ExportProblem, Note, NoteKind};
use crate::entity::{Policy, PolicyVersion};
use crate::record::Record;

impl<'a> Builder<'_, 'a> {
    pub(super) fn policies(
        &mut self,
        items: Vec<Item<'a, PolicyDetail<'a>>>,
        of_aws: &mut HashMap<Arn, Option<Arc<Document>>>,
    ) -> Result<(), ExportError> {
        for item in items {
            if item.detail.arn.account() == "aws" {
                self.policy_of_aws(&item, of_aws)?;
                continue;
            }
            let at = At::of(&item);
            let PolicyDetail {
                path,
                policy_name: name,
                policy_id,
                arn,
                default_version_id,
                description,
                create_date,
                update_date,
                policy_version_list,
            } = item.detail;
            let path = path.unwrap_or_else(Path::root);
            let expected = Arn::policy(self.partition(), self.account.id(), &path, &name);
            let claim = Claim {
                kind: IdKind::Policy,
                name: name.folded(),
                found: &arn,
                expected,
                id: policy_id.as_deref(),
            };
            let Some(id) = self.admit(at, claim)? else { continue };
            let versions = policy_version_list.unwrap_or_default();
            let default = self.default_version(at, default_version_id.as_deref(), &versions)?;
            let mut newest_version = default.unwrap_or_default();
            let mut numbers = BTreeSet::new();
            for version in &versions {
                let number = self.version_number(at, &version.version_id)?;
                if !numbers.insert(number) {
                    let text = format!("version `{}` stands twice", version.version_id);
                    return Err(self.error(at, ExportProblem::Version(text)));
                }
                newest_version = newest_version.max(number);
                let about = || format!("{arn} {}", version.version_id);
                let document = self.identity(at.file, version.document.map(RawValue::get), about);
                self.account.put(Record::PolicyVersion(Arc::new(PolicyVersion {
                    policy: id,
                    number,
                    created: instant(version.create_date),
                    document,
                })));
            }
            if default.is_none_or(|default| !numbers.contains(&default)) {
                let place = self.place(at.file, at.raw);
                self.notes.push(Note {
                    kind: NoteKind::Missing,
                    place,
                    about: arn.to_string(),
                    text: "its version in force is not there; whoever it applies to is denied"
                        .to_owned(),
                });
            }
            let created = instant(create_date);
            self.account.put(Record::Policy(Arc::new(Policy {
                id,
                name,
                path,
                description,
                created,
                updated: update_date.map_or(created, |told| told.0),
                default_version: default.unwrap_or_default(),
                newest_version,
                tags: TagSet::default(),
            })));
        }
        Ok(())
    }

    /// An AWS managed policy: the document in force, which stands for the catalog's.
    fn policy_of_aws(
        &mut self,
        item: &Item<'a, PolicyDetail<'a>>,
        of_aws: &mut HashMap<Arn, Option<Arc<Document>>>,
    ) -> Result<(), ExportError> {
        let (at, detail) = (At::of(item), &item.detail);
        if detail.arn.partition() != self.partition().as_str() {
            let account = self.account.root_arn().to_string();
            let problem = ExportProblem::OtherAccount { arn: detail.arn.to_string(), account };
            return Err(self.error(at, problem));
        }
        let versions = detail.policy_version_list.as_deref().unwrap_or_default();
        let default = self.default_version(at, detail.default_version_id.as_deref(), versions)?;
        let in_force = versions
            .iter()
            .find(|version| number_of(&version.version_id).is_some_and(|n| Some(n) == default));
        // A version that is not there is the catalog's to tell.
        let Some(in_force) = in_force else { return Ok(()) };
        let about = || format!("{} {}", detail.arn, in_force.version_id);
        let text = self.identity(item.file, in_force.document.map(RawValue::get), about);
        let document = text.document().ok().cloned();
        let held = of_aws.insert(detail.arn.clone(), document.clone());
        let source = |document: &Option<Arc<Document>>| {
            document.as_ref().map(|document| document.source().to_owned())
        };
        match held {
            Some(held) if source(&held) != source(&document) => {
                Err(self.error(at, ExportProblem::Conflict(detail.arn.to_string())))
            }
            _ => Ok(()),
        }
    }

    fn version_number(&self, at: At<'_>, id: &str) -> Result<u32, ExportError> {
        number_of(id).ok_or_else(|| {
            let text = format!("the id of a policy version has the form `v1`, and `{id}` has not");
            self.error(at, ExportProblem::Version(text))
        })
    }

    /// The number of the version in force, if the policy tells one.
    fn default_version(
        &self,
        at: At<'_>,
        named: Option<&str>,
        versions: &[VersionForm<'_>],
    ) -> Result<Option<u32>, ExportError> {
        let named = named.map(|id| self.version_number(at, id)).transpose()?;
        let marked = versions.iter().filter(|version| version.is_default_version == Some(true));
        let mut default = named;
        for version in marked {
            let number = self.version_number(at, &version.version_id)?;
            if default.is_some_and(|default| default != number) {
                let text = "two versions of the policy are said to be in force".to_owned();
                return Err(self.error(at, ExportProblem::Version(text)));
            }
            default = Some(number);
        }
        Ok(default)
    }
}

fn number_of(version_id: &str) -> Option<u32> {
    let digits = version_id.strip_prefix('v')?;
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
