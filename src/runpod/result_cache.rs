//! Acknowledged results, kept in case RunPod delivers their jobs again; bounded, the oldest are evicted first.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::jobs::JobId;

/// Number of results.
const RESULTS: usize = 4_096;
/// Bytes of all results together: more than the largest one.
const BYTES: usize = 16_000_000;

/// The latest acknowledged results, by job.
#[derive(Default)]
pub struct ResultCache {
    results: HashMap<JobId, Bytes>,
    order: VecDeque<JobId>,
    bytes: usize,
}

impl ResultCache {
    /// The result that was posted for `id`.
    pub fn get(&self, id: &JobId) -> Option<Bytes> {
        self.results.get(id).cloned()
    }

    /// Adds a result, and evicts the oldest where there are too many.
    pub fn insert(&mut self, id: JobId, result: Bytes) {
        if self.results.contains_key(&id) || result.len() > BYTES {
            return;
        }
        self.bytes += result.len();
        self.order.push_back(id.clone());
        self.results.insert(id, result);
        while self.bytes > BYTES || self.order.len() > RESULTS {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.bytes -= self
                .results
                .remove(&oldest)
                .map_or(0, |result| result.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> JobId {
        JobId::new(number.to_string()).unwrap()
    }

    #[test]
    fn the_first_result_of_a_job_stays() {
        let mut remembered = ResultCache::default();
        remembered.insert(id(1), Bytes::from_static(b"first"));
        remembered.insert(id(1), Bytes::from_static(b"second"));
        assert_eq!(remembered.get(&id(1)).unwrap(), "first");
        assert_eq!(remembered.get(&id(2)), None);
    }

    #[test]
    fn the_oldest_results_make_room_for_the_latest() {
        let mut remembered = ResultCache::default();
        for number in 0..RESULTS + 3 {
            remembered.insert(id(number), Bytes::from_static(b"x"));
        }
        assert_eq!(remembered.get(&id(2)), None);
        assert!(remembered.get(&id(3)).is_some());
        let large = Bytes::from(vec![b'x'; BYTES]);
        remembered.insert(id(10_000), large.clone());
        assert_eq!(remembered.get(&id(RESULTS)), None);
        remembered.insert(id(10_001), Bytes::from(vec![b'x'; BYTES + 1]));
        assert_eq!(remembered.get(&id(10_000)), Some(large));
        assert_eq!((remembered.bytes, remembered.order.len()), (BYTES, 1));
    }
}
