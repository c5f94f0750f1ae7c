//! The policies of an account as the API tells them.

pub(crate) mod group;
pub(crate) mod inline;
pub(crate) mod lint;
pub(crate) mod sample;
pub(crate) mod summary;

use serde_json::{Map, Value as Json};

use crate::iam::Iam;

/// The lists of GetAccountAuthorizationDetails.
const LISTS: &[&str] = &["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
/// Pages of one answer.
const MAX_PAGES: usize = 100_000;

/// All users, groups, roles and customer managed policies with their documents.
pub(crate) struct Details(Map<String, Json>);

impl Details {
    /// One of the lists, such as `UserDetailList`.
    pub(crate) fn of(&self, list: &str) -> &[Json] {
        self.0.get(list).and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }

    /// The whole as an account export, documents decoded.
    pub(crate) fn into_export(self) -> Json {
        Json::Object(self.0)
    }
}

/// Reads them, page by page.
pub(crate) fn details(iam: &Iam) -> anyhow::Result<Details> {
    details_of(iam, &["User", "Group", "Role", "LocalManagedPolicy"])
}

/// The same for some kinds.
pub(crate) fn details_of(iam: &Iam, kinds: &[&str]) -> anyhow::Result<Details> {
    let mut found: Map<String, Json> =
        LISTS.iter().map(|list| ((*list).to_owned(), Json::Array(Vec::new()))).collect();
    let filters: Vec<String> =
        (1..=kinds.len()).map(|place| format!("Filter.member.{place}")).collect();
    let mut marker: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut asked: Vec<(&str, &str)> = vec![("MaxItems", "1000")];
        asked.extend(filters.iter().zip(kinds).map(|(name, kind)| (name.as_str(), *kind)));
        if let Some(marker) = &marker {
            asked.push(("Marker", marker));
        }
        let mut page = iam.call("GetAccountAuthorizationDetails", &asked)?;
        for list in LISTS {
            let items = page.get_mut(*list).map(Json::take);
            if let (Some(Json::Array(items)), Some(Json::Array(held))) =
                (items, found.get_mut(*list))
            {
                held.extend(items);
            }
        }
        match page.get("Marker").and_then(Json::as_str) {
            Some(next) => marker = Some(next.to_owned()),
            None => return Ok(Details(found)),
        }
    }
    anyhow::bail!("the list of policies does not end")
}

/// A document as the API tells it: percent-encoded. What is not stays as it is.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit =
            |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                    bytes.push(high << 4 | low);
                    rest = after;
                    continue;
                }
                bytes.push(b'%');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded() {
        for (text, expected) in [
            ("%7B%22a%22%3A%20%22%C3%A9%22%7D", r#"{"a": "é"}"#),
            (r#"{"plain": "100%"}"#, r#"{"plain": "100%"}"#),
            ("%zz%4", "%zz%4"),
            ("", ""),
        ] {
            assert_eq!(decoded(text), expected);
        }
    }
}
