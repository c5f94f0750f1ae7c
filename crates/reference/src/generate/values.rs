//! Pools of values of every type, with what matches what.

use serde_json::{Map, Value};

use super::Profile;
use super::random::Random;

/// The types of values that operators compare.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Family {
    Text,
    Folded,
    Like,
    Numeric,
    Date,
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

/// How a request value must stand to a policy value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Values of a policy, and values of a request that match at least one of them, or none.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    pub(super) wanted: Vec<String>,
    pub(super) fits: Vec<String>,
    pub(super) misses: Vec<String>,
}

/// Texts that are equal stand in one group. Numbers and dates: in ascending order.
type Groups = &'static [&'static [&'static str]];
/// A pattern, texts that it matches, texts that it does not match.
type Patterns = &'static [(&'static str, &'static [&'static str], &'static [&'static str])];

const TEXTS: Groups =
    &[&["dev"], &["Dev"], &["prod"], &["a*"], &["a b"], &["x:y"], &["prod-1"], &["é"], &["10"]];

const FOLDED: Groups = &[
    &["dev", "Dev", "DEV"],
    &["prod", "PROD"],
    &["a*", "A*"],
    &["É1", "é1"],
    &["x:y", "X:Y"],
    &["eng", "ENG", "eNg"],
];

/// Simple folding beyond the letters that policies may have.
const FOLDED_WIDE: Groups =
    &[&["key", "\u{212a}ey"], &["\u{3c3}", "\u{3a3}"], &["s", "S"], &["dev"]];

const LIKE: Patterns = &[
    ("dev", &["dev"], &["Dev", "dev1", "de"]),
    ("dev-*", &["dev-", "dev-1", "dev-*"], &["dev", "Dev-1"]),
    ("*", &["", "x", "dev-1"], &[]),
    ("?ev", &["dev", "rev", "éev"], &["ev", "ddev"]),
    ("*-1-*", &["dev-1-2", "-1-", "a-1-1-1-"], &["dev-1", "1-"]),
    ("a*b*c", &["abc", "axxbyyc", "abcabc"], &["ab", "acb"]),
    ("??", &["ab", "éé"], &["a", "abc"]),
    ("x*x", &["xx", "x1x"], &["x", "x1"]),
    ("a**b", &["ab", "a*b"], &["a"]),
    ("team/*/x", &["team/1/x", "team/a/b/x"], &["team/x"]),
];

const NUMBERS: Groups = &[
    &["-99999999999999999999999999.5"],
    &["-10", "-10.0", "-010"],
    &["-0.5", "-0.50"],
    &["0", "-0", "+0", "0.0", "00"],
    &["0.1", "0.10", "+0.1"],
    &["0.1000000000000000000000001"],
    &["5", "5.0", "+5", "05"],
    &["10", "10.00"],
    &["10.000000000000000000001"],
    &["9007199254740993"],
    &["9007199254740994"],
    &["123456789012345678901234567890"],
    &["123456789012345678901234567891", "123456789012345678901234567891.0"],
];

const DATES: Groups = &[
    &["0001-01-01T00:00:00Z", "0001", "0001-01"],
    &["-86400", "1969-12-31", "1969-12-31T00:00:00Z"],
    &["1970", "1970-01", "1970-01-01", "1970-01-01T00:00:00Z", "00000", "+0", "-0"],
    &[
        "1582977600",
        "2020-02-29T12:00:00Z",
        "2020-02-29T12:00Z",
        "2020-02-29T13:00:00+01:00",
        "2020-02-29T12:00:00.000Z",
        "2020-02-29T12:00:00",
    ],
    &["2020-02-29T12:00:00.5Z", "2020-02-29T12:00:00.500Z", "2020-02-29T14:30:00.5+02:30"],
    &["2020-02-29T12:00:00.500000001Z", "2020-02-29T12:00:00.5000000019Z"],
    &["2020-03-01", "2020-03-01T00:00:00Z"],
    &["2025-12-31T23:59:59Z", "1767225599"],
    &["2026", "2026-01", "2026-01-01", "1767225600", "2025-12-31T19:00:00-05:00"],
    &["2026-06-01T00:00:00Z", "2026-06-01"],
    &["9999-12-31"],
    &["999999999999"],
];

const BOOLS: Groups = &[&["true", "True", "TRUE"], &["false", "False", "FALSE"]];

const BYTES: Groups = &[&["aGVsbG8="], &["AAEC"], &["/+8="], &["aGVsbG8h"], &[""]];

const RANGES: Patterns = &[
    (
        "10.0.0.0/8",
        &["10.1.2.3", "10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
        &["11.0.0.1", "2001:db8::1", "9.255.255.255"],
    ),
    ("203.0.113.7", &["203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107"], &["203.0.113.8"]),
    ("203.0.113.7/32", &["203.0.113.7"], &["203.0.113.6"]),
    ("10.1.2.3/16", &["10.1.0.0", "10.1.255.255"], &["10.2.0.0"]),
    ("0.0.0.0/0", &["1.2.3.4", "::ffff:1.2.3.4"], &["2001:db8::1", "::1"]),
    (
        "2001:db8::/32",
        &["2001:db8::1", "2001:DB8:0:0:0:0:0:5", "2001:0db8:ffff::"],
        &["2001:db9::1", "10.0.0.1"],
    ),
    ("2001:db8::5", &["2001:db8::5", "2001:db8:0::0:5"], &["2001:db8::6"]),
    ("2001:db8::ff/120", &["2001:db8::1"], &["2001:db8::100"]),
    ("::/0", &["::1", "2001:db8::1"], &["10.0.0.1", "255.255.255.255"]),
    ("192.168.1.128/25", &["192.168.1.200"], &["192.168.1.127"]),
];

const ARNS: Patterns = &[
    (
        "arn:aws:s3:::bucket",
        &["arn:aws:s3:::bucket"],
        &["arn:aws:s3:::bucket2", "arn:aws:s3:::Bucket"],
    ),
    (
        "arn:aws:s3:::bucket/*",
        &["arn:aws:s3:::bucket/a", "arn:aws:s3:::bucket/a:b/c"],
        &["arn:aws:s3:::bucket"],
    ),
    (
        "arn:aws:sns:*:111122223333:topic-?",
        &["arn:aws:sns:us-east-1:111122223333:topic-1", "arn:aws:sns::111122223333:topic-2"],
        &[
            "arn:aws:sns:us-east-1:444455556666:topic-1",
            "arn:aws:sns:us-east-1:111122223333:topic-10",
        ],
    ),
    (
        "arn:*:iam::*:role/*",
        &["arn:aws:iam::111122223333:role/Dev", "arn:aws-cn:iam::1:role/a/b"],
        &["arn:aws:iam::111122223333:user/Dev", "arn:aws:sts::1:role/x"],
    ),
    (
        "arn:aws:*:*:*:*",
        &["arn:aws:x:::y", "arn:aws:lambda:us-east-1:1:function:f:1"],
        &["arn:aws-cn:x:::y"],
    ),
    (
        "arn:aws:lambda:us-east-1:111122223333:function:f",
        &["arn:aws:lambda:us-east-1:111122223333:function:f"],
        &["arn:aws:lambda:us-east-1:111122223333:function:f:1"],
    ),
    (
        "arn:aws:lambda:us-east-1:111122223333:function:*",
        &[
            "arn:aws:lambda:us-east-1:111122223333:function:f:1",
            "arn:aws:lambda:us-east-1:111122223333:function:",
        ],
        &["arn:aws:lambda:us-east-2:111122223333:function:f"],
    ),
    // OP-A2: a star does not cross a colon.
    (
        "arn:aws:s3:*::bucket",
        &["arn:aws:s3:us-east-1::bucket"],
        &["arn:aws:s3:us-east-1:1:bucket", "arn:aws:s3:a:b::bucket"],
    ),
];

impl Family {
    /// Request values that are none of this type; for texts, the empty one.
    pub(super) const fn bad_values(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Folded | Self::Like | Self::Null => &[""],
            Self::Numeric => {
                &["", "1e3", " 1", "1 ", "0x10", ".5", "5.", "--1", "ten", "1,5", "+", "1.2.3"]
            }
            Self::Date => &[
                "",
                "yesterday",
                "2026-13-01",
                "2026-02-30",
                "2025-02-29",
                "2026-1-1",
                "26",
                "2026-01-01 00:00:00Z",
                "2026-01-01T1:00Z",
                "2026-01-01T00:00:00+25",
                "2026-01-01t00:00:00z",
                "2026-01-01T00:60Z",
                "1.5",
            ],
            Self::Bool => &["", "yes", "1", " true", "truefalse"],
            Self::Binary => &["a", "****", "aGVs bG8=", "=", "aGVsbG8=="],
            Self::Ip => &[
                "",
                "10.0.0",
                "10.0.0.1/8",
                "10.0.0.256",
                "010.0.0.1",
                "abc",
                "1.2.3.4.5",
                "2001:db8:::1",
                "::g",
                "10.0.0.1 ",
            ],
            Self::Arn => &[
                "",
                "arn",
                "bucket",
                "arn:aws:s3:::",
                "arn:aws:s3::bucket",
                "*",
                "arm:aws:s3:::bucket",
                "arn::s3:::bucket",
            ],
        }
    }

    /// Policy values that are none of this type; for texts, a variable without value.
    pub(super) const fn bad_policy(self) -> &'static [&'static str] {
        match self {
            Self::Text | Self::Folded => {
                &["${app:none}", "${aws:none}-x", "x${app:none}", "${app:none, 'dev'}"]
            }
            Self::Like => &["${app:none}", "${app:none}*", "*${app:none}", "${app:none, 'dev-*'}"],
            Self::Numeric => &["ten", "1e3", "", "*", "${aws:MultiFactorAuthAge}", "5 ", ".5"],
            Self::Date => &["never", "", "2026-02-30", "*", "${aws:CurrentTime}", "123"],
            Self::Bool => &["yes", "", "${app:none}", "tru", "*", "${app:none, 'true'}"],
            Self::Binary => &["a", "****", "${app:none}", "a==="],
            Self::Ip => &[
                "10.0.0.0/33",
                "10.0.0",
                "",
                "*",
                "2001:db8::/129",
                "10.0.0.0/-1",
                "10.0.0.0/08",
                "${aws:SourceIp}",
                "10.0.0.0/",
            ],
            Self::Arn => &[
                "arn:aws:s3::bucket",
                "",
                "bucket",
                "arn:aws",
                "arn:aws:s3:::${app:none}",
                "${app:none}",
                "arn:${app:none}:s3:::b",
                "*",
            ],
            Self::Null => &["maybe", "", "${app:none}", "1"],
        }
    }
}

/// Values of this type with what fits them.
pub(super) fn chosen(
    random: &mut Random,
    family: Family,
    relation: Relation,
    profile: Profile,
    context: &Map<String, Value>,
) -> Chosen {
    let mut found = match family {
        Family::Text => grouped(random, TEXTS),
        Family::Folded if random.chance(6) && profile == Profile::Whole => {
            grouped(random, FOLDED_WIDE)
        }
        Family::Folded => grouped(random, FOLDED),
        Family::Numeric => ordered(random, NUMBERS, relation),
        Family::Date => ordered(random, DATES, relation),
        Family::Bool => grouped(random, BOOLS),
        Family::Binary => grouped(random, BYTES),
        Family::Like => patterns(random, LIKE),
        Family::Ip => patterns(random, RANGES),
        Family::Arn => patterns(random, ARNS),
        Family::Null => {
            let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
            Chosen {
                wanted: texts(random.pick(&[
                    &["true"] as &[&str],
                    &["false"],
                    &["FALSE"],
                    &["true", "false"],
                ])),
                fits: texts(&["x"]),
                misses: texts(&["y", ""]),
            }
        }
    };
    if matches!(family, Family::Text | Family::Folded | Family::Like | Family::Arn | Family::Bool)
        && random.chance(14)
    {
        resolving(random, family, profile, context, &mut found);
    }
    found
}

/// Puts a variable with its value among what is wanted (VAR-5, VAR-8).
fn resolving(
    random: &mut Random,
    family: Family,
    profile: Profile,
    context: &Map<String, Value>,
    found: &mut Chosen,
) {
    let single: Vec<(&str, &str)> =
        context.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect();
    let (key, value) = random.pick(&single);
    let (wanted, fit) = match (family, random.below(8)) {
        (Family::Arn, _) => {
            (format!("arn:aws:s3:::${{{key}}}/*"), format!("arn:aws:s3:::{value}/x"))
        }
        (Family::Bool, _) => ("${app:none,'true'}".to_owned(), "true".to_owned()),
        (_, 0) => ("a${*}".to_owned(), "a*".to_owned()),
        (_, 1) if profile == Profile::Whole => ("${$}{x}".to_owned(), "${x}".to_owned()),
        (_, 2) => ("${?}".to_owned(), "?".to_owned()),
        (_, 3) => (format!("${{{}}}", key.to_uppercase()), value.to_owned()),
        (Family::Like, 4) => (format!("${{{key}}}-*"), format!("{value}-1")),
        (_, 5) => ("${app:none, 'dev'}".to_owned(), "dev".to_owned()),
        _ => (format!("${{{key}, 'x'}}"), value.to_owned()),
    };
    found.wanted.push(wanted);
    found.fits.push(fit);
    let miss = if family == Family::Arn { "arn:aws:none:::other" } else { "${aws:username}" };
    found.misses.push(miss.to_owned());
}

fn texts(group: &[&str]) -> Vec<String> {
    group.iter().map(|text| (*text).to_owned()).collect()
}

fn grouped(random: &mut Random, groups: Groups) -> Chosen {
    let mut found = Chosen::default();
    let first = random.below(groups.len());
    let second = if random.chance(35) { random.below(groups.len()) } else { first };
    for (at, group) in groups.iter().enumerate() {
        if at == first || at == second {
            found.wanted.push(random.pick(group).to_owned());
            found.fits.extend(texts(group));
        } else {
            found.misses.extend(texts(group));
        }
    }
    if found.misses.is_empty() {
        found.wanted.pop();
        found.misses = texts(groups.get(usize::from(first == 0)).copied().unwrap_or_default());
        found.fits = texts(groups.get(usize::from(first != 0)).copied().unwrap_or_default());
        found.wanted = found.fits.iter().take(1).cloned().collect();
    }
    found
}

fn ordered(random: &mut Random, groups: Groups, relation: Relation) -> Chosen {
    let mut found = Chosen::default();
    // One value, so that both sides of it stay.
    let place = 1 + random.below(groups.len().saturating_sub(2));
    let fits = |at: usize| match relation {
        Relation::Equal => at == place,
        Relation::Less => at < place,
        Relation::LessOrEqual => at <= place,
        Relation::Greater => at > place,
        Relation::GreaterOrEqual => at >= place,
    };
    // Near neighbours tell more than far ones.
    for (at, group) in groups.iter().enumerate() {
        let near = at.abs_diff(place) <= 1;
        if at == place {
            found.wanted.push(random.pick(group).to_owned());
        }
        if near || random.chance(25) {
            let side = if fits(at) { &mut found.fits } else { &mut found.misses };
            side.extend(texts(group));
        }
    }
    if random.chance(30) && relation == Relation::Equal {
        // A second value that is far from the misses.
        found.wanted.push("123456".to_owned());
    }
    found
}

fn patterns(random: &mut Random, patterns: Patterns) -> Chosen {
    let at = random.below(patterns.len());
    let Some((pattern, fits, misses)) = patterns.get(at) else { return Chosen::default() };
    let mut found = Chosen { wanted: texts(&[pattern]), fits: texts(fits), misses: texts(misses) };
    if found.misses.is_empty() {
        found.misses.push("never".to_owned());
        if let Some((pattern, fits, misses)) = patterns.first() {
            found = Chosen { wanted: texts(&[pattern]), fits: texts(fits), misses: texts(misses) };
        }
    }
    if random.chance(30) {
        // A second pattern that fits none of the misses of any other.
        let one = |list: Patterns| std::ptr::eq(patterns, list);
        let second = match (one(RANGES), one(ARNS)) {
            (true, _) => "192.0.2.77",
            (_, true) => "arn:aws:none:::none",
            _ => "nothing-like-it",
        };
        found.wanted.push(second.to_owned());
    }
    found
}
