"""The policy simulator, by boto3 and by both command lines: mission row M8 in all its cases, what is
refused, paging, and the decoded messages of denials.
"""

import json
import os
import pathlib
import re
import subprocess
import time

import process
import pytest
from conftest import ACCOUNT, ROOT, allow, deny, document, pages, refused, statement, text_of
from signing import split_decision

SECRET = "arn:aws:s3:::confidential-bucket/secret.txt"
LINES = {
    "v1": os.environ.get("AWS_CLI_V1", str(ROOT / "target/clients/bin/aws")),
    "v2": os.environ.get("AWS_CLI_V2", "/usr/bin/aws"),
}


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
        command = [program, *words, "--output", "json", "--endpoint-url", world.server.url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        return (json.loads(done.stdout) if done.returncode == 0 else done.stderr), done.returncode

    return call


def m8(user_arn):
    """The command of mission row M8."""
    return ("iam", "simulate-principal-policy", "--policy-source-arn", user_arn,
            "--action-names", "s3:GetObject", "--resource-arns", SECRET)


def one(answer):
    """The result of the only action, and of the only resource in it."""
    [result] = answer["EvaluationResults"]
    [single] = result["ResourceSpecificResults"]
    assert single["EvalResourceName"] == SECRET
    assert single["EvalResourceDecision"] == result["EvalDecision"]
    assert single.get("MatchedStatements", []) == result.get("MatchedStatements", [])
    return result


def test_m8_as_the_mission_prints_it(world, aws):
    alice = world.user()
    command = m8(alice.arn)
    answer, status = aws(*command)
    assert status == 0, answer
    result = one(answer)
    assert (result["EvalActionName"], result["EvalDecision"]) == ("s3:GetObject", "implicitDeny")
    assert result["EvalResourceName"] == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert not result.get("MatchedStatements") and not answer.get("IsTruncated")
    assert "PermissionsBoundaryDecisionDetail" not in result
    assert "OrganizationsDecisionDetail" not in result

    text = json.dumps(allow("s3:GetObject", resource="arn:aws:s3:::confidential-bucket/*"), indent=2)
    name = world.name("Reader")
    arn = world.iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
    world.iam.attach_user_policy(UserName=alice.name, PolicyArn=arn)
    result = one(aws(*command)[0])
    assert result["EvalDecision"] == "allowed"
    [matched] = result["MatchedStatements"]
    assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == (name, "IAM Policy")
    lines = text.splitlines()
    opening = next(number for number, line in enumerate(lines) if line.endswith("["))
    closing = next(number for number, line in enumerate(lines) if line.strip() == "}")
    # Places lie just after a token: here after `[` and after the statement's `}`.
    assert matched["StartPosition"] == {"Line": opening + 1, "Column": len(lines[opening]) + 1}
    assert matched["EndPosition"] == {"Line": closing + 1, "Column": len(lines[closing]) + 1}

    world.iam.put_user_policy(
        UserName=alice.name, PolicyName="Stop", PolicyDocument=json.dumps(deny("s3:*", resource=SECRET)))
    result = one(aws(*command)[0])
    assert result["EvalDecision"] == "explicitDeny"
    assert [held["SourcePolicyId"] for held in result["MatchedStatements"]] == [f"user_{alice.name}_Stop"]

    world.iam.delete_user_policy(UserName=alice.name, PolicyName="Stop")
    narrow = world.policy(allow("ec2:*"))
    world.iam.put_user_permissions_boundary(UserName=alice.name, PermissionsBoundary=narrow)
    result = one(aws(*command)[0])
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    world.iam.delete_user_permissions_boundary(UserName=alice.name)

    # By its groups alone.
    world.iam.detach_user_policy(UserName=alice.name, PolicyArn=arn)
    group = world.name("group")
    world.iam.create_group(GroupName=group)
    world.iam.add_user_to_group(GroupName=group, UserName=alice.name)
    world.iam.put_group_policy(GroupName=group, PolicyName="Read", PolicyDocument=text)
    result = one(aws(*command)[0])
    assert [held["SourcePolicyId"] for held in result["MatchedStatements"]] == [f"group_{group}_Read"]


@pytest.mark.parametrize("levels, decision, within", [
    ([["*"], ["s3:*"]], "allowed", True),
    ([["*"], ["ec2:*"]], "implicitDeny", False),
])
def test_m8_service_control_policies(world, aws, levels, decision, within):
    ordered = [{"ServiceControlPolicyInputList": [json.dumps(allow(*actions))]} for actions in levels]
    answer, status = aws(
        "iam", "simulate-custom-policy", "--policy-input-list", json.dumps(allow("s3:*")),
        "--cli-input-json", json.dumps({"OrderedOrganizationPolicyInputList": ordered}),
        "--action-names", "s3:GetObject", "--resource-arns", SECRET)
    if status != 0 and "OrderedOrganizationPolicyInputList" in answer:
        pytest.skip("this command line does not know the parameter yet")
    assert status == 0, answer
    result = one(answer)
    assert result["EvalDecision"] == decision
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": within}


def test_a_denied_command_says_so(world, aws):
    answer, status = aws(*m8(world.arn("user/nobody")))
    assert status != 0 and "(NoSuchEntity)" in answer and "The user with name nobody cannot be found." in answer
    answer, status = aws("iam", "simulate-principal-policy", "--policy-source-arn", world.admin.arn,
                         "--action-names", "s3:*")
    assert status != 0 and "(InvalidInput)" in answer and "Wildcards are not supported" in answer


def test_two_resources_and_two_actions(world):
    secret, other = SECRET, SECRET.replace("secret", "open")
    found = world.iam.simulate_custom_policy(
        PolicyInputList=[json.dumps(document(statement("Allow", ["s3:Get*"]), statement("Deny", ["s3:*"], secret)))],
        ActionNames=["s3:GetObject", "s3:PutObject"], ResourceArns=[other, secret],
    )["EvaluationResults"]
    assert [result["EvalActionName"] for result in found] == ["s3:GetObject", "s3:PutObject"]
    assert [result["EvalDecision"] for result in found] == ["explicitDeny", "explicitDeny"]
    each = [[single["EvalResourceDecision"] for single in result["ResourceSpecificResults"]] for result in found]
    assert each == [["allowed", "explicitDeny"], ["implicitDeny", "explicitDeny"]]
    ids = {held["SourcePolicyId"] for held in found[0]["MatchedStatements"]}
    assert ids == {"PolicyInputList.1"} and len(found[0]["MatchedStatements"]) == 2


def entry(name, kind, *values):
    return {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": list(values)}


def test_context_decides_and_missing_keys_are_told(world):
    policy = allow("s3:GetObject", IpAddress={"aws:SourceIp": "203.0.113.0/24"},
                   NumericLessThan={"s3:max-keys": "10"}, **{"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}})

    def ask(*entries):
        [result] = world.iam.simulate_custom_policy(
            PolicyInputList=[json.dumps(policy)], ActionNames=["s3:GetObject"], ContextEntries=list(entries),
        )["EvaluationResults"]
        return result["EvalDecision"], set(result["MissingContextValues"])

    address, keys = entry("aws:SourceIp", "ip", "203.0.113.9"), entry("s3:max-keys", "numeric", "5")
    via = entry("aws:CalledVia", "stringList", "athena.amazonaws.com", "cloudformation.amazonaws.com")
    assert ask() == ("implicitDeny", {"aws:SourceIp", "s3:max-keys", "aws:CalledVia"})
    assert ask(address, via) == ("implicitDeny", {"s3:max-keys"})
    assert ask(address, via, keys) == ("allowed", set())
    assert ask(address, via, entry("s3:max-keys", "numeric", "10"))[0] == "implicitDeny"
    names = world.iam.get_context_keys_for_custom_policy(PolicyInputList=[json.dumps(policy)])["ContextKeyNames"]
    assert set(names) == {"aws:SourceIp", "s3:max-keys", "aws:CalledVia"}
    alice = world.user(policy)
    names = world.iam.get_context_keys_for_principal_policy(PolicySourceArn=alice.arn)["ContextKeyNames"]
    assert set(names) == {"aws:SourceIp", "s3:max-keys", "aws:CalledVia"}


@pytest.mark.parametrize("more, words", [
    ({"ActionNames": ["s3:*"]}, "Invalid Action Name: s3:*"),
    ({"ActionNames": ["s3:NoSuchAction"]}, "Invalid Action Name: s3:NoSuchAction"),
    ({"ResourceArns": ["not-an-arn"]}, "Invalid Resource Arn: not-an-arn"),
    ({"ResourceOwner": ACCOUNT}, f"'{ACCOUNT}' is not a valid as a Resource Owner."),
    ({"CallerArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"}, "does not clearly define entity type and name."),
    ({"CallerArn": f"arn:aws:iam::{ACCOUNT}:role/r", "ResourcePolicy": "{}"}, "Invalid caller - Caller must be an IAM user in this context."),
    ({"ResourcePolicy": "{}"}, "CallerArn is required"),
    ({"PolicyInputList": ["{"]}, "PolicyInputList.1: "),
    ({"PermissionsBoundaryPolicyInputList": [json.dumps(allow("*"))] * 2}, "Only one permissions boundary"),
    ({"CallerArn": f"arn:aws:iam::{ACCOUNT}:user/u", "ResourcePolicy": '{\n"Statement": }'}, "ResourcePolicy: Syntax errors in policy. (line 2, "),
    ({"ResourceHandlingOption": "EC2-Somewhere"}, "Invalid Resource Handling Option"),
    ({"ContextEntries": [entry("aws:SourceIp", "ip", "10.0.0.300")]}, "is not a valid ip"),
    ({"ContextEntries": [entry("aws:SourceIp", "ip")]}, "exactly one value"),
    ({"ContextEntries": [entry("aws:EpochTime", "numericList", "1", "x")]}, "x is not a valid numericList"),
])
def test_bad_input(world, more, words):
    fixed = {"PolicyInputList": [json.dumps(allow("s3:*"))], "ActionNames": ["s3:GetObject"]}
    with refused("InvalidInput", 400, re.compile(re.escape(words))):
        world.iam.simulate_custom_policy(**(fixed | more))


def test_a_fault_names_line_and_column(world):
    text = '{\n "Version": "2012-10-17",\n "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Colour": 1}]\n}'
    with refused("InvalidInput", 400, re.compile("line 3, column")):
        world.iam.simulate_custom_policy(PolicyInputList=[text], ActionNames=["s3:GetObject"])


def test_validation_by_the_model(world):
    fixed = {"PolicyInputList": [json.dumps(allow("s3:*"))], "ActionNames": ["s3:GetObject"]}
    for more in ({"MaxItems": 0}, {"MaxItems": 1001}, {"ActionNames": ["s3"]}, {"PolicyInputList": ["x" * 131_073]},
                 {"ContextEntries": [entry("aws:SourceIp", "address", "10.0.0.1")]}, {"Marker": "\u0007"}):
        with refused("ValidationError", 400):
            world.iam.simulate_custom_policy(**(fixed | more))


def test_pages(world):
    actions = ["s3:GetObject", "s3:PutObject", "iam:GetUser", "ec2:RunInstances", "sts:AssumeRole"]
    fixed = {"PolicyInputList": [json.dumps(allow("s3:*", "iam:*"))], "ActionNames": actions}
    found, markers = pages(world.iam.simulate_custom_policy, "EvaluationResults", 2, **fixed)
    assert [result["EvalActionName"] for result in found] == actions
    assert [result["EvalDecision"] for result in found] == ["allowed"] * 3 + ["implicitDeny"] * 2
    paginator = world.iam.get_paginator("simulate_custom_policy").paginate(**fixed, PaginationConfig={"PageSize": 1})
    assert [result["EvalActionName"] for page in paginator for result in page["EvaluationResults"]] == actions
    with refused("ValidationError", 400):
        world.iam.simulate_custom_policy(**(fixed | {"ActionNames": actions[::-1]}), Marker=markers[0])


def test_what_is_too_much_is_refused_at_once(world):
    values = [f"*{place}x" for place in range(8_000)]
    slow = allow("s3:*", **{"ForAnyValue:StringLike": {"app:key": values}})
    keys = [entry("app:key", "stringList", *(f"v{place}" for place in range(8_000)))]
    began = time.monotonic()
    with refused("InvalidInput", 400, re.compile("exceeds the limit of [0-9]+ steps")):
        world.iam.simulate_custom_policy(PolicyInputList=[json.dumps(slow)], ActionNames=["s3:GetObject"], ContextEntries=keys)
    large = document(*[statement("Allow", ["*"])] * 900)
    arns = [f"arn:aws:s3:::bucket/{place}" for place in range(500)]
    with refused("InvalidInput", 400, re.compile("exceeds the limit of [0-9]+ bytes")):
        world.iam.simulate_custom_policy(PolicyInputList=[json.dumps(large)], ActionNames=["s3:GetObject"], ResourceArns=arns)
    assert time.monotonic() - began < 20


def test_a_thousand_actions_on_ten_large_policies(world):
    policies = [json.dumps(document(*(
        statement("Allow", ["s3:Get*", f"iam:Get{place}*", "sqs:*"], f"arn:aws:s3:::bucket{number}-{place}/*")
        for place in range(45)))) for number in range(10)]
    assert all(4_000 < len(policy) < 12_000 for policy in policies), len(policies[0])
    actions = ["s3:GetObject", "ec2:DescribeInstances", "sqs:SendMessage", "iam:GetUser"] * 250
    found, _ = pages(world.iam.simulate_custom_policy, "EvaluationResults", 1000, PolicyInputList=policies,
                     ActionNames=actions, ResourceArns=["arn:aws:s3:::bucket1-1/key"])
    assert [result["EvalActionName"] for result in found] == actions
    assert {result["EvalActionName"] for result in found if result["EvalDecision"] == "allowed"} == {
        "s3:GetObject", "sqs:SendMessage"}


def test_who_may_simulate_whom(world, other):
    alice, bob = world.user(), world.user(allow("iam:SimulatePrincipalPolicy", resource=world.arn("user/only-this")))
    asked = {"PolicySourceArn": alice.arn, "ActionNames": ["s3:GetObject"]}
    for caller in (alice, bob):
        with refused("AccessDenied", 403, re.compile(f"on resource: {re.escape(alice.arn)} ")):
            caller.iam.simulate_principal_policy(**asked)
    carol = world.user(allow("iam:SimulatePrincipalPolicy", resource=alice.arn))
    assert carol.iam.simulate_principal_policy(**asked)["EvaluationResults"]
    with refused("InvalidInput", 400, re.compile("does not have access to policies in account")):
        other.iam.simulate_principal_policy(**asked)


def test_denials_are_decoded(world, other):
    alice = world.user(document(statement("Deny", ["iam:List*"]) | {"Sid": "NoLists"}), allow("iam:*"))
    with refused("AccessDenied", 403) as error:
        alice.iam.list_roles()
    _, decision = split_decision(text_of(error))
    decoded = json.loads(world.sts.decode_authorization_message(EncodedMessage=decision)["DecodedMessage"])
    assert (decoded["allowed"], decoded["explicitDeny"], decoded["failures"]) == (False, True, {"items": []})
    [matched] = decoded["matchedStatements"]["items"]
    assert (matched["statementId"], matched["effect"]) == ("NoLists", "DENY")
    assert matched["actions"] == {"items": [{"value": "iam:List*"}]}
    context = decoded["context"]
    assert (context["principal"]["arn"], context["action"]) == (alice.arn, "iam:ListRoles")
    keys = {held["key"]: [item["value"] for item in held["values"]["items"]] for held in context["conditions"]["items"]}
    assert keys["aws:username"] == [alice.name] and keys["aws:sourceip"] == ["127.0.0.1"]
    with refused("AccessDenied", 403):
        world.user().sts.decode_authorization_message(EncodedMessage=decision)
    for caller, text in ((other, decision), (world, "d-" + "0" * 32), (world, "nonsense")):
        with refused("InvalidAuthorizationMessageException", 400):
            caller.sts.decode_authorization_message(EncodedMessage=text)
