//! PWD: the password policy, and the age of passwords.

use crate::evidence::{Data, PasswordPolicy};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

const POLICY: &[Need] = &[Need::Of(Data::PasswordPolicy)];

pub(super) const CHECKS: &[Check] = &[
    Check { id: "PWD-01", needs: POLICY, remedy: "ask for 14 characters or more", run: length },
    Check { id: "PWD-02", needs: POLICY, remedy: "ask for an upper-case letter", run: upper },
    Check { id: "PWD-03", needs: POLICY, remedy: "ask for a lower-case letter", run: lower },
    Check { id: "PWD-04", needs: POLICY, remedy: "ask for a digit", run: digit },
    Check { id: "PWD-05", needs: POLICY, remedy: "ask for a symbol", run: symbol },
    Check { id: "PWD-06", needs: POLICY, remedy: "bar the last 24 passwords", run: reuse },
    Check {
        id: "PWD-07",
        needs: POLICY,
        remedy: "let passwords end after 90 days, or except this check where the rules you follow \
                 ask for a new password only after a compromise",
        run: expiry,
    },
    Check {
        id: "PWD-08",
        needs: POLICY,
        remedy: "let users change their own password",
        run: own_change,
    },
    Check {
        id: "PWD-09",
        needs: POLICY,
        remedy: "switch hard expiry off, or let a role update login profiles",
        run: hard_expiry,
    },
    Check {
        id: "PWD-10",
        needs: &[Need::Of(Data::CredentialReport)],
        remedy: "let the user set a new password, or take the password away",
        run: age,
    },
];

/// Judges the policy; none at all fails.
fn judge(
    audit: &Audit<'_>,
    results: &mut Results,
    fine: impl Fn(&PasswordPolicy) -> bool,
    why: &str,
    flag: &str,
) {
    let Some(policy) = audit.evidence.password_policy.known() else { return };
    results.judge(policy.as_ref().is_some_and(fine), || {
        let why = if policy.is_some() { why } else { "there is no password policy" };
        let command = format!("aws iam update-account-password-policy {flag}");
        let mut found = Found::new(&audit.account, why).cli(command);
        // The call sets what it does not name back to its default.
        "add this to the flags of the policy in force: the call resets what it does not name"
            .clone_into(&mut found.fix.text);
        found
    });
}

/// PWD-01: there is a policy, and it asks for the length.
fn length(audit: &Audit<'_>, results: &mut Results) {
    let wanted = audit.settings.limits.password_length;
    let why = format!("passwords shorter than {wanted} characters are taken");
    let flag = format!("--minimum-password-length {wanted}");
    let fine =
        |policy: &PasswordPolicy| policy.minimum_password_length.is_some_and(|n| n >= wanted);
    judge(audit, results, fine, &why, &flag);
}

/// PWD-02.
fn upper(audit: &Audit<'_>, results: &mut Results) {
    let why = "no upper-case letter is asked for";
    let fine = |policy: &PasswordPolicy| policy.require_uppercase_characters;
    judge(audit, results, fine, why, "--require-uppercase-characters");
}

/// PWD-03.
fn lower(audit: &Audit<'_>, results: &mut Results) {
    let why = "no lower-case letter is asked for";
    let fine = |policy: &PasswordPolicy| policy.require_lowercase_characters;
    judge(audit, results, fine, why, "--require-lowercase-characters");
}

/// PWD-04.
fn digit(audit: &Audit<'_>, results: &mut Results) {
    let fine = |policy: &PasswordPolicy| policy.require_numbers;
    judge(audit, results, fine, "no digit is asked for", "--require-numbers");
}

/// PWD-05.
fn symbol(audit: &Audit<'_>, results: &mut Results) {
    let fine = |policy: &PasswordPolicy| policy.require_symbols;
    judge(audit, results, fine, "no symbol is asked for", "--require-symbols");
}

/// PWD-06.
fn reuse(audit: &Audit<'_>, results: &mut Results) {
    let wanted = audit.settings.limits.password_reuse;
    let why = format!("fewer than {wanted} former passwords are barred");
    let flag = format!("--password-reuse-prevention {wanted}");
    let fine =
        |policy: &PasswordPolicy| policy.password_reuse_prevention.is_some_and(|n| n >= wanted);
    judge(audit, results, fine, &why, &flag);
}

/// PWD-07. An age counts only while expiry is on.
fn expiry(audit: &Audit<'_>, results: &mut Results) {
    let most = audit.settings.limits.password_age;
    let why = format!("passwords do not end within {most} days");
    let flag = format!("--max-password-age {most}");
    let fine = |policy: &PasswordPolicy| {
        policy.expire_passwords && policy.max_password_age.is_some_and(|age| age <= most)
    };
    judge(audit, results, fine, &why, &flag);
}

/// PWD-08: by the policy, or by a grant that each user with a password has.
fn own_change(audit: &Audit<'_>, results: &mut Results) {
    let Some(policy) = audit.evidence.password_policy.known() else { return };
    if policy.as_ref().is_some_and(|policy| policy.allow_users_to_change_password) {
        results.pass();
        return;
    }
    let fail = |results: &mut Results, why: String| {
        let line = "aws iam update-account-password-policy --allow-users-to-change-password";
        results.fail(Found::new(&audit.account, why).cli(line));
    };
    let (Some(_), Some(report)) =
        (audit.evidence.details.known(), audit.evidence.credential_report.known())
    else {
        let missing = "the policy does not let users change their password, and whether each has \
                       a grant for it is not known without details and credential report";
        results.not_assessed(&audit.account, missing);
        return;
    };
    let estate = &audit.evidence.estate;
    let account = &estate.account;
    let lacking = report.users().filter(|row| row.has_password()).filter(|row| {
        let user = account.user_named(&row.user);
        !user.is_some_and(|user| {
            let subject = estate.user(user);
            let context = subject.context();
            estate.decide(&subject, "iam:ChangePassword", row.arn.as_str(), &context).is_allowed()
        })
    });
    let count = lacking.count();
    if count == 0 {
        results.pass();
    } else {
        fail(results, format!("{count} users with a password may not change it"));
    }
}

/// PWD-09: with hard expiry somebody must be able to set passwords.
fn hard_expiry(audit: &Audit<'_>, results: &mut Results) {
    let Some(policy) = audit.evidence.password_policy.known() else { return };
    let hard = policy
        .as_ref()
        .is_some_and(|policy| policy.hard_expiry == Some(true) && policy.expire_passwords);
    if !hard {
        results.pass();
        return;
    }
    if audit.evidence.details.known().is_none() {
        results
            .not_assessed(&audit.account, "who may set passwords: account authorization details");
        return;
    }
    let estate = &audit.evidence.estate;
    let account = &estate.account;
    let any = format!("arn:{}:iam::{}:user/any", account.partition().as_str(), account.id());
    let helper = audit.principals().iter().any(|access| {
        let context = access.subject.context();
        estate.decide(&access.subject, "iam:UpdateLoginProfile", &any, &context).is_allowed()
    });
    results.judge(helper, || {
        let why = "ended passwords can only be replaced by an administrator, and nobody may do so";
        Found::new(&audit.account, why)
            .cli("aws iam update-account-password-policy --no-hard-expiry")
    });
}

/// PWD-10: by the age that the policy says, or the limit.
fn age(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    let policy = audit.evidence.password_policy.known().and_then(Option::as_ref);
    let said = policy.filter(|policy| policy.expire_passwords);
    let most = said.and_then(|policy| policy.max_password_age);
    let most = i64::from(most.unwrap_or(audit.settings.limits.password_age));
    for row in report.users().filter(|row| row.has_password()) {
        let Some(changed) = row.password_last_changed.at() else {
            results.not_assessed(row.arn.as_str(), "when the password was set");
            continue;
        };
        results.judge(!audit.is_older(changed, most), || {
            let days = audit.days_since(changed);
            let why = format!("the password is {days} days old, and {most} are the most");
            Found::new(row.arn.as_str(), why).when(Some(changed)).cli(format!(
                "aws iam update-login-profile --user-name {} --password-reset-required",
                row.user
            ))
        });
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]
pub(super) mod tests {
    use super::super::fixture::{Case, Folder, allow, folder, group, merged, policy, report, user};
    use serde_json::{Value as Json, json};

    const FILE: &str = "password-policy.json";

    fn with(more: Json) -> Folder {
        let base = json!({
            "MinimumPasswordLength": 14, "RequireSymbols": true, "RequireNumbers": true,
            "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true,
            "AllowUsersToChangePassword": true, "ExpirePasswords": true, "MaxPasswordAge": 90,
            "PasswordReusePrevention": 24, "HardExpiry": false,
        });
        folder(|f| {
            f.put(FILE, &json!({"PasswordPolicy": merged(base.clone(), more.clone())}));
        })
    }

    fn none(f: &mut Folder) {
        f.files.remove(FILE);
        f.text(&format!("{FILE}.error"), "An error occurred (NoSuchEntity) when calling it");
    }

    pub(crate) fn cases() -> Vec<Case> {
        let clean = with(json!({}));
        let one =
            |id, change: Json| Case::new(id, &clean, &[&|f| *f = with(change.clone()), &none]);
        let mut cases = vec![
            one("PWD-01", json!({"MinimumPasswordLength": 13})),
            one("PWD-02", json!({"RequireUppercaseCharacters": false})),
            one("PWD-03", json!({"RequireLowercaseCharacters": false})),
            one("PWD-04", json!({"RequireNumbers": false})),
            one("PWD-05", json!({"RequireSymbols": false})),
            one("PWD-06", json!({"PasswordReusePrevention": 23})),
            one("PWD-07", json!({"MaxPasswordAge": 91})),
            one("PWD-07", json!({"ExpirePasswords": false})),
        ];
        let grant = policy(json!([allow("iam:ChangePassword", "*")]));
        let own = |grants: bool| {
            let mut f = with(json!({"AllowUsersToChangePassword": false}));
            let list = json!([{"PolicyName": "own", "PolicyDocument": grant}]);
            let more = if grants { json!({"UserPolicyList": list}) } else { json!({}) };
            f.details(json!([user("alice", more)]), json!([]), json!([]), json!([]));
            f.text("credential-report.csv", &report(&[("alice", &[("password_enabled", "true")])]));
            f
        };
        cases.push(Case::new("PWD-08", &own(true), &[&|f| *f = own(false)]));
        let hard = |helper: bool| {
            let mut f = with(json!({"HardExpiry": true}));
            let action = if helper { "iam:UpdateLoginProfile" } else { "iam:GetLoginProfile" };
            let document = policy(json!([allow(action, "*")]));
            let list = json!([{"PolicyName": "g", "PolicyDocument": document}]);
            let users = json!([user("alice", json!({"GroupList": ["helpers"]}))]);
            let groups = json!([group("helpers", json!({"GroupPolicyList": list}))]);
            f.details(users, groups, json!([]), json!([]));
            f
        };
        cases.push(Case::new("PWD-09", &hard(true), &[&|f| *f = hard(false)]));
        let aged = |changed: &str| {
            let row = [("password_enabled", "true"), ("password_last_changed", changed)];
            folder(|f| {
                f.text("credential-report.csv", &report(&[("alice", &row)]));
            })
        };
        let young = aged("2026-05-01T00:00:00+00:00");
        cases.push(Case::new(
            "PWD-10",
            &young,
            &[&|f| *f = aged("2026-02-01T00:00:00+00:00"), &|f| {
                let short =
                    json!({"PasswordPolicy": {"ExpirePasswords": true, "MaxPasswordAge": 30}});
                f.put(FILE, &short);
            }],
        ));
        cases
    }
}
