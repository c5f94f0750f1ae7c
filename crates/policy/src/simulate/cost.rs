//! What a simulation costs, counted and not timed, so that the same question is answered or refused
//! on every machine alike (threat G06).
//!
//! A step is about the work of comparing a few bytes. How many an element of a statement takes
//! depends on its entries, their bytes and wildcards, the values of the context and the length of
//! what is compared; it is worked out once for all pairs of action and resource.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::document::{Document, Statement};
use crate::evaluate::Failing;
use crate::{Applicable, Attached, Context};

/// What an answer may cost: steps of work, and bytes of results. It is used up answer by answer.
///
/// ```
/// use bailiwick_policy::simulate::Budget;
///
/// assert!(Budget::new(1_000, 1 << 20).work() < Budget::unlimited().work());
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
    work: u64,
    bytes: u64,
    /// The most one pair of action and resource may take: its work is not interrupted.
    pair: u64,
}

/// The budget does not suffice.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Exceeded {
    /// The policies, resources and values are too many, too long or too involved.
    #[error("the simulation is too much work")]
    Work,
    /// The statements and keys to be reported are too many.
    #[error("the result of the simulation is too large")]
    Bytes,
}

impl Budget {
    /// A budget of steps, and of bytes of results. One pair of action and resource may take a quarter
    /// of the steps at most.
    pub const fn new(work: u64, bytes: u64) -> Self {
        Self { work, bytes, pair: work / 4 }
    }

    /// A budget that suffices for everything.
    pub const fn unlimited() -> Self {
        Self { work: u64::MAX, bytes: u64::MAX, pair: u64::MAX }
    }

    /// The steps that are left.
    pub const fn work(&self) -> u64 {
        self.work
    }

    /// The bytes that are left.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The same steps, for a result of at most so many bytes.
    #[must_use]
    pub const fn with_bytes(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }

    /// Takes steps.
    ///
    /// # Errors
    /// So many are not left; then none are.
    pub fn spend(&mut self, work: u64) -> Result<(), Exceeded> {
        if self.work == u64::MAX {
            return Ok(());
        }
        let left = self.work.checked_sub(work);
        self.work = left.unwrap_or_default();
        left.map(drop).ok_or(Exceeded::Work)
    }

    /// Takes bytes.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), Exceeded> {
        if self.bytes == u64::MAX {
            return Ok(());
        }
        let left = self.bytes.checked_sub(bytes as u64);
        self.bytes = left.unwrap_or_default();
        left.map(drop).ok_or(Exceeded::Bytes)
    }

    /// Whether a pair that takes so much at most may be begun.
    pub(super) fn begin(&self, worst: u64) -> Result<(), Exceeded> {
        if self.work > 0 && worst <= self.pair { Ok(()) } else { Err(Exceeded::Work) }
    }
}

/// Steps that grow with the length of the text that is matched.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Linear {
    fixed: u64,
    each: u64,
}

impl Linear {
    const fn of(self, length: usize) -> u64 {
        self.fixed.saturating_add(self.each.saturating_mul(length as u64))
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            fixed: self.fixed.saturating_add(other.fixed),
            each: self.each.saturating_add(other.each),
        }
    }
}

/// The steps that one statement takes, element by element.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weight {
    actions: Linear,
    resources: Linear,
    principals: u64,
    conditions: u64,
}

/// The lengths of what is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub(super) action: usize,
    pub(super) resource: usize,
}

/// Steps of every statement, whatever becomes of it.
const STATEMENT: u64 = 32;
/// Steps of an entry that is compared at once.
const ENTRY: u64 = 8;
/// The letters that policies are written in.
const ALPHABET: u64 = 200;
/// The largest table, in words, that matching one pattern may make.
const LARGEST_TABLE: u64 = 1 << 20;

impl Weight {
    /// The steps up to the element that failed; all where none did.
    pub(super) fn up_to(&self, failing: Option<Failing>, lengths: Lengths) -> u64 {
        let mut steps = STATEMENT.saturating_add(self.actions.of(lengths.action));
        if failing == Some(Failing::Action) {
            return steps;
        }
        steps = steps.saturating_add(self.resources.of(lengths.resource));
        if failing == Some(Failing::Resource) {
            return steps;
        }
        steps = steps.saturating_add(self.principals);
        if failing == Some(Failing::Principal) {
            return steps;
        }
        steps.saturating_add(self.conditions)
    }

    fn of(statement: &Statement, scene: &Scene<'_>) -> Self {
        let sum = |all: Linear, one: Linear| all.plus(one);
        let actions = statement.actions().map(|text| pattern(text.len(), text, &Variables::NONE));
        let resources = statement.resources.iter().flat_map(|element| {
            element.entries.iter().zip(&element.texts).map(|(entry, text)| {
                let variables =
                    Variables::named(entry.variables().map(|variable| &*variable.name), scene);
                let one = pattern(text.len(), text, &variables);
                one.plus(one) // A short one is tried as it stands and completed.
            })
        });
        let entries = statement.principal.iter().flat_map(|element| element.entries.iter());
        let principals = entries.map(|entry| {
            pattern(entry.text.len(), &entry.text, &Variables::NONE).of(scene.caller) + ENTRY
        });
        Self {
            actions: actions.fold(Linear::default(), sum),
            resources: resources.fold(Linear::default(), sum),
            principals: principals.fold(0, u64::saturating_add),
            conditions: conditions(statement, scene),
        }
    }
}

/// What a simulation asks all its statements with.
struct Scene<'a> {
    context: &'a Context,
    /// The count and the bytes of the values of the keys that were looked up: many conditions ask one
    /// key, which may have many.
    found: RefCell<HashMap<Box<str>, (u64, u64)>>,
    /// How many keys the context has: a look-up runs over them.
    keys: u64,
    /// The length of the caller's name.
    caller: usize,
}

impl<'a> Scene<'a> {
    fn new(context: &'a Context, caller: usize) -> Self {
        let keys = context.iter().count() as u64;
        Self { context, found: RefCell::default(), keys, caller }
    }

    const fn look_up(&self) -> u64 {
        16 + self.keys
    }

    /// The count and the bytes of a key's values.
    fn values(&self, key: &str) -> (u64, u64) {
        if let Some(known) = self.found.borrow().get(key) {
            return *known;
        }
        let values = self.context.values(key);
        let found =
            values.fold((0, 0), |(count, bytes), value| (count + 1, bytes + value.len() as u64));
        self.found.borrow_mut().insert(key.into(), found);
        found
    }
}

/// The variables of a text.
struct Variables {
    /// What their values add to the text.
    bytes: u64,
    /// The longest of the values.
    longest: u64,
    /// The steps to find them.
    steps: u64,
}

impl Variables {
    const NONE: Self = Self { bytes: 0, longest: 0, steps: 0 };

    fn named<'v>(names: impl Iterator<Item = &'v str>, scene: &Scene<'_>) -> Self {
        names.fold(Self::NONE, |all, name| {
            let length = scene.context.values(name).next().map_or(0, str::len) as u64;
            Self {
                bytes: all.bytes.saturating_add(length),
                longest: all.longest.max(length),
                steps: all.steps.saturating_add(scene.look_up()),
            }
        })
    }
}

/// The steps of one pattern, by the length of the text it is matched with. A search that does not
/// end soon runs all states of the pattern, 64 at once, over the text, with a table that has a row
/// for each letter of the pattern.
fn pattern(length: usize, text: &str, variables: &Variables) -> Linear {
    let length = length as u64;
    if variables.steps == 0 && !text.contains(['*', '?', '$']) {
        return Linear { fixed: ENTRY + length / 16, each: 0 };
    }
    let stars = text.bytes().filter(|byte| *byte == b'*').count() as u64;
    globs(1, length, stars, length, variables)
}

/// The steps of so many patterns of so many bytes and stars in all.
fn globs(count: u64, bytes: u64, stars: u64, longest: u64, variables: &Variables) -> Linear {
    let whole = bytes.saturating_add(variables.bytes);
    let letters = ALPHABET.min(longest).saturating_add(variables.longest);
    let table = longest.saturating_add(variables.bytes).saturating_mul(letters) / 64;
    if table > LARGEST_TABLE {
        return Linear { fixed: u64::MAX, each: u64::MAX };
    }
    let tables = whole.saturating_mul(letters) / 64;
    Linear {
        fixed: whole
            .saturating_add(tables)
            .saturating_add(variables.steps)
            .saturating_add(count.saturating_mul(ENTRY)),
        each: count.saturating_add(stars).saturating_add(whole / 64),
    }
}

/// The steps of a statement's conditions: each value of the policy may be compared with each of the
/// request.
fn conditions(statement: &Statement, scene: &Scene<'_>) -> u64 {
    let steps = statement.conditions.iter().map(|(condition, text)| {
        let (count, bytes) = scene.values(&text.key);
        let values = text.values.len() as u64;
        let written: u64 = text.values.iter().map(|value| value.len() as u64).sum();
        let longest = text.values.iter().map(|value| value.len() as u64).max().unwrap_or_default();
        let names = condition.variables();
        let variables = Variables::named(names.iter().copied(), scene);
        let globbing =
            ["like", "arn"].iter().any(|word| text.operator.to_lowercase().contains(word));
        let compared = if globbing || !names.is_empty() {
            let stars = text.values.iter().flat_map(|value| value.bytes());
            let stars = stars.filter(|byte| *byte == b'*').count() as u64;
            let Linear { fixed, each } = globs(values, written, stars, longest, &variables);
            count.saturating_mul(fixed).saturating_add(bytes.saturating_mul(each))
        } else {
            // Numbers are read anew, and letters of any script lose their case.
            let each = values.saturating_mul(2 * ENTRY).saturating_add(3 * written);
            count.saturating_mul(each).saturating_add(bytes)
        };
        compared.saturating_add(scene.look_up()).saturating_add(values)
    });
    steps.fold(0, u64::saturating_add)
}

/// A policy of a simulation with the weights of its statements.
pub(super) struct Weighed<'p> {
    pub(super) policy: Attached<'p>,
    weights: Vec<Weight>,
}

impl Weighed<'_> {
    pub(super) fn weight(&self, place: usize) -> Weight {
        self.weights.get(place).copied().unwrap_or_default()
    }
}

/// All policies of a simulation, weighed.
pub(super) struct Scales<'p> {
    policies: Vec<Weighed<'p>>,
    /// Their places, by where they lie: the walk borrows the very same ones.
    places: HashMap<(usize, usize), usize>,
    total: Weight,
    statements: u64,
}

impl<'p> Scales<'p> {
    pub(super) fn new(applicable: &Applicable<'p>, context: &Context, caller: usize) -> Self {
        let scene = Scene::new(context, caller);
        let endpoints = applicable.endpoints.iter().map(|endpoint| endpoint.policy);
        let mut scales = Self {
            policies: Vec::new(),
            places: HashMap::new(),
            total: Weight::default(),
            statements: 0,
        };
        for policy in applicable.policies().chain(endpoints) {
            let statements = policy.document.statements();
            let weights: Vec<Weight> =
                statements.iter().map(|statement| Weight::of(statement, &scene)).collect();
            scales.add(&weights);
            scales.places.insert(address(&policy), scales.policies.len());
            scales.policies.push(Weighed { policy, weights });
        }
        scales
    }

    fn add(&mut self, weights: &[Weight]) {
        for weight in weights {
            self.total = Weight {
                actions: self.total.actions.plus(weight.actions),
                resources: self.total.resources.plus(weight.resources),
                principals: self.total.principals.saturating_add(weight.principals),
                conditions: self.total.conditions.saturating_add(weight.conditions),
            };
            self.statements += 1;
        }
    }

    /// The place of a policy of this simulation.
    pub(super) fn place(&self, policy: &Attached<'_>) -> Option<usize> {
        self.places.get(&address(policy)).copied()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Weighed<'p>> {
        self.policies.get(place)
    }

    /// The most steps that one pair takes.
    pub(super) fn worst(&self, lengths: Lengths) -> u64 {
        let base = self.statements.saturating_mul(STATEMENT);
        self.total.up_to(None, lengths).saturating_add(base)
    }
}

fn address(policy: &Attached<'_>) -> (usize, usize) {
    (std::ptr::from_ref(policy.source).addr(), std::ptr::from_ref(policy.document).addr())
}

/// The steps it takes to tell whether a policy can be that of resources of these lengths.
pub(super) fn fitting(policy: &Document, resources: impl Iterator<Item = usize>) -> u64 {
    let scene = Scene::new(&crate::context::EMPTY, 0);
    let once = Linear { fixed: STATEMENT, each: 0 };
    let weights =
        policy.statements().iter().map(|one| Weight::of(one, &scene).resources.plus(once));
    let each = weights.fold(Linear::default(), Linear::plus);
    resources.map(|length| each.of(length)).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DocumentKind;

    fn weight(statement: &str, context: &Context) -> Weight {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        let document = Document::parse(&text, DocumentKind::Identity).unwrap();
        let scene = Scene::new(context, 40);
        Weight::of(&document.statements()[0], &scene)
    }

    fn conditioned(operator: &str, values: usize, found: usize) -> u64 {
        let values: Vec<String> = (0..values).map(|at| format!("\"*value{at}\"")).collect();
        let mut context = Context::new();
        let found: Vec<String> = (0..found).map(|at| format!("found{at}")).collect();
        context.put_multivalued("a:b", found.iter().map(String::as_str));
        let statement = format!(
            r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*",
                "Condition":{{"{operator}":{{"a:b":[{}]}}}}}}"#,
            values.join(",")
        );
        weight(&statement, &context).conditions
    }

    #[test]
    fn tm_g06_each_value_counts_with_each_of_the_request() {
        for operator in ["ForAnyValue:StringLike", "ForAnyValue:StringEquals"] {
            let small = conditioned(operator, 10, 10);
            assert!(conditioned(operator, 100, 10) > 5 * small, "{operator}");
            assert!(conditioned(operator, 10, 100) > 5 * small, "{operator}");
            assert!(conditioned(operator, 1000, 1000) > 5_000 * small, "{operator}");
        }
    }

    #[test]
    fn tm_g06_the_values_of_variables_count() {
        let statement =
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${a:b}*x*"}"#;
        let short = weight(statement, &Context::new().set("a:b", "short"));
        let long = weight(statement, &Context::new().set("a:b", &"long".repeat(1000)));
        let huge = weight(statement, &Context::new().set("a:b", &"huge".repeat(25_000)));
        assert!(long.resources.of(100) > 100 * short.resources.of(100));
        assert_eq!(huge.resources.of(100), u64::MAX, "its table would fill the memory");
    }

    #[test]
    fn steps_end_at_what_failed() {
        let lengths = Lengths { action: 12, resource: 30 };
        let context = Context::new().set("a:b", "c");
        let statement = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*",
            "Condition":{"StringEquals":{"a:b":["c","d"]}}}"#;
        let found = weight(statement, &context);
        let steps = [Some(Failing::Action), Some(Failing::Resource), Some(Failing::Condition(0))]
            .map(|failing| found.up_to(failing, lengths));
        assert!(steps.is_sorted_by(|one, other| one < other), "{steps:?}");
        assert_eq!(steps[2], found.up_to(None, lengths));
    }

    #[test]
    fn a_budget_is_used_up_once() {
        let mut budget = Budget::new(100, 10);
        assert_eq!((budget.begin(25), budget.begin(26)), (Ok(()), Err(Exceeded::Work)));
        assert_eq!(budget.spend(60), Ok(()));
        assert_eq!(budget.work(), 40);
        assert_eq!(budget.spend(60), Err(Exceeded::Work));
        assert_eq!((budget.work(), budget.begin(0)), (0, Err(Exceeded::Work)));
        assert_eq!((budget.keep(10), budget.keep(1)), (Ok(()), Err(Exceeded::Bytes)));
    }
}
