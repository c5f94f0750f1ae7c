//! Parts that one call each tells of an account: settings, devices, credentials, providers.

use std::collections::BTreeMap;

use bailiwick_identifiers::{Tag, TagKey, TagSet};
use jiff::Timestamp;
use serde::Deserialize;

use super::form::{Instant, at};
use super::text::{Fault, Text};

/// The password policy; what is not said is off.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default, expecting = "a password policy")]
#[allow(clippy::struct_excessive_bools, reason = "the fields are AWS's")]
pub struct PasswordPolicy {
    /// 6 to 128.
    pub minimum_password_length: Option<u32>,
    /// Whether a symbol is needed.
    pub require_symbols: bool,
    /// Whether a digit is needed.
    pub require_numbers: bool,
    /// Whether an upper-case letter is needed.
    pub require_uppercase_characters: bool,
    /// Whether a lower-case letter is needed.
    pub require_lowercase_characters: bool,
    /// Whether users may change their own password.
    pub allow_users_to_change_password: bool,
    /// Whether passwords end.
    pub expire_passwords: bool,
    /// After how many days.
    pub max_password_age: Option<u32>,
    /// How many former passwords are barred.
    pub password_reuse_prevention: Option<u32>,
    /// Whether an ended password can only be replaced by an administrator.
    pub hard_expiry: Option<bool>,
}

/// A virtual MFA device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VirtualMfaDevice {
    /// Its serial number, an ARN.
    pub serial: String,
    /// The ARN of its user or of root; nothing while it is nobody's.
    pub owner: Option<String>,
}

/// An access key without its secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessKeyMetadata {
    /// Its id.
    pub id: String,
    /// The user's name.
    pub user: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A credential that is no password and no access key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OtherCredential {
    /// The user's name.
    pub user: String,
    /// Its id.
    pub id: String,
    /// `SSH public key`, `service-specific credential` or `signing certificate`.
    pub kind: &'static str,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A server certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerCertificate {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// When it ends.
    pub expiration: Option<Timestamp>,
}

/// A SAML provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SamlProviderDetail {
    /// Its ARN.
    pub arn: String,
    /// When its metadata end.
    pub valid_until: Option<Timestamp>,
}

/// An OIDC provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OidcProviderDetail {
    /// Its ARN.
    pub arn: String,
    /// Its client ids; nothing if it was not asked for.
    pub client_ids: Option<Vec<String>>,
}

/// What `list-roles` tells of a role beside the authorization details.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RoleDetail {
    /// Its ARN; empty if it is not told.
    pub arn: String,
    /// The longest session in seconds.
    pub max_session_duration: Option<u32>,
    /// Free text.
    pub description: Option<String>,
}

/// The block of public access of a bucket or an account.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default, expecting = "a public-access block")]
#[allow(clippy::struct_excessive_bools, reason = "the fields are AWS's")]
pub struct AccountPublicAccess {
    /// Public ACLs are refused.
    pub block_public_acls: bool,
    /// Public ACLs are without effect.
    pub ignore_public_acls: bool,
    /// Public policies are refused.
    pub block_public_policy: bool,
    /// Public policies let in the account and AWS services alone.
    pub restrict_public_buckets: bool,
}

/// The alternate contacts by type: `SECURITY`, `BILLING`, `OPERATIONS`. The text tells two apart.
pub type AlternateContacts = BTreeMap<String, Option<String>>;

/// A tag of an analyzer.
pub type AnalyzerTag = (String, String);

pub(super) fn password_policy(text: &Text<'_>) -> Result<Option<PasswordPolicy>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `get-account-password-policy` prints")]
    struct Form {
        password_policy: PasswordPolicy,
    }
    Ok(Some(text.json::<Form>()?.password_policy))
}

pub(super) fn account_summary(text: &Text<'_>) -> Result<BTreeMap<String, u64>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `get-account-summary` prints")]
    struct Form {
        summary_map: BTreeMap<String, u64>,
    }
    Ok(text.json::<Form>()?.summary_map)
}

pub(super) fn virtual_mfa_devices(text: &Text<'_>) -> Result<Vec<VirtualMfaDevice>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct User {
        arn: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Device {
        serial_number: String,
        #[serde(default)]
        user: Option<User>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `list-virtual-mfa-devices` prints")]
    struct Form {
        #[serde(rename = "VirtualMFADevices")]
        devices: Vec<Device>,
    }
    let devices = text.json::<Form>()?.devices.into_iter();
    Ok(devices
        .map(|device| VirtualMfaDevice {
            serial: device.serial_number,
            owner: device.user.map(|user| user.arn),
        })
        .collect())
}

pub(super) fn mfa_devices(text: &Text<'_>) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Device {
        serial_number: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `list-mfa-devices` prints")]
    struct Form {
        #[serde(rename = "MFADevices")]
        devices: Vec<Device>,
    }
    Ok(text.json::<Form>()?.devices.into_iter().map(|device| device.serial_number).collect())
}

pub(super) fn access_keys(text: &Text<'_>) -> Result<Vec<AccessKeyMetadata>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Key {
        user_name: String,
        access_key_id: String,
        status: String,
        #[serde(default)]
        create_date: Option<Instant>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `list-access-keys` prints")]
    struct Form {
        access_key_metadata: Vec<Key>,
    }
    let keys = text.json::<Form>()?.access_key_metadata.into_iter();
    Ok(keys
        .map(|key| AccessKeyMetadata {
            id: key.access_key_id,
            user: key.user_name,
            active: key.status == "Active",
            created: at(key.create_date),
        })
        .collect())
}

/// SSH public keys, service-specific credentials or signing certificates: one form fits all.
pub(super) fn other_credentials(
    text: &Text<'_>,
    kind: &'static str,
) -> Result<Vec<OtherCredential>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Credential {
        user_name: String,
        #[serde(
            alias = "SSHPublicKeyId",
            alias = "ServiceSpecificCredentialId",
            alias = "CertificateId"
        )]
        id: String,
        status: String,
        #[serde(default, alias = "CreateDate")]
        upload_date: Option<Instant>,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "the list of a user's credentials")]
    struct Form {
        #[serde(
            alias = "SSHPublicKeys",
            alias = "ServiceSpecificCredentials",
            alias = "Certificates"
        )]
        list: Vec<Credential>,
    }
    let list = text.json::<Form>()?.list.into_iter();
    Ok(list
        .map(|credential| OtherCredential {
            user: credential.user_name,
            id: credential.id,
            kind,
            active: credential.status == "Active",
            created: at(credential.upload_date),
        })
        .collect())
}

pub(super) fn server_certificates(text: &Text<'_>) -> Result<Vec<ServerCertificate>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Certificate {
        server_certificate_name: String,
        arn: String,
        #[serde(default)]
        expiration: Option<Instant>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `list-server-certificates` prints")]
    struct Form {
        server_certificate_metadata_list: Vec<Certificate>,
    }
    let list = text.json::<Form>()?.server_certificate_metadata_list.into_iter();
    Ok(list
        .map(|certificate| ServerCertificate {
            name: certificate.server_certificate_name,
            arn: certificate.arn,
            expiration: at(certificate.expiration),
        })
        .collect())
}

pub(super) fn saml_providers(text: &Text<'_>) -> Result<Vec<SamlProviderDetail>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Provider {
        arn: String,
        #[serde(default)]
        valid_until: Option<Instant>,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `list-saml-providers` prints")]
    struct Form {
        #[serde(rename = "SAMLProviderList")]
        list: Vec<Provider>,
    }
    let list = text.json::<Form>()?.list.into_iter();
    Ok(list
        .map(|provider| SamlProviderDetail {
            arn: provider.arn,
            valid_until: at(provider.valid_until),
        })
        .collect())
}

pub(super) fn oidc_providers(text: &Text<'_>) -> Result<Vec<OidcProviderDetail>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Provider {
        arn: String,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `list-open-id-connect-providers` prints")]
    struct Form {
        #[serde(rename = "OpenIDConnectProviderList")]
        list: Vec<Provider>,
    }
    let list = text.json::<Form>()?.list.into_iter();
    Ok(list.map(|provider| OidcProviderDetail { arn: provider.arn, client_ids: None }).collect())
}

/// The client ids of one OIDC provider, and its address.
pub(super) fn oidc_provider(text: &Text<'_>) -> Result<(String, Vec<String>), Fault> {
    #[derive(Deserialize)]
    #[serde(expecting = "what `get-open-id-connect-provider` prints")]
    struct Form {
        #[serde(rename = "Url")]
        url: String,
        #[serde(rename = "ClientIDList", default)]
        clients: Vec<String>,
    }
    let form: Form = text.json()?;
    Ok((form.url, form.clients))
}

pub(super) fn roles(text: &Text<'_>) -> Result<BTreeMap<String, RoleDetail>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Role {
        #[serde(rename = "RoleName")]
        name: String,
        #[serde(default)]
        arn: String,
        #[serde(default)]
        max_session_duration: Option<u32>,
        #[serde(default)]
        description: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `list-roles` prints")]
    struct Form {
        roles: Vec<Role>,
    }
    let roles = text.json::<Form>()?.roles.into_iter();
    Ok(roles
        .map(|role| {
            let detail = RoleDetail {
                arn: role.arn,
                max_session_duration: role.max_session_duration,
                description: role.description,
            };
            (role.name, detail)
        })
        .collect())
}

/// A contact, told apart by name, address and number.
pub(super) fn contact(text: &Text<'_>) -> Result<String, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    #[derive(Default)]
    struct Contact {
        name: String,
        email_address: String,
        phone_number: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `get-alternate-contact` prints")]
    struct Form {
        alternate_contact: Contact,
    }
    let contact = text.json::<Form>()?.alternate_contact;
    Ok(format!("{} {} {}", contact.name, contact.email_address, contact.phone_number))
}

pub(super) fn public_access(text: &Text<'_>) -> Result<AccountPublicAccess, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `get-public-access-block` prints")]
    struct Form {
        public_access_block_configuration: AccountPublicAccess,
    }
    Ok(text.json::<Form>()?.public_access_block_configuration)
}

/// The regions in use.
pub(super) fn regions(text: &Text<'_>) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Region {
        region_name: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `ec2 describe-regions` prints")]
    struct Form {
        regions: Vec<Region>,
    }
    Ok(text.json::<Form>()?.regions.into_iter().map(|region| region.region_name).collect())
}

/// What the script writes of itself: when, and for which account.
#[derive(Deserialize)]
#[serde(expecting = "what the collecting script writes of itself")]
pub(super) struct Collected {
    /// When it ran.
    #[serde(rename = "collected", default)]
    pub(super) at: Option<Timestamp>,
    /// What `sts get-caller-identity` says.
    #[serde(default)]
    pub(super) account: Option<String>,
    /// Its ARN, which tells the partition.
    #[serde(default)]
    pub(super) arn: Option<String>,
}

/// A report of last accesses: the ARN that it is about, and services with their last use.
pub(super) fn last_accessed(
    text: &Text<'_>,
) -> Result<(String, BTreeMap<String, Option<Timestamp>>), Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Service {
        service_namespace: String,
        #[serde(default)]
        last_authenticated: Option<Instant>,
    }
    #[derive(Deserialize)]
    #[serde(
        rename_all = "PascalCase",
        expecting = "what `get-service-last-accessed-details` prints, with the `Arn` that the \
                     script adds"
    )]
    struct Form {
        arn: String,
        services_last_accessed: Vec<Service>,
    }
    let form: Form = text.json()?;
    let services = form.services_last_accessed.into_iter();
    let uses = services.map(|service| (service.service_namespace, at(service.last_authenticated)));
    Ok((form.arn, uses.collect()))
}

/// The tags of a managed policy, with its ARN.
pub(super) fn policy_tags(text: &Text<'_>) -> Result<(String, TagSet), Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Told {
        key: String,
        value: String,
    }
    #[derive(Deserialize)]
    #[serde(
        rename_all = "PascalCase",
        expecting = "what `list-policy-tags` prints, with the `Arn` that the script adds"
    )]
    struct Form {
        arn: String,
        tags: Vec<Told>,
    }
    let form: Form = text.json()?;
    // A tag that AWS would not take, or its own of the reserved prefix, is nothing to go by.
    let tags = form.tags.into_iter().filter_map(|told| {
        let (key, value) = (told.key.parse::<TagKey>().ok()?, told.value.parse().ok()?);
        (!key.is_reserved()).then_some(Tag { key, value })
    });
    let tags = TagSet::exact(tags)
        .map_err(|error| text.fault(0, &format!("the tags of `{}`: {error}", form.arn)))?;
    Ok((form.arn, tags))
}
