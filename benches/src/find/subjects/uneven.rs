//! `uneven_n`: a task of one step comes after all steps of one that has n.

use super::Subject;
use crate::find::host::Host;

#[derive(Clone, Copy)]
pub(crate) struct Uneven(pub(crate) i64);

impl Subject for Uneven {
    fn name(&self) -> String {
        format!("uneven_{}", self.0)
    }

    async fn run<H: Host>(self) {
        let (steps, steps_max) = (H::cell(0), self.0);
        let counted = steps.clone();
        let long = H::spawn(async move {
            for step in 1..=steps_max {
                H::store(&counted, step).await;
            }
        })
        .await;
        let short = H::spawn(async move {
            assert_ne!(H::load(&steps).await, steps_max, "it is the last");
        })
        .await;
        H::join(long).await;
        H::join(short).await;
    }
}
