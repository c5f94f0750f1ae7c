//! The curves as a picture: time for one decision over the number of policies, both on logarithmic
//! scales, one panel a workload. Hits are drawn through, misses dashed.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::report::{cells, duration, engine, names};

const COLOURS: [&str; 5] = ["#0b6e4f", "#c0392b", "#d68910", "#2e6db4", "#7d3c98"];
const PANEL: (f64, f64) = (380.0, 330.0);
const LEFT: f64 = 64.0;
const TOP: f64 = 46.0;
const GAP: f64 = 70.0;

/// Powers of ten on the two scales: policies from 1 to 10,000, nanoseconds from 100 to 10^9.
const WIDE: (f64, f64) = (0.0, 4.0);
const HIGH: (f64, f64) = (2.0, 9.0);

/// The picture as SVG.
pub fn curves(figures: &Json) -> String {
    let (width, height) = (LEFT + PANEL.0 * 2.0 + GAP + 32.0, TOP + PANEL.1 + 84.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    let titles =
        [("W1", "W1: exact buckets and conditions"), ("W2", "W2: wildcards and variables")];
    let mut left = LEFT;
    for (workload, title) in titles {
        frame(&mut svg, left, title);
        for (name, colour) in names(figures).into_iter().zip(COLOURS) {
            for case in ["hit", "miss"] {
                curve(&mut svg, figures, left, (workload, case), (name, colour));
            }
        }
        left += PANEL.0 + GAP;
    }
    legend(&mut svg, &names(figures));
    svg.push_str("</svg>\n");
    svg
}

fn frame(svg: &mut String, left: f64, title: &str) {
    let (right, bottom) = (left + PANEL.0, TOP + PANEL.1);
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{title}</text>",
        TOP - 16.0
    );
    for power in [2, 3, 4, 5, 6, 7, 8, 9] {
        let y = up(f64::from(power));
        let label = duration(10_f64.powi(power)).replace(".0 ", " ");
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#444\">{label}</text>",
            left - 8.0,
            y + 4.0
        );
    }
    for (power, label) in ["1", "10", "100", "1,000", "10,000"].iter().enumerate() {
        let x = along(left, f64::from(u8::try_from(power).unwrap_or(0)));
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#eee\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\">{label}</text>",
            bottom + 18.0
        );
    }
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/><text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\">policies of the caller</text>",
        PANEL.0,
        PANEL.1,
        left + PANEL.0 / 2.0,
        bottom + 36.0
    );
}

fn curve(
    svg: &mut String,
    figures: &Json,
    left: f64,
    (workload, case): (&str, &str),
    (name, colour): (&str, &str),
) {
    let points: Vec<(f64, f64)> = cells(figures, workload)
        .filter(|cell| cell["case"] == case)
        .filter_map(|cell| {
            let policies = cell["policies"].as_f64()?;
            let time = engine(cell, name)["median_ns"].as_f64()?;
            Some((along(left, policies.log10()), up(time.log10())))
        })
        .collect();
    let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let dash = if case == "miss" { " stroke-dasharray=\"5 4\"" } else { "" };
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
        line.join(" ")
    );
    for (x, y) in points.iter().filter(|_| case == "hit") {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

fn legend(svg: &mut String, names: &[&str]) {
    let mut x = LEFT;
    let y = TOP + PANEL.1 + 64.0;
    for (name, colour) in names.iter().zip(COLOURS) {
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {y}h22\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            x + 28.0,
            y + 4.0
        );
        x += 130.0;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" fill=\"#444\">solid: hit, dashed: miss</text>",
        y + 4.0
    );
}

fn along(left: f64, power: f64) -> f64 {
    left + (power - WIDE.0) / (WIDE.1 - WIDE.0) * PANEL.0
}

fn up(power: f64) -> f64 {
    TOP + PANEL.1 - (power.clamp(HIGH.0, HIGH.1) - HIGH.0) / (HIGH.1 - HIGH.0) * PANEL.1
}
