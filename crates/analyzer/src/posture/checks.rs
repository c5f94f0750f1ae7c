//! The checks, one file for each group of the catalogue.

mod center;
mod effective;
mod events;
mod expected;
mod exposure;
mod journal;
mod keys;
mod logging;
mod mfa;
mod monitoring;
mod organization;
mod outside;
mod password;
mod policies;
mod reviewed;
mod root;
mod trust;
mod unused;
mod users;

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]
pub(super) mod fixture;

pub(super) use effective::Held;
pub(super) use policies::Reach;

use super::check::Check;

/// The checks that are built, by group.
pub const CHECKS: &[&[Check]] = &[
    root::CHECKS,
    users::CHECKS,
    mfa::CHECKS,
    password::CHECKS,
    keys::CHECKS,
    policies::CHECKS,
    effective::CHECKS,
    trust::CHECKS,
    exposure::CHECKS,
    logging::CHECKS,
    monitoring::CHECKS,
    organization::CHECKS,
    center::CHECKS,
    unused::CHECKS,
    events::CHECKS,
    outside::CHECKS,
    journal::CHECKS,
    expected::CHECKS,
    reviewed::CHECKS,
];

/// The checks of the catalogue that are not built, each with the reason.
pub const NOT_BUILT: &[(&str, &str)] = &[];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::fixture::{Case, Folder};
    use super::*;
    use crate::posture::{Outcome, catalogue};
    use crate::remedy::{Command, has_no_resource, terraform};

    fn cases() -> Vec<Case> {
        [
            root::tests::cases(),
            users::tests::cases(),
            mfa::tests::cases(),
            password::tests::cases(),
            keys::tests::cases(),
            policies::tests::cases(),
            effective::tests::cases(),
            trust::tests::cases(),
            exposure::tests::cases(),
            logging::tests::cases(),
            monitoring::tests::cases(),
            organization::tests::cases(),
            center::tests::cases(),
            unused::tests::cases(),
            events::tests::cases(),
            outside::tests::cases(),
            journal::tests::cases(),
            expected::tests::cases(),
            reviewed::tests::cases(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn built() -> Vec<&'static Check> {
        CHECKS.iter().flat_map(|group| group.iter()).collect()
    }

    // Every id of the catalogue is built, or says why not; none is both, none twice.
    #[test]
    fn every_check_is_built_or_says_why_not() {
        let mut ids: Vec<&str> = built().iter().map(|check| check.id).collect();
        ids.extend(NOT_BUILT.iter().map(|(id, _)| *id));
        let set: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(set.len(), ids.len(), "an id stands twice");
        let wanted: BTreeSet<&str> = catalogue().iter().map(|row| row.id).collect();
        let lacking: Vec<_> = wanted.difference(&set).collect();
        assert!(lacking.is_empty(), "neither built nor explained: {lacking:?}");
        assert_eq!(set, wanted);
        assert!(NOT_BUILT.iter().all(|(_, why)| why.len() > 10));
    }

    // Each check passes a clean folder, and turns with each change in what it looks at.
    #[test]
    fn every_check_turns() {
        let cases = cases();
        for case in &cases {
            assert_eq!(case.clean.outcome(case.id), Outcome::Pass, "{} clean", case.id);
            assert!(!case.spoiled.is_empty(), "{}", case.id);
            for (number, folder) in case.spoiled.iter().enumerate() {
                let results = folder.ask(case.id);
                assert!(!results.failed.is_empty(), "{} {number}: {results:?}", case.id);
            }
        }
        let tested: BTreeSet<&str> = cases.iter().map(|case| case.id).collect();
        let lacking: Vec<_> =
            built().into_iter().filter(|check| !tested.contains(check.id)).collect();
        assert!(lacking.is_empty(), "no case: {lacking:?}");
    }

    // Whatever a check tells to do to an account has a form for Terraform.
    #[test]
    fn every_command_has_a_form_for_terraform() {
        let mut seen = BTreeSet::new();
        for case in cases() {
            for line in case.spoiled.iter().flat_map(|folder| {
                folder.ask(case.id).failed.into_iter().flat_map(|found| found.fix.commands)
            }) {
                let command = Command::parse(&line);
                let written = command.as_ref().and_then(|command| terraform(command, None));
                assert_ne!(written.is_some(), has_no_resource(&line), "{}: {line}", case.id);
                seen.extend(command.map(|one| format!("{} {}", one.service, one.operation)));
            }
        }
        assert!(seen.len() > 40, "{seen:?}");
    }

    // No check passes when its data are missing.
    #[test]
    fn nothing_passes_without_its_data() {
        for check in built() {
            assert!(!check.needs.is_empty(), "{}", check.id);
            assert!(!check.remedy.is_empty(), "{}", check.id);
            assert_eq!(Folder::new().outcome(check.id), Outcome::NotAssessed, "{}", check.id);
        }
    }
}
