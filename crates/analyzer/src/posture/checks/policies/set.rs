//! Sets of actions.

/// A set of actions, by their places in the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::posture::checks) struct ActionSet(Box<[u64]>);

impl ActionSet {
    /// A set of these among so many.
    pub(super) fn of(size: usize, places: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self(vec![0; size.div_ceil(64)].into());
        for place in places {
            set.insert(place);
        }
        set
    }

    pub(in crate::posture::checks) fn insert(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    pub(in crate::posture::checks) fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    pub(in crate::posture::checks) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(in crate::posture::checks) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// All but these, among so many.
    pub(super) fn complement(&self, size: usize) -> Self {
        let mut words: Box<[u64]> = self.0.iter().map(|word| !word).collect();
        if let Some(last) = words.last_mut()
            && !size.is_multiple_of(64)
        {
            *last &= (1 << (size % 64)) - 1;
        }
        Self(words)
    }

    pub(in crate::posture::checks) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }

    pub(in crate::posture::checks) fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, less)| *word &= !less);
    }

    pub(in crate::posture::checks) fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, only)| *word &= only);
    }

    pub(in crate::posture::checks) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(word, with)| word & with != 0)
    }

    /// Those of both.
    pub(in crate::posture::checks) fn with(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.keep(other);
        out
    }

    /// Whether all in a range are there; not of an empty one.
    pub(super) fn has_all(&self, mut places: std::ops::Range<usize>) -> bool {
        !places.is_empty() && places.all(|place| self.has(place))
    }

    /// The places, from the first.
    pub(in crate::posture::checks) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let mut set = ActionSet::of(70, [0, 63, 64, 69]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 69]);
        let rest = set.complement(70);
        assert_eq!((set.len(), rest.len()), (4, 66));
        assert!(!set.meets(&rest) && rest.has_all(1..63) && !rest.has_all(1..64));
        set.add(&rest);
        assert_eq!(set.len(), 70);
        set.remove(&rest);
        assert!(set.has(69) && !set.has(68));
    }
}
