"""What was acknowledged is there after the process was killed, with its event; nothing is half done.

`BAILIWICK_KILL_ROUNDS` sets how often the server is killed (5).
"""

import collections
import http.client
import json
import os
import random
import threading
import uuid
import xml.etree.ElementTree as tree

import process
import pytest
from conftest import ACCOUNT, allow
from signing import Answer, Request, Wire

ROUNDS = int(os.environ.get("BAILIWICK_KILL_ROUNDS", "5"))
WRITERS = 16
ACTS_BEFORE_KILL = 400


class Writer(threading.Thread):
    """Makes users, and what belongs to them, until the server is gone."""

    def __init__(self, server, number, round):
        super().__init__(daemon=True)
        self.wire = Wire(server.url, server.key())
        # One writer makes groups: there may be 300.
        self.first, self.prefix = number == 0, f"w{number}-{round}"
        self.acknowledged, self.tried, self.errors = [], [], []
        self.acts = 0

    def act(self, action, **parameters):
        """One call; what is acknowledged is noted after its answer."""
        self.tried.append((action, parameters))
        request = self.wire.signed(Request.query_call("iam", action, parameters), "iam")
        # Sent once: a second attempt after a lost answer would blur what was acknowledged.
        connection = http.client.HTTPConnection(self.wire.host, timeout=20)
        try:
            connection.request(request.method, "/", request.body, request.headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            self.errors.append((action, parameters, answer.status, body))
            raise ConnectionError(answer.status)
        self.acknowledged.append((action, parameters))
        self.acts += 1
        return Answer(answer.status, {}, body)

    def run(self):
        try:
            for number in range(100_000):
                name = f"{self.prefix}-{number}"
                self.act("CreateUser", UserName=name)
                self.act("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=json.dumps(allow("s3:*")))
                key = self.act("CreateAccessKey", UserName=name).find("AccessKeyId")
                if self.first and number == 0:
                    self.act("CreateGroup", GroupName=self.prefix)
                if self.first and number % 8 == 0:
                    self.act("AddUserToGroup", GroupName=self.prefix, UserName=name)
                if number % 4 != 0:
                    self.act("DeleteUserPolicy", UserName=name, PolicyName="p")
                    self.act("DeleteAccessKey", UserName=name, AccessKeyId=key)
                    self.act("DeleteUser", UserName=name)
        except (OSError, http.client.HTTPException):
            pass


def details(wire):
    """All users and groups with what belongs to them."""
    users, groups, marker = {}, set(), {}
    while True:
        fields = {"MaxItems": 1000, "Filter.member.1": "User", "Filter.member.2": "Group"} | marker
        answer = wire.call("iam", "GetAccountAuthorizationDetails", **fields)
        assert answer.status == 200, answer.text
        root = tree.fromstring(answer.body)
        space = root.tag.split("}")[0] + "}"
        for member in root.iterfind(f".//{space}UserDetailList/{space}member"):
            name = member.findtext(f"{space}UserName")
            users[name] = {
                "policies": [found.text for found in member.iterfind(f".//{space}UserPolicyList/{space}member/{space}PolicyName")],
                "groups": [found.text for found in member.iterfind(f"{space}GroupList/{space}member")],
            }
        groups |= {found.text for found in root.iterfind(f".//{space}GroupDetailList/{space}member/{space}GroupName")}
        token = root.findtext(f".//{space}Marker")
        if not token:
            return users, groups
        marker = {"Marker": token}


def successes(wire):
    """How often each change has a successful event, by name and entity."""
    found = collections.Counter()
    for event in wire.events():
        if event.get("errorCode") or event["readOnly"]:
            continue
        fields = event.get("requestParameters") or {}
        found[event["eventName"], fields.get("userName") or fields.get("groupName")] += 1
    return found


def test_tm_r6_killed_under_sixteen_writers(binary):
    dice = random.Random(7)
    acknowledged = []
    with process.Server(binary, account=ACCOUNT) as server:
        for round in range(ROUNDS):
            writers = [Writer(server, number, round) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            goal = dice.randint(ACTS_BEFORE_KILL // 2, ACTS_BEFORE_KILL)
            process.wait_for(lambda: sum(writer.acts for writer in writers) >= goal, "writes")
            server.kill()
            for writer in writers:
                writer.join(30)
            assert not [error for writer in writers for error in writer.errors]
            acknowledged += [act for writer in writers for act in writer.acknowledged]
            server.start()
            check(server, acknowledged)


def check(server, acknowledged):
    """State, acknowledgements and trail agree."""
    wire = Wire(server.url, server.key())
    users, groups = details(wire)
    done = successes(wire)
    for action, fields in acknowledged:
        name = fields.get("UserName") or fields["GroupName"]
        assert done[action, name] == 1, f"{action} {name} was acknowledged and has {done[action, name]} events"
        if action == "DeleteUser":
            assert name not in users, f"{name} is back"
        elif action == "CreateUser":
            assert name in users or done["DeleteUser", name], f"{name} was acknowledged and is gone"
    # Nothing is there without its event, and no event without its thing.
    assert set(done.values()) <= {1}, done.most_common(5)

    def named(action):
        return {name for event, name in done if event == action}

    assert named("CreateUser") - named("DeleteUser") == set(users) - {"admin"}
    assert named("CreateGroup") == groups
    keys = 0
    for name in set(users) - {"admin"}:
        held = {kind: done[f"{put}", name] - done[f"{taken}", name] for kind, put, taken in (
            ("policies", "PutUserPolicy", "DeleteUserPolicy"), ("groups", "AddUserToGroup", "RemoveUserFromGroup"))}
        found = {kind: len(users[name][kind]) for kind in held}
        assert found == held, f"{name} holds {found}, by its events {held}"
        if keys < 50:
            listed = wire.call("iam", "ListAccessKeys", UserName=name).find_all("AccessKeyId")
            assert len(listed) == done["CreateAccessKey", name] - done["DeleteAccessKey", name], name
            keys += 1


def test_keys_work_after_the_process_was_killed(binary):
    with process.Server(binary, account=ACCOUNT) as server:
        wire = Wire(server.url, server.key())
        assert wire.call("iam", "CreateUser", UserName="alice").status == 200
        made = wire.call("iam", "CreateAccessKey", UserName="alice")
        key = process.Key(made.find("AccessKeyId"), made.find("SecretAccessKey"))
        trust = json.dumps({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"}, "Action": "sts:AssumeRole"}})
        role = wire.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=trust).find("Arn")
        session = Wire(server.url, key).call("sts", "AssumeRole", RoleArn=role, RoleSessionName="s1")
        assert session.status == 200, session.text
        temporary = process.Key(session.find("AccessKeyId"), session.find("SecretAccessKey"), session.find("SessionToken"))
        server.kill()
        server.start()
        assert Wire(server.url, key).call("sts", "GetCallerIdentity").find("Arn").endswith(":user/alice")
        # A session needs no record on the disk.
        assert Wire(server.url, temporary).call("sts", "GetCallerIdentity").find("Arn").endswith("/r/s1")
        assert server.stop() == 0
        server.start()
        assert Wire(server.url, key).call("sts", "GetCallerIdentity").status == 200


@pytest.mark.untraced
def test_a_retry_of_the_client_does_not_make_a_second_key(world):
    """A client that lost the answer sends the call again, with the same invocation id."""
    name = world.name("user")
    world.iam.create_user(UserName=name)
    invocation = str(uuid.uuid4())

    def create(invocation, wire=world.admin.wire, name=name):
        return wire.call("iam", "CreateAccessKey", UserName=name, headers={
            "amz-sdk-invocation-id": invocation, "amz-sdk-request": "attempt=1; max=3"})

    first, second = create(invocation), create(invocation)
    assert (first.status, second.status) == (200, 200)
    for part in ("AccessKeyId", "SecretAccessKey"):
        assert first.find(part) == second.find(part)
    assert len(world.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]) == 1
    event = world.event_of(second.request_id)
    assert event["additionalEventData"]["replayOf"] == world.event_of(first.request_id)["eventID"]
    third = create(str(uuid.uuid4()))
    assert third.status == 200 and third.find("AccessKeyId") != first.find("AccessKeyId")
    # The id of a call is the caller's own.
    other = world.user(allow("iam:CreateAccessKey"))
    answer = create(invocation, other.wire)
    assert (answer.status, answer.code) == (409, "LimitExceeded")
    # Who may no longer make the call is not given the answer again.
    alice = world.user(allow("iam:CreateAccessKey"))
    target = world.name("user")
    world.iam.create_user(UserName=target)
    assert create(invocation, alice.wire, target).status == 200
    world.iam.delete_user_policy(UserName=alice.name, PolicyName="p0")
    assert create(invocation, alice.wire, target).code == "AccessDenied"


@pytest.mark.untraced
def test_a_retry_at_the_same_moment(world):
    """Sixteen times the same call at once make one key."""
    name = world.name("user")
    world.iam.create_user(UserName=name)
    invocation, answers = str(uuid.uuid4()), []
    barrier = threading.Barrier(16)

    def create():
        wire = world.admin.raw()
        wire.call("sts", "GetCallerIdentity")
        barrier.wait()
        answers.append(wire.call("iam", "CreateAccessKey", UserName=name, headers={"amz-sdk-invocation-id": invocation}))

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = {answer.find("AccessKeyId") for answer in answers if answer.status == 200}
    assert len(keys) == 1
    # Before the first answer is durable a second has to wait, and is told so in words that make
    # clients try again.
    assert {answer.status for answer in answers} <= {200, 503}
    assert len(world.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]) == 1
