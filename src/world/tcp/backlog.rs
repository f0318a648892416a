//! How many connections a listener keeps for those who accept.

/// The counts of a listener's queue. What is in it, its owner keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backlog {
    limit: u32,
    half_open: u32,
    complete: u32,
}

impl Backlog {
    /// Begins an empty queue for `limit + 1` connections, as Linux counts.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, half_open: 0, complete: 0 }
    }

    /// Sets another limit, as a second `listen` does. What is in the queue stays.
    pub(crate) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// A SYN came: returns whether it is answered, and counts it as half open if so. It is dropped
    /// while the queue is full; its sender will send it again.
    pub(crate) fn on_syn(&mut self) -> bool {
        let is_answered = !self.is_full();
        self.half_open += u32::from(is_answered);
        is_answered
    }

    /// The last segment of a handshake came: returns whether it may be taken, and counts the
    /// connection as complete if so. Else it is to be ignored, as if it were lost: the SYN+ACK will
    /// be sent again and bring another.
    pub(crate) fn on_ack(&mut self) -> bool {
        let is_taken = !self.is_full();
        if is_taken {
            self.forget_half_open();
            self.complete += 1;
        }
        is_taken
    }

    /// A half-open connection is gone.
    pub(crate) fn forget_half_open(&mut self) {
        self.half_open = self.half_open.checked_sub(1).expect("it was counted by `on_syn`");
    }

    /// A complete connection was accepted.
    pub(crate) fn on_accept(&mut self) {
        self.complete = self.complete.checked_sub(1).expect("it was counted by `on_ack`");
    }

    /// Returns how many wait to be accepted.
    pub(crate) fn complete(&self) -> u32 {
        self.complete
    }

    /// Returns how many are in their handshake.
    pub(crate) fn half_open(&self) -> u32 {
        self.half_open
    }

    /// Tells whether it has no place for another connection.
    pub(crate) fn is_full(&self) -> bool {
        self.complete > self.limit
    }
}
