//! The command line's commands and arguments.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use config::Value;

use super::handler_flags::HandlerFlags;
use crate::config::Override;
use model::{Output, Pooling, Precision};

/// Text embeddings of BAAI/bge-m3 on a CPU.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, args_override_self = true)]
pub struct Arguments {
    /// File of settings, in TOML.
    #[arg(long, value_name = "FILE", global = true)]
    pub settings: Option<PathBuf>,
    #[command(flatten)]
    pub handler: HandlerFlags,
    /// Those of `serve`, which need no command.
    #[command(flatten)]
    pub serve: Serve,
    /// The command; without one: serve, or run the job in test_input.json.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Serve over HTTP.
    Serve(Serve),
    /// Print the embeddings of texts.
    Embed(Embed),
    /// Download a model, verify it and export it into the cache.
    Fetch(Fetch),
    /// Print the commit, sizes and SHA-256 of a model's files, as Nix takes them.
    Pin(Pin),
    /// Turn a checkpoint directory into a model directory.
    Export(Export),
    /// Measure latency, throughput, start and memory of a server on this machine, or of a running one.
    Bench(Bench),
    /// Compare a model directory with the values published for a pinned model.
    Golden(Golden),
    /// Ask a running server whether it is ready; exit code 0 means ready.
    Health(Health),
    /// Print the OpenAPI document.
    Openapi,
}

/// The choice of a model, shared by several commands.
#[derive(Args)]
pub struct ModelChoice {
    /// Model to use: bge-m3 (the default), minilm, or a repository of the Hugging Face hub: owner/name or owner/name@revision.
    #[arg(long, value_name = "NAME", conflicts_with = "model_directory")]
    model: Option<String>,
    /// Model directory to use instead.
    #[arg(long, value_name = "DIRECTORY")]
    model_directory: Option<PathBuf>,
    /// Precision of the model's matrices [default: fp16, or the model directory's].
    #[arg(long)]
    precision: Option<Precision>,
    /// Pooling of a model whose files do not say it.
    #[arg(long)]
    pooling: Option<Pooling>,
    /// Threads of the model [default: the container's CPU quota].
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
    /// Download nothing; a missing file is an error.
    #[arg(long)]
    offline: bool,
}

/// Arguments of `serve`.
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    model: ModelChoice,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Port to listen on; 0 lets the system choose.
    #[arg(long)]
    port: Option<u16>,
}

/// Arguments of `embed`.
#[derive(Args)]
pub struct Embed {
    #[command(flatten)]
    model: ModelChoice,
    /// The texts; without any: the lines of --input or of standard input.
    #[arg(value_name = "TEXT", conflicts_with = "input")]
    pub texts: Vec<String>,
    /// File with one text per line.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// File for the embeddings: NumPy's format if its name ends in .npy, else JSON lines [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What each text is turned into; sparse and colbert need a model with these heads.
    #[arg(
        long,
        value_name = "OUTPUT",
        value_enum,
        value_delimiter = ',',
        default_value = "dense"
    )]
    pub outputs: Vec<Output>,
    /// Leave out blank lines; without it each gets null in the place of its embedding, in NumPy's format a row of NaN.
    #[arg(long)]
    pub skip_blank: bool,
}

/// Arguments of `fetch`.
#[derive(Args)]
pub struct Fetch {
    /// bge-m3, minilm, or a repository of the Hugging Face hub, owner/name or owner/name@revision: its newest commit.
    #[arg(value_name = "MODEL")]
    name: String,
    /// Precision to export.
    #[arg(long)]
    precision: Option<Precision>,
    /// How token vectors are pooled, for a model whose files do not say it.
    #[arg(long)]
    pooling: Option<Pooling>,
}

/// Arguments of `pin`.
#[derive(Args)]
pub struct Pin {
    /// As for fetch. A repository that was fetched keeps its commit.
    #[arg(value_name = "MODEL")]
    name: String,
}

/// Arguments of `export`.
#[derive(Args)]
pub struct Export {
    /// Checkpoint directory, as Hugging Face publishes it.
    pub checkpoint: PathBuf,
    /// Model directory to create.
    pub target: PathBuf,
    /// Name of the model [default: the checkpoint directory's, or its repository's in a cache of Hugging Face].
    #[arg(long, value_parser = model_name)]
    pub name: Option<String>,
    /// Revision of the checkpoint, recorded in the model directory.
    #[arg(long)]
    pub revision: Option<String>,
    /// Precision of the matrices.
    #[arg(long, default_value_t)]
    pub precision: Precision,
    /// Pooling of a checkpoint whose files do not say it.
    #[arg(long)]
    pub pooling: Option<Pooling>,
}

/// Arguments of `bench`.
#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    pub model: ModelChoice,
    /// Measure a generated model with random weights instead, without downloading one.
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["model", "model_directory", "url"])]
    pub synthetic: Option<SyntheticSize>,
    /// Running server to measure [default: start one].
    #[arg(long)]
    pub url: Option<String>,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    pub json: bool,
    /// Take fewer samples.
    #[arg(long)]
    pub quick: bool,
    /// Also measure texts of the model's maximum length, and queries beside long texts.
    #[arg(long)]
    pub long: bool,
    /// Measurements to compare with, as benches/alternatives.py writes them.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
}

/// The size of a model with random weights, as an argument.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SyntheticSize {
    /// As large as BAAI/bge-m3: 2.3 GB, and the same again for the exported model.
    BgeM3,
    /// Less than a megabyte, to try the command; its results are meaningless.
    Small,
}

/// Arguments of `golden`.
#[derive(Args)]
pub struct Golden {
    /// Model directory to check.
    pub directory: PathBuf,
    /// Pinned model whose values it must reproduce.
    #[arg(long, value_name = "NAME", default_value = "bge-m3")]
    pub model: String,
}

/// Arguments of `health`.
#[derive(Args)]
pub struct Health {
    /// Address of the server [default: this machine, at the port of the settings].
    #[arg(long)]
    pub url: Option<String>,
}

impl Command {
    /// The settings given as arguments.
    pub fn overrides(&self) -> Vec<Override> {
        match self {
            Self::Serve(serve) => serve.overrides(),
            Self::Embed(embed) => embed.model.overrides(),
            Self::Fetch(fetch) => given([
                ("model.name", Some(fetch.name.as_str().into())),
                ("model.precision", fetch.precision.map(precision)),
                ("model.pooling", fetch.pooling.map(pooling)),
            ]),
            Self::Pin(pin) => given([("model.name", Some(pin.name.as_str().into()))]),
            Self::Bench(bench) => bench.model.overrides(),
            Self::Export(_) | Self::Golden(_) | Self::Health(_) | Self::Openapi => Vec::new(),
        }
    }
}

impl Serve {
    /// The settings given as arguments.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = self.model.overrides();
        overrides.extend(given([
            ("server.host", self.host.clone().map(Value::from)),
            ("server.port", self.port.map(Value::from)),
        ]));
        overrides
    }
}

impl ModelChoice {
    /// Whether a model was given.
    pub fn is_made(&self) -> bool {
        self.model.is_some() || self.model_directory.is_some()
    }

    fn overrides(&self) -> Vec<Override> {
        let directory = self.model_directory.as_ref();
        let directory = directory.map(|path| path.to_string_lossy().into_owned());
        let threads = self.threads.map(|threads| threads.get() as u64);
        given([
            ("model.name", self.model.clone().map(Value::from)),
            ("model.directory", directory.map(Value::from)),
            ("model.precision", self.precision.map(precision)),
            ("model.pooling", self.pooling.map(pooling)),
            ("engine.threads", threads.map(Value::from)),
            ("artifacts.offline", self.offline.then(|| true.into())),
        ])
    }
}

/// A name by which clients can ask for a model.
fn model_name(name: &str) -> Result<String, String> {
    let is_readable = !name.chars().any(char::is_control) && name.trim() == name;
    if is_readable && name.chars().any(|character| character != '.') {
        return Ok(name.to_owned());
    }
    Err("a model's name is neither blank nor dots, and has no white space around it".to_owned())
}

fn pooling(pooling: Pooling) -> Value {
    pooling.to_string().into()
}

fn precision(precision: Precision) -> Value {
    precision.to_string().into()
}

/// The settings that have a value.
pub fn given<const N: usize>(settings: [(&'static str, Option<Value>); N]) -> Vec<Override> {
    let settings = settings.into_iter();
    settings
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
