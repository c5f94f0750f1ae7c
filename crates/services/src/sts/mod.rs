//! AWS Security Token Service: who am I, and temporary credentials.

mod assume_role;
mod assume_root;
mod caller_identity;
mod credentials;
mod decode_authorization_message;
mod factor;
mod federation_token;
mod limits;
mod session_token;
mod web_identity_token;

use crate::operation::Entry;

/// Every operation that is written, file by file.
pub(crate) const OPERATIONS: &[&[Entry]] = &[
    assume_role::OPERATIONS,
    assume_root::OPERATIONS,
    caller_identity::OPERATIONS,
    decode_authorization_message::OPERATIONS,
    federation_token::OPERATIONS,
    session_token::OPERATIONS,
    web_identity_token::OPERATIONS,
];
