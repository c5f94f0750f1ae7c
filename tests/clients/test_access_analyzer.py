"""Access Analyzer by boto3 and both command lines of AWS: validation of policies, and the checks of access."""

import json
import os
import pathlib
import re
import subprocess
import threading
import time

import process
import pytest
import signing
from conftest import ACCOUNT, ROOT, allow, document, refused, statement

LINES = {
    "v1": os.environ.get("AWS_CLI_V1", str(ROOT / "target/clients/bin/aws")),
    "v2": os.environ.get("AWS_CLI_V2", "/usr/bin/aws"),
}
PUBLIC = document({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
OWN = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
# Twelve actions of which none exists, on lines of their own, with letters of two and four bytes before them.
FAULTY = json.dumps(
    document({"Sid": "Sid1"} | statement("Allow", [f"s3:NoSuch{at}é🔑" for at in range(12)])), indent=2, ensure_ascii=False)


@pytest.fixture
def analyzer(world):
    return world.admin.client("accessanalyzer")


@pytest.fixture(params=LINES)
def aws(world, request):
    """A command line of AWS as the administrator; answers with what it prints, and its status."""
    program = LINES[request.param]
    if not pathlib.Path(program).exists():
        pytest.skip(f"no AWS CLI {request.param}")
    environment = process.clean_environment(
        **world.admin.key.environment(), AWS_DEFAULT_REGION="us-east-1", AWS_PAGER="",
        AWS_ENDPOINT_URL=world.server.url, AWS_CONFIG_FILE="/dev/null", AWS_MAX_ATTEMPTS="1",
    )

    def call(*words):
        command = [program, "accessanalyzer", *words, "--output", "json", "--endpoint-url", world.server.url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        return (json.loads(done.stdout) if done.returncode == 0 else done.stderr), done.returncode

    return call


def at(text, position):
    """The offset that a line and column stand for, counted here."""
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: position["line"] - 1]) + position["column"]


def follow(value, path):
    """What stands at a path of a document."""
    for step in path:
        [(kind, found)] = step.items()
        if kind == "substring":
            return value[found["start"]: found["start"] + found["length"]]
        value = value[found]
    return value


def test_findings_and_their_places(analyzer):
    answer = analyzer.validate_policy(policyDocument=FAULTY, policyType="IDENTITY_POLICY", locale="DE")
    findings = answer["findings"]
    assert "nextToken" not in answer and len(findings) >= 12
    seen = set()
    for finding in findings:
        assert set(finding) == {"findingDetails", "findingType", "issueCode", "learnMoreLink", "locations"}
        assert finding["findingType"] in ("ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION")
        assert finding["learnMoreLink"].startswith("https://docs.aws.amazon.com/")
        for place in finding["locations"]:
            start, end = place["span"]["start"], place["span"]["end"]
            assert (at(FAULTY, start), at(FAULTY, end)) == (start["offset"], end["offset"])
            if finding["issueCode"] == "INVALID_ACTION":
                quoted = json.loads(FAULTY[start["offset"]: end["offset"]])
                assert quoted == follow(json.loads(FAULTY), place["path"])
                assert quoted in finding["findingDetails"]
                seen.add(quoted)
    assert seen == {f"s3:NoSuch{number}é🔑" for number in range(12)}
    assert analyzer.validate_policy(policyDocument="{", policyType="IDENTITY_POLICY")["findings"][0]["findingType"] == "ERROR"
    good = allow("s3:GetObject", resource="arn:aws:s3:::b/*")
    assert analyzer.validate_policy(policyDocument=json.dumps(good), policyType="IDENTITY_POLICY")["findings"] == []


def test_the_types_of_policies_and_resources(analyzer):
    def codes(policy, kind, **more):
        answer = analyzer.validate_policy(policyDocument=json.dumps(policy), policyType=kind, **more)
        return {finding["issueCode"] for finding in answer["findings"]}

    assert "MISSING_PRINCIPAL" in codes(allow("s3:GetObject"), "RESOURCE_POLICY")
    assert codes(allow("*"), "SERVICE_CONTROL_POLICY") == set()
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    kind = "AWS::IAM::AssumeRolePolicyDocument"
    assert codes(trust, "RESOURCE_POLICY", validatePolicyResourceType=kind) == set()
    assert codes(trust, "RESOURCE_POLICY") != set()
    with refused("ValidationException", 400) as error:
        codes(trust, "IDENTITY_POLICY", validatePolicyResourceType=kind)
    assert error.value.response["reason"] == "fieldValidationFailed"
    assert error.value.response["fieldList"][0]["name"] == "validatePolicyResourceType"


def test_paging_of_findings(world, analyzer):
    asked = {"policyDocument": FAULTY, "policyType": "IDENTITY_POLICY"}
    whole = analyzer.validate_policy(**asked)["findings"]
    pages = list(analyzer.get_paginator("validate_policy").paginate(**asked, PaginationConfig={"PageSize": 5}))
    assert len(pages) > 2 and all(1 <= len(page["findings"]) <= 5 for page in pages)
    assert [finding for page in pages for finding in page["findings"]] == whole
    token = pages[0]["nextToken"]
    for other in ({"policyDocument": FAULTY + " "}, {"policyType": "SERVICE_CONTROL_POLICY"}):
        with refused("ValidationException", 400) as error:
            analyzer.validate_policy(**asked | other, maxResults=5, nextToken=token)
        assert error.value.response["fieldList"][0]["name"] == "nextToken"
    with refused("ValidationException", 400):
        analyzer.validate_policy(**asked, nextToken="")
    with refused("ValidationException", 400):
        analyzer.validate_policy(**asked, maxResults=0)
    stranger = world.user(allow("*")).client("accessanalyzer")
    with refused("ValidationException", 400):
        stranger.validate_policy(**asked, maxResults=5, nextToken=token)


def test_a_call_is_recorded_with_its_parameters(world, analyzer):
    text = json.dumps(allow("s3:GetObject"))
    answer = analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY", maxResults=3)
    event = world.event_of(answer["ResponseMetadata"]["RequestId"])
    assert (event["eventSource"], event["eventName"]) == ("access-analyzer.amazonaws.com", "ValidatePolicy")
    assert event["requestParameters"] == {"policyDocument": text, "policyType": "IDENTITY_POLICY", "maxResults": 3}
    assert event["readOnly"] is True and event["awsRegion"] == "us-east-1"
    region = world.admin.client("accessanalyzer", "eu-west-1")
    answer = region.check_no_public_access(policyDocument=json.dumps(PUBLIC), resourceType="AWS::S3::Bucket")
    event = world.event_of(answer["ResponseMetadata"]["RequestId"])
    # The model has the policy as sensitive.
    assert event["requestParameters"] == {"resourceType": "AWS::S3::Bucket"}
    assert event["awsRegion"] == "eu-west-1"


def test_refused_without_permission_and_by_region(world):
    text = json.dumps(allow("s3:GetObject"))
    asked = {"policyDocument": text, "policyType": "IDENTITY_POLICY"}
    nobody = world.user()
    on = f"arn:aws:access-analyzer:us-east-1:{ACCOUNT}:*"
    with refused("AccessDeniedException", 403, re.compile(
        rf"^User: {nobody.arn} is not authorized to perform: access-analyzer:ValidatePolicy on resource: {re.escape(on)} "
        "because no identity-based policy allows the access-analyzer:ValidatePolicy action"
    )):
        nobody.client("accessanalyzer").validate_policy(**asked)
    here = world.user(allow("access-analyzer:*", StringEquals={"aws:RequestedRegion": "eu-west-1"}))
    here.client("accessanalyzer", "eu-west-1").validate_policy(**asked)
    with refused("AccessDeniedException", 403):
        here.client("accessanalyzer").validate_policy(**asked)


def test_new_access(analyzer):
    def check(existing, new, kind="IDENTITY_POLICY"):
        return analyzer.check_no_new_access(
            existingPolicyDocument=json.dumps(existing), newPolicyDocument=json.dumps(new), policyType=kind)

    answer = check(allow("s3:Get*"), allow("s3:GetObject"))
    assert (answer["result"], answer["reasons"]) == ("PASS", [])
    answer = check(allow("s3:GetObject"), document(statement("Allow", ["s3:GetObject"]), {"Sid": "More"} | statement("Allow", ["iam:*"])))
    assert answer["result"] == "FAIL"
    [reason] = answer["reasons"]
    assert (reason["statementIndex"], reason["statementId"]) == (1, "More")
    assert answer["message"] and "More" in reason["description"]
    assert check(OWN, PUBLIC, "RESOURCE_POLICY")["result"] == "FAIL"
    assert check(PUBLIC, OWN, "RESOURCE_POLICY")["result"] == "PASS"
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    assert check(allow("s3:GetObject", **condition), allow("s3:GetObject"))["result"] == "FAIL"
    assert check(allow("s3:GetObject"), allow("s3:GetObject", **condition))["result"] == "PASS"


def test_granted_access(analyzer):
    def check(access, policy=None):
        return analyzer.check_access_not_granted(
            policyDocument=json.dumps(policy or allow("s3:Get*", resource="arn:aws:s3:::b/*")),
            access=[access], policyType="IDENTITY_POLICY")["result"]

    assert check({"actions": ["s3:PutObject"]}) == "PASS"
    assert check({"actions": ["s3:GetObject"]}) == "FAIL"
    assert check({"resources": ["arn:aws:s3:::other/*"]}) == "PASS"
    assert check({"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/k"]}) == "FAIL"
    for wrong in ({"actions": ["GetObject"]}, {"actions": [], "resources": []}):
        with refused("InvalidParameterException", 400):
            check(wrong)
    with refused("ValidationException", 400):
        check({"actions": ["s3:GetObject"] * 101})


def test_public_access(analyzer):
    def check(policy, kind="AWS::S3::Bucket"):
        return analyzer.check_no_public_access(policyDocument=json.dumps(policy), resourceType=kind)["result"]

    assert (check(PUBLIC), check(OWN)) == ("FAIL", "PASS")
    trust = document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    assert check(trust, "AWS::IAM::AssumeRolePolicyDocument") == "FAIL"


def test_policies_that_are_none(analyzer):
    good = json.dumps(allow("s3:GetObject"))
    deep = "[" * 10_000
    for text, code, status in (("{", "InvalidParameterException", 400), (deep, "UnprocessableEntityException", 422)):
        with refused(code, status):
            analyzer.check_no_new_access(existingPolicyDocument=good, newPolicyDocument=text, policyType="IDENTITY_POLICY")
        with refused(code, status):
            analyzer.check_access_not_granted(
                policyDocument=text, access=[{"actions": ["s3:GetObject"]}], policyType="IDENTITY_POLICY")
        with refused(code, status):
            analyzer.check_no_public_access(policyDocument=text, resourceType="AWS::S3::Bucket")


def test_tm_g02_bad_input_is_refused_in_json(world):
    fine = json.dumps({"policyDocument": "{}", "policyType": "IDENTITY_POLICY"}).encode()
    for method, path, query, body, status, code in (
        ("POST", "/policy/validation", "", b"{", 400, "ValidationException"),
        ("POST", "/policy/validation", "", b"\xff\xfe", 400, "ValidationException"),
        ("POST", "/policy/validation", "", b"[" * 100_000, 400, "ValidationException"),
        ("POST", "/policy/validation", "", fine.replace(b"}", b', "policyType": "IDENTITY_POLICY"}', 2), 400, "ValidationException"),
        ("POST", "/policy/validation", "maxResults=1e3", fine, 400, "ValidationException"),
        ("POST", "/nothing", "", fine, 404, "UnknownOperationException"),
        ("DELETE", "/policy/validation", "", b"", 405, "UnknownOperationException"),
        ("GET", "/analyzer/x%2Fy", "", b"", 400, "ValidationException"),
    ):
        request = signing.Request(method, path, query, {"content-type": "application/json"}, body)
        # The path is encoded once more for the signature.
        signed = signing.Request(method, path.replace("%", "%25"), query, request.headers, body)
        signed.sign(world.admin.key, "access-analyzer", world.admin.wire.host)
        signed.path = path
        answer = world.admin.wire.send(signed)
        assert (answer.status, answer.code) == (status, code), (method, path, answer.text)
        assert answer.headers["content-type"] == "application/json"
        assert world.event_of(answer.request_id)["errorCode"] == code


def test_tm_a01_bad_signatures_are_told_in_json(world):
    body = b'{"policyDocument": "{}", "policyType": "IDENTITY_POLICY"}'
    for key, change, code in (
        (process.Key("AKIAIOSFODNN7EXAMPLE", "x" * 40), {}, "UnrecognizedClientException"),
        (world.admin.key, {"body": body + b" "}, "InvalidSignatureException"),
        (world.admin.key, {"path": "/policy/check-no-new-access"}, "InvalidSignatureException"),
    ):
        request = signing.Request("POST", "/policy/validation", "", {"content-type": "application/json"}, body)
        request.sign(key, "access-analyzer", world.admin.wire.host)
        for name, value in change.items():
            setattr(request, name, value)
        answer = world.admin.wire.send(request)
        assert (answer.status, answer.code) == (403, code), answer.text
        assert answer.message


def test_by_the_command_lines(world, aws, tmp_path):
    (tmp_path / "faulty.json").write_text(FAULTY)
    document_of = f"file://{tmp_path}/faulty.json"
    answer, status = aws("validate-policy", "--policy-type", "IDENTITY_POLICY", "--policy-document", document_of)
    assert status == 0, answer
    assert sum(finding["issueCode"] == "INVALID_ACTION" for finding in answer["findings"]) == 12
    paged, status = aws("validate-policy", "--policy-type", "IDENTITY_POLICY", "--policy-document", document_of, "--page-size", "4")
    assert (status, paged["findings"]) == (0, answer["findings"])
    old, new = json.dumps(allow("s3:GetObject")), json.dumps(allow("s3:*"))
    answer, status = aws(
        "check-no-new-access", "--policy-type", "IDENTITY_POLICY",
        "--existing-policy-document", old, "--new-policy-document", new)
    # A newer server than the command: version 2.9 does not know the checks.
    if status and "Invalid choice" in answer:
        return
    assert (status, answer["result"]) == (0, "FAIL"), answer
    answer, status = aws(
        "check-access-not-granted", "--policy-type", "IDENTITY_POLICY", "--policy-document", old,
        "--access", "actions=s3:PutObject,iam:PassRole")
    assert (status, answer["result"]) == (0, "PASS"), answer
    for policy, result in ((PUBLIC, "FAIL"), (OWN, "PASS")):
        answer, status = aws(
            "check-no-public-access", "--resource-type", "AWS::S3::Bucket", "--policy-document", json.dumps(policy))
        assert (status, answer["result"]) == (0, result), answer
    answer, status = aws("check-no-public-access", "--resource-type", "AWS::S3::Bucket", "--policy-document", "{")
    assert status and "InvalidParameterException" in answer


def test_what_is_not_built_says_so(world, aws):
    answer, status = aws("list-findings", "--analyzer-arn", f"arn:aws:access-analyzer:us-east-1:{ACCOUNT}:analyzer/x")
    assert status and "NotImplemented" in answer and "ListFindings" in answer


def test_real_policies_are_not_too_long(world, analyzer):
    """AWS's own longest policies, with white space."""
    def text(name):
        arn = f"arn:aws:iam::aws:policy/{name}"
        version = world.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = world.iam.get_policy_version(PolicyArn=arn, VersionId=version)
        return json.dumps(found["PolicyVersion"]["Document"], indent=4)

    reading, audit = text("ReadOnlyAccess"), text("SecurityAudit")
    for policy in (reading, audit):
        findings = analyzer.validate_policy(policyDocument=policy, policyType="IDENTITY_POLICY")["findings"]
        assert not [finding for finding in findings if finding["findingType"] == "ERROR"]
        answer = analyzer.check_no_new_access(
            existingPolicyDocument=reading, newPolicyDocument=policy, policyType="IDENTITY_POLICY")
        assert answer["result"] == ("PASS" if policy == reading else "FAIL") and "decided" not in answer["message"]


def test_tm_g06_too_involved_policies_are_refused(analyzer):
    text = json.dumps(document(statement("Allow", ["s3:*"], [f"arn:aws:s3:::*a{at}*" for at in range(5_000)])))
    with refused("UnprocessableEntityException", 422):
        analyzer.check_no_new_access(existingPolicyDocument=text, newPolicyDocument=text, policyType="IDENTITY_POLICY")
    with refused("UnprocessableEntityException", 422):
        analyzer.check_no_public_access(policyDocument=" " * 300_000, resourceType="AWS::S3::Bucket")


def test_tm_g06_checks_hold_up_nobody(world, analyzer):
    """Others are answered while large policies are compared."""
    words = [f"arn:aws:s3:::*a{at}*b{at}*c*" for at in range(14)]

    def large(shift):
        return json.dumps(document(*(
            statement("Deny" if at % 3 == 0 else "Allow", [f"s3:*{at + shift}*", f"iam:*x{at}*"], words) for at in range(20))))

    done, slow = threading.Event(), []

    def check():
        try:
            for shift in (1, 2):
                began = time.monotonic()
                analyzer.check_no_new_access(
                    existingPolicyDocument=large(0), newPolicyDocument=large(shift), policyType="IDENTITY_POLICY")
                slow.append(time.monotonic() - began)
        finally:
            done.set()

    asking = threading.Thread(target=check)
    asking.start()
    waited = []
    while not done.is_set():
        began = time.monotonic()
        world.iam.get_user(UserName="admin")
        waited.append(time.monotonic() - began)
    asking.join()
    assert len(slow) == 2 and max(waited) < 2, (slow, max(waited))
