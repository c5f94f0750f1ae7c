//! Whether a resource policy lets the public in.
//!
//! *Documented* (S3, "The meaning of public"): a policy is taken for public unless it grants
//! access to fixed values only, without wildcards or variables, of the caller, the caller's
//! organization, or the source of the call. So the question is whether a caller whom the policy
//! does not name is let in by a request in which each of these keys is absent or has a value that
//! the policy does not fix.

use std::net::IpAddr;

use bailiwick_policy::{ConditionView, Document, Principal, Token};

use crate::answer::{Answer, Finding};
use crate::bits::Bits;
use crate::claim::Asker;
use crate::key::{KeySet, Multi, Values};
use crate::question::Question;
use crate::text::{PatternList, Space};

/// Keys of which a fixed value keeps the public out.
const FIXING: [&str; 22] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:userid",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    // *Documented* (EFS): through a mount target, so from within a network.
    "elasticfilesystem:accessedviamounttarget",
    "kms:calleraccount",
    "lambda:eventsourcetoken",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// Whether no caller whom the resource policy does not name is let in, but for requests that a
/// fixed organization, source, network or narrow range of addresses makes.
///
/// Deny statements count. Services and identity providers that are named are not the public.
///
/// ```
/// use bailiwick_policy::{Document, DocumentKind};
/// use bailiwick_symbolic::not_public;
///
/// let bucket = |condition: &str| {
///     let text = format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow",
///         "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes/*",
///         "Condition": {{{condition}}}}}}}"#);
///     Document::parse(&text, DocumentKind::Resource)
/// };
/// assert!(not_public(&bucket(r#""StringEquals": {"aws:SourceVpce": "vpce-1a2b"}"#)?).holds());
/// let answer = not_public(&bucket(r#""StringLike": {"aws:SourceVpce": "vpce-*"}"#)?);
/// assert!(answer.witness().is_some());
/// # Ok::<(), bailiwick_policy::DocumentError>(())
/// ```
pub fn not_public(document: &Document) -> Answer {
    Asker::default().public(document, true).into_iter().collect()
}

impl Asker {
    /// See [`not_public`].
    pub fn not_public(&self, document: &Document) -> Answer {
        self.public(document, true).into_iter().collect()
    }

    /// The Allow statements by which the public is let in, or by which it may be.
    pub fn letting_public(&self, document: &Document) -> Vec<Finding> {
        self.public(document, false)
    }

    fn public(&self, document: &Document, stop: bool) -> Vec<Finding> {
        if !document.kind().has_principal() {
            return Vec::new();
        }
        let documents = std::slice::from_ref(document);
        let mut question = self.question(&[documents]);
        question.keep_to_public(document);
        self.allowing(&question, documents, stop)
    }
}

impl Question {
    /// Leaves the callers whom nobody names, and of each key what nobody fixes.
    fn keep_to_public(&mut self, document: &Document) {
        self.all.callers = Bits::of(self.callers.len(), |at| {
            self.callers.get(at).is_some_and(|caller| {
                caller.any_account || matches!(caller.principal, Principal::Anonymous)
            })
        });
        let views: Vec<ConditionView<'_>> =
            document.statements().iter().flat_map(|one| one.condition_views()).collect();
        for place in 0..self.keys.len() {
            let Some(name) = self.keys.get(place).map(|key| key.name.clone()) else { continue };
            let views = views.iter().filter(|view| *view.key().0 == *name);
            if *name == *"aws:sourceip" {
                let listed = views.flat_map(|view| view.values()).map(AsRef::as_ref);
                self.keep_to_wide(place, &Range::narrow(listed));
            } else if FIXING.contains(&&*name) {
                let mut ids = Vec::new();
                for (tokens, case_counts) in views.filter_map(ConditionView::tokens) {
                    let fixed = tokens.iter().filter(|tokens| is_fixed(&name, tokens));
                    let patterns = &mut self.space.patterns;
                    ids.extend(fixed.filter_map(|tokens| patterns.add(tokens, !case_counts)));
                }
                let fixed = PatternList::new(ids, &self.space.patterns);
                self.keep_to_open(place, &fixed);
            }
        }
    }

    fn keep_to_open(&mut self, place: usize, fixed: &PatternList) {
        self.narrow(place, |values, space| match values {
            Values::Texts(texts) => Values::Texts(space.restrict(texts, fixed, false)),
            Values::Points(points) => Values::Points(points.clone()),
        });
    }

    fn keep_to_wide(&mut self, place: usize, narrow: &[Range]) {
        let points = self.keys.get(place).and_then(|key| key.points.clone()).unwrap_or_default();
        self.narrow(place, |values, _| match values {
            Values::Points(held) => Values::Points(Bits::of(points.len(), |at| {
                let address = points.get(at).and_then(|text| text.parse::<IpAddr>().ok());
                let inside = |address| narrow.iter().any(|range| range.has(address));
                held.has(at) && !address.is_some_and(inside)
            })),
            Values::Texts(texts) => Values::Texts(texts.clone()),
        });
    }

    fn narrow(&mut self, place: usize, keep: impl Fn(&Values, &Space) -> Values) {
        let Some(set) = self.all.keys.get(place) else { return };
        let keep = |values: &Values| keep(values, &self.space);
        let single = set.single.as_ref().map(keep);
        let multi = set.multi.as_ref().map(|multi| Multi {
            each: keep(&multi.each),
            some: multi.some.iter().map(keep).collect(),
        });
        let narrowed = KeySet {
            absent: set.absent,
            single: single.filter(|values| !values.is_empty(&self.space)),
            multi: multi.filter(|multi| !multi.is_empty(&self.space)),
        };
        if let Some(set) = self.all.keys.get_mut(place) {
            *set = std::rc::Rc::new(narrowed);
        }
    }
}

/// Whether a listed value stands for one source, caller or organization.
fn is_fixed(key: &str, tokens: &[Token]) -> bool {
    let text = |token: &Token| match token {
        Token::Text(text) => Some(text.clone()),
        _ => None,
    };
    let start: String = tokens.iter().map_while(text).collect();
    let plain = tokens.iter().all(|token| matches!(token, Token::Text(_)));
    match key {
        // *Documented*: but for the sessions of a role.
        "aws:userid" => plain && !(start.starts_with("AROA") && start.contains(':')),
        // *Documented*: any access point of one account.
        "s3:dataaccesspointarn" => plain || account_of(&start),
        // *Modelled*: any unit of one organization.
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => {
            plain || start.split_once('/').is_some_and(|(org, _)| org.starts_with("o-"))
        }
        _ => plain,
    }
}

/// Whether what an ARN begins with has a whole account in it.
fn account_of(start: &str) -> bool {
    let fields: Vec<&str> = start.splitn(6, ':').collect();
    matches!(fields.as_slice(), ["arn", _, _, _, account, _]
        if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A range of addresses; those of IPv4 as IPv6 maps them.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: u128,
    last: u128,
}

/// How many IPv4 addresses may be fixed together: half of them. *Modelled*: many narrow ranges
/// that make up a wide one are as wide.
const MOST_ADDRESSES: u128 = 1 << 31;

impl Range {
    /// The ranges that fix the source: *documented*, of at most a /8 of IPv4 or a /32 of IPv6.
    fn narrow<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<Self> {
        let mut out: Vec<Self> = texts.filter_map(Self::parse).collect();
        out.retain(|range| range.size() <= if range.is_short() { 1 << 24 } else { 1 << 96 });
        let short: u128 = out.iter().filter(|range| range.is_short()).map(|r| r.size()).sum();
        if short > MOST_ADDRESSES {
            out.retain(|range| !range.is_short());
        }
        out
    }

    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (address, bits) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(short) => (short.to_ipv6_mapped(), 96 + bits.unwrap_or(32)),
            IpAddr::V6(long) => (long, bits.unwrap_or(128)),
        };
        let mask = u128::MAX.checked_shl(128_u32.checked_sub(bits)?).unwrap_or(0);
        let first = u128::from(address) & mask;
        Some(Self { first, last: first | !mask })
    }

    fn is_short(self) -> bool {
        self.first >> 32 == 0xffff && self.last >> 32 == 0xffff
    }

    fn size(self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }

    fn has(self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V4(short) => short.to_ipv6_mapped(),
            IpAddr::V6(long) => long,
        };
        (self.first..=self.last).contains(&u128::from(address))
    }
}
