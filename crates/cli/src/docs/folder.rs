//! The folder of an export: pages are written, and those of an earlier export that are no more go.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bailiwick_analyzer::pages::Page;

use crate::simulate::fault::read;

/// The file that says which pages an export has written.
const LIST: &str = ".bailiwick-docs";
/// Its first line.
const HEAD: &str =
    "Pages of `bailiwick docs export`. What stands here is written anew, and removed.";
/// The longest that it may be, in bytes.
const MAX_LIST: u64 = 256 << 20;
/// The folders in which pages stand.
const FOLDERS: [&str; 4] = ["groups", "policies", "roles", "users"];

/// A folder that may be written to.
pub(super) struct Target {
    folder: PathBuf,
    /// The pages of an earlier export.
    before: BTreeSet<String>,
}

impl Target {
    /// Looks at a folder. Nothing is changed.
    ///
    /// # Errors
    /// It holds something else than an export, or cannot be read.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let shown = folder.display();
        let before = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => return Err(error).with_context(|| format!("`{shown}` cannot be read")),
            Ok(mut entries) => {
                if entries.next().is_none() {
                    BTreeSet::new()
                } else {
                    earlier(folder)?
                }
            }
        };
        for name in FOLDERS {
            let path = folder.join(name);
            let found = fs::symlink_metadata(&path);
            if found.is_ok_and(|found| !found.is_dir()) {
                bail!("`{}` is no folder", path.display());
            }
        }
        Ok(Self { folder: folder.to_owned(), before })
    }

    /// Writes the pages; says how many of before were removed.
    ///
    /// # Errors
    /// A page cannot be written, or somebody's own file stands in its place. Then nothing is written.
    pub(super) fn write(&self, pages: &[Page]) -> anyhow::Result<usize> {
        let folder = &self.folder;
        for page in pages {
            if !is_page(&page.path) {
                bail!("`{}` is no name of a page", page.path);
            }
            let path = folder.join(&page.path);
            if !self.before.contains(&page.path) && fs::symlink_metadata(&path).is_ok() {
                bail!(
                    "`{}` is no page of an earlier export, and would be written over",
                    path.display()
                );
            }
        }
        for name in FOLDERS {
            let path = folder.join(name);
            fs::create_dir_all(&path)
                .with_context(|| format!("`{}` cannot be made", path.display()))?;
        }
        // The list comes first: what is cut off in the middle is still known as an export.
        let mut names: BTreeSet<&str> = self.before.iter().map(String::as_str).collect();
        names.extend(pages.iter().map(|page| page.path.as_str()));
        self.list(&names)?;
        let now: BTreeSet<&str> = pages.iter().map(|page| page.path.as_str()).collect();
        // What goes, goes first: where names have no case, an old one may be a new one.
        let mut gone = 0;
        for path in self.before.iter().filter(|path| !now.contains(path.as_str())) {
            let path = folder.join(path);
            match fs::remove_file(&path) {
                Ok(()) => gone += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let shown = path.display();
                    return Err(error).with_context(|| format!("`{shown}` cannot be removed"));
                }
            }
        }
        for page in pages {
            put(&folder.join(&page.path), &page.text)?;
        }
        self.list(&now)?;
        Ok(gone)
    }

    fn list(&self, names: &BTreeSet<&str>) -> anyhow::Result<()> {
        let mut text = String::from(HEAD);
        for name in names {
            text.push('\n');
            text.push_str(name);
        }
        text.push('\n');
        put(&self.folder.join(LIST), &text)
    }
}

/// The pages of an earlier export.
fn earlier(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let list = folder.join(LIST);
    if !list.is_file() {
        let shown = folder.display();
        bail!("`{shown}` holds other files: name an empty folder or an earlier export");
    }
    let text = read(&list, MAX_LIST)?;
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        bail!("`{}` is no list of pages", list.display());
    }
    // The list may have been written by others: only what can be a page is removed.
    Ok(lines.filter(|line| is_page(line)).map(str::to_owned).collect())
}

/// Writes a file, and never through a link that stands in its place.
fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let shown = path.display();
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        fs::remove_file(path).with_context(|| format!("`{shown}` cannot be removed"))?;
    }
    fs::write(path, text).with_context(|| format!("`{shown}` cannot be written"))
}

/// Whether a path can be one of a page: at most one folder deep, and of safe characters.
fn is_page(path: &str) -> bool {
    let (folder, name) = path.split_once('/').unwrap_or(("", path));
    let safe = |c: char| c.is_ascii_alphanumeric() || "+=,.@_~-".contains(c);
    (folder.is_empty() || FOLDERS.contains(&folder))
        && name.strip_suffix(".md").is_some_and(|stem| !stem.is_empty())
        && name.chars().all(safe)
        && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(path: &str) -> Page {
        Page { path: path.to_owned(), text: format!("{path}\n") }
    }

    #[test]
    fn m127_an_earlier_export_is_replaced_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("docs");
        let target = Target::open(&folder).unwrap();
        assert_eq!(target.write(&[page("README.md"), page("roles/a.md")]).unwrap(), 0);
        fs::write(folder.join("roles/mine.md"), "mine").unwrap();
        let target = Target::open(&folder).unwrap();
        assert_eq!(target.write(&[page("README.md"), page("roles/b.md")]).unwrap(), 1);
        assert!(!folder.join("roles/a.md").exists() && folder.join("roles/b.md").exists());
        assert_eq!(fs::read_to_string(folder.join("roles/mine.md")).unwrap(), "mine");
        // Nor is it written over when a role comes by its name; then nothing is written at all.
        let target = Target::open(&folder).unwrap();
        let error = target.write(&[page("README.md"), page("roles/mine.md")]).unwrap_err();
        assert!(error.to_string().contains("mine.md"), "{error:#}");
        assert_eq!(fs::read_to_string(folder.join("roles/mine.md")).unwrap(), "mine");
        assert!(folder.join("roles/b.md").exists());
        // A folder of others is left alone.
        fs::remove_file(folder.join(LIST)).unwrap();
        assert!(Target::open(&folder).is_err());
    }

    #[test]
    fn m127_a_list_of_others_removes_nothing_outside() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("docs");
        fs::create_dir_all(&folder).unwrap();
        fs::write(place.path().join("precious.md"), "x").unwrap();
        fs::write(
            folder.join(LIST),
            format!("{HEAD}\n../precious.md\nroles/../../precious.md\n/etc/x.md\n"),
        )
        .unwrap();
        let target = Target::open(&folder).unwrap();
        assert_eq!(target.write(&[page("README.md")]).unwrap(), 0);
        assert!(place.path().join("precious.md").exists());
        assert!(target.write(&[page("../precious.md")]).is_err());
        #[cfg(unix)]
        {
            let held = place.path().join("precious.md");
            std::os::unix::fs::symlink(&held, folder.join("roles/link.md")).unwrap();
            assert!(target.write(&[page("roles/link.md")]).is_err());
            // Also where the list says that it was a page.
            fs::write(folder.join(LIST), format!("{HEAD}\nroles/link.md\n")).unwrap();
            let target = Target::open(&folder).unwrap();
            target.write(&[page("roles/link.md")]).unwrap();
            assert_eq!(fs::read_to_string(&held).unwrap(), "x");
        }
    }
}
