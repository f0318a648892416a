//! What the network and the clock bring for TCP, and what goes out in answer.
//!
//! Whatever happens to a connection ends in [`Sockets::follow`]: it wakes who waits, and then
//! [`Sockets::pump`] sends. Nothing else sends segments of a connection.

use super::super::calls::Side;
use super::super::event::WorldEvent;
use super::super::host::Host;
use super::super::network::{Packet, Sent};
use super::super::node::NodeId;
use super::super::tcp::{Connection, Effects, Flags, Linger, Segment, TcpState, reset_for};
use super::connection::{ConnectionSocket, Ends, Marks, stray};
use super::pipe::{PipeId, Pipes};
use super::table::Entry;
use super::{Outside, Protocol, Socket, SocketKey, Sockets};
use crate::executor::{TimerKey, Weight};
use crate::kernel::VirtualTime;

impl Sockets {
    // From the network

    /// A segment has come to a machine.
    ///
    /// Numbers of all streams begin at 0, so it is of a connection only if it names that and comes from
    /// the other end that it knows. Else a late copy of a SYN, for which a listener makes a second
    /// connection, could do harm to the first.
    pub(super) fn receive_segment<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        packet: &Packet,
        segment: &Segment,
    ) {
        self.sweep(outside);
        let from = packet.from;
        if let Some(to) = segment.to {
            match self.connection_mut(to) {
                Some(socket) if socket.is_from_peer(from) && !socket.is_released() => {
                    self.hear(outside, to, from, segment);
                }
                released => {
                    let not_before = released.map_or(0, |socket| socket.not_before);
                    self.reject(outside, (node, packet), segment, not_before);
                }
            }
            return;
        }
        let is_v4 = outside.network.addresses.ip(packet.target.address).is_ipv4();
        let (target, source) = (packet.target, packet.source);
        let is_syn = segment.has(Flags::SYN);
        let listener = self.ports(node).listener(target.port, target.address, is_v4);
        if let Some(&key) = self.opening.get(&(node, target, source)).filter(|_| is_syn) {
            self.hear(outside, key, from, segment);
        } else if let Some(listener) = listener.filter(|_| is_syn) {
            self.answer_syn(outside, listener, packet, segment);
        } else {
            self.reject(outside, (node, packet), segment, 0);
        }
    }

    /// Answers a segment that is of no connection, so that its sender gives up.
    fn reject<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        (node, packet): (NodeId, &Packet),
        segment: &Segment,
        not_before: u64,
    ) {
        let Some(mut reset) = reset_for(segment) else { return };
        reset.to = packet.from;
        let sender = outside.network.sender(packet.link);
        let link = outside.network.link_to(node, sender);
        let ends = (packet.target, packet.source);
        let answer = stray(&outside.network.addresses, link, ends, segment.to, reset);
        self.send_stray(outside, answer, not_before);
    }

    /// A segment of a connection has come.
    fn hear<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        from: Option<SocketKey>,
        segment: &Segment,
    ) {
        let now = outside.host.now().as_nanos();
        if !self.parents.is_empty() && self.has_no_place(key, segment) {
            return;
        }
        let Some(socket) = self.connection_mut(key) else { return };
        let before = socket.machine.state();
        let right;
        let segment = if segment.has(Flags::RST) && segment.seq == RIGHT_NUMBER {
            right = Segment { seq: socket.machine.expected(), ..*segment };
            &right
        } else {
            segment
        };
        let effects = socket.machine.on_segment(now, segment);
        if before.is_opening() {
            self.after_handshake(outside, (key, from), before, (segment, effects));
        }
        self.follow(outside, key, effects);
    }

    /// Does what is to be done when a connection that is being opened has heard something.
    #[cold]
    fn after_handshake<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        (key, from): (SocketKey, Option<SocketKey>),
        before: TcpState,
        (segment, effects): (&Segment, Effects),
    ) {
        let Some(socket) = self.connection_mut(key) else { return };
        let state = socket.machine.state();
        let ends = (socket.local(), socket.remote());
        if before == TcpState::SynSent
            && state != TcpState::SynSent
            && let Some(from) = from
        {
            socket.machine.set_peer(from);
        }
        if !state.is_opening() {
            self.stop_opening(key);
        }
        if effects.has(Effects::RESET_PEER)
            && let Some(mut reset) = reset_for(segment)
        {
            reset.to = from;
            let link = self.connection_mut(key).expect("it is there").link();
            let answer = stray(&outside.network.addresses, link, ends, Some(key), reset);
            self.send_stray(outside, answer, 0);
        }
    }

    /// A segment to a socket was lost, or is kept back: what it waits for is uncertain.
    pub(crate) fn on_lost<H: Host>(&mut self, outside: &mut Outside<'_, H>, to: SocketKey) {
        if let Some(Entry { socket: Socket::Connection(socket), .. }) = self.entries.get_mut(to.0) {
            socket.machine.doubt();
            if socket.has(Marks::BACKGROUND) {
                arm(outside, to, socket, &mut self.probers);
            }
        }
    }

    /// Rules, options or machines have changed: what was certain is not.
    pub(crate) fn path_changed<H: Host>(&mut self, outside: &mut Outside<'_, H>) {
        for key in std::mem::take(&mut self.probers) {
            if let Some(socket) = self.connection_mut(key) {
                socket.mark(Marks::LISTED, false);
            }
            self.on_lost(outside, key);
        }
    }

    /// There is no way to the peer of a connection.
    pub(super) fn tcp_refused<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        let Some(socket) = self.connection_mut(key) else { return };
        let effects = socket.machine.on_unreachable();
        self.follow(outside, key, effects);
    }

    // From listeners

    /// A SYN has come to a listener.
    fn answer_syn<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        listener_key: SocketKey,
        packet: &Packet,
        syn: &Segment,
    ) {
        let Some(owner) = self.owner(listener_key) else { return };
        let Some(Socket::Listener(listener)) = self.get_mut(listener_key) else { return };
        let Some(from) = packet.from else { return };
        if let Some(&child) = listener.half_open.get(&from) {
            self.hear(outside, child, Some(from), syn);
            return;
        }
        if !listener.backlog.on_syn() {
            return;
        }
        let bound = listener.bound;
        let now = outside.host.now().as_nanos();
        let mut machine = Connection::accept(now, syn, &bound.options.tuning());
        machine.set_peer(from);
        let path = outside.network.path(owner.node, packet.source.address);
        let stream = outside.network.answering_flow(outside.host, path.link, packet);
        let ends = Ends { local: packet.target, remote: packet.source, is_v6: bound.is_v6 };
        let mut socket = ConnectionSocket::new(machine, ends, &bound.options, (stream, path));
        socket.mark(Marks::HAS_PORT, true);
        let child = self.insert_child(owner, Socket::Connection(socket));
        self.ports(owner.node).connect(ends.local.port);
        self.parents.insert(child, listener_key);
        if let Some(Socket::Listener(listener)) = self.get_mut(listener_key) {
            listener.half_open.insert(from, child);
        }
        self.pump(outside, child);
    }

    /// Tells whether a segment would establish a connection for which its listener has no place: it is
    /// ignored, and the SYN+ACK that is sent again will bring another.
    fn has_no_place(&self, child: SocketKey, segment: &Segment) -> bool {
        let is_ack = segment.has(Flags::ACK) && !segment.has(Flags::RST);
        let Some(Socket::Connection(socket)) = self.get(child) else { return false };
        if !is_ack || socket.machine.state() != TcpState::SynReceived {
            return false;
        }
        let Some(parent) = self.parents.get(&child) else { return false };
        match self.get(*parent) {
            Some(Socket::Listener(listener)) => listener.backlog.is_full(),
            _ => false,
        }
    }

    /// A connection that a listener has made is established.
    fn queue_child<H: Host>(&mut self, outside: &mut Outside<'_, H>, child: SocketKey) {
        let Some(client) = self.connection_mut(child).and_then(|socket| socket.machine.peer())
        else {
            return;
        };
        let Some(&parent) = self.parents.get(&child) else { return };
        if let Some(Socket::Listener(listener)) = self.get_mut(parent) {
            let has_place = listener.backlog.on_ack();
            assert!(has_place, "a segment for which there is no place is not heard");
            listener.half_open.remove(&client);
            listener.queue.push_back(child);
            listener.waiters.wake(outside.wakes);
        }
    }

    /// A connection is gone that nobody has accepted.
    fn forget_child(&mut self, child: SocketKey) {
        let Some(parent) = self.parents.remove(&child) else { return };
        if let Some(Socket::Listener(listener)) = self.get_mut(parent) {
            let count = listener.half_open.len();
            listener.half_open.retain(|_, known| *known != child);
            if listener.half_open.len() < count {
                listener.backlog.forget_half_open();
            }
        }
    }

    /// Ends a listener: what is in its queue is reset, handshakes are forgotten.
    pub(super) fn close_listener<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        node: NodeId,
        key: SocketKey,
    ) {
        let Some(Socket::Listener(mut listener)) = self.remove(key) else { return };
        self.ports(node).unbind(Protocol::Tcp, listener.bound.local.port, key);
        listener.waiters.let_go(outside.wakes);
        let now = outside.host.now().as_nanos();
        for child in listener.queue {
            self.parents.remove(&child);
            if let Some(socket) = self.connection_mut(child) {
                let effects = socket.machine.close(now, Linger::Reset);
                self.follow(outside, child, effects);
            }
        }
        for child in listener.half_open.into_values() {
            self.parents.remove(&child);
            self.free(outside, child);
        }
    }

    // From the clock

    /// The event of a connection is due.
    pub(crate) fn on_timer<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        let now = outside.host.now().as_nanos();
        let Some(socket) = self.connection_mut(key) else { return };
        socket.timer = TimerKey::NONE;
        socket.mark(Marks::BACKGROUND, false);
        let effects = socket.machine.on_timer(now);
        self.follow(outside, key, effects);
    }

    /// Ends connections that have waited long enough for what was on its way.
    #[inline]
    pub(super) fn sweep<H: Host>(&mut self, outside: &mut Outside<'_, H>) {
        let now = outside.host.now().as_nanos();
        while let Some(&(at, key)) = self.waiting.first()
            && at <= now
        {
            self.waiting.pop_first();
            let Some(socket) = self.connection_mut(key) else { continue };
            match socket.machine.expires_at() {
                // A late FIN has it wait anew.
                Some(later) if later > now => {
                    self.waiting.insert((later, key));
                }
                Some(_) => {
                    let effects = socket.machine.expire(now);
                    self.follow(outside, key, effects);
                }
                None if socket.is_released() => self.release(outside, key),
                None => {}
            }
        }
    }

    // What follows

    /// Does what has become of a call of a machine: wakes who waits, sends what is to be sent, and
    /// gives the place back when nobody needs it any more.
    #[inline]
    pub(super) fn follow<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        effects: Effects,
    ) {
        if !effects.is_none() {
            let Some(socket) = self.connection_mut(key) else { return };
            if effects.has(Effects::READABLE) {
                socket.waiters.wake(Side::Read, outside.wakes);
            }
            if effects.has(Effects::WRITABLE) || effects.has(Effects::CONNECTED) {
                socket.waiters.wake(Side::Write, outside.wakes);
            }
            if effects.is_rare() {
                self.follow_rare(outside, key, effects);
            }
        }
        self.pump(outside, key);
        if effects.has(Effects::RELEASED) {
            self.release(outside, key);
        }
    }

    #[cold]
    fn follow_rare<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        key: SocketKey,
        effects: Effects,
    ) {
        if effects.has(Effects::ACCEPTABLE) {
            self.queue_child(outside, key);
        }
        let Some(socket) = self.connection_mut(key) else { return };
        if effects.has(Effects::REFUSED) {
            socket.waiters.wake(Side::Read, outside.wakes);
            socket.waiters.wake(Side::Write, outside.wakes);
        }
        if let Some(at) = socket.machine.expires_at()
            && effects.has(Effects::TIME_WAIT)
        {
            self.waiting.insert((at, key));
        }
        if effects.has(Effects::ENDED) {
            self.stop_opening(key);
            self.give_up_port(key);
        }
    }

    /// Sends all that a connection has to send now, and sets its event.
    #[inline]
    pub(super) fn pump<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        let now = outside.host.now().as_nanos();
        let Self { entries, pipes, probers, lost, .. } = self;
        let Some(entry) = entries.get_mut(key.0) else { return };
        let Socket::Connection(socket) = &mut entry.socket else { return };
        // What has come has told most that there is nothing to send.
        let is_known = socket.knows_path(outside.network);
        let is_held_back = if is_known && socket.machine.is_settled() {
            false
        } else {
            send_all(outside, (key, entry.node, socket), pipes, lost)
        };
        if let Some(outgoing) = socket.outgoing {
            let needed = socket.machine.needed_from();
            pipes.settle(&mut outside.network.chunks, outgoing, needed);
        }
        // What is due and has no room is sent when it has: an event for it would come at once, and again.
        let is_stuck = is_held_back && socket.machine.deadline().is_some_and(|(at, _)| at <= now);
        if !is_stuck {
            arm(outside, key, socket, probers);
        }
        self.after_sending(outside);
    }

    /// Does what cannot be done while a connection is looked at: tells those for whom packets were lost,
    /// and gives pipes back that have been empty for a while.
    #[inline]
    fn after_sending<H: Host>(&mut self, outside: &mut Outside<'_, H>) {
        if !self.lost.is_empty() || outside.network.has_casualties() || self.pipes.has_too_many() {
            self.look_after_others(outside);
        }
    }

    #[cold]
    fn look_after_others<H: Host>(&mut self, outside: &mut Outside<'_, H>) {
        if !self.lost.is_empty() || outside.network.has_casualties() {
            let lost = std::mem::take(&mut self.lost);
            for key in lost.into_iter().chain(outside.network.take_casualties()) {
                self.on_lost(outside, key);
            }
        }
        while let Some(pipe) = self.pipes.one_too_many() {
            self.close_pipe(pipe);
        }
    }

    /// Sends a segment that is of no connection.
    pub(super) fn send_stray<H: Host>(
        &mut self,
        outside: &mut Outside<'_, H>,
        packet: Packet,
        not_before: u64,
    ) {
        let to = packet.to();
        let sent = outside.network.send(outside.host, packet, not_before);
        if sent == Sent::Lost {
            self.lost.extend(to);
        }
        self.after_sending(outside);
    }

    // Pipes

    /// Opens the pipe that a connection writes to.
    #[cold]
    pub(super) fn open_outgoing(&mut self, key: SocketKey) -> PipeId {
        let socket = self.connection_mut(key).expect("a connection writes");
        // All that was written so far is acknowledged.
        let (at, peer) = (socket.machine.needed_from(), socket.machine.peer());
        let reader = peer.filter(|peer| {
            self.connection_mut(*peer).is_some_and(|peer| !peer.machine.is_orphan())
        });
        let pipe = self.pipes.open(at, key, reader);
        self.connection_mut(key).expect("it is there").outgoing = Some(pipe);
        if let Some(reader) = reader {
            self.connection_mut(reader).expect("it is there").incoming = Some(pipe);
        }
        pipe
    }

    /// Gives an empty pipe back.
    pub(super) fn close_pipe(&mut self, id: PipeId) {
        let pipe = self.pipes.get(id);
        let (writer, reader) = (pipe.writer, pipe.reader);
        if let Some(writer) = writer
            && let Some(socket) = self.connection_mut(writer)
        {
            socket.outgoing = None;
        }
        if let Some(reader) = reader
            && let Some(socket) = self.connection_mut(reader)
        {
            socket.incoming = None;
        }
        self.pipes.close(id);
    }

    /// Nobody will read what comes to a connection.
    pub(super) fn leave_incoming<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        let Some(incoming) = self.connection_mut(key).and_then(|socket| socket.incoming.take())
        else {
            return;
        };
        let pipe = self.pipes.get_mut(incoming);
        pipe.leave_reader(&mut outside.network.chunks);
        if pipe.is_empty() {
            self.close_pipe(incoming);
        }
    }

    /// The link of a connection has room again.
    pub(super) fn on_room_for<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        self.pump(outside, key);
        if self.connection_mut(key).is_some_and(|socket| socket.is_released()) {
            self.release(outside, key);
        }
    }

    // The end

    /// Nobody needs a connection any more. It keeps its place until all that it has sent is there: what is
    /// said in its name after that must not overtake it.
    fn release<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        let Some(socket) = self.connection_mut(key) else { return };
        let (now, last_at) = (outside.host.now().as_nanos(), socket.not_before);
        // One that nobody has accepted was never anybody's.
        socket.machine.close(now, Linger::Background);
        // A RST for which its link has no room goes when there is some.
        let is_sent = !socket.machine.owes_reset();
        if is_sent && last_at <= now {
            self.free(outside, key);
            return;
        }
        if is_sent {
            self.waiting.insert((last_at, key));
        }
        self.leave_incoming(outside, key);
        self.stop_opening(key);
        self.give_up_port(key);
        self.unbind_port(key);
        self.forget_child(key);
    }

    /// Gives the place of a connection back, with all that it has.
    pub(super) fn free<H: Host>(&mut self, outside: &mut Outside<'_, H>, key: SocketKey) {
        self.leave_incoming(outside, key);
        self.stop_opening(key);
        self.give_up_port(key);
        self.unbind_port(key);
        self.forget_child(key);
        let Some(Socket::Connection(mut socket)) = self.remove(key) else { return };
        // It may be waiting for a word of this one.
        if let Some(peer) = socket.machine.peer() {
            self.on_lost(outside, peer);
        }
        if let Some(outgoing) = socket.outgoing {
            let pipe = self.pipes.get_mut(outgoing);
            pipe.leave_writer(&mut outside.network.chunks);
            if pipe.is_empty() {
                self.close_pipe(outgoing);
            }
        }
        if socket.timer != TimerKey::NONE {
            outside.host.cancel(socket.timer);
        }
        if let Some(at) = socket.machine.expires_at() {
            self.waiting.remove(&(at, key));
        }
        socket.waiters.let_go(outside.wakes);
    }

    fn stop_opening(&mut self, key: SocketKey) {
        let Some(owner) = self.owner(key) else { return };
        let Some(socket) = self.connection_mut(key) else { return };
        let place = (owner.node, socket.local(), socket.remote());
        if self.opening.get(&place) == Some(&key) {
            self.opening.remove(&place);
        }
    }

    fn give_up_port(&mut self, key: SocketKey) {
        let Some(owner) = self.owner(key) else { return };
        let Some(socket) = self.connection_mut(key) else { return };
        let port = socket.local().port;
        if socket.has(Marks::HAS_PORT) {
            socket.mark(Marks::HAS_PORT, false);
            self.ports(owner.node).disconnect(port);
        }
    }

    /// A port that a program has bound is its socket's until that is closed.
    fn unbind_port(&mut self, key: SocketKey) {
        let Some(owner) = self.owner(key) else { return };
        let Some(socket) = self.connection_mut(key) else { return };
        let port = socket.local().port;
        if socket.has(Marks::BOUND) {
            socket.mark(Marks::BOUND, false);
            self.ports(owner.node).unbind(Protocol::Tcp, port, key);
        }
    }

    /// Returns a connection.
    #[inline]
    pub(super) fn connection_mut(&mut self, key: SocketKey) -> Option<&mut ConnectionSocket> {
        match self.get_mut(key)? {
            Socket::Connection(socket) => Some(socket),
            _ => None,
        }
    }
}

/// Sends all that a connection has to send now. Tells whether its link has no room for more.
fn send_all<H: Host>(
    outside: &mut Outside<'_, H>,
    (key, node, socket): (SocketKey, NodeId, &mut ConnectionSocket),
    pipes: &Pipes,
    lost: &mut Vec<SocketKey>,
) -> bool {
    let now = outside.host.now().as_nanos();
    let path = socket.path(outside.network, node);
    while !socket.machine.is_settled() {
        if outside.network.holds_back(outside.host, path, key) {
            return true;
        }
        let Some(segment) = socket.machine.transmit(now, &path) else { break };
        if segment.len > 0 && outside.network.is_capturing() {
            let pipe = pipes.get(socket.outgoing.expect("what is sent is in a pipe"));
            let (from, count) = (segment.seq - 1, segment.len as usize);
            let bytes = pipe.copy_range(&outside.network.chunks, from, count);
            outside.network.stage(&bytes);
        }
        let packet = socket.packet(&outside.network.addresses, key, segment);
        match outside.network.send(outside.host, packet, socket.not_before) {
            Sent::Accepted { at } => socket.not_before = at,
            Sent::Lost => lost.extend(segment.to),
            Sent::Full => unreachable!("the link was asked whether it has room"),
        }
    }
    false
}

/// Sets the event of a connection, if it is not early enough.
#[inline]
fn arm<H: Host>(
    outside: &mut Outside<'_, H>,
    key: SocketKey,
    socket: &mut ConnectionSocket,
    probers: &mut Vec<SocketKey>,
) {
    let Some((at, weight)) = socket.machine.deadline() else { return };
    let is_background = weight == Weight::Background;
    if socket.timer != TimerKey::NONE && at >= socket.armed_at {
        if socket.has(Marks::BACKGROUND) == is_background {
            return;
        }
        outside.host.set_weight(socket.timer, weight);
    } else {
        if socket.timer != TimerKey::NONE {
            outside.host.cancel(socket.timer);
        }
        let event = WorldEvent::Connection(key);
        socket.timer = outside.host.set(VirtualTime::from_nanos(at), event, weight);
        socket.armed_at = at;
    }
    socket.mark(Marks::BACKGROUND, is_background);
    if is_background && !socket.has(Marks::LISTED) {
        socket.mark(Marks::LISTED, true);
        probers.push(key);
    }
}

/// In a RST of a box on the way: the number that is right when it arrives. Such a box has seen all that
/// went over the link.
pub(super) const RIGHT_NUMBER: u64 = u64::MAX;
