//! `bailiwick audit validate`: every policy of whole accounts, each as ValidatePolicy takes its kind.
//!
//! Equal texts of one type are validated once. What has no text, and what no file tells, is said, and
//! makes exit code 2: nothing is taken for fine because it was not seen.

mod show;

use std::collections::{BTreeMap, HashMap};
use std::io::{Write as _, stderr, stdout};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::bail;
use bailiwick_analyzer::evidence::{Evidence, Held, Holding, policies};
use bailiwick_analyzer::validate::{
    Examined, Finding, FindingType, PolicyType, ResourceType, examine,
};
use clap::Args;

use super::folder::{Loaded, load};
use super::import::ServerArgs;
use super::posture;
use crate::simulate::fault::Findings;
use crate::terminal;
use crate::validate::{FailOn, ReportFormat};

/// Flags of `audit validate`.
#[derive(Args, Debug)]
pub struct ValidateAllArgs {
    /// Every policy of each account, which is what is done without this flag too
    #[arg(long)]
    pub all: bool,
    /// Folders as the collecting script makes them, each an account; files are one account together
    /// [default: a live account, as with --server]
    #[arg(value_name = "FOLDER|FILE", conflicts_with = "server")]
    pub paths: Vec<PathBuf>,
    /// All versions of managed policies, not only those in force
    #[arg(long)]
    pub all_versions: bool,
    /// Which findings make exit code 1, and are told one by one in the table
    #[arg(long, value_name = "KIND", default_value = "security-warning")]
    pub fail_on: FailOn,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ReportFormat,
    /// A live account in place of files
    #[command(flatten)]
    pub server: ServerArgs,
}

/// The type with which a text is validated.
type Types = (PolicyType, Option<ResourceType>);

/// An account with what is wrong with its policies.
struct Account {
    /// Its id.
    id: String,
    /// The folder, or how else it was named.
    from: String,
    policies: Vec<Validated>,
    /// What could not be validated, with the reason.
    unread: Vec<String>,
    /// Versions that are not in force.
    left_out: usize,
    /// How many texts were validated.
    texts: usize,
    /// Parts of the account of which no file tells, so that their policies are not known.
    untold: Vec<String>,
}

/// A policy with what is wrong with it.
struct Validated {
    held: Held,
    examined: Arc<Examined>,
}

impl Account {
    fn findings(&self) -> impl Iterator<Item = (&Held, &Finding)> {
        self.policies
            .iter()
            .flat_map(|one| one.examined.findings.iter().map(|finding| (&one.held, finding)))
    }

    fn counts(&self) -> BTreeMap<FindingType, usize> {
        let mut counts: BTreeMap<_, _> = FindingType::ALL.map(|kind| (kind, 0)).into();
        for (_, finding) in self.findings() {
            *counts.entry(finding.finding_type).or_default() += 1;
        }
        counts
    }

    fn holdings(&self) -> BTreeMap<Holding, usize> {
        let mut counts = BTreeMap::new();
        for one in &self.policies {
            *counts.entry(one.held.holding).or_default() += 1;
        }
        counts
    }
}

pub(super) fn run(args: &ValidateAllArgs) -> anyhow::Result<()> {
    let mut accounts = Vec::new();
    let mut bad = 0;
    if args.paths.is_empty() {
        let mut server = args.server.clone();
        server.server = server.server.or(Some(None));
        let files = server.files()?;
        bad += add("the server", &files, args.all_versions, &mut accounts);
    }
    let (folders, files): (Vec<_>, Vec<_>) = args.paths.iter().partition(|path| path.is_dir());
    for folder in folders {
        let name = folder.display().to_string();
        let files = load(std::slice::from_ref(folder))?;
        bad += add(&name, &files, args.all_versions, &mut accounts);
    }
    if !files.is_empty() {
        let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        let files = load(&files.into_iter().cloned().collect::<Vec<_>>())?;
        bad += add(&names.join(" "), &files, args.all_versions, &mut accounts);
    }
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.format {
        ReportFormat::Table => show::table(&mut out, &accounts, args.fail_on)?,
        ReportFormat::Json => {
            let told = format!("{:#}", show::json(&accounts));
            writeln!(out, "{}", terminal::json(&told))?;
        }
        ReportFormat::Sarif => {
            let told = format!("{:#}", show::sarif(&accounts));
            writeln!(out, "{}", terminal::json(&told))?;
        }
    }
    out.flush()?;
    drop(out);
    let unread: usize = accounts.iter().map(|account| account.unread.len()).sum();
    if bad > 0 || unread > 0 {
        bail!("{bad} files cannot be used, and {unread} policies have no text to validate");
    }
    let mut all = accounts.iter().flat_map(Account::findings);
    if all.any(|(_, finding)| args.fail_on.counts(finding.finding_type)) {
        return Err(Findings.into());
    }
    Ok(())
}

/// Validates one account; the answer is how many of its files cannot be used.
fn add(from: &str, files: &[Loaded], all_versions: bool, accounts: &mut Vec<Account>) -> usize {
    let evidence = match posture::parse(files) {
        Ok(evidence) => evidence,
        Err(faults) => {
            posture::tell(&faults, files);
            return faults.len().max(1);
        }
    };
    posture::tell(&evidence.faults, files);
    let found = policies(&evidence, all_versions);
    let (policies, texts) = validated(found.held);
    let mut unread = found.unread;
    for one in &policies {
        if !one.examined.whole {
            unread
                .push(format!("{}: more to check than fits; some checks were left out", one.held));
        }
    }
    for line in &unread {
        let _ = writeln!(stderr(), "{}", terminal::text(line));
    }
    accounts.push(Account {
        id: evidence.account_id().to_string(),
        from: from.to_owned(),
        policies,
        unread,
        left_out: found.left_out,
        texts,
        untold: untold(&evidence),
    });
    let cut_off = evidence.details.known().is_none_or(|details| details.cut_off);
    evidence.faults.len() + usize::from(cut_off && evidence.faults.is_empty())
}

/// The kinds of policies of which nothing is known.
fn untold(evidence: &Evidence) -> Vec<String> {
    let mut untold = Vec::new();
    for (what, missing) in [
        ("policies of users, groups and roles", evidence.details.missing()),
        ("resource policies", evidence.resources.missing()),
        ("policies of the organization", evidence.organization.missing()),
        ("permission sets", evidence.identity_center.missing()),
    ] {
        if let Some(missing) = missing {
            untold.push(format!("{what}: {missing}"));
        }
    }
    untold
}

/// Validates each text of a type once; the answer tells how many there were.
fn validated(held: Vec<Held>) -> (Vec<Validated>, usize) {
    let mut numbers: HashMap<(Types, Arc<str>), usize> = HashMap::new();
    let mut work: Vec<(Types, Arc<str>)> = Vec::new();
    let mut of_text = Vec::with_capacity(held.len());
    for one in &held {
        let types = (one.holding.policy_type(), one.resource_type);
        let number = *numbers.entry((types, Arc::clone(&one.text))).or_insert_with(|| {
            work.push((types, Arc::clone(&one.text)));
            work.len() - 1
        });
        of_text.push(number);
    }
    let results = examined(&work);
    let policies = held
        .into_iter()
        .zip(of_text)
        .filter_map(|(held, number)| {
            Some(Validated { held, examined: Arc::clone(results.get(number)?) })
        })
        .collect();
    (policies, work.len())
}

/// Texts are validated beside each other: they have nothing to do with one another.
fn examined(work: &[(Types, Arc<str>)]) -> Vec<Arc<Examined>> {
    let one =
        |((kind, resource), text): &(Types, Arc<str>)| Arc::new(examine(text, *kind, *resource));
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let size = work.len().div_ceil(threads).max(64);
    thread::scope(|scope| {
        let parts: Vec<_> = work
            .chunks(size)
            .map(|part| (part, scope.spawn(move || part.iter().map(one).collect::<Vec<_>>())))
            .collect();
        let join =
            |(part, thread): (&[(Types, Arc<str>)], thread::ScopedJoinHandle<'_, Vec<_>>)| {
                // A thread that broke off has said so; its texts are done again here.
                thread.join().unwrap_or_else(|_| part.iter().map(one).collect())
            };
        parts.into_iter().flat_map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(holding: Holding, owner: &str, text: &str) -> Held {
        let (owner, name) = (owner.to_owned(), String::new());
        Held { holding, owner, name, version: None, resource_type: None, text: text.into() }
    }

    // The same text is one piece of work, unless it is meant as another type.
    #[test]
    fn texts_are_validated_once_for_each_type() {
        let text = r#"{"Version": "2012-10-17", "Statement": []}"#;
        let list = vec![
            held(Holding::Managed, "a", text),
            held(Holding::RoleInline, "b", text),
            held(Holding::ServiceControl, "c", text),
            held(Holding::Managed, "d", "{"),
        ];
        let (found, texts) = validated(list);
        assert_eq!((found.len(), texts), (4, 3));
        assert!(Arc::ptr_eq(&found[0].examined, &found[1].examined));
        assert!(!Arc::ptr_eq(&found[0].examined, &found[2].examined));
        let worst = found[3].examined.findings.iter().map(|found| found.finding_type).min();
        assert_eq!(worst, Some(FindingType::Error));
    }

    #[test]
    fn many_texts_keep_their_order() {
        let list: Vec<Held> = (0..500)
            .map(|number| held(Holding::Managed, &number.to_string(), &"[".repeat(number)))
            .collect();
        let (found, _) = validated(list);
        for (number, one) in found.iter().enumerate() {
            let alone = examine(&"[".repeat(number), PolicyType::Identity, None);
            assert_eq!((one.held.owner.clone(), &*one.examined), (number.to_string(), &alone));
        }
    }
}
