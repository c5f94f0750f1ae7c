//! Patterns over actions (ACT-1 to ACT-7).

use super::template::{Pattern, Piece, tokenize};
use crate::context::EMPTY;
use crate::view::Token;

/// One entry of Action or NotAction.
#[derive(Clone, Debug)]
pub(crate) struct ActionPattern {
    /// Over the action in lower case. No variables (ACT-5).
    pattern: Pattern,
    /// Whether the prefix is literal. Where it is not, the entry counts only if that grants less
    /// (ACT-3).
    regular: bool,
}

impl ActionPattern {
    pub(crate) fn new(text: &str) -> Self {
        if text == "*" || text == "*:*" {
            return Self { pattern: Pattern::from_pieces(vec![Piece::Star]), regular: true };
        }
        let folded = text.to_ascii_lowercase();
        let prefix = folded.split_once(':').map(|(prefix, _)| prefix);
        let regular =
            prefix.is_some_and(|prefix| !prefix.is_empty() && !prefix.contains(['*', '?']));
        Self { pattern: Pattern::from_pieces(tokenize(&folded, false, true)), regular }
    }

    /// Whether it covers the action, given in lower case. `irregular`: whether an entry without a
    /// literal prefix counts as a glob or as nothing.
    pub(crate) fn matches(&self, folded: &str, irregular: bool) -> bool {
        (self.regular || irregular) && self.pattern.matches(folded, &EMPTY)
    }

    /// The service of every action that it covers, in lower case and with its colon; nothing if
    /// it may cover actions of any.
    pub(crate) fn service(&self) -> Option<&str> {
        let prefix = self.pattern.prefix();
        let service = prefix.get(..=prefix.find(':')?)?;
        self.regular.then_some(service)
    }

    /// The pattern piece by piece, in lower case; nothing if it counts as nothing.
    pub(crate) fn tokens(&self, irregular: bool) -> Option<Vec<Token>> {
        (self.regular || irregular).then(|| self.pattern.tokens())
    }

    /// The one action it covers, in lower case.
    pub(crate) fn exact(&self) -> Option<&str> {
        self.pattern.exact()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn act_rules() {
        for (rule, pattern, action, regular, irregular) in [
            ("ACT-1", "S3:getobject", "s3:GetObject", true, true),
            ("ACT-2", "*", "s3:GetObject", true, true),
            ("ACT-2", "s3:*", "s3:GetObject", true, true),
            ("ACT-2", "s3:Get*", "s3:PutObject", false, false),
            ("ACT-2", "s3:?etObject", "s3:GetObject", true, true),
            ("ACT-2", "s3:*Object", "s3:GetObject", true, true),
            ("ACT-3", "*:GetObject", "s3:GetObject", false, true),
            ("ACT-3", "s?:Get*", "s3:GetObject", false, true),
            ("ACT-3", "*:*", "s3:GetObject", true, true),
            ("ACT-3", "s3*", "s3:GetObject", false, true),
            ("ACT-5", "s3:${*}", "s3:x", false, false),
            ("ACT-7", "s3:Get Object", "s3:GetObject", false, false),
            ("C07", "iam:LinK", "iam:lin\u{212a}", false, false),
        ] {
            let folded = action.to_ascii_lowercase();
            let pattern_ = ActionPattern::new(pattern);
            assert_eq!(pattern_.matches(&folded, false), regular, "{rule} {pattern}");
            assert_eq!(pattern_.matches(&folded, true), irregular, "{rule} {pattern}");
        }
    }
}
