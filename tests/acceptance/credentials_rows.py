"""Rows on access keys, passwords and the commands that the guides print for them."""

import json

import process
from rows import ACCOUNT, FIXTURE_KEY, row

EC2_ROLE = """aws iam create-role \\
--role-name EC2-S3-Access-Role \\
--assume-role-policy-document '{
"Version": "2012-10-17",
"Statement": [
{
"Effect": "Allow",
"Principal": {
"Service": "ec2.amazonaws.com"
},
"Action": "sts:AssumeRole"
}
]
}'"""


@row("M2")
def create_role(t):
    """create-role for EC2, as printed"""
    t.serve()
    t.nobody(EC2_ROLE)
    made = t.works(EC2_ROLE)
    t.equal(made["Role.Arn"], f"arn:aws:iam::{ACCOUNT}:role/EC2-S3-Access-Role", "its ARN")
    t.check(made["Role.RoleId"].startswith("AROA"), "its id begins with AROA")
    statement = made["Role.AssumeRolePolicyDocument"]["Statement"][0]
    t.equal(statement["Principal"], {"Service": "ec2.amazonaws.com"}, "the document comes back")
    raw = t.quietly("GetRole", RoleName="EC2-S3-Access-Role").text
    t.check("%22ec2.amazonaws.com%22" in raw, "the document is URL-encoded on the wire")
    t.fails("EntityAlreadyExists", EC2_ROLE)
    t.fails("MalformedPolicyDocument", EC2_ROLE.replace('"Effect"', '"Efect"').replace("EC2-S3", "Other"),
            text="line 5, column 1")
    t.equal(t.works("iam", "list-roles")["Roles.0.RoleName"], "EC2-S3-Access-Role", "list-roles shows it")
    role = f"arn:aws:iam::{ACCOUNT}:role/EC2-S3-Access-Role"
    t.fails("AccessDenied", "sts", "assume-role", "--role-arn", role, "--role-session-name", "me",
            text="not authorized to perform: sts:AssumeRole")
    t.recorded("CreateRole", roleName="EC2-S3-Access-Role")


@row("M3")
def create_access_key(t):
    """create-access-key; the new key signs; the third is over the quota"""
    t.serve(fixture="F1")
    command = "aws iam create-access-key --user-name service-account"
    t.nobody(command)
    made = t.works(command)["AccessKey"]
    key = process.Key.of(made)
    t.equal(t.works("sts", "get-caller-identity", key=key)["Arn"],
            f"arn:aws:iam::{ACCOUNT}:user/service-account", "the new key is who it should be")
    t.fails("LimitExceeded", command, text="Cannot exceed quota for AccessKeysPerUser: 2")
    wrong = process.Key(key.id, key.secret[::-1])
    t.fails("SignatureDoesNotMatch", "sts", "get-caller-identity", key=wrong)
    listed = t.works("iam", "list-access-keys", "--user-name", "service-account")
    t.equal({found["AccessKeyId"] for found in listed["AccessKeyMetadata"]}, {FIXTURE_KEY, key.id}, "both are listed")
    t.check(key.secret not in listed.out, "the secret is never read again")
    t.check(key.secret not in json.dumps(t.events()), "nor is it in the trail")
    t.recorded("CreateAccessKey", userName="service-account")


@row("M4")
def delete_access_key(t):
    """delete-access-key; the next call with it is refused"""
    t.serve(fixture="F1")
    t.works("sts", "get-caller-identity", key=t.fixture_key)
    command = f"aws iam delete-access-key --user-name service-account --access-key-id {FIXTURE_KEY}"
    t.nobody(command)
    t.works(command)
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=t.fixture_key)
    t.fails("NoSuchEntity", command)
    t.equal(t.works("iam", "list-access-keys", "--user-name", "service-account")["AccessKeyMetadata"], [], "none is listed")
    t.recorded("DeleteAccessKey", accessKeyId=FIXTURE_KEY)


@row("M5")
def access_key_last_used(t):
    """get-access-key-last-used changes only by use, per service and region"""
    t.serve(fixture="F1")
    command = f"aws iam get-access-key-last-used --access-key-id {FIXTURE_KEY}"
    t.nobody(command)
    before = t.works(command).json()
    t.equal(before["UserName"], "service-account", "its user")
    t.equal(before["AccessKeyLastUsed"], {"ServiceName": "N/A", "Region": "N/A"}, "before its first use")
    t.works("sts", "get-caller-identity", key=t.fixture_key, region="eu-west-1")
    after = t.works(command)["AccessKeyLastUsed"]
    t.equal((after["ServiceName"], after["Region"]), ("sts", "eu-west-1"), "after a use in eu-west-1")
    t.check(after["LastUsedDate"], "it has a date")
    t.equal(t.works(command)["AccessKeyLastUsed"], after, "asking again changes nothing")
    t.fails("AccessDenied", "iam", "list-users", key=t.fixture_key)
    after = t.works(command)["AccessKeyLastUsed"]
    t.equal((after["ServiceName"], after["Region"]), ("iam", "us-east-1"), "after a refused call of iam")
    t.server.stop()
    t.server.start()
    t.url = t.server.url
    t.equal(t.works(command)["AccessKeyLastUsed"], after, "after a restart")


@row("M9")
def deactivate(t):
    """update-access-key --status Inactive, and back"""
    t.serve(fixture="F2")
    command = f"aws iam update-access-key --access-key-id {FIXTURE_KEY} --status Inactive --user-name compromised-user"
    t.nobody(command)
    t.works("sts", "get-caller-identity", key=t.fixture_key)
    t.works(command)
    listed = t.works("iam", "list-access-keys", "--user-name", "compromised-user")
    t.equal(listed["AccessKeyMetadata.0.Status"], "Inactive", "list-access-keys")
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=t.fixture_key)
    t.works(command.replace("Inactive", "Active"))
    t.works("sts", "get-caller-identity", key=t.fixture_key)
    t.recorded("UpdateAccessKey", status="Inactive")


@row("M11")
def delete_after_deactivation(t):
    """delete-access-key after deactivation; its history stays"""
    t.serve(fixture="F2")
    t.works("sts", "get-caller-identity", key=t.fixture_key)
    t.works(f"aws iam update-access-key --access-key-id {FIXTURE_KEY} --status Inactive --user-name compromised-user")
    command = f"aws iam delete-access-key --access-key-id {FIXTURE_KEY} --user-name compromised-user"
    t.nobody(command)
    t.works(command)
    t.fails("NoSuchEntity", command)
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=t.fixture_key)
    found = t.events("--access-key-id", FIXTURE_KEY)
    names = [(event["eventName"], event["userIdentity"].get("userName")) for event in found if "errorCode" not in event]
    t.check(("GetCallerIdentity", "compromised-user") in names, "what the key did is still found", found=names)


@row("M35")
def own_credentials(t):
    """users rotate their own credentials, and nobody else's"""
    t.serve()
    own = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": [
        "iam:ChangePassword", "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys",
        "iam:UpdateAccessKey", "iam:GetUser"], "Resource": f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"}}
    alice, bob = t.user("alice", own), t.user("bob", own)
    t.works("iam", "create-login-profile", "--user-name", "alice", "--password", "First-password-1")
    t.works("iam", "change-password", "--old-password", "First-password-1", "--new-password", "Second-password-2", key=alice)
    t.fails("AccessDenied", "iam", "change-password", "--old-password", "First-password-1", "--new-password", "Third-password-3", key=alice)
    made = t.works("iam", "create-access-key", key=alice)["AccessKey"]
    t.equal(made["UserName"], "alice", "a key without a user name is the caller's")
    t.works("iam", "update-access-key", "--user-name", "alice", "--access-key-id", alice.id, "--status", "Inactive",
            key=process.Key.of(made))
    t.works("iam", "delete-access-key", "--access-key-id", alice.id, key=process.Key.of(made))
    t.fails("InvalidClientTokenId", "iam", "get-user", key=alice)
    alice = process.Key.of(made)
    t.fails("AccessDenied", "iam", "create-access-key", "--user-name", "bob", key=alice)
    t.fails("AccessDenied", "iam", "delete-access-key", "--user-name", "bob", "--access-key-id", bob.id, key=alice)
    t.fails("AccessDenied", "iam", "update-access-key", "--user-name", "bob", "--access-key-id", bob.id, "--status", "Inactive", key=alice)
    t.fails("AccessDenied", "iam", "list-access-keys", "--user-name", "bob", key=alice)
    t.works("iam", "get-user", key=bob)
