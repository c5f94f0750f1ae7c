"""Rows on least privilege: what was refused, what a policy from events allows, and what a change breaks."""

import json
import pathlib

from rows import ACCOUNT, row


def tool(t, *words, stdin="", code=0):
    """Runs our command line, and checks its exit code."""
    t.say("$ bailiwick events --format json | bailiwick " + " ".join(words))
    done = t.server.run(*words, stdin=stdin, check=False)
    t.check(done.returncode == code, f"exit code {code}", found=f"{done.returncode} {done.stderr}", quiet=True)
    return done


def data(t, *words, **more):
    """The same, and its answer as data."""
    return json.loads(tool(t, *words, "--format", "json", **more).stdout)


def trail(t):
    """The account's events, a line each."""
    return t.bailiwick("events", "--limit", "1000", "--format", "json").stdout


def allow(*actions, resource="*"):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def of(user):
    return ("generate", "--principal", f"arn:aws:iam::{ACCOUNT}:user/{user}", "--events", "-")


@row("M79")
def start_minimal(t):
    """each refusal of a principal with the smallest statement that would allow it; and the policy from its calls"""
    t.serve()
    key = t.user("alice", policy(allow("iam:ListUsers"), {"Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*"}))
    t.user("other")
    t.works("iam", "list-users", key=key)
    t.fails("AccessDenied", "iam", "get-user", "--user-name", "other", key=key)
    t.fails("AccessDenied", "iam", "list-roles", key=key, text="explicit deny")
    told = data(t, *of("alice"), "--denied", stdin=trail(t), code=1)["denied"]
    t.equal(sorted(one["event"] for one in told), ["iam:GetUser", "iam:ListRoles"], "what was refused")
    by_event = {one["event"]: one for one in told}
    statement = by_event["iam:GetUser"]["statement"]
    t.equal(statement, {"Effect": "Allow", "Action": "iam:GetUser", "Resource": f"arn:aws:iam::{ACCOUNT}:user/other"},
            "one action on one resource, and no `*`")
    t.check(by_event["iam:ListRoles"]["statement"] is None and "no Allow helps" in by_event["iam:ListRoles"]["advice"],
            "of an explicit deny it says that no Allow helps")
    # After approval it is added, and works; what was not asked for stays refused.
    file = pathlib.Path(t.home, "added.json")
    file.write_text(json.dumps(policy(statement)))
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "added", "--policy-document", f"file://{file}")
    t.works("iam", "get-user", "--user-name", "other", key=key)
    t.fails("AccessDenied", "iam", "get-user", "--user-name", "admin", key=key)
    # And the other way: from all that it did, the policy that allows just that.
    found = data(t, *of("alice"), stdin=trail(t), code=0)
    t.equal((found["replay"]["observed"], found["replay"]["allowed"]), (2, 2), "observed calls, all allowed by the policy")
    file.write_text(json.dumps(found["policy"]))
    t.check("iam:ListRoles" not in file.read_text(), "the refused call is not in it")
    for name in ("p0", "added"):
        t.works("iam", "delete-user-policy", "--user-name", "alice", "--policy-name", name)
    t.fails("AccessDenied", "iam", "list-users", key=key)
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "least", "--policy-document", f"file://{file}")
    t.works("iam", "list-users", key=key)
    t.works("iam", "get-user", "--user-name", "other", key=key)
    t.fails("AccessDenied", "iam", "get-user", "--user-name", "admin", key=key)
    # Nobody to speak of.
    t.check("root user" in tool(t, "generate", "--principal", f"arn:aws:iam::{ACCOUNT}:root", "--events", "-", code=2).stderr,
            "for root there is none to write")


@row("M120")
def actionable(t):
    """each finding with its way, its fix as diff, commands and Terraform; what a change refuses of the observed calls"""
    t.serve()
    key = t.user("alice", policy(allow("iam:*")))
    for _ in range(3):
        t.works("iam", "list-users", key=key)
    t.works("iam", "list-roles", key=key)
    file = pathlib.Path(t.home, "fix.json")
    file.write_text(json.dumps(policy(allow("iam:List*"))))
    good = tool(t, *of("alice"), "--preview", str(file), stdin=trail(t))
    t.check("breaks 0 of 4 observed calls" in good.stdout, "a fix that breaks nothing", found=good.stdout)
    file.write_text(json.dumps(policy(allow("iam:ListRoles"))))
    bad = data(t, *of("alice"), "--preview", str(file), stdin=trail(t), code=1)
    t.equal(bad["sentence"], "breaks 3 of 4 observed calls", "one that breaks some")
    t.equal([one["event"] for one in bad["calls"]], ["iam:ListUsers"], "which")
    # It is true.
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "p0", "--policy-document", f"file://{file}")
    t.fails("AccessDenied", "iam", "list-users", key=key)
    t.works("iam", "list-roles", key=key)
    # With the account as evidence the statements that go away are told, and the boundary counts.
    details = pathlib.Path(t.home, "details.json")
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "p0", "--policy-document",
            json.dumps(policy(allow("iam:List*"), allow("ec2:*"))))
    details.write_text(t.works("iam", "get-account-authorization-details").out)
    found = data(t, *of("alice"), "--account", str(details), stdin=trail(t))["account"]
    t.equal([one["actions"] for one in found["unused"]], [["ec2:*"]], "the statement that no call needed")
    t.check(found["within"] is True, "the generated policy allows nothing new")
    # A finding: bob may give himself any policy, and has done so to nobody; he lists users.
    key = t.user("bob", policy(allow("iam:PutUserPolicy"), allow("iam:ListUsers")))
    t.works("iam", "list-users", key=key)
    details.write_text(t.works("iam", "get-account-authorization-details").out)
    events = pathlib.Path(t.home, "events.jsonl")
    events.write_text(trail(t))
    bob = f"arn:aws:iam::{ACCOUNT}:user/bob"
    told = data(t, "audit", "fix", str(details), "--events", str(events), "--check", "EFF-02", "--principal", bob, code=1)
    (finding,) = told["fixes"]
    fix = finding["fix"]
    t.check("iam:PutUserPolicy" in finding["why"] and "administrator" in finding["why"], "why, with the way", found=finding["why"])
    t.check('- ' in fix["diff"] and "PutUserPolicy" in fix["diff"], "the change of the policy", found=fix["diff"])
    t.check(fix["commands"][0].startswith("aws iam put-user-policy --user-name bob --policy-name p0"), "the command", found=fix["commands"])
    t.check('resource "aws_iam_user_policy" "bob_p0"' in fix["terraform"][0] and 'id = "bob:p0"' in fix["terraform"][0], "for Terraform")
    t.equal(fix["effect"]["sentence"], "breaks 0 of 1 observed calls", "the effect")
    # The command as it is printed, with the policy as it is told: it is true, and the way is closed.
    pathlib.Path(t.home, "policy.json").write_text(fix["document"])
    words = fix["commands"][0].replace("file://policy.json", f"file://{t.home}/policy.json").split()[1:]
    t.works(*words)
    t.works("iam", "list-users", key=key)
    t.fails("AccessDenied", "iam", "put-user-policy", "--user-name", "bob", "--policy-name", "x", "--policy-document",
            json.dumps(policy(allow("*"))), key=key)
    details.write_text(t.works("iam", "get-account-authorization-details").out)
    told = data(t, "audit", "fix", str(details), "--check", "EFF-02", "--principal", bob)
    t.equal(told["fixes"], [], "nothing is left to mend")
