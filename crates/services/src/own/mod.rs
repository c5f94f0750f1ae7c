//! The server's own API: what AWS has no operation for. Its actions have the prefix `bailiwick`.

pub(crate) mod events;
mod passkey;
mod service_credential;

use crate::operation::Entry;

/// Every operation, file by file.
pub(crate) const OPERATIONS: &[&[Entry]] =
    &[events::OPERATIONS, passkey::OPERATIONS, service_credential::OPERATIONS];
