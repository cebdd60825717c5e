//! Where each text lies among the tokens of a batch.

use super::tensors::ensure;

/// Start and end of each text, whose lengths must add up to `tokens`.
pub fn spans(lengths: &[i64], tokens: usize) -> ort::Result<Vec<(usize, usize)>> {
    let mut spans = Vec::with_capacity(lengths.len());
    let mut start = 0;
    for &length in lengths {
        let length = usize::try_from(length)
            .ok()
            .filter(|length| (1..=tokens).contains(length));
        let end =
            start + length.ok_or_else(|| ort::Error::new("a text has no tokens or too many"))?;
        spans.push((start, end));
        start = end;
    }
    ensure(
        start == tokens,
        "the lengths of the texts do not add up to their tokens",
    )?;
    Ok(spans)
}
