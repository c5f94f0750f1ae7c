//! One call: encoded, signed, sent, decoded.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bailiwick_wire::schema::Operation;
use bailiwick_wire::sigv4::{self, PathForm, SecretKey, Signer};
use bailiwick_wire::{Api, Shape, json, query};
use http::{Request, StatusCode, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::access::Access;
use crate::call::Refused;
use crate::clock;

const PATIENCE: Duration = Duration::from_mins(1);
/// A page of a thousand events of many kilobytes each.
const MAX_REPLY: u64 = 256 * 1024 * 1024;
/// Where systems keep the authorities they trust.
const SYSTEM_BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// An answer as it came.
struct Reply {
    status: StatusCode,
    /// What `x-amzn-errortype` says.
    code: Option<String>,
    body: Vec<u8>,
}

/// A connection to a server.
pub(crate) struct Client {
    access: Access,
    secret: SecretKey,
    address: Uri,
    agent: ureq::Agent,
}

impl Client {
    /// A client of the server, with the key. Nothing is sent yet.
    pub(crate) fn new(access: Access) -> anyhow::Result<Self> {
        let address = address(&access.endpoint)?;
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // A signed request goes where it was signed for.
            .proxy(None)
            .timeout_global(Some(PATIENCE));
        if address.scheme_str() == Some("https") {
            let provider = rustls::crypto::aws_lc_rs::default_provider();
            let tls = TlsConfig::builder()
                .unversioned_rustls_crypto_provider(Arc::new(provider))
                .root_certs(authorities(access.ca_bundle.as_deref())?)
                .build();
            config = config.tls_config(tls);
        }
        let secret = SecretKey::new(access.secret.expose()).context("the secret access key")?;
        Ok(Self { agent: config.build().new_agent(), access, secret, address })
    }

    /// Calls an operation that speaks JSON.
    pub(crate) fn call<A: Api>(&self, request: A::Request) -> anyhow::Result<A::Response> {
        let body = json::encode(A::Request::SCHEMA, &request.into_value());
        let service = A::OPERATION.service;
        let target = format!("{}.{}", service.target_prefix, A::OPERATION.name);
        let request = Request::post(self.address.clone())
            .header("content-type", json::content_type(service.protocol))
            .header("x-amz-target", target)
            .body(body)?;
        let Reply { status, code, body } = self.send(service.signing_name, request)?;
        if !status.is_success() {
            return match json::decode_error(&body, code.as_deref()) {
                Ok(error) => Err(Refused { code: error.code, message: error.message }.into()),
                Err(_) => bail!("{} answered with status {status}", self.access.endpoint),
            };
        }
        let value = json::decode(&body, A::Response::SCHEMA)
            .map_err(|error| anyhow!("the answer cannot be read: {error}"))?;
        A::Response::from_value(value).context("the answer cannot be read")
    }

    /// Calls an operation of the query protocol with this form; the answer as JSON.
    pub(crate) fn query(&self, operation: &Operation, form: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let request = Request::post(self.address.clone())
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(form)?;
        let Reply { status, body, .. } = self.send(operation.service.signing_name, request)?;
        if !status.is_success() {
            return match query::decode_error(&body) {
                Ok(error) => Err(Refused { code: error.code, message: error.message }.into()),
                Err(_) => bail!("{} answered with status {status}", self.access.endpoint),
            };
        }
        let value = query::decode_response(operation, &body)
            .map_err(|error| anyhow!("the answer cannot be read: {error}"))?;
        let encode = |output| json::encode(output, &value);
        Ok(operation.output.map_or_else(|| b"{}".to_vec(), encode))
    }

    fn send(&self, service: &str, request: Request<Vec<u8>>) -> anyhow::Result<Reply> {
        let sent = self.agent.run(self.signed(service, request)?);
        let mut reply = sent.with_context(|| format!("no answer from {}", self.access.endpoint))?;
        let code = reply.headers().get("x-amzn-errortype");
        let code = code.and_then(|code| code.to_str().ok()).map(ToOwned::to_owned);
        let status = reply.status();
        let body = reply.body_mut().with_config().limit(MAX_REPLY).read_to_vec();
        let body = body.with_context(|| format!("the answer of {}", self.access.endpoint))?;
        Ok(Reply { status, code, body })
    }

    fn signed(&self, service: &str, request: Request<Vec<u8>>) -> anyhow::Result<Request<Vec<u8>>> {
        let (mut parts, body) = request.into_parts();
        let signer = Signer {
            access_key_id: &self.access.key_id,
            secret: &self.secret,
            session_token: self.access.session_token.as_ref().map(bailiwick_wire::Secret::expose),
            region: &self.access.region,
            service,
            path_form: PathForm::Normalized,
        };
        sigv4::sign(&signer, &mut parts, &body, clock::now())?;
        Ok(Request::from_parts(parts, body))
    }
}

/// An endpoint as an address: a scheme, a host and no path.
fn address(endpoint: &str) -> anyhow::Result<Uri> {
    let address: Uri = endpoint.parse().with_context(|| format!("`{endpoint}` is no address"))?;
    let fine = matches!(address.scheme_str(), Some("http" | "https"))
        && matches!(address.path(), "" | "/")
        && address.query().is_none()
        && address.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if !fine {
        bail!("an endpoint is an address such as `http://127.0.0.1:4680`, not `{endpoint}`");
    }
    Ok(address)
}

/// The authorities of a bundle, or the system's.
fn authorities(bundle: Option<&Path>) -> anyhow::Result<RootCerts> {
    let system = || SYSTEM_BUNDLES.iter().map(Path::new).find(|path| path.exists());
    let path = bundle
        .or_else(system)
        .context("no certificate authorities found: name a file with AWS_CA_BUNDLE")?;
    let pem = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        bail!("`{}` holds no PEM certificate", path.display());
    }
    Ok(RootCerts::from(certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_bare_addresses() {
        for (endpoint, fine) in [
            ("http://127.0.0.1:4680", true),
            ("https://iam.example.org/", true),
            ("http://[::1]:4680", true),
            ("127.0.0.1:4680", false),
            ("ftp://a", false),
            ("http://a/path", false),
            ("http://user@a", false),
            ("", false),
        ] {
            assert_eq!(address(endpoint).is_ok(), fine, "{endpoint}");
        }
    }
}
