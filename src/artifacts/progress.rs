//! What a person sees while something is fetched.
//!
//! Owns the bar while standard error is a terminal, the log line that takes its place where it is not, and the log line
//! at the end. Invariant: a bar and a log line never share a line.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

const BAR: &str = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const SPINNER: &str = "{spinner} {msg} {elapsed}";
const TICK: Duration = Duration::from_millis(120);

/// One thing that is being fetched.
pub(super) struct Progress {
    what: String,
    started: Instant,
    bar: ProgressBar,
}

impl Progress {
    /// Starts with a size that is known, of which `already` bytes are there.
    pub(super) fn of_bytes(what: &str, total: u64, already: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let progress = Self::start(what, bar, BAR);
        progress.bar.set_position(already);
        if progress.bar.is_hidden() {
            let rest = HumanBytes(total.saturating_sub(already));
            log::info!("fetching {what}: {rest}");
        }
        progress
    }

    /// Starts with something that does not say how far it is.
    pub(super) fn of_unknown(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let progress = Self::start(what, bar, SPINNER);
        if progress.bar.is_hidden() {
            log::info!("fetching {what}");
        } else {
            progress.bar.enable_steady_tick(TICK);
        }
        progress
    }

    fn start(what: &str, bar: ProgressBar, template: &str) -> Self {
        // A template that cannot be read costs the looks and nothing else.
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            what: what.to_owned(),
            started: Instant::now(),
            bar: bar.with_style(style).with_message(what.to_owned()),
        }
    }

    /// This many bytes are there now.
    pub(super) fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// A message that must not tear the bar.
    pub(super) fn warn(&self, message: &str) {
        self.bar.suspend(|| log::warn!("{message}"));
    }

    /// All of it, `bytes` long, is there.
    pub(super) fn finish(self, bytes: u64) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        log::info!(
            "fetched {}: {} in {seconds:.1} s",
            self.what,
            HumanBytes(bytes)
        );
    }
}
