//! What must hold of everything that a worker sent.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{KEY, POD, Platform, Post, Request, Route, State};

/// After so many refusals a result may be replaced by an error.
const REFUSALS: usize = 2;
/// How long a heartbeat may be on its way that was sent before the worker had a job.
const ON_THE_WAY: Duration = Duration::from_secs(1);
/// How long a job may be on its way to a worker that does not ask for another.
const DELIVERY: Duration = Duration::from_secs(30);

impl Platform {
    /// Fails unless every rule was kept that holds whatever goes wrong: jobs answered and always with the same bytes,
    /// one take at a time, heartbeats that name every job without an answer, and the right headers.
    #[track_caller]
    pub fn check(&self) {
        let state = self.shared.lock();
        state.check_answers();
        state.check_heartbeats();
        assert!(
            state.most_open_takes <= 1,
            "{} takes at once",
            state.most_open_takes
        );
        state.requests.iter().for_each(check_request);
    }

    /// The most requests to `route` that arrived within `time`.
    pub fn busiest(&self, route: Route, time: Duration) -> usize {
        let arrivals: Vec<Instant> = self
            .requests(route)
            .iter()
            .map(|request| request.at)
            .collect();
        let within = |begin: &Instant| {
            let window = arrivals
                .iter()
                .filter(|at| *at >= begin && **at - *begin < time);
            window.count()
        };
        arrivals.iter().map(within).max().unwrap_or_default()
    }
}

/// What a job was answered with.
#[derive(Clone, Copy)]
struct Body<'a> {
    bytes: &'a [u8],
    /// How often the job had been handed out when these bytes first arrived.
    deliveries: usize,
    /// How often they were refused.
    refusals: usize,
}

impl Body<'_> {
    /// What was refused twice may be replaced, and what has failed may be run again when it is asked for again.
    fn may_become(&self, next: &Body<'_>) -> bool {
        let has_failed = self.bytes.starts_with(br#"{"error""#);
        self.refusals >= REFUSALS || (has_failed && next.deliveries > self.deliveries)
    }
}

impl State {
    #[track_caller]
    fn check_answers(&self) {
        let mut bodies: BTreeMap<&str, Body<'_>> = BTreeMap::new();
        for post in &self.posts {
            let body = Body {
                bytes: &post.body,
                deliveries: self.deliveries(post),
                refusals: 0,
            };
            let last = bodies.entry(&post.id).or_insert(body);
            if last.bytes != body.bytes {
                assert!(
                    last.may_become(&body),
                    "{} was answered in two ways",
                    post.id
                );
                *last = body;
            }
            last.refusals += usize::from([400, 413, 422].contains(&post.status));
        }
        for id in self.held.keys().filter(|id| !self.stopped.contains(*id)) {
            assert!(bodies.contains_key(id.as_str()), "{id} was never answered");
        }
        for id in &self.stopped {
            assert!(
                !bodies.contains_key(id.as_str()),
                "{id} was stopped and answered"
            );
        }
    }

    /// How often a job had been handed out when an answer to it arrived.
    fn deliveries(&self, post: &Post) -> usize {
        let handed = self.held.get(&post.id).into_iter().flatten();
        handed.filter(|(handed, _)| *handed < post.at).count()
    }

    #[track_caller]
    fn check_heartbeats(&self) {
        let mut takes: Vec<Instant> = self
            .requests
            .iter()
            .filter(|request| request.route == Route::Take)
            .map(|take| take.at)
            .collect();
        takes.sort_unstable();
        // Who asks for the next jobs has the last ones.
        let arrival = |handed: Instant| {
            let next = takes.get(takes.partition_point(|take| *take <= handed));
            next.map_or(handed + DELIVERY, |next| (*next).min(handed + DELIVERY))
        };
        let pings = self
            .requests
            .iter()
            .filter(|request| request.route == Route::Ping);
        for ping in pings {
            let named = ping.jobs();
            let is_held = |(handed, released): &(Instant, Option<Instant>)| {
                released.is_none_or(|released| released > ping.at)
                    && arrival(*handed) + ON_THE_WAY < ping.at
            };
            let held = self
                .held
                .iter()
                .filter(|(id, handed)| !self.stopped.contains(*id) && handed.iter().any(is_held));
            for (id, _) in held {
                assert!(
                    named.contains(id),
                    "a heartbeat names {named:?} and not {id}"
                );
            }
        }
    }
}

#[track_caller]
fn check_request(request: &Request) {
    assert_eq!(request.header("authorization"), Some(KEY), "{request:?}");
    assert_eq!(request.header("cookie"), None, "{request:?}");
    assert!(request.path.contains(POD), "{request:?}");
    match request.route {
        Route::Take => {
            assert!(
                ["0", "1"]
                    .map(str::to_owned)
                    .map(Some)
                    .contains(&request.parameter("job_in_progress"))
            );
            assert!(
                request.query.starts_with("gpu=NVIDIA+RTX+A5000&"),
                "{request:?}"
            );
        }
        Route::Post => check_post(request),
        Route::Ping => assert!(request.parameter("runpod_version").is_some(), "{request:?}"),
        Route::Stop => assert_eq!(request.query, "gpu=NVIDIA+RTX+A5000", "{request:?}"),
        Route::Unknown => panic!("{request:?}"),
    }
}

#[track_caller]
fn check_post(request: &Request) {
    assert_eq!(request.method, "POST");
    assert_eq!(request.query, "gpu=NVIDIA+RTX+A5000&isStream=false");
    for (name, value) in [
        ("content-type", "application/x-www-form-urlencoded"),
        ("charset", "utf-8"),
    ] {
        assert_eq!(request.header(name), Some(value), "{request:?}");
    }
    assert_eq!(request.header("transfer-encoding"), None, "{request:?}");
    assert!(
        request
            .header("x-request-id")
            .is_some_and(|id| !id.is_empty()),
        "{request:?}"
    );
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let fields: Vec<_> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert!(
        fields == ["output"] || (fields == ["error"] && body["error"].is_string()),
        "{body}"
    );
}
