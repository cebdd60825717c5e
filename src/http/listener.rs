//! Opens the sockets, and serves HTTP on their connections.
//!
//! It does what actix's own `HttpServer` does, which leaves no room between a connection and its decoder for
//! [`super::upgrade`].

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::h1::Codec;
use actix_http::{HttpService, Protocol, Request, Response, ServiceConfig};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::Error;
use actix_web::dev::{AppConfig, Server};
use tokio::net::{TcpSocket, TcpStream};

use super::upgrade::{UpgradeFilter, WithoutUpgrade};

/// Threads for network I/O; the model has its own.
const WORKERS: usize = 2;
/// Connections that may wait until they are accepted.
const BACKLOG: u32 = 1024;
/// How long an idle connection is kept open: longer than most client pools keep it, so that the client closes it first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the head of a connection's first request may take.
const FIRST_HEAD: Duration = Duration::from_secs(5);
/// How long the rest of a rejected body is read and discarded, so that the client can read the response.
const LINGER: Duration = Duration::from_secs(5);

/// Opens a socket at every address of `host`, of which at least one must be usable.
///
/// Must be called within a runtime.
pub fn bind(host: &str, port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match listener(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => failure = error,
        }
    }
    match listeners.is_empty() {
        true => Err(failure),
        false => Ok(listeners),
    }
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// A server of `app` on `listeners`, which stops within `grace` when it is asked to.
pub fn server<F, A, S, B>(
    app: F,
    listeners: Vec<TcpListener>,
    grace: Duration,
) -> io::Result<Server>
where
    F: Fn() -> A + Send + Clone + 'static,
    A: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error = Error> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    B: MessageBody + 'static,
{
    let mut builder = Server::build()
        .workers(WORKERS)
        .disable_signals()
        .shutdown_timeout(grace.as_secs());
    let stop = builder.graceful_shutdown_signal();
    for listener in listeners {
        let (app, stop) = (app.clone(), stop.clone());
        builder = builder.listen("http", listener, move || {
            let stop = stop.clone();
            let app = app().into_factory().map_err(|error| error.error_response());
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let stop = stop.clone();
                    async move { stop.notified().await }
                })
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(FIRST_HEAD)
                .client_disconnect_timeout(LINGER)
                // A half-closed connection counts as a disconnect, which cancels the request.
                .h1_allow_half_closed(false)
                .finish(map_config(app, |()| AppConfig::default()));
            // One for all connections, because it has a clock that ticks.
            let decoding = ServiceConfig::default();
            fn_service(move |stream: TcpStream| {
                let filter = UpgradeFilter::new(Codec::new(decoding.clone()));
                async move {
                    let peer = stream.peer_addr().ok();
                    Ok((WithoutUpgrade::new(stream, filter), Protocol::Http1, peer))
                }
            })
            .and_then(http)
        })?;
    }
    Ok(builder.run())
}
