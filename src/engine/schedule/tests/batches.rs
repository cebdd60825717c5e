//! Which texts share a batch.

use super::*;

#[test]
fn nothing_waiting_gives_an_empty_batch() {
    assert!(
        scheduler(BatchLayout::Concatenated)
            .pick(&[], Instant::now())
            .is_empty()
    );
}

#[test]
fn a_text_that_must_run_alone_is_a_batch_of_its_own_when_it_is_its_turn() {
    let now = Instant::now();
    let alone = demand(Priority::Bulk, 8, now).alone();
    let mut waiting = list(Priority::Bulk, 8, 4, now + Duration::from_secs(1));
    waiting.push(alone);
    let mut scheduler = scheduler(BatchLayout::Concatenated);
    let batch = scheduler.pick(&waiting, now);
    assert_eq!(take(&mut waiting, batch), [alone]);
    let later = demand(Priority::Bulk, 8, now + Duration::from_secs(9)).alone();
    waiting.push(later);
    let batch = scheduler.pick(&waiting, now);
    assert_eq!(take(&mut waiting, batch).len(), 4);
    assert_eq!(waiting, [later]);
}

#[test]
fn every_text_leaves_once_within_the_budget_with_texts_of_its_priority() {
    for layout in LAYOUTS {
        for seed in 1..60 {
            let mut random = numbers(seed);
            let mut now = Instant::now();
            let mut scheduler = scheduler(layout);
            let mut waiting: Vec<Demand> = (0..1 + random(300))
                .map(|_| {
                    let priority = [Priority::Interactive, Priority::Bulk][random(2)];
                    let longest = [20, 300, 9000][random(3)];
                    let tokens = 1 + random(longest);
                    demand(
                        priority,
                        tokens,
                        now + Duration::from_millis(random(5000) as u64),
                    )
                })
                .collect();
            while !waiting.is_empty() {
                let indices = scheduler.pick(&waiting, now);
                let mut distinct = indices.clone();
                distinct.sort_unstable();
                distinct.dedup();
                assert_eq!(
                    distinct.len(),
                    indices.len(),
                    "a text is twice in a batch (seed {seed})"
                );
                let batch = take(&mut waiting, indices);
                let size: BatchSize = batch.iter().map(|text| text.tokens).collect();
                let cost = layout.computed_tokens(size);
                assert!(!batch.is_empty());
                assert!(batch.len() == 1 || cost <= BUDGET, "{size:?} (seed {seed})");
                assert!(batch.iter().all(|text| text.priority == batch[0].priority));
                now += Duration::from_millis(cost as u64);
            }
        }
    }
}

#[test]
fn equal_texts_fill_the_budget() {
    for layout in LAYOUTS {
        let now = Instant::now();
        let waiting = vec![demand(Priority::Interactive, 12, now); 100];
        assert_eq!(scheduler(layout).pick(&waiting, now).len(), BUDGET / 12);
    }
}

#[test]
fn short_texts_are_batched_regardless_of_their_padding() {
    let now = Instant::now();
    let waiting = [4, 40, 9].map(|tokens| demand(Priority::Interactive, tokens, now));
    assert_eq!(scheduler(BatchLayout::Padded).pick(&waiting, now).len(), 3);
}

#[test]
fn a_long_text_is_not_padded_into_a_batch_of_short_ones() {
    let now = Instant::now();
    let mut waiting = vec![demand(Priority::Interactive, 4, now); 20];
    waiting.push(demand(Priority::Interactive, 400, now));
    let mut scheduler = Scheduler::new(BatchLayout::Padded, 16_384);
    let batch = scheduler.pick(&waiting, now);
    assert_eq!(batch.len(), 20);
    assert!(batch.iter().all(|&index| waiting[index].tokens == 4));
}

#[test]
fn lengths_do_not_matter_where_nothing_is_padded() {
    let now = Instant::now();
    let mut waiting = vec![demand(Priority::Bulk, 4, now); 20];
    waiting.push(demand(Priority::Bulk, 400, now));
    let mut scheduler = scheduler(BatchLayout::Concatenated);
    assert_eq!(scheduler.pick(&waiting, now).len(), 21);
}

#[test]
fn texts_that_are_not_padded_go_in_the_order_of_their_deadlines() {
    let now = Instant::now();
    let lengths = [100, 30, 90, 250, 10, 60, 120, 30];
    let waiting: Vec<Demand> = lengths
        .into_iter()
        .enumerate()
        .map(|(place, tokens)| {
            demand(
                Priority::Bulk,
                tokens,
                now + Duration::from_secs(place as u64),
            )
        })
        .collect();
    let mut batch = scheduler(BatchLayout::Concatenated).pick(&waiting, now);
    batch.sort_unstable();
    // The sixth has no room; what is short enough fills the rest.
    assert_eq!(batch, [0, 1, 2, 3, 4, 7]);
}

#[test]
fn a_text_above_the_budget_runs_alone() {
    for layout in LAYOUTS {
        let now = Instant::now();
        let waiting = vec![demand(Priority::Bulk, 8192, now); 3];
        assert_eq!(scheduler(layout).pick(&waiting, now).len(), 1);
    }
}

#[test]
fn equal_texts_go_in_the_order_of_their_arrival() {
    for layout in LAYOUTS {
        let now = Instant::now();
        let mut waiting: Vec<Demand> = (0..200)
            .map(|index| {
                demand(
                    Priority::Interactive,
                    16,
                    now + Duration::from_millis(index * 37 % 200),
                )
            })
            .collect();
        let mut scheduler = scheduler(layout);
        let mut latest = now;
        while !waiting.is_empty() {
            let indices = scheduler.pick(&waiting, now);
            let batch = take(&mut waiting, indices);
            let earliest_here = batch.iter().map(|text| text.deadline).min().unwrap();
            assert!(earliest_here >= latest);
            latest = batch.iter().map(|text| text.deadline).max().unwrap();
        }
    }
}
