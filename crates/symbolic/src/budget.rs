//! What a question may cost.

use std::cell::Cell;

/// Limits of one question. Where one is reached the answer is undecided, never a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// States of joint automata, over all searches of the question.
    pub states: usize,
    /// Boxes that are looked into.
    pub boxes: usize,
}

impl Default for Limits {
    /// What two seconds of one core are enough for.
    fn default() -> Self {
        Self { states: 600_000, boxes: 60_000 }
    }
}

/// What is left of the limits.
#[derive(Debug)]
pub(crate) struct Budget {
    states: Cell<usize>,
    boxes: Cell<usize>,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { states: Cell::new(limits.states), boxes: Cell::new(limits.boxes) }
    }

    /// Takes one state; `false` if there is none left.
    pub(crate) fn state(&self) -> bool {
        take(&self.states)
    }

    /// Takes one box; `false` if there is none left.
    pub(crate) fn one_box(&self) -> bool {
        take(&self.boxes)
    }
}

fn take(left: &Cell<usize>) -> bool {
    let now = left.get();
    left.set(now.saturating_sub(1));
    now > 0
}
