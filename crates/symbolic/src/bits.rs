//! Small sets of numbers.

/// A set of numbers below a limit that its makers agree on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// The numbers below `count` that pass.
    pub(crate) fn of(count: usize, mut pass: impl FnMut(usize) -> bool) -> Self {
        let mut out = Self(vec![0; count.div_ceil(64)]);
        for at in 0..count {
            if pass(at) {
                out.set(at);
            }
        }
        out
    }

    pub(crate) fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(crate) fn unset(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word &= !(1 << (at % 64));
        }
    }

    pub(crate) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(left, right)| left & right).collect())
    }

    pub(crate) fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(left, right)| left & !right).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn first(&self) -> Option<usize> {
        let found = self.0.iter().enumerate().find(|(_, word)| **word != 0);
        found.map(|(at, word)| at * 64 + word.trailing_zeros() as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 64).filter(|at| self.has(*at))
    }
}
