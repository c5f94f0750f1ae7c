//! Trust in accounts: TRU-01, TRU-02, TRU-03, TRU-07 and TRU-08.

use std::collections::{BTreeSet, HashMap};

use bailiwick_identifiers::{AccountId, UniqueId};
use bailiwick_symbolic::{Answer, Asker};
use serde_json::json;

use super::super::policies::fix::add_condition;
use super::super::policies::table::{ANY, circumstances};
use super::statement::{Allow, Trust, all, asks_for_organization, named, stranger};
use crate::posture::audit::Audit;
use crate::posture::check::Results;
use crate::posture::facts::{Access, Administrative};

fn judge(
    audit: &Audit<'_>,
    results: &mut Results,
    is_clean: impl Fn(&Trust<'_>, &mut Results) -> bool,
) {
    let roles = all(audit, results);
    for trust in &roles {
        if is_clean(trust, results) {
            results.pass();
        }
    }
    if roles.is_empty() {
        results.pass();
    }
}

/// TRU-01: for all requests, by a caller whom nobody names. What cannot be shown fails.
pub(super) fn public(audit: &Audit<'_>, results: &mut Results) {
    judge(audit, results, |trust, results| {
        let is_open = |allow: &Allow<'_>| {
            allow.statement.is_not_principal()
                || allow.named.iter().any(|one| one.text.contains(['*', '?']))
        };
        if !trust.allows.iter().any(is_open) {
            return true;
        }
        let mut clean = true;
        let mut fail = |number: usize, why: String, results: &mut Results| {
            clean = false;
            results.fail(trust.found(number, why, |map| {
                map.remove("NotPrincipal");
                map.insert("Principal".to_owned(), json!({"AWS": ["ARNs of those who need it"]}));
            }));
        };
        for finding in Asker::default().letting_public(trust.document) {
            let why = match finding.answer {
                Answer::Holds => continue,
                Answer::Fails(witness) => format!("anybody may assume the role: {witness}"),
                Answer::Undecided(reason) => {
                    format!("it is not shown that not everybody may assume the role: {reason}")
                }
            };
            fail(finding.statement, why, results);
        }
        for allow in &trust.allows {
            // Whoever wrote it meant everybody but those whom it names.
            if allow.statement.is_not_principal() && allow.statement.conditions().next().is_none() {
                fail(allow.number, "it lets in all but those whom it names".to_owned(), results);
            }
            let wild = allow.named.iter().find(|one| {
                matches!(one.kind.as_str(), "Service" | "Federated") && one.text.contains('*')
            });
            if let Some(wild) = wild {
                let why = format!("it names every {} as `{}`", wild.kind.to_lowercase(), wild.text);
                fail(allow.number, why, results);
            }
        }
        clean
    });
}

/// Accounts that are no strangers: the account itself, those told, and those of the organization
/// where it is known.
fn own_accounts(audit: &Audit<'_>) -> BTreeSet<String> {
    let mut own: BTreeSet<String> = audit.settings.own_accounts.clone();
    own.insert(audit.evidence.account_id().to_string());
    if let Some(Some(organization)) = audit.evidence.organization.known() {
        own.insert(organization.management_account.clone());
        if let Some(accounts) = organization.accounts.known() {
            own.extend(accounts.keys().cloned());
        }
    }
    own
}

/// A stranger's account with the statement that lets it in.
fn strangers<'t>(own: &BTreeSet<String>, trust: &'t Trust<'_>) -> Vec<(&'t Allow<'t>, AccountId)> {
    let mut found = Vec::new();
    for allow in trust.allows.iter().filter(|allow| !allow.statement.is_not_principal()) {
        let accounts: BTreeSet<AccountId> =
            allow.named.iter().filter_map(super::statement::Named::account).collect();
        let foreign = accounts.into_iter().filter(|account| !own.contains(&account.to_string()));
        found.extend(foreign.map(|account| (allow, account)));
    }
    found
}

/// The id of the organization, if it is known.
fn organization<'a>(audit: &'a Audit<'_>) -> Option<&'a str> {
    let known = audit.evidence.organization.known()?.as_ref()?;
    Some(known.id.as_str())
}

/// Whether a statement keeps to the account's own organization; tells where it cannot be known.
fn keeps_inside(
    audit: &Audit<'_>,
    trust: &Trust<'_>,
    allow: &Allow<'_>,
    results: &mut Results,
) -> bool {
    let asked = asks_for_organization(allow, organization(audit));
    let asks_at_all = asked.is_some() || asks_for_organization(allow, Some("")).is_some();
    if asks_at_all && asked.is_none() {
        results.not_assessed(&trust.arn, "whether the organization that it asks for is its own");
        return true;
    }
    asked == Some(true)
}

/// TRU-02: let in without an external id, or with one that is guessed, by the engine.
pub(super) fn external_id(audit: &Audit<'_>, results: &mut Results) {
    let own = own_accounts(audit);
    let known = organization(audit).is_some();
    let partition = audit.evidence.estate.account.partition().as_str();
    judge(audit, results, |trust, results| {
        let mut clean = true;
        for (allow, account) in strangers(&own, trust) {
            if keeps_inside(audit, trust, allow, results) {
                continue;
            }
            let open =
                allow.named.iter().filter(|one| one.account() == Some(account)).find(|one| {
                    let caller =
                        one.caller(partition).unwrap_or_else(|| stranger(partition, account));
                    [None, Some(ANY)].into_iter().any(|guess| {
                        let mut context = Trust::fitting(audit, allow, &caller);
                        context.remove("sts:ExternalId");
                        if let Some(guess) = guess {
                            context.put("sts:ExternalId", guess);
                        }
                        trust.lets_in(audit, &caller, "sts:AssumeRole", &context)
                    })
                });
            let Some(one) = open else { continue };
            clean = false;
            let place = if known { "" } else { " (the organization's accounts are not known)" };
            let why = format!(
                "`{}` of account {account}, which is not one's own{place}, gets in without an \
                 external id of its own",
                one.text
            );
            let found = trust.found(allow.number, why, |map| {
                let value = json!("a value that only the two of you know");
                add_condition(map, "StringEquals", "sts:ExternalId", &value);
            });
            results.fail(found.detail(account.to_string()));
        }
        clean
    });
}

/// TRU-03.
pub(super) fn known_accounts(audit: &Audit<'_>, results: &mut Results) {
    let own = own_accounts(audit);
    judge(audit, results, |trust, results| {
        let mut clean = true;
        for (allow, account) in strangers(&own, trust) {
            let known = audit.settings.vendor_accounts.contains(&account.to_string());
            if known || keeps_inside(audit, trust, allow, results) {
                continue;
            }
            clean = false;
            let why = format!(
                "account {account} is neither one's own nor on the list of vendors; name it among \
                 `vendor-accounts` or `own-accounts` of the settings, or take it out"
            );
            let found = trust.found(allow.number, why, |map| {
                let keep = |entry: &serde_json::Value| {
                    !entry.as_str().is_some_and(|text| text.contains(&account.to_string()))
                };
                let aws = map.get_mut("Principal").and_then(|principal| principal.get_mut("AWS"));
                match aws {
                    Some(serde_json::Value::Array(list)) => list.retain(keep),
                    _ => map.clear(),
                }
            });
            results.fail(found.detail(account.to_string()));
        }
        clean
    });
}

/// TRU-07: somebody of the account whom nothing names gets in.
pub(super) fn whole_account(audit: &Audit<'_>, results: &mut Results) {
    let account = audit.evidence.account_id();
    let partition = audit.evidence.estate.account.partition().as_str();
    let principals = audit.principals().iter();
    let by_id: HashMap<UniqueId, &Access> =
        principals.map(|access| (access.holder.id, access)).collect();
    judge(audit, results, |trust, results| {
        match by_id.get(&trust.role.id).map(|access| &access.administrative) {
            Some(Administrative::Unknown(why)) => {
                results.not_assessed(&trust.arn, why.clone());
                return false;
            }
            Some(administrative) if administrative.is() => {}
            _ => return true,
        }
        let caller = stranger(partition, account);
        let mut clean = true;
        for allow in &trust.allows {
            let root =
                allow.named.iter().any(|one| one.is_root() && one.account() == Some(account));
            let mut context = Trust::fitting(audit, allow, &caller);
            without_caller(&mut context, &caller, audit);
            if root && trust.lets_in(audit, &caller, "sts:AssumeRole", &context) {
                clean = false;
                let why = "the role may change what anybody may do, and whoever in the account may \
                           call sts:AssumeRole on it gets in";
                results.fail(trust.found(allow.number, why, |map| {
                    let value = json!(["ARNs of those who need it"]);
                    add_condition(map, "ArnLike", "aws:PrincipalArn", &value);
                }));
            }
        }
        clean
    });
}

/// Takes back what was set to fit conditions on the caller: nobody has such values.
fn without_caller(
    context: &mut bailiwick_policy::Context,
    caller: &bailiwick_policy::Principal,
    audit: &Audit<'_>,
) {
    let keys: Vec<String> = context.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        let folded = key.to_ascii_lowercase();
        if folded.starts_with("aws:principal") || matches!(&*folded, "aws:userid" | "aws:username")
        {
            context.remove(&key);
        }
    }
    circumstances(context, audit);
    context.put_principal(caller);
}

/// TRU-08: an id that stands for nobody of the account.
pub(super) fn deleted(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    judge(audit, results, |trust, results| {
        let mut clean = true;
        for (number, statement) in trust.document.statements().iter().enumerate() {
            for one in named(trust.document, statement) {
                let is_id = ["AIDA", "AROA"].iter().any(|head| one.text.starts_with(head));
                let lives = one
                    .text
                    .parse::<UniqueId>()
                    .is_ok_and(|id| account.user(&id).is_some() || account.role(&id).is_some());
                if !is_id || lives {
                    continue;
                }
                clean = false;
                let why = format!("`{}` is the id of a user or role that is deleted", one.text);
                let id = one.text.clone();
                let found = trust.found(number, why, |map| {
                    let aws = map.get_mut("Principal").and_then(|all| all.get_mut("AWS"));
                    match aws {
                        Some(serde_json::Value::Array(list)) => {
                            list.retain(|entry| entry.as_str() != Some(&id));
                        }
                        _ => map.clear(),
                    }
                });
                results.fail(found.detail(one.text));
            }
        }
        clean
    });
}
