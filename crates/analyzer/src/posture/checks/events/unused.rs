//! Rights that nobody used while the events look on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use bailiwick_catalog::{AccessLevel, AccessLevels, Catalog};
use bailiwick_identifiers::UniqueId;
use bailiwick_policy::{Effect, Statement};
use jiff::Timestamp;

use super::{close, days_of, known, shown, window};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Access, HolderKind, is_every_resource, names};
use crate::trail::{Covered, Uses};

/// Services whose data events a trail has only if it is told to: an action of theirs counts only where
/// the events have it of anybody. Source: CloudTrail user guide, data events.
const DATA: [&str; 34] = [
    "aoss",
    "appsync",
    "bedrock",
    "cassandra",
    "cloudwatch",
    "cognito-identity",
    "cognito-sync",
    "dynamodb",
    "ebs",
    "ec2messages",
    "es",
    "execute-api",
    "geo",
    "guardduty",
    "iot",
    "iotsitewise",
    "kinesis",
    "kinesisvideo",
    "lambda",
    "logs",
    "mediastore",
    "neptune-db",
    "qbusiness",
    "rds-data",
    "s3",
    "s3-object-lambda",
    "s3-outposts",
    "s3express",
    "sagemaker",
    "servicediscovery",
    "ses",
    "sns",
    "sqs",
    "ssmmessages",
];
/// Actions that are asked for besides that of the call, and so have no events.
const SILENT: [&str; 1] = ["iam:PassRole"];

/// What is no mere look.
const CHANGES: AccessLevels = AccessLevels::NONE
    .with(AccessLevel::Write)
    .with(AccessLevel::PermissionsManagement)
    .with(AccessLevel::Tagging);

/// A set of actions, as bits of their places in the list.
type Set = Rc<[u64]>;

/// The actions that events can show, and what was used of them.
struct Watched {
    /// `service:Action` with its levels.
    all: Vec<(String, AccessLevels)>,
    places: HashMap<String, usize>,
    visible: Set,
    entries: HashMap<String, Set>,
    /// By principal.
    used: HashMap<String, BTreeSet<usize>>,
    since: Timestamp,
}

impl Watched {
    fn new(uses: &Uses, since: Timestamp) -> Self {
        let catalog = Catalog::embedded();
        let mut all = Vec::new();
        for service in catalog.services() {
            for action in service.actions() {
                all.push((format!("{}:{}", service.prefix(), action.name), action.levels));
            }
        }
        let places: HashMap<String, usize> =
            all.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        let mut seen = vec![0_u64; all.len().div_ceil(64)];
        let mut used: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for one in uses.used() {
            let name = format!("{}:{}", one.action.service, one.action.name);
            let Some(place) = places.get(&name) else { continue };
            put(&mut seen, *place);
            if one.last >= since {
                used.entry(one.principal.to_owned()).or_default().insert(*place);
            }
        }
        let mut visible = seen;
        for (place, (name, levels)) in all.iter().enumerate() {
            let service = name.split(':').next().unwrap_or_default();
            // A trail may log changes alone.
            let logged = uses.reads() || levels.intersects(CHANGES);
            if logged && !DATA.contains(&service) && !SILENT.contains(&name.as_str()) {
                put(&mut visible, place);
            }
        }
        Self { all, places, visible: visible.into(), entries: HashMap::new(), used, since }
    }

    /// What a statement names, whatever the resource.
    fn named(&mut self, statement: &Statement) -> Vec<u64> {
        let mut set = vec![0_u64; self.visible.len()];
        for entry in statement.actions() {
            for (own, more) in set.iter_mut().zip(self.entry(entry).iter()) {
                *own |= more;
            }
        }
        if statement.is_not_action() {
            for word in &mut set {
                *word = !*word;
            }
        }
        set
    }

    fn entry(&mut self, entry: &str) -> Set {
        if let Some(set) = self.entries.get(entry) {
            return Rc::clone(set);
        }
        let mut set = vec![0_u64; self.visible.len()];
        if entry.contains(['*', '?']) {
            for (place, (name, _)) in self.all.iter().enumerate() {
                if names(entry, name) {
                    put(&mut set, place);
                }
            }
        } else {
            let exact = self.places.get(entry).copied();
            let place = exact
                .or_else(|| self.all.iter().position(|(name, _)| name.eq_ignore_ascii_case(entry)));
            if let Some(place) = place {
                put(&mut set, place);
            }
        }
        let set: Set = set.into();
        self.entries.insert(entry.to_owned(), Rc::clone(&set));
        set
    }

    /// What a principal may do of what events show: allowed by its own policies, and not denied
    /// everywhere and always. Nothing if a policy cannot be read.
    fn granted(&mut self, access: &Access) -> Option<Vec<u64>> {
        if access.subject.effective.unreadable.is_some() {
            return None;
        }
        let mut granted = vec![0_u64; self.visible.len()];
        let mut denied = granted.clone();
        for found in &access.subject.effective.identity {
            for statement in found.document.statements() {
                let always = statement.conditions().next().is_none()
                    && statement.resources().any(is_every_resource)
                    && !statement.is_not_resource();
                let target = match statement.effect() {
                    Effect::Allow => &mut granted,
                    Effect::Deny if always => &mut denied,
                    Effect::Deny => continue,
                };
                for (own, more) in target.iter_mut().zip(self.named(statement)) {
                    *own |= more;
                }
            }
        }
        let limits = denied.iter().zip(self.visible.iter());
        for (own, (denied, visible)) in granted.iter_mut().zip(limits) {
            *own &= visible & !denied;
        }
        Some(granted)
    }

    /// The granted actions, and those of them that were not used, the strongest first.
    fn split(&mut self, access: &Access) -> Option<(usize, Vec<&str>)> {
        let granted = self.granted(access)?;
        let none = BTreeSet::new();
        let used = self.used.get(&access.holder.arn).unwrap_or(&none);
        let count: u32 = granted.iter().map(|word| word.count_ones()).sum();
        let mut unused: Vec<usize> =
            members(&granted).filter(|place| !used.contains(place)).collect();
        let weight = |place: &usize| {
            let levels = self.all.get(*place).map_or(AccessLevels::NONE, |(_, levels)| *levels);
            if levels.contains(AccessLevel::PermissionsManagement) {
                0
            } else if levels.contains(AccessLevel::Write) {
                1
            } else {
                2
            }
        };
        unused.sort_by_key(|place| (weight(place), *place));
        let names = unused.iter().filter_map(|place| self.all.get(*place).map(|(name, _)| &**name));
        Some((count as usize, names.collect()))
    }
}

fn put(set: &mut [u64], place: usize) {
    if let Some(word) = set.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

/// The places in a set.
fn members(set: &[u64]) -> impl Iterator<Item = usize> + '_ {
    set.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(|(at, word)| {
        (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 64 + bit)
    })
}

fn made(audit: &Audit<'_>) -> HashMap<UniqueId, Timestamp> {
    let account = &audit.evidence.estate.account;
    let users = account.users().map(|user| (user.id, user.created));
    users.chain(account.roles().map(|role| (role.id, role.created))).collect()
}

/// USE-04: of the actions that events show.
pub(super) fn actions(audit: &Audit<'_>, results: &mut Results) {
    each(audit, results, |results, access, _, (granted, unused), covered| {
        results.judge(unused.is_empty(), || {
            let why = format!(
                "{} of {granted} actions that it may use and events can show were not used; the events \
                 are of {}: {}",
                unused.len(),
                days_of(covered),
                shown(unused, 12)
            );
            Found::new(&access.holder.arn, why)
        });
    });
}

/// USE-05: for roles that may more than they use.
pub(super) fn offers(audit: &Audit<'_>, results: &mut Results) {
    each(audit, results, |results, access, used, (granted, unused), covered| {
        if access.holder.kind != HolderKind::Role || used.is_empty() {
            results.not_applicable();
            return;
        }
        results.judge(unused.is_empty(), || {
            let why = format!(
                "the role may use {granted} actions that events can show, and used {} from {}",
                used.len(),
                days_of(covered)
            );
            // Resources and what no event shows are for `generate`: a list of actions on `*` may be more
            // than the role has.
            let line = format!("bailiwick generate --principal {} --events DIR", access.holder.arn);
            Found::new(&access.holder.arn, why).cli(line)
        });
    });
}

/// Hands on each principal with what it used, and how many actions it may use and which of them it did
/// not. Those that are younger than the window are passed over.
fn each(
    audit: &Audit<'_>,
    results: &mut Results,
    mut tell: impl FnMut(&mut Results, &Access, &[String], (usize, &[&str]), Covered),
) {
    let Some((uses, covered)) = known(audit, results) else { return };
    let days = audit.settings.limits.unused_actions;
    let Some(since) = window(audit, uses, covered, days, results) else { return };
    if !uses.reads() {
        results.note(
            "no event only looks: the trail seems to log changes alone, and nothing is said of rights \
             to look that nobody was seen to use",
        );
    }
    let mut watched = Watched::new(uses, since);
    let mut used: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let all = uses.used();
    for one in all.iter().filter(|one| one.last >= since && one.action.known) {
        let name = format!("{}:{}", one.action.service, one.action.name);
        used.entry(one.principal).or_default().push(name);
    }
    let made = made(audit);
    for access in audit.principals() {
        let young = made.get(&access.holder.id).is_some_and(|made| *made > watched.since);
        if access.holder.linked || young {
            results.not_applicable();
            continue;
        }
        let Some((granted, unused)) = watched.split(access) else {
            results.not_assessed(&access.holder.arn, "a policy that cannot be read");
            continue;
        };
        let own = used.get(access.holder.arn.as_str()).map_or(&[][..], Vec::as_slice);
        tell(results, access, own, (granted, &unused), covered);
    }
    close(audit, uses, results);
}

/// IDC-05: by the roles that permission sets make in the account.
pub(super) fn permission_sets(audit: &Audit<'_>, results: &mut Results) {
    let Some(center) = audit.evidence.identity_center.known() else { return };
    let Some(center) = center else {
        results.not_applicable();
        return;
    };
    let Some((uses, covered)) = known(audit, results) else { return };
    let days = audit.settings.limits.permission_set_unused;
    let account = &audit.evidence.estate.account;
    let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
    for one in uses.used() {
        let held = last.entry(one.principal.to_owned()).or_insert(one.last);
        *held = (*held).max(one.last);
    }
    // It is the same for all, and asked for where one seems unused.
    let mut covers = None;
    for set in &center.permission_sets {
        let prefix = format!("AWSReservedSSO_{}_", set.name);
        let roles: Vec<_> = account
            .roles()
            .filter(|role| role.name.as_str().strip_prefix(&*prefix).is_some_and(is_tail))
            .collect();
        // It is not assigned here, and events of other accounts are not seen.
        let Some(made) = roles.iter().map(|role| role.created).min() else {
            results.not_applicable();
            continue;
        };
        let used = roles.iter().filter_map(|role| {
            let seen = last.get(account.role_arn(role).as_str()).copied();
            seen.max(account.role_use(&role.id).map(|used| used.at))
        });
        let used = used.max();
        if used.is_some_and(|used| !audit.is_older(used, days)) {
            results.pass();
            continue;
        }
        let covers =
            covers.get_or_insert_with(|| window(audit, uses, covered, days, results).is_some());
        if !*covers || !audit.is_older(made, days) {
            continue;
        }
        let why = format!(
            "nobody used the permission set {} for {days} days; the events are of {}",
            set.name,
            days_of(covered)
        );
        results.fail(Found::new(&set.arn, why).when(used).cli(format!(
            "aws sso-admin list-account-assignments --instance-arn INSTANCE --account-id {} \
             --permission-set-arn {}",
            audit.evidence.account_id(),
            set.arn
        )));
    }
    close(audit, uses, results);
}

/// Whether a text is what follows the name of a permission set in a role's name.
fn is_tail(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
