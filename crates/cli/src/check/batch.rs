//! `check no-new-access --batch`: a pair of policies on each line in, the answer on a line out.
//!
//! Memory is bounded: one line of at most 16 MiB. Each answer is flushed, so that whoever sits at the
//! other end of a pipe has it before the next line is sent. A line that cannot be used is answered with
//! what is wrong, the next one is read, and in the end the exit code is 2.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context as _;
use bailiwick_analyzer::check::{Kind, no_new_access};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Told;
use crate::simulate::batch::{Line, Lines};
use crate::simulate::fault::Findings;

/// The longest id that is answered with, in bytes.
const MAX_ID: usize = 1024;

/// Some lines could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{0} of {1} lines could not be used; the others are answered")]
struct BadLines(usize, usize);

/// What the lines came to.
#[derive(Default)]
struct Sum {
    lines: usize,
    bad: usize,
    failed: usize,
}

/// A line. Its values stay as they stand there: a line of empty lists takes no more room than its
/// text, and places in a policy are those of the line's own text of it.
#[derive(Deserialize)]
#[serde(expecting = "an object with `id`, `existing`, `new` and `type`")]
struct Pair<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    existing: Option<&'a RawValue>,
    #[serde(borrow, default)]
    new: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    #[serde(flatten)]
    told: Told<'a>,
}

#[derive(Serialize)]
struct Refused<'a> {
    id: Option<&'a RawValue>,
    error: String,
}

/// Answers the lines of a file, or of standard input for `-`.
///
/// # Errors
/// The file cannot be read, nobody takes the answers, a line cannot be used, or a check fails.
pub(super) fn run(path: &Path) -> anyhow::Result<()> {
    let out = io::stdout().lock();
    let sum = if path == Path::new("-") {
        answer(io::stdin().lock(), "standard input", out)?
    } else {
        let name = format!("`{}`", path.display());
        let file = std::fs::File::open(path).with_context(|| format!("{name} cannot be opened"))?;
        answer(file, &name, out)?
    };
    match sum {
        Sum { bad: 1.., .. } => Err(BadLines(sum.bad, sum.lines).into()),
        Sum { failed: 1.., .. } => Err(Findings.into()),
        Sum { .. } => Ok(()),
    }
}

fn answer(mut input: impl Read, name: &str, mut out: impl Write) -> anyhow::Result<Sum> {
    let mut lines = Lines::new();
    let mut sum = Sum::default();
    loop {
        let more = lines.fill(&mut input).with_context(|| format!("{name} cannot be read"))?;
        let mut ready = lines.whole();
        if !more {
            ready.extend(lines.last());
        }
        if !ready.is_empty() {
            let buffer = lines.take();
            for line in ready {
                let text = match line {
                    Line::Whole(range) => buffer.get(range),
                    Line::TooLong => None,
                };
                reply(&mut out, text, &mut sum).context("the answers cannot be written")?;
            }
        }
        if !more {
            return Ok(sum);
        }
    }
}

/// Answers a line, which has no text if it is too long.
fn reply(out: &mut impl Write, line: Option<&[u8]>, sum: &mut Sum) -> io::Result<()> {
    let text = match line.map(std::str::from_utf8) {
        None => Err("a line has at most 16,777,216 bytes".to_owned()),
        Some(Err(_)) => Err("the line is not UTF-8".to_owned()),
        Some(Ok(text)) if text.trim().is_empty() => return Ok(()),
        Some(Ok(text)) => Ok(text),
    };
    sum.lines += 1;
    let mut id = None;
    let checked = text.and_then(|text| {
        let pair: Pair<'_> = serde_json::from_str(text)
            .map_err(|error| format!("the line is no JSON object: {error}"))?;
        id = pair.id.filter(|id| id.get().len() <= MAX_ID);
        let kind = kind(pair.kind)?;
        let (existing, new) = (policy(pair.existing, "existing")?, policy(pair.new, "new")?);
        no_new_access(&existing, &new, kind).map_err(|fault| fault.to_string())
    });
    match checked {
        Ok(checked) => {
            sum.failed += usize::from(!checked.passed);
            let told = Told { message: None, ..Told::of(&checked) };
            serde_json::to_writer(&mut *out, &Answer { id, told })?;
        }
        Err(error) => {
            sum.bad += 1;
            serde_json::to_writer(&mut *out, &Refused { id, error })?;
        }
    }
    out.write_all(b"\n")?;
    out.flush()
}

fn kind(value: Option<&RawValue>) -> Result<Kind, String> {
    let Some(value) = value.map(RawValue::get) else {
        return Err("`type` is missing".to_owned());
    };
    let text: Option<Cow<'_, str>> = serde_json::from_str(value).ok();
    let known = text.and_then(|text| match text.to_ascii_lowercase().as_str() {
        "identity_policy" | "identity" => Some(Kind::Identity),
        "resource_policy" | "resource" => Some(Kind::Resource),
        _ => None,
    });
    known.ok_or_else(|| {
        let shown: String = value.chars().take(MAX_ID).collect();
        format!("`type` must be IDENTITY_POLICY or RESOURCE_POLICY, not {shown}")
    })
}

/// The text of a policy, given as a string or as the object itself.
fn policy<'p>(value: Option<&'p RawValue>, name: &str) -> Result<Cow<'p, str>, String> {
    let Some(value) = value.map(RawValue::get) else {
        return Err(format!("`{name}` is missing"));
    };
    if value.starts_with('{') {
        return Ok(Cow::Borrowed(value));
    }
    let text: Result<String, _> = serde_json::from_str(value);
    text.map(Cow::Owned).map_err(|_| format!("`{name}` must be a policy, as an object or a string"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;

    fn answers(input: &str) -> (Vec<Json>, Sum) {
        let mut out = Vec::new();
        let sum = answer(input.as_bytes(), "the test", &mut out).unwrap();
        let lines = std::str::from_utf8(&out).unwrap().lines();
        (lines.map(|line| serde_json::from_str(line).unwrap()).collect(), sum)
    }

    fn allow(action: &str) -> Json {
        serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": "*"}]})
    }

    #[test]
    fn lines_are_answered_whatever_the_others_are() {
        let line = |id: u32, existing: Json, new: Json, kind: &str| {
            serde_json::json!({"id": id, "existing": existing, "new": new, "type": kind})
                .to_string()
        };
        let text = [
            line(1, allow("s3:*"), allow("s3:Get*"), "IDENTITY_POLICY"),
            "{\"id\": 2".to_owned(),
            String::new(),
            line(3, allow("s3:Get*"), Json::String(allow("s3:*").to_string()), "identity"),
            line(4, Json::Null, allow("*"), "identity"),
            line(5, allow("*"), allow("*"), "role"),
            line(6, allow("*"), serde_json::json!({"Statement": 7}), "identity"),
        ]
        .join("\n");
        let (told, sum) = answers(&text);
        assert_eq!((sum.lines, sum.bad, sum.failed), (6, 4, 1));
        assert_eq!(
            told[0],
            serde_json::json!({
                "id": 1, "result": "PASS", "undecided": false, "witness": null, "reasons": [],
            })
        );
        assert!(told[1]["id"].is_null() && told[1]["error"].is_string());
        assert_eq!((&told[2]["id"], &told[2]["result"]), (&Json::from(3), &Json::from("FAIL")));
        for member in ["principal", "action", "resource", "context"] {
            assert!(!told[2]["witness"][member].is_null(), "{member}");
        }
        assert_eq!(told[2]["reasons"][0]["statementIndex"], 0);
        for (at, id, word) in [(3, 4, "`existing`"), (4, 5, "`type`"), (5, 6, "line 1, column")] {
            assert_eq!(told[at]["id"], id);
            assert!(told[at]["error"].as_str().unwrap().contains(word), "{}", told[at]);
        }
    }

    // Nesting and breadth are answered in the time that reading takes, whatever the member.
    #[test]
    fn nested_lists_are_refused() {
        let deep = "[".repeat(1 << 20);
        let wide = format!("[{}[]]", "[],".repeat(1 << 20));
        let lines = [
            format!("{{\"id\": 1, \"existing\": {deep}"),
            format!("{{\"id\": 2, \"existing\": {wide}, \"new\": {{}}, \"type\": \"identity\"}}"),
            format!("{{\"id\": {wide}, \"type\": \"identity\"}}"),
            format!(
                "{{\"id\": 4, \"existing\": {{\"Statement\": {wide}}}, \"new\": {{}}, \"type\": \"identity\"}}"
            ),
            "\u{feff}\0{\0".to_owned(),
        ];
        let (told, sum) = answers(&lines.join("\n"));
        assert_eq!((sum.lines, sum.bad), (5, 5));
        assert!(told.iter().all(|one| one["error"].is_string()));
        assert_eq!((&told[1]["id"], &told[2]["id"]), (&Json::from(2), &Json::Null));
        assert!(told[1]["error"].as_str().unwrap().contains("as an object or a string"));
    }
}
