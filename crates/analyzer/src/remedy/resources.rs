//! Which resource of Terraform's AWS provider stands for which operation of the AWS CLI.

/// How a command is written down.
pub(super) enum Form {
    /// A resource of its own.
    Whole,
    /// Arguments of a resource that has others.
    Part,
    /// A resource that goes.
    Gone,
}

/// One operation, and the resource that stands for it.
pub(super) struct Row {
    /// Service and operation.
    pub(super) call: &'static str,
    /// The type of the resource.
    pub(super) resource: &'static str,
    pub(super) form: Form,
    /// Which resource it is: arguments, each of a flag.
    pub(super) keys: &'static [(&'static str, &'static str)],
    /// What it is to say: arguments, each of a flag.
    pub(super) sets: &'static [(&'static str, Told)],
    /// The id by which it is imported, with `{argument}` for the values of arguments; empty where
    /// there is nothing to import.
    pub(super) import: &'static str,
}

/// Where the value of an argument comes from.
pub(super) enum Told {
    /// The value of a flag.
    Flag(&'static str),
    /// The value of a flag, a number.
    Number(&'static str),
    /// A list of the values of a flag.
    List(&'static str),
    /// `Key=K,Value=V` or `K=V`, as a map.
    Tags(&'static str),
    /// `A=true,B=false`, the one of this name.
    Member(&'static str, &'static str),
    /// A policy: the document that is known, or a file.
    Document,
    /// A file.
    File(&'static str),
    /// True if the first flag is there, and false if the second is.
    Switch(&'static str, &'static str),
    /// This.
    Fixed(&'static str),
}

use Form::{Gone, Part, Whole};
use Told::{Document, File, Fixed, Flag, List, Member, Number, Switch, Tags};

const fn row(
    call: &'static str,
    resource: &'static str,
    form: Form,
    keys: &'static [(&'static str, &'static str)],
    sets: &'static [(&'static str, Told)],
    import: &'static str,
) -> Row {
    Row { call, resource, form, keys, sets, import }
}

const BLOCK: &str = "public-access-block-configuration";

/// The operations that change something.
pub(super) const ROWS: &[Row] = &[
    row(
        "iam put-user-policy",
        "aws_iam_user_policy",
        Whole,
        &[("user", "user-name"), ("name", "policy-name")],
        &[("policy", Document)],
        "{user}:{name}",
    ),
    row(
        "iam put-group-policy",
        "aws_iam_group_policy",
        Whole,
        &[("group", "group-name"), ("name", "policy-name")],
        &[("policy", Document)],
        "{group}:{name}",
    ),
    row(
        "iam put-role-policy",
        "aws_iam_role_policy",
        Whole,
        &[("role", "role-name"), ("name", "policy-name")],
        &[("policy", Document)],
        "{role}:{name}",
    ),
    row(
        "iam create-policy",
        "aws_iam_policy",
        Whole,
        &[("name", "policy-name")],
        &[("policy", Document)],
        "",
    ),
    row(
        "iam create-policy-version",
        "aws_iam_policy",
        Whole,
        &[("arn", "policy-arn")],
        &[("policy", Document)],
        "{arn}",
    ),
    row(
        "iam update-assume-role-policy",
        "aws_iam_role",
        Part,
        &[("name", "role-name")],
        &[("assume_role_policy", Document)],
        "{name}",
    ),
    row(
        "iam attach-user-policy",
        "aws_iam_user_policy_attachment",
        Whole,
        &[("user", "user-name"), ("policy_arn", "policy-arn")],
        &[],
        "",
    ),
    row(
        "iam attach-group-policy",
        "aws_iam_group_policy_attachment",
        Whole,
        &[("group", "group-name"), ("policy_arn", "policy-arn")],
        &[],
        "",
    ),
    row(
        "iam attach-role-policy",
        "aws_iam_role_policy_attachment",
        Whole,
        &[("role", "role-name"), ("policy_arn", "policy-arn")],
        &[],
        "",
    ),
    row(
        "iam add-user-to-group",
        "aws_iam_user_group_membership",
        Whole,
        &[("user", "user-name")],
        &[("groups", List("group-name"))],
        "",
    ),
    row(
        "iam detach-user-policy",
        "aws_iam_user_policy_attachment",
        Gone,
        &[("user", "user-name"), ("policy_arn", "policy-arn")],
        &[],
        "{user}/{policy_arn}",
    ),
    row(
        "iam detach-group-policy",
        "aws_iam_group_policy_attachment",
        Gone,
        &[("group", "group-name"), ("policy_arn", "policy-arn")],
        &[],
        "{group}/{policy_arn}",
    ),
    row(
        "iam detach-role-policy",
        "aws_iam_role_policy_attachment",
        Gone,
        &[("role", "role-name"), ("policy_arn", "policy-arn")],
        &[],
        "{role}/{policy_arn}",
    ),
    row(
        "iam delete-user-policy",
        "aws_iam_user_policy",
        Gone,
        &[("user", "user-name"), ("name", "policy-name")],
        &[],
        "{user}:{name}",
    ),
    row(
        "iam delete-group-policy",
        "aws_iam_group_policy",
        Gone,
        &[("group", "group-name"), ("name", "policy-name")],
        &[],
        "{group}:{name}",
    ),
    row(
        "iam delete-role-policy",
        "aws_iam_role_policy",
        Gone,
        &[("role", "role-name"), ("name", "policy-name")],
        &[],
        "{role}:{name}",
    ),
    row("iam delete-policy", "aws_iam_policy", Gone, &[("arn", "policy-arn")], &[], "{arn}"),
    row("iam delete-role", "aws_iam_role", Gone, &[("name", "role-name")], &[], "{name}"),
    row("iam delete-group", "aws_iam_group", Gone, &[("name", "group-name")], &[], "{name}"),
    row(
        "iam delete-login-profile",
        "aws_iam_user_login_profile",
        Gone,
        &[("user", "user-name")],
        &[],
        "{user}",
    ),
    row(
        "iam delete-access-key",
        "aws_iam_access_key",
        Gone,
        &[("user", "user-name"), ("id", "access-key-id")],
        &[],
        "{id}",
    ),
    row(
        "iam delete-server-certificate",
        "aws_iam_server_certificate",
        Gone,
        &[("name", "server-certificate-name")],
        &[],
        "{name}",
    ),
    row(
        "iam update-access-key",
        "aws_iam_access_key",
        Part,
        &[("user", "user-name"), ("id", "access-key-id")],
        &[("status", Flag("status"))],
        "{id}",
    ),
    row(
        "iam update-login-profile",
        "aws_iam_user_login_profile",
        Part,
        &[("user", "user-name")],
        &[("password_reset_required", Switch("password-reset-required", ""))],
        "{user}",
    ),
    row(
        "iam update-role",
        "aws_iam_role",
        Part,
        &[("name", "role-name")],
        &[
            ("max_session_duration", Number("max-session-duration")),
            ("description", Flag("description")),
        ],
        "{name}",
    ),
    row(
        "iam tag-user",
        "aws_iam_user",
        Part,
        &[("name", "user-name")],
        &[("tags", Tags("tags"))],
        "{name}",
    ),
    row(
        "iam update-saml-provider",
        "aws_iam_saml_provider",
        Part,
        &[("arn", "saml-provider-arn")],
        &[("saml_metadata_document", File("metadata.xml"))],
        "{arn}",
    ),
    row(
        "iam update-account-password-policy",
        "aws_iam_account_password_policy",
        Part,
        &[],
        &[
            ("minimum_password_length", Number("minimum-password-length")),
            ("require_uppercase_characters", Switch("require-uppercase-characters", "")),
            ("require_lowercase_characters", Switch("require-lowercase-characters", "")),
            ("require_numbers", Switch("require-numbers", "")),
            ("require_symbols", Switch("require-symbols", "")),
            ("max_password_age", Number("max-password-age")),
            ("password_reuse_prevention", Number("password-reuse-prevention")),
            (
                "allow_users_to_change_password",
                Switch("allow-users-to-change-password", "no-allow-users-to-change-password"),
            ),
            ("hard_expiry", Switch("hard-expiry", "no-hard-expiry")),
        ],
        "iam-account-password-policy",
    ),
    row(
        "iam enable-organizations-root-credentials-management",
        "aws_iam_organizations_features",
        Part,
        &[],
        &[("enabled_features", Fixed("[\"RootCredentialsManagement\"]"))],
        "",
    ),
    row(
        "iam enable-organizations-root-sessions",
        "aws_iam_organizations_features",
        Part,
        &[],
        &[("enabled_features", Fixed("[\"RootSessions\"]"))],
        "",
    ),
    row(
        "s3api put-public-access-block",
        "aws_s3_bucket_public_access_block",
        Whole,
        &[("bucket", "bucket")],
        &[
            ("block_public_acls", Member(BLOCK, "BlockPublicAcls")),
            ("ignore_public_acls", Member(BLOCK, "IgnorePublicAcls")),
            ("block_public_policy", Member(BLOCK, "BlockPublicPolicy")),
            ("restrict_public_buckets", Member(BLOCK, "RestrictPublicBuckets")),
        ],
        "",
    ),
    row(
        "accessanalyzer create-analyzer",
        "aws_accessanalyzer_analyzer",
        Whole,
        &[("analyzer_name", "analyzer-name")],
        &[("type", Flag("type"))],
        "",
    ),
    row(
        "accessanalyzer tag-resource",
        "aws_accessanalyzer_analyzer",
        Part,
        &[("arn", "resource-arn")],
        &[("tags", Tags("tags"))],
        "",
    ),
    row(
        "cloudtrail update-trail",
        "aws_cloudtrail",
        Part,
        &[("name", "name")],
        &[
            ("enable_log_file_validation", Switch("enable-log-file-validation", "")),
            ("kms_key_id", Flag("kms-key-id")),
        ],
        "",
    ),
    row(
        "logs put-retention-policy",
        "aws_cloudwatch_log_group",
        Part,
        &[("name", "log-group-name")],
        &[("retention_in_days", Number("retention-in-days"))],
        "{name}",
    ),
    row(
        "cloudwatch enable-alarm-actions",
        "aws_cloudwatch_metric_alarm",
        Part,
        &[("alarm_name", "alarm-names")],
        &[("actions_enabled", Fixed("true"))],
        "{alarm_name}",
    ),
    row(
        "ec2 associate-iam-instance-profile",
        "aws_instance",
        Part,
        &[("id", "instance-id")],
        &[("iam_instance_profile", Member("iam-instance-profile", "Name"))],
        "{id}",
    ),
    row(
        "organizations create-policy",
        "aws_organizations_policy",
        Whole,
        &[("name", "name")],
        &[("type", Flag("type")), ("content", File("regions.json"))],
        "",
    ),
    row(
        "organizations enable-all-features",
        "aws_organizations_organization",
        Part,
        &[],
        &[("feature_set", Fixed("\"ALL\""))],
        "",
    ),
    row(
        "organizations enable-policy-type",
        "aws_organizations_organization",
        Part,
        &[],
        &[("enabled_policy_types", List("policy-type"))],
        "",
    ),
    row(
        "account put-alternate-contact",
        "aws_account_alternate_contact",
        Part,
        &[("alternate_contact_type", "alternate-contact-type")],
        &[
            ("name", Fixed("\"NAME\"")),
            ("title", Fixed("\"TITLE\"")),
            ("email_address", Fixed("\"ADDRESS\"")),
            ("phone_number", Fixed("\"NUMBER\"")),
        ],
        "",
    ),
    row(
        "sso-admin update-permission-set",
        "aws_ssoadmin_permission_set",
        Part,
        &[("arn", "permission-set-arn")],
        &[("session_duration", Flag("session-duration"))],
        "",
    ),
];
