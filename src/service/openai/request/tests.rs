use super::*;

const LIMIT: usize = 3;

fn parse(json: &str) -> Result<EmbeddingsRequest, String> {
    let raw: &RawValue = serde_json::from_str(json).unwrap();
    EmbeddingsRequest::parse(raw, "the body", LIMIT).map_err(|error| error.line())
}

fn model() -> ModelInfo {
    ModelInfo {
        name: "minilm".to_owned(),
        repository: Some("sentence-transformers/all-MiniLM-L6-v2".to_owned()),
        aliases: vec!["text-embedding-3-small".to_owned()],
        revision: None,
        precision: "fp32".to_owned(),
        dimensions: 384,
        outputs: Outputs::DENSE,
        colbert_dimensions: None,
        max_tokens: 256,
        quality: None,
    }
}

fn checked(fields: &str) -> Result<(), String> {
    let request = parse(&format!(r#"{{"input":"a",{fields}}}"#)).unwrap();
    request.check(&model()).map_err(|error| error.line())
}

#[test]
fn one_text_and_a_list_are_both_texts() {
    assert_eq!(parse(r#"{"input":"a"}"#).unwrap().embed.texts[..], ["a"]);
    let list = parse(r#"{"input":["b","a"],"user":7,"encoding_format":"base64"}"#).unwrap();
    assert_eq!(list.embed.texts[..], ["b", "a"]);
    assert_eq!(list.embed.encoding_format, EncodingFormat::Base64);
    let empty = parse(r#"{"input":"a","model":null,"encoding_format":null,"dimensions":null}"#);
    assert_eq!(
        format!("{empty:?}"),
        format!("{:?}", parse(r#"{"input":"a"}"#))
    );
}

#[test]
fn an_invalid_request_is_rejected_with_a_reason() {
    for (json, words) in [
        ("[]", "malformed: the body is a list; it must be an object"),
        ("{}", "invalid: input is missing"),
        (r#"{"input":null}"#, "invalid: input is missing"),
        (r#"{"input":" "}"#, "invalid: input is blank"),
        (
            r#"{"input":7}"#,
            "invalid: input is a number; it must be a string or a list of strings",
        ),
        (r#"{"input":[]}"#, "invalid: input is empty"),
        (r#"{"input":["a","\n"]}"#, "invalid: input[1] is blank"),
        (
            r#"{"input":["a",7]}"#,
            "invalid: input[1] is a number; each text must be a string",
        ),
        (
            r#"{"input":[1,2,3]}"#,
            "invalid: input holds tokens; this endpoint takes texts only: with LangChain set check_embedding_ctx_length=False",
        ),
        (r#"{"input":[[1,2],[3]]}"#, "invalid: input holds tokens"),
        (
            r#"{"input":["a","a","a","a"]}"#,
            "too_large: input holds 4 texts; the limit is 3",
        ),
        (
            r#"{"input":"a","input":"b"}"#,
            "malformed: the body is not valid JSON: the key \"input\" appears twice",
        ),
        (r#"{"input":"\ud83d"}"#, "malformed: the body is not valid"),
        (
            r#"{"input":"a","encoding_format":"int8"}"#,
            "invalid: encoding_format is \"int8\"; it must be float or base64",
        ),
        (
            r#"{"input":"a","model":7}"#,
            "invalid: model is a number; it must be a string",
        ),
    ] {
        let error = parse(json).unwrap_err();
        assert!(error.starts_with(words), "{json}: {error}");
    }
}

#[test]
fn a_model_is_known_by_each_of_its_names() {
    for name in [
        "minilm",
        "all-MiniLM-L6-v2",
        "text-embedding-3-small",
        "sentence-transformers/all-MiniLM-L6-v2",
    ] {
        assert_eq!(checked(&format!(r#""model":"{name}""#)), Ok(()));
    }
    for name in ["", "MINILM", "BAAI/bge-m3", "sentence-transformers/minilm"] {
        assert_eq!(
            checked(&format!(r#""model":"{name}""#)).unwrap_err(),
            format!(
                "not_found: model is {name:?}; this endpoint serves sentence-transformers/all-MiniLM-L6-v2"
            )
        );
    }
}

#[test]
fn other_dimensions_than_the_models_are_refused() {
    assert_eq!(checked(r#""dimensions":384"#), Ok(()));
    for (given, shown) in [("256", "256"), ("384.5", "384.5"), ("\"384\"", "a string")] {
        assert_eq!(
            checked(&format!(r#""dimensions":{given}"#)).unwrap_err(),
            format!("invalid: dimensions is {shown}; the model's vectors have 384, and no others")
        );
    }
}
