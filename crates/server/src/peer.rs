//! Who is really calling: the connection's address, or what a trusted proxy says of it (H03).

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use crate::Peer;

/// The networks whose forwarded headers are believed. Empty by default: nobody's.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Believes proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether `address` is such a proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The networks, for the banner.
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }

    /// The peer of a request that came over a connection from `connection`, encrypted or not.
    ///
    /// `X-Forwarded-For` is read from the right: each hop that is a trusted proxy vouches for
    /// the one to its left; the first that is not is the client. A hop that is no address ends
    /// the walk at the proxy that let it through. `X-Forwarded-Proto` is believed from a trusted
    /// connection only, its last word, since a proxy appends.
    pub(crate) fn peer(&self, connection: IpAddr, secure: bool, headers: &HeaderMap) -> Peer {
        let direct = Peer { address: connection, secure };
        if self.0.is_empty() || !self.contains(connection) {
            return direct;
        }
        let mut address = connection;
        for hop in words(headers, "x-forwarded-for") {
            let Some(hop) = parse(hop) else { break };
            address = hop;
            if !self.contains(hop) {
                break;
            }
        }
        let secure = match words(headers, "x-forwarded-proto").next() {
            Some(scheme) => scheme.eq_ignore_ascii_case("https"),
            None => secure,
        };
        Peer { address, secure }
    }
}

/// The comma-separated words of all such headers, from the right.
fn words<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        // What is not text cannot be believed: an empty word ends the walk there.
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    values.into_iter().rev().flat_map(|value| value.rsplit(',')).map(str::trim)
}

/// An address, with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(hop);
    let address = bare
        .parse::<IpAddr>()
        .or_else(|_| hop.parse::<std::net::SocketAddr>().map(|socket| socket.ip()))
        .ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(trusted: &[&str], from: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let proxies = TrustedProxies::new(trusted.iter().map(|net| net.parse().unwrap()).collect());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let peer = proxies.peer(from.parse().unwrap(), false, &map);
        (peer.address.to_string(), peer.secure)
    }

    #[test]
    fn tm_h03_forwarded_addresses_count_only_from_trusted_networks() {
        let net = &["10.0.0.0/8", "fd00::/8"][..];
        let xff = "x-forwarded-for";
        for (trusted, from, headers, expected) in [
            (&[][..], "10.0.0.1", vec![(xff, "1.2.3.4")], "10.0.0.1"),
            (net, "192.0.2.9", vec![(xff, "1.2.3.4")], "192.0.2.9"),
            (net, "10.0.0.1", vec![], "10.0.0.1"),
            (net, "10.0.0.1", vec![(xff, "1.2.3.4")], "1.2.3.4"),
            // The client wrote the left part itself.
            (net, "10.0.0.1", vec![(xff, "6.6.6.6, 1.2.3.4")], "1.2.3.4"),
            (net, "10.0.0.1", vec![(xff, "6.6.6.6"), (xff, "1.2.3.4, 10.9.9.9")], "1.2.3.4"),
            (net, "10.0.0.1", vec![(xff, "10.3.3.3, 10.4.4.4")], "10.3.3.3"),
            (net, "10.0.0.1", vec![(xff, "1.2.3.4, unknown")], "10.0.0.1"),
            (net, "10.0.0.1", vec![(xff, "1.2.3.4, unknown, 10.4.4.4")], "10.4.4.4"),
            (net, "10.0.0.1", vec![(xff, "")], "10.0.0.1"),
            (net, "10.0.0.1", vec![(xff, "1.2.3.4:5555")], "1.2.3.4"),
            (net, "fd00::1", vec![(xff, "[2001:db8::7]:443")], "2001:db8::7"),
            (net, "fd00::1", vec![(xff, "::ffff:1.2.3.4")], "1.2.3.4"),
        ] {
            assert_eq!(peer(trusted, from, &headers).0, expected, "{from} {headers:?}");
        }
    }

    /// The scheme decides `aws:SecureTransport`, so it is believed as little as the address.
    #[test]
    fn tm_h03_forwarded_scheme_counts_only_from_trusted_networks() {
        let net = &["10.0.0.0/8"][..];
        let proto = "x-forwarded-proto";
        for (from, headers, expected) in [
            ("192.0.2.9", vec![(proto, "https")], false),
            ("10.0.0.1", vec![(proto, "https")], true),
            ("10.0.0.1", vec![(proto, "https, http")], false),
            ("10.0.0.1", vec![(proto, "http"), (proto, "HTTPS")], true),
            ("10.0.0.1", vec![], false),
        ] {
            assert_eq!(peer(net, from, &headers).1, expected, "{from} {headers:?}");
        }
    }
}
