//! What follows from who calls: each caller fixes some of the keys.

use std::rc::Rc;

use bailiwick_policy::{Context, Principal, Token};

use crate::bits::Bits;
use crate::caller::Caller;
use crate::key::{KeyInfo, KeySet, Multi, Values};
use crate::pattern::Id;
use crate::question::{Question, Region};
use crate::text::PatternList;

/// Keys that follow from the caller.
const OF_CALLER: [&str; 10] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
];

impl Question {
    /// Whether a key that follows from the caller is asked for.
    pub(crate) fn asks_of_caller(&self) -> bool {
        self.resource_policies && self.keys.iter().any(|key| OF_CALLER.contains(&&*key.name))
    }

    /// All requests of one caller, with the keys that follow from it.
    pub(crate) fn of_caller(&self, at: usize) -> Option<Region> {
        let caller = self.callers.get(at)?;
        let mut region = self.all.clone();
        region.callers = Bits::of(self.callers.len(), |other| other == at);
        let mut facts = Context::new();
        facts.put_principal(&caller.principal);
        for (place, key) in self.keys.iter().enumerate() {
            if !OF_CALLER.contains(&&*key.name) {
                continue;
            }
            let org = key.name.starts_with("aws:principalorg");
            if org && caller.principal.has_identity() {
                continue;
            }
            let set = region.keys.get_mut(place)?;
            let held: Vec<&str> = facts.values(&key.name).collect();
            let narrowed = if held.is_empty() || org {
                KeySet { absent: set.absent, single: None, multi: None }
            } else if is_open(caller, &key.name) {
                let mut open = KeySet { absent: false, ..(**set).clone() };
                self.keep_to_kind(&mut open, caller, &key.name);
                open
            } else {
                self.exactly(set, key, &held)
            };
            *set = Rc::new(narrowed);
        }
        Some(region)
    }

    /// Keeps `aws:PrincipalArn` and `aws:PrincipalAccount` to what the caller may have, but for
    /// what other callers of the question have.
    fn keep_to_kind(&self, set: &mut KeySet, caller: &Caller, key: &str) {
        let Some(Values::Texts(texts)) = &mut set.single else { return };
        let patterns = &self.space.patterns;
        let others = self.callers.iter().filter(|other| caller.any_account && !other.any_account);
        let (kept, left_out): (Option<Id>, Vec<Id>) = match key {
            "aws:principalarn" => {
                let named = self.named.iter().filter_map(|arn| patterns.find_literal(arn));
                let kinds = others.filter_map(|other| self.kind_pattern(other));
                (self.kind_pattern(caller), named.chain(kinds).collect())
            }
            "aws:principalaccount" => {
                let accounts = others.filter_map(|other| other.principal.account());
                let accounts = accounts.filter_map(|id| patterns.find_literal(&id.to_string()));
                (patterns.find(&account_tokens()), accounts.collect())
            }
            _ => return,
        };
        let left_out = PatternList::new(left_out, patterns);
        *texts = self.space.restrict(texts, &left_out, false);
        if let Some(kept) = kept {
            let kept = PatternList::new(vec![kept], patterns);
            *texts = self.space.restrict(texts, &kept, true);
        }
    }

    /// The pattern of the ARNs of a caller's kind in its account, entered by [`base`] where it is
    /// needed.
    fn kind_pattern(&self, caller: &Caller) -> Option<Id> {
        self.space.patterns.find(&kind_tokens(caller)?)
    }

    fn exactly(&self, set: &KeySet, key: &KeyInfo, held: &[&str]) -> KeySet {
        let narrow = |values: &Values| match values {
            Values::Points(points) => {
                let list = key.points.as_deref().unwrap_or_default();
                Values::Points(Bits::of(list.len(), |at| {
                    points.has(at) && list.get(at).is_some_and(|p| held.contains(&p.as_str()))
                }))
            }
            Values::Texts(texts) => {
                let ids = held.iter().filter_map(|text| self.space.patterns.find_literal(text));
                let list = PatternList::new(ids.collect(), &self.space.patterns);
                Values::Texts(self.space.restrict(texts, &list, true))
            }
        };
        KeySet {
            absent: false,
            single: set.single.as_ref().map(narrow),
            multi: set
                .multi
                .as_ref()
                .map(|multi| Multi { each: narrow(&multi.each), some: Vec::new() }),
        }
    }

    /// Enters the texts that [`Question::of_caller`] looks up.
    pub(crate) fn enter_facts(&mut self) {
        let named = self.named.clone();
        for text in &named {
            self.space.patterns.literal(text);
        }
        self.space.patterns.add(&account_tokens(), false);
        for caller in self.callers.clone() {
            let mut facts = Context::new();
            facts.put_principal(&caller.principal);
            for key in OF_CALLER {
                for value in facts.values(key) {
                    self.space.patterns.literal(value);
                }
            }
            if let Some(tokens) = kind_tokens(&caller) {
                self.space.patterns.add(&tokens, false);
            }
        }
    }
}

/// Whether the key's value differs among those for whom the caller stands.
fn is_open(caller: &Caller, key: &str) -> bool {
    match key {
        "aws:principalarn" | "aws:username" => caller.any_name || caller.any_account,
        "aws:userid" => !matches!(caller.principal, Principal::Anonymous),
        "aws:principalaccount" => caller.any_account,
        _ => false,
    }
}

/// Twelve digits; what is no digit is no account that anybody writes.
fn account_tokens() -> Vec<Token> {
    vec![Token::OneField; 12]
}

fn kind_tokens(caller: &Caller) -> Option<Vec<Token>> {
    let (service, resource) = match &caller.principal {
        Principal::User { .. } => ("iam", "user/"),
        Principal::Session { .. } | Principal::Role { .. } => ("iam", "role/"),
        Principal::FederatedUser { .. } => ("sts", "federated-user/"),
        Principal::Root { .. } => ("iam", "root"),
        _ => return None,
    };
    let partition = caller.principal.describe().split(':').nth(1)?.to_owned();
    let mut tokens = vec![Token::Text(format!("arn:{partition}:{service}::").into())];
    if caller.any_account {
        tokens.extend(std::iter::repeat_n(Token::OneField, 12));
    } else {
        tokens.push(Token::Text(caller.principal.account()?.to_string().into()));
    }
    tokens.push(Token::Text(format!(":{resource}").into()));
    if !matches!(caller.principal, Principal::Root { .. }) {
        tokens.extend([Token::One, Token::Star]);
    }
    Some(tokens)
}
