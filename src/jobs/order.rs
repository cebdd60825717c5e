//! What a caller asks for: an input, and what is to be done about it.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::policy::Policy;
use super::webhook::Webhook;
use crate::service::Malformed;

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct Order {
    /// The input, unread.
    pub input: Arc<RawValue>,
    /// How long it may take.
    pub policy: Policy,
    /// Who is told of its end.
    pub webhook: Option<Webhook>,
}

impl Order {
    /// Reads what stands beside an input; `null` counts as absent.
    pub fn new(
        input: Box<RawValue>,
        policy: Option<&RawValue>,
        webhook: Option<&RawValue>,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            input: Arc::from(input),
            policy: policy.map_or(Ok(Policy::default()), Policy::parse)?,
            webhook: webhook.map_or(Ok(None), Webhook::parse)?,
        })
    }
}
