//! The key policy of an account: access keys that grow too old are announced, then made inactive.
//!
//! An extension, off until the operator of the host sets it. Every second the process asks for what
//! is due by the injected clock; a key's change and its event are one transaction, so each happens
//! once, whatever ends the process in between. Root's keys are never touched: they are the last way
//! in, and only the operator makes and deletes them.

use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccountId, TagSet};
use bailiwick_model::{AccessKey, Account, AccountSettings, KeyPolicy, KeyStatus, Record, User};
use bailiwick_store::Transaction;
use bailiwick_wire::time;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use crate::node::Node;
use crate::operator::{OperatorError, commit, event, event_by};
use crate::ports::Mint;
use crate::shard::Shard;

/// Keys of one account that one second deals with: each is a transaction of its own.
const AT_ONCE: usize = 200;
/// Keys that the operator is shown, those first that end first.
const SHOWN: usize = 50;
/// No key lives for more than a century.
const MAX_AGE: u64 = 36_525 * 86_400;
/// Exemptions of a policy.
const MAX_EXEMPTIONS: usize = 50;

/// Sets the key policy of an account, or takes it away. Keys that are already old when it is set
/// have the time of warning before they end.
///
/// # Errors
///
/// There is no such account, the policy makes no sense, or the store refuses.
pub fn set_key_policy(
    node: &Arc<Node>,
    account: AccountId,
    policy: Option<KeyPolicy>,
) -> Result<(), OperatorError> {
    let shard = node.shard(account).ok_or(OperatorError::NoAccount(account))?;
    if let Some(policy) = &policy {
        check(policy)?;
    }
    let mut head = shard.head();
    let before = head.account.settings();
    let policy = policy.map(|mut policy| {
        policy.since = match &before.key_policy {
            // The same limits again give no new respite.
            Some(same) if (same.max_age, same.warn) == (policy.max_age, policy.warn) => same.since,
            _ => node.clock().now(),
        };
        policy
    });
    if policy == before.key_policy {
        return Ok(());
    }
    let (name, parameters) = match &policy {
        Some(policy) => ("SetKeyPolicy", described(policy)),
        None => ("ClearKeyPolicy", Json::Null),
    };
    let settings = AccountSettings { key_policy: policy, ..before.clone() };
    let mut mint = Mint::new(node.entropy());
    let event = event(node, &mut mint, account, name, &parameters);
    let record = Record::Settings(Arc::new(settings));
    let transaction = Transaction::new().put(record.key().path(account), record.encode());
    let mut state = Arc::clone(&head.account);
    Arc::make_mut(&mut state).put(record);
    let revision = commit(node, account, transaction, &event)?;
    head.account = Arc::clone(&state);
    shard.publish(state, revision);
    Ok(())
}

/// The key policy of an account and the keys that it ends next; null where there is none.
///
/// # Errors
///
/// There is no such account.
pub fn key_policy(node: &Node, account: AccountId) -> Result<Json, OperatorError> {
    let account = node.account(account).ok_or(OperatorError::NoAccount(account))?;
    let Some(policy) = &account.settings().key_policy else { return Ok(Json::Null) };
    let mut keys: Vec<_> = bound(&account, policy)
        .map(|(user, key)| (expires(policy, key), user.name.as_str(), key))
        .collect();
    keys.sort_by(|one, two| (one.0, &one.2.id).cmp(&(two.0, &two.2.id)));
    let shown = keys.iter().take(SHOWN).map(|(expires, user, key)| {
        json!({
            "user": user, "access_key_id": key.id, "expires": time::write_iso(*expires),
            "warned": key.warned.map(time::write_iso),
        })
    });
    let mut told = described(policy);
    if let Some(fields) = told.as_object_mut() {
        fields.insert("active_keys".into(), keys.len().into());
        fields.insert("next".into(), shown.collect());
    }
    Ok(told)
}

/// Does what is due in every account that has a key policy.
pub fn enforce_key_policies(node: &Arc<Node>) {
    let now = node.clock().now();
    for account in node.accounts() {
        let Some(policy) = &account.settings().key_policy else { continue };
        let due = bound(&account, policy).filter(|(_, key)| act(policy, key, now).is_some());
        let due: Vec<AccessKeyId> = due.map(|(_, key)| key.id.clone()).take(AT_ONCE).collect();
        let Some(shard) = node.shard(account.id()).filter(|shard| !shard.is_stopped()) else {
            continue;
        };
        for id in due {
            if let Err(error) = apply(node, &shard, &id, now) {
                tracing::error!(%error, key = %id, "the key policy could not be carried out");
                return;
            }
        }
    }
}

/// What is due for a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Act {
    Warn,
    Expire,
}

/// The active keys of users to whom the policy applies.
fn bound<'a>(
    account: &'a Account,
    policy: &'a KeyPolicy,
) -> impl Iterator<Item = (&'a Arc<User>, &'a Arc<AccessKey>)> {
    account.access_keys().filter(|key| key.status == KeyStatus::Active).filter_map(|key| {
        let user = account.user(&key.owner.user()?)?;
        (!is_exempt(policy, user.path.as_str(), &user.tags)).then_some((user, key))
    })
}

fn is_exempt(policy: &KeyPolicy, path: &str, tags: &TagSet) -> bool {
    let tagged = |exempt: &String| {
        let (name, value) = exempt.split_once('=').unwrap_or((exempt, ""));
        tags.iter().any(|tag| {
            tag.key.as_str().eq_ignore_ascii_case(name)
                && (!exempt.contains('=') || tag.value.as_str() == value)
        })
    };
    policy.exempt_paths.iter().any(|exempt| path.starts_with(exempt.as_str()))
        || policy.exempt_tags.iter().any(tagged)
}

/// When a key ends: at its age, and not before it could be announced.
fn expires(policy: &KeyPolicy, key: &AccessKey) -> Timestamp {
    later(key.created, policy.max_age).max(later(policy.since, policy.warn))
}

fn later(then: Timestamp, seconds: u64) -> Timestamp {
    let length = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    then.saturating_add(length).unwrap_or(Timestamp::MAX)
}

fn act(policy: &KeyPolicy, key: &AccessKey, now: Timestamp) -> Option<Act> {
    let warns = later(key.created, policy.max_age.saturating_sub(policy.warn)).max(policy.since);
    if now >= expires(policy, key) {
        Some(Act::Expire)
    } else {
        (now >= warns && key.warned.is_none()).then_some(Act::Warn)
    }
}

/// Does what is due for a key, by its newest state.
fn apply(
    node: &Arc<Node>,
    shard: &Shard,
    id: &AccessKeyId,
    now: Timestamp,
) -> Result<(), OperatorError> {
    let account = shard.id();
    let mut head = shard.head();
    let Some(policy) = head.account.settings().key_policy.clone() else { return Ok(()) };
    let found = bound(&head.account, &policy).find(|(_, key)| key.id == *id);
    let Some((user, key)) = found else { return Ok(()) };
    let mut changed = AccessKey::clone(key);
    let name = match act(&policy, key, now) {
        None => return Ok(()),
        Some(Act::Warn) => {
            changed.warned = Some(now);
            "BailiwickKeyExpiring"
        }
        Some(Act::Expire) => {
            changed.status = KeyStatus::Inactive;
            "BailiwickKeyExpired"
        }
    };
    let parameters = json!({
        "userName": user.name.as_str(),
        "accessKeyId": id.as_str(),
        "createDate": time::write_iso(key.created),
        "expirationDate": time::write_iso(expires(&policy, key)),
        "status": changed.status.as_str(),
    });
    let identity = json!({"type": "AWSService", "invokedBy": "bailiwick.amazonaws.com"});
    let mut mint = Mint::new(node.entropy());
    let event = event_by(node, &mut mint, account, &identity, name, &parameters);
    let record = Record::AccessKey(Arc::new(changed));
    let transaction = Transaction::new().put(record.key().path(account), record.encode());
    let mut state = Arc::clone(&head.account);
    Arc::make_mut(&mut state).put(record);
    let revision = commit(node, account, transaction, &event)?;
    head.account = Arc::clone(&state);
    shard.publish(state, revision);
    tracing::warn!(%account, key = %id, name, "key policy");
    Ok(())
}

fn check(policy: &KeyPolicy) -> Result<(), OperatorError> {
    let exemptions = policy.exempt_paths.len().saturating_add(policy.exempt_tags.len());
    let path = |path: &String| {
        path.starts_with('/') && path.ends_with('/') && path.len() > 1 && path.len() <= 512
    };
    if policy.max_age == 0 || policy.max_age > MAX_AGE {
        Err(OperatorError::KeyPolicy("the age of a key is one second to a hundred years"))
    } else if policy.warn >= policy.max_age {
        Err(OperatorError::KeyPolicy("the time of warning is shorter than the age"))
    } else if exemptions > MAX_EXEMPTIONS {
        Err(OperatorError::KeyPolicy("there are at most fifty exemptions"))
    } else if !policy.exempt_paths.iter().all(path) {
        Err(OperatorError::KeyPolicy(
            "an exempt path begins and ends with `/`, and is not all of it",
        ))
    } else if policy.exempt_tags.iter().any(|tag| tag.is_empty() || tag.starts_with('=')) {
        Err(OperatorError::KeyPolicy("an exempt tag is KEY or KEY=VALUE"))
    } else {
        Ok(())
    }
}

fn described(policy: &KeyPolicy) -> Json {
    json!({
        "max_age": length(policy.max_age),
        "warn": length(policy.warn),
        "exempt_paths": policy.exempt_paths,
        "exempt_tags": policy.exempt_tags,
        "since": time::write_iso(policy.since),
    })
}

/// Seconds in the largest unit that leaves none over.
fn length(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit =
        units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (size, name) = unit.unwrap_or((1, "s"));
    format!("{}{name}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_model::Owner;

    const DAY: u64 = 86_400;

    fn policy(since: u64) -> KeyPolicy {
        KeyPolicy {
            max_age: 90 * DAY,
            warn: 14 * DAY,
            exempt_paths: vec!["/service/".into()],
            exempt_tags: vec!["long-lived".into(), "team=ops".into()],
            since: later(Timestamp::UNIX_EPOCH, since * DAY),
        }
    }

    fn key(warned: bool) -> AccessKey {
        AccessKey {
            id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            owner: Owner::Root,
            status: KeyStatus::Active,
            created: Timestamp::UNIX_EPOCH,
            warned: warned.then_some(Timestamp::UNIX_EPOCH),
            sealed_secret: Arc::from([]),
        }
    }

    #[test]
    fn keys_are_announced_and_end() {
        for (since, warned, day, expected) in [
            (0, false, 75, None),
            (0, false, 76, Some(Act::Warn)),
            (0, true, 76, None),
            (0, true, 89, None),
            (0, true, 90, Some(Act::Expire)),
            (0, false, 91, Some(Act::Expire)),
            // Set when the key was old: it has the time of warning.
            (200, false, 199, None),
            (200, false, 200, Some(Act::Warn)),
            (200, true, 213, None),
            (200, true, 214, Some(Act::Expire)),
        ] {
            let now = later(Timestamp::UNIX_EPOCH, day * DAY);
            let found = act(&policy(since), &key(warned), now);
            assert_eq!(found, expected, "since {since}, day {day}");
        }
    }

    #[test]
    fn exemptions_are_by_path_and_tag() {
        for (path, tags, expected) in [
            ("/", &[][..], false),
            ("/service/", &[], true),
            ("/service/ci/", &[], true),
            ("/services/", &[], false),
            ("/", &[("Long-Lived", "no")], true),
            ("/", &[("team", "ops")], true),
            ("/", &[("team", "dev")], false),
        ] {
            let mut set = TagSet::default();
            for (name, value) in tags {
                let (key, value) = (name.parse().unwrap(), value.parse().unwrap());
                set.put(bailiwick_identifiers::Tag { key, value });
            }
            assert_eq!(is_exempt(&policy(0), path, &set), expected, "{path} {tags:?}");
        }
    }

    #[test]
    fn policies_that_make_no_sense_are_refused() {
        let fine = policy(0);
        assert!(check(&fine).is_ok());
        for bad in [
            KeyPolicy { max_age: 0, warn: 0, ..fine.clone() },
            KeyPolicy { warn: 90 * DAY, ..fine.clone() },
            KeyPolicy { exempt_paths: vec!["/".into()], ..fine.clone() },
            KeyPolicy { exempt_paths: vec!["service".into()], ..fine.clone() },
            KeyPolicy { exempt_tags: vec!["=x".into()], ..fine.clone() },
            KeyPolicy { exempt_tags: vec!["x".into(); 51], ..fine },
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }
}
