//! PWD: the password policy.

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "PWD-01",
    needs: &[Need::Of(Data::PasswordPolicy)],
    remedy: "set a password policy with a length of 14 or more",
    run: length,
}];

/// PWD-01: there is a policy, and it asks for the length.
fn length(audit: &Audit<'_>, results: &mut Results) {
    let Some(policy) = audit.evidence.password_policy.known() else { return };
    let wanted = audit.settings.limits.password_length;
    let length = policy.as_ref().map(|policy| policy.minimum_password_length.unwrap_or(6));
    results.judge(length.is_some_and(|length| length >= wanted), || {
        let why = length.map_or_else(
            || "there is no password policy".to_owned(),
            |length| {
                format!("passwords of {length} characters are taken, and {wanted} are asked for")
            },
        );
        Found::new(&audit.account, why).cli(format!(
            "aws iam update-account-password-policy --minimum-password-length {wanted}"
        ))
    });
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{Case, folder};
    use serde_json::json;

    pub(crate) fn cases() -> Vec<Case> {
        let clean = folder(|f| {
            f.put(
                "password-policy.json",
                &json!({"PasswordPolicy": {"MinimumPasswordLength": 14}}),
            );
        });
        vec![Case::new(
            "PWD-01",
            &clean,
            &[
                &|f| {
                    let short = json!({"PasswordPolicy": {"MinimumPasswordLength": 13}});
                    f.put("password-policy.json", &short);
                },
                &|f| {
                    f.files.clear();
                    f.put("collected.json", &json!({"account": "123456789012"}));
                    f.text(
                        "password-policy.json.error",
                        "An error occurred (NoSuchEntity) when calling the GetAccountPasswordPolicy",
                    );
                },
            ],
        )]
    }
}
