//! Seeded changes of valid bytes, for tests that have no libFuzzer.

/// xorshift64*: the same everywhere.
pub struct Random(u64);

impl Random {
    /// The stream with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `count`; 0 if that is 0.
    pub fn below(&mut self, count: usize) -> usize {
        (self.bits() >> 33) as usize % count.max(1)
    }

    /// Bytes of which many are small, as lengths and kinds are.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut byte = || if self.below(2) == 0 { self.below(8) } else { self.below(256) };
        (0..length).map(|_| byte() as u8).collect()
    }
}

/// One of the corpus; flipped, overwritten, cut, doubled or spliced up to four times.
///
/// # Panics
/// If the corpus is empty.
pub fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..random.below(5) {
        let (at, length) = (random.below(bytes.len()), 1 + random.below(9));
        let end = bytes.len().min(at + length);
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => bytes[at..end].fill(0xff),
            2 => bytes[at..end].fill(0),
            3 => drop(bytes.drain(at..end)),
            4 => bytes.extend_from_within(at..end),
            5 => {
                let other = &corpus[random.below(corpus.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len())..]);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
    bytes
}
