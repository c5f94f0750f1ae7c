"""Last accesses: reports from real use, as jobs, with their errors, their pages and their events."""

import datetime
import re
import time

import process
import pytest
from conftest import ACCOUNT, OTHER_ACCOUNT, World, allow, pages, refused, trust

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def ask(principal, arn, **more):
    """Asks for a report."""
    job = principal.iam.generate_service_last_accessed_details(Arn=arn, **more)["JobId"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", job)
    return job


def made(principal, job):
    """The report, once it is made."""

    def ready():
        found = principal.iam.get_service_last_accessed_details(JobId=job, MaxItems=1000)
        return found if found["JobStatus"] != "IN_PROGRESS" else time.sleep(0.1)

    return process.wait_for(ready, "a report")


def report(principal, arn, **more):
    """A new report, and its services by namespace."""
    found = made(principal, ask(principal, arn, **more))
    assert found["JobStatus"] == "COMPLETED", found
    return {held["ServiceNamespace"]: held for held in found["ServicesLastAccessed"]}


def used_actions(service):
    return [held["ActionName"] for held in service.get("TrackedActionsLastAccessed", []) if "LastAccessedTime" in held]


def test_services_and_actions(world):
    user = world.user(allow("iam:Get*", "sts:*", "s3:GetObject"))
    services = report(world.admin, user.arn)
    assert list(services) == ["iam", "s3", "sts"]
    assert all(set(held) == {"ServiceName", "ServiceNamespace", "TotalAuthenticatedEntities"} for held in services.values())
    begun = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    user.client("sts", "ap-southeast-2").get_caller_identity()
    user.iam.get_user()
    with refused("AccessDenied", 403):
        user.iam.list_users()
    services = report(world.admin, user.arn, Granularity="ACTION_LEVEL")
    sts, iam = services["sts"], services["iam"]
    assert sts["LastAuthenticatedRegion"] == "ap-southeast-2" and iam["LastAuthenticatedRegion"] == "us-east-1"
    assert iam["LastAuthenticatedEntity"] == user.arn and iam["TotalAuthenticatedEntities"] == 1
    assert begun <= iam["LastAuthenticated"] <= begun + datetime.timedelta(minutes=2)
    assert (used_actions(iam), used_actions(sts)) == (["GetUser"], ["GetCallerIdentity"])
    action = next(held for held in sts["TrackedActionsLastAccessed"] if held["ActionName"] == "GetCallerIdentity")
    assert action["LastAccessedEntity"] == user.arn and action["LastAccessedRegion"] == "ap-southeast-2"
    assert "TrackedActionsLastAccessed" not in services["s3"]
    # Every action that is granted is told of, and no other.
    names = [held["ActionName"] for held in iam["TrackedActionsLastAccessed"]]
    assert "GetPolicyVersion" in names and all(name.startswith("Get") for name in names)


def test_roles_groups_and_policies(world):
    policy = world.policy(allow("iam:List*", "sts:GetCallerIdentity"))
    group, one, two = world.name("group"), world.user(), world.user()
    world.iam.create_group(GroupName=group, Path="/team/")
    for user in (one, two):
        world.iam.add_user_to_group(GroupName=group, UserName=user.name)
    world.iam.attach_group_policy(GroupName=group, PolicyArn=policy)
    role = world.role(trust(ACCOUNT))
    world.iam.attach_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyArn=policy)
    session = world.admin.assume(role)
    one.iam.list_users()
    session.iam.list_roles()
    job = ask(world.admin, policy)
    found = made(world.admin, job)
    assert found["JobType"] == "SERVICE_LEVEL" and found["IsTruncated"] is False
    iam = next(held for held in found["ServicesLastAccessed"] if held["ServiceNamespace"] == "iam")
    assert (iam["TotalAuthenticatedEntities"], iam["LastAuthenticatedEntity"]) == (2, role)
    entities = world.iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="iam")
    assert entities["JobStatus"] == "COMPLETED"
    listed = entities["EntityDetailsList"]
    assert [held["EntityInfo"]["Arn"] for held in listed] == [role, one.arn, two.arn]
    assert [held["EntityInfo"]["Type"] for held in listed] == ["ROLE", "USER", "USER"]
    assert listed[0]["LastAuthenticated"] >= listed[1]["LastAuthenticated"] and "LastAuthenticated" not in listed[2]
    info = world.iam.get_user(UserName=one.name)["User"]
    assert listed[1]["EntityInfo"] == {
        "Arn": one.arn, "Name": one.name, "Type": "USER", "Id": info["UserId"], "Path": "/"}
    services = report(world.admin, world.arn(f"group/team/{group}"))
    assert (services["iam"]["TotalAuthenticatedEntities"], services["sts"]["TotalAuthenticatedEntities"]) == (1, 0)
    used = world.iam.get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]["RoleLastUsed"]
    assert used["LastUsedDate"] == listed[0]["LastAuthenticated"] and used["Region"] == "us-east-1"


def test_pages(world):
    user = world.user(allow("*"))
    job = ask(world.admin, user.arn)
    whole = [held["ServiceNamespace"] for held in made(world.admin, job)["ServicesLastAccessed"]]
    assert len(whole) > 300 and whole == sorted(whole)
    read = world.iam.get_service_last_accessed_details
    found, markers = pages(read, "ServicesLastAccessed", 150, JobId=job)
    assert [held["ServiceNamespace"] for held in found] == whole
    assert len(read(JobId=job)["ServicesLastAccessed"]) == 100
    other = ask(world.admin, user.arn)
    made(world.admin, other)
    with refused("ValidationError", 400, "Invalid Marker."):
        read(JobId=other, Marker=markers[0])


def test_errors(world, other):
    generate = world.iam.generate_service_last_accessed_details
    for arn, code, status, message in (
        (world.arn("user/ghost"), "NoSuchEntity", 404, "The user with name ghost cannot be found."),
        (world.arn("role/ghost"), "NoSuchEntity", 404, "The role with name ghost cannot be found."),
        (world.arn("group/ghost"), "NoSuchEntity", 404, "The group with name ghost cannot be found."),
        (world.arn("policy/ghost"), "NoSuchEntity", 404, re.compile("was not found")),
        (world.arn("instance-profile/ghost"), "InvalidInput", 400, re.compile("^Invalid Entity Arn: ")),
        (world.arn("root"), "InvalidInput", 400, None),
        ("a" * 30, "InvalidInput", 400, None),
        ("a", "ValidationError", 400, re.compile("minimum length of 20|greater than or equal to 20")),
    ):
        with refused(code, status, message):
            generate(Arn=arn)
    with refused("ValidationError", 400, re.compile("enum value set")):
        generate(Arn=world.admin.arn, Granularity="NONE")
    read = world.iam.get_service_last_accessed_details
    entities = world.iam.get_service_last_accessed_details_with_entities
    with refused("NoSuchEntity", 404):
        read(JobId=UNKNOWN)
    with refused("NoSuchEntity", 404):
        entities(JobId=UNKNOWN, ServiceNamespace="iam")
    job = ask(world.admin, world.admin.arn)
    with refused("InvalidInput", 400, "The service namespace nothing is unknown."):
        entities(JobId=job, ServiceNamespace="nothing")
    with refused("ValidationError", 400):
        entities(JobId=job, ServiceNamespace="a b")
    # Another user may not read it, and for another account it is not there.
    user = world.user(allow("iam:*"))
    with refused("NoSuchEntity", 404):
        user.iam.get_service_last_accessed_details(JobId=job)
    made(world.admin, job)
    assert user.iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="iam")["EntityDetailsList"]
    with refused("NoSuchEntity", 404):
        other.iam.get_service_last_accessed_details(JobId=job)
    with refused("NoSuchEntity", 404):
        other.iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="iam")
    with refused("AccessDenied", 403):
        other.iam.generate_service_last_accessed_details(Arn=world.admin.arn)


def test_a_job_that_finds_nothing_fails(world):
    name = world.name("user")
    arn = world.iam.create_user(UserName=name)["User"]["Arn"]
    jobs = [ask(world.admin, arn) for _ in range(3)]
    world.iam.delete_user(UserName=name)
    for job in jobs:
        found = made(world.admin, job)
        # Some may have been made before the user was gone.
        assert found["JobStatus"] in ("FAILED", "COMPLETED")
        if found["JobStatus"] == "FAILED":
            assert found["Error"]["Code"] == "NoSuchEntity" and found["JobCompletionDate"]


def test_refused_without_permission(world):
    user, target = world.user(), world.user()
    job = ask(world.admin, target.arn)
    with refused("AccessDenied", 403, re.compile(f"iam:GenerateServiceLastAccessedDetails on resource: .*{target.name} ")):
        user.iam.generate_service_last_accessed_details(Arn=target.arn)
    with refused("AccessDenied", 403):
        user.iam.get_service_last_accessed_details(JobId=job)
    with refused("AccessDenied", 403):
        user.iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="iam")
    narrow = world.user(allow("iam:GenerateServiceLastAccessedDetails", resource=target.arn))
    ask(narrow, target.arn)
    with refused("AccessDenied", 403):
        narrow.iam.generate_service_last_accessed_details(Arn=user.arn)


def test_events(world):
    answer = world.iam.generate_service_last_accessed_details(Arn=world.admin.arn, Granularity="ACTION_LEVEL")
    event = world.event_of(answer["ResponseMetadata"]["RequestId"])
    assert event["requestParameters"] == {"arn": world.admin.arn, "granularity": "ACTION_LEVEL"}
    assert event["readOnly"] is True
    answer = world.iam.get_service_last_accessed_details(JobId=answer["JobId"])
    event = world.event_of(answer["ResponseMetadata"]["RequestId"])
    assert event["requestParameters"]["jobId"] and event["readOnly"] is True


def test_the_last_use_of_a_key(world):
    user = world.user()
    last = world.iam.get_access_key_last_used(AccessKeyId=user.key.id)
    assert last["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    user.client("sts", "eu-west-1").get_caller_identity()
    last = world.iam.get_access_key_last_used(AccessKeyId=user.key.id)["AccessKeyLastUsed"]
    assert (last["ServiceName"], last["Region"]) == ("sts", "eu-west-1")


@pytest.mark.untraced
def test_restart(binary):
    """What was used and asked for is there after kill -9, and what was not made yet is made."""
    with process.Server(binary, account=ACCOUNT) as server:
        server.create_account(OTHER_ACCOUNT)
        world = World(server, server.key(), ACCOUNT)
        user = world.user(allow("iam:*"))
        user.iam.get_user()
        job = ask(world.admin, user.arn, Granularity="ACTION_LEVEL")
        before = made(world.admin, job)
        time.sleep(1.5)
        late = [ask(world.admin, user.arn, Granularity="ACTION_LEVEL") for _ in range(40)]
        server.kill()
        server.start()
        world = World(server, server.key(), ACCOUNT)
        after = made(world.admin, job)
        for answer in (before, after):
            del answer["ResponseMetadata"]
        assert after == before
        for job in late:
            found = made(world.admin, job)
            assert found["JobStatus"] == "COMPLETED"
            assert used_actions(found["ServicesLastAccessed"][0]) == ["GetUser"]
        # A graceful end loses nothing at all.
        user = world.user(allow("iam:*"), name="late")
        for _ in range(3):
            user.iam.list_users()
        before = report(world.admin, user.arn)["iam"]
        server.stop()
        server.start()
        world = World(server, server.key(), ACCOUNT)
        assert report(world.admin, user.arn)["iam"] == before
