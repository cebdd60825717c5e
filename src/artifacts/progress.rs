//! Progress of a download on standard error.
//!
//! Owns the progress bar on a terminal, the log line that replaces it elsewhere, and the log line at the end. Invariant: a
//! bar and a log line never share a line.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

const BAR: &str = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const SPINNER: &str = "{spinner} {msg} {elapsed}";
const TICK: Duration = Duration::from_millis(120);

/// The progress of one download.
pub(super) struct Progress {
    what: String,
    started: Instant,
    bar: ProgressBar,
}

impl Progress {
    /// Starts a download of `total` bytes, of which `already` are there.
    pub(super) fn of_bytes(what: &str, total: u64, already: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let progress = Self::start(what, bar, BAR);
        progress.bar.set_position(already);
        if progress.bar.is_hidden() {
            let rest = HumanBytes(total.saturating_sub(already));
            log::info!("downloading {what}: {rest}");
        }
        progress
    }

    /// Starts a download of unknown progress.
    pub(super) fn of_unknown(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let progress = Self::start(what, bar, SPINNER);
        if progress.bar.is_hidden() {
            log::info!("downloading {what}");
        } else {
            progress.bar.enable_steady_tick(TICK);
        }
        progress
    }

    fn start(what: &str, bar: ProgressBar, template: &str) -> Self {
        // An invalid template only changes how the bar looks.
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            what: what.to_owned(),
            started: Instant::now(),
            bar: bar.with_style(style).with_message(what.to_owned()),
        }
    }

    /// Sets the number of bytes received.
    pub(super) fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// Logs a warning without breaking the bar.
    pub(super) fn warn(&self, message: &str) {
        self.bar.suspend(|| log::warn!("{message}"));
    }

    /// Ends the bar and logs the size and duration.
    pub(super) fn finish(self, bytes: u64) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        log::info!(
            "downloaded {}: {} in {seconds:.1} s",
            self.what,
            HumanBytes(bytes)
        );
    }
}
