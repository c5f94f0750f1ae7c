"""Why a call was refused: AWS's words for each kind of policy, and the explanation behind them.

Wording. Source: IAM user guide, troubleshoot access denied error messages.
"""

import json

import pytest
from conftest import ACCOUNT, OTHER_ACCOUNT, allow, deny, document, refused, statement, text_of, trust
from signing import split_decision


def denial(world, principal, call):
    """Makes a call that is denied; returns its text without the decision, and the explanation."""
    with refused("AccessDenied", 403) as error:
        call(principal)
    text, decision = split_decision(text_of(error))
    headers = error.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-bailiwick-decision-id"] == decision
    event = world.event_of(error.value.response["ResponseMetadata"]["RequestId"])
    assert event["additionalEventData"]["decisionId"] == decision
    return text, decision


def why(world, decision):
    """What `bailiwick why` shows, as data and as text."""
    found = world.server.why(decision, world.admin.key)
    environment = world.admin.key.environment() | {"AWS_ENDPOINT_URL": world.server.url}
    shown = world.server.run("why", decision, environment=environment).stdout
    assert json.dumps(found)
    return json.dumps(found), shown


def list_roles(principal):
    principal.iam.list_roles()


def head(principal, action="iam:ListRoles", resource=f"arn:aws:iam::{ACCOUNT}:role/"):
    return f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"


def test_nothing_allows_it(world):
    alice = world.user(allow("iam:ListUsers"))
    text, decision = denial(world, alice, list_roles)
    assert text == head(alice) + " because no identity-based policy allows the iam:ListRoles action"
    data, shown = why(world, decision)
    assert "implicitDeny" in data and "iam:ListRoles" in shown and alice.arn in shown


def test_an_explicit_deny_in_an_inline_policy(world):
    alice = world.user(allow("iam:*"), document(
        statement("Allow", ["s3:*"]), statement("Deny", ["iam:List*"]) | {"Sid": "NoLists"}))
    text, decision = denial(world, alice, list_roles)
    assert text == head(alice) + " with an explicit deny in an identity-based policy"
    data, shown = why(world, decision)
    assert "explicitDeny" in data and "NoLists" in shown and "p1" in shown


def test_an_explicit_deny_in_a_managed_policy_names_it(world):
    arn = world.policy(document(statement("Deny", ["iam:ListRoles"]) | {"Sid": "Stop"}))
    alice = world.user(allow("iam:*"))
    world.iam.attach_user_policy(UserName=alice.name, PolicyArn=arn)
    text, decision = denial(world, alice, list_roles)
    assert text == head(alice) + f" with an explicit deny in an identity-based policy: {arn}"
    data, shown = why(world, decision)
    assert arn in data and arn in shown and "Stop" in shown


def test_a_boundary_does_not_allow_it(world):
    arn = world.policy(allow("iam:ListUsers"))
    alice = world.user(allow("iam:*"), PermissionsBoundary=arn)
    alice.iam.list_users()
    text, decision = denial(world, alice, list_roles)
    assert text == head(alice) + " because no permissions boundary allows the iam:ListRoles action"
    data, shown = why(world, decision)
    assert arn in data and "boundary" in shown


def test_a_boundary_denies_it(world):
    arn = world.policy(document(statement("Allow", ["*"]), statement("Deny", ["iam:ListRoles"]) | {"Sid": "Edge"}))
    alice = world.user(allow("iam:*"), PermissionsBoundary=arn)
    alice.iam.list_users()
    text, decision = denial(world, alice, list_roles)
    assert text == head(alice) + f" with an explicit deny in a permissions boundary: {arn}"
    assert "Edge" in why(world, decision)[1]


def test_a_session_policy_does_not_allow_it(world):
    role = world.role(trust(world.arn("root")), allow("iam:*"))
    session = world.admin.assume(role, Policy=json.dumps(allow("iam:ListUsers")))
    text, decision = denial(world, session, list_roles)
    assert text == head(session) + " because no session policy allows the iam:ListRoles action"
    assert "session" in why(world, decision)[1]


def test_a_session_policy_denies_it(world):
    role = world.role(trust(world.arn("root")), allow("iam:*"))
    limits = document(statement("Allow", ["*"]), statement("Deny", ["iam:ListRoles"]) | {"Sid": "Cut"})
    session = world.admin.assume(role, Policy=json.dumps(limits))
    session.iam.list_users()
    text, decision = denial(world, session, list_roles)
    assert text == head(session) + " with an explicit deny in a session policy"
    assert "Cut" in why(world, decision)[1]


def test_a_trust_policy_denies_it(world):
    alice = world.user(allow("sts:AssumeRole"))
    opened = trust(world.arn("root"))
    opened["Statement"].append({"Effect": "Deny", "Principal": {"AWS": alice.arn}, "Action": "sts:AssumeRole", "Sid": "NotHer"})
    role = world.role(opened)
    text, decision = denial(world, alice, lambda principal: principal.assume(role))
    assert text == head(alice, "sts:AssumeRole", role) + " with an explicit deny in the role trust policy"
    assert "NotHer" in why(world, decision)[1]


def test_an_allow_is_explained_too(world):
    alice = world.user(document(statement("Allow", ["iam:ListRoles"]) | {"Sid": "Lists"}))
    answer = alice.wire.call("iam", "ListRoles")
    assert answer.status == 200
    explained = world.admin.wire.explain(answer.decision_id)
    assert "allowed" in json.dumps(explained) and "Lists" in json.dumps(explained)


def test_why_by_request_id(world):
    alice = world.user()
    answer = alice.wire.call("iam", "ListRoles")
    assert answer.status == 403
    data, _ = why(world, answer.request_id)
    assert "implicitDeny" in data


def test_an_explanation_is_for_who_may_read_it(world, other):
    alice = world.user()
    answer = alice.wire.call("iam", "ListRoles")
    refusal = alice.wire.own("ExplainDecision", DecisionId=answer.decision_id)
    assert refusal.code.startswith("AccessDenied"), refusal.text
    refusal = other.admin.wire.own("ExplainDecision", DecisionId=answer.decision_id)
    assert refusal.status in (400, 404) and refusal.code.startswith("NoSuchDecision"), refusal.text
    done = world.server.why("d-" + "0" * 32, world.admin.key, check=False)
    assert done.returncode == 1 and done.stderr


def test_a_denial_in_the_json_protocol(world):
    """AWS's JSON services answer 400 and name the shape of the error."""
    refusal = world.user().wire.own("ListEvents")
    assert (refusal.status, refusal.code) == (400, "AccessDeniedException"), refusal.text
    split_decision(refusal.message)


def test_across_accounts_no_reason_is_told(world, other):
    alice = world.user(allow("sts:AssumeRole"))
    role = other.role(trust(other.arn("root")))
    text, _ = denial(world, alice, lambda principal: principal.assume(role))
    assert text == head(alice, "sts:AssumeRole", role)
    ghost = f"arn:aws:iam::{OTHER_ACCOUNT}:role/ghost"
    with refused("AccessDenied", 403) as error:
        alice.assume(ghost)
    # The answer for a role that is not there has the same form as for one that is.
    assert text_of(error).startswith(head(alice, "sts:AssumeRole", ghost))


@pytest.mark.parametrize("words", [("events", "--limit", "5"), ("events", "--error-code", "AccessDenied")])
def test_events_on_the_command_line(world, words):
    with refused("AccessDenied", 403):
        world.user().iam.list_roles()
    environment = world.admin.key.environment() | {"AWS_ENDPOINT_URL": world.server.url}
    done = world.server.run(*words, "--format", "json", environment=environment)
    assert "eventName" in done.stdout
    done = world.server.run(*words, environment=environment)
    assert "ListRoles" in done.stdout
