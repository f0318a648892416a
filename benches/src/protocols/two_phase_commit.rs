//! Transactions of three participants by two-phase commit (Gray, "Notes on data base operating systems", 1978), with time-outs.
//!
//! The coordinator asks all to prepare, and commits when all have voted for it in time. Who has voted waits for the decision.
//! That is where the wrong one loses patience: it aborts on its own, although the others may be told to commit. The right one
//! asks the coordinator again and again: between vote and decision it may not decide.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use parcae::time::{Instant, timeout_at};

use super::{PORT, Post, Protocol, machines};

pub(crate) const PROTOCOL: Protocol = Protocol {
    name: "two-phase commit with a time-out",
    buggy: || Box::pin(run(false)),
    right: || Box::pin(run(true)),
};

/// What each participant has decided, by transaction.
type Ledger = Rc<RefCell<BTreeMap<u64, [Option<bool>; PARTICIPANTS]>>>;

async fn run(asks: bool) {
    let (participants, addresses) = machines("participant", PARTICIPANTS);
    let (coordinator, of_coordinator) = machines("coordinator", 1);
    let ledger = Ledger::default();
    for (index, node) in participants.iter().enumerate() {
        let (coordinator, ledger) = (of_coordinator[0], ledger.clone());
        node.spawn(participate(index, asks, coordinator, ledger)).detach();
    }
    coordinator[0].spawn(coordinate(addresses)).await;
    for (transaction, decisions) in ledger.borrow().iter() {
        let is_one =
            decisions.iter().all(|decision| decision.is_some() && *decision == decisions[0]);
        assert!(is_one, "transaction {transaction} is committed by some: {decisions:?}");
    }
}

/// Has all participants decide one transaction after the other.
async fn coordinate(participants: Rc<[SocketAddr]>) {
    let post = Post::open(PORT).await;
    for transaction in 1..=TRANSACTIONS {
        post.send_all(&*participants, &[PREPARE, transaction]).await;
        let deadline = Instant::now() + PATIENCE_OF_COORDINATOR;
        let mut votes = Vec::new();
        while votes.len() < PARTICIPANTS {
            let Ok((message, voter)) = timeout_at(deadline, post.receive()).await else { break };
            if message == [VOTE, transaction] {
                votes.push(voter);
            }
        }
        let decision = if votes.len() == PARTICIPANTS { COMMIT } else { ABORT };
        post.send_all(&*participants, &[decision, transaction]).await;
        let mut done = Vec::new();
        while done.len() < PARTICIPANTS {
            let (message, participant) = post.receive().await;
            match message[..] {
                [ASK, of] if of == transaction => post.send(participant, &[decision, of]).await,
                [DONE, of] if of == transaction && !done.contains(&participant) => {
                    done.push(participant);
                }
                _ => {}
            }
        }
    }
}

async fn participate(index: usize, asks: bool, coordinator: SocketAddr, ledger: Ledger) {
    let post = Post::open(PORT).await;
    // The transaction that it has voted for, and until when it waits for the decision.
    let mut in_doubt: Option<(u64, Instant)> = None;
    let is_decided = |transaction: u64| {
        ledger.borrow().get(&transaction).is_some_and(|decisions| decisions[index].is_some())
    };
    let decide = |transaction: u64, commits: bool| {
        ledger.borrow_mut().entry(transaction).or_default()[index].get_or_insert(commits);
    };
    loop {
        let message = match in_doubt {
            None => post.receive().await.0,
            Some((transaction, deadline)) => match timeout_at(deadline, post.receive()).await {
                Ok((message, _)) => message,
                Err(_) if asks => {
                    post.send(coordinator, &[ASK, transaction]).await;
                    in_doubt = Some((transaction, Instant::now() + PATIENCE));
                    continue;
                }
                Err(_) => {
                    decide(transaction, false);
                    in_doubt = None;
                    continue;
                }
            },
        };
        match message[..] {
            [PREPARE, transaction] if !is_decided(transaction) => {
                post.send(coordinator, &[VOTE, transaction]).await;
                in_doubt = Some((transaction, Instant::now() + PATIENCE));
            }
            [decision @ (COMMIT | ABORT), transaction] => {
                decide(transaction, decision == COMMIT);
                in_doubt = in_doubt.filter(|(doubtful, _)| *doubtful != transaction);
                post.send(coordinator, &[DONE, transaction]).await;
            }
            // It was asked to prepare after it was told to abort.
            _ => {}
        }
    }
}

const PARTICIPANTS: usize = 3;
const TRANSACTIONS: u64 = 3;

/// A little less than three packets on the default network may take, nearly twice what they take in the mean.
const PATIENCE: Duration = Duration::from_micros(2_700);
const PATIENCE_OF_COORDINATOR: Duration = Duration::from_millis(10);

const PREPARE: u64 = 1;
const VOTE: u64 = 2;
const COMMIT: u64 = 3;
const ABORT: u64 = 4;
const DONE: u64 = 5;
const ASK: u64 = 6;
