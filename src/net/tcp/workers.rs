//! Threads for connections, each with a runtime of its own.
//!
//! A connection is accepted, served and closed on one thread. In a runtime of many threads each new connection would
//! wake another thread, to find nothing to do or to take it away, which costs more than the answer.

use std::io;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot::{Receiver, Sender, channel};
use tokio::task::yield_now;

/// The threads. Dropping them ends the connections that are served there.
#[derive(Debug)]
pub struct Workers(Vec<Worker>);

impl Workers {
    /// Starts so many threads, with nothing to serve yet.
    ///
    /// # Errors
    /// The kernel gives no epoll or thread.
    pub fn start(count: usize) -> io::Result<Self> {
        (0..count).map(Worker::start).collect::<io::Result<_>>().map(Self)
    }

    /// Where to serve: one runtime for each thread.
    pub fn runtimes(&self) -> impl Iterator<Item = &Handle> {
        self.0.iter().map(|worker| &worker.runtime)
    }
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// The thread ends when this is dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = channel();
        let thread = thread::Builder::new().name(format!("tcp-{number}")).spawn(move || run(&runtime, stopped))?;
        Ok(Self { runtime: handle, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(runtime: &Runtime, stopped: Receiver<()>) {
    runtime.block_on(async {
        // An error says that the other end is gone, which is what is waited for.
        let _ = stopped.await;
        // Replies that are there by now are sent first.
        yield_now().await;
    });
}
