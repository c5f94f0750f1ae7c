//! Values in the parameters of a call, wherever they stand.

use std::borrow::Cow;

use serde_json::Value;

/// Values looked at in one call.
const MOST_VALUES: usize = 1_000;
/// How deep they may stand.
const DEPTH: usize = 16;

/// A value with the name under which it stands.
#[derive(Debug)]
struct Leaf<'v> {
    /// The name, in lower case and without signs.
    name: String,
    depth: usize,
    value: Cow<'v, str>,
}

/// The values of a call's parameters.
#[derive(Debug, Default)]
pub(super) struct Params<'v> {
    leaves: Vec<Leaf<'v>>,
    /// The names of objects in it.
    members: Vec<String>,
    /// Whether some were not looked at, as they are too many or too deep.
    pub(super) cut: bool,
}

impl<'v> Params<'v> {
    /// Those of `requestParameters`.
    pub(super) fn of(value: &'v Value) -> Self {
        let (mut leaves, mut members, mut cut) = (Vec::new(), Vec::new(), false);
        let mut waiting = vec![(String::new(), 0, value)];
        while let Some((name, depth, value)) = waiting.pop() {
            if leaves.len() >= MOST_VALUES {
                cut = true;
                break;
            }
            if depth > DEPTH {
                cut = true;
                continue;
            }
            let mut leaf = |value: Cow<'v, str>| {
                leaves.push(Leaf { name: name.clone(), depth, value });
            };
            match value {
                Value::String(text) => leaf(text.into()),
                Value::Number(number) => leaf(number.to_string().into()),
                Value::Bool(_) | Value::Null => {}
                Value::Array(items) => {
                    waiting.extend(items.iter().rev().map(|item| (name.clone(), depth, item)));
                }
                Value::Object(fields) => {
                    if members.len() < MOST_VALUES && !members.contains(&name) {
                        members.push(name.clone());
                    }
                    for (key, value) in fields {
                        // The tables of BatchGetItem are names of members.
                        if name == "requestitems" {
                            let name = "tablename".to_owned();
                            leaves.push(Leaf { name, depth, value: key.as_str().into() });
                        }
                        waiting.push((plain(key), depth + 1, value));
                    }
                }
            }
        }
        // The order of members means nothing.
        leaves.sort_by(|a, b| (a.depth, &a.name).cmp(&(b.depth, &b.name)));
        Self { leaves, members, cut }
    }

    /// The values under a name, or under its plural.
    pub(super) fn named(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for leaf in &self.leaves {
            let same = leaf.name == name || leaf.name.strip_suffix('s') == Some(name);
            if same && !leaf.value.is_empty() && !found.contains(&&*leaf.value) {
                found.push(&leaf.value);
            }
        }
        found
    }

    /// The same of names at the top alone.
    pub(super) fn at_top(&self, name: &str) -> Vec<&str> {
        let top = self.leaves.iter().filter(|leaf| leaf.depth == 1);
        top.filter(|leaf| leaf.name == name || leaf.name.strip_suffix('s') == Some(name))
            .map(|leaf| &*leaf.value)
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// The first value under a name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let leaf = self.leaves.iter().find(|leaf| leaf.name == name && !leaf.value.is_empty())?;
        Some(&leaf.value)
    }

    /// Whether anything has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Whether a member has this name, whatever it holds.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.members.iter().any(|member| member == name)
    }

    /// All ARNs, with the names under which they stand.
    pub(super) fn arns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.leaves
            .iter()
            .filter(|leaf| leaf.value.starts_with("arn:"))
            .map(|leaf| (leaf.name.as_str(), &*leaf.value))
    }
}

/// A name in lower case, letters and digits alone.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_found_wherever_they_stand() {
        let value = json!({
            "instancesSet": {"items": [{"instanceId": "i-2"}, {"instanceId": "i-1"}]},
            "DBInstanceIdentifier": "db", "tableNames": ["a", "b"], "count": 3,
            "requestItems": {"orders": {"keys": []}},
        });
        let params = Params::of(&value);
        assert_eq!(params.named("instanceid"), ["i-2", "i-1"]);
        assert_eq!(params.named("dbinstanceidentifier"), ["db"]);
        assert_eq!(params.named("tablename").len(), 3);
        assert_eq!(params.first("count"), Some("3"));
        assert!(!params.has("nothing") && params.at_top("instanceid").is_empty());
    }

    #[test]
    fn tm_deep_and_long_parameters_end() {
        let mut value = json!("x");
        for _ in 0..100 {
            value = json!([{ "a": value }]);
        }
        assert!(Params::of(&value).named("a").is_empty());
        // What is too deep takes nothing else with it.
        let value = json!({"b": value, "a1": "x", "z": {"a2": "y"}});
        let params = Params::of(&value);
        assert!(params.has("a1") && params.has("a2") && params.cut);
        let many: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
        let value = json!({ "a": many });
        assert!(Params::of(&value).named("a").len() <= MOST_VALUES);
    }
}
