//! The hint when a rejected call may be tried again, from what waits and what a token has cost lately.

use std::time::Duration;

/// Bounds of the hint.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Weight of the newest batch in the running mean.
const NEWEST_WEIGHT: f64 = 0.2;

/// Seconds per token, a running mean; zero before the first batch.
#[derive(Default)]
pub struct Pace(f64);

impl Pace {
    /// Learns from a batch of `tokens` tokens that took `duration`.
    pub fn learn(&mut self, tokens: usize, duration: Duration) {
        let newest = duration.as_secs_f64() / tokens.max(1) as f64;
        self.0 = match self.0 {
            0.0 => newest,
            mean => mean + NEWEST_WEIGHT * (newest - mean),
        };
    }

    /// When a call may be tried again that `tokens` waiting tokens go before: whole seconds.
    pub fn retry_after(&self, tokens: usize) -> Duration {
        let (shortest, longest) = BOUNDS;
        let seconds = (self.0 * tokens as f64).ceil();
        Duration::from_secs_f64(seconds.min(longest.as_secs_f64())).max(shortest)
    }
}
