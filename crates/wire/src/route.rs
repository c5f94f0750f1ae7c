//! Which operation a request names (api-surface 1.1).
//!
//! In this order: `X-Amz-Target`, whose part before the *last* dot is the service; the service in
//! the credential scope, with the form's `Action`; `Action` and `Version` alone, for the unsigned
//! operations. A service that speaks REST-JSON is addressed by scope, method and path alone, and none of
//! its paths is `/`. Host names are not looked at. When a target or version says one service and the scope
//! another, the request is refused: what was signed for one service must not reach another.

use http::Method;
use http::request::Parts;

use crate::generated::SERVICES;
use crate::query::Form;
use crate::rest::{self, Miss};
use crate::schema::{Operation, Protocol, Service};

/// A request that names no operation of ours. Every one is answered with status 400, save the scope
/// mismatch (403 in the query protocol), and a path or method of a REST-JSON service (404, 405).
#[derive(Clone, Debug, thiserror::Error)]
pub enum RouteError {
    /// No `Action` and no `X-Amz-Target`.
    #[error("Missing Action")]
    MissingAction,
    /// The service is known, the action is not, or not in that version.
    #[error("Could not find operation {action} for version {version}")]
    InvalidAction {
        /// As it was sent.
        action: String,
        /// As it was sent, or `NO_VERSION_SPECIFIED`.
        version: String,
        /// The service that was addressed, when it is known.
        service: Option<&'static str>,
    },
    /// `X-Amz-Target` names no service or operation, is not text, or stands twice.
    #[error("Unknown operation")]
    UnknownOperation,
    /// Nothing of a REST-JSON service stands at the path.
    #[error("There is nothing at this path.")]
    NoSuchPath(&'static Service),
    /// Something stands at the path, under another method.
    #[error("The method is not allowed at this path.")]
    NoSuchMethod(&'static Service),
    /// The protocol is one that we do not speak.
    #[error("The protocol of the request is not supported")]
    UnknownProtocol,
    /// The credential scope names a service that we do not have.
    #[error("Unknown service: {0}")]
    UnknownService(String),
    /// The credential scope names another service than the request.
    #[error("Credential should be scoped to correct service: '{expected}'.")]
    WrongScope {
        /// The signing name of the service that the request names.
        expected: &'static str,
        /// How that service writes its answers.
        protocol: Protocol,
    },
}

impl RouteError {
    /// The code for the client.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingAction => "MissingAction",
            Self::InvalidAction { .. } | Self::UnknownService(_) => "InvalidAction",
            Self::UnknownOperation
            | Self::UnknownProtocol
            | Self::NoSuchPath(_)
            | Self::NoSuchMethod(_) => "UnknownOperationException",
            Self::WrongScope { protocol: Protocol::Query, .. } => "SignatureDoesNotMatch",
            Self::WrongScope { .. } => "InvalidSignatureException",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::WrongScope { protocol: Protocol::Query, .. } => 403,
            Self::NoSuchPath(_) => 404,
            Self::NoSuchMethod(_) => 405,
            _ => 400,
        }
    }

    /// How to write the answer.
    pub fn protocol(&self) -> Protocol {
        match self {
            Self::UnknownOperation | Self::UnknownProtocol => Protocol::Json11,
            Self::WrongScope { protocol, .. } => *protocol,
            Self::NoSuchPath(_) | Self::NoSuchMethod(_) => Protocol::RestJson,
            _ => Protocol::Query,
        }
    }

    /// The service whose namespace the answer carries, when it is known.
    pub fn service(&self) -> Option<&'static Service> {
        let name = match self {
            Self::InvalidAction { service, .. } => (*service)?,
            Self::WrongScope { expected, .. } => expected,
            Self::NoSuchPath(service) | Self::NoSuchMethod(service) => return Some(service),
            _ => return None,
        };
        service(name)
    }
}

/// The service with this short name.
pub fn service(name: &str) -> Option<&'static Service> {
    SERVICES.iter().copied().find(|service| service.name == name)
}

/// The operation that a request names.
///
/// `scope_service` is the service part of the credential scope, from the `Authorization` header or
/// `X-Amz-Credential`; `None` when the request is not signed. `form` is the decoded form body of a
/// POST, or the query string of a GET.
pub fn target(
    parts: &Parts,
    scope_service: Option<&str>,
    form: Option<&Form>,
) -> Result<(&'static Service, &'static Operation), RouteError> {
    if parts.headers.contains_key("smithy-protocol") {
        return Err(RouteError::UnknownProtocol);
    }
    let mut targets = parts.headers.get_all("x-amz-target").iter();
    match (targets.next(), targets.next()) {
        (None, _) => match scope_service.and_then(rest_service) {
            Some(service) => by_path(parts, service),
            None => by_action(scope_service, form),
        },
        (Some(target), None) => {
            let text = target.to_str().map_err(|_| RouteError::UnknownOperation)?;
            by_target(text, scope_service)
        }
        (Some(_), Some(_)) => Err(RouteError::UnknownOperation),
    }
}

/// The REST-JSON service with this signing name.
pub fn rest_service(signing_name: &str) -> Option<&'static Service> {
    SERVICES.iter().copied().find(|service| {
        service.protocol == Protocol::RestJson && service.signing_name == signing_name
    })
}

/// The REST-JSON service that has something at this path: for a request that cannot say whom it is
/// for, since it is not signed.
pub fn rest_service_at(path: &str) -> Option<&'static Service> {
    let mut services = SERVICES.iter().copied();
    services.find(|service| {
        service.protocol == Protocol::RestJson
            && !matches!(rest::operation(service, &Method::GET, path), Err(Miss::Path))
    })
}

fn by_path(
    parts: &Parts,
    service: &'static Service,
) -> Result<(&'static Service, &'static Operation), RouteError> {
    match rest::operation(service, &parts.method, parts.uri.path()) {
        Ok(operation) => Ok((service, operation)),
        Err(Miss::Path) => Err(RouteError::NoSuchPath(service)),
        Err(Miss::Method) => Err(RouteError::NoSuchMethod(service)),
    }
}

fn by_target(
    target: &str,
    scope_service: Option<&str>,
) -> Result<(&'static Service, &'static Operation), RouteError> {
    let (prefix, name) = target.rsplit_once('.').ok_or(RouteError::UnknownOperation)?;
    let service = SERVICES
        .iter()
        .copied()
        .find(|service| !service.target_prefix.is_empty() && service.target_prefix == prefix)
        .ok_or(RouteError::UnknownOperation)?;
    check_scope(service, scope_service)?;
    let operation = service.operation(name).ok_or(RouteError::UnknownOperation)?;
    Ok((service, operation))
}

fn by_action(
    scope_service: Option<&str>,
    form: Option<&Form>,
) -> Result<(&'static Service, &'static Operation), RouteError> {
    let by_scope = match scope_service {
        None => None,
        Some(name) => {
            let mut services = SERVICES.iter().copied();
            let found = services.find(|service| service.signing_name == name);
            Some(found.ok_or_else(|| RouteError::UnknownService(name.to_owned()))?)
        }
    };
    // A JSON service is addressed by its target alone.
    if by_scope.is_some_and(|service| service.protocol != Protocol::Query) {
        return Err(RouteError::UnknownOperation);
    }
    let action = form.and_then(|form| form.get("Action")).unwrap_or_default();
    if action.is_empty() {
        return Err(RouteError::MissingAction);
    }
    let version = form.and_then(|form| form.get("Version")).unwrap_or_default();
    let by_version = SERVICES
        .iter()
        .copied()
        .find(|service| service.protocol == Protocol::Query && service.api_version == version);
    let unknown = |service: Option<&'static Service>| RouteError::InvalidAction {
        action: action.chars().take(MAX_ECHO).collect(),
        version: if version.is_empty() {
            "NO_VERSION_SPECIFIED".to_owned()
        } else {
            version.chars().take(MAX_ECHO).collect()
        },
        service: service.map(|service| service.name),
    };
    let service = by_version.ok_or_else(|| unknown(by_scope))?;
    check_scope(service, scope_service)?;
    let operation = service.operation(action).ok_or_else(|| unknown(Some(service)))?;
    Ok((service, operation))
}

/// Most characters of an action or version that an answer repeats.
const MAX_ECHO: usize = 128;

fn check_scope(service: &'static Service, scope_service: Option<&str>) -> Result<(), RouteError> {
    match scope_service {
        Some(name) if name != service.signing_name => Err(RouteError::WrongScope {
            expected: service.signing_name,
            protocol: service.protocol,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(
        target_header: Option<&str>,
        scope: Option<&str>,
        body: &str,
    ) -> Result<String, String> {
        let mut request = http::Request::post("/");
        if let Some(text) = target_header {
            request = request.header("x-amz-target", text);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let form = Form::parse(body.as_bytes()).unwrap();
        target(&parts, scope, Some(&form))
            .map(|(service, operation)| format!("{}:{}", service.name, operation.name))
            .map_err(|error| format!("{} {}", error.code(), error))
    }

    #[test]
    fn routes() {
        let events = Some("Bailiwick_20261101.ListEvents");
        for (target, scope, body, expected) in [
            (None, Some("iam"), "Action=GetUser&Version=2010-05-08", Ok("iam:GetUser")),
            (None, Some("sts"), "Action=AssumeRole&Version=2011-06-15", Ok("sts:AssumeRole")),
            (
                None,
                None,
                "Action=AssumeRoleWithSAML&Version=2011-06-15",
                Ok("sts:AssumeRoleWithSAML"),
            ),
            (events, Some("bailiwick"), "", Ok("bailiwick:ListEvents")),
            (events, None, "Action=GetUser&Version=2010-05-08", Ok("bailiwick:ListEvents")),
            (
                events,
                Some("iam"),
                "",
                Err(
                    "InvalidSignatureException Credential should be scoped to correct service: 'bailiwick'.",
                ),
            ),
            (
                Some("Bailiwick_20261101.Nothing"),
                Some("bailiwick"),
                "",
                Err("UnknownOperationException Unknown operation"),
            ),
            (
                Some("ListEvents"),
                Some("bailiwick"),
                "",
                Err("UnknownOperationException Unknown operation"),
            ),
            (
                Some(".GetUser"),
                Some("iam"),
                "Action=GetUser&Version=2010-05-08",
                Err("UnknownOperationException Unknown operation"),
            ),
            (
                None,
                Some("bailiwick"),
                "Action=ListEvents&Version=2026-11-01",
                Err("UnknownOperationException Unknown operation"),
            ),
            (
                None,
                Some("iam"),
                "Action=Fly&Version=2010-05-08",
                Err("InvalidAction Could not find operation Fly for version 2010-05-08"),
            ),
            (
                None,
                Some("iam"),
                "Action=getuser&Version=2010-05-08",
                Err("InvalidAction Could not find operation getuser for version 2010-05-08"),
            ),
            (
                None,
                Some("iam"),
                "Action=GetUser",
                Err(
                    "InvalidAction Could not find operation GetUser for version NO_VERSION_SPECIFIED",
                ),
            ),
            (None, Some("iam"), "Version=2010-05-08", Err("MissingAction Missing Action")),
            (
                None,
                Some("iam"),
                "Action=AssumeRole&Version=2011-06-15",
                Err("SignatureDoesNotMatch Credential should be scoped to correct service: 'sts'."),
            ),
            (
                None,
                Some("s3"),
                "Action=GetUser&Version=2010-05-08",
                Err("InvalidAction Unknown service: s3"),
            ),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(route(target, scope, body), expected, "{target:?} {scope:?} {body}");
        }
    }

    #[test]
    fn services_with_paths_are_found_by_scope_method_and_path() {
        let analyzer = Some("access-analyzer");
        for (method, path, scope, header, expected) in [
            ("POST", "/policy/validation", analyzer, None, Ok("accessanalyzer:ValidatePolicy")),
            ("GET", "/analyzer/a", analyzer, None, Ok("accessanalyzer:GetAnalyzer")),
            ("GET", "/nothing", analyzer, None, Err((404, Protocol::RestJson))),
            ("GET", "/policy/validation", analyzer, None, Err((405, Protocol::RestJson))),
            ("POST", "/policy/validation", Some("iam"), None, Err((400, Protocol::Query))),
            ("POST", "/policy/validation", None, None, Err((400, Protocol::Query))),
            (
                "POST",
                "/policy/validation",
                analyzer,
                Some("Bailiwick_20261101.ListEvents"),
                Err((400, Protocol::Json11)),
            ),
        ] {
            let mut request = http::Request::builder().method(method).uri(path);
            if let Some(text) = header {
                request = request.header("x-amz-target", text);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let found = target(&parts, scope, None)
                .map(|(service, operation)| format!("{}:{}", service.name, operation.name))
                .map_err(|error| (error.status(), error.protocol()));
            assert_eq!(found, expected.map(str::to_owned), "{method} {path} {scope:?}");
        }
        assert_eq!(rest_service_at("/analyzer/a").unwrap().name, "accessanalyzer");
        assert!(rest_service_at("/").is_none());
    }

    #[test]
    fn tm_a01_two_targets_are_refused() {
        let request = http::Request::post("/")
            .header("x-amz-target", "Bailiwick_20261101.ListEvents")
            .header("x-amz-target", "Bailiwick_20261101.ExplainDecision");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert!(matches!(target(&parts, None, None), Err(RouteError::UnknownOperation)));
    }
}
