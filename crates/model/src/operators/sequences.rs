//! Where each sequence lies among the concatenated tokens of a batch.

use super::tensors::ensure;

/// Start and end of each sequence, whose lengths must add up to `tokens`.
pub fn spans(lengths: &[i64], tokens: usize) -> ort::Result<Vec<(usize, usize)>> {
    let mut spans = Vec::with_capacity(lengths.len());
    let mut start = 0;
    for &length in lengths {
        let length = usize::try_from(length)
            .ok()
            .filter(|length| (1..=tokens).contains(length));
        let end = start
            + length.ok_or_else(|| ort::Error::new("a sequence has no tokens or too many"))?;
        spans.push((start, end));
        start = end;
    }
    ensure(
        start == tokens,
        "the lengths of the sequences do not add up to the tokens",
    )?;
    Ok(spans)
}

/// How many of each sequence's first tokens are meant: at most all of them.
pub fn counts(counts: &[i64], spans: &[(usize, usize)]) -> ort::Result<Vec<usize>> {
    ensure(
        counts.len() == spans.len(),
        "there is not one count for each sequence",
    )?;
    let valid = |(&count, &(start, end)): (&i64, &(usize, usize))| {
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= end - start)
            .ok_or_else(|| ort::Error::new("a count is beyond its sequence"))
    };
    counts.iter().zip(spans).map(valid).collect()
}
