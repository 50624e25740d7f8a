//! Where somebody comes from: the network, and the kind of program.

use std::net::{IpAddr, Ipv6Addr};

/// Where a request comes from, as far as the person it belongs to should know and no further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The network address.
    pub address: Option<IpAddr>,
    /// The kind of program and machine, such as `Firefox on Windows`.
    pub device: Option<String>,
}

impl From<Option<IpAddr>> for Origin {
    fn from(address: Option<IpAddr>) -> Self {
        Self {
            address,
            device: None,
        }
    }
}

/// Whom an address belongs to, as far as can be told: the address, or of IPv6 the network of one subscriber (/64), who has
/// more addresses than anybody can count.
#[must_use]
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// What a `User-Agent` has in it, and what people call that. Of two that fit, the first is meant: programs claim to be
/// those that came before them.
const PROGRAMS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const MACHINES: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl Origin {
    /// A request from this address, by a program that calls itself so.
    #[must_use]
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        Self {
            address,
            device: user_agent.map(device),
        }
    }

    /// The network without the last part of the address, which is enough to recognise one's own: `192.0.2.0/24`,
    /// `2001:db8:1::/48`.
    #[must_use]
    pub fn network(&self) -> Option<String> {
        Some(match self.address?.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        })
    }
}

fn device(user_agent: &str) -> String {
    let known = |list: &[(&str, &'static str)]| {
        list.iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    match (known(PROGRAMS), known(MACHINES)) {
        (Some(program), Some(machine)) => format!("{program} on {machine}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(machine)) => format!("Another program on {machine}"),
        (None, None) => "Another program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_in_the_words_of_people() {
        for (user_agent, device) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.0", "Another program"),
        ] {
            assert_eq!(
                Origin::new(None, Some(user_agent)).device.as_deref(),
                Some(device)
            );
        }
    }

    #[test]
    fn all_addresses_of_a_subscriber_count_as_one() {
        for (address, owner) in [
            ("192.0.2.17", "192.0.2.17"),
            ("::ffff:192.0.2.17", "192.0.2.17"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(subscriber(address), owner.parse::<IpAddr>().unwrap());
        }
    }

    #[test]
    fn a_network_is_an_address_without_its_last_part() {
        for (address, network) in [
            ("192.0.2.17", "192.0.2.0/24"),
            ("::ffff:192.0.2.17", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ] {
            let origin = Origin::from(Some(address.parse().unwrap()));
            assert_eq!(origin.network().as_deref(), Some(network));
        }
    }
}
