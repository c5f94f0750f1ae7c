//! Private addresses as source of a request: what the service sees is always a public one.

use bailiwick_policy::Operator;

use super::code::IssueCode as Code;
use super::document::Statement;
use super::run::Sink;
use super::values::Cidr;

/// The ranges for private use, links and the host itself.
const PRIVATE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    for condition in statement.conditions.iter().filter(|found| found.tests("aws:SourceIp")) {
        let operator = condition.operation.map(|operation| operation.operator);
        let negated = match operator {
            Some(Operator::IpAddress) => false,
            Some(Operator::NotIpAddress) => true,
            _ => continue,
        };
        let ranges: Vec<(Cidr, _)> = condition
            .values
            .iter()
            .filter_map(|value| Some((Cidr::parse(value.text)?, value.at)))
            .collect();
        let private: Vec<_> =
            ranges.iter().filter(|(range, _)| is_private(*range)).map(|(_, at)| *at).collect();
        if private.is_empty() {
            continue;
        }
        let whole = private.len() == ranges.len() && ranges.len() == condition.values.len();
        let (code, details) = match (whole, negated) {
            (true, false) => (
                Code::PrivateIpAddress,
                "All values of aws:SourceIp are private addresses, so the condition never matches. Use public ones, or aws:VpcSourceIp.",
            ),
            (true, true) => (
                Code::PrivateNotIpAddress,
                "All values of aws:SourceIp are private addresses, so the condition always matches. Use public ones, or aws:VpcSourceIp.",
            ),
            (false, false) => (
                Code::PrivateIpAddressSubset,
                "Some values of aws:SourceIp are private addresses, which never match. Remove them.",
            ),
            (false, true) => (
                Code::PrivateNotIpAddressSubset,
                "Some values of aws:SourceIp are private addresses, which have no effect. Remove them.",
            ),
        };
        sink.report_all(code, &private, details);
    }
}

fn is_private(range: Cidr) -> bool {
    PRIVATE.iter().filter_map(|text| Cidr::parse(text)).any(|private| private.contains(range))
}
