//! SentencePiece's unigram model on one word of any length.
//!
//! The same dynamic program as in `tokenizers`, with the same arithmetic: the best path to each place, of equal ones
//! the one whose last piece begins first. But paths are kept only for the places that the next pieces can reach, what all of
//! them have in common only once, and of each only as many ids as are asked for.

use std::collections::VecDeque;

use super::Stop;
use super::pieces::Pieces;
use crate::error::Error;

/// A path's last id, and the path before it.
#[derive(Clone, Copy)]
struct Node {
    id: Option<u32>,
    parent: usize,
    /// Ids of the word up to this one.
    length: usize,
}

/// The best way so far to reach a place.
#[derive(Clone, Copy)]
struct Arrival {
    score: f64,
    id: u32,
    parent: usize,
}

/// One word that is being split.
pub struct Word<'a> {
    pieces: &'a Pieces,
    /// Most ids that are asked for.
    limit: usize,
    /// What has arrived and is not behind `arrivals`.
    text: String,
    /// Bytes of `text` that are behind.
    done: usize,
    /// For the place after `done`, and for each byte after it.
    arrivals: VecDeque<Option<Arrival>>,
    /// `nodes[0]` is where all paths meet; its ids are in `ids`. A parent stands before its children.
    nodes: Vec<Node>,
    /// Of the place after `done`.
    here: (f64, usize),
    ids: Vec<u32>,
    /// Nodes that were left when the paths were last compared.
    settled: usize,
}

impl<'a> Word<'a> {
    /// A word whose first `limit` ids are asked for.
    pub fn new(pieces: &'a Pieces, limit: usize) -> Self {
        Self {
            pieces,
            limit,
            text: String::new(),
            done: 0,
            arrivals: VecDeque::new(),
            nodes: vec![Node {
                id: None,
                parent: 0,
                length: 0,
            }],
            here: (0.0, 0),
            ids: Vec::new(),
            settled: 1,
        }
    }

    /// Continues the word. [`Stop::Enough`] when the ids that are asked for are certain; then `finish` returns them.
    pub fn push(&mut self, text: &str) -> Result<(), Stop> {
        self.text.push_str(text);
        self.advance(self.text.len().saturating_sub(self.pieces.longest))?;
        self.text.drain(..self.done);
        self.done = 0;
        if self.nodes.len() > self.settled {
            self.settle();
        }
        if self.ids.len() >= self.limit {
            return Err(Stop::Enough);
        }
        Ok(())
    }

    /// The ids of the whole word, or the first `limit` ones.
    pub fn finish(mut self) -> Result<Vec<u32>, Error> {
        if self.ids.len() < self.limit {
            self.advance(self.text.len())?;
            self.commit(self.here.1);
        }
        self.ids.truncate(self.limit);
        Ok(self.ids)
    }

    /// Passes all characters that begin before the byte `end`.
    fn advance(&mut self, end: usize) -> Result<(), Error> {
        while self.done < end {
            let Some(letter) = self.text[self.done..].chars().next() else {
                break;
            };
            self.leave(letter.len_utf8())?;
        }
        Ok(())
    }

    /// Extends the path to the present place by every piece, and goes to the next character.
    fn leave(&mut self, letter: usize) -> Result<(), Error> {
        let (score, parent) = self.here;
        let window = self
            .text
            .len()
            .min(self.done + self.pieces.longest.max(letter));
        let rest = &self.text.as_bytes()[self.done..window];
        let mut single = false;
        let arrivals = &mut self.arrivals;
        let mut arrive = |length: usize, id: u32, piece_score: f64| {
            if arrivals.len() < length {
                arrivals.resize(length, None);
            }
            let candidate = piece_score + score;
            let best = &mut arrivals[length - 1];
            if best.is_none_or(|best| candidate > best.score) {
                *best = Some(Arrival {
                    score: candidate,
                    id,
                    parent,
                });
            }
        };
        self.pieces.prefixes(rest, |length, piece| {
            arrive(length, piece.id, piece.score);
            single |= length == letter;
        });
        if !single {
            let unknown = self.pieces.unknown.ok_or_else(|| {
                Error::Tokenize("an unknown character, and no token for it".into())
            })?;
            arrive(letter, unknown, self.pieces.unknown_score);
        }
        self.done += letter;
        self.arrivals.drain(..letter - 1);
        if let Some(Some(arrival)) = self.arrivals.pop_front() {
            self.here = (arrival.score, self.node(arrival));
        }
        Ok(())
    }

    /// The node of an arrival. Unknown characters after each other are one id; no path is longer than asked for.
    fn node(&mut self, Arrival { id, parent, .. }: Arrival) -> usize {
        let before = self.nodes[parent];
        let fused = before.id == Some(id) && self.pieces.unknown == Some(id);
        if fused || before.length >= self.limit {
            return parent;
        }
        self.nodes.push(Node {
            id: Some(id),
            parent,
            length: before.length + 1,
        });
        self.nodes.len() - 1
    }

    /// Moves what all paths have in common to `ids`, and drops the nodes of no path.
    fn settle(&mut self) {
        let ends = self.arrivals.iter().flatten().map(|arrival| arrival.parent);
        let common = ends.fold(self.here.1, |a, b| self.meeting(a, b));
        self.commit(common);
        let mut used = vec![false; self.nodes.len()];
        used[common] = true;
        let ends = self.arrivals.iter().flatten().map(|arrival| arrival.parent);
        for end in ends.chain([self.here.1]) {
            let mut node = end;
            while !used[node] {
                used[node] = true;
                node = self.nodes[node].parent;
            }
        }
        let mut places = vec![0; self.nodes.len()];
        let mut kept: Vec<Node> = Vec::new();
        for (old, node) in self.nodes.iter().enumerate().filter(|(old, _)| used[*old]) {
            places[old] = kept.len();
            let parent = if old == common {
                0
            } else {
                places[node.parent]
            };
            kept.push(Node { parent, ..*node });
        }
        self.settled = kept.len();
        self.nodes = kept;
        self.here.1 = places[self.here.1];
        for arrival in self.arrivals.iter_mut().flatten() {
            arrival.parent = places[arrival.parent];
        }
    }

    /// Where two paths meet, going back.
    fn meeting(&self, mut a: usize, mut b: usize) -> usize {
        while a != b {
            if a > b {
                a = self.nodes[a].parent;
            } else {
                b = self.nodes[b].parent;
            }
        }
        a
    }

    /// Appends the ids from `nodes[0]`, exclusive, to `end`.
    fn commit(&mut self, end: usize) {
        let start = self.ids.len();
        let mut node = end;
        while node != 0 {
            self.ids.extend(self.nodes[node].id);
            node = self.nodes[node].parent;
        }
        self.ids[start..].reverse();
    }
}
