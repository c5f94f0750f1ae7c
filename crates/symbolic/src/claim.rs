//! The claims that can be made.

use bailiwick_policy::Document;

use crate::answer::{Answer, Reason, Witness};
use crate::budget::Limits;
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
        let found = self.beyond(existing, new, true);
        found.into_iter().fold(Answer::Holds, Answer::and)
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
        let question = self.question(&[left, right]);
        let [one, other] = question.sides.as_slice() else { return Answer::Holds };
        let denies: Vec<&Clause> = one.denies.iter().chain(&other.denies).collect();
        let confirm = confirm(&question, vec![(left, true), (right, true)]);
        let search = Search { question: &question, confirm: &confirm };
        let pairs = one.allows.iter().flat_map(|a| other.allows.iter().map(move |b| [a, b]));
        first(&question, pairs.map(|pair| search.solve(&pair, &denies)))
    }

    /// See [`empty`].
    pub fn empty(&self, documents: &[Document]) -> Answer {
        let question = self.question(&[documents]);
        let [side] = question.sides.as_slice() else { return Answer::Holds };
        let denies: Vec<&Clause> = side.denies.iter().collect();
        let confirm = confirm(&question, vec![(documents, true)]);
        let search = Search { question: &question, confirm: &confirm };
        first(&question, side.allows.iter().map(|allow| search.solve(&[allow], &denies)))
    }

    /// See [`diff`].
    pub fn diff(&self, old: &[Document], new: &[Document]) -> Change {
        let mut change = Change::default();
        for (existing, new, list) in [(old, new, &mut change.gained), (new, old, &mut change.lost)]
        {
            for answer in self.beyond(existing, new, false) {
                match answer {
                    Answer::Fails(witness) if !list.contains(&witness) => list.push(witness),
                    Answer::Undecided(reason) => change.undecided.push(reason),
                    Answer::Fails(_) | Answer::Holds => {}
                }
            }
        }
        change.undecided.dedup();
        change
    }

    /// For each Allow of `new` whether `existing` allows all that it allows. `stop`: the first
    /// that does not ends it.
    fn beyond(&self, existing: &[Document], new: &[Document], stop: bool) -> Vec<Answer> {
        let question = self.question(&[existing, new]);
        let [held, asked] = question.sides.as_slice() else { return Vec::new() };
        let confirm = confirm(&question, vec![(existing, false), (new, true)]);
        let search = Search { question: &question, confirm: &confirm };
        let mut out = Vec::new();
        for allow in &asked.allows {
            // Not allowed, because nothing allows or because something denies.
            let unallowed: Vec<&Clause> = asked.denies.iter().chain(&held.allows).collect();
            let denied = held.denies.iter().map(|deny| {
                let denies: Vec<&Clause> = asked.denies.iter().collect();
                search.solve(&[allow, deny], &denies)
            });
            let all = std::iter::once_with(|| search.solve(&[allow], &unallowed)).chain(denied);
            for outcome in all {
                let answer = answer(&question, outcome);
                let fails = matches!(answer, Answer::Fails(_));
                if answer != Answer::Holds {
                    out.push(answer);
                }
                if fails && stop {
                    return out;
                }
            }
        }
        if out.is_empty() && !asked.allows.is_empty() {
            out.push(answer(&question, Outcome::Nothing));
        }
        out
    }

    fn question(&self, sides: &[&[Document]]) -> Question {
        let mut question = Question::new(sides, self.limits);
        question.enter_facts();
        question
    }
}

fn first(question: &Question, outcomes: impl Iterator<Item = Outcome>) -> Answer {
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
