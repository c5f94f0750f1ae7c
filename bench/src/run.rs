//! One run over all workloads, as JSON.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::measure::{Effort, Figure, Outcome, cell, prepare};
use crate::workload::{SIZES, Shape, attachments, documents, probes, timed};
use crate::{engines, globs, mix};

/// The seed of the realistic mix.
const SEED: u64 = 3;

/// Measures everything. Progress goes to the error output.
pub fn everything(folder: &Path, quick: bool) -> anyhow::Result<Json> {
    let began = Instant::now();
    let (mut engines, absent) = engines::all(folder);
    if let Some(absent) = &absent {
        eprintln!("{absent}");
    }
    let mut cells = Vec::new();
    for size in SIZES.into_iter().filter(|size| !quick || *size <= 1_000) {
        for (name, shape) in [("W1", Shape::Buckets(size)), ("W2", Shape::Teams(size))] {
            eprintln!("{name}, {size} policies ({} s so far)", began.elapsed().as_secs());
            let probes = probes(&shape);
            agree(&shape, &probes)?;
            let faults = prepare(&mut engines, &shape, &probes);
            for (case, question) in timed(&shape) {
                agree(&shape, std::slice::from_ref(&question))?;
                let figures = cell(&mut engines, &faults, &[question], effort(size, quick), false);
                let figures = rows(&figures);
                cells.push(
                    json!({"workload": name, "policies": size, "case": case, "engines": figures}),
                );
            }
        }
    }
    eprintln!("the realistic mix ({} s so far)", began.elapsed().as_secs());
    let (shape, questions) = mix::draw(SEED)?;
    let faults = prepare(&mut engines, &shape, &[]);
    let effort = Effort { rounds: if quick { 5 } else { 15 }, patience: Duration::from_secs(6) };
    let figures = cell(&mut engines, &faults, &questions, effort, true);
    let allowed =
        questions.iter().filter(|(_, verdict)| *verdict == crate::workload::Verdict::Allowed);
    let mix = json!({
        "calls": questions.len(),
        "allowed": allowed.count(),
        "engines": rows(&figures),
    });
    eprintln!("adversarial globs ({} s so far)", began.elapsed().as_secs());
    let globs: Vec<Json> = globs::run(&mut engines)
        .into_iter()
        .map(|fared| {
            json!({
                "attack": fared.attack,
                "engine": fared.engine,
                "characters": fared.reached,
                "median_ns": fared.nanoseconds,
                "stopped": fared.stopped,
            })
        })
        .collect();
    let [(_, (call, _)), _] = timed(&Shape::Buckets(1));
    let context_ns = engines::context_alone(&call);
    let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();
    eprintln!("done in {} s", began.elapsed().as_secs());
    Ok(json!({
        "processors": std::thread::available_parallelism().map_or(1, usize::from),
        "seconds": began.elapsed().as_secs(),
        "engines": names,
        "absent": absent,
        "context_ns": context_ns,
        "cells": cells,
        "mix": mix,
        "globs": globs,
    }))
}

/// Whether the reference evaluator expects what this bench expects.
fn agree(shape: &Shape, questions: &[crate::workload::Expected]) -> anyhow::Result<()> {
    let (texts, attached) = (documents(shape), attachments(shape));
    for (call, expected) in questions {
        let answer = mix::answer(call, &texts, &attached)?;
        anyhow::ensure!(
            answer == *expected,
            "the reference says {answer:?} to {} on {}, not {expected:?}",
            call.action,
            call.resource
        );
    }
    Ok(())
}

fn effort(size: usize, quick: bool) -> Effort {
    let rounds = match size {
        _ if quick => 7,
        10_000 => 9,
        1_000 => 31,
        // Cheap, and so spread over more of the machine's moods.
        _ => 101,
    };
    Effort { rounds, patience: Duration::from_millis(if quick { 300 } else { 1_500 }) }
}

/// The figures of a cell, with the ratio to ours, which stands first.
fn rows(figures: &[Figure]) -> Vec<Json> {
    let ours = figures.first().and_then(|figure| match &figure.outcome {
        Outcome::Measured { median, .. } => Some(*median),
        Outcome::Missing(_) => None,
    });
    figures
        .iter()
        .map(|figure| match &figure.outcome {
            Outcome::Measured { median, min, rounds, allocations, right, asked, wrong } => json!({
                "engine": figure.engine,
                "median_ns": median,
                "min_ns": min,
                "rounds": rounds,
                "allocations": allocations,
                "ratio": ours.map(|ours| median / ours),
                "right": right,
                "asked": asked,
                "wrong": wrong,
            }),
            Outcome::Missing(why) => json!({"engine": figure.engine, "missing": why}),
        })
        .collect()
}
