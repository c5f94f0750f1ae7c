//! The static tables of a service: the service, its operations and errors, its types.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::model::{flag, inner, kind, list, members, required, shape_name};
use super::names::{error_table, field_name, operation_table, structure_table, type_table};
use super::structs::Generator;

/// The distinct patterns of all services; each has one slot for its compiled form.
#[derive(Default)]
pub(super) struct Patterns(pub(super) Vec<String>);

impl Patterns {
    pub(super) fn slot(&mut self, pattern: &str) -> usize {
        if let Some(at) = self.0.iter().position(|known| known == pattern) {
            return at;
        }
        self.0.push(pattern.to_owned());
        self.0.len() - 1
    }
}

impl Generator<'_> {
    pub(super) fn service_table(&self, out: &mut String) -> Result<()> {
        let meta = |key: &str| self.metadata.get(key).and_then(Value::as_str).unwrap_or_default();
        let protocol = match (meta("protocol"), meta("jsonVersion")) {
            ("query", _) => "Query",
            ("json", "1.0") => "Json10",
            ("json", _) => "Json11",
            ("rest-json", _) => "RestJson",
            (other, _) => bail!("protocol `{other}` is not known"),
        };
        let signing = match meta("signingName") {
            "" => meta("endpointPrefix"),
            name => name,
        };
        let operations: Vec<String> =
            self.operations.keys().map(|name| format!("&{}", operation_table(name))).collect();
        writeln!(
            out,
            "/// The table of the service.\npub static SERVICE: Service = Service {{ name: {:?}, service_id: {:?}, \
             endpoint_prefix: {:?}, signing_name: {signing:?}, protocol: Protocol::{protocol}, api_version: {:?}, \
             xml_namespace: {:?}, target_prefix: {:?}, operations: &[{}] }};\n",
            self.service,
            meta("serviceId"),
            meta("endpointPrefix"),
            meta("apiVersion"),
            meta("xmlNamespace"),
            meta("targetPrefix"),
            operations.join(", "),
        )?;
        Ok(())
    }

    pub(super) fn operation_tables(&self, out: &mut String) -> Result<()> {
        let mut errors = BTreeSet::new();
        for (name, operation) in &self.operations {
            let side = |end: &str| match Self::end(operation, end) {
                Some(shape) => format!("Some(&{})", structure_table(&shape)),
                None => "None".to_owned(),
            };
            let wrapper = match operation.get("output") {
                None => String::new(),
                Some(output) => {
                    let named = output.get("resultWrapper").and_then(Value::as_str);
                    named.map_or_else(|| format!("{name}Result"), ToOwned::to_owned)
                }
            };
            let listed: Vec<&str> =
                list(operation, "errors").iter().filter_map(shape_name).collect();
            errors.extend(listed.iter().copied());
            let listed: Vec<String> =
                listed.iter().map(|name| format!("&{}", error_table(name))).collect();
            let unsigned = operation.get("authtype").and_then(Value::as_str) == Some("none");
            writeln!(
                out,
                "static {}: Operation = Operation {{ name: {name:?}, service: &SERVICE, input: {}, output: {}, \
                 result_wrapper: {wrapper:?}, errors: &[{}], pagination: {}, unsigned: {unsigned}, http: {} }};",
                operation_table(name),
                side("input"),
                side("output"),
                listed.join(", "),
                pagination(operation.get("pagination")),
                http(name, operation)?,
            )?;
        }
        out.push('\n');
        for name in errors {
            let shape = self.shape(name)?;
            let error = shape.get("error");
            let code =
                error.and_then(|error| error.get("code")).and_then(Value::as_str).unwrap_or(name);
            let status =
                error.and_then(|error| error.get("httpStatusCode")).and_then(Value::as_u64);
            let fault = flag(shape, "fault") || status.is_some_and(|status| status >= 500);
            let status = status.unwrap_or(if fault { 500 } else { 400 });
            writeln!(
                out,
                "static {}: ErrorShape = ErrorShape {{ code: {code:?}, status: {status}, fault: Fault::{}, structure: &{} }};",
                error_table(name),
                if fault { "Receiver" } else { "Sender" },
                structure_table(name),
            )?;
        }
        out.push('\n');
        Ok(())
    }

    pub(super) fn type_tables(&self, out: &mut String, patterns: &mut Patterns) -> Result<()> {
        for name in &self.reached {
            let shape = self.shape(name)?;
            if kind(shape) == "structure" {
                Self::structure_static(out, name, shape)?;
            }
            if !self.named.contains(name) {
                continue;
            }
            writeln!(
                out,
                "static {}: Type = Type {{ name: {name:?}, kind: {}, constraints: {}, sensitivity: Sensitivity::{} }};",
                type_table(name),
                Self::kind_table(name, shape)?,
                constraints(shape, patterns),
                if flag(shape, "sensitive") {
                    "Secret"
                } else if flag(shape, "unlogged") {
                    "Unlogged"
                } else {
                    "Open"
                },
            )?;
        }
        Ok(())
    }

    fn structure_static(out: &mut String, name: &str, shape: &Value) -> Result<()> {
        let required = required(shape);
        let payload = shape.get("payload").and_then(Value::as_str);
        writeln!(
            out,
            "static {}: Structure = Structure {{ name: {name:?}, union: {}, members: &[",
            structure_table(name),
            flag(shape, "union")
        )?;
        for (member, reference) in members(shape) {
            let target = shape_name(reference).context("a member names no shape")?;
            let wire = reference.get("locationName").and_then(Value::as_str).unwrap_or(member);
            writeln!(
                out,
                "    Member {{ rust: {:?}, wire: {wire:?}, place: Place::{}, required: {}, shape: &{} }},",
                field_name(member).trim_start_matches("r#"),
                if payload == Some(member) { "Payload" } else { place(name, reference)? },
                required.contains(member),
                type_table(target),
            )?;
        }
        out.push_str("] };\n");
        Ok(())
    }

    fn kind_table(name: &str, shape: &Value) -> Result<String> {
        let rename = |end: &str, default: &str| {
            let named =
                shape.get(end).and_then(|end| end.get("locationName")).and_then(Value::as_str);
            named.unwrap_or(default).to_owned()
        };
        Ok(match kind(shape) {
            "boolean" => "Kind::Boolean".to_owned(),
            "integer" => "Kind::Integer".to_owned(),
            "long" => "Kind::Long".to_owned(),
            "float" | "double" => "Kind::Double".to_owned(),
            "string" => {
                let words: Vec<String> = list(shape, "enum")
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|word| format!("{word:?}"))
                    .collect();
                format!("Kind::String(&[{}])", words.join(", "))
            }
            "blob" => "Kind::Blob".to_owned(),
            "timestamp" => format!("Kind::Timestamp(TimeFormat::{})", time_format(name, shape)?),
            "list" => format!(
                "Kind::List(&List {{ item: {:?}, flattened: {}, shape: &{} }})",
                rename("member", "member"),
                flag(shape, "flattened"),
                type_table(inner(shape, "member")?),
            ),
            "map" => format!(
                "Kind::Map(&Map {{ key_name: {:?}, value_name: {:?}, flattened: {}, key: &{}, value: &{} }})",
                rename("key", "key"),
                rename("value", "value"),
                flag(shape, "flattened"),
                type_table(inner(shape, "key")?),
                type_table(inner(shape, "value")?),
            ),
            "structure" => format!("Kind::Structure(&{})", structure_table(name)),
            other => bail!("`{name}` is a {other}, which is not known"),
        })
    }
}

/// Where a member stands in a message.
fn place(structure: &str, reference: &Value) -> Result<&'static str> {
    Ok(match reference.get("location").and_then(Value::as_str) {
        None => "Body",
        Some("uri") => "Label",
        Some("querystring") => "Query",
        Some("header") => "Header",
        Some("statusCode") => "Status",
        Some(other) => bail!("`{structure}` has a member in `{other}`, which is not known"),
    })
}

/// How an operation is addressed. A label that stands for several segments is not known.
fn http(name: &str, operation: &Value) -> Result<String> {
    let Some(http) = operation.get("http") else { return Ok("Http::ROOT".to_owned()) };
    let word = |key: &str| http.get(key).and_then(Value::as_str);
    let method = word("method").with_context(|| format!("`{name}` has no method"))?;
    let path = word("requestUri").with_context(|| format!("`{name}` has no path"))?;
    let status = http.get("responseCode").and_then(Value::as_u64).unwrap_or(200);
    if (method, path, status) == ("POST", "/", 200) {
        return Ok("Http::ROOT".to_owned());
    }
    if path.contains("+}") || path.contains('?') {
        bail!("the path `{path}` of `{name}` is not known");
    }
    Ok(format!("Http {{ method: {method:?}, path: {path:?}, status: {status} }}"))
}

/// How an instant is written in JSON.
fn time_format(name: &str, shape: &Value) -> Result<&'static str> {
    Ok(match shape.get("timestampFormat").and_then(Value::as_str) {
        None | Some("unixTimestamp") => "Epoch",
        Some("iso8601") => "Iso8601",
        Some(other) => bail!("`{name}` is written as {other}, which is not known"),
    })
}

fn constraints(shape: &Value, patterns: &mut Patterns) -> String {
    let number = |key: &str| match shape.get(key).and_then(Value::as_f64) {
        // The bounds of the models are whole numbers far below 2^53.
        #[allow(clippy::cast_possible_truncation, reason = "see above")]
        Some(number) => format!("Some({})", number as i64),
        None => "None".to_owned(),
    };
    let (min, max) = (number("min"), number("max"));
    let pattern = shape.get("pattern").and_then(Value::as_str);
    if min == "None" && max == "None" && pattern.is_none() {
        return "Constraints::NONE".to_owned();
    }
    let pattern = pattern.map_or("None".to_owned(), |text| {
        format!("Some(Pattern {{ text: {text:?}, slot: {} }})", patterns.slot(text))
    });
    format!("Constraints {{ min: {min}, max: {max}, pattern: {pattern} }}")
}

fn pagination(page: Option<&Value>) -> String {
    let Some(page) = page else { return "None".to_owned() };
    let one = |key: &str| page.get(key).and_then(Value::as_str).unwrap_or_default();
    let many = |key: &str| match page.get(key) {
        Some(Value::String(text)) => format!("&[{text:?}]"),
        Some(Value::Array(items)) => {
            let items: Vec<String> =
                items.iter().filter_map(Value::as_str).map(|item| format!("{item:?}")).collect();
            format!("&[{}]", items.join(", "))
        }
        _ => "&[]".to_owned(),
    };
    format!(
        "Some(Pagination {{ input_token: {}, output_token: {}, more_results: {:?}, limit_key: {:?}, result_key: {} }})",
        many("input_token"),
        many("output_token"),
        one("more_results"),
        one("limit_key"),
        many("result_key"),
    )
}
