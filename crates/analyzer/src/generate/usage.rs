//! What a principal did, gathered from events: like calls together, with their number and time.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use bailiwick_catalog::Catalog;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::actor::Actor;
use super::names::{self, Meant};
use super::params::Params;
use super::parts;
use super::pass::passed;
use super::record::Record;
use super::refused::Because;
use super::resources::Scene;
use super::target::Target;
use crate::trail::Event;

/// Unlike calls that are kept apart. More are counted and told.
pub const MOST_CALLS: usize = 300_000;
/// Events that are known again where several trails have them; those beyond may count twice.
const MOST_SEEN: usize = 8_000_000;
/// Event ids kept for like calls.
const MOST_IDS: usize = 3;

/// One permission that a call needed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// The action.
    pub action: String,
    /// The resource.
    pub target: Target,
    /// The service that gets a role, for `iam:PassRole`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_to: Option<String>,
}

/// Like calls: the same operation with the same needs under the same circumstances.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Call {
    /// The operation, such as `iam:CreateUser`.
    pub event: String,
    /// What it needed.
    pub needs: Vec<Need>,
    /// The context keys that the event tells, in lower case, time left out.
    pub context: BTreeMap<String, Vec<String>>,
    /// The instance profiles that it named.
    pub(super) profiles: BTreeSet<String>,
}

/// Like calls that were refused.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Refused {
    pub(super) call: Call,
    pub(super) because: Because,
}

/// How often, when, and in which events.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// How many calls.
    pub count: u64,
    /// How many of them failed for another reason than a permission.
    #[serde(skip_serializing_if = "is_none")]
    pub failed: u64,
    /// The first.
    pub first: Option<Timestamp>,
    /// The last.
    pub last: Option<Timestamp>,
    /// The ids of some of the events, the first by their text.
    pub events: BTreeSet<String>,
    /// The services that called for the principal.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub via: BTreeSet<String>,
    /// The ids of decisions, which `bailiwick why` explains.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub decisions: BTreeSet<String>,
}

// Serde hands a reference.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Evidence {
    fn add(&mut self, record: &Record) {
        self.count += 1;
        self.failed += u64::from(!record.error_code.is_empty());
        self.spread(record.event_time, record.event_time);
        if !record.event_id.is_empty() {
            keep(&mut self.events, &record.event_id);
        }
        if !record.user_identity.invoked_by.is_empty() {
            self.via.insert(record.user_identity.invoked_by.clone());
        }
        let decision = record.additional_event_data.pointer("/decisionId");
        if let Some(id) = decision.and_then(Value::as_str) {
            keep(&mut self.decisions, id);
        }
    }

    /// Takes over what is known of others.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.spread(other.first, other.last);
        other.events.iter().for_each(|id| keep(&mut self.events, id));
        other.decisions.iter().for_each(|id| keep(&mut self.decisions, id));
        self.via.extend(other.via.iter().cloned());
    }

    fn spread(&mut self, first: Option<Timestamp>, last: Option<Timestamp>) {
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = [self.last, last].into_iter().flatten().max();
    }
}

/// Keeps the first ids by their text, so that the order of the events does not matter.
fn keep(ids: &mut BTreeSet<String>, id: &str) {
    if ids.len() < MOST_IDS {
        ids.insert(id.to_owned());
    } else if ids.last().is_some_and(|last| id < last.as_str()) && ids.insert(id.to_owned()) {
        ids.pop_last();
    }
}

/// What a principal did.
#[derive(Debug)]
pub struct Usage {
    /// Who.
    pub actor: Actor,
    /// All events that were looked at.
    pub records: u64,
    /// Those of the principal.
    pub own: Evidence,
    pub(super) calls: BTreeMap<Call, Evidence>,
    pub(super) refused: BTreeMap<Refused, Evidence>,
    /// Operations that no action of the catalog fits.
    pub(super) unknown: BTreeMap<String, Evidence>,
    /// What is no call of an operation, such as a sign-in.
    pub(super) other: BTreeMap<String, Evidence>,
    /// Calls whose credentials were no good.
    pub(super) unauthenticated: u64,
    /// Calls that were too many, which tells nothing of permissions.
    pub(super) throttled: u64,
    /// Calls that were let through beyond [`MOST_CALLS`] unlike ones: they are not decided.
    pub(super) beyond: u64,
    /// Refused calls beyond as many: they are in no figure.
    pub(super) beyond_refused: u64,
    /// Calls whose parameters the record leaves out.
    pub(super) omitted: u64,
    /// Calls with more parameters than are looked at.
    pub(super) cut: u64,
    /// Operations of several actions, of which the event does not tell which was on which resource.
    pub(super) crossed: BTreeSet<String>,
    /// Operations that may pass a role which the event does not show.
    pub(super) passing: BTreeMap<String, Evidence>,
    /// Instance profiles whose roles were passed.
    pub(super) profiles: BTreeMap<String, Evidence>,
    /// Services with data events, whoever called.
    pub(super) data: BTreeSet<String>,
    /// Whether any event only looks, whoever called.
    pub(super) reads: bool,
    /// The ids of its events, as hashes.
    seen: HashSet<u64>,
    /// The ARNs with path of what is known without: `role/ci`.
    paths: BTreeMap<String, String>,
}

impl Usage {
    /// Nothing seen yet.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            records: 0,
            own: Evidence::default(),
            calls: BTreeMap::new(),
            refused: BTreeMap::new(),
            unknown: BTreeMap::new(),
            other: BTreeMap::new(),
            unauthenticated: 0,
            throttled: 0,
            beyond: 0,
            beyond_refused: 0,
            omitted: 0,
            cut: 0,
            crossed: BTreeSet::new(),
            passing: BTreeMap::new(),
            profiles: BTreeMap::new(),
            data: BTreeSet::new(),
            reads: false,
            seen: HashSet::new(),
            paths: BTreeMap::new(),
        }
    }

    /// Counts an event of somebody else: what it tells of the trail.
    pub fn pass(&mut self, source: &str, is_data: bool, read_only: bool) {
        self.records += 1;
        self.reads |= read_only;
        if is_data && !self.data.contains(source) && self.data.len() < 1_000 {
            self.data.insert(source.to_owned());
        }
    }

    /// Counts events of others that were looked at elsewhere.
    pub fn pass_many(&mut self, records: u64, data: &BTreeSet<String>, reads: bool) {
        self.records += records;
        self.reads |= reads;
        self.data.extend(data.iter().cloned());
    }

    /// Looks at an event.
    pub fn take(&mut self, record: &Record) {
        self.pass(&record.event_source, record.is_data(), record.read_only == Some(true));
        if !self.actor.made(record) {
            return;
        }
        // The same event may come from several trails.
        if !record.event_id.is_empty() {
            let id = self.seen.hasher().hash_one(&record.event_id);
            if self.seen.contains(&id) {
                self.records = self.records.saturating_sub(1);
                return;
            }
            if self.seen.len() < MOST_SEEN {
                self.seen.insert(id);
            }
        }
        self.actor.learn(record);
        self.own.add(record);
        self.remember(record);
        if !record.is_call() {
            self.other.entry(record.event_name.clone()).or_default().add(record);
            return;
        }
        let ending = Event::ending_of(&record.error_code);
        if ending.is_unauthenticated() {
            self.unauthenticated += 1;
            return;
        }
        if ending.is_throttled() {
            self.throttled += 1;
            return;
        }
        self.omitted += u64::from(record.request_parameters.pointer("/omitted").is_some());
        let params = Params::of(&record.request_parameters);
        self.cut += u64::from(params.cut);
        let catalog = Catalog::embedded();
        let event = event_name(record);
        let meant = names::actions(catalog, &record.event_source, &record.event_name, &params);
        let because = ending.is_refused().then(|| Because::of(record));
        if meant.is_empty() && because.is_none() {
            self.unknown.entry(event).or_default().add(record);
            return;
        }
        let scene = Scene { record, params: &params, actor: &self.actor };
        // The refusal itself may say what was lacking.
        let needs = if let Some(need) = because.as_ref().and_then(Because::need) {
            vec![need]
        } else {
            let (needs, crossed) = needs(&scene, &meant);
            if crossed && because.is_none() {
                self.crossed.insert(event.clone());
            }
            asked_for(needs, because.as_ref())
        };
        let context = context(record, &params);
        let mut call = Call { event, needs, context, profiles: BTreeSet::new() };
        if let Some(because) = because {
            let refused = Refused { call, because };
            if self.refused.len() >= MOST_CALLS && !self.refused.contains_key(&refused) {
                self.beyond_refused += 1;
                return;
            }
            self.refused.entry(refused).or_default().add(record);
            return;
        }
        for meant in &meant {
            let passing = passed(&scene, meant);
            if passing.unseen {
                self.passing.entry(call.event.clone()).or_default().add(record);
            }
            for profile in passing.profiles {
                self.profiles.entry(profile.clone()).or_default().add(record);
                call.profiles.insert(profile);
            }
        }
        if self.calls.len() >= MOST_CALLS && !self.calls.contains_key(&call) {
            self.beyond += 1;
            return;
        }
        self.calls.entry(call).or_default().add(record);
    }

    /// An entity of which the path is known: events call it by name alone.
    pub fn know(&mut self, arn: &str) {
        let mut fields = arn.splitn(6, ':');
        let is_iam = fields.nth(2) == Some("iam");
        let own = fields.nth(1).is_some_and(|field| *field == *self.actor.account.to_string());
        let Some((kind, name)) = fields.next().and_then(|resource| resource.split_once('/')) else {
            return;
        };
        let named = matches!(kind, "user" | "role" | "group" | "instance-profile" | "policy");
        if let Some((_, bare)) = name.rsplit_once('/')
            && is_iam
            && own
            && named
            && self.paths.len() < MOST_CALLS
        {
            // Of an entity that was made anew elsewhere the order of events would decide.
            let held = self.paths.entry(format!("{kind}/{bare}")).or_default();
            if held.as_str() < arn {
                arn.clone_into(held);
            }
        }
    }

    /// The paths that an event tells.
    fn remember(&mut self, record: &Record) {
        if record.event_source.starts_with("iam.") || record.event_source.starts_with("sts.") {
            let arns: Vec<String> = [&record.response_elements, &record.request_parameters]
                .into_iter()
                .flat_map(|part| {
                    Params::of(part).arns().map(|(_, arn)| arn.to_owned()).collect::<Vec<_>>()
                })
                .collect();
            for arn in arns {
                self.know(&arn);
            }
        }
    }

    /// Puts paths where events told names alone. To be called after the last event.
    pub(super) fn settle(&mut self) {
        if self.paths.is_empty() {
            return;
        }
        let account = self.actor.account.to_string();
        let paths = std::mem::take(&mut self.paths);
        let with_path = |need: &mut Need| {
            let resource = need.target.arn.splitn(6, ':').nth(5).unwrap_or_default();
            let own = need.target.arn.split(':').nth(4) == Some(account.as_str());
            let is_iam = need.target.arn.split(':').nth(2) == Some("iam");
            if let Some(arn) = paths.get(resource).filter(|_| own && is_iam) {
                need.target = Target::exact(arn);
            }
        };
        for (mut call, evidence) in std::mem::take(&mut self.calls) {
            call.needs.iter_mut().for_each(with_path);
            self.calls.entry(call).or_default().merge(&evidence);
        }
        for (mut refused, evidence) in std::mem::take(&mut self.refused) {
            if refused.because.asked.is_none() {
                refused.call.needs.iter_mut().for_each(with_path);
            }
            self.refused.entry(refused).or_default().merge(&evidence);
        }
    }

    /// The calls that were let through, with their evidence.
    pub fn calls(&self) -> impl Iterator<Item = (&Call, &Evidence)> {
        self.calls.iter()
    }

    /// Calls of which no policy can be asked: no action fits them, or there are too many unlike ones.
    pub(super) fn undecided(&self) -> u64 {
        self.beyond + self.unknown.values().map(|evidence| evidence.count).sum::<u64>()
    }
}

/// All that a call needed, and whether the event does not tell which of its actions was on which of its
/// resources.
fn needs(scene: &Scene<'_>, meant: &[Meant<'_>]) -> (Vec<Need>, bool) {
    let mut found = Vec::new();
    let mut crossed = false;
    for one in meant {
        let action = format!("{}:{}", one.service.prefix(), one.action.name);
        let part = parts::part(scene.record, one);
        let targets = match &part {
            Some(part) => {
                let params = Params::of(&part.request_parameters);
                Scene { record: part, params: &params, actor: scene.actor }.targets(one)
            }
            None => scene.targets(one),
        };
        let alike = meant.iter().filter(|other| !other.source).count();
        crossed |= part.is_none() && !one.source && alike > 1 && targets.len() > 1;
        for target in targets {
            found.push(Need { action: action.clone(), target, passed_to: None });
        }
        for role in passed(scene, one).roles {
            found.push(Need {
                action: "iam:PassRole".to_owned(),
                target: role.role,
                passed_to: role.to.map(str::to_owned),
            });
        }
    }
    found.sort();
    found.dedup();
    (found, crossed)
}

/// Of what a call needed, that which its refusal names.
fn asked_for(mut needs: Vec<Need>, because: Option<&Because>) -> Vec<Need> {
    let Some((action, _)) = because.and_then(|because| because.asked.as_ref()) else {
        return needs;
    };
    needs.retain(|need| need.action.eq_ignore_ascii_case(action));
    if needs.is_empty() {
        let target = Target { partial: true, ..Target::all() };
        needs.push(Need { action: action.clone(), target, passed_to: None });
    }
    needs
}

fn event_name(record: &Record) -> String {
    let source = record.event_source.split('.').next().unwrap_or_default();
    let service = names::service(Catalog::embedded(), &record.event_source);
    format!("{}:{}", service.map_or(source, |service| service.prefix()), record.event_name)
}

/// The context keys that an event tells. Time is left to whoever decides.
fn context(record: &Record, params: &Params<'_>) -> BTreeMap<String, Vec<String>> {
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() && value.len() <= 2_048 {
            keys.insert(key.to_ascii_lowercase(), vec![value.to_owned()]);
        }
    };
    let identity = &record.user_identity;
    if record.source_ip_address.parse::<IpAddr>().is_ok() {
        put("aws:SourceIp", &record.source_ip_address);
    }
    put("aws:UserAgent", &record.user_agent);
    put("aws:RequestedRegion", &record.aws_region);
    put("aws:SourceVpce", &record.vpc_endpoint_id);
    put("aws:userid", &identity.principal_id);
    put("aws:ViaAWSService", if identity.invoked_by.is_empty() { "false" } else { "true" });
    let added = &record.additional_event_data;
    let secure = added.pointer("/secureTransport").and_then(Value::as_bool);
    if let Some(secure) = secure.or(record.tls_details.is_object().then_some(true)) {
        put("aws:SecureTransport", if secure { "true" } else { "false" });
    }
    // Long-term keys have no such key at all (KEY-12).
    if let Some(mfa) = identity.mfa() {
        put("aws:MultiFactorAuthPresent", mfa);
    }
    for (parameter, key) in [
        ("permissionsboundary", "iam:PermissionsBoundary"),
        ("policyarn", "iam:PolicyARN"),
        ("awsservicename", "iam:AWSServiceName"),
    ] {
        if record.event_source.starts_with("iam.") {
            put(key, params.first(parameter).unwrap_or_default());
        }
    }
    if record.event_source.starts_with("s3.") {
        for (parameter, key) in [("prefix", "s3:prefix"), ("delimiter", "s3:delimiter")] {
            put(key, params.first(parameter).unwrap_or_default());
        }
    }
    if record.event_source.starts_with("sts.") {
        put("sts:RoleSessionName", params.first("rolesessionname").unwrap_or_default());
        put("sts:ExternalId", params.first("externalid").unwrap_or_default());
    }
    if record.event_source.starts_with("kms.") && !identity.invoked_by.is_empty() {
        let service = identity.invoked_by.split('.').next().unwrap_or_default();
        put("kms:ViaService", &format!("{service}.{}.amazonaws.com", record.aws_region));
    }
    let mut tags = Vec::new();
    if let Some(Value::Array(list)) = record.request_parameters.pointer("/tags") {
        for tag in list.iter().take(50) {
            let at = |name: &str| tag.pointer(name).and_then(Value::as_str);
            if let (Some(key), Some(value)) = (at("/key"), at("/value").or(Some(""))) {
                put(&format!("aws:RequestTag/{key}"), value);
                tags.push(key.to_owned());
            }
        }
    }
    if !tags.is_empty() {
        keys.insert("aws:tagkeys".to_owned(), tags);
    }
    if identity.invoked_by.ends_with(".amazonaws.com") {
        let via = added.pointer("/calledVia").and_then(Value::as_array);
        let named = |list: &Vec<Value>| {
            list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let via = via.map_or_else(|| vec![identity.invoked_by.clone()], named);
        keys.insert("aws:calledvia".to_owned(), via);
    }
    keys
}

impl Usage {
    /// Adds `iam:PassRole` to the calls that passed the role of an instance profile.
    pub(super) fn pass_by_profile(&mut self, profile: &str, role: &str) {
        if self.profiles.remove(profile).is_none() {
            return;
        }
        let need = Need {
            action: "iam:PassRole".to_owned(),
            target: Target::exact(role),
            passed_to: Some("ec2.amazonaws.com".to_owned()),
        };
        for (mut call, evidence) in std::mem::take(&mut self.calls) {
            if call.profiles.contains(profile) {
                call.needs.push(need.clone());
                call.needs.sort();
            }
            self.calls.entry(call).or_default().merge(&evidence);
        }
    }
}
