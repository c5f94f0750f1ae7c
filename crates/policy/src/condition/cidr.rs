//! Addresses and their ranges (OP-I1 to OP-I3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses of one family. An IPv4 address mapped into IPv6 is taken as IPv4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cidr {
    V4 { network: u32, mask: u32 },
    V6 { network: u128, mask: u128 },
}

impl Cidr {
    /// Reads an address, or a range `address/bits`. Host bits are masked off.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(parse_bits(bits)?)),
            None => (text, None),
        };
        if let Ok(address) = address.parse::<Ipv4Addr>() {
            return Self::v4(address, bits.unwrap_or(32));
        }
        let address = address.parse::<Ipv6Addr>().ok()?;
        let bits = bits.unwrap_or(128);
        if let Some(mapped) = address.to_ipv4_mapped()
            && (96..=128).contains(&bits)
        {
            return Self::v4(mapped, bits - 96);
        }
        let mask = match bits {
            0 => 0,
            1..=128 => u128::MAX << (128 - bits),
            _ => return None,
        };
        Some(Self::V6 { network: u128::from(address) & mask, mask })
    }

    fn v4(address: Ipv4Addr, bits: u32) -> Option<Self> {
        let mask = match bits {
            0 => 0,
            1..=32 => u32::MAX << (32 - bits),
            _ => return None,
        };
        Some(Self::V4 { network: u32::from(address) & mask, mask })
    }

    /// Whether the address lies in the range. Families never match each other (OP-I3).
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { network, mask }, IpAddr::V4(address)) => {
                u32::from(address) & mask == network
            }
            (Self::V6 { network, mask }, IpAddr::V6(address)) => {
                u128::from(address) & mask == network
            }
            _ => false,
        }
    }
}

/// An address of a request.
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    match text.parse().ok()? {
        IpAddr::V6(address) => {
            Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
        }
        address @ IpAddr::V4(_) => Some(address),
    }
}

/// One to three digits without sign or needless zero.
fn parse_bits(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text.len() == 1 || !text.starts_with('0');
    if plain && canonical && text.len() <= 3 { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_i_rules() {
        for (cidr, address, expected) in [
            ("203.0.113.0/24", "203.0.113.7", true),
            ("203.0.113.9/24", "203.0.113.7", true), // OP-I2: host bits
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("0.0.0.0/0", "203.0.113.8", true),
            ("0.0.0.0/0", "2001:db8::1", false), // OP-I3
            ("::/0", "203.0.113.8", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:0DB8:0:0:0:0:0:1", true),
            ("2001:db8::1", "2001:db8::1", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("203.0.113.0/24", "::ffff:203.0.113.7", true),
            ("::ffff:203.0.113.0/120", "203.0.113.7", true),
            ("::ffff:203.0.113.7", "::ffff:cb00:7107", true),
        ] {
            let range = Cidr::parse(cidr).unwrap();
            assert_eq!(
                range.contains(parse_address(address).unwrap()),
                expected,
                "{cidr} {address}"
            );
        }
        for text in [
            "",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/+8",
            "1.2.3.4/08",
            "01.2.3.4",
            "::1/129",
            "fe80::1%eth0",
            "1.2.3.4/8/8",
            " 1.2.3.4",
            "1.2.3.*",
        ] {
            assert!(Cidr::parse(text).is_none(), "{text:?}");
        }
        assert!(parse_address("1.2.3.4/32").is_none());
    }
}
