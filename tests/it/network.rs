//! The network as programs see it: streams under all faults at once, under the loss of one certain
//! packet, under each verb, and when the machine at the other end dies.

mod contents;
mod families;
mod losses;
mod peers;
mod regressions;
mod short_calls;
mod verbs;
mod workloads;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::AsyncReadExt as _;
use parcae::net::{TcpListener, TcpStream};
use parcae::spawn;
use parcae::time::Instant;
use parcae::world::{self, Latency, LinkOptions, Node};

use crate::runs::{Journal, millis, on_every_seed};

/// Makes a machine that serves each stream that comes to its port 80, in a task of its own.
fn serving<F>(name: &'static str, serve: impl Fn(TcpStream) -> F + 'static) -> Node
where
    F: Future<Output = ()> + 'static,
{
    world::node(name).start(server(serve))
}

/// The program of such a machine.
fn server<F>(serve: impl Fn(TcpStream) -> F + 'static) -> impl Fn() -> Program
where
    F: Future<Output = ()> + 'static,
{
    let serve = Rc::new(serve);
    move || {
        let serve = serve.clone();
        Box::pin(async move {
            let listener = TcpListener::bind("[::]:80").await.unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                spawn(serve(stream)).background();
            }
        })
    }
}

type Program = Pin<Box<dyn Future<Output = ()>>>;

/// Sends back what comes, until it ends.
async fn echo(stream: TcpStream) {
    drop(futures_lite::io::copy(&stream, &stream).await);
}

/// Never reads, writes or closes.
async fn keep(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

/// Writes down what comes and when, and how it ends: with no bytes, or with the code of an error.
fn sink(arrivals: &Arrivals) -> impl Fn(TcpStream) -> Program + use<> {
    let (arrivals, start) = (arrivals.clone(), Instant::now());
    move |mut stream| {
        let arrivals = arrivals.clone();
        Box::pin(async move {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let result = stream.read(&mut buffer).await;
                let result =
                    result.map(|count| buffer[..count].to_vec()).map_err(|error| code(&error));
                let is_over = !matches!(&result, Ok(bytes) if !bytes.is_empty());
                arrivals.add((start.elapsed(), result));
                if is_over {
                    return;
                }
            }
        })
    }
}

type Arrivals = Journal<(Duration, Result<Vec<u8>, i32>)>;

/// The address of a machine's port: the one and only that a connect tries.
fn port_of(node: &Node, port: u16) -> SocketAddr {
    SocketAddr::new(node.addresses()[0], port)
}

async fn connect(node: &Node) -> TcpStream {
    TcpStream::connect(port_of(node, 80)).await.unwrap()
}

/// Runs a program on many seeds, in each of them with latencies as they usually are: 50 µs to 1 ms.
fn with_usual_latencies<F>(program: impl Fn() -> F + Clone + 'static)
where
    F: Future<Output = ()> + 'static,
{
    on_every_seed(move || {
        let latency = Latency::uniform(Duration::from_micros(50), millis(1));
        world::network().set_links(LinkOptions::lan().with_latency(latency));
        program()
    });
}

/// A link on which every packet takes so long, and which does nothing else.
fn steady(latency: Duration) -> LinkOptions {
    LinkOptions::lan().with_latency(Latency::constant(latency))
}

/// The system's code of an error.
fn code(error: &io::Error) -> i32 {
    error.raw_os_error().expect("it is an error of the system")
}

fn code_of<T: std::fmt::Debug>(result: io::Result<T>) -> i32 {
    code(&result.expect_err("the call fails"))
}

/// What a read gives: the bytes, none at the end, or the code of an error.
async fn read(stream: &mut TcpStream) -> Result<Vec<u8>, i32> {
    let mut buffer = vec![0; 64 * 1024];
    let count = stream.read(&mut buffer).await.map_err(|error| code(&error))?;
    buffer.truncate(count);
    Ok(buffer)
}

/// Codes of Linux, which the simulation has on every platform.
const EMFILE: i32 = 24;
const EPIPE: i32 = 32;
const EADDRINUSE: i32 = 98;
const ECONNRESET: i32 = 104;
const ETIMEDOUT: i32 = 110;
const ECONNREFUSED: i32 = 111;
