"""What holds of every operation: without permission it is refused, with only its own it is not, and
each attempt leaves one event. The list of operations is what the server says it has built.
"""

import json
import re

import boto3
import botocore.exceptions
import pytest
import signing
from conftest import ROOT, allow, refused, text_of, trust

ARN = "arn:aws:iam::123456789012:policy/no-such-policy"
GHOST = "arn:aws:iam::123456789012:user/ghost"
TEXT = json.dumps(allow("s3:GetObject"))
TAGS = [{"Key": "a", "Value": "b"}]
TRUST = json.dumps(trust({"Service": "ec2.amazonaws.com"}))

USER, GROUP, ROLE = {"UserName": "ghost"}, {"GroupName": "ghost"}, {"RoleName": "ghost"}
PROFILE, POLICY = {"InstanceProfileName": "ghost"}, {"PolicyArn": ARN}
SSH = USER | {"SSHPublicKeyId": "APKAIOSFODNN7EXAMPLE"}
SIGNING = USER | {"CertificateId": "TA7SMP42TDN5Z26OBPJE7EXAMPLE"}
SERVER = {"ServerCertificateName": "ghost"}
SERVICE = USER | {"ServiceSpecificCredentialId": "ACCAIOSFODNN7EXAMPLE"}
CERTIFICATE, CERTIFICATE_KEY = (
    (ROOT / "crates/testkit/src/certificates" / name).read_text() for name in ("leaf.pem", "leaf-key.pem"))
OIDC = {"OpenIDConnectProviderArn": "arn:aws:iam::123456789012:oidc-provider/ghost.example.com"}
SAML = {"SAMLProviderArn": "arn:aws:iam::123456789012:saml-provider/ghost"}
DEVICE = {"SerialNumber": "arn:aws:iam::123456789012:mfa/ghost"}
CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "789012"}
JOB = {"JobId": "00000000-0000-4000-8000-000000000000"}
VERSION, KEY = {"VersionId": "v1"}, {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}

IAM = {
    "CreateUser": {"UserName": "never-made"},
    "GetUser": USER,
    "ListUsers": {},
    "UpdateUser": USER | {"NewPath": "/x/"},
    "DeleteUser": USER,
    "TagUser": USER | {"Tags": TAGS},
    "UntagUser": USER | {"TagKeys": ["a"]},
    "ListUserTags": USER,
    "CreateAccessKey": USER,
    "ListAccessKeys": USER,
    "UpdateAccessKey": USER | KEY | {"Status": "Active"},
    "DeleteAccessKey": USER | KEY,
    "GetAccessKeyLastUsed": KEY,
    "CreateLoginProfile": USER | {"Password": "Correct-horse-1"},
    "GetLoginProfile": USER,
    "UpdateLoginProfile": USER | {"Password": "Correct-horse-1"},
    "DeleteLoginProfile": USER,
    "ChangePassword": {"OldPassword": "Correct-horse-1", "NewPassword": "Correct-horse-2"},
    "UploadSSHPublicKey": USER | {"SSHPublicKeyBody": "ssh-rsa AAAA"},
    "GetSSHPublicKey": SSH | {"Encoding": "PEM"},
    "ListSSHPublicKeys": USER,
    "UpdateSSHPublicKey": SSH | {"Status": "Active"},
    "DeleteSSHPublicKey": SSH,
    "UploadSigningCertificate": USER | {"CertificateBody": CERTIFICATE},
    "ListSigningCertificates": USER,
    "UpdateSigningCertificate": SIGNING | {"Status": "Active"},
    "DeleteSigningCertificate": SIGNING,
    "UploadServerCertificate": {
        "ServerCertificateName": "never-made", "CertificateBody": CERTIFICATE, "PrivateKey": CERTIFICATE_KEY},
    "GetServerCertificate": SERVER,
    "ListServerCertificates": {},
    "UpdateServerCertificate": SERVER | {"NewPath": "/x/"},
    "DeleteServerCertificate": SERVER,
    "TagServerCertificate": SERVER | {"Tags": TAGS},
    "UntagServerCertificate": SERVER | {"TagKeys": ["a"]},
    "ListServerCertificateTags": SERVER,
    "CreateServiceSpecificCredential": USER | {"ServiceName": "codecommit.amazonaws.com"},
    "ListServiceSpecificCredentials": USER,
    "ResetServiceSpecificCredential": SERVICE,
    "UpdateServiceSpecificCredential": SERVICE | {"Status": "Active"},
    "DeleteServiceSpecificCredential": SERVICE,
    "CreateOpenIDConnectProvider": {"Url": "https://never-made.example.com"},
    "GetOpenIDConnectProvider": OIDC,
    "ListOpenIDConnectProviders": {},
    "DeleteOpenIDConnectProvider": OIDC,
    "AddClientIDToOpenIDConnectProvider": OIDC | {"ClientID": "x"},
    "RemoveClientIDFromOpenIDConnectProvider": OIDC | {"ClientID": "x"},
    "UpdateOpenIDConnectProviderThumbprint": OIDC | {"ThumbprintList": ["f" * 40]},
    "TagOpenIDConnectProvider": OIDC | {"Tags": TAGS},
    "UntagOpenIDConnectProvider": OIDC | {"TagKeys": ["a"]},
    "ListOpenIDConnectProviderTags": OIDC,
    "CreateSAMLProvider": {"Name": "never-made", "SAMLMetadataDocument": "<a/>" * 250},
    "GetSAMLProvider": SAML,
    "ListSAMLProviders": {},
    "UpdateSAMLProvider": SAML,
    "DeleteSAMLProvider": SAML,
    "TagSAMLProvider": SAML | {"Tags": TAGS},
    "UntagSAMLProvider": SAML | {"TagKeys": ["a"]},
    "ListSAMLProviderTags": SAML,
    "CreateServiceLinkedRole": {"AWSServiceName": "never-made.amazonaws.com"},
    "DeleteServiceLinkedRole": ROLE,
    "GetServiceLinkedRoleDeletionStatus": {"DeletionTaskId": "task/aws-service-role/a.amazonaws.com/ghost/1"},
    "SetSecurityTokenServicePreferences": {"GlobalEndpointTokenVersion": "v1Token"},
    "GetAccountProperties": {},
    "PutAccountProperties": {"Properties": {"Never/Made": "x"}},
    "EnableOutboundWebIdentityFederation": {},
    "GetOutboundWebIdentityFederationInfo": {},
    "DisableOutboundWebIdentityFederation": {},
    "ListPoliciesGrantingServiceAccess": {"Arn": GHOST, "ServiceNamespaces": ["s3"]},
    "GenerateServiceLastAccessedDetails": {"Arn": GHOST},
    "GetServiceLastAccessedDetails": JOB,
    "GetServiceLastAccessedDetailsWithEntities": JOB | {"ServiceNamespace": "s3"},
    "EnableOrganizationsRootCredentialsManagement": {},
    "DisableOrganizationsRootCredentialsManagement": {},
    "EnableOrganizationsRootSessions": {},
    "DisableOrganizationsRootSessions": {},
    "ListOrganizationsFeatures": {},
    "CreateVirtualMFADevice": {"VirtualMFADeviceName": "never-made"},
    "ListVirtualMFADevices": {},
    "DeleteVirtualMFADevice": DEVICE,
    "TagMFADevice": DEVICE | {"Tags": TAGS},
    "UntagMFADevice": DEVICE | {"TagKeys": ["a"]},
    "ListMFADeviceTags": DEVICE,
    "EnableMFADevice": USER | DEVICE | CODES,
    "ResyncMFADevice": USER | DEVICE | CODES,
    "DeactivateMFADevice": USER | DEVICE,
    "ListMFADevices": USER,
    "GetMFADevice": USER | DEVICE,
    "CreateGroup": {"GroupName": "never-made"},
    "GetGroup": GROUP,
    "ListGroups": {},
    "ListGroupsForUser": USER,
    "UpdateGroup": GROUP | {"NewPath": "/x/"},
    "DeleteGroup": GROUP,
    "AddUserToGroup": GROUP | USER,
    "RemoveUserFromGroup": GROUP | USER,
    "CreateRole": {"RoleName": "never-made", "AssumeRolePolicyDocument": TRUST},
    "GetRole": ROLE,
    "ListRoles": {},
    "UpdateRole": ROLE | {"Description": "x"},
    "UpdateRoleDescription": ROLE | {"Description": "x"},
    "UpdateAssumeRolePolicy": ROLE | {"PolicyDocument": TRUST},
    "DeleteRole": ROLE,
    "TagRole": ROLE | {"Tags": TAGS},
    "UntagRole": ROLE | {"TagKeys": ["a"]},
    "ListRoleTags": ROLE,
    "CreateInstanceProfile": {"InstanceProfileName": "never-made"},
    "GetInstanceProfile": PROFILE,
    "ListInstanceProfiles": {},
    "ListInstanceProfilesForRole": ROLE,
    "AddRoleToInstanceProfile": PROFILE | ROLE,
    "RemoveRoleFromInstanceProfile": PROFILE | ROLE,
    "DeleteInstanceProfile": PROFILE,
    "TagInstanceProfile": PROFILE | {"Tags": TAGS},
    "UntagInstanceProfile": PROFILE | {"TagKeys": ["a"]},
    "ListInstanceProfileTags": PROFILE,
    "CreatePolicy": {"PolicyName": "never-made", "PolicyDocument": TEXT},
    "GetPolicy": POLICY,
    "ListPolicies": {},
    "DeletePolicy": POLICY,
    "ListEntitiesForPolicy": POLICY,
    "TagPolicy": POLICY | {"Tags": TAGS},
    "UntagPolicy": POLICY | {"TagKeys": ["a"]},
    "ListPolicyTags": POLICY,
    "CreatePolicyVersion": POLICY | {"PolicyDocument": TEXT},
    "GetPolicyVersion": POLICY | VERSION,
    "ListPolicyVersions": POLICY,
    "SetDefaultPolicyVersion": POLICY | VERSION,
    "DeletePolicyVersion": POLICY | VERSION,
    "PutUserPermissionsBoundary": USER | {"PermissionsBoundary": ARN},
    "DeleteUserPermissionsBoundary": USER,
    "PutRolePermissionsBoundary": ROLE | {"PermissionsBoundary": ARN},
    "DeleteRolePermissionsBoundary": ROLE,
    "CreateAccountAlias": {"AccountAlias": "never-made"},
    "ListAccountAliases": {},
    "DeleteAccountAlias": {"AccountAlias": "never-made"},
    "UpdateAccountPasswordPolicy": {},
    "GetAccountPasswordPolicy": {},
    "DeleteAccountPasswordPolicy": {},
    "GenerateCredentialReport": {},
    "GetCredentialReport": {},
    "GetAccountSummary": {},
    "GetAccountAuthorizationDetails": {},
    "SimulateCustomPolicy": {"PolicyInputList": [TEXT], "ActionNames": ["s3:GetObject"]},
    "SimulatePrincipalPolicy": {"PolicySourceArn": GHOST, "ActionNames": ["s3:GetObject"]},
    "GetContextKeysForCustomPolicy": {"PolicyInputList": [TEXT]},
    "GetContextKeysForPrincipalPolicy": {"PolicySourceArn": GHOST},
}
for kind, named in (("User", USER), ("Group", GROUP), ("Role", ROLE)):
    IAM |= {
        f"Attach{kind}Policy": named | POLICY,
        f"Detach{kind}Policy": named | POLICY,
        f"ListAttached{kind}Policies": named,
        f"Put{kind}Policy": named | {"PolicyName": "p", "PolicyDocument": TEXT},
        f"Get{kind}Policy": named | {"PolicyName": "p"},
        f"List{kind}Policies": named,
        f"Delete{kind}Policy": named | {"PolicyName": "p"},
    }
STS = {
    "AssumeRole": {"RoleArn": "arn:aws:iam::123456789012:role/ghost", "RoleSessionName": "ghost"},
    "GetAccessKeyInfo": KEY,
    "GetFederationToken": {"Name": "ghost"},
    "GetWebIdentityToken": {"Audience": ["https://ghost.example.com"], "SigningAlgorithm": "ES384"},
    "AssumeRoot": {
        "TargetPrincipal": "123456789012",
        "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}},
    "DecodeAuthorizationMessage": {"EncodedMessage": "d-" + "0" * 32},
    # These two need no permission.
    "GetCallerIdentity": {},
    "GetSessionToken": {},
}
IDENTITY = {"policyType": "IDENTITY_POLICY"}
ANALYZER = {
    "ValidatePolicy": IDENTITY | {"policyDocument": TEXT},
    "CheckNoNewAccess": IDENTITY | {"existingPolicyDocument": TEXT, "newPolicyDocument": TEXT},
    "CheckAccessNotGranted": IDENTITY | {"policyDocument": TEXT, "access": [{"actions": ["s3:PutObject"]}]},
    "CheckNoPublicAccess": {"policyDocument": TRUST, "resourceType": "AWS::IAM::AssumeRolePolicyDocument"},
}
FREE = {"GetCallerIdentity", "GetSessionToken"}
TABLES = {"iam": IAM, "sts": STS, "accessanalyzer": ANALYZER}
EVERY = [(service, name) for service, table in TABLES.items() for name in table]
# What actions begin with, where it is not the name of the service.
PREFIXES = {"accessanalyzer": "access-analyzer"}
# What comes of a call that is allowed, on things that are not there.
ABSENT = {"NoSuchEntity", "ReportNotPresent", "InvalidAuthorizationMessageException", "OrganizationNotFoundException",
          "OutboundWebIdentityFederationDisabledException"}
# What is wrong with these is told only to callers who may make the call.
BAD = {"CreateSAMLProvider", "CreateServiceLinkedRole"}


def call(principal, service, operation):
    """Calls an operation with its parameters above."""
    client = principal.client(service)
    names = {wire: method for method, wire in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[operation])(**TABLES[service][operation])


def least(shape):
    """The least that fits a shape of botocore's model."""
    if shape.type_name == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [least(shape.member) for _ in range(shape.metadata.get("min", 0))]
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "a" * max(shape.metadata.get("min", 1), 1)
    return {"integer": max(shape.metadata.get("min", 1), 1), "boolean": False, "timestamp": 0, "map": {}}.get(shape.type_name, "")


@pytest.mark.parametrize("service, table", TABLES.items())
def test_the_list_is_whole(world, service, table):
    """Asks the server for every other operation that botocore knows: each is named in a clear 400."""
    model = boto3.client(service, region_name="us-east-1").meta.service_model
    assert set(table) <= set(model.operation_names)
    names = {wire: method for method, wire in world.admin.client(service).meta.method_to_api_mapping.items()}
    told = 0
    for operation in set(model.operation_names) - set(table):
        shape = model.operation_model(operation).input_shape
        with pytest.raises(botocore.exceptions.ClientError) as error:
            getattr(world.admin.client(service), names[operation])(**(least(shape) if shape else {}))
        code = error.value.response["Error"]["Code"]
        # Some values do not fit a pattern, which is told first.
        # What may be called unsigned goes out unsigned, and is told the same.
        unsigned = model.operation_model(operation).auth_type == "none"
        invalid = "ValidationException" if service == "accessanalyzer" else "ValidationError"
        assert code in ({"NotImplemented"} if unsigned else {"NotImplemented", invalid}), (
            operation, error.value)
        if code == "NotImplemented":
            told += 1
            assert operation in text_of(error)
    assert told > (0 if service == "sts" else 5)


@pytest.fixture(scope="module")
def nobody(session_worlds):
    """A user without any permission."""
    return session_worlds["123456789012"].user(name="nobody-without-rights")


@pytest.mark.parametrize("service, operation", [pair for pair in EVERY if pair[1] not in FREE])
def test_tm_c01_refused_without_permission(world, nobody, service, operation):
    prefix = PREFIXES.get(service, service)
    with refused("AccessDenied" if prefix == service else "AccessDeniedException", 403, re.compile(
        rf"^User: {nobody.arn} is not authorized to perform: {prefix}:{operation} on resource: "
    )) as error:
        call(nobody, service, operation)
    request_id = error.value.response["ResponseMetadata"]["RequestId"]
    event = world.event_of(request_id)
    assert event["errorCode"] == "AccessDenied" and event["userIdentity"]["userName"] == nobody.name
    assert event.get("responseElements") is None


@pytest.mark.parametrize("service, operation", EVERY)
def test_tm_c01_only_its_own_action_lets_it_through(world, service, operation):
    alone = world.user(allow(f"{PREFIXES.get(service, service)}:{operation}", "iam:PassRole"))
    try:
        call(alone, service, operation)
    except Exception as error:
        code = error.response["Error"]["Code"]
        # These deny what is not there, so as not to tell what is; and nobody manages an organization.
        hidden = operation in ("AssumeRole", "AssumeRoot", "GetAccessKeyLastUsed")
        expected = ABSENT | ({"AccessDenied"} if hidden else set()) | ({"InvalidInput"} if operation in BAD else set())
        assert code in expected, error.response
    made = {"CreateUser": "delete_user", "CreateGroup": "delete_group", "CreateRole": "delete_role",
            "CreateInstanceProfile": "delete_instance_profile",
            "UploadServerCertificate": "delete_server_certificate"}.get(operation)
    if made:
        getattr(world.iam, made)(**{name: "never-made" for name in IAM[operation] if name.endswith("Name")})
    if operation == "CreatePolicy":
        world.iam.delete_policy(PolicyArn=world.arn("policy/never-made"))
    if operation == "CreateOpenIDConnectProvider":
        world.iam.delete_open_id_connect_provider(
            OpenIDConnectProviderArn=world.arn("oidc-provider/never-made.example.com"))
    if operation == "CreateAccountAlias":
        world.iam.delete_account_alias(AccountAlias="never-made")


@pytest.mark.parametrize("service, operation", EVERY)
def test_tm_a14_no_operation_goes_unsigned(world, service, operation):
    code = "MissingAuthenticationToken"
    if service in PREFIXES:
        http = boto3.client(service, region_name="us-east-1").meta.service_model.operation_model(operation).http
        request = signing.Request(http["method"], http["requestUri"], headers={"content-type": "application/json"})
        code += "Exception"
    else:
        request = signing.Request.query_call(service, operation, {"UserName": "admin"})
    answer = world.admin.wire.send(request)
    assert (answer.status, answer.code) == (403, code), answer.text
    assert answer.message == "Request is missing Authentication Token"
    event = world.event_of(answer.request_id)
    assert (event["eventName"], event["errorCode"]) == (operation, code)


def test_nothing_was_changed_by_refusals(world):
    for name, get in (("never-made", world.iam.get_user),):
        with refused("NoSuchEntity", 404):
            get(UserName=name)
    with refused("NoSuchEntity", 404):
        world.iam.get_role(RoleName="never-made")
    with refused("NoSuchEntity", 404):
        world.iam.get_group(GroupName="never-made")
