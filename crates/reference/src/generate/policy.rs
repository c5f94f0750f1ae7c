//! Policies of every kind, with the statements that a case turns on.

use serde_json::{Map, Value, json};

use super::condition::{self, Cell};
use super::element::{self, Aim};
use super::random::Random;
use super::scene::{CallerKind, Scene};
use super::{Focus, Profile};

/// What a policy is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Identity,
    Boundary,
    Session,
    Resource,
    Trust,
    Scp,
    Rcp,
    Endpoint,
}

impl Kind {
    /// Whether its statements name principals.
    fn has_principal(self) -> bool {
        matches!(self, Self::Resource | Self::Trust | Self::Rcp | Self::Endpoint)
    }
}

/// One statement before it is put into its policy.
#[derive(Clone, Debug)]
struct Draft {
    elements: Map<String, Value>,
    conditions: Map<String, Value>,
    /// Whether it was made to match the request.
    hit: bool,
}

/// One policy before it is written down.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    kind: Kind,
    version: Option<&'static str>,
    statements: Vec<Draft>,
}

/// How well the policies of a case fit its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mood {
    /// In so many of a hundred cases an element that shall match does.
    pub(super) fit: usize,
    /// In so many of a hundred cases a statement that denies is made to match.
    pub(super) harsh: usize,
    pub(super) irregular: bool,
    pub(super) profile: Profile,
}

/// So many of a hundred policies are long: engines look through those in another way.
const LONG: usize = 2;

/// A policy of this kind: one statement that allows, and perhaps others.
pub(super) fn policy(random: &mut Random, scene: &Scene, kind: Kind, mood: Mood) -> Policy {
    let mut statements = Vec::new();
    if kind != Kind::Rcp {
        let hit = random.chance(mood.fit);
        statements.push(statement(random, scene, kind, mood, true, hit));
    }
    let long = random.chance(LONG);
    let more = match random.below(10) {
        _ if long => 7 + random.below(30),
        0..6 => usize::from(kind == Kind::Rcp),
        6..9 => 1,
        _ => 2,
    };
    for _ in 0..more {
        let denies = kind == Kind::Rcp || random.chance(60);
        let chance = if denies { mood.harsh } else { mood.fit };
        // Of many statements few speak of the request.
        let hit = random.chance(chance) && (!long || random.chance(8));
        statements.push(statement(random, scene, kind, mood, !denies, hit));
    }
    if statements.len() > 1 && random.chance(40) {
        statements.reverse();
    }
    let version = match random.below(20) {
        0 | 1 if mood.profile == Profile::Whole => Some("2008-10-17"),
        2 if mood.profile == Profile::Whole => None,
        _ => Some("2012-10-17"),
    };
    Policy { kind, version, statements }
}

fn statement(
    random: &mut Random,
    scene: &Scene,
    kind: Kind,
    mood: Mood,
    allows: bool,
    hit: bool,
) -> Draft {
    // What shall not match misses by one element, or by a condition.
    let missing = if hit { 9 } else { random.below(4) };
    let aim = |element: usize| Aim {
        hit: missing != element,
        irregular: mood.irregular,
        profile: mood.profile,
    };
    let mut elements = Map::new();
    if random.chance(4) {
        elements.insert("Sid".to_owned(), Value::from(random.pick(&["S1", "", "Two"])));
    }
    elements.insert("Effect".to_owned(), Value::from(if allows { "Allow" } else { "Deny" }));
    let mut put = |(name, value): (&str, Value)| {
        elements.insert(name.to_owned(), value);
    };
    put(match (kind, mood.profile) {
        (Kind::Rcp, Profile::Foreign) => element::service_action(random, scene, aim(0)),
        _ => element::action(random, scene, aim(0)),
    });
    let optional = matches!(kind, Kind::Resource | Kind::Trust) && mood.profile == Profile::Whole;
    if kind == Kind::Trust && !mood.irregular {
        // TR-1: no Resource.
    } else if let Some(found) = element::resource(random, scene, aim(1), optional) {
        put(found);
    }
    let foreign = mood.profile == Profile::Foreign;
    if kind == Kind::Rcp || kind == Kind::Endpoint && foreign {
        put(("Principal", Value::from("*"))); // RCP-3
    } else if kind.has_principal() {
        let negated = match (allows, kind) {
            (false, Kind::Resource | Kind::Endpoint) => random.chance(22),
            (false, _) => random.chance(8) && mood.irregular,
            (true, _) => random.chance(4) && mood.irregular,
        };
        // A service or an anonymous caller is let in by the resource policy alone.
        put(element::principal(random, scene, aim(2), negated));
    }
    let mut draft = Draft { elements, conditions: Map::new(), hit };
    if missing == 3 || random.chance(16) {
        let found = condition::aside(random, &scene.context, missing != 3);
        if let Some((operator, key, values)) = found {
            draft.condition(&operator, &key, values);
        }
    }
    if mood.profile == Profile::Whole {
        match random.below(100) {
            0 => {
                draft.elements.insert("Condition".to_owned(), json!({})); // CO-13
            }
            1 => {
                let operator = random.pick(&condition::OPERATORS);
                draft.conditions.entry(operator).or_insert_with(|| json!({}));
            }
            2 if mood.irregular => {
                draft.condition(condition::unknown(random), "aws:username", Value::from("alice"));
            }
            _ => {}
        }
    }
    draft
}

impl Draft {
    fn condition(&mut self, operator: &str, key: &str, values: Value) {
        let block = self.conditions.entry(operator).or_insert_with(|| json!({}));
        if let Value::Object(keys) = block {
            keys.insert(key.to_owned(), values);
        }
    }

    fn write(self) -> Value {
        let mut elements = self.elements;
        if !self.conditions.is_empty() {
            elements.insert("Condition".to_owned(), Value::Object(self.conditions));
        }
        Value::Object(elements)
    }
}

impl Policy {
    /// A policy that allows everything, as `FullAWSAccess` does.
    pub(super) fn everything(kind: Kind) -> Self {
        let mut elements = Map::new();
        for (name, value) in [("Effect", "Allow"), ("Action", "*"), ("Resource", "*")] {
            elements.insert(name.to_owned(), Value::from(value));
        }
        let draft = Draft { elements, conditions: Map::new(), hit: true };
        Self { kind, version: Some("2012-10-17"), statements: vec![draft] }
    }

    /// How many of its statements were made to match.
    pub(super) fn hits(&self) -> usize {
        self.statements.iter().filter(|draft| draft.hit).count()
    }

    /// Puts the condition of this cell into its hit of that number, and what the condition needs
    /// into the request.
    pub(super) fn focus(
        &mut self,
        random: &mut Random,
        scene: &mut Scene,
        cell: Cell,
        number: usize,
        profile: Profile,
    ) -> Option<Focus> {
        let made = condition::make(random, cell, profile, &scene.context);
        let draft = self.statements.iter_mut().filter(|draft| draft.hit).nth(number)?;
        let folded = made.key.to_lowercase();
        let held = scene.context.keys().find(|key| key.to_lowercase() == folded).cloned();
        if let Some(held) = held {
            scene.context.remove(&held);
        }
        if let Some((key, values)) = made.given {
            scene.context.insert(key, values);
        }
        draft.elements.remove("Condition");
        draft.condition(&made.operator, &made.key, made.values.clone());
        Some(Focus {
            cell,
            operator: made.operator,
            key: made.key,
            values: made.values,
            denies: draft.elements.get("Effect").and_then(Value::as_str) == Some("Deny"),
            version: self.version,
        })
    }

    /// The policy as JSON, now and then as a text that holds it.
    pub(super) fn write(self, random: &mut Random, profile: Profile) -> Value {
        let kind = self.kind;
        let mut document = Map::new();
        if let Some(version) = self.version {
            document.insert("Version".to_owned(), Value::from(version));
        }
        let mut statements: Vec<Value> = self.statements.into_iter().map(Draft::write).collect();
        let one = statements.len() == 1 && random.chance(40);
        let statements =
            if one { statements.pop().unwrap_or_default() } else { Value::from(statements) };
        document.insert("Statement".to_owned(), statements);
        if kind == Kind::Resource && random.chance(3) {
            document.insert("Id".to_owned(), Value::from("policy-1"));
        }
        let document = Value::Object(document);
        if profile == Profile::Whole && random.chance(2) {
            return Value::from(as_text(random, &document));
        }
        document
    }
}

/// The text of a policy: as it is, spread over lines, or broken (IN-6).
fn as_text(random: &mut Random, document: &Value) -> String {
    let text = document.to_string();
    match random.below(24) {
        0 => text.get(1..).unwrap_or_default().to_owned(),
        1 => text.replacen("\"Effect\"", "\"Effects\"", 1),
        2 => text.replacen("\"Effect\"", "\"Action\":\"s3:X\",\"Effect\"", 1), // ST-4
        3 => text.replacen("\"Effect\"", "\"NotAction\":\"s3:X\",\"Effect\"", 1),
        4 => text.replacen("\"Allow\"", "\"allow\"", 1),
        5 => text.replacen("\"2012-10-17\"", "\"2015-10-17\"", 1),
        6 => text.replacen("\"Statement\"", "\"statement\"", 1),
        7 => String::new(),
        _ => text.replace("\":", "\" :\n\t"),
    }
}

/// The most endpoint policies of a case.
const ENDPOINTS: usize = 2;

/// Which kinds of policy a case has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers {
    pub(super) identity: usize,
    pub(super) boundary: bool,
    /// Nothing: no session policies.
    pub(super) session: Option<usize>,
    pub(super) resource: bool,
    pub(super) scps: usize,
    pub(super) rcps: usize,
    pub(super) endpoints: usize,
}

/// The kinds of policy of a case: some for every caller, and now and then such as do not concern it.
pub(super) fn layers(random: &mut Random, scene: &Scene, profile: Profile) -> Layers {
    let caller = &scene.caller;
    let own = caller.has_identity();
    let foreign = profile == Profile::Foreign;
    let stray = !foreign && random.chance(10);
    let owned = own || stray;
    let session = matches!(caller.kind, CallerKind::Session | CallerKind::FederatedUser);
    let needs_resource =
        !own || scene.trust || scene.action.to_ascii_lowercase().starts_with("kms:");
    let levels = |random: &mut Random, percent: usize| {
        if random.chance(percent) { 1 + random.below(3) } else { 0 }
    };
    let session = match caller.kind {
        CallerKind::FederatedUser => Some(usize::from(random.chance(85))),
        _ if session && random.chance(30) => Some(1 + usize::from(!foreign && random.chance(15))),
        _ if stray => Some(random.below(2)),
        _ => None,
    };
    let bounded = matches!(
        caller.kind,
        CallerKind::User | CallerKind::Session | CallerKind::Role | CallerKind::FederatedUser
    );
    Layers {
        identity: if owned {
            1 + usize::from(random.chance(25)) - usize::from(random.chance(12))
        } else {
            0
        },
        boundary: (bounded || stray) && random.chance(25),
        session,
        resource: random.chance(if !needs_resource {
            55
        } else if foreign {
            100
        } else {
            94
        }),
        scps: if owned { levels(random, 25) } else { 0 },
        rcps: levels(random, 20),
        endpoints: match random.below(100) {
            0..10 => 1,
            10..12 if !foreign => ENDPOINTS,
            _ => 0,
        },
    }
}
