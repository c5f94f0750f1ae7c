//! What people say by hand: evidence for a practice or a control, by whom, until when.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::list::{List, lists};
use super::standard::Standard;

/// The most marks that are taken.
const MOST: usize = 10_000;

/// Marks, as a file holds them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Marks {
    /// The marks.
    pub mark: Vec<Mark>,
}

/// A statement of a person about one practice or one control.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mark {
    /// The practice, such as `000-07`. Either this or [`Mark::control`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practice: Option<String>,
    /// The control, such as `cis-3.0 1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// What the person says.
    pub state: MarkedAs,
    /// What it rests on: a ticket, a document, a place.
    pub evidence: String,
    /// Who says so.
    pub by: String,
    /// The last day on which it counts.
    pub until: Day,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkedAs {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail,
    /// There is nothing to which it applies.
    NotApplicable,
}

/// A day, as `2026-12-31`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Day(pub Date);

/// A mark that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("mark {number}: {problem}")]
pub struct MarkError {
    /// Which mark, from 1.
    pub number: usize,
    /// What is wrong.
    pub problem: String,
}

impl Marks {
    /// The marks by what they are about; `practice` ids and controls share no form.
    ///
    /// # Errors
    /// A mark is about nothing that there is, about two things or about what another is about, or it
    /// lacks evidence or name.
    pub fn by_subject(&self) -> Result<BTreeMap<String, &Mark>, MarkError> {
        let mut out = BTreeMap::new();
        for (at, mark) in self.mark.iter().enumerate() {
            let fault = |problem: String| MarkError { number: at + 1, problem };
            if at >= MOST {
                return Err(fault(format!("there are more than {MOST} marks")));
            }
            let subject = mark.subject().map_err(fault)?;
            for (what, text) in [("evidence", &mark.evidence), ("by", &mark.by)] {
                if text.trim().is_empty() {
                    return Err(fault(format!("`{what}` says nothing")));
                }
            }
            if out.insert(subject.clone(), mark).is_some() {
                return Err(fault(format!("`{subject}` has been marked before")));
            }
        }
        Ok(out)
    }
}

impl Mark {
    fn subject(&self) -> Result<String, String> {
        match (&self.practice, &self.control) {
            (Some(id), None) => {
                let known = lists().iter().flat_map(List::answered).any(|held| held.id == id);
                if known { Ok(id.clone()) } else { Err(format!("there is no practice `{id}`")) }
            }
            (None, Some(control)) => {
                let unknown =
                    || format!("there is no control `{control}`, as `cis-3.0 1.3` is one");
                let (standard, id) = control.split_once(' ').ok_or_else(unknown)?;
                let standard = Standard::parse(standard).ok_or_else(unknown)?;
                let held = standard.controls().into_iter().find(|held| held.id == id.trim());
                let held = held.ok_or_else(unknown)?;
                Ok(standard.subject(held.id))
            }
            _ => Err("it needs either `practice` or `control`".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            serde::de::Error::custom(format!("`{text}` is no day, as \"2026-12-31\" is one"))
        })
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn marks(list: &serde_json::Value) -> Marks {
        serde_json::from_value(json!({ "mark": list })).unwrap()
    }

    fn mark(about: &str, subject: &str) -> serde_json::Value {
        json!({about: subject, "state": "pass", "evidence": "T-1", "by": "ann", "until": "2026-12-31"})
    }

    #[test]
    fn marks_are_about_something() {
        let good = marks(&json!([
            mark("practice", "000-07"),
            mark("practice", "001-15b"),
            mark("control", "cis-3.0 1.3"),
            mark("control", "nist-800-53 AC-1"),
        ]));
        assert_eq!(good.by_subject().unwrap().len(), 4);
        for (list, problem) in [
            (json!([mark("practice", "000-17")]), "there is no practice `000-17`"),
            (json!([mark("practice", "001-15")]), "there is no practice `001-15`"),
            (json!([mark("control", "cis-3.0 9.9")]), "there is no control `cis-3.0 9.9`"),
            (json!([mark("control", "1.3")]), "there is no control `1.3`"),
            (json!([mark("practice", "000-07"), mark("practice", "000-07")]), "marked before"),
        ] {
            let error = marks(&list).by_subject().unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        let mut both = mark("practice", "000-07");
        both["control"] = json!("cis-3.0 1.3");
        assert!(marks(&json!([both])).by_subject().is_err());
        let mut empty = mark("practice", "000-07");
        empty["evidence"] = json!(" ");
        assert!(marks(&json!([empty])).by_subject().is_err());
    }

    #[test]
    fn days_and_fields_are_read_strictly() {
        let mut odd = mark("practice", "000-07");
        odd["until"] = json!("soon");
        assert!(serde_json::from_value::<Mark>(odd).is_err());
        let mut more = mark("practice", "000-07");
        more["untill"] = json!("2026-12-31");
        assert!(serde_json::from_value::<Mark>(more).is_err());
    }
}
