"""Access keys, passwords, the account itself, and STS."""

import datetime
import json
import re

import pytest
from conftest import ACCOUNT, OTHER_ACCOUNT, Principal, allow, deny, document, paged, refused, trust
from process import Key

GOOD, BETTER = "Correct-horse-1", "Battery+staple-2"


def test_an_access_key_from_birth_to_death(world):
    iam, name = world.iam, world.name("user")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", made["AccessKeyId"]) and made["Status"] == "Active"
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", made["SecretAccessKey"]) and made["UserName"] == name
    user = Principal(world, Key.of(made), name)
    assert user.sts.get_caller_identity()["Arn"] == world.arn(f"user/{name}")
    second = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    with refused("LimitExceeded", 409, "Cannot exceed quota for AccessKeysPerUser: 2"):
        iam.create_access_key(UserName=name)
    listed = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {made["AccessKeyId"], second}
    assert "SecretAccessKey" not in json.dumps(listed, default=str)
    paged(iam.list_access_keys, "AccessKeyMetadata", [second], lambda key: key["AccessKeyId"], UserName=name)

    iam.update_access_key(UserName=name, AccessKeyId=made["AccessKeyId"], Status="Inactive")
    status = {key["AccessKeyId"]: key["Status"] for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]}
    assert status == {made["AccessKeyId"]: "Inactive", second: "Active"}
    answer = user.wire.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.code) == (403, "InvalidClientTokenId")
    iam.update_access_key(UserName=name, AccessKeyId=made["AccessKeyId"], Status="Active")
    user.sts.get_caller_identity()
    iam.delete_access_key(UserName=name, AccessKeyId=made["AccessKeyId"])
    answer = user.wire.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.code) == (403, "InvalidClientTokenId")
    assert answer.message == "The security token included in the request is invalid."
    for call in (
        lambda: iam.delete_access_key(UserName=name, AccessKeyId=made["AccessKeyId"]),
        lambda: iam.update_access_key(UserName=name, AccessKeyId=made["AccessKeyId"], Status="Active"),
    ):
        with refused("NoSuchEntity", 404, f"The Access Key with id {made['AccessKeyId']} cannot be found."):
            call()


def test_a_key_of_somebody_else_is_not_ones_own(world):
    alice, bob = world.user(), world.user()
    for call in (world.iam.delete_access_key, lambda **more: world.iam.update_access_key(Status="Inactive", **more)):
        with refused("NoSuchEntity", 404):
            call(UserName=alice.name, AccessKeyId=bob.key.id)
    for ghost in (
        lambda: world.iam.create_access_key(UserName="ghost"),
        lambda: world.iam.list_access_keys(UserName="ghost"),
        lambda: world.iam.delete_access_key(UserName="ghost", AccessKeyId=bob.key.id),
        lambda: world.iam.update_access_key(UserName="ghost", AccessKeyId=bob.key.id, Status="Active"),
    ):
        with refused("NoSuchEntity", 404, "The user with name ghost cannot be found."):
            ghost()
    with refused("ValidationError", 400):
        world.iam.update_access_key(UserName=bob.name, AccessKeyId=bob.key.id, Status="Sleeping")


def test_the_last_use_of_a_key(world):
    alice = world.user()
    last = world.iam.get_access_key_last_used(AccessKeyId=alice.key.id)
    assert last["UserName"] == alice.name
    assert last["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    alice.client("sts", "eu-west-1").get_caller_identity()
    last = world.iam.get_access_key_last_used(AccessKeyId=alice.key.id)["AccessKeyLastUsed"]
    assert (last["ServiceName"], last["Region"]) == ("sts", "eu-west-1")
    assert last["LastUsedDate"] >= before
    with refused("AccessDenied", 403):
        alice.iam.get_user()
    last = world.iam.get_access_key_last_used(AccessKeyId=alice.key.id)["AccessKeyLastUsed"]
    assert (last["ServiceName"], last["Region"]) == ("iam", "us-east-1")
    with refused("AccessDenied", 403):
        world.iam.get_access_key_last_used(AccessKeyId="AKIAAAAAAAAAAAAAAAAA")


def test_passwords(world):
    iam, name = world.iam, world.name("user")
    iam.create_user(UserName=name)
    with refused("NoSuchEntity", 404, f"Login Profile for User {name} cannot be found."):
        iam.get_login_profile(UserName=name)
    for weak in ("short", "alllowercaseletters", "x" * 129):
        with refused("PasswordPolicyViolation" if len(weak) < 129 else "ValidationError", 400):
            iam.create_login_profile(UserName=name, Password=weak)
    made = iam.create_login_profile(UserName=name, Password=GOOD, PasswordResetRequired=True)["LoginProfile"]
    assert (made["UserName"], made["PasswordResetRequired"]) == (name, True)
    with refused("EntityAlreadyExists", 409):
        iam.create_login_profile(UserName=name, Password=GOOD)
    iam.update_login_profile(UserName=name, PasswordResetRequired=False)
    assert not iam.get_login_profile(UserName=name)["LoginProfile"]["PasswordResetRequired"]
    with refused("PasswordPolicyViolation", 400):
        iam.update_login_profile(UserName=name, Password="short")
    iam.update_login_profile(UserName=name, Password=BETTER)
    iam.delete_login_profile(UserName=name)
    for call in (iam.get_login_profile, iam.update_login_profile, iam.delete_login_profile):
        with refused("NoSuchEntity", 404):
            call(UserName=name)
    for call in (iam.get_login_profile, iam.update_login_profile, iam.delete_login_profile,
                 lambda UserName: iam.create_login_profile(UserName=UserName, Password=GOOD)):
        with refused("NoSuchEntity", 404, "The user with name ghost cannot be found."):
            call(UserName="ghost")


def test_a_user_changes_its_own_password(world):
    alice = world.user(allow("iam:ChangePassword", resource=world.arn("user/${aws:username}")))
    world.iam.create_login_profile(UserName=alice.name, Password=GOOD, PasswordResetRequired=True)
    with refused("AccessDenied", 403):
        alice.iam.change_password(OldPassword=BETTER, NewPassword=GOOD)
    with refused("PasswordPolicyViolation", 400):
        alice.iam.change_password(OldPassword=GOOD, NewPassword="short")
    alice.iam.change_password(OldPassword=GOOD, NewPassword=BETTER)
    assert not world.iam.get_login_profile(UserName=alice.name)["LoginProfile"]["PasswordResetRequired"]
    with refused("AccessDenied", 403):
        alice.iam.change_password(OldPassword=GOOD, NewPassword=BETTER)
    role = world.role(trust(world.arn("root")), allow("iam:*"))
    with refused("InvalidUserType", 400):
        world.admin.assume(role).iam.change_password(OldPassword=GOOD, NewPassword=BETTER)


def test_no_secret_is_in_the_trail(world):
    alice = world.user()
    world.iam.create_login_profile(UserName=alice.name, Password=GOOD)
    token = world.admin.assume(world.role(trust(world.arn("root")))).key
    text = json.dumps(list(world.events().values()))
    for secret in (alice.key.secret, GOOD, token.secret, token.token):
        assert secret not in text


def test_the_alias_of_the_account(world, other):
    iam, first, second = world.iam, world.name("alias-a"), world.name("alias-b")
    iam.create_account_alias(AccountAlias=first)
    assert iam.list_account_aliases()["AccountAliases"] == [first]
    iam.create_account_alias(AccountAlias=second)
    assert iam.list_account_aliases(MaxItems=1)["AccountAliases"] == [second]
    with refused("EntityAlreadyExists", 409, f"The account alias {second} already exists."):
        other.iam.create_account_alias(AccountAlias=second)
    other.iam.create_account_alias(AccountAlias=first)
    other.iam.delete_account_alias(AccountAlias=first)
    with refused("NoSuchEntity", 404):
        iam.delete_account_alias(AccountAlias=first)
    for bad in ("A-b", "-ab", "a--b", "ab"):
        with refused("ValidationError", 400):
            iam.create_account_alias(AccountAlias=bad)
    iam.delete_account_alias(AccountAlias=second)
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_the_summary_counts(world):
    before = world.iam.get_account_summary()["SummaryMap"]
    world.user()
    world.role(trust({"Service": "ec2.amazonaws.com"}))
    world.policy(allow("s3:*"))
    world.iam.create_group(GroupName=world.name("g"))
    world.iam.create_instance_profile(InstanceProfileName=world.name("i"))
    after = world.iam.get_account_summary()["SummaryMap"]
    for key in ("Users", "Roles", "Policies", "Groups", "InstanceProfiles"):
        assert after[key] == before[key] + 1, key
    for key, value in {
        "UsersQuota": 5000, "GroupsQuota": 300, "RolesQuota": 1000, "PoliciesQuota": 1500,
        "AccessKeysPerUserQuota": 2, "GroupsPerUserQuota": 10, "VersionsPerPolicyQuota": 5,
        "PolicySizeQuota": 6144, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0,
    }.items():
        assert after[key] == value, key


def test_authorization_details(world):
    iam, group, arn = world.iam, world.name("group"), world.policy(allow("s3:*"))
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="g", PolicyDocument=json.dumps(deny("s3:*")))
    alice = world.user(allow("iam:*"), Tags=[{"Key": "a", "Value": "b"}])
    iam.add_user_to_group(GroupName=group, UserName=alice.name)
    iam.attach_user_policy(UserName=alice.name, PolicyArn=arn)
    role = world.name("role")
    world.role(trust(alice.arn), name=role)
    profile = world.name("profile")
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    parts = {"User": "UserDetailList", "Group": "GroupDetailList", "Role": "RoleDetailList", "LocalManagedPolicy": "Policies"}
    key = lambda item: item["Arn"]
    expected = [alice.arn, world.arn(f"group/{group}"), world.arn(f"role/{role}"), arn]
    paged(iam.get_account_authorization_details, list(parts.values()), expected, key, 50,
          Filter=list(parts))
    whole = {}
    marker = {}
    while True:
        page = iam.get_account_authorization_details(Filter=list(parts), **marker)
        for part in parts.values():
            whole.update({item["Arn"]: item for item in page[part]})
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    user = whole[alice.arn]
    assert user["GroupList"] == [group] and user["Tags"] == [{"Key": "a", "Value": "b"}]
    assert user["UserPolicyList"] == [{"PolicyName": "p0", "PolicyDocument": allow("iam:*")}]
    assert user["AttachedManagedPolicies"][0]["PolicyArn"] == arn
    assert whole[world.arn(f"group/{group}")]["GroupPolicyList"][0]["PolicyDocument"] == deny("s3:*")
    assert whole[world.arn(f"role/{role}")]["AssumeRolePolicyDocument"] == trust(alice.arn)
    assert whole[world.arn(f"role/{role}")]["InstanceProfileList"][0]["InstanceProfileName"] == profile
    assert whole[arn]["PolicyVersionList"][0]["Document"] == allow("s3:*")
    only = iam.get_account_authorization_details(Filter=["Group"])
    assert only["GroupDetailList"] and not only["UserDetailList"] and not only["RoleDetailList"]


def test_who_calls(world):
    alice = world.user(Path="/team/")
    told = alice.sts.get_caller_identity()
    assert (told["Account"], told["Arn"]) == (ACCOUNT, alice.arn)
    assert told["UserId"] == world.iam.get_user(UserName=alice.name)["User"]["UserId"]
    # Not even a Deny takes it away.
    world.iam.put_user_policy(UserName=alice.name, PolicyName="d", PolicyDocument=json.dumps(deny("*")))
    alice.sts.get_caller_identity()


def test_the_account_of_a_key(world):
    alice = world.user(allow("sts:GetAccessKeyInfo"))
    assert alice.sts.get_access_key_info(AccessKeyId=alice.key.id)["Account"] == ACCOUNT
    assert alice.sts.get_access_key_info(AccessKeyId=world.admin.key.id)["Account"] == ACCOUNT
    with refused("ValidationError", 400):
        alice.sts.get_access_key_info(AccessKeyId="AKIA-not-a-key-id")


def test_a_session_of_a_role(world):
    role = world.role(trust(world.arn("root")), allow("iam:ListUsers"), Path="/p/")
    found = world.sts.assume_role(RoleArn=role, RoleSessionName="alice@example")
    name = role.rsplit("/")[-1]
    assert found["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/alice@example"
    role_id = world.iam.get_role(RoleName=name)["Role"]["RoleId"]
    assert found["AssumedRoleUser"]["AssumedRoleId"] == f"{role_id}:alice@example"
    key = Key.of(found["Credentials"])
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", key.id)
    left = found["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=59) < left <= datetime.timedelta(minutes=60, seconds=1)
    session = Principal(world, key)
    told = session.sts.get_caller_identity()
    assert told["UserId"] == f"{role_id}:alice@example"
    session.iam.list_users()
    with refused("AccessDenied", 403, re.compile(f"^User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/alice@example is not")):
        session.iam.list_roles()
    assert world.iam.get_role(RoleName=name)["Role"]["RoleLastUsed"]["Region"] == "us-east-1"
    event = world.event_of(session.sts.get_caller_identity()["ResponseMetadata"]["RequestId"])
    issuer = event["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert (issuer["userName"], issuer["arn"]) == (name, role)


def test_who_may_not_assume_a_role(world):
    alice, bob = world.user(), world.user(allow("sts:AssumeRole"))
    by_name, by_root = world.role(trust(alice.arn)), world.role(trust(world.arn("root")))
    alice.assume(by_name)
    with refused("AccessDenied", 403):
        alice.assume(by_root)
    bob.assume(by_root)
    with refused("AccessDenied", 403, re.compile(f"not authorized to perform: sts:AssumeRole on resource: {by_name}")):
        bob.assume(by_name)
    with refused("AccessDenied", 403):
        world.admin.assume(world.role(trust({"Service": "ec2.amazonaws.com"})))
    with refused("AccessDenied", 403):
        world.admin.assume(world.arn("role/no-such-role"))
    world.iam.put_user_policy(UserName=alice.name, PolicyName="d", PolicyDocument=json.dumps(deny("sts:*")))
    with refused("AccessDenied", 403, re.compile("with an explicit deny in an identity-based policy")):
        alice.assume(by_name)


def test_what_a_session_may_ask_for(world):
    name = world.name("role")
    role = world.role(trust(world.arn("root")), name=name)
    for wrong, more in (
        ("ValidationError", {"DurationSeconds": 899}),
        ("ValidationError", {"DurationSeconds": 43201}),
        ("ValidationError", {"DurationSeconds": 3601}),
        ("MalformedPolicyDocument", {"Policy": "{"}),
        ("MalformedPolicyDocument", {"Policy": json.dumps(trust("*"))}),
        ("PackedPolicyTooLarge", {"Policy": json.dumps(allow("s3:" + "x" * 2048))}),
        ("PackedPolicyTooLarge", {"Policy": json.dumps(allow("s3:" + "x" * 1900)), "PolicyArns": [
            {"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}] * 4}),
        ("InvalidParameterValue", {"TransitiveTagKeys": ["Team"]}),
        ("ValidationError", {"ExternalId": "x"}),
    ):
        with refused(wrong, 400):
            world.admin.assume(role, **more)
    with refused("ValidationError", 400, re.compile("'roleSessionName'")):
        world.admin.assume(role, session="a b")
    with refused("ValidationError", 400):
        world.admin.assume("arn:aws:iam::123456789012:user/alice-the-user")
    with refused("ValidationError", 400, re.compile("exceeds the MaxSessionDuration set for this role")):
        world.admin.assume(role, DurationSeconds=7200)
    world.iam.update_role(RoleName=name, MaxSessionDuration=7200)
    world.admin.assume(role, DurationSeconds=7200)


def test_a_session_policy_only_takes_away(world):
    role = world.role(trust(world.arn("root")), allow("iam:ListUsers", "iam:ListRoles"))
    limited = world.admin.assume(role, Policy=json.dumps(allow("iam:ListUsers", "iam:ListGroups")))
    limited.iam.list_users()
    with refused("AccessDenied", 403, re.compile("no session policy allows the iam:ListRoles action")):
        limited.iam.list_roles()
    with refused("AccessDenied", 403, re.compile("no identity-based policy allows the iam:ListGroups action")):
        limited.iam.list_groups()
    by_arn = world.admin.assume(role, PolicyArns=[{"arn": world.policy(allow("iam:ListRoles"))}])
    by_arn.iam.list_roles()
    with refused("AccessDenied", 403):
        by_arn.iam.list_users()


def test_tags_and_identity_of_sessions(world):
    open_trust = trust(world.arn("root"), ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
    first = world.role(open_trust, document(
        *allow("sts:*")["Statement"],
        *allow("iam:ListUsers", StringEquals={"aws:PrincipalTag/Team": "blue"})["Statement"],
    ))
    second = world.role(open_trust, allow("iam:ListUsers", StringEquals={
        "aws:PrincipalTag/Team": "blue", "aws:SourceIdentity": "alice"}))
    plain = world.admin.assume(first)
    with refused("AccessDenied", 403):
        plain.iam.list_users()
    tagged = world.admin.assume(first, Tags=[{"Key": "Team", "Value": "blue"}],
                                TransitiveTagKeys=["Team"], SourceIdentity="alice")
    tagged.iam.list_users()
    chained = tagged.assume(second)
    chained.iam.list_users()
    with refused("InvalidParameterValue", 400):
        tagged.assume(second, Tags=[{"Key": "Team", "Value": "red"}])
    with refused("AccessDenied", 403):
        tagged.assume(second, SourceIdentity="bob")
    with refused("ValidationError", 400, re.compile("exceeds the 1 hour session limit for roles assumed by role chaining")):
        tagged.assume(second, DurationSeconds=3601)
    closed = world.role(trust(world.arn("root")))
    with refused("AccessDenied", 403, re.compile("sts:TagSession")):
        world.admin.assume(closed, Tags=[{"Key": "Team", "Value": "blue"}])
    with refused("AccessDenied", 403, re.compile("sts:SetSourceIdentity")):
        world.admin.assume(closed, SourceIdentity="alice")


def test_session_tokens_of_users(world):
    alice = world.user(allow("iam:ListUsers", "sts:*"))
    found = alice.sts.get_session_token(DurationSeconds=900)["Credentials"]
    session = Principal(world, Key.of(found), alice.name, alice.arn)
    assert session.sts.get_caller_identity()["Arn"] == alice.arn
    # IAM does not take such a token without a second factor.
    with refused("InvalidClientTokenId", 403):
        session.iam.list_users()
    with refused("AccessDenied", 403):
        session.sts.get_session_token()
    role = world.role(trust(alice.arn), allow("iam:ListUsers"))
    session.assume(role).iam.list_users()
    with refused("AccessDenied", 403):
        session.assume(role).sts.get_session_token()
    for bad in (899, 129601):
        with refused("ValidationError", 400):
            alice.sts.get_session_token(DurationSeconds=bad)
    with refused("AccessDenied", 403, re.compile("^MultiFactorAuthentication failed")):
        alice.sts.get_session_token(SerialNumber=world.arn("mfa/alice"), TokenCode="123456")


@pytest.mark.untraced
def test_tm_a12_b01_tokens_that_are_not_genuine(world, other):
    role = world.role(trust(world.arn("root")))
    key, second = world.admin.assume(role).key, world.admin.assume(role).key
    middle = len(key.token) // 2
    bent = key.token[:middle] + ("A" if key.token[middle] != "A" else "B") + key.token[middle + 1:]
    for wrong in (
        Key(key.id, key.secret),
        Key(key.id, key.secret, second.token),
        Key(second.id, key.secret, key.token),
        Key(key.id, key.secret, bent),
        Key(key.id, key.secret, key.token[:-4]),
        Key(key.id, key.secret, "x"),
        Key(world.admin.key.id, world.admin.key.secret, key.token),
    ):
        answer = Principal(world, wrong).wire.call("sts", "GetCallerIdentity")
        assert (answer.status, answer.code) == (403, "InvalidClientTokenId"), answer.text
    answer = Principal(world, Key(key.id, second.secret, key.token)).wire.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_root_keys_come_from_the_host_alone(world, server):
    root = Principal(world, server.root_key())
    assert root.sts.get_caller_identity()["Arn"] == world.arn("root")
    assert root.iam.get_user()["User"]["Arn"] == world.arn("root")
    root.iam.list_users()
    assert world.iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 1
    with refused("AccessDenied", 403):
        root.assume(world.role(trust(world.arn("root"))))
    server.run("root", "delete-key", "--account", ACCOUNT)
    answer = root.wire.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.code) == (403, "InvalidClientTokenId")
    assert world.iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 0
