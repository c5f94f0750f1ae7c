//! `bailiwick data password-blocklist`: passwords known from breaches, which nobody may set.
//!
//! The public lists are hundreds of millions of lines, so they are sorted in pieces of bounded size
//! and merged. The finished file takes the place of the old one in one step; a running server reads
//! the new one from then on. Nothing leaves the machine.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::command::OperatorArgs;
use crate::range_file::{About, Prefix, RangeFile, Writer};
use crate::{DataDir, Verb, clock, random};

/// Verbs on the list of known passwords.
#[derive(Debug, Subcommand)]
pub enum BlocklistCommand {
    /// Load a list in place of the one there is
    #[command(after_help = "\
Examples:
  bailiwick data password-blocklist load pwned-passwords-sha1.txt
  bailiwick data password-blocklist load - < hashes.txt

The list has one SHA-1 a line, in 40 hexadecimal digits, perhaps with `:count` behind; its order does
not matter. It is sorted in pieces, beside the data directory's other files: 10^8 hashes need 2 GB
there while it runs and 0.8 GB afterwards. Nothing leaves the machine, and no restart is needed.")]
    Load {
        /// The list; `-` is standard input
        file: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
    /// Show how many hashes the list has, and since when it is there
    #[command(after_help = "Example:\n  bailiwick data password-blocklist show --format json")]
    Show(OperatorArgs),
    /// Take the list away
    #[command(after_help = "Example:\n  bailiwick data password-blocklist remove")]
    Remove(OperatorArgs),
}

/// Hashes that are sorted in memory at one time: 40 MB.
const PIECE: usize = 4_000_000;
/// The longest line, in bytes.
const MAX_LINE: u64 = 256;

impl BlocklistCommand {
    /// The verb that puts it into effect, and where. What takes long is done here.
    pub(crate) fn verb(self) -> anyhow::Result<(OperatorArgs, Verb)> {
        Ok(match self {
            Self::Load { file, args } => {
                let dir = DataDir::new(&args.data_dir);
                if !dir.path().is_dir() {
                    bail!(
                        "`{}` does not exist: make it with `bailiwick init`, or name another with \
                         `--data-dir`",
                        dir.path().display()
                    );
                }
                let name = load(&file, &dir)?;
                (args, Verb::BlocklistPut { file: name })
            }
            Self::Show(args) => (args, Verb::BlocklistShow),
            Self::Remove(args) => (args, Verb::BlocklistRemove),
        })
    }
}

/// What the names of unfinished files begin with.
const FRESH: &str = "password-blocklist.";

/// Makes a file of a list, beside the one in use; its name in the data directory.
fn load(file: &Path, dir: &DataDir) -> anyhow::Result<String> {
    let input: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(file);
        Box::new(opened.with_context(|| format!("cannot open `{}`", file.display()))?)
    };
    let mut tail = [0; 6];
    random::fill(&mut tail);
    let name = format!("{FRESH}{}.new", random::hex(&tail));
    let fresh = dir.path().join(&name);
    let made = convert(BufReader::with_capacity(1 << 20, input), &fresh, PIECE, clock::now());
    if made.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    made.with_context(|| format!("`{}`", file.display()))?;
    Ok(name)
}

/// Sorts a list into a file.
fn convert(
    mut input: impl BufRead,
    to: &Path,
    piece: usize,
    now: Timestamp,
) -> anyhow::Result<About> {
    let mut pieces: Vec<File> = Vec::new();
    let mut held: Vec<Prefix> = Vec::new();
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        line.clear();
        if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let hash = read(text);
        held.push(hash.with_context(|| {
            format!("line {number} is no SHA-1 in 40 hexadecimal digits, with or without `:count`")
        })?);
        if held.len() >= piece {
            pieces.push(spill(&mut held, to, pieces.len())?);
        }
    }
    held.sort_unstable();
    if pieces.is_empty() && held.is_empty() {
        bail!("there is no hash in it");
    }
    let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, out))?;
    merge(pieces, &held, &mut writer)?;
    let (out, about) = writer.finish(now)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(about)
}

/// The beginning of the SHA-1 in a line.
fn read(line: &[u8]) -> Option<Prefix> {
    let (digits, rest) = line.split_at_checked(40)?;
    let count = rest.strip_prefix(b":").map(<[u8]>::trim_ascii);
    let fine = match count {
        Some(count) => !count.is_empty() && count.iter().all(u8::is_ascii_digit),
        None => rest.is_empty(),
    };
    if !fine || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut prefix = Prefix::default();
    let (pairs, _) = digits.as_chunks::<2>();
    for (slot, [high, low]) in prefix.iter_mut().zip(pairs) {
        let digit =
            |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *slot = digit(*high)? << 4 | digit(*low)?;
    }
    Some(prefix)
}

/// Writes a sorted piece to a file without a name, which goes away with its holder.
fn spill(held: &mut Vec<Prefix>, beside: &Path, number: usize) -> anyhow::Result<File> {
    held.sort_unstable();
    held.dedup();
    let path = beside.with_extension(format!("piece-{number}"));
    let file =
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    out.write_all(held.as_flattened())?;
    held.clear();
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn merge<W: Write + Seek>(
    pieces: Vec<File>,
    last: &[Prefix],
    writer: &mut Writer<W>,
) -> io::Result<()> {
    let mut sources: Vec<Box<dyn Read + '_>> = Vec::new();
    for piece in pieces {
        sources.push(Box::new(BufReader::with_capacity(1 << 18, piece)));
    }
    sources.push(Box::new(last.as_flattened()));
    let mut heap = BinaryHeap::new();
    for (place, source) in sources.iter_mut().enumerate() {
        heap.extend(next(source)?.map(|hash| Reverse((hash, place))));
    }
    while let Some(Reverse((hash, place))) = heap.pop() {
        writer.add(hash)?;
        if let Some(source) = sources.get_mut(place) {
            heap.extend(next(source)?.map(|hash| Reverse((hash, place))));
        }
    }
    Ok(())
}

fn next(source: &mut impl Read) -> io::Result<Option<Prefix>> {
    let mut hash = Prefix::default();
    match source.read_exact(&mut hash) {
        Ok(()) => Ok(Some(hash)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a file that was made in the data directory in the place of the one in use.
pub(crate) fn put(
    dir: &DataDir,
    name: &str,
    note: impl FnOnce(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<Value> {
    let own = name
        .strip_prefix(FRESH)
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
    if !own {
        bail!("`{name}` is no name of a list");
    }
    let fresh = dir.path().join(name);
    let about = RangeFile::new(fresh.clone()).about()?;
    let about = about.with_context(|| format!("`{}` is not there", fresh.display()))?;
    let told = told(Some(about));
    note(&told)?;
    fs::rename(&fresh, dir.blocklist())?;
    File::open(dir.path())?.sync_all()?;
    Ok(told)
}

/// What there is.
pub(crate) fn show(dir: &DataDir) -> anyhow::Result<Value> {
    Ok(told(RangeFile::new(dir.blocklist()).about()?))
}

/// Takes the file away.
pub(crate) fn remove(
    dir: &DataDir,
    note: impl FnOnce(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<Value> {
    // A damaged file goes, too.
    if !dir.blocklist().exists() {
        bail!("there is no list");
    }
    note(&json!({}))?;
    fs::remove_file(dir.blocklist())?;
    File::open(dir.path())?.sync_all()?;
    Ok(told(None))
}

fn told(about: Option<About>) -> Value {
    json!({
        "hashes": about.map_or(0, |about| about.hashes),
        "loaded": about.map(|about| about.made),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_services::Blocklist as _;

    fn line(number: u32) -> String {
        let hex = format!("{:08X}{number:08x}{:024}", number.wrapping_mul(0x9e37_79b1), 0);
        if number.is_multiple_of(3) { format!("{hex}:{number}\r\n") } else { format!("{hex}\n") }
    }

    fn hash(number: u32) -> [u8; 20] {
        let mut hash = [0; 20];
        hash[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
        hash[4..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn a_list_in_any_order_and_in_many_pieces() {
        let base = tempfile::tempdir().unwrap();
        let text: String = (0..3000).chain(500..1500).map(line).collect();
        for piece in [1_000_000, 700, 3] {
            let to = base.path().join(format!("list-{piece}"));
            let about = convert(text.as_bytes(), &to, piece, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(about.hashes, 3000);
            let list = RangeFile::new(to);
            for number in 0..6000 {
                assert_eq!(list.holds(hash(number)).unwrap(), number < 3000, "{number}");
            }
        }
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 3, "a piece was left behind");
    }

    #[test]
    fn what_is_no_list_is_told_with_its_line() {
        let base = tempfile::tempdir().unwrap();
        let good = line(1);
        for (text, words) in [
            (String::new(), "no hash"),
            ("\n\n".into(), "no hash"),
            (format!("{good}password1\n"), "line 2"),
            (format!("{good}{}", good.replace('\n', ":x\n")), "line 2"),
            (format!("{}\n", &good[..39]), "line 1"),
            (format!("{}a\n", good.trim()), "line 1"),
            (good.replace('0', "g"), "line 1"),
            ("f".repeat(1000), "line 1"),
        ] {
            let to = base.path().join("list");
            let told = convert(text.as_bytes(), &to, 10, Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(told.to_string().contains(words), "{text:?}: {told}");
            assert!(!to.exists());
        }
    }

    #[test]
    fn only_a_file_that_was_made_here_is_put_in_place() {
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::new(base.path());
        let source = base.path().join("source.txt");
        fs::write(&source, line(7)).unwrap();
        for name in ["../x", "credentials", "password-blocklist.../x", "password-blocklist.none"] {
            assert!(put(&dir, name, |_| Ok(())).is_err(), "{name}");
        }
        let name = load(&source, &dir).unwrap();
        assert_eq!(show(&dir).unwrap()["hashes"], 0);
        assert!(put(&dir, &name, |_| bail!("not recorded")).is_err());
        assert_eq!(show(&dir).unwrap()["hashes"], 0);
        assert_eq!(put(&dir, &name, |_| Ok(())).unwrap()["hashes"], 1);
        assert_eq!(show(&dir).unwrap()["hashes"], 1);
        assert_eq!(remove(&dir, |_| Ok(())).unwrap()["hashes"], 0);
        assert!(remove(&dir, |_| Ok(())).is_err());
    }
}
