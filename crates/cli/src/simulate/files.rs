//! Policies and contexts from files.

use std::fmt;
use std::path::Path;

use bailiwick_policy::{Document, DocumentError, DocumentKind, Operator, Problem};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::fault::{Fault, read};
use super::nearest::advice;
use super::question::{Keys, Named};

/// The longest policy file, in bytes.
const MAX_POLICY: u64 = 1 << 20;
/// The longest context file, in bytes.
const MAX_CONTEXT: u64 = 4 << 20;

/// A policy that one file holds, checked as IAM checks what is written.
///
/// # Errors
/// The file cannot be read, or IAM would refuse the policy (with file, line and column).
pub(crate) fn policy(path: &Path, kind: DocumentKind) -> anyhow::Result<Named> {
    let text = read(path, MAX_POLICY)?;
    let named = Named::file(&path.display().to_string(), &text);
    check(&named, &text, 0, kind)?;
    Ok(named)
}

/// Checks a policy as IAM checks what is written. `whole` is the file in which it stands, with its
/// lines indented by so much.
///
/// # Errors
/// The first thing that IAM would refuse, with its place in the file.
pub(crate) fn check(
    policy: &Named,
    whole: &str,
    indent: u32,
    kind: DocumentKind,
) -> Result<(), Fault> {
    let Err(error) = Document::parse_strict(&policy.text, kind) else { return Ok(()) };
    let line = error.line.saturating_add(policy.first_line.unwrap_or(1)) - 1;
    let place = (line, error.column.saturating_add(indent));
    let message = error.problem.to_string();
    Err(Fault::new(&policy.label, whole, place, message).advise(hint(&error)))
}

/// What is meant by a name that the language does not have.
fn hint(error: &DocumentError) -> Option<String> {
    const ELEMENTS: [&str; 13] = [
        "Version",
        "Id",
        "Statement",
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "AWS",
    ];
    match &error.problem {
        Problem::UnknownElement(name) => advice(name, ELEMENTS),
        Problem::Effect(name) => advice(name, ["Allow", "Deny"]),
        Problem::Version(_) | Problem::OldVersion => {
            Some("the version of the language is `2012-10-17`".into())
        }
        Problem::Operator(name) => {
            let (prefix, rest) = match name.split_once(':') {
                Some((prefix, rest)) => (format!("{prefix}:"), rest),
                None => (String::new(), name.as_str()),
            };
            let (rest, suffix) = match rest.strip_suffix("IfExists") {
                Some(rest) => (rest, "IfExists"),
                None => (rest, ""),
            };
            let known: Vec<String> = Operator::ALL.iter().map(|one| format!("{one:?}")).collect();
            let found = super::nearest::nearest(rest, known.iter().map(String::as_str))?;
            Some(format!("did you mean `{prefix}{found}{suffix}`?"))
        }
        Problem::Resource(_) => Some("write an ARN, or `*` for all".into()),
        Problem::NoVendor(_) => Some("write it as `s3:GetObject`".into()),
        _ => None,
    }
}

/// The context keys that a file holds: an object of strings and lists of strings.
///
/// # Errors
/// The file cannot be read or holds something else, with file, line and column.
pub(crate) fn context(path: &Path) -> anyhow::Result<Keys> {
    let text = read(path, MAX_CONTEXT)?;
    let file = path.display().to_string();
    let read: Result<Object, _> = serde_json::from_str(&text);
    Ok(read.map_err(|error| Fault::json(&file, &text, &error))?.0)
}

struct Object(Keys);
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of context keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut keys = Keys::default();
                while let Some(key) = map.next_key::<String>()? {
                    if keys.has(&key) {
                        return Err(A::Error::custom(format!("the key `{key}` stands twice")));
                    }
                    let values = map.next_value::<Values>()?;
                    keys.set(&key, values.0);
                }
                Ok(Object(keys))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings (numbers too go between quotes)")
            }

            fn visit_str<E>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Values, E> {
                Ok(Values(vec![value.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element::<String>()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.json");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn faults_in_policies_have_places_and_advice() {
        for (text, place, advice) in [
            ("{\n", "file.json:2:1:", ""),
            (
                "{\"Version\": \"2012-10-17\",\n \"Statement\": {\"Efect\": \"Allow\"}}",
                "file.json:2:16: unknown element `Efect`",
                "did you mean `Effect`?",
            ),
            (
                "{\"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:*\",\n\"Resource\": \"*\", \"Condition\": {\"ForAnyValue:StringEqualIfExists\": {\"a:b\": \"c\"}}}}",
                "file.json:2:32: unknown condition operator",
                "did you mean `ForAnyValue:StringEqualsIfExists`?",
            ),
        ] {
            let (_folder, path) = file(text);
            let error = policy(&path, DocumentKind::Identity).unwrap_err().to_string();
            assert!(error.contains(place) && error.contains(advice), "{error}");
        }
    }

    #[test]
    fn contexts_are_strings_and_faults_have_places() {
        let (_folder, path) =
            file(r#"{"aws:SourceIp": "10.0.0.1", "aws:TagKeys": ["a", "b"], "x:y": true}"#);
        let keys = context(&path).unwrap();
        assert_eq!(
            keys.to_json(),
            serde_json::json!({"aws:SourceIp": "10.0.0.1", "aws:TagKeys": ["a", "b"], "x:y": "true"})
        );
        for (text, expected) in [
            ("{\n \"a\": 1}", "file.json:2:"),
            ("{\"a\": \"1\",\n \"A\": \"2\"}", "stands twice"),
            ("[]", "file.json:1:1: invalid type: sequence, expected an object of context keys"),
            ("{\"a\": {}}", "a string or a list of strings"),
        ] {
            let (_folder, path) = file(text);
            let error = context(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
