//! The caller of a simulation, and what its context holds because of who it is.

use bailiwick_identifiers::{IdKind, TagSet, UniqueId};
use bailiwick_policy::{Context, Principal};

use super::holder::Kind;
use super::simulate_policies::PolicySource;
use crate::call::Call;

/// The simulated caller, as far as it is known.
pub(super) struct Caller {
    pub(super) kind: Kind,
    pub(super) principal: Principal,
    /// The tags of an entity whose id and tags are known.
    tags: Option<TagSet>,
}

impl Caller {
    /// The user or role whose policies are simulated, or a member of the group: who may simulate them
    /// may know its tags and id.
    pub(super) fn of(call: &Call<'_>, source: &PolicySource) -> Self {
        let name = source.arn.resource().rsplit('/').next().unwrap_or_default();
        let found = source.find(call);
        let holder = found.and_then(|_| source.kind.named(call.account(), name));
        Self::new(source, found, holder.map(|holder| holder.tags))
    }

    /// Whoever has this ARN, of whom nothing else is told, not even whether it is there.
    pub(super) fn named(source: &PolicySource) -> Self {
        Self::new(source, None, None)
    }

    fn new(source: &PolicySource, found: Option<UniqueId>, tags: Option<TagSet>) -> Self {
        let name = source.arn.resource().rsplit('/').next().unwrap_or_default();
        let account = source.account;
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
        Self { kind: source.kind, principal, tags: tags.filter(|_| source.kind != Kind::Group) }
    }

    /// The keys that follow from the caller alone. What is not known is left out: the unique id where
    /// only the ARN counts, and the session name of a role.
    pub(super) fn context(&self) -> Context {
        let mut context = Context::new();
        context.put_principal(&self.principal);
        if self.tags.is_none() || matches!(self.principal, Principal::Role { .. }) {
            context.remove("aws:userid");
        }
        if self.kind == Kind::Group {
            context.remove("aws:PrincipalArn");
            context.remove("aws:username");
        }
        for tag in self.tags.iter().flatten() {
            context.put(&format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
        }
        context
    }
}
