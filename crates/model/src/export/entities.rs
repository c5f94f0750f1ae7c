//! The users, groups and roles of an export.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_identifiers::{Arn, GroupName, IdKind, Path, PolicyName, Tag, TagSet, UniqueId};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::build::{At, Builder, Claim, derived_id, instant};
use super::form::{
    AttachedForm, GroupDetail, Instant, Item, LastUsedForm, PolicyForm, ProfileForm, RoleDetail,
    TagForm, UserDetail,
};
use super::{ExportError, ExportProblem, Note, NoteKind};
use crate::account::Account;
use crate::entity::{
    Attachment, Group, InlinePolicy, InstanceProfile, Membership, Role, RoleUse, User,
};
use crate::record::Record;
use crate::text::IdentityText;

/// The longest session of a role whose export does not tell it, in seconds. Source: IAM API,
/// CreateRole.
const DEFAULT_SESSION: u32 = 3600;

/// The policy of a group that is not there. No text that was ever written is empty.
const MISSING: &str = "missing";

/// Whether a group stands for one that the export did not hold.
pub(super) fn is_missing(account: &Account, group: &Group) -> bool {
    group.id == derived_id(IdKind::Group, account.group_arn(group).as_str())
        && account
            .inline_policies(group.id)
            .any(|policy| policy.name.as_str() == MISSING && policy.document.source().is_empty())
}

impl<'a> Builder<'_, 'a> {
    pub(super) fn groups(
        &mut self,
        items: Vec<Item<'a, GroupDetail<'a>>>,
    ) -> Result<(), ExportError> {
        for item in items {
            let at = At::of(&item);
            let GroupDetail { path, group_name: name, group_id, arn, create_date, .. } =
                &item.detail;
            let path = path.clone().unwrap_or_else(Path::root);
            let claim = Claim {
                kind: IdKind::Group,
                name: name.folded(),
                found: arn,
                expected: Arn::group(self.partition(), self.account.id(), &path, name),
                id: group_id.as_deref(),
            };
            let Some(id) = self.admit(at, claim)? else { continue };
            self.account.put(Record::Group(Arc::new(Group {
                id,
                name: name.clone(),
                path,
                created: instant(*create_date),
            })));
            let arn = item.detail.arn;
            self.inline(at, id, &arn, item.detail.group_policy_list)?;
            self.attach(id, item.detail.attached_managed_policies);
        }
        Ok(())
    }

    pub(super) fn users(
        &mut self,
        items: Vec<Item<'a, UserDetail<'a>>>,
    ) -> Result<(), ExportError> {
        for item in items {
            let at = At::of(&item);
            let detail = item.detail;
            let path = detail.path.unwrap_or_else(Path::root);
            let name = detail.user_name;
            let claim = Claim {
                kind: IdKind::User,
                name: name.folded(),
                found: &detail.arn,
                expected: Arn::user(self.partition(), self.account.id(), &path, &name),
                id: detail.user_id.as_deref(),
            };
            let Some(id) = self.admit(at, claim)? else { continue };
            self.principals.insert(detail.arn.clone(), id);
            let tags = self.tags(at, &detail.arn, detail.tags);
            self.account.put(Record::User(Arc::new(User {
                id,
                name,
                path,
                created: instant(detail.create_date),
                tags,
                boundary: detail.permissions_boundary.map(|it| it.permissions_boundary_arn),
            })));
            self.inline(at, id, &detail.arn, detail.user_policy_list)?;
            self.attach(id, detail.attached_managed_policies);
            for group in detail.group_list.unwrap_or_default() {
                let group = self.group(group);
                self.account.put(Record::Membership(Membership { user: id, group }));
            }
        }
        Ok(())
    }

    /// The id of a group that a user is in. One that no page holds is made, with a policy that
    /// cannot be read: what it says may be a Deny.
    fn group(&mut self, name: GroupName) -> UniqueId {
        if let Some(group) = self.account.group_named(name.as_str()) {
            return group.id;
        }
        let path = Path::root();
        let arn = Arn::group(self.partition(), self.account.id(), &path, &name);
        let id = derived_id(IdKind::Group, arn.as_str());
        if self.missing_groups.insert(name.clone()) {
            self.notes.push(Note {
                kind: NoteKind::Missing,
                place: None,
                about: arn.to_string(),
                text: "the group is not there; its users are denied".to_owned(),
            });
        }
        if let Ok(missing) = MISSING.parse::<PolicyName>() {
            self.account.put(Record::InlinePolicy(Arc::new(InlinePolicy {
                owner: id,
                name: missing,
                document: IdentityText::from(String::new()),
            })));
        }
        let created = Timestamp::UNIX_EPOCH;
        self.account.put(Record::Group(Arc::new(Group { id, name, path, created })));
        id
    }

    pub(super) fn roles(
        &mut self,
        items: Vec<Item<'a, RoleDetail<'a>>>,
    ) -> Result<(), ExportError> {
        // The ids of all roles come first: trust policies name each other's roles.
        let mut admitted = Vec::with_capacity(items.len());
        for item in items {
            let at = At::of(&item);
            let detail = &item.detail;
            let path = detail.path.clone().unwrap_or_else(Path::root);
            let name = &detail.role_name;
            let claim = Claim {
                kind: IdKind::Role,
                name: name.folded(),
                found: &detail.arn,
                expected: Arn::role(self.partition(), self.account.id(), &path, name),
                id: detail.role_id.as_deref(),
            };
            let Some(id) = self.admit(at, claim)? else { continue };
            self.principals.insert(detail.arn.clone(), id);
            admitted.push((item, id, path));
        }
        let pathless: Vec<_> = admitted
            .iter()
            .map(|(item, id, _)| {
                let resource = format!("role/{}", item.detail.role_name);
                (Arn::iam(self.partition(), self.account.id(), &resource), *id)
            })
            .collect();
        let by_session: HashMap<Arn, UniqueId> = pathless.into_iter().collect();
        for (item, id, path) in admitted {
            let at = At::of(&item);
            let detail = item.detail;
            let arn = detail.arn;
            let raw = detail.assume_role_policy_document.map(RawValue::get);
            let trust = self.trust(at.file, raw, &arn, &by_session);
            let tags = self.tags(at, &arn, detail.tags);
            self.account.put(Record::Role(Arc::new(Role {
                id,
                name: detail.role_name,
                path,
                created: instant(detail.create_date),
                description: None,
                max_session_seconds: DEFAULT_SESSION,
                trust,
                tags,
                boundary: detail.permissions_boundary.map(|it| it.permissions_boundary_arn),
            })));
            if let Some(last) = detail.role_last_used {
                self.last_use(at, id, &arn, last);
            }
            self.inline(at, id, &arn, detail.role_policy_list)?;
            self.attach(id, detail.attached_managed_policies);
            for raw in detail.instance_profile_list.unwrap_or_default() {
                self.profile(At { file: at.file, raw: raw.get() }, id, &arn)?;
            }
        }
        Ok(())
    }

    fn last_use(&mut self, at: At<'a>, role: UniqueId, arn: &Arn, last: LastUsedForm) {
        let region = last.region.unwrap_or_default();
        if let Some(Instant(at)) = last.last_used_date {
            self.account.put(Record::RoleUse(Arc::new(RoleUse { role, at, region })));
        } else if !region.is_empty() {
            let text = format!("its last use, in {region}, has no date and is passed over");
            self.passed_over(at, arn, text);
        }
    }

    fn profile(&mut self, at: At<'a>, role: UniqueId, of: &Arn) -> Result<(), ExportError> {
        let profile: ProfileForm = self.form(at)?;
        let path = profile.path.unwrap_or_else(Path::root);
        let name = profile.instance_profile_name;
        let expected = Arn::instance_profile(self.partition(), self.account.id(), &path, &name);
        let claim = Claim {
            kind: IdKind::InstanceProfile,
            name: name.folded(),
            found: &profile.arn,
            expected,
            id: profile.instance_profile_id.as_deref(),
        };
        if let Some(id) = self.admit(at, claim)? {
            let others = profile.roles.unwrap_or_default();
            let others = others.into_iter().filter_map(|role| role.arn);
            for other in others.filter(|other| other != of.as_str()) {
                let text = format!(
                    "it is in the list of `{of}`, and counts as that role's; `{other}`, which it \
                     names, is passed over"
                );
                self.passed_over(at, &profile.arn, text);
            }
            let tags = self.tags(at, &profile.arn, profile.tags);
            self.account.put(Record::InstanceProfile(Arc::new(InstanceProfile {
                id,
                name,
                path,
                created: instant(profile.create_date),
                tags,
                role: Some(role),
            })));
        }
        Ok(())
    }

    fn inline(
        &mut self,
        at: At<'a>,
        owner: UniqueId,
        arn: &Arn,
        policies: Option<Vec<PolicyForm<'a>>>,
    ) -> Result<(), ExportError> {
        for PolicyForm { policy_name: name, policy_document } in policies.unwrap_or_default() {
            if self.account.inline_policy(owner, &name).is_some() {
                let problem = ExportProblem::Conflict(format!("{arn} inline policy {name}"));
                return Err(self.error(at, problem));
            }
            let raw = policy_document.map(RawValue::get);
            let document = self.identity(at.file, raw, || format!("{arn} inline policy {name}"));
            let policy = InlinePolicy { owner, name, document };
            self.account.put(Record::InlinePolicy(Arc::new(policy)));
        }
        Ok(())
    }

    fn attach(&mut self, owner: UniqueId, policies: Option<Vec<AttachedForm>>) {
        for AttachedForm { policy_arn: policy } in policies.unwrap_or_default() {
            self.account.put(Record::Attachment(Attachment { owner, policy }));
        }
    }

    /// AWS's own tags (`aws:...`) stand in exports, so they are taken here. The later of two keys
    /// that differ in case alone wins; AWS lets none be written.
    fn tags(&mut self, at: At<'a>, arn: &Arn, tags: Option<Vec<TagForm>>) -> TagSet {
        let mut set = TagSet::default();
        for TagForm { key, value } in tags.unwrap_or_default() {
            if let Some(held) = set.value(key.as_str()) {
                let text = format!(
                    "its tag `{key}` stands twice: `{}` is passed over, `{}` counts",
                    held.as_str(),
                    value.as_str()
                );
                self.passed_over(at, arn, text);
            }
            set.put(Tag { key, value });
        }
        set
    }
}
