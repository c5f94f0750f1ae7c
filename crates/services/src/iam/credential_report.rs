//! The credential report: one row for root and each user, as of the moment when it was made.
//!
//! AWS makes it after the call that asks for it; here it is made with that call, so that only the
//! answers `STARTED` and `COMPLETE` are seen. Rows and columns: IAM user guide, getting credential
//! reports. A live report has 22 columns, lines end in LF, and the last has none (*observed*).

use std::sync::Arc;

use bailiwick_model::{
    AccessKey, Account, CredentialReport, KeyStatus, Owner, Record, RecordKey, SigningCertificate,
    User,
};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;
use jiff::{SignedDuration, Timestamp};

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};

pub(super) const OPERATIONS: &[Entry] =
    &[entry::<GenerateCredentialReport>(), entry::<GetCredentialReport>()];

/// How long a report is good, and no other is made. Source: IAM user guide, getting credential
/// reports.
const LIFE: SignedDuration = SignedDuration::from_hours(4);

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// What stands where there is nothing to tell.
const NONE: &str = "N/A";
/// What stands for a password of which no use is known.
const UNKNOWN: &str = "no_information";
/// What stands for root's password.
const NOT_SUPPORTED: &str = "not_supported";

/// When the newest report was made.
fn made(account: &Account) -> Option<Timestamp> {
    account.credential_report().next().map(|part| part.made)
}

fn is_good(made: Timestamp, now: Timestamp) -> bool {
    now.duration_since(made) <= LIFE
}

/// Makes a report, unless there is a good one.
struct GenerateCredentialReport {
    parts: Option<Vec<CredentialReport>>,
}

impl Operation for GenerateCredentialReport {
    type Api = api::GenerateCredentialReport;
    const HEAVY: bool = true;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self { parts: None })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        if !made(call.account()).is_some_and(|made| is_good(made, call.now())) {
            self.parts = Some(CredentialReport::split(call.now(), &report(call)));
        }
        Ok(())
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GenerateCredentialReportResponse, Fault> {
        let held = made(call.account());
        if held.is_some_and(|made| is_good(made, call.now())) {
            return Ok(answer("COMPLETE", None));
        }
        // Absent only if a report that was good has just been taken away.
        let parts = self.parts.clone().ok_or_else(Fault::internal)?;
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let beyond: Vec<u32> = call
            .account()
            .credential_report()
            .map(|part| part.part)
            .filter(|part| *part >= count)
            .collect();
        for part in parts {
            call.update(Record::CredentialReport(Arc::new(part)));
        }
        for part in beyond {
            call.remove(&RecordKey::CredentialReport(part));
        }
        let words = "No report exists. Starting a new report generation task";
        Ok(answer("STARTED", held.is_none().then_some(words)))
    }
}

fn answer(state: &str, description: Option<&str>) -> api::GenerateCredentialReportResponse {
    api::GenerateCredentialReportResponse {
        state: Some(state.to_owned()),
        description: description.map(str::to_owned),
    }
}

/// Hands out the report as it was made.
struct GetCredentialReport;

impl Operation for GetCredentialReport {
    type Api = api::GetCredentialReport;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetCredentialReportResponse, Fault> {
        // *Observed*: AWS says no more.
        let made = made(call.account()).ok_or_else(|| Fault::new("ReportNotPresent", "Unknown"))?;
        if !is_good(made, call.now()) {
            let text = "The most recent credential report has expired. To generate a new \
                        credential report, use GenerateCredentialReport.";
            return Err(Fault::new("ReportExpired", text));
        }
        let parts = call.account().credential_report();
        let content = parts.flat_map(|part| part.text.bytes()).collect();
        Ok(api::GetCredentialReportResponse {
            content: Some(content),
            report_format: Some("text/csv".to_owned()),
            generated_time: Some(made),
        })
    }
}

fn report(call: &Call<'_>) -> String {
    let account = call.account();
    let mut text = HEADER.to_owned();
    let mut row = Row::new(&mut text);
    row.put("<root_account>");
    row.put(account.root_arn().as_str());
    row.time(account.info().created);
    // Root has no password here.
    for value in [NOT_SUPPORTED, UNKNOWN, NOT_SUPPORTED, NOT_SUPPORTED] {
        row.put(value);
    }
    row.credentials(call, Owner::Root);
    for user in account.users() {
        let mut row = Row::new(&mut text);
        row.put(user.name.as_str());
        row.put(account.user_arn(user).as_str());
        row.time(user.created);
        row.password(account, user);
        row.credentials(call, Owner::User(user.id));
    }
    text
}

/// A row as it is written.
struct Row<'a> {
    text: &'a mut String,
    begun: bool,
}

impl<'a> Row<'a> {
    fn new(text: &'a mut String) -> Self {
        text.push('\n');
        Self { text, begun: false }
    }

    /// A field. A name, and so an ARN, may hold a comma, but no quote.
    fn put(&mut self, value: &str) {
        if self.begun {
            self.text.push(',');
        }
        self.begun = true;
        if value.contains(',') {
            self.text.extend(["\"", value, "\""]);
        } else {
            self.text.push_str(value);
        }
    }

    fn flag(&mut self, value: bool) {
        self.put(if value { "true" } else { "false" });
    }

    /// A moment, as the user guide's examples have it.
    fn time(&mut self, at: Timestamp) {
        let text = bailiwick_wire::time::write_iso(at);
        self.put(&format!("{}+00:00", text.trim_end_matches('Z')));
    }

    fn time_or(&mut self, at: Option<Timestamp>, otherwise: &str) {
        match at {
            Some(at) => self.time(at),
            None => self.put(otherwise),
        }
    }

    fn password(&mut self, account: &Account, user: &User) {
        let Some(profile) = account.login_profile(&user.id) else {
            self.flag(false);
            for _ in 0..3 {
                self.put(NONE);
            }
            return;
        };
        self.flag(true);
        self.time_or(account.password_use(&user.id).map(|last| last.at), UNKNOWN);
        self.time(profile.changed);
        let policy = account.settings().password_policy.as_ref();
        self.time_or(profile.expires(policy), NONE);
    }

    /// The columns from `mfa_active` to the end.
    fn credentials(&mut self, call: &Call<'_>, owner: Owner) {
        let account = call.account();
        self.flag(account.mfa_devices_of(owner).next().is_some());
        let keys: Vec<_> = account.keys_of(owner).take(2).collect();
        for place in 0..2 {
            self.key(call, keys.get(place).map(|key| &***key));
        }
        let certificates: Vec<_> = account.signing_certificates_of(owner).take(2).collect();
        for place in 0..2 {
            self.certificate(certificates.get(place).map(|held| &***held));
        }
    }

    fn key(&mut self, call: &Call<'_>, key: Option<&AccessKey>) {
        self.flag(key.is_some_and(|key| key.status == KeyStatus::Active));
        self.time_or(key.map(|key| key.created), NONE);
        let last = key.and_then(|key| call.node().last_key_use(call.account(), &key.id));
        match last {
            Some(last) => {
                self.time(last.at);
                self.put(&last.region);
                self.put(&last.service);
            }
            None => {
                for _ in 0..3 {
                    self.put(NONE);
                }
            }
        }
    }

    fn certificate(&mut self, held: Option<&SigningCertificate>) {
        self.flag(held.is_some_and(|held| held.status == KeyStatus::Active));
        self.time_or(held.map(|held| held.uploaded), NONE);
    }
}
