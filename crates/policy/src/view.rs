//! What statements test, piece by piece: for those who reason about all requests at once.

use crate::condition::{Condition, Holds};
use crate::document::ConditionText;
use crate::{Context, Effect, Operator, SetPrefix, Statement};

/// A piece of a pattern.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Token {
    /// Literal text.
    Text(Box<str>),
    /// Any one scalar.
    One,
    /// Any one scalar but a colon (RES-1).
    OneField,
    /// Any run.
    Star,
    /// Any run without a colon (RES-1).
    StarField,
    /// The value of a context key (VAR-1).
    Variable {
        /// The folded key.
        key: Box<str>,
        /// Whether AWS declares it multivalued, so that it has no value here (VAR-6).
        multivalued: bool,
        /// What stands for a value where there is none (VAR-3).
        default: Option<Box<str>>,
        /// Whether the value may hold no colon (RES-6).
        in_field: bool,
    },
    /// A pattern that cannot be told piece by piece. Two with the same text are the same.
    Opaque(Box<str>),
}

/// One condition of a statement: one operator and one key.
#[derive(Clone, Copy, Debug)]
pub struct ConditionView<'a> {
    condition: &'a Condition,
    text: &'a ConditionText,
}

impl Statement {
    /// The conditions, as they are evaluated.
    pub fn condition_views(&self) -> impl Iterator<Item = ConditionView<'_>> {
        self.conditions.iter().map(|(condition, text)| ConditionView { condition, text })
    }
}

impl<'a> ConditionView<'a> {
    /// The operator, its set prefix and whether it ends in `IfExists`; nothing if it is unknown
    /// (OP-X1).
    pub fn operator(&self) -> Option<(Operator, Option<SetPrefix>, bool)> {
        let spelled = self.condition.spelled()?;
        Some((spelled.operator, spelled.prefix, spelled.if_exists))
    }

    /// The folded key, and whether AWS declares it multivalued (KEY-8).
    pub fn key(&self) -> (&'a str, bool) {
        self.condition.key()
    }

    /// The values as they are written.
    pub fn values(&self) -> &'a [Box<str>] {
        &self.text.values
    }

    /// As it is written.
    pub fn text(&self) -> &'a ConditionText {
        self.text
    }

    /// Whether it holds in a statement of this effect; nothing if its operator is unknown (OP-X1).
    pub fn holds(&self, context: &Context, effect: Effect) -> Option<bool> {
        match self.condition.holds(context, effect) {
            Holds::Yes => Some(true),
            Holds::No => Some(false),
            Holds::Unknown => None,
        }
    }

    /// The values with their variables resolved, as an explanation shows them; nothing for one
    /// whose variable has no value, or where no value can have one.
    pub fn resolved(&self, context: &Context) -> Option<Vec<Option<String>>> {
        self.condition.resolved(context)
    }

    /// The keys in `${...}` in the values, as written.
    pub fn variables(&self) -> Vec<&'a str> {
        self.condition.variables()
    }

    /// Whether one value of a request fits at least one listed value, negation aside.
    pub fn covers(&self, value: &str, context: &Context) -> bool {
        self.condition.covers(value, context)
    }

    /// The listed values as patterns, and whether case counts; nothing for operators that compare
    /// numbers, dates, addresses or presence.
    pub fn tokens(&self) -> Option<(Vec<Vec<Token>>, bool)> {
        self.condition.tokens()
    }
}
