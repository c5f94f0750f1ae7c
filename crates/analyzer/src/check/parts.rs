//! A policy in parts: each Allow with all that denies.

use bailiwick_policy::{Document, Effect, Version};
use bailiwick_symbolic::{Answer, Asker, Limits};

/// How many statements are looked at for reasons.
const MOST: usize = 100;
/// What the question about one statement may cost.
const LIMITS: Limits = Limits { states: 60_000, boxes: 6_000 };

pub(super) struct Parts<'d> {
    document: &'d Document,
}

impl<'d> Parts<'d> {
    pub(super) const fn of(document: &'d Document) -> Self {
        Self { document }
    }

    /// The statements for which a claim fails, with their Sids; `undecided` keeps those too for
    /// which it is undecided.
    pub(super) fn failing(
        &self,
        ask: &dyn Fn(&Asker, &Document) -> Answer,
        undecided: bool,
    ) -> Vec<(usize, Option<String>)> {
        let asker = Asker::new(LIMITS);
        let allows = self.allows();
        let mut found = Vec::new();
        for at in allows.iter().copied().take(MOST) {
            let fails = allows.len() == 1
                || self.alone(at).is_some_and(|part| match ask(&asker, &part) {
                    Answer::Holds => false,
                    Answer::Fails(_) => true,
                    Answer::Undecided(_) => undecided,
                });
            if fails {
                let sid = self.document.statements().get(at).and_then(|one| one.sid());
                found.push((at, sid.map(str::to_owned)));
            }
        }
        found
    }

    /// The places of the statements that allow.
    pub(super) fn allows(&self) -> Vec<usize> {
        let statements = self.document.statements().iter().enumerate();
        let allows = statements.filter(|(_, statement)| statement.effect() == Effect::Allow);
        allows.map(|(at, _)| at).collect()
    }

    /// One statement that allows with all that deny.
    fn alone(&self, allow: usize) -> Option<Document> {
        self.with(|at, effect| at == allow || effect == Effect::Deny, &[])
    }

    /// A document of some of the statements and of `more`.
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
