//! The response when no route matches: `method_not_allowed` if another method would match, otherwise `not_found`.

use actix_web::dev::ResourceDef;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::OpenApi;

use super::{docs, openai, openapi};
use crate::service::Error;

/// The methods that each address allows.
pub struct Methods {
    addresses: Vec<(ResourceDef, Vec<&'static str>)>,
}

impl Methods {
    /// The methods of every route in `registered` and of the documentation pages.
    pub fn new(registered: &OpenApi) -> Self {
        let routes = registered
            .paths
            .paths
            .iter()
            .map(|(path, item)| (openai::pattern(path), openapi::methods(item)));
        let pages = docs::PATHS
            .into_iter()
            .map(|path| (path.to_owned(), vec!["GET", "HEAD"]));
        Self {
            addresses: routes
                .chain(pages)
                .map(|(path, methods)| (ResourceDef::new(path), methods))
                .collect(),
        }
    }

    /// Whether there is anything at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    fn find(&self, path: &str) -> Option<&(ResourceDef, Vec<&'static str>)> {
        let mut addresses = self.addresses.iter();
        addresses.find(|(address, _)| address.is_match(path))
    }

    fn error(&self, path: &str) -> Error {
        self.find(path)
            .map_or(Error::NotFound, |(_, methods)| Error::MethodNotAllowed {
                allowed: methods.clone(),
            })
    }
}

/// Rejects a request that matches no route.
pub async fn fallback(request: HttpRequest, methods: Data<Methods>) -> Result<HttpResponse, Error> {
    Err(methods.error(request.path()))
}
