//! All policy texts of the account, wherever they hang: identity policies, trust policies, and those
//! on resources.

use std::sync::Arc;

use bailiwick_policy::{Document, Statement};

use super::fix::{change, put};
use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Origin, excerpt};
use crate::posture::finding::Place;
use crate::validate::{PolicyType, ResourceType};

/// A policy text with what it belongs to.
pub(super) struct Text<'a> {
    pub(super) subject: String,
    pub(super) policy: String,
    pub(super) version: Option<u32>,
    pub(super) document: &'a Arc<Document>,
    pub(super) kind: PolicyType,
    pub(super) on: Option<ResourceType>,
    pub(super) command: String,
}

impl Text<'_> {
    /// A finding of a statement.
    pub(super) fn found(
        &self,
        number: usize,
        why: impl Into<String>,
        edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
    ) -> Found {
        let mut found = Found::new(&self.subject, why).at(self.place(Some(number)));
        found.fix.commands.push(self.command.clone());
        let statement = self.document.statements().get(number);
        found.fix.diff = statement.and_then(|statement| change(self.document, statement, edit));
        found
    }

    /// The place of a statement, or of the policy.
    pub(super) fn place(&self, number: Option<usize>) -> Place {
        let statement = number.and_then(|number| self.document.statements().get(number));
        Place {
            policy: self.policy.clone(),
            version: self.version.map(|version| format!("v{version}")),
            statement: number,
            sid: statement.and_then(Statement::sid).map(ToOwned::to_owned),
            text: statement.map(|statement| excerpt(self.document, statement)).unwrap_or_default(),
        }
    }

    /// The statements with their numbers.
    pub(super) fn statements(&self) -> impl Iterator<Item = (usize, &Statement)> {
        self.document.statements().iter().enumerate()
    }
}

/// The account's own identity policies and the trust policies of its roles. What cannot be read is
/// told.
pub(super) fn of_account<'a>(audit: &'a Audit<'_>, results: &mut Results) -> Vec<Text<'a>> {
    let mut texts = Vec::new();
    for policy in audit.policies().iter().filter(|policy| policy.origin != Origin::Aws) {
        let Some(document) = &policy.document else {
            let missing = format!("the policy `{}` cannot be read", policy.policy);
            results.not_assessed(policy.subject(), missing);
            continue;
        };
        texts.push(Text {
            subject: policy.subject().to_owned(),
            policy: policy.policy.clone(),
            version: policy.version,
            document,
            kind: PolicyType::Identity,
            on: None,
            command: put(policy),
        });
    }
    let account = &audit.evidence.estate.account;
    for role in account.roles().filter(|role| !crate::estate::is_service_linked(role)) {
        let arn = account.role_arn(role);
        let Ok(document) = role.trust.document() else {
            results.not_assessed(arn.as_str(), "the trust policy cannot be read");
            continue;
        };
        texts.push(Text {
            subject: arn.as_str().to_owned(),
            policy: "trust policy".to_owned(),
            version: None,
            document,
            kind: PolicyType::Resource,
            on: Some(ResourceType::AssumeRolePolicyDocument),
            command: format!(
                "aws iam update-assume-role-policy --role-name {} --policy-document \
                 file://trust.json",
                role.name
            ),
        });
    }
    texts
}

/// The policies on resources. Where they are not known it is told.
pub(super) fn of_resources<'a>(audit: &'a Audit<'_>, results: &mut Results) -> Vec<Text<'a>> {
    let Some(resources) = audit.evidence.resources.known() else {
        gap(audit, results, Data::ResourcePolicies);
        return Vec::new();
    };
    let mut texts = Vec::new();
    for (arn, resource) in resources {
        match resource.policy.known() {
            Some(Some(Ok(document))) => texts.push(Text {
                subject: arn.clone(),
                policy: "resource policy".to_owned(),
                version: None,
                document,
                kind: PolicyType::Resource,
                on: (resource.kind == crate::evidence::ResourceKind::Bucket)
                    .then_some(ResourceType::Bucket),
                command: command(arn, resource.kind),
            }),
            Some(Some(Err(_))) => results.not_assessed(arn, "its policy cannot be read"),
            Some(None) => {}
            None => results.not_assessed(arn, "its policy"),
        }
    }
    texts
}

/// Tells that a kind of data is missing.
pub(super) fn gap(audit: &Audit<'_>, results: &mut Results, data: Data) {
    if let Some(missing) = audit.evidence.missing(data) {
        results.not_assessed(&audit.account, format!("{}: {missing}", data.name()));
    }
}

fn command(arn: &str, kind: crate::evidence::ResourceKind) -> String {
    use crate::evidence::ResourceKind as Kind;
    let name = arn.rsplit(':').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    match kind {
        Kind::Bucket => {
            format!("aws s3api put-bucket-policy --bucket {name} --policy file://policy.json")
        }
        Kind::Key => format!(
            "aws kms put-key-policy --key-id {last} --policy-name default --policy file://policy.json"
        ),
        Kind::Queue => format!(
            "aws sqs set-queue-attributes --queue-url URL-OF-{name} --attributes file://policy.json"
        ),
        Kind::Topic => format!(
            "aws sns set-topic-attributes --topic-arn {arn} --attribute-name Policy \
             --attribute-value file://policy.json"
        ),
        Kind::Secret => format!(
            "aws secretsmanager put-resource-policy --secret-id {arn} \
             --resource-policy file://policy.json"
        ),
        Kind::Function => {
            format!("aws lambda remove-permission --function-name {name} --statement-id SID")
        }
        Kind::Repository => format!(
            "aws ecr set-repository-policy --repository-name {last} --policy-text file://policy.json"
        ),
    }
}
