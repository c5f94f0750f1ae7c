//! What the operator of the host may do, without credentials of any account: make accounts, import
//! keys, hold root keys. Each leaves an event in the trail of the account it touches.

use std::net::IpAddr;
use std::sync::{Arc, mpsc};

use bailiwick_identifiers::{AccessKeyId, AccessKeyKind, AccountId, Arn, IdKind, Path, UserName};
use bailiwick_model::{
    AccessKey, Account, AccountInfo, Attachment, KeyStatus, LoginProfile, Owner, Record, RecordKey,
    User,
};
use bailiwick_store::seal::Purpose;
use bailiwick_store::{Expect, Outcome, StoreError, Transaction};
use bailiwick_wire::{Secret, time};
use serde_json::{Value as Json, json};

use crate::authenticate::secret_binding;
use crate::iam::password;
use crate::node::{HOME, KEY_INDEX, Node, OUTBOX};
use crate::ports::Mint;
use crate::shard::Shard;

pub use crate::forward::{ForwardSession, forward_session};
pub use crate::key_age::{enforce_key_policies, key_policy, set_key_policy};
pub use crate::mfa::operator::{deactivate_mfa_device, import_mfa_tokens};
pub use crate::mfa::tokens::{Token, TokenError, read as read_mfa_tokens};

/// Why an operator's command was refused.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The account is there already.
    #[error("the account {0} exists already")]
    Exists(AccountId),
    /// There is no such account.
    #[error("there is no account {0} on this server")]
    NoAccount(AccountId),
    /// There is no such user.
    #[error("there is no user {0} in the account")]
    NoUser(String),
    /// There is no such key.
    #[error("there is no access key {0} of the account's root")]
    NoKey(AccessKeyId),
    /// There is no such device, or it is nobody's.
    #[error("there is no MFA device {0} that is somebody's")]
    NoDevice(String),
    /// The key id is taken.
    #[error("the access key {0} exists already")]
    KeyExists(AccessKeyId),
    /// The holder has as many keys as it may.
    #[error("there may be {0} access keys, and there are")]
    KeyQuota(u64),
    /// The fixture is not known.
    #[error("there is no fixture `{0}`; known are F0, F1 and F2")]
    NoFixture(String),
    /// The key policy makes no sense.
    #[error("{0}")]
    KeyPolicy(&'static str),
    /// The secret cannot be one.
    #[error("a secret access key has 16 to 128 characters")]
    Secret,
    /// The key is unknown, inactive, or temporary and without its token.
    #[error(
        "there is no access key {0} that may be used; a temporary one needs its session token too"
    )]
    NoUsableKey(AccessKeyId),
    /// The session has ended.
    #[error("the session of the access key {0} has ended")]
    Ended(AccessKeyId),
    /// A text that is no name of a service.
    #[error("`{0}` is no service principal such as `cloudformation.amazonaws.com`")]
    NoService(String),
    /// A chain of calls that began elsewhere than told now.
    #[error("the chain began with a call from {0}, and keeps that address")]
    OtherAddress(IpAddr),
    /// No service, or too many.
    #[error("a call is forwarded by 1 to {0} services")]
    Services(usize),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that cannot happen did; the log has more.
    #[error("{0}")]
    Internal(&'static str),
}

/// What the administrator of a new account needs. Shown once.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account.
    pub account: AccountId,
    /// The administrator's user name.
    pub user: UserName,
    /// Its access key.
    pub access_key_id: AccessKeyId,
    /// The secret of the key.
    pub secret_access_key: Secret,
    /// A password for the first sign-in to the console, which must be changed then.
    pub console_password: Secret,
}

/// An account in the operator's list.
#[derive(Clone, Debug)]
pub struct AccountSummary {
    /// The account.
    pub id: AccountId,
    /// Its name.
    pub name: Option<String>,
    /// How many users it has.
    pub users: usize,
    /// How many roles it has.
    pub roles: usize,
}

/// The user that a new account starts with.
const ADMINISTRATOR: &str = "admin";
const ADMINISTRATOR_POLICY: &str = "AdministratorAccess";

/// The key of the fixtures F1 and F2. An id that holds no account number, as imported ones may.
const FIXTURE_KEY: &str = "AKIAI44QH8DHBEXAMPLE";

/// Makes the first account, to which calls without a known account are recorded. `key` is the
/// administrator's key where it is not to be minted.
pub fn first_start(
    node: &Arc<Node>,
    account: Option<AccountId>,
    key: Option<(AccessKeyId, Secret)>,
) -> Result<Credentials, OperatorError> {
    let made = make_account(node, account, None, key, true)?;
    node.set_home(made.account);
    Ok(made)
}

/// Makes a further account, with an administrator of its own.
pub fn create_account(
    node: &Arc<Node>,
    id: Option<AccountId>,
    name: Option<String>,
) -> Result<Credentials, OperatorError> {
    make_account(node, id, name, None, false)
}

/// The accounts of the server.
pub fn accounts(node: &Node) -> Vec<AccountSummary> {
    let summary = |account: Arc<Account>| AccountSummary {
        id: account.id(),
        name: account.info().name.clone(),
        users: account.users().len(),
        roles: account.roles().len(),
    };
    node.accounts().into_iter().map(summary).collect()
}

fn make_account(
    node: &Arc<Node>,
    id: Option<AccountId>,
    name: Option<String>,
    key: Option<(AccessKeyId, Secret)>,
    home: bool,
) -> Result<Credentials, OperatorError> {
    let mut mint = Mint::new(node.entropy());
    let id = id.unwrap_or_else(|| AccountId::from_random(u64::from_be_bytes(mint.bytes())));
    if node.account(id).is_some() {
        return Err(OperatorError::Exists(id));
    }
    let now = node.clock().now();
    let partition = node.settings().partition;
    let info = AccountInfo { id, name, partition, created: now, alias: None };
    let user = User {
        id: mint.unique_id(IdKind::User),
        name: ADMINISTRATOR.parse().map_err(|_| OperatorError::Internal("bad user name"))?,
        path: Path::root(),
        created: now,
        tags: bailiwick_identifiers::TagSet::default(),
        boundary: None,
    };
    let policy: Arn = format!("arn:{partition}:iam::aws:policy/{ADMINISTRATOR_POLICY}")
        .parse()
        .map_err(|_| OperatorError::Internal("bad policy name"))?;
    let console_password = Secret::new(mint.secret());
    let hash = password::hash(&console_password, mint.bytes())
        .map_err(|_| OperatorError::Internal("the password could not be hashed"))?;
    let (access_key_id, secret) = match key {
        Some(key) => key,
        None => (mint.access_key_id(AccessKeyKind::LongTerm, id), Secret::new(mint.secret())),
    };
    let records = [
        Record::Account(Arc::new(info.clone())),
        Record::Attachment(Attachment { owner: user.id, policy }),
        Record::LoginProfile(Arc::new(LoginProfile {
            user: user.id,
            created: now,
            changed: now,
            hash,
            previous: Vec::new(),
            reset_required: true,
        })),
        key_record(node, &mut mint, &access_key_id, &secret, Owner::User(user.id))?,
        Record::User(Arc::new(user.clone())),
    ];
    let mut account = Account::new(info);
    let mut transaction = Transaction::new();
    for record in records {
        let path = record.key().path(id);
        transaction = transaction.create(path, record.encode());
        if let Some(unique) = record.unique_name() {
            transaction = transaction.create(unique.path(id), Vec::new());
        }
        account.put(record);
    }
    if access_key_id.account() != Some(id) {
        let index = format!("{KEY_INDEX}{access_key_id}");
        transaction = transaction.create(index, id.to_string());
    }
    if home {
        transaction = transaction.create(HOME, id.to_string());
    }
    let event = event(node, &mut mint, id, "CreateAccount", &json!({"accountId": id.to_string()}));
    let revision = commit(node, id, transaction, &event)?;
    node.add_shard(Shard::new(account, revision));
    if access_key_id.account() != Some(id) {
        node.index_key(access_key_id.clone(), id);
    }
    Ok(Credentials {
        account: id,
        user: user.name,
        access_key_id,
        secret_access_key: secret,
        console_password,
    })
}

fn key_record(
    node: &Arc<Node>,
    mint: &mut Mint,
    id: &AccessKeyId,
    secret: &Secret,
    owner: Owner,
) -> Result<Record, OperatorError> {
    let sealed = node
        .keyring()
        .seal(
            Purpose::AccessKeySecret,
            &secret_binding(id),
            secret.expose().as_bytes(),
            mint.bytes(),
        )
        .map_err(|_| OperatorError::Internal("the secret could not be sealed"))?;
    Ok(Record::AccessKey(Arc::new(AccessKey {
        id: id.clone(),
        owner,
        status: KeyStatus::Active,
        created: node.clock().now(),
        warned: None,
        sealed_secret: sealed.into(),
    })))
}

/// Gives a user of an account a key whose id and secret are known already, as when one moves from
/// another system.
pub fn import_key(
    node: &Arc<Node>,
    account: AccountId,
    user: &str,
    id: &AccessKeyId,
    secret: &Secret,
) -> Result<(), OperatorError> {
    if !(16..=128).contains(&secret.expose().len()) {
        return Err(OperatorError::Secret);
    }
    let shard = node.shard(account).ok_or(OperatorError::NoAccount(account))?;
    if node.shard_of_key(id).is_some_and(|shard| shard.account().access_key(id).is_some()) {
        return Err(OperatorError::KeyExists(id.clone()));
    }
    let found = shard.account().user_named(user).cloned();
    let user = found.ok_or_else(|| OperatorError::NoUser(user.to_owned()))?;
    let limit = node.settings().quotas.access_keys_per_user;
    let held = shard.account().keys_of(Owner::User(user.id)).count();
    if u64::try_from(held).unwrap_or(u64::MAX) >= limit {
        return Err(OperatorError::KeyQuota(limit));
    }
    let mut mint = Mint::new(node.entropy());
    let record = key_record(node, &mut mint, id, secret, Owner::User(user.id))?;
    let parameters = json!({"userName": user.name.as_str(), "accessKeyId": id.as_str()});
    let index =
        (id.account() != Some(account)).then(|| (format!("{KEY_INDEX}{id}"), account.to_string()));
    put(node, &shard, vec![record], index, "ImportAccessKey", &parameters)?;
    if id.account() != Some(account) {
        node.index_key(id.clone(), account);
    }
    Ok(())
}

/// Makes an access key of an account's root user.
pub fn create_root_key(
    node: &Arc<Node>,
    account: AccountId,
) -> Result<(AccessKeyId, Secret), OperatorError> {
    let shard = node.shard(account).ok_or(OperatorError::NoAccount(account))?;
    let limit = node.settings().quotas.access_keys_per_user;
    let held = shard.account().keys_of(Owner::Root).count();
    if u64::try_from(held).unwrap_or(u64::MAX) >= limit {
        return Err(OperatorError::KeyQuota(limit));
    }
    let mut mint = Mint::new(node.entropy());
    let id = mint.access_key_id(AccessKeyKind::LongTerm, account);
    let secret = Secret::new(mint.secret());
    let record = key_record(node, &mut mint, &id, &secret, Owner::Root)?;
    let parameters = json!({"accessKeyId": id.as_str()});
    put(node, &shard, vec![record], None, "CreateRootAccessKey", &parameters)?;
    Ok((id, secret))
}

/// Deletes an access key of an account's root user.
pub fn delete_root_key(
    node: &Arc<Node>,
    account: AccountId,
    id: &AccessKeyId,
) -> Result<(), OperatorError> {
    let shard = node.shard(account).ok_or(OperatorError::NoAccount(account))?;
    let held = shard.account().access_key(id).is_some_and(|key| key.owner == Owner::Root);
    if !held {
        return Err(OperatorError::NoKey(id.clone()));
    }
    let parameters = json!({"accessKeyId": id.as_str()});
    let mut mint = Mint::new(node.entropy());
    let deletion = event(node, &mut mint, account, "DeleteRootAccessKey", &parameters);
    let mut newest = shard.head();
    let mut state = Arc::clone(&newest.account);
    let mut transaction = Transaction::new();
    for key in [RecordKey::AccessKey(id.clone()), RecordKey::KeyUse(id.clone())] {
        transaction = transaction.delete(key.path(account));
        Arc::make_mut(&mut state).remove(&key);
    }
    let revision = commit(node, account, transaction, &deletion)?;
    newest.account = Arc::clone(&state);
    shard.publish(state, revision);
    Ok(())
}

/// Prepares one of the documented fixtures in an account: F0 is the account as it stands, F1 adds
/// the user `service-account` and F2 the user `compromised-user`, each owning the key
/// `AKIAI44QH8DHBEXAMPLE`. Returns that user and the key with its secret.
pub fn fixture(
    node: &Arc<Node>,
    account: AccountId,
    name: &str,
) -> Result<Option<(&'static str, AccessKeyId, Secret)>, OperatorError> {
    let user = match name {
        "F0" => return Ok(None),
        "F1" => "service-account",
        "F2" => "compromised-user",
        other => return Err(OperatorError::NoFixture(other.to_owned())),
    };
    let shard = node.shard(account).ok_or(OperatorError::NoAccount(account))?;
    let id: AccessKeyId = FIXTURE_KEY.parse().map_err(|_| OperatorError::Internal("bad key id"))?;
    if node.shard_of_key(&id).is_some_and(|shard| shard.account().access_key(&id).is_some()) {
        return Err(OperatorError::KeyExists(id));
    }
    if shard.account().user_named(user).is_none() {
        let mut mint = Mint::new(node.entropy());
        let record = Record::User(Arc::new(User {
            id: mint.unique_id(IdKind::User),
            name: user.parse().map_err(|_| OperatorError::Internal("bad user name"))?,
            path: Path::root(),
            created: node.clock().now(),
            tags: bailiwick_identifiers::TagSet::default(),
            boundary: None,
        }));
        put(node, &shard, vec![record], None, "CreateUser", &json!({"userName": user}))?;
    }
    let id: AccessKeyId = FIXTURE_KEY.parse().map_err(|_| OperatorError::Internal("bad key id"))?;
    let secret = Secret::new(Mint::new(node.entropy()).secret());
    import_key(node, account, user, &id, &secret)?;
    Ok(Some((user, id, secret)))
}

/// Records what the operator did outside the store, in the trail of the account made first.
pub fn note(node: &Arc<Node>, name: &str, parameters: &Json) -> Result<(), OperatorError> {
    let home = node.home().ok_or(OperatorError::Internal("there is no account yet"))?;
    let event = event(node, &mut Mint::new(node.entropy()), home, name, parameters);
    commit(node, home, Transaction::new(), &event).map(drop)
}

/// Adds records to an account, with an index entry and an event.
pub(crate) fn put(
    node: &Arc<Node>,
    shard: &Shard,
    records: Vec<Record>,
    index: Option<(String, String)>,
    name: &str,
    parameters: &Json,
) -> Result<(), OperatorError> {
    let id = shard.id();
    let mut mint = Mint::new(node.entropy());
    let event = event(node, &mut mint, id, name, parameters);
    let mut head = shard.head();
    let mut transaction = Transaction::new();
    let mut state = Arc::clone(&head.account);
    for record in records {
        transaction = transaction.create(record.key().path(id), record.encode());
        if let Some(unique) = record.unique_name() {
            transaction = transaction.create(unique.path(id), Vec::new());
        }
        Arc::make_mut(&mut state).put(record);
    }
    if let Some((key, value)) = index {
        transaction = transaction.create(key, value);
    }
    let revision = commit(node, id, transaction, &event)?;
    head.account = Arc::clone(&state);
    shard.publish(state, revision);
    Ok(())
}

pub(crate) struct Event {
    key: Vec<u8>,
    line: Vec<u8>,
}

/// An event of the operator in the trail of an account.
pub(crate) fn event(
    node: &Arc<Node>,
    mint: &mut Mint,
    account: AccountId,
    name: &str,
    parameters: &Json,
) -> Event {
    let identity = json!({"type": "Operator", "invokedBy": "operator of the host"});
    event_by(node, mint, account, &identity, name, parameters)
}

/// An event of the server's own in the trail of an account.
pub(crate) fn event_by(
    node: &Arc<Node>,
    mint: &mut Mint,
    account: AccountId,
    identity: &Json,
    name: &str,
    parameters: &Json,
) -> Event {
    let id = mint.uuid();
    let record = json!({
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": time::write_iso(node.clock().now()),
        "eventSource": "bailiwick.amazonaws.com",
        "eventName": name,
        "awsRegion": node.settings().partition.global_region(),
        "sourceIPAddress": "bailiwick.internal",
        "userAgent": "bailiwick",
        "requestParameters": parameters,
        "responseElements": null,
        "requestID": mint.uuid(),
        "eventID": id,
        "readOnly": false,
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": account.to_string(),
        "eventCategory": "Management",
    });
    let mut line = json!({ "event": record }).to_string().into_bytes();
    line.push(b'\n');
    Event { key: format!("{OUTBOX}{account}/{id}").into_bytes(), line }
}

/// Makes changes and their event durable together (rule R6).
pub(crate) fn commit(
    node: &Arc<Node>,
    account: AccountId,
    transaction: Transaction,
    event: &Event,
) -> Result<bailiwick_store::Revision, OperatorError> {
    let (key, line) = (event.key.clone(), event.line.clone());
    let transaction = transaction.put(key.clone(), line.clone());
    debug_assert!(!transaction.compares.iter().any(|(_, expect)| *expect == Expect::Present));
    if node.store().on_committer() {
        return Err(StoreError::WouldDeadlock.into());
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let exporting = Arc::clone(node);
    // From the completion, which comes in the order of commits: were a later event in the journal
    // first, a crash between the two would lose this one.
    node.store().submit(
        transaction,
        Box::new(move |result| {
            if let Ok(Outcome::Committed(revision)) = &result {
                exporting.export(account, *revision, key, line);
            }
            // A caller that has gone needs no answer.
            let _ = sender.send(result);
        }),
    );
    let closed = |_| OperatorError::Internal("the store was closed");
    match receiver.recv().map_err(closed)?? {
        Outcome::Committed(revision) => Ok(revision),
        Outcome::Conflict { .. } => {
            Err(OperatorError::Internal("another command came first; try again"))
        }
    }
}
