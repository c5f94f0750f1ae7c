//! What the process asks of the system before it touches a secret (L04, L07).

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// New files belong to their owner alone; no memory image is written when the process dies; as
/// many open files as the system allows.
pub(crate) fn harden() {
    umask(Mode::from_raw_mode(0o077));
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps cannot be switched off");
    }
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: files.maximum, maximum: files.maximum };
    // With fewer files there are fewer connections; nothing else depends on it.
    let _ = setrlimit(Resource::Nofile, raised);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn tm_l04_no_core_dumps_and_no_wide_files() {
        harden();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("new");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
