//! Facts about AWS: services, their actions, resource types and condition keys, the global condition keys,
//! and the AWS managed policies with their versions.
//!
//! The facts come from one dated, checksummed data file. A copy is embedded ([`Catalog::embedded`]); a newer
//! one can be read at run time ([`Catalog::from_bytes`]) and answers the same questions. Opening the embedded
//! copy inflates nothing: each part of the file is inflated and read when it is first asked for.
//!
//! The catalog never decides: an action that it does not know may still be named in a policy, and is matched
//! as any other (rule ACT-6). It does no I/O, reads no clock and is not `async`.
//!
//! Left out: prose (descriptions), and everything that concerns one account.

mod access_level;
pub mod amend;
mod bytes;
mod catalog;
mod condition_key;
mod container;
mod documents;
pub mod encode;
mod error;
mod folded;
mod global_keys;
mod managed_policy;
mod service;

pub use access_level::{AccessLevel, AccessLevels, UnknownAccessLevel};
pub use catalog::Catalog;
pub use condition_key::{ConditionKey, KeyType, UnknownKeyType};
pub use container::{Counts, FORMAT_VERSION, Source};
pub use error::CatalogError;
pub use global_keys::{TIME_OF_DAY, global_condition_keys};
pub use managed_policy::{ManagedPolicy, ManagedPolicyVersion};
pub use service::{Action, ActionResource, Names, ResourceType, Service};
