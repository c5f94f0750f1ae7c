//! The credential report: AWS's columns, by their names.

use bailiwick_identifiers::Arn;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use super::form::Instant;
use super::text::{Fault, Text, fault};

/// The most rows: AWS allows 5,000 users unless a quota was raised.
const MAX_ROWS: usize = 1_000_000;

/// The report, row by row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CredentialReport {
    /// When AWS made it; not told by the CSV alone.
    pub generated: Option<Timestamp>,
    /// The root user's row first, as AWS writes them.
    pub rows: Vec<CredentialRow>,
}

/// A user, or root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialRow {
    /// The name, or `<root_account>`.
    pub user: String,
    /// The ARN.
    pub arn: Arn,
    /// When the user was made.
    pub created: Stamp,
    /// Whether there is a console password. Nothing: not told, as for root.
    pub password_enabled: Option<bool>,
    /// The last use of the password.
    pub password_last_used: Stamp,
    /// When the password was set.
    pub password_last_changed: Stamp,
    /// Whether there is an MFA device.
    pub mfa_active: bool,
    /// The two access keys.
    pub keys: [KeyColumns; 2],
    /// Whether each of the two signing certificates is active.
    pub certificates: [bool; 2],
}

/// The columns of one access key.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeyColumns {
    /// Whether it may be used.
    pub active: bool,
    /// When it was made or last made active again.
    pub rotated: Stamp,
    /// The last use.
    pub used: Stamp,
    /// The region of the last use.
    pub region: Option<String>,
    /// The service of the last use.
    pub service: Option<String>,
}

/// A cell that holds an instant.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Stamp {
    /// `N/A`: there is nothing of the kind; for a last use, there was none.
    #[default]
    NotApplicable,
    /// `no_information`: there was none since AWS began to keep it.
    NoInformation,
    /// `not_supported`: AWS does not tell, as for the password of root.
    NotSupported,
    /// Then.
    At(Timestamp),
}

impl Stamp {
    /// The instant.
    pub fn at(self) -> Option<Timestamp> {
        if let Self::At(at) = self { Some(at) } else { None }
    }
}

impl CredentialReport {
    /// The row of root.
    pub fn root(&self) -> Option<&CredentialRow> {
        self.rows.iter().find(|row| row.is_root())
    }

    /// The rows of users.
    pub fn users(&self) -> impl Iterator<Item = &CredentialRow> {
        self.rows.iter().filter(|row| !row.is_root())
    }
}

impl CredentialRow {
    /// Whether it is the root user.
    pub fn is_root(&self) -> bool {
        self.arn.resource() == "root"
    }

    /// Whether there is a console password.
    pub fn has_password(&self) -> bool {
        self.password_enabled == Some(true)
    }
}

/// What `get-credential-report` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "what `get-credential-report` prints")]
struct Envelope {
    content: String,
    #[serde(default)]
    generated_time: Option<Instant>,
}

/// Reads the CLI's answer, or the CSV itself.
pub(super) fn read(text: &Text<'_>) -> Result<CredentialReport, Fault> {
    if !text.whole.trim_start().starts_with('{') {
        return csv(text.name, text.whole);
    }
    let envelope: Envelope = text.json()?;
    let packed: String = envelope.content.split_ascii_whitespace().collect();
    let bytes = STANDARD
        .decode(packed)
        .map_err(|_| text.fault(0, "`Content` is not base64, as AWS prints it"))?;
    let Ok(inner) = String::from_utf8(bytes) else {
        return Err(text.fault(0, "`Content` holds no UTF-8"));
    };
    let mut report = csv(&format!("{} (Content)", text.name), &inner)?;
    report.generated = envelope.generated_time.map(|instant| instant.0);
    Ok(report)
}

const COLUMNS: [&str; 20] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_2_active",
    "password_next_rotation",
];

fn csv(name: &str, text: &str) -> Result<CredentialReport, Fault> {
    let mut lines = Lines { name, text, at: 0 };
    let header = lines.next_line()?.unwrap_or_default();
    let mut places = [0; COLUMNS.len()];
    for (column, place) in COLUMNS.iter().zip(&mut places) {
        let Some(found) = header.iter().position(|(_, cell)| cell == column) else {
            let problem = format!("the column `{column}` of a credential report is not there");
            return Err(fault(name, text, 0, &problem));
        };
        *place = found;
    }
    let mut report = CredentialReport::default();
    loop {
        let start = lines.at;
        let Some(cells) = lines.next_line()? else { break };
        if cells.iter().all(|(_, cell)| cell.is_empty()) {
            continue;
        }
        if report.rows.len() >= MAX_ROWS {
            return Err(fault(name, text, start, "there are more than 1,000,000 rows"));
        }
        if cells.len() != header.len() {
            let problem = format!(
                "the row has {} cells, and {} were expected: the text is cut off or not AWS's",
                cells.len(),
                header.len()
            );
            return Err(fault(name, text, start, &problem));
        }
        let row = Row { name, text, cells: &cells, places: &places };
        report.rows.push(row.read()?);
    }
    if report.rows.is_empty() {
        return Err(fault(name, text, text.len(), "there is no row, and root's was expected"));
    }
    Ok(report)
}

/// One row under way.
struct Row<'a> {
    name: &'a str,
    text: &'a str,
    cells: &'a [(usize, String)],
    places: &'a [usize; COLUMNS.len()],
}

impl Row<'_> {
    fn read(&self) -> Result<CredentialRow, Fault> {
        Ok(CredentialRow {
            user: self.cell("user").1.to_owned(),
            arn: self.arn()?,
            created: self.stamp("user_creation_time")?,
            password_enabled: self.truth("password_enabled")?,
            password_last_used: self.stamp("password_last_used")?,
            password_last_changed: self.stamp("password_last_changed")?,
            mfa_active: self.truth("mfa_active")? == Some(true),
            keys: [
                self.key([
                    "access_key_1_active",
                    "access_key_1_last_rotated",
                    "access_key_1_last_used_date",
                    "access_key_1_last_used_region",
                    "access_key_1_last_used_service",
                ])?,
                self.key([
                    "access_key_2_active",
                    "access_key_2_last_rotated",
                    "access_key_2_last_used_date",
                    "access_key_2_last_used_region",
                    "access_key_2_last_used_service",
                ])?,
            ],
            certificates: [
                self.truth("cert_1_active")? == Some(true),
                self.truth("cert_2_active")? == Some(true),
            ],
        })
    }

    fn key(
        &self,
        [active, rotated, used, region, service]: [&str; 5],
    ) -> Result<KeyColumns, Fault> {
        let told = |column: &str| {
            let (_, cell) = self.cell(column);
            (!matches!(cell, "N/A" | "no_information" | "not_supported" | ""))
                .then(|| cell.to_owned())
        };
        Ok(KeyColumns {
            active: self.truth(active)? == Some(true),
            rotated: self.stamp(rotated)?,
            used: self.stamp(used)?,
            region: told(region),
            service: told(service),
        })
    }

    fn cell(&self, column: &str) -> (usize, &str) {
        let at = COLUMNS.iter().position(|known| *known == column);
        let place = at.and_then(|at| self.places.get(at));
        let cell = place.and_then(|place| self.cells.get(*place));
        cell.map_or((0, ""), |(at, text)| (*at, text))
    }

    fn arn(&self) -> Result<Arn, Fault> {
        let (at, cell) = self.cell("arn");
        let problem = || format!("`{cell}` is no ARN of a user or of root");
        cell.parse().map_err(|_| fault(self.name, self.text, at, &problem()))
    }

    fn truth(&self, column: &str) -> Result<Option<bool>, Fault> {
        let (at, cell) = self.cell(column);
        match cell {
            "true" | "TRUE" => Ok(Some(true)),
            "false" | "FALSE" => Ok(Some(false)),
            "not_supported" | "N/A" => Ok(None),
            _ => {
                let problem = format!(
                    "`{cell}` stands in `{column}`, where `true`, `false` or `not_supported` was \
                     expected"
                );
                Err(fault(self.name, self.text, at, &problem))
            }
        }
    }

    fn stamp(&self, column: &str) -> Result<Stamp, Fault> {
        let (at, cell) = self.cell(column);
        match cell {
            "N/A" | "" => Ok(Stamp::NotApplicable),
            "no_information" => Ok(Stamp::NoInformation),
            "not_supported" => Ok(Stamp::NotSupported),
            text => text.parse().map(Stamp::At).map_err(|_| {
                let problem = format!(
                    "`{cell}` stands in `{column}`, where an instant, `N/A`, `no_information` or \
                     `not_supported` was expected"
                );
                fault(self.name, self.text, at, &problem)
            }),
        }
    }
}

/// The lines of a CSV, as RFC 4180 has them.
struct Lines<'a> {
    name: &'a str,
    text: &'a str,
    at: usize,
}

impl Lines<'_> {
    /// The cells of the next line with their places; nothing at the end.
    fn next_line(&mut self) -> Result<Option<Vec<(usize, String)>>, Fault> {
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let mut cells = Vec::new();
        let (mut cell, mut start, mut quoted) = (String::new(), self.at, false);
        let mut rest = self.text.get(self.at..).unwrap_or_default().char_indices().peekable();
        let base = self.at;
        while let Some((at, c)) = rest.next() {
            match c {
                '"' if quoted && rest.peek().is_some_and(|(_, next)| *next == '"') => {
                    rest.next();
                    cell.push('"');
                }
                '"' if quoted => quoted = false,
                '"' if cell.is_empty() => quoted = true,
                c if quoted => cell.push(c),
                ',' => {
                    cells.push((start, std::mem::take(&mut cell)));
                    start = base + at + 1;
                }
                '\r' => {}
                '\n' => {
                    cells.push((start, cell));
                    self.at = base + at + 1;
                    return Ok(Some(cells));
                }
                c => cell.push(c),
            }
        }
        if quoted {
            return Err(fault(self.name, self.text, start, "the quoted cell does not end"));
        }
        cells.push((start, cell));
        self.at = self.text.len();
        Ok(Some(cells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
        password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
        access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
        access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
        access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
        cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n";
    const ROOT: &str = "<root_account>,arn:aws:iam::123456789012:root,2020-01-01T00:00:00+00:00,\
        not_supported,no_information,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,\
        N/A,N/A,N/A,N/A,false,N/A,false,N/A\n";

    fn of(rows: &str) -> Result<CredentialReport, Fault> {
        csv("report.csv", &format!("{HEADER}{rows}"))
    }

    #[test]
    fn every_kind_of_cell() {
        let alice = "\"a,lice\",arn:aws:iam::123456789012:user/alice,2021-01-01T00:00:00Z,true,\
            2026-01-01T00:00:00+00:00,2025-01-01T00:00:00+00:00,N/A,false,true,\
            2025-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,true,N/A,false,N/A";
        let report = of(&format!("{ROOT}{alice}")).unwrap();
        assert!(report.root().unwrap().mfa_active);
        assert_eq!(report.root().unwrap().password_enabled, None);
        assert_eq!(report.root().unwrap().password_last_used, Stamp::NoInformation);
        let alice = report.users().next().unwrap();
        assert_eq!(alice.user, "a,lice");
        assert!(alice.has_password() && !alice.mfa_active && alice.keys[0].active);
        assert_eq!(alice.keys[0].used, Stamp::NotApplicable);
        assert_eq!(alice.certificates, [true, false]);
    }

    #[test]
    fn what_is_no_report_has_a_place() {
        for (text, line, part) in [
            (format!("user,arn\n{ROOT}"), 1, "user_creation_time"),
            (HEADER.to_owned(), 2, "no row"),
            (format!("{HEADER}{}", ROOT.get(..60).unwrap()), 2, "cut off"),
            (format!("{HEADER}{ROOT}{}", ROOT.replace(",true,", ",maybe,")), 3, "maybe"),
            (format!("{HEADER}{}", ROOT.replace("2020-01-01", "2020-13-41")), 2, "instant"),
            (format!("{HEADER}\"{ROOT}"), 2, "quoted"),
        ] {
            let fault = csv("r", &text).unwrap_err();
            assert_eq!(fault.line, line, "{fault}");
            assert!(fault.problem.contains(part), "{fault}");
        }
    }

    #[test]
    fn the_answer_of_the_command_line() {
        let content = STANDARD.encode(format!("{HEADER}{ROOT}"));
        let json =
            format!(r#"{{"Content": "{content}", "GeneratedTime": "2026-01-01T00:00:00Z"}}"#);
        let report = read(&Text::new("r", json.as_bytes()).unwrap()).unwrap();
        assert_eq!(report.rows.len(), 1);
        assert!(report.generated.is_some());
    }
}
