//! The graph as one HTML file: drawn by the page itself, beside a table that says the same.
//!
//! The page holds all principals with their ways. Where there are very many, each keeps its best
//! ways, and the page says how many it leaves out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use bailiwick_analyzer::escalation::{Ask, Edge, Finding, PathId, Report, Standpoint, Step, row};
use serde_json::{Value as Json, json};

use super::show::{gain, label};
use crate::report::{Look, MOST_BYTES, Page, Pool};

const LOOK: Look = Look {
    title: "Ways to administrator",
    scripts: &[include_str!("../report/graph.js"), include_str!("../report/escalate.js")],
};

/// Ways of one principal, tried in this order.
const WAYS: [usize; 4] = [usize::MAX, 8, 3, 1];

/// Writes the page; `to` is `admin` or an ARN.
pub(super) fn page(out: &mut impl Write, report: &Report, to: &str) -> io::Result<()> {
    let mut page = Page::new(&LOOK, &data(report, to, usize::MAX))?;
    for ways in WAYS.into_iter().skip(1) {
        if page.len() <= MOST_BYTES {
            break;
        }
        page = Page::new(&LOOK, &data(report, to, ways))?;
    }
    page.write(out)
}

/// Everything by number: texts, places, requests and steps are told once.
struct Told<'r> {
    texts: Pool,
    places: HashMap<&'r Standpoint, usize>,
    place_rows: Vec<Json>,
    asks: BTreeMap<&'r Ask, usize>,
    ask_rows: Vec<Json>,
    edges: BTreeMap<Edge, usize>,
    paths: BTreeSet<u8>,
}

fn data(report: &Report, to: &str, ways: usize) -> Json {
    let mut told = Told {
        texts: Pool::new(),
        places: HashMap::new(),
        place_rows: Vec::new(),
        asks: BTreeMap::new(),
        ask_rows: Vec::new(),
        edges: report.edges.iter().enumerate().map(|(at, edge)| (edge.clone(), at)).collect(),
        paths: BTreeSet::new(),
    };
    let edges: Vec<Json> = report.edges.iter().map(|edge| told.edge(edge)).collect();
    let findings: Vec<Json> =
        report.findings.iter().map(|finding| told.finding(finding, ways)).collect();
    let paths: BTreeMap<String, Json> = told
        .paths
        .iter()
        .filter_map(|number| row(PathId(*number)))
        .map(|row| {
            let about = json!({"class": row.class, "actions": row.actions, "services": row.services,
                "carrier": row.carrier});
            (row.id.to_string(), about)
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "account": report.account,
        "to": to,
        "principals": report.principals,
        "administrators": report.administrators,
        "cutShort": report.cut_short,
        "places": told.place_rows,
        "asks": told.ask_rows,
        "edges": edges,
        "findings": findings,
        "cuts": report.cuts.iter().map(|cut| [cut.edge, cut.closes, cut.of]).collect::<Vec<_>>(),
        "paths": paths,
        "waysKept": (ways < usize::MAX).then_some(ways),
        "texts": told.texts,
    })
}

impl<'r> Told<'r> {
    /// The number of a place: its ARN, its label, and what it is in words.
    fn place(&mut self, at: &'r Standpoint) -> usize {
        if let Some(number) = self.places.get(at) {
            return *number;
        }
        let number = self.place_rows.len();
        let principal = self.texts.of(&at.principal);
        let words = self.texts.of(&at.to_string());
        self.place_rows.push(json!([principal, label(Some(at)), words, at.changes.len()]));
        self.places.insert(at, number);
        number
    }

    /// From, to (-1: the directory), paths, and on what it depends.
    fn edge(&mut self, edge: &'r Edge) -> Json {
        let from = self.place(&edge.from);
        let to = edge.to.as_ref().map_or(-1, |to| i64::try_from(self.place(to)).unwrap_or(-1));
        self.paths.extend(edge.paths.iter().map(|path| path.0));
        let on: Vec<usize> = edge.on.iter().map(|on| self.texts.of(&on.to_string())).collect();
        json!([from, to, edge.paths, on])
    }

    fn ask(&mut self, ask: &'r Ask) -> usize {
        if let Some(number) = self.asks.get(ask) {
            return *number;
        }
        let number = self.ask_rows.len();
        let keys: Vec<String> = ask
            .context
            .iter()
            .map(|(key, values)| format!("{key} = {}", values.join(", ")))
            .collect();
        let texts = [&ask.caller, &ask.action, &ask.resource, &keys.join("\n")];
        let row = texts.map(|text| self.texts.of(text));
        self.ask_rows.push(json!([row, self.texts.maybe(ask.trust.as_deref())]));
        self.asks.insert(ask, number);
        number
    }

    fn step(&mut self, step: &'r Step) -> Json {
        let edge = Edge {
            from: step.at.clone(),
            paths: step.paths.clone(),
            to: step.to.clone(),
            on: step.on.clone(),
        };
        let edge = self.edges.get(&edge).copied();
        let asks: Vec<usize> = step.asks.iter().map(|ask| self.ask(ask)).collect();
        json!([edge, self.texts.of(&gain(step)), asks])
    }

    fn finding(&mut self, finding: &'r Finding, most: usize) -> Json {
        let ways: Vec<Json> = finding
            .ways
            .iter()
            .take(most)
            .map(|way| {
                let steps: Vec<Json> = way.steps.iter().map(|step| self.step(step)).collect();
                let on: Vec<usize> =
                    way.on.iter().map(|on| self.texts.of(&on.to_string())).collect();
                json!([u8::from(way.certain), on, steps])
            })
            .collect();
        let fix = finding.fix.as_ref().map(|fix| {
            json!({
                "policy": fix.policy, "owner": fix.owner, "statement": fix.statement,
                "diff": fix.diff, "command": fix.command,
            })
        });
        let on: Vec<usize> = finding.on.iter().map(|on| self.texts.of(&on.to_string())).collect();
        json!({
            "id": finding.id, "principal": self.texts.of(&finding.principal),
            "severity": finding.severity, "certain": finding.certain, "on": on,
            "reaches": self.texts.of(&finding.reaches), "ways": ways,
            "more": finding.ways.len().saturating_sub(most), "fix": fix,
        })
    }
}
