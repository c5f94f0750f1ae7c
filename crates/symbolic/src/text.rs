//! Sets of texts: cells, each what all of some patterns match and none of some others.

use std::cell::RefCell;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::automaton::{self, Found, Word};
use crate::budget::{Budget, Limits};
use crate::pattern::{Id, Letter, Patterns, Relation, Tok};

/// What all of `wanted` match and none of `unwanted`; both in order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct TextCell {
    pub(crate) wanted: Vec<Id>,
    pub(crate) unwanted: Vec<Id>,
}

/// A union of cells.
pub(crate) type Texts = Vec<TextCell>;

/// A list of patterns, to be looked up by the service that a text begins with.
#[derive(Clone, Debug, Default)]
pub(crate) struct PatternList {
    pub(crate) ids: Vec<Id>,
    literals: FxHashSet<Id>,
    /// Of these those that more than one text matches.
    wild_by_head: FxHashMap<Box<str>, Vec<Id>>,
    by_head: FxHashMap<Box<str>, Vec<Id>>,
    headless: Vec<Id>,
}

impl PatternList {
    pub(crate) fn new(mut ids: Vec<Id>, patterns: &Patterns) -> Self {
        ids.sort_unstable();
        ids.dedup();
        let mut list = Self { ids, ..Self::default() };
        for id in &list.ids {
            let pattern = patterns.get(*id);
            if pattern.literal.is_some() {
                list.literals.insert(*id);
            } else if let Some(head) = head(&pattern.prefix) {
                list.wild_by_head.entry(head.into()).or_default().push(*id);
            }
            match head(&pattern.prefix) {
                Some(head) => list.by_head.entry(head.into()).or_default().push(*id),
                None => list.headless.push(*id),
            }
        }
        list
    }

    /// The patterns that may meet this one.
    pub(crate) fn near<'a>(&'a self, prefix: &str) -> Box<dyn Iterator<Item = Id> + 'a> {
        match head(prefix) {
            Some(head) => {
                let same = self.by_head.get(head).into_iter().flatten();
                Box::new(self.headless.iter().chain(same).copied())
            }
            None => Box::new(self.ids.iter().copied()),
        }
    }
}

impl PatternList {
    /// The patterns that may meet a text, itself aside.
    fn near_literal<'a>(&'a self, text: &str) -> impl Iterator<Item = Id> + 'a {
        let same = head(text).and_then(|head| self.wild_by_head.get(head)).into_iter().flatten();
        // Those without a head are few, literals among them.
        self.headless.iter().chain(same).copied()
    }
}

fn head(prefix: &str) -> Option<&str> {
    prefix.get(..=prefix.find(':')?)
}

/// The patterns of a question with what is known of them.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) patterns: Patterns,
    pub(crate) budget: Budget,
    relations: RefCell<FxHashMap<(Id, Id), Relation>>,
    searches: RefCell<FxHashMap<TextCell, Found>>,
}

impl Space {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            patterns: Patterns::default(),
            budget: Budget::new(limits),
            relations: RefCell::default(),
            searches: RefCell::default(),
        }
    }

    /// How the texts of one pattern stand to those of another. In doubt they overlap.
    pub(crate) fn relation(&self, left: Id, right: Id) -> Relation {
        if let Some(relation) = self.patterns.quick(left, right) {
            return relation;
        }
        if let Some(known) = self.relations.borrow().get(&(left, right)) {
            return *known;
        }
        let nothing = |wanted: &[Id], unwanted: &[Id]| {
            let cell = TextCell { wanted: wanted.to_vec(), unwanted: unwanted.to_vec() };
            self.find(&cell) == Found::Nothing
        };
        let relation = if nothing(&[left], &[right]) {
            Relation::Contained
        } else if nothing(&[left.min(right), left.max(right)], &[]) {
            Relation::Disjoint
        } else {
            Relation::Overlap
        };
        self.relations.borrow_mut().insert((left, right), relation);
        relation
    }

    /// A text of the cell.
    pub(crate) fn find(&self, cell: &TextCell) -> Found {
        if let Some(known) = self.searches.borrow().get(cell) {
            return known.clone();
        }
        let found = match self.guess(cell) {
            Some(word) => Found::Text(word),
            None => automaton::search(&self.patterns, &cell.wanted, &cell.unwanted, &self.budget),
        };
        self.searches.borrow_mut().insert(cell.clone(), found.clone());
        found
    }

    /// A text made from a pattern without a search, as most cells have one.
    fn guess(&self, cell: &TextCell) -> Option<Word> {
        let source = cell.wanted.iter().map(|id| self.patterns.get(*id));
        let source = source.filter(|pattern| !pattern.opaque).max_by_key(|p| p.toks.len())?;
        if cell.wanted.iter().any(|id| self.patterns.get(*id).has_variables) {
            return None;
        }
        ["x", "example", "", "q7z"].into_iter().find_map(|filling| {
            let mut text = String::new();
            for tok in &source.toks {
                match tok {
                    Tok::Char(c) => text.push(*c),
                    Tok::One | Tok::OneField => text.push('x'),
                    Tok::Star | Tok::StarField => text.push_str(filling),
                    Tok::Var(..) | Tok::Opaque(_) => return None,
                }
            }
            let fits = cell.wanted.iter().all(|id| self.patterns.get(*id).matches(&text, true))
                && !cell.unwanted.iter().any(|id| self.patterns.get(*id).matches(&text, false));
            fits.then(|| text.chars().map(Letter::Char).collect())
        })
    }

    pub(crate) fn is_empty(&self, texts: &[TextCell]) -> bool {
        texts.iter().all(|cell| self.find(cell) == Found::Nothing)
    }

    /// The texts that match a pattern of the list, or that match none of it.
    pub(crate) fn restrict(&self, texts: &[TextCell], list: &PatternList, inside: bool) -> Texts {
        if inside { self.meet(texts, list) } else { self.minus(texts, list) }
    }

    /// How a cell stands to a list, as far as their patterns tell one by one. In doubt they overlap.
    pub(crate) fn standing(&self, cell: &TextCell, list: &PatternList) -> Relation {
        if cell.wanted.iter().any(|id| list.literals.contains(id)) {
            return Relation::Contained;
        }
        let mut out = Relation::Disjoint;
        let mut meet = |id| match self.against(cell, id) {
            Relation::Contained => true,
            Relation::Disjoint => false,
            Relation::Overlap => {
                out = Relation::Overlap;
                false
            }
        };
        let literal = cell.wanted.iter().find_map(|id| self.patterns.get(*id).literal.as_deref());
        let contained = match literal {
            Some(text) => list.near_literal(text).any(&mut meet),
            None => list.near(self.prefix(cell)).any(&mut meet),
        };
        if contained { Relation::Contained } else { out }
    }

    fn minus(&self, texts: &[TextCell], list: &PatternList) -> Texts {
        texts.iter().filter_map(|cell| self.cell_minus(cell, list)).collect()
    }

    fn cell_minus(&self, cell: &TextCell, list: &PatternList) -> Option<TextCell> {
        if cell.wanted.iter().any(|id| list.literals.contains(id)) {
            return None;
        }
        let mut more: Vec<Id> = Vec::new();
        for id in list.near(self.prefix(cell)) {
            match self.against(cell, id) {
                Relation::Contained => return None,
                Relation::Disjoint => {}
                Relation::Overlap => more.push(id),
            }
        }
        more.retain(|id| cell.unwanted.binary_search(id).is_err());
        if more.is_empty() {
            return Some(cell.clone());
        }
        let mut unwanted = cell.unwanted.clone();
        unwanted.extend(more);
        unwanted.sort_unstable();
        unwanted.dedup();
        let cell = TextCell { wanted: cell.wanted.clone(), unwanted };
        (self.find(&cell) != Found::Nothing).then_some(cell)
    }

    fn meet(&self, texts: &[TextCell], list: &PatternList) -> Texts {
        let mut out: Texts = Vec::new();
        for cell in texts {
            let start = out.len();
            for id in list.near(self.prefix(cell)) {
                match self.against(cell, id) {
                    Relation::Contained => {
                        out.truncate(start);
                        out.push(cell.clone());
                        break;
                    }
                    Relation::Disjoint => {}
                    Relation::Overlap => out.extend(self.cell_meet(cell, id)),
                }
            }
        }
        out
    }

    fn cell_meet(&self, cell: &TextCell, id: Id) -> Option<TextCell> {
        // A variable's pattern may match nothing, so it never makes another one superfluous.
        let mut wanted: Vec<Id> = cell.wanted.clone();
        wanted.retain(|held| self.relation(id, *held) != Relation::Contained);
        wanted.push(id);
        wanted.sort_unstable();
        wanted.dedup();
        let mut unwanted = Vec::new();
        for held in &cell.unwanted {
            match self.relation(id, *held) {
                Relation::Contained => return None,
                Relation::Disjoint => {}
                Relation::Overlap => unwanted.push(*held),
            }
        }
        let cell = TextCell { wanted, unwanted };
        (self.find(&cell) != Found::Nothing).then_some(cell)
    }

    /// How a cell stands to a pattern, as far as its patterns one by one tell.
    fn against(&self, cell: &TextCell, id: Id) -> Relation {
        if cell.unwanted.binary_search(&id).is_ok() {
            return Relation::Disjoint;
        }
        let mut out = Relation::Overlap;
        for held in &cell.wanted {
            match self.relation(*held, id) {
                Relation::Contained => return Relation::Contained,
                Relation::Disjoint => out = Relation::Disjoint,
                Relation::Overlap => {}
            }
        }
        out
    }

    fn prefix(&self, cell: &TextCell) -> &str {
        let prefixes = cell.wanted.iter().map(|id| &*self.patterns.get(*id).prefix);
        prefixes.max_by_key(|prefix| prefix.len()).unwrap_or("")
    }
}
