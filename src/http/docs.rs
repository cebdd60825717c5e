//! The documentation: Swagger UI, whose files are embedded in the program, and the OpenAPI document that it shows.

use std::sync::Arc;

use actix_web::http::header::{CONTENT_ENCODING, ContentEncoding, LOCATION};
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpResponse, get, routes};
use utoipa_swagger_ui::Config;

use crate::service::Error;

/// Address of the OpenAPI document.
const DOCUMENT: &str = "/openapi.json";
/// Address of Swagger UI; the trailing slash is required, because its files are linked by relative addresses.
const PAGE: &str = "/docs/";
/// The document as seen from the page, and the page as seen from the addresses that lead to it: a proxy may serve both
/// under a prefix that is not known here.
const DOCUMENT_FROM_PAGE: &str = "../openapi.json";
const PAGE_FROM_OUTSIDE: &str = "docs/";

/// Addresses of this module. All allow GET.
pub const PATHS: [&str; 4] = ["/", "/docs", "/docs/{file:.*}", DOCUMENT];

/// Whether `path` belongs to the documentation.
pub fn serves(path: &str) -> bool {
    path == "/" || path == DOCUMENT || path == "/docs" || path.starts_with(PAGE)
}

/// The content that this module serves.
pub struct Docs {
    document: String,
    swagger: Arc<Config<'static>>,
}

impl Docs {
    /// Pages that show `document`.
    pub fn new(document: String) -> Self {
        let swagger = Config::from(DOCUMENT_FROM_PAGE)
            .try_it_out_enabled(true)
            .display_request_duration(true)
            .default_models_expand_depth(0);
        Self {
            document,
            swagger: Arc::new(swagger),
        }
    }
}

/// Registers the pages.
pub fn register(config: &mut ServiceConfig) {
    config.service(api_document).service(page).service(redirect);
}

#[get("/openapi.json")]
async fn api_document(docs: Data<Docs>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(docs.document.clone())
}

#[get("/docs/{file:.*}")]
async fn page(file: Path<String>, docs: Data<Docs>) -> Result<HttpResponse, Error> {
    let file = utoipa_swagger_ui::serve(&file, Arc::clone(&docs.swagger))
        .map_err(|error| Error::internal(error.to_string()))?
        .ok_or(Error::NotFound)?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, ContentEncoding::Gzip));
    }
    Ok(response
        .content_type(file.content_type)
        .body(file.bytes.into_owned()))
}

#[routes]
#[get("/")]
#[get("/docs")]
async fn redirect() -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((LOCATION, PAGE_FROM_OUTSIDE))
        .finish()
}
