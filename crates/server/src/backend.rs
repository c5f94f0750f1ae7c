//! Where the process meets the services: opening them, and what it then holds of them.

use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccessKeyKind, AccountId};
use bailiwick_wire::Secret;

use crate::dev::Dev;
use crate::operator::Operator;
use crate::{Handler, random};

/// The account of every development server.
pub(crate) const DEV_ACCOUNT: &str = "123456789012";
const DEV_KEY_ID: &str = "BAILIWICK_DEV_ACCESS_KEY_ID";
const DEV_SECRET: &str = "BAILIWICK_DEV_SECRET_ACCESS_KEY";

/// The services, opened.
pub struct Backend {
    /// Answers requests.
    pub handler: Arc<dyn Handler>,
    /// Does the operator's verbs.
    pub operator: Arc<dyn Operator>,
    /// A development server's switches.
    pub dev: Option<Arc<dyn Dev>>,
}

/// The administrator key of a development server, the same after each reset.
#[derive(Debug)]
pub struct DevKey {
    /// Its id.
    pub access_key_id: AccessKeyId,
    /// Its secret.
    pub secret: Secret,
    /// Whether it comes from the environment rather than from chance.
    pub given: bool,
}

impl DevKey {
    /// The key that `variable` (which reads the environment) gives, or a random one: there is no
    /// built-in secret.
    pub(crate) fn choose(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        match Self::given(variable)? {
            Some(key) => Ok(key),
            None => Self::chance(),
        }
    }

    /// The key that the environment gives, if it does.
    pub(crate) fn given(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        match (variable(DEV_KEY_ID), variable(DEV_SECRET)) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let access_key_id =
                    id.parse().map_err(|error| anyhow::anyhow!("`{DEV_KEY_ID}`: {error}"))?;
                if secret.is_empty()
                    || secret.len() > 128
                    || !secret.bytes().all(|b| b.is_ascii_graphic())
                {
                    anyhow::bail!("`{DEV_SECRET}` is 1 to 128 visible ASCII characters");
                }
                Ok(Some(Self { access_key_id, secret: secret.into(), given: true }))
            }
            _ => anyhow::bail!("set both `{DEV_KEY_ID}` and `{DEV_SECRET}`, or neither"),
        }
    }

    fn chance() -> anyhow::Result<Self> {
        let account: AccountId = DEV_ACCOUNT.parse()?;
        let (mut id, mut secret) = ([0u8; 5], [0u8; 20]);
        random::fill(&mut id);
        random::fill(&mut secret);
        // Forty letters, as clients expect of a secret; hexadecimal ones need no quoting.
        let secret = random::hex(&secret);
        Ok(Self {
            access_key_id: AccessKeyId::issue(AccessKeyKind::LongTerm, account, id),
            secret: secret.into(),
            given: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F10: no default credentials, not even for development.
    #[test]
    fn tm_f10_a_development_key_is_given_or_random() {
        let one = DevKey::choose(|_| None).unwrap();
        let two = DevKey::choose(|_| None).unwrap();
        assert_ne!(one.access_key_id, two.access_key_id);
        assert_ne!(one.secret, two.secret);
        assert_eq!(one.secret.expose().len(), 40);
        let given = DevKey::choose(|name| {
            Some(if name == DEV_KEY_ID { "AKIATESTTESTTESTTEST" } else { "secret" }.to_owned())
        });
        assert_eq!(given.unwrap().access_key_id.as_str(), "AKIATESTTESTTESTTEST");
        for half in [DEV_KEY_ID, DEV_SECRET] {
            let only = DevKey::choose(|name| (name == half).then(|| "AKIATESTTESTTESTTEST".into()));
            assert!(only.is_err(), "{half}");
        }
        assert!(DevKey::choose(|_| Some("has space".into())).is_err());
    }
}
