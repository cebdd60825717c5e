//! Each guarantee of the scheduler.

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

#[test]
fn a_query_is_in_the_batch_after_the_running_one_even_when_a_thousand_bulk_texts_are_overdue() {
    for layout in LAYOUTS {
        let start = Instant::now();
        let now = start + Duration::from_secs(60);
        let mut waiting = vec![demand(Priority::Bulk, 12, start); 1000];
        let mut scheduler = scheduler(layout);
        let running = scheduler.pick(&waiting, now);
        take(&mut waiting, running);
        waiting.push(demand(Priority::Interactive, 12, now));
        let next = scheduler.pick(&waiting, now);
        assert_eq!(next, [waiting.len() - 1]);
    }
}

#[test]
fn a_short_call_overtakes_the_rest_of_a_long_list() {
    for layout in LAYOUTS {
        for priority in [Priority::Interactive, Priority::Bulk] {
            let start = Instant::now();
            let mut waiting = list(priority, 12, 500, start);
            let mut scheduler = scheduler(layout);
            for seconds in 0..5 {
                let now = start + Duration::from_secs(seconds);
                let batch = scheduler.pick(&waiting, now);
                take(&mut waiting, batch);
            }
            let now = start + Duration::from_secs(5);
            waiting.push(demand(priority, 12, now));
            let next = scheduler.pick(&waiting, now);
            assert!(next.contains(&(waiting.len() - 1)), "{priority:?}");
        }
    }
}

#[test]
fn a_query_waits_for_one_overdue_long_text_at_most() {
    for layout in LAYOUTS {
        let start = Instant::now();
        let now = start + Duration::from_secs(120);
        let mut waiting = vec![demand(Priority::Interactive, 2048, start); 20];
        let mut scheduler = scheduler(layout);
        let running = scheduler.pick(&waiting, now);
        take(&mut waiting, running);
        waiting.push(demand(Priority::Interactive, 12, now));
        assert_eq!(scheduler.pick(&waiting, now), [waiting.len() - 1]);
    }
}

#[test]
fn a_query_waits_for_neither_lists_nor_long_texts_nor_bulk_that_are_overdue() {
    for layout in LAYOUTS {
        let start = Instant::now();
        let now = start + Duration::from_secs(60);
        let mut scheduler = scheduler(layout);
        let mut waiting = list(Priority::List, 12, 500, start);
        waiting.extend(vec![demand(Priority::Interactive, 250, start); 32]);
        waiting.extend(vec![demand(Priority::Bulk, 12, start); 500]);
        for _ in 0..4 {
            let running = scheduler.pick(&waiting, now);
            take(&mut waiting, running);
            waiting.push(demand(Priority::Interactive, 12, now));
            let next = scheduler.pick(&waiting, now);
            assert_eq!(next, [waiting.len() - 1]);
            take(&mut waiting, next);
        }
    }
}

#[test]
fn floods_of_queries_and_of_lists_do_not_starve_bulk() {
    for layout in LAYOUTS {
        let start = Instant::now();
        let now = start + Duration::from_secs(60);
        let mut scheduler = scheduler(layout);
        let mut cost = [0; 3];
        for _ in 0..400 {
            let classes = [Priority::Interactive, Priority::List, Priority::Bulk];
            let waiting: Vec<_> = classes
                .into_iter()
                .flat_map(|priority| vec![demand(priority, 50, start); 10])
                .collect();
            let batch = scheduler.pick(&waiting, now);
            cost[waiting[batch[0]].priority as usize] += batch.len() * 50;
        }
        let [queries, lists, bulk] = cost.map(|cost| cost as f64 / 200_000.0);
        assert!((0.45..0.55).contains(&queries), "{cost:?}");
        assert!((0.2..0.3).contains(&lists), "{cost:?}");
        assert!((0.2..0.3).contains(&bulk), "{cost:?}");
    }
}

/// Schedules `background` against an endless flood of queries; returns how long it waited.
fn wait_in_a_flood_of_queries(background: Demand, start: Instant) -> Duration {
    let mut scheduler = scheduler(BatchLayout::Concatenated);
    let mut now = start;
    loop {
        let mut waiting = vec![demand(Priority::Interactive, 12, now); 200];
        waiting.push(background);
        if scheduler.pick(&waiting, now).contains(&200) {
            return now - start;
        }
        now += Duration::from_millis(100);
        assert!(now - start < Duration::from_secs(60), "starved");
    }
}

#[test]
fn a_flood_of_queries_does_not_delay_a_background_text_beyond_its_deadline() {
    let start = Instant::now();
    for (priority, tokens) in [
        (Priority::Interactive, 2048),
        (Priority::Bulk, 12),
        (Priority::Bulk, 2048),
    ] {
        let background = demand(priority, tokens, start);
        let waited = wait_in_a_flood_of_queries(background, start);
        assert!(
            start + waited <= background.deadline + Duration::from_millis(100),
            "{waited:?}"
        );
    }
}

#[test]
fn overdue_bulk_and_a_flood_of_queries_share_the_encoder_equally() {
    for layout in LAYOUTS {
        let start = Instant::now();
        let now = start + Duration::from_secs(60);
        let mut scheduler = scheduler(layout);
        let mut cost = [0, 0];
        for _ in 0..400 {
            let mut waiting = vec![demand(Priority::Interactive, 12, now); 10];
            waiting.extend(vec![demand(Priority::Bulk, 100, start); 10]);
            let batch = scheduler.pick(&waiting, now);
            let bulk = usize::from(waiting[batch[0]].priority == Priority::Bulk);
            cost[bulk] += batch.len() * waiting[batch[0]].tokens;
        }
        let ratio = cost[0] as f64 / cost[1] as f64;
        assert!((0.8..1.25).contains(&ratio), "{cost:?}");
    }
}

#[test]
fn picking_from_a_full_queue_takes_far_less_than_a_pass_through_the_model() {
    let mut random = numbers(7);
    let now = Instant::now();
    let waiting: Vec<Demand> = (0..1024)
        .map(|_| {
            demand(
                Priority::Bulk,
                1 + random(256),
                now + Duration::from_micros(random(9999) as u64),
            )
        })
        .collect();
    let mut scheduler = scheduler(BatchLayout::Concatenated);
    let times = (0..50).map(|_| {
        let begin = Instant::now();
        scheduler.pick(&waiting, now);
        begin.elapsed()
    });
    // The fastest run counts: on a busy machine the others are interrupted.
    assert!(times.min() < Some(Duration::from_millis(5)));
}
