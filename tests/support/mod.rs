//! What tests of several parts share.

use std::sync::OnceLock;

use runpod_query::artifacts::Store;
use runpod_query::config::Settings;

/// The store that the program itself would use here, so that tests fetch what is pinned once and keep it.
pub fn store() -> &'static Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    STORE.get_or_init(|| {
        let settings = Settings::load(None, Vec::new()).unwrap();
        Store::open(&settings.artifacts).unwrap()
    })
}
