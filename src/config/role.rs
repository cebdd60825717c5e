//! What RunPod has started the program as.

use super::QueueVariable;

/// The variable with which RunPod asks for its HTTP interface at a port, instead of a worker of its queue; 0 asks for
/// nothing.
pub const REALTIME_VARIABLE: &str = "RUNPOD_REALTIME_PORT";
/// Whether RunPod has started the program as a worker of its queue: known before anything else is read.
pub fn is_queue_worker() -> bool {
    !is_realtime()
        && std::env::var(QueueVariable::GET_JOB.name).is_ok_and(|value| !value.is_empty())
}

/// Whether RunPod has asked for its HTTP interface at a port.
pub fn is_realtime() -> bool {
    std::env::var(REALTIME_VARIABLE).is_ok_and(|value| is_given(REALTIME_VARIABLE, &value))
}

/// Whether a variable says anything.
pub fn is_given(variable: &str, value: &str) -> bool {
    !(value.is_empty() || variable == REALTIME_VARIABLE && value == "0")
}
