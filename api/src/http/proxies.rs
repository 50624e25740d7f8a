//! Where a request comes from when proxies stand in front.
//!
//! Anybody can send `X-Forwarded-For`. It is believed only from the proxies that a setting names, and only as far back as
//! they go: each proxy adds, on the right, the address it was called from, so the first address from the right that isn't
//! one of them is the client's. What stands left of it, the client may have made up.

use std::{net::IpAddr, sync::Arc};

use domain::session::Origin;
use ipnet::IpNet;
use poem::{
    Request,
    http::{HeaderName, header::USER_AGENT},
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks that proxies of ours are in.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Proxies in these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// Where a request comes from.
    #[must_use]
    pub fn origin(&self, req: &Request) -> Origin {
        let peer = req
            .remote_addr()
            .as_socket_addr()
            .map(std::net::SocketAddr::ip);
        let forwarded: Vec<&str> = req
            .headers()
            .get_all(FORWARDED_FOR)
            .iter()
            .map(|value| value.to_str().unwrap_or_default())
            .flat_map(|value| value.split(','))
            .collect();
        let user_agent = req
            .headers()
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok());
        Origin::new(peer.map(|peer| self.client(peer, &forwarded)), user_agent)
    }

    /// The client of a connection from `peer`, which says that it passes on for `forwarded`.
    fn client(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut nearest = peer.to_canonical();
        for address in forwarded.iter().rev() {
            if !self.trusts(nearest) {
                break;
            }
            // What can't be read was written by none of ours: the last address that could be is the best there is.
            let Ok(address) = address.trim().parse::<IpAddr>() else {
                break;
            };
            nearest = address.to_canonical();
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let networks = trusted.iter().map(|net| net.parse().unwrap()).collect();
        TrustedProxies::new(networks)
            .client(peer.parse().unwrap(), forwarded)
            .to_string()
    }

    #[test]
    fn without_proxies_the_header_says_nothing() {
        assert_eq!(client(&[], "192.0.2.9", &["203.0.113.1"]), "192.0.2.9");
    }

    #[test]
    fn a_proxy_is_believed_and_what_its_client_made_up_is_not() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (peer, forwarded, expected) in [
            ("10.0.0.1", &["203.0.113.1"][..], "203.0.113.1"),
            ("10.0.0.1", &["198.51.100.7", " 203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &["203.0.113.1", "10.0.0.2"], "203.0.113.1"),
            ("2001:db8::1", &["203.0.113.1"], "203.0.113.1"),
            ("::ffff:10.0.0.1", &["203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("198.51.100.7", &["203.0.113.1"], "198.51.100.7"),
        ] {
            assert_eq!(
                client(&trusted, peer, forwarded),
                expected,
                "{peer} {forwarded:?}"
            );
        }
    }
}
