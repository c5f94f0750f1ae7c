//! What findings are made from: one account, the policies around it, and those on resources.
//!
//! An [`Estate`] says which policies bear on a request, so that the decision engine can be asked
//! about any principal of the account on any resource. What an export does not hold is `None`
//! there, and whoever makes a finding has to say that it is not known.

use std::collections::BTreeMap;

use bailiwick_identifiers::{AccountId, Arn, Tag};
use bailiwick_model::{Account, Effective, Found, ManagedPolicies, Role, User};
use bailiwick_policy::{
    Applicable, Attached, Context, Decision, Levels, Policies, Principal, Request, Source,
    SourceKind, decide, is_delegated,
};

/// An account with what surrounds it.
#[derive(Debug)]
pub struct Estate {
    /// The account.
    pub account: Account,
    /// The AWS managed policies as its principals have them.
    pub managed: ManagedPolicies,
    /// Its place in an organization. `None`: not known, and nothing is limited by it.
    pub organization: Option<Organization>,
    /// The policies on resources, by the ARN of the resource, trust policies aside. `None`: not
    /// known; a resource that is missing here has no policy.
    pub resource_policies: Option<BTreeMap<String, ResourcePolicy>>,
}

/// What an organization says about one account.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// Its id, `o-...`.
    pub id: Option<String>,
    /// The accounts in it, this one included.
    pub accounts: Vec<AccountId>,
    /// Whether the account is the management account, which no SCP and no RCP limits (SCP-3).
    pub management: bool,
    /// SCPs by level: root, units, account. Empty: the feature is off, and nothing is limited.
    pub scps: Vec<Vec<Found>>,
    /// RCPs by level (RCP-2).
    pub rcps: Vec<Vec<Found>>,
}

/// The policy on a resource.
#[derive(Clone, Debug)]
pub struct ResourcePolicy {
    /// The policy with its source, or only the source of one that cannot be read, which denies
    /// (IN-6).
    pub policy: Result<Found, Source>,
    /// The account that owns the resource, where its ARN does not say it (IN-7).
    pub owner: Option<AccountId>,
}

/// A user or role and the policies that apply to it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// As the engine knows it. A role is taken for a session of it in what it may do.
    pub principal: Principal,
    /// The policies of the account that apply.
    pub effective: Effective,
    /// Whether SCPs and RCPs pass it by: a service-linked role (SCP-3).
    pub linked: bool,
    /// Its tags, which are `aws:PrincipalTag/...`.
    tags: Vec<(String, String)>,
}

impl Estate {
    /// An account of which nothing else is known.
    pub fn new(account: Account, managed: ManagedPolicies) -> Self {
        Self { account, managed, organization: None, resource_policies: None }
    }

    /// A user of the account.
    pub fn user(&self, user: &User) -> Subject {
        Subject {
            principal: Principal::User {
                arn: self.account.user_arn(user).as_str().into(),
                id: user.id,
                account: self.account.id(),
                name: user.name.as_str().into(),
            },
            effective: Effective::of_user(&self.account, &self.managed, user.id),
            linked: false,
            tags: user.tags.iter().map(pair).collect(),
        }
    }

    /// A role of the account.
    pub fn role(&self, role: &Role) -> Subject {
        Subject {
            principal: Principal::Role {
                arn: self.account.role_arn(role).as_str().into(),
                id: role.id,
                account: self.account.id(),
                name: role.name.as_str().into(),
            },
            effective: Effective::of_role(&self.account, &self.managed, role.id),
            linked: is_service_linked(role),
            tags: role.tags.iter().map(pair).collect(),
        }
    }

    /// A caller of whom the account has no policies: its root user, or one from outside.
    pub fn caller(&self, principal: Principal) -> Subject {
        Subject { principal, effective: Effective::default(), linked: false, tags: Vec::new() }
    }

    /// The user or role with this ARN.
    pub fn subject(&self, arn: &str) -> Option<Subject> {
        let arn: Arn = arn.parse().ok()?;
        match self.account.user_with_arn(&arn) {
            Some(user) => Some(self.user(user)),
            None => Some(self.role(self.account.role_with_arn(&arn)?)),
        }
    }

    /// All users, then all roles.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        let users = self.account.users().map(|user| self.user(user));
        users.chain(self.account.roles().map(|role| self.role(role)))
    }

    /// The account that owns a resource, if its ARN does not say it but the estate does.
    pub fn owner(&self, resource: &str) -> Option<AccountId> {
        self.policy_on(resource)?.owner
    }

    /// All policies that bear on a request of a subject for an action on a resource.
    pub fn applicable<'a>(
        &'a self,
        subject: &'a Subject,
        action: &str,
        resource: &str,
    ) -> Applicable<'a> {
        let mut all = subject.effective.applicable();
        if let Some(organization) = &self.organization
            && !organization.management
            && !subject.linked
        {
            all.scps = levels(&organization.scps);
            all.rcps = levels(&organization.rcps);
        }
        match self.resource_policy(action, resource) {
            Some(Ok(found)) => all.resource = Some(found),
            Some(Err(source)) => all.unreadable = Some(source),
            None => {}
        }
        all
    }

    /// What the engine decides, with the caller's keys in the context already: see
    /// [`Subject::context`].
    pub fn decide(
        &self,
        subject: &Subject,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Decision {
        let applicable = self.applicable(subject, action, resource);
        let request = Request {
            principal: &subject.principal,
            action,
            resource,
            resource_account: self.owner(resource),
            context,
            delegated: is_delegated(action, resource),
        };
        decide(&request, &applicable)
    }

    /// The policy on a resource, or on what it is a part of: an object has that of its bucket
    /// (RES-9).
    fn policy_on(&self, resource: &str) -> Option<&ResourcePolicy> {
        let policies = self.resource_policies.as_ref()?;
        policies.get(resource).or_else(|| {
            let (bucket, _) = resource.split_once('/')?;
            policies.get(bucket).filter(|_| bucket.split(':').nth(2) == Some("s3"))
        })
    }

    /// The policy that a resource has: of a role its trust policy where it is assumed.
    fn resource_policy(
        &self,
        action: &str,
        resource: &str,
    ) -> Option<Result<Attached<'_>, &Source>> {
        if is_delegated(action, resource) && resource.contains(":role/") {
            let arn = resource.parse().ok()?;
            let role = self.account.role_with_arn(&arn)?;
            // A trust policy that cannot be read lets nobody in, as one without statements.
            let document = role.trust.document().ok()?;
            return Some(Ok(Attached { source: trust(), document }));
        }
        match &self.policy_on(resource)?.policy {
            Ok(found) => Some(Ok(found.attached())),
            Err(source) => Some(Err(source)),
        }
    }
}

impl Subject {
    /// Gives it a tag in place of any of the same key, or takes that away.
    pub(crate) fn retag(&mut self, key: &str, value: Option<&str>) {
        self.tags.retain(|(held, _)| !held.eq_ignore_ascii_case(key));
        self.tags.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }

    /// The context keys that follow from the caller, its tags among them. Keys of the request
    /// (time, address, MFA ...) are for the one who asks.
    pub fn context(&self) -> Context {
        let mut context = Context::new();
        context.put_principal(&self.principal);
        for (key, value) in &self.tags {
            context.put(format!("aws:PrincipalTag/{key}").as_str(), value);
        }
        context
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        match &self.principal {
            Principal::User { arn, .. } | Principal::Role { arn, .. } => arn,
            _ => "",
        }
    }
}

/// Whether a role is service-linked, by its path.
pub fn is_service_linked(role: &Role) -> bool {
    role.path.as_str().starts_with("/aws-service-role/")
}

fn levels(levels: &[Vec<Found>]) -> Levels<'_> {
    levels.iter().map(|level| level.iter().map(Found::attached).collect::<Policies<'_>>()).collect()
}

fn pair(tag: &Tag) -> (String, String) {
    (tag.key.as_str().to_owned(), tag.value.as_str().to_owned())
}

fn trust() -> &'static Source {
    static TRUST: std::sync::LazyLock<Source> =
        std::sync::LazyLock::new(|| Source::new("trust policy", SourceKind::Trust));
    &TRUST
}
