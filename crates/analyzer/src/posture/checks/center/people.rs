//! IDC-03, IDC-06: how people sign in, and whether they are those of the directory. No call tells the
//! settings of either: the journal does.

use super::center;
use crate::evidence::{Prompt, WithoutDevice};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};

/// IDC-03: a second factor at every sign-in, and nobody in without one.
pub(super) fn second_factor(audit: &Audit<'_>, results: &mut Results) {
    if center(audit, results).is_none() {
        return;
    }
    let Some(told) = audit.evidence.journal.known().and_then(|journal| journal.sign_in.as_ref())
    else {
        return results
            .not_assessed(&audit.account, "how people sign in (`sign-in` of the journal)");
    };
    let mut wrong = Vec::new();
    match told.mfa {
        Prompt::AlwaysOn => {}
        Prompt::ContextAware => wrong.push("MFA is asked for when a sign-in looks new only"),
        Prompt::Disabled => wrong.push("MFA is never asked for"),
    }
    match told.without_device {
        WithoutDevice::Register | WithoutDevice::Block => {}
        WithoutDevice::Mail => wrong.push("who has no device gets a code by mail"),
        WithoutDevice::Allow => wrong.push("who has no device gets in"),
    }
    let age = audit.age_of(told.on);
    if told.by.trim().is_empty() || age.is_none_or(|days| days > audit.settings.limits.review_age) {
        wrong.push("nobody has looked lately and signed that");
    }
    results
        .judge(wrong.is_empty(), || Found::new(&audit.account, wrong.join("; ")).detail("sign-in"));
}

/// IDC-06: the directory was synchronised lately, and nobody who is disabled there has an assignment.
pub(super) fn provisioned(audit: &Audit<'_>, results: &mut Results) {
    let Some(center) = center(audit, results) else { return };
    let told = audit.evidence.journal.known().and_then(|journal| journal.directory.as_ref());
    let Some(told) = told else {
        let missing = "where people come from (`directory` of the journal)";
        return results.not_assessed(&audit.account, missing);
    };
    let hours = audit.now.duration_since(told.synchronised).as_hours();
    results.judge((0..=audit.settings.limits.synchronised_hours).contains(&hours), || {
        let why = format!("the directory was last synchronised at {}", told.synchronised);
        Found::new(&audit.account, why).detail("directory").when(Some(told.synchronised))
    });
    for person in &told.disabled {
        let assigned = center.users.contains(person).then(|| "an assignment".to_owned());
        let by_group = center.groups.iter().find(|group| {
            center.members.get(*group).is_some_and(|members| members.contains(person))
        });
        let keeps = assigned.or(by_group.map(|group| format!("the assignments of group {group}")));
        let unknown = center.groups.iter().find(|group| !center.members.contains_key(*group));
        match (keeps, unknown) {
            (Some(keeps), _) => {
                let why = format!("{person} is disabled in the directory, and keeps {keeps}");
                results.fail(Found::new(&audit.account, why).detail(person));
            }
            (None, Some(group)) => {
                results.not_assessed(person, format!("the members of group {group}"));
            }
            (None, None) => results.pass(),
        }
    }
}
