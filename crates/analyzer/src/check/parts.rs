//! A policy with some of its statements, and with others.

use bailiwick_policy::{Document, Effect, Version};

pub(super) struct Parts<'d> {
    document: &'d Document,
}

impl<'d> Parts<'d> {
    pub(super) const fn of(document: &'d Document) -> Self {
        Self { document }
    }

    /// A document of those statements that are kept, in their order, and of `more`; nothing if that
    /// is none.
    pub(super) fn with(
        &self,
        keep: impl Fn(usize, Effect) -> bool,
        more: &[String],
    ) -> Option<Document> {
        let source = self.document.source();
        let statements = self.document.statements().iter().enumerate();
        let kept = statements.filter(|(at, statement)| keep(*at, statement.effect()));
        let mut texts: Vec<&str> = Vec::new();
        for (_, statement) in kept {
            let bytes = statement.bytes();
            texts.push(source.get(bytes.start as usize..bytes.end as usize)?);
        }
        texts.extend(more.iter().map(String::as_str));
        if texts.is_empty() {
            return None;
        }
        let version = match self.document.version() {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        };
        let text = format!(r#"{{"Version":"{version}","Statement":[{}]}}"#, texts.join(","));
        Document::parse(&text, self.document.kind()).ok()
    }
}
