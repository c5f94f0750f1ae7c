//! A browser at the sign-in of a server: it posts JSON and keeps the session's cookie.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Request};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};

use crate::client::{Client, Credentials};

/// A browser. Each has a cookie jar of its own.
pub struct Browser {
    client: Client,
    cookie: Mutex<Option<String>>,
}

/// What a step of a sign-in answered.
#[derive(Clone, Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Json,
}

impl Browser {
    /// A browser where a client is.
    pub fn new(client: &Client) -> Self {
        Self { client: client.anonymous(), cookie: Mutex::default() }
    }

    /// The same from another address.
    #[must_use]
    pub fn at(mut self, address: &str) -> Self {
        self.client.peer.address = address.parse::<IpAddr>().expect("an address");
        self
    }

    /// Its cookie, if it has one.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().clone()
    }

    /// Takes another cookie.
    pub fn set_cookie(&self, cookie: Option<String>) {
        *self.cookie.lock() = cookie;
    }

    /// Takes a step, with headers beside those of a page of the server.
    pub fn step_with(&self, step: &str, body: &str, headers: &[(&str, &str)]) -> Page {
        let name =
            if self.client.peer.secure { "__Host-bailiwick-session" } else { "bailiwick-session" };
        let mut builder = Request::post(format!("/signin/{step}"))
            .header("host", "localhost:4680")
            .header("user-agent", "a browser")
            .header("origin", "https://localhost:4680")
            .header("content-type", "application/json");
        if let Some(cookie) = self.cookie() {
            builder = builder.header("cookie", format!("other=1; {name}={cookie}"));
        }
        let mut request = builder.body(Bytes::from(body.to_owned())).expect("a request");
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().expect("a name");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let answer = bailiwick_services::handle(&self.client.node, request, self.client.peer);
        let (parts, body) = answer.into_parts();
        if let Some(set) = parts.headers.get("set-cookie") {
            let set = set.to_str().expect("a cookie");
            let value = set.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            let value = value.and_then(|rest| rest.split(';').next()).expect("the cookie's value");
            self.set_cookie((!value.is_empty()).then(|| value.to_owned()));
        }
        Page {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&body).expect("JSON"),
        }
    }

    /// Takes a step.
    pub fn step(&self, step: &str, body: &Json) -> Page {
        self.step_with(step, &body.to_string(), &[])
    }

    /// Gives account, user name and password.
    pub fn password(&self, account: &str, user: &str, password: &str) -> Page {
        let body = json!({"account": account, "userName": user, "password": password});
        self.step("password", &body)
    }

    /// Gives the code that a ticket is waiting for.
    pub fn code(&self, ticket: &str, code: &str) -> Page {
        self.step("factor", &json!({"ticket": ticket, "code": code}))
    }

    /// Gives another password.
    pub fn new_password(&self, ticket: &str, old: &str, new: &str) -> Page {
        let body = json!({"ticket": ticket, "oldPassword": old, "newPassword": new});
        self.step("new-password", &body)
    }

    /// Asks for credentials of its session.
    pub fn session(&self) -> Page {
        self.step("session", &json!({}))
    }

    /// Ends its session.
    pub fn sign_out(&self) -> Page {
        self.step("sign-out", &json!({}))
    }

    /// A client with the credentials of a page.
    #[track_caller]
    #[must_use]
    pub fn client(&self, page: &Page) -> Client {
        let text = |name: &str| page.text(&format!("/credentials/{name}"));
        self.client.with(Some(Credentials {
            access_key_id: text("accessKeyId"),
            secret: text("secretAccessKey"),
            token: Some(text("sessionToken")),
        }))
    }
}

impl Page {
    /// The text at a place of the body; it must be there.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Json::as_str);
        found.unwrap_or_else(|| panic!("no `{pointer}` in {}", self.body)).to_owned()
    }

    /// The page, which must be a success of this status.
    #[track_caller]
    pub fn is(self, status: &str) -> Self {
        assert_eq!((self.status, self.body["status"].as_str()), (200, Some(status)), "{self:?}");
        self
    }

    /// The page, which must be a refusal of this code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["error"].as_str()), (status, Some(code)), "{self:?}");
        self
    }
}

/// The hash of a password as a server with weaker parameters would have kept it.
pub fn weak_hash(password: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
    let params = Params::new(8 * 1024, 1, 1, None).expect("parameters");
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.as_bytes(), &[7; 16]);
    hash.expect("a hash").to_string()
}
