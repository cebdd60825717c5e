//! Each guarantee of the scheduler.

mod batches;
mod waits;

use super::*;

const BUDGET: usize = 512;

const LAYOUTS: [BatchLayout; 2] = [BatchLayout::Concatenated, BatchLayout::Padded];

fn scheduler(layout: BatchLayout) -> Scheduler {
    Scheduler::new(layout, BUDGET)
}

fn demand(priority: Priority, tokens: usize, arrival: Instant) -> Demand {
    Demand::new(priority, tokens, 0, arrival)
}

/// The texts of one call, each of `tokens` tokens.
fn list(priority: Priority, tokens: usize, texts: usize, arrival: Instant) -> Vec<Demand> {
    (0..texts)
        .map(|index| Demand::new(priority, tokens, index * tokens, arrival))
        .collect()
}

/// Pseudorandom numbers, the same in every run.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    }
}

/// Removes a batch as the queue does.
fn take(waiting: &mut Vec<Demand>, mut batch: Vec<usize>) -> Vec<Demand> {
    batch.sort_unstable();
    batch
        .into_iter()
        .rev()
        .map(|index| waiting.swap_remove(index))
        .collect()
}
