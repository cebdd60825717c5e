use super::*;
use crate::service::Request;

/// Ids of the jobs, each with its request or with what is wrong with it; and the number of those without an id.
fn read(body: &[u8]) -> Option<(Vec<(String, String)>, usize)> {
    deliveries(body, 8).map(shown)
}

/// How a job with an empty input is shown.
fn empty(id: &str) -> (String, String) {
    (id.to_owned(), "invalid: give query or queries".to_owned())
}

/// How the query `q` is shown.
fn query() -> String {
    let input = serde_json::from_str(r#"{"query":"q"}"#).unwrap();
    format!("{:?}", Request::parse(input, 1).unwrap())
}

fn shown(deliveries: Deliveries) -> (Vec<(String, String)>, usize) {
    let jobs = deliveries.jobs.into_iter().map(|delivery| {
        let request = delivery.submission.request;
        let request = request.map_or_else(|error| error.line(), |request| format!("{request:?}"));
        (delivery.id.as_str().to_owned(), request)
    });
    (jobs.collect(), deliveries.nameless)
}

#[test]
fn a_delivery_is_a_job_or_a_list_of_jobs_or_nothing() {
    let job = |id: &str| (id.to_owned(), query());
    for (body, expected) in [
        (
            r#"{"id":"a","input":{"query":"q"},"webhook":null}"#,
            vec![job("a")],
        ),
        (
            r#"[{"id":"a","input":{"query":"q"}},{"input":{"query":"q"},"id":7}]"#,
            vec![job("a"), job("7")],
        ),
        ("", vec![]),
        (" null\n", vec![]),
        ("[]", vec![]),
    ] {
        assert_eq!(read(body.as_bytes()), Some((expected, 0)), "{body}");
    }
}

#[test]
fn a_response_that_is_not_a_delivery_is_distinguished() {
    for body in ["<html>", "true", "1", "\"id\"", "nothing"] {
        assert_eq!(read(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn a_mark_or_a_string_around_a_delivery_changes_nothing() {
    let job = r#"{"id":"a","input":{"query":"q"}}"#;
    let string = serde_json::to_string(job).unwrap();
    let expected = vec![("a".to_owned(), query())];
    for body in [
        format!("\u{feff}{job}"),
        format!("\u{feff} [{job}]"),
        string,
    ] {
        assert_eq!(read(body.as_bytes()), Some((expected.clone(), 0)), "{body}");
    }
}

#[test]
fn of_a_delivery_that_is_cut_the_whole_jobs_are_done_and_the_cut_one_is_too_large() {
    let whole = empty("a");
    let error = "too_large: the delivery of the job is larger than 9 bytes";
    let large = |id: &str| (id.to_owned(), error.to_owned());
    for (body, expected) in [
        (
            r#"[{"id":"a","input":{}},{"id":"b","in"#,
            (vec![whole.clone(), large("b")], 0),
        ),
        (
            r#"[{"id":"a","input":{}},{"id":"b","input":{}}"#,
            (vec![whole.clone(), empty("b")], 0),
        ),
        (r#"[{"id":"a","input":{}},"#, (vec![whole.clone()], 0)),
        (
            r#"[{"id":"a","input":{}},{"input":{"query":"x"#,
            (vec![whole.clone()], 1),
        ),
        (
            r#"[{"id":"a","input":{}},{"id":"b"#,
            (vec![whole.clone()], 1),
        ),
        (r#"[{"id":"a","input":{}},{"id":12"#, (vec![whole], 1)),
        (r#"{"id":"b","input":{"query":"\"#, (vec![large("b")], 0)),
    ] {
        let deliveries = cut_deliveries(body.as_bytes(), 9, 8).unwrap();
        assert_eq!(shown(deliveries), expected, "{body}");
    }
    assert!(cut_deliveries(b"<html>", 9, 8).is_none());
}

#[test]
fn a_job_without_a_usable_name_is_counted_and_harms_no_other() {
    for nameless in [
        r#"{"input":{}}"#,
        r#"{"id":null,"input":{}}"#,
        r#"{"id":"","input":{}}"#,
        r#"{"id":"..","input":{}}"#,
        r#"{"id":"\ud83d","input":{}}"#,
        r#"{"id":{},"input":{}}"#,
        "null",
        "7",
        "nonsense",
    ] {
        let body = format!(r#"[{nameless},{{"id":"b","input":{{}}}}]"#);
        let expected = vec![empty("b")];
        assert_eq!(read(body.as_bytes()), Some((expected, 1)), "{body}");
    }
}

#[test]
fn a_job_with_an_invalid_input_reports_what_is_wrong_and_affects_no_other_job() {
    for (broken, words) in [
        (&br#"{"id":"a"}"#[..], "malformed: input is missing"),
        (
            br#"{"id":"a","input":null}"#,
            "malformed: input is null; it must be an object",
        ),
        (
            br#"{"id":"a","input":[]}"#,
            "malformed: input is a list; it must be an object",
        ),
        (
            br#"{"id":"a","input":NaN}"#,
            "malformed: input is not valid JSON",
        ),
        (
            br#"{"id":"a","input":{"query":NaN}}"#,
            "malformed: input is not valid JSON",
        ),
        (
            br#"{"id":"a","input":}"#,
            "malformed: input is not valid JSON: EOF",
        ),
        (
            br#"{"id":"a","input":{"query":"b"x}}"#,
            "malformed: input is not valid JSON",
        ),
        (
            b"{\"id\":\"a\",\"input\":{\"query\":\"\xff\"}}",
            "malformed: input is not valid JSON",
        ),
        (
            b"{\"id\":\"a\",\"input\":{\"query\":\"\n\"}}",
            "malformed: input is not valid JSON",
        ),
        (
            br#"{"id":"a","input":{},"input":{}}"#,
            "malformed: input is not valid JSON: it is given twice",
        ),
    ] {
        let body = [b"[", broken, br#",{"id":"b","input":{}}]"#].concat();
        let (jobs, nameless) = read(&body).unwrap();
        let shown = String::from_utf8_lossy(&body);
        assert_eq!((jobs.len(), nameless), (2, 0), "{shown}: {jobs:?}");
        assert!(jobs[0].1.starts_with(words), "{shown}: {jobs:?}");
        assert_eq!(jobs[1], empty("b"), "{shown}");
    }
}

#[test]
fn an_input_that_only_a_strict_parser_refuses_is_an_error_of_its_job() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for input in [
        r#"{"query":"\ud83d"}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"x":1e999}"#,
        &deep,
    ] {
        let body = format!(r#"{{"id":"a","input":{input}}}"#);
        let (jobs, nameless) = read(body.as_bytes()).unwrap();
        assert_eq!((jobs.len(), nameless), (1, 0), "{body}");
        let words = "malformed: input is not valid JSON";
        assert!(jobs[0].1.starts_with(words), "{jobs:?}");
    }
}
