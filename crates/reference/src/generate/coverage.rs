//! Which cells of the table operator x modifier x class the cases have reached.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};

use super::condition::{CLASSES, MODIFIERS, OPERATORS};
use super::{Cell, Generated};

const CELLS: usize = OPERATORS.len() * MODIFIERS.len() * CLASSES.len();

/// How often each cell came, and how often its condition held.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// Held, and did not hold.
    counts: Vec<[u64; 2]>,
}

impl Default for Coverage {
    fn default() -> Self {
        Self { counts: vec![[0, 0]; CELLS] }
    }
}

impl Coverage {
    /// Counts the condition that a case turns on. Whether it holds is found by asking the
    /// reference evaluator a question that turns on nothing else.
    pub fn count(&mut self, generated: &Generated) {
        let Some(focus) = &generated.focus else { return };
        let holds = crate::evaluate::evaluate(&probe(generated))
            .is_ok_and(|outcome| (outcome.decision == "allowed") != focus.denies);
        let slot = self.counts.get_mut(index(focus.cell));
        if let Some(count) = slot.and_then(|slot| slot.get_mut(usize::from(!holds))) {
            *count += 1;
        }
    }

    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
    }

    /// The cells that never came, by name.
    pub fn missing(&self) -> Vec<String> {
        self.cells().filter(|(_, counts)| *counts == [0, 0]).map(|(cell, _)| name(cell)).collect()
    }

    /// How many cells came at all.
    pub fn reached(&self) -> usize {
        self.counts.iter().filter(|counts| **counts != [0, 0]).count()
    }

    fn cells(&self) -> impl Iterator<Item = (Cell, [u64; 2])> {
        self.counts.iter().enumerate().map(|(at, counts)| {
            let (rest, class) = (at / CLASSES.len(), at % CLASSES.len());
            let cell =
                Cell { operator: rest / MODIFIERS.len(), modifier: rest % MODIFIERS.len(), class };
            (cell, *counts)
        })
    }
}

fn index(cell: Cell) -> usize {
    (cell.operator * MODIFIERS.len() + cell.modifier) * CLASSES.len() + cell.class
}

fn spelled(cell: Cell) -> String {
    let (prefix, suffix) = MODIFIERS.get(cell.modifier).copied().unwrap_or_default();
    let operator = OPERATORS.get(cell.operator).copied().unwrap_or_default();
    format!("{prefix}{operator}{suffix}")
}

fn name(cell: Cell) -> String {
    let class = CLASSES.get(cell.class).map(|(_, name)| *name).unwrap_or_default();
    format!("{} {class}", spelled(cell))
}

/// A user without other policies asks for anything under the condition alone. A Deny stands beside
/// an Allow, for the effect of a statement matters to some conditions (CO-9).
fn probe(generated: &Generated) -> Value {
    let Some(focus) = &generated.focus else { return Value::Null };
    let effect = if focus.denies { "Deny" } else { "Allow" };
    let (mut operators, mut keys) = (Map::new(), Map::new());
    keys.insert(focus.key.clone(), focus.values.clone());
    operators.insert(focus.operator.clone(), Value::Object(keys));
    let mut statements = vec![json!({
        "Effect": effect, "Action": "*", "Resource": "*", "Condition": operators,
    })];
    if focus.denies {
        statements.push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    }
    let mut policy = json!({"Statement": statements});
    if let (Some(version), Value::Object(policy)) = (focus.version, &mut policy) {
        policy.insert("Version".to_owned(), Value::from(version));
    }
    let request = generated.case.get("request");
    let context = request.and_then(|request| request.get("context")).cloned();
    json!({
        "request": {
            "principal": "arn:aws:iam::111122223333:user/alice",
            "action": "s3:GetObject",
            "context": context,
        },
        "identityPolicies": [policy],
    })
}

impl fmt::Display for Coverage {
    /// One line an operator with its modifier; in each column held / did not hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<44}", "held/not")?;
        for (_, class) in CLASSES {
            write!(f, "{class:>14}")?;
        }
        let mut cell_text = String::new();
        for (cell, [held, not]) in self.cells() {
            if cell.class == 0 {
                write!(f, "\n{:<44}", spelled(cell))?;
            }
            cell_text.clear();
            write!(cell_text, "{held}/{not}")?;
            write!(f, "{cell_text:>14}")?;
        }
        Ok(())
    }
}
