//! `bailiwick simulate`: what would be decided, without a server.
//!
//! Policies come from files or from an account export; the engine is the one that answers live
//! calls. `--batch` answers lines of JSON for those with millions of questions.

pub(crate) mod account;
pub(crate) mod batch;
pub(crate) mod facts;
pub(crate) mod fault;
pub(crate) mod files;
pub(crate) mod nearest;
pub(crate) mod question;
pub(crate) mod show;
pub(crate) mod why;

use std::io::{Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use bailiwick_identifiers::AccountId;
use bailiwick_policy::{DocumentKind, Documents, is_delegated};
use clap::Args;

use crate::{Format, terminal};
use account::{Drafts, World};
use fault::Findings;
use question::{Named, Setting};
use show::Row;

/// The most questions of one call.
const MAX_QUESTIONS: usize = 10_000;

/// Flags of `simulate`.
#[derive(Args, Debug)]
pub struct SimulateArgs {
    /// Answer the cases in a file, one JSON object on a line, or on standard input for `-`; the
    /// exit code is 0 once every line has its answer, whatever it is, and 2 if the file cannot be
    /// read or the answers cannot be written
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub batch: Option<PathBuf>,
    /// Who calls: the ARN of a user, role, role session, federated user or root, the name of a
    /// service, or `anonymous`
    #[arg(long, value_name = "ARN", required_unless_present = "batch")]
    pub principal: Option<String>,
    /// What is called, such as `s3:GetObject`; several are several questions
    #[arg(long, value_name = "ACTION", num_args = 1.., required_unless_present = "batch")]
    pub action: Vec<String>,
    /// On what, an ARN [default: *]; several are several questions
    #[arg(long, value_name = "ARN", num_args = 1..)]
    pub resource: Vec<String>,
    /// The owner of resources whose ARN names no account
    #[arg(long, value_name = "ID")]
    pub resource_account: Option<AccountId>,
    /// A context key; the same key again is one more value
    #[arg(long, value_name = "KEY=VALUE")]
    pub context: Vec<String>,
    /// Context keys from a JSON object of strings and lists of strings
    #[arg(long, value_name = "FILE")]
    pub context_file: Option<PathBuf>,
    /// The region that is called: `aws:RequestedRegion`, with global services where they live
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Identity policies of the principal
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "account")]
    pub policy: Vec<PathBuf>,
    /// The permissions boundary; with --account a draft of one
    #[arg(long, value_name = "FILE")]
    pub boundary: Option<PathBuf>,
    /// Session policies
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub session_policy: Vec<PathBuf>,
    /// Service control policies, root first, each a level; several of one level as LEVEL=FILE
    #[arg(long, value_name = "[LEVEL=]FILE", num_args = 1..)]
    pub scp: Vec<String>,
    /// Resource control policies of the resource's organization, in the same way
    #[arg(long, value_name = "[LEVEL=]FILE", num_args = 1..)]
    pub rcp: Vec<String>,
    /// The policy of the resource; for sts:AssumeRole the role's trust policy
    #[arg(long, value_name = "FILE")]
    pub resource_policy: Option<PathBuf>,
    /// The policy of the VPC endpoint by which the call comes
    #[arg(long, value_name = "FILE")]
    pub endpoint_policy: Option<PathBuf>,
    /// Take the principal's policies from an account export (its pages in order)
    #[arg(long, value_name = "EXPORT", num_args = 1..)]
    pub account: Vec<PathBuf>,
    /// Draft: as if this policy were attached to the principal
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "account")]
    pub attach: Vec<PathBuf>,
    /// Draft: the policy of this name or ARN has this text
    #[arg(long, value_name = "NAME=FILE", num_args = 1.., requires = "account")]
    pub replace: Vec<String>,
    /// Draft: as if the policy of this name or ARN were not attached; a boundary stays
    #[arg(long, value_name = "NAME", num_args = 1.., requires = "account")]
    pub detach: Vec<String>,
    /// How to print: a table with reasons, or JSON with the whole explanation
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.batch {
        return batch::run(path);
    }
    for action in &args.action {
        facts::check_action(action).map_err(|problem| anyhow!(problem))?;
    }
    let star = ["*".to_owned()];
    let resources = if args.resource.is_empty() { &star[..] } else { &args.resource[..] };
    if args.action.len().saturating_mul(resources.len()) > MAX_QUESTIONS {
        bail!("one call asks at most {MAX_QUESTIONS} questions; --batch has no such limit");
    }
    let (setting, drafted) = settings(args, resources)?;
    let mut documents = Documents::default();
    let mut rows = Vec::new();
    for action in &args.action {
        for resource in resources {
            let mut ask = |setting: &Setting| {
                setting
                    .ask(action, resource, &mut documents)
                    .map_err(|problem| anyhow!("{problem}"))
            };
            let now = ask(&setting)?;
            let with_drafts = drafted.as_ref().map(ask).transpose()?;
            rows.push(Row { now, with_drafts });
        }
    }
    let notes = notes(args, resources, &setting);
    let mut out = stdout().lock();
    match args.format {
        Format::Table => {
            for note in &notes {
                let _ = writeln!(stderr(), "note: {}", terminal::text(note));
            }
            show::table(&mut out, &setting, &rows)?;
        }
        Format::Json => {
            let text = format!("{:#}", show::json(&setting, &rows, &notes));
            writeln!(out, "{}", terminal::json(&text))?;
        }
    }
    out.flush()?;
    if rows.iter().all(|row| row.asked().is_allowed()) { Ok(()) } else { Err(Findings.into()) }
}

/// The caller as it is, and with the drafts if there are any.
fn settings(
    args: &SimulateArgs,
    resources: &[String],
) -> anyhow::Result<(Setting, Option<Setting>)> {
    let principal = args.principal.as_deref().unwrap_or("anonymous");
    let boundary = load_one(args.boundary.as_deref(), DocumentKind::Boundary)?;
    let (mut setting, drafts) = if args.account.is_empty() {
        let principal = (principal != "anonymous").then(|| principal.to_owned());
        let mut setting = Setting { principal, ..Setting::default() };
        setting.policies.identity = load(&args.policy, DocumentKind::Identity)?;
        setting.policies.boundary = boundary;
        (setting, Drafts::default())
    } else {
        let world = Arc::new(World::read(&args.account)?);
        (world.caller(principal)?, drafts(args, boundary)?)
    };
    let session = load(&args.session_policy, DocumentKind::Session)?;
    setting.policies.session = (!session.is_empty()).then_some(session);
    setting.policies.scps = levels(&args.scp, DocumentKind::ServiceControl)?;
    setting.policies.rcps = levels(&args.rcp, DocumentKind::ResourceControl)?;
    setting.policies.resource =
        load_one(args.resource_policy.as_deref(), resource_kind(&args.action, resources))?;
    let endpoint = load_one(args.endpoint_policy.as_deref(), DocumentKind::Resource)?;
    setting.policies.endpoints.extend(endpoint);
    setting.resource_account = args.resource_account;
    setting.region.clone_from(&args.region);
    if let Some(path) = &args.context_file {
        setting.context = files::context(path)?;
    }
    let mut given = question::Keys::default();
    for entry in &args.context {
        match entry.split_once('=') {
            Some((key, value)) if !key.is_empty() => given.push(key, value.to_owned()),
            _ => bail!("`{entry}` is no context key: write it as `aws:SourceIp=192.0.2.7`"),
        }
    }
    setting.context.extend(&given);
    let drafted = if drafts.is_empty() { None } else { Some(setting.with_drafts(&drafts)?) };
    Ok((setting, drafted))
}

fn drafts(args: &SimulateArgs, boundary: Option<Named>) -> anyhow::Result<Drafts> {
    let mut replace = Vec::new();
    for entry in &args.replace {
        let Some((name, file)) = entry.rsplit_once('=') else {
            bail!("`{entry}`: write the name of the policy and the file as NAME=FILE");
        };
        replace.push((name.to_owned(), files::policy(file.as_ref(), DocumentKind::Identity)?));
    }
    let attach = load(&args.attach, DocumentKind::Identity)?;
    Ok(Drafts { attach, replace, detach: args.detach.clone(), boundary })
}

/// Whether the policy of these resources is a trust policy.
pub(crate) fn resource_kind(actions: &[String], resources: &[String]) -> DocumentKind {
    let is_trust = |action: &String, resource: &String| {
        resource.contains(":role/") && is_delegated(action, resource)
    };
    let trust = actions.iter().any(|action| resources.iter().any(|one| is_trust(action, one)));
    if trust { DocumentKind::Trust } else { DocumentKind::Resource }
}

fn load(paths: &[PathBuf], kind: DocumentKind) -> anyhow::Result<Vec<Named>> {
    paths.iter().map(|path| files::policy(path, kind)).collect()
}

fn load_one(path: Option<&Path>, kind: DocumentKind) -> anyhow::Result<Option<Named>> {
    path.map(|path| files::policy(path, kind)).transpose()
}

/// The levels of an organization: each file is one, except that files of one name are together.
fn levels(entries: &[String], kind: DocumentKind) -> anyhow::Result<Vec<Vec<Named>>> {
    let mut levels: Vec<(Option<&str>, Vec<Named>)> = Vec::new();
    for entry in entries {
        // A file whose name has an equals sign is a file all the same.
        let split = entry.split_once('=').filter(|_| !Path::new(entry).exists());
        let (name, file) = split.map_or((None, entry.as_str()), |(name, file)| (Some(name), file));
        let policy = files::policy(file.as_ref(), kind)?;
        match levels.iter_mut().find(|(known, _)| known.is_some() && *known == name) {
            Some((_, level)) => level.push(policy),
            None => levels.push((name, vec![policy])),
        }
    }
    Ok(levels.into_iter().map(|(_, level)| level).collect())
}

/// What the export lacks, and what the catalog knows better.
fn notes(args: &SimulateArgs, resources: &[String], setting: &Setting) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(world) = &setting.world {
        notes.extend(world.notes.iter().cloned());
    }
    let keys = setting.context.iter().map(|(key, _)| key).collect();
    notes.extend(facts::notes(&args.action, resources, &keys, "--resource"));
    notes
}
