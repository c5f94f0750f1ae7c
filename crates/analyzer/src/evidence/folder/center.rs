//! The files of Identity Center: several make up one permission set.

use super::super::part::{Missing, Part};
use super::super::text::{Fault, Text};
use super::super::{Evidence, IdentityCenter, PermissionSet, regional};
use super::Reader;

impl Reader {
    /// Reads one file of Identity Center. False: the path is none of the layout's.
    pub(super) fn identity_center(
        &mut self,
        found: &mut Evidence,
        file: &str,
        text: &Text<'_>,
    ) -> Result<bool, Fault> {
        if let Some((part, number)) = set_file(file) {
            match part {
                SetPart::Itself => {
                    let mut set = self.sets.remove(number).unwrap_or_default();
                    let read = regional::permission_set(text, &mut set);
                    self.sets.insert(number.to_owned(), set);
                    read?;
                }
                SetPart::Inline => {
                    let policy = regional::inline_policy(text)?;
                    self.set(number).inline = Part::Known(policy);
                }
                SetPart::Managed => {
                    let list = regional::managed_policies(text)?;
                    self.set(number).managed = Part::Known(list);
                }
                SetPart::Customer => {
                    let list = regional::customer_policies(text)?;
                    self.set(number).customer_managed = Part::Known(list);
                }
            }
            return Ok(true);
        }
        let mut center = match &found.identity_center {
            Part::Known(Some(center)) => center.clone(),
            Part::Missing(Missing::NotGiven) | Part::Known(None) => IdentityCenter::default(),
            Part::Missing(_) => return Ok(true),
        };
        if file == "instances.json" {
            center.instances = regional::instances(text)?;
            if center.instances.is_empty() {
                found.identity_center = Part::Known(None);
                return Ok(true);
            }
        } else if file.starts_with("assignments-") {
            regional::assignments(text, &mut center)?;
        } else if let Some(group) = members_file(file) {
            center.members.insert(group.to_owned(), regional::members(text)?);
        } else {
            return Ok(false);
        }
        found.identity_center = Part::Known(Some(center));
        Ok(true)
    }

    pub(super) fn set(&mut self, number: &str) -> &mut PermissionSet {
        self.sets.entry(number.to_owned()).or_default()
    }

    /// Puts the permission sets into what is known of Identity Center.
    pub(super) fn join_sets(&mut self, found: &mut Evidence) {
        // What is known of a set that no file names belongs to nothing.
        let sets = std::mem::take(&mut self.sets).into_values();
        let sets: Vec<PermissionSet> = sets.filter(|set| !set.arn.is_empty()).collect();
        if sets.is_empty() {
            return;
        }
        let center = match &mut found.identity_center {
            Part::Known(center) => center.get_or_insert_default(),
            part @ Part::Missing(Missing::NotGiven) => {
                *part = Part::Known(Some(IdentityCenter::default()));
                let Part::Known(Some(center)) = part else { return };
                center
            }
            Part::Missing(_) => return,
        };
        center.permission_sets.extend(sets);
    }
}

/// The id of the group whose members a file tells.
pub(super) fn members_file(file: &str) -> Option<&str> {
    file.strip_suffix(".json")?.strip_prefix("members-")
}

/// What a file tells of a permission set.
#[derive(Clone, Copy)]
pub(super) enum SetPart {
    Itself,
    Inline,
    Managed,
    Customer,
}

/// The part of a permission set that a file of Identity Center tells, and the number of the set.
pub(super) fn set_file(file: &str) -> Option<(SetPart, &str)> {
    let stem = file.strip_suffix(".json")?;
    [
        ("permission-set-", SetPart::Itself),
        ("inline-policy-", SetPart::Inline),
        ("managed-policies-", SetPart::Managed),
        ("customer-policies-", SetPart::Customer),
    ]
    .into_iter()
    .find_map(|(head, part)| Some((part, stem.strip_prefix(head)?)))
}
