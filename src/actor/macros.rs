//! The short form of what most actors and messages are.

/// Makes types messages, each with the type of its answer; without one that is `()`.
///
/// # Examples
/// ```
/// use parcae::actor::Message;
///
/// #[derive(Debug)]
/// struct Get;
/// #[derive(Debug)]
/// struct Put(u32);
/// parcae::message!(Get -> u32);
/// parcae::message!(Put);
/// assert_eq!(Get::kind(), "Get");
/// ```
#[macro_export]
macro_rules! message {
    ($message:ident) => {
        $crate::message!($message -> ());
    };
    ($message:ident -> $reply:ty) => {
        impl $crate::actor::Message for $message {
            type Reply = $reply;
        }
    };
}

/// Makes a type an actor that is started with itself, and whose errors are any.
///
/// # Examples
/// ```
/// use parcae::actor::{Context, Crash, Handler};
///
/// #[derive(Debug)]
/// struct Ping;
/// parcae::message!(Ping -> u32);
///
/// struct Pong(u32);
/// parcae::actor!(Pong);
/// impl Handler<Ping> for Pong {
///     async fn handle(&mut self, _: Ping, _: &mut Context<Self>) -> Result<u32, Crash> {
///         self.0 += 1;
///         Ok(self.0)
///     }
/// }
///
/// # parcae::Sim::new(7).run(|| async {
/// let pong = parcae::actor::spawn::<Pong>(Pong(0));
/// assert_eq!(pong.ask(Ping).await, Ok(1));
/// # }).unwrap();
/// ```
#[macro_export]
macro_rules! actor {
    ($actor:ty) => {
        impl $crate::actor::Actor for $actor {
            type Args = Self;
            type Error = $crate::actor::Crash;

            async fn start(
                args: Self,
                _: &mut $crate::actor::Context<Self>,
            ) -> ::core::result::Result<Self, $crate::actor::Crash> {
                ::core::result::Result::Ok(args)
            }
        }
    };
}
