//! KEY-07, POL-22, USE-07, ANA-06: what the operator's journal says was done.

use jiff::civil::Date;
use serde_json::Value as Json;

use crate::evidence::{Data, Journal, Review};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::facts::Administrative;

const BOTH: &[Need] = &[Need::Of(Data::Journal), Need::Of(Data::AuthorizationDetails)];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "KEY-07",
        needs: &[Need::Of(Data::Journal)],
        remedy: "make the key inactive, go through its events, delete it, and write down each day",
        run: incidents,
    },
    Check {
        id: "POL-22",
        needs: BOTH,
        remedy: "set the approved version as default again, or approve the new text",
        run: drift,
    },
    Check {
        id: "USE-07",
        needs: BOTH,
        remedy: "review what the principal may do, and sign it in the journal",
        run: reviews,
    },
    Check {
        id: "ANA-06",
        needs: BOTH,
        remedy: "run `bailiwick check no-new-access` on the version, and write down what it says",
        run: previews,
    },
];

fn journal<'a>(audit: &Audit<'a>) -> Option<&'a Journal> {
    audit.evidence.journal.known()
}

/// KEY-07: each incident, and each key that has leaked, with all three steps.
fn incidents(audit: &Audit<'_>, results: &mut Results) {
    let Some(journal) = journal(audit) else { return };
    for incident in &journal.incidents {
        let steps = [
            ("deactivation", incident.deactivated),
            ("review of its events", incident.reviewed),
            ("deletion", incident.deleted),
        ];
        let lacking: Vec<&str> =
            steps.iter().filter(|(_, day)| day.is_none()).map(|(step, _)| *step).collect();
        let subject = || Found::new(&audit.account, String::new()).detail(&incident.ticket);
        let keys = audit.evidence.access_keys.known().into_iter().flatten();
        let alive = keys.into_iter().find(|key| key.id == incident.key);
        if !lacking.is_empty() {
            let (ticket, key) = (&incident.ticket, &incident.key);
            let why =
                format!("{ticket}: of key {key} there is no {} recorded", lacking.join(", no "));
            results.fail(Found { why, ..subject() });
        } else if let Some(alive) = alive {
            let (ticket, key) = (&incident.ticket, &incident.key);
            let why = format!(
                "{ticket}: key {key} of {} is said to be deleted, and is there",
                alive.user
            );
            results.fail(Found { why, ..subject() });
        } else {
            results.pass();
        }
    }
    for key in &audit.settings.leaked_keys {
        results.judge(journal.incidents.iter().any(|incident| incident.key == *key), || {
            let why = format!("key {key} has leaked, and the journal has no incident of it");
            Found::new(&audit.account, why).detail(key)
        });
    }
    if journal.incidents.is_empty() && audit.settings.leaked_keys.is_empty() {
        results.not_applicable();
    }
}

/// The version in force of a managed policy of the account, by ARN, with its text.
fn in_force(audit: &Audit<'_>, arn: &str) -> Option<(u32, String)> {
    let account = &audit.evidence.estate.account;
    let policy = account.policies().find(|policy| account.policy_arn(policy).to_string() == arn)?;
    let version = account.version(policy.id, policy.default_version)?;
    Some((version.number, version.document.source().to_owned()))
}

/// POL-22: the text in force is the approved one, whatever its white space and order of members.
fn drift(audit: &Audit<'_>, results: &mut Results) {
    let Some(journal) = journal(audit) else { return };
    for approved in &journal.approved {
        let Some((number, text)) = in_force(audit, &approved.policy) else {
            results.fail(Found::new(&approved.policy, "an approved policy is not there any more"));
            continue;
        };
        let same = serde_json::from_str::<Json>(&text).is_ok_and(|text| text == approved.document);
        results.judge(same, || {
            let why = format!("version v{number}, which is in force, is not the approved text");
            Found::new(&approved.policy, why).diff(format!("- {text}\n+ {}", approved.document))
        });
    }
    if journal.approved.is_empty() {
        results.not_applicable();
    }
}

/// The last day, not one to come, on which somebody signed for a principal.
pub(super) fn last_word(audit: &Audit<'_>, words: &[Review], principal: &str) -> Option<Date> {
    let signed = words.iter().filter(|word| {
        let by = !word.by.trim().is_empty();
        word.principal == principal && by && audit.age_of(word.on).is_some()
    });
    signed.map(|word| word.on).max()
}

/// USE-07: each administrator with a signed review.
fn reviews(audit: &Audit<'_>, results: &mut Results) {
    let Some(journal) = journal(audit) else { return };
    let most = audit.settings.limits.review_age;
    for access in audit.principals() {
        let arn = &access.holder.arn;
        match &access.administrative {
            Administrative::No => continue,
            Administrative::Unknown(policy) => {
                results.not_assessed(arn, format!("`{policy}`, which cannot be read"));
                continue;
            }
            Administrative::When(_) | Administrative::Always => {}
        }
        let last = last_word(audit, &journal.reviews, arn);
        let age = last.and_then(|day| audit.age_of(day));
        results.judge(age.is_some_and(|age| age <= most), || {
            let why = match last {
                Some(day) => format!("the last signed review of this administrator is of {day}"),
                None => "there is no signed review of this administrator".to_owned(),
            };
            Found::new(arn, why)
        });
    }
    if results.passed == 0 && results.failed.is_empty() && results.unassessed.is_empty() {
        results.not_applicable();
    }
}

/// ANA-06: the version in force of each watched policy was checked before, or its new access taken.
fn previews(audit: &Audit<'_>, results: &mut Results) {
    let Some(journal) = journal(audit) else { return };
    let mut watched: Vec<&str> =
        journal.approved.iter().map(|approved| approved.policy.as_str()).collect();
    watched.extend(journal.changes.iter().map(|change| change.policy.as_str()));
    watched.sort_unstable();
    watched.dedup();
    for arn in &watched {
        // One that is gone is told by POL-22.
        let Some((number, _)) = in_force(audit, arn) else { continue };
        let version = format!("v{number}");
        let checked = journal.changes.iter().find(|change| {
            change.policy == *arn && change.version == version && change.check == "no-new-access"
        });
        let fine = checked.is_some_and(|change| {
            change.result == "PASS"
                || change.approved_by.as_deref().is_some_and(|name| !name.trim().is_empty())
        });
        // The first version is no change.
        results.judge(number == 1 || fine, || {
            let why = if checked.is_some() {
                format!("{version} has new access, which nobody took")
            } else {
                format!("no check of {version} for new access is recorded")
            };
            Found::new(*arn, why)
        });
    }
    if watched.is_empty() {
        results.not_applicable();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{ACCOUNT, Case, Folder, allow, aws, folder, managed, policy, user};
    use serde_json::{Value as Json, json};

    fn watched(version: &str, action: &str, journal: &Json) -> Folder {
        folder(|f| {
            let mut watched = managed("w", policy(json!([allow(action, "*")])));
            watched["DefaultVersionId"] = json!(version);
            watched["PolicyVersionList"][0]["VersionId"] = json!(version);
            let admin =
                user("root-like", json!({"AttachedManagedPolicies": [aws("AdministratorAccess")]}));
            f.details(json!([admin]), json!([]), json!([]), json!([watched]));
            f.put("journal.json", journal);
        })
    }

    fn arn() -> String {
        format!("arn:aws:iam::{ACCOUNT}:policy/w")
    }

    fn incident(deleted: Option<&str>) -> Json {
        json!({"incidents": [{
            "ticket": "T-1", "key": "AKIAIOSFODNN7EXAMPLE", "deactivated": "2026-01-01",
            "reviewed": "2026-01-02", "deleted": deleted,
        }]})
    }

    fn review(on: &str, by: &str) -> Json {
        let principal = format!("arn:aws:iam::{ACCOUNT}:user/root-like");
        json!({"reviews": [{"principal": principal, "on": on, "by": by}]})
    }

    fn change(version: &str, result: &str, by: Option<&str>) -> Json {
        json!({"changes": [{
            "policy": arn(), "version": version, "check": "no-new-access", "result": result,
            "approved-by": by,
        }]})
    }

    pub(crate) fn cases() -> Vec<Case> {
        let approved = json!({"approved": [
            {"policy": arn(), "document": policy(json!([allow("s3:GetObject", "*")]))},
        ]});
        let with = |journal: Json| watched("v1", "s3:GetObject", &journal);
        let key = json!({"AccessKeyMetadata": [{
            "UserName": "a", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Inactive",
        }]});
        vec![
            Case::new(
                "KEY-07",
                &with(incident(Some("2026-01-03"))),
                &[
                    &|f| *f = with(incident(None)),
                    &|f| {
                        f.put("access-keys/a.json", &key);
                    },
                    &|f| {
                        f.settings.leaked_keys.insert("AKIAI44QH8DHBEXAMPLE".into());
                    },
                ],
            ),
            Case::new(
                "POL-22",
                &with(approved.clone()),
                &[&|f| *f = watched("v1", "s3:PutObject", &approved), &|f| {
                    let other = managed("x", policy(json!([])));
                    f.details(json!([]), json!([]), json!([]), json!([other]));
                }],
            ),
            Case::new(
                "USE-07",
                &with(review("2026-03-02", "carol")),
                &[
                    &|f| *f = with(review("2026-02-20", "carol")),
                    &|f| *f = with(review("2026-03-02", " ")),
                    &|f| *f = with(review("2026-06-02", "carol")),
                    &|f| *f = with(json!({})),
                ],
            ),
            Case::new(
                "ANA-06",
                &watched("v2", "s3:GetObject", &change("v2", "PASS", None)),
                &[
                    &|f| *f = watched("v3", "s3:GetObject", &change("v2", "PASS", None)),
                    &|f| *f = watched("v2", "s3:GetObject", &change("v2", "FAIL", None)),
                    &|f| *f = watched("v2", "s3:GetObject", &approved),
                ],
            ),
            Case::new(
                "ANA-06",
                &watched("v2", "s3:GetObject", &change("v2", "FAIL", Some("carol"))),
                &[&|f| *f = watched("v2", "s3:GetObject", &change("v2", "FAIL", Some("")))],
            ),
        ]
    }
}
