//! Certificates: the operator's own, or ones made here for a start (threat L08).

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use aws_lc_rs::digest;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use parking_lot::RwLock;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;

use crate::files;

/// Certificates made here are good for so long.
const LIFE_DAYS: i64 = 730;
/// At a start with less left, new ones are made.
const RENEW_DAYS: i64 = 30;

/// A certificate chain with its key, read again from its files on request.
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
}

impl Certificate {
    /// Reads a PEM chain and its PEM key. TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub fn load(chain: &Path, key: &Path) -> anyhow::Result<Self> {
        let config = RwLock::new(config(chain, key)?);
        Ok(Self { chain: chain.to_owned(), key: key.to_owned(), config })
    }

    /// Reads the files again. When they are no good the old certificate stays in use.
    pub fn reload(&self) -> anyhow::Result<()> {
        let fresh = config(&self.chain, &self.key)?;
        *self.config.write() = fresh;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.read()))
    }
}

fn config(chain: &Path, key: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let bad = |path: &Path| format!("`{}` holds no usable PEM certificate", path.display());
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| anyhow!("{}: {error}", bad(chain)))?;
    if certificates.is_empty() {
        bail!(bad(chain));
    }
    let secret = files::read_key(key)?;
    let secret = PrivateKeyDer::from_pem_slice(secret.as_bytes())
        .map_err(|_| anyhow!("`{}` holds no usable PEM key", key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(certificates, secret)
        .with_context(|| format!("`{}` does not fit `{}`", key.display(), chain.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Certificates made here, in `DIR/tls`.
#[derive(Debug)]
pub struct SelfSigned {
    /// The authority that clients must trust; its key was thrown away after one signature.
    pub authority: PathBuf,
    /// The server's chain.
    pub chain: PathBuf,
    /// The server's key, mode 0600.
    pub key: PathBuf,
    /// SHA-256 of the authority's certificate, as colon-separated hexadecimal bytes.
    pub fingerprint: String,
}

/// What certificates were made for, beside them.
#[derive(Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Made {
    names: Vec<String>,
    until: Timestamp,
}

/// The certificates for `names`, as they are in the data directory or made anew when they are
/// missing, made for other names, or near their end.
pub(crate) fn self_signed(
    data_dir: &Path,
    names: &[String],
    now: Timestamp,
) -> anyhow::Result<SelfSigned> {
    let dir = data_dir.join("tls");
    files::private_dir(&dir)?;
    let (authority, chain) = (dir.join("ca.pem"), dir.join("server.pem"));
    let (key, about) = (dir.join("server.key"), dir.join("about.json"));
    let renew_after = now.checked_add((RENEW_DAYS * 24).hours())?;
    let fresh = files::read_private(&about)
        .ok()
        .and_then(|text| serde_json::from_str::<Made>(&text).ok())
        .is_some_and(|made| made.names == names && made.until > renew_after);
    if !fresh || !authority.exists() || !chain.exists() || !key.exists() {
        let until = now.checked_add((LIFE_DAYS * 24).hours())?;
        let made = make(names, now, until)?;
        files::write_private(&key, made.key.as_bytes())?;
        files::write_private(&chain, made.chain.as_bytes())?;
        files::write_private(&authority, made.authority.as_bytes())?;
        let text = serde_json::to_string(&Made { names: names.to_vec(), until })?;
        files::write_private(&about, text.as_bytes())?;
    }
    let der = CertificateDer::from_pem_file(&authority)
        .map_err(|error| anyhow!("`{}`: {error}", authority.display()))?;
    Ok(SelfSigned { fingerprint: fingerprint(&der), authority, chain, key })
}

/// The names a certificate for this listener needs, beside those asked for.
pub(crate) fn names(listen: IpAddr, extra: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let listen = (!listen.is_unspecified()).then(|| listen.to_string());
    for name in listen.into_iter().chain(extra.iter().cloned()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

struct Pem {
    authority: String,
    chain: String,
    key: zeroize::Zeroizing<String>,
}

fn make(names: &[String], now: Timestamp, until: Timestamp) -> anyhow::Result<Pem> {
    let yesterday = now.checked_sub(24.hours())?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "Bailiwick local authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (first, last) = (date(yesterday)?, date(until)?);
    authority.not_before = rcgen::date_time_ymd(first.0, first.1, first.2);
    authority.not_after = rcgen::date_time_ymd(last.0, last.1, last.2);
    let authority_key = KeyPair::generate()?;
    let authority_pem = authority.self_signed(&authority_key)?.pem();

    let mut server = CertificateParams::new(names.to_vec())
        .context("a `--tls-name` is neither a host name nor an address")?;
    server.distinguished_name.push(DnType::CommonName, "Bailiwick");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (server.not_before, server.not_after) = (authority.not_before, authority.not_after);
    let key = KeyPair::generate()?;
    let chain = server.signed_by(&key, &Issuer::new(authority, authority_key))?.pem();
    Ok(Pem { authority: authority_pem, chain, key: key.serialize_pem().into() })
}

/// Year, month and day of an instant.
fn date(instant: Timestamp) -> anyhow::Result<(i32, u8, u8)> {
    let date = instant.to_zoned(TimeZone::UTC).date();
    Ok((i32::from(date.year()), u8::try_from(date.month())?, u8::try_from(date.day())?))
}

fn fingerprint(der: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, der);
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}
