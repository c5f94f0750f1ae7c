//! Trust in identity providers: TRU-05, TRU-06 and TRU-14.

use bailiwick_policy::{ConditionText, Principal};
use serde_json::json;

use super::super::policies::fix::add_condition;
use super::super::policies::table::{ANY, glob};
use super::statement::{Allow, Named, Trust, all};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};

/// Issuers that serve many organizations, each of which can get a token: the name of the
/// organization must stand in what is asked of the subject.
const SHARED: [&str; 8] = [
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "agent.buildkite.com",
    "oidc.vercel.com",
    "api.pulumi.com/oidc",
    "oidc.scalr.io",
    "spacelift.io",
];

/// Claims that pin a token as its subject does.
const EQUAL: [&str; 10] = [
    "sub",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "project_id",
    "namespace_id",
    "user_id",
    "oid",
];

/// The issuer of a web identity, as its condition keys begin.
fn issuer(named: &Named) -> Option<&str> {
    if named.kind != "Federated" || named.text.contains(":saml-provider/") {
        return None;
    }
    match named.text.split_once(":oidc-provider/") {
        Some((_, issuer)) => Some(issuer),
        None => (!named.text.starts_with("arn:")).then_some(&named.text),
    }
}

/// TRU-05.
pub(super) fn pinned(audit: &Audit<'_>, results: &mut Results) {
    let roles = all(audit, results);
    let mut any = false;
    for trust in &roles {
        let mut concerned = false;
        let mut clean = true;
        for allow in &trust.allows {
            for one in &allow.named {
                let Some(issuer) = issuer(one) else { continue };
                concerned = true;
                let Some((why, claim)) = weakness(audit, trust, allow, one, issuer) else {
                    continue;
                };
                clean = false;
                let found = trust.found(allow.number, why, |map| {
                    let value = json!(example(issuer, claim));
                    add_condition(map, "StringEquals", &format!("{issuer}:{claim}"), &value);
                });
                results.fail(found.detail(format!("{issuer} {claim}")));
            }
        }
        any |= concerned;
        if concerned && clean {
            results.pass();
        } else if !concerned {
            results.not_applicable();
        }
    }
    if !any {
        results.note("no role trusts a web identity");
    }
}

fn example(issuer: &str, claim: &str) -> &'static str {
    match (issuer, claim) {
        ("token.actions.githubusercontent.com", "sub") => {
            "the repository, such as repo:octo/app:ref:refs/heads/main"
        }
        ("token.actions.githubusercontent.com", _) => "sts.amazonaws.com",
        (_, "sub") => "the subject",
        _ => "the client id",
    }
}

/// What a trust lacks, with the claim that mends it.
fn weakness(
    audit: &Audit<'_>,
    trust: &Trust<'_>,
    allow: &Allow<'_>,
    one: &Named,
    issuer: &str,
) -> Option<(String, &'static str)> {
    let caller = Principal::Federated { provider: one.text.as_str().into() };
    let action = "sts:AssumeRoleWithWebIdentity";
    let lets_in = |changes: &[(&str, Option<&str>)]| {
        let mut context = Trust::fitting(audit, allow, &caller);
        for (claim, value) in changes {
            let key = format!("{issuer}:{claim}");
            context.remove(&key);
            if let Some(value) = value {
                context.put(key.as_str(), value);
            }
        }
        trust.lets_in(audit, &caller, action, &context)
    };
    // *Documented*: for Cognito the audience is the identity pool, which is one's own; for the
    // built-in providers of applications it is the application.
    let by_audience = matches!(
        issuer,
        "cognito-identity.amazonaws.com" | "graph.facebook.com" | "www.amazon.com"
    );
    let audience =
        if matches!(issuer, "graph.facebook.com" | "www.amazon.com") { "app_id" } else { "aud" };
    if !by_audience {
        let tests: Vec<&ConditionText> =
            allow.statement.conditions().filter(|one| claim_of(one, issuer).is_some()).collect();
        let mut subjects = vec![ANY.to_owned(), format!("repo:{ANY}/{ANY}:ref:refs/heads/main")];
        let pins: Vec<&&ConditionText> = tests
            .iter()
            .filter(|test| claim_of(test, issuer).is_some_and(|claim| EQUAL.contains(&claim)))
            .collect();
        for test in &pins {
            let loose = test.values.iter().filter(|value| !is_pinned(value, issuer));
            subjects.extend(loose.flat_map(|value| strangers(value)));
        }
        // Another claim may pin what the subject does not: each must be open for a token to pass.
        let others: Vec<&str> = pins
            .iter()
            .filter_map(|test| claim_of(test, issuer))
            .filter(|claim| *claim != "sub")
            .collect();
        let open = subjects.iter().find(|subject| {
            let mut changes = vec![("sub", Some(subject.as_str()))];
            changes.extend(others.iter().map(|claim| (*claim, Some(subject.as_str()))));
            lets_in(&changes)
        });
        if let Some(subject) = open {
            let shown = subject.replace(ANY, "anybody");
            let why = format!(
                "a token of `{issuer}` with the subject `{shown}` gets in: the subject is not pinned \
                 to an organization and what is its own"
            );
            return Some((why, "sub"));
        }
    }
    if lets_in(&[(audience, Some(ANY))]) && !provider_pins(audit, one) {
        let why =
            format!("a token of `{issuer}` for any audience gets in: {audience} is not tested");
        return Some((why, audience));
    }
    None
}

/// The claim of the issuer that a condition tests.
fn claim_of<'c>(condition: &'c ConditionText, issuer: &str) -> Option<&'c str> {
    let (head, claim) = condition.key.rsplit_once(':')?;
    head.eq_ignore_ascii_case(issuer).then_some(claim)
}

/// Whether the provider itself takes tokens for one audience only.
fn provider_pins(audit: &Audit<'_>, one: &Named) -> bool {
    let providers = audit.evidence.oidc_providers.known();
    let provider = providers.and_then(|all| all.iter().find(|provider| provider.arn == one.text));
    let clients = provider.and_then(|provider| provider.client_ids.as_ref());
    clients.is_some_and(|clients| clients.len() == 1)
}

/// Whether a value of a claim is pinned. Of an issuer that serves many organizations the name of the
/// organization must be whole before the first wildcard: `repo:org/*` is, `repo:org*` is not.
fn is_pinned(value: &str, issuer: &str) -> bool {
    let Some((head, _)) = value.split_once(['*', '?']) else { return true };
    let shared = SHARED.iter().any(|one| {
        issuer.eq_ignore_ascii_case(one) || issuer.to_lowercase().ends_with(&format!(".{one}"))
    });
    if !shared {
        return !head.is_empty();
    }
    let Some((_, rest)) = head.split_once(':') else { return false };
    rest.find(['/', ':']).is_some_and(|at| at > 0)
}

/// Subjects of somebody else that a pattern may take.
fn strangers(pattern: &str) -> Vec<String> {
    let fills = [
        ANY.to_owned(),
        format!("{ANY}/{ANY}"),
        format!("repo:{ANY}/{ANY}"),
        format!("{ANY}/{ANY}:ref:refs/heads/main"),
        String::new(),
    ];
    let mut found = Vec::new();
    for fill in fills {
        let subject = pattern.replace('*', &fill).replace('?', "x");
        if glob(pattern, &subject) && subject.contains(ANY) {
            found.push(subject);
        }
    }
    found
}

/// TRU-06.
pub(super) fn saml_audience(audit: &Audit<'_>, results: &mut Results) {
    let roles = all(audit, results);
    for trust in &roles {
        let mut concerned = false;
        let mut clean = true;
        for allow in &trust.allows {
            for one in &allow.named {
                if one.kind != "Federated" || !one.text.contains(":saml-provider/") {
                    continue;
                }
                concerned = true;
                let caller = Principal::Federated { provider: one.text.as_str().into() };
                let open = ["", "https://example.com/saml"].into_iter().any(|audience| {
                    let mut context = Trust::fitting(audit, allow, &caller);
                    context.remove("SAML:aud");
                    if !audience.is_empty() {
                        context.put("SAML:aud", audience);
                    }
                    trust.lets_in(audit, &caller, "sts:AssumeRoleWithSAML", &context)
                });
                if !open {
                    continue;
                }
                clean = false;
                let why = format!(
                    "an assertion of `{}` for any recipient gets in: SAML:aud is not tested",
                    one.text
                );
                let found = trust.found(allow.number, why, |map| {
                    let value = json!("https://signin.aws.amazon.com/saml");
                    add_condition(map, "StringEquals", "SAML:aud", &value);
                });
                results.fail(found.detail(one.text.clone()));
            }
        }
        if concerned && clean {
            results.pass();
        } else if !concerned {
            results.not_applicable();
        }
    }
}

/// TRU-14: SAML metadata by their end. What a client id of an OIDC provider stands for is nowhere
/// told, so that none is known to be wrong.
pub(super) fn providers(audit: &Audit<'_>, results: &mut Results) {
    let days = audit.settings.limits.certificate_days;
    let Some(providers) = audit.evidence.saml_providers.known() else { return };
    for provider in providers {
        let Some(end) = provider.valid_until else {
            results.not_assessed(&provider.arn, "when its metadata end");
            continue;
        };
        let left = end.duration_since(audit.now).as_hours() / 24;
        results.judge(left > days, || {
            let why = if left < 0 {
                "its metadata have ended".to_owned()
            } else {
                format!("its metadata end in {left} days")
            };
            Found::new(&provider.arn, why).when(Some(end)).cli(format!(
                "aws iam update-saml-provider --saml-provider-arn {} \
                 --saml-metadata-document file://metadata.xml",
                provider.arn
            ))
        });
    }
    if providers.is_empty() {
        results.not_applicable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        let github = "token.actions.githubusercontent.com";
        for (value, issuer, expected) in [
            ("repo:org/app:ref:refs/heads/main", github, true),
            ("repo:org/*", github, true),
            ("repo:org/app:*", github, true),
            ("repo:org*", github, false),
            ("repo:*", github, false),
            ("repo:*/app:*", github, false),
            ("repo:/*", github, false),
            ("*", github, false),
            ("*:ref:refs/heads/main", github, false),
            ("project_path:group/*:ref:main", "gitlab.com", true),
            ("organization:org:project:*", "app.terraform.io", true),
            ("organization:*:project:x", "app.terraform.io", false),
            ("system:serviceaccount:*:app", "oidc.eks.eu-west-1.amazonaws.com/id/1", true),
            ("*", "oidc.eks.eu-west-1.amazonaws.com/id/1", false),
        ] {
            assert_eq!(is_pinned(value, issuer), expected, "{value}");
        }
    }
}
