//! From the files of a folder to evidence: which file holds what.
//!
//! A file is known by its path in the folder; one that is named on the command line, or lies in the
//! folder by another name, by what it holds. Where a call failed, `NAME.error` beside it holds what
//! was answered.

mod center;
mod details;
mod refused;

use std::collections::BTreeMap;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccountId, Partition};
use bailiwick_model::{Account, AccountInfo, ManagedPolicies};
use jiff::Timestamp;

use super::account::{self, Collected};
use super::part::{Missing, Part};
use super::text::{Fault, Text, fault};
use super::{
    Details, Evidence, PermissionSet, Recorder, alarms, credentials, journal, organization,
    regional, resources, services, trails,
};
use crate::estate::Estate;

/// The most files.
pub const MAX_FILES: usize = 1_000_000;
/// The most bytes that all files may have together.
pub const MAX_BYTES: usize = 1 << 30;

/// One file of a folder.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// The name that faults show.
    pub name: &'a str,
    /// Its path in the folder, with `/`.
    pub path: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// Reads all files of one account.
///
/// # Errors
/// There is nothing from which an audit could be made: too many or too large files, or none that
/// tells the account. What is wrong with single files stands in [`Evidence::faults`].
pub fn read(files: &[File<'_>], catalog: &'static Catalog) -> Result<Evidence, Vec<Fault>> {
    let total: usize = files.iter().map(|file| file.bytes.len()).sum();
    let first = files.first().map_or("", |file| file.name);
    if files.len() > MAX_FILES {
        let problem = format!("there are more than {MAX_FILES} files");
        return Err(vec![fault(first, "", 0, &problem)]);
    }
    if total > MAX_BYTES {
        let problem = format!("the files have more than {MAX_BYTES} bytes together");
        return Err(vec![fault(first, "", 0, &problem)]);
    }
    let mut reader = Reader::default();
    let (details, rest): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| kind(file) == Some("authorization-details.json"));
    reader.details(&details, catalog);
    let (reviewed, rest): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|file| details::is_reviewed(file.path));
    let mut found = reader.account(&rest, first, catalog)?;
    found.reviewed = details::reviewed(&reviewed, catalog, &found, &mut reader.faults);
    for file in &rest {
        reader.file(&mut found, file);
    }
    reader.finish(&mut found);
    Ok(found)
}

/// The path that a file stands for: its own, or that of what it holds.
#[allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the names are those of the layout"
)]
fn kind<'a>(file: &File<'a>) -> Option<&'a str> {
    let path = file.path;
    if path.ends_with(".error") || path.contains('/') || KNOWN.contains(&path) {
        let pages = path.starts_with("authorization-details") && path.ends_with(".json");
        return Some(if pages { "authorization-details.json" } else { path });
    }
    if path.starts_with("authorization-details") && path.ends_with(".json") {
        return Some("authorization-details.json");
    }
    // The head tells enough, and a long file is not searched.
    let head = file.bytes.get(..file.bytes.len().min(4096)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let signs = [
        ("\"UserDetailList\"", "authorization-details.json"),
        ("\"GroupDetailList\"", "authorization-details.json"),
        ("\"RoleDetailList\"", "authorization-details.json"),
        ("user,arn,user_creation_time", "credential-report.csv"),
        ("\"GeneratedTime\"", "credential-report.json"),
        ("\"PasswordPolicy\"", "password-policy.json"),
        ("\"SummaryMap\"", "account-summary.json"),
        ("\"VirtualMFADevices\"", "virtual-mfa-devices.json"),
        ("\"Policies\"", "authorization-details.json"),
    ];
    let found = signs.iter().find(|(sign, _)| head.contains(sign));
    // What cannot be told is taken for the details, whose reader says what is wrong with it.
    found.map(|(_, path)| *path).or((path.is_empty()).then_some("authorization-details.json"))
}

/// Files at the top of the folder.
const KNOWN: [&str; 14] = [
    "journal.json",
    "collected.json",
    "regions.json",
    "credential-report.json",
    "credential-report.csv",
    "password-policy.json",
    "account-summary.json",
    "virtual-mfa-devices.json",
    "server-certificates.json",
    "saml-providers.json",
    "oidc-providers.json",
    "roles.json",
    "users.json",
    "collect.log",
];

#[derive(Default)]
struct Reader {
    imported: Option<(Account, ManagedPolicies)>,
    details: Part<Details>,
    faults: Vec<Fault>,
    notes: Vec<String>,
    organization: organization::Gathered,
    resources: resources::Gathered,
    trail_parts: Vec<TrailPart>,
    recorder_status: BTreeMap<(String, String), bool>,
    oidc_clients: BTreeMap<String, Vec<String>>,
    collected: Option<Timestamp>,
    /// Permission sets under way, by the number in the names of their files.
    sets: BTreeMap<String, PermissionSet>,
}

/// What a file tells of one trail.
struct TrailPart {
    region: String,
    name: String,
    told: Told,
}

enum Told {
    Status(Part<(bool, Option<Timestamp>)>),
    Selectors(Part<trails::EventSelectors>),
}

impl TrailPart {
    fn new(region: &str, name: &str, told: Told) -> Self {
        Self { region: region.to_owned(), name: name.to_owned(), told }
    }
}

impl Reader {
    fn details(&mut self, files: &[&File<'_>], catalog: &'static Catalog) {
        if files.is_empty() {
            return;
        }
        match details::read(files, catalog, &mut self.faults) {
            Ok(found) => {
                self.details = Part::Known(Details { notes: found.notes, cut_off: found.cut_off });
                self.imported = Some((found.account, found.managed));
            }
            Err(missing) => self.details = Part::Missing(missing),
        }
    }

    /// Makes the evidence of the account that the details, the script or the report tells.
    fn account(
        &mut self,
        files: &[&File<'_>],
        first: &str,
        catalog: &'static Catalog,
    ) -> Result<Evidence, Vec<Fault>> {
        let mut told: Option<(AccountId, Partition)> =
            self.imported.as_ref().map(|(account, _)| (account.id(), account.partition()));
        // Faults of files that could have told it; with an account they are met again below.
        let mut untold = Vec::new();
        for file in files {
            let Some(
                path @ ("collected.json" | "credential-report.json" | "credential-report.csv"),
            ) = kind(file)
            else {
                continue;
            };
            let text = match Text::new(file.name, file.bytes) {
                Ok(text) => text,
                Err(fault) => {
                    untold.push(fault);
                    continue;
                }
            };
            let found = if path == "collected.json" {
                let told = text.json::<Collected>().map_err(|fault| untold.push(fault));
                told.ok().and_then(|told| {
                    self.collected = told.at;
                    let partition = told.arn.as_deref().and_then(|arn| arn.split(':').nth(1));
                    let partition = partition.and_then(|name| name.parse().ok());
                    Some((told.account?.parse().ok()?, partition.unwrap_or(Partition::Aws)))
                })
            } else {
                let report = credentials::read(&text).map_err(|fault| untold.push(fault));
                report.ok().and_then(|report| {
                    let arn = &report.rows.first()?.arn;
                    Some((arn.account_id()?, arn.partition().parse().ok()?))
                })
            };
            match (told, found) {
                (Some((account, _)), Some((other, _))) if account != other => {
                    let problem = format!(
                        "this is of account {other}, and of account {account} was expected, as in \
                         the files before"
                    );
                    self.faults.push(fault(file.name, text.whole, 0, &problem));
                    return Err(std::mem::take(&mut self.faults));
                }
                (None, found) => told = found,
                _ => {}
            }
        }
        let Some((id, partition)) = told else {
            let mut faults = std::mem::take(&mut self.faults);
            faults.append(&mut untold);
            if faults.is_empty() {
                let problem = "no file tells the account: authorization details, a credential \
                               report or `collected.json` was expected";
                faults.push(fault(first, "", 0, problem));
            }
            return Err(faults);
        };
        let (account, managed) = self.imported.take().unwrap_or_else(|| {
            let created = Timestamp::UNIX_EPOCH;
            let info = AccountInfo { id, name: None, partition, created, alias: None };
            (Account::new(info), ManagedPolicies::new(catalog))
        });
        Ok(Evidence::new(Estate::new(account, managed)))
    }

    fn file(&mut self, evidence: &mut Evidence, file: &File<'_>) {
        let Some(path) = kind(file) else { return self.pass_over(file) };
        if let Some(path) = path.strip_suffix(".error") {
            let text = String::from_utf8_lossy(file.bytes);
            let text: String = text.trim().chars().take(300).collect();
            let missing = Missing::Refused(text.clone());
            if !self.refused(evidence, path, &missing, &text) {
                self.pass_over(file);
            }
        } else {
            let read =
                Text::new(file.name, file.bytes).and_then(|text| self.read(evidence, path, &text));
            match read {
                Ok(true) => {}
                Ok(false) => self.pass_over(file),
                Err(fault) => {
                    let missing = Missing::Unreadable(file.name.to_owned());
                    self.refused(evidence, path, &missing, "");
                    self.faults.push(fault);
                }
            }
        }
    }

    fn pass_over(&mut self, file: &File<'_>) {
        self.notes
            .push(format!("`{}` is no file of an audit folder and is passed over", file.name));
    }

    /// Reads one file. False: the path is none of the layout's.
    fn read(&mut self, found: &mut Evidence, path: &str, text: &Text<'_>) -> Result<bool, Fault> {
        let segments: Vec<&str> = path.split('/').collect();
        match segments.as_slice() {
            // `collected.json` was read for the account.
            ["collected.json"] => {
                text.json::<Collected>()?;
            }
            ["collect.log" | "users.json"] => {}
            ["journal.json"] => found.journal = Part::Known(journal::journal(text)?),
            ["regions.json"] => found.regions = Part::Known(account::regions(text)?),
            ["credential-report.json" | "credential-report.csv"] => {
                found.credential_report = Part::Known(credentials::read(text)?);
            }
            ["password-policy.json"] => {
                found.password_policy = Part::Known(account::password_policy(text)?);
            }
            ["account-summary.json"] => {
                found.account_summary = Part::Known(account::account_summary(text)?);
            }
            ["virtual-mfa-devices.json"] => {
                let list = account::virtual_mfa_devices(text)?;
                same_account(found, text, list.iter().map(|device| device.serial.as_str()))?;
                found.virtual_mfa_devices = Part::Known(list);
            }
            ["server-certificates.json"] => {
                let list = account::server_certificates(text)?;
                same_account(found, text, list.iter().map(|one| one.arn.as_str()))?;
                found.server_certificates = Part::Known(list);
            }
            ["saml-providers.json"] => {
                let list = account::saml_providers(text)?;
                same_account(found, text, list.iter().map(|one| one.arn.as_str()))?;
                found.saml_providers = Part::Known(list);
            }
            ["oidc-providers.json"] => {
                let list = account::oidc_providers(text)?;
                same_account(found, text, list.iter().map(|one| one.arn.as_str()))?;
                found.oidc_providers = Part::Known(list);
            }
            ["oidc-providers", _] => {
                let (url, clients) = account::oidc_provider(text)?;
                self.oidc_clients.insert(url, clients);
            }
            ["roles.json"] => {
                let roles = account::roles(text)?;
                same_account(found, text, roles.values().map(|role| role.arn.as_str()))?;
                found.roles = Part::Known(roles);
            }
            [
                kind @ ("mfa-devices"
                | "access-keys"
                | "ssh-public-keys"
                | "service-specific-credentials"
                | "signing-certificates"),
                file,
            ] => return user_file(found, kind, file, text),
            ["contacts", file] => {
                let kind = file.trim_end_matches(".json").to_owned();
                let contact = account::contact(text)?;
                if let Some(contacts) = found.contacts.gather() {
                    contacts.insert(kind, Some(contact));
                }
            }
            ["policy-tags", _] => {
                let (arn, tags) = account::policy_tags(text)?;
                same_account(found, text, std::iter::once(arn.as_str()))?;
                found.policy_tags.insert(arn, tags);
            }
            ["last-accessed", _] => {
                let (arn, uses) = account::last_accessed(text)?;
                same_account(found, text, std::iter::once(arn.as_str()))?;
                if let Some(all) = found.last_accessed.gather() {
                    all.insert(arn, uses);
                }
            }
            ["organization", rest @ ..] => return self.organization.file(rest, text),
            ["s3", "account-public-access-block.json"] => {
                found.account_public_access = Part::Known(Some(account::public_access(text)?));
            }
            ["s3", ..] => return self.resource(found, "", &segments, text),
            ["identity-center", file] => return self.identity_center(found, file, text),
            ["regions", region, rest @ ..] => return self.regional(found, region, rest, text),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn regional(
        &mut self,
        found: &mut Evidence,
        region: &str,
        path: &[&str],
        text: &Text<'_>,
    ) -> Result<bool, Fault> {
        match path {
            ["analyzers.json"] => {
                let list = regional::analyzers(text, region)?;
                extend(&mut found.analyzers, list);
            }
            ["recorders.json"] => {
                let list = regional::recorders(text, region)?;
                extend(&mut found.recorders, list);
            }
            ["recorder-status.json"] => {
                for (name, recording) in regional::recorder_status(text)? {
                    self.recorder_status.insert((region.to_owned(), name), recording);
                }
            }
            ["trails.json"] => {
                let list = trails::trails(text)?;
                if let Some(all) = found.trails.gather() {
                    // Every region shows the trails of all regions that reach it.
                    for trail in list {
                        if !all.iter().any(|known| known.arn == trail.arn) {
                            all.push(trail);
                        }
                    }
                }
            }
            ["trails", name, "status.json"] => {
                let told = Told::Status(Part::Known(trails::status(text)?));
                self.trail_parts.push(TrailPart::new(region, name, told));
            }
            ["trails", name, "event-selectors.json"] => {
                let told = Told::Selectors(Part::Known(trails::selectors(text)?));
                self.trail_parts.push(TrailPart::new(region, name, told));
            }
            ["log-groups.json"] => extend(&mut found.log_groups, trails::log_groups(text)?),
            ["metric-filters.json"] => {
                let list = alarms::filters(text, region)?;
                if let Some(all) = found.alarms.gather() {
                    all.filters.extend(list);
                    all.regions.push(region.to_owned());
                }
            }
            ["alarms.json"] => {
                let list = alarms::alarms(text, region)?;
                if let Some(all) = found.alarms.gather() {
                    all.alarms.extend(list);
                }
            }
            ["subscriptions.json"] => {
                let list = alarms::subscriptions(text)?;
                if let Some(all) = found.alarms.gather() {
                    all.topics.extend(list);
                }
            }
            ["instances.json"] => {
                extend(&mut found.instances, services::instances(text, region)?);
            }
            ["anywhere-profiles.json"] => {
                let list = services::profiles(text)?;
                if let Some(all) = found.roles_anywhere.gather() {
                    all.profiles.extend(list);
                }
            }
            ["anywhere-anchors.json"] => {
                let list = services::anchors(text)?;
                if let Some(all) = found.roles_anywhere.gather() {
                    all.anchors.extend(list);
                }
            }
            ["security-hub.json"] => {
                let on = services::hub(text)?;
                set_hub(found, region, Some(on), None);
            }
            ["detectors.json"] => {
                // That there are any does not make one that is on.
                let detector = (!services::detectors(text)?).then_some(false);
                set_hub(found, region, None, detector);
            }
            ["detectors", _] => {
                let on = services::detector(text)?;
                set_hub(found, region, None, Some(on));
            }
            ["findings", _] => extend(&mut found.findings, services::findings(text)?),
            _ => return self.resource(found, region, path, text),
        }
        Ok(true)
    }

    fn resource(
        &mut self,
        found: &Evidence,
        region: &str,
        path: &[&str],
        text: &Text<'_>,
    ) -> Result<bool, Fault> {
        let account = found.estate.account.id().to_string();
        let partition = found.estate.account.partition().as_str();
        let place = resources::Place { partition, account: &account, region };
        self.resources.file(&place, path, text)
    }

    fn finish(mut self, found: &mut Evidence) {
        self.join_sets(found);
        found.details = self.details;
        found.collected = self.collected;
        found.organization = self.organization.finish();
        let id = found.estate.account.id();
        if let Part::Known(Some(organization)) = &found.organization {
            found.estate.organization = organization.of(id);
            if found.estate.organization.is_none() {
                self.notes.push(
                    "the organization's tree or policies are not known whole: access is shown as \
                     if no SCP or RCP limited it"
                        .to_owned(),
                );
            }
        }
        found.resources = self.resources.found;
        if let Part::Known(resources) = &found.resources {
            found.estate.resource_policies = Some(resources::for_estate(resources, id));
        }
        if let Part::Known(trails) = &mut found.trails {
            for part in self.trail_parts {
                join_trail(trails, part);
            }
        }
        if let Part::Known(recorders) = &mut found.recorders {
            for recorder in recorders {
                let Recorder { region, name, .. } = recorder;
                let key = (region.clone(), name.clone());
                recorder.recording = self.recorder_status.get(&key).copied();
            }
        }
        if let Part::Known(providers) = &mut found.oidc_providers {
            for provider in providers {
                let url = provider.arn.split_once("oidc-provider/").map_or("", |(_, url)| url);
                provider.client_ids = self.oidc_clients.remove(url);
            }
        }
        found.faults = self.faults;
        found.notes = self.notes;
    }
}

/// Files of two accounts make no account: what a file tells must be of the one that is audited.
fn same_account<'a>(
    found: &Evidence,
    text: &Text<'_>,
    mut arns: impl Iterator<Item = &'a str>,
) -> Result<(), Fault> {
    let id = found.account_id().to_string();
    let other = |arn: &str| {
        arn.starts_with("arn:")
            && arn.split(':').nth(4).is_some_and(|part| part.len() == 12 && part != id)
    };
    let Some(arn) = arns.find(|arn| other(arn)) else { return Ok(()) };
    let at = text.whole.find(arn).unwrap_or_default();
    Err(text.fault(at, &format!("`{arn}` is of another account, and account {id} was expected")))
}

/// Joins what one file tells of a trail to it.
fn join_trail(trails: &mut [trails::Trail], TrailPart { region, name, told }: TrailPart) {
    let mut named = trails.iter_mut().filter(|trail| trail.name == name);
    let Some(trail) = named.find(|trail| trail.home_region == region) else { return };
    match told {
        Told::Status(Part::Known((logging, delivered))) => {
            trail.logging = Part::Known(logging);
            trail.delivered_to_log_group = delivered;
        }
        Told::Status(Part::Missing(missing)) => trail.logging = Part::Missing(missing),
        Told::Selectors(selectors) => trail.selectors = selectors,
    }
}

/// What is told of a region's hub or detectors; one detector that is on is enough.
fn set_hub(found: &mut Evidence, region: &str, hub: Option<bool>, detector: Option<bool>) {
    let Some(hubs) = found.hubs.gather() else { return };
    let held = hubs.entry(region.to_owned()).or_default();
    held.hub = hub.or(held.hub);
    held.detector = match (held.detector, detector) {
        (Some(one), Some(other)) => Some(one || other),
        (one, other) => other.or(one),
    };
}

/// Adds to a list that several files make up; one that cannot be read keeps it missing.
fn extend<T>(part: &mut Part<Vec<T>>, more: Vec<T>) {
    if let Some(list) = part.gather() {
        list.extend(more);
    }
}

/// A list about one user; the file's name is the user's.
fn user_file(found: &mut Evidence, kind: &str, file: &str, text: &Text<'_>) -> Result<bool, Fault> {
    match kind {
        "mfa-devices" => {
            let devices = account::mfa_devices(text)?;
            if let Some(all) = found.mfa_devices.gather() {
                all.insert(file.trim_end_matches(".json").to_owned(), devices);
            }
        }
        "access-keys" => extend(&mut found.access_keys, account::access_keys(text)?),
        "ssh-public-keys" => {
            let list = account::other_credentials(text, "SSH public key")?;
            extend(&mut found.other_credentials, list);
        }
        "service-specific-credentials" => {
            let list = account::other_credentials(text, "service-specific credential")?;
            extend(&mut found.other_credentials, list);
        }
        _ => {
            let list = account::other_credentials(text, "signing certificate")?;
            extend(&mut found.other_credentials, list);
        }
    }
    Ok(true)
}
