//! Findings in the form of Access Analyzer's ValidatePolicy.

use serde::Serialize;

use super::code::IssueCode;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingType {
    /// A part of the policy does not work.
    Error,
    /// The policy allows access that is too wide.
    SecurityWarning,
    /// The policy is not written as it should be; access is as meant.
    Warning,
    /// A matter of style without effect on access.
    Suggestion,
}

impl FindingType {
    /// All types, the gravest first.
    pub const ALL: [Self; 4] =
        [Self::Error, Self::SecurityWarning, Self::Warning, Self::Suggestion];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::SecurityWarning => "SECURITY_WARNING",
            Self::Warning => "WARNING",
            Self::Suggestion => "SUGGESTION",
        }
    }
}

/// What is wrong with a policy, where, and what to do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How much it matters.
    pub finding_type: FindingType,
    /// What is wrong.
    pub issue_code: IssueCode,
    /// The explanation with advice, in English.
    pub finding_details: String,
    /// The page of AWS's documentation on the code.
    pub learn_more_link: String,
    /// The places concerned. Never empty.
    pub locations: Vec<Location>,
}

/// A place in the policy.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Location {
    /// The way from the document's root to the place. Empty for the document itself.
    pub path: Vec<PathElement>,
    /// The characters of the place.
    pub span: Span,
}

/// One step of a path.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PathElement {
    /// The value of the object's member of this name.
    Value(String),
    /// The item of the array at this place, from 0.
    Index(usize),
    /// The name itself of the object's member.
    Key(String),
    /// A part of the text.
    Substring(Substring),
}

/// A part of a JSON string's text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Substring {
    /// The first character, from 0.
    pub start: usize,
    /// The count of characters.
    pub length: usize,
}

/// From one position up to another, which is not part of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// The character after the last.
    pub end: Position,
}

/// A character of the text.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 0.
    pub column: usize,
    /// The character in the text, from 0.
    pub offset: usize,
}
