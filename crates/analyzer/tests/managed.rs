//! The policies that AWS writes itself.

use std::time::Instant;

use bailiwick_analyzer::validate::{FindingType, PolicyType, examine, validate};
use bailiwick_catalog::Catalog;

/// Every AWS managed policy, in its default version, is without an ERROR.
#[test]
fn managed_policies_have_no_error() {
    let texts: Vec<(&str, String)> = Catalog::embedded()
        .managed_policies()
        .map(|policy| (&*policy.name, policy.default_document()))
        .collect();
    let _ = validate("{}", PolicyType::Identity, None);
    let start = Instant::now();
    let mut errors = Vec::new();
    let mut others = 0;
    for (name, text) in &texts {
        let found = examine(text, PolicyType::Identity, None);
        assert!(found.whole, "{name}");
        for finding in found.findings {
            if finding.finding_type == FindingType::Error {
                errors.push(format!("{} {name}: {}", finding.issue_code, finding.finding_details));
            } else {
                others += 1;
            }
        }
    }
    let elapsed = start.elapsed();
    println!("{} managed policies in {elapsed:?}; {others} findings below ERROR", texts.len());
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
}
