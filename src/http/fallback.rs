//! What is answered where no route matches: `method_not_allowed` if another method would match, else `not_found`.

use actix_web::dev::ResourceDef;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::OpenApi;

use super::{docs, openapi};
use crate::service::Error;

/// Which methods each address takes.
pub struct Methods {
    addresses: Vec<(ResourceDef, Vec<&'static str>)>,
}

impl Methods {
    /// The methods of every route in `registered`, and of the documentation.
    pub fn new(registered: &OpenApi) -> Self {
        let routes = registered
            .paths
            .paths
            .iter()
            .map(|(path, item)| (path.as_str(), openapi::methods(item)));
        let pages = docs::PATHS
            .into_iter()
            .map(|path| (path, vec!["GET", "HEAD"]));
        Self {
            addresses: routes
                .chain(pages)
                .map(|(path, methods)| (ResourceDef::new(path), methods))
                .collect(),
        }
    }

    fn refuse(&self, path: &str) -> Error {
        self.addresses
            .iter()
            .find(|(address, _)| address.is_match(path))
            .map_or(Error::NotFound, |(_, methods)| Error::MethodNotAllowed {
                allowed: methods.clone(),
            })
    }
}

/// Answers what no route does.
pub async fn fallback(request: HttpRequest, methods: Data<Methods>) -> Result<HttpResponse, Error> {
    Err(methods.refuse(request.path()))
}
