//! The techniques: the paths of escalation, and ways beside them.

use serde::Serialize;

use super::lateral::{WAYS, Way};
use crate::escalation::{Class, ROWS, Row};

/// What a technique is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tactic {
    /// To administrator.
    Escalation,
    /// To another principal, machine or account.
    Lateral,
    /// To stay.
    Persistence,
    /// To data and secrets.
    Collection,
    /// To let others in.
    Exposure,
    /// To be unseen, and past limits.
    Evasion,
    /// To do harm.
    Impact,
}

impl Tactic {
    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Escalation => "escalation",
            Self::Lateral => "lateral",
            Self::Persistence => "persistence",
            Self::Collection => "collection",
            Self::Exposure => "exposure",
            Self::Evasion => "evasion",
            Self::Impact => "impact",
        }
    }
}

/// A technique.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Technique {
    /// Its id: `ESC-049`, `LAT-001`.
    pub id: String,
    /// What it is for.
    pub tactic: Tactic,
    /// What is done, in words.
    pub title: String,
    /// The actions that it takes, in order.
    pub actions: Vec<&'static str>,
    /// The services that it goes through, as prefixes of actions.
    pub services: Vec<&'static str>,
    #[serde(skip)]
    pub(super) how: How,
}

/// How it is played.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Path(&'static Row),
    Way(&'static Way),
}

/// All techniques, by id within their kind.
pub fn techniques() -> Vec<Technique> {
    let paths = ROWS.iter().map(|row| Technique {
        id: row.id.to_string(),
        tactic: Tactic::Escalation,
        title: title(row),
        actions: row.actions.to_vec(),
        services: services(row.actions.iter().copied()),
        how: How::Path(row),
    });
    let ways = WAYS.iter().map(|way| Technique {
        id: way.id.to_owned(),
        tactic: way.tactic,
        title: way.title.to_owned(),
        actions: way.steps.iter().map(|(action, _)| *action).collect(),
        services: services(way.steps.iter().map(|(action, _)| *action)),
        how: How::Way(way),
    });
    paths.chain(ways).collect()
}

fn services(actions: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut all: Vec<&str> = actions.filter_map(|action| Some(action.split_once(':')?.0)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn title(row: &Row) -> String {
    match row.class {
        Class::SelfEscalation => "Gives itself more than it has".to_owned(),
        Class::PrincipalAccess => "Becomes an administrator".to_owned(),
        Class::NewPassrole => "Hands an administrator's role to a service".to_owned(),
        Class::ExistingPassrole => {
            let carrier = row.carrier.unwrap_or("something that runs with a role");
            format!("Takes over {carrier}")
        }
        Class::Directory => "Changes permission sets of the directory".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_catalog::Catalog;

    #[test]
    fn m119_there_are_enough_of_each_kind_and_all_are_known() {
        let all = techniques();
        let lateral = all.iter().filter(|t| t.tactic != Tactic::Escalation).count();
        assert_eq!(all.len(), 107 + lateral);
        assert!(lateral >= 60, "{lateral}");
        let mut ids: Vec<&str> = all.iter().map(|t| t.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
        for action in WAYS.iter().flat_map(|way| way.steps).map(|(action, _)| *action) {
            let (prefix, name) = action.split_once(':').unwrap();
            let known = Catalog::embedded().action(prefix, name);
            assert!(known.is_some_and(|known| *known.name == *name), "{action}");
        }
    }
}
