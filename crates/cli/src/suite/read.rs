//! The text of a suite, read into what is to be asked and expected.
//!
//! Every name must be known, every policy must be one that IAM would take, every caller must be
//! one; the first fault ends the reading, with its place.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use bailiwick_policy::{DocumentKind, Documents};

use super::checks::is_check;
use super::fields::{Fields, Source, one_or_several};
use super::yaml::{self, At, Node, Value};
use super::{Expect, Expectation, Suite, Test};
use crate::simulate::account::{Drafts, World};
use crate::simulate::fault::{Fault, read as read_file};
use crate::simulate::nearest::advice;
use crate::simulate::question::{Keys, Named, Setting};
use crate::simulate::{facts, files, resource_kind};

/// The longest suite, in bytes.
const MAX_SUITE: u64 = 4 << 20;
/// The longest policy file, in bytes.
const MAX_POLICY: u64 = 1 << 20;
/// The most expectations of one suite, lists multiplied.
const MAX_EXPECTATIONS: usize = 100_000;

const SUITE: &[&str] =
    &["name", "account", "defaults", "policies", "principals", "tests", "checks"];
const DEFAULTS: &[&str] =
    &["region", "resourceAccount", "context", "scps", "rcps", "endpointPolicy"];
const PRINCIPAL: &[&str] = &[
    "arn",
    "id",
    "roleArn",
    "tags",
    "policies",
    "boundary",
    "sessionPolicies",
    "scps",
    "rcps",
    "context",
    "attach",
    "replace",
    "detach",
];
const TEST: &[&str] = &[
    "name",
    "principal",
    "action",
    "resource",
    "context",
    "contexts",
    "region",
    "resourceAccount",
    "resourcePolicy",
    "sessionPolicies",
    "scps",
    "rcps",
    "endpointPolicy",
    "expect",
    "reason",
];
const REASONS: &[&str] = &[
    "endpoint",
    "resource-control",
    "service-control",
    "resource",
    "trust",
    "identity",
    "boundary",
    "session",
    "no-permission-needed",
    "evaluation-error",
];

/// Reads a suite and the files that it names, which are found from its folder.
///
/// # Errors
/// The first fault, with file, line and column.
pub(super) fn suite(path: &Path) -> anyhow::Result<Suite> {
    let text = read_file(path, MAX_SUITE)?;
    let file = path.display().to_string();
    let root = yaml::parse(&file, &text)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    Reader {
        source: Source { file: &file, text: &text },
        folder,
        policies: HashMap::new(),
        principals: HashMap::new(),
        world: None,
        defaults: Setting::default(),
        checked: RefCell::default(),
        used: RefCell::default(),
        notes: RefCell::default(),
    }
    .suite(&root)
}

pub(super) struct Reader<'a> {
    /// The suite's own text.
    pub(super) source: Source<'a>,
    folder: PathBuf,
    /// The named policies.
    policies: HashMap<String, Policy>,
    principals: HashMap<String, Setting>,
    world: Option<Arc<World>>,
    defaults: Setting,
    /// Policies that have been checked, by label, place and kind.
    checked: RefCell<BTreeSet<(Arc<str>, At, u8)>>,
    /// The named policies and principals that something uses.
    used: RefCell<BTreeSet<String>>,
    notes: RefCell<Vec<String>>,
}

/// A policy with the file in which its faults are shown.
#[derive(Clone)]
pub(super) struct Policy {
    pub(super) named: Named,
    /// The whole file.
    whole: Rc<str>,
    /// How far the lines are indented in the file.
    indent: u32,
    at: At,
}

impl Policy {
    /// A place of the document as a place of its file.
    pub(super) fn place(&self, (line, column): At) -> At {
        let first = self.named.first_line.unwrap_or(1);
        (line.saturating_add(first).saturating_sub(1), column.saturating_add(self.indent))
    }

    /// A fault at a place of the document.
    pub(super) fn fault(&self, at: At, message: &str) -> Fault {
        Fault::new(&self.named.label, &self.whole, self.place(at), message)
    }

    /// The file, with the line where the document does not begin with it.
    pub(super) fn shown(&self) -> String {
        match self.named.first_line {
            Some(1) | None => self.named.label.to_string(),
            Some(line) => format!("{}:{line}", self.named.label),
        }
    }
}

impl Reader<'_> {
    fn suite(mut self, root: &Node) -> anyhow::Result<Suite> {
        let fields = self.source.fields(root, "a suite", SUITE)?;
        if let Some(node) = fields.get("account") {
            self.world = Some(Arc::new(self.account(node)?));
        }
        if let Some(node) = fields.get("policies") {
            for (key, node) in self.source.mapping(node, "`policies`")? {
                let policy = self.policy(node, true)?;
                self.policies.insert(key.name.clone(), policy);
            }
        }
        if let Some(node) = fields.get("defaults") {
            self.defaults = self.defaults(node)?;
        }
        if let Some(node) = fields.get("principals") {
            for (key, node) in self.source.mapping(node, "`principals`")? {
                let setting = self.principal(node)?;
                self.principals.insert(key.name.clone(), setting);
            }
        }
        let (mut tests, mut checks) = (Vec::new(), Vec::new());
        let mut left = MAX_EXPECTATIONS;
        for node in fields
            .get("tests")
            .map_or_else(|| Ok(Vec::new()), |node| self.source.items(node, "`tests`"))?
        {
            if is_check(node) {
                checks.push(self.check(node)?);
                continue;
            }
            let test = self.test(node, left)?;
            left = left.saturating_sub(test.expectations.len());
            tests.push(test);
        }
        if let Some(node) = fields.get("checks") {
            for node in self.source.items(node, "`checks`")? {
                checks.push(self.check(node)?);
            }
        }
        if tests.is_empty() && checks.is_empty() {
            let at = fields.get("tests").map_or(fields.at, |node| node.at);
            let text = "a suite needs `tests` or `checks`: without any it proves nothing";
            return Err(self.source.fault(at, text).into());
        }
        self.note_unused();
        let name = match fields.get("name") {
            Some(node) => self.source.text(node, "`name`")?.to_owned(),
            None => self.source.file.to_owned(),
        };
        let mut notes = self.notes.into_inner();
        if let Some(world) = &self.world {
            notes.splice(0..0, world.notes.iter().cloned());
        }
        Ok(Suite { file: self.source.file.to_owned(), name, tests, checks, notes })
    }

    fn account(&self, node: &Node) -> anyhow::Result<World> {
        let mut pages = Vec::new();
        for node in one_or_several(node) {
            pages.push(self.folder.join(self.source.text(node, "`account`")?));
        }
        World::read(&pages)
    }

    fn defaults(&self, node: &Node) -> anyhow::Result<Setting> {
        let fields = self.source.fields(node, "`defaults`", DEFAULTS)?;
        let mut setting = Setting::default();
        self.circumstances(&fields, &mut setting)?;
        self.organization(&fields, &mut setting)?;
        Ok(setting)
    }

    /// What a principal, a test and the defaults may say alike.
    fn circumstances(&self, fields: &Fields<'_>, setting: &mut Setting) -> anyhow::Result<()> {
        if let Some(node) = fields.get("region") {
            setting.region = Some(self.source.text(node, "`region`")?.to_owned());
        }
        if let Some(node) = fields.get("resourceAccount") {
            let id = self.source.text(node, "`resourceAccount`")?.parse();
            let wrong = |_| self.source.fault(node.at, "an account id has twelve digits");
            setting.resource_account = Some(id.map_err(wrong)?);
        }
        if let Some(node) = fields.get("context") {
            setting.context.extend(&self.context(node)?);
        }
        if let Some(node) = fields.get("endpointPolicy") {
            setting.policies.endpoints = vec![self.checked(node, DocumentKind::Resource)?];
        }
        Ok(())
    }

    fn organization(&self, fields: &Fields<'_>, setting: &mut Setting) -> anyhow::Result<()> {
        if let Some(node) = fields.get("scps") {
            setting.policies.scps = self.levels(node, DocumentKind::ServiceControl)?;
        }
        if let Some(node) = fields.get("rcps") {
            setting.policies.rcps = self.levels(node, DocumentKind::ResourceControl)?;
        }
        Ok(())
    }

    fn principal(&self, node: &Node) -> anyhow::Result<Setting> {
        let fields = self.source.fields(node, "a principal", PRINCIPAL)?;
        let Some(arn) = fields.get("arn") else {
            return Err(self.source.fault(fields.at, "a principal needs `arn`").into());
        };
        let mut setting = self.caller(arn)?;
        if let Some(node) = fields.get("id") {
            setting.id = Some(self.source.text(node, "`id`")?.to_owned());
        }
        if let Some(node) = fields.get("roleArn") {
            setting.role_arn = Some(self.source.text(node, "`roleArn`")?.to_owned());
        }
        if let Some(node) = fields.get("tags") {
            setting.tags.clear();
            for (key, node) in self.source.mapping(node, "`tags`")? {
                let value = self.source.text(node, "the value of a tag")?;
                setting.tags.push((key.name.clone(), value.to_owned()));
            }
        }
        if let Some(node) = fields.get("policies") {
            if setting.world.is_some() {
                let text = "the export tells this principal's policies; `attach` adds drafts";
                return Err(self.source.fault(node.at, text).into());
            }
            setting.policies.identity = self.several(node, DocumentKind::Identity)?;
        }
        if let Some(node) = fields.get("boundary") {
            setting.policies.boundary = Some(self.checked(node, DocumentKind::Boundary)?);
        }
        if let Some(node) = fields.get("sessionPolicies") {
            setting.policies.session = Some(self.several(node, DocumentKind::Session)?);
        }
        self.organization(&fields, &mut setting)?;
        if let Some(node) = fields.get("context") {
            setting.context.extend(&self.context(node)?);
        }
        let (drafts, at) = self.drafts(&fields)?;
        if drafts.is_empty() {
            return Ok(setting);
        }
        setting
            .with_drafts(&drafts)
            .map_err(|error| self.source.fault(at, &error.to_string()).into())
    }

    fn drafts(&self, fields: &Fields<'_>) -> anyhow::Result<(Drafts, At)> {
        let mut drafts = Drafts::default();
        let mut at = fields.at;
        for name in ["attach", "replace", "detach"] {
            let Some(node) = fields.get(name) else { continue };
            if self.world.is_none() {
                let text =
                    format!("`{name}` changes what an `account` export shows; there is none");
                return Err(self.source.fault(node.at, &text).into());
            }
            at = node.at;
            match name {
                "attach" => drafts.attach = self.several(node, DocumentKind::Identity)?,
                "replace" => {
                    for (key, node) in self.source.mapping(node, "`replace`")? {
                        let policy = self.checked(node, DocumentKind::Identity)?;
                        drafts.replace.push((key.name.clone(), policy));
                    }
                }
                _ => {
                    for node in one_or_several(node) {
                        drafts.detach.push(self.source.text(node, "`detach`")?.to_owned());
                    }
                }
            }
        }
        Ok((drafts, at))
    }

    /// A caller by ARN, with the defaults of the suite, and its policies if an export tells them.
    fn caller(&self, node: &Node) -> anyhow::Result<Setting> {
        let arn = self.source.text(node, "a principal")?;
        let mut setting = self.defaults.clone();
        match &self.world {
            Some(world) => {
                let fault = |error: anyhow::Error| self.source.fault(node.at, &error.to_string());
                let found = world.caller(arn).map_err(fault)?;
                setting.principal = found.principal;
                setting.role_arn = found.role_arn;
                setting.id = found.id;
                setting.tags = found.tags;
                setting.world = found.world;
                setting.policies.identity = found.policies.identity;
                setting.policies.boundary = found.policies.boundary;
            }
            _ if arn == "anonymous" => setting.principal = None,
            _ => setting.principal = Some(arn.to_owned()),
        }
        // A question without policies tells whether this is a principal at all.
        let bare = Setting { principal: setting.principal.clone(), ..Setting::default() };
        if let Err(problem) = bare.ask("iam:GetUser", "*", &mut Documents::default()) {
            return Err(self.source.fault(node.at, &problem.to_string()).into());
        }
        Ok(setting)
    }

    /// A principal of a test: a name, or an ARN.
    fn named_principal(&self, node: &Node) -> anyhow::Result<Setting> {
        let name = self.source.text(node, "`principal`")?;
        if let Some(found) = self.principals.get(name) {
            self.used.borrow_mut().insert(format!("principal `{name}`"));
            return Ok(found.clone());
        }
        if name == "anonymous" || name.contains([':', '.']) {
            return self.caller(node);
        }
        let known = self.principals.keys().map(String::as_str);
        let fault = self.source.fault(node.at, &format!("there is no principal `{name}`"));
        Err(fault.advise(advice(name, known)).into())
    }

    fn test(&self, node: &Node, left: usize) -> anyhow::Result<Test> {
        let fields = self.source.fields(node, "a test", TEST)?;
        let needed = |name: &str| {
            let fault = || self.source.fault(fields.at, &format!("a test needs `{name}`"));
            fields.get(name).ok_or_else(fault)
        };
        let expected = needed("expect")?;
        let expect = self.expect(expected)?;
        let reason = fields.get("reason").map(|node| self.reason(node)).transpose()?;
        let principals = one_or_several(needed("principal")?);
        let actions = self.actions(needed("action")?)?;
        let resources = match fields.get("resource") {
            Some(node) => self.resources(node)?,
            None => vec!["*".to_owned()],
        };
        let contexts = match fields.get("contexts") {
            Some(node) => {
                let all = one_or_several(node);
                all.into_iter().map(|node| self.context(node)).collect::<Result<Vec<_>, _>>()?
            }
            None => vec![Keys::default()],
        };
        let count = [actions.len(), resources.len(), contexts.len()]
            .iter()
            .fold(principals.len(), |count, more| count.saturating_mul(*more));
        if count > left {
            let text = format!("a suite has at most {MAX_EXPECTATIONS} expectations");
            return Err(self.source.fault(fields.at, &text).into());
        }
        let kind = resource_kind(&actions, &resources);
        let mut expectations = Vec::with_capacity(count);
        for node in principals {
            let label = self.source.text(node, "`principal`")?;
            let mut setting = self.named_principal(node)?;
            self.circumstances(&fields, &mut setting)?;
            self.organization(&fields, &mut setting)?;
            if let Some(node) = fields.get("resourcePolicy") {
                setting.policies.resource = Some(self.checked(node, kind)?);
            }
            if let Some(node) = fields.get("sessionPolicies") {
                setting.policies.session = Some(self.several(node, DocumentKind::Session)?);
            }
            for (number, context) in contexts.iter().enumerate() {
                let mut setting = setting.clone();
                setting.context.extend(context);
                let setting = Rc::new(setting);
                let variant = (contexts.len() > 1).then_some(number + 1);
                for action in &actions {
                    for resource in &resources {
                        expectations.push(Expectation {
                            principal: label.to_owned(),
                            setting: Rc::clone(&setting),
                            action: action.clone(),
                            resource: resource.clone(),
                            variant,
                        });
                    }
                }
            }
        }
        self.note_facts(&fields, &actions, &resources, &expectations);
        let name = match fields.get("name") {
            Some(node) => self.source.text(node, "`name`")?.to_owned(),
            None => format!("line {}", fields.at.0),
        };
        Ok(Test { name, at: fields.at, expect, reason, expectations })
    }

    fn expect(&self, node: &Node) -> Result<Expect, Fault> {
        let word = self.source.text(node, "`expect`")?;
        Expect::of(word).ok_or_else(|| {
            let near = match word {
                "allowed" | "Allow" | "ALLOW" => Some("did you mean `allow`?".to_owned()),
                "explicitDeny" => Some("did you mean `explicit`?".to_owned()),
                "implicitDeny" => Some("did you mean `implicit`?".to_owned()),
                _ => advice(word, Expect::WORDS),
            };
            let text = format!("`{word}` is none of `allow`, `deny`, `explicit` and `implicit`");
            self.source.fault(node.at, &text).advise(near)
        })
    }

    fn reason(&self, node: &Node) -> Result<String, Fault> {
        let word = self.source.text(node, "`reason`")?;
        if REASONS.contains(&word) {
            return Ok(word.to_owned());
        }
        let fault = self.source.fault(node.at, &format!("`{word}` is not a kind of policy"));
        Err(fault.advise(advice(word, REASONS.iter().copied())))
    }

    fn actions(&self, node: &Node) -> Result<Vec<String>, Fault> {
        let mut actions = Vec::new();
        for node in one_or_several(node) {
            let action = self.source.text(node, "`action`")?;
            facts::check_action(action).map_err(|problem| self.source.fault(node.at, &problem))?;
            actions.push(action.to_owned());
        }
        Ok(actions)
    }

    fn resources(&self, node: &Node) -> Result<Vec<String>, Fault> {
        let mut resources = Vec::new();
        for node in one_or_several(node) {
            let resource = self.source.text(node, "`resource`")?;
            if resource != "*" && !resource.starts_with("arn:") {
                let text = format!("`{resource}` is neither an ARN nor `*`");
                return Err(self.source.fault(node.at, &text));
            }
            resources.push(resource.to_owned());
        }
        Ok(resources)
    }

    fn context(&self, node: &Node) -> Result<Keys, Fault> {
        let mut keys = Keys::default();
        for (key, node) in self.source.mapping(node, "a context")? {
            if keys.has(&key.name) {
                return Err(self
                    .source
                    .fault(key.at, &format!("the key `{}` stands twice", key.name)));
            }
            let mut values = Vec::new();
            for node in one_or_several(node) {
                values.push(self.source.text(node, "the value of a context key")?.to_owned());
            }
            keys.set(&key.name, values);
        }
        Ok(keys)
    }

    /// Each item is a level, or a list of the policies of one level.
    fn levels(&self, node: &Node, kind: DocumentKind) -> anyhow::Result<Vec<Vec<Named>>> {
        let levels = self.source.items(node, "the levels of an organization")?;
        levels.into_iter().map(|node| self.several(node, kind)).collect()
    }

    fn several(&self, node: &Node, kind: DocumentKind) -> anyhow::Result<Vec<Named>> {
        one_or_several(node).into_iter().map(|node| self.checked(node, kind)).collect()
    }

    /// A policy that IAM would take for this use.
    fn checked(&self, node: &Node, kind: DocumentKind) -> anyhow::Result<Named> {
        let policy = self.policy(node, false)?;
        let key = (Arc::clone(&policy.named.label), policy.at, kind as u8);
        if !self.checked.borrow().contains(&key) {
            files::check(&policy.named, &policy.whole, policy.indent, kind)?;
            self.checked.borrow_mut().insert(key);
        }
        Ok(policy.named)
    }

    /// A policy: a name, a file, or the document itself, as a mapping or as a block of JSON. In the
    /// list of names a text is a file.
    pub(super) fn policy(&self, node: &Node, naming: bool) -> anyhow::Result<Policy> {
        match &node.value {
            Value::Map(_) => {
                let named = Named {
                    label: self.source.file.into(),
                    text: node.to_json().into(),
                    first_line: Some(node.at.0),
                };
                Ok(Policy { named, whole: self.source.text.into(), indent: 0, at: node.at })
            }
            Value::Text { text, block } if text.trim_start().starts_with('{') => {
                let named = Named {
                    label: self.source.file.into(),
                    text: text.as_str().into(),
                    first_line: Some(node.at.0),
                };
                let indent = if *block { node.at.1 - 1 } else { 0 };
                Ok(Policy { named, whole: self.source.text.into(), indent, at: node.at })
            }
            Value::Text { text, .. } => {
                if !naming && let Some(found) = self.policies.get(text) {
                    self.used.borrow_mut().insert(format!("policy `{text}`"));
                    return Ok(found.clone());
                }
                if naming || text.contains(['.', '/', '\\']) {
                    return self.policy_file(text, node.at);
                }
                let known = self.policies.keys().map(String::as_str);
                let fault = self.source.fault(node.at, &format!("there is no policy `{text}`"));
                Err(fault.advise(advice(text, known)).into())
            }
            other => {
                let text =
                    format!("a policy is a name, a file or a document, not {}", other.kind());
                Err(self.source.fault(node.at, &text).into())
            }
        }
    }

    fn policy_file(&self, name: &str, at: At) -> anyhow::Result<Policy> {
        let path = self.folder.join(name);
        let text =
            read_file(&path, MAX_POLICY).map_err(|error| match error.downcast::<Fault>() {
                Ok(fault) => fault,
                Err(error) => self.source.fault(at, &format!("{error:#}")),
            })?;
        let named = Named::file(&path.display().to_string(), &text);
        Ok(Policy { named, whole: text.into(), indent: 0, at: (1, 1) })
    }

    fn note_facts(
        &self,
        fields: &Fields<'_>,
        actions: &[String],
        resources: &[String],
        expectations: &[Expectation],
    ) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() >= facts::MOST_NOTES {
            return;
        }
        let mut settings: Vec<&Rc<Setting>> = expectations.iter().map(|one| &one.setting).collect();
        settings.dedup_by(|one, other| Rc::ptr_eq(one, other));
        let keys = settings.iter().flat_map(|setting| setting.context.iter().map(|(key, _)| key));
        let keys: BTreeSet<&str> = keys.collect();
        let (file, (line, column)) = (self.source.file, fields.at);
        let found = facts::notes(actions, resources, &keys, "`resource:`");
        notes.extend(found.into_iter().map(|note| format!("{file}:{line}:{column}: {note}")));
    }

    fn note_unused(&self) {
        let used = self.used.borrow();
        let mut unused: Vec<String> = self
            .policies
            .keys()
            .map(|name| format!("policy `{name}`"))
            .chain(self.principals.keys().map(|name| format!("principal `{name}`")))
            .filter(|name| !used.contains(name))
            .collect();
        unused.sort();
        let notes =
            unused.into_iter().map(|name| format!("{}: nothing uses the {name}", self.source.file));
        self.notes.borrow_mut().extend(notes);
    }
}
