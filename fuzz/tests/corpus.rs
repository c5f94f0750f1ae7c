//! The inputs that are kept hold.

use std::path::Path;

use bailiwick_fuzz::TARGETS;

#[test]
fn every_kept_input_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/fuzz");
    for (target, check) in TARGETS {
        let mut count = 0;
        for entry in std::fs::read_dir(folder.join(target)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            check(&std::fs::read(path).unwrap());
            count += 1;
        }
        assert!(count > 10, "only {count} inputs for {target}");
    }
}
