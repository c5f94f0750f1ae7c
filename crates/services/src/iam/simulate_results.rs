//! The results of a simulation as the API has them.

use std::collections::BTreeMap;

use bailiwick_policy::Verdict;
use bailiwick_policy::simulate::{self as policy, EvaluationResult, MatchedStatement};
use bailiwick_wire::generated::iam as api;

/// A result as the API has it.
pub(super) fn describe(result: EvaluationResult) -> api::EvaluationResult {
    api::EvaluationResult {
        eval_action_name: result.eval_action_name,
        eval_resource_name: Some(result.eval_resource_name),
        eval_decision: result.eval_decision.as_str().into(),
        matched_statements: Some(statements(result.matched_statements)),
        missing_context_values: Some(result.missing_context_values),
        organizations_decision_detail: result.organizations_decision_detail.map(|detail| {
            api::OrganizationsDecisionDetail {
                allowed_by_organizations: Some(detail.allowed_by_organizations),
            }
        }),
        permissions_boundary_decision_detail: boundary(result.permissions_boundary_decision_detail),
        eval_decision_details: details(result.eval_decision_details),
        resource_specific_results: (!result.resource_specific_results.is_empty()).then(|| {
            let each = result.resource_specific_results.into_iter();
            each.map(|one| api::ResourceSpecificResult {
                eval_resource_name: one.eval_resource_name,
                eval_resource_decision: one.eval_resource_decision.as_str().into(),
                matched_statements: Some(statements(one.matched_statements)),
                missing_context_values: Some(one.missing_context_values),
                eval_decision_details: details(one.eval_decision_details),
                permissions_boundary_decision_detail: boundary(
                    one.permissions_boundary_decision_detail,
                ),
            })
            .collect()
        }),
    }
}

fn statements(found: Vec<MatchedStatement>) -> Vec<api::Statement> {
    let place = |place: policy::Place| {
        let number = |count: u32| i32::try_from(count).ok();
        Some(api::Position { line: number(place.line), column: number(place.column) })
    };
    let statement = |one: MatchedStatement| api::Statement {
        source_policy_id: Some(one.source_policy_id),
        source_policy_type: Some(one.source_policy_type.into()),
        start_position: place(one.start_position),
        end_position: place(one.end_position),
    };
    found.into_iter().map(statement).collect()
}

fn boundary(
    detail: Option<policy::PermissionsBoundaryDecisionDetail>,
) -> Option<api::PermissionsBoundaryDecisionDetail> {
    detail.map(|detail| api::PermissionsBoundaryDecisionDetail {
        allowed_by_permissions_boundary: Some(detail.allowed_by_permissions_boundary),
    })
}

fn details(found: Option<BTreeMap<&'static str, Verdict>>) -> Option<BTreeMap<String, String>> {
    let entry = |(kind, verdict): (&str, Verdict)| (kind.to_owned(), verdict.as_str().to_owned());
    found.map(|found| found.into_iter().map(entry).collect())
}
