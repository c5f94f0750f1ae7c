//! What is wrong with a file of the user: file, line, column, and the line itself.

use std::fmt;
use std::path::Path;

/// How much of a long line is shown on each side of the fault, in characters.
const AROUND: usize = 48;

/// Something in a file that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    file: String,
    line: u32,
    column: u32,
    message: String,
    advice: Option<String>,
    /// The part of the line that is shown, and the place of the fault in it.
    excerpt: Option<(String, usize)>,
}

impl Fault {
    /// A fault at a place of `text`, line and column from 1, columns in Unicode scalars.
    pub(crate) fn new(
        file: &str,
        text: &str,
        (line, column): (u32, u32),
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column,
            message: message.into(),
            advice: None,
            excerpt: excerpt(text, line, column),
        }
    }

    /// With a hint at what may be meant.
    #[must_use]
    pub(crate) fn advise(mut self, advice: Option<String>) -> Self {
        self.advice = advice;
        self
    }

    /// A fault that JSON syntax has.
    pub(crate) fn json(file: &str, text: &str, error: &serde_json::Error) -> Self {
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        let message = error.to_string();
        let message = match message.rfind(" at line ") {
            Some(at) => message.get(..at).unwrap_or(&message).to_owned(),
            None => message,
        };
        Self::new(file, text, (place(error.line()), place(error.column())), message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, .. } = self;
        write!(f, "{file}:{line}:{column}: {message}")?;
        if let Some((shown, at)) = &self.excerpt {
            let margin = " ".repeat(line.to_string().len());
            let before = " ".repeat(*at);
            write!(f, "\n  {line} | {shown}\n  {margin} | {before}^")?;
            if let Some(advice) = &self.advice {
                write!(f, " {advice}")?;
            }
        } else if let Some(advice) = &self.advice {
            write!(f, "\n  {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// A command has done its work and found what its exit code 1 stands for.
#[derive(Debug, thiserror::Error)]
#[error("not all is as it should be")]
pub(crate) struct Findings;

/// A file as text.
///
/// # Errors
/// The file cannot be read, is longer than `limit` bytes, or is not UTF-8 (with the place).
pub(crate) fn read(path: &Path, limit: u64) -> anyhow::Result<String> {
    use anyhow::{Context as _, bail};
    use std::io::Read as _;

    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("`{shown}` cannot be opened"))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .with_context(|| format!("`{shown}` cannot be read"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        bail!("`{shown}` is longer than {limit} bytes");
    }
    String::from_utf8(bytes).map_err(|error| {
        let upto = error.utf8_error().valid_up_to();
        let valid = error.as_bytes().get(..upto).unwrap_or_default();
        let valid = std::str::from_utf8(valid).unwrap_or_default();
        let line = valid.matches('\n').count() + 1;
        let column = valid.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let at = (place(line), place(column));
        Fault::new(&shown.to_string(), valid, at, "this is not UTF-8").into()
    })
}

/// The part of a line around a column, and where the column is in it.
fn excerpt(text: &str, line: u32, column: u32) -> Option<(String, usize)> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let found = text.lines().nth(index)?.trim_end();
    let at = usize::try_from(column).ok()?.saturating_sub(1);
    let from = at.saturating_sub(AROUND);
    let mut shown = String::new();
    if from > 0 {
        shown.push('…');
    }
    let mut rest = found.chars().skip(from);
    // A tab is one column here, so that the caret stands under its character.
    shown.extend(rest.by_ref().take(2 * AROUND).map(|c| if c == '\t' { ' ' } else { c }));
    if rest.next().is_some() {
        shown.push('…');
    }
    Some((shown, at - from + usize::from(from > 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_show_the_line_and_point_at_the_place() {
        let text = "{\n  \"Efect\": \"Allow\"\n}\n";
        let fault = Fault::new("p.json", text, (2, 3), "unknown element `Efect`")
            .advise(Some("did you mean `Effect`?".into()));
        assert_eq!(
            fault.to_string(),
            "p.json:2:3: unknown element `Efect`\n  2 |   \"Efect\": \"Allow\"\n    |   ^ did \
             you mean `Effect`?"
        );
    }

    // Policies on one line are common; the screen is not drowned in them.
    #[test]
    fn long_lines_are_cut_around_the_fault() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let shown = Fault::new("p", &text, (1, 501), "m").to_string();
        let mut lines = shown.lines().skip(1);
        let (line, caret) = (lines.next().unwrap(), lines.next().unwrap());
        assert!(line.chars().count() < 120, "{line}");
        let at = caret.chars().position(|c| c == '^').unwrap();
        assert_eq!(line.chars().nth(at), Some('X'));
        assert_eq!(Fault::new("p", "", (7, 1), "m").to_string(), "p:7:1: m");
    }

    #[test]
    fn what_is_not_utf_8_has_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        std::fs::write(&path, b"{\n ab\xff}").unwrap();
        let error = read(&path, 100).unwrap_err().to_string();
        assert!(error.contains("p.json:2:4: this is not UTF-8"), "{error}");
        assert!(read(&path, 3).unwrap_err().to_string().contains("longer than 3 bytes"));
    }
}
