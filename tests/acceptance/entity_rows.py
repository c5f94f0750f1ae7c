"""Rows on users, groups, roles and policies."""

import json

import process
from rows import ACCOUNT, row

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def allow(*actions, resource="*", **condition):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": statement | ({"Condition": condition} if condition else {})}


def trust(principal):
    return json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}})


EC2 = trust({"Service": "ec2.amazonaws.com"})


@row("M24")
def users(t):
    """individual users: create, get, list, tag, rename, delete"""
    t.serve()
    command = "aws iam create-user --user-name alice"
    t.nobody(command)
    made = t.works(command)["User"]
    t.equal(made["Arn"], f"arn:aws:iam::{ACCOUNT}:user/alice", "its ARN")
    t.fails("EntityAlreadyExists", command)
    t.fails("EntityAlreadyExists", "aws iam create-user --user-name ALICE")
    t.equal(t.works("iam", "get-user", "--user-name", "alice")["User"], made, "get-user")
    t.check("alice" in [user["UserName"] for user in t.works("iam", "list-users")["Users"]], "list-users")
    t.works("iam", "tag-user", "--user-name", "alice", "--tags", "Key=Team,Value=blue")
    t.equal(t.works("iam", "list-user-tags", "--user-name", "alice")["Tags"], [{"Key": "Team", "Value": "blue"}], "its tags")
    t.works("iam", "update-user", "--user-name", "alice", "--new-user-name", "alicia", "--new-path", "/staff/")
    t.fails("NoSuchEntity", "iam", "get-user", "--user-name", "alice")
    after = t.works("iam", "get-user", "--user-name", "alicia")["User"]
    t.equal((after["UserId"], after["Path"]), (made["UserId"], "/staff/"), "the id stays when the name changes")
    t.works("iam", "attach-user-policy", "--user-name", "alicia", "--policy-arn", READ_ONLY)
    t.fails("DeleteConflict", "iam", "delete-user", "--user-name", "alicia")
    t.works("iam", "detach-user-policy", "--user-name", "alicia", "--policy-arn", READ_ONLY)
    t.works("iam", "delete-user", "--user-name", "alicia")
    t.fails("NoSuchEntity", "iam", "get-user", "--user-name", "alicia")
    t.recorded("CreateUser", userName="alice")
    t.recorded("DeleteUser", userName="alicia")


@row("M26")
def groups(t):
    """one change of a group reaches all its hundred members"""
    t.serve()
    t.works("iam", "create-group", "--group-name", "developers")
    members = []
    for number in range(100):
        members.append(t.user(f"dev-{number}"))
        t.quietly("AddUserToGroup", GroupName="developers", UserName=f"dev-{number}")

    def allowed():
        return sum(t.wire(key).call("iam", "ListUsers").status == 200 for key in members)

    t.equal(allowed(), 0, "members that are allowed before")
    command = f"aws iam attach-group-policy --group-name developers --policy-arn {READ_ONLY}"
    t.nobody(command)
    t.works(command)
    t.equal(allowed(), 100, "members that are allowed")
    t.fails("AccessDenied", "iam", "create-user", "--user-name", "x", key=members[0])
    t.works(f"aws iam detach-group-policy --group-name developers --policy-arn {READ_ONLY}")
    t.equal(allowed(), 0, "members that are allowed afterwards")
    t.recorded("AttachGroupPolicy", groupName="developers")
    found = t.quietly("ListAttachedUserPolicies", UserName="dev-7").find_all("PolicyArn")
    t.equal(found, [], "policies of a member itself")


@row("M28")
def change_of_duty(t):
    """remove-user-from-group, add-user-to-group: rights follow at once"""
    t.serve()
    alice = t.user("alice")
    for group, action in (("developers", "iam:ListRoles"), ("finance", "iam:ListGroups")):
        t.quietly("CreateGroup", GroupName=group)
        t.quietly("PutGroupPolicy", GroupName=group, PolicyName="p", PolicyDocument=json.dumps(allow(action)))

    def matrix():
        return {name: t.wire(alice).call("iam", name).status == 200 for name in ("ListRoles", "ListGroups", "ListUsers")}

    t.works("iam", "add-user-to-group", "--group-name", "developers", "--user-name", "alice")
    t.equal(matrix(), {"ListRoles": True, "ListGroups": False, "ListUsers": False}, "as a developer")
    t.nobody("aws iam remove-user-from-group --group-name developers --user-name alice")
    t.works("aws iam remove-user-from-group --group-name developers --user-name alice")
    t.equal(matrix(), {"ListRoles": False, "ListGroups": False, "ListUsers": False}, "in no group")
    t.works("iam", "add-user-to-group", "--group-name", "finance", "--user-name", "alice")
    t.equal(matrix(), {"ListRoles": False, "ListGroups": True, "ListUsers": False}, "in finance")
    groups = t.works("iam", "list-groups-for-user", "--user-name", "alice")["Groups"]
    t.equal([group["GroupName"] for group in groups], ["finance"], "her groups")


@row("M75")
def customer_managed(t):
    """customer managed policies: five versions, a default, where they are attached"""
    t.serve()
    document = json.dumps(allow("iam:ListUsers"))
    command = ["iam", "create-policy", "--policy-name", "reusable", "--policy-document", document]
    t.nobody(*command)
    arn = t.works(*command)["Policy.Arn"]
    for action in ("ListRoles", "ListGroups", "ListPolicies"):
        t.quietly("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=json.dumps(allow(f"iam:{action}")))
    version = ["iam", "create-policy-version", "--policy-arn", arn, "--policy-document", json.dumps(allow("iam:GetUser"))]
    t.equal(t.works(*version)["PolicyVersion.VersionId"], "v5", "the fifth version")
    t.fails("LimitExceeded", *version)
    alice = t.user("alice")
    t.quietly("CreateGroup", GroupName="staff")
    t.quietly("AddUserToGroup", GroupName="staff", UserName="alice")
    t.works("iam", "attach-group-policy", "--group-name", "staff", "--policy-arn", arn)
    t.works("iam", "list-users", key=alice)
    t.works("iam", "set-default-policy-version", "--policy-arn", arn, "--version-id", "v2")
    t.fails("AccessDenied", "iam", "list-users", key=alice)
    t.works("iam", "list-roles", key=alice)
    t.fails("DeleteConflict", "iam", "delete-policy-version", "--policy-arn", arn, "--version-id", "v2")
    t.works("iam", "delete-policy-version", "--policy-arn", arn, "--version-id", "v1")
    versions = t.works("iam", "list-policy-versions", "--policy-arn", arn)["Versions"]
    t.equal([found["VersionId"] for found in versions], ["v5", "v4", "v3", "v2"], "the versions")
    entities = t.works("iam", "list-entities-for-policy", "--policy-arn", arn)
    t.equal([group["GroupName"] for group in entities["PolicyGroups"]], ["staff"], "where it is attached")
    t.fails("DeleteConflict", "iam", "delete-policy", "--policy-arn", arn)
    t.equal(t.works("iam", "get-policy", "--policy-arn", arn)["Policy.AttachmentCount"], 1, "its attachments")


@row("M83")
def boundaries(t):
    """a developer makes roles only within a boundary, and cannot take it away"""
    t.serve()
    made = t.quietly("CreatePolicy", PolicyName="edge", PolicyDocument=json.dumps(allow("iam:List*")))
    edge = made.find("Arn")
    developer = t.user("developer", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["iam:CreateRole", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy"],
         "Resource": f"arn:aws:iam::{ACCOUNT}:role/app-*",
         "Condition": {"StringEquals": {"iam:PermissionsBoundary": edge}}},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]})
    create = ["iam", "create-role", "--role-name", "app-one", "--assume-role-policy-document",
              trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})]
    t.fails("AccessDenied", *create, key=developer, text="iam:CreateRole")
    t.fails("AccessDenied", *create, "--permissions-boundary", READ_ONLY, key=developer)
    role = t.works(*create, "--permissions-boundary", edge, key=developer)["Role"]
    t.equal(role["PermissionsBoundary"]["PermissionsBoundaryArn"], edge, "its boundary")
    t.works("iam", "attach-role-policy", "--role-name", "app-one", "--policy-arn", ADMIN, key=developer)
    session = t.works("sts", "assume-role", "--role-arn", role["Arn"], "--role-session-name", "dev", key=developer)
    session = process.Key.of(session["Credentials"])
    t.works("iam", "list-users", key=session)
    t.fails("AccessDenied", "iam", "create-user", "--user-name", "x", key=session,
            text="because no permissions boundary allows the iam:CreateUser action")
    for key in (developer, session):
        t.fails("AccessDenied", "iam", "delete-role-permissions-boundary", "--role-name", "app-one", key=key)
        t.fails("AccessDenied", "iam", "put-role-permissions-boundary", "--role-name", "app-one",
                "--permissions-boundary", ADMIN, key=key)
    # An Allow in the boundary alone gives nothing.
    t.works("iam", "detach-role-policy", "--role-name", "app-one", "--policy-arn", ADMIN, key=developer)
    t.fails("AccessDenied", "iam", "list-users", key=session, text="because no identity-based policy allows")


@row("M134")
def no_key_by_itself(t):
    """a new user has no key and no password unless somebody asks for one"""
    t.serve()
    t.works("iam", "create-user", "--user-name", "alice")
    t.equal(t.works("iam", "list-access-keys", "--user-name", "alice")["AccessKeyMetadata"], [], "her keys")
    t.fails("NoSuchEntity", "iam", "get-login-profile", "--user-name", "alice")


@row("M135")
def roles_are_no_users(t):
    """a role has neither password nor keys, and goes into no group"""
    t.serve()
    t.works("iam", "create-role", "--role-name", "app", "--assume-role-policy-document", EC2)
    t.works("iam", "create-group", "--group-name", "staff")
    for command in (
        ["create-login-profile", "--user-name", "app", "--password", "Correct-horse-1"],
        ["create-access-key", "--user-name", "app"],
        ["add-user-to-group", "--user-name", "app", "--group-name", "staff"],
        ["get-user", "--user-name", "app"],
    ):
        t.fails("NoSuchEntity", "iam", *command)
    # The name is free for a user, which is another thing.
    t.works("iam", "create-user", "--user-name", "app")
    t.works("iam", "attach-role-policy", "--role-name", "app", "--policy-arn", READ_ONLY)
    t.equal(t.works("iam", "list-attached-user-policies", "--user-name", "app")["AttachedPolicies"], [], "the user's policies")


@row("M136")
def attach_to_all_kinds(t):
    """one managed policy on users, groups and roles"""
    t.serve()
    arn = t.works("iam", "create-policy", "--policy-name", "shared", "--policy-document",
                  json.dumps(allow("iam:ListUsers")))["Policy.Arn"]
    alice, bob = t.user("alice"), t.user("bob")
    t.quietly("CreateGroup", GroupName="staff")
    t.quietly("AddUserToGroup", GroupName="staff", UserName="bob")
    t.quietly("CreateRole", RoleName="app", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    t.works("iam", "attach-user-policy", "--user-name", "alice", "--policy-arn", arn)
    t.works("iam", "attach-group-policy", "--group-name", "staff", "--policy-arn", arn)
    t.works("iam", "attach-role-policy", "--role-name", "app", "--policy-arn", arn)
    session = t.works("sts", "assume-role", "--role-arn", f"arn:aws:iam::{ACCOUNT}:role/app", "--role-session-name", "s1")
    for key in (alice, bob, process.Key.of(session["Credentials"])):
        t.works("iam", "list-users", key=key)
        t.fails("AccessDenied", "iam", "list-roles", key=key)
    entities = t.works("iam", "list-entities-for-policy", "--policy-arn", arn).json()
    t.equal((entities["PolicyUsers"][0]["UserName"], entities["PolicyGroups"][0]["GroupName"],
             entities["PolicyRoles"][0]["RoleName"]), ("alice", "staff", "app"), "list-entities-for-policy")


@row("M138")
def json_as_it_was_written(t):
    """policies come back byte for byte, with their white space and order"""
    import pathlib
    import urllib.parse

    t.serve()
    text = '\n{ "Version":"2012-10-17" ,\r\n\t"Statement":\n[{"Resource" :"*","Sid":"A",  "Effect":"Allow","Action":["iam:ListUsers"]}]}\n\n'
    path = pathlib.Path(t.home, "policy.json")
    path.write_bytes(text.encode())
    arn = t.works("iam", "create-policy", "--policy-name", "p", "--policy-document", "file://policy.json")["Policy.Arn"]
    t.user("alice")
    t.quietly("CreateGroup", GroupName="staff")
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "p", "--policy-document", "file://policy.json")
    t.works("iam", "put-group-policy", "--group-name", "staff", "--policy-name", "p", "--policy-document", "file://policy.json")
    t.quietly("CreateRole", RoleName="app", AssumeRolePolicyDocument=EC2)
    t.works("iam", "put-role-policy", "--role-name", "app", "--policy-name", "p", "--policy-document", "file://policy.json")
    for name, tag, fields in (
        ("GetPolicyVersion", "Document", {"PolicyArn": arn, "VersionId": "v1"}),
        ("GetUserPolicy", "PolicyDocument", {"UserName": "alice", "PolicyName": "p"}),
        ("GetGroupPolicy", "PolicyDocument", {"GroupName": "staff", "PolicyName": "p"}),
        ("GetRolePolicy", "PolicyDocument", {"RoleName": "app", "PolicyName": "p"}),
    ):
        found = urllib.parse.unquote(t.quietly(name, **fields).find(tag))
        # Text-mode reading of the file is the client's affair: v1 and v2 turn CR LF into LF.
        t.check(found in (text, text.replace("\r\n", "\n")), f"{name} gives the same text", found=repr(found))
