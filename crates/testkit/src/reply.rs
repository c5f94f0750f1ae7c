//! An answer, as a client reads it.

use bailiwick_wire::schema::{Kind, Operation, Protocol, Structure};
use bailiwick_wire::{Value, json, query, rest};
use bytes::Bytes;
use http::{HeaderMap, Response};

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// The error code; empty for a success.
    pub code: String,
    /// The error text; empty for a success.
    pub message: String,
    operation: Option<&'static Operation>,
    value: Option<Value>,
}

impl Reply {
    /// Reads an answer to `operation`, or one to nothing known.
    pub fn read(operation: Option<&'static Operation>, response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let mut reply = Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            code: String::new(),
            message: String::new(),
            operation,
            value: None,
        };
        if reply.status == 200 {
            reply.value = operation.map(|operation| match operation.service.protocol {
                Protocol::Query => {
                    query::decode_response(operation, &reply.body).expect("a readable answer")
                }
                Protocol::RestJson => {
                    rest::decode_response(operation, 200, &reply.headers, &reply.body)
                        .expect("a readable answer")
                }
                _ => operation.output.map_or(Value::Struct(Vec::new()), |output| {
                    json::decode(&reply.body, output).expect("a readable answer")
                }),
            });
        } else {
            reply.read_error();
        }
        reply
    }

    fn read_error(&mut self) {
        let header = self.header("x-amzn-errortype");
        let is_json = self.header("content-type").is_some_and(|kind| kind.contains("json"));
        (self.code, self.message) = if is_json {
            let error =
                json::decode_error(&self.body, header.as_deref()).expect("a readable error");
            (error.code, error.message)
        } else {
            let error = query::decode_error(&self.body).expect("a readable error");
            (error.code, error.message)
        };
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    /// Whether the call was carried out.
    pub fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// The answer itself, which must be a success.
    #[track_caller]
    pub fn ok(self) -> Self {
        let name = self.operation.map_or("a call", |operation| operation.name);
        assert!(self.is_ok(), "{name}: {} {}: {}", self.status, self.code, self.message);
        self
    }

    /// The answer itself, which must be a refusal of this code.
    #[track_caller]
    pub fn refused(self, code: &str) -> Self {
        let name = self.operation.map_or("a call", |operation| operation.name);
        assert_eq!(self.code, code, "{name}: {} {}", self.status, self.message);
        assert!((400..500).contains(&self.status), "{name}: {} {}", self.status, self.message);
        self
    }

    /// The body as text.
    pub fn text_body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The id of the request, from the headers.
    pub fn request_id(&self) -> String {
        self.header("x-amzn-requestid").unwrap_or_default()
    }

    /// The id under which the decision is explained, when one was taken.
    pub fn decision_id(&self) -> Option<String> {
        self.header("x-bailiwick-decision-id")
    }

    /// The value of the whole answer, when it was a success.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The value at a path of member names and list positions, such as `Users.0.UserName`.
    pub fn at(&self, path: &str) -> Option<&Value> {
        let mut structure = self.operation?.output;
        let mut value = self.value.as_ref()?;
        for part in path.split('.') {
            let kind = if let Ok(place) = part.parse::<usize>() {
                let Value::List(items) = value else { return None };
                value = items.get(place)?;
                continue;
            } else {
                let (place, member) = structure?.member(part)?;
                value = value.slots().get(place)?.as_ref()?;
                member.shape.kind
            };
            structure = inner(kind);
        }
        Some(value)
    }

    /// The text at a path; it must be there.
    #[track_caller]
    pub fn text(&self, path: &str) -> String {
        let value = self.at(path);
        let text = value.and_then(Value::text);
        text.unwrap_or_else(|| panic!("`{path}` is no text in {value:?}")).to_owned()
    }

    /// The instant at a path; it must be there.
    #[track_caller]
    pub fn instant(&self, path: &str) -> jiff::Timestamp {
        match self.at(path) {
            Some(Value::Timestamp(instant)) => *instant,
            other => panic!("`{path}` is no instant but {other:?}"),
        }
    }

    /// The number of items at a path; 0 when nothing is there.
    pub fn len(&self, path: &str) -> usize {
        match self.at(path) {
            Some(Value::List(items)) => items.len(),
            _ => 0,
        }
    }
}

/// The structure inside a member, looking through lists.
fn inner(kind: Kind) -> Option<&'static Structure> {
    match kind {
        Kind::Structure(structure) => Some(structure),
        Kind::List(list) => inner(list.shape.kind),
        _ => None,
    }
}
