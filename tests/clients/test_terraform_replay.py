"""The calls that Terraform's AWS provider makes for its IAM resources, in its order.

Each resource is created, read back equal, planned again without a difference, changed, and deleted;
where a resource is gone its reading finds nothing, and a second deletion is no error. The sequences
are those that the provider was seen to make against a server; `tests/tools/terraform.py` runs the
provider itself.
"""

import json

import pytest
import terraform_credentials  # noqa: F401
from conftest import refused
from terraform_credentials import text
from terraform_resources import AWS, Group, Resource, Role, User, gone, policy


@pytest.mark.parametrize("kind", Resource.__subclasses__(), ids=lambda kind: kind.__name__)
def test_resource(world, kind):
    resource = kind(world)

    def read():
        with gone():
            return resource.read()
        return None

    assert kind.tagging is None or kind.first["tags"] != kind.second["tags"]
    resource.create(kind.first)
    for _ in range(2):
        assert read() == kind.first
    resource.update(kind.first, kind.second)
    for _ in range(2):
        assert read() == kind.second
    resource.delete()
    assert read() is None
    resource.delete()
    resource.clear()


def test_what_hangs_on_a_user_delays_its_deletion(world):
    """Without `force_destroy` the provider is refused as long as anything is there."""
    iam, resource = world.iam, User(world)
    resource.create(User.first)
    name = {"UserName": resource.name}
    iam.create_access_key(**name)
    iam.create_login_profile(Password="7uO$mZ-fRz4)qPaWt!eL", **name)
    iam.upload_ssh_public_key(SSHPublicKeyBody=text("ssh-b.pub").strip(), **name)
    iam.upload_signing_certificate(CertificateBody=text("signing-b.pem"), **name)
    iam.create_service_specific_credential(ServiceName="codecommit.amazonaws.com", **name)
    iam.attach_user_policy(PolicyArn=f"{AWS}/ReadOnlyAccess", **name)
    iam.put_user_policy(PolicyName="inline", PolicyDocument=json.dumps(policy("s3:GetObject")), **name)
    group = Group(world)
    group.create(Group.first)
    iam.add_user_to_group(GroupName=group.name, **name)
    with refused("DeleteConflict", 409):
        iam.delete_user(**name)
    with refused("DeleteConflict", 409):
        iam.delete_group(GroupName=group.name)
    resource.delete()
    with refused("NoSuchEntity", 404):
        iam.get_user(**name)
    group.delete()


def test_a_role_with_anything_is_kept(world):
    iam, resource = world.iam, Role(world)
    resource.create(Role.first)
    iam.attach_role_policy(RoleName=resource.name, PolicyArn=f"{AWS}/SecurityAudit")
    with refused("DeleteConflict", 409):
        iam.delete_role(RoleName=resource.name)
    iam.put_role_policy(RoleName=resource.name, PolicyName="p", PolicyDocument=json.dumps(policy("s3:GetObject")))
    iam.detach_role_policy(RoleName=resource.name, PolicyArn=f"{AWS}/SecurityAudit")
    with refused("DeleteConflict", 409):
        iam.delete_role(RoleName=resource.name)
    resource.delete()
    with refused("NoSuchEntity", 404):
        iam.get_role(RoleName=resource.name)
