//! Conditions: every operator with every modifier on every class of request values.
//!
//! A condition is made of a cell: it says which values stand in the policy, and which the request
//! brings. Where a class says that a value matches, it matches in the positive sense of the
//! operator; a negated operator then does not hold.

use serde_json::{Value, json};

use super::Profile;
use super::random::Random;
use super::values::{Family, Relation, chosen};

/// The operators of the language, in the order of section 11 of the rules.
pub const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

/// What may stand around an operator: set prefix and suffix.
pub const MODIFIERS: [(&str, &str); 6] = [
    ("", ""),
    ("", "IfExists"),
    ("ForAllValues:", ""),
    ("ForAnyValue:", ""),
    ("ForAllValues:", "IfExists"),
    ("ForAnyValue:", "IfExists"),
];

/// What the request brings for the key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Class {
    /// The key is absent.
    #[default]
    Absent,
    /// The key has the empty list.
    Empty,
    /// One value, which matches.
    Match,
    /// One value, which does not match.
    Miss,
    /// Two values or more, some match and some do not.
    Overlap,
    /// Three values or more, all of them match or none does.
    Many,
    /// Values, one of which is none for the operator's type; for texts, the empty one.
    BadRequest,
    /// The policy has a value that is none for the operator's type; for texts, a variable without
    /// value.
    BadPolicy,
}

/// All classes, in the order of the columns of the coverage table.
pub const CLASSES: [(Class, &str); 8] = [
    (Class::Absent, "absent"),
    (Class::Empty, "empty"),
    (Class::Match, "match"),
    (Class::Miss, "miss"),
    (Class::Overlap, "overlap"),
    (Class::Many, "many"),
    (Class::BadRequest, "bad-value"),
    (Class::BadPolicy, "bad-policy"),
];

/// One cell of the coverage table, as places in [`OPERATORS`], [`MODIFIERS`] and [`CLASSES`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cell {
    /// The operator.
    pub operator: usize,
    /// The modifier.
    pub modifier: usize,
    /// The class of request values.
    pub class: usize,
}

/// A condition and what the request brings for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    pub(super) operator: String,
    pub(super) key: String,
    pub(super) values: Value,
    /// The key as the request spells it, and its values; nothing if the key is absent.
    pub(super) given: Option<(String, Value)>,
}

const SINGLE: [&str; 8] = [
    "s3:prefix",
    "sts:ExternalId",
    "aws:RequestTag/Env",
    "aws:ResourceTag/Env",
    "aws:SourceVpc",
    "app:Key",
    "aws:UserAgent",
    "lambda:FunctionArn",
];
const MULTIPLE: [&str; 6] = [
    "aws:TagKeys",
    "aws:CalledVia",
    "aws:PrincipalOrgPaths",
    "token.example.com:amr",
    "dynamodb:LeadingKeys",
    "app:List",
];

/// Global keys, which belong to every request, by the type that they have.
const fn foreign_keys(family: Family) -> &'static [&'static str] {
    match family {
        Family::Numeric => &["aws:MultiFactorAuthAge"],
        Family::Date => &["aws:CurrentTime", "aws:TokenIssueTime"],
        Family::Bool => &["aws:SecureTransport", "aws:MultiFactorAuthPresent"],
        Family::Ip => &["aws:SourceIp"],
        Family::Arn => &["aws:SourceArn"],
        Family::Text | Family::Folded | Family::Like | Family::Binary | Family::Null => {
            &["aws:SourceVpc", "aws:UserAgent", "aws:RequestTag/Env", "aws:SourceIdentity"]
        }
    }
}
const FOREIGN_MULTIPLE: [&str; 3] = ["aws:TagKeys", "aws:CalledVia", "aws:PrincipalOrgPaths"];

/// A cell by chance, each as likely as any other.
pub(super) fn cell(random: &mut Random, profile: Profile) -> Cell {
    let whole = profile == Profile::Whole;
    let operator = random.below(OPERATORS.len());
    let modifier = random.below(if whole { MODIFIERS.len() } else { 4 });
    let null = OPERATORS.get(operator) == Some(&"Null");
    Cell {
        operator,
        // OP-Z2: nothing else stands beside Null.
        modifier: if null && !whole { 0 } else { modifier },
        class: random.below(if whole { CLASSES.len() } else { 6 }),
    }
}

/// The condition of a cell. `taken` tells keys that the request has already.
pub(super) fn make(
    random: &mut Random,
    cell: Cell,
    profile: Profile,
    context: &serde_json::Map<String, Value>,
) -> Made {
    let (family, relation) = family(cell.operator);
    let class = CLASSES.get(cell.class).map(|(class, _)| *class).unwrap_or_default();
    let (prefix, suffix) = MODIFIERS.get(cell.modifier).copied().unwrap_or_default();
    let sets = !prefix.is_empty();
    let many = matches!(class, Class::Overlap | Class::Many);
    let multiple = if sets || many { random.chance(75) } else { random.chance(8) };
    let multiple = multiple || profile == Profile::Foreign && (sets || many);
    let key = match (profile, multiple) {
        (Profile::Whole, true) => random.pick(&MULTIPLE),
        (Profile::Whole, false) => random.pick(&SINGLE),
        (Profile::Foreign, true) => random.pick(&FOREIGN_MULTIPLE),
        (Profile::Foreign, false) => random.pick(foreign_keys(family)),
    };
    let whole = profile == Profile::Whole;
    let found = chosen(random, family, relation, profile, context);
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mut wanted = found.wanted.clone();
    let fit = |random: &mut Random| random_of(random, &found.fits);
    let miss = |random: &mut Random| random_of(random, &found.misses);
    let mut request: Option<Vec<String>> = match class {
        Class::Absent => None,
        Class::Empty => Some(Vec::new()),
        Class::Match => Some(vec![fit(random)]),
        Class::Miss => Some(vec![miss(random)]),
        Class::Overlap => Some(vec![fit(random), miss(random)]),
        Class::Many => {
            let all = random.chance(50);
            let one = |random: &mut Random| if all { fit(random) } else { miss(random) };
            Some(vec![one(random), one(random), one(random)])
        }
        Class::BadRequest => {
            let bad = random.pick(family.bad_values()).to_owned();
            let mut values = vec![bad];
            if random.chance(40) {
                values.push(if random.chance(50) { fit(random) } else { miss(random) });
            }
            Some(values)
        }
        Class::BadPolicy => {
            let bad = random.pick(family.bad_policy()).to_owned();
            if random.chance(50) {
                wanted = vec![bad];
            } else {
                wanted.push(bad);
            }
            match random.below(4) {
                0 => None,
                1 => Some(vec![miss(random)]),
                2 => Some(vec![fit(random), miss(random)]),
                _ => Some(vec![fit(random)]),
            }
        }
    };
    if let Some(values) = &mut request
        && values.len() > 1
        && random.chance(50)
    {
        values.reverse();
    }
    if class == Class::Absent && random.chance(2) && profile == Profile::Whole {
        wanted = list(&[]); // CO-13
    }
    let given = request.map(|values| {
        let scalar = values.len() == 1 && (!multiple || random.chance(20));
        let value = match values.first() {
            Some(only) if scalar => Value::from(only.as_str()),
            _ => Value::from(values),
        };
        (key.to_owned(), value)
    });
    let name = OPERATORS.get(cell.operator).copied().unwrap_or_default();
    Made {
        operator: respell(random, &format!("{prefix}{name}{suffix}"), if whole { 3 } else { 0 }),
        key: respell(random, key, 12),
        values: as_json(random, family, wanted),
        given: given.map(|(key, value)| (respell(random, &key, 8), value)),
    }
}

/// A condition on what the request holds anyway, by a plain operator. Holds mostly.
pub(super) fn aside(
    random: &mut Random,
    context: &serde_json::Map<String, Value>,
    holds: bool,
) -> Option<(String, String, Value)> {
    let (key, value) = context.iter().nth(random.below(context.len()))?;
    let list = value.is_array();
    let value = match value {
        Value::Array(values) => values.first()?.as_str()?,
        value => value.as_str()?,
    };
    let arn = value.starts_with("arn:");
    let name = match (random.below(6), holds) {
        (0, true) => "StringLike",
        (0, false) => "StringNotLike",
        (1, true) if arn => "ArnLike",
        (1, false) if arn => "ArnNotEquals",
        (2, true) => "StringEqualsIgnoreCase",
        (3, true) => return Some(("Null".to_owned(), key.clone(), Value::from("false"))),
        (3, false) => return Some(("Null".to_owned(), key.clone(), Value::from("true"))),
        (_, true) => "StringEquals",
        (_, false) => "StringNotEquals",
    };
    let prefix = if list { "ForAnyValue:" } else { "" };
    let text = if name == "StringLike" && random.chance(60) && !value.contains('$') {
        let mut cut = random.below(value.len() + 1);
        while !value.is_char_boundary(cut) {
            cut -= 1;
        }
        format!("{}*", value.get(..cut).unwrap_or_default())
    } else {
        value.to_owned()
    };
    Some((format!("{prefix}{name}"), key.clone(), Value::from(text)))
}

/// An operator that does not exist (OP-X1, OP-Z2).
pub(super) fn unknown(random: &mut Random) -> &'static str {
    random.pick(&[
        "StringMatches",
        "NotBool",
        "NullIfExists",
        "ForAnyValue:Null",
        "ForAll:StringLike",
        "StringEqualsIfExistsIfExists",
        "",
        "IfExists",
    ])
}

fn random_of(random: &mut Random, texts: &[String]) -> String {
    texts.get(random.below(texts.len())).cloned().unwrap_or_default()
}

/// Now and then in another case (CO-2, ST-6).
fn respell(random: &mut Random, text: &str, percent: usize) -> String {
    if !random.chance(percent) {
        return text.to_owned();
    }
    if random.chance(50) { text.to_lowercase() } else { text.to_uppercase() }
}

/// Values of a policy: a scalar or a list; numbers and booleans as JSON has them (CO-10).
fn as_json(random: &mut Random, family: Family, texts: Vec<String>) -> Value {
    let typed = random.chance(25);
    let mut values: Vec<Value> = texts
        .into_iter()
        .map(|text| match family {
            Family::Bool | Family::Null if typed && text == "true" => json!(true),
            Family::Bool | Family::Null if typed && text == "false" => json!(false),
            Family::Numeric | Family::Date if typed => match text.parse::<i64>() {
                Ok(number) if number.to_string() == text => json!(number),
                _ => Value::from(text),
            },
            _ => Value::from(text),
        })
        .collect();
    if values.len() == 1 && random.chance(55) {
        return values.pop().unwrap_or_default();
    }
    Value::from(values)
}

fn family(operator: usize) -> (Family, Relation) {
    use Family as F;
    use Relation as R;
    match OPERATORS.get(operator).copied().unwrap_or_default() {
        "StringEquals" | "StringNotEquals" => (F::Text, R::Equal),
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => (F::Folded, R::Equal),
        "StringLike" | "StringNotLike" => (F::Like, R::Equal),
        "NumericEquals" | "NumericNotEquals" => (F::Numeric, R::Equal),
        "NumericLessThan" => (F::Numeric, R::Less),
        "NumericLessThanEquals" => (F::Numeric, R::LessOrEqual),
        "NumericGreaterThan" => (F::Numeric, R::Greater),
        "NumericGreaterThanEquals" => (F::Numeric, R::GreaterOrEqual),
        "DateEquals" | "DateNotEquals" => (F::Date, R::Equal),
        "DateLessThan" => (F::Date, R::Less),
        "DateLessThanEquals" => (F::Date, R::LessOrEqual),
        "DateGreaterThan" => (F::Date, R::Greater),
        "DateGreaterThanEquals" => (F::Date, R::GreaterOrEqual),
        "Bool" => (F::Bool, R::Equal),
        "BinaryEquals" => (F::Binary, R::Equal),
        "IpAddress" | "NotIpAddress" => (F::Ip, R::Equal),
        "Null" => (F::Null, R::Equal),
        _ => (F::Arn, R::Equal),
    }
}
