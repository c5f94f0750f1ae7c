//! The server as browsers see it: the domain to which keys are bound, and where its pages are.

use http::Uri;

use super::super::webauthn::RelyingParty;

/// The name under which a machine serves itself.
const LOCAL: &str = "localhost";

/// Why a relying party is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PartyError {
    /// The domain is none.
    #[error("`{0}` is no host name in lower case, such as `iam.example.org`")]
    Id(String),
    /// There are no origins.
    #[error("a relying party needs an origin, such as `https://iam.example.org`")]
    NoOrigin,
    /// An origin is none.
    #[error("`{0}` is no origin, such as `https://iam.example.org:4680`: scheme, host and port")]
    Origin(String),
    /// An origin is plain.
    #[error("`{0}` is not https, and only pages of `localhost` may be without it")]
    Plain(String),
    /// An origin is of another domain.
    #[error("`{origin}` is not below `{id}`, so browsers would refuse its pages")]
    Beyond {
        /// The origin.
        origin: String,
        /// The domain.
        id: String,
    },
}

impl RelyingParty {
    /// A relying party of a domain and its origins.
    ///
    /// # Errors
    ///
    /// The domain is no host name, an origin is none, or browsers would not let its pages use keys of
    /// the domain. Source: Web Authentication, 5.1.3 and relying party identifier.
    pub fn new(id: &str, origins: Vec<String>) -> Result<Self, PartyError> {
        if !is_host_name(id) {
            return Err(PartyError::Id(id.to_owned()));
        }
        if origins.is_empty() {
            return Err(PartyError::NoOrigin);
        }
        for origin in &origins {
            let (scheme, host) = parts(origin).ok_or_else(|| PartyError::Origin(origin.clone()))?;
            let below = host.strip_suffix(id).is_some_and(|rest| rest.ends_with('.'));
            if host != id && !below {
                return Err(PartyError::Beyond { origin: origin.clone(), id: id.to_owned() });
            }
            if scheme != "https" && host != LOCAL {
                return Err(PartyError::Plain(origin.clone()));
            }
        }
        Ok(Self { id: id.to_owned(), origins, embedders: None })
    }

    /// The relying party of a server that is reached at an address: its host name, or `localhost` for
    /// an address of the machine itself. None for other addresses, to which no key can be bound.
    pub fn of_url(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let (scheme, host) = (uri.scheme_str()?, uri.host()?.to_ascii_lowercase());
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().ok();
        let host = match address {
            Some(address) if address.to_canonical().is_loopback() => LOCAL.to_owned(),
            Some(_) => return None,
            None => host,
        };
        let usual = if scheme == "https" { 443 } else { 80 };
        let port = uri.port_u16().filter(|port| *port != usual);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Self::new(&host, vec![format!("{scheme}://{host}{port}")]).ok()
    }
}

/// Scheme and host of an origin as browsers write it.
fn parts(origin: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = origin.split_once("://")?;
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let usual = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    // Browsers leave out the usual port, and write others without zeros in front.
    let written = port.is_none_or(|text| {
        text.parse().is_ok_and(|port: u16| port != usual && port != 0 && port.to_string() == text)
    });
    (is_host_name(host) && written).then_some((scheme, host))
}

/// Whether a text is a host name as browsers write it, and no address.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // What ends in a number is an address to browsers.
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.split('.').all(is_label)
        && !last.bytes().all(|digit| digit.is_ascii_digit())
        && !last.starts_with("0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_f07_keys_are_bound_to_a_host_name_and_its_pages() {
        for (id, origin, fine) in [
            ("iam.example.org", "https://iam.example.org", true),
            ("iam.example.org", "https://iam.example.org:4680", true),
            ("example.org", "https://iam.example.org", true),
            ("localhost", "http://localhost:4680", true),
            ("localhost", "http://x.localhost", false),
            ("example.org", "http://example.org", false),
            ("example.org", "https://badexample.org", false),
            ("iam.example.org", "https://example.org", false),
            ("example.org", "https://example.org/", false),
            ("example.org", "https://example.org:443", false),
            ("example.org", "https://example.org:0443", false),
            ("example.org", "https://example.org:", false),
            ("example.org", "https://a@example.org", false),
            ("example.org", "https://example.org:99999", false),
            ("example.org", "https://EXAMPLE.org", false),
            ("example.org", "file://example.org", false),
            ("example.org", "example.org", false),
            ("Example.org", "https://Example.org", false),
            ("192.0.2.1", "https://192.0.2.1", false),
            ("example.0x7f", "https://example.0x7f", false),
            ("example.org.", "https://example.org.", false),
            ("-example.org", "https://-example.org", false),
            ("", "https://", false),
        ] {
            let made = RelyingParty::new(id, vec![origin.to_owned()]);
            assert_eq!(made.is_ok(), fine, "{id} {origin}: {made:?}");
        }
        assert_eq!(RelyingParty::new("example.org", Vec::new()), Err(PartyError::NoOrigin));
    }

    #[test]
    fn an_address_tells_the_usual_one() {
        let of = |url| RelyingParty::of_url(url).map(|party| (party.id, party.origins.concat()));
        let some = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
        for (url, expected) in [
            ("http://127.0.0.1:4680", some("localhost", "http://localhost:4680")),
            ("https://[::1]:4680", some("localhost", "https://localhost:4680")),
            ("https://IAM.example.org:443", some("iam.example.org", "https://iam.example.org")),
            ("https://iam.example.org", some("iam.example.org", "https://iam.example.org")),
            ("https://192.0.2.1:4680", None),
            ("http://iam.example.org", None),
            ("", None),
        ] {
            assert_eq!(of(url), expected, "{url}");
        }
    }
}
