//! The query protocol: forms in, XML out (iam, sts), in both directions.
//!
//! Server: [`Form::parse`], [`decode`], [`encode_response`], [`encode_error`].
//! Client: [`encode_request`], [`decode_response`], [`decode_error`].

mod client;
mod decode;
mod encode;
mod form;
pub(crate) mod scalar;

pub use client::{ErrorReply, ResponseError, decode_error, decode_response, encode_request};
pub use decode::{DecodeError, MAX_INDEX, decode};
pub use encode::{CONTENT_TYPE, encode_error, encode_response};
pub use form::{Form, FormError, MAX_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_KEY};
