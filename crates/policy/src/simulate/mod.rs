//! Simulation: what policies would answer to calls that nobody makes (section 13 of the rules).
//!
//! A [`Simulation`] asks once an action and resource and reports in the shape of AWS's simulator: one
//! [`EvaluationResult`] an action, with the answers for each resource in it. It stands on the walk that
//! decides live requests, so that the same policies, caller and context get the same decision. Which
//! policies apply is for its host to say, and the context holds what the host put there and nothing
//! else. A host that answers strangers gives each answer a [`Budget`].
//!
//! It leaves out what services refuse before they ask any policy (SES-8, ROOT-7). Session policies,
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
mod cost;
mod message;
mod resource;
mod result;
mod tracer;

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccountId, IdKind, UniqueId};

pub use action::{ActionError, require_action};
pub use context::{ContextEntry, ContextEntryError, ContextType};
pub use cost::{Budget, Exceeded};
pub use message::{
    AuthorizationMessage, Item, Items, MessageCondition, MessageContext, MessagePrincipal,
    MessageStatement, authorization_message,
};
pub use resource::{ResourceArnError, fitting_work, policy_fits, require_resource};
pub use result::{
    EvaluationResult, MatchedStatement, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, Place, ResourceSpecificResult,
};

use cost::{Lengths, Scales};
use tracer::{Matched, Tracer};

use crate::evaluate::walk;
use crate::explain::missing_keys;
use crate::{
    Applicable, Context, Decision, Explanation, PolicyKind, Principal, Reason, Request, Source,
    SourceKind, Verdict, explain, is_delegated,
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

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SimulationError {
    /// A policy that applies cannot be evaluated.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// It costs more than its host allows.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
}

/// A simulation that is ready to be asked: what all its answers share is worked out.
pub struct Prepared<'s, 'a, 'p> {
    simulation: &'s Simulation<'a, 'p>,
    scales: Scales<'p>,
    resources: Vec<&'a str>,
    /// SIM-6: the context and the policies are the same for all.
    missing: OnceCell<Vec<String>>,
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

impl<'a, 'p> Simulation<'a, 'p> {
    /// One result an action, in the order of the actions (SIM-2), whatever it costs.
    ///
    /// # Errors
    /// A policy that applies cannot be evaluated.
    pub fn run(&self) -> Result<Vec<EvaluationResult>, SimulationError> {
        let prepared = self.prepare();
        let mut budget = Budget::unlimited();
        self.actions.iter().map(|action| prepared.evaluate(action, &mut budget)).collect()
    }

    /// The result of one action, which need not be among [`Simulation::actions`], whatever it costs.
    ///
    /// # Errors
    /// A policy that applies cannot be evaluated.
    pub fn evaluate(&self, action: &str) -> Result<EvaluationResult, SimulationError> {
        self.prepare().evaluate(action, &mut Budget::unlimited())
    }

    /// Works out what all answers share.
    pub fn prepare(&self) -> Prepared<'_, 'a, 'p> {
        let caller = self.caller.map_or(0, |caller| caller.describe().len());
        Prepared {
            simulation: self,
            scales: Scales::new(&self.policies, self.context, caller),
            resources: if self.resources.is_empty() {
                vec!["*"]
            } else {
                self.resources.iter().map(String::as_str).collect()
            },
            missing: OnceCell::new(),
        }
    }

    /// What [`explain`] says to one action on one resource.
    pub fn explain(&self, action: &str, resource: &str) -> Explanation {
        self.ask(action, resource, |request| explain(request, &self.policies))
    }

    fn ask<T>(&self, action: &str, resource: &str, put: impl FnOnce(&Request<'_>) -> T) -> T {
        let stranger;
        let principal = if let Some(caller) = self.caller {
            caller
        } else {
            stranger = self.stranger(resource);
            &stranger
        };
        put(&Request {
            principal,
            action,
            resource,
            resource_account: self.resource_owner.filter(|_| account_field(resource).is_empty()),
            context: self.context,
            // Without the policy of the resource only the side of the caller is asked.
            delegated: self.policies.resource.is_some() && is_delegated(action, resource),
        })
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
}

impl Prepared<'_, '_, '_> {
    /// The result of one action, at the cost of `budget`. After an error the budget is what the
    /// attempt left of it.
    ///
    /// # Errors
    /// A policy that applies cannot be evaluated, or the budget does not suffice.
    pub fn evaluate(
        &self,
        action: &str,
        budget: &mut Budget,
    ) -> Result<EvaluationResult, SimulationError> {
        budget.keep(RESULT + 2 * action.len())?;
        let naming = self.resources.iter().map(|resource| 16 + 4 * resource.len() as u64);
        budget.spend(naming.sum())?;
        let mut answers = Vec::new();
        for resource in &self.resources {
            answers.push((*resource, self.answer(action, resource, budget)?));
        }
        self.aggregate(action, answers, budget)
    }

    fn answer(
        &self,
        action: &str,
        resource: &str,
        budget: &mut Budget,
    ) -> Result<Answer, SimulationError> {
        let lengths = Lengths { action: action.len(), resource: resource.len() };
        budget.begin(self.scales.worst(lengths))?;
        let simulation = self.simulation;
        let mut tracer = Tracer::new(&self.scales, lengths);
        let (decision, cross_account) = simulation.ask(action, resource, |request| {
            let decision = walk(request, &simulation.policies, &mut tracer);
            (decision, is_cross_account(request))
        });
        budget.spend(tracer.steps().saturating_add(PAIR))?;
        if let Reason::EvaluationError { source } = &decision.reason {
            return Err(EvaluationError { policy: policy_id(source) }.into());
        }
        budget.keep(RESULT + resource.len() + self.missing_bytes())?;
        let delegated = is_delegated(action, resource);
        let idle = |found: &Matched| {
            // SIM-4: a grant to the caller's own account adds nothing unless the resource is of a
            // kind that needs delegation (PR-3).
            of_resource(found.kind)
                && !cross_account
                && !delegated
                && decision.verdict == Verdict::Allow
                && found.by_account
        };
        let mut matched = Vec::new();
        for found in tracer.matched(decision.verdict).filter(|found| !idle(found)) {
            if let Some(statement) = self.report(found) {
                budget.spend(PLACES)?;
                budget.keep(statement.size())?;
                matched.push(statement);
            }
        }
        let boundary = simulation.policies.boundary.as_ref();
        let organized = simulation.in_organization;
        Ok(Answer {
            decision: decision.verdict,
            matched,
            boundary: boundary.map(|_| allows(&tracer, &decision, PolicyKind::Boundary)),
            organizations: organized.then(|| self.organization_allows(&tracer, &decision)),
            details: details(&tracer, &decision, cross_account, resource),
        })
    }

    fn report(&self, found: &Matched) -> Option<MatchedStatement> {
        let policy = self.scales.get(found.policy)?.policy;
        let bytes = policy.document.statements().get(found.statement)?.reported_bytes();
        Some(MatchedStatement {
            source_policy_id: policy_id(policy.source),
            source_policy_type: if of_resource(found.kind) { RESOURCE_POLICY } else { IAM_POLICY },
            start_position: policy.document.position(bytes.start).into(),
            end_position: policy.document.position(bytes.end).into(),
        })
    }

    fn missing(&self) -> &[String] {
        let simulation = self.simulation;
        self.missing.get_or_init(|| {
            simulation.ask("", "*", |request| missing_keys(request, &simulation.policies))
        })
    }

    fn missing_bytes(&self) -> usize {
        self.missing().iter().map(|key| KEY + key.len()).sum()
    }

    /// SIM-7: every level has an Allow and none a Deny. A level without policies allows nothing
    /// (SCP-2).
    fn organization_allows(&self, tracer: &Tracer<'_, '_>, decision: &Decision) -> bool {
        let scps = &self.simulation.policies.scps;
        !scps.has_empty_level()
            && (scps.is_empty() || allows(tracer, decision, PolicyKind::ServiceControl))
    }

    fn aggregate(
        &self,
        action: &str,
        answers: Vec<(&str, Answer)>,
        budget: &mut Budget,
    ) -> Result<EvaluationResult, SimulationError> {
        let mut seen: HashSet<&MatchedStatement> = HashSet::new();
        let mut matched: Vec<MatchedStatement> = Vec::new();
        let mut details: Option<BTreeMap<&'static str, Verdict>> = None;
        for (_, answer) in &answers {
            for statement in &answer.matched {
                if seen.insert(statement) {
                    budget.keep(statement.size())?;
                    matched.push(statement.clone());
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
        budget.keep(self.missing_bytes())?;
        let all = |detail: fn(&Answer) -> Option<bool>| {
            let details = answers.iter().map(|(_, answer)| detail(answer));
            details.reduce(|all, one| Some(all? && one?)).flatten()
        };
        let boundary = all(|answer| answer.boundary);
        let organizations = all(|answer| answer.organizations);
        let named = answers.iter().any(|(resource, _)| *resource != "*");
        Ok(EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: resource::name(self.simulation.catalog, action, &self.resources),
            eval_decision: most_restrictive(answers.iter().map(|(_, answer)| answer.decision)),
            matched_statements: matched,
            missing_context_values: self.missing().to_vec(),
            organizations_decision_detail: organizations.map(|allowed_by_organizations| {
                OrganizationsDecisionDetail { allowed_by_organizations }
            }),
            permissions_boundary_decision_detail: boundary.map(detail_of_boundary),
            eval_decision_details: details,
            resource_specific_results: if named {
                let each = answers.into_iter();
                each.map(|(resource, answer)| answer.report(resource, self.missing())).collect()
            } else {
                Vec::new()
            },
        })
    }
}

/// Steps of a pair beside those of its statements.
const PAIR: u64 = 1000;
/// Steps to tell a statement: to find its places in the text, and whether it was told.
const PLACES: u64 = 1000;
/// About the bytes of a result on the wire, beside the names, statements and keys in it.
const RESULT: usize = 512;
/// About the bytes of a key in a result, beside its name.
const KEY: usize = 64;

/// The answer for one action on one resource.
struct Answer {
    decision: Verdict,
    matched: Vec<MatchedStatement>,
    boundary: Option<bool>,
    organizations: Option<bool>,
    details: Option<BTreeMap<&'static str, Verdict>>,
}

impl Answer {
    fn report(self, resource: &str, missing: &[String]) -> ResourceSpecificResult {
        ResourceSpecificResult {
            eval_resource_name: resource.to_owned(),
            eval_resource_decision: self.decision,
            matched_statements: self.matched,
            missing_context_values: missing.to_vec(),
            eval_decision_details: self.details,
            permissions_boundary_decision_detail: self.boundary.map(detail_of_boundary),
        }
    }
}

const fn detail_of_boundary(
    allowed_by_permissions_boundary: bool,
) -> PermissionsBoundaryDecisionDetail {
    PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary }
}

/// Whether a kind of policy allows by itself. An action that needs no permission asks none.
fn allows(tracer: &Tracer<'_, '_>, decision: &Decision, kind: PolicyKind) -> bool {
    decision.reason == Reason::NoPermissionNeeded || tracer.verdict_of(kind) == Some(Verdict::Allow)
}

/// SIM-9: what either side says, across accounts; empty for a resource of the own account; absent
/// where no resource is named, or where a service control policy ended the evaluation.
fn details(
    tracer: &Tracer<'_, '_>,
    decision: &Decision,
    cross_account: bool,
    resource: &str,
) -> Option<BTreeMap<&'static str, Verdict>> {
    let by_scp = match &decision.reason {
        Reason::ExplicitDeny { kind, .. } | Reason::MissingAllow { kind } => {
            *kind == PolicyKind::ServiceControl
        }
        _ => false,
    };
    if by_scp {
        return None;
    }
    if !cross_account {
        return (resource != "*").then(BTreeMap::new);
    }
    let said = |kinds: &[PolicyKind]| {
        let verdicts = kinds.iter().filter_map(|kind| tracer.verdict_of(*kind));
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

/// Whether caller and resource are of different accounts (EV-5).
fn is_cross_account(request: &Request<'_>) -> bool {
    let account = request.principal.account();
    account.is_some() && crate::resource_owner(request) != account
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
