"""`bailiwick checklist`, `compliance` and `docs export` of files, without a server.

Names that begin with a mission row's number show that row.
"""

import csv
import io
import json
import os

import pytest
from commandline import Tool
from test_audit_cli import ADMIN, AS_OF, HEADER, ROOT, details, inline, row, user

pytestmark = pytest.mark.untraced

ACCOUNT = "123456789012"
ROOT_WITH_KEY = ROOT.replace(
    "true,false,N/A", "true,true,2025-01-01T00:00:00+00:00", 1)
SIZES = {"000": 16, "001": 15, "002": 14, "003": 6, "004": 11}


def mark(about, subject, state="pass", until="2026-12-31", evidence="T-1 | <b>", by="ann"):
    return (f"[[mark]]\n{about} = {json.dumps(subject)}\nstate = {json.dumps(state)}\nevidence = {json.dumps(evidence)}\n"
            f"by = {json.dumps(by)}\nuntil = {json.dumps(until)}\n")


def trust(*statements):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", **statement} for statement in statements]}


def role(name, *statements, path="/", policies=(), attached=(), tags=(), **more):
    letters = "".join(c for c in name.upper() if c.isalpha())[:12].ljust(12, "X")
    return {
        "Path": path, "RoleName": name, "RoleId": "AROA" + letters.ljust(17, "A" if name.islower() else "B"),
        "Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}", "CreateDate": "2025-01-01T00:00:00Z",
        "AssumeRolePolicyDocument": trust(*statements), "InstanceProfileList": [], "RolePolicyList": list(policies),
        "AttachedManagedPolicies": [{"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn} for arn in attached],
        "Tags": [{"Key": key, "Value": value} for key, value in tags], **more,
    }


def managed(name, *statements, tags=(), **more):
    return {
        "PolicyName": name, "PolicyId": "ANPA" + name.upper().replace("-", "").ljust(17, "A")[:17],
        "Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}", "Path": "/", "DefaultVersionId": "v1", "AttachmentCount": 1,
        "PermissionsBoundaryUsageCount": 0, "IsAttachable": True, "CreateDate": "2025-01-01T00:00:00Z",
        "UpdateDate": "2025-01-01T00:00:00Z", "Tags": [{"Key": key, "Value": value} for key, value in tags],
        "PolicyVersionList": [{
            "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2025-01-01T00:00:00Z",
            "Document": {"Version": "2012-10-17", "Statement": list(statements)}}], **more,
    }


class Lists(Tool):
    """Runs a verb in an empty folder."""

    def practices(self, folder, *args):
        found = {}
        for one in self.answer("checklist", folder, *AS_OF, *args)["lists"]:
            for item in one["practices"]:
                for each in [item, *item.get("parts", [])]:
                    found[each["id"]] = each
        return found

    def controls(self, folder, standard, *args):
        whole = self.answer("compliance", folder, "--standard", standard, *AS_OF, *args)
        return whole, {one["id"]: one for one in whole["controls"]}


@pytest.fixture
def tool(binary, tmp_path):
    return Lists(binary, tmp_path)


@pytest.fixture
def account(tool):
    """A folder of an account in good order, as far as it goes: a name for it, and a way to spoil it."""

    def make(name="x", root=ROOT, rows=(), users=(user("zed"),), roles=(), policies=(), groups=()):
        export = details(*users) | {
            "RoleDetailList": list(roles), "Policies": list(policies), "GroupDetailList": list(groups)}
        tool.write(f"{name}/authorization-details.json", export)
        tool.write(f"{name}/credential-report.csv", "\n".join([HEADER, root, *rows]) + "\n")
        tool.write(f"{name}/virtual-mfa-devices.json", {"VirtualMFADevices": []})
        tool.write(f"{name}/account-summary.json", {"SummaryMap": {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0}})
        return name

    return make


def test_m123_five_lists_and_what_is_missing_is_no_pass(tool):
    tool.write("g.json", details(user("alice")))
    done = tool("checklist", "g.json", *AS_OF, "--format", "json", code=1)
    whole = json.loads(done.stdout)
    assert {one["list"]: len(one["practices"]) for one in whole["lists"]} == SIZES
    assert whole["account"] == ACCOUNT
    found = tool.practices("g.json")
    # Of root nothing is known; of users' policies all.
    assert found["000-01"]["standing"] == "not-assessed"
    assert any("credential report" in text for text in found["000-01"]["missing"])
    assert found["000-03"]["standing"] == "pass"
    assert {check["id"]: check["outcome"] for check in found["000-03"]["checks"]} == {"USR-01": "pass", "USR-02": "pass"}
    assert found["000-07"]["standing"] == "manual" and "people alone" in found["000-07"]["byHand"]["reason"]
    for item in found.values():
        if item["standing"] == "pass" and not item.get("parts"):
            assert {check["outcome"] for check in item["checks"]} <= {"pass", "not-applicable"}, item["id"]
        assert item["checks"] or item.get("parts") or item.get("byHand"), item["id"]
    one = tool("checklist", "g.json", "--seed", "004", *AS_OF, code=0).stdout
    assert one.startswith("004 ") and "004-11" in one and "000-01" not in one


def test_m123_each_change_of_the_account_turns_its_practice(tool, account):
    group = {"Path": "/", "GroupName": "g", "GroupId": "AGPA" + "G" * 17, "Arn": f"arn:aws:iam::{ACCOUNT}:group/g",
             "CreateDate": "2025-01-01T00:00:00Z", "GroupPolicyList": [], "AttachedManagedPolicies": []}
    good = tool.practices(account("good", users=[user("alice", GroupList=["g"])], groups=[group], rows=[row("alice")]))
    own = inline("own", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    cases = {
        "000-01": dict(root=ROOT_WITH_KEY),
        "000-03": dict(users=[user("alice", UserPolicyList=[own])]),
        "000-04": dict(users=[user("alice", UserPolicyList=[inline("own", ADMIN)])]),
        "004-09": dict(rows=[row("alice", key="true", rotated="2025-01-01T00:00:00+00:00")], users=[user("alice")]),
        "004-06": dict(rows=[row("alice", password="true", mfa="false")], users=[user("alice")]),
        "004-11": dict(root=ROOT_WITH_KEY),
        "001-01": dict(root=ROOT.replace("true,false", "false,false", 1).replace("2020-01-01T00:00:00+00:00,not_supported", "2020-01-01T00:00:00+00:00,true", 1)),
        "002-11": dict(roles=[role("open", {"Principal": "*"})]),
    }
    assert good["000-01"]["standing"] == "pass"
    for number, (practice, change) in enumerate(cases.items()):
        assert good[practice]["standing"] != "fail", practice
        bad = tool.practices(account(f"bad{number}", **change))
        assert bad[practice]["standing"] == "fail", practice
        assert bad[practice]["examples"] and bad[practice]["first"]["text"] and bad[practice]["findings"] >= 1
    root = tool.practices("bad0")["000-01"]
    assert root["examples"][0]["subject"] == f"arn:aws:iam::{ACCOUNT}:root" and root["first"]["check"] == "ROOT-01"
    # The audit says the same of each check.
    audit = json.loads(tool("audit", "bad0", *AS_OF, "--format", "json").stdout)
    outcomes = {check["id"]: check["outcome"] for check in audit["checks"]}
    for item in tool.practices("bad0").values():
        for check in item["checks"]:
            assert outcomes[check["id"]] == check["outcome"]
    tool("checklist", "bad0", "--seed", "000", *AS_OF, code=1)


def test_m123_people_answer_by_hand_and_cover_no_failure(tool, account):
    good, bad = account("good"), account("bad", root=ROOT_WITH_KEY)
    tool.write("m.toml", mark("practice", "000-07") + mark("practice", "001-15b", until="2026-05-31")
               + mark("practice", "000-01") + mark("practice", "002-14", "fail"))
    found = tool.practices(good, "--manual", "m.toml")
    assert found["000-07"]["standing"] == "pass"
    assert found["000-07"]["byHand"]["mark"] == {
        "practice": "000-07", "state": "pass", "evidence": "T-1 | <b>", "by": "ann", "until": "2026-12-31"}
    assert found["001-15b"]["standing"] == "manual" and found["001-15b"]["byHand"]["ended"]
    assert found["002-14"]["standing"] == "fail"
    assert tool.practices(bad, "--manual", "m.toml")["000-01"]["standing"] == "fail"
    table = tool("checklist", good, "--manual", "m.toml", *AS_OF).stdout
    assert "by hand: ann says so, until 2026-12-31" in table and "ended on 2026-05-31" in table
    for text, problem in [
        (mark("practice", "000-77"), "mark 1: there is no practice `000-77`"),
        (mark("practice", "000-07") * 2, "mark 2: `000-07` has been marked before"),
        (mark("practice", "000-07", evidence=" "), "`evidence` says nothing"),
        (mark("control", "cis-3.0 99.1"), "there is no control"),
        (mark("practice", "000-07", until="soon"), "`soon` is no day"),
        (mark("practice", "000-07").replace("by", "from"), "bad.toml:5:1"),
        ("[[mark]\n", "bad.toml:1:"),
    ]:
        tool.write("bad.toml", text)
        done = tool("checklist", good, "--manual", "bad.toml", code=2)
        assert problem in done.stderr, done.stderr


def test_m123_markdown_and_csv(tool, account):
    hostile = "<img src=x>|"
    folder = account(users=[user("alice", UserPolicyList=[inline("own", ADMIN | {"Sid": "x"})])], root=ROOT_WITH_KEY)
    page = tool("checklist", folder, "--seed", "000", *AS_OF, "--format", "markdown", code=1).stdout
    lines = [line for line in page.splitlines() if line.startswith("- [")]
    assert len(lines) == 16
    found = tool.practices(folder)
    for line in lines:
        practice = line.split("**")[1]
        assert line.startswith("- [x]") == (found[practice]["standing"] == "pass"), line
    tool.write("m.toml", mark("practice", "000-07", evidence=hostile, by="=cmd()"))
    page = tool("checklist", folder, "--manual", "m.toml", *AS_OF, "--format", "markdown").stdout
    assert hostile not in page and "\\<img src\\=x\\>\\|" in page
    rows = list(csv.DictReader(io.StringIO(
        tool("checklist", folder, "--manual", "m.toml", *AS_OF, "--format", "csv").stdout)))
    assert len(rows) == sum(SIZES.values()) + 6
    [line] = [line for line in rows if line["practice"] == "000-07"]
    assert (line["standing"], line["evidence"], line["by"]) == ("fail", hostile, "'=cmd()")
    assert "POL-12" in line["checks"]


def test_m123_what_cannot_be_read_is_told_and_the_rest_answered(tool, account):
    folder = account()
    tool.write(f"{folder}/credential-report.csv", "user,arn\nx")
    done = tool("checklist", folder, *AS_OF, "--format", "json", code=2)
    assert "credential-report.csv:" in done.stderr
    found = {item["id"]: item for item in json.loads(done.stdout)["lists"][0]["practices"]}
    assert found["000-01"]["standing"] == "not-assessed" and found["000-03"]["standing"] == "pass"
    tool("checklist", "nothing-here", code=2)
    tool.write("y/none.json", "{}")
    tool("checklist", "y", code=2)


def test_m110_controls_follow_their_checks(tool, account):
    good, bad = account("good"), account("bad", root=ROOT_WITH_KEY)
    for standard, control in [
        ("cis-1.4", "1.4"), ("cis-1.5", "1.4"), ("cis-3.0", "1.4"), ("cis-5.0", "1.3"), ("cis-7.0", "2.4"),
        ("nist-800-53", "AC-6"), ("pci-4.0", "7.2.1"), ("hipaa", "164.308(a)(3)(i)"),
    ]:
        whole, before = tool.controls(good, standard)
        assert before[control]["standing"] != "fail", (standard, control)
        _, after = tool.controls(bad, standard)
        assert after[control]["standing"] == "fail", (standard, control)
        assert "ROOT-01" in [check["id"] for check in after[control]["checks"] if check["outcome"] == "fail"]
        assert whole["passed"] <= whole["assessed"] <= len(before)
        standings = [one["standing"] for one in before.values()]
        assert whole["passed"] == standings.count("pass") and whole["assessed"] == whole["passed"] + standings.count("fail")
    _, found = tool.controls(good, "cis-3.0")
    assert found["1.3"]["standing"] == "manual" and found["1.3"]["byHand"]["reason"]
    tool.write("m.toml", mark("control", "cis-3.0 1.3"))
    _, marked = tool.controls(good, "cis-3.0", "--manual", "m.toml")
    assert marked["1.3"]["standing"] == "pass"
    # One control's mark is no other's.
    _, other = tool.controls(good, "cis-1.4", "--manual", "m.toml")
    assert other["1.3"]["standing"] == "manual"
    table = tool("compliance", bad, "--standard", "cis-3.0", *AS_OF, code=1).stdout
    assert "% of the" in table and "first (ROOT-01)" in table
    rows = list(csv.DictReader(io.StringIO(
        tool("compliance", bad, "--standard", "pci-4.0", *AS_OF, "--format", "csv").stdout)))
    [line] = [line for line in rows if line["control"] == "7.2.1"]
    assert line["standard"] == "pci-4.0" and line["standing"] == "fail" and int(line["checks_passed"]) < int(line["checks_assessed"])
    tool("compliance", good, "--standard", "cis-2.9", code=2)


# Documents.

DEPLOY = f"arn:aws:iam::{ACCOUNT}:policy/deploy"
EC2 = {"Principal": {"Service": "ec2.amazonaws.com"}}
PARTNER = {"Principal": {"AWS": "222222222222"}, "Condition": {"StringEquals": {"sts:ExternalId": "x|`y"}}}
OWN = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
READ = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::b*"}


def documents(tool, folder, *args, code=0, out="docs"):
    tool("docs", "export", folder, "--out", out, *AS_OF, *args, code=code)
    top = tool.folder / out
    return {str(path.relative_to(top)): path.read_text() for path in sorted(top.rglob("*.md"))}


@pytest.fixture
def estate(account):
    passing = inline("p", {"Effect": "Allow", "Action": ["iam:PassRole", "ec2:RunInstances"], "Resource": "*"})
    assume = inline("a", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/ops"})
    return account(
        users=[user("alice", UserPolicyList=[passing]), user("bob", UserPolicyList=[assume]), user("cid")],
        rows=[row("alice", key="true", rotated="2026-05-01T00:00:00+00:00", used="2026-05-20T00:00:00+00:00"), row("bob"), row("cid")],
        roles=[
            role("web", EC2, policies=[inline("admin", ADMIN)], tags=[("purpose", "runs the shop"), ("Owner", "team-a")],
                 RoleLastUsed={"LastUsedDate": "2026-05-30T00:00:00Z", "Region": "eu-west-1"},
                 InstanceProfileList=[{
                     "Path": "/", "InstanceProfileName": "web-profile", "InstanceProfileId": "AIPA" + "W" * 17,
                     "Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web-profile", "CreateDate": "2025-01-01T00:00:00Z",
                     "Roles": []}]),
            role("ops", OWN, attached=[DEPLOY], PermissionsBoundary={
                "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/fence"}),
            role("partner", PARTNER, attached=["arn:aws:iam::aws:policy/ReadOnlyAccess"], tags=[("purpose", "audits")]),
            role("nobody", tags=[("purpose", "kept for nothing")], **{}) | {"AssumeRolePolicyDocument": {
                "Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}},
        ],
        policies=[managed("deploy", READ, {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}, Description="Deploys the shop"),
                  managed("fence", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})],
    )


def test_m127_a_page_for_each(tool, estate):
    tool.write("x/roles.json", {"Roles": [{"RoleName": "ops", "Description": "  "}]})
    for number, name in enumerate(["deploy", "fence"]):
        tool.write(f"x/policy-tags/{number}.json", {"Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}", "Tags": []})
    pages = documents(tool, estate)
    assert set(pages) == {
        "README.md", "roles.md", "users.md", "groups.md", "policies.md", "roles/web.md", "roles/ops.md", "roles/partner.md",
        "roles/nobody.md", "users/alice.md", "users/bob.md", "users/cid.md", "policies/deploy.md", "policies/fence.md"}
    web = pages["roles/web.md"]
    for text in ("| Purpose | runs the shop |", "| Owner | team-a |", "| Last used | 2026-05-30 in eu-west-1 |",
                 f"`arn:aws:iam::{ACCOUNT}:instance-profile/web-profile`", "| Administrator | is one |", "Services:\n\n- `ec2.amazonaws.com`\n",
                 "Every action of every service.", "- inline policy `admin`"):
        assert text in web, text
    ops = pages["roles/ops.md"]
    assert "| Purpose | **missing** |" in ops
    assert "Users:\n\n- [`user/bob`](../users/bob.md)\n" in ops and "alice" not in ops
    assert "- [`policy/deploy`](../policies/deploy.md)" in ops
    assert "- boundary: [`policy/fence`](../policies/fence.md)" in ops
    [s3] = [line for line in ops.splitlines() if "`s3`" in line]
    [sqs] = [line for line in ops.splitlines() if "`sqs`" in line]
    assert s3.endswith("| all |") and "`arn:aws:s3:::b*`" in s3 and "List, Read" in s3, s3
    assert sqs.endswith("| nothing |") and "| all |" in sqs, sqs
    partner = pages["roles/partner.md"]
    assert "Other accounts:\n\n- `222222222222`: only if " in partner and "as far as its own account allows it too" in partner
    assert "Nobody: no request to assume it is allowed." in pages["roles/nobody.md"]
    alice = pages["users/alice.md"]
    assert "becomes one" in alice and "## How it becomes administrator" in alice and "ESC-049" in alice
    assert "access key 1, last used 2026-05-20" in alice
    assert "no way leads there" in pages["users/cid.md"] and "Nothing is granted." in pages["users/cid.md"]
    assert "[`role/ops`](../roles/ops.md)" in pages["users/bob.md"]
    deploy = pages["policies/deploy.md"]
    assert "| Purpose | Deploys the shop |" in deploy and "[`role/ops`](../roles/ops.md)" in deploy
    assert "| Boundary of | [`role/ops`](../roles/ops.md) |" in pages["policies/fence.md"]
    index = pages["README.md"]
    assert f"[`role/ops`](roles/ops.md): purpose" in index and "[`policy/fence`](policies/fence.md): purpose" in index
    assert "role/web" not in index.split("Too little")[1]
    # Each link leads to a page.
    for path, text in pages.items():
        for target in [part.split(")")[0] for part in text.split("](")[1:]]:
            whole = os.path.normpath(os.path.join(os.path.dirname(path), target))
            assert whole in pages, (path, target)


def test_m127_who_can_says_the_same(tool, estate):
    export = f"{estate}/authorization-details.json"
    pages = documents(tool, estate)
    for name in ("web", "ops", "partner", "nobody"):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        done = tool("who-can", "sts:AssumeRole", arn, "--account", export, "--no-roles", "--format", "json")
        who = {one["principal"] for one in json.loads(done.stdout)["who"]}
        part = pages[f"roles/{name}.md"].split("## Who can assume it")[1].split("\n## ")[0]
        assert part.count("\n- ") == len(who), name
        for principal in who:
            assert f"`{principal.split(':', 5)[-1]}`" in part, (name, principal)


def test_m127_missing_purpose_is_a_finding(tool, account):
    tool.write("x/roles.json", {"Roles": [{"RoleName": "web", "Description": "Serves"}, {"RoleName": "ops"}]})
    folder = account(roles=[role("web", EC2), role("ops", EC2)])
    documents(tool, folder)
    documents(tool, folder, "--require-purpose", code=1)
    found = json.loads(tool("docs", "export", folder, "--out", "docs", "--format", "json", code=0).stdout)
    assert [one["subject"] for one in found["lacking"]] == [f"arn:aws:iam::{ACCOUNT}:role/ops"]
    assert found["lacking"][0] == {"subject": f"arn:aws:iam::{ACCOUNT}:role/ops", "page": "roles/ops.md", "lacks": ["purpose"]}
    folder = account(roles=[role("web", EC2), role("ops", EC2, tags=[("why", "operates")])])
    tool.write("s.toml", '[documentation]\npurpose-tags = ["why"]\n')
    documents(tool, folder, "--require-purpose", "--settings", "s.toml")
    tool.write("s.toml", '[documentation]\npurpose-tags = ["why"]\nrequired = ["purpose", "owner"]\n')
    documents(tool, folder, "--require-purpose", "--settings", "s.toml", code=1)
    # Nor of policies without their tags.
    folder = account(roles=[], policies=[managed("own", READ)])
    tool.write("s.toml", '[documentation]\nrequired = ["purpose", "owner"]\n')
    pages = documents(tool, folder, "--require-purpose", "--settings", "s.toml")
    assert "| Owner | not known: the tags of the policy were not given |" in pages["policies/own.md"]
    assert "Of 1 roles and policies it is not known" in pages["README.md"]
    tags = [{"Key": "Owner", "Value": "team-a"}]
    tool.write(f"{folder}/policy-tags/1.json", {"Arn": f"arn:aws:iam::{ACCOUNT}:policy/own", "Tags": tags})
    pages = documents(tool, folder, "--require-purpose", "--settings", "s.toml", code=1)
    assert "| Owner | team-a |" in pages["policies/own.md"]
    assert "| Purpose | **missing** |" in pages["policies/own.md"]
    folder = account(roles=[role("web", EC2), role("ops", EC2, tags=[("why", "operates")])])
    # Without the list of roles nothing is known of descriptions, and nothing is claimed.
    os.remove(tool.folder / folder / "roles.json")
    pages = documents(tool, folder, "--require-purpose")
    assert "not known: descriptions are in the list of roles" in pages["roles/web.md"]
    assert "list of roles" in pages["README.md"]


def test_m127_texts_of_others_break_no_page(tool, account):
    evil = "x](http://evil) <script>alert(1)</script> | `a` **b**\n# head"
    said = "see http://evil.example www.evil.example me@evil.example _x_ =1+1"
    folder = account(roles=[role("r", {"Principal": {"AWS": "222222222222"}, "Condition": {
        "StringEquals": {"sts:ExternalId": evil}}}, tags=[("purpose", said)],
        policies=[inline("p", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/`|<x>"})])],
        policies=[managed("p", READ, Description=evil)])
    pages = documents(tool, folder)
    for path in ("roles/r.md", "policies/p.md", "roles.md", "policies.md"):
        text = pages[path]
        assert "<script>" not in text and "](http" not in text and "\n# head" not in text, path
        rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("| ")]
        for line in rows:
            assert line.endswith("|"), line
    purpose = next(line for line in pages["policies/p.md"].splitlines() if line.startswith("| Purpose"))
    assert purpose.replace("\\|", "").count("|") == 3 and "\\<script\\>" in purpose
    purpose = next(line for line in pages["roles/r.md"].splitlines() if line.startswith("| Purpose"))
    assert "http\\://" in purpose and "www\\." in purpose and "me\\@evil" in purpose and "\\_x\\_" in purpose
    resource = next(line for line in pages["roles/r.md"].splitlines() if "`s3`" in line)
    assert resource.replace("\\|", "").count("|") == 7, resource


def test_m127_names_make_files_that_every_disk_keeps_apart(tool, account):
    names = ["Admin", "con", "a.b", "..", "x" * 64]
    roles = [role(name, EC2) for name in names]
    for number, made in enumerate(roles):
        made["RoleId"] = "AROA" + "ABCDEFGH"[number] * 17
    pages = documents(tool, account(roles=roles))
    made = [path for path in pages if path.startswith("roles/")]
    assert len(made) == len(names) and len({path.lower() for path in made}) == len(names), made
    for path in made:
        name = path.removeprefix("roles/")
        assert not name.startswith(".") and "/" not in name and name.split(".")[0].lower() != "con", path
    assert sorted(os.listdir(tool.folder)) == ["docs", "x"]


def test_m127_the_same_again_and_only_its_own(tool, account):
    folder = account(roles=[role("web", EC2), role("ops", EC2)])
    first = documents(tool, folder)
    assert documents(tool, folder) == first
    assert documents(tool, folder, out="other") == first
    (tool.folder / "docs/roles/mine.md").write_text("mine")
    folder = account(roles=[role("web", EC2)])
    after = documents(tool, folder)
    assert "roles/ops.md" not in after and after["roles/mine.md"] == "mine" and "ops" not in after["roles.md"]
    (tool.folder / "full").mkdir()
    (tool.folder / "full/precious.txt").write_text("x")
    done = tool("docs", "export", folder, "--out", "full", code=2)
    assert "holds other files" in done.stderr and os.listdir(tool.folder / "full") == ["precious.txt"]
    # What cannot be read replaces nothing.
    tool.write(f"{folder}/authorization-details.json", "{")
    assert documents(tool, folder, code=2) == after
    tool("docs", "export", "nothing-here", "--out", "made", code=2)
    assert not (tool.folder / "made").exists()
