//! Long-term access keys of users and of root.

use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccessKeyKind};
use bailiwick_model::{AccessKey, KeyStatus, Owner, Record, RecordKey};
use bailiwick_store::seal::Purpose;
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Empty, Secret};

use crate::ask::Ask;
use crate::authenticate::secret_binding;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

use super::user::{self, Subject};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateAccessKey>(),
    entry::<ListAccessKeys>(),
    entry::<UpdateAccessKey>(),
    entry::<DeleteAccessKey>(),
    entry::<GetAccessKeyLastUsed>(),
];

/// The key of an id, if it belongs to the owner.
fn owned(call: &Call<'_>, owner: Owner, id: &str) -> Result<Arc<AccessKey>, Fault> {
    let key = id.parse().ok().and_then(|id: AccessKeyId| call.account().access_key(&id).cloned());
    key.filter(|key| key.owner == owner).ok_or_else(|| {
        Fault::new("NoSuchEntity", format!("The Access Key with id {id} cannot be found."))
    })
}

/// Makes a key for a user or the caller. Its secret is shown once, and kept sealed.
struct CreateAccessKey {
    user: Option<String>,
}

impl Operation for CreateAccessKey {
    type Api = api::CreateAccessKey;

    fn parse(request: api::CreateAccessKeyRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateAccessKeyResponse, Fault> {
        let subject = Subject::of(call, self.user.as_deref())?;
        let owner = subject.owner()?;
        let held = call.account().keys_of(owner).count();
        call.require_room(held, "AccessKeysPerUser", call.quotas().access_keys_per_user)?;
        let id = fresh_id(call)?;
        let secret = Secret::new(call.mint().secret());
        let key = Arc::new(AccessKey {
            sealed_secret: seal(call, &id, &secret)?,
            id,
            owner,
            status: KeyStatus::Active,
            created: call.now(),
            warned: None,
        });
        call.create(Record::AccessKey(Arc::clone(&key)));
        Ok(api::CreateAccessKeyResponse {
            access_key: api::AccessKey {
                // The model wants a name; root has none of its own.
                user_name: subject.name().unwrap_or_else(|| "root".into()),
                access_key_id: key.id.to_string(),
                status: key.status.as_str().into(),
                secret_access_key: secret,
                create_date: Some(key.created),
            },
        })
    }
}

/// An id that no key of the account has. Only forty bits of an id are random, so one that is taken
/// is met now and then in a very large account.
fn fresh_id(call: &mut Permitted<'_>) -> Result<AccessKeyId, Fault> {
    for _ in 0..8 {
        let account = call.account().id();
        let id = call.mint().access_key_id(AccessKeyKind::LongTerm, account);
        if call.account().access_key(&id).is_none() {
            return Ok(id);
        }
    }
    Err(Fault::internal())
}

fn seal(call: &mut Permitted<'_>, id: &AccessKeyId, secret: &Secret) -> Result<Arc<[u8]>, Fault> {
    let nonce = call.mint().bytes();
    let binding = secret_binding(id);
    let sealed = call
        .keyring()
        .seal(Purpose::AccessKeySecret, &binding, secret.expose().as_bytes(), nonce)
        .map_err(|error| {
            tracing::error!(%error, "an access key's secret could not be sealed");
            Fault::internal()
        })?;
    Ok(sealed.into())
}

/// Lists the keys of a user or the caller, without their secrets.
struct ListAccessKeys {
    user: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListAccessKeys {
    type Api = api::ListAccessKeys;

    fn parse(request: api::ListAccessKeysRequest) -> Result<Self, Fault> {
        let api::ListAccessKeysRequest { user_name, marker, max_items } = request;
        Ok(Self { user: user_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListAccessKeysResponse, Fault> {
        let subject = Subject::of(call, self.user.as_deref())?;
        let owner = subject.owner()?;
        let filter = owner.user().map_or_else(|| "root".into(), |id| id.to_string());
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let keys = call.account().keys_of(owner);
        let page = page::cut(call, paging, &[&filter], keys, |key| key.id.to_string())?;
        let describe = |key: &Arc<AccessKey>| api::AccessKeyMetadata {
            user_name: subject.name(),
            access_key_id: Some(key.id.to_string()),
            status: Some(key.status.as_str().into()),
            create_date: Some(key.created),
        };
        Ok(api::ListAccessKeysResponse {
            access_key_metadata: page.items.into_iter().map(describe).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// A status that a request sets. `Expired` is in the model's enum, but nobody can set it.
pub(super) fn settable(status: &str) -> Result<KeyStatus, Fault> {
    match status {
        "Active" => Ok(KeyStatus::Active),
        "Inactive" => Ok(KeyStatus::Inactive),
        _ => Err(Fault::invalid_input("The specified value for status is invalid.")),
    }
}

/// Makes a key active or inactive.
struct UpdateAccessKey {
    user: Option<String>,
    id: String,
    status: KeyStatus,
}

impl Operation for UpdateAccessKey {
    type Api = api::UpdateAccessKey;

    fn parse(request: api::UpdateAccessKeyRequest) -> Result<Self, Fault> {
        let status = settable(&request.status)?;
        Ok(Self { user: request.user_name, id: request.access_key_id, status })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let owner = Subject::of(call, self.user.as_deref())?.owner()?;
        let key = owned(call, owner, &self.id)?;
        if key.status != self.status {
            let key = AccessKey { status: self.status, ..AccessKey::clone(&key) };
            call.update(Record::AccessKey(Arc::new(key)));
        }
        Ok(Empty)
    }
}

/// Takes a key away. What it signed before is unaffected; the next call with it is refused.
struct DeleteAccessKey {
    user: Option<String>,
    id: String,
}

impl Operation for DeleteAccessKey {
    type Api = api::DeleteAccessKey;

    fn parse(request: api::DeleteAccessKeyRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, id: request.access_key_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let owner = Subject::of(call, self.user.as_deref())?.owner()?;
        let key = owned(call, owner, &self.id)?;
        call.remove(&RecordKey::AccessKey(key.id.clone()));
        if call.account().key_use(&key.id).is_some() {
            call.remove(&RecordKey::KeyUse(key.id.clone()));
        }
        Ok(Empty)
    }
}

/// Tells when, where and for what a key was last used. Asks about the user that owns it.
struct GetAccessKeyLastUsed {
    id: String,
}

impl GetAccessKeyLastUsed {
    /// The key, if it is one of the caller's account. What is not there is refused as what is
    /// another account's is, in AWS's words (*observed*), so that nobody learns which ids exist.
    fn key(&self, call: &Call<'_>) -> Result<Arc<AccessKey>, Fault> {
        let id = self.id.parse::<AccessKeyId>().ok();
        id.and_then(|id| call.account().access_key(&id).cloned()).ok_or_else(|| {
            Fault::access_denied(format!(
                "User: {} is not authorized to perform: iam:GetAccessKeyLastUsed on resource: \
                 access key {}",
                call.caller().arn(),
                self.id
            ))
        })
    }
}

impl Operation for GetAccessKeyLastUsed {
    type Api = api::GetAccessKeyLastUsed;

    fn parse(request: api::GetAccessKeyLastUsedRequest) -> Result<Self, Fault> {
        Ok(Self { id: request.access_key_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let key = self.key(call)?;
        let ask = match key.owner.user().and_then(|id| call.account().user(&id)) {
            Some(user) => user::ask_about::<Self>(call, user),
            None => Subject::Root.ask::<Self>(call),
        };
        Ok(vec![ask])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetAccessKeyLastUsedResponse, Fault> {
        let key = self.key(call)?;
        let user = key.owner.user().and_then(|id| call.account().user(&id));
        let last_used = match call.node().last_key_use(call.account(), &key.id) {
            Some(last) => api::AccessKeyLastUsed {
                last_used_date: Some(last.at),
                service_name: last.service,
                region: last.region,
            },
            None => api::AccessKeyLastUsed {
                last_used_date: None,
                service_name: "N/A".into(),
                region: "N/A".into(),
            },
        };
        Ok(api::GetAccessKeyLastUsedResponse {
            user_name: user.map(|user| user.name.to_string()),
            access_key_last_used: Some(last_used),
        })
    }
}
