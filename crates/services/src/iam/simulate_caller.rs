//! The caller of a simulation, and what its context holds because of who it is.

use bailiwick_identifiers::{IdKind, TagSet, UniqueId};
use bailiwick_policy::{Context, Principal};

use super::holder::Kind;
use super::simulate_policies::PolicySource;
use crate::call::Call;

/// The simulated caller, as far as it is known.
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// Whether the entity is there, so that its id and tags are known.
    tags: Option<TagSet>,
    named: bool,
}

impl Caller {
    /// A user, role or member of a group. One that is not there may be simulated, as any resource
    /// may; entities of other accounts are not looked at.
    pub(super) fn of(call: &Call<'_>, source: &PolicySource) -> Self {
        let own = source.require_own(call).is_ok();
        let name = source.arn.resource().rsplit('/').next().unwrap_or_default();
        let account = source.arn.account_id().unwrap_or(call.account().id());
        let found = own.then(|| source.find(call)).flatten();
        let holder = found.and_then(|_| source.kind.named(call.account(), name));
        let id = |kind| found.unwrap_or_else(|| UniqueId::from_random(kind, [0; 11]));
        let arn = || source.arn.as_str().into();
        let principal = match source.kind {
            Kind::User => {
                Principal::User { arn: arn(), id: id(IdKind::User), account, name: name.into() }
            }
            Kind::Role => {
                Principal::Role { arn: arn(), id: id(IdKind::Role), account, name: name.into() }
            }
            // A member of the group, of whom nothing else is known.
            Kind::Group => Principal::User {
                arn: "".into(),
                id: UniqueId::from_random(IdKind::User, [0; 11]),
                account,
                name: "".into(),
            },
        };
        let named = source.kind != Kind::Group;
        Self { principal, tags: holder.filter(|_| named).map(|holder| holder.tags), named }
    }

    /// The keys that follow from the caller alone. What is not known is left out: the unique id of an
    /// entity that is not there, and the session name of a role.
    pub(super) fn context(&self) -> Context {
        let mut context = Context::new();
        context.put_principal(&self.principal);
        if self.tags.is_none() || matches!(self.principal, Principal::Role { .. }) {
            context.remove("aws:userid");
        }
        if !self.named {
            context.remove("aws:PrincipalArn");
            context.remove("aws:username");
        }
        for tag in self.tags.iter().flatten() {
            context.put(&format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
        }
        context
    }
}
