//! `bench`: measures a server on this machine or a running one.

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::arguments::{self, SyntheticSize};
use super::{Failure, load_model, print_line};
use crate::artifacts::Store;
use crate::config::{ENVIRONMENT_PREFIX, Settings};
use ::bench::synthetic::{self, Size, write_checkpoint};
use ::bench::{
    self, Baseline, Effort, JOB_TIMEOUT, Plan, Report, ServerCommand, ServerSource, ThreadsPlan,
};
use model::ModelDirectory;
use model::export::{self, Options};

/// Measures and prints the report. A server that it starts gets the settings `file` too.
pub fn bench(
    settings: &Settings,
    arguments: &arguments::Bench,
    file: Option<&Path>,
) -> Result<(), Failure> {
    let progress = |step: &str| {
        // A closed standard error must not end the measurement.
        let _ = writeln!(io::stderr(), "measuring: {step}");
    };
    let report = if arguments.compares_threads() {
        compare_threads(settings, arguments, file, &progress)?
    } else {
        measure(settings, arguments, file, &progress)?
    };
    if arguments.json {
        print_line(serde_json::to_string_pretty(&report)?)?;
    } else {
        write!(io::stdout().lock(), "{report}")?;
    }
    Ok(())
}

fn measure(
    settings: &Settings,
    arguments: &arguments::Bench,
    file: Option<&Path>,
    progress: &dyn Fn(&str),
) -> Result<Report, Failure> {
    let model = model(settings, arguments)?;
    let server = match (&arguments.url, &model) {
        (None, Some(model)) => {
            ServerSource::Start(server(settings, model, file, settings.engine.threads)?)
        }
        (url, _) => ServerSource::Running(url.clone().unwrap_or_default()),
    };
    let plan = Plan {
        server,
        model,
        effort: effort(arguments),
        long: arguments.long,
        baseline: arguments
            .baseline
            .as_deref()
            .map(Baseline::read)
            .transpose()?,
    };
    Ok(bench::run(&plan, progress)?)
}

fn compare_threads(
    settings: &Settings,
    arguments: &arguments::Bench,
    file: Option<&Path>,
    progress: &dyn Fn(&str),
) -> Result<Report, Failure> {
    let model = served_model(settings, arguments)?;
    let servers = arguments
        .threads
        .iter()
        .map(|&threads| Ok((threads, server(settings, &model, file, Some(threads))?)))
        .collect::<Result<_, Failure>>()?;
    let plan = ThreadsPlan {
        servers,
        model,
        effort: effort(arguments),
    };
    Ok(bench::compare_threads(&plan, progress)?)
}

fn effort(arguments: &arguments::Bench) -> Effort {
    if arguments.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    }
}

/// The model to serve. For a running server: the model named in the arguments, if any.
fn model(
    settings: &Settings,
    arguments: &arguments::Bench,
) -> Result<Option<ModelDirectory>, Failure> {
    if arguments.url.is_some() && !arguments.model.is_made() {
        return Ok(None);
    }
    served_model(settings, arguments).map(Some)
}

fn served_model(
    settings: &Settings,
    arguments: &arguments::Bench,
) -> Result<ModelDirectory, Failure> {
    match arguments.synthetic {
        Some(size) => synthetic(settings, size),
        None => load_model::model_directory(settings),
    }
}

/// The model directory with random weights, created in the cache on first use.
fn synthetic(settings: &Settings, size: SyntheticSize) -> Result<ModelDirectory, Failure> {
    let (name, size) = match size {
        SyntheticSize::BgeM3 => (synthetic::NAME, Size::BGE_M3),
        SyntheticSize::Small => (synthetic::SMALL_NAME, Size::SMALL),
    };
    let store = Store::open(&settings.artifacts)?;
    let format = synthetic::FORMAT;
    let precision = settings.model.precision.unwrap_or_default();
    let key = format!("models/{name}-{precision}-{format}-{}", export::FORMAT);
    let options = Options {
        name: name.to_owned(),
        revision: None,
        precision,
        pooling: None,
    };
    load_model::exported(settings, &store, &key, &options, || {
        store.populate(&format!("checkpoints/{name}-{format}"), |target| {
            log::info!("creating a checkpoint with random weights");
            Ok(write_checkpoint(target, size)?)
        })
    })
}

/// The command that serves the model with this program, on as many threads as given or as the container's quota allows.
fn server(
    settings: &Settings,
    model: &ModelDirectory,
    file: Option<&Path>,
    threads: Option<NonZeroUsize>,
) -> Result<ServerCommand, Failure> {
    let mut arguments: Vec<OsString> = vec![
        "serve".into(),
        "--model-directory".into(),
        model.path.clone().into(),
        // Whatever the file and the environment ask for.
        "--precision".into(),
        model.description.precision.to_string().into(),
        "--pooling".into(),
        model.description.pooling.to_string().into(),
    ];
    if let Some(threads) = threads {
        arguments.extend(["--threads".into(), threads.to_string().into()]);
    }
    if let Some(file) = file {
        arguments.extend(["--settings".into(), PathBuf::from(file).into()]);
    }
    if settings.artifacts.offline {
        arguments.push("--offline".into());
    }
    // One text of 8,192 tokens takes longer than the default timeout.
    let timeout = format!("{ENVIRONMENT_PREFIX}__SERVER__REQUEST_TIMEOUT_SECONDS");
    Ok(ServerCommand {
        executable: std::env::current_exe()?,
        arguments,
        environment: vec![
            (timeout, JOB_TIMEOUT.as_secs().to_string()),
            // The server's log contains its address, whatever this process logs.
            (
                format!("{ENVIRONMENT_PREFIX}__LOG__FILTER"),
                "info".to_owned(),
            ),
        ],
    })
}
