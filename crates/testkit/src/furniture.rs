//! An account with two of everything, so that every operation has something to work on, and
//! something that it must leave alone.

use serde_json::json;

use crate::authenticator::Authenticator;
use crate::certificates::{CHAIN, LEAF, LEAF_KEY, SIGNING, SSH, saml_metadata};
use crate::client::Client;
use crate::device::Device;
use crate::world::{HOME, World};

/// The console password of furnished users.
pub const PASSWORD: &str = "First-Horse-7x";

/// The path of all that is furnished.
const PATH: &str = "/team/";

/// A policy that allows these actions on everything.
pub fn allow(actions: &[&str]) -> String {
    allow_on(actions, &["*"])
}

/// A policy that allows everything.
pub fn allow_all() -> String {
    allow(&["*"])
}

/// A policy that allows these actions on these resources.
pub fn allow_on(actions: &[&str], resources: &[&str]) -> String {
    policy(&json!([{"Effect": "Allow", "Action": actions, "Resource": resources}]))
}

/// A policy that denies these actions and allows all others.
pub fn deny(actions: &[&str]) -> String {
    policy(&json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": actions, "Resource": "*"},
    ]))
}

/// A trust policy that lets a principal assume the role, tag the session and name its source.
pub fn trust(principal: &str) -> String {
    policy(&json!([{
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }]))
}

fn policy(statements: &serde_json::Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// The names of one set of entities. Two sets differ in their suffix.
#[derive(Clone, Debug)]
pub struct Furniture {
    /// The account.
    pub account: String,
    suffix: String,
    /// The key of the user that has everything.
    pub key: String,
    /// A decision that can be explained.
    pub decision: String,
    /// The SSH public key of that user.
    pub ssh_key: String,
    /// Its signing certificate.
    pub signing_certificate: String,
    /// Its service-specific credential.
    pub service_credential: String,
    /// The name and password of that.
    pub service_sign_in: (String, String),
    /// A deletion of a service-linked role.
    pub deletion_task: String,
    /// A report of the user's last accesses.
    pub access_report: String,
    /// Two codes in a row that its MFA device shows next.
    pub held_codes: [String; 2],
    /// Two codes in a row of a device that is nobody's.
    pub loose_codes: [String; 2],
    /// What a browser brings from a security key for the user that has everything.
    pub passkey: String,
}

impl Furniture {
    /// Puts a set into the administrator's account, which is [`HOME`].
    pub fn set(world: &World, suffix: &str) -> Self {
        Self::set_as(&world.admin, HOME, suffix)
    }

    /// Puts a set into the account of an administrator.
    pub fn set_as(admin: &Client, account: &str, suffix: &str) -> Self {
        let mut set = Self {
            account: account.into(),
            suffix: suffix.into(),
            key: String::new(),
            decision: String::new(),
            ssh_key: String::new(),
            signing_certificate: String::new(),
            service_credential: String::new(),
            service_sign_in: Default::default(),
            deletion_task: String::new(),
            access_report: String::new(),
            held_codes: Default::default(),
            loose_codes: Default::default(),
            passkey: String::new(),
        };
        set.policies(admin);
        set.users(admin);
        set.groups(admin);
        set.roles(admin);
        set.credentials(admin);
        set.devices(admin);
        set.providers(admin);
        set.linked_roles(admin);
        let about = [("Arn", &*set.arn("user", "Ann"))];
        let asked = admin.iam("GenerateServiceLastAccessedDetails", &about).ok();
        set.access_report = asked.text("JobId");
        set
    }

    /// A name of this set.
    pub fn name(&self, stem: &str) -> String {
        format!("{stem}{}", self.suffix)
    }

    /// The ARN of an entity of this set: `arn("role", "Worker")`.
    pub fn arn(&self, kind: &str, stem: &str) -> String {
        format!("arn:aws:iam::{}:{kind}{PATH}{}", self.account, self.name(stem))
    }

    /// The ARN of the OIDC provider of this set.
    pub fn oidc_provider(&self) -> String {
        let name = self.name("issuer.example.com/Held");
        format!("arn:aws:iam::{}:oidc-provider/{name}", self.account)
    }

    /// The ARN of the SAML provider of this set.
    pub fn saml_provider(&self) -> String {
        format!("arn:aws:iam::{}:saml-provider/{}", self.account, self.name("Corp"))
    }

    /// The name of the service-linked role of this set.
    pub fn linked_role(&self) -> String {
        format!("AWSServiceRoleForAutoScaling_{}", self.name("Kept"))
    }

    fn providers(&self, admin: &Client) {
        let url = format!("https://{}", self.name("issuer.example.com/Held"));
        let parameters = [
            ("Url", &*url),
            ("ClientIDList.member.1", "an-app"),
            ("ThumbprintList.member.1", "0123456789abcdef0123456789abcdef01234567"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blue"),
        ];
        admin.iam("CreateOpenIDConnectProvider", &parameters).ok();
        let metadata = saml_metadata(&url);
        let parameters = [
            ("Name", &*self.name("Corp")),
            ("SAMLMetadataDocument", &metadata),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blue"),
        ];
        admin.iam("CreateSAMLProvider", &parameters).ok();
    }

    fn linked_roles(&mut self, admin: &Client) {
        let service = ("AWSServiceName", "autoscaling.amazonaws.com");
        for stem in ["Kept", "Gone"] {
            let parameters = [service, ("CustomSuffix", &*self.name(stem))];
            admin.iam("CreateServiceLinkedRole", &parameters).ok();
        }
        let gone = format!("AWSServiceRoleForAutoScaling_{}", self.name("Gone"));
        let gone = admin.iam("DeleteServiceLinkedRole", &[("RoleName", &gone)]).ok();
        self.deletion_task = gone.text("DeletionTaskId");
    }

    fn policies(&self, admin: &Client) {
        for stem in ["Held", "Loose"] {
            let parameters = [
                ("PolicyName", &*self.name(stem)),
                ("Path", PATH),
                ("PolicyDocument", &allow(&["s3:GetObject"])),
                ("Tags.member.1.Key", "team"),
                ("Tags.member.1.Value", "blue"),
            ];
            admin.iam("CreatePolicy", &parameters).ok();
        }
        let parameters = [
            ("PolicyArn", &*self.arn("policy", "Held")),
            ("PolicyDocument", &allow(&["s3:PutObject"])),
        ];
        admin.iam("CreatePolicyVersion", &parameters).ok();
    }

    fn users(&mut self, admin: &Client) {
        for stem in ["Ann", "Spare"] {
            let parameters = [
                ("UserName", &*self.name(stem)),
                ("Path", PATH),
                ("PermissionsBoundary", &self.arn("policy", "Held")),
                ("Tags.member.1.Key", "team"),
                ("Tags.member.1.Value", "blue"),
            ];
            let made = admin.iam("CreateUser", &parameters).ok();
            self.decision = made.decision_id().expect("a decision");
        }
        let user = self.name("Ann");
        self.policies_of(admin, "User", "Ann");
        let login = [("UserName", &*user), ("Password", PASSWORD)];
        admin.iam("CreateLoginProfile", &login).ok();
        let key = admin.iam("CreateAccessKey", &[("UserName", &user)]).ok();
        self.key = key.text("AccessKey.AccessKeyId");
    }

    fn groups(&self, admin: &Client) {
        for stem in ["Crew", "Empty"] {
            let parameters = [("GroupName", &*self.name(stem)), ("Path", PATH)];
            admin.iam("CreateGroup", &parameters).ok();
        }
        self.policies_of(admin, "Group", "Crew");
        let parameters = [("GroupName", &*self.name("Crew")), ("UserName", &self.name("Ann"))];
        admin.iam("AddUserToGroup", &parameters).ok();
    }

    fn roles(&self, admin: &Client) {
        let principal = format!("arn:aws:iam::{}:root", self.account);
        for stem in ["Worker", "Idle"] {
            let parameters = [
                ("RoleName", &*self.name(stem)),
                ("Path", PATH),
                ("AssumeRolePolicyDocument", &trust(&principal)),
                ("PermissionsBoundary", &self.arn("policy", "Held")),
                ("Tags.member.1.Key", "team"),
                ("Tags.member.1.Value", "blue"),
            ];
            admin.iam("CreateRole", &parameters).ok();
        }
        self.policies_of(admin, "Role", "Worker");
        for stem in ["Full", "Hollow"] {
            let parameters = [
                ("InstanceProfileName", &*self.name(stem)),
                ("Path", PATH),
                ("Tags.member.1.Key", "team"),
                ("Tags.member.1.Value", "blue"),
            ];
            admin.iam("CreateInstanceProfile", &parameters).ok();
        }
        let parameters =
            [("InstanceProfileName", &*self.name("Full")), ("RoleName", &self.name("Worker"))];
        admin.iam("AddRoleToInstanceProfile", &parameters).ok();
    }

    fn credentials(&mut self, admin: &Client) {
        let user = self.name("Ann");
        let [ssh, _, _] = SSH;
        let key = [("UserName", &*user), ("SSHPublicKeyBody", ssh)];
        let key = admin.iam("UploadSSHPublicKey", &key).ok();
        self.ssh_key = key.text("SSHPublicKey.SSHPublicKeyId");
        // One certificate is held once in an account.
        let [one, two, _] = SIGNING;
        let body = if self.suffix == "Two" { two } else { one };
        let held = [("UserName", &*user), ("CertificateBody", body)];
        let held = admin.iam("UploadSigningCertificate", &held).ok();
        self.signing_certificate = held.text("Certificate.CertificateId");
        let parameters = [("UserName", &*user), ("ServiceName", "codecommit.amazonaws.com")];
        let made = admin.iam("CreateServiceSpecificCredential", &parameters).ok();
        let text = |member: &str| made.text(&format!("ServiceSpecificCredential.{member}"));
        self.service_credential = text("ServiceSpecificCredentialId");
        self.service_sign_in = (text("ServiceUserName"), text("ServicePassword"));
        let parameters = [
            ("ServerCertificateName", &*self.name("Cert")),
            ("Path", PATH),
            ("CertificateBody", LEAF),
            ("PrivateKey", LEAF_KEY),
            ("CertificateChain", CHAIN),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blue"),
        ];
        admin.iam("UploadServerCertificate", &parameters).ok();
    }

    fn devices(&mut self, admin: &Client) {
        let held = Device::new(admin, PATH, &self.name("Phone"));
        held.enable(admin, &self.name("Ann"));
        self.held_codes = [1, 2].map(|step| held.code(admin, step));
        let loose = Device::new(admin, PATH, &self.name("Drawer"));
        self.loose_codes = [0, 1].map(|step| loose.code(admin, step));
        let asked = [("UserName", &*self.name("Ann")), ("MFADeviceName", "Key")];
        let asked = admin.call("bailiwick", "BeginPasskeyRegistration", &asked).ok();
        let options = serde_json::from_str(&asked.text("CreationOptions")).expect("options");
        let number = if self.suffix == "Two" { 2 } else { 1 };
        self.passkey = Authenticator::new(number).create(&options).to_string();
    }

    fn policies_of(&self, admin: &Client, kind: &str, stem: &str) {
        let (member, name) = (format!("{kind}Name"), self.name(stem));
        let policy = self.arn("policy", "Held");
        let parameters = [(&*member, &*name), ("PolicyArn", &policy)];
        admin.iam(&format!("Attach{kind}Policy"), &parameters).ok();
        let document = allow(&["s3:ListBucket"]);
        let parameters =
            [(&*member, &*name), ("PolicyName", "Inline"), ("PolicyDocument", &document)];
        admin.iam(&format!("Put{kind}Policy"), &parameters).ok();
    }
}
