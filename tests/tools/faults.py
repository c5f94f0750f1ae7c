"""An account full of faults, and what an auditor must say about each.

Made on a development server, whose clock is turned back for what must be old.
"""

import datetime
import json

import boto3
import totp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ACCOUNT = "123456789012"
AWS = "arn:aws:iam::aws:policy"
DAYS = 200


def document(*actions, resource="*", **more):
    """A policy of one Allow statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more]})


def trust(principal, **more):
    """A trust policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal} | more]})


def client(server, service="iam", key=None):
    """A client of the administrator, or of another key."""
    key = key or server.key()
    return boto3.client(
        service, region_name="us-east-1", endpoint_url=server.url,
        aws_access_key_id=key.id, aws_secret_access_key=key.secret)


def certificate(until):
    """A self-signed certificate that ends at a time, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - datetime.timedelta(days=365)).not_valid_after(until)
        .sign(key, hashes.SHA256()))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()


def plant(server):
    """Makes the account; gives (check of Prowler, name of the resource, status) for each plant."""
    iam = client(server)
    expected = []

    def must(name, **checks):
        expected.extend((check, name, status) for check, status in checks.items())

    def user(name, *managed, **inline):
        iam.create_user(UserName=name)
        for arn in managed:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
        for policy, text in inline.items():
            iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=text)

    def policy(name, text):
        return iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]

    def role(name, trusted, *managed):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)
        for arn in managed:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    # What is old.
    now = datetime.datetime.now(datetime.timezone.utc)
    server.set_clock(now=(now - datetime.timedelta(days=DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    user("old-key")
    iam.create_access_key(UserName="old-key")
    must("old-key", iam_rotate_access_key_90_days="FAIL", iam_user_two_active_access_key="PASS")
    user("old-inactive-key")
    held = iam.create_access_key(UserName="old-inactive-key")["AccessKey"]
    iam.update_access_key(UserName="old-inactive-key", AccessKeyId=held["AccessKeyId"], Status="Inactive")
    must("old-inactive-key", iam_rotate_access_key_90_days="PASS")
    pem, secret = certificate(now - datetime.timedelta(days=30))
    iam.upload_server_certificate(ServerCertificateName="expired", CertificateBody=pem, PrivateKey=secret)
    must("expired", iam_no_expired_server_certificates_stored="FAIL")
    server.set_clock(reset=True)
    pem, secret = certificate(now + datetime.timedelta(days=30))
    iam.upload_server_certificate(ServerCertificateName="valid", CertificateBody=pem, PrivateKey=secret)
    must("valid", iam_no_expired_server_certificates_stored="PASS")

    # Users and their credentials.
    user("new-key")
    iam.create_access_key(UserName="new-key")
    must("new-key", iam_rotate_access_key_90_days="PASS")
    user("two-keys")
    iam.create_access_key(UserName="two-keys")
    iam.create_access_key(UserName="two-keys")
    must("two-keys", iam_user_two_active_access_key="FAIL")
    user("no-mfa")
    iam.create_login_profile(UserName="no-mfa", Password="Correct-horse-battery-1")
    must("no-mfa", iam_user_mfa_enabled_console_access="FAIL", iam_user_hardware_mfa_enabled="FAIL")
    user("with-mfa")
    iam.create_login_profile(UserName="with-mfa", Password="Correct-horse-battery-1")
    device = totp.Device(iam.create_virtual_mfa_device(VirtualMFADeviceName="with-mfa"))
    iam.enable_mfa_device(UserName="with-mfa", **device.pair())
    must("with-mfa", iam_user_mfa_enabled_console_access="PASS", iam_user_hardware_mfa_enabled="FAIL")

    # Policies of users, groups and roles.
    user("inline", everything=document("*"))
    must("inline", iam_policy_attached_only_to_group_or_roles="FAIL")
    must("inline/everything", iam_inline_policy_no_administrative_privileges="FAIL")
    user("escalator", climb=document("iam:PassRole", "ec2:RunInstances"), kms=document("kms:*"), trail=document("cloudtrail:*"))
    must("escalator/climb", iam_inline_policy_allows_privilege_escalation="FAIL")
    must("escalator/kms", iam_inline_policy_no_full_access_to_kms="FAIL")
    must("escalator/trail", iam_inline_policy_no_full_access_to_cloudtrail="FAIL")
    user("administrator", f"{AWS}/AdministratorAccess")
    must("administrator", iam_user_administrator_access_policy="FAIL")
    must("old-key", iam_user_administrator_access_policy="PASS", iam_policy_attached_only_to_group_or_roles="PASS")
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=f"{AWS}/AdministratorAccess")
    iam.add_user_to_group(GroupName="administrators", UserName="new-key")
    must("administrators", iam_group_administrator_access_policy="FAIL", iam_administrator_access_with_mfa="FAIL")
    iam.create_group(GroupName="readers")
    iam.attach_group_policy(GroupName="readers", PolicyArn=f"{AWS}/ReadOnlyAccess")
    must("readers", iam_group_administrator_access_policy="PASS")
    must("AdministratorAccess", iam_aws_attached_policy_no_administrative_privileges="FAIL")
    must("ReadOnlyAccess", iam_aws_attached_policy_no_administrative_privileges="PASS")

    # Managed policies of the account.
    policy("loose", document("*"))
    must("loose", iam_customer_unattached_policy_no_administrative_privileges="FAIL")
    attached = policy("attached", document("*"))
    must("attached", iam_customer_attached_policy_no_administrative_privileges="FAIL")
    narrow = policy("narrow", document("s3:GetObject", resource="arn:aws:s3:::bucket/*"))
    must(
        "narrow", iam_policy_allows_privilege_escalation="PASS", iam_policy_no_full_access_to_kms="PASS",
        iam_customer_attached_policy_no_administrative_privileges="PASS",
        iam_no_custom_policy_permissive_role_assumption="PASS")
    climber = policy("climber", document("iam:CreatePolicyVersion"))
    must("climber", iam_policy_allows_privilege_escalation="FAIL")
    keys = policy("all-of-kms", document("kms:*"))
    must("all-of-kms", iam_policy_no_full_access_to_kms="FAIL")
    trails = policy("all-of-cloudtrail", document("cloudtrail:*"))
    must("all-of-cloudtrail", iam_policy_no_full_access_to_cloudtrail="FAIL")
    any_role = policy("any-role", document("sts:AssumeRole"))
    must("any-role", iam_no_custom_policy_permissive_role_assumption="FAIL")
    market = policy("market", document("aws-marketplace:Subscribe"))
    must("market", iam_policy_no_wildcard_marketplace_subscribe="FAIL")

    # Roles.
    role("service", trust({"Service": "lambda.amazonaws.com"}), attached, climber, keys, any_role, narrow, trails, market)
    role("powerful", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), f"{AWS}/AdministratorAccess")
    must("foreign", iam_role_administratoraccess_policy="PASS")
    must("powerful", iam_role_administratoraccess_policy="FAIL")
    role("foreign", trust({"AWS": "arn:aws:iam::210987654321:root"}), f"{AWS}/ReadOnlyAccess")
    must("foreign", iam_role_cross_account_readonlyaccess_policy="FAIL")
    role("confused", trust({"Service": "sns.amazonaws.com"}))
    must("confused", iam_role_cross_service_confused_deputy_prevention="FAIL")
    role("careful", trust({"Service": "sns.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))
    must("careful", iam_role_cross_service_confused_deputy_prevention="PASS")
    role("shell", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), f"{AWS}/AWSCloudShellFullAccess")
    must("AWSCloudShellFullAccess", iam_policy_cloudshell_admin_not_attached="FAIL")
    role("support", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), f"{AWS}/AWSSupportAccess")
    must("AWSSupportAccess", iam_support_role_created="PASS")
    must("SecurityAudit", iam_securityaudit_role_created="FAIL")

    # The account.
    iam.update_account_password_policy(MinimumPasswordLength=8, RequireNumbers=True)
    must(
        "password-policy", iam_password_policy_minimum_length_14="FAIL", iam_password_policy_number="PASS",
        iam_password_policy_symbol="FAIL", iam_password_policy_uppercase="FAIL",
        iam_password_policy_lowercase="FAIL", iam_password_policy_reuse_24="FAIL",
        iam_password_policy_expires_passwords_within_90_days_or_less="FAIL")
    must(ACCOUNT, iam_check_saml_providers_sts="FAIL")
    return expected
