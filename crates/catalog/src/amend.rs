//! Adding newer versions of AWS managed policies to a catalog, for a server that is not renewed yet.

use jiff::civil::Date;

use crate::catalog::Catalog;
use crate::condition_key::ConditionKey;
use crate::container::Source;
use crate::encode::{
    ActionFacts, ActionResourceFacts, EncodeError, Facts, PolicyFacts, ResourceTypeFacts,
    ServiceFacts, VersionFacts, encode,
};
use crate::global_keys::global_condition_keys;
use crate::managed_policy::{ManagedPolicy, derived_id};
use crate::service::{Action, Names, Service};

/// What an amendment changed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Amended {
    /// Policies that the catalog did not have.
    pub new_policies: usize,
    /// Versions that it did not have, those of new policies among them.
    pub new_versions: usize,
    /// Policies that have another version in force now.
    pub new_defaults: usize,
}

/// The data file of a catalog with `policies` added: policies it lacks, versions it lacks, and their
/// choice of the version in force. What it has stays as it is, to the byte.
///
/// # Errors
///
/// As [`encode`].
pub fn amend(
    catalog: &Catalog,
    policies: Vec<PolicyFacts>,
    date: Date,
    source: Source,
) -> Result<(Vec<u8>, Amended), EncodeError> {
    let mut facts = Facts::from(catalog);
    let mut amended = Amended::default();
    for newer in policies {
        if let Some(held) = facts.policies.iter_mut().find(|held| held.name == newer.name) {
            merge(held, newer, &mut amended);
        } else {
            amended.new_policies += 1;
            amended.new_versions += newer.versions.len();
            facts.policies.push(newer);
        }
    }
    facts.date = facts.date.max(date);
    facts.sources.retain(|held| held.name != source.name);
    facts.sources.push(source);
    Ok((encode(facts)?, amended))
}

fn merge(held: &mut PolicyFacts, newer: PolicyFacts, amended: &mut Amended) {
    for version in newer.versions {
        if !held.versions.iter().any(|known| known.number == version.number) {
            held.versions.push(version);
            amended.new_versions += 1;
        }
    }
    if !newer.id.is_empty() {
        held.id = newer.id;
    }
    if newer.updated >= held.updated && newer.default_version != held.default_version {
        held.default_version = newer.default_version;
        held.updated = newer.updated;
        amended.new_defaults += 1;
    }
    held.attachable |= newer.attachable;
}

/// JSON laid out as data files need it: one value a line, four blanks to a level. `text` must be JSON;
/// its strings and numbers stay as they are spelled.
pub fn laid_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut level = 0usize;
    let mut chars = text.chars().filter_map({
        let (mut in_string, mut escaped) = (false, false);
        move |c| {
            if in_string {
                (in_string, escaped) = (c != '"' || escaped, c == '\\' && !escaped);
                return Some((c, true));
            }
            in_string = c == '"';
            (!c.is_ascii_whitespace()).then_some((c, in_string))
        }
    });
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", level));
    };
    let mut next = chars.next();
    while let Some((c, of_string)) = next {
        next = chars.next();
        match c {
            _ if of_string => out.push(c),
            '{' | '[' => {
                out.push(c);
                if !matches!(next, Some(('}' | ']', false))) {
                    level += 1;
                    line(&mut out, level);
                    continue;
                }
                // An empty one stays on its line.
                if let Some((end, _)) = next {
                    out.push(end);
                }
                next = chars.next();
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                line(&mut out, level);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, level);
            }
            ':' => out.push_str(": "),
            _ => out.push(c),
        }
    }
    out
}

impl From<&Catalog> for Facts {
    /// All that the catalog holds, but for the global condition keys, which are the program's own.
    fn from(catalog: &Catalog) -> Self {
        let own: Vec<Box<str>> = global_condition_keys().map(|key| key.name).collect();
        let is_own = |key: &&ConditionKey| own.contains(&key.name);
        Self {
            date: catalog.date(),
            sources: catalog.sources().to_vec(),
            services: catalog.services().map(service).collect(),
            condition_keys: catalog.condition_keys().filter(|key| !is_own(key)).cloned().collect(),
            policies: catalog.managed_policies().map(policy).collect(),
        }
    }
}

fn service(held: &Service) -> ServiceFacts {
    let kinds = held.resource_types().map(|kind| ResourceTypeFacts {
        name: kind.name.to_string(),
        arn_pattern: kind.arn_pattern.to_string(),
        condition_keys: texts(&kind.condition_keys),
    });
    ServiceFacts {
        prefix: held.prefix().to_owned(),
        name: held.name().to_owned(),
        resource_control_policies: held.supports_resource_control_policies(),
        condition_keys: held.condition_keys().map(str::to_owned).collect(),
        resource_types: kinds.collect(),
        actions: held.actions().map(action).collect(),
    }
}

fn action(held: &Action) -> ActionFacts {
    let resources = held.resource_types.iter().map(|kind| ActionResourceFacts {
        name: kind.name.to_string(),
        required: kind.required,
        condition_keys: texts(&kind.condition_keys),
        dependent_actions: texts(&kind.dependent_actions),
    });
    ActionFacts {
        name: held.name.to_string(),
        levels: held.levels,
        resources: resources.collect(),
        condition_keys: texts(&held.condition_keys),
        dependent_actions: texts(&held.dependent_actions),
    }
}

fn policy(held: &ManagedPolicy) -> PolicyFacts {
    let versions = held.versions.iter().map(|version| VersionFacts {
        number: number(&version.id),
        created: version.created,
        document: version.document(),
    });
    // An id that follows from the ARN is not a fact.
    let id = if held.id == derived_id(&held.arn) { String::new() } else { held.id.to_string() };
    PolicyFacts {
        name: held.name.to_string(),
        path: held.path.to_string(),
        id,
        created: held.created,
        updated: held.updated,
        default_version: number(&held.default_version),
        attachable: held.attachable,
        versions: versions.collect(),
    }
}

fn number(version: &str) -> u32 {
    version.strip_prefix('v').and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn texts(names: &Names) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = r#"{ "a" : [ ] ,"b":{},"c":["x, y: {\"z\"}\\",1.50,true],"d":{"e":"[" } }"#;

    #[test]
    fn documents_are_laid_out_and_keep_their_spelling() {
        let expected = "{\n    \"a\": [],\n    \"b\": {},\n    \"c\": [\n        \"x, y: {\\\"z\\\"}\\\\\",\n        1.50,\n        true\n    ],\n    \"d\": {\n        \"e\": \"[\"\n    }\n}";
        assert_eq!(laid_out(EMPTY), expected);
        assert_eq!(laid_out(expected), expected);
    }

    fn newer(name: &str, number: u32, text: &str) -> PolicyFacts {
        let at = "2030-01-02T03:04:05Z".parse().unwrap();
        let document = laid_out(text);
        PolicyFacts {
            name: name.into(),
            path: "/".into(),
            id: String::new(),
            created: at,
            updated: at,
            default_version: number,
            attachable: true,
            versions: vec![VersionFacts { number, created: at, document }],
        }
    }

    #[test]
    fn an_amended_catalog_has_the_old_and_the_new() {
        // A part of the embedded one: encoding it whole takes long without optimization.
        let mut facts = Facts::from(Catalog::embedded());
        facts.services.retain(|service| ["iam", "s3"].contains(&service.prefix.as_str()));
        facts.policies.retain(|policy| policy.name.starts_with("IAM"));
        let before = &Catalog::from_bytes(&encode(facts).unwrap()).unwrap();
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        let policies = vec![newer("IAMFullAccess", 999, text), newer("BrandNew", 1, text)];
        let source = Source { name: "test".into(), version: "1".into() };
        let (bytes, amended) =
            amend(before, policies.clone(), "2030-01-02".parse().unwrap(), source.clone()).unwrap();
        assert_eq!(amended, Amended { new_policies: 1, new_versions: 2, new_defaults: 1 });
        let after = Catalog::from_bytes(&bytes).unwrap();
        assert_eq!(after.date().to_string(), "2030-01-02");
        let full = after.managed_policy("IAMFullAccess").unwrap();
        assert_eq!((&*full.default_version, full.default_document()), ("v999", laid_out(text)));
        let old = before.managed_policy("IAMFullAccess").unwrap();
        assert_eq!(full.id, old.id);
        for version in &old.versions {
            assert_eq!(full.version(&version.id).unwrap().document(), version.document());
        }
        assert_eq!(after.services().count(), before.services().count());
        let actions = |catalog: &Catalog| catalog.service("s3").unwrap().actions().count();
        assert_eq!(actions(&after), actions(Catalog::embedded()));
        let keys = |catalog: &Catalog| catalog.condition_keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&after), keys(before));
        // Once more changes nothing.
        let (_, again) = amend(&after, policies, after.date(), source).unwrap();
        assert_eq!(again, Amended::default());
    }
}
