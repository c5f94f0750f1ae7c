# One of every IAM resource of the provider, but the features of an organization, in two states: `change = false`, then `true`.
# Endpoint and credentials come from the environment.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "change" {
  type    = bool
  default = false
}

variable "certificate" { type = string }
variable "certificate_key" { type = string }
variable "ssh_key" { type = string }
variable "saml" { type = list(string) }

provider "aws" {
  region = "us-east-1"
  default_tags {
    tags = { Managed = "terraform" }
  }
}

locals {
  path   = var.change ? "/changed/" : "/first/"
  tags   = var.change ? { Stage = "two", New = "" } : { Stage = "one", Old = "o" }
  action = var.change ? ["s3:GetObject", "s3:PutObject"] : ["s3:GetObject"]
}

data "aws_caller_identity" "me" {}
data "aws_partition" "here" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = var.change ? ["lambda.amazonaws.com", "ec2.amazonaws.com"] : ["ec2.amazonaws.com"]
    }
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.one.arn, "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"]
    }
  }
}

data "aws_iam_policy_document" "some" {
  statement {
    sid       = "Objects"
    actions   = local.action
    resources = ["arn:aws:s3:::bucket/$${aws:username}/*", "arn:aws:s3:::other/<&>*"]
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalTag/team"
      values   = ["red", "blue"]
    }
  }
}

resource "aws_iam_user" "one" {
  name                 = var.change ? "one-renamed" : "one"
  path                 = local.path
  permissions_boundary = var.change ? aws_iam_policy.boundary.arn : null
  force_destroy        = true
  tags                 = local.tags
}

resource "aws_iam_user" "two" {
  name          = "two"
  force_destroy = true
}

resource "aws_iam_user" "three" {
  name = "three"
}

resource "aws_iam_group" "one" {
  name = var.change ? "group-renamed" : "group"
  path = local.path
}

resource "aws_iam_group" "two" {
  name = "second"
}

resource "aws_iam_group_membership" "one" {
  name  = "members"
  group = aws_iam_group.one.name
  users = var.change ? [aws_iam_user.one.name, aws_iam_user.two.name] : [aws_iam_user.one.name]
}

resource "aws_iam_user_group_membership" "three" {
  user   = aws_iam_user.three.name
  groups = [aws_iam_group.two.name]
}

resource "aws_iam_role" "one" {
  name                 = "role"
  path                 = "/roles/"
  description          = var.change ? "changed: é, <b>" : "first"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = var.change ? 7200 : 3600
  permissions_boundary = var.change ? null : aws_iam_policy.boundary.arn
  tags                 = local.tags
}

resource "aws_iam_role" "prefixed" {
  name_prefix           = "prefixed-"
  force_detach_policies = true
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.one.arn }
      Condition = { StringEquals = { "idp.example.com:aud" = "client" } }
    }]
  })
}

resource "aws_iam_policy" "one" {
  name        = "policy"
  path        = "/policies/"
  description = "stays"
  policy      = data.aws_iam_policy_document.some.json
  tags        = local.tags
}

resource "aws_iam_policy" "boundary" {
  name   = "boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

resource "aws_iam_user_policy" "one" {
  name   = "inline"
  user   = aws_iam_user.one.name
  policy = data.aws_iam_policy_document.some.json
}

resource "aws_iam_group_policy" "one" {
  name   = "inline"
  group  = aws_iam_group.one.name
  policy = data.aws_iam_policy_document.some.json
}

resource "aws_iam_role_policy" "one" {
  name   = "inline"
  role   = aws_iam_role.one.id
  policy = data.aws_iam_policy_document.some.json
}

resource "aws_iam_user_policy_attachment" "one" {
  user       = aws_iam_user.one.name
  policy_arn = var.change ? "arn:aws:iam::aws:policy/SecurityAudit" : aws_iam_policy.one.arn
}

resource "aws_iam_group_policy_attachment" "one" {
  group      = aws_iam_group.one.name
  policy_arn = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
}

resource "aws_iam_role_policy_attachment" "one" {
  role       = aws_iam_role.one.name
  policy_arn = aws_iam_policy.one.arn
}

# A policy of its own: the resource takes users that have the policy as their boundary for attached.
resource "aws_iam_policy" "everywhere" {
  name   = "everywhere"
  policy = data.aws_iam_policy_document.some.json
}

resource "aws_iam_policy_attachment" "everywhere" {
  name       = "everywhere"
  policy_arn = aws_iam_policy.everywhere.arn
  users      = [aws_iam_user.two.name]
  roles      = var.change ? [] : [aws_iam_role.prefixed.name]
  groups     = var.change ? [aws_iam_group.two.name] : []
}

resource "aws_iam_user_policy_attachments_exclusive" "three" {
  user_name   = aws_iam_user.three.name
  policy_arns = var.change ? [] : [aws_iam_policy.boundary.arn]
}

resource "aws_iam_user_policies_exclusive" "three" {
  user_name    = aws_iam_user.three.name
  policy_names = []
}

resource "aws_iam_group_policies_exclusive" "two" {
  group_name   = aws_iam_group.two.name
  policy_names = []
}

resource "aws_iam_role_policies_exclusive" "one" {
  role_name    = aws_iam_role.one.name
  policy_names = [aws_iam_role_policy.one.name]
}

resource "aws_iam_role_policy_attachments_exclusive" "one" {
  role_name   = aws_iam_role.one.name
  policy_arns = [aws_iam_role_policy_attachment.one.policy_arn]
}

resource "aws_iam_group_policy_attachments_exclusive" "one" {
  group_name  = aws_iam_group.one.name
  policy_arns = [aws_iam_group_policy_attachment.one.policy_arn]
}

resource "aws_iam_instance_profile" "one" {
  name = "profile"
  path = "/profiles/"
  role = var.change ? aws_iam_role.prefixed.name : aws_iam_role.one.name
  tags = local.tags
}

resource "aws_iam_access_key" "one" {
  user   = aws_iam_user.two.name
  status = var.change ? "Inactive" : "Active"
}

resource "aws_iam_user_login_profile" "one" {
  user                    = aws_iam_user.two.name
  password_length         = 24
  password_reset_required = true
  lifecycle { ignore_changes = [password_length, password_reset_required] }
}

resource "aws_iam_openid_connect_provider" "one" {
  url             = "https://idp.example.com"
  client_id_list  = var.change ? ["client", "second"] : ["client", "first"]
  thumbprint_list = var.change ? ["${join("", [for i in range(40) : "b"])}"] : ["${join("", [for i in range(40) : "a"])}"]
  tags            = local.tags
}

resource "aws_iam_saml_provider" "one" {
  name                   = "saml"
  saml_metadata_document = var.saml[var.change ? 1 : 0]
  tags                   = local.tags
}

resource "aws_iam_account_password_policy" "one" {
  minimum_password_length        = var.change ? 16 : 12
  require_symbols                = true
  require_numbers                = true
  require_lowercase_characters   = true
  require_uppercase_characters   = var.change
  allow_users_to_change_password = true
  hard_expiry                    = var.change
  max_password_age               = var.change ? 90 : 0
  password_reuse_prevention      = var.change ? 24 : 0
}

resource "aws_iam_account_alias" "one" {
  account_alias = var.change ? "second-alias" : "first-alias"
}

resource "aws_iam_server_certificate" "one" {
  name             = "certificate"
  path             = "/cloudfront/"
  certificate_body = var.certificate
  private_key      = var.certificate_key
  tags             = local.tags
}

resource "aws_iam_signing_certificate" "one" {
  user_name        = aws_iam_user.two.name
  certificate_body = var.certificate
  status           = var.change ? "Inactive" : "Active"
}

resource "aws_iam_user_ssh_key" "one" {
  username   = aws_iam_user.two.name
  encoding   = "SSH"
  public_key = var.ssh_key
  status     = var.change ? "Inactive" : "Active"
}

resource "aws_iam_service_specific_credential" "one" {
  service_name = "codecommit.amazonaws.com"
  user_name    = aws_iam_user.two.name
  status       = var.change ? "Inactive" : "Active"
}

resource "aws_iam_virtual_mfa_device" "one" {
  virtual_mfa_device_name = "device"
  tags                    = local.tags
}

resource "aws_iam_service_linked_role" "one" {
  aws_service_name = "elasticbeanstalk.amazonaws.com"
  description      = var.change ? "changed" : "first"
  tags             = local.tags
}

resource "aws_iam_security_token_service_preferences" "one" {
  global_endpoint_token_version = var.change ? "v2Token" : "v1Token"
}

# What a configuration reads of things that exist.

data "aws_iam_user" "one" { user_name = aws_iam_user.one.name }
data "aws_iam_users" "all" { path_prefix = aws_iam_user.one.path }
data "aws_iam_group" "one" { group_name = aws_iam_group_membership.one.group }
data "aws_iam_role" "one" { name = aws_iam_role.one.name }
data "aws_iam_roles" "all" { name_regex = aws_iam_role.one.name }
data "aws_iam_policy" "by_arn" { arn = aws_iam_policy.one.arn }
data "aws_iam_policy" "by_name" { name = aws_iam_policy.one.name }
data "aws_iam_policy" "managed" { name = "ReadOnlyAccess" }
data "aws_iam_instance_profile" "one" { name = aws_iam_instance_profile.one.name }
data "aws_iam_instance_profiles" "all" { role_name = aws_iam_instance_profile.one.role }
data "aws_iam_access_keys" "one" { user = aws_iam_access_key.one.user }
data "aws_iam_account_alias" "one" { depends_on = [aws_iam_account_alias.one] }
data "aws_iam_openid_connect_provider" "one" { arn = aws_iam_openid_connect_provider.one.arn }
data "aws_iam_saml_provider" "one" { arn = aws_iam_saml_provider.one.arn }
data "aws_iam_session_context" "one" { arn = data.aws_caller_identity.me.arn }
data "aws_iam_server_certificate" "one" { name = aws_iam_server_certificate.one.name }
data "aws_iam_user_ssh_key" "one" {
  username          = aws_iam_user_ssh_key.one.username
  ssh_public_key_id = aws_iam_user_ssh_key.one.ssh_public_key_id
  encoding          = "SSH"
}
data "aws_iam_principal_policy_simulation" "one" {
  action_names      = ["s3:GetObject"]
  policy_source_arn = aws_iam_user.one.arn
  resource_arns     = ["arn:aws:s3:::bucket/one/x"]
  depends_on        = [aws_iam_user_policy.one]
}

output "key" {
  value     = "${aws_iam_access_key.one.id}/${aws_iam_access_key.one.secret}"
  sensitive = true
}
output "simulated" { value = data.aws_iam_principal_policy_simulation.one.all_allowed }
