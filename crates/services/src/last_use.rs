//! Last uses that are not durable yet: of keys, roles, actions and service-specific credentials.
//!
//! A call notes its uses in memory and waits for no disk. The node makes them durable once a
//! second; an action that is asked for all the time is written once a minute. What was noted stays
//! here until the account shows it, so that no reader sees a use go back in time.

use std::collections::HashMap;
use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, UniqueId};
use bailiwick_model::{Account, ActionUse, KeyUse, Record, RoleUse, ServiceCredentialUse};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// How long an action that was written may be asked for again before it is written again.
const REST: SignedDuration = SignedDuration::from_secs(60);

/// An action: the prefix of its service and its name. Both come from descriptions of services, so
/// that callers choose among few.
pub(crate) type Action = (&'static str, &'static str);

/// What a signed call uses.
pub(crate) struct Signed<'a> {
    /// The long-term key that signed.
    pub(crate) key: Option<&'a AccessKeyId>,
    /// The role whose session signed.
    pub(crate) role: Option<UniqueId>,
    /// The user or role that calls; none for root.
    pub(crate) principal: Option<UniqueId>,
    /// What it asks for.
    pub(crate) action: Action,
    /// When.
    pub(crate) at: Timestamp,
    /// In which region, as signed.
    pub(crate) region: &'a str,
}

/// The last uses in one account.
#[derive(Default)]
pub(crate) struct LastUses {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    keys: HashMap<AccessKeyId, Noted>,
    others: HashMap<Used, Noted>,
}

/// What was used, apart from keys, which are looked up by reference.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Used {
    Role(UniqueId),
    Action(UniqueId, Action),
    ServiceCredential(UniqueId),
}

/// A use as it was noted last.
struct Noted {
    at: Timestamp,
    region: String,
    service: &'static str,
    /// Whether it was noted after the last one that was handed out to be written.
    fresh: bool,
    /// The use that the account shows.
    stored: Option<Timestamp>,
}

/// A use that is being written.
pub(crate) struct Pending {
    /// As it is stored.
    pub(crate) record: Record,
    used: Option<Used>,
    at: Timestamp,
}

impl LastUses {
    /// Notes a signed call.
    pub(crate) fn note(&self, call: &Signed<'_>) {
        let (at, region, service) = (call.at, call.region, call.action.0);
        let mut tables = self.tables.lock();
        if let Some(key) = call.key {
            match tables.keys.get_mut(key) {
                Some(noted) => noted.renew(at, region, service),
                None => drop(tables.keys.insert(key.clone(), Noted::new(at, region, service))),
            }
        }
        if let Some(role) = call.role {
            tables.note(Used::Role(role), at, region, service);
        }
        if let Some(principal) = call.principal {
            tables.note(Used::Action(principal, call.action), at, region, service);
        }
    }

    /// Notes a further action that a call asked for.
    pub(crate) fn note_action(
        &self,
        principal: UniqueId,
        action: Action,
        at: Timestamp,
        region: &str,
    ) {
        self.tables.lock().note(Used::Action(principal, action), at, region, action.0);
    }

    /// Notes that a service-specific credential was used.
    pub(crate) fn note_service_credential(&self, last: &ServiceCredentialUse) {
        self.tables.lock().note(Used::ServiceCredential(last.credential), last.at, "", "");
    }

    /// The last use of a key, if it is known here.
    pub(crate) fn key(&self, key: &AccessKeyId) -> Option<KeyUse> {
        self.tables.lock().keys.get(key).map(|noted| noted.of_key(key))
    }

    /// The last use of a role, if it is known here.
    pub(crate) fn role(&self, role: &UniqueId) -> Option<RoleUse> {
        self.tables.lock().others.get(&Used::Role(*role)).map(|noted| noted.of_role(*role))
    }

    /// The last use of a service-specific credential, if it is known here.
    pub(crate) fn service_credential(&self, id: &UniqueId) -> Option<ServiceCredentialUse> {
        let tables = self.tables.lock();
        let noted = tables.others.get(&Used::ServiceCredential(*id))?;
        Some(ServiceCredentialUse { credential: *id, at: noted.at })
    }

    /// The actions that are known here, by who asked for them.
    pub(crate) fn actions(&self) -> HashMap<UniqueId, Vec<ActionUse>> {
        let mut found: HashMap<UniqueId, Vec<ActionUse>> = HashMap::new();
        for (used, noted) in &self.tables.lock().others {
            if let Used::Action(principal, action) = *used {
                found.entry(principal).or_default().push(noted.of_action(principal, action));
            }
        }
        found
    }

    /// The uses that are to be written now, or all that are not; [`LastUses::written`] must follow.
    /// What `account` no longer holds is forgotten.
    pub(crate) fn to_write(&self, account: &Account, now: Timestamp, all: bool) -> Vec<Pending> {
        let mut tables = self.tables.lock();
        let Tables { keys, others } = &mut *tables;
        keys.retain(|key, noted| account.access_key(key).is_some() && !noted.is_shown());
        others.retain(|used, noted| used.lives(account) && !noted.is_done(used, now));
        let mut pending = Vec::new();
        for (key, noted) in keys.iter_mut().filter(|(_, noted)| noted.fresh) {
            noted.fresh = false;
            let record = Record::KeyUse(Arc::new(noted.of_key(key)));
            pending.push(Pending { record, used: None, at: noted.at });
        }
        for (used, noted) in others.iter_mut() {
            if noted.fresh && (all || !noted.rests(used, noted.at)) {
                noted.fresh = false;
                let record = noted.record(*used);
                pending.push(Pending { record, used: Some(*used), at: noted.at });
            }
        }
        pending
    }

    /// Ends the writing of uses that [`LastUses::to_write`] handed out: the account shows them, or
    /// they are to be written another time.
    pub(crate) fn written(&self, pending: &[Pending], durable: bool) {
        let mut tables = self.tables.lock();
        for Pending { record, used, at } in pending {
            let noted = match (used, record) {
                (Some(used), _) => tables.others.get_mut(used),
                (None, Record::KeyUse(last)) => tables.keys.get_mut(&last.key),
                (None, _) => None,
            };
            match noted {
                Some(noted) if durable => noted.stored = Some(*at),
                Some(noted) => noted.fresh = true,
                None => {}
            }
        }
    }
}

impl Tables {
    fn note(&mut self, used: Used, at: Timestamp, region: &str, service: &'static str) {
        match self.others.get_mut(&used) {
            Some(noted) => noted.renew(at, region, service),
            None => drop(self.others.insert(used, Noted::new(at, region, service))),
        }
    }
}

impl Used {
    /// Whether the account still holds what was used, or who asked.
    fn lives(&self, account: &Account) -> bool {
        match self {
            Self::Role(id) => account.role(id).is_some(),
            Self::ServiceCredential(id) => account.service_credential(id).is_some(),
            Self::Action(id, _) => account.user(id).is_some() || account.role(id).is_some(),
        }
    }
}

impl Noted {
    fn new(at: Timestamp, region: &str, service: &'static str) -> Self {
        Self { at, region: region.to_owned(), service, fresh: true, stored: None }
    }

    /// Calls may end in another order than they began in.
    fn renew(&mut self, at: Timestamp, region: &str, service: &'static str) {
        if at < self.at {
            return;
        }
        self.at = at;
        self.fresh = true;
        self.service = service;
        if self.region != region {
            region.clone_into(&mut self.region);
        }
    }

    /// Whether the account shows it as it is here.
    fn is_shown(&self) -> bool {
        !self.fresh && self.stored == Some(self.at)
    }

    /// Whether a use at this time is too near to the one that was written.
    fn rests(&self, used: &Used, at: Timestamp) -> bool {
        let near = |stored| at.duration_since(stored) < REST;
        matches!(used, Used::Action(..)) && self.stored.is_some_and(near)
    }

    /// Whether nothing is left to remember of it.
    fn is_done(&self, used: &Used, now: Timestamp) -> bool {
        self.is_shown() && !self.rests(used, now)
    }

    fn of_key(&self, key: &AccessKeyId) -> KeyUse {
        let (region, service) = (self.region.clone(), self.service.to_owned());
        KeyUse { key: key.clone(), at: self.at, region, service }
    }

    fn of_role(&self, role: UniqueId) -> RoleUse {
        RoleUse { role, at: self.at, region: self.region.clone() }
    }

    fn of_action(&self, principal: UniqueId, (service, name): Action) -> ActionUse {
        let action = format!("{service}:{name}");
        ActionUse { principal, action, at: self.at, region: self.region.clone() }
    }

    fn record(&self, used: Used) -> Record {
        match used {
            Used::Role(id) => Record::RoleUse(Arc::new(self.of_role(id))),
            Used::Action(id, action) => Record::ActionUse(Arc::new(self.of_action(id, action))),
            Used::ServiceCredential(credential) => {
                let last = ServiceCredentialUse { credential, at: self.at };
                Record::ServiceCredentialUse(Arc::new(last))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_identifiers::{IdKind, Partition, Path, TagSet};
    use bailiwick_model::{AccountInfo, User};

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ann() -> UniqueId {
        UniqueId::from_random(IdKind::User, [1; 11])
    }

    fn account() -> Account {
        let mut account = Account::new(AccountInfo {
            id: "123456789012".parse().unwrap(),
            name: None,
            partition: Partition::Aws,
            created: Timestamp::UNIX_EPOCH,
            alias: None,
        });
        account.put(Record::User(Arc::new(User {
            id: ann(),
            name: "ann".parse().unwrap(),
            path: Path::root(),
            created: Timestamp::UNIX_EPOCH,
            tags: TagSet::default(),
            boundary: None,
        })));
        account
    }

    fn use_at(uses: &LastUses, at: i64) {
        uses.note_action(ann(), ("iam", "GetUser"), second(at), "us-east-1");
    }

    fn known(uses: &LastUses) -> Option<i64> {
        uses.actions().get(&ann()).map(|all| all[0].at.as_second())
    }

    #[test]
    fn a_busy_action_is_written_once_a_minute() {
        let (uses, account) = (LastUses::default(), account());
        let mut writes = Vec::new();
        for at in 0..180 {
            use_at(&uses, at);
            let pending = uses.to_write(&account, second(at), false);
            writes.extend(pending.iter().map(|pending| pending.at.as_second()));
            uses.written(&pending, true);
            assert_eq!(known(&uses), Some(at));
        }
        assert_eq!(writes, [0, 60, 120]);
        // The last one is not lost when the process ends, nor when the action is idle for a minute.
        let pending = uses.to_write(&account, second(179), true);
        assert_eq!(pending.len(), 1);
        uses.written(&pending, true);
        assert_eq!(known(&uses), Some(179));
        assert!(uses.to_write(&account, second(300), false).is_empty());
        assert_eq!(known(&uses), None, "it is forgotten here");
    }

    #[test]
    fn a_use_is_known_until_the_account_shows_it() {
        let (uses, account) = (LastUses::default(), account());
        use_at(&uses, 1);
        let pending = uses.to_write(&account, second(1), false);
        assert_eq!(known(&uses), Some(1), "on its way to the disk");
        assert!(uses.to_write(&account, second(2), false).is_empty(), "written once");
        uses.written(&pending, false);
        assert_eq!(uses.to_write(&account, second(3), false).len(), 1, "and again after a failure");
        use_at(&uses, 0);
        assert_eq!(known(&uses), Some(1), "no use goes back in time");
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let (uses, mut account) = (LastUses::default(), account());
        use_at(&uses, 1);
        account.remove(&bailiwick_model::RecordKey::User(ann()));
        assert!(uses.to_write(&account, second(1), true).is_empty());
        assert_eq!(known(&uses), None);
    }
}
