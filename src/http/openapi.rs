//! The OpenAPI document: the descriptions of the registered routes, and what holds for all of them.

use actix_web::App;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::{Server, ServerBuilder, ServerVariableBuilder};
use utoipa::openapi::{Components, OpenApi, PathItem, Ref, RefOr, Schema};
use utoipa_actix_web::AppExt;

use super::access::PING;
use super::error_responses::{self, ErrorBody};
use super::openai;
use super::routes::{self, ENDPOINT_PREFIX, OPENAI_PREFIX};
use crate::service;
use crate::service::Code;

/// Name of the key in the document.
const KEY: &str = "key";
/// The server, relative to the address of the document: so it also holds behind a proxy that adds a prefix.
const HERE: &str = ".";
/// The schemas with lists of texts, and their fields.
const TEXT_LISTS: [(&str, &str); 3] = [
    ("Input", "queries"),
    ("Input", "texts"),
    ("EmbeddingsRequest", "input"),
];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "runpod-query",
        description = "BAAI/bge-m3 embeddings on a CPU, as a RunPod endpoint answers them.\n\n\
            Every answer has an `x-request-id`: the request's own, or a new one. Every answer that is no success has \
            one body, `{\"code\", \"message\"}`, or OpenAI's under OpenAI's addresses; all codes are listed under *Schemas*, `Code`. Addresses that do not \
            exist answer `not_found`, wrong methods `method_not_allowed`.",
    ),
    components(schemas(ErrorBody, service::openai::ErrorBody)),
    tags(
        (name = "RunPod", description = "Jobs as RunPod's API takes them. The same routes exist under /v2/{endpoint}."),
        (name = "OpenAI", description = "The same vectors as OpenAI's API gives them. The routes exist under /v2/{endpoint}/openai, too."),
        (name = "Probes", description = "For load balancers and Prometheus."),
    ),
)]
struct Document;

/// The OpenAPI document of every route; a list may hold `texts` texts.
pub fn openapi(texts: usize) -> OpenApi {
    let mut document = describe(registered());
    for (schema, field) in TEXT_LISTS {
        limit_list(&mut document, schema, field, texts);
    }
    document
}

/// Sets the length of a list of texts, which is a setting.
fn limit_list(document: &mut OpenApi, schema: &str, field: &str, texts: usize) {
    let schemas = document
        .components
        .as_mut()
        .map(|components| &mut components.schemas);
    let schema = schemas.and_then(|schemas| schemas.get_mut(schema));
    let Some(RefOr::T(Schema::Object(object))) = schema else {
        return;
    };
    match object.properties.get_mut(field) {
        Some(RefOr::T(Schema::Array(list))) => list.max_items = Some(texts),
        Some(RefOr::T(Schema::OneOf(choice))) => {
            for item in &mut choice.items {
                if let RefOr::T(Schema::Array(list)) = item {
                    list.max_items = Some(texts);
                }
            }
        }
        _ => {}
    }
}

/// The routes as they are registered, those under the prefix included.
pub fn registered() -> OpenApi {
    let app = App::new().into_utoipa_app().openapi(Document::openapi());
    routes::register(app).split_for_parts().1
}

/// Adds what holds for all routes, and shows a route that exists with and without a prefix once, with both servers.
fn describe(mut document: OpenApi) -> OpenApi {
    let (prefixed, bare): (Vec<_>, Vec<_>) = std::mem::take(&mut document.paths.paths)
        .into_iter()
        .partition(|(path, _)| path.starts_with(ENDPOINT_PREFIX));
    document.paths.paths = bare.into_iter().collect();
    document.servers = Some(vec![Server::new(HERE)]);
    for (path, _) in prefixed {
        for prefix in [OPENAI_PREFIX, ENDPOINT_PREFIX] {
            let bare = path.strip_prefix(prefix);
            if let Some(item) = bare.and_then(|path| document.paths.paths.get_mut(path)) {
                item.servers = Some(servers(prefix));
            }
        }
    }
    for (path, item) in &mut document.paths.paths {
        require_key(path, item);
    }
    let components = document.components.get_or_insert_with(Components::new);
    components.responses.extend(error_responses::documented());
    components.responses.extend(openai::documented());
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The key, where the endpoint has one."));
    components.add_security_scheme(KEY, SecurityScheme::Http(scheme.build()));
    document
}

/// Every route except the probe may require a key.
fn require_key(path: &str, item: &mut PathItem) {
    if path == PING {
        return;
    }
    let name = match openai::is_openai(path) {
        true => openai::name(Code::Unauthorized),
        false => Code::Unauthorized.to_string(),
    };
    let status = error_responses::status(Code::Unauthorized)
        .as_str()
        .to_owned();
    for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
        operation.security = Some(vec![
            SecurityRequirement::default(),
            SecurityRequirement::new(KEY, [""; 0]),
        ]);
        let response = RefOr::Ref(Ref::from_response_name(&name));
        operation
            .responses
            .responses
            .insert(status.clone(), response);
    }
}

fn servers(prefix: &str) -> Vec<Server> {
    let name = ServerVariableBuilder::new()
        .default_value("query")
        .description(Some("Name of the endpoint; any name is accepted."));
    vec![
        Server::new(HERE),
        ServerBuilder::new()
            .url(format!("{HERE}{prefix}"))
            .description(Some("As under https://api.runpod.ai"))
            .parameter("endpoint", name)
            .build(),
    ]
}

/// The methods that a documented address takes.
pub fn methods(item: &PathItem) -> Vec<&'static str> {
    [
        (item.get.is_some(), "GET"),
        (item.get.is_some(), "HEAD"),
        (item.post.is_some(), "POST"),
        (item.put.is_some(), "PUT"),
        (item.patch.is_some(), "PATCH"),
        (item.delete.is_some(), "DELETE"),
    ]
    .into_iter()
    .filter_map(|(exists, method)| exists.then_some(method))
    .collect()
}
