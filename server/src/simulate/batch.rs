//! The running requests of an engine: each gets one token per iteration.
//!
//! What an iteration needs to know is kept ready, so that it costs O(1) unless a request ends:
//! a count, per residue of the iteration's number modulo the tokens of a block, of the requests
//! that begin a block then; and the earliest iteration in which a request ends.

use super::kv::{BLOCK_TOKENS, Lease, blocks_for};
use super::request::Request;

const RESIDUES: usize = BLOCK_TOKENS as usize;

#[derive(Debug)]
struct Running {
    request: Request,
    lease: Lease,
    /// The iteration after which it joined, with `request.progress.generated` tokens.
    joined: u64,
}

impl Running {
    fn ends_at(&self) -> u64 {
        self.joined + u64::from(self.request.output - self.request.progress.generated)
    }

    /// It begins a block in the iterations with this number modulo the tokens of a block: those
    /// after which it has one token more than whole blocks.
    fn residue(&self) -> usize {
        let tokens = u64::from(self.request.tokens());
        let blocks = u64::from(BLOCK_TOKENS);
        ((1 + self.joined + blocks * tokens - tokens) % blocks) as usize
    }

    /// The request after `iteration`, later than the one it joined in, and its blocks before it.
    fn settle(mut self, iteration: u64) -> (Request, Lease) {
        self.request.progress.generated += (iteration - self.joined) as u32;
        self.lease.own = blocks_for(self.request.tokens() - 1) - self.lease.shared;
        (self.request, self.lease)
    }
}

/// The running requests, in the order in which they joined.
#[derive(Debug)]
pub(crate) struct Batch {
    running: Vec<Running>,
    blocks_begun: [u32; RESIDUES],
    next_end: u64,
}

impl Batch {
    /// Nobody.
    pub(crate) fn new() -> Batch {
        Batch { running: Vec::new(), blocks_begun: [0; RESIDUES], next_end: u64::MAX }
    }

    /// How many requests run.
    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    /// Adds a request after `iteration`, with blocks for the tokens it has and more to come.
    pub(crate) fn join(&mut self, request: Request, lease: Lease, iteration: u64) {
        let running = Running { request, lease, joined: iteration };
        self.blocks_begun[running.residue()] += 1;
        self.next_end = self.next_end.min(running.ends_at());
        self.running.push(running);
    }

    /// Takes out the requests that have all their tokens after `iteration`.
    pub(crate) fn take_ended(&mut self, iteration: u64) -> Vec<(Request, Lease)> {
        if iteration < self.next_end {
            return Vec::new();
        }
        let ended = |running: &mut Running| running.ends_at() <= iteration;
        let ended: Vec<Running> = self.running.extract_if(.., ended).collect();
        self.find_next_end();
        ended.into_iter().map(|running| self.leave(running, iteration)).collect()
    }

    /// Takes out the request that joined last.
    pub(crate) fn take_latest(&mut self, iteration: u64) -> Option<(Request, Lease)> {
        let running = self.running.pop()?;
        self.find_next_end();
        Some(self.leave(running, iteration))
    }

    /// How many requests begin a block in `iteration`.
    pub(crate) fn blocks_begun(&self, iteration: u64) -> u32 {
        self.blocks_begun[(iteration % u64::from(BLOCK_TOKENS)) as usize]
    }

    fn leave(&mut self, running: Running, iteration: u64) -> (Request, Lease) {
        self.blocks_begun[running.residue()] -= 1;
        running.settle(iteration)
    }

    fn find_next_end(&mut self) {
        self.next_end = self.running.iter().map(Running::ends_at).min().unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_as_they_begin() {
        for prompt in 1..40 {
            let request = Request { prompt, output: 50, ..Request::default() };
            let mut own = blocks_for(prompt);
            let mut batch = Batch::new();
            batch.join(request, Lease { own, shared: 0, prefix: None }, 7);
            for iteration in 8..57 {
                assert!(batch.take_ended(iteration).is_empty());
                own += batch.blocks_begun(iteration);
                let tokens = prompt + (iteration - 7) as u32;
                assert_eq!(own, blocks_for(tokens), "prompt {prompt} iteration {iteration}");
            }
            let (request, lease) = batch.take_ended(57).remove(0);
            assert_eq!((request.progress.generated, lease.own, batch.len()), (50, own, 0));
            assert_eq!(batch.blocks_begun, [0; RESIDUES]);
        }
    }
}
