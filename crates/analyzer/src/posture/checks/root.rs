//! ROOT: the root user.

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "ROOT-01",
    needs: &[Need::Any(&[Data::CredentialReport, Data::AccountSummary])],
    remedy: "sign in as root, delete the access keys, and use a role for what they did",
    run: no_access_key,
}];

/// ROOT-01: the report's two columns, or the summary's number.
fn no_access_key(audit: &Audit<'_>, results: &mut Results) {
    let root = audit.evidence.credential_report.known().and_then(|report| report.root());
    let by_report = root.map(|row| row.keys.iter().any(|key| key.active));
    let summary = audit.evidence.account_summary.known();
    let by_summary =
        summary.and_then(|map| map.get("AccountAccessKeysPresent")).map(|number| *number > 0);
    match (by_report, by_summary) {
        (None, None) => results.not_assessed(&audit.account, "neither source tells of root's keys"),
        (report, summary) => {
            let has = report == Some(true) || summary == Some(true);
            results.judge(!has, || {
                Found::new(&audit.account, "the root user has an access key")
                    .when(root.and_then(|row| row.keys.iter().find_map(|key| key.used.at())))
            });
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{Case, folder, report};
    use serde_json::json;

    pub(crate) fn cases() -> Vec<Case> {
        let clean = folder(|f| {
            f.text("credential-report.csv", &report(&[]));
            f.put("account-summary.json", &json!({"SummaryMap": {"AccountAccessKeysPresent": 0}}));
        });
        vec![Case::new(
            "ROOT-01",
            &clean,
            &[
                &|f| {
                    let root = [("access_key_2_active", "true")];
                    f.text("credential-report.csv", &report(&[("<root_account>", &root)]));
                },
                &|f| {
                    f.put(
                        "account-summary.json",
                        &json!({"SummaryMap": {"AccountAccessKeysPresent": 1}}),
                    );
                },
            ],
        )]
    }
}
