//! Differences between two texts by lines: what `documents::apply` undoes.

use std::collections::HashMap;

/// How many places of a line are tried for the longest run; more find little and take long.
const TRIES: usize = 64;

/// The steps that make `text` from `base`.
pub(super) fn difference(base: &str, text: &str) -> String {
    let base: Vec<&str> = base.split('\n').collect();
    let lines: Vec<&str> = text.split('\n').collect();
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, line) in base.iter().enumerate() {
        places.entry(line).or_default().push(at);
    }
    let mut out = String::new();
    let (mut base_at, mut at) = (0, 0);
    while at < lines.len() {
        let run = longest_run(&base, &lines, &places, base_at, at);
        let copied = run.map_or(0, |(_, len)| len);
        let from = run.map_or(base_at, |(from, _)| from);
        at += copied;
        let first_new = at;
        while at < lines.len() && longest_run(&base, &lines, &places, from + copied, at).is_none() {
            at += 1;
        }
        let new: String = lines
            .get(first_new..at)
            .unwrap_or_default()
            .iter()
            .flat_map(|line| [*line, "\n"])
            .collect();
        push_signed(&mut out, from, base_at);
        push_number(&mut out, copied as u64);
        push_number(&mut out, new.len() as u64);
        out.push_str(&new);
        base_at = from + copied;
    }
    out
}

/// The longest run of equal lines from `at` on: where it begins in the base and its length. A run right at
/// `next`, where the last one ended, wins over an equal one elsewhere, for it costs no move. A short run that
/// needs a move is none, for the move costs more than the lines.
fn longest_run(
    base: &[&str],
    lines: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    next: usize,
    at: usize,
) -> Option<(usize, usize)> {
    let run_at = |from: usize| {
        let rest = base.iter().skip(from).zip(lines.iter().skip(at));
        (from, rest.take_while(|(a, b)| a == b).count())
    };
    let known = places.get(*lines.get(at)?)?;
    let near = known.partition_point(|place| *place < next).saturating_sub(TRIES / 2);
    let elsewhere =
        known.iter().skip(near).take(TRIES).map(|place| run_at(*place)).max_by_key(|(_, len)| *len);
    let here = run_at(next);
    let best = elsewhere.filter(|(_, len)| *len > here.1.max(2)).unwrap_or(here);
    (best.1 > 0).then_some(best)
}

/// See `documents::ascii_number`.
fn push_number(out: &mut String, mut value: u64) {
    while value >= 0x40 {
        out.push(char::from((value & 0x3f) as u8 | 0x40));
        value >>= 6;
    }
    out.push(char::from((value & 0x3f) as u8));
}

/// The distance to `to` from `from`, in zigzag form.
fn push_signed(out: &mut String, to: usize, from: usize) {
    let value = if to >= from { (to - from) << 1 } else { (from - to - 1) << 1 | 1 };
    push_number(out, value as u64);
}
