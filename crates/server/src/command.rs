//! The verbs of the command line that belong to the process and its data directory.

use std::io::{Read as _, Write as _, stdin, stdout};
use std::path::PathBuf;

use anyhow::{Context, bail};
use bailiwick_identifiers::{AccessKeyId, AccountId};
use bailiwick_services::operator::{Token, read_mfa_tokens};
use bailiwick_wire::Secret;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::backend::DevKey;
use crate::blocklist::BlocklistCommand;
use crate::data_dir::Endpoint;
use crate::key_policy::KeyPolicyCommand;
use crate::settings::{DEFAULT_DATA_DIR, DEFAULT_LISTEN, ServeArgs, Settings};
use crate::shell::{self, Shell};
use crate::{DataDir, Verb, clock, control, facts, harden, logs, node, serving, table, verb};

/// A verb of the server or of the host's operator.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one value of it in a process")]
pub enum Command {
    /// Run the server
    #[command(after_help = "\
Examples:
  bailiwick serve                                    on 127.0.0.1:4680, data in ./bailiwick-data
  bailiwick serve --data-dir /var/lib/bailiwick --listen 0.0.0.0:4680 --tls-self-signed
  bailiwick serve --config bailiwick.toml --log-format json
  bailiwick serve --dev                              in memory, for tests

The first start makes an account and a user `admin`; its key and a one-time console password are
in DIR/credentials. SIGTERM ends well, SIGHUP reads the certificate again.")]
    Serve(ServeArgs),
    /// Make the data directory and its first account, without serving
    #[command(after_help = "\
Examples:
  bailiwick init
  bailiwick init --data-dir /var/lib/bailiwick --account-id 111122223333

Run on a directory that has accounts, it changes nothing.")]
    Init(InitArgs),
    /// Print the variables that point an AWS client at the server
    #[command(after_help = "\
Examples:
  eval \"$(bailiwick env)\"                            bash, zsh and their like
  bailiwick env --shell fish | source
  bailiwick env --shell powershell | Out-String | Invoke-Expression
  eval \"$(bailiwick env --profile 111122223333)\"     another account
  eval \"$(bailiwick env --dev)\"                      a `serve --dev` with its key in the environment")]
    Env(EnvArgs),
    /// Accounts of this server
    #[command(subcommand)]
    Account(AccountCommand),
    /// Keys of an account's root, made on the host only
    #[command(subcommand)]
    Root(RootCommand),
    /// Access keys made elsewhere
    #[command(subcommand)]
    Key(KeyCommand),
    /// MFA devices: hardware tokens, and devices that are lost
    #[command(subcommand)]
    Mfa(MfaCommand),
    /// Rules of this server that AWS has not
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Data that the server goes by
    #[command(subcommand)]
    Data(DataCommand),
    /// Example data
    #[command(subcommand)]
    Fixture(FixtureCommand),
    /// Make a new master key, which seals from then on; stop the server first
    #[command(after_help = "\
Examples:
  bailiwick rekey
  bailiwick rekey --data-dir /var/lib/bailiwick --format json

The older keys stay in the key file: what they sealed is opened with them.")]
    Rekey(OperatorArgs),
}

/// Where the data directory is, and how to print.
#[derive(Args, Clone, Debug)]
pub struct OperatorArgs {
    /// The server's data directory
    #[arg(long, value_name = "DIR", env = "BAILIWICK_DATA_DIR", default_value = DEFAULT_DATA_DIR)]
    pub data_dir: PathBuf,
    /// The file with the master key [default: DIR/master.key]
    #[arg(long, value_name = "FILE", env = "BAILIWICK_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Flags of `init`.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Make this directory [default: bailiwick-data]
    #[arg(long, value_name = "DIR", env = "BAILIWICK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The file with the master key [default: DIR/master.key]
    #[arg(long, value_name = "FILE", env = "BAILIWICK_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// The account's number [default: random]
    #[arg(long, value_name = "ID", env = "BAILIWICK_ACCOUNT_ID")]
    pub account_id: Option<AccountId>,
}

/// Flags of `env`.
#[derive(Args, Debug)]
pub struct EnvArgs {
    /// The server's data directory
    #[arg(long, value_name = "DIR", env = "BAILIWICK_DATA_DIR", default_value = DEFAULT_DATA_DIR)]
    pub data_dir: PathBuf,
    /// Whose key: a profile of DIR/credentials
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub profile: String,
    /// Whose words to print
    #[arg(long, value_name = "SHELL", default_value = "sh")]
    pub shell: Shell,
    /// A development server: the key is that of BAILIWICK_DEV_ACCESS_KEY_ID and
    /// BAILIWICK_DEV_SECRET_ACCESS_KEY
    #[arg(long)]
    pub dev: bool,
    /// The server's address, when it is not the one that DIR/endpoint names
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
}

/// Verbs on accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account with a user `admin`; its key goes to DIR/credentials as profile [ID]
    #[command(after_help = "\
Examples:
  bailiwick account create
  bailiwick account create --id 111122223333 --name staging
  eval \"$(bailiwick env --profile 111122223333)\"")]
    Create {
        /// Its number [default: random]
        #[arg(long)]
        id: Option<AccountId>,
        /// A name for the list
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
    /// List the accounts
    #[command(after_help = "Example:\n  bailiwick account list --format json")]
    List(OperatorArgs),
}

/// Verbs on root keys.
#[derive(Debug, Subcommand)]
pub enum RootCommand {
    /// Make a key of an account's root; it goes to DIR/credentials as profile [root-ID]
    #[command(after_help = "\
Examples:
  bailiwick root create-key
  bailiwick root create-key --account 111122223333")]
    CreateKey {
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
    /// Delete the keys of an account's root
    #[command(after_help = "Example:\n  bailiwick root delete-key --account 111122223333")]
    DeleteKey {
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
}

/// Verbs on keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Give a user a key made elsewhere; the secret comes from standard input
    #[command(after_help = "\
Examples:
  bailiwick key import --user-name ci --access-key-id AKIAIOSFODNN7EXAMPLE < secret.txt
  pass show aws/ci | bailiwick key import --user-name ci --access-key-id AKIAIOSFODNN7EXAMPLE")]
    Import {
        /// Whose key
        #[arg(long, value_name = "NAME")]
        user_name: String,
        /// The key's id
        #[arg(long, value_name = "ID")]
        access_key_id: AccessKeyId,
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
}

/// Verbs on MFA devices.
#[derive(Debug, Subcommand)]
pub enum MfaCommand {
    /// Add hardware tokens from a maker's file of serial numbers and seeds
    #[command(after_help = "\
Examples:
  bailiwick mfa import tokens.csv
  bailiwick mfa import tokens.pskc.xml --account 111122223333

CSV: a first line that names `serial number` and `secret key` (hexadecimal digits or base32), and if
need be `type` (totp, hotp), `algorithm`, `time interval`, `counter`. PSKC (RFC 6030): seeds in the
clear. Then: aws iam enable-mfa-device --serial-number GAHT12345678 ...

Tokens that are there stay as they are. Destroy the file afterwards.")]
    Import {
        /// The file
        file: PathBuf,
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
    /// Make a lost device nobody's, when nobody else can: root's, or the only administrator's
    #[command(after_help = "\
Examples:
  bailiwick mfa deactivate arn:aws:iam::111122223333:mfa/root-account-mfa-device")]
    Deactivate {
        /// Its serial number
        serial_number: String,
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
}

/// Verbs on rules of the server's own.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// A limit to the age of users' access keys
    #[command(subcommand)]
    KeyPolicy(KeyPolicyCommand),
    /// Passwords known from breaches: another name of `bailiwick data password-blocklist`
    #[command(subcommand)]
    PasswordBlocklist(BlocklistCommand),
}

/// Verbs on data that the server goes by.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Passwords known from breaches, which nobody may set
    #[command(subcommand)]
    PasswordBlocklist(BlocklistCommand),
    /// Put newer facts about AWS into force: services, actions, AWS managed policies
    #[command(after_help = "\
Examples:
  aws iam get-account-authorization-details --filter AWSManagedPolicy > policies.json
  bailiwick data update --from policies.json
  bailiwick data update --from catalog.bin

The file is a catalog as `cargo xtask catalog` builds it, or AWS managed policies as the command above
writes them from an account of AWS. Whoever has a policy attached has what its new version says, from
the next request on; no restart is needed.")]
    Update {
        /// The file
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
    /// Show of which day the facts are, and where they come from
    #[command(after_help = "Example:\n  bailiwick data show --format json")]
    Show(OperatorArgs),
}

/// Verbs on example data.
#[derive(Debug, Subcommand)]
pub enum FixtureCommand {
    /// Load a named set of example data into an account
    #[command(after_help = "\
Examples:
  bailiwick fixture load F1
  bailiwick fixture load F2 --account 111122223333")]
    Load {
        /// Which data
        #[arg(value_parser = ["F0", "F1", "F2"])]
        name: String,
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
}

impl Command {
    /// Does what the verb says. Errors are bad input or a server that cannot start: exit code 2.
    pub fn run(self) -> anyhow::Result<()> {
        harden::harden();
        match self {
            Self::Serve(args) => serve(args),
            Self::Init(args) => init(args),
            Self::Env(args) => env(&args),
            Self::Account(AccountCommand::Create { id, name, args }) => {
                operate(&args, &Verb::AccountCreate { id, name })
            }
            Self::Account(AccountCommand::List(args)) => operate(&args, &Verb::AccountList),
            Self::Root(RootCommand::CreateKey { account, args }) => {
                operate(&args, &Verb::RootCreateKey { account })
            }
            Self::Root(RootCommand::DeleteKey { account, args }) => {
                operate(&args, &Verb::RootDeleteKey { account })
            }
            Self::Key(KeyCommand::Import { user_name, access_key_id, account, args }) => {
                let secret = secret_from(stdin())?;
                operate(&args, &Verb::KeyImport { account, user_name, access_key_id, secret })
            }
            Self::Mfa(MfaCommand::Import { file, account, args }) => {
                let mut told = Value::Null;
                for tokens in tokens_in(&file)?.chunks(TOKENS_AT_ONCE) {
                    let verb = Verb::MfaImport { account, tokens: tokens.to_vec() };
                    sum(&mut told, answer(&args, &verb)?);
                }
                print(args.format, &told)
            }
            Self::Mfa(MfaCommand::Deactivate { serial_number, account, args }) => {
                operate(&args, &Verb::MfaDeactivate { account, serial_number })
            }
            Self::Admin(AdminCommand::KeyPolicy(command)) => {
                let (args, verb) = command.verb();
                operate(&args, &verb)
            }
            Self::Admin(AdminCommand::PasswordBlocklist(command))
            | Self::Data(DataCommand::PasswordBlocklist(command)) => {
                let (args, verb) = command.verb()?;
                operate(&args, &verb)
            }
            Self::Data(DataCommand::Update { from, args }) => {
                let dir = existing(&args)?;
                let (file, amended) = facts::prepare(&dir, &from, clock::now())?;
                let verb = Verb::CatalogPut { file };
                operate(&args, &verb)?;
                writeln!(
                    std::io::stderr(),
                    "{} policies and {} versions are new, {} policies have another version in force",
                    amended.new_policies,
                    amended.new_versions,
                    amended.new_defaults
                )?;
                Ok(())
            }
            Self::Data(DataCommand::Show(args)) => operate(&args, &Verb::CatalogShow),
            Self::Fixture(FixtureCommand::Load { name, account, args }) => {
                operate(&args, &Verb::FixtureLoad { account, name })
            }
            Self::Rekey(args) => operate(&args, &Verb::Rekey),
        }
    }
}

/// Tokens that one request to a running server takes, by its length.
const TOKENS_AT_ONCE: usize = 100;
/// Past the longest file that is taken, so that a longer one is refused and not cut.
const MAX_TOKEN_FILE: u64 = 8 << 20;

/// The tokens of a file, which is read and checked whole before the first is added.
fn tokens_in(file: &std::path::Path) -> anyhow::Result<Vec<Token>> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(file)
        .and_then(|file| file.take(MAX_TOKEN_FILE).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    read_mfa_tokens(&bytes).with_context(|| format!("`{}`", file.display()))
}

fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let settings = Settings::resolve(args)?;
    logs::start(settings.log_format, &settings.log)?;
    logs::catch_panics();
    serving::run(&settings, node::open)
}

fn init(args: InitArgs) -> anyhow::Result<()> {
    let settings = Settings::resolve(ServeArgs {
        data_dir: args.data_dir,
        master_key_file: args.master_key_file,
        account_id: args.account_id,
        ..ServeArgs::default()
    })?;
    let crate::settings::Home::Directory(dir) = &settings.home else {
        bail!("`init` needs a data directory");
    };
    dir.prepare()?;
    let backend = node::open(&settings, &serving::url(&settings, settings.listen), None)?;
    let had = backend.operator.accounts()?.len();
    serving::first_start(&settings, &backend)?;
    backend.operator.sync();
    if had > 0 {
        writeln!(stdout(), "`{}` has {had} accounts already: nothing done", dir.path().display())?;
    }
    Ok(())
}

fn env(args: &EnvArgs) -> anyhow::Result<()> {
    let dir = DataDir::new(&args.data_dir);
    let (access_key_id, secret, found) = if args.dev {
        let key = DevKey::given(|name| std::env::var(name).ok())?.context(
            "a `serve --dev` whose key is random prints its own variables; to choose the key, set \
             BAILIWICK_DEV_ACCESS_KEY_ID and BAILIWICK_DEV_SECRET_ACCESS_KEY for both commands",
        )?;
        (key.access_key_id.to_string(), key.secret, None)
    } else {
        let profile = dir.profile(&args.profile)?;
        (profile.access_key_id, profile.secret_access_key, dir.endpoint()?)
    };
    let endpoint = match (&args.endpoint_url, found) {
        (Some(url), found) => {
            Endpoint { url: url.clone(), ca_bundle: found.and_then(|found| found.ca_bundle) }
        }
        (None, Some(found)) => found,
        (None, None) => {
            let url = format!("http://{DEFAULT_LISTEN}");
            if !args.dev {
                let note =
                    format!("no server runs on `{}`: assuming {url}\n", dir.path().display());
                std::io::stderr().write_all(note.as_bytes())?;
            }
            Endpoint { url, ca_bundle: None }
        }
    };
    let lines = shell::lines(args.shell, &endpoint, &access_key_id, &secret);
    stdout().write_all(lines.as_bytes())?;
    Ok(())
}

/// The data directory, which must be there.
fn existing(args: &OperatorArgs) -> anyhow::Result<DataDir> {
    let dir = DataDir::new(&args.data_dir);
    if !dir.path().is_dir() {
        bail!(
            "`{}` does not exist: make it with `bailiwick init`, or name another with `--data-dir`",
            dir.path().display()
        );
    }
    Ok(dir)
}

/// Has a verb done, and prints the answer.
fn operate(args: &OperatorArgs, verb: &Verb) -> anyhow::Result<()> {
    print(args.format, &answer(args, verb)?)
}

/// Has a verb done by the running server, or by opening the data directory when none runs.
fn answer(args: &OperatorArgs, verb: &Verb) -> anyhow::Result<Value> {
    let dir = existing(args)?;
    match control::ask(&dir.socket(), verb)? {
        Some(answer) => Ok(answer),
        None => open_and_execute(args, &dir, verb),
    }
}

/// Adds the numbers of an answer to those of the parts before it: one answer for all.
fn sum(told: &mut Value, mut part: Value) {
    if let (Some(before), Some(fields)) = (told.as_object(), part.as_object_mut()) {
        for (name, field) in fields {
            let before = before.get(name).and_then(Value::as_u64);
            if let (Some(before), Some(now)) = (before, field.as_u64()) {
                *field = before.saturating_add(now).into();
            }
        }
    }
    *told = part;
}

fn open_and_execute(args: &OperatorArgs, dir: &DataDir, verb: &Verb) -> anyhow::Result<Value> {
    let settings = Settings::resolve(ServeArgs {
        data_dir: Some(args.data_dir.clone()),
        master_key_file: args.master_key_file.clone(),
        ..ServeArgs::default()
    })?;
    dir.prepare()?;
    let backend = node::open(&settings, &serving::url(&settings, settings.listen), None)?;
    let answer = verb::execute(verb, &*backend.operator, dir)?;
    backend.operator.sync();
    Ok(answer)
}

fn print(format: Format, answer: &Value) -> anyhow::Result<()> {
    let text = match format {
        Format::Json => format!("{answer:#}\n"),
        Format::Table => table::text(answer),
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// One line of at most 128 characters, its end left out.
fn secret_from(input: impl std::io::Read) -> anyhow::Result<Secret> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    input.take(256).read_to_string(&mut text).context("cannot read the secret")?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if !(16..=128).contains(&secret.len()) || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        bail!(
            "standard input holds no secret access key: 16 to 128 visible ASCII characters in one line"
        );
    }
    Ok(Secret::new(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser};

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    #[test]
    fn every_verb_has_help_with_an_example() {
        fn walk(command: &clap::Command) {
            let verbs: Vec<_> = command.get_subcommands().collect();
            if verbs.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("bailiwick "), "{}", command.get_name());
            }
            verbs.into_iter().for_each(walk);
        }
        Line::command().debug_assert();
        Line::command().get_subcommands().for_each(walk);
    }

    #[test]
    fn lines_parse() {
        for (line, fine) in [
            ("x serve --dev", true),
            ("x serve --listen 0.0.0.0:1 --tls-self-signed --tls-name a,b", true),
            ("x serve --tls-cert a", false),
            ("x serve --unknown", false),
            ("x account create --id 123", false),
            ("x fixture load F3", false),
            ("x key import --user-name u --access-key-id AKIAIOSFODNN7EXAMPLE", true),
            ("x mfa import tokens.csv --account 111122223333", true),
            ("x mfa import", false),
            ("x data password-blocklist load hashes.txt", true),
            ("x admin password-blocklist load hashes.txt", true),
            ("x data password-blocklist", false),
            ("x data update --from policies.json", true),
            ("x data update", false),
            ("x data show", true),
            ("x admin key-policy set --max-age 90d --warn 14d --exempt-tag a=b", true),
            ("x admin key-policy set --warn 14d", false),
            ("x admin key-policy clear", true),
            ("x mfa deactivate GAHT12345678", true),
        ] {
            assert_eq!(Line::try_parse_from(line.split(' ')).is_ok(), fine, "{line}");
        }
    }

    #[test]
    fn answers_of_parts_are_one() {
        let part = |added: u64, there: u64| serde_json::json!({"account": "1", "added": added, "already_there": there});
        let mut told = Value::Null;
        for (added, there) in [(100, 0), (90, 10), (0, 7)] {
            sum(&mut told, part(added, there));
        }
        assert_eq!(told, part(190, 17));
    }

    #[test]
    fn a_secret_is_one_line() {
        for (text, fine) in [
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n", true),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\r\n", true),
            ("", false),
            ("short\n", false),
            ("two words in one line here\n", false),
        ] {
            assert_eq!(secret_from(text.as_bytes()).is_ok(), fine, "{text:?}");
        }
    }
}
