//! The catalogue of checks as data: titles, severities and the controls that each serves.

use std::sync::LazyLock;

use serde::Serialize;

/// How much a failure matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Hygiene.
    Low,
    /// Weakens a defence.
    Medium,
    /// Opens a way.
    High,
    /// Open now.
    Critical,
}

impl Severity {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == text)
    }
}

/// A check of the catalogue, built or not.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Row {
    /// Its id, such as `ROOT-01`. Never given to another check.
    pub id: &'static str,
    /// What holds when it passes.
    pub title: &'static str,
    /// How much a failure matters.
    pub severity: Severity,
    /// CIS AWS Foundations Benchmark, by version: `v3.0 1.4`.
    pub cis: Vec<&'static str>,
    /// NIST 800-53 r5.
    pub nist: Vec<&'static str>,
    /// PCI DSS 4.0.
    pub pci: Vec<&'static str>,
    /// HIPAA.
    pub hipaa: Vec<&'static str>,
    /// Controls of Security Hub, and rules of AWS Config.
    pub controls: Vec<&'static str>,
    /// The practices of the best-practice lists that it serves.
    pub practices: Vec<&'static str>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let lines = include_str!("catalogue.tsv").lines();
    lines.filter(|line| !line.starts_with('#')).filter_map(parse).collect()
});

/// All checks, in the order of the catalogue.
pub fn catalogue() -> &'static [Row] {
    &ROWS
}

/// The check of this id.
pub fn row(id: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.id == id)
}

fn parse(line: &'static str) -> Option<Row> {
    let mut cells = line.split('\t').map(str::trim);
    Some(Row {
        id: cells.next()?,
        title: cells.next()?,
        severity: Severity::parse(cells.next()?)?,
        cis: parts(cells.next()?, ';'),
        nist: parts(cells.next()?, ' '),
        pci: parts(cells.next()?, ' '),
        hipaa: parts(cells.next()?, ' '),
        controls: cells.next()?.split(['/', ' ']).filter(|part| !part.is_empty()).collect(),
        practices: parts(cells.next()?, ' '),
    })
}

fn parts(cell: &'static str, between: char) -> Vec<&'static str> {
    cell.split(between).map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(catalogue().len(), 158);
        let ids: BTreeSet<_> = catalogue().iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), 158);
        let root = row("ROOT-01").unwrap();
        assert_eq!(root.severity, Severity::Critical);
        assert!(root.cis.contains(&"v3.0 1.4") && root.nist.contains(&"AC-6"));
        assert_eq!(root.controls, ["IAM.4", "iam-root-access-key-check"]);
    }
}
