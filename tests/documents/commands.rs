//! Every command and every option stands in its page, and nothing else does.

use std::collections::BTreeSet;

use super::{code, page, rows};
use crate::support::program::program;

const PAGE: &str = "docs/commands.md";
/// What every command line program has.
const ORDINARY: [&str; 3] = ["help", "--help", "--version"];

fn help(arguments: &[&str]) -> String {
    let output = program().args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that the help lists.
fn commands() -> BTreeSet<String> {
    let help = help(&[]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    list.lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|name| !ORDINARY.contains(name))
        .map(str::to_owned)
        .collect()
}

/// The long options among words.
fn options<'a>(words: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    words
        .filter(|word| word.starts_with("--") && !ORDINARY.contains(word))
        .map(str::to_owned)
        .collect()
}

/// The options that a help text begins its lines with.
fn options_of_help(text: &str) -> BTreeSet<String> {
    let first = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("-h, ").unwrap_or(line);
        line.strip_prefix("-V, ")
            .unwrap_or(line)
            .split_whitespace()
            .next()
    });
    options(first)
}

#[test]
fn the_page_has_every_command_and_no_other() {
    let text = page(PAGE);
    let documented: BTreeSet<String> = rows(&text)
        .iter()
        .map(|cells| code(cells[0])[0].split(' ').next().unwrap().to_owned())
        .filter(|name| !name.starts_with("--"))
        .collect();
    assert_eq!(documented, commands());
}

#[test]
fn the_page_has_every_option_and_no_other() {
    let text = page(PAGE);
    let documented: BTreeSet<String> = rows(&text)
        .iter()
        .flat_map(|cells| options(code(cells[0]).into_iter().flat_map(str::split_whitespace)))
        .collect();
    let mut known = options_of_help(&help(&[]));
    for command in commands() {
        known.extend(options_of_help(&help(&[&command])));
    }
    assert_eq!(documented, known);
}

#[test]
fn an_option_is_documented_with_the_commands_that_accept_it() {
    let text = page(PAGE);
    for command in commands() {
        let known = options_of_help(&help(&[&command]));
        for cells in rows(&text).iter().filter(|cells| cells.len() == 3) {
            let owners = code(cells[1]);
            let names = options(code(cells[0]).into_iter().flat_map(str::split_whitespace));
            for option in names {
                let is_claimed = owners.is_empty() || owners.contains(&command.as_str());
                assert!(
                    !is_claimed || known.contains(&option),
                    "{command} has no {option}"
                );
            }
        }
    }
}
