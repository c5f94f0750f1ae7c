//! The claims that can be made.

use bailiwick_policy::Document;

use crate::answer::{Answer, Finding, Reason, Witness};
use crate::budget::Limits;
use crate::cover::uncovered;
use crate::question::{Clause, Question, Region};
use crate::search::{Outcome, Search};
use crate::witness::examples;

/// What changed between two policies, by example.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    /// A request for each Allow statement of the new policy that allows what was not allowed, and
    /// for each Deny of the old one that no longer denies.
    pub gained: Vec<Witness>,
    /// The same the other way.
    pub lost: Vec<Witness>,
    /// What could not be decided.
    pub undecided: Vec<Reason>,
}

/// Whether every request that `new` allows is one that `existing` allows: no new access.
///
/// ```
/// use bailiwick_policy::{Document, DocumentKind};
/// use bailiwick_symbolic::implies;
///
/// let policy = |action: &str| {
///     let text = format!(r#"{{"Version": "2012-10-17", "Statement":
///         {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#);
///     Document::parse(&text, DocumentKind::Identity)
/// };
/// let (all, gets) = (policy("s3:*")?, policy("s3:Get*")?);
/// assert!(implies(&all, &gets).holds());
/// let more = implies(&gets, &all);
/// assert!(more.witness().is_some_and(|request| !request.action.starts_with("s3:Get")));
/// # Ok::<(), bailiwick_policy::DocumentError>(())
/// ```
pub fn implies(existing: &Document, new: &Document) -> Answer {
    Asker::default().implies(one(existing), one(new))
}

/// Whether the two allow the same requests.
pub fn equivalent(left: &Document, right: &Document) -> Answer {
    Asker::default().equivalent(one(left), one(right))
}

/// Whether no request is allowed by both.
pub fn disjoint(left: &Document, right: &Document) -> Answer {
    Asker::default().disjoint(one(left), one(right))
}

/// Whether no request is allowed.
pub fn empty(document: &Document) -> Answer {
    Asker::default().empty(one(document))
}

/// What the new policy allows and the old one did not, and the other way.
pub fn diff(old: &Document, new: &Document) -> Change {
    Asker::default().diff(one(old), one(new))
}

fn one(document: &Document) -> &[Document] {
    std::slice::from_ref(document)
}

/// Makes claims about unions of policies of one kind, such as all identity policies of a user,
/// within limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker {
    limits: Limits,
}

impl Asker {
    /// With these limits for each question.
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// See [`implies`].
    pub fn implies(&self, existing: &[Document], new: &[Document]) -> Answer {
        if new == existing {
            return Answer::Holds;
        }
        self.beyond(existing, new, true).into_iter().collect()
    }

    /// The Allow statements of `new` by which something is allowed that `existing` does not allow,
    /// or by which that may be. Where there is none, [`implies`] holds.
    pub fn new_access(&self, existing: &[Document], new: &[Document]) -> Vec<Finding> {
        let mut out: Vec<Finding> = Vec::new();
        if new == existing {
            return out;
        }
        for finding in self.beyond(existing, new, false) {
            match out.last_mut() {
                Some(last)
                    if (last.document, last.statement) == (finding.document, finding.statement) =>
                {
                    last.answer = last.answer.clone().and(finding.answer);
                }
                _ => out.push(finding),
            }
        }
        out
    }

    /// See [`equivalent`].
    pub fn equivalent(&self, left: &[Document], right: &[Document]) -> Answer {
        match self.implies(left, right) {
            fails @ Answer::Fails(_) => fails,
            answer => answer.and(self.implies(right, left)),
        }
    }

    /// See [`disjoint`].
    pub fn disjoint(&self, left: &[Document], right: &[Document]) -> Answer {
        self.meeting(left, right, true).into_iter().collect()
    }

    /// See [`empty`].
    pub fn empty(&self, documents: &[Document]) -> Answer {
        let question = self.question(&[documents]);
        self.allowing(&question, documents, true).into_iter().collect()
    }

    /// The Allow statements by which a request of the question is allowed. `stop`: one is enough.
    pub(crate) fn allowing(
        &self,
        question: &Question,
        documents: &[Document],
        stop: bool,
    ) -> Vec<Finding> {
        let [side] = question.sides.as_slice() else { return Vec::new() };
        let denies: Vec<&Clause> = side.denies.iter().collect();
        let confirm = confirm(question, vec![(documents, true)]);
        let search = Search { question, confirm: &confirm };
        let ask = |allow: &Clause| answer(question, search.solve(&[allow], &denies));
        findings(side.allows.iter(), ask, stop)
    }

    /// The Allow statements of `left` by which something is allowed that `right` allows too.
    pub(crate) fn meeting(
        &self,
        left: &[Document],
        right: &[Document],
        stop: bool,
    ) -> Vec<Finding> {
        let question = self.question(&[left, right]);
        let [one, other] = question.sides.as_slice() else { return Vec::new() };
        let denies: Vec<&Clause> = one.denies.iter().chain(&other.denies).collect();
        let confirm = confirm(&question, vec![(left, true), (right, true)]);
        let search = Search { question: &question, confirm: &confirm };
        let ask = |allow: &Clause| {
            let each = other.allows.iter().map(|met| search.solve(&[allow, met], &denies));
            strongest(&question, each)
        };
        findings(one.allows.iter(), ask, stop)
    }

    /// See [`diff`].
    pub fn diff(&self, old: &[Document], new: &[Document]) -> Change {
        let mut change = Change::default();
        for (existing, new, list) in [(old, new, &mut change.gained), (new, old, &mut change.lost)]
        {
            for finding in self.beyond(existing, new, false) {
                match finding.answer {
                    Answer::Fails(witness) if !list.contains(&witness) => list.push(witness),
                    Answer::Undecided(reason) => change.undecided.push(reason),
                    Answer::Fails(_) | Answer::Holds => {}
                }
            }
        }
        change.undecided.dedup();
        change
    }

    /// For each Allow of `new` whether `existing` allows all that it allows, once for its lack of
    /// an Allow and once for each Deny. `stop`: the first that does not ends it.
    fn beyond(&self, existing: &[Document], new: &[Document], stop: bool) -> Vec<Finding> {
        let question = self.question(&[existing, new]);
        let [held, asked] = question.sides.as_slice() else { return Vec::new() };
        let confirm = confirm(&question, vec![(existing, false), (new, true)]);
        let search = Search { question: &question, confirm: &confirm };
        let denies: Vec<&Clause> = asked.denies.iter().collect();
        // Not allowed, because nothing allows or because something denies.
        let unallowed: Vec<&Clause> = asked.denies.iter().chain(&held.allows).collect();
        let patterns = &question.space.patterns;
        let held_denies: Vec<Clause> = held
            .denies
            .iter()
            .filter_map(|deny| uncovered(deny, &asked.denies, patterns))
            .collect();
        let mut out = Vec::new();
        for allow in &asked.allows {
            // A gap stays one, however much is covered.
            out.extend(finding(allow, answer(&question, Outcome::Nothing)));
            let rest = uncovered(allow, &held.allows, patterns);
            let unheld = rest.iter().map(|rest| search.solve(&[rest], &unallowed));
            let denied = held_denies.iter().map(|deny| search.solve(&[allow, deny], &denies));
            for outcome in unheld.chain(denied) {
                out.extend(finding(allow, answer(&question, outcome)));
                if stop && out.last().is_some_and(|last| last.answer.witness().is_some()) {
                    return out;
                }
            }
        }
        out
    }

    pub(crate) fn question(&self, sides: &[&[Document]]) -> Question {
        let mut question = Question::new(sides, self.limits);
        question.enter_facts();
        question
    }
}

/// Asks of each Allow statement whether the claim holds of it.
fn findings<'c>(
    allows: impl Iterator<Item = &'c Clause>,
    ask: impl Fn(&Clause) -> Answer,
    stop: bool,
) -> Vec<Finding> {
    let mut out = Vec::new();
    for allow in allows {
        let answer = ask(allow);
        let fails = matches!(answer, Answer::Fails(_));
        out.extend(finding(allow, answer));
        if fails && stop {
            break;
        }
    }
    out
}

fn finding(allow: &Clause, answer: Answer) -> Option<Finding> {
    let (document, statement) = allow.place;
    (answer != Answer::Holds).then_some(Finding { document, statement, answer })
}

/// The first failure, or else what is undecided.
fn strongest(question: &Question, outcomes: impl Iterator<Item = Outcome>) -> Answer {
    let mut out = answer(question, Outcome::Nothing);
    for outcome in outcomes {
        out = out.and(answer(question, outcome));
        if matches!(out, Answer::Fails(_)) {
            break;
        }
    }
    out
}

fn answer(question: &Question, outcome: Outcome) -> Answer {
    match (outcome, question.gap) {
        (Outcome::Found(witness), _) => Answer::Fails(*witness),
        (Outcome::Nothing, Some(gap)) => Answer::Undecided(Reason::Unmodelled(gap)),
        (Outcome::Nothing, None) => Answer::Holds,
        (Outcome::Unknown(reason), _) => Answer::Undecided(reason),
    }
}

/// Makes a request of a region and asks the engine whether each side allows it as claimed.
fn confirm<'a>(
    question: &'a Question,
    expected: Vec<(&'a [Document], bool)>,
) -> impl Fn(&Region) -> Result<Witness, Reason> + 'a {
    move |region| {
        for example in examples(question, region) {
            let fits = expected
                .iter()
                .all(|(documents, allowed)| example.allowed_by(documents) == Ok(*allowed));
            if fits {
                return Ok(example.witness());
            }
        }
        Err(Reason::Correlation)
    }
}
