//! REST-JSON, both directions: members stand in the path, the query string, headers and a JSON body.
//!
//! Server: [`operation`] by method and path, [`decode`] a request, [`encode_response`],
//! [`encode_error`]. Client: [`encode_request`], [`decode_response`]; an error is read by
//! [`crate::json::decode_error`], for its code stands in a header.
//!
//! Bodies are read as strictly as [`crate::json`] does. A path is matched while it is still encoded,
//! and each label decoded once; dot segments and empty ones are refused. A member that the model puts
//! elsewhere is not read from the body, so that no reader can take another value for it.

mod decode;
mod encode;
mod route;

pub use decode::{decode, decode_response};
pub use encode::{Message, Request, encode_error, encode_request, encode_response};
pub use route::{Miss, operation};

#[cfg(test)]
mod tests;
