"""Managed policies, their versions and attachments, inline policies, and boundaries."""

import json
import re

import pytest
from conftest import allow, deny, document, paged, pages, refused, statement, trust

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SERVICE_ROLE = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
EC2 = trust({"Service": "ec2.amazonaws.com"})
KINDS = ("user", "group", "role")


class Holder:
    """A user, group or role, and the calls about it, which differ by name only."""

    def __init__(self, world, kind):
        self.kind, self.name, self.iam = kind, world.name(kind), world.iam
        if kind == "role":
            world.role(EC2, name=self.name)
        else:
            self("create_{}")

    def __call__(self, method, **more):
        named = {f"{self.kind.capitalize()}Name": self.name}
        return getattr(self.iam, method.format(self.kind))(**named, **more)


@pytest.fixture(params=KINDS)
def holder(world, request):
    return Holder(world, request.param)


def test_a_managed_policy_from_birth_to_death(world):
    iam, name = world.iam, world.name("Policy")
    text = '{ "Version":"2012-10-17",\n\t"Statement" : {"Resource":"*","Action":"s3:Get*","Effect":"Allow"} }'
    made = iam.create_policy(
        PolicyName=name, Path="/p/", PolicyDocument=text, Description="tests", Tags=[{"Key": "a", "Value": "b"}]
    )["Policy"]
    arn = made["Arn"]
    assert re.fullmatch(r"ANPA[A-Z2-7]{17}", made["PolicyId"]) and arn == world.arn(f"policy/p/{name}")
    assert (made["DefaultVersionId"], made["AttachmentCount"], made["IsAttachable"]) == ("v1", 0, True)
    got = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (got["Description"], got["Tags"]) == ("tests", [{"Key": "a", "Value": "b"}])
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert version["Document"] == json.loads(text) and version["IsDefaultVersion"]
    assert arn in [policy["Arn"] for policy in pages(iam.list_policies, "Policies", 1000, Scope="Local")[0]]
    with refused("EntityAlreadyExists", 409, re.compile(f"A policy called {name.lower()} already exists")):
        iam.create_policy(PolicyName=name.lower(), PolicyDocument=text)

    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    paged(iam.list_policy_tags, "Tags", "ac", lambda tag: tag["Key"], PolicyArn=arn)
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity", 404, re.compile(re.escape(arn))):
        iam.get_policy(PolicyArn=arn)


def test_the_text_of_a_policy_comes_back_byte_for_byte(world):
    import urllib.parse

    text = '\n{"Version" : "2012-10-17",\t"Statement":[ {"Sid":"Z","Effect":"Allow","Resource":["*"],"Action":["s3:*"]} ] }  '
    arn = world.policy(allow("s3:*"))
    world.iam.create_policy_version(PolicyArn=arn, PolicyDocument=text)
    answer = world.admin.wire.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId="v2")
    assert urllib.parse.unquote(answer.find("Document")) == text


def test_versions(world):
    iam, arn = world.iam, world.policy(allow("s3:GetObject"))
    for number in range(2, 6):
        made = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=json.dumps(allow(f"s3:Get{number}")), SetAsDefault=number == 3
        )["PolicyVersion"]
        assert (made["VersionId"], made["IsDefaultVersion"]) == (f"v{number}", number == 3)
    with refused("LimitExceeded", 409, re.compile(
        "^A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.$"
    )):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(allow("s3:*")))
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v3"
    ids = ["v5", "v4", "v3", "v2", "v1"]
    assert [version["VersionId"] for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ids
    paged(iam.list_policy_versions, "Versions", ids, lambda version: version["VersionId"], 2, PolicyArn=arn)
    with refused("DeleteConflict", 409, "Cannot delete the default version of a policy."):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v3")
    with refused("DeleteConflict", 409, re.compile("more than one version")):
        iam.delete_policy(PolicyArn=arn)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v5")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v5"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v3")
    for call in (iam.delete_policy_version, iam.get_policy_version, iam.set_default_policy_version):
        with refused("NoSuchEntity", 404, re.compile("v3")):
            call(PolicyArn=arn, VersionId="v3")
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(allow("s3:*")))
    assert made["PolicyVersion"]["VersionId"] == "v6"
    with refused("ValidationError", 400, re.compile("'versionId'")):
        iam.get_policy_version(PolicyArn=arn, VersionId="latest")


def test_the_default_version_is_in_force(world):
    arn = world.policy(allow("iam:ListUsers"))
    alice = world.user()
    world.iam.attach_user_policy(UserName=alice.name, PolicyArn=arn)
    alice.iam.list_users()
    world.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(allow("iam:ListRoles")))
    alice.iam.list_users()
    world.iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    with refused("AccessDenied", 403):
        alice.iam.list_users()
    alice.iam.list_roles()


def test_policies_that_are_not_there(world):
    iam, arn = world.iam, world.arn("policy/no-such-policy")
    text = json.dumps(allow("s3:*"))
    for call in (
        lambda: iam.get_policy(PolicyArn=arn),
        lambda: iam.delete_policy(PolicyArn=arn),
        lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=text),
        lambda: iam.get_policy_version(PolicyArn=arn, VersionId="v1"),
        lambda: iam.list_policy_versions(PolicyArn=arn),
        lambda: iam.set_default_policy_version(PolicyArn=arn, VersionId="v1"),
        lambda: iam.delete_policy_version(PolicyArn=arn, VersionId="v1"),
        lambda: iam.list_entities_for_policy(PolicyArn=arn),
        lambda: iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "a", "Value": "b"}]),
        lambda: iam.untag_policy(PolicyArn=arn, TagKeys=["a"]),
        lambda: iam.list_policy_tags(PolicyArn=arn),
    ):
        with refused("NoSuchEntity", 404, f"Policy {arn} was not found."):
            call()
    with refused("ValidationError", 400, "Invalid ARN:  Could not be parsed!"):
        iam.get_policy(PolicyArn="x" * 30)


def test_policies_of_aws(world):
    iam = world.iam
    got = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
    assert got["Path"] == "/" and got["IsAttachable"]
    version = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=got["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"]
    assert iam.list_policy_versions(PolicyArn=READ_ONLY)["Versions"]
    every = pages(iam.list_policies, "Policies", 400, Scope="AWS")[0]
    arns = [policy["Arn"] for policy in every]
    assert len(arns) == len(set(arns)) >= 1000 and READ_ONLY in arns
    assert not any(arn.startswith(world.arn("")) for arn in arns)
    jobs = pages(iam.list_policies, "Policies", 100, Scope="AWS", PathPrefix="/job-function/")[0]
    assert {"Billing", "DatabaseAdministrator", "SupportUser"} <= {policy["PolicyName"] for policy in jobs}
    text = json.dumps(allow("s3:*"))
    for call in (
        lambda: iam.delete_policy(PolicyArn=READ_ONLY),
        lambda: iam.create_policy_version(PolicyArn=READ_ONLY, PolicyDocument=text),
        lambda: iam.tag_policy(PolicyArn=READ_ONLY, Tags=[{"Key": "a", "Value": "b"}]),
        lambda: iam.set_default_policy_version(PolicyArn=READ_ONLY, VersionId="v1"),
    ):
        with refused("AccessDenied", 403):
            call()


def test_attaching_and_detaching(world, holder):
    arn = world.policy(allow("s3:*"))
    holder("attach_{}_policy", PolicyArn=arn)
    holder("attach_{}_policy", PolicyArn=arn)
    holder("attach_{}_policy", PolicyArn=READ_ONLY)
    attached = holder(f"list_attached_{{}}_policies")["AttachedPolicies"]
    assert {policy["PolicyArn"] for policy in attached} == {arn, READ_ONLY}
    lister = getattr(world.iam, f"list_attached_{holder.kind}_policies")
    named = {f"{holder.kind.capitalize()}Name": holder.name}
    paged(lister, "AttachedPolicies", [arn, READ_ONLY], lambda policy: policy["PolicyArn"], **named)
    assert world.iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    entities = world.iam.list_entities_for_policy(PolicyArn=arn)
    assert [found[f"{holder.kind.capitalize()}Name"] for found in entities[f"Policy{holder.kind.capitalize()}s"]] == [holder.name]
    with refused("DeleteConflict", 409, "Cannot delete a policy attached to entities."):
        world.iam.delete_policy(PolicyArn=arn)
    holder("detach_{}_policy", PolicyArn=arn)
    with refused("NoSuchEntity", 404):
        holder("detach_{}_policy", PolicyArn=arn)
    missing = world.arn("policy/none")
    with refused("NoSuchEntity", 404, f"Policy {missing} does not exist or is not attachable."):
        holder("attach_{}_policy", PolicyArn=missing)
    for other in (world.arn("role/none"), "arn:aws:s3:::policy/none", missing.replace("iam::", "iam:us-east-1:")):
        with refused("InvalidInput", 400, f"ARN {other} is not valid."):
            holder("attach_{}_policy", PolicyArn=other)
    with refused("PolicyNotAttachable", 400):
        holder("attach_{}_policy", PolicyArn=SERVICE_ROLE)
    for number in range(9):
        holder("attach_{}_policy", PolicyArn=world.policy(allow("s3:*")))
    with refused("LimitExceeded", 409, re.compile(r"Cannot exceed quota for PoliciesPer(User|Group|Role): 10")):
        holder("attach_{}_policy", PolicyArn=arn)


@pytest.mark.parametrize("kind", KINDS)
def test_holders_that_are_not_there(world, kind):
    named, text = {f"{kind.capitalize()}Name": "ghost"}, json.dumps(allow("s3:*"))
    for method, more in (
        ("attach_{}_policy", {"PolicyArn": READ_ONLY}),
        ("detach_{}_policy", {"PolicyArn": READ_ONLY}),
        ("list_attached_{}_policies", {}),
        ("put_{}_policy", {"PolicyName": "p", "PolicyDocument": text}),
        ("get_{}_policy", {"PolicyName": "p"}),
        ("list_{}_policies", {}),
        ("delete_{}_policy", {"PolicyName": "p"}),
    ):
        with refused("NoSuchEntity", 404, f"The {kind} with name ghost cannot be found."):
            getattr(world.iam, method.format(kind))(**named, **more)


def test_inline_policies(world, holder):
    policy = allow("s3:GetObject")
    holder("put_{}_policy", PolicyName="One", PolicyDocument=json.dumps(policy))
    holder("put_{}_policy", PolicyName="two", PolicyDocument=json.dumps(policy))
    holder("put_{}_policy", PolicyName="One", PolicyDocument=json.dumps(deny("s3:*")))
    got = holder("get_{}_policy", PolicyName="One")
    assert got["PolicyDocument"] == deny("s3:*") and got["PolicyName"] == "One"
    assert set(holder("list_{}_policies")["PolicyNames"]) == {"One", "two"}
    lister = getattr(world.iam, f"list_{holder.kind}_policies")
    paged(lister, "PolicyNames", ["One", "two"], str, **{f"{holder.kind.capitalize()}Name": holder.name})
    holder("delete_{}_policy", PolicyName="One")
    for method in ("get_{}_policy", "delete_{}_policy"):
        with refused("NoSuchEntity", 404, f"The {holder.kind} policy with name One cannot be found."):
            holder(method, PolicyName="One")
    for text in ("{", json.dumps(document(statement("Alow", ["s3:*"])))):
        with refused("MalformedPolicyDocument", 400):
            holder("put_{}_policy", PolicyName="three", PolicyDocument=text)
    long = allow(*(f"s3:Get{'x' * 90}{number}" for number in range(120)))
    with refused("LimitExceeded", 409, re.compile("^Maximum policy size of (2048|5120|10240) bytes exceeded for ")):
        holder("put_{}_policy", PolicyName="long", PolicyDocument=json.dumps(long))
    assert holder("list_{}_policies")["PolicyNames"] == ["two"]


def test_entities_of_a_policy_are_paged_and_filtered(world):
    iam, arn = world.iam, world.policy(allow("iam:ListUsers"))
    names = []
    for kind in KINDS * 2:
        made = Holder(world, kind)
        made("attach_{}_policy", PolicyArn=arn)
        names.append(made.name)
    bounded = world.name("user")
    iam.create_user(UserName=bounded, PermissionsBoundary=arn)
    parts = ["PolicyGroups", "PolicyUsers", "PolicyRoles"]
    key = lambda item: item.get("UserName") or item.get("GroupName") or item.get("RoleName")
    markers = paged(iam.list_entities_for_policy, parts, [*names, bounded], key, 2, PolicyArn=arn)
    with refused("ValidationError", 400):
        iam.list_entities_for_policy(PolicyArn=READ_ONLY, Marker=markers[0])
    only = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert [user["UserName"] for user in only["PolicyUsers"]] == [bounded] and not only["PolicyRoles"]
    only = iam.list_entities_for_policy(PolicyArn=arn, EntityFilter="Role")
    assert len(only["PolicyRoles"]) == 2 and not only["PolicyUsers"] and not only["PolicyGroups"]


def test_lists_of_policies(world):
    iam, path = world.iam, f"/{world.name('pages')}/"
    arns = [world.policy(allow("s3:*"), Path=path) for _ in range(5)]
    markers = paged(iam.list_policies, "Policies", arns, lambda policy: policy["Arn"], 2, PathPrefix=path, Scope="Local")
    with refused("ValidationError", 400):
        iam.list_policies(PathPrefix=path, Scope="AWS", Marker=markers[0])
    alice = world.name("user")
    iam.create_user(UserName=alice, PermissionsBoundary=arns[1])
    iam.attach_user_policy(UserName=alice, PolicyArn=arns[0])
    found = iam.list_policies(PathPrefix=path, OnlyAttached=True)["Policies"]
    assert [policy["Arn"] for policy in found] == [arns[0]]
    found = iam.list_policies(PathPrefix=path, PolicyUsageFilter="PermissionsBoundary")["Policies"]
    assert [policy["Arn"] for policy in found] == [arns[1]]
    assert found[0]["PermissionsBoundaryUsageCount"] == 1


@pytest.mark.parametrize("kind", ["user", "role"])
def test_boundaries(world, kind):
    iam, holder, arn = world.iam, Holder(world, kind), world.policy(allow("s3:*"))
    holder("put_{}_permissions_boundary", PermissionsBoundary=arn)
    shown = holder("get_{}")[kind.capitalize()]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == arn
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    with refused("DeleteConflict", 409):
        iam.delete_policy(PolicyArn=arn)
    holder("put_{}_permissions_boundary", PermissionsBoundary=READ_ONLY)
    holder("delete_{}_permissions_boundary")
    assert "PermissionsBoundary" not in holder("get_{}")[kind.capitalize()]
    with refused("NoSuchEntity", 404):
        holder("put_{}_permissions_boundary", PermissionsBoundary=world.arn("policy/none"))
    holder.name = "ghost"
    for method, more in (
        ("put_{}_permissions_boundary", {"PermissionsBoundary": arn}),
        ("delete_{}_permissions_boundary", {}),
    ):
        with refused("NoSuchEntity", 404, f"The {kind} with name ghost cannot be found."):
            holder(method, **more)


def test_a_managed_policy_has_6144_characters_at_most(world):
    def sized(size):
        policy = json.dumps(allow("s3:*"))
        bare = len(re.sub(r"\s", "", policy))
        return json.dumps(allow("s3:*" + "x" * (size - bare)), indent=4)

    world.iam.create_policy(PolicyName=world.name("p"), PolicyDocument=sized(6144))
    with refused("LimitExceeded", 409, "Cannot exceed quota for PolicySize: 6144"):
        world.iam.create_policy(PolicyName=world.name("p"), PolicyDocument=sized(6145))
