//! Trust policies taken apart: whom each statement names, and whom the engine lets in.

use bailiwick_identifiers::{AccountId, IdKind, UniqueId};
use bailiwick_model::Role;
use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Effect, Principal, Request, Source,
    SourceKind, Statement, decide,
};
use serde_json::{Map, Value};

use super::super::policies::fix::change;
use super::super::policies::table::{ANY, circumstances};
use crate::estate::is_service_linked;
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{excerpt, satisfy};
use crate::posture::finding::Place;

/// The trust policy of a role.
pub(super) struct Trust<'a> {
    pub(super) role: &'a Role,
    pub(super) arn: String,
    pub(super) document: &'a Document,
    pub(super) allows: Vec<Allow<'a>>,
    whole: Document,
}

/// A statement that lets somebody in.
pub(super) struct Allow<'a> {
    pub(super) number: usize,
    pub(super) statement: &'a Statement,
    pub(super) named: Vec<Named>,
}

/// An entry of `Principal`: its type, empty for the bare text, and itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Named {
    pub(super) kind: String,
    pub(super) text: String,
}

/// The trust policies of the account's roles, service-linked ones aside. What cannot be read is
/// told.
pub(super) fn all<'a>(audit: &'a Audit<'_>, results: &mut Results) -> Vec<Trust<'a>> {
    let account = &audit.evidence.estate.account;
    let text = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let Ok(whole) = Document::parse(text, DocumentKind::Identity) else { return Vec::new() };
    let mut found = Vec::new();
    for role in account.roles().filter(|role| !is_service_linked(role)) {
        let arn = account.role_arn(role).as_str().to_owned();
        let Ok(document) = role.trust.document() else {
            results.not_assessed(&arn, "the trust policy cannot be read");
            continue;
        };
        let allows = document
            .statements()
            .iter()
            .enumerate()
            .filter(|&(_number, statement)| statement.effect() == Effect::Allow)
            .map(|(number, statement)| Allow {
                number,
                statement,
                named: named(document, statement),
            });
        let allows = allows.collect();
        found.push(Trust { role, arn, document, allows, whole: whole.clone() });
    }
    found
}

/// The entries of a statement's `Principal`, or of its `NotPrincipal`.
pub(super) fn named(document: &Document, statement: &Statement) -> Vec<Named> {
    let bytes = statement.bytes();
    let text = document.source().get(bytes.start as usize..bytes.end as usize);
    let value: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    let Some(Value::Object(map)) = value else { return Vec::new() };
    let entries = map.get("Principal").or_else(|| map.get("NotPrincipal"));
    let mut found = Vec::new();
    let mut push = |kind: &str, value: &Value| {
        let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for text in texts.iter().filter_map(Value::as_str) {
            found.push(Named { kind: kind.to_owned(), text: text.to_owned() });
        }
    };
    match entries {
        Some(Value::Object(kinds)) => kinds.iter().for_each(|(kind, value)| push(kind, value)),
        Some(value) => push("", value),
        None => {}
    }
    found
}

impl Named {
    /// The account of an entry under `AWS`.
    pub(super) fn account(&self) -> Option<AccountId> {
        if self.kind != "AWS" {
            return None;
        }
        self.text.parse().ok().or_else(|| self.text.split(':').nth(4)?.parse().ok())
    }

    /// Whether it means a whole account.
    pub(super) fn is_root(&self) -> bool {
        self.account().is_some() && (!self.text.contains(':') || self.text.ends_with(":root"))
    }

    /// Somebody whom it means: itself, or one of the account whom nothing else names.
    pub(super) fn caller(&self, partition: &str) -> Option<Principal> {
        match self.kind.as_str() {
            "Service" => Some(Principal::Service { names: [self.text.as_str().into()].into() }),
            "Federated" => Some(Principal::Federated { provider: self.text.as_str().into() }),
            "AWS" => {
                let account = self.account()?;
                if self.is_root() {
                    return Some(stranger(partition, account));
                }
                Principal::from_arn(&self.text)
            }
            _ => None,
        }
    }
}

/// A role of an account that nothing names.
pub(super) fn stranger(partition: &str, account: AccountId) -> Principal {
    Principal::Role {
        arn: format!("arn:{partition}:iam::{account}:role/{ANY}").as_str().into(),
        id: UniqueId::unknown(IdKind::Role),
        account,
        name: ANY.into(),
    }
}

impl Trust<'_> {
    /// A context in which the conditions of a statement hold, as far as a value can be read off.
    pub(super) fn fitting(audit: &Audit<'_>, allow: &Allow<'_>, caller: &Principal) -> Context {
        let mut context = Context::new();
        circumstances(&mut context, audit);
        satisfy(&mut context, allow.statement, &audit.now.to_string());
        context.put_principal(caller);
        context
    }

    /// Whether the engine lets a caller in who may do everything on its own side.
    pub(super) fn lets_in(
        &self,
        audit: &Audit<'_>,
        caller: &Principal,
        action: &str,
        context: &Context,
    ) -> bool {
        let own = Source::new(ANY, SourceKind::UserInline);
        let by = Source::new("trust policy", SourceKind::Trust);
        let applicable = Applicable {
            identity: [Attached { source: &own, document: &self.whole }].into_iter().collect(),
            resource: Some(Attached { source: &by, document: self.document }),
            ..Applicable::default()
        };
        let request = Request {
            principal: caller,
            action,
            resource: &self.arn,
            resource_account: Some(audit.evidence.estate.account.id()),
            context,
            delegated: true,
        };
        decide(&request, &applicable).is_allowed()
    }

    /// A finding about a statement of it.
    pub(super) fn found(
        &self,
        number: usize,
        why: impl Into<String>,
        edit: impl FnOnce(&mut Map<String, Value>),
    ) -> Found {
        let statement = self.document.statements().get(number);
        let place = Place {
            policy: "trust policy".to_owned(),
            version: None,
            statement: Some(number),
            sid: statement.and_then(Statement::sid).map(ToOwned::to_owned),
            text: statement.map(|one| excerpt(self.document, one)).unwrap_or_default(),
        };
        let mut found = Found::new(&self.arn, why).at(place).cli(format!(
            "aws iam update-assume-role-policy --role-name {} --policy-document file://trust.json",
            self.role.name
        ));
        found.fix.diff = statement.and_then(|one| change(self.document, one, edit));
        found
    }
}

/// The account that an organization's id on the caller keeps to: whether a statement asks for the
/// organization of the account, by a value without wildcards.
pub(super) fn asks_for_organization(allow: &Allow<'_>, id: Option<&str>) -> Option<bool> {
    let condition = allow.statement.conditions().find(|condition| {
        let operator = condition.operator.to_ascii_lowercase();
        condition.key.eq_ignore_ascii_case("aws:PrincipalOrgID")
            && matches!(operator.as_str(), "stringequals" | "stringlike")
            && condition.values.iter().all(|value| !value.contains(['*', '?']))
    })?;
    id.map(|id| condition.values.iter().all(|value| &**value == id))
}
