//! Action, Resource and Principal elements, mostly such that they cover the request.

use serde_json::{Map, Value, json};

use super::Profile;
use super::random::Random;
use super::scene::{AWAY, CallerKind, HOME, PROVIDERS, ROLES, SERVICES, Scene, THIRD, USERS};

/// How an element is to come out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    /// Whether it shall cover the request.
    pub(super) hit: bool,
    /// Whether entries that IAM refuses at write may occur.
    pub(super) irregular: bool,
    pub(super) profile: Profile,
}

/// `Action` or `NotAction` with its value.
pub(super) fn action(random: &mut Random, scene: &Scene, aim: Aim) -> (&'static str, Value) {
    let negated = random.chance(9);
    if empty(random, aim) {
        return (if negated { "NotAction" } else { "Action" }, json!([]));
    }
    let count = if random.chance(70) { 0 } else { 1 + random.below(2) };
    let mut entries: Vec<String> =
        (0..count).map(|_| other_action(random, scene, aim.irregular)).collect();
    if aim.hit != negated {
        entries.push(covering_action(random, scene));
    } else if entries.is_empty() {
        entries.push(other_action(random, scene, aim.irregular));
    }
    (if negated { "NotAction" } else { "Action" }, listed(random, entries))
}

/// `Action` within one service, as resource control policies have it (RCP-3).
pub(super) fn service_action(
    random: &mut Random,
    scene: &Scene,
    aim: Aim,
) -> (&'static str, Value) {
    let service = scene.action.split(':').next().unwrap_or_default();
    let action = match random.below(3) {
        _ if !aim.hit => "s3:DeleteObject".to_owned(),
        0 => format!("{service}:*"),
        _ => scene.action.clone(),
    };
    ("Action", listed(random, vec![action]))
}

fn covering_action(random: &mut Random, scene: &Scene) -> String {
    let action = scene.action.as_str();
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    let half = name.get(..name.len() / 2).unwrap_or_default();
    let rest = name.get(1..).unwrap_or_default();
    match random.below(16) {
        0..3 => "*".to_owned(),
        3..6 => format!("{service}:*"),
        6 => action.to_lowercase(),
        7 => format!("{service}:{half}*"),
        8 => format!("{service}:?{rest}"),
        9 => format!("{}:*{rest}", service.to_uppercase()),
        10 => format!("{service}:{half}*{}", name.chars().last().unwrap_or('*')),
        _ => action.to_owned(),
    }
}

fn other_action(random: &mut Random, scene: &Scene, irregular: bool) -> String {
    let action = scene.action.as_str();
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    if irregular && random.chance(50) {
        return match random.below(10) {
            0 => "*:*".to_owned(),
            1 => format!("*:{name}"),
            2 => format!("{}?:*", service.get(..1).unwrap_or_default()),
            3 => service.to_owned(),
            4 => format!("{service}:{name}:x"),
            5 => String::new(),
            6 => "**".to_owned(),
            7 => format!("{service}*"),
            8 => format!("{service}:${{aws:username}}"),
            _ => format!(" {action}"),
        };
    }
    random
        .pick(&[
            "s3:DeleteObject",
            "sqs:Purge*",
            "ec2:Stop?nstances",
            "x:*",
            "iam:*User",
            "kms:ReEncrypt*",
        ])
        .to_owned()
}

/// `Resource` or `NotResource` with its value; nothing where it may be missing and is.
pub(super) fn resource(
    random: &mut Random,
    scene: &Scene,
    aim: Aim,
    optional: bool,
) -> Option<(&'static str, Value)> {
    if optional && random.chance(30) {
        return None;
    }
    let negated = random.chance(9);
    let name = if negated { "NotResource" } else { "Resource" };
    if empty(random, aim) {
        return Some((name, json!([])));
    }
    let count = if random.chance(70) { 0 } else { 1 + random.below(2) };
    let mut entries: Vec<String> = (0..count).map(|_| other_resource(random, scene, aim)).collect();
    if aim.hit != negated {
        entries.push(covering_resource(random, scene, aim));
    } else if entries.is_empty() {
        entries.push(other_resource(random, scene, aim));
    }
    let mut value = listed(random, entries);
    if let (true, Value::Array(items)) = (aim.irregular && random.chance(10), &mut value) {
        items.push(Value::Null); // RES-11
    }
    Some((name, value))
}

/// A pattern that covers the request's resource, or nearly so.
fn covering_resource(random: &mut Random, scene: &Scene, aim: Aim) -> String {
    let arn = scene.resource.as_str();
    if arn == "*" || random.chance(25) {
        return "*".to_owned();
    }
    let mut fields: Vec<String> = arn.splitn(6, ':').map(ToOwned::to_owned).collect();
    let last = fields.last().cloned().unwrap_or_default();
    let foreign = aim.profile == Profile::Foreign;
    match random.below(if foreign { 12 } else { 26 }) {
        0..4 => {}
        4 => set(&mut fields, 5, "*"),
        5..8 => {
            let cut = random.below(last.len() + 1);
            set(&mut fields, 5, &format!("{}*", last.get(..cut).unwrap_or_default()));
        }
        8 => {
            let cut = random.below(last.len() + 1);
            set(&mut fields, 5, &format!("*{}", last.get(cut..).unwrap_or_default()));
        }
        9 => {
            let at = random.below(last.len());
            let (head, tail) = (last.get(..at), last.get(at + 1..));
            set(
                &mut fields,
                5,
                &format!("{}?{}", head.unwrap_or_default(), tail.unwrap_or_default()),
            );
        }
        10 => set(&mut fields, 3, "*"),
        11 => set(&mut fields, 4, "*"),
        12 => {
            let account = fields.get(4).cloned().unwrap_or_default();
            let cut = random.below(account.len() + 1);
            set(
                &mut fields,
                4,
                &format!(
                    "{}?{}",
                    account.get(..cut).unwrap_or_default(),
                    account.get(cut + 1..).unwrap_or_default()
                ),
            );
        }
        // RES-1: a star at the end of a field runs on over colons.
        13 => {
            fields.remove(if random.chance(50) {
                3.min(fields.len() - 1)
            } else {
                4.min(fields.len() - 1)
            });
            set(&mut fields, 3, "*");
        }
        14 => {
            set(&mut fields, 4, "*");
            fields.remove(3.min(fields.len() - 1));
        }
        15 => {
            let region = fields.get(3).cloned().unwrap_or_default();
            set(
                &mut fields,
                3,
                &format!(
                    "{}*{}",
                    region.get(..2).unwrap_or_default(),
                    region.get(5..).unwrap_or_default()
                ),
            );
        }
        // RES-5: short patterns.
        16 => {
            fields.truncate(3 + random.below(3));
            let at = fields.len() - 1;
            if at > 2 && random.chance(30) {
                let variables = ["${aws:RequestedRegion}", "${aws:PrincipalAccount}"];
                set(&mut fields, at, variables.get(at - 3).copied().unwrap_or_default());
            }
        }
        17 => {
            fields.truncate(2 + random.below(4));
            let at = fields.len() - 1;
            set(&mut fields, at, "*");
        }
        18 => {
            fields.truncate(1 + random.below(5));
            fields.push("*".to_owned());
        }
        // RES-6: variables.
        19 => set(
            &mut fields,
            4,
            random.pick(&[
                "${aws:PrincipalAccount}",
                "${AWS:principalaccount}",
                "${aws:PrincipalTag/team}",
            ]),
        ),
        20 => set(
            &mut fields,
            3,
            random.pick(&["${aws:RequestedRegion}", "${aws:RequestedRegion, 'us-east-1'}"]),
        ),
        21..24 => {
            let spot = random
                .pick(&["alice", "key", "queue-1", "prod-1", "Dev", "bucket", "team", "x:y", "$"]);
            let variable = variable(random);
            let put = if last.contains(spot) {
                last.replacen(spot, variable, 1)
            } else {
                format!("{variable}*")
            };
            set(&mut fields, 5, &put);
        }
        24 if aim.irregular => set(&mut fields, 1, random.pick(&["*", "a?s", "aws*"])),
        25 if aim.irregular => set(&mut fields, 2, random.pick(&["*", "s?", "s*"])),
        _ => set(&mut fields, 5, "**"),
    }
    fields.join(":")
}

/// Spellings of variables in all their forms (VAR-1 to VAR-9).
pub(super) fn variable(random: &mut Random) -> &'static str {
    random.pick(&[
        "${aws:username}",
        "${aws:username}",
        "${AWS:UserName}",
        "${aws:username, 'alice'}",
        "${aws:username,'alice'}",
        "${aws:username ,   'alice'}",
        "${app:none, 'alice'}",
        "${app:none, ''}",
        "${app:none}",
        "${aws:PrincipalTag/team}",
        "${aws:PrincipalTag/Team}",
        "${aws:PrincipalTag/team, 'team'}",
        "${*}",
        "${?}",
        "${$}",
        "${aws:TagKeys}",
        "${aws:username",
        "${}",
        "${aws:userid}",
        "$",
    ])
}

fn set(fields: &mut [String], at: usize, value: &str) {
    if let Some(field) = fields.get_mut(at) {
        value.clone_into(field);
    }
}

fn other_resource(random: &mut Random, scene: &Scene, aim: Aim) -> String {
    if aim.irregular && random.chance(40) {
        return match random.below(10) {
            0 => "bucket/*".to_owned(),
            1 => "**".to_owned(),
            2 => "?".to_owned(),
            3 => "arn".to_owned(),
            4 => String::new(),
            5 => "a*".to_owned(),
            6 => scene.resource.replacen("arn:aws:", "arn:*:", 1),
            7 => "arn:aws:*".to_owned(),
            8 => "arn:*".to_owned(),
            _ => format!("{}:*", scene.resource),
        };
    }
    let account = random.pick(&[HOME, AWAY, THIRD]);
    match random.below(7) {
        0 => "arn:aws:s3:::elsewhere/*".to_owned(),
        1 => format!("arn:aws:sqs:*:{account}:nothing-*"),
        2 => scene.resource.to_uppercase(),
        3 => format!("{}-not", scene.resource),
        4 => format!("arn:aws:iam::{account}:user/${{aws:username}}-x"),
        5 => "arn:aws:s3:::bucket".to_owned(),
        _ => format!("arn:aws:dynamodb:us-east-1:{account}:table/test-?"),
    }
}

/// `Principal` or `NotPrincipal` with its value. A `hit` is of a random grade.
pub(super) fn principal(
    random: &mut Random,
    scene: &Scene,
    aim: Aim,
    negated: bool,
) -> (&'static str, Value) {
    let name = if negated { "NotPrincipal" } else { "Principal" };
    if empty(random, aim) {
        return (name, json!({"AWS": []}));
    }
    let mut types: Map<String, Value> = Map::new();
    let add = |types: &mut Map<String, Value>, kind: &str, text: String| {
        let list = types.entry(kind).or_insert_with(|| json!([]));
        if let Value::Array(items) = list {
            items.push(Value::from(text));
        }
    };
    for _ in 0..random.below(3).saturating_sub(1) {
        let (kind, text) = other_principal(random, scene, aim);
        add(&mut types, kind, text);
    }
    if aim.hit != negated {
        let (kind, text) = covering_principal(random, scene, aim);
        if kind == "*" && types.is_empty() {
            return (name, Value::from("*"));
        }
        add(&mut types, if kind == "*" { "AWS" } else { kind }, text);
    } else if types.is_empty() {
        let (kind, text) = other_principal(random, scene, aim);
        add(&mut types, kind, text);
    }
    for list in types.values_mut() {
        if let Value::Array(items) = list
            && items.len() == 1
            && random.chance(60)
        {
            *list = items.pop().unwrap_or_default();
        }
    }
    (name, Value::Object(types))
}

fn covering_principal(random: &mut Random, scene: &Scene, aim: Aim) -> (&'static str, String) {
    use CallerKind as K;
    let caller = &scene.caller;
    let (partition, arn) = (caller.partition, caller.principal.clone().unwrap_or_default());
    match random.below(10) {
        0 => return ("*", "*".to_owned()),
        1 => return ("AWS", "*".to_owned()),
        2 | 3 => {
            if let Some(account) = caller.account {
                let root = format!("arn:{partition}:iam::{account}:root");
                return ("AWS", if random.chance(50) { account.to_owned() } else { root });
            }
        }
        4 if aim.irregular && caller.has_identity() => {
            let cut = random.below(arn.len() + 1);
            return ("AWS", format!("{}*", arn.get(..cut).unwrap_or_default()));
        }
        5 if aim.irregular => {
            let kind = random.pick(&["Service", "Federated"]);
            return (
                kind,
                random
                    .pick(&[
                        "*",
                        "*.amazonaws.com",
                        "s?.amazonaws.com",
                        "arn:aws:iam::111122223333:*",
                        "arn:aws:iam::111122223333:saml-provider/C*p",
                    ])
                    .to_owned(),
            );
        }
        _ => {}
    }
    match caller.kind {
        K::Service => ("Service", arn),
        K::Provider => ("Federated", arn),
        K::Anonymous => ("*", "*".to_owned()),
        _ => match random.below(10) {
            0 if aim.profile == Profile::Whole && !caller.id.is_empty() => {
                ("AWS", caller.id.to_owned())
            }
            1..5 => ("AWS", caller.parent.clone().unwrap_or(arn)),
            _ => ("AWS", arn),
        },
    }
}

fn other_principal(random: &mut Random, scene: &Scene, aim: Aim) -> (&'static str, String) {
    let account = random.pick(&[HOME, AWAY, THIRD]);
    let (user, user_id) = random.pick(&USERS);
    let (role, role_id) = random.pick(&ROLES);
    let whole = aim.profile == Profile::Whole;
    match random.below(12) {
        0 | 1 => ("AWS", format!("arn:aws:iam::{account}:user/{user}")),
        2 | 3 => ("AWS", format!("arn:aws:iam::{account}:role/{role}")),
        4 => (
            "AWS",
            format!(
                "arn:aws:sts::{account}:assumed-role/{}/s1",
                role.rsplit('/').next().unwrap_or(role)
            ),
        ),
        5 => ("AWS", THIRD.to_owned()),
        6 => ("Service", random.pick(&SERVICES).to_owned()),
        7 if whole => ("Federated", random.pick(&PROVIDERS).to_owned()),
        8 if whole => ("AWS", random.pick(&[user_id, role_id, "AROADEADDDDDDDDDDDDDD"]).to_owned()),
        9 if whole => (
            "CanonicalUser",
            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be".to_owned(),
        ),
        10 if aim.irregular => {
            let odd = random.pick(&[
                "arn:aws:iam::111122223333:role/",
                "alice",
                "",
                "arn:aws:iam::111122223333:group/g",
                "1111",
                "arn:aws-cn:iam::111122223333:root",
                "arn:aws:iam::*:root",
                "?",
            ]);
            ("AWS", odd.to_owned())
        }
        _ => ("AWS", format!("arn:{}:sts::{account}:federated-user/frida", scene.caller.partition)),
    }
}

/// Now and then an element has no entry at all (RES-10).
fn empty(random: &mut Random, aim: Aim) -> bool {
    aim.irregular && random.chance(3)
}

/// A list in some order; one entry stands alone as often as not (ST-3).
pub(super) fn listed(random: &mut Random, mut entries: Vec<String>) -> Value {
    if entries.len() == 1 && random.chance(60) {
        return Value::from(entries.pop().unwrap_or_default());
    }
    if entries.len() > 1 && random.chance(50) {
        entries.reverse();
    }
    Value::from(entries)
}
