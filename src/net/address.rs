//! What can be turned into socket addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::candidates::Candidates;

/// What a socket can be bound or connected to: addresses, and names that a resolver knows.
///
/// Implemented for socket addresses, for pairs of an address or a name and a port, for texts such as
/// `"127.0.0.1:80"`, `"[::1]:80"` and `"db-1:80"`, and for slices of socket addresses. Several addresses are tried one after
/// another. Sealed: the simulation resolves names itself.
///
/// A text without a port, and a port above 65,535, give an error of kind
/// [`InvalidInput`](std::io::ErrorKind::InvalidInput); so does an empty slice.
///
/// # Examples
/// ```
/// use parcae::net::{ToSocketAddrs, UdpSocket};
/// use std::net::{Ipv4Addr, SocketAddr};
///
/// # #[cfg(feature = "real")]
/// parcae::real::run(async {
///     let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
///     UdpSocket::bind(local).await.unwrap();
///     UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
///     UdpSocket::bind("127.0.0.1:0").await.unwrap();
///     UdpSocket::bind(&[local][..]).await.unwrap();
///     let error = UdpSocket::bind("127.0.0.1").await.unwrap_err();
///     assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
/// });
/// ```
pub trait ToSocketAddrs: Resolve {}

impl<T: Resolve + ?Sized> ToSocketAddrs for T {}

mod sealed {
    use super::Candidates;

    /// Says which addresses or name it stands for.
    #[expect(unnameable_types, reason = "nobody else is to implement it")]
    pub trait Resolve {
        #[doc(hidden)]
        fn candidates(&self) -> Candidates;
    }
}

pub(super) use sealed::Resolve;

impl<T: Resolve + ?Sized> Resolve for &T {
    fn candidates(&self) -> Candidates {
        (**self).candidates()
    }
}

impl Resolve for SocketAddr {
    fn candidates(&self) -> Candidates {
        Candidates::one(*self)
    }
}

impl Resolve for SocketAddrV4 {
    fn candidates(&self) -> Candidates {
        Candidates::one((*self).into())
    }
}

impl Resolve for SocketAddrV6 {
    fn candidates(&self) -> Candidates {
        Candidates::one((*self).into())
    }
}

impl Resolve for (IpAddr, u16) {
    fn candidates(&self) -> Candidates {
        Candidates::one((*self).into())
    }
}

impl Resolve for (Ipv4Addr, u16) {
    fn candidates(&self) -> Candidates {
        Candidates::one((*self).into())
    }
}

impl Resolve for (Ipv6Addr, u16) {
    fn candidates(&self) -> Candidates {
        Candidates::one((*self).into())
    }
}

impl Resolve for [SocketAddr] {
    fn candidates(&self) -> Candidates {
        Candidates::many(self.to_vec())
    }
}

impl<const COUNT: usize> Resolve for [SocketAddr; COUNT] {
    fn candidates(&self) -> Candidates {
        self[..].candidates()
    }
}

impl Resolve for Vec<SocketAddr> {
    fn candidates(&self) -> Candidates {
        self[..].candidates()
    }
}

impl Resolve for (&str, u16) {
    fn candidates(&self) -> Candidates {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(address) => Candidates::one((address, port).into()),
            Err(_) => Candidates::of_name(host, port),
        }
    }
}

impl Resolve for (String, u16) {
    fn candidates(&self) -> Candidates {
        (self.0.as_str(), self.1).candidates()
    }
}

impl Resolve for str {
    fn candidates(&self) -> Candidates {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Candidates::one(address);
        }
        // As the standard library reads it: a host and a port, whatever the host looks like.
        let Some((host, port)) = self.rsplit_once(':') else {
            return Candidates::invalid("invalid socket address");
        };
        match port.parse() {
            Ok(port) => (host, port).candidates(),
            Err(_) => Candidates::invalid("invalid port value"),
        }
    }
}

impl Resolve for String {
    fn candidates(&self) -> Candidates {
        self.as_str().candidates()
    }
}
