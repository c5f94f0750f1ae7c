//! Names of context keys, with what is known of them before any request.

use std::borrow::Cow;

use bailiwick_catalog::Catalog;

use crate::fold;

/// A context key that the host knows by heart: its name is folded and hashed when the program is
/// built, so that setting it costs no more than its value.
///
/// ```
/// use bailiwick_policy::{Context, ContextKey, keys};
///
/// const TICKET: &ContextKey = &ContextKey::new("example:ticket");
/// let context = Context::new().set(keys::SOURCE_IP, "192.0.2.1").set(TICKET, "42");
/// assert!(context.contains("aws:SourceIp"));
/// ```
#[derive(Debug)]
pub struct ContextKey {
    pub(crate) folded: &'static str,
    pub(crate) hash: u64,
    pub(crate) multivalued: bool,
}

impl ContextKey {
    /// A single-valued key of this name.
    ///
    /// # Panics
    /// The name is not in lower-case ASCII. In a `const` this is an error of compilation.
    #[allow(clippy::panic, reason = "a constant that is wrong must not compile")]
    pub const fn new(folded: &'static str) -> Self {
        let mut rest = folded.as_bytes();
        while let Some((byte, after)) = rest.split_first() {
            assert!(byte.is_ascii() && !byte.is_ascii_uppercase(), "a key is folded");
            rest = after;
        }
        Self { folded, hash: fold::hash(folded), multivalued: false }
    }

    /// A key declared multivalued (KEY-8).
    ///
    /// # Panics
    /// As [`ContextKey::new`].
    pub const fn multivalued(folded: &'static str) -> Self {
        Self { multivalued: true, ..Self::new(folded) }
    }
}

/// Multivalued keys that the catalog does not name, folded: those of IAM, STS and SAML.
const MULTIVALUED: [&str; 4] = [
    "saml:edupersonaffiliation",
    "saml:edupersonorgdn",
    "sts:requestcontextproviders",
    "sts:transitivetagkeys",
];

/// Whether AWS declares a folded key multivalued (KEY-8, CO-9): global keys and services' keys by
/// the catalog, and `amr` of every identity provider.
pub(crate) fn is_declared_multivalued(folded: &str) -> bool {
    let listed = MULTIVALUED.contains(&folded) || folded.ends_with(":amr");
    listed || Catalog::embedded().condition_key(folded).is_some_and(|key| key.multivalued)
}

/// A key as it is handed to a [`crate::Context`]: a known one, or any text.
#[derive(Clone, Copy, Debug)]
pub enum KeyName<'k> {
    /// Known when the program was built.
    Known(&'static ContextKey),
    /// A text in any case.
    Text(&'k str),
}

impl From<&'static ContextKey> for KeyName<'_> {
    #[inline]
    fn from(key: &'static ContextKey) -> Self {
        Self::Known(key)
    }
}

impl<'k> From<&'k str> for KeyName<'k> {
    fn from(text: &'k str) -> Self {
        Self::Text(text)
    }
}

impl<'k> From<&'k String> for KeyName<'k> {
    fn from(text: &'k String) -> Self {
        Self::Text(text)
    }
}

impl<'k> From<&'k Cow<'_, str>> for KeyName<'k> {
    fn from(text: &'k Cow<'_, str>) -> Self {
        Self::Text(text)
    }
}

/// The global keys that hosts compute most (KEY-1 to KEY-5).
#[allow(missing_docs, reason = "each is the key of its name")]
pub mod keys {
    use super::ContextKey;

    pub const PRINCIPAL_ARN: &ContextKey = &ContextKey::new("aws:principalarn");
    pub const PRINCIPAL_ACCOUNT: &ContextKey = &ContextKey::new("aws:principalaccount");
    pub const PRINCIPAL_ORG_ID: &ContextKey = &ContextKey::new("aws:principalorgid");
    pub const PRINCIPAL_ORG_PATHS: &ContextKey = &ContextKey::multivalued("aws:principalorgpaths");
    pub const PRINCIPAL_TYPE: &ContextKey = &ContextKey::new("aws:principaltype");
    pub const PRINCIPAL_IS_AWS_SERVICE: &ContextKey = &ContextKey::new("aws:principalisawsservice");
    pub const PRINCIPAL_SERVICE_NAME: &ContextKey = &ContextKey::new("aws:principalservicename");
    pub const PRINCIPAL_SERVICE_NAMES_LIST: &ContextKey =
        &ContextKey::multivalued("aws:principalservicenameslist");
    pub const USER_ID: &ContextKey = &ContextKey::new("aws:userid");
    pub const USERNAME: &ContextKey = &ContextKey::new("aws:username");
    pub const SOURCE_IP: &ContextKey = &ContextKey::new("aws:sourceip");
    pub const SOURCE_VPC: &ContextKey = &ContextKey::new("aws:sourcevpc");
    pub const SOURCE_VPCE: &ContextKey = &ContextKey::new("aws:sourcevpce");
    pub const SECURE_TRANSPORT: &ContextKey = &ContextKey::new("aws:securetransport");
    pub const CURRENT_TIME: &ContextKey = &ContextKey::new("aws:currenttime");
    pub const EPOCH_TIME: &ContextKey = &ContextKey::new("aws:epochtime");
    pub const REQUESTED_REGION: &ContextKey = &ContextKey::new("aws:requestedregion");
    pub const VIA_AWS_SERVICE: &ContextKey = &ContextKey::new("aws:viaawsservice");
    pub const CALLED_VIA: &ContextKey = &ContextKey::multivalued("aws:calledvia");
    pub const USER_AGENT: &ContextKey = &ContextKey::new("aws:useragent");
    pub const REFERER: &ContextKey = &ContextKey::new("aws:referer");
    pub const RESOURCE_ACCOUNT: &ContextKey = &ContextKey::new("aws:resourceaccount");
    pub const RESOURCE_ORG_ID: &ContextKey = &ContextKey::new("aws:resourceorgid");
    pub const TAG_KEYS: &ContextKey = &ContextKey::multivalued("aws:tagkeys");
    pub const TOKEN_ISSUE_TIME: &ContextKey = &ContextKey::new("aws:tokenissuetime");
    pub const MFA_PRESENT: &ContextKey = &ContextKey::new("aws:multifactorauthpresent");
    pub const MFA_AGE: &ContextKey = &ContextKey::new("aws:multifactorauthage");
    pub const SOURCE_IDENTITY: &ContextKey = &ContextKey::new("aws:sourceidentity");
}
