//! The platform's answers, right or wrong.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;

use super::exchange::{Answer, Exchange};
use super::{Fault, Job, Post, Request, Route, Shared, State};

/// Longest time until a connection that the worker has closed is noticed on a busy machine.
const NOTICE: Duration = Duration::from_secs(10);
/// How often a held request looks whether its worker has gone.
const LOOK: Duration = Duration::from_millis(20);
/// Jobs between the two deliveries of a job that is delivered twice.
const REPEATED_AFTER: usize = 100;
/// What the real platform calls its answers.
const JSON: (&str, &str) = ("content-type", "application/json");

/// Serves every connection on a thread of its own.
pub fn accept(listener: TcpListener, shared: &Arc<Shared>) {
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if shared.is_closed.load(Ordering::Relaxed) {
                return;
            }
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || converse(&shared, Exchange::new(stream.unwrap())));
        }
    });
}

fn converse(shared: &Shared, mut exchange: Exchange) {
    while let Some(request) = exchange.next() {
        let fault = shared.note(&request);
        let stands = match fault {
            Some(Fault::Status(status)) => exchange.answer(&bare(status)),
            Some(Fault::RetryAfter(status, seconds)) => exchange.answer(&Answer {
                headers: vec![("retry-after", seconds)],
                ..bare(status)
            }),
            Some(Fault::Redirect(status, address)) => exchange.answer(&Answer {
                headers: vec![("location", address)],
                ..bare(status)
            }),
            Some(Fault::Hang) => shared.hang(&exchange),
            Some(Fault::Reset) => {
                exchange.reset();
                false
            }
            Some(Fault::Body(body)) => exchange.answer(&Answer {
                status: 200,
                headers: vec![JSON],
                body: &body,
            }),
            Some(Fault::Slow(pause)) => {
                std::thread::sleep(pause);
                shared.serve(&mut exchange, &request, None)
            }
            Some(Fault::Held) => {
                shared.wait_for_release();
                shared.serve(&mut exchange, &request, None)
            }
            None if request.route == Route::Unknown => exchange.answer(&bare(404)),
            fault => shared.serve(&mut exchange, &request, fault),
        };
        if !stands {
            return;
        }
    }
}

fn bare(status: u16) -> Answer<'static> {
    Answer {
        status,
        headers: Vec::new(),
        body: b"",
    }
}

impl Shared {
    /// Writes a request down and tells what is to go wrong with it.
    fn note(&self, request: &Request) -> Option<Fault> {
        let mut state = self.lock();
        let scripted = state
            .faults
            .get_mut(&request.route)
            .and_then(|faults| faults.pop_front());
        let by_chance = |state: &mut State| state.random.as_mut()?.next(request.route);
        let fault = scripted.or_else(|| by_chance(&mut state));
        if request.route == Route::Post {
            let status = match &fault {
                Some(
                    Fault::Status(status)
                    | Fault::RetryAfter(status, _)
                    | Fault::Redirect(status, _),
                ) => *status,
                Some(Fault::Reset | Fault::Hang) => 0,
                Some(_) | None => 200,
            };
            state.note_post(request, status, fault.as_ref());
        }
        state.requests.push(request.clone());
        drop(state);
        self.changed.notify_all();
        fault
    }

    fn serve(&self, exchange: &mut Exchange, request: &Request, fault: Option<Fault>) -> bool {
        match request.route {
            Route::Take => self.serve_take(exchange, request, fault),
            Route::Stop => self.serve_stop(exchange, fault),
            Route::Post | Route::Ping | Route::Unknown => match fault {
                Some(Fault::LostAcknowledgement) => {
                    exchange.reset();
                    false
                }
                fault => send(exchange, 200, b"{}", fault.as_ref()),
            },
        }
    }

    fn serve_take(&self, exchange: &mut Exchange, request: &Request, fault: Option<Fault>) -> bool {
        self.open_take();
        let wanted = request
            .parameter("batch_size")
            .map_or(1, |size| size.parse().unwrap());
        let jobs = self.jobs(exchange, wanted, fault.as_ref());
        self.lock().open_takes -= 1;
        let Some(jobs) = jobs else {
            return false;
        };
        if jobs.is_empty() {
            return exchange.answer(&bare(204));
        }
        let payloads: Vec<_> = jobs.iter().map(|job| job.payload.as_slice()).collect();
        let body = if request.path.contains("/job-take-batch/") {
            [b"[", payloads.join(&b","[..]).as_slice(), b"]"].concat()
        } else {
            payloads.concat()
        };
        send(exchange, 200, &body, fault.as_ref())
    }

    /// Until the worker goes.
    fn hang(&self, exchange: &Exchange) -> bool {
        while !exchange.is_gone() && !self.is_closed.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
        }
        false
    }

    /// A worker that has closed its last take may be noticed a moment late.
    fn open_take(&self) {
        let begin = Instant::now();
        while self.lock().open_takes > 0 && begin.elapsed() < NOTICE {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut state = self.lock();
        state.open_takes += 1;
        state.most_open_takes = state.most_open_takes.max(state.open_takes);
    }

    fn wait_for_release(&self) {
        let mut state = self.lock();
        while !state.is_released && !self.is_closed.load(Ordering::Relaxed) {
            state = self.changed.wait_timeout(state, LOOK).unwrap().0;
        }
    }

    /// Waits for jobs and hands them out; nothing when the worker goes meanwhile.
    fn jobs(&self, exchange: &Exchange, wanted: usize, fault: Option<&Fault>) -> Option<Vec<Job>> {
        let begin = Instant::now();
        let mut state = self.lock();
        loop {
            if exchange.is_gone() || self.is_closed.load(Ordering::Relaxed) {
                return None;
            }
            let count = wanted.min(state.queue.len());
            if count > 0 || begin.elapsed() >= state.hold {
                // In the same moment, so that a job is never neither in the queue nor handed out.
                let jobs: Vec<Job> = state.queue.drain(..count).collect();
                state.hand_out(&jobs, fault);
                return Some(jobs);
            }
            state = self.changed.wait_timeout(state, LOOK).unwrap().0;
        }
    }

    fn serve_stop(&self, exchange: &mut Exchange, fault: Option<Fault>) -> bool {
        let begin = Instant::now();
        let mut state = self.lock();
        loop {
            if exchange.is_gone() || self.is_closed.load(Ordering::Relaxed) {
                return false;
            }
            if let Some(ids) = state.stops.pop_front() {
                let body = json!({ "jobsToStop": ids }).to_string();
                return send(exchange, 200, body.as_bytes(), fault.as_ref());
            }
            if begin.elapsed() >= state.hold {
                return exchange.answer(&bare(204));
            }
            state = self.changed.wait_timeout(state, LOOK).unwrap().0;
        }
    }
}

impl State {
    fn hand_out(&mut self, jobs: &[Job], fault: Option<&Fault>) {
        if fault == Some(&Fault::Truncated) {
            // The platform learns that the worker did not get them, and hands them out again.
            self.queue.extend(jobs.iter().cloned());
            return;
        }
        let now = Instant::now();
        for id in jobs.iter().filter_map(|job| job.id.clone()) {
            self.pending.insert(id.clone());
            self.held.entry(id).or_default().push((now, None));
        }
        if fault == Some(&Fault::Duplicated) {
            self.repeat(jobs);
        }
    }

    /// Queues jobs once more, for a little later: what a worker remembers is bounded.
    fn repeat(&mut self, jobs: &[Job]) {
        let place = self.queue.len().min(REPEATED_AFTER);
        for job in jobs {
            self.queue.insert(place, job.clone());
        }
    }

    fn note_post(&mut self, request: &Request, status: u16, fault: Option<&Fault>) {
        let name = request.path.rsplit('/').next().unwrap();
        let id = percent_encoding::percent_decode_str(name)
            .decode_utf8()
            .unwrap()
            .into_owned();
        let is_accepted = (200..300).contains(&status);
        self.posts.push(Post {
            id: id.clone(),
            at: request.at,
            body: request.body.clone(),
            status,
            is_accepted,
        });
        let learns = !matches!(fault, Some(Fault::LostAcknowledgement));
        if (is_accepted && learns) || status == 404 || status == 410 {
            let held = self
                .held
                .get_mut(&id)
                .unwrap_or_else(|| panic!("nobody knows {id}"));
            for (_, released) in held {
                released.get_or_insert_with(Instant::now);
            }
            self.pending.remove(&id);
        }
    }
}

fn send(exchange: &mut Exchange, status: u16, body: &[u8], fault: Option<&Fault>) -> bool {
    let content_type = match fault {
        Some(Fault::ContentType(content_type)) => ("content-type", *content_type),
        Some(_) | None => JSON,
    };
    let answer = Answer {
        status,
        headers: vec![content_type],
        body,
    };
    if fault == Some(&Fault::Truncated) {
        exchange.truncate(&answer);
        return false;
    }
    exchange.answer(&answer)
}
