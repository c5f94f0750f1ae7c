//! The identifiers of AWS IAM as types: ARNs, account ids, names, paths, unique ids,
//! access-key ids and tags.
//!
//! Each type parses at the edge and is right ever after. Nothing here reads a clock, makes
//! randomness or knows what an identifier is used for; what needs random bits takes them.

mod access_key;
mod account;
mod arn;
mod base32;
mod name;
mod partition;
mod path;
mod tag;
mod unique_id;

pub use access_key::{AccessKeyId, AccessKeyIdError, AccessKeyKind};
pub use account::{AccountId, AccountIdError};
pub use arn::{Arn, ArnError};
pub use name::{
    AccountAlias, AliasError, Folded, GroupName, InstanceProfileName, NameError, PolicyName,
    RoleName, SamlProviderName, ServerCertificateName, SessionName, UserName,
};
pub use partition::{Partition, PartitionError};
pub use path::{Path, PathError};
pub use tag::{Tag, TagError, TagKey, TagSet, TagValue};
pub use unique_id::{IdKind, UniqueId, UniqueIdError};
