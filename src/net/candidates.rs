//! Addresses that a call tries one after another, looked up first if they are those of a name.

use std::fmt;
#[cfg(feature = "real")]
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
#[cfg(feature = "real")]
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

#[cfg(feature = "simulation")]
use super::simulated::lookup::SimulatedLookup;
use crate::backend;
use crate::context;

/// Addresses to try, in order, and what became of the last one.
#[expect(unnameable_types, reason = "in the signature of a method that nobody else can call")]
#[derive(Debug)]
pub struct Candidates {
    state: State,
    /// What the last attempt failed with.
    failure: Option<io::Error>,
}

enum State {
    One(Option<SocketAddr>),
    Many(vec::IntoIter<SocketAddr>),
    /// Not looked up before it is polled: a future that is dropped has done nothing.
    Name {
        host: Box<str>,
        port: u16,
    },
    Lookup(Lookup),
}

/// A lookup that goes on.
enum Lookup {
    #[cfg(feature = "simulation")]
    Simulated(SimulatedLookup),
    #[cfg(feature = "real")]
    Real(Pin<Box<dyn Future<Output = Found> + Send + Sync>>),
}

#[cfg(feature = "real")]
type Found = io::Result<Vec<SocketAddr>>;

impl Candidates {
    pub(super) fn one(address: SocketAddr) -> Self {
        Self { state: State::One(Some(address)), failure: None }
    }

    pub(super) fn many(addresses: Vec<SocketAddr>) -> Self {
        Self { state: State::Many(addresses.into_iter()), failure: None }
    }

    pub(super) fn of_name(host: &str, port: u16) -> Self {
        Self { state: State::Name { host: host.into(), port }, failure: None }
    }

    /// None, because what was given names none.
    pub(super) fn invalid(message: &'static str) -> Self {
        let failure = Some(io::Error::new(io::ErrorKind::InvalidInput, message));
        Self { state: State::One(None), failure }
    }

    /// Notes what the attempt at the last address failed with.
    pub(super) fn failed(&mut self, error: io::Error) {
        self.failure = Some(error);
    }

    /// Returns the next address; after the last one, what the last attempt failed with.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        at: &'static Location<'static>,
    ) -> Poll<io::Result<SocketAddr>> {
        let next = ready!(self.poll_known(context, at)).map(|()| match &mut self.state {
            State::One(address) => address.take(),
            State::Many(addresses) => addresses.next(),
            State::Name { .. } | State::Lookup(_) => None,
        });
        Poll::Ready(match next {
            Ok(Some(address)) => Ok(address),
            Ok(None) => Err(self.failure.take().unwrap_or_else(no_address)),
            Err(error) => Err(error),
        })
    }

    /// Waits until the addresses are known, and returns those that are left.
    pub(super) fn poll_all(
        &mut self,
        context: &mut Context<'_>,
        at: &'static Location<'static>,
    ) -> Poll<io::Result<vec::IntoIter<SocketAddr>>> {
        ready!(self.poll_known(context, at))?;
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Err(failure));
        }
        Poll::Ready(Ok(match std::mem::replace(&mut self.state, State::One(None)) {
            State::One(address) => Vec::from_iter(address).into_iter(),
            State::Many(addresses) => addresses,
            State::Name { .. } | State::Lookup(_) => Vec::new().into_iter(),
        }))
    }

    /// Waits until the addresses are known.
    fn poll_known(
        &mut self,
        context: &mut Context<'_>,
        at: &'static Location<'static>,
    ) -> Poll<io::Result<()>> {
        if let State::Name { host, port } = &mut self.state {
            self.state = State::Lookup(Lookup::start(std::mem::take(host), *port, at));
        }
        let State::Lookup(lookup) = &mut self.state else { return Poll::Ready(Ok(())) };
        let found = ready!(match lookup {
            #[cfg(feature = "simulation")]
            Lookup::Simulated(lookup) => lookup.poll(context),
            #[cfg(feature = "real")]
            Lookup::Real(lookup) => lookup.as_mut().poll(context),
        });
        self.state = State::One(None);
        self.state = State::Many(found?.into_iter());
        Poll::Ready(Ok(()))
    }
}

impl Lookup {
    /// Asks the machine that the calling task runs on.
    fn start(host: Box<str>, port: u16, at: &'static Location<'static>) -> Self {
        backend::on!(context::backend("parcae::net::lookup_host"),
            simulation: Self::Simulated(SimulatedLookup::start(&host, port, at)),
            real: {
                let _ = at;
                Self::Real(Box::pin(look_up(host, port)))
            },
        )
    }
}

/// Asks the resolver of the system, which blocks a thread.
#[cfg(feature = "real")]
async fn look_up(host: Box<str>, port: u16) -> Found {
    backend::call_on_thread(move || {
        std::net::ToSocketAddrs::to_socket_addrs(&(&*host, port)).map(Iterator::collect)
    })
    .await
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any addresses")
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => address.fmt(formatter),
            Self::Many(addresses) => addresses.as_slice().fmt(formatter),
            Self::Name { host, port } => write!(formatter, "{host}:{port}"),
            Self::Lookup(_) => formatter.write_str("a lookup"),
        }
    }
}
