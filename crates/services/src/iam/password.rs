//! Console passwords: what they must be like, and how they are kept.
//!
//! A password may hold U+0009, U+000A, U+000D and U+0020 to U+00FF. None of these composes with
//! another, so each text has one form, and its UTF-8 bytes are hashed whole (threat F09).

use std::fmt;
use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use bailiwick_identifiers::AccountAlias;
use bailiwick_model::{AccountInfo, PasswordPolicy};
use bailiwick_wire::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::fault::Fault;

/// Memory for one hash, in KiB (threat F08).
const MEMORY: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;

/// The shortest password of the default policy, in characters.
const SHORTEST: usize = 8;
/// The longest password, in characters. Source: IAM API, passwordType.
const LONGEST: usize = 128;
/// How many of the four classes of characters a password needs.
const CLASSES: usize = 3;
/// The characters that count as symbols. Source: IAM user guide, default password policy.
const SYMBOLS: &str = "!@#$%^&*()<>[]{}|_+-=";
/// The same for a policy of the account's own. Source: IAM API, UpdateAccountPasswordPolicy.
const OWN_SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// Checks a new password against the account's own policy or, without one, AWS's default: 8 to 128
/// characters and three of the four classes. It is never the name or alias of the account. Source:
/// IAM user guide, default password policy. The texts are AWS's (*observed*).
///
/// # Errors
///
/// `PasswordPolicyViolation`.
pub(crate) fn check(
    password: &Secret,
    account: &AccountInfo,
    policy: Option<&PasswordPolicy>,
) -> Result<(), Fault> {
    let text = password.expose();
    let length = text.chars().count();
    let shortest = policy.map_or(SHORTEST, |policy| policy.minimum_length.into());
    if length < shortest {
        return violation(format!("Password should have a minimum length of {shortest}"));
    }
    if length > LONGEST {
        return violation(format!("Password should have a maximum length of {LONGEST}"));
    }
    match policy {
        Some(policy) => check_own(text, policy)?,
        None => check_default(text)?,
    }
    let alias = account.alias.as_ref().map(AccountAlias::as_str);
    if [account.name.as_deref(), alias].contains(&Some(text)) {
        return violation("Password does not conform to the account password policy.".into());
    }
    Ok(())
}

/// Refuses a password that is one of the last ones. Takes as long as one hash for each.
///
/// # Errors
///
/// `PasswordPolicyViolation`.
pub(crate) fn check_reuse<'a>(
    password: &Secret,
    mut last: impl Iterator<Item = &'a String>,
) -> Result<(), Fault> {
    if last.any(|hash| verify(password, hash)) {
        return violation(
            "Policy constraint violation with password reuse prevention during password change."
                .into(),
        );
    }
    Ok(())
}

fn check_own(text: &str, policy: &PasswordPolicy) -> Result<(), Fault> {
    let missing: Vec<String> = [
        (policy.uppercase, text.contains(|c: char| c.is_ascii_uppercase()), "uppercase letter"),
        (policy.lowercase, text.contains(|c: char| c.is_ascii_lowercase()), "lowercase letter"),
        (policy.symbols, text.contains(|c: char| OWN_SYMBOLS.contains(c)), "symbol"),
        (policy.numbers, text.contains(|c: char| c.is_ascii_digit()), "number"),
    ]
    .into_iter()
    .filter(|(wanted, there, _)| *wanted && !there)
    .map(|(_, _, class)| format!("Password should have at least one {class}"))
    .collect();
    if missing.is_empty() { Ok(()) } else { violation(missing.join(", ")) }
}

fn check_default(text: &str) -> Result<(), Fault> {
    let missing: Vec<&str> = [
        (text.contains(|c: char| c.is_ascii_uppercase()), "uppercase letter"),
        (text.contains(|c: char| c.is_ascii_lowercase()), "lowercase letter"),
        (text.contains(|c: char| SYMBOLS.contains(c)), "symbol"),
        (text.contains(|c: char| c.is_ascii_digit()), "number"),
    ]
    .into_iter()
    .filter_map(|(there, class)| (!there).then_some(class))
    .collect();
    let met = 4usize.saturating_sub(missing.len());
    if met < CLASSES {
        let list: Vec<String> = missing
            .iter()
            .map(|class| format!("Password should have at least one {class}"))
            .collect();
        return violation(format!(
            "Password should meet {} more of the following requirements: {}",
            CLASSES.saturating_sub(met),
            list.join(", ")
        ));
    }
    Ok(())
}

fn violation(message: String) -> Result<(), Fault> {
    Err(Fault::new("PasswordPolicyViolation", message))
}

/// Hashes a password with Argon2id under a fresh random salt. The result is a PHC string, which
/// carries its own parameters. Takes some tens of milliseconds and 19 MiB: not for a request thread.
///
/// # Errors
///
/// `InternalFailure`, should the library refuse.
pub(crate) fn hash(password: &Secret, salt: [u8; 16]) -> Result<String, Fault> {
    let failed = |error: &dyn fmt::Display| {
        tracing::error!(%error, "a password could not be hashed");
        Fault::internal()
    };
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|error| failed(&error))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.expose().as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| failed(&error))
}

/// Whether a password is the one that was hashed, by the parameters in the hash. As dear as
/// [`hash`]. A hash that cannot be read fits no password.
pub(crate) fn verify(password: &Secret, hash: &str) -> bool {
    Argon2::default().verify_password(password.expose().as_bytes(), hash).is_ok()
}

/// A hash of today's parameters that no password has, for the time that a right one would take.
pub(crate) fn nobody() -> &'static str {
    static HASH: LazyLock<String> = LazyLock::new(|| {
        let (salt, tag) = ("bm9ib2R5J3Mgc2FsdC4uLg", "R1yFmAFxAeEzk2Zo8JqmjUT8VLUjTrUo2AUCcmZW3Vk");
        format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${salt}${tag}")
    });
    &HASH
}

/// The hash of the same password under today's parameters and the same salt, where the stored one
/// was made with others (threat F08). As dear as [`hash`].
///
/// # Errors
///
/// `InternalFailure`, should the library refuse.
pub(crate) fn rehash(password: &Secret, stored: &str) -> Result<Option<String>, Fault> {
    let today = format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$");
    let salt = stored.split('$').nth(4).and_then(|salt| STANDARD_NO_PAD.decode(salt).ok());
    let salt = salt.and_then(|salt| <[u8; 16]>::try_from(salt).ok());
    match salt {
        Some(salt) if !stored.starts_with(&today) => hash(password, salt).map(Some),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountInfo {
        AccountInfo {
            id: "123456789012".parse().unwrap(),
            name: Some("Example-Corp1".into()),
            partition: bailiwick_identifiers::Partition::Aws,
            created: jiff::Timestamp::UNIX_EPOCH,
            alias: Some("example-corp-1".parse().unwrap()),
        }
    }

    #[test]
    fn the_default_policy() {
        let long = format!("aA1{}", "x".repeat(125));
        let too_long = format!("{long}x");
        for (password, expected) in [
            ("aA1xxxxx", None),
            ("aa1!xxxx", None),
            (long.as_str(), None),
            (too_long.as_str(), Some("Password should have a maximum length of 128")),
            ("aA1!xxx", Some("Password should have a minimum length of 8")),
            (
                "abcdefg1",
                Some(
                    "Password should meet 1 more of the following requirements: Password should \
                     have at least one uppercase letter, Password should have at least one symbol",
                ),
            ),
            (
                "........",
                Some(
                    "Password should meet 3 more of the following requirements: Password should \
                     have at least one uppercase letter, Password should have at least one \
                     lowercase letter, Password should have at least one symbol, Password should \
                     have at least one number",
                ),
            ),
            ("Example-Corp1", Some("Password does not conform to the account password policy.")),
            ("example-corp-1", Some("Password does not conform to the account password policy.")),
        ] {
            let found = check(&password.into(), &account(), None);
            let found = found.as_ref().err().map(|fault| (fault.code(), fault.message()));
            assert_eq!(found, expected.map(|text| ("PasswordPolicyViolation", text)), "{password}");
        }
    }

    #[test]
    fn a_policy_of_its_own() {
        let strict = PasswordPolicy {
            minimum_length: 14,
            symbols: true,
            numbers: true,
            uppercase: true,
            lowercase: true,
            allow_change: false,
            max_age: None,
            reuse_prevention: None,
            hard_expiry: None,
        };
        let lax = PasswordPolicy {
            minimum_length: 6,
            symbols: false,
            numbers: false,
            uppercase: false,
            lowercase: false,
            ..strict.clone()
        };
        for (policy, password, expected) in [
            (&strict, "aA1!xxxxxxxxxx", None),
            (&strict, "aA1'xxxxxxxxxx", None),
            (&strict, "aA1!xxxxxxxxx", Some("Password should have a minimum length of 14")),
            (&strict, "aA1xxxxxxxxxxx", Some("Password should have at least one symbol")),
            (
                &strict,
                "..............",
                Some(
                    "Password should have at least one uppercase letter, Password should have at \
                     least one lowercase letter, Password should have at least one symbol, Password \
                     should have at least one number",
                ),
            ),
            (&lax, "xxxxxx", None),
            (&lax, "xxxxx", Some("Password should have a minimum length of 6")),
            (
                &lax,
                "example-corp-1",
                Some("Password does not conform to the account password policy."),
            ),
        ] {
            let found = check(&password.into(), &account(), Some(policy));
            let found = found.as_ref().err().map(|fault| (fault.code(), fault.message()));
            assert_eq!(found, expected.map(|text| ("PasswordPolicyViolation", text)), "{password}");
        }
    }

    #[test]
    fn tm_f08_parameters_stand_in_the_hash() {
        let hash = hash(&"correct horse".into(), [7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&"correct horse".into(), &hash));
        assert!(!verify(&"correct horsE".into(), &hash));
        assert!(!verify(&"correct horse".into(), "no hash"));
        assert!(!verify(&"".into(), ""));
    }

    /// A hash that was made with less is made anew, and stays that of the same password and salt.
    #[test]
    fn tm_f08_a_weaker_hash_is_made_anew() {
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(b"correct horse", &[7; 16])
            .unwrap()
            .to_string();
        assert!(verify(&"correct horse".into(), &weak));
        let strong = rehash(&"correct horse".into(), &weak).unwrap().unwrap();
        assert!(strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{strong}");
        assert!(verify(&"correct horse".into(), &strong));
        assert_eq!(weak.split('$').nth(4), strong.split('$').nth(4));
        assert_eq!(rehash(&"correct horse".into(), &strong).unwrap(), None);
    }

    /// F01: a name that nobody has costs a hash of today's parameters.
    #[test]
    fn tm_f01_nobody_costs_a_hash() {
        assert!(nobody().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let hash = argon2::PasswordHash::new(nobody()).unwrap();
        assert_eq!(hash.hash.unwrap().len(), 32);
        assert!(!verify(&"correct horse".into(), nobody()));
    }

    /// F09: nothing is cut off, neither at a length nor at a NUL.
    #[test]
    fn tm_f09_the_whole_password_counts() {
        let long = "x".repeat(128);
        let hash = hash(&long.as_str().into(), [1; 16]).unwrap();
        assert!(verify(&long.as_str().into(), &hash));
        assert!(!verify(&long[..127].into(), &hash));
        assert!(!verify(&format!("{}y", &long[..127]).as_str().into(), &hash));
        let hash = super::hash(&"ab\0cd".into(), [1; 16]).unwrap();
        assert!(!verify(&"ab\0ce".into(), &hash));
    }
}
