//! The ids of jobs that ended recently, whatever their outcome; bounded, the oldest are evicted first.
//!
//! Only hashes are kept, so that a long id takes no more memory than a short one. After a collision a new job counts as
//! a repeated one, which costs a short pause and nothing else.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::jobs::JobId;

/// Number of ids.
const JOBS: usize = 4_096;

/// The jobs that ended recently.
#[derive(Default)]
pub struct EndedJobs {
    known: HashSet<u64>,
    order: VecDeque<u64>,
    hasher: RandomState,
}

impl EndedJobs {
    /// Whether a job ended recently.
    pub fn contains(&self, id: &JobId) -> bool {
        self.known.contains(&self.hasher.hash_one(id))
    }

    /// Adds a job, and evicts the oldest where there are too many.
    pub fn insert(&mut self, id: &JobId) {
        let number = self.hasher.hash_one(id);
        if !self.known.insert(number) {
            return;
        }
        self.order.push_back(number);
        if self.order.len() > JOBS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_jobs_make_room_for_the_latest() {
        let id = |number: usize| JobId::new(number.to_string()).unwrap();
        let mut ended = EndedJobs::default();
        for number in (0..JOBS + 3).chain([JOBS + 2]) {
            ended.insert(&id(number));
        }
        assert!(!ended.contains(&id(2)));
        assert!(ended.contains(&id(3)));
        assert!(ended.contains(&id(JOBS + 2)));
        assert_eq!((ended.known.len(), ended.order.len()), (JOBS, JOBS));
    }
}
