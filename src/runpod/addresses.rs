//! RunPod's URLs, from the templates in the environment. All of them are secrets.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use super::Error;
use crate::config::{self, QueueVariable, Secret};
use crate::jobs::JobId;

/// Placeholder of the worker's name, in every template.
const WORKER: &str = "$RUNPOD_POD_ID";
/// Placeholder of the worker's name in the URL of takes, and of the job's id in the URL of results.
const ID: &str = "$ID";
/// Placeholder of the machine's type, in every template.
const GPU_TYPE: &str = "$RUNPOD_GPU_TYPE_ID";
/// The part of the path that differs between a take of one job, a take of several, and the stop channel.
const TAKE: &str = "/job-take/";
const TAKE_BATCH: &str = "/job-take-batch/";
const STOP: &str = "/job-stop/";
/// The release of RunPod's SDK whose protocol this is; heartbeats name it.
const PROTOCOL_VERSION: &str = "1.12.0";
/// Longest reason that RunPod accepts from an unhealthy worker.
const REASON_CHARACTERS: usize = 256;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The addresses of one worker.
pub struct Addresses {
    take: String,
    post: String,
    ping: Option<String>,
}

impl Addresses {
    /// Fills the templates of `settings`; `take` is the one that jobs are taken from.
    pub fn new(
        settings: &config::QueueSettings,
        take: &Secret,
        worker: &str,
    ) -> Result<Self, Error> {
        let post = settings
            .post_output_url
            .as_ref()
            .ok_or(Error::NoPostAddress)?;
        let gpu_type = encode(settings.gpu_type_id.as_deref().unwrap_or_default());
        let shared = |template: &Secret| {
            let template = template.expose().trim();
            template
                .replace(WORKER, &encode(worker))
                .replace(GPU_TYPE, &gpu_type)
        };
        let of_worker = |template: &Secret| shared(template).replace(ID, &encode(worker));
        let addresses = Self {
            take: of_worker(take),
            post: shared(post),
            ping: settings.ping_url.as_ref().map(of_worker),
        };
        check(QueueVariable::GET_JOB, &addresses.take)?;
        check(QueueVariable::POST_OUTPUT, &addresses.post)?;
        if let Some(ping) = &addresses.ping {
            check(QueueVariable::PING, ping)?;
        }
        Ok(addresses)
    }

    /// Whether several jobs can be taken at once, and taken jobs be stopped.
    pub fn has_siblings(&self) -> bool {
        self.take.contains(TAKE)
    }

    /// URL of a take of up to `wanted` jobs; `busy`: the worker holds unfinished ones.
    pub fn take(&self, wanted: usize, busy: bool) -> String {
        let busy = format!("job_in_progress={}", u8::from(busy));
        if wanted > 1 && self.has_siblings() {
            let batch = self.take.replacen(TAKE, TAKE_BATCH, 1);
            with_query(&batch, &format!("batch_size={wanted}&{busy}"))
        } else {
            with_query(&self.take, &busy)
        }
    }

    /// URL of the stop channel.
    pub fn stop(&self) -> Option<String> {
        self.has_siblings()
            .then(|| self.take.replacen(TAKE, STOP, 1))
    }

    /// URL of the result of the job `id`.
    pub fn post(&self, id: &JobId) -> String {
        with_query(
            &self.post.replace(ID, &encode(id.as_str())),
            "isStream=false",
        )
    }

    /// URL of a heartbeat for the jobs `ids`.
    pub fn ping<'a>(&self, ids: impl Iterator<Item = &'a JobId>) -> Option<String> {
        let ids: Vec<_> = ids.map(JobId::as_str).collect();
        let version = format!("runpod_version={PROTOCOL_VERSION}");
        let query = if ids.is_empty() {
            version
        } else {
            format!("job_id={}&{version}", encode(&ids.join(",")))
        };
        Some(with_query(self.ping.as_deref()?, &query))
    }

    /// URL at which a worker reports that it is unhealthy, because `check` failed at its start.
    pub fn unhealthy(&self, check: &str, reason: &str) -> Option<String> {
        let reason: String = reason.chars().take(REASON_CHARACTERS).collect();
        let query = format!(
            "status=unhealthy&check={}&reason={}&runpod_version={PROTOCOL_VERSION}",
            encode(check),
            encode(&reason),
        );
        Some(with_query(self.ping.as_deref()?, &query))
    }
}

fn with_query(address: &str, query: &str) -> String {
    let separator = match address.split_once('?') {
        None => "?",
        Some((_, present)) if present.is_empty() || present.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{separator}{query}")
}

fn check(variable: QueueVariable, address: &str) -> Result<(), Error> {
    let refuse = |source| Error::Address { variable, source };
    let address = Url::parse(address).map_err(|error| refuse(error.into()))?;
    match address.scheme() {
        "http" | "https" => Ok(()),
        _ => Err(refuse("it is neither http nor https".into())),
    }
}

/// Percent-encodes `text` for a path or a query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(take: &str, post: &str, ping: &str) -> Result<Addresses, Error> {
        let settings = config::QueueSettings {
            post_output_url: (!post.is_empty()).then(|| post.into()),
            ping_url: (!ping.is_empty()).then(|| ping.into()),
            gpu_type_id: Some("NVIDIA A5000".to_owned()),
            ..config::QueueSettings::default()
        };
        Addresses::new(&settings, &take.into(), "pod/1")
    }

    fn id(name: &str) -> JobId {
        JobId::new(name.to_owned()).unwrap()
    }

    #[test]
    fn every_placeholder_is_filled_and_a_query_is_kept_as_it_is() {
        let given = addresses(
            "https://host/v2/e/job-take/$ID?gpu=NVIDIA+RTX+A5000",
            "https://host/v2/e/job-done/$RUNPOD_POD_ID/$ID?gpu=$RUNPOD_GPU_TYPE_ID",
            "https://host/v2/e/ping/$RUNPOD_POD_ID",
        )
        .unwrap();
        assert_eq!(
            given.take(1, false),
            "https://host/v2/e/job-take/pod%2F1?gpu=NVIDIA+RTX+A5000&job_in_progress=0"
        );
        assert_eq!(
            given.take(3, true),
            "https://host/v2/e/job-take-batch/pod%2F1?gpu=NVIDIA+RTX+A5000&batch_size=3&job_in_progress=1"
        );
        assert_eq!(
            given.stop().unwrap(),
            "https://host/v2/e/job-stop/pod%2F1?gpu=NVIDIA+RTX+A5000"
        );
        assert_eq!(
            given.post(&id("a b/$ID-u1")),
            "https://host/v2/e/job-done/pod%2F1/a%20b%2F%24ID-u1?gpu=NVIDIA%20A5000&isStream=false"
        );
        assert_eq!(
            given.ping([].into_iter()).unwrap(),
            "https://host/v2/e/ping/pod%2F1?runpod_version=1.12.0"
        );
        assert_eq!(
            given.ping([&id("a"), &id("b-u1")].into_iter()).unwrap(),
            "https://host/v2/e/ping/pod%2F1?job_id=a%2Cb-u1&runpod_version=1.12.0"
        );
        assert_eq!(
            given.unhealthy("model", "no such file").unwrap(),
            "https://host/v2/e/ping/pod%2F1?status=unhealthy&check=model&reason=no%20such%20file&runpod_version=1.12.0"
        );
    }

    #[test]
    fn the_worker_may_be_named_either_way_where_it_is_the_addressee() {
        let given = addresses(
            "http://host/job-take/$RUNPOD_POD_ID",
            "http://host/job-done/$ID",
            "http://host/ping/$ID?",
        )
        .unwrap();
        assert_eq!(
            given.take(1, false),
            "http://host/job-take/pod%2F1?job_in_progress=0"
        );
        assert_eq!(
            given.ping([].into_iter()).unwrap(),
            "http://host/ping/pod%2F1?runpod_version=1.12.0"
        );
    }

    #[test]
    fn without_the_usual_path_jobs_are_taken_one_by_one_and_never_stopped() {
        let given = addresses("http://host/jobs", "http://host/$ID", "").unwrap();
        assert_eq!(given.take(8, false), "http://host/jobs?job_in_progress=0");
        assert_eq!(given.stop(), None);
        assert_eq!(given.ping([].into_iter()), None);
    }

    #[test]
    fn a_long_reason_is_cut() {
        let given = addresses("http://host/jobs", "http://host/$ID", "http://host/ping").unwrap();
        let address = given.unhealthy("model", &"x".repeat(1_000)).unwrap();
        assert!(address.contains(&format!("reason={}&", "x".repeat(REASON_CHARACTERS))));
    }

    #[test]
    fn an_invalid_address_is_rejected_by_the_name_of_its_variable_and_not_shown() {
        for (take, post, ping, variable) in [
            ("secret", "http://host", "", "RUNPOD_WEBHOOK_GET_JOB"),
            (
                "http://host",
                "ftp://secret",
                "",
                "RUNPOD_WEBHOOK_POST_OUTPUT",
            ),
            ("http://host", "", "", "RUNPOD_WEBHOOK_POST_OUTPUT"),
            (
                "http://host",
                "http://host",
                "secret",
                "RUNPOD_WEBHOOK_PING",
            ),
        ] {
            let error = addresses(take, post, ping).err().unwrap();
            let shown = format!("{error} {error:?}");
            assert!(
                shown.contains(variable) || error.to_string().contains(variable),
                "{shown}"
            );
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
