//! Static tables that describe services: operations, members, constraints, errors, pagination.
//!
//! The tables are written by `cargo xtask codegen` from `models/*.json`. Every codec, the
//! validation, the redaction and the routing read them; nothing here is built at run time.
//! Types refer to each other by `&'static`, so a recursive shape is two statics that name one another.

/// A service: one API version of it.
#[derive(Debug)]
pub struct Service {
    /// Short name, lower case: `iam`.
    pub name: &'static str,
    /// The model's service id: `IAM`.
    pub service_id: &'static str,
    /// First label of the service's host name at AWS: `iam`.
    pub endpoint_prefix: &'static str,
    /// Service part of the SigV4 credential scope.
    pub signing_name: &'static str,
    /// How requests and responses are written.
    pub protocol: Protocol,
    /// API version: `2010-05-08`; the `Version` field of the query protocol.
    pub api_version: &'static str,
    /// Namespace of XML responses; empty for JSON services.
    pub xml_namespace: &'static str,
    /// What stands before the last dot of `X-Amz-Target`; empty for query services.
    pub target_prefix: &'static str,
    /// Sorted by name, in byte order.
    pub operations: &'static [&'static Operation],
}

impl Service {
    /// The operation of that exact name.
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        self.operations.get(at).copied()
    }
}

/// How a service writes its messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// Form in, XML out (iam, sts).
    Query,
    /// JSON 1.0: as 1.1, with another content type.
    Json10,
    /// JSON 1.1.
    Json11,
    /// JSON bodies; path, query string and headers carry members too (accessanalyzer).
    RestJson,
}

/// One operation of a service.
#[derive(Debug)]
pub struct Operation {
    /// `CreateUser`.
    pub name: &'static str,
    /// The service it belongs to.
    pub service: &'static Service,
    /// What a request holds; `None` when it has no members at all.
    pub input: Option<&'static Structure>,
    /// What a response holds; `None` when it holds nothing but metadata.
    pub output: Option<&'static Structure>,
    /// XML element around the output (`CreateUserResult`); empty when there is no output.
    pub result_wrapper: &'static str,
    /// The errors that the model lists for this operation.
    pub errors: &'static [&'static ErrorShape],
    /// How SDKs page it, when they do.
    pub pagination: Option<Pagination>,
    /// True when clients send it without a signature (AssumeRoleWithSAML, AssumeRoleWithWebIdentity).
    pub unsigned: bool,
    /// How it is addressed; `POST /` in all protocols but [`Protocol::RestJson`].
    pub http: Http,
}

/// How an operation is addressed over HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Http {
    /// `PUT`.
    pub method: &'static str,
    /// `/analyzer/{analyzerName}`: a label in braces stands for one segment.
    pub path: &'static str,
    /// Status of a success.
    pub status: u16,
}

impl Http {
    /// How the protocols that have one path for all are addressed.
    pub const ROOT: Self = Self { method: "POST", path: "/", status: 200 };
}

impl Operation {
    /// The modelled error with this code, as it stands on the wire (`NoSuchEntity`).
    pub fn error(&self, code: &str) -> Option<&'static ErrorShape> {
        self.errors.iter().copied().find(|error| error.code == code)
    }
}

/// An error that a model lists.
#[derive(Debug)]
pub struct ErrorShape {
    /// The code on the wire: `NoSuchEntity`.
    pub code: &'static str,
    /// HTTP status; 400 where the model gives none.
    pub status: u16,
    /// Whose fault it is.
    pub fault: Fault,
    /// The structure, named as in the model: `NoSuchEntityException`.
    pub structure: &'static Structure,
}

/// Whose fault an error is; `Type` of a query error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The client's: 4xx.
    Sender,
    /// Ours: 5xx.
    Receiver,
}

impl Fault {
    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::Receiver => "Receiver",
        }
    }

    /// What a status stands for: 5xx is the receiver's fault, all else the sender's.
    pub fn of_status(status: u16) -> Self {
        if status >= 500 { Self::Receiver } else { Self::Sender }
    }
}

/// How an operation is paged. Names are wire names; nested ones have dots.
#[derive(Clone, Copy, Debug)]
pub struct Pagination {
    /// Request members that carry the marker.
    pub input_token: &'static [&'static str],
    /// Response members that carry the next marker.
    pub output_token: &'static [&'static str],
    /// Response member that says whether more follows; empty when the marker alone says so.
    pub more_results: &'static str,
    /// Request member that bounds the page.
    pub limit_key: &'static str,
    /// Response members that hold the items.
    pub result_key: &'static [&'static str],
}

/// A structure: its members in the model's order. A [`crate::Value::Struct`] has one slot for each.
#[derive(Debug)]
pub struct Structure {
    /// The model's name.
    pub name: &'static str,
    /// The members.
    pub members: &'static [Member],
    /// True when exactly one member may be set.
    pub union: bool,
}

impl Structure {
    /// Position and description of the member with this wire name.
    pub fn member(&self, wire: &str) -> Option<(usize, &'static Member)> {
        self.members.iter().enumerate().find(|(_, member)| member.wire == wire)
    }
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Field of the generated struct: `user_name`.
    pub rust: &'static str,
    /// Name on the wire: `UserName`.
    pub wire: &'static str,
    /// Where it stands in a message.
    pub place: Place,
    /// True when absence is a validation error.
    pub required: bool,
    /// What it holds.
    pub shape: &'static Type,
}

/// Where a member stands in a message. All but [`Place::Body`] occur in [`Protocol::RestJson`]
/// alone, at the top of an input, output or error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// In the body, under its name.
    Body,
    /// It is the body.
    Payload,
    /// In the path, in place of the label of its name.
    Label,
    /// In the query string; a list repeats the name.
    Query,
    /// In the header of its name.
    Header,
    /// It is the HTTP status.
    Status,
}

impl Member {
    /// True when the member itself is secret, and must not print.
    pub fn sensitive(&self) -> bool {
        self.shape.sensitivity == Sensitivity::Secret
    }
}

/// A type: what a member, list item, map key or map value holds.
#[derive(Debug)]
pub struct Type {
    /// The model's name: `userNameType`.
    pub name: &'static str,
    /// What kind of value it is.
    pub kind: Kind,
    /// What a valid value obeys.
    pub constraints: Constraints,
    /// Where its values may be shown.
    pub sensitivity: Sensitivity,
}

/// The kinds of value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// 32 bits, signed.
    Integer,
    /// 64 bits, signed.
    Long,
    /// A 64-bit float.
    Double,
    /// Text; when the list is not empty, one of these.
    String(&'static [&'static str]),
    /// Bytes, base64 on the wire.
    Blob,
    /// An instant.
    Timestamp(TimeFormat),
    /// A list of one type.
    List(&'static List),
    /// A map from text to one type.
    Map(&'static Map),
    /// A structure.
    Structure(&'static Structure),
}

/// How an instant is written in JSON. The query protocol and query strings always have ISO 8601.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimeFormat {
    /// Seconds since 1970, as a number.
    Epoch,
    /// `2026-11-21T22:00:00Z`.
    Iso8601,
}

/// A list.
#[derive(Debug)]
pub struct List {
    /// Name of an item on the wire: `member` unless the model renames it.
    pub item: &'static str,
    /// True when items repeat in place, without an element or name part around them.
    pub flattened: bool,
    /// What an item holds.
    pub shape: &'static Type,
}

/// A map.
#[derive(Debug)]
pub struct Map {
    /// Name of a key on the wire: `key` unless the model renames it.
    pub key_name: &'static str,
    /// Name of a value on the wire: `value` unless the model renames it.
    pub value_name: &'static str,
    /// True when entries repeat in place.
    pub flattened: bool,
    /// What a key holds: always a string.
    pub key: &'static Type,
    /// What a value holds.
    pub value: &'static Type,
}

/// What a valid value obeys. `min` and `max` bound the length of a text (characters), blob (bytes),
/// list or map (items), and the value of a number; both inclusive.
#[derive(Clone, Copy, Debug)]
pub struct Constraints {
    /// Least length or value.
    pub min: Option<i64>,
    /// Greatest length or value.
    pub max: Option<i64>,
    /// What the whole text must match.
    pub pattern: Option<Pattern>,
}

impl Constraints {
    /// No constraint.
    pub const NONE: Self = Self { min: None, max: None, pattern: None };
}

/// A regular expression of the model; see [`crate::pattern`].
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// The expression as the model has it.
    pub text: &'static str,
    /// Its place in the table of compiled patterns.
    pub slot: usize,
}

/// Where the values of a type may be shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sensitivity {
    /// Anywhere.
    Open,
    /// In answers to the caller, but not in audit records (one-time codes).
    Unlogged,
    /// Nowhere but in the response member itself: not in messages, logs or audit records.
    Secret,
}
