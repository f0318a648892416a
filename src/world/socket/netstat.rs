//! What a kernel knows of its sockets, for those who look: as netstat(8) and ss(8) show it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::super::host::Host;
use super::super::network::AddressBook;
use super::super::node::NodeId;
use super::super::tcp::TcpState;
use super::{Outside, Socket, Sockets};

/// The sockets of a machine at one time, from [`Node::netstat`](crate::world::Node::netstat).
///
/// [`Display`](fmt::Display) shows it as ss(8) does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Netstat {
    /// Sockets that listen.
    pub listening: Vec<ListenerRow>,
    /// Connections, those that no process has any more too.
    pub connections: Vec<ConnectionRow>,
    /// Datagram sockets.
    pub datagrams: Vec<DatagramRow>,
    /// How many Unix sockets there are.
    pub unix: usize,
    /// How many sockets the process has open, of all kinds.
    pub open: u32,
}

/// A socket that listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerRow {
    /// What it is bound to.
    pub local: SocketAddr,
    /// Connections that wait to be accepted.
    pub complete: u32,
    /// Connections in their handshake.
    pub half_open: u32,
}

/// A connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionRow {
    /// Where it stands.
    pub state: TcpState,
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Bytes that were received and not read.
    pub receive_queue: usize,
    /// Bytes that were written and not acknowledged.
    pub send_queue: usize,
    /// How often its timer has expired since something went well.
    pub attempts: u8,
    /// How long until its timer is due, if it has one that counts.
    pub timer: Option<Duration>,
    /// Whether its process has closed it.
    pub is_orphan: bool,
}

/// A datagram socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatagramRow {
    /// What it is bound to.
    pub local: SocketAddr,
    /// Datagrams that did not fit into its buffer.
    pub dropped: u64,
}

impl Netstat {
    /// Returns how many connections wait in TIME-WAIT.
    #[must_use]
    pub fn time_wait(&self) -> usize {
        self.connections.iter().filter(|row| row.state == TcpState::TimeWait).count()
    }

    /// Tells whether there is nothing but connections in TIME-WAIT.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.listening.is_empty()
            && self.datagrams.is_empty()
            && self.unix == 0
            && self.connections.len() == self.time_wait()
    }
}

impl Sockets {
    /// Returns what a machine has.
    pub(crate) fn netstat<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
    ) -> Netstat {
        self.sweep(outside);
        let addresses = &outside.network.addresses;
        let now = outside.host.now().as_nanos();
        let mut netstat = Netstat { open: self.open_count(node), ..Netstat::default() };
        for (_, entry) in self.entries.iter().filter(|(_, entry)| entry.node == node) {
            netstat.add(&entry.socket, addresses, now);
        }
        netstat
    }
}

impl Netstat {
    fn add(&mut self, socket: &Socket, addresses: &AddressBook, now: u64) {
        match socket {
            Socket::Connection(socket) if socket.is_released() => {}
            Socket::Connection(socket) => {
                let machine = &socket.machine;
                let due = machine.deadline().map(|(at, _)| at).or_else(|| machine.expires_at());
                self.connections.push(ConnectionRow {
                    state: machine.state(),
                    local: socket.shown(addresses, socket.local()),
                    remote: socket.shown(addresses, socket.remote()),
                    receive_queue: machine.readable(),
                    send_queue: machine.unsettled(),
                    attempts: machine.attempts(),
                    timer: due.map(|at| Duration::from_nanos(at.saturating_sub(now))),
                    is_orphan: machine.is_orphan(),
                });
            }
            Socket::Listener(listener) => self.listening.push(ListenerRow {
                local: addresses.shown(listener.bound.local, listener.bound.is_v6),
                complete: listener.backlog.complete(),
                half_open: listener.backlog.half_open(),
            }),
            Socket::Udp(udp) => self
                .datagrams
                .push(DatagramRow { local: udp.local_address(addresses), dropped: udp.dropped() }),
            Socket::UnixStream(_) | Socket::UnixListener(_) | Socket::UnixDatagram(_) => {
                self.unix += 1;
            }
            Socket::Bound(_) => {}
        }
    }
}

impl fmt::Display for Netstat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:12} {:>7} {:>7}  {:28} peer", "state", "recv-q", "send-q", "local")?;
        for row in &self.listening {
            let ListenerRow { local, complete, half_open } = row;
            let local = local.to_string();
            writeln!(formatter, "{:12} {complete:>7} {half_open:>7}  {local:28} *", "LISTEN")?;
        }
        for row in &self.connections {
            let (state, local) = (row.state.to_string(), row.local.to_string());
            let (received, sent) = (row.receive_queue, row.send_queue);
            write!(formatter, "{state:12} {received:>7} {sent:>7}  {local:28} {}", row.remote)?;
            if let Some(timer) = row.timer {
                write!(formatter, "  timer {timer:?}, attempt {}", row.attempts)?;
            }
            writeln!(formatter)?;
        }
        for DatagramRow { local, dropped } in &self.datagrams {
            writeln!(formatter, "{:12} {dropped:>7} {:>7}  {local} *", "UDP", "")?;
        }
        write!(formatter, "{} sockets open, {} of them Unix", self.open, self.unix)
    }
}
