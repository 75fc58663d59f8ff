//! The simulator's dice: xoshiro256++ seeded by splitmix64, and the distributions drawn from it.
//!
//! Both generators are Blackman and Vigna's (<https://prng.di.unimi.it>). A part of the fleet owns
//! one stream of its own, so that one more draw in one part moves no other part's numbers.
//! Invariant: the same seed and stream give the same sequence of draws.

/// A seeded stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream with number `stream` under `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = seed ^ stream.wrapping_mul(0xD134_2543_DE82_EF95);
        Self { state: std::array::from_fn(|_| splitmix(&mut mixed)) }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let drawn = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        drawn
    }

    /// Uniform in [0, 1), on multiples of 2^-53.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `share`.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Exponential with the given mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// Standard normal (Box and Muller's transform; its second value is not used).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Lognormal around `median` with the logarithm's standard deviation `sigma`.
    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A position in `weights`, each as likely as its weight; 0 when all weights are zero.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (position, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return position;
            }
        }
        0
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(draws: usize, mut draw: impl FnMut() -> f64) -> f64 {
        (0..draws).map(|_| draw()).sum::<f64>() / draws as f64
    }

    #[test]
    fn distributions_have_their_means() {
        let mut random = Random::new(7, 1);
        assert!((mean(20_000, || random.unit()) - 0.5).abs() < 0.01);
        assert!((mean(20_000, || random.exponential(3.0)) - 3.0).abs() < 0.1);
        assert!(mean(20_000, || random.normal()).abs() < 0.03);
        let expected = 10.0 * (0.5f64 * 0.5 * 0.5).exp();
        assert!((mean(20_000, || random.lognormal(10.0, 0.5)) - expected).abs() < 0.2);
        let share = mean(20_000, || random.weighted(&[1.0, 3.0]) as f64);
        assert!((share - 0.75).abs() < 0.02);
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draws = |seed, stream| -> Vec<u64> {
            let mut random = Random::new(seed, stream);
            (0..4).map(|_| random.next()).collect()
        };
        assert_eq!(draws(1, 1), draws(1, 1));
        assert_ne!(draws(1, 1), draws(1, 2));
        assert_ne!(draws(1, 1), draws(2, 1));
    }
}
