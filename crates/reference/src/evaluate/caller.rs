//! Who calls, and how strongly a principal element names the caller (section 3).

use super::case::Context;
use super::document::{Entry, Who};
use super::glob;
use super::json::Json;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Root,
    User,
    Role,
    Session,
    FederatedUser,
    Provider,
    Service,
    Anonymous,
}

pub(super) struct Caller {
    pub(super) kind: Kind,
    /// The ARN or host name; empty for an anonymous caller.
    pub(super) name: String,
    partition: String,
    /// IN-7: providers, services and anonymous callers have none.
    pub(super) account: Option<String>,
    /// The ARN of the role, path included, of a role or its session.
    pub(super) role: Option<String>,
    /// `AIDA...` of a user or of the user who made a federated session, `AROA...` of a role or
    /// its session.
    id: Option<String>,
    /// The user who made a federated session.
    maker: Option<String>,
    /// PR-16: every name of a service.
    services: Vec<String>,
}

/// How a principal element names the caller, weakest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Grade {
    None,
    Account,
    Parent,
    Direct,
}

/// What the grade depends on beside entry and caller.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) allows: bool,
    pub(super) bounded: bool,
    pub(super) gateway: bool,
    pub(super) entities: Option<&'a [(String, String)]>,
}

impl Caller {
    pub(super) fn read(
        principal: &Json,
        context: &Context,
        role: Option<String>,
        maker: Option<String>,
        maker_id: Option<&str>,
    ) -> Result<Self, String> {
        let name = match principal {
            Json::Null => String::new(),
            Json::Text(name) => name.clone(),
            _ => return Err("the principal is neither a string nor null".to_owned()),
        };
        let (kind, partition, account, resource) = match principal {
            Json::Null => (Kind::Anonymous, "", "", ""),
            _ => classify(&name).ok_or_else(|| format!("`{name}` is no principal"))?,
        };
        let userid = context.single("aws:userid").unwrap_or_default();
        let id = match kind {
            Kind::User if userid.starts_with("AIDA") => Some(userid),
            Kind::Role if userid.starts_with("AROA") => Some(userid),
            Kind::Session if userid.starts_with("AROA") => userid.split_once(':').map(|(id, _)| id),
            Kind::FederatedUser => maker_id,
            _ => None,
        };
        let role = match kind {
            Kind::Role => Some(name.clone()),
            Kind::Session => {
                // PR-11: a session's ARN has no path; the role's own ARN is told beside it.
                let short = resource.split('/').nth(1).unwrap_or_default();
                let told = context.single("aws:PrincipalArn").filter(|arn| {
                    let fields: Vec<_> = arn.splitn(6, ':').collect();
                    matches!(fields.as_slice(), ["arn", told, "iam", "", owner, role]
                        if *told == partition
                            && *owner == account
                            && role.starts_with("role/")
                            && role.rsplit('/').next() == Some(short))
                });
                role.or_else(|| told.map(str::to_owned))
                    .or_else(|| Some(format!("arn:{partition}:iam::{account}:role/{short}")))
            }
            _ => None,
        };
        let mut services = context.values("aws:PrincipalServiceNamesList").to_vec();
        services.push(name.clone());
        Ok(Self {
            kind,
            partition: partition.to_owned(),
            account: (!account.is_empty()).then(|| account.to_owned()),
            role,
            id: id.map(str::to_owned),
            maker: maker.filter(|_| kind == Kind::FederatedUser),
            services,
            name,
        })
    }

    /// SCP-3, RCP-4: whether the caller is a service-linked role.
    pub(super) fn is_service_linked(&self) -> bool {
        self.role.as_deref().is_some_and(is_service_linked)
    }

    /// Whether identity policies, SCPs and the rest of the principal's side apply (EV-8, EV-9, TR-6).
    pub(super) fn is_iam(&self) -> bool {
        !matches!(self.kind, Kind::Provider | Kind::Service | Kind::Anonymous)
    }

    /// The strongest grade by which a principal element names the caller.
    pub(super) fn grade(&self, who: &Who, reading: Reading<'_>) -> Grade {
        match who {
            // PR-15: kinds without principals speak of the caller.
            Who::Unsaid => Grade::Direct,
            Who::Only(entries) => {
                entries.iter().map(|e| self.entry(e, reading)).max().unwrap_or(Grade::None)
            }
            // NP-1
            Who::AllBut(_) if reading.allows => Grade::None,
            // NP-3
            Who::AllBut(_) if reading.bounded && self.kind != Kind::Root && self.is_iam() => {
                Grade::Direct
            }
            // NP-2: only a direct entry excepts, for root its account's. Read as in an Allow, so
            // that no entry that is only good for a Deny excepts anybody.
            Who::AllBut(entries) => {
                let needed = if self.kind == Kind::Root { Grade::Account } else { Grade::Direct };
                let strict = Reading { allows: true, ..reading };
                let excepted = entries.iter().any(|e| self.entry(e, strict) >= needed);
                if excepted { Grade::None } else { Grade::Direct }
            }
        }
    }

    fn entry(&self, entry: &Entry, reading: Reading<'_>) -> Grade {
        let text = entry.text.as_str();
        match entry.kind.as_str() {
            // PR-8
            "*" => Grade::Direct,
            "AWS" if text == "*" => {
                let named = self.is_iam() || self.kind == Kind::Anonymous || !reading.allows;
                if named { Grade::Direct } else { Grade::None }
            }
            "AWS" if self.is_iam() => {
                let grade = self.aws_entry(text, reading);
                // EP-3: beside `*` only the account entry, for its root.
                let usable =
                    !reading.gateway || (grade == Grade::Account && self.kind == Kind::Root);
                if usable { grade } else { Grade::None }
            }
            _ if reading.gateway => Grade::None,
            // PR-16, TR-7; PR-10, TR-6. PR-7: a star is no name, and in a Deny everybody's.
            "Service" if self.kind == Kind::Service => {
                direct(self.services.iter().any(|service| is_named(text, service, reading)))
            }
            "Federated" if self.kind == Kind::Provider => {
                direct(is_named(text, &self.name, reading))
            }
            _ => Grade::None,
        }
    }

    fn aws_entry(&self, text: &str, reading: Reading<'_>) -> Grade {
        let account = self.account.as_deref().unwrap_or_default();
        // PR-3
        if text == account || text == format!("arn:{}:iam::{account}:root", self.partition) {
            return Grade::Account;
        }
        // PR-7
        if text.contains(['*', '?']) {
            let hit = glob::plain(text, &self.name)
                || self.role.as_deref().is_some_and(|role| glob::plain(text, role));
            return if hit && !reading.allows { Grade::Parent } else { Grade::None };
        }
        // PR-13
        if text.starts_with("AIDA") || text.starts_with("AROA") {
            return self.by_id(text);
        }
        // PR-12: users, roles and sessions were bound to ids on save.
        if let Some(entities) = reading.entities {
            let id_of = |arn: &str| entities.iter().find(|(name, _)| name == arn).map(|(_, id)| id);
            if text.contains(":user/") || text.contains(":role/") {
                return id_of(text).map_or(Grade::None, |id| self.by_id(id));
            }
            if text.contains(":assumed-role/") {
                // By the role's id and the session's name.
                let named = self.kind == Kind::Session
                    && text.rsplit('/').next() == self.name.rsplit('/').next();
                let mut bound = entities.iter().filter(|(arn, _)| same_role(text, arn));
                return direct(named && bound.any(|(_, id)| self.by_id(id) > Grade::None));
            }
        }
        let is = |arn: &Option<String>| arn.as_deref() == Some(text);
        match self.kind {
            // PR-5, PR-11
            Kind::Role | Kind::Session if is(&self.role) => Grade::Parent,
            Kind::FederatedUser if is(&self.maker) => Grade::Parent,
            Kind::Role | Kind::Root => Grade::None,
            _ => direct(self.name == text),
        }
    }

    fn by_id(&self, id: &str) -> Grade {
        match self.kind {
            _ if self.id.as_deref() != Some(id) => Grade::None,
            Kind::User => Grade::Direct,
            _ => Grade::Parent,
        }
    }
}

/// TR-9: the path stands at the beginning of the sixth field of a role's ARN.
pub(super) fn is_service_linked(arn: &str) -> bool {
    let fields: Vec<_> = arn.splitn(6, ':').collect();
    matches!(fields.as_slice(), ["arn", _, "iam", _, _, role] if role.starts_with("role/aws-service-role/"))
}

fn direct(named: bool) -> Grade {
    if named { Grade::Direct } else { Grade::None }
}

/// PR-7: wildcards name nobody in an Allow; in a Deny they are globs.
fn is_named(entry: &str, name: &str, reading: Reading<'_>) -> bool {
    if entry.contains(['*', '?']) {
        return !reading.allows && glob::plain(entry, name);
    }
    entry == name
}

/// PR-11: a session ARN and a role ARN, by account and role name.
fn same_role(session: &str, role: &str) -> bool {
    let session: Vec<_> = session.splitn(6, ':').collect();
    let role: Vec<_> = role.splitn(6, ':').collect();
    match (session.as_slice(), role.as_slice()) {
        (["arn", p, "sts", _, a, session], ["arn", q, "iam", _, b, role]) => {
            (p, a) == (q, b)
                && session.split('/').nth(1) == role.rsplit('/').next()
                && role.starts_with("role/")
        }
        _ => false,
    }
}

/// Kind, partition, account and the sixth field of a caller's name.
fn classify(name: &str) -> Option<(Kind, &str, &str, &str)> {
    let fields: Vec<_> = name.splitn(6, ':').collect();
    let ["arn", partition, service, "", account, rest] = fields.as_slice() else {
        let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let labels: Vec<_> = name.split('.').collect();
        let is_host = |label: &&str| !label.is_empty() && label.chars().all(host);
        if labels.len() < 2 || !labels.iter().all(is_host) {
            return None;
        }
        let service = [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|end| name.ends_with(end));
        return Some((if service { Kind::Service } else { Kind::Provider }, "", "", ""));
    };
    if account.len() != 12 || !account.chars().all(|c| c.is_ascii_digit()) || partition.is_empty() {
        return None;
    }
    let (word, tail) = rest.split_once('/').unwrap_or((rest, ""));
    let last = tail.rsplit('/').next().unwrap_or_default();
    let kind = match (*service, word) {
        ("iam", "root") if *rest == "root" => Kind::Root,
        _ if last.is_empty() => return None,
        ("iam", "user") => Kind::User,
        ("iam", "role") => Kind::Role,
        ("sts", "assumed-role") if tail.split('/').count() == 2 && !tail.starts_with('/') => {
            Kind::Session
        }
        ("sts", "federated-user") => Kind::FederatedUser,
        ("iam", "saml-provider" | "oidc-provider") => {
            return Some((Kind::Provider, partition, "", ""));
        }
        _ => return None,
    };
    Some((kind, partition, account, rest))
}
