//! `bailiwick who-can`, `can` and `access-matrix`: effective access in an account export, without
//! a server.

mod can;
pub(crate) mod csv;
mod matrix;
mod who;
mod world;

pub use can::CanArgs;
pub use matrix::MatrixArgs;
pub use who::WhoCanArgs;
pub(crate) use world::{end, unreadable};

use bailiwick_analyzer::reach::{Certainty, Requirement, Unless, Way};
use clap::ValueEnum;

pub(crate) use can::run as can;
pub(crate) use matrix::run as matrix;
pub(crate) use who::run as who_can;

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Rows {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

fn word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Always => "always",
        Certainty::OnlyIf => "only if",
        Certainty::Undecided => "undecided",
    }
}

fn joined(requirements: &[Requirement]) -> String {
    let all: Vec<String> = requirements.iter().map(ToString::to_string).collect();
    all.join(", and ")
}

fn statements(way: &Way) -> String {
    if way.by.is_empty() {
        return "no policy, as its root user or as no permission is needed".to_owned();
    }
    way.by.iter().map(ToString::to_string).collect::<Vec<_>>().join("; and ")
}

/// The ways and what denies, a line each.
fn reasons(ways: &[Way], unless: &[Unless]) -> Vec<String> {
    let mut out = Vec::new();
    for (at, way) in ways.iter().enumerate() {
        let or = if at == 0 { "" } else { "or " };
        if !way.when.is_empty() {
            out.push(format!("{or}if {}", joined(&way.when)));
        } else if at > 0 {
            out.push("or".to_owned());
        }
        out.push(format!("  by {}", statements(way)));
    }
    for deny in unless {
        out.push(format!("unless {}", joined(&deny.when)));
        out.push(format!("  by {}", deny.by));
    }
    out
}
