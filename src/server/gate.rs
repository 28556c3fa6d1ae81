//! A gate to something of which there is only so much: so many are inside at a time, the others wait.
//!
//! Of those that wait the latest and the oldest take turns, so that one that comes into a crowd is not behind all of
//! it, and none waits for ever.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The gate.
#[derive(Clone)]
pub(super) struct Gate(Arc<Mutex<Queue>>);

struct Queue {
    free: usize,
    waiting: VecDeque<oneshot::Sender<Pass>>,
    takes_latest: bool,
}

/// Leave to be inside, until it is dropped.
pub(super) struct Pass(Option<Gate>);

impl Gate {
    /// So many at a time.
    pub(super) fn new(free: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { free, waiting: VecDeque::new(), takes_latest: false })))
    }

    /// Whether somebody else may still come to it.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Waits to be let in.
    pub(super) async fn enter(&self) -> Pass {
        let called = {
            let mut queue = self.queue();
            if queue.free > 0 {
                queue.free = queue.free.saturating_sub(1);
                return Pass(Some(self.clone()));
            }
            let (call, called) = oneshot::channel();
            queue.waiting.push_back(call);
            called
        };
        // A call is dropped only by being made.
        called.await.unwrap_or(Pass(None))
    }

    /// Lets in who is next. The pass of one that has gone meanwhile comes back, for the next.
    fn pass_on(self) {
        let mut pass = Pass(Some(self.clone()));
        while let Some(call) = self.next() {
            match call.send(pass) {
                Ok(()) => return,
                Err(back) => pass = back,
            }
        }
        pass.0 = None;
    }

    /// Whom to call; none: nobody waits, and there is room for one more.
    fn next(&self) -> Option<oneshot::Sender<Pass>> {
        let mut queue = self.queue();
        queue.takes_latest = !queue.takes_latest;
        let call = if queue.takes_latest { queue.waiting.pop_back() } else { queue.waiting.pop_front() };
        queue.free = queue.free.saturating_add(usize::from(call.is_none()));
        call
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.0.take() {
            gate.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn of_a_crowd_the_latest_and_the_oldest_take_passs() {
        let gate = Gate::new(1);
        let held = gate.enter().await;
        let (say, mut said) = unbounded_channel();
        for number in 1..=5 {
            let (gate, say) = (gate.clone(), say.clone());
            tokio::spawn(async move {
                let _pass = gate.enter().await;
                say.send(number).unwrap();
            });
            tokio::task::yield_now().await;
        }
        drop((held, say));
        let mut order = vec![];
        while let Some(number) = said.recv().await {
            order.push(number);
        }
        assert_eq!(order, [5, 1, 4, 2, 3]);
        assert_eq!(gate.queue().free, 1);
    }

    #[tokio::test]
    async fn who_goes_while_waiting_leaves_the_pass_to_others() {
        let gate = Gate::new(1);
        let held = gate.enter().await;
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                tokio::spawn({
                    let gate = gate.clone();
                    async move { drop(gate.enter().await) }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        tokio::task::yield_now().await;
        drop(held);
        drop(gate.enter().await);
        let queue = gate.queue();
        assert_eq!((queue.free, queue.waiting.len()), (1, 0));
    }
}
