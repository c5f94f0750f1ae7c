//! Principals by resources, or by services and access levels.

use bailiwick_catalog::{AccessLevel, Catalog};
use serde::Serialize;

use super::answer::{Certainty, Extent};
use super::question::{Question, QuestionError};
use super::who::{Kind, Reach};

/// What one principal can do with one thing.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// The principal.
    pub principal: String,
    /// What it is.
    pub kind: Kind,
    /// The resource, or the service.
    pub of: String,
    /// What it can do.
    pub marks: Vec<Mark>,
}

/// An action or an access level.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// Whether it hangs on the request; of a level the strongest of its actions.
    pub certainty: Certainty,
    /// Of how much of the resource it holds.
    pub extent: Extent,
}

impl Reach<'_> {
    /// Every principal of the account by these resources, with these actions. Of each resource
    /// those actions are asked that work on it.
    ///
    /// # Errors
    /// An action or a resource is none.
    pub fn matrix(
        &self,
        actions: &[String],
        resources: &[String],
    ) -> Result<Vec<Cell>, QuestionError> {
        let mut out = Vec::new();
        for resource in resources {
            let mut questions = Vec::new();
            for action in actions {
                match Question::new(action, resource) {
                    Ok(question) => questions.push(question),
                    Err(QuestionError::Apart { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            for (kind, principal) in self.principals() {
                let marks: Vec<Mark> = questions
                    .iter()
                    .filter_map(|question| self.can_do(principal, question))
                    .flatten()
                    .map(|access| Mark {
                        name: access.action,
                        certainty: access.certainty,
                        extent: access.extent,
                    })
                    .collect();
                out.push(Cell {
                    principal: principal.to_owned(),
                    kind,
                    of: resource.clone(),
                    marks,
                });
            }
        }
        Ok(out)
    }

    /// Every principal of the account by these services: which access levels it has of each.
    ///
    /// # Errors
    /// A service is not known.
    pub fn levels(&self, services: &[String]) -> Result<Vec<Cell>, QuestionError> {
        let mut out = Vec::new();
        for prefix in services {
            let service = Catalog::embedded().service(prefix);
            let service = service.ok_or_else(|| QuestionError::NoAction(format!("{prefix}:*")))?;
            for (kind, principal) in self.principals() {
                let mut marks: Vec<Mark> = Vec::new();
                for action in service.actions() {
                    let strongest = |level: AccessLevel| {
                        marks.iter().any(|mark| {
                            mark.name == level.name() && mark.certainty == Certainty::Always
                        })
                    };
                    if action.levels.iter().all(strongest) {
                        continue;
                    }
                    let action_name = format!("{}:{}", service.prefix(), action.name);
                    let question =
                        Question { actions: vec![action_name], resource: "*".to_owned() };
                    let found = self.can_do(principal, &question).unwrap_or_default();
                    let Some(access) = found.into_iter().next() else { continue };
                    for level in action.levels.iter() {
                        match marks.iter_mut().find(|mark| mark.name == level.name()) {
                            Some(mark) => {
                                mark.certainty = mark.certainty.min(access.certainty);
                                mark.extent = mark.extent.min(access.extent);
                            }
                            None => marks.push(Mark {
                                name: level.name().to_owned(),
                                certainty: access.certainty,
                                extent: access.extent,
                            }),
                        }
                    }
                }
                let order = |mark: &Mark| {
                    AccessLevel::ALL.iter().position(|level| level.name() == mark.name)
                };
                marks.sort_by_key(order);
                out.push(Cell { principal: principal.to_owned(), kind, of: prefix.clone(), marks });
            }
        }
        Ok(out)
    }
}
