//! A request for any operation, made from its description, that succeeds in a furnished account.

use bailiwick_wire::schema::{Kind, Member, Operation, Sensitivity, Structure, Type};
use bailiwick_wire::{Secret, Value};

use crate::certificates::{CHAIN, LEAF, LEAF_KEY, RSA_KEY, SIGNING, SSH, saml_metadata};
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
        Kind::Map(_) => {
            let (key, value) = text_or_panic().split_once('=').expect("a plausible pair");
            Value::Map([(key.to_owned(), Value::String(value.to_owned()))].into())
        }
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
        ("GetFederationToken", "Name") => "Fred".into(),
        ("GetWebIdentityToken", "SigningAlgorithm") => "ES384".into(),
        ("GetWebIdentityToken", "Audience") => "https://outside.example.com".into(),
        ("AssumeRoot", "TargetPrincipal") => set.account.clone(),
        ("AssumeRoot", "arn") => {
            "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials".into()
        }
        ("ChangePassword", "OldPassword") => PASSWORD.into(),
        ("UpdateUser", "NewPath") => "/moved/".into(),
        ("UploadServerCertificate", "ServerCertificateName") => set.name("NewCert"),
        ("UploadServerCertificate", "CertificateBody") => LEAF.into(),
        ("EnableMFADevice" | "DeleteVirtualMFADevice", "SerialNumber") => set.arn("mfa", "Drawer"),
        ("EnableMFADevice", "AuthenticationCode1") => set.loose_codes[0].clone(),
        ("EnableMFADevice", "AuthenticationCode2") => set.loose_codes[1].clone(),
        ("CreateOpenIDConnectProvider", "Url") => {
            format!("https://{}", set.name("issuer.example.com/New"))
        }
        ("CreateSAMLProvider", "Name") => set.name("NewCorp"),
        ("DeleteServiceLinkedRole", "RoleName") => set.linked_role(),
        ("ListPoliciesGrantingServiceAccess" | "GenerateServiceLastAccessedDetails", "Arn") => {
            set.arn("user", "Ann")
        }
        ("CheckAccessNotGranted", "actions") => "s3:GetObject".into(),
        ("CheckAccessNotGranted", "resources") => "*".into(),
        ("CheckAccessNotGranted", "access") => String::new(),
        ("CheckNoPublicAccess", "policyDocument") => closed_bucket(&set.account),
        ("CheckNoPublicAccess", "resourceType") => "AWS::S3::Bucket".into(),
        // No session policies, no second factor, and no filters.
        ("AssumeRole" | "GetFederationToken", "PolicyArns")
        | ("AssumeRole" | "GetSessionToken", "SerialNumber")
        | ("ListEvents", _) => return None,
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
        "PolicyDocument" | "policyDocument" | "existingPolicyDocument" | "newPolicyDocument" => {
            allow(&["s3:DeleteObject"])
        }
        "policyType" => "IDENTITY_POLICY".into(),
        "AssumeRolePolicyDocument" => trust(&set.account),
        "Path" | "PathPrefix" => "/team/".into(),
        "NewUserName" => set.name("Renamed"),
        "NewGroupName" => set.name("RenamedCrew"),
        "Description" => "words".into(),
        "AccessKeyId" => set.key.clone(),
        "SSHPublicKeyId" => set.ssh_key.clone(),
        "SSHPublicKeyBody" => SSH[1].into(),
        "Encoding" => "PEM".into(),
        "CertificateId" => set.signing_certificate.clone(),
        "CertificateBody" => SIGNING[2].into(),
        "CertificateChain" => CHAIN.into(),
        "PrivateKey" => LEAF_KEY.into(),
        "ServerCertificateName" => set.name("Cert"),
        "NewServerCertificateName" => set.name("RenamedCert"),
        "ServiceName" => "codecommit.amazonaws.com".into(),
        "ServiceSpecificCredentialId" => set.service_credential.clone(),
        "ServiceUserName" => set.service_sign_in.0.clone(),
        "ServicePassword" => set.service_sign_in.1.clone(),
        "OpenIDConnectProviderArn" => set.oidc_provider(),
        "ClientID" | "ClientIDList" => "another-app".into(),
        "ThumbprintList" => "f".repeat(40),
        "SAMLProviderArn" => set.saml_provider(),
        "SAMLMetadataDocument" => saml_metadata("https://new.example.com"),
        "AddPrivateKey" => RSA_KEY.into(),
        "AWSServiceName" => "autoscaling.amazonaws.com".into(),
        "CustomSuffix" => set.name("New"),
        "DeletionTaskId" => set.deletion_task.clone(),
        "GlobalEndpointTokenVersion" => "v2Token".into(),
        "Properties" => "RoleManager/Mode=on".into(),
        "JobId" => set.access_report.clone(),
        "ServiceNamespaces" | "ServiceNamespace" => "s3".into(),
        "VirtualMFADeviceName" => set.name("NewPhone"),
        "SerialNumber" => set.arn("mfa", "Phone"),
        "AuthenticationCode1" => set.held_codes[0].clone(),
        "AuthenticationCode2" => set.held_codes[1].clone(),
        "Status" => "Inactive".into(),
        "AccountAlias" => format!("alias-{}", set.name("of").to_lowercase()),
        "Password" | "NewPassword" => "Second-Horse-7x".into(),
        // A list of one tag; its members are looked up by their own names.
        "Tags" | "Key" => "stage".into(),
        "Value" => "test".into(),
        "TagKeys" => "team".into(),
        "RoleSessionName" => "a-session".into(),
        "SourceIdentity" => "a-source".into(),
        "MFADeviceName" => "Key".into(),
        "Credential" => set.passkey.clone(),
        "DecisionId" | "EncodedMessage" => set.decision.clone(),
        "PolicySourceArn" => set.arn("user", "Ann"),
        "PolicyInputList" => allow(&["s3:GetObject"]),
        "ActionNames" => "s3:GetObject".into(),
        _ => return None,
    })
}

/// A bucket's policy that lets in one account.
fn closed_bucket(account: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{account}"}},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}}}"#
    )
}
