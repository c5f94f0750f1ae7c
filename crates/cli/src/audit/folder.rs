//! The files of an audit: a folder walked, or files by name.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bailiwick_analyzer::evidence::{MAX_BYTES, MAX_FILES};

/// The folder of a trail's events, in the folder of an audit.
pub(super) const EVENTS: &str = "events";

/// A file with its content.
pub(crate) struct Loaded {
    /// The name for people.
    pub(crate) name: String,
    /// Its path in the folder, with `/`; empty for one that is told by what it holds.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl Loaded {
    /// Whether it tells why a call failed, and not what it answered.
    pub(crate) fn is_refusal(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|end| end == "error")
    }
}

/// Every file of a folder, by path, or files themselves.
///
/// # Errors
/// A path is not there or cannot be read, or there is more than an audit takes.
pub(crate) fn load(paths: &[PathBuf]) -> anyhow::Result<Vec<Loaded>> {
    let mut found = Vec::new();
    let mut bytes = 0_u64;
    for path in paths {
        let shown = path.display();
        let about = std::fs::metadata(path).with_context(|| format!("`{shown}` cannot be read"))?;
        if about.is_dir() {
            walk(path, &mut found, &mut bytes)?;
        } else {
            // A file that is named is known by its own name or by what it holds.
            let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let known = own.filter(|name| name.starts_with("credential-report"));
            read(path, known.unwrap_or_default(), &mut found, &mut bytes)?;
        }
    }
    if found.is_empty() {
        bail!("there is no file to audit");
    }
    Ok(found)
}

/// Reads a tree without recursion, in the order of the names. Symbolic links are left out.
fn walk(root: &Path, found: &mut Vec<Loaded>, bytes: &mut u64) -> anyhow::Result<()> {
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        let shown = folder.display();
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("`{shown}` cannot be read"))?;
        let mut list = entries.collect::<Result<Vec<_>, _>>()?;
        list.sort_by_key(std::fs::DirEntry::file_name);
        for entry in list {
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() && folder == root && entry.file_name() == EVENTS {
                // Events are read one after another, and never held.
            } else if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() {
                let below = path.strip_prefix(root).unwrap_or(&path);
                let parts: Vec<_> =
                    below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
                let own = parts.join("/");
                read(&path, own, found, bytes)?;
            }
        }
    }
    Ok(())
}

fn read(path: &Path, own: String, found: &mut Vec<Loaded>, total: &mut u64) -> anyhow::Result<()> {
    let shown = path.display();
    let about = std::fs::metadata(path).with_context(|| format!("`{shown}` cannot be read"))?;
    // A pipe or a device may never end.
    if !about.is_file() {
        bail!("`{shown}` is no regular file");
    }
    *total = total.saturating_add(about.len());
    if found.len() >= MAX_FILES {
        bail!("there are more than {MAX_FILES} files");
    }
    if *total > u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) {
        bail!("`{shown}` and the files before it have more than {MAX_BYTES} bytes together");
    }
    let bytes = std::fs::read(path).with_context(|| format!("`{shown}` cannot be read"))?;
    found.push(Loaded { name: shown.to_string(), path: own, bytes });
    Ok(())
}
