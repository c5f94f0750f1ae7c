"""Bad input: AWS's code, a 4xx, nothing changed, one event, and a server that goes on.
"""

import datetime
import json
import re

import pytest
from conftest import allow, document, refused, trust
from process import Key
from signing import FORM, Request

NOW = datetime.timezone.utc


@pytest.fixture(autouse=True)
def the_server_lives(world):
    """After each test the server answers."""
    yield
    assert world.server.is_alive() and world.server.is_ready()


def state(world):
    """All that the account holds, as one text."""
    found, marker = [], {}
    while True:
        page = world.iam.get_account_authorization_details(MaxItems=1000, Filter=[
            "User", "Group", "Role", "LocalManagedPolicy"], **marker)
        page.pop("ResponseMetadata")
        for role in page["RoleDetailList"]:
            role.pop("RoleLastUsed", None)
        marker = {"Marker": page.pop("Marker")} if page["IsTruncated"] else None
        found.append(json.dumps(page, default=str, sort_keys=True))
        if not marker:
            return found


def refuses(world, request, status, code, message=None, wire=None, event=True):
    """Sends a request that must be refused, without a change, and leave exactly one event."""
    before = state(world)
    answer = (wire or world.admin.wire).send(request)
    assert (answer.status, answer.code) == (status, code), answer.text
    if message:
        assert re.search(message, answer.message), answer.message
    assert state(world) == before
    if event:
        recorded = world.event_of(answer.request_id)
        assert recorded["errorCode"] == code
        assert recorded["errorMessage"] == answer.message
    return answer


@pytest.mark.parametrize(
    "text, place",
    [
        ('{"Version": "2012-10-17",\n "Statement": [\n  {"Effect": "Allow" "Action": "s3:*", "Resource": "*"}]}', "line 3, column 22"),
        ('{"Version": "2012-10-17",\n "Statement": [{"Efect": "Allow", "Action": "s3:*", "Resource": "*"}]}', "line 2, column 17"),
        ('{"Version": "2012-10-17",\n\n "Statement": {"Effect": "allow", "Action": "s3:*", "Resource": "*"}}', "line 3, column"),
        ('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",\n"Condition": {"StringEqual": {"a:b": "c"}}}}', "line 2, column 15"),
        ('{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}}', "line 1, column 60"),
        ("", None),
        ("[1, 2", "line 1, column"),
    ],
)
def test_tm_c15_a_policy_that_is_wrong_is_told_with_its_place(world, text, place):
    request = Request.query_call("iam", "CreatePolicy", {"PolicyName": world.name("p"), "PolicyDocument": text})
    signed = world.admin.wire.signed(request, "iam")
    code = "MalformedPolicyDocument" if text else "ValidationError"
    refuses(world, signed, 400, code, place)


@pytest.mark.parametrize(
    "policy",
    [
        {"Version": "2008-10-18", "Statement": []},
        allow("s3"),
        document({"Effect": "Allow", "Action": "s3:*"}),
        document({"Effect": "Allow", "Resource": "*"}),
        document({"Effect": "Allow", "Action": "s3:*", "NotAction": "s3:*", "Resource": "*"}),
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "bucket"}),
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}),
        document({"Effect": "Allow", "Action": 7, "Resource": "*"}),
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Sid": "a b"}),
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Unknown": 1}),
        allow("s3:*", NumericEquals={"a:b": "x"}) | {"Extra": 1},
        trust("*"),
    ],
)
def test_policies_that_iam_refuses(world, policy):
    request = Request.query_call("iam", "CreatePolicy", {
        "PolicyName": world.name("p"), "PolicyDocument": json.dumps(policy)})
    refuses(world, world.admin.wire.signed(request, "iam"), 400, "MalformedPolicyDocument")


def test_a_missing_signature(world):
    request = Request.query_call("iam", "CreateUser", {"UserName": "x"})
    refuses(world, request, 403, "MissingAuthenticationToken", "^Request is missing Authentication Token$")
    request = Request.json_call("Bailiwick_20261101.ListEvents", {})
    refuses(world, request, 403, "MissingAuthenticationTokenException")


def test_a_wrong_secret(world):
    wire = world.admin.raw()
    wire.key = Key(world.admin.key.id, "not/the+secret")
    request = wire.signed(Request.query_call("iam", "CreateUser", {"UserName": "x"}), "iam")
    answer = refuses(world, request, 403, "SignatureDoesNotMatch",
                     "^The request signature we calculated does not match the signature you provided")
    event = world.event_of(answer.request_id)
    # Whoever has no good signature is not called by the name of the key's owner.
    assert event["userIdentity"].get("type") != "IAMUser"


def test_a_key_that_is_not_there(world):
    for key in ("AKIAIOSFODNN7EXAMPLE", "AKIA", "ASIAIOSFODNN7EXAMPLE"):
        wire = world.admin.raw()
        wire.key = Key(key, "secret")
        request = wire.signed(Request.query_call("sts", "GetCallerIdentity"), "sts")
        code = "InvalidClientTokenId"
        refuses(world, request, 403, code, "^The security token included in the request is invalid.$")


@pytest.mark.parametrize("minutes, text", [(-6, "^Signature expired: .* is now earlier than "),
                                           (6, "^Signature not yet current: .* is still later than ")])
def test_tm_a06_an_old_date(world, minutes, text):
    wire = world.admin.raw()
    wire.now = datetime.datetime.now(NOW) + datetime.timedelta(minutes=minutes)
    request = wire.signed(Request.query_call("iam", "CreateUser", {"UserName": "x"}), "iam")
    answer = refuses(world, request, 403, "SignatureDoesNotMatch", text)
    # Clients set their clock by this.
    assert answer.headers["date"]
    wire.now = datetime.datetime.now(NOW) + datetime.timedelta(seconds=minutes * 45)
    assert wire.call("sts", "GetCallerIdentity").status == 200


@pytest.mark.parametrize("header, code", [
    ("x-amz-anything", "SignatureDoesNotMatch"),
    ("X-Amz-User-Agent", "SignatureDoesNotMatch"),
    # With a target a call is one of the JSON protocol; with a token its credentials are others.
    ("x-amz-target", "InvalidSignatureException"),
    ("x-amz-security-token", "InvalidClientTokenId"),
])
def test_tm_a01_a_header_that_nobody_signed(world, header, code):
    request = world.admin.wire.signed(Request.query_call("iam", "CreateUser", {"UserName": "x"}), "iam")
    request.headers[header] = "x"
    status = 400 if header == "x-amz-target" else 403
    refuses(world, request, status, code, header.lower() if code.endswith("Match") else None)


@pytest.mark.parametrize("header", ["Bearer x", "AWS4-HMAC-SHA256 nonsense", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c"])
def test_a_malformed_authorization(world, header):
    request = Request.query_call("iam", "CreateUser", {"UserName": "x"})
    request.headers["authorization"] = header
    refuses(world, request, 400, "IncompleteSignature")


@pytest.mark.parametrize("service, region", [("s3", "us-east-1"), ("sts", "us-east-1")])
def test_tm_a08_a_scope_of_another_service(world, service, region):
    request = Request.query_call("iam", "CreateUser", {"UserName": "x"})
    request.sign(world.admin.key, service, world.admin.wire.host, region=region)
    refuses(world, request, 403, "SignatureDoesNotMatch", "^Credential should be scoped to correct service")


def test_tm_g05_a_body_of_10_megabytes(world):
    body = b"Action=CreateUser&Version=2010-05-08&UserName=x&Padding=" + b"x" * 10_000_000
    wire = world.admin.raw()
    request = wire.signed(Request(headers={"content-type": FORM}, body=body), "iam")
    refuses(world, request, 413, "RequestEntityTooLarge", wire=wire)


def test_tm_g06_a_policy_100_000_deep(world):
    for deep, code in (
        ("[" * 100_000 + "]" * 100_000, "ValidationError"),
        # The longest that the wire takes.
        ("[" * 131_072, "MalformedPolicyDocument"),
        ("[" * 65_000 + "]" * 65_000, "MalformedPolicyDocument"),
        ('{"Statement":' * 9_000, "MalformedPolicyDocument"),
    ):
        request = Request.query_call("iam", "CreatePolicy", {"PolicyName": "deep", "PolicyDocument": deep})
        refuses(world, world.admin.wire.signed(request, "iam"), 400, code)


def test_tm_g06_a_json_body_100_000_deep(world):
    for body in (b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
        request = Request.json_call("Bailiwick_20261101.ListEvents", body)
        refuses(world, world.admin.wire.signed(request, "bailiwick"), 400, "SerializationException")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"MaxResults": "many"}', b'{"MaxResults": 1e99}', b'{"Forward": 1}', b"\xff"])
def test_a_json_body_that_is_wrong(world, body):
    request = Request.json_call("Bailiwick_20261101.ListEvents", body)
    if body == b"":
        # AWS's JSON services take an empty body for an empty object.
        assert world.admin.wire.send(world.admin.wire.signed(request, "bailiwick")).status in (200, 400)
        return
    refuses(world, world.admin.wire.signed(request, "bailiwick"), 400, "SerializationException")


def test_actions_that_do_not_exist(world):
    wire = world.admin.wire
    request = Request.query_call("iam", "MakeCoffee")
    refuses(world, wire.signed(request, "iam"), 400, "InvalidAction",
            "^Could not find operation MakeCoffee for version 2010-05-08$")
    request = Request(headers={"content-type": FORM}, body=b"Action=ListUsers&Version=1999-01-01")
    refuses(world, wire.signed(request, "iam"), 400, "InvalidAction", "ListUsers for version 1999-01-01")
    request = Request(headers={"content-type": FORM}, body=b"Version=2010-05-08")
    refuses(world, wire.signed(request, "iam"), 400, "MissingAction")
    for target in ("Bailiwick_20261101.Nothing", "Nothing_1.ListEvents", "x"):
        request = Request.json_call(target, {})
        refuses(world, wire.signed(request, "bailiwick"), 400, "UnknownOperationException")


def test_an_operation_that_is_not_built(world):
    with refused("NotImplemented", 400, re.compile("GenerateOrganizationsAccessReport")):
        world.iam.generate_organizations_access_report(EntityPath="o-a1b2c3d4e5/r-f6g7")
    fields = {"EntityPath": "o-a1b2c3d4e5/r-f6g7"}
    request = Request.query_call("iam", "GenerateOrganizationsAccessReport", fields)
    request = world.admin.wire.signed(request, "iam")
    refuses(world, request, 400, "NotImplemented", "GenerateOrganizationsAccessReport is not implemented")


def test_types_that_are_wrong(world):
    wire = world.admin.wire
    for action, fields in (
        ("ListUsers", {"MaxItems": "ten"}),
        ("ListUsers", {"MaxItems": "99999999999999999999"}),
        ("ListUsers", {"MaxItems": "0"}),
        ("ListUsers", {"MaxItems": "1001"}),
        ("ListPolicies", {"OnlyAttached": "perhaps"}),
        ("ListPolicies", {"Scope": "Everything"}),
        ("CreateUser", {"UserName": "x" * 65}),
        ("CreateUser", {"UserName": "x" * 200_000}),
        ("CreateUser", {}),
        ("CreateUser", {"UserName": "a\x00b"}),
        ("CreateUser", {"UserName": "ünïcode"}),
        ("TagUser", {"UserName": "admin", "Tags.member.1.Key": "a"}),
    ):
        request = Request.query_call("iam", action, fields)
        answer = wire.send(wire.signed(request, "iam"))
        assert answer.status == 400, (action, answer.text)
        assert answer.code in ("ValidationError", "MalformedInput", "MalformedQueryString"), answer.text
        assert world.event_of(answer.request_id)["errorCode"] == answer.code


@pytest.mark.parametrize("body", [
    b"%", b"%zz", b"\xff\xfe", b"Action=ListUsers&Action=CreateUser&Version=2010-05-08&UserName=x",
    b"Action=CreateUser&Version=2010-05-08&UserName=x&UserName=y",
    b"&".join(b"a%d=1" % number for number in range(60_000)),
    b"Action=TagUser&Version=2010-05-08&UserName=admin&Tags.member.999999999.Key=a",
    b"Action=TagUser&Version=2010-05-08&UserName=admin&Tags" + b".member.1" * 10_000 + b"=a",
])
def test_forms_that_are_wrong(world, body):
    before = state(world)
    wire = world.admin.wire
    answer = wire.send(wire.signed(Request(headers={"content-type": FORM}, body=body), "iam"))
    assert 400 <= answer.status < 500, answer.text
    assert world.event_of(answer.request_id)["errorCode"] == answer.code
    assert state(world) == before


def test_tm_g05_encodings_methods_and_paths(world):
    wire = world.admin.wire
    request = Request.query_call("iam", "CreateUser", {"UserName": "x"}, {"content-encoding": "gzip"})
    refuses(world, wire.signed(request, "iam"), 415, "UnsupportedMediaType")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        request = Request.query_call("iam", "CreateUser", {"UserName": "x"})
        request.method = method
        refuses(world, wire.signed(request, "iam"), 405, "MethodNotAllowed")
    for path in ("/x", "/../etc/passwd", "/%2e%2e/x", "//"):
        request = Request.query_call("iam", "CreateUser", {"UserName": "x"})
        request.path = path
        answer = wire.send(wire.signed(request, "iam"))
        assert answer.status in (400, 404), answer.text


def test_tm_c05_names_of_context_keys_in_headers_and_parameters(world):
    """What a caller sends under the name of a context key is not believed."""
    alice = world.user(allow("iam:ListUsers", StringEquals={"aws:PrincipalTag/Team": "blue"}),
                       allow("iam:ListUsers", IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
                       allow("iam:ListUsers", Bool={"aws:SecureTransport": "true"}))
    for headers, fields in (
        ({}, {}),
        ({"aws:SourceIp": "10.0.0.1", "x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https",
          "x-real-ip": "10.0.0.1", "forwarded": "for=10.0.0.1;proto=https", "x-amz-principal-tag-team": "blue"}, {}),
        ({}, {"aws:SourceIp": "10.0.0.1", "aws:PrincipalTag/Team": "blue", "aws:SecureTransport": "true"}),
    ):
        headers = {name: value for name, value in headers.items() if ":" not in name}
        answer = alice.wire.call("iam", "ListUsers", headers=headers, **fields)
        assert (answer.status, answer.code) == (403, "AccessDenied")


def test_a_5xx_never_came(world):
    codes = {event.get("errorCode") for events in world.events().values() for event in events}
    assert not codes & {"InternalFailure", "ServiceUnavailable", "ServiceFailure"}, codes
