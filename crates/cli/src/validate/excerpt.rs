//! Findings for people: each with the lines that it is about.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use bailiwick_analyzer::validate::{Finding, FindingType, Location};

use super::Validated;
use crate::terminal;

/// How long an explanation may be: it quotes what stands in the policy.
const DETAILS: usize = 600;
/// How many places of one finding are shown.
const PLACES: usize = 3;
/// How much of a long line is shown before and after the start of a place, in characters.
const BEFORE: usize = 40;
const AFTER: usize = 80;

/// Prints the findings of all files, then how many there are.
pub(super) fn print(out: &mut impl Write, all: &[Validated], colour: bool) -> io::Result<()> {
    let paint = Paint(colour);
    let mut counts: BTreeMap<FindingType, usize> = BTreeMap::new();
    for one in all {
        let lines: Vec<&str> = one.input.text.lines().collect();
        for finding in &one.findings {
            *counts.entry(finding.finding_type).or_default() += 1;
            self::finding(out, &one.input.name, &lines, finding, paint)?;
        }
    }
    let total: usize = counts.values().sum();
    let files = if all.len() == 1 { "1 file" } else { &format!("{} files", all.len()) };
    if total == 0 {
        return writeln!(out, "no findings in {files}");
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(kind, count)| {
            let name = word(*kind);
            format!("{count} {name}{}", if *count == 1 { "" } else { "s" })
        })
        .collect();
    writeln!(out, "{} in {files}", parts.join(", "))
}

fn word(kind: FindingType) -> &'static str {
    match kind {
        FindingType::Error => "error",
        FindingType::SecurityWarning => "security warning",
        FindingType::Warning => "warning",
        FindingType::Suggestion => "suggestion",
    }
}

fn finding(
    out: &mut impl Write,
    file: &str,
    lines: &[&str],
    finding: &Finding,
    paint: Paint,
) -> io::Result<()> {
    let kind = word(finding.finding_type);
    let head = paint.kind(finding.finding_type, kind);
    let details = terminal::text(&finding.finding_details);
    let mut shown: String = details.chars().take(DETAILS).collect();
    if shown.len() < details.len() {
        shown.push('…');
    }
    writeln!(out, "{head}[{}]: {shown}", finding.issue_code)?;
    for location in finding.locations.iter().take(PLACES) {
        place(out, file, lines, location, finding.finding_type, paint)?;
    }
    if finding.locations.len() > PLACES {
        writeln!(out, "  and {} more places", finding.locations.len() - PLACES)?;
    }
    writeln!(out)
}

/// The first line of a place with what is meant underlined.
fn place(
    out: &mut impl Write,
    file: &str,
    lines: &[&str],
    location: &Location,
    kind: FindingType,
    paint: Paint,
) -> io::Result<()> {
    let (start, end) = (location.span.start, location.span.end);
    let path = path(location);
    let path = if path.is_empty() { String::new() } else { format!(" ({path})") };
    let at = format!("{file}:{}:{}{path}", start.line, start.column + 1);
    writeln!(out, "  {} {}", paint.faint("-->"), terminal::text(&at))?;
    let Some(line) = start.line.checked_sub(1).and_then(|at| lines.get(at)) else { return Ok(()) };
    let chars: Vec<char> = line.trim_end_matches('\r').chars().collect();
    let last = if end.line == start.line { end.column } else { chars.len() };
    let from = start.column.min(chars.len()).saturating_sub(BEFORE);
    // Indentation alone is not cut.
    let from = if from <= 4 { 0 } else { from };
    let upto = chars.len().min(start.column + AFTER);
    let mut shown = String::new();
    let mut marks = String::new();
    if from > 0 {
        shown.push('…');
        marks.push(' ');
    }
    for (at, c) in chars.iter().enumerate().take(upto).skip(from) {
        let c = if *c == '\t' { ' ' } else { *c };
        let text = terminal::text(c.encode_utf8(&mut [0; 4]));
        let width = text.chars().count();
        shown.push_str(&text);
        let mark = if at >= start.column && at < last.max(start.column + 1) { '^' } else { ' ' };
        marks.extend(std::iter::repeat_n(mark, width));
    }
    if upto < chars.len() {
        shown.push('…');
    }
    if start.column >= chars.len() {
        marks.push('^');
    }
    let number = start.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = paint.faint("|");
    writeln!(out, "  {} {bar} {shown}", paint.faint(&number))?;
    let more = if end.line > start.line { format!(" to line {}", end.line) } else { String::new() };
    writeln!(out, "  {margin} {bar} {}{more}", paint.kind(kind, marks.trim_end()))
}

/// The path of a place, such as `Statement[0].Action`.
fn path(location: &Location) -> String {
    use bailiwick_analyzer::validate::PathElement as Element;
    let mut text = String::new();
    for element in &location.path {
        match element {
            Element::Value(name) | Element::Key(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Element::Index(at) => {
                let _ = write!(text, "[{at}]");
            }
            Element::Substring(_) => {}
        }
    }
    text
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn kind(self, kind: FindingType, text: &str) -> String {
        let code = match kind {
            FindingType::Error => "1;31",
            FindingType::SecurityWarning => "1;35",
            FindingType::Warning => "1;33",
            FindingType::Suggestion => "1;36",
        };
        self.with(code, text)
    }

    fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_analyzer::validate::{PolicyType, validate};

    use super::*;
    use crate::validate::Input;

    fn printed(text: &str, colour: bool) -> String {
        let findings = validate(text, PolicyType::Identity, None);
        let input = Input { name: "p.json".into(), text: text.into() };
        let mut out = Vec::new();
        print(&mut out, &[Validated { input, findings }], colour).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn places_are_underlined() {
        let text = "{\n \"Version\": \"2012-10-17\",\n \"Statement\": [{\n  \"Effect\": \"Allow\",\n  \"Action\": \"s3:GetObjekt\",\n  \"Resource\": \"*\"\n }]\n}\n";
        let shown = printed(text, false);
        assert!(
            shown.contains(
                "error[INVALID_ACTION]: The action `s3:GetObjekt` does not exist. Did you mean \
                 `s3:GetObject`?\n  --> p.json:5:13 (Statement[0].Action)\n  5 |   \"Action\": \
                 \"s3:GetObjekt\",\n    |             ^^^^^^^^^^^^^^\n"
            ),
            "{shown}"
        );
        assert!(shown.ends_with("1 error in 1 file\n"), "{shown}");
        assert!(!shown.contains('\u{1b}'));
        assert!(printed(text, true).contains("\u{1b}[1;31m"));
        assert_eq!(printed("{}", false).matches("-->").count(), 2);
    }

    // Threat K03: what stands in a file does not reach the terminal as it is.
    #[test]
    fn tm_k03_control_characters_are_shown() {
        let shown = printed("{\"Version\": \"2012\u{9b}31m\", \"Statement\": []}", false);
        assert!(shown.contains("2012\\u{9b}31m") && !shown.contains('\u{9b}'), "{shown}");
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!(
            "{{\"Version\": \"2012-10-17\",{}\"Statement\": [{{\"Effect\": \"Allow\", \"Action\": \"s3:X\", \"Resource\": \"{}\"}}]}}",
            " ".repeat(3_000),
            "x".repeat(3_000)
        );
        let shown = printed(&text, false);
        assert!(shown.lines().all(|line| line.chars().count() < 700), "{shown}");
    }
}
