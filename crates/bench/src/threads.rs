//! Servers that differ in their number of threads alone, measured one after another.
//!
//! Invariant: every number of threads gets the same texts.

use std::num::NonZeroUsize;

use super::client::Job;
use super::error::Error;
use super::machine::Machine;
use super::measure::{self, Effort, Scope};
use super::measured_server::{MeasuredServer, ServerSource};
use super::report::{Latency, Report, ThreadCount, Throughput};
use super::run::{self, WARM_UP_TEXTS};
use super::server::ServerCommand;
use super::texts::TextMaker;
use super::workload::QUERY_TOKENS;
use model::{ModelDirectory, Tokenizer};

/// Which numbers of threads are measured, and with how many samples.
#[derive(Debug, Clone)]
pub struct ThreadsPlan {
    /// Numbers of threads, and the server of each.
    pub servers: Vec<(NonZeroUsize, ServerCommand)>,
    /// The model directory that they all serve.
    pub model: ModelDirectory,
    /// How many samples are taken, and for how long.
    pub effort: Effort,
}

/// Measures latency and throughput of every server; `progress` is called with the name of each step.
pub fn compare_threads(plan: &ThreadsPlan, progress: &dyn Fn(&str)) -> Result<Report, Error> {
    let runtime = run::runtime()?;
    let max_tokens = plan.model.description.max_tokens;
    let tokenizer = Tokenizer::load(&plan.model.tokenizer, max_tokens)?;
    let scope = Scope {
        max_tokens: max_tokens.get(),
        effort: plan.effort,
    };
    progress("memory bandwidth");
    let mut report = Report {
        model: Some(run::describe(&plan.model)?),
        machine: Some(Machine::measure()),
        token_counts_are_exact: true,
        ..run::blank(plan.effort)
    };
    report.floor_milliseconds = run::floor(&report);
    for (threads, command) in &plan.servers {
        progress(&format!("threads: {threads}"));
        let texts = TextMaker::new(Some(&tokenizer))?;
        let measured = runtime.block_on(measure(command, texts, scope, progress));
        let (latency, throughput) = measured?;
        report.threads.push(ThreadCount {
            threads: threads.get(),
            latency,
            throughput,
        });
    }
    Ok(report)
}

async fn measure(
    command: &ServerCommand,
    mut texts: TextMaker<'_>,
    scope: Scope,
    progress: &dyn Fn(&str),
) -> Result<(Vec<Latency>, Vec<Throughput>), Error> {
    let warm_up = texts.texts(WARM_UP_TEXTS, QUERY_TOKENS)?;
    let warm_up: Vec<Job> = warm_up.iter().map(Job::query).collect();
    let source = ServerSource::Start(command.clone());
    let server = MeasuredServer::open(&source, 0, &warm_up[0]).await?;
    measure::warm_up(&server.client, &warm_up).await?;
    progress("latency");
    let latency = measure::latency(&server.client, &mut texts, scope).await?;
    progress("throughput");
    let throughput = measure::throughput(&server.client, &mut texts, scope).await?;
    Ok((latency, throughput))
}
