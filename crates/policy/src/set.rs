//! Several policies that apply together, compiled once.

use std::fmt;
use std::sync::Arc;

use crate::document::{Index, Probe};
use crate::{Attached, Document, Source, Statement};

/// A union of policies, such as all identity policies of a principal, with one index over all of
/// their statements: a decision looks at the few that could match, however many there are.
///
/// Immutable, and cheap to clone and to share between threads.
///
/// ```
/// use bailiwick_policy::{Document, DocumentKind, PolicySet, Source, SourceKind};
///
/// let text = r#"{"Version": "2012-10-17", "Statement":
///     {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
/// let document = Document::parse(text, DocumentKind::Identity)?;
/// let set = PolicySet::new([(Source::new("reader", SourceKind::UserInline), document)]);
/// assert_eq!(set.len(), 1);
/// # Ok::<(), bailiwick_policy::DocumentError>(())
/// ```
#[derive(Clone)]
pub struct PolicySet {
    inner: Arc<Inner>,
}

struct Inner {
    policies: Box<[(Source, Document)]>,
    /// Where each statement of the index stands: policy, and place in it.
    places: Box<[(u32, u32)]>,
    index: Option<Index>,
}

/// A statement found in a set.
pub(crate) struct Candidate<'a> {
    /// The place of its policy in the set.
    pub(crate) policy: usize,
    /// Its place in the policy.
    pub(crate) place: usize,
    pub(crate) statement: &'a Statement,
    pub(crate) attached: Attached<'a>,
}

impl PolicySet {
    /// The union of these policies.
    pub fn new(policies: impl IntoIterator<Item = (Source, Document)>) -> Self {
        let policies: Box<[_]> = policies.into_iter().collect();
        let statements = || policies.iter().flat_map(|(_, document)| document.statements());
        let index = Index::of(statements());
        let places = (0..).zip(&policies).flat_map(|(policy, (_, document))| {
            (0..).zip(document.statements()).map(move |(place, _)| (policy, place))
        });
        let places = if index.is_some() { places.collect() } else { Box::default() };
        Self { inner: Arc::new(Inner { policies, places, index }) }
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.inner.policies.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The policies, in order.
    pub fn iter(&self) -> impl Iterator<Item = Attached<'_>> + Clone {
        self.inner.policies.iter().map(|(source, document)| Attached { source, document })
    }

    /// The statements that could match, in no order; nothing if there are too few to choose among.
    pub(crate) fn candidates<'a, 'p>(
        &'a self,
        probe: impl FnOnce() -> &'p Probe,
    ) -> Option<impl Iterator<Item = Candidate<'a>>> {
        let found = self.inner.index.as_ref()?.find(probe());
        Some(found.filter_map(|at| {
            let (policy, place) = *self.inner.places.get(at)?;
            let (policy, place) = (policy as usize, place as usize);
            let (source, document) = self.inner.policies.get(policy)?;
            let statement = document.statements().get(place)?;
            Some(Candidate { policy, place, statement, attached: Attached { source, document } })
        }))
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.inner.policies.iter().map(|(source, _)| &source.id)).finish()
    }
}

impl FromIterator<(Source, Document)> for PolicySet {
    fn from_iter<I: IntoIterator<Item = (Source, Document)>>(policies: I) -> Self {
        Self::new(policies)
    }
}
