//! A TCP socket of a simulated machine that neither listens nor connects yet.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{EAFNOSUPPORT, EINVAL, Kind, SimulatedSocket};
use crate::net::tcp_socket::KeepAlive;
use crate::world::calls::{self, TcpOptions};

/// Options, and the socket that has an address once it is bound.
#[derive(Debug)]
pub(in crate::net) struct SimulatedUnconnected {
    is_v6: bool,
    // Where the type may be shared, so may this; nobody ever waits for it.
    plan: Mutex<Plan>,
    made_at: &'static Location<'static>,
}

#[derive(Debug, Default)]
struct Plan {
    /// As long as it is not bound.
    options: TcpOptions,
    bound: Option<SimulatedSocket>,
}

impl SimulatedUnconnected {
    pub(in crate::net) fn new(family: IpAddr, made_at: &'static Location<'static>) -> Self {
        Self { is_v6: family.is_ipv6(), plan: Mutex::default(), made_at }
    }

    /// Changes options.
    pub(in crate::net) fn set(&self, change: impl FnOnce(&mut TcpOptions)) -> io::Result<()> {
        let plan = &mut *self.plan();
        match &plan.bound {
            Some(bound) => set_options(bound, change),
            None => {
                change(&mut plan.options);
                Ok(())
            }
        }
    }

    /// Sets an option that has to be set before it is bound.
    pub(in crate::net) fn set_only_v6(&self, only_v6: bool) -> io::Result<()> {
        let plan = &mut *self.plan();
        if !self.is_v6 {
            return Err(io::Error::from_raw_os_error(ENOPROTOOPT));
        }
        if plan.bound.is_some() {
            return Err(io::Error::from_raw_os_error(EINVAL));
        }
        plan.options.only_v6 = only_v6;
        Ok(())
    }

    pub(in crate::net) fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.check_family(address)?;
        let plan = &mut *self.plan();
        if plan.bound.is_some() {
            return Err(io::Error::from_raw_os_error(EINVAL));
        }
        plan.bound = Some(self.bound(&plan.options, address)?);
        Ok(())
    }

    /// Returns its address: none and port 0 as long as it is not bound.
    pub(in crate::net) fn local_address(&self) -> io::Result<SocketAddr> {
        match &self.plan().bound {
            Some(bound) => calls::local_address(bound.handle()),
            None => Ok(self.unspecified()),
        }
    }

    /// Begins to connect.
    pub(in crate::net) fn connect(self, address: SocketAddr) -> io::Result<SimulatedSocket> {
        self.check_family(address)?;
        let Plan { options, bound } =
            self.plan.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(mut bound) = bound else {
            let handle = calls::tcp_connect(&options, None, address)?;
            return Ok(SimulatedSocket::new(handle, Kind::TcpStream, self.made_at));
        };
        let options = calls::tcp_options(bound.handle())?;
        let handle = calls::tcp_connect(&options, Some(bound.handle()), address)?;
        bound.becomes(handle, Kind::TcpStream);
        Ok(bound)
    }

    /// Listens; at a port that the system chooses if it is not bound.
    pub(in crate::net) fn listen(self, backlog: u32) -> io::Result<SimulatedSocket> {
        let unspecified = self.unspecified();
        let Plan { options, bound } = std::mem::take(&mut *self.plan());
        let mut bound = match bound {
            Some(bound) => bound,
            None => self.bound(&options, unspecified)?,
        };
        let handle = calls::tcp_listen(bound.handle(), backlog)?;
        bound.becomes(handle, Kind::TcpListener);
        Ok(bound)
    }

    fn bound(&self, options: &TcpOptions, address: SocketAddr) -> io::Result<SimulatedSocket> {
        let handle = calls::tcp_bind(options, address)?;
        Ok(SimulatedSocket::new(handle, Kind::TcpStream, self.made_at))
    }

    fn unspecified(&self) -> SocketAddr {
        let ip: IpAddr = match self.is_v6 {
            true => Ipv6Addr::UNSPECIFIED.into(),
            false => Ipv4Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(ip, 0)
    }

    /// The system takes an address of the other family for one that is cut off, or for none.
    fn check_family(&self, address: SocketAddr) -> io::Result<()> {
        match (self.is_v6, address.is_ipv6()) {
            (true, false) => Err(io::Error::from_raw_os_error(EINVAL)),
            (false, true) => Err(io::Error::from_raw_os_error(EAFNOSUPPORT)),
            (true, true) | (false, false) => Ok(()),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens at an address.
pub(in crate::net) fn listen(
    address: SocketAddr,
    backlog: u32,
    made_at: &'static Location<'static>,
) -> io::Result<SimulatedSocket> {
    let socket = SimulatedUnconnected::new(address.ip(), made_at);
    socket.set(|options| options.reuse_address = true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

/// Begins to connect.
pub(in crate::net) fn connect(
    address: SocketAddr,
    made_at: &'static Location<'static>,
) -> io::Result<SimulatedSocket> {
    SimulatedUnconnected::new(address.ip(), made_at).connect(address)
}

/// Changes options of a socket that has its address.
pub(in crate::net) fn set_options(
    socket: &SimulatedSocket,
    change: impl FnOnce(&mut TcpOptions),
) -> io::Result<()> {
    let mut options = calls::tcp_options(socket.handle())?;
    change(&mut options);
    calls::tcp_set_options(socket.handle(), &options)
}

/// Returns the time as the system keeps it, in whole seconds.
pub(in crate::net) fn linger_of_call(linger: Option<Duration>) -> Option<Duration> {
    linger.map(|time| Duration::from_secs(time.as_secs()))
}

/// Returns the size of a buffer as calls name it.
pub(in crate::net) fn size_of_call(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Returns the times as calls name them, in whole seconds, as the system keeps them.
pub(in crate::net) fn keep_alive_of_call(keep_alive: &KeepAlive) -> io::Result<calls::KeepAlive> {
    let nanos = |time: Duration| time.as_secs().saturating_mul(1_000_000_000);
    let KeepAlive { time, interval, retries } = *keep_alive;
    // What the system takes: 1 to 32,767 seconds, and 1 to 127 questions.
    let is_time = |time: Duration| (1..=32_767).contains(&time.as_secs());
    if !is_time(time) || !is_time(interval) || !(1..=127).contains(&retries) {
        return Err(io::Error::from_raw_os_error(EINVAL));
    }
    Ok(calls::KeepAlive { idle: nanos(time), interval: nanos(interval), count: retries })
}

/// Whether the system knows the option for this family.
const ENOPROTOOPT: i32 = 92;
