//! Files and directories that only their owner may reach (L07).
//!
//! What holds secrets or authority is refused when the modes are too wide, rather than quietly repaired:
//! whoever widened them may have copied the content, and the operator has to know. On systems without
//! modes the checks pass.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::StoreError;

/// The mode of a private directory.
pub const DIRECTORY_MODE: u32 = 0o700;

/// The mode of a private file.
pub const FILE_MODE: u32 = 0o600;

/// Makes a private directory, with those above it, or checks the one that is there.
pub fn private_directory(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, DIRECTORY_MODE);
    builder.create(path).map_err(|error| StoreError::io(path, &error))?;
    check_directory(path)
}

/// Refuses a path that is not a directory, or that others on the host may enter.
pub fn check_directory(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(|error| StoreError::io(path, &error))?;
    if !metadata.is_dir() {
        return Err(StoreError::Io {
            path: path.to_owned(),
            detail: "is not a directory; choose another data directory".to_owned(),
        });
    }
    check_mode(path, &metadata, DIRECTORY_MODE)
}

/// Refuses a path that is not a regular file, or that others on the host may read or write.
pub fn check_file(path: &Path) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(|error| StoreError::io(path, &error))?;
    if !metadata.is_file() {
        return Err(StoreError::Io {
            path: path.to_owned(),
            detail: "is not a regular file".to_owned(),
        });
    }
    check_mode(path, &metadata, FILE_MODE)
}

/// Options that create a file with mode 0600. A file that exists keeps the mode it has.
pub fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options
}

/// Writes a private file so that after a crash either the old content is there or the new, never a part:
/// a file beside it is written, synced and renamed over it.
pub fn write_private_file(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    write_synced(&beside, content).map_err(|error| StoreError::io(&beside, &error))?;
    fs::rename(&beside, path).map_err(|error| StoreError::io(path, &error))?;
    sync_parent(path)
}

/// Makes the names in the directory of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    sync_directory(parent)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| StoreError::io(path, &error))
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    // A file left by an earlier attempt may have any mode: begin with a new one.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_options().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(StoreError::Permissions { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "other systems have modes to check")]
fn check_mode(_path: &Path, _metadata: &fs::Metadata, _wanted: u32) -> Result<(), StoreError> {
    Ok(())
}
