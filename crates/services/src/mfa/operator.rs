//! What the operator of the host may do with MFA devices: import tokens, and free a device that is
//! lost.

use std::sync::Arc;

use bailiwick_identifiers::{AccountId, TagSet};
use bailiwick_model::{MfaDevice, MfaKind, Owner, Record};
use bailiwick_store::Transaction;
use serde_json::json;

use super::tokens::Token;
use super::{base32, seal};
use crate::node::Node;
use crate::operator::{OperatorError, commit, event, put};
use crate::ports::Mint;

/// Tokens of one import: all of them become durable together.
const MAX_AT_ONCE: usize = 250;

/// Adds hardware tokens to an account, as devices that are nobody's yet. Those whose serial number
/// is there already stay as they are. Returns how many were added and how many were there.
///
/// # Errors
///
/// There is no such account, there are more than 250, or the store refuses; then none was added.
pub fn import_mfa_tokens(
    node: &Arc<Node>,
    account: AccountId,
    tokens: &[Token],
) -> Result<(usize, usize), OperatorError> {
    let shard = node.shard(account).ok_or(OperatorError::NoAccount(account))?;
    if tokens.len() > MAX_AT_ONCE {
        return Err(OperatorError::Internal("too many tokens at one time"));
    }
    let mut mint = Mint::new(node.entropy());
    let state = shard.account();
    let mut records = Vec::new();
    for token in tokens.iter().filter(|token| state.mfa_device(&token.serial).is_none()) {
        let seed = base32::decode(token.seed.expose());
        let seed = seed.ok_or(OperatorError::Internal("a seed is not in base32"))?;
        let id = mint.uuid();
        let sealed = seal(node.keyring(), &id, &seed, mint.bytes());
        records.push(Record::MfaDevice(Arc::new(MfaDevice {
            serial: token.serial.clone(),
            sealed_seed: sealed.map_err(|_| OperatorError::Internal("a seed was not sealed"))?,
            id,
            kind: MfaKind::Hardware,
            created: node.clock().now(),
            counter: token.counter,
            hash: token.hash,
            tags: TagSet::default(),
            assigned: None,
            drift: 0,
            newest: token.next.checked_sub(1),
            security_key: None,
        })));
    }
    let added = records.len();
    if added > 0 {
        let serials: Vec<&str> = tokens.iter().map(|token| token.serial.as_str()).collect();
        let parameters = json!({"serialNumbers": serials});
        put(node, &shard, records, None, "ImportMFADevices", &parameters)?;
    }
    Ok((added, tokens.len() - added))
}

/// Makes a device nobody's, whoever has it: the way back for root, or for the only administrator,
/// when the device is lost. Returns whose it was: a user's name, or `root`.
///
/// # Errors
///
/// There is no such account or device, or it is nobody's.
pub fn deactivate_mfa_device(
    node: &Arc<Node>,
    account: AccountId,
    serial: &str,
) -> Result<String, OperatorError> {
    let shard = node.shard(account).ok_or(OperatorError::NoAccount(account))?;
    let mut head = shard.head();
    let device = head.account.mfa_device(serial).filter(|device| device.assigned.is_some());
    let device = device.cloned().ok_or_else(|| OperatorError::NoDevice(serial.to_owned()))?;
    let owner = match device.owner() {
        Some(Owner::User(id)) => {
            head.account.user(&id).map(|user| user.name.to_string()).unwrap_or_default()
        }
        _ => "root".to_owned(),
    };
    let parameters = json!({"userName": owner, "serialNumber": device.serial});
    let mut mint = Mint::new(node.entropy());
    let event = event(node, &mut mint, account, "DeactivateMFADevice", &parameters);
    let freed = MfaDevice { assigned: None, ..MfaDevice::clone(&device) };
    let record = Record::MfaDevice(Arc::new(freed));
    let mut state = Arc::clone(&head.account);
    let path = record.key().path(account);
    // A security key is bound to who registered it.
    let transaction = if device.kind == MfaKind::SecurityKey {
        Arc::make_mut(&mut state).remove(&record.key());
        Transaction::new().delete(path)
    } else {
        let value = record.encode();
        Arc::make_mut(&mut state).put(record);
        Transaction::new().put(path, value)
    };
    let revision = commit(node, account, transaction, &event)?;
    head.account = Arc::clone(&state);
    shard.publish(state, revision);
    Ok(owner)
}
