//! The resources of a call, from the ARNs that its event names and from the names in its parameters.

use bailiwick_catalog::{Action, Service};

use super::actor::Actor;
use super::names::Meant;
use super::params::{Params, plain};
use super::record::Record;
use super::resource_names::{EC2_IDS, NAMED};
use super::target::{Piece, Target, escaped, fits, pieces};

/// Resources of one type in one call; more are told as a pattern.
const MOST: usize = 200;
/// The longest name that is taken from parameters.
const LONGEST: usize = 1_024;

/// A call in which resources are looked for.
#[derive(Debug)]
pub(super) struct Scene<'s> {
    pub(super) record: &'s Record,
    pub(super) params: &'s Params<'s>,
    pub(super) actor: &'s Actor,
}

impl Scene<'_> {
    /// The resources that an action of the call asks for. Never empty.
    pub(super) fn targets(&self, meant: &Meant<'_>) -> Vec<Target> {
        if let Some(path) = meant.path {
            return vec![self.gateway(path)];
        }
        if meant.source {
            return vec![self.copied()];
        }
        let Meant { service, action, .. } = *meant;
        if service.prefix() == "ec2" && self.params.has("resourceid") {
            let tagged = self.tagged();
            if !tagged.is_empty() {
                return tagged;
            }
        }
        let mut found: Vec<Target> = Vec::new();
        // Types that may be named, of which the event tells the beginning: taken where nothing else is.
        let mut begun: Vec<Target> = Vec::new();
        for named in &action.resource_types {
            let Some(kind) = service.resource_type(&named.name) else { continue };
            for pattern in kind.arn_pattern.split(", ") {
                let mut some = self.told(pattern);
                if some.is_empty() {
                    some = self.made(service, action, &named.name, pattern);
                    // What may be named and is not was not asked for.
                    begun.extend(some.iter().filter(|one| begins(pattern, one)).cloned());
                    some.retain(|target| named.required || !target.partial || is_secret(target));
                }
                if service.prefix() == "logs" && &*named.name == "log-group" {
                    // Some operations are asked with the end `:*`, some without. Observed.
                    for target in some.clone() {
                        if !target.arn.ends_with('*') {
                            some.push(with_end(&target, ":*"));
                        }
                    }
                }
                for target in some {
                    if !found.contains(&target) {
                        found.push(target);
                    }
                }
            }
        }
        if found.is_empty() {
            begun.sort();
            begun.dedup();
            found = begun;
        }
        if found.is_empty() {
            let partial = !action.resource_types.is_empty();
            found.push(Target { partial, ..Target::all() });
        }
        found
    }

    /// The ARNs of the event that are of a type.
    fn told(&self, pattern: &str) -> Vec<Target> {
        let resources = self.record.resources.iter().map(|resource| {
            let owner = resource.account_id.parse().ok();
            (resource.arn.as_str(), owner)
        });
        let params = self.params.arns().map(|(_, arn)| (arn, None));
        let mut found: Vec<Target> = Vec::new();
        for (arn, owner) in resources.chain(params) {
            let fine = arn.len() <= LONGEST * 2 && !arn.chars().any(char::is_control);
            if fine && fits(pattern, arn) && !found.iter().any(|held| held.arn == arn) {
                let has_account = arn.split(':').nth(4).is_some_and(|field| !field.is_empty());
                let owner = owner.filter(|_| !has_account);
                found.push(Target { owner, ..Target::exact(arn) });
            }
        }
        if found.len() > MOST { vec![type_of(pattern, &found)] } else { found }
    }

    /// The ARNs of a type that follow from names in the parameters.
    fn made(&self, service: &Service, action: &Action, kind: &str, pattern: &str) -> Vec<Target> {
        let empty =
            Target { arn: String::new(), pattern: String::new(), partial: false, owner: None };
        let mut found = vec![empty];
        for piece in pieces(pattern) {
            let values = match piece {
                Piece::Text(text) => {
                    // `*` in the catalog stands for a name that it does not call.
                    for target in &mut found {
                        target.arn.push_str(text);
                        target.pattern.push_str(text);
                        target.partial |= text.contains('*');
                    }
                    continue;
                }
                Piece::Variable("Partition") => vec![self.actor.partition().to_owned()],
                Piece::Variable("Region") => vec![self.record.aws_region.clone()],
                Piece::Variable("Account") => vec![self.account()],
                Piece::Variable(name) => self.values(service, action, kind, name),
            };
            let many = values.len() * found.len() > MOST;
            if values.is_empty() || many {
                for target in &mut found {
                    target.arn.push('*');
                    target.pattern.push('*');
                    target.partial = true;
                }
                continue;
            }
            let mut next = Vec::with_capacity(values.len() * found.len());
            for target in &found {
                for value in &values {
                    let mut longer = target.clone();
                    longer.arn.push_str(value);
                    longer.pattern.push_str(&escaped(value));
                    next.push(longer);
                }
            }
            found = next;
        }
        if service.prefix() == "secretsmanager" {
            // A secret's ARN ends in six characters that no parameter tells. Documented.
            for target in found.iter_mut().filter(|target| !target.partial) {
                target.arn.push_str("-??????");
                target.pattern.push_str("-??????");
                target.partial = true;
            }
        }
        found
    }

    /// The values of a variable.
    fn values(
        &self,
        service: &Service,
        action: &Action,
        kind: &str,
        variable: &str,
    ) -> Vec<String> {
        let prefix = service.prefix();
        let name = plain(variable);
        let listed = NAMED.iter().find(|(of, one, _)| *of == prefix && *one == variable);
        let mut values: Vec<&str> = match listed {
            Some((_, _, names)) => names
                .iter()
                .map(|name| self.params.named(name))
                .find(|v| !v.is_empty())
                .unwrap_or_default(),
            None => self.params.named(&name),
        };
        if listed.is_none() && values.is_empty() {
            let kind = plain(kind);
            let own = if variable.ends_with("Id") { "id" } else { "name" };
            let tries = [format!("{kind}{own}"), format!("{kind}identifier"), kind.clone()];
            values = tries
                .iter()
                .map(|name| self.params.named(name))
                .find(|v| !v.is_empty())
                .unwrap_or_default();
            // Of what an operation is about, the name may be called just that.
            if values.is_empty() && plain(&action.name).contains(&kind) {
                let own = [own, "id", "identifier"];
                values = own
                    .iter()
                    .map(|name| self.params.at_top(name))
                    .find(|v| !v.is_empty())
                    .unwrap_or_default();
            }
        }
        let mut values: Vec<String> = values
            .into_iter()
            .filter(|value| value.len() <= LONGEST && !value.chars().any(char::is_control))
            .filter_map(|value| self.shaped(prefix, variable, value))
            .collect();
        values.sort();
        values.dedup();
        if values.is_empty()
            && prefix == "iam"
            && variable == "UserNameWithPath"
            && !self.actor.is_role
        {
            // IAM takes the caller where no user is named.
            values.extend(self.actor.arn.split_once(":user/").map(|(_, name)| name.to_owned()));
        }
        if values.is_empty() && prefix == "ecs" && variable == "ClusterName" {
            values.push("default".to_owned());
        }
        values
    }

    /// A parameter as it stands in an ARN; nothing if it names something else.
    fn shaped(&self, prefix: &str, variable: &str, value: &str) -> Option<String> {
        let tail = |value: &str, sign: char| value.rsplit(sign).next().map(str::to_owned);
        match (prefix, variable) {
            ("sqs", "QueueName") | ("route53", "Id") => tail(value, '/'),
            ("iam", "OidcProviderName") => Some(value.trim_start_matches("https://").to_owned()),
            ("iam", _) if variable.ends_with("WithPath") => {
                let path = self.params.at_top("path").first().copied().unwrap_or("/");
                let created = self.record.event_name.starts_with("Create")
                    || self.record.event_name.starts_with("Upload");
                let path = if created { path } else { "/" };
                Some(format!("{}{value}", path.trim_start_matches('/')))
            }
            ("kms", "Alias") => Some(value.trim_start_matches("alias/").to_owned()),
            // An alias is no key: which one it means, the event tells in its resources, if at all.
            ("kms", "KeyId") => {
                let key = tail(value, '/').unwrap_or_default();
                (!value.contains("alias/")).then_some(key)
            }
            ("ssm", "ParameterNameWithoutLeadingSlash") => {
                Some(value.trim_start_matches('/').to_owned())
            }
            ("ecs", "TaskDefinitionFamilyName") => {
                let bare = tail(value, '/')?;
                Some(bare.split(':').next()?.to_owned())
            }
            ("ecs", "TaskDefinitionRevisionNumber") => {
                let bare = tail(value, '/')?;
                bare.split_once(':').map(|(_, revision)| revision.to_owned())
            }
            ("logs", "LogGroupName") if value.starts_with("arn:") => {
                let (_, name) = value.split_once(":log-group:")?;
                Some(name.trim_end_matches(":*").to_owned())
            }
            _ if value.starts_with("arn:") => {
                let resource = value.splitn(6, ':').nth(5)?;
                resource.rsplit(['/', ':']).next().map(str::to_owned)
            }
            _ => Some(value.to_owned()),
        }
        .filter(|value| !value.is_empty())
    }

    /// A path of API Gateway with its members filled in.
    fn gateway(&self, path: &str) -> Target {
        let head =
            format!("arn:{}:apigateway:{}::", self.actor.partition(), self.record.aws_region);
        let mut target = Target { arn: head.clone(), pattern: head, partial: false, owner: None };
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (member, after) = after.split_once('}').unwrap_or((after, ""));
            target.arn.push_str(before);
            target.pattern.push_str(before);
            if let Some(value) = self.params.first(&plain(member)).filter(|v| v.len() <= LONGEST) {
                target.arn.push_str(value);
                target.pattern.push_str(&escaped(value));
            } else {
                target.arn.push('*');
                target.pattern.push('*');
                target.partial = true;
            }
            rest = after;
        }
        target.arn.push_str(rest);
        target.pattern.push_str(rest);
        target
    }

    /// The object that a copy is made of: `x-amz-copy-source` is `bucket/key`, maybe with a version.
    fn copied(&self) -> Target {
        let source =
            self.params.first("xamzcopysource").or_else(|| self.params.first("copysource"));
        let partition = self.actor.partition();
        let Some(source) = source.filter(|source| source.len() <= LONGEST) else {
            return Target {
                arn: format!("arn:{partition}:s3:::*/*"),
                pattern: format!("arn:{partition}:s3:::*/*"),
                partial: true,
                owner: None,
            };
        };
        let path = source.split('?').next().unwrap_or(source).trim_start_matches('/');
        let path = if path.starts_with("arn:") { path.to_owned() } else { decoded(path) };
        let arn =
            if path.starts_with("arn:") { path } else { format!("arn:{partition}:s3:::{path}") };
        Target::exact(&arn)
    }

    /// What CreateTags and its like are about: ids of many types under one name.
    fn tagged(&self) -> Vec<Target> {
        let ids = self.params.named("resourceid");
        let many = ids.len() > MOST;
        let mut found = Vec::new();
        for id in ids {
            // The longest beginning counts: `vpce-` is no `vpc-`.
            let Some((_, kind)) = EC2_IDS
                .iter()
                .filter(|(head, _)| id.starts_with(head))
                .max_by_key(|(head, _)| head.len())
            else {
                return Vec::new();
            };
            let owner =
                if matches!(*kind, "image" | "snapshot") { String::new() } else { self.account() };
            let (partition, region) = (self.actor.partition(), &self.record.aws_region);
            let head = format!("arn:{partition}:ec2:{region}:{owner}:{kind}/");
            let target = if many { whole(&head) } else { Target::exact(&format!("{head}{id}")) };
            if !many || !found.contains(&target) {
                found.push(target);
            }
        }
        found
    }

    /// The account in which the resources of the call lie.
    fn account(&self) -> String {
        let recipient = &self.record.recipient_account_id;
        if recipient.len() == 12 { recipient.clone() } else { self.actor.account.to_string() }
    }
}

/// All that begins so, in place of too many to list.
fn whole(head: &str) -> Target {
    let mut target = Target::exact(head);
    target.arn.push('*');
    target.pattern.push('*');
    Target { partial: true, ..target }
}

/// A type in place of too many of its ARNs, as far as they agree on partition, region and account.
fn type_of(pattern: &str, arns: &[Target]) -> Target {
    let mut text = String::new();
    for place in 0..5 {
        let mut fields = arns.iter().filter_map(|one| one.arn.split(':').nth(place));
        let first = fields.next().unwrap_or_default();
        text.push_str(if fields.all(|field| field == first) { first } else { "*" });
        text.push(':');
    }
    for piece in pieces(pattern.splitn(6, ':').nth(5).unwrap_or_default()) {
        text.push_str(match piece {
            Piece::Text(text) => text,
            Piece::Variable(_) => "*",
        });
    }
    Target { pattern: text.clone(), arn: text, partial: true, owner: None }
}

/// Whether the first name of a pattern is known in an ARN that was made of it.
fn begins(pattern: &str, target: &Target) -> bool {
    let own = |piece: &Piece<'_>| matches!(piece, Piece::Variable(name) if !matches!(*name, "Partition" | "Region" | "Account"));
    let pieces = pieces(pattern);
    let names = pieces.iter().filter(|piece| own(piece)).count();
    let resource = target.arn.splitn(6, ':').nth(5).unwrap_or_default();
    let head = resource.split('*').next().unwrap_or_default();
    let fixed = pattern.splitn(6, ':').nth(5).unwrap_or_default();
    let fixed = fixed.split("${").next().unwrap_or_default();
    names > 1 && target.partial && head.len() > fixed.len()
}

fn is_secret(target: &Target) -> bool {
    target.arn.ends_with("-??????")
}

fn with_end(target: &Target, end: &str) -> Target {
    Target {
        arn: format!("{}{end}", target.arn),
        pattern: format!("{}{end}", target.pattern),
        ..target.clone()
    }
}

/// A text with its `%2F` and the like decoded.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = (byte == b'%').then(|| (ahead.next(), ahead.next()));
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        match pair.and_then(|(high, low)| Some(digit(high)? * 16 + digit(low)?)) {
            Some(code) => {
                out.push(u8::try_from(code).unwrap_or(b'?'));
                bytes = ahead;
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::*;
    use bailiwick_catalog::Catalog;
    use serde_json::{Value, json};

    fn arns(source: &str, name: &str, params: &Value, resources: &Value) -> Vec<String> {
        let record: Record = serde_json::from_value(json!({
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name,
            "awsRegion": "eu-west-1", "recipientAccountId": "123456789012",
            "requestParameters": params, "resources": resources,
        }))
        .unwrap();
        let params = Params::of(&record.request_parameters);
        let actor = Actor::parse("arn:aws:iam::123456789012:user/team/alice").unwrap();
        let catalog = Catalog::embedded();
        let scene = Scene { record: &record, params: &params, actor: &actor };
        let meant = names::actions(catalog, &record.event_source, name, &params);
        meant.iter().flat_map(|meant| scene.targets(meant)).map(|target| target.pattern).collect()
    }

    #[test]
    fn resources_of_calls() {
        let none = json!([]);
        for (source, name, params, expected) in [
            (
                "s3",
                "GetObject",
                json!({"bucketName": "notes", "key": "a/b*"}),
                vec!["arn:aws:s3:::notes/a/b${*}"],
            ),
            ("s3", "ListObjects", json!({"bucketName": "notes"}), vec!["arn:aws:s3:::notes"]),
            (
                "s3",
                "CopyObject",
                json!({"bucketName": "notes", "key": "a", "x-amz-copy-source": "old/x%2Fy?versionId=1"}),
                vec!["arn:aws:s3:::notes/a", "arn:aws:s3:::old/x/y"],
            ),
            ("s3", "ListBuckets", json!({}), vec!["*"]),
            (
                "lambda",
                "UpdateFunctionCode20150331v2",
                json!({"functionName": "f"}),
                vec!["arn:aws:lambda:eu-west-1:123456789012:function:f"],
            ),
            (
                "lambda",
                "GetFunction",
                json!({"functionName": "arn:aws:lambda:us-east-1:123456789012:function:g"}),
                vec!["arn:aws:lambda:us-east-1:123456789012:function:g"],
            ),
            (
                "dynamodb",
                "PutItem",
                json!({"tableName": "t"}),
                vec!["arn:aws:dynamodb:eu-west-1:123456789012:table/t"],
            ),
            (
                "iam",
                "CreateUser",
                json!({"userName": "bob", "path": "/x/"}),
                vec!["arn:aws:iam::123456789012:user/x/bob"],
            ),
            ("iam", "GetUser", json!(null), vec!["arn:aws:iam::123456789012:user/team/alice"]),
            (
                "iam",
                "GetRole",
                json!({"roleName": "ci"}),
                vec!["arn:aws:iam::123456789012:role/ci"],
            ),
            (
                "iam",
                "AttachRolePolicy",
                json!({"roleName": "ci", "policyArn": "arn:aws:iam::aws:policy/X"}),
                vec!["arn:aws:iam::123456789012:role/ci"],
            ),
            (
                "sqs",
                "SendMessage",
                json!({"queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"}),
                vec!["arn:aws:sqs:eu-west-1:123456789012:jobs"],
            ),
            (
                "sns",
                "Publish",
                json!({"topicArn": "arn:aws:sns:eu-west-1:123456789012:news"}),
                vec!["arn:aws:sns:eu-west-1:123456789012:news"],
            ),
            (
                "secretsmanager",
                "GetSecretValue",
                json!({"secretId": "db"}),
                vec!["arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-??????"],
            ),
            (
                "ssm",
                "GetParameter",
                json!({"name": "/app/db"}),
                vec!["arn:aws:ssm:eu-west-1:123456789012:parameter/app/db"],
            ),
            (
                "ec2",
                "TerminateInstances",
                json!({"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}),
                vec![
                    "arn:aws:ec2:eu-west-1:123456789012:instance/i-1",
                    "arn:aws:ec2:eu-west-1:123456789012:instance/i-2",
                ],
            ),
            (
                "ec2",
                "CreateTags",
                json!({"resourcesSet": {"items": [{"resourceId": "vpce-1"}, {"resourceId": "snap-1"}]}}),
                vec![
                    "arn:aws:ec2:eu-west-1:123456789012:vpc-endpoint/vpce-1",
                    "arn:aws:ec2:eu-west-1::snapshot/snap-1",
                ],
            ),
            ("ec2", "DescribeInstances", json!({}), vec!["*"]),
            (
                "cloudformation",
                "DescribeStacks",
                json!({"stackName": "shop"}),
                vec!["arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/*"],
            ),
            (
                "dynamodb",
                "Query",
                json!({"tableName": "t"}),
                vec!["arn:aws:dynamodb:eu-west-1:123456789012:table/t"],
            ),
            (
                "ec2",
                "CreateVpc",
                json!({"cidrBlock": "10.0.0.0/16"}),
                vec!["arn:aws:ec2:eu-west-1:123456789012:vpc/*"],
            ),
            (
                "logs",
                "FilterLogEvents",
                json!({"logGroupName": "/aws/x"}),
                vec![
                    "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/x",
                    "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/x:*",
                ],
            ),
            (
                "rds",
                "DeleteDBInstance",
                json!({"dBInstanceIdentifier": "db"}),
                vec!["arn:aws:rds:eu-west-1:123456789012:db:db"],
            ),
            (
                "apigateway",
                "GetStage",
                json!({"restApiId": "a1", "stageName": "prod"}),
                vec!["arn:aws:apigateway:eu-west-1::/restapis/a1/stages/prod"],
            ),
            (
                "kms",
                "DisableKey",
                json!({"keyId": "1234"}),
                vec!["arn:aws:kms:eu-west-1:123456789012:key/1234"],
            ),
            (
                "kms",
                "DisableKey",
                json!({"keyId": "alias/x"}),
                vec!["arn:aws:kms:eu-west-1:123456789012:key/*"],
            ),
        ] {
            assert_eq!(arns(source, name, &params, &none), expected, "{source} {name}");
        }
    }

    #[test]
    fn arns_of_the_event_come_first() {
        let resources = json!([
            {"ARN": "arn:aws:kms:eu-west-1:999999999999:key/k", "accountId": "999999999999"},
            {"ARN": "arn:aws:s3:::elsewhere"},
        ]);
        assert_eq!(
            arns("kms", "Decrypt", &json!({"keyId": "alias/x"}), &resources),
            ["arn:aws:kms:eu-west-1:999999999999:key/k"]
        );
    }
}
