//! The one direction in which modules may know each other, read from the sources.

use std::path::{Path, PathBuf};

/// Each module and the modules it may name.
const MAY_NAME: [(&str, &[&str]); 6] = [
    ("app", &["http", "service", "config"]),
    ("http", &["service", "config"]),
    ("service", &["engine", "model", "config"]),
    ("engine", &["model", "config"]),
    ("model", &["config"]),
    ("config", &[]),
];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else {
        found.push(path.to_owned());
    }
}

/// The modules of this crate that a source names outside comments.
fn named(source: &str) -> Vec<String> {
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|&character| character.is_alphanumeric() || character == '_')
                .collect()
        })
        .collect()
}

#[test]
fn no_module_names_one_above_or_beside_it() {
    for (module, may_name) in MAY_NAME {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        let file = root.join(format!("{module}.rs"));
        sources(
            &if file.exists() {
                file
            } else {
                root.join(module)
            },
            &mut files,
        );
        for file in files {
            for name in named(&std::fs::read_to_string(&file).unwrap()) {
                assert!(
                    name == module || may_name.contains(&name.as_str()),
                    "{} names {name}; {module} may name {may_name:?}",
                    file.display()
                );
            }
        }
    }
}
