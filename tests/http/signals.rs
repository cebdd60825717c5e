//! A server in a process of its own, because a signal reaches everything in its process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::json;

use crate::support::server::{Answer, TestServer, send};
use crate::support::{WAIT, wait_until};

/// Precedes the address in the child's output.
const ADDRESS: &str = "address=";

#[test]
#[ignore = "runs in a process of its own, started by the test below"]
fn a_server_in_a_process_of_its_own() {
    let server = TestServer::start();
    println!("{ADDRESS}{}", server.url(""));
    server.script.wait_for_batches(1);
    std::thread::sleep(Duration::from_millis(500));
    server.script.release();
    assert_eq!(
        format!("{:?}", server.exit_code()),
        format!("{:?}", std::process::ExitCode::SUCCESS)
    );
}

/// Sends `signal` to a server while it answers a request; gives that answer and whether the server ended well.
fn stop_by(signal: &str) -> (Answer, bool) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--nocapture",
            "--exact",
            "http::signals::a_server_in_a_process_of_its_own",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let address = lines
        .find_map(|line| Some(line.split_once(ADDRESS)?.1.to_owned()))
        .unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let body = json!({"input": {"query": WAIT}}).to_string();
    let running = client.post(format!("{address}/runsync")).body(body);
    let running = std::thread::spawn(move || send(running));
    wait_until("the request to run", || {
        let health = send(client.get(format!("{address}/health"))).json();
        health["jobs"]["inProgress"] == 1
    });
    let kill = format!("kill -{signal} {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    let answer = running.join().unwrap();
    (answer, child.wait().unwrap().success())
}

#[test]
fn a_signal_lets_the_running_request_end_and_the_program_with_success() {
    for signal in ["TERM", "INT"] {
        let (answer, ended_well) = stop_by(signal);
        assert_eq!(answer.json()["status"], "COMPLETED", "{signal}");
        assert!(ended_well, "{signal}");
    }
}
