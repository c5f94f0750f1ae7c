//! Which policies let a user, group or role use a service.
//!
//! A policy is named when it allows some action of the service, on whatever resource and under
//! whatever condition, and does not itself deny that action everywhere. Other kinds of policies do
//! not count: no boundary, no resource policy, nothing of an organization. Source: IAM API,
//! ListPoliciesGrantingServiceAccess.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_model::document;
use bailiwick_policy::{Document, Effect, Statement};
use bailiwick_wire::generated::iam as api;

use super::holder::Kind;
use super::simulate_policies::PolicySource;
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[entry::<ListPoliciesGrantingServiceAccess>()];

/// Lists the policies by service, services and policies in order of their names.
struct ListPoliciesGrantingServiceAccess {
    source: PolicySource,
    namespaces: BTreeSet<String>,
    marker: Option<String>,
}

impl ListPoliciesGrantingServiceAccess {
    fn name(&self) -> &str {
        self.source.arn.resource().rsplit('/').next().unwrap_or_default()
    }
}

impl Operation for ListPoliciesGrantingServiceAccess {
    type Api = api::ListPoliciesGrantingServiceAccess;
    const HEAVY: bool = true;

    fn parse(request: api::ListPoliciesGrantingServiceAccessRequest) -> Result<Self, Fault> {
        Ok(Self {
            source: PolicySource::parse(&request.arn)?,
            namespaces: request.service_namespaces.into_iter().collect(),
            marker: request.marker,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        if self.source.find(call).is_some() {
            return Ok(vec![self.source.kind.ask::<Self>(call, self.name())]);
        }
        let mut ask = call.ask::<Self>(self.source.arn.as_str());
        ask.owner = self.source.account;
        Ok(vec![ask])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::ListPoliciesGrantingServiceAccessResponse, Fault> {
        let id = self.source.find(call);
        let id = id.ok_or_else(|| Fault::no_such(self.source.kind.word(), self.name()))?;
        let mut actions = BTreeMap::new();
        for namespace in &self.namespaces {
            let service = call.catalog().service(namespace).ok_or_else(|| {
                Fault::invalid_input(format!("The service namespace {namespace} is unknown."))
            })?;
            let prefix = service.prefix().to_ascii_lowercase();
            let folded = |name: &str| format!("{prefix}:{}", name.to_ascii_lowercase());
            let folded: Vec<String> = service.actions().map(|held| folded(&held.name)).collect();
            actions.insert(namespace.as_str(), (prefix, folded));
        }
        let policies = policies(call, self.source.kind, id);
        let paging = Paging { marker: self.marker.as_deref(), max_items: None };
        let joined = self.namespaces.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let filters = [id.as_str(), &joined];
        let key = |(name, _): &(&str, (String, Vec<String>))| (*name).to_owned();
        let page = page::cut(call, paging, &filters, actions.into_iter(), key)?;
        let granting = |(namespace, (prefix, actions)): &(&str, (String, Vec<String>))| {
            let granting = policies.iter().filter(|policy| policy.allows_any(prefix, actions));
            api::ListPoliciesGrantingServiceAccessEntry {
                service_namespace: Some((*namespace).to_owned()),
                policies: Some(granting.map(|policy| policy.described.clone()).collect()),
            }
        };
        Ok(api::ListPoliciesGrantingServiceAccessResponse {
            policies_granting_service_access: page.items.iter().map(granting).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// A policy with what is shown of it.
struct Policy {
    document: Arc<Document>,
    described: api::PolicyGrantingServiceAccess,
}

impl Policy {
    fn allows_any(&self, prefix: &str, actions: &[String]) -> bool {
        let statements = self.document.statements();
        let denying = statements.iter().filter(|held| denies_everywhere(held));
        let denied: BTreeSet<&str> =
            denying.flat_map(|statement| statement.meant_of(prefix, actions)).collect();
        let mut allowing = statements.iter().filter(|held| held.effect() == Effect::Allow);
        allowing.any(|statement| {
            statement.meant_of(prefix, actions).any(|action| !denied.contains(action))
        })
    }
}

/// Whether a statement denies its actions on every resource, whatever the circumstances.
pub(super) fn denies_everywhere(statement: &Statement) -> bool {
    statement.effect() == Effect::Deny
        && statement.conditions().next().is_none()
        && !statement.is_not_resource()
        && (!statement.has_resources() || statement.resources().any(|resource| resource == "*"))
}

/// The policies of a holder, those of a user's groups among them, by name; a managed policy stands
/// there once. One that cannot be read grants nothing (IN-6).
fn policies(call: &Call<'_>, kind: Kind, id: UniqueId) -> Vec<Policy> {
    let account = call.account();
    let mut found = BTreeMap::new();
    held(call, kind, id, &mut found);
    if kind == Kind::User {
        for group in account.groups_of(id) {
            held(call, Kind::Group, group.id, &mut found);
        }
    }
    found.into_values().collect()
}

/// By folded name, managed before inline, then by what tells policies of one name apart.
type Key = (String, bool, String);

fn held(call: &Call<'_>, kind: Kind, id: UniqueId, found: &mut BTreeMap<Key, Policy>) {
    let account = call.account();
    let holder = match kind {
        Kind::User => account.user(&id).map(|user| user.name.to_string()),
        Kind::Group => account.group(&id).map(|group| group.name.to_string()),
        Kind::Role => account.role(&id).map(|role| role.name.to_string()),
    };
    for policy in account.inline_policies(id) {
        let Ok(document) = policy.document.document() else { continue };
        let name = policy.name.to_string();
        let described = api::PolicyGrantingServiceAccess {
            policy_name: name.clone(),
            policy_type: "INLINE".into(),
            policy_arn: None,
            entity_type: Some(kind.word().to_ascii_uppercase()),
            entity_name: holder.clone(),
        };
        let apart = format!("{name}/{}", id.as_str());
        found.insert(
            (name.to_ascii_lowercase(), true, apart),
            Policy { document: Arc::clone(document), described },
        );
    }
    for arn in account.attached(id) {
        let Some(document) = document(account, call.node().managed(), arn) else { continue };
        let name = policy_name(arn).to_owned();
        let described = api::PolicyGrantingServiceAccess {
            policy_name: name.clone(),
            policy_type: "MANAGED".into(),
            policy_arn: Some(arn.to_string()),
            ..api::PolicyGrantingServiceAccess::default()
        };
        let key = (name.to_ascii_lowercase(), false, arn.to_string());
        found.insert(key, Policy { document, described });
    }
}

fn policy_name(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bailiwick_catalog::Catalog;
    use bailiwick_identifiers::IdKind;
    use bailiwick_policy::{
        Applicable, Attached, Context, DocumentKind, Policies, Principal, Request, Source,
        SourceKind, decide,
    };

    use super::*;

    #[test]
    fn grants_as_the_engine_matches_actions() {
        let actions = ["s3:getobject", "s3:putobject", "s3:listbucket"].map(String::from);
        let allow =
            |action: &str| format!(r#"{{"Effect": "Allow", "Action": {action}, "Resource": "*"}}"#);
        for (statements, expected) in [
            (allow(r#""s3:GetObject""#), true),
            (allow(r#""S3:get*""#), true),
            (allow(r#""*""#), true),
            (allow(r#"["ec2:*", "s3:List*"]"#), true),
            (allow(r#""s3:Nothing*""#), false),
            (allow(r#""ec2:*""#), false),
            (
                r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
                    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#
                    .to_owned(),
                true,
            ),
            (r#"{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}"#.to_owned(), true),
            (r#"{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}"#.to_owned(), false),
            (
                allow(r#""s3:*""#) + r#", {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}"#,
                false,
            ),
            (
                allow(r#""s3:*""#)
                    + r#", {"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"}"#,
                false,
            ),
            (
                allow(r#""s3:*""#)
                    + r#", {"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}"#,
                true,
            ),
            (
                allow(r#""s3:*""#)
                    + r#", {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}"#,
                true,
            ),
            (
                allow(r#""s3:*""#)
                    + r#", {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}"#,
                true,
            ),
        ] {
            let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
            let document = Document::parse(&text, DocumentKind::Identity).unwrap();
            let policy = Policy {
                document: Arc::new(document),
                described: api::PolicyGrantingServiceAccess::default(),
            };
            assert_eq!(policy.allows_any("s3", &actions), expected, "{statements}");
        }
    }

    /// The engine, asked about every action, agrees: for policies that look at nothing but actions.
    #[test]
    fn agrees_with_the_engine() {
        let catalog = Catalog::embedded();
        let user = Principal::User {
            arn: "arn:aws:iam::123456789012:user/ann".into(),
            id: UniqueId::from_random(IdKind::User, [1; 11]),
            account: "123456789012".parse().unwrap(),
            name: "ann".into(),
        };
        let context = Context::new();
        let (mut policies, mut granted, mut refused) = (0, 0, 0);
        for managed in catalog.managed_policies() {
            let text = managed.default_document();
            let Ok(document) = Document::parse(&text, DocumentKind::Identity) else { continue };
            let plain =
                |held: &Statement| held.conditions().next().is_none() && held.resources().eq(["*"]);
            if !document.statements().iter().all(plain) || policies == 200 {
                continue;
            }
            policies += 1;
            let source = Source::new("p", SourceKind::UserInline);
            let attached = Attached { source: &source, document: &document };
            let applicable = Applicable {
                identity: Policies::Listed([attached].into_iter().collect()),
                ..Applicable::default()
            };
            let allows = |action: &str| {
                let request = Request {
                    principal: &user,
                    action,
                    resource: "*",
                    resource_account: None,
                    context: &context,
                    delegated: false,
                };
                decide(&request, &applicable).is_allowed()
            };
            let described = api::PolicyGrantingServiceAccess::default();
            let policy = Policy { document: Arc::new(document.clone()), described };
            for name in ["s3", "ec2", "iam", "sqs", "kms", "cloudwatch", "rds", "sns"] {
                let service = catalog.service(name).unwrap();
                let actions: Vec<String> =
                    service.actions().map(|held| format!("{name}:{}", held.name)).collect();
                let expected = actions.iter().any(|action| allows(action));
                let folded: Vec<String> =
                    actions.iter().map(|action| action.to_ascii_lowercase()).collect();
                assert_eq!(policy.allows_any(name, &folded), expected, "{} {name}", managed.name);
                *if expected { &mut granted } else { &mut refused } += 1;
            }
        }
        assert!(policies > 100 && granted > 50 && refused > 100, "{granted} {refused}");
    }
}
