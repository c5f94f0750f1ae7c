//! ANA: analyzers, and resources that let strangers in.

use std::collections::BTreeSet;
use std::sync::Arc;

use bailiwick_identifiers::{AccountId, IdKind, UniqueId};
use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Effect, Principal, PrincipalType,
    Request, Source, SourceKind, Statement, decide, is_delegated,
};
use bailiwick_symbolic::{Answer, Asker};

use crate::evidence::{Data, Part, Resource, ResourceKind};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::facts::{excerpt, satisfy};
use crate::posture::finding::Place;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "ANA-01",
        needs: &[Need::Of(Data::Analyzers), Need::Of(Data::Regions)],
        remedy: "make an analyzer of external access in each region in use",
        run: external_analyzer,
    },
    Check {
        id: "ANA-02",
        needs: &[Need::Of(Data::Analyzers)],
        remedy: "make an analyzer of unused access",
        run: unused_analyzer,
    },
    Check {
        id: "ANA-03",
        needs: &[Need::Of(Data::ResourcePolicies)],
        remedy: "name who may come in, or block public access",
        run: public,
    },
    Check {
        id: "ANA-04",
        needs: &[Need::Of(Data::ResourcePolicies), Need::Of(Data::Organization)],
        remedy: "take the account out, or put it on the list of your own accounts",
        run: outside,
    },
    Check {
        id: "ANA-07",
        needs: &[Need::Of(Data::Analyzers)],
        remedy: "tag the analyzer",
        run: tagged,
    },
];

/// ANA-01.
fn external_analyzer(audit: &Audit<'_>, results: &mut Results) {
    let (Some(analyzers), Some(regions)) =
        (audit.evidence.analyzers.known(), audit.evidence.regions.known())
    else {
        return;
    };
    for region in regions {
        let there = analyzers.iter().any(|analyzer| {
            analyzer.region == *region
                && analyzer.active
                && matches!(analyzer.kind.as_str(), "ACCOUNT" | "ORGANIZATION")
        });
        results.judge(there, || {
            let why = format!("no analyzer looks for external access in {region}");
            Found::new(&audit.account, why).detail(region).cli(format!(
                "aws accessanalyzer create-analyzer --region {region} --type ACCOUNT \
                 --analyzer-name external"
            ))
        });
    }
}

/// ANA-02.
fn unused_analyzer(audit: &Audit<'_>, results: &mut Results) {
    let Some(analyzers) = audit.evidence.analyzers.known() else { return };
    let there = analyzers
        .iter()
        .any(|analyzer| analyzer.active && analyzer.kind.ends_with("_UNUSED_ACCESS"));
    results.judge(there, || {
        Found::new(&audit.account, "no analyzer looks for unused access").cli(
            "aws accessanalyzer create-analyzer --type ACCOUNT_UNUSED_ACCESS --analyzer-name unused",
        )
    });
}

/// ANA-03.
fn public(audit: &Audit<'_>, results: &mut Results) {
    let asker = Asker::default();
    let Some(resources) = audit.evidence.resources.known() else { return };
    for (arn, resource) in resources {
        judge_public(audit, &asker, arn, resource, results);
    }
    if resources.is_empty() {
        results.not_applicable();
    }
}

/// Whether the public is let in by a resource's policy, a block of public access counted. What
/// cannot be decided fails.
pub(super) fn judge_public(
    audit: &Audit<'_>,
    asker: &Asker,
    arn: &str,
    resource: &Resource,
    results: &mut Results,
) {
    let document = match &resource.policy {
        Part::Missing(missing) => {
            results.not_assessed(arn, format!("the policy of the resource: {missing}"));
            return;
        }
        // A text that cannot be read denies (IN-6).
        Part::Known(None | Some(Err(_))) => {
            results.pass();
            return;
        }
        Part::Known(Some(Ok(document))) => document,
    };
    let Some(first) = asker.letting_public(document).into_iter().next() else {
        results.pass();
        return;
    };
    if resource.kind == ResourceKind::Bucket && restricted(audit, resource) {
        results.pass();
        return;
    }
    let why = match &first.answer {
        Answer::Fails(witness) => format!("the public is let in: {witness}"),
        Answer::Undecided(reason) => format!("the public may be let in: {reason}"),
        Answer::Holds => "the public is let in".to_owned(),
    };
    let mut found = Found::new(arn, why).at(place(arn, document, first.statement));
    if resource.kind == ResourceKind::Bucket {
        let bucket = arn.rsplit(':').next().unwrap_or_default();
        found = found.cli(format!(
            "aws s3api put-public-access-block --bucket {bucket} \
             --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,\
             BlockPublicPolicy=true,RestrictPublicBuckets=true"
        ));
    }
    results.fail(found);
}

/// Whether public policies of a bucket are without effect, by its own block or the account's.
fn restricted(audit: &Audit<'_>, resource: &Resource) -> bool {
    let own = resource.bucket.public_access_block.known().copied().flatten();
    let whole = audit.evidence.account_public_access.known().copied().flatten();
    [own, whole].into_iter().flatten().any(|block| block.restrict_public_buckets)
}

fn place(arn: &str, document: &Document, number: usize) -> Place {
    let statement = document.statements().get(number);
    Place {
        policy: format!("policy of {arn}"),
        version: None,
        statement: Some(number),
        sid: statement.and_then(Statement::sid).map(ToOwned::to_owned),
        text: statement.map(|statement| excerpt(document, statement)).unwrap_or_default(),
    }
}

/// ANA-04: accounts that are named and are neither the organization's nor on the list of own ones,
/// if the engine lets a caller of theirs in.
fn outside(audit: &Audit<'_>, results: &mut Results) {
    let (Some(resources), Some(organization)) =
        (audit.evidence.resources.known(), audit.evidence.organization.known())
    else {
        return;
    };
    let mut zone: BTreeSet<String> = audit.settings.own_accounts.clone();
    zone.insert(audit.evidence.account_id().to_string());
    if let Some(organization) = organization {
        let Some(accounts) = organization.accounts.known() else {
            results.not_assessed(&audit.account, "the accounts of the organization");
            return;
        };
        zone.extend(accounts.keys().cloned());
    }
    for (arn, resource) in resources {
        let document = match &resource.policy {
            Part::Missing(missing) => {
                results.not_assessed(arn, format!("the policy of the resource: {missing}"));
                continue;
            }
            Part::Known(None | Some(Err(_))) => {
                results.pass();
                continue;
            }
            Part::Known(Some(Ok(document))) => document,
        };
        let mut named: BTreeSet<(String, String)> = BTreeSet::new();
        for entry in document.principals().filter(|entry| entry.kind == PrincipalType::Aws) {
            if let Some(account) = account_of(entry.text)
                && !zone.contains(&account)
            {
                named.insert((account, entry.text.to_owned()));
            }
        }
        let mut clean = true;
        for (account, entry) in named {
            let Some(statement) = lets_in(audit, arn, document, &account, &entry) else { continue };
            clean = false;
            let why = format!("account {account} is let in, which is outside of the organization");
            results.fail(Found::new(arn, why).detail(&entry).at(place(arn, document, statement)));
        }
        if clean {
            results.pass();
        }
    }
    if resources.is_empty() {
        results.not_applicable();
    }
}

fn account_of(entry: &str) -> Option<String> {
    let digits = if entry.contains(':') { entry.split(':').nth(4)? } else { entry };
    digits.parse::<AccountId>().ok().map(|account| account.to_string())
}

/// The first statement by which the engine lets a caller in, whose own account allows it everything
/// and which is in another organization.
fn lets_in(
    audit: &Audit<'_>,
    arn: &str,
    document: &Arc<Document>,
    account: &str,
    entry: &str,
) -> Option<usize> {
    let account: AccountId = account.parse().ok()?;
    let principal = stranger(account, entry);
    let all = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let all = Document::parse(all, DocumentKind::Identity).ok()?;
    let (own, by) =
        (Source::new("own", SourceKind::UserInline), Source::new(arn, SourceKind::Resource));
    let statements = document.statements().iter().enumerate();
    let mut allows = statements.filter(|(_, statement)| statement.effect() == Effect::Allow);
    let found = allows.find(|(_, statement)| {
        let mut context = Context::new();
        satisfy(&mut context, statement, &audit.now.to_string());
        context.put("aws:PrincipalOrgID", "o-outside");
        context.put_list("aws:PrincipalOrgPaths", ["o-outside/r-out/"]);
        context.put_principal(&principal);
        let resource = statement.resources().next().filter(|_| !statement.is_not_resource());
        let resource =
            resource.map_or_else(|| arn.to_owned(), |text| text.replace(['*', '?'], "x"));
        let resource = if resource.starts_with("arn:") { resource } else { arn.to_owned() };
        let applicable = Applicable {
            identity: [Attached { source: &own, document: &all }].into_iter().collect(),
            resource: Some(Attached { source: &by, document }),
            ..Applicable::default()
        };
        actions(audit, arn, statement).iter().any(|action| {
            let request = Request {
                principal: &principal,
                action,
                resource: &resource,
                resource_account: Some(audit.evidence.account_id()),
                context: &context,
                delegated: is_delegated(action, &resource),
            };
            decide(&request, &applicable).is_allowed()
        })
    });
    found.map(|(number, _)| number)
}

/// A few actions of which a statement speaks.
fn actions(audit: &Audit<'_>, arn: &str, statement: &Statement) -> Vec<String> {
    let own = arn.split(':').nth(2).unwrap_or("s3");
    let catalog = audit.evidence.estate.managed.catalog();
    let any = |prefix: &str, head: &str| {
        let service = catalog.service(prefix);
        let all = service.into_iter().flat_map(bailiwick_catalog::Service::actions);
        let head = head.to_lowercase();
        let fits = all.filter(|action| action.name.to_lowercase().starts_with(&head)).take(3);
        fits.map(|action| format!("{prefix}:{}", action.name)).collect::<Vec<_>>()
    };
    if statement.is_not_action() {
        return any(own, "");
    }
    let mut found = Vec::new();
    for entry in statement.actions().take(20) {
        if entry.contains(['*', '?']) {
            let (prefix, name) = entry.split_once(':').unwrap_or((own, "*"));
            let prefix = if prefix.contains('*') { own } else { prefix };
            found.extend(any(prefix, name.split(['*', '?']).next().unwrap_or_default()));
        } else {
            found.push(entry.to_owned());
        }
    }
    found
}

/// A caller that an entry means: the user, the role, or any user of the account.
pub(super) fn stranger(account: AccountId, entry: &str) -> Principal {
    let arn = match entry {
        entry if entry.contains(":user/") || entry.contains(":role/") => entry.to_owned(),
        _ => format!("arn:aws:iam::{account}:user/any"),
    };
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    if arn.contains(":role/") {
        let id = UniqueId::from_random(IdKind::Role, [0; 11]);
        return Principal::Role {
            arn: arn.as_str().into(),
            id,
            account,
            name: name.as_str().into(),
        };
    }
    let id = UniqueId::from_random(IdKind::User, [0; 11]);
    Principal::User { arn: arn.as_str().into(), id, account, name: name.as_str().into() }
}

/// ANA-07.
fn tagged(audit: &Audit<'_>, results: &mut Results) {
    let Some(analyzers) = audit.evidence.analyzers.known() else { return };
    for analyzer in analyzers {
        results.judge(analyzer.tags > 0, || {
            let arn = &analyzer.arn;
            Found::new(arn, "the analyzer has no tag").cli(format!(
                "aws accessanalyzer tag-resource --resource-arn {arn} --tags owner=NAME"
            ))
        });
    }
    if analyzers.is_empty() {
        results.not_applicable();
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]
pub(super) mod tests {
    use super::super::fixture::{ACCOUNT, Case, Folder, folder, organization, policy};
    use serde_json::{Value as Json, json};

    fn analyzers(kind: &str, status: &str, tags: Json) -> Folder {
        folder(|f| {
            f.put("regions.json", &json!({"Regions": [{"RegionName": "eu-west-1"}]}));
            let one = json!({
                "arn": "arn:aws:access-analyzer:eu-west-1:123456789012:analyzer/a", "type": kind,
                "status": status, "tags": tags,
            });
            f.put("regions/eu-west-1/analyzers.json", &json!({"analyzers": [one]}));
        })
    }

    fn queue(statement: &Json) -> Folder {
        folder(|f| {
            organization(f, &[]);
            let arn = format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:q");
            let text = policy(json!([statement])).to_string();
            let content = json!({"Attributes": {"QueueArn": arn, "Policy": text}});
            f.put("regions/eu-west-1/sqs/1.json", &content);
        })
    }

    fn sends(principal: Json, condition: Json) -> Json {
        json!({
            "Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage",
            "Resource": format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:q"), "Condition": condition,
        })
    }

    fn bucket(block: Json) -> Folder {
        folder(|f| {
            f.put("s3/buckets.json", &json!({"Buckets": [{"Name": "b"}]}));
            let open = policy(json!([{
                "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::b/*",
            }]));
            f.put("s3/b/policy.json", &json!({"Policy": open.to_string()}));
            let content = json!({"PublicAccessBlockConfiguration": block});
            f.put("s3/b/public-access-block.json", &content);
        })
    }

    pub(crate) fn cases() -> Vec<Case> {
        let external = analyzers("ACCOUNT", "ACTIVE", json!({"owner": "a"}));
        let two = json!([{"RegionName": "eu-west-1"}, {"RegionName": "us-east-1"}]);
        let mut cases = vec![
            Case::new(
                "ANA-01",
                &external,
                &[
                    &|f| *f = analyzers("ACCOUNT", "CREATING", json!({})),
                    &|f| *f = analyzers("ACCOUNT_UNUSED_ACCESS", "ACTIVE", json!({})),
                    &|f| {
                        f.put("regions.json", &json!({"Regions": two}));
                    },
                ],
            ),
            Case::new(
                "ANA-02",
                &analyzers("ACCOUNT_UNUSED_ACCESS", "ACTIVE", json!({})),
                &[&|f| *f = external.clone()],
            ),
            Case::new("ANA-07", &external, &[&|f| *f = analyzers("ACCOUNT", "ACTIVE", json!({}))]),
        ];
        let own = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
        let named = queue(&sends(own.clone(), json!({})));
        let org = |id: &str| sends(json!("*"), json!({"StringLike": {"aws:PrincipalOrgID": id}}));
        cases.push(Case::new(
            "ANA-03",
            &named,
            &[
                &|f| *f = queue(&sends(json!("*"), json!({}))),
                &|f| *f = queue(&sends(json!({"AWS": "*"}), json!({}))),
                &|f| *f = queue(&org("o-*")),
            ],
        ));
        cases.push(Case::new("ANA-03", &queue(&org("o-1")), &[&|f| *f = queue(&org("*"))]));
        let blocked = bucket(json!({"RestrictPublicBuckets": true}));
        cases.push(Case::new(
            "ANA-03",
            &blocked,
            &[&|f| *f = bucket(json!({"RestrictPublicBuckets": false, "BlockPublicPolicy": true}))],
        ));
        let stranger = json!({"AWS": "arn:aws:iam::210987654321:root"});
        let role = json!({"AWS": "arn:aws:iam::210987654321:role/r"});
        let bound = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
        cases.push(Case::new(
            "ANA-04",
            &named,
            &[&|f| *f = queue(&sends(stranger.clone(), json!({}))), &|f| {
                *f = queue(&sends(role.clone(), json!({})));
            }],
        ));
        cases.push(Case::new(
            "ANA-04",
            &queue(&sends(stranger.clone(), bound)),
            &[&|f| *f = queue(&sends(stranger.clone(), json!({})))],
        ));
        let mut known = queue(&sends(stranger.clone(), json!({})));
        known.settings.own_accounts = ["210987654321".to_owned()].into();
        cases.push(Case::new("ANA-04", &known, &[&|f| f.settings.own_accounts.clear()]));
        cases
    }
}
