//! Answers on the wire.

use bailiwick_wire::schema::{Fault as Side, Operation, Protocol, Service};
use bailiwick_wire::{Value, json, query, rest};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::fault::Fault;
use crate::origin::Origin;

/// An answer before its headers, which is what a retry gets again.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// A modelled error of a JSON protocol names itself in a header too.
    pub(crate) error_type: Option<String>,
    /// Headers that carry members.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// An answer without headers of its own.
    pub(crate) fn bare(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, body, error_type: None, headers: Vec::new() }
    }

    /// The answer to a call that was carried out.
    pub(crate) fn success(operation: &'static Operation, value: &Value, origin: &Origin) -> Self {
        let (content_type, body) = match operation.service.protocol {
            Protocol::RestJson => {
                let rest::Message { status, headers, body } =
                    rest::encode_response(operation, value);
                let content_type = json::content_type(Protocol::RestJson);
                return Self { status, content_type, body, error_type: None, headers };
            }
            Protocol::Query => {
                (query::CONTENT_TYPE, query::encode_response(operation, value, &origin.request_id))
            }
            protocol => (
                json::content_type(protocol),
                operation
                    .output
                    .map_or_else(|| b"{}".to_vec(), |output| json::encode(output, value)),
            ),
        };
        Self::bare(200, content_type, body)
    }

    /// The answer to a call that was refused or failed.
    pub(crate) fn failure(
        protocol: Protocol,
        service: Option<&'static Service>,
        operation: Option<&'static Operation>,
        fault: &Fault,
        origin: &Origin,
    ) -> Self {
        if protocol == Protocol::RestJson {
            return Self::rest_failure(operation, fault);
        }
        let modelled = operation.and_then(|operation| operation.error(fault.code()));
        let status = fault.status().or(modelled.map(|error| error.status)).unwrap_or(400);
        let (content_type, body, error_type, status) = match protocol {
            Protocol::Query => {
                let side = Side::of_status(status);
                let body = query::encode_error(
                    service,
                    fault.code(),
                    fault.message(),
                    side,
                    &origin.request_id,
                );
                (query::CONTENT_TYPE, body, None, status)
            }
            protocol => {
                // The JSON protocols have their own name and status for a denial.
                let denied = fault.code() == "AccessDenied";
                let code = if denied { "AccessDeniedException" } else { fault.code() };
                let body = json::encode_error(code, fault.message());
                let status = if denied { 400 } else { status };
                (json::content_type(protocol), body, Some(code.to_owned()), status)
            }
        };
        Self { error_type, ..Self::bare(status, content_type, body) }
    }

    /// REST-JSON names the common failures as its models do, and has their status.
    fn rest_failure(operation: Option<&'static Operation>, fault: &Fault) -> Self {
        let (code, reason) = match fault.code() {
            "AccessDenied" => ("AccessDeniedException", None),
            "InternalFailure" => ("InternalServerException", None),
            "Throttling" => ("ThrottlingException", None),
            "ValidationError" | "ValidationException" => ("ValidationException", Some("other")),
            code => (code, None),
        };
        let modelled = operation.and_then(|operation| operation.error(code));
        let status = modelled.map(|error| error.status).or(fault.status()).unwrap_or(400);
        let mut members = fault.members().to_vec();
        if let Some(reason) = reason.filter(|_| members.iter().all(|(name, _)| *name != "reason")) {
            members.push(("reason", reason.into()));
        }
        let (headers, body) = rest::encode_error(modelled, fault.message(), &members);
        let content_type = json::content_type(Protocol::RestJson);
        Self { status, content_type, body, error_type: Some(code.to_owned()), headers }
    }

    /// The HTTP response.
    pub(crate) fn into_response(self, origin: &Origin, decided: bool) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set("x-amzn-requestid", &origin.request_id);
        if decided {
            set("x-bailiwick-decision-id", &origin.decision_id);
        }
        if let Some(code) = &self.error_type {
            set("x-amzn-errortype", code);
        }
        for (name, text) in &self.headers {
            set(name, text);
        }
        // Answers may hold secrets: no cache on the way keeps one.
        set("cache-control", "no-store");
        response
    }
}
