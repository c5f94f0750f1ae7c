//! The same decisions before and after: requests made from what policies say, put to the engine.
//!
//! A sample proves no equality, but a policy that was lost, or came twice, shows: each statement of
//! each policy of the caller is met by requests that it matches and some beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::anyhow;
use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind, Documents};

use crate::iam::Iam;
use crate::policies::details;
use crate::simulate::account::World;
use crate::simulate::question::{Keys, Setting};

/// Actions that a pattern stands for, in the sample.
const PER_PATTERN: usize = 6;
/// Questions of one sample.
const MAX_QUESTIONS: usize = 4000;
/// What is asked beside what the policies say.
const ALWAYS: &[(&str, &str)] = &[
    ("s3:GetObject", "arn:aws:s3:::sample-bucket/key"),
    ("s3:DeleteBucket", "arn:aws:s3:::sample-bucket"),
    ("ec2:RunInstances", "*"),
    ("iam:CreateUser", "arn:aws:iam::123456789012:user/sample"),
    ("iam:ChangePassword", "*"),
    ("kms:Decrypt", "*"),
    ("sts:GetCallerIdentity", "*"),
];

/// What is decided of a sample of requests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sample(BTreeMap<(String, String, bool), &'static str>);

impl Sample {
    /// How many requests it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many of them are allowed.
    pub(crate) fn allowed(&self) -> usize {
        self.0.values().filter(|decision| **decision == "allowed").count()
    }

    /// The requests that are decided in another way there.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let decided = |sample: &Self, key: &(String, String, bool)| {
            sample.0.get(key).copied().unwrap_or("not asked")
        };
        let differs = |key: &&(String, String, bool)| decided(self, key) != decided(other, key);
        let told = |key: &(String, String, bool)| {
            let (action, resource, _) = key;
            format!(
                "{action} on {resource}: {} before, {} after",
                decided(self, key),
                decided(other, key)
            )
        };
        self.0.keys().filter(differs).map(told).collect()
    }
}

/// The caller as the account stands.
pub(crate) fn setting(iam: &Iam, principal: &str) -> anyhow::Result<Setting> {
    let export = details(iam)?.into_export();
    Arc::new(World::of_json("the account", &export)?).caller(principal)
}

/// The requests that the policies of a caller speak of, as action and resource.
pub(crate) fn questions(setting: &Setting) -> BTreeSet<(String, String)> {
    let mut found: BTreeSet<_> = ALWAYS
        .iter()
        .map(|(action, resource)| ((*action).to_owned(), (*resource).to_owned()))
        .collect();
    for policy in setting.policies.identity.iter().chain(&setting.policies.boundary) {
        let Ok(document) = Document::parse(&policy.text, DocumentKind::Identity) else { continue };
        for statement in document.statements() {
            let mut resources: Vec<String> = statement.resources().map(instance).collect();
            resources.push("*".into());
            for pattern in statement.actions() {
                for action in actions(pattern) {
                    for resource in &resources {
                        if found.len() >= MAX_QUESTIONS {
                            return found;
                        }
                        found.insert((action.clone(), resource.clone()));
                    }
                }
            }
        }
    }
    found
}

/// Puts them to the engine, once as they are and once as from a session with MFA over TLS.
pub(crate) fn decide(
    setting: &Setting,
    questions: &BTreeSet<(String, String)>,
) -> anyhow::Result<Sample> {
    let mut documents = Documents::default();
    let mut richer = setting.clone();
    let mut keys = Keys::default();
    for (key, value) in [
        ("aws:MultiFactorAuthPresent", "true"),
        ("aws:MultiFactorAuthAge", "60"),
        ("aws:SecureTransport", "true"),
        ("aws:SourceIp", "192.0.2.7"),
        ("aws:RequestedRegion", "us-east-1"),
    ] {
        keys.set(key, vec![value.to_owned()]);
    }
    richer.context = keys;
    let mut decided = BTreeMap::new();
    for (action, resource) in questions {
        for (rich, setting) in [(false, setting), (true, &richer)] {
            let answer = setting.decide(action, resource, &mut documents);
            let answer = answer.map_err(|problem| anyhow!("{problem}"))?;
            decided.insert((action.clone(), resource.clone(), rich), answer.decision);
        }
    }
    Ok(Sample(decided))
}

/// Something that a resource pattern matches, where it holds no variable.
fn instance(pattern: &str) -> String {
    if pattern == "*" { pattern.into() } else { pattern.replace('*', "sample").replace('?', "x") }
}

/// Actions that a pattern matches: all that it names, or the first and last few of the catalog's.
fn actions(pattern: &str) -> Vec<String> {
    if !pattern.contains(['*', '?']) {
        return vec![pattern.to_owned()];
    }
    let Some((prefix, name)) = pattern.split_once(':').filter(|(prefix, _)| !prefix.contains('*'))
    else {
        return ALWAYS.iter().map(|(action, _)| (*action).to_owned()).collect();
    };
    let Some(service) = Catalog::embedded().service(prefix) else { return Vec::new() };
    let matched: Vec<&str> = service
        .actions()
        .map(|action| &*action.name)
        .filter(|action| like(&name.to_ascii_lowercase(), &action.to_ascii_lowercase()))
        .collect();
    let (first, last) = (matched.iter().take(PER_PATTERN), matched.iter().rev().take(PER_PATTERN));
    let both: BTreeSet<&str> = first.chain(last).copied().collect();
    both.into_iter().map(|action| format!("{prefix}:{action}")).collect()
}

/// Whether a name matches a pattern of `*` and `?`, without recursion.
pub(crate) fn like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(here) => {
                at += 1;
                here += 1;
            }
            _ => match star {
                Some((place, from)) => {
                    at = place + 1;
                    here = from + 1;
                    star = Some((place, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::question::Named;

    fn holder(texts: &[&str]) -> Setting {
        let mut setting = Setting {
            principal: Some("arn:aws:iam::123456789012:user/alice".into()),
            ..Setting::default()
        };
        setting.policies.identity = texts.iter().map(|text| Named::file("p", text)).collect();
        setting
    }

    #[test]
    fn a_policy_that_is_lost_shows() {
        let read = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::homes/${aws:username}/*"}}"#;
        let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}"#;
        let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        let before = holder(&[read, all, deny]);
        let asked = questions(&before);
        let sample = decide(&before, &asked).unwrap();
        assert!(sample.allowed() > 0 && sample.allowed() < sample.len());
        let same = decide(&holder(&[deny, all, read]), &asked).unwrap();
        assert!(sample.differences(&same).is_empty());
        for texts in [&[read, all][..], &[read, deny], &[]] {
            let other = decide(&holder(texts), &asked).unwrap();
            assert!(!sample.differences(&other).is_empty(), "{texts:?}");
        }
    }

    #[test]
    fn patterns_stand_for_actions() {
        for (pattern, name, expected) in [
            ("get*", "getobject", true),
            ("*tag*", "getobjecttagging", true),
            ("g?t", "get", true),
            ("get", "getobject", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZ", false),
        ] {
            assert_eq!(like(pattern, name), expected, "{pattern} {name}");
        }
        assert_eq!(actions("s3:GetObject"), ["s3:GetObject"]);
        assert!(
            actions("iam:*").contains(&"iam:UploadSigningCertificate".to_owned())
                || actions("iam:*").len() > 6
        );
        assert!(actions("nothing:*").is_empty());
    }
}
