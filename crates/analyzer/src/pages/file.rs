//! File names from names: safe on every system, and never the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

/// The longest name that is kept whole, in bytes.
const LONGEST: usize = 100;
/// Names that some systems take for devices, whatever follows the dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// A file name, without its ending, for each key: of the name given with it.
///
/// A name holds letters, digits and `+=,.@_~-` alone, begins with no dot, and is no device. Names that
/// a disk without regard to case would take for one, and long ones, end in a part of the hash of the
/// key, whatever else is in the list with them.
pub fn file_names<'k>(
    names: impl IntoIterator<Item = (&'k str, &'k str)>,
) -> BTreeMap<&'k str, String> {
    let safe: BTreeMap<&str, (String, bool)> =
        names.into_iter().map(|(key, name)| (key, self::safe(name))).collect();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (name, _) in safe.values() {
        *times.entry(name.to_lowercase()).or_default() += 1;
    }
    let mut used: BTreeSet<String> = safe
        .values()
        .filter(|(name, cut)| !cut && times.get(&name.to_lowercase()) == Some(&1))
        .map(|(name, _)| name.to_lowercase())
        .collect();
    let mut out = BTreeMap::new();
    for (key, (name, cut)) in safe {
        if !cut && times.get(&name.to_lowercase()) == Some(&1) {
            out.insert(key, name);
            continue;
        }
        let mut hash = String::new();
        for byte in digest(&SHA256, key.as_bytes()).as_ref() {
            let _ = write!(hash, "{byte:02x}");
        }
        // Somebody else may bear the very name with the hash: then more of it is taken.
        let lengths = [8, 16, 32, 64];
        let mut chosen = format!("{name}-{hash}");
        for length in lengths {
            let tried = format!("{name}-{}", hash.get(..length).unwrap_or(&hash));
            if !used.contains(&tried.to_lowercase()) {
                chosen = tried;
                break;
            }
        }
        used.insert(chosen.to_lowercase());
        out.insert(key, chosen);
    }
    out
}

/// A safe name, and whether something of the name was lost.
fn safe(name: &str) -> (String, bool) {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || "+=,@_-".contains(c) || (c == '.' && !out.is_empty()) {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "~{byte:02x}");
            }
        }
    }
    let stem = out.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let letters = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = stem.len() - letters.len();
    if DEVICES.contains(&letters) && digits <= 1 {
        out.insert(0, '_');
    }
    if out.is_empty() {
        out.push('_');
    }
    let cut = out.len() > LONGEST;
    out.truncate(LONGEST);
    (out, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe() {
        for (name, expected) in [
            ("deploy", "deploy"),
            ("a+b=c,d.e@f_g-h", "a+b=c,d.e@f_g-h"),
            ("../../etc/passwd", "~2e.~2f..~2fetc~2fpasswd"),
            ("..", "~2e."),
            (".hidden", "~2ehidden"),
            ("a/b\\c", "a~2fb~5cc"),
            ("con", "_con"),
            ("COM1.x", "_COM1.x"),
            ("console", "console"),
            ("", "_"),
            ("ü", "~c3~bc"),
            ("a\nb", "a~0ab"),
        ] {
            assert_eq!(safe(name).0, expected, "{name:?}");
        }
    }

    #[test]
    fn no_two_are_one() {
        let (long, longer) = ("x".repeat(128), "x".repeat(120) + "yyyyyyyy");
        let found = file_names([
            ("1", "Admin"),
            ("2", "admin"),
            ("3", "other"),
            ("4", &*long),
            ("5", &*longer),
        ]);
        let folded: BTreeSet<String> = found.values().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), 5, "{found:?}");
        assert_eq!(found["3"], "other");
        assert!(found["1"].starts_with("Admin-") && found["2"].starts_with("admin-"));
        // Whoever bears the name with the hash by chance or by will pushes nobody aside.
        let taken = found["1"].to_lowercase();
        let again = file_names([("1", "Admin"), ("2", "admin"), ("6", taken.as_str())]);
        let folded: BTreeSet<String> = again.values().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), 3, "{again:?}");
        // The name of one does not hang on the order of the others.
        let turned = file_names([("2", "admin"), ("1", "Admin")]);
        assert_eq!(turned["1"], found["1"]);
    }
}
