//! Selects the next batch from the waiting texts.
//!
//! The scheduler does no input or output and its only state is what the classes have cost, so each of its guarantees has a
//! test. There are three classes of texts, the most urgent first: short queries; other texts of interactive calls, which
//! are lists and long texts; texts in bulk. A class goes before the less urgent ones, except that those get half of the
//! encoder's time, measured in tokens, once they are overdue. Hence a query waits for at most one batch of another class,
//! however many are overdue, and a flood of queries cannot starve the others.
//!
//! A batch costs the tokens that the encoder computes for it. Where it pads, texts of similar length share a batch; where
//! it does not, the lengths of a batch do not matter, and the earliest deadlines go together.
//!
//! Within a class the earliest deadline goes first. A deadline is the arrival time plus an allowance that grows with the
//! length of the text, so short texts overtake long ones but no text starves.

use std::time::{Duration, Instant};

use model::{BatchLayout, BatchSize};

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

/// A short query has at most the tokens of a batch divided by this number, so that several fit.
const SHORT_DIVISOR: usize = 3;

/// How urgent a text is; the most urgent is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A query for whose answer a user waits.
    Interactive,
    /// One of a list of queries.
    List,
    /// Part of a batch workload; a few more seconds do not matter.
    Bulk,
}

impl Priority {
    /// Whether a user waits for it, so that it is worth keeping.
    pub fn is_urgent(self) -> bool {
        self != Self::Bulk
    }
}

/// A waiting text as the scheduler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    priority: Priority,
    tokens: usize,
    deadline: Instant,
    is_alone: bool,
}

impl Demand {
    /// A text of `tokens` tokens that arrived at `arrival`, after texts of `before` tokens in the same call.
    pub fn new(priority: Priority, tokens: usize, before: usize, arrival: Instant) -> Self {
        let extra = match priority {
            Priority::Interactive | Priority::List => Duration::ZERO,
            Priority::Bulk => ALLOWANCE_BULK,
        };
        let allowance =
            times(ALLOWANCE_PER_TOKEN, tokens) + times(ALLOWANCE_PER_TOKEN_BEFORE, before);
        Self {
            priority,
            tokens,
            deadline: arrival + extra + allowance,
            is_alone: false,
        }
    }

    /// The same text, as a batch of its own.
    pub fn alone(self) -> Self {
        Self {
            is_alone: true,
            ..self
        }
    }

    /// How urgent the text is.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// Tokens of the text.
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}

fn times(duration: Duration, count: usize) -> Duration {
    duration.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The class of a text; see the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Query,
    Interactive,
    Bulk,
}

/// Chooses batches; see the module's documentation.
#[derive(Debug)]
pub struct Scheduler {
    layout: BatchLayout,
    batch_tokens: usize,
    /// Between queries and everything else.
    queries: Balance,
    /// Between the other interactive texts and bulk.
    others: Balance,
}

/// What two sides have cost, in tokens that the encoder computed.
#[derive(Debug, Default)]
struct Balance {
    /// The last batch of the less urgent side.
    less_urgent: usize,
    /// All batches of the more urgent side since then.
    more_urgent: usize,
}

impl Scheduler {
    /// A scheduler for an encoder that computes batches in `layout`, each of at most `batch_tokens` tokens with its
    /// padding; a longer text runs alone.
    pub fn new(layout: BatchLayout, batch_tokens: usize) -> Self {
        Self {
            layout,
            batch_tokens,
            queries: Balance::default(),
            others: Balance::default(),
        }
    }

    /// Indices into `waiting` of the next batch, each once, in no particular order; empty only if nothing waits.
    pub fn pick(&mut self, waiting: &[Demand], now: Instant) -> Vec<usize> {
        let Some(seed) = self.seed(waiting, now) else {
            return Vec::new();
        };
        let class = self.class(&waiting[seed]);
        let peers = (0..waiting.len())
            .filter(|&index| !waiting[index].is_alone && self.class(&waiting[index]) == class);
        let batch = match waiting[seed].is_alone {
            true => vec![seed],
            false => self.grow(waiting, seed, peers),
        };
        let size = batch.iter().map(|&index| waiting[index].tokens).collect();
        let cost = self.layout.computed_tokens(size);
        self.queries.add(cost, class == Class::Query);
        if class != Class::Query {
            self.others.add(cost, class == Class::Interactive);
        }
        batch
    }

    /// Builds the batch around `seed`, with its `peers` as far as they fit.
    fn grow(
        &self,
        waiting: &[Demand],
        seed: usize,
        peers: impl Iterator<Item = usize>,
    ) -> Vec<usize> {
        let tokens = waiting[seed].tokens;
        let mut others: Vec<usize> = peers.filter(|&index| index != seed).collect();
        match self.layout {
            BatchLayout::Concatenated => {
                others.sort_unstable_by_key(|&index| waiting[index].deadline);
            }
            BatchLayout::Padded => others.sort_unstable_by_key(|&index| {
                let Demand {
                    tokens: length,
                    deadline,
                    ..
                } = waiting[index];
                (length.abs_diff(tokens), deadline)
            }),
        }
        let mut size = BatchSize::default().with(tokens);
        let mut batch = vec![seed];
        for index in others {
            let larger = size.with(waiting[index].tokens);
            if self.fits(larger) {
                size = larger;
                batch.push(index);
            }
        }
        batch
    }

    /// Whether texts may share a batch.
    fn fits(&self, size: BatchSize) -> bool {
        let computed = self.layout.computed_tokens(size);
        let (numerator, denominator) = PADDING_RATIO;
        computed <= self.batch_tokens
            && computed * denominator <= size.tokens() * numerator + PADDING_FREE * denominator
    }

    /// The text that the next batch must contain.
    fn seed(&self, waiting: &[Demand], now: Instant) -> Option<usize> {
        let first = |class: Class| {
            (0..waiting.len())
                .filter(|&index| self.class(&waiting[index]) == class)
                .min_by_key(|&index| waiting[index].deadline)
        };
        let is_overdue = |index: usize| waiting[index].deadline <= now;
        let others = self
            .others
            .choose(first(Class::Interactive), first(Class::Bulk), is_overdue);
        self.queries.choose(first(Class::Query), others, is_overdue)
    }

    fn class(&self, demand: &Demand) -> Class {
        match demand.priority {
            Priority::Interactive if demand.tokens <= self.batch_tokens / SHORT_DIVISOR => {
                Class::Query
            }
            Priority::Interactive | Priority::List => Class::Interactive,
            Priority::Bulk => Class::Bulk,
        }
    }
}

impl Balance {
    /// The text of the side whose turn it is.
    fn choose(
        &self,
        more_urgent: Option<usize>,
        less_urgent: Option<usize>,
        is_overdue: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let is_due = |index: &usize| is_overdue(*index) && self.more_urgent >= self.less_urgent;
        match more_urgent {
            Some(_) => less_urgent.filter(is_due).or(more_urgent),
            None => less_urgent,
        }
    }

    fn add(&mut self, cost: usize, is_more_urgent: bool) {
        if is_more_urgent {
            self.more_urgent = self.more_urgent.saturating_add(cost);
        } else {
            self.less_urgent = cost;
            self.more_urgent = 0;
        }
    }
}

#[cfg(test)]
mod tests;
