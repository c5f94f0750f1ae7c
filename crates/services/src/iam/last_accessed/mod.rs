//! Last accesses: which of the services and actions that its policies grant a user, group, role or
//! managed policy was used for, when, by whom and in which region.
//!
//! Every signed call counts for the user or role that makes it, allowed or not. A report is made
//! after the call that asks for it, and says what was so then, however often it is read.

mod granted;
pub(crate) mod making;
mod report;

use std::sync::Arc;

use bailiwick_identifiers::{AccountId, Arn, UniqueId};
use bailiwick_model::{AccessReport, AccessReportFailure, Record, RecordKey};
use bailiwick_wire::generated::iam as api;

use self::report::{Access, Entity, Report, Subject, Use};
use super::{holder, managed};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) use self::report::is_tracked;

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<GenerateServiceLastAccessedDetails>(),
    entry::<GetServiceLastAccessedDetails>(),
    entry::<GetServiceLastAccessedDetailsWithEntities>(),
];

/// Forgets what a user or role that is being deleted asked for.
pub(super) fn forget(call: &mut Permitted<'_>, principal: UniqueId) {
    let uses = call.account().action_uses(principal);
    let actions: Vec<String> = uses.map(|last| last.action.clone()).collect();
    for action in actions {
        call.remove(&RecordKey::ActionUse(principal, action));
    }
}

/// What a request names.
enum Named {
    /// A user, group or role of this name.
    Holder(holder::Kind, String),
    Policy,
}

/// Asks for a report.
struct GenerateServiceLastAccessedDetails {
    arn: Arn,
    named: Named,
    /// The account in the ARN; none where AWS stands in its place.
    account: Option<AccountId>,
    by_action: bool,
}

impl GenerateServiceLastAccessedDetails {
    fn named(arn: &Arn) -> Option<Named> {
        let (kind, path) = arn.resource().split_once('/')?;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?.to_owned();
        let own = arn.account_id().is_some();
        if arn.service() != "iam" || !arn.region().is_empty() {
            return None;
        }
        match kind {
            "user" if own => Some(Named::Holder(holder::Kind::User, name)),
            "group" if own => Some(Named::Holder(holder::Kind::Group, name)),
            "role" if own => Some(Named::Holder(holder::Kind::Role, name)),
            "policy" if own || arn.account() == "aws" => Some(Named::Policy),
            _ => None,
        }
    }

    fn subject(&self, call: &Call<'_>) -> Option<Subject> {
        Subject::find(call.account(), call.node().managed(), &self.arn)
    }
}

impl Operation for GenerateServiceLastAccessedDetails {
    type Api = api::GenerateServiceLastAccessedDetails;

    fn parse(request: api::GenerateServiceLastAccessedDetailsRequest) -> Result<Self, Fault> {
        // AWS's words (*observed*, of other operations that take such an ARN).
        let unclear = || {
            Fault::invalid_input(format!(
                "Invalid Entity Arn: {} does not clearly define entity type and name.",
                request.arn
            ))
        };
        let arn: Arn = request.arn.parse().map_err(|_| unclear())?;
        let named = Self::named(&arn).ok_or_else(unclear)?;
        let by_action = request.granularity.as_deref() == Some("ACTION_LEVEL");
        Ok(Self { account: arn.account_id(), arn, named, by_action })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![match (&self.named, self.subject(call)) {
            (Named::Holder(kind, name), Some(_)) => kind.ask::<Self>(call, name),
            (Named::Holder(..), None) => {
                let mut ask = call.ask::<Self>(self.arn.as_str());
                ask.owner = self.account.unwrap_or(ask.owner);
                ask
            }
            (Named::Policy, _) => managed::ask::<Self>(call, &self.arn),
        }])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GenerateServiceLastAccessedDetailsResponse, Fault> {
        if self.subject(call).is_none() {
            return Err(match &self.named {
                Named::Holder(kind, name) => Fault::no_such(kind.word(), name),
                Named::Policy => managed::not_found(&self.arn),
            });
        }
        if making::waiting(call.account()).count() >= making::MOST_WAITING {
            return Err(Fault::common("Throttling", 400, "Rate exceeded"));
        }
        let id = call.mint().uuid();
        call.create(Record::AccessReport(Arc::new(AccessReport {
            id: id.clone(),
            subject: self.arn.clone(),
            creator: call.caller().tracked(),
            by_action: self.by_action,
            created: call.now(),
            end: None,
        })));
        Ok(api::GenerateServiceLastAccessedDetailsResponse { job_id: Some(id) })
    }
}

/// A report that was asked for in the caller's account.
fn asked_for(call: &Call<'_>, id: &str) -> Result<Arc<AccessReport>, Fault> {
    let held = call.account().access_report(id);
    let held = held.filter(|report| making::is_kept(report, call.now()));
    held.cloned().ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> Fault {
    Fault::new("NoSuchEntity", format!("The job with id {id} cannot be found."))
}

/// What is told of a report apart from what it says.
struct Status {
    word: &'static str,
    ended: Option<jiff::Timestamp>,
    failure: Option<api::ErrorDetails>,
    report: Option<Report>,
}

fn status(call: &Call<'_>, held: &AccessReport) -> Result<Status, Fault> {
    let Some(end) = &held.end else {
        return Ok(Status { word: "IN_PROGRESS", ended: None, failure: None, report: None });
    };
    if let Some(AccessReportFailure { code, message }) = end.failure.clone() {
        let failure = Some(api::ErrorDetails { code, message });
        return Ok(Status { word: "FAILED", ended: Some(end.at), failure, report: None });
    }
    let report = making::load(call.node(), call.account().id(), &held.id, end);
    let report = Some(report.ok_or_else(|| not_found(&held.id))?);
    Ok(Status { word: "COMPLETED", ended: Some(end.at), failure: None, report })
}

/// Tells of a report, service by service.
struct GetServiceLastAccessedDetails {
    id: String,
    max_items: Option<i32>,
    marker: Option<String>,
}

impl Operation for GetServiceLastAccessedDetails {
    type Api = api::GetServiceLastAccessedDetails;

    fn parse(request: api::GetServiceLastAccessedDetailsRequest) -> Result<Self, Fault> {
        let api::GetServiceLastAccessedDetailsRequest { job_id, max_items, marker } = request;
        Ok(Self { id: job_id, max_items, marker })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GetServiceLastAccessedDetailsResponse, Fault> {
        let held = asked_for(call, &self.id)?;
        // Only the user or role that asked for it may use the id here. Source: IAM API,
        // GenerateServiceLastAccessedDetails.
        if held.creator != call.caller().tracked() {
            return Err(not_found(&self.id));
        }
        let Status { word, ended, failure, report } = status(call, &held)?;
        let (entities, services) =
            report.map(|report| (report.entities, report.services)).unwrap_or_default();
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let key = |access: &Access| access.namespace.clone();
        let page = page::cut(call, paging, &[&self.id], services.into_iter(), key)?;
        let describe = |access| describe(call, &entities, access);
        Ok(api::GetServiceLastAccessedDetailsResponse {
            job_status: word.to_owned(),
            job_type: Some(
                if held.by_action { "ACTION_LEVEL" } else { "SERVICE_LEVEL" }.to_owned(),
            ),
            job_creation_date: held.created,
            services_last_accessed: page.items.into_iter().map(describe).collect(),
            job_completion_date: ended,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
            error: failure,
        })
    }
}

fn describe(call: &Call<'_>, entities: &[Entity], access: Access) -> api::ServiceLastAccessed {
    let arn = |last: &Use| entities.get(last.entity).map(|entity| entity.arn.to_string());
    let service = call.catalog().service(&access.namespace);
    let last = access.uses.first();
    let action = |action: report::ActionAccess| api::TrackedActionLastAccessed {
        action_name: Some(action.name),
        last_accessed_entity: action.last.as_ref().and_then(arn),
        last_accessed_time: action.last.as_ref().map(|last| last.at),
        last_accessed_region: action.last.map(|last| last.region),
    };
    api::ServiceLastAccessed {
        service_name: service.map_or(&*access.namespace, |service| service.name()).to_owned(),
        last_authenticated: last.map(|last| last.at),
        last_authenticated_entity: last.and_then(arn),
        last_authenticated_region: last.map(|last| last.region.clone()),
        total_authenticated_entities: i32::try_from(access.uses.len()).ok(),
        tracked_actions_last_accessed: (!access.actions.is_empty())
            .then(|| access.actions.into_iter().map(action).collect()),
        service_namespace: access.namespace,
    }
}

/// Tells which users and roles used a service, the latest use first; those that never did come last.
struct GetServiceLastAccessedDetailsWithEntities {
    id: String,
    namespace: String,
    max_items: Option<i32>,
    marker: Option<String>,
}

impl Operation for GetServiceLastAccessedDetailsWithEntities {
    type Api = api::GetServiceLastAccessedDetailsWithEntities;

    fn parse(
        request: api::GetServiceLastAccessedDetailsWithEntitiesRequest,
    ) -> Result<Self, Fault> {
        let api::GetServiceLastAccessedDetailsWithEntitiesRequest {
            job_id,
            service_namespace,
            max_items,
            marker,
        } = request;
        Ok(Self { id: job_id, namespace: service_namespace, max_items, marker })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GetServiceLastAccessedDetailsWithEntitiesResponse, Fault> {
        let held = asked_for(call, &self.id)?;
        let service = call.catalog().service(&self.namespace).ok_or_else(|| {
            Fault::invalid_input(format!("The service namespace {} is unknown.", self.namespace))
        })?;
        let Status { word, ended, failure, report } = status(call, &held)?;
        let found = report.map(|report| users_of(report, service.prefix())).unwrap_or_default();
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        // A report does not change, so that a place in it stays what it is.
        let places = found.into_iter().enumerate();
        let key = |(place, _): &(usize, _)| format!("{place:010}");
        let page = page::cut(call, paging, &[&self.id, service.prefix()], places, key)?;
        Ok(api::GetServiceLastAccessedDetailsWithEntitiesResponse {
            job_status: word.to_owned(),
            job_creation_date: held.created,
            job_completion_date: ended,
            entity_details_list: page.items.into_iter().map(|(_, details)| details).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
            error: failure,
        })
    }
}

/// The entities of a report as users of a service; none when its policies do not grant the service.
fn users_of(report: Report, namespace: &str) -> Vec<api::EntityDetails> {
    let Report { entities, services } = report;
    let Some(access) = services.into_iter().find(|access| access.namespace == namespace) else {
        return Vec::new();
    };
    let used = access
        .uses
        .iter()
        .filter_map(|last| entities.get(last.entity).map(|entity| details(entity, Some(last))));
    let is_idle = |place: &usize| access.uses.iter().all(|last| last.entity != *place);
    let idle = entities.iter().enumerate().filter(|(place, _)| is_idle(place));
    used.chain(idle.map(|(_, entity)| details(entity, None))).collect()
}

fn details(entity: &Entity, last: Option<&Use>) -> api::EntityDetails {
    let (kind, path) = entity.arn.resource().split_once('/').unwrap_or_default();
    let (path, name) = path.rsplit_once('/').map_or(("", path), |(path, name)| (path, name));
    api::EntityDetails {
        entity_info: api::EntityInfo {
            arn: entity.arn.to_string(),
            name: name.to_owned(),
            r#type: kind.to_ascii_uppercase(),
            id: entity.id.to_string(),
            path: Some(if path.is_empty() { "/".to_owned() } else { format!("/{path}/") }),
        },
        last_authenticated: last.map(|last| last.at),
    }
}
