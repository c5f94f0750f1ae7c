//! Values of conditions: can they mean what the operator and the key expect.

use std::net::IpAddr;

use super::code::IssueCode as Code;
use super::document::{Condition, Statement, Text};
use super::facts::is_region;
use super::glob;
use super::operation::Family;
use super::run::Sink;

/// Keys whose values are the names of services.
const SERVICE_KEYS: [&str; 7] = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "iam:AWSServiceName",
    "iam:PassedToService",
];

/// Keys whose values are ARNs of KMS keys.
const KMS_KEYS: [&str; 4] = [
    "backup-storage:KmsKeyArn",
    "codebuild:encryptionKey",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3express:x-amz-server-side-encryption-aws-kms-key-id",
];

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    for condition in &statement.conditions {
        let Some(operation) = condition.operation else { continue };
        let family = operation.family();
        if family == Family::Bool && condition.values.len() > 1 {
            let details = "A Boolean condition key takes one value. Use `true` or `false`.";
            sink.report(Code::InvalidConditionMultipleBoolean, condition.values_at, details);
        }
        for value in condition.values.iter().filter(|value| !value.text.contains("${")) {
            typed(sink, family, *value);
            if matches!(family, Family::String | Family::Arn) {
                known_form(sink, condition, *value, operation.is_pattern());
            }
        }
    }
}

/// The value has the type of the operator.
fn typed(sink: &mut Sink<'_, '_>, family: Family, value: Text<'_>) {
    let text = value.text;
    let (code, expected) = match family {
        Family::Bool | Family::Null => {
            if ["true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
                return;
            }
            (Code::TypeMismatchBoolean, "a Boolean: `true` or `false`")
        }
        Family::Numeric => {
            if is_number(text) {
                return;
            }
            (Code::TypeMismatchNumber, "a number")
        }
        Family::Date => {
            if text.len() > 4 && is_number(text) {
                let details = format!(
                    "The date `{text}` counts seconds since 1970. Write it as ISO 8601, such as `2026-01-31T00:00:00Z`."
                );
                return sink.report(Code::InvalidDateValue, value.at, details);
            }
            if is_date(text) {
                return;
            }
            (Code::TypeMismatchDate, "a date of ISO 8601, such as `2026-01-31T00:00:00Z`")
        }
        Family::Binary => {
            if is_base64(text) {
                return;
            }
            (Code::TypeMismatchString, "text in base64")
        }
        Family::Ip => match Cidr::parse(text) {
            Some(cidr) => return improve(sink, cidr, value),
            None => (Code::TypeMismatchIpRange, "an IP address or a range in CIDR notation"),
        },
        Family::String | Family::Arn => return,
    };
    sink.report(code, value.at, format!("The value `{text}` is not {expected}."));
}

fn improve(sink: &mut Sink<'_, '_>, cidr: Cidr, value: Text<'_>) {
    let masked = cidr.masked();
    if masked != cidr.address {
        let details = format!(
            "The range `{}` has bits set that its prefix leaves out. Write `{masked}/{}`.",
            value.text, cidr.prefix
        );
        sink.report(Code::ImproveIpRange, value.at, details);
    }
}

/// The value has the form that the key asks for.
fn known_form(sink: &mut Sink<'_, '_>, condition: &Condition<'_>, value: Text<'_>, pattern: bool) {
    let text = value.text;
    let wild = pattern && glob::is_wild(text);
    if condition.tests_any(&["aws:RequestedRegion", "ec2:Region"]) && !wild && !is_region(text) {
        let details = format!("The Region `{text}` does not exist.");
        sink.report(Code::InvalidRegion, value.at, details);
    }
    if condition.tests("aws:SourceVpc") && !wild && !is_id(text, "vpc-") {
        let details = format!("`{text}` is no id of a VPC: `vpc-` and 8 or 17 hexadecimal digits.");
        sink.report(Code::InvalidVpcFormat, value.at, details);
    }
    if condition.tests("aws:SourceVpce") && !wild && !is_id(text, "vpce-") {
        let details =
            format!("`{text}` is no id of a VPC endpoint: `vpce-` and 8 or 17 hexadecimal digits.");
        sink.report(Code::InvalidVpceFormat, value.at, details);
    }
    if condition.tests_any(&SERVICE_KEYS) && !wild && !is_service_principal(text) {
        let details = format!(
            "The service principal `{text}` has not the form of one, such as `ec2.amazonaws.com`."
        );
        sink.report(Code::InvalidServicePrincipalFormat, value.at, details);
    }
    if condition.tests_any(&KMS_KEYS) && !glob::overlap(text, "arn:*:kms:*:*:key/*", false) {
        let details = format!("The value `{text}` is not the ARN of a KMS key.");
        sink.report(Code::InvalidKmsKeyValue, value.at, details);
    }
}

/// Whether a text has the form of a service's name as principal.
pub(super) fn is_service_principal(text: &str) -> bool {
    let ends = [
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".amazonaws.eu",
        ".amazon.com",
        ".aws.internal",
        ".amazon.internal",
        ".c2s.ic.gov",
        ".sc2s.sgov.gov",
        ".api.aws",
    ];
    let name = ends.iter().find_map(|end| text.strip_suffix(end));
    name.is_some_and(|name| {
        name.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
    })
}

fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// OP-N2.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction)
}

/// OP-D2, without epoch seconds.
pub(super) fn is_date(text: &str) -> bool {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let number = |text: &str, len: usize, from: u32, to: u32| {
        text.len() == len
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|n| (from..=to).contains(&n))
    };
    let day = match parts.as_slice() {
        [year] => number(year, 4, 0, 9999) && time.is_none(),
        [year, month] => number(year, 4, 0, 9999) && number(month, 2, 1, 12) && time.is_none(),
        [year, month, day] => {
            number(year, 4, 0, 9999) && number(month, 2, 1, 12) && number(day, 2, 1, 31)
        }
        _ => false,
    };
    let Some(time) = time else { return day };
    let bare = time.strip_suffix(['Z', 'z']).unwrap_or(time);
    let (clock, zone) = match bare.find(['+', '-']) {
        Some(at) => bare.split_at_checked(at).unwrap_or((bare, "")),
        None => (bare, ""),
    };
    let zone_fits = zone.is_empty()
        || zone.get(1..).is_some_and(|zone| match zone.split_once(':') {
            Some((hours, minutes)) => number(hours, 2, 0, 23) && number(minutes, 2, 0, 59),
            None => number(zone, 2, 0, 23) || zone.len() == 4,
        });
    let clock: Vec<&str> = clock.split(':').collect();
    let clock_fits = match clock.as_slice() {
        [hour, minute] => number(hour, 2, 0, 24) && number(minute, 2, 0, 59),
        [hour, minute, second] => {
            let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
            number(hour, 2, 0, 24)
                && number(minute, 2, 0, 59)
                && number(second, 2, 0, 60)
                && fraction.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    };
    day && zone_fits && clock_fits
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// A range of addresses (OP-I2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cidr {
    pub(super) address: IpAddr,
    pub(super) prefix: u32,
}

impl Cidr {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        (prefix <= width).then_some(Self { address, prefix })
    }

    /// The first address of the range.
    pub(super) fn masked(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                IpAddr::V6((address.to_bits() & mask).into())
            }
        }
    }

    /// Whether every address of the other range is in this one.
    pub(super) fn contains(self, other: Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.prefix <= other.prefix
            && self.masked() == Self { address: other.address, prefix: self.prefix }.masked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_values() {
        for text in
            ["2026", "2026-01", "2026-01-31", "2026-01-31T10:00Z", "2026-01-31T10:00:00.5+02:00"]
        {
            assert!(is_date(text), "{text}");
        }
        for text in ["", "26", "2026-13", "2026-01-31T", "2026-01-31T25:00", "tomorrow", "2026-1-1"]
        {
            assert!(!is_date(text), "{text}");
        }
        for (text, expected) in
            [("1", true), ("-1.5", true), ("1e3", false), ("", false), (".5", false)]
        {
            assert_eq!(is_number(text), expected, "{text}");
        }
        for (text, expected) in [("YQ==", true), ("YQ=", false), ("a b=", false), ("", true)] {
            assert_eq!(is_base64(text), expected, "{text}");
        }
        assert_eq!(Cidr::parse("10.1.2.3/8").unwrap().masked().to_string(), "10.0.0.0");
        assert!(Cidr::parse("10.0.0.0/33").is_none() && Cidr::parse("::/0").is_some());
    }
}
