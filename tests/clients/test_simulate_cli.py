"""`bailiwick simulate` and `bailiwick test`: decisions without a server, from the command line.

Names that begin with a mission row's number show that row.
"""

import json
import select
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

import process
import pytest
from conftest import ROOT

pytestmark = pytest.mark.untraced

ALICE = "arn:aws:iam::123456789012:user/alice"
SUITES = ROOT / "examples/suite"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, on="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def deny(action, on="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": on, **more}


FULL = policy(allow("*"))


@pytest.fixture
def line(binary, tmp_path):
    """Runs the binary in an empty folder."""

    def run(*args, code=0, given=None):
        done = subprocess.run(
            [binary, *map(str, args)], cwd=tmp_path, env=process.clean_environment(),
            input=given, capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def write(name, content):
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        (tmp_path / name).write_text(text)
        return name

    def ask(*args, actions, resources=(), principal=ALICE):
        """The decisions of `simulate`, in order, and its notes."""
        args = ["simulate", "--principal", principal, *args, "--format", "json", "--action", *actions]
        if resources:
            args += ["--resource", *resources]
        done = subprocess.run(
            [binary, *args], cwd=tmp_path, env=process.clean_environment(),
            capture_output=True, text=True, timeout=120,
        )
        assert done.returncode in (0, 1), done.stderr
        answer = json.loads(done.stdout)
        decisions = [result["decision"] for result in answer["results"]]
        assert done.returncode == (0 if set(decisions) == {"allowed"} else 1)
        return decisions, answer

    def batch(*cases):
        done = run("simulate", "--batch", "-", given="".join(json.dumps(case) + "\n" for case in cases))
        return [json.loads(answer) for answer in done.stdout.splitlines()]

    run.write, run.ask, run.batch, run.folder = write, ask, batch, tmp_path
    return run


def case(action="s3:GetObject", principal=ALICE, id=1, context=None, on="*", **policies):
    request = {"principal": principal, "action": action, "resource": on, "context": context or {}}
    return {"id": id, "request": request, **policies}


# Mission rows


def test_m14_two_actions_on_the_objects_of_one_bucket(line):
    line.write("p.json", policy(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::my-specific-bucket/*")))
    bucket = "arn:aws:s3:::my-specific-bucket"
    decisions, answer = line.ask(
        "--policy", "p.json",
        actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        resources=[f"{bucket}/a/b.csv", "arn:aws:s3:::my-other-bucket/a", bucket],
    )
    no = "implicitDeny"
    assert decisions == ["allowed", no, no, "allowed", no, no, no, no, no]
    # Whoever asks for the bucket itself is told that objects are meant.
    assert any("s3:GetObject works on" in note for note in answer["notes"])
    # And why it is so, with the place in the file.
    shown = line("simulate", "--principal", ALICE, "--policy", "p.json", "--action", "s3:GetObject",
                 "--resource", f"{bucket}/a", "arn:aws:s3:::my-other-bucket/a", code=1).stdout
    assert "p.json:4, statement 0" in shown
    assert "p.json:4: statement 0, Allow: its Resource arn:aws:s3:::my-specific-bucket/* does not match" in shown


def test_m15_two_regions_and_global_services(line):
    regions = {"StringEquals": {"aws:RequestedRegion": ["us-west-2", "us-east-1"]}}
    line.write("p.json", policy(allow(["ec2:*", "iam:*"], Condition=regions)))
    for region, ec2 in [("us-west-2", "allowed"), ("us-east-1", "allowed"), ("eu-west-1", "implicitDeny")]:
        # IAM is one service for all regions; its calls count as us-east-1.
        decisions, _ = line.ask("--policy", "p.json", "--region", region,
                                actions=["ec2:RunInstances", "iam:ListUsers"])
        assert decisions == [ec2, "allowed"], region
    # Without the key the condition does not hold, and the answer says which key is missing.
    decisions, answer = line.ask("--policy", "p.json", actions=["ec2:RunInstances"])
    assert decisions == ["implicitDeny"]
    assert answer["results"][0]["missingContextKeys"] == ["aws:RequestedRegion"]
    shown = line("simulate", "--principal", ALICE, "--policy", "p.json", "--action",
                 "ec2:RunInstances", "--region", "eu-west-1", code=1).stdout
    assert "StringEquals aws:RequestedRegion wants us-west-2 or us-east-1, the request has eu-west-1" in shown


@pytest.mark.parametrize(
    "action, key, said",
    [
        ("s3:GetObjct", None, "did you mean `s3:GetObject`?"),
        ("dynamodb:GetItms", None, "did you mean `dynamodb:GetItem`?"),
        ("bedrok:InvokeModel", None, "did you mean `bedrock:InvokeModel`?"),
        ("s3:ListBucket", "s3:prefx", "did you mean `s3:prefix`?"),
        ("s3:ListBucket", "aws:SourcIp", "did you mean `aws:SourceIp`?"),
        ("sqs:SendMessage", "sqs:Nothing", "there is no context key `sqs:Nothing` in the catalog of 20"),
        ("s3:ListBucket", "s3:x-amz-acl", "s3:ListBucket does not know"),
        ("ec2:RunInstances", "ec2:InstanceType", None),
        ("lambda:CreateFunction", "lambda:VpcIds", None),
        ("s3:ListBucket", "s3:prefix", None),
    ],
)
def test_m23_actions_and_keys_of_every_service(line, action, key, said):
    line.write("p.json", FULL)
    args = ["--context", f"{key}=x"] if key else []
    decisions, answer = line.ask("--policy", "p.json", *args, actions=[action])
    # A note, never another decision: services are newer than any catalog.
    assert decisions == ["allowed"]
    notes = " ".join(answer["notes"])
    assert (said in notes) if said else not notes, notes


def test_m82_an_scp_alone_grants_nothing(line):
    for name in ("root.json", "unit.json"):
        line.write(name, FULL)
    line.write("own.json", policy(allow("s3:GetObject")))
    line.write("regions.json", policy(allow("s3:*")))
    scps = ["--scp", "root.json", "unit.json"]
    actions = ["s3:GetObject", "iam:ListUsers"]
    decisions, answer = line.ask(*scps, actions=actions)
    assert decisions == ["implicitDeny", "implicitDeny"]
    assert {result["reasons"][0]["kind"] for result in answer["results"]} == {"identity"}
    decisions, _ = line.ask(*scps, "--policy", "own.json", actions=actions)
    assert decisions == ["allowed", "implicitDeny"]
    # Each level must allow; policies of one level are alternatives.
    levels = ["--scp", "root=root.json", "unit=regions.json"]
    decisions, answer = line.ask(*levels, "--policy", "root.json", actions=actions)
    assert decisions == ["allowed", "implicitDeny"]
    assert answer["results"][1]["reasons"][0]["kind"] == "service-control"
    assert "level 1" in answer["results"][1]["why"]
    decisions, _ = line.ask(*levels, "unit=unit.json", "--policy", "root.json", actions=actions)
    assert decisions == ["allowed", "allowed"]


def test_m91_a_suite_with_one_expectation_turned_wrong_fails(line):
    shutil.copytree(SUITES, line.folder / "suite")
    for name in ("team.yaml", "account.yaml"):
        assert "all as expected" in line("test", f"suite/{name}").stdout
    team = line.folder / "suite/team.yaml"
    text = team.read_text()
    team.write_text(text.replace("    expect: allow", "    expect: deny", 1))
    done = line("test", "suite/team.yaml", code=1)
    assert "FAILED" in done.stdout and "expected deny, got allowed" in done.stdout
    assert "objects.json:4, statement 0 (Objects)" in done.stdout
    assert line("policy", "test", "suite/team.yaml", code=1).stdout == done.stdout
    report = xml.fromstring(line("test", "suite/team.yaml", "--format", "junit", code=1).stdout)
    failures = report.findall(".//failure")
    # The test has two actions on two objects.
    assert len(failures) == 4 == int(report.get("failures"))
    assert len(report.findall(".//testcase")) == int(report.get("tests"))
    sarif = json.loads(line("test", "suite/team.yaml", "--format", "sarif", code=1).stdout)
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "suite/team.yaml"
    assert "alice reads and writes" in text.splitlines()[place["region"]["startLine"] - 1]
    told = json.loads(line("test", "suite/team.yaml", "--format", "json", code=1).stdout)
    assert told["failures"] == 4
    # What cannot be read is neither passed nor failed.
    team.write_text(text.replace("    expect: allow", "    expct: allow", 1))
    done = line("test", "suite/team.yaml", code=2)
    assert not done.stdout and "did you mean `expect`?" in done.stderr
    assert "suite/team.yaml:" in done.stderr and "^" in done.stderr


def vectors():
    for path in sorted((ROOT / "corpus/decisions").glob("*.json")):
        for vector in json.loads(path.read_text()):
            if "request" in vector and "expect" in vector:
                yield vector


def test_m143_all_kinds_of_policies_in_the_vectors(line):
    """The decision vectors, from AWS's documents, through `simulate --batch`."""
    cases = list(vectors())
    assert len(cases) > 1400
    wrong, kinds = [], set()
    for vector, answer in zip(cases, line.batch(*cases), strict=True):
        assert answer["id"] == vector["id"]
        expected = vector["expect"]
        got = (answer.get("decision"), answer.get("reasons", [{}])[0].get("kind"))
        kinds.add(got)
        if got[0] != expected["decision"] or got[1] != expected.get("reason", got[1]):
            wrong.append((vector["id"], expected, answer))
    assert not wrong, wrong[:5]
    for kind in ("endpoint", "resource-control", "service-control", "resource", "trust", "identity",
                 "boundary", "session"):
        assert any(kind == found for _, found in kinds), kind


def test_m143_rcps_session_policies_and_boundaries_together(line):
    perimeter = policy(deny("s3:*", Principal="*", Condition={
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-own"}}))
    for name, content in [("full.json", FULL), ("rcp.json", perimeter),
                          ("session.json", policy(allow("s3:Get*"))), ("most.json", policy(allow("s3:*")))]:
        line.write(name, content)
    dora = "arn:aws:sts::123456789012:assumed-role/Admin/dora"
    args = ["--policy", "full.json", "--session-policy", "session.json", "--boundary", "most.json",
            "--rcp", "rcp.json", "--scp", "full.json"]
    actions = ["s3:GetObject", "s3:PutObject", "iam:GetUser"]
    asked = {"actions": actions, "resources": ["arn:aws:s3:::b/k"], "principal": dora}
    decisions, answer = line.ask(*args, "--context", "aws:PrincipalOrgID=o-own", **asked)
    assert decisions == ["allowed", "implicitDeny", "implicitDeny"]
    assert [one["reasons"][0]["kind"] for one in answer["results"]] == ["identity", "session", "boundary"]
    decisions, answer = line.ask(*args, "--context", "aws:PrincipalOrgID=o-other", **asked)
    assert decisions == ["explicitDeny", "explicitDeny", "implicitDeny"]
    assert answer["results"][0]["reasons"] == [{"kind": "resource-control", "policy": "rcps/0/0", "statement": 0}]
    assert answer["results"][0]["policies"]["rcps/0/0"] == "rcp.json"


# Batches


def test_batches_answer_every_line_in_order(line):
    given = "\n".join([
        json.dumps(case(id="a", identityPolicies=[FULL])),
        "",
        "nonsense",
        '{"id": "b"}',
        json.dumps(case(id={"no": "id"}, identityPolicies=[FULL])),
        json.dumps(case(id="c", principal="alice", identityPolicies=[FULL])),
        json.dumps(case(id="d", identityPolicies=["{not a policy"])),
        json.dumps(case(id="e", principal=None)),
        json.dumps(case(id=6, identityPolicies=[FULL], scps=[[]])),
    ])
    answers = [json.loads(text) for text in line("simulate", "--batch", "-", given=given).stdout.splitlines()]
    assert answers[0] == {"id": "a", "decision": "allowed", "reasons": [{"kind": "identity"}]}
    assert answers[1]["id"] is None and "column 2" in answers[1]["error"]
    assert answers[2]["id"] == "b" and "request" in answers[2]["error"]
    assert "error" in answers[3]
    assert answers[4]["id"] == "c" and "principal" in answers[4]["error"]
    assert (answers[5]["id"], answers[5]["decision"]) == ("d", "explicitDeny")
    assert answers[5]["reasons"][0]["kind"] == "evaluation-error"
    assert answers[6]["decision"] == "implicitDeny"
    assert answers[7] == {"id": 6, "decision": "implicitDeny", "reasons": [{"kind": "service-control"}]}
    line.write("cases.jsonl", given)
    again = line("simulate", "--batch", "cases.jsonl").stdout.splitlines()
    assert [json.loads(text) for text in again] == answers
    missing = line("simulate", "--batch", "nowhere.jsonl", code=2)
    assert "nowhere.jsonl" in missing.stderr and not missing.stdout


def test_a_batch_answers_each_line_before_the_next_is_sent(binary):
    with subprocess.Popen([binary, "simulate", "--batch", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=process.clean_environment()) as running:
        for number in range(20):
            running.stdin.write(json.dumps(case(id=number, identityPolicies=[FULL])).encode() + b"\n")
            running.stdin.flush()
            ready, _, _ = select.select([running.stdout], [], [], 10)
            assert ready, "no answer while the pipe is open"
            assert json.loads(running.stdout.readline())["id"] == number
        running.stdin.close()
        assert running.wait(10) == 0


# A process takes over the peak of the one that starts it, and the tests' own is large by then: so a
# small one stands between.
MEASURED = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
sys.stderr.write(f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss}")
"""


def test_a_batch_of_many_different_policies_keeps_its_memory(binary, tmp_path):
    """Every line has a policy of its own, so that nothing that was met helps, and nothing may stay."""
    path = tmp_path / "cases.jsonl"
    padding = "x" * 2000
    with path.open("w") as out:
        for number in range(60_000):
            own = policy(allow("s3:GetObject", f"arn:aws:s3:::{padding}{number}/*"))
            out.write(json.dumps(case(id=number, identityPolicies=[own])) + "\n")
    with path.open() as given, (tmp_path / "answers").open("w") as taken:
        done = subprocess.run([sys.executable, "-c", MEASURED, binary, "simulate", "--batch", "-"],
                              stdin=given, stdout=taken, stderr=subprocess.PIPE, text=True, check=True,
                              env=process.clean_environment())
    code, peak = map(int, done.stderr.split())
    assert code == 0
    assert len((tmp_path / "answers").read_text().splitlines()) == 60_000
    assert path.stat().st_size > 120e6
    assert peak < 250_000, f"{peak} KiB"


# Account exports and drafts


def test_drafts_over_an_account_export(line):
    shutil.copytree(SUITES, line.folder / "suite")
    export = ["--account", "suite/account-export.json"]
    home, bucket = "arn:aws:s3:::homes/alice/x", "arn:aws:s3:::my-specific-bucket/x"
    decisions, _ = line.ask(*export, actions=["s3:GetObject"], resources=[home, bucket])
    assert decisions == ["allowed", "implicitDeny"]
    drafts = ["--attach", "suite/policies/objects.json", "--detach", "own-home"]
    decisions, answer = line.ask(*export, *drafts, actions=["s3:GetObject"], resources=[home, bucket])
    assert decisions == ["implicitDeny", "allowed"]
    assert [one["before"]["decision"] for one in answer["results"]] == ["allowed", "implicitDeny"]
    shown = line("simulate", "--principal", ALICE, *export, *drafts, "--action", "s3:GetObject",
                 "--resource", bucket).stdout
    assert "WITH DRAFTS" in shown and "suite/policies/objects.json:4" in shown
    # By ARN, with the whole policy given anew.
    line.write("none.json", policy(deny("sqs:*")))
    queue = "arn:aws:sqs:eu-west-1:123456789012:blue-orders"
    for name in ("queues", "arn:aws:iam::123456789012:policy/queues"):
        decisions, answer = line.ask(*export, "--replace", f"{name}=none.json",
                                     actions=["sqs:SendMessage"], resources=[queue])
        assert decisions == ["explicitDeny"] and answer["results"][0]["before"]["decision"] == "allowed"
    done = line("simulate", "--principal", ALICE, *export, "--action", "s3:X", "--detach", "own-hme", code=2)
    assert "did you mean `own-home`?" in done.stderr
    done = line("simulate", "--principal", ALICE[:-5] + "alise", *export, "--action", "s3:X", code=2)
    assert f"did you mean `{ALICE}`?" in done.stderr


def account(line, **user):
    """Writes the export of an account with one user, and says how to name it."""
    line.write("export.json", {
        "UserDetailList": [{"Path": "/", "UserName": "alice", "UserId": "AIDACKCEVSQ6C2EXAMPLE", "Arn": ALICE,
                            "CreateDate": "2026-01-05T09:00:00+00:00", "UserPolicyList": [], "GroupList": [],
                            "AttachedManagedPolicies": [], **user}],
        "GroupDetailList": [],
        "RoleDetailList": [{"Path": "/", "RoleName": "Open", "RoleId": "AROACKCEVSQ6C2EXAMPLE", "Arn": OPEN,
                            "CreateDate": "2026-01-05T09:00:00+00:00", "InstanceProfileList": [],
                            "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [],
                            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": {
                                "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                                "Action": "sts:AssumeRole"}}}],
        "Policies": [],
    })
    return ["--account", "export.json"]


OPEN = "arn:aws:iam::123456789012:role/Open"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
READ_ONLY_BOUNDARY = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY}


def test_detaching_a_policy_leaves_the_boundary(line):
    """A policy may be attached and be the boundary at once; only the attachment goes."""
    attached = [{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}]
    export = account(line, AttachedManagedPolicies=attached, PermissionsBoundary=READ_ONLY_BOUNDARY)
    line.write("full.json", FULL)
    for name in ("ReadOnlyAccess", READ_ONLY):
        decisions, answer = line.ask(*export, "--detach", name, "--attach", "full.json",
                                     actions=["s3:GetObject", "s3:DeleteObject"])
        assert decisions == ["allowed", "implicitDeny"]
        assert answer["results"][1]["reasons"] == [{"kind": "boundary"}]
    export = account(line, PermissionsBoundary=READ_ONLY_BOUNDARY)
    done = line("simulate", "--principal", ALICE, *export, "--action", "s3:GetObject",
                "--detach", "ReadOnlyAccess", code=2)
    assert "is the permissions boundary, and not attached" in done.stderr


def test_callers_that_no_export_shows(line):
    """Whoever has no policies of its own is decided by those of the resource (EV-8, EV-9)."""
    export = account(line)
    line.write("bucket.json", policy(allow("s3:GetObject", "arn:aws:s3:::b/*", Principal="*")))
    line.write("full.json", FULL)
    for more, expected in [(["--resource-policy", "bucket.json"], "allowed"), ([], "implicitDeny")]:
        decisions, answer = line.ask(*export, *more, actions=["s3:GetObject"], resources=["arn:aws:s3:::b/k"],
                                     principal="anonymous")
        assert decisions == [expected] and answer["principal"] is None
        assert answer["results"][0]["context"]["aws:PrincipalType"] == "Anonymous"
    # The trust policy comes from the export.
    for principal, expected in [("ec2.amazonaws.com", "allowed"), ("lambda.amazonaws.com", "implicitDeny")]:
        decisions, _ = line.ask(*export, actions=["sts:AssumeRole"], resources=[OPEN], principal=principal)
        assert decisions == [expected]
    for draft in (["--attach", "full.json"], ["--boundary", "full.json"]):
        done = line("simulate", "--principal", "anonymous", *export, "--action", "s3:GetObject", *draft, code=2)
        assert "has no policies of its own" in done.stderr, done.stderr


def test_whether_a_service_is_between(line):
    """`aws:ViaAWSService` is in every request (KEY-5), and false where the caller itself calls."""
    line.write("p.json", policy(allow("s3:GetObject", Condition={"Bool": {"aws:ViaAWSService": "false"}})))
    for given, expected in [
        ([], "allowed"),
        (["--context", "aws:ViaAWSService=true"], "implicitDeny"),
        (["--context", "aws:viaawsservice=false"], "allowed"),
        (["--context", "aws:CalledVia=athena.amazonaws.com"], "implicitDeny"),
    ]:
        decisions, answer = line.ask("--policy", "p.json", *given, actions=["s3:GetObject"])
        assert decisions == [expected], given
        keys = [key.lower() for key in answer["results"][0]["context"]]
        assert keys.count("aws:viaawsservice") == 1, given
    # The context of a case is complete.
    content = json.loads((line.folder / "p.json").read_text())
    assert line.batch(case(identityPolicies=[content]))[0]["decision"] == "implicitDeny"


@pytest.mark.parametrize(
    "action, resource, said",
    [
        ("sts:AssumeRole", None, "--resource ROLE_ARN"),
        ("sts:AssumeRoleWithSAML", "*", "--resource ROLE_ARN"),
        ("sts:AssumeRole", OPEN, None),
        ("sts:GetCallerIdentity", None, None),
        # IN-4, IN-8
        ("s3:ListAllMyBuckets", "arn:aws:s3:::*", None),
        ("s3:ListAllMyBuckets", None, "`arn:aws:s3:::*`"),
        ("iam:ListUsers", "arn:aws:iam::123456789012:user/team/", None),
        ("iam:ListUsers", None, "`arn:aws:iam::ACCOUNT:user/`"),
        ("iam:ListUsers", "arn:aws:iam::123456789012:role/", "`arn:aws:iam::ACCOUNT:user/`"),
        ("iam:ListPolicies", None, None),
    ],
)
def test_the_resource_that_is_meant(line, action, resource, said):
    line.write("p.json", FULL)
    _, answer = line.ask("--policy", "p.json", actions=[action], resources=[resource] if resource else [])
    notes = " ".join(answer["notes"])
    assert (said in notes) if said else not notes, notes


def test_conditions_that_cannot_be_understood(line):
    """They fail an Allow and hold for a Deny (IN-6, OP-X1), and the words say so."""
    odd = {"StringResembles": {"aws:username": "alice"}}
    for statements, decision, said in [
        ([allow("*", Condition=odd)], "implicitDeny", "`StringResembles` is not known, so this Allow grants nothing"),
        ([allow("*"), deny("*", Condition=odd)], "explicitDeny",
         "`StringResembles` is not known, so this Deny holds"),
    ]:
        content = [{"PolicyName": "odd", "PolicyDocument": policy(*statements)}]
        export = account(line, UserPolicyList=content)
        decisions, answer = line.ask(*export, actions=["s3:GetObject"])
        assert decisions == [decision]
        details = " ".join(answer["results"][0]["details"])
        assert said in details, details
        assert "cannot be understood, so it is denied" not in answer["results"][0]["why"]


def test_a_server_and_its_export_give_the_same_answers(line, world):
    """What a live server shows of itself, simulated offline, is what the server does."""
    user = world.user(policy(allow("iam:GetUser"), deny("iam:ListRoles")))
    export = world.iam.get_account_authorization_details(MaxItems=1000)
    pages = [export]
    while pages[-1]["IsTruncated"]:
        pages.append(world.iam.get_account_authorization_details(MaxItems=1000, Marker=pages[-1]["Marker"]))
    names = [line.write(f"page{at}.json", json.dumps(page, default=str)) for at, page in enumerate(pages)]
    decisions, _ = line.ask("--account", *names, actions=["iam:GetUser", "iam:ListRoles", "iam:ListUsers"],
                            principal=user.arn)
    assert decisions == ["allowed", "explicitDeny", "implicitDeny"]


# Bad input


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"Version": "2012-10-17",\n "Statement": [{"Efect": "Allow", "Action": "*", "Resource": "*"}]}',
         ["p.json:2:17: unknown element `Efect`", "did you mean `Effect`?", "\n    |                 ^"]),
        ('{"Version": "2012-10-17",\n "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",\n'
         '  "Condition": {"StringEqual": {"a:b": "c"}}}}', ["p.json:3:17:", "did you mean `StringEquals`?"]),
        ('{"Version": "2012-10-18", "Statement": []}', ["p.json:1:13:"]),
        ('{"Version": "2012-10-17"', ["p.json:1:2"]),
        ("[" * 100_000, ["p.json:1:", "deeper than 64"]),
        ("x" * 2_000_000, ["longer than"]),
    ],
)
def test_policies_that_iam_would_refuse(line, text, said):
    line.write("p.json", text)
    done = line("simulate", "--policy", "p.json", "--principal", ALICE, "--action", "s3:GetObject", code=2)
    assert not done.stdout
    for part in said:
        assert part in done.stderr, done.stderr


@pytest.mark.parametrize(
    "args, said",
    [
        (["--action", "s3:Get*"], "without wildcards"),
        (["--action", "GetObject"], "write it as `s3:GetObject`"),
        (["--action", "s3:X", "--context", "novalue"], "write it as"),
        (["--action", "s3:X", "--context-file", "c.json"], "c.json:2:7:"),
        (["--action", "s3:X", "--policy", "nowhere.json"], "nowhere.json"),
        (["--action", "s3:X", "--account", "c.json"], "c.json:1:1: this is no account export"),
        (["--action", "s3:X", "--resource-account", "12"], "12"),
    ],
)
def test_bad_arguments(line, args, said):
    line.write("c.json", '{"a:b":\n "c", 1}')
    if "--account" in args:
        line.write("c.json", '{}')
    done = line("simulate", "--principal", ALICE, *args, code=2)
    assert said in done.stderr and not done.stdout, done.stderr


def test_the_documentation_shows_what_is_printed(binary):
    """The commands of docs/testing-policies.md, run where it says."""
    lines = (ROOT / "docs/testing-policies.md").read_text().splitlines()
    shown = 0
    for start, first in enumerate(lines):
        if not first.startswith("    $ bailiwick "):
            continue
        text = lines[start:]
        command = text.pop(0)[6:]
        while command.endswith("\\"):
            command = command[:-1] + text.pop(0)
        if "read.json" in command:
            continue
        expected = []
        while text and (text[0].startswith("    ") or not text[0]):
            expected.append(text.pop(0)[4:])
        words = [binary, *command.split()[1:]]
        done = subprocess.run(words, cwd=SUITES, env=process.clean_environment(),
                              capture_output=True, text=True, timeout=120)
        while not expected[-1]:
            expected.pop()
        if expected[0] == "...":
            expected.pop(0)
        assert done.stdout.endswith("\n".join(expected) + "\n"), command
        shown += 1
    assert shown >= 4


def test_help_has_examples(line):
    for verb in (["simulate"], ["test"], ["policy", "test"]):
        assert "Examples:\n  bailiwick " in line(*verb, "--help").stdout


def test_help_gives_the_exit_codes(line):
    for verb in (["simulate"], ["test"], ["policy", "test"]):
        shown = " ".join(line(*verb, "--help").stdout.split())
        assert "Exit code 0: all " in shown and "; 1: " in shown and "; 2: " in shown, shown
    shown = " ".join(line("simulate", "--help").stdout.split())
    batch = shown[shown.index("--batch <FILE>"):shown.index("--principal <ARN>")]
    assert "exit code is 0 once every line has its answer, whatever it is, and 2 if" in batch, batch
    # And so it is.
    denied = json.dumps(case())
    assert "implicitDeny" in line("simulate", "--batch", "-", given=f"{denied}\nnonsense\n").stdout
    line("simulate", "--batch", "nowhere.jsonl", code=2)


def test_nothing_steers_the_terminal(line):
    """Text from files reaches the terminal with its control characters shown (threat K03)."""
    line.write("p.json", policy(allow("s3:GetObject", Sid="x")))
    done = line("simulate", "--policy", "p.json", "--principal", ALICE, "--action", "s3:GetObject",
                "--resource", "arn:aws:s3:::b/\x1b[2J\x9b1m", "--context", "a:b=\x1b]0;x\x07")
    for text in (done.stdout, done.stderr):
        assert all(c == "\n" or c.isprintable() for c in text), repr(text)
