"""Forward access sessions: `bailiwick call --via`, its events, and what no client can claim."""

import json
import re
import socket
import subprocess

import pytest

import process
import signing
from conftest import ACCOUNT

FORMATION = "cloudformation.amazonaws.com"
LAMBDA = "lambda.amazonaws.com"


def only_via(service):
    """A policy that lets users be made through a service alone."""
    condition = {"ForAnyValue:StringEquals": {"aws:CalledVia": service}}
    statement = {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def server(binary):
    """A server of its own, for it is killed."""
    server = process.Server(binary, account=ACCOUNT).start()
    yield server
    server.close()


def call(server, key, *arguments, directory=None):
    """Runs `bailiwick call`; its exit code, answer and complaint."""
    environment = process.clean_environment(
        AWS_ENDPOINT_URL=server.url,
        BAILIWICK_DATA_DIR=str(directory or server.data_dir),
        **key.environment(),
    )
    done = subprocess.run(
        [server.binary, "call", *arguments], env=environment, capture_output=True, text=True, timeout=60
    )
    answer = json.loads(done.stdout) if done.stdout else None
    return done.returncode, answer, done.stderr


def good(server, key, *arguments):
    """The answer of a call that is to be allowed."""
    code, answer, complaint = call(server, key, *arguments)
    assert code == 0, complaint
    return answer


def refused(server, key, *arguments):
    """The complaint of a call that is to be refused."""
    code, answer, complaint = call(server, key, *arguments)
    assert (code, answer) == (1, None), complaint
    return complaint


def denial(who, name):
    """AWS's words for a user that may not be made, as a pattern; the decision's id stands after them."""
    words = (
        f"User: {who} is not authorized to perform: iam:CreateUser on resource: "
        f"arn:aws:iam::{ACCOUNT}:user/{name} because no identity-based policy allows the iam:CreateUser action"
    )
    return re.compile(re.escape(words) + r" \(decision d-[0-9a-f]{32}\)")


def user(server, admin, name, policy):
    """A user with one policy, and its key."""
    good(server, admin, "iam", "CreateUser", f"UserName={name}")
    document = f"PolicyDocument={json.dumps(policy)}"
    good(server, admin, "iam", "PutUserPolicy", f"UserName={name}", "PolicyName=rights", document)
    made = good(server, admin, "iam", "CreateAccessKey", f"UserName={name}")["AccessKey"]
    return process.Key(made["AccessKeyId"], made["SecretAccessKey"])


def events(server, admin):
    """All events of the account, newest first."""
    return signing.Wire(server.url, admin).events()


def test_through_the_service_alone(server):
    admin = server.key()
    builder = user(server, admin, "builder", only_via(FORMATION))
    create = ("iam", "CreateUser", "UserName=made")

    words = denial(f"arn:aws:iam::{ACCOUNT}:user/builder", "made")
    for way in ((), ("--via", LAMBDA)):
        code, _, message = refused(server, builder, *way, *create).partition("AccessDenied: ")
        assert code and words.fullmatch(message.strip()), (way, message)
    made = good(server, builder, "--via", FORMATION, *create)
    assert made["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/made"
    good(server, builder, "--via", LAMBDA, "--via", FORMATION, "iam", "CreateUser", "UserName=chained")

    # One event a call; those of the service name it.
    seen = [event for event in events(server, admin) if event["eventName"] == "CreateUser"]
    seen = [event for event in seen if event["userIdentity"].get("userName") == "builder"]
    outcomes = sorted(
        (event.get("errorCode", "done"), event["userIdentity"].get("invokedBy", "directly"))
        for event in seen
    )
    assert outcomes == [
        ("AccessDenied", "directly"),
        ("AccessDenied", LAMBDA),
        ("done", FORMATION),
        ("done", FORMATION),
    ]
    for event in seen:
        service = event["userIdentity"].get("invokedBy")
        assert event["sourceIPAddress"] == (service or "127.0.0.1")
        assert event["userIdentity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/builder"
        assert event["additionalEventData"].get("forwardedFrom") == (builder.id if service else None)
    # And the operator's part is recorded.
    minted = [event for event in events(server, admin) if event["eventName"] == "CreateForwardAccessSession"]
    assert len(minted) == 3
    assert all(event["userIdentity"]["type"] == "Operator" for event in minted)
    assert all(event["requestParameters"]["accessKeyId"] == builder.id for event in minted)


def test_a_session_of_a_role_is_forwarded(server):
    admin = server.key()
    trust = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"},
    }
    document = f"AssumeRolePolicyDocument={json.dumps(trust)}"
    role = good(server, admin, "iam", "CreateRole", "RoleName=worker", document)["Role"]["Arn"]
    policy = f"PolicyDocument={json.dumps(only_via(FORMATION))}"
    good(server, admin, "iam", "PutRolePolicy", "RoleName=worker", "PolicyName=p", policy)
    assumed = good(server, admin, "sts", "AssumeRole", f"RoleArn={role}", "RoleSessionName=job")
    session = process.Key.of(assumed["Credentials"])
    create = ("iam", "CreateUser", "UserName=made")
    words = denial(f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/job", "made")
    _, _, message = refused(server, session, *create).partition("AccessDenied: ")
    assert words.fullmatch(message.strip()), message
    good(server, session, "--via", FORMATION, *create)
    # No credentials without the mark come of it.
    again = ("sts", "AssumeRole", f"RoleArn={role}", "RoleSessionName=again")
    complaint = refused(server, admin, "--via", FORMATION, *again)
    assert "AccessDenied: Cannot call AssumeRole with the credentials of a forward access session" in complaint
    who = good(server, session, "--via", FORMATION, "sts", "GetCallerIdentity")
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/job"


def forward(server, key, services):
    """The key of a forward access session, as the control socket gives it."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(server.data_dir / "control.sock"))
        wish = {"verb": "forward-session", "access_key_id": key.id, "session_token": key.token, "services": services}
        control.sendall(json.dumps(wish).encode() + b"\n")
        reply = json.loads(control.makefile().readline())
    made = reply["done"]
    return process.Key(made["access_key_id"], made["secret_access_key"], made["session_token"])


def test_the_session_outlives_the_process(server):
    admin = server.key()
    builder = user(server, admin, "builder", only_via(FORMATION))
    session = forward(server, builder, [FORMATION])
    server.kill()
    server.start()
    good(server, session, "iam", "CreateUser", "UserName=later")
    # And it is nothing without its token.
    bare = process.Key(session.id, session.secret)
    assert "InvalidClientTokenId: " in refused(server, bare, "iam", "CreateUser", "UserName=never")


def test_no_client_sets_the_keys(server):
    admin = server.key()
    builder = user(server, admin, "builder", only_via(FORMATION))
    session = forward(server, builder, [LAMBDA])
    claims = {
        "aws:CalledVia": FORMATION,
        "aws:CalledVia.member.1": FORMATION,
        "CalledVia": FORMATION,
        "ContextEntries.member.1.ContextKeyName": "aws:CalledVia",
        "ContextEntries.member.1.ContextKeyValues.member.1": FORMATION,
        "aws:ViaAWSService": "true",
    }
    headers = {
        "x-amz-called-via": FORMATION,
        "aws-calledvia": FORMATION,
        "x-amz-via-aws-service": "true",
        "x-amz-source-service": FORMATION,
        "x-forwarded-for": FORMATION,
        "via": f"1.1 {FORMATION}",
        "user-agent": FORMATION,
    }
    words = denial(f"arn:aws:iam::{ACCOUNT}:user/builder", "planted")

    def expect_denied(name, answer):
        assert (answer.status, answer.code) == (403, "AccessDenied"), (name, answer.text)
        assert words.fullmatch(answer.message), (name, answer.message)

    for key in (builder, session):
        wire = signing.Wire(server.url, key, "us-east-1")
        for name, value in claims.items():
            answer = wire.call("iam", "CreateUser", UserName="planted", **{name: value})
            expect_denied(name, answer)
        for name, value in headers.items():
            answer = wire.call("iam", "CreateUser", headers={name: value}, UserName="planted")
            expect_denied(name, answer)
    # A token that is edited opens nothing.
    for edited in (session.token[:-8] + "AAAAAAA=", session.token.swapcase(), builder.id):
        forged = process.Key(session.id, session.secret, edited)
        assert "InvalidClientTokenId" in refused(server, forged, "iam", "ListUsers")
    assert "planted" not in json.dumps(good(server, admin, "iam", "ListUsers"))


def test_the_control_sockets_verbs_are_not_on_the_network(server):
    """The operator's part has one door, which is no address: neither verb nor operation is known."""
    admin = server.key()
    wish = {
        "verb": "forward-session", "access_key_id": admin.id, "session_token": None, "services": [FORMATION],
    }
    before = len(events(server, admin))
    wire = signing.Wire(server.url, admin)

    def answers(request, service):
        """To the request without a signature, and with the administrator's."""
        unsigned = signing.Request(request.method, request.path, headers=request.headers, body=request.body)
        return wire.send(unsigned), wire.send(wire.signed(request, service))

    for path in ("/", "/control.sock", "/control", "/_bailiwick/", "/_bailiwick/forward-session"):
        for headers in ({}, {"x-bailiwick-dev": "true"}, {"x-amz-target": "Bailiwick_20261101.ForwardSession"}):
            request = signing.Request(path=path, headers=headers, body=json.dumps(wish).encode())
            for answer in answers(request, "bailiwick"):
                assert answer.status in (400, 403, 404), (path, headers, answer.text)
                assert "session_token" not in answer.text, answer.text
    for service in ("iam", "sts"):
        for action in ("ForwardSession", "CreateForwardAccessSession", "forward-session"):
            more = {"AccessKeyId": admin.id, "Services.member.1": FORMATION}
            unsigned, signed = answers(signing.Request.query_call(service, action, more), service)
            assert unsigned.status in (400, 403), (action, unsigned.text)
            assert (signed.status, signed.code) == (400, "InvalidAction"), (action, signed.text)
    told = [event["eventName"] for event in events(server, admin)]
    assert len(told) > before
    assert not any(event["eventName"] == "CreateForwardAccessSession" for event in events(server, admin) if "errorCode" not in event)


def test_what_cannot_be_forwarded_is_told(server, tmp_path):
    admin = server.key()
    for arguments, says in [
        (("--via", "cloudformation", "iam", "ListUsers"), "is no service principal"),
        (("--via", "CLOUDFORMATION.amazonaws.com", "iam", "ListUsers"), "is no service principal"),
        (("iam", "NoSuchOperation"), "no operation"),
        (("s3", "GetObject"), "no service `s3`"),
        (("iam", "GetUser", "alice"), "NAME=VALUE"),
        (("iam", "GetUser", "Action=DeleteUser"), "follows from the operation"),
    ]:
        code, answer, complaint = call(server, admin, *arguments)
        assert (code, answer) == (2, None) and says in complaint, complaint
    unknown = process.Key("AKIAIOSFODNN7EXAMPLE", "secret/of+nobody=0123456789")
    code, _, complaint = call(server, unknown, "--via", FORMATION, "iam", "ListUsers")
    assert code == 2 and "no access key AKIAIOSFODNN7EXAMPLE" in complaint, complaint
    code, _, complaint = call(server, admin, "--via", FORMATION, "iam", "ListUsers", directory=tmp_path)
    assert code == 2 and "no server answers" in complaint, complaint
    # Without --via no directory is needed.
    code, _, complaint = call(server, admin, "iam", "ListUsers", directory=tmp_path)
    assert code == 0, complaint
