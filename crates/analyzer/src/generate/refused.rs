//! Calls that were refused: what was lacking, and the smallest statement that would give it.

use std::collections::BTreeMap;

use bailiwick_catalog::Catalog;
use serde::Serialize;

use super::policy::Statement;
use super::record::Record;
use super::target::Target;
use super::usage::{Evidence, Need, Usage};

/// What the message of a refusal says. Source: IAM user guide, access denied messages.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Because {
    /// Whether a policy denied it: yes, no, or the message does not say.
    pub explicit: Option<bool>,
    /// The kind of policy that denied it, or that did not allow it.
    pub kind: Option<String>,
    /// The action and the resource that were asked for, where the message tells them.
    #[serde(skip)]
    pub(super) asked: Option<(String, String)>,
}

impl Because {
    /// Reads the message of a record.
    pub(super) fn of(record: &Record) -> Self {
        let text = &record.error_message;
        let word = |after: &str| {
            let (_, rest) = text.split_once(after)?;
            let word = rest.split_whitespace().next()?;
            Some(word.trim_end_matches([',', '.']).to_owned())
        };
        let between = |from: &str, to: &str| {
            let (_, rest) = text.split_once(from)?;
            let (found, _) = rest.split_once(to)?;
            (found.len() < 80).then(|| found.to_owned())
        };
        let action = word("not authorized to perform: ").filter(|action| {
            action.split_once(':').is_some_and(|(service, name)| {
                !name.is_empty()
                    && service.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                    && name.chars().all(|c| c.is_ascii_alphanumeric())
            })
        });
        let resource = word("on resource: ").map(|text| text.trim_matches('"').to_owned());
        let asked = action.map(|action| (action, resource.unwrap_or_default()));
        let ends = ["\n", ".", ":", " Encoded"];
        let denied = text.split_once("with an explicit deny").map(|(_, rest)| {
            let rest = rest.trim_start_matches(" in an ").trim_start_matches(" in a ");
            let rest = rest.trim_start_matches(" in the ");
            let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default().trim().to_owned()
        });
        match denied {
            Some(kind) => {
                let kind = (!kind.is_empty() && kind.len() < 80).then_some(kind);
                Self { explicit: Some(true), kind, asked }
            }
            None => match between("because no ", " allows") {
                Some(kind) => Self { explicit: Some(false), kind: Some(kind), asked },
                None => Self { explicit: None, kind: None, asked },
            },
        }
    }

    /// The need that the message tells, where it tells the whole of it.
    pub(super) fn need(&self) -> Option<Need> {
        let (action, resource) = self.asked.as_ref()?;
        let fine = resource == "*" || resource.starts_with("arn:");
        // `iam:ListUsers` is refused on `user/`, and can be allowed on `*` alone.
        let known = action
            .split_once(':')
            .and_then(|(service, name)| Catalog::embedded().action(service, name));
        let none = known.is_some_and(|action| action.resource_types.is_empty());
        let all = resource == "*" || none;
        let target = if all { Target::all() } else { Target::exact(resource) };
        fine.then(|| Need { action: action.clone(), target, passed_to: None })
    }

    /// Whether an Allow in a policy of the principal could help.
    fn helps(&self) -> bool {
        let identity = self.kind.as_deref().is_none_or(|kind| kind == "identity-based policy");
        self.explicit != Some(true) && identity
    }
}

/// Like calls that were refused.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The operation.
    pub event: String,
    /// What the message says of the reason.
    pub because: Because,
    /// The smallest statement that would allow it; none where no Allow of the principal helps.
    pub statement: Option<Statement>,
    /// What is to be said about it.
    pub advice: String,
    /// Whether the same was also let through at another time.
    pub also_allowed: bool,
    /// How often and when.
    pub evidence: Evidence,
}

/// The refusals of a principal, the most frequent first.
pub fn refusals(usage: &Usage) -> Vec<Refusal> {
    let held: std::collections::BTreeSet<&Need> =
        usage.calls.keys().flat_map(|call| &call.needs).collect();
    let mut merged: BTreeMap<(&str, &Because, &[Need]), Evidence> = BTreeMap::new();
    for (refused, evidence) in &usage.refused {
        let key = (refused.call.event.as_str(), &refused.because, refused.call.needs.as_slice());
        merged.entry(key).or_default().merge(evidence);
    }
    let mut found: Vec<Refusal> = merged
        .into_iter()
        .map(|((event, because, needs), mut evidence)| {
            evidence.failed = 0;
            let helps = because.helps() && !needs.is_empty();
            Refusal {
                event: event.to_owned(),
                because: because.clone(),
                statement: helps.then(|| Statement::of_needs(needs)),
                advice: advice(because, needs),
                also_allowed: !needs.is_empty()
                    && needs.iter().all(|need| was_allowed(&held, need)),
                evidence,
            }
        })
        .collect();
    found.sort_by(|a, b| b.evidence.count.cmp(&a.evidence.count).then(a.event.cmp(&b.event)));
    found
}

/// Whether a need was met at another time. An action without resource types is asked for this or that,
/// and is the same right always.
pub(super) fn was_allowed(held: &std::collections::BTreeSet<&Need>, need: &Need) -> bool {
    let everywhere = Need {
        action: need.action.clone(),
        target: Target::all(),
        passed_to: need.passed_to.clone(),
    };
    held.contains(need) || held.contains(&everywhere)
}

fn advice(because: &Because, needs: &[Need]) -> String {
    let kind = because.kind.as_deref();
    match (because.explicit, kind) {
        (Some(true), Some(kind)) => format!(
            "denied explicitly in a {kind}: no Allow helps; the Deny has to go or to leave this out"
        ),
        (Some(true), None) => {
            "denied explicitly: no Allow helps; the Deny has to go or to leave this out".to_owned()
        }
        (Some(false), Some(kind)) if kind != "identity-based policy" => {
            format!(
                "no {kind} allows it: it has to be allowed there, an identity policy does not help"
            )
        }
        (Some(false), _) => "no identity policy allows it".to_owned(),
        (None, _) => {
            let partial = needs.iter().any(|need| need.target.partial);
            let more = if partial { "; the event does not tell the whole resource" } else { "" };
            format!(
                "the event does not say whether a policy denies it: if one does, no Allow helps{more}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> Because {
        Because::of(&Record { error_message: message.to_owned(), ..Record::default() })
    }

    #[test]
    fn messages_of_refusals() {
        let user = "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: ";
        let on = "iam:GetUser on resource: arn:aws:iam::123456789012:user/bob";
        let implicit = read(&format!(
            "{user}{on} because no identity-based policy allows the iam:GetUser action"
        ));
        assert_eq!(implicit.explicit, Some(false));
        assert_eq!(implicit.kind.as_deref(), Some("identity-based policy"));
        assert_eq!(implicit.need().unwrap().target.arn, "arn:aws:iam::123456789012:user/bob");
        assert!(implicit.helps());
        let explicit =
            read(&format!("{user}{on} with an explicit deny in a service control policy"));
        assert_eq!(explicit.explicit, Some(true));
        assert_eq!(explicit.kind.as_deref(), Some("service control policy"));
        assert!(!explicit.helps());
        let named = read(&format!(
            "{user}{on} with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/p"
        ));
        assert_eq!(named.kind.as_deref(), Some("identity-based policy"));
        assert!(!named.helps());
        let boundary = read(&format!(
            "{user}{on} because no permissions boundary allows the iam:GetUser action"
        ));
        assert!(!boundary.helps());
        let all = read(&format!(
            "{user}iam:ListUsers on resource: * because no identity-based policy allows it"
        ));
        assert_eq!(all.need().unwrap().target, Target::all());
        let bare = read("Access Denied");
        assert_eq!((bare.explicit, bare.need()), (None, None));
        assert!(bare.helps());
        let odd = read("not authorized to perform: iam:Get*User on resource: x");
        assert_eq!(odd.need(), None);
    }
}
