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
