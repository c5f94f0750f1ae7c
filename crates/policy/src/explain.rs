//! Why a request is decided as it is: the same walk as [`crate::decide`], with a witness that
//! writes down what each statement answers (SIM-13).

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::condition::Holds;
use crate::document::{Effect, Position, Statement};
use crate::evaluate::{Ask, Failing, Grade, Match, Witness, walk};
use crate::{
    Applicable, Attached, Decision, Document, Policies, PolicyKind, Reason, Request, Source,
    Verdict,
};

/// A decision with all that led to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The answer, the same as [`crate::decide`] gives.
    pub decision: Decision,
    /// The caller as text.
    pub principal: String,
    /// The action as it was asked.
    pub action: String,
    /// The resource as it was asked.
    pub resource: String,
    /// Whether caller and resource are of different accounts (EV-5).
    pub cross_account: bool,
    /// Every layer that was asked, in order, with its policies.
    pub layers: Vec<Layer>,
    /// Context keys that policies use and the request lacks, those of an organization's policies and
    /// of endpoints left out (SIM-6).
    pub missing_keys: Vec<String>,
}

/// The policies of one kind, or of one level of an organization.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// The kind.
    pub kind: PolicyKind,
    /// The level from the organization's root, from 0, for SCPs and RCPs.
    pub level: Option<usize>,
    /// What the layer says by itself.
    pub verdict: Verdict,
    /// Its policies.
    pub policies: Vec<PolicyReport>,
}

/// One policy and its statements.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// Where it comes from.
    pub source: Source,
    /// Its statements in the order of the text.
    pub statements: Vec<StatementReport>,
    /// How many statements are left out: those that do not speak of the action, or that could not
    /// change the answer. None in a whole explanation.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: usize,
}

/// What one statement answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementReport {
    /// Its place in the policy, from 0.
    pub index: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// Its effect.
    pub effect: Effect,
    /// Where its text begins.
    pub at: Position,
    /// Where it starts as the simulator counts (SIM-5).
    pub start: Position,
    /// Where it ends as the simulator counts (SIM-5).
    pub end: Position,
    /// The answer.
    pub outcome: Outcome,
}

/// The answer of a statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum Outcome {
    /// It matches.
    Matched {
        /// How it names the caller, where it names principals: `direct`, `parent`, `account`.
        grade: Option<&'static str>,
    },
    /// It does not match: its first element that does not.
    Missed(Miss),
    /// Its condition has an operator that is unknown, and it denies (OP-X1).
    Unclear {
        /// The condition.
        condition: ConditionReport,
    },
}

/// The first element of a statement that does not match.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "element")]
pub enum Miss {
    /// Action or NotAction.
    Action {
        /// The entries.
        wanted: Vec<String>,
        /// Whether they stand in NotAction.
        negated: bool,
        /// The place of the element.
        at: Position,
    },
    /// Resource or NotResource.
    Resource {
        /// The entries with their variables resolved; as written where one has no value.
        wanted: Vec<String>,
        /// Whether they stand in NotResource.
        negated: bool,
        /// The place of the element.
        at: Position,
    },
    /// Principal or NotPrincipal.
    Principal {
        /// The entries.
        wanted: Vec<String>,
        /// Whether they stand in NotPrincipal.
        negated: bool,
        /// The place of the element.
        at: Position,
    },
    /// A condition.
    Condition(ConditionReport),
}

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionReport {
    /// The operator as written.
    pub operator: String,
    /// Whether there is no such operator: it fails an Allow and holds for a Deny (OP-X1).
    #[serde(skip_serializing_if = "is_false")]
    pub unknown_operator: bool,
    /// The key as written.
    pub key: String,
    /// The values as written.
    pub wanted: Vec<String>,
    /// The values with their variables resolved, where they may have some; nothing for one whose
    /// variable has no value.
    pub resolved: Option<Vec<Option<String>>>,
    /// The request's values; nothing if the key is absent.
    pub found: Option<Vec<String>>,
    /// The place of the key.
    pub at: Position,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
const fn is_false(answer: &bool) -> bool {
    !*answer
}

/// Decides a request and tells why, statement by statement.
pub fn explain(request: &Request<'_>, applicable: &Applicable<'_>) -> Explanation {
    let mut recorder = Recorder::<true>::new(false);
    let decision = walk(request, applicable, &mut recorder);
    let missing_keys = missing_keys(request, applicable);
    finish(request, decision, recorder.layers, missing_keys)
}

/// The most statements that [`record`] writes down whole.
pub const RECORDED_WHOLE: usize = 32;

/// Decides a request and tells why, in a size that can be kept for every request.
///
/// Up to [`RECORDED_WHOLE`] statements this is [`explain`]. Beyond, an allowed request shows the
/// statements that its decision looked at, and a denied one every statement that speaks of the
/// action; the rest are counted, and `missing_keys` stays empty. The verdict is the same always.
pub fn record(request: &Request<'_>, applicable: &Applicable<'_>) -> Explanation {
    if count(applicable) <= RECORDED_WHOLE {
        return explain(request, applicable);
    }
    let mut looked = Recorder::<false>::new(true);
    let decision = walk(request, applicable, &mut looked);
    if decision.is_allowed() {
        return finish(request, decision, looked.layers, Vec::new());
    }
    let mut related = Recorder::<true>::new(true);
    let decision = walk(request, applicable, &mut related);
    finish(request, decision, related.layers, Vec::new())
}

fn count(applicable: &Applicable<'_>) -> usize {
    let endpoints = applicable.endpoints.iter().map(|endpoint| endpoint.policy);
    let policies = applicable.policies().chain(endpoints);
    policies.map(|policy| policy.document.statements().len()).sum()
}

fn finish(
    request: &Request<'_>,
    decision: Decision,
    layers: Vec<Layer>,
    missing_keys: Vec<String>,
) -> Explanation {
    let owner = crate::resource_owner(request);
    let account = request.principal.account();
    Explanation {
        decision,
        principal: request.principal.describe(),
        action: request.action.to_owned(),
        resource: request.resource.to_owned(),
        cross_account: account.is_some() && owner != account,
        layers,
        missing_keys,
    }
}

impl Explanation {
    /// The statements that made the decision (SIM-4): the Denies of an explicit deny, the Allows
    /// of an allow, none otherwise; never those of SCPs and RCPs.
    pub fn matched(&self) -> impl Iterator<Item = (&Source, &StatementReport)> {
        let wanted = match self.decision.verdict {
            Verdict::Allow => Some(Effect::Allow),
            Verdict::ExplicitDeny => Some(Effect::Deny),
            Verdict::ImplicitDeny => None,
        };
        let hidden = [PolicyKind::ServiceControl, PolicyKind::ResourceControl];
        self.layers
            .iter()
            .filter(move |layer| !hidden.contains(&layer.kind))
            .flat_map(|layer| &layer.policies)
            .flat_map(|policy| policy.statements.iter().map(move |s| (&policy.source, s)))
            .filter(move |(_, statement)| {
                Some(statement.effect) == wanted
                    && matches!(statement.outcome, Outcome::Matched { .. })
            })
    }

    /// What a kind of policy says by itself; all levels together for SCPs and RCPs. Nothing if
    /// none was asked.
    pub fn verdict_of(&self, kind: PolicyKind) -> Option<Verdict> {
        let verdicts = self.layers.iter().filter(|layer| layer.kind == kind).map(|l| l.verdict);
        verdicts.reduce(|all, one| match (all, one) {
            (Verdict::ExplicitDeny, _) | (_, Verdict::ExplicitDeny) => Verdict::ExplicitDeny,
            (Verdict::ImplicitDeny, _) | (_, Verdict::ImplicitDeny) => Verdict::ImplicitDeny,
            (Verdict::Allow, Verdict::Allow) => Verdict::Allow,
        })
    }
}

/// Writes the walk down: every statement if `WHOLE`, else those that the decision looks at.
struct Recorder<const WHOLE: bool> {
    layers: Vec<Layer>,
    /// The document whose statements are being asked.
    document: Option<Document>,
    /// Whether statements that do not speak of the action are only counted.
    related: bool,
}

impl<const WHOLE: bool> Recorder<WHOLE> {
    const fn new(related: bool) -> Self {
        Self { layers: Vec::new(), document: None, related }
    }
}

impl<const WHOLE: bool> Witness for Recorder<WHOLE> {
    const COMPLETE: bool = WHOLE;
    const LISTENS: bool = true;

    fn layer(&mut self, kind: PolicyKind, level: Option<usize>) {
        // RCP-2: the built-in policy allows at every level.
        let built_in = kind == PolicyKind::ResourceControl;
        let verdict = if built_in { Verdict::Allow } else { Verdict::ImplicitDeny };
        self.layers.push(Layer { kind, level, verdict, policies: Vec::new() });
    }

    fn policy(&mut self, _: PolicyKind, _: Option<usize>, policy: &Attached<'_>) {
        if let Some(layer) = self.layers.last_mut() {
            let report = PolicyReport {
                source: policy.source.clone(),
                statements: Vec::new(),
                omitted: policy.document.statements().len(),
            };
            layer.policies.push(report);
        }
        self.document = Some(policy.document.clone());
    }

    fn statement(&mut self, place: usize, statement: &Statement, ask: &Ask<'_>, outcome: Match) {
        if self.related && outcome == Match::No(Failing::Action) {
            return;
        }
        let (Some(document), Some(layer)) = (&self.document, self.layers.last_mut()) else {
            return;
        };
        let verdict = match (outcome, statement.effect) {
            (Match::Yes(_), Effect::Allow) => Verdict::Allow,
            (Match::Yes(_) | Match::Unclear, Effect::Deny) => Verdict::ExplicitDeny,
            _ => Verdict::ImplicitDeny,
        };
        layer.verdict = layer.verdict.max(verdict);
        let bytes = statement.reported_bytes();
        let report = StatementReport {
            index: place,
            sid: statement.sid().map(Into::into),
            effect: statement.effect(),
            at: document.position(statement.bytes().start),
            start: document.position(bytes.start),
            end: document.position(bytes.end),
            outcome: describe(document, statement, ask, outcome),
        };
        if let Some(policy) = layer.policies.last_mut() {
            policy.statements.push(report);
            policy.omitted = policy.omitted.saturating_sub(1);
        }
    }
}

fn describe(document: &Document, statement: &Statement, ask: &Ask<'_>, outcome: Match) -> Outcome {
    let texts = |texts: &[Box<str>]| texts.iter().map(ToString::to_string).collect();
    let condition = |place: usize| condition_report(document, statement, ask, place);
    let miss = match outcome {
        Match::Yes(grade) => {
            let grade = statement.principal.as_ref().map(|_| match grade {
                Grade::Direct => "direct",
                Grade::Parent => "parent",
                Grade::Account => "account",
                Grade::None => "none",
            });
            return Outcome::Matched { grade };
        }
        Match::Unclear => {
            let context = ask.request.context;
            let unknown = statement
                .conditions
                .iter()
                .position(|(c, _)| c.holds(context, statement.effect) == Holds::Unknown);
            return match condition(unknown.unwrap_or_default()) {
                Some(condition) => Outcome::Unclear { condition },
                None => Outcome::Matched { grade: None },
            };
        }
        Match::No(Failing::Action) => Miss::Action {
            wanted: texts(&statement.actions.texts),
            negated: statement.actions.negated,
            at: document.position(statement.actions.span.start),
        },
        Match::No(Failing::Resource) => match &statement.resources {
            Some(element) => Miss::Resource {
                wanted: element
                    .entries
                    .iter()
                    .zip(&element.texts)
                    .map(|(pattern, text)| {
                        pattern.resolve(ask.request.context).unwrap_or_else(|| text.to_string())
                    })
                    .collect(),
                negated: element.negated,
                at: document.position(element.span.start),
            },
            None => Miss::Resource {
                wanted: Vec::new(),
                negated: false,
                at: document.position(statement.span.start),
            },
        },
        Match::No(Failing::Principal) => {
            let element = statement.principal.as_ref();
            let entries = element.into_iter().flat_map(|element| &element.entries);
            Miss::Principal {
                wanted: entries.map(|entry| entry.text.to_string()).collect(),
                negated: element.is_some_and(|element| element.negated),
                at: document.position(element.map_or(statement.span, |e| e.span).start),
            }
        }
        Match::No(Failing::Condition(place)) => match condition(place) {
            Some(report) => Miss::Condition(report),
            None => return Outcome::Matched { grade: None },
        },
    };
    Outcome::Missed(miss)
}

fn condition_report(
    document: &Document,
    statement: &Statement,
    ask: &Ask<'_>,
    place: usize,
) -> Option<ConditionReport> {
    let (condition, text) = statement.conditions.get(place)?;
    let context = ask.request.context;
    let owned = |values: Vec<&str>| values.into_iter().map(ToOwned::to_owned).collect();
    Some(ConditionReport {
        operator: text.operator.to_string(),
        unknown_operator: condition.is_unknown(),
        key: text.key.to_string(),
        wanted: text.values.iter().map(ToString::to_string).collect(),
        resolved: condition.resolved(context),
        found: condition.found(context).map(owned),
        at: document.position(text.span.start),
    })
}

/// SIM-6: not those of SCPs.
pub(crate) fn missing_keys(request: &Request<'_>, applicable: &Applicable<'_>) -> Vec<String> {
    let session = applicable.session.iter().flat_map(Policies::iter);
    let policies = applicable
        .identity
        .iter()
        .chain(applicable.boundary)
        .chain(session)
        .chain(applicable.resource);
    let mut seen = BTreeSet::new();
    let keys = policies.flat_map(|policy| policy.document.uses_keys());
    keys.filter(|key| !request.context.contains(key) && seen.insert(crate::fold::folded(key)))
        .map(ToOwned::to_owned)
        .collect()
}

impl fmt::Display for Explanation {
    /// The explanation as text for a reader, several lines. People count from 1; the same places
    /// in the data count from 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.decision.verdict.as_str();
        writeln!(f, "{verdict}: {} {} on {}", self.principal, self.action, self.resource)?;
        match &self.decision.reason {
            Reason::Allowed { by } => writeln!(f, "  every test passed; granted by the {by}")?,
            Reason::NoPermissionNeeded => writeln!(f, "  this action needs no permission")?,
            Reason::ExplicitDeny { kind, source, statement } => {
                writeln!(f, "  denied by the {kind} {}, statement {}", source.id, statement + 1)?;
            }
            Reason::MissingAllow { kind } => writeln!(f, "  no {kind} allows it")?,
            Reason::EvaluationError { source } => {
                writeln!(f, "  evaluation error: {} cannot be understood", source.id)?;
            }
        }
        if self.cross_account {
            writeln!(f, "  cross-account: both sides must allow")?;
        }
        for layer in &self.layers {
            write!(f, "{}", layer.kind)?;
            if let Some(level) = layer.level {
                write!(f, ", level {}", level + 1)?;
            }
            writeln!(f, ": {}", layer.verdict.as_str())?;
            for policy in &layer.policies {
                writeln!(f, "  {}", policy.source.id)?;
                for statement in &policy.statements {
                    writeln!(f, "    {statement}")?;
                }
                if policy.omitted > 0 {
                    writeln!(f, "    and {} more, of other actions or not needed", policy.omitted)?;
                }
            }
        }
        if !self.missing_keys.is_empty() {
            writeln!(f, "context keys not in the request: {}", self.missing_keys.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for StatementReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = if self.effect == Effect::Allow { "allow" } else { "deny" };
        write!(f, "{effect} {}", self.index + 1)?;
        if let Some(sid) = &self.sid {
            write!(f, " ({sid})")?;
        }
        write!(f, " at {}:{} ", self.at.line, self.at.column)?;
        match &self.outcome {
            Outcome::Matched { grade: None } => write!(f, "matches"),
            Outcome::Matched { grade: Some(grade) } => write!(f, "matches ({grade} grant)"),
            Outcome::Missed(miss) => write!(f, "does not match: {miss}"),
            Outcome::Unclear { condition } => {
                write!(f, "cannot be understood: unknown operator `{}`", condition.operator)
            }
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (element, wanted, negated, at) = match self {
            Self::Action { wanted, negated, at } => ("Action", wanted, *negated, at),
            Self::Resource { wanted, negated, at } => ("Resource", wanted, *negated, at),
            Self::Principal { wanted, negated, at } => ("Principal", wanted, *negated, at),
            Self::Condition(report) => return report.fmt(f),
        };
        let not = if negated { "Not" } else { "" };
        let list = wanted.join("`, `");
        write!(f, "{not}{element} `{list}` ({}:{})", at.line, at.column)
    }
}

impl fmt::Display for ConditionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unknown_operator {
            let at = self.at;
            return write!(f, "unknown operator `{}` ({}:{})", self.operator, at.line, at.column);
        }
        write!(f, "{} {} wants `{}`", self.operator, self.key, self.wanted.join("`, `"))?;
        if let Some(resolved) = &self.resolved {
            let texts: Vec<&str> =
                resolved.iter().map(|value| value.as_deref().unwrap_or("(no value)")).collect();
            if !texts.iter().eq(self.wanted.iter()) {
                write!(f, ", resolved to `{}`", texts.join("`, `"))?;
            }
        }
        match &self.found {
            Some(found) => write!(f, "; the request has `{}`", found.join("`, `"))?,
            None => write!(f, "; the request has no such key")?,
        }
        write!(f, " ({}:{})", self.at.line, self.at.column)
    }
}
