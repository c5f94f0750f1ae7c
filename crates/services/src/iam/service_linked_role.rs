//! Service-linked roles: roles that a service of AWS defines, and that only it may assume. The account
//! makes and deletes them; of what they may do it can change nothing.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, IdKind, Path, RoleName, TagSet};
use bailiwick_model::{Attachment, DeletionTask, Record, RecordKey, Role, TrustText};
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_wire::generated::iam as api;
use jiff::SignedDuration;
use serde_json::json;

use super::linked_services::LinkedService;
use super::{last_accessed, role};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateServiceLinkedRole>(),
    entry::<DeleteServiceLinkedRole>(),
    entry::<GetServiceLinkedRoleDeletionStatus>(),
];

/// The beginning of the path of every such role.
const PATH: &str = "/aws-service-role/";

/// How long a deletion is remembered, and how many are.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);
const MAX_REMEMBERED: usize = 1_000;

/// The service to whose role a path belongs.
fn service_of(path: &str) -> Option<&str> {
    path.strip_prefix(PATH)?.strip_suffix('/').filter(|service| !service.contains('/'))
}

/// Makes the role of a service, with the service's trust policy and its managed policy.
struct CreateServiceLinkedRole {
    service: String,
    name: String,
    known: Result<&'static LinkedService, Fault>,
    description: Option<String>,
}

impl CreateServiceLinkedRole {
    fn known(service: &str, suffix: Option<&str>) -> Result<&'static LinkedService, Fault> {
        let known = LinkedService::of(service).ok_or_else(|| {
            Fault::invalid_input(format!(
                "Invalid service name: {service} is not known to have a service-linked role."
            ))
        })?;
        if suffix.is_some() && !known.takes_suffix {
            // AWS's words, as far as is known.
            let text = format!("Custom suffix is not allowed for {service}");
            return Err(Fault::invalid_input(text));
        }
        Ok(known)
    }
}

impl Operation for CreateServiceLinkedRole {
    type Api = api::CreateServiceLinkedRole;

    fn parse(request: api::CreateServiceLinkedRoleRequest) -> Result<Self, Fault> {
        let (service, suffix) = (request.aws_service_name, request.custom_suffix);
        let known = Self::known(&service, suffix.as_deref());
        let name = known.as_ref().map(|known| known.role_name(suffix.as_deref()));
        Ok(Self {
            name: name.unwrap_or_else(|_| "AWSServiceRoleFor".into()),
            service,
            known,
            description: request.description,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let resource = format!("role{PATH}{}/{}", self.service, self.name);
        let arn = Arn::iam(call.partition(), call.account().id(), &resource);
        let ask = call.ask::<Self>(arn.as_str());
        Ok(vec![ask.with("iam:AWSServiceName", self.service.as_str())])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateServiceLinkedRoleResponse, Fault> {
        let known = *self.known.as_ref().map_err(Fault::clone)?;
        if call.account().role_named(&self.name).is_some() {
            // AWS's words, as far as is known.
            return Err(Fault::invalid_input(format!(
                "Service role name {} has been taken in this account, please try a different \
                 suffix.",
                self.name
            )));
        }
        let name: RoleName = self.name.parse().map_err(|_| {
            Fault::invalid_input(format!("The role name {} is too long.", self.name))
        })?;
        // They count as roles, and are made beyond the quota of roles, too. Source: IAM user guide,
        // creating a service-linked role.
        let path: Path =
            format!("{PATH}{}/", self.service).parse().map_err(|_| Fault::internal())?;
        let policy = call.catalog().managed_policy(known.policy);
        let policy = policy.ok_or_else(Fault::internal)?.arn_in(call.partition().as_str());
        let role = Arc::new(Role {
            id: call.mint().unique_id(IdKind::Role),
            name,
            path,
            created: call.now(),
            description: self.description.clone(),
            max_session_seconds: role::DEFAULT_SESSION,
            trust: trust(&self.service)?,
            tags: TagSet::default(),
            boundary: None,
        });
        call.create(Record::Role(Arc::clone(&role)));
        call.create(Record::Attachment(Attachment {
            owner: role.id,
            policy: policy.parse().map_err(|_| Fault::internal())?,
        }));
        Ok(api::CreateServiceLinkedRoleResponse { role: Some(role::describe(call, &role)) })
    }
}

/// The trust policy of a service's role: the service alone.
fn trust(service: &str) -> Result<TrustText, Fault> {
    let text = json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
        ],
    });
    let document = Document::parse_strict(&text.to_string(), DocumentKind::Trust);
    Ok(TrustText::of(&document.map_err(|_| Fault::internal())?, Vec::new()))
}

/// Deletes a service-linked role. The services of this server hold no resources of it, so that it is
/// gone, with its sessions, when the task is answered.
struct DeleteServiceLinkedRole {
    name: String,
}

impl Operation for DeleteServiceLinkedRole {
    type Api = api::DeleteServiceLinkedRole;

    fn parse(request: api::DeleteServiceLinkedRoleRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.role_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![super::holder::Kind::Role.ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::DeleteServiceLinkedRoleResponse, Fault> {
        let role = role::named(call, &self.name)?;
        let Some(service) = service_of(role.path.as_str()) else {
            let text = format!("The role with name {} is no service-linked role.", role.name);
            return Err(Fault::new("NoSuchEntity", text));
        };
        let id = format!("task{PATH}{service}/{}/{}", role.name, call.mint().uuid());
        forget_old(call);
        let attached: Vec<Arn> = call.account().attached(role.id).cloned().collect();
        for policy in attached {
            call.remove(&RecordKey::Attachment(role.id, policy));
        }
        let inline: Vec<_> =
            call.account().inline_policies(role.id).map(|policy| policy.name.clone()).collect();
        for name in inline {
            call.remove(&RecordKey::InlinePolicy(role.id, name));
        }
        if call.account().role_use(&role.id).is_some() {
            call.remove(&RecordKey::RoleUse(role.id));
        }
        last_accessed::forget(call, role.id);
        let task = DeletionTask { id: id.clone(), role: role.name.clone(), ended: call.now() };
        call.delete(&Record::Role(role));
        call.create(Record::DeletionTask(Arc::new(task)));
        Ok(api::DeleteServiceLinkedRoleResponse { deletion_task_id: id })
    }
}

/// Forgets deletions that are old, and the oldest when there are too many.
fn forget_old(call: &mut Permitted<'_>) {
    let mut tasks: Vec<_> =
        call.account().deletion_tasks().map(|task| (task.ended, task.id.clone())).collect();
    tasks.sort();
    let beyond = (tasks.len() + 1).saturating_sub(MAX_REMEMBERED);
    let now = call.now();
    for (place, (ended, id)) in tasks.into_iter().enumerate() {
        if place < beyond || now.duration_since(ended) > REMEMBERED {
            call.remove(&RecordKey::DeletionTask(id));
        }
    }
}

/// Tells how a deletion went.
struct GetServiceLinkedRoleDeletionStatus {
    task: String,
    /// What follows `role` in the ARN of the role.
    role: String,
}

impl Operation for GetServiceLinkedRoleDeletionStatus {
    type Api = api::GetServiceLinkedRoleDeletionStatus;

    fn parse(request: api::GetServiceLinkedRoleDeletionStatusRequest) -> Result<Self, Fault> {
        let task = request.deletion_task_id;
        let parts: Vec<&str> = task.split('/').collect();
        let role = match parts.as_slice() {
            ["task", "aws-service-role", service, role, id]
                if [service, role, id].iter().all(|part| !part.is_empty())
                    && !task.contains(['*', '?', '$']) =>
            {
                format!("{PATH}{service}/{role}")
            }
            _ => {
                let text = format!("The deletion task id {task} is invalid.");
                return Err(Fault::invalid_input(text));
            }
        };
        Ok(Self { task, role })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let arn = Arn::iam(call.partition(), call.account().id(), &format!("role{}", self.role));
        Ok(vec![call.ask::<Self>(arn.as_str())])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GetServiceLinkedRoleDeletionStatusResponse, Fault> {
        if call.account().deletion_task(&self.task).is_none() {
            let text = format!("The deletion task with id {} cannot be found.", self.task);
            return Err(Fault::new("NoSuchEntity", text));
        }
        Ok(api::GetServiceLinkedRoleDeletionStatusResponse {
            status: "SUCCEEDED".into(),
            reason: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_by_path() {
        for (path, expected) in [
            ("/aws-service-role/ecs.amazonaws.com/", Some("ecs.amazonaws.com")),
            ("/aws-service-role/", None),
            ("/aws-service-role/a/b/", None),
            ("/", None),
            ("/team/", None),
        ] {
            assert_eq!(service_of(path), expected, "{path}");
        }
    }

    #[test]
    fn the_trust_policy_names_the_service_alone() {
        let trust = trust("ecs.amazonaws.com").unwrap();
        assert!(trust.document().is_ok());
        assert!(trust.source().contains(r#""Principal":{"Service":"ecs.amazonaws.com"}"#));
    }

    #[test]
    fn suffixes_where_the_service_takes_them() {
        for (service, suffix, expected) in [
            ("ecs.amazonaws.com", None, Ok("AWSServiceRoleForECS")),
            ("autoscaling.amazonaws.com", Some("a"), Ok("AWSServiceRoleForAutoScaling_a")),
            (
                "ecs.amazonaws.com",
                Some("a"),
                Err("Custom suffix is not allowed for ecs.amazonaws.com"),
            ),
            (
                "ECS.amazonaws.com",
                None,
                Err("Invalid service name: ECS.amazonaws.com is not known to have a \
                     service-linked role."),
            ),
        ] {
            let known = CreateServiceLinkedRole::known(service, suffix);
            let name = known.map(|known| known.role_name(suffix));
            let name = name.map_err(|fault| fault.message().to_owned());
            assert_eq!(name.as_deref().map_err(AsRef::as_ref), expected, "{service}");
        }
    }
}
