"""The account's password policy, its credential report, and sessions of federated users."""

import csv
import io
import json
import re

import botocore.exceptions
import pytest

import process
from conftest import ACCOUNT, Principal, World, allow, refused, trust

GOOD, BETTER = "Correct-horse-1", "Correct-horse-2"
POLICY = {
    "MinimumPasswordLength": 14, "RequireSymbols": True, "RequireNumbers": True,
    "RequireUppercaseCharacters": True, "RequireLowercaseCharacters": True,
    "AllowUsersToChangePassword": True, "MaxPasswordAge": 90, "PasswordReusePrevention": 24, "HardExpiry": False,
}
NO_POLICY = f"The Password Policy with domain name {ACCOUNT} cannot be found."


@pytest.fixture
def alone(dev):
    """An account that no other test sees, on a server whose clock can be set."""
    found = World(dev, dev.key(), ACCOUNT)
    yield found
    found.check_notes()


def test_the_password_policy(alone):
    iam = alone.iam
    with refused("NoSuchEntity", 404, NO_POLICY):
        iam.get_account_password_policy()
    with refused("NoSuchEntity", 404):
        iam.delete_account_password_policy()
    iam.update_account_password_policy(**POLICY)
    assert iam.get_account_password_policy()["PasswordPolicy"] == POLICY | {"ExpirePasswords": True}
    alice = alone.user()
    with refused("PasswordPolicyViolation", 400, "Password should have a minimum length of 14"):
        iam.create_login_profile(UserName=alice.name, Password="short")
    with refused("PasswordPolicyViolation", 400, "Password should have at least one symbol"):
        iam.create_login_profile(UserName=alice.name, Password="Correcthorse12")
    iam.create_login_profile(UserName=alice.name, Password=GOOD)
    # By the policy alone, and never back to an earlier one.
    alice.iam.change_password(OldPassword=GOOD, NewPassword=BETTER)
    for reused in (GOOD, BETTER):
        with refused("PasswordPolicyViolation", 400, re.compile("password reuse prevention")):
            alice.iam.change_password(OldPassword=BETTER, NewPassword=reused)
        with refused("PasswordPolicyViolation", 400, re.compile("password reuse prevention")):
            iam.update_login_profile(UserName=alice.name, Password=reused)
    iam.update_account_password_policy(MinimumPasswordLength=20)
    found = iam.get_account_password_policy()["PasswordPolicy"]
    assert found["MinimumPasswordLength"] == 20 and not found["RequireSymbols"] and "MaxPasswordAge" not in found
    with refused("AccessDenied", 403):
        alice.iam.change_password(OldPassword=BETTER, NewPassword=GOOD)
    for bad in ({"MinimumPasswordLength": 5}, {"MaxPasswordAge": 1096}, {"PasswordReusePrevention": 25}):
        with refused("ValidationError", 400):
            iam.update_account_password_policy(**bad)
    iam.delete_account_password_policy()
    with refused("NoSuchEntity", 404, NO_POLICY):
        iam.get_account_password_policy()


def rows(iam):
    """The report by user."""
    found = iam.get_credential_report()
    assert found["ReportFormat"] == "text/csv"
    return {row["user"]: row for row in csv.DictReader(io.StringIO(found["Content"].decode()))}


def test_the_credential_report(alone):
    iam = alone.iam
    with refused("ReportNotPresent", 410):
        iam.get_credential_report()
    alice = alone.user(allow("iam:ListUsers"))
    alice.iam.list_users()
    iam.create_login_profile(UserName=alice.name, Password=GOOD)
    iam.update_account_password_policy(MaxPasswordAge=30)
    states = []
    while not states or states[-1] != "COMPLETE":
        states.append(iam.generate_credential_report()["State"])
    assert states == ["STARTED", "COMPLETE"]
    found = rows(iam)
    assert next(iter(found)) == "<root_account>" and found["<root_account>"]["password_enabled"] == "not_supported"
    row = found[alice.name]
    assert len(row) == 22 and row["arn"] == alice.arn and row["mfa_active"] == "false"
    assert (row["password_enabled"], row["access_key_1_active"], row["access_key_2_active"]) == ("true", "true", "false")
    assert row["access_key_1_last_used_service"] == "iam" and row["access_key_2_last_rotated"] == "N/A"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", row["password_next_rotation"])
    late = alone.user()
    assert late.name not in rows(iam)
    for call in (late.iam.generate_credential_report, late.iam.get_credential_report):
        with refused("AccessDenied", 403):
            call()
    alone.server.set_clock(advance_seconds=4 * 3600 + 10)
    with refused("ReportExpired", 410):
        iam.get_credential_report()
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert late.name in rows(iam)


def federated(maker, policy=None, name="fred", **more):
    """A federated user of a maker."""
    more |= {"Policy": json.dumps(policy)} if policy else {}
    made = maker.sts.get_federation_token(Name=name, **more)
    return Principal(maker.world, process.Key.of(made["Credentials"]), name, made["FederatedUser"]["Arn"])


def test_federated_users(world):
    bob = world.user(allow("sts:GetFederationToken", "sts:TagSession", "iam:*"))
    fred = federated(bob, allow("*"))
    told = fred.sts.get_caller_identity()
    assert told["Arn"] == fred.arn == f"arn:aws:sts::{ACCOUNT}:federated-user/fred"
    assert told["UserId"] == f"{ACCOUNT}:fred"
    event = world.event_of(told["ResponseMetadata"]["RequestId"])
    assert event["userIdentity"]["type"] == "FederatedUser"
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == bob.name
    # It reaches neither IAM nor the rest of STS.
    with refused("InvalidClientTokenId", 403):
        fred.iam.list_users()
    for call in (lambda: fred.sts.get_session_token(), lambda: fred.sts.get_federation_token(Name="next")):
        with refused("AccessDenied", 403):
            call()
    made = bob.sts.get_federation_token(
        Name="ann", DurationSeconds=900, Tags=[{"Key": "team", "Value": "blue"}],
        PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])
    assert 0 < made["PackedPolicySize"] <= 100
    role = world.role(trust(world.arn("root")), allow("sts:*"))
    with refused("AccessDenied", 403):
        federated(world.admin.assume(role))
    with refused("AccessDenied", 403):
        federated(world.user())
    with refused("MalformedPolicyDocument", 400):
        bob.sts.get_federation_token(Name="fred", Policy="{}")
    with refused("PackedPolicyTooLarge", 400):
        arns = [{"arn": world.arn("policy/" + "x" * 300 + str(number))} for number in range(10)]
        bob.sts.get_federation_token(Name="fred", PolicyArns=arns)
    for bad in ({"Name": "f"}, {"Name": "a b"}, {"DurationSeconds": 899}, {"DurationSeconds": 129601}):
        with refused("ValidationError", 400):
            bob.sts.get_federation_token(**{"Name": "fred"} | bad)
    # It ends with the key that asked for it.
    world.iam.update_access_key(UserName=bob.name, AccessKeyId=bob.key.id, Status="Inactive")
    with pytest.raises(botocore.exceptions.ClientError):
        fred.sts.get_caller_identity()


def test_everything_is_there_after_the_process_was_killed(binary):
    with process.Server(binary, account=ACCOUNT) as server:
        before = World(server, server.key(), ACCOUNT)
        before.iam.update_account_password_policy(**POLICY)
        before.iam.create_user(UserName="alice")
        before.iam.create_login_profile(UserName="alice", Password=GOOD)
        before.iam.update_login_profile(UserName="alice", Password=BETTER)
        before.iam.generate_credential_report()
        report = before.iam.get_credential_report()["Content"]
        fred = federated(before.admin, allow("*"))
        key = before.admin.key
        server.kill()
        server.start()
        after = World(server, key, ACCOUNT)
        assert after.iam.get_account_password_policy()["PasswordPolicy"] == POLICY | {"ExpirePasswords": True}
        assert after.iam.get_credential_report()["Content"] == report
        with refused("PasswordPolicyViolation", 400, re.compile("password reuse prevention")):
            after.iam.update_login_profile(UserName="alice", Password=GOOD)
        again = Principal(after, fred.key, fred.name, fred.arn)
        assert again.sts.get_caller_identity()["Arn"] == fred.arn
