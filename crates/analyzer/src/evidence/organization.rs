//! The organization: its accounts, its tree, and its policies with what they hang on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_identifiers::AccountId;
use bailiwick_model::Found;
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use serde::Deserialize;

use super::part::{Missing, Part};
use super::text::{Fault, Text};
use crate::estate::Organization;

/// How deep units lie in each other: AWS allows five.
const MAX_LEVELS: usize = 16;

/// The organization as a whole.
#[derive(Clone, Debug, Default)]
pub struct Organizations {
    /// Its id, `o-...`.
    pub id: String,
    /// The management account.
    pub management_account: String,
    /// `ALL` or `CONSOLIDATED_BILLING`.
    pub feature_set: String,
    /// The policy types that are on at the root.
    pub policy_types: Part<BTreeSet<String>>,
    /// The accounts: id to name and status.
    pub accounts: Part<BTreeMap<String, (String, String)>>,
    /// The root and the units.
    pub units: BTreeMap<String, OrganizationUnit>,
    /// The unit or root in which an account or unit lies.
    pub parents: BTreeMap<String, String>,
    /// The policies by id.
    pub policies: Part<BTreeMap<String, OrganizationPolicy>>,
    /// The policy types of which the list was given.
    pub listed: BTreeSet<String>,
    /// The delegated administrators.
    pub delegated: Part<BTreeSet<String>>,
    /// Features of central root access that are on.
    pub root_features: Part<BTreeSet<String>>,
}

/// A root or a unit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OrganizationUnit {
    /// Its id, `r-...` or `ou-...`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The type of an organization's policy, as AWS names it: `SERVICE_CONTROL_POLICY`.
pub type PolicyKindName = String;

/// A policy of the organization.
#[derive(Clone, Debug)]
pub struct OrganizationPolicy {
    /// Its id, `p-...`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: PolicyKindName,
    /// The ids of accounts, units and roots that it is attached to. Missing: not given.
    pub targets: Part<BTreeSet<String>>,
    /// The text. Missing: not given, or it cannot be read.
    pub document: Part<Arc<Document>>,
}

impl Organizations {
    /// The path from the root to an account or unit, itself last; nothing if it is not known.
    pub fn path(&self, id: &str) -> Option<Vec<&str>> {
        let (id, _) = self.parents.get_key_value(id)?;
        let mut path = vec![id.as_str()];
        let mut at = id.as_str();
        while let Some(parent) = self.parents.get(at) {
            if path.len() > MAX_LEVELS {
                return None;
            }
            path.push(parent);
            at = parent;
        }
        path.reverse();
        path.first().is_some_and(|root| root.starts_with("r-")).then_some(path)
    }

    /// The policies of a kind by level, from the root to an account. Nothing if the tree, a text
    /// or a target is not known.
    pub fn levels(&self, account: &str, kind: &str) -> Option<Vec<Vec<Found>>> {
        let on = self.policy_types.known()?;
        if !on.contains(kind) {
            return Some(Vec::new());
        }
        // A list that was not given is not an empty one.
        let policies = self.policies.known().filter(|_| self.listed.contains(kind))?;
        let path = self.path(account)?;
        let source = if kind == SCP { SourceKind::Scp } else { SourceKind::Rcp };
        let level = |target: &&str| {
            let mut found = Vec::new();
            for policy in policies.values().filter(|policy| policy.kind == kind) {
                if policy.targets.known()?.contains(*target) {
                    let document = Arc::clone(policy.document.known()?);
                    let source = Source::managed(policy.arn.as_str(), source.clone());
                    found.push(Found { source, document });
                }
            }
            Some(found)
        };
        path.iter().map(level).collect()
    }

    /// What bears on one account.
    pub fn of(&self, account: AccountId) -> Option<Organization> {
        let id = account.to_string();
        let accounts = self.accounts.known().map_or_else(
            || vec![account],
            |accounts| accounts.keys().filter_map(|id| id.parse().ok()).collect(),
        );
        Some(Organization {
            id: Some(self.id.clone()),
            accounts,
            management: self.management_account == id,
            scps: self.levels(&id, SCP)?,
            rcps: self.levels(&id, RCP)?,
        })
    }
}

/// The type of service control policies.
pub(crate) const SCP: &str = "SERVICE_CONTROL_POLICY";
/// The type of resource control policies.
pub(crate) const RCP: &str = "RESOURCE_CONTROL_POLICY";

/// The files of an organization under way.
#[derive(Default)]
pub(super) struct Gathered {
    found: Organizations,
    pub(super) organization: Part<Option<()>>,
    lists: Part<BTreeMap<String, Listed>>,
    targets: BTreeMap<String, Part<BTreeSet<String>>>,
    texts: BTreeMap<String, Part<Arc<Document>>>,
}

/// A policy in a list.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    arn: String,
    #[serde(default)]
    name: String,
    #[serde(rename = "Type", default)]
    kind: String,
}

impl Gathered {
    /// Reads a file of the folder `organization`, by its path below.
    pub(super) fn file(&mut self, path: &[&str], text: &Text<'_>) -> Result<bool, Fault> {
        match path {
            ["organization.json"] => self.description(text)?,
            ["roots.json"] => self.roots(text)?,
            ["accounts.json"] => {
                let list = accounts(text)?;
                if let Some(accounts) = self.found.accounts.gather() {
                    accounts
                        .extend(list.into_iter().map(|(id, name, status)| (id, (name, status))));
                }
            }
            ["units", file] => self.units(stem(file), text)?,
            ["accounts", file] => {
                for (id, _, _) in accounts(text)? {
                    self.found.parents.insert(id, stem(file).to_owned());
                }
            }
            ["policies", file] => {
                self.list(text)?;
                self.found.listed.insert(stem(file).to_owned());
            }
            ["policy", file] => {
                let document = document(text)?;
                self.texts.insert(stem(file).to_owned(), Part::Known(document));
            }
            ["targets", file] => {
                let found = targets(text)?;
                self.targets.insert(stem(file).to_owned(), Part::Known(found));
            }
            ["delegated-administrators.json"] => self.delegated(text)?,
            ["root-features.json"] => self.root_features(text)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A call that failed, by the path of its file.
    pub(super) fn refused(&mut self, path: &[&str], missing: &Missing, text: &str) -> bool {
        match path {
            ["organization.json"] if text.contains("AWSOrganizationsNotInUse") => {
                self.organization = Part::Known(None);
            }
            ["organization.json"] => self.organization = Part::Missing(missing.clone()),
            ["roots.json"] => self.found.policy_types = Part::Missing(missing.clone()),
            ["accounts.json"] => self.found.accounts = Part::Missing(missing.clone()),
            ["policy", file] => {
                self.texts.insert(stem(file).to_owned(), Part::Missing(missing.clone()));
            }
            ["targets", file] => {
                self.targets.insert(stem(file).to_owned(), Part::Missing(missing.clone()));
            }
            ["delegated-administrators.json"] => {
                self.found.delegated = Part::Missing(missing.clone());
            }
            ["root-features.json"] => self.found.root_features = Part::Missing(missing.clone()),
            // Its kind is not among the listed ones, its accounts have no way to the root.
            ["units" | "accounts" | "policies", _] => {}
            _ => return false,
        }
        true
    }

    /// The whole, once all files are read.
    pub(super) fn finish(mut self) -> Part<Option<Organizations>> {
        match self.organization {
            Part::Missing(missing) => return Part::Missing(missing),
            Part::Known(None) => return Part::Known(None),
            Part::Known(Some(())) => {}
        }
        self.found.policies = match self.lists {
            Part::Missing(missing) => Part::Missing(missing),
            Part::Known(lists) => Part::Known(
                lists
                    .into_values()
                    .map(|listed| {
                        let policy = OrganizationPolicy {
                            targets: self.targets.remove(&listed.id).unwrap_or_default(),
                            document: self.texts.remove(&listed.id).unwrap_or_default(),
                            arn: listed.arn,
                            name: listed.name,
                            kind: listed.kind,
                            id: listed.id.clone(),
                        };
                        (listed.id, policy)
                    })
                    .collect(),
            ),
        };
        Part::Known(Some(self.found))
    }

    fn description(&mut self, text: &Text<'_>) -> Result<(), Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Description {
            id: String,
            master_account_id: String,
            feature_set: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", expecting = "what `describe-organization` prints")]
        struct Form {
            organization: Description,
        }
        let form = text.json::<Form>()?.organization;
        self.found.id = form.id;
        self.found.management_account = form.master_account_id;
        self.found.feature_set = form.feature_set;
        self.organization = Part::Known(Some(()));
        Ok(())
    }

    fn roots(&mut self, text: &Text<'_>) -> Result<(), Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Type {
            #[serde(rename = "Type")]
            kind: String,
            status: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Root {
            id: String,
            #[serde(default)]
            name: String,
            #[serde(default)]
            policy_types: Vec<Type>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", expecting = "what `organizations list-roots` prints")]
        struct Form {
            roots: Vec<Root>,
        }
        for root in text.json::<Form>()?.roots {
            let on = root.policy_types.into_iter().filter(|kind| kind.status == "ENABLED");
            if let Some(types) = self.found.policy_types.gather() {
                types.extend(on.map(|kind| kind.kind));
            }
            let unit = OrganizationUnit { id: root.id.clone(), name: root.name };
            self.found.units.insert(root.id, unit);
        }
        Ok(())
    }

    fn units(&mut self, parent: &str, text: &Text<'_>) -> Result<(), Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Unit {
            id: String,
            #[serde(default)]
            name: String,
        }
        #[derive(Deserialize)]
        #[serde(
            rename_all = "PascalCase",
            expecting = "what `list-organizational-units-for-parent` prints"
        )]
        struct Form {
            organizational_units: Vec<Unit>,
        }
        for unit in text.json::<Form>()?.organizational_units {
            self.found.parents.insert(unit.id.clone(), parent.to_owned());
            let kept = OrganizationUnit { id: unit.id.clone(), name: unit.name };
            self.found.units.insert(unit.id, kept);
        }
        Ok(())
    }

    fn list(&mut self, text: &Text<'_>) -> Result<(), Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", expecting = "what `organizations list-policies` prints")]
        struct Form {
            policies: Vec<Listed>,
        }
        let list = text.json::<Form>()?.policies;
        if let Some(lists) = self.lists.gather() {
            lists.extend(list.into_iter().map(|listed| (listed.id.clone(), listed)));
        }
        Ok(())
    }

    fn delegated(&mut self, text: &Text<'_>) -> Result<(), Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Account {
            id: String,
        }
        #[derive(Deserialize)]
        #[serde(
            rename_all = "PascalCase",
            expecting = "what `list-delegated-administrators` prints"
        )]
        struct Form {
            delegated_administrators: Vec<Account>,
        }
        let list = text.json::<Form>()?.delegated_administrators;
        self.found.delegated = Part::Known(list.into_iter().map(|account| account.id).collect());
        Ok(())
    }

    fn root_features(&mut self, text: &Text<'_>) -> Result<(), Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", expecting = "what `list-organizations-features` prints")]
        struct Form {
            #[serde(default)]
            enabled_features: BTreeSet<String>,
        }
        self.found.root_features = Part::Known(text.json::<Form>()?.enabled_features);
        Ok(())
    }
}

fn accounts(text: &Text<'_>) -> Result<Vec<(String, String, String)>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Account {
        id: String,
        #[serde(default)]
        name: String,
        #[serde(default)]
        status: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `organizations list-accounts` prints")]
    struct Form {
        accounts: Vec<Account>,
    }
    let list = text.json::<Form>()?.accounts;
    Ok(list.into_iter().map(|account| (account.id, account.name, account.status)).collect())
}

fn targets(text: &Text<'_>) -> Result<BTreeSet<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Target {
        target_id: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `list-targets-for-policy` prints")]
    struct Form {
        targets: Vec<Target>,
    }
    Ok(text.json::<Form>()?.targets.into_iter().map(|target| target.target_id).collect())
}

/// The text of a policy. Types beside SCPs and RCPs have a language of their own and no document.
fn document(text: &Text<'_>) -> Result<Arc<Document>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Summary {
        #[serde(rename = "Type")]
        kind: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Policy {
        policy_summary: Summary,
        content: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `organizations describe-policy` prints")]
    struct Form {
        policy: Policy,
    }
    let form = text.json::<Form>()?.policy;
    let kind = match form.policy_summary.kind.as_str() {
        SCP => DocumentKind::ServiceControl,
        RCP => DocumentKind::ResourceControl,
        other => return Err(text.fault(0, &format!("a text of type `{other}` is not read"))),
    };
    Document::parse(&form.content, kind)
        .map(Arc::new)
        .map_err(|error| text.fault(0, &format!("the policy cannot be read: {error}")))
}

fn stem(file: &str) -> &str {
    file.strip_suffix(".json").unwrap_or(file)
}
