//! Simulation: what policies would answer to calls that nobody makes (section 13 of the rules).
//!
//! A [`Simulation`] asks [`crate::explain`] once an action and resource and reports in the shape of
//! AWS's simulator: one [`EvaluationResult`] an action, with the answers for each resource in it. It
//! stands on the walk that decides live requests, so the two cannot disagree. Which policies apply
//! is for its host to say, and the context holds what the host put there and nothing else.
//!
//! It leaves out what the simulator of AWS leaves out only as far as its host does: session policies,
//! resource control policies and trust policies are asked when they are given (SIM-11).
//!
//! ```
//! use bailiwick_catalog::Catalog;
//! use bailiwick_policy::simulate::Simulation;
//! use bailiwick_policy::{
//!     Applicable, Attached, Context, Document, DocumentKind, Source, SourceKind, Verdict,
//! };
//!
//! let text = r#"{"Version":"2012-10-17","Statement":[
//!     {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::reports/*"}]}"#;
//! let document = Document::parse(text, DocumentKind::Identity)?;
//! let source = Source::new("PolicyInputList.1", SourceKind::UserInline);
//! let simulation = Simulation {
//!     catalog: Catalog::embedded(),
//!     caller: None,
//!     policies: Applicable::identity([Attached { source: &source, document: &document }]),
//!     in_organization: false,
//!     resource_owner: None,
//!     actions: &["s3:GetObject".to_owned(), "s3:PutObject".to_owned()],
//!     resources: &["arn:aws:s3:::reports/q3.csv".to_owned()],
//!     context: &Context::new(),
//! };
//! let results = simulation.run()?;
//! let decisions: Vec<Verdict> = results.iter().map(|result| result.eval_decision).collect();
//! assert_eq!(decisions, [Verdict::Allow, Verdict::ImplicitDeny]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod context;
mod message;
mod resource;
mod result;

use std::collections::BTreeMap;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccountId, IdKind, UniqueId};

pub use action::{ActionError, require_action};
pub use context::{ContextEntry, ContextEntryError, ContextType};
pub use message::{
    AuthorizationMessage, Item, Items, MessageCondition, MessageContext, MessagePrincipal,
    MessageStatement, authorization_message,
};
pub use resource::{ResourceArnError, policy_fits, require_resource};
pub use result::{
    EvaluationResult, MatchedStatement, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, Place, ResourceSpecificResult,
};

use crate::{
    Applicable, Context, Explanation, PolicyKind, Principal, Reason, Request, Source, SourceKind,
    Verdict, explain, is_delegated,
};

/// How the simulator calls policies of the caller's side on the wire (SIM-4).
const IAM_POLICY: &str = "IAM Policy";
/// How it calls the policy of the resource.
const RESOURCE_POLICY: &str = "Resource Policy";

/// Questions to a set of policies: each action on each resource, by one caller, in one context.
#[derive(Clone, Debug)]
pub struct Simulation<'a, 'p> {
    /// The facts about services, for the names of resource types (SIM-3).
    pub catalog: &'a Catalog,
    /// Who calls. Nothing: somebody of the account that owns the resource, of whom nothing else is
    /// known, so that no resource policy names it and nothing is cross-account.
    pub caller: Option<&'a Principal>,
    /// The policies. Where [`Source::arn`] is none, [`Source::id`] is reported as it stands (see
    /// [`reported_source`]); else the last part of the ARN (SIM-5).
    pub policies: Applicable<'p>,
    /// Whether the caller's account is in an organization, or levels of service control policies
    /// were given: only then an [`OrganizationsDecisionDetail`] is reported (SIM-7).
    pub in_organization: bool,
    /// The owner of resources whose ARNs do not name one; the caller's account unless given.
    pub resource_owner: Option<AccountId>,
    /// The actions, such as `iam:CreateUser`.
    pub actions: &'a [String],
    /// The ARNs of the resources; `*` where there are none.
    pub resources: &'a [String],
    /// The request context, complete.
    pub context: &'a Context,
}

/// A policy cannot be evaluated, so that every request it applies to is denied (IN-6).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the policy `{policy}` cannot be evaluated")]
pub struct EvaluationError {
    /// The policy, as [`MatchedStatement::source_policy_id`] names it.
    pub policy: String,
}

/// A source as the simulator reports it: an inline policy is called `role_ROLE_POLICY`, `user_...` or
/// `group_...` (SIM-5). `owner` is the name of the user or role whose policies are simulated; all
/// other sources stay as they are.
#[must_use]
pub fn reported_source(source: &Source, owner: &str) -> Source {
    let id = match &source.kind {
        SourceKind::UserInline => format!("user_{owner}_{}", source.id),
        SourceKind::RoleInline => format!("role_{owner}_{}", source.id),
        SourceKind::GroupInline { group } => format!("group_{group}_{}", source.id),
        _ => return source.clone(),
    };
    Source { id: id.into(), ..source.clone() }
}

impl Simulation<'_, '_> {
    /// One result an action, in the order of the actions (SIM-2).
    ///
    /// # Errors
    /// A policy that applies cannot be evaluated.
    pub fn run(&self) -> Result<Vec<EvaluationResult>, EvaluationError> {
        self.actions.iter().map(|action| self.evaluate(action)).collect()
    }

    /// The result of one action, which need not be among [`Simulation::actions`].
    ///
    /// # Errors
    /// A policy that applies cannot be evaluated.
    pub fn evaluate(&self, action: &str) -> Result<EvaluationResult, EvaluationError> {
        let resources = self.resources();
        let answers = resources
            .iter()
            .map(|resource| self.answer(action, resource).map(|answer| (*resource, answer)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.aggregate(action, answers))
    }

    /// The walk behind one answer: what [`explain`] says.
    pub fn explain(&self, action: &str, resource: &str) -> Explanation {
        let stranger;
        let principal = if let Some(caller) = self.caller {
            caller
        } else {
            stranger = self.stranger(resource);
            &stranger
        };
        let request = Request {
            principal,
            action,
            resource,
            resource_account: self.resource_owner.filter(|_| account_field(resource).is_empty()),
            context: self.context,
            // Without the policy of the resource only the side of the caller is asked.
            delegated: self.policies.resource.is_some() && is_delegated(action, resource),
        };
        explain(&request, &self.policies)
    }

    fn resources(&self) -> Vec<&str> {
        if self.resources.is_empty() {
            return vec!["*"];
        }
        self.resources.iter().map(String::as_str).collect()
    }

    /// The caller of whom nothing is known.
    fn stranger(&self, resource: &str) -> Principal {
        let owner = account_field(resource).parse().ok().or(self.resource_owner);
        let account = owner.or_else(|| "000000000000".parse().ok());
        match account {
            Some(account) => Principal::User {
                arn: "".into(),
                id: UniqueId::from_random(IdKind::User, [0; 11]),
                account,
                name: "".into(),
            },
            None => Principal::Anonymous,
        }
    }

    fn answer(&self, action: &str, resource: &str) -> Result<Answer, EvaluationError> {
        let explanation = self.explain(action, resource);
        if let Reason::EvaluationError { source } = &explanation.decision.reason {
            return Err(EvaluationError { policy: policy_id(source) });
        }
        Ok(Answer {
            decision: explanation.decision.verdict,
            matched: matched(&explanation, is_delegated(action, resource)),
            boundary: self
                .policies
                .boundary
                .as_ref()
                .map(|_| allows(&explanation, PolicyKind::Boundary)),
            organizations: self.in_organization.then(|| self.organization_allows(&explanation)),
            details: details(&explanation, resource),
            missing: explanation.missing_keys,
        })
    }

    /// SIM-7: every level has an Allow and none a Deny. A level without policies allows nothing
    /// (SCP-2).
    fn organization_allows(&self, explanation: &Explanation) -> bool {
        !self.policies.scps.has_empty_level()
            && (self.policies.scps.is_empty() || allows(explanation, PolicyKind::ServiceControl))
    }

    fn aggregate(&self, action: &str, answers: Vec<(&str, Answer)>) -> EvaluationResult {
        let decision = most_restrictive(answers.iter().map(|(_, answer)| answer.decision));
        let mut matched: Vec<MatchedStatement> = Vec::new();
        let mut missing: Vec<String> = Vec::new();
        let mut details: Option<BTreeMap<&'static str, Verdict>> = None;
        for (_, answer) in &answers {
            for statement in &answer.matched {
                if !matched.contains(statement) {
                    matched.push(statement.clone());
                }
            }
            for key in &answer.missing {
                if !missing.iter().any(|held| held.eq_ignore_ascii_case(key)) {
                    missing.push(key.clone());
                }
            }
            for (kind, verdict) in answer.details.iter().flatten() {
                let held = details.get_or_insert_default().entry(*kind).or_insert(*verdict);
                *held = most_restrictive([*held, *verdict]);
            }
            if answer.details.is_some() {
                details.get_or_insert_default();
            }
        }
        let all = |detail: fn(&Answer) -> Option<bool>| {
            let details = answers.iter().map(|(_, answer)| detail(answer));
            details.reduce(|all, one| Some(all? && one?)).flatten()
        };
        let boundary = all(|answer| answer.boundary);
        let organizations = all(|answer| answer.organizations);
        let named = answers.iter().any(|(resource, _)| *resource != "*");
        let resources: Vec<&str> = answers.iter().map(|(resource, _)| *resource).collect();
        EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: resource::name(self.catalog, action, &resources),
            eval_decision: decision,
            matched_statements: matched,
            missing_context_values: missing,
            organizations_decision_detail: organizations.map(|allowed_by_organizations| {
                OrganizationsDecisionDetail { allowed_by_organizations }
            }),
            permissions_boundary_decision_detail: boundary.map(detail_of_boundary),
            eval_decision_details: details,
            resource_specific_results: if named {
                answers.into_iter().map(|(resource, answer)| answer.report(resource)).collect()
            } else {
                Vec::new()
            },
        }
    }
}

/// The answer for one action on one resource.
struct Answer {
    decision: Verdict,
    matched: Vec<MatchedStatement>,
    missing: Vec<String>,
    boundary: Option<bool>,
    organizations: Option<bool>,
    details: Option<BTreeMap<&'static str, Verdict>>,
}

impl Answer {
    fn report(self, resource: &str) -> ResourceSpecificResult {
        ResourceSpecificResult {
            eval_resource_name: resource.to_owned(),
            eval_resource_decision: self.decision,
            matched_statements: self.matched,
            missing_context_values: self.missing,
            eval_decision_details: self.details,
            permissions_boundary_decision_detail: self.boundary.map(detail_of_boundary),
        }
    }
}

/// SIM-4: the statements that made the decision. A grant to the caller's own account adds nothing
/// unless the resource is of a kind that needs delegation (PR-3).
fn matched(explanation: &Explanation, delegated: bool) -> Vec<MatchedStatement> {
    let idle = |kind: PolicyKind, grade: Option<&str>| {
        of_resource(kind)
            && !explanation.cross_account
            && !delegated
            && explanation.decision.verdict == Verdict::Allow
            && grade == Some("account")
    };
    let mut found = Vec::new();
    for (source, statement) in explanation.matched() {
        let kind = kind_of(source);
        let grade = match &statement.outcome {
            crate::Outcome::Matched { grade } => *grade,
            _ => None,
        };
        if idle(kind, grade) {
            continue;
        }
        found.push(MatchedStatement {
            source_policy_id: policy_id(source),
            source_policy_type: if of_resource(kind) { RESOURCE_POLICY } else { IAM_POLICY },
            start_position: statement.start.into(),
            end_position: statement.end.into(),
        });
    }
    found
}

const fn detail_of_boundary(
    allowed_by_permissions_boundary: bool,
) -> PermissionsBoundaryDecisionDetail {
    PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary }
}

/// Whether a kind of policy allows by itself. An action that needs no permission asks none.
fn allows(explanation: &Explanation, kind: PolicyKind) -> bool {
    explanation.decision.reason == Reason::NoPermissionNeeded
        || explanation.verdict_of(kind) == Some(Verdict::Allow)
}

/// SIM-9: what either side says, across accounts; empty for a resource of the own account; absent
/// where no resource is named, or where a service control policy ended the evaluation.
fn details(explanation: &Explanation, resource: &str) -> Option<BTreeMap<&'static str, Verdict>> {
    let by_scp = match &explanation.decision.reason {
        Reason::ExplicitDeny { kind, .. } | Reason::MissingAllow { kind } => {
            *kind == PolicyKind::ServiceControl
        }
        _ => false,
    };
    if by_scp {
        return None;
    }
    if !explanation.cross_account {
        return (resource != "*").then(BTreeMap::new);
    }
    let said = |kinds: &[PolicyKind]| {
        let verdicts = kinds.iter().filter_map(|kind| explanation.verdict_of(*kind));
        verdicts.max().unwrap_or(Verdict::ImplicitDeny)
    };
    Some(BTreeMap::from([
        (IAM_POLICY, said(&[PolicyKind::Identity])),
        (RESOURCE_POLICY, said(&[PolicyKind::Resource, PolicyKind::Trust])),
    ]))
}

/// The most restrictive of several decisions (SIM-2).
fn most_restrictive(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Allow => 0,
        Verdict::ImplicitDeny => 1,
        Verdict::ExplicitDeny => 2,
    };
    verdicts.into_iter().max_by_key(rank).unwrap_or(Verdict::ImplicitDeny)
}

const fn of_resource(kind: PolicyKind) -> bool {
    matches!(kind, PolicyKind::Resource | PolicyKind::Trust)
}

const fn kind_of(source: &Source) -> PolicyKind {
    match source.kind {
        SourceKind::Trust => PolicyKind::Trust,
        SourceKind::Resource => PolicyKind::Resource,
        SourceKind::Boundary => PolicyKind::Boundary,
        SourceKind::SessionInline | SourceKind::SessionManaged => PolicyKind::Session,
        SourceKind::Scp => PolicyKind::ServiceControl,
        SourceKind::Rcp => PolicyKind::ResourceControl,
        SourceKind::Endpoint => PolicyKind::Endpoint,
        _ => PolicyKind::Identity,
    }
}

/// SIM-5: a managed policy is reported by its name, any other as its host calls it.
fn policy_id(source: &Source) -> String {
    let name = source.arn.as_deref().and_then(|arn| arn.rsplit('/').next());
    name.unwrap_or(&source.id).to_owned()
}

/// The account field of a resource; empty for `*`.
fn account_field(resource: &str) -> &str {
    let field = resource.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3));
    field.unwrap_or_default()
}

#[cfg(test)]
mod tests;
