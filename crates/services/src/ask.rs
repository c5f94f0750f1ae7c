//! Asks: what an operation wants to do, to which resource, under which circumstances.

use std::borrow::Cow;
use std::sync::Arc;

use bailiwick_identifiers::{AccountId, Arn, TagSet};
use bailiwick_policy::Document;
use serde::{Deserialize, Serialize};

/// The values of a context key that an ask brings.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Values {
    /// A key that has one value by its nature.
    One(String),
    /// A key that may have several (KEY-8).
    Many(Vec<String>),
}

impl Values {
    /// Adds a value.
    fn add(&mut self, value: String) {
        let mut values = match self {
            Self::One(first) => vec![std::mem::take(first)],
            Self::Many(values) => std::mem::take(values),
        };
        values.push(value);
        *self = Self::Many(values);
    }
}

/// The trust policy of a role that an ask is put to.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// The role's ARN.
    pub(crate) role: Arn,
    /// Its trust policy; none when the stored text cannot be read, which denies (IN-6).
    pub(crate) document: Option<Arc<Document>>,
}

/// One question to the decision engine: one action on one resource (IN-3).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ask {
    /// Such as `iam:CreateUser`.
    pub(crate) action: String,
    /// The resource's ARN, or `*` (IN-4).
    pub(crate) resource: String,
    /// The account that owns the resource (IN-7).
    pub(crate) owner: AccountId,
    /// What a denial calls the resource, where that is not its ARN (IN-8).
    pub(crate) reported: Option<Cow<'static, str>>,
    /// The resource policy: the trust policy of the role.
    #[serde(skip)]
    pub(crate) trust: Option<Trust>,
    /// Context keys of this ask alone.
    pub(crate) context: Vec<(String, Values)>,
}

impl Ask {
    /// An ask for an action on a resource of an account.
    pub(crate) fn new(
        action: impl Into<String>,
        resource: impl Into<String>,
        owner: AccountId,
    ) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            owner,
            reported: None,
            trust: None,
            context: Vec::new(),
        }
    }

    /// Adds a key of one value.
    #[must_use]
    pub(crate) fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.context.push((key.into(), Values::One(value.into())));
        self
    }

    /// Adds a key of one value, if there is one.
    #[must_use]
    pub(crate) fn with_optional(self, key: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds a key that may have several values.
    #[must_use]
    pub(crate) fn with_many(
        mut self,
        key: impl Into<String>,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        self.context.push((key.into(), Values::Many(values.into_iter().collect())));
        self
    }

    /// The tags that the request would set: `aws:RequestTag/k` and `aws:TagKeys` (KEY-10).
    #[must_use]
    pub(crate) fn request_tags(mut self, tags: &TagSet) -> Self {
        if tags.is_empty() {
            return self;
        }
        for (key, value) in by_key(tags) {
            self.context.push((format!("aws:RequestTag/{key}"), value));
        }
        self.with_many("aws:TagKeys", tags.iter().map(|tag| tag.key.to_string()))
    }

    /// The keys of the tags that the request would take away: `aws:TagKeys`.
    #[must_use]
    pub(crate) fn tag_keys(self, keys: &[String]) -> Self {
        self.with_many("aws:TagKeys", keys.iter().cloned())
    }

    /// The tags that the resource has: `aws:ResourceTag/k` and `iam:ResourceTag/k`.
    #[must_use]
    pub(crate) fn resource_tags(mut self, tags: &TagSet) -> Self {
        for tag in tags {
            self = self
                .with(format!("aws:ResourceTag/{}", tag.key), tag.value.as_str())
                .with(format!("iam:ResourceTag/{}", tag.key), tag.value.as_str());
        }
        self
    }

    /// The tags that a resource other than a user or role has: `aws:ResourceTag/k` alone. Source:
    /// service authorization reference, resource types of IAM.
    #[must_use]
    pub(crate) fn general_resource_tags(mut self, tags: &TagSet) -> Self {
        for (key, value) in by_key(tags) {
            self.context.push((format!("aws:ResourceTag/{key}"), value));
        }
        self
    }

    /// The boundary that the request sets or the target has: `iam:PermissionsBoundary`.
    #[must_use]
    pub(crate) fn boundary(self, boundary: Option<&Arn>) -> Self {
        self.with_optional("iam:PermissionsBoundary", boundary.map(Arn::as_str))
    }

    /// What a denial calls the resource.
    #[must_use]
    pub(crate) fn reported_as(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.reported = Some(text.into());
        self
    }

    /// The trust policy that must allow it (TR-1).
    #[must_use]
    pub(crate) fn trusted_by(mut self, trust: Trust) -> Self {
        self.trust = Some(trust);
        self
    }
}

/// Tags as values of condition keys, which have no case: the values of tags whose keys differ in
/// case alone come together, so that no operator without set prefix takes one of them for the
/// other (CO-9).
fn by_key(tags: &TagSet) -> Vec<(&str, Values)> {
    let mut found: Vec<(&str, Values)> = Vec::with_capacity(tags.len());
    for tag in tags {
        let value = tag.value.as_str().to_owned();
        match found.last_mut() {
            Some((key, held)) if key.to_lowercase() == tag.key.folded() => held.add(value),
            _ => found.push((tag.key.as_str(), Values::One(value))),
        }
    }
    found
}
