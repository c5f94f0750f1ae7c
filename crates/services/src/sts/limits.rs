//! What a caller may give a session that limits or marks it: session policies and session tags.

use bailiwick_identifiers::{Arn, Tag, TagError, TagSet};
use bailiwick_model::{Account, document};
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_wire::generated::sts as api;

use crate::call::Call;
use crate::fault::Fault;
use crate::sts::credentials::share;

/// Characters of all session policies together (SES-12).
const MAX_PLAIN: usize = 2048;
/// Managed session policies (SES-1).
const MAX_POLICIES: usize = 10;
/// Session tags (api-surface, quotas).
pub(super) const MAX_TAGS: usize = 50;

/// What the request gives the session.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// The inline session policy.
    pub(super) policy: Option<&'a str>,
    /// The managed session policies.
    pub(super) arns: &'a [Arn],
    /// The session tags.
    pub(super) tags: &'a TagSet,
}

impl Given<'_> {
    /// Refuses session policies that are too long, cannot be read, or are not in the account in
    /// which the session acts (SES-12).
    pub(super) fn check(self, call: &Call<'_>, account: &Account) -> Result<(), Fault> {
        if self.plain_size() > MAX_PLAIN {
            let text = format!(
                "Packed policy consumes {}% of allotted space, please use smaller policy.",
                share(self.plain_size(), MAX_PLAIN)
            );
            return Err(Fault::new("PackedPolicyTooLarge", text));
        }
        if let Some(text) = self.policy {
            Document::parse_strict(text, DocumentKind::Session).map_err(|error| {
                Fault::new("MalformedPolicyDocument", crate::policy_message(&error))
            })?;
        }
        for arn in self.arns {
            if document(account, call.node().managed(), arn).is_none() {
                return Err(Fault::new(
                    "MalformedPolicyDocument",
                    format!("The session policy {arn} does not exist."),
                ));
            }
        }
        Ok(())
    }

    fn plain_size(self) -> usize {
        let inline = self.policy.map_or(0, |text| text.chars().count());
        inline + self.arns.iter().map(|arn| arn.as_str().len()).sum::<usize>()
    }

    /// The share of the room for policies and tags that the request takes, in percent.
    pub(super) fn packed_size(self) -> Option<i32> {
        let tags: usize =
            self.tags.iter().map(|tag| tag.key.as_str().len() + tag.value.as_str().len()).sum();
        let size = self.plain_size() + tags;
        (size > 0).then(|| i32::try_from(share(size, MAX_PLAIN)).unwrap_or(100).min(100))
    }
}

/// The session tags of a request.
pub(super) fn session_tags(given: Option<Vec<api::Tag>>) -> Result<TagSet, Fault> {
    let given = given.unwrap_or_default();
    if given.len() > MAX_TAGS {
        return Err(Fault::validation("A session can have at most 50 tags."));
    }
    let parsed = given
        .into_iter()
        .map(|tag| Ok::<Tag, TagError>(Tag { key: tag.key.parse()?, value: tag.value.parse()? }));
    let parsed = parsed.collect::<Result<Vec<_>, _>>();
    parsed.and_then(TagSet::new).map_err(|error| match error {
        TagError::Duplicate(_) => invalid_parameter(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        other => invalid_parameter(other.to_string()),
    })
}

/// The ARNs of the managed session policies of a request. One that is left out would leave its limit
/// out.
pub(super) fn session_policies(
    given: Option<Vec<api::PolicyDescriptorType>>,
) -> Result<Vec<Arn>, Fault> {
    let given = given.unwrap_or_default();
    if given.len() > MAX_POLICIES {
        return Err(Fault::validation("A session can have at most 10 managed policies."));
    }
    let arn = |descriptor: api::PolicyDescriptorType| {
        let arn = descriptor
            .arn
            .ok_or_else(|| Fault::validation("A session policy must have an ARN."))?;
        arn.parse().map_err(|_| Fault::validation(format!("{arn} is invalid")))
    };
    given.into_iter().map(arn).collect()
}

pub(super) fn invalid_parameter(message: impl Into<String>) -> Fault {
    Fault::common("InvalidParameterValue", 400, message)
}
