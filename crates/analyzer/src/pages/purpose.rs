//! What something is for: its description and tags, and which of them there has to be.

use bailiwick_identifiers::TagSet;
use serde::{Deserialize, Serialize};

/// Where it is written what something is for, and what has to be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Documentation {
    /// Tags that hold the purpose, beside the description; the first that is there counts.
    pub purpose_tags: Vec<String>,
    /// Tags that hold the owner.
    pub owner_tags: Vec<String>,
    /// Tags that hold a ticket.
    pub ticket_tags: Vec<String>,
    /// What every role and customer managed policy must have.
    pub required: Vec<Aspect>,
}

/// What can be written about something.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// What it is for.
    Purpose,
    /// Whose it is.
    Owner,
    /// Where it was asked for.
    Ticket,
}

/// What is written about something.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Written {
    pub(super) purpose: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) ticket: Option<String>,
    /// Why the purpose is not known, where it may stand in what was not read.
    pub(super) unknown: Option<&'static str>,
    /// Whether tags were not given, so that an owner or a ticket is not known to be missing.
    pub(super) untagged: bool,
}

impl Written {
    fn of(&self, aspect: Aspect) -> Option<&str> {
        match aspect {
            Aspect::Purpose => self.purpose.as_deref(),
            Aspect::Owner => self.owner.as_deref(),
            Aspect::Ticket => self.ticket.as_deref(),
        }
    }
}

impl Default for Documentation {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            purpose_tags: list(&["purpose"]),
            owner_tags: list(&["owner"]),
            ticket_tags: list(&["ticket"]),
            required: vec![Aspect::Purpose],
        }
    }
}

impl Documentation {
    /// What is written, in tags and in a description.
    pub(super) fn written(&self, tags: &TagSet, description: Option<&str>) -> Written {
        let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let tag = |keys: &[String]| {
            keys.iter().find_map(|key| {
                let key = key.to_lowercase();
                let found = tags.iter().find(|tag| tag.key.folded() == key)?;
                said(found.value.as_str())
            })
        };
        Written {
            purpose: description.and_then(said).or_else(|| tag(&self.purpose_tags)),
            owner: tag(&self.owner_tags),
            ticket: tag(&self.ticket_tags),
            unknown: None,
            untagged: false,
        }
    }

    /// Whether something has to be written of which it is not known whether it is.
    pub(super) fn is_untold(&self, written: &Written) -> bool {
        self.required.iter().any(|aspect| aspect.is_untold(written))
    }

    /// What is not written and has to be. Of what is not known nothing is said.
    pub(super) fn lacking(&self, written: &Written) -> Vec<Aspect> {
        let lacks = |aspect: &&Aspect| written.of(**aspect).is_none() && !aspect.is_untold(written);
        let mut out: Vec<Aspect> = self.required.iter().filter(lacks).copied().collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

impl Aspect {
    /// Whether it is not told whether this is written.
    fn is_untold(self, written: &Written) -> bool {
        let unread = match self {
            Self::Purpose => written.unknown.is_some(),
            Self::Owner | Self::Ticket => written.untagged,
        };
        unread && written.of(self).is_none()
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::Owner => "owner",
            Self::Ticket => "ticket",
        }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_identifiers::Tag;

    use super::*;

    fn tags(list: &[(&str, &str)]) -> TagSet {
        let tag = |(key, value): &(&str, &str)| Tag {
            key: key.parse().unwrap(),
            value: value.parse().unwrap(),
        };
        TagSet::new(list.iter().map(tag)).unwrap()
    }

    #[test]
    fn m127_descriptions_and_tags_say_what_for() {
        let usual = Documentation::default();
        let found = usual.written(&tags(&[("Owner", "ann"), ("purpose", "builds")]), None);
        assert_eq!(found.purpose.as_deref(), Some("builds"));
        assert_eq!(found.owner.as_deref(), Some("ann"));
        assert_eq!(usual.lacking(&found), []);
        let found = usual.written(&tags(&[("purpose", "builds")]), Some("Deploys"));
        assert_eq!(found.purpose.as_deref(), Some("Deploys"));
        for (list, description) in [(&[][..], None), (&[("purpose", " ")][..], Some("  "))] {
            let found = usual.written(&tags(list), description);
            assert_eq!(usual.lacking(&found), [Aspect::Purpose]);
        }
        let strict: Documentation = serde_json::from_value(serde_json::json!({
            "purpose-tags": ["why"], "owner-tags": ["team"], "required": ["owner", "purpose", "ticket"],
        }))
        .unwrap();
        let found = strict.written(&tags(&[("why", "x"), ("owner", "ann")]), None);
        assert_eq!(strict.lacking(&found), [Aspect::Owner, Aspect::Ticket]);
        let unknown = Written { unknown: Some("no list"), ..Written::default() };
        assert_eq!(usual.lacking(&unknown), []);
    }
}
