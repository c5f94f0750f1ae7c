//! `cargo xtask models [--from DIR]`: trims the service models of botocore into `models/*.json`.
//!
//! What is kept: metadata, operations, shapes, constraints, errors, sensitivity, and the paginators,
//! merged in. What is dropped: prose, examples, endpoint rules, waiters. `models/patches.json` is not
//! applied here but by `codegen`, so that the trimmed files stay what the origin says.
//! `models/bailiwick.json` is written by hand and never touched.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// The release that the committed files come from.
const VERSION: &str = "1.44.5";

/// Service folder, API version folder.
const SERVICES: &[(&str, &str)] =
    &[("accessanalyzer", "2019-11-01"), ("iam", "2010-05-08"), ("sts", "2011-06-15")];

/// Keys that carry prose or hints which nothing of ours reads.
const DROPPED: &[&str] =
    &["documentation", "documentationUrl", "deprecatedMessage", "deprecatedSince", "examples"];

/// Runs the command.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let root = root()?;
    let source = match args {
        [] => download(&root)?,
        [flag, folder] if flag == "--from" => PathBuf::from(folder),
        _ => bail!("usage: cargo xtask models [--from DIR]"),
    };
    let data = ["botocore/data", "data", "."]
        .iter()
        .map(|inner| source.join(inner))
        .find(|folder| folder.join("iam").is_dir())
        .with_context(|| format!("no service models below `{}`", source.display()))?;
    for (service, version) in SERVICES {
        let folder = data.join(service).join(version);
        let mut model = read_json(&folder, "service-2.json")?;
        let pages = read_json(&folder, "paginators-1.json")?;
        trim(&mut model, false);
        merge_pagination(&mut model, &pages)?;
        let path = root.join("models").join(format!("{service}.json"));
        let mut text = serde_json::to_string_pretty(&model)?;
        text.push('\n');
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("wrote models/{service}.json");
    }
    Ok(())
}

/// The root of the source tree.
pub(crate) fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask has no parent folder")?.to_path_buf())
}

/// Fetches the wheel with pip and unpacks it, both below `target/`.
fn download(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target").join("models");
    fs::create_dir_all(&folder)?;
    let python = |args: &[&str]| -> Result<()> {
        let status = Command::new("python3").args(args).current_dir(&folder).status()?;
        if !status.success() {
            bail!("`python3 {}` failed", args.join(" "));
        }
        Ok(())
    };
    let wanted = format!("botocore=={VERSION}");
    python(&["-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", &wanted])?;
    let wheel = format!("botocore-{VERSION}-py3-none-any.whl");
    python(&["-m", "zipfile", "-e", &wheel, "."])?;
    Ok(folder)
}

/// Reads `name` or `name.gz`.
fn read_json(folder: &Path, name: &str) -> Result<Value> {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    let mut text = String::new();
    if packed.is_file() {
        flate2::read::GzDecoder::new(fs::File::open(&packed)?).read_to_string(&mut text)?;
    } else {
        text = fs::read_to_string(&plain).with_context(|| plain.display().to_string())?;
    }
    Ok(serde_json::from_str(&text)?)
}

/// Drops prose. Inside `members` and `shapes` the keys are names, not keywords, and stay.
fn trim(value: &mut Value, names: bool) {
    match value {
        Value::Object(object) => {
            if !names {
                object.retain(|key, _| !DROPPED.contains(&key.as_str()));
            }
            for (key, inner) in object.iter_mut() {
                let names = !names && matches!(key.as_str(), "members" | "shapes" | "operations");
                trim(inner, names);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| trim(item, false)),
        _ => {}
    }
}

/// Writes each paginator into its operation, under `pagination`.
fn merge_pagination(model: &mut Value, pages: &Value) -> Result<()> {
    let empty = Map::new();
    let pages = pages.get("pagination").and_then(Value::as_object).unwrap_or(&empty);
    let operations = model
        .get_mut("operations")
        .and_then(Value::as_object_mut)
        .context("the model has no operations")?;
    for (name, page) in pages {
        let operation = operations
            .get_mut(name)
            .and_then(Value::as_object_mut)
            .with_context(|| format!("paginator for unknown operation `{name}`"))?;
        operation.insert("pagination".into(), page.clone());
    }
    Ok(())
}
