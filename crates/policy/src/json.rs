//! A strict JSON reader that keeps places and refuses what readers disagree about.
//!
//! Duplicate keys at any level (ST-4, threat C15), a byte-order mark, comments, trailing text and
//! lone surrogates are errors. Depth and size are bounded (threat G01), so the recursion is too.

use std::collections::BTreeSet;

/// The deepest nesting of arrays and objects that is read.
pub(crate) const MAX_DEPTH: usize = 64;
/// The longest text that is read, in bytes.
pub(crate) const MAX_LEN: usize = 1 << 20;

/// A place in the text: bytes from `start` to `end`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// The text of a number as it was written (CO-10).
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum JsonProblem {
    Syntax(&'static str),
    TooDeep,
    TooLong,
    Duplicate(String),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct JsonError {
    pub(crate) at: u32,
    pub(crate) problem: JsonProblem,
}

/// Reads one JSON value that fills the whole text.
pub(crate) fn parse(text: &str) -> Result<Node, JsonError> {
    let mut reader = Reader { text, at: 0 };
    if text.len() > MAX_LEN {
        return Err(reader.error(JsonProblem::TooLong));
    }
    if text.starts_with('\u{feff}') {
        return Err(reader.syntax("a byte-order mark is not allowed"));
    }
    reader.skip_blanks();
    let node = reader.value(0)?;
    reader.skip_blanks();
    if reader.peek().is_some() {
        return Err(reader.syntax("unexpected text after the document"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, problem: JsonProblem) -> JsonError {
        JsonError { at: offset(self.at), problem }
    }

    fn syntax(&self, what: &'static str) -> JsonError {
        self.error(JsonProblem::Syntax(what))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        let start = offset(self.at);
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(self.syntax("expected a value")),
            None => return Err(self.syntax("unexpected end of the text")),
        };
        Ok(Node { value, span: Span { start, end: offset(self.at) } })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.syntax("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(JsonProblem::TooDeep));
        }
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        let mut seen = BTreeSet::new();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.syntax("expected a name in double quotes"));
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = Span { start: offset(start), end: offset(self.at) };
            if !seen.insert(key.clone()) {
                return Err(JsonError { at: key_span.start, problem: JsonProblem::Duplicate(key) });
            }
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return Err(self.syntax("expected `:`"));
            }
            self.at += 1;
            self.skip_blanks();
            let node = self.value(depth + 1)?;
            members.push(Member { key, key_span, node });
            if self.ends(b'}', "expected `,` or `}`")? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth >= MAX_DEPTH {
            return Err(self.error(JsonProblem::TooDeep));
        }
        self.at += 1;
        let mut nodes = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(nodes));
        }
        loop {
            self.skip_blanks();
            nodes.push(self.value(depth + 1)?);
            if self.ends(b']', "expected `,` or `]`")? {
                return Ok(Value::Array(nodes));
            }
        }
    }

    /// After an element: whether the list closes here; else a comma has been passed.
    fn ends(&mut self, close: u8, expected: &'static str) -> Result<bool, JsonError> {
        self.skip_blanks();
        let closes = match self.peek() {
            Some(b',') => false,
            Some(byte) if byte == close => true,
            Some(_) => return Err(self.syntax(expected)),
            None => return Err(self.syntax("unexpected end of the text")),
        };
        self.at += 1;
        Ok(closes)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.digits() {
            0 => return Err(self.syntax("expected a digit")),
            count if count > 1 && self.text.as_bytes().get(self.at - count) == Some(&b'0') => {
                return Err(self.syntax("a number may not begin with 0"));
            }
            _ => {}
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.syntax("expected a digit"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.syntax("expected a digit"));
            }
        }
        Ok(Value::Number(self.text.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(stop) = rest.bytes().position(|b| b == b'"' || b == b'\\' || b < 0x20) else {
                self.at = self.text.len();
                return Err(self.syntax("a string does not end"));
            };
            out.push_str(rest.get(..stop).unwrap_or_default());
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.syntax("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.syntax("an unknown escape in a string")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let lone = JsonError {
            at: offset(start),
            problem: JsonProblem::Syntax("half a surrogate pair in a string"),
        };
        let high = self.hex4()?;
        if !(0xd800..0xe000).contains(&high) {
            return char::from_u32(high).ok_or(lone);
        }
        let follows = self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u"));
        if high >= 0xdc00 || !follows {
            return Err(lone);
        }
        self.at += 1;
        let low = self.hex4()?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err(lone);
        }
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).ok_or(lone)
    }

    /// Four hexadecimal digits after the `u` at which the reader stands.
    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let all_hex = |text: &&str| text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = digits.filter(all_hex).and_then(|text| u32::from_str_radix(text, 16).ok());
        let number = number.ok_or_else(|| self.syntax("expected four hexadecimal digits"))?;
        self.at += 5;
        Ok(number)
    }
}

/// A byte offset; texts are far shorter than 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    // ST-4, threat C15
    #[test]
    fn tm_c15_refuses_what_readers_disagree_about() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
            "[{\"b\":[{\"a\":1,\"a\":2}]}]",
            "\u{feff}{}",
            "{}x",
            "{}//",
            "/**/{}",
            "{a:1}",
            "{'a':1}",
            "[01]",
            "[1.]",
            "[.5]",
            "[1e]",
            "[+1]",
            "[NaN]",
            "[tru]",
            "[\"\\x\"]",
            "[\"\\ud800\"]",
            "[\"\\udc00\\ud800\"]",
            "[\"\\u12g4\"]",
            "[\"\\u+123\"]",
            "[\"a\nb\"]",
            "[\"a",
            "[1 2]",
            "\u{a0}{}",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        for text in ["{}", " [ ] ", "[-0.5e+10]", "[\"\\ud83d\\ude00 \\u00e9\\n\"]", "null"] {
            assert!(parse(text).is_ok(), "{text:?}");
        }
    }

    // threat G01
    #[test]
    fn tm_g01_depth_is_bounded() {
        assert!(parse(&("[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH))).is_ok());
        for open in ["[", "{\"a\":"] {
            let error = parse(&open.repeat(100_000)).unwrap_err();
            assert_eq!(error.problem, JsonProblem::TooDeep);
        }
        let long = format!("\"{}\"", "a".repeat(MAX_LEN));
        assert_eq!(parse(&long).unwrap_err().problem, JsonProblem::TooLong);
    }

    #[test]
    fn spans_cover_the_tokens() {
        let text = "{ \"a\" : [1, \"é\"] }";
        let Value::Object(members) = parse(text).unwrap().value else { panic!("an object") };
        let member = &members[0];
        let cut = |span: Span| &text[span.start as usize..span.end as usize];
        assert_eq!(cut(member.key_span), "\"a\"");
        assert_eq!(cut(member.node.span), "[1, \"é\"]");
    }
}
