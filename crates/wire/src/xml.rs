//! XML, as much as the query protocol needs: a writer that no text can break out of, and a reader
//! for the client side.
//!
//! The writer takes element names from the schemas only. Text is escaped in full; characters that
//! XML 1.0 cannot hold at all become U+FFFD, so a hostile name can neither open an element nor make
//! the answer unreadable (threat B09). The reader refuses document types and unknown entities and
//! bounds depth and count (threat G01).

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// Deepest nesting that the reader takes.
pub const MAX_DEPTH: usize = 64;

/// Greatest number of elements that the reader takes.
pub const MAX_ELEMENTS: usize = 2_000_000;

/// Appends elements to a buffer.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
}

impl Writer {
    /// Starts with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: String::with_capacity(capacity) }
    }

    /// Opens the outermost element, with its namespace.
    pub fn open_root(&mut self, name: &str, suffix: &str, namespace: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(suffix);
        if !namespace.is_empty() {
            self.out.push_str(" xmlns=\"");
            self.text(namespace);
            self.out.push('"');
        }
        self.out.push('>');
    }

    /// Opens an element. `name` comes from a schema.
    pub fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Closes an element.
    pub fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Writes an element without content.
    pub fn empty(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str("/>");
    }

    /// Writes an element that holds a text.
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close(name);
    }

    /// Writes a text, escaped.
    pub fn text(&mut self, text: &str) {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let Some(replacement) = escape(c) else { continue };
            self.out.push_str(text.get(plain..at).unwrap_or_default());
            self.out.push_str(replacement);
            plain = at + c.len_utf8();
        }
        self.out.push_str(text.get(plain..).unwrap_or_default());
    }

    /// The bytes written so far.
    pub fn finish(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}

/// What stands for a character; `None` when it stands for itself. CR is written as a reference, for
/// readers turn a bare one into LF.
fn escape(c: char) -> Option<&'static str> {
    match c {
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '&' => Some("&amp;"),
        '"' => Some("&quot;"),
        '\'' => Some("&apos;"),
        '\r' => Some("&#xD;"),
        '\t' | '\n' => None,
        '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => Some("\u{fffd}"),
        _ => None,
    }
}

/// An element that was read.
#[derive(Debug, Default)]
pub struct Node {
    /// Local name, without prefix.
    pub name: String,
    /// The text directly inside, references resolved.
    pub text: String,
    /// The elements directly inside, in order.
    pub children: Vec<Node>,
}

impl Node {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Why a document could not be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum XmlError {
    /// Not UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// Not well-formed.
    #[error("the document is not well-formed: {0}")]
    Malformed(String),
    /// A document type, or an entity that XML does not define.
    #[error("the document declares or uses an entity")]
    Entity,
    /// Nested deeper than [`MAX_DEPTH`], or more than [`MAX_ELEMENTS`] elements.
    #[error("the document is too deep or too large")]
    TooLarge,
    /// No element at all, or more than one outermost.
    #[error("the document has no single outermost element")]
    NoRoot,
}

/// Reads a document into a tree. Iterative: the depth of the input does not reach the stack.
pub fn read(document: &[u8]) -> Result<Node, XmlError> {
    let text = std::str::from_utf8(document).map_err(|_| XmlError::NotUtf8)?;
    let mut reader = Reader::from_str(text);
    let mut stack: Vec<Node> = Vec::new();
    let mut root = None;
    let mut elements = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| XmlError::Malformed(error.to_string()))?;
        match event {
            Event::Start(start) => {
                elements += 1;
                if stack.len() >= MAX_DEPTH || elements > MAX_ELEMENTS {
                    return Err(XmlError::TooLarge);
                }
                stack.push(named(start.local_name().as_ref()));
            }
            Event::Empty(start) => {
                elements += 1;
                if stack.len() >= MAX_DEPTH || elements > MAX_ELEMENTS {
                    return Err(XmlError::TooLarge);
                }
                adopt(&mut stack, &mut root, named(start.local_name().as_ref()))?;
            }
            Event::End(_) => {
                let node = stack.pop().ok_or(XmlError::NoRoot)?;
                adopt(&mut stack, &mut root, node)?;
            }
            Event::Text(text) => append(&mut stack, &text.xml10_content())?,
            Event::CData(text) => append(&mut stack, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref();
                let character =
                    character.map_err(|error| XmlError::Malformed(error.to_string()))?;
                if let Some(c) = character {
                    append(&mut stack, c.encode_utf8(&mut [0; 4]))?;
                } else {
                    append(
                        &mut stack,
                        resolve_predefined_entity(&reference).ok_or(XmlError::Entity)?,
                    )?;
                }
            }
            Event::DocType(_) => return Err(XmlError::Entity),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    if stack.is_empty() { root.ok_or(XmlError::NoRoot) } else { Err(XmlError::NoRoot) }
}

fn named(name: &str) -> Node {
    Node { name: name.to_owned(), ..Node::default() }
}

fn adopt(stack: &mut [Node], root: &mut Option<Node>, node: Node) -> Result<(), XmlError> {
    match stack.last_mut() {
        Some(parent) => parent.children.push(node),
        None if root.is_none() => *root = Some(node),
        None => return Err(XmlError::NoRoot),
    }
    Ok(())
}

/// Adds text to the element at hand. Outside the outermost one only white space may stand.
fn append(stack: &mut [Node], text: &str) -> Result<(), XmlError> {
    match stack.last_mut() {
        Some(node) => node.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(XmlError::NoRoot),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaf(text: &str) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.open_root("A", "", "https://example.com/");
        writer.leaf("B", text);
        writer.close("A");
        writer.finish()
    }

    #[test]
    fn tm_b09_text_cannot_leave_its_element() {
        for hostile in [
            "</B><Admin>true</Admin><B>",
            "]]><Admin/>",
            "<![CDATA[x]]>",
            "&lt;",
            "&#60;x&#62;",
            "<!-- ",
            "a\u{0}b\u{1}\u{b}\u{1f}\u{fffe}",
            "\r\n\t ",
            "\"'",
        ] {
            let root = read(&leaf(hostile)).unwrap();
            assert_eq!(root.children.len(), 1, "{hostile:?}");
            assert!(root.children[0].children.is_empty());
            let expected: String = hostile
                .chars()
                .map(|c| if escape(c) == Some("\u{fffd}") { '\u{fffd}' } else { c })
                .collect();
            assert_eq!(root.children[0].text, expected);
        }
    }

    #[test]
    fn tm_g01_reader_is_bounded() {
        let deep = "<a>".repeat(100_000);
        assert_eq!(read(deep.as_bytes()).unwrap_err(), XmlError::TooLarge);
        assert_eq!(
            read(b"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>").unwrap_err(),
            XmlError::Entity
        );
        assert_eq!(read(b"<a>&x;</a>").unwrap_err(), XmlError::Entity);
        for broken in ["", "<a>", "<a></b>", "<a/><b/>", "x<a/>", "<a>&#0;</a>"] {
            assert!(read(broken.as_bytes()).is_err(), "{broken}");
        }
        assert_eq!(read(b"\xff<a/>").unwrap_err(), XmlError::NotUtf8);
    }

    proptest! {
        #[test]
        fn tm_b09_any_text_survives(text in "\\PC*") {
            let root = read(&leaf(&text)).unwrap();
            prop_assert_eq!(&root.children[0].text, &text);
        }

        #[test]
        fn tm_g01_reader_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
