//! The documents say what the program does: links, settings, metrics, commands, errors and routes.

mod api;
mod commands;
mod links;
mod metrics;
mod settings;

use std::path::PathBuf;

use crate::support::golden::path;

/// Most lines of the README.
const README_LINES: usize = 200;

/// A file beside the manifest.
fn root(relative: &str) -> PathBuf {
    path("..").join(relative)
}

/// The text of a page.
fn page(relative: &str) -> String {
    let file = root(relative);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Every page, relative to the manifest's folder.
fn pages() -> Vec<String> {
    let docs = std::fs::read_dir(root("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"));
    [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(docs)
    .collect()
}

/// The lines of a page outside its blocks of code.
fn prose(text: &str) -> Vec<&str> {
    let mut in_code = false;
    text.lines()
        .filter(|line| {
            let is_fence = line.starts_with("```");
            in_code ^= is_fence;
            !(in_code || is_fence)
        })
        .collect()
}

/// The rows of a page's tables whose first cell begins with code, cell by cell. A bar inside a cell would need an escape,
/// which no page has.
fn rows(text: &str) -> Vec<Vec<&str>> {
    prose(text)
        .into_iter()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands in backticks in a text, in its order.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_readme_is_a_door_and_not_a_book() {
    let lines = page("README.md").lines().count();
    assert!(lines <= README_LINES, "{lines} lines");
}
