//! Questions as data: one JSON object with a request and the policies that apply.
//!
//! The form is documented in `corpus/README.md`; the decision vectors, batches of simulations and
//! differential tests have it. A [`Case`] is read from a line, decided, and its [`Answer`] written
//! as a line again. Nothing is added to what the line says.
//!
//! ```
//! use bailiwick_policy::{Case, Documents};
//!
//! let line = r#"{"id": "1",
//!     "request": {"principal": "arn:aws:iam::123456789012:user/alice",
//!                 "action": "s3:GetObject", "resource": "arn:aws:s3:::bucket/key"},
//!     "identityPolicies": [{"Version": "2012-10-17", "Statement":
//!         {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}]}"#;
//! let mut documents = Documents::default();
//! let answer = Case::parse(line, &mut documents)?.decide();
//! assert_eq!(
//!     serde_json::to_string(&answer)?,
//!     r#"{"id":"1","decision":"allowed","reasons":[{"kind":"identity"}]}"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod caller;
mod documents;
mod error;
mod fields;
mod policies;

use bailiwick_identifiers::AccountId;
use serde_json::value::RawValue;

pub use answer::{Answer, ReasonLine};
pub use documents::Documents;
pub use error::{CaseError, CaseProblem};

use crate::{
    Applicable, Context, Credentials, Explanation, Principal, Refusal, Request, decide, explain,
    is_delegated, refusal,
};
use fields::{Fields, Json};
use policies::Policies;

/// The longest line that is read, in bytes.
const MAX_LEN: usize = 16 << 20;
/// The most context keys of one request.
const MAX_KEYS: usize = 4096;
/// The longest action and resource, in bytes: four times the longest ARN of IAM.
const MAX_NAME: usize = 8192;
/// The longest value of a context key, in bytes.
const MAX_VALUE: usize = 64 << 10;

/// The fields of a case.
const CASE: &[&str] = &[
    "id",
    "request",
    "identityPolicies",
    "permissionsBoundary",
    "sessionPolicies",
    "resourcePolicy",
    "scps",
    "rcps",
    "endpointPolicies",
    "gateway",
    "delegated",
    "entities",
    "grants",
    "credentials",
];

/// The fields of its request.
const REQUEST: &[&str] = &[
    "principal",
    "action",
    "resource",
    "resourceAccount",
    "context",
    "userArn",
    "userId",
    "roleArn",
];

/// One request with all that applies to it, read from JSON.
///
/// It owns what a [`Request`] and an [`Applicable`] borrow. A policy that cannot be read applies
/// as unreadable, so that the request is denied (IN-6).
#[derive(Clone, Debug)]
pub struct Case {
    id: Option<Box<RawValue>>,
    principal: Principal,
    action: Box<str>,
    resource: Box<str>,
    resource_account: Option<AccountId>,
    context: Context,
    delegated: bool,
    credentials: Option<Credentials>,
    policies: Policies,
}

impl Case {
    /// Reads a case from the text of one JSON object. Documents are taken from `documents` where
    /// the same text was met before.
    ///
    /// # Errors
    /// What is wrong with the line itself, and where: no JSON, no request, a principal that is
    /// none, a field of the wrong type, a field whose name is nearly a known one; a line of more
    /// than 16 MiB or with more than 4,096 context keys. Other fields are left alone.
    pub fn parse(line: &str, documents: &mut Documents) -> Result<Self, CaseError> {
        if line.len() > MAX_LEN {
            return Err(CaseProblem::TooLong.at(line, 0));
        }
        let mut fields = Fields::of_line(line, CASE)?;
        let id = id(&mut fields)?;
        Self::read(&mut fields, documents)
            .map(|case| Self { id: id.clone(), ..case })
            .map_err(|error| error.of(id))
    }

    /// Reads a case from a JSON value: as its text would be read. A value holds no duplicate keys
    /// any more; give policies as strings where that matters (ST-4).
    ///
    /// # Errors
    /// As [`Case::parse`]; places are those of the value's compact text.
    pub fn from_value(
        value: &serde_json::Value,
        documents: &mut Documents,
    ) -> Result<Self, CaseError> {
        Self::parse(&value.to_string(), documents)
    }

    fn read(fields: &mut Fields<'_>, documents: &mut Documents) -> Result<Self, CaseError> {
        fields.check_names()?;
        let request = fields.take("request").ok_or_else(|| fields.lacks("request"))?;
        let mut request = Fields::read(request, REQUEST)?;
        request.check_names()?;
        let context = match request.take("context") {
            Some(json) => context(&json)?,
            None => Context::new(),
        };
        let action = request.take("action").ok_or_else(|| request.lacks("action"))?;
        let action = action.limited("an action such as `s3:GetObject`", MAX_NAME)?;
        let resource = match request.take("resource") {
            Some(json) => json.limited("an ARN or `*`", MAX_NAME)?,
            None => "*".into(),
        };
        let resource_account = match request.take("resourceAccount") {
            Some(json) => Some(json.parsed("an account id of twelve digits")?),
            None => None,
        };
        let principal = caller::read(&mut request, &context)?;
        let delegated = match fields.take("delegated") {
            Some(json) => json.truth()?,
            None => is_delegated(&action, &resource),
        };
        let credentials = match fields.take("credentials") {
            Some(json) => Some(credentials(&json)?),
            None => None,
        };
        let policies = Policies::read(fields, &principal, &action, &resource, documents)?;
        Ok(Self {
            id: None,
            principal,
            action: action.into(),
            resource: resource.into(),
            resource_account,
            context,
            delegated,
            credentials,
            policies,
        })
    }

    /// The id as it stands in the line, a JSON text.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref().map(RawValue::get)
    }

    /// The request.
    pub fn request(&self) -> Request<'_> {
        Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account,
            context: &self.context,
            delegated: self.delegated,
        }
    }

    /// The policies that apply.
    pub fn applicable(&self) -> Applicable<'_> {
        self.policies.applicable()
    }

    /// Why the service refuses the call before any policy is asked, if the case says how the
    /// caller's credentials were made (SES-8, ROOT-7).
    pub fn refusal(&self) -> Option<Refusal> {
        refusal(self.credentials?, &self.principal, &self.action)
    }

    /// Decides the case.
    pub fn decide(&self) -> Answer {
        if self.refusal().is_some() {
            return Answer::refused(self.id.clone());
        }
        Answer::new(self.id.clone(), &decide(&self.request(), &self.applicable()))
    }

    /// Decides the request and tells why. Refused credentials play no part here: see
    /// [`Case::refusal`].
    pub fn explain(&self) -> Explanation {
        explain(&self.request(), &self.applicable())
    }
}

/// The id, which is any single value.
fn id(fields: &mut Fields<'_>) -> Result<Option<Box<RawValue>>, CaseError> {
    match fields.take("id") {
        Some(json) => json.scalar().map(Some),
        None => Ok(None),
    }
}

fn credentials(json: &Json<'_>) -> Result<Credentials, CaseError> {
    Ok(match &*json.text()? {
        "long-term" => Credentials::LongTerm,
        "role" => Credentials::Role,
        "federation-token" => Credentials::FederationToken { console: false },
        "federation-token-console" => Credentials::FederationToken { console: true },
        "session-token" => Credentials::SessionToken { mfa: false },
        "session-token-mfa" => Credentials::SessionToken { mfa: true },
        _ => {
            return Err(json.wrong(
                "one of `long-term`, `role`, `federation-token`, `federation-token-console`, \
                 `session-token` and `session-token-mfa`",
            ));
        }
    })
}

/// The context. A key may stand once only, without regard to case (CO-2): which one would count?
fn context(json: &Json<'_>) -> Result<Context, CaseError> {
    let members = json.members()?;
    if members.len() > MAX_KEYS {
        return Err(json.problem(CaseProblem::TooManyKeys));
    }
    let mut context = Context::with_capacity(members.len());
    for (key, value) in &members {
        let texts = value.texts()?;
        let longest = match &texts {
            fields::Texts::One(text) => text.len(),
            fields::Texts::List(list) => list.iter().map(|text| text.len()).max().unwrap_or(0),
        };
        if longest.max(key.len()) > MAX_VALUE {
            let shown: String = key.chars().take(64).collect();
            return Err(value.oversized(&shown, MAX_VALUE));
        }
        match texts {
            fields::Texts::One(text) => context.put(key, &text),
            fields::Texts::List(list) => context.put_list(key, list.iter().map(AsRef::as_ref)),
        }
    }
    if context.iter().count() < members.len() {
        let mut seen = std::collections::BTreeSet::new();
        let twice = members.iter().find(|(key, _)| !seen.insert(crate::fold::folded(key)));
        let name = twice.map(|(key, _)| key.to_string()).unwrap_or_default();
        return Err(json.problem(CaseProblem::Twice(name)));
    }
    Ok(context)
}

#[cfg(test)]
mod tests;
