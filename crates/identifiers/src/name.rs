//! Friendly names of entities. They keep their case but are unique without regard to it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// There is no character at all.
    #[error("a name may not be empty")]
    Empty,
    /// A character outside the permitted set.
    #[error("`{found}` at byte {at} is not allowed in a name")]
    Forbidden {
        /// Byte offset of the character.
        at: usize,
        /// The character.
        found: char,
    },
    /// Fewer characters than the kind of name asks for.
    #[error("a name of {len} characters is too short")]
    TooShort {
        /// Its length in bytes.
        len: usize,
    },
    /// More characters than the kind of name allows.
    #[error("a name of {len} characters is too long")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}

/// A name with its case taken away: the key under which a name is unique. Names hold ASCII only,
/// so folding is ASCII lower-casing (GR-4).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Folded(Box<str>);

impl Folded {
    /// Folds any text, so that look-ups need not build a name first.
    pub fn of(text: &str) -> Self {
        Self(text.to_ascii_lowercase().into())
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

fn check(text: &str, shortest: usize, longest: usize) -> Result<(), NameError> {
    if let Some((at, found)) = text.char_indices().find(|(_, c)| !is_name_char(*c)) {
        return Err(NameError::Forbidden { at, found });
    }
    match text.len() {
        0 => Err(NameError::Empty),
        len if len < shortest => Err(NameError::TooShort { len }),
        len if len > longest => Err(NameError::TooLong { len }),
        _ => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $shortest:literal..=$longest:literal) => {
        $(#[$doc])*
        #[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The longest name of this kind, in characters.
            pub const MAX_LEN: usize = $longest;

            /// The name as its owner wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The key under which the name is unique.
            pub fn folded(&self) -> Folded {
                Folded::of(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text, $shortest, $longest).map(|()| Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The friendly name of an IAM user. AWS lets 64 characters be created and 128 be referred to.
    UserName, 1..=64
);
name!(
    /// The friendly name of a role.
    RoleName, 1..=64
);
name!(
    /// The friendly name of a group.
    GroupName, 1..=128
);
name!(
    /// The friendly name of a policy, managed or inline.
    PolicyName, 1..=128
);
name!(
    /// The friendly name of an instance profile.
    InstanceProfileName, 1..=128
);
name!(
    /// The friendly name of a server certificate.
    ServerCertificateName, 1..=128
);
name!(
    /// The friendly name of a SAML provider.
    SamlProviderName, 1..=128
);
name!(
    /// The name of a role session, chosen by the caller of AssumeRole.
    SessionName, 2..=64
);

/// The alias of an account: 3 to 63 lower-case letters, digits and single inner hyphens, and not
/// twelve digits, which would be an account id. Source: IAM API, CreateAccountAlias.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountAlias(Box<str>);

/// The text is no account alias.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an account alias is 3 to 63 lower-case letters, digits and single inner hyphens")]
pub struct AliasError;

impl AccountAlias {
    /// The alias.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountAlias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, AliasError> {
        let letters = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
        let number = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if (3..=63).contains(&text.len()) && letters && !hyphens && !number {
            Ok(Self(text.into()))
        } else {
            Err(AliasError)
        }
    }
}

impl TryFrom<String> for AccountAlias {
    type Error = AliasError;

    fn try_from(text: String) -> Result<Self, AliasError> {
        text.parse()
    }
}

impl From<AccountAlias> for String {
    fn from(alias: AccountAlias) -> Self {
        alias.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_as_gr_4_has_them() {
        let longest = "a".repeat(64);
        let too_long = "a".repeat(65);
        for (text, expected) in [
            ("svc+ci@example.com", Ok(())),
            ("A_b-c.d=e,f", Ok(())),
            (longest.as_str(), Ok(())),
            (too_long.as_str(), Err(NameError::TooLong { len: 65 })),
            ("", Err(NameError::Empty)),
            ("a b", Err(NameError::Forbidden { at: 1, found: ' ' })),
            ("a/b", Err(NameError::Forbidden { at: 1, found: '/' })),
            ("a\n", Err(NameError::Forbidden { at: 1, found: '\n' })),
            ("é", Err(NameError::Forbidden { at: 0, found: 'é' })),
        ] {
            assert_eq!(text.parse::<UserName>().map(drop), expected, "{text:?}");
        }
        assert_eq!("a".parse::<SessionName>(), Err(NameError::TooShort { len: 1 }));
    }

    /// C07: two names that are equal after folding cannot both exist, so folding must be total on
    /// the permitted set.
    #[test]
    fn tm_c07_names_fold_by_case_alone() {
        let name: UserName = "Alice.B".parse().unwrap();
        assert_eq!(name.folded(), Folded::of("aLICE.b"));
        assert_eq!(name.as_str(), "Alice.B");
        // Look-alikes of other alphabets are not names at all.
        assert!("аlice".parse::<UserName>().is_err());
        assert!("ſ".parse::<UserName>().is_err());
    }

    #[test]
    fn aliases() {
        for (text, fits) in [
            ("my-company", true),
            ("abc", true),
            ("ab", false),
            ("a--b", false),
            ("-ab", false),
            ("ab-", false),
            ("Abc", false),
            ("123456789012", false),
            ("12345678901", true),
        ] {
            assert_eq!(text.parse::<AccountAlias>().is_ok(), fits, "{text}");
        }
    }
}
