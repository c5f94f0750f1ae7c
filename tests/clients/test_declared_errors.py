"""Errors that the models declare and no other test of boto3 meets: duplicate tags, quotas, policies that
are malformed, and what may not be changed."""

import json

import process
import pytest
from conftest import ACCOUNT, ROOT, World, allow, document, paged, refused, trust

TWICE = [{"Key": "team", "Value": "a"}, {"Key": "team", "Value": "b"}]
MANY = [{"Key": f"k{n}", "Value": "v"} for n in range(50)]
EC2 = json.dumps(trust({"Service": "ec2.amazonaws.com"}))
CERTIFICATES = ROOT / "crates/testkit/src/certificates"


def things(world):
    """One thing of every kind that has tags: how it is named in calls, by kind."""
    iam, name = world.iam, world.name("tagged")
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2)
    iam.create_instance_profile(InstanceProfileName=name)
    policy = world.policy(allow("s3:GetObject"), name=name)
    oidc = iam.create_open_id_connect_provider(Url=f"https://{name}.example.com")["OpenIDConnectProviderArn"]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    iam.upload_server_certificate(
        ServerCertificateName=name,
        CertificateBody=(CERTIFICATES / "leaf.pem").read_text(),
        PrivateKey=(CERTIFICATES / "leaf-key.pem").read_text(),
    )
    return {
        "user": {"UserName": name},
        "role": {"RoleName": name},
        "instance_profile": {"InstanceProfileName": name},
        "policy": {"PolicyArn": policy},
        "open_id_connect_provider": {"OpenIDConnectProviderArn": oidc},
        "mfa_device": {"SerialNumber": device},
        "server_certificate": {"ServerCertificateName": name},
    }


def test_tags_twice_and_too_many(world):
    iam = world.iam
    for kind, named in things(world).items():
        tag = getattr(iam, f"tag_{kind}")
        with refused("InvalidInput", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive."):
            tag(**named, Tags=TWICE)
        tag(**named, Tags=MANY)
        with refused("LimitExceeded", 409):
            tag(**named, Tags=[{"Key": "one more", "Value": "v"}])
        getattr(iam, f"untag_{kind}")(**named, TagKeys=[tag["Key"] for tag in MANY])
    for call, more in (
        (iam.create_user, {"UserName": "never"}),
        (iam.create_policy, {"PolicyName": "never", "PolicyDocument": json.dumps(allow("s3:GetObject"))}),
        (iam.create_instance_profile, {"InstanceProfileName": "never"}),
        (iam.create_virtual_mfa_device, {"VirtualMFADeviceName": "never"}),
    ):
        with refused("InvalidInput", 400):
            call(**more, Tags=TWICE)
    certificate = {"ServerCertificateName": "never", "CertificateBody": (CERTIFICATES / "leaf.pem").read_text(),
                   "PrivateKey": (CERTIFICATES / "leaf-key.pem").read_text()}
    with refused("InvalidInput", 400):
        iam.upload_server_certificate(**certificate, Tags=TWICE)


def test_the_case_of_tag_keys(world):
    """Keys of users and roles have no case, those of all else have it: IAM user guide, id_tags."""
    iam = world.iam
    for kind, named in things(world).items():
        tag, untag = getattr(iam, f"tag_{kind}"), getattr(iam, f"untag_{kind}")
        listed = getattr(iam, f"list_{kind}_tags")
        pairs = lambda: {tag["Key"]: tag["Value"] for tag in listed(**named)["Tags"]}
        tag(**named, Tags=[{"Key": "Team", "Value": "a"}])
        tag(**named, Tags=[{"Key": "team", "Value": "b"}])
        if kind in ("user", "role"):
            assert pairs() == {"team": "b"}, kind
            untag(**named, TagKeys=["TEAM"])
            assert pairs() == {}, kind
            continue
        assert pairs() == {"Team": "a", "team": "b"}, kind
        paged(listed, "Tags", ["Team", "team"], lambda tag: tag["Key"], **named)
        untag(**named, TagKeys=["TEAM", "Team"])
        assert pairs() == {"team": "b"}, kind


def test_malformed_policies(world):
    iam = world.iam
    arn = world.policy(allow("s3:GetObject"))
    name = world.name("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2)
    for text in ('{"Version": "2012-10-17"}', json.dumps(document({"Efect": "Allow", "Action": "*", "Resource": "*"}))):
        for call, more in (
            (iam.create_policy, {"PolicyName": "never", "PolicyDocument": text}),
            (iam.create_policy_version, {"PolicyArn": arn, "PolicyDocument": text}),
            (iam.update_assume_role_policy, {"RoleName": name, "PolicyDocument": text}),
        ):
            with refused("MalformedPolicyDocument", 400):
                call(**more)


def test_a_boundary_must_be_attachable(world):
    """A policy for service-linked roles bounds nobody, and one that is not there neither."""
    iam, user = world.iam, world.user().name
    role = world.name("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=EC2)
    linked = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"
    ghost = world.arn("policy/no-such-policy")
    with refused("PolicyNotAttachable", 400):
        iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=linked)
    with refused("PolicyNotAttachable", 400):
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=linked)
    with refused("NoSuchEntity", 404):
        iam.create_user(UserName="never", PermissionsBoundary=ghost)


def test_service_linked_roles_are_the_services(world):
    iam = world.iam
    role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]["RoleName"]
    profile = world.name("profile")
    iam.create_instance_profile(InstanceProfileName=profile)
    with refused("UnmodifiableEntity", 400):
        iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    iam.delete_service_linked_role(RoleName=role)


@pytest.mark.untraced
def test_quotas_are_told_with_their_name(binary, tmp_path):
    """A server whose quotas are small."""
    settings = tmp_path / "settings.toml"
    settings.write_text("""
[quotas]
users = 2
groups = 1
policies = 1
instance_profiles = 1
server_certificates = 1
saml_providers = 1
groups_per_user = 1
policy_size = 400
trust_policy_size = 200
user_policy_size = 200
""")
    with process.Server(binary, account=ACCOUNT, options=["--config", str(settings)]) as server:
        world = World(server, server.key(), ACCOUNT)
        iam = world.iam
        certificate = {"CertificateBody": (CERTIFICATES / "leaf.pem").read_text(),
                       "PrivateKey": (CERTIFICATES / "leaf-key.pem").read_text()}
        long = json.dumps(allow(*(f"s3:GetObject{n}" for n in range(40))))
        for quota, method, first, second in (
            ("UsersPerAccount", iam.create_user, {"UserName": "a"}, {"UserName": "b"}),
            ("GroupsPerAccount", iam.create_group, {"GroupName": "a"}, {"GroupName": "b"}),
            ("InstanceProfilesPerAccount", iam.create_instance_profile, {"InstanceProfileName": "a"}, {"InstanceProfileName": "b"}),
            ("ServerCertificatesPerAccount", iam.upload_server_certificate,
             {"ServerCertificateName": "a"} | certificate, {"ServerCertificateName": "b"} | certificate),
        ):
            method(**first)
            with refused("LimitExceeded", 409) as raised:
                method(**second)
            assert quota in str(raised.value)
        iam.create_role(RoleName="a", AssumeRolePolicyDocument=EC2)
        with refused("LimitExceeded", 409):
            iam.update_assume_role_policy(RoleName="a", PolicyDocument=json.dumps(
                trust([f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:role/a", f"arn:aws:iam::{ACCOUNT}:user/a"])))
        with refused("LimitExceeded", 409):
            iam.create_policy(PolicyName="long", PolicyDocument=long)
        with refused("LimitExceeded", 409):
            iam.put_user_policy(UserName="a", PolicyName="long", PolicyDocument=long)


def test_an_arn_that_names_no_policy(world):
    iam, user, wrong = world.iam, world.user().name, world.arn("role/no-policy")
    role, group = world.name("role"), world.name("group")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=EC2)
    iam.create_group(GroupName=group)
    text = json.dumps(allow("s3:GetObject"))
    for call, more in (
        (iam.get_policy, {}),
        (iam.delete_policy, {}),
        (iam.list_policy_versions, {}),
        (iam.list_policy_tags, {}),
        (iam.list_entities_for_policy, {}),
        (iam.tag_policy, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (iam.untag_policy, {"TagKeys": ["a"]}),
        (iam.create_policy_version, {"PolicyDocument": text}),
        (iam.get_policy_version, {"VersionId": "v1"}),
        (iam.delete_policy_version, {"VersionId": "v2"}),
        (iam.set_default_policy_version, {"VersionId": "v1"}),
        (iam.detach_user_policy, {"UserName": user}),
        (iam.detach_group_policy, {"GroupName": group}),
        (iam.detach_role_policy, {"RoleName": role}),
    ):
        with refused("InvalidInput", 400, f"ARN {wrong} is not valid."):
            call(PolicyArn=wrong, **more)
