//! A test of three servers and a client that is cut off from one of them.
//!
//! `cargo test --example partition` runs it in 100 simulated worlds, each with other delays and another order
//! of what happens. A test is a machine of its own, named `test`: it connects to others by their names. In
//! `serve` and `ask` is nothing of the simulation; they run in production as they stand.
//!
//! ```text
//! test ---x--- server-1      nothing comes through until the guard of the partition is dropped
//!      ------- server-2
//!      ------- server-3
//! ```

#![expect(clippy::print_stdout, reason = "a program prints")]

fn main() {
    println!("This example is a test: `cargo test --example partition`.");
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
    use parcae::net::{TcpListener, TcpStream};
    use parcae::time::timeout;
    use parcae::world;

    async fn serve() -> io::Result<()> {
        let listener = TcpListener::bind("[::]:80").await?;
        loop {
            listener.accept().await?.0.write_all(b"pong").await?;
        }
    }

    async fn ask(server: &str) -> io::Result<String> {
        let mut answer = String::new();
        TcpStream::connect((server, 80)).await?.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[parcae::test(seeds = 100)]
    async fn who_was_cut_off_is_served_after_the_cut() {
        world::nodes("server", 3).start(|_| serve());
        let cut = world::partition("test", "server-1");
        assert!(timeout(Duration::from_secs(5), ask("server-1")).await.is_err());
        assert_eq!(ask("server-2").await.unwrap(), "pong");
        drop(cut);
        assert_eq!(ask("server-1").await.unwrap(), "pong");
    }
}
