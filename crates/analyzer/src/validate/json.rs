//! A JSON reader that keeps places and tolerates what can still be judged.
//!
//! Names that stand twice are kept and told, so that the rest of the document is validated too.
//! All else is strict. Depth and size are bounded, so the recursion is (threat G01).

use std::collections::BTreeSet;

/// The deepest nesting of arrays and objects that is read. A policy needs six.
pub(super) const MAX_DEPTH: usize = 64;
/// The longest text that is read, in bytes. The longest that AWS publishes has some 250 KB.
pub(super) const MAX_LEN: usize = 1 << 20;

/// A place in the text: from a byte up to another, which is not part of it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Bytes {
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) bytes: Bytes,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// The text of a number as it was written.
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) name: Bytes,
    pub(super) node: Node,
}

impl Node {
    /// The text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text form of a string, number or Boolean (CO-10).
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            _ => None,
        }
    }
}

/// Why a text is no JSON, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct JsonError {
    pub(super) at: usize,
    pub(super) problem: &'static str,
}

/// A document and the places of names that stand twice in one object.
pub(super) struct Json {
    pub(super) root: Node,
    pub(super) twice: Vec<Bytes>,
}

/// Reads one JSON value that fills the whole text.
pub(super) fn parse(text: &str) -> Result<Json, JsonError> {
    let mut reader = Reader { text, at: 0, twice: Vec::new() };
    if text.len() > MAX_LEN {
        return Err(reader.error("the text is longer than 1 MiB"));
    }
    if text.starts_with('\u{feff}') {
        return Err(reader.error("a byte-order mark is not allowed"));
    }
    reader.skip_blanks();
    let root = reader.value(0)?;
    reader.skip_blanks();
    if reader.peek().is_some() {
        return Err(reader.error("unexpected text after the document"));
    }
    Ok(Json { root, twice: reader.twice })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    twice: Vec<Bytes>,
}

impl Reader<'_> {
    fn error(&self, problem: &'static str) -> JsonError {
        JsonError { at: self.at, problem }
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
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(self.error("expected a value")),
            None => return Err(self.error("unexpected end of the text")),
        };
        Ok(Node { value, bytes: Bytes { start, end: self.at } })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("arrays and objects are nested too deep"));
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
                return Err(self.error("expected a name in double quotes"));
            }
            let start = self.at;
            let key = self.string()?;
            let name = Bytes { start, end: self.at };
            if !seen.insert(key.clone()) {
                self.twice.push(name);
            }
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return Err(self.error("expected `:`"));
            }
            self.at += 1;
            self.skip_blanks();
            let node = self.value(depth + 1)?;
            members.push(Member { key, name, node });
            if self.ends(b'}', "expected `,` or `}`")? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("arrays and objects are nested too deep"));
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
            Some(_) => return Err(self.error(expected)),
            None => return Err(self.error("unexpected end of the text")),
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
            0 => return Err(self.error("expected a digit")),
            count if count > 1 && self.text.as_bytes().get(self.at - count) == Some(&b'0') => {
                return Err(self.error("a number may not begin with 0"));
            }
            _ => {}
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.error("expected a digit"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.error("expected a digit"));
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
                return Err(self.error("a string does not end"));
            };
            out.push_str(rest.get(..stop).unwrap_or_default());
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.error("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
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
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.error("an unknown escape in a string")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let lone = self.error("half a surrogate pair in a string");
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
        let number = number.ok_or_else(|| self.error("expected four hexadecimal digits"))?;
        self.at += 5;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat G01
    #[test]
    fn tm_g01_depth_and_length_are_bounded() {
        for open in ["[", "{\"a\":"] {
            assert!(parse(&open.repeat(100_000)).is_err());
        }
        assert!(parse(&format!("\"{}\"", "a".repeat(MAX_LEN))).is_err());
    }

    #[test]
    fn names_that_stand_twice_are_told() {
        let text = "{\"a\":1,\"b\":2,\"a\":3}";
        let json = parse(text).unwrap();
        assert_eq!(json.twice, [Bytes { start: 13, end: 16 }]);
        let Value::Object(members) = &json.root.value else { panic!("an object") };
        assert_eq!(members.len(), 3);
    }
}
