//! AssumeRole: a session of a role, of this account or another.
//!
//! It writes nothing but its event, unless a one-time code is used up. The trust policy of the role is
//! its resource policy (TR-1), and across accounts the caller's own policies must allow it too (TR-3).

use std::sync::{Arc, LazyLock};

use bailiwick_identifiers::{Arn, SessionName, TagSet};
use bailiwick_model::{Account, Role};
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_wire::generated::sts as api;

use crate::ask::{Ask, Trust};
use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::operation::{Entry, Operation, Request, entry};
use crate::session::Subject;
use crate::sts::credentials::{Grant, claims, issue};
use crate::sts::factor::Factor;
use crate::sts::limits::{Given, MAX_TAGS, invalid_parameter, session_policies, session_tags};

pub(super) const OPERATIONS: &[Entry] = &[entry::<AssumeRole>()];

/// One hour: what is given unless more is asked for, and the most in role chaining (SES-11).
const DEFAULT_SECONDS: i32 = 3600;

/// Issues a session of a role.
struct AssumeRole {
    role: Arn,
    session: SessionName,
    policy: Option<String>,
    policy_arns: Vec<Arn>,
    seconds: Option<i32>,
    tags: TagSet,
    transitive: Vec<String>,
    external_id: Option<String>,
    source_identity: Option<String>,
    factor: Option<Factor>,
    no_tags: TagSet,
}

impl Operation for AssumeRole {
    type Api = api::AssumeRole;

    fn changes(&self) -> bool {
        self.factor.is_some()
    }

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        let role: Arn = request
            .role_arn
            .parse()
            .map_err(|_| Fault::validation(format!("{} is invalid", request.role_arn)))?;
        if role.service() != "iam" || !role.resource().starts_with("role/") {
            return Err(Fault::validation(format!("{role} is invalid")));
        }
        if request.provided_contexts.is_some_and(|contexts| !contexts.is_empty()) {
            return Err(invalid_parameter("Provided contexts are not supported."));
        }
        Ok(Self {
            role,
            session: request
                .role_session_name
                .parse()
                .map_err(|_| Fault::validation("The specified value for roleSessionName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@-"))?,
            policy: request.policy,
            policy_arns: session_policies(request.policy_arns)?,
            seconds: request.duration_seconds,
            tags: session_tags(request.tags)?,
            transitive: request.transitive_tag_keys.unwrap_or_default(),
            external_id: request.external_id,
            source_identity: request.source_identity,
            factor: Factor::parse(request.serial_number, request.token_code)?,
            no_tags: TagSet::default(),
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        // A wrong code is refused whatever the policies say, and a right one stands in the request
        // that the trust policy sees.
        self.factor.as_ref().map_or(Ok(()), |factor| factor.check(call))?;
        let found = self.find(call);
        let (trust, owner, role_tags) = if let Some((account, role)) = &found {
            let document = role.trust.document().ok().cloned();
            (Trust { role: account.role_arn(role), document }, account.id(), &role.tags)
        } else {
            // As if it trusted nobody: the answer does not tell which roles another account has.
            let trust = Trust { role: self.role.clone(), document: NOBODY.clone() };
            (trust, self.role.account_id().unwrap_or(call.account().id()), &self.no_tags)
        };
        let source_identity = self.source_identity_for(call)?;
        let tags = self.session_tags(call)?;
        let ask = |action: &str| {
            let mut ask = Ask::new(action, trust.role.as_str(), owner)
                .trusted_by(trust.clone())
                .with("sts:RoleSessionName", self.session.as_str())
                .with_optional("sts:ExternalId", self.external_id.as_deref())
                .with_optional("sts:SourceIdentity", source_identity.as_deref())
                .with_optional("sts:DurationSeconds", self.seconds.map(|s| s.to_string()))
                .resource_tags(role_tags);
            if self.factor.is_some() {
                ask = ask
                    .with("aws:MultiFactorAuthPresent", "true")
                    .with("aws:MultiFactorAuthAge", "0");
            }
            for (key, value) in &tags.all {
                ask = ask.with(format!("aws:RequestTag/{key}"), value);
            }
            if !tags.all.is_empty() {
                ask = ask.with_many("aws:TagKeys", tags.all.iter().map(|(key, _)| key.clone()));
            }
            if !tags.transitive.is_empty() {
                ask = ask.with_many("sts:TransitiveTagKeys", tags.transitive.iter().cloned());
            }
            ask
        };
        let mut asks = vec![ask("sts:AssumeRole")];
        if !tags.all.is_empty() {
            asks.push(ask("sts:TagSession"));
        }
        if source_identity.is_some() {
            asks.push(ask("sts:SetSourceIdentity"));
        }
        Ok(asks)
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::AssumeRoleResponse, Fault> {
        // Nothing allows a role that is not there.
        let (account, role) = self.find(call).ok_or_else(Fault::internal)?;
        let chained = matches!(call.caller().identity, Identity::Role(..));
        let seconds = self.seconds(&role, chained)?;
        let given = self.given();
        given.check(call, &account)?;
        let tags = self.session_tags(call)?;
        let source_identity = self.source_identity_for(call)?;
        if let Some(factor) = &self.factor {
            factor.use_up(call)?;
        }
        let subject = Subject::Role { role: role.id, session: self.session.clone() };
        let mut claims = claims(call, Grant { account: account.id(), subject, seconds })?;
        claims.policy.clone_from(&self.policy);
        claims.policy_arns.clone_from(&self.policy_arns);
        claims.tags = tags.all;
        claims.transitive = tags.transitive;
        claims.source_identity.clone_from(&source_identity);
        // For the trail: policies of the role's session see no factor, not even this one (KEY-12).
        claims.mfa = self.factor.as_ref().map(|_| claims.issued);
        let credentials = issue(call, &claims)?;
        let arn = Arn::assumed_role(account.partition(), account.id(), &role.name, &self.session);
        Ok(api::AssumeRoleResponse {
            credentials: Some(credentials),
            assumed_role_user: Some(api::AssumedRoleUser {
                assumed_role_id: format!("{}:{}", role.id, self.session),
                arn: arn.to_string(),
            }),
            packed_policy_size: given.packed_size(),
            source_identity,
            ..api::AssumeRoleResponse::default()
        })
    }
}

/// A trust policy that no caller meets.
static NOBODY: LazyLock<Option<Arc<Document>>> = LazyLock::new(|| {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"nobody.invalid"},"Action":"sts:AssumeRole"}}"#;
    Document::parse(text, DocumentKind::Trust).ok().map(Arc::new)
});

/// Tags of a session: those of the request, and those that a chain hands on.
struct SessionTags {
    all: Vec<(String, String)>,
    transitive: Vec<String>,
}

impl AssumeRole {
    /// The role and its account, if both are on this server.
    fn find(&self, call: &Call<'_>) -> Option<(Arc<Account>, Arc<Role>)> {
        let id = self.role.account_id()?;
        let account =
            if id == call.account().id() { call.account_shared() } else { call.foreign(id)? };
        let name = self.role.resource().rsplit('/').next()?;
        let role = account.role_named(name).cloned()?;
        (account.role_arn(&role) == self.role).then_some((account, role))
    }

    fn seconds(&self, role: &Role, chained: bool) -> Result<i32, Fault> {
        let Some(wanted) = self.seconds else { return Ok(DEFAULT_SECONDS) };
        if chained && wanted > DEFAULT_SECONDS {
            return Err(Fault::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        if i64::from(wanted) > i64::from(role.max_session_seconds) {
            return Err(Fault::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(wanted)
    }

    fn given(&self) -> Given<'_> {
        Given { policy: self.policy.as_deref(), arns: &self.policy_arns, tags: &self.tags }
    }

    /// The tags of the new session: transitive ones of the calling session go on and cannot be
    /// overridden (SES-9, threat B05).
    fn session_tags(&self, call: &Call<'_>) -> Result<SessionTags, Fault> {
        let mut transitive: Vec<String> = Vec::new();
        for key in &self.transitive {
            if self.tags.value(key).is_none() {
                return Err(invalid_parameter(
                    "The specified transitive tag key must be included in the requested tags.",
                ));
            }
            // Keys of session tags have no case: named twice, it is one.
            if !transitive.iter().any(|held| held.eq_ignore_ascii_case(key)) {
                transitive.push(key.clone());
            }
        }
        let mut all: Vec<(String, String)> =
            self.tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect();
        if let Some(claims) = &call.caller().claims {
            for key in &claims.transitive {
                if self.tags.value(key).is_some() {
                    return Err(invalid_parameter(
                        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
                    ));
                }
                let held = claims.tags.iter().find(|(held, _)| held.eq_ignore_ascii_case(key));
                if let Some((key, value)) = held {
                    all.push((key.clone(), value.clone()));
                    transitive.push(key.clone());
                }
            }
        }
        if all.len() > MAX_TAGS {
            return Err(Fault::validation("A session can have at most 50 tags."));
        }
        Ok(SessionTags { all, transitive })
    }

    /// The source identity of the new session. Once set it goes along the whole chain, and cannot be
    /// changed (threat B06).
    fn source_identity_for(&self, call: &Call<'_>) -> Result<Option<String>, Fault> {
        let held = call.caller().claims.as_ref().and_then(|claims| claims.source_identity.clone());
        match (held, &self.source_identity) {
            (Some(held), Some(wanted)) if held != *wanted => Err(Fault::access_denied(format!(
                "User: {} is not authorized to perform: sts:SetSourceIdentity on resource: {}",
                call.caller().arn(),
                self.role
            ))),
            (Some(held), _) => Ok(Some(held)),
            (None, wanted) => Ok(wanted.clone()),
        }
    }
}
