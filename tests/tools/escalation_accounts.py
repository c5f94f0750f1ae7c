#!/usr/bin/env python3
"""Accounts full of ways to administration and of things that only look like it, each with its truth.

Written from the catalogue of paths and the rules of evaluation alone. Every path is planted in several
guises (where the rights stand, how actions, resources and conditions are spelled), then barred in as many
ways (boundary, deny, scope, conditions, missing rights, weak victims), then hung on MFA and addresses.

    python3 tests/tools/escalation_accounts.py --bailiwick target/debug/bailiwick [--seed 1] [--rounds 2]
"""

import argparse
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ACCOUNT = "640193828217"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
WORDS = ("amber birch cobalt delta ember fjord grove heron indigo jasper kestrel lumen maple nectar onyx pearl "
         "quartz raven sable topaz umbra velvet willow xenon yarrow zephyr").split()

CERTAIN, CONDITIONAL, FOUND, NONE, UNCERTAIN, ADMIN = "certain", "conditional", "found", "none", "uncertain", "admin"
"""What must be said: for certain; under conditions; either; nothing; nothing or under conditions; is one already."""

MINE = "arn:aws:iam::%s" % ACCOUNT


def document(*statements, version="2012-10-17"):
    return {"Version": version, "Statement": list(statements)}


def statement(effect, action, on="*", condition=None, **more):
    made = {"Effect": effect, **more}
    if action is not None:
        made["Action"] = action
    if on is not None:
        made["Resource"] = on
    if condition:
        made["Condition"] = condition
    return made


def allow(action, on="*", condition=None, **more):
    return statement("Allow", action, on, condition, **more)


def deny(action, on="*", condition=None, **more):
    return statement("Deny", action, on, condition, **more)


def trust(condition=None, action="sts:AssumeRole", effect="Allow", **principal):
    made = {"Effect": effect, "Principal": principal, "Action": action}
    if condition:
        made["Condition"] = condition
    return made


class Holder:
    """A user, a role or a group, and what it holds."""

    def __init__(self, account, kind, name, path, tags):
        self.account, self.kind, self.name, self.path = account, kind, name, path
        self.tags = dict(tags or {})
        self.inline, self.attached, self.groups, self.boundary = [], [], [], None
        self.trusts, self.profiled = [], True
        self.arn = f"{MINE}:{kind}{path}{name}"
        self.id = account.id({"user": "AIDA", "role": "AROA", "group": "AGPA"}[kind])

    def grants(self, *statements):
        self.inline.append((self.account.name(), document(*statements)))
        return self

    def attaches(self, policy):
        self.attached.append(policy)
        return self

    def bounded(self, policy):
        self.boundary = policy
        return self


class Account:
    """An account in the making, in the form of `get-account-authorization-details`."""

    def __init__(self, rng):
        self.rng, self.made, self.policies, self.holders = rng, 0, {}, []
        self.truth, self.scps = {}, []

    def id(self, prefix):
        return prefix + "".join(self.rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(17))

    def name(self):
        self.made += 1
        first, second = self.rng.choice(WORDS), self.rng.choice(WORDS)
        return f"{first}-{second}-{self.made}"

    def path(self):
        return self.rng.choice(["/", "/", "/", f"/{self.rng.choice(WORDS)}/", f"/{self.rng.choice(WORDS)}/{self.rng.choice(WORDS)}/"])

    def _holder(self, kind, path, tags):
        made = Holder(self, kind, self.name(), self.path() if path is None else path, tags)
        self.holders.append(made)
        return made

    def user(self, path=None, tags=None):
        return self._holder("user", path, tags)

    def group(self, path=None):
        return self._holder("group", path, None)

    def role(self, *trusts, path=None, tags=None):
        made = self._holder("role", path, tags)
        made.trusts = list(trusts) or [trust(Federated=f"{MINE}:saml-provider/corp", action="sts:AssumeRoleWithSAML",
                                             condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}})]
        return made

    def policy(self, *statements, old=(), path=None):
        name, path = self.name(), self.path() if path is None else path
        arn = f"{MINE}:policy{path}{name}"
        self.policies[arn] = (name, path, [document(*statements), *old])
        return arn

    def expect(self, holder, truth, label):
        self.truth[holder.arn] = (truth, label)

    def export(self):
        attached = {}
        users, groups, roles = [], [], []

        def listed(holder):
            for arn in holder.attached:
                attached[arn] = attached.get(arn, 0) + 1
            return [{"PolicyName": arn.rsplit("/", 1)[1], "PolicyArn": arn} for arn in holder.attached]

        def documents(holder):
            return [{"PolicyName": name, "PolicyDocument": text} for name, text in holder.inline]

        for holder in self.holders:
            base = {"Path": holder.path, "Arn": holder.arn, "CreateDate": "2024-02-03T04:05:06+00:00",
                    "AttachedManagedPolicies": listed(holder)}
            if holder.boundary:
                base["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": holder.boundary}
            tags = [{"Key": key, "Value": value} for key, value in holder.tags.items()]
            if holder.kind == "user":
                users.append({**base, "UserName": holder.name, "UserId": holder.id, "UserPolicyList": documents(holder),
                              "GroupList": [group.name for group in holder.groups], "Tags": tags})
            elif holder.kind == "group":
                groups.append({**base, "GroupName": holder.name, "GroupId": holder.id, "GroupPolicyList": documents(holder)})
            else:
                trusted = document(*holder.trusts)
                roles.append({**base, "RoleName": holder.name, "RoleId": holder.id, "RolePolicyList": documents(holder),
                              "AssumeRolePolicyDocument": trusted, "Tags": tags, "RoleLastUsed": {},
                              "InstanceProfileList": self._profiles(holder, trusted)})
        policies = []
        for arn, (name, path, texts) in self.policies.items():
            versions = [{"Document": text, "VersionId": f"v{len(texts) - at}", "IsDefaultVersion": at == 0,
                         "CreateDate": "2024-02-03T04:05:06+00:00"} for at, text in enumerate(texts)]
            policies.append({"PolicyName": name, "PolicyId": self.id("ANPA"), "Arn": arn, "Path": path,
                             "DefaultVersionId": versions[0]["VersionId"], "AttachmentCount": attached.get(arn, 0),
                             "PermissionsBoundaryUsageCount": sum(h.boundary == arn for h in self.holders),
                             "IsAttachable": True, "CreateDate": "2024-02-03T04:05:06+00:00",
                             "UpdateDate": "2024-02-03T04:05:06+00:00", "PolicyVersionList": versions})
        return {"UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles, "Policies": policies}

    def _profiles(self, holder, trusted):
        if not holder.profiled or "ec2.amazonaws.com" not in json.dumps(trusted):
            return []
        role = {"Path": holder.path, "RoleName": holder.name, "RoleId": holder.id, "Arn": holder.arn,
                "CreateDate": "2024-02-03T04:05:06+00:00", "AssumeRolePolicyDocument": trusted}
        return [{"Path": "/", "InstanceProfileName": holder.name, "InstanceProfileId": self.id("AIPA"),
                 "Arn": f"{MINE}:instance-profile/{holder.name}", "CreateDate": "2024-02-03T04:05:06+00:00", "Roles": [role]}]


# Who is strong and who is not, in guises.

SERVICES_OF_A_PERSON = [f"{name}:*" for name in
                        "ec2 s3 lambda dynamodb rds kms sqs sns cloudformation logs iam sts organizations ecs glue "
                        "secretsmanager ssm cloudtrail events states".split()]


def strengthen(account, holder):
    """Makes a user, a role or a group an administrator, in one of many ways."""
    rng = account.rng
    ways = ["managed", "inline", "both-stars", "customer", "not-action", "two-managed", "small-deny", "services", "held-by-date", "iam"]
    if holder.kind == "user":
        ways += ["group", "boundary-wide"]
    way = rng.choice(ways)
    if way == "managed":
        holder.attaches(ADMINISTRATOR)
    elif way == "inline":
        holder.grants(allow("*"))
    elif way == "both-stars":
        holder.grants(allow(["*:*"], ["*"]))
    elif way == "customer":
        holder.attaches(account.policy(allow("s3:List*"), allow(["*"], ["*"])))
    elif way == "not-action":
        holder.grants(allow(None, NotAction=["aws-portal:*", "account:CloseAccount"]))
    elif way == "two-managed":
        holder.attaches("arn:aws:iam::aws:policy/IAMFullAccess").attaches("arn:aws:iam::aws:policy/PowerUserAccess")
    elif way == "small-deny":
        holder.attaches(ADMINISTRATOR).grants(deny(["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"]))
    elif way == "services":
        holder.grants(allow(SERVICES_OF_A_PERSON[:10]), allow(SERVICES_OF_A_PERSON[10:]))
    elif way == "held-by-date":
        holder.grants(allow("*", condition={"DateGreaterThan": {"aws:CurrentTime": "2021-01-01T00:00:00Z"}}))
    elif way == "iam":
        holder.attaches("arn:aws:iam::aws:policy/IAMFullAccess")
    elif way == "group":
        group = account.group()
        group.attaches(ADMINISTRATOR)
        holder.groups.append(group)
    elif way == "boundary-wide":
        holder.attaches(ADMINISTRATOR).bounded(account.policy(allow("*")))
    return holder


def weaken(account, holder):
    """Gives little, or what looks like much and is little."""
    rng = account.rng
    way = rng.choice(["little", "reader", "bounded", "denied", "never", "old-version", "power-bounded", "scoped"])
    if holder.kind == "group" and "bounded" in way:
        way = "denied"
    if way == "little":
        holder.grants(allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]))
    elif way == "reader":
        holder.attaches("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess")
    elif way == "bounded":
        holder.attaches(ADMINISTRATOR).bounded(account.policy(allow(["s3:Get*", "s3:List*"])))
    elif way == "power-bounded":
        holder.attaches(ADMINISTRATOR).bounded(READER)
    elif way == "denied":
        holder.attaches(ADMINISTRATOR).grants(deny(None, NotAction=["s3:ListAllMyBuckets", "iam:GetUser"]))
    elif way == "never":
        holder.grants(allow("*", condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}))
    elif way == "old-version":
        holder.attaches(account.policy(allow("sqs:ListQueues"), old=[document(allow("*"))]))
    elif way == "scoped":
        holder.grants(allow("*", ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]))
    return holder


# The paths. Rights are (action, resource); `*` stands for what the caller makes.

PASSING = {
    "027": ("tasks.apprunner", "apprunner:CreateService"),
    "028": ("ec2", "autoscaling:CreateAutoScalingGroup autoscaling:CreateLaunchConfiguration"),
    "029": ("ec2", "autoscaling:CreateLaunchConfiguration autoscaling:UpdateAutoScalingGroup"),
    "030": ("ecs-tasks", "batch:RegisterJobDefinition batch:SubmitJob"),
    "031": ("bedrock-agentcore", "bedrock-agentcore:ConnectBrowserAutomationStream bedrock-agentcore:CreateBrowser bedrock-agentcore:StartBrowserSession"),
    "032": ("bedrock-agentcore", "bedrock-agentcore:CreateAgentRuntime bedrock-agentcore:CreateAgentRuntimeEndpoint bedrock-agentcore:CreateHarness bedrock-agentcore:CreateWorkloadIdentity bedrock-agentcore:GetAgentRuntime bedrock-agentcore:InvokeAgentRuntimeCommand"),
    "033": ("bedrock-agentcore", "bedrock-agentcore:CreateAgentRuntime bedrock-agentcore:CreateAgentRuntimeEndpoint bedrock-agentcore:CreateWorkloadIdentity bedrock-agentcore:InvokeAgentRuntimeCommand"),
    "034": ("bedrock-agentcore", "bedrock-agentcore:CreateCodeInterpreter bedrock-agentcore:InvokeCodeInterpreter bedrock-agentcore:StartCodeInterpreterSession"),
    "035": ("braket", "braket:CreateJob"),
    "036": ("cloudformation", "cloudformation:CreateStack"),
    "037": ("cloudformation", "cloudformation:CreateStackInstances cloudformation:CreateStackSet"),
    "038": ("cloudformation", "cloudformation:UpdateStackSet"),
    "039": ("codebuild", "codebuild:CreateProject codebuild:StartBuild"),
    "040": ("codebuild", "codebuild:CreateProject codebuild:StartBuildBatch"),
    "041": ("codebuild", "codebuild:StartBuild codebuild:UpdateProject"),
    "042": ("codestar", "codestar:CreateProject"),
    "043": ("cognito-identity", "cognito-identity:SetIdentityPoolRoles"),
    "044": ("datapipeline", "datapipeline:ActivatePipeline datapipeline:CreatePipeline datapipeline:PutPipelineDefinition"),
    "045": ("datapipeline", "datapipeline:CreatePipeline"),
    "046": ("lambda", "dynamodb:CreateTable dynamodb:PutItem lambda:CreateEventSourceMapping lambda:CreateFunction"),
    "047": ("ec2", "ec2:AssociateIamInstanceProfile"),
    "048": ("ec2", "ec2:RequestSpotInstances"),
    "049": ("ec2", "ec2:RunInstances"),
    "050": ("ecs-tasks", "ecs:CreateCluster ecs:CreateService ecs:RegisterTaskDefinition"),
    "051": ("ecs-tasks", "ecs:CreateCluster ecs:RegisterTaskDefinition ecs:RunTask"),
    "052": ("ecs-tasks", "ecs:CreateService ecs:RegisterTaskDefinition"),
    "053": ("ecs-tasks", "ecs:DeregisterContainerInstance ecs:RegisterContainerInstance ecs:StartTask"),
    "054": ("ecs-tasks", "ecs:RegisterTaskDefinition ecs:RunTask"),
    "055": ("ecs-tasks", "ecs:RegisterTaskDefinition ecs:StartTask"),
    "056": ("ecs-tasks", "ecs:RunTask"),
    "057": ("ecs-tasks", "ecs:StartTask"),
    "058": ("elasticmapreduce", "elasticmapreduce:RunJobFlow"),
    "059": ("emr-serverless", "emr-serverless:CreateApplication emr-serverless:StartJobRun"),
    "060": ("gamelift", "gamelift:CreateBuild gamelift:CreateFleet gamelift:RequestUploadCredentials"),
    "061": ("glue", "glue:CreateDevEndpoint"),
    "062": ("glue", "glue:CreateJob glue:CreateTrigger"),
    "063": ("glue", "glue:CreateJob glue:StartJobRun"),
    "064": ("glue", "glue:CreateSession glue:RunStatement"),
    "065": ("glue", "glue:CreateTrigger glue:UpdateJob"),
    "066": ("glue", "glue:StartJobRun glue:UpdateJob"),
    "067": ("ec2", "imagebuilder:CreateComponent imagebuilder:CreateImage imagebuilder:CreateImageRecipe imagebuilder:CreateInfrastructureConfiguration"),
    "068": ("kinesisanalytics", "kinesisanalytics:CreateApplication kinesisanalytics:StartApplication"),
    "069": ("lambda", "lambda:AddPermission lambda:CreateFunction"),
    "070": ("lambda", "lambda:CreateEventSourceMapping lambda:CreateFunction"),
    "071": ("lambda", "lambda:CreateFunction"),
    "072": ("lambda", "lambda:CreateFunction lambda:InvokeFunction"),
    "073": ("omics", "omics:CreateWorkflow omics:StartRun s3:GetObject"),
    "074": ("sagemaker", "sagemaker:CreateNotebookInstance"),
    "075": ("sagemaker", "sagemaker:CreateNotebookInstance sagemaker:CreatePresignedNotebookInstanceUrl"),
    "076": ("sagemaker", "sagemaker:CreateProcessingJob"),
    "077": ("sagemaker", "sagemaker:CreateTrainingJob"),
    "078": ("scheduler", "scheduler:CreateSchedule"),
    "079": ("ssm", "ssm:CreateDocument ssm:StartAutomationExecution"),
    "080": ("states", "states:CreateStateMachine states:StartExecution"),
}

RUNNING = {
    "081": ("tasks.apprunner", "apprunner:UpdateService"),
    "082": ("ecs-tasks", "batch:SubmitJob"),
    "083": ("bedrock-agentcore", "bedrock-agentcore:ConnectBrowserAutomationStream bedrock-agentcore:StartBrowserSession"),
    "084": ("bedrock-agentcore", "bedrock-agentcore:InvokeAgentRuntimeCommand"),
    "085": ("bedrock-agentcore", "bedrock-agentcore:InvokeCodeInterpreter bedrock-agentcore:StartCodeInterpreterSession"),
    "086": ("cloudformation", "cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet"),
    "087": ("cloudformation", "cloudformation:UpdateStack"),
    "088": ("codebuild", "codebuild:StartBuild"),
    "089": ("codebuild", "codebuild:StartBuildBatch"),
    "090": ("ec2", "codedeploy:CreateDeployment codedeploy:GetDeploymentConfig codedeploy:RegisterApplicationRevision"),
    "091": ("ec2", "ec2-instance-connect:SendSSHPublicKey ec2:DescribeInstances"),
    "092": ("ec2", "ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate"),
    "093": ("ec2", "ec2:ModifyInstanceAttribute ec2:StartInstances ec2:StopInstances"),
    "094": ("ecs-tasks", "ecs:DescribeTasks ecs:ExecuteCommand"),
    "095": ("glue", "glue:UpdateDevEndpoint"),
    "096": ("lambda", "lambda:AddPermission lambda:UpdateFunctionCode"),
    "097": ("lambda", "lambda:InvokeFunction lambda:UpdateFunctionCode"),
    "098": ("lambda", "lambda:UpdateFunctionCode"),
    "099": ("lambda", "lambda:UpdateFunctionConfiguration"),
    "100": ("sagemaker", "sagemaker:CreateNotebookInstanceLifecycleConfig sagemaker:StartNotebookInstance sagemaker:StopNotebookInstance sagemaker:UpdateNotebookInstance"),
    "101": ("sagemaker", "sagemaker:CreatePresignedNotebookInstanceUrl"),
    "102": ("ec2", "ssm:SendCommand"),
    "103": ("ec2", "ssm:StartSession"),
    "104": ("states", "states:StartExecution states:UpdateStateMachine"),
}

CENTER = {
    "105": "sso:AttachManagedPolicyToPermissionSet",
    "106": "sso:AttachManagedPolicyToPermissionSet sso:CreateAccountAssignment sso:CreatePermissionSet",
    "107": "sso:PutInlinePolicyToPermissionSet",
}

OWN = [f"{number:03}" for number in range(1, 27)]
SETS = {path: {"iam:PassRole", *actions.split()} for path, (_, actions) in PASSING.items()}
SETS |= {path: set(actions.split()) for path, (_, actions) in RUNNING.items()}
SETS |= {path: set(actions.split()) for path, actions in CENTER.items()}
PATHS = [*OWN, *PASSING, *RUNNING, *CENTER]


class Plan:
    """What one path needs in one account: who acts, which rights, on whom."""

    def __init__(self, actor, rights, victim=None, service=None, killers=None):
        self.actor, self.rights, self.victim, self.service = actor, rights, victim, service
        # Rights without which nothing is left of it.
        self.killers = killers if killers is not None else list(range(len(rights)))
        if service is not None:
            actions = {action for action, _ in rights}
            self.killers = [at for at in self.killers if not remaining(actions - {rights[at][0]})[0]]


def remaining(actions):
    """The paths that these rights still make: on what is made, and on what runs already."""
    held = [path for path, needed in SETS.items() if needed <= actions]
    return [path for path in held if path in PASSING], [path for path in held if path not in PASSING]


def service_trust(service):
    if service == "cognito-identity":
        return trust(Federated="cognito-identity.amazonaws.com", action="sts:AssumeRoleWithWebIdentity")
    return trust(Service=f"{service}.amazonaws.com")


def actor_of(account, kinds=("user", "role")):
    return getattr(account, account.rng.choice(kinds))(tags={"team": account.rng.choice(WORDS)})


def plan(account, path, power=strengthen):
    """The path `path` with a victim that `power` makes strong or weak."""
    user, role, rng = account.user, account.role, account.rng
    tags = {"owner": rng.choice(WORDS)}
    if path in PASSING:
        service, actions = PASSING[path]
        victim = power(account, role(service_trust(service), tags=tags))
        rights = [("iam:PassRole", victim.arn)] + [(action, "*") for action in actions.split()]
        return Plan(actor_of(account), rights, victim, service)
    if path in RUNNING:
        service, actions = RUNNING[path]
        victim = power(account, role(service_trust(service), tags=tags))
        return Plan(actor_of(account), [(action, "*") for action in actions.split()], victim, service)
    if path in CENTER:
        return Plan(actor_of(account), [(action, "*") for action in CENTER[path].split()])

    def weak_role(actor):
        return role(trust(AWS=actor.arn), tags=tags)

    if path == "001":
        actor, group = actor_of(account, ["user"]), power(account, account.group())
        return Plan(actor, [("iam:AddUserToGroup", group.arn)], group)
    if path in ("002", "008"):
        actor, group = actor_of(account, ["user"]), account.group()
        actor.groups.append(group)
        return Plan(actor, [("iam:AttachGroupPolicy" if path == "002" else "iam:PutGroupPolicy", group.arn)], group)
    if path in ("003", "009"):
        actor = actor_of(account, ["role"])
        return Plan(actor, [("iam:AttachRolePolicy" if path == "003" else "iam:PutRolePolicy", actor.arn)], actor)
    if path in ("004", "010"):
        actor = actor_of(account, ["user"])
        return Plan(actor, [("iam:AttachUserPolicy" if path == "004" else "iam:PutUserPolicy", actor.arn)], actor)
    if path in ("005", "011"):
        actor = actor_of(account)
        old = [document(allow("*"))] if path == "011" else []
        policy = account.policy(allow("s3:ListAllMyBuckets"), old=old)
        if actor.kind == "user" and rng.random() < 0.5:
            group = account.group().attaches(policy)
            actor.groups.append(group)
        else:
            actor.attaches(policy)
        return Plan(actor, [("iam:CreatePolicyVersion" if path == "005" else "iam:SetDefaultPolicyVersion", policy)], None)
    if path == "006":
        actor = actor_of(account)
        victim = strengthen(account, weak_role(actor))
        victim.bounded(account.policy(allow("s3:*")))
        return Plan(actor, [("iam:DeleteRolePermissionsBoundary", victim.arn), ("sts:AssumeRole", victim.arn)], victim, killers=[0])
    if path == "007":
        actor = actor_of(account, ["user"]).attaches(ADMINISTRATOR)
        actor.bounded(account.policy(allow(["s3:*", "iam:DeleteUserPermissionsBoundary"])))
        return Plan(actor, [("iam:DeleteUserPermissionsBoundary", actor.arn)], actor, killers=[])
    if path in ("012", "013", "021", "022"):
        actor = actor_of(account)
        change = "iam:AttachRolePolicy" if path in ("012", "013") else "iam:PutRolePolicy"
        enter = "iam:UpdateAssumeRolePolicy" if path in ("012", "021") else "sts:AssumeRole"
        by_root = enter == "sts:AssumeRole"
        victim = role(trust(AWS=f"{MINE}:root") if by_root else trust(Service="ec2.amazonaws.com"), tags=tags)
        return Plan(actor, [(change, victim.arn), (enter, victim.arn)], victim)
    if path in ("014", "017"):
        actor, victim = actor_of(account), user(tags=tags)
        return Plan(actor, [("iam:AttachUserPolicy" if path == "014" else "iam:PutUserPolicy", victim.arn),
                            ("iam:CreateAccessKey", victim.arn)], victim)
    if path in ("015", "016", "018", "025"):
        actor, victim = actor_of(account), power(account, user(tags=tags))
        actions = {"015": ["iam:CreateAccessKey"], "016": ["iam:CreateAccessKey", "iam:DeleteAccessKey"],
                   "018": ["iam:CreateLoginProfile"], "025": ["iam:UpdateLoginProfile"]}[path]
        return Plan(actor, [(action, victim.arn) for action in actions], victim, killers=[0])
    if path in ("019", "020"):
        actor = actor_of(account)
        policy = account.policy(allow("s3:ListAllMyBuckets"))
        enter = "iam:UpdateAssumeRolePolicy" if path == "019" else "sts:AssumeRole"
        victim = role(trust(AWS=f"{MINE}:root") if path == "020" else trust(Service="ec2.amazonaws.com"), tags=tags)
        victim.attaches(policy)
        return Plan(actor, [("iam:CreatePolicyVersion", policy), (enter, victim.arn)], victim)
    if path in ("023", "024"):
        actor, victim = actor_of(account), power(account, role(trust(Service="ec2.amazonaws.com"), tags=tags))
        rights = [("iam:UpdateAssumeRolePolicy", victim.arn)]
        if path == "024":
            rights.append(("sts:AssumeRole", victim.arn))
        return Plan(actor, rights, victim, killers=[0])
    assert path == "026"
    actor = actor_of(account)
    victim = power(account, role(trust(AWS=f"{MINE}:root"), tags=tags))
    return Plan(actor, [("sts:AssumeRole", victim.arn)], victim)


def sound(path):
    """What the export can prove of a path: a thing that runs already is not in it."""
    if path in RUNNING or path in CENTER:
        return FOUND
    # Neither is a password, nor a job, a stack set, a cluster, an instance that is changed.
    return FOUND if path in ("018", "025", "029", "038", "041", "043", "047", "053", "055", "056", "057", "065", "066") else CERTAIN


# Spellings

def spelled(rng, action):
    """Another pattern that holds the action and not much else."""
    service, name = action.split(":")
    way = rng.choice(["plain", "plain", "lower", "upper", "tail", "middle", "marks"])
    if way == "lower":
        return action.lower()
    if way == "upper":
        return f"{service.upper()}:{name.swapcase()}"
    if way == "tail":
        return f"{service}:{name[:-2]}*"
    if way == "middle":
        return f"{service}:{name[0]}*{name[2:]}"
    if way == "marks":
        at = rng.randrange(1, len(name))
        return f"{service}:{name[:at - 1]}?{name[at:]}"
    return action


def pointed(rng, resource):
    """Another pattern that holds the resource and not much else."""
    if resource == "*":
        return rng.choice(["*", "*", ["arn:aws:s3:::none", "*"]])
    way = rng.choice(["plain", "plain", "account", "tail", "marks", "list", "partition"])
    if way == "account":
        return resource.replace(ACCOUNT, "*")
    if way == "tail":
        return resource[:-1] + "*"
    if way == "marks":
        return resource[:-3] + "?" + resource[-2:]
    if way == "list":
        return ["arn:aws:iam::999999999999:role/other", resource]
    if way == "partition":
        return resource.replace("arn:aws:", "arn:*:")
    return resource


def holding(account, made, action, resource):
    """A condition that the caller meets, or can meet at will."""
    rng, actor = account.rng, made.actor
    service = action.split(":")[0]
    tag = actor.tags["team"]
    ways = [
        {"StringEquals": {"aws:PrincipalTag/team": tag}},
        {"StringEquals": {"AWS:principaltag/TEAM": [tag, "other"]}},
        {"StringLike": {"aws:PrincipalArn": actor.arn}},
        {"ArnLike": {"aws:PrincipalArn": actor.arn[:-1] + "*"}},
        {"ArnEquals": {"aws:PrincipalArn": [f"{MINE}:user/nobody", actor.arn]}},
        {"DateLessThan": {"aws:CurrentTime": "2099-12-31T23:59:59Z"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}, "DateLessThan": {"aws:CurrentTime": "2090-01-01"}},
        {"NumericGreaterThan": {"aws:EpochTime": "1500000000"}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
        {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1", "::/0"]}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"Bool": {"aws:ViaAWSService": "false"}},
        {"Bool": {"aws:PrincipalIsAWSService": False}},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringEqualsIfExists": {"aws:ResourceAccount": ACCOUNT}},
        {"StringNotEquals": {"aws:PrincipalTag/suspended": "yes"}},
        {"Null": {"aws:PrincipalTag/team": "false"}},
        {"Null": {"aws:SourceVpce": "true"}},
        {"StringEquals": {"aws:PrincipalType": "User" if actor.kind == "user" else "AssumedRole"}},
        {"StringLike": {"aws:userid": actor.id + "*"}},
        {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}},
        {"StringLike": {"aws:UserAgent": "*deploy*"}},
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["cost", "team"]}},
        {"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-0dead"}},
    ]
    if service not in ("iam", "sts"):
        ways.append({"StringEquals": {"aws:RequestedRegion": rng.choice(["eu-central-1", "ap-southeast-2"])}})
    if actor.kind == "user":
        ways += [{"StringEquals": {"aws:username": actor.name}}, {"Null": {"aws:TokenIssueTime": "true"}},
                 {"StringLike": {"aws:username": actor.name[:4] + "*"}}]
    if action == "iam:PassRole":
        passed = f"{made.service}.amazonaws.com"
        ways = ways[:4] + [{"StringEquals": {"iam:PassedToService": passed}},
                           {"StringEquals": {"iam:PassedToService": ["backup.amazonaws.com", passed]}},
                           {"StringLike": {"iam:PassedToService": f"{passed.split('.')[0]}*"}},
                           {"StringEqualsIfExists": {"iam:PassedToService": passed}},
                           {"StringNotEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
                           {"StringLike": {"IAM:passedtoservice": "*.amazonaws.com"}}]
    if action in ("iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"):
        ways += [{"ArnEquals": {"iam:PolicyARN": ADMINISTRATOR}}, {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/*"}},
                 {"ArnLike": {"iam:PolicyARN": [READER, "arn:aws:iam::aws:policy/Admin*"]}},
                 {"StringEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/IAMFullAccess"}},
                 {"ArnEquals": {"iam:PolicyArn": account.policy(allow("*"))}},
                 {"ArnNotEquals": {"iam:PolicyARN": READER}}]
    victim = made.victim
    if victim is not None and victim.tags and resource == victim.arn and victim.kind in ("user", "role"):
        key, value = next(iter(victim.tags.items()))
        ways += [{"StringEquals": {f"{prefix}:ResourceTag/{key}": value}} for prefix in ("aws", "aws", "iam")]
    return rng.choice(ways)


def place(account, actor, statements, spread=True):
    """Puts statements where an actor's rights can stand."""
    rng = account.rng
    homes = ["inline", "managed", "two-managed"]
    if actor.kind == "user":
        homes += ["group-inline", "group-managed", "two-groups"]
    if spread and len(statements) > 1:
        homes.append("spread")
    home = rng.choice(homes)
    middle = max(1, len(statements) // 2)
    halves = [part for part in (statements[:middle], statements[middle:]) if part]
    if home == "inline":
        actor.grants(*statements)
    elif home == "managed":
        actor.attaches(account.policy(*statements, old=[document(allow("sqs:ListQueues"))]))
    elif home == "two-managed":
        for half in halves:
            actor.attaches(account.policy(*half))
    elif home == "group-inline":
        actor.groups.append(account.group().grants(*statements))
    elif home == "group-managed":
        actor.groups.append(account.group().attaches(account.policy(*statements)))
    elif home == "two-groups":
        for half in halves:
            actor.groups.append(account.group().grants(*half))
    else:
        for at, one in enumerate(statements):
            place(account, actor, [one], spread=False) if at else actor.grants(one)


def rights_of(account, made, rights, dress=True):
    """Statements that give the rights."""
    rng, statements = account.rng, []
    if not dress:
        return [allow(action, resource) for action, resource in rights]
    if rng.random() < 0.3:
        # As people write them: those on `*` in one statement.
        wide = [action for action, resource in rights if resource == "*"]
        statements += [allow([spelled(rng, action) for action in wide], "*")] if wide else []
        rights = [right for right in rights if right[1] != "*"]
    for action, resource in rights:
        condition = holding(account, made, action, resource) if rng.random() < 0.45 else None
        way = rng.random()
        if way < 0.06 and resource != "*":
            statements.append(allow(None, resource, condition, NotAction=["s3:*", "ec2:Describe*"]))
        elif way < 0.12:
            made_one = allow(spelled(rng, action), None, condition, NotResource=[f"{MINE}:role/never", f"{MINE}:user/never"])
            statements.append(made_one)
        elif way < 0.2:
            service = action.split(":")[0]
            statements.append(allow(f"{service}:*", pointed(rng, resource), condition))
        else:
            statements.append(allow(spelled(rng, action), pointed(rng, resource), condition))
    rng.shuffle(statements)
    return statements


def planted(account, path):
    made = plan(account, path)
    place(account, made.actor, rights_of(account, made, made.rights))
    account.expect(made.actor, sound(path), f"path ESC-{path}")


# Decoys

def barred(account, path):
    """The path with one thing that stops it."""
    rng = account.rng
    made = plan(account, path)
    if not made.killers:
        return
    at = rng.choice(made.killers)
    action, resource = made.rights[at]
    service, name = action.split(":")
    statements = [allow(a, r) for a, r in made.rights]
    actor, label = made.actor, None

    def bar(how):
        nonlocal label
        if how == "boundary-small":
            actor.bounded(account.policy(allow(["s3:*", "sqs:*"])))
        elif how == "boundary-not":
            actor.bounded(account.policy(allow(None, NotAction=[action])))
        elif how == "boundary-deny":
            actor.bounded(account.policy(allow("*"), deny(action)))
        elif how == "boundary-reader":
            actor.bounded(READER)
        elif how == "boundary-scope":
            actor.bounded(account.policy(allow("*", ["arn:aws:s3:::*", f"{MINE}:user/${{aws:username}}/none"])))
        elif how == "deny":
            actor.grants(deny(action))
        elif how == "deny-wild":
            actor.attaches(account.policy(deny(f"{service}:{name[:5]}*".swapcase())))
        elif how == "deny-group":
            group = account.group().grants(deny([action, "s3:DeleteBucket"]))
            actor.groups.append(group)
        elif how == "deny-not-action":
            actor.grants(deny(None, NotAction=[a for a, _ in made.rights if a != action] + ["iam:Get*"]))
        elif how == "deny-scope":
            actor.grants(deny(f"{service}:*", resource))
        elif how == "deny-not-resource":
            actor.grants(deny(action, None, NotResource=["arn:aws:s3:::reports/*", f"{MINE}:role/approved"]))
        elif how == "deny-condition":
            actor.grants(deny(action, condition=rng.choice([
                {"StringNotEquals": {"aws:PrincipalTag/grade": "senior"}},
                {"ArnNotLike": {"aws:PrincipalArn": f"{MINE}:role/break-glass"}},
                {"Null": {"aws:PrincipalTag/approved": "true"}},
                {"DateGreaterThan": {"aws:CurrentTime": "2021-05-01T00:00:00Z"}},
                {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
                {"StringEquals": {"aws:PrincipalTag/team": actor.tags["team"]}},
                {"StringNotLike": {"aws:userid": "AROAOTHER*"}},
                {"StringNotEqualsIfExists": {"aws:PrincipalTag/grade": "senior"}},
            ])))
        elif how == "never":
            never = rng.choice([
                {"DateLessThan": {"aws:CurrentTime": "2019-06-30T00:00:00Z"}},
                {"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}},
                {"StringEquals": {"aws:PrincipalTag/team": "no-such-team"}},
                {"StringEquals": {"aws:PrincipalTag/grade": "senior"}},
                {"StringLike": {"aws:PrincipalArn": f"{MINE}:user/somebody-else"}},
                {"ArnEquals": {"aws:PrincipalArn": f"{MINE}:role/somebody-else"}},
                {"StringEquals": {"aws:PrincipalAccount": "999999999999"}},
                {"StringEquals": {"aws:PrincipalType": "Account"}},
                {"Null": {"aws:PrincipalArn": "true"}},
                {"Bool": {"aws:PrincipalIsAWSService": "true"}},
                {"StringLike": {"aws:userid": "AIDAOTHEROTHEROTHERO"}},
                {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}, "DateGreaterThan": {"aws:CurrentTime": "2031-01-01"}},
                {"NumericLessThan": {"aws:EpochTime": "1400000000"}},
                {"StringEquals": {"aws:username": "Somebody"}},
                {"IpAddress": {"aws:SourceIp": []}},
                {"StringEquals": {"aws:PrincipalTag/team": actor.tags["team"].upper()}},
            ] + ([{"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}] if service == "iam" and action != "iam:PassRole" else [])
              + ([{"StringEquals": {"iam:PassedToService": "backup.amazonaws.com"}},
                  {"StringLike": {"iam:PassedToService": "backup*"}},
                  {"StringNotEquals": {"iam:PassedToService": f"{made.service}.amazonaws.com"}}] if action == "iam:PassRole" else [])
              + ([{"ArnEquals": {"iam:PolicyARN": READER}}, {"StringEquals": {"iam:PolicyARN": ADMINISTRATOR.lower()}},
                  {"ArnLike": {"iam:PolicyARN": f"{MINE}:policy/absent*"}}] if action.startswith("iam:Attach") else []))
            statements[at]["Condition"] = never
            label = f"never {json.dumps(never)}"
        elif how == "missing":
            del statements[at]
        elif how == "elsewhere":
            if resource == "*":
                statements[at]["Resource"] = [f"arn:aws:s3:::{account.name()}"]
            else:
                swapped = copy.copy(resource)
                statements[at]["Resource"] = rng.choice([
                    swapped.replace(ACCOUNT, "999999999999"), swapped + "x", swapped.rsplit("/", 1)[0] + "/nested/" + swapped.rsplit("/", 1)[1],
                    swapped.swapcase().replace("ARN:AWS:IAM", "arn:aws:iam"), swapped.replace(":role/", ":user/") if ":role/" in swapped else swapped.replace(":user/", ":role/").replace(":group/", ":role/").replace(":policy/", ":role/"),
                    f"{MINE}:instance-profile/*"])
        elif how == "not-resource":
            if resource == "*":
                statements[at].update(Resource=None)
                statements[at]["NotResource"] = "*"
            else:
                statements[at]["NotResource"] = [resource.rsplit("/", 1)[0] + "/*"] + ["arn:aws:s3:::x"]
                statements[at]["Resource"] = None
            if statements[at].get("Resource") is None:
                statements[at].pop("Resource", None)
            # Others in the account must stay out of it.
            statements[at]["NotResource"] = [*([statements[at]["NotResource"]] if isinstance(statements[at]["NotResource"], str) else statements[at]["NotResource"]), f"{MINE}:*"]

    hows = ["boundary-small", "boundary-not", "boundary-deny", "boundary-reader", "boundary-scope", "deny", "deny-wild",
            "deny-not-action", "deny-scope", "deny-not-resource", "deny-condition", "never", "never", "missing", "elsewhere", "not-resource"]
    if actor.kind == "user":
        hows.append("deny-group")
    if path == "001":
        hows = [how for how in hows if how != "deny-scope"]
    how = rng.choice(hows)
    if how == "boundary-reader" and service not in ("iam", "sts"):
        how = "boundary-small"
    bar(how)
    if how in ("deny-not-resource",) and resource == "*":
        actor.grants(deny(action))
    place(account, actor, [one for one in statements])
    left = {a for a, _ in made.rights} - {action}
    running = remaining(left)[1]
    account.expect(actor, UNCERTAIN if running else NONE, f"decoy ESC-{path} {how} {action} {label or ''}")


def pointless(account, path):
    """All rights of the path, on somebody weak."""
    made = plan(account, path, power=weaken)
    place(account, made.actor, [allow(action, resource) for action, resource in made.rights])
    running = made.service and remaining({a for a, _ in made.rights})[1]
    account.expect(made.actor, UNCERTAIN if running else NONE, f"weak victim ESC-{path}")


POINTLESS = ["001", "015", "016", "018", "025", "023", "024", "026", *PASSING, ]


def distrusted(account, path):
    """PassRole of an administrator's role that does not let the service in."""
    rng = account.rng
    made = plan(account, path)
    service = f"{made.service}.amazonaws.com"
    other = rng.choice(["backup.amazonaws.com", "config.amazonaws.com", "dms.amazonaws.com"])
    kind = rng.choice(["other", "denied", "account", "source", "cn", "user"])
    made.victim.trusts = {
        "other": [trust(Service=other)],
        "denied": [trust(Service=service), trust(Service=service, effect="Deny")],
        "account": [trust(AWS="arn:aws:iam::999999999999:root")],
        "source": [trust(Service=service, condition={"StringEquals": {"aws:SourceAccount": "999999999999"}})],
        "cn": [trust(Service=f"{service}.cn")],
        "user": [trust(AWS=f"{MINE}:user/{made.service}")],
    }[kind]
    place(account, made.actor, [allow(action, resource) for action, resource in made.rights])
    running = remaining({a for a, _ in made.rights})[1]
    account.expect(made.actor, UNCERTAIN if running else NONE, f"distrusted ESC-{path} {kind}")


def hung(account, path):
    """The path under a condition that the caller does not choose."""
    rng = account.rng
    made = plan(account, path)
    if not made.killers:
        return
    at = rng.choice(made.killers)
    action, _ = made.rights[at]
    statements = [allow(a, r) for a, r in made.rights]
    actor, expected = made.actor, CONDITIONAL
    mfa = ["allow", "age", "deny-if-exists", "deny-not-action", "boundary", "allow-both", "group-deny", "deny-null"]
    how = rng.choice(mfa + ["address", "endpoint", "vpc", "deny-address"])
    if how == "allow":
        statements[at]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": rng.choice(["true", True])}}
    elif how == "allow-both":
        statements[at]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true", "aws:SecureTransport": "true"}}
    elif how == "age":
        statements[at]["Condition"] = {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}
    elif how == "deny-if-exists":
        actor.grants(deny([action], condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}))
    elif how == "deny-null":
        actor.grants(deny("*", condition={"Null": {"aws:MultiFactorAuthAge": "true"}}))
    elif how == "deny-not-action":
        actor.attaches(account.policy(deny(None, condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
                                           NotAction=["iam:ListMFADevices", "iam:EnableMFADevice", "sts:GetSessionToken"])))
    elif how == "group-deny" and actor.kind == "user":
        actor.groups.append(account.group().grants(deny("*", condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})))
    elif how in ("boundary", "group-deny"):
        actor.bounded(account.policy(allow("*", condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})))
    elif how == "address":
        statements[at]["Condition"] = {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}
    elif how == "endpoint":
        statements[at]["Condition"] = {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}
    elif how == "vpc":
        statements[at]["Condition"] = {"StringEquals": {"aws:SourceVpc": "vpc-0123456789abcdef0"}}
    elif how == "deny-address":
        actor.grants(deny("*", condition={"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}, "Bool": {"aws:ViaAWSService": "false"}}))
    if actor.kind == "role" and how in mfa:
        # A role's session carries no MFA of its caller (KEY-12): it must only not be certain.
        expected = UNCERTAIN
    place(account, actor, statements)
    account.expect(actor, expected, f"hung ESC-{path} {how} {action}")


# Stories: chains, policies of AWS, new identities, limits taken away.

AWS = "arn:aws:iam::aws:policy"


def chain(account, length):
    """A way of several roles to an administrator; answers the first, a user."""
    rng = account.rng
    target = strengthen(account, account.role(trust(AWS=f"{MINE}:root")))
    for step in range(length):
        last = step == length - 1
        maker = account.user if last else account.role
        holder = maker() if last else account.role(trust(AWS=f"{MINE}:root"))
        how = rng.choice(["assume", "named", "rewrite", "key", "pass"])
        if how == "key" and target.kind != "user":
            how = "assume"
        if how == "assume":
            target.trusts = [trust(AWS=rng.choice([f"{MINE}:root", ACCOUNT]))]
            holder.grants(allow("sts:AssumeRole", target.arn))
        elif how == "named":
            target.trusts = [trust(AWS=[holder.arn])]
        elif how == "rewrite":
            target.trusts = [trust(Service="backup.amazonaws.com")]
            holder.grants(allow("iam:UpdateAssumeRolePolicy", target.arn))
        elif how == "pass":
            path = rng.choice(["036", "039", "049", "063", "072", "077", "080"])
            service, actions = PASSING[path]
            target.trusts = [trust(Service=f"{service}.amazonaws.com")]
            holder.grants(allow("iam:PassRole", target.arn), allow(actions.split()))
        target = holder
    account.expect(target, CERTAIN, f"chain of {length}")


def stories(account):
    rng, user, role, group, policy, expect = account.rng, account.user, account.role, account.group, account.policy, account.expect
    for length in (2, 3, 4, 5, 2, 3):
        chain(account, length)

    def told(who, truth, label):
        expect(who, truth, f"story: {label}")
        return who

    def boss(service=None, **more):
        return role(trust(Service=f"{service}.amazonaws.com") if service else trust(AWS=f"{MINE}:root"), **more).attaches(ADMINISTRATOR)

    # Policies of AWS.
    for name in ("IAMFullAccess",):
        told(user().attaches(f"{AWS}/{name}"), CERTAIN, name)
    for names, passed in (
            (["PowerUserAccess"], "lambda"), (["AWSLambda_FullAccess"], None), (["AmazonEC2FullAccess"], "ec2"),
            (["AWSCloudFormationFullAccess"], "cloudformation"), (["AWSGlueConsoleFullAccess"], "glue"),
            (["AmazonSageMakerFullAccess"], "sagemaker"), (["AWSCodeBuildAdminAccess"], "codebuild"),
            (["AmazonECS_FullAccess"], "ecs-tasks"), (["AWSStepFunctionsFullAccess"], "states")):
        who = user()
        victim = boss(passed or "lambda")
        for name in names:
            who.attaches(f"{AWS}/{name}")
        if passed:
            who.grants(allow("iam:PassRole", victim.arn))
        told(who, CERTAIN, "+".join(names))
    told(user().attaches(f"{AWS}/PowerUserAccess"), FOUND, "PowerUserAccess: what runs already")
    told(role().attaches(f"{AWS}/job-function/SystemAdministrator"), UNCERTAIN, "SystemAdministrator")
    told(user().attaches(f"{AWS}/SecurityAudit"), NONE, "SecurityAudit")
    told(user().attaches(READER), NONE, "ReadOnlyAccess")

    # Groups first, then what the group may do.
    strong = group().grants(allow("iam:PutUserPolicy", f"{MINE}:user/${{aws:username}}"))
    told(user(path="/deep/").grants(allow("iam:AddUserToGroup", strong.arn)), NONE, "a group for users at the root path only")
    told(user(path="/").grants(allow("iam:AddUserToGroup", strong.arn)), CERTAIN, "a group that lets one write one's own policy")
    strong = group().grants(allow("iam:PutUserPolicy"))
    told(user().grants(allow("iam:AddUserToGroup", strong.arn)), CERTAIN, "group, then policy")
    strong = group()
    told(user().grants(allow(["iam:AddUserToGroup", "iam:AttachGroupPolicy"], strong.arn)), CERTAIN, "an empty group: joined, then attached")
    strong = group()
    told(user().grants(allow(["iam:AddUserToGroup", "iam:PutGroupPolicy"], strong.arn)), CERTAIN, "an empty group: joined, then written")
    weak = group()
    told(user().grants(allow("iam:AttachGroupPolicy", weak.arn)), NONE, "a group it is not in")
    weak = group()
    told(role().grants(allow(["iam:AddUserToGroup", "iam:AttachGroupPolicy"], weak.arn)), NONE, "a role joins no group")
    # A role puts a user into the group, and takes the user.
    strong, other = group().attaches(ADMINISTRATOR), user()
    told(role().grants(allow("iam:AddUserToGroup", strong.arn), allow("iam:CreateAccessKey", other.arn)), CERTAIN, "another user joined, then taken")
    # Own name in the resource.
    who = user(path="/")
    told(who.grants(allow("iam:PutUserPolicy", f"{MINE}:user/${{aws:username}}")), CERTAIN, "own name as variable")
    who = user(path="/deep/down/")
    told(who.grants(allow("iam:PutUserPolicy", f"{MINE}:user/${{aws:username}}")), NONE, "own name as variable, but for the path")
    victim = user(path="/").attaches(ADMINISTRATOR)
    told(user(tags={"buddy": victim.name}).grants(allow("iam:CreateAccessKey", f"{MINE}:user/${{aws:PrincipalTag/buddy}}")), CERTAIN, "a tag as variable")
    told(user(tags={"buddy": "nobody"}).grants(allow("iam:CreateAccessKey", f"{MINE}:user/${{aws:PrincipalTag/buddy}}")), NONE, "a tag as variable, of nobody")
    victim = user(path="/").attaches(ADMINISTRATOR)
    who = user(tags={"buddy": victim.name})
    who.inline.append(("old", document(allow("iam:CreateAccessKey", f"{MINE}:user/${{aws:PrincipalTag/buddy}}"), version="2008-10-17")))
    told(who, NONE, "a variable in an old version")

    # Tags that the caller can set to satisfy a condition.
    who = user()
    who.grants(allow("iam:TagUser", who.arn), allow("iam:PutUserPolicy", who.arn, {"StringEquals": {"aws:PrincipalTag/grade": "senior"}}))
    told(who, CERTAIN, "tags itself, then has the tag asked of it")
    who = role()
    who.grants(allow("iam:TagRole", who.arn), allow("iam:PutRolePolicy", who.arn, {"StringEquals": {"aws:PrincipalTag/grade": "senior"}}))
    told(who, CERTAIN, "a role tags itself")
    who, victim = user(), user().attaches(ADMINISTRATOR)
    who.grants(allow("iam:TagUser", victim.arn), allow("iam:CreateAccessKey", victim.arn, {"StringEquals": {"aws:ResourceTag/open": "yes"}}))
    told(who, CERTAIN, "tags the victim")
    who, victim = user(), boss()
    who.grants(allow("iam:TagRole", victim.arn), allow("sts:AssumeRole", victim.arn, {"StringEquals": {"iam:ResourceTag/open": "yes"}}))
    told(who, CERTAIN, "tags the role that it assumes")
    who = user()
    who.grants(allow("iam:TagUser", f"{MINE}:user/someone-else"), allow("iam:PutUserPolicy", who.arn, {"StringEquals": {"aws:PrincipalTag/grade": "senior"}}))
    told(who, NONE, "tags somebody else")
    who = user(tags={"grade": "junior"})
    who.grants(allow("iam:PutUserPolicy", who.arn), allow("iam:UntagUser", who.arn), deny("iam:PutUserPolicy", condition={"StringEquals": {"aws:PrincipalTag/grade": "junior"}}))
    told(who, CERTAIN, "takes its tag off, with which it is refused")
    # A session's tags.
    who = user()
    middle = role(trust(AWS=who.arn, action=["sts:AssumeRole", "sts:TagSession"]))
    middle.grants(allow("iam:PutRolePolicy", middle.arn, {"StringEquals": {"aws:PrincipalTag/grade": "senior"}}))
    told(who, FOUND, "session tags of its own choice")
    who = user()
    middle = role(trust(AWS=who.arn))
    middle.grants(allow("iam:PutRolePolicy", middle.arn, {"StringEquals": {"aws:PrincipalTag/grade": "senior"}}))
    told(who, NONE, "no session tags admitted")

    # What denies, taken away.
    who = user()
    who.attaches(ADMINISTRATOR).grants(deny(None, NotAction=["iam:DeleteUserPolicy", "s3:*"]))
    told(who, CERTAIN, "deletes the inline policy that denies")
    who = user()
    barrier = policy(deny(None, NotAction=["iam:DetachUserPolicy"]))
    who.attaches(ADMINISTRATOR).attaches(barrier)
    told(who, CERTAIN, "detaches the policy that denies")
    who = role()
    who.attaches(ADMINISTRATOR).grants(deny(None, NotAction=["iam:DeleteRolePolicy"]))
    told(who, CERTAIN, "a role deletes the inline policy that denies")
    who, fence = user(), group()
    fence.grants(deny(None, NotAction=["iam:RemoveUserFromGroup"]))
    who.attaches(ADMINISTRATOR).groups.append(fence)
    told(who, CERTAIN, "leaves the group that denies")
    who, fence = user(), group()
    fence.grants(deny(None, NotAction=["iam:DeleteGroupPolicy"]))
    who.attaches(ADMINISTRATOR).groups.append(fence)
    told(who, CERTAIN, "deletes the group's policy that denies")
    who = user()
    barrier = policy(deny("iam:PutUserPolicy"))
    who.attaches(barrier).grants(allow(["iam:PutUserPolicy", "iam:DetachUserPolicy"], who.arn))
    told(who, CERTAIN, "detaches what denies the policy that it puts")
    who = user()
    barrier = policy(deny(["iam:PutUserPolicy", "iam:AttachUserPolicy"]))
    who.attaches(barrier).grants(allow(["iam:PutUserPolicy"], who.arn), allow("iam:DetachUserPolicy", f"{MINE}:user/other"))
    told(who, NONE, "detaches from another")
    who = user()
    barrier = policy(deny("iam:PutUserPolicy"))
    who.attaches(barrier).grants(allow("iam:PutUserPolicy", who.arn), allow("iam:CreatePolicyVersion", barrier))
    told(who, CERTAIN, "rewrites what denies")

    # Boundaries replaced.
    who = user()
    wide = policy(allow("*"))
    narrow = policy(allow(["s3:*", "iam:PutUserPermissionsBoundary"]))
    who.attaches(ADMINISTRATOR).bounded(narrow)
    told(who, CERTAIN, "puts another boundary on itself")
    who = role()
    who.attaches(ADMINISTRATOR).bounded(policy(allow(["s3:*", "iam:PutRolePermissionsBoundary"])))
    told(who, CERTAIN, "a role puts another boundary on itself")
    who = user()
    who.attaches(ADMINISTRATOR).bounded(policy(allow("s3:*"), allow("iam:PutUserPermissionsBoundary", condition={"StringEquals": {"iam:PermissionsBoundary": READER}})))
    told(who, NONE, "puts only a small boundary")
    who = user()
    barrier = policy(allow(["s3:*", "iam:CreatePolicyVersion"]))
    who.attaches(ADMINISTRATOR).bounded(barrier)
    told(who, CERTAIN, "rewrites its boundary")
    who = user()
    who.attaches(ADMINISTRATOR).bounded(policy(allow("s3:*")))
    told(who, NONE, "a boundary that nobody lifts")

    # Identities that the caller makes.
    told(user().grants(allow(["iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"], f"{MINE}:user/made-{account.name()}/*")), CERTAIN, "a new user, attached, with a key")
    told(user().grants(allow(["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateLoginProfile"], f"{MINE}:user/made-{account.name()}-*")), CERTAIN, "a new user, with a password")
    told(user().grants(allow(["iam:CreateUser", "iam:CreateAccessKey"], f"{MINE}:user/made-{account.name()}/*"), allow("iam:AddUserToGroup", group().attaches(ADMINISTRATOR).arn)), CERTAIN, "a new user in the group of administrators")
    told(user().grants(allow(["iam:CreateUser", "iam:AttachUserPolicy"], f"{MINE}:user/made-{account.name()}/*")), NONE, "a new user, that it cannot become")
    told(user().grants(allow(["iam:CreateUser", "iam:CreateAccessKey"], f"{MINE}:user/made-{account.name()}/*")), NONE, "a new user without rights")
    told(user().grants(allow(["iam:CreateRole", "iam:AttachRolePolicy", "sts:AssumeRole"], f"{MINE}:role/made-{account.name()}/*")), CERTAIN, "a new role, attached, assumed")
    told(user().grants(allow(["iam:CreateRole", "iam:PutRolePolicy"], f"{MINE}:role/made-{account.name()}/*")), CERTAIN, "a new role that trusts its maker by name")
    told(user().grants(allow(["iam:CreateRole", "sts:AssumeRole"], f"{MINE}:role/made-{account.name()}/*")), NONE, "a new role without rights")
    fence = policy(allow("s3:*"))
    made = f"{MINE}:role/made-{account.name()}/*"
    told(user().grants(allow(["iam:CreateRole", "iam:AttachRolePolicy", "sts:AssumeRole"], made, {"StringEquals": {"iam:PermissionsBoundary": fence}})), NONE, "a new role, within a boundary")
    made = f"{MINE}:role/made-{account.name()}/*"
    told(user().grants(allow("iam:CreateRole", made, {"StringEquals": {"iam:PermissionsBoundary": fence}}), allow(["iam:AttachRolePolicy", "sts:AssumeRole"], made)), NONE, "a new role, made within a boundary")
    made = f"{MINE}:role/made-{account.name()}/*"
    told(user().grants(allow("iam:CreateRole", made, {"StringEquals": {"iam:PermissionsBoundary": fence}}), allow(["iam:AttachRolePolicy", "sts:AssumeRole", "iam:DeleteRolePermissionsBoundary"], made)), CERTAIN, "a new role, whose boundary it takes off")
    made = f"{MINE}:role/made-{account.name()}/*"
    told(user().grants(allow(["iam:CreateRole", "iam:AttachRolePolicy", "iam:PassRole"], made), allow(["lambda:CreateFunction", "lambda:InvokeFunction"])), CERTAIN, "a new role, passed")

    # Instance profiles.
    victim = boss("ec2")
    victim.profiled = False
    told(user().grants(allow("iam:PassRole", victim.arn), allow(["ec2:RunInstances", "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"])), CERTAIN, "a profile made for the role")
    told(user().grants(allow("iam:PassRole", boss("ec2").arn), allow(["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile"], f"{MINE}:instance-profile/*")), UNCERTAIN, "the profile of an instance that runs already")

    # Trust policies.
    def trusted(label, truth, by, mine=True, who=None, **more):
        who = who or user()
        role(by(who)).attaches(ADMINISTRATOR)
        told(who, truth, f"trust: {label}")
        return who

    trusted("by name", CERTAIN, lambda who: trust(AWS=who.arn))
    trusted("by id", CERTAIN, lambda who: trust(AWS=who.id))
    trusted("another", NONE, lambda who: trust(AWS=user().arn + "x"))
    trusted("name in a condition, account as principal", NONE, lambda who: trust(AWS=f"{MINE}:root", condition={"ArnEquals": {"aws:PrincipalArn": who.arn}}))
    trusted("everybody with this name", CERTAIN, lambda who: trust(AWS="*", condition={"ArnEquals": {"aws:PrincipalArn": who.arn}}))
    trusted("everybody of this name's pattern", CERTAIN, lambda who: trust(AWS="*", condition={"StringLike": {"aws:PrincipalArn": who.arn[:-2] + "*"}}))
    trusted("MFA", CONDITIONAL, lambda who: trust(AWS=who.arn, condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    trusted("MFA by deny", CONDITIONAL, lambda who: trust(AWS=who.arn, condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "900"}}))
    trusted("external id", FOUND, lambda who: trust(AWS=who.arn, condition={"StringEquals": {"sts:ExternalId": "f00d-4242"}}))
    trusted("session name free", CERTAIN, lambda who: trust(AWS=who.arn, condition={"StringLike": {"sts:RoleSessionName": "ops-*"}}))
    trusted("session name its own", CERTAIN, lambda who: trust(AWS=who.arn, condition={"StringLike": {"sts:RoleSessionName": "${aws:username}"}}))
    trusted("its tag", CERTAIN, lambda who: trust(AWS=who.arn, condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}), who=user(tags={"team": "blue"}))
    trusted("not its tag", NONE, lambda who: trust(AWS=who.arn, condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}), who=user(tags={"team": "blue"}))
    trusted("address", CONDITIONAL, lambda who: trust(AWS=who.arn, condition={"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}))
    trusted("until 2020", NONE, lambda who: trust(AWS=who.arn, condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}))
    trusted("only tagging", NONE, lambda who: trust(AWS=who.arn, action="sts:TagSession"))
    trusted("sts:*", CERTAIN, lambda who: trust(AWS=who.arn, action="sts:*"))
    trusted("sts:Assume*", CERTAIN, lambda who: trust(AWS=who.arn, action=["sts:assume*"]))
    trusted("source identity", FOUND, lambda who: trust(AWS=who.arn, action=["sts:AssumeRole", "sts:SetSourceIdentity"], condition={"StringLike": {"sts:SourceIdentity": "*"}}))
    trusted("a session of a role", UNCERTAIN, lambda who: trust(AWS=f"arn:aws:sts::{ACCOUNT}:assumed-role/{who.name}/work"), who=role())
    trusted("session of a role by role", CERTAIN, lambda who: trust(AWS=who.arn), who=role(path="/apps/"))
    trusted("own boundary without AssumeRole", NONE, lambda who: trust(AWS=who.arn), who=user().bounded(policy(allow("s3:*"))))
    trusted("own deny", NONE, lambda who: trust(AWS=who.arn), who=user().grants(deny("sts:*")))
    trusted("own deny of other roles", CERTAIN, lambda who: trust(AWS=who.arn), who=user().grants(deny("sts:AssumeRole", f"{MINE}:role/prod-*")))
    who = user()
    role(trust(AWS=who.arn), trust(AWS=who.arn, effect="Deny", condition={"Bool": {"aws:SecureTransport": "true"}})).attaches(ADMINISTRATOR)
    told(who, NONE, "trust with a deny")
    who = user()
    role(trust(AWS=f"{MINE}:root"), trust(AWS="*", effect="Deny", condition={"ArnNotEquals": {"aws:PrincipalArn": f"{MINE}:user/break-glass"}})).attaches(ADMINISTRATOR)
    told(who.grants(allow("sts:AssumeRole")), FOUND, "all roles but one")

    # Administrators in name only, and in fact.
    capped = boss().bounded(policy(allow("*"), deny(None, NotAction=["s3:*", "logs:*"])))
    told(user().grants(allow("sts:AssumeRole", capped.arn)), NONE, "an administrator within a boundary")
    capped = boss().grants(deny(["iam:*", "sts:*"]), deny("organizations:*"))
    told(user().grants(allow("sts:AssumeRole", capped.arn)), UNCERTAIN, "an administrator without IAM")
    nearly = boss().grants(deny(["s3:DeleteBucket", "kms:ScheduleKeyDeletion"]))
    told(user().grants(allow("sts:AssumeRole", nearly.arn)), CERTAIN, "an administrator but for little")
    nearly = role(trust(AWS=f"{MINE}:root")).grants(allow(None, NotAction="budgets:*"))
    told(user().grants(allow("sts:AssumeRole", nearly.arn)), CERTAIN, "everything but budgets")
    named = role(trust(AWS=f"{MINE}:root"))
    named.name, named.arn = f"Admin-{account.name()}", None
    named.arn = f"{MINE}:role{named.path}{named.name}"
    told(user().grants(allow("sts:AssumeRole", named.arn)), NONE, "an administrator by name")
    told(user().grants(allow("*")), ADMIN, "administrator by inline policy")
    told(user().grants(allow("iam:*")), CERTAIN, "all of IAM")
    told(user().grants(allow(["iam:P*"])), CERTAIN, "iam:P*")
    told(user().grants(allow(["iam:Create*"])), FOUND, "iam:Create*")
    told(user().grants(allow(["iam:*AccessKey"])), CERTAIN, "iam:*AccessKey")
    told(user().grants(allow(["iam:Get*", "iam:List*"])), NONE, "iam:Get*")
    told(user().grants(allow(None, NotAction=["iam:*", "sts:*", "organizations:*", "account:*"])), FOUND, "power without IAM")

    # Conditions on what is passed and attached.
    victim = boss("lambda")
    told(user().grants(allow("iam:PassRole", victim.arn, {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}, "ArnLike": {"iam:AssociatedResourceArn": "arn:aws:lambda:*:*:function:*"}}), allow("lambda:*")), FOUND, "associated resource")
    who = user()
    told(who.grants(allow("iam:AttachUserPolicy", who.arn, {"ArnEquals": {"iam:PolicyARN": READER}})), NONE, "attaches what reads only")
    who = user()
    told(who.grants(allow("iam:AttachUserPolicy", who.arn, {"ArnLike": {"iam:PolicyARN": f"{MINE}:policy/approved/*"}}), allow("iam:CreatePolicy", f"{MINE}:policy/approved/*")), CERTAIN, "makes the policy that it may attach")
    who = user()
    told(who.grants(allow("iam:AttachUserPolicy", who.arn, {"ArnLike": {"iam:PolicyARN": f"{MINE}:policy/approved-{account.name()}/*"}})), NONE, "no policy there to attach")
    who = user()
    small = policy(allow("s3:ListAllMyBuckets"), path="/approved/")
    told(who.grants(allow("iam:AttachUserPolicy", who.arn, {"ArnEquals": {"iam:PolicyARN": small}}), allow("iam:CreatePolicyVersion", small)), CERTAIN, "attaches a small policy and rewrites it")
    who = user().attaches(f"{AWS}/AmazonS3ReadOnlyAccess")
    told(who.grants(allow("iam:CreatePolicyVersion", f"{AWS}/*")), NONE, "a version of AWS's policy")
    who = user()
    told(who.grants(allow("iam:CreatePolicyVersion", policy(allow("s3:ListAllMyBuckets")))), NONE, "a version of a policy of nobody")
    who = user()
    held = policy(allow("s3:ListAllMyBuckets"))
    role().attaches(held)
    told(who.grants(allow("iam:CreatePolicyVersion", held)), NONE, "a version of another's policy")
    who = user()
    held = policy(allow("s3:ListAllMyBuckets"), old=[document(allow("s3:*"))])
    told(who.attaches(held).grants(allow("iam:SetDefaultPolicyVersion", held)), NONE, "older versions as small")
    # Instances named by their parts.
    told(user().grants(allow("iam:PassRole", boss("ec2").arn), allow("ec2:RunInstances", ["arn:aws:ec2:*:*:instance/*"])), NONE, "RunInstances of the instance alone")
    told(user().grants(allow("iam:PassRole", boss("ec2").arn), allow("ec2:RunInstances", [f"arn:aws:ec2:*:*:{part}/*" for part in ("instance", "subnet", "network-interface", "security-group", "volume", "key-pair")] + ["arn:aws:ec2:*::image/ami-*"])), CERTAIN, "RunInstances, part by part")
    told(user().grants(allow("iam:PassRole", boss("ec2").arn), allow("ec2:RunInstances", None, NotResource=["arn:aws:ec2:*:*:instance/*"]), allow("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*", {"StringEquals": {"ec2:InstanceType": ["t3.micro", "t3.small"]}})), CERTAIN, "a small instance type")
    told(user().grants(allow("iam:PassRole", boss("lambda").arn), allow("lambda:CreateFunction", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:team-*"), allow("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:team-*")), CERTAIN, "functions of a name")
    told(user().grants(allow("iam:PassRole", boss("lambda").arn), allow("lambda:*"), deny("*", condition={"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}})), CERTAIN, "two regions")
    told(user().grants(allow("iam:PassRole", boss("lambda").arn), allow("lambda:*"), deny(None, NotAction=["iam:*", "sts:*"], condition={"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}})), CERTAIN, "one region but for global services")
    told(user().grants(allow("iam:PassRole", boss("lambda").arn), allow("lambda:CreateFunction", condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}, "StringEquals": {"aws:RequestTag/team": "blue"}})), FOUND, "with the tags that it must set")
    told(user().grants(allow("iam:PassRole", f"{MINE}:role/*", {"StringEquals": {"aws:ResourceTag/passable": "yes"}}), allow("lambda:*")), UNCERTAIN, "passes what is tagged, and nothing is")
    victim = boss("lambda", tags={"pass-on": "ok"})
    told(user().grants(allow("iam:PassRole", f"{MINE}:role/*", {"StringEquals": {"aws:ResourceTag/pass-on": "ok"}}), allow("lambda:*")), CERTAIN, "passes what is tagged")


def guarded(account, levels):
    """Under an organization: what its policies stop, and what they spare."""
    rng, user, policy = account.rng, account.user, account.policy
    account.scps = levels

    def told(who, truth, label):
        account.expect(who, truth, f"scp: {label}")

    who = user()
    told(who.grants(allow("iam:PutUserPolicy", who.arn)), NONE, "denied")
    who = user(path="/break-glass/")
    told(who.grants(allow("iam:PutUserPolicy", who.arn)), CERTAIN, "spared by its name")
    who = user(tags={"platform": "yes"})
    told(who.grants(allow("iam:CreateAccessKey", user().attaches(ADMINISTRATOR).arn)), CERTAIN, "spared by its tag")
    who = user()
    told(who.grants(allow("iam:CreateAccessKey", user().attaches(ADMINISTRATOR).arn)), NONE, "not spared by a tag")
    who = user()
    told(who.grants(allow("iam:PassRole", account.role(trust(Service="glue.amazonaws.com")).attaches(ADMINISTRATOR).arn), allow("glue:*")), NONE, "a service that no level allows")
    who = user()
    told(who.grants(allow("iam:PassRole", account.role(trust(Service="lambda.amazonaws.com")).attaches(ADMINISTRATOR).arn), allow("lambda:*")), CERTAIN, "a service in its region")
    who = user()
    told(who.grants(allow("iam:PassRole", account.role(trust(Service="codebuild.amazonaws.com")).attaches(ADMINISTRATOR).arn), allow("codebuild:*", "arn:aws:codebuild:us-west-2:*:*")), NONE, "a service out of its region")
    who = user()
    victim = account.role(trust(AWS=f"{MINE}:root"), path="/org/").attaches(ADMINISTRATOR)
    told(who.grants(allow("iam:UpdateAssumeRolePolicy", victim.arn)), NONE, "roles of the organization")
    who = user()
    victim = account.role(trust(AWS=f"{MINE}:root")).attaches(ADMINISTRATOR)
    told(who.grants(allow("sts:AssumeRole", victim.arn)), CONDITIONAL, "MFA asked by the organization")


GUARD = [
    ("root", document(allow("*"))),
    ("unit", document(allow(None, NotAction=["glue:*"]))),
    ("unit", document(deny("iam:PutUserPolicy", condition={"ArnNotLike": {"aws:PrincipalArn": [f"{MINE}:user/break-glass/*"]}}),
                      deny("iam:CreateAccessKey", condition={"StringNotEquals": {"aws:PrincipalTag/platform": "yes"}}),
                      deny("iam:UpdateAssumeRolePolicy", f"arn:aws:iam::*:role/org/*"))),
    ("account", document(allow("*"), deny(None, condition={"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}, NotAction=["iam:*", "sts:*"]),
                         deny("sts:AssumeRole", condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}))),
]


# The run

def findings(binary, folder, name, account, more=()):
    path = pathlib.Path(folder) / f"{name}.json"
    path.write_text(json.dumps(account.export()))
    line = [binary, "escalate", str(path), "--format", "json"]
    for number, (level, text) in enumerate(account.scps):
        scp = pathlib.Path(folder) / f"{name}-{number}.scp.json"
        scp.write_text(json.dumps(text))
        line += (["--scp"] if number == 0 else []) + [f"{level}={scp}"]
    done = subprocess.run([*line, *more], capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def judged(account, report):
    """Of each principal with a truth: what is said, and whether it is right."""
    said = {finding["principal"]: finding for finding in report["findings"]}
    administrators = set(report["administrators"])
    out = []
    for arn, (truth, label) in account.truth.items():
        finding = said.get(arn)
        answer = ADMIN if arn in administrators else NONE
        if finding is not None:
            answer = CERTAIN if finding["certain"] else CONDITIONAL
        right = {CERTAIN: answer == CERTAIN, CONDITIONAL: answer == CONDITIONAL, FOUND: answer in (CERTAIN, CONDITIONAL),
                 NONE: answer == NONE, UNCERTAIN: answer in (NONE, CONDITIONAL), ADMIN: answer == ADMIN}[truth]
        out.append((arn, truth, answer, right, label, finding))
    return out


def kinds():
    """Everything that can be planted: a label and what plants it."""
    for path in PATHS:
        yield path, planted
        yield path, barred
        if path in POINTLESS:
            yield path, pointless
        if path in PASSING and path != "043":
            yield path, distrusted
        if path not in RUNNING and path not in CENTER:
            yield path, hung


FAMILIES = {"ssm": "ec2", "datapipeline": "ec2", "elasticmapreduce": "ec2", "batch": "ecs-tasks"}
"""Services that some paths take for one another."""


def apart():
    """Everything that can be planted, in accounts where no path finds the role of another's service."""
    accounts = []
    for path, plants in kinds():
        service, _ = PASSING.get(path) or RUNNING.get(path) or (path, "")
        family = FAMILIES.get(service, service)
        free = (account for account in accounts if account.setdefault(family, path) == path)
        account = next(free, None)
        if account is None:
            account = {family: path}
            accounts.append(account)
        account.setdefault("all", []).append((path, plants))
    return [account["all"] for account in accounts]


def survey(binary, folder, seed=1, rounds=1, alone=False, only_stories=False):
    """Plants and looks: what was said of everybody, in the form of `judged` with the account's name."""
    rng = random.Random(seed)
    out = []
    for number in range(rounds):
        todo = [] if only_stories else [[one] for one in kinds()] if alone else apart()
        for at, some in enumerate([*todo, "stories", "guarded"]):
            account = Account(random.Random(rng.random()))
            if some == "stories":
                stories(account)
            elif some == "guarded":
                guarded(account, GUARD)
            else:
                for path, plants in some:
                    plants(account, path)
            if account.truth:
                name = f"{seed}-{number}-{at}"
                report = findings(binary, folder, name, account)
                out += [(name, *one) for one in judged(account, report)]
    return out


def summary(answers):
    """The counts, and what is wrong, a line each."""
    truths = [truth for _, _, truth, *_ in answers]
    said = [(truth, answer) for _, _, truth, answer, *_ in answers]

    def count(truths, answers):
        return sum(truth in truths and answer in answers for truth, answer in said)

    there = (CERTAIN, CONDITIONAL)
    lines = [
        f"paths planted {sum(truth in (CERTAIN, FOUND) for truth in truths)}, found {count((CERTAIN, FOUND), there)}; "
        f"provable {truths.count(CERTAIN)}, certain {count((CERTAIN,), (CERTAIN,))}",
        f"decoys planted {truths.count(NONE) + truths.count(UNCERTAIN)}, certain {count((NONE, UNCERTAIN), (CERTAIN,))}, "
        f"of those without any way reported {count((NONE,), there)}",
        f"under conditions planted {truths.count(CONDITIONAL)}, conditional {count((CONDITIONAL,), (CONDITIONAL,))}, "
        f"certain {count((CONDITIONAL,), (CERTAIN,))}",
    ]
    wrong = []
    for name, arn, truth, answer, right, label, finding in answers:
        if not right:
            ways = [" ".join(step["paths"][0] for step in way["steps"]) + (f" if {way['on']}" if way["on"] else "")
                    for way in (finding or {"ways": []})["ways"]][:3]
            wrong.append(f"{truth} but {answer}: {label} [{name} {arn.split(':')[5]}] {ways}")
    return lines, sorted(wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bailiwick", default="target/debug/bailiwick")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--stories", action="store_true", help="only the stories")
    parser.add_argument("--alone", action="store_true", help="an account for each")
    parser.add_argument("--keep", help="a folder for the accounts")
    args = parser.parse_args()
    folder = args.keep or tempfile.mkdtemp()
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    lines, wrong = summary(survey(args.bailiwick, folder, args.seed, args.rounds, args.alone, args.stories))
    print("\n".join([*wrong, *lines]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
