//! `bailiwick admin key-policy`: a limit to the age of users' access keys. An extension, off until it
//! is set here.

use std::str::FromStr;

use bailiwick_identifiers::AccountId;
use bailiwick_model::KeyPolicy;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::command::OperatorArgs;
use crate::verb::Verb;

/// Verbs on the key policy of an account.
#[derive(Debug, Subcommand)]
pub enum KeyPolicyCommand {
    /// Limit the age of access keys: announced --warn before, then inactive
    #[command(after_help = "\
Examples:
  bailiwick admin key-policy set --max-age 90d --warn 14d
  bailiwick admin key-policy set --max-age 90d --exempt-path /service/ --exempt-tag long-lived=yes

When a key is --warn from its end, the trail gets an event BailiwickKeyExpiring, and at its end
BailiwickKeyExpired, with which it becomes Inactive: once each. Keys that are already old when this
is set have the time of --warn left. A key that is made active again becomes inactive again: exempt
its user, or replace it.

Root's keys are never touched. The key of `admin` is a user's key like others: exempt it by a tag,
or use `bailiwick root create-key` on the host if it ended unnoticed.")]
    Set(KeyPolicySetArgs),
    /// Show the limit, and the keys that end next
    #[command(after_help = "Example:\n  bailiwick admin key-policy show --format json")]
    Show {
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
    /// Set no limit any more; keys that ended stay inactive
    #[command(after_help = "Example:\n  bailiwick admin key-policy clear")]
    Clear {
        /// Which account [default: the only one]
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "flags, described where they are")]
        args: OperatorArgs,
    },
}

/// Flags of `admin key-policy set`.
#[derive(Args, Debug)]
pub struct KeyPolicySetArgs {
    /// The age at which a key becomes inactive, such as 90d
    #[arg(long, value_name = "TIME")]
    pub max_age: Age,
    /// How long before that it is announced
    #[arg(long, value_name = "TIME", default_value = "14d")]
    pub warn: Age,
    /// Leave the keys of users below this path alone (repeat)
    #[arg(long = "exempt-path", value_name = "/PATH/")]
    pub exempt_paths: Vec<String>,
    /// Leave the keys of users with this tag alone (repeat)
    #[arg(long = "exempt-tag", value_name = "KEY[=VALUE]")]
    pub exempt_tags: Vec<String>,
    /// Which account [default: the only one]
    #[arg(long, value_name = "ID")]
    pub account: Option<AccountId>,
    /// Where the data directory is, and how to print
    #[command(flatten)]
    pub args: OperatorArgs,
}

impl KeyPolicyCommand {
    /// The verb that it sends, and where.
    pub(crate) fn verb(self) -> (OperatorArgs, Verb) {
        match self {
            Self::Set(set) => {
                let limits = KeyLimits {
                    max_age: set.max_age,
                    warn: set.warn,
                    exempt_paths: set.exempt_paths,
                    exempt_tags: set.exempt_tags,
                };
                (set.args, Verb::KeyPolicySet { account: set.account, limits })
            }
            Self::Show { account, args } => (args, Verb::KeyPolicyShow { account }),
            Self::Clear { account, args } => (args, Verb::KeyPolicyClear { account }),
        }
    }
}

/// A key policy as the operator writes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLimits {
    /// The age at which a key becomes inactive.
    pub max_age: Age,
    /// How long before that it is announced.
    #[serde(default)]
    pub warn: Age,
    /// Users below these paths are exempt.
    #[serde(default)]
    pub exempt_paths: Vec<String>,
    /// Users with these tags are exempt.
    #[serde(default)]
    pub exempt_tags: Vec<String>,
}

impl From<KeyLimits> for KeyPolicy {
    fn from(limits: KeyLimits) -> Self {
        Self {
            max_age: limits.max_age.0,
            warn: limits.warn.0,
            exempt_paths: limits.exempt_paths,
            exempt_tags: limits.exempt_tags,
            // The services date it.
            since: Timestamp::UNIX_EPOCH,
        }
    }
}

/// A length of time in seconds, written such as `90d`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age(u64);

impl Default for Age {
    /// What a warning is before a key's end, where nothing is said.
    fn default() -> Self {
        Self(14 * 86_400)
    }
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no length of time such as `12h` or `90d`");
        let (digits, seconds) = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]
            .iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))
            .ok_or_else(wrong)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let count: u32 = digits.parse().map_err(|_| wrong())?;
        Ok(Self(u64::from(count) * seconds))
    }
}

impl TryFrom<String> for Age {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Age> for String {
    fn from(age: Age) -> Self {
        format!("{}s", age.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (text, expected) in [
            ("90d", Some(7_776_000)),
            ("6s", Some(6)),
            ("0s", Some(0)),
            ("d", None),
            ("+1d", None),
            ("90", None),
            ("99999999999d", None),
        ] {
            assert_eq!(text.parse().ok(), expected.map(Age), "{text}");
        }
        let limits: KeyLimits = serde_json::from_str(r#"{"max_age":"90d"}"#).unwrap();
        let again: KeyLimits =
            serde_json::from_str(&serde_json::to_string(&limits).unwrap()).unwrap();
        assert_eq!((again.max_age.0, again.warn.0), (7_776_000, 1_209_600));
    }
}
