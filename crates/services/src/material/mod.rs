//! Keys and certificates as strangers send them: PEM, DER, SSH lines.
//!
//! Everything here takes text of bounded length, refuses nesting before it parses, decides nothing
//! about access, and never panics on what it is given (threat group G).

pub(crate) mod certificate;
mod der;
mod pem;
pub(crate) mod private_key;
pub(crate) mod ssh;
pub(crate) mod token_key;
