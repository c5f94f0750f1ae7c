//! Where a new key goes: a profile of an AWS credentials file, or a command.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use anyhow::{Context, bail};
use bailiwick_wire::Secret;
use serde_json::json;
use zeroize::Zeroizing;

/// A credentials file is no longer.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where a new key goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// A profile of a credentials file.
    File {
        /// The file.
        path: PathBuf,
        /// The profile in it.
        profile: String,
    },
    /// A command that gets the key on standard input.
    Command(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a store is `file:PATH#PROFILE` or `exec:COMMAND`".to_owned();
        let fine = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_control() || "[]".contains(c))
        };
        match text.split_once(':') {
            Some(("file", rest)) => {
                let (path, profile) = rest.rsplit_once('#').unwrap_or((rest, "default"));
                if path.is_empty() || !fine(profile) {
                    return Err(wrong());
                }
                Ok(Self::File { path: path.into(), profile: profile.trim().to_owned() })
            }
            Some(("exec", command)) if !command.trim().is_empty() => {
                Ok(Self::Command(command.to_owned()))
            }
            _ => Err(wrong()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, profile } => write!(f, "{} [{profile}]", path.display()),
            Self::Command(command) => write!(f, "`{command}`"),
        }
    }
}

/// A key on its way to where it is kept.
pub(crate) struct NewKey<'a> {
    pub(crate) user: &'a str,
    pub(crate) id: &'a str,
    pub(crate) secret: &'a Secret,
}

impl Place {
    /// The id of the key that is there now. A command cannot be asked.
    pub(crate) fn held(&self) -> anyhow::Result<Option<String>> {
        let Self::File { path, profile } = self else { return Ok(None) };
        let Some(text) = read(path)? else { return Ok(None) };
        Ok(lines_of(&text, profile).find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == "aws_access_key_id").then(|| value.trim().to_owned())
        }))
    }

    /// Puts a key there.
    ///
    /// # Errors
    /// The file cannot be written, which is then as it was; or the command fails.
    pub(crate) fn put(&self, key: &NewKey<'_>) -> anyhow::Result<()> {
        match self {
            Self::File { path, profile } => {
                let path = path.canonicalize().unwrap_or_else(|_| path.clone());
                let text = read(&path)?.unwrap_or_default();
                write(&path, &with_key(&text, profile, key))
            }
            Self::Command(command) => {
                let document = Zeroizing::new(
                    json!({
                        "Version": 1, "AccessKeyId": key.id,
                        "SecretAccessKey": key.secret.expose(), "UserName": key.user,
                    })
                    .to_string(),
                );
                let mut child = Command::new("/bin/sh")
                    .args(["-c", command])
                    .stdin(Stdio::piped())
                    .spawn()
                    .with_context(|| format!("cannot run `{command}`"))?;
                if let Some(mut stdin) = child.stdin.take() {
                    match stdin.write_all(document.as_bytes()) {
                        // A command that needs no more than the beginning may close its end.
                        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                            return Err(error.into());
                        }
                        _ => {}
                    }
                }
                let status = child.wait()?;
                if !status.success() {
                    bail!("`{command}` ended with {status}");
                }
                Ok(())
            }
        }
    }
}

/// The file as text; nothing where there is none. A file that the world may read holds no secrets.
fn read(path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot open `{}`", path.display()));
        }
    };
    if about.permissions().mode() & 0o007 != 0 {
        bail!("`{0}` may be used by everybody: run `chmod o= {0}`", path.display());
    }
    if about.len() > MAX_BYTES {
        bail!("`{}` is longer than {MAX_BYTES} bytes", path.display());
    }
    let text = fs::read_to_string(path);
    Ok(Some(Zeroizing::new(text.with_context(|| format!("cannot read `{}`", path.display()))?)))
}

/// The name of a profile, if the line begins one.
fn header(line: &str) -> Option<&str> {
    let line = line.trim();
    Some(line.strip_prefix('[')?.split(']').next()?.trim())
}

/// The lines of a profile.
fn lines_of<'a>(text: &'a str, profile: &'a str) -> impl Iterator<Item = &'a str> {
    let mut here = false;
    text.lines().filter(move |line| {
        if let Some(name) = header(line) {
            here = name == profile;
            return false;
        }
        here
    })
}

/// The text with the key in its profile; all else stays as it is. A session token belonged to the
/// key before, and goes.
fn with_key(text: &str, profile: &str, key: &NewKey<'_>) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!(
        "aws_access_key_id = {}\naws_secret_access_key = {}\n",
        key.id,
        key.secret.expose()
    ));
    let mut made = Zeroizing::new(String::with_capacity(text.len() + 512));
    let (mut here, mut written) = (false, false);
    for line in text.lines() {
        if let Some(name) = header(line) {
            here = name == profile;
        } else if here {
            let name = line.split_once('=').map(|(name, _)| name.trim()).unwrap_or_default();
            if ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"].contains(&name) {
                continue;
            }
        }
        made.push_str(line);
        made.push('\n');
        if here && header(line).is_some() && !written {
            made.push_str(&pair);
            written = true;
        }
    }
    if !written {
        if !made.is_empty() {
            made.push('\n');
        }
        let _ = writeln!(made, "[{profile}]");
        made.push_str(&pair);
    }
    made
}

/// Replaces the file whole: another reader sees the old text or the new. It stays its owner's, also
/// when root does it: whoever reads it now must be able to read the new key.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let name = path.file_name().context("the store names no file")?.to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let held = fs::metadata(path).ok();
    let mode = held.as_ref().map_or(0o600, |about| about.permissions().mode() & 0o770);
    let written = (|| {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        let fresh = file.metadata()?;
        if let Some(held) =
            held.filter(|held| (held.uid(), held.gid()) != (fresh.uid(), fresh.gid()))
        {
            fchown(&file, Some(held.uid()), Some(held.gid()))?;
        }
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&part, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let file = |path: &str, profile: &str| {
            Some(Place::File { path: path.into(), profile: profile.into() })
        };
        for (text, expected) in [
            ("file:a/b", file("a/b", "default")),
            ("file:a#b#ci", file("a#b", "ci")),
            ("exec:./put x", Some(Place::Command("./put x".into()))),
            ("file:", None),
            ("file:a#", None),
            ("file:a#x]", None),
            ("exec: ", None),
            ("a", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_profile_is_replaced_and_all_else_stays() {
        let secret = Secret::new("s/1");
        let key = NewKey { user: "u", id: "AKIANEW", secret: &secret };
        let pair = "aws_access_key_id = AKIANEW\naws_secret_access_key = s/1\n";
        for (text, expected) in [
            ("", format!("[ci]\n{pair}")),
            (
                "# mine\n[a]\naws_access_key_id=X\n",
                format!("# mine\n[a]\naws_access_key_id=X\n\n[ci]\n{pair}"),
            ),
            (
                "[ci]\naws_access_key_id = OLD\nregion = eu-west-1\naws_secret_access_key=o\naws_session_token = t\n[b]\nx = 1\n",
                format!("[ci]\n{pair}region = eu-west-1\n[b]\nx = 1\n"),
            ),
        ] {
            assert_eq!(*with_key(text, "ci", &key), expected, "{text}");
        }
    }

    #[test]
    fn tm_l07_files_are_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let place = Place::File { path: path.clone(), profile: "ci".into() };
        let secret = Secret::new("secret");
        let key = NewKey { user: "u", id: "AKIANEW", secret: &secret };
        assert_eq!(place.held().unwrap(), None);
        place.put(&key).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(place.held().unwrap().as_deref(), Some("AKIANEW"));
        // Root may give files away, and then keeps them their owner's.
        if fchown(fs::File::open(&path).unwrap(), Some(12_345), Some(12_346)).is_ok() {
            place.put(&key).unwrap();
            let about = fs::metadata(&path).unwrap();
            assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (12_345, 12_346, 0o600));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(place.put(&key).unwrap_err().to_string().contains("everybody"));
        let command = Place::Command(format!("cat > {}", folder.path().join("out").display()));
        command.put(&key).unwrap();
        let out = fs::read_to_string(folder.path().join("out")).unwrap();
        assert!(out.contains("\"AccessKeyId\":\"AKIANEW\"") && out.contains("\"Version\":1"));
        assert!(Place::Command("exit 3".into()).put(&key).is_err());
    }
}
