use super::*;

/// Names of the jobs, each with its input or with what is wrong with it; and the number of the nameless.
fn read(body: &[u8]) -> Option<(Vec<(String, String)>, usize)> {
    deliveries(body).map(shown)
}

fn shown(deliveries: Deliveries) -> (Vec<(String, String)>, usize) {
    let jobs = deliveries.jobs.into_iter().map(|delivery| {
        let input = delivery
            .input
            .map_or_else(|error| error.line(), |input| input.get().to_owned());
        (delivery.id.as_str().to_owned(), input)
    });
    (jobs.collect(), deliveries.nameless)
}

#[test]
fn a_delivery_is_a_job_or_a_list_of_jobs_or_nothing() {
    let job = |id: &str| (id.to_owned(), r#"{"query":"q"}"#.to_owned());
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
fn what_is_no_delivery_at_all_is_told_apart() {
    for body in ["<html>", "true", "1", "\"id\"", "nothing"] {
        assert_eq!(read(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn a_mark_or_a_string_around_a_delivery_changes_nothing() {
    let job = r#"{"id":"a","input":{"query":"q"}}"#;
    let string = serde_json::to_string(job).unwrap();
    let expected = vec![("a".to_owned(), r#"{"query":"q"}"#.to_owned())];
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
    let whole = ("a".to_owned(), "{}".to_owned());
    let error = "too_large: the delivery of the job is larger than 9 bytes";
    let large = |id: &str| (id.to_owned(), error.to_owned());
    for (body, expected) in [
        (
            r#"[{"id":"a","input":{}},{"id":"b","in"#,
            (vec![whole.clone(), large("b")], 0),
        ),
        (
            r#"[{"id":"a","input":{}},{"id":"b","input":{}}"#,
            (vec![whole.clone(), ("b".to_owned(), "{}".to_owned())], 0),
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
        let deliveries = cut_deliveries(body.as_bytes(), 9).unwrap();
        assert_eq!(shown(deliveries), expected, "{body}");
    }
    assert!(cut_deliveries(b"<html>", 9).is_none());
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
        let expected = vec![("b".to_owned(), "{}".to_owned())];
        assert_eq!(read(body.as_bytes()), Some((expected, 1)), "{body}");
    }
}

#[test]
fn a_job_with_a_broken_input_is_told_what_is_wrong_and_harms_no_other() {
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
        assert_eq!(jobs[1], ("b".to_owned(), "{}".to_owned()), "{shown}");
    }
}

#[test]
fn what_only_the_service_can_judge_is_left_to_it() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for input in [
        r#"{"query":"\ud83d"}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"x":1e999}"#,
        &deep,
    ] {
        let body = format!(r#"{{"id":"a","input":{input}}}"#);
        let expected = vec![("a".to_owned(), input.to_owned())];
        assert_eq!(read(body.as_bytes()), Some((expected, 0)), "{body}");
    }
}
