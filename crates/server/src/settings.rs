//! What the operator has set: flags, then environment, then the file, then the defaults.
//!
//! A setting that nobody knows stops the start (P05): a rule that was spelled wrongly, or that a
//! newer version had and this one has not, must not be dropped in silence.

use std::env;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bailiwick_identifiers::{AccountId, Partition};
use bailiwick_services::{Quotas, RelyingParty};
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::{DataDir, Limits, TrustedProxies};

/// Where the server listens when nothing else is said.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:4680";
/// Where data goes when nothing else is said.
pub(crate) const DEFAULT_DATA_DIR: &str = "bailiwick-data";

/// The environment variables that begin with `BAILIWICK_` and mean something.
const KNOWN_VARIABLES: &[&str] = &[
    "BAILIWICK_ACCOUNT_ID",
    "BAILIWICK_CONFIG",
    "BAILIWICK_DATA_DIR",
    "BAILIWICK_DEV_ACCESS_KEY_ID",
    "BAILIWICK_DEV_SECRET_ACCESS_KEY",
    "BAILIWICK_LISTEN",
    "BAILIWICK_LOG",
    "BAILIWICK_LOG_FORMAT",
    "BAILIWICK_MASTER_KEY",
    "BAILIWICK_MASTER_KEY_FILE",
    "BAILIWICK_MAX_BODY_BYTES",
    "BAILIWICK_MAX_CONNECTIONS",
    "BAILIWICK_MAX_CONNECTIONS_PER_ADDRESS",
    "BAILIWICK_METRICS_LISTEN",
    "BAILIWICK_CONSOLE_SESSION_MINUTES",
    "BAILIWICK_PARTITION",
    "BAILIWICK_PASSKEY_ORIGINS",
    "BAILIWICK_PASSKEY_RP_ID",
    "BAILIWICK_PUBLIC_URL",
    "BAILIWICK_TIME_ZONE",
    "BAILIWICK_TLS_CERT",
    "BAILIWICK_TLS_KEY",
    "BAILIWICK_TLS_NAMES",
    "BAILIWICK_TRUSTED_PROXIES",
];

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The flags of `serve`, each also settable in the environment.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Read settings from this TOML file; flags and environment go before it
    #[arg(long, value_name = "FILE", env = "BAILIWICK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Keep everything in this directory [default: bailiwick-data]
    #[arg(long, value_name = "DIR", env = "BAILIWICK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Listen here; beyond loopback only with TLS [default: 127.0.0.1:4680]
    #[arg(long, value_name = "ADDR:PORT", env = "BAILIWICK_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Development: all in memory, account 123456789012, resettable; loopback only
    #[arg(long)]
    pub dev: bool,
    /// The file with the master key, mode 0600 [default: DIR/master.key]; BAILIWICK_MASTER_KEY holds
    /// the key itself instead
    #[arg(long, value_name = "FILE", env = "BAILIWICK_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// The first account's number, at first start [default: random]
    #[arg(long, value_name = "ID", env = "BAILIWICK_ACCOUNT_ID")]
    pub account_id: Option<AccountId>,
    /// The AWS partition this server is: aws, aws-cn, aws-us-gov ... [default: aws]
    #[arg(long, value_name = "NAME", env = "BAILIWICK_PARTITION")]
    pub partition: Option<Partition>,
    /// PEM certificate chain; read again on SIGHUP
    #[arg(long, value_name = "FILE", env = "BAILIWICK_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// PEM key of the certificate; not readable by the world
    #[arg(long, value_name = "FILE", env = "BAILIWICK_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Make a certificate, kept in the data directory
    #[arg(long)]
    pub tls_self_signed: bool,
    /// A further host name or address for the certificate made here (repeat, or commas)
    #[arg(
        long = "tls-name",
        value_name = "NAME",
        env = "BAILIWICK_TLS_NAMES",
        value_delimiter = ','
    )]
    pub tls_names: Vec<String>,
    /// The address clients use, for `bailiwick env` [default: from the listener]
    #[arg(long, value_name = "URL", env = "BAILIWICK_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The domain to which passkeys are bound; they are lost when it changes [default: the host name
    /// of the public address, or localhost]
    #[arg(long, value_name = "DOMAIN", env = "BAILIWICK_PASSKEY_RP_ID")]
    pub passkey_rp_id: Option<String>,
    /// An origin whose pages may use passkeys, such as https://iam.example.org:4680 (repeat, or
    /// commas) [default: the public address]
    #[arg(
        long = "passkey-origin",
        value_name = "ORIGIN",
        env = "BAILIWICK_PASSKEY_ORIGINS",
        value_delimiter = ','
    )]
    pub passkey_origins: Vec<String>,
    /// The zone of the condition key bailiwick:TimeOfDay, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", env = "BAILIWICK_TIME_ZONE", value_parser = zone)]
    pub time_zone: Option<TimeZone>,
    /// Believe X-Forwarded-For and -Proto from this network (repeat, or commas)
    #[arg(
        long = "trusted-proxy",
        value_name = "CIDR",
        env = "BAILIWICK_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_parser = network
    )]
    pub trusted_proxies: Vec<IpNet>,
    /// Serve Prometheus metrics here; loopback only [default: off]
    #[arg(long, value_name = "ADDR:PORT", env = "BAILIWICK_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// How long a console session lives, in minutes, 15 to 720 [default: 720]
    #[arg(
        long,
        value_name = "MINUTES",
        env = "BAILIWICK_CONSOLE_SESSION_MINUTES",
        value_parser = clap::value_parser!(u16).range(15..=720)
    )]
    pub console_session_minutes: Option<u16>,
    /// How log lines look [default: text]
    #[arg(long, value_name = "FORMAT", env = "BAILIWICK_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged: a level, or rules such as `info,bailiwick_server=debug` [default: info]
    #[arg(long, value_name = "FILTER", env = "BAILIWICK_LOG")]
    pub log: Option<String>,
    /// Connections at one time [default: 4096]
    #[arg(long, value_name = "N", env = "BAILIWICK_MAX_CONNECTIONS")]
    pub max_connections: Option<usize>,
    /// Connections at one time from one address, trusted proxies apart [default: 1024]
    #[arg(long, value_name = "N", env = "BAILIWICK_MAX_CONNECTIONS_PER_ADDRESS")]
    pub max_connections_per_address: Option<usize>,
    /// Longest request body answered, in bytes [default: 1048576]
    #[arg(long, value_name = "BYTES", env = "BAILIWICK_MAX_BODY_BYTES")]
    pub max_body_bytes: Option<usize>,
}

/// The settings file. Every name is that of its flag, with underscores.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    data_dir: Option<PathBuf>,
    master_key_file: Option<PathBuf>,
    listen: Option<SocketAddr>,
    account_id: Option<AccountId>,
    partition: Option<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    #[serde(default)]
    tls_self_signed: bool,
    #[serde(default)]
    tls_names: Vec<String>,
    public_url: Option<String>,
    passkey_rp_id: Option<String>,
    #[serde(default)]
    passkey_origins: Vec<String>,
    time_zone: Option<String>,
    #[serde(default)]
    trusted_proxies: Vec<IpNet>,
    metrics_listen: Option<SocketAddr>,
    console_session_minutes: Option<u16>,
    log_format: Option<LogFormat>,
    log: Option<String>,
    max_connections: Option<usize>,
    max_connections_per_address: Option<usize>,
    max_body_bytes: Option<usize>,
    /// Quotas that differ from AWS's: a table `[quotas]`.
    #[serde(default)]
    quotas: Quotas,
}

/// A time zone by its name in the IANA database: the system's, or the one built in.
fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "not a time zone such as Europe/Berlin".to_owned())
}

/// A network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "not a network such as 10.0.0.0/8".to_owned())
}

/// Where the state lives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Home {
    /// In memory, gone at the end: a development server.
    Memory,
    /// In a directory.
    Directory(DataDir),
}

/// Which certificate is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Tls {
    /// None: connections are plain.
    Off,
    /// The operator's.
    Own {
        /// The PEM chain.
        cert: PathBuf,
        /// The PEM key.
        key: PathBuf,
    },
    /// One made here, with these further names.
    SelfSigned {
        /// Names beside the loopback ones and the listener's.
        names: Vec<String>,
    },
}

/// The settings in effect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the state lives.
    pub home: Home,
    /// The file with the master key, when it is not in the data directory.
    pub master_key_file: Option<PathBuf>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The first account's number.
    pub account_id: Option<AccountId>,
    /// The partition in all ARNs.
    pub partition: Partition,
    /// The quotas of every account.
    pub quotas: Quotas,
    /// The certificate.
    pub tls: Tls,
    /// The address that clients use, when it is not the listener's.
    pub public_url: Option<String>,
    /// The domain of passkeys and its pages, when the address does not tell.
    pub relying_party: Option<RelyingParty>,
    /// The zone of `bailiwick:TimeOfDay`.
    pub time_zone: TimeZone,
    /// Whose forwarded headers are believed.
    pub proxies: TrustedProxies,
    /// Where metrics are served.
    pub metrics_listen: Option<SocketAddr>,
    /// How long a console session lives, in minutes, if not AWS's twelve hours.
    pub console_session_minutes: Option<u16>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
    /// What a client may take.
    pub limits: Limits,
}

impl Settings {
    /// Puts flags (with the environment in them) and file together and checks the whole.
    pub fn resolve(args: ServeArgs) -> anyhow::Result<Self> {
        check_variables(env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
        let file = args.config.as_deref().map(read).transpose()?.unwrap_or_default();
        merge(args, file)
    }

    /// Whether this is a development server.
    pub fn dev(&self) -> bool {
        self.home == Home::Memory
    }
}

fn read(path: &Path) -> anyhow::Result<SettingsFile> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    // The message has line and column, and names the setting.
    toml::from_str(&text)
        .with_context(|| format!("`{}` has a setting that is not right", path.display()))
}

fn merge(args: ServeArgs, file: SettingsFile) -> anyhow::Result<Settings> {
    let listen = match args.listen.or(file.listen) {
        Some(listen) => listen,
        None => DEFAULT_LISTEN.parse()?,
    };
    let home = match (args.dev, args.data_dir.or(file.data_dir)) {
        (true, Some(_)) => {
            bail!("`--dev` keeps all in memory: leave out the data directory, or `--dev`")
        }
        (true, None) => Home::Memory,
        (false, dir) => {
            Home::Directory(DataDir::new(dir.unwrap_or_else(|| DEFAULT_DATA_DIR.into())))
        }
    };
    let (cert, key) = (args.tls_cert.or(file.tls_cert), args.tls_key.or(file.tls_key));
    let names = if args.tls_names.is_empty() { file.tls_names } else { args.tls_names };
    let tls = match (cert, key, args.tls_self_signed || file.tls_self_signed) {
        (None, None, false) => Tls::Off,
        (None, None, true) => Tls::SelfSigned { names },
        (Some(cert), Some(key), false) => Tls::Own { cert, key },
        (Some(_), Some(_), true) => {
            bail!("`--tls-self-signed` and `--tls-cert` exclude each other")
        }
        _ => bail!("`--tls-cert` and `--tls-key` go together"),
    };
    let partition = match (args.partition, file.partition) {
        (Some(partition), _) => partition,
        (None, Some(name)) => name.parse().with_context(|| format!("partition `{name}`"))?,
        (None, None) => Partition::default(),
    };
    let public_url = args.public_url.or(file.public_url);
    let origins =
        if args.passkey_origins.is_empty() { file.passkey_origins } else { args.passkey_origins };
    let rp_id = args.passkey_rp_id.or(file.passkey_rp_id);
    let relying_party = relying_party(rp_id.as_deref(), origins, public_url.as_deref())?;
    let time_zone = match (args.time_zone, file.time_zone) {
        (Some(zone), _) => zone,
        (None, Some(name)) => {
            zone(&name).map_err(|problem| anyhow::anyhow!("`time_zone`: `{name}` is {problem}"))?
        }
        (None, None) => TimeZone::UTC,
    };
    let networks =
        if args.trusted_proxies.is_empty() { file.trusted_proxies } else { args.trusted_proxies };
    let usual = Limits::default();
    let limits = Limits {
        connections: args.max_connections.or(file.max_connections).unwrap_or(usual.connections),
        connections_per_address: args
            .max_connections_per_address
            .or(file.max_connections_per_address)
            .unwrap_or(usual.connections_per_address),
        body_bytes: args.max_body_bytes.or(file.max_body_bytes).unwrap_or(usual.body_bytes),
        ..usual
    };
    let settings = Settings {
        home,
        master_key_file: args.master_key_file.or(file.master_key_file),
        listen,
        account_id: args.account_id.or(file.account_id),
        partition,
        quotas: file.quotas,
        tls,
        public_url,
        relying_party,
        time_zone,
        proxies: TrustedProxies::new(networks),
        metrics_listen: args.metrics_listen.or(file.metrics_listen),
        console_session_minutes: args.console_session_minutes.or(file.console_session_minutes),
        log_format: args.log_format.or(file.log_format).unwrap_or_default(),
        log: args.log.or(file.log).unwrap_or_else(|| "info".into()),
        limits,
    };
    check(&settings)?;
    Ok(settings)
}

/// The domain of passkeys, with the origins that are given or that the public address tells.
fn relying_party(
    id: Option<&str>,
    origins: Vec<String>,
    public_url: Option<&str>,
) -> anyhow::Result<Option<RelyingParty>> {
    let usual = public_url.and_then(RelyingParty::of_url);
    let (id, origins) = match (id, origins.is_empty(), &usual) {
        (None, true, _) => return Ok(None),
        (Some(id), false, _) => (id, origins),
        (Some(id), true, Some(usual)) => (id, usual.origins.clone()),
        (None, false, Some(usual)) => (usual.id.as_str(), origins),
        (Some(_), true, None) => {
            bail!("`--passkey-rp-id` needs `--passkey-origin` or `--public-url`")
        }
        (None, false, None) => {
            bail!("`--passkey-origin` needs `--passkey-rp-id` or `--public-url`")
        }
    };
    RelyingParty::new(id, origins).map(Some).context("passkeys")
}

/// Combinations that would open a door.
fn check(settings: &Settings) -> anyhow::Result<()> {
    if settings.console_session_minutes.is_some_and(|minutes| !(15..=720).contains(&minutes)) {
        bail!("`console_session_minutes` is 15 to 720");
    }
    let loopback = is_loopback(settings.listen.ip());
    if settings.dev() && !loopback {
        bail!(
            "`--dev` listens on loopback only, and {} is not: its switches need no credentials",
            settings.listen
        );
    }
    if settings.dev() && settings.account_id.is_some() {
        bail!("`--dev` is always account 123456789012: leave out `--account-id`");
    }
    if settings.dev() && matches!(settings.tls, Tls::SelfSigned { .. }) {
        bail!(
            "`--tls-self-signed` keeps its certificate in a data directory, and `--dev` has none"
        );
    }
    if !loopback && settings.tls == Tls::Off {
        bail!(
            "{} is reachable from other machines, so it needs TLS: give `--tls-cert` and \
             `--tls-key`, or `--tls-self-signed`",
            settings.listen
        );
    }
    if let Some(metrics) = settings.metrics_listen.filter(|address| !is_loopback(address.ip())) {
        bail!("metrics are served on loopback only, and {metrics} is not");
    }
    for (name, value) in [
        ("max-connections", settings.limits.connections),
        ("max-connections-per-address", settings.limits.connections_per_address),
        ("max-body-bytes", settings.limits.body_bytes),
    ] {
        // Above this the semaphore and the buffers have no sense.
        if value == 0 || value > 1 << 28 {
            bail!("`--{name}` is 1 to 268435456, not {value}");
        }
    }
    if let Some(url) = &settings.public_url {
        let fine = url.parse::<http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
        });
        if !fine {
            bail!(
                "`--public-url` is an address such as `https://iam.example.org:4680`, not `{url}`"
            );
        }
    }
    Ok(())
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Refuses unknown variables with our prefix. Orchestrators make some of their own for a service
/// that is called `bailiwick`; those are theirs.
fn check_variables(names: impl Iterator<Item = String>) -> anyhow::Result<()> {
    for name in names {
        let Some(rest) = name.strip_prefix("BAILIWICK_") else { continue };
        let orchestrator =
            rest.starts_with("SERVICE_") || rest == "PORT" || rest.starts_with("PORT_");
        if !orchestrator && !KNOWN_VARIABLES.contains(&name.as_str()) {
            bail!("the environment sets `{name}`, which this version does not know");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(change: impl FnOnce(&mut ServeArgs), file: &str) -> anyhow::Result<Settings> {
        let mut args = ServeArgs::default();
        change(&mut args);
        merge(args, toml::from_str(file)?)
    }

    #[test]
    fn flags_go_before_the_file_and_the_file_before_the_defaults() {
        let plain = settle(|_| {}, "").unwrap();
        assert_eq!(plain.listen.to_string(), DEFAULT_LISTEN);
        assert_eq!(plain.home, Home::Directory(DataDir::new(DEFAULT_DATA_DIR)));
        let file = "listen = '127.0.0.1:1'\nmax_connections = 5\nlog_format = 'json'";
        let settings = settle(|args| args.listen = "127.0.0.1:2".parse().ok(), file).unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.limits.connections, 5);
        assert_eq!(settings.log_format, LogFormat::Json);
    }

    #[test]
    fn tm_p05_unknown_settings_are_refused() {
        for file in ["tls_seflsigned = true", "[listen]\nport = 1", "dev = true", "listen = 'x'"] {
            assert!(settle(|_| {}, file).is_err(), "{file}");
        }
        let check = |name: &str| check_variables([name.to_owned()].into_iter());
        for (name, fine) in [
            ("BAILIWICK_LISTEN", true),
            ("BAILIWICK_LISTN", false),
            ("BAILIWICK_SERVICE_HOST", true),
            ("BAILIWICK_PORT", true),
            ("BAILIWICK_PORT_4680_TCP", true),
            ("HOME", true),
        ] {
            assert_eq!(check(name).is_ok(), fine, "{name}");
        }
    }

    /// F10, P04: no open door without TLS, no development switches beyond this machine.
    #[test]
    fn tm_f10_beyond_loopback_only_with_tls() {
        for (file, dev, fine) in [
            ("listen = '0.0.0.0:4680'", false, false),
            ("listen = '[::]:4680'", false, false),
            ("listen = '192.0.2.1:4680'", false, false),
            ("listen = '[::ffff:192.0.2.1]:4680'", false, false),
            ("listen = '[::1]:4680'", false, true),
            ("listen = '127.9.9.9:4680'", false, true),
            ("listen = '0.0.0.0:4680'\ntls_self_signed = true", false, true),
            ("listen = '0.0.0.0:4680'\ntls_cert = 'a'\ntls_key = 'b'", false, true),
            ("tls_cert = 'a'", false, false),
            ("tls_cert = 'a'\ntls_key = 'b'\ntls_self_signed = true", false, false),
            ("", true, true),
            ("listen = '0.0.0.0:4680'\ntls_cert = 'a'\ntls_key = 'b'", true, false),
            ("data_dir = 'x'", true, false),
            ("account_id = '111122223333'", true, false),
        ] {
            let settled = settle(|args| args.dev = dev, file);
            assert_eq!(settled.is_ok(), fine, "{file:?} {dev}: {settled:?}");
        }
    }

    /// F07: keys are bound to a host name, and pages of others cannot use them.
    #[test]
    fn tm_f07_passkeys_have_a_domain_and_its_pages() {
        let party = |file: &str| settle(|_| {}, file).map(|settings| settings.relying_party);
        assert_eq!(party("").unwrap(), None);
        let url = "public_url = 'https://iam.example.org:4680'\n";
        let told = party(&format!("{url}passkey_rp_id = 'example.org'")).unwrap().unwrap();
        assert_eq!(told.id, "example.org");
        assert_eq!(told.origins, ["https://iam.example.org:4680"]);
        let told = party(&format!("{url}passkey_origins = ['https://iam.example.org']"));
        assert_eq!(told.unwrap().unwrap().id, "iam.example.org");
        for file in [
            "passkey_rp_id = 'example.org'",
            "passkey_origins = ['https://example.org']",
            "passkey_rp_id = 'example.org'\npasskey_origins = ['https://example.com']",
            "passkey_rp_id = 'example.org'\npasskey_origins = ['http://example.org']",
            "passkey_rp_id = '192.0.2.1'\npasskey_origins = ['https://192.0.2.1']",
            "passkey_rp_id = ''\npasskey_origins = ['https://example.org']",
            "passkey_rp_id = 'localhost'\npasskey_origins = []",
        ] {
            assert!(party(file).is_err(), "{file}");
        }
    }

    #[test]
    fn tm_h05_metrics_stay_on_loopback() {
        assert!(settle(|_| {}, "").unwrap().metrics_listen.is_none());
        assert!(settle(|_| {}, "metrics_listen = '127.0.0.1:0'").is_ok());
        assert!(settle(|_| {}, "metrics_listen = '0.0.0.0:9000'").is_err());
    }

    #[test]
    fn known_variables_are_those_of_the_flags() {
        use clap::Args as _;
        let command = ServeArgs::augment_args(clap::Command::new("serve"));
        for argument in command.get_arguments() {
            if let Some(name) = argument.get_env() {
                assert!(KNOWN_VARIABLES.contains(&name.to_str().unwrap()), "{name:?}");
            }
        }
    }
}
