//! A request for any operation, made from its description, that succeeds in a furnished account.

use bailiwick_wire::schema::{Kind, Member, Operation, Sensitivity, Structure, Type};
use bailiwick_wire::{Secret, Value};

use crate::furniture::{Furniture, PASSWORD, allow, trust};

/// A request for `operation` about the entities of a furnished set. Optional members are given when
/// they name a target or a condition key.
///
/// Panics at a required member that has no plausible value yet: whoever adds an operation adds it.
pub fn plausible(operation: &Operation, set: &Furniture) -> Value {
    let input = operation.input;
    input.map_or(Value::Struct(Vec::new()), |input| structure(operation, input, set))
}

fn structure(operation: &Operation, structure: &Structure, set: &Furniture) -> Value {
    let slot = |member: &Member| {
        let text = text(operation.name, member.wire, set);
        if text.is_none() && !member.required {
            return None;
        }
        Some(value(operation, member, member.shape, text.as_deref(), set))
    };
    Value::Struct(structure.members.iter().map(slot).collect())
}

fn value(
    operation: &Operation,
    member: &Member,
    shape: &Type,
    text: Option<&str>,
    set: &Furniture,
) -> Value {
    let text_or_panic =
        || text.unwrap_or_else(|| panic!("no plausible `{}` for {}", member.wire, operation.name));
    match shape.kind {
        Kind::String(_) if shape.sensitivity == Sensitivity::Secret => {
            Value::Secret(Secret::from(text_or_panic()))
        }
        Kind::String(_) => Value::String(text_or_panic().to_owned()),
        Kind::List(list) => Value::List(vec![value(operation, member, list.shape, text, set)]),
        Kind::Structure(inner) => structure(operation, inner, set),
        Kind::Integer | Kind::Long => {
            Value::Integer(text_or_panic().parse().expect("a plausible number"))
        }
        Kind::Boolean => Value::Bool(text == Some("true")),
        _ => panic!("no plausible `{}` for {}", member.wire, operation.name),
    }
}

/// The value of a member as text; `None` leaves an optional member out.
fn text(operation: &str, member: &str, set: &Furniture) -> Option<String> {
    let special = match (operation, member) {
        ("CreateUser", "UserName") => set.name("NewUser"),
        (
            "DeleteUser" | "CreateLoginProfile" | "CreateAccessKey" | "AddUserToGroup",
            "UserName",
        ) => set.name("Spare"),
        ("CreateGroup", "GroupName") => set.name("NewCrew"),
        ("DeleteGroup", "GroupName") => set.name("Empty"),
        ("CreateRole", "RoleName") => set.name("NewRole"),
        ("DeleteRole", "RoleName") => set.name("Idle"),
        ("CreateInstanceProfile", "InstanceProfileName") => set.name("NewProfile"),
        ("DeleteInstanceProfile" | "AddRoleToInstanceProfile", "InstanceProfileName") => {
            set.name("Hollow")
        }
        ("CreatePolicy", "PolicyName") => set.name("NewPolicy"),
        ("PutUserPolicy" | "PutGroupPolicy" | "PutRolePolicy", "PolicyName") => "Fresh".into(),
        (
            "AttachUserPolicy" | "AttachGroupPolicy" | "AttachRolePolicy" | "DeletePolicy",
            "PolicyArn",
        ) => set.arn("policy", "Loose"),
        ("GetPolicyVersion", "VersionId") => "v1".into(),
        ("UpdateAssumeRolePolicy", "PolicyDocument") => trust(&set.account),
        ("DeleteAccountAlias", "AccountAlias") => "home-alias".into(),
        ("AssumeRole", "TransitiveTagKeys") => "stage".into(),
        ("ChangePassword", "OldPassword") => PASSWORD.into(),
        ("UpdateUser", "NewPath") => "/moved/".into(),
        // No session policies, and no filters.
        ("AssumeRole", "PolicyArns") | ("ListEvents", _) => return None,
        _ => return general(member, set),
    };
    Some(special)
}

/// What a member of this name usually holds.
fn general(member: &str, set: &Furniture) -> Option<String> {
    Some(match member {
        "UserName" => set.name("Ann"),
        "GroupName" => set.name("Crew"),
        "RoleName" => set.name("Worker"),
        "InstanceProfileName" => set.name("Full"),
        "PolicyName" => "Inline".into(),
        "PolicyArn" => set.arn("policy", "Held"),
        "RoleArn" => set.arn("role", "Worker"),
        "PermissionsBoundary" => set.arn("policy", "Loose"),
        "VersionId" => "v2".into(),
        "PolicyDocument" => allow(&["s3:DeleteObject"]),
        "AssumeRolePolicyDocument" => trust(&set.account),
        "Path" | "PathPrefix" => "/team/".into(),
        "NewUserName" => set.name("Renamed"),
        "NewGroupName" => set.name("RenamedCrew"),
        "Description" => "words".into(),
        "AccessKeyId" => set.key.clone(),
        "Status" => "Inactive".into(),
        "AccountAlias" => format!("alias-{}", set.name("of").to_lowercase()),
        "Password" | "NewPassword" => "Second-Horse-7x".into(),
        // A list of one tag; its members are looked up by their own names.
        "Tags" | "Key" => "stage".into(),
        "Value" => "test".into(),
        "TagKeys" => "team".into(),
        "RoleSessionName" => "a-session".into(),
        "SourceIdentity" => "a-source".into(),
        "DecisionId" | "EncodedMessage" => set.decision.clone(),
        "PolicySourceArn" => set.arn("user", "Ann"),
        "PolicyInputList" => allow(&["s3:GetObject"]),
        "ActionNames" => "s3:GetObject".into(),
        _ => return None,
    })
}
