//! EFF-13: what a principal may do today and could not at the last review.
//!
//! Today's policies are compared with those of the review as sets of requests. New is what its
//! identity policies allow beyond the old ones, or beyond the boundary that it had; the engine has
//! to allow the example with all layers of today. SCPs, RCPs and policies on resources of the day of
//! the review are not known, so what they have let go of since is not seen.

use std::collections::HashMap;

use bailiwick_model::{Found as Policy, parallel};
use bailiwick_policy::{Applicable, Context, Document};
use bailiwick_symbolic::{Access as Wanted, Answer, Asker, Finding, Layers, Witness};
use serde_json::Value as Json;

use super::journal::last_word;
use crate::estate::{Estate, Subject};
use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::facts::Access;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "EFF-13",
    needs: &[Need::Of(Data::AuthorizationDetails), Need::Of(Data::Reviewed)],
    remedy: "take the access away, or accept it under `new-access` of the journal; then keep today's \
             authorization details for the next review",
    run: new_access,
}];

/// What is found of one principal.
enum Seen {
    /// It may do no more than at the review.
    Same,
    /// It may do this, which it could not.
    New(String),
    /// It cannot be told, for this reason.
    Unknown(String),
}

fn new_access(audit: &Audit<'_>, results: &mut Results) {
    let Some(reviewed) = audit.evidence.reviewed.known() else { return };
    let before: HashMap<String, Subject> =
        reviewed.subjects().map(|subject| (subject.arn().to_owned(), subject)).collect();
    let review = Review { audit, reviewed, before, asker: Asker::default() };
    let all = parallel::each(audit.principals(), |access| review.of(access));
    let journal = audit.evidence.journal.known();
    for (access, seen) in audit.principals().iter().zip(all) {
        let arn = &access.holder.arn;
        match seen {
            Seen::Same => results.pass(),
            Seen::Unknown(what) => results.not_assessed(arn, what),
            Seen::New(what) => {
                let words =
                    journal.map(|journal| journal.new_access.as_slice()).unwrap_or_default();
                let accepted = last_word(audit, words, arn).and_then(|day| audit.age_of(day));
                let fresh = accepted.is_some_and(|age| age <= audit.settings.limits.review_age);
                results.judge(fresh, || Found::new(arn, what));
            }
        }
    }
    if audit.principals().is_empty() {
        results.pass();
    }
}

struct Review<'a, 'e> {
    audit: &'a Audit<'e>,
    reviewed: &'a Estate,
    before: HashMap<String, Subject>,
    asker: Asker,
}

impl Review<'_, '_> {
    fn of(&self, access: &Access) -> Seen {
        let now = &access.subject;
        // What AWS's own roles may do is AWS's to change.
        if access.holder.linked {
            return Seen::Same;
        }
        let before = self.before.get(access.holder.arn.as_str());
        for subject in [Some(&**now), before].into_iter().flatten() {
            if let Some(source) = &subject.effective.unreadable {
                return Seen::Unknown(format!("`{}`, which cannot be read", source.id));
            }
        }
        let identity = self.identity(now, before);
        if matches!(identity, Seen::New(_)) {
            return identity;
        }
        match self.trust(access, before.is_some()) {
            Seen::Same => identity,
            trust => trust,
        }
    }

    /// What the policies of the principal allow beyond those of the review.
    fn identity(&self, now: &Subject, before: Option<&Subject>) -> Seen {
        let held = documents(&now.effective.identity);
        let known =
            before.map(|subject| documents(&subject.effective.identity)).unwrap_or_default();
        let bound = |subject: &Subject| subject.effective.boundary.clone();
        let was_bound = before.and_then(bound).map(|policy| policy.document);
        let mut beyond =
            if same(&held, &known) { Vec::new() } else { self.asker.new_access(&known, &held) };
        if let Some(old) = &was_bound
            && bound(now).is_none_or(|new| new.document.source() != old.source())
        {
            let limit = std::slice::from_ref(&**old);
            beyond.extend(self.asker.new_access(limit, &held));
        }
        let mut unknown = None;
        for finding in &beyond {
            match &finding.answer {
                Answer::Holds => {}
                Answer::Undecided(reason) => unknown = Some(reason.to_string()),
                Answer::Fails(witness) if self.allows(now, witness) => {
                    return Seen::New(told(witness, before.is_none()));
                }
                Answer::Fails(witness) => {
                    if !self.out_of_reach(now, &held, finding) {
                        unknown = Some(format!(
                            "its identity policies allow {} on {}, which is new, and another \
                             policy refuses that one",
                            witness.action, witness.resource
                        ));
                    }
                }
            }
        }
        unknown.map_or(Seen::Same, Seen::Unknown)
    }

    /// Who is let in by the trust policy of a role, and was not.
    fn trust(&self, access: &Access, was_there: bool) -> Seen {
        let estate = &self.audit.evidence.estate;
        let of = |estate: &Estate| {
            let role = estate.account.role_with_arn(&access.holder.arn.parse().ok()?)?;
            role.trust.document().ok().cloned()
        };
        let Some(new) = of(estate) else { return Seen::Same };
        let old = if was_there { of(self.reviewed) } else { None };
        if old.as_ref().is_some_and(|old| old.source() == new.source()) {
            return Seen::Same;
        }
        let (old, new) = (old.as_slice(), [(*new).clone()]);
        let old: Vec<Document> = old.iter().map(|document| (**document).clone()).collect();
        match self.asker.implies(&old, &new) {
            Answer::Holds => Seen::Same,
            Answer::Undecided(reason) => Seen::Unknown(format!("its trust policy: {reason}")),
            Answer::Fails(witness) => {
                let since = if was_there { "could not" } else { "there was no such role" };
                Seen::New(format!(
                    "{} can assume it{}; at the last review {since}",
                    witness.principal,
                    keys(&witness)
                ))
            }
        }
    }

    /// Whether all layers of today allow a request.
    fn allows(&self, subject: &Subject, witness: &Witness) -> bool {
        let mut context = Context::new();
        for (key, values) in &witness.context {
            context.put_list(key.as_str(), values.iter().map(String::as_str));
        }
        for (key, values) in subject.context().iter() {
            context.put_list(key, values);
        }
        let estate = &self.audit.evidence.estate;
        estate.decide(subject, &witness.action, &witness.resource, &context).is_allowed()
    }

    /// Whether nothing that a statement speaks of is allowed by all layers together.
    fn out_of_reach(&self, subject: &Subject, held: &[Document], finding: &Finding) -> bool {
        let Some((actions, resources)) = held.get(finding.document).and_then(|document| {
            let bytes = document.statements().get(finding.statement)?.bytes();
            let range = usize::try_from(bytes.start).ok()?..usize::try_from(bytes.end).ok()?;
            let text: Json = serde_json::from_str(document.source().get(range)?).ok()?;
            Some((list(text.get("Action")?), list(text.get("Resource")?)))
        }) else {
            return false;
        };
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        let wanted = Wanted { actions: &actions, resources: &resources };
        let estate = &self.audit.evidence.estate;
        let applicable: Applicable<'_> = estate.applicable(subject, "", "");
        let facts = subject.context();
        let layers = Layers {
            principal: &subject.principal,
            facts: &facts,
            applicable: &applicable,
            resource_account: None,
        };
        self.asker.out_of_reach(&layers, &[wanted]).is_ok_and(|answer| answer.holds())
    }
}

fn documents(policies: &[Policy]) -> Vec<Document> {
    policies.iter().map(|policy| (*policy.document).clone()).collect()
}

/// Whether two lists hold the same texts, in any order.
fn same(left: &[Document], right: &[Document]) -> bool {
    let texts = |list: &[Document]| {
        let mut texts: Vec<String> = list.iter().map(|one| one.source().to_owned()).collect();
        texts.sort_unstable();
        texts
    };
    left.len() == right.len() && texts(left) == texts(right)
}

/// A text or a list of texts.
fn list(value: &Json) -> Vec<String> {
    match value {
        Json::String(one) => vec![one.clone()],
        Json::Array(list) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn told(witness: &Witness, is_new: bool) -> String {
    let since = if is_new { "there was no such principal" } else { "it could not" };
    let (action, resource) = (&witness.action, &witness.resource);
    format!("it can do {action} on {resource}{}; at the last review {since}", keys(witness))
}

/// The keys of a request that a caller has some influence on, in words.
fn keys(witness: &Witness) -> String {
    let own = ["aws:principal", "aws:username", "aws:userid"];
    let own = |key: &str| own.iter().any(|head| key.to_ascii_lowercase().starts_with(head));
    let told: Vec<String> = witness
        .context
        .iter()
        .filter(|(key, _)| !own(key))
        .map(|(key, values)| format!("{key} = {}", values.join(", ")))
        .collect();
    if told.is_empty() { String::new() } else { format!(" with {}", told.join(" and ")) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{
        ACCOUNT, Case, Folder, allow, attached, folder, managed, policy, role, user,
    };
    use crate::posture::Outcome;
    use serde_json::{Value as Json, json};

    /// The details of an account with one user and one role.
    fn account(statements: &Json, boundary: Option<&Json>, trusted: &str) -> Json {
        let inline = json!([{"PolicyName": "p", "PolicyDocument": policy(statements.clone())}]);
        let mut clerk = user("clerk", json!({"UserPolicyList": inline}));
        let mut policies = Vec::new();
        if let Some(boundary) = boundary {
            policies.push(managed("limit", policy(json!([boundary]))));
            let arn = attached("limit")["PolicyArn"].clone();
            clerk["PermissionsBoundary"] = json!({
                "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn,
            });
        }
        let trust = policy(json!([{
            "Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole",
        }]));
        let desk = role("desk", json!({"AssumeRolePolicyDocument": trust}));
        json!({
            "UserDetailList": [clerk], "GroupDetailList": [], "RoleDetailList": [desk],
            "Policies": policies,
        })
    }

    fn root(account: &str) -> String {
        format!("arn:aws:iam::{account}:root")
    }

    fn since(before: &Json, now: &Json) -> Folder {
        folder(|f| {
            f.put("authorization-details.json", now);
            f.put("reviewed/authorization-details.json", before);
        })
    }

    fn gets() -> Json {
        allow("s3:GetObject", "*")
    }

    fn accepted(on: &str, by: &str) -> Json {
        let principal = format!("arn:aws:iam::{ACCOUNT}:user/clerk");
        json!({"new-access": [{"principal": principal, "on": on, "by": by}]})
    }

    pub(crate) fn cases() -> Vec<Case> {
        let all = allow("*", "*");
        let was = account(&json!([gets()]), None, &root(ACCOUNT));
        let more = account(&json!([gets(), allow("s3:PutObject", "*")]), None, &root(ACCOUNT));
        let other = account(&json!([gets()]), None, &root("210987654321"));
        let bounded = account(&json!([all]), Some(&gets()), &root(ACCOUNT));
        let unbound = account(&json!([all]), None, &root(ACCOUNT));
        let mut hired = was.clone();
        let inline = json!([{"PolicyName": "p", "PolicyDocument": policy(json!([gets()]))}]);
        let users = hired["UserDetailList"].as_array_mut().unwrap();
        users.push(user("hired", json!({"UserPolicyList": inline})));
        let mut taken = since(&was, &more);
        taken.journal(&accepted("2026-05-20", "carol"));
        vec![
            Case::new(
                "EFF-13",
                &since(&was, &was),
                &[&|f| *f = since(&was, &more), &|f| *f = since(&was, &other), &|f| {
                    *f = since(&was, &hired);
                }],
            ),
            // Less is not more, and other words for the same are neither.
            Case::new("EFF-13", &since(&more, &was), &[&|f| *f = since(&bounded, &unbound)]),
            // What the boundary keeps out was not won.
            Case::new(
                "EFF-13",
                &since(&account(&json!([gets()]), Some(&gets()), &root(ACCOUNT)), &{
                    let wide = json!([gets(), allow("s3:PutObject", "*")]);
                    account(&wide, Some(&gets()), &root(ACCOUNT))
                }),
                &[&|f| *f = since(&was, &more)],
            ),
            Case::new(
                "EFF-13",
                &taken,
                &[
                    &|f| f.journal(&accepted("2026-01-20", "carol")),
                    &|f| f.journal(&accepted("2026-05-20", "")),
                    &|f| f.journal(&json!({})),
                ],
            ),
        ]
    }

    // Half of what was is no ground to compare with.
    #[test]
    fn a_review_that_is_not_whole_tells_nothing() {
        let was = account(&json!([gets()]), None, &root(ACCOUNT));
        let mut cut = was.clone();
        (cut["IsTruncated"], cut["Marker"]) = (json!(true), json!("more"));
        let evidence = since(&cut, &was).read();
        assert_eq!(evidence.faults.len(), 1);
        assert!(evidence.reviewed.missing().is_some());
        let other = Json::String(was.to_string().replace(ACCOUNT, "210987654321"));
        let other: Json = serde_json::from_str(other.as_str().unwrap()).unwrap();
        let evidence = since(&other, &was).read();
        assert!(evidence.faults[0].problem.contains("210987654321"), "{:?}", evidence.faults);
        let alone = folder(|f| {
            f.put("authorization-details.json", &was);
        });
        assert_eq!(alone.outcome("EFF-13"), Outcome::NotAssessed);
    }
}
