//! Lengths against the quotas (section 14 of the rules of evaluation).

use super::ResourceType;
use super::code::IssueCode as Code;
use super::document::Policy;
use super::json::Bytes;
use super::run::{Kind, Sink};

/// A managed policy, in characters without white space.
const IDENTITY: usize = 6_144;
/// A trust policy, likewise, by default.
const TRUST: usize = 2_048;
/// A service control policy, all characters (since May 2026).
const SERVICE_CONTROL: usize = 10_240;
/// A resource control policy, all characters.
const RESOURCE_CONTROL: usize = 5_120;
/// A bucket policy, also taken where the resource is not known.
const RESOURCE: usize = 20_480;

pub(super) fn check(sink: &mut Sink<'_, '_>, _policy: &Policy<'_>) {
    let (code, quota) = match sink.kind() {
        Kind::Identity => (Code::PolicySizeExceedsIdentityPolicyQuota, IDENTITY),
        Kind::Trust => (Code::PolicySizeExceedsRoleTrustPolicyQuota, TRUST),
        Kind::ServiceControl => (Code::PolicySizeExceedsScpQuota, SERVICE_CONTROL),
        Kind::ResourceControl => (Code::PolicySizeExceedsRcpQuota, RESOURCE_CONTROL),
        Kind::Resource => (Code::PolicySizeExceedsResourcePolicyQuota, RESOURCE),
    };
    let all = matches!(sink.kind(), Kind::ServiceControl | Kind::ResourceControl);
    let text = sink.text();
    let length = if all || sink.resource_type() == Some(ResourceType::Bucket) {
        text.trim().chars().count()
    } else {
        text.chars().filter(|c| !c.is_whitespace()).count()
    };
    if length > quota {
        let what = if all { "characters" } else { "characters without white space" };
        let details = format!(
            "The policy has {length} {what}, the quota is {quota}. Shorten it or use several policies."
        );
        sink.report(code, Bytes { start: 0, end: text.len() }, details);
    }
}
