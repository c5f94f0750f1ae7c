"""Fixtures: one server for the session, principals in it, and a watch over its trail.

Every call that a boto3 client makes to the session's server is noted, and after each test its trail
is compared with the notes: each call has exactly one event, with its name, outcome and key. So all
tests are also tests of accounting.
"""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import re

import boto3
import botocore.config
import botocore.exceptions
import pytest

import process
import signing

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"


# What the SDKs send without a signature.
UNSIGNED = {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}


def pytest_configure(config):
    config.addinivalue_line("markers", "untraced: the trail is not compared with the calls")


@pytest.fixture(scope="session")
def binary():
    """The binary under test."""
    given = os.environ.get("BAILIWICK")
    candidates = [given] if given else [ROOT / "target/release/bailiwick", ROOT / "target/debug/bailiwick"]
    for path in candidates:
        if pathlib.Path(path).exists():
            return str(path)
    pytest.exit("set BAILIWICK to the binary that is to be tested", 2)


def config(**more):
    """A client's settings: nothing is checked or sent again behind a test's back."""
    return botocore.config.Config(
        parameter_validation=False,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=20,
        read_timeout=60,
        **more,
    )


Noted = collections.namedtuple("Noted", "request_id operation status code key")


# What every boto3 client of the run was told: service, operation and code, none for success.
TOLD = set()


class Notes:
    """The calls made to a server."""

    def __init__(self):
        self.calls = []

    def watch(self, client, key):
        """Notes every call of a client from now on."""

        def note(http_response, parsed, model, **_):
            TOLD.add((model.service_model.service_name, model.name, parsed.get("Error", {}).get("Code")))
            self.calls.append(
                Noted(
                    http_response.headers.get("x-amzn-requestid"),
                    model.name,
                    http_response.status_code,
                    # A good answer may have a member of that name, too.
                    parsed.get("Error", {}).get("Code") if http_response.status_code >= 300 else None,
                    key.id,
                )
            )

        client.meta.events.register("after-call", note)
        return client


class Principal:
    """A caller: its key, and clients and connections that use it."""

    def __init__(self, world, key, name=None, arn=None):
        self.world, self.key, self.name, self.arn = world, key, name, arn
        self.cache = {}

    def client(self, service, region="us-east-1"):
        """A boto3 client."""
        if (service, region) not in self.cache:
            made = boto3.session.Session().client(
                service,
                region_name=region,
                endpoint_url=self.world.server.url,
                aws_access_key_id=self.key.id,
                aws_secret_access_key=self.key.secret,
                aws_session_token=self.key.token,
                config=config(),
            )
            self.cache[service, region] = self.world.notes.watch(made, self.key)
        return self.cache[service, region]

    @property
    def iam(self):
        """The iam client."""
        return self.client("iam")

    @property
    def sts(self):
        """The sts client."""
        return self.client("sts")

    @property
    def wire(self):
        """A connection for raw requests."""
        return self.raw()

    def raw(self, region="us-east-1"):
        """A new connection for raw requests."""
        return signing.Wire(self.world.server.url, self.key, region)

    def assume(self, role_arn, session="session", **more):
        """The principal of a session of a role."""
        found = self.sts.assume_role(RoleArn=role_arn, RoleSessionName=session, **more)
        arn = found["AssumedRoleUser"]["Arn"]
        return Principal(self.world, process.Key.of(found["Credentials"]), session, arn)


class World:
    """An account on a server, and makers of things in it."""

    names = itertools.count(1)

    def __init__(self, server, key, account):
        self.server, self.account = server, account
        self.notes = Notes()
        self.admin = Principal(self, key, "admin", f"arn:aws:iam::{account}:user/admin")
        self.seen, self.token = {}, None

    @property
    def iam(self):
        """The administrator's iam client."""
        return self.admin.iam

    @property
    def sts(self):
        """The administrator's sts client."""
        return self.admin.sts

    def name(self, kind="x"):
        """A name that nothing has."""
        return f"{kind}-{next(World.names)}"

    def arn(self, resource):
        """An ARN of the account."""
        return f"arn:aws:iam::{self.account}:{resource}"

    def user(self, *policies, name=None, **more):
        """A new user with a key and inline policies."""
        name = name or self.name("user")
        self.iam.create_user(UserName=name, **more)
        for number, policy in enumerate(policies):
            self.iam.put_user_policy(
                UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy)
            )
        key = process.Key.of(self.iam.create_access_key(UserName=name)["AccessKey"])
        return Principal(self, key, name, self.arn(f"user{more.get('Path', '/')}{name}"))

    def role(self, trust, *policies, name=None, **more):
        """A new role with inline policies; returns its ARN."""
        name = name or self.name("role")
        made = self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **more
        )
        for number, policy in enumerate(policies):
            self.iam.put_role_policy(
                RoleName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy)
            )
        return made["Role"]["Arn"]

    def policy(self, document, name=None, **more):
        """A new managed policy; returns its ARN."""
        made = self.iam.create_policy(
            PolicyName=name or self.name("policy"), PolicyDocument=json.dumps(document), **more
        )
        return made["Policy"]["Arn"]

    def events(self):
        """The events of the account that nobody has looked at yet, by request id."""
        new, self.token = self.admin.wire.follow(self.token)
        for event in new:
            self.seen.setdefault(event["requestID"], []).append(event)
        return self.seen

    def event_of(self, request_id):
        """The one event of a call."""
        found = self.events().get(request_id, [])
        assert len(found) == 1, f"{len(found)} events for the request {request_id}"
        return found[0]

    def check_notes(self):
        """Compares the calls that were made with the trail."""
        calls, self.notes.calls = self.notes.calls, []
        if not calls:
            return
        for call in calls:
            event = self.event_of(call.request_id)
            told = (event["eventName"], event.get("errorCode"))
            # A trail has one word for a denial; the protocols have two.
            code = "AccessDenied" if call.code == "AccessDeniedException" else call.code
            assert told == (call.operation, code), f"{call} is recorded as {told}"
            # A call without a signature has no key.
            unsigned = (call.code or "").startswith("MissingAuthenticationToken") or call.operation in UNSIGNED
            key = None if unsigned else call.key
            assert event["userIdentity"].get("accessKeyId") == key, call
            assert event["recipientAccountId"] == self.account, call


@pytest.fixture(scope="session")
def server(binary):
    """The server of the session, with two accounts."""
    with process.Server(binary, account=ACCOUNT) as started:
        started.create_account(OTHER_ACCOUNT)
        yield started


@pytest.fixture(scope="session")
def session_worlds(server):
    return {
        ACCOUNT: World(server, server.key(), ACCOUNT),
        OTHER_ACCOUNT: World(server, server.key(OTHER_ACCOUNT), OTHER_ACCOUNT),
    }


@pytest.fixture
def world(session_worlds, request):
    """The first account; its trail is compared with the calls in the end."""
    found = session_worlds[ACCOUNT]
    found.notes.calls = []
    yield found
    if not request.node.get_closest_marker("untraced"):
        found.check_notes()


@pytest.fixture
def other(session_worlds, request):
    """The second account."""
    found = session_worlds[OTHER_ACCOUNT]
    found.notes.calls = []
    yield found
    if not request.node.get_closest_marker("untraced"):
        found.check_notes()


@pytest.fixture
def dev(binary):
    """A development server, whose clock can be set."""
    with process.Server(binary, dev=True) as started:
        yield started


# What tests say often.


def allow(*actions, resource="*", **condition):
    """A policy of one Allow statement."""
    return document(statement("Allow", actions, resource, condition))


def deny(*actions, resource="*", **condition):
    """A policy of one Deny statement."""
    return document(statement("Deny", actions, resource, condition))


def statement(effect, actions, resource="*", condition=None):
    made = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(principal, action="sts:AssumeRole", **condition):
    """A trust policy for one AWS principal, or for what a dict names."""
    principal = principal if isinstance(principal, dict) else {"AWS": principal}
    made = {"Effect": "Allow", "Principal": principal, "Action": action}
    return document(made | ({"Condition": condition} if condition else {}))


@contextlib.contextmanager
def refused(code, status, message=None):
    """Expects an error: its code, its HTTP status, and its text or a pattern of it."""
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        yield raised
    answer = raised.value.response
    error = answer["Error"]
    found = (error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
    assert found == (code, status), error
    if isinstance(message, re.Pattern):
        assert message.search(error["Message"]), error["Message"]
    elif message is not None:
        assert error["Message"] == message


def text_of(error):
    """The message of an error that was raised."""
    return error.value.response["Error"]["Message"]


def pages(method, items, size, **parameters):
    """All items of a list, page by page by hand, and the markers on the way."""
    found, markers, marker = [], [], None
    for _ in range(2000):
        more = {"Marker": marker} if marker else {}
        page = method(MaxItems=size, **parameters, **more)
        parts = [page.get(name, []) for name in ([items] if isinstance(items, str) else items)]
        got = [item for part in parts for item in part]
        assert len(got) <= size
        found += got
        marker = page.get("Marker")
        assert page["IsTruncated"] == bool(marker)
        if not marker:
            return found, markers
        markers.append(marker)
    raise AssertionError("the list does not end")


def paged(method, items, expected, key, size=1, **parameters):
    """Checks that tiny pages give every item exactly once; returns the markers."""
    found, markers = pages(method, items, size, **parameters)
    names = [key(item) for item in found]
    assert len(names) == len(set(names)), "an item came twice"
    missing = set(expected) - set(names)
    assert not missing, f"not listed: {missing}"
    whole, _ = pages(method, items, 1000, **parameters)
    assert [key(item) for item in whole] == names, "pages and the whole list differ"
    return markers
