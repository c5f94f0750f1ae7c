//! What a look at policies over time and by their text tells: POL-16, POL-20, POL-21 and POL-24.

use std::collections::{BTreeSet, HashMap};

use bailiwick_model::Found as FoundPolicy;
use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Levels, Policies, Request, Source,
    SourceKind, decide,
};
use bailiwick_symbolic::{Answer, Asker};

use super::reach::actions;
use super::table::{ANY, Table, circumstances};
use super::texts::{Text, gap, of_account, of_resources};
use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::Origin;
use crate::posture::finding::Place;
use crate::validate::{FindingType, PathElement, PolicyType, ResourceType, Validator};

/// POL-16.
pub(super) fn validation(audit: &Audit<'_>, results: &mut Results) {
    let mut texts = of_account(audit, results);
    texts.extend(of_resources(audit, results));
    texts.extend(of_organization(audit, results));
    let validator = Validator::new(audit.evidence.estate.managed.catalog());
    let mut known: HashMap<(&str, PolicyType, Option<ResourceType>), Vec<Issue>> = HashMap::new();
    for text in &texts {
        let source = text.document.source();
        let issues = known
            .entry((source, text.kind, text.on))
            .or_insert_with(|| issues(&validator, source, text.kind, text.on));
        for issue in issues.iter() {
            let mut found = Found::new(&text.subject, &issue.why).at(text.place(issue.statement));
            found.detail = Some(issue.code.clone());
            found.fix.commands.push(text.command.clone());
            results.fail(found);
        }
        if issues.is_empty() {
            results.pass();
        }
    }
    if texts.is_empty() {
        results.pass();
    }
}

struct Issue {
    code: String,
    statement: Option<usize>,
    why: String,
}

fn issues(
    validator: &Validator<'_>,
    text: &str,
    kind: PolicyType,
    on: Option<ResourceType>,
) -> Vec<Issue> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for finding in validator.validate(text, kind, on) {
        let word = match finding.finding_type {
            FindingType::Error => "error",
            FindingType::SecurityWarning => "security warning",
            _ => continue,
        };
        let code = finding.issue_code.as_str().to_owned();
        let path = finding.locations.first().map_or(&[][..], |location| &location.path);
        let statement = match path {
            [PathElement::Value(name), PathElement::Index(number), ..] if name == "Statement" => {
                Some(*number)
            }
            [PathElement::Value(name), ..] if name == "Statement" => Some(0),
            _ => None,
        };
        if seen.insert((code.clone(), statement)) {
            let why = format!("{word} {code}: {}", finding.finding_details);
            found.push(Issue { code, statement, why });
        }
    }
    found
}

fn of_organization<'a>(audit: &'a Audit<'_>, results: &mut Results) -> Vec<Text<'a>> {
    let Some(organization) = audit.evidence.organization.known() else {
        gap(audit, results, Data::Organization);
        return Vec::new();
    };
    let Some(policies) = organization.as_ref().map(|one| &one.policies) else { return Vec::new() };
    let Some(policies) = policies.known() else {
        results.not_assessed(&audit.account, "the policies of the organization");
        return Vec::new();
    };
    let kinds = [
        ("SERVICE_CONTROL_POLICY", PolicyType::ServiceControl),
        ("RESOURCE_CONTROL_POLICY", PolicyType::ResourceControl),
    ];
    let mut texts = Vec::new();
    for policy in policies.values() {
        let Some((_, kind)) = kinds.iter().find(|(name, _)| *name == policy.kind) else { continue };
        match policy.document.known() {
            Some(document) => texts.push(Text {
                subject: policy.arn.clone(),
                policy: policy.arn.clone(),
                version: None,
                document,
                kind: *kind,
                on: None,
                command: format!(
                    "aws organizations update-policy --policy-id {} --content file://policy.json",
                    policy.id
                ),
            }),
            None => results.not_assessed(&policy.arn, "its text"),
        }
    }
    texts
}

/// Actions of services that live in Regions.
const REGIONAL: [&str; 3] = ["ec2:RunInstances", "lambda:CreateFunction", "rds:CreateDBInstance"];

/// POL-20: nobody starts anything in a Region that nobody named, by SCP, or by what each may do.
pub(super) fn regions(audit: &Audit<'_>, results: &mut Results) {
    let estate = &audit.evidence.estate;
    if let Some(organization) = &estate.organization
        && !organization.management
        && bound_by(audit, &organization.scps)
    {
        results.pass();
        return;
    }
    let table = &audit.reach().table;
    let free = |access: &&crate::posture::facts::Access| {
        let mut context = access.subject.context();
        circumstances(&mut context, audit);
        !access.holder.linked
            && REGIONAL.iter().any(|action| {
                let resource = table
                    .place(action)
                    .map_or_else(|| "*".to_owned(), |place| table.resource(place));
                estate.decide(&access.subject, action, &resource, &context).is_allowed()
            })
    };
    for access in audit.principals() {
        if let Some(source) = &access.subject.effective.unreadable {
            let missing = format!("the policy `{}` cannot be read", source.id);
            results.not_assessed(&access.holder.arn, missing);
        }
    }
    let free: Vec<&str> =
        audit.principals().iter().filter(free).map(|access| access.holder.arn.as_str()).collect();
    if free.is_empty() {
        results.pass();
    } else if estate.organization.is_none()
        && !matches!(audit.evidence.organization.known(), Some(None))
    {
        gap(audit, results, Data::Organization);
        if audit.evidence.missing(Data::Organization).is_none() {
            results.not_assessed(&audit.account, "the service control policies of the account");
        }
    } else {
        let shown: Vec<&str> = free.iter().copied().take(5).collect();
        let why = format!(
            "{} principals may start instances, functions or databases in any Region, among them {}; \
             no SCP, boundary or policy asks for aws:RequestedRegion",
            free.len(),
            shown.join(", ")
        );
        results.fail(
            Found::new(&audit.account, why)
                .cli(
                    "aws organizations create-policy --type SERVICE_CONTROL_POLICY --name regions \
                     --description regions --content file://regions.json",
                )
                .diff(
                    "+ {\"Effect\": \"Deny\", \"NotAction\": [\"global services\"], \"Resource\": \"*\",\n\
                     +  \"Condition\": {\"StringNotEquals\": {\"aws:RequestedRegion\": [\"eu-west-1\"]}}}",
                ),
        );
    }
}

/// Whether SCPs deny regional services in a Region that they do not name.
fn bound_by(audit: &Audit<'_>, scps: &[Vec<FoundPolicy>]) -> bool {
    let text = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let Ok(all) = Document::parse(text, DocumentKind::Identity) else { return false };
    let source = Source::new(ANY, SourceKind::UserInline);
    let table = &audit.reach().table;
    let names_region = scps.iter().flatten().any(|policy| {
        let mut keys = policy.document.uses_keys().into_iter();
        keys.any(|key| key.eq_ignore_ascii_case("aws:RequestedRegion"))
    });
    let mut context = Context::new();
    circumstances(&mut context, audit);
    context.put_principal(&table.caller);
    names_region
        && REGIONAL.iter().all(|action| {
            let levels: Levels<'_> = scps
                .iter()
                .map(|level| level.iter().map(FoundPolicy::attached).collect::<Policies<'_>>())
                .collect();
            let applicable = Applicable {
                identity: [Attached { source: &source, document: &all }].into_iter().collect(),
                scps: levels,
                ..Applicable::default()
            };
            let resource =
                table.place(action).map_or_else(|| "*".to_owned(), |place| table.resource(place));
            let request = Request {
                principal: &table.caller,
                action,
                resource: &resource,
                resource_account: None,
                context: &context,
                delegated: false,
            };
            !decide(&request, &applicable).is_allowed()
        })
}

/// POL-21.
pub(super) fn versions(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let mut any = false;
    for policy in account.policies() {
        any = true;
        let arn = account.policy_arn(policy);
        let Some(current) = account.version(policy.id, policy.default_version) else {
            results.not_assessed(arn.as_str(), "the version in force");
            continue;
        };
        let Ok(now) = current.document.document() else {
            results.not_assessed(arn.as_str(), "the version in force cannot be read");
            continue;
        };
        let mut clean = true;
        for version in account.versions(policy.id) {
            if version.number == policy.default_version
                || version.document.source() == current.document.source()
            {
                continue;
            }
            let label = format!("v{}", version.number);
            let Ok(older) = version.document.document() else {
                clean = false;
                results.not_assessed(arn.as_str(), format!("the version {label} cannot be read"));
                continue;
            };
            let one = std::slice::from_ref::<Document>;
            let why = match Asker::default().implies(one(now), one(older)) {
                Answer::Holds => continue,
                Answer::Fails(witness) => {
                    format!("{label} allows more than v{}: {witness}", policy.default_version)
                }
                Answer::Undecided(reason) => format!(
                    "{label} is not shown to allow no more than v{}: {reason}",
                    policy.default_version
                ),
            };
            clean = false;
            let place = Place {
                policy: arn.as_str().to_owned(),
                version: Some(label.clone()),
                ..Place::default()
            };
            results.fail(Found::new(arn.as_str(), why).at(place).detail(label.clone()).cli(
                format!("aws iam delete-policy-version --policy-arn {arn} --version-id {label}"),
            ));
        }
        if clean {
            results.pass();
        }
    }
    if !any {
        results.pass();
    }
}

/// POL-24: by service, since last-accessed data tell no single actions. What a service was used for
/// counts as all of it, so that a policy that fails would fail all the more by actions.
pub(super) fn oversized(audit: &Audit<'_>, results: &mut Results) {
    let Some(accessed) = audit.evidence.last_accessed.known() else { return };
    let table = &audit.reach().table;
    let account = &audit.evidence.estate.account;
    let mut any = false;
    for policy in audit.policies().iter().filter(|policy| policy.origin == Origin::Aws) {
        let Some(document) = &policy.document else {
            results.not_assessed(&policy.policy, "what the policy says");
            continue;
        };
        let granted = granted(table, document);
        for holder in policy.holders.iter().filter(|holder| !holder.linked) {
            any = true;
            let members: Vec<String> = match account.group(&holder.id) {
                Some(group) => {
                    let members = account.members_of(group.id);
                    members.map(|user| account.user_arn(user).as_str().to_owned()).collect()
                }
                None => vec![holder.arn.clone()],
            };
            let Some(lists) =
                members.iter().map(|arn| accessed.get(arn)).collect::<Option<Vec<_>>>()
            else {
                results.not_assessed(&holder.arn, "its last-accessed data");
                continue;
            };
            let is_used = |service: &str| {
                lists.iter().any(|list| {
                    let last = list.get(service).copied().flatten();
                    last.is_some_and(|last| !audit.is_older(last, 90))
                })
            };
            let all: usize = granted.iter().map(|(_, count)| count).sum();
            let used: usize =
                granted.iter().filter(|(name, _)| is_used(name)).map(|(_, count)| count).sum();
            results.judge(all == 0 || used * 10 >= all, || {
                let why = format!(
                    "of the {all} actions of `{}` at most {used} are of services that were used in \
                     the last 90 days",
                    policy.policy
                );
                let place = Place { policy: policy.policy.clone(), ..Place::default() };
                Found::new(&holder.arn, why).at(place).cli(format!(
                    "aws iam generate-service-last-accessed-details --arn {}",
                    holder.arn
                ))
            });
        }
    }
    if !any {
        results.pass();
    }
}

/// How many actions of each service a document allows on something.
fn granted<'t>(table: &'t Table, document: &Document) -> Vec<(&'t str, usize)> {
    let mut set = table.nothing();
    for statement in document.statements() {
        if statement.effect() == bailiwick_policy::Effect::Allow {
            set.add(&actions(table, statement));
        }
    }
    let counted = table.services().map(|(prefix, mut places)| {
        (prefix, places.by_ref().filter(|place| set.has(*place)).count())
    });
    counted.filter(|(_, count)| *count > 0).collect()
}
