//! A form: the body of a POST, or the query string of a GET.
//!
//! Percent signs and `+` are decoded exactly once. Anything malformed is refused, never repaired,
//! and a key may stand only once (threat G02): two readers must never see two values. The text is
//! wiped on drop, for it may hold passwords.

use std::fmt;

use zeroize::Zeroizing;

/// Most bytes of a form; the server cuts bodies earlier.
pub const MAX_BYTES: usize = 16 << 20;

/// Most fields of a form.
pub const MAX_FIELDS: usize = 20_000;

/// Longest key, bytes after decoding.
pub const MAX_KEY: usize = 1_024;

/// Most parts of a key between dots.
pub const MAX_DEPTH: usize = 16;

/// A decoded form, sorted by key. `Debug` prints no values.
pub struct Form {
    text: Zeroizing<String>,
    fields: Vec<Field>,
}

/// Where a field stands in the text: key, then value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    start: usize,
    middle: usize,
    end: usize,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(key, _)| key)).finish()
    }
}

/// Why a form was refused. The texts hold no value of the form.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormError {
    /// More than [`MAX_BYTES`].
    #[error("the form is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// More than [`MAX_FIELDS`].
    #[error("the form has more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// A key longer than [`MAX_KEY`].
    #[error("a parameter name is longer than {MAX_KEY} bytes")]
    KeyTooLong,
    /// A key of more than [`MAX_DEPTH`] parts.
    #[error("a parameter name has more than {MAX_DEPTH} parts")]
    TooDeep,
    /// A percent sign without two hexadecimal digits.
    #[error("the form has a malformed percent escape")]
    Percent,
    /// A name or value that is not UTF-8 after decoding.
    #[error("the form is not UTF-8")]
    NotUtf8,
    /// The same key twice.
    #[error("the parameter `{0}` is given more than once")]
    Repeated(String),
}

impl Form {
    /// Reads `a=b&c=d`. Empty pieces are skipped; a piece without `=` has the empty value.
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        if body.len() > MAX_BYTES {
            return Err(FormError::TooLong);
        }
        let mut text = Zeroizing::new(String::with_capacity(body.len()));
        let mut piece_text = Zeroizing::new(Vec::with_capacity(body.len().min(4_096)));
        let mut fields = Vec::new();
        for piece in body.split(|byte| *byte == b'&') {
            if piece.is_empty() {
                continue;
            }
            if fields.len() == MAX_FIELDS {
                return Err(FormError::TooManyFields);
            }
            let mut sides = piece.splitn(2, |byte| *byte == b'=');
            let start = text.len();
            unescape(sides.next().unwrap_or_default(), &mut piece_text, &mut text)?;
            let middle = text.len();
            check_key(text.get(start..middle).unwrap_or_default())?;
            unescape(sides.next().unwrap_or_default(), &mut piece_text, &mut text)?;
            fields.push(Field { start, middle, end: text.len() });
        }
        let mut form = Self { text, fields };
        form.sort()?;
        Ok(form)
    }

    fn sort(&mut self) -> Result<(), FormError> {
        let mut fields = std::mem::take(&mut self.fields);
        fields.sort_unstable_by(|one, other| self.key(*one).cmp(self.key(*other)));
        let mut pairs = fields.iter().zip(fields.iter().skip(1));
        if let Some((field, _)) = pairs.find(|(one, other)| self.key(**one) == self.key(**other)) {
            return Err(FormError::Repeated(self.key(*field).to_owned()));
        }
        self.fields = fields;
        Ok(())
    }

    /// The value of a key; `None` when it is not there.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.fields.binary_search_by(|field| self.key(*field).cmp(key)).ok()?;
        self.fields.get(at).map(|field| self.value(*field))
    }

    /// Every key with its value, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (self.key(*field), self.value(*field)))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True when there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn key(&self, field: Field) -> &str {
        self.text.get(field.start..field.middle).unwrap_or_default()
    }

    pub(super) fn value(&self, field: Field) -> &str {
        self.text.get(field.middle..field.end).unwrap_or_default()
    }
}

/// Appends one decoded name or value. Each must be UTF-8 by itself: a character may not straddle `=`.
fn unescape(raw: &[u8], buffer: &mut Vec<u8>, text: &mut String) -> Result<(), FormError> {
    if !raw.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        text.push_str(std::str::from_utf8(raw).map_err(|_| FormError::NotUtf8)?);
        return Ok(());
    }
    buffer.clear();
    let mut rest = raw;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => buffer.push(b' '),
            b'%' => match tail {
                [high, low, tail @ ..] => {
                    let digit = |byte: &u8| char::from(*byte).to_digit(16);
                    let (high, low) = digit(high).zip(digit(low)).ok_or(FormError::Percent)?;
                    buffer.push(u8::try_from(high * 16 + low).map_err(|_| FormError::Percent)?);
                    rest = tail;
                }
                _ => return Err(FormError::Percent),
            },
            other => buffer.push(*other),
        }
    }
    text.push_str(std::str::from_utf8(buffer).map_err(|_| FormError::NotUtf8)?);
    Ok(())
}

fn check_key(key: &str) -> Result<(), FormError> {
    if key.len() > MAX_KEY {
        Err(FormError::KeyTooLong)
    } else if key.bytes().filter(|byte| *byte == b'.').count() >= MAX_DEPTH {
        Err(FormError::TooDeep)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decoding_happens_once() {
        for (body, key, expected) in [
            ("A=b", "A", Some("b")),
            ("A=a+b%20c", "A", Some("a b c")),
            ("A=%2B%25", "A", Some("+%")),
            ("A=%2541", "A", Some("%41")),
            ("A=b=c", "A", Some("b=c")),
            ("A", "A", Some("")),
            ("&&A=1&", "A", Some("1")),
            ("%41=1", "A", Some("1")),
            ("A=%C3%A9", "A", Some("é")),
            ("a=1", "A", None),
            ("", "A", None),
        ] {
            assert_eq!(Form::parse(body.as_bytes()).unwrap().get(key), expected, "{body}");
        }
    }

    #[test]
    fn tm_g02_malformed_and_repeated_fields_are_refused() {
        for (body, expected) in [
            ("A=%", FormError::Percent),
            ("A=%4", FormError::Percent),
            ("A=%zz", FormError::Percent),
            ("A=%+1", FormError::Percent),
            ("A=%C3", FormError::NotUtf8),
            ("A=%C0%AF", FormError::NotUtf8),
            ("%C3=%A9", FormError::NotUtf8),
            ("A=1&A=1", FormError::Repeated("A".into())),
            ("A=1&B=2&%41=3", FormError::Repeated("A".into())),
            (&"A.".repeat(16), FormError::TooDeep),
            (&"A".repeat(1_025), FormError::KeyTooLong),
            (&"A&".repeat(20_001), FormError::TooManyFields),
        ] {
            assert_eq!(Form::parse(body.as_bytes()).unwrap_err(), expected);
        }
    }

    #[test]
    fn debug_prints_no_values() {
        let form = Form::parse(b"Password=hunter2").unwrap();
        assert_eq!(format!("{form:?}"), "{\"Password\"}");
    }

    proptest! {
        #[test]
        fn tm_g02_parsing_never_panics(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Form::parse(&body);
        }
    }
}
