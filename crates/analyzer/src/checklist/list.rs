//! The lists as data: `lists.tsv`.

use std::sync::LazyLock;

/// A list of best practices.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct List {
    /// Its id: `000` to `004`.
    pub id: &'static str,
    /// What it is called, with its publisher.
    pub title: &'static str,
    /// Its practices, in their order.
    pub practices: Vec<Practice>,
}

/// A practice, or a part of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Practice {
    /// Its id, such as `000-01`, or `001-15a` for a part.
    pub id: &'static str,
    /// What holds when it is followed.
    pub title: &'static str,
    /// The ids of the posture checks that answer it.
    pub checks: Vec<&'static str>,
    /// Why a person has to answer it, or a part of it. `None`: the checks answer all of it.
    pub by_hand: Option<&'static str>,
    /// What it is made of. Then it has neither checks nor [`Practice::by_hand`].
    pub parts: Vec<Practice>,
}

static LISTS: LazyLock<Vec<List>> = LazyLock::new(|| read(include_str!("lists.tsv")));

/// All lists, by id.
pub fn lists() -> &'static [List] {
    &LISTS
}

/// The list of an id.
pub fn list(id: &str) -> Option<&'static List> {
    LISTS.iter().find(|list| list.id == id)
}

fn read(text: &'static str) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t').map(str::trim);
        let mut cell = || cells.next().unwrap_or_default();
        let (id, title) = (cell(), cell());
        if id == "list" {
            lists.push(List { id: title, title: cell(), practices: Vec::new() });
            continue;
        }
        let practice = Practice {
            id,
            title,
            checks: cell().split_ascii_whitespace().collect(),
            by_hand: Some(cell()).filter(|text| !text.is_empty()),
            parts: Vec::new(),
        };
        let Some(list) = lists.last_mut() else { continue };
        match list.practices.last_mut() {
            Some(whole) if id.starts_with(whole.id) => whole.parts.push(practice),
            _ => list.practices.push(practice),
        }
    }
    lists
}

impl List {
    /// Every practice and part that is answered by itself.
    pub fn answered(&self) -> impl Iterator<Item = &Practice> {
        self.practices.iter().flat_map(|practice| {
            let whole = practice.parts.is_empty().then_some(practice);
            whole.into_iter().chain(&practice.parts)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::posture::{catalogue, row};

    // Mission row M123: the lists have as many practices as their articles have.
    #[test]
    fn m123_the_lists_are_whole() {
        let sizes: Vec<_> = lists().iter().map(|list| (list.id, list.practices.len())).collect();
        assert_eq!(sizes, [("000", 16), ("001", 15), ("002", 14), ("003", 6), ("004", 11)]);
        let mut ids = BTreeSet::new();
        for list in lists() {
            assert!(!list.title.is_empty());
            for (number, practice) in list.practices.iter().enumerate() {
                assert_eq!(practice.id, format!("{}-{:02}", list.id, number + 1));
                assert!(ids.insert(practice.id));
                for (part, letter) in practice.parts.iter().zip('a'..) {
                    assert_eq!(part.id, format!("{}{letter}", practice.id));
                    assert!(ids.insert(part.id));
                }
            }
        }
    }

    #[test]
    fn m123_each_practice_is_answered_by_a_check_or_says_why_not() {
        for practice in lists().iter().flat_map(List::answered) {
            let id = practice.id;
            assert!(!practice.checks.is_empty() || practice.by_hand.is_some(), "{id}");
            assert!(practice.by_hand.is_none_or(|why| why.len() > 20), "{id}");
            assert!(practice.title.len() > 5, "{id}");
            let set: BTreeSet<_> = practice.checks.iter().collect();
            assert_eq!(set.len(), practice.checks.len(), "{id} names a check twice");
            for check in &practice.checks {
                assert!(row(check).is_some(), "{id} names `{check}`, which is no check");
            }
        }
        for practice in lists().iter().flat_map(|list| &list.practices) {
            if !practice.parts.is_empty() {
                assert!(practice.checks.is_empty() && practice.by_hand.is_none());
            }
        }
    }

    // The catalogue says of each check which practices it serves: `S1.4` is the fourth of list 000.
    #[test]
    fn m123_lists_and_catalogue_agree() {
        let mut held: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for practice in lists().iter().flat_map(List::answered) {
            let whole = practice.id.get(..6).unwrap();
            held.entry(whole).or_default().extend(&practice.checks);
        }
        for row in catalogue() {
            for tag in &row.practices {
                let (list, number) = tag.strip_prefix('S').unwrap().split_once('.').unwrap();
                let list = list.parse::<usize>().unwrap() - 1;
                // The catalogue counts the two conditions of list 001 apart.
                let number = match (list, number.parse::<usize>().unwrap()) {
                    (1, number @ 13..) => number - 1,
                    (_, number) => number,
                };
                let id = format!("{list:03}-{number:02}");
                let checks = held.get(id.as_str()).unwrap_or_else(|| panic!("{id} of {}", row.id));
                assert!(checks.contains(row.id), "{} serves {id}", row.id);
            }
        }
    }
}
