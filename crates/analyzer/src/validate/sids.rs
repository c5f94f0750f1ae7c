//! Statement ids.

use std::collections::BTreeSet;

use super::code::IssueCode as Code;
use super::document::Policy;
use super::run::{Kind, Sink};

pub(super) fn check(sink: &mut Sink<'_, '_>, policy: &Policy<'_>) {
    let strict = !matches!(sink.kind(), Kind::Resource | Kind::Trust);
    let mut seen = BTreeSet::new();
    for sid in policy.statements.iter().filter_map(|statement| statement.sid) {
        if sid.text.is_empty() {
            let advice = "The Sid is empty. Give it a value or remove it.";
            sink.report(Code::EmptySidValue, sid.at, advice);
            continue;
        }
        if strict && !sid.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let details = format!(
                "The Sid `{}` has other characters than the letters A to Z, a to z and the digits.",
                sid.text
            );
            sink.report(Code::UnsupportedSid, sid.at, details);
        }
        if !seen.insert(sid.text) {
            let (code, word) = if strict {
                (Code::UniqueSidsRequired, "must")
            } else {
                (Code::UniqueSidsRecommended, "should")
            };
            let details = format!(
                "The Sid `{}` stands twice. Each Sid {word} stand once in this type of policy.",
                sid.text
            );
            sink.report(code, sid.at, details);
        }
    }
}
