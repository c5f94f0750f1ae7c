//! An account as one value: every entity, and the indexes that look-ups need.
//!
//! The maps are persistent: a clone costs a few reference counts and shares everything, so a
//! transaction simply works on a clone, and what readers hold never changes under them. An
//! account is the sum of its records: [`Account::put`] and [`Account::remove`] are the only ways
//! to change one, whether the records come from a running call, the store or an export.

use std::cmp::Ordering;
use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccountId, Arn, Folded, Partition, PolicyName, UniqueId};
use equivalent::{Comparable, Equivalent};
use imbl::{OrdMap, OrdSet};

use crate::console::{ConsoleSession, PasswordUse};
use crate::credential::{
    CertificateId, ServerCertificate, ServiceCredential, ServiceCredentialUse, SigningCertificate,
    SshPublicKey,
};
use crate::entity::{
    AccessKey, AccountInfo, ActionUse, Attachment, Group, InlinePolicy, InstanceProfile, KeyUse,
    LoginProfile, Membership, Owner, Policy, PolicyVersion, Retry, Role, RoleUse, User,
};
use crate::mfa::MfaDevice;
use crate::provider::{OidcIssuer, OidcProvider, SamlMetadata, SamlProvider};
use crate::record::{Record, RecordKey};
use crate::report::{AccessReport, CredentialReport};
use crate::settings::{AccountSettings, DeletionTask};

/// Entities of one kind, by folded name, with the way from an id to the name.
#[derive(Clone, Debug)]
struct Named<T> {
    by_name: OrdMap<Folded, Arc<T>>,
    names: OrdMap<UniqueId, Folded>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { by_name: OrdMap::new(), names: OrdMap::new() }
    }
}

impl<T> Named<T> {
    fn put(&mut self, id: UniqueId, name: Folded, entity: Arc<T>) {
        if let Some(old) = self.names.insert(id, name.clone())
            && old != name
        {
            self.by_name.remove(&old);
        }
        self.by_name.insert(name, entity);
    }

    fn remove(&mut self, id: &UniqueId) -> Option<Arc<T>> {
        self.names.remove(id).and_then(|name| self.by_name.remove(&name))
    }

    fn named(&self, name: &str) -> Option<&Arc<T>> {
        self.by_name.get(&Folded::of(name))
    }

    fn with_id(&self, id: &UniqueId) -> Option<&Arc<T>> {
        self.names.get(id).and_then(|name| self.by_name.get(name))
    }
}

/// An account and everything in it.
#[derive(Clone, Debug)]
pub struct Account {
    info: Arc<AccountInfo>,
    users: Named<User>,
    groups: Named<Group>,
    roles: Named<Role>,
    profiles: Named<InstanceProfile>,
    policies: Named<Policy>,
    versions: OrdMap<(UniqueId, u32), Arc<PolicyVersion>>,
    inline: OrdMap<(UniqueId, PolicyName), Arc<InlinePolicy>>,
    attachments: OrdSet<(UniqueId, Arn)>,
    attached_to: OrdSet<(Arn, UniqueId)>,
    bounding: OrdSet<(Arn, UniqueId)>,
    groups_of: OrdSet<(UniqueId, UniqueId)>,
    members_of: OrdSet<(UniqueId, UniqueId)>,
    keys: OrdMap<AccessKeyId, Arc<AccessKey>>,
    keys_of: OrdSet<(Owner, AccessKeyId)>,
    key_uses: OrdMap<AccessKeyId, Arc<KeyUse>>,
    role_uses: OrdMap<UniqueId, Arc<RoleUse>>,
    action_uses: OrdMap<(UniqueId, String), Arc<ActionUse>>,
    logins: OrdMap<UniqueId, Arc<LoginProfile>>,
    password_uses: OrdMap<UniqueId, Arc<PasswordUse>>,
    consoles: OrdMap<String, Arc<ConsoleSession>>,
    consoles_of: OrdSet<(Owner, String)>,
    ssh_keys: OrdMap<UniqueId, Arc<SshPublicKey>>,
    ssh_keys_of: OrdSet<(UniqueId, UniqueId)>,
    signing: OrdMap<CertificateId, Arc<SigningCertificate>>,
    signing_of: OrdSet<(Owner, CertificateId)>,
    certificates: Named<ServerCertificate>,
    services: OrdMap<UniqueId, Arc<ServiceCredential>>,
    services_of: OrdSet<(UniqueId, UniqueId)>,
    services_named: OrdSet<(String, UniqueId)>,
    service_uses: OrdMap<UniqueId, Arc<ServiceCredentialUse>>,
    devices: OrdMap<Folded, Arc<MfaDevice>>,
    devices_of: OrdSet<(Owner, Folded)>,
    profiles_of: OrdSet<(UniqueId, UniqueId)>,
    oidc: OrdMap<OidcIssuer, Arc<OidcProvider>>,
    saml: OrdMap<Folded, Arc<SamlProvider>>,
    saml_metadata: OrdMap<(Folded, u32), Arc<SamlMetadata>>,
    settings: Arc<AccountSettings>,
    deletions: OrdMap<String, Arc<DeletionTask>>,
    credential_report: OrdMap<u32, Arc<CredentialReport>>,
    access_reports: OrdMap<String, Arc<AccessReport>>,
    retries: OrdMap<String, Arc<Retry>>,
}

/// The place just before every pair that begins with a value: where a range over them starts.
struct Before<'a, A>(&'a A);

impl<A, B> Equivalent<(A, B)> for Before<'_, A> {
    fn equivalent(&self, _: &(A, B)) -> bool {
        false
    }
}

impl<A: Ord, B> Comparable<(A, B)> for Before<'_, A> {
    fn compare(&self, pair: &(A, B)) -> Ordering {
        if *self.0 > pair.0 { Ordering::Greater } else { Ordering::Less }
    }
}

fn seconds<'a, A: Ord + 'a, B: Ord + 'a>(
    set: &'a OrdSet<(A, B)>,
    first: A,
) -> impl Iterator<Item = &'a B> {
    set.range(Before(&first)..).take_while(move |pair| pair.0 == first).map(|pair| &pair.1)
}

fn values<'a, A: Ord + 'a, B: Ord + 'a, V>(
    map: &'a OrdMap<(A, B), V>,
    first: A,
) -> impl Iterator<Item = &'a V> {
    map.range(Before(&first)..).take_while(move |(pair, _)| pair.0 == first).map(|(_, value)| value)
}

impl Account {
    /// An account that holds nothing yet.
    pub fn new(info: AccountInfo) -> Self {
        Self {
            info: Arc::new(info),
            users: Named::default(),
            groups: Named::default(),
            roles: Named::default(),
            profiles: Named::default(),
            policies: Named::default(),
            versions: OrdMap::new(),
            inline: OrdMap::new(),
            attachments: OrdSet::new(),
            attached_to: OrdSet::new(),
            bounding: OrdSet::new(),
            groups_of: OrdSet::new(),
            members_of: OrdSet::new(),
            keys: OrdMap::new(),
            keys_of: OrdSet::new(),
            key_uses: OrdMap::new(),
            role_uses: OrdMap::new(),
            action_uses: OrdMap::new(),
            logins: OrdMap::new(),
            password_uses: OrdMap::new(),
            consoles: OrdMap::new(),
            consoles_of: OrdSet::new(),
            ssh_keys: OrdMap::new(),
            ssh_keys_of: OrdSet::new(),
            signing: OrdMap::new(),
            signing_of: OrdSet::new(),
            certificates: Named::default(),
            services: OrdMap::new(),
            services_of: OrdSet::new(),
            services_named: OrdSet::new(),
            service_uses: OrdMap::new(),
            devices: OrdMap::new(),
            devices_of: OrdSet::new(),
            profiles_of: OrdSet::new(),
            oidc: OrdMap::new(),
            saml: OrdMap::new(),
            saml_metadata: OrdMap::new(),
            settings: Arc::default(),
            deletions: OrdMap::new(),
            credential_report: OrdMap::new(),
            access_reports: OrdMap::new(),
            retries: OrdMap::new(),
        }
    }

    /// What the account is.
    pub fn info(&self) -> &AccountInfo {
        &self.info
    }

    /// Its twelve digits.
    pub fn id(&self) -> AccountId {
        self.info.id
    }

    /// The partition of its ARNs.
    pub fn partition(&self) -> Partition {
        self.info.partition
    }

    /// Adds a record, or replaces the one of the same key.
    pub fn put(&mut self, record: Record) {
        match record {
            Record::Account(info) => self.info = info,
            Record::User(user) => {
                self.rebound(user.id, user.boundary.as_ref());
                self.users.put(user.id, user.name.folded(), user);
            }
            Record::Group(group) => self.groups.put(group.id, group.name.folded(), group),
            Record::Role(role) => {
                self.rebound(role.id, role.boundary.as_ref());
                self.roles.put(role.id, role.name.folded(), role);
            }
            Record::InstanceProfile(profile) => {
                self.unlink_profile(&profile.id);
                if let Some(role) = profile.role {
                    self.profiles_of.insert((role, profile.id));
                }
                self.profiles.put(profile.id, profile.name.folded(), profile);
            }
            Record::Policy(policy) => self.policies.put(policy.id, policy.name.folded(), policy),
            Record::PolicyVersion(version) => {
                self.versions.insert((version.policy, version.number), version);
            }
            Record::InlinePolicy(policy) => {
                self.inline.insert((policy.owner, policy.name.clone()), policy);
            }
            Record::Attachment(Attachment { owner, policy }) => {
                self.attached_to.insert((policy.clone(), owner));
                self.attachments.insert((owner, policy));
            }
            Record::Membership(Membership { user, group }) => {
                self.groups_of.insert((user, group));
                self.members_of.insert((group, user));
            }
            Record::AccessKey(key) => {
                self.keys_of.insert((key.owner, key.id.clone()));
                self.keys.insert(key.id.clone(), key);
            }
            Record::KeyUse(last) => {
                self.key_uses.insert(last.key.clone(), last);
            }
            Record::RoleUse(last) => {
                self.role_uses.insert(last.role, last);
            }
            Record::ActionUse(last) => {
                self.action_uses.insert((last.principal, last.action.clone()), last);
            }
            Record::LoginProfile(profile) => {
                self.logins.insert(profile.user, profile);
            }
            Record::PasswordUse(last) => {
                self.password_uses.insert(last.user, last);
            }
            Record::ConsoleSession(held) => {
                self.consoles_of.insert((held.owner, held.id.clone()));
                self.consoles.insert(held.id.clone(), held);
            }
            Record::SshPublicKey(key) => {
                self.ssh_keys_of.insert((key.user, key.id));
                self.ssh_keys.insert(key.id, key);
            }
            Record::SigningCertificate(held) => {
                self.signing_of.insert((held.owner, held.id.clone()));
                self.signing.insert(held.id.clone(), held);
            }
            Record::ServerCertificate(held) => {
                self.certificates.put(held.id, held.name.folded(), held);
            }
            Record::ServiceCredential(held) => {
                self.services_of.insert((held.user, held.id));
                self.services_named.insert((held.name.clone(), held.id));
                self.services.insert(held.id, held);
            }
            Record::ServiceCredentialUse(last) => {
                self.service_uses.insert(last.credential, last);
            }
            Record::MfaDevice(device) => {
                let serial = device.folded();
                self.unassign(&serial);
                if let Some(owner) = device.owner() {
                    self.devices_of.insert((owner, serial.clone()));
                }
                self.devices.insert(serial, device);
            }
            Record::OidcProvider(held) => {
                self.oidc.insert(held.issuer.clone(), held);
            }
            Record::SamlProvider(held) => {
                self.saml.insert(held.name.folded(), held);
            }
            Record::SamlMetadata(held) => {
                self.saml_metadata.insert((held.provider.clone(), held.part), held);
            }
            Record::Settings(settings) => self.settings = settings,
            Record::CredentialReport(held) => {
                self.credential_report.insert(held.part, held);
            }
            Record::AccessReport(held) => {
                self.access_reports.insert(held.id.clone(), held);
            }
            Record::DeletionTask(task) => {
                self.deletions.insert(task.id.clone(), task);
            }
            Record::Retry(retry) => {
                self.retries.insert(retry.key.clone(), retry);
            }
        }
    }

    /// Takes a record away, if it is there.
    pub fn remove(&mut self, key: &RecordKey) {
        match key {
            // An account ends with its shard, not by losing its own record.
            RecordKey::Account => {}
            RecordKey::User(id) => {
                self.rebound(*id, None);
                self.users.remove(id);
            }
            RecordKey::Group(id) => {
                self.groups.remove(id);
            }
            RecordKey::Role(id) => {
                self.rebound(*id, None);
                self.roles.remove(id);
            }
            RecordKey::InstanceProfile(id) => {
                self.unlink_profile(id);
                self.profiles.remove(id);
            }
            RecordKey::Policy(id) => {
                self.policies.remove(id);
            }
            RecordKey::PolicyVersion(policy, number) => {
                self.versions.remove(&(*policy, *number));
            }
            RecordKey::InlinePolicy(owner, name) => {
                self.inline.remove(&(*owner, name.clone()));
            }
            RecordKey::Attachment(owner, policy) => {
                self.attachments.remove(&(*owner, policy.clone()));
                self.attached_to.remove(&(policy.clone(), *owner));
            }
            RecordKey::Membership(user, group) => {
                self.groups_of.remove(&(*user, *group));
                self.members_of.remove(&(*group, *user));
            }
            RecordKey::AccessKey(id) => {
                if let Some(key) = self.keys.remove(id) {
                    self.keys_of.remove(&(key.owner, id.clone()));
                }
            }
            RecordKey::KeyUse(id) => {
                self.key_uses.remove(id);
            }
            RecordKey::RoleUse(id) => {
                self.role_uses.remove(id);
            }
            RecordKey::ActionUse(principal, action) => {
                self.action_uses.remove(&(*principal, action.clone()));
            }
            RecordKey::LoginProfile(id) => {
                self.logins.remove(id);
            }
            RecordKey::PasswordUse(id) => {
                self.password_uses.remove(id);
            }
            RecordKey::ConsoleSession(id) => {
                if let Some(held) = self.consoles.remove(id) {
                    self.consoles_of.remove(&(held.owner, id.clone()));
                }
            }
            RecordKey::SshPublicKey(id) => {
                if let Some(key) = self.ssh_keys.remove(id) {
                    self.ssh_keys_of.remove(&(key.user, *id));
                }
            }
            RecordKey::SigningCertificate(id) => {
                if let Some(held) = self.signing.remove(id) {
                    self.signing_of.remove(&(held.owner, id.clone()));
                }
            }
            RecordKey::ServerCertificate(id) => {
                self.certificates.remove(id);
            }
            RecordKey::ServiceCredential(id) => {
                if let Some(held) = self.services.remove(id) {
                    self.services_of.remove(&(held.user, *id));
                    self.services_named.remove(&(held.name.clone(), *id));
                }
            }
            RecordKey::ServiceCredentialUse(id) => {
                self.service_uses.remove(id);
            }
            RecordKey::MfaDevice(serial) => {
                self.unassign(serial);
                self.devices.remove(serial);
            }
            RecordKey::OidcProvider(issuer) => {
                self.oidc.remove(issuer);
            }
            RecordKey::SamlProvider(name) => {
                self.saml.remove(name);
            }
            RecordKey::SamlMetadata(name, part) => {
                self.saml_metadata.remove(&(name.clone(), *part));
            }
            RecordKey::Settings => self.settings = Arc::default(),
            RecordKey::CredentialReport(part) => {
                self.credential_report.remove(part);
            }
            RecordKey::AccessReport(id) => {
                self.access_reports.remove(id);
            }
            RecordKey::DeletionTask(id) => {
                self.deletions.remove(id);
            }
            RecordKey::Retry(id) => {
                self.retries.remove(id);
            }
        }
    }

    fn rebound(&mut self, id: UniqueId, boundary: Option<&Arn>) {
        let held = self.user(&id).and_then(|user| user.boundary.clone());
        let held = held.or_else(|| self.role(&id).and_then(|role| role.boundary.clone()));
        if let Some(old) = held {
            self.bounding.remove(&(old, id));
        }
        if let Some(new) = boundary {
            self.bounding.insert((new.clone(), id));
        }
    }

    fn unassign(&mut self, serial: &Folded) {
        if let Some(owner) = self.devices.get(serial).and_then(|device| device.owner()) {
            self.devices_of.remove(&(owner, serial.clone()));
        }
    }

    fn unlink_profile(&mut self, id: &UniqueId) {
        if let Some(role) = self.profiles.with_id(id).and_then(|profile| profile.role) {
            self.profiles_of.remove(&(role, *id));
        }
    }
}

/// Look-ups. Names are matched without regard to case; lists come in order of folded names.
impl Account {
    /// The user of this name.
    pub fn user_named(&self, name: &str) -> Option<&Arc<User>> {
        self.users.named(name)
    }

    /// The user of this id.
    pub fn user(&self, id: &UniqueId) -> Option<&Arc<User>> {
        self.users.with_id(id)
    }

    /// Every user.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        self.users.by_name.values()
    }

    /// The group of this name.
    pub fn group_named(&self, name: &str) -> Option<&Arc<Group>> {
        self.groups.named(name)
    }

    /// The group of this id.
    pub fn group(&self, id: &UniqueId) -> Option<&Arc<Group>> {
        self.groups.with_id(id)
    }

    /// Every group.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Arc<Group>> {
        self.groups.by_name.values()
    }

    /// The role of this name.
    pub fn role_named(&self, name: &str) -> Option<&Arc<Role>> {
        self.roles.named(name)
    }

    /// The role of this id.
    pub fn role(&self, id: &UniqueId) -> Option<&Arc<Role>> {
        self.roles.with_id(id)
    }

    /// Every role.
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &Arc<Role>> {
        self.roles.by_name.values()
    }

    /// The instance profile of this name.
    pub fn instance_profile_named(&self, name: &str) -> Option<&Arc<InstanceProfile>> {
        self.profiles.named(name)
    }

    /// Every instance profile.
    pub fn instance_profiles(&self) -> impl ExactSizeIterator<Item = &Arc<InstanceProfile>> {
        self.profiles.by_name.values()
    }

    /// The instance profiles that hold a role.
    pub fn instance_profiles_of(
        &self,
        role: UniqueId,
    ) -> impl Iterator<Item = &Arc<InstanceProfile>> {
        seconds(&self.profiles_of, role).filter_map(|id| self.profiles.with_id(id))
    }

    /// The customer managed policy of this name.
    pub fn policy_named(&self, name: &str) -> Option<&Arc<Policy>> {
        self.policies.named(name)
    }

    /// The customer managed policy of this id.
    pub fn policy(&self, id: &UniqueId) -> Option<&Arc<Policy>> {
        self.policies.with_id(id)
    }

    /// Every customer managed policy.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = &Arc<Policy>> {
        self.policies.by_name.values()
    }

    /// A version of a customer managed policy.
    pub fn version(&self, policy: UniqueId, number: u32) -> Option<&Arc<PolicyVersion>> {
        self.versions.get(&(policy, number))
    }

    /// The versions of a customer managed policy, oldest first.
    pub fn versions(&self, policy: UniqueId) -> impl Iterator<Item = &Arc<PolicyVersion>> {
        values(&self.versions, policy)
    }

    /// An inline policy; its name is matched with its case.
    pub fn inline_policy(&self, owner: UniqueId, name: &PolicyName) -> Option<&Arc<InlinePolicy>> {
        self.inline.get(&(owner, name.clone()))
    }

    /// The inline policies of a user, group or role.
    pub fn inline_policies(&self, owner: UniqueId) -> impl Iterator<Item = &Arc<InlinePolicy>> {
        values(&self.inline, owner)
    }

    /// The ARNs of the managed policies attached to a user, group or role.
    pub fn attached(&self, owner: UniqueId) -> impl Iterator<Item = &Arn> {
        seconds(&self.attachments, owner)
    }

    /// Whether a managed policy is attached to a user, group or role.
    pub fn is_attached(&self, owner: UniqueId, policy: &Arn) -> bool {
        self.attachments.contains(&(owner, policy.clone()))
    }

    /// The users, groups and roles to which a managed policy is attached.
    pub fn attached_to(&self, policy: &Arn) -> impl Iterator<Item = UniqueId> {
        seconds(&self.attached_to, policy.clone()).copied()
    }

    /// The users and roles that a managed policy bounds.
    pub fn bounded_by(&self, policy: &Arn) -> impl Iterator<Item = UniqueId> {
        seconds(&self.bounding, policy.clone()).copied()
    }

    /// The groups of a user.
    pub fn groups_of(&self, user: UniqueId) -> impl Iterator<Item = &Arc<Group>> {
        seconds(&self.groups_of, user).filter_map(|group| self.group(group))
    }

    /// The users of a group.
    pub fn members_of(&self, group: UniqueId) -> impl Iterator<Item = &Arc<User>> {
        seconds(&self.members_of, group).filter_map(|user| self.user(user))
    }

    /// Whether a user is in a group.
    pub fn is_member(&self, user: UniqueId, group: UniqueId) -> bool {
        self.groups_of.contains(&(user, group))
    }

    /// An access key.
    pub fn access_key(&self, id: &AccessKeyId) -> Option<&Arc<AccessKey>> {
        self.keys.get(id)
    }

    /// The access keys of a user or of root, in order of their ids.
    pub fn keys_of(&self, owner: Owner) -> impl Iterator<Item = &Arc<AccessKey>> {
        seconds(&self.keys_of, owner).filter_map(|id| self.keys.get(id))
    }

    /// Every access key, in order of the ids.
    pub fn access_keys(&self) -> impl ExactSizeIterator<Item = &Arc<AccessKey>> {
        self.keys.values()
    }

    /// The last use of an access key, if it was ever used.
    pub fn key_use(&self, id: &AccessKeyId) -> Option<&Arc<KeyUse>> {
        self.key_uses.get(id)
    }

    /// The last use of a role, if it was ever used.
    pub fn role_use(&self, id: &UniqueId) -> Option<&Arc<RoleUse>> {
        self.role_uses.get(id)
    }

    /// The actions that a user or role ever asked for, in order of their names.
    pub fn action_uses(&self, principal: UniqueId) -> impl Iterator<Item = &Arc<ActionUse>> {
        values(&self.action_uses, principal)
    }

    /// A user's password.
    pub fn login_profile(&self, user: &UniqueId) -> Option<&Arc<LoginProfile>> {
        self.logins.get(user)
    }

    /// The last sign-in of a user with its password, if there was one.
    pub fn password_use(&self, user: &UniqueId) -> Option<&Arc<PasswordUse>> {
        self.password_uses.get(user)
    }

    /// A session of the console, over or not.
    pub fn console_session(&self, id: &str) -> Option<&Arc<ConsoleSession>> {
        self.consoles.get(id)
    }

    /// The console sessions of a user or of root, in order of their ids.
    pub fn console_sessions_of(&self, owner: Owner) -> impl Iterator<Item = &Arc<ConsoleSession>> {
        seconds(&self.consoles_of, owner).filter_map(|id| self.consoles.get(id))
    }

    /// Every console session, over or not.
    pub fn console_sessions(&self) -> impl ExactSizeIterator<Item = &Arc<ConsoleSession>> {
        self.consoles.values()
    }

    /// An SSH public key.
    pub fn ssh_public_key(&self, id: &UniqueId) -> Option<&Arc<SshPublicKey>> {
        self.ssh_keys.get(id)
    }

    /// The SSH public keys of a user, in order of their ids.
    pub fn ssh_public_keys_of(&self, user: UniqueId) -> impl Iterator<Item = &Arc<SshPublicKey>> {
        seconds(&self.ssh_keys_of, user).filter_map(|id| self.ssh_keys.get(id))
    }

    /// A signing certificate.
    pub fn signing_certificate(&self, id: &CertificateId) -> Option<&Arc<SigningCertificate>> {
        self.signing.get(id)
    }

    /// The signing certificates of a user or of root, in order of their ids.
    pub fn signing_certificates_of(
        &self,
        owner: Owner,
    ) -> impl Iterator<Item = &Arc<SigningCertificate>> {
        seconds(&self.signing_of, owner).filter_map(|id| self.signing.get(id))
    }

    /// Every signing certificate.
    pub fn signing_certificates(&self) -> impl Iterator<Item = &Arc<SigningCertificate>> {
        self.signing.values()
    }

    /// The server certificate of this name.
    pub fn server_certificate_named(&self, name: &str) -> Option<&Arc<ServerCertificate>> {
        self.certificates.named(name)
    }

    /// Every server certificate.
    pub fn server_certificates(&self) -> impl ExactSizeIterator<Item = &Arc<ServerCertificate>> {
        self.certificates.by_name.values()
    }

    /// A service-specific credential.
    pub fn service_credential(&self, id: &UniqueId) -> Option<&Arc<ServiceCredential>> {
        self.services.get(id)
    }

    /// The service-specific credentials of a user, in order of their ids.
    pub fn service_credentials_of(
        &self,
        user: UniqueId,
    ) -> impl Iterator<Item = &Arc<ServiceCredential>> {
        seconds(&self.services_of, user).filter_map(|id| self.services.get(id))
    }

    /// The service-specific credentials with a name to sign in; its case counts.
    pub fn service_credentials_named(
        &self,
        name: &str,
    ) -> impl Iterator<Item = &Arc<ServiceCredential>> {
        seconds(&self.services_named, name.to_owned()).filter_map(|id| self.services.get(id))
    }

    /// Every service-specific credential, in order of their ids.
    pub fn service_credentials(&self) -> impl Iterator<Item = &Arc<ServiceCredential>> {
        self.services.values()
    }

    /// The last use of a service-specific credential, if it was ever used.
    pub fn service_credential_use(&self, id: &UniqueId) -> Option<&Arc<ServiceCredentialUse>> {
        self.service_uses.get(id)
    }

    /// The MFA device of this serial number.
    pub fn mfa_device(&self, serial: &str) -> Option<&Arc<MfaDevice>> {
        self.devices.get(&Folded::of(serial))
    }

    /// Every MFA device, assigned or not, in order of their serial numbers.
    pub fn mfa_devices(&self) -> impl ExactSizeIterator<Item = &Arc<MfaDevice>> {
        self.devices.values()
    }

    /// The MFA devices of a user or of root, in order of their serial numbers.
    pub fn mfa_devices_of(&self, owner: Owner) -> impl Iterator<Item = &Arc<MfaDevice>> {
        seconds(&self.devices_of, owner).filter_map(|serial| self.devices.get(serial))
    }

    /// How many MFA devices are somebody's.
    pub fn mfa_devices_in_use(&self) -> usize {
        self.devices_of.len()
    }

    /// The OIDC provider that stands there; case counts.
    pub fn oidc_provider(&self, issuer: &OidcIssuer) -> Option<&Arc<OidcProvider>> {
        self.oidc.get(issuer)
    }

    /// Every OIDC provider, in order of where they stand.
    pub fn oidc_providers(&self) -> impl ExactSizeIterator<Item = &Arc<OidcProvider>> {
        self.oidc.values()
    }

    /// The SAML provider of this name.
    pub fn saml_provider_named(&self, name: &str) -> Option<&Arc<SamlProvider>> {
        self.saml.get(&Folded::of(name))
    }

    /// Every SAML provider.
    pub fn saml_providers(&self) -> impl ExactSizeIterator<Item = &Arc<SamlProvider>> {
        self.saml.values()
    }

    /// The metadata document of a SAML provider, byte for byte as it was given.
    pub fn saml_metadata(&self, provider: &SamlProvider) -> String {
        let parts = values(&self.saml_metadata, provider.name.folded());
        parts.map(|part| part.text.as_str()).collect()
    }

    /// The settings of the account.
    pub fn settings(&self) -> &AccountSettings {
        &self.settings
    }

    /// A deletion of a service-linked role.
    pub fn deletion_task(&self, id: &str) -> Option<&Arc<DeletionTask>> {
        self.deletions.get(id)
    }

    /// Every such deletion that is remembered.
    pub fn deletion_tasks(&self) -> impl ExactSizeIterator<Item = &Arc<DeletionTask>> {
        self.deletions.values()
    }

    /// The parts of the credential report, in order; none before the first was made.
    pub fn credential_report(&self) -> impl ExactSizeIterator<Item = &Arc<CredentialReport>> {
        self.credential_report.values()
    }

    /// A report of last accesses.
    pub fn access_report(&self, id: &str) -> Option<&Arc<AccessReport>> {
        self.access_reports.get(id)
    }

    /// Every report of last accesses, in order of their ids.
    pub fn access_reports(&self) -> impl ExactSizeIterator<Item = &Arc<AccessReport>> {
        self.access_reports.values()
    }

    /// A remembered answer.
    pub fn retry(&self, key: &str) -> Option<&Arc<Retry>> {
        self.retries.get(key)
    }

    /// Every remembered answer.
    pub fn retries(&self) -> impl Iterator<Item = &Arc<Retry>> {
        self.retries.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_identifiers::{IdKind, Path, TagSet};
    use jiff::Timestamp;

    fn account() -> Account {
        Account::new(AccountInfo {
            id: "123456789012".parse().unwrap(),
            name: None,
            partition: Partition::Aws,
            created: Timestamp::UNIX_EPOCH,
            alias: None,
        })
    }

    fn id(kind: IdKind, number: u8) -> UniqueId {
        UniqueId::from_random(kind, [number; 11])
    }

    fn user(number: u8, name: &str, boundary: Option<&str>) -> Record {
        Record::User(Arc::new(User {
            id: id(IdKind::User, number),
            name: name.parse().unwrap(),
            path: Path::root(),
            created: Timestamp::UNIX_EPOCH,
            tags: TagSet::default(),
            boundary: boundary.map(|arn| arn.parse().unwrap()),
        }))
    }

    #[test]
    fn names_are_found_without_case_and_move_with_a_rename() {
        let mut account = account();
        account.put(user(1, "Alice", None));
        assert_eq!(account.user_named("aLICE").unwrap().name.as_str(), "Alice");
        account.put(user(1, "bob", None));
        assert!(account.user_named("alice").is_none());
        assert_eq!(account.user(&id(IdKind::User, 1)).unwrap().name.as_str(), "bob");
        account.remove(&RecordKey::User(id(IdKind::User, 1)));
        assert_eq!(account.users().len(), 0);
        assert!(account.user_named("bob").is_none());
    }

    #[test]
    fn edges_are_found_from_both_ends_and_only_theirs() {
        let mut account = account();
        let policy: Arn = "arn:aws:iam::123456789012:policy/p".parse().unwrap();
        for number in [1, 2, 3] {
            account.put(user(number, &format!("u{number}"), None));
            let owner = id(IdKind::User, number);
            account.put(Record::Attachment(Attachment { owner, policy: policy.clone() }));
            account
                .put(Record::Membership(Membership { user: owner, group: id(IdKind::Group, 9) }));
        }
        let middle = id(IdKind::User, 2);
        assert_eq!(account.attached(middle).count(), 1);
        assert_eq!(account.attached_to(&policy).count(), 3);
        assert_eq!(account.members_of(id(IdKind::Group, 9)).count(), 3);
        account.remove(&RecordKey::Attachment(middle, policy.clone()));
        account.remove(&RecordKey::Membership(middle, id(IdKind::Group, 9)));
        assert_eq!(account.attached(middle).count(), 0);
        assert_eq!(account.attached_to(&policy).count(), 2);
        assert_eq!(account.members_of(id(IdKind::Group, 9)).count(), 2);
    }

    #[test]
    fn a_boundary_is_counted_once_wherever_it_moves() {
        let mut account = account();
        let (one, two) =
            ("arn:aws:iam::123456789012:policy/a", "arn:aws:iam::123456789012:policy/b");
        account.put(user(1, "alice", Some(one)));
        account.put(user(1, "alice", Some(two)));
        assert_eq!(account.bounded_by(&one.parse().unwrap()).count(), 0);
        assert_eq!(account.bounded_by(&two.parse().unwrap()).count(), 1);
        account.put(user(1, "alice", None));
        assert_eq!(account.bounded_by(&two.parse().unwrap()).count(), 0);
    }

    #[test]
    fn a_clone_does_not_see_later_changes() {
        let mut account = account();
        account.put(user(1, "alice", None));
        let before = account.clone();
        account.remove(&RecordKey::User(id(IdKind::User, 1)));
        assert!(before.user_named("alice").is_some());
        assert!(account.user_named("alice").is_none());
    }
}
