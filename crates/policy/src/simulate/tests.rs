//! The shape of simulations: rules SIM-1 to SIM-9.

use super::*;
use crate::{Attached, Document, DocumentKind};

/// Policies with their sources, to be borrowed.
#[derive(Default)]
struct Policies(Vec<(Source, Document)>);

impl Policies {
    fn put(&mut self, id: &str, kind: SourceKind, statements: &str) -> usize {
        let document_kind = match kind {
            SourceKind::Boundary => DocumentKind::Boundary,
            SourceKind::Resource => DocumentKind::Resource,
            SourceKind::Trust => DocumentKind::Trust,
            SourceKind::Scp => DocumentKind::ServiceControl,
            _ => DocumentKind::Identity,
        };
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
        let document = Document::parse(&text, document_kind).unwrap();
        self.0.push((Source::new(id, kind), document));
        self.0.len() - 1
    }

    fn get(&self, at: usize) -> Attached<'_> {
        let (source, document) = &self.0[at];
        Attached { source, document }
    }
}

const ALLOW_S3: &str = r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]"#;
const DENY_SECRET: &str =
    r#"[{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret"}]"#;

fn user() -> Principal {
    Principal::User {
        arn: "arn:aws:iam::111122223333:user/ann".into(),
        id: "AIDAAAAAAAAAAAAAAAAA1".parse().unwrap(),
        account: "111122223333".parse().unwrap(),
        name: "ann".into(),
    }
}

fn ask(
    policies: Applicable<'_>,
    caller: Option<&Principal>,
    owner: Option<&str>,
    resources: &[&str],
    in_organization: bool,
) -> EvaluationResult {
    let context = Context::new();
    let resources: Vec<String> = resources.iter().map(|text| (*text).to_owned()).collect();
    let actions = ["s3:GetObject".to_owned()];
    let simulation = Simulation {
        catalog: Catalog::embedded(),
        caller,
        policies,
        in_organization,
        resource_owner: owner.map(|owner| owner.parse().unwrap()),
        actions: &actions,
        resources: &resources,
        context: &context,
    };
    simulation.run().unwrap().pop().unwrap()
}

#[test]
fn sim_1_three_decisions() {
    let mut held = Policies::default();
    let (allow, deny) = (
        held.put("PolicyInputList.1", SourceKind::UserInline, ALLOW_S3),
        held.put("PolicyInputList.2", SourceKind::UserInline, DENY_SECRET),
    );
    let secret = ["arn:aws:s3:::b/secret"];
    let with = |places: &[usize]| {
        Applicable::identity(places.iter().map(|at| held.get(*at)).collect::<Vec<_>>())
    };
    for (places, expected, id) in [
        (&[][..], Verdict::ImplicitDeny, None),
        (&[allow], Verdict::Allow, Some("PolicyInputList.1")),
        (&[allow, deny], Verdict::ExplicitDeny, Some("PolicyInputList.2")),
    ] {
        let result = ask(with(places), None, None, &secret, false);
        assert_eq!(result.eval_decision, expected);
        // SIM-4: only the statements that made the decision.
        let ids: Vec<_> =
            result.matched_statements.iter().map(|s| s.source_policy_id.as_str()).collect();
        assert_eq!(ids, Vec::from_iter(id));
        assert!(result.matched_statements.iter().all(|s| s.source_policy_type == "IAM Policy"));
        // SIM-9: one account and a resource.
        assert_eq!(result.eval_decision_details, Some(BTreeMap::new()));
        assert_eq!(result.organizations_decision_detail, None);
        assert_eq!(result.permissions_boundary_decision_detail, None);
    }
}

#[test]
fn sim_2_aggregates_over_resources() {
    let mut held = Policies::default();
    let allow = held.put("PolicyInputList.1", SourceKind::UserInline, ALLOW_S3);
    let deny = held.put("PolicyInputList.2", SourceKind::UserInline, DENY_SECRET);
    let policies = Applicable::identity([held.get(allow), held.get(deny)]);
    let resources = ["arn:aws:s3:::b/open", "arn:aws:s3:::b/secret"];
    let result = ask(policies, None, None, &resources, false);
    assert_eq!(result.eval_decision, Verdict::ExplicitDeny);
    assert_eq!(result.matched_statements.len(), 2, "the union");
    let each: Vec<_> = result
        .resource_specific_results
        .iter()
        .map(|one| {
            (&*one.eval_resource_name, one.eval_resource_decision, one.matched_statements.len())
        })
        .collect();
    assert_eq!(each, [(resources[0], Verdict::Allow, 1), (resources[1], Verdict::ExplicitDeny, 1)]);
    // SIM-3
    assert_eq!(result.eval_resource_name, "arn:${Partition}:s3:::${BucketName}/${ObjectName}");
}

#[test]
fn sim_5_positions_and_names() {
    let mut held = Policies::default();
    let at = held.put("PolicyInputList.1", SourceKind::UserInline, ALLOW_S3);
    let result = ask(Applicable::identity([held.get(at)]), None, None, &[], false);
    let [statement] = &result.matched_statements[..] else { panic!("one statement") };
    assert_eq!(statement.start_position, Place { line: 1, column: 38 });
    assert_eq!(statement.end_position, Place { line: 1, column: 87 });
    let managed =
        Source::managed("arn:aws:iam::111122223333:policy/p/Held", SourceKind::UserManaged);
    assert_eq!(policy_id(&managed), "Held");
    let group = SourceKind::GroupInline { group: "Crew".into() };
    for (kind, expected) in [
        (SourceKind::RoleInline, "role_Ann_Inline"),
        (SourceKind::UserInline, "user_Ann_Inline"),
        (group, "group_Crew_Inline"),
        (SourceKind::Resource, "Inline"),
    ] {
        assert_eq!(&*reported_source(&Source::new("Inline", kind), "Ann").id, expected);
    }
}

#[test]
fn sim_6_missing_keys_but_not_those_of_organizations() {
    let mut held = Policies::default();
    let keyed = |key: &str| {
        format!(
            r#"[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"x"}}}}}}]"#
        )
    };
    let identity = held.put("PolicyInputList.1", SourceKind::UserInline, &keyed("aws:username"));
    let scp = held.put("scp", SourceKind::Scp, &keyed("aws:SourceVpc"));
    let mut policies = Applicable::identity([held.get(identity)]);
    policies.scps.push([held.get(scp)].into_iter().collect());
    let result = ask(policies.clone(), None, None, &[], true);
    assert_eq!(result.missing_context_values, ["aws:username"]);
    assert!(result.resource_specific_results.is_empty());
    assert_eq!(result.eval_resource_name, "*");
    // SIM-9: everything, and an SCP ended it.
    assert_eq!(result.eval_decision_details, None);
    let result = ask(policies, None, None, &["arn:aws:s3:::b/k"], true);
    assert_eq!(result.resource_specific_results[0].missing_context_values, ["aws:username"]);
}

#[test]
fn sim_7_and_sim_8_guardrails_say_whether_they_allow() {
    let mut held = Policies::default();
    let allow = held.put("PolicyInputList.1", SourceKind::UserInline, ALLOW_S3);
    let other = r#"[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]"#;
    let narrow_scp = held.put("scp", SourceKind::Scp, other);
    let wide_scp = held.put("scp", SourceKind::Scp, ALLOW_S3);
    let boundary = "PermissionsBoundaryPolicyInputList.1";
    let narrow = held.put(boundary, SourceKind::Boundary, other);
    let wide = held.put(boundary, SourceKind::Boundary, ALLOW_S3);
    for (levels, bounded, decision, by_organizations, by_boundary) in [
        (&[&[wide_scp][..]][..], wide, Verdict::Allow, true, true),
        (&[&[wide_scp], &[narrow_scp]], wide, Verdict::ImplicitDeny, false, true),
        (&[&[wide_scp], &[]], wide, Verdict::ImplicitDeny, false, true),
        (&[&[wide_scp]], narrow, Verdict::ImplicitDeny, true, false),
    ] {
        let mut policies = Applicable::identity([held.get(allow)]);
        policies.boundary = Some(held.get(bounded));
        for level in levels {
            policies.scps.push(level.iter().map(|at| held.get(*at)).collect());
        }
        let result = ask(policies, None, None, &["arn:aws:s3:::b/k"], true);
        assert_eq!(result.eval_decision, decision);
        let organizations = result.organizations_decision_detail.unwrap();
        assert_eq!(organizations.allowed_by_organizations, by_organizations);
        let boundary = result.permissions_boundary_decision_detail.unwrap();
        assert_eq!(boundary.allowed_by_permissions_boundary, by_boundary);
        let [one] = &result.resource_specific_results[..] else { panic!("one resource") };
        assert_eq!(one.permissions_boundary_decision_detail, Some(boundary));
    }
}

#[test]
fn sim_9_details_across_accounts() {
    let mut held = Policies::default();
    let allow = held.put("PolicyInputList.1", SourceKind::UserInline, ALLOW_S3);
    let trusting = held.put(
        "ResourcePolicy",
        SourceKind::Resource,
        r#"[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}]"#,
    );
    let caller = user();
    let resource = ["arn:aws:s3:::b/k"];
    let mut policies = Applicable::identity([held.get(allow)]);
    let alone = ask(policies.clone(), Some(&caller), Some("444455556666"), &resource, false);
    assert_eq!(alone.eval_decision, Verdict::ImplicitDeny);
    let details = BTreeMap::from([
        ("IAM Policy", Verdict::Allow),
        ("Resource Policy", Verdict::ImplicitDeny),
    ]);
    assert_eq!(alone.eval_decision_details, Some(details));
    policies.resource = Some(held.get(trusting));
    let both = ask(policies.clone(), Some(&caller), Some("444455556666"), &resource, false);
    assert_eq!(both.eval_decision, Verdict::Allow);
    let kinds: Vec<_> = both.matched_statements.iter().map(|s| s.source_policy_type).collect();
    assert_eq!(kinds, ["Resource Policy", "IAM Policy"]);
    // In one account the grant to the account adds nothing (PR-3).
    let own = ask(policies, Some(&caller), None, &resource, false);
    assert_eq!(own.matched_statements.len(), 1);
    assert_eq!(own.eval_decision_details, Some(BTreeMap::new()));
}

#[test]
fn in_6_what_cannot_be_evaluated_is_an_error() {
    let mut held = Policies::default();
    let odd = held.put(
        "PolicyInputList.1",
        SourceKind::UserInline,
        r#"[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringAlike":{"a:b":"c"}}}]"#,
    );
    let context = Context::new();
    let actions = ["s3:GetObject".to_owned()];
    let simulation = Simulation {
        catalog: Catalog::embedded(),
        caller: None,
        policies: Applicable::identity([held.get(odd)]),
        in_organization: false,
        resource_owner: None,
        actions: &actions,
        resources: &[],
        context: &context,
    };
    let error = EvaluationError { policy: "PolicyInputList.1".into() };
    assert_eq!(simulation.run().unwrap_err(), error.into());
}

#[test]
fn results_have_the_names_of_the_api() {
    let mut held = Policies::default();
    let at = held.put("PolicyInputList.1", SourceKind::UserInline, ALLOW_S3);
    let result =
        ask(Applicable::identity([held.get(at)]), None, None, &["arn:aws:s3:::b/k"], false);
    let json = serde_json::to_value(result).unwrap();
    assert_eq!(json["EvalActionName"], "s3:GetObject");
    assert_eq!(json["EvalDecision"], "allowed");
    assert_eq!(json["MatchedStatements"][0]["StartPosition"]["Column"], 38);
    let one = &json["ResourceSpecificResults"][0];
    assert_eq!(one["EvalResourceDecision"], "allowed");
    assert_eq!(one["EvalDecisionDetails"], serde_json::json!({}));
}

/// A simulation of policies with many matching, failing and keyed statements.
fn with_many<T>(test: impl FnOnce(&Simulation<'_, '_>) -> T) -> T {
    let mut held = Policies::default();
    let statements = format!(
        "[{},{},{},{}]",
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"}"#,
        r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret"}"#,
        r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"a:b":"?x*"}}}"#,
    );
    // The same policy twice, as by a user and a group.
    let places = [0, 1].map(|_| held.put("Shared", SourceKind::UserInline, &statements));
    let boundary = held.put("Bound", SourceKind::Boundary, ALLOW_S3);
    let mut policies = Applicable::identity(places.map(|at| held.get(at)));
    policies.boundary = Some(held.get(boundary));
    let mut context = Context::new();
    context.put_list("a:b", ["found", "more"]);
    let resources = ["b/open", "b/secret", "c/open"].map(|part| format!("arn:aws:s3:::{part}"));
    test(&Simulation {
        catalog: Catalog::embedded(),
        caller: Some(&user()),
        policies,
        in_organization: false,
        resource_owner: None,
        actions: &["s3:GetObject".to_owned(), "iam:GetUser".to_owned()],
        resources: &resources,
        context: &context,
    })
}

#[test]
fn answers_tell_what_the_explanation_tells() {
    with_many(|simulation| {
        let results = simulation.run().unwrap();
        for (action, result) in simulation.actions.iter().zip(&results) {
            for (resource, one) in
                simulation.resources.iter().zip(&result.resource_specific_results)
            {
                let explanation = simulation.explain(action, resource);
                assert_eq!(one.eval_resource_decision, explanation.decision.verdict);
                assert_eq!(one.missing_context_values, explanation.missing_keys);
                let found: Vec<_> = explanation
                    .matched()
                    .map(|(source, report)| (policy_id(source), report.start.into()))
                    .collect();
                let told: Vec<_> = one
                    .matched_statements
                    .iter()
                    .map(|told| (told.source_policy_id.clone(), told.start_position))
                    .collect();
                assert_eq!(told, found, "{action} on {resource}");
                let bounded = explanation.verdict_of(PolicyKind::Boundary) == Some(Verdict::Allow);
                let detail = one.permissions_boundary_decision_detail.unwrap();
                assert_eq!(detail.allowed_by_permissions_boundary, bounded);
            }
        }
    });
}

#[test]
fn sim_2_statements_are_told_once_over_all_resources() {
    with_many(|simulation| {
        let result = simulation.evaluate("s3:GetObject").unwrap();
        let each: Vec<usize> = result
            .resource_specific_results
            .iter()
            .map(|one| one.matched_statements.len())
            .collect();
        // Twice, and the boundary's.
        assert_eq!(each, [5, 2, 3]);
        let lines: Vec<u32> =
            result.matched_statements.iter().map(|one| one.start_position.column).collect();
        assert_eq!(result.matched_statements.len(), 4, "{lines:?}");
    });
}

#[test]
fn tm_g06_a_budget_ends_the_answer() {
    with_many(|simulation| {
        let prepared = simulation.prepare();
        let whole = simulation.evaluate("s3:GetObject").unwrap();
        let mut budget = Budget::new(1 << 30, 1 << 20);
        assert_eq!(prepared.evaluate("s3:GetObject", &mut budget), Ok(whole));
        let (work, bytes) = ((1 << 30) - budget.work(), (1 << 20) - budget.bytes());
        // The same steps each time, and one fewer does not do.
        for (mut budget, expected) in [
            (Budget::new(4 * work, bytes), None),
            (Budget::new(4 * work, bytes - 1), Some(Exceeded::Bytes)),
            (Budget::new(work - 1, bytes), Some(Exceeded::Work)),
            (Budget::new(0, bytes), Some(Exceeded::Work)),
        ] {
            let found = prepared.evaluate("s3:GetObject", &mut budget);
            assert_eq!(found.err(), expected.map(SimulationError::Exceeded));
        }
    });
}
