//! Accounts and their entities as plain data, loaded from a store or read from an export.
//!
//! `model` does no I/O, reads no clock and is not `async`. It decides nothing about access: it
//! only says which policies apply to a principal.

mod account;
mod arns;
mod effective;
mod entity;
pub mod export;
mod managed;
mod record;
mod text;

pub use account::Account;
pub use effective::{Effective, Found, document};
pub use entity::{
    AccessKey, AccountInfo, Attachment, Group, InlinePolicy, InstanceProfile, KeyStatus, KeyUse,
    LoginProfile, Membership, Owner, Policy, PolicyVersion, Retry, Role, RoleUse, User,
};
pub use managed::ManagedPolicies;
pub use record::{Record, RecordError, RecordKey, UniqueName, holds_record, prefix};
pub use text::{Binding, IdentityText, TrustText};
