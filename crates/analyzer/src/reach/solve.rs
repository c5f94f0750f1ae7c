//! Whether a context exists in which some statements' conditions hold and those of others do not,
//! and which.
//!
//! A key's conditions are asked of the values that stand for all others (see [`super::points`]),
//! by the decision engine itself. Keys vary by themselves.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use bailiwick_identifiers::AccountId;
use bailiwick_policy::{ConditionView, Context, Effect, Statement};

use super::judge::Fixed;
use super::points::{Points, of_key};

/// A condition that hangs on the request, by its place in the space.
pub(super) type AtomId = usize;

/// How many choices a search may make.
const MAX_STEPS: usize = 20_000;

/// What a search found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// These keys, with these values; all others are absent.
    Found(BTreeMap<String, Vec<String>>),
    /// There is no such context.
    Nothing,
    /// Neither could be shown.
    Unknown,
}

/// The conditions of one question, and what is fixed about its context.
pub(super) struct Space<'a> {
    /// What follows from the caller and the resource.
    pub(super) base: Context,
    /// Which keys follow from them, so that one that is not in `base` is absent.
    fixed: Fixed,
    /// The account in which the caller is not.
    outside: Option<AccountId>,
    atoms: Vec<Atom<'a>>,
    keys: Vec<Key>,
    /// Values that were given to keys which stand as variables; what fails with them may hold
    /// with others.
    pins: BTreeMap<String, String>,
    /// What those are; none: what hangs on them is taken for the best.
    value: Option<String>,
    steps: Cell<usize>,
    unsure: Cell<bool>,
}

struct Atom<'a> {
    view: ConditionView<'a>,
    effect: Effect,
    key: usize,
}

struct Key {
    name: String,
    atoms: Vec<AtomId>,
    /// AWS declares it multivalued.
    multivalued: bool,
    /// It may have several values.
    lists: bool,
    table: RefCell<Option<Table>>,
}

/// The values that a key may have, absent first, and which of its conditions hold then.
#[derive(Clone, Default)]
struct Table {
    options: Vec<Vec<String>>,
    truth: Vec<Vec<bool>>,
    complete: bool,
}

impl<'a> Space<'a> {
    /// `value`: what keys of the request that stand as variables are tried with; none: what hangs
    /// on them is taken for the best.
    pub(super) fn new(
        base: Context,
        fixed: Fixed,
        outside: Option<AccountId>,
        value: Option<&str>,
    ) -> Self {
        Self {
            value: value.map(str::to_owned),
            base,
            fixed,
            outside,
            atoms: Vec::new(),
            keys: Vec::new(),
            pins: BTreeMap::new(),
            steps: Cell::new(0),
            unsure: Cell::new(false),
        }
    }

    /// The conditions of a statement that hang on the request; nothing if one does not hold
    /// whatever the request is.
    pub(super) fn residual(&mut self, statement: &'a Statement) -> Option<Vec<AtomId>> {
        let effect = statement.effect();
        let mut out = Vec::new();
        for view in statement.condition_views() {
            // OP-X1
            if view.operator().is_none() {
                if effect == Effect::Allow {
                    return None;
                }
                continue;
            }
            if self.pin(&view) && self.is_hopeful() {
                if effect == Effect::Allow {
                    continue;
                }
                return None;
            }
            if self.fixed.has(view.key().0) {
                if view.holds(&self.base, effect) == Some(true) {
                    continue;
                }
                return None;
            }
            let atom = self.atom(view, effect);
            if !out.contains(&atom) {
                out.push(atom);
            }
        }
        Some(out)
    }

    /// Gives the variables of a condition that hang on the request a value. Whether there are
    /// such.
    fn pin(&mut self, view: &ConditionView<'_>) -> bool {
        let mut open = false;
        for name in view.variables() {
            let key = name.to_ascii_lowercase();
            open |= !self.is_known(&key);
            self.sample(&key);
        }
        open
    }

    /// Whether what hangs on variables is taken for the best.
    pub(super) fn is_hopeful(&self) -> bool {
        self.value.is_none()
    }

    /// Whether a key of the request stands as a variable.
    pub(super) fn is_pinned(&self) -> bool {
        !self.pins.is_empty()
    }

    /// Whether the key follows from the caller or the resource.
    pub(super) fn is_known(&self, key: &str) -> bool {
        self.fixed.has(key) || (self.base.contains(key) && !self.pins.contains_key(key))
    }

    /// The value of a key that stands as a variable and hangs on the request.
    pub(super) fn sample(&mut self, key: &str) -> Option<String> {
        if self.is_known(key) {
            return self.base.values(key).next().map(str::to_owned);
        }
        let sample = self.value.clone()?;
        let value = self.pins.entry(key.to_owned()).or_insert(sample);
        self.base.put(key, value);
        Some(value.clone())
    }

    fn atom(&mut self, view: ConditionView<'a>, effect: Effect) -> AtomId {
        let text = view.text();
        let same = |atom: &Atom<'_>| {
            let held = atom.view.text();
            atom.effect == effect
                && held.operator == text.operator
                && held.key == text.key
                && held.values == text.values
                && atom.view.variables().len() == view.variables().len()
        };
        if let Some(at) = self.atoms.iter().position(same) {
            return at;
        }
        let (name, multivalued) = view.key();
        let at = self.keys.iter().position(|key| key.name == name).unwrap_or_else(|| {
            self.keys.push(Key {
                name: name.to_owned(),
                atoms: Vec::new(),
                multivalued,
                lists: multivalued,
                table: RefCell::new(None),
            });
            self.keys.len() - 1
        });
        let atom = self.atoms.len();
        if let Some(key) = self.keys.get_mut(at) {
            key.atoms.push(atom);
            let known = bailiwick_catalog::Catalog::embedded().condition_key(name).is_some();
            let listed = view.operator().is_some_and(|(_, prefix, _)| prefix.is_some());
            key.lists |= listed && !known;
            *key.table.borrow_mut() = None;
        }
        self.atoms.push(Atom { view, effect, key: at });
        atom
    }

    /// A condition as it is written, and in what kind of statement.
    pub(super) fn view(&self, atom: AtomId) -> Option<&ConditionView<'a>> {
        self.atoms.get(atom).map(|atom| &atom.view)
    }

    /// A context in which all conditions of `held` hold, and of each of `failed` one does not.
    pub(super) fn solve(&self, held: &[&[AtomId]], failed: &[&[AtomId]]) -> Outcome {
        self.steps.set(0);
        self.unsure.set(!self.pins.is_empty());
        let mut chosen: BTreeMap<AtomId, bool> = BTreeMap::new();
        for atom in held.iter().copied().flatten() {
            chosen.insert(*atom, true);
        }
        let mut keys: Vec<usize> = chosen.keys().filter_map(|atom| self.key_of(*atom)).collect();
        keys.dedup();
        for key in keys {
            if self.value(key, &chosen).is_none() {
                return self.nothing();
            }
        }
        let mut failed = failed.to_vec();
        failed.sort_by_key(|clause| clause.len());
        if self.fail(&mut chosen, &failed) {
            let mut out = BTreeMap::new();
            for (key, held) in self.keys.iter().enumerate() {
                if held.atoms.iter().any(|atom| chosen.contains_key(atom))
                    && let Some(values) = self.value(key, &chosen)
                    && !values.is_empty()
                {
                    out.insert(held.name.clone(), values);
                }
            }
            for (key, value) in &self.pins {
                out.entry(key.clone()).or_insert_with(|| vec![value.clone()]);
            }
            return Outcome::Found(out);
        }
        self.nothing()
    }

    fn nothing(&self) -> Outcome {
        if self.unsure.get() { Outcome::Unknown } else { Outcome::Nothing }
    }

    /// Makes a condition of each clause fail.
    fn fail(&self, chosen: &mut BTreeMap<AtomId, bool>, clauses: &[&[AtomId]]) -> bool {
        let Some((first, rest)) = clauses.split_first() else { return true };
        if first.iter().any(|atom| chosen.get(atom) == Some(&false)) {
            return self.fail(chosen, rest);
        }
        for atom in *first {
            if chosen.contains_key(atom) {
                continue;
            }
            self.steps.set(self.steps.get() + 1);
            if self.steps.get() > MAX_STEPS {
                self.unsure.set(true);
                return false;
            }
            chosen.insert(*atom, false);
            let fits = self.key_of(*atom).is_some_and(|key| self.value(key, chosen).is_some());
            if fits && self.fail(chosen, rest) {
                return true;
            }
            chosen.remove(atom);
        }
        false
    }

    fn key_of(&self, atom: AtomId) -> Option<usize> {
        self.atoms.get(atom).map(|atom| atom.key)
    }

    /// Values of a key with which its conditions are as chosen; none at all: absent.
    fn value(&self, at: usize, chosen: &BTreeMap<AtomId, bool>) -> Option<Vec<String>> {
        let key = self.keys.get(at)?;
        if let Some(pinned) = self.pins.get(&key.name) {
            let value = vec![pinned.clone()];
            return self.fits(key, &value, chosen).then_some(value);
        }
        let table = key.table.borrow_mut().get_or_insert_with(|| self.table(key)).clone();
        let wanted: Vec<(usize, bool)> = key
            .atoms
            .iter()
            .enumerate()
            .filter_map(|(place, atom)| Some((place, *chosen.get(atom)?)))
            .collect();
        let fits =
            |truth: &Vec<bool>| wanted.iter().all(|(place, held)| truth.get(*place) == Some(held));
        if let Some(row) = table.truth.iter().position(fits) {
            return table.options.get(row).cloned();
        }
        if key.lists
            && let Some(list) = self.list(key, &table, chosen)
        {
            return Some(list);
        }
        if !table.complete {
            self.unsure.set(true);
        }
        None
    }

    /// Several values: each keeps what all must keep, and each thing that one must do, one does.
    fn list(
        &self,
        key: &Key,
        table: &Table,
        chosen: &BTreeMap<AtomId, bool>,
    ) -> Option<Vec<String>> {
        use bailiwick_policy::SetPrefix::{ForAllValues, ForAnyValue};
        let mut each: Vec<(usize, bool)> = Vec::new();
        let mut some: Vec<(usize, bool)> = Vec::new();
        for (place, atom) in key.atoms.iter().enumerate() {
            let Some(wanted) = chosen.get(atom).copied() else { continue };
            let (_, prefix, _) = self.atoms.get(*atom)?.view.operator()?;
            match prefix {
                Some(ForAnyValue) if wanted => some.push((place, true)),
                Some(ForAnyValue) => each.push((place, false)),
                Some(ForAllValues) | None if wanted => each.push((place, true)),
                Some(ForAllValues) => some.push((place, false)),
                None => {}
            }
        }
        let rows: Vec<usize> = (1..table.options.len())
            .filter(|row| {
                each.iter().all(|(place, held)| {
                    table.truth.get(*row).and_then(|truth| truth.get(*place)) == Some(held)
                })
            })
            .collect();
        let mut out: Vec<String> = Vec::new();
        for (place, held) in some {
            let row = rows.iter().find(|row| {
                table.truth.get(**row).and_then(|truth| truth.get(place)) == Some(&held)
            })?;
            for value in table.options.get(*row)? {
                if !out.contains(value) {
                    out.push(value.clone());
                }
            }
        }
        if out.len() < 2 {
            // A key of which nothing is declared has several values only with two of them.
            for row in rows.iter().take(2) {
                for value in table.options.get(*row)? {
                    if !out.contains(value) {
                        out.push(value.clone());
                    }
                }
            }
        }
        (!out.is_empty() && self.fits(key, &out, chosen)).then_some(out)
    }

    fn fits(&self, key: &Key, values: &[String], chosen: &BTreeMap<AtomId, bool>) -> bool {
        let context = self.with(key, values);
        key.atoms.iter().all(|atom| match (chosen.get(atom), self.atoms.get(*atom)) {
            (Some(wanted), Some(atom)) => atom.view.holds(&context, atom.effect) == Some(*wanted),
            _ => true,
        })
    }

    fn with(&self, key: &Key, values: &[String]) -> Context {
        let mut context = self.base.clone();
        match values {
            [] => context.remove(&key.name),
            [one] if !key.multivalued => context.put(key.name.as_str(), one),
            _ => context.put_list(key.name.as_str(), values.iter().map(String::as_str)),
        }
        context
    }

    fn table(&self, key: &Key) -> Table {
        let views: Vec<ConditionView<'_>> =
            key.atoms.iter().filter_map(|atom| self.atoms.get(*atom)).map(|a| a.view).collect();
        let pins = &self.pins;
        let Points { list, complete } =
            of_key(&key.name, &views, &self.base, &mut |name| pins.get(name).cloned());
        let mut table = Table { options: vec![Vec::new()], truth: Vec::new(), complete };
        let outside = self.outside.map(|account| account.to_string());
        let is_inside = |value: &str| match key.name.as_str() {
            "aws:principalaccount" => outside.as_deref() == Some(value),
            "aws:principalarn" => {
                outside.is_some() && value.split(':').nth(4) == outside.as_deref()
            }
            _ => false,
        };
        let list = list.into_iter().filter(|value| !is_inside(value));
        table.options.extend(list.map(|value| vec![value]));
        for values in &table.options {
            let context = self.with(key, values);
            let held = key.atoms.iter().filter_map(|atom| self.atoms.get(*atom));
            let held = held.map(|atom| atom.view.holds(&context, atom.effect) == Some(true));
            table.truth.push(held.collect());
        }
        table
    }
}
