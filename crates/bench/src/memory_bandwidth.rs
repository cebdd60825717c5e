//! The memory bandwidth: how fast several threads together read from memory.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Instant;

const BYTES: usize = 1 << 30;
const ROUNDS: usize = 5;

/// Bytes per second that `threads` threads read: the best of five rounds over 1 GiB.
pub fn measure(threads: NonZeroUsize) -> f64 {
    best(BYTES, threads)
}

fn best(bytes: usize, threads: NonZeroUsize) -> f64 {
    // Untouched zeros would all be the same page of memory, so the words are ones.
    let words = vec![1_u64; bytes / size_of::<u64>()];
    let share = words.len().div_ceil(threads.get());
    (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            let sum: u64 = std::thread::scope(|scope| {
                let parts: Vec<_> = words
                    .chunks(share)
                    .map(|part| scope.spawn(|| sum(part)))
                    .collect();
                parts
                    .into_iter()
                    .map(|part| part.join().unwrap_or_default())
                    .sum()
            });
            black_box(sum);
            size_of_val(words.as_slice()) as f64 / begin.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

/// Adds in independent lanes, so that memory and not a chain of additions limits the speed.
fn sum(words: &[u64]) -> u64 {
    const LANES: usize = 32;
    let mut lanes = [0_u64; LANES];
    let (chunks, rest) = words.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk) {
            *lane = lane.wrapping_add(*word);
        }
    }
    lanes.iter().sum::<u64>() + rest.iter().sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read() {
        assert_eq!(sum(&[1; 100]), 100);
        assert_eq!(sum(&[2; 3]), 6);
    }

    #[test]
    fn memory_is_faster_than_a_disk() {
        let bandwidth = best(1 << 24, NonZeroUsize::MIN);
        assert!(bandwidth > 1e8, "{bandwidth}");
    }
}
