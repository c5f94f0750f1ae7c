//! What was found: a finding a principal, with a way of each kind and how to close it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Options;
use super::change::{Change, Standpoint};
use super::cut::{Cut, Edge, cut};
use super::fix::{Fix, fix};
use super::graph::{Goal, Graph, Route};
use super::judge::{Ask, Dependence};
use super::moves::End;
use super::search::Search;
use super::standing::Standing;
use super::table::PathId;
use super::world::World;
use crate::estate::Estate;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It works as things are.
    Critical,
    /// It works under conditions of the request.
    High,
    /// It works if something exists that the data do not show.
    Medium,
}

/// One step of a way.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The rows of the table, the one that names the step first.
    pub paths: Vec<PathId>,
    /// Who takes it, with what earlier steps have changed.
    pub at: Standpoint,
    /// What it asks, in order; the engine allows all of it.
    pub asks: Vec<Ask>,
    /// On what it depends; nothing if it is certain.
    pub on: BTreeSet<Dependence>,
    /// Whom it makes of the caller; nothing for roles that only the directory shows.
    pub to: Option<Standpoint>,
}

/// A way to the goal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// The rows of its first step.
    pub paths: Vec<PathId>,
    /// Whether it depends on nothing.
    pub certain: bool,
    /// On what it depends, its end included.
    pub on: BTreeSet<Dependence>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A principal that reaches the goal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable: of the principal and the rows of its best way.
    pub id: String,
    /// The ARN of the user or role.
    pub principal: String,
    /// How much it matters.
    pub severity: Severity,
    /// Whether a way depends on nothing.
    pub certain: bool,
    /// On what the best way depends.
    pub on: BTreeSet<Dependence>,
    /// Where the best way ends: an ARN.
    pub reaches: String,
    /// A way of each kind of first step, the best first.
    pub ways: Vec<Way>,
    /// How to close the best way at its first step.
    pub fix: Option<Fix>,
}

/// What is found in an account.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The account's digits.
    pub account: String,
    /// How many users and roles there are.
    pub principals: usize,
    /// Administrators as things are, by ARN.
    pub administrators: Vec<String>,
    /// One a principal, the gravest first.
    pub findings: Vec<Finding>,
    /// All steps of the ways, each once.
    pub edges: Vec<Edge>,
    /// A few steps that close all ways when taken away, those that close the most first.
    pub cuts: Vec<Cut>,
    /// As how many others each principal can come to act; those who can as none are left out.
    #[serde(skip)]
    pub movements: Vec<Movement>,
    /// Whether the search ended before all was looked at.
    pub cut_short: bool,
}

/// As how many others a principal can come to act, by assuming roles, by making services run with
/// roles and by taking credentials over. Counted are those that are worth becoming: administrators,
/// and those who can take a step themselves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Movement {
    /// The ARN of the user or role.
    pub principal: String,
    /// As how many others.
    pub others: usize,
    /// Whether there may be more of them: not all were looked at.
    pub more: bool,
    /// How many steps the farthest of them is away.
    pub hops: usize,
    /// The ARN of the farthest, the first found of several.
    pub farthest: String,
    /// By which steps one comes to the farthest.
    pub paths: Vec<PathId>,
}

impl Movement {
    /// After so many others no more are looked for.
    pub const MOST: usize = 1_000;
}

/// Looks for ways to the goal from all principals, or from one.
///
/// Principals that are administrators are no findings, and neither are roles of services.
pub fn escalations(estate: &Estate, options: &Options) -> Report {
    Search::new(estate, options.now).report(options)
}

pub(super) fn report(mut world: World<'_>, options: &Options) -> Report {
    let estate = world.estate();
    if let Goal::Principal(arn) = &options.to {
        world.aim_at(arn);
    }
    let graph = Graph::of(&mut world, &options.to);
    let mut findings = Vec::new();
    for at in 0..world.entities.len() {
        findings.extend(finding(&world, &graph, at, options));
    }
    findings.sort_by(|a, b| (a.severity, &a.principal).cmp(&(b.severity, &b.principal)));
    let (edges, cuts) = cut(&findings);
    for finding in &mut findings {
        finding.fix = finding.ways.first().and_then(|way| fix(estate, way.steps.first()?));
    }
    let administrators = world
        .entities
        .iter()
        .zip(&world.nodes)
        .filter(|(entity, node)| node.standing == Standing::Yes && !entity.linked)
        .map(|(entity, _)| entity.arn.clone())
        .collect();
    Report {
        account: world.judge.account().to_owned(),
        principals: world.entities.len(),
        administrators,
        findings,
        edges,
        cuts,
        movements: graph.movements(&world),
        cut_short: graph.cut_short,
    }
}

fn finding(world: &World<'_>, graph: &Graph, at: usize, options: &Options) -> Option<Finding> {
    let entity = world.entities.get(at)?;
    let standing = &world.nodes.get(at)?.standing;
    if entity.linked || options.from.as_ref().is_some_and(|from| *from != entity.arn) {
        return None;
    }
    match &options.to {
        Goal::Administrator if *standing == Standing::Yes => return None,
        Goal::Principal(arn) if *arn == entity.arn => return None,
        _ => {}
    }
    let sure = graph.reaches(at)?;
    // Who is administrator under conditions gains something only by a way without any.
    if !sure && options.to == Goal::Administrator && *standing != Standing::No {
        return None;
    }
    let mut ways: Vec<Way> = Vec::new();
    for (certain, route) in graph.routes(at) {
        if let Some(way) = way(world, graph, &route, certain) {
            ways.push(way);
        }
    }
    ways.sort_by_key(|way| (!way.certain, gravity(&way.on), way.steps.len()));
    let best = ways.first()?;
    let severity = gravity(&best.on);
    let reaches = best.steps.last().and_then(|step| step.to.as_ref());
    let reaches = reaches.map_or_else(|| "identity center".to_owned(), |to| to.principal.clone());
    Some(Finding {
        id: id(&entity.arn, &best.paths),
        principal: entity.arn.clone(),
        severity,
        certain: best.certain,
        on: best.on.clone(),
        reaches,
        ways,
        fix: None,
    })
}

fn gravity(on: &BTreeSet<Dependence>) -> Severity {
    let thing = |on: &Dependence| matches!(on, Dependence::Thing { .. });
    match on {
        on if on.is_empty() => Severity::Critical,
        on if on.iter().any(thing) => Severity::Medium,
        _ => Severity::High,
    }
}

fn way(world: &World<'_>, graph: &Graph, route: &Route, certain: bool) -> Option<Way> {
    let mut steps = Vec::new();
    let mut on = BTreeSet::new();
    for place in route {
        let found = graph.found(*place)?;
        let to = match found.to {
            End::Node(to) => Some(world.standpoint(to)?),
            End::Directory => None,
            End::Made => found.permits.last().map(|permit| Standpoint {
                principal: permit.ask.resource.clone(),
                changes: vec![Change::Everything],
            }),
        };
        on.extend(found.on());
        steps.push(Step {
            paths: found.paths.clone(),
            at: world.standpoint(place.0)?,
            asks: found.permits.iter().map(|permit| Ask::clone(&permit.ask)).collect(),
            on: found.on(),
            to,
        });
    }
    let last = graph.found(*route.last()?)?;
    if let End::Node(to) = last.to
        && let Standing::Conditional(end) = &world.nodes.get(to)?.standing
    {
        on.extend(end.iter().cloned());
    }
    Some(Way { paths: steps.first()?.paths.clone(), certain: certain && on.is_empty(), on, steps })
}

/// FNV-1a of a principal and some rows: the same from run to run.
fn id(principal: &str, paths: &[PathId]) -> String {
    let mut text = principal.to_owned();
    for path in paths {
        text.push('\n');
        text.push_str(&path.to_string());
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("esc-{hash:016x}")
}

impl Report {
    /// How many findings there are by severity.
    pub fn counts(&self) -> BTreeMap<Severity, usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.findings {
            *counts.entry(finding.severity).or_default() += 1;
        }
        counts
    }
}
