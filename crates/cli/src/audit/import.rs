//! The files of an account, asked of a server over its public API with the caller's credentials.
//!
//! What comes out is what the collecting script writes: a file for each call, `NAME.error` where the
//! call was refused. So a server, a folder and a script make the same evidence. Nothing here changes
//! the account, but that a credential report and reports of last uses are generated.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serde_json::{Value as Json, json};

use super::folder::Loaded;
use crate::access::AccessArgs;
use crate::call::Refused;
use crate::clock;
use crate::iam::{Iam, text};
use crate::simulate::account::World;

/// Items of a page.
const PAGE: &str = "1000";
/// Pages of one list: a server that never ends a list is broken.
const MAX_PAGES: usize = 100_000;
/// So often a report is asked for before it is given up.
const TRIES: u32 = 100;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(100);

/// Calls without parameters, whose one answer is a file.
const SINGLE: &[(&str, &str)] = &[
    ("account-summary.json", "GetAccountSummary"),
    ("password-policy.json", "GetAccountPasswordPolicy"),
    ("saml-providers.json", "ListSAMLProviders"),
    ("oidc-providers.json", "ListOpenIDConnectProviders"),
];

/// Lists in pages, with their member.
const LISTS: &[(&str, &str, &str)] = &[
    ("virtual-mfa-devices.json", "ListVirtualMFADevices", "VirtualMFADevices"),
    ("server-certificates.json", "ListServerCertificates", "ServerCertificateMetadataList"),
    ("roles.json", "ListRoles", "Roles"),
];

/// Lists of one user.
const OF_USER: &[(&str, &str, &str)] = &[
    ("access-keys", "ListAccessKeys", "AccessKeyMetadata"),
    ("mfa-devices", "ListMFADevices", "MFADevices"),
    ("ssh-public-keys", "ListSSHPublicKeys", "SSHPublicKeys"),
    (
        "service-specific-credentials",
        "ListServiceSpecificCredentials",
        "ServiceSpecificCredentials",
    ),
    ("signing-certificates", "ListSigningCertificates", "Certificates"),
];

/// A live account in place of files.
#[derive(Args, Clone, Debug, Default)]
pub struct ServerArgs {
    /// In place of files, ask a server: at this address, or the one that AWS_* variables or a data
    /// directory name
    #[arg(long, value_name = "URL", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "a flag whose value may be left out")]
    pub server: Option<Option<String>>,
    /// With --server: take address and key from this data directory
    #[arg(long, value_name = "DIR", requires = "server")]
    pub data_dir: Option<PathBuf>,
    /// With --server: which profile of DIR/credentials [default: default]
    #[arg(long, value_name = "NAME", requires = "server")]
    pub profile: Option<String>,
}

impl ServerArgs {
    /// Whether a server is to be asked.
    pub(crate) fn asked(&self) -> bool {
        self.server.is_some()
    }

    fn iam(&self) -> anyhow::Result<Iam> {
        Iam::find(&AccessArgs {
            data_dir: self.data_dir.clone(),
            profile: self.profile.clone(),
            endpoint_url: self.server.clone().flatten(),
        })
    }

    /// All files of an audit.
    ///
    /// # Errors
    /// There is no server, it does not know the key, or it stops answering.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<Loaded>> {
        gather(self.iam()?)
    }

    /// The account that the server tells, or that an export holds.
    ///
    /// # Errors
    /// As of [`ServerArgs::files`] and [`World::read`], or the server refuses to tell it.
    pub(crate) fn world(&self, export: &[PathBuf]) -> anyhow::Result<World> {
        if self.asked() { World::of_pages(&self.details()?) } else { World::read(export) }?.whole()
    }

    fn details(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut gathered = Gathered::new(self.iam()?);
        gathered.details()?;
        gathered.quiet();
        known(&gathered.files)?;
        Ok(gathered.files.into_iter().map(|file| (file.name, file.bytes)).collect())
    }
}

/// Whether the files tell who there is at all.
///
/// # Errors
/// The server refuses to tell it, in its words.
pub(crate) fn known(files: &[Loaded]) -> anyhow::Result<()> {
    let refused =
        |file: &&Loaded| file.path.starts_with("authorization-details") && file.is_refusal();
    match files.iter().find(refused) {
        Some(file) => bail!("{}", String::from_utf8_lossy(&file.bytes).trim()),
        None => Ok(()),
    }
}

/// Every file that the server can answer for.
///
/// # Errors
/// The key is not known, or the server stops answering.
pub(crate) fn gather(iam: Iam) -> anyhow::Result<Vec<Loaded>> {
    let mut gathered = Gathered::new(iam);
    gathered.all()?;
    gathered.quiet();
    Ok(gathered.files)
}

/// Writes the files into a new or empty folder, for their owner alone.
///
/// # Errors
/// The folder holds something already, or cannot be written.
pub(super) fn write(folder: &Path, files: &[Loaded]) -> anyhow::Result<()> {
    use std::fs::{DirBuilder, OpenOptions, read_dir};
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

    let shown = folder.display();
    if folder.exists() {
        let mut held = read_dir(folder).with_context(|| format!("`{shown}` cannot be read"))?;
        if held.next().is_some() {
            bail!("`{shown}` is not empty: files of two days do not make one account");
        }
    }
    for file in files {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        out.write_all(&file.bytes)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(())
}

struct Gathered {
    iam: Iam,
    files: Vec<Loaded>,
    users: Vec<String>,
    roles: Vec<String>,
    /// The ARNs of customer managed policies.
    policies: Vec<String>,
    told: bool,
}

impl Gathered {
    fn new(iam: Iam) -> Self {
        let (users, roles, policies) = (Vec::new(), Vec::new(), Vec::new());
        Self { iam, files: Vec::new(), users, roles, policies, told: stderr().is_terminal() }
    }

    fn all(&mut self) -> anyhow::Result<()> {
        self.caller()?;
        self.details()?;
        for (path, call) in SINGLE {
            self.single(path, call, &[])?;
        }
        for (path, call, member) in LISTS {
            self.list(path, call, member, &[])?;
        }
        self.providers()?;
        self.policy_tags()?;
        self.report()?;
        for (folder, call, member) in OF_USER {
            for (number, user) in self.users.clone().iter().enumerate() {
                self.say(call, number, self.users.len());
                let path = format!("{folder}/{}.json", segment(user)?);
                if !self.list(&path, call, member, &[("UserName", user)])? {
                    // One refusal makes the part missing; asking for the others tells no more.
                    break;
                }
            }
        }
        self.last_accessed()
    }

    fn caller(&mut self) -> anyhow::Result<()> {
        // Every caller may ask this; a key that may not is none.
        let told = self.iam.call_service("sts", "GetCallerIdentity", &[]);
        let told = told.map_err(|error| anyhow!("{error:#}"))?;
        let collected = json!({
            "collected": clock::now().to_string(),
            "account": text(&told, "Account"),
            "arn": text(&told, "Arn"),
        });
        self.keep("collected.json", &collected);
        Ok(())
    }

    fn details(&mut self) -> anyhow::Result<()> {
        let mut marker: Option<String> = None;
        for number in 1..=MAX_PAGES {
            self.say("GetAccountAuthorizationDetails, page", number, 0);
            let mut asked = vec![("MaxItems", PAGE)];
            if let Some(marker) = &marker {
                asked.push(("Marker", marker));
            }
            let path = if number == 1 {
                "authorization-details.json".to_owned()
            } else {
                format!("authorization-details-{number}.json")
            };
            let Some(page) = self.ask(&path, "iam", "GetAccountAuthorizationDetails", &asked)?
            else {
                return Ok(());
            };
            for (list, found) in
                [("UserDetailList", &mut self.users), ("RoleDetailList", &mut self.roles)]
            {
                let member = if list == "UserDetailList" { "UserName" } else { "Arn" };
                let items = page.get(list).and_then(Json::as_array).into_iter().flatten();
                found.extend(items.map(|item| text(item, member).to_owned()));
            }
            let items = page.get("Policies").and_then(Json::as_array).into_iter().flatten();
            let arns = items.map(|item| text(item, "Arn"));
            let own = arns.filter(|arn| arn.split(':').nth(4) != Some("aws"));
            self.policies.extend(own.map(str::to_owned));
            marker = page.get("Marker").and_then(Json::as_str).map(str::to_owned);
            self.keep(&path, &page);
            if marker.is_none() {
                return Ok(());
            }
        }
        bail!("the authorization details do not end")
    }

    fn providers(&mut self) -> anyhow::Result<()> {
        let held = self.files.iter().find(|file| file.path == "oidc-providers.json");
        let held = held.and_then(|file| serde_json::from_slice::<Json>(&file.bytes).ok());
        let list =
            held.and_then(|mut held| held.get_mut("OpenIDConnectProviderList").map(Json::take));
        let Some(Json::Array(list)) = list else { return Ok(()) };
        for (number, provider) in list.iter().enumerate() {
            let path = format!("oidc-providers/{}.json", number + 1);
            let arn = text(provider, "Arn");
            self.single(&path, "GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", arn)])?;
        }
        Ok(())
    }

    fn policy_tags(&mut self) -> anyhow::Result<()> {
        let call = "ListPolicyTags";
        for (number, arn) in self.policies.clone().iter().enumerate() {
            self.say(call, number, self.policies.len());
            let path = format!("policy-tags/{}.json", number + 1);
            match self.iam.list(call, "Tags", &[("PolicyArn", arn)]) {
                Ok(tags) => self.keep(&path, &json!({"Arn": arn, "Tags": tags})),
                // One refusal tells as much as all.
                Err(error) => return self.take(&path, call, error),
            }
        }
        Ok(())
    }

    fn report(&mut self) -> anyhow::Result<()> {
        let path = "credential-report.json";
        for _ in 0..TRIES {
            let Some(state) = self.ask(path, "iam", "GenerateCredentialReport", &[])? else {
                return Ok(());
            };
            if text(&state, "State") == "COMPLETE" {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        self.single(path, "GetCredentialReport", &[])?;
        Ok(())
    }

    fn last_accessed(&mut self) -> anyhow::Result<()> {
        let call = "GenerateServiceLastAccessedDetails";
        let account = self.account();
        let users = self.files.iter().filter(|file| file.path.starts_with("authorization-details"));
        let mut arns: Vec<String> = users.flat_map(|file| user_arns(&file.bytes)).collect();
        arns.extend(self.roles.iter().cloned());
        arns.retain(|arn| arn.split(':').nth(4) == Some(account.as_str()));
        for (number, arn) in arns.iter().enumerate() {
            self.say(call, number, arns.len());
            let path = format!("last-accessed/{}.json", number + 1);
            let Some(job) = self.ask(&path, "iam", call, &[("Arn", arn)])? else { break };
            let job = text(&job, "JobId").to_owned();
            let Some(services) = self.uses(&path, &job)? else { break };
            self.keep(&path, &json!({"Arn": arn, "ServicesLastAccessed": services}));
        }
        Ok(())
    }

    /// The last uses that a job has found; nothing if the server refuses, or is not done in time.
    fn uses(&mut self, path: &str, job: &str) -> anyhow::Result<Option<Vec<Json>>> {
        let call = "GetServiceLastAccessedDetails";
        let (mut found, mut marker, mut tries) = (Vec::new(), None::<String>, 0);
        loop {
            let mut asked = vec![("JobId", job), ("MaxItems", PAGE)];
            if let Some(marker) = &marker {
                asked.push(("Marker", marker));
            }
            let Some(mut page) = self.ask(path, "iam", call, &asked)? else { return Ok(None) };
            if text(&page, "JobStatus") == "IN_PROGRESS" && tries < TRIES {
                tries += 1;
                std::thread::sleep(PAUSE);
                continue;
            }
            if text(&page, "JobStatus") != "COMPLETED" {
                self.refused(path, call, "the report was not made in time");
                return Ok(None);
            }
            if let Some(Json::Array(items)) = page.get_mut("ServicesLastAccessed").map(Json::take) {
                found.extend(items);
            }
            marker = page.get("Marker").and_then(Json::as_str).map(str::to_owned);
            if marker.is_none() {
                return Ok(Some(found));
            }
        }
    }

    /// One call, one file. False: it was refused.
    fn single(&mut self, path: &str, call: &str, asked: &[(&str, &str)]) -> anyhow::Result<bool> {
        let Some(answer) = self.ask(path, "iam", call, asked)? else { return Ok(false) };
        self.keep(path, &answer);
        Ok(true)
    }

    /// A list with all its pages, one file. False: it was refused.
    fn list(
        &mut self,
        path: &str,
        call: &str,
        member: &str,
        asked: &[(&str, &str)],
    ) -> anyhow::Result<bool> {
        match self.iam.list(call, member, asked) {
            Ok(items) => {
                self.keep(path, &json!({member: items}));
                Ok(true)
            }
            Err(error) => self.take(path, call, error).map(|()| false),
        }
    }

    /// A call; nothing if it was refused, which is written down.
    fn ask(
        &mut self,
        path: &str,
        service: &str,
        call: &str,
        asked: &[(&str, &str)],
    ) -> anyhow::Result<Option<Json>> {
        match self.iam.call_service(service, call, asked) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => self.take(path, call, error).map(|()| None),
        }
    }

    /// A refusal is an answer; anything else ends the work.
    fn take(&mut self, path: &str, call: &str, error: anyhow::Error) -> anyhow::Result<()> {
        let Some(Refused { code, message }) = error.downcast_ref::<Refused>() else {
            return Err(error);
        };
        self.refused(
            path,
            call,
            &format!("An error occurred ({code}) when calling the {call} operation: {message}"),
        );
        Ok(())
    }

    fn refused(&mut self, path: &str, call: &str, text: &str) {
        let text = if text.contains(call) { text.to_owned() } else { format!("{call}: {text}") };
        self.push(format!("{path}.error"), text.into_bytes());
    }

    fn keep(&mut self, path: &str, answer: &Json) {
        self.push(path.to_owned(), answer.to_string().into_bytes());
    }

    fn push(&mut self, path: String, bytes: Vec<u8>) {
        let name = format!("{} {path}", self.iam.endpoint);
        self.files.push(Loaded { name, path, bytes });
    }

    fn account(&self) -> String {
        let held = self.files.iter().find(|file| file.path == "collected.json");
        let held = held.and_then(|file| serde_json::from_slice::<Json>(&file.bytes).ok());
        held.map(|held| text(&held, "account").to_owned()).unwrap_or_default()
    }

    fn say(&self, what: &str, number: usize, of: usize) {
        if self.told && number.is_multiple_of(50) {
            let of = if of == 0 { String::new() } else { format!(" of {of}") };
            let _ = write!(stderr(), "\r\x1b[Kasking the server: {what} {number}{of}");
        }
    }

    fn quiet(&self) {
        if self.told {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// The ARNs of the users on a page.
fn user_arns(page: &[u8]) -> BTreeSet<String> {
    let page: Json = serde_json::from_slice(page).unwrap_or_default();
    let users = page.get("UserDetailList").and_then(Json::as_array).into_iter().flatten();
    users.map(|user| text(user, "Arn").to_owned()).collect()
}

/// A user's name as a file's: a server that names files elsewhere is not obeyed.
fn segment(name: &str) -> anyhow::Result<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if name.is_empty()
        || name.starts_with('.') && name.trim_matches('.').is_empty()
        || !name.chars().all(plain)
    {
        bail!("the server names a user `{name}`, which is no name of a user");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_the_folder() {
        for (name, fine) in [
            ("alice", true),
            (".alice", true),
            ("a+b=c,d.e@f_g-h", true),
            ("..", false),
            (".", false),
            ("", false),
            ("../x", false),
            ("a/b", false),
            ("a\0", false),
        ] {
            assert_eq!(segment(name).is_ok(), fine, "{name:?}");
        }
    }

    #[test]
    fn folders_are_written_once_and_for_their_owner() {
        use std::os::unix::fs::PermissionsExt as _;

        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("audit");
        let file =
            |path: &str| Loaded { name: path.into(), path: path.into(), bytes: b"{}".into() };
        let files = [file("collected.json"), file("access-keys/alice.json")];
        write(&folder, &files).unwrap();
        let mode =
            |path: &str| std::fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("collected.json"), mode("access-keys")), (0o600, 0o700));
        assert!(write(&folder, &files).unwrap_err().to_string().contains("not empty"));
    }

    // A server that is not there ends the work: half an account is none.
    #[test]
    fn a_server_that_does_not_answer_is_an_error() {
        let access = crate::access::Access {
            endpoint: "http://127.0.0.1:9".into(),
            key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "s".into(),
            session_token: None,
            region: "us-east-1".into(),
            ca_bundle: None,
        };
        assert!(gather(Iam::new(access).unwrap()).is_err());
    }
}
