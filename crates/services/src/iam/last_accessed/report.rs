//! What a report of last accesses says, as of the moment when it was made, and how it is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bailiwick_catalog::{Catalog, Service};
use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_model::{Account, ActionUse, ManagedPolicies, document};
use bailiwick_policy::Document;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::granted::Granted;

/// How far back uses are told of. Source: IAM API, RoleLastUsed.
pub(in crate::iam) const TRACKED: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Services whose actions are told of one by one: those that this server answers.
const BY_ACTION: &[&str] = &["iam", "sts"];

/// The version of the kept form.
const FORM: u8 = 1;

/// The most bytes of a part.
const PART: usize = 32 * 1024;

/// The most bytes of a report: what one transaction takes, with room to spare.
const MOST: usize = 12 * 1024 * 1024;

/// Whether a use is in the tracking period.
pub(in crate::iam) fn is_tracked(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) <= TRACKED
}

/// What a report can be about.
#[derive(Debug)]
pub(super) enum Subject {
    User(UniqueId),
    Group(UniqueId),
    Role(UniqueId),
    Policy(Arn),
}

impl Subject {
    /// The user, group, role or managed policy of this ARN, if it is there.
    pub(super) fn find(account: &Account, managed: &ManagedPolicies, arn: &Arn) -> Option<Self> {
        let of_aws =
            || arn.partition() == account.partition().as_str() && managed.policy(arn).is_some();
        match arn.resource().split_once('/')?.0 {
            "user" => account.user_with_arn(arn).map(|user| Self::User(user.id)),
            "group" => account.group_with_arn(arn).map(|group| Self::Group(group.id)),
            "role" => account.role_with_arn(arn).map(|role| Self::Role(role.id)),
            "policy" => (account.policy_with_arn(arn).is_some() || of_aws())
                .then(|| Self::Policy(arn.clone())),
            _ => None,
        }
    }

    /// The policies that say what it may do. One that cannot be read grants nothing (IN-6).
    fn documents(&self, account: &Account, managed: &ManagedPolicies) -> Vec<Arc<Document>> {
        let held = |id: UniqueId| {
            let inline = account.inline_policies(id);
            let inline = inline.filter_map(|policy| policy.document.document().ok().cloned());
            let attached = account.attached(id);
            inline.chain(attached.filter_map(|arn| document(account, managed, arn)))
        };
        match self {
            Self::User(id) => {
                let of_groups = account.groups_of(*id).flat_map(|group| held(group.id));
                held(*id).chain(of_groups).collect()
            }
            Self::Group(id) | Self::Role(id) => held(*id).collect(),
            Self::Policy(arn) => document(account, managed, arn).into_iter().collect(),
        }
    }

    /// The users and roles whose uses it is judged by, in order of their ARNs.
    fn entities(&self, account: &Account) -> Vec<Entity> {
        let mut found = BTreeMap::new();
        match self {
            Self::User(id) | Self::Role(id) | Self::Group(id) => add(account, *id, &mut found),
            Self::Policy(arn) => {
                for id in account.attached_to(arn) {
                    add(account, id, &mut found);
                }
            }
        }
        found.into_iter().map(|(arn, id)| Entity { arn, id }).collect()
    }
}

/// Adds a user or a role, or the users of a group.
fn add(account: &Account, id: UniqueId, found: &mut BTreeMap<Arn, UniqueId>) {
    if let Some(user) = account.user(&id) {
        found.insert(account.user_arn(user), id);
    } else if let Some(role) = account.role(&id) {
        found.insert(account.role_arn(role), id);
    } else {
        found.extend(account.members_of(id).map(|user| (account.user_arn(user), user.id)));
    }
}

/// What a report says.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Report {
    /// The users and roles that it is about.
    pub(super) entities: Vec<Entity>,
    /// The services that the policies grant, in order of their namespaces.
    pub(super) services: Vec<Access>,
}

/// A user or role of the moment when the report was made.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Entity {
    pub(super) arn: Arn,
    pub(super) id: UniqueId,
}

/// The last uses of a service.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Access {
    pub(super) namespace: String,
    /// The last use of each entity that used it, the latest first.
    pub(super) uses: Vec<Use>,
    /// The granted actions in order of their names, where they are told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) actions: Vec<ActionAccess>,
}

/// The last use of an action.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct ActionAccess {
    pub(super) name: String,
    pub(super) last: Option<Use>,
}

/// A use by an entity.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Use {
    /// Its place among [`Report::entities`].
    pub(super) entity: usize,
    pub(super) at: Timestamp,
    pub(super) region: String,
}

/// The state that a report is made from.
pub(super) struct Ground<'a> {
    pub(super) account: &'a Account,
    pub(super) managed: &'a ManagedPolicies,
    pub(super) catalog: &'static Catalog,
    /// Uses that the account does not show yet.
    pub(super) recent: &'a HashMap<UniqueId, Vec<ActionUse>>,
    pub(super) now: Timestamp,
}

impl Report {
    /// Makes the report about a subject.
    pub(super) fn make(ground: &Ground<'_>, subject: &Subject, by_action: bool) -> Self {
        let entities = subject.entities(ground.account);
        let uses = Uses::of(ground, &entities);
        let documents = subject.documents(ground.account, ground.managed);
        let granted = Granted::by(&documents);
        let mut services = Vec::new();
        for service in ground.catalog.services() {
            let prefix = service.prefix().to_ascii_lowercase();
            let folded = |name: &str| format!("{prefix}:{}", name.to_ascii_lowercase());
            let actions: Vec<String> = service.actions().map(|held| folded(&held.name)).collect();
            if !granted.any(&prefix, &actions) {
                continue;
            }
            let told = by_action && BY_ACTION.contains(&service.prefix());
            services.push(Access {
                namespace: service.prefix().to_owned(),
                uses: uses.services.get(service.prefix()).cloned().unwrap_or_default(),
                actions: if told {
                    actions_of(service, &granted, &prefix, &actions, &uses)
                } else {
                    Vec::new()
                },
            });
        }
        services.sort_by(|one, other| one.namespace.cmp(&other.namespace));
        Self { entities, services }
    }

    /// The kept form, in parts; none if it is too large to be kept.
    pub(super) fn parts(&self) -> Option<Vec<Vec<u8>>> {
        let text = serde_json::to_vec(self).ok().filter(|text| text.len() <= MOST)?;
        let part = |bytes: &[u8]| [&[FORM], bytes].concat();
        Some(text.chunks(PART).map(part).collect())
    }

    /// Reads the kept form.
    pub(super) fn read(parts: impl IntoIterator<Item = Vec<u8>>) -> Option<Self> {
        let mut text = Vec::new();
        for part in parts {
            text.extend_from_slice(part.strip_prefix(&[FORM])?);
        }
        serde_json::from_slice(&text).ok()
    }
}

fn actions_of(
    service: &Service,
    granted: &Granted<'_>,
    prefix: &str,
    folded: &[String],
    uses: &Uses,
) -> Vec<ActionAccess> {
    let granted = granted.all(prefix, folded);
    let named = service.actions().zip(folded).filter(|(_, name)| granted.contains(name.as_str()));
    let mut actions: Vec<ActionAccess> = named
        .map(|(action, folded)| ActionAccess {
            name: action.name.to_string(),
            last: uses.actions.get(folded).cloned(),
        })
        .collect();
    actions.sort_by(|one, other| one.name.cmp(&other.name));
    actions
}

/// The uses of some entities.
struct Uses {
    /// Of each service, the last use of each entity, the latest first.
    services: HashMap<String, Vec<Use>>,
    /// Of each action in lower case, the last use of all.
    actions: HashMap<String, Use>,
}

impl Uses {
    fn of(ground: &Ground<'_>, entities: &[Entity]) -> Self {
        let mut found = Self { services: HashMap::new(), actions: HashMap::new() };
        for (entity, Entity { id, .. }) in entities.iter().enumerate() {
            let mut services: HashMap<&str, Use> = HashMap::new();
            let stored = ground.account.action_uses(*id).map(|last| &**last);
            let recent = ground.recent.get(id).into_iter().flatten();
            for last in stored.chain(recent).filter(|last| is_tracked(last.at, ground.now)) {
                let Some((service, _)) = last.action.split_once(':') else { continue };
                let one = Use { entity, at: last.at, region: last.region.clone() };
                let action = last.action.to_ascii_lowercase();
                latest(found.actions.entry(action).or_insert_with(|| one.clone()), &one);
                latest(services.entry(service).or_insert_with(|| one.clone()), &one);
            }
            for (service, one) in services {
                found.services.entry(service.to_owned()).or_default().push(one);
            }
        }
        for uses in found.services.values_mut() {
            uses.sort_by(|one, other| other.at.cmp(&one.at).then(one.entity.cmp(&other.entity)));
        }
        found
    }
}

fn latest(held: &mut Use, other: &Use) {
    if other.at > held.at {
        held.clone_from(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_kept() {
        let region = "eu-west-1".to_owned();
        let one = Use { entity: 0, at: Timestamp::UNIX_EPOCH, region };
        let access = |number: usize| Access {
            namespace: format!("service-{number}"),
            uses: vec![one.clone()],
            actions: vec![ActionAccess { name: "GetThing".into(), last: None }],
        };
        for count in [0, 1, 2_000] {
            let report =
                Report { entities: Vec::new(), services: (0..count).map(access).collect() };
            let parts = report.parts().unwrap();
            assert!(parts.iter().all(|part| part.len() <= PART + 1));
            assert_eq!(parts.len() > 1, count > 1_000);
            assert_eq!(Report::read(parts).unwrap(), report);
        }
        assert!(Report::read(vec![vec![FORM + 1, b'{', b'}']]).is_none(), "a newer form");
        assert!(Report::read(Vec::new()).is_none());
    }

    #[test]
    fn the_tracking_period_has_400_days() {
        let now = Timestamp::from_second(400 * 86_400).unwrap();
        assert!(is_tracked(Timestamp::UNIX_EPOCH, now));
        assert!(!is_tracked(Timestamp::from_second(-1).unwrap(), now));
    }
}
