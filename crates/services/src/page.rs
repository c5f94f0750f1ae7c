//! Pagination: markers are sealed, and bound to account, operation, caller and filters.

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_store::seal::{Binding, Purpose};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::call::Call;
use crate::fault::Fault;

/// One page of a list.
pub(crate) struct Page<T> {
    /// The items of the page.
    pub(crate) items: Vec<T>,
    /// What the client sends to get the next page; absent on the last.
    pub(crate) marker: Option<String>,
}

/// The largest and the usual page of IAM. Source: IAM API, maxItemsType.
const DEFAULT_ITEMS: i32 = 100;

/// The most bytes of a page whose items carry documents: it ends before the item that would pass
/// them, unless that is its first.
const BUDGET: usize = 1 << 20;

/// What the client asked for.
#[derive(Clone, Copy)]
pub(crate) struct Paging<'a> {
    /// The marker of the previous page.
    pub(crate) marker: Option<&'a str>,
    /// The most items wanted; validation has bounded it.
    pub(crate) max_items: Option<i32>,
}

/// Cuts a page out of `items`, which come in ascending order of their keys. `filters` is every
/// parameter that shapes the list: a marker made with others is refused (threat C17).
pub(crate) fn cut<T>(
    call: &Call<'_>,
    paging: Paging<'_>,
    filters: &[&str],
    items: impl Iterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Fault> {
    cut_weighed(call, paging, filters, items, key, |_| 0)
}

/// As [`cut`], for items of very different sizes: `cost` is about how many bytes of the answer an
/// item takes, and a page has at most 1 MiB of them, or one item.
pub(crate) fn cut_weighed<T>(
    call: &Call<'_>,
    paging: Paging<'_>,
    filters: &[&str],
    items: impl Iterator<Item = T>,
    key: impl Fn(&T) -> String,
    cost: impl Fn(&T) -> usize,
) -> Result<Page<T>, Fault> {
    let scope = scope(call, filters);
    let after = paging.marker.map(|marker| open(call, &scope, marker)).transpose()?;
    let wanted = usize::try_from(paging.max_items.unwrap_or(DEFAULT_ITEMS)).unwrap_or(1).max(1);
    let rest = items.filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    let (page, more) = fill(rest, wanted, BUDGET, cost);
    let marker = match page.last() {
        Some(last) if more => Some(seal(call, &scope, &key(last))?),
        _ => None,
    };
    Ok(Page { items: page, marker })
}

/// The first items, at most `wanted` and within the budget, but one in any case; and whether there
/// are more.
fn fill<T>(
    items: impl Iterator<Item = T>,
    wanted: usize,
    budget: usize,
    cost: impl Fn(&T) -> usize,
) -> (Vec<T>, bool) {
    let mut page = Vec::new();
    let mut left = budget;
    for item in items {
        if page.len() >= wanted {
            return (page, true);
        }
        match left.checked_sub(cost(&item)) {
            Some(rest) => left = rest,
            None if page.is_empty() => left = 0,
            None => return (page, true),
        }
        page.push(item);
    }
    (page, false)
}

/// About how many bytes a document takes in an answer, where it stands percent-encoded.
pub(crate) fn document_cost(text: &str) -> usize {
    let encoded = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if plain { 1 } else { 3 }
    };
    text.bytes().map(encoded).sum()
}

fn scope(call: &Call<'_>, filters: &[&str]) -> Vec<u8> {
    let mut text =
        format!("{}\0{}\0{}", call.account().id(), call.operation(), call.caller().arn());
    for filter in filters {
        text.push('\0');
        text.push_str(filter);
    }
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

fn seal(call: &Call<'_>, scope: &[u8], last: &str) -> Result<String, Fault> {
    let binding = Binding { kind: "page", id: scope, version: 1 };
    let mut nonce = [0; 12];
    call.entropy().fill(&mut nonce);
    call.keyring()
        .seal(Purpose::PageMarker, &binding, last.as_bytes(), nonce)
        .map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
        .map_err(|_| Fault::internal())
}

fn open(call: &Call<'_>, scope: &[u8], marker: &str) -> Result<String, Fault> {
    let invalid = || Fault::validation("Invalid Marker.");
    let binding = Binding { kind: "page", id: scope, version: 1 };
    let sealed = URL_SAFE_NO_PAD.decode(marker).map_err(|_| invalid())?;
    let plain =
        call.keyring().open(Purpose::PageMarker, &binding, &sealed).map_err(|_| invalid())?;
    String::from_utf8(plain.to_vec()).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither many small items nor a few large ones make a page that is too large.
    #[test]
    fn a_page_ends_at_its_count_or_its_bytes() {
        for (costs, wanted, expected) in [
            (&[][..], 10, (0, false)),
            (&[1, 1, 1], 10, (3, false)),
            (&[1, 1, 1], 3, (3, false)),
            (&[1, 1, 1], 2, (2, true)),
            (&[4, 6], 10, (2, false)),
            (&[4, 6, 0], 10, (3, false)),
            (&[4, 6, 1], 10, (2, true)),
            (&[4, 7], 10, (1, true)),
            (&[11], 10, (1, false)),
            (&[11, 1], 10, (1, true)),
            (&[usize::MAX, usize::MAX], 10, (1, true)),
            (&[0, 0, 0], 10, (3, false)),
        ] {
            let (page, more) = fill(costs.iter(), wanted, 10, |cost| **cost);
            assert_eq!((page.len(), more), expected, "{costs:?}, {wanted}");
        }
    }

    #[test]
    fn a_document_costs_what_it_takes_encoded() {
        for (text, encoded) in [
            ("", ""),
            ("aZ09-._~", "aZ09-._~"),
            ("{\"a\": \"*\"}\n", "%7B%22a%22%3A%20%22%2A%22%7D%0A"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(document_cost(text), encoded.len(), "{text:?}");
        }
    }
}
