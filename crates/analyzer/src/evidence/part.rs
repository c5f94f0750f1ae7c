//! A part of the evidence, and why it may be missing.

use std::fmt;

/// A part that is known, or missing for a reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part<T> {
    /// It was given and read.
    Known(T),
    /// It is not known, which is never taken for fine.
    Missing(Missing),
}

/// Why a part is missing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Missing {
    /// No file holds it.
    #[default]
    NotGiven,
    /// The call for it was refused or failed, with what it answered.
    Refused(String),
    /// Its file cannot be read: see the faults.
    Unreadable(String),
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self::Missing(Missing::NotGiven)
    }
}

impl<T> Part<T> {
    /// What is known.
    pub fn known(&self) -> Option<&T> {
        if let Self::Known(value) = self { Some(value) } else { None }
    }

    /// Why it is missing.
    pub fn missing(&self) -> Option<&Missing> {
        if let Self::Missing(missing) = self { Some(missing) } else { None }
    }

    /// What is known, to be added to; a part that is not given becomes `T`'s default. Nothing for
    /// one that could not be read.
    pub(crate) fn gather(&mut self) -> Option<&mut T>
    where
        T: Default,
    {
        if matches!(self, Self::Missing(Missing::NotGiven)) {
            *self = Self::Known(T::default());
        }
        if let Self::Known(value) = self { Some(value) } else { None }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGiven => f.write_str("not given"),
            Self::Refused(text) => write!(f, "the call for it failed: {text}"),
            Self::Unreadable(file) => write!(f, "`{file}` cannot be read"),
        }
    }
}
