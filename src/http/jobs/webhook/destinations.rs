//! Where reports may be posted: to public addresses, and to the hosts that the settings name.
//!
//! An address in a URL is checked when the job is submitted. A name is checked when it is connected to: the connection goes
//! to one of the addresses that [`Destinations::resolve`] returns, so that no second answer of the name counts.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;
use url::Host;

use super::public_addresses::is_public;

/// Where reports may be posted; resolves names with `R`.
pub struct Destinations<R> {
    /// Hosts that may have any address.
    named: Arc<[Host]>,
    resolver: R,
}

/// A name has no address to which a report may be posted.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address, and jobs.webhook_hosts does not name it")]
pub struct NotPublic;

impl<R> Destinations<R> {
    /// Public addresses, and the hosts in `named`.
    pub fn new(named: &[Host], resolver: R) -> Self {
        let named = named.into();
        Self { named, resolver }
    }

    /// Whether a report may be posted to a URL, as far as the URL itself says.
    pub fn may_be(&self, url: &Url) -> bool {
        let is_allowed = |address: IpAddr, host| is_public(address) || self.names(&host);
        match url.host() {
            Some(Host::Domain(_)) => true,
            Some(host @ Host::Ipv4(address)) => is_allowed(address.into(), host),
            Some(host @ Host::Ipv6(address)) => is_allowed(address.into(), host),
            None => false,
        }
    }

    fn names(&self, host: &Host<&str>) -> bool {
        self.named.iter().any(|named| named == host)
    }
}

impl<R: Resolve> Resolve for Destinations<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let is_named = self.names(&Host::Domain(name.as_str()));
        let addresses = self.resolver.resolve(name);
        Box::pin(async move {
            let addresses = addresses.await?;
            let allowed: Vec<SocketAddr> = addresses
                .filter(|address| is_named || is_public(address.ip()))
                .collect();
            match allowed.is_empty() {
                true => Err(NotPublic.into()),
                false => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// The operating system's resolver.
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A name server that gives the next of its answers each time.
    struct Answers(Vec<Vec<&'static str>>, AtomicUsize);

    impl Resolve for Answers {
        fn resolve(&self, _: Name) -> Resolving {
            let number = self.1.fetch_add(1, Ordering::Relaxed);
            let addresses: Vec<SocketAddr> = self.0[number]
                .iter()
                .map(|address| SocketAddr::new(address.parse().unwrap(), 0))
                .collect();
            Box::pin(async { Ok(Box::new(addresses.into_iter()) as Addrs) })
        }
    }

    fn named(hosts: &[&str]) -> Vec<Host> {
        hosts
            .iter()
            .map(|host| Host::parse(host).unwrap())
            .collect()
    }

    /// The addresses to which a connection to `name` may go.
    async fn resolve<R: Resolve>(destinations: &Destinations<R>, name: &str) -> Vec<String> {
        match destinations.resolve(name.parse().unwrap()).await {
            Ok(addresses) => addresses.map(|address| address.ip().to_string()).collect(),
            Err(error) => {
                assert!(error.is::<NotPublic>(), "{error}");
                Vec::new()
            }
        }
    }

    #[tokio::test]
    async fn each_answer_of_a_name_is_checked() {
        let answers = vec![
            vec!["8.8.8.8"],
            vec!["127.0.0.1"],
            vec!["10.0.0.1", "1.1.1.1", "::1"],
            vec![],
        ];
        let destinations = Destinations::new(&[], Answers(answers, AtomicUsize::new(0)));
        for expected in [vec!["8.8.8.8"], vec![], vec!["1.1.1.1"], vec![]] {
            assert_eq!(resolve(&destinations, "example.com").await, expected);
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_reached_only_if_the_settings_name_it() {
        let unnamed = Destinations::new(&named(&["127.0.0.1", "host"]), SystemResolver);
        assert_eq!(resolve(&unnamed, "localhost").await, [""; 0]);
        let by_name = Destinations::new(&named(&["LOCALHOST"]), SystemResolver);
        let addresses = resolve(&by_name, "localhost").await;
        assert!(!addresses.is_empty());
        for address in addresses {
            let address: IpAddr = address.parse().unwrap();
            assert!(address.is_loopback(), "{address}");
        }
    }

    #[test]
    fn an_address_is_recognized_in_every_spelling() {
        let nothing = Destinations::new(&[], SystemResolver);
        let all = [
            "127.0.0.1",
            "10.0.0.1",
            "0.0.0.0",
            "[::1]",
            "[::ffff:7f00:1]",
        ];
        let all = Destinations::new(&named(&all), SystemResolver);
        for (host, is_among_all) in [
            ("127.0.0.1", true),
            ("127.0.0.1.", true),
            ("127.1", true),
            ("2130706433", true),
            ("017700000001", true),
            ("0x7f000001", true),
            ("0x7f.0.0.1", true),
            ("0177.0.0.0x1", true),
            ("%31%32%37.0.0.1", true),
            ("１２７。0。0。1", true),
            ("0", true),
            ("10.1", true),
            ("[::1]", true),
            ("[0:0:0:0:0:0:0:1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("[::ffff:7f00:1]", true),
            ("127.0.0.2", false),
            ("169.254.169.254", false),
            ("0xa9fea9fe", false),
            ("[::127.0.0.1]", false),
            ("[64:ff9b::127.0.0.1]", false),
            ("[64:ff9b::a00:1]", false),
            ("[2002:7f00:1::]", false),
            ("[fe80::1]", false),
            ("[fd00::1]", false),
        ] {
            let url: Url = format!("http://{host}:81/a").parse().unwrap();
            assert!(!nothing.may_be(&url), "{host}");
            assert_eq!(all.may_be(&url), is_among_all, "{host}");
        }
        for host in [
            "8.8.8.8",
            "134744072",
            "[2606:4700:4700::1111]",
            "a.example",
        ] {
            let url: Url = format!("http://{host}/").parse().unwrap();
            assert!(nothing.may_be(&url), "{host}");
        }
    }
}
