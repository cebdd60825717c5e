//! Every link between the documents leads somewhere.

use std::path::Path;

use super::{code, page, pages, prose, root};

/// Beginnings of what, in backticks, names a file or folder of the project.
const PROJECT_PATHS: [&str; 7] = [
    "benches/", "crates/", "docs/", "fuzz/", "openapi/", "src/", "tests/",
];
const INDEX: &str = "docs/README.md";

/// The targets of a page's links and pictures, outside code.
fn targets(text: &str) -> Vec<&str> {
    prose(text)
        .into_iter()
        .flat_map(|line| line.split("](").skip(1))
        .map(|rest| rest.split(')').next().unwrap())
        .filter(|target| !target.contains("://"))
        .collect()
}

/// A heading's anchor: small letters, hyphens for spaces, punctuation left out.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|character| character.is_alphanumeric() || " -_".contains(*character))
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

fn anchors(text: &str) -> Vec<String> {
    prose(text)
        .into_iter()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

/// Why a link of a page leads nowhere, if it does.
fn broken(from: &str, target: &str) -> Option<String> {
    let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(from).parent().unwrap();
    let to = if file.is_empty() {
        from.to_owned()
    } else {
        folder.join(file).to_string_lossy().into_owned()
    };
    if !root(&to).exists() {
        return Some(format!("{from}: {target} does not exist"));
    }
    let is_found = fragment.is_empty() || anchors(&page(&to)).iter().any(|one| one == fragment);
    (!is_found).then(|| format!("{from}: {target} has no such heading"))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut wrong = Vec::new();
    let mut links = 0;
    for from in pages() {
        let text = page(&from);
        let targets = targets(&text);
        links += targets.len();
        wrong.extend(targets.iter().filter_map(|target| broken(&from, target)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(links > 50, "only {links} links were found");
}

#[test]
fn every_path_of_the_project_that_a_page_names_exists() {
    let mut wrong = Vec::new();
    for from in pages() {
        let text = page(&from);
        for line in prose(&text) {
            let paths = code(line)
                .into_iter()
                .filter(|name| PROJECT_PATHS.iter().any(|prefix| name.starts_with(prefix)));
            wrong.extend(
                paths
                    .filter(|path| !root(path).exists() && !root(&format!("{path}.rs")).exists())
                    .map(|path| format!("{from}: {path}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_index_leads_to_every_page() {
    let index = page(INDEX);
    let targets = targets(&index);
    for file in pages() {
        let Some(name) = file.strip_prefix("docs/").filter(|_| file != INDEX) else {
            continue;
        };
        assert!(targets.contains(&name), "{INDEX} does not link {name}");
    }
}

#[test]
fn a_broken_link_is_found() {
    assert_eq!(broken("docs/api.md", "../README.md#on-runpod"), None);
    assert_eq!(broken("docs/api.md", "#errors"), None);
    for target in ["nothing.md", "openai.md#nothing", "#nothing", "README.md/x"] {
        assert!(broken("docs/api.md", target).is_some(), "{target}");
    }
}
