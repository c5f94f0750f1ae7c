//! `bailiwick scan --keys`: access keys that were left in files.
//!
//! What is read: regular files, as bytes. What is not: files with NUL bytes (pictures, archives, what
//! git has compressed), files longer than `--max-bytes`, symbolic links, and directories named `.git`.

mod find;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _, stderr, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::access::AccessArgs;
use crate::iam::{Iam, is_code, text};
use crate::simulate::fault::Findings;
use crate::terminal;
use find::{Kind, keys};

/// Findings of one run: past that many a tree is no source code.
const MAX_FOUND: usize = 100_000;

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ScanFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For code hosts: SARIF 2.1.0.
    Sarif,
}

/// Flags of `scan`.
#[derive(Args, Debug)]
pub struct ScanArgs {
    /// Files and directories
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Look for access keys
    #[arg(long, required = true)]
    pub keys: bool,
    /// Leave longer files out
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 20)]
    pub max_bytes: u64,
    /// A key id that is known and may stand there, such as one in documentation (repeat)
    #[arg(long, value_name = "ID")]
    pub allow: Vec<String>,
    /// Ask the server whether it knows the keys, and whether they are active
    #[arg(long)]
    pub check: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ScanFormat,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// A key in a file.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    file: String,
    line: usize,
    /// In characters, from 1.
    column: usize,
    kind: Kind,
    /// The id, or a secret's first characters.
    shown: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Known>,
}

/// What a server says of a key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    exists: bool,
    status: Option<String>,
    user: Option<String>,
    last_used: Option<String>,
}

pub(crate) fn run(args: &ScanArgs) -> anyhow::Result<()> {
    let mut found = Vec::new();
    let mut skipped = 0usize;
    for path in &args.paths {
        walk(path, args, &mut found, &mut skipped)?;
    }
    if args.check && !found.is_empty() {
        let iam = Iam::find(&args.access)?;
        let ids: BTreeSet<String> = found
            .iter()
            .filter(|finding| finding.kind != Kind::Secret)
            .map(|finding| finding.shown.clone())
            .collect();
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for id in ids {
            let told = look_up(&iam, &id)?;
            known.insert(id, told);
        }
        for finding in &mut found {
            finding.server = known.get(&finding.shown).cloned();
        }
    }
    let mut out = stdout().lock();
    match args.format {
        ScanFormat::Table => {
            for finding in &found {
                writeln!(out, "{}", terminal::text(&line(finding)))?;
            }
            if skipped > 0 {
                let _ = writeln!(stderr(), "note: {skipped} files left out: binary, or too long");
            }
        }
        ScanFormat::Json => {
            let told = json!({"findings": found, "skipped": skipped});
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
        ScanFormat::Sarif => {
            writeln!(out, "{}", terminal::json(&format!("{:#}", sarif(&found))))?;
        }
    }
    out.flush()?;
    if found.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

/// Reads a tree without recursion, in the order of the names.
fn walk(
    root: &Path,
    args: &ScanArgs,
    found: &mut Vec<Finding>,
    skipped: &mut usize,
) -> anyhow::Result<()> {
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let shown = path.display();
        let about = path.symlink_metadata().with_context(|| format!("cannot open `{shown}`"))?;
        if about.is_dir() {
            // What the user names is read, whatever its name.
            if path != root && path.file_name().is_some_and(|name| name == ".git") {
                continue;
            }
            let entries = std::fs::read_dir(&path);
            let entries = entries.with_context(|| format!("cannot read `{shown}`"))?;
            let mut inside = Vec::new();
            for entry in entries {
                inside.push(entry?.path());
            }
            inside.sort();
            waiting.extend(inside.into_iter().rev());
        } else if about.is_file() {
            match contents(&path, args.max_bytes)? {
                Some(bytes) => scan(&path, &bytes, args, found),
                None => *skipped += 1,
            }
            if found.len() > MAX_FOUND {
                bail!("more than {MAX_FOUND} keys: name smaller paths");
            }
        }
    }
    Ok(())
}

/// The bytes of a text; nothing of what is too long or no text.
fn contents(path: &Path, limit: u64) -> anyhow::Result<Option<Vec<u8>>> {
    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot open `{shown}`"))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read `{shown}`"))?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|len| len <= limit);
    Ok((fits && memchr::memchr(0, &bytes).is_none()).then_some(bytes))
}

fn scan(path: &Path, bytes: &[u8], args: &ScanArgs, found: &mut Vec<Finding>) {
    let hits = keys(&String::from_utf8_lossy(bytes));
    found.extend(hits.into_iter().filter(|hit| !args.allow.contains(&hit.shown)).map(|hit| {
        Finding {
            file: path.display().to_string(),
            line: hit.line,
            column: hit.column,
            kind: hit.kind,
            shown: hit.shown,
            server: None,
        }
    }));
}

fn line(finding: &Finding) -> String {
    let Finding { file, line, column, kind, shown, server } = finding;
    let mut text = format!("{file}:{line}:{column}: {} {shown}", kind.as_str());
    match server {
        Some(Known { exists: true, status, user, last_used }) => {
            let word =
                |word: &Option<String>, other: &str| word.clone().unwrap_or(other.to_owned());
            let _ = write!(
                text,
                ": a key of {}, {}, last used {}",
                word(user, "root"),
                word(status, "state not known"),
                word(last_used, "never")
            );
        }
        Some(_) => text.push_str(": not a key of this account"),
        None => {}
    }
    text
}

/// What the server knows of a key id.
fn look_up(iam: &Iam, id: &str) -> anyhow::Result<Known> {
    let told = match iam.call("GetAccessKeyLastUsed", &[("AccessKeyId", id)]) {
        Ok(told) => told,
        // So IAM answers for what is not there, too; a caller who may ask nothing is told otherwise.
        Err(error)
            if is_code(&error, "NoSuchEntity")
                || is_code(&error, "ValidationError")
                || (is_code(&error, "AccessDenied")
                    && error.to_string().contains("on resource: access key")) =>
        {
            return Ok(Known { exists: false, status: None, user: None, last_used: None });
        }
        Err(error) => return Err(error),
    };
    let user = text(&told, "UserName");
    let mut status = None;
    if !user.is_empty() {
        let keys = iam.list("ListAccessKeys", "AccessKeyMetadata", &[("UserName", user)])?;
        let key = keys.iter().find(|key| text(key, "AccessKeyId") == id);
        status = key.map(|key| text(key, "Status").to_owned());
    }
    let last = told.pointer("/AccessKeyLastUsed/LastUsedDate").and_then(Json::as_str);
    Ok(Known {
        exists: true,
        status,
        user: (!user.is_empty()).then(|| user.to_owned()),
        last_used: last.map(ToOwned::to_owned),
    })
}

fn sarif(found: &[Finding]) -> Json {
    let rule =
        |kind: Kind, text: &str| json!({"id": kind.rule(), "shortDescription": {"text": text}});
    let result = |finding: &Finding| {
        let active = finding.server.as_ref().and_then(|known| known.status.as_deref());
        json!({
            "ruleId": finding.kind.rule(),
            "level": if active == Some("Inactive") { "warning" } else { "error" },
            "message": {"text": line(finding)},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": uri(&finding.file)},
                "region": {"startLine": finding.line, "startColumn": finding.column},
            }}],
        })
    };
    json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {
                "name": "bailiwick scan",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": [
                    rule(Kind::LongTerm, "The id of a long-term access key"),
                    rule(Kind::Temporary, "The id of a temporary access key"),
                    rule(Kind::Secret, "A secret access key"),
                ],
            }},
            "columnKind": "unicodeCodePoints",
            "results": found.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

/// A path as a relative reference: blanks and what is no ASCII escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_read_but_for_what_is_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("src/.git")).unwrap();
        let id = "AKIAQWERTYUIOPASDFGH";
        std::fs::write(at("src/a.env"), format!("x\nid={id}\n")).unwrap();
        std::fs::write(at("src/.git/config"), id).unwrap();
        std::fs::write(at("src/b.bin"), format!("{id}\0")).unwrap();
        std::fs::write(at("src/c.txt"), format!("{id}{}", " ".repeat(2000))).unwrap();
        std::os::unix::fs::symlink(at("src/a.env"), at("src/d.env")).unwrap();
        let args = |allow: &[&str]| ScanArgs {
            paths: Vec::new(),
            keys: true,
            max_bytes: 1000,
            allow: allow.iter().map(ToString::to_string).collect(),
            check: false,
            format: ScanFormat::Sarif,
            access: AccessArgs::default(),
        };
        let (mut found, mut skipped) = (Vec::new(), 0);
        walk(folder.path(), &args(&[]), &mut found, &mut skipped).unwrap();
        assert_eq!((found.len(), skipped), (1, 2), "{found:?}");
        assert!(line(&found[0]).ends_with(&format!("a.env:2:4: access key id {id}")));
        let region =
            sarif(&found)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
                .clone();
        assert_eq!(region, json!({"startLine": 2, "startColumn": 4}));
        walk(folder.path(), &args(&[id]), &mut Vec::new(), &mut skipped).unwrap();
        let (mut none, mut skipped) = (Vec::new(), 0);
        walk(folder.path(), &args(&[id]), &mut none, &mut skipped).unwrap();
        assert!(none.is_empty());
        assert!(walk(&at("nothing"), &args(&[]), &mut none, &mut skipped).is_err());
        assert_eq!(uri("./a b/é"), "a%20b/%C3%A9");
    }
}
