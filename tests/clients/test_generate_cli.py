"""Least privilege from events: a server's own trail, its generated policy, and the policy on another user."""

import gzip
import json
import os

import botocore.exceptions
import pytest

import commandline
import process
from conftest import allow, document, statement

TRUST = document(statement("Allow", ["sts:AssumeRole"]) | {"Principal": {"Service": "ec2.amazonaws.com"}})
TRUST["Statement"] = [{key: value for key, value in one.items() if key != "Resource"} for one in TRUST["Statement"]]


class Bench(commandline.Bench):
    """Beside a server, with its events."""

    def events(self):
        """The trail, a record a line."""
        environment = self.server.key().environment() | {"AWS_ENDPOINT_URL": self.server.url}
        return self.server.run("events", "--limit", "1000", "--format", "json", environment=environment).stdout

    def generate(self, user, *words, events="-", stdin=None, code=0):
        """Runs `generate`; its exit code must be as said."""
        arn = user if user.startswith("arn:") else f"arn:aws:iam::123456789012:user/{user}"
        done = self.server.run("generate", "--principal", arn, "--events", str(events), *words, stdin=stdin, check=False)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, user, *words, **more):
        """The same as data."""
        return json.loads(self.generate(user, *words, "--format", "json", **more).stdout)


@pytest.fixture(scope="module")
def own(binary):
    """One server for the module."""
    with process.Server(binary) as started:
        yield started


@pytest.fixture
def bench(own, tmp_path):
    return Bench(own, tmp_path)


def work(iam, sts):
    """What a user does here."""
    iam.list_users()
    iam.create_user(UserName="made", Path="/team/")
    iam.get_user(UserName="made")
    iam.get_user()
    iam.create_role(RoleName="run", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.get_role(RoleName="run")
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="run")
    sts.get_caller_identity()
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="nothing-there")


def undo(iam):
    """Takes away what was made."""
    iam.remove_role_from_instance_profile(InstanceProfileName="box", RoleName="run")
    iam.delete_instance_profile(InstanceProfileName="box")
    iam.delete_role(RoleName="run")
    iam.delete_user(UserName="made")


def denied(call, *match):
    """A call that is refused."""
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied") as error:
        call()
    for text in match:
        assert text in str(error.value)


def test_a_trail_becomes_a_policy_that_does_the_same_work_and_no_more(bench):
    broad = document(
        statement("Allow", ["iam:Create*", "iam:Get*", "iam:List*", "iam:Add*", "iam:PassRole"]),
        statement("Deny", ["iam:ListGroups"]),
    )
    key = bench.user("alice", broad)
    alice = bench.client("iam", key)
    work(alice, bench.client("sts", key))
    denied(lambda: alice.delete_user(UserName="made"), "no identity-based policy allows")
    denied(alice.list_groups, "with an explicit deny")
    undo(bench.iam)
    events = bench.events()
    told = bench.json("alice", stdin=events)
    assert told["replay"]["observed"] == told["replay"]["allowed"] == 10
    assert told["newlyAllowed"] == [] and told["unknown"] == {}
    assert list(told["free"]) == ["sts:GetCallerIdentity"]
    statements = told["policy"]["Statement"]
    actions = {action for one in statements for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])}
    assert actions == {
        "iam:ListUsers", "iam:CreateUser", "iam:GetUser", "iam:CreateRole", "iam:GetRole",
        "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:PassRole",
    }
    passing = next(one for one in statements if one["Action"] == "iam:PassRole")
    assert passing["Resource"] == "arn:aws:iam::123456789012:role/run"
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    text = json.dumps(statements)
    assert "arn:aws:iam::123456789012:user/team/made" in text and "iam:DeleteUser" not in text
    assert {one["event"] for one in told["denied"]} == {"iam:DeleteUser", "iam:ListGroups"}

    # The same policy, printed alone, does the same work for the same user in place of the broad one.
    policy = bench.generate("alice", "--format", "policy", stdin=events).stdout
    assert json.loads(policy) == told["policy"]
    bench.iam.put_user_policy(UserName="alice", PolicyName="p0", PolicyDocument=policy)
    work(alice, bench.client("sts", key))
    denied(alice.list_roles)
    denied(lambda: alice.get_user(UserName="admin"))
    denied(lambda: alice.create_user(UserName="other"))
    undo(bench.iam)


def test_refusals_come_with_the_statement_that_helps(bench):
    key = bench.user("bob", document(statement("Deny", ["iam:ListRoles"])))
    bob = bench.client("iam", key)
    denied(lambda: bob.get_user(UserName="admin"))
    denied(lambda: bob.get_user(UserName="admin"))
    denied(bob.list_roles, "explicit deny")
    told = bench.json("bob", "--denied", stdin=bench.events(), code=1)["denied"]
    assert [(one["event"], one["evidence"]["count"]) for one in told] == [("iam:GetUser", 2), ("iam:ListRoles", 1)]
    lacking, explicit = told
    assert lacking["statement"] == {
        "Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::123456789012:user/admin",
    }
    assert explicit["statement"] is None and "no Allow helps" in explicit["advice"]
    text = bench.generate("bob", "--denied", stdin=bench.events(), code=1).stdout
    assert "bailiwick why d-" in text and '"Action": "iam:GetUser"' in text
    # It is true: with it the call works, and to allow the other changes nothing.
    added = document(lacking["statement"], statement("Allow", ["iam:ListRoles"]))
    bench.iam.put_user_policy(UserName="bob", PolicyName="added", PolicyDocument=json.dumps(added))
    assert bob.get_user(UserName="admin")["User"]["UserName"] == "admin"
    denied(bob.list_roles)
    denied(lambda: bob.get_user(UserName="alice-who-is-not-there"))


def test_a_preview_tells_what_breaks(bench):
    key = bench.user("carol", allow("iam:*"))
    carol = bench.client("iam", key)
    for _ in range(3):
        carol.list_users()
    carol.list_roles()
    events = bench.events()
    file = bench.home / "policy.json"
    file.write_text(json.dumps(allow("iam:List*")))
    assert "breaks 0 of 4 observed calls" in bench.generate("carol", "--preview", str(file), stdin=events).stdout
    file.write_text(json.dumps(allow("iam:ListRoles")))
    told = bench.json("carol", "--preview", str(file), stdin=events, code=1)
    assert told["sentence"] == "breaks 3 of 4 observed calls"
    assert [one["event"] for one in told["calls"]] == ["iam:ListUsers"]
    # With it attached just those calls are refused.
    bench.iam.put_user_policy(UserName="carol", PolicyName="p0", PolicyDocument=file.read_text())
    denied(carol.list_users)
    carol.list_roles()


def test_folders_accounts_and_days(bench):
    key = bench.user("dora", allow("iam:List*", "iam:DeleteUser"))
    dora = bench.client("iam", key)
    dora.list_users()
    records = [json.loads(line) for line in bench.events().splitlines()]
    folder = bench.home / "AWSLogs" / "123456789012" / "CloudTrail" / "us-east-1" / "2026" / "11" / "22"
    folder.mkdir(parents=True)
    with gzip.open(folder / "trail.json.gz", "wt") as file:
        json.dump({"Records": records}, file)
    details = bench.home / "details.json"
    found = bench.iam.get_account_authorization_details()
    found.pop("ResponseMetadata")
    details.write_text(json.dumps(found, default=lambda moment: moment.isoformat()))
    told = bench.json("dora", "--account", str(details), events=bench.home / "AWSLogs")
    assert told["replay"]["observed"] == 1
    account = told["account"]
    assert account["used"] == 1 and account["granted"] > 20 and account["within"] is True
    assert account["effect"]["broken"] == 0
    # The folder of an audit has the events too, which are none of the account.
    audited = bench.home / "audited"
    (audited / "events").mkdir(parents=True)
    (audited / "authorization-details.json").write_bytes(details.read_bytes())
    (audited / "events" / "trail.json.gz").write_bytes((folder / "trail.json.gz").read_bytes())
    again = bench.json("dora", "--account", str(audited), events=audited / "events")
    assert again["account"] == account
    # A pipe may never end: it is no file of an account.
    os.mkfifo(bench.home / "pipe")
    done = bench.generate("dora", "--account", str(bench.home / "pipe"), events=audited / "events", code=2)
    assert "no regular file" in done.stderr
    # An operation that no action fits is observed, and not decided.
    own = next(one for one in records if one["eventName"] == "ListUsers" and one["userIdentity"]["arn"].endswith("/dora"))
    strange = own | {"eventName": "FlyToTheMoon", "eventID": "strange"}
    (bench.home / "strange.json").write_text(json.dumps({"Records": [own, strange]}))
    done = bench.generate("dora", events=bench.home / "strange.json", code=1)
    assert "Replayed: 1 of 2" in done.stdout and "1 of them are not decided" in done.stdout
    # Before the first event there is none.
    done = bench.generate("dora", "--to", "2001-01-01", events=bench.home / "AWSLogs", code=2)
    assert "none of 0 events" in done.stderr
    # A file that is cut off is told, and the exit code says it.
    (folder / "cut.json").write_text('{"Records": [{"eventTime": ')
    done = bench.generate("dora", events=bench.home / "AWSLogs", code=2)
    assert "cut.json" in done.stderr and "iam:ListUsers" in done.stdout


def test_who_has_no_policy_is_refused_with_a_reason(bench):
    assert "root user" in bench.generate("arn:aws:iam::123456789012:root", stdin="", code=2).stderr
    assert "no ARN of a user" in bench.generate("arn:aws:s3:::b", stdin="", code=2).stderr
    nobody = bench.generate("nobody-at-all", stdin=bench.events(), code=2).stderr
    assert "is a call of" in nobody
