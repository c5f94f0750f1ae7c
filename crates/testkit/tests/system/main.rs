//! Whole-system tests, in one process. Modules follow the groups of the threat model, and a test's
//! name begins with the threat that it stands for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_collect,
    reason = "tests"
)]

mod access_analyzer;
mod audit;
mod authentication;
mod authorization;
mod chains;
mod changes;
mod credential_report;
mod exhaustion;
mod explanations;
mod export;
mod federation;
mod forward;
mod last_accessed;
mod last_uses;
mod linked_roles;
mod lists;
mod mfa;
mod mfa_codes;
mod operations;
mod other_credentials;
mod paging;
mod passkeys;
mod password_policy;
mod passwords;
mod providers;
mod quotas;
mod retries;
mod secrets;
mod sessions;
mod sign_in;
mod sign_in_threats;
mod simulation;
mod simulation_limits;
mod simulation_live;
mod targets;
mod world;
