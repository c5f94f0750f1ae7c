//! Services, their actions and resource types. A service's own part is read when it is first looked into.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::access_level::AccessLevels;
use crate::bytes::Reader;
use crate::error::CatalogError;
use crate::folded::FoldedIndex;

/// A shared list of names of condition keys or of actions.
pub type Names = Arc<[Arc<str>]>;

/// An action as the service authorization reference describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Action {
    /// The name without the service prefix, such as `CreateUser`, in AWS's case.
    pub name: Box<str>,
    /// The access levels. A set, since some actions have two.
    pub levels: AccessLevels,
    /// The resource types that the action can be limited to. Empty: the action is decided against `*` (rule IN-4).
    pub resource_types: Box<[ActionResource]>,
    /// The condition keys that the action supports whatever its resource.
    pub condition_keys: Names,
    /// Other actions, with prefix (`iam:PassRole`), that a caller needs too (rule IN-3). Empty means "none known":
    /// the sources lack them for actions newer than July 2026.
    pub dependent_actions: Names,
}

impl Action {
    /// The resource type `name` of this action, without regard to case.
    pub fn resource_type(&self, name: &str) -> Option<&ActionResource> {
        self.resource_types.iter().find(|resource| resource.name.eq_ignore_ascii_case(name))
    }
}

/// A resource type as one action uses it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionResource {
    /// The name of a [`ResourceType`] of the same service.
    pub name: Arc<str>,
    /// Whether a call always names such a resource.
    pub required: bool,
    /// The condition keys that the action supports only with this resource type.
    pub condition_keys: Names,
    /// Other actions, with prefix, that a caller needs too when such a resource is named.
    pub dependent_actions: Names,
}

/// A resource type that a service defines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResourceType {
    /// The name, such as `user`.
    pub name: Arc<str>,
    /// The pattern of its ARNs, such as `arn:${Partition}:iam::${Account}:user/${UserNameWithPath}`.
    pub arn_pattern: Box<str>,
    /// The condition keys that the type supports.
    pub condition_keys: Names,
}

/// A service as the service authorization reference describes it.
#[derive(Debug)]
pub struct Service {
    prefix: Box<str>,
    name: Box<str>,
    resource_control_policies: bool,
    body: Range<usize>,
    shared: Arc<Shared>,
    detail: OnceLock<Detail>,
}

impl Service {
    /// The prefix of its actions, such as `iam`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The display name, such as `AWS Identity and Access Management (IAM)`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether resource control policies apply to the service's resources.
    pub fn supports_resource_control_policies(&self) -> bool {
        self.resource_control_policies
    }

    /// The action `name` (without prefix), without regard to case (rule ACT-1).
    pub fn action(&self, name: &str) -> Option<&Action> {
        let detail = self.detail();
        detail.action_index.find(name, &detail.actions, |action| &action.name)
    }

    /// The actions, sorted by lower-case name.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &Action> {
        self.detail().actions.iter()
    }

    /// The resource type `name`, without regard to case.
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.detail().resource_types.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
    }

    /// The resource types, sorted by lower-case name.
    pub fn resource_types(&self) -> impl ExactSizeIterator<Item = &ResourceType> {
        self.detail().resource_types.iter()
    }

    /// The names of the condition keys that the service's table lists, sorted. Among them are global keys.
    pub fn condition_keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.detail().condition_keys.iter().map(|name| &**name)
    }

    fn detail(&self) -> &Detail {
        // A checked file always reads; if ever not, the service has no actions, which grants nothing.
        self.detail.get_or_init(|| self.read_detail().unwrap_or_default())
    }

    fn read_detail(&self) -> Result<Detail, CatalogError> {
        let bytes = self.shared.bytes.get(self.body.clone()).unwrap_or_default();
        Detail::read(Reader::new(bytes, "service"), &self.shared.lists)
    }
}

/// All services, found by prefix.
#[derive(Debug, Default)]
pub(crate) struct ServiceTable {
    services: Vec<Service>,
    index: FoldedIndex,
}

impl ServiceTable {
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, CatalogError> {
        let mut reader = Reader::new(&bytes, "services");
        let mut names: Vec<Arc<str>> = Vec::new();
        for _ in 0..reader.count()? {
            names.push(reader.text()?.into());
        }
        let mut lists: Vec<Names> = Vec::new();
        for _ in 0..reader.count()? {
            let mut list = Vec::new();
            for _ in 0..reader.count()? {
                let at = reader.size()?;
                let name =
                    names.get(at).ok_or_else(|| reader.error("a list names what is not there"))?;
                list.push(Arc::clone(name));
            }
            lists.push(list.into());
        }
        let mut heads = Vec::new();
        for _ in 0..reader.count()? {
            heads.push((
                Box::from(reader.text()?),
                Box::from(reader.text()?),
                reader.byte()? != 0,
                reader.size()?,
            ));
        }
        let mut start = bytes.len() - reader.remaining();
        let shared = Arc::new(Shared { lists, bytes });
        let mut services = Vec::with_capacity(heads.len());
        for (prefix, name, resource_control_policies, len) in heads {
            let end = start.checked_add(len).filter(|end| *end <= shared.bytes.len());
            let end = end.ok_or(CatalogError::malformed("services", "it ends too early"))?;
            let (body, shared) = (start..end, Arc::clone(&shared));
            let detail = OnceLock::new();
            services.push(Service {
                prefix,
                name,
                resource_control_policies,
                body,
                shared,
                detail,
            });
            start = end;
        }
        let index = FoldedIndex::new(services.iter().map(Service::prefix));
        Ok(Self { services, index })
    }

    /// Reads every service's own part, as a check.
    pub(crate) fn verify(&self) -> Result<(), CatalogError> {
        for service in &self.services {
            let detail = service.read_detail()?;
            let _ = service.detail.set(detail);
        }
        Ok(())
    }

    pub(crate) fn find(&self, prefix: &str) -> Option<&Service> {
        self.index.find(prefix, &self.services, Service::prefix)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Service> {
        self.services.iter()
    }
}

/// What the services share: the section's bytes and the lists of names.
#[derive(Debug)]
struct Shared {
    lists: Vec<Names>,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Detail {
    actions: Vec<Action>,
    action_index: FoldedIndex,
    resource_types: Vec<ResourceType>,
    condition_keys: Names,
}

impl Detail {
    fn read(mut reader: Reader<'_>, lists: &[Names]) -> Result<Self, CatalogError> {
        let condition_keys = list(&mut reader, lists)?;
        let mut resource_types = Vec::new();
        for _ in 0..reader.count()? {
            resource_types.push(ResourceType {
                name: reader.text()?.into(),
                arn_pattern: reader.text()?.into(),
                condition_keys: list(&mut reader, lists)?,
            });
        }
        let mut actions = Vec::new();
        for _ in 0..reader.count()? {
            actions.push(action(&mut reader, lists, &resource_types)?);
        }
        let action_index = FoldedIndex::new(actions.iter().map(|action: &Action| &*action.name));
        Ok(Self { actions, action_index, resource_types, condition_keys })
    }
}

fn action(
    reader: &mut Reader<'_>,
    lists: &[Names],
    types: &[ResourceType],
) -> Result<Action, CatalogError> {
    let name = reader.text()?.into();
    let bits = reader.byte()?;
    let levels =
        AccessLevels::from_bits(bits).ok_or_else(|| reader.error("an access level is unknown"))?;
    let condition_keys = list(reader, lists)?;
    let dependent_actions = list(reader, lists)?;
    let mut resource_types = Vec::new();
    for _ in 0..reader.count()? {
        // The lowest bit says whether the resource is required.
        let place = reader.size()?;
        let kind = types
            .get(place >> 1)
            .ok_or_else(|| reader.error("an action names a resource type that is not there"))?;
        resource_types.push(ActionResource {
            name: Arc::clone(&kind.name),
            required: place & 1 == 1,
            condition_keys: list(reader, lists)?,
            dependent_actions: list(reader, lists)?,
        });
    }
    Ok(Action {
        name,
        levels,
        resource_types: resource_types.into(),
        condition_keys,
        dependent_actions,
    })
}

fn list(reader: &mut Reader<'_>, lists: &[Names]) -> Result<Names, CatalogError> {
    let at = reader.size()?;
    lists.get(at).cloned().ok_or_else(|| reader.error("a list is not there"))
}
