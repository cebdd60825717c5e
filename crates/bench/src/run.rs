//! One run of the benchmark, from the plan to the report.

use super::Error;
use super::client::{self, Job, ServedModel};
use super::machine::Machine;
use super::measure::{self, Effort, Limits, QUERY_TOKENS};
use super::report::{Baseline, FORMAT, Flood, LongText, Memory, Model, Report};
use super::server::ServerCommand;
use super::session::Session;
use super::texts::TextMaker;
use model::export::weight_bytes_per_pass;
use model::{ModelDirectory, Tokenizer};

/// What is measured.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A server that is started for this, on this machine.
    Own(ServerCommand),
    /// A server that is running, by its address.
    Running(String),
}

/// What is measured, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub subject: Subject,
    /// Its model directory, where that is known: for the tokenizer and the size of the matrices.
    pub model: Option<ModelDirectory>,
    /// How long it may take.
    pub effort: Effort,
    /// Whether to send one text of the greatest length too, and queries among long ones, which takes minutes.
    pub long: bool,
    /// Measurements of alternatives to compare with.
    pub baseline: Option<Baseline>,
}

/// Longest text for a server that does not say what its model takes.
const USUAL_MAX_TOKENS: usize = 512;
const WARM_UP_TEXTS: usize = 16;

/// Measures as planned; `progress` is told what comes next.
pub fn run(plan: &Plan, progress: &dyn Fn(&str)) -> Result<Report, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Client(source.into()))?;
    let tokenizer = match &plan.model {
        Some(model) => Some(Tokenizer::load(
            &model.tokenizer,
            model.description.max_tokens,
        )?),
        None => None,
    };
    let measured = runtime.block_on(measure(plan, TextMaker::new(tokenizer.as_ref())?, progress));
    let mut report = measured?;
    report.compare(plan.baseline.as_ref());
    Ok(report)
}

async fn measure(
    plan: &Plan,
    mut texts: TextMaker<'_>,
    progress: &dyn Fn(&str),
) -> Result<Report, Error> {
    let mut report = empty(plan, &texts);
    if plan.subject.is_local() {
        progress("memory bandwidth");
        report.machine = Some(Machine::measure());
    }
    progress("start");
    let query = Job::query(&texts.text(QUERY_TOKENS)?);
    let mut session = Session::open(&plan.subject, plan.effort.starts, &query).await?;
    report.cold_start = session.cold_start.take();
    let served = session.client.served_model().await;
    report.model = model(plan, served.as_ref())?;
    report.floor_milliseconds = floor(&report);
    let limits = Limits {
        max_tokens: max_tokens(plan, served.as_ref()),
        effort: plan.effort,
    };
    let mut course = Course {
        session,
        texts,
        limits,
        progress,
    };
    course.measure_load(&mut report).await?;
    if plan.long {
        report.long_text = Some(course.measure_long_text().await?);
        report.flood = Some(course.measure_flood().await?);
    }
    Ok(report)
}

/// The measurements of a server that is ready.
struct Course<'a> {
    session: Session,
    texts: TextMaker<'a>,
    limits: Limits,
    progress: &'a dyn Fn(&str),
}

impl Course<'_> {
    async fn measure_load(&mut self, report: &mut Report) -> Result<(), Error> {
        (self.progress)("memory at rest");
        let warm_up = self.texts.texts(WARM_UP_TEXTS, QUERY_TOKENS)?;
        let warm_up: Vec<Job> = warm_up.iter().map(Job::query).collect();
        let client = &self.session.client;
        measure::warm_up(client, &warm_up).await?;
        let idle = self.session.memory_at_rest().await;
        (self.progress)("latency");
        report.latency = measure::latency(client, &mut self.texts, self.limits).await?;
        (self.progress)("throughput");
        report.throughput = measure::throughput(client, &mut self.texts, self.limits).await?;
        (self.progress)("batches");
        report.batches = measure::batches(client, &mut self.texts, self.limits).await?;
        report.memory = idle.zip(self.session.memory()).map(|(idle, busy)| Memory {
            idle_bytes: idle.resident_bytes,
            peak_bytes: busy.peak_bytes,
        });
        Ok(())
    }

    async fn measure_long_text(&mut self) -> Result<LongText, Error> {
        (self.progress)("a long text");
        let job = Job::query(&self.texts.text(self.limits.max_tokens)?);
        self.session.long_text(&job).await
    }

    async fn measure_flood(&mut self) -> Result<Flood, Error> {
        (self.progress)("queries among long texts");
        measure::flood(&self.session.client, &mut self.texts, self.limits).await
    }
}

impl Subject {
    fn is_local(&self) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Running(url) => client::is_local(url),
        }
    }
}

fn empty(plan: &Plan, texts: &TextMaker<'_>) -> Report {
    Report {
        format: FORMAT,
        program: concat!("runpod-query ", env!("CARGO_PKG_VERSION")).to_owned(),
        quick: plan.effort == Effort::QUICK,
        url: match &plan.subject {
            Subject::Own(_) => None,
            Subject::Running(url) => Some(url.clone()),
        },
        model: None,
        machine: None,
        token_counts_are_exact: texts.is_exact(),
        floor_milliseconds: None,
        latency: Vec::new(),
        throughput: Vec::new(),
        batches: Vec::new(),
        cold_start: None,
        memory: None,
        long_text: None,
        flood: None,
        targets: Vec::new(),
    }
}

/// The model of the directory; without one, what the server says of it.
fn model(plan: &Plan, served: Option<&ServedModel>) -> Result<Option<Model>, Error> {
    let Some(directory) = &plan.model else {
        return Ok(served.map(|served| Model {
            name: served.name.clone(),
            precision: served.precision.clone(),
            dimensions: served.dimensions,
            matrix_bytes: None,
        }));
    };
    let description = &directory.description;
    Ok(Some(Model {
        name: description.name.clone(),
        precision: description.precision.to_string(),
        dimensions: description.dimensions.get(),
        matrix_bytes: Some(weight_bytes_per_pass(&directory.graph)?),
    }))
}

fn max_tokens(plan: &Plan, served: Option<&ServedModel>) -> usize {
    let known = plan
        .model
        .as_ref()
        .map(|model| model.description.max_tokens.get());
    let said = || served.and_then(|served| served.max_tokens);
    known.or_else(said).unwrap_or(USUAL_MAX_TOKENS)
}

fn floor(report: &Report) -> Option<f64> {
    let bytes = report.model.as_ref()?.matrix_bytes? as f64;
    let bandwidth = report.machine.as_ref()?.memory_bandwidth_bytes_per_second;
    Some((1e6 * bytes / bandwidth).round() / 1e3)
}
