//! Actors of other machines, over loopback: two listeners of one process that know each other.

use std::cell::RefCell;
use std::rc::Rc;

use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use parcae::actor::remote::{self, Delivery, Detection, Listener, Options, Protocol, RemoteActor};
use parcae::actor::{
    self, ActorRef, AskError, Context, Crash, ExitReason, Flow, Handler, Mailbox, ReplyTo, Respond,
    Signal, TellError,
};
use parcae::net::{TcpListener, TcpStream};
use parcae::retry::Backoff;
use parcae::spawn;
use parcae::time::{sleep, timeout};
use serde::{Deserialize, Serialize};

use crate::clock::beats;
use crate::net_ends::until;

const KEY: &[u8] = b"32 random bytes from a safe place";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note(u64);
parcae::message!(Note);

#[derive(Debug, Serialize, Deserialize)]
struct Sure(u64);
parcae::message!(Sure);

#[derive(Debug, Serialize, Deserialize)]
struct Double(u64);
parcae::message!(Double -> u64);

#[derive(Debug, Serialize, Deserialize)]
struct Echo(Vec<u8>);
parcae::message!(Echo -> Vec<u8>);

/// Is answered when the gate is opened, or never.
#[derive(Debug, Serialize, Deserialize)]
struct Later;
parcae::message!(Later -> u64);

#[derive(Debug, Serialize, Deserialize)]
struct Fail;
parcae::message!(Fail -> ());

#[derive(Debug)]
struct Local;
parcae::message!(Local);

type Heard = Rc<RefCell<Vec<u64>>>;

/// Writes down what it hears.
struct Notes {
    heard: Heard,
    kept: Vec<ReplyTo<u64>>,
}

impl actor::Actor for Notes {
    type Args = Heard;
    type Error = Crash;

    const MAILBOX: Mailbox = Mailbox::bounded(2);

    async fn start(heard: Heard, _: &mut Context<Self>) -> Result<Self, Crash> {
        Ok(Self { heard, kept: Vec::new() })
    }
}

impl Handler<Note> for Notes {
    async fn handle(&mut self, Note(number): Note, _: &mut Context<Self>) -> Result<(), Crash> {
        self.heard.borrow_mut().push(number);
        Ok(())
    }
}

impl Handler<Sure> for Notes {
    async fn handle(&mut self, Sure(number): Sure, _: &mut Context<Self>) -> Result<(), Crash> {
        self.heard.borrow_mut().push(number);
        Ok(())
    }
}

impl Handler<Double> for Notes {
    async fn handle(
        &mut self,
        Double(number): Double,
        _: &mut Context<Self>,
    ) -> Result<u64, Crash> {
        Ok(number * 2)
    }
}

impl Handler<Echo> for Notes {
    async fn handle(&mut self, Echo(bytes): Echo, _: &mut Context<Self>) -> Result<Vec<u8>, Crash> {
        Ok(bytes)
    }
}

impl Handler<Fail> for Notes {
    async fn handle(&mut self, _: Fail, _: &mut Context<Self>) -> Result<(), Crash> {
        Err(Crash::new("as it was asked to"))
    }
}

impl Handler<Local> for Notes {
    async fn handle(&mut self, _: Local, _: &mut Context<Self>) -> Result<(), Crash> {
        Ok(())
    }
}

impl Respond<Later> for Notes {
    async fn respond(
        &mut self,
        _: Later,
        reply: ReplyTo<u64>,
        _: &mut Context<Self>,
    ) -> Result<(), Crash> {
        self.kept.push(reply);
        Ok(())
    }
}

impl RemoteActor for Notes {
    fn protocol() -> Protocol<Self> {
        Protocol::new()
            .message::<Note>("note")
            .message_with::<Sure>("sure", Delivery::AtLeastOnce)
            .message::<Double>("double")
            .message::<Echo>("echo")
            .message::<Later>("later")
            .message::<Fail>("fail")
    }
}

/// Another type, which does not know what [`Notes`] knows.
struct Other;
parcae::actor!(Other);

impl Handler<Double> for Other {
    async fn handle(
        &mut self,
        Double(number): Double,
        _: &mut Context<Self>,
    ) -> Result<u64, Crash> {
        Ok(number)
    }
}

impl RemoteActor for Other {
    fn protocol() -> Protocol<Self> {
        Protocol::new().message::<Double>("double")
    }
}

fn options(name: &str) -> Options {
    Options::new(name, KEY)
        .heartbeat(beats(10))
        .backoff(Backoff::constant(beats(1) / 4))
        .detection(Detection::timeout(beats(400)))
}

async fn serving(options: Options) -> Listener {
    remote::serve(options.listen("127.0.0.1:0").expose::<Notes>()).await.unwrap()
}

async fn dialing(name: &str) -> Listener {
    remote::serve(options(name).dial_only()).await.unwrap()
}

fn address(listener: &Listener) -> String {
    listener.local_addr().unwrap().to_string()
}

/// Both ends, the actor, and the way to it.
struct World {
    server: Listener,
    client: Listener,
    local: ActorRef<Notes>,
    notes: ActorRef<Notes>,
    heard: Heard,
}

async fn world() -> World {
    let server = serving(options("server")).await;
    let client = dialing("client").await;
    let heard = Heard::default();
    let local = actor::spawn_named::<Notes>("notes", heard.clone()).unwrap();
    let notes = client.remote::<Notes>(&address(&server), "notes");
    World { server, client, local, notes, heard }
}

impl World {
    async fn hears(&self, count: usize) -> Vec<u64> {
        until(|| self.heard.borrow().len() >= count).await;
        self.heard.borrow().clone()
    }

    async fn end(self) {
        self.local.stop();
        self.local.exited().await;
    }
}

conformance! {
    async fn a_question_is_answered() {
        let world = world().await;
        assert_eq!(world.notes.ask(Double(21)).await, Ok(42));
        world.end().await;
    }

    async fn what_is_told_is_handled_in_order() {
        let world = world().await;
        for number in 0..20 {
            world.notes.tell(Note(number)).unwrap();
        }
        assert_eq!(world.hears(20).await, (0..20).collect::<Vec<_>>());
        world.end().await;
    }

    async fn what_is_sent_waits_for_room_and_all_of_it_is_handled() {
        let world = world().await;
        for number in 0..150 {
            world.notes.send(Note(number)).await.unwrap();
        }
        assert_eq!(world.hears(150).await, (0..150).collect::<Vec<_>>());
        world.end().await;
    }

    async fn messages_questions_and_both_kinds_of_delivery_keep_their_order() {
        let world = world().await;
        world.notes.tell(Note(1)).unwrap();
        world.notes.tell(Sure(2)).unwrap();
        world.notes.tell(Note(3)).unwrap();
        assert_eq!(world.notes.ask(Double(4)).await, Ok(8));
        assert_eq!(*world.heard.borrow(), [1, 2, 3]);
        world.end().await;
    }

    async fn many_ask_at_once() {
        let world = world().await;
        let tasks: Vec<_> = (0..30)
            .map(|number| {
                let notes = world.notes.clone();
                spawn(async move { notes.ask(Double(number)).await })
            })
            .collect();
        for (number, task) in (0..).zip(tasks) {
            assert_eq!(task.await, Ok(number * 2));
        }
        world.end().await;
    }

    async fn large_messages_and_answers_are_whole() {
        let world = world().await;
        let bytes: Vec<u8> = (0..300_000_u32).map(|at| at.to_le_bytes()[at as usize % 2]).collect();
        assert_eq!(world.notes.ask(Echo(bytes.clone())).await.as_ref(), Ok(&bytes));
        assert_eq!(world.notes.ask(Echo(Vec::new())).await, Ok(Vec::new()));
        world.end().await;
    }

    async fn what_is_too_long_for_a_frame_comes_back() {
        let world = world().await;
        let told = world.notes.tell(Sure(1));
        assert!(told.is_ok());
        assert!(matches!(
            world.notes.ask(Echo(vec![0; 1 << 20])).await,
            Err(AskError::Refused(_))
        ));
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        world.end().await;
    }

    async fn a_message_that_is_not_in_the_protocol_comes_back() {
        let world = world().await;
        assert!(matches!(world.notes.tell(Local), Err(TellError::NotRemote(Local))));
        assert_eq!(world.notes.ask(Local).await, Err(AskError::NotRemote));
        world.end().await;
    }

    async fn nobody_of_this_name_says_so() {
        let world = world().await;
        let nobody = world.client.remote::<Notes>(&address(&world.server), "nobody");
        assert_eq!(nobody.ask(Double(1)).await, Err(AskError::NoProc));
        world.end().await;
    }

    async fn an_actor_of_a_type_that_is_not_exposed_is_nobody() {
        let world = world().await;
        let other = actor::spawn_named::<Other>("other", Other).unwrap();
        let far = world.client.remote::<Other>(&address(&world.server), "other");
        assert_eq!(far.ask(Double(1)).await, Err(AskError::NoProc));
        other.stop();
        other.exited().await;
        world.end().await;
    }

    async fn an_actor_that_ends_leaves_no_question_open() {
        let world = world().await;
        let notes = world.notes.clone();
        let asking = spawn(async move { notes.ask(Later).no_timeout().await });
        // It has come when a later one is answered.
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        assert!(world.local.info().handled >= 1);
        world.notes.stop();
        let answer = asking.await;
        assert!(matches!(answer, Err(AskError::Died(_) | AskError::NoProc)), "{answer:?}");
        world.local.exited().await;
    }

    async fn a_failure_is_told_with_its_words() {
        let world = world().await;
        let exited = spawn({
            let notes = world.notes.clone();
            async move { notes.exited().await }
        });
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        let answer = world.notes.ask(Fail).await;
        assert!(matches!(answer, Err(AskError::Died(ExitReason::Error(_)))), "{answer:?}");
        match exited.await {
            ExitReason::Error(crash) => assert_eq!(crash.text(), "as it was asked to"),
            // The watch came when it had ended.
            reason => assert_eq!(reason, ExitReason::NoProc),
        }
        world.local.exited().await;
    }

    async fn a_question_that_takes_too_long_is_given_up() {
        let world = world().await;
        let answer = world.notes.ask(Later).timeout(beats(1)).await;
        assert_eq!(answer, Err(AskError::Timeout { after: beats(1) }));
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        world.end().await;
    }

    async fn stop_comes_after_what_was_told_before() {
        let world = world().await;
        for number in 0..10 {
            world.notes.tell(Note(number)).unwrap();
        }
        world.notes.stop();
        assert_eq!(world.local.exited().await, ExitReason::Normal);
        assert_eq!(*world.heard.borrow(), (0..10).collect::<Vec<_>>());
    }

    async fn drain_lets_it_handle_what_there_is() {
        let world = world().await;
        for number in 0..10 {
            world.notes.tell(Note(number)).unwrap();
        }
        world.notes.drain();
        assert_eq!(world.local.exited().await, ExitReason::Normal);
        assert_eq!(*world.heard.borrow(), (0..10).collect::<Vec<_>>());
    }

    async fn kill_ends_it_at_once() {
        let world = world().await;
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        world.notes.kill();
        assert_eq!(world.local.exited().await, ExitReason::Killed);
        assert_eq!(world.notes.ask(Double(1)).await, Err(AskError::NoProc));
    }

    async fn a_monitor_is_told_once() {
        let world = world().await;
        let signals: Signals = Rc::default();
        let watcher = actor::spawn::<Watcher>((world.notes.clone(), signals.clone(), false));
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        world.local.any().stop(ExitReason::Shutdown);
        until(|| !signals.borrow().is_empty()).await;
        sleep(beats(1)).await;
        let told = signals.take();
        // The watch may have come when it had ended.
        let is_known = [ExitReason::Shutdown, ExitReason::NoProc].contains(&told[0]);
        assert!(told.len() == 1 && is_known, "{told:?}");
        watcher.stop();
        watcher.exited().await;
        world.local.exited().await;
    }

    async fn a_listener_that_is_dropped_is_down() {
        let World { server, client, local, notes, .. } = world().await;
        assert_eq!(notes.ask(Double(1)).await, Ok(2));
        let signals: Signals = Rc::default();
        let watcher = actor::spawn::<Watcher>((notes.clone(), signals.clone(), true));
        let asking = spawn({
            let notes = notes.clone();
            async move { notes.ask(Later).no_timeout().await }
        });
        sleep(beats(1)).await;
        drop(server);
        assert_eq!(asking.await, Err(AskError::NodeDown));
        until(|| !signals.borrow().is_empty()).await;
        assert_eq!(signals.take(), [ExitReason::NodeDown]);
        assert_eq!(notes.ask(Double(1)).await, Err(AskError::NodeDown));
        for end in [watcher.any(), local.any()] {
            end.stop(ExitReason::Normal);
            end.exited().await;
        }
        drop(client);
    }

    async fn a_machine_that_comes_back_is_found_again() {
        let World { server, client, local, notes, heard } = world().await;
        assert_eq!(notes.ask(Double(1)).await, Ok(2));
        let address = address(&server);
        drop(server);
        let server = remote::serve(options("server").listen(address).expose::<Notes>()).await;
        // The port may be kept by what is left of the connection.
        if let Ok(server) = server {
            // Of the first process, or of the second.
            drop(notes.tell(Sure(7)));
            until(|| heard.borrow().contains(&7) || notes.tell(Sure(7)).is_err()).await;
            drop(server);
        }
        local.stop();
        local.exited().await;
        drop(client);
    }

    async fn without_the_key_nobody_is_heard() {
        let world = world().await;
        let stranger = Options::new("stranger", b"a guess").dial_only();
        let stranger = remote::serve(stranger).await.unwrap();
        let notes = stranger.remote::<Notes>(&address(&world.server), "notes");
        assert_eq!(notes.ask(Double(1)).no_timeout().await, Err(AskError::NodeDown));
        assert!(matches!(notes.tell(Note(1)), Err(TellError::Closed { .. })));
        assert!(world.server.refused() >= 1);
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        assert_eq!(*world.heard.borrow(), []);
        world.end().await;
    }

    async fn who_is_not_on_the_list_is_not_let_in() {
        let server = serving(options("server").allow(["friend"])).await;
        let notes = actor::spawn_named::<Notes>("notes", Heard::default()).unwrap();
        for (name, expected) in [("foe", Err(AskError::NodeDown)), ("friend", Ok(2))] {
            let client = dialing(name).await;
            let far = client.remote::<Notes>(&address(&server), "notes");
            assert_eq!(far.ask(Double(1)).no_timeout().await, expected);
        }
        notes.stop();
        notes.exited().await;
    }

    async fn anything_but_frames_ends_its_connection_and_nothing_else() {
        let world = world().await;
        let garbage: [&[u8]; 4] =
            [b"GET / HTTP/1.1\r\n\r\n", &[255; 64], &[10, 0, 0, 0, 77], &[20, 0, 0, 0, 1, 9, 9]];
        for bytes in garbage {
            let mut stream = TcpStream::connect(address(&world.server)).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            drop(stream.read_to_end(&mut Vec::new()).await);
        }
        assert_eq!(world.notes.ask(Double(1)).await, Ok(2));
        world.end().await;
    }

    async fn what_listens_there_and_is_no_listener_is_down() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let accepting = spawn(async move {
            loop {
                let (mut stream, _) = socket.accept().await.unwrap();
                drop(stream.write_all(b"220 ready, and no frame\r\n").await);
            }
        });
        let client = dialing("client").await;
        let notes = client.remote::<Notes>(&address, "notes");
        assert_eq!(notes.ask(Double(1)).no_timeout().await, Err(AskError::NodeDown));
        drop(accepting);
    }

    async fn what_does_not_listen_is_down() {
        let (_guard, address) = crate::net_ends::nobody();
        let client = dialing("client").await;
        let notes = client.remote::<Notes>(&address.to_string(), "notes");
        assert_eq!(notes.ask(Double(1)).no_timeout().await, Err(AskError::NodeDown));
        assert_eq!(notes.exited().await, ExitReason::NodeDown);
    }

    async fn a_peer_that_says_nothing_is_suspected() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let options = options("client").dial_only().greeting(beats(2));
        let client = remote::serve(options).await.unwrap();
        let notes = client.remote::<Notes>(&address, "notes");
        let answer = timeout(beats(1_000), notes.ask(Double(1)).no_timeout()).await;
        assert_eq!(answer.unwrap(), Err(AskError::NodeDown));
        drop(socket);
    }

    async fn a_name_is_served_once() {
        let _server = serving(options("server")).await;
        let second = remote::serve(options("server").listen("127.0.0.1:0")).await;
        assert!(matches!(second, Err(remote::ServeError::Served)));
    }
}

type Signals = Rc<RefCell<Vec<ExitReason>>>;

/// Writes down the ends of what it is linked to or monitors.
struct Watcher {
    signals: Signals,
}

impl actor::Actor for Watcher {
    type Args = (ActorRef<Notes>, Signals, bool);
    type Error = Crash;

    async fn start(
        (target, signals, is_linked): Self::Args,
        context: &mut Context<Self>,
    ) -> Result<Self, Crash> {
        if is_linked {
            context.link(&target.any());
        } else {
            context.monitor(&target.any());
        }
        Ok(Self { signals })
    }

    async fn on_signal(&mut self, signal: Signal, _: &mut Context<Self>) -> Result<Flow, Crash> {
        if let Signal::Down { reason, .. } | Signal::Exit { reason, .. } = signal {
            self.signals.borrow_mut().push(reason);
        }
        Ok(Flow::Continue)
    }
}
