//! AWS Signature Version 4: reading, checking and making signatures, in header and in query form.
//!
//! [`parse`] reads what a request presents; nothing is believed yet, but the caller now knows which access key
//! to look up. [`verify`] checks it against the secret and the received bytes, under the [`Rules`] of the
//! service. [`sign`] and [`presign`] are the client's side. All of it is pure: the clock is handed in.
//!
//! What it promises (threats A01 to A08, A10, A13):
//! - Every `x-amz-*` header that arrives is covered by the signature, except `x-amz-content-sha256`, whose
//!   value is a line of the canonical request anyway. `host` is covered always.
//! - `content-type` is covered when it arrives with a body, in either form: it could change how the body is
//!   read. botocore covers it (see the corpus), and AWS's documentation tells signers to. Deviation: AWS takes
//!   it uncovered (unverified); [`Rules::unsigned_content_type`] does too.
//! - There is one credential, date, token and signature, from one source; no security header comes twice.
//! - The received body is hashed here, and the hash compared before anything parses the body.
//! - Digests are compared in constant time.
//! - The path and query are refused when they could be read in two ways; see [`path_segments`].
//!
//! What it leaves out: looking up keys, session tokens and their times (the caller; the texts are in
//! [`AuthError`]), replay (A09), SigV4A, the chunk signatures of streamed bodies, and every decision about
//! access.

mod cache;
mod canonical;
mod credential;
mod date;
mod error;
mod fields;
mod parse;
mod secret;
mod sign;
mod uri;
mod verify;

pub use cache::KeyCache;
pub use credential::Credential;
pub use error::{AuthError, Family};
pub use parse::{Form, KeyKind, Presented, parse};
pub use secret::{SecretKey, SecretKeyError};
pub use sign::{SignError, Signer, presign, sign};
pub use uri::{Defect, Pair, PathForm, UriPart, path_segments, query_pairs};
pub use verify::{Payload, QueryForm, QueryLifetime, Rules, Verified, verify};

/// The one signing algorithm accepted.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The longest lifetime of a presigned request, in seconds: seven days.
pub const MAX_EXPIRES: u32 = 604_800;
