//! The witness of a simulation: it keeps what an answer tells and nothing else, and counts steps.

use super::cost::{Lengths, Scales};
use crate::document::{Effect, Statement};
use crate::evaluate::{Ask, Grade, Match, Witness};
use crate::{Attached, PolicyKind, Verdict};

/// A statement that matches, by its places among the policies and in its policy.
#[derive(Clone, Copy)]
pub(super) struct Matched {
    pub(super) policy: usize,
    pub(super) statement: usize,
    pub(super) kind: PolicyKind,
    pub(super) effect: Effect,
    /// Whether it names the caller by its account alone (PR-3).
    pub(super) by_account: bool,
}

/// What a layer says by itself.
struct Layer {
    kind: PolicyKind,
    level: Option<usize>,
    verdict: Verdict,
}

/// Watches one walk.
pub(super) struct Tracer<'s, 'p> {
    scales: &'s Scales<'p>,
    lengths: Lengths,
    /// The policy whose statements are asked.
    policy: Option<usize>,
    layers: Vec<Layer>,
    matched: Vec<Matched>,
    steps: u64,
}

impl<'s, 'p> Tracer<'s, 'p> {
    pub(super) const fn new(scales: &'s Scales<'p>, lengths: Lengths) -> Self {
        Self { scales, lengths, policy: None, layers: Vec::new(), matched: Vec::new(), steps: 0 }
    }

    /// The steps that the walk took.
    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    /// The statements that make such a decision (SIM-4): the Denies of an explicit deny, the Allows
    /// of an allow, none otherwise; never those of SCPs and RCPs.
    pub(super) fn matched(&self, decision: Verdict) -> impl Iterator<Item = &Matched> {
        let wanted = match decision {
            Verdict::Allow => Some(Effect::Allow),
            Verdict::ExplicitDeny => Some(Effect::Deny),
            Verdict::ImplicitDeny => None,
        };
        let hidden = [PolicyKind::ServiceControl, PolicyKind::ResourceControl];
        self.matched
            .iter()
            .filter(move |found| Some(found.effect) == wanted && !hidden.contains(&found.kind))
    }

    /// What a kind of policy says by itself, all levels together. Nothing if none was asked.
    pub(super) fn verdict_of(&self, kind: PolicyKind) -> Option<Verdict> {
        let verdicts = self.layers.iter().filter(|layer| layer.kind == kind).map(|l| l.verdict);
        verdicts.reduce(|all, one| match (all, one) {
            (Verdict::ExplicitDeny, _) | (_, Verdict::ExplicitDeny) => Verdict::ExplicitDeny,
            (Verdict::ImplicitDeny, _) | (_, Verdict::ImplicitDeny) => Verdict::ImplicitDeny,
            (Verdict::Allow, Verdict::Allow) => Verdict::Allow,
        })
    }
}

impl Witness for Tracer<'_, '_> {
    const COMPLETE: bool = true;
    const LISTENS: bool = true;

    fn policy(&mut self, kind: PolicyKind, level: Option<usize>, policy: &Attached<'_>) {
        let same = self.layers.last().is_some_and(|last| last.kind == kind && last.level == level);
        if !same {
            self.layers.push(Layer { kind, level, verdict: Verdict::ImplicitDeny });
        }
        self.policy = self.scales.place(policy);
    }

    fn statement(&mut self, place: usize, statement: &Statement, _: &Ask<'_>, outcome: Match) {
        let Some((policy, weighed)) =
            self.policy.and_then(|policy| Some((policy, self.scales.get(policy)?)))
        else {
            return;
        };
        let failing = if let Match::No(failing) = outcome { Some(failing) } else { None };
        let steps = weighed.weight(place).up_to(failing, self.lengths);
        self.steps = self.steps.saturating_add(steps);
        let Some(layer) = self.layers.last_mut() else { return };
        let effect = statement.effect();
        layer.verdict = layer.verdict.max(match (outcome, effect) {
            (Match::Yes(_), Effect::Allow) => Verdict::Allow,
            (Match::Yes(_) | Match::Unclear, Effect::Deny) => Verdict::ExplicitDeny,
            _ => Verdict::ImplicitDeny,
        });
        if let Match::Yes(grade) = outcome {
            let by_account = statement.principal.is_some() && grade == Grade::Account;
            let kind = layer.kind;
            self.matched.push(Matched { policy, statement: place, kind, effect, by_account });
        }
    }
}
