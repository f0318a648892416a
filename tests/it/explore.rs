//! scratch
use std::cell::Cell;
use std::rc::Rc;
use parcae::explore::*;
use parcae::task::yield_now;

async fn lost_update() {
    let counter = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..3).map(|_| {
        let counter = counter.clone();
        parcae::spawn_named("increment", async move {
            let v = counter.get();
            yield_now().await;
            counter.set(v + 1);
        })
    }).collect();
    for t in tasks { t.await; }
    assert_eq!(counter.get(), 3, "lost");
}

#[test]
fn scratch() {
    let report = Check::new("x").seeds(1000).run(lost_update);
    println!("{}", parcae::report::text(&report, &parcae::report::ReplayCommand::from_prefix("x")));
    let f = report.finding().unwrap();
    for e in &f.log().entries { println!("{}", f.log().describe(e)); }
    let t: ReplayToken = f.token().unwrap().to_string().parse().unwrap();
    println!("{} {:?}", t.to_string().len(), Check::new("x").replay(&t, ReplayMode::Strict, lost_update).unwrap().verdict);
    println!("{:?}", report.wall_time());
}
