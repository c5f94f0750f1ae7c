//! JSON text as an ordered tree that keeps duplicate keys, so that they can be refused (ST-4).

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// Nesting beyond this is refused.
const MAX_DEPTH: usize = 64;

/// A JSON value. A number is kept as it was written, for conditions compare its text (CO-10).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The one member of that name, where this is an object.
    pub(super) fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The members of an object without duplicate names (ST-4).
    pub(super) fn members(&self) -> Result<&[(String, Json)], String> {
        let Self::Object(members) = self else {
            return Err("expected an object".to_owned());
        };
        for (at, (name, _)) in members.iter().enumerate() {
            if members.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(format!("duplicate key `{name}`"));
            }
        }
        Ok(members)
    }

    /// A list as it is, anything else as a list of one (ST-3).
    pub(super) fn as_list(&self) -> Vec<&Json> {
        match self {
            Self::List(items) => items.iter().collect(),
            other => vec![other],
        }
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(k, v)| (k.clone(), Self::from(v))).collect())
            }
        }
    }
}

/// Reads one JSON value that fills the whole text.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    let mut reader = Reader { rest: text.chars().peekable() };
    let value = reader.value(0)?;
    reader.blanks();
    match reader.rest.next() {
        None => Ok(value),
        Some(found) => Err(format!("`{found}` after the end of the JSON value")),
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r')).is_some() {}
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.rest.next() {
            Some(found) if found == wanted => Ok(()),
            found => Err(format!("expected `{wanted}`, found {found:?}")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".to_owned());
        }
        self.blanks();
        match self.rest.peek().copied() {
            Some('{') => self.object(depth),
            Some('[') => self.list(depth),
            Some('"') => self.text().map(Json::Text),
            Some('n') => self.word("null", Json::Null),
            Some('t') => self.word("true", Json::Bool(true)),
            Some('f') => self.word("false", Json::Bool(false)),
            Some('-' | '0'..='9') => self.number(),
            found => Err(format!("expected a JSON value, found {found:?}")),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, String> {
        word.chars().try_for_each(|c| self.expect(c))?;
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.expect('{')?;
        let mut members = Vec::new();
        self.blanks();
        if self.rest.next_if_eq(&'}').is_some() {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            let name = self.text()?;
            self.blanks();
            self.expect(':')?;
            members.push((name, self.value(depth + 1)?));
            self.blanks();
            if self.rest.next_if_eq(&',').is_none() {
                self.expect('}')?;
                return Ok(Json::Object(members));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, String> {
        self.expect('[')?;
        let mut items = Vec::new();
        self.blanks();
        if self.rest.next_if_eq(&']').is_some() {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.rest.next_if_eq(&',').is_none() {
                self.expect(']')?;
                return Ok(Json::List(items));
            }
        }
    }

    fn digits(&mut self, into: &mut String) -> Result<(), String> {
        let before = into.len();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            into.push(digit);
        }
        if into.len() == before { Err("expected a digit".to_owned()) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Json, String> {
        let mut text = String::new();
        text.extend(self.rest.next_if_eq(&'-'));
        let from = text.len();
        self.digits(&mut text)?;
        let whole = text.get(from..).unwrap_or_default();
        if whole.len() > 1 && whole.starts_with('0') {
            return Err("a number starts with `0`".to_owned());
        }
        if let Some(point) = self.rest.next_if_eq(&'.') {
            text.push(point);
            self.digits(&mut text)?;
        }
        if let Some(exponent) = self.rest.next_if(|c| matches!(c, 'e' | 'E')) {
            text.push(exponent);
            text.extend(self.rest.next_if(|c| matches!(c, '+' | '-')));
            self.digits(&mut text)?;
        }
        Ok(Json::Number(text))
    }

    fn text(&mut self) -> Result<String, String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(c) if c >= ' ' => text.push(c),
                Some(_) => return Err("a control character in a string".to_owned()),
                None => return Err("a string without an end".to_owned()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        match self.rest.next() {
            Some(c @ ('"' | '\\' | '/')) => Ok(c),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => {
                let mut code = self.hex()?;
                if (0xD800..0xDC00).contains(&code) {
                    self.expect('\\')?;
                    self.expect('u')?;
                    let low = self.hex()?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err("half a surrogate pair".to_owned());
                    }
                    code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                }
                char::from_u32(code).ok_or_else(|| "half a surrogate pair".to_owned())
            }
            found => Err(format!("unknown escape {found:?}")),
        }
    }

    fn hex(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.rest.next().and_then(|c| c.to_digit(16));
            code = code * 16 + digit.ok_or("expected a hexadecimal digit")?;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_json_or_refused() {
        for good in ["{}", "[1, -2.50, 1e3]", r#"{"a":"\ud83d\ude00","a":null}"#, " true "] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["", "{", "[1,]", "01", "1.", r#""\ud83d""#, "\"\n\"", "{} x", "nul", "+1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert_eq!(parse("1.50"), Ok(Json::Number("1.50".to_owned())));
    }

    #[test]
    fn st_4_duplicate_names_are_seen() {
        assert!(parse(r#"{"a":1,"a":1}"#).is_ok_and(|value| value.members().is_err()));
        assert!(parse(r#"{"a":1,"b":1}"#).is_ok_and(|value| value.members().is_ok()));
    }
}
