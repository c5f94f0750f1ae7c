//! Whether one statement matches a request (ST-1).

use super::Layer;
use super::caller::{Grade, Reading};
use super::case::Case;
use super::condition::holds;
use super::document::{Items, Policy, Statement};
use super::glob::{Piece, Token, fields, matches, pieces, plain, resolve};

/// How a statement meets the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Match {
    No,
    Yes(Grade),
    /// OP-X1: it would match but for an operator without meaning.
    Unclear,
}

pub(super) fn check(statement: &Statement, policy: &Policy, layer: Layer, case: &Case) -> Match {
    let reading = Reading {
        allows: statement.allows,
        bounded: case.boundary.is_some(),
        gateway: layer == Layer::Endpoint && case.gateway,
        // PR-12 is about what is attached to the resource.
        entities: case
            .entities
            .as_deref()
            .filter(|_| matches!(layer, Layer::Resource | Layer::Trust)),
    };
    let grade = case.caller.grade(&statement.principal, reading);
    let allows = statement.allows;
    // ACT-3, RES-3: an irregular pattern never grants. It matches nothing where a match would
    // grant, and is a glob where a match would deny, or would take from an Allow.
    let grants = |items: &Items| allows != matches!(items, Items::AllBut(_));
    let strict = grants(&statement.action);
    let action = listed(&statement.action, |pattern| action(pattern, &case.action, strict));
    let strict = grants(&statement.resource);
    let resource = listed(&statement.resource, |pattern| {
        resource(pattern, case, layer, strict, policy.variables)
    });
    if grade == Grade::None || !action || !resource {
        return Match::No;
    }
    let mut unclear = false;
    for condition in &statement.conditions {
        match holds(condition, &case.context, allows, policy.variables) {
            Ok(true) => {}
            Ok(false) => return Match::No,
            Err(_) => unclear = true,
        }
    }
    if unclear { Match::Unclear } else { Match::Yes(grade) }
}

/// ACT-4, RES-8, RES-10: a list matches by any entry, its negation by none.
fn listed(items: &Items, hit: impl Fn(&str) -> bool) -> bool {
    match items {
        Items::Missing => true, // RES-9: the resource itself
        Items::Only(patterns) => patterns.iter().any(|p| hit(p)),
        Items::AllBut(patterns) => !patterns.iter().any(|p| hit(p)),
    }
}

/// ACT-1, ACT-2, ACT-5
fn action(pattern: &str, action: &str, strict: bool) -> bool {
    // ACT-3
    if pattern == "*" || pattern == "*:*" {
        return true;
    }
    let prefix = pattern.split(':').next().unwrap_or_default();
    if strict && prefix.contains(['*', '?']) {
        return false;
    }
    plain(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

fn resource(pattern: &str, case: &Case, layer: Layer, strict: bool, variables: bool) -> bool {
    // RES-4
    if pattern == "*" {
        return true;
    }
    // RES-11
    if !pattern.starts_with("arn:") {
        return false;
    }
    let pieces = pieces(pattern, variables);
    let mut fields = fields(&pieces);
    let wild = |piece: &Piece| matches!(piece, Piece::Plain('*' | '?'));
    // RES-3
    if strict && fields.get(2).is_some_and(|service| service.iter().any(wild)) {
        return false;
    }
    let missing = 6_usize.saturating_sub(fields.len());
    // RES-5
    let usable = missing == 0
        || match layer {
            Layer::Identity | Layer::Session | Layer::Boundary => true,
            Layer::Scp => pattern.ends_with('*'),
            Layer::Rcp => false,
            _ => pieces.iter().any(wild),
        };
    if !usable {
        return false;
    }
    let as_it_stands = whole(&fields, case, &case.resource);
    fields.resize(fields.len() + missing, &[Piece::Plain('*')]);
    as_it_stands || whole(&fields, case, &case.resource)
}

/// RES-1: the fields against the resource, wildcards by their place.
fn whole(fields: &[&[Piece]], case: &Case, text: &str) -> bool {
    let mut tokens = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            tokens.push(Token::Char(':'));
        }
        // RES-6: variables from the fourth field on, before that their text. RES-7
        let resolved = if at < 3 { Some(unresolved(field)) } else { resolve(field, &case.context) };
        let Some(mut resolved) = resolved else {
            return false;
        };
        if at < 5 {
            // RES-6: a value with a colon matches nothing in these.
            if at > 2 && resolved.contains(&Token::Char(':')) {
                return false;
            }
            let last = field.len().checked_sub(1).and_then(|last| field.get(last));
            let runs_on = last == Some(&Piece::Plain('*'));
            let end = resolved.len().saturating_sub(1);
            for (place, token) in resolved.iter_mut().enumerate() {
                *token = match *token {
                    Token::One => Token::OneInField,
                    Token::Run if !(runs_on && place == end) => Token::RunInField,
                    other => other,
                };
            }
        }
        tokens.extend(resolved);
    }
    matches(&tokens, text)
}

/// A field in which variables are plain text.
fn unresolved(field: &[Piece]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for piece in field {
        match piece {
            Piece::Plain('*') => tokens.push(Token::Run),
            Piece::Plain('?') => tokens.push(Token::One),
            Piece::Plain(c) => tokens.push(Token::Char(*c)),
            Piece::Escaped(c) => tokens.extend(['$', '{', *c, '}'].map(Token::Char)),
            Piece::Variable { raw, .. } => tokens.extend(raw.chars().map(Token::Char)),
        }
    }
    tokens
}
