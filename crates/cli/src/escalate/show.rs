//! Findings as a table for people, and as a graph for Graphviz.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bailiwick_analyzer::escalation::{Change, Dependence, Edge, Report, Standpoint, Step, Way};

use crate::terminal;

/// Ways of one principal that are told whole; of the others only the kinds.
const WHOLE: usize = 1;
/// Cuts that are told.
const CUTS: usize = 10;

/// For people: what was found, each best way step by step, and what closes the most.
pub(super) fn table(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let certain = report.findings.iter().filter(|finding| finding.certain).count();
    writeln!(
        out,
        "account {}: {} users and roles, {} administrators; {} more get there for certain, {} under \
         conditions",
        report.account,
        report.principals,
        report.administrators.len(),
        certain,
        report.findings.len() - certain,
    )?;
    for finding in &report.findings {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        writeln!(out, "\n{severity:8}  {}  [{}]", terminal::text(&finding.principal), finding.id)?;
        for way in finding.ways.iter().take(WHOLE) {
            steps(out, way)?;
        }
        let others: Vec<String> = finding.ways.iter().skip(WHOLE).map(kinds).collect();
        if !others.is_empty() {
            writeln!(out, "          also {}", others.join("; "))?;
        }
        if let Some(fix) = &finding.fix {
            writeln!(
                out,
                "          fix: statement {} of {} of {}",
                fix.statement,
                terminal::text(&fix.policy),
                terminal::text(&fix.owner)
            )?;
            for line in fix.diff.lines() {
                writeln!(out, "            {}", terminal::text(line))?;
            }
            writeln!(out, "            {}", terminal::text(&fix.command))?;
        }
    }
    if !report.cuts.is_empty() {
        writeln!(out, "\nWhat closes the most of the {} ways shown:", ways(report))?;
        let mut closed = 0;
        for (place, cut) in report.cuts.iter().take(CUTS).enumerate() {
            closed += cut.closes;
            let Some(edge) = report.edges.get(cut.edge) else { continue };
            let edges = if place == 0 {
                "this closes".to_owned()
            } else {
                format!("these {} close", place + 1)
            };
            writeln!(out, "  {edges} {closed}: {}", terminal::text(&edge_text(edge)))?;
        }
    }
    if report.cut_short {
        writeln!(out, "\nThe search ended before all was looked at: there may be more.")?;
    }
    Ok(())
}

fn ways(report: &Report) -> usize {
    report.findings.iter().map(|finding| finding.ways.len()).sum()
}

fn kinds(way: &Way) -> String {
    let paths: Vec<String> = way.paths.iter().map(ToString::to_string).collect();
    let certain = if way.certain { "" } else { " (conditional)" };
    format!("{}{certain}", paths.join("+"))
}

fn steps(out: &mut impl Write, way: &Way) -> io::Result<()> {
    for (at, step) in way.steps.iter().enumerate() {
        writeln!(out, "  {:>2}. {}  {}", at + 1, names(&step.paths), terminal::text(&gain(step)))?;
        for ask in &step.asks {
            let caller = if ask.caller.starts_with("arn:") {
                String::new()
            } else {
                format!("{} ", ask.caller)
            };
            let text = format!("{caller}{} on {}", ask.action, ask.resource);
            writeln!(out, "        {}", terminal::text(&text))?;
        }
    }
    if !way.certain {
        writeln!(out, "      only with {}", terminal::text(&dependences(way.on.iter())))?;
    }
    Ok(())
}

pub(super) fn names(paths: &[bailiwick_analyzer::escalation::PathId]) -> String {
    paths.iter().map(ToString::to_string).collect::<Vec<_>>().join("+")
}

pub(super) fn dependences<'d>(on: impl Iterator<Item = &'d Dependence>) -> String {
    on.map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// What a step makes of the caller.
pub(super) fn gain(step: &Step) -> String {
    match &step.to {
        None => "gets a role of the organization's directory".to_owned(),
        Some(to) if to.principal == step.at.principal => {
            match to.changes.iter().find(|c| !step.at.changes.contains(c)) {
                Some(Change::Everything) => "gives itself any policy".to_owned(),
                Some(Change::Attached { policy }) => format!("gives itself {policy}"),
                Some(Change::Member { group }) => format!("joins {group}"),
                Some(Change::Version { policy, number: 0 }) => {
                    format!("writes a version of its own of {policy}")
                }
                Some(Change::Version { policy, number }) => {
                    format!("puts v{number} of {policy} in force")
                }
                Some(Change::Unbound) => "takes its boundary away".to_owned(),
                Some(Change::Lifted { limit }) => format!("is then {limit}"),
                None => "changes itself".to_owned(),
            }
        }
        Some(to) => format!("becomes {to}"),
    }
}

fn edge_text(edge: &Edge) -> String {
    let to = edge.to.as_ref().map_or_else(|| "the directory".to_owned(), ToString::to_string);
    format!("{} from {} to {to}", names(&edge.paths), edge.from)
}

/// For Graphviz: a node a principal and what was changed, an edge a step.
pub(super) fn dot(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "digraph escalation {{\n  rankdir=LR;\n  node [shape=box, fontname=sans-serif];"
    )?;
    let mut numbers: BTreeMap<Option<Standpoint>, usize> = BTreeMap::new();
    for edge in &report.edges {
        for end in [Some(edge.from.clone()), edge.to.clone()] {
            let next = numbers.len();
            numbers.entry(end).or_insert(next);
        }
    }
    for (end, number) in &numbers {
        writeln!(out, "  n{number} [label=\"{}\"];", escaped(&label(end.as_ref())))?;
    }
    for edge in &report.edges {
        let (Some(from), Some(to)) = (numbers.get(&Some(edge.from.clone())), numbers.get(&edge.to))
        else {
            continue;
        };
        let style = if edge.on.is_empty() { "solid" } else { "dashed" };
        let tip = escaped(&dependences(edge.on.iter()));
        writeln!(
            out,
            "  n{from} -> n{to} [label=\"{}\", style={style}, tooltip=\"{tip}\"];",
            names(&edge.paths)
        )?;
    }
    writeln!(out, "}}")
}

/// A short name of a place: kind, name, changes.
pub(super) fn label(at: Option<&Standpoint>) -> String {
    let Some(at) = at else { return "directory".to_owned() };
    let name = at.principal.splitn(6, ':').nth(5).unwrap_or(&at.principal);
    let mut text = name.to_owned();
    for change in &at.changes {
        text.push_str(match change {
            Change::Everything => " + any policy",
            Change::Attached { .. } => " + policy",
            Change::Member { .. } => " + group",
            Change::Version { .. } => " + version",
            Change::Unbound => " - boundary",
            Change::Lifted { .. } => " - limit",
        });
    }
    text
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_its_own_has_no_number() {
        let principal = "arn:aws:iam::111122223333:user/ann".to_owned();
        let at = |number: Option<u32>| {
            let policy = "P".to_owned();
            let changes = number.map(|number| Change::Version { policy, number });
            Standpoint { principal: principal.clone(), changes: changes.into_iter().collect() }
        };
        let told = |number| {
            gain(&Step {
                paths: Vec::new(),
                at: at(None),
                asks: Vec::new(),
                on: std::collections::BTreeSet::new(),
                to: Some(at(Some(number))),
            })
        };
        assert_eq!(told(0), "writes a version of its own of P");
        assert_eq!(told(2), "puts v2 of P in force");
    }

    #[test]
    fn names_do_not_leave_their_quotes() {
        assert_eq!(escaped("a\"b\\c\n"), "a\\\"b\\\\c");
    }
}
