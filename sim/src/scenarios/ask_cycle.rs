//! A shop takes orders and has a stock set the goods aside. When the stock is short it asks the shop whether the
//! customer may wait.
//!
//! What is wrong: the shop waits for the stock in its handler, and the stock for the shop in its own. An actor
//! handles one message at a time, so the stock's question waits behind the order that waits for the stock. In
//! production both time out, and try again.
//!
//! The repair lets the shop's question run beside its messages, and answers whoever ordered when it is
//! answered. Then the shop is free to be asked.

use parcae::actor::{self, ActorRef, Context, Crash, Handler, ReplyTo, Respond};
use parcae::rng::choose_for;

use crate::scenario::Scenario;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "ask-cycle",
    summary: "A shop asks its stock for goods; a stock that is short asks the shop.",
    defect: "Each waits for the other's answer in a handler; in the twin the shop goes on meanwhile.",
    source: "Orleans#3184, #5456, #5331: calls of grains in a circle; actix#291",
    failure_kind: "deadlock",
    seeds_until_found: 50,
    buggy: || Box::pin(order_all(Waits::InItsHandler)),
    fixed: || Box::pin(order_all(Waits::BesideIt)),
};

#[derive(Clone, Copy)]
enum Waits {
    InItsHandler,
    BesideIt,
}

#[derive(Debug)]
struct Order(u64);
parcae::message!(Order -> bool);

#[derive(Debug)]
struct MayWait(u64);
parcae::message!(MayWait -> bool);

#[derive(Debug)]
struct SetAside {
    order: u64,
    by: ActorRef<Shop>,
}
parcae::message!(SetAside -> bool);

struct Shop {
    stock: ActorRef<Stock>,
    waits: Waits,
}
parcae::actor!(Shop);

impl Respond<Order> for Shop {
    async fn respond(
        &mut self,
        Order(order): Order,
        reply: ReplyTo<bool>,
        context: &mut Context<Self>,
    ) -> Result<(), Crash> {
        let asked = self.stock.ask(SetAside { order, by: context.me() });
        match self.waits {
            Waits::InItsHandler => reply.send(asked.await?),
            // Nothing comes if there is no answer, and whoever ordered is told so.
            Waits::BesideIt => context.task(async move {
                if let Ok(is_taken) = asked.await {
                    reply.send(is_taken);
                }
            }),
        }
        Ok(())
    }
}

impl Handler<MayWait> for Shop {
    async fn handle(&mut self, order: MayWait, _: &mut Context<Self>) -> Result<bool, Crash> {
        Ok(order.0.is_multiple_of(2))
    }
}

struct Stock;
parcae::actor!(Stock);

impl Handler<SetAside> for Stock {
    async fn handle(&mut self, asked: SetAside, _: &mut Context<Self>) -> Result<bool, Crash> {
        if choose_for("stock is short", asked.order, 0..=9) != 9 {
            return Ok(true);
        }
        Ok(asked.by.ask(MayWait(asked.order)).await?)
    }
}

async fn order_all(waits: Waits) {
    let stock = actor::spawn_named::<Stock>("stock", Stock).expect("the first of this name");
    let shop = Shop { stock, waits };
    let shop = actor::spawn_named::<Shop>("shop", shop).expect("the first of this name");
    for order in 0..10_u64 {
        let is_taken = shop.ask(Order(order)).await.expect("it is answered in time");
        assert!(is_taken || !order.is_multiple_of(2), "order {order} is refused");
    }
}
