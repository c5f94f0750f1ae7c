"""The switches of a development server, and that a plain server has none."""

import http.client
import json
import time
import urllib.request

import process
import pytest
from signing import Wire

TRUST = json.dumps({"Version": "2012-10-17", "Statement": {
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}})


def post(server, route, body=b"{}", headers=None):
    """Works a switch as somebody would who should not."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", f"/_bailiwick/{route}", body, headers or {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_reset_brings_back_the_first_start(dev):
    wire = Wire(dev.url, dev.key())
    assert wire.call("sts", "GetCallerIdentity").find("Account") == "123456789012"
    for number in range(50):
        assert wire.call("iam", "CreateUser", UserName=f"u{number}").status == 200
    made = wire.call("iam", "CreateAccessKey", UserName="u1")
    key = process.Key(made.find("AccessKeyId"), made.find("SecretAccessKey"))
    began = time.monotonic()
    dev.reset()
    assert time.monotonic() - began < 2
    assert wire.call("iam", "ListUsers").find_all("UserName") == ["admin"]
    assert Wire(dev.url, key).call("sts", "GetCallerIdentity").code == "InvalidClientTokenId"


def test_the_clock(dev):
    wire = Wire(dev.url, dev.key())
    assert dev.set_clock(now="2031-02-03T04:05:06Z").startswith("2031-02-03T04:05:0")
    assert wire.call("iam", "CreateUser", UserName="alice").find("CreateDate").startswith("2031-02-03T04:05:")
    wire.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=TRUST)
    session = wire.call("sts", "AssumeRole", RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="s1", DurationSeconds=900)
    key = process.Key(session.find("AccessKeyId"), session.find("SecretAccessKey"), session.find("SessionToken"))
    temporary = Wire(dev.url, key)
    dev.set_clock(advance_seconds=840)
    assert temporary.call("sts", "GetCallerIdentity").status == 200
    dev.set_clock(advance_seconds=100)
    answer = temporary.call("sts", "GetCallerIdentity")
    assert (answer.status, answer.code) == (403, "ExpiredToken")
    dev.set_clock(reset=True)
    assert wire.call("iam", "CreateUser", UserName="bob").status == 200


@pytest.mark.parametrize("headers", [
    {},
    {"Content-Type": "text/plain"},
    {"X-Bailiwick-Dev": "true", "Origin": "http://evil.test"},
    {"X-Bailiwick-Dev": "true", "Host": "evil.test:4680"},
])
def test_tm_p04_a_web_page_cannot_work_them(dev, headers):
    Wire(dev.url, dev.key()).call("iam", "CreateUser", UserName="alice")
    assert post(dev, "reset", headers=headers) == 403
    assert Wire(dev.url, dev.key()).call("iam", "GetUser", UserName="alice").status == 200


def test_a_plain_server_has_none(server):
    for route in ("reset", "clock", ""):
        assert post(server, route, headers={"X-Bailiwick-Dev": "true", "Content-Type": "application/json"}) == 404


def test_health(server):
    for path in ("healthz", "readyz"):
        with urllib.request.urlopen(f"{server.url}/{path}", timeout=10) as answer:
            assert answer.status == 200 and len(answer.read().split()) == 1
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{server.url}/metrics", timeout=10)
    assert error.value.code in (400, 403, 404)
