//! An index from names to places that disregards ASCII case and never allocates on look-up.
//!
//! Only the data file's names are inserted, so a caller who chooses what is looked up cannot make it slow.

use hashbrown::HashTable;

/// Places of names, found without regard to ASCII case. The names themselves stay with the owner.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoldedIndex(HashTable<u32>);

impl FoldedIndex {
    /// Indexes `names` by their position. When two names differ only in case, the first keeps its place.
    pub(crate) fn new<'a, I>(names: I) -> Self
    where
        I: IntoIterator<Item = &'a str>,
        I::IntoIter: Clone,
    {
        let names = names.into_iter();
        let mut hashes = Vec::new();
        let mut table = HashTable::new();
        let all: Vec<&str> = names.collect();
        for (at, name) in all.iter().enumerate() {
            let hash = fold_hash(name);
            hashes.push(hash);
            let same = |other: &u32| {
                all.get(*other as usize).is_some_and(|known| known.eq_ignore_ascii_case(name))
            };
            if table.find(hash, same).is_none()
                && let Ok(at) = u32::try_from(at)
            {
                table.insert_unique(hash, at, |other| {
                    hashes.get(*other as usize).copied().unwrap_or_default()
                });
            }
        }
        Self(table)
    }

    /// The thing in `items` whose name is `name` without regard to ASCII case.
    pub(crate) fn find<'a, T>(
        &self,
        name: &str,
        items: &'a [T],
        name_of: impl Fn(&T) -> &str,
    ) -> Option<&'a T> {
        let same = |at: &u32| {
            items.get(*at as usize).is_some_and(|item| name_of(item).eq_ignore_ascii_case(name))
        };
        self.0.find(fold_hash(name), same).and_then(|at| items.get(*at as usize))
    }
}

/// FNV-1a over the lower-case bytes, with a last mix, since the table uses the high bits too.
fn fold_hash(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_not_regarded() {
        let names = ["GetUser", "getuser", "ListUsers"];
        let index = FoldedIndex::new(names);
        for (name, expected) in [
            ("GETUSER", Some("GetUser")),
            ("getuser", Some("GetUser")),
            ("listusers", Some("ListUsers")),
            ("ListUser", None),
            ("", None),
        ] {
            assert_eq!(index.find(name, &names, |known| known).copied(), expected, "{name:?}");
        }
    }
}
