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
    let scope = scope(call, filters);
    let after = paging.marker.map(|marker| open(call, &scope, marker)).transpose()?;
    let wanted = usize::try_from(paging.max_items.unwrap_or(DEFAULT_ITEMS)).unwrap_or(1).max(1);
    let mut rest = items.filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
    let page: Vec<T> = rest.by_ref().take(wanted).collect();
    let marker = match (rest.next(), page.last()) {
        (Some(_), Some(last)) => Some(seal(call, &scope, &key(last))?),
        _ => None,
    };
    Ok(Page { items: page, marker })
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
