//! Every setting stands in its page with its default, and nothing else does.

use std::collections::HashMap;

use runpod_query::config::{ENVIRONMENT_PREFIX, Settings};

use super::{code, page, rows};

const PAGE: &str = "docs/settings.md";
/// No setting is called so.
const UNKNOWN: &str = "nothing_is_called_so";
/// A value that every setting with a second variable takes, and that is none's default.
const VALUE: &str = "1234";

/// One row of the page.
struct Row<'a> {
    name: &'a str,
    /// Nothing where the page says in words what happens without a value.
    default: Option<&'a str>,
    also: Vec<&'a str>,
}

fn documented(text: &str) -> Vec<Row<'_>> {
    rows(text)
        .into_iter()
        .map(|cells| match cells[..] {
            [name, default, also, _] => Row {
                name: code(name)[0],
                default: code(default).first().copied(),
                also: code(also),
            },
            _ => panic!("four cells: {cells:?}"),
        })
        .collect()
}

/// The environment variable of a setting.
fn variable(setting: &str) -> String {
    let name = setting.replace('.', "__").to_uppercase();
    format!("{ENVIRONMENT_PREFIX}__{name}")
}

fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let environment: HashMap<String, String> = variables
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Settings::from_sources(environment, None, Vec::new()).map_err(|error| error.to_string())
}

/// What may stand below `prefix`, as the refusal of an unknown name lists it.
fn names_below(prefix: &str) -> Vec<String> {
    let error = read(&[(&variable(&format!("{prefix}{UNKNOWN}")), "1")]).unwrap_err();
    let (_, expected) = error
        .split_once("expected ")
        .unwrap_or_else(|| panic!("{error}"));
    let expected = expected.split(" for key").next().unwrap();
    code(expected)
        .into_iter()
        .map(|name| format!("{prefix}{name}"))
        .collect()
}

/// Every setting's dotted name.
fn settings() -> Vec<String> {
    names_below("")
        .iter()
        .flat_map(|section| names_below(&format!("{section}.")))
        .collect()
}

/// Whether a setting is absent by default, as the settings show themselves.
fn is_absent(setting: &str) -> bool {
    let shown = format!("{:#?}", Settings::default());
    let (section, name) = setting.split_once('.').unwrap();
    let (_, section) = shown.split_once(&format!("\n    {section}: ")).unwrap();
    let (section, _) = section.split_once("\n    }").unwrap();
    ["None", "[]"]
        .iter()
        .any(|nothing| section.contains(&format!("\n        {name}: {nothing},")))
}

#[test]
fn the_page_has_every_setting_and_no_other() {
    let text = page(PAGE);
    let mut documented: Vec<&str> = documented(&text).iter().map(|row| row.name).collect();
    let mut settings = settings();
    documented.sort_unstable();
    settings.sort_unstable();
    assert_eq!(documented, settings);
}

#[test]
fn the_page_has_the_defaults() {
    let nothing = read(&[]).unwrap();
    for Row { name, default, .. } in documented(&page(PAGE)) {
        match default {
            Some(value) => {
                let given = read(&[(&variable(name), value)]);
                assert_eq!(given.as_ref(), Ok(&nothing), "{name} is not {value}");
            }
            None => assert!(is_absent(name), "{name} has a default"),
        }
    }
}

#[test]
fn the_second_variables_of_the_page_mean_the_same() {
    let nothing = read(&[]).unwrap();
    for Row { name, also, .. } in documented(&page(PAGE)) {
        for second in also {
            let given = read(&[(second, VALUE)]).unwrap();
            assert_ne!(given, nothing, "{second} means nothing");
            let ours = read(&[(&variable(name), VALUE)]).unwrap();
            assert_eq!(given, ours, "{second} is not {name}");
        }
    }
}
