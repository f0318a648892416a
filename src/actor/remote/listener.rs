//! This machine's part: who dials it, whom it dials, and the tasks that do both.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::debug;

use super::association::{Association, Status};
use super::detector::Detector;
use super::entrance::Doors;
use super::error::{LinkError, Refusal, ServeError};
use super::handshake::{Call, Identity};
use super::inbound::Inbound;
use super::link::{self, Link};
use super::options::{Options, PORT};
use crate::backend;
use crate::net::{TcpListener, TcpStream};
use crate::rng::rng;
use crate::sync::Semaphore;
use crate::task::{CancelToken, spawn_named};
use crate::time::{Instant, sleep, timeout};

/// Lets actors of other machines reach those of this one, and the other way round, until it is dropped.
///
/// Made by [`serve`]. The first one of a machine is the one that [`remote`](super::remote()) uses.
#[must_use = "dropping it ends all connections"]
pub struct Listener {
    pub(super) shared: Arc<Shared>,
    machine: Machine,
}

/// Lets other machines reach the actors of this one that are [exposed](Options::expose), and makes this one's
/// references to theirs work.
///
/// It returns when the socket listens. What is done for others runs in tasks in the background.
///
/// # Errors
/// [`ServeError::Bind`] when the address cannot be listened at, and [`ServeError::Served`] when the machine has a listener
/// of this name already.
///
/// # Panics
/// Outside of a parcae runtime.
///
/// # Determinism
/// The incarnation and all nonces come from [`rng`].
pub async fn serve(options: Options) -> Result<Listener, ServeError> {
    let socket = match &options.address {
        Some(address) => Some(TcpListener::bind(address.as_str()).await.map_err(ServeError::Bind)?),
        None => None,
    };
    let address = match &socket {
        Some(socket) => Some(socket.local_addr().map_err(ServeError::Bind)?),
        None => None,
    };
    let identity = Identity { name: options.name.clone(), incarnation: rng().next_u64() };
    let shared = Arc::new(Shared {
        doors: options.doors.clone(),
        options,
        identity,
        address,
        end: CancelToken::new().named("remote"),
        state: Mutex::default(),
    });
    let machine = Machine::of_task();
    let mut listeners = machine.listeners();
    if listeners.iter().any(|other| other.identity.name == shared.identity.name) {
        return Err(ServeError::Served);
    }
    listeners.push(shared.clone());
    drop(listeners);
    if let Some(socket) = socket {
        let work = accept(socket, shared.clone());
        let end = shared.end.clone();
        spawn_named("remote listener", async move { drop(end.run(work).await) }).background();
    }
    Ok(Listener { shared, machine })
}

/// What a machine has of this.
#[derive(Clone, Default)]
pub(super) struct Machine {
    listeners: Arc<Mutex<Vec<Arc<Shared>>>>,
}

impl Machine {
    pub(super) fn of_task() -> Self {
        backend::shared_local("parcae::actor::remote", Self::default)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Arc<Shared>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn first(&self) -> Option<Arc<Shared>> {
        self.listeners().first().cloned()
    }
}

pub(super) struct Shared {
    pub(super) options: Options,
    identity: Identity,
    address: Option<SocketAddr>,
    doors: Doors,
    end: CancelToken,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By address.
    associations: BTreeMap<String, Arc<Association>>,
    /// By name and line: of the last process of each name.
    inbound: BTreeMap<(String, u64), Arc<Inbound>>,
    refused: u64,
}

impl Listener {
    /// Returns the address that it listens at; none if it only dials.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.shared.address
    }

    /// Returns the name of the machine.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.identity.name
    }

    /// Counts the connections that were not let in, or ended because of what came over them.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.state().refused
    }

    /// Counts the messages of all peers that are held because mailboxes are full.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.shared.state().inbound.values().map(|inbound| inbound.held()).sum()
    }

    /// Returns the names of those that have dialed this machine and are not known to be dead, in order.
    #[must_use]
    pub fn peers(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.shared.state().inbound.keys().map(|(name, _)| name.clone()).collect();
        names.dedup();
        names
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.machine.listeners().retain(|other| !Arc::ptr_eq(other, &self.shared));
        self.shared.close();
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { identity, address, .. } = &*self.shared;
        formatter
            .debug_struct("Listener")
            .field("name", &identity.name)
            .field("address", address)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.end.cancel("the listener was dropped");
        let State { associations, inbound, .. } = std::mem::take(&mut *self.state());
        for association in associations.into_values() {
            association.down(Status::Closed);
        }
        for inbound in inbound.into_values() {
            inbound.bury();
        }
    }

    /// Returns what this machine has to do with another one; begins to dial it if there is nothing yet.
    pub(super) fn association(self: &Arc<Self>, target: &str) -> Arc<Association> {
        let target = with_port(target);
        let mut state = self.state();
        if let Some(association) = state.associations.get(&target) {
            return association.clone();
        }
        let Options { frame, outgoing, .. } = self.options;
        let line = u64::try_from(state.associations.len()).expect("64 bits hold a count");
        let association = Arc::new(Association::new(target.clone(), line, frame, outgoing));
        state.associations.insert(target, association.clone());
        drop(state);
        if self.end.is_cancelled() {
            association.down(Status::Closed);
        } else {
            let work = dial(self.clone(), association.clone());
            let end = self.end.clone();
            spawn_named("remote dialer", async move { drop(end.run(work).await) }).background();
        }
        association
    }

    /// Returns what is known of the process at the other end. All that is known of one that it has taken
    /// the place of is forgotten.
    fn inbound(&self, peer: &Identity, line: u64) -> Result<Arc<Inbound>, Refusal> {
        let mut state = self.state();
        let is_dead = |inbound: &Inbound| {
            let other = inbound.peer();
            other.name == peer.name && other.incarnation != peer.incarnation
        };
        let mut dead = Vec::new();
        state.inbound.retain(|_, inbound| {
            let is_dead = is_dead(inbound);
            if is_dead {
                dead.push(inbound.clone());
            }
            !is_dead
        });
        let key = (peer.name.clone(), line);
        let found = state.inbound.get(&key).cloned();
        let count = state.inbound.len();
        let result = match found {
            Some(inbound) => Ok(inbound),
            None if count >= PEERS_MAX => Err(Refusal::TooMany),
            None => {
                let Options { frame, window, .. } = self.options;
                let end = self.end.child();
                let doors = self.doors.clone();
                let inbound = Inbound::new(peer.clone(), doors, frame, window, end);
                state.inbound.insert(key, inbound.clone());
                Ok(inbound)
            }
        };
        drop(state);
        for inbound in dead {
            inbound.bury();
        }
        result
    }
}

fn with_port(target: &str) -> String {
    let is_whole = target.parse::<SocketAddr>().is_ok()
        || target
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.contains(':') && port.parse::<u16>().is_ok());
    if is_whole {
        target.to_owned()
    } else if target.contains(':') {
        format!("[{target}]:{PORT}")
    } else {
        format!("{target}:{PORT}")
    }
}

// Accepting

async fn accept(socket: TcpListener, shared: Arc<Shared>) {
    let strangers = Arc::new(Semaphore::new(STRANGERS_MAX).named("remote strangers"));
    loop {
        let stream = match socket.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of sockets, mostly: some will be free again.
                debug!(%error, "a connection was not accepted");
                sleep(shared.options.heartbeat).await;
                continue;
            }
        };
        // Whoever is not known yet takes room, so there are so many of them and no more.
        let Ok(room) = strangers.try_acquire_owned() else { continue };
        let shared = shared.clone();
        let end = shared.end.clone();
        let work = async move {
            let options = &shared.options;
            let greeting = link::answer(stream, shared.identity.clone(), options);
            let link = match timeout(options.greeting, greeting).await {
                Ok(Ok(link)) => link,
                Ok(Err(error)) => return shared.note_refused(&error),
                Err(_) => return shared.note_refused(&LinkError::TooSlow),
            };
            drop(room);
            serve_link(&shared, link).await;
        };
        spawn_named("remote connection", async move { drop(end.run(work).await) }).background();
    }
}

async fn serve_link(shared: &Shared, link: Link) {
    let Call { line, attempt } = link.call;
    let inbound = match shared.inbound(&link.peer, line) {
        Ok(inbound) => inbound,
        Err(refusal) => return shared.note_refused(&refusal.into()),
    };
    let Some(end) = inbound.connected(attempt) else {
        return shared.note_refused(&Refusal::Superseded.into());
    };
    let detector = Detector::new(shared.options.detection.clone(), Instant::now().nanos());
    let detector = RefCell::new(detector);
    let carrying = link.carry(&*inbound, &detector, &shared.options);
    if let Ok(error) = end.run(carrying).await {
        debug!(%error, peer = inbound.peer().name, "a connection has ended");
        if matches!(error, LinkError::Frame(_) | LinkError::OutOfTurn) {
            shared.note_refused(&error);
        }
    }
    if inbound.disconnected(attempt) {
        drop(inbound.end.run(sleep(shared.options.linger)).await);
        inbound.forget(attempt);
    }
}

impl Shared {
    fn note_refused(&self, error: &LinkError) {
        debug!(%error, "a connection was refused");
        self.state().refused += 1;
    }
}

// Dialing

/// Keeps a connection to another machine as long as this one takes part.
async fn dial(shared: Arc<Shared>, association: Arc<Association>) {
    let options = &shared.options;
    let now = || Instant::now().nanos();
    let detector = RefCell::new(Detector::new(options.detection.clone(), now()));
    let mut delays = options.backoff.delays();
    let mut attempt = 0;
    loop {
        attempt += 1;
        let connecting = connect(&shared, &association, attempt);
        let end = if association.status() == Status::Lost {
            // Whoever was lost may be suspected while it is dialed.
            let suspecting = async {
                link::until_suspected(&detector).await;
                Err(LinkError::Silent)
            };
            futures_lite::future::or(suspecting, connecting).await
        } else {
            connecting.await
        };
        let error = match end {
            Ok(link) => {
                let is_known = association.connected(&link.peer);
                if is_known {
                    detector.borrow_mut().restart(now());
                } else {
                    *detector.borrow_mut() = Detector::new(options.detection.clone(), now());
                }
                let error = link.carry(&*association, &detector, options).await;
                association.lost();
                delays = options.backoff.delays();
                error
            }
            Err(error) => error,
        };
        debug!(%error, target = association.target, "no connection");
        let is_over = match &error {
            LinkError::Silent => true,
            error if !error.is_passing() => true,
            // Nobody listens there any more: the process that did is gone, whoever comes next.
            LinkError::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => true,
            _ => association.status() == Status::New,
        };
        if is_over {
            association.down(Status::Down);
        }
        let delay = delays.next().expect("a back-off has no end");
        if association.status() == Status::Lost {
            let waiting = futures_lite::future::or(
                async {
                    link::until_suspected(&detector).await;
                    true
                },
                async {
                    sleep(delay).await;
                    false
                },
            );
            if waiting.await {
                association.down(Status::Down);
            }
        } else {
            sleep(delay).await;
        }
    }
}

async fn connect(
    shared: &Shared,
    association: &Association,
    attempt: u64,
) -> Result<Link, LinkError> {
    let call = Call { line: association.line, attempt };
    let greeting = async {
        let stream = TcpStream::connect(association.target.as_str()).await?;
        link::greet(stream, shared.identity.clone(), call, &shared.options).await
    };
    timeout(shared.options.greeting, greeting).await.unwrap_or(Err(LinkError::TooSlow))
}

/// Processes that have dialed this machine, each the last one of its name.
const PEERS_MAX: usize = 4_096;

/// Connections at a time whose other side is not known yet.
const STRANGERS_MAX: usize = 64;
