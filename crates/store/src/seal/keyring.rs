//! Master keys by version, and the keys derived from them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

use super::purpose::Purpose;
use crate::embedded::STATE_FILE;
use crate::error::StoreError;
use crate::permissions;

/// The length of a master key in bytes.
pub const MASTER_KEY_LEN: usize = 32;

/// The largest number of master key versions that one keyring holds.
pub const MAX_KEY_VERSIONS: usize = 64;

/// What an entry of a key file looks like, for messages and help texts.
pub const KEY_ENTRY_EXAMPLE: &str = "1:<base64 of 32 bytes>";

/// The longest text that is read as master keys, in bytes.
const MAX_TEXT_LEN: usize = 16 * 1024;

/// The salt of every derivation; a constant that sets this program's keys apart.
const SALT: &[u8] = b"bailiwick master key 1";

/// Master keys, newest last, with one derived key for each version and purpose.
///
/// Text form, in the file `master.key` and in a setting alike: entries of `VERSION:BASE64`, one a line or
/// parted by commas or blanks; lines that start with `#` are remarks. A single entry may leave out
/// `VERSION:`, which then is 1.
pub struct Keyring {
    masters: BTreeMap<u32, Zeroizing<[u8; MASTER_KEY_LEN]>>,
    sealing: BTreeMap<u32, Vec<LessSafeKey>>,
    newest: u32,
}

/// Why there is no keyring.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyringError {
    /// The text holds no key.
    #[error("no master key given; an entry looks like `{KEY_ENTRY_EXAMPLE}`")]
    Empty,
    /// The text is longer than any set of keys.
    #[error("the master key text is longer than {MAX_TEXT_LEN} bytes")]
    TooLong,
    /// An entry is not a version and 32 bytes of base64. The entry itself is a secret and is not quoted.
    #[error("entry {entry} of the master key is not like `{KEY_ENTRY_EXAMPLE}`")]
    Entry {
        /// The place of the entry, from 1.
        entry: usize,
    },
    /// Two entries have the same version.
    #[error("version {version} of the master key is given twice")]
    Repeated {
        /// The version.
        version: u32,
    },
    /// There are more than [`MAX_KEY_VERSIONS`] versions, or the newest number is used up.
    #[error("a keyring holds at most {MAX_KEY_VERSIONS} versions; retire old ones first")]
    TooMany,
    /// The version to retire is the newest, or is not there.
    #[error("version {version} of the master key cannot be retired: it is the newest or unknown")]
    NotRetirable {
        /// The version.
        version: u32,
    },
    /// There is no key file, but there is a store that was written under one.
    #[error(
        "`{path}` is missing beside data that needs it; put your copy back, or give the key by a setting"
    )]
    Lost {
        /// The key file.
        path: PathBuf,
    },
    /// The random source gave only zeros.
    #[error("the random source gave no randomness for a master key")]
    NoRandomness,
    /// The cryptographic library refused.
    #[error("the cryptographic library refused to derive a key")]
    Derivation,
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] StoreError),
}

impl Keyring {
    /// A keyring with one master key of version 1.
    pub fn from_bytes(key: [u8; MASTER_KEY_LEN]) -> Result<Self, KeyringError> {
        Self::from_masters(BTreeMap::from([(1, Zeroizing::new(key))]))
    }

    /// Reads master keys from text: the content of a key file, or the value of a setting.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        if text.len() > MAX_TEXT_LEN {
            return Err(KeyringError::TooLong);
        }
        let entries: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split([',', ' ', '\t', '\r']))
            .filter(|entry| !entry.is_empty())
            .collect();
        let mut masters = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let wrong = || KeyringError::Entry { entry: index + 1 };
            let (version, encoded) = match entry.split_once(':') {
                Some((version, encoded)) => (version.parse().map_err(|_| wrong())?, encoded),
                None if entries.len() == 1 => (1, *entry),
                None => return Err(wrong()),
            };
            let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| wrong())?);
            let key = <[u8; MASTER_KEY_LEN]>::try_from(bytes.as_slice()).map_err(|_| wrong())?;
            if version == 0 {
                return Err(wrong());
            }
            if masters.insert(version, Zeroizing::new(key)).is_some() {
                return Err(KeyringError::Repeated { version });
            }
        }
        Self::from_masters(masters)
    }

    /// Reads the key file, which must be private (L07).
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        permissions::check_file(path)?;
        let text =
            Zeroizing::new(fs::read_to_string(path).map_err(|error| StoreError::io(path, &error))?);
        Self::parse(&text)
    }

    /// Reads the key file, or makes it with a new key of version 1 when it does not exist. `random` fills
    /// a buffer from the system's generator.
    ///
    /// A missing key file beside a store is a lost key, for which no new one is made.
    pub fn load_or_create(
        path: &Path,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Self, KeyringError> {
        match fs::symlink_metadata(path) {
            Ok(_) => Self::load(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if path.with_file_name(STATE_FILE).exists() {
                    return Err(KeyringError::Lost { path: path.to_owned() });
                }
                let keyring = Self::from_bytes(*draw(random)?)?;
                keyring.save(path)?;
                Ok(keyring)
            }
            Err(error) => Err(StoreError::io(path, &error).into()),
        }
    }

    /// Writes the key file, private and in one piece.
    pub fn save(&self, path: &Path) -> Result<(), KeyringError> {
        Ok(permissions::write_private_file(path, self.to_text().as_bytes())?)
    }

    /// A keyring with one more master key, which seals from now on; the older ones still open.
    pub fn rotated(&self, random: &mut dyn FnMut(&mut [u8])) -> Result<Self, KeyringError> {
        let version = self.newest.checked_add(1).ok_or(KeyringError::TooMany)?;
        let mut masters = self.masters.clone();
        masters.insert(version, draw(random)?);
        Self::from_masters(masters)
    }

    /// A keyring without one older master key. What it sealed can no longer be opened.
    pub fn retired(&self, version: u32) -> Result<Self, KeyringError> {
        let mut masters = self.masters.clone();
        if version == self.newest || masters.remove(&version).is_none() {
            return Err(KeyringError::NotRetirable { version });
        }
        Self::from_masters(masters)
    }

    /// The version that seals.
    pub fn newest(&self) -> u32 {
        self.newest
    }

    /// The versions that open, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = u32> + '_ {
        self.masters.keys().copied()
    }

    /// A key to authenticate messages that carry no secret, derived from the newest master key, a purpose
    /// and a label. It changes when the master key is rotated, so nothing that lasts may depend on it.
    pub fn mac_key(&self, purpose: Purpose, label: &str) -> Result<hmac::Key, KeyringError> {
        let master = self.masters.get(&self.newest).ok_or(KeyringError::Empty)?;
        let mut key =
            derive(master, &[b"mac\0", purpose.label().as_bytes(), b"\0", label.as_bytes()])?;
        let made = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
        key.zeroize();
        Ok(made)
    }

    /// The key that seals for a purpose, by version.
    pub(super) fn sealing_key(&self, version: u32, purpose: Purpose) -> Option<&LessSafeKey> {
        self.sealing.get(&version)?.get(purpose.index())
    }

    fn from_masters(
        masters: BTreeMap<u32, Zeroizing<[u8; MASTER_KEY_LEN]>>,
    ) -> Result<Self, KeyringError> {
        let newest = *masters.keys().next_back().ok_or(KeyringError::Empty)?;
        if masters.len() > MAX_KEY_VERSIONS {
            return Err(KeyringError::TooMany);
        }
        let mut sealing = BTreeMap::new();
        for (version, master) in &masters {
            let keys = Purpose::ALL
                .iter()
                .map(|purpose| {
                    let key = derive(master, &[b"seal\0", purpose.label().as_bytes()])?;
                    UnboundKey::new(&AES_256_GCM_SIV, key.as_slice())
                        .map(LessSafeKey::new)
                        .map_err(|_| KeyringError::Derivation)
                })
                .collect::<Result<Vec<_>, _>>()?;
            sealing.insert(*version, keys);
        }
        Ok(Self { masters, sealing, newest })
    }

    fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(256 + self.masters.len() * 64));
        text.push_str(
            "# Bailiwick master keys. Without this file the secrets in the data directory are lost;\n\
             # with it they can be read. Keep a copy apart from backups of the data. The newest seals.\n",
        );
        for (version, master) in &self.masters {
            let encoded = Zeroizing::new(STANDARD.encode(master.as_slice()));
            text.push_str(&version.to_string());
            text.push(':');
            text.push_str(&encoded);
            text.push('\n');
        }
        text
    }
}

/// A length of key material, as the derivation wants it said.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(
    master: &[u8; MASTER_KEY_LEN],
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; MASTER_KEY_LEN]>, KeyringError> {
    let mut key = Zeroizing::new([0; MASTER_KEY_LEN]);
    Salt::new(HKDF_SHA256, SALT)
        .extract(master)
        .expand(info, Length(MASTER_KEY_LEN))
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .map_err(|_| KeyringError::Derivation)?;
    Ok(key)
}

fn draw(
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Zeroizing<[u8; MASTER_KEY_LEN]>, KeyringError> {
    let mut key = Zeroizing::new([0; MASTER_KEY_LEN]);
    random(key.as_mut_slice());
    if key.iter().all(|byte| *byte == 0) {
        return Err(KeyringError::NoRandomness);
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: u32, fill: u8) -> String {
        format!("{version}:{}", STANDARD.encode([fill; MASTER_KEY_LEN]))
    }

    #[test]
    fn text_forms() {
        let bare = STANDARD.encode([7; MASTER_KEY_LEN]);
        let two = format!("# remark\n{}\n{}\n", entry(1, 1), entry(4, 2));
        let repeated = format!("{},{}", entry(1, 1), entry(1, 2));
        let many: Vec<String> = (1..=65).map(|version| entry(version, 1)).collect();
        for (text, expected) in [
            (bare.as_str(), Ok(1)),
            (entry(3, 3).as_str(), Ok(3)),
            (two.as_str(), Ok(4)),
            (format!("{} , {}", entry(1, 1), entry(2, 2)).as_str(), Ok(2)),
            ("", Err(KeyringError::Empty)),
            ("# only a remark", Err(KeyringError::Empty)),
            ("1:AAAA", Err(KeyringError::Entry { entry: 1 })),
            ("x:AAAA", Err(KeyringError::Entry { entry: 1 })),
            (entry(0, 1).as_str(), Err(KeyringError::Entry { entry: 1 })),
            (format!("{bare} {bare}").as_str(), Err(KeyringError::Entry { entry: 1 })),
            (repeated.as_str(), Err(KeyringError::Repeated { version: 1 })),
            (many.join("\n").as_str(), Err(KeyringError::TooMany)),
            ("A".repeat(MAX_TEXT_LEN + 1).as_str(), Err(KeyringError::TooLong)),
        ] {
            assert_eq!(
                Keyring::parse(text).map(|keyring| keyring.newest()),
                expected,
                "{text:.40}"
            );
        }
    }

    #[test]
    fn messages_do_not_quote_the_key() {
        let error = Keyring::parse("1:c2VjcmV0c2VjcmV0").err().unwrap();
        assert!(!error.to_string().contains("c2Vj"), "{error}");
    }

    #[test]
    fn text_and_back() {
        let keyring = Keyring::parse(&format!("{} {}", entry(2, 1), entry(5, 9))).unwrap();
        let again = Keyring::parse(&keyring.to_text()).unwrap();
        assert_eq!(again.versions().collect::<Vec<_>>(), [2, 5]);
        assert!(again.masters == keyring.masters);
    }

    #[test]
    fn rotation_and_retirement() {
        let first = Keyring::from_bytes([1; 32]).unwrap();
        let second = first.rotated(&mut |bytes| bytes.fill(2)).unwrap();
        assert_eq!(second.newest(), 2);
        assert_eq!(second.retired(1).unwrap().versions().collect::<Vec<_>>(), [2]);
        for version in [2, 3] {
            assert_eq!(second.retired(version).err(), Some(KeyringError::NotRetirable { version }),);
        }
        assert_eq!(first.rotated(&mut |_| {}).err(), Some(KeyringError::NoRandomness));
    }

    /// L06: the key of each purpose and of each use differs.
    #[test]
    fn tm_l06_derived_keys_differ() {
        let keyring = Keyring::from_bytes([1; 32]).unwrap();
        let mut tags = std::collections::BTreeSet::new();
        for purpose in Purpose::ALL {
            for label in ["", "a", "b"] {
                let key = keyring.mac_key(*purpose, label).unwrap();
                tags.insert(hmac::sign(&key, b"message").as_ref().to_vec());
            }
        }
        assert_eq!(tags.len(), Purpose::ALL.len() * 3);
    }

    #[test]
    fn a_lost_key_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(STATE_FILE), b"data").unwrap();
        let path = directory.path().join("master.key");
        let made = Keyring::load_or_create(&path, &mut |bytes| bytes.fill(3));
        assert_eq!(made.err(), Some(KeyringError::Lost { path: path.clone() }));
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn tm_l07_key_file_is_private_or_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        let made = Keyring::load_or_create(&path, &mut |bytes| bytes.fill(3)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let again = Keyring::load_or_create(&path, &mut |_| panic!("no new key")).unwrap();
        assert!(again.masters == made.masters);
        for mode in [0o640, 0o604, 0o660, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Keyring::load(&path).err().unwrap().to_string();
            assert!(error.contains("chmod 600") && error.contains("master.key"), "{error}");
        }
    }
}
