//! The AWS managed policies of the catalog, parsed once each when first needed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bailiwick_catalog::{Catalog, ManagedPolicy};
use bailiwick_identifiers::{Arn, Partition};
use bailiwick_policy::{Document, DocumentKind};

/// The AWS managed policies with their parsed documents in force.
pub struct ManagedPolicies {
    catalog: &'static Catalog,
    preferred: HashMap<Arn, Option<Arc<Document>>>,
    parsed: RwLock<HashMap<Box<str>, Option<Arc<Document>>>>,
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
        Self { catalog, preferred, parsed: RwLock::default() }
    }

    /// Whether a document stands in place of the catalog's.
    pub fn is_preferred(&self, arn: &Arn) -> bool {
        self.preferred.contains_key(arn)
    }

    /// The policy of an ARN whose account field is `aws`, in any partition.
    pub fn policy(&self, arn: &Arn) -> Option<&'static ManagedPolicy> {
        let partition = arn.partition().parse::<Partition>();
        if partition.is_err()
            || arn.account() != "aws"
            || arn.service() != "iam"
            || !arn.region().is_empty()
        {
            return None;
        }
        self.catalog.managed_policy(&format!("arn:aws:iam::aws:{}", arn.resource()))
    }

    /// The parsed document in force of such a policy; none when there is no such policy, or it cannot
    /// be read.
    pub fn document(&self, arn: &Arn) -> Option<Arc<Document>> {
        if let Some(document) = self.preferred.get(arn) {
            return document.clone();
        }
        let policy = self.policy(arn)?;
        {
            let parsed = self.parsed.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(document) = parsed.get(policy.name.as_ref()) {
                return document.clone();
            }
        }
        let document = Document::parse(&policy.default_document(), DocumentKind::Identity);
        let document = document.ok().map(Arc::new);
        let mut parsed = self.parsed.write().unwrap_or_else(PoisonError::into_inner);
        // By the policy, not by the text that named it: callers choose that.
        parsed.insert(policy.name.clone(), document.clone());
        document
    }
}

impl fmt::Debug for ManagedPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedPolicies").finish_non_exhaustive()
    }
}
