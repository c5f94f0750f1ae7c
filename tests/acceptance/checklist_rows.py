"""Rows on practice lists, standards, validation, summaries and the written account."""

import json
import pathlib

from hygiene_rows import allow, data, tool
from rows import ACCOUNT, ROOT, row

FIXTURES = ROOT / "crates/analyzer/tests/fixtures/validate.jsonl"
ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def asked(t, *words, **more):
    """The answer of a verb as data, whatever it finds."""
    done = tool(t, *words, "--format", "json", code=more.pop("code"), **more)
    return json.loads(done.stdout)


def practices(t, seed, code, *words):
    [found] = asked(t, "checklist", *words, "--seed", seed, code=code)["lists"]
    return {item["id"]: item for item in found["practices"]}


def outcomes(item):
    return {check["id"]: check["outcome"] for check in item["checks"]}


def about(item, name):
    """Whether the examples of an answer name somebody."""
    return any(one["subject"].endswith(name) for one in item["examples"])


def files(t, name, **content):
    """A folder of answers of the AWS CLI."""
    folder = pathlib.Path(t.home, name)
    folder.mkdir(exist_ok=True)
    for file, text in content.items():
        (folder / f"{file.replace('_', '-')}.json").write_text(text)
    return str(folder)


@row("M36")
def own_credentials(t):
    """each sees the state of their own credentials; a key of root is told with its age, until it is deleted"""
    t.serve()
    own = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Resource": "arn:aws:iam::*:user/${aws:username}",
        "Action": ["iam:ListAccessKeys", "iam:ListMFADevices", "iam:ListSSHPublicKeys", "iam:ListSigningCertificates", "iam:GetLoginProfile"]}}
    alice = t.user("alice", own)
    listed = t.works("aws iam list-access-keys", key=alice)["AccessKeyMetadata"]
    t.equal([(key["UserName"], key["AccessKeyId"]) for key in listed], [("alice", alice.id)], "the caller's own key")
    t.equal(t.works("aws iam list-mfa-devices", key=alice)["MFADevices"], [], "her MFA devices")
    t.equal(t.works("aws iam list-ssh-public-keys --user-name alice", key=alice)["SSHPublicKeys"], [], "her SSH keys")
    t.equal(t.works("aws iam list-signing-certificates", key=alice)["Certificates"], [], "her certificates")
    t.fails("NoSuchEntity", "aws iam get-login-profile --user-name alice", key=alice)
    t.fails("AccessDenied", "aws iam list-access-keys --user-name admin", key=alice)
    root = t.server.root_key()
    t.equal([key["AccessKeyId"] for key in t.works("aws iam list-access-keys", key=root)["AccessKeyMetadata"]], [root.id], "root's key")
    first = practices(t, "000", 1)["000-01"]
    t.equal((first["standing"], outcomes(first)["ROOT-01"]), ("fail", "fail"), "the key of root is told")
    [example] = [one for one in first["examples"] if one["check"] == "ROOT-01"]
    t.check(example["subject"] == f"arn:aws:iam::{ACCOUNT}:root", "of root", found=example)
    t.say("  " + example["why"])
    t.works("iam", "delete-access-key", "--access-key-id", root.id, key=root)
    folder = files(t, "after", account_summary=t.works("aws iam get-account-summary").out,
                   authorization_details=t.works("aws iam get-account-authorization-details").out)
    after = practices(t, "000", 1, folder)["000-01"]
    t.equal(outcomes(after)["ROOT-01"], "pass", "and no longer once it is deleted")


@row("M77")
def policy_summary(t):
    """five access levels from service data, by service, with resources and conditions"""
    t.serve()
    told = asked(t, "policy", "summary", "arn:aws:iam::aws:policy/ReadOnlyAccess", code=0)
    s3 = next(one for one in told["allow"] if one["service"] == "s3")
    t.equal((s3["full"], s3["limited"]), (["List"], ["Read"]), "the levels of S3 in ReadOnlyAccess")
    # A level is what the service data say; some actions have two.
    actions = {"s3:GetObject": ["Read"], "iam:AttachUserPolicy": ["Write", "Permissions management"], "ec2:CreateTags": ["Write", "Tagging"],
               "sqs:ReceiveMessage": ["Read"], "iam:CreateUser": ["Write"], "iam:ListUsers": ["List"]}
    for action, levels in actions.items():
        file = pathlib.Path(t.home, "p.json")
        file.write_text(json.dumps(allow(action)))
        [one] = asked(t, "policy", "summary", str(file), code=0)["allow"]
        t.equal((one["limited"], one["full"], one["resource"], one["condition"]), (levels, [], "All resources", "None"), action)
    t.user("alice", allow("s3:GetObject", resource="arn:aws:s3:::b/*", Bool={"aws:SecureTransport": "true"}), allow("sqs:*"))
    export = pathlib.Path(t.home, "export.json")
    export.write_text(t.works("aws iam get-account-authorization-details").out)
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    told = asked(t, "policy", "summary", arn, "--account", str(export), code=0)["allow"]
    t.equal([(one["service"], one["fullAccess"]) for one in told], [("s3", False), ("sqs", True)], "alice's services")
    t.equal((told[0]["resource"], told[0]["condition"]), ("arn:aws:s3:::b/*", "aws:SecureTransport Bool true"), "the columns")
    decided = t.works(
        "iam", "simulate-principal-policy", "--policy-source-arn", arn, "--action-names", "sqs:AddPermission", "s3:PutObject")
    t.equal([one["EvalDecision"] for one in decided["EvaluationResults"]], ["allowed", "implicitDeny"], "the engine says so too")
    tool(t, "policy", "summary", "arn:aws:iam::aws:policy/NoSuchPolicy", code=2)


@row("M88")
def policy_validation(t):
    """more than 100 checks of policies, each with a bad and a good policy"""
    t.serve()
    count = int(tool(t, "policy", "checks", "--count").stdout)
    t.check(count > 100, f"{count} checks")
    listed = {one["issueCode"]: one["findingType"] for one in asked(t, "policy", "checks", code=0)["checks"]}
    t.equal(len(listed), count, "as many codes")
    groups = {}
    lines = [json.loads(line) for line in FIXTURES.read_text().splitlines() if line.strip()]
    for number, line in enumerate(lines):
        place = groups.setdefault((line["type"], line.get("resource") or ""), {})
        for kind in ("bad", "good"):
            file = pathlib.Path(t.home, f"{number}-{kind}.json")
            file.write_text(line[kind])
            place[str(file)] = (line["code"], kind)
    shown, wrong = set(), []
    for (kind, resource), place in groups.items():
        words = ["--policy-type", kind, *(["--resource-type", resource] if resource else [])]
        done = t.server.run("validate", *place, *words, "--format", "json", check=False)
        told = {}
        for finding in json.loads(done.stdout)["findings"]:
            told.setdefault(finding["file"], set()).add(finding["issueCode"])
        for file, (code, which) in place.items():
            if which == "bad" and code in told.get(file, ()):
                shown.add(code)
            if which == "good" and code in told.get(file, ()):
                wrong.append(code)
    t.equal(wrong, [], "good policies that are told")
    t.check(len(shown) > 100, f"{len(shown)} codes are told of a bad policy and not of its good one")
    # The API says the same, with the span of the fault.
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObjet", "Resource": "*"}}'
    file = pathlib.Path(t.home, "p.json")
    file.write_text(text)
    found = t.works("accessanalyzer", "validate-policy", "--policy-type", "IDENTITY_POLICY", "--policy-document", f"file://{file}")["findings"]
    [finding] = [one for one in found if one["issueCode"] == "INVALID_ACTION"]
    span = finding["locations"][0]["span"]
    t.equal(text[span["start"]["offset"]: span["end"]["offset"]], '"s3:GetObjet"', "the span")
    t.equal(finding["findingType"], "ERROR", "its type")
    types = set()
    for number, line in enumerate(lines):
        if listed.get(line["code"]) in types or line["type"] != "IDENTITY_POLICY":
            continue
        words = ("--policy-type", "IDENTITY_POLICY", "--policy-document", f"file://{t.home}/{number}-bad.json")
        found = t.works("accessanalyzer", "validate-policy", *words)["findings"]
        if line["code"] in {one["issueCode"] for one in found}:
            types.add(listed[line["code"]])
    t.equal(types, {"ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"}, "all four types by the API")
    file.write_text(text.replace("GetObjet", "GetObject").replace('"*"', '"arn:aws:s3:::b/*"'))
    found = t.works("accessanalyzer", "validate-policy", "--policy-type", "IDENTITY_POLICY", "--policy-document", f"file://{file}")["findings"]
    t.equal(found, [], "a good policy")


@row("M110")
def compliance(t):
    """controls of four standards follow the checks; what no check can answer people do, with evidence"""
    t.serve()
    t.works("aws iam create-user --user-name alice")
    ids = {"cis-3.0": "1.15", "nist-800-53": "AC-6", "pci-4.0": "7.2.2", "hipaa": "164.308(a)(3)(i)"}

    def control(standard, *words):
        found = asked(t, "compliance", "--standard", standard, *words, code=1)
        return found, {one["id"]: one for one in found["controls"]}

    for standard, id_ in ids.items():
        whole, found = control(standard)
        t.check(id_ in found and found[id_]["checks"], f"{standard} {id_}: {len(found[id_]['checks'])} checks")
        t.check(whole["passed"] < whole["assessed"] <= len(found), f"{whole['passed']} of {whole['assessed']} assessed pass")
    before = control("cis-3.0")[1]["1.15"]
    t.check(not about(before, "user/alice"), "alice has no policy of her own")
    t.quietly("PutUserPolicy", UserName="alice", PolicyName="p", PolicyDocument=json.dumps(allow("s3:GetObject")))
    t.equal(t.works("aws iam list-user-policies --user-name alice")["PolicyNames"], ["p"], "a policy of her own")
    after = control("cis-3.0")[1]["1.15"]
    t.equal((after["standing"], after["findings"] - before["findings"]), ("fail", 1), "one finding more of 1.15")
    t.works("aws iam delete-user-policy --user-name alice --policy-name p")
    t.equal(control("cis-3.0")[1]["1.15"]["findings"], before["findings"], "and one less when it is gone")
    t.equal(control("cis-3.0")[1]["1.3"]["standing"], "manual", "1.3")
    marks = pathlib.Path(t.home, "marks.toml")
    marks.write_text('[[mark]]\ncontrol = "cis-3.0 1.3"\nstate = "pass"\nevidence = "ticket SEC-78"\nby = "ann"\nuntil = "2099-12-31"\n')
    marked = control("cis-3.0", "--manual", str(marks))[1]["1.3"]
    t.equal((marked["standing"], marked["byHand"]["mark"]["evidence"]), ("pass", "ticket SEC-78"), "1.3 with evidence")
    marks.write_text(marks.read_text().replace("2099", "2020"))
    t.equal(control("cis-3.0", "--manual", str(marks))[1]["1.3"]["standing"], "manual", "1.3 after its last day")
    marks.write_text(marks.read_text().replace("1.3", "1.15").replace("2020", "2099"))
    t.equal(control("cis-3.0", "--manual", str(marks))[1]["1.15"]["standing"], "fail", "no evidence covers a failure")


@row("M123")
def practice_lists(t):
    """the practice lists of five articles, each answered from the account as it is"""
    t.serve()
    sizes = {}
    for seed in ("000", "001", "002", "003", "004"):
        found = practices(t, seed, 1)
        sizes[seed] = len(found)
        for item in found.values():
            if item["standing"] == "pass" and not item.get("parts"):
                t.check(set(outcomes(item).values()) <= {"pass", "not-applicable"}, f"{item['id']} passes by its checks", quiet=True)
    t.equal((sizes["000"], sizes["001"], sizes["004"]), (16, 15, 11), "16, 15 and 11 practices")
    t.works("aws iam create-user --user-name alice")
    before = practices(t, "000", 1)
    t.works("iam", "create-policy", "--policy-name", "all", "--policy-document", json.dumps(ADMIN))
    arn = f"arn:aws:iam::{ACCOUNT}:policy/all"
    t.works("iam", "attach-user-policy", "--user-name", "alice", "--policy-arn", arn)
    after = practices(t, "000", 1)
    t.equal((outcomes(before["000-04"])["POL-01"], outcomes(after["000-04"])["POL-01"]), ("pass", "fail"), "least privilege turns")
    t.check(after["000-03"]["findings"] > before["000-03"]["findings"], "and so do groups", found=after["000-03"]["findings"])
    t.check(any(one["subject"] == arn for one in after["000-04"]["examples"]), "it names the policy", found=after["000-04"]["examples"])
    # By files of the AWS CLI it is the same.
    folder = files(t, "files", authorization_details=t.works("aws iam get-account-authorization-details").out,
                   account_summary=t.works("aws iam get-account-summary").out)
    told = practices(t, "000", 1, folder)
    t.equal(outcomes(told["000-04"])["POL-01"], "fail", "from files")
    t.equal(outcomes(told["000-08"])["PWD-01"], "not-assessed", "what is not among them is no pass")
    t.works("iam", "detach-user-policy", "--user-name", "alice", "--policy-arn", arn)
    t.works("iam", "delete-policy", "--policy-arn", arn)
    t.equal(outcomes(practices(t, "000", 1)["000-04"])["POL-01"], "pass", "and back")
    t.equal(before["000-08"]["standing"], "fail", "no password policy")
    t.works("aws iam update-account-password-policy --minimum-password-length 14 --require-symbols --require-numbers "
            "--require-uppercase-characters --require-lowercase-characters --allow-users-to-change-password "
            "--max-password-age 90 --password-reuse-prevention 24")
    t.equal(practices(t, "000", 1)["000-08"]["standing"], "pass", "a strong one")
    page = tool(t, "checklist", "--seed", "000", "--format", "markdown", code=1).stdout
    t.check(page.count("- [x] **000-") == sum(item["standing"] == "pass" for item in practices(t, "000", 1).values()), "ticks in Markdown")
    lines = tool(t, "checklist", "--seed", "000", "--format", "csv", code=1).stdout.splitlines()
    t.check(lines[0].startswith("list,practice,title,standing"), "CSV", found=lines[0])
    nobody = t.user("nobody")
    refused = tool(t, "checklist", "--seed", "000", key=nobody, code=2)
    t.check("AccessDenied" in refused.stderr and not refused.stdout, "who may read nothing is told so")


@row("M127")
def written_account(t):
    """a page for each role and policy: what for, who may assume it, what it may do; a missing purpose is a finding"""
    t.serve()
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    t.works("iam", "create-role", "--role-name", "web", "--description", "Serves the shop", "--assume-role-policy-document", json.dumps(trust),
            "--tags", "Key=owner,Value=team-a")
    t.works("iam", "create-role", "--role-name", "ops", "--assume-role-policy-document",
            json.dumps(trust).replace('"Service": "ec2.amazonaws.com"', f'"AWS": "arn:aws:iam::{ACCOUNT}:root"'))
    t.quietly("PutRolePolicy", RoleName="web", PolicyName="read", PolicyDocument=json.dumps(allow("s3:GetObject", resource="arn:aws:s3:::shop/*")))
    key = t.user("alice", allow("sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/ops"))
    out = pathlib.Path(t.home, "docs")

    def export(code, *words):
        done = tool(t, "docs", "export", "--out", str(out), *words, code=code)
        return {str(path.relative_to(out)): path.read_text() for path in out.rglob("*.md")}, done.stdout

    pages, said = export(0)
    t.check({"README.md", "roles/web.md", "roles/ops.md", "users/alice.md"} <= set(pages), "the pages", found=sorted(pages))
    web, ops = pages["roles/web.md"], pages["roles/ops.md"]
    t.check("| Purpose | Serves the shop |" in web and "| Owner | team-a |" in web, "purpose and owner")
    t.check("- `ec2.amazonaws.com`" in web and "`arn:aws:s3:::shop/*`" in web, "who may assume it, and what it may do")
    t.check("../users/alice.md" in ops and "../users/alice.md" not in web, "alice may assume ops alone")
    for name, works in (("ops", True), ("web", False)):
        words = ("sts", "assume-role", "--role-arn", f"arn:aws:iam::{ACCOUNT}:role/{name}", "--role-session-name", "alice")
        t.works(*words, key=key) if works else t.fails("AccessDenied", *words, key=key)
    t.check("| Purpose | **missing** |" in ops and "role/ops: purpose" in said, "ops has no purpose")
    export(1, "--require-purpose")
    t.works("iam", "update-role", "--role-name", "ops", "--description", "Operates <b>the</b> shop")
    pages, said = export(0, "--require-purpose")
    t.check("Operates \\<b\\>the\\</b\\> shop" in pages["roles/ops.md"], "now it has, and it is no HTML", found=pages["roles/ops.md"][:300])
    again, _ = export(0)
    strip = lambda found: {path: text for path, text in found.items() if path != "README.md"}  # noqa: E731
    t.equal(strip(again) == strip(pages), True, "the same again")
    t.works("aws iam delete-role --role-name ops")
    t.check("roles/ops.md" not in export(0)[0], "a role that is gone has no page")
