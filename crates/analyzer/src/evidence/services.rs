//! Instances, Roles Anywhere, the findings hub with its detectors, and findings of analyzers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::form::{Instant, at};
use super::text::{Fault, Text};

/// An instance that is not terminated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instance {
    /// Its id, `i-...`.
    pub id: String,
    /// The region.
    pub region: String,
    /// Whether it has an instance profile.
    pub profile: bool,
}

/// Profiles and trust anchors of Roles Anywhere.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RolesAnywhere {
    /// The profiles.
    pub profiles: Vec<AnywhereProfile>,
    /// The trust anchors: ARN, and whether it is on.
    pub anchors: BTreeMap<String, bool>,
}

/// A profile of Roles Anywhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AnywhereProfile {
    /// Its ARN.
    pub arn: String,
    /// Whether it is on.
    pub enabled: bool,
    /// Whether sessions are limited by a policy of their own.
    pub restricted: bool,
}

/// What gathers findings in one region.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Hub {
    /// Whether the hub is on; nothing if it was not told.
    pub hub: Option<bool>,
    /// Whether a detector is on; nothing if it was not told.
    pub detector: Option<bool>,
}

/// A finding of an analyzer that is active.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenFinding {
    /// Its id.
    pub id: String,
    /// The resource that it is about.
    pub resource: String,
    /// Since when it is.
    pub created: Option<Timestamp>,
}

pub(super) fn instances(text: &Text<'_>, region: &str) -> Result<Vec<Instance>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct State {
        name: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Form {
        instance_id: String,
        #[serde(default)]
        state: Option<State>,
        #[serde(default)]
        iam_instance_profile: Option<IgnoredAny>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Reservation {
        #[serde(default)]
        instances: Vec<Form>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `ec2 describe-instances` prints")]
    struct List {
        reservations: Vec<Reservation>,
    }
    let all = text.json::<List>()?.reservations.into_iter().flat_map(|held| held.instances);
    let gone = |form: &Form| form.state.as_ref().is_some_and(|state| state.name == "terminated");
    Ok(all
        .filter(|form| !gone(form))
        .map(|form| Instance {
            id: form.instance_id,
            region: region.to_owned(),
            profile: form.iam_instance_profile.is_some(),
        })
        .collect())
}

pub(super) fn profiles(text: &Text<'_>) -> Result<Vec<AnywhereProfile>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        profile_arn: String,
        #[serde(default)]
        enabled: bool,
        #[serde(default)]
        session_policy: Option<String>,
        #[serde(default)]
        managed_policy_arns: Vec<String>,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `rolesanywhere list-profiles` prints")]
    struct List {
        profiles: Vec<Form>,
    }
    let list = text.json::<List>()?.profiles.into_iter();
    Ok(list
        .map(|form| AnywhereProfile {
            arn: form.profile_arn,
            enabled: form.enabled,
            restricted: form.session_policy.is_some_and(|policy| !policy.is_empty())
                || !form.managed_policy_arns.is_empty(),
        })
        .collect())
}

pub(super) fn anchors(text: &Text<'_>) -> Result<BTreeMap<String, bool>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        trust_anchor_arn: String,
        #[serde(default)]
        enabled: bool,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", expecting = "what `rolesanywhere list-trust-anchors` prints")]
    struct List {
        trust_anchors: Vec<Form>,
    }
    let list = text.json::<List>()?.trust_anchors.into_iter();
    Ok(list.map(|form| (form.trust_anchor_arn, form.enabled)).collect())
}

pub(super) fn hub(text: &Text<'_>) -> Result<bool, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `securityhub describe-hub` prints")]
    struct Form {
        hub_arn: String,
    }
    Ok(!text.json::<Form>()?.hub_arn.is_empty())
}

/// Whether there are detectors at all; whether they are on is told one by one.
pub(super) fn detectors(text: &Text<'_>) -> Result<bool, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `guardduty list-detectors` prints")]
    struct Form {
        detector_ids: Vec<String>,
    }
    Ok(!text.json::<Form>()?.detector_ids.is_empty())
}

pub(super) fn detector(text: &Text<'_>) -> Result<bool, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `guardduty get-detector` prints")]
    struct Form {
        status: String,
    }
    Ok(text.json::<Form>()?.status == "ENABLED")
}

pub(super) fn findings(text: &Text<'_>) -> Result<Vec<OpenFinding>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        id: String,
        #[serde(default)]
        resource: Option<String>,
        status: String,
        #[serde(default)]
        created_at: Option<Instant>,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `accessanalyzer list-findings-v2` prints")]
    struct List {
        findings: Vec<Form>,
    }
    let list = text.json::<List>()?.findings.into_iter().filter(|form| form.status == "ACTIVE");
    Ok(list
        .map(|form| OpenFinding {
            id: form.id,
            resource: form.resource.unwrap_or_default(),
            created: at(form.created_at),
        })
        .collect())
}
