//! The differences between the engine and iam-simulate that are known, each with the rule that
//! settles it. `docs/divergences.md` tells them at length.
//!
//! A difference is recognised by a feature of the case, and only if the feature is its cause: with
//! the feature made harmless both must decide alike.

use serde_json::{Value, json};

use super::edit::{each_statement, everything, has, list, rewrite, statements, text, with};
use super::known_values as values;

/// A difference that is known.
struct Known {
    /// Its name in the documentation.
    name: &'static str,
    /// The case with the feature made harmless; nothing if it does not have the feature.
    harmless: fn(&Value) -> Option<Value>,
}

const KNOWN: &[Known] = &[
    Known { name: "rcp-support (RCP-4, RCP-6)", harmless: rcp_support },
    Known { name: "service-linked (SCP-3, RCP-4)", harmless: service_linked },
    Known { name: "root (ROOT-1)", harmless: root },
    Known { name: "direct-grant-beyond-session (SES-4, PR-6)", harmless: session },
    Known { name: "federated-without-session-policy (SES-5)", harmless: federated },
    Known { name: "boundary-of-assume-role (TR-5)", harmless: boundary },
    Known { name: "everyone-is-no-service (PR-8)", harmless: everyone },
    Known { name: "not-resource-without-resource (IN-4)", harmless: not_resource },
    Known { name: "empty-list-is-absent (CO-3)", harmless: values::empty_list },
    Known { name: "wildcard-in-type (RES-1)", harmless: type_wildcard },
    Known { name: "not-principal (NP-2, NP-3)", harmless: not_principal },
    Known { name: "absent-variable (VAR-7, RES-7)", harmless: values::absent_variable },
    Known { name: "escapes-in-equals (VAR-4)", harmless: values::escapes },
    Known { name: "variable-in-bool (VAR-5)", harmless: values::bool_variable },
    Known { name: "empty-variable (VAR-3)", harmless: values::empty_variable },
    Known { name: "list-without-set-operator (CO-9)", harmless: values::without_set },
    Known { name: "empty-string-in-set (CO-5)", harmless: values::empty_string },
    Known { name: "one-time-line (OP-D3, OP-D4)", harmless: values::dates },
    Known { name: "addresses (OP-I2, OP-I3)", harmless: values::addresses },
    Known { name: "exact-decimals (OP-N2)", harmless: values::decimals },
];

/// The name of the known difference that a case shows, or the names where it shows several.
/// `alike` tells whether both decide a case alike.
pub(crate) fn explain(case: &Value, mut alike: impl FnMut(&Value) -> bool) -> Option<String> {
    let mut all = case.clone();
    let mut names = Vec::new();
    for known in KNOWN {
        if let Some(harmless) = (known.harmless)(case)
            && alike(&harmless)
        {
            return Some(known.name.to_owned());
        }
        if let Some(harmless) = (known.harmless)(&all) {
            all = harmless;
            names.push(known.name);
        }
    }
    (names.len() > 1 && alike(&all)).then(|| "several of them".to_owned())
}

/// RCPs apply to some services only, and to no action without a resource.
fn rcp_support(case: &Value) -> Option<Value> {
    let action = text(case, "action").to_ascii_lowercase();
    let bare = ["iam:", "ec2:"].iter().any(|prefix| action.starts_with(prefix));
    let none = !has(case, "rcps") || !(bare || text(case, "resource").is_empty());
    if none { None } else { with(case, "rcps", json!([])) }
}

/// Neither SCPs nor RCPs concern service-linked roles.
fn service_linked(case: &Value) -> Option<Value> {
    let linked = text(case, "principal").contains("assumed-role/Linked/")
        || text(case, "principal").contains(":role/aws-service-role/");
    let levels = has(case, "scps") || has(case, "rcps");
    if linked && levels { with(&with(case, "scps", json!([]))?, "rcps", json!([])) } else { None }
}

/// The root user needs no identity policy.
fn root(case: &Value) -> Option<Value> {
    if !text(case, "principal").ends_with(":root") {
        return None;
    }
    let mut policies = case["identityPolicies"].as_array().cloned().unwrap_or_default();
    policies.push(everything());
    with(case, "identityPolicies", Value::from(policies))
}

/// A session policy does not limit what a resource policy grants to the session itself.
fn session(case: &Value) -> Option<Value> {
    let direct = statements(&case["resourcePolicy"]).any(|statement| {
        let caller = text(case, "principal");
        let names = |value: &Value| value == "*" || value == caller;
        let principal = &statement["Principal"];
        statement["Effect"] == "Allow"
            && (principal == "*" || list(&principal["AWS"]).iter().any(|entry| names(entry)))
    });
    let limited = case["sessionPolicies"].as_array().is_some_and(|policies| !policies.is_empty());
    if direct && limited { with(case, "sessionPolicies", json!([everything()])) } else { None }
}

/// A federated user without session policy has nothing but direct grants.
fn federated(case: &Value) -> Option<Value> {
    let fits = text(case, "principal").contains(":federated-user/")
        && case["sessionPolicies"].as_array().is_none_or(Vec::is_empty);
    let nothing = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "none:None", "Resource": "*"}});
    if fits { with(case, "sessionPolicies", json!([nothing])) } else { None }
}

/// A boundary limits sts:AssumeRole whatever the trust policy grants.
fn boundary(case: &Value) -> Option<Value> {
    let assumes = text(case, "action").eq_ignore_ascii_case("sts:AssumeRole");
    if assumes && has(case, "permissionsBoundary") {
        with(case, "permissionsBoundary", everything())
    } else {
        None
    }
}

/// `{"AWS": "*"}` in an Allow does not mean services.
fn everyone(case: &Value) -> Option<Value> {
    if !text(case, "principal").ends_with(".amazonaws.com") {
        return None;
    }
    let mut found = false;
    let changed = each_statement(case, |statement| {
        let allows = statement.get("Effect").is_some_and(|effect| effect == "Allow");
        let Some(Value::Object(types)) = statement.get_mut("Principal").filter(|_| allows) else {
            return;
        };
        if types.get("AWS").is_some_and(|aws| list(aws).iter().any(|entry| *entry == "*")) {
            types.insert("AWS".to_owned(), json!("999999999999"));
            found = true;
        }
    });
    found.then_some(changed)
}

/// `NotResource` covers an action without resource.
fn not_resource(case: &Value) -> Option<Value> {
    if !text(case, "resource").is_empty() {
        return None;
    }
    let mut found = false;
    let changed = each_statement(case, |statement| {
        if statement.get("NotResource").is_some_and(|value| !list(value).contains(&&json!("*"))) {
            statement.remove("NotResource");
            statement.insert("Resource".to_owned(), json!("*"));
            found = true;
        }
    });
    found.then_some(changed)
}

/// Wildcards stand anywhere in the sixth field, also before its first `/`.
fn type_wildcard(case: &Value) -> Option<Value> {
    let resource = text(case, "resource").to_owned();
    let mut found = false;
    let changed = each_statement(case, |statement| {
        for name in ["Resource", "NotResource"] {
            let Some(value) = statement.get_mut(name) else { continue };
            rewrite(value, &mut |pattern| {
                let kind = pattern.splitn(6, ':').nth(5)?.split('/').next()?;
                let inside = kind.contains(['*', '?']) && pattern.contains('/');
                let covers = inside && glob(pattern.as_bytes(), resource.as_bytes());
                found |= covers;
                covers.then(|| resource.clone())
            });
        }
    });
    found.then_some(changed)
}

/// Whether a pattern with `*` and `?` covers the whole text.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if glob(rest, text) => true,
        (Some((b'*', _)), Some((_, after))) => glob(pattern, after),
        (Some((one, rest)), Some((other, after))) => {
            (*one == b'?' || one == other) && glob(rest, after)
        }
        _ => false,
    }
}

/// Only an exact entry excepts from a Deny with NotPrincipal, and nobody who has a boundary.
fn not_principal(case: &Value) -> Option<Value> {
    let caller = text(case, "principal").to_owned();
    let account = caller.split(':').nth(4).unwrap_or_default().to_owned();
    let root = caller.ends_with(":root");
    let bounded = !root && has(case, "permissionsBoundary");
    let mut found = false;
    let changed = each_statement(case, |statement| {
        let Some(listed) = statement.remove("NotPrincipal") else { return };
        found = true;
        let types = ["AWS", "Service"].into_iter().flat_map(|kind| list(&listed[kind]));
        let mut entries = types.filter_map(Value::as_str);
        let service = caller.ends_with(".amazonaws.com");
        let excepted = entries
            .any(|entry| entry == caller || entry == "*" && !service || root && entry == account);
        let nobody = json!({"AWS": "arn:aws:iam::999999999999:user/nobody"});
        let principal = if excepted && !bounded { nobody } else { json!("*") };
        statement.insert("Principal".to_owned(), principal);
    });
    found.then_some(changed)
}
