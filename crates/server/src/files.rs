//! Files that only their owner may touch (threat L07).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use crate::random;

/// No file of ours is longer.
const MAX_BYTES: u64 = 1024 * 1024;

/// Makes sure that `path` is a directory of ours with mode 0700: makes it when it is missing,
/// refuses it when others may enter.
pub(crate) fn private_dir(path: &Path) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o700).recursive(true).create(path) {
        Ok(()) => {}
        Err(error) => bail!("cannot make the directory `{}`: {error}", path.display()),
    }
    let about =
        fs::metadata(path).with_context(|| format!("cannot look at `{}`", path.display()))?;
    if !about.is_dir() {
        bail!("`{}` is not a directory", path.display());
    }
    refuse_wide(path, about.permissions().mode(), 0o077, "700")
}

/// Reads a file that only its owner may read.
pub(crate) fn read_private(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    read_limited(path, 0o077, "600")
}

/// Reads a key that others made for us: their group may read it, the world may not.
pub(crate) fn read_key(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    read_limited(path, 0o027, "640")
}

fn read_limited(path: &Path, forbidden: u32, wanted: &str) -> anyhow::Result<Zeroizing<String>> {
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let about = file.metadata()?;
    refuse_wide(path, about.permissions().mode(), forbidden, wanted)?;
    if about.size() > MAX_BYTES {
        bail!("`{}` is longer than {MAX_BYTES} bytes", path.display());
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(text)
}

/// Writes a file of mode 0600 whole or not at all: a new file, made durable, takes the place of
/// the old one.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write `{}`", path.display());
    let mut tail = [0u8; 6];
    random::fill(&mut tail);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", random::hex(&tail)));
    let fresh = path.with_file_name(name);
    let written = write_new(&fresh, content).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written.with_context(failed)?;
    if let Some(parent) = path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        File::open(parent).and_then(|dir| dir.sync_all()).with_context(failed)?;
    }
    Ok(())
}

/// A file that is removed when its holder is dropped.
#[derive(Debug)]
pub(crate) struct Passing(pub(crate) PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn refuse_wide(path: &Path, mode: u32, forbidden: u32, wanted: &str) -> anyhow::Result<()> {
    if mode & forbidden != 0 {
        bail!(
            "`{0}` may be used by others (mode {1:03o}): run `chmod {wanted} {0}` and see who could read it",
            path.display(),
            mode & 0o777
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_l07_wide_files_and_directories_are_refused() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("data");
        private_dir(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        let file = dir.join("credentials");
        write_private(&file, b"secret").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(*read_private(&file).unwrap(), "secret");
        for mode in [0o640, 0o604, 0o620, 0o666] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let refusal = read_private(&file).unwrap_err().to_string();
            assert!(refusal.contains("chmod 600"), "{refusal}");
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o750)).unwrap();
        let refusal = private_dir(&dir).unwrap_err().to_string();
        assert!(refusal.contains("chmod 700"), "{refusal}");
    }

    #[test]
    fn writing_replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("endpoint");
        write_private(&file, b"a long first version").unwrap();
        write_private(&file, b"short").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"short");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
}
