//! SimulateCustomPolicy and SimulatePrincipalPolicy: what policies would answer, by the engine that
//! answers live calls (section 13 of the rules).
//!
//! The context of a simulation is what the call supplies, over what follows from the simulated caller
//! alone: `aws:PrincipalArn`, `aws:username` and their kin, and, where the caller is the entity whose
//! policies are simulated, its tags and id. AWS documents neither way which of them it fills in.
//! Deviation: AWS refuses some actions beside each other, which "require different authorization
//! information"; which ones is not documented, and here all go together.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bailiwick_identifiers::{AccountId, Arn};
use bailiwick_model::Effective;
use bailiwick_policy::simulate::{
    self as policy, Budget, ContextEntry, EvaluationResult, Exceeded, Simulation, SimulationError,
};
use bailiwick_policy::{Context, DocumentKind};
use bailiwick_wire::generated::iam as api;

use super::holder::Kind;
use super::simulate_caller::Caller;
use super::simulate_policies::{Exclusion, Input, PolicySource, input, inputs};
use super::simulate_results::describe;
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] =
    &[entry::<SimulateCustomPolicy>(), entry::<SimulatePrincipalPolicy>()];

/// What results call the policies of this list (SIM-5).
pub(super) const POLICY_INPUT_LIST: &str = "PolicyInputList";

/// The most steps of one call, about a second of them: what is beyond would keep a thread for long
/// (threat G06). They are counted and not timed, so that a call is answered alike whenever it comes.
const MAX_WORK: u64 = 1_200_000_000;
/// About the most bytes of one action's results.
const MAX_RESULT: u64 = 4 << 20;

/// Asks policy texts.
struct SimulateCustomPolicy {
    policies: Vec<String>,
    levels: Option<Vec<Vec<String>>>,
    questions: Questions,
}

impl Operation for SimulateCustomPolicy {
    type Api = api::SimulateCustomPolicy;

    const HEAVY: bool = true;

    fn parse(request: api::SimulateCustomPolicyRequest) -> Result<Self, Fault> {
        let levels = request.ordered_organization_policy_input_list.map(|levels| {
            let texts = |level: api::OrderedOrganizationPolicyType| {
                level.service_control_policy_input_list.unwrap_or_default()
            };
            levels.into_iter().map(texts).collect::<Vec<_>>()
        });
        Ok(Self {
            policies: request.policy_input_list,
            levels: levels.filter(|levels| !levels.is_empty()),
            questions: Questions {
                boundary: one_boundary(request.permissions_boundary_policy_input_list)?,
                actions: request.action_names,
                resources: request.resource_arns.unwrap_or_default(),
                resource_policy: request.resource_policy,
                owner: owner(request.resource_owner.as_deref())?,
                caller: caller(request.caller_arn.as_deref())?,
                entries: entries(request.context_entries)?,
                handling: request.resource_handling_option,
                max_items: request.max_items,
                marker: request.marker,
            },
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::SimulatePolicyResponse, Fault> {
        let identity = inputs(POLICY_INPUT_LIST, DocumentKind::Identity, &self.policies)?;
        let levels = self.levels.as_deref().unwrap_or_default();
        let read = |(place, texts): (usize, &Vec<String>)| {
            let name = format!(
                "OrderedOrganizationPolicyInputList.{}.ServiceControlPolicyInputList",
                place + 1
            );
            inputs(&name, DocumentKind::ServiceControl, texts)
        };
        let levels = levels.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        let attached = Effective::default();
        let mut shape: Vec<&str> = self.policies.iter().map(String::as_str).collect();
        shape.push("levels");
        for level in self.levels.iter().flatten() {
            shape.push("level");
            shape.extend(level.iter().map(String::as_str));
        }
        let policies = Policies {
            identity: &identity,
            attached: &attached,
            levels: self.levels.is_some().then_some(&*levels),
        };
        let caller = self.questions.caller.as_ref().map(Caller::named);
        self.questions.answer(call, &policies, caller.as_ref(), &shape)
    }
}

/// Asks the policies of a user, group or role.
struct SimulatePrincipalPolicy {
    source: PolicySource,
    policies: Vec<String>,
    exclusions: Vec<Exclusion>,
    excluded: String,
    questions: Questions,
}

impl Operation for SimulatePrincipalPolicy {
    type Api = api::SimulatePrincipalPolicy;

    const HEAVY: bool = true;

    fn parse(request: api::SimulatePrincipalPolicyRequest) -> Result<Self, Fault> {
        let exclusions = request.policy_exclusion_list.unwrap_or_default();
        Ok(Self {
            source: PolicySource::parse(&request.policy_source_arn)?,
            policies: request.policy_input_list.unwrap_or_default(),
            excluded: format!("{exclusions:?}"),
            exclusions: exclusions.into_iter().map(Exclusion::parse).collect::<Result<_, _>>()?,
            questions: Questions {
                boundary: one_boundary(request.permissions_boundary_policy_input_list)?,
                actions: request.action_names,
                resources: request.resource_arns.unwrap_or_default(),
                resource_policy: request.resource_policy,
                owner: owner(request.resource_owner.as_deref())?,
                caller: caller(request.caller_arn.as_deref())?,
                entries: entries(request.context_entries)?,
                handling: request.resource_handling_option,
                max_items: request.max_items,
                marker: request.marker,
            },
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_about::<Self>(call, &self.source)?])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::SimulatePolicyResponse, Fault> {
        let mut attached = self.source.policies(call)?;
        for exclusion in &self.exclusions {
            exclusion.apply(&mut attached);
        }
        let identity = inputs(POLICY_INPUT_LIST, DocumentKind::Identity, &self.policies)?;
        let mut shape = vec![self.source.arn.as_str(), &*self.excluded];
        shape.extend(self.policies.iter().map(String::as_str));
        let policies = Policies { identity: &identity, attached: &attached, levels: None };
        // Permission was asked for the source of the policies alone: of another caller nothing is told
        // but what its ARN says.
        let other = self.questions.caller.as_ref().filter(|caller| caller.arn != self.source.arn);
        let caller = match other {
            Some(other) => Caller::named(other),
            None => Caller::of(call, &self.source),
        };
        self.questions.answer(call, &policies, Some(&caller), &shape)
    }
}

/// An ask about the policies of an entity: on its ARN, or on what the text says where there is none.
pub(super) fn ask_about<O: Operation>(
    call: &Call<'_>,
    source: &PolicySource,
) -> Result<Ask, Fault> {
    source.require_own(call)?;
    let ask = call.ask::<O>(source.arn.as_str());
    let name = source.arn.resource().rsplit('/').next().unwrap_or_default();
    let held = source.find(call).and_then(|_| source.kind.named(call.account(), name));
    Ok(match held {
        Some(holder) => ask.resource_tags(&holder.tags),
        None => ask,
    })
}

/// What both operations ask the policies.
struct Questions {
    boundary: Option<String>,
    actions: Vec<String>,
    resources: Vec<String>,
    resource_policy: Option<String>,
    owner: Option<AccountId>,
    caller: Option<PolicySource>,
    entries: Vec<ContextEntry>,
    handling: Option<String>,
    max_items: Option<i32>,
    marker: Option<String>,
}

/// The policies of the caller's side.
struct Policies<'a> {
    identity: &'a [Input],
    attached: &'a Effective,
    levels: Option<&'a [Vec<Input>]>,
}

impl Questions {
    /// Answers a page of actions. `shape` is what else shapes the list.
    fn answer(
        &self,
        call: &Call<'_>,
        policies: &Policies<'_>,
        caller: Option<&Caller>,
        shape: &[&str],
    ) -> Result<api::SimulatePolicyResponse, Fault> {
        let mut budget = Budget::new(MAX_WORK, MAX_RESULT);
        self.require_names(call)?;
        let boundary = self.boundary.as_deref();
        let boundary = boundary.map(|text| {
            input("PermissionsBoundaryPolicyInputList.1", DocumentKind::Boundary, text)
        });
        let (boundary, resource) =
            (boundary.transpose()?, self.resource_policy(caller, &mut budget)?);
        let mut applicable = policies.attached.applicable();
        for policy in policies.identity {
            applicable.identity.push(policy.attached());
        }
        if let Some(boundary) = &boundary {
            applicable.boundary = Some(boundary.attached());
        }
        applicable.resource = resource.as_ref().map(Input::attached);
        let levels = policies.levels.unwrap_or_default();
        applicable.scps =
            levels.iter().map(|level| level.iter().map(Input::attached).collect()).collect();
        let context = self.context(caller);
        let simulation = Simulation {
            catalog: call.catalog(),
            caller: caller.map(|caller| &caller.principal),
            policies: applicable,
            in_organization: policies.levels.is_some(),
            resource_owner: self.owner,
            actions: &self.actions,
            resources: &self.resources,
            context: &context,
        };
        let own = format!("{:?}", self.shape());
        let shape: Vec<&str> = shape.iter().copied().chain([&*own]).collect();
        self.page(call, &simulation, budget, &shape)
    }

    /// Only the actions of the page are asked, each when it is weighed: the page ends before the one
    /// for which the budget does not suffice, unless that is its first.
    fn page(
        &self,
        call: &Call<'_>,
        simulation: &Simulation<'_, '_>,
        budget: Budget,
        shape: &[&str],
    ) -> Result<api::SimulatePolicyResponse, Fault> {
        type Answered = (usize, RefCell<Option<Result<EvaluationResult, SimulationError>>>);
        let (prepared, budget) = (simulation.prepare(), RefCell::new(budget));
        let items = (0..self.actions.len()).map(|place| (place, RefCell::default()));
        let key = |(place, _): &Answered| format!("{place:010}");
        let cost = |(place, answer): &Answered| {
            let action = self.actions.get(*place).map_or("", String::as_str);
            let mut left = budget.borrow().with_bytes(MAX_RESULT);
            let result = prepared.evaluate(action, &mut left);
            *budget.borrow_mut() = left;
            let size = match &result {
                Err(SimulationError::Exceeded(_)) => u64::MAX,
                _ => MAX_RESULT.saturating_sub(left.bytes()),
            };
            answer.replace(Some(result));
            usize::try_from(size).unwrap_or(usize::MAX)
        };
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut_weighed(call, paging, shape, items, key, cost)?;
        let answered = page.items.into_iter().filter_map(|(_, answer)| answer.into_inner());
        let results = answered.map(|result| result.map(describe).map_err(refused));
        Ok(api::SimulatePolicyResponse {
            evaluation_results: Some(results.collect::<Result<_, _>>()?),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }

    /// Everything that shapes the list, for its marker.
    fn shape(&self) -> impl std::fmt::Debug {
        (
            &self.boundary,
            &self.actions,
            &self.resources,
            &self.resource_policy,
            self.owner,
            self.caller.as_ref().map(|caller| caller.arn.to_string()),
            &self.entries,
        )
    }

    fn require_names(&self, call: &Call<'_>) -> Result<(), Fault> {
        for action in &self.actions {
            policy::require_action(call.catalog(), action).map_err(invalid)?;
        }
        for resource in &self.resources {
            policy::require_resource(resource).map_err(invalid)?;
        }
        match &self.handling {
            Some(option) => require_handled(option, &self.resources),
            None => Ok(()),
        }
    }

    /// The resource policy, which needs a user as caller (SIM-10), and must be one of each of the
    /// resources (SIM-14).
    fn resource_policy(
        &self,
        caller: Option<&Caller>,
        budget: &mut Budget,
    ) -> Result<Option<Input>, Fault> {
        let Some(text) = &self.resource_policy else { return Ok(None) };
        if caller.is_none() {
            return Err(Fault::invalid_input(
                "CallerArn is required when ResourcePolicy is specified.",
            ));
        }
        // AWS's words (*observed*).
        if !caller.is_some_and(|caller| caller.kind == Kind::User) {
            return Err(Fault::invalid_input(
                "Invalid caller - Caller must be an IAM user in this context.",
            ));
        }
        let policy = input("ResourcePolicy", DocumentKind::Resource, text)?;
        let named = || self.resources.iter().filter(|resource| *resource != "*");
        let work = policy::fitting_work(policy.document(), named().map(String::as_str));
        budget.spend(work).map_err(too_much)?;
        for resource in named() {
            let is_role = resource
                .parse::<Arn>()
                .is_ok_and(|arn| arn.service() == "iam" && arn.resource().starts_with("role/"));
            if is_role || !policy::policy_fits(policy.document(), resource) {
                return Err(Fault::invalid_input(format!(
                    "Invalid Resource Policy: it is not a policy of the resource {resource}"
                )));
            }
        }
        Ok(Some(policy))
    }

    fn context(&self, caller: Option<&Caller>) -> Context {
        let mut context = caller.map(Caller::context).unwrap_or_default();
        for entry in &self.entries {
            entry.put(&mut context);
        }
        context
    }
}

fn invalid(error: impl std::fmt::Display) -> Fault {
    Fault::invalid_input(error.to_string())
}

/// Deviation: AWS answers `PolicyEvaluation` with 500; here no input is a failure of the server.
fn refused(error: SimulationError) -> Fault {
    match error {
        SimulationError::Exceeded(exceeded) => too_much(exceeded),
        SimulationError::Evaluation(error) => Fault::common(
            "PolicyEvaluation",
            400,
            format!("The policy could not be evaluated: {error}"),
        ),
    }
}

fn too_much(exceeded: Exceeded) -> Fault {
    Fault::invalid_input(match exceeded {
        Exceeded::Work => format!(
            "The simulation exceeds the limit of {MAX_WORK} steps for one action: the policies, \
             resources and context values are too many or too long. Simulate fewer resources or \
             policies at a time."
        ),
        Exceeded::Bytes => format!(
            "The result exceeds the limit of {MAX_RESULT} bytes for one action. Simulate fewer \
             resources or policies at a time."
        ),
    })
}

/// At most one boundary (SIM-10).
fn one_boundary(given: Option<Vec<String>>) -> Result<Option<String>, Fault> {
    let mut given = given.unwrap_or_default().into_iter();
    match (given.next(), given.next()) {
        (_, Some(_)) => Err(Fault::invalid_input(
            "Only one permissions boundary policy can be simulated at a time.",
        )),
        (first, None) => Ok(first),
    }
}

/// The account whose root ARN is given. AWS's words (*observed*).
fn owner(given: Option<&str>) -> Result<Option<AccountId>, Fault> {
    let Some(text) = given else { return Ok(None) };
    let arn = text.parse::<Arn>().ok();
    let account = arn
        .filter(|arn| arn.service() == "iam" && arn.resource() == "root")
        .and_then(|arn| arn.account_id());
    let wrong = || Fault::invalid_input(format!("'{text}' is not a valid as a Resource Owner."));
    account.map(Some).ok_or_else(wrong)
}

fn caller(given: Option<&str>) -> Result<Option<PolicySource>, Fault> {
    given.map(PolicySource::parse).transpose()
}

fn entries(given: Option<Vec<api::ContextEntry>>) -> Result<Vec<ContextEntry>, Fault> {
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for entry in given.unwrap_or_default() {
        let (Some(name), Some(kind)) = (entry.context_key_name, entry.context_key_type) else {
            return Err(Fault::invalid_input("Invalid context key: it needs a name and a type"));
        };
        let values = entry.context_key_values.unwrap_or_default();
        let entry = ContextEntry::new(&name, &kind, values).map_err(invalid)?;
        if !seen.insert(entry.folded()) {
            return Err(Fault::invalid_input(format!("Invalid context key: {name} stands twice")));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The resources that each scenario of EC2 must name. Source: IAM API, SimulateCustomPolicy,
/// ResourceHandlingOption.
fn require_handled(option: &str, resources: &[String]) -> Result<(), Fault> {
    let (vpc, rest) = match option.strip_prefix("EC2-VPC-") {
        Some(rest) => (true, rest),
        None => (false, option.strip_prefix("EC2-Classic-").unwrap_or_default()),
    };
    let (storage, subnet) = match rest.strip_suffix("-Subnet") {
        Some(storage) if vpc => (storage, true),
        _ => (rest, false),
    };
    let volume = match storage {
        "InstanceStore" => false,
        "EBS" => true,
        _ => {
            return Err(Fault::invalid_input(format!(
                "Invalid Resource Handling Option: {option}"
            )));
        }
    };
    let needed = [
        ("instance", true),
        ("image", true),
        ("security-group", true),
        ("network-interface", vpc),
        ("subnet", subnet),
        ("volume", volume),
    ];
    let given = |kind: &str| {
        resources.iter().any(|resource| {
            let mut fields = resource.splitn(6, ':').skip(2);
            fields.next() == Some("ec2")
                && fields.nth(2).and_then(|part| part.split('/').next()) == Some(kind)
        })
    };
    match needed.into_iter().find(|(kind, needed)| *needed && !given(kind)) {
        Some((kind, _)) => Err(Fault::invalid_input(format!(
            "Invalid Input: the option {option} needs a resource of type {kind}"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sim_10_owners_are_root_arns() {
        assert_eq!(owner(None), Ok(None));
        assert!(owner(Some("arn:aws:iam::123456789012:root")).is_ok_and(|found| found.is_some()));
        for text in ["123456789012", "arn:aws:iam::123456789012:user/a", "arn:aws:iam:::root", ""] {
            let fault = owner(Some(text)).unwrap_err();
            assert_eq!(fault.code(), "InvalidInput");
            assert_eq!(fault.message(), format!("'{text}' is not a valid as a Resource Owner."));
        }
    }

    #[test]
    fn scenarios_of_ec2_name_their_resources() {
        let arn = |kind: &str| format!("arn:aws:ec2:us-east-1:123456789012:{kind}/x");
        let base = ["instance", "image", "security-group"].map(arn).to_vec();
        let with = |more: &[&str]| {
            let more = more.iter().map(|kind| arn(kind));
            base.iter().cloned().chain(more).collect::<Vec<_>>()
        };
        for (option, resources, right) in [
            ("EC2-Classic-InstanceStore", with(&[]), true),
            ("EC2-Classic-EBS", with(&[]), false),
            ("EC2-Classic-EBS", with(&["volume"]), true),
            ("EC2-VPC-InstanceStore", with(&[]), false),
            ("EC2-VPC-InstanceStore", with(&["network-interface"]), true),
            ("EC2-VPC-InstanceStore-Subnet", with(&["network-interface"]), false),
            ("EC2-VPC-EBS-Subnet", with(&["network-interface", "subnet", "volume"]), true),
            ("EC2-Classic-EBS-Subnet", with(&["volume", "subnet"]), false),
            ("EC2-VPC", with(&[]), false),
            ("Other", with(&[]), false),
        ] {
            assert_eq!(require_handled(option, &resources).is_ok(), right, "{option}");
        }
    }
}
