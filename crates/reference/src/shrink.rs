//! Makes a case smaller while something stays true of it.

use serde_json::Value;

/// The smallest case that was found of which `holds` is true, beginning with one of which it is.
///
/// Greedy: takes out fields, list items and characters one at a time, the largest first, until
/// nothing more can go. `holds` is asked at most `limit` times.
pub fn shrink(case: &Value, limit: usize, mut holds: impl FnMut(&Value) -> bool) -> Value {
    let mut best = case.clone();
    let mut left = limit;
    loop {
        let before = best.clone();
        for path in paths(&best) {
            if left == 0 {
                return best;
            }
            for smaller in smaller_at(&best, &path) {
                left = left.saturating_sub(1);
                if size(&smaller) < size(&best) && holds(&smaller) {
                    best = smaller;
                    break;
                }
            }
        }
        if best == before {
            return best;
        }
    }
}

/// One step from an object or a list to what stands in it.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item(usize),
}

type Path = Vec<Step>;

fn size(value: &Value) -> usize {
    value.to_string().len()
}

/// The places of all values in a value, outer ones first; later items of a list before earlier
/// ones, so that taking one out moves none that comes after.
fn paths(value: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    let mut queue: Vec<(Path, &Value)> = vec![(Vec::new(), value)];
    let mut at = 0;
    // Breadth first. Values come from a parser that limits their depth.
    while let Some((path, value)) = queue.get(at).cloned() {
        at += 1;
        let inner = |step: Step| path.iter().cloned().chain([step]).collect::<Path>();
        match value {
            Value::Object(fields) => {
                queue.extend(fields.iter().map(|(k, v)| (inner(Step::Field(k.clone())), v)));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate().rev();
                queue.extend(items.map(|(i, v)| (inner(Step::Item(i)), v)));
            }
            _ => {}
        }
        if !path.is_empty() {
            found.push(path);
        }
    }
    found
}

/// The whole with the value at this place taken out or made simpler.
fn smaller_at(whole: &Value, path: &Path) -> Vec<Value> {
    let Some((last, outer)) = path.split_last() else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(without) = edited(whole, outer, |parent| match (parent, last) {
        (Value::Object(fields), Step::Field(name)) => fields.remove(name).is_some(),
        (Value::Array(items), Step::Item(at)) if *at < items.len() => {
            items.remove(*at);
            true
        }
        _ => false,
    }) {
        found.push(without);
    }
    for choice in 0..4 {
        let simpler = edited(whole, path, |value| simplify(value, choice));
        found.extend(simpler);
    }
    found
}

fn simplify(value: &mut Value, choice: usize) -> bool {
    let with = match (&*value, choice) {
        (Value::Array(items), 0) if items.len() == 1 => items.first().cloned(),
        (Value::String(text), 0) if text.len() > 1 => Some(Value::from("*")),
        (Value::String(text), 1) if text.len() > 1 => Some(Value::from("x")),
        (Value::String(text), 2) if text.chars().count() > 3 => {
            Some(Value::from(text.chars().take(text.chars().count() / 2).collect::<String>()))
        }
        (Value::String(text), 3) if text.chars().count() > 1 => {
            let count = text.chars().count();
            Some(Value::from(text.chars().take(count - 1).collect::<String>()))
        }
        _ => None,
    };
    let Some(with) = with else { return false };
    *value = with;
    true
}

fn edited(whole: &Value, path: &[Step], edit: impl FnOnce(&mut Value) -> bool) -> Option<Value> {
    let mut copy = whole.clone();
    let mut place = &mut copy;
    for step in path {
        place = match step {
            Step::Field(name) => place.get_mut(name)?,
            Step::Item(at) => place.get_mut(at)?,
        };
    }
    edit(place).then_some(copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_matter_goes() {
        let case = json!({
            "id": "x", "identityPolicies": [{"Statement": [{"A": "b"}, {"Deny": ["one", "two"]}]}],
            "request": {"action": "s3:GetObject", "context": {"k": ["v", "w"]}},
        });
        let wanted = |case: &Value| case.to_string().contains("two");
        assert!(size(&shrink(&case, 10_000, wanted)) < 50);
        assert_eq!(shrink(&case, 0, wanted), case);
    }
}
