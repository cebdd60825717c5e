//! Selects the next batch from the waiting texts.
//!
//! The scheduler does no input or output and its only state is two costs, so each of its guarantees has a test. There are
//! two classes of texts. *Urgent* texts are interactive and fit into a batch. *Background* texts are all others: bulk
//! texts, and texts so long that they run alone. Within a class the earliest deadline goes first. A deadline is the
//! arrival time plus an allowance that grows with the length of the text, so short texts overtake long ones but no text
//! starves. Urgent texts go before background texts, except that overdue background texts get half of the encoder's time,
//! measured in tokens. Hence a query waits for at most one background batch, however many are overdue, and a flood of
//! queries cannot starve bulk work.

use std::time::{Duration, Instant};

/// Deadline allowance for each token of a text. It is about the cost of a token, so a text may wait about as long as it
/// takes to encode.
const ALLOWANCE_PER_TOKEN: Duration = Duration::from_millis(2);
/// Deadline allowance for each token of the preceding texts in the same call. The texts of a call arrive together, and
/// its last text is not as urgent as its first: so a single query overtakes a long list, and a short list a long one.
const ALLOWANCE_PER_TOKEN_BEFORE: Duration = Duration::from_millis(4);
/// Additional deadline allowance of a bulk text.
const ALLOWANCE_BULK: Duration = Duration::from_secs(2);
/// The padded tokens of a batch may be at most this multiple of its real tokens ...
const PADDING_RATIO: (usize, usize) = (5, 4);
/// ... plus this many: a pass over few tokens is limited by reading the weights, so padding costs nothing there.
const PADDING_FREE: usize = 64;

/// How urgent a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A user waits for the answer.
    Interactive,
    /// Part of a batch workload; a few more seconds do not matter.
    Bulk,
}

/// A waiting text as the scheduler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    priority: Priority,
    tokens: usize,
    deadline: Instant,
}

impl Demand {
    /// A text of `tokens` tokens that arrived at `arrival`, after texts of `before` tokens in the same call.
    pub fn new(priority: Priority, tokens: usize, before: usize, arrival: Instant) -> Self {
        let extra = match priority {
            Priority::Interactive => Duration::ZERO,
            Priority::Bulk => ALLOWANCE_BULK,
        };
        let allowance =
            times(ALLOWANCE_PER_TOKEN, tokens) + times(ALLOWANCE_PER_TOKEN_BEFORE, before);
        Self {
            priority,
            tokens,
            deadline: arrival + extra + allowance,
        }
    }

    /// Tokens of the text.
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}

fn times(duration: Duration, count: usize) -> Duration {
    duration.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Chooses batches; see the module's documentation.
#[derive(Debug)]
pub struct Scheduler {
    batch_tokens: usize,
    /// Padded tokens of the last background batch.
    background_cost: usize,
    /// Padded tokens of the urgent batches since then.
    urgent_cost: usize,
}

impl Scheduler {
    /// A scheduler for batches of at most `batch_tokens` padded tokens; a longer text runs alone.
    pub fn new(batch_tokens: usize) -> Self {
        Self {
            batch_tokens,
            background_cost: 0,
            urgent_cost: 0,
        }
    }

    /// Indices into `waiting` of the next batch, each once, in no particular order; empty only if nothing waits.
    pub fn pick(&mut self, waiting: &[Demand], now: Instant) -> Vec<usize> {
        let Some(seed) = self.seed(waiting, now) else {
            return Vec::new();
        };
        let batch = grow(waiting, seed, self.batch_tokens);
        let longest = batch.iter().map(|&index| waiting[index].tokens).max();
        let cost = batch.len() * longest.unwrap_or_default();
        if self.is_urgent(&waiting[seed]) {
            self.urgent_cost = self.urgent_cost.saturating_add(cost);
        } else {
            self.background_cost = cost;
            self.urgent_cost = 0;
        }
        batch
    }

    /// The text that the next batch must contain.
    fn seed(&self, waiting: &[Demand], now: Instant) -> Option<usize> {
        let (urgent, background): (Vec<usize>, Vec<usize>) =
            (0..waiting.len()).partition(|&index| self.is_urgent(&waiting[index]));
        let first = |class: &[usize]| {
            class
                .iter()
                .copied()
                .min_by_key(|&index| waiting[index].deadline)
        };
        match (first(&urgent), first(&background)) {
            (Some(_), Some(background)) if self.is_due(&waiting[background], now) => {
                Some(background)
            }
            (urgent, background) => urgent.or(background),
        }
    }

    fn is_urgent(&self, demand: &Demand) -> bool {
        match demand.priority {
            Priority::Interactive => demand.tokens <= self.batch_tokens,
            Priority::Bulk => false,
        }
    }

    /// Whether a background text may go although urgent ones wait.
    fn is_due(&self, background: &Demand, now: Instant) -> bool {
        background.deadline <= now && self.urgent_cost >= self.background_cost
    }
}

/// Builds the batch around `seed`: texts of the same priority, closest in length first, as far as they fit.
fn grow(waiting: &[Demand], seed: usize, batch_tokens: usize) -> Vec<usize> {
    let Demand {
        priority, tokens, ..
    } = waiting[seed];
    let mut others: Vec<usize> = (0..waiting.len())
        .filter(|&index| index != seed && waiting[index].priority == priority)
        .collect();
    others.sort_unstable_by_key(|&index| {
        (
            waiting[index].tokens.abs_diff(tokens),
            waiting[index].deadline,
        )
    });
    let mut size = Size::default().with(tokens);
    let mut batch = vec![seed];
    for index in others {
        let larger = size.with(waiting[index].tokens);
        if larger.fits(batch_tokens) {
            size = larger;
            batch.push(index);
        }
    }
    batch
}

/// Size of a batch, with and without padding.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    rows: usize,
    longest: usize,
    tokens: usize,
}

impl Size {
    fn with(self, tokens: usize) -> Self {
        Self {
            rows: self.rows + 1,
            longest: self.longest.max(tokens),
            tokens: self.tokens + tokens,
        }
    }

    fn fits(self, batch_tokens: usize) -> bool {
        let padded = self.rows * self.longest;
        let (numerator, denominator) = PADDING_RATIO;
        padded <= batch_tokens
            && padded * denominator <= self.tokens * numerator + PADDING_FREE * denominator
    }
}

#[cfg(test)]
mod tests;
