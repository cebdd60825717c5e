//! Rules that all requests of a worker must keep.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{KEY, POD, Platform, Post, Request, Route, State};

/// After this many rejections a result may be replaced by an error.
const REFUSALS: usize = 2;
/// Longest transit of a heartbeat that was sent before the worker received a job.
const ON_THE_WAY: Duration = Duration::from_secs(1);
/// Longest transit of a job to a worker that does not send another take.
const DELIVERY: Duration = Duration::from_secs(30);

impl Platform {
    /// Fails unless the rules that hold under all faults were kept: every job is answered, always with the same bytes; one
    /// take at a time; heartbeats name every unanswered job; the headers are right.
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

/// The answer to a job.
#[derive(Clone, Copy)]
struct Body<'a> {
    bytes: &'a [u8],
    /// Number of deliveries of the job when these bytes first arrived.
    deliveries: usize,
    /// Number of rejections.
    refusals: usize,
}

impl Body<'_> {
    /// A result that was rejected twice may be replaced. A failed job may run again after another delivery.
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
        for id in self.held.keys().filter(|id| !self.is_stopped(id)) {
            assert!(bodies.contains_key(id.as_str()), "{id} was never answered");
        }
        for id in &self.stopped {
            assert!(
                !bodies.contains_key(id.as_str()),
                "{id} was stopped and answered"
            );
        }
    }

    fn is_stopped(&self, id: &str) -> bool {
        self.stopped.contains(id) || self.perhaps_stopped.contains(id)
    }

    /// Number of deliveries of a job when an answer to it arrived.
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
        // A worker that asks for the next jobs has received the last ones.
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
                .filter(|(id, handed)| !self.is_stopped(id) && handed.iter().any(is_held));
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
