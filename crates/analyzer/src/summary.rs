//! What policies grant, service by service: the access levels, on which resources and under which
//! conditions, as the console's policy summary tells it.
//!
//! Levels are facts of the catalog, one or several for each action, and are not guessed from names.
//! A level is full where every action of the service that has it is named or matched, limited where
//! some are. Allow and Deny are told apart: a summary decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_catalog::{AccessLevel, Action, Catalog, Service};
use bailiwick_policy::{Document, Effect, Statement};
use serde::Serialize;

use crate::validate::glob;

/// What some policies grant and refuse.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Services of which something is allowed, by prefix.
    pub allow: Vec<ServiceSummary>,
    /// Services of which something is denied.
    pub deny: Vec<ServiceSummary>,
    /// How many services the catalog knows.
    pub services: usize,
    /// Actions and patterns that match nothing which the catalog knows.
    pub unknown: Vec<String>,
}

/// What is granted or refused of one service.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSummary {
    /// The prefix of its actions.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Whether it is every action.
    pub full_access: bool,
    /// The levels of which every action is meant.
    pub full: Vec<&'static str>,
    /// The levels of which some actions are meant.
    pub limited: Vec<&'static str>,
    /// How many actions are meant.
    pub actions: usize,
    /// How many the service has.
    pub of: usize,
    /// The resources: `All resources`, the one that is named, or `Multiple`.
    pub resource: String,
    /// The conditions: `None`, the one that there is, or `Multiple`.
    pub condition: String,
}

/// What statements say of one service.
#[derive(Default)]
struct Said<'c> {
    actions: BTreeSet<&'c str>,
    resources: BTreeSet<String>,
    conditions: BTreeSet<String>,
}

/// Sums up policies together, such as all of a user. Facts are those of the embedded catalog.
pub fn summary<'d>(documents: impl IntoIterator<Item = &'d Document>) -> Summary {
    let catalog = Catalog::embedded();
    let mut allow: BTreeMap<&str, Said<'_>> = BTreeMap::new();
    let mut deny: BTreeMap<&str, Said<'_>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for statement in documents.into_iter().flat_map(Document::statements) {
        let said = if statement.effect() == Effect::Allow { &mut allow } else { &mut deny };
        let (resource, condition) = (resource(statement), condition(statement));
        for (service, action) in meant(catalog, statement, &mut unknown) {
            let said = said.entry(service.prefix()).or_default();
            said.actions.insert(&action.name);
            said.resources.insert(resource.clone());
            said.conditions.insert(condition.clone());
        }
    }
    let rows = |said: BTreeMap<&str, Said<'_>>| {
        said.into_iter()
            .filter_map(|(prefix, said)| Some(row(catalog.service(prefix)?, &said)))
            .collect()
    };
    Summary {
        allow: rows(allow),
        deny: rows(deny),
        services: catalog.services().len(),
        unknown: unknown.into_iter().collect(),
    }
}

/// The actions that a statement means.
fn meant<'c>(
    catalog: &'c Catalog,
    statement: &Statement,
    unknown: &mut BTreeSet<String>,
) -> Vec<(&'c Service, &'c Action)> {
    let hits = |pattern: &str| -> Vec<(&'c Service, &'c Action)> {
        let (prefix, name) = pattern.split_once(':').unwrap_or((pattern, "*"));
        let all = glob::is_wild(prefix);
        let one = (!all).then(|| catalog.service(prefix)).flatten();
        let many =
            catalog.services().filter(move |found| all && glob::matches(prefix, found.prefix()));
        one.into_iter()
            .chain(many)
            .flat_map(|service| service.actions().map(move |action| (service, action)))
            .filter(|(_, action)| glob::matches(name, &action.name))
            .collect()
    };
    let mut named: Vec<(&Service, &Action)> = Vec::new();
    for pattern in statement.actions() {
        let found = hits(pattern);
        if found.is_empty() {
            unknown.insert(pattern.to_owned());
        }
        named.extend(found);
    }
    if !statement.is_not_action() {
        return named;
    }
    let left_out: BTreeSet<(&str, &str)> =
        named.iter().map(|(service, action)| (service.prefix(), &*action.name)).collect();
    let all = catalog.services().flat_map(|service| service.actions().map(move |a| (service, a)));
    all.filter(|(service, action)| !left_out.contains(&(service.prefix(), &*action.name))).collect()
}

fn row(service: &Service, said: &Said<'_>) -> ServiceSummary {
    let (mut full, mut limited) = (Vec::new(), Vec::new());
    for level in AccessLevel::ALL {
        let of_level = || service.actions().filter(|action| action.levels.contains(level));
        let granted = of_level().filter(|action| said.actions.contains(&*action.name)).count();
        match granted {
            0 => {}
            _ if granted == of_level().count() => full.push(level.name()),
            _ => limited.push(level.name()),
        }
    }
    let only = |texts: &BTreeSet<String>| match texts.first() {
        Some(text) if texts.len() == 1 => text.clone(),
        _ => "Multiple".to_owned(),
    };
    let (actions, of) = (said.actions.len(), service.actions().len());
    ServiceSummary {
        service: service.prefix().to_owned(),
        name: service.name().to_owned(),
        full_access: actions == of,
        full,
        limited,
        actions,
        of,
        resource: only(&said.resources),
        condition: only(&said.conditions),
    }
}

fn resource(statement: &Statement) -> String {
    let list: Vec<&str> = statement.resources().collect();
    let but = if statement.is_not_resource() { "All but " } else { "" };
    match list.as_slice() {
        [] => "The resource of the policy".to_owned(),
        _ if list.contains(&"*") && but.is_empty() => "All resources".to_owned(),
        [one] => format!("{but}{one}"),
        _ => format!("{but}{}", if but.is_empty() { "Multiple" } else { "multiple" }),
    }
}

fn condition(statement: &Statement) -> String {
    let mut tests = statement.conditions();
    match (tests.next(), tests.next()) {
        (None, _) => "None".to_owned(),
        (Some(one), None) => {
            let values: Vec<&str> = one.values.iter().map(AsRef::as_ref).collect();
            format!("{} {} {}", one.key, one.operator, values.join(" | "))
        }
        _ => "Multiple".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_policy::DocumentKind;

    use super::*;

    fn of(statements: &str) -> Summary {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        summary(&[Document::parse(&text, DocumentKind::Identity).unwrap()])
    }

    // Mission row M77.
    #[test]
    fn m77_levels_come_from_the_catalog_and_not_from_names() {
        let found = of(
            r#"{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListAllMyBuckets"], "Resource": "*"},
            {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:q"},
            {"Effect": "Deny", "Action": "ec2:GetPasswordData", "Resource": "*"}"#,
        );
        let prefixes: Vec<&str> = found.allow.iter().map(|row| row.service.as_str()).collect();
        assert_eq!(prefixes, ["s3", "sqs"]);
        let [s3, sqs] = found.allow.as_slice() else { panic!("{found:?}") };
        assert_eq!((s3.limited.clone(), s3.full.is_empty()), (vec!["List", "Read"], true));
        assert_eq!((s3.resource.as_str(), s3.condition.as_str()), ("All resources", "None"));
        assert!(sqs.full_access && sqs.limited.is_empty() && sqs.actions == sqs.of);
        assert_eq!(sqs.resource, "arn:aws:sqs:*:*:q");
        assert_eq!(found.deny.len(), 1);
        // `iam:PassRole` and `iam:GenerateServiceLastAccessedDetails` are what AWS says they are.
        let iam = of(
            r#"{"Effect": "Allow", "Action": ["iam:GenerateCredentialReport", "iam:TagUser"], "Resource": "*"}"#,
        );
        let levels = &iam.allow[0].limited;
        assert!(levels.contains(&"Read") && levels.contains(&"Tagging"), "{levels:?}");
    }

    #[test]
    fn m77_columns_say_multiple_where_there_are_several() {
        let found = of(
            r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"],
             "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            {"Effect": "Allow", "Action": "sns:*", "NotResource": "arn:aws:sns:*:*:t",
             "Condition": {"Bool": {"a:b": "true"}, "StringEquals": {"c:d": "e"}}},
            {"Effect": "Allow", "Action": ["no:Such", "s3:Nothing*"], "Resource": "*"}"#,
        );
        let [s3, sns] = found.allow.as_slice() else { panic!("{found:?}") };
        assert_eq!(s3.resource, "Multiple");
        assert_eq!(s3.condition, "aws:SecureTransport Bool true");
        assert_eq!(
            (sns.resource.as_str(), sns.condition.as_str()),
            ("All but arn:aws:sns:*:*:t", "Multiple")
        );
        assert_eq!(found.unknown, ["no:Such", "s3:Nothing*"]);
    }

    #[test]
    fn m77_not_action_is_all_the_rest() {
        let found =
            of(r#"{"Effect": "Allow", "NotAction": ["iam:*", "s3:GetObject"], "Resource": "*"}"#);
        assert_eq!(found.allow.len(), found.services - 1);
        let s3 = found.allow.iter().find(|row| row.service == "s3").unwrap();
        assert_eq!(s3.actions + 1, s3.of);
        let all = of(r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
        assert!(all.allow.len() == all.services && all.allow.iter().all(|row| row.full_access));
    }
}
