//! Who has more than it uses, and what that could do: granted beside used, and the blast radius.
//!
//! *Granted* counts the actions of the catalogue that identity policies allow on something, less what
//! a Deny without condition takes on everything, within the boundary and within each level of SCPs:
//! what may be granted under some condition on some resource. *Used* is what [`Uses`] tells. The
//! *blast radius* is what whoever stands in the principal's place could change: services by the same count,
//! principals and resources by requests that the engine decides, roles by chains of assumption, and
//! whether a path of [`crate::escalation`] leads to administrator.
//!
//! Left out: Denies with conditions or of some resources in the count of actions, which is an upper
//! bound; resources that the data do not show.

mod granted;
mod radius;
mod uses;

use std::collections::BTreeMap;

use bailiwick_catalog::Catalog;
use jiff::Timestamp;
use serde::Serialize;

use crate::escalation::probe::{Probe, Rank};
use crate::escalation::{self, Goal, escalations};
use crate::estate::Estate;
pub use uses::{Use, Uses};

/// So many roles are enough: no more are counted.
pub const MOST_ROLES: usize = radius::MOST_ROLES;

/// How far a principal is from administrator.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// No path leads there.
    Nothing,
    /// A path leads there under conditions.
    Conditional,
    /// A path leads there.
    Path,
    /// It is one, under conditions.
    AdministratorIf,
    /// It is one.
    Administrator,
}

impl Reach {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "-",
            Self::Conditional => "path, if",
            Self::Path => "path",
            Self::AdministratorIf => "admin, if",
            Self::Administrator => "admin",
        }
    }
}

/// A principal, granted beside used.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The ARN of the user or role.
    pub principal: String,
    /// How many actions it is granted.
    pub actions: usize,
    /// The same by access level.
    pub levels: BTreeMap<&'static str, usize>,
    /// The same by service.
    pub services: BTreeMap<&'static str, usize>,
    /// The services that it has used, of those granted. None: not known.
    pub used: Option<Vec<String>>,
    /// Actions that it has used, where events tell. None: not known.
    pub used_actions: Option<usize>,
    /// Of its granted actions the share that is in services which it uses; by actions where these are
    /// known. 0 to 1. None: not known.
    pub ratio: Option<f64>,
    /// What it could change.
    pub radius: Radius,
}

/// What whoever stands in a principal's place could do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Radius {
    /// How many services it can change something of, by more than reading.
    pub services: usize,
    /// How many other users and roles it can change or take over.
    pub principals: usize,
    /// How many it can change of the resources that are looked at. None: no resources are known.
    pub resources: Option<usize>,
    /// How many roles it can become, by chains too; more than [`MOST_ROLES`] are not counted.
    pub roles: usize,
    /// Whether it gets to administrator.
    pub reach: Reach,
    /// All of it as one number, 0 to 100: the mean of the shares of services, principals and resources,
    /// and 100 for who gets to administrator without condition.
    pub score: u32,
}

/// Granted beside used, of all principals.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The account's digits.
    pub account: String,
    /// How many users and roles there are.
    pub principals: usize,
    /// How many services the catalogue knows.
    pub services: usize,
    /// How many resources are looked at: of more than 500 known ones every n-th. None: not given.
    pub resources: Option<usize>,
    /// How many resources are known. None: not given.
    pub resources_known: Option<usize>,
    /// How many principals have known uses.
    pub uses_known: usize,
    /// The widest blast radius first; of the same the one that uses the least of it.
    pub rows: Vec<Row>,
}

/// Compares what is granted with what is used. Service-linked roles are left out.
pub fn overprivileged(estate: &Estate, uses: &Uses, now: Option<Timestamp>) -> Report {
    let probe = Probe::new(estate, now);
    let options = escalation::Options { from: None, to: Goal::Administrator, now };
    let paths: BTreeMap<String, bool> = escalations(estate, &options)
        .findings
        .into_iter()
        .map(|finding| (finding.principal, finding.certain))
        .collect();
    let mut granted = granted::Granted::new(estate);
    let mut radii = radius::Radii::new(&probe);
    let services = Catalog::embedded().services().len();
    let resources = radii.resources();
    let mut rows = Vec::new();
    for at in (0..probe.len()).filter(|at| !probe.is_linked(*at)) {
        let Some(subject) = probe.subject(at) else { continue };
        let arn = probe.arn(at).to_owned();
        let set = granted.of(subject);
        let counts = granted.counts(&set);
        let seen = uses.of(&arn);
        let in_use: Option<Vec<String>> = seen.map(|seen| {
            let services = seen.services.iter().filter(|(_, last)| last.is_some());
            let services = services.map(|(service, _)| service.clone());
            services.filter(|service| counts.services.contains_key(service.as_str())).collect()
        });
        let used_actions = seen
            .and_then(|seen| seen.actions.as_ref())
            .map(|actions| actions.iter().filter(|action| granted.has(&set, action)).count());
        let by_services = in_use.as_ref().map(|list| {
            list.iter().filter_map(|service| counts.services.get(service.as_str())).sum::<usize>()
        });
        let ratio = used_actions.or(by_services).map(|part| share(part, counts.actions));
        let reach = match probe.rank(at) {
            Rank::Administrator => Reach::Administrator,
            Rank::Conditional(_) => Reach::AdministratorIf,
            Rank::None => match paths.get(&arn) {
                Some(true) => Reach::Path,
                Some(false) => Reach::Conditional,
                None => Reach::Nothing,
            },
        };
        let found = radii.of(&probe, at, reach == Reach::Administrator);
        let mut shares = vec![
            share(counts.changed, services),
            share(found.principals, probe.len().saturating_sub(1)),
        ];
        shares.extend(found.resources.map(|part| share(part, resources.unwrap_or_default())));
        let score = match reach {
            Reach::Administrator | Reach::Path => 100,
            _ => percent(&shares),
        };
        let radius = Radius {
            services: counts.changed,
            principals: found.principals,
            resources: found.resources,
            roles: found.roles,
            reach,
            score,
        };
        rows.push(Row {
            principal: arn,
            actions: counts.actions,
            levels: counts.levels,
            services: counts.services,
            used: in_use,
            used_actions,
            ratio,
            radius,
        });
    }
    rows.sort_by(|a, b| {
        (b.radius.score, b.radius.reach, b.actions)
            .cmp(&(a.radius.score, a.radius.reach, a.actions))
            .then_with(|| a.ratio.unwrap_or(1.0).total_cmp(&b.ratio.unwrap_or(1.0)))
            .then_with(|| a.principal.cmp(&b.principal))
    });
    Report {
        account: estate.account.id().to_string(),
        principals: probe.len(),
        services,
        resources,
        resources_known: estate.resource_policies.as_ref().map(BTreeMap::len),
        uses_known: rows.iter().filter(|row| row.used.is_some()).count(),
        rows,
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a mean of shares, within 0 to 100"
)]
fn percent(shares: &[f64]) -> u32 {
    let sum: f64 = shares.iter().sum();
    (100.0 * sum / shares.len().max(1) as f64).round() as u32
}
