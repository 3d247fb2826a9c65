//! Which addresses requests may go to: those that are public for sure, and networks that the settings name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Every IPv4 network that is not the public internet (IANA's special-purpose registry, RFC 6890 and after), with
/// multicast and what is reserved.
const NOT_PUBLIC_V4: [(Ipv4Addr, u8); 18] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Of IPv6 only this is given out to the internet at all, …
const GLOBAL_UNICAST: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// … and these parts of it are not, or carry IPv4 addresses that nobody has looked at. NAT64, mapped, translated,
/// unique local, link-local and multicast addresses are outside it.
const NOT_PUBLIC_V6: [(Ipv6Addr, u8); 6] = [
    // Protocol assignments with Teredo (2001::/32), ORCHID and benchmarking.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4: an IPv4 address is inside.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether a request may go to `address`: it is public, or in one of the networks that are `allowed` nevertheless.
pub fn is_reachable(address: IpAddr, allowed: &[IpNet]) -> bool {
    // An IPv4 address in IPv6 clothes is reached as what it is.
    let address = address.to_canonical();
    allowed.iter().any(|network| network.contains(&address))
        || match address {
            IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|network| within_v4(address, *network)),
            IpAddr::V6(address) => {
                within_v6(address, GLOBAL_UNICAST)
                    && !NOT_PUBLIC_V6.iter().any(|network| within_v6(address, *network))
            }
        }
}

fn within_v4(address: Ipv4Addr, (network, length): (Ipv4Addr, u8)) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (32 - length) == 0
}

fn within_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u8)) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - length) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reachable(address: &str) -> bool {
        is_reachable(address.parse().expect(address), &[])
    }

    #[test]
    fn public_addresses_are_reachable() {
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(reachable(address), "{address}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(!reachable(address), "{address}");
        }
    }

    #[test]
    fn a_named_network_is_reachable_in_either_clothes() {
        let allowed = ["10.20.0.0/16".parse().unwrap()];
        assert!(is_reachable("10.20.3.4".parse().unwrap(), &allowed));
        assert!(is_reachable("::ffff:10.20.3.4".parse().unwrap(), &allowed));
        assert!(!is_reachable("10.21.3.4".parse().unwrap(), &allowed));
    }
}
