//! Cases from bytes: one made by the generator of the reference crate, then altered here and there.
//!
//! The first bytes choose the case; what follows are alterations: things are taken out, doubled,
//! taken from another case, or have their text changed. So most inputs are cases that nearly make
//! sense, which is where evaluators differ.

use arbitrary::Unstructured;
use bailiwick_reference::generate::{Profile, generate};
use serde_json::Value;

/// The most alterations of one case.
const ALTERATIONS: usize = 8;
/// What is put into texts.
const LETTERS: [&str; 24] = [
    "*",
    "?",
    "$",
    "{",
    "}",
    ":",
    "/",
    ",",
    "'",
    "\"",
    "\\",
    " ",
    "a",
    "A",
    "0",
    "9",
    ".",
    "+",
    "-",
    "\u{e9}",
    "${*}",
    "${aws:username}",
    "${a:b, 'c'}",
    "aws",
];

/// The fields that hold policies.
const POLICIES: [&str; 7] = [
    "identityPolicies",
    "permissionsBoundary",
    "sessionPolicies",
    "resourcePolicy",
    "scps",
    "rcps",
    "endpointPolicies",
];

/// The text of the case that these bytes stand for: the bytes themselves if they begin as an object
/// does, else a recipe. Nothing if they are neither.
pub fn case(data: &[u8]) -> Option<String> {
    if data.first() == Some(&b'{') {
        return std::str::from_utf8(data).ok().map(ToOwned::to_owned);
    }
    cook(&mut Unstructured::new(data)).ok()
}

fn cook(bytes: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let (seed, number): (u32, u32) = (bytes.arbitrary()?, bytes.arbitrary()?);
    let mut case = generate(seed.into(), number.into(), Profile::Whole).case;
    for _ in 0..ALTERATIONS {
        if bytes.is_empty() {
            break;
        }
        alter(&mut case, bytes)?;
    }
    Ok(case.to_string())
}

/// One step from an object or a list to what stands in it.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Item(usize),
}

fn alter(case: &mut Value, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let places = places(case);
    let Some(path) = places.get(bytes.choose_index(places.len())?) else { return Ok(()) };
    match bytes.int_in_range(0..=9u8)? {
        0 => drop(taken(case, path)),
        1 => {
            if let Some(place) = find(case, path) {
                *place = Value::Array(vec![place.take()]);
            }
        }
        2 => {
            if let Some(place) = find(case, path)
                && let Value::Array(items) = place
                && let Some(first) = items.first().cloned()
            {
                *place = first;
            }
        }
        3 => {
            if let Some(Value::Array(items)) = find(case, path)
                && let Some(first) = items.first().cloned()
            {
                items.push(first);
            }
        }
        4 | 5 => graft(case, path, bytes)?,
        6 => {
            // A policy as text, in which a byte or two is then changed.
            let policy = path.iter().rposition(
                |step| matches!(step, Step::Field(name) if POLICIES.contains(&name.as_str())),
            );
            let Some(policy) = policy else { return Ok(()) };
            let items = path[policy + 1..].iter().take_while(|step| matches!(step, Step::Item(_)));
            let end = policy + 1 + items.count();
            if let Some(place) = find(case, &path[..end])
                && place.is_object()
            {
                let text = changed(&place.to_string(), bytes)?;
                *place = Value::from(text);
            }
        }
        _ => match find(case, path) {
            Some(Value::String(text)) => *text = changed(text, bytes)?,
            Some(place @ (Value::Null | Value::Bool(_) | Value::Number(_))) => {
                *place = match bytes.int_in_range(0..=4u8)? {
                    0 => Value::Null,
                    1 => Value::from(true),
                    2 => Value::from(false),
                    3 => Value::from(bytes.arbitrary::<i32>()?),
                    _ => Value::from(f64::from(bytes.arbitrary::<i16>()?) / 8.0),
                };
            }
            Some(Value::Object(fields)) => {
                let names: Vec<String> = fields.keys().cloned().collect();
                if let Some(name) = names.get(bytes.choose_index(names.len().max(1))?)
                    && let Some(value) = fields.remove(name)
                {
                    fields.insert(changed(name, bytes)?, value);
                }
            }
            _ => {}
        },
    }
    Ok(())
}

/// Puts something of another case, of the same name, in this place.
fn graft(case: &mut Value, path: &[Step], bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (seed, number): (u16, u16) = (bytes.arbitrary()?, bytes.arbitrary()?);
    let mut other = generate(seed.into(), number.into(), Profile::Whole).case;
    let name = |path: &[Step]| path.iter().rfind(|step| matches!(step, Step::Field(_))).cloned();
    let wanted = name(path);
    let found: Vec<Vec<Step>> =
        places(&other).into_iter().filter(|found| name(found) == wanted).collect();
    if found.is_empty() {
        return Ok(());
    }
    let chosen = &found[bytes.choose_index(found.len())?];
    if let (Some(place), Some(value)) = (find(case, path), find(&mut other, chosen)) {
        *place = value.take();
    }
    Ok(())
}

/// A text with a change in one place.
fn changed(text: &str, bytes: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let mut scalars: Vec<char> = text.chars().collect();
    let at = bytes.int_in_range(0..=scalars.len())?;
    match bytes.int_in_range(0..=5u8)? {
        0 if at < scalars.len() => drop(scalars.remove(at)),
        1 if at < scalars.len() => scalars[at] = bytes.arbitrary()?,
        2 if at < scalars.len() => {
            let c = scalars[at];
            scalars[at] = if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            };
        }
        3 => scalars.truncate(at),
        _ => drop(scalars.splice(at..at, bytes.choose(&LETTERS)?.chars())),
    }
    Ok(scalars.into_iter().collect())
}

/// The places of all values but the whole and its id.
fn places(whole: &Value) -> Vec<Vec<Step>> {
    let mut found: Vec<Vec<Step>> = Vec::new();
    let mut queue = vec![(Vec::new(), whole)];
    while let Some((path, value)) = queue.pop() {
        let inner = |step: Step| path.iter().cloned().chain([step]).collect::<Vec<_>>();
        match value {
            Value::Object(fields) => queue.extend(
                fields
                    .iter()
                    .filter(|(name, _)| name.as_str() != "id")
                    .map(|(name, value)| (inner(Step::Field(name.clone())), value)),
            ),
            Value::Array(items) => queue
                .extend(items.iter().enumerate().map(|(at, value)| (inner(Step::Item(at)), value))),
            _ => {}
        }
        if !path.is_empty() {
            found.push(path);
        }
    }
    found
}

fn find<'v>(whole: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(whole, |place, step| match step {
        Step::Field(name) => place.get_mut(name),
        Step::Item(at) => place.get_mut(at),
    })
}

fn taken(whole: &mut Value, path: &[Step]) -> Option<Value> {
    let (last, outer) = path.split_last()?;
    match (find(whole, outer)?, last) {
        (Value::Object(fields), Step::Field(name)) => fields.remove(name),
        (Value::Array(items), Step::Item(at)) if *at < items.len() => Some(items.remove(*at)),
        _ => None,
    }
}
