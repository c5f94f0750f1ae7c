//! From bytes of the text to lines, columns and paths.

use super::finding::{Location, PathElement, Position, Span, Substring};
use super::json::{Bytes, Node, Value};

/// How many characters lie between two marks.
const STRIDE: usize = 256;

/// Finds the position of a byte without reading the text again from its start.
pub(super) struct Places<'t> {
    text: &'t str,
    /// Positions of every so many characters, with their bytes.
    marks: Vec<(usize, Position)>,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut marks = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut here = Position { line: 1, column: 0, offset: 0 };
        for (byte, c) in text.char_indices() {
            if here.offset.is_multiple_of(STRIDE) {
                marks.push((byte, here));
            }
            here = after(here, c);
        }
        Self { text, marks }
    }

    /// The position of a byte; of the text's end, if the text is shorter.
    pub(super) fn position(&self, byte: usize) -> Position {
        let at = self.marks.partition_point(|(mark, _)| *mark <= byte);
        let first = (0, Position { line: 1, column: 0, offset: 0 });
        let (mark, start) = at.checked_sub(1).and_then(|at| self.marks.get(at)).unwrap_or(&first);
        let rest = self.text.get(*mark..).unwrap_or_default();
        let steps = rest.char_indices().take_while(|(at, _)| mark + at < byte);
        steps.fold(*start, |here, (_, c)| after(here, c))
    }

    /// The place of these bytes, with the path that leads there.
    pub(super) fn location(&self, root: Option<&Node>, bytes: Bytes) -> Location {
        let path = root.map(|root| path(root, bytes)).unwrap_or_default();
        let span = Span { start: self.position(bytes.start), end: self.position(bytes.end) };
        Location { path, span }
    }

    /// The place of a part of a string: `start` and `length` count characters of its text. Where
    /// the string has escapes, the span is that of the whole string.
    pub(super) fn part(
        &self,
        root: Option<&Node>,
        bytes: Bytes,
        start: usize,
        length: usize,
    ) -> Location {
        let mut location = self.location(root, bytes);
        location.path.push(PathElement::Substring(Substring { start, length }));
        let source = self.text.get(bytes.start..bytes.end).unwrap_or_default();
        if !source.contains('\\') {
            let at = |count: usize| {
                let inner = source.get(1..).unwrap_or_default();
                inner.char_indices().nth(count).map_or(source.len(), |(at, _)| at + 1)
            };
            let (from, to) = (bytes.start + at(start), bytes.start + at(start + length));
            location.span = Span { start: self.position(from), end: self.position(to) };
        }
        location
    }
}

fn after(here: Position, c: char) -> Position {
    let offset = here.offset + 1;
    if c == '\n' {
        Position { line: here.line + 1, column: 0, offset }
    } else {
        Position { line: here.line, column: here.column + 1, offset }
    }
}

/// The steps from the root to the node or name at these bytes.
fn path(root: &Node, bytes: Bytes) -> Vec<PathElement> {
    let mut steps = Vec::new();
    let mut node = root;
    while node.bytes != bytes {
        match &node.value {
            Value::Object(members) => {
                let at = members.partition_point(|member| member.name.start <= bytes.start);
                let Some(member) = at.checked_sub(1).and_then(|at| members.get(at)) else { break };
                if member.name == bytes {
                    steps.push(PathElement::Key(member.key.clone()));
                    break;
                }
                steps.push(PathElement::Value(member.key.clone()));
                node = &member.node;
            }
            Value::Array(items) => {
                let at = items.partition_point(|item| item.bytes.start <= bytes.start);
                let Some(at) = at.checked_sub(1) else { break };
                let Some(item) = items.get(at) else { break };
                steps.push(PathElement::Index(at));
                node = item;
            }
            _ => break,
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let text = format!("{}é\n\"x\"", "ü".repeat(300));
        let places = Places::new(&text);
        let at = text.find('"').unwrap();
        assert_eq!(places.position(at), Position { line: 2, column: 0, offset: 302 });
        assert_eq!(places.position(usize::MAX).offset, 305);
        assert_eq!(Places::new("").position(7), Position { line: 1, column: 0, offset: 0 });
    }
}
