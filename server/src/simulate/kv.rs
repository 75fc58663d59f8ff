//! The KV cache of an engine: blocks that running requests use, and prefixes that stay behind.
//!
//! - A request takes blocks for its tokens and grows by one whenever it fills one.
//! - Requests with the same prefix share its blocks. When the last of them ends, the blocks count
//!   as free but keep their contents: the next request with that prefix finds its tokens there,
//!   unless the blocks were needed in between (the prefix longest unused goes first).
//!
//! Invariants: `used` never exceeds `total`; prefixes kept without users fit into the free blocks.

/// Tokens per block, vLLM's default.
pub(crate) const BLOCK_TOKENS: u32 = 16;

/// Blocks that `tokens` tokens need.
pub(crate) fn blocks_for(tokens: u32) -> u32 {
    tokens.div_ceil(BLOCK_TOKENS)
}

/// Blocks that a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Blocks of its own.
    pub(crate) own: u32,
    /// Blocks shared with the requests of the same prefix.
    pub(crate) shared: u32,
    /// That prefix.
    pub(crate) prefix: Option<usize>,
}

#[derive(Debug, Clone)]
struct Prefix {
    blocks: u32,
    users: u32,
    kept: bool,
    last_used: u64,
}

/// The blocks of one engine.
#[derive(Debug)]
pub(crate) struct KvCache {
    total: u32,
    used: u32,
    uses: u64,
    prefixes: Vec<Prefix>,
}

impl KvCache {
    /// A cache of `total` blocks for prompts that may begin with texts of `prefixes` tokens.
    pub(crate) fn new(total: u32, prefixes: &[u32]) -> KvCache {
        let empty = |tokens: &u32| Prefix {
            blocks: tokens / BLOCK_TOKENS,
            users: 0,
            kept: false,
            last_used: 0,
        };
        KvCache { total, used: 0, uses: 0, prefixes: prefixes.iter().map(empty).collect() }
    }

    /// Used share, 0 to 1.
    pub(crate) fn usage(&self) -> f64 {
        f64::from(self.used) / f64::from(self.total)
    }

    /// Tokens of a prompt that need not be computed; the last one always is.
    pub(crate) fn known_tokens(&self, prefix: Option<usize>, prompt: u32) -> u32 {
        match prefix.map(|prefix| &self.prefixes[prefix]) {
            Some(known) if known.kept => {
                (known.blocks.min(prompt.saturating_sub(1) / BLOCK_TOKENS)) * BLOCK_TOKENS
            }
            _ => 0,
        }
    }

    /// Takes blocks for `tokens` tokens that begin with `prefix`; none if they are not there.
    pub(crate) fn take(&mut self, tokens: u32, prefix: Option<usize>) -> Option<Lease> {
        let all = blocks_for(tokens);
        // A request shorter than the text shares nothing.
        let prefix = prefix.filter(|prefix| self.prefixes[*prefix].blocks <= all);
        let shared = prefix.map_or(0, |prefix| self.prefixes[prefix].blocks);
        let fresh = match prefix {
            Some(prefix) if self.prefixes[prefix].users > 0 => all - shared,
            _ => all,
        };
        if self.used + fresh > self.total {
            return None;
        }
        self.used += fresh;
        self.uses += 1;
        if let Some(prefix) = prefix {
            let taken = &mut self.prefixes[prefix];
            (taken.users, taken.kept, taken.last_used) = (taken.users + 1, true, self.uses);
        }
        self.evict();
        Some(Lease { own: all - shared, shared, prefix })
    }

    /// Takes `blocks` more blocks; false if they are not there.
    pub(crate) fn grow(&mut self, blocks: u32) -> bool {
        let fits = self.used + blocks <= self.total;
        if fits {
            self.used += blocks;
            self.evict();
        }
        fits
    }

    /// Gives blocks back.
    pub(crate) fn give_back(&mut self, lease: Lease) {
        self.used -= lease.own;
        if let Some(prefix) = lease.prefix {
            let left = &mut self.prefixes[prefix];
            left.users -= 1;
            if left.users == 0 {
                self.used -= lease.shared;
            }
        }
    }

    fn evict(&mut self) {
        let free = self.total - self.used;
        while self.idle().map(|(_, prefix)| prefix.blocks).sum::<u32>() > free {
            let oldest = self.idle().min_by_key(|(_, prefix)| prefix.last_used);
            let Some((position, _)) = oldest else { return };
            self.prefixes[position].kept = false;
        }
    }

    fn idle(&self) -> impl Iterator<Item = (usize, &Prefix)> {
        self.prefixes.iter().enumerate().filter(|(_, prefix)| prefix.kept && prefix.users == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_shared_kept_and_evicted() {
        let mut kv = KvCache::new(10, &[64, 48]);
        assert_eq!(kv.known_tokens(Some(0), 100), 0);
        let first = kv.take(80, Some(0)).expect("room");
        assert_eq!(first, Lease { own: 1, shared: 4, prefix: Some(0) });
        assert_eq!(kv.known_tokens(Some(0), 100), 64);
        assert_eq!(kv.known_tokens(Some(0), 64), 48, "one token is always computed");
        let second = kv.take(80, Some(0)).expect("room");
        assert_eq!(kv.used, 6);
        assert_eq!(kv.take(81, Some(1)), None, "6 blocks are not there");
        kv.give_back(first);
        kv.give_back(second);
        assert_eq!((kv.used, kv.known_tokens(Some(0), 100)), (0, 64));
        let other = kv.take(112, None).expect("room");
        assert_eq!(kv.known_tokens(Some(0), 100), 0, "its blocks were needed");
        assert!(kv.grow(3) && !kv.grow(1));
        kv.give_back(Lease { own: 10, ..other });
        assert_eq!(kv.usage(), 0.0);
    }
}
