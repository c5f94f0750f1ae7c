//! From JSON to the elements of a policy: names and types, nothing finer.

use super::{DocumentError, DocumentKind, Problem};
use crate::json::{self, JsonProblem, Member, Node, Span, Value};

/// The elements of a document as they are written.
#[derive(Debug)]
pub(super) struct RawDocument {
    pub(super) version: Option<Text>,
    pub(super) id: Option<String>,
    pub(super) statements: Vec<RawStatement>,
    /// Where Statement stands.
    pub(super) statements_span: Span,
}

/// The elements of a statement as they are written.
#[derive(Debug, Default)]
pub(super) struct RawStatement {
    /// The whole object.
    pub(super) span: Span,
    /// Where it starts and ends as the simulator counts (SIM-5).
    pub(super) reported: Span,
    pub(super) sid: Option<Text>,
    pub(super) effect: Option<Text>,
    pub(super) action: Option<List>,
    pub(super) not_action: Option<List>,
    pub(super) resource: Option<List>,
    pub(super) not_resource: Option<List>,
    pub(super) principal: Option<RawPrincipal>,
    pub(super) not_principal: Option<RawPrincipal>,
    pub(super) conditions: Vec<RawCondition>,
}

/// A text and its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Span,
}

/// An element that is one text or a list of them.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) items: Vec<Text>,
    pub(super) span: Span,
}

/// Principal or NotPrincipal.
#[derive(Debug)]
pub(super) struct RawPrincipal {
    pub(super) span: Span,
    /// Written as the bare text `"*"`.
    pub(super) bare: bool,
    /// Type and entry.
    pub(super) entries: Vec<(String, Text)>,
}

/// One operator and one key.
#[derive(Debug)]
pub(super) struct RawCondition {
    pub(super) operator: Text,
    pub(super) key: Text,
    pub(super) values: List,
}

pub(super) fn read(text: &str, kind: DocumentKind) -> Result<RawDocument, DocumentError> {
    let reader = Reader { text, kind };
    let node = json::parse(text).map_err(|error| {
        let problem = match error.problem {
            JsonProblem::Syntax(what) => Problem::Json(what),
            JsonProblem::TooDeep => Problem::TooDeep,
            JsonProblem::TooLong => Problem::TooLong,
            JsonProblem::Duplicate(key) => Problem::DuplicateKey(key),
        };
        DocumentError::new(text, kind, error.at, problem)
    })?;
    reader.document(node)
}

struct Reader<'a> {
    text: &'a str,
    kind: DocumentKind,
}

impl Reader<'_> {
    fn fail<T>(&self, span: Span, problem: Problem) -> Result<T, DocumentError> {
        Err(DocumentError::new(self.text, self.kind, span.start, problem))
    }

    fn wrong<T>(
        &self,
        span: Span,
        element: &str,
        expected: &'static str,
    ) -> Result<T, DocumentError> {
        self.fail(span, Problem::WrongType { element: element.to_owned(), expected })
    }

    fn document(&self, node: Node) -> Result<RawDocument, DocumentError> {
        let Value::Object(members) = node.value else {
            return self.wrong(node.span, "the policy", "an object");
        };
        let mut document = RawDocument {
            version: None,
            id: None,
            statements: Vec::new(),
            statements_span: node.span,
        };
        let mut found = false;
        for member in members {
            match member.key.as_str() {
                "Version" => document.version = Some(self.text_of(member)?),
                "Id" => document.id = Some(self.text_of(member)?.text),
                "Statement" => {
                    found = true;
                    document.statements_span = member.node.span;
                    document.statements = self.statements(member.node)?;
                }
                _ => return self.fail(member.key_span, Problem::UnknownElement(member.key)),
            }
        }
        if found { Ok(document) } else { self.fail(node.span, Problem::Missing("Statement")) }
    }

    fn statements(&self, node: Node) -> Result<Vec<RawStatement>, DocumentError> {
        match node.value {
            Value::Object(members) => {
                let reported = Span { start: node.span.start + 1, end: node.span.end };
                Ok(vec![self.statement(members, node.span, reported)?])
            }
            Value::Array(nodes) => {
                let mut statements = Vec::with_capacity(nodes.len());
                let mut start = node.span.start + 1;
                for node in nodes {
                    let Value::Object(members) = node.value else {
                        return self.wrong(node.span, "Statement", "an object or a list of them");
                    };
                    let reported = Span { start, end: node.span.end };
                    start = node.span.end;
                    statements.push(self.statement(members, node.span, reported)?);
                }
                Ok(statements)
            }
            _ => self.wrong(node.span, "Statement", "an object or a list of them"),
        }
    }

    fn statement(
        &self,
        members: Vec<Member>,
        span: Span,
        reported: Span,
    ) -> Result<RawStatement, DocumentError> {
        let mut out = RawStatement { span, reported, ..RawStatement::default() };
        for member in members {
            match member.key.as_str() {
                "Sid" => out.sid = Some(self.text_of(member)?),
                "Effect" => out.effect = Some(self.text_of(member)?),
                "Action" => out.action = Some(self.list(member, false)?),
                "NotAction" => out.not_action = Some(self.list(member, false)?),
                "Resource" => out.resource = Some(self.list(member, false)?),
                "NotResource" => out.not_resource = Some(self.list(member, false)?),
                "Principal" => out.principal = Some(self.principal(member)?),
                "NotPrincipal" => out.not_principal = Some(self.principal(member)?),
                "Condition" => out.conditions = self.conditions(member)?,
                _ => return self.fail(member.key_span, Problem::UnknownElement(member.key)),
            }
        }
        Ok(out)
    }

    fn text_of(&self, member: Member) -> Result<Text, DocumentError> {
        match member.node.value {
            Value::String(text) => Ok(Text { text, span: member.node.span }),
            _ => self.wrong(member.node.span, &member.key, "a string"),
        }
    }

    /// One text or a list. `scalars`: whether numbers and booleans count by their text (CO-10).
    /// `null` among the entries is skipped (RES-11).
    fn list(&self, member: Member, scalars: bool) -> Result<List, DocumentError> {
        let span = member.node.span;
        let expected = "a string or a list of strings";
        let nodes = match member.node.value {
            Value::Array(nodes) => nodes,
            Value::Null => return self.wrong(span, &member.key, expected),
            _ => vec![member.node],
        };
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            let text = match node.value {
                Value::String(text) => text,
                Value::Null => continue,
                Value::Number(text) if scalars => text,
                Value::Bool(truth) if scalars => truth.to_string(),
                _ => return self.wrong(node.span, &member.key, expected),
            };
            items.push(Text { text, span: node.span });
        }
        Ok(List { items, span })
    }

    fn principal(&self, member: Member) -> Result<RawPrincipal, DocumentError> {
        let span = member.node.span;
        match member.node.value {
            Value::String(text) => {
                let entry = ("*".to_owned(), Text { text, span });
                Ok(RawPrincipal { span, bare: true, entries: vec![entry] })
            }
            Value::Object(members) => {
                let mut entries = Vec::new();
                for member in members {
                    let kind = member.key.clone();
                    if !["AWS", "Service", "Federated", "CanonicalUser"].contains(&kind.as_str()) {
                        return self.fail(member.key_span, Problem::UnknownElement(kind));
                    }
                    let items = self.list(member, false)?.items;
                    entries.extend(items.into_iter().map(|text| (kind.clone(), text)));
                }
                Ok(RawPrincipal { span, bare: false, entries })
            }
            _ => self.wrong(span, &member.key, "`*` or an object"),
        }
    }

    fn conditions(&self, member: Member) -> Result<Vec<RawCondition>, DocumentError> {
        let Value::Object(operators) = member.node.value else {
            return self.wrong(member.node.span, "Condition", "an object");
        };
        let mut conditions = Vec::new();
        for operator in operators {
            let name = Text { text: operator.key, span: operator.key_span };
            let Value::Object(keys) = operator.node.value else {
                return self.wrong(operator.node.span, &name.text, "an object");
            };
            // ST-4 by the way of CO-2: the same key in another case is the same key.
            for key in keys {
                conditions.push(RawCondition {
                    operator: name.clone(),
                    key: Text { text: key.key.clone(), span: key.key_span },
                    values: self.list(key, true)?,
                });
            }
        }
        Ok(conditions)
    }
}
