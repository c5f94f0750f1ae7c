//! iam-rs: IAM documents as they are, parsed once into one evaluator a principal.

use anyhow::anyhow;
use iam_rs::{
    Arn, Context, Decision, EvaluationOptions, IAMPolicy, IAMRequest, PolicyEvaluator, Principal,
    PrincipalId,
};

use super::{Engine, Loaded};
use crate::workload::{Call, Shape, Verdict, attachments, documents};

#[derive(Default)]
pub struct IamRs {
    held: Vec<PolicyEvaluator>,
}

impl Engine for IamRs {
    fn name(&self) -> &'static str {
        "iam-rs"
    }

    fn load(&mut self, shape: &Shape) -> anyhow::Result<Loaded> {
        let policies: Vec<IAMPolicy> = documents(shape)
            .iter()
            .map(|text| IAMPolicy::from_json(text))
            .collect::<Result<_, _>>()?;
        self.held = attachments(shape)
            .iter()
            .map(|list| {
                let policies = list.iter().filter_map(|at| policies.get(*at).cloned()).collect();
                PolicyEvaluator::with_policies(policies).with_options(EvaluationOptions {
                    stop_on_explicit_deny: true,
                    collect_match_details: false,
                    // Its default of 1,000 would refuse the larger worlds.
                    max_statements: usize::MAX,
                    ignore_resource_constraints: false,
                })
            })
            .collect();
        Ok(Loaded::Ready)
    }

    fn decide(&mut self, call: &Call) -> anyhow::Result<Verdict> {
        let Some(evaluator) = self.held.get(call.principal) else {
            anyhow::bail!("no such principal");
        };
        let mut context = Context::new();
        for (key, value) in call.context() {
            context = match value {
                // It compares `Bool` with typed values only.
                "true" | "false" => context.with_boolean(key, value == "true"),
                value => context.with_string(key, value),
            };
        }
        // It takes ARNs only; an action without resource is asked on an ARN that names none.
        let resource = if call.resource == "*" { "arn:aws:any:::*" } else { &call.resource };
        let request = IAMRequest::new_with_context(
            Principal::Aws(PrincipalId::String(call.arn.clone())),
            call.action.as_str(),
            Arn::parse(resource).map_err(|error| anyhow!("{error}"))?,
            context,
        );
        let result = evaluator.evaluate(&request).map_err(|error| anyhow!("{error}"))?;
        Ok(match result.decision {
            Decision::Allow => Verdict::Allowed,
            Decision::Deny => Verdict::ExplicitDeny,
            Decision::NotApplicable => Verdict::ImplicitDeny,
        })
    }
}
