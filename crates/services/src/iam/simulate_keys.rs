//! GetContextKeysForCustomPolicy and GetContextKeysForPrincipalPolicy: the context keys that a
//! simulation should be given.

use std::collections::BTreeSet;

use bailiwick_policy::{Document, DocumentKind};
use bailiwick_wire::generated::iam as api;

use super::simulate::{POLICY_INPUT_LIST, ask_about};
use super::simulate_policies::{Input, PolicySource, inputs};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};

pub(super) const OPERATIONS: &[Entry] =
    &[entry::<GetContextKeysForCustomPolicy>(), entry::<GetContextKeysForPrincipalPolicy>()];

/// The keys of policy texts.
struct GetContextKeysForCustomPolicy {
    policies: Vec<String>,
}

impl Operation for GetContextKeysForCustomPolicy {
    type Api = api::GetContextKeysForCustomPolicy;

    const HEAVY: bool = true;

    fn parse(request: api::GetContextKeysForCustomPolicyRequest) -> Result<Self, Fault> {
        Ok(Self { policies: request.policy_input_list })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        _call: &mut Permitted<'_>,
    ) -> Result<api::GetContextKeysForPolicyResponse, Fault> {
        let inputs = inputs(POLICY_INPUT_LIST, DocumentKind::Identity, &self.policies)?;
        Ok(answer(inputs.iter().map(Input::document)))
    }
}

/// The keys of the policies of a user, group or role, and of further texts.
struct GetContextKeysForPrincipalPolicy {
    source: PolicySource,
    policies: Vec<String>,
}

impl Operation for GetContextKeysForPrincipalPolicy {
    type Api = api::GetContextKeysForPrincipalPolicy;

    const HEAVY: bool = true;

    fn parse(request: api::GetContextKeysForPrincipalPolicyRequest) -> Result<Self, Fault> {
        Ok(Self {
            source: PolicySource::parse(&request.policy_source_arn)?,
            policies: request.policy_input_list.unwrap_or_default(),
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_about::<Self>(call, &self.source)?])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetContextKeysForPolicyResponse, Fault> {
        let inputs = inputs(POLICY_INPUT_LIST, DocumentKind::Identity, &self.policies)?;
        let attached = self.source.policies(call)?;
        // The boundary too: the simulation asks it, and misses its keys.
        let held = attached.identity.iter().chain(&attached.boundary);
        let documents = held.map(|found| &*found.document);
        Ok(answer(documents.chain(inputs.iter().map(Input::document))))
    }
}

/// The keys of documents as written, each once without regard to case.
fn answer<'d>(
    documents: impl Iterator<Item = &'d Document>,
) -> api::GetContextKeysForPolicyResponse {
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for key in documents.flat_map(Document::uses_keys) {
        if seen.insert(key.to_lowercase()) {
            names.push(key.to_owned());
        }
    }
    api::GetContextKeysForPolicyResponse { context_key_names: Some(names) }
}
