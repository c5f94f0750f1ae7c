//! Trails, their status and selectors, and log groups.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;

use super::form::{Instant, at};
use super::part::Part;
use super::text::{Fault, Text};

/// A trail.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "the fields are AWS's")]
pub struct Trail {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The bucket to which it writes.
    pub bucket: String,
    /// The region in which it was made.
    pub home_region: String,
    /// Whether it records all regions.
    pub multi_region: bool,
    /// Whether it records global services.
    pub global_events: bool,
    /// Whether its files are signed with digests.
    pub log_file_validation: bool,
    /// Whether it records all accounts of the organization.
    pub organization: bool,
    /// The key that encrypts its files.
    pub kms_key: Option<String>,
    /// The log group to which it writes too.
    pub log_group: Option<String>,
    /// Whether it has Insights selectors.
    pub insights: bool,
    /// Whether it records now. Missing: its status was not given.
    pub logging: Part<bool>,
    /// When it last wrote to the log group.
    pub delivered_to_log_group: Option<Timestamp>,
    /// What it selects.
    pub selectors: Part<EventSelectors>,
}

/// What a trail records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "two kinds of events, each read or write")]
pub struct EventSelectors {
    /// Management events that read.
    pub management_read: bool,
    /// Management events that write.
    pub management_write: bool,
    /// Data events of all S3 objects that read.
    pub objects_read: bool,
    /// Data events of all S3 objects that write.
    pub objects_write: bool,
}

/// A log group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogGroup {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// For how many days events are kept; nothing: for ever.
    pub retention_days: Option<u32>,
}

pub(super) fn trails(text: &Text<'_>) -> Result<Vec<Trail>, Fault> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    #[allow(clippy::struct_excessive_bools, reason = "the fields are AWS's")]
    struct Form {
        #[serde(rename = "TrailARN")]
        arn: String,
        name: String,
        s3_bucket_name: String,
        home_region: String,
        is_multi_region_trail: bool,
        include_global_service_events: bool,
        log_file_validation_enabled: bool,
        is_organization_trail: bool,
        kms_key_id: Option<String>,
        cloud_watch_logs_log_group_arn: Option<String>,
        has_insight_selectors: bool,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `cloudtrail describe-trails` prints")]
    struct List {
        #[serde(rename = "trailList")]
        list: Vec<Form>,
    }
    let list = text.json::<List>()?.list.into_iter();
    Ok(list
        .map(|form| Trail {
            arn: form.arn,
            name: form.name,
            bucket: form.s3_bucket_name,
            home_region: form.home_region,
            multi_region: form.is_multi_region_trail,
            global_events: form.include_global_service_events,
            log_file_validation: form.log_file_validation_enabled,
            organization: form.is_organization_trail,
            kms_key: form.kms_key_id.filter(|key| !key.is_empty()),
            log_group: form.cloud_watch_logs_log_group_arn.filter(|arn| !arn.is_empty()),
            insights: form.has_insight_selectors,
            ..Trail::default()
        })
        .collect())
}

/// Whether a trail records, and when it last wrote to its log group.
pub(super) fn status(text: &Text<'_>) -> Result<(bool, Option<Timestamp>), Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `cloudtrail get-trail-status` prints")]
    struct Form {
        is_logging: bool,
        #[serde(default)]
        latest_cloud_watch_logs_delivery_time: Option<Instant>,
    }
    let form: Form = text.json()?;
    Ok((form.is_logging, at(form.latest_cloud_watch_logs_delivery_time)))
}

pub(super) fn selectors(text: &Text<'_>) -> Result<EventSelectors, Fault> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct DataResource {
        #[serde(rename = "Type")]
        kind: String,
        values: Vec<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Basic {
        #[serde(default)]
        read_write_type: Option<String>,
        #[serde(default)]
        include_management_events: Option<bool>,
        #[serde(default)]
        data_resources: Vec<DataResource>,
        #[serde(default)]
        exclude_management_event_sources: Vec<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Advanced {
        field_selectors: Vec<serde_json::Map<String, Json>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `get-event-selectors` prints")]
    struct Form {
        #[serde(default)]
        event_selectors: Option<Vec<Basic>>,
        #[serde(default)]
        advanced_event_selectors: Option<Vec<Advanced>>,
    }
    let form: Form = text.json()?;
    let mut found = EventSelectors::default();
    for basic in form.event_selectors.unwrap_or_default() {
        let kind = basic.read_write_type.as_deref().unwrap_or("All");
        let (read, write) = (kind != "WriteOnly", kind != "ReadOnly");
        // Excluded are only KMS and the data API of RDS, whose volume AWS offers to leave out.
        let _ = basic.exclude_management_event_sources;
        if basic.include_management_events.unwrap_or(true) {
            found.management_read |= read;
            found.management_write |= write;
        }
        let every = |value: &String| value == "arn:aws:s3" || value.ends_with(":s3:::");
        let objects =
            |data: &DataResource| data.kind == "AWS::S3::Object" && data.values.iter().any(every);
        if basic.data_resources.iter().any(objects) {
            found.objects_read |= read;
            found.objects_write |= write;
        }
    }
    for advanced in form.advanced_event_selectors.unwrap_or_default() {
        read_advanced(&advanced.field_selectors, &mut found);
    }
    Ok(found)
}

/// An advanced selector: it counts only as far as no field but the known ones narrows it.
fn read_advanced(fields: &[serde_json::Map<String, Json>], found: &mut EventSelectors) {
    let of = |name: &str| {
        let field =
            fields.iter().find(|field| field.get("Field").and_then(Json::as_str) == Some(name));
        let equals = field.and_then(|field| field.get("Equals")).and_then(Json::as_array);
        equals.map(|list| list.iter().filter_map(Json::as_str).collect::<Vec<_>>())
    };
    let narrowed = fields.iter().any(|field| {
        let name = field.get("Field").and_then(Json::as_str).unwrap_or_default();
        !matches!(name, "eventCategory" | "readOnly" | "resources.type" | "eventSource")
            || (name == "eventSource" && field.contains_key("Equals"))
    });
    if narrowed {
        return;
    }
    let read_only = of("readOnly");
    let (read, write) = match read_only.as_deref() {
        Some(["true"]) => (true, false),
        Some(["false"]) => (false, true),
        _ => (true, true),
    };
    let is = |name: &str, value: &str| of(name).is_some_and(|list| list.contains(&value));
    if is("eventCategory", "Management") {
        found.management_read |= read;
        found.management_write |= write;
    }
    if is("eventCategory", "Data") && is("resources.type", "AWS::S3::Object") {
        found.objects_read |= read;
        found.objects_write |= write;
    }
}

pub(super) fn log_groups(text: &Text<'_>) -> Result<Vec<LogGroup>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        log_group_name: String,
        #[serde(default)]
        arn: String,
        #[serde(default)]
        retention_in_days: Option<u32>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", expecting = "what `logs describe-log-groups` prints")]
    struct List {
        log_groups: Vec<Form>,
    }
    let list = text.json::<List>()?.log_groups.into_iter();
    Ok(list
        .map(|form| LogGroup {
            arn: form.arn,
            name: form.log_group_name,
            retention_days: form.retention_in_days,
        })
        .collect())
}
