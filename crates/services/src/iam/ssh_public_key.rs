//! SSH public keys of users, for CodeCommit. Root has none.

use std::sync::Arc;

use bailiwick_identifiers::{IdKind, UniqueId};
use bailiwick_model::{KeyStatus, Record, RecordKey, SshPublicKey, User};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::material::ssh::{KeyError, SshKey};
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

use super::access_key::settable;
use super::user::{self, Subject};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<UploadSshPublicKey>(),
    entry::<GetSshPublicKey>(),
    entry::<ListSshPublicKeys>(),
    entry::<UpdateSshPublicKey>(),
    entry::<DeleteSshPublicKey>(),
];

/// The key of an id, if it belongs to the user.
fn owned(call: &Call<'_>, user: &User, id: &str) -> Result<Arc<SshPublicKey>, Fault> {
    let key = id.parse().ok().and_then(|id: UniqueId| call.account().ssh_public_key(&id).cloned());
    key.filter(|key| key.user == user.id).ok_or_else(|| {
        Fault::new("NoSuchEntity", format!("The SSH Public Key with id {id} cannot be found."))
    })
}

fn unrecognized() -> Fault {
    Fault::new(
        "UnrecognizedPublicKeyEncoding",
        "The public key encoding format is unsupported or unrecognized.",
    )
}

fn invalid() -> Fault {
    Fault::new("InvalidPublicKey", "The public key is malformed or otherwise invalid.")
}

fn read(text: &str) -> Result<SshKey, Fault> {
    SshKey::read(text).map_err(|error| match error {
        KeyError::Encoding => unrecognized(),
        KeyError::Invalid => invalid(),
    })
}

fn describe(user: &User, key: &SshPublicKey, body: String) -> api::SSHPublicKey {
    api::SSHPublicKey {
        user_name: user.name.to_string(),
        ssh_public_key_id: key.id.to_string(),
        fingerprint: key.fingerprint.clone(),
        ssh_public_key_body: body,
        status: key.status.as_str().into(),
        upload_date: Some(key.uploaded),
    }
}

/// Gives a user a public key, once.
struct UploadSshPublicKey {
    user: String,
    body: String,
}

impl Operation for UploadSshPublicKey {
    type Api = api::UploadSSHPublicKey;

    fn parse(request: api::UploadSSHPublicKeyRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, body: request.ssh_public_key_body })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![user::ask::<Self>(call, &self.user)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::UploadSSHPublicKeyResponse, Fault> {
        let user = user::named(call, &self.user)?;
        let read = read(&self.body)?;
        let fingerprint = read.fingerprint();
        let account = call.account();
        if account.ssh_public_keys_of(user.id).any(|held| held.fingerprint == fingerprint) {
            return Err(Fault::new(
                "DuplicateSSHPublicKey",
                format!("The SSH public key is already associated with the user {}.", user.name),
            ));
        }
        let held = account.ssh_public_keys_of(user.id).count();
        let limit = call.quotas().ssh_public_keys_per_user;
        call.require_room(held, "SSHPublicKeysPerUser", limit)?;
        let key = Arc::new(SshPublicKey {
            id: call.mint().unique_id(IdKind::PublicKey),
            user: user.id,
            status: KeyStatus::Active,
            uploaded: call.now(),
            line: read.line(),
            fingerprint,
        });
        call.create(Record::SshPublicKey(Arc::clone(&key)));
        let described = describe(&user, &key, self.body.clone());
        Ok(api::UploadSSHPublicKeyResponse { ssh_public_key: Some(described) })
    }
}

/// Shows a key as an SSH line or in PEM.
struct GetSshPublicKey {
    user: String,
    id: String,
    encoding: String,
}

impl Operation for GetSshPublicKey {
    type Api = api::GetSSHPublicKey;

    fn parse(request: api::GetSSHPublicKeyRequest) -> Result<Self, Fault> {
        let api::GetSSHPublicKeyRequest { user_name, ssh_public_key_id, encoding } = request;
        Ok(Self { user: user_name, id: ssh_public_key_id, encoding })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![user::ask::<Self>(call, &self.user)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetSSHPublicKeyResponse, Fault> {
        let user = user::named(call, &self.user)?;
        let key = owned(call, &user, &self.id)?;
        let body = match self.encoding.as_str() {
            "SSH" => key.line.clone(),
            "PEM" => read(&key.line)?.pem(),
            _ => return Err(unrecognized()),
        };
        let described = describe(&user, &key, body);
        Ok(api::GetSSHPublicKeyResponse { ssh_public_key: Some(described) })
    }
}

/// Lists the keys of a user or the caller, without the keys themselves.
struct ListSshPublicKeys {
    user: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListSshPublicKeys {
    type Api = api::ListSSHPublicKeys;

    fn parse(request: api::ListSSHPublicKeysRequest) -> Result<Self, Fault> {
        let api::ListSSHPublicKeysRequest { user_name, marker, max_items } = request;
        Ok(Self { user: user_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListSSHPublicKeysResponse, Fault> {
        let user = Subject::of(call, self.user.as_deref())?.user()?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let keys = call.account().ssh_public_keys_of(user.id);
        let page = page::cut(call, paging, &[user.id.as_str()], keys, |key| key.id.to_string())?;
        let describe = |key: &Arc<SshPublicKey>| api::SSHPublicKeyMetadata {
            user_name: user.name.to_string(),
            ssh_public_key_id: key.id.to_string(),
            status: key.status.as_str().into(),
            upload_date: key.uploaded,
        };
        Ok(api::ListSSHPublicKeysResponse {
            ssh_public_keys: Some(page.items.into_iter().map(describe).collect()),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Makes a key active or inactive.
struct UpdateSshPublicKey {
    user: String,
    id: String,
    status: KeyStatus,
}

impl Operation for UpdateSshPublicKey {
    type Api = api::UpdateSSHPublicKey;

    fn parse(request: api::UpdateSSHPublicKeyRequest) -> Result<Self, Fault> {
        let status = settable(&request.status)?;
        Ok(Self { user: request.user_name, id: request.ssh_public_key_id, status })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![user::ask::<Self>(call, &self.user)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = user::named(call, &self.user)?;
        let key = owned(call, &user, &self.id)?;
        if key.status != self.status {
            let key = SshPublicKey { status: self.status, ..SshPublicKey::clone(&key) };
            call.update(Record::SshPublicKey(Arc::new(key)));
        }
        Ok(Empty)
    }
}

/// Takes a key away.
struct DeleteSshPublicKey {
    user: String,
    id: String,
}

impl Operation for DeleteSshPublicKey {
    type Api = api::DeleteSSHPublicKey;

    fn parse(request: api::DeleteSSHPublicKeyRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, id: request.ssh_public_key_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![user::ask::<Self>(call, &self.user)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = user::named(call, &self.user)?;
        let key = owned(call, &user, &self.id)?;
        call.remove(&RecordKey::SshPublicKey(key.id));
        Ok(Empty)
    }
}
