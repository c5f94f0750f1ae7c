//! One validation: what is asked, and the findings so far.

use std::cell::Cell;

use super::code::IssueCode;
use super::document::{Policy, Statement};
use super::facts::Facts;
use super::finding::{Finding, Location};
use super::json::{self, Bytes, Node};
use super::place::Places;
use super::{Examined, PolicyType, ResourceType};
use super::{
    actions, addresses, conditions, document, empties, keys, principals, redundancy,
    resource_control, resources, risks, sids, size, support, trust, values, variables, wildcards,
};

/// More findings than anyone reads; the rest is left out.
const MAX_FINDINGS: usize = 5_000;
/// How many findings a text may have before advice that takes a search is left out.
const MAX_HINTED: usize = 25;
/// How many steps comparing may take: of patterns, with the actions of a service, for advice. The
/// dearest policy of AWS takes a tenth of it.
const MAX_STEPS: usize = 20_000_000;

/// What kind of document is validated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Identity,
    Resource,
    Trust,
    ServiceControl,
    ResourceControl,
}

pub(super) struct Run<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) text: &'a str,
    pub(super) kind: Kind,
    pub(super) resource_type: Option<ResourceType>,
    places: Places<'a>,
    found: Vec<Finding>,
    /// The steps left for comparing.
    steps: Cell<usize>,
    /// Whether all checks were made and all findings kept.
    whole: Cell<bool>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        facts: &'a Facts<'a>,
        text: &'a str,
        policy_type: PolicyType,
        resource_type: Option<ResourceType>,
    ) -> Self {
        let kind = match policy_type {
            PolicyType::Identity => Kind::Identity,
            PolicyType::Resource
                if resource_type == Some(ResourceType::AssumeRolePolicyDocument) =>
            {
                Kind::Trust
            }
            PolicyType::Resource => Kind::Resource,
            PolicyType::ServiceControl => Kind::ServiceControl,
            PolicyType::ResourceControl => Kind::ResourceControl,
        };
        let read = text.get(..json::MAX_LEN.min(text.len())).unwrap_or_default();
        Self {
            facts,
            text,
            kind,
            resource_type,
            places: Places::new(read),
            found: Vec::new(),
            steps: Cell::new(MAX_STEPS),
            whole: Cell::new(true),
        }
    }

    pub(super) fn examined(mut self) -> Examined {
        match json::parse(self.text) {
            Err(error) => {
                let here = self.places.position(error.at);
                let details = format!(
                    "Fix the JSON syntax error at index {} line {} column {}: {}.",
                    here.offset, here.line, here.column, error.problem
                );
                let at = Bytes { start: error.at, end: error.at };
                let location = self.places.location(None, at);
                self.add(IssueCode::JsonSyntaxError, details, vec![location]);
            }
            Ok(json) => {
                let mut sink = Sink { run: &mut self, root: &json.root };
                for name in &json.twice {
                    sink.report(
                        IssueCode::JsonSyntaxError,
                        *name,
                        "Fix the JSON syntax error: the same name stands twice in one object.",
                    );
                }
                let policy = document::read(&mut sink, &json.root);
                sink.check(&policy);
            }
        }
        self.found.sort_by_key(|finding| {
            finding.locations.first().map(|place| (place.span.start, finding.issue_code))
        });
        Examined { findings: self.found, whole: self.whole.get() }
    }

    fn add(&mut self, code: IssueCode, details: String, locations: Vec<Location>) {
        if self.found.len() < MAX_FINDINGS {
            self.found.push(Finding {
                finding_type: code.finding_type(),
                issue_code: code,
                finding_details: details,
                learn_more_link: code.learn_more_link(),
                locations,
            });
        } else {
            self.whole.set(false);
        }
    }
}

/// Where checks put what they find, with what they need to know.
pub(super) struct Sink<'r, 'a> {
    run: &'r mut Run<'a>,
    root: &'r Node,
}

impl<'a> Sink<'_, 'a> {
    pub(super) fn kind(&self) -> Kind {
        self.run.kind
    }

    pub(super) fn facts(&self) -> &'a Facts<'a> {
        self.run.facts
    }

    pub(super) fn text(&self) -> &'a str {
        self.run.text
    }

    pub(super) fn resource_type(&self) -> Option<ResourceType> {
        self.run.resource_type
    }

    /// Whether findings are still few enough for costly advice.
    pub(super) fn hints(&self) -> bool {
        self.run.found.len() < MAX_HINTED
    }

    fn full(&self) -> bool {
        self.run.found.len() >= MAX_FINDINGS
    }

    /// Whether a comparison that takes so many steps is still affordable. If it is not, what it
    /// would have shown is left out.
    pub(super) fn spend(&self, steps: usize) -> bool {
        if let Some(rest) = self.run.steps.get().checked_sub(steps) {
            self.run.steps.set(rest);
            return true;
        }
        self.run.whole.set(false);
        false
    }

    /// A finding at one place.
    pub(super) fn report(&mut self, code: IssueCode, at: Bytes, details: impl Into<String>) {
        self.report_all(code, &[at], details);
    }

    /// A finding at several places.
    pub(super) fn report_all(&mut self, code: IssueCode, at: &[Bytes], details: impl Into<String>) {
        if self.full() {
            return self.run.whole.set(false);
        }
        let locations =
            at.iter().map(|at| self.run.places.location(Some(self.root), *at)).collect();
        self.run.add(code, details.into(), locations);
    }

    /// A finding about a part of a string: `start` and `length` in characters of its text.
    pub(super) fn report_part(
        &mut self,
        code: IssueCode,
        at: Bytes,
        (start, length): (usize, usize),
        details: impl Into<String>,
    ) {
        if self.full() {
            return self.run.whole.set(false);
        }
        let location = self.run.places.part(Some(self.root), at, start, length);
        self.run.add(code, details.into(), vec![location]);
    }

    fn check(&mut self, policy: &Policy<'_>) {
        size::check(self, policy);
        sids::check(self, policy);
        for statement in &policy.statements {
            self.check_statement(policy, statement);
        }
        redundancy::check_statements(self, policy);
    }

    fn check_statement(&mut self, policy: &Policy<'_>, statement: &Statement<'_>) {
        empties::check(self, statement);
        actions::check(self, statement);
        resources::check(self, statement);
        principals::check(self, statement);
        variables::check(self, policy, statement);
        conditions::check(self, statement);
        keys::check(self, statement);
        values::check(self, statement);
        addresses::check(self, statement);
        wildcards::check(self, statement);
        support::check(self, statement);
        redundancy::check(self, statement);
        risks::check(self, statement);
        match self.kind() {
            Kind::Trust => trust::check(self, statement),
            Kind::ResourceControl => resource_control::check(self, statement),
            _ => {}
        }
    }
}
