//! Differences between engine and reference, many at once: `hunt [SEED] [COUNT]` makes recipes of
//! random bytes and prints one small case for each pair of answers that differ.

use std::collections::BTreeMap;

use bailiwick_fuzz::{evaluate::answers, recipe};
use bailiwick_reference::generate::Random;
use bailiwick_reference::shrink::shrink;
use serde_json::Value;

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let (seed, count) = (arguments.next().unwrap_or(1), arguments.next().unwrap_or(100_000));
    let mut found = BTreeMap::new();
    for number in 0..count {
        let mut random = Random::new(seed, number);
        let length = 12 + random.below(60);
        let bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(random.below(256)).unwrap_or_default())
            .filter(|byte| *byte != b'{')
            .collect();
        let Some(text) = recipe::case(&bytes) else { continue };
        let Some(both) = answers(&text) else { continue };
        if both.0 == both.1 || found.contains_key(&both) {
            continue;
        }
        let Ok(case) = serde_json::from_str::<Value>(&text) else { continue };
        let small = shrink(&case, 5_000, |case| answers(&case.to_string()).as_ref() == Some(&both));
        println!("engine {:?}, reference {:?}\n{small}\n", both.0, both.1);
        found.insert(both, small);
        if found.len() > 20 {
            break;
        }
    }
    println!("{} kinds of difference in {count}", found.len());
}
