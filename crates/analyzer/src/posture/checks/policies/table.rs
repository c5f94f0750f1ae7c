//! The actions of the catalog as numbers, so that what a statement names is a set of bits.
//!
//! A resource stands for all of its type if its name is one that nobody guesses: a pattern that
//! takes it takes every name.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use bailiwick_catalog::{AccessLevel, Action, Catalog, Service};
use bailiwick_identifiers::{IdKind, UniqueId};
use bailiwick_policy::{
    Context, Document, DocumentKind, Principal, Request, Verdict, consult_alone,
};
use serde_json::json;

use super::set::ActionSet;
use crate::posture::audit::Audit;

/// A name that no policy has, and that a pattern takes only if it takes all.
pub(in crate::posture::checks) const ANY: &str = "bailiwick-any";

/// How many lists of actions are remembered.
const REMEMBERED: usize = 4_096;

/// The actions and their resource types in one account, with what was worked out of them.
pub(in crate::posture) struct Table {
    facts: Arc<Facts>,
    partition: &'static str,
    account: String,
    lists: Mutex<HashMap<String, Arc<ActionSet>>>,
    /// What long statements of the evidence cover, by their place in memory, where they stay.
    pub(super) long: Mutex<HashMap<usize, Arc<ActionSet>>>,
    scopes: Mutex<HashMap<String, Arc<Vec<usize>>>>,
    conditions: Mutex<HashMap<String, bool>>,
    /// What a plain request carries: no MFA, an address of the internet, no endpoint.
    pub(super) plain: Context,
    /// A caller of the account whom nothing names.
    pub(super) caller: Principal,
}

/// The actions, resource types and classes of a catalog.
#[derive(Default)]
struct Facts {
    names: Vec<Name>,
    services: Vec<(String, Range<usize>)>,
    places: HashMap<String, usize>,
    needs: Vec<Needs>,
    types: Vec<String>,
    types_of: HashMap<String, Vec<usize>>,
    classes: Vec<ActionSet>,
}

#[derive(Debug)]
struct Name {
    shown: String,
    folded: String,
}

/// Of which resource types all must be covered for an action to be allowed on everything.
#[derive(Debug)]
enum Needs {
    /// It names none.
    Nothing,
    /// All of these.
    All(Vec<usize>),
    /// Any of these.
    Any(Vec<usize>),
}

/// Classes of actions that checks ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub(in crate::posture::checks) enum Class {
    /// Changes a resource, its tags or its permissions, and can be limited to some.
    Writes,
    /// Changes a resource, and can be limited to some.
    Modifies,
    Permissions,
    Decrypts,
    Marketplace,
    PassRole,
    AssumeRole,
    ReadsData,
    GivesCredentials,
}

pub(super) const CLASSES: [Class; 9] = [
    Class::Writes,
    Class::Modifies,
    Class::Permissions,
    Class::Decrypts,
    Class::Marketplace,
    Class::PassRole,
    Class::AssumeRole,
    Class::ReadsData,
    Class::GivesCredentials,
];

/// What reads objects, parameters and secrets.
const READS_DATA: [&str; 8] = [
    "s3:getobject",
    "s3:getobjectversion",
    "ssm:getparameter",
    "ssm:getparameters",
    "ssm:getparametersbypath",
    "ssm:getparameterhistory",
    "secretsmanager:getsecretvalue",
    "secretsmanager:batchgetsecretvalue",
];

/// What answers with a credential and can be limited to some resources.
const GIVES_CREDENTIALS: [&str; 32] = [
    "chime:createapikey",
    "codepipeline:pollforjobs",
    "cognito-identity:getcredentialsforidentity",
    "cognito-identity:getopenidtoken",
    "cognito-identity:getopenidtokenfordeveloperidentity",
    "connect:getfederationtoken",
    "connect:getfederationtokens",
    "dsql:dbconnect",
    "dsql:dbconnectadmin",
    "ec2:getpassworddata",
    "elasticache:connect",
    "gamelift:getcomputeauthtoken",
    "gamelift:getinstanceaccess",
    "gamelift:requestuploadcredentials",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:createservicespecificcredential",
    "iam:resetservicespecificcredential",
    "iam:updateloginprofile",
    "lightsail:downloaddefaultkeypair",
    "lightsail:getinstanceaccessdetails",
    "lightsail:getrelationaldatabasemasteruserpassword",
    "mediapackage:rotatechannelcredentials",
    "mediapackage:rotateingestendpointcredentials",
    "rds-db:connect",
    "redshift-serverless:getcredentials",
    "redshift:getclustercredentials",
    "redshift:getclustercredentialswithiam",
    "sagemaker:createpresigneddomainurl",
    "sts:assumerole",
    "sts:assumeroot",
    "sts:getfederationtoken",
];

fn is_of(class: Class, folded: &str, action: &Action) -> bool {
    use AccessLevel::{PermissionsManagement, Tagging, Write};

    let has = |levels: &[AccessLevel]| levels.iter().any(|level| action.levels.contains(*level));
    let limitable = !action.resource_types.is_empty();
    match class {
        Class::Writes => limitable && has(&[Write, Tagging, PermissionsManagement]),
        Class::Modifies => limitable && has(&[Write]),
        Class::Permissions => has(&[PermissionsManagement]),
        Class::Decrypts => matches!(folded, "kms:decrypt" | "kms:reencryptfrom"),
        Class::Marketplace => folded == "aws-marketplace:subscribe",
        Class::PassRole => folded == "iam:passrole",
        Class::AssumeRole => folded == "sts:assumerole",
        Class::ReadsData => READS_DATA.contains(&folded),
        Class::GivesCredentials => GIVES_CREDENTIALS.contains(&folded),
    }
}

impl Facts {
    /// Those of a catalog. The embedded one is read once for all audits.
    fn of(catalog: &'static Catalog) -> Arc<Self> {
        static EMBEDDED: LazyLock<Arc<Facts>> =
            LazyLock::new(|| Arc::new(Facts::new(Catalog::embedded())));
        if std::ptr::eq(catalog, Catalog::embedded()) {
            return Arc::clone(&EMBEDDED);
        }
        Arc::new(Self::new(catalog))
    }

    fn new(catalog: &Catalog) -> Self {
        let mut facts = Self::default();
        let mut classes: Vec<Vec<usize>> = vec![Vec::new(); CLASSES.len()];
        for service in catalog.services() {
            facts.add(service, &mut classes);
        }
        let size = facts.names.len();
        facts.classes = classes.into_iter().map(|places| ActionSet::of(size, places)).collect();
        facts
    }

    fn add(&mut self, service: &Service, classes: &mut [Vec<usize>]) {
        let prefix = service.prefix().to_ascii_lowercase();
        let mut types = HashMap::new();
        for kind in service.resource_types() {
            let field = kind.arn_pattern.split(':').nth(2).unwrap_or_default().to_owned();
            let place = self.types.len();
            self.types_of.entry(field).or_default().push(place);
            self.types.push(kind.arn_pattern.to_string());
            types.insert(kind.name.to_ascii_lowercase(), place);
        }
        let start = self.names.len();
        for action in service.actions() {
            let place = self.names.len();
            let shown = format!("{}:{}", service.prefix(), action.name);
            let folded = shown.to_ascii_lowercase();
            for (class, places) in CLASSES.iter().zip(classes.iter_mut()) {
                if is_of(*class, &folded, action) {
                    places.push(place);
                }
            }
            let of = |required: bool| -> Vec<usize> {
                let kinds = action.resource_types.iter().filter(|kind| kind.required || !required);
                kinds
                    .filter_map(|kind| types.get(&kind.name.to_ascii_lowercase()).copied())
                    .collect()
            };
            let (required, any) = (of(true), of(false));
            self.needs.push(match (required.is_empty(), any.is_empty()) {
                (false, _) => Needs::All(required),
                (true, false) => Needs::Any(any),
                (true, true) => Needs::Nothing,
            });
            self.places.insert(folded.clone(), place);
            self.names.push(Name { shown, folded });
        }
        self.services.push((prefix, start..self.names.len()));
    }
}

impl Table {
    /// The table of an audit.
    pub(in crate::posture) fn new(audit: &Audit<'_>) -> Self {
        let account = &audit.evidence.estate.account;
        let (partition, id) = (account.partition().as_str(), account.id().to_string());
        let caller = Principal::User {
            arn: format!("arn:{partition}:iam::{id}:user/{ANY}").as_str().into(),
            id: UniqueId::unknown(IdKind::User),
            account: account.id(),
            name: ANY.into(),
        };
        Self {
            facts: Facts::of(audit.evidence.estate.managed.catalog()),
            partition,
            account: id,
            lists: Mutex::default(),
            long: Mutex::default(),
            scopes: Mutex::default(),
            conditions: Mutex::default(),
            plain: plain(audit, &caller),
            caller,
        }
    }

    /// How many actions there are.
    pub(super) fn len(&self) -> usize {
        self.facts.names.len()
    }

    /// No action.
    pub(in crate::posture::checks) fn nothing(&self) -> ActionSet {
        ActionSet::of(self.len(), [])
    }

    /// The actions of a class.
    pub(in crate::posture::checks) fn class(&self, class: Class) -> &ActionSet {
        static EMPTY: LazyLock<ActionSet> = LazyLock::new(|| ActionSet::of(0, []));
        let place = CLASSES.iter().position(|one| *one == class);
        place.and_then(|place| self.facts.classes.get(place)).unwrap_or(&EMPTY)
    }

    /// The name of an action.
    pub(in crate::posture::checks) fn name(&self, place: usize) -> &str {
        self.facts.names.get(place).map_or("", |name| &name.shown)
    }

    /// The prefixes of services with the places of their actions.
    pub(super) fn services(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.facts.services.iter().map(|(prefix, range)| (prefix.as_str(), range.clone()))
    }

    /// The place of an action.
    pub(in crate::posture::checks) fn place(&self, action: &str) -> Option<usize> {
        self.facts.places.get(&action.to_ascii_lowercase()).copied()
    }

    /// The actions that a list of entries covers. `irregular`: whether entries whose service is no
    /// plain text count (ACT-3).
    pub(in crate::posture::checks) fn covered<'e>(
        &self,
        entries: impl Iterator<Item = &'e str> + Clone,
        irregular: bool,
    ) -> Arc<ActionSet> {
        let key: String = entries.clone().flat_map(|entry| [entry, "\n"]).collect();
        let key = format!("{irregular}{}", key.to_ascii_lowercase());
        if let Some(found) = held(&self.lists).get(&key) {
            return Arc::clone(found);
        }
        let mut set = self.nothing();
        for entry in entries {
            self.cover(&mut set, &entry.to_ascii_lowercase(), irregular);
        }
        let set = Arc::new(set);
        let mut lists = held(&self.lists);
        if lists.len() < REMEMBERED {
            lists.insert(key, Arc::clone(&set));
        }
        set
    }

    fn cover(&self, set: &mut ActionSet, entry: &str, irregular: bool) {
        if !entry.contains(['*', '?']) {
            if let Some(place) = self.facts.places.get(entry) {
                set.insert(*place);
            }
            return;
        }
        let regular = matches!(entry, "*" | "*:*")
            || entry.split_once(':').is_some_and(|(prefix, _)| !prefix.contains(['*', '?']));
        if !regular && !irregular {
            return;
        }
        let range = entry
            .split_once(':')
            .filter(|(prefix, _)| !prefix.contains(['*', '?']))
            .map(|(prefix, _)| prefix);
        for (prefix, places) in &self.facts.services {
            if range.is_none_or(|wanted| wanted == prefix) {
                for place in places.clone() {
                    if self.facts.names.get(place).is_some_and(|name| glob(entry, &name.folded)) {
                        set.insert(place);
                    }
                }
            }
        }
    }

    /// The resource types all of whose resources a list of patterns takes; nothing means that it
    /// takes every resource there is.
    pub(super) fn types<'e>(&self, patterns: impl Iterator<Item = &'e str>) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        for pattern in patterns {
            if is_star(pattern) {
                return None;
            }
            found.extend(self.types_taken(pattern).iter().copied());
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    /// The types all of whose resources a pattern takes.
    fn types_taken(&self, pattern: &str) -> Arc<Vec<usize>> {
        // The names of the probes are at their ends.
        if !pattern.ends_with(['*', '?']) {
            return Arc::default();
        }
        if let Some(found) = held(&self.scopes).get(pattern) {
            return Arc::clone(found);
        }
        let service = pattern.split(':').nth(2).unwrap_or_default();
        let places: Vec<usize> = if service.contains(['*', '?']) || !pattern.starts_with("arn:") {
            (0..self.facts.types.len()).collect()
        } else {
            self.facts.types_of.get(service).cloned().unwrap_or_default()
        };
        let text = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "*", "Resource": pattern,
        }});
        let document = Document::parse(&text.to_string(), DocumentKind::Identity);
        let takes = |place: &usize| {
            let probe = self.probe(*place)?;
            Some(self.allows(document.as_ref().ok()?, "any:Any", &probe, &self.plain))
        };
        let found = places.into_iter().filter(|place| takes(place) == Some(true)).collect();
        let found = Arc::new(found);
        held(&self.scopes).insert(pattern.to_owned(), Arc::clone(&found));
        found
    }

    /// Whether an action is allowed on everything where all resources of these types are.
    pub(super) fn is_whole(&self, action: usize, types: &[usize]) -> bool {
        let has = |place: &usize| types.binary_search(place).is_ok();
        match self.facts.needs.get(action) {
            Some(Needs::All(needed)) => needed.iter().all(has),
            Some(Needs::Any(some)) => some.iter().any(has),
            Some(Needs::Nothing) | None => false,
        }
    }

    /// A resource that stands for all that an action can be limited to.
    pub(in crate::posture::checks) fn resource(&self, action: usize) -> String {
        let place = match self.facts.needs.get(action) {
            Some(Needs::All(some) | Needs::Any(some)) => some.first(),
            Some(Needs::Nothing) | None => None,
        };
        place.and_then(|place| self.probe(*place)).unwrap_or_else(|| "*".to_owned())
    }

    /// A resource of the account that a pattern takes.
    pub(in crate::posture::checks) fn instance(&self, pattern: &str) -> String {
        let fields = pattern.splitn(6, ':').enumerate();
        let fields = fields.map(|(at, field)| match at {
            1 if field.contains(['*', '?']) => self.partition.to_owned(),
            4 if field.contains(['*', '?']) => self.account.clone(),
            _ => field.replace(['*', '?'], "x"),
        });
        fields.collect::<Vec<_>>().join(":")
    }

    /// A resource of a type, named as nothing is.
    fn probe(&self, place: usize) -> Option<String> {
        Some(fill(self.facts.types.get(place)?, self.partition, &self.account))
    }

    /// What one document says by itself.
    pub(super) fn allows(
        &self,
        document: &Document,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> bool {
        let request = Request {
            principal: &self.caller,
            action,
            resource,
            resource_account: None,
            context,
            delegated: false,
        };
        consult_alone(document, &request) == Verdict::Allow
    }

    /// Whether a condition holds for a plain request, so that it limits nothing much.
    pub(super) fn holds_plainly(&self, operator: &str, key: &str, values: &[Box<str>]) -> bool {
        let mut name = format!("{}:{operator}{}:{key}", operator.len(), key.len());
        for value in values {
            name.push_str(&value.len().to_string());
            name.push(':');
            name.push_str(value);
        }
        if let Some(found) = held(&self.conditions).get(&name) {
            return *found;
        }
        let text = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {operator: {key: values}},
        }});
        let holds = Document::parse(&text.to_string(), DocumentKind::Identity)
            .is_ok_and(|document| self.allows(&document, "any:Any", "*", &self.plain));
        held(&self.conditions).insert(name, holds);
        holds
    }
}

/// What was worked out, by whichever thread.
pub(super) fn held<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

/// The keys of a request of no special circumstances. `iam:PassedToService` is there, since every
/// request to pass a role has it: a service that no policy names.
fn plain(audit: &Audit<'_>, caller: &Principal) -> Context {
    let mut context = Context::new();
    circumstances(&mut context, audit);
    context.put_principal(caller);
    context.put("iam:PassedToService", &format!("{ANY}.amazonaws.com"));
    context.put("aws:ResourceAccount", &audit.evidence.account_id().to_string());
    context
}

/// What every request carries beside the keys of its caller.
pub(in crate::posture::checks) fn circumstances(context: &mut Context, audit: &Audit<'_>) {
    context.put("aws:CurrentTime", &audit.now.to_string());
    context.put("aws:EpochTime", &audit.now.as_second().to_string());
    context.put("aws:SecureTransport", "true");
    // A documentation address of the internet that is no one's.
    context.put("aws:SourceIp", "198.51.100.7");
    context.put("aws:UserAgent", ANY);
    context.put("aws:RequestedRegion", ANY);
    context.put("aws:ViaAWSService", "false");
    context.put("aws:PrincipalIsAWSService", "false");
}

/// An ARN of a type, named as nothing is.
fn fill(pattern: &str, partition: &str, account: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((head, tail)) = rest.split_once("${") {
        out.push_str(head);
        let (name, tail) = tail.split_once('}').unwrap_or((tail, ""));
        out.push_str(match name {
            "Partition" => partition,
            "Account" => account,
            _ => ANY,
        });
        rest = tail;
    }
    out.push_str(rest);
    out.replace('*', ANY)
}

/// Whether a pattern takes every resource of every service.
pub(super) fn is_star(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*')
}

/// Whether a pattern with `*` and `?` takes a text; both in lower case.
pub(in crate::posture::checks) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(sign) if *sign == b'?' || sign == byte => {
                p += 1;
                t += 1;
            }
            _ => match &mut back {
                Some((after, from)) => {
                    *from += 1;
                    p = *after;
                    t = *from;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("iam:pass*", "iam:passrole", true),
            ("iam:*role", "iam:passrole", true),
            ("iam:p?ssrole", "iam:passrole", true),
            ("*", "iam:passrole", true),
            ("iam:pass", "iam:passrole", false),
            ("i*:p*le", "iam:passrole", true),
            ("iam:*x*", "iam:passrole", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern}");
        }
    }
}
