//! RunPod's side of the queue on loopback: it delivers jobs, accepts results, and has scripted faults.
//!
//! Every request is recorded, so that a test can check the protocol; see [`Platform::check`].

mod check;
mod exchange;
mod fault;
mod record;
mod serve;
mod worker;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use fault::{Fault, RandomFaults};
pub use record::{Post, Request, Route};
pub use worker::{KEY, POD, QueueWorker};

/// Longest wait of a test.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How long a take is held when there is no job.
const HOLD: Duration = Duration::from_millis(400);

/// The platform; it closes at the end of the test.
pub struct Platform {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// State shared by the connections.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    is_closed: AtomicBool,
}

/// A queued job: its JSON, and its id if it has one.
#[derive(Clone)]
struct Job {
    id: Option<String>,
    payload: Vec<u8>,
}

struct State {
    queue: VecDeque<Job>,
    stops: VecDeque<Vec<String>>,
    faults: HashMap<Route, VecDeque<Fault>>,
    random: Option<RandomFaults>,
    hold: Duration,
    /// Whether held responses are sent.
    is_released: bool,
    requests: Vec<Request>,
    posts: Vec<Post>,
    /// When each job was delivered, and when the worker received the acknowledgement of its answer.
    held: BTreeMap<String, Vec<(Instant, Option<Instant>)>>,
    /// Jobs that were delivered and neither answered nor stopped.
    pending: BTreeSet<String>,
    stopped: BTreeSet<String>,
    /// Jobs that were stopped when they may have been answered already.
    perhaps_stopped: BTreeSet<String>,
    open_takes: usize,
    most_open_takes: usize,
}

impl Platform {
    /// Listens on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                stops: VecDeque::new(),
                faults: HashMap::new(),
                random: None,
                hold: HOLD,
                is_released: false,
                requests: Vec::new(),
                posts: Vec::new(),
                held: BTreeMap::new(),
                pending: BTreeSet::new(),
                stopped: BTreeSet::new(),
                perhaps_stopped: BTreeSet::new(),
                open_takes: 0,
                most_open_takes: 0,
            }),
            changed: Condvar::new(),
            is_closed: AtomicBool::new(false),
        });
        serve::accept(listener, &shared);
        Self { shared, address }
    }

    /// Address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Queues a job.
    pub fn submit(&self, id: &str, input: &Value) {
        self.submit_raw(
            Some(id),
            json!({"id": id, "input": input, "webhook": null})
                .to_string()
                .as_bytes(),
        );
    }

    /// Queues a payload that may be invalid, with its id if it has one.
    pub fn submit_raw(&self, id: Option<&str>, payload: &[u8]) {
        let job = Job {
            id: id.map(str::to_owned),
            payload: payload.to_vec(),
        };
        self.change(|state| state.queue.push_back(job));
    }

    /// Asks the worker to stop jobs.
    pub fn stop_jobs(&self, ids: &[&str]) {
        let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.change(|state| {
            state.stopped.extend(ids.iter().cloned());
            state.pending.retain(|id| !ids.contains(id));
            state.stops.push_back(ids);
        });
    }

    /// Asks the worker to stop a job that it has, if it has any. It may answer it nevertheless.
    pub fn stop_any_job(&self) {
        self.change(|state| {
            if let Some(id) = state.pending.pop_first() {
                state.queue.retain(|job| job.id.as_ref() != Some(&id));
                state.perhaps_stopped.insert(id.clone());
                state.stops.push_back(vec![id]);
            }
        });
    }

    /// Adds faults for the next requests to `route`, one for each.
    pub fn script(&self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        self.change(|state| state.faults.entry(route).or_default().extend(faults));
    }

    /// Sends the responses that are held.
    pub fn release(&self) {
        self.change(|state| state.is_released = true);
    }

    /// Removes all scripted faults.
    pub fn recover(&self) {
        self.change(|state| state.faults.clear());
    }

    /// Makes some requests fail at random.
    pub fn at_random(&self, faults: RandomFaults) {
        self.change(|state| state.random = Some(faults));
    }

    /// How long a take is held when there is no job.
    pub fn hold(&self, hold: Duration) {
        self.change(|state| state.hold = hold);
    }

    /// Every request so far.
    pub fn requests(&self, route: Route) -> Vec<Request> {
        let state = self.shared.lock();
        let requests = state.requests.iter();
        requests
            .filter(|request| request.route == route)
            .cloned()
            .collect()
    }

    /// Every attempt to post a result of a job.
    pub fn posts(&self, id: &str) -> Vec<Post> {
        let state = self.shared.lock();
        state
            .posts
            .iter()
            .filter(|post| post.id == id)
            .cloned()
            .collect()
    }

    /// The result that was accepted for a job.
    #[track_caller]
    pub fn answer(&self, id: &str) -> Value {
        self.wait_for(&format!("an answer to {id}"), |state| state.is_answered(id));
        let posts = self.posts(id);
        let accepted = posts.iter().find(|post| post.is_accepted).unwrap();
        serde_json::from_slice(&accepted.body).unwrap()
    }

    /// Waits until every submitted job has been delivered and answered.
    #[track_caller]
    pub fn wait_until_done(&self) {
        self.wait_for("every answer", |state| {
            state.queue.is_empty() && state.pending.is_empty()
        });
    }

    /// Waits until `count` jobs have been answered.
    #[track_caller]
    pub fn wait_for_answers(&self, count: usize) {
        self.wait_for(&format!("{count} answers"), |state| {
            state.held.len() - state.pending.len() >= count
        });
    }

    /// Waits until a job has been delivered `times` times.
    #[track_caller]
    pub fn wait_until_delivered(&self, id: &str, times: usize) {
        self.wait_for(&format!("{id} to be delivered"), |state| {
            state
                .held
                .get(id)
                .is_some_and(|handed| handed.len() >= times)
        });
    }

    /// Waits until a heartbeat names a job, so the worker has it.
    #[track_caller]
    pub fn wait_until_named(&self, id: &str) {
        self.wait_for(&format!("{id} in a heartbeat"), |state| {
            let last = state
                .requests
                .iter()
                .rfind(|request| request.route == Route::Ping);
            last.is_some_and(|ping| ping.jobs().iter().any(|job| job == id))
        });
    }

    /// Waits for a heartbeat without a job, so the worker has none.
    #[track_caller]
    pub fn wait_until_nothing_is_named(&self) {
        self.wait_for("a heartbeat without a job", |state| {
            let last = state
                .requests
                .iter()
                .rfind(|request| request.route == Route::Ping);
            last.is_some_and(|ping| ping.jobs().is_empty())
        });
    }

    /// Waits until `route` has received `count` requests.
    #[track_caller]
    pub fn wait_for_requests(&self, route: Route, count: usize) {
        self.wait_for(&format!("{count} requests to {route:?}"), |state| {
            state.count(route) >= count
        });
    }

    /// Waits for the next request to `route`.
    #[track_caller]
    pub fn wait_for_next(&self, route: Route) {
        self.wait_for_requests(route, self.requests(route).len() + 1);
    }

    /// Time from a job's first delivery to its first post.
    pub fn turnaround(&self, id: &str) -> Duration {
        let posted = self.posts(id)[0].at;
        posted - self.shared.lock().held[id][0].0
    }

    /// The different answers that were accepted for each job.
    pub fn accepted(&self) -> BTreeMap<String, BTreeSet<Vec<u8>>> {
        let state = self.shared.lock();
        let mut answers = BTreeMap::<_, BTreeSet<_>>::new();
        for post in state.posts.iter().filter(|post| post.is_accepted) {
            let different = answers.entry(post.id.clone()).or_default();
            different.insert(post.body.clone());
        }
        answers
    }

    /// Number of jobs that wait for a take.
    pub fn queued(&self) -> usize {
        self.shared.lock().queue.len()
    }

    /// Number of different jobs that were delivered.
    pub fn delivered(&self) -> usize {
        self.shared.lock().held.len()
    }

    /// The jobs that [`Platform::stop_any_job`] has stopped.
    pub fn perhaps_stopped(&self) -> BTreeSet<String> {
        self.shared.lock().perhaps_stopped.clone()
    }

    /// Number of jobs with an accepted answer.
    pub fn answered(&self) -> usize {
        self.accepted().len()
    }

    #[track_caller]
    fn wait_for(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let begin = Instant::now();
        let mut state = self.shared.lock();
        while !condition(&state) {
            assert!(begin.elapsed() < TIMEOUT, "timed out waiting for {what}");
            let step = Duration::from_millis(100);
            state = self.shared.changed.wait_timeout(state, step).unwrap().0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.lock());
        self.shared.changed.notify_all();
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts connections.
        let _ = std::net::TcpStream::connect(self.address);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn is_answered(&self, id: &str) -> bool {
        self.held.contains_key(id) && !self.pending.contains(id)
    }

    fn count(&self, route: Route) -> usize {
        self.requests
            .iter()
            .filter(|request| request.route == route)
            .count()
    }
}
