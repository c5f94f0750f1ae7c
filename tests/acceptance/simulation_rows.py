"""Rows on the policy simulator."""

import json

from rows import ACCOUNT, row

USER = f"arn:aws:iam::{ACCOUNT}:user/testuser"
SECRET = "arn:aws:s3:::confidential-bucket/secret.txt"
COMMAND = f"aws iam simulate-principal-policy --policy-source-arn {USER} --action-names s3:GetObject --resource-arns {SECRET}"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": action, "Resource": resource} for effect, action, resource in statements]})


@row("M8")
def simulated_user(t):
    """simulate-principal-policy: no policy, attached, a Deny, a boundary, a group, service control policies"""
    t.serve()
    t.fails("NoSuchEntity", COMMAND, text="The user with name testuser cannot be found.")
    alice = t.user("testuser")
    t.nobody(*COMMAND.split()[1:])
    t.fails("AccessDenied", COMMAND, key=alice)

    def expect(decision, *policies):
        done = t.works(COMMAND)
        result = done["EvaluationResults.0"]
        t.equal(result["EvalDecision"], decision, "EvalDecision")
        t.equal([held["SourcePolicyId"] for held in result.get("MatchedStatements", [])], list(policies), "MatchedStatements")
        single = result["ResourceSpecificResults"][0]
        t.equal((single["EvalResourceName"], single["EvalResourceDecision"]), (SECRET, decision), "by resource")
        return result

    result = expect("implicitDeny")
    t.check("OrganizationsDecisionDetail" not in result, "no organization")
    reads = policy(("Allow", "s3:GetObject", "arn:aws:s3:::confidential-bucket/*"))
    arn = t.works("iam", "create-policy", "--policy-name", "Reader", "--policy-document", reads)["Policy.Arn"]
    t.works("iam", "attach-user-policy", "--user-name", "testuser", "--policy-arn", arn)
    matched = expect("allowed", "Reader")["MatchedStatements"][0]
    start, end = reads.index("[") + 2, reads.rindex("}", 0, -1) + 2
    t.equal((matched["StartPosition"], matched["EndPosition"]),
            ({"Line": 1, "Column": start}, {"Line": 1, "Column": end}), "positions")
    t.works("iam", "put-user-policy", "--user-name", "testuser", "--policy-name", "Stop",
            "--policy-document", policy(("Deny", "s3:*", SECRET)))
    expect("explicitDeny", "user_testuser_Stop")
    t.works("iam", "delete-user-policy", "--user-name", "testuser", "--policy-name", "Stop")

    compute = t.works("iam", "create-policy", "--policy-name", "Compute",
                      "--policy-document", policy(("Allow", "ec2:*", "*")))["Policy.Arn"]
    t.works("iam", "put-user-permissions-boundary", "--user-name", "testuser", "--permissions-boundary", compute)
    result = expect("implicitDeny")
    t.equal(result["PermissionsBoundaryDecisionDetail"], {"AllowedByPermissionsBoundary": False}, "the boundary")
    t.works("iam", "delete-user-permissions-boundary", "--user-name", "testuser")

    t.works("iam", "detach-user-policy", "--user-name", "testuser", "--policy-arn", arn)
    t.works("iam", "create-group", "--group-name", "Readers")
    t.works("iam", "add-user-to-group", "--group-name", "Readers", "--user-name", "testuser")
    t.works("iam", "attach-group-policy", "--group-name", "Readers", "--policy-arn", arn)
    expect("allowed", "Reader")

    # The levels of an organization come as texts. Older command lines do not know the parameter.
    for actions, decision, within in (("s3:*", "allowed", "true"), ("ec2:*", "implicitDeny", "false")):
        levels = {f"OrderedOrganizationPolicyInputList.member.{place}.ServiceControlPolicyInputList.member.1":
                  policy(("Allow", allowed, "*")) for place, allowed in enumerate(("*", actions), 1)}
        answer = t.wire().call("iam", "SimulateCustomPolicy", **{
            "PolicyInputList.member.1": reads, "ActionNames.member.1": "s3:GetObject",
            "ResourceArns.member.1": SECRET, **levels})
        t.equal(answer.find("EvalDecision"), decision, f"an account that may {actions}")
        t.equal(answer.find("AllowedByOrganizations"), within, "AllowedByOrganizations")

    denied = t.fails("AccessDenied", "iam", "list-users", key=alice)
    decision = denied.err.strip().rsplit("(decision ", 1)[1].rstrip(")")
    decoded = json.loads(t.works("sts", "decode-authorization-message", "--encoded-message", decision)["DecodedMessage"])
    t.equal((decoded["allowed"], decoded["context"]["action"], decoded["context"]["principal"]["arn"]),
            (False, "iam:ListUsers", USER), "the denial, decoded")
    t.nobody("sts", "decode-authorization-message", "--encoded-message", decision)
