//! The documentation: Swagger UI, whose files are part of the program, and the document that it shows.

use std::sync::Arc;

use actix_web::http::header::{CONTENT_ENCODING, ContentEncoding, LOCATION};
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use utoipa_swagger_ui::Config;

use crate::service::Error;

/// Where the document is.
const DOCUMENT: &str = "/openapi.json";
/// Where Swagger UI is; its files have relative addresses and need the slash.
const PAGE: &str = "/docs/";

/// Addresses of this module. All take GET.
pub const PATHS: [&str; 4] = ["/", "/docs", "/docs/{file:.*}", DOCUMENT];

/// Whether an address is one of the documentation's.
pub fn serves(path: &str) -> bool {
    path == "/" || path == DOCUMENT || path == "/docs" || path.starts_with(PAGE)
}

/// What this module serves, the same for every request.
pub struct Docs {
    document: String,
    swagger: Arc<Config<'static>>,
}

impl Docs {
    /// Pages that show `document`.
    pub fn new(document: String) -> Self {
        let swagger = Config::from(DOCUMENT)
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
    config
        .service(api_document)
        .service(page)
        .service(to_page)
        .service(root);
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

#[get("/docs")]
async fn to_page() -> HttpResponse {
    redirect()
}

#[get("/")]
async fn root() -> HttpResponse {
    redirect()
}

fn redirect() -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((LOCATION, PAGE))
        .finish()
}
