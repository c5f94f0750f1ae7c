//! What a start tells the operator: the settings in effect, above all those of security (P04).

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::data_dir::{DataDir, Endpoint};
use crate::operator::{AccountSummary, Credentials};
use crate::settings::{Home, Settings, Tls};

/// What the banner tells of.
pub(crate) struct Facts<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) fingerprint: Option<&'a str>,
    pub(crate) accounts: Vec<AccountSummary>,
}

/// The banner.
pub(crate) fn text(facts: &Facts<'_>) -> String {
    let settings = facts.settings;
    let mut text = format!("Bailiwick {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<16} {value}");
    };
    line("address", &facts.endpoint.url);
    line(
        "encryption",
        &match (&settings.tls, &facts.endpoint.ca_bundle, facts.fingerprint) {
            (Tls::Off, ..) => "off (loopback only)".to_owned(),
            (Tls::Own { cert, .. }, ..) => format!("TLS, certificate {}", cert.display()),
            (Tls::SelfSigned { .. }, bundle, _) => format!(
                "TLS, certificate made here; trust {}",
                bundle.as_deref().unwrap_or_default()
            ),
        },
    );
    if let Some(fingerprint) = facts.fingerprint {
        line("", &format!("SHA-256 {fingerprint}"));
    }
    line(
        "data",
        &match &settings.home {
            Home::Memory => "in memory, gone at the end".to_owned(),
            Home::Directory(dir) => dir.path().display().to_string(),
        },
    );
    line("accounts", &accounts(&facts.accounts));
    line("enforcement", "always on: every call needs a signature, and denials are final");
    let networks = settings.proxies.networks();
    let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
    let networks = if networks.is_empty() { "none".to_owned() } else { networks.join(", ") };
    line("trusted proxies", &networks);
    line(
        "metrics",
        &facts.metrics.map_or_else(|| "off".to_owned(), |at| format!("http://{at}/metrics")),
    );
    line("partition", &settings.partition.to_string());
    let limits = &settings.limits;
    line(
        "limits",
        &format!(
            "{} connections, {} an address, bodies of {} bytes",
            limits.connections, limits.connections_per_address, limits.body_bytes
        ),
    );
    if settings.dev() {
        line("clock", "settable");
        line("DEVELOPMENT", "anybody on this machine may reset the server and set its clock");
    } else {
        line("clock", "the system's");
    }
    text
}

/// What a first start tells: where the credentials are, never what they are (F10).
pub(crate) fn first_start(made: &Credentials, dir: &DataDir) -> String {
    format!(
        "First start: account {}, user {}.\n  The access key and the one-time console password are in {}\n  \
         Point a client here with: eval \"$(bailiwick env --data-dir {})\"\n",
        made.account,
        made.user,
        dir.credentials().display(),
        dir.path().display(),
    )
}

/// What a start tells that finds accounts and no credentials: how the operator gets in again.
pub(crate) fn no_credentials(summaries: &[AccountSummary], dir: &DataDir) -> String {
    let account = match summaries {
        [only] => only.account.to_string(),
        _ => "ID".to_owned(),
    };
    format!(
        "WARNING: there are accounts ({}), but {} is missing.\n  If no administrator's key is kept \
         elsewhere, make one of the root user:\n  bailiwick root create-key --account {account} \
         --data-dir {}\n",
        accounts(summaries),
        dir.credentials().display(),
        dir.path().display(),
    )
}

fn accounts(summaries: &[AccountSummary]) -> String {
    let shown: Vec<String> =
        summaries.iter().take(5).map(|summary| summary.account.to_string()).collect();
    match summaries.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
