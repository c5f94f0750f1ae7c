//! What mends a finding, in every form: the change of the policy, the policy as it is to be, commands,
//! Terraform, and what the change would do to the calls that were observed.
//!
//! A check tells its fix as command lines of the AWS CLI and, where a policy changes, as a diff of one
//! statement. [`Remedy::of`] works out the rest from these two, so that all forms say the same.
//!
//! Absences: no I/O; the events come as [`Usage`], gathered by whoever reads them.

mod command;
mod effect;
mod hcl;
mod patch;
mod resources;
mod terraform;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bailiwick_identifiers::UniqueId;
use bailiwick_model::Account;
use serde::Serialize;

use crate::estate::Estate;
use crate::generate::{Breaks, Usage};
use crate::posture::{Finding, Fix};

pub use command::Command;
pub use terraform::{has_no_resource, terraform};

/// A fix in every form.
#[derive(Clone, Debug, Serialize)]
pub struct Remedy {
    /// In words.
    pub text: String,
    /// Command lines of the AWS CLI. `file://policy.json` and the like stand for [`Self::document`].
    pub commands: Vec<String>,
    /// The change of the policy, as a diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// The policy as it is to be. None where no policy changes, the diff shows a part of a statement
    /// only or leaves open what is needed, or no statement would be left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The same for Terraform, a text for each command that changes something.
    pub terraform: Vec<String>,
    /// What becomes of the observed calls; none where they are not known, some policy cannot be read, or no
    /// permission changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// What a fix does to the calls that were observed.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Such as `breaks 0 of 1,204 observed calls`.
    pub sentence: String,
    /// The users and roles whose permissions it touches.
    pub principals: Vec<String>,
    /// Their calls under the changed policies.
    #[serde(flatten)]
    pub breaks: Breaks,
}

impl Remedy {
    /// Every form of a finding's fix.
    pub fn of(estate: &Estate, finding: &Finding) -> Self {
        let Fix { text, commands, diff } = &finding.fix;
        let document = diff.as_deref().and_then(|diff| {
            let target =
                parsed(commands).find_map(|command| effect::text(&estate.account, &command))?;
            patch::apply(&target, diff)
        });
        let terraform = parsed(commands)
            .filter_map(|command| terraform(&command, document.as_deref()))
            .collect();
        Self {
            text: text.clone(),
            commands: commands.clone(),
            diff: diff.clone(),
            document,
            terraform,
            effect: None,
        }
    }

    /// The ARNs of the users and roles whose identity policies it changes.
    pub fn touches(&self, estate: &Estate) -> Vec<String> {
        let Some((_, touched)) = self.changed(&estate.account) else { return Vec::new() };
        touched.into_values().collect()
    }

    /// Adds what becomes of the observed calls of whom it touches, of whom `usage` answers those that are
    /// known. They are to be settled ([`crate::generate::settled`]).
    pub fn measure<'u>(&mut self, estate: &Estate, usage: impl Fn(&str) -> Option<&'u Usage>) {
        let Some((account, touched)) = self.changed(&estate.account) else { return };
        let mut all = Effect::default();
        for (id, arn) in touched {
            if let Some(usage) = usage(&arn) {
                // Of a policy that cannot be read nothing is claimed.
                let Some(breaks) = effect::breaks_of(estate, &account, id, usage) else { return };
                all.breaks.add(breaks);
            }
            all.principals.push(arn);
        }
        if !all.principals.is_empty() {
            all.sentence = all.breaks.sentence();
            self.effect = Some(all);
        }
    }

    /// The account with all commands carried out, and whose policies they change. None where one of them
    /// writes a policy that is not known.
    fn changed(&self, account: &Account) -> Option<(Account, BTreeMap<UniqueId, String>)> {
        let mut changed = account.clone();
        let mut touched = BTreeMap::new();
        for command in parsed(&self.commands) {
            effect::apply(&mut changed, &command, self.document.as_deref(), &mut touched)?;
        }
        Some((changed, touched))
    }
}

fn parsed(commands: &[String]) -> impl Iterator<Item = Command> {
    commands.iter().filter_map(|line| Command::parse(line))
}
