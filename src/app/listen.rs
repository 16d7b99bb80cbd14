//! The port that a service or an agent listens at.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be taken.
const BACKLOG: i32 = 1_024;

/// Listens at `address`. `[::]` stands for all addresses of both families, whatever
/// `net.ipv6.bindv6only` says; on a host without IPv6, for those of IPv4.
///
/// # Errors
///
/// Where the address is not the host's, or another program listens there.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = match bind(address) {
        Err(error) if is_any(address) && has_no_ipv6(&error) => {
            bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))?
        }
        bound => bound?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if is_any(address) {
        socket.set_only_v6(false)?;
    }
    // A port whose last connections are not quite over yet is free (tcp(7)).
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn is_any(address: SocketAddr) -> bool {
    address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}

/// `ipv6.disable=1` leaves no such sockets; `disable_ipv6` none of its addresses.
fn has_no_ipv6(error: &io::Error) -> bool {
    // Of Linux' errno.h.
    const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = 97;
    error.raw_os_error() == Some(ADDRESS_FAMILY_NOT_SUPPORTED)
        || error.kind() == io::ErrorKind::AddrNotAvailable
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn all_addresses_are_those_of_both_families() {
        let listener = listen("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        if listener.local_addr().unwrap().is_ipv6() {
            assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok());
        }
    }

    #[test]
    fn one_address_is_no_other() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = listen(address.parse().unwrap()) else {
                // A host without IPv6.
                assert!(address.starts_with('['));
                continue;
            };
            let own = listener.local_addr().unwrap();
            assert!(TcpStream::connect(own).is_ok());
            let other: IpAddr =
                if own.is_ipv4() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
            assert!(TcpStream::connect((other, own.port())).is_err(), "{address}");
            assert!(listen(own).is_err(), "somebody listens there");
        }
    }

    #[test]
    fn only_a_host_without_ipv6_is_one() {
        let cases = [(97, true), (99, true), (98, false), (13, false)];
        for (code, expected) in cases {
            assert_eq!(has_no_ipv6(&io::Error::from_raw_os_error(code)), expected, "{code}");
        }
    }
}
