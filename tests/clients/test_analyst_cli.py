"""`bailiwick validate`, `check`, `diff` and `policy checks`: policies judged without a server.

Names that begin with a mission row's number show that row.
"""

import json
import select
import subprocess
import time

import process
import pytest
from conftest import ROOT

pytestmark = pytest.mark.untraced


def policy(*statements, **more):
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def allow(action, on="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def deny(action, on="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": on, **more}


GOOD = policy(allow("s3:GetObject", "arn:aws:s3:::notes/*"))


@pytest.fixture
def line(binary, tmp_path):
    """Runs the binary in a folder of its own."""

    def run(*args, code=0, given=None):
        given = given.encode() if isinstance(given, str) else given
        done = subprocess.run(
            [binary, *map(str, args)], cwd=tmp_path, env=process.clean_environment(),
            input=given, capture_output=True, timeout=120,
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return name

    def answer(*args, code=0, given=None):
        return json.loads(run(*args, "--format", "json", code=code, given=given).stdout)

    run.write, run.answer, run.folder = write, answer, tmp_path
    return run


# validate


def test_m88_validate_shows_the_place(line):
    line.write("p.json", policy(allow("s3:GetObjekt", "arn:aws:s3:::notes/*")))
    shown = line("validate", "p.json", code=1).stdout
    assert "error[INVALID_ACTION]" in shown and "Did you mean `s3:GetObject`?" in shown
    lines = shown.splitlines()
    at = next(number for number, text in enumerate(lines) if "--> p.json:6:17" in text)
    quoted, carets = lines[at + 1], lines[at + 2]
    start = carets.index("^")
    assert quoted[start:start + carets.count("^")] == '"s3:GetObjekt"'
    assert "\x1b" not in shown
    assert lines[-1] == "1 error in 1 file"


def test_m88_validate_writes_the_findings_of_the_api(line):
    line.write("p.json", policy(allow("s3:GetObjekt")))
    told = line.answer("validate", "p.json", code=1)
    [finding] = told["findings"]
    assert set(finding) == {
        "file", "findingType", "issueCode", "findingDetails", "learnMoreLink", "locations",
    }
    assert (finding["file"], finding["findingType"], finding["issueCode"]) == (
        "p.json", "ERROR", "INVALID_ACTION",
    )
    [place] = finding["locations"]
    assert place["path"] == [{"value": "Statement"}, {"index": 0}, {"value": "Action"}]
    text = (line.folder / "p.json").read_text()
    start, end = place["span"]["start"], place["span"]["end"]
    assert text[start["offset"]:end["offset"]] == '"s3:GetObjekt"'
    assert text.splitlines()[start["line"] - 1][start["column"]:end["column"]] == '"s3:GetObjekt"'


@pytest.mark.parametrize("kind, code, statement", [
    ("identity", "UNSUPPORTED_PRINCIPAL", allow("s3:GetObject", Principal="*")),
    ("IDENTITY_POLICY", "PASS_ROLE_WITH_STAR_IN_RESOURCE", allow("iam:PassRole")),
    ("resource", "MISSING_PRINCIPAL", allow("s3:GetObject")),
    ("RESOURCE_POLICY", "ALLOW_WITH_NOT_PRINCIPAL",
     allow("s3:GetObject", NotPrincipal={"AWS": "arn:aws:iam::123456789012:root"})),
    ("trust", "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE",
     allow("sts:AssumeRole", Principal={"AWS": "123456789012"})),
    ("scp", "SCP_SYNTAX_ERROR_PRINCIPAL", allow("*", Principal="*")),
    ("SERVICE_CONTROL_POLICY", "SCP_SYNTAX_ERROR_ACTION_WILDCARD", deny("s3:*Object")),
    ("rcp", "RCP_SYNTAX_ERROR_NOTACTION",
     {"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"}),
])
def test_m88_each_type_of_policy(line, kind, code, statement):
    line.write("p.json", policy(statement))
    told = line.answer("validate", "p.json", "--policy-type", kind, code=1)
    assert code in [finding["issueCode"] for finding in told["findings"]]


def test_resource_types_switch_checks_on(line):
    line.write("p.json", policy(allow("sqs:SendMessage", "arn:aws:s3:::b/*", Principal="*")))
    args = ["validate", "p.json", "--policy-type", "resource"]
    codes = lambda told: [finding["issueCode"] for finding in told["findings"]]
    assert "UNSUPPORTED_ACTION_IN_POLICY" not in codes(line.answer(*args))
    with_type = line.answer(*args, "--resource-type", "AWS::S3::Bucket", code=1)
    assert "UNSUPPORTED_ACTION_IN_POLICY" in codes(with_type)
    assert "one of AWS::S3::Bucket" in line(*args, "--resource-type", "Bucket", code=2).stderr
    line("validate", "p.json", "--resource-type", "AWS::S3::Bucket", code=2)


@pytest.mark.parametrize("statement, found, codes", [
    (allow("s3:GetObject", "arn:aws:s3:::notes/*"), None, [0, 0, 0, 0]),
    (allow("s3:GetObject", []), "SUGGESTION", [0, 0, 0, 1]),
    (allow("iam:CreateServiceLinkedRole"), "WARNING", [0, 0, 1, 1]),
    (allow("iam:PassRole"), "SECURITY_WARNING", [0, 1, 1, 1]),
    (allow("s3:Nothing"), "ERROR", [1, 1, 1, 1]),
])
def test_m88_exit_codes(line, statement, found, codes):
    line.write("p.json", policy(statement))
    for kind, code in zip(["error", "security-warning", "warning", "suggestion"], codes):
        told = line.answer("validate", "p.json", "--fail-on", kind, code=code)
        assert {finding["findingType"] for finding in told["findings"]} == ({found} if found else set())
    line("validate", "p.json", code=codes[2])


def test_several_files_folders_and_standard_input(line):
    for name in ("in/b.json", "in/deeper/a.json", "c.json"):
        line.write(name, GOOD)
    line.write("in/notes.txt", "no policy")
    told = line.answer("validate", "in", "c.json", "-", given=json.dumps(GOOD))
    assert told == {
        "files": ["in/b.json", "in/deeper/a.json", "c.json", "standard input"], "findings": [],
    }
    line.write("in/b.json", policy(allow("s3:Nothing")))
    told = line.answer("validate", "in", "c.json", code=1)
    assert [finding["file"] for finding in told["findings"]] == ["in/b.json"]
    line("validate", "-", "-", code=2, given="{}")


@pytest.mark.parametrize("content, place", [
    ('{"Version": "2012-10-17",\n "Statement": [', ":2:16"),
    ("{\n  'Version': 1}", ":2:3"),
    ("", ":1:1"),
    (b"{\n \"Version\": \"\xff\"}", ":2:14: this is not UTF-8"),
    ("{}".encode("utf-16"), ":1:1: this is not UTF-8"),
    ("[" * 500_000, ":1:65"),
    ("[" * 2_000_000, "at most 1048576 bytes"),
    ('{"Statement": [' + ",".join(["{}"] * 400_000) + "]}", "at most 1048576 bytes"),
])
def test_bad_input_is_told_with_its_place_and_the_rest_is_read(line, content, place):
    line.write("bad.json", content)
    line.write("other.json", policy(allow("s3:Nothing")))
    done = line("validate", "bad.json", "other.json", code=2)
    assert place in done.stdout + done.stderr, done.stdout + done.stderr
    assert "bad.json" in done.stderr
    assert "INVALID_ACTION" in done.stdout and "other.json" in done.stdout
    # The same file given to a check.
    line.write("good.json", GOOD)
    for args in (["diff", "good.json", "bad.json"], ["check", "no-new-access", "--existing",
                 "bad.json", "--new", "good.json"], ["check", "no-public-access", "--policy",
                 "bad.json", "--resource-type", "AWS::S3::Bucket"]):
        assert "bad.json:" in line(*args, code=2).stderr


def test_what_is_not_there_is_told(line):
    line.write("good.json", GOOD)
    (line.folder / "empty").mkdir()
    done = line("validate", "none.json", "empty", "good.json", code=2)
    assert "none.json" in done.stderr and "`empty` has no .json file" in done.stderr
    assert "2 not read" in done.stdout


def test_foreign_json_is_an_error(line):
    for content in ("[1, 2]", '"text"', '{"AWSTemplateFormatVersion": "2010-09-09"}', "{}"):
        line.write("p.json", content)
        told = line.answer("validate", "p.json", code=1)
        assert "ERROR" in [finding["findingType"] for finding in told["findings"]], content


def test_huge_lists_end_soon(line):
    """Threat C16: a megabyte of patterns; what was left out is said."""
    patterns = [f"arn:aws:s3:::*b*{number}" + "*a" * 900 for number in range(450)]
    line.write("p.json", json.dumps(policy(allow("s3:GetObject", patterns))))
    begun = time.monotonic()
    done = line("validate", "p.json", code=2)
    assert time.monotonic() - begun < 30
    assert "some checks were left out" in done.stderr


def test_sarif_has_its_required_members(line):
    line.write("a b.json", policy(allow("iam:PassRole"), allow("s3:Nothing")))
    log = json.loads(line("validate", "a b.json", "--format", "sarif", code=1).stdout)
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
    [run] = log["runs"]
    assert run["tool"]["driver"]["name"] == "bailiwick validate"
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == 2
    for result in run["results"]:
        assert result["message"]["text"] and result["level"] in ("error", "warning", "note")
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        [place] = result["locations"]
        physical = place["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == "a%20b.json"
        region = physical["region"]
        assert 1 <= region["startLine"] <= region["endLine"] and region["startColumn"] >= 1
    empty = json.loads(line("validate", "-", "--format", "sarif", given=json.dumps(GOOD)).stdout)
    assert empty["runs"][0]["results"] == []


def test_m88_all_managed_policies_have_no_error(line):
    shown = line("validate", "--all-managed").stdout
    assert " AWS managed policies in " in shown and " ms " in shown and ": 0 errors" in shown
    told = line.answer("validate", "--all-managed")
    assert told["policies"] > 1000 and told["counts"]["ERROR"] == 0 and told["milliseconds"] > 0


def test_m88_checks_are_counted(line):
    assert line("policy", "checks", "--count").stdout == "153\n"
    told = line.answer("policy", "checks")
    assert told["count"] == len({check["issueCode"] for check in told["checks"]}) == 153
    kinds = [check["findingType"] for check in told["checks"]]
    assert [kinds.count(kind) for kind in ("ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION")] == [
        79, 19, 26, 29,
    ]
    assert all(check["title"] and check["description"] for check in told["checks"])
    assert "153 checks: 79 ERROR" in line("policy", "checks").stdout


# check


@pytest.fixture
def pair(line):
    line.write("old.json", policy(allow("s3:Get*"), deny("s3:GetObjectAcl", Sid="Acl")))
    line.write("narrow.json", policy(allow("s3:GetObject")))
    line.write("wide.json", policy(
        allow("s3:GetObject"), allow("sqs:*", Sid="Queues"),
    ))
    return ["check", "no-new-access", "--existing", "old.json", "--new"]


def test_m91_no_new_access(line, pair):
    told = line.answer(*pair, "narrow.json")
    assert told == {
        "result": "PASS", "undecided": False, "witness": None, "reasons": [],
        "message": "The modified permissions do not grant new access compared to your existing policy.",
    }
    told = line.answer(*pair, "wide.json", code=1)
    assert told["result"] == "FAIL" and not told["undecided"]
    assert told["message"] == (
        "The modified permissions grant new access compared to your existing policy."
    )
    assert told["reasons"] == [{
        "description": "New access in the statement with sid: Queues.",
        "statementId": "Queues", "statementIndex": 1,
    }]
    assert told["witness"]["action"].startswith("sqs:")
    assert set(told["witness"]) == {"principal", "action", "resource", "context"}
    shown = line(*pair, "wide.json", code=1).stdout
    assert shown.startswith("FAIL: ") and "for example: " in shown and "wide.json:" in shown
    assert line(*pair, "narrow.json").stdout.startswith("PASS: ")


def test_m91_a_witness_is_confirmed_by_simulate(line, pair):
    """What the check tells is an example for `simulate` as well."""
    witness = line.answer(*pair, "wide.json", code=1)["witness"]
    read = lambda name: json.loads((line.folder / name).read_text())
    cases = [
        {"id": name, "identityPolicies": [read(name)], "request": {
            **{key: witness[key] for key in ("principal", "action", "resource", "context")},
            "resourceAccount": witness["principal"].split(":")[4],
        }}
        for name in ("old.json", "wide.json")
    ]
    given = "".join(json.dumps(case) + "\n" for case in cases)
    answers = [json.loads(text) for text in line("simulate", "--batch", "-", given=given).stdout.splitlines()]
    assert [answer["decision"] for answer in answers] == ["implicitDeny", "allowed"]


def test_m91_resource_policies(line):
    one = lambda principal: policy(allow("s3:GetObject", "arn:aws:s3:::b/*", Principal=principal))
    line.write("old.json", one({"AWS": "123456789012"}))
    line.write("new.json", one({"AWS": ["123456789012", "arn:aws:iam::210987654321:role/r"]}))
    args = ["check", "no-new-access", "--existing", "old.json", "--new", "new.json", "--policy-type"]
    for kind in ("resource", "RESOURCE_POLICY"):
        told = line.answer(*args, kind, code=1)
        assert ":210987654321:" in told["witness"]["principal"]
    line.answer(*args[:3], "new.json", "--new", "old.json", "--policy-type", "resource")
    # An identity policy names no principals.
    assert "old.json:" in line(*args, "identity", code=2).stderr


def test_m91_access_not_granted(line):
    line.write("p.json", policy(allow("s3:*", "arn:aws:s3:::b/*"), deny("s3:Delete*")))
    args = ["check", "access-not-granted", "--policy", "p.json"]
    for more, result in [
        (["--action", "s3:DeleteObject", "iam:*"], "PASS"),
        (["--action", "s3:PutObject"], "FAIL"),
        (["--resource", "arn:aws:s3:::c/*"], "PASS"),
        (["--resource", "arn:aws:s3:::b/x"], "FAIL"),
        (["--action", "s3:PutObject", "--resource", "arn:aws:s3:::c/x"], "PASS"),
        (["--action", "s3:GetObject", "--action", "iam:GetUser"], "FAIL"),
    ]:
        told = line.answer(*args, *more, code=int(result == "FAIL"))
        assert told["result"] == result, more
        assert (told["witness"] is None) == (result == "PASS")
    for bad in (["--action", "PutObject"], ["--resource", "bucket"], [],
                ["--action", *["s3:GetObject"] * 101], ["--resource", "arn:aws:s3:::" + "x" * 2048]):
        line(*args, *bad, code=2)


def test_m91_no_public_access(line):
    def told(code=0, kind="AWS::S3::Bucket", **more):
        line.write("p.json", policy(allow("s3:GetObject", "arn:aws:s3:::b/*", Sid="Bob", **more)))
        return line.answer(
            "check", "no-public-access", "--policy", "p.json", "--resource-type", kind, code=code)

    assert told(Principal={"AWS": "arn:aws:iam::111122223333:user/JohnDoe"}) == {
        "result": "PASS", "undecided": False, "witness": None, "reasons": [],
        "message": "The resource policy does not grant public access for the given resource type.",
    }
    public = told(code=1, Principal="*")
    assert public["message"] == "The resource policy grants public access for the given resource type."
    assert public["reasons"] == [{
        "description": "Public access granted in the following statement with sid: Bob.",
        "statementId": "Bob", "statementIndex": 0,
    }]
    assert public["witness"]["action"] == "s3:GetObject"
    told(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    told(code=1, Principal="*", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}})
    assert "one of AWS::DynamoDB::Table" in line(
        "check", "no-public-access", "--policy", "p.json", "--resource-type", "AWS::EC2::Instance",
        code=2).stderr


# batches


def pairs(*lines):
    return "".join((text if isinstance(text, str) else json.dumps(text)) + "\n" for text in lines)


def batch(line, given, code):
    done = line("check", "no-new-access", "--batch", "-", given=given, code=code)
    return [json.loads(text) for text in done.stdout.splitlines()], done


def test_m91_a_batch_of_a_thousand_lines(line):
    actions = ["Get*", "List*", "PutObject", "*"]

    def one(number):
        existing, new = policy(allow("s3:Get*")), policy(allow(f"s3:{actions[number % 4]}"))
        kind = ["IDENTITY_POLICY", "identity"][number % 2]
        return {"id": number, "existing": json.dumps(existing) if number % 3 else existing,
                "new": new, "type": kind}

    begun = time.monotonic()
    answers, _ = batch(line, pairs(*map(one, range(1000))), 1)
    assert time.monotonic() - begun < 60
    assert [answer["id"] for answer in answers] == list(range(1000))
    for answer in answers:
        passed = answer["id"] % 4 == 0
        assert answer["result"] == ("PASS" if passed else "FAIL") and answer["undecided"] is False
        assert (answer["witness"] is None) == passed and (answer["reasons"] == []) == passed
    line.write("pairs.jsonl", pairs(one(0), one(4)))
    assert len(line("check", "no-new-access", "--batch", "pairs.jsonl").stdout.splitlines()) == 2


def test_bad_lines_are_answered_and_the_others_too(line):
    good = {"id": "a", "existing": GOOD, "new": GOOD, "type": "IDENTITY_POLICY"}
    answers, done = batch(line, pairs(
        {**good, "id": 1}, '{"id": 2', "", {**good, "id": 3, "type": "ROLE"},
        {**good, "id": 4, "new": 5}, {**good, "id": 5, "new": '{"Statement": ['},
        {"id": 6, "existing": GOOD, "type": "IDENTITY_POLICY"}, "[]",
        {**good, "id": 7, "new": {"Statement": [{"Effect": "Permit"}]}}, good,
    ), 2)
    assert [answer["id"] for answer in answers] == [1, None, 3, 4, 5, 6, None, 7, "a"]
    assert [set(answer) == {"id", "error"} for answer in answers] == [False] + [True] * 7 + [False]
    assert "line 1, column" in answers[4]["error"]
    assert "7 of 9 lines" in done.stderr
    given = pairs(good).encode() + b'{"id": "\xff"}\n' + pairs(good).encode()
    assert [answer["id"] for answer in batch(line, given, 2)[0]] == ["a", None, "a"]
    deep = '{"id": 1, "existing": ' + "[" * 100_000
    assert "error" in batch(line, deep, 2)[0][0]
    long = '{"id": 1, "existing": "' + "x" * (17 << 20) + '"}\n' + pairs(good)
    answers, _ = batch(line, long, 2)
    assert "at most 16,777,216 bytes" in answers[0]["error"] and answers[1]["result"] == "PASS"
    line("check", "no-new-access", "--batch", "none.jsonl", code=2)


def test_each_answer_is_there_before_the_next_line(binary):
    """Whoever sits at the other end of a pipe is not kept waiting."""
    given = {"id": 1, "existing": GOOD, "new": GOOD, "type": "IDENTITY_POLICY"}
    with subprocess.Popen(
        [binary, "check", "no-new-access", "--batch", "-"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env=process.clean_environment(),
    ) as child:
        for number in range(3):
            child.stdin.write(pairs({**given, "id": number}).encode())
            child.stdin.flush()
            assert select.select([child.stdout], [], [], 20)[0]
            assert json.loads(child.stdout.readline())["id"] == number
        child.stdin.close()
        assert child.wait(20) == 0


# diff


def test_diff_tells_by_statement_with_examples(line):
    line.write("old.json", policy(allow("s3:*"), deny("s3:Delete*", Sid="Keep")))
    line.write("new.json", policy(
        allow(["s3:Get*", "s3:DeleteObject"], Sid="Narrow"), allow("sqs:*", Sid="Queues"),
    ))
    shown = line("diff", "old.json", "new.json", code=1).stdout
    for text in (
        "Allowed now, and not before:", 'by statement 1 (Sid "Narrow", new.json:',
        "may now call s3:DeleteObject on", 'old.json denies it: statement 2 (Sid "Keep", old.json:',
        "nothing in old.json allows it", "Allowed before, and no longer:", "may no longer call s3:",
    ):
        assert text in shown, shown
    told = line.answer("diff", "old.json", "new.json", code=1)
    assert [(change["allowedBy"], change["deniedBy"]) for change in told["gained"]] == [(0, 1), (1, None)]
    assert len(told["lost"]) == 1 and told["undecided"] == []
    same = line("diff", "old.json", "-", given=(line.folder / "old.json").read_text())
    assert "allow the same requests" in same.stdout
    line("diff", "-", "-", code=2)
    line("diff", "old.json", "none.json", code=2)


def test_diff_of_resource_policies_names_the_caller(line):
    one = lambda principal: policy(allow("s3:GetObject", "arn:aws:s3:::b/*", Principal=principal))
    line.write("old.json", one({"AWS": "123456789012"}))
    line.write("new.json", one("*"))
    shown = line("diff", "old.json", "new.json", "--policy-type", "resource", code=1).stdout
    assert "may now call s3:GetObject on arn:aws:s3:::b/" in shown
    assert "no longer" not in shown


# policy summary


def rows(told, effect="allow"):
    return {row["service"]: row for row in told[effect]}


def test_m77_policy_summary_of_a_file(line):
    line.write("p.json", policy(
        allow(["s3:GetObject", "s3:ListAllMyBuckets"], "arn:aws:s3:::notes/*"),
        allow("sqs:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        deny("iam:TagUser"),
    ))
    told = line.answer("policy", "summary", "p.json")
    s3, sqs = rows(told)["s3"], rows(told)["sqs"]
    assert set(rows(told)) == {"s3", "sqs"} and set(rows(told, "deny")) == {"iam"}
    assert (s3["full"], s3["limited"], s3["fullAccess"]) == ([], ["List", "Read"], False)
    assert (s3["resource"], s3["condition"]) == ("arn:aws:s3:::notes/*", "None")
    assert sqs["fullAccess"] and sqs["resource"] == "All resources"
    assert sqs["condition"] == "aws:RequestedRegion StringEquals eu-west-1"
    assert rows(told, "deny")["iam"]["limited"] == ["Tagging"]
    shown = line("policy", "summary", "p.json").stdout
    for text in ("SERVICE", "ACCESS LEVEL", "RESOURCE", "REQUEST CONDITION", "Full access",
                 "Limited: List, Read", "Deny: 1 of ", "Allow: 2 of "):
        assert text in shown, shown


def test_m77_policy_summary_of_managed_policies(line):
    by_arn = line.answer("policy", "summary", "arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert by_arn == line.answer("policy", "summary", "ReadOnlyAccess")
    # The levels are AWS's: what only reads has no Write in full, and no permissions management.
    assert not any("Write" in row["full"] and row["service"] == "s3" for row in by_arn["allow"])
    assert not any("Permissions management" in row["full"] for row in by_arn["allow"] if row["service"] == "iam")
    full = line.answer("policy", "summary", "AdministratorAccess")
    assert len(full["allow"]) == full["services"] and all(row["fullAccess"] for row in full["allow"])
    line("policy", "summary", "arn:aws:iam::aws:policy/NoSuchPolicy", code=2)
    line("policy", "summary", "none.json", code=2)


def test_m77_policy_summary_of_a_principal(line):
    export = ROOT / "examples/suite/account-export.json"
    alice = "arn:aws:iam::123456789012:user/alice"
    told = line.answer("policy", "summary", "--account", export, "--", alice)
    assert "s3" in rows(told)
    line("policy", "summary", "--account", export, "--", alice + "x", code=2)


@pytest.mark.parametrize("verb", [
    ["policy", "summary"], ["validate"], ["check"], ["check", "no-new-access"], ["check", "access-not-granted"],
    ["check", "no-public-access"], ["diff"], ["policy", "checks"],
])
def test_every_verb_has_help_with_examples(line, verb):
    assert "Examples:\n  bailiwick " in line(*verb, "--help").stdout
