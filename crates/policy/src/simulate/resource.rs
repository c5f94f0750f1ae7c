//! Resources of a simulation: how they are named, and whether a resource policy can be theirs.

use bailiwick_catalog::Catalog;

use crate::{Context, Document};

/// Why a text is no resource that can be simulated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("Invalid Resource Arn: {0}. A resource is an ARN of six fields, or *.")]
pub struct ResourceArnError(pub String);

/// Checks a resource: `*`, or an ARN of six fields, the last of which is not empty. It may have
/// wildcards, which are asked as they stand.
///
/// # Errors
/// It is neither.
pub fn require_resource(resource: &str) -> Result<(), ResourceArnError> {
    let mut fields = resource.splitn(6, ':');
    let whole = fields.next() == Some("arn")
        && fields.next().is_some_and(|partition| !partition.is_empty())
        && fields.next().is_some_and(|service| !service.is_empty())
        && fields.nth(2).is_some_and(|part| !part.is_empty());
    if whole || resource == "*" { Ok(()) } else { Err(ResourceArnError(resource.to_owned())) }
}

/// Whether a resource policy can be the policy of a resource: one of its statements at least speaks
/// of that resource (SIM-14).
pub fn policy_fits(policy: &Document, resource: &str) -> bool {
    let context = Context::new();
    policy.statements().iter().any(|statement| match &statement.resources {
        None => true,
        Some(element) => {
            let listed =
                element.entries.iter().any(|entry| entry.matches(resource, &context, true));
            // A variable may take any value, so it rules nothing out.
            listed != element.negated || statement.resources().any(|text| text.contains("${"))
        }
    })
}

/// About the steps of [`policy_fits`] on all of these resources, as [`super::Budget`] counts them.
pub fn fitting_work<'r>(policy: &Document, resources: impl Iterator<Item = &'r str>) -> u64 {
    super::cost::fitting(policy, resources.map(str::len))
}

/// SIM-3: the ARN template of the action's resource type: of the one to which the resources belong,
/// else of the one that every call names, else of the first. `*` where no resource was asked, or the
/// action names none.
pub(super) fn name(catalog: &Catalog, action: &str, resources: &[&str]) -> String {
    let everything = || "*".to_owned();
    if resources.iter().all(|resource| *resource == "*") {
        return everything();
    }
    let Some((prefix, name)) = action.split_once(':') else { return everything() };
    let Some(service) = catalog.service(prefix) else { return everything() };
    let Some(action) = service.action(name) else { return everything() };
    let patterns: Vec<(&str, bool)> = action
        .resource_types
        .iter()
        .filter_map(|kind| Some((&*service.resource_type(&kind.name)?.arn_pattern, kind.required)))
        .collect();
    let fits = |pattern: &str| {
        resources.iter().all(|resource| *resource == "*" || is_instance(pattern, resource))
    };
    let found = patterns
        .iter()
        .filter(|(pattern, _)| fits(pattern))
        // `bucket` fits objects too, whose pattern says more.
        .max_by_key(|(pattern, _)| pattern.len())
        .or_else(|| patterns.iter().find(|(_, required)| *required))
        .or_else(|| patterns.first());
    found.map_or_else(everything, |(pattern, _)| (*pattern).to_owned())
}

/// Whether an ARN is an instance of a template such as `arn:${Partition}:s3:::${BucketName}`.
fn is_instance(template: &str, arn: &str) -> bool {
    let (mut rest, mut template) = (arn, template);
    loop {
        let Some((literal, tail)) = template.split_once("${") else { return rest == template };
        let Some(after) = rest.strip_prefix(literal) else { return false };
        let Some((_, tail)) = tail.split_once('}') else { return false };
        let next = tail.split("${").next().unwrap_or_default();
        let end = if next.is_empty() { Some(after.len()) } else { after.find(next) };
        // Account and region may be patterns or empty in a simulated ARN.
        let Some(end) = end else { return false };
        (rest, template) = (after.get(end..).unwrap_or_default(), tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DocumentKind;

    #[test]
    fn sim_3_results_are_named_by_resource_type() {
        let catalog = Catalog::embedded();
        let object = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";
        let user = "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}";
        for (action, resources, expected) in [
            ("s3:GetObject", &["arn:aws:s3:::b/k"][..], object),
            ("s3:getobject", &["arn:aws:s3:::b/k", "arn:aws:s3:::b/l"], object),
            ("iam:GetUser", &["arn:aws:iam::123456789012:user/a"], user),
            ("iam:GetUser", &["*"], "*"),
            ("ec2:DescribeInstances", &["arn:aws:ec2:us-east-1:123456789012:instance/i"], "*"),
            ("none:Such", &["arn:aws:s3:::b/k"], "*"),
        ] {
            assert_eq!(name(catalog, action, resources), expected, "{action} {resources:?}");
        }
    }

    #[test]
    fn resources_are_whole_arns_or_everything() {
        for (resource, right) in [
            ("*", true),
            ("arn:aws:s3:::b/k", true),
            ("arn:aws:ec2:us-west-2:123456789012:volume/*", true),
            ("arn:aws:s3:::", false),
            ("arn:aws:s3", false),
            ("arn::s3:::b", false),
            ("bucket", false),
            ("", false),
        ] {
            assert_eq!(require_resource(resource).is_ok(), right, "{resource:?}");
        }
    }

    #[test]
    fn sim_14_a_resource_policy_speaks_of_its_resource() {
        let policy = |resource: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"{resource}"}}]}}"#
            );
            Document::parse(&text, DocumentKind::Resource).unwrap()
        };
        let resource = "arn:aws:s3:::b/k";
        assert!(policy_fits(&policy("arn:aws:s3:::b/*"), resource));
        assert!(policy_fits(&policy("*"), resource));
        assert!(policy_fits(&policy("arn:aws:s3:::c/${aws:username}"), resource));
        assert!(!policy_fits(&policy("arn:aws:s3:::c/*"), resource));
    }
}
