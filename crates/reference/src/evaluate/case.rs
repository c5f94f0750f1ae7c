//! A case: one request and the policies that apply to it, in the common form of the vectors.

use super::Layer;
use super::caller::Caller;
use super::document::{Policy, read};
use super::json::Json;

/// A policy, or why it cannot be read (IN-6).
pub(super) type Stored = Result<Policy, String>;

pub(super) struct Case {
    pub(super) caller: Caller,
    pub(super) action: String,
    pub(super) resource: String,
    owners: Vec<String>,
    pub(super) context: Context,
    pub(super) identity: Vec<Stored>,
    pub(super) boundary: Option<Stored>,
    pub(super) session: Vec<Stored>,
    pub(super) resource_policy: Option<Stored>,
    pub(super) scps: Vec<Vec<Stored>>,
    pub(super) rcps: Vec<Vec<Stored>>,
    pub(super) endpoint: Vec<Stored>,
    pub(super) gateway: bool,
    pub(super) delegated: Option<bool>,
    /// PR-12: entities alive when the resource policy was saved, ARN and unique id.
    pub(super) entities: Option<Vec<(String, String)>>,
    pub(super) grants: Vec<Grant>,
    pub(super) credentials: Option<String>,
}

/// A KMS grant (DLG-5).
pub(super) struct Grant {
    pub(super) grantee: String,
    pub(super) operations: Vec<String>,
}

/// Context keys in lower case, for they compare without regard to it (CO-2), and their values.
pub(super) struct Context(Vec<(String, Vec<String>)>);

impl Context {
    /// The values of a key; none where it is absent. An empty list is absent too (CO-3).
    pub(super) fn values(&self, key: &str) -> &[String] {
        let key = key.to_lowercase();
        let found = self.0.iter().find(|(name, _)| *name == key);
        found.map_or(&[], |(_, values)| values)
    }

    /// The value of a key that has exactly one.
    pub(super) fn single(&self, key: &str) -> Option<&str> {
        match self.values(key) {
            [value] => Some(value),
            _ => None,
        }
    }
}

impl Case {
    pub(super) fn read(source: &Json) -> Result<Self, String> {
        source.members()?;
        let request = source.member("request").ok_or("the case has no request")?;
        request.members()?;
        let action = text(request, "action")?.ok_or("the request has no action")?;
        let resource = text(request, "resource")?.unwrap_or_else(|| "*".to_owned());
        if action.is_empty() || resource.is_empty() {
            return Err("an empty action or resource".to_owned());
        }
        let context = context(request)?;
        let principal = request.member("principal").ok_or("the request has no principal")?;
        let caller = Caller::read(
            principal,
            &context,
            text(request, "roleArn")?,
            text(request, "userArn")?,
            text(request, "userId")?.as_deref(),
        )?;
        let owners = owners(&resource, text(request, "resourceAccount")?)?;
        // RES-9: a trust policy is the resource policy of the role that is assumed.
        let attached =
            if assumes_role(&action, &resource) { Layer::Trust } else { Layer::Resource };
        let single = |name, layer| present(source, name).map(|policy| read(policy, layer));
        Ok(Self {
            identity: policies(list(source, "identityPolicies")?, Layer::Identity),
            boundary: single("permissionsBoundary", Layer::Boundary),
            session: policies(list(source, "sessionPolicies")?, Layer::Session),
            resource_policy: single("resourcePolicy", attached),
            scps: levels(source, "scps", Layer::Scp)?,
            rcps: levels(source, "rcps", Layer::Rcp)?,
            endpoint: policies(list(source, "endpointPolicies")?, Layer::Endpoint),
            gateway: flag(source, "gateway")?.unwrap_or(false),
            delegated: flag(source, "delegated")?,
            entities: entities(source)?,
            grants: grants(source)?,
            credentials: credentials(source)?,
            caller,
            action,
            resource,
            owners,
            context,
        })
    }

    /// IN-7: whether caller and resource are of one account, which nothing that is said denies.
    pub(super) fn is_own(&self) -> bool {
        self.owners.iter().all(|owner| self.caller.account.as_ref() == Some(owner))
    }

    /// Whether a trust policy decides (TR-1, TR-6, SES-9).
    pub(super) fn is_trust(&self) -> bool {
        assumes_role(&self.action, &self.resource)
    }

    /// Whether the resource is a role.
    pub(super) fn is_on_role(&self) -> bool {
        is_role(&self.resource)
    }

    /// Every policy of the case.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Stored> {
        self.identity
            .iter()
            .chain(&self.boundary)
            .chain(&self.session)
            .chain(&self.resource_policy)
            .chain(self.scps.iter().flatten())
            .chain(self.rcps.iter().flatten())
            .chain(&self.endpoint)
    }

    /// ACT-1: without regard to case.
    pub(super) fn is_action(&self, name: &str) -> bool {
        self.action.eq_ignore_ascii_case(name)
    }
}

/// Whether the policy of the resource is a trust policy: for whatever assumes a role, and for what
/// else is done to one.
fn assumes_role(action: &str, resource: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let others = ["sts:tagsession", "sts:setsourceidentity", "sts:setcontext"];
    action.starts_with("sts:assumerole") || (is_role(resource) && others.contains(&action.as_str()))
}

fn is_role(resource: &str) -> bool {
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    matches!(fields.as_slice(), ["arn", _, "iam", _, _, role] if role.starts_with("role/"))
}

/// IN-7: the accounts that are said to own the resource: field 5 of its ARN, and the owner passed
/// beside it. IN-9: `aws` says nothing.
fn owners(resource: &str, passed: Option<String>) -> Result<Vec<String>, String> {
    let digits = |account: &str| account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    if passed.as_ref().is_some_and(|passed| !digits(passed)) {
        return Err("`resourceAccount` is no account id".to_owned());
    }
    let field = resource.split(':').nth(4).filter(|_| resource.starts_with("arn:"));
    // A word that is no account id is an owner of its own; a pattern, of which simulations ask, is
    // none.
    let said = |account: &&str| !account.is_empty() && *account != "aws" && !account.contains('*');
    let field = field.filter(said);
    Ok(field.map(str::to_owned).into_iter().chain(passed).collect())
}

/// A member that is there and is not null.
fn present<'a>(source: &'a Json, name: &str) -> Option<&'a Json> {
    source.member(name).filter(|value| **value != Json::Null)
}

fn text(source: &Json, name: &str) -> Result<Option<String>, String> {
    match present(source, name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` is no string")),
    }
}

fn flag(source: &Json, name: &str) -> Result<Option<bool>, String> {
    match present(source, name) {
        None => Ok(None),
        Some(Json::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(format!("`{name}` is neither true nor false")),
    }
}

fn list<'a>(source: &'a Json, name: &str) -> Result<&'a [Json], String> {
    match present(source, name) {
        None => Ok(&[]),
        Some(Json::List(items)) => Ok(items),
        Some(_) => Err(format!("`{name}` is no list")),
    }
}

fn policies(items: &[Json], layer: Layer) -> Vec<Stored> {
    items.iter().filter(|item| **item != Json::Null).map(|item| read(item, layer)).collect()
}

fn levels(source: &Json, name: &str, layer: Layer) -> Result<Vec<Vec<Stored>>, String> {
    let mut levels = Vec::new();
    for level in list(source, name)? {
        match level {
            Json::List(items) => levels.push(policies(items, layer)),
            _ => return Err(format!("a level of `{name}` is no list")),
        }
    }
    Ok(levels)
}

fn strings(value: &Json, what: &str) -> Result<Vec<String>, String> {
    let mut strings = Vec::new();
    for item in value.as_list() {
        let Json::Text(text) = item else {
            return Err(format!("`{what}` is neither a string nor a list of strings"));
        };
        strings.push(text.clone());
    }
    Ok(strings)
}

fn context(request: &Json) -> Result<Context, String> {
    let Some(source) = present(request, "context") else {
        return Ok(Context(Vec::new()));
    };
    let mut context = Vec::new();
    for (key, values) in source.members()? {
        let name = key.to_lowercase();
        if context.iter().any(|(earlier, _)| *earlier == name) {
            return Err(format!("`{key}` stands twice")); // CO-2
        }
        context.push((name, strings(values, key)?));
    }
    Ok(Context(context))
}

fn entities(source: &Json) -> Result<Option<Vec<(String, String)>>, String> {
    let Some(map) = present(source, "entities") else {
        return Ok(None);
    };
    let mut entities = Vec::new();
    for (arn, id) in map.members()? {
        let Json::Text(id) = id else {
            return Err(format!("the id of `{arn}` is no string"));
        };
        entities.push((arn.clone(), id.clone()));
    }
    Ok(Some(entities))
}

fn credentials(source: &Json) -> Result<Option<String>, String> {
    let kinds =
        "long-term role federation-token federation-token-console session-token session-token-mfa";
    match text(source, "credentials")? {
        Some(kind) if !kinds.split(' ').any(|known| known == kind) => {
            Err(format!("`{kind}` is no kind of credentials"))
        }
        kind => Ok(kind),
    }
}

fn grants(source: &Json) -> Result<Vec<Grant>, String> {
    let mut grants = Vec::new();
    for grant in list(source, "grants")? {
        let operations = grant.member("operations").ok_or("a grant has no operations")?;
        grants.push(Grant {
            grantee: text(grant, "grantee")?.ok_or("a grant has no grantee")?,
            operations: strings(operations, "operations")?,
        });
    }
    Ok(grants)
}
