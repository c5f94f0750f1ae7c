"""Users, groups and memberships."""

import datetime
import json
import re

import pytest
from conftest import allow, paged, refused


def test_a_user_from_birth_to_death(world):
    iam, name = world.iam, world.name("Alice")
    made = iam.create_user(
        UserName=name, Path="/team/blue/", Tags=[{"Key": "Team", "Value": "blue"}]
    )["User"]
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", made["UserId"])
    assert made["Arn"] == world.arn(f"user/team/blue/{name}")
    assert made["Path"] == "/team/blue/" and made["Tags"] == [{"Key": "Team", "Value": "blue"}]
    age = datetime.datetime.now(datetime.timezone.utc) - made["CreateDate"]
    assert abs(age) < datetime.timedelta(minutes=2)

    assert iam.get_user(UserName=name)["User"] == made
    assert iam.get_user(UserName=name.upper())["User"]["UserName"] == name
    listed = [user for user in iam.list_users(PathPrefix="/team/")["Users"] if user["UserName"] == name]
    assert len(listed) == 1 and "Tags" not in listed[0]
    assert not any(
        user["UserName"] == name for user in iam.list_users(PathPrefix="/other/")["Users"]
    )

    renamed = world.name("Alice")
    iam.update_user(UserName=name, NewUserName=renamed, NewPath="/team/red/")
    with refused("NoSuchEntity", 404, f"The user with name {name} cannot be found."):
        iam.get_user(UserName=name)
    after = iam.get_user(UserName=renamed)["User"]
    assert after["UserId"] == made["UserId"]
    assert after["Arn"] == world.arn(f"user/team/red/{renamed}")

    iam.delete_user(UserName=renamed)
    with refused("NoSuchEntity", 404, f"The user with name {renamed} cannot be found."):
        iam.delete_user(UserName=renamed)
    iam.create_user(UserName=renamed)
    assert iam.get_user(UserName=renamed)["User"]["UserId"] != made["UserId"]


def test_names_of_users_are_unique_without_regard_to_case(world):
    name = world.name("Bob")
    world.iam.create_user(UserName=name)
    with refused("EntityAlreadyExists", 409, re.compile(f"User with name {name.upper()} already exists")):
        world.iam.create_user(UserName=name.upper())
    second = world.name("bob")
    world.iam.create_user(UserName=second)
    with refused("EntityAlreadyExists", 409):
        world.iam.update_user(UserName=second, NewUserName=name.lower())
    world.iam.update_user(UserName=name, NewUserName=name.upper())
    assert world.iam.get_user(UserName=name)["User"]["UserName"] == name.upper()


def test_users_that_are_not_there(world):
    iam, ghost = world.iam, "nobody-at-all"
    for call in (
        lambda: iam.get_user(UserName=ghost),
        lambda: iam.update_user(UserName=ghost, NewPath="/x/"),
        lambda: iam.delete_user(UserName=ghost),
        lambda: iam.tag_user(UserName=ghost, Tags=[{"Key": "a", "Value": "b"}]),
        lambda: iam.untag_user(UserName=ghost, TagKeys=["a"]),
        lambda: iam.list_user_tags(UserName=ghost),
        lambda: iam.list_groups_for_user(UserName=ghost),
    ):
        with refused("NoSuchEntity", 404, f"The user with name {ghost} cannot be found."):
            call()


def test_get_user_without_a_name_is_the_caller(world):
    alice = world.user(allow("iam:GetUser", resource=world.arn("user/${aws:username}")))
    assert alice.iam.get_user()["User"]["UserName"] == alice.name
    with refused("AccessDenied", 403):
        alice.iam.get_user(UserName="admin")


def test_what_hangs_on_a_user_keeps_it(world):
    iam, user = world.iam, world.name("user")
    group, arn = world.name("group"), world.policy(allow("s3:GetObject"))
    iam.create_user(UserName=user)
    iam.create_group(GroupName=group)
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(allow("s3:*")))
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.create_login_profile(UserName=user, Password="Correct-horse-1")
    conflict = re.compile("Cannot delete entity, must ")
    for undo in (
        lambda: iam.detach_user_policy(UserName=user, PolicyArn=arn),
        lambda: iam.delete_user_policy(UserName=user, PolicyName="p"),
        lambda: iam.delete_access_key(UserName=user, AccessKeyId=key),
        lambda: iam.remove_user_from_group(GroupName=group, UserName=user),
        lambda: iam.delete_login_profile(UserName=user),
    ):
        with refused("DeleteConflict", 409, conflict):
            iam.delete_user(UserName=user)
        undo()
    iam.delete_user(UserName=user)


def test_tags_of_a_user(world):
    iam, name = world.iam, world.name("user")
    iam.create_user(UserName=name)
    iam.tag_user(UserName=name, Tags=[{"Key": "Team", "Value": "red"}, {"Key": "Ä b", "Value": ""}])
    iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "blue"}])
    tags = {tag["Key"].lower(): tag["Value"] for tag in iam.list_user_tags(UserName=name)["Tags"]}
    assert tags == {"team": "blue", "ä b": ""}
    assert len(iam.get_user(UserName=name)["User"]["Tags"]) == 2
    paged(iam.list_user_tags, "Tags", {"Ä b"}, lambda tag: tag["Key"], UserName=name)
    iam.untag_user(UserName=name, TagKeys=["TEAM", "not there"])
    assert [tag["Key"] for tag in iam.list_user_tags(UserName=name)["Tags"]] == ["Ä b"]

    duplicate = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    with refused("InvalidInput", 400, duplicate):
        iam.tag_user(UserName=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])
    with refused("InvalidInput", 400):
        iam.tag_user(UserName=name, Tags=[{"Key": "aws:x", "Value": "1"}])
    with refused("ValidationError", 400):
        iam.tag_user(UserName=name, Tags=[{"Key": "k" * 129, "Value": "1"}])
    with refused("ValidationError", 400):
        iam.tag_user(UserName=name, Tags=[{"Key": "k", "Value": "a*b"}])
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    with refused("LimitExceeded", 409):
        iam.tag_user(UserName=name, Tags=many)
    iam.tag_user(UserName=name, Tags=many[:49])
    assert len(iam.list_user_tags(UserName=name)["Tags"]) == 50


def test_validation_comes_first_and_tells_all(world):
    with refused("ValidationError", 400, re.compile(
        r"^1 validation error detected: Value at 'userName' failed to satisfy constraint: "
        r"Member must have length less than or equal to 64$"
    )):
        world.iam.create_user(UserName="u" * 65)
    with refused("ValidationError", 400, re.compile(
        r"^1 validation error detected: Value at 'userName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: \[\\w\+=,\.@-\]\+$"
    )):
        world.iam.create_user(UserName="a b")
    with refused("ValidationError", 400, re.compile(r"^2 validation errors detected: .*; ")):
        world.iam.create_user(UserName="a b", Path="x")
    with refused("ValidationError", 400, re.compile("Member must not be null")):
        world.iam.create_user()
    with refused("ValidationError", 400, re.compile("less than or equal to 1000")):
        world.iam.list_users(MaxItems=1001)


def test_pages_of_users(world):
    iam, path = world.iam, f"/{world.name('pages')}/"
    names = [world.name("Page") for _ in range(7)]
    for name in names:
        iam.create_user(UserName=name, Path=path)
    for size in (1, 2, 3):
        markers = paged(iam.list_users, "Users", names, lambda user: user["UserName"], size, PathPrefix=path)
    # A user that is deleted while somebody pages does not make others be left out.
    first = iam.list_users(PathPrefix=path, MaxItems=3)
    iam.delete_user(UserName=first["Users"][-1]["UserName"])
    rest = iam.list_users(PathPrefix=path, Marker=first["Marker"])["Users"]
    assert {user["UserName"] for user in first["Users"] + rest} == set(names)

    marker = markers[0]
    for misuse in (
        lambda: iam.list_users(PathPrefix="/", Marker=marker),
        lambda: iam.list_groups(PathPrefix=path, Marker=marker),
        lambda: iam.list_users(PathPrefix=path, Marker=marker[:-2] + ("A" if marker[-2] != "A" else "B") + marker[-1]),
        lambda: iam.list_users(PathPrefix=path, Marker="x"),
    ):
        with refused("ValidationError", 400):
            misuse()


def test_a_marker_is_its_callers_own(world, other):
    path = f"/{world.name('pages')}/"
    for _ in range(3):
        world.iam.create_user(UserName=world.name("u"), Path=path)
    marker = world.iam.list_users(PathPrefix=path, MaxItems=1)["Marker"]
    reader = world.user(allow("iam:ListUsers"))
    reader.iam.list_users(PathPrefix=path)
    with refused("ValidationError", 400):
        reader.iam.list_users(PathPrefix=path, Marker=marker)
    with refused("ValidationError", 400):
        other.iam.list_users(PathPrefix=path, Marker=marker)


def test_a_group_from_birth_to_death(world):
    iam, name = world.iam, world.name("Group")
    made = iam.create_group(GroupName=name, Path="/org/")["Group"]
    assert re.fullmatch(r"AGPA[A-Z2-7]{17}", made["GroupId"])
    assert made["Arn"] == world.arn(f"group/org/{name}")
    assert iam.get_group(GroupName=name)["Group"] == made
    assert made in iam.list_groups(PathPrefix="/org/")["Groups"]
    with refused("EntityAlreadyExists", 409, re.compile("already exists")):
        iam.create_group(GroupName=name.lower())
    second = world.name("Group")
    iam.create_group(GroupName=second)
    with refused("EntityAlreadyExists", 409):
        iam.update_group(GroupName=second, NewGroupName=name.upper())
    renamed = world.name("Group")
    iam.update_group(GroupName=name, NewGroupName=renamed, NewPath="/new/")
    after = iam.get_group(GroupName=renamed)["Group"]
    assert (after["GroupId"], after["Path"]) == (made["GroupId"], "/new/")
    iam.delete_group(GroupName=renamed)
    for call in (
        lambda: iam.get_group(GroupName=renamed),
        lambda: iam.delete_group(GroupName=renamed),
        lambda: iam.update_group(GroupName=renamed, NewPath="/x/"),
        lambda: iam.add_user_to_group(GroupName=renamed, UserName="admin"),
        lambda: iam.remove_user_from_group(GroupName=renamed, UserName="admin"),
    ):
        with refused("NoSuchEntity", 404, f"The group with name {renamed} cannot be found."):
            call()


def test_memberships(world):
    iam, group = world.iam, world.name("group")
    iam.create_group(GroupName=group)
    users = [world.name("member") for _ in range(5)]
    for user in users:
        iam.create_user(UserName=user)
        iam.add_user_to_group(GroupName=group, UserName=user)
    iam.add_user_to_group(GroupName=group, UserName=users[0])
    paged(iam.get_group, "Users", users, lambda user: user["UserName"], 2, GroupName=group)
    assert [found["GroupName"] for found in iam.list_groups_for_user(UserName=users[0])["Groups"]] == [group]
    with refused("DeleteConflict", 409):
        iam.delete_group(GroupName=group)
    with refused("NoSuchEntity", 404, "The user with name nobody cannot be found."):
        iam.add_user_to_group(GroupName=group, UserName="nobody")
    for user in users:
        iam.remove_user_from_group(GroupName=group, UserName=user)
    assert iam.get_group(GroupName=group)["Users"] == []
    assert iam.list_groups_for_user(UserName=users[0])["Groups"] == []
    iam.delete_group(GroupName=group)


def test_a_user_is_in_ten_groups_at_most(world):
    iam, user = world.iam, world.name("user")
    iam.create_user(UserName=user)
    groups = [world.name("g") for _ in range(11)]
    for group in groups:
        iam.create_group(GroupName=group)
    for group in groups[:10]:
        iam.add_user_to_group(GroupName=group, UserName=user)
    with refused("LimitExceeded", 409, "Cannot exceed quota for GroupsPerUser: 10"):
        iam.add_user_to_group(GroupName=groups[10], UserName=user)
    paged(iam.list_groups_for_user, "Groups", groups[:10], lambda group: group["GroupName"], 3, UserName=user)


def test_a_policy_of_a_group_is_its_members(world):
    iam, group = world.iam, world.name("group")
    iam.create_group(GroupName=group)
    alice = world.user()
    with refused("AccessDenied", 403):
        alice.iam.list_users()
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=json.dumps(allow("iam:ListUsers")))
    iam.add_user_to_group(GroupName=group, UserName=alice.name)
    alice.iam.list_users()
    iam.remove_user_from_group(GroupName=group, UserName=alice.name)
    with refused("AccessDenied", 403):
        alice.iam.list_users()


def test_groups_are_paged(world):
    path = f"/{world.name('pages')}/"
    names = [world.name("g") for _ in range(5)]
    for name in names:
        world.iam.create_group(GroupName=name, Path=path)
    paged(world.iam.list_groups, "Groups", names, lambda group: group["GroupName"], 2, PathPrefix=path)


@pytest.mark.parametrize("name", ["a", "Z+=,.@_-", "u" * 64])
def test_names_that_are_allowed(world, name):
    made = world.iam.create_user(UserName=name)["User"]
    assert made["UserName"] == name and made["Arn"].endswith(f"user/{name}")
    world.iam.delete_user(UserName=name)
