//! The graph as a page of its own: an SVG drawn in columns, and a table that says the same.
//!
//! Principals stand from left to right by how far they are from the goal. Past [`MOST_DRAWN`] places
//! the picture would show nothing, so only the places on cuts and next to them are drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use bailiwick_analyzer::escalation::{Report, Standpoint};

use super::show::{dependences, gain, label, names};

/// Places that a picture shows.
const MOST_DRAWN: usize = 400;
/// Between columns, and between rows.
const WIDE: usize = 360;
const HIGH: usize = 34;

/// Writes the page.
pub(super) fn page(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let certain = report.findings.iter().filter(|finding| finding.certain).count();
    writeln!(out, "{HEAD}")?;
    writeln!(
        out,
        "<h1>Ways to administrator in account {}</h1>\n<p>{} users and roles, {} administrators. \
         {certain} more get there for certain, {} under conditions.</p>",
        report.account,
        report.principals,
        report.administrators.len(),
        report.findings.len() - certain
    )?;
    picture(out, report)?;
    rows(out, report)?;
    cuts(out, report)?;
    writeln!(out, "</main></body></html>")
}

fn picture(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut ends: BTreeMap<Option<&Standpoint>, usize> = BTreeMap::new();
    for way in report.findings.iter().flat_map(|finding| &finding.ways) {
        let steps = way.steps.len();
        for (at, step) in way.steps.iter().enumerate() {
            for (end, far) in [(Some(&step.at), steps - at), (step.to.as_ref(), steps - at - 1)] {
                let held = ends.entry(end).or_insert(far);
                *held = (*held).max(far);
            }
        }
    }
    let mut drawn: Vec<(Option<&Standpoint>, usize)> = ends.into_iter().collect();
    let all = drawn.len();
    if all > MOST_DRAWN {
        let busy: BTreeSet<usize> = report.cuts.iter().take(40).map(|cut| cut.edge).collect();
        let kept: BTreeSet<Option<&Standpoint>> = busy
            .iter()
            .filter_map(|edge| report.edges.get(*edge))
            .flat_map(|edge| [Some(&edge.from), edge.to.as_ref()])
            .collect();
        drawn.retain(|(end, _)| kept.contains(end));
        drawn.truncate(MOST_DRAWN);
    }
    let deepest = drawn.iter().map(|(_, far)| *far).max().unwrap_or_default();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places: BTreeMap<Option<&Standpoint>, (usize, usize)> = BTreeMap::new();
    for (end, far) in &drawn {
        let row = counts.entry(*far).or_default();
        places.insert(*end, (20 + (deepest - far) * WIDE, 20 + *row * HIGH));
        *row += 1;
    }
    let rows = counts.values().max().copied().unwrap_or_default();
    let (width, height) = ((deepest + 1) * WIDE + 20, rows * HIGH + 40);
    if all > drawn.len() {
        writeln!(
            out,
            "<p>The picture shows {} of {all} places; the table shows all.</p>",
            drawn.len()
        )?;
    }
    writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Graph\"><svg \
         xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Steps between principals; the table below says the same\">"
    )?;
    for edge in &report.edges {
        let (Some((x1, y1)), Some((x2, y2))) =
            (places.get(&Some(&edge.from)), places.get(&edge.to.as_ref()))
        else {
            continue;
        };
        let class = if edge.on.is_empty() { "sure" } else { "unsure" };
        let (x1, y1, y2) = (x1 + 300, y1 + 12, y2 + 12);
        let middle = usize::midpoint(x1, *x2);
        let tip = format!("{} {}", names(&edge.paths), dependences(edge.on.iter()));
        writeln!(
            out,
            "<path class=\"{class}\" d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\"><title>{}</title></path>",
            escaped(&tip)
        )?;
    }
    for (end, (x, y)) in &places {
        let text = label(*end);
        let mut short: String = text.chars().take(44).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        writeln!(
            out,
            "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"300\" height=\"24\" rx=\"4\"/><text \
             x=\"{}\" y=\"{}\">{}</text></g>",
            escaped(&text),
            x + 8,
            y + 16,
            escaped(&short)
        )?;
    }
    writeln!(out, "</svg></div>")
}

fn rows(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "<h2>Principals</h2>\n<table><thead><tr><th scope=\"col\">Severity</th><th \
         scope=\"col\">Principal</th><th scope=\"col\">Best way</th><th scope=\"col\">Only with</th><th \
         scope=\"col\">Other ways</th></tr></thead><tbody>"
    )?;
    for finding in &report.findings {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let mut steps = String::new();
        if let Some(way) = finding.ways.first() {
            for step in &way.steps {
                let asks: Vec<String> = step
                    .asks
                    .iter()
                    .map(|ask| format!("{} on {}", ask.action, ask.resource))
                    .collect();
                for part in [
                    "<li><b>",
                    &names(&step.paths),
                    "</b> ",
                    &escaped(&gain(step)),
                    "<br><small>",
                    &escaped(&asks.join("; ")),
                    "</small></li>",
                ] {
                    steps.push_str(part);
                }
            }
        }
        let others: Vec<String> =
            finding.ways.iter().skip(1).map(|way| names(&way.paths)).collect();
        writeln!(
            out,
            "<tr id=\"{}\"><td class=\"{severity}\">{severity}</td><td>{}</td><td><ol>{steps}</ol></td><td>{}</td><td>{}</td></tr>",
            finding.id,
            escaped(&finding.principal),
            escaped(&dependences(finding.on.iter())),
            others.join(", ")
        )?;
    }
    writeln!(out, "</tbody></table>")
}

fn cuts(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "<h2>What closes the most</h2>\n<table><thead><tr><th scope=\"col\">Closes</th><th \
         scope=\"col\">Step</th><th scope=\"col\">From</th><th scope=\"col\">To</th></tr></thead><tbody>"
    )?;
    for cut in &report.cuts {
        let Some(edge) = report.edges.get(cut.edge) else { continue };
        writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            cut.closes,
            names(&edge.paths),
            escaped(&label(Some(&edge.from))),
            escaped(&label(edge.to.as_ref()))
        )?;
    }
    writeln!(out, "</tbody></table>")
}

fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            letter if letter.is_control() => shown.push(' '),
            letter => shown.push(letter),
        }
    }
    shown
}

/// The page's head: no script, and nothing from elsewhere.
const HEAD: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width\"><title>Ways to administrator</title>
<link rel=\"icon\" href=\"data:,\">
<style>
:root{color-scheme:light dark;--line:#8a94a6;--fill:#eef2f8;--text:#10151d;--back:#fff;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--line:#7d8798;--fill:#232b38;--text:#e6eaf1;--back:#11151c;--bad:#ff8a80}}
body{margin:0;font:15px/1.45 system-ui,sans-serif;color:var(--text);background:var(--back)}
main{padding:1.5rem}
.scroll{overflow:auto;max-height:80vh;border:1px solid var(--line)}
rect{fill:var(--fill);stroke:var(--line)}text{fill:var(--text);font:12px system-ui,sans-serif}
path{fill:none;stroke:var(--line);stroke-width:1.5}path.sure{stroke:var(--bad)}path.unsure{stroke-dasharray:5 4}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
ol{margin:0;padding-left:1.2rem}.critical{color:var(--bad);font-weight:600}
</style></head><body><main>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_become_markup() {
        assert_eq!(escaped("<b a=\"1\">&'\n"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39; ");
    }
}
