//! Callers that stand for all: each one that the policies name, and for each account one of every
//! kind that they do not.

use std::collections::BTreeSet;

use bailiwick_identifiers::{AccountId, IdKind, UniqueId};
use bailiwick_policy::{Document, Principal, PrincipalType};

/// A caller, and whether it stands for others of its kind and account.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    /// It has a name that stands for all names which the policies do not mention.
    pub(crate) any_name: bool,
    /// Its account stands for all accounts that the policies do not mention.
    pub(crate) any_account: bool,
}

/// The callers of a question about resource policies.
pub(crate) struct Callers {
    pub(crate) list: Vec<Caller>,
    /// The ARNs that are named.
    pub(crate) named: Vec<String>,
    /// Why the list may leave somebody out.
    pub(crate) gap: Option<&'static str>,
}

/// How many accounts a question may name.
const MAX_ACCOUNTS: usize = 200;

impl Callers {
    /// The callers that these documents tell apart.
    pub(crate) fn of<'d>(documents: impl Iterator<Item = &'d Document> + Clone) -> Self {
        let mut accounts: BTreeSet<&str> = BTreeSet::new();
        let mut partitions: BTreeSet<&str> = BTreeSet::from(["aws"]);
        for document in documents.clone() {
            accounts.extend(accounts_in(document.source()));
            let all = ["aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"];
            let named = |p: &&str| document.source().contains(&format!("arn:{p}:"));
            partitions.extend(all.into_iter().filter(named));
        }
        let mut out = Self { list: Vec::new(), named: Vec::new(), gap: None };
        if accounts.len() > MAX_ACCOUNTS {
            out.gap = Some("the policies name too many accounts");
        }
        let fresh = ["999999999999", "888888888888", "777777777777", "666666666666"];
        let fresh = fresh.into_iter().find(|id| !accounts.contains(id)).unwrap_or("555555555555");
        for account in accounts.iter().take(MAX_ACCOUNTS).copied().chain([fresh]) {
            for partition in &partitions {
                out.strangers(partition, account, account == fresh);
            }
        }
        for document in documents {
            for entry in document.principals() {
                out.entry(entry.kind, entry.text);
            }
        }
        out.sessions();
        out.list.push(Caller::exact(Principal::Service {
            names: ["example.amazonaws.com".into()].into(),
        }));
        out.related_services();
        out.list.push(Caller::exact(Principal::Federated { provider: "idp.example".into() }));
        out.list.push(Caller::exact(Principal::Anonymous));
        out
    }

    /// Those of an account whom no policy names.
    fn strangers(&mut self, partition: &str, account: &str, any_account: bool) {
        let name = "bailiwick-example";
        let texts = [
            format!("arn:{partition}:iam::{account}:user/{name}"),
            format!("arn:{partition}:sts::{account}:assumed-role/{name}/session"),
            format!("arn:{partition}:iam::{account}:root"),
            format!("arn:{partition}:sts::{account}:federated-user/{name}"),
        ];
        for (at, text) in texts.iter().enumerate() {
            let found = Principal::from_arn(text);
            self.list.extend(found.map(|principal| Caller {
                principal,
                any_name: at != 2,
                any_account,
            }));
        }
    }

    fn entry(&mut self, kind: PrincipalType, text: &str) {
        match kind {
            PrincipalType::Bare => {}
            PrincipalType::CanonicalUser => {
                self.gap = Some("canonical users are not told apart");
            }
            PrincipalType::Service | PrincipalType::Federated | PrincipalType::Aws
                if text.contains(['*', '?']) && text != "*" =>
            {
                self.gap = Some("a principal has a wildcard in it");
            }
            PrincipalType::Service => {
                self.list.push(Caller::exact(Principal::Service { names: [text.into()].into() }));
            }
            PrincipalType::Federated => {
                self.list.push(Caller::exact(Principal::Federated { provider: text.into() }));
            }
            PrincipalType::Aws => self.aws(text),
        }
    }

    fn aws(&mut self, text: &str) {
        if let Ok(id) = text.parse::<UniqueId>() {
            self.with_id(id);
            return;
        }
        let Some(principal) = Principal::from_arn(text) else { return };
        self.named.push(text.to_owned());
        match &principal {
            Principal::User { account, .. } => {
                self.list.push(Caller::exact(Principal::FederatedUser {
                    arn: format!("arn:aws:sts::{account}:federated-user/bailiwick-example").into(),
                    name: "bailiwick-example".into(),
                    account: *account,
                    user_arn: text.into(),
                    user_id: None,
                }));
            }
            Principal::Role { .. } => self.list.extend(session_of(&principal, "session")),
            _ => {}
        }
        self.list.push(Caller::exact(principal));
    }

    /// A user or role that is known by its id alone.
    fn with_id(&mut self, id: UniqueId) {
        let Ok(account) = "555555555555".parse::<AccountId>() else { return };
        let user: Principal = Principal::User {
            arn: "arn:aws:iam::555555555555:user/bailiwick-example".into(),
            id,
            account,
            name: "bailiwick-example".into(),
        };
        let session = Principal::Session {
            role_arn: "arn:aws:iam::555555555555:role/bailiwick-example".into(),
            role_id: id,
            role_name: "bailiwick-example".into(),
            session_name: "session".into(),
            account,
            session_arn: "arn:aws:sts::555555555555:assumed-role/bailiwick-example/session".into(),
        };
        self.list.extend([Caller::exact(user), Caller::exact(session)]);
    }

    /// Named sessions of named roles: a session's ARN leaves the role's path out (PR-11).
    fn sessions(&mut self) {
        let principals: Vec<Principal> =
            self.list.iter().map(|caller| caller.principal.clone()).collect();
        for session in &principals {
            let Principal::Session { role_name, account, session_name, .. } = session else {
                continue;
            };
            for role in &principals {
                if let Principal::Role { name, account: owner, .. } = role
                    && name == role_name
                    && owner == account
                {
                    self.list.extend(session_of(role, session_name));
                }
            }
        }
    }

    /// One service under two names, such as one with its region.
    fn related_services(&mut self) {
        let names: Vec<_> = self
            .list
            .iter()
            .filter_map(|caller| match &caller.principal {
                Principal::Service { names } => names.first().cloned(),
                _ => None,
            })
            .collect();
        let mut seen = BTreeSet::new();
        for (at, left) in names.iter().enumerate() {
            for right in names.iter().skip(at + 1) {
                let same = left.split('.').next() == right.split('.').next();
                if same && left != right && seen.insert((left.clone(), right.clone())) {
                    let names = [left.clone(), right.clone()].into();
                    self.list.push(Caller::exact(Principal::Service { names }));
                }
            }
        }
    }
}

impl Caller {
    pub(crate) fn exact(principal: Principal) -> Self {
        Self { principal, any_name: false, any_account: false }
    }

    /// Who an identity policy is asked for, where nothing else is said.
    pub(crate) fn usual() -> Self {
        let user = Principal::from_arn("arn:aws:iam::123456789012:user/example");
        Self { principal: user.unwrap_or(Principal::Anonymous), any_name: true, any_account: true }
    }
}

fn session_of(role: &Principal, session: &str) -> Option<Caller> {
    let Principal::Role { arn, account, name, .. } = role else { return None };
    let partition = arn.split(':').nth(1)?;
    Some(Caller::exact(Principal::Session {
        role_arn: arn.clone(),
        role_id: UniqueId::unknown(IdKind::Role),
        role_name: name.clone(),
        session_name: session.into(),
        account: *account,
        session_arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}").into(),
    }))
}

/// Runs of twelve digits.
fn accounts_in(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| run.len() == 12 && *run != "000000000000")
}
