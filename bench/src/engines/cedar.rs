//! cedar-policy: the same grants in Cedar's own language, in its own idioms.
//!
//! W1 compares the bucket as an entity in the scope, so no pattern is matched at all. W2 matches
//! the text of the resource with `like`; Cedar has no variable in a pattern, so the caller's name
//! is written out, and wildcards of actions become action groups, loaded once.

use std::str::FromStr as _;

use anyhow::Context as _;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet,
    Request, RestrictedExpression,
};

use super::{Engine, Loaded};
use crate::workload::{Call, Shape, Verdict, denies};

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    alice: EntityUid,
    action: EntityTypeName,
    resource: EntityTypeName,
    /// Whether the bucket itself is the resource.
    buckets: bool,
}

impl Default for Cedar {
    fn default() -> Self {
        let name = |text| {
            #[allow(clippy::expect_used, reason = "three constants")]
            EntityTypeName::from_str(text).expect("a name")
        };
        Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::new(),
            entities: Entities::empty(),
            alice: EntityUid::from_type_name_and_id(name("User"), EntityId::new("alice")),
            action: name("Action"),
            resource: name("Bucket"),
            buckets: false,
        }
    }
}

impl Engine for Cedar {
    fn name(&self) -> &'static str {
        "cedar-policy"
    }

    fn load(&mut self, shape: &Shape) -> anyhow::Result<Loaded> {
        self.buckets = matches!(shape, Shape::Buckets(_));
        self.entities = Entities::empty();
        let list: Vec<String> = match shape {
            Shape::Buckets(count) => (0..*count).map(bucket_policy).collect(),
            Shape::Teams(count) => {
                self.entities = action_groups()?;
                (0..*count).map(team_policy).collect()
            }
            // `*` is its only wildcard, and means the same.
            Shape::Glob(pattern) if !pattern.contains('?') => vec![format!(
                r#"permit(principal == User::"alice", action == Action::"s3:GetObject", resource) when {{ context.resource like "{pattern}" }};"#
            )],
            Shape::Glob(_) => return Ok(Loaded::Inexpressible("`like` has no `?`")),
            Shape::Managed { .. } => {
                return Ok(Loaded::Inexpressible("IAM documents are not its language"));
            }
        };
        self.policies = PolicySet::from_str(&list.concat()).context("Cedar policies")?;
        Ok(Loaded::Ready)
    }

    fn decide(&mut self, call: &Call) -> anyhow::Result<Verdict> {
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
        };
        let (bucket, rest) = if self.buckets {
            let object = call.resource.strip_prefix("arn:aws:s3:::").unwrap_or_default();
            object.split_once('/').unwrap_or((object, ""))
        } else {
            ("any", call.resource.as_str())
        };
        let keys = call.context().map(|(key, value)| {
            let value = if key == "aws:SourceIp" {
                RestrictedExpression::new_ip(value)
            } else {
                RestrictedExpression::new_string(value.to_owned())
            };
            (key.to_owned(), value)
        });
        let resource = ("resource".to_owned(), RestrictedExpression::new_string(rest.to_owned()));
        // Thirteen keys where the text of the resource is asked for, twelve where it is not.
        let resource = (!self.buckets).then_some(resource);
        let request = Request::new(
            self.alice.clone(),
            uid(&self.action, &call.action),
            uid(&self.resource, bucket),
            Context::from_pairs(keys.chain(resource))?,
            None,
        )?;
        let response = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
        Ok(match response.decision() {
            Decision::Allow => Verdict::Allowed,
            Decision::Deny if response.diagnostics().reason().next().is_some() => {
                Verdict::ExplicitDeny
            }
            Decision::Deny => Verdict::ImplicitDeny,
        })
    }
}

fn bucket_policy(i: usize) -> String {
    if denies(i) {
        format!(
            r#"forbid(principal == User::"alice", action in [Action::"s3:DeleteObject", Action::"s3:DeleteBucket"], resource == Bucket::"bucket-{i}") when {{ context["aws:MultiFactorAuthPresent"] == "false" }};
"#
        )
    } else {
        format!(
            r#"permit(principal == User::"alice", action in [Action::"s3:GetObject", Action::"s3:PutObject"], resource == Bucket::"bucket-{i}") when {{ context["aws:PrincipalOrgID"] == "o-a1b2c3d4e5" && context["aws:SourceIp"].isInRange(ip("10.0.0.0/8")) }};
"#
        )
    }
}

fn team_policy(i: usize) -> String {
    if denies(i) {
        format!(
            r#"forbid(principal == User::"alice", action, resource) when {{ context.resource like "arn:aws:s3:::*/team-{i}/*" && !(action in [Action::"s3:Get*", Action::"s3:List*", Action::"s3:PutObject"]) }};
"#
        )
    } else {
        format!(
            r#"permit(principal == User::"alice", action in Action::"s3:Get*", resource) when {{ context.resource like "arn:aws:s3:::*/team-{i}/alice/*" && (context["aws:PrincipalTag/dept"] like "eng-*" || context["aws:PrincipalTag/dept"] like "ops-*") }};
"#
        )
    }
}

/// The actions that the questions ask for, in their groups.
fn action_groups() -> anyhow::Result<Entities> {
    let uid = |id: &str| format!(r#"{{"type":"Action","id":"{id}"}}"#);
    let entity = |id: &str, parent: Option<&str>| {
        let parents = parent.map(uid).unwrap_or_default();
        format!(r#"{{"uid":{},"attrs":{{}},"parents":[{parents}]}}"#, uid(id))
    };
    let list = [
        entity("s3:Get*", None),
        entity("s3:List*", None),
        entity("s3:GetObject", Some("s3:Get*")),
        entity("s3:ListBucket", Some("s3:List*")),
        entity("s3:PutObject", None),
        entity("s3:DeleteObject", None),
    ];
    Entities::from_json_str(&format!("[{}]", list.join(",")), None).context("action groups")
}
