//! Documents that were read before, so that a million cases with the same policies read each of
//! them once.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::{Document, DocumentKind};

/// A bounded cache of documents by text and kind.
///
/// It has two halves: what is asked for goes into the younger one, and when that is full the older
/// one is dropped and the younger becomes the older. So memory stays within the bound, and what is
/// used all the time stays. Texts that are no policy are remembered too.
pub struct Documents {
    young: Half,
    old: Half,
    /// How much one half may hold, in estimated bytes.
    room: usize,
}

#[derive(Default)]
struct Half {
    /// By kind, then by text.
    kinds: [HashMap<Arc<str>, Option<Document>>; 7],
    bytes: usize,
}

impl Documents {
    /// The bound of [`Documents::default`], in bytes.
    pub const DEFAULT_BYTES: usize = 64 << 20;

    /// A cache that holds up to so many bytes, as estimated from the lengths of the texts.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { young: Half::default(), old: Half::default(), room: bytes / 2 }
    }

    /// The document of this text, read leniently as what is stored; nothing if it cannot be read
    /// (IN-6).
    pub fn get(&mut self, text: &str, kind: DocumentKind) -> Option<Document> {
        if let Some(found) = self.young.find(text, kind) {
            return found.clone();
        }
        let document = match self.old.find(text, kind) {
            Some(found) => found.clone(),
            None => Document::parse(text, kind).ok(),
        };
        // The key shares the document's own text.
        let key = document.as_ref().map(Document::source_arc);
        self.keep(key.unwrap_or_else(|| text.into()), kind, document.clone());
        document
    }

    fn keep(&mut self, text: Arc<str>, kind: DocumentKind, document: Option<Document>) {
        let cost = cost(&text, document.as_ref());
        if self.young.bytes + cost > self.room {
            self.old = std::mem::take(&mut self.young);
        }
        if cost <= self.room {
            self.young.bytes += cost;
            if let Some(map) = self.young.kinds.get_mut(kind as usize) {
                map.insert(text, document);
            }
        }
    }
}

impl Half {
    fn find(&self, text: &str, kind: DocumentKind) -> Option<&Option<Document>> {
        self.kinds.get(kind as usize)?.get(text)
    }
}

impl Default for Documents {
    fn default() -> Self {
        Self::with_capacity(Self::DEFAULT_BYTES)
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |half: &Half| half.kinds.iter().map(HashMap::len).sum::<usize>();
        f.debug_struct("Documents")
            .field("documents", &(count(&self.young) + count(&self.old)))
            .field("bytes", &(self.young.bytes + self.old.bytes))
            .finish_non_exhaustive()
    }
}

/// About what an entry holds: the compiled form takes some times the text.
fn cost(text: &str, document: Option<&Document>) -> usize {
    if document.is_some() { 2048 + 16 * text.len() } else { 512 + 2 * text.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_g01_the_cache_is_bounded_and_answers_the_same() {
        let mut documents = Documents::with_capacity(64 << 10);
        for round in 0..3 {
            for number in 0..500 {
                let text = format!(
                    r#"{{"Statement":{{"Effect":"Allow","Action":"a:{number}","Resource":"*"}}}}"#
                );
                let document = documents.get(&text, DocumentKind::Identity).unwrap();
                assert_eq!(document.source(), text, "round {round}");
                assert!(documents.get("{", DocumentKind::Identity).is_none());
                assert!(documents.young.bytes + documents.old.bytes <= 64 << 10);
            }
        }
    }

    #[test]
    fn the_kind_counts() {
        let text = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"a:B"}}"#;
        let mut documents = Documents::default();
        assert!(documents.get(text, DocumentKind::Resource).is_some());
        assert!(documents.get(text, DocumentKind::Identity).is_none());
        assert!(documents.get(text, DocumentKind::Resource).is_some());
    }
}
