//! The facts about AWS that the server holds: those of the program, or newer ones in the data
//! directory.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use bailiwick_catalog::amend::{Amended, amend, laid_out};
use bailiwick_catalog::encode::{PolicyFacts, VersionFacts};
use bailiwick_catalog::{Catalog, Source};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::data_dir::DataDir;
use crate::operator::Operator;
use crate::{files, random};

/// The longest file that is read: ten times all AWS managed policies with their histories.
const MAX_FILE: u64 = 256 << 20;
/// The name under which an amendment stands among the sources.
const AMENDMENT: &str = "account-authorization-details";

/// Where newer facts lie in a data directory.
fn path(dir: &DataDir) -> PathBuf {
    dir.path().join("catalog.bin")
}

/// The facts to serve with: those in the data directory, unless the program's are newer.
///
/// The value lives as long as the process: it is made at the start, and at each update by hand.
pub(crate) fn in_force(dir: &DataDir) -> anyhow::Result<&'static Catalog> {
    let (path, own) = (path(dir), Catalog::embedded());
    if !path.exists() {
        return Ok(own);
    }
    let bytes = read(&path)?;
    let held = Catalog::from_bytes(&bytes).with_context(|| {
        format!("`{}` is no good: remove it to serve with the facts of the program", path.display())
    })?;
    Ok(if held.date() < own.date() { own } else { Box::leak(Box::new(held)) })
}

/// What the names of unfinished files begin with.
const FRESH: &str = "catalog.";

/// Makes a file of newer facts in the data directory, beside the one in use: of a catalog, or of AWS
/// managed policies as `aws iam get-account-authorization-details --filter AWSManagedPolicy` writes
/// them. Returns its name, and what it changes.
pub(crate) fn prepare(
    dir: &DataDir,
    from: &Path,
    now: Timestamp,
) -> anyhow::Result<(String, Amended)> {
    let held = in_force(dir)?;
    let bytes = read(from)?;
    let (file, amended) = if bytes.starts_with(b"BWCATLOG") {
        let newer = Catalog::from_bytes(&bytes)
            .with_context(|| format!("`{}` is no catalog that can be used", from.display()))?;
        let (date, own) = (newer.date(), held.date());
        ensure!(date >= own, "`{}` is of {date}, older than the facts of {own}", from.display());
        let amended = difference(held, &newer);
        (bytes, amended)
    } else {
        let policies = std::str::from_utf8(&bytes).map_err(Into::into).and_then(policies);
        let policies = policies.with_context(|| {
            format!(
                "`{}` is neither a catalog nor what `aws iam get-account-authorization-details \
                 --filter AWSManagedPolicy` writes",
                from.display()
            )
        })?;
        ensure!(!policies.is_empty(), "`{}` has no AWS managed policy", from.display());
        let date = now.to_zoned(TimeZone::UTC).date();
        let source = Source { name: AMENDMENT.into(), version: date.to_string().into() };
        amend(held, policies, date, source)?
    };
    let mut tail = [0; 6];
    random::fill(&mut tail);
    let name = format!("{FRESH}{}.new", random::hex(&tail));
    files::write_private(&dir.path().join(&name), &file)?;
    Ok((name, amended))
}

/// Puts a file that [`prepare`] made in the place of the one in use.
pub(crate) fn put(dir: &DataDir, name: &str, operator: &dyn Operator) -> anyhow::Result<Value> {
    let own = name
        .strip_prefix(FRESH)
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
    ensure!(own, "`{name}` is no name of facts");
    let fresh = dir.path().join(name);
    let catalog = Catalog::from_bytes(&read(&fresh)?)?;
    let told = shown(&catalog);
    operator.note("UpdateCatalog", &told)?;
    std::fs::rename(&fresh, path(dir))?;
    File::open(dir.path())?.sync_all()?;
    operator.replace_catalog(Box::leak(Box::new(catalog)));
    Ok(told)
}

/// The facts in force in words.
pub(crate) fn show(dir: &DataDir) -> anyhow::Result<Value> {
    Ok(shown(in_force(dir)?))
}

fn shown(catalog: &Catalog) -> Value {
    let counts = catalog.counts();
    let sources = catalog.sources().iter();
    let sources = sources.map(|source| format!("{} {}", source.name, source.version));
    json!({
        "facts_of": catalog.date().to_string(),
        "services": counts.services,
        "actions": counts.actions,
        "managed_policies": counts.managed_policies,
        "policy_versions": counts.policy_versions,
        "sources": sources.collect::<Vec<_>>().join(", "),
    })
}

/// What a whole new catalog changes of the managed policies.
fn difference(held: &Catalog, newer: &Catalog) -> Amended {
    let mut amended = Amended::default();
    for policy in newer.managed_policies() {
        let Some(known) = held.managed_policy(&policy.name) else {
            amended.new_policies += 1;
            amended.new_versions += policy.versions.len();
            continue;
        };
        let is_new = |id: &str| known.version(id).is_none();
        amended.new_versions += policy.versions.iter().filter(|held| is_new(&held.id)).count();
        amended.new_defaults += usize::from(known.default_version != policy.default_version);
    }
    amended
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let told = || format!("cannot read `{}`", path.display());
    let file = File::open(path).with_context(told)?;
    let length = file.metadata().with_context(told)?.len();
    // What is no plain file has no length before it is read.
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(MAX_FILE)).unwrap_or(0));
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).with_context(told)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_FILE);
    ensure!(fits, "`{}` has more than {MAX_FILE} bytes", path.display());
    Ok(bytes)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Details<'a> {
    #[serde(borrow)]
    policies: Vec<ManagedPolicy<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManagedPolicy<'a> {
    #[serde(rename = "PolicyName")]
    name: String,
    #[serde(default, rename = "PolicyId")]
    id: String,
    arn: String,
    path: String,
    default_version_id: String,
    is_attachable: Option<bool>,
    create_date: Timestamp,
    update_date: Timestamp,
    #[serde(borrow)]
    policy_version_list: Vec<Version<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version<'a> {
    #[serde(borrow)]
    document: &'a RawValue,
    #[serde(rename = "VersionId")]
    id: String,
    create_date: Timestamp,
}

/// The AWS managed policies in what the CLI wrote; others are passed over.
fn policies(text: &str) -> anyhow::Result<Vec<PolicyFacts>> {
    // The parser's own words name types of this program.
    let details: Details<'_> = serde_json::from_str(text)
        .map_err(|error| anyhow!("line {}, column {}", error.line(), error.column()))?;
    let of_aws = |policy: &ManagedPolicy<'_>| policy.arn.split(':').nth(4) == Some("aws");
    details.policies.into_iter().filter(of_aws).map(facts).collect()
}

fn facts(policy: ManagedPolicy<'_>) -> anyhow::Result<PolicyFacts> {
    let name = policy.name;
    let versions = policy.policy_version_list.into_iter().map(|version| {
        let text = version.document.get();
        if !text.starts_with('{') {
            bail!("version {} of {name} has no document in JSON", version.id);
        }
        Ok(VersionFacts {
            number: number(&version.id)?,
            created: version.create_date,
            document: laid_out(text),
        })
    });
    let versions = versions.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(PolicyFacts {
        path: policy.path,
        id: policy.id,
        created: policy.create_date,
        updated: policy.update_date,
        default_version: number(&policy.default_version_id)?,
        attachable: policy.is_attachable.unwrap_or(true),
        versions,
        name,
    })
}

fn number(id: &str) -> anyhow::Result<u32> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number.with_context(|| format!("`{id}` is not the id of a version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_of_an_export_are_read_and_others_passed_over() {
        let policy = |arn: &str, document: &str| {
            format!(
                r#"{{"PolicyName": "P", "PolicyId": "ANPAX", "Arn": "{arn}", "Path": "/", "DefaultVersionId": "v2",
                "AttachmentCount": 1, "IsAttachable": true, "CreateDate": "2030-01-01T00:00:00+00:00",
                "UpdateDate": "2030-01-02T00:00:00+00:00", "PolicyVersionList": [
                {{"Document": {document}, "VersionId": "v2", "IsDefaultVersion": true, "CreateDate": "2030-01-02T00:00:00Z"}}]}}"#
            )
        };
        let aws = "arn:aws:iam::aws:policy/P";
        let file = |policies: &[String]| format!(r#"{{"Policies": [{}]}}"#, policies.join(","));
        let text = file(&[
            policy(aws, r#"{"b":1,"a":[]}"#),
            policy("arn:aws:iam::123456789012:policy/P", "{}"),
        ]);
        let found = policies(&text).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].versions[0].document, "{\n    \"b\": 1,\n    \"a\": []\n}");
        assert_eq!((found[0].default_version, found[0].id.as_str()), (2, "ANPAX"));
        for bad in
            [file(&[policy(aws, "\"%7B%7D\"")]), "[]".into(), "{".into(), file(&["{}".into()])]
        {
            let words = policies(&bad).unwrap_err().to_string();
            assert!(!words.contains("Details") && !words.contains("struct"), "{words}");
        }
    }
}
