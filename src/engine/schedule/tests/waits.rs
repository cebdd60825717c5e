//! Which texts wait for which others.

use super::*;

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
