"""Two accounts on one server: neither sees anything of the other, and only both together open a way."""

import json
import re

import pytest
from conftest import ACCOUNT, OTHER_ACCOUNT, Principal, allow, pages, refused, text_of, trust

EC2 = trust({"Service": "ec2.amazonaws.com"})
LISTS = {
    "list_users": "Users", "list_groups": "Groups", "list_roles": "Roles",
    "list_instance_profiles": "InstanceProfiles", "list_policies": "Policies",
}


@pytest.fixture
def secret(other):
    """Things in the second account, under a name that stands nowhere else."""
    name = other.name("confidential")
    user = other.user(allow("iam:*"), name=name)
    other.iam.create_group(GroupName=name)
    other.role(EC2, name=name)
    other.iam.create_instance_profile(InstanceProfileName=name)
    other.policy(allow("s3:*"), name=name)
    return user


def test_tm_c17_lists_show_nothing_of_the_other_account(world, other, secret):
    for _ in range(2):
        world.iam.create_user(UserName=world.name("user"))
    for method, items in LISTS.items():
        more = {"Scope": "Local"} if method == "list_policies" else {}
        mine, _ = pages(getattr(world.iam, method), items, 100, **more)
        theirs, _ = pages(getattr(other.iam, method), items, 100, **more)
        assert secret.name in json.dumps(theirs, default=str), method
        assert secret.name not in json.dumps(mine, default=str), method
        assert not [item for item in mine if f"::{OTHER_ACCOUNT}:" in item["Arn"]], method
    marker = world.iam.list_users(MaxItems=1)["Marker"]
    with refused("ValidationError", 400):
        other.iam.list_users(Marker=marker)
    with refused("ValidationError", 400):
        world.iam.list_roles(Marker=marker)


def test_things_of_the_other_account_are_not_there(world, other, secret):
    iam, name = world.iam, secret.name
    for call in (
        lambda: iam.get_user(UserName=name),
        lambda: iam.get_group(GroupName=name),
        lambda: iam.get_role(RoleName=name),
        lambda: iam.get_instance_profile(InstanceProfileName=name),
        lambda: iam.list_access_keys(UserName=name),
        lambda: iam.delete_access_key(UserName="admin", AccessKeyId=secret.key.id),
    ):
        with refused("NoSuchEntity", 404):
            call()
    theirs, none = other.arn(f"policy/{name}"), other.arn("policy/there-is-none")
    answers = []
    for arn in (theirs, none):
        with pytest.raises(Exception) as error:
            iam.get_policy(PolicyArn=arn)
        answers.append((error.value.response["Error"]["Code"], text_of(error).replace(arn, "ARN")))
    masked = [(code, re.sub(r"d-[0-9a-f]{32}", "D", text)) for code, text in answers]
    assert masked[0] == masked[1], "the answer tells that the policy exists"
    user = world.name("user")
    iam.create_user(UserName=user)
    with pytest.raises(Exception) as error:
        iam.attach_user_policy(UserName=user, PolicyArn=theirs)
    assert error.value.response["Error"]["Code"] in ("NoSuchEntity", "AccessDenied", "InvalidInput")
    assert iam.list_attached_user_policies(UserName=user)["AttachedPolicies"] == []
    # A key of the other account and one that is nowhere get the same answer.
    texts = []
    for key in (secret.key.id, "AKIAAAAAAAAAAAAAAAAA"):
        with refused("AccessDenied", 403) as error:
            iam.get_access_key_last_used(AccessKeyId=key)
        texts.append(re.sub(r"d-[0-9a-f]{32}", "D", text_of(error)).replace(key, "KEY"))
    assert texts[0] == texts[1]


def test_events_are_each_accounts_own(world, other, secret):
    with refused("NoSuchEntity", 404):
        world.iam.get_user(UserName="only-in-the-first")
    with refused("NoSuchEntity", 404):
        other.iam.get_user(UserName="only-in-the-second")
    mine, theirs = json.dumps(world.admin.wire.events()), json.dumps(other.admin.wire.events())
    assert "only-in-the-first" in mine and "only-in-the-first" not in theirs
    assert "only-in-the-second" in theirs and "only-in-the-second" not in mine
    assert secret.key.id not in mine
    page = world.admin.wire.own("ListEvents", MaxResults=1).json()["NextToken"]
    answer = other.admin.wire.own("ListEvents", MaxResults=1, NextToken=page)
    assert (answer.status, answer.code.removesuffix("Exception")) == (400, "InvalidNextToken")


def test_both_sides_must_allow_a_role_across_accounts(world, other):
    allowed = world.user(allow("sts:AssumeRole"))
    not_allowed = world.user()
    closed = other.role(trust(other.arn("root")), allow("iam:ListUsers"))
    opened = other.role(trust(world.arn("root")), allow("iam:ListUsers"))
    by_user = other.role(trust(not_allowed.arn))
    with refused("AccessDenied", 403):
        allowed.assume(closed)
    with refused("AccessDenied", 403):
        not_allowed.assume(opened)
    # Within an account the trust policy alone would do; across accounts it does not (TR-3).
    with refused("AccessDenied", 403):
        not_allowed.assume(by_user)
    session = allowed.assume(opened, session="across")
    assert session.sts.get_caller_identity()["Account"] == OTHER_ACCOUNT
    users = json.dumps(session.iam.list_users()["Users"], default=str)
    assert f"::{OTHER_ACCOUNT}:" in users and f"::{ACCOUNT}:" not in users
    with refused("AccessDenied", 403):
        session.iam.list_roles()
    world.notes.calls = [call for call in world.notes.calls if call.key != session.key.id]
    # The owner of the role has a record of it too, and both share an id.
    def records(events):
        return [event for event in events if event["eventName"] == "AssumeRole" and "errorCode" not in event
                and (event.get("requestParameters") or {}).get("roleArn") == opened]

    mine, theirs = records(world.admin.wire.events()), records(other.admin.wire.events())
    assert len(mine) == len(theirs) == 1 and mine[0]["sharedEventID"] == theirs[0]["sharedEventID"]
    assert mine[0]["eventID"] != theirs[0]["eventID"]


def test_an_external_id(world, other):
    caller = world.user(allow("sts:AssumeRole"))
    role = other.role(trust(world.arn("root"), StringEquals={"sts:ExternalId": "unique-external-id-here"}))
    for more in ({}, {"ExternalId": "unique-external-id"}, {"ExternalId": "UNIQUE-EXTERNAL-ID-HERE"}):
        with refused("AccessDenied", 403):
            caller.assume(role, **more)
    caller.assume(role, ExternalId="unique-external-id-here")


def test_tm_b07_a_trust_policy_acts_on_the_next_request(world, other):
    caller = world.user(allow("sts:AssumeRole"))
    name = other.name("role")
    role = other.role(trust(world.arn("root")), allow("iam:ListUsers"), name=name)
    for _ in range(5):
        caller.assume(role)
        other.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust(other.arn("root"))))
        with refused("AccessDenied", 403):
            caller.assume(role)
        other.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust(world.arn("root"))))
    session = caller.assume(role)
    session.iam.list_users()
    # Its policy too, and its end.
    other.iam.delete_role_policy(RoleName=name, PolicyName="p0")
    with refused("AccessDenied", 403):
        session.iam.list_users()
    other.iam.delete_role(RoleName=name)
    answer = session.wire.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.code) == (403, "InvalidClientTokenId")
    world.notes.calls = [call for call in world.notes.calls if call.key != session.key.id]


@pytest.mark.parametrize("kind", ["user", "role"])
def test_tm_c11_a_new_principal_of_an_old_name_gets_nothing(world, other, kind):
    if kind == "user":
        first = world.user(allow("sts:AssumeRole"))
        role = other.role(trust(first.arn))
        first.assume(role)
        world.iam.delete_access_key(UserName=first.name, AccessKeyId=first.key.id)
        world.iam.delete_user_policy(UserName=first.name, PolicyName="p0")
        world.iam.delete_user(UserName=first.name)
        with refused("AccessDenied", 403):
            world.user(allow("sts:AssumeRole"), name=first.name).assume(role)
        return
    name = world.name("role")
    middle = world.role(trust(world.arn("root")), allow("sts:AssumeRole"), name=name)
    role = other.role(trust(middle))
    world.admin.assume(middle).assume(role)
    old = world.admin.assume(middle)
    world.iam.delete_role_policy(RoleName=name, PolicyName="p0")
    world.iam.delete_role(RoleName=name)
    world.role(trust(world.arn("root")), allow("sts:AssumeRole"), name=name)
    with refused("AccessDenied", 403):
        world.admin.assume(middle).assume(role)
    # Nor does a session of the old role become one of the new.
    answer = old.wire.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.code) == (403, "InvalidClientTokenId")


def test_accounts_of_the_operator(world, server):
    listed = json.loads(server.run("account", "list", "--format", "json").stdout)
    found = {account["account"] for account in listed["accounts"]}
    assert {ACCOUNT, OTHER_ACCOUNT} <= found
    assert server.run("account", "create", "--id", OTHER_ACCOUNT, check=False).returncode != 0
    made = server.run("account", "create", "--id", "333333333333", "--name", "third", "--format", "json")
    key = server.key("333333333333")
    assert key.secret not in made.stdout + made.stderr
    outsider = Principal(world, key)
    assert outsider.sts.get_caller_identity()["Account"] == "333333333333"
    users = outsider.iam.list_users()["Users"]
    assert [user["UserName"] for user in users] == ["admin"]
    world.notes.calls = [call for call in world.notes.calls if call.key != key.id]
