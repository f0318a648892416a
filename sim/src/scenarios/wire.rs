//! Questions and answers over TCP: a line each, and a connection for each question.
//!
//! It is what the machines of some scenarios speak; what goes wrong there is not in here.

use std::io;
use std::time::Duration;

use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt as _, AsyncWriteExt as _};
use parcae::net::{TcpListener, TcpStream};
use parcae::spawn;
use parcae::time::timeout;

/// Sends a question to a machine and returns its answer.
// Connects from where it is called: so the timeline tells one question from another.
#[track_caller]
pub(super) fn ask(address: &str, question: String) -> impl Future<Output = io::Result<String>> {
    let connect = TcpStream::connect(address);
    let answer = async move {
        let mut stream = connect.await?;
        stream.write_all(format!("{question}\n").as_bytes()).await?;
        read_line(&mut BufReader::new(stream)).await?.ok_or(io::ErrorKind::UnexpectedEof.into())
    };
    async { timeout(TIME_LIMIT, answer).await.unwrap_or(Err(io::ErrorKind::TimedOut.into())) }
}

/// Answers all questions that come to a port.
pub(super) async fn serve<F>(
    port: u16,
    answer: impl Fn(String) -> F + Clone + 'static,
) -> io::Result<()>
where
    F: Future<Output = String> + 'static,
{
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let answer = answer.clone();
        spawn(async move {
            let mut stream = BufReader::new(stream);
            // Whoever has gone meanwhile gets no answer.
            if let Ok(Some(question)) = read_line(&mut stream).await {
                let answer = answer(question).await + "\n";
                drop(stream.get_mut().write_all(answer.as_bytes()).await);
            }
        })
        .detach();
    }
}

/// Reads a line without its end; none after the last one.
pub(super) async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line.strip_suffix('\n').map(str::to_owned))
}

const TIME_LIMIT: Duration = Duration::from_secs(1);
