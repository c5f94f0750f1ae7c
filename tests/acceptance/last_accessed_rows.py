"""Rows on last uses: of access keys, and of what policies grant."""

import datetime
import json
import time

import process
from rows import ACCOUNT, FIXTURE_KEY, row

GRANTED = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iam:*", "sts:*", "s3:*"], "Resource": "*"}]}


def instant(text):
    """A point in time as the AWS CLI prints it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@row("M5")
def key_last_used(t):
    """a key's last use, by service and region; N/A before the first (by services that are served: not S3)"""
    t.serve(fixture="F1")
    key, printed = t.fixture_key, f"aws iam get-access-key-last-used --access-key-id {FIXTURE_KEY}"
    t.nobody(printed)
    found = t.works(printed)
    t.equal(found["UserName"], "service-account", "the user")
    t.equal(found["AccessKeyLastUsed"], {"Region": "N/A", "ServiceName": "N/A"}, "before use")
    t.fails("SignatureDoesNotMatch", "aws sts get-caller-identity", key=process.Key(FIXTURE_KEY, "x" * 40))
    t.equal(t.works(printed)["AccessKeyLastUsed.ServiceName"], "N/A", "a forged call is no use")
    begun = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    t.works("aws sts get-caller-identity", key=key, region="eu-west-1")
    found = t.works(printed)["AccessKeyLastUsed"]
    t.equal((found["ServiceName"], found["Region"]), ("sts", "eu-west-1"), "its service and region")
    at = instant(found["LastUsedDate"])
    t.check(begun <= at <= begun + datetime.timedelta(minutes=2), "its time", found=at)
    # An attempt is a use, too.
    t.fails("AccessDenied", "aws iam delete-user --user-name service-account", key=key)
    last = t.works(printed)["AccessKeyLastUsed"]
    t.equal((last["ServiceName"], last["Region"]), ("iam", "us-east-1"), "the next")
    time.sleep(2)
    t.server.kill()
    t.server.start()
    t.url = t.server.url
    t.equal(t.works(printed)["AccessKeyLastUsed"], last, "after a restart")


@row("M93")
def last_accessed(t):
    """last accessed services and actions of users, groups, roles and policies, from real use (IAM part)"""
    t.serve()
    made = t.quietly("CreatePolicy", PolicyName="granted", PolicyDocument=json.dumps(GRANTED))
    policy = made.find("Arn")
    arn = {name: f"arn:aws:iam::{ACCOUNT}:{name}" for name in ("user/ann", "user/bob", "group/crew", "role/worker")}
    ann, bob = t.user("ann"), t.user("bob")
    t.quietly("CreateGroup", GroupName="crew")
    for name in ("ann", "bob"):
        t.quietly("AddUserToGroup", GroupName="crew", UserName=name)
    t.quietly("AttachGroupPolicy", GroupName="crew", PolicyArn=policy)
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}
    t.quietly("CreateRole", RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))
    t.quietly("AttachRolePolicy", RoleName="worker", PolicyArn=policy)

    def generate(about):
        return ("iam", "generate-service-last-accessed-details", "--arn", about, "--granularity", "ACTION_LEVEL")

    def report(about):
        job = t.works(*generate(about))["JobId"]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = t.works("iam", "get-service-last-accessed-details", "--job-id", job)
            if found["JobStatus"] != "IN_PROGRESS":
                break
            time.sleep(0.5)
        t.equal(found["JobStatus"], "COMPLETED", "the job")
        return job, {held["ServiceNamespace"]: held for held in found["ServicesLastAccessed"]}

    def actions(service):
        return [held["ActionName"] for held in service["TrackedActionsLastAccessed"] if "LastAccessedTime" in held]

    t.nobody(*generate(arn["user/ann"]))
    t.fails("NoSuchEntity", *generate(arn["user/ann"] + "e"))
    _, services = report(arn["user/ann"])
    t.equal(sorted(services), ["iam", "s3", "sts"], "what the policies grant")
    t.check(not any("LastAuthenticated" in held for held in services.values()), "nothing was used yet")
    role = ("iam", "get-role", "--role-name", "worker")
    t.check("LastUsedDate" not in t.works(*role)["Role"].get("RoleLastUsed", {}), "nor the role")

    begun = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    t.works("aws sts get-caller-identity", key=ann, region="eu-west-1")
    t.works("aws iam list-users", key=ann)
    t.fails("NoSuchEntity", "aws iam get-user --user-name nobody-at-all", key=ann)
    assumed = t.works("sts", "assume-role", "--role-arn", arn["role/worker"], "--role-session-name", "one", key=bob)
    t.works("aws iam list-roles", key=process.Key.of(assumed["Credentials"]))

    job, services = report(arn["user/ann"])
    sts, iam = services["sts"], services["iam"]
    t.equal((sts["LastAuthenticatedRegion"], sts["LastAuthenticatedEntity"]), ("eu-west-1", arn["user/ann"]), "sts")
    t.check(begun <= instant(sts["LastAuthenticated"]) <= begun + datetime.timedelta(minutes=5), "its time")
    t.equal(actions(iam), ["GetUser", "ListUsers"], "her actions")
    t.check("LastAuthenticated" not in services["s3"], "s3 was granted and never used")
    t.equal([held for held in iam["TrackedActionsLastAccessed"] if held["ActionName"] == "DeleteUser"],
            [{"ActionName": "DeleteUser"}], "granted and never used")
    bobs, nobodys = t.works(*generate(arn["user/bob"]), key=bob)["JobId"], t.user("somebody")
    t.fails("NoSuchEntity", "iam", "get-service-last-accessed-details", "--job-id", bobs)
    t.fails("AccessDenied", "iam", "get-service-last-accessed-details", "--job-id", job, key=nobodys)
    job, services = report(arn["group/crew"])
    t.equal(services["sts"]["TotalAuthenticatedEntities"], 2, "members that used sts")
    t.equal(services["iam"]["TotalAuthenticatedEntities"], 2, "members that used iam")
    _, services = report(arn["role/worker"])
    t.equal((actions(services["iam"]), "LastAuthenticated" in services["sts"]), (["ListRoles"], False), "the role's use")
    job, services = report(policy)
    t.equal(services["iam"]["TotalAuthenticatedEntities"], 3, "users and roles of the policy that used iam")
    entities = ("iam", "get-service-last-accessed-details-with-entities", "--job-id", job, "--service-namespace", "sts")
    found = t.works(*entities)["EntityDetailsList"]
    t.equal([held["EntityInfo"]["Name"] for held in found], ["bob", "ann", "worker"], "the latest first, never last")
    used = t.works(*role)["Role.RoleLastUsed"]
    t.equal(used["Region"], "us-east-1", "the role was used in")
    t.check(begun <= instant(used["LastUsedDate"]), "and when")
    event = t.events("--event-name", "GenerateServiceLastAccessedDetails")[0]
    t.equal((event["requestParameters"]["arn"], event["readOnly"]), (policy, True), "the event")

    before = [t.works("iam", "get-service-last-accessed-details", "--job-id", job)["ServicesLastAccessed"],
              t.works(*entities)["EntityDetailsList"], used]
    time.sleep(2)
    t.server.kill()
    t.server.start()
    t.url = t.server.url
    after = [t.works("iam", "get-service-last-accessed-details", "--job-id", job)["ServicesLastAccessed"],
             t.works(*entities)["EntityDetailsList"], t.works(*role)["Role.RoleLastUsed"]]
    t.check(after == before, "reports and uses survive a restart", found=after)
    _, again = report(arn["role/worker"])
    t.equal(actions(again["iam"]), ["ListRoles"], "new reports tell of uses before it")
