#!/usr/bin/env python3
"""Writes a whole audit folder around the export of a planted account, to measure an audit with.

Credential report, password policy, last uses of services, keys and devices of each user, an organization with
the account's SCPs, buckets and a trail: as `bailiwick audit collect --script` would leave them.

    cargo run --release -p bailiwick-analyzer --example planted -- 1 10000 planted/
    python3 tests/tools/audit_folder.py planted/ folder/
"""

import argparse
import json
import pathlib
import random

NOW = "2026-05-31T00:00:00+00:00"
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
SERVICES = ["ec2", "s3", "iam", "lambda", "dynamodb", "sqs", "sns", "kms", "logs", "monitoring", "cloudformation", "rds"]
REGIONS = ["eu-west-1", "us-east-1"]


def report(users, account, dice):
    """A credential report: half of the users with a password, half with a key, some of them old."""
    root = f"<root_account>,arn:aws:iam::{account}:root,2020-01-01T00:00:00+00:00"
    yield HEADER
    yield f"{root},not_supported,no_information,not_supported,not_supported,true" + ",false,N/A,N/A,N/A,N/A" * 2 + ",false,N/A" * 2
    for user in users:
        day = f"2026-{dice.randint(1, 5):02}-{dice.randint(1, 28):02}T10:00:00+00:00"
        password, key = dice.random() < 0.5, dice.random() < 0.5
        signed_in = f"true,{day},{day},N/A,{str(dice.random() < 0.8).lower()}" if password else "false,N/A,N/A,N/A,false"
        used = f"true,{day},{day},eu-west-1,s3" if key else "false,N/A,N/A,N/A,N/A"
        yield f"{user['UserName']},{user['Arn']},{user['CreateDate']},{signed_in},{used},false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"


def main():
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("planted", type=pathlib.Path, help="the folder of a planted account")
    parser.add_argument("folder", type=pathlib.Path, help="the folder to write")
    options = parser.parse_args()
    dice = random.Random(7)
    text = (options.planted / "export.json").read_text()
    export = json.loads(text)
    users, roles = export["UserDetailList"], export["RoleDetailList"]
    account = users[0]["Arn"].split(":")[4]

    def write(path, content):
        file = options.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))

    write("collected.json", {"account": account, "collected": NOW, "arn": f"arn:aws:iam::{account}:user/auditor"})
    write("authorization-details.json", text)
    write("credential-report.csv", "\n".join(report(users, account, dice)) + "\n")
    write("account-summary.json", {"SummaryMap": {
        "Users": len(users), "Roles": len(roles), "Groups": len(export["GroupDetailList"]),
        "Policies": len(export["Policies"]), "AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0,
        "AccountSigningCertificatesPresent": 0, "UsersQuota": 5000, "RolesQuota": 10000, "GroupsQuota": 300, "PoliciesQuota": 1500}})
    write("password-policy.json", {"PasswordPolicy": {
        "MinimumPasswordLength": 12, "RequireSymbols": True, "RequireNumbers": True, "RequireUppercaseCharacters": True,
        "RequireLowercaseCharacters": True, "AllowUsersToChangePassword": True, "ExpirePasswords": False}})
    write("virtual-mfa-devices.json", {"VirtualMFADevices": []})
    write("server-certificates.json", {"ServerCertificateMetadataList": []})
    write("saml-providers.json", {"SAMLProviderList": []})
    write("oidc-providers.json", {"OpenIDConnectProviderList": []})
    write("roles.json", {"Roles": [
        {"Path": role["Path"], "RoleName": role["RoleName"], "RoleId": role["RoleId"], "Arn": role["Arn"],
         "CreateDate": role["CreateDate"], "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
         "Description": "planted", "MaxSessionDuration": 3600} for role in roles]})
    for user in users:
        name = user["UserName"]
        write(f"access-keys/{name}.json", {"AccessKeyMetadata": []})
        write(f"mfa-devices/{name}.json", {"MFADevices": []})
    for number, principal in enumerate(users + roles):
        uses = [
            {"ServiceName": name, "ServiceNamespace": name, "TotalAuthenticatedEntities": 1,
             "LastAuthenticated": "2026-05-20T00:00:00Z", "LastAuthenticatedEntity": principal["Arn"]}
            if dice.random() < 0.3 else {"ServiceName": name, "ServiceNamespace": name, "TotalAuthenticatedEntities": 0}
            for name in SERVICES]
        write(f"last-accessed/{number}.json", {
            "Arn": principal["Arn"], "JobStatus": "COMPLETED", "JobCreationDate": NOW, "JobCompletionDate": NOW, "ServicesLastAccessed": uses})

    organization = "o-planted0001"
    arn = f"arn:aws:organizations::999999999999"
    write("organization/organization.json", {"Organization": {
        "Id": organization, "Arn": f"{arn}:organization/{organization}", "FeatureSet": "ALL", "MasterAccountId": "999999999999",
        "MasterAccountArn": f"{arn}:account/{organization}/999999999999", "MasterAccountEmail": "root@example.com"}})
    write("organization/roots.json", {"Roots": [{
        "Id": "r-abcd", "Arn": f"{arn}:root/{organization}/r-abcd", "Name": "Root",
        "PolicyTypes": [{"Type": kind, "Status": "ENABLED"} for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")]}]})
    member = {"Id": account, "Arn": f"{arn}:account/{organization}/{account}", "Name": "planted", "Status": "ACTIVE", "Email": "a@example.com"}
    write("organization/accounts.json", {"Accounts": [member]})
    write("organization/units/r-abcd.json", {"OrganizationalUnits": []})
    write("organization/accounts/r-abcd.json", {"Accounts": [member]})
    write("organization/delegated-administrators.json", {"DelegatedAdministrators": []})
    write("organization/root-features.json", {"OrganizationId": organization, "EnabledFeatures": []})
    summaries = []
    for number, file in enumerate(sorted(options.planted.glob("scp-*.json"))):
        name, target = f"p-{number:08}", "r-abcd" if file.name.startswith("scp-0") else account
        summary = {"Id": name, "Arn": f"{arn}:policy/{organization}/service_control_policy/{name}", "Name": name,
                   "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False}
        summaries.append(summary)
        write(f"organization/policy/{name}.json", {"Policy": {"PolicySummary": summary, "Content": file.read_text()}})
        write(f"organization/targets/{name}.json", {"Targets": [{
            "TargetId": target, "Arn": f"{arn}:x/{organization}/{target}", "Name": target, "Type": "ROOT" if target == "r-abcd" else "ACCOUNT"}]})
    write("organization/policies/SERVICE_CONTROL_POLICY.json", {"Policies": summaries})
    for kind in ("RESOURCE_CONTROL_POLICY", "TAG_POLICY", "AISERVICES_OPT_OUT_POLICY"):
        write(f"organization/policies/{kind}.json", {"Policies": []})

    buckets = [f"planted-{number}" for number in range(200)]
    write("s3/buckets.json", {"Buckets": [{"Name": name, "CreationDate": NOW} for name in buckets]})
    write("s3/account-public-access-block.json", {"PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}})
    for name in buckets:
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": dice.choice(roles)["Arn"]}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}]}
        write(f"s3/{name}/policy.json", {"Policy": json.dumps(policy)})
    write("regions.json", {"Regions": [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in REGIONS]})
    for region in REGIONS:
        here = f"regions/{region}"
        write(f"{here}/analyzers.json", {"analyzers": []})
        write(f"{here}/recorders.json", {"ConfigurationRecorders": []})
        write(f"{here}/recorder-status.json", {"ConfigurationRecordersStatus": []})
        write(f"{here}/trails.json", {"trailList": []})
        write(f"{here}/log-groups.json", {"logGroups": []})
        write(f"{here}/metric-filters.json", {"metricFilters": []})
        write(f"{here}/alarms.json", {"MetricAlarms": [], "CompositeAlarms": []})
        write(f"{here}/subscriptions.json", {"Subscriptions": []})
        write(f"{here}/instances.json", {"Reservations": []})
        write(f"{here}/anywhere-profiles.json", {"profiles": []})
        write(f"{here}/anywhere-anchors.json", {"trustAnchors": []})
        write(f"{here}/detectors.json", {"DetectorIds": []})
    write("identity-center/instances.json", {"Instances": []})


main()
