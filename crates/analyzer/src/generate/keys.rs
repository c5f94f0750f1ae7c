//! Objects of a bucket by the folders in which they lie, where they are too many to list.

use std::collections::{BTreeMap, BTreeSet};

/// Patterns in place of a long list of objects.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Folders {
    pub(super) patterns: BTreeSet<String>,
    pub(super) told: String,
}

/// Folders in place of objects, for each bucket that has more than `most`; nothing if none has. No
/// folder is taken that holds one of `taboo`, ARNs that were refused.
pub(super) fn folders(
    patterns: &BTreeSet<String>,
    most: usize,
    taboo: &BTreeSet<&str>,
) -> Option<Folders> {
    let mut buckets: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for pattern in patterns {
        match pattern.split_once('/') {
            Some((bucket, _)) if bucket.contains(":s3:::") => {
                buckets.entry(bucket).or_default().insert(pattern.clone());
            }
            _ => {
                all.insert(pattern.clone());
            }
        }
    }
    let mut told = Vec::new();
    for (bucket, objects) in buckets {
        if objects.len() <= most {
            all.extend(objects);
            continue;
        }
        let count = objects.len();
        let found = gathered(bucket, objects, most.max(1), taboo);
        let wide = found.iter().filter(|pattern| pattern.ends_with("/*")).count();
        if wide > 0 {
            let of = bucket.rsplit(':').next().unwrap_or(bucket);
            told.push(format!(
                "{count} objects of {of} are {} patterns, {wide} of them folders",
                found.len()
            ));
        }
        all.extend(found);
    }
    (!told.is_empty()).then(|| Folders { patterns: all, told: told.join("; ") })
}

/// Gathers the deepest folders first, as far as needed.
fn gathered(
    bucket: &str,
    mut patterns: BTreeSet<String>,
    most: usize,
    taboo: &BTreeSet<&str>,
) -> BTreeSet<String> {
    let mut depth = patterns.iter().map(|pattern| pattern.matches('/').count()).max().unwrap_or(0);
    while depth > 0 && patterns.len() > most {
        let mut next = BTreeSet::new();
        for pattern in &patterns {
            let bare = pattern.strip_suffix("/*").unwrap_or(pattern);
            // A folder that was made in this turn is not made wider in the same.
            let folder = bare.rsplit_once('/').map_or(bucket, |(folder, _)| folder);
            let deep = pattern.matches('/').count() >= depth && bare != bucket;
            // Names with escapes are compared as they stand, which is longer, never shorter.
            let holds = taboo
                .iter()
                .any(|arn| arn.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
            if deep && !holds {
                next.insert(format!("{folder}/*"));
            } else {
                next.insert(pattern.clone());
            }
        }
        let folders: Vec<String> =
            next.iter().filter_map(|one| one.strip_suffix('*').map(str::to_owned)).collect();
        next.retain(|one| {
            !folders.iter().any(|folder| one.starts_with(folder) && one.len() > folder.len() + 1)
        });
        patterns = next;
        depth -= 1;
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn many_objects_are_folders() {
        let objects: BTreeSet<String> =
            (0..30).map(|n| format!("arn:aws:s3:::logs/2026/{}/f{n}", n % 3)).collect();
        assert_eq!(folders(&objects, 30, &BTreeSet::new()), None);
        let found = folders(&objects, 20, &BTreeSet::new()).unwrap();
        assert_eq!(
            found.patterns,
            set(&[
                "arn:aws:s3:::logs/2026/0/*",
                "arn:aws:s3:::logs/2026/1/*",
                "arn:aws:s3:::logs/2026/2/*"
            ])
        );
        assert!(found.told.contains("30 objects of logs"), "{}", found.told);
        let found = folders(&objects, 2, &BTreeSet::new()).unwrap();
        assert_eq!(found.patterns, set(&["arn:aws:s3:::logs/2026/*"]));
        let flat: BTreeSet<String> = (0..30).map(|n| format!("arn:aws:s3:::b/f{n}")).collect();
        assert_eq!(
            folders(&flat, 20, &BTreeSet::new()).unwrap().patterns,
            set(&["arn:aws:s3:::b/*"])
        );
    }

    // What was refused in a folder keeps the folder from being allowed.
    #[test]
    fn folders_leave_out_what_was_refused() {
        let objects: BTreeSet<String> = (0..30).map(|n| format!("arn:aws:s3:::b/x/f{n}")).collect();
        let taboo = BTreeSet::from(["arn:aws:s3:::b/x/secret"]);
        assert_eq!(folders(&objects, 20, &taboo), None);
        let elsewhere = BTreeSet::from(["arn:aws:s3:::b/y/secret"]);
        assert_eq!(
            folders(&objects, 20, &elsewhere).unwrap().patterns,
            set(&["arn:aws:s3:::b/x/*"])
        );
    }
}
