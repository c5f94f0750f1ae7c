//! The data directory, as far as the process itself uses it: credentials for the operator, the
//! address of the running server, the control socket. The store keeps its own files beside them.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bailiwick_wire::Secret;
use zeroize::Zeroizing;

use crate::files::{self, Passing};
use crate::operator::Credentials;

/// A directory that belongs to one server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataDir(PathBuf);

/// One profile of a shared-credentials file.
#[derive(Debug)]
pub struct Profile {
    /// `aws_access_key_id`.
    pub access_key_id: String,
    /// `aws_secret_access_key`.
    pub secret_access_key: Secret,
}

/// Where a running server answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Its address, for `AWS_ENDPOINT_URL`.
    pub url: String,
    /// The authority to trust, when the server made its own certificate.
    pub ca_bundle: Option<String>,
}

impl DataDir {
    /// The directory at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The shared-credentials file.
    pub fn credentials(&self) -> PathBuf {
        self.0.join("credentials")
    }

    /// The operator's socket, there while a server runs.
    pub fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// The list of passwords that nobody may set; there once one was loaded.
    pub fn blocklist(&self) -> PathBuf {
        self.0.join("password-blocklist")
    }

    /// The address file, there while a server runs.
    pub fn endpoint_file(&self) -> PathBuf {
        self.0.join("endpoint")
    }

    /// Makes the directory with mode 0700; refuses one that others may enter, or whose
    /// credentials others may read (L07).
    pub fn prepare(&self) -> anyhow::Result<()> {
        files::private_dir(&self.0)?;
        if self.credentials().exists() {
            files::read_private(&self.credentials())?;
        }
        Ok(())
    }

    /// Adds a profile to the credentials file, or replaces it.
    pub(crate) fn remember(&self, profile: &str, made: &Credentials) -> anyhow::Result<()> {
        let mut text = self.without(profile)?;
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "[{profile}]");
        let _ = writeln!(text, "# Account {}, user {}.", made.account, made.user);
        if let Some(password) = &made.console_password {
            let _ = writeln!(text, "# One-time console password: {}", password.expose());
        }
        let _ = writeln!(text, "aws_access_key_id = {}", made.access_key_id);
        let _ = writeln!(text, "aws_secret_access_key = {}", made.secret_access_key.expose());
        files::write_private(&self.credentials(), text.as_bytes())
    }

    /// Takes a profile out of the credentials file.
    pub(crate) fn forget(&self, profile: &str) -> anyhow::Result<()> {
        let text = self.without(profile)?;
        if self.credentials().exists() {
            files::write_private(&self.credentials(), text.as_bytes())?;
        }
        Ok(())
    }

    /// Reads one profile.
    pub fn profile(&self, profile: &str) -> anyhow::Result<Profile> {
        let path = self.credentials();
        if !path.exists() {
            bail!(
                "`{}` does not exist: start the server with `bailiwick serve`, or make the data \
                 directory with `bailiwick init`",
                path.display()
            );
        }
        let text = files::read_private(&path)?;
        let (mut here, mut id, mut secret) = (false, None, None);
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                here = section(line) == Some(profile);
            } else if let (true, Some((name, value))) = (here, line.split_once('=')) {
                match name.trim() {
                    "aws_access_key_id" => id = Some(value.trim().to_owned()),
                    "aws_secret_access_key" => secret = Some(Secret::new(value.trim())),
                    _ => {}
                }
            }
        }
        match (id, secret) {
            (Some(access_key_id), Some(secret_access_key)) => {
                Ok(Profile { access_key_id, secret_access_key })
            }
            _ => bail!("`{}` has no whole profile `{profile}`", path.display()),
        }
    }

    /// Writes where the server answers; the file goes away with the value returned.
    pub(crate) fn announce(&self, endpoint: &Endpoint) -> anyhow::Result<Passing> {
        let mut text = format!("{}\n", endpoint.url);
        if let Some(bundle) = &endpoint.ca_bundle {
            let _ = writeln!(text, "{bundle}");
        }
        files::write_private(&self.endpoint_file(), text.as_bytes())?;
        Ok(Passing(self.endpoint_file()))
    }

    /// Where the server answers, when one runs.
    pub fn endpoint(&self) -> anyhow::Result<Option<Endpoint>> {
        let path = self.endpoint_file();
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read_private(&path)?;
        let mut lines = text.lines();
        let url = lines.next().filter(|url| !url.is_empty());
        let url = url.with_context(|| format!("`{}` is empty", path.display()))?;
        Ok(Some(Endpoint { url: url.to_owned(), ca_bundle: lines.next().map(str::to_owned) }))
    }

    /// The credentials file without one profile, empty when there is no file.
    fn without(&self, profile: &str) -> anyhow::Result<Zeroizing<String>> {
        let path = self.credentials();
        if std::fs::metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return Ok(Zeroizing::new(String::new()));
        }
        let text = files::read_private(&path)?;
        let mut kept = Zeroizing::new(String::with_capacity(text.len() + 512));
        let mut drop = false;
        for line in text.lines() {
            if line.trim_start().starts_with('[') {
                drop = section(line.trim()) == Some(profile);
            }
            if !drop {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        let end = kept.trim_end().len();
        kept.truncate(end);
        if !kept.is_empty() {
            kept.push('\n');
        }
        Ok(kept)
    }
}

fn section(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.strip_suffix(']').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(account: &str, key: &str) -> Credentials {
        Credentials {
            account: account.parse().unwrap(),
            user: "admin".into(),
            access_key_id: key.parse().unwrap(),
            secret_access_key: Secret::new(format!("secret/of+{key}=")),
            console_password: Some(Secret::new("pass")),
        }
    }

    #[test]
    fn profiles_are_added_replaced_read_and_removed() {
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::new(base.path().join("data"));
        dir.prepare().unwrap();
        dir.remember("default", &made("111122223333", "AKIAAAAAAAAAAAAAAAAA")).unwrap();
        dir.remember("444455556666", &made("444455556666", "AKIABBBBBBBBBBBBBBBB")).unwrap();
        dir.remember("default", &made("111122223333", "AKIACCCCCCCCCCCCCCCC")).unwrap();
        let profile = dir.profile("default").unwrap();
        assert_eq!(profile.access_key_id, "AKIACCCCCCCCCCCCCCCC");
        assert_eq!(profile.secret_access_key.expose(), "secret/of+AKIACCCCCCCCCCCCCCCC=");
        dir.forget("444455556666").unwrap();
        assert!(dir.profile("444455556666").is_err());
        let text = std::fs::read_to_string(dir.credentials()).unwrap();
        assert_eq!(text.matches("[default]").count(), 1, "{text}");
        assert!(!text.contains("AAAA") && !text.contains("BBBB"), "{text}");
    }

    #[test]
    fn the_address_is_there_while_it_is_announced() {
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::new(base.path());
        let endpoint =
            Endpoint { url: "https://localhost:1".into(), ca_bundle: Some("/ca.pem".into()) };
        let announced = dir.announce(&endpoint).unwrap();
        assert_eq!(dir.endpoint().unwrap(), Some(endpoint));
        drop(announced);
        assert_eq!(dir.endpoint().unwrap(), None);
    }

    #[test]
    fn tm_l07_wide_credentials_stop_the_start() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::new(base.path().join("data"));
        dir.prepare().unwrap();
        dir.remember("default", &made("111122223333", "AKIAAAAAAAAAAAAAAAAA")).unwrap();
        let wide = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(dir.credentials(), wide).unwrap();
        assert!(dir.prepare().unwrap_err().to_string().contains("chmod 600"));
        assert!(dir.profile("default").is_err());
    }
}
