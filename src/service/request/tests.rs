//! Each way to ask, and each way to ask wrongly.

use super::*;
use model::{Output, Outputs};

/// The request as its debug output, so that it can be compared.
fn parse(input: &str) -> Result<String, String> {
    let raw: &RawValue = serde_json::from_str(input).unwrap();
    Request::parse(raw, 3)
        .map(|request| format!("{request:?}"))
        .map_err(|error| error.line())
}

fn dense(texts: Texts) -> EmbedRequest {
    EmbedRequest {
        texts,
        outputs: Outputs::DENSE,
        encoding_format: EncodingFormat::Float,
    }
}

#[test]
fn outputs_and_their_encoding_are_understood() {
    let input = r#"{"query":"a","outputs":["colbert","dense"],"encoding_format":"base64"}"#;
    let request = Request::Query(EmbedRequest {
        texts: ["a".to_owned()].into(),
        outputs: [Output::Dense, Output::Colbert].into_iter().collect(),
        encoding_format: EncodingFormat::Base64,
    });
    assert_eq!(parse(input), Ok(format!("{request:?}")));
}

#[test]
fn outputs_are_not_counted_against_the_limit_of_texts() {
    let parse = |outputs: &str| {
        let input = format!(r#"{{"query":"a","outputs":[{outputs}]}}"#);
        let raw: &RawValue = serde_json::from_str(&input).unwrap();
        Request::parse(raw, 1)
    };
    let Ok(Request::Query(request)) = parse(r#""dense","sparse","colbert""#) else {
        panic!("it is not a query");
    };
    let all: Outputs = Output::ALL.into_iter().collect();
    assert_eq!(request.outputs, all);
    let repeated = parse(r#""dense","sparse","colbert","dense""#).unwrap_err();
    assert_eq!(repeated.line(), "invalid: outputs holds dense twice");
}

#[test]
fn every_way_to_ask_is_understood() {
    let one = || Request::Query(dense(["a".to_owned()].into()));
    let two = || Texts::from(["a".to_owned(), " b".to_owned()]);
    for (input, request) in [
        (r#"{"query":"a"}"#, one()),
        (r#"{"action":null,"query":"a"}"#, one()),
        (
            r#"{"action":"embed_query","query":"a","queries":null,"texts":null}"#,
            one(),
        ),
        (
            r#"{"query":"a","instruction":{"x":[1]},"openai_route":null}"#,
            one(),
        ),
        (r#"{"queries":["a"," b"]}"#, Request::Queries(dense(two()))),
        (
            r#"{"action":"embed_query","queries":["a"," b"]}"#,
            Request::Queries(dense(two())),
        ),
        (
            r#"{"texts":["a"," b"],"action":"embed_batch"}"#,
            Request::Texts(dense(two())),
        ),
        (r#"{"action":"health_check"}"#, Request::HealthCheck),
        (
            r#"{"query":"\ud83d\ude00"}"#,
            Request::Query(dense(["😀".to_owned()].into())),
        ),
    ] {
        assert_eq!(parse(input), Ok(format!("{request:?}")), "{input}");
    }
}

#[test]
fn every_invalid_input_gets_an_error_that_says_what_is_wrong() {
    for (input, words) in [
        ("[]", "malformed: input is a list; it must be an object"),
        (
            "\"a\"",
            "malformed: input is a string; it must be an object",
        ),
        (
            r#"{"query":"a","query":"b"}"#,
            "malformed: input is not valid JSON: the key \"query\" appears twice",
        ),
        (
            r#"{"query":"\ud83d"}"#,
            "malformed: input is not valid JSON",
        ),
        ("{}", "invalid: give query or queries"),
        (r#"{"query":null}"#, "invalid: give query or queries"),
        (
            r#"{"query":"a","queries":["b"]}"#,
            "invalid: give query or queries, not both",
        ),
        (r#"{"query":""}"#, "invalid: query is blank"),
        (
            r#"{"query":" \t\n\u00a0\u3000"}"#,
            "invalid: query is blank",
        ),
        (
            r#"{"query":7}"#,
            "invalid: query is a number; it must be a string",
        ),
        (
            r#"{"query":["a"]}"#,
            "invalid: query is a list; it must be a string (a list goes into queries)",
        ),
        (
            r#"{"queries":"a"}"#,
            "invalid: queries is a string; it must be a list of strings (one string alone",
        ),
        (
            r#"{"queries":[]}"#,
            "invalid: queries is empty; give at least one text",
        ),
        (
            r#"{"queries":["a","b",3]}"#,
            "invalid: queries[2] is a number; each text must be a string",
        ),
        (
            r#"{"queries":["a",null]}"#,
            "invalid: queries[1] is null; each text must be a string",
        ),
        (r#"{"queries":["a"," "]}"#, "invalid: queries[1] is blank"),
        (
            r#"{"queries":["a","b","c",4]}"#,
            "too_large: queries holds 4 texts; the limit is 3",
        ),
        (r#"{"action":"embed_batch"}"#, "invalid: texts is missing"),
        (
            r#"{"action":"embed_batch","texts":null}"#,
            "invalid: texts is missing",
        ),
        (
            r#"{"action":"embed_batch","texts":"a"}"#,
            "invalid: texts is a string; it must be a list of strings",
        ),
        (
            r#"{"action":"embed_batch","texts":{}}"#,
            "invalid: texts is an object; it must be a list of strings",
        ),
        (
            r#"{"action":"embed_batch","texts":[[]]}"#,
            "invalid: texts[0] is a list; each text must be a string",
        ),
        (
            r#"{"texts":["a"]}"#,
            "invalid: texts is a field of embed_batch; the action is embed_query",
        ),
        (
            r#"{"action":"embed_batch","query":"a"}"#,
            "invalid: query is a field of embed_query; the action is embed_batch",
        ),
        (
            r#"{"action":"health_check","queries":["a"]}"#,
            "invalid: queries is a field of embed_query; the action is health_check",
        ),
        (
            r#"{"action":1,"query":"a"}"#,
            "invalid: action is a number; it must be a string",
        ),
        (
            r#"{"query":"a","outputs":"dense"}"#,
            "invalid: outputs is a string; it must be a list of dense, sparse and colbert",
        ),
        (
            r#"{"query":"a","outputs":[]}"#,
            "invalid: outputs is empty; give some of dense, sparse and colbert",
        ),
        (
            r#"{"query":"a","outputs":["dense","lexical"]}"#,
            "invalid: outputs[1] is \"lexical\"; it must be dense, sparse or colbert",
        ),
        (
            r#"{"query":"a","outputs":[1]}"#,
            "invalid: outputs[0] is a number; it must be dense, sparse or colbert",
        ),
        (
            r#"{"queries":["a"],"outputs":["sparse","sparse"]}"#,
            "invalid: outputs holds sparse twice",
        ),
        (
            r#"{"query":"a","encoding_format":"hex"}"#,
            "invalid: encoding_format is \"hex\"; it must be float or base64",
        ),
        (
            r#"{"action":"foo"}"#,
            "invalid: action is \"foo\"; it must be one of embed_query, embed_batch, health_check",
        ),
        (
            r#"{"action":"Embed_Query","query":"a"}"#,
            "invalid: action is \"Embed_Query\"; it must be one of",
        ),
    ] {
        let error = parse(input).unwrap_err();
        assert!(error.starts_with(words), "{input}: {error}");
    }
}

#[test]
fn an_error_repeats_no_more_than_the_beginning_of_what_was_given() {
    let error = parse(&format!(r#"{{"action":"{}"}}"#, "x".repeat(5000))).unwrap_err();
    assert!(error.len() < 200, "{error}");
}

#[test]
fn a_broken_request_of_openais_inside_a_job_is_an_answer_in_openais_form() {
    for (input, words) in [
        (
            r#"{"openai_route":"/v1/embeddings","openai_input":{"input":"\ud83d"}}"#,
            "Malformed(Json",
        ),
        (r#"{"openai_route":"/v1/nothing"}"#, "NotFound"),
        (
            r#"{"openai_route":"/v1/embeddings","openai_input":[]}"#,
            "openai_input",
        ),
    ] {
        let request = parse(input).unwrap();
        assert!(request.starts_with("OpenAiInJob(Err("), "{request}");
        assert!(request.contains(words), "{request}");
    }
}
