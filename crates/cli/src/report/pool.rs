//! Texts held once and named by number, since an account says the same thing many times.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

/// The texts of a page; the first is the empty one.
pub(crate) struct Pool {
    places: HashMap<String, usize>,
    texts: Vec<String>,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self { places: HashMap::from([(String::new(), 0)]), texts: vec![String::new()] }
    }

    /// The number of a text.
    pub(crate) fn of(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.texts.len();
        self.texts.push(text.to_owned());
        self.places.insert(text.to_owned(), place);
        place
    }

    /// The number of a text that may be absent: then that of the empty one.
    pub(crate) fn maybe(&mut self, text: Option<&str>) -> usize {
        self.of(text.unwrap_or_default())
    }
}

impl Serialize for Pool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.texts.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_held_once() {
        let mut pool = Pool::new();
        assert_eq!([pool.of("a"), pool.of("b"), pool.of("a"), pool.maybe(None)], [1, 2, 1, 0]);
        assert_eq!(serde_json::to_string(&pool).unwrap(), r#"["","a","b"]"#);
    }
}
