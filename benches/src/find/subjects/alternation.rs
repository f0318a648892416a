//! `fig1_n`, `pingpong`: two tasks take turns at one cell, and each of them does so all n times. So the
//! bug is as deep as the program is long. With noise, other tasks use cells of their own.

use super::Subject;
use crate::find::host::{Host, join_all, spawn_all};

#[derive(Clone, Copy)]
pub(crate) struct Alternation {
    pub(crate) rounds: usize,
    pub(crate) noise: usize,
}

impl Subject for Alternation {
    fn name(&self) -> String {
        match self.noise {
            0 => format!("fig1_{}", self.rounds),
            _ => "pingpong+noise".to_owned(),
        }
    }

    async fn run<H: Host>(self) {
        let rounds = self.rounds;
        let (turn, hits) = (H::cell(1), H::cell(0));
        let players = [0, 1].map(|player| {
            let (turn, hits) = (turn.clone(), hits.clone());
            async move {
                let mut own_hits = 0;
                for _ in 0..rounds {
                    own_hits += i64::from(H::swap(&turn, player).await != player);
                }
                H::add(&hits, own_hits).await;
            }
        });
        let players = spawn_all::<H>(players).await;
        let noises = (0..self.noise).map(|_| async move {
            let own = H::cell(0);
            for step in 0..NOISE_STEPS {
                H::store(&own, step).await;
            }
        });
        let noises = spawn_all::<H>(noises).await;
        join_all::<H>(players).await;
        join_all::<H>(noises).await;
        let all = i64::try_from(2 * rounds).expect("few rounds");
        assert_ne!(H::load(&hits).await, all, "they took turns all the time");
    }
}

const NOISE_STEPS: i64 = 6;
