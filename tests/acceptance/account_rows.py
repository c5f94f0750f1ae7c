"""Rows on the whole account: root, its reports, its other credentials, and AWS's managed policies."""

import base64
import csv
import io
import json
import pathlib
import time

import process
from rows import ACCOUNT, ROOT, row

MATERIAL = ROOT / "crates/testkit/src/certificates"
# Source: IAM user guide, "Get credential reports", in its order.
COLUMNS = (
    "user arn user_creation_time password_enabled password_last_used password_last_changed password_next_rotation "
    "mfa_active access_key_1_active access_key_1_last_rotated access_key_1_last_used_date access_key_1_last_used_region "
    "access_key_1_last_used_service access_key_2_active access_key_2_last_rotated access_key_2_last_used_date "
    "access_key_2_last_used_region access_key_2_last_used_service cert_1_active cert_1_last_rotated cert_2_active "
    "cert_2_last_rotated"
).split()
DENY_ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}


def report(t):
    """The credential report as rows by user."""
    t.works("aws iam generate-credential-report")
    text = t.works("aws iam get-credential-report --query Content --output text").out
    text = base64.b64decode(text).decode()
    table = csv.DictReader(io.StringIO(text))
    t.check(table.fieldnames[:len(COLUMNS)] == COLUMNS, "AWS's columns in AWS's order", found=table.fieldnames)
    return {line["user"]: line for line in table}


@row("M38")
def credential_report(t):
    """the credential report, with root's row first"""
    t.serve()
    key = t.user("alice", DENY_ALL)
    t.fails("ReportNotPresent", "aws iam get-credential-report")
    states = [t.works("aws iam generate-credential-report")["State"] for _ in range(2)]
    t.check(states == ["STARTED", "COMPLETE"], "STARTED, then COMPLETE", found=states)
    lines = report(t)
    t.equal(next(iter(lines)), "<root_account>", "the first row")
    alice = lines["alice"]
    t.equal((alice["arn"], alice["password_enabled"], alice["mfa_active"], alice["access_key_1_active"]),
            (f"arn:aws:iam::{ACCOUNT}:user/alice", "false", "false", "true"), "alice's row")
    t.nobody("aws iam generate-credential-report")
    t.nobody("aws iam get-credential-report")
    t.fails("AccessDenied", "aws iam generate-credential-report", key=key)
    t.recorded("GetCredentialReport")


@row("M42")
def other_credentials(t):
    """SSH keys, signing and server certificates: checked, listed, their expiry shown"""
    t.serve()
    t.user("alice")
    file = lambda name: f"file://{MATERIAL / name}"  # noqa: E731
    made = t.works("iam", "upload-ssh-public-key", "--user-name", "alice", "--ssh-public-key-body", file("ssh-a.pub"))
    ssh = made["SSHPublicKey.SSHPublicKeyId"]
    got = t.works("iam", "get-ssh-public-key", "--user-name", "alice", "--ssh-public-key-id", ssh, "--encoding", "SSH")
    sent = (MATERIAL / "ssh-a.pub").read_text().split()[:2]
    t.equal(got["SSHPublicKey.SSHPublicKeyBody"].split()[:2], sent, "the key reads back")
    t.fails("DuplicateSSHPublicKey", "iam", "upload-ssh-public-key", "--user-name", "alice", "--ssh-public-key-body", file("ssh-a.pub"))
    t.fails("InvalidPublicKey", "iam", "upload-ssh-public-key", "--user-name", "alice", "--ssh-public-key-body", file("ssh-short.pub"))
    made = t.works("iam", "upload-signing-certificate", "--user-name", "alice", "--certificate-body", file("signing-a.pem"))
    t.fails("MalformedCertificate", "iam", "upload-signing-certificate", "--user-name", "alice", "--certificate-body", file("leaf-key.pem"))
    server = ["iam", "upload-server-certificate", "--server-certificate-name", "site", "--certificate-body", file("leaf.pem")]
    t.fails("KeyPairMismatch", *server, "--private-key", file("other-key.pem"))
    made = t.works(*server, "--private-key", file("leaf-key.pem"))
    t.check(made["ServerCertificateMetadata.Expiration"] > "2027", "its expiry is shown")
    shown = t.works("aws iam get-server-certificate --server-certificate-name site")
    t.check("PRIVATE KEY" not in shown.out, "the private key is not shown")
    t.fails("DeleteConflict", "aws iam delete-user --user-name alice")
    t.nobody(*server, "--private-key", file("leaf-key.pem"))
    t.works("iam", "delete-ssh-public-key", "--user-name", "alice", "--ssh-public-key-id", ssh)
    t.equal(t.works("aws iam list-ssh-public-keys --user-name alice")["SSHPublicKeys"], [], "no SSH key is left")
    t.works("aws iam delete-server-certificate --server-certificate-name site")
    t.fails("NoSuchEntity", "aws iam get-server-certificate --server-certificate-name site")
    t.recorded("UploadSSHPublicKey", userName="alice")
    t.recorded("DeleteServerCertificate", serverCertificateName="site")


def service_credential(t, service):
    """A service-specific credential as its front sees it: good, wrong, reset, off, gone."""
    t.serve()
    t.user("alice")
    create = f"aws iam create-service-specific-credential --user-name alice --service-name {service}"
    made = t.works(create)
    name, first = made["ServiceSpecificCredential.ServiceUserName"], made["ServiceSpecificCredential.ServicePassword"]
    one = ["--user-name", "alice", "--service-specific-credential-id", made["ServiceSpecificCredential.ServiceSpecificCredentialId"]]

    def verdict(password, user=name):
        answer = t.wire().own("VerifyServiceSpecificCredential", ServiceName=service, ServiceUserName=user, ServicePassword=password)
        return answer.json()["Arn"] if answer.status == 200 else answer.code

    alice = f"arn:aws:iam::{ACCOUNT}:user/alice"
    t.equal(verdict(first), alice, "the front is told whose it is")
    t.equal(verdict(first[::-1]), "CredentialNotValid", "a wrong password")
    t.equal(verdict(first, "nobody-at-1"), "CredentialNotValid", "a wrong name")
    listed = t.works(f"aws iam list-service-specific-credentials --user-name alice --service-name {service}")
    t.check(first not in listed.out, "the password is not shown again")
    second = t.works("iam", "reset-service-specific-credential", *one)["ServiceSpecificCredential.ServicePassword"]
    t.equal((verdict(first), verdict(second)), ("CredentialNotValid", alice), "a reset kills the old")
    t.works("iam", "update-service-specific-credential", *one, "--status", "Inactive")
    t.equal(verdict(second), "CredentialNotValid", "an inactive one")
    t.works("iam", "update-service-specific-credential", *one, "--status", "Active")
    t.works(create)
    t.fails("LimitExceeded", create)
    t.nobody(create)
    t.works("iam", "delete-service-specific-credential", *one)
    t.equal(verdict(second), "CredentialNotValid", "a deleted one")
    t.recorded("ResetServiceSpecificCredential", userName="alice")


@row("M44")
def codecommit(t):
    """CodeCommit credentials: issued, and verified for a Git front"""
    service_credential(t, "codecommit.amazonaws.com")


@row("M46")
def keyspaces(t):
    """Keyspaces credentials: issued, and verified for a CQL front"""
    service_credential(t, "cassandra.amazonaws.com")


@row("M67")
def root_user(t):
    """what the account tells of its root user follows what is there"""
    t.serve()

    def told():
        found = t.works("aws iam get-account-summary")
        return found["SummaryMap.AccountAccessKeysPresent"], report_line()["access_key_1_active"]

    def report_line():
        # A report is good for four hours: a new account has none yet.
        return report(t)["<root_account>"]

    t.equal(t.works("aws iam get-account-summary")["SummaryMap.AccountAccessKeysPresent"], 0, "keys of root")
    root = t.server.root_key()
    t.equal(told(), (1, "true"), "a key is told, in summary and report")
    t.works("aws sts get-caller-identity", key=root)
    used = [event for event in t.events("--event-name", "GetCallerIdentity") if event["userIdentity"]["type"] == "Root"]
    t.check(len(used) == 1, "root's use is in the trail", found=len(used))
    t.works("iam", "delete-access-key", "--access-key-id", root.id, key=root)
    t.equal(t.works("aws iam get-account-summary")["SummaryMap.AccountAccessKeysPresent"], 0, "keys of root after")
    t.fails("InvalidClientTokenId", "aws sts get-caller-identity", key=root)


@row("M68")
def root_is_not_reduced(t):
    """no policy of the account reduces root; a resource policy's Deny binds it"""
    t.serve()
    root = t.server.root_key()
    deny = json.dumps(DENY_ALL)
    for words in (["put-user-policy", "--policy-name", "p", "--policy-document", deny],
                  ["attach-user-policy", "--policy-arn", "arn:aws:iam::aws:policy/AWSDenyAll"],
                  ["put-user-permissions-boundary", "--permissions-boundary", "arn:aws:iam::aws:policy/ReadOnlyAccess"]):
        t.fails("NoSuchEntity", "iam", words[0], "--user-name", "root", *words[1:])
    t.works("aws iam create-user --user-name made-by-root", key=root)
    question = {"id": "q", "request": {"principal": f"arn:aws:iam::{ACCOUNT}:root", "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
                                       "resourceAccount": ACCOUNT, "context": {}}}
    denial = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}
    questions = [question, question | {"resourcePolicy": denial}, question | {"scps": [[DENY_ALL]]}]
    lines = "\n".join(json.dumps(one | {"id": str(n)}) for n, one in enumerate(questions))
    done = t.server.run("simulate", "--batch", "-", stdin=lines)
    verdicts = [json.loads(line)["decision"] for line in done.stdout.splitlines()]
    t.equal(verdicts, ["allowed", "explicitDeny", "explicitDeny"], "root alone, under a bucket's Deny, under an SCP's")
    t.recorded("CreateUser", userName="made-by-root")


@row("M69")
def root_key(t):
    """root deletes and rotates its key without naming a user"""
    t.serve()
    root = t.server.root_key()
    second = t.works("aws iam create-access-key", key=root)
    new = process.Key(second["AccessKey.AccessKeyId"], second["AccessKey.SecretAccessKey"])
    t.fails("LimitExceeded", "aws iam create-access-key", key=root)
    t.works("iam", "update-access-key", "--access-key-id", root.id, "--status", "Inactive", key=new)
    t.fails("InvalidClientTokenId", "aws sts get-caller-identity", key=root)
    t.works("iam", "delete-access-key", "--access-key-id", root.id, key=new)
    t.fails("NoSuchEntity", "iam", "delete-access-key", "--access-key-id", root.id, key=new)
    t.equal(len(t.works("aws iam list-access-keys", key=new)["AccessKeyMetadata"]), 1, "keys of root")
    t.fails("NoSuchEntity", "iam", "delete-access-key", "--access-key-id", new.id)
    t.recorded("DeleteAccessKey", accessKeyId=root.id)


@row("M72")
def managed_policies(t):
    """AWS's managed policies: whole, read-only, and renewed with effect on who has them"""
    t.serve()
    found = t.works("aws iam list-policies --scope AWS --max-items 3000")["Policies"]
    t.check(len(found) >= 1000, "a thousand or more", found=len(found))
    arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    version = t.works(f"aws iam get-policy --policy-arn {arn}")["Policy.DefaultVersionId"]
    document = t.works(f"aws iam get-policy-version --policy-arn {arn} --version-id {version}")["PolicyVersion.Document"]
    t.check("iam:GetAccountSummary" in json.dumps(document) or "iam:Get*" in json.dumps(document), "a true document", found=document)
    for words in (["create-policy-version", "--policy-document", json.dumps(DENY_ALL)], ["delete-policy"],
                  ["tag-policy", "--tags", "Key=a,Value=b"]):
        t.fails("AccessDenied", "iam", words[0], "--policy-arn", arn, *words[1:])
    alice = t.user("alice")
    t.works(f"aws iam attach-user-policy --user-name alice --policy-arn {arn}")
    t.works("aws iam list-users", key=alice)
    t.fails("AccessDenied", "aws iam create-user --user-name new", key=alice)
    # As `aws iam get-account-authorization-details` writes it: a version that takes reading away and gives making.
    number, now = int(version[1:]) + 1, time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    newer = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}]}
    policy = {"PolicyName": "IAMReadOnlyAccess", "PolicyId": "ANPAJKSO7NDY4T57MWDSQ", "Arn": arn, "Path": "/",
              "DefaultVersionId": f"v{number}", "AttachmentCount": 1, "IsAttachable": True, "CreateDate": "2015-02-06T18:40:38+00:00",
              "UpdateDate": now, "PolicyVersionList": [
                  {"Document": newer, "VersionId": f"v{number}", "IsDefaultVersion": True, "CreateDate": now}]}
    file = pathlib.Path(t.home, "newer.json")
    file.write_text(json.dumps({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [policy]}))
    t.bailiwick("data", "update", "--from", str(file))
    t.fails("AccessDenied", "aws iam list-users", key=alice)
    t.works("aws iam create-user --user-name new", key=alice)
    t.equal(t.works(f"aws iam get-policy --policy-arn {arn}")["Policy.DefaultVersionId"], f"v{number}", "the version in force")
    t.works(f"aws iam get-policy-version --policy-arn {arn} --version-id {version}")
    t.server.kill()
    t.server.start()
    t.url = t.server.url
    t.fails("AccessDenied", "aws iam list-users", key=alice)
    t.recorded("AttachUserPolicy", userName="alice", policyArn=arn)


@row("M73")
def job_functions(t):
    """managed policies for job functions, at their path"""
    t.serve()
    found = t.works("aws iam list-policies --scope AWS --path-prefix /job-function/")["Policies"]
    names = {policy["PolicyName"] for policy in found}
    t.check({"Billing", "DatabaseAdministrator", "DataScientist", "NetworkAdministrator", "SupportUser", "SystemAdministrator",
             "ViewOnlyAccess"} <= names, "the job functions of AWS's guide", found=names)
    t.check(all(policy["Path"] == "/job-function/" and "/job-function/" in policy["Arn"] for policy in found), "each at its path")
    for path in ("/service-role/", "/aws-service-role/", "/root-task/"):
        some = t.works(f"aws iam list-policies --scope AWS --path-prefix {path} --max-items 3000")["Policies"]
        t.check(len(some) > 3, f"policies at {path}", found=len(some))
    bob = t.user("bob")
    t.works("aws iam attach-user-policy --user-name bob --policy-arn arn:aws:iam::aws:policy/job-function/ViewOnlyAccess")
    t.works("aws iam list-users", key=bob)
    t.fails("AccessDenied", "aws iam create-user --user-name x", key=bob)
    t.fails("NoSuchEntity", "aws iam attach-user-policy --user-name bob --policy-arn arn:aws:iam::aws:policy/ViewOnlyAccess")


@row("M150")
def rights_end(t):
    """one person's rights end at once, and nobody else's"""
    t.serve()
    keys = {name: t.user(name) for name in ("alice", "bob")}
    t.works("aws iam create-group --group-name readers")
    t.works("aws iam attach-group-policy --group-name readers --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    for name in keys:
        t.works(f"aws iam add-user-to-group --group-name readers --user-name {name}")
        t.works("aws iam list-users", key=keys[name])

    def ended(how):
        t.fails("AccessDenied", "aws iam list-users", key=keys["alice"])
        t.works("aws iam list-users", key=keys["bob"])
        t.say(f"  ok: at once by {how}, and bob keeps his")

    t.works("aws iam remove-user-from-group --group-name readers --user-name alice")
    ended("leaving the group")
    t.works("aws iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    t.works("aws iam list-users", key=keys["alice"])
    t.works("aws iam detach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    ended("a detached policy")
    t.works("aws iam add-user-to-group --group-name readers --user-name alice")
    t.works("aws iam put-user-permissions-boundary --user-name alice --permissions-boundary arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    ended("a boundary")
    event = t.recorded("PutUserPermissionsBoundary", userName="alice")
    t.equal(event["userIdentity"]["userName"], "admin", "who did it")
