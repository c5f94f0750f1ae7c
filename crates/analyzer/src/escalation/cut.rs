//! Which few steps close all ways.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::change::Standpoint;
use super::judge::Dependence;
use super::report::Finding;
use super::table::PathId;

/// One step of the graph, told once for all ways that take it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edge {
    /// Who takes it.
    pub from: Standpoint,
    /// The rows of the table.
    pub paths: Vec<PathId>,
    /// Whom it makes of the caller; nothing for roles that only the directory shows.
    pub to: Option<Standpoint>,
    /// On what it depends.
    pub on: BTreeSet<Dependence>,
}

/// A step to take away.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cut {
    /// The edge, by its place in the report.
    pub edge: usize,
    /// How many ways it closes that no cut before it does.
    pub closes: usize,
    /// How many ways run over it.
    pub of: usize,
}

/// The edges of all ways, and the cuts: greedily the edge that closes the most of what is open.
pub(super) fn cut(findings: &[Finding]) -> (Vec<Edge>, Vec<Cut>) {
    let mut places: BTreeMap<Edge, usize> = BTreeMap::new();
    let mut edges = Vec::new();
    let mut ways: Vec<Vec<usize>> = Vec::new();
    for step in findings.iter().flat_map(|finding| &finding.ways) {
        let way = step.steps.iter().map(|step| {
            let edge = Edge {
                from: step.at.clone(),
                paths: step.paths.clone(),
                to: step.to.clone(),
                on: step.on.clone(),
            };
            *places.entry(edge.clone()).or_insert_with(|| {
                edges.push(edge);
                edges.len() - 1
            })
        });
        let way: Vec<usize> = way.collect();
        ways.push(way);
    }
    let mut over: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (number, way) in ways.iter().enumerate() {
        for edge in way {
            if let Some(list) = over.get_mut(*edge) {
                list.push(number);
            }
        }
    }
    let mut open: Vec<bool> = vec![true; ways.len()];
    let mut left: Vec<usize> = over.iter().map(Vec::len).collect();
    let mut heap: std::collections::BinaryHeap<(usize, std::cmp::Reverse<usize>)> =
        left.iter().enumerate().map(|(edge, count)| (*count, std::cmp::Reverse(edge))).collect();
    let mut cuts = Vec::new();
    while let Some((count, std::cmp::Reverse(edge))) = heap.pop() {
        let now = left.get(edge).copied().unwrap_or_default();
        if now == 0 {
            continue;
        }
        if now < count {
            heap.push((now, std::cmp::Reverse(edge)));
            continue;
        }
        let through = over.get(edge).cloned().unwrap_or_default();
        cuts.push(Cut { edge, closes: now, of: through.len() });
        for way in through {
            let Some(slot) = open.get_mut(way).filter(|slot| **slot) else { continue };
            *slot = false;
            for other in ways.get(way).into_iter().flatten() {
                if let Some(count) = left.get_mut(*other) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }
    (edges, cuts)
}
