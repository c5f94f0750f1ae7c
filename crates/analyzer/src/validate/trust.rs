//! Trust policies of roles.

use std::collections::BTreeSet;

use super::code::IssueCode as Code;
use super::document::{Effect, Statement, Text};
use super::glob;
use super::operation::{Family, Operation};
use super::run::Sink;

const GITHUB: &str = "token.actions.githubusercontent.com";

/// How many providers of one statement are compared with its conditions.
const MAX_PROVIDERS: usize = 200;

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    if let Some(list) = &statement.resources {
        let details = "A trust policy has no Resource and no NotResource: it belongs to its role. Remove the element.";
        sink.report(Code::RoleTrustPolicySyntaxErrorResource, list.at, details);
    }
    let Some(list) = &statement.principals else { return };
    if list.negated {
        let details = "A trust policy has no NotPrincipal. Name the principals with Principal.";
        return sink.report(Code::RoleTrustPolicySyntaxErrorNotprincipal, list.name, details);
    }
    if list.everyone {
        let details = "A trust policy takes no bare `*` as principal. Name the principals.";
        sink.report(Code::RoleTrustPolicyUnsupportedWildcardInPrincipal, list.at, details);
    }
    for provider in statement.principals_of("Federated") {
        if !is_provider(provider.text) {
            let details = format!(
                "`{}` is neither the domain name of an identity provider nor the ARN of a SAML or OIDC provider.",
                provider.text
            );
            sink.report(
                Code::InvalidFederatedPrincipalSyntaxInRoleTrustPolicy,
                provider.at,
                details,
            );
        }
    }
    if statement.effect == Some(Effect::Allow) {
        actions(sink, statement);
        anywhere(sink, statement);
        for provider in statement.principals_of("Federated").take(MAX_PROVIDERS) {
            oidc(sink, statement, provider);
        }
    }
    sessions(sink, statement);
}

/// A host name, or the ARN of a provider.
fn is_provider(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", _, "iam", "", account, resource] => {
            account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && ["saml-provider/", "oidc-provider/"]
                    .iter()
                    .any(|prefix| resource.len() > prefix.len() && resource.starts_with(prefix))
        }
        _ => {
            text.contains('.')
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"./-_".contains(&b))
        }
    }
}

fn is_saml(provider: &str) -> bool {
    provider.contains(":saml-provider/")
}

/// The assuming actions that a kind of principal can call.
fn actions(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let federated: Vec<Text<'_>> = statement.principals_of("Federated").collect();
    let saml = federated.iter().any(|provider| is_saml(provider.text));
    let web = federated.iter().any(|provider| !is_saml(provider.text));
    let plain = statement.principals.as_ref().is_some_and(|list| {
        list.everyone || list.entries.iter().any(|(kind, _)| *kind != "Federated")
    });
    for action in statement.actions() {
        let fits = match action.text.to_ascii_lowercase().as_str() {
            "sts:assumerole" => plain,
            "sts:assumerolewithsaml" => saml,
            "sts:assumerolewithwebidentity" => web,
            _ => continue,
        };
        let known = plain || saml || web;
        if known && !fits {
            let details = format!(
                "None of the principals can call `{}`. SAML providers call sts:AssumeRoleWithSAML, OIDC providers sts:AssumeRoleWithWebIdentity, all others sts:AssumeRole.",
                action.text
            );
            sink.report(Code::MismatchedActionForPrincipal, action.at, details);
        }
    }
}

fn anywhere(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let Some(service) =
        statement.principals_of("Service").find(|name| name.text == "rolesanywhere.amazonaws.com")
    else {
        return;
    };
    let needed = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"];
    let named = |action: &&str| {
        statement.actions().any(|found| found.text == "*" || glob::matches(found.text, action))
    };
    let missing: Vec<&str> = needed.into_iter().filter(|action| !named(action)).collect();
    if statement.actions.as_ref().is_some_and(|list| !list.negated) && !missing.is_empty() {
        let details = format!(
            "IAM Roles Anywhere needs the actions sts:AssumeRole, sts:SetSourceIdentity and sts:TagSession. Add {}.",
            missing.join(" and ")
        );
        sink.report(Code::MissingActionForRolesAnywhereTrustPolicy, service.at, details);
    }
}

/// What a trusted OIDC provider must be asked.
fn oidc(sink: &mut Sink<'_, '_>, statement: &Statement<'_>, provider: Text<'_>) {
    if is_saml(provider.text) {
        return;
    }
    let issuer = provider.text.split_once(":oidc-provider/").map_or(provider.text, |(_, i)| i);
    let claims = |condition: &&super::document::Condition<'_>| {
        let claim = condition.key.text.rsplit_once(':');
        claim.is_some_and(|(host, _)| host.eq_ignore_ascii_case(issuer))
    };
    if issuer == GITHUB {
        let subject = format!("{GITHUB}:sub");
        let tests: Vec<_> =
            statement.conditions.iter().filter(|condition| condition.tests(&subject)).collect();
        if tests.is_empty() {
            let details = format!(
                "Any repository on GitHub can assume the role. Add a condition on `{subject}` that names yours."
            );
            sink.report(Code::MissingGithubRepoConditionKey, provider.at, details);
        }
        let patterns = tests.iter().filter(|c| c.operation.is_some_and(Operation::is_pattern));
        for value in patterns.flat_map(|condition| &condition.values) {
            if glob::is_wild(value.text) {
                let details = "The pattern admits further repositories or branches. Name the repository and the branch.";
                sink.report(Code::SpecificGithubRepoAndBranchRecommended, value.at, details);
            }
        }
    } else if !statement
        .conditions
        .iter()
        .filter(claims)
        .any(|condition| condition.operation.is_some_and(|o| o.family() != Family::Null))
    {
        let details = format!(
            "Anyone with a token of `{issuer}` can assume the role. Add a condition on one of its claims, such as `{issuer}:aud`."
        );
        sink.report(Code::MissingConditionKeyForOidcPrincipal, provider.at, details);
    }
}

/// A session listed beside its own role.
fn sessions(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let roles: BTreeSet<(String, String, String)> = statement
        .principals_of("AWS")
        .filter_map(|text| {
            let fields: Vec<&str> = text.text.splitn(6, ':').collect();
            let [_, partition, "iam", _, account, resource] = fields.as_slice() else {
                return None;
            };
            let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
            Some(((*partition).to_owned(), (*account).to_owned(), name.to_owned()))
        })
        .collect();
    for session in statement.principals_of("AWS") {
        let fields: Vec<&str> = session.text.splitn(6, ':').collect();
        let [_, partition, "sts", _, account, resource] = fields.as_slice() else { continue };
        let Some(rest) = resource.strip_prefix("assumed-role/") else { continue };
        let role = rest.split('/').next().unwrap_or_default();
        let own = ((*partition).to_owned(), (*account).to_owned(), role.to_owned());
        if roles.contains(&own) {
            let details =
                "The session belongs to a role that is listed too, so it adds nothing. Remove it.";
            sink.report(Code::RedundantPrincipalInRoleTrustPolicy, session.at, details);
        }
    }
}
