//! Access levels. The service authorization reference gives an action one level or several
//! (`Permissions management, Write`), so a level is always handled as a set.

use std::fmt;
use std::str::FromStr;

/// One access level of the service authorization reference.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum AccessLevel {
    /// Sees that resources exist, not what is in them.
    List = 1,
    /// Sees the content and attributes of resources, changes nothing.
    Read = 2,
    /// Creates, deletes or changes resources.
    Write = 4,
    /// Grants or changes permissions.
    PermissionsManagement = 8,
    /// Changes only tags.
    Tagging = 16,
}

impl AccessLevel {
    /// All levels, in the order in which sets list them.
    pub const ALL: [Self; 5] =
        [Self::List, Self::Read, Self::Write, Self::PermissionsManagement, Self::Tagging];

    /// The level's name as the service authorization reference writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::PermissionsManagement => "Permissions management",
            Self::Tagging => "Tagging",
        }
    }
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of access levels.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct AccessLevels(u8);

impl AccessLevels {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// This set with `level` added.
    #[must_use]
    pub const fn with(self, level: AccessLevel) -> Self {
        Self(self.0 | level as u8)
    }

    /// Whether `level` is in the set.
    pub const fn contains(self, level: AccessLevel) -> bool {
        self.0 & level as u8 != 0
    }

    /// Whether the two sets share a level.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set has no level.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every level in the set only looks: [`AccessLevel::List`] or [`AccessLevel::Read`].
    /// False for the empty set, since an action of unknown level may do anything.
    pub const fn is_read_only(self) -> bool {
        let looking = AccessLevel::List as u8 | AccessLevel::Read as u8;
        self.0 != 0 && self.0 & !looking == 0
    }

    /// The levels in the set, in the order of [`AccessLevel::ALL`].
    pub fn iter(self) -> impl Iterator<Item = AccessLevel> {
        AccessLevel::ALL.into_iter().filter(move |level| self.contains(*level))
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        if bits < 32 { Some(Self(bits)) } else { None }
    }
}

impl FromIterator<AccessLevel> for AccessLevels {
    fn from_iter<I: IntoIterator<Item = AccessLevel>>(levels: I) -> Self {
        levels.into_iter().fold(Self::NONE, Self::with)
    }
}

/// The names of the levels, joined by `, `: the form that [`FromStr`] reads.
impl fmt::Display for AccessLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, level) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(level.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for AccessLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A text that names no access level.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not an access level")]
pub struct UnknownAccessLevel(pub String);

/// Reads one level or several with commas between them; blanks around each are dropped, case is not regarded.
impl FromStr for AccessLevels {
    type Err = UnknownAccessLevel;

    fn from_str(text: &str) -> Result<Self, UnknownAccessLevel> {
        text.split(',')
            .map(|part| {
                let part = part.trim();
                AccessLevel::ALL
                    .into_iter()
                    .find(|level| level.name().eq_ignore_ascii_case(part))
                    .ok_or_else(|| UnknownAccessLevel(part.to_owned()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_set() {
        use AccessLevel::{List, PermissionsManagement, Read, Tagging, Write};
        for (text, expected) in [
            ("Read", Ok(vec![Read])),
            ("List", Ok(vec![List])),
            ("Permissions management, Write", Ok(vec![Write, PermissionsManagement])),
            ("Tagging,Write", Ok(vec![Write, Tagging])),
            ("permissions management", Ok(vec![PermissionsManagement])),
            ("", Err(UnknownAccessLevel(String::new()))),
            ("Write, Own", Err(UnknownAccessLevel("Own".into()))),
        ] {
            let parsed = text.parse::<AccessLevels>();
            assert_eq!(parsed.map(|set| set.iter().collect::<Vec<_>>()), expected, "{text:?}");
        }
    }

    #[test]
    fn printing_and_parsing_agree() {
        for bits in 1..32 {
            let set = AccessLevels::from_bits(bits).unwrap();
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        assert_eq!(AccessLevels::from_bits(32), None);
    }

    #[test]
    fn only_looking_is_read_only() {
        for (text, expected) in
            [("List", true), ("Read", true), ("Tagging, Write", false), ("Write", false)]
        {
            assert_eq!(text.parse::<AccessLevels>().unwrap().is_read_only(), expected, "{text}");
        }
        assert!(!AccessLevels::NONE.is_read_only());
    }
}
