//! What a simulation answers, in the names of AWS's API.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Position, Verdict};

/// The answer for one action (SIM-2): aggregates over the resources, and the answer for each.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    /// The action as it was asked.
    pub eval_action_name: String,
    /// The ARN template of the action's resource type, or `*` (SIM-3).
    pub eval_resource_name: String,
    /// The most restrictive decision of all resources (SIM-1).
    pub eval_decision: Verdict,
    /// The statements that made the decision (SIM-4), each once.
    pub matched_statements: Vec<MatchedStatement>,
    /// The context keys that the policies use and the context lacks (SIM-6), each once.
    pub missing_context_values: Vec<String>,
    /// What the service control policies say (SIM-7); absent outside organizations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations_decision_detail: Option<OrganizationsDecisionDetail>,
    /// What the permissions boundary says (SIM-8); absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
    /// The most restrictive decision of each type of policy, across accounts (SIM-9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_decision_details: Option<BTreeMap<&'static str, Verdict>>,
    /// The answer for each resource, in the order asked; none where only `*` was asked.
    pub resource_specific_results: Vec<ResourceSpecificResult>,
}

/// The answer for one action on one resource.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceSpecificResult {
    /// The resource as it was asked.
    pub eval_resource_name: String,
    /// The decision.
    pub eval_resource_decision: Verdict,
    /// The statements that made the decision (SIM-4).
    pub matched_statements: Vec<MatchedStatement>,
    /// The context keys that the policies use and the context lacks (SIM-6).
    pub missing_context_values: Vec<String>,
    /// The decision of each type of policy, across accounts (SIM-9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_decision_details: Option<BTreeMap<&'static str, Verdict>>,
    /// What the permissions boundary says (SIM-8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
}

/// A statement that made a decision.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MatchedStatement {
    /// The policy (SIM-5).
    pub source_policy_id: String,
    /// `IAM Policy` or `Resource Policy` (SIM-4).
    pub source_policy_type: &'static str,
    /// Where the statement starts, as the simulator counts (SIM-5).
    pub start_position: Place,
    /// Where it ends.
    pub end_position: Place,
}

impl MatchedStatement {
    /// About its bytes on the wire.
    pub(super) fn size(&self) -> usize {
        const TAGS: usize = 300;
        TAGS + self.source_policy_id.len()
    }
}

/// A place in a policy's text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in Unicode scalars.
    pub column: u32,
}

impl From<Position> for Place {
    fn from(position: Position) -> Self {
        Self { line: position.line, column: position.column }
    }
}

/// What the service control policies of all levels say together (SIM-7).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationsDecisionDetail {
    /// Whether every level allows and none denies.
    pub allowed_by_organizations: bool,
}

/// What the permissions boundary says (SIM-8).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PermissionsBoundaryDecisionDetail {
    /// Whether it has a matching Allow and no matching Deny.
    pub allowed_by_permissions_boundary: bool,
}
