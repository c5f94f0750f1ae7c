//! Sealing: what the data directory holds of secrets cannot be read or swapped without the master key.
//!
//! - A [`Keyring`] holds the master keys by version; the newest seals, all of them open (L06).
//! - Each [`Purpose`] has a key of its own, derived with HKDF-SHA256 and the purpose's label, so that a
//!   value sealed for one purpose never opens for another.
//! - Values are sealed with AES-256-GCM-SIV: a repeated nonce would reveal only that two plaintexts are
//!   equal (L03). Nonces are random and handed in.
//! - A [`Binding`] names the record that a value belongs to. It is authenticated, not stored: a sealed value
//!   moved to another record, or to another kind or version of it, does not open (L02).
//!
//! Sealed bytes: format (1 byte, 1), key version (4 bytes, big endian), nonce (12 bytes), ciphertext, tag
//! (16 bytes). The first five bytes are authenticated as well.

mod keyring;
mod purpose;
mod sealed;
mod secret;

pub use keyring::{KEY_ENTRY_EXAMPLE, Keyring, KeyringError, MASTER_KEY_LEN, MAX_KEY_VERSIONS};
pub use purpose::Purpose;
pub use sealed::{Binding, MAX_SEALED_PLAINTEXT, NONCE_LEN, OVERHEAD, SealError};
pub use secret::Secret;
