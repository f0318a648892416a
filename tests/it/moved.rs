use std::sync::Arc;

use parcae::testing::Shared;

pub(super) async fn lost_update() {
    let counter = Arc::new(Shared::new(0_u32).named("counter"));
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let counter = counter.clone();
            parcae::spawn_named("increment", async move {
                let value = counter.get().await;
                counter.set(value + 1).await;
            })
        })
        .collect();
    let bystander = parcae::spawn_named("bystander", async {});
    for task in tasks.into_iter().chain([bystander]) {
        task.await;
    }
    assert_eq!(counter.peek(), 3, "an update was lost");
}
