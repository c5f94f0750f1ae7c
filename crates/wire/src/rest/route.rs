//! Which operation a method and path name.

use http::Method;

use crate::schema::{Operation, Service};

/// A path or method that names no operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Miss {
    /// No operation has this path.
    Path,
    /// Operations have this path, with other methods.
    Method,
}

/// The operation of a service that stands at a path. Literal segments come before labels, from the
/// left.
pub fn operation(
    service: &Service,
    method: &Method,
    path: &str,
) -> Result<&'static Operation, Miss> {
    let mut miss = Miss::Path;
    let mut best: Option<(Vec<bool>, &'static Operation)> = None;
    for operation in service.operations.iter().copied() {
        let Some(literals) = fit(operation.http.path, path) else { continue };
        if operation.http.method != method.as_str() {
            miss = Miss::Method;
        } else if best.as_ref().is_none_or(|(held, _)| literals > *held) {
            best = Some((literals, operation));
        }
    }
    best.map(|(_, operation)| operation).ok_or(miss)
}

/// Which segments of a template that fits are literal.
fn fit(template: &str, path: &str) -> Option<Vec<bool>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut literals = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(literals),
            (Some(wanted), Some(given)) => {
                let literal = label(wanted).is_none();
                let fits = if literal { wanted == given } else { !given.is_empty() };
                if !fits {
                    return None;
                }
                literals.push(literal);
            }
            _ => return None,
        }
    }
}

/// The name of a label: `{name}`.
pub(super) fn label(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
