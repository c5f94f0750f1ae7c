//! The policy that allows what was needed, and nothing else.
//!
//! Every statement is a set of actions of one service that were needed on the same resources, so
//! that each action on each resource has an event that shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::compact;
use super::keys;
use super::target::matches;
use super::usage::{Evidence, Need};

/// How a policy is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// So many objects of a bucket are listed for an action; of more, folders are.
    pub max_resources: usize,
    /// Whether statements are joined where that allows nothing more.
    pub compact: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_resources: 20, compact: false }
    }
}

/// A policy, in the order in which it is written.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// The version of the language.
    pub version: &'static str,
    /// The statements.
    pub statement: Vec<Statement>,
}

/// An Allow statement.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// `Allow`.
    pub effect: &'static str,
    /// The actions.
    #[serde(serialize_with = "one_or_many")]
    pub action: BTreeSet<String>,
    /// The resources, as patterns.
    #[serde(serialize_with = "one_or_many")]
    pub resource: BTreeSet<String>,
    /// The services to which a role may be passed.
    #[serde(
        rename = "Condition",
        skip_serializing_if = "BTreeSet::is_empty",
        serialize_with = "passed_to"
    )]
    pub passed_to: BTreeSet<String>,
}

impl Statement {
    /// The statement that allows just this, all of one kind.
    pub(super) fn of_needs(needs: &[Need]) -> Self {
        Self {
            effect: "Allow",
            action: needs.iter().map(|need| need.action.clone()).collect(),
            resource: needs.iter().map(|need| need.target.pattern.clone()).collect(),
            passed_to: needs.iter().filter_map(|need| need.passed_to.clone()).collect(),
        }
    }

    /// Whether a need is one of those for which the statement was written.
    pub(super) fn serves(&self, need: &Need) -> bool {
        let to = need.passed_to.as_ref();
        self.action.contains(&need.action)
            && (self.passed_to.is_empty() || to.is_some_and(|to| self.passed_to.contains(to)))
            && (self.resource.contains(&need.target.pattern)
                || self.resource.iter().any(|pattern| covers(pattern, need)))
    }
}

/// Whether a pattern of a policy matches what was needed.
fn covers(pattern: &str, need: &Need) -> bool {
    pattern.contains(['*', '?']) && matches(pattern, &need.target.arn)
}

impl Policy {
    /// Its text.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Its size as IAM counts it, without white space.
    pub fn size(&self) -> usize {
        serde_json::to_string(self)
            .map_or(0, |text| bailiwick_policy::Document::size_without_white_space(&text))
    }
}

/// Statements with what they stand for, and words on what was made broader than the events.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) policy: Policy,
    pub(super) broader: Vec<String>,
}

/// What actions of one statement share: service, receiver of a role, resources.
type Shared<'n> = (String, Option<&'n str>, BTreeSet<String>);

/// Writes the policy for some needs. `refused` is what it must not cover for the sake of brevity.
pub(super) fn write(
    needs: &BTreeSet<&Need>,
    refused: &BTreeSet<&Need>,
    options: Options,
) -> Written {
    let mut broader = Vec::new();
    // By action and receiver: the resources.
    let mut wanted: BTreeMap<(&str, Option<&str>), BTreeSet<&Need>> = BTreeMap::new();
    for need in needs {
        wanted.entry((&need.action, need.passed_to.as_deref())).or_default().insert(need);
    }
    let open: BTreeSet<&str> = wanted
        .iter()
        .filter(|((action, to), _)| *action == "iam:PassRole" && to.is_none())
        .flat_map(|(_, needs)| needs.iter().map(|need| need.target.pattern.as_str()))
        .collect();
    let mut grouped: BTreeMap<Shared<'_>, BTreeSet<String>> = BTreeMap::new();
    for ((action, to), needs) in &wanted {
        let mut patterns = patterns(needs);
        if to.is_some() {
            // A role that may be passed to anybody needs no second statement.
            patterns.retain(|pattern| !open.contains(pattern.as_str()));
        }
        if action.starts_with("s3:") {
            let taboo: BTreeSet<&str> = refused
                .iter()
                .filter(|need| need.action.eq_ignore_ascii_case(action))
                .map(|need| need.target.arn.as_str())
                .collect();
            if let Some(found) = keys::folders(&patterns, options.max_resources, &taboo) {
                broader.push(format!("{action}: {}", found.told));
                patterns = found.patterns;
            }
        }
        if patterns.is_empty() {
            continue;
        }
        let service = action.split(':').next().unwrap_or_default().to_owned();
        grouped.entry((service, *to, patterns)).or_default().insert((*action).to_owned());
    }
    let mut statements: Vec<Statement> = Vec::new();
    for ((_, to, resource), action) in grouped {
        let passed_to: BTreeSet<String> = to.map(str::to_owned).into_iter().collect();
        // The same roles for several services are one statement.
        let same = statements.iter_mut().find(|held| {
            !held.passed_to.is_empty()
                && to.is_some()
                && held.resource == resource
                && held.action == action
        });
        match same {
            Some(held) => held.passed_to.extend(passed_to),
            None => statements.push(Statement { effect: "Allow", action, resource, passed_to }),
        }
    }
    if options.compact {
        statements = compact::joined(statements);
    }
    statements.sort();
    Written { policy: Policy { version: "2012-10-17", statement: statements }, broader }
}

/// The patterns of some needs, without those that another covers.
fn patterns(needs: &BTreeSet<&Need>) -> BTreeSet<String> {
    let wide: Vec<&str> = needs
        .iter()
        .filter(|need| need.target.pattern.contains(['*', '?']))
        .map(|need| need.target.pattern.as_str())
        .collect();
    needs
        .iter()
        .filter(|need| !wide.iter().any(|wide| *wide != need.target.pattern && covers(wide, need)))
        .map(|need| need.target.pattern.clone())
        .collect()
}

/// The evidence of each statement.
pub(super) fn evidence(policy: &Policy, needs: &BTreeMap<&Need, Evidence>) -> Vec<Evidence> {
    let of = |statement: &Statement| {
        let mut all = Evidence::default();
        for (need, evidence) in needs {
            if statement.serves(need) {
                all.merge(evidence);
            }
        }
        all
    };
    policy.statement.iter().map(of).collect()
}

fn one_or_many<S: Serializer>(values: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match (values.len(), values.first()) {
        (1, Some(one)) => serializer.serialize_str(one),
        _ => values.serialize(serializer),
    }
}

fn passed_to<S: Serializer>(values: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let value = if values.len() == 1 {
        serde_json::json!(values.first())
    } else {
        serde_json::json!(values)
    };
    serde_json::json!({"StringEquals": {"iam:PassedToService": value}}).serialize(serializer)
}
