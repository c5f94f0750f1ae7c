//! What is wrong with the policies of accounts, account by account.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use bailiwick_analyzer::validate::{Finding, FindingType, IssueCode};
use serde_json::{Value as Json, json};

use super::{Account, Held};
use crate::terminal;
use crate::validate::{FailOn, sarif};

/// So many holders of one text are named.
const MOST_HOLDERS: usize = 5;

/// For people: each account with its count, and what is grave enough one by one.
pub(super) fn table(out: &mut impl Write, accounts: &[Account], from: FailOn) -> io::Result<()> {
    for account in accounts {
        let name = terminal::text(&account.from);
        writeln!(out, "account {} ({name})", account.id)?;
        for (holding, count) in account.holdings() {
            writeln!(out, "  {count:>6}  {}", plural(holding.as_str(), count))?;
        }
        let (policies, texts) = (account.policies.len(), account.texts);
        writeln!(out, "  {policies:>6}  in all, with {texts} texts")?;
        if account.left_out > 0 {
            let count = account.left_out;
            writeln!(
                out,
                "  {count} versions that are not in force were left out (--all-versions)"
            )?;
        }
        for line in &account.untold {
            writeln!(out, "  not seen: {}", terminal::text(line))?;
        }
        if !account.unread.is_empty() {
            writeln!(out, "  {} could not be validated: see above", account.unread.len())?;
        }
        writeln!(out, "  {}", sum(&account.counts()))?;
        for (holders, findings) in grouped(account) {
            let told: Vec<_> = findings.iter().filter(|f| from.counts(f.finding_type)).collect();
            if told.is_empty() {
                continue;
            }
            writeln!(out)?;
            for held in holders.iter().take(MOST_HOLDERS) {
                let line = format!("  {held} ({})", held.holding);
                writeln!(out, "{}", terminal::text(&line))?;
            }
            if holders.len() > MOST_HOLDERS {
                writeln!(out, "  and {} more with this text", holders.len() - MOST_HOLDERS)?;
            }
            for finding in told {
                let place = finding.locations.first().map(|place| place.span.start);
                let place = place.unwrap_or_default();
                let line = format!(
                    "    {}:{}: {}[{}]: {}",
                    place.line,
                    place.column + 1,
                    finding.finding_type.as_str(),
                    finding.issue_code,
                    finding.finding_details
                );
                writeln!(out, "{}", terminal::text(&line))?;
            }
        }
        writeln!(out)?;
    }
    let policies: usize = accounts.iter().map(|account| account.policies.len()).sum();
    let mut all = BTreeMap::new();
    for (kind, count) in accounts.iter().flat_map(Account::counts) {
        *all.entry(kind).or_default() += count;
    }
    writeln!(out, "{} accounts, {policies} policies: {}", accounts.len(), sum(&all))
}

/// Policies with the same findings of the same text, in the order of the first.
fn grouped(account: &Account) -> Vec<(Vec<&Held>, &[Finding])> {
    let mut places: BTreeMap<*const (), usize> = BTreeMap::new();
    let mut groups: Vec<(Vec<&Held>, &[Finding])> = Vec::new();
    for one in &account.policies {
        let key = std::sync::Arc::as_ptr(&one.examined).cast::<()>();
        let number = *places.entry(key).or_insert_with(|| {
            groups.push((Vec::new(), &one.examined.findings));
            groups.len() - 1
        });
        if let Some((holders, _)) = groups.get_mut(number) {
            holders.push(&one.held);
        }
    }
    groups
}

fn plural(what: &str, count: usize) -> String {
    if count == 1 {
        return what.to_owned();
    }
    what.replace("policy", "policies").replace("boundary", "boundaries").replace("set", "sets")
}

fn sum(counts: &BTreeMap<FindingType, usize>) -> String {
    let count = |kind| counts.get(&kind).copied().unwrap_or(0);
    format!(
        "{} errors, {} security warnings, {} warnings, {} suggestions",
        count(FindingType::Error),
        count(FindingType::SecurityWarning),
        count(FindingType::Warning),
        count(FindingType::Suggestion)
    )
}

/// For programs: every finding as the API has it, with its policy.
pub(super) fn json(accounts: &[Account]) -> Json {
    let list: Vec<Json> = accounts.iter().map(account).collect();
    json!({"accounts": list})
}

fn account(account: &Account) -> Json {
    let kinds: BTreeMap<_, _> =
        account.holdings().into_iter().map(|(kind, count)| (kind.as_str(), count)).collect();
    let mut types: BTreeMap<_, usize> = BTreeMap::new();
    for one in &account.policies {
        *types.entry(one.held.holding.policy_type().as_str()).or_default() += 1;
    }
    let counts: BTreeMap<_, _> =
        account.counts().into_iter().map(|(kind, count)| (kind.as_str(), count)).collect();
    let findings: Vec<Json> = account
        .findings()
        .map(|(held, finding)| {
            json!({
                "owner": held.owner,
                "name": held.name,
                "version": held.version,
                "holding": held.holding.as_str(),
                "policyType": held.holding.policy_type().as_str(),
                "resourceType": held.resource_type.map(bailiwick_analyzer::validate::ResourceType::as_str),
                "finding": finding,
            })
        })
        .collect();
    json!({
        "account": account.id,
        "from": account.from,
        "policies": account.policies.len(),
        "texts": account.texts,
        "holdings": kinds,
        "policyTypes": types,
        "versionsLeftOut": account.left_out,
        "counts": counts,
        "findings": findings,
        "unread": account.unread,
        "notSeen": account.untold,
    })
}

/// SARIF 2.1.0: the file is the account's, and the policy is a logical place with a place in its text.
pub(super) fn sarif(accounts: &[Account]) -> Json {
    let all = || accounts.iter().flat_map(|one| one.findings().map(move |found| (one, found)));
    let codes: BTreeSet<IssueCode> = all().map(|(_, (_, finding))| finding.issue_code).collect();
    let rules: Vec<Json> = codes.iter().map(|code| sarif::rule(*code)).collect();
    let results: Vec<Json> = all()
        .map(|(account, (held, finding))| {
            let place = finding.locations.first().map(|place| place.span.start).unwrap_or_default();
            let text = format!(
                "{held} ({}), {}:{}: {}",
                held.holding,
                place.line,
                place.column + 1,
                finding.finding_details
            );
            json!({
                "ruleId": finding.issue_code.as_str(),
                "level": sarif::level(finding.finding_type),
                "message": {"text": text},
                "locations": [{
                    "physicalLocation": {"artifactLocation": {"uri": sarif::uri(&account.from)}},
                    "logicalLocations": [{
                        "fullyQualifiedName": held.to_string(),
                        "kind": held.holding.as_str(),
                    }],
                }],
                "properties": {"account": account.id},
            })
        })
        .collect();
    json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {
                "name": "bailiwick audit validate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}
