//! The texts that are validated: files, the files of folders, standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::simulate::fault::Fault;

/// The longest policy, in bytes.
const MAX_POLICY: usize = 1 << 20;
/// How many files a run reads.
const MAX_FILES: usize = 100_000;

/// A policy text and what it is called.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) text: String,
}

/// Some files could not be read; the others are done with.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(crate) struct Unreadable(pub(crate) Vec<String>);

/// Reads all, in the order given, folders in the order of their names. What cannot be read is told
/// in the second part.
///
/// # Errors
/// Standard input twice, more files than a run takes, or no file at all.
pub(super) fn all(paths: &[PathBuf]) -> anyhow::Result<(Vec<Input>, Vec<String>)> {
    if paths.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
        bail!("standard input can be read once only");
    }
    let (mut inputs, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            keep(standard_input(), &mut inputs, &mut unreadable);
            continue;
        }
        if !path.is_dir() {
            keep(file(path), &mut inputs, &mut unreadable);
            continue;
        }
        let mut found = 0;
        for path in folder(path, &mut unreadable)? {
            found += 1;
            keep(file(&path), &mut inputs, &mut unreadable);
        }
        if found == 0 {
            unreadable.push(format!("`{}` has no .json file", path.display()));
        }
    }
    Ok((inputs, unreadable))
}

fn keep(read: anyhow::Result<Input>, inputs: &mut Vec<Input>, unreadable: &mut Vec<String>) {
    match read {
        Ok(input) => inputs.push(input),
        Err(error) => unreadable.push(format!("{error:#}")),
    }
}

fn file(path: &Path) -> anyhow::Result<Input> {
    let text = text(path)?;
    Ok(Input { name: path.display().to_string(), text })
}

/// The text of a policy file: UTF-8 of at most one MiB; `-` is standard input.
///
/// # Errors
/// The file cannot be opened or read, is too long, or is not UTF-8, with the place.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    if path.as_os_str() == "-" {
        return Ok(standard_input()?.text);
    }
    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("`{shown}` cannot be opened"))?;
    bounded(file, &shown.to_string())
}

fn standard_input() -> anyhow::Result<Input> {
    let name = "standard input";
    Ok(Input { name: name.to_owned(), text: bounded(std::io::stdin().lock(), name)? })
}

fn bounded(input: impl Read, name: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let most = MAX_POLICY as u64;
    input
        .take(most + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("`{name}` cannot be read"))?;
    let valid = match std::str::from_utf8(&bytes) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    let long = bytes.len() > MAX_POLICY;
    bytes.truncate(if long { valid.min(MAX_POLICY) } else { bytes.len() });
    match String::from_utf8(bytes) {
        Ok(text) if long => {
            let message = format!("a policy has at most {MAX_POLICY} bytes; the rest was not read");
            Err(Fault::new(name, &text, end(&text), message).into())
        }
        // What some editors put before the text.
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => {
            let bytes = error.as_bytes().get(..valid).unwrap_or_default();
            let before = std::str::from_utf8(bytes).unwrap_or_default();
            let utf16 = matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
            let advice = utf16.then(|| "it looks like UTF-16: save it as UTF-8".to_owned());
            let fault = Fault::new(name, before, end(before), "this is not UTF-8").advise(advice);
            Err(fault.into())
        }
    }
}

/// The line and column after a text.
fn end(text: &str) -> (u32, u32) {
    let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (place(line), place(column))
}

/// The `.json` files of a folder and of those in it; links are not followed.
fn folder(root: &Path, unreadable: &mut Vec<String>) -> anyhow::Result<Vec<PathBuf>> {
    let mut waiting = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => {
                unreadable.push(format!("`{}` cannot be read: {error}", path.display()));
                continue;
            }
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("`{}` cannot be read", path.display()))?;
            let kind = entry.file_type()?;
            let path = entry.path();
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|end| end == "json") {
                files.push(path);
            }
        }
        if files.len() > MAX_FILES {
            bail!("`{}` has more than {MAX_FILES} files: name smaller folders", root.display());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_and_faults_told_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("in")).unwrap();
        for (name, bytes) in [
            ("b.json", &b"{}"[..]),
            ("in/a.json", b"\xef\xbb\xbf{}"),
            ("c.txt", b"x"),
            ("d.json", b"\xff"),
        ] {
            std::fs::write(at(name), bytes).unwrap();
        }
        let (inputs, unreadable) = all(&[folder.path().to_owned(), at("none")]).unwrap();
        assert_eq!(inputs.len(), 2);
        assert!(inputs.iter().all(|input| input.text == "{}"));
        assert!(inputs[0].name.ends_with("b.json") && inputs[1].name.ends_with("in/a.json"));
        assert_eq!(unreadable.len(), 2, "{unreadable:?}");
        assert!(unreadable[0].contains("d.json:1:1: this is not UTF-8"), "{unreadable:?}");
        assert!(all(&["-".into(), "-".into()]).is_err());
    }
}
