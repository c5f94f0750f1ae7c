//! An account export as the world of a simulation, and drafts laid over it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{Arn, TagSet};
use bailiwick_model::export::{self, ExportFile, MAX_BYTES};
use bailiwick_model::{Account, Effective, Found, ManagedPolicies, Role, User};
use bailiwick_policy::{DocumentKind, Source, SourceKind, is_delegated};

use super::fault::Fault;
use super::nearest::advice;
use super::question::{Named, Policies, Setting};

/// An account and the AWS managed policies beside it.
#[derive(Debug)]
pub(crate) struct World {
    account: Account,
    managed: ManagedPolicies,
    /// What the reader of the export met: missing or unreadable parts.
    pub(crate) notes: Vec<String>,
    /// Whether its pages end before the export does.
    cut_off: bool,
}

/// Changes that are tried before they are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drafts {
    /// Policies as if attached to the caller.
    pub(crate) attach: Vec<Named>,
    /// New texts of policies, by name or ARN.
    pub(crate) replace: Vec<(String, Named)>,
    /// Policies as if detached, by name or ARN; a boundary stays.
    pub(crate) detach: Vec<String>,
    /// A permissions boundary in place of the caller's.
    pub(crate) boundary: Option<Named>,
}

impl Drafts {
    /// Whether there is anything to try.
    pub(crate) fn is_empty(&self) -> bool {
        self.attach.is_empty()
            && self.replace.is_empty()
            && self.detach.is_empty()
            && self.boundary.is_none()
    }
}

impl World {
    /// Reads an account export: one file, or its pages in order.
    ///
    /// # Errors
    /// A file cannot be read, or is no export (with file, line and column).
    pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            for path in pages(path)? {
                let bytes = read_bytes(&path)?;
                files.push((path.display().to_string(), bytes));
            }
        }
        Self::of(&files)
    }

    /// The same of pages that a server has answered, with their names.
    ///
    /// # Errors
    /// They are no export.
    pub(crate) fn of_pages(pages: &[(String, Vec<u8>)]) -> anyhow::Result<Self> {
        Self::of(pages)
    }

    /// The same of an export in memory.
    ///
    /// # Errors
    /// It is no export.
    pub(crate) fn of_json(name: &str, export: &serde_json::Value) -> anyhow::Result<Self> {
        Self::of(&[(name.to_owned(), export.to_string().into_bytes())])
    }

    fn of(files: &[(String, Vec<u8>)]) -> anyhow::Result<Self> {
        let files: Vec<_> = files.iter().map(|(name, bytes)| ExportFile { name, bytes }).collect();
        let found = export::read(&files, Catalog::embedded()).map_err(|error| {
            let held = files.iter().find(|file| file.name == error.file);
            let text = String::from_utf8_lossy(held.map_or(&[], |file| file.bytes));
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let place = (number(error.line), number(error.column));
            let utf16 = held.is_some_and(|file| {
                file.bytes.starts_with(b"\xff\xfe") || file.bytes.starts_with(b"\xfe\xff")
            });
            let advice = utf16.then(|| "it looks like UTF-16: save it as UTF-8".to_owned());
            Fault::new(&error.file, &text, place, error.problem.to_string()).advise(advice)
        })?;
        let note = |note: &export::Note| match &note.place {
            Some(place) => format!(
                "{}:{}:{}: {}: {}",
                place.file, place.line, place.column, note.about, note.text
            ),
            None => format!("{}: {}", note.about, note.text),
        };
        let notes = found.notes.iter().map(note).collect();
        let cut_off = found.notes.iter().any(|note| note.kind == export::NoteKind::CutOff);
        Ok(Self { account: found.account, managed: found.managed, notes, cut_off })
    }

    /// The world, if no page of its export is known to lack.
    ///
    /// # Errors
    /// Every page says that another one follows.
    pub(crate) fn whole(self) -> anyhow::Result<Self> {
        if self.cut_off {
            bail!(
                "every page says that another one follows, and none is there: give all pages; of a \
                 part nothing is answered, since whoever is not in it would be taken for nobody"
            );
        }
        Ok(self)
    }

    /// The account, the AWS managed policies beside it, and the notes.
    pub(crate) fn into_parts(self) -> (Account, ManagedPolicies, Vec<String>) {
        (self.account, self.managed, self.notes)
    }

    /// The names and ARNs of the users.
    pub(crate) fn users(&self) -> Vec<(String, String)> {
        let user =
            |user: &Arc<User>| (user.name.to_string(), self.account.user_arn(user).to_string());
        self.account.users().map(user).collect()
    }

    /// Every policy text of the account with whose it is: inline ones, and default versions of its
    /// managed ones.
    pub(crate) fn policy_texts(&self) -> Vec<(String, String, DocumentKind)> {
        let account = &self.account;
        let mut found = Vec::new();
        let owners = account
            .users()
            .map(|user| (user.id, account.user_arn(user).to_string()))
            .chain(account.groups().map(|group| (group.id, account.group_arn(group).to_string())))
            .chain(account.roles().map(|role| (role.id, account.role_arn(role).to_string())));
        for (id, arn) in owners {
            for policy in account.inline_policies(id) {
                let text = policy.document.source().to_owned();
                found.push((format!("{arn} {}", policy.name), text, DocumentKind::Identity));
            }
        }
        for policy in account.policies() {
            if let Some(version) = account.version(policy.id, policy.default_version) {
                let text = version.document.source().to_owned();
                found.push((account.policy_arn(policy).to_string(), text, DocumentKind::Identity));
            }
        }
        found
    }

    /// A user, role, role session or root of the account, with what applies to it; also a service
    /// or `anonymous`, to which only policies of resources apply (EV-8, EV-9).
    ///
    /// # Errors
    /// The account has no such principal, or the ARN is of another account or kind.
    pub(crate) fn caller(self: &Arc<Self>, principal: &str) -> anyhow::Result<Setting> {
        if principal == "anonymous" {
            return Ok(Setting { world: Some(Arc::clone(self)), ..Setting::default() });
        }
        if !principal.starts_with("arn:") {
            let (principal, world) = (Some(principal.to_owned()), Some(Arc::clone(self)));
            return Ok(Setting { principal, world, ..Setting::default() });
        }
        let arn: Arn = principal.parse().with_context(|| format!("`{principal}` is not an ARN"))?;
        if arn.account_id() != Some(self.account.id()) {
            bail!("`{principal}` is not of account {}, which the export shows", self.account.id());
        }
        let mut setting = Setting {
            principal: Some(principal.to_owned()),
            world: Some(Arc::clone(self)),
            ..Setting::default()
        };
        let effective = match (arn.service(), arn.resource().split_once('/')) {
            ("iam", None) if arn.resource() == "root" => Effective::default(),
            ("iam", Some(("user", _))) => {
                let user = self.user(&arn).with_context(|| self.unknown(&arn))?;
                setting.id = Some(user.id.to_string());
                setting.tags = tags(&user.tags);
                Effective::of_user(&self.account, &self.managed, user.id)
            }
            ("iam", Some(("role", _))) => {
                let role = self.role(&arn).with_context(|| self.unknown(&arn))?;
                setting.id = Some(role.id.to_string());
                setting.tags = tags(&role.tags);
                Effective::of_role(&self.account, &self.managed, role.id)
            }
            ("sts", Some(("assumed-role", session))) => {
                let name = session.split('/').next().unwrap_or_default();
                let role = self.account.role_named(name).with_context(|| self.unknown(&arn))?;
                setting.id = Some(role.id.to_string());
                setting.role_arn = Some(self.account.role_arn(role).to_string());
                setting.tags = tags(&role.tags);
                Effective::of_role(&self.account, &self.managed, role.id)
            }
            _ => bail!("`{principal}` is no user, role, role session or root of an account"),
        };
        setting.policies = policies(&effective);
        Ok(setting)
    }

    /// The trust policy of a role that is to be assumed, and what its principals are bound to
    /// (PR-12).
    pub(crate) fn trust_policy(
        &self,
        action: &str,
        resource: &str,
    ) -> Option<(Named, BTreeMap<String, String>)> {
        if !is_delegated(action, resource) {
            return None;
        }
        let arn: Arn = resource.parse().ok()?;
        let role = self.role(&arn)?;
        let bound = role.trust.bindings().iter();
        let bound = bound.map(|binding| (binding.arn.to_string(), binding.id.to_string()));
        let named = Named {
            label: format!("trust policy of role `{}`", role.name.as_str()).into(),
            text: role.trust.source().into(),
            first_line: None,
        };
        Some((named, bound.collect()))
    }

    /// The tags of a user or role that is the resource of a request.
    pub(crate) fn resource_tags(&self, resource: &str) -> Vec<(String, String)> {
        let Ok(arn) = resource.parse::<Arn>() else { return Vec::new() };
        match (self.user(&arn), self.role(&arn)) {
            (Some(user), _) => tags(&user.tags),
            (None, Some(role)) => tags(&role.tags),
            (None, None) => Vec::new(),
        }
    }

    fn user(&self, arn: &Arn) -> Option<&Arc<User>> {
        let name = arn.resource().strip_prefix("user/")?.rsplit('/').next()?;
        self.account.user_named(name).filter(|user| self.account.user_arn(user) == *arn)
    }

    fn role(&self, arn: &Arn) -> Option<&Arc<Role>> {
        let name = arn.resource().strip_prefix("role/")?.rsplit('/').next()?;
        self.account.role_named(name).filter(|role| self.account.role_arn(role) == *arn)
    }

    fn unknown(&self, arn: &Arn) -> String {
        let users = self.account.users().map(|user| self.account.user_arn(user).to_string());
        let roles = self.account.roles().map(|role| self.account.role_arn(role).to_string());
        let known: Vec<String> = users.chain(roles).collect();
        let mut text = format!("the export has no `{arn}`");
        if let Some(advice) = advice(arn.as_str(), known.iter().map(String::as_str)) {
            text.push_str(": ");
            text.push_str(&advice);
        }
        text
    }
}

impl Setting {
    /// The same caller with drafts laid over its policies.
    ///
    /// # Errors
    /// A policy that is to be replaced does not apply to the caller, one that is to be detached is
    /// not attached, or the caller has no policies of its own.
    pub(crate) fn with_drafts(&self, drafts: &Drafts) -> anyhow::Result<Self> {
        match self.principal.as_deref() {
            Some(principal) if principal.starts_with("arn:") => {}
            Some(service) => bail!("`{service}` has no policies of its own that could be changed"),
            None => bail!("an anonymous caller has no policies of its own that could be changed"),
        }
        let mut changed = self.clone();
        for name in &drafts.detach {
            let before = changed.policies.identity.len();
            changed.policies.identity.retain(|policy| !goes_by(policy, name));
            if changed.policies.identity.len() == before {
                if self.policies.boundary.as_ref().is_some_and(|policy| goes_by(policy, name)) {
                    bail!(
                        "policy `{name}` is the permissions boundary, and not attached: \
                         `boundary` tries another one"
                    );
                }
                bail!(no_policy(name, &self.policies.identity));
            }
        }
        for (name, text) in &drafts.replace {
            let policies = &mut changed.policies;
            let all = policies.identity.iter_mut().chain(&mut policies.boundary);
            let mut found = false;
            for policy in all.filter(|policy| goes_by(policy, name)) {
                *policy = text.clone();
                found = true;
            }
            if !found {
                bail!(no_policy(
                    name,
                    self.policies.identity.iter().chain(&self.policies.boundary)
                ));
            }
        }
        changed.policies.identity.extend(drafts.attach.iter().cloned());
        if drafts.boundary.is_some() {
            changed.policies.boundary.clone_from(&drafts.boundary);
        }
        Ok(changed)
    }
}

fn no_policy<'a>(name: &str, all: impl IntoIterator<Item = &'a Named>) -> String {
    let known: Vec<&str> = all.into_iter().map(|policy| short(&policy.label)).collect();
    let mut text = format!("no policy `{name}` applies to the principal");
    if let Some(advice) = advice(name, known.iter().copied()) {
        text.push_str(": ");
        text.push_str(&advice);
    } else if !known.is_empty() {
        text.push_str("; there is ");
        text.push_str(&known.join(", "));
    }
    text
}

/// Whether a policy of an export has this name or ARN.
fn goes_by(policy: &Named, name: &str) -> bool {
    let held = short(&policy.label);
    held == name || held.rsplit('/').next() == Some(name)
}

/// The name or ARN in a label such as "inline policy `read` of group `devs`".
fn short(label: &str) -> &str {
    label.split('`').nth(1).unwrap_or(label)
}

/// What applies to a caller, by the names that a reader knows.
fn policies(effective: &Effective) -> Policies {
    let named = |found: &Found| Named {
        label: label(&found.source).into(),
        text: found.document.source_arc(),
        first_line: None,
    };
    let mut identity: Vec<Named> = effective.identity.iter().map(named).collect();
    if let Some(source) = &effective.unreadable {
        // It applies and cannot be read, so that it denies (IN-6): an empty text does the same.
        identity.push(Named { label: label(source).into(), text: "".into(), first_line: None });
    }
    Policies { identity, boundary: effective.boundary.as_ref().map(named), ..Policies::default() }
}

fn label(source: &Source) -> String {
    let id = &source.id;
    match &source.kind {
        SourceKind::UserInline | SourceKind::RoleInline => format!("inline policy `{id}`"),
        SourceKind::GroupInline { group } => format!("inline policy `{id}` of group `{group}`"),
        SourceKind::GroupManaged { group } => format!("managed policy `{id}` of group `{group}`"),
        SourceKind::Boundary => format!("boundary `{id}`"),
        _ => format!("managed policy `{id}`"),
    }
}

fn tags(tags: &TagSet) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.key.as_str().to_owned(), tag.value.as_str().to_owned())).collect()
}

/// A file, or the pages that a folder holds as the collecting script writes them.
fn pages(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let shown = path.display();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("`{shown}` cannot be read"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(rest) = name.strip_prefix("authorization-details")
            && let Some(number) = rest.strip_suffix(".json")
        {
            let number: u32 = number.trim_start_matches('-').parse().unwrap_or_default();
            found.push((number, path.join(name)));
        }
    }
    if found.is_empty() {
        bail!(
            "`{shown}` is a folder without `authorization-details.json`, which was expected there"
        );
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("`{shown}` cannot be opened"))?;
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    if file.metadata().is_ok_and(|about| about.len() > limit) {
        bail!("`{shown}` is longer than {limit} bytes, which no export is; nothing of it is read");
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .with_context(|| format!("`{shown}` cannot be read"))?;
    Ok(bytes)
}
