//! Standards: which controls of them an account's identities touch, and which checks answer each.
//!
//! The mappings stand in the catalogue of checks; `controls.tsv` has titles in our own words and the
//! controls that no check can answer. Of the CIS benchmark these are identity, logging and monitoring:
//! storage and networks are left out.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::posture::{Row, catalogue};

/// A standard.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standard {
    /// CIS AWS Foundations Benchmark 1.4.
    Cis14,
    /// 1.5, which keeps the numbers of 1.4 and adds 4.16.
    Cis15,
    /// 3.0.
    Cis30,
    /// 5.0.
    Cis50,
    /// 7.0.
    Cis70,
    /// NIST SP 800-53 revision 5.
    Nist80053,
    /// PCI DSS 4.0.
    Pci40,
    /// The HIPAA Security Rule, 45 CFR 164.
    Hipaa,
}

/// A control of a standard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Control {
    /// Its id, such as `1.4`, `AC-6` or `164.312(d)`.
    pub id: &'static str,
    /// What it asks for, in our own words.
    pub title: String,
    /// The posture checks that answer it, as far as an account can.
    pub checks: Vec<&'static str>,
    /// Why a person has to answer it. Such a control has no checks.
    pub by_hand: Option<&'static str>,
}

impl Standard {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Cis14,
        Self::Cis15,
        Self::Cis30,
        Self::Cis50,
        Self::Cis70,
        Self::Nist80053,
        Self::Pci40,
        Self::Hipaa,
    ];

    /// Its id, such as `cis-3.0`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Cis14 => "cis-1.4",
            Self::Cis15 => "cis-1.5",
            Self::Cis30 => "cis-3.0",
            Self::Cis50 => "cis-5.0",
            Self::Cis70 => "cis-7.0",
            Self::Nist80053 => "nist-800-53",
            Self::Pci40 => "pci-4.0",
            Self::Hipaa => "hipaa",
        }
    }

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cis14 => "CIS AWS Foundations Benchmark 1.4: identity, logging, monitoring",
            Self::Cis15 => "CIS AWS Foundations Benchmark 1.5: identity, logging, monitoring",
            Self::Cis30 => "CIS AWS Foundations Benchmark 3.0: identity, logging, monitoring",
            Self::Cis50 => "CIS AWS Foundations Benchmark 5.0: identity, logging, monitoring",
            Self::Cis70 => "CIS AWS Foundations Benchmark 7.0: identity, logging, monitoring",
            Self::Nist80053 => "NIST SP 800-53 revision 5: controls that identities touch",
            Self::Pci40 => "PCI DSS 4.0: requirements that identities touch",
            Self::Hipaa => "HIPAA Security Rule: safeguards that identities touch",
        }
    }

    /// The standard of an id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standard| standard.id() == id)
    }

    /// What marks about a control of it are kept under.
    pub(super) fn subject(self, control: &str) -> String {
        format!("{} {control}", self.id())
    }

    /// Its controls, in their order.
    pub fn controls(self) -> Vec<Control> {
        let mut checks: BTreeMap<&'static str, Vec<&'static Row>> = BTreeMap::new();
        for row in catalogue() {
            for id in self.of(row) {
                checks.entry(id).or_default().push(row);
            }
        }
        let mut titles: BTreeMap<&'static str, (&'static str, Option<&'static str>)> =
            BTreeMap::new();
        for line in include_str!("controls.tsv").lines() {
            let mut cells = line.split('\t').map(str::trim);
            if cells.next() != Some(self.id()) {
                continue;
            }
            let mut cell = || cells.next().unwrap_or_default();
            let (id, title, by_hand) = (cell(), cell(), cell());
            titles.insert(id, (title, Some(by_hand).filter(|text| !text.is_empty())));
        }
        let mut ids: Vec<&'static str> = checks.keys().chain(titles.keys()).copied().collect();
        ids.sort_by(|left, right| natural(left, right));
        ids.dedup();
        let control = |id: &'static str| {
            let rows = checks.get(id).map_or(&[][..], Vec::as_slice);
            let said = titles.get(id);
            let own = || rows.iter().map(|row| row.title).collect::<Vec<_>>().join("; ");
            Control {
                id,
                title: said.map_or_else(own, |(title, _)| (*title).to_owned()),
                checks: rows.iter().map(|row| row.id).collect(),
                by_hand: said.and_then(|(_, by_hand)| *by_hand),
            }
        };
        ids.into_iter().map(control).collect()
    }

    /// The controls of it that a check answers.
    fn of(self, row: &Row) -> Vec<&'static str> {
        let cis = |version: &str, only: Option<&str>| -> Vec<&'static str> {
            let items = row.cis.iter().filter_map(|item| item.strip_prefix(version));
            let all = items.flat_map(|items| items.trim().split('+')).map(str::trim);
            all.filter(|id| only.is_none_or(|only| only == *id)).collect()
        };
        match self {
            Self::Cis14 => cis("v1.4 ", None),
            Self::Cis15 => {
                let mut all = cis("v1.4 ", None);
                all.extend(cis("v3.0 ", Some("4.16")));
                all
            }
            Self::Cis30 => cis("v3.0 ", None),
            Self::Cis50 => cis("v5.0 ", None),
            Self::Cis70 => cis("v7.0 ", None),
            Self::Nist80053 => row.nist.clone(),
            Self::Pci40 => row.pci.clone(),
            Self::Hipaa => row.hipaa.clone(),
        }
    }
}

/// The order in which people count: `1.9` before `1.10`.
fn natural(left: &str, right: &str) -> Ordering {
    key(left).cmp(&key(right))
}

fn key(id: &str) -> Vec<(u64, &str)> {
    let mut out = Vec::new();
    let mut rest = id;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let text = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (text, tail) = tail.split_at(text);
        out.push((number.parse().unwrap_or_default(), text));
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Takes the longest run of characters of a kind off the front.
    fn run<'t>(text: &mut &'t str, kind: fn(&char) -> bool) -> &'t str {
        let end = text.chars().take_while(kind).map(char::len_utf8).sum();
        let (head, tail) = text.split_at(end);
        *text = tail;
        head
    }

    fn numbers(text: &str, least: usize, most: usize) -> bool {
        let parts: Vec<&str> = text.split('.').collect();
        let number = |part: &str| {
            let whole = part.chars().all(|c| c.is_ascii_digit()) && !part.starts_with('0');
            whole && !part.is_empty() && part.len() <= 2
        };
        (least..=most).contains(&parts.len()) && parts.iter().all(|part| number(part))
    }

    /// Whether an id has the form that its standard gives ids.
    fn has_form(standard: Standard, id: &str) -> bool {
        match standard {
            Standard::Cis14 | Standard::Cis15 | Standard::Cis30 | Standard::Cis50 => {
                let section = id.split('.').next().unwrap_or_default();
                numbers(id, 2, 2) && ["1", "3", "4"].contains(&section)
            }
            Standard::Cis70 => {
                let section = id.split('.').next().unwrap_or_default();
                numbers(id, 2, 3) && ["2", "4", "5"].contains(&section)
            }
            Standard::Nist80053 => {
                let families = [
                    "AC", "AT", "AU", "CA", "CM", "CP", "IA", "IR", "MA", "MP", "PE", "PL", "PM",
                    "PS", "PT", "RA", "SA", "SC", "SI", "SR",
                ];
                let Some((family, number)) = id.split_once('-') else { return false };
                families.contains(&family) && numbers(number, 1, 1)
            }
            Standard::Pci40 => {
                let (own, rest) = match id.strip_prefix('A') {
                    Some(rest) => (true, rest),
                    None => (false, id),
                };
                let first: u32 = rest.split('.').next().unwrap_or_default().parse().unwrap_or(99);
                numbers(rest, 3, 4) && first <= if own { 3 } else { 12 }
            }
            Standard::Hipaa => {
                let mut rest = id;
                let section = run(&mut rest, |c| *c != '(');
                if !["164.308", "164.310", "164.312", "164.314", "164.316"].contains(&section) {
                    return false;
                }
                // Paragraphs: a letter, a number, a small roman number, a letter.
                let kinds: [fn(&char) -> bool; 4] = [
                    char::is_ascii_lowercase,
                    char::is_ascii_digit,
                    |c| "ivx".contains(*c),
                    char::is_ascii_alphabetic,
                ];
                for kind in kinds {
                    if rest.is_empty() {
                        break;
                    }
                    let Some(inner) = rest.strip_prefix('(') else { return false };
                    rest = inner;
                    if run(&mut rest, kind).is_empty() {
                        return false;
                    }
                    let Some(inner) = rest.strip_prefix(')') else { return false };
                    rest = inner;
                }
                rest.is_empty() && id.len() > section.len()
            }
        }
    }

    #[test]
    fn forms_are_told_apart() {
        for (standard, good, bad) in [
            (Standard::Cis30, "1.22", ["2.1", "1.4.1", "v3.0 1.4", "1.04"]),
            (Standard::Cis70, "2.1.5", ["1.4", "2", "2.1.5.1", "x"]),
            (Standard::Nist80053, "AC-6", ["XX-1", "AC6", "AC-", "ac-6"]),
            (Standard::Pci40, "A1.2.3", ["13.1.1", "7.2", "A7.1.1", "7.2.x"]),
            (
                Standard::Hipaa,
                "164.308(a)(1)(ii)(B)",
                ["164.307(a)", "164.308", "164.308(a)(b)", "164.308(a)x"],
            ),
        ] {
            assert!(has_form(standard, good), "{good}");
            for bad in bad {
                assert!(!has_form(standard, bad), "{bad}");
            }
        }
    }

    // Mission row M110: no control without the form of its standard, without title or without answer.
    #[test]
    fn m110_controls_have_the_form_of_their_standard() {
        for standard in Standard::ALL {
            assert_eq!(Standard::parse(standard.id()), Some(standard));
            let controls = standard.controls();
            assert!(controls.len() > 20, "{} {}", standard.id(), controls.len());
            let ids: BTreeSet<_> = controls.iter().map(|control| control.id).collect();
            assert_eq!(ids.len(), controls.len());
            for control in &controls {
                let id = control.id;
                assert!(has_form(standard, id), "{} {id}", standard.id());
                assert!(control.title.len() > 3, "{} {id} has no title", standard.id());
                let by_hand = control.by_hand.is_some();
                assert!(by_hand == control.checks.is_empty(), "{} {id}", standard.id());
            }
            assert!(controls.is_sorted_by(|a, b| natural(a.id, b.id) == Ordering::Less));
        }
        // Every mapping of the catalogue is of a standard that is known, or of none.
        for row in catalogue() {
            let all = [
                (Standard::Nist80053, &row.nist),
                (Standard::Pci40, &row.pci),
                (Standard::Hipaa, &row.hipaa),
            ];
            for (standard, ids) in all {
                assert!(ids.iter().all(|id| has_form(standard, id)), "{} {ids:?}", row.id);
            }
            for item in &row.cis {
                let (version, _) = item.split_once(' ').unwrap();
                assert!(["v1.4", "v3.0", "v5.0", "v7.0"].contains(&version), "{} {item}", row.id);
            }
        }
    }

    #[test]
    fn items_of_one_cell_are_controls_of_their_own() {
        let controls = Standard::Cis30.controls();
        let of = |id: &str| controls.iter().find(|control| control.id == id).unwrap();
        assert_eq!(of("4.12").checks, ["MON-09"]);
        assert_eq!(of("1.16").checks, ["POL-01", "POL-02"]);
        assert!(of("1.3").by_hand.is_some());
        let newer = Standard::Cis15.controls();
        assert!(newer.iter().any(|control| control.id == "4.16"));
        assert_eq!(newer.len(), Standard::Cis14.controls().len() + 1);
    }
}
