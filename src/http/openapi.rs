//! The OpenAPI document: what the registered routes say about themselves, and what holds for all of them.

use actix_web::App;
use utoipa::OpenApi as _;
use utoipa::openapi::server::{Server, ServerBuilder, ServerVariableBuilder};
use utoipa::openapi::{Components, OpenApi, PathItem};
use utoipa_actix_web::AppExt;

use super::error::{self, ErrorBody};
use super::routes::{self, ENDPOINT_PREFIX};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "runpod-query",
        description = "BAAI/bge-m3 embeddings on a CPU, as a RunPod endpoint answers them.\n\n\
            Every answer has an `x-request-id`: the request's own, or a new one. Every answer that is no success has \
            one body, `{\"code\", \"message\"}`; all codes are listed under *Schemas*, `Code`. Addresses that do not \
            exist answer `not_found`, wrong methods `method_not_allowed`.",
    ),
    components(schemas(ErrorBody)),
    tags(
        (name = "RunPod", description = "Jobs as RunPod's API takes them. The same routes exist under /v2/{endpoint}."),
        (name = "Probes", description = "For load balancers."),
    ),
)]
struct Document;

/// The OpenAPI document of every route.
pub fn openapi() -> OpenApi {
    describe(registered())
}

/// The routes as they are registered, those under the prefix included.
pub fn registered() -> OpenApi {
    let app = App::new().into_utoipa_app().openapi(Document::openapi());
    routes::register(app).split_for_parts().1
}

/// Adds what no single route knows, and shows a route that exists with and without the prefix once, with both servers.
fn describe(mut document: OpenApi) -> OpenApi {
    let (prefixed, bare): (Vec<_>, Vec<_>) = std::mem::take(&mut document.paths.paths)
        .into_iter()
        .partition(|(path, _)| path.starts_with(ENDPOINT_PREFIX));
    document.paths.paths = bare.into_iter().collect();
    for (path, _) in prefixed {
        if let Some(item) = path
            .strip_prefix(ENDPOINT_PREFIX)
            .and_then(|path| document.paths.paths.get_mut(path))
        {
            item.servers = Some(servers());
        }
    }
    document
        .components
        .get_or_insert_with(Components::new)
        .responses
        .extend(error::documented());
    document
}

fn servers() -> Vec<Server> {
    let name = ServerVariableBuilder::new()
        .default_value("query")
        .description(Some("Name of the endpoint; here every name is right."));
    vec![
        Server::new("/"),
        ServerBuilder::new()
            .url(ENDPOINT_PREFIX)
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
