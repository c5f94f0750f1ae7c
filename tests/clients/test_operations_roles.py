"""Roles, trust policies and instance profiles."""

import json
import re

import pytest
from conftest import allow, document, paged, refused, trust

EC2 = {"Service": "ec2.amazonaws.com"}


def test_a_role_from_birth_to_death(world):
    iam, name, policy = world.iam, world.name("Role"), trust(EC2)
    text = json.dumps(policy, indent=3)
    made = iam.create_role(
        RoleName=name,
        Path="/app/",
        AssumeRolePolicyDocument=text,
        Description="for tests",
        MaxSessionDuration=7200,
        Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]
    assert re.fullmatch(r"AROA[A-Z2-7]{17}", made["RoleId"])
    assert made["Arn"] == world.arn(f"role/app/{name}")
    got = iam.get_role(RoleName=name)["Role"]
    assert got["AssumeRolePolicyDocument"] == policy
    assert (got["Description"], got["MaxSessionDuration"]) == ("for tests", 7200)
    assert got["Tags"] == [{"Key": "a", "Value": "b"}]
    assert got["RoleLastUsed"] == {}
    listed = [role for role in iam.list_roles(PathPrefix="/app/")["Roles"] if role["RoleName"] == name]
    assert len(listed) == 1 and "Tags" not in listed[0]
    with refused("EntityAlreadyExists", 409, re.compile(f"Role with name {name.upper()} already exists")):
        iam.create_role(RoleName=name.upper(), AssumeRolePolicyDocument=text)

    iam.update_role(RoleName=name, MaxSessionDuration=3600)
    got = iam.get_role(RoleName=name)["Role"]
    assert got["MaxSessionDuration"] == 3600
    iam.update_role(RoleName=name, Description="other")
    assert iam.update_role_description(RoleName=name, Description="third")["Role"]["Description"] == "third"
    assert iam.get_role(RoleName=name)["Role"]["Description"] == "third"
    changed = trust({"AWS": world.arn("root")})
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changed))
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == changed

    iam.delete_role(RoleName=name)
    with refused("NoSuchEntity", 404, f"The role with name {name} cannot be found."):
        iam.get_role(RoleName=name)


def test_roles_that_are_not_there(world):
    iam, ghost = world.iam, "no-such-role"
    text = json.dumps(trust(EC2))
    for call in (
        lambda: iam.get_role(RoleName=ghost),
        lambda: iam.update_role(RoleName=ghost, Description="x"),
        lambda: iam.update_role_description(RoleName=ghost, Description="x"),
        lambda: iam.update_assume_role_policy(RoleName=ghost, PolicyDocument=text),
        lambda: iam.delete_role(RoleName=ghost),
        lambda: iam.tag_role(RoleName=ghost, Tags=[{"Key": "a", "Value": "b"}]),
        lambda: iam.untag_role(RoleName=ghost, TagKeys=["a"]),
        lambda: iam.list_role_tags(RoleName=ghost),
        lambda: iam.list_instance_profiles_for_role(RoleName=ghost),
    ):
        with refused("NoSuchEntity", 404, f"The role with name {ghost} cannot be found."):
            call()


@pytest.mark.parametrize(
    "policy",
    [
        "{",
        "[]",
        json.dumps({"Version": "2012-10-17", "Statement": [{"Efect": "Allow"}]}),
        json.dumps(trust({"AWS": "arn:aws:iam::EXTERNAL-ACCOUNT-ID:root"})),
        json.dumps(trust({"AWS": "arn:aws:iam::123456789012:user/nobody-at-all"})),
        json.dumps(trust({"Service": "ec2"})),
        json.dumps(trust({"AWS": "arn:aws:iam::123456789012:user/*"})),
        json.dumps(allow("sts:AssumeRole")),
        json.dumps(trust(EC2, **{"StringEqual": {"sts:ExternalId": "x"}})),
        json.dumps(trust(EC2)) + json.dumps(trust(EC2)),
    ],
)
def test_trust_policies_that_are_refused(world, policy):
    name = world.name("role")
    with refused("MalformedPolicyDocument", 400):
        world.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)
    with refused("NoSuchEntity", 404):
        world.iam.get_role(RoleName=name)


def test_an_unknown_principal_in_awss_words(world):
    text = json.dumps(trust({"AWS": "arn:aws:iam::EXTERNAL-ACCOUNT-ID:root"}))
    with refused("MalformedPolicyDocument", 400, re.compile(
        '^Invalid principal in policy: "AWS":"arn:aws:iam::EXTERNAL-ACCOUNT-ID:root"'
    )):
        world.iam.create_role(RoleName=world.name("role"), AssumeRolePolicyDocument=text)


def test_a_deleted_principal_shows_as_its_id(world):
    alice = world.user()
    user_id = world.iam.get_user(UserName=alice.name)["User"]["UserId"]
    arn = world.role(trust(alice.arn))
    world.iam.delete_access_key(UserName=alice.name, AccessKeyId=alice.key.id)
    world.iam.delete_user(UserName=alice.name)
    shown = world.iam.get_role(RoleName=arn.rsplit("/")[-1])["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"] == {"AWS": user_id}


def test_what_hangs_on_a_role_keeps_it(world):
    iam, name = world.iam, world.name("role")
    world.role(trust(EC2), allow("s3:*"), name=name)
    arn, profile = world.policy(allow("s3:*")), world.name("profile")
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=name)
    for undo in (
        lambda: iam.detach_role_policy(RoleName=name, PolicyArn=arn),
        lambda: iam.delete_role_policy(RoleName=name, PolicyName="p0"),
        lambda: iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=name),
    ):
        with refused("DeleteConflict", 409, re.compile("^Cannot delete entity, must ")):
            iam.delete_role(RoleName=name)
        undo()
    iam.delete_role(RoleName=name)


def test_roles_and_their_tags_are_paged(world):
    iam, path = world.iam, f"/{world.name('pages')}/"
    names = [world.name("r") for _ in range(5)]
    for name in names:
        world.role(trust(EC2), name=name, Path=path)
    paged(iam.list_roles, "Roles", names, lambda role: role["RoleName"], 2, PathPrefix=path)
    iam.tag_role(RoleName=names[0], Tags=[{"Key": key, "Value": "v"} for key in "abcde"])
    markers = paged(iam.list_role_tags, "Tags", "abcde", lambda tag: tag["Key"], 2, RoleName=names[0])
    with refused("ValidationError", 400):
        iam.list_role_tags(RoleName=names[1], Marker=markers[0])
    iam.untag_role(RoleName=names[0], TagKeys=["A", "b"])
    assert [tag["Key"] for tag in iam.list_role_tags(RoleName=names[0])["Tags"]] == ["c", "d", "e"]


def test_limits_of_a_role(world):
    with refused("ValidationError", 400, re.compile("'maxSessionDuration'.*less than or equal to 43200")):
        world.role(trust(EC2), MaxSessionDuration=43201)
    with refused("ValidationError", 400):
        world.role(trust(EC2), MaxSessionDuration=3599)
    with refused("ValidationError", 400):
        world.role(trust(EC2), Description="x" * 1001)
    with refused("InvalidInput", 400):
        world.role(trust(EC2), Path="/aws-service-role/x.amazonaws.com/")
    long = trust({"AWS": [f"{number:012}" for number in range(100000000000, 100000000200)]})
    with refused("LimitExceeded", 409, "Cannot exceed quota for ACLSizePerRole: 2048"):
        world.role(long)


def test_an_instance_profile_from_birth_to_death(world):
    iam, name, role = world.iam, world.name("Profile"), world.name("role")
    world.role(trust(EC2), name=role)
    made = iam.create_instance_profile(
        InstanceProfileName=name, Path="/ec2/", Tags=[{"Key": "a", "Value": "b"}]
    )["InstanceProfile"]
    assert re.fullmatch(r"AIPA[A-Z2-7]{17}", made["InstanceProfileId"])
    assert made["Arn"] == world.arn(f"instance-profile/ec2/{name}") and made["Roles"] == []
    with refused("EntityAlreadyExists", 409):
        iam.create_instance_profile(InstanceProfileName=name.upper())
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
    got = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert [found["RoleName"] for found in got["Roles"]] == [role]
    assert got["Roles"][0]["AssumeRolePolicyDocument"] == trust(EC2)
    second = world.name("role")
    world.role(trust(EC2), name=second)
    with refused("LimitExceeded", 409, "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"):
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=second)
    for_role = iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]
    assert [found["InstanceProfileName"] for found in for_role] == [name]
    with refused("DeleteConflict", 409, re.compile("must remove roles from instance profile first")):
        iam.delete_instance_profile(InstanceProfileName=name)
    with refused("NoSuchEntity", 404):
        iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=second)
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)

    iam.tag_instance_profile(InstanceProfileName=name, Tags=[{"Key": "c", "Value": "d"}])
    tags = iam.list_instance_profile_tags(InstanceProfileName=name)["Tags"]
    assert [tag["Key"] for tag in tags] == ["a", "c"]
    paged(iam.list_instance_profile_tags, "Tags", "ac", lambda tag: tag["Key"], InstanceProfileName=name)
    iam.untag_instance_profile(InstanceProfileName=name, TagKeys=["a", "c"])
    assert iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Tags"] == []

    iam.delete_instance_profile(InstanceProfileName=name)
    for call in (
        lambda: iam.get_instance_profile(InstanceProfileName=name),
        lambda: iam.delete_instance_profile(InstanceProfileName=name),
        lambda: iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role),
        lambda: iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role),
        lambda: iam.tag_instance_profile(InstanceProfileName=name, Tags=[]),
        lambda: iam.untag_instance_profile(InstanceProfileName=name, TagKeys=["a"]),
        lambda: iam.list_instance_profile_tags(InstanceProfileName=name),
    ):
        with refused("NoSuchEntity", 404, f"Instance Profile {name} cannot be found."):
            call()


def test_instance_profiles_are_paged(world):
    iam, path, role = world.iam, f"/{world.name('pages')}/", world.name("role")
    world.role(trust(EC2), name=role)
    names = [world.name("ip") for _ in range(5)]
    for name in names:
        iam.create_instance_profile(InstanceProfileName=name, Path=path)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
    key = lambda profile: profile["InstanceProfileName"]
    paged(iam.list_instance_profiles, "InstanceProfiles", names, key, 2, PathPrefix=path)
    paged(iam.list_instance_profiles_for_role, "InstanceProfiles", names, key, 2, RoleName=role)


def test_a_role_goes_into_a_profile_only_from_who_may_pass_it(world):
    profile, role = world.name("profile"), world.name("role")
    arn = world.role(trust(EC2), name=role)
    world.iam.create_instance_profile(InstanceProfileName=profile)
    adder = world.user(allow("iam:AddRoleToInstanceProfile"))
    with refused("AccessDenied", 403, re.compile(f"perform: iam:PassRole on resource: {arn} ")):
        adder.iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    passer = world.user(document(*allow("iam:AddRoleToInstanceProfile")["Statement"],
                                 *allow("iam:PassRole", resource=arn)["Statement"]))
    passer.iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
