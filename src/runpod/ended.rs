//! Jobs that have ended lately, however that was; bounded, the oldest go first.
//!
//! Each is kept as a number, so that a long name costs no more than a short one. Two names may share a number, and then
//! a job is taken for known that is not: all that follows is a short pause.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::jobs::JobId;

/// Jobs that are kept.
const JOBS: usize = 4_096;

/// The jobs that have ended lately.
#[derive(Default)]
pub struct Ended {
    known: HashSet<u64>,
    order: VecDeque<u64>,
    hasher: RandomState,
}

impl Ended {
    /// Whether a job is one of them.
    pub fn contains(&self, id: &JobId) -> bool {
        self.known.contains(&self.hasher.hash_one(id))
    }

    /// Adds a job, and forgets the oldest where there are too many.
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
        let mut ended = Ended::default();
        for number in (0..JOBS + 3).chain([JOBS + 2]) {
            ended.insert(&id(number));
        }
        assert!(!ended.contains(&id(2)));
        assert!(ended.contains(&id(3)));
        assert!(ended.contains(&id(JOBS + 2)));
        assert_eq!((ended.known.len(), ended.order.len()), (JOBS, JOBS));
    }
}
