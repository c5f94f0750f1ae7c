//! ValidatePolicy: what is wrong with a policy, with the places.

use bailiwick_analyzer::validate as analyzer;
use bailiwick_wire::generated::accessanalyzer as api;

use super::{ask_at_large, invalid};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[entry::<ValidatePolicy>()];

/// The largest page. AWS does not document one.
const MAX_RESULTS: i32 = 1000;

/// Validates a policy text.
struct ValidatePolicy {
    text: String,
    kind: analyzer::PolicyType,
    resource: Option<analyzer::ResourceType>,
    max_results: Option<i32>,
    token: Option<String>,
}

impl Operation for ValidatePolicy {
    type Api = api::ValidatePolicy;

    const HEAVY: bool = true;

    /// The locale says in which language the details are wanted; they are English in all.
    fn parse(request: api::ValidatePolicyRequest) -> Result<Self, Fault> {
        let kind = analyzer::PolicyType::parse(&request.policy_type)
            .ok_or_else(|| invalid("policyType", "The type of the policy is not known."))?;
        let resource = request.validate_policy_resource_type.as_deref().map(|name| {
            analyzer::ResourceType::parse(name).ok_or_else(|| {
                invalid("validatePolicyResourceType", "The type of the resource is not known.")
            })
        });
        let resource = resource.transpose()?;
        // *Observed*: AWS refuses it too.
        if resource.is_some() && kind != analyzer::PolicyType::Resource {
            return Err(invalid(
                "validatePolicyResourceType",
                "A resource type can be given only with the policy type RESOURCE_POLICY.",
            ));
        }
        if request.max_results.is_some_and(|wanted| wanted < 1) {
            return Err(invalid("maxResults", "The value must be at least 1."));
        }
        Ok(Self {
            text: request.policy_document,
            kind,
            resource,
            max_results: request.max_results.map(|wanted| wanted.min(MAX_RESULTS)),
            token: request.next_token,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_at_large::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ValidatePolicyResponse, Fault> {
        let examined = call.node().validator().examine(&self.text, self.kind, self.resource);
        // An answer cannot say that it is not whole, and no findings must mean that there are none.
        if !examined.whole {
            return Err(Fault::new(
                "ValidationException",
                "The policy is too long or too involved to be validated.",
            )
            .with("reason", "other"));
        }
        let resource = self.resource.map_or("", analyzer::ResourceType::as_str);
        let paging = Paging { marker: self.token.as_deref(), max_items: self.max_results };
        let filters = [self.text.as_str(), self.kind.as_str(), resource];
        let items = examined.findings.into_iter().enumerate();
        let page = page::cut(call, paging, &filters, items, |(place, _)| format!("{place:010}"));
        // Nothing but the token can be wrong with a page.
        let page = page.map_err(|fault| match fault.code() {
            "ValidationError" => invalid("nextToken", "The token is not valid for this request."),
            _ => fault,
        })?;
        Ok(api::ValidatePolicyResponse {
            findings: page.items.into_iter().map(|(_, finding)| describe(finding)).collect(),
            next_token: page.marker,
        })
    }
}

fn describe(finding: analyzer::Finding) -> api::ValidatePolicyFinding {
    let kind = match finding.finding_type {
        analyzer::FindingType::Error => "ERROR",
        analyzer::FindingType::SecurityWarning => "SECURITY_WARNING",
        analyzer::FindingType::Warning => "WARNING",
        analyzer::FindingType::Suggestion => "SUGGESTION",
    };
    api::ValidatePolicyFinding {
        finding_details: finding.finding_details,
        finding_type: kind.to_owned(),
        issue_code: finding.issue_code.as_str().to_owned(),
        learn_more_link: finding.learn_more_link,
        locations: finding.locations.into_iter().map(location).collect(),
    }
}

fn location(place: analyzer::Location) -> api::Location {
    let span = api::Span { start: position(place.span.start), end: position(place.span.end) };
    api::Location { path: place.path.into_iter().map(step).collect(), span }
}

fn step(step: analyzer::PathElement) -> api::PathElement {
    use analyzer::PathElement::{Index, Key, Substring, Value};
    let none = api::PathElement::default();
    match step {
        Value(name) => api::PathElement { value: Some(name), ..none },
        Index(place) => api::PathElement { index: Some(number(place)), ..none },
        Key(name) => api::PathElement { key: Some(name), ..none },
        Substring(part) => api::PathElement {
            substring: Some(api::Substring {
                start: number(part.start),
                length: number(part.length),
            }),
            ..none
        },
    }
}

fn position(position: analyzer::Position) -> api::Position {
    api::Position {
        line: number(position.line),
        column: number(position.column),
        offset: number(position.offset),
    }
}

/// A count of characters; a body is far shorter than the type's end.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
