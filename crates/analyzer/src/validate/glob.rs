//! Relations between patterns with `*` and `?`.
//!
//! Lengths are bounded where two patterns meet, so the work is too.

/// The longest pattern that is compared with another, in bytes.
const MAX_PATTERN: usize = 2_048;

/// Whether a pattern matches a text without regard to ASCII case.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    walk(pattern.as_bytes(), text.as_bytes(), |p, t| p == b'?' || p.eq_ignore_ascii_case(&t))
}

/// Whether everything that `inner` matches is matched by `outer`. It may say no where the answer is
/// yes, never yes where it is no. Escapes such as `${*}` are never covered.
pub(super) fn covers(outer: &str, inner: &str, fold: bool) -> bool {
    let escapes = ["${*}", "${?}", "${$}"];
    let odd = |text: &str| text.len() > MAX_PATTERN || escapes.iter().any(|e| text.contains(e));
    if odd(outer) || odd(inner) {
        return false;
    }
    walk(outer.as_bytes(), inner.as_bytes(), |p, t| {
        if p == b'?' { t != b'*' } else { p == t || fold && p.eq_ignore_ascii_case(&t) }
    })
}

/// The same where many are compared: `spend` is told the steps of each, and no is the answer where
/// it refuses.
pub(super) fn covers_within(
    outer: &str,
    inner: &str,
    fold: bool,
    spend: impl Fn(usize) -> bool,
) -> bool {
    // What lies before the first wildcard decides most pairs.
    let head = outer.find(['*', '?']).unwrap_or(outer.len());
    let begins = match (outer.as_bytes().get(..head), inner.as_bytes().get(..head)) {
        (Some(a), Some(b)) => {
            if fold {
                a.eq_ignore_ascii_case(b)
            } else {
                a == b
            }
        }
        _ => false,
    };
    if !begins {
        spend(head / 16 + 1);
        return false;
    }
    // A single star is found in one go; each further one may begin again at every place.
    let stars = outer.bytes().filter(|byte| *byte == b'*').count();
    let steps = if stars < 2 { outer.len() + inner.len() } else { outer.len() * inner.len() };
    spend(steps) && covers(outer, inner, fold)
}

/// Leftmost matching of the parts between stars.
fn walk(pattern: &[u8], text: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(sign) if same(*sign, *byte) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                (p, t) = (star, from + 1);
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|sign| *sign == b'*')
}

/// Whether some text matches both patterns. Yes for patterns that are too long to tell.
pub(super) fn overlap(one: &str, other: &str, fold: bool) -> bool {
    if one.len() > MAX_PATTERN || other.len() > MAX_PATTERN {
        return true;
    }
    let begins = |text: &str| text.find(['*', '?']).unwrap_or(text.len());
    let same = begins(one).min(begins(other));
    let (head, start) = (one.as_bytes().get(..same), other.as_bytes().get(..same));
    let equal =
        head.zip(start).is_some_and(|(a, b)| if fold { a.eq_ignore_ascii_case(b) } else { a == b });
    if !equal {
        return false;
    }
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut row: Vec<bool> = Vec::with_capacity(other.len() + 1);
    let mut open = true;
    row.push(true);
    for sign in other {
        open = open && *sign == b'*';
        row.push(open);
    }
    for a in one {
        let mut next = Vec::with_capacity(row.len());
        next.push(*a == b'*' && row.first().copied().unwrap_or_default());
        for (at, b) in other.iter().enumerate() {
            let get = |row: &[bool], at: usize| row.get(at).copied().unwrap_or_default();
            let same = *a == b'?' || *b == b'?' || a == b || fold && a.eq_ignore_ascii_case(b);
            let step = if *a == b'*' || *b == b'*' {
                get(&row, at + 1) || get(&next, at)
            } else {
                same && get(&row, at)
            };
            next.push(step);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Whether a text has a wildcard.
pub(super) fn is_wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// The text with each `${...}` made a star.
pub(super) fn open_variables(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once("${") {
        out.push_str(before);
        let Some((_, after)) = variable.split_once('}') else {
            out.push_str("${");
            rest = variable;
            continue;
        };
        out.push('*');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How many single letters must change to make one text the other, without regard to case; none if
/// more than `limit`.
pub(super) fn distance(one: &str, other: &str, limit: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > limit || one.len() > 128 {
        return None;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (slot, b) in row.iter_mut().skip(1).zip(other.bytes()) {
            let change = before + usize::from(!a.eq_ignore_ascii_case(&b));
            before = *slot;
            left = change.min(before + 1).min(left + 1);
            *slot = left;
        }
    }
    row.last().copied().filter(|found| *found <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compare() {
        for (one, other, covered, overlapping) in [
            ("*", "", true, true),
            ("a*", "ab*", true, true),
            ("ab*", "a*", false, true),
            ("a*c", "ab?c", true, true),
            ("a?", "a*", false, true),
            ("*x*", "a*x", true, true),
            ("a*", "b*", false, false),
            ("a?c", "ab", false, false),
            ("${*}", "${a}", false, true),
        ] {
            assert_eq!(covers(one, other, false), covered, "{one} {other}");
            assert_eq!(overlap(one, other, false), overlapping, "{one} {other}");
        }
        assert!(matches("Get*", "getobject"));
        assert_eq!(open_variables("a/${aws:x}/b${"), "a/*/b${");
        assert_eq!(distance("GetObjekt", "GetObject", 2), Some(1));
        assert_eq!(distance("GetObjekt", "PutThings", 2), None);
    }
}
