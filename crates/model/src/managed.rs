//! The AWS managed policies of the catalog, parsed once each when first needed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bailiwick_catalog::{Catalog, ManagedPolicy};
use bailiwick_identifiers::{Arn, Partition};
use bailiwick_policy::{Document, DocumentKind};

/// The AWS managed policies with their parsed documents in force.
pub struct ManagedPolicies {
    preferred: HashMap<Arn, Option<Arc<Document>>>,
    held: RwLock<Held>,
}

/// One edition of the policies, and what was parsed of it.
struct Held {
    catalog: &'static Catalog,
    parsed: HashMap<Box<str>, Option<Arc<Document>>>,
}

impl ManagedPolicies {
    /// The policies of a catalog.
    pub fn new(catalog: &'static Catalog) -> Self {
        Self::preferring(catalog, HashMap::new())
    }

    /// The policies of a catalog, but these documents in place of the catalog's: so an export shows
    /// them. None is a document that cannot be read.
    pub fn preferring(
        catalog: &'static Catalog,
        preferred: HashMap<Arn, Option<Arc<Document>>>,
    ) -> Self {
        Self { preferred, held: RwLock::new(Held { catalog, parsed: HashMap::new() }) }
    }

    /// The catalog of the policies.
    pub fn catalog(&self) -> &'static Catalog {
        self.held.read().unwrap_or_else(PoisonError::into_inner).catalog
    }

    /// Takes the policies of another catalog from now on: whoever has one attached has what it says
    /// there.
    pub fn replace(&self, catalog: &'static Catalog) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = Held { catalog, parsed: HashMap::new() };
    }

    /// Whether a document stands in place of the catalog's.
    pub fn is_preferred(&self, arn: &Arn) -> bool {
        self.preferred.contains_key(arn)
    }

    /// The policy of an ARN whose account field is `aws`, in any partition.
    pub fn policy(&self, arn: &Arn) -> Option<&'static ManagedPolicy> {
        Self::find(self.catalog(), arn)
    }

    fn find(catalog: &'static Catalog, arn: &Arn) -> Option<&'static ManagedPolicy> {
        let partition = arn.partition().parse::<Partition>();
        if partition.is_err()
            || arn.account() != "aws"
            || arn.service() != "iam"
            || !arn.region().is_empty()
        {
            return None;
        }
        catalog.managed_policy(&format!("arn:aws:iam::aws:{}", arn.resource()))
    }

    /// The parsed document in force of such a policy; none when there is no such policy, or it cannot
    /// be read.
    pub fn document(&self, arn: &Arn) -> Option<Arc<Document>> {
        if let Some(document) = self.preferred.get(arn) {
            return document.clone();
        }
        let (of, policy) = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            let policy = Self::find(held.catalog, arn)?;
            if let Some(document) = held.parsed.get(policy.name.as_ref()) {
                return document.clone();
            }
            (held.catalog, policy)
        };
        let document = Document::parse(&policy.default_document(), DocumentKind::Identity);
        let document = document.ok().map(Arc::new);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if std::ptr::eq(held.catalog, of) {
            // By the policy, not by the text that named it: callers choose that.
            held.parsed.insert(policy.name.clone(), document.clone());
        }
        document
    }
}

impl fmt::Debug for ManagedPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedPolicies").finish_non_exhaustive()
    }
}
