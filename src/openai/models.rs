//! `/v1/models`: what is served.

use std::time::{Duration, UNIX_EPOCH};

use super::answer::ModelList;
use crate::service::{Error, Performed, Service};

/// The list of models, of which there is one.
pub async fn models(service: &Service) -> Result<Performed, Error> {
    let answer = async {
        let model = service.model()?;
        let since = service
            .loaded_at()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let list = ModelList::new(model, since.unwrap_or_default().as_secs());
        service.performed(&list, 0, Duration::ZERO)
    };
    service.account(answer).await
}
