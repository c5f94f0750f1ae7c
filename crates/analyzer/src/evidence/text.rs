//! Texts of files, what holds for each before it is read, and what is wrong with one.

use std::fmt;

use serde::Deserialize;

/// How deep objects and lists may lie in each other.
pub(super) const MAX_DEPTH: usize = 64;

/// A file of the evidence that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode scalars.
    pub column: usize,
    /// What is wrong, and what was expected.
    pub problem: String,
    /// What is done with the rest.
    pub rest: String,
}

/// What is done with the rest, as faults say it.
pub(super) const REST: &str =
    "nothing of this file is used, checks that need it are not assessed, and other files are read";

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, problem, rest } = self;
        write!(f, "{file}:{line}:{column}: {problem}; {rest}")
    }
}

impl std::error::Error for Fault {}

/// The text of a file, within the limits.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) name: &'a str,
    pub(super) whole: &'a str,
}

impl<'a> Text<'a> {
    /// The bytes as a text: UTF-8, without byte order mark, not too deep.
    pub(super) fn new(name: &'a str, bytes: &'a [u8]) -> Result<Self, Fault> {
        if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
            let problem = "the text is UTF-16, and UTF-8 was expected";
            return Err(fault(name, "", 0, problem));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(whole) => Ok(Self { name, whole }),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let good = std::str::from_utf8(good).unwrap_or_default();
                Err(fault(name, good, good.len(), "the text is not UTF-8"))
            }
        }
    }

    /// The whole as JSON.
    pub(super) fn json<T: Deserialize<'a>>(&self) -> Result<T, Fault> {
        self.part(self.whole)
    }

    /// A part of the whole as JSON.
    pub(super) fn part<T: Deserialize<'a>>(&self, part: &'a str) -> Result<T, Fault> {
        if let Some(at) = too_deep(part) {
            let problem = format!("objects and lists lie deeper than {MAX_DEPTH}");
            return Err(self.fault(self.offset_of(part) + at, &problem));
        }
        serde_json::from_str(part).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = error.to_string();
            let suffix = format!(" at line {line} column {column}");
            let message = message.strip_suffix(&suffix).unwrap_or(&message).to_owned();
            let start: usize =
                part.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
            self.fault(self.offset_of(part) + start + column.saturating_sub(1), &message)
        })
    }

    /// A fault at a byte of the text.
    pub(super) fn fault(&self, offset: usize, problem: &str) -> Fault {
        fault(self.name, self.whole, offset, problem)
    }

    /// Where a part of the text begins in it; nought for what is no part.
    pub(super) fn offset_of(&self, part: &str) -> usize {
        let offset = part.as_ptr().addr().checked_sub(self.whole.as_ptr().addr());
        offset.filter(|offset| *offset <= self.whole.len()).unwrap_or_default()
    }
}

/// A fault at a byte of a text.
pub(super) fn fault(name: &str, text: &str, offset: usize, problem: &str) -> Fault {
    let before = text.get(..text.floor_char_boundary(offset)).unwrap_or_default();
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    let (file, problem) = (name.to_owned(), problem.to_owned());
    Fault { file, line, column, problem, rest: REST.to_owned() }
}

/// The first bracket that opens deeper than [`MAX_DEPTH`].
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_their_place() {
        let wrong = Text::new("f", b"{\n  \"a\": x\n}").unwrap();
        let fault = wrong.json::<serde_json::Value>().unwrap_err();
        assert_eq!((fault.line, fault.column), (2, 8), "{fault}");
        assert!(Text::new("f", b"\xFF\xFE{\0").err().unwrap().problem.contains("UTF-16"));
        assert_eq!(Text::new("f", b"ab\n\xFF").err().unwrap().line, 2);
        let deep = "[".repeat(MAX_DEPTH + 1);
        let text = Text::new("f", deep.as_bytes()).unwrap();
        assert!(text.json::<serde_json::Value>().unwrap_err().problem.contains("deeper"));
    }
}
