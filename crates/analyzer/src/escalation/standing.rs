//! Who is an administrator, decided once: by breadth with control of identities, or by control of
//! all identities alone.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bailiwick_policy::{Applicable, Context, Request, decide};

use super::ability::{Actions, BREADTH, set};
use super::judge::{Dependence, Keys, Permit, Question};
use super::world::{Node, World};
use crate::estate::Subject;

/// Whether a principal is an administrator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is not.
    No,
    /// It is under these conditions.
    Conditional(BTreeSet<Dependence>),
    /// It is.
    Yes,
}

impl World<'_> {
    /// An administrator may do most actions of most services by its identity policies, and with all
    /// layers at least one of those that give policies or credentials to anybody.
    pub(super) fn standing(
        &self,
        subject: &Subject,
        caller: &Context,
        abilities: Actions,
    ) -> Standing {
        let most = |count: usize| count * 2 > BREADTH.len();
        let could = abilities.common(set(&BREADTH));
        if !most(usize::try_from(could).unwrap_or_default()) {
            return Standing::No;
        }
        let wide = |context: &Context| {
            let identity = subject.effective.applicable().identity;
            let applicable = Applicable { identity, ..Applicable::default() };
            let allowed = BREADTH.iter().filter(|action| {
                let service = action.split(':').next().unwrap_or_default();
                let resource = format!("arn:aws:{service}:us-east-1:{}:any", self.judge.account());
                let request = Request {
                    principal: &subject.principal,
                    action,
                    resource: &resource,
                    resource_account: None,
                    context,
                    delegated: false,
                };
                decide(&request, &applicable).is_allowed()
            });
            most(allowed.count())
        };
        let (partition, account) = (self.judge.partition(), self.judge.account());
        let nothing = Keys::new();
        let mut conditional = None;
        for (action, kind) in CONTROL {
            let resource = format!("arn:{partition}:iam::{account}:{kind}/any-of-them");
            let question = Question {
                action,
                resource: &resource,
                keys: &nothing,
                trust: None,
                strict: false,
            };
            let Some(permit) = self.judge.ask(subject, caller, question) else { continue };
            let mut context = caller.clone();
            for (key, values) in &permit.ask.context {
                context.put_list(key, values.iter().map(String::as_str));
            }
            if !wide(&context) {
                continue;
            }
            if permit.is_certain() {
                return Standing::Yes;
            }
            conditional = conditional.or(Some(permit.on));
        }
        conditional.map_or(Standing::No, Standing::Conditional)
    }

    /// Whether it may take all of the actions by which one changes what any user and any role may
    /// do, under one context.
    pub(super) fn controls(&self, node: &Node) -> Standing {
        if !node.abilities.covers(*GRANTS) {
            return Standing::No;
        }
        let (partition, account) = (self.judge.partition(), self.judge.account());
        let ask = |(action, kind): &(&str, &str), keys: &Keys, strict| {
            let resource = format!("arn:{partition}:iam::{account}:{kind}/any-of-them");
            let question = Question { action, resource: &resource, keys, trust: None, strict };
            self.judge.ask(&node.subject, &node.caller, question)
        };
        let nothing = Keys::new();
        let granting = || CONTROL.iter().filter(|(action, _)| GRANTING.contains(action));
        let mut permits = Vec::new();
        for probe in granting() {
            let Some(permit) = ask(probe, &nothing, false) else { return Standing::No };
            permits.push(permit);
        }
        if permits.iter().all(Permit::is_certain) {
            return Standing::Yes;
        }
        // What one of them needs has to do for all of them.
        let fits = |permit: &Permit| {
            let keys: Keys =
                permit.ask.context.iter().map(|(key, to)| (key.clone(), to.clone())).collect();
            granting().all(|probe| ask(probe, &keys, true).is_some())
        };
        let fitting = permits.into_iter().filter(|permit| !permit.is_certain()).find(fits);
        fitting.map_or(Standing::No, |permit| Standing::Conditional(permit.on))
    }
}

/// Actions that give policies or credentials, with the kind of what they reach.
const CONTROL: [(&str, &str); 8] = [
    ("iam:PutUserPolicy", "user"),
    ("iam:AttachUserPolicy", "user"),
    ("iam:PutRolePolicy", "role"),
    ("iam:AttachRolePolicy", "role"),
    ("iam:CreatePolicyVersion", "policy"),
    ("iam:CreateAccessKey", "user"),
    ("iam:UpdateAssumeRolePolicy", "role"),
    ("iam:PutGroupPolicy", "group"),
];

/// Those by which one changes what any user and any role may do.
const GRANTING: [&str; 4] = [
    "iam:PutUserPolicy",
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:UpdateAssumeRolePolicy",
];

static GRANTS: LazyLock<Actions> = LazyLock::new(|| set(&GRANTING));
