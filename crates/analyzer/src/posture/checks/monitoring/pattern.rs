//! Filter patterns of metric filters over JSON events, read and evaluated.
//!
//! What is read: `{ ... }` with `&&`, `||`, parentheses, `=`, `!=`, `EXISTS`, `NOT EXISTS`, `IS NULL`
//! and `IS TRUE` and `IS FALSE`, with `*` in values. A pattern of another form matches nothing here,
//! so that no check passes by it.

/// A pattern that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Pattern {
    All(Vec<Self>),
    Any(Vec<Self>),
    Is { field: String, value: String, equal: bool },
    Exists { field: String, there: bool },
}

/// How deep parentheses may lie in each other.
const MAX_DEPTH: usize = 32;
/// AWS takes patterns of at most 1,024 characters.
const MAX_LENGTH: usize = 4096;

impl Pattern {
    /// Reads a pattern; nothing if it has another form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return None;
        }
        let inner = text.strip_prefix('{')?.strip_suffix('}')?;
        let mut reader = Reader { tokens: tokens(inner)?, at: 0 };
        let pattern = reader.any(0)?;
        (reader.at == reader.tokens.len()).then_some(pattern)
    }

    /// Whether an event fits: fields by their paths, such as `userIdentity.type`.
    pub(super) fn fits(&self, event: &[(&str, &str)]) -> bool {
        let of =
            |field: &str| event.iter().find(|(name, _)| *name == field).map(|(_, value)| *value);
        match self {
            Self::All(list) => list.iter().all(|pattern| pattern.fits(event)),
            Self::Any(list) => list.iter().any(|pattern| pattern.fits(event)),
            Self::Is { field, value, equal } => {
                // A comparison with a field that is absent never holds.
                of(field).is_some_and(|found| like(value, found) == *equal)
            }
            Self::Exists { field, there } => of(field).is_some() == *there,
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Equal,
    NotEqual,
    Field(String),
    Text(String),
    Word(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let signs = [
            ("&&", Token::And),
            ("||", Token::Or),
            ("!=", Token::NotEqual),
            ("(", Token::Open),
            (")", Token::Close),
            ("=", Token::Equal),
        ];
        if let Some((sign, token)) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
            found.push(token);
            rest = rest.get(sign.len()..)?.trim_start();
            continue;
        }
        if first == '"' {
            let end = rest.get(1..)?.find('"')?;
            found.push(Token::Text(rest.get(1..=end)?.to_owned()));
            rest = rest.get(end + 2..)?.trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || "()=!&|\"".contains(c));
        let (word, tail) = rest.split_at(end.unwrap_or(rest.len()));
        if word.is_empty() {
            return None;
        }
        found.push(match word.strip_prefix("$.") {
            Some(field) => Token::Field(field.to_owned()),
            None => Token::Word(word.to_owned()),
        });
        rest = tail.trim_start();
    }
    Some(found)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn any(&mut self, depth: usize) -> Option<Pattern> {
        let mut list = vec![self.all(depth)?];
        while self.peek() == Some(&Token::Or) {
            self.at += 1;
            list.push(self.all(depth)?);
        }
        if list.len() == 1 { list.pop() } else { Some(Pattern::Any(list)) }
    }

    fn all(&mut self, depth: usize) -> Option<Pattern> {
        let mut list = vec![self.one(depth)?];
        while self.peek() == Some(&Token::And) {
            self.at += 1;
            list.push(self.one(depth)?);
        }
        if list.len() == 1 { list.pop() } else { Some(Pattern::All(list)) }
    }

    fn one(&mut self, depth: usize) -> Option<Pattern> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.next()? {
            Token::Open => {
                let inner = self.any(depth + 1)?;
                (self.next()? == Token::Close).then_some(inner)
            }
            Token::Field(field) => self.test(field),
            _ => None,
        }
    }

    fn test(&mut self, field: String) -> Option<Pattern> {
        let word = |token: Token| match token {
            Token::Word(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        };
        match self.next()? {
            sign @ (Token::Equal | Token::NotEqual) => {
                let (Token::Text(value) | Token::Word(value)) = self.next()? else { return None };
                Some(Pattern::Is { field, value, equal: sign == Token::Equal })
            }
            token => match word(token)?.as_str() {
                "EXISTS" => Some(Pattern::Exists { field, there: true }),
                "NOT" => {
                    let exists = word(self.next()?)? == "EXISTS";
                    exists.then_some(Pattern::Exists { field, there: false })
                }
                "IS" => {
                    let value = word(self.next()?)?;
                    let known = matches!(value.as_str(), "TRUE" | "FALSE" | "NULL");
                    let value = value.to_ascii_lowercase();
                    known.then_some(Pattern::Is { field, value, equal: true })
                }
                _ => None,
            },
        }
    }
}

/// Whether a text fits a value in which `*` stands for any run.
fn like(value: &str, text: &str) -> bool {
    crate::posture::settings::fits(value, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_benchmarks_write_them() {
        let root = "{ $.userIdentity.type = \"Root\" && $.userIdentity.invokedBy NOT EXISTS && \
                    $.eventType != \"AwsServiceEvent\" }";
        let denied =
            "{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = AccessDenied*) }";
        let event = [("userIdentity.type", "Root"), ("eventType", "AwsApiCall")];
        let by_service = [event.as_slice(), &[("userIdentity.invokedBy", "s3")]].concat();
        for (pattern, event, expected) in [
            (root, event.as_slice(), true),
            (root, &by_service, false),
            (denied, &[("errorCode", "Client.UnauthorizedOperation")], true),
            (denied, &[("errorCode", "AccessDeniedException")], true),
            (denied, &[("errorCode", "Throttling")], false),
            (denied, &[], false),
        ] {
            assert_eq!(
                Pattern::read(pattern).unwrap().fits(event),
                expected,
                "{pattern} {event:?}"
            );
        }
        for wrong in ["", "ERROR", "{ }", "{ $.a = }", "{ ($.a = b }", "{ $.a = b } c", "{ a = b }"]
        {
            assert_eq!(Pattern::read(wrong), None, "{wrong}");
        }
        assert_eq!(
            Pattern::read(&format!("{{{}$.a = b{}}}", "(".repeat(99), ")".repeat(99))),
            None
        );
    }
}
