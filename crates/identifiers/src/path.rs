//! Paths, which group entities and stand before the name in an ARN.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The path of an entity: `/`, or text between slashes such as `/division/team/`. At most 512
/// printable ASCII characters. Source: IAM API, pathType.
#[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(Box<str>);

/// The text is no path.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a path begins and ends with `/`, has at most 512 printable characters and no blanks")]
pub struct PathError;

impl Path {
    /// The root path, `/`.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// The path in the text, or the root path when there is none.
    pub fn parse_or_root(text: Option<&str>) -> Result<Self, PathError> {
        text.map_or_else(|| Ok(Self::root()), str::parse)
    }

    /// The path with both slashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let printable = text.bytes().all(|b| (b'!'..=b'~').contains(&b));
        let framed =
            text == "/" || (text.len() > 2 && text.starts_with('/') && text.ends_with('/'));
        if printable && framed && text.len() <= 512 {
            Ok(Self(text.into()))
        } else {
            Err(PathError)
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_as_the_pattern_says() {
        let longest = format!("/{}/", "a".repeat(510));
        let too_long = format!("/{}/", "a".repeat(511));
        for (text, fits) in [
            ("/", true),
            ("/a/", true),
            ("/division/team/", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("//", false),
            ("", false),
            ("a/", false),
            ("/a", false),
            ("/a b/", false),
            ("/é/", false),
        ] {
            assert_eq!(text.parse::<Path>().is_ok(), fits, "{text}");
        }
    }
}
