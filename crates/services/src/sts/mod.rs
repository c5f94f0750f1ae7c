//! AWS Security Token Service: who am I, and temporary credentials.

mod assume_role;
mod caller_identity;
mod credentials;
mod decode_authorization_message;
mod factor;
mod federation_token;
mod limits;
mod session_token;

use crate::operation::Entry;

/// Every operation that is written, file by file.
pub(crate) const OPERATIONS: &[&[Entry]] = &[
    assume_role::OPERATIONS,
    caller_identity::OPERATIONS,
    decode_authorization_message::OPERATIONS,
    federation_token::OPERATIONS,
    session_token::OPERATIONS,
];
