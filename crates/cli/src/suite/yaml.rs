//! YAML as a tree whose every node knows its place.
//!
//! The parser of `saphyr-parser` gives events; the tree is built with a stack of our own. Limits:
//! depth, and the number of nodes with aliases counted as often as they stand for something, so
//! that a small text cannot mean a huge one. Scalars stay text: `012345678901` is an account.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::simulate::fault::Fault;

/// The deepest nesting.
const MAX_DEPTH: usize = 64;
/// The most nodes, aliases resolved.
const MAX_NODES: usize = 2_000_000;

/// A place in the text: line and column from 1.
pub(crate) type At = (u32, u32);

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Node {
    /// Where it begins.
    pub(crate) at: At,
    /// What it is.
    pub(crate) value: Value,
    /// How many nodes it stands for, itself counted.
    weight: usize,
}

/// A YAML value.
#[derive(Debug)]
pub(crate) enum Value {
    /// Nothing: an empty place, `null` or `~`.
    Null,
    /// A scalar.
    Text {
        /// Its text, escapes and folding resolved.
        text: String,
        /// Whether it is a literal block (`|`), whose lines are those of the file.
        block: bool,
    },
    /// A sequence.
    List(Vec<Rc<Node>>),
    /// A mapping in its order.
    Map(Vec<(Key, Rc<Node>)>),
}

/// The name in a mapping.
#[derive(Debug)]
pub(crate) struct Key {
    /// The name.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) at: At,
}

impl Value {
    /// What it is, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text { .. } => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// What is being read: a sequence, or a mapping with the key that waits for its value.
enum Open {
    List(Vec<Rc<Node>>),
    Map(Vec<(Key, Rc<Node>)>, Option<Key>),
}

/// Reads a text that holds one document.
///
/// # Errors
/// The first fault, with its place.
pub(crate) fn parse(file: &str, text: &str) -> Result<Rc<Node>, Fault> {
    let fault = |at: At, message: &str| Fault::new(file, text, at, message);
    let mut anchors: HashMap<usize, Rc<Node>> = HashMap::new();
    let mut stack: Vec<(Open, At, usize)> = Vec::new();
    let mut root: Option<Rc<Node>> = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| scan_fault(file, text, &error))?;
        let at = place(span.start.line(), span.start.col() + 1);
        let tagged = matches!(
            &event,
            Event::Scalar(_, _, _, Some(tag))
            | Event::SequenceStart(_, Some(tag))
            | Event::MappingStart(_, Some(tag)) if !tag.is_yaml_core_schema()
        );
        if tagged {
            return Err(fault(at, "tags have no meaning here"));
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(text.into_owned(), style, at), anchor),
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                if stack.len() >= MAX_DEPTH {
                    return Err(fault(at, "nested deeper than 64 levels"));
                }
                let open = match event {
                    Event::SequenceStart(..) => Open::List(Vec::new()),
                    _ => Open::Map(Vec::new(), None),
                };
                stack.push((open, at, anchor));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((open, at, anchor)) = stack.pop() else {
                    return Err(fault(at, "this closes nothing"));
                };
                (close(open, at), anchor)
            }
            Event::Alias(anchor) => {
                let node = anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| fault(at, "an alias of something unfinished"))?;
                add(&mut stack, &mut root, node, at).map_err(|problem| fault(at, problem))?;
                continue;
            }
            _ => continue,
        };
        if node.weight > MAX_NODES {
            return Err(fault(node.at, "this stands for more than 2,000,000 values"));
        }
        let (at, node) = (node.at, Rc::new(node));
        if anchor > 0 {
            anchors.insert(anchor, Rc::clone(&node));
        }
        add(&mut stack, &mut root, node, at).map_err(|problem| fault(at, problem))?;
    }
    root.ok_or_else(|| fault((1, 1), "the file is empty"))
}

/// Puts a finished node where it belongs.
fn add(
    stack: &mut [(Open, At, usize)],
    root: &mut Option<Rc<Node>>,
    node: Rc<Node>,
    at: At,
) -> Result<(), &'static str> {
    match stack.last_mut() {
        None if root.is_some() => return Err("a second document: one file holds one suite"),
        None => *root = Some(node),
        Some((Open::List(items), ..)) => items.push(node),
        Some((Open::Map(members, waiting), ..)) => match waiting.take() {
            Some(key) => members.push((key, node)),
            None => match &node.value {
                Value::Text { text, .. } => *waiting = Some(Key { name: text.clone(), at }),
                _ => return Err("the name of a member must be a text"),
            },
        },
    }
    Ok(())
}

fn close(open: Open, at: At) -> Node {
    let (weight, value) = match open {
        Open::List(items) => {
            (items.iter().map(|item| item.weight).sum::<usize>(), Value::List(items))
        }
        Open::Map(members, _) => {
            (members.iter().map(|(_, node)| node.weight).sum(), Value::Map(members))
        }
    };
    Node { at, value, weight: weight.saturating_add(1) }
}

fn scalar(text: String, style: ScalarStyle, at: At) -> Node {
    let plain = style == ScalarStyle::Plain;
    let value = if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        Value::Null
    } else {
        Value::Text { text, block: style == ScalarStyle::Literal }
    };
    Node { at, value, weight: 1 }
}

fn scan_fault(file: &str, text: &str, error: &ScanError) -> Fault {
    let at = error.marker();
    Fault::new(file, text, place(at.line(), at.col() + 1), error.info())
}

fn place(line: usize, column: usize) -> At {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
    (number(line), number(column))
}

impl Node {
    /// The mapping as a JSON text whose lines are those of the YAML, counted from the first line
    /// of this node: so a place in one is a place in the other. Scalars become strings.
    pub(crate) fn to_json(&self) -> String {
        let mut out = Printer { text: String::new(), line: self.at.0, column: 1 };
        out.node(self);
        out.text
    }
}

/// Writes JSON at the places where the YAML has it.
struct Printer {
    text: String,
    line: u32,
    column: u32,
}

impl Printer {
    /// The depth is bounded by [`MAX_DEPTH`].
    fn node(&mut self, node: &Node) {
        self.reach(node.at);
        match &node.value {
            Value::Null => self.put("null"),
            Value::Text { text, .. } => self.string(text),
            Value::List(items) => {
                self.put("[");
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        self.put(",");
                    }
                    self.node(item);
                }
                self.put("]");
            }
            Value::Map(members) => {
                self.put("{");
                for (place, (key, value)) in members.iter().enumerate() {
                    if place > 0 {
                        self.put(",");
                    }
                    self.reach(key.at);
                    self.string(&key.name);
                    self.put(":");
                    self.node(value);
                }
                self.put("}");
            }
        }
    }

    /// Goes to a place, unless it is behind: the content of an alias stands elsewhere.
    fn reach(&mut self, (line, column): At) {
        while self.line < line {
            self.text.push('\n');
            self.line += 1;
            self.column = 1;
        }
        while self.line == line && self.column < column {
            self.put(" ");
        }
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += u32::try_from(text.chars().count()).unwrap_or(0);
    }

    fn string(&mut self, text: &str) {
        self.put(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        parse("s", text).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn nodes_know_their_places_and_scalars_stay_text() {
        let root =
            parse("s", "a: 012345678901\nb:\n  - 'x'\n  - ~\n  - c: true\n  - |\n    {\n     1\n")
                .unwrap();
        let Value::Map(members) = &root.value else { panic!() };
        let (key, value) = &members[0];
        assert_eq!((key.name.as_str(), key.at, value.at), ("a", (1, 1), (1, 4)));
        assert!(matches!(&value.value, Value::Text { text, .. } if text == "012345678901"));
        let (key, value) = &members[1];
        assert_eq!((key.at, value.at), ((2, 1), (3, 3)));
        let Value::List(items) = &value.value else { panic!() };
        let kinds: Vec<_> = items.iter().map(|item| (item.at, item.value.kind())).collect();
        assert_eq!(
            kinds,
            [((3, 5), "a text"), ((4, 5), "nothing"), ((5, 5), "a mapping"), ((7, 5), "a text")]
        );
        assert!(matches!(&items[3].value, Value::Text { text, block: true } if text == "{\n 1\n"));
    }

    // Lines of the JSON are lines of the YAML, so that explanations name places in the suite.
    #[test]
    fn json_stands_where_the_yaml_stands() {
        let text = "x:\n  Version: 2012-10-17\n  Statement:\n    - Effect: Allow\n      Action: ['s3:Get*', \"s3:*\"]\n      Resource: '*'\n";
        let root = parse("s", text).unwrap();
        let Value::Map(members) = &root.value else { panic!() };
        let json = members[0].1.to_json();
        let lines: Vec<_> = json.lines().collect();
        assert!(lines[0].starts_with("  {\"Version\":\"2012-10-17\""), "{json}");
        assert!(lines[2].trim_start().starts_with("[ {\"Effect\""), "{json}");
        assert!(lines[3].trim_start().starts_with("\"Action\":[\"s3:Get*\""), "{json}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["Statement"][0]["Action"][1], "s3:*");
    }

    #[test]
    fn literal_blocks_begin_where_their_text_begins() {
        for (text, expected) in [("a: |\n  {\n  }\n", 2), ("a: |\n\n\n  {\n  }\n", 4)] {
            let root = parse("s", text).unwrap();
            let Value::Map(members) = &root.value else { panic!() };
            assert_eq!(members[0].1.at.0, expected, "{text:?}");
        }
    }

    #[test]
    fn faults_have_places() {
        for (text, expected) in [
            ("", "s:1:1: the file is empty"),
            ("a: [1", "s:"),
            ("a: 1\n---\nb: 2\n", "s:3:1: a second document"),
            ("a: !secret x", "s:1:4: tags have no meaning here"),
            ("a: *b", "s:1:"),
            ("? [1]\n: 2\n", "s:1:3: the name of a member must be a text"),
            ("a:\n\t- 1\n", "s:2:"),
        ] {
            let found = fault(text);
            assert!(found.starts_with(expected), "{text:?}: {found}");
        }
    }

    #[test]
    fn tm_g01_deep_nesting_and_alias_bombs_are_refused() {
        let deep = "[".repeat(100_000);
        assert!(fault(&deep).contains("limit"), "flow");
        let block: Vec<String> = (0..200).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
        let block = block.concat();
        assert!(fault(&block).contains("deeper than 64"), "block");
        let mut bomb = String::from("a0: &a0 [x, x]\n");
        for at in 1..60 {
            let before = at - 1;
            bomb.extend([format!("a{at}: &a{at} [*a{before}, *a{before}]\n")]);
        }
        assert!(fault(&bomb).contains("2,000,000"), "bomb");
        assert!(parse("s", "a: &x {b: 1}\nc: [*x, *x]\n").is_ok());
    }
}
