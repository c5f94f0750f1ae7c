//! Small changes of policies, as people make them.

#![allow(dead_code, reason = "each test takes what it needs")]

use serde_json::{Value, json};

use super::dice::Dice;

/// How a policy is changed; `true` where it can only allow less by that.
pub(crate) const CHANGES: [(&str, bool); 10] = [
    ("wider action", false),
    ("narrower action", true),
    ("wider resource", false),
    ("narrower resource", true),
    ("statement more", false),
    ("statement less", false),
    ("condition more", false),
    ("condition less", false),
    ("action to not action", false),
    ("denial more", true),
];

/// Changes one thing; `false` where there is nothing of the kind.
pub(crate) fn mutate(dice: &mut Dice, policy: &mut Value, change: usize) -> bool {
    if policy["Statement"].is_object() {
        policy["Statement"] = json!([policy["Statement"]]);
    }
    let Some(list) = policy["Statement"].as_array_mut().filter(|list| !list.is_empty()) else {
        return false;
    };
    let at = dice.roll(list.len());
    let statement = &mut list[at];
    let allows = statement["Effect"] == "Allow";
    match change {
        0 | 1 | 2 | 3 if !allows => false,
        0 => one_of(dice, statement, "Action", |text| match text.split_once(':') {
            Some((service, name)) if name.len() > 4 => format!("{service}:{}*", &name[..4]),
            _ => "*".to_owned(),
        }),
        1 => one_of(dice, statement, "Action", |text| match text.strip_suffix('*') {
            Some(start) if start.contains(':') => format!("{start}Zone*"),
            _ => text.to_owned(),
        }),
        2 => one_of(dice, statement, "Resource", |text| match text.rsplit_once([':', '/']) {
            Some((start, _)) => format!("{start}:*"),
            None => "*".to_owned(),
        }),
        3 => {
            if statement["Resource"] != "*" {
                return false;
            }
            statement["Resource"] = json!(["arn:aws:s3:::a/*", "arn:aws:ec2:*:*:instance/*"]);
            true
        }
        4 => {
            list.push(json!({"Effect": "Allow", "Resource": "*",
                "Action": ["s3:GetObject", "ec2:Describe*", "iam:PassRole"]}));
            true
        }
        5 => {
            list.remove(at);
            !list.is_empty()
        }
        6 => {
            statement["Condition"]["StringEquals"]["aws:RequestedRegion"] =
                json!(["eu-west-1", "eu-central-1"]);
            true
        }
        7 => statement.as_object_mut().unwrap().remove("Condition").is_some(),
        8 => {
            let Some(actions) = statement.as_object_mut().unwrap().remove("Action") else {
                return false;
            };
            statement["NotAction"] = actions;
            true
        }
        _ => {
            list.push(json!({"Effect": "Deny", "Action": ["*:Delete*", "iam:*"], "Resource": "*",
                "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin*"}}}));
            true
        }
    }
}

/// Changes one text of an element.
fn one_of(
    dice: &mut Dice,
    statement: &mut Value,
    element: &str,
    change: impl Fn(&str) -> String,
) -> bool {
    match &mut statement[element] {
        Value::String(text) => *text = change(text),
        Value::Array(list) if !list.is_empty() => {
            let at = dice.roll(list.len());
            let text = list[at].as_str().unwrap();
            list[at] = change(text).into();
        }
        _ => return false,
    }
    true
}
