//! regorus: the same grants as Rego rules, one rule a policy, compiled to its virtual machine.
//!
//! Of the possible forms (a rule a policy or one rule over policies as data, interpreted or compiled)
//! this is the one measured. The most telling test comes first in each rule. A wildcard between two
//! fixed texts is asked with `startswith` and `contains`, which is the same and cheaper than
//! `glob.match`; the caller's name is written out there.

use std::collections::BTreeMap;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Rc, Value};

use super::{Engine, Loaded};
use crate::workload::{Call, KEYS, Shape, Verdict, denies};

const ENTRY: &str = "data.authorization.verdict";

/// A program holds at most 65,535 instructions; larger worlds become several, asked in turn.
const RULES_A_PROGRAM: usize = 2_000;

const HEAD: &str = r#"package authorization

default allow := false

default deny := false

verdict := "explicitDeny" if {
	deny
} else := "allowed" if {
	allow
} else := "implicitDeny"
"#;

pub struct Regorus {
    machines: Vec<RegoVM>,
    /// The names of context keys and of the input's fields, as values made once.
    keys: [Value; KEYS.len()],
    fields: [Value; 4],
    alice: Value,
}

impl Default for Regorus {
    fn default() -> Self {
        Self {
            machines: Vec::new(),
            keys: KEYS.map(Value::from),
            fields: ["principal", "action", "resource", "context"].map(Value::from),
            alice: Value::from("arn:aws:iam::123456789012:user/alice"),
        }
    }
}

impl Engine for Regorus {
    fn name(&self) -> &'static str {
        "regorus"
    }

    fn load(&mut self, shape: &Shape) -> anyhow::Result<Loaded> {
        let rules: Vec<String> = match shape {
            Shape::Buckets(count) => (0..*count).map(bucket_rule).collect(),
            Shape::Teams(count) => (0..*count).map(team_rule).collect(),
            Shape::Glob(_) => vec![
                r#"allow if { input.action == "s3:GetObject"; glob.match(data.pattern, null, input.resource) }"#.to_owned(),
            ],
            Shape::Managed { .. } => {
                return Ok(Loaded::Inexpressible("IAM documents are not its language"));
            }
        };
        self.machines.clear();
        for part in rules.chunks(RULES_A_PROGRAM) {
            let mut engine = regorus::Engine::new();
            let rego = format!("{HEAD}\n{}\n", part.join("\n"));
            engine.add_policy("authorization.rego".to_owned(), rego)?;
            let entry: Rc<str> = ENTRY.into();
            let compiled = engine.compile_with_entrypoint(&entry)?;
            let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
            let mut machine = RegoVM::new();
            machine.load_program(program);
            machine.set_max_instructions(usize::MAX);
            if let Shape::Glob(pattern) = shape {
                // As data, for a line of Rego is not as long.
                let data =
                    BTreeMap::from([(Value::from("pattern"), Value::from(pattern.as_str()))]);
                machine.set_data(Value::from(data))?;
            }
            self.machines.push(machine);
        }
        Ok(Loaded::Ready)
    }

    fn decide(&mut self, call: &Call) -> anyhow::Result<Verdict> {
        let keys = self.keys.iter().cloned();
        let keys: BTreeMap<Value, Value> =
            keys.zip(call.values.iter().map(|value| Value::from(value.as_str()))).collect();
        let values = [
            self.alice.clone(),
            Value::from(call.action.as_str()),
            Value::from(call.resource.as_str()),
            Value::from(keys),
        ];
        let input: BTreeMap<Value, Value> = self.fields.iter().cloned().zip(values).collect();
        let input = Value::from(input);
        let mut verdict = Verdict::ImplicitDeny;
        for machine in &mut self.machines {
            machine.set_input(input.clone());
            match machine.execute()?.as_string()?.as_ref() {
                "explicitDeny" => return Ok(Verdict::ExplicitDeny),
                "allowed" => verdict = Verdict::Allowed,
                "implicitDeny" => {}
                other => anyhow::bail!("the answer `{other}`"),
            }
        }
        Ok(verdict)
    }
}

fn bucket_rule(i: usize) -> String {
    if denies(i) {
        format!(
            r#"deny if {{ startswith(input.resource, "arn:aws:s3:::bucket-{i}/"); input.action in {{"s3:DeleteObject", "s3:DeleteBucket"}}; input.context["aws:MultiFactorAuthPresent"] == "false" }}"#
        )
    } else {
        format!(
            r#"allow if {{ startswith(input.resource, "arn:aws:s3:::bucket-{i}/"); input.action in {{"s3:GetObject", "s3:PutObject"}}; input.context["aws:PrincipalOrgID"] == "o-a1b2c3d4e5"; net.cidr_contains("10.0.0.0/8", input.context["aws:SourceIp"]) }}"#
        )
    }
}

fn team_rule(i: usize) -> String {
    if denies(i) {
        format!(
            r#"deny if {{ contains(input.resource, "/team-{i}/"); startswith(input.resource, "arn:aws:s3:::"); not startswith(input.action, "s3:Get"); not startswith(input.action, "s3:List"); input.action != "s3:PutObject" }}"#
        )
    } else {
        format!(
            r#"allow if {{ contains(input.resource, "/team-{i}/alice/"); startswith(input.resource, "arn:aws:s3:::"); startswith(input.action, "s3:Get"); dept := input.context["aws:PrincipalTag/dept"]; some head in ["eng-", "ops-"]; startswith(dept, head) }}"#
        )
    }
}
