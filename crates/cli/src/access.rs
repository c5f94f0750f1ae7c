//! Which server, with which key: from the variables that AWS clients read, or from the data
//! directory of a server on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bailiwick_wire::Secret;
use clap::Args;
use zeroize::Zeroizing;

const DEFAULT_DATA_DIR: &str = "bailiwick-data";
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:4680";
const DEFAULT_REGION: &str = "us-east-1";
/// No file read here is longer.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where to look for the server and the key.
#[derive(Args, Clone, Debug, Default)]
pub struct AccessArgs {
    /// Take address and key from this data directory, not from AWS_* variables
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Which profile of DIR/credentials [default: default]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The server's address, before all else
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
}

impl AccessArgs {
    /// The data directory of the server on this machine; `variable` reads the environment.
    pub(crate) fn directory(&self, variable: impl Fn(&str) -> Option<String>) -> PathBuf {
        let set = || variable("BAILIWICK_DATA_DIR").filter(|value| !value.is_empty());
        let named = self.data_dir.clone().or_else(|| set().map(PathBuf::from));
        named.unwrap_or_else(|| DEFAULT_DATA_DIR.into())
    }
}

/// A server and a key for it.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) endpoint: String,
    pub(crate) key_id: String,
    pub(crate) secret: Secret,
    pub(crate) session_token: Option<Secret>,
    pub(crate) region: String,
    /// The authorities to trust, if they are not the system's.
    pub(crate) ca_bundle: Option<PathBuf>,
}

impl Access {
    /// Finds both; `variable` reads the environment.
    pub(crate) fn find(
        args: &AccessArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| DEFAULT_REGION.into());
        let ca_bundle = variable("AWS_CA_BUNDLE").map(PathBuf::from);
        let named = args.data_dir.is_some() || args.profile.is_some();
        let key = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        let endpoint = args.endpoint_url.clone().or_else(|| variable("AWS_ENDPOINT_URL"));
        if let (false, Some(endpoint), (Some(access_key_id), Some(secret))) =
            (named, &endpoint, key)
        {
            return Ok(Self {
                endpoint: endpoint.clone(),
                key_id: access_key_id,
                secret: secret.into(),
                session_token: variable("AWS_SESSION_TOKEN").map(Secret::from),
                region,
                ca_bundle,
            });
        }
        let dir = args.directory(variable);
        if !dir.join("credentials").exists() {
            bail!(
                "no server is known: run `eval \"$(bailiwick env)\"` for one on this machine, or set \
                 AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            );
        }
        let (access_key_id, secret) =
            profile(&dir.join("credentials"), args.profile.as_deref().unwrap_or("default"))?;
        let running = running(&dir.join("endpoint"))?;
        let (found, bundle) = running.unwrap_or_else(|| (DEFAULT_ENDPOINT.into(), None));
        Ok(Self {
            endpoint: args.endpoint_url.clone().unwrap_or(found),
            key_id: access_key_id,
            secret,
            session_token: None,
            region,
            ca_bundle: bundle.or(ca_bundle),
        })
    }
}

/// Key id and secret of a profile in a shared-credentials file.
fn profile(path: &Path, profile: &str) -> anyhow::Result<(String, Secret)> {
    let text = read(path)?;
    let (mut here, mut id, mut secret) = (false, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            here = name.trim() == profile;
        } else if let (true, Some((name, value))) = (here, line.split_once('=')) {
            match name.trim() {
                "aws_access_key_id" => id = Some(value.trim().to_owned()),
                "aws_secret_access_key" => secret = Some(Secret::new(value.trim())),
                _ => {}
            }
        }
    }
    match (id, secret) {
        (Some(id), Some(secret)) => Ok((id, secret)),
        _ => bail!("`{}` has no whole profile `{profile}`", path.display()),
    }
}

/// Address, and authority to trust, of a server that runs on a data directory.
fn running(path: &Path) -> anyhow::Result<Option<(String, Option<PathBuf>)>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = read(path)?;
    let mut lines = text.lines();
    let url = lines.next().with_context(|| format!("`{}` is empty", path.display()))?;
    Ok(Some((url.to_owned(), lines.next().map(PathBuf::from))))
}

/// A file that only its owner may use (L07).
fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let about = fs::metadata(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    if about.permissions().mode() & 0o077 != 0 {
        bail!("`{0}` may be used by others: run `chmod 600 {0}`", path.display());
    }
    if about.len() > MAX_BYTES {
        bail!("`{}` is longer than {MAX_BYTES} bytes", path.display());
    }
    let text = fs::read_to_string(path);
    Ok(Zeroizing::new(text.with_context(|| format!("cannot read `{}`", path.display()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn variables_go_before_the_directory_and_flags_before_both() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("credentials");
        let text = "[default]\n# note\naws_access_key_id = AKIADIR\naws_secret_access_key = a=b\n";
        write(&file, text, 0o600);
        write(&base.path().join("endpoint"), "https://localhost:9\n/ca.pem\n", 0o600);
        let variables = |name: &str| match name {
            "AWS_ENDPOINT_URL" => Some("http://env:1".to_owned()),
            "AWS_ACCESS_KEY_ID" => Some("AKIAENV".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("s".to_owned()),
            "BAILIWICK_DATA_DIR" => Some(base.path().display().to_string()),
            _ => None,
        };
        let plain = Access::find(&AccessArgs::default(), variables).unwrap();
        assert_eq!((plain.endpoint.as_str(), plain.key_id.as_str()), ("http://env:1", "AKIAENV"));
        let dir = AccessArgs { data_dir: Some(base.path().to_owned()), ..AccessArgs::default() };
        let named = Access::find(&dir, variables).unwrap();
        assert_eq!(
            (named.endpoint.as_str(), named.key_id.as_str()),
            ("https://localhost:9", "AKIADIR")
        );
        assert_eq!((named.secret.expose(), named.ca_bundle), ("a=b", Some("/ca.pem".into())));
        let only_dir = |name: &str| variables(name).filter(|_| name.starts_with("BAILIWICK"));
        assert_eq!(Access::find(&AccessArgs::default(), only_dir).unwrap().key_id, "AKIADIR");
        assert!(
            Access::find(&AccessArgs { profile: Some("x".into()), ..dir.clone() }, variables)
                .is_err()
        );
        assert!(Access::find(&AccessArgs::default(), |_| None).is_err());
        // L07
        write(&file, text, 0o640);
        assert!(Access::find(&dir, variables).unwrap_err().to_string().contains("chmod 600"));
    }
}
