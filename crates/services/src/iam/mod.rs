//! AWS Identity and Access Management: one file a kind of resource.

mod access_key;
mod alias;
mod attachment;
mod authorization_details;
mod boundary;
mod documents;
mod group;
mod holder;
mod inline_policy;
mod instance_profile;
mod login_profile;
mod managed;
pub(crate) mod password;
mod policy;
mod policy_version;
mod role;
mod simulate;
mod simulate_caller;
mod simulate_keys;
mod simulate_policies;
mod simulate_results;
mod summary;
mod tags;
pub(crate) mod trust;
mod user;

use crate::operation::Entry;

/// Every operation that is written, file by file.
pub(crate) const OPERATIONS: &[&[Entry]] = &[
    access_key::OPERATIONS,
    alias::OPERATIONS,
    attachment::OPERATIONS,
    authorization_details::OPERATIONS,
    boundary::OPERATIONS,
    group::OPERATIONS,
    inline_policy::OPERATIONS,
    instance_profile::OPERATIONS,
    login_profile::OPERATIONS,
    policy::OPERATIONS,
    policy_version::OPERATIONS,
    role::OPERATIONS,
    simulate::OPERATIONS,
    simulate_keys::OPERATIONS,
    summary::OPERATIONS,
    user::OPERATIONS,
];
