//! What an event's source and name are called in policies.
//!
//! Most events bear the name of their action. What does not is in the tables. Some operations hang on
//! their parameters too: versions of S3's objects, parts of DynamoDB's transactions.

mod tables;

use bailiwick_catalog::{AccessLevels, Catalog, Service};

use self::tables::{GATEWAY, HEADERS, HOSTS, NAMES, PARTIQL, PARTS, VERSIONED};

/// An action as a policy names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Action {
    /// The service prefix, such as `cloudwatch`.
    pub service: Box<str>,
    /// The name, such as `ListBucket`.
    pub name: Box<str>,
    /// Whether the catalog knows it. What it does not know is as the event says it.
    pub known: bool,
}

/// An action that an event stands for: its service, itself, the path of the resource with members in
/// braces where it is one, and whether it is about the source of a copy.
type Meant<'c> = (&'c Service, &'c bailiwick_catalog::Action, Option<&'static str>, bool);

impl Action {
    /// The actions of an event, by its source (`monitoring.amazonaws.com`) and its name: never none.
    /// `tells` answers what the parameters tell, which [`Self::questions`] lists.
    pub(super) fn all(
        source: &str,
        name: &str,
        catalog: &Catalog,
        tells: &dyn Fn(&str) -> bool,
    ) -> Vec<Self> {
        let meant = Self::meant(catalog, source, name, tells);
        let mut found: Vec<Self> = meant
            .iter()
            .map(|(service, action, ..)| Self {
                service: service.prefix().into(),
                name: action.name.clone(),
                known: true,
            })
            .collect();
        if found.is_empty() {
            let prefix =
                Self::service(catalog, source).map_or_else(|| host(source), Service::prefix);
            found.push(Self { service: prefix.into(), name: name.into(), known: false });
        }
        found
    }

    /// The actions of an event in the catalog; none if it has no such action. `tells` answers whether the
    /// parameters have a member of a name (in lower case, letters and digits alone), or a statement that
    /// begins with it.
    pub(crate) fn meant<'c>(
        catalog: &'c Catalog,
        source: &str,
        name: &str,
        tells: &dyn Fn(&str) -> bool,
    ) -> Vec<Meant<'c>> {
        let Some(service) = Self::service(catalog, source) else { return Vec::new() };
        let by_name =
            |name: &str| service.action(name).map(|action| (service, action, None, false));
        let prefix = service.prefix();
        if prefix == "apigateway"
            && let Some(meant) = gateway(service, name, tells)
        {
            return vec![meant];
        }
        if let Some(parts) = parts(prefix, name) {
            let told = parts.iter().filter(|(part, _)| tells(part));
            return told.filter_map(|(_, action)| by_name(action)).collect();
        }
        let plain = undated(name);
        let mut found: Vec<Meant<'c>> = match listed(prefix, name) {
            Some(actions) => actions.iter().filter_map(|name| by_name(name)).collect(),
            None => by_name(name).or_else(|| by_name(plain)).into_iter().collect(),
        };
        if found.is_empty() {
            // Such as `Invoke20150331`.
            let actions = listed(prefix, plain).unwrap_or_default();
            found = actions.iter().filter_map(|name| by_name(name)).collect();
        }
        if prefix == "s3" {
            more_of_s3(service, name, tells, &mut found);
        }
        found
    }

    /// What of the parameters the actions of an event hang on, paths of API Gateway aside.
    pub(super) fn questions(source: &str, name: &str, catalog: &Catalog) -> Vec<&'static str> {
        let Some(service) = Self::service(catalog, source) else { return Vec::new() };
        let prefix = service.prefix();
        if let Some(parts) = parts(prefix, name) {
            return parts.iter().map(|(part, _)| *part).collect();
        }
        let mut found = Vec::new();
        if prefix == "s3" {
            let own = Self::meant(catalog, source, name, &|_| false);
            let twin = |name: &str| VERSIONED.iter().any(|(one, _)| *one == name);
            found.extend(own.iter().any(|(_, one, ..)| twin(&one.name)).then_some("versionid"));
            let headers = HEADERS.iter().filter(|_| writes(name));
            found.extend(headers.map(|(header, _)| *header));
        }
        found
    }

    /// The service of an event source.
    pub(crate) fn service<'c>(catalog: &'c Catalog, source: &str) -> Option<&'c Service> {
        let host = host(source);
        let named = HOSTS.iter().find(|(name, _)| host.eq_ignore_ascii_case(name));
        let labels = [host.rsplit('.').next(), host.split('.').next()];
        named
            .map(|(_, prefix)| *prefix)
            .into_iter()
            .chain([host])
            .chain(labels.into_iter().flatten())
            .find_map(|prefix| catalog.service(prefix))
    }

    /// The access levels; none for what the catalog does not know.
    pub fn levels(&self, catalog: &Catalog) -> AccessLevels {
        let action = catalog.action(&self.service, &self.name);
        action.map_or(AccessLevels::NONE, |action| action.levels)
    }
}

fn host(source: &str) -> &str {
    [".amazonaws.com.cn", ".amazonaws.com", ".amazon.com", ".api.aws"]
        .iter()
        .find_map(|end| source.strip_suffix(end))
        .unwrap_or(source)
}

fn listed(prefix: &str, name: &str) -> Option<&'static [&'static str]> {
    let row = NAMES.iter().find(|(of, event, _)| *of == prefix && event.eq_ignore_ascii_case(name));
    row.map(|(_, _, actions)| *actions)
}

/// The parts of which an operation of DynamoDB is made, with their actions.
fn parts(prefix: &str, name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    if prefix != "dynamodb" {
        return None;
    }
    if name.starts_with("Transact") {
        return Some(PARTS);
    }
    (name.contains("ExecuteStatement") || name == "ExecuteTransaction").then_some(PARTIQL)
}

fn writes(name: &str) -> bool {
    matches!(name, "PutObject" | "CopyObject" | "CreateMultipartUpload")
}

/// What S3 asks beside: versions, the source of a copy, and what comes in headers.
fn more_of_s3<'c>(
    service: &'c Service,
    name: &str,
    tells: &dyn Fn(&str) -> bool,
    found: &mut Vec<Meant<'c>>,
) {
    for (_, own, ..) in found.iter_mut() {
        let twin = VERSIONED.iter().find(|(name, _)| *name == &*own.name);
        if let Some(action) = twin.and_then(|(_, twin)| service.action(twin))
            && tells("versionid")
        {
            *own = action;
        }
    }
    if matches!(name, "CopyObject" | "UploadPartCopy") {
        found.extend(service.action("GetObject").map(|action| (service, action, None, true)));
    }
    for (header, action) in HEADERS {
        if writes(name) && tells(header) {
            found.extend(service.action(action).map(|action| (service, action, None, false)));
        }
    }
}

/// A method of API Gateway and the path for which it is asked.
fn gateway<'c>(
    service: &'c Service,
    name: &str,
    tells: &dyn Fn(&str) -> bool,
) -> Option<Meant<'c>> {
    let line = GATEWAY.lines().find(|line| line.split('\t').next() == Some(name))?;
    let ways: Vec<(&str, &str)> =
        line.split('\t').skip(1).filter_map(|way| way.split_once(' ')).collect();
    let known = |path: &str| {
        let members = path.split('{').skip(1).filter_map(|part| part.split('}').next());
        members.filter(|member| tells(&plain(member))).count()
    };
    // Both generations of the service have some names: the one whose members are there.
    let (method, path) = ways.iter().copied().rev().max_by_key(|(_, path)| known(path))?;
    Some((service, service.action(method)?, Some(path), false))
}

/// A name in lower case, letters and digits alone.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether the text of parameters has a member of a plain name, or a string of several words that begins
/// with it. A look at the text alone: much faster than to read it.
pub(super) fn tells(text: &str, name: &str) -> bool {
    // Most objects of S3 have none of it, which a plain search tells at once.
    let spelled = match name {
        "versionid" => "versionId",
        "xamzacl" => "x-amz-acl",
        "xamztagging" => "x-amz-tagging",
        _ => "",
    };
    if !text.contains(spelled) {
        return false;
    }
    let mut pieces = text.split('"').skip(1);
    while let (Some(string), after) = (pieces.next(), pieces.next()) {
        let found = if after.is_some_and(|after| after.trim_start().starts_with(':')) {
            let own = string.bytes().filter(u8::is_ascii_alphanumeric);
            own.map(|byte| byte.to_ascii_lowercase()).eq(name.bytes())
        } else {
            let first = string.split_once(' ').map(|(first, _)| first);
            first.is_some_and(|first| first.eq_ignore_ascii_case(name))
        };
        if found {
            return true;
        }
    }
    false
}

/// A name without the version that some services write behind it: `ListFunctions20150331`,
/// `UpdateFunctionCode20150331v2`, `CreateDistribution2020_05_31`.
fn undated(event: &str) -> &str {
    let name = match event.rsplit_once('v') {
        Some((name, version)) if matches!(version.as_bytes(), [b'0'..=b'9']) => name,
        _ => event,
    };
    let short = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let date = name.get(short.len()..).unwrap_or_default();
    if date.chars().filter(char::is_ascii_digit).count() == 8 { short } else { event }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_as_actions() {
        for (source, event, expected, known) in [
            ("iam.amazonaws.com", "CreateUser", "iam:CreateUser", true),
            ("monitoring.amazonaws.com", "PutMetricAlarm", "cloudwatch:PutMetricAlarm", true),
            ("s3.amazonaws.com", "ListObjects", "s3:ListBucket", true),
            ("s3.amazonaws.com", "HeadObject", "s3:GetObject", true),
            ("s3.amazonaws.com", "GetObject", "s3:GetObject", true),
            ("s3.amazonaws.com", "ListBuckets", "s3:ListAllMyBuckets", true),
            ("lambda.amazonaws.com", "ListFunctions20150331", "lambda:ListFunctions", true),
            (
                "lambda.amazonaws.com",
                "UpdateFunctionCode20150331v2",
                "lambda:UpdateFunctionCode",
                true,
            ),
            ("lambda.amazonaws.com", "Invoke", "lambda:InvokeFunction", true),
            (
                "cloudfront.amazonaws.com",
                "CreateDistribution2020_05_31",
                "cloudfront:CreateDistribution",
                true,
            ),
            ("email.amazonaws.com", "SendEmail", "ses:SendEmail", true),
            ("kms.amazonaws.com", "ReEncrypt", "kms:ReEncryptFrom kms:ReEncryptTo", true),
            ("sqs.amazonaws.com", "SendMessageBatch", "sqs:SendMessage", true),
            ("budgets.amazonaws.com", "CreateBudget", "budgets:ModifyBudget", true),
            ("s3.amazonaws.com", "CopyObject", "s3:PutObject s3:GetObject", true),
            ("tagging.amazonaws.com", "GetResources", "tag:GetResources", true),
            ("apigateway.amazonaws.com", "CreateRestApi", "apigateway:POST", true),
            ("ec2.amazonaws.com.cn", "RunInstances", "ec2:RunInstances", true),
            ("signin.amazonaws.com", "ConsoleLogin", "signin:ConsoleLogin", false),
            ("new.amazonaws.com", "DoThis20", "new:DoThis20", false),
        ] {
            let actions = Action::all(source, event, Catalog::embedded(), &|_| false);
            let names: Vec<String> =
                actions.iter().map(|one| format!("{}:{}", one.service, one.name)).collect();
            assert_eq!(names.join(" "), expected, "{source} {event}");
            assert!(actions.iter().all(|one| one.known == known), "{source} {event}");
        }
    }

    // What hangs on the parameters is asked for, and the text tells it as their values do.
    #[test]
    fn parameters_tell_more() {
        for (source, event, text, expected) in [
            ("s3", "GetObject", r#"{"key":"a","versionId":"1"}"#, "GetObjectVersion"),
            ("s3", "GetObject", r#"{"key":"versionId"}"#, "GetObject"),
            ("s3", "PutObject", r#"{"x-amz-acl" : "private"}"#, "PutObject PutObjectAcl"),
            (
                "dynamodb",
                "TransactWriteItems",
                r#"{"x":[{"put":{}},{"delete":{}}]}"#,
                "DeleteItem PutItem",
            ),
            (
                "dynamodb",
                "ExecuteStatement",
                r#"{"statement":"SELECT * FROM \"t\""}"#,
                "PartiQLSelect",
            ),
            ("dynamodb", "TransactWriteItems", "", "TransactWriteItems"),
        ] {
            let (source, catalog) = (format!("{source}.amazonaws.com"), Catalog::embedded());
            let asked = Action::questions(&source, event, catalog);
            let told = |name: &str| asked.contains(&name) && tells(text, name);
            let actions = Action::all(&source, event, catalog, &told);
            let names: Vec<&str> = actions.iter().map(|one| &*one.name).collect();
            assert_eq!(names.join(" "), expected, "{event} {text}");
        }
        assert!(Action::questions("iam.amazonaws.com", "GetUser", Catalog::embedded()).is_empty());
    }

    // A name that the catalog does not have would drop the call without a word.
    #[test]
    fn tables_name_what_there_is() {
        let catalog = Catalog::embedded();
        for (host, prefix) in HOSTS {
            assert!(catalog.service(prefix).is_some(), "{host} {prefix}");
        }
        for (prefix, event, actions) in NAMES {
            for action in *actions {
                assert!(catalog.action(prefix, action).is_some(), "{prefix} {event} {action}");
            }
        }
        let twins = VERSIONED.iter().flat_map(|(one, other)| [("s3", *one), ("s3", *other)]);
        let headers = HEADERS.iter().map(|(_, action)| ("s3", *action));
        let parts = PARTS.iter().chain(PARTIQL).map(|(_, action)| ("dynamodb", *action));
        for (prefix, action) in twins.chain(headers).chain(parts) {
            assert!(catalog.action(prefix, action).is_some(), "{prefix} {action}");
        }
        for line in GATEWAY.lines() {
            for way in line.split('\t').skip(1) {
                let method = way.split(' ').next().unwrap();
                assert!(catalog.action("apigateway", method).is_some(), "{line}");
            }
        }
    }
}
