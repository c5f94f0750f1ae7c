//! Identifiers: any text, read as each of them.
//!
//! What is read prints as it was written, and reads the same again. A caller that an ARN names is
//! named by that ARN in a policy of a resource, as the reference evaluator says too.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use bailiwick_identifiers::{
    AccessKeyId, AccountId, Arn, GroupName, InstanceProfileName, Partition, Path, PolicyName,
    RoleName, SessionName, UniqueId, UserName,
};
use bailiwick_policy::{Case, Documents, Principal};
use bailiwick_reference::evaluate::evaluate_text;
use serde_json::{Value, json};

/// Checks a text.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    exact::<AccessKeyId>(text);
    exact::<AccountId>(text);
    exact::<GroupName>(text);
    exact::<InstanceProfileName>(text);
    exact::<Partition>(text);
    exact::<Path>(text);
    exact::<PolicyName>(text);
    exact::<RoleName>(text);
    exact::<SessionName>(text);
    exact::<UniqueId>(text);
    exact::<UserName>(text);
    if let Some(arn) = exact::<Arn>(text) {
        let fields = [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()];
        assert_eq!(format!("arn:{}", fields.join(":")), text);
        assert_eq!(arn.account_id().map(|id| id.to_string()), as_account(arn.account()));
    }
    if let Some(principal) = Principal::from_arn(text) {
        assert_eq!(principal.describe(), text);
        assert_eq!(Principal::from_arn(&principal.describe()), Some(principal.clone()));
        if let Some(account) = principal.account() {
            assert_eq!(text.split(':').nth(4), Some(account.to_string().as_str()));
        }
    }
    named(text);
}

/// What a text is, if it prints as that text.
fn exact<T: FromStr + Display + Debug + PartialEq>(text: &str) -> Option<T> {
    let found: T = text.parse().ok()?;
    assert_eq!(found.to_string(), text);
    assert_eq!(found.to_string().parse().ok().as_ref(), Some(&found));
    Some(found)
}

fn as_account(text: &str) -> Option<String> {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.to_owned())
}

/// Texts as the caller and as the entry of a policy that names callers. A line break separates the
/// two; without one they are the same.
fn named(text: &str) {
    let (caller, entry) = text.split_once('\n').unwrap_or((text, text));
    for (effect, kind) in
        [("Allow", "AWS"), ("Deny", "AWS"), ("Allow", "Federated"), ("Allow", "Service")]
    {
        for element in ["Principal", "NotPrincipal"] {
            let statement = json!({
                "Effect": effect, "Action": "*", "Resource": "*", element: {kind: entry},
            });
            let allow = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
            let case = json!({
                "request": {
                    "principal": caller, "action": "a:B",
                    "resource": "arn:aws:a::123456789012:b",
                },
                "identityPolicies": if effect == "Deny" { json!([allow]) } else { Value::Null },
                "resourcePolicy": {"Statement": statement},
            });
            same(&case.to_string());
        }
    }
}

fn same(text: &str) {
    let Ok(case) = Case::parse(text, &mut Documents::with_capacity(1 << 16)) else { return };
    let Ok(outcome) = evaluate_text(text) else { return };
    let answer = case.decide();
    assert_eq!(
        (answer.decision, answer.kind()),
        (outcome.decision, outcome.reason.as_str()),
        "engine and reference differ\n{text}"
    );
}
