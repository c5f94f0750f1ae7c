//! Texts of others in Markdown: shown as they are, and never obeyed.

use std::fmt::Write as _;

/// What Markdown or HTML may obey anywhere: marks, tables, entities, addresses, mathematics.
const ALWAYS: &str = "\\`*_{}[]<>()#!|~&@$^=";

/// Running text: every character that Markdown or HTML would obey is escaped, and lines are one.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let plain = plain(text);
    let www = plain.to_ascii_lowercase().contains("www.");
    for (at, c) in plain.char_indices() {
        let escaped = match c {
            c if ALWAYS.contains(c) => true,
            ':' => plain.get(at + 1..).is_some_and(|rest| rest.starts_with("//")),
            '.' if at > 0 && plain.get(..at).is_some_and(is_number) => true,
            '.' => www,
            '-' | '+' => at == 0,
            _ => false,
        };
        if escaped {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An identifier as code, outside of tables.
pub fn code(text: &str) -> String {
    let plain = plain(text);
    if plain.is_empty() {
        return "`` ``".to_owned();
    }
    let longest = plain.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // A backtick at an edge, or a text of spaces, needs a space that is not shown.
    let pad = if plain.starts_with(['`', ' ']) || plain.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{plain}{pad}{fence}")
}

/// An identifier as code in the cell of a table.
pub fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A link to a file that [`super::file_names`] has named.
pub fn link(shown: &str, path: &str) -> String {
    format!("[{}]({path})", code_cell(shown))
}

/// One line, with control characters and direction marks shown.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() || is_format(c) => {
                let _ = write!(out, "U+{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_k03_texts_of_others_are_not_obeyed() {
        for (given, expected) in [
            ("plain text, with dots.", "plain text, with dots."),
            ("a|b", "a\\|b"),
            ("<script>alert(1)</script>", "\\<script\\>alert\\(1\\)\\</script\\>"),
            ("[x](javascript:y)", "\\[x\\]\\(javascript:y\\)"),
            ("![i](http://evil)", "\\!\\[i\\]\\(http\\://evil\\)"),
            ("see http://evil and www.evil.com", "see http\\://evil and www\\.evil\\.com"),
            ("a\n# head\n- item", "a \\# head - item"),
            ("- item", "\\- item"),
            ("1. item", "1\\. item"),
            ("me@example.com", "me\\@example.com"),
            ("&lt;", "\\&lt;"),
            ("a\u{1b}[2Jb\u{202e}c", "aU+001B\\[2JbU+202Ec"),
            ("a\\|b", "a\\\\\\|b"),
        ] {
            assert_eq!(text(given), expected, "{given:?}");
        }
    }

    #[test]
    fn tm_k03_code_ends_where_it_should() {
        for (given, expected) in [
            ("arn:aws:iam::1:role/x", "`arn:aws:iam::1:role/x`"),
            ("a`b", "``a`b``"),
            ("a``b`c", "```a``b`c```"),
            ("`a", "`` `a ``"),
            ("a\nb", "`a b`"),
            ("", "`` ``"),
        ] {
            assert_eq!(code(given), expected, "{given:?}");
        }
        assert_eq!(code_cell("a|b"), "`a\\|b`");
        assert_eq!(link("a|b", "roles/a.md"), "[`a\\|b`](roles/a.md)");
    }
}
