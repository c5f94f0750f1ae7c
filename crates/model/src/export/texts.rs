//! The documents of an export. Equal texts become one document in memory.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use bailiwick_identifiers::{AccountId, Arn, UniqueId};
use bailiwick_policy::{Document, DocumentError, DocumentKind, PrincipalType};

use super::build::Builder;
use super::form::{Pages, document_text};
use super::{Note, NoteKind};
use crate::parallel;
use crate::text::{Binding, IdentityText, TrustText};

/// The texts of all identity policies, each parsed once.
pub(super) fn identity<'a>(pages: &Pages<'a>) -> HashMap<Cow<'a, str>, IdentityText> {
    let users = pages.users.iter().flat_map(|item| &item.detail.user_policy_list);
    let groups = pages.groups.iter().flat_map(|item| &item.detail.group_policy_list);
    let roles = pages.roles.iter().flat_map(|item| &item.detail.role_policy_list);
    let inline = users.chain(groups).chain(roles).flatten().filter_map(|form| form.policy_document);
    let versions = pages.policies.iter().flat_map(|item| &item.detail.policy_version_list);
    let versions = versions.flatten().filter_map(|version| version.document);
    let sources: HashSet<Cow<'a, str>> =
        inline.chain(versions).map(|raw| document_text(raw.get())).collect();
    let sources: Vec<_> = sources.into_iter().collect();
    let texts = parallel::each(&sources, |text| IdentityText::from(text.as_ref().to_owned()));
    sources.into_iter().zip(texts).collect()
}

impl<'a> Builder<'_, 'a> {
    /// The text of an identity policy; with a note when it cannot be read.
    pub(super) fn identity(
        &mut self,
        file: usize,
        raw: Option<&'a str>,
        about: impl Fn() -> String,
    ) -> IdentityText {
        let source = raw.map_or(Cow::Borrowed(""), document_text);
        if let Some(text) = self.identity_texts.get(&source) {
            let text = text.clone();
            if let Err(error) = text.document() {
                self.unreadable(file, raw, about(), error);
            }
            return text;
        }
        let text = IdentityText::from(source.as_ref().to_owned());
        if let Err(error) = text.document() {
            self.unreadable(file, raw, about(), error);
        }
        self.identity_texts.insert(source, text.clone());
        text
    }

    /// The trust policy of a role, its principals bound to the users and roles of the account that
    /// they name (PR-12). Principals of other accounts stay ARNs: their ids are not known here.
    pub(super) fn trust(
        &mut self,
        file: usize,
        raw: Option<&'a str>,
        role: &Arn,
        by_session: &HashMap<Arn, UniqueId>,
    ) -> TrustText {
        let source = raw.map_or(Cow::Borrowed(""), document_text);
        if let Some(text) = self.trust_texts.get(&source) {
            let text = text.clone();
            if let Err(error) = text.document() {
                self.unreadable(file, raw, format!("{role} trust policy"), error);
            }
            return text;
        }
        let parsed = Document::parse(&source, DocumentKind::Trust);
        let (mut bindings, mut foreign) = (Vec::<Binding>::new(), false);
        // Roles that are not there. Sessions of a role of that name and another path are named by
        // the same ARN (PR-11), which must not be bound then: it would let in the wrong role.
        let mut gone = BTreeSet::new();
        let named = parsed.iter().flat_map(Document::principals).filter_map(|principal| {
            let may_name = matches!(principal.kind, PrincipalType::Aws | PrincipalType::Bare);
            may_name.then(|| Named::by(principal.text)).flatten()
        });
        for named in named {
            if named.account != self.account.id()
                || named.arn.partition() != self.account.partition().as_str()
            {
                foreign = true;
                continue;
            }
            let found = if named.is_session {
                by_session.get(&named.arn)
            } else {
                self.principals.get(&named.arn)
            };
            if let Some(id) = found {
                let binding = Binding { arn: named.arn, id: *id };
                bindings.extend((!bindings.contains(&binding)).then_some(binding));
            } else {
                self.missing_principal(&named.arn);
                gone.insert(named.arn);
            }
        }
        bindings.retain(|binding| !gone.contains(&binding.arn));
        if let Err(error) = &parsed {
            self.unreadable(file, raw, format!("{role} trust policy"), error);
        }
        let text = TrustText::exported(&source, parsed, bindings, foreign);
        self.trust_texts.insert(source, text.clone());
        text
    }

    fn missing_principal(&mut self, arn: &Arn) {
        if self.missing_principals.insert(arn.clone()) {
            self.notes.push(Note {
                kind: NoteKind::Missing,
                place: None,
                about: arn.to_string(),
                text: "a trust policy names it and it is not there; nobody is let in by this name"
                    .to_owned(),
            });
        }
    }

    fn unreadable(&mut self, file: usize, raw: Option<&str>, about: String, error: &DocumentError) {
        let (place, text) = match raw {
            Some(raw) => (self.place(file, raw), format!("it cannot be read: {error}")),
            None => (None, "its document is not there".to_owned()),
        };
        let text = format!("{text}; whoever it applies to is denied");
        self.notes.push(Note { kind: NoteKind::Unreadable, place, about, text });
    }
}

/// A user or role that a principal names.
struct Named {
    account: AccountId,
    /// Its ARN; that of a session's role has no path (PR-11).
    arn: Arn,
    is_session: bool,
}

impl Named {
    fn by(text: &str) -> Option<Self> {
        let arn: Arn = text.parse().ok()?;
        let account = arn.account_id()?;
        match (arn.service(), arn.resource().split_once('/')?) {
            ("iam", ("user" | "role", _)) => Some(Self { account, arn, is_session: false }),
            ("sts", ("assumed-role", session)) => {
                let (role, _) = session.split_once('/')?;
                let text = format!("arn:{}:iam::{account}:role/{role}", arn.partition());
                Some(Self { account, arn: text.parse().ok()?, is_session: true })
            }
            _ => None,
        }
    }
}
