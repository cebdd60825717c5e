//! A model hub on loopback with repositories, which answers as Hugging Face does: a description of each revision, small files
//! directly, and large ones by a redirect to another host.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use runpod_query::artifacts::Sha256;
use serde_json::{Value, json};

use super::hub::{Answer, Hub, Request};
use crate::support::golden::path;
use crate::support::models::CHECKPOINT_FILES;

/// The repository of these tests.
pub const REPOSITORY: &str = "acme/tiny";

/// Digits of a commit.
const COMMIT_DIGITS: usize = 40;

/// The files of one commit, by path.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Default)]
struct State {
    commits: BTreeMap<String, Files>,
    /// Commits by branch, tag and their own name.
    revisions: BTreeMap<String, String>,
    /// Only who sends it may read the repository.
    token: Option<String>,
    /// Only who sends it may read the files; everybody may list them.
    gate: Option<String>,
    /// Added to the size of each small file in the list.
    excess_bytes: usize,
    /// Where large files are.
    storage: String,
}

/// The hub, with [`REPOSITORY`].
pub struct RepositoryHub {
    state: Arc<Mutex<State>>,
    hub: Hub,
    storage: Hub,
}

impl RepositoryHub {
    /// A hub whose repository has one commit on `main`.
    pub fn with(files: Files) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let of_storage = Arc::clone(&state);
        let storage = Hub::start(
            Vec::new(),
            Box::new(move |request| from_storage(&lock(&of_storage), request)),
        );
        lock(&state).storage = storage.url();
        let of_hub = Arc::clone(&state);
        let hub = Hub::start(
            Vec::new(),
            Box::new(move |request| answer(&lock(&of_hub), request)),
        );
        let hub = Self {
            state,
            hub,
            storage,
        };
        hub.push("main", files);
        hub
    }

    /// A hub whose repository is a fixture.
    pub fn with_fixture(name: &str) -> Self {
        Self::with(fixture(name))
    }

    /// Adds a commit and moves a branch to it.
    pub fn push(&self, branch: &str, files: Files) -> String {
        let mut state = lock(&self.state);
        let commit = &Sha256::of(&state.commits.len().to_le_bytes()).to_string()[..COMMIT_DIGITS];
        let commit = commit.to_owned();
        state.commits.insert(commit.clone(), files);
        state.revisions.insert(commit.clone(), commit.clone());
        state.revisions.insert(branch.to_owned(), commit.clone());
        commit
    }

    /// The commit of a revision.
    pub fn commit(&self, revision: &str) -> String {
        lock(&self.state).revisions[revision].clone()
    }

    /// Makes the repository private.
    pub fn set_token(&self, token: &str) {
        lock(&self.state).token = Some(token.to_owned());
    }

    /// Makes the repository gated.
    pub fn set_gate(&self, token: &str) {
        lock(&self.state).gate = Some(token.to_owned());
    }

    /// Lists each small file with a byte more than it has.
    pub fn list_wrong_sizes(&self) {
        lock(&self.state).excess_bytes = 1;
    }

    pub fn url(&self) -> String {
        self.hub.url()
    }

    /// The requests to the hub itself.
    pub fn requests(&self) -> Vec<Request> {
        self.hub.requests()
    }

    /// The requests to the host that it redirects to.
    pub fn storage_requests(&self) -> Vec<Request> {
        self.storage.requests()
    }

    /// How many requests there were to both.
    pub fn request_count(&self) -> usize {
        self.requests().len() + self.storage_requests().len()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}

/// The files of a fixture, and some that no exporter reads.
pub fn fixture(name: &str) -> Files {
    let mut files = Files::new();
    for file in CHECKPOINT_FILES {
        let content = std::fs::read(path(&format!("fixtures/{name}/{file}"))).unwrap();
        files.insert(file.to_owned(), content);
    }
    for unneeded in ["README.md", "pytorch_model.bin", "onnx/model.onnx"] {
        files.insert(unneeded.to_owned(), b"not needed".to_vec());
    }
    files
}

fn is_large(path: &str) -> bool {
    path.ends_with(".safetensors") || path.ends_with(".bin")
}

fn answer(state: &State, request: &Request) -> Answer {
    let has = |token: &String| request.header("authorization") == Some(&format!("Bearer {token}"));
    if !state.token.as_ref().is_none_or(has) {
        return Answer::status(401).with("X-Error-Code", "RepoNotFound");
    }
    let described = request
        .path
        .strip_prefix(&format!("/api/models/{REPOSITORY}/revision/"))
        .and_then(|rest| rest.strip_suffix("?blobs=true"));
    if let Some(revision) = described {
        let revision = revision.replace("%2E", ".").replace("%2F", "/");
        return match state.revisions.get(&revision) {
            Some(commit) => {
                let description = describe(state, commit);
                Answer::whole(description.to_string().as_bytes(), commit)
            }
            None => Answer::status(404).with("X-Error-Code", "RevisionNotFound"),
        };
    }
    if !state.gate.as_ref().is_none_or(has) {
        return Answer::status(403).with("X-Error-Code", "GatedRepo");
    }
    let file = request
        .path
        .strip_prefix(&format!("/{REPOSITORY}/resolve/"))
        .and_then(|rest| rest.split_once('/'));
    let found = file.and_then(|(commit, path)| Some((path, state.commits.get(commit)?.get(path)?)));
    match found {
        Some((path, content)) if is_large(path) => {
            let hash = Sha256::of(content);
            Answer::status(302)
                .with("X-Linked-Etag", &format!("\"{hash}\""))
                .with("Location", &format!("{}/{hash}", state.storage))
        }
        Some((_, content)) => Answer::proper(content, "small", request),
        None => Answer::status(404).with("X-Error-Code", "RepoNotFound"),
    }
}

fn describe(state: &State, commit: &str) -> Value {
    let siblings: Vec<Value> = state.commits[commit]
        .iter()
        .map(|(path, content)| {
            let mut sibling = json!({
                "rfilename": path,
                "size": content.len() + state.excess_bytes,
                "blobId": "0123456789012345678901234567890123456789",
            });
            if is_large(path) {
                sibling["lfs"] = json!({
                    "sha256": Sha256::of(content).to_string(),
                    "size": content.len(),
                    "pointerSize": 134,
                });
            }
            sibling
        })
        .collect();
    json!({
        "id": REPOSITORY,
        "sha": commit,
        "cardData": { "license": "apache-2.0" },
        "siblings": siblings,
    })
}

fn from_storage(state: &State, request: &Request) -> Answer {
    let files = state.commits.values().flat_map(BTreeMap::values);
    let wanted = request.path.trim_start_matches('/');
    match files
        .into_iter()
        .find(|content| Sha256::of(content).to_string() == wanted)
    {
        Some(content) => Answer::proper(content, wanted, request),
        None => Answer::status(404),
    }
}
