//! Metric filters, the alarms on their metrics, and the topics that alarms tell.

use serde::Deserialize;

use super::text::{Fault, Text};

/// All three, of all regions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Alarms {
    /// The filters on log groups.
    pub filters: Vec<MetricFilter>,
    /// The alarms.
    pub alarms: Vec<Alarm>,
    /// The subscriptions of topics, by the topic's ARN; a topic without is absent.
    pub topics: Vec<Topic>,
    /// The regions of which alarms are known.
    pub regions: Vec<String>,
}

/// A metric filter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MetricFilter {
    /// Its name.
    pub name: String,
    /// The log group.
    pub log_group: String,
    /// The region.
    pub region: String,
    /// The pattern.
    pub pattern: String,
    /// The metrics it makes: namespace and name.
    pub metrics: Vec<(String, String)>,
}

/// An alarm.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Alarm {
    /// Its ARN.
    pub arn: String,
    /// The region.
    pub region: String,
    /// The metric's namespace and name.
    pub metric: (String, String),
    /// Whether its actions are on.
    pub actions_enabled: bool,
    /// What it does when it goes off: ARNs of topics, for the most part.
    pub actions: Vec<String>,
}

/// A topic and who listens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Topic {
    /// Its ARN.
    pub arn: String,
    /// How many subscriptions are confirmed.
    pub confirmed: usize,
}

pub(super) fn filters(text: &Text<'_>, region: &str) -> Result<Vec<MetricFilter>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Transformation {
        metric_name: String,
        metric_namespace: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        filter_name: String,
        #[serde(default)]
        filter_pattern: String,
        #[serde(default)]
        log_group_name: String,
        #[serde(default)]
        metric_transformations: Vec<Transformation>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", expecting = "what `logs describe-metric-filters` prints")]
    struct List {
        metric_filters: Vec<Form>,
    }
    let list = text.json::<List>()?.metric_filters.into_iter();
    Ok(list
        .map(|form| MetricFilter {
            name: form.filter_name,
            log_group: form.log_group_name,
            region: region.to_owned(),
            pattern: form.filter_pattern,
            metrics: form
                .metric_transformations
                .into_iter()
                .map(|made| (made.metric_namespace, made.metric_name))
                .collect(),
        })
        .collect())
}

pub(super) fn alarms(text: &Text<'_>, region: &str) -> Result<Vec<Alarm>, Fault> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Form {
        alarm_arn: String,
        namespace: String,
        metric_name: String,
        actions_enabled: bool,
        alarm_actions: Vec<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `cloudwatch describe-alarms` prints")]
    struct List {
        metric_alarms: Vec<Form>,
    }
    let list = text.json::<List>()?.metric_alarms.into_iter();
    Ok(list
        .map(|form| Alarm {
            arn: form.alarm_arn,
            region: region.to_owned(),
            metric: (form.namespace, form.metric_name),
            actions_enabled: form.actions_enabled,
            actions: form.alarm_actions,
        })
        .collect())
}

/// Subscriptions, counted by topic.
pub(super) fn subscriptions(text: &Text<'_>) -> Result<Vec<Topic>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Form {
        topic_arn: String,
        subscription_arn: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `sns list-subscriptions` prints")]
    struct List {
        subscriptions: Vec<Form>,
    }
    let mut topics: Vec<Topic> = Vec::new();
    for form in text.json::<List>()?.subscriptions {
        // One that waits for its confirmation has a word in place of an ARN.
        let confirmed = usize::from(form.subscription_arn.starts_with("arn:"));
        match topics.iter_mut().find(|topic| topic.arn == form.topic_arn) {
            Some(topic) => topic.confirmed += confirmed,
            None => topics.push(Topic { arn: form.topic_arn, confirmed }),
        }
    }
    Ok(topics)
}
