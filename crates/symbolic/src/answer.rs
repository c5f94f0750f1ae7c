//! What is answered.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// The answer to a claim about all requests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The claim holds for every request.
    Holds,
    /// It does not hold for this one, as the decision engine confirms.
    Fails(Witness),
    /// Neither could be shown. Whoever must be safe takes it for a failure.
    Undecided(Reason),
}

/// An Allow statement by which a claim fails or may fail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The place of its document among those that were asked, from 0.
    pub document: usize,
    /// Its place in the document, from 0.
    pub statement: usize,
    /// [`Answer::Fails`] or [`Answer::Undecided`].
    pub answer: Answer,
}

/// A request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Witness {
    /// The caller: its ARN, its service's or provider's name, or `anonymous`.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The ARN of the resource, or `*`.
    pub resource: String,
    /// The context keys with their values.
    pub context: BTreeMap<String, Vec<String>>,
}

/// Why a claim was neither shown nor refuted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The limits were reached.
    #[error("the limits were reached before an answer was found")]
    Budget,
    /// An example could not be confirmed: values of several keys, or a variable and a key, hang
    /// together.
    #[error("context keys hang together in a way that is not followed")]
    Correlation,
    /// Something that the documents say is not modelled.
    #[error("{0}")]
    Unmodelled(&'static str),
}

impl Answer {
    /// Whether the claim was shown.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Holds)
    }

    /// The request for which the claim fails.
    pub fn witness(&self) -> Option<&Witness> {
        if let Self::Fails(witness) = self { Some(witness) } else { None }
    }

    /// Both claims together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (fails @ Self::Fails(_), _) | (_, fails @ Self::Fails(_)) => fails,
            (unknown @ Self::Undecided(_), _) | (_, unknown @ Self::Undecided(_)) => unknown,
            (Self::Holds, Self::Holds) => Self::Holds,
        }
    }
}

impl FromIterator<Finding> for Answer {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        findings.into_iter().map(|finding| finding.answer).fold(Self::Holds, Self::and)
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls {} on {}", self.principal, self.action, self.resource)?;
        for (at, (key, values)) in self.context.iter().enumerate() {
            let joint = if at == 0 { " with" } else { "," };
            write!(f, "{joint} {key} = {}", values.join(" | "))?;
        }
        Ok(())
    }
}
