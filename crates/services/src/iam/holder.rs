//! Holders of policies: a user, group or role as attachments and inline policies see it.

use bailiwick_identifiers::{Arn, TagSet, UniqueId};
use bailiwick_model::Account;

use crate::ask::Ask;
use crate::call::Call;
use crate::fault::Fault;
use crate::operation::Operation;

use super::role;

/// What can hold a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    User,
    Group,
    Role,
}

/// A user, group or role that exists.
pub(super) struct Holder {
    pub(super) kind: Kind,
    pub(super) id: UniqueId,
    pub(super) arn: Arn,
    /// The name in its own case.
    pub(super) name: String,
    pub(super) boundary: Option<Arn>,
    pub(super) tags: TagSet,
}

impl Kind {
    /// As it stands in ARNs and in AWS's messages.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// As it stands in the names of quotas.
    pub(super) const fn quota_word(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }

    /// The holder of this name, whatever the name's case.
    pub(super) fn named(self, account: &Account, name: &str) -> Option<Holder> {
        match self {
            Self::User => account.user_named(name).map(|user| Holder {
                kind: self,
                id: user.id,
                arn: account.user_arn(user),
                name: user.name.to_string(),
                boundary: user.boundary.clone(),
                tags: user.tags.clone(),
            }),
            Self::Group => account.group_named(name).map(|group| Holder {
                kind: self,
                id: group.id,
                arn: account.group_arn(group),
                name: group.name.to_string(),
                boundary: None,
                tags: TagSet::default(),
            }),
            Self::Role => account.role_named(name).map(|role| Holder {
                kind: self,
                id: role.id,
                arn: account.role_arn(role),
                name: role.name.to_string(),
                boundary: role.boundary.clone(),
                tags: role.tags.clone(),
            }),
        }
    }

    /// The holder of this name whose policies the account itself may change.
    pub(super) fn modifiable(self, account: &Account, name: &str) -> Result<Holder, Fault> {
        let holder = self.require(account, name)?;
        if let Some(path) = holder.arn.resource().strip_prefix("role") {
            role::require_modifiable(path, &holder.name)?;
        }
        Ok(holder)
    }

    /// The holder of this name, or `NoSuchEntity`.
    pub(super) fn require(self, account: &Account, name: &str) -> Result<Holder, Fault> {
        self.named(account, name).ok_or_else(|| Fault::no_such(self.word(), name))
    }

    /// An ask on the holder of this name: on its stored ARN where it exists (threat C02), else on
    /// the ARN that it would have below the root path.
    pub(super) fn ask<O: Operation>(self, call: &Call<'_>, name: &str) -> Ask {
        match self.named(call.account(), name) {
            Some(holder) => call.ask::<O>(holder.arn.as_str()).resource_tags(&holder.tags),
            None => call.ask::<O>(self.arn_below_root(call, name).as_str()),
        }
    }

    /// As [`Kind::ask`], with the boundary of the holder, for actions that change what it may do.
    pub(super) fn ask_bounded<O: Operation>(self, call: &Call<'_>, name: &str) -> Ask {
        let holder = self.named(call.account(), name);
        let boundary = holder.and_then(|holder| holder.boundary);
        self.ask::<O>(call, name).boundary(boundary.as_ref())
    }

    fn arn_below_root(self, call: &Call<'_>, name: &str) -> Arn {
        Arn::iam(call.partition(), call.account().id(), &format!("{}/{name}", self.word()))
    }
}
