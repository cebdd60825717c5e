//! How a call gets the outputs of its queries: from the cache, from computations of other calls, and from one of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{BoxFuture, Shared, try_join_all};

use super::Error;
use super::call::Membership;
use super::encoded_text::EncodedText;

/// The outputs of all texts of a computation, in its order.
pub type Computed = Result<Arc<[Arc<EncodedText>]>, Error>;
/// A computation that several callers wait for.
pub type Computation = Shared<BoxFuture<'static, Computed>>;

/// Where the outputs of a query come from.
pub enum Found {
    /// They are kept.
    Kept(Arc<EncodedText>),
    /// They are computed: by this one of [`Plan::computations`], and at this place of its outputs.
    Computed(u64, usize),
}

/// How a call gets the outputs of its queries.
#[derive(Default)]
pub struct Plan {
    /// For each query, in their order.
    pub found: Vec<Found>,
    /// The computations that the call waits for, by their numbers.
    pub computations: BTreeMap<u64, Participation>,
    /// The one that begins with the call.
    pub own: Option<u64>,
}

impl Plan {
    /// What each query has become; nothing where a computation failed that began with another call. An error of the call's
    /// own computation is an error of all.
    pub async fn outcome(self) -> Result<Vec<Option<Arc<EncodedText>>>, Error> {
        let computation = |(&number, part): (&u64, &Participation)| {
            let (is_own, computation) = (self.own == Some(number), part.computation.clone());
            async move {
                match computation.await {
                    Err(error) if is_own => Err(error),
                    computed => Ok((number, computed.ok())),
                }
            }
        };
        // All at once, since each goes on only while a participant awaits it.
        let computed = try_join_all(self.computations.iter().map(computation)).await?;
        let computed: BTreeMap<_, _> = computed.into_iter().collect();
        let texts = self.found.into_iter().map(|found| match found {
            Found::Kept(text) => Some(text),
            Found::Computed(number, place) => {
                let texts = computed.get(&number)?.as_ref()?;
                texts.get(place).cloned()
            }
        });
        Ok(texts.collect())
    }
}

/// A caller's part in a computation.
pub struct Participation {
    /// The computation, which goes on while any participant awaits it.
    computation: Computation,
    _membership: Membership,
}

impl Participation {
    /// The part of the caller whose membership it is.
    pub fn new(computation: Computation, membership: Membership) -> Self {
        Self {
            computation,
            _membership: membership,
        }
    }
}
