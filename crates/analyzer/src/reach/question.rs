//! What is asked: actions by a pattern, and resources by an ARN or a pattern of ARNs.

use bailiwick_catalog::{Action, Catalog};
use bailiwick_model::Account;

use super::glob::{Glob, meet};

/// The most actions of one question.
const MAX_ACTIONS: usize = 50_000;

/// Actions and resources.
#[derive(Clone, Debug)]
pub struct Question {
    /// The actions, in AWS's spelling where the catalog has them.
    pub actions: Vec<String>,
    /// The ARN, the pattern, or `*`.
    pub resource: String,
}

/// What is no question.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum QuestionError {
    /// An action without a service.
    #[error("`{0}` is no action: write it as `s3:GetObject` or `s3:Get*`")]
    Action(String),
    /// A pattern that no action of the catalog matches.
    #[error("no action matches `{0}`")]
    NoAction(String),
    /// A resource that is neither an ARN nor `*`.
    #[error(
        "`{0}` is no resource: write an ARN, a pattern of ARNs such as `arn:aws:s3:::logs/*`, or `*`"
    )]
    Resource(String),
    /// No action of the pattern works on such a resource.
    #[error("no action of `{action}` works on a resource such as `{resource}`")]
    Apart {
        /// The pattern of actions.
        action: String,
        /// The resource.
        resource: String,
    },
}

impl Question {
    /// A question about an action or pattern of actions, on an ARN, a pattern of ARNs or `*`.
    ///
    /// Of a pattern of actions those are asked that work on such a resource, as the catalog has
    /// it. A single action is asked as it is.
    ///
    /// # Errors
    /// The action or the resource is none, or no known action matches the pattern.
    pub fn new(action: &str, resource: &str) -> Result<Self, QuestionError> {
        let is_arn = resource.starts_with("arn:") && resource.split(':').count() >= 6;
        if resource != "*" && !is_arn {
            return Err(QuestionError::Resource(resource.to_owned()));
        }
        let mut question = Self { actions: actions(action)?, resource: resource.to_owned() };
        if action.contains(['*', '?']) && resource != "*" {
            question.actions.retain(|action| works_on(action, resource));
            if question.actions.is_empty() {
                let (action, resource) = (action.to_owned(), resource.to_owned());
                return Err(QuestionError::Apart { action, resource });
            }
        }
        Ok(question)
    }

    /// Whether one ARN is asked for.
    pub fn is_exact(&self) -> bool {
        !self.resource.contains(['*', '?'])
    }

    /// The sets of resources that are asked for with an action, as patterns.
    pub(super) fn universe(&self, action: &str, account: &Account) -> Vec<Glob> {
        if self.resource != "*" {
            return vec![Glob::arn(&in_account(&self.resource, account))];
        }
        let found = resources_of(action, account);
        if found.is_empty() { vec![Glob::literally("*")] } else { found }
    }
}

/// The actions that a pattern means.
///
/// # Errors
/// It is no action, or a pattern of which none is known.
pub(super) fn actions(pattern: &str) -> Result<Vec<String>, QuestionError> {
    let catalog = Catalog::embedded();
    let fault = || QuestionError::Action(pattern.to_owned());
    let (prefix, name) =
        if pattern == "*" { ("*", "*") } else { pattern.split_once(':').ok_or_else(fault)? };
    if prefix.is_empty() || name.is_empty() || name.contains(':') {
        return Err(fault());
    }
    if !pattern.contains(['*', '?']) {
        let known = catalog.service(prefix).and_then(|service| {
            service.action(name).map(|action| format!("{}:{}", service.prefix(), action.name))
        });
        return Ok(vec![known.unwrap_or_else(|| pattern.to_owned())]);
    }
    let services = Glob::written(prefix).folded();
    let names = Glob::written(name).folded();
    let mut out = Vec::new();
    for service in catalog.services().filter(|service| services.matches(service.prefix())) {
        let found = service.actions().filter(|action| names.matches(&action.name));
        out.extend(found.map(|action| format!("{}:{}", service.prefix(), action.name)));
    }
    out.truncate(MAX_ACTIONS);
    if out.is_empty() { Err(QuestionError::NoAction(pattern.to_owned())) } else { Ok(out) }
}

/// The action as the catalog has it.
pub(super) fn known(action: &str) -> Option<&'static Action> {
    let (prefix, name) = action.split_once(':')?;
    Catalog::embedded().action(prefix, name)
}

/// The patterns of the resources of an action, in the account; none if it names no resource.
pub(super) fn resources_of(action: &str, account: &Account) -> Vec<Glob> {
    let Some((prefix, _)) = action.split_once(':') else { return Vec::new() };
    let Some(service) = Catalog::embedded().service(prefix) else { return Vec::new() };
    let kinds = known(action).map(|action| &*action.resource_types).unwrap_or_default();
    let mut out: Vec<Glob> = Vec::new();
    for kind in kinds {
        let Some(found) = service.resource_type(&kind.name) else { continue };
        let glob = Glob::arn(&written(&found.arn_pattern, account));
        if !out.contains(&glob) {
            out.push(glob);
        }
    }
    out
}

/// The pattern of a resource type with its variables filled in, or left open.
fn written(pattern: &str, account: &Account) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        match name {
            "Partition" => out.push_str(account.partition().as_str()),
            "Account" => out.push_str(&account.id().to_string()),
            _ => out.push('*'),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// The pattern with the account's id where any account would do.
fn in_account(pattern: &str, account: &Account) -> String {
    let mut fields: Vec<&str> = pattern.splitn(6, ':').collect();
    let id = account.id().to_string();
    if let Some(field) = fields.get_mut(4)
        && *field == "*"
    {
        *field = &id;
    }
    fields.join(":")
}

/// Whether an action works on resources such as this one, as far as is known.
fn works_on(action: &str, resource: &str) -> bool {
    let asked = Glob::arn(resource);
    let kinds = known(action).map(|action| &*action.resource_types).unwrap_or_default();
    let service =
        action.split_once(':').and_then(|(prefix, _)| Catalog::embedded().service(prefix));
    let Some(service) = service else { return false };
    kinds.iter().filter_map(|kind| service.resource_type(&kind.name)).any(|kind| {
        let mut pattern = String::new();
        let mut rest = &*kind.arn_pattern;
        while let Some((before, after)) = rest.split_once("${") {
            pattern.push_str(before);
            pattern.push('*');
            rest = after.split_once('}').map_or("", |(_, behind)| behind);
        }
        pattern.push_str(rest);
        is_like(&pattern, resource) && meet(&Glob::arn(&pattern), &asked)
    })
}

/// Whether an S3 object has a key: `arn:aws:s3:::b` is a bucket, which the pattern of access points
/// and objects does not mean.
fn is_like(pattern: &str, resource: &str) -> bool {
    let part = |text: &str| text.splitn(6, ':').nth(5).unwrap_or_default().to_owned();
    let (wanted, held) = (part(pattern), part(resource));
    // A name has no slash in it: `bucket/*` is no bucket.
    wanted != "*" || !held.contains('/') || !resource.contains(":s3:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read() {
        let one = Question::new("S3:getobject", "arn:aws:s3:::b/k").unwrap();
        assert_eq!(one.actions, ["s3:GetObject"]);
        let objects = Question::new("s3:Get*", "arn:aws:s3:::b/*").unwrap();
        assert!(objects.actions.iter().any(|action| action == "s3:GetObject"));
        assert!(!objects.actions.iter().any(|action| action == "s3:GetBucketPolicy"));
        let bucket = Question::new("s3:Get*", "arn:aws:s3:::b").unwrap();
        assert!(bucket.actions.iter().any(|action| action == "s3:GetBucketPolicy"));
        assert!(!bucket.actions.iter().any(|action| action == "s3:GetObject"));
        for (action, resource) in [
            ("GetObject", "*"),
            ("s3:", "*"),
            ("s3:Nothing*", "*"),
            ("s3:GetObject", "bucket"),
            ("iam:Get*", "arn:aws:s3:::b"),
        ] {
            assert!(Question::new(action, resource).is_err(), "{action} {resource}");
        }
    }
}
