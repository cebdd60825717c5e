//! The flags of handlers written with RunPod's package.

use clap::{Args, ValueEnum};
use config::Value;

use super::arguments::given;
use crate::config::{DEFAULT_LOG_FILTER, Override};

/// The flags of handlers written with RunPod's package.
#[derive(Args, Default)]
#[command(next_help_heading = "As a RunPod handler")]
pub struct HandlerFlags {
    /// Run this job, print its result and exit.
    #[arg(long = "test_input", value_name = "JSON", global = true)]
    pub test_input: Option<String>,
    /// Serve over HTTP on this machine, and take no jobs from RunPod's queue.
    #[arg(long = "rp_serve_api", global = true)]
    pub serve_api: bool,
    /// Address to listen on [default: localhost with --rp_serve_api].
    #[arg(long = "rp_api_host", value_name = "ADDRESS", global = true)]
    api_host: Option<String>,
    /// Port to listen on.
    #[arg(long = "rp_api_port", value_name = "PORT", global = true)]
    api_port: Option<u16>,
    /// Log level.
    #[arg(
        long = "rp_log_level",
        value_name = "LEVEL",
        ignore_case = true,
        global = true
    )]
    log_level: Option<LogLevel>,
    /// Accepted without effect: one process answers all requests.
    #[arg(long = "rp_api_concurrency", value_name = "NUMBER", global = true)]
    api_concurrency: Option<String>,
    /// Accepted without effect.
    #[arg(long = "rp_debugger", global = true)]
    debugger: bool,
}

/// A log level, with the names of RunPod's package.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
    #[value(name = "notset")]
    NotSet,
}

impl LogLevel {
    /// The log filter of the level.
    fn filter(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => DEFAULT_LOG_FILTER,
            Self::Debug => "debug",
            Self::Trace | Self::NotSet => "trace",
        }
    }
}

impl HandlerFlags {
    /// Default address of the HTTP interface of RunPod's package.
    const API_HOST: &str = "localhost";

    /// Whether any of them was given.
    pub fn are_given(&self) -> bool {
        self.test_input.is_some()
            || self.serve_api
            || self.debugger
            || self.api_concurrency.is_some()
            || !self.overrides().is_empty()
    }

    /// The settings given as flags.
    pub fn overrides(&self) -> Vec<Override> {
        let default_host = self.serve_api.then_some(Self::API_HOST);
        let host = self.api_host.as_deref().or(default_host);
        given([
            ("server.host", host.map(Value::from)),
            ("server.port", self.api_port.map(Value::from)),
            (
                "log.filter",
                self.log_level.map(|level| level.filter().into()),
            ),
        ])
    }
}
