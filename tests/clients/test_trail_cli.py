"""`bailiwick audit events` and the checks that ask the events of a trail, from files alone."""

import csv
import datetime
import gzip
import io
import json
import random
import re
import zlib

import pytest
from commandline import Tool

pytestmark = pytest.mark.untraced

ACCOUNT = "123456789012"
AS_OF = ("--as-of", "2026-06-01T00:00:00Z")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
BY_ROLE = {
    "type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s",
    "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
}
BY_ANN = {"type": "IAMUser", "arn": ANN, "accountId": ACCOUNT, "userName": "ann",
          "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}


def event(time, action, who=BY_ANN, **more):
    service, name = action.split(":")
    return {
        "eventVersion": "1.11", "eventTime": f"2026-{time}Z", "eventSource": f"{service}.amazonaws.com",
        "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli/2.1 x", "recipientAccountId": ACCOUNT, "userIdentity": who, **more,
    }


EVENTS = [
    event("02-25T00:00:00", "s3:ListObjects"),
    event("03-01T00:00:00", "s3:HeadBucket"),
    event("04-01T00:00:00", "monitoring:DescribeAlarms", BY_ROLE),
    event("05-01T00:00:00", "iam:CreateUser", errorCode="AccessDenied"),
    event("05-30T00:00:00", "iam:ListUsers", BY_ROLE, awsRegion="us-east-1"),
    event("05-31T12:00:00", "lambda:ListFunctions20150331", BY_ROLE),
]
# A day after another, so that none is unknown.
DAYS = [datetime.date(2026, 2, 25) + datetime.timedelta(days=day) for day in range(96)]
DAILY = [event(f"{day:%m-%d}T00:00:00", "s3:ListBuckets", readOnly=True) for day in DAYS]


class Audit(Tool):
    """Runs `bailiwick audit` in an empty folder."""

    def write(self, path, content, pack=True):
        """A file of a trail."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return super().write(path, gzip.compress(data) if pack else data)


@pytest.fixture
def audit(binary, tmp_path):
    return Audit(binary, tmp_path, "audit")


def deep(day, name):
    return f"t/AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/05/{day:02}/{name}.json.gz"


def used(done):
    return {(one["principal"], f"{one['service']}:{one['action']}"): one for one in json.loads(done.stdout)["used"]}


def test_events_of_every_form_are_told_as_actions(audit):
    audit.write(deep(1, "a"), {"Records": EVENTS[:2]})
    audit.write("t/b.json", {"Records": EVENTS[2:3]}, pack=False)
    audit.write("t/c.jsonl", "\n".join(map(json.dumps, EVENTS[3:5])).encode(), pack=False)
    looked = [{"EventId": "1", "EventName": "x", "CloudTrailEvent": json.dumps(EVENTS[5])}]
    audit.write("t/d.json", {"Events": looked}, pack=False)
    (audit.folder / "t/readme.txt").write_text("x")
    done = audit("events", "t", "--format", "json", code=0)
    found = used(done)
    assert set(found) == {
        (ANN, "s3:ListBucket"), (ROLE, "cloudwatch:DescribeAlarms"), (ROLE, "iam:ListUsers"),
        (ROLE, "lambda:ListFunctions"),
    }
    assert found[ANN, "s3:ListBucket"]["count"] == 2
    assert found[ANN, "s3:ListBucket"]["first"] == "2026-02-25T00:00:00Z"
    assert found[ROLE, "iam:ListUsers"]["regions"] == ["us-east-1"]
    assert json.loads(done.stdout)["accounts"][ACCOUNT]["events"] == 6
    assert re.search(r"^6 events, 4 files, .* MB/s", done.stderr, re.M), done.stderr
    assert "1 files are not of a trail" in done.stderr
    denied = used(audit("events", "t", "--denied", "--format", "json", code=0))
    assert set(denied) == {(ANN, "iam:CreateUser")}
    keys = used(audit("events", "t", "--keys", "--format", "json", code=0))
    assert {key for key, _ in keys} == {"AKIAIOSFODNN7EXAMPLE"}
    table = audit("events", "t", code=0).stdout.splitlines()
    assert table[0].split() == ["PRINCIPAL", "SERVICE", "ACTIONS", "COUNT", "LAST"]
    assert any(line.split() == [ANN, "s3", "1", "2", "2026-03-01T00:00:00Z"] for line in table), table
    rows = list(csv.DictReader(io.StringIO(audit("events", "t", "--format", "csv", "--actions").stdout)))
    assert {row["action"] for row in rows} == {action for _, action in found}


# However the same events lie in files, the same is told.
def test_the_order_of_files_changes_nothing(audit):
    told = set()
    for seed in range(4):
        shuffled = EVENTS * 5
        random.Random(seed).shuffle(shuffled)
        for number in range(5):
            part = shuffled[number * 6:number * 6 + 6]
            name = random.Random(seed * 100 + number).randrange(10**6)
            audit.write(f"s{seed}/{name:06}.json.gz", {"Records": part})
        whole = json.loads(audit("events", f"s{seed}", "--format", "json", code=0).stdout)
        del whole["read"]
        told.add(json.dumps(whole, sort_keys=True))
    assert len(told) == 1


def test_what_cannot_be_read_is_told(audit):
    audit.write("t/a.json.gz", {"Records": [EVENTS[0], {"eventTime": "never"}, EVENTS[4]]})
    whole = gzip.compress(json.dumps({"Records": EVENTS}).encode())
    audit.write("t/b.json.gz", whole[:-20], pack=False)
    audit.write("t/c.json", b'{"Records": [', pack=False)
    audit.write("t/d.json.gz", b"[" * 100_000)
    done = audit("events", "t", "--format", "json", code=2)
    assert (ROLE, "iam:ListUsers") in used(done)
    read = json.loads(done.stdout)["read"]
    assert (read["bad"], read["broken"]) == (1, 3)
    for file in ("t/a.json.gz:1:", "t/b.json.gz:1:1:", "t/c.json:1:", "t/d.json.gz:1:"):
        assert file in done.stderr, done.stderr
    assert audit("events", "none").returncode == 2
    (audit.folder / "empty").mkdir()
    assert "no file of events" in audit("events", "empty", code=2).stderr


def test_digests_and_insights_are_passed_over(audit):
    digest = {
        "awsAccountId": ACCOUNT, "digestStartTime": "2026-05-01T10:00:00Z",
        "digestEndTime": "2026-05-01T11:00:00Z", "logFiles": [],
        "digestS3Object": f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/05/01/d.json.gz",
    }
    insight = {"eventVersion": "1.07", "eventTime": "2026-05-01T10:00:00Z", "eventCategory": "Insight",
               "eventType": "AwsCloudTrailInsight", "awsRegion": "eu-west-1"}
    audit.write("t/d.json.gz", digest)
    audit.write("t/i.json.gz", {"Records": [insight, EVENTS[0]]})
    done = audit("events", "t", "--format", "json", code=0)
    read = json.loads(done.stdout)["read"]
    assert (read["events"], read["insights"], read["digests"]) == (1, 1, 1)


# A file of some kilobytes that unpacks to more than the limit.
def test_tm_d02_a_bomb_is_told(audit):
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(pack.compress(bytes(1 << 20)) for _ in range(257)) + pack.flush()
    assert len(packed) < 1 << 20
    audit.write("t/a.json.gz", packed, pack=False)
    audit.write("t/b.json.gz", {"Records": EVENTS})
    done = audit("events", "t", "--format", "json", code=2)
    assert "has more than" in done.stderr
    assert json.loads(done.stdout)["read"]["events"] == 6


def details(*actions):
    document = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": list(actions), "Resource": "*"}}
    role = {
        "Path": "/", "RoleName": "app", "RoleId": "AROAAAAAAAAAAAAAAAAAA", "Arn": ROLE,
        "CreateDate": "2025-01-01T00:00:00Z", "InstanceProfileList": [], "Tags": [],
        "AttachedManagedPolicies": [],
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": document}],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}},
    }
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": []}


def outcomes(audit, *args):
    done = audit(*args, *AS_OF, "--format", "json")
    whole = json.loads(done.stdout)
    found = {finding["check"]: finding for finding in whole["findings"]}
    return done, found, {check["id"]: check["outcome"] for check in whole["checks"]}


def test_the_folder_of_an_audit_may_hold_events(audit):
    needs = ("USE-04", "USE-05", "USR-06", "TRU-15", "LOG-12", "LOG-14", "MON-12", "MON-14", "IDC-05")
    used = ("cloudwatch:DescribeAlarms", "iam:ListUsers", "lambda:ListFunctions")
    audit.write("x/authorization-details.json", details(*used), pack=False)
    _, _, before = outcomes(audit, "x")
    assert {before[check] for check in needs} == {"not-assessed"}
    events = [event("04-01T00:00:00", "lambda:ListFunctions20150331", BY_ROLE), *EVENTS]
    audit.write("x/events/AWSLogs/a.json.gz", {"Records": events})
    # What lies between days that are far apart is not known.
    done, found, after = outcomes(audit, "x")
    assert "7 events, 1 files" in done.stderr
    assert after["USE-04"] == after["USE-05"] == "not-assessed"
    events = [*DAILY, *events]
    audit.write("x/events/AWSLogs/a.json.gz", {"Records": events})
    done, found, after = outcomes(audit, "x")
    assert after["USE-04"] == after["USE-05"] == "pass", found
    assert after["USR-06"] == after["LOG-14"] == after["MON-12"] == "pass"
    # No network is listed, and there is no Identity Center.
    assert after["TRU-15"] == after["IDC-05"] == "not-assessed"
    # One action more is one that nobody used.
    audit.write("x/authorization-details.json", details(*used, "ec2:RunInstances"), pack=False)
    _, found, after = outcomes(audit, "x")
    assert after["USE-04"] == "fail" and "ec2:RunInstances" in found["USE-04"]["why"]
    assert "2026-02-25 to 2026-05-31 (95 days)" in found["USE-04"]["why"]
    # Fewer days than the limit prove nothing.
    audit.write("x/events/AWSLogs/a.json.gz", {"Records": [*DAILY[30:], *EVENTS[2:]]})
    _, found, after = outcomes(audit, "x")
    assert after["USE-04"] == "not-assessed"
    # The events may lie elsewhere, and then the folder's are not read.
    audit.write("y/a.json.gz", {"Records": events})
    done, _, after = outcomes(audit, "x", "--events", "y")
    assert after["USE-04"] == "fail" and f"{len(events)} events" in done.stderr


def test_events_that_cannot_be_read_let_nothing_pass(audit):
    audit.write("x/authorization-details.json", details("iam:ListUsers"), pack=False)
    audit.write("x/events/a.json.gz", {"Records": [*EVENTS, 5]})
    done, _, after = outcomes(audit, "x")
    assert done.returncode == 2 and "x/events/a.json.gz:1:" in done.stderr
    assert after["LOG-14"] == after["MON-12"] == after["USR-06"] == "not-assessed"
