//! The one direction of dependency: a module imports only what stands below it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::golden::path;

/// Every module of the crate and the modules it may name as `crate::...`; nothing else may be imported.
const MAY_IMPORT: [(&str, &[&str]); 11] = [
    ("config", &[]),
    ("metrics", &[]),
    ("artifacts", &["config"]),
    ("engine", &["config", "metrics"]),
    ("service", &["config", "engine", "metrics"]),
    ("jobs", &["service"]),
    ("http", &["config", "jobs", "metrics", "service"]),
    ("runpod", &["config", "jobs", "metrics", "service"]),
    ("fuzzing", &["http", "runpod", "service"]),
    ("app", &["config", "http", "jobs", "runpod", "service"]),
    (
        "cli",
        &[
            "app",
            "artifacts",
            "config",
            "engine",
            "http",
            "runpod",
            "service",
        ],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let nested = folders.iter().flat_map(|folder| sources(folder));
    files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .chain(nested)
        .collect()
}

/// The module of the first level that a file belongs to.
fn module_of(file: &Path, root: &Path) -> String {
    let first = file.strip_prefix(root).unwrap().iter().next().unwrap();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The modules of the first level that a source names, in code and in links of its documentation.
fn imports(source: &str) -> Vec<String> {
    let names = ["crate::", "runpod_query::"].map(|root| {
        let found = source.match_indices(root);
        found
            .flat_map(|(start, _)| names_after(&source[start + root.len()..]))
            .collect::<Vec<_>>()
    });
    names.concat()
}

/// `a::b` names `a`; `{a::b, c}` names `a` and `c`.
fn names_after(rest: &str) -> Vec<String> {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let Some(list) = rest.strip_prefix('{') else {
        return vec![word(rest)];
    };
    let mut depth = 0;
    let mut names = vec![String::new()];
    for character in list.chars() {
        match character {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            other => names.last_mut().unwrap().push(other),
        }
    }
    names
        .iter()
        .map(|name| word(name.trim()))
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn modules_import_only_lower_layers() {
    let root = path("../src");
    let allowed: BTreeMap<_, _> = MAY_IMPORT.into_iter().collect();
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let module = module_of(&file, &root);
        // The root of the library declares the modules, and the program calls the topmost.
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let may = allowed
            .get(module.as_str())
            .unwrap_or_else(|| panic!("{module} is not in the table"));
        let source = std::fs::read_to_string(&file).unwrap();
        for import in imports(&source) {
            // A name that is no module of the first level is an item of the crate root: there are none.
            if import != module && !may.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_permission_is_used() {
    let root = path("../src");
    let mut unused: Vec<_> = MAY_IMPORT
        .iter()
        .flat_map(|(module, may)| may.iter().map(|import| (*module, *import)))
        .collect();
    for file in sources(&root) {
        let module = module_of(&file, &root);
        let imports = imports(&std::fs::read_to_string(&file).unwrap());
        unused.retain(|(row, import)| *row != module || !imports.iter().any(|one| one == import));
    }
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn imports_are_found_in_every_form() {
    assert_eq!(imports("use crate::http::Server;"), ["http"]);
    assert_eq!(
        imports("use crate::{config, model::{Tokens, Error}, engine::Engine};"),
        ["config", "model", "engine"]
    );
    assert_eq!(imports("runpod_query::cli::run()"), ["cli"]);
    assert_eq!(imports("let x = crate::service::Code::ALL;"), ["service"]);
}

#[test]
fn the_table_has_no_cycle() {
    // Each row may name only rows that stand above it.
    for (index, (module, imports)) in MAY_IMPORT.iter().enumerate() {
        for import in *imports {
            let place = MAY_IMPORT
                .iter()
                .position(|(name, _)| name == import)
                .unwrap();
            assert!(
                place < index,
                "{module} imports {import}, which stands below it in the table"
            );
        }
    }
}
