//! Which of the waiting texts go next.
//!
//! Pure: it looks at what waits and remembers two numbers, so that every promise has its test. Two tracks exist.
//! *Quick* are interactive texts that fit into a batch; *patient* is all the rest, bulk texts and texts so long that
//! they go alone. Within a track the earliest deadline goes first, and a deadline is the arrival plus an allowance that
//! grows with the text's length: short texts overtake long ones, and nothing is overtaken for ever. Between the tracks,
//! quick goes first, but patient texts past their deadline get every second turn, measured in tokens. Hence a query
//! waits for one patient batch at most, however many are overdue, and a flood of queries cannot stop bulk work.

use std::time::{Duration, Instant};

/// What a text may be late for each of its tokens: about what a token costs, so that a text's patience is its own price.
const ALLOWANCE_PER_TOKEN: Duration = Duration::from_millis(2);
/// What a bulk text may be late on top.
const ALLOWANCE_BULK: Duration = Duration::from_secs(2);
/// Rows that share a batch may be padded to this multiple of their tokens ...
const PADDING_RATIO: (usize, usize) = (5, 4);
/// ... and by this many tokens more: a pass over few tokens is bound by reading the weights, so padding is free there.
const PADDING_FREE: usize = 64;

/// Whom a text keeps waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits for this answer.
    Interactive,
    /// A list is worked through; a few seconds more do no harm.
    Bulk,
}

/// What the scheduler knows about a waiting text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    priority: Priority,
    tokens: usize,
    deadline: Instant,
}

impl Demand {
    /// A text of `tokens` tokens that arrived at `arrival`.
    pub fn new(priority: Priority, tokens: usize, arrival: Instant) -> Self {
        let extra = match priority {
            Priority::Interactive => Duration::ZERO,
            Priority::Bulk => ALLOWANCE_BULK,
        };
        let allowance =
            ALLOWANCE_PER_TOKEN.saturating_mul(u32::try_from(tokens).unwrap_or(u32::MAX));
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

/// Chooses batches; see the module's documentation.
#[derive(Debug)]
pub struct Scheduler {
    batch_tokens: usize,
    /// Padded tokens of the last patient batch.
    patient_cost: usize,
    /// Padded tokens of the quick batches since then.
    quick_cost: usize,
}

impl Scheduler {
    /// A scheduler for batches of at most `batch_tokens` padded tokens; a longer text goes alone.
    pub fn new(batch_tokens: usize) -> Self {
        Self {
            batch_tokens,
            patient_cost: 0,
            quick_cost: 0,
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
        if self.is_quick(&waiting[seed]) {
            self.quick_cost = self.quick_cost.saturating_add(cost);
        } else {
            self.patient_cost = cost;
            self.quick_cost = 0;
        }
        batch
    }

    /// The text that must go next.
    fn seed(&self, waiting: &[Demand], now: Instant) -> Option<usize> {
        let (quick, patient): (Vec<usize>, Vec<usize>) =
            (0..waiting.len()).partition(|&index| self.is_quick(&waiting[index]));
        let first = |track: &[usize]| {
            track
                .iter()
                .copied()
                .min_by_key(|&index| waiting[index].deadline)
        };
        match (first(&quick), first(&patient)) {
            (Some(_), Some(patient)) if self.is_due(&waiting[patient], now) => Some(patient),
            (quick, patient) => quick.or(patient),
        }
    }

    fn is_quick(&self, demand: &Demand) -> bool {
        match demand.priority {
            Priority::Interactive => demand.tokens <= self.batch_tokens,
            Priority::Bulk => false,
        }
    }

    /// Whether a patient text may go although quick ones wait.
    fn is_due(&self, patient: &Demand, now: Instant) -> bool {
        patient.deadline <= now && self.quick_cost >= self.patient_cost
    }
}

/// The batch around `seed`: texts of its priority, nearest in length first, as far as they fit.
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

/// Extent of a batch.
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
