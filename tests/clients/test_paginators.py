"""Every paginator and waiter that botocore has for iam and sts.

Nothing here lists operations: botocore's data names the paginators and waiters, the shape of each
operation names what it asks for, and the furnished account below has several of everything. A
paginator that finds fewer than two pages fails, so that a new one must be furnished.
"""

import datetime
import json
import threading
import time
import xml.sax.saxutils

import boto3
import botocore.exceptions
import botocore.loaders
import botocore.waiter
import process
import pytest
import totp
from conftest import ACCOUNT, World, allow, config, trust
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

LOADER = botocore.loaders.Loader()
TAGS = [{"Key": f"key-{number}", "Value": "x"} for number in range(5)]


def data(kind, name):
    """What botocore has of a kind, as (service, name) pairs."""
    found = []
    for service in ("iam", "sts"):
        try:
            found += [(service, each) for each in LOADER.load_service_model(service, kind)[name]]
        except (botocore.exceptions.DataNotFoundError, botocore.exceptions.UnknownServiceError):
            pass
    return found


PAGINATORS, WAITERS = data("paginators-1", "pagination"), data("waiters-2", "waiters")


def certificate(name):
    """A self-signed certificate and its key, as PEM and as the text inside the PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30)).sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return made.public_bytes(serialization.Encoding.PEM).decode(), secret.decode(), public.decode()


def metadata(pem):
    """A SAML provider's description with one certificate."""
    body = "".join(pem.split("-----")[2].split())
    name = xml.sax.saxutils.quoteattr("https://idp.example.com/metadata")
    return (
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID={name}>'
        '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
        f"<X509Certificate>{body}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        '<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        'Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>'
    )


def furnish(iam):
    """Several of everything; returns the value of each member that a paginated operation asks for."""
    text = json.dumps(allow("s3:GetObject"))
    trusting = json.dumps(trust({"Service": "ec2.amazonaws.com"}))
    user, group, role, profile = "user-0", "group-0", "role-0", "profile-0"
    for number in range(4):
        iam.create_user(UserName=f"user-{number}", Tags=TAGS)
        iam.create_group(GroupName=f"group-{number}")
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=trusting, Tags=TAGS)
        iam.create_instance_profile(InstanceProfileName=f"profile-{number}", Tags=TAGS)
        iam.add_role_to_instance_profile(InstanceProfileName=f"profile-{number}", RoleName=role)
        iam.add_user_to_group(GroupName=f"group-{number}", UserName=user)
        if number:
            iam.add_user_to_group(GroupName=group, UserName=f"user-{number}")
        iam.put_user_policy(UserName=user, PolicyName=f"inline-{number}", PolicyDocument=text)
        iam.put_group_policy(GroupName=group, PolicyName=f"inline-{number}", PolicyDocument=text)
        iam.put_role_policy(RoleName=role, PolicyName=f"inline-{number}", PolicyDocument=text)
        arn = iam.create_policy(
            PolicyName=f"policy-{number}", PolicyDocument=text, Tags=TAGS)["Policy"]["Arn"]
        iam.attach_user_policy(UserName=user, PolicyArn=arn)
        iam.attach_group_policy(GroupName=group, PolicyArn=arn)
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        if not number:
            policy = arn
        else:
            iam.attach_user_policy(UserName=f"user-{number}", PolicyArn=policy)
            iam.attach_group_policy(GroupName=f"group-{number}", PolicyArn=policy)
            iam.attach_role_policy(RoleName=f"role-{number}", PolicyArn=policy)
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=text)
    iam.create_account_alias(AccountAlias="an-alias")
    keys = [certificate(f"server-{number}.example.com") for number in range(2)]
    for number, (pem, secret, public) in enumerate(keys):
        iam.create_access_key(UserName=user)
        iam.upload_signing_certificate(UserName=user, CertificateBody=pem)
        iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=public)
        iam.upload_server_certificate(
            ServerCertificateName=f"server-{number}", CertificateBody=pem, PrivateKey=secret, Tags=TAGS)
    for number in range(3):
        made = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"device-{number}", Tags=TAGS)
        iam.enable_mfa_device(UserName=user, **totp.Device(made).pair())
    saml = iam.create_saml_provider(
        Name="saml", SAMLMetadataDocument=metadata(keys[0][0]), Tags=TAGS)["SAMLProviderArn"]
    oidc = iam.create_open_id_connect_provider(
        Url="https://idp.example.com", ThumbprintList=["a" * 40], Tags=TAGS)["OpenIDConnectProviderArn"]
    return {
        "UserName": user, "GroupName": group, "RoleName": role, "InstanceProfileName": profile,
        "PolicyArn": policy, "ServerCertificateName": "server-0", "SAMLProviderArn": saml,
        "OpenIDConnectProviderArn": oidc, "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
        "SerialNumber": made["VirtualMFADevice"]["SerialNumber"], "PolicyInputList": [text],
        "ActionNames": ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "iam:GetUser", "ec2:RunInstances"],
    }


ONE_ALONE = {"ListAccountAliases"}
"""Lists that can never have two pages: an account has one alias."""


@pytest.fixture(scope="module")
def furnished(binary):
    with process.Server(binary, account=ACCOUNT) as server:
        world = World(server, server.key(), ACCOUNT)
        yield world, furnish(world.iam)


def plain(value):
    """An answer without what belongs to the call alone."""
    return {name: each for name, each in value.items() if name not in ("ResponseMetadata", "Marker", "IsTruncated")}


@pytest.mark.parametrize("service, name", PAGINATORS)
def test_paginator(furnished, service, name):
    world, values = furnished
    client = world.admin.client(service)
    method = next(each for each, api in client.meta.method_to_api_mapping.items() if api == name)
    model = client.meta.service_model.operation_model(name)
    settings = LOADER.load_service_model(service, "paginators-1")["pagination"][name]
    members = model.input_shape.members
    lacking = set(model.input_shape.required_members) - set(values)
    assert not lacking, f"the account is not furnished for {lacking}"
    ask = {member: values[member] for member in members if member in values}
    keys = settings["result_key"]
    keys = keys if isinstance(keys, list) else [keys]

    whole, marker = {key: [] for key in keys}, {}
    while True:
        page = getattr(client, method)(MaxItems=1000, **ask, **marker)
        for key in keys:
            whole[key] += page.get(key, [])
        assert page["IsTruncated"] == ("Marker" in page)
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    count = sum(len(items) for items in whole.values())
    assert count >= 2 or name in ONE_ALONE, f"the account is not furnished for {name}: {count} items"

    size = 1 if count < 100 else count // 5
    paginator = client.get_paginator(method)
    pages = list(paginator.paginate(PaginationConfig={"PageSize": size}, **ask))
    assert len(pages) == -(-count // size)
    assert [sum(len(page.get(key, [])) for key in keys) for page in pages[:-1]] == [size] * (len(pages) - 1)
    for key in keys:
        assert [item for page in pages for item in page.get(key, [])] == whole[key], key
    for key in settings.get("non_aggregate_keys", []):
        assert all(page[key] == pages[0][key] for page in pages)
    full = paginator.paginate(PaginationConfig={"PageSize": size}, **ask).build_full_result()
    assert {key: full.get(key, []) for key in keys} == whole
    bare = paginator.paginate(**ask).build_full_result()
    assert {key: bare.get(key, []) for key in keys} == whole

    # A reader that stops and goes on later, as `aws --max-items` and `--starting-token` do.
    if len(keys) == 1:
        first = paginator.paginate(PaginationConfig={"MaxItems": size, "PageSize": size}, **ask).build_full_result()
        rest = {} if count == size else paginator.paginate(
            PaginationConfig={"StartingToken": first["NextToken"], "PageSize": size}, **ask).build_full_result()
        assert first[keys[0]] + rest.get(keys[0], []) == whole[keys[0]]


def make(iam, member, name):
    """Makes what a waiter waits for, and gives the value it asks for."""
    if member == "UserName":
        iam.create_user(UserName=name)
    elif member == "RoleName":
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(trust({"Service": "ec2.amazonaws.com"})))
    elif member == "InstanceProfileName":
        iam.create_instance_profile(InstanceProfileName=name)
    elif member == "PolicyArn":
        iam.create_policy(PolicyName=name.rsplit("/", 1)[1], PolicyDocument=json.dumps(allow("s3:GetObject")))
    else:
        raise AssertionError(f"no way to make a thing with {member}")


@pytest.mark.parametrize("service, name", WAITERS)
def test_waiter(furnished, service, name):
    world, _ = furnished
    client, maker = world.admin.client(service), boto3.session.Session().client(
        "iam", region_name="us-east-1", endpoint_url=world.server.url,
        aws_access_key_id=world.admin.key.id, aws_secret_access_key=world.admin.key.secret, config=config())
    model = botocore.waiter.WaiterModel(LOADER.load_service_model(service, "waiters-2"))
    operation = model.get_waiter(name).operation
    (member,) = client.meta.service_model.operation_model(operation).input_shape.members
    value = f"waited-{name}"
    value = world.arn(f"policy/{value}") if member.endswith("Arn") else value
    waiter = client.get_waiter(botocore.xform_name(name))

    with pytest.raises(botocore.exceptions.WaiterError, match="Max attempts exceeded"):
        waiter.wait(**{member: value}, WaiterConfig={"Delay": 0.01, "MaxAttempts": 3})
    later = threading.Timer(0.3, make, (maker, member, value))
    began = time.monotonic()
    later.start()
    waiter.wait(**{member: value}, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    later.join()
    assert time.monotonic() - began >= 0.3
    waiter.wait(**{member: value})


def test_there_is_something_to_test():
    assert len(PAGINATORS) > 30
    assert len(WAITERS) >= 4
