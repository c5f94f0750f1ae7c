"""A thousand random requests that botocore signed are believed; with one thing changed, none is.

Threats A01, A03, A04, A07: body, path, query, signed headers, and headers that nobody signed.
"""

import json
import random
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from conftest import allow
from signing import Request, Wire
from test_operations_all import IAM, STS

ROUNDS = 1000
# What refuses at authentication. Anything else means that the signature was good.
AUTHENTICATION = {
    "SignatureDoesNotMatch", "IncompleteSignature", "InvalidClientTokenId", "MissingAuthenticationToken",
    "ExpiredToken", "MalformedQueryString", "InvalidSignatureException",
}
ALPHABET = "abzAZ09 +-_.~/:=@!$&'()*,;?#[]%\"<>|\\^`{}äßñ日本語\u00a0😀\t\n"
# Some are left out: what they change would change the account under the test.
OPERATIONS = [("iam", name) for name in IAM if not name.startswith(("Create", "Delete", "Change"))] + [
    ("sts", name) for name in STS]


@pytest.fixture(scope="module")
def reader(session_worlds):
    """A user with no rights: its calls are refused, but only after they were believed."""
    world = session_worlds["123456789012"]
    return world.user(allow("sts:*", "iam:Get*", "iam:List*"), name=world.name("signer"))


def random_text(dice, longest=40):
    return "".join(dice.choice(ALPHABET) for _ in range(dice.randint(0, longest)))


def build(dice, reader, credentials):
    """A random request, signed by botocore in header or query form."""
    service, operation = dice.choice(OPERATIONS)
    fields = {"Action": operation, "Version": "2010-05-08" if service == "iam" else "2011-06-15"}
    for name, value in (IAM if service == "iam" else STS)[operation].items():
        if isinstance(value, str):
            fields[name] = value if dice.random() < 0.5 else random_text(dice)
    for _ in range(dice.randint(0, 4)):
        fields["X" + dice.choice("abcdef") + random_text(dice, 5)] = random_text(dice)
    headers = {}
    for _ in range(dice.randint(0, 2)):
        headers[f"x-amz-meta-{dice.choice('abcdef')}"] = f" a  {dice.randint(0, 10**9)} b "
    region = dice.choice(["us-east-1", "eu-west-1", "ap-southeast-2"])
    form = dice.choice(["header", "header", "query"])
    if form == "header":
        body = urllib.parse.urlencode(fields, quote_via=dice.choice([urllib.parse.quote, urllib.parse.quote_plus]))
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        request = botocore.awsrequest.AWSRequest("POST", reader.world.server.url + "/", headers, body.encode())
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    else:
        url = reader.world.server.url + "/?" + urllib.parse.urlencode(fields, quote_via=urllib.parse.quote)
        request = botocore.awsrequest.AWSRequest("GET", url, {}, b"")
        botocore.auth.SigV4QueryAuth(credentials, service, region, expires=60).add_auth(request)
    prepared = request.prepare()
    parts = urllib.parse.urlsplit(prepared.url)
    made = {}
    for name, value in prepared.headers.items():
        name = name.lower()
        if name not in ("content-length", "host"):
            made[name] = value.decode() if isinstance(value, bytes) else value
    body = prepared.body or b""
    return form, Request(prepared.method, parts.path or "/", parts.query, made, body)


def flip(dice, data):
    """Changes one byte of a text to another one that may stand there."""
    at = dice.randrange(len(data))
    old = data[at]
    new = dice.choice([c for c in "abcXYZ019" if c != old])
    return data[:at] + new + data[at + 1 :]


def bend(dice, form, request):
    """Changes one thing of a signed request; returns what."""
    choices = ["path", "header"] if form == "query" else ["body", "path", "header", "query-added"]
    choices += ["unsigned"] + (["query"] if form == "query" else [])
    what = dice.choice(choices)
    if what == "body":
        request.body = flip(dice, request.body.decode("latin-1")).encode("latin-1")
    elif what == "path":
        request.path = dice.choice(["/x", "/a/b", "/%41", "/Action"])
    elif what == "query-added":
        request.query = "Action=CreateUser&UserName=x"
    elif what == "query":
        # A parameter of the call: bending the signature's own is no change of the request.
        parameters = request.query.split("&")
        at = dice.choice([i for i, text in enumerate(parameters) if not text.startswith("X-Amz-")])
        name, _, value = parameters[at].partition("=")
        parameters[at] = f"{name}={value}x"
        request.query = "&".join(parameters)
    elif what == "header" and form == "header":
        signed = [name for name in request.headers if name.startswith("x-amz-")]
        name = dice.choice(signed)
        at = max(i for i, c in enumerate(request.headers[name]) if c.isalnum())
        value = request.headers[name]
        request.headers[name] = value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]
    elif what == "header":
        request.headers["host"] = "127.0.0.1:1"
    else:
        request.headers[dice.choice(["x-amz-target", "x-amz-security-token", "x-amz-meta-z", "x-amz-user-agent"])] = "x"
    return what


@pytest.mark.untraced
def test_tm_a03_a04_random_requests(world, reader):
    dice = random.Random(20261101)
    credentials = botocore.credentials.Credentials(reader.key.id, reader.key.secret)
    wire = reader.wire
    refused, accepted, changes = [], [], {}
    for round in range(ROUNDS):
        form, request = build(dice, reader, credentials)
        answer = wire.send(request)
        assert answer.status < 500, answer.text
        if answer.code in AUTHENTICATION:
            refused.append((form, request.query, request.body, answer.text))
        what = bend(dice, form, request)
        changes[what] = changes.get(what, 0) + 1
        answer = wire.send(request)
        assert answer.status < 500, answer.text
        # Another path than the one there is needs no signature to be refused.
        nowhere = what == "path" and (answer.status, answer.code) == (404, "UnknownOperationException")
        if answer.code not in AUTHENTICATION and not nowhere or answer.decision_id:
            accepted.append((what, form, request.query, request.headers, answer.text))
    assert not refused, f"{len(refused)} of {ROUNDS} refused, such as {refused[0]}"
    assert not accepted, f"{len(accepted)} of {ROUNDS} accepted, such as {accepted[0]}"
    assert len(changes) == 6, changes


@pytest.mark.untraced
def test_tm_a01_the_operation_of_a_json_call_is_signed(world):
    wire = world.admin.wire
    request = wire.signed(Request.json_call("Bailiwick_20261101.ListEvents", {}), "bailiwick")
    assert wire.send(request).status == 200
    request.headers["x-amz-target"] = "Bailiwick_20261101.ExplainDecision"
    answer = wire.send(request)
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    request = Request.json_call("Bailiwick_20261101.ListEvents", {})
    names = ["content-type", "host", "x-amz-date"]
    answer = wire.send(wire.signed(request, "bailiwick", only=names))
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    assert "x-amz-target" in answer.message


@pytest.mark.untraced
def test_tm_a07_presigned_calls(world):
    """GetCallerIdentity as a presigned URL is a common log-in token."""
    url = boto3.client(
        "sts", region_name="us-east-1", endpoint_url=world.server.url,
        aws_access_key_id=world.admin.key.id, aws_secret_access_key=world.admin.key.secret,
    ).generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    parts = urllib.parse.urlsplit(url)
    wire = world.admin.wire
    answer = wire.send(Request("GET", "/", parts.query))
    assert answer.status == 200 and answer.find("Arn") == world.admin.arn
    longer = parts.query.replace("X-Amz-Expires=60", "X-Amz-Expires=604801")
    assert longer != parts.query
    for bent in (longer, parts.query.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
                 parts.query + "&X-Amz-Security-Token=x", parts.query.replace("GetCallerIdentity", "GetSessionToken")):
        answer = wire.send(Request("GET", "/", bent))
        assert answer.status in (400, 403) and answer.code in AUTHENTICATION, answer.text


@pytest.mark.untraced
def test_tm_a09_a_replay_changes_nothing(world):
    wire, name = world.admin.wire, world.name("user")
    request = wire.signed(Request.query_call("iam", "CreateUser", {"UserName": name}), "iam")
    assert wire.send(request).status == 200
    for _ in range(5):
        answer = wire.send(request)
        assert (answer.status, answer.code) == (409, "EntityAlreadyExists")
    found = [user["UserName"] for user in world.iam.list_users(PathPrefix="/", MaxItems=1000)["Users"]]
    assert found.count(name) == 1
