"""OIDC and SAML providers, service-linked roles, and settings of the account, through boto3."""

import concurrent.futures
import datetime
import json
import re

import pytest
import process
from conftest import ACCOUNT, ROOT, allow, document, refused, trust
from signing import Wire

CERTIFICATES = ROOT / "crates/testkit/src/certificates"
THUMBPRINT = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"


def metadata(entity_id="https://idp.example.com", until='validUntil="2099-01-02T03:04:05Z"', use="signing"):
    """SAML metadata of an identity provider."""
    lines = (CERTIFICATES / "rsa.pem").read_text().splitlines()
    certificate = "\n".join(line for line in lines if "-" not in line)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}" {until}>
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="{use}">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>
{certificate}
      </ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{entity_id}/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"""


def host(world):
    """A host name that nothing has."""
    return f"{world.name('idp')}.example.com"


# OpenID Connect.


def test_an_oidc_provider_as_terraform_makes_it(world):
    """Create, read back equal, a second plan is empty, change, delete."""
    iam, name = world.iam, host(world)
    url, tags = f"https://{name}/id/A1", [{"Key": "a", "Value": "b"}]
    made = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[THUMBPRINT], Tags=tags)
    arn = made["OpenIDConnectProviderArn"]
    assert (arn, made["Tags"]) == (world.arn(f"oidc-provider/{name}/id/A1"), tags)
    for _ in range(2):
        got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        assert got["Url"] == f"{name}/id/A1"
        assert (got["ClientIDList"], got["ThumbprintList"], got["Tags"]) == (["sts.amazonaws.com"], [THUMBPRINT], tags)
        assert abs(datetime.datetime.now(datetime.UTC) - got["CreateDate"]) < datetime.timedelta(minutes=5)
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    with refused("EntityAlreadyExists", 409, f"Provider with url {url} already exists."):
        iam.create_open_id_connect_provider(Url=url)
    one = {"OpenIDConnectProviderArn": arn}
    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(ClientID="second", **one)
    for _ in range(2):
        iam.remove_client_id_from_open_id_connect_provider(ClientID="sts.amazonaws.com", **one)
    iam.update_open_id_connect_provider_thumbprint(ThumbprintList=["f" * 40, THUMBPRINT], **one)
    iam.tag_open_id_connect_provider(Tags=[{"Key": "a", "Value": "c"}, {"Key": "d", "Value": ""}], **one)
    iam.untag_open_id_connect_provider(TagKeys=["d", "B"], **one)
    got = iam.get_open_id_connect_provider(**one)
    assert (got["ClientIDList"], got["ThumbprintList"]) == (["second"], ["f" * 40, THUMBPRINT])
    assert iam.list_open_id_connect_provider_tags(**one)["Tags"] == [{"Key": "a", "Value": "c"}]
    for _ in range(2):
        iam.delete_open_id_connect_provider(**one)
    for call in (
        lambda: iam.get_open_id_connect_provider(**one),
        lambda: iam.add_client_id_to_open_id_connect_provider(ClientID="x", **one),
        lambda: iam.remove_client_id_from_open_id_connect_provider(ClientID="x", **one),
        lambda: iam.update_open_id_connect_provider_thumbprint(ThumbprintList=[], **one),
        lambda: iam.tag_open_id_connect_provider(Tags=tags, **one),
        lambda: iam.untag_open_id_connect_provider(TagKeys=["a"], **one),
        lambda: iam.list_open_id_connect_provider_tags(**one),
    ):
        with refused("NoSuchEntity", 404, f"OpenIDConnect Provider not found for arn {arn}"):
            call()


@pytest.mark.parametrize("parameters, code, message", [
    ({"Url": "example.com"}, "ValidationError", "Invalid Open ID Connect Provider URL"),
    ({"Url": "http://example.com"}, "InvalidInput", "must begin with https://"),
    ({"Url": "https://example.com?a=b"}, "InvalidInput", "query"),
    ({"Url": "https://example.com:8443"}, "InvalidInput", "port"),
    ({"Url": "https://" + "a" * 250}, "ValidationError", "length less than or equal to 255"),
    ({"ThumbprintList": ["a"]}, "ValidationError", "length greater than or equal to 40"),
    ({"ThumbprintList": ["z" * 40]}, "InvalidInput", "thumbprint"),
    ({"ThumbprintList": ["f" * 40] * 6}, "InvalidInput", "Thumbprint list must contain fewer than 5 entries."),
    ({"ClientIDList": [""]}, "ValidationError", "length greater than or equal to 1"),
    ({"Tags": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "c"}]}, "InvalidInput", "Duplicate tag keys"),
])
def test_oidc_providers_that_are_refused(world, parameters, code, message):
    with refused(code, 400, re.compile(re.escape(message))):
        world.iam.create_open_id_connect_provider(**({"Url": f"https://{host(world)}"} | parameters))


def test_more_client_ids_than_a_provider_may_have(world):
    url = f"https://{host(world)}"
    with refused("LimitExceeded", 409, "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"):
        world.iam.create_open_id_connect_provider(Url=url, ClientIDList=[f"c{n}" for n in range(101)])
    made = world.iam.create_open_id_connect_provider(Url=url, ClientIDList=[f"c{n}" for n in range(100)])
    one = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    assert len(world.iam.get_open_id_connect_provider(**one)["ClientIDList"]) == 100
    with refused("LimitExceeded", 409):
        world.iam.add_client_id_to_open_id_connect_provider(ClientID="one more", **one)
    world.iam.delete_open_id_connect_provider(**one)


def test_a_provider_is_made_once_by_many(world):
    """Of eight that try at once exactly one succeeds."""
    url = f"https://{host(world)}"

    def make(_):
        try:
            return world.iam.create_open_id_connect_provider(Url=url)["OpenIDConnectProviderArn"]
        except world.iam.exceptions.EntityAlreadyExistsException:
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = [arn for arn in pool.map(make, range(8)) if arn]
    assert len(made) == 1
    world.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=made[0])


def test_thumbprints_are_optional(world):
    made = world.iam.create_open_id_connect_provider(Url=f"https://{host(world)}")
    one = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    got = world.iam.get_open_id_connect_provider(**one)
    assert (got["ThumbprintList"], got["ClientIDList"]) == ([], [])
    world.iam.delete_open_id_connect_provider(**one)


# SAML.


def test_a_saml_provider_as_terraform_makes_it(world):
    iam, name, text = world.iam, world.name("Corp"), metadata()
    tags = [{"Key": "a", "Value": "b"}]
    made = iam.create_saml_provider(Name=name, SAMLMetadataDocument=text, Tags=tags)
    arn = made["SAMLProviderArn"]
    assert arn == world.arn(f"saml-provider/{name}")
    one = {"SAMLProviderArn": arn}
    for _ in range(2):
        got = iam.get_saml_provider(**one)
        assert (got["SAMLMetadataDocument"], got["Tags"]) == (text, tags)
        assert got["ValidUntil"] == datetime.datetime(2099, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
        assert re.fullmatch("SAMLSP[A-Z0-9]{16,58}", got["SAMLProviderUUID"])
        assert (got["AssertionEncryptionMode"], got["PrivateKeyList"]) == ("Allowed", [])
    listed = [held for held in iam.list_saml_providers()["SAMLProviderList"] if held["Arn"] == arn]
    assert listed[0]["ValidUntil"] == got["ValidUntil"] and listed[0]["CreateDate"] == got["CreateDate"]
    with refused("EntityAlreadyExists", 409, f"Provider with name {name.upper()} already exists."):
        iam.create_saml_provider(Name=name.upper(), SAMLMetadataDocument=text)
    other = metadata("https://other.example.com", until="")
    assert iam.update_saml_provider(SAMLMetadataDocument=other, **one)["SAMLProviderArn"] == arn
    changed = iam.get_saml_provider(**one)
    assert changed["SAMLMetadataDocument"] == other and changed["SAMLProviderUUID"] == got["SAMLProviderUUID"]
    assert changed["ValidUntil"].year == changed["CreateDate"].year + 100
    iam.tag_saml_provider(Tags=[{"Key": "c", "Value": "d"}], **one)
    iam.untag_saml_provider(TagKeys=["a"], **one)
    assert iam.list_saml_provider_tags(**one)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.delete_saml_provider(**one)
    for call in (
        lambda: iam.get_saml_provider(**one),
        lambda: iam.update_saml_provider(SAMLMetadataDocument=text, **one),
        lambda: iam.delete_saml_provider(**one),
        lambda: iam.tag_saml_provider(Tags=tags, **one),
        lambda: iam.untag_saml_provider(TagKeys=["a"], **one),
        lambda: iam.list_saml_provider_tags(**one),
    ):
        with refused("NoSuchEntity", 404, f"Manifest not found for arn {arn}"):
            call()


BOMB = ('<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)) + "]>")


@pytest.mark.parametrize("text", [
    "x" * 1000,
    metadata().replace("IDPSSODescriptor", "SPSSODescriptor"),
    metadata(use="encryption"),
    metadata().replace("entityID", "id"),
    metadata().replace("</md:EntityDescriptor>", ""),
    metadata(until='validUntil="tomorrow"'),
    metadata().replace("2.0:metadata", "1.0:metadata"),
    metadata().replace("<md:EntityDescriptor", BOMB + "<md:EntityDescriptor").replace("idp.example", "&j;"),
    metadata().replace(
        "<md:EntityDescriptor", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><md:EntityDescriptor'),
    metadata().replace("</md:EntityDescriptor>", "<a>" * 5000 + "</a>" * 5000 + "</md:EntityDescriptor>"),
    metadata().replace("MII", "AAA"),
])
def test_tm_g01_metadata_that_are_refused(world, text):
    name = world.name("bad")
    with refused("InvalidInput", 400, re.compile("^Could not parse metadata")):
        world.iam.create_saml_provider(Name=name, SAMLMetadataDocument=text)
    with refused("NoSuchEntity", 404):
        world.iam.get_saml_provider(SAMLProviderArn=world.arn(f"saml-provider/{name}"))


def test_metadata_that_are_too_short(world):
    with refused("ValidationError", 400, re.compile("length greater than or equal to 1000")):
        world.iam.create_saml_provider(Name="short", SAMLMetadataDocument="<a/>")


def test_large_metadata(world):
    """Larger than one record of the store, with characters outside ASCII."""
    words = "<!-- " + "é\"\n" * 50_000 + " -->"
    text = metadata().replace("</md:EntityDescriptor>", words + "</md:EntityDescriptor>")
    name = world.name("Large")
    arn = world.iam.create_saml_provider(Name=name, SAMLMetadataDocument=text)["SAMLProviderArn"]
    assert world.iam.get_saml_provider(SAMLProviderArn=arn)["SAMLMetadataDocument"] == text
    world.iam.delete_saml_provider(SAMLProviderArn=arn)


def test_tm_l01_keys_of_a_saml_provider(world):
    key = (CERTIFICATES / "rsa-key-pkcs8.pem").read_text()
    curve = (CERTIFICATES / "leaf-key.pem").read_text()
    iam, name = world.iam, world.name("Keyed")
    parameters = {"Name": name, "SAMLMetadataDocument": metadata(), "AssertionEncryptionMode": "Required"}
    with refused("InvalidInput", 400):
        iam.create_saml_provider(**parameters)
    with refused("InvalidInput", 400):
        iam.create_saml_provider(AddPrivateKey=curve, **parameters)
    made = iam.create_saml_provider(AddPrivateKey=key, **parameters)
    event = world.event_of(made["ResponseMetadata"]["RequestId"])
    assert "PRIVATE KEY" not in json.dumps(event)
    one = {"SAMLProviderArn": made["SAMLProviderArn"]}
    got = iam.get_saml_provider(**one)
    assert got["AssertionEncryptionMode"] == "Required"
    (held,) = got["PrivateKeyList"]
    assert re.fullmatch("[A-Z0-9]{22,64}", held["KeyId"]) and held["Timestamp"] == got["CreateDate"]
    iam.update_saml_provider(AddPrivateKey=key, **one)
    with refused("LimitExceeded", 409):
        iam.update_saml_provider(AddPrivateKey=key, **one)
    iam.update_saml_provider(RemovePrivateKey=held["KeyId"], **one)
    with refused("NoSuchEntity", 404):
        iam.update_saml_provider(RemovePrivateKey=held["KeyId"], **one)
    assert len(iam.get_saml_provider(**one)["PrivateKeyList"]) == 1
    iam.delete_saml_provider(**one)


def test_roles_that_trust_providers_stay(world):
    """A provider is deleted though a trust policy names it, as in AWS."""
    iam, name = world.iam, host(world)
    arn = iam.create_open_id_connect_provider(Url=f"https://{name}")["OpenIDConnectProviderArn"]
    policy = trust({"Federated": arn}, "sts:AssumeRoleWithWebIdentity", **{"StringEquals": {f"{name}:aud": "x"}})
    role = world.role(policy).rsplit("/", 1)[1]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == policy
    iam.delete_role(RoleName=role)


def test_providers_count_in_the_summary(world):
    before = world.iam.get_account_summary()["SummaryMap"]["Providers"]
    made = world.iam.create_open_id_connect_provider(Url=f"https://{host(world)}")
    one = {"SAMLProviderArn": world.iam.create_saml_provider(
        Name=world.name("Corp"), SAMLMetadataDocument=metadata())["SAMLProviderArn"]}
    assert world.iam.get_account_summary()["SummaryMap"]["Providers"] == before + 2
    world.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=made["OpenIDConnectProviderArn"])
    world.iam.delete_saml_provider(**one)


# Service-linked roles.


def test_a_service_linked_role_as_terraform_makes_it(world):
    iam, suffix = world.iam, world.name("s")
    name = f"AWSServiceRoleForAutoScaling_{suffix}"
    made = iam.create_service_linked_role(
        AWSServiceName="autoscaling.amazonaws.com", CustomSuffix=suffix, Description="for tests")["Role"]
    assert (made["RoleName"], made["Path"]) == (name, "/aws-service-role/autoscaling.amazonaws.com/")
    assert made["Arn"] == world.arn(f"role/aws-service-role/autoscaling.amazonaws.com/{name}")
    got = iam.get_role(RoleName=name)["Role"]
    assert got["Description"] == "for tests"
    assert got["AssumeRolePolicyDocument"] == trust({"Service": "autoscaling.amazonaws.com"})
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert attached == [{
        "PolicyName": "AutoScalingServiceRolePolicy",
        "PolicyArn": "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"}]
    with refused("InvalidInput", 400, (
        f"Service role name {name} has been taken in this account, please try a different suffix.")):
        iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix=suffix)
    assert iam.update_role_description(RoleName=name, Description="other")["Role"]["Description"] == "other"
    iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "b"}])
    for call in (
        lambda: iam.delete_role(RoleName=name),
        lambda: iam.update_role(RoleName=name, MaxSessionDuration=7200),
        lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust(ACCOUNT))),
        lambda: iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
        lambda: iam.detach_role_policy(RoleName=name, PolicyArn=attached[0]["PolicyArn"]),
        lambda: iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(allow("s3:*"))),
        lambda: iam.delete_role_policy(RoleName=name, PolicyName="p"),
        lambda: iam.put_role_permissions_boundary(
            RoleName=name, PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess"),
        lambda: iam.delete_role_permissions_boundary(RoleName=name),
    ):
        with refused("UnmodifiableEntity", 400, (
            f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS")):
            call()
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert re.fullmatch(rf"task/aws-service-role/autoscaling\.amazonaws\.com/{name}/[0-9a-f-]{{36}}", task)
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    with refused("NoSuchEntity", 404):
        iam.get_role(RoleName=name)
    with refused("NoSuchEntity", 404):
        iam.delete_service_linked_role(RoleName=name)


def test_service_linked_roles_that_are_refused(world):
    iam = world.iam
    with refused("InvalidInput", 400):
        iam.create_service_linked_role(AWSServiceName="nothing.amazonaws.com")
    with refused("InvalidInput", 400, "Custom suffix is not allowed for ecs.amazonaws.com"):
        iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com", CustomSuffix="x")
    with refused("InvalidInput", 400):
        iam.get_service_linked_role_deletion_status(DeletionTaskId="nothing")
    with refused("NoSuchEntity", 404):
        iam.get_service_linked_role_deletion_status(DeletionTaskId="task/aws-service-role/a.amazonaws.com/b/c")
    plain = world.role(trust(ACCOUNT)).rsplit("/", 1)[1]
    with refused("NoSuchEntity", 404):
        iam.delete_service_linked_role(RoleName=plain)
    iam.delete_role(RoleName=plain)


def test_the_service_is_a_condition_key(world):
    someone = world.user(allow("iam:CreateServiceLinkedRole", StringLike={"iam:AWSServiceName": "es.amazonaws.com"}))
    made = someone.iam.create_service_linked_role(AWSServiceName="es.amazonaws.com")["Role"]
    with refused("AccessDenied", 403, re.compile("role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS ")):
        someone.iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    world.iam.delete_service_linked_role(RoleName=made["RoleName"])


# Which policies grant access.


def test_policies_granting_service_access(world):
    iam = world.iam
    someone = world.user(allow("s3:Get*"), allow("sqs:*", "s3:NoSuchAction"), document(
        {"Effect": "Allow", "Action": "sns:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "sns:*", "Resource": "*"}))
    group = world.name("group")
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=someone.name)
    iam.put_group_policy(GroupName=group, PolicyName="of-the-group", PolicyDocument=json.dumps(allow("S3:*")))
    iam.attach_user_policy(UserName=someone.name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")

    def granting(arn, *services):
        found = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=services)
        assert not found["IsTruncated"]
        return {entry["ServiceNamespace"]: entry["Policies"] for entry in found["PoliciesGrantingServiceAccess"]}

    found = granting(someone.arn, "sqs", "s3", "sns")
    assert list(found) == ["s3", "sns", "sqs"]
    assert [policy["PolicyName"] for policy in found["s3"]] == ["AmazonS3ReadOnlyAccess", "of-the-group", "p0"]
    assert found["s3"][0] == {
        "PolicyName": "AmazonS3ReadOnlyAccess", "PolicyType": "MANAGED",
        "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
    assert found["s3"][1] == {
        "PolicyName": "of-the-group", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": group}
    assert [policy["PolicyName"] for policy in found["sqs"]] == ["p1"]
    assert found["sns"] == []
    assert len(granting(world.arn(f"group/{group}"), "s3")["s3"]) == 1
    with refused("NoSuchEntity", 404):
        granting(world.arn("user/nobody-at-all"), "s3")
    with refused("InvalidInput", 400):
        granting(someone.arn, "no-such-service")
    with refused("ValidationError", 400):
        granting(someone.arn)
    iam.remove_user_from_group(GroupName=group, UserName=someone.name)
    iam.delete_group_policy(GroupName=group, PolicyName="of-the-group")
    iam.delete_group(GroupName=group)


# Settings of the account.


def test_settings_of_the_account(world):
    iam = world.iam
    for version in (2, 1):
        iam.set_security_token_service_preferences(GlobalEndpointTokenVersion=f"v{version}Token")
        assert iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"] == version
    with refused("ValidationError", 400, re.compile("Member must satisfy enum value set")):
        iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v3Token")
    iam.put_account_properties(Properties={"RoleManager/Mode": "a"})
    assert iam.get_account_properties()["Properties"]["RoleManager/Mode"] == "a"
    for wrong in ({"RoleManager": "a"}, {"A/x": "1", "B/y": "2"}):
        with refused("InvalidInput", 400):
            iam.put_account_properties(Properties=wrong)


def test_outbound_federation_as_terraform_makes_it(world):
    iam = world.iam
    with refused("FeatureDisabled", 404):
        iam.get_outbound_web_identity_federation_info()
    made = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert made.startswith(f"{world.server.url}/tokens/")
    with refused("FeatureEnabled", 409):
        iam.enable_outbound_web_identity_federation()
    got = iam.get_outbound_web_identity_federation_info()
    assert (got["IssuerIdentifier"], got["JwtVendingEnabled"]) == (made, True)
    iam.disable_outbound_web_identity_federation()
    with refused("FeatureDisabled", 404):
        iam.disable_outbound_web_identity_federation()


def test_root_access_needs_an_organization(world):
    iam = world.iam
    for call in (
        iam.enable_organizations_root_credentials_management,
        iam.disable_organizations_root_credentials_management,
        iam.enable_organizations_root_sessions,
        iam.disable_organizations_root_sessions,
        iam.list_organizations_features,
    ):
        with refused("OrganizationNotFoundException", 400):
            call()


def test_everything_is_there_after_the_process_was_killed(binary):
    text = metadata()
    with process.Server(binary, account=ACCOUNT) as server:
        wire = Wire(server.url, server.key())

        def done(action, **parameters):
            answer = wire.call("iam", action, **parameters)
            assert answer.status == 200, answer.text
            return answer

        oidc = done("CreateOpenIDConnectProvider", Url="https://idp.example.com", **{
            "ClientIDList.member.1": "app", "ThumbprintList.member.1": THUMBPRINT}).find("OpenIDConnectProviderArn")
        key = (CERTIFICATES / "rsa-key.pem").read_text()
        saml = done("CreateSAMLProvider", Name="Corp", SAMLMetadataDocument=text, AddPrivateKey=key,
                    AssertionEncryptionMode="Required").find("SAMLProviderArn")
        done("CreateServiceLinkedRole", AWSServiceName="ecs.amazonaws.com")
        done("CreateServiceLinkedRole", AWSServiceName="eks.amazonaws.com")
        task = done("DeleteServiceLinkedRole", RoleName="AWSServiceRoleForAmazonEKS").find("DeletionTaskId")
        issuer = done("EnableOutboundWebIdentityFederation").find("IssuerIdentifier")
        done("SetSecurityTokenServicePreferences", GlobalEndpointTokenVersion="v2Token")
        done("PutAccountProperties", **{
            "Properties.entry.1.key": "RoleManager/Mode", "Properties.entry.1.value": "on"})
        server.kill()
        server.start()
        wire = Wire(server.url, server.key())
        got = done("GetOpenIDConnectProvider", OpenIDConnectProviderArn=oidc).text
        assert "<member>app</member>" in got and THUMBPRINT in got
        got = done("GetSAMLProvider", SAMLProviderArn=saml)
        assert got.find("SAMLMetadataDocument") == text and got.find("KeyId")
        assert done("GetRole", RoleName="AWSServiceRoleForECS").find("RoleId")
        assert done("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task).find("Status") == "SUCCEEDED"
        shown = done("GetOutboundWebIdentityFederationInfo").find("IssuerIdentifier")
        # The port is another one.
        assert shown.rsplit("/")[-1] == issuer.rsplit("/")[-1]
        assert "<value>2</value>" in done("GetAccountSummary").text
        assert "RoleManager/Mode" in done("GetAccountProperties").text
