//! The differences between the engine and iam-simulate that are known, each with the rule that
//! settles it. `docs/divergences.md` tells them at length.
//!
//! A difference is recognised by a feature of the case, and only if the feature is its cause: with
//! the feature made harmless both must decide alike.

use serde_json::{Map, Value, json};

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
    Known { name: "empty-list-is-absent (CO-3)", harmless: empty_list },
    Known { name: "wildcard-in-type (RES-1)", harmless: type_wildcard },
    Known { name: "not-principal (NP-2, NP-3)", harmless: not_principal },
    Known { name: "absent-variable (VAR-7, RES-7)", harmless: absent_variable },
    Known { name: "escapes-in-equals (VAR-4)", harmless: escapes },
    Known { name: "variable-in-bool (VAR-5)", harmless: bool_variable },
    Known { name: "empty-variable (VAR-3)", harmless: empty_variable },
    Known { name: "list-without-set-operator (CO-9)", harmless: without_set },
    Known { name: "empty-string-in-set (CO-5)", harmless: empty_string },
    Known { name: "one-time-line (OP-D3, OP-D4)", harmless: dates },
    Known { name: "addresses (OP-I2, OP-I3)", harmless: addresses },
    Known { name: "exact-decimals (OP-N2)", harmless: decimals },
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

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case["request"][field].as_str().unwrap_or_default()
}

/// The case with a field set.
fn with(case: &Value, field: &str, value: Value) -> Option<Value> {
    let mut case = case.clone();
    case.as_object_mut()?.insert(field.to_owned(), value);
    Some(case)
}

fn everything() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
}

fn has(case: &Value, field: &str) -> bool {
    !case[field].is_null()
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

/// A key with the empty list is absent.
fn empty_list(case: &Value) -> Option<Value> {
    let mut changed = case.clone();
    let context = changed["request"]["context"].as_object_mut()?;
    let before = context.len();
    context.retain(|_, value| *value != json!([]));
    (context.len() < before).then_some(changed)
}

/// Numbers are compared as decimals, however many digits they have.
fn decimals(case: &Value) -> Option<Value> {
    let mut found = false;
    let mut changed = case.clone();
    rewrite(&mut changed, &mut |text| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let number = text.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
        let rounded = if digits > 15 && number { text.parse::<f64>().ok()? } else { return None };
        found = true;
        Some(format!("{rounded:.0}"))
    });
    found.then_some(changed)
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

/// A variable without value matches nothing, so that a negated operator holds.
fn absent_variable(case: &Value) -> Option<Value> {
    let keys: Vec<String> = case["request"]["context"]
        .as_object()
        .map(|context| context.keys().map(|key| key.to_lowercase()).collect())
        .unwrap_or_default();
    let mut found = false;
    let changed = each_statement(case, |statement| {
        for (name, with) in [
            ("Resource", "arn:aws:none:::none"),
            ("NotResource", "arn:aws:none:::none"),
            ("Condition", "no-such-value"),
        ] {
            let Some(value) = statement.get_mut(name) else { continue };
            rewrite(value, &mut |text| {
                let (_, rest) = text.split_once("${")?;
                let (name, _) = rest.split_once('}')?;
                let known =
                    name.contains([',', '*', '?', '$']) || keys.contains(&name.to_lowercase());
                found |= !known;
                (!known).then(|| with.to_owned())
            });
        }
    });
    found.then_some(changed)
}

/// `${*}` and `${?}` stand for these characters under the Equals operators too.
fn escapes(case: &Value) -> Option<Value> {
    let mut found = false;
    let changed = each_condition(case, |operator, values| {
        if operator.contains("Equals") {
            rewrite(values, &mut |text| {
                let plain = text.replace("${*}", "*").replace("${?}", "?");
                found |= plain != text;
                (plain != text).then_some(plain)
            });
        }
    });
    found.then_some(changed)
}

/// Bool takes variables.
fn bool_variable(case: &Value) -> Option<Value> {
    let mut found = false;
    let changed = each_condition(case, |operator, values| {
        if operator.contains("Bool") {
            rewrite(values, &mut |text| {
                found |= text == "${app:none,'true'}";
                (text == "${app:none,'true'}").then(|| "true".to_owned())
            });
        }
    });
    found.then_some(changed)
}

/// An empty string is a value of a variable.
fn empty_variable(case: &Value) -> Option<Value> {
    let context = case["request"]["context"].as_object()?;
    let empty: Vec<String> = context
        .iter()
        .filter(|(_, value)| *value == "")
        .map(|(key, _)| format!("${{{}}}", key.to_lowercase()))
        .collect();
    let mut changed = case.clone();
    let mut found = false;
    rewrite(&mut changed, &mut |text| {
        let lower = text.to_lowercase();
        let variable = empty.iter().find(|variable| lower.contains(*variable))?;
        let at = lower.find(variable)?;
        found = true;
        Some(format!("{}{}", text.get(..at)?, text.get(at + variable.len()..)?))
    });
    found.then_some(changed)
}

/// A list under a negated operator without set prefix: a Deny still holds.
fn without_set(case: &Value) -> Option<Value> {
    let context = case["request"]["context"].as_object()?;
    let lists: Vec<String> = context
        .iter()
        .filter(|(_, value)| value.as_array().is_some_and(|items| !items.is_empty()))
        .map(|(key, _)| key.to_lowercase())
        .chain(["aws:tagkeys", "aws:calledvia", "aws:principalorgpaths"].map(ToOwned::to_owned))
        .collect();
    let mut found = false;
    let changed = each_statement(case, |statement| {
        let denies = statement.get("Effect").is_some_and(|effect| effect == "Deny");
        let Some(Value::Object(operators)) = statement.get_mut("Condition").filter(|_| denies)
        else {
            return;
        };
        let plain: Vec<String> = operators
            .iter()
            .filter(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                let mut keys = keys.map(|(key, _)| key.to_lowercase());
                operator.contains("Not")
                    && !operator.contains(':')
                    && keys.any(|key| lists.contains(&key))
            })
            .map(|(operator, _)| operator.clone())
            .collect();
        for operator in plain {
            if let Some(keys) = operators.remove(&operator) {
                operators.insert(format!("ForAllValues:{operator}"), keys);
                found = true;
            }
        }
    });
    found.then_some(changed)
}

/// Empty strings are dropped before `ForAllValues` is asked.
fn empty_string(case: &Value) -> Option<Value> {
    let mut changed = case.clone();
    let context = changed["request"]["context"].as_object_mut()?;
    let mut found = false;
    for value in context.values_mut() {
        if let Value::Array(items) = value {
            let before = items.len();
            items.retain(|item| item != "");
            found |= items.len() < before;
        }
    }
    context.retain(|_, value| {
        let drop = value == "" || *value == json!([]);
        found |= drop;
        !drop
    });
    let sets = text_of(case).contains("ForAllValues:");
    (found && sets).then_some(changed)
}

/// Dates in forms that the other reads otherwise, with the same or a neighbouring instant in a form
/// that both read alike.
const DATES: &[(&str, &str)] = &[
    ("0001", "0001-01-01T00:00:00Z"),
    ("0001-01", "0001-01-01T00:00:00Z"),
    ("-86400", "1969-12-31T00:00:00Z"),
    ("1970", "1970-01-01T00:00:00Z"),
    ("00000", "1970-01-01T00:00:00Z"),
    ("+0", "1970-01-01T00:00:00Z"),
    ("-0", "1970-01-01T00:00:00Z"),
    ("1582977600", "2020-02-29T12:00:00Z"),
    ("2020-02-29T12:00:00.500000001Z", "2020-02-29T12:00:00.501Z"),
    ("2020-02-29T12:00:00.5000000019Z", "2020-02-29T12:00:00.501Z"),
    ("1767225599", "2025-12-31T23:59:59Z"),
    ("1767225600", "2026-01-01T00:00:00Z"),
    ("2026", "2026-01-01T00:00:00Z"),
    ("999999999999", "9999-12-31T23:59:59Z"),
];

/// ISO dates and epoch seconds are one time line, to the nanosecond; four digits are a year.
fn dates(case: &Value) -> Option<Value> {
    let mut changed = case.clone();
    let mut found = false;
    rewrite(&mut changed, &mut |text| {
        let (_, with) = DATES.iter().find(|(date, _)| *date == text)?;
        found = true;
        Some((*with).to_owned())
    });
    // Epoch seconds may stand as JSON numbers.
    let changed = each_condition(&changed, |operator, values| {
        if operator.contains("Date") {
            each_number(values, &mut |number| {
                let text = number.to_string();
                let (_, with) = DATES.iter().find(|(date, _)| *date == text)?;
                found = true;
                Some((*with).to_owned())
            });
        }
    });
    found.then_some(changed)
}

fn each_number(value: &mut Value, change: &mut impl FnMut(i64) -> Option<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_number(item, change)),
        Value::Number(number) => {
            if let Some(text) = number.as_i64().and_then(change) {
                *value = Value::from(text);
            }
        }
        _ => {}
    }
}

/// IPv4 addresses may be written as IPv6, IPv6 ones in any way, and `/0` is everything.
fn addresses(case: &Value) -> Option<Value> {
    let mut changed = case.clone();
    let mut found = false;
    rewrite(&mut changed, &mut |text| {
        let plain = match text {
            "::ffff:cb00:7107" => "203.0.113.7",
            "2001:db8:0::0:5" => "2001:db8::5",
            text => text.strip_prefix("::ffff:").filter(|rest| rest.contains('.'))?,
        };
        found = true;
        Some(plain.to_owned())
    });
    let changed = each_condition(&changed, |_, values| {
        let mut all: Vec<Value> = list(values).into_iter().cloned().collect();
        let before = all.len();
        // OP-I3: both families in one list. This address is nobody's.
        let six = |value: &Value| value.as_str().is_some_and(|text| text.contains("::"));
        if all.iter().any(six) && all.iter().any(|value| value == "192.0.2.77") {
            found = true;
            all.retain(|value| value != "192.0.2.77");
            *values = Value::from(all);
            return;
        }
        all.retain(|value| value != "0.0.0.0/0");
        if all.len() < before {
            found = true;
            all.extend([json!("0.0.0.0/1"), json!("128.0.0.0/1")]);
            *values = Value::from(all);
        }
    });
    found.then_some(changed)
}

fn text_of(case: &Value) -> String {
    case.to_string()
}

/// The case with the values of every condition changed.
fn each_condition(case: &Value, mut change: impl FnMut(&str, &mut Value)) -> Value {
    each_statement(case, |statement| {
        let Some(Value::Object(operators)) = statement.get_mut("Condition") else { return };
        for (operator, keys) in operators {
            if let Value::Object(keys) = keys {
                keys.values_mut().for_each(|values| change(operator, values));
            }
        }
    })
}

fn rewrite(value: &mut Value, change: &mut impl FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(other) = change(text) {
                *text = other;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rewrite(field, change)),
        _ => {}
    }
}

/// A value or list of values as a list.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        value => vec![value],
    }
}

fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    list(&policy["Statement"]).into_iter()
}

/// The case with every statement of every policy changed.
fn each_statement(case: &Value, mut change: impl FnMut(&mut Map<String, Value>)) -> Value {
    let mut case = case.clone();
    if let Value::Object(fields) = &mut case {
        for (name, field) in fields {
            if name != "request" {
                below(field, &mut change);
            }
        }
    }
    case
}

fn below(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| below(item, change)),
        Value::Object(fields) if fields.contains_key("Effect") => change(fields),
        Value::Object(fields) => {
            if let Some(statements) = fields.get_mut("Statement") {
                below(statements, change);
            }
        }
        _ => {}
    }
}
