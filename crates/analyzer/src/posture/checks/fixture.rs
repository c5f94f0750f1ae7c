//! Accounts for the tests of checks: small, clean, and changed in one place.

use std::collections::BTreeMap;

use bailiwick_catalog::Catalog;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::evidence::{self, Evidence, File};
use crate::posture::audit::Audit;
use crate::posture::check::Results;
use crate::posture::report::ask;
use crate::posture::settings::Settings;
use crate::posture::{CHECKS, Outcome};
use crate::trail::{self, Uses};

/// The account of all fixtures.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The files of a folder, as texts by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) settings: Settings,
}

impl Folder {
    /// An account with nothing but what is given.
    pub(crate) fn new() -> Self {
        let mut folder = Self::default();
        folder.put("collected.json", &json!({"account": ACCOUNT}));
        folder
    }

    pub(crate) fn put(&mut self, path: &str, content: &Json) -> &mut Self {
        self.files.insert(path.to_owned(), content.to_string());
        self
    }

    pub(crate) fn journal(&mut self, content: &Json) {
        self.put("journal.json", content);
    }

    pub(crate) fn text(&mut self, path: &str, content: &str) -> &mut Self {
        self.files.insert(path.to_owned(), content.to_owned());
        self
    }

    /// The authorization details with these lists.
    pub(crate) fn details(
        &mut self,
        users: Json,
        groups: Json,
        roles: Json,
        policies: Json,
    ) -> &mut Self {
        let content = json!({
            "UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles,
            "Policies": policies,
        });
        self.put("authorization-details.json", &content)
    }

    pub(crate) fn read(&self) -> Evidence {
        let (events, files): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|(path, _)| path.starts_with("events/"));
        let files: Vec<File<'_>> = files
            .into_iter()
            .map(|(path, text)| File { name: path, path, bytes: text.as_bytes() })
            .collect();
        let mut evidence = evidence::read(&files, Catalog::embedded()).unwrap();
        if !events.is_empty() {
            let mut uses = Uses::default();
            for (path, text) in events {
                let told = trail::read(path, text.as_bytes(), &mut |event| {
                    uses.add(event, Catalog::embedded());
                });
                uses.file(path, 0, text.len() as u64, &told);
            }
            evidence.events = evidence::Part::Known(uses);
        }
        evidence
    }

    /// What a check says, as of 2026-06-01.
    pub(crate) fn ask(&self, id: &str) -> Results {
        let evidence = self.read();
        assert!(evidence.faults.is_empty(), "{:?}", evidence.faults);
        let audit = Audit::new(&evidence, &self.settings, now());
        let check = CHECKS.iter().flat_map(|group| group.iter()).find(|check| check.id == id);
        ask(check.unwrap_or_else(|| panic!("{id}")), &audit)
    }

    /// The outcome of a check.
    pub(crate) fn outcome(&self, id: &str) -> Outcome {
        let results = self.ask(id);
        if !results.failed.is_empty() {
            Outcome::Fail
        } else if !results.unassessed.is_empty() {
            Outcome::NotAssessed
        } else if results.passed > 0 {
            Outcome::Pass
        } else {
            Outcome::NotApplicable
        }
    }
}

/// A check with a folder that passes, and folders that differ in what it looks at, each of which
/// fails.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) clean: Folder,
    pub(crate) spoiled: Vec<Folder>,
}

impl Case {
    /// Cases of folders that pass, each against all the folders that must not.
    pub(super) fn against(
        id: &'static str,
        clean: impl IntoIterator<Item = Folder>,
        spoiled: &[Folder],
    ) -> Vec<Self> {
        clean.into_iter().map(|clean| Self { id, clean, spoiled: spoiled.to_vec() }).collect()
    }

    /// A case: each of `spoils` changes a copy of the clean folder.
    pub(crate) fn new(id: &'static str, clean: &Folder, spoils: &[&dyn Fn(&mut Folder)]) -> Self {
        let spoiled = spoils.iter().map(|spoil| {
            let mut folder = clean.clone();
            spoil(&mut folder);
            folder
        });
        Self { id, clean: clean.clone(), spoiled: spoiled.collect() }
    }
}

/// A folder made in one go.
pub(crate) fn folder(make: impl Fn(&mut Folder)) -> Folder {
    let mut folder = Folder::new();
    make(&mut folder);
    folder
}

/// The instant of all audits of fixtures.
pub(crate) fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// A user as the details show one; `more` is laid over it.
pub(crate) fn user(name: &str, more: Json) -> Json {
    let base = json!({
        "Path": "/", "UserName": name, "UserId": id("AIDA", name),
        "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
        "CreateDate": "2025-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
        "UserPolicyList": [], "Tags": [],
    });
    merged(base, more)
}

/// A group.
pub(crate) fn group(name: &str, more: Json) -> Json {
    let base = json!({
        "Path": "/", "GroupName": name, "GroupId": id("AGPA", name),
        "Arn": format!("arn:aws:iam::{ACCOUNT}:group/{name}"),
        "CreateDate": "2025-01-01T00:00:00Z", "AttachedManagedPolicies": [], "GroupPolicyList": [],
    });
    merged(base, more)
}

/// A role that EC2 may assume.
pub(crate) fn role(name: &str, more: Json) -> Json {
    let base = json!({
        "Path": "/", "RoleName": name, "RoleId": id("AROA", name),
        "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        "CreateDate": "2025-01-01T00:00:00Z", "InstanceProfileList": [],
        "AttachedManagedPolicies": [], "RolePolicyList": [], "Tags": [],
        "AssumeRolePolicyDocument": policy(json!([{
            "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }])),
        "RoleLastUsed": {"LastUsedDate": "2026-05-30T00:00:00Z", "Region": "eu-west-1"},
    });
    merged(base, more)
}

/// A customer managed policy with one version.
pub(crate) fn managed(name: &str, document: Json) -> Json {
    json!({
        "PolicyName": name, "PolicyId": id("ANPA", name), "Path": "/",
        "Arn": format!("arn:aws:iam::{ACCOUNT}:policy/{name}"), "DefaultVersionId": "v1",
        "AttachmentCount": 0, "IsAttachable": true,
        "CreateDate": "2025-01-01T00:00:00Z", "UpdateDate": "2025-01-01T00:00:00Z",
        "PolicyVersionList": [{
            "Document": document, "VersionId": "v1", "IsDefaultVersion": true,
            "CreateDate": "2025-01-01T00:00:00Z",
        }],
    })
}

/// A document of these statements.
pub(crate) fn policy(statements: Json) -> Json {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A statement that allows.
pub(crate) fn allow(action: &str, resource: &str) -> Json {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// The reference of an attached policy of the account.
pub(crate) fn attached(name: &str) -> Json {
    json!({"PolicyName": name, "PolicyArn": format!("arn:aws:iam::{ACCOUNT}:policy/{name}")})
}

/// The reference of an attached policy of AWS.
pub(crate) fn aws(name: &str) -> Json {
    json!({"PolicyName": name, "PolicyArn": format!("arn:aws:iam::aws:policy/{name}")})
}

/// One object laid over another.
pub(crate) fn merged(mut base: Json, more: Json) -> Json {
    if let (Json::Object(base), Json::Object(more)) = (&mut base, more) {
        base.extend(more);
    }
    base
}

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
    password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
    access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
    cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// A credential report: root as it should be, and rows; each is a name and columns that differ from
/// those of a user without any credential.
pub(crate) fn report(rows: &[(&str, &[(&str, &str)])]) -> String {
    let columns: Vec<&str> = HEADER.split(',').collect();
    let mut text = format!("{HEADER}\n");
    let has_root = rows.iter().any(|(name, _)| *name == "<root_account>");
    let root: &[(&str, &[(&str, &str)])] = &[("<root_account>", &[])];
    for (name, changes) in root.iter().filter(|_| !has_root).chain(rows) {
        let is_root = *name == "<root_account>";
        let cells = columns.iter().map(|column| {
            if let Some((_, value)) = changes.iter().find(|(changed, _)| changed == column) {
                return (*value).to_owned();
            }
            match *column {
                "user" => (*name).to_owned(),
                "arn" if is_root => format!("arn:aws:iam::{ACCOUNT}:root"),
                "arn" => format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
                "user_creation_time" => "2025-01-01T00:00:00+00:00".to_owned(),
                "password_enabled" | "password_last_changed" if is_root => {
                    "not_supported".to_owned()
                }
                "mfa_active" if is_root => "true".to_owned(),
                "password_enabled"
                | "mfa_active"
                | "access_key_1_active"
                | "access_key_2_active"
                | "cert_1_active"
                | "cert_2_active" => "false".to_owned(),
                "password_last_used" => "no_information".to_owned(),
                _ => "N/A".to_owned(),
            }
        });
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// A unique id of the right form, from a name.
fn id(prefix: &str, name: &str) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut text = prefix.to_owned();
    for round in 0..17_u8 {
        for byte in name.bytes().chain([round]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let at = usize::try_from(hash >> 40).unwrap_or_default() % letters.len();
        text.push(char::from(letters[at]));
    }
    text
}

/// An organization with a management account (999999999999) and the fixtures' account, both below
/// the root `r-1`, and these SCPs: id, text, targets.
pub(crate) fn organization(f: &mut Folder, scps: &[(&str, &Json, &[&str])]) {
    let description = json!({"Id": "o-1", "MasterAccountId": "999999999999", "FeatureSet": "ALL"});
    f.put("organization/organization.json", &json!({"Organization": description}));
    let types = json!([
        {"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"},
        {"Type": "RESOURCE_CONTROL_POLICY", "Status": "ENABLED"},
    ]);
    f.put("organization/roots.json", &json!({"Roots": [{"Id": "r-1", "PolicyTypes": types}]}));
    let accounts = json!([
        {"Id": ACCOUNT, "Name": "member", "Status": "ACTIVE"},
        {"Id": "999999999999", "Name": "main", "Status": "ACTIVE"},
    ]);
    f.put("organization/accounts.json", &json!({"Accounts": accounts}));
    f.put("organization/accounts/r-1.json", &json!({"Accounts": accounts}));
    f.put("organization/units/r-1.json", &json!({"OrganizationalUnits": []}));
    f.put("organization/policies/RESOURCE_CONTROL_POLICY.json", &json!({"Policies": []}));
    let mut list = Vec::new();
    for (id, text, targets) in scps {
        let arn =
            format!("arn:aws:organizations::999999999999:policy/o-1/service_control_policy/{id}");
        let summary = json!({"Id": id, "Arn": arn, "Name": id, "Type": "SERVICE_CONTROL_POLICY"});
        let policy = json!({"PolicySummary": summary, "Content": text.to_string()});
        f.put(&format!("organization/policy/{id}.json"), &json!({"Policy": policy}));
        let targets: Vec<Json> = targets.iter().map(|id| json!({"TargetId": id})).collect();
        f.put(&format!("organization/targets/{id}.json"), &json!({"Targets": targets}));
        list.push(summary);
    }
    f.put("organization/policies/SERVICE_CONTROL_POLICY.json", &json!({"Policies": list}));
}

/// Asks all cases and tells everything that is not as it should be.
pub(crate) fn turns(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let files = |folder: &Folder| format!("{:?}", folder.files.values().collect::<Vec<_>>());
        let results = case.clean.ask(case.id);
        if case.clean.outcome(case.id) != Outcome::Pass {
            let (failed, gaps) = (&results.failed, &results.unassessed);
            let tells = format!("{failed:?} {gaps:?}");
            wrong.push(format!("{} case {number} clean: {tells}\n{}", case.id, files(&case.clean)));
        }
        for (at, folder) in case.spoiled.iter().enumerate() {
            if folder.outcome(case.id) != Outcome::Fail {
                wrong.push(format!("{} spoiled {at} does not fail: {}", case.id, files(folder)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
