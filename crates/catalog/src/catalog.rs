//! The catalog as others see it: look-ups over a data file whose parts are read on first use.

use std::sync::{Arc, LazyLock, OnceLock};

use jiff::civil::Date;

use crate::condition_key::{ConditionKey, KeyTable};
use crate::container::{Container, Counts, FileBytes, Source};
use crate::error::CatalogError;
use crate::global_keys::global_condition_keys;
use crate::managed_policy::{ManagedPolicy, PolicyTable};
use crate::service::{Action, Service, ServiceTable};

/// The section that holds services, actions and resource types.
pub(crate) const SERVICES: usize = 0;
/// The section that holds condition keys.
pub(crate) const CONDITION_KEYS: usize = 1;
/// The section that holds the managed policies without their documents.
pub(crate) const MANAGED_POLICIES: usize = 2;
/// The first section that holds documents.
pub(crate) const FIRST_BLOCK: usize = 3;

/// Facts about AWS, from one data file.
///
/// A look-up that finds nothing returns `None`; nothing here fails after the file has been opened.
#[derive(Debug, Default)]
pub struct Catalog {
    container: Option<Arc<Container>>,
    services: OnceLock<ServiceTable>,
    condition_keys: OnceLock<KeyTable>,
    policies: OnceLock<PolicyTable>,
}

impl Catalog {
    /// The catalog that is part of the program. It is opened once, on the first call, and inflates nothing
    /// until something is looked up.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Catalog> = LazyLock::new(|| {
            // A test reads all of the embedded file, so this falls back to no facts only in theory.
            Catalog::open(FileBytes::Embedded(Catalog::embedded_bytes())).unwrap_or_default()
        });
        &EMBEDDED
    }

    /// The data file that is part of the program, as [`Catalog::from_bytes`] takes it.
    pub fn embedded_bytes() -> &'static [u8] {
        include_bytes!("../data/catalog.bin")
    }

    /// Opens a data file, such as one newer than the program, and reads all of it, so that it is taken whole or
    /// refused. This takes some hundred milliseconds; keep it off the request path.
    ///
    /// # Errors
    ///
    /// [`CatalogError`] when the file is no catalog, has another format, is cut short or damaged, breaks a limit
    /// (16 MiB stored, 128 MiB inflated), or holds what cannot be understood. The checksum finds damage; it does
    /// not say who made the file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CatalogError> {
        let catalog = Self::open(FileBytes::Owned(bytes.into()))?;
        catalog.verify()?;
        Ok(catalog)
    }

    /// The day of the newest fact in the file.
    pub fn date(&self) -> Date {
        self.container.as_ref().map_or(Date::MIN, |container| container.date)
    }

    /// Where the facts come from.
    pub fn sources(&self) -> &[Source] {
        self.container.as_ref().map_or(&[], |container| &container.sources)
    }

    /// How much the file holds. This reads only the file's head.
    pub fn counts(&self) -> Counts {
        self.container.as_ref().map(|container| container.counts).unwrap_or_default()
    }

    /// The service whose actions begin with `prefix`, without regard to case.
    pub fn service(&self, prefix: &str) -> Option<&Service> {
        self.service_table().find(prefix)
    }

    /// All services, sorted by prefix.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &Service> {
        self.service_table().iter()
    }

    /// The action `name` of the service `service_prefix`, both without regard to case (rule ACT-1).
    pub fn action(&self, service_prefix: &str, name: &str) -> Option<&Action> {
        self.service(service_prefix)?.action(name)
    }

    /// The condition key that `name` is or is an instance of: `aws:requesttag/Team` finds
    /// `aws:RequestTag/${TagKey}`. Without regard to case (rule CO-2). A key's own name is found first, then the
    /// template with the longest literal text.
    pub fn condition_key(&self, name: &str) -> Option<&ConditionKey> {
        self.key_table().find(name)
    }

    /// All condition keys, global ones included, sorted by lower-case name.
    pub fn condition_keys(&self) -> impl ExactSizeIterator<Item = &ConditionKey> {
        self.key_table().iter()
    }

    /// The AWS managed policy with this ARN, in whatever partition, or with this name. Case counts in both.
    pub fn managed_policy(&self, arn_or_name: &str) -> Option<&ManagedPolicy> {
        self.policy_table().find(arn_or_name)
    }

    /// All AWS managed policies, retired ones included, sorted by name (by bytes).
    pub fn managed_policies(&self) -> impl ExactSizeIterator<Item = &ManagedPolicy> {
        self.policy_table().iter()
    }

    fn open(bytes: FileBytes) -> Result<Self, CatalogError> {
        let container = Container::open(bytes)?;
        if container.sections() < FIRST_BLOCK {
            return Err(CatalogError::malformed("head", "a section is missing"));
        }
        Ok(Self { container: Some(Arc::new(container)), ..Self::default() })
    }

    /// Reads every part and keeps the tables.
    fn verify(&self) -> Result<(), CatalogError> {
        let services = self.read_services()?;
        services.verify()?;
        let condition_keys = self.read_condition_keys()?;
        let policies = self.read_policies()?;
        policies.verify()?;
        let _ = self.services.set(services);
        let _ = self.condition_keys.set(condition_keys);
        let _ = self.policies.set(policies);
        Ok(())
    }

    fn service_table(&self) -> &ServiceTable {
        self.services.get_or_init(|| self.read_services().unwrap_or_default())
    }

    fn key_table(&self) -> &KeyTable {
        self.condition_keys.get_or_init(|| {
            self.read_condition_keys()
                .unwrap_or_else(|_| KeyTable::new(global_condition_keys().collect()))
        })
    }

    fn policy_table(&self) -> &PolicyTable {
        self.policies.get_or_init(|| self.read_policies().unwrap_or_default())
    }

    fn container(&self) -> Result<&Arc<Container>, CatalogError> {
        self.container.as_ref().ok_or(CatalogError::NotACatalog)
    }

    fn read_services(&self) -> Result<ServiceTable, CatalogError> {
        ServiceTable::read(self.container()?.inflate(SERVICES)?)
    }

    fn read_condition_keys(&self) -> Result<KeyTable, CatalogError> {
        KeyTable::read(&self.container()?.inflate(CONDITION_KEYS)?)
    }

    fn read_policies(&self) -> Result<PolicyTable, CatalogError> {
        let container = self.container()?;
        PolicyTable::read(&container.inflate(MANAGED_POLICIES)?, container, FIRST_BLOCK)
    }
}
