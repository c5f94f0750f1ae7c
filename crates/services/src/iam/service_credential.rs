//! Service-specific credentials: user names and passwords, or keys, for services whose clients know
//! no signatures. A password is shown once; what is kept is its digest.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_identifiers::{IdKind, UniqueId};
use bailiwick_model::{Account, KeyStatus, Record, RecordKey, ServiceCredential, User};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Empty, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};
use crate::ports::hex;

use super::access_key::settable;
use super::user::{self, Subject};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateServiceSpecificCredential>(),
    entry::<ListServiceSpecificCredentials>(),
    entry::<ResetServiceSpecificCredential>(),
    entry::<UpdateServiceSpecificCredential>(),
    entry::<DeleteServiceSpecificCredential>(),
];

/// Names that are tried for a new credential: a user has a few of one service, and others may hold
/// the names of users that were renamed.
const NAMES: usize = 1000;

/// What the credentials of a service are like. Source: IAM user guide, service-specific credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// A user name and a password, which do not end.
    Password,
    /// An alias and a key, which may end.
    Key,
}

/// The kind of a service's credentials, if it has any.
fn kind(service: &str) -> Option<Kind> {
    match service {
        "codecommit.amazonaws.com" | "cassandra.amazonaws.com" => Some(Kind::Password),
        "bedrock.amazonaws.com" => Some(Kind::Key),
        _ => None,
    }
}

fn supported(service: &str) -> Result<Kind, Fault> {
    kind(service).ok_or_else(|| {
        Fault::new(
            "NotSupportedService",
            format!("No such service {service} is supported for Service Specific Credentials"),
        )
    })
}

/// The digest under which a password is kept.
pub(crate) fn digest_of(password: &Secret) -> String {
    hex(digest(&SHA256, password.expose().as_bytes()).as_ref())
}

/// Whether a credential has ended.
pub(crate) fn has_ended(credential: &ServiceCredential, now: Timestamp) -> bool {
    credential.expires.is_some_and(|expires| expires <= now)
}

/// The credential of an id, if it belongs to the user.
fn owned(call: &Call<'_>, user: &User, id: &str) -> Result<Arc<ServiceCredential>, Fault> {
    let held = id.parse().ok();
    let held = held.and_then(|id: UniqueId| call.account().service_credential(&id).cloned());
    held.filter(|held| held.user == user.id).ok_or_else(|| {
        let text = format!("The Service Specific Credential with id {id} cannot be found.");
        Fault::new("NoSuchEntity", text)
    })
}

fn status(credential: &ServiceCredential, now: Timestamp) -> String {
    if has_ended(credential, now) { "Expired" } else { credential.status.as_str() }.into()
}

/// A name as the member of the wire's form that a service's credentials show it in.
fn names(credential: &ServiceCredential) -> (Option<String>, Option<String>) {
    let name = Some(credential.name.clone());
    match kind(&credential.service) {
        Some(Kind::Key) => (None, name),
        _ => (name, None),
    }
}

/// A credential with its secret, which nobody sees again.
fn reveal(
    user: &User,
    credential: &ServiceCredential,
    secret: Secret,
    now: Timestamp,
) -> api::ServiceSpecificCredential {
    let (service_user_name, service_credential_alias) = names(credential);
    let (service_password, service_credential_secret) =
        if service_user_name.is_some() { (Some(secret), None) } else { (None, Some(secret)) };
    api::ServiceSpecificCredential {
        create_date: credential.created,
        expiration_date: credential.expires,
        service_name: credential.service.clone(),
        service_user_name,
        service_password,
        service_credential_alias,
        service_credential_secret,
        service_specific_credential_id: credential.id.to_string(),
        user_name: user.name.to_string(),
        status: status(credential, now),
    }
}

fn describe(
    account: &Account,
    credential: &ServiceCredential,
    now: Timestamp,
) -> Option<api::ServiceSpecificCredentialMetadata> {
    let user = account.user(&credential.user)?;
    let (service_user_name, service_credential_alias) = names(credential);
    Some(api::ServiceSpecificCredentialMetadata {
        user_name: user.name.to_string(),
        status: status(credential, now),
        service_user_name,
        service_credential_alias,
        create_date: credential.created,
        expiration_date: credential.expires,
        service_specific_credential_id: credential.id.to_string(),
        service_name: credential.service.clone(),
    })
}

/// A new secret: 256 random bits. That of a key carries its alias, as AWS's does.
fn fresh_secret(call: &mut Permitted<'_>, service: &str, name: &str) -> Secret {
    let password = Secret::new(STANDARD.encode(call.mint().bytes::<32>()));
    match kind(service) {
        Some(Kind::Key) => {
            let pair = Secret::new(format!("{name}:{}", password.expose()));
            Secret::new(format!("ABSK{}", STANDARD.encode(pair.expose())))
        }
        _ => password,
    }
}

/// A name that no credential of the service has: `ann-at-123456789012`, then `ann+1-at-...`.
fn fresh_name(call: &mut Permitted<'_>, service: &str, stem: &str) -> Result<String, Fault> {
    let account = call.account();
    for number in 0..NAMES {
        let more = if number == 0 { String::new() } else { format!("+{number}") };
        let name = format!("{stem}{more}-at-{}", account.id());
        if account.service_credentials_named(&name).all(|held| held.service != service) {
            return Ok(name);
        }
    }
    Err(Fault::internal())
}

/// Makes a credential of a user for a service.
struct CreateServiceSpecificCredential {
    user: String,
    service: String,
    days: Option<i32>,
}

impl CreateServiceSpecificCredential {
    fn expires(&self, kind: Kind, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
        match (self.days, kind) {
            (None, _) => Ok(None),
            (Some(days), Kind::Key) => {
                let age = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
                Ok(Some(now.saturating_add(age).unwrap_or(Timestamp::MAX)))
            }
            (Some(_), Kind::Password) => Err(Fault::validation(format!(
                "CredentialAgeDays is not supported for service {}",
                self.service
            ))),
        }
    }
}

impl Operation for CreateServiceSpecificCredential {
    type Api = api::CreateServiceSpecificCredential;

    fn parse(request: api::CreateServiceSpecificCredentialRequest) -> Result<Self, Fault> {
        let api::CreateServiceSpecificCredentialRequest {
            user_name,
            service_name,
            credential_age_days,
        } = request;
        Ok(Self { user: user_name, service: service_name, days: credential_age_days })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let days = self.days.map(|days| days.to_string());
        Ok(vec![
            user::ask::<Self>(call, &self.user)
                .with("iam:ServiceSpecificCredentialServiceName", self.service.as_str())
                .with_optional("iam:ServiceSpecificCredentialAgeDays", days),
        ])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::CreateServiceSpecificCredentialResponse, Fault> {
        let user = user::named(call, &self.user)?;
        let kind = supported(&self.service)?;
        let expires = self.expires(kind, call.now())?;
        let held = call.account().service_credentials_of(user.id);
        let held = held.filter(|held| held.service == self.service).count();
        let limit = call.quotas().service_credentials_per_user;
        call.require_room(held, "ServiceSpecificCredentialsPerUser", limit)?;
        let stem = match kind {
            Kind::Password => user.name.to_string(),
            Kind::Key => format!("BedrockAPIKey-{}", hex(&call.mint().bytes::<2>())),
        };
        let name = fresh_name(call, &self.service, &stem)?;
        let secret = fresh_secret(call, &self.service, &name);
        let credential = Arc::new(ServiceCredential {
            id: call.mint().unique_id(IdKind::ServiceCredential),
            user: user.id,
            service: self.service.clone(),
            name,
            status: KeyStatus::Active,
            created: call.now(),
            expires,
            digest: digest_of(&secret),
        });
        call.create(Record::ServiceCredential(Arc::clone(&credential)));
        let revealed = reveal(&user, &credential, secret, call.now());
        Ok(api::CreateServiceSpecificCredentialResponse {
            service_specific_credential: Some(revealed),
        })
    }
}

/// Lists the credentials of a user, of the caller, or of all users.
struct ListServiceSpecificCredentials {
    user: Option<String>,
    service: Option<String>,
    all: bool,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListServiceSpecificCredentials {
    type Api = api::ListServiceSpecificCredentials;

    fn parse(request: api::ListServiceSpecificCredentialsRequest) -> Result<Self, Fault> {
        let api::ListServiceSpecificCredentialsRequest {
            user_name,
            service_name,
            all_users,
            marker,
            max_items,
        } = request;
        let all = all_users.unwrap_or(false);
        if all && user_name.is_some() {
            return Err(Fault::validation("UserName cannot be specified when AllUsers is true"));
        }
        Ok(Self { user: user_name, service: service_name, all, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        if self.all {
            // As ListUsers: who may list its own may not list everybody's (IN-8).
            return Ok(vec![call.ask::<Self>(user::listed(call, "user", None))]);
        }
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::ListServiceSpecificCredentialsResponse, Fault> {
        let user =
            if self.all { None } else { Some(Subject::of(call, self.user.as_deref())?.user()?) };
        if let Some(service) = &self.service {
            supported(service)?;
        }
        let of_one = user.iter().flat_map(|user| call.account().service_credentials_of(user.id));
        let of_all = self.all.then(|| call.account().service_credentials()).into_iter().flatten();
        let held = of_one.chain(of_all);
        let held = held.filter(|held| self.service.as_ref().is_none_or(|of| held.service == *of));
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let whose = user.as_ref().map_or_else(|| "all".into(), |user| user.id.to_string());
        let filters = [whose.as_str(), self.service.as_deref().unwrap_or_default()];
        let page = page::cut(call, paging, &filters, held, |held| held.id.to_string())?;
        let (account, now) = (call.account(), call.now());
        let items = page.items.into_iter().filter_map(|held| describe(account, held, now));
        Ok(api::ListServiceSpecificCredentialsResponse {
            service_specific_credentials: Some(items.collect()),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Gives a credential another password. The old one is of no use from then on.
struct ResetServiceSpecificCredential {
    user: Option<String>,
    id: String,
}

impl Operation for ResetServiceSpecificCredential {
    type Api = api::ResetServiceSpecificCredential;

    fn parse(request: api::ResetServiceSpecificCredentialRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, id: request.service_specific_credential_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::ResetServiceSpecificCredentialResponse, Fault> {
        let user = Subject::of(call, self.user.as_deref())?.user()?;
        let held = owned(call, &user, &self.id)?;
        let secret = fresh_secret(call, &held.service, &held.name);
        let credential = ServiceCredential { digest: digest_of(&secret), ..(*held).clone() };
        let revealed = reveal(&user, &credential, secret, call.now());
        call.update(Record::ServiceCredential(Arc::new(credential)));
        Ok(api::ResetServiceSpecificCredentialResponse {
            service_specific_credential: Some(revealed),
        })
    }
}

/// Makes a credential active or inactive.
struct UpdateServiceSpecificCredential {
    user: Option<String>,
    id: String,
    status: KeyStatus,
}

impl Operation for UpdateServiceSpecificCredential {
    type Api = api::UpdateServiceSpecificCredential;

    fn parse(request: api::UpdateServiceSpecificCredentialRequest) -> Result<Self, Fault> {
        // The model lists no `InvalidInput` here.
        let status =
            settable(&request.status).map_err(|fault| Fault::validation(fault.message()))?;
        Ok(Self { user: request.user_name, id: request.service_specific_credential_id, status })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = Subject::of(call, self.user.as_deref())?.user()?;
        let held = owned(call, &user, &self.id)?;
        if held.status != self.status {
            let held = ServiceCredential { status: self.status, ..(*held).clone() };
            call.update(Record::ServiceCredential(Arc::new(held)));
        }
        Ok(Empty)
    }
}

/// Takes a credential away.
struct DeleteServiceSpecificCredential {
    user: Option<String>,
    id: String,
}

impl Operation for DeleteServiceSpecificCredential {
    type Api = api::DeleteServiceSpecificCredential;

    fn parse(request: api::DeleteServiceSpecificCredentialRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, id: request.service_specific_credential_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = Subject::of(call, self.user.as_deref())?.user()?;
        let held = owned(call, &user, &self.id)?;
        call.remove(&RecordKey::ServiceCredential(held.id));
        if call.account().service_credential_use(&held.id).is_some() {
            call.remove(&RecordKey::ServiceCredentialUse(held.id));
        }
        Ok(Empty)
    }
}
