//! A gate to something of which there is only so much: so many are inside at a time, the others wait.
//!
//! Those that wait are a [`Crowd`] of urgent ones: the latest and the oldest take turns.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::transfer::crowd::{Crowd, Place};

/// The gate.
#[derive(Clone)]
pub(super) struct Gate(Arc<Mutex<Queue>>);

struct Queue {
    free: usize,
    waiting: Crowd<oneshot::Sender<Pass>>,
    /// How many ever waited: numbers the places.
    places: u64,
}

/// Leave to be inside, until it is dropped.
pub(super) struct Pass(Option<Gate>);

impl Gate {
    /// So many at a time.
    pub(super) fn new(free: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { free, waiting: Crowd::default(), places: 0 })))
    }

    /// Whether somebody else may still come to it.
    fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Does something inside. What takes longer than this goes on, but makes room for others. Many may wait outside, so
    /// the room that the work needs is taken inside.
    pub(super) async fn inside<T, Work: Future<Output = T>>(&self, limit: Duration, work: impl FnOnce() -> Work) -> T {
        let pass = self.enter().await;
        let mut work = Box::pin(work());
        if let Ok(done) = timeout(limit, &mut work).await {
            return done;
        }
        drop(pass);
        work.await
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
            queue.places = queue.places.wrapping_add(1);
            let place = Place::urgent(queue.places);
            queue.waiting.push(place, call);
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
        let call = queue.waiting.pop();
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

/// Gates to other servers, one to each.
pub(super) struct Doors<Server> {
    room: usize,
    gates: HashMap<Server, Gate>,
}

impl<Server: Eq + Hash> Doors<Server> {
    /// So many at a time through each.
    pub(super) fn new(room: usize) -> Self {
        Self { room, gates: HashMap::new() }
    }

    /// The one to this server.
    pub(super) fn to(&mut self, server: Server) -> Gate {
        if self.gates.len() >= DOORS {
            self.gates.retain(|_, gate| gate.is_shared());
        }
        self.gates.entry(server).or_insert_with(|| Gate::new(self.room)).clone()
    }
}

/// So many servers' doors are kept whether somebody is there or not.
const DOORS: usize = 1000;

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn of_a_crowd_the_latest_and_the_oldest_take_turns() {
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

    #[tokio::test(start_paused = true)]
    async fn who_takes_long_makes_room_and_goes_on() {
        let (second, gate) = (Duration::from_secs(1), Gate::new(2));
        let began = tokio::time::Instant::now();
        let work = async |length: u32| {
            gate.inside(second, || tokio::time::sleep(length * second)).await;
            began.elapsed().as_secs()
        };
        // The two of three seconds make room after one; the short ones, the latest first, follow each other then.
        assert_eq!(tokio::join!(work(3), work(3), work(0), work(1)), (3, 3, 1, 2));
        assert_eq!(gate.queue().free, 2);
    }

    #[tokio::test]
    async fn a_door_is_kept_for_as_long_as_somebody_may_come_to_it() {
        let mut doors = Doors::new(1);
        let first = doors.to(0);
        let pass = first.enter().await;
        (1..2 * DOORS).for_each(|server| drop(doors.to(server)));
        assert!(doors.gates.len() <= DOORS);
        assert_eq!(doors.to(0).queue().free, 0);
        drop(pass);
        assert_eq!(doors.to(0).queue().free, 1);
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
