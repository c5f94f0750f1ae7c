//! Segment files: their names, their list, and the repair of a torn end.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::JournalError;
use crate::error::StoreError;
use crate::permissions;

const SUFFIX: &str = ".jsonl";

/// A segment as it stands now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SegmentInfo {
    /// Its number, from 1, without gaps unless old ones were removed.
    pub sequence: u64,
    /// Its length in bytes, up to the last whole line.
    pub len: u64,
    /// Whether it gets no more lines, and is synced.
    pub ended: bool,
    /// Its file.
    pub path: PathBuf,
}

/// The file of a segment.
pub(super) fn path(directory: &Path, sequence: u64) -> PathBuf {
    directory.join(format!("{sequence:010}{SUFFIX}"))
}

/// The segments in an account's directory, oldest first, all taken as ended. None when there is no directory.
pub(super) fn list(directory: &Path) -> Result<Vec<SegmentInfo>, JournalError> {
    let fail = |error| StoreError::io(directory, &error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error).into()),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        // Only what we name so: from here on the number stands for the file.
        let sequence = number
            .and_then(|number| number.parse::<u64>().ok())
            .filter(|sequence| path(directory, *sequence) == entry.path());
        if let Some(sequence) = sequence {
            let len = entry.metadata().map_err(fail)?.len();
            segments.push(SegmentInfo { sequence, len, ended: true, path: entry.path() });
        }
    }
    segments.sort_by_key(|segment| segment.sequence);
    Ok(segments)
}

/// Cuts off what a power loss has left after the last whole line, and keeps it in a file beside, with the
/// ending `.torn`. Returns the length of the segment, and whether anything was cut off.
pub(super) fn repair(path: &Path) -> Result<(u64, bool), JournalError> {
    let fail = |error| StoreError::io(path, &error);
    let mut file = File::options().read(true).write(true).open(path).map_err(fail)?;
    permissions::check_file(path)?;
    let whole = whole_len(&mut file).map_err(fail)?;
    let len = file.metadata().map_err(fail)?.len();
    if whole == len {
        return Ok((len, false));
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(".torn");
    let aside = PathBuf::from(aside);
    let mut kept = permissions::private_options()
        .append(true)
        .create(true)
        .open(&aside)
        .map_err(|error| StoreError::io(&aside, &error))?;
    file.seek(SeekFrom::Start(whole)).map_err(fail)?;
    io::copy(&mut file, &mut kept)
        .and_then(|_| kept.sync_all())
        .map_err(|error| StoreError::io(&aside, &error))?;
    permissions::sync_parent(&aside)?;
    file.set_len(whole).and_then(|()| file.sync_all()).map_err(fail)?;
    Ok((whole, true))
}

/// The length up to the last line feed before the end, or before the first zero byte: a file system may give
/// a file its new length before its new content.
fn whole_len(file: &mut File) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut position = 0;
    let mut whole = 0;
    loop {
        let count = file.read(&mut buffer)?;
        let chunk = buffer.get(..count).unwrap_or_default();
        if chunk.is_empty() {
            return Ok(whole);
        }
        let zero = chunk.iter().position(|byte| *byte == 0);
        let sound = chunk.get(..zero.unwrap_or(count)).unwrap_or_default();
        if let Some(last) = sound.iter().rposition(|byte| *byte == b'\n') {
            whole = position + last as u64 + 1;
        }
        if zero.is_some() {
            return Ok(whole);
        }
        position += count as u64;
    }
}
