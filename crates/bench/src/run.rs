//! One run of the benchmark, from the plan to the report.
//!
//! Owns the order of the measurements, which never overlap.

use super::client::{Job, ServedModel};
use super::error::Error;
use super::machine::Machine;
use super::measure::{self, Effort, Scope};
use super::measured_server::{MeasuredServer, ServerSource};
use super::report::{Baseline, FORMAT, Flood, LongText, Memory, Model, Report, ratios};
use super::texts::TextMaker;
use super::workload::QUERY_TOKENS;
use model::export::weight_bytes_per_pass;
use model::{ModelDirectory, Tokenizer};

/// What is measured, and with how many samples.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub server: ServerSource,
    /// Its model directory, if it is known, for the tokenizer and the size of the weights.
    pub model: Option<ModelDirectory>,
    /// How many samples are taken, and for how long.
    pub effort: Effort,
    /// Whether to measure long texts, too, which takes minutes.
    pub long: bool,
    /// Measurements of alternatives to compare with.
    pub baseline: Option<Baseline>,
}

/// Longest text if the model's limit is not known.
const DEFAULT_MAX_TOKENS: usize = 512;
/// Queries before the first measurement.
pub const WARM_UP_TEXTS: usize = 16;

/// Measures according to the plan; `progress` is called with the name of each step.
pub fn run(plan: &Plan, progress: &dyn Fn(&str)) -> Result<Report, Error> {
    let runtime = runtime()?;
    let tokenizer = match &plan.model {
        Some(model) => Some(Tokenizer::load(
            &model.tokenizer,
            model.description.max_tokens,
        )?),
        None => None,
    };
    let measured = runtime.block_on(measure(plan, TextMaker::new(tokenizer.as_ref())?, progress));
    let mut report = measured?;
    report.ratios = ratios(&report, plan.baseline.as_ref());
    Ok(report)
}

/// The runtime of the clients; its one thread leaves the processor to the server.
pub fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Client(source.into()))
}

async fn measure(
    plan: &Plan,
    mut texts: TextMaker<'_>,
    progress: &dyn Fn(&str),
) -> Result<Report, Error> {
    let mut report = empty(plan, &texts);
    if plan.server.is_local() {
        progress("memory bandwidth");
        report.machine = Some(Machine::measure());
    }
    progress("start");
    let query = Job::query(&texts.text(QUERY_TOKENS)?);
    let mut server = MeasuredServer::open(&plan.server, plan.effort.starts, &query).await?;
    report.cold_start = server.cold_start.take();
    let served = server.client.served_model().await;
    report.model = model(plan, served.as_ref())?;
    report.floor_milliseconds = floor(&report);
    let scope = Scope {
        max_tokens: max_tokens(plan, served.as_ref()),
        effort: plan.effort,
    };
    let mut measurements = Measurements {
        server,
        texts,
        scope,
        progress,
    };
    measurements.measure_load(&mut report).await?;
    if plan.long {
        report.long_text = Some(measurements.measure_long_text().await?);
        report.flood = Some(measurements.measure_flood().await?);
    }
    Ok(report)
}

/// The measurements of a server that is ready.
struct Measurements<'a> {
    server: MeasuredServer,
    texts: TextMaker<'a>,
    scope: Scope,
    progress: &'a dyn Fn(&str),
}

impl Measurements<'_> {
    async fn measure_load(&mut self, report: &mut Report) -> Result<(), Error> {
        (self.progress)("memory at rest");
        let warm_up = self.texts.texts(WARM_UP_TEXTS, QUERY_TOKENS)?;
        let warm_up: Vec<Job> = warm_up.iter().map(Job::query).collect();
        let client = &self.server.client;
        measure::warm_up(client, &warm_up).await?;
        let idle = self.server.memory_at_rest().await;
        (self.progress)("latency");
        report.latency = measure::latency(client, &mut self.texts, self.scope).await?;
        (self.progress)("throughput");
        report.throughput = measure::throughput(client, &mut self.texts, self.scope).await?;
        (self.progress)("a repeated query");
        let repeated = measure::repeated_query(client, &mut self.texts, self.scope).await?;
        report.repeated_query = Some(repeated);
        (self.progress)("batches");
        report.batches = measure::batches(client, &mut self.texts, self.scope).await?;
        report.memory = idle.zip(self.server.memory()).map(|(idle, busy)| Memory {
            idle_bytes: idle.resident_bytes,
            peak_bytes: busy.peak_bytes,
        });
        Ok(())
    }

    async fn measure_long_text(&mut self) -> Result<LongText, Error> {
        (self.progress)("a long text");
        let job = Job::query(&self.texts.text(self.scope.max_tokens)?);
        self.server.long_text(&job).await
    }

    async fn measure_flood(&mut self) -> Result<Flood, Error> {
        (self.progress)("queries among long texts");
        measure::flood(&self.server.client, &mut self.texts, self.scope).await
    }
}

fn empty(plan: &Plan, texts: &TextMaker<'_>) -> Report {
    Report {
        url: match &plan.server {
            ServerSource::Start(_) => None,
            ServerSource::Running(url) => Some(url.clone()),
        },
        token_counts_are_exact: texts.is_exact(),
        ..blank(plan.effort)
    }
}

/// A report without a measurement.
pub fn blank(effort: Effort) -> Report {
    Report {
        format: FORMAT,
        program: concat!("runpod-query ", env!("CARGO_PKG_VERSION")).to_owned(),
        quick: effort == Effort::QUICK,
        ..Report::default()
    }
}

/// The model of the directory, if there is one, or the one that the server names.
fn model(plan: &Plan, served: Option<&ServedModel>) -> Result<Option<Model>, Error> {
    let Some(directory) = &plan.model else {
        return Ok(served.map(|served| Model {
            name: served.name.clone(),
            precision: served.precision.clone(),
            dimensions: served.dimensions,
            matrix_bytes: None,
        }));
    };
    describe(directory).map(Some)
}

/// The model of a directory.
pub fn describe(directory: &ModelDirectory) -> Result<Model, Error> {
    let description = &directory.description;
    Ok(Model {
        name: description.name.clone(),
        precision: description.precision.to_string(),
        dimensions: description.dimensions.get(),
        matrix_bytes: Some(weight_bytes_per_pass(&directory.graph)?),
    })
}

fn max_tokens(plan: &Plan, served: Option<&ServedModel>) -> usize {
    let known = plan
        .model
        .as_ref()
        .map(|model| model.description.max_tokens.get());
    let served = || served.and_then(|served| served.max_tokens);
    known.or_else(served).unwrap_or(DEFAULT_MAX_TOKENS)
}

/// Milliseconds to read the weights of one pass once, if both their size and the memory's bandwidth are known.
pub fn floor(report: &Report) -> Option<f64> {
    let bytes = report.model.as_ref()?.matrix_bytes? as f64;
    let bandwidth = report.machine.as_ref()?.memory_bandwidth_bytes_per_second;
    Some((1e6 * bytes / bandwidth).round() / 1e3)
}
