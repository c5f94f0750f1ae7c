//! KEY: access keys, console passwords out of use, server certificates, secrets in texts.

use std::collections::HashMap;
use std::sync::Arc;

use crate::evidence::{CredentialReport, CredentialRow, Data, KeyColumns};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::finding::Place;

const REPORT: &[Need] = &[Need::Of(Data::CredentialReport)];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "KEY-01",
        needs: REPORT,
        remedy: "rotate the key: `bailiwick keys rotate`",
        run: age,
    },
    Check {
        id: "KEY-02",
        needs: REPORT,
        remedy: "make one of the two keys inactive and delete it",
        run: at_most_one,
    },
    Check {
        id: "KEY-03",
        needs: REPORT,
        remedy: "make the key inactive, and delete it once nothing has missed it",
        run: unused_key,
    },
    Check { id: "KEY-04", needs: REPORT, remedy: "take the password away", run: unused_password },
    Check {
        id: "KEY-05",
        needs: REPORT,
        remedy: "delete the key: nothing has ever used it",
        run: never_used,
    },
    Check {
        id: "KEY-06",
        needs: &[Need::Of(Data::AuthorizationDetails)],
        remedy: "take the key for stolen: make it inactive, look at what it did, delete it, and only \
                 then take the quarantine away",
        run: leaked,
    },
    Check {
        id: "KEY-08",
        needs: &[Need::Of(Data::ServerCertificates)],
        remedy: "delete the certificate",
        run: certificates,
    },
    Check {
        id: "KEY-09",
        needs: REPORT,
        remedy: "find out who used the key there, and rotate it if nobody can say",
        run: unexpected_use,
    },
    Check {
        id: "KEY-10",
        needs: &[Need::Of(Data::AuthorizationDetails)],
        remedy: "take the secret for known to all: replace it, then take it out of the text",
        run: secrets_in_texts,
    },
];

/// The keys of users with their numbers, and the rows they stand in.
fn keys<'a>(audit: &Audit<'a>) -> impl Iterator<Item = (&'a CredentialRow, usize, &'a KeyColumns)> {
    let report = audit.evidence.credential_report.known();
    let rows = report.into_iter().flat_map(CredentialReport::users);
    rows.flat_map(|row| {
        let active = row.keys.iter().enumerate().filter(|(_, key)| key.active);
        active.map(move |(number, key)| (row, number + 1, key))
    })
}

fn found(audit: &Audit<'_>, row: &CredentialRow, number: usize, why: String) -> Found {
    let list = audit.evidence.access_keys.known();
    let key = row.keys.get(number - 1);
    let id = list.and_then(|list| {
        let mut own = list.iter().filter(|known| known.user == row.user);
        own.find(|known| {
            key.is_some_and(|key| known.created.is_some() && known.created == key.rotated.at())
        })
    });
    let id = id.map_or("KEY-ID", |known| known.id.as_str());
    Found::new(row.arn.as_str(), why).detail(format!("key {number}")).cli(format!(
        "aws iam update-access-key --user-name {} --access-key-id {id} --status Inactive",
        row.user
    ))
}

/// KEY-01.
fn age(audit: &Audit<'_>, results: &mut Results) {
    let most = audit.settings.limits.key_age;
    for (row, number, key) in keys(audit) {
        let Some(rotated) = key.rotated.at() else {
            results.not_assessed(row.arn.as_str(), format!("when key {number} was made"));
            continue;
        };
        results.judge(!audit.is_older(rotated, most), || {
            let days = audit.days_since(rotated);
            let why = format!("key {number} is {days} days old, and {most} are the most");
            found(audit, row, number, why).when(Some(rotated))
        });
    }
}

/// KEY-02.
fn at_most_one(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    for row in report.users() {
        results.judge(!row.keys.iter().all(|key| key.active), || {
            found(audit, row, 2, "both keys are active".to_owned())
        });
    }
}

/// KEY-03: neither used nor made within the limit.
fn unused_key(audit: &Audit<'_>, results: &mut Results) {
    let most = audit.settings.limits.credential_unused;
    for (row, number, key) in keys(audit) {
        let Some(last) = key.used.at().max(key.rotated.at()) else {
            results.not_assessed(row.arn.as_str(), format!("when key {number} was used or made"));
            continue;
        };
        results.judge(!audit.is_older(last, most), || {
            let days = audit.days_since(last);
            let what = if key.used.at().is_some() { "last used" } else { "made and never used" };
            let why = format!("key {number} is active and was {what} {days} days ago");
            found(audit, row, number, why).when(Some(last))
        });
    }
}

/// KEY-04: neither used nor set within the limit.
fn unused_password(audit: &Audit<'_>, results: &mut Results) {
    let most = audit.settings.limits.credential_unused;
    let Some(report) = audit.evidence.credential_report.known() else { return };
    for row in report.users().filter(|row| row.has_password()) {
        let Some(last) = row.password_last_used.at().max(row.password_last_changed.at()) else {
            results.not_assessed(row.arn.as_str(), "when the password was used or set");
            continue;
        };
        results.judge(!audit.is_older(last, most), || {
            let days = audit.days_since(last);
            Found::new(row.arn.as_str(), format!("the password was last used {days} days ago"))
                .when(Some(last))
                .cli(format!("aws iam delete-login-profile --user-name {}", row.user))
        });
    }
}

/// KEY-05.
fn never_used(audit: &Audit<'_>, results: &mut Results) {
    let wait = audit.settings.limits.key_first_use;
    for (row, number, key) in keys(audit) {
        let old = key.rotated.at().is_none_or(|rotated| audit.is_older(rotated, wait));
        results.judge(key.used.at().is_some() || !old, || {
            let why = format!("key {number} is active, older than {wait} days and was never used");
            found(audit, row, number, why).when(key.rotated.at())
        });
    }
}

/// KEY-06: AWS's quarantine is attached, or a key is on the list of leaked ones.
fn leaked(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    for user in account.users() {
        let arn = account.user_arn(user);
        let quarantine = account
            .attached(user.id)
            .find(|policy| policy.resource().contains("CompromisedKeyQuarantine"));
        results.judge(quarantine.is_none(), || {
            let policy = quarantine.map(|arn| arn.as_str().to_owned()).unwrap_or_default();
            Found::new(
                arn.as_str(),
                "AWS has put the user in quarantine: a key of it was found in public",
            )
            .at(Place { policy, ..Place::default() })
            .cli(format!("aws iam list-access-keys --user-name {}", user.name))
        });
    }
    if audit.settings.leaked_keys.is_empty() {
        return;
    }
    let Some(keys) = audit.evidence.access_keys.known() else {
        results.not_assessed(&audit.account, "whose the leaked keys are: access keys of users");
        return;
    };
    for key in keys.iter().filter(|key| audit.settings.leaked_keys.contains(&key.id)) {
        let arn = account.user_named(&key.user).map(|user| account.user_arn(user).to_string());
        let subject = arn.unwrap_or_else(|| audit.account.clone());
        results.fail(
            Found::new(subject, format!("the key {} has leaked", key.id)).detail(&*key.id).cli(
                format!(
                    "aws iam delete-access-key --user-name {} --access-key-id {}",
                    key.user, key.id
                ),
            ),
        );
    }
}

/// KEY-08.
fn certificates(audit: &Audit<'_>, results: &mut Results) {
    let Some(list) = audit.evidence.server_certificates.known() else { return };
    for certificate in list {
        let Some(end) = certificate.expiration else {
            results.not_assessed(&certificate.arn, "when the certificate ends");
            continue;
        };
        results.judge(end > audit.now, || {
            let days = audit.days_since(end);
            Found::new(&certificate.arn, format!("the certificate ended {days} days ago"))
                .when(Some(end))
                .cli(format!(
                    "aws iam delete-server-certificate --server-certificate-name {}",
                    certificate.name
                ))
        });
    }
    if list.is_empty() {
        results.not_applicable();
    }
}

/// KEY-09: by what the settings expect.
fn unexpected_use(audit: &Audit<'_>, results: &mut Results) {
    let (regions, services) = (&audit.settings.regions, &audit.settings.services);
    if regions.is_none() && services.is_none() {
        results
            .not_assessed(&audit.account, "the settings name no expected `regions` or `services`");
        return;
    }
    for (row, number, key) in keys(audit) {
        let odd = |list: &Option<std::collections::BTreeSet<String>>, value: &Option<String>| {
            let value = value.clone()?;
            list.as_ref().is_some_and(|list| !list.contains(&value)).then_some(value)
        };
        let places = [odd(regions, &key.region), odd(services, &key.service)];
        let places: Vec<String> = places.into_iter().flatten().collect();
        results.judge(places.is_empty(), || {
            let why = format!("key {number} was last used for {}", places.join(" and "));
            found(audit, row, number, why).when(key.used.at())
        });
    }
}

/// KEY-10: tags of users and roles, descriptions, policy texts.
fn secrets_in_texts(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let judge = |arn: &str, place: &str, text: &str, results: &mut Results| {
        if let Some(kind) = secret_in(text) {
            let why = format!("{place} holds {kind}");
            results.fail(Found::new(arn, why).detail(place));
            return true;
        }
        false
    };
    for user in account.users() {
        let arn = account.user_arn(user);
        let mut clean = true;
        for tag in &user.tags {
            let place = format!("the tag `{}`", tag.key.as_str());
            clean &= !judge(arn.as_str(), &place, tag.value.as_str(), results);
        }
        if clean {
            results.pass();
        }
    }
    for role in account.roles() {
        let arn = account.role_arn(role);
        let mut clean = true;
        for tag in &role.tags {
            let place = format!("the tag `{}`", tag.key.as_str());
            clean &= !judge(arn.as_str(), &place, tag.value.as_str(), results);
        }
        let detail = audit.evidence.roles.known().and_then(|roles| roles.get(role.name.as_str()));
        if let Some(text) = detail.and_then(|detail| detail.description.as_deref()) {
            clean &= !judge(arn.as_str(), "the description", text, results);
        }
        if clean {
            results.pass();
        }
    }
    let mut seen: HashMap<*const bailiwick_policy::Document, Option<&'static str>> = HashMap::new();
    for policy in audit.policies() {
        let Some(document) = &policy.document else {
            results.not_assessed(
                policy.subject(),
                format!("the policy `{}` cannot be read", policy.policy),
            );
            continue;
        };
        let kind =
            *seen.entry(Arc::as_ptr(document)).or_insert_with(|| secret_in(document.source()));
        results.judge(kind.is_none(), || {
            let why = format!("the text of the policy holds {}", kind.unwrap_or_default());
            let policy_name = policy.policy.clone();
            Found::new(policy.subject(), why).at(Place { policy: policy_name, ..Place::default() })
        });
    }
}

/// What secret a text holds, by the shapes that are sure. One walk over the bytes: policies of a
/// large account are tens of megabytes.
fn secret_in(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, byte) in bytes.iter().chain(std::iter::once(&b' ')).enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'=' | b'_' | b'-') {
            continue;
        }
        let run = start..at;
        start = at + 1;
        if run.len() < SHORTEST {
            continue;
        }
        let found = text.get(run).and_then(secret_of);
        if found.is_some() {
            return found;
        }
    }
    None
}

/// No secret here is shorter.
const SHORTEST: usize = 10;

fn secret_of(token: &str) -> Option<&'static str> {
    const TOKENS: [&str; 7] =
        ["ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "sk_live_", "glpat-"];
    if token.starts_with("-----BEGIN") {
        return Some("a key in PEM form");
    }
    let upper = || token.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if token.len() == 20 && (token.starts_with("AKIA") || token.starts_with("ASIA")) && upper() {
        return Some("the id of an access key");
    }
    if TOKENS.iter().any(|head| token.starts_with(head) && token.len() >= head.len() + 16) {
        return Some("a token");
    }
    // A secret may hold slashes, or stand after one.
    if token.len() >= 40 && std::iter::once(token).chain(token.split('/')).any(is_secret) {
        return Some("what looks like a secret access key");
    }
    None
}

fn is_secret(token: &str) -> bool {
    let bytes = || token.bytes();
    token.len() == 40
        && bytes().any(|b| b.is_ascii_uppercase())
        && bytes().any(|b| b.is_ascii_lowercase())
        && bytes().any(|b| b.is_ascii_digit())
        && bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/' || b == b'+')
        && bytes().filter(|b| *b == b'/').count() <= 3
        && bytes().filter(u8::is_ascii_alphabetic).filter(u8::is_ascii_uppercase).count() >= 5
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]
pub(super) mod tests {
    use super::super::fixture::{Case, Folder, allow, aws, folder, managed, policy, report, user};
    use super::*;
    use serde_json::{Value as Json, json};

    type Columns<'a> = &'a [(&'a str, &'a str)];

    fn key(columns: Columns<'_>) -> Folder {
        let mut row = vec![
            ("access_key_1_active", "true"),
            ("access_key_1_last_rotated", "2026-05-01T00:00:00+00:00"),
            ("access_key_1_last_used_date", "2026-05-20T00:00:00+00:00"),
            ("access_key_1_last_used_region", "eu-west-1"),
            ("access_key_1_last_used_service", "s3"),
            ("password_enabled", "true"),
            ("password_last_used", "2026-05-20T00:00:00+00:00"),
            ("password_last_changed", "2026-01-01T00:00:00+00:00"),
        ];
        for (column, value) in columns {
            row.retain(|(held, _)| held != column);
            row.push((column, value));
        }
        folder(|f| {
            f.text("credential-report.csv", &report(&[("alice", &row)]));
        })
    }

    fn texts(user_more: Json, document: Json) -> Folder {
        folder(|f| {
            let users = json!([user("alice", user_more.clone())]);
            f.details(users, json!([]), json!([]), json!([managed("p", document.clone())]));
        })
    }

    pub(crate) fn cases() -> Vec<Case> {
        let clean = key(&[]);
        let old = "2026-01-01T00:00:00+00:00";
        let turn = |id, columns: Columns<'_>| Case::new(id, &clean, &[&|f| *f = key(columns)]);
        let mut cases = vec![
            turn("KEY-01", &[("access_key_1_last_rotated", old)]),
            turn("KEY-02", &[("access_key_2_active", "true")]),
            turn(
                "KEY-03",
                &[("access_key_1_last_rotated", old), ("access_key_1_last_used_date", old)],
            ),
            turn("KEY-04", &[("password_last_used", old)]),
            turn("KEY-05", &[("access_key_1_last_used_date", "N/A")]),
        ];
        let expected = |f: &mut Folder| {
            f.settings.regions = Some(["eu-west-1".to_owned()].into());
            f.settings.services = Some(["s3".to_owned()].into());
        };
        let mut home = clean.clone();
        expected(&mut home);
        let away = |column, value| {
            let mut f = key(&[(column, value)]);
            expected(&mut f);
            f
        };
        cases.push(Case::new(
            "KEY-09",
            &home,
            &[&|f| *f = away("access_key_1_last_used_region", "us-east-1"), &|f| {
                *f = away("access_key_1_last_used_service", "iam");
            }],
        ));
        let certificate = |end: &str| {
            folder(|f| {
                let arn = "arn:aws:iam::123456789012:server-certificate/c";
                let one = json!({"ServerCertificateName": "c", "Arn": arn, "Expiration": end});
                let list = json!({"ServerCertificateMetadataList": [one]});
                f.put("server-certificates.json", &list);
            })
        };
        cases.push(Case::new(
            "KEY-08",
            &certificate("2026-06-02T00:00:00Z"),
            &[&|f| *f = certificate("2026-05-31T00:00:00Z")],
        ));
        let plain = policy(json!([allow("s3:GetObject", "arn:aws:s3:::b/*")]));
        let clean = texts(json!({}), plain.clone());
        let quarantined =
            json!({"AttachedManagedPolicies": [aws("AWSCompromisedKeyQuarantineV2")]});
        cases.push(Case::new(
            "KEY-06",
            &clean,
            &[&|f| *f = texts(quarantined.clone(), plain.clone()), &|f| {
                f.settings.leaked_keys = ["AKIAIOSFODNN7EXAMPLE".to_owned()].into();
                let one = json!({
                    "UserName": "alice", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active",
                    "CreateDate": "2026-01-01T00:00:00Z",
                });
                f.put("access-keys/alice.json", &json!({"AccessKeyMetadata": [one]}));
            }],
        ));
        let tagged = json!({"Tags": [{"Key": "k", "Value": "AKIAIOSFODNN7EXAMPLE"}]});
        let spoken = policy(json!([{
            "Sid": "s", "Effect": "Allow", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::b/wJalrXUtnFEMI5K7MDENG2bPxRfiCYEXAMPLEKEY",
        }]));
        cases.push(Case::new(
            "KEY-10",
            &clean,
            &[&|f| *f = texts(tagged.clone(), plain.clone()), &|f| {
                *f = texts(json!({}), spoken.clone());
            }],
        ));
        cases
    }

    #[test]
    fn shapes_of_secrets() {
        for (text, expected) in [
            ("arn:aws:iam::123456789012:role/AROAEXAMPLE", false),
            ("owner=team-a", false),
            ("0123456789abcdef0123456789abcdef01234567", false),
            ("key AKIAIOSFODNN7EXAMPLE", true),
            ("wJalrXUtnFEMI5K7MDENG2bPxRfiCYEXAMPLEKEY", true),
            ("-----BEGIN RSA PRIVATE KEY-----", true),
            ("ghp_0123456789abcdef0123", true),
        ] {
            assert_eq!(secret_in(text).is_some(), expected, "{text}");
        }
    }
}
