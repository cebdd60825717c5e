use std::path::PathBuf;

use super::*;

const QUEUE_VARIABLE: &str = QueueVariable::GET_JOB.name;

fn settings(variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Settings::from_sources(environment, None, Vec::new())
}

#[test]
fn an_empty_environment_gives_the_defaults() {
    assert_eq!(settings(&[]).unwrap(), Settings::default());
}

#[test]
fn the_environment_overrides_the_file_and_the_command_line_overrides_both() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.toml");
    std::fs::write(
        &file,
        "[server]\nport = 1\nhost = \"::1\"\n[limits]\ntexts_per_call = 7",
    )
    .unwrap();
    let environment = HashMap::from([
        ("RUNPOD_QUERY__SERVER__PORT".to_owned(), "2".to_owned()),
        (
            "RUNPOD_QUERY__SERVER__HOST".to_owned(),
            "127.0.0.1".to_owned(),
        ),
    ]);
    let settings = Settings::from_sources(
        environment,
        Some(&file),
        vec![("server.port", Value::from(3_u16))],
    )
    .unwrap();
    assert_eq!(settings.server.port, 3);
    assert_eq!(settings.server.host, "127.0.0.1");
    assert_eq!(settings.limits.texts_per_call.get(), 7);
}

#[test]
fn variables_of_other_programs_are_accepted_and_ours_win() {
    let given = settings(&[
        ("PORT", "80"),
        ("ORT_DYLIB_PATH", "/lib/ort.so"),
        ("RUST_LOG", ""),
    ])
    .unwrap();
    assert_eq!(given.server.port, 80);
    assert_eq!(
        given.artifacts.runtime_library,
        Some(PathBuf::from("/lib/ort.so"))
    );
    assert_eq!(given.log.filter, "info,actix_server=warn");
    let both = settings(&[("PORT", "80"), ("RUNPOD_QUERY__SERVER__PORT", "81")]).unwrap();
    assert_eq!(both.server.port, 81);
}

#[test]
fn a_model_s_name_overrides_the_directory_of_a_less_important_source() {
    const NAME: (&str, &str) = ("RUNPOD_QUERY__MODEL__NAME", "acme/model");
    const DIRECTORY: (&str, &str) = ("RUNPOD_QUERY__MODEL__DIRECTORY", "/variable");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "[model]\nname = \"minilm\"\ndirectory = \"/file\"").unwrap();
    let directory = |variables: &[(&str, &str)], argument: Option<&'static str>| {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let overrides = argument.map(|setting| (setting, Value::from("given")));
        let given = Settings::from_sources(
            environment.collect(),
            Some(&file),
            overrides.into_iter().collect(),
        );
        given.unwrap().model.directory
    };
    assert_eq!(directory(&[], None), Some("/file".into()));
    assert_eq!(directory(&[NAME], None), None);
    assert_eq!(directory(&[(NAME.0, "")], None), Some("/file".into()));
    assert_eq!(
        directory(&[NAME, DIRECTORY], None),
        Some("/variable".into())
    );
    assert_eq!(directory(&[DIRECTORY], Some("model.name")), None);
    assert_eq!(
        directory(&[NAME], Some("model.directory")),
        Some("given".into())
    );
}

#[test]
fn the_realtime_port_wins_unless_it_is_zero() {
    let port = |value| {
        let given = settings(&[("PORT", "80"), ("RUNPOD_REALTIME_PORT", value)]);
        given.unwrap().server.port
    };
    assert_eq!(port("81"), 81);
    assert_eq!(port("0"), 80);
    assert_eq!(port(""), 80);
}

#[test]
fn an_unknown_setting_or_an_invalid_value_is_an_error_that_names_it() {
    for (variable, value, named) in [
        ("RUNPOD_QUERY__SERVER__PROT", "80", "prot"),
        ("RUNPOD_QUERY__SERVER__PORT", "http", "server.port"),
        (
            "RUNPOD_QUERY__LIMITS__TEXTS_PER_CALL",
            "0",
            "limits.texts_per_call",
        ),
        ("RUNPOD_QUERY__MODEL__PRECISION", "fp8", "fp8"),
        ("RUNPOD_QUERY__MODEL__ALIASES", "a,, b", "model.aliases"),
        ("RUNPOD_QUERY__MODEL__ALIASES", " ", "model.aliases"),
        ("RUNPOD_QUERY__NONSENSE", "1", "nonsense"),
        ("RUNPOD_QUERY__WORKER__TIME_DIVISOR", "10", "time_divisor"),
    ] {
        let error = settings(&[(variable, value)]).unwrap_err().to_string();
        assert!(error.contains(named), "{variable}={value}: {error}");
    }
}

#[test]
fn aliases_are_a_list_or_one_text_with_commas() {
    let given = settings(&[(
        "RUNPOD_QUERY__MODEL__ALIASES",
        "text-embedding-3-small, bge",
    )]);
    assert_eq!(
        given.unwrap().model.aliases,
        ["text-embedding-3-small", "bge"]
    );
}

#[test]
fn the_endpoint_variable_of_client_applications_is_ignored() {
    assert_eq!(
        settings(&[("RUNPOD_QUERY_ENDPOINT_ID", "abc123")]).unwrap(),
        Settings::default()
    );
}

#[test]
fn the_log_is_json_by_default_if_runpod_has_named_an_endpoint() {
    let format = |variables: &[(&str, &str)]| settings(variables).unwrap().log_format();
    let endpoint = ("RUNPOD_ENDPOINT_ID", "abc");
    assert_eq!(format(&[]), LogFormat::Text);
    assert_eq!(format(&[endpoint]), LogFormat::Json);
    assert_eq!(
        format(&[endpoint, ("RUNPOD_QUERY__LOG__FORMAT", "text")]),
        LogFormat::Text
    );
    assert_eq!(
        format(&[("RUNPOD_QUERY__LOG__FORMAT", "json")]),
        LogFormat::Json
    );
}

#[test]
fn the_key_is_not_shown_and_a_blank_key_is_an_error() {
    let variable = "RUNPOD_QUERY__SERVER__API_KEY";
    let given = settings(&[(variable, "hidden")]).unwrap();
    assert_eq!(given.server.api_key, Some("hidden".into()));
    assert!(!format!("{given:?}").contains("hidden"));
    for blank in ["", " ", "\n", "\u{a0}"] {
        let error = settings(&[(variable, blank)]).unwrap_err().to_string();
        assert!(error.contains("server.api_key"), "{error}");
        assert!(error.contains("blank"), "{error}");
    }
}

#[test]
fn the_port_and_the_path_for_a_load_balancers_probe_are_accepted() {
    let given = settings(&[("PORT", "80"), ("PORT_HEALTH", "81")]).unwrap();
    assert_eq!(
        (given.server.port, given.server.health_port),
        (80, Some(81))
    );
    let given = settings(&[("HEALTH_CHECK_PATH", "/healthz")]).unwrap();
    assert_eq!(given.server.health_check_path.as_deref(), Some("/healthz"));
}

#[test]
fn the_variables_of_a_worker_become_settings() {
    assert_eq!(
        settings(&[(QUEUE_VARIABLE, "")])
            .unwrap()
            .worker
            .get_job_url,
        None
    );
    let worker = settings(&[
        (QUEUE_VARIABLE, "https://platform/job-take/$ID"),
        (
            "RUNPOD_WEBHOOK_POST_OUTPUT",
            "https://platform/job-done/$ID",
        ),
        ("RUNPOD_WEBHOOK_PING", "https://platform/ping"),
        ("RUNPOD_PING_INTERVAL", "4000"),
        ("RUNPOD_AI_API_KEY", "123"),
        ("RUNPOD_POD_ID", "7"),
        ("RUNPOD_GPU_TYPE_ID", "NVIDIA RTX A5000"),
        ("RUNPOD_ENDPOINT_ID", "abc"),
        ("RUNPOD_MAX_CONCURRENCY", "8"),
    ])
    .unwrap()
    .worker;
    let given = QueueSettings {
        get_job_url: Some("https://platform/job-take/$ID".into()),
        post_output_url: Some("https://platform/job-done/$ID".into()),
        ping_url: Some("https://platform/ping".into()),
        ping_interval_milliseconds: 4_000,
        api_key: Some("123".into()),
        pod_id: Some("7".to_owned()),
        gpu_type_id: Some("NVIDIA RTX A5000".to_owned()),
        endpoint_id: Some("abc".to_owned()),
        max_concurrency: non_zero(8),
        ..QueueSettings::default()
    };
    assert_eq!(worker, given);
}

#[test]
fn runpods_numbers_are_rounded_and_unusable_ones_are_reported_and_replaced_by_the_default() {
    let (interval, concurrency) = ("RUNPOD_PING_INTERVAL", "RUNPOD_MAX_CONCURRENCY");
    for (variable, value, expected) in [
        (interval, "5000.0", (5_000, 4)),
        (interval, " 5e3 ", (5_000, 4)),
        (interval, "0", (0, 4)),
        (concurrency, "7.6", (10_000, 8)),
    ] {
        let given = settings(&[(variable, value)]).unwrap();
        assert_eq!(given.unusable_variables, [""; 0], "{value}");
        let worker = given.worker;
        let found = (
            worker.ping_interval_milliseconds,
            worker.max_concurrency.get(),
        );
        assert_eq!(found, expected, "{variable}={value}");
    }
    for (variable, value) in [
        (interval, "abc"),
        (interval, "-1"),
        (interval, "NaN"),
        (interval, "1e300"),
        (concurrency, "0.4"),
        (concurrency, "many"),
    ] {
        let given = settings(&[(variable, value)]).unwrap();
        assert_eq!(given.unusable_variables, [variable], "{value}");
        assert_eq!(given.worker, QueueSettings::default(), "{variable}={value}");
    }
    // For a setting of our own, an unusable number is an error.
    assert!(settings(&[("RUNPOD_QUERY__WORKER__MAX_CONCURRENCY", "many")]).is_err());
}

#[test]
fn secrets_are_not_shown() {
    let variables = [
        (QUEUE_VARIABLE, "https://hidden-1/$ID"),
        ("RUNPOD_WEBHOOK_POST_OUTPUT", "https://hidden-2/$ID"),
        ("RUNPOD_WEBHOOK_PING", "https://hidden-3/"),
        ("RUNPOD_AI_API_KEY", "hidden-4"),
    ];
    let shown = format!("{:?}", settings(&variables).unwrap());
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn the_hosts_of_webhooks_are_a_list_or_one_text_with_commas() {
    let variable = "RUNPOD_QUERY__JOBS__WEBHOOK_HOSTS";
    let given = settings(&[(variable, "Hooks.Internal, 10.1,::1 ,[fd00:0::1]")]).unwrap();
    let shown = |settings: &Settings| -> Vec<String> {
        let hosts = settings.jobs.webhook_hosts.iter();
        hosts.map(ToString::to_string).collect()
    };
    let expected = ["hooks.internal", "10.0.0.1", "[::1]", "[fd00::1]"];
    assert_eq!(shown(&given), expected);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.toml");
    std::fs::write(&file, "[jobs]\nwebhook_hosts = [\"a\", \"10.0.0.1\"]").unwrap();
    let given = Settings::from_sources(HashMap::new(), Some(&file), Vec::new()).unwrap();
    assert_eq!(shown(&given), ["a", "10.0.0.1"]);
    for wrong in ["a:80", "http://a", "a/b", ",", "a,", "user@a"] {
        let error = settings(&[(variable, wrong)]).unwrap_err().to_string();
        assert!(error.contains("jobs.webhook_hosts"), "{wrong}: {error}");
    }
}

#[test]
fn the_allowed_origins_are_a_list_or_one_text_with_commas() {
    let variable = "RUNPOD_QUERY__SERVER__CORS_ALLOWED_ORIGINS";
    let given = settings(&[(variable, "https://a.example, http://localhost:3000")]).unwrap();
    let expected = ["https://a.example", "http://localhost:3000"];
    assert_eq!(given.server.cors_allowed_origins, expected);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.toml");
    std::fs::write(&file, "[server]\ncors_allowed_origins = [\"*\"]").unwrap();
    let given = Settings::from_sources(HashMap::new(), Some(&file), Vec::new()).unwrap();
    assert_eq!(given.server.cors_allowed_origins, ["*"]);
}
