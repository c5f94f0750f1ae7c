//! The graph as a picture: principals in columns, from left to right towards the goal.
//!
//! Past [`MOST_DRAWN`] places a picture would show nothing, so only the places on the steps that
//! close the most are drawn, and the picture says so.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use bailiwick_analyzer::escalation::{Report, Standpoint};

use super::show::{dependences, label, names};

/// Places that a picture shows.
const MOST_DRAWN: usize = 400;
/// Steps that close the most, of which the places are drawn where there are too many.
const MOST_CUTS: usize = 100;
/// Between columns, and between rows.
const WIDE: usize = 360;
const HIGH: usize = 34;
/// Above the rows.
const TOP: usize = 64;
/// The letters of a place.
const LETTERS: usize = 42;

/// A place of the graph; nothing is the organization's directory.
type Place<'r> = Option<&'r Standpoint>;

/// Writes the picture.
pub(super) fn picture(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let far = distances(report);
    let all = far.len();
    let drawn: Vec<(Place<'_>, usize)> = if all > MOST_DRAWN {
        let kept = on_cuts(report);
        far.into_iter().filter(|(place, _)| kept.contains(place)).take(MOST_DRAWN).collect()
    } else {
        far.into_iter().collect()
    };
    let deepest = drawn.iter().map(|(_, far)| *far).max().unwrap_or_default();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places: BTreeMap<Place<'_>, (usize, usize)> = BTreeMap::new();
    for (end, far) in &drawn {
        let row = counts.entry(*far).or_default();
        places.insert(*end, (20 + (deepest - far) * WIDE, TOP + *row * HIGH));
        *row += 1;
    }
    let rows = counts.values().max().copied().unwrap_or_default();
    let (width, height) = ((deepest + 1) * WIDE + 20, rows * HIGH + TOP + 20);
    let certain = report.findings.iter().filter(|finding| finding.certain).count();
    let heading = format!(
        "Account {}: {certain} principals get to the goal for certain, {} under conditions{}",
        report.account,
        report.findings.len() - certain,
        if all > drawn.len() {
            format!(". {} of {all} places are drawn", drawn.len())
        } else {
            String::new()
        }
    );
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{0}</title>\n{STYLE}\n\
         <rect class=\"back\" width=\"100%\" height=\"100%\"/>\n<text class=\"head\" x=\"20\" \
         y=\"34\">{0}</text>",
        escaped(&heading)
    )?;
    edges(out, report, &places)?;
    for (end, (x, y)) in &places {
        let text = label(*end);
        let mut short: String = text.chars().take(LETTERS).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        writeln!(
            out,
            "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"300\" height=\"24\" rx=\"5\"/>\
             <text x=\"{}\" y=\"{}\">{}</text></g>",
            escaped(&text),
            x + 8,
            y + 16,
            escaped(&short)
        )?;
    }
    writeln!(out, "</svg>")
}

/// How far each place is from the end of its longest way.
fn distances(report: &Report) -> BTreeMap<Place<'_>, usize> {
    let mut ends: BTreeMap<Place<'_>, usize> = BTreeMap::new();
    for way in report.findings.iter().flat_map(|finding| &finding.ways) {
        let steps = way.steps.len();
        for (at, step) in way.steps.iter().enumerate() {
            for (end, far) in [(Some(&step.at), steps - at), (step.to.as_ref(), steps - at - 1)] {
                let held = ends.entry(end).or_insert(far);
                *held = (*held).max(far);
            }
        }
    }
    ends
}

fn on_cuts(report: &Report) -> BTreeSet<Place<'_>> {
    let cuts = report.cuts.iter().take(MOST_CUTS);
    let edges = cuts.filter_map(|cut| report.edges.get(cut.edge));
    edges.flat_map(|edge| [Some(&edge.from), edge.to.as_ref()]).collect()
}

fn edges(
    out: &mut impl Write,
    report: &Report,
    places: &BTreeMap<Place<'_>, (usize, usize)>,
) -> io::Result<()> {
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
            escaped(tip.trim())
        )?;
    }
    Ok(())
}

/// A text as XML shows it.
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

const STYLE: &str = "<style>
:root{--line:#7a8599;--fill:#f1f4f9;--text:#141a24;--back:#fff;--sure:#b42318}
@media(prefers-color-scheme:dark){:root{--line:#8b96aa;--fill:#212938;--text:#e8ecf3;--back:#10141c;--sure:#ff8f85}}
.back{fill:var(--back)}rect{fill:var(--fill);stroke:var(--line)}.back{stroke:none}
text{fill:var(--text);font:12px system-ui,sans-serif}.head{font-size:16px;font-weight:600}
path{fill:none;stroke:var(--line);stroke-width:1.5}.sure{stroke:var(--sure)}.unsure{stroke-dasharray:5 4}
</style>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_k03_names_do_not_become_markup() {
        assert_eq!(escaped("<b a=\"1\">&'\n"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39; ");
    }
}
