//! Every metric stands in its page, and nothing else does.

use std::time::Duration;

use runpod_query::metrics::{Engine, Metrics};

use super::{code, page, rows};

const PAGE: &str = "docs/operating.md";

/// Name and type of every metric, named as its samples are.
fn metrics() -> Vec<(String, String)> {
    let metrics = Metrics::default();
    // A metric with labels is shown once it has a value.
    metrics.requests.ended(Duration::ZERO, Some("invalid"));
    metrics
        .http
        .answered(Some("/ping".to_owned()), 200, Duration::ZERO);
    let text = metrics.text(&Engine::default()).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| {
            let suffix = if kind == "counter" { "_total" } else { "" };
            (format!("{name}{suffix}"), kind.to_owned())
        })
        .collect()
}

/// Name and type of every metric of the page, without labels.
fn documented(text: &str) -> Vec<(String, String)> {
    let (_, section) = text.split_once("\n## Metrics\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    rows(section)
        .into_iter()
        .map(|cells| {
            let name = code(cells[0])[0].split('{').next().unwrap();
            (name.to_owned(), cells[1].to_owned())
        })
        .collect()
}

#[test]
fn the_page_has_every_metric_with_its_type_and_no_other() {
    let mut documented = documented(&page(PAGE));
    let mut metrics = metrics();
    documented.sort_unstable();
    metrics.sort_unstable();
    assert_eq!(documented, metrics);
}
