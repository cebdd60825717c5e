//! The different texts of a call: equal ones are computed once and answered in every place.

use std::collections::HashMap;
use std::sync::Arc;

use super::Error;

/// Bytes of text that are compared at once; more are compared on another thread.
const COMPARED_AT_ONCE: usize = 64 * 1024;

/// Texts that differ from each other, with their numbers in a call.
pub struct CountedTexts {
    /// The texts.
    pub texts: Arc<[String]>,
    /// How often the call has each of them.
    pub counts: Vec<usize>,
}

/// The different texts of a call, in the order of their first places.
pub struct DistinctTexts {
    /// Each text once.
    pub texts: CountedTexts,
    /// For each text of the call, which of them it is; `None` if all differ.
    places: Option<Vec<usize>>,
}

impl CountedTexts {
    /// Those at these places.
    pub fn at(&self, places: &[usize]) -> Self {
        if places.len() == self.texts.len() {
            return Self {
                texts: Arc::clone(&self.texts),
                counts: self.counts.clone(),
            };
        }
        Self {
            texts: places
                .iter()
                .map(|&place| self.texts[place].clone())
                .collect(),
            counts: places.iter().map(|&place| self.counts[place]).collect(),
        }
    }
}

impl DistinctTexts {
    /// The different texts of a call with these texts.
    pub async fn of(texts: Arc<[String]>) -> Result<Self, Error> {
        if texts.iter().map(String::len).sum::<usize>() <= COMPARED_AT_ONCE {
            return Ok(Self::compared(texts));
        }
        let compared = tokio::task::spawn_blocking(|| Self::compared(texts)).await;
        compared.map_err(|error| Error::Panicked {
            message: error.to_string().into(),
        })
    }

    fn compared(texts: Arc<[String]>) -> Self {
        let mut known = HashMap::with_capacity(texts.len());
        let (mut first_places, mut counts) = (Vec::new(), Vec::new());
        let numbers = texts.iter().enumerate().map(|(place, text)| {
            let number = *known.entry(text).or_insert_with(|| {
                first_places.push(place);
                counts.push(0);
                counts.len() - 1
            });
            counts[number] += 1;
            number
        });
        let numbers: Vec<usize> = numbers.collect();
        let all = CountedTexts {
            texts: Arc::clone(&texts),
            counts: vec![1; texts.len()],
        };
        if first_places.len() == texts.len() {
            return Self {
                texts: all,
                places: None,
            };
        }
        Self {
            texts: CountedTexts {
                counts,
                ..all.at(&first_places)
            },
            places: Some(numbers),
        }
    }

    /// What belongs to each text of the call, from what belongs to each different one.
    pub fn in_every_place<T: Clone>(&self, distinct: Vec<T>) -> Vec<T> {
        match &self.places {
            None => distinct,
            Some(places) => places
                .iter()
                .map(|&place| distinct[place].clone())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distinct(words: &[&str]) -> DistinctTexts {
        DistinctTexts::compared(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn equal_texts_are_counted_and_have_all_their_places() {
        let distinct = distinct(&["b", "a", "b", "c", "b", "a"]);
        assert_eq!(distinct.texts.texts[..], ["b", "a", "c"]);
        assert_eq!(distinct.texts.counts, [3, 2, 1]);
        assert_eq!(distinct.in_every_place(vec![0, 1, 2]), [0, 1, 0, 2, 0, 1]);
    }

    #[test]
    fn texts_that_all_differ_are_not_copied() {
        let texts: Arc<[String]> = ["a".to_owned(), "b".to_owned()].into();
        let distinct = DistinctTexts::compared(Arc::clone(&texts));
        assert!(Arc::ptr_eq(&texts, &distinct.texts.texts));
        assert_eq!(distinct.in_every_place(vec![0, 1]), [0, 1]);
    }
}
