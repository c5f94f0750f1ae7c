"""The analyst's verbs on what they are given: a live server, whole accounts, suites, and bad input.

Names that begin with a mission row's number show that row.
"""

import json
import os
import stat
import time
import xml.etree.ElementTree as xml

import process
import pytest
from commandline import Tool

pytestmark = pytest.mark.untraced

ACCOUNT, OTHER = "123456789012", "210987654321"
AS_OF = ("--as-of", "2026-06-01T00:00:00Z")


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, on="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def user(name, *policies, account=ACCOUNT):
    return {
        "Path": "/", "UserName": name, "UserId": "AIDA" + name.upper().ljust(17, "A"),
        "Arn": f"arn:aws:iam::{account}:user/{name}", "CreateDate": "2026-01-01T00:00:00Z", "GroupList": [],
        "AttachedManagedPolicies": [], "Tags": [],
        "UserPolicyList": [{"PolicyName": f"p{n}", "PolicyDocument": text} for n, text in enumerate(policies)],
    }


def details(*users):
    return {"UserDetailList": list(users), "GroupDetailList": [], "RoleDetailList": [], "Policies": []}


@pytest.fixture
def tool(binary, tmp_path):
    """Runs `bailiwick` in an empty folder."""
    return Tool(binary, tmp_path)


def live(server, key=None):
    return (key or server.key()).environment() | {"AWS_ENDPOINT_URL": server.url}


# A live server.


@pytest.fixture(scope="module")
def held(binary):
    """A server with a user who can become administrator, a role, and credentials."""
    with process.Server(binary, account=ACCOUNT) as server:
        def call(*words):
            done = server.run("call", "iam", *words, environment=live(server))
            return json.loads(done.stdout)
        call("CreateUser", "UserName=alice")
        call("CreateAccessKey", "UserName=alice")
        own = allow("iam:PutUserPolicy", f"arn:aws:iam::{ACCOUNT}:user/alice")
        call("PutUserPolicy", "UserName=alice", "PolicyName=own", "PolicyDocument=" + json.dumps(policy(own)))
        trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/alice"}})
        call("CreateRole", "RoleName=reader", "AssumeRolePolicyDocument=" + json.dumps(trust), "Description=reads")
        call("CreateVirtualMFADevice", "VirtualMFADeviceName=phone")
        call("UpdateAccountPasswordPolicy", "MinimumPasswordLength=14")
        yield server


def test_a_live_account_is_audited_like_a_folder(held, tool):
    words = ("audit", "--server", *AS_OF, "--format", "json")
    done = tool(*words, environment=live(held))
    assert done.returncode == 1, done.stderr
    whole = json.loads(done.stdout)
    outcomes = {check["id"]: check["outcome"] for check in whole["checks"]}
    assert len(outcomes) == 158
    # What the server tells is assessed; what it has no calls for is missing, and does not pass.
    assert outcomes["USR-01"] == "fail"
    for known in ("PWD-01", "MFA-02"):
        assert outcomes[known] in ("pass", "fail"), known
    assert outcomes["LOG-01"] == outcomes["MON-01"] == "not-assessed"
    tool("audit", "collect", "--run", "audit", environment=live(held), code=0)
    folder = tool.folder / "audit"
    assert stat.S_IMODE(os.stat(folder / "collected.json").st_mode) == 0o600
    for name in ("authorization-details.json", "credential-report.json", "account-summary.json",
                 "password-policy.json", "virtual-mfa-devices.json", "access-keys/alice.json", "roles.json"):
        assert (folder / name).exists(), name
    again = json.loads(tool("audit", "audit", *AS_OF, "--format", "json").stdout)
    assert {check["id"]: check["outcome"] for check in again["checks"]} == outcomes
    assert {one["id"] for one in again["findings"]} == {one["id"] for one in whole["findings"]}
    full = tool("audit", "collect", "--run", "audit", environment=live(held), code=2)
    assert "not empty" in full.stderr


def test_lists_standards_and_pages_come_from_a_server_too(held, tool):
    tool("audit", "collect", "--run", "audit", environment=live(held), code=0)
    for words in (("checklist", "--seed", "000"), ("compliance", "--standard", "cis-3.0")):
        told = [json.loads(tool(*words, *source, *AS_OF, "--format", "json", environment=live(held)).stdout)
                for source in ((), ("audit",))]
        assert told[0] == told[1], words
        assert "pass" in str(told[0]) and "fail" in str(told[0]), words
    tool("docs", "export", "--out", "live", *AS_OF, environment=live(held), code=0)
    tool("docs", "export", "audit", "--out", "files", *AS_OF, code=0)
    pages = [sorted(str(page.relative_to(tool.folder / name)) for page in (tool.folder / name).rglob("*.md"))
             for name in ("live", "files")]
    assert pages[0] == pages[1] and any("alice" in page for page in pages[0]), pages


def test_the_address_may_be_given_and_must_answer(held, tool):
    key = held.key().environment()
    done = tool("audit", "--server", held.url, *AS_OF, environment=key | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert done.returncode == 1, done.stderr
    silent = tool("audit", "--server", "http://127.0.0.1:9", environment=key, code=2)
    assert "no answer from" in silent.stderr and not silent.stdout
    stranger = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40}
    refused = tool("audit", "--server", held.url, environment=stranger, code=2)
    assert "InvalidClientTokenId" in refused.stderr and not refused.stdout


def test_a_caller_without_permission_gets_no_account_taken_for_fine(held, tool):
    words = ("call", "iam", "CreateAccessKey", "UserName=alice")
    made = json.loads(held.run(*words, environment=live(held)).stdout)["AccessKey"]
    alice = live(held, process.Key.of({**made, "SessionToken": None}))
    done = tool("audit", "--server", *AS_OF, "--format", "json", environment=alice, code=2)
    assert "AccessDenied" in done.stderr and "is not assessed" in done.stderr, done.stderr
    assert "AccessDenied" in tool("audit", "fix", "--server", *AS_OF, environment=alice, code=2).stderr
    outcomes = {check["outcome"] for check in json.loads(done.stdout)["checks"]}
    assert outcomes <= {"not-assessed", "not-built", "not-applicable"}, outcomes
    for words in (("escalate", "--server"), ("who-can", "s3:GetObject", "--server"), ("audit", "validate", "--all")):
        refused = tool(*words, environment=alice, code=2)
        assert "AccessDenied" in refused.stderr or "not seen" in refused.stdout, words


def test_escalation_and_access_of_a_live_account(held, tool):
    found = json.loads(tool("escalate", "--server", "--format", "json", environment=live(held), code=1).stdout)
    assert any("user/alice" in json.dumps(one) for one in found["findings"])
    who = tool("who-can", "iam:PutUserPolicy", f"arn:aws:iam::{ACCOUNT}:user/alice", "--server", environment=live(held), code=0)
    assert "user/alice" in who.stdout
    assert "alice" in tool("can", "alice", "--server", environment=live(held), code=0).stdout


# Every policy.


def test_m90_every_policy_of_all_accounts(tool):
    broken = policy(allow("s3:GetObjekt"))
    role = {
        "Path": "/", "RoleName": "r", "RoleId": "AROA" + "R" * 17, "Arn": f"arn:aws:iam::{ACCOUNT}:role/r",
        "CreateDate": "2026-01-01T00:00:00Z", "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": [],
        "AssumeRolePolicyDocument": policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}),
    }
    one = details(user("alice", broken), user("bob", broken, policy(allow("s3:GetObject"))))
    one["RoleDetailList"] = [role]
    tool.write("one/authorization-details.json", one)
    bucket = policy({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
    tool.write("one/s3/b/policy.json", {"Policy": json.dumps(bucket)})
    tool.write("two/authorization-details.json", details(user("carol", policy(allow("s3:GetObject")), account=OTHER)))
    told = json.loads(tool("audit", "validate", "--all", "one", "two", "--format", "json", code=1).stdout)
    first, second = told["accounts"]
    assert (first["account"], first["policies"], first["texts"]) == (ACCOUNT, 5, 4)
    assert (second["account"], second["policies"]) == (OTHER, 1)
    assert first["holdings"] == {"inline policy of a user": 3, "trust policy": 1, "resource policy": 1}
    assert first["policyTypes"] == {"IDENTITY_POLICY": 3, "RESOURCE_POLICY": 2}
    # Both holders of the one text are told, and so are those that were not edited last.
    holders = {one["owner"] for one in first["findings"] if one["finding"]["issueCode"] == "INVALID_ACTION"}
    assert holders == {f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("alice", "bob")}
    assert any("permission sets" in gap for gap in first["notSeen"])
    table = tool("audit", "validate", "--all", "one", "two", code=1).stdout
    assert f"account {ACCOUNT} (one)" in table and "2 accounts, 6 policies" in table and "INVALID_ACTION" in table
    sarif = json.loads(tool("audit", "validate", "--all", "one", "--format", "sarif", code=1).stdout)
    names = {place["fullyQualifiedName"] for result in sarif["runs"][0]["results"] for place in result["locations"][0]["logicalLocations"]}
    assert f"arn:aws:iam::{ACCOUNT}:user/alice p0" in names
    # The one that is right alone, and the one that was not there.
    tool("audit", "validate", "--all", "two", code=0)
    tool.write("two/authorization-details.json", json.dumps(details(user("carol", account=OTHER)))[:-9])
    cut = tool("audit", "validate", "--all", "two", "one", code=2)
    assert "two/authorization-details.json:1:" in cut.stderr and f"account {ACCOUNT}" in cut.stdout


def test_m90_of_ten_thousand_principals(tool):
    users = [user(f"u{n}", policy(allow("s3:GetObject", f"arn:aws:s3:::b{n % 500}/*"))) for n in range(10_000)]
    tool.write("big.json", details(*users))
    start = time.monotonic()
    told = json.loads(tool("audit", "validate", "--all", "big.json", "--format", "json", code=0, seconds=300).stdout)
    assert (told["accounts"][0]["policies"], told["accounts"][0]["texts"]) == (10_000, 500)
    assert time.monotonic() - start < 60


# Suites.


def test_m91_suites_with_checks(tool):
    tool.write("main.json", policy(allow("s3:Get*")))
    tool.write("branch.json", policy(allow("s3:*")))
    bucket = policy({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
    tool.write("bucket.json", bucket)
    suite = """\
name: gates
checks:
  - name: no more than main
    no-new-access: {existing: main.json, new: NEW}
  - name: no passing of roles
    access-not-granted: {policy: main.json, actions: [iam:PassRole]}
  - name: the bucket is public, alas
    no-public-access: {policy: bucket.json, resource-type: AWS::S3::Bucket}
    expect: fail
"""
    tool.write("good.yaml", suite.replace("NEW", "main.json"))
    tool.write("bad.yaml", suite.replace("NEW", "branch.json"))
    for verb in (("test",), ("policy", "test")):
        assert "3 expectations: all as expected" in tool(*verb, "good.yaml", code=0).stdout
        bad = tool(*verb, "bad.yaml", code=1).stdout
        assert "bad.yaml:3: expected pass, got fail" in bad and "branch.json:4:3: " in bad and "for example: " in bad
    junit = xml.fromstring(tool("policy", "test", "bad.yaml", "--format", "junit", code=1).stdout)
    assert (junit.get("tests"), junit.get("failures")) == ("3", "1")
    sarif = json.loads(tool("policy", "test", "bad.yaml", "--format", "sarif", code=1).stdout)
    (result,) = sarif["runs"][0]["results"]
    assert result["ruleId"] == "no-new-access"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 5}
    # Meaning decides and not text: the same actions in other words are no new access.
    tool.write("branch.json", policy(allow(["s3:Get*", "s3:GetObject"]), allow("s3:GetBucketPolicy")))
    tool("policy", "test", "bad.yaml", code=0)
    tool.write("branch.json", '{\n "Statement": [{"Efect": "Allow"}]}')
    broken = tool("policy", "test", "bad.yaml", code=2)
    assert "branch.json:2:" in broken.stderr
    tool.write("bad.yaml", suite.replace("no-new-access", "no-new-acess"))
    assert "bad.yaml:4:5: " in tool("policy", "test", "bad.yaml", code=2).stderr


# Bad input.

GOOD = json.dumps(details(user("alice", policy(allow("s3:GetObject")))), indent=1)
DEEP = b"[" * (100 << 20)
WIDE = b'{"UserDetailList": [' + b"[]," * (33 << 20) + b"[]]}"
LISTS = b'{"x": [' + b"[]," * (33 << 20) + b"[]]}"

BAD = {
    "truncated": (GOOD[: len(GOOD) // 2].encode(), ":"),
    "foreign": (b'{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}', "no account export"),
    "a report of another tool": (b"Provider,AccountId,CheckID,Status\nAWS,1,iam_1,PASS\n", "1:1"),
    "empty": (b"", "1:1"),
    "blank": (b" \n\n", "1:1"),
    "UTF-16": (GOOD.encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), ":1:"),
    "Latin-1": (GOOD.replace("alice", "alic\xe9").encode("latin-1"), "not UTF-8"),
    "deep": (DEEP, "deeper than 64"),
    "wide": (WIDE, ":1:"),
    "lists": (LISTS, "no account export"),
    "two accounts": (json.dumps(details(user("a"), user("b", account=OTHER)), indent=1).encode(), "is not of account"),
    "a policy of another language": (
        GOOD.replace('"Effect": "Allow"', '"Effect": "Permit"').encode(), "cannot be read"),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("verb", [
    ("audit",), ("escalate",), ("who-can", "s3:GetObject", "--account"), ("audit", "validate", "--all"),
    ("can", "alice", "--account"),
])
def test_bad_exports_are_told_and_end_with_2(tool, what, verb):
    content, expected = BAD[what]
    tool.write("bad.json", content)
    start = time.monotonic()
    done = tool(*verb, "bad.json", **({} if what == "a policy of another language" and "validate" in verb else {"code": 2}))
    assert time.monotonic() - start < 120
    if what == "a policy of another language" and "validate" in verb:
        # There it is a finding like any other.
        assert done.returncode == 1 and "INVALID_EFFECT" in done.stdout
        return
    assert expected in done.stderr, done.stderr[-2000:]
    assert "bad.json:" in done.stderr


@pytest.mark.parametrize("what", [what for what in BAD if what not in ("foreign", "lists", "wide", "two accounts",
                                                                     "a policy of another language")])
def test_bad_policies_are_told_by_validate(tool, what):
    content, _ = BAD[what]
    tool.write("bad.json", content)
    tool.write("good.json", policy(allow("s3:GetObject")))
    done = tool("validate", "bad.json", "good.json", "--format", "json", code=2)
    assert "bad.json:" in done.stderr
    assert any(name.endswith("good.json") for name in json.loads(done.stdout)["files"])


def test_bad_lines_of_a_batch_are_answered(tool):
    pair = {"existing": policy(allow("s3:*")), "new": policy(allow("s3:Get*")), "type": "IDENTITY_POLICY"}
    good = json.dumps({"id": "good", **pair})
    for bad in ("{", "[" * 1_000_000, '{"id": 1, "existing": [' + "[]," * 4_000_000 + "[]]}", '"\xe9"', "{}", good[:-20]):
        done = tool("check", "no-new-access", "--batch", "-", stdin=f"{bad}\n{good}\n", code=2)
        first, second = map(json.loads, done.stdout.splitlines())
        assert "error" in first and second["result"] == "PASS"
    (tool.folder / "utf16").write_bytes(good.encode("utf-16"))
    assert "error" in tool("check", "no-new-access", "--batch", "utf16", code=2).stdout
    long = tool("check", "no-new-access", "--batch", tool.write("long", DEEP), code=2)
    assert "at most 16,777,216 bytes" in long.stdout


def test_folders_of_other_things_are_no_accounts(tool):
    (tool.folder / "empty").mkdir()
    tool.write("other/readme.md", "# nothing")
    tool.write("other/main.tf", "resource {}")
    for folder in ("empty", "other", "missing"):
        for verb in (("audit",), ("escalate",), ("who-can", "s3:GetObject", "--account"), ("audit", "validate", "--all")):
            done = tool(*verb, folder, code=2)
            assert done.stderr and "all good" not in done.stdout, (verb, folder)


def test_one_folder_is_one_account(tool):
    tool.write("audit/collected.json", {"account": ACCOUNT})
    tool.write("audit/authorization-details.json", details(user("alice")))
    tool("audit", "audit", *AS_OF)
    for path, content in (
        ("virtual-mfa-devices.json", {"VirtualMFADevices": [{"SerialNumber": f"arn:aws:iam::{OTHER}:mfa/x"}]}),
        ("roles.json", {"Roles": [{"RoleName": "r", "Arn": f"arn:aws:iam::{OTHER}:role/r"}]}),
        ("saml-providers.json", {"SAMLProviderList": [{"Arn": f"arn:aws:iam::{OTHER}:saml-provider/x"}]}),
        ("regions/eu-west-1/sqs/1.json", {"Attributes": {"QueueArn": f"arn:aws:sqs:eu-west-1:{OTHER}:q"}}),
        ("last-accessed/1.json", {"Arn": f"arn:aws:iam::{OTHER}:user/x", "ServicesLastAccessed": []}),
        ("authorization-details-2.json", details(user("bob", account=OTHER))),
    ):
        tool.write(f"audit/{path}", content)
        done = tool("audit", "audit", *AS_OF, code=2)
        # Of pages the one that is read second is at fault.
        file = "authorization-details" if path.startswith("authorization-details") else path
        assert f"audit/{file}" in done.stderr and "account" in done.stderr, done.stderr
        (tool.folder / "audit" / path).unlink()


def test_the_management_account_is_not_bound_by_scps(tool):
    tool.write("export.json", details(user("alice", policy(allow("s3:GetObject")))))
    tool.write("scp.json", policy({"Effect": "Deny", "Action": "*", "Resource": "*"}))
    for verb in (("who-can", "s3:GetObject", "--account", "export.json"), ("can", "alice", "--account", "export.json")):
        tool(*verb, "--scp", "scp.json", code=1)
        assert "GetObject" in tool(*verb, "--scp", "scp.json", "--management-account", code=0).stdout


def test_a_part_of_an_export_is_not_taken_for_the_whole(tool):
    tool.write("page.json", details(user("alice")) | {"IsTruncated": True, "Marker": "more"})
    for verb in (("audit",), ("escalate",), ("who-can", "s3:GetObject", "--account"), ("audit", "validate", "--all")):
        done = tool(*verb, "page.json", code=2)
        assert "another one follows" in done.stderr, verb
    # A folder of pages is an export too.
    tool.write("audit/authorization-details.json", details(user("alice", policy(allow("*")))) | {"IsTruncated": True, "Marker": "more"})
    tool.write("audit/authorization-details-2.json", details(user("bob")))
    assert "user/alice" in tool("who-can", "s3:GetObject", "--account", "audit", code=0).stdout
